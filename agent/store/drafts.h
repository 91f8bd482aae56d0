/* drafts - plans that a person writes at and has not published: kept by this
 * agent, in its store, and read by nobody else.
 *
 * The JSON is kept as it is, right or wrong: a draft is what somebody has so
 * far. Each call that writes has a transaction of its own; durable when 0. */
#ifndef PARLEY_DRAFTS_H
#define PARLEY_DRAFTS_H

#include "store.h"

#define DRAFTS_MAX 500 /* at once; above: ERR_FULL */
#define DRAFT_OCTETS_MAX                                                       \
    1048576 /* of its JSON text: four times what fits a
                                    message, with people's white space */

struct draft {
    int64_t number; /* from 1; never given again */
    int64_t created_ms, updated_ms;
    struct slice json; /* borrowed for the call */
};
/* ERR_FULL; ERR_LIMIT: too long; ERR_MALFORMED: no JSON object, or text that
 * holds a NUL. */
enum err drafts_add (struct store *self, struct slice json, int64_t *number,
                     struct error *e) MUST_CHECK;
/* Another text. ERR_NOT_FOUND, and as above. `updated_ms`: that of the one that
 * was read, or 0; ERR_EXISTS where somebody wrote since. */
enum err drafts_set (struct store *self, int64_t number, int64_t updated_ms,
                     struct slice json, struct error *e) MUST_CHECK;
enum err drafts_remove (struct store *self, int64_t number, struct error *e)
    MUST_CHECK; /* ERR_NOT_FOUND */
/* One, or all by number; `each` may not use the store. ERR_NOT_FOUND: of the
 * first alone. */
enum err drafts_get (struct store *self, int64_t number,
                     void (*each) (void *arg, const struct draft *), void *arg,
                     struct error *e) MUST_CHECK;
enum err drafts_list (struct store *self,
                      void (*each) (void *arg, const struct draft *), void *arg,
                      struct error *e) MUST_CHECK;

#endif
