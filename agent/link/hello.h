/* hello - the agent's side of the greeting (PROTOCOL.md sections 8.2, 8.8): who
 * is there, in which run, and do both remember the same? Of the link's thread.
 */
#ifndef PARLEY_HELLO_H
#define PARLEY_HELLO_H

#include "core.h"

#define HELLO_OFFSET_MAX_MS 30000 /* of the two clocks; more is said */

struct hello {
    uint8_t nonce[32];
    int64_t sent; /* wall clock */
    int64_t call;
};
enum err hello_send (struct core *core, struct hello *self, struct error *e)
    MUST_CHECK;

/* The reply, verified: signature of a desk key of the roster, nonce, dialogue,
 * run, delegation, versions. Anything but 0: back to down. ERR_CHAIN also says
 * that the broker has a newer roster, where welcome->roster_version is above
 * ours. Slices of *welcome are of the reply. */
enum err hello_check (struct core *core, const struct hello *self,
                      const struct reply *reply, struct wire_welcome *welcome,
                      struct error *e) MUST_CHECK;

/* What follows from it: notices (clock, LEDGER-BEHIND), core's run, size and
 * `closed`. *offset: broker's clock minus ours. *older: the broker has numbers
 * of our lanes that we never signed: this store is an older copy. The store's
 * errors. */
enum err hello_take (struct core *core, const struct hello *self,
                     const struct wire_welcome *welcome, int64_t *offset,
                     bool *older, struct error *e) MUST_CHECK;

#endif
