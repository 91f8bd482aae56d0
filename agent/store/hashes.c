/* hashes - trees as rows of tiles. Stored hash n of level l is the root over
 * leaves [n * 256^l, (n + 1) * 256^l); tile t holds those from 256 t on. A tree
 * that grows writes its last tiles anew, and no others (PROTOCOL.md sections
 * 7.4 and 7.5).
 *
 * What a cover stands for is not there: zeros, which are no SHA-256 of anything
 * known, hold its places in a tile, and its nodes have a table of their own. */
#include "hashes.h"

#include "base/mp.h"
#include "store_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* A row's number: 15 bits of tree, 3 of level, 45 of tile. */
#define TREES_MAX 32767
#define LEVEL_BITS 48
#define TILE_BITS 45

static const struct hash absent;

static int64_t tile_key (int64_t tree, unsigned level, uint64_t tile) {
    return tree << LEVEL_BITS | (int64_t) level << TILE_BITS | (int64_t) tile;
}

/* Trees */

/* *number: 0 where there is none. */
static enum err tree_find (struct store *self, const char *name,
                           int64_t *number, struct tree *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT tree, size, stack FROM trees WHERE name = ?");
    bind_text (s, 1, slice_text (name));
    *number = 0;
    out->size = 0;
    enum err rc = store_row (self, s, "tree", e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    *number = sqlite3_column_int64 (s, 0);
    out->size = (uint64_t) sqlite3_column_int64 (s, 1);
    struct slice stack = column_slice (s, 2);
    size_t nodes = (size_t) __builtin_popcountll (out->size);
    bool whole = stack.size == nodes * HASH_SIZE;
    if (whole && nodes > 0)
        memcpy (out->stack, stack.data, stack.size);
    sqlite3_reset (s);
    return whole ? ERR_NONE
                 : error_set (e, ERR_DAMAGED,
                              "store: tree '%s' has %zu octets of nodes", name,
                              stack.size);
}

static enum err tree_make (struct store *self, const char *name,
                           int64_t *number, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO trees (name, size, stack) VALUES (?, 0, x'')");
    bind_text (s, 1, slice_text (name));
    enum err rc = store_done (self, s, "tree", e);
    *number = sqlite3_last_insert_rowid (self->db);
    if (!rc && *number > TREES_MAX)
        rc = error_set (e, ERR_LIMIT, "%" PRId64 " trees, at most %d", *number,
                        TREES_MAX);
    return rc;
}

static enum err tree_save (struct store *self, int64_t number,
                           const struct tree *tree, struct error *e) {
    size_t nodes = (size_t) __builtin_popcountll (tree->size);
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE trees SET size = ?, stack = ? WHERE tree = ?");
    sqlite3_bind_int64 (s, 1, (int64_t) tree->size);
    bind_slice (s, 2, slice_of (tree->stack, nodes * HASH_SIZE));
    sqlite3_bind_int64 (s, 3, number);
    return store_done (self, s, "tree", e);
}

/* Tiles */

/* Hashes [first, first + count) of one tile, as far as they are there; what is
 * behind the tile's end reads as absent. */
static enum err tile_read (struct store *self, int64_t tree, unsigned level,
                           uint64_t first, size_t count, struct hash *out,
                           struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT hashes FROM tiles WHERE tile = ?");
    sqlite3_bind_int64 (s, 1, tile_key (tree, level, first / TREE_TILE));
    memset (out, 0, count * sizeof *out);
    enum err rc = store_row (self, s, "tile", e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    struct slice octets = column_slice (s, 0);
    size_t at = (size_t) (first % TREE_TILE) * HASH_SIZE;
    size_t size = count * HASH_SIZE;
    if (at < octets.size)
        memcpy (out, octets.data + at,
                octets.size - at < size ? octets.size - at : size);
    sqlite3_reset (s);
    return ERR_NONE;
}

/* The last tile of a level, while the tree grows. */
struct tile {
    bool open, changed;
    uint64_t number;
    size_t count;
    struct hash hashes[TREE_TILE];
};
struct writer {
    struct store *store;
    int64_t number;
    struct tree tree;
    struct tile tiles[TREE_LEVELS];
};

static enum err tile_write (struct writer *self, unsigned level,
                            struct error *e) {
    struct tile *tile = &self->tiles[level];
    if (!tile->changed)
        return ERR_NONE;
    sqlite3_stmt *s = store_prepare (
        self->store, "INSERT INTO tiles (tile, hashes) VALUES (?, ?)"
                     " ON CONFLICT (tile) DO UPDATE SET"
                     " hashes = excluded.hashes");
    sqlite3_bind_int64 (s, 1, tile_key (self->number, level, tile->number));
    bind_slice (s, 2, slice_of (tile->hashes, tile->count * HASH_SIZE));
    tile->changed = false;
    return store_done (self->store, s, "tile", e);
}

static enum err tile_open (struct writer *self, unsigned level, uint64_t number,
                           struct error *e) {
    struct tile *tile = &self->tiles[level];
    if (tile->open && tile->number == number)
        return ERR_NONE;
    enum err rc = tile_write (self, level, e);
    if (!rc)
        rc = tile_read (self->store, self->number, level, number * TREE_TILE,
                        TREE_TILE, tile->hashes, e);
    tile->open = true;
    tile->number = number;
    tile->count = 0;
    return rc;
}

/* Hash `index` of a level, which is the last one there. */
static enum err put (struct writer *self, unsigned level, uint64_t index,
                     const struct hash *hash, struct error *e) {
    size_t at = (size_t) (index % TREE_TILE);
    enum err rc = tile_open (self, level, index / TREE_TILE, e);
    struct tile *tile = &self->tiles[level];
    tile->hashes[at] = *hash;
    tile->count = at + 1;
    tile->changed = true;
    return rc;
}

/* As tree_add_levels, for any full subtree: each root that stands on a level is
 * put there, before it is joined with what is left of it. */
static enum err grow (struct writer *self, unsigned height,
                      const struct hash *root, struct error *e) {
    struct tree *tree = &self->tree;
    size_t n = (size_t) __builtin_popcountll (tree->size);
    struct hash node = *root;
    enum err rc = ERR_NONE;
    unsigned at = height;
    for (;; at++) {
        if (at % 8 == 0 && at / 8 < TREE_LEVELS)
            rc = put (self, at / 8, tree->size >> at, &node, e);
        if (rc || !(tree->size >> at & 1))
            break;
        node = hash_node (&tree->stack[--n], &node);
    }
    tree->stack[n] = node;
    tree->size += UINT64_C (1) << height;
    return rc;
}

static enum err writer_open (struct store *store, const char *name,
                             struct writer **out, struct error *e) {
    struct writer *self = *out = mem_alloc (sizeof *self);
    self->store = store;
    enum err rc = tree_find (store, name, &self->number, &self->tree, e);
    if (!rc && self->number == 0)
        rc = tree_make (store, name, &self->number, e);
    return rc;
}

static enum err writer_close (struct writer *self, enum err rc,
                              struct error *e) {
    for (unsigned level = 0; !rc && level < TREE_LEVELS; level++)
        rc = tile_write (self, level, e);
    if (!rc)
        rc = tree_save (self->store, self->number, &self->tree, e);
    free (self);
    return rc;
}

/* Growing */

enum err hashes_add (struct store *self, const char *name,
                     const struct hash *leaves, size_t count, struct error *e) {
    struct writer *writer;
    enum err rc = writer_open (self, name, &writer, e);
    for (size_t i = 0; !rc && i < count; i++)
        rc = grow (writer, 0, &leaves[i], e);
    return writer_close (writer, rc, e);
}

static enum err cover_keep (struct writer *self, unsigned height,
                            const struct hash *node, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self->store, "INSERT INTO covers (tree, height, number, hash)"
                     " VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                     " hash = excluded.hash");
    sqlite3_bind_int64 (s, 1, self->number);
    sqlite3_bind_int (s, 2, (int) height);
    sqlite3_bind_int64 (s, 3, (int64_t) (self->tree.size >> height));
    bind_hash (s, 4, node);
    return store_done (self->store, s, "cover", e);
}

/* The largest subtree that begins at `from` and ends at or before `to`. */
static unsigned step (uint64_t from, uint64_t to) {
    unsigned height = 63 - (unsigned) __builtin_clzll (to - from);
    unsigned aligned = from ? (unsigned) __builtin_ctzll (from) : height;
    return aligned < height ? aligned : height;
}

static enum err add_cover (struct writer *self, uint64_t to,
                           const struct hash *cover, size_t length,
                           struct error *e) {
    uint64_t from = self->tree.size;
    if (to <= from || to > (uint64_t) NUMBER_MAX
        || length != tree_cover_length (from, to))
        return error_set (e, ERR_MALFORMED,
                          "a cover of %zu hashes for records %" PRIu64
                          " to %" PRIu64,
                          length, from, to);
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < length; i++) {
        unsigned height = step (self->tree.size, to);
        /* Those on a level are found there. */
        if (height % 8 != 0)
            rc = cover_keep (self, height, &cover[i], e);
        if (!rc)
            rc = grow (self, height, &cover[i], e);
    }
    return rc;
}

enum err hashes_add_cover (struct store *self, const char *name, uint64_t to,
                           const struct hash *cover, size_t length,
                           struct error *e) {
    struct writer *writer;
    enum err rc = writer_open (self, name, &writer, e);
    if (!rc)
        rc = add_cover (writer, to, cover, length, e);
    return writer_close (writer, rc, e);
}

/* Reading */

static enum err covered (struct error *e, const char *name, uint64_t index) {
    return error_set (e, ERR_STATE,
                      "record %" PRIu64 " of tree '%s' is within a cover",
                      index, name);
}

static enum err cover_find (struct store *self, int64_t tree, unsigned height,
                            uint64_t number, struct hash *out,
                            struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT hash FROM covers WHERE tree = ? AND height = ?"
              " AND number = ?");
    sqlite3_bind_int64 (s, 1, tree);
    sqlite3_bind_int (s, 2, (int) height);
    sqlite3_bind_int64 (s, 3, (int64_t) number);
    enum err rc = store_row (self, s, "cover", e);
    if (rc)
        return rc;
    *out = column_hash (s, 0);
    sqlite3_reset (s);
    return ERR_NONE;
}

