/* feed - the live streams: an XPUB with sealed frames, in a thread that never
 * waits for disk or signatures (PROTOCOL.md section 8.7).
 *
 * Reads subscriptions: whoever subscribes to what is not its own is refused by
 * the gate for a minute and its connection shut. Sends heads by timer. */
#ifndef PARLEY_FEED_H
#define PARLEY_FEED_H

#include "gate.h"
#include "state.h"

struct feed;

/* A block that goes out, made by commit. Counted, immutable. Of other kinds
 * than FEED_BLOCK, which feed makes itself, only `octets` count: `$log`'s
 * content. */
struct feed_block {
    atomic_int references;
    enum feed_kind kind;
    struct buf octets;
    int64_t log_time;    /* of its last record */
    int64_t size;        /* of the ledger with it */
    char channel[CHANNEL_MAX + 1];
    int64_t first;       /* channel sequence of its first record */
    int64_t count;
    struct roster *roster; /* owned; not NULL: it holds this roster, and all
                              behind it is of the next generation */
};
struct feed_block *feed_block_new (void) MUST_CHECK; /* one reference */
void feed_block_unref (struct feed_block **self_p);

/* Binds `endpoint` and starts the thread. *bound (256) is the real endpoint.
 * Sets the state's first tags. */
struct feed *feed_new (struct state *state, struct gate *gate, void *context,
                       const char *endpoint, char *bound, struct error *e)
    MUST_CHECK;
void feed_destroy (struct feed **self_p);
/* Takes the reference. In order. Waits where the feed is 4,096 behind (it never
 * blocks for long: XPUB drops for those that are slow). */
void feed_put (struct feed *self, struct feed_block *block);
/* The leaf hashes of a group's records, behind its blocks: commit's thread puts
 * both. Copied. Waits as feed_put. */
void feed_put_leaves (struct feed *self, int64_t first,
                      const struct hash *leaves, size_t count);
/* A checkpoint's note, FEED_CHECKPOINT or FEED_COSIGNATURES: from the notary's
 * thread, for a size whose leaves were put. Copied. Waits as feed_put. */
void feed_put_note (struct feed *self, enum feed_kind kind, struct slice note);

#endif
