/* tree - RFC 6962 section 2.1 over SHA-256: roots, audit paths
 * (PROTOCOL.md section 2.1).
 *
 * Entries are given by their leaf hashes. Pure; nothing is allocated. */
#ifndef PARLEY_TREE_H
#define PARLEY_TREE_H

#include "base/hash.h"

#define TREE_PATH_MAX 64

/* A tree that only grows: the roots of its full subtrees. */
struct tree {
    uint64_t size;
    struct hash stack[64]; /* highest first; popcount(size) are in use */
};
/* `struct tree t = { 0 };` is the empty one. */
void tree_add (struct tree *self, const struct hash *leaf);
struct hash tree_root (const struct tree *self);

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

#endif