static bool all_there (const struct hash *hashes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (hash_equal (&hashes[i], &absent))
            return false;
    return true;
}

/* The root of full subtree `number` of a height, all of it in the tree: from
 * the level below, from a cover, or from its halves. What is within a node of a
 * cover shows at the first leaf that is asked for: 64 steps at most, and no
 * half is entered twice but for those that a cover ends in. */
static enum err subtree (struct store *self, int64_t tree, const char *name,
                         unsigned height, uint64_t number, struct hash *out,
                         struct error *e) {
    struct hash part[TREE_TILE / 2];
    unsigned above = height % 8;
    enum err rc = tile_read (self, tree, height / 8, number << above,
                             (size_t) 1 << above, part, e);
    if (rc)
        return rc;
    if (all_there (part, (size_t) 1 << above)) {
        *out = tree_root_of (part, (size_t) 1 << above);
        return ERR_NONE;
    }
    rc =
        above ? cover_find (self, tree, height, number, out, e) : ERR_NOT_FOUND;
    if (rc != ERR_NOT_FOUND)
        return rc;
    if (height == 0)
        return covered (e, name, number);
    struct hash left, right;
    rc = subtree (self, tree, name, height - 1, 2 * number, &left, e);
    if (!rc)
        rc = subtree (self, tree, name, height - 1, 2 * number + 1, &right, e);
    if (!rc)
        *out = hash_node (&left, &right);
    return rc;
}

