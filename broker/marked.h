/* marked - what marks say of all streams, provable with the mark alone
 * (PROTOCOL.md section 7.4).
 *
 * Computed from the journal's trees over up to 512 streams, and kept for the
 * newest few marks: behind each, all agents ask. Of fetch's thread. */
#ifndef PARLEY_MARKED_H
#define PARLEY_MARKED_H

#include "format/mark.h"
#include "format/record.h"
#include "state.h"

/* What one mark says. */
struct said {
    int64_t mark;          /* its sequence; 0: none (a roster stands there) */
    struct roster *roster; /* owned reference: whose streams they are */
    size_t count;
    char (*names)[MARK_NAME_MAX]; /* owned, these three */
    struct mark_stream *streams;
    struct hash *nodes; /* of their entries' tree: leaves, what is above them,
                           and so on to the root */
};
/* Of stream n, with its path. */
void said_claim (const struct said *self, size_t n, struct mark_claim *out);

struct marked;
/* Borrows the state. */
struct marked *marked_new (struct state *state) MUST_CHECK;
void marked_destroy (struct marked **self_p);
/* Borrowed until the next call. ERR_NOT_FOUND: no mark of this epoch, or one that
 * proves nothing; ERR_DAMAGED: its root is not that of the ledger's streams; the
 * journal's errors. */
enum err marked_find (struct marked *self, int64_t mark,
                      const struct said **out, struct error *e) MUST_CHECK;
/* The record at a place. Its slices are valid until the next call of either.
 * ERR_NOT_FOUND: above the end. */
enum err marked_record (struct marked *self, int64_t sequence,
                        struct record *out, struct error *e) MUST_CHECK;

#endif
