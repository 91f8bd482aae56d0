/* watches - what people want to be told of: saved filters, each of a user, and
 * the place up to which he was told. Kept here alone (api/watcher.h tells). */
#ifndef PARLEY_WATCHES_H
#define PARLEY_WATCHES_H

#include "base/topic.h"
#include "tokens.h"

#define WATCH_NAME_MAX 64     /* octets: as a user's name */
#define WATCHES_MAX 500       /* in all; above: ERR_FULL */
#define WATCHES_A_USER_MAX 50 /* likewise */

/* What a message is, by its topic's second level; all others are "other". */
#define WATCH_KINDS 16
#define WATCH_ALL ((1U << WATCH_KINDS) - 1)
extern const char *const watch_kinds[WATCH_KINDS + 1]; /* NULL ends them */
/* WATCH_KINDS: an acknowledgement, of which nobody wants to be told. */
size_t watch_kind (struct slice topic);

struct watch {
    int64_t number; /* from 1, never given twice */
    char name[WATCH_NAME_MAX + 1];
    char user[USER_NAME_MAX + 1];
    char filter[TOPIC_MAX + 1];  /* over topics; checked */
    unsigned kinds;              /* bits */
    char entity[ENTITY_MAX + 1]; /* the author's; "": any */
    bool daily;                  /* else immediate */
    int64_t created_ms;
    int64_t position; /* he was told of all up to there (records.h) */
    int64_t told_ms;  /* when he was last; 0: never */
};

/* Is that message among those that it is about? Of the author's entity, and the
 * topic; its position is not asked. */
bool watch_wants (const struct watch *self, struct slice topic,
                  struct slice author);

/* Sets number and created_ms. Its own transaction or a part of the caller's, as
 * the others here. ERR_EXISTS: he has one of that name; ERR_FULL; ERR_MALFORMED
 * or ERR_LIMIT, with the member's name: what is none of a watch. */
enum err watches_add (struct store *self, struct watch *watch, struct error *e)
    MUST_CHECK;
/* By number; all users' where `user` is NULL. `each` may not write. */
enum err watches_list (struct store *self, const char *user,
                       void (*each) (void *arg, const struct watch *),
                       void *arg, struct error *e) MUST_CHECK;
/* ERR_NOT_FOUND: also where it is another user's (NULL: of whomever). */
enum err watches_get (struct store *self, int64_t number, const char *user,
                      struct watch *out, struct error *e) MUST_CHECK;
enum err watches_remove (struct store *self, int64_t number, const char *user,
                         struct error *e) MUST_CHECK;
/* He was told of all up to there, at that time (0: nothing had to be told). It
 * may be gone meanwhile. */
enum err watches_told (struct store *self, int64_t number, int64_t position,
                       int64_t told_ms, struct error *e) MUST_CHECK;

#endif