/* Its first `size` records as a tree. */
static enum err tree_below (struct store *self, int64_t number,
                            const char *name, uint64_t size, struct tree *out,
                            struct error *e) {
    enum err rc = ERR_NONE;
    out->size = 0;
    while (!rc && out->size < size) {
        struct hash root;
        unsigned height = step (out->size, size);
        rc =
            subtree (self, number, name, height, out->size >> height, &root, e);
        if (!rc)
            tree_add_full (out, height, &root);
    }
    return rc;
}

enum err hashes_tree (struct store *self, const char *name, struct tree *out,
                      struct error *e) {
    int64_t number;
    return tree_find (self, name, &number, out, e);
}

static enum err too_few (struct error *e, const char *name,
                         const struct tree *tree, uint64_t wanted) {
    return error_set (e, ERR_NOT_FOUND,
                      "tree '%s' has %" PRIu64 " records, not %" PRIu64, name,
                      tree->size, wanted);
}

enum err hashes_tree_at (struct store *self, const char *name, uint64_t size,
                         struct tree *out, struct error *e) {
    int64_t number;
    enum err rc = tree_find (self, name, &number, out, e);
    if (!rc && size > out->size)
        rc = too_few (e, name, out, size);
    if (!rc && size < out->size)
        rc = tree_below (self, number, name, size, out, e);
    return rc;
}

