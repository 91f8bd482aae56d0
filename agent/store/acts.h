/* acts - who did what at this agent: kept here, and shown to its operator. No
 * person's name goes into the ledger. */
#ifndef PARLEY_ACTS_H
#define PARLEY_ACTS_H

#include "store.h"

#define ACTS_MAX 1000000 /* the newest; older ones are forgotten */

struct act {
    int64_t number; /* from 1 */
    int64_t ms;
    const char *user;    /* borrowed for the call, as all texts */
    const char *what;    /* "published", "drafted", "released", ... */
    const char *subject; /* a topic, a token's name, a remark; "" */
    int64_t draft;       /* 0: of none */
    int64_t entry;       /* of the outbox; 0: none */
};

/* Now; number and ms are given to it. A transaction of its own, or a part of
 * the one that is open. */
enum err acts_add (struct store *self, const struct act *act, struct error *e)
    MUST_CHECK;
/* The newest first, below `before` (0: from the end), at most `limit`. */
enum err acts_list (struct store *self, int64_t before, int64_t limit,
                    void (*each) (void *arg, const struct act *), void *arg,
                    struct error *e) MUST_CHECK;
/* Which entry of the outbox did that draft become? 0: none. */
int64_t acts_released (struct store *self, int64_t draft);

#endif
