/* tree_proof - proofs of a tree that is too large to hold, from stored hashes
 * (PROTOCOL.md section 2.1; levels as in C2SP tlog-tiles). A node of height h
 * is made of hashes of level h / 8, all of one tile. Memory is one tile on the
 * stack. Pure; thread-safe. */
#include "format/tree.h"

#include <assert.h>
#include <inttypes.h>

#define TILE_HEIGHT 8

/* The hashes that were read last, of one tile. */
struct view {
    const struct tree_source *source;
    uint64_t size; /* of the tree */
    unsigned level;
    uint64_t first;
    size_t count;
    struct hash hashes[TREE_TILE];
};

static void view_start (struct view *self, const struct tree_source *source,
                        uint64_t size) {
    self->source = source;
    self->size = size;
    self->count = 0; /* the 8 KiB need no zeros */
}

static enum err view_read (struct view *self, unsigned level, uint64_t first,
                           size_t count, struct error *e) {
    self->count = 0;
    enum err rc = self->source->read (self->source->arg, level, first, count,
                                      self->hashes, e);
    if (rc)
        return rc;
    self->level = level;
    self->first = first;
    self->count = count;
    return ERR_NONE;
}

/* The largest run of hashes of one tile that stands next behind `at` and is
 * below `size`: of the highest level at whose border `at` is. */
static void next_run (uint64_t at, uint64_t size, unsigned *level,
                      uint64_t *first, size_t *count) {
    unsigned l = 0;
    while (l + 1 < TREE_LEVELS) {
        uint64_t step = UINT64_C (1) << TILE_HEIGHT * (l + 1);
        if (at % step != 0 || size - at < step)
            break;
        l++;
    }
    *level = l;
    *first = at >> TILE_HEIGHT * l;
    uint64_t left = (size >> TILE_HEIGHT * l) - *first;
    uint64_t room = TREE_TILE - *first % TREE_TILE;
    *count = (size_t) (left < room ? left : room);
}

/* Grow a tree whose leaf 0 is leaf `base` of the source's; base is a multiple
 * of every subtree that fits below `size`. */
static enum err grow_from (struct tree *self, uint64_t base, uint64_t size,
                           struct view *view, struct error *e) {
    while (self->size < size) {
        unsigned level;
        uint64_t first;
        size_t count;
        next_run (base + self->size, base + size, &level, &first, &count);
        enum err rc = view_read (view, level, first, count, e);
        if (rc)
            return rc;
        for (size_t i = 0; i < count; i++)
            tree_add_full (self, TILE_HEIGHT * level, &view->hashes[i]);
    }
    return ERR_NONE;
}

enum err tree_grow (struct tree *self, uint64_t size,
                    const struct tree_source *source, struct error *e) {
    assert (self->size <= size);
    struct view view;
    view_start (&view, source, size);
    /* Unchanged where the source fails. */
    struct tree grown = *self;
    enum err rc = grow_from (&grown, 0, size, &view, e);
    if (!rc)
        *self = grown;
    return rc;
}

enum err tree_source_root (const struct tree_source *source, uint64_t size,
                           struct hash *root, struct error *e) {
    struct tree tree = { 0 };
    enum err rc = tree_grow (&tree, size, source, e);
    if (!rc)
        *root = tree_root (&tree);
    return rc;
}

/* The node of height `height` that holds leaves from index << height on: whole,
 * or up to the tree's end. */
static enum err node_root (struct view *view, unsigned height, uint64_t index,
                           struct hash *out, struct error *e) {
    if (index >= view->size >> height) {
        struct tree tree = { 0 };
        uint64_t base = index << height;
        enum err rc = grow_from (&tree, base, view->size - base, view, e);
        if (!rc)
            *out = tree_root (&tree);
        return rc;
    }
    unsigned level = height / TILE_HEIGHT;
    if (level >= TREE_LEVELS)
        level = TREE_LEVELS - 1;
    height -= TILE_HEIGHT * level;
    assert (height <= TILE_HEIGHT); /* size is below 2^57 */
    uint64_t first = index << height;
    size_t count = (size_t) 1 << height;
    if (view->count == 0 || view->level != level || first < view->first
        || first + count > view->first + view->count) {
        /* The rest of the tile too: the path's next nodes stand in it. */
        uint64_t tile = first & ~(uint64_t) (TREE_TILE - 1);
        uint64_t there = (view->size >> TILE_HEIGHT * level) - tile;
        size_t most = there < TREE_TILE ? (size_t) there : TREE_TILE;
        enum err rc = view_read (view, level, tile, most, e);
        if (rc)
            return rc;
    }
    *out = tree_root_of (view->hashes + (first - view->first), count);
    return ERR_NONE;
}

/* The siblings of a node and of those above it. Where the right edge has no
 * sibling the node stands for itself higher up. */
static enum err node_path (struct view *view, unsigned height, uint64_t index,
                           struct hash *out, size_t *length, struct error *e) {
    uint64_t last = (view->size - 1) >> height;
    for (; last > 0; last >>= 1, index >>= 1, height++) {
        if ((index ^ 1) > last)
            continue;
        enum err rc = node_root (view, height, index ^ 1, &out[*length], e);
        if (rc)
            return rc;
        ++*length;
    }
    return ERR_NONE;
}

