/* block_cut - a part of a block as a block, and what stands for one record's
 * batch (PROTOCOL.md section 7.2). */
#include "format/batch_ids.h"
#include "format/block.h"
#include "format/tree.h"

#include <assert.h>
#include <inttypes.h>

/* What is known of a run's batch. */
struct known {
    struct block_run_view view;
    size_t indexes[BATCH_MAX]; /* of the run's records, in order */
    struct batch_ids ids;      /* whole unless the run has paths */
};

static enum err learn (const struct block *block, struct known *self,
                       struct error *e) {
    const struct block_run_view *view = &self->view;
    struct block_walk w;
    block_walk (block, &w);
    while (block_next (&w) && w.index < view->first + view->count) {
        if (w.index < view->first)
            continue;
        struct record r;
        enum err rc = record_read (w.record, &r, e);
        if (rc)
            return rc;
        if (r.batch_size == 0)
            return error_set (e, ERR_MALFORMED, "type %s in a batch",
                              record_type_name (r.type));
        if (w.index == view->first)
            batch_ids_begin (&self->ids, r.batch_size);
        struct hash id = hash_leaf (r.payload);
        rc = batch_ids_put (&self->ids, &r, &id, e);
        if (rc)
            return rc;
        self->indexes[w.index - view->first] = r.batch_index;
    }
    return view->kind == RUN_PATHS
               ? ERR_NONE
               : batch_ids_fill (&self->ids, view->hashes, e);
}

/* Hashes that the paths of the run's records [from, to) have. */
static size_t paths_length (const struct known *self, size_t from, size_t to) {
    size_t total = 0;
    for (size_t i = from; i < to; i++)
        total += tree_path_length (self->indexes[i], self->ids.size);
    return total;
}

/* Where there were paths already, the others' ids are not known. */
static enum err keep_paths (const struct known *self, size_t from, size_t to,
                            struct block_writer *writer, struct error *e) {
    const struct block_run_view *view = &self->view;
    if (paths_length (self, 0, view->count) * HASH_SIZE != view->hashes.size)
        return error_set (e, ERR_MALFORMED, "paths of %zu octets",
                          view->hashes.size);
    block_run (writer, RUN_PATHS,
               (const struct hash *) view->hashes.data
                   + paths_length (self, 0, from),
               paths_length (self, from, to));
    return ERR_NONE;
}

static void run_missing (const struct known *self, size_t from, size_t to,
                         struct block_writer *writer) {
    bool kept[BATCH_MAX] = { false };
    for (size_t i = from; i < to; i++)
        kept[self->indexes[i]] = true;
    struct hash missing[BATCH_MAX];
    size_t n = 0;
    for (size_t i = 0; i < self->ids.size; i++)
        if (!kept[i])
            missing[n++] = self->ids.ids[i];
    block_run (writer, RUN_MISSING, missing, n);
}

static void run_paths (const struct known *self, size_t from, size_t to,
                       struct block_writer *writer) {
    struct hash paths[BATCH_MAX + TREE_PATH_MAX];
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        assert (n <= BATCH_MAX); /* fewer hashes than ids are missing */
        n += tree_path (self->ids.ids, self->ids.size, self->indexes[i],
                        paths + n);
    }
    block_run (writer, RUN_PATHS, paths, n);
}

/* Of a run only its records [from, to). */
static enum err cut_run (const struct block *block,
                         const struct block_run_view *view, size_t from,
                         size_t to, struct block_writer *writer,
                         struct error *e) {
    struct known known;
    known.view = *view;
    enum err rc = learn (block, &known, e);
    if (rc)
        return rc;
    if (view->kind == RUN_PATHS)
        return keep_paths (&known, from, to, writer, e);
    size_t missing = known.ids.size - (to - from);
    if (paths_length (&known, from, to) < missing)
        run_paths (&known, from, to, writer);
    else
        run_missing (&known, from, to, writer);
    return ERR_NONE;
}

static enum err enter_run (const struct block_walk *w, size_t end,
                           struct block_writer *writer, struct error *e) {
    if (w->run < 0) {
        block_no_run (writer);
        return ERR_NONE;
    }
    struct block_run_view view;
    block_run_at (w->block, (size_t) w->run, &view);
    size_t from = w->index - view.first;
    size_t to = view.first + view.count < end ? view.count : end - view.first;
    if (to - from < view.count)
        return cut_run (w->block, &view, from, to, writer, e);
    block_run (writer, view.kind, (const struct hash *) view.hashes.data,
               view.hashes.size / HASH_SIZE);
    return ERR_NONE;
}

/* `kept` NULL: all bodies as they are. */
static enum err copy (const struct block *self, size_t from, size_t end,
                      const bool *kept, struct block_writer *writer,
                      struct error *e) {
    struct block_walk w;
    int run = -1;
    block_walk (self, &w);
    while (block_next (&w) && w.index < end) {
        if (w.index < from)
            continue;
        enum err rc = w.run == run ? ERR_NONE : enter_run (&w, end, writer, e);
        if (rc)
            return rc;
        run = w.run;
        struct slice body = slice_of (w.body.data, w.body_size);
        bool out = kept && !kept[w.index] && w.state == BODY_PRESENT;
        /* Each record left away is longer than the id that may stand for it,
         * so only what block_check refuses does not fit. */
        if (!block_add (writer, w.record, body, out ? BODY_ABSENT : w.state))
            return error_set (e, ERR_LIMIT, "the part is larger than a block");
    }
    return ERR_NONE;
}

enum err block_cut (const struct block *self, size_t from, size_t count,
                    struct block_writer *writer, struct buf *out,
                    struct error *e) {
    assert (count >= 1 && from < self->count && count <= self->count - from);
    block_begin (writer, self->first_sequence + (int64_t) from);
    enum err rc = copy (self, from, from + count, NULL, writer, e);
    if (rc)
        block_begin (writer, 0);
    else
        block_finish (writer, out);
    return rc;
}

enum err block_thin (const struct block *self, const bool *kept,
                     struct block_writer *writer, struct buf *out,
                     struct error *e) {
    block_begin (writer, self->first_sequence);
    enum err rc = copy (self, 0, self->count, kept, writer, e);
    if (rc)
        block_begin (writer, 0);
    else
        block_finish (writer, out);
    return rc;
}

enum err block_batch_path (const struct block *self, size_t index,
                           struct hash out[TREE_PATH_MAX], size_t *length,
                           struct error *e) {
    struct block_walk w;
    block_walk (self, &w);
    while (block_next (&w) && w.index < index)
        ;
    assert (w.index == index);
    if (w.run < 0)
        return error_set (e, ERR_NOT_FOUND, "record %" PRId64 " is of no batch",
                          self->first_sequence + (int64_t) index);
    struct known known;
    block_run_at (self, (size_t) w.run, &known.view);
    enum err rc = learn (self, &known, e);
    if (rc)
        return rc;
    size_t n = index - known.view.first;
    if (known.view.kind != RUN_PATHS) {
        *length =
            tree_path (known.ids.ids, known.ids.size, known.indexes[n], out);
        return ERR_NONE;
    }
    if (paths_length (&known, 0, known.view.count) * HASH_SIZE
        != known.view.hashes.size)
        return error_set (e, ERR_MALFORMED, "paths of %zu octets",
                          known.view.hashes.size);
    *length = paths_length (&known, n, n + 1);
    memcpy (out,
            known.view.hashes.data + HASH_SIZE * paths_length (&known, 0, n),
            *length * HASH_SIZE);
    return ERR_NONE;
}
