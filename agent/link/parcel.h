/* parcel - messages of the outbox as one batch on its way to the broker
 * (PROTOCOL.md sections 6.3, 6.4, 8.4).
 *
 * Takes what is next, makes headers for the roster in force, keeps the forms
 * durably, signs. One channel; or one contribution of another author. */
#ifndef PARLEY_PARCEL_H
#define PARLEY_PARCEL_H

#include "core.h"
#include "format/batch.h"

#define PARCEL_LOOK 256 /* messages looked at for one channel's */

struct parcel {
    struct parcel *next;
    int64_t call; /* of its publish request */
    size_t count; /* messages of the batch; 0: nothing is there to send */
    struct hash ids[BATCH_MAX];
    int64_t last;      /* highest number of the outbox that was looked at */
    bool contribution; /* another author's: it can't be signed anew */
    struct buf head, headers, bodies;
};

/* From the messages above `after`: those that were sent and not answered, as
 * they were signed (`again`), or those that wait. At most `room` messages.
 * Count 0: there is none. A message that can't be signed is passed over, with a
 * notice. ERR_STATE, ERR_NOT_FOUND: one was cancelled meanwhile, take again;
 * otherwise the store's errors. The caller owns it: parcel_free. */
enum err parcel_take (struct core *core, bool again, int64_t after, size_t room,
                      struct parcel **out, struct error *e) MUST_CHECK;
void parcel_free (struct parcel **self_p);

#endif
