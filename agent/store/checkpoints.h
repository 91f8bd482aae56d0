/* checkpoints - what this agent knows of the ledger's settled past, and what it
 * cosigned itself (PROTOCOL.md section 7.5).
 *
 * Writers are in their caller's transaction, but for checkpoints_cosign. */
#ifndef PARLEY_CHECKPOINTS_H
#define PARLEY_CHECKPOINTS_H

#include "identity/checkpoint.h"
#include "store.h"

/* Settled ones, with all lines known. Kept: all of the last hour, of older ones
 * the first of each minute (`time`: ms, when it settled by this agent's
 * knowledge: the quorum's time), and each that hands over to a roster. The same
 * size again replaces the note, where it has more lines. */
enum err checkpoints_settle (struct store *self, const struct checkpoint *cp,
                             int64_t time, int64_t roster_version,
                             bool handover, struct slice note, struct error *e)
    MUST_CHECK;
/* The newest settled one; the first kept one that covers `sequence` (size above
 * it). The note is appended, where `note` is not NULL. ERR_NOT_FOUND. */
struct checkpoint_row {
    struct checkpoint checkpoint;
    int64_t time, roster_version;
};
enum err checkpoints_newest (struct store *self, struct checkpoint_row *out,
                             struct buf *note, struct error *e) MUST_CHECK;
enum err checkpoints_covering (struct store *self, int64_t sequence,
                               struct checkpoint_row *out, struct buf *note,
                               struct error *e) MUST_CHECK;
/* For an export that ends below size `upto`: the first one kept with each
 * roster, and the newest; by size. The note is borrowed until `each` returns,
 * which may use the store; what it returns ends the walk. */
enum err checkpoints_each (struct store *self, int64_t upto,
                           enum err (*each) (void *arg, struct slice note,
                                             struct error *e),
                           void *arg, struct error *e) MUST_CHECK;
/* The newest that was verified against our own tree, settled or not: what hello
 * shows. Kept alone. ERR_NOT_FOUND. */
enum err checkpoints_verify (struct store *self, const struct checkpoint *cp,
                             struct slice note, struct error *e) MUST_CHECK;
enum err checkpoints_verified (struct store *self, struct checkpoint *out,
                               struct buf *note, struct error *e) MUST_CHECK;

/* A witness's memory: may it cosign this one? Durable when 0, in a transaction
 * of its own: then, and only then, a cosignature may be made. ERR_CHAIN: a size
 * below, or the same size with another root than it cosigned before, in this
 * epoch's origin. */
enum err checkpoints_cosign (struct store *self, const struct checkpoint *cp,
                             struct error *e) MUST_CHECK;
/* Alarms that keep a witness from cosigning: what the broker said contradicts
 * itself, and nobody has resumed since. checkpoints_resume: an operator has
 * looked at all that there is so far. */
enum err checkpoints_alarmed (struct store *self, bool *alarmed,
                              struct error *e) MUST_CHECK;
enum err checkpoints_resume (struct store *self, struct error *e) MUST_CHECK;
/* It did cosign this one, as its own line in a note says: remembered too.
 * *newer: the memory was behind it. The caller's transaction. */
enum err checkpoints_recall (struct store *self, const struct checkpoint *cp,
                             bool *newer, struct error *e) MUST_CHECK;
/* What it remembers of that origin: size and root. ERR_NOT_FOUND. */
enum err checkpoints_memory (struct store *self, const char *origin,
                             struct checkpoint *out, struct error *e)
    MUST_CHECK;
/* When it was noticed that this memory is behind what was cosigned, ms; 0: it is
 * not, or that is settled. */
int64_t checkpoints_older (struct store *self);
enum err checkpoints_set_older (struct store *self, int64_t since,
                                struct error *e) MUST_CHECK;
/* The size that it cosigned last of that origin; -1: none. */
enum err checkpoints_cosigned (struct store *self, const char *origin,
                               int64_t *size, struct error *e) MUST_CHECK;

#endif
