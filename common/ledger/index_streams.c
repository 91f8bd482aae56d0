/* index_streams - the index's tables of streams. Streams are never taken away,
 * so a reader may keep a pointer to one beyond the lock. */
#include "ledger/index_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* Where `name` is, or has to be. */
static size_t stream_place (const struct index *self, struct slice name,
                            bool *there) {
    size_t lo = 0, hi = self->count;
    *there = false;
    while (lo < hi && !*there) {
        size_t middle = lo + (hi - lo) / 2;
        const char *other = self->streams[middle]->name;
        size_t size = strlen (other);
        int order =
            memcmp (name.data, other, name.size < size ? name.size : size);
        if (order == 0)
            order = (name.size > size) - (name.size < size);
        *there = order == 0;
        if (order > 0)
            lo = middle + 1;
        else
            hi = middle;
    }
    return hi;
}

struct stream *stream_find (const struct index *self, struct slice name) {
    bool there;
    size_t place = stream_place (self, name, &there);
    return there ? self->streams[place] : NULL;
}

bool stream_name_valid (struct slice name) {
    if (name.size > 0 && name.data[0] == '@')
        return entity_valid (slice_of (name.data + 1, name.size - 1));
    return channel_name_valid (name) || slice_is (name, CHANNEL_LOG);
}

static struct stream *stream_new (const struct index *self, struct slice name) {
    struct stream *stream = mem_alloc (sizeof *stream);
    memcpy (stream->name, name.data, name.size);
    char *path = index_path (self, "stream-", name);
    stored_init (&stream->tree, path, self->generation);
    table_init (&stream->table, path, STREAM_ROW, self->generation);
    return stream;
}

void stream_free (struct stream **self_p) {
    table_free (&(*self_p)->table);
    stored_free (&(*self_p)->tree);
    free (*self_p);
    *self_p = NULL;
}

struct stream *stream_get (struct index *self, struct slice name) {
    bool there;
    size_t place = stream_place (self, name, &there);
    if (there)
        return self->streams[place];
    struct stream *stream = stream_new (self, name);
    pthread_mutex_lock (self->lock);
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        size_t octets = self->room * sizeof (struct stream *);
        self->streams = mem_resize (self->streams, octets);
        self->changed = mem_resize (self->changed, octets);
    }
    memmove (self->streams + place + 1, self->streams + place,
             (self->count - place) * sizeof (struct stream *));
    self->streams[place] = stream;
    self->count++;
    pthread_mutex_unlock (self->lock);
    return stream;
}

/* Resuming. */

/* Does its last row end where the stream does? */
static enum err check_end (struct index *self, const struct stream *stream,
                           struct error *e) {
    struct index_entry entry;
    int64_t first;
    enum err rc =
        index_of_stream (self, stream->name, stream->last, &entry, &first, e);
    if (!rc && first + entry.count - 1 != stream->last)
        rc = error_set (e, ERR_DAMAGED,
                        "stream %s ends with %" PRId64 ", and its blocks "
                        "with %" PRId64,
                        stream->name, stream->last, first + entry.count - 1);
    return rc;
}

enum err stream_resume (struct index *self, struct slice name, int64_t rows,
                        int64_t last, struct error *e) {
    if (!stream_name_valid (name) || rows < 1 || last < rows
        || stream_find (self, name))
        return error_set (e, ERR_DAMAGED, "counts of a stream that can't be");
    struct stream *stream = stream_get (self, name);
    stream->last = stream->last_shown = last;
    enum err rc = table_resume (&stream->table, rows, e);
    return rc ? rc : check_end (self, stream, e);
}

enum err stream_resume_tree (struct index *self, struct stream *stream,
                             struct error *e) {
    struct index_source from;
    struct tree_source source = index_source (&from, self, stream->name);
    return stored_resume (&stream->tree, stream->last, &source, e);
}

/* Writing. */

void stream_add_row (struct index *self, struct stream *stream,
                     const struct block *block, int64_t row) {
    uint8_t octets[STREAM_ROW];
    put_u64 (octets + STREAM_FIRST, (uint64_t) stream->last + 1);
    put_u64 (octets + STREAM_BLOCK, (uint64_t) row);
    put_u64 (octets + STREAM_SEQUENCE, (uint64_t) block->first_sequence);
    table_add (&stream->table, octets);
    stream->last += (int64_t) block->count;
    if (!stream->changed)
        self->changed[self->changed_count++] = stream;
    stream->changed = true;
}

/* Reading. */

struct stream *stream_seen (const struct index *self, const char *name,
                            int64_t *last) {
    pthread_mutex_lock (self->lock);
    struct stream *stream = stream_find (self, slice_text (name));
    *last = stream ? stream->last_shown : 0;
    pthread_mutex_unlock (self->lock);
    return stream;
}

