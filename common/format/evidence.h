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
    EVIDENCE_RECORD,  /* a record in the tree that no broker may take: `why` */
};
const char *evidence_kind_name (enum evidence_kind kind); /* "two-leaves" */

/* One leaf under one checkpoint. */
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
    const struct slice *rosters; /* notes from version 1 on, without holes */
    size_t roster_count;
    struct evidence_leaf leaves[2];
    size_t leaf_count;
    bool has_promise;
    struct promise_proof promise;
};
/* JSON, for people to open too. */
void evidence_write (const struct evidence *self, struct buf *json);
/* A reader's: what the slices point to lives until evidence_free. */
struct evidence_file;
struct evidence_file *evidence_read (struct slice json, struct error *e)
    MUST_CHECK;
void evidence_free (struct evidence_file **self_p);
const struct evidence *evidence_of (const struct evidence_file *self);

/* Does it convince? `dialogue` NULL: its own word is taken. What is proved is
 * appended to *said, in a sentence. ERR_STATE: all is true and nothing
 * contradicts; other errors name what does not hold. */
enum err evidence_check (const struct evidence *self,
                         const struct hash *dialogue, struct buf *said,
                         struct error *e) MUST_CHECK;

#endif
