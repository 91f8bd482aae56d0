/* tree - RFC 6962 section 2.1 over SHA-256: roots, audit paths, consistency
 * proofs (PROTOCOL.md section 2.1).
 *
 * Entries are given by their leaf hashes. A tree that grows keeps the roots of
 * its full subtrees only; proofs of a large one come from stored hashes, in
 * levels as C2SP tlog-tiles has them: level 0 holds the leaf hashes, level l the
 * roots of full subtrees of 256^l leaves. Pure; nothing is allocated. */
#ifndef PARLEY_TREE_H
#define PARLEY_TREE_H

#include "base/hash.h"

#define TREE_PATH_MAX 64
#define TREE_COVER_MAX 128
#define TREE_TILE 256 /* hashes a full tile */
#define TREE_LEVELS 7 /* 256^7 is above 2^53 */

/* A tree that only grows: the roots of its full subtrees. */
struct tree {
    uint64_t size;
    struct hash stack[64]; /* highest first; popcount(size) are in use */
};
/* `struct tree t = { 0 };` is the empty one. */
void tree_add (struct tree *self, const struct hash *leaf);
struct hash tree_root (const struct tree *self);
/* As tree_add; `done` is called with each level from 1 up of which this leaf
 * completes a full subtree, and its root: what the levels are stored from. */
void tree_add_levels (struct tree *self, const struct hash *leaf,
                      void (*done) (void *arg, unsigned level,
                                    const struct hash *root),
                      void *arg);
/* The root of a full subtree of 2^height leaves stands next; size is a multiple
 * of 2^height (asserted). No level is told. */
void tree_add_full (struct tree *self, unsigned height,
                    const struct hash *root);

struct hash tree_root_of (const struct hash *leaves, size_t count);
/* Lowest node first; returns how many. index < count (asserted). */
size_t tree_path (const struct hash *leaves, size_t count, size_t index,
                  struct hash out[TREE_PATH_MAX]);
/* The number of nodes a path for index in size has. */
size_t tree_path_length (uint64_t index, uint64_t size);
/* The root that leaf and path give. ERR_MALFORMED: index not below size, or
 * a path of another length. */
enum err tree_path_root (const struct hash *leaf, uint64_t index, uint64_t size,
                         const struct hash *path, size_t length,
                         struct hash *root) MUST_CHECK;

/* Stored hashes: `count` (1 to 256, of one tile: the last octet of the index
 * does not wrap) of a level, from `first`. ERR_NOT_FOUND: not all are there;
 * others are the store's. */
struct tree_source {
    void *arg;
    enum err (*read) (void *arg, unsigned level, uint64_t first, size_t count,
                      struct hash *out, struct error *e);
};
/* Errors of all of these: the source's. They read at most two tiles a level.
 *
 * Grow to `size` (not below self->size, asserted) by the largest subtrees that
 * are stored whole. */
enum err tree_grow (struct tree *self, uint64_t size,
                    const struct tree_source *source, struct error *e)
    MUST_CHECK;
enum err tree_source_root (const struct tree_source *source, uint64_t size,
                           struct hash *root, struct error *e) MUST_CHECK;
/* RFC 6962 section 2.1.1, of the tree of `size`. index < size (asserted). */
enum err tree_inclusion (const struct tree_source *source, uint64_t index,
                         uint64_t size, struct hash out[TREE_PATH_MAX],
                         size_t *length, struct error *e) MUST_CHECK;
/* Section 2.1.2, from `older` to `size`; 0 < older <= size (asserted). Empty
 * where they are equal. */
enum err tree_consistency (const struct tree_source *source, uint64_t older,
                           uint64_t size, struct hash out[TREE_PATH_MAX],
                           size_t *length, struct error *e) MUST_CHECK;
/* Does the proof show that `root` extends `older_root`? ERR_DIGEST: it shows
 * another one; ERR_MALFORMED: sizes or length. */
enum err tree_consistency_check (uint64_t older, const struct hash *older_root,
                                 uint64_t size, const struct hash *root,
                                 const struct hash *proof, size_t length,
                                 struct error *e) MUST_CHECK;

/* A *cover* of entries [from, to): the roots of the fewest full aligned
 * subtrees that hold just those, left to right (PROTOCOL.md section 8.12). */
size_t tree_cover_length (uint64_t from, uint64_t to);
enum err tree_cover (const struct tree_source *source, uint64_t from,
                     uint64_t to, struct hash out[TREE_COVER_MAX],
                     size_t *length, struct error *e) MUST_CHECK;
/* Append what a cover holds to a tree of size `from`. ERR_MALFORMED: another
 * length. */
enum err tree_add_cover (struct tree *self, uint64_t to,
                         const struct hash *cover, size_t length,
                         struct error *e) MUST_CHECK;

#endif
