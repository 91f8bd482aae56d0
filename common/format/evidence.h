/* evidence - signed statements of the broker that cannot both be true, in one
 * file that convinces a third party (PROTOCOL.md section 8.14).
 *
 * It rests on the dialogue id alone: the roster that lists the keys is in it,
 * with the chain that leads there. */
#ifndef PARLEY_EVIDENCE_H
#define PARLEY_EVIDENCE_H

#include "format/promise.h"
#include "identity/checkpoint.h"
#include "identity/roster_chain.h"

#define EVIDENCE_MAX 16777216

enum evidence_kind {
    EVIDENCE_LEAVES,  /* two checkpoints hold different leaves at one place */
    EVIDENCE_PROMISE, /* a promise names another leaf than a checkpoint holds */
    EVIDENCE_TIMES,   /* log time goes back between two records of an epoch */
    EVIDENCE_RECORD,  /* a message in the tree that no broker may take */
    EVIDENCE_ROOTS,   /* two checkpoints have different roots at one size */
};
const char *evidence_kind_name (enum evidence_kind kind); /* "two-leaves" */

/* One leaf under one checkpoint. Of EVIDENCE_ROOTS: `leaf` is the root that the
 * checkpoint's tree had at the size `index` (1 to its own), `path` the
 * consistency proof from there; whoever has the leaves of the larger of two
 * checkpoints can make both (tree_consistency; the smaller's path is empty).
 * Of EVIDENCE_RECORD: the second is the roster's record that element 5 of the
 * first one's record names, under the same origin; where that is 0, or nothing
 * but place, dialogue or signature is wrong, there needs to be none. A wrong
 * signature shows in a batch of one alone. */
struct evidence_leaf {
    struct slice checkpoint; /* a note that the log signed */
    uint64_t index;
    struct hash leaf;
    struct slice record; /* its octets, where they matter; else empty */
    size_t path_length;
    struct hash path[TREE_PATH_MAX];
};
struct evidence {
    enum evidence_kind kind;
    struct hash dialogue;
    int64_t made; /* ms, by the maker's clock */
    char maker[IDENTITY_NAME_MAX + 1];
    const struct slice *rosters; /* notes from the first on, without holes */
    size_t roster_count;
    struct evidence_leaf leaves[2];
    size_t leaf_count;
    bool has_promise;
    struct promise_proof promise;
};
/* JSON, for people to open too. Appended. Notes are UTF-8 (asserted). */
void evidence_write (const struct evidence *self, struct buf *json);
/* A reader's: what the slices point to lives until evidence_free. Form only.
 * ERR_MALFORMED, ERR_LIMIT; ERR_NEWER: a kind or format that we do not know. */
struct evidence_file;
struct evidence_file *evidence_read (struct slice json, struct error *e)
    MUST_CHECK;
void evidence_free (struct evidence_file **self_p);
const struct evidence *evidence_of (const struct evidence_file *self);

/* Does it convince? `dialogue` NULL: its own word is taken. What is proved is
 * appended to *said, in a sentence. ERR_STATE: all is true and nothing
 * contradicts; other errors name what does not hold (ERR_CHAIN: no way to that
 * dialogue, or leaves of two places, logs, epochs; ERR_SIGNATURE; ERR_DIGEST;
 * ERR_MALFORMED, ERR_NEWER). */
enum err evidence_check (const struct evidence *self,
                         const struct hash *dialogue, struct buf *said,
                         struct error *e) MUST_CHECK;

#endif
