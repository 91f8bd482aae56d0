/* search - full text over plans, annexes, reports, threads and text messages (SQLite
 * FTS5).
 *
 * Written by the projector alone, from what this delegation may read, and made
 * again from it: nothing else rests on it. Words of any language, without
 * regard to case and diacritics; in scripts that put no spaces between words
 * (Chinese, Japanese, Thai, ...) any run of characters. What people type is
 * words, "phrases" and beginnings* of words, of which all have to be there;
 * other signs mean nothing.
 *
 * Asking: projector.h's projector_search, which knows the present rights. */
#ifndef PARLEY_SEARCH_H
#define PARLEY_SEARCH_H

#include "store.h"

#define SEARCH_QUERY_MAX 400 /* octets */
#define SEARCH_TERMS_MAX 16  /* those behind are left out */

enum search_kind {
    SEARCH_PLAN, /* a plan's own texts, or its action's */
    SEARCH_ANNEX,
    SEARCH_REPORT,
    SEARCH_MESSAGE, /* any other text (body format 2) */
    SEARCH_THREAD,  /* a message of a thread */
};
const char *search_kind_name (enum search_kind kind); /* "plan" */
bool search_kind_read (struct slice text, enum search_kind *out);

/* A text that is found as one. All texts are borrowed; "" for none. */
struct search_item {
    enum search_kind kind;
    int64_t sequence; /* of the record that has it */
    const char *plan, *action;
    const char *channel, *author; /* author: a delegation */
    const char *topic, *lang;
    const char *text;
};

/* Writing, in the caller's transaction. */
enum err search_add (struct store *self, const struct search_item *item,
                     struct error *e) MUST_CHECK;
/* What a plan was made of when it was written here; false: it is not here. */
bool search_plan_state (struct store *self, const char *plan, struct hash *out);
/* It goes, with its state; then it is added anew, or (state NULL) not. */
enum err search_plan_drop (struct store *self, const char *plan,
                           const struct hash *state, struct error *e)
    MUST_CHECK;
/* Each plan that is here; `each` may not use the store. */
enum err search_plans (struct store *self,
                       void (*each) (void *arg, const char *plan), void *arg,
                       struct error *e) MUST_CHECK;
/* Messages were read up to that position, resting on that (a number of the
 * caller's, of the floor of epoch.h and the like). Another one: they all go, and
 * are read again from 0. */
enum err search_position (struct store *self, int64_t basis, int64_t *position,
                          struct error *e) MUST_CHECK;
enum err search_set_position (struct store *self, int64_t position,
                              struct error *e) MUST_CHECK;

/* Asking; any handle. */
struct search_query {
    const char *text;
    unsigned kinds;     /* bits 1 << search_kind; 0: all */
    const char *entity; /* of the author; NULL: any */
    const char *plan;   /* NULL: any */
};
struct search_hit {
    struct search_item item; /* text: the whole of it */
    /* Around the first place, in which matches stand between the octets 2 and 3
     * (SEARCH_BEGIN, SEARCH_END). */
    const char *snippet;
};
#define SEARCH_BEGIN '\x02'
#define SEARCH_END '\x03'
/* Best first, then newest; until `each` returns false. Everything is borrowed for
 * the call; `each` may not use the store. ERR_MALFORMED: nothing in it that can
 * be looked for; ERR_LIMIT: too long. */
enum err search_find (struct store *self, const struct search_query *query,
                      bool (*each) (void *arg, const struct search_hit *),
                      void *arg, struct error *e) MUST_CHECK;

#endif
