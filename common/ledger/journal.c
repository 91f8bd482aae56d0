/* journal - one appender, many readers (DESIGN section 7).
 *
 * The order at a roll, and what a crash leaves after each step:
 *   1. the old segment is synced once more, for its last group's header: the
 *      new segment states its size. After: nothing has changed.
 *   2. index_sync. After: rows behind those that the newest snapshot counts.
 *      They are written over.
 *   3. the snapshot, at the sequence that the new segment will begin with.
 *      After: it is used, and nothing stands behind its place; appends go on in
 *      the old segment, until the next roll.
 *   4. the new segment appears, with its header and the folder synced. After:
 *      it is the last one, and empty.
 *   5. snapshots but the newest two are removed. After: some more are there.
 * A segment is made under another name and gets its own when it is synced
 * (segment_create), so no crash leaves one whose header is torn: such a file
 * is damage, and refused. What is made for it and never named stays as
 * "NAME.seg.XXXXXX", which nobody reads. */
#include "ledger/journal.h"
#include "ledger/journal_impl.h"

#include <inttypes.h>
#include <stdlib.h>

char *journal_path (const char *dir, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", dir, name);
    return buf_take_text (&path);
}

/* Founding. */

static enum err check_new (const char *journal_dir, struct error *e) {
    int64_t *found;
    size_t count;
    enum err rc = journal_list (journal_dir, ".seg", &found, &count, e);
    if (rc)
        return rc;
    free (found);
    return count == 0 ? ERR_NONE
                      : error_set (e, ERR_EXISTS, "'%s' holds a ledger already",
                                   journal_dir);
}

/* The segment comes last: without it there is no ledger, and the next try goes
 * on where this one ended. */
enum err journal_create (const char *dir, const struct hash *dialogue,
                         struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    char *journal_dir = journal_path (dir, "journal");
    char *index_dir = journal_path (dir, "index");
    struct segment_header header = { .dialogue = *dialogue, .first_group = 1 };
    enum err rc = disk_make_dir (journal_dir, e);
    if (!rc)
        rc = check_new (journal_dir, e);
    if (!rc)
        rc = disk_make_dir (index_dir, e);
    if (!rc) {
        struct segment *segment = segment_create (journal_dir, &header, e);
        rc = segment ? ERR_NONE : e->code;
        segment_close (&segment);
    }
    free (journal_dir);
    free (index_dir);
    return rc;
}

void journal_close (struct journal **self_p) {
    struct journal *self = *self_p;
    if (!self)
        return;
    segment_close (&self->segment);
    index_close (&self->index);
    journal_files_destroy (&self->files);
    free (self->journal_dir);
    free (self->index_dir);
    free (self);
    *self_p = NULL;
}

/* Appending. */

static enum err check_group (const struct journal *self,
                             const struct journal_block *blocks, size_t count,
                             struct error *e) {
    if (self->failed)
        return error_set (e, ERR_STATE,
                          "a write to the journal failed before: its end is "
                          "not known until the next start");
    if (count == 0)
        return error_set (e, ERR_ARGUMENT, "a group without blocks");
    size_t octets = 0;
    for (size_t i = 0; i < count; i++)
        octets += blocks[i].octets.size;
    if (octets > GROUP_OCTETS_MAX)
        return error_set (e, ERR_LIMIT, "a group of %zu octets, at most %d",
                          octets, GROUP_OCTETS_MAX);
    return ERR_NONE;
}

/* A view without a second look, where the caller has looked already. */
static enum err view_block (const struct journal_block *in, struct block *out,
                            struct block_facts *facts, struct error *e) {
    *facts = in->facts;
    if (facts->channel.data && in->leaves && in->octets.size >= BLOCK_HEADER) {
        *out = (struct block){
            .octets = in->octets,
            .count = get_u16 (in->octets.data + 10),
            .first_sequence = (int64_t) get_u64 (in->octets.data + 16),
        };
        return ERR_NONE;
    }
    enum err rc = block_read (in->octets, out, e);
    return rc ? rc : block_check (out, facts, e);
}

static enum err add_to_index (struct journal *self,
                              const struct journal_block *blocks, size_t count,
                              struct error *e) {
    uint64_t at = segment_octets (self->segment);
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < count; i++) {
        struct block block;
        struct block_facts facts;
        rc = view_block (&blocks[i], &block, &facts, e);
        if (!rc)
            rc = index_add (self->index, &block, &facts, self->segment_first,
                            at, blocks[i].leaves, e);
        at += blocks[i].octets.size;
    }
    return rc;
}

static enum err write_group (struct journal *self,
                             const struct journal_block *blocks, size_t count,
                             struct error *e) {
    struct slice *octets = mem_alloc (count * sizeof *octets);
    for (size_t i = 0; i < count; i++)
        octets[i] = blocks[i].octets;
    enum err rc = segment_write (self->segment, octets, count, NULL, e);
    free (octets);
    return rc;
}

/* The index first: it refuses what does not follow, and readers see nothing of
 * it before index_show. */
enum err journal_write (struct journal *self,
                        const struct journal_block *blocks, size_t count,
                        struct error *e) {
    enum err rc = check_group (self, blocks, count, e);
    if (rc)
        return rc;
    rc = add_to_index (self, blocks, count, e);
    if (!rc)
        rc = write_group (self, blocks, count, e);
    self->failed = rc != ERR_NONE;
    return rc;
}

enum err journal_commit (struct journal *self, struct error *e) {
    enum err rc = segment_commit (self->segment, e);
    if (!rc)
        index_show (self->index);
    self->failed = rc != ERR_NONE;
    return rc;
}

enum err journal_append (struct journal *self,
                         const struct journal_block *blocks, size_t count,
                         struct error *e) {
    enum err rc = journal_write (self, blocks, count, e);
    return rc ? rc : journal_commit (self, e);
}

