/* drafts - what somebody wrote and nobody has sent: kept by this agent, in its
 * store, and read by nobody else.
 *
 * Two kinds. A *document* is a plan that a person writes at: JSON, kept as it
 * is, right or wrong, without a topic. A *message* has its topic, format and
 * references, and was judged when it was kept: somebody with the role releaser
 * sends it (api/publish.h). Each call that writes has a transaction of its own;
 * durable when 0. */
#ifndef PARLEY_DRAFTS_H
#define PARLEY_DRAFTS_H

#include "format/message.h"
#include "tokens.h"

#define DRAFTS_MAX 500 /* at once; above: ERR_FULL */
#define DRAFT_OCTETS_MAX                                                       \
    1048576 /* of its text: four times what fits a
                                    message, with people's white space */
#define DRAFT_REMARK_MAX 2000

struct draft {
    int64_t number; /* from 1; never given again */
    int64_t created_ms, updated_ms;
    struct slice topic; /* "": a document; borrowed for the call, as all */
    enum body_format format;
    struct slice references; /* ids, one behind the other */
    /* A document, and of format BODY_MAP: the text of a JSON object. Else the
     * content's octets. */
    struct slice content;
    struct slice drafter; /* whose it is; "": not known */
    struct slice editor;  /* who wrote last */
    bool returned;        /* a releaser gave it back, and it was not written
                             since */
    struct slice remark, remarker; /* of the last return; "" */
};

/* Topic, format, references, content and drafter of *draft are kept. `key`: as
 * the outbox's Idempotency-Key; the same one with the same draft gives the one
 * that is there (*repeated), with another one ERR_EXISTS. NULL: none. ERR_FULL;
 * ERR_LIMIT: too long; ERR_MALFORMED: no JSON object, or text that holds a
 * NUL. */
enum err drafts_add (struct store *self, const struct draft *draft,
                     const char *key, int64_t *number, bool *repeated,
                     struct error *e) MUST_CHECK;
/* The same of one that is there; its editor is `draft`'s, its drafter stays.
 * ERR_NOT_FOUND, and as above. `updated_ms` (of *draft): that of the one that
 * was read, or 0; ERR_EXISTS where somebody wrote since. A document stays one,
 * a message too: ERR_STATE. */
enum err drafts_set (struct store *self, const struct draft *draft,
                     struct error *e) MUST_CHECK;
/* A releaser gives it back. ERR_NOT_FOUND, ERR_LIMIT. */
enum err drafts_return (struct store *self, int64_t number, const char *remark,
                        const char *remarker, struct error *e) MUST_CHECK;
/* `updated_ms` as above. ERR_NOT_FOUND, ERR_EXISTS. */
enum err drafts_remove (struct store *self, int64_t number, int64_t updated_ms,
                        struct error *e) MUST_CHECK;
/* One, or all by number; `each` may not use the store. ERR_NOT_FOUND: of the
 * first alone. */
enum err drafts_get (struct store *self, int64_t number,
                     void (*each) (void *arg, const struct draft *), void *arg,
                     struct error *e) MUST_CHECK;
enum err drafts_list (struct store *self,
                      void (*each) (void *arg, const struct draft *), void *arg,
                      struct error *e) MUST_CHECK;

#endif
