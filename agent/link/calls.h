/* calls - requests to the desk that wait for their replies (PROTOCOL.md section
 * 8.1): one DEALER, ids, the time each was sent.
 *
 * One owner, one thread. A reply that breaks the protocol is the broker's
 * fault: the owner closes and begins anew. */
#ifndef PARLEY_CALLS_H
#define PARLEY_CALLS_H

#include "base/sock.h"
#include "wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

#define CALLS_MAX                                                              \
    64 /* unanswered: 8 batches, 4 fetches, and what goes beside */
/* A fetch of 1 MiB is answered with what begins below it: 2 blocks more. */
#define REPLY_OCTETS_MAX 8388608
#define REPLY_FRAMES_MAX (2 + FETCH_ITEMS_MAX)

struct calls;

/* Connects; does not wait. NULL and *e: sock_new's and sock_connect's. */
struct calls *calls_new (void *context, const char *endpoint,
                         const struct sock_options *options, struct error *e)
    MUST_CHECK;
void calls_destroy (struct calls **self_p);

/* To poll: replies; a connection that comes or goes. */
void *calls_socket (struct calls *self);
void *calls_watch (struct calls *self);
/* Connected, and not lost since. */
bool calls_ready (struct calls *self);
/* It was connected, and is so no more: what was sent may be gone, and what is
 * sent would go to whoever is there next. The owner closes. */
bool calls_lost (struct calls *self);
/* Replies carry this run from now on, and so do requests. */
void calls_set_run (struct calls *self, const uint8_t run[RUN_SIZE]);

/* `frames` behind frame 0. *id names the call. ERR_FULL: CALLS_MAX wait, or the
 * socket takes nothing now; nothing was sent. */
enum err calls_send (struct calls *self, enum wire_type type,
                     const struct slice *frames, size_t count, int64_t *id,
                     struct error *e) MUST_CHECK;
/* Monotonic ms at which the oldest unanswered call was sent; -1: none. */
int64_t calls_oldest (const struct calls *self);

struct reply {
    enum wire_type type; /* of the request */
    int64_t id;
    uint8_t run[RUN_SIZE];
    bool refused; /* `refusal` and `text` then; no frames */
    struct refusal refusal;
    struct slice text;
    const struct slice *frames; /* behind frame 0 */
    size_t count;
};
/* The next reply, borrowed until the next call of calls. ERR_NOT_FOUND: none
 * is there. ERR_MALFORMED, ERR_LIMIT, ERR_NEWER: the broker breaks the
 * protocol. A reply to a call that is not known is passed over. */
enum err calls_take (struct calls *self, struct reply *out, struct error *e)
    MUST_CHECK;

#endif