/* Rolling. */

bool journal_wants_roll (const struct journal *self) {
    return segment_octets (self->segment) > self->segment_octets;
}

static enum err write_snapshot (struct journal *self, struct slice state,
                                struct error *e) {
    struct snapshot snapshot = { .sequence = index_size (self->index),
                                 .state = state };
    struct buf leaf = { 0 }, counts = { 0 };
    enum err rc = ERR_NONE;
    if (snapshot.sequence > 0)
        rc = index_leaves (self->index, snapshot.sequence - 1, 1, &leaf, e);
    if (leaf.size == HASH_SIZE)
        memcpy (snapshot.last.octets, leaf.data, HASH_SIZE);
    index_counts (self->index, &counts);
    snapshot.counts = buf_slice (&counts);
    if (!rc)
        rc = snapshot_write (self->index_dir, &self->dialogue, &snapshot, e);
    buf_free (&leaf);
    buf_free (&counts);
    return rc;
}

static enum err next_segment (struct journal *self, struct error *e) {
    struct segment_header header = {
        .dialogue = self->dialogue,
        .first_sequence = index_size (self->index),
        .first_group = segment_group (self->segment),
        .octets_before = segment_octets (self->segment),
    };
    struct segment *next = segment_create (self->journal_dir, &header, e);
    if (!next)
        return e->code;
    segment_close (&self->segment);
    self->segment = next;
    self->segment_first = header.first_sequence;
    return ERR_NONE;
}

enum err journal_roll (struct journal *self, struct slice snapshot,
                       struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    if (self->failed)
        return error_set (e, ERR_STATE, "a write to the journal failed before");
    enum err rc = segment_sync (self->segment, e);
    if (!rc)
        rc = index_sync (self->index, e);
    if (!rc)
        rc = write_snapshot (self, snapshot, e);
    if (!rc && index_size (self->index) > self->segment_first)
        rc = next_segment (self, e);
    if (!rc)
        rc = snapshot_prune (self->index_dir, JOURNAL_SNAPSHOTS, e);
    self->failed = rc != ERR_NONE;
    return rc;
}

/* Reading. */

int64_t journal_size (const struct journal *self) {
    return index_size (self->index);
}

enum err journal_read (struct journal *self, int64_t sequence, struct buf *out,
                       struct error *e) {
    struct block block;
    return journal_read_block (self, sequence, out, &block, e);
}

enum err journal_read_block (struct journal *self, int64_t sequence,
                             struct buf *out, struct block *block,
                             struct error *e) {
    buf_clear (out);
    struct index_entry entry;
    enum err rc = index_of_sequence (self->index, sequence, &entry, e);
    return rc ? rc : journal_files_block (self->files, &entry, out, block, e);
}

enum err journal_read_stream (struct journal *self, const char *stream,
                              int64_t number, struct buf *out, int64_t *first,
                              struct error *e) {
    buf_clear (out);
    struct index_entry entry;
    struct block block;
    enum err rc =
        index_of_stream (self->index, stream, number, &entry, first, e);
    return rc ? rc : journal_files_block (self->files, &entry, out, &block, e);
}

enum err journal_find (const struct journal *self, int64_t sequence,
                       struct index_entry *out, struct error *e) {
    return index_of_sequence (self->index, sequence, out, e);
}

enum err journal_find_stream (const struct journal *self, const char *stream,
                              int64_t number, struct index_entry *out,
                              int64_t *first, struct error *e) {
    return index_of_stream (self->index, stream, number, out, first, e);
}

int64_t journal_stream_last (const struct journal *self, const char *stream) {
    return index_stream_last (self->index, stream);
}

/* The block's first record at or after `ms`; its place and time stand in each
 * record of every format. */
static enum err find_time (const struct block *block, int64_t ms, int64_t *out,
                           struct error *e) {
    struct block_walk w;
    block_walk (block, &w);
    while (block_next (&w)) {
        struct record record;
        enum err rc = record_read (w.record, &record, e);
        if (rc && rc != ERR_NEWER)
            return rc;
        *out = record.sequence;
        if (record.log_time >= ms)
            return ERR_NONE;
    }
    return error_set (e, ERR_DAMAGED,
                      "no record at or after %" PRId64 " in the block of "
                      "%" PRId64 ", where the index has one",
                      ms, block->first_sequence);
}

enum err journal_sequence_at (struct journal *self, int64_t ms, int64_t *out,
                              struct error *e) {
    struct index_entry entry;
    struct block block;
    struct buf octets = { 0 };
    *out = index_size (self->index); /* before the search: what comes during
                                        it is later */
    enum err rc = index_of_time (self->index, ms, &entry, e);
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    if (!rc)
        rc = journal_files_block (self->files, &entry, &octets, &block, e);
    if (!rc)
        rc = find_time (&block, ms, out, e);
    buf_free (&octets);
    return rc;
}

enum err journal_leaves (struct journal *self, int64_t from, int64_t count,
                         struct buf *out, struct error *e) {
    return index_leaves (self->index, from, count, out, e);
}

const struct tree *journal_tree (const struct journal *self) {
    return index_tree (self->index);
}

const struct tree *journal_stream_tree (const struct journal *self,
                                        const char *stream) {
    return index_stream_tree (self->index, stream);
}

struct tree_source journal_source (struct index_source *source,
                                   const struct journal *self,
                                   const char *stream) {
    return index_source (source, self->index, stream);
}

enum err journal_stream_below (const struct journal *self, const char *stream,
                               int64_t sequence, int64_t *count, int64_t *last,
                               struct error *e) {
    return index_stream_below (self->index, stream, sequence, count, last, e);
}