enum err tree_inclusion (const struct tree_source *source, uint64_t index,
                         uint64_t size, struct hash out[TREE_PATH_MAX],
                         size_t *length, struct error *e) {
    assert (index < size);
    struct view view;
    view_start (&view, source, size);
    *length = 0;
    return node_path (&view, 0, index, out, length, e);
}

/* The largest full subtree that ends where the older tree does. It is the older
 * tree itself where its index is 0: then the proof leaves it away. */
static unsigned older_node (uint64_t older, uint64_t *index) {
    unsigned height = (unsigned) __builtin_ctzll (older);
    *index = (older >> height) - 1;
    return height;
}

enum err tree_consistency (const struct tree_source *source, uint64_t older,
                           uint64_t size, struct hash out[TREE_PATH_MAX],
                           size_t *length, struct error *e) {
    assert (older > 0 && older <= size);
    struct view view;
    uint64_t index;
    unsigned height = older_node (older, &index);
    *length = 0;
    if (older == size)
        return ERR_NONE;
    view_start (&view, source, size);
    if (index > 0) {
        enum err rc = node_root (&view, height, index, &out[0], e);
        if (rc)
            return rc;
        *length = 1;
    }
    return node_path (&view, height, index, out, length, e);
}

static size_t consistency_length (uint64_t older, uint64_t size) {
    uint64_t index;
    unsigned height = older_node (older, &index);
    size_t n = index > 0;
    for (uint64_t last = (size - 1) >> height; last > 0; last >>= 1) {
        n += (index ^ 1) <= last;
        index >>= 1;
    }
    return n;
}

static enum err compare (const struct hash *found, const struct hash *wanted,
                         uint64_t size, struct error *e) {
    char a[HASH_TEXT_MAX], b[HASH_TEXT_MAX];
    if (hash_equal (found, wanted))
        return ERR_NONE;
    return error_set (e, ERR_DIGEST,
                      "consistency: of size %" PRIu64 " the root is %s, not %s",
                      size, hash_text (a, found), hash_text (b, wanted));
}

enum err tree_consistency_check (uint64_t older, const struct hash *older_root,
                                 uint64_t size, const struct hash *root,
                                 const struct hash *proof, size_t length,
                                 struct error *e) {
    if (older == 0 || older > size)
        return error_set (e, ERR_MALFORMED,
                          "consistency: from size %" PRIu64 " to %" PRIu64,
                          older, size);
    size_t wanted = older == size ? 0 : consistency_length (older, size);
    if (length != wanted)
        return error_set (e, ERR_MALFORMED, "consistency: %zu nodes, not %zu",
                          length, wanted);
    if (older == size)
        return compare (older_root, root, size, e);
    uint64_t index;
    unsigned height = older_node (older, &index);
    uint64_t last = (size - 1) >> height;
    struct hash small = index > 0 ? *proof++ : *older_root, large = small;
    for (; last > 0; last >>= 1, index >>= 1) {
        if (index & 1) {
            small = hash_node (proof, &small);
            large = hash_node (proof++, &large);
        } else if (index < last)
            large = hash_node (&large, proof++);
    }
    enum err rc = compare (&small, older_root, older, e);
    return rc ? rc : compare (&large, root, size, e);
}

/* Covers. */

/* The height of the largest subtree that begins at `at` and ends by `to`. */
static unsigned cover_height (uint64_t at, uint64_t to) {
    unsigned fits = 63 - (unsigned) __builtin_clzll (to - at);
    unsigned aligned = at ? (unsigned) __builtin_ctzll (at) : 63;
    return aligned < fits ? aligned : fits;
}

size_t tree_cover_length (uint64_t from, uint64_t to) {
    size_t n = 0;
    for (; from < to; n++)
        from += UINT64_C (1) << cover_height (from, to);
    return n;
}

enum err tree_cover (const struct tree_source *source, uint64_t from,
                     uint64_t to, struct hash out[TREE_COVER_MAX],
                     size_t *length, struct error *e) {
    struct view view;
    view_start (&view, source, to);
    *length = 0;
    /* What stands below `from` need not be there: no tile is read whole. */
    while (from < to) {
        unsigned level;
        uint64_t first;
        size_t count;
        next_run (from, to, &level, &first, &count);
        enum err rc = view_read (&view, level, first, count, e);
        if (rc)
            return rc;
        for (uint64_t at = first; at < first + count;) {
            size_t width = (size_t) 1 << cover_height (at, first + count);
            assert (*length < TREE_COVER_MAX);
            out[(*length)++] = tree_root_of (view.hashes + (at - first), width);
            at += width;
        }
        from += (uint64_t) count << TILE_HEIGHT * level;
    }
    return ERR_NONE;
}

enum err tree_add_cover (struct tree *self, uint64_t to,
                         const struct hash *cover, size_t length,
                         struct error *e) {
    if (to < self->size || length != tree_cover_length (self->size, to))
        return error_set (e, ERR_MALFORMED,
                          "a cover of %zu nodes from %" PRIu64 " to %" PRIu64,
                          length, self->size, to);
    for (size_t i = 0; i < length; i++)
        tree_add_full (self, cover_height (self->size, to), &cover[i]);
    return ERR_NONE;
}
