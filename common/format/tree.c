/* tree - RFC 6962 section 2.1 (PROTOCOL.md section 2.1). On the hot path: a
 * batch's root costs one node a message. Pure; thread-safe. */
#include "format/tree.h"

#include <assert.h>

/* As in a binary counter: full subtrees of one height join, from `height` up. */
static void join (struct tree *self, unsigned height, struct hash h) {
    size_t n = (size_t) __builtin_popcountll (self->size);
    for (uint64_t s = self->size >> height; s & 1; s >>= 1)
        h = hash_node (&self->stack[--n], &h);
    self->stack[n] = h;
    self->size += UINT64_C (1) << height;
}

void tree_add (struct tree *self, const struct hash *leaf) {
    join (self, 0, *leaf);
}

void tree_add_full (struct tree *self, unsigned height,
                    const struct hash *root) {
    assert (height < 64 && self->size % (UINT64_C (1) << height) == 0);
    join (self, height, *root);
}

void tree_add_levels (struct tree *self, const struct hash *leaf,
                      void (*done) (void *arg, unsigned level,
                                    const struct hash *root),
                      void *arg) {
    struct hash h = *leaf;
    size_t n = (size_t) __builtin_popcountll (self->size);
    unsigned height = 0;
    for (uint64_t s = self->size; s & 1; s >>= 1) {
        h = hash_node (&self->stack[--n], &h);
        height++;
        if (height % 8 == 0 && height / 8 < TREE_LEVELS)
            done (arg, height / 8, &h);
    }
    self->stack[n] = h;
    self->size++;
}

struct hash tree_root (const struct tree *self) {
    if (self->size == 0)
        return hash_sha256 ((struct slice){ 0 });
    size_t n = (size_t) __builtin_popcountll (self->size);
    struct hash h = self->stack[--n];
    while (n > 0)
        h = hash_node (&self->stack[--n], &h);
    return h;
}

struct hash tree_root_of (const struct hash *leaves, size_t count) {
    struct tree tree;
    tree.size = 0; /* the stack's 2 KiB need no zeros */
    for (size_t i = 0; i < count; i++)
        tree_add (&tree, &leaves[i]);
    return tree_root (&tree);
}

/* The largest power of two below n; n > 1. */
static uint64_t split (uint64_t n) {
    return UINT64_C (1) << (63 - __builtin_clzll (n - 1));
}

static void reverse (struct hash *hashes, size_t count) {
    for (size_t i = 0; i < count / 2; i++) {
        struct hash h = hashes[i];
        hashes[i] = hashes[count - 1 - i];
        hashes[count - 1 - i] = h;
    }
}

size_t tree_path (const struct hash *leaves, size_t count, size_t index,
                  struct hash out[TREE_PATH_MAX]) {
    assert (index < count);
    size_t n = 0;
    while (count > 1) {
        size_t k = split (count);
        if (index < k) {
            out[n++] = tree_root_of (leaves + k, count - k);
            count = k;
        } else {
            out[n++] = tree_root_of (leaves, k);
            leaves += k;
            count -= k;
            index -= k;
        }
    }
    reverse (out, n); /* found from the root down */
    return n;
}

size_t tree_path_length (uint64_t index, uint64_t size) {
    assert (index < size);
    size_t n = 0;
    for (; size > 1; n++) {
        uint64_t k = split (size);
        if (index < k)
            size = k;
        else {
            size -= k;
            index -= k;
        }
    }
    return n;
}

enum err tree_path_root (const struct hash *leaf, uint64_t index, uint64_t size,
                         const struct hash *path, size_t length,
                         struct hash *root) {
    if (index >= size || length != tree_path_length (index, size))
        return ERR_MALFORMED;
    struct hash h = *leaf;
    uint64_t last = size - 1;
    /* RFC 9162 section 2.1.3.2. The length is right, so that no step meets a
     * node that is both first and last. */
    for (size_t i = 0; i < length; i++) {
        if (index & 1 || index == last) {
            h = hash_node (&path[i], &h);
            /* A last node without a sibling stands for itself higher up. */
            while (!(index & 1)) {
                index >>= 1;
                last >>= 1;
            }
        } else
            h = hash_node (&h, &path[i]);
        index >>= 1;
        last >>= 1;
    }
    *root = h;
    return ERR_NONE;
}