static enum err block_of_row (const struct index *self,
                              const uint8_t *stream_row,
                              struct index_entry *out, struct error *e) {
    uint8_t row[TABLE_ROW_MAX];
    enum err rc =
        table_get (&self->blocks, self->lock,
                   (int64_t) get_u64 (stream_row + STREAM_BLOCK), row, e);
    if (!rc)
        index_entry_read (row, out);
    return rc;
}

enum err index_of_stream (const struct index *self, const char *stream,
                          int64_t number, struct index_entry *out,
                          int64_t *first, struct error *e) {
    int64_t last, n;
    struct stream *found = stream_seen (self, stream, &last);
    if (number < 1 || number > last)
        return error_set (e, ERR_NOT_FOUND,
                          "no number %" PRId64 " in stream '%s', its last is "
                          "%" PRId64,
                          number, stream, last);
    uint8_t row[TABLE_ROW_MAX];
    enum err rc = table_find (&found->table, self->lock, STREAM_FIRST, number,
                              &n, row, e);
    if (rc)
        return rc;
    *first = (int64_t) get_u64 (row + STREAM_FIRST);
    return block_of_row (self, row, out, e);
}

int64_t index_stream_last (const struct index *self, const char *stream) {
    int64_t last;
    stream_seen (self, stream, &last);
    return last;
}

enum err index_stream_below (const struct index *self, const char *stream,
                             int64_t sequence, int64_t *count, int64_t *last,
                             struct error *e) {
    *count = 0;
    *last = -1;
    int64_t shown, n = -1;
    struct stream *found = stream_seen (self, stream, &shown);
    uint8_t row[TABLE_ROW_MAX];
    struct index_entry entry;
    enum err rc = ERR_NONE;
    if (found)
        rc = table_find (&found->table, self->lock, STREAM_SEQUENCE,
                         sequence > 0 ? sequence - 1 : -1, &n, row, e);
    if (rc || n < 0)
        return rc;
    rc = block_of_row (self, row, &entry, e);
    if (rc)
        return rc;
    int64_t below = sequence - entry.first_sequence;
    if (below > entry.count)
        below = entry.count;
    *count = (int64_t) get_u64 (row + STREAM_FIRST) - 1 + below;
    *last = entry.first_sequence + below - 1;
    return ERR_NONE;
}

/* Where records [from, from + count) of the stream stand among the leaves, by
 * rows without their checksums of which the first holds `from`. Runs that touch
 * are one. Returns how many; 0: the rows do not ascend. */
static size_t runs_of (struct slice rows, int64_t from, int64_t count,
                       struct table_run runs[TREE_TILE]) {
    const uint8_t *row = rows.data, *end = rows.data + rows.size;
    size_t n = 0;
    for (; count > 0 && row < end; row += STREAM_KEPT) {
        const uint8_t *next = row + STREAM_KEPT;
        int64_t here = count;
        if (next < end)
            here = (int64_t) get_u64 (next + STREAM_FIRST) - 1 - from;
        here = here < count ? here : count;
        int64_t skip = from + 1 - (int64_t) get_u64 (row + STREAM_FIRST);
        int64_t at = (int64_t) get_u64 (row + STREAM_SEQUENCE) + skip;
        if (here <= 0 || skip < 0)
            return 0;
        if (n > 0 && runs[n - 1].from + runs[n - 1].count == at)
            runs[n - 1].count += here;
        else
            runs[n++] = (struct table_run){ at, here };
        from += here;
        count -= here;
    }
    return n;
}

enum err stream_leaves (const struct index *self, const char *name,
                        uint64_t from, size_t count, struct hash *out,
                        struct error *e) {
    int64_t last, row;
    struct stream *found = stream_seen (self, name, &last);
    if (from > (uint64_t) last || count > (uint64_t) last - from)
        return error_set (e, ERR_NOT_FOUND,
                          "no records %" PRIu64 " to %" PRIu64 " in stream "
                          "'%s', its last is %" PRId64,
                          from + 1, from + count, name, last);
    uint8_t octets[TABLE_ROW_MAX];
    struct buf rows = { 0 };
    enum err rc = table_find (&found->table, self->lock, STREAM_FIRST,
                              (int64_t) from + 1, &row, octets, e);
    /* A row has a record at least. */
    if (!rc)
        rc = table_take (&found->table, self->lock, row, (int64_t) count,
                         STREAM_KEPT, &rows, e);
    struct table_run runs[TREE_TILE];
    size_t n = 0;
    if (!rc)
        n = runs_of (buf_slice (&rows), (int64_t) from, (int64_t) count, runs);
    if (!rc && n == 0)
        rc = error_set (e, ERR_DAMAGED, "stream '%s' has no record %" PRIu64,
                        name, from + 1);
    if (!rc)
        rc = table_take_runs (&self->leaves, self->lock, runs, n, HASH_SIZE,
                              out->octets, e);
    buf_free (&rows);
    return rc;
}
