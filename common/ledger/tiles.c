/* tiles - C2SP tlog-tiles as files. All levels are made from the leaves once
 * more, so that nothing which is stored above them is believed. Before anything
 * is written they have to give the checkpoint's root: what is there once is
 * never written again. */
#include "ledger/tiles.h"

#include "base/disk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTRY_OCTETS_MAX 65535 /* what u16 can say */
#define BUNDLE_OCTETS_MAX (TREE_TILE * (2 + ENTRY_OCTETS_MAX))

void tiles_path (int level, uint64_t n, unsigned width,
                 char out[TILES_PATH_MAX]) {
    assert (width >= 1 && width <= TREE_TILE);
    char groups[40] = "", partial[8] = "";
    uint64_t step = 1; /* of the highest group that n has */
    while (n / step >= 1000)
        step *= 1000;
    for (size_t at = 0; step > 1; step /= 1000)
        at += (size_t) snprintf (groups + at, sizeof groups - at, "x%03u/",
                                 (unsigned) (n / step % 1000));
    if (width < TREE_TILE)
        snprintf (partial, sizeof partial, ".p/%u", width);
    if (level < 0)
        snprintf (out, TILES_PATH_MAX, "tile/entries/%s%03u%s", groups,
                  (unsigned) (n % 1000), partial);
    else
        snprintf (out, TILES_PATH_MAX, "tile/%d/%s%03u%s", level, groups,
                  (unsigned) (n % 1000), partial);
}

/* The folders above a file, one by one. */
static enum err make_folders (const char *dir, const char *path,
                              struct error *e) {
    enum err rc = disk_make_dir (dir, e);
    for (const char *at = path; !rc && (at = strchr (at, '/')) != NULL; at++) {
        struct buf folder = { 0 };
        buf_add_format (&folder, "%s/%.*s", dir, (int) (at - path), path);
        char *text = buf_take_text (&folder);
        rc = disk_make_dir (text, e);
        free (text);
    }
    return rc;
}

/* *made: it was not there. One that is has to be the same. */
static enum err put_file (const char *dir, const char *path, struct slice want,
                          bool *made, struct error *e) {
    struct buf name = { 0 }, there = { 0 };
    buf_add_format (&name, "%s/%s", dir, path);
    char *full = buf_take_text (&name);
    enum err rc = disk_read_file (full, BUNDLE_OCTETS_MAX, &there, e);
    *made = rc == ERR_NOT_FOUND;
    if (!rc && !slice_equal (buf_slice (&there), want))
        rc = error_set (e, ERR_DIGEST, "'%s' is of another ledger", full);
    if (*made)
        rc = disk_write_file (full, want, false, e);
    if (*made && rc == ERR_NOT_FOUND) {
        rc = make_folders (dir, path, e);
        if (!rc)
            rc = disk_write_file (full, want, false, e);
    }
    buf_free (&there);
    free (full);
    return rc;
}

struct export {
    const char *dir;
    const struct tree_source *source;
    struct tree tree; /* of the leaves so far */
    struct {
        struct hash hashes[TREE_TILE];
        size_t count;
        uint64_t n; /* of the tile that they begin */
    } levels[TREE_LEVELS];
    bool writing;
    int64_t files;
    enum err failed; /* sticky */
    struct error *e;
};

/* The tile that a level holds, which begins the next one. */
static void put_tile (struct export *self, unsigned level) {
    char path[TILES_PATH_MAX];
    size_t count = self->levels[level].count;
    bool made = false;
    tiles_path ((int) level, self->levels[level].n, (unsigned) count, path);
    if (self->writing && !self->failed)
        self->failed =
            put_file (self->dir, path,
                      slice_of (self->levels[level].hashes, count * HASH_SIZE),
                      &made, self->e);
    self->files += made;
    self->levels[level].count = 0;
    self->levels[level].n++;
}

static void level_done (void *arg, unsigned level, const struct hash *root) {
    struct export *self = arg;
    self->levels[level].hashes[self->levels[level].count++] = *root;
    if (self->levels[level].count == TREE_TILE)
        put_tile (self, level);
}

/* The whole tree once; what is left on each level at the end is partial. */
static enum err walk (struct export *self, uint64_t size) {
    self->tree.size = 0;
    for (unsigned level = 0; level < TREE_LEVELS; level++)
        self->levels[level].count = self->levels[level].n = 0;
    while (!self->failed && self->tree.size < size) {
        uint64_t left = size - self->tree.size;
        size_t count = left < TREE_TILE ? (size_t) left : TREE_TILE;
        struct hash *leaves = self->levels[0].hashes;
        self->failed = self->source->read (
            self->source->arg, 0, self->tree.size, count, leaves, self->e);
        for (size_t i = 0; !self->failed && i < count; i++)
            tree_add_levels (&self->tree, &leaves[i], level_done, self);
        self->levels[0].count = count;
        put_tile (self, 0);
    }
    for (unsigned level = 1; level < TREE_LEVELS; level++)
        if (self->levels[level].count > 0)
            put_tile (self, level);
    return self->failed;
}

static enum err walk_to (struct export *self, const struct checkpoint *cp) {
    enum err rc = walk (self, (uint64_t) cp->size);
    if (rc)
        return rc;
    struct hash root = tree_root (&self->tree);
    if (hash_equal (&root, &cp->root))
        return ERR_NONE;
    char text[HASH_TEXT_MAX];
    return error_set (self->e, ERR_DIGEST,
                      "the checkpoint of %" PRId64 " records has another root "
                      "than the records here: %s",
                      cp->size, hash_text (text, &root));
}

enum err tiles_export (const char *dir, const struct tree_source *source,
                       const struct checkpoint *cp, struct slice note,
                       int64_t *files, struct error *e) {
    struct error own;
    struct export *self = mem_alloc (sizeof *self);
    *self = (struct export){ .dir = dir, .source = source, .e = e ? e : &own };
    enum err rc = walk_to (self, cp);
    self->writing = true;
    if (!rc)
        rc = walk_to (self, cp);
    if (!rc)
        rc = make_folders (dir, "", self->e);
    struct buf path = { 0 };
    buf_add_format (&path, "%s/checkpoint", dir);
    char *text = buf_take_text (&path);
    if (!rc)
        rc = disk_write_file (text, note, true, self->e);
    *files = self->files;
    free (text);
    free (self);
    return rc;
}

enum err tiles_entries (const char *dir, uint64_t n,
                        const struct slice *records, size_t count,
                        struct error *e) {
    struct error own;
    e = e ? e : &own;
    assert (count >= 1 && count <= TREE_TILE);
    struct buf octets = { 0 };
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < count; i++) {
        if (records[i].size > ENTRY_OCTETS_MAX)
            rc = error_set (e, ERR_LIMIT, "a record of %zu octets, over %d",
                            records[i].size, ENTRY_OCTETS_MAX);
        buf_add_u16 (&octets, (uint16_t) records[i].size);
        buf_add_slice (&octets, records[i]);
    }
    char path[TILES_PATH_MAX];
    bool made;
    tiles_path (-1, n, (unsigned) count, path);
    if (!rc)
        rc = put_file (dir, path, buf_slice (&octets), &made, e);
    buf_free (&octets);
    return rc;
}
