/* hashes - the Merkle trees that this agent holds: over the ledger, and over
 * each stream that it follows (format/tree.h; PROTOCOL.md sections 7.4, 7.5).
 *
 * A tree grows at its end only, and lives in the store: tiles of up to 256
 * hashes a row, and the roots of its full subtrees, so that nothing of it stays
 * in memory between transactions. A stream's tree may begin with, or go over,
 * records that this delegation may not read: a cover stands for them, whose
 * leaves are not there. Writers are in their caller's transaction. */
#ifndef PARLEY_HASHES_H
#define PARLEY_HASHES_H

#include "format/tree.h"
#include "store.h"

#define HASHES_LEDGER "" /* the name of the ledger's tree; else a stream's */

/* Its size and the roots of its full subtrees; an empty one where there is
 * none. */
enum err hashes_tree (struct store *self, const char *name, struct tree *out,
                      struct error *e) MUST_CHECK;
enum err hashes_add (struct store *self, const char *name,
                     const struct hash *leaves, size_t count, struct error *e)
    MUST_CHECK;
/* Up to `to`, by a cover. ERR_MALFORMED: of another length. */
enum err hashes_add_cover (struct store *self, const char *name, uint64_t to,
                           const struct hash *cover, size_t length,
                           struct error *e) MUST_CHECK;
/* The root of its first `size` records. ERR_NOT_FOUND: it has fewer. `size`
 * within a node of a cover: ERR_STATE. */
enum err hashes_root (struct store *self, const char *name, uint64_t size,
                      struct hash *root, struct error *e) MUST_CHECK;
/* The tree that its first `size` records make; its stack is their cover. The
 * errors of hashes_root. */
enum err hashes_tree_at (struct store *self, const char *name, uint64_t size,
                         struct tree *out, struct error *e) MUST_CHECK;
/* One leaf. ERR_NOT_FOUND: above the end; ERR_STATE: within a cover. */
enum err hashes_leaf (struct store *self, const char *name, uint64_t index,
                      struct hash *leaf, struct error *e) MUST_CHECK;
/* The same of `count` of them, from `first`. */
enum err hashes_leaves (struct store *self, const char *name, uint64_t first,
                        size_t count, struct hash *out, struct error *e)
    MUST_CHECK;
/* Back to its first `size` records: what came behind them is not what the
 * broker stands by. ERR_NOT_FOUND, ERR_STATE as above. */
enum err hashes_cut (struct store *self, const char *name, uint64_t size,
                     struct error *e) MUST_CHECK;
/* For proofs; the name is borrowed. ERR_STATE within a cover. */
struct hashes_source {
    struct store *store;
    const char *name;
};
struct tree_source hashes_source (struct hashes_source *self,
                                  struct store *store, const char *name);

#endif
