/* notary - signs checkpoints of what it read back, and gathers cosignatures
 * (PROTOCOL.md section 7.5; DESIGN section 7).
 *
 * A thread of its own, so that hashing and signing never delay a promise. It
 * follows the journal's synced end: reads each block back, recomputes its leaf
 * hashes, compares them with the index, and signs the root that its own tree
 * has: at most once a second while records come, at once after a pause, and for
 * each mark; nothing before the hellos that a run begins with (state.h), nor
 * while the state is LEDGER-BEHIND, nor where the roster's log key is not ours.
 * Checkpoints, and what witnesses cosign, go to the feed.
 *
 * Damage, a record that can't be read back or is not its leaf, is said in the
 * log with its place. In the tail that was not signed yet it ends signing and
 * closes the state (LEDGER-BEHIND with the record as `sequence`): what was
 * promised there can't be borne out. Below, where checkpoints stand already,
 * the broker goes on: the rest is as good as before, and others hold the
 * record. To find it there, a notary that has had nothing to do for a second
 * goes through the whole ledger, block by block, and once more after a pause.
 *
 * At the start the tree is taken from the stored hashes up to the settled
 * checkpoint that is kept (to the ledger's end where none is); all above is
 * read back.
 *
 * Kept in `DIR/checkpoints/`: `settled` (the newest, written every few seconds
 * at most and at the end; the first one, and each handover, before anybody
 * hears that it settled), and `roster-VERSION` (the first that settled with
 * that roster), notes with all their lines, each replaced by
 * a rename. Missing files are made anew by what comes. */
#ifndef PARLEY_NOTARY_H
#define PARLEY_NOTARY_H

#include "feed.h"
#include "identity/checkpoint.h"
#include "state.h"

struct notary;

/* Reads what is kept and starts the thread. Borrows state and feed (NULL: to
 * nowhere) for its life. `dir`: the state folder. ERR_DAMAGED: a file that is
 * no checkpoint of this dialogue, or of another root than the ledger has at its
 * size. A kept checkpoint above the ledger's end closes the state
 * (LEDGER-BEHIND). */
struct notary *notary_new (struct state *state, struct feed *feed,
                           const char *dir, struct error *e) MUST_CHECK;
void notary_destroy (struct notary **self_p);

/* The pause between two rounds through the ledger, ms; 0: none is made. An hour
 * where this is not called. From any thread. */
void notary_set_scrub (struct notary *self, int64_t pause_ms);

/* Enough hellos were heard, or none is awaited: what is there is signed now.
 * From any thread. */
void notary_begin (struct notary *self);

/* From commit, behind the group's blocks and leaves in the feed, never waits:
 * the journal has grown; `mark`: a mark is in it. */
void notary_grown (struct notary *self, bool mark);

/* From any thread. A witness's note: its line counts for the checkpoint of that
 * size, which is one of the last 64 or the newest settled. *settled: the size
 * of the newest settled one, -1. ERR_RIGHT: `delegation` is no witness of the
 * roster at the checkpoint's end nor of the one that settled last;
 * ERR_NOT_FOUND: no such checkpoint is kept, ERR_SIGNATURE, ERR_MALFORMED,
 * ERR_LIMIT, ERR_DIGEST: another root. */
enum err notary_cosign (struct notary *self, const char *delegation,
                        struct slice note, int64_t *settled, struct error *e)
    MUST_CHECK;
/* Appends a note as request 11 asks for it. ERR_NOT_FOUND, also of the newest
 * while none was signed in this run and the ledger is longer than what is kept;
 * the disk's. */
enum err notary_note (struct notary *self, enum wire_which which,
                      int64_t version, struct buf *out, struct error *e)
    MUST_CHECK;
/* An agent's newest checkpoint, from hello. ERR_CHAIN: the log key signed it
 * and the ledger is shorter, or has another root at its size: this ledger has
 * lost its memory. ERR_SIGNATURE, ERR_MALFORMED, ERR_LIMIT: not ours, to be
 * passed over; the journal's: not known now. */
enum err notary_shown (struct notary *self, struct slice note, struct error *e)
    MUST_CHECK;
/* For status: -1 and 0 where there is none. settled_time: Unix ms, when this
 * broker had its quorum. */
int64_t notary_signed_time (struct notary *self); /* Unix ms, of this run's; 0 */
void notary_sizes (struct notary *self, int64_t *signed_size,
                   int64_t *settled_size, int64_t *settled_time);

#endif
