/* notary - signs checkpoints of what it read back, and gathers cosignatures
 * (PROTOCOL.md section 7.5; DESIGN section 7).
 *
 * A thread of its own, so that hashing and signing never delay a promise. It
 * follows the journal's synced end: reads each block back, recomputes its leaf
 * hashes, compares them with the index, and signs the root that its own tree
 * has: at most once a second while records come, at once after a pause, and for
 * each mark. A leaf that differs from what was read back is damage: it signs
 * nothing any more, closes the state (LEDGER-BEHIND's place is damage's too) and
 * says which record. Checkpoints, and what witnesses cosign, go to the feed.
 *
 * Kept in `DIR/checkpoints/`: `settled` (the newest), and `roster-VERSION` (the
 * first that settled with that roster), notes with all their lines, each
 * replaced by a rename. Missing files are made anew by what comes. */
#ifndef PARLEY_NOTARY_H
#define PARLEY_NOTARY_H

#include "feed.h"
#include "state.h"

struct notary;

/* Reads what is kept and starts the thread. Borrows state and feed (NULL: to
 * nowhere) for its life. ERR_DAMAGED: a file that is no checkpoint of this
 * dialogue, or of another root than the ledger has at its size. */
struct notary *notary_new (struct state *state, struct feed *feed,
                           const char *dir, struct error *e) MUST_CHECK;
void notary_destroy (struct notary **self_p);

/* From commit, never waits: the journal has grown; `mark`: a mark is in it. */
void notary_grown (struct notary *self, bool mark);

/* From any thread. A witness's note: its line counts for the checkpoint of that
 * size, which is one of the last 64 or the newest settled. *settled: the size of
 * the newest settled one, -1. ERR_RIGHT: `delegation` is no witness of the
 * roster at the checkpoint's end nor of the one that settled last;
 * ERR_NOT_FOUND: no such checkpoint is kept, ERR_SIGNATURE, ERR_MALFORMED,
 * ERR_LIMIT, ERR_DIGEST: another root. */
enum err notary_cosign (struct notary *self, const char *delegation,
                        struct slice note, int64_t *settled, struct error *e)
    MUST_CHECK;
/* Appends a note as request 11 asks for it. ERR_NOT_FOUND. */
enum err notary_note (struct notary *self, enum wire_which which,
                      int64_t version, struct buf *out, struct error *e)
    MUST_CHECK;
/* An agent's newest checkpoint, from hello. ERR_CHAIN: the log key signed it and
 * the ledger is shorter, or has another root at its size: this ledger has lost
 * its memory. ERR_SIGNATURE: not ours, to be passed over. */
enum err notary_shown (struct notary *self, struct slice note, struct error *e)
    MUST_CHECK;
/* For status. */
void notary_sizes (struct notary *self, int64_t *signed_size,
                   int64_t *settled_size, int64_t *settled_time);

#endif
