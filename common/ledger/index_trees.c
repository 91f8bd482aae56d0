/* index_trees - the Merkle trees over the ledger and over each stream: the
 * roots of full subtrees in memory, the levels above the leaves as tables.
 *
 * A level's rows are as many as the tree has full subtrees of its size, so its
 * numbers follow from the tree's. Leaves of the ledger's tree are `leaves`, a
 * stream's are found there by its rows. */
#include "ledger/index_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* Rows of levels[i] in a tree of that size. */
static int64_t level_rows (int64_t leaves, size_t i) {
    return leaves >> 8 * (i + 1);
}

void stored_init (struct stored *self, const char *path, uint64_t generation) {
    self->tree.size = 0;
    for (size_t i = 0; i < TREE_LEVELS - 1; i++) {
        struct buf name = { 0 };
        buf_add_format (&name, "%s.%zu", path, i + 1);
        table_init (&self->levels[i], buf_take_text (&name), LEAF_ROW,
                    generation);
    }
}

void stored_free (struct stored *self) {
    for (size_t i = 0; i < TREE_LEVELS - 1; i++)
        table_free (&self->levels[i]);
}

enum err stored_resume (struct stored *self, int64_t size,
                        const struct tree_source *source, struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < TREE_LEVELS - 1; i++)
        rc = table_resume (&self->levels[i], level_rows (size, i), e);
    return rc ? rc : tree_grow (&self->tree, (uint64_t) size, source, e);
}

/* Writing. */

struct adding {
    struct stored *self;
    struct buf *done;
};

static void level_done (void *arg, unsigned level, const struct hash *root) {
    struct adding *adding = arg;
    struct stored_row row = { &adding->self->levels[level - 1], *root };
    buf_add (adding->done, &row, sizeof row);
}

void stored_add (struct stored *self, const struct hash *leaves, size_t count,
                 struct buf *done) {
    struct adding adding = { self, done };
    for (size_t i = 0; i < count; i++)
        tree_add_levels (&self->tree, &leaves[i], level_done, &adding);
}

void stored_flush (struct buf *done) {
    for (size_t at = 0; at < done->size; at += sizeof (struct stored_row)) {
        struct stored_row row;
        memcpy (&row, done->data + at, sizeof row);
        table_add (row.table, row.root.octets);
    }
    buf_clear (done);
}

void stored_show (struct stored *self, int64_t leaves) {
    for (size_t i = 0; i < TREE_LEVELS - 1 && level_rows (leaves, i) > 0; i++)
        self->levels[i].shown = level_rows (leaves, i);
}

enum err stored_write (struct stored *self, bool *made, struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < TREE_LEVELS - 1; i++)
        rc = table_write (&self->levels[i], made, e);
    return rc;
}

void stored_written (struct stored *self) {
    for (size_t i = 0; i < TREE_LEVELS - 1; i++)
        table_written (&self->levels[i]);
}

const struct tree *index_tree (const struct index *self) {
    return &self->tree.tree;
}

const struct tree *index_stream_tree (const struct index *self,
                                      const char *stream) {
    static const struct tree none; /* its size is 0 */
    const struct stream *found = stream_find (self, slice_text (stream));
    return found ? &found->tree.tree : &none;
}

/* Reading. */

static enum err read_level (const struct index *self,
                            const struct stored *stored, unsigned level,
                            uint64_t first, size_t count, struct hash *out,
                            struct error *e) {
    struct table_run run = { (int64_t) first, (int64_t) count };
    if (level >= TREE_LEVELS || first > INT64_MAX)
        return error_set (e, ERR_NOT_FOUND, "no level %u at %" PRIu64, level,
                          first);
    const struct table *table =
        level == 0 ? &self->leaves : &stored->levels[level - 1];
    return table_take_runs (table, self->lock, &run, 1, HASH_SIZE, out->octets,
                            e);
}

static enum err read_ledger (void *arg, unsigned level, uint64_t first,
                             size_t count, struct hash *out, struct error *e) {
    const struct index *self = ((struct index_source *) arg)->index;
    return read_level (self, &self->tree, level, first, count, out, e);
}

static enum err read_stream (void *arg, unsigned level, uint64_t first,
                             size_t count, struct hash *out, struct error *e) {
    const struct index_source *from = arg;
    if (level == 0)
        return stream_leaves (from->index, from->stream, first, count, out, e);
    int64_t last;
    const struct stream *found = stream_seen (from->index, from->stream, &last);
    if (!found)
        return error_set (e, ERR_NOT_FOUND, "no stream '%s'", from->stream);
    return read_level (from->index, &found->tree, level, first, count, out, e);
}

struct tree_source index_source (struct index_source *self,
                                 const struct index *index,
                                 const char *stream) {
    *self = (struct index_source){ .index = index, .ledger = stream == NULL };
    if (!stream)
        return (struct tree_source){ self, read_ledger };
    size_t size = strlen (stream);
    /* A longer name is no stream's, and neither is the empty one that stays. */
    if (size < sizeof self->stream)
        memcpy (self->stream, stream, size);
    return (struct tree_source){ self, read_stream };
}
