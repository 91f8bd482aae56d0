/* index - blocks, leaves, streams and the levels of trees as tables
 * (index_table.h). The writer adds rows under the lock and reads its own numbers
 * without it; nobody else changes anything. */
#include "ledger/index_impl.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

char *index_path (const struct index *self, const char *prefix,
                  struct slice name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", self->dir, prefix);
    buf_add_slice (&path, name);
    return buf_take_text (&path);
}

/* The streams that carry a channel: itself, or "@ENTITY" for each that an
 * ad-hoc one names. */
struct names {
    char text[ADHOC_ENTITIES_MAX][CHANNEL_NAME_MAX + 1];
    size_t count;
};

static enum err streams_of (struct slice channel, struct names *out,
                            struct error *e) {
    *out = (struct names){ 0 };
    if (!channel_is_adhoc (channel)) {
        if (!stream_name_valid (channel))
            return error_set (e, ERR_MALFORMED, "'%.*s' is no channel",
                              (int) channel.size, (const char *) channel.data);
        memcpy (out->text[out->count++], channel.data, channel.size);
        return ERR_NONE;
    }
    enum err rc = channel_adhoc_check (channel, e);
    while (!rc && out->count < ADHOC_ENTITIES_MAX) {
        struct slice one = channel_adhoc_entity (channel, out->count);
        if (one.size == 0)
            break;
        char *text = out->text[out->count++];
        text[0] = '@';
        memcpy (text + 1, one.data, one.size);
    }
    return rc;
}

/* Counts: generation, rows of blocks and leaves, greatest time, number of
 * streams; for each its name's size and name, rows, last number. */

void index_counts (const struct index *self, struct buf *out) {
    buf_add_u64 (out, self->generation);
    buf_add_u64 (out, (uint64_t) table_rows (&self->blocks));
    buf_add_u64 (out, (uint64_t) table_rows (&self->leaves));
    buf_add_u64 (out, (uint64_t) self->time_max);
    buf_add_u32 (out, (uint32_t) self->count);
    for (size_t i = 0; i < self->count; i++) {
        const struct stream *stream = self->streams[i];
        buf_add_u8 (out, (uint8_t) strlen (stream->name));
        buf_add_text (out, stream->name);
        buf_add_u64 (out, (uint64_t) table_rows (&stream->table));
        buf_add_u64 (out, (uint64_t) stream->last);
    }
}

struct counts {
    struct slice left;
    bool bad;
};

static struct slice take (struct counts *in, size_t size) {
    if (in->bad || in->left.size < size) {
        in->bad = true;
        return slice_of (NULL, 0);
    }
    struct slice taken = slice_of (in->left.data, size);
    in->left = slice_of (in->left.data + size, in->left.size - size);
    return taken;
}

static int64_t take_number (struct counts *in) {
    struct slice octets = take (in, 8);
    int64_t number = octets.data ? (int64_t) get_u64 (octets.data) : 0;
    in->bad = in->bad || number < 0 || number > INT64_MAX / TABLE_ROW_MAX / 2;
    return in->bad ? 0 : number;
}

static enum err resume_stream (struct index *self, struct counts *in,
                               struct error *e) {
    struct slice size = take (in, 1);
    struct slice name = take (in, size.data ? *size.data : 0);
    int64_t rows = take_number (in), last = take_number (in);
    if (in->bad)
        return error_set (e, ERR_DAMAGED, "counts that end early");
    return stream_resume (self, name, rows, last, e);
}

static enum err resume_tables (struct index *self, struct counts *in,
                               int64_t blocks, int64_t leaves,
                               struct error *e) {
    enum err rc = table_resume (&self->blocks, blocks, e);
    if (!rc)
        rc = table_resume (&self->leaves, leaves, e);
    struct slice size = take (in, 4);
    uint32_t streams = size.data ? get_u32 (size.data) : 0;
    for (uint32_t i = 0; !rc && !in->bad && i < streams; i++)
        rc = resume_stream (self, in, e);
    if (!rc && (in->bad || in->left.size > 0))
        rc = error_set (e, ERR_DAMAGED, "counts of another size");
    return rc;
}

/* Do the blocks end where the leaves do? */
static enum err check_end (struct index *self, int64_t blocks, int64_t leaves,
                           struct error *e) {
    struct index_entry last = { 0 };
    enum err rc = ERR_NONE;
    if (blocks > 0)
        rc = index_of_sequence (self, leaves - 1, &last, e);
    if (rc)
        return rc;
    if (last.first_sequence + last.count != leaves)
        return error_set (e, ERR_DAMAGED,
                          "the index has %" PRId64 " leaves, and blocks up to "
                          "%" PRId64,
                          leaves, last.first_sequence + last.count);
    return ERR_NONE;
}

/* The trees, when all tables are there: from what is stored of them. */
static enum err resume_trees (struct index *self, int64_t leaves,
                              struct error *e) {
    struct index_source from;
    struct tree_source source = index_source (&from, self, NULL);
    enum err rc = stored_resume (&self->tree, leaves, &source, e);
    for (size_t i = 0; !rc && i < self->count; i++)
        rc = stream_resume_tree (self, self->streams[i], e);
    return rc;
}

