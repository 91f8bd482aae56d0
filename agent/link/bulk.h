/* bulk - brings files to the outbox, one message at a time, behind all others
 * (threads/FILES.md section 6; store/sendings.h).
 *
 * The next one goes when nothing else waits, when the record of the one before
 * has come back by the feed, after a pause as long as that took, and within
 * three quarters of the roster's rates. So a file fills neither the outbox nor
 * the readers' feeds, and a message that is given to this agent meanwhile goes
 * before the rest. Of the link's thread. */
#ifndef PARLEY_BULK_H
#define PARLEY_BULK_H

#include "core.h"

#define BULK_PAUSE_MS 20       /* at least, between two messages */
#define BULK_PAUSE_MAX_MS 2000 /* however long one takes */

struct bulk;
struct bulk *bulk_new (struct core *core) MUST_CHECK;
void bulk_destroy (struct bulk **self_p);

/* Puts the next message into the outbox if it may go now; *handed: it did, and
 * the sender has something to do. `filled`: all streams are held to their ends,
 * without which once nothing goes (the store may have been put back, and what it
 * has to send may be in the ledger). `drained`: nothing else waits. The store's
 * errors. */
enum err bulk_tick (struct bulk *self, int64_t now, bool filled, bool drained,
                    bool *handed, struct error *e) MUST_CHECK;
/* Monotonic ms from which on there is something to do; -1: when something
 * comes. */
int64_t bulk_due (const struct bulk *self);

#endif