enum err hashes_root (struct store *self, const char *name, uint64_t size,
                      struct hash *root, struct error *e) {
    struct tree tree;
    enum err rc = hashes_tree_at (self, name, size, &tree, e);
    if (!rc)
        *root = tree_root (&tree);
    return rc;
}

static enum err read_hashes (void *arg, unsigned level, uint64_t first,
                             size_t count, struct hash *out, struct error *e) {
    const struct hashes_source *self = arg;
    int64_t number;
    struct tree tree;
    assert (level < TREE_LEVELS && count > 0
            && first % TREE_TILE + count <= TREE_TILE);
    enum err rc = tree_find (self->store, self->name, &number, &tree, e);
    if (!rc && first + count > tree.size >> 8 * level)
        rc = too_few (e, self->name, &tree, (first + count) << 8 * level);
    if (!rc)
        rc = tile_read (self->store, number, level, first, count, out, e);
    if (!rc && !all_there (out, count))
        rc = covered (e, self->name, first << 8 * level);
    return rc;
}

enum err hashes_leaf (struct store *self, const char *name, uint64_t index,
                      struct hash *leaf, struct error *e) {
    return hashes_leaves (self, name, index, 1, leaf, e);
}

enum err hashes_leaves (struct store *self, const char *name, uint64_t first,
                        size_t count, struct hash *out, struct error *e) {
    struct hashes_source source = { self, name };
    enum err rc = ERR_NONE;
    while (!rc && count > 0) {
        size_t room = (size_t) (TREE_TILE - first % TREE_TILE);
        size_t now = count < room ? count : room;
        rc = read_hashes (&source, 0, first, now, out, e);
        first += now;
        out += now;
        count -= now;
    }
    return rc;
}

struct tree_source hashes_source (struct hashes_source *self,
                                  struct store *store, const char *name) {
    *self = (struct hashes_source){ store, name };
    return (struct tree_source){ self, read_hashes };
}

/* Cutting */

static enum err tiles_cut (struct writer *self, unsigned level, uint64_t size,
                           struct error *e) {
    uint64_t kept = size >> 8 * level;
    struct tile *tile = &self->tiles[level];
    enum err rc = tile_open (self, level, kept / TREE_TILE, e);
    tile->count = (size_t) (kept % TREE_TILE);
    tile->changed = tile->count > 0;
    if (rc)
        return rc;
    sqlite3_stmt *s =
        store_prepare (self->store, "DELETE FROM tiles WHERE tile >= ?"
                                    " AND tile < ?");
    sqlite3_bind_int64 (s, 1, tile_key (self->number, level, kept / TREE_TILE));
    sqlite3_bind_int64 (s, 2, tile_key (self->number, level + 1, 0));
    return store_done (self->store, s, "tile", e);
}

static enum err cut (struct writer *self, const char *name, uint64_t size,
                     struct error *e) {
    struct tree kept;
    if (size > self->tree.size)
        return too_few (e, name, &self->tree, size);
    enum err rc = tree_below (self->store, self->number, name, size, &kept, e);
    for (unsigned level = 0; !rc && level < TREE_LEVELS; level++)
        rc = tiles_cut (self, level, size, e);
    if (rc)
        return rc;
    self->tree = kept;
    sqlite3_stmt *s =
        store_prepare (self->store, "DELETE FROM covers WHERE tree = ?"
                                    " AND (number + 1) << height > ?");
    sqlite3_bind_int64 (s, 1, self->number);
    sqlite3_bind_int64 (s, 2, (int64_t) size);
    return store_done (self->store, s, "cover", e);
}

enum err hashes_cut (struct store *self, const char *name, uint64_t size,
                     struct error *e) {
    struct writer *writer;
    enum err rc = writer_open (self, name, &writer, e);
    if (!rc)
        rc = cut (writer, name, size, e);
    return writer_close (writer, rc, e);
}