static void init_tables (struct index *self) {
    char *blocks = index_path (self, "blocks", slice_text (""));
    char *leaves = index_path (self, "leaves", slice_text (""));
    char *tree = index_path (self, "tree", slice_text (""));
    table_init (&self->blocks, blocks, BLOCK_ROW, self->generation);
    table_init (&self->leaves, leaves, LEAF_ROW, self->generation);
    stored_init (&self->tree, tree, self->generation);
    free (tree);
}

static enum err resume (struct index *self, struct slice octets,
                        struct error *e) {
    struct counts in = { .left = octets };
    struct slice generation = take (&in, 8);
    if (generation.data)
        self->generation = get_u64 (generation.data);
    init_tables (self);
    int64_t blocks = take_number (&in), leaves = take_number (&in);
    self->time_max = take_number (&in);
    if (in.bad)
        return error_set (e, ERR_DAMAGED, "counts of %zu octets", octets.size);
    enum err rc = resume_tables (self, &in, blocks, leaves, e);
    if (!rc)
        rc = check_end (self, blocks, leaves, e);
    return rc ? rc : resume_trees (self, leaves, e);
}

struct index *index_open (const char *dir, struct slice counts,
                          struct error *e) {
    struct index *self = mem_alloc (sizeof *self);
    self->dir = mem_copy_text (dir);
    self->lock = mem_alloc (sizeof *self->lock);
    pthread_mutex_init (self->lock, NULL);
    if (counts.size == 0) {
        /* A new generation: no counts of before fit this index. */
        randombytes_buf (&self->generation, sizeof self->generation);
        init_tables (self);
    } else if (resume (self, counts, e)) {
        index_close (&self);
    }
    return self;
}

void index_close (struct index **self_p) {
    struct index *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        stream_free (&self->streams[i]);
    free (self->streams);
    free (self->changed);
    table_free (&self->blocks);
    table_free (&self->leaves);
    stored_free (&self->tree);
    buf_free (&self->done);
    pthread_mutex_destroy (self->lock);
    free (self->lock);
    free (self->dir);
    free (self);
    *self_p = NULL;
}

/* Writing. */

static enum err check_next (const struct index *self, const struct block *block,
                            const struct block_facts *facts, bool direct,
                            struct error *e) {
    int64_t next = table_rows (&self->leaves);
    if (block->first_sequence != next)
        return error_set (e, ERR_CHAIN,
                          "block of sequence %" PRId64 " where %" PRId64
                          " is next",
                          block->first_sequence, next);
    if (direct)
        return ERR_NONE;
    const struct stream *stream = stream_find (self, facts->channel);
    int64_t number = stream ? stream->last + 1 : 1;
    if (facts->first_channel_sequence != number)
        return error_set (
            e, ERR_CHAIN,
            "number %" PRId64 " of stream %.*s at sequence "
            "%" PRId64 " where %" PRId64 " is next",
            facts->first_channel_sequence, (int) facts->channel.size,
            (const char *) facts->channel.data, block->first_sequence, number);
    return ERR_NONE;
}

static void add_block_row (struct index *self, const struct block *block,
                           const struct block_facts *facts, int64_t segment,
                           uint64_t offset) {
    if (facts->last_time > self->time_max)
        self->time_max = facts->last_time;
    uint8_t row[BLOCK_ROW];
    put_u64 (row + BLOCK_FIRST, (uint64_t) block->first_sequence);
    put_u32 (row + BLOCK_COUNT, (uint32_t) block->count);
    put_u32 (row + BLOCK_SIZE, (uint32_t) block->octets.size);
    put_u64 (row + BLOCK_SEGMENT, (uint64_t) segment);
    put_u64 (row + BLOCK_OFFSET, offset);
    put_u64 (row + BLOCK_TIME, (uint64_t) facts->first_time);
    put_u64 (row + BLOCK_TIME_MAX, (uint64_t) self->time_max);
    table_add (&self->blocks, row);
}

/* The caller's to free. */
static struct hash *hash_leaves (const struct block *block) {
    struct hash *leaves = mem_alloc (block->count * sizeof *leaves);
    struct block_walk w;
    block_walk (block, &w);
    while (block_next (&w))
        leaves[w.index] = record_leaf (w.record);
    return leaves;
}

enum err index_add (struct index *self, const struct block *block,
                    const struct block_facts *facts, int64_t segment,
                    uint64_t offset, const struct hash *leaves,
                    struct error *e) {
    struct names names;
    enum err rc = streams_of (facts->channel, &names, e);
    if (!rc)
        rc = check_next (self, block, facts, channel_is_adhoc (facts->channel),
                         e);
    if (rc)
        return rc;
    struct hash *own = leaves ? NULL : hash_leaves (block);
    leaves = leaves ? leaves : own;
    struct stream *streams[ADHOC_ENTITIES_MAX];
    for (size_t i = 0; i < names.count; i++)
        streams[i] = stream_get (self, slice_text (names.text[i]));
    /* Hashing takes its time: readers need not wait for it. */
    stored_add (&self->tree, leaves, block->count, &self->done);
    for (size_t i = 0; i < names.count; i++)
        stored_add (&streams[i]->tree, leaves, block->count, &self->done);
    pthread_mutex_lock (self->lock);
    int64_t row = table_rows (&self->blocks);
    add_block_row (self, block, facts, segment, offset);
    for (size_t i = 0; i < names.count; i++)
        stream_add_row (self, streams[i], block, row);
    for (size_t i = 0; i < block->count; i++)
        table_add (&self->leaves, leaves[i].octets);
    stored_flush (&self->done);
    pthread_mutex_unlock (self->lock);
    free (own);
    return ERR_NONE;
}

