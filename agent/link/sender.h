/* sender - brings the outbox to the broker, batch by batch (PROTOCOL.md
 * sections 6.5, 8.4, 8.9).
 *
 * In order; several batches are on their way at once, at most 1,024 messages.
 * After each hello what was sent and not answered goes again first. What waited
 * when the program started goes only when all streams were held to their ends
 * once: the store may have been put back, and its records be there. What the
 * broker answers is settled in the store by its rule. Of the link's thread. */
#ifndef PARLEY_SENDER_H
#define PARLEY_SENDER_H

#include "core.h"

#define SENDER_BATCHES 8
/* Messages unanswered. With PARCEL_LOOK numbers passed over at either end they
 * are within the 1,023 below a lane's highest that the broker still looks up:
 * what was recorded, and is sent again after a crash, is known to it. */
#define SENDER_WINDOW 500

struct sender;
struct sender *sender_new (struct core *core) MUST_CHECK;
void sender_destroy (struct sender **self_p);

/* The link is ready; it is down (what was on its way goes again). */
void sender_begin (struct sender *self);
void sender_end (struct sender *self);
/* The broker's lane is ahead of ours, this store is an older one: nothing goes
 * before all streams are held to their ends, since what waits may prove to be
 * recorded; then all that is not promised goes under a new lane, once nothing
 * is on its way. */
void sender_move_lane (struct sender *self);

/* Sends what may go now. `filled`: all streams are held to their ends. */
enum err sender_tick (struct sender *self, int64_t now, bool filled,
                      struct error *e) MUST_CHECK;
/* Nothing that was handed in waits to be sent, as of the last tick. */
bool sender_drained (const struct sender *self);
/* A publish reply. The store's errors; others: give the link up. */
enum err sender_reply (struct sender *self, const struct reply *reply,
                       struct error *e) MUST_CHECK;
/* Monotonic ms from which on there is something to do; -1: when woken. */
int64_t sender_due (const struct sender *self);

#endif