void index_show (struct index *self) {
    pthread_mutex_lock (self->lock);
    self->blocks.shown = table_rows (&self->blocks);
    self->leaves.shown = table_rows (&self->leaves);
    stored_show (&self->tree, self->leaves.shown);
    for (size_t i = 0; i < self->changed_count; i++) {
        struct stream *stream = self->changed[i];
        stream->table.shown = table_rows (&stream->table);
        stream->last_shown = stream->last;
        stored_show (&stream->tree, stream->last);
        stream->changed = false;
    }
    self->changed_count = 0;
    pthread_mutex_unlock (self->lock);
}

/* Readers go on meanwhile: what is in memory stays until all is written. */
static enum err write_all (struct index *self, bool *made, struct error *e) {
    enum err rc = table_write (&self->blocks, made, e);
    if (!rc)
        rc = table_write (&self->leaves, made, e);
    if (!rc)
        rc = stored_write (&self->tree, made, e);
    for (size_t i = 0; !rc && i < self->count; i++) {
        rc = table_write (&self->streams[i]->table, made, e);
        if (!rc)
            rc = stored_write (&self->streams[i]->tree, made, e);
    }
    return rc;
}

enum err index_sync (struct index *self, struct error *e) {
    index_show (self);
    bool made = false;
    enum err rc = write_all (self, &made, e);
    if (!rc && made)
        rc = disk_sync_dir (self->dir, e);
    if (rc)
        return rc;
    pthread_mutex_lock (self->lock);
    table_written (&self->blocks);
    table_written (&self->leaves);
    stored_written (&self->tree);
    for (size_t i = 0; i < self->count; i++) {
        table_written (&self->streams[i]->table);
        stored_written (&self->streams[i]->tree);
    }
    pthread_mutex_unlock (self->lock);
    return ERR_NONE;
}

/* Reading. */

int64_t index_size (const struct index *self) {
    pthread_mutex_lock (self->lock);
    int64_t size = self->leaves.shown;
    pthread_mutex_unlock (self->lock);
    return size;
}

void index_entry_read (const uint8_t *row, struct index_entry *out) {
    *out = (struct index_entry){
        .first_sequence = (int64_t) get_u64 (row + BLOCK_FIRST),
        .count = get_u32 (row + BLOCK_COUNT),
        .octets = get_u32 (row + BLOCK_SIZE),
        .segment = (int64_t) get_u64 (row + BLOCK_SEGMENT),
        .offset = get_u64 (row + BLOCK_OFFSET),
        .first_time = (int64_t) get_u64 (row + BLOCK_TIME),
    };
}

enum err index_of_sequence (const struct index *self, int64_t sequence,
                            struct index_entry *out, struct error *e) {
    uint8_t row[TABLE_ROW_MAX];
    int64_t n;
    enum err rc = table_find (&self->blocks, self->lock, BLOCK_FIRST, sequence,
                              &n, row, e);
    if (rc)
        return rc;
    if (n >= 0)
        index_entry_read (row, out);
    if (n < 0 || sequence - out->first_sequence >= out->count)
        return error_set (e, ERR_NOT_FOUND, "no record %" PRId64, sequence);
    return ERR_NONE;
}

enum err index_of_time (const struct index *self, int64_t ms,
                        struct index_entry *out, struct error *e) {
    uint8_t row[TABLE_ROW_MAX];
    int64_t before; /* the last block that ends before `ms` */
    enum err rc = table_find (&self->blocks, self->lock, BLOCK_TIME_MAX,
                              ms > 0 ? ms - 1 : -1, &before, row, e);
    if (!rc)
        rc = table_get (&self->blocks, self->lock, before + 1, row, e);
    if (rc)
        return rc;
    /* A block shown since the search is not what was looked for. */
    if ((int64_t) get_u64 (row + BLOCK_TIME_MAX) < ms)
        return error_set (e, ERR_NOT_FOUND, "no record at %" PRId64, ms);
    index_entry_read (row, out);
    return ERR_NONE;
}

enum err index_leaves (const struct index *self, int64_t from, int64_t count,
                       struct buf *out, struct error *e) {
    if (from < 0 || count < 0)
        return error_set (e, ERR_ARGUMENT, "%" PRId64 " leaves from %" PRId64,
                          count, from);
    return table_take (&self->leaves, self->lock, from, count, HASH_SIZE, out,
                       e);
}
