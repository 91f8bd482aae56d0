/* streams - trees over streams, in order of number. */
#include "streams.h"

#include "hashes.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdlib.h>

#define CHUNK 1024 /* leaves that waited, at once */

/* Leaves */

/* How far the tree reaches. */
static enum err tree_end (struct store *self, const char *stream, int64_t *end,
                          struct error *e) {
    struct tree tree;
    enum err rc = hashes_tree (self, stream, &tree, e);
    *end = rc ? 0 : (int64_t) tree.size;
    return rc;
}

static enum err leaf_wait (struct store *self, const char *stream,
                           int64_t number, const struct hash *leaf,
                           struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self,
        "INSERT INTO stream_leaves (stream, number, leaf) VALUES (?, ?, ?)");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, number);
    bind_hash (s, 3, leaf);
    return store_done (self, s, "stream's leaf", e);
}

static enum err place_add (struct store *self, const char *stream,
                           int64_t first, int64_t last, int64_t sequence,
                           struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO stream_places (stream, sequence, first, last)"
              " VALUES (?, ?, ?, ?)");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, sequence);
    sqlite3_bind_int64 (s, 3, first);
    sqlite3_bind_int64 (s, 4, last);
    return store_done (self, s, "stream's place", e);
}

/* Of the records from index `skip` on. */
static struct hash *leaves_of (const struct block *block, size_t skip) {
    struct hash *out = mem_alloc ((block->count - skip) * sizeof *out);
    struct block_walk walk;
    block_walk (block, &walk);
    while (block_next (&walk))
        if (walk.index >= skip)
            out[walk.index - skip] = record_leaf (walk.record);
    return out;
}

enum err streams_add (struct store *self, const char *stream, int64_t first,
                      int64_t upto, const struct block *block,
                      struct error *e) {
    int64_t end, last = first + (int64_t) block->count - 1;
    if (last <= upto)
        return ERR_NONE;
    size_t skip = (size_t) (upto - first + 1), count = block->count - skip;
    enum err rc = tree_end (self, stream, &end, e);
    if (!rc)
        rc = place_add (self, stream, upto + 1, last,
                        block->first_sequence + (int64_t) block->count - 1, e);
    if (rc)
        return rc;
    struct hash *leaves = leaves_of (block, skip);
    if (end == upto)
        rc = hashes_add (self, stream, leaves, count, e);
    for (size_t i = 0; !rc && end != upto && i < count; i++)
        rc = leaf_wait (self, stream, upto + 1 + (int64_t) i, &leaves[i], e);
    free (leaves);
    return rc;
}

/* Hidden numbers */

static enum err span_add (struct store *self, const char *stream, int64_t first,
                          int64_t last, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self,
        "INSERT INTO stream_spans (stream, first, last) VALUES (?, ?, ?)");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, first);
    sqlite3_bind_int64 (s, 3, last);
    return store_done (self, s, "stream's span", e);
}

enum err streams_hide (struct store *self, const char *stream, int64_t first,
                       int64_t last, struct error *e) {
    /* Neighbours of one fetch after the other are one span. */
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE stream_spans SET last = ?3"
              " WHERE stream = ?1 AND last = ?2 - 1 AND covered = 0");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, first);
    sqlite3_bind_int64 (s, 3, last);
    enum err rc = store_done (self, s, "stream's span", e);
    if (rc || sqlite3_changes (self->db) > 0)
        return rc;
    return span_add (self, stream, first, last, e);
}

static enum err span_read (struct store *self, sqlite3_stmt *s,
                           struct stream_span *out, struct error *e) {
    enum err rc = store_row (self, s, "stream's spans", e);
    if (rc)
        return rc;
    *out = (struct stream_span){ sqlite3_column_int64 (s, 0),
                                 sqlite3_column_int64 (s, 1),
                                 sqlite3_column_int (s, 2) != 0 };
    sqlite3_reset (s);
    return ERR_NONE;
}

enum err streams_hidden (struct store *self, const char *stream, int64_t after,
                         struct stream_span *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT first, last, covered FROM stream_spans"
              " WHERE stream = ? AND first > ? ORDER BY first LIMIT 1");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, after);
    return span_read (self, s, out, e);
}

enum err streams_wanted (struct store *self, const char *stream,
                         struct stream_span *out, struct error *e) {
    int64_t end;
    enum err rc = tree_end (self, stream, &end, e);
    if (!rc)
        rc = streams_hidden (self, stream, end, out, e);
    return !rc && out->first != end + 1 ? ERR_NOT_FOUND : rc;
}

/* The leaves that follow `end` without a hole, at most CHUNK. */
static enum err waiting_read (struct store *self, const char *stream,
                              int64_t end, struct hash *leaves, size_t *count,
                              struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT number, leaf FROM stream_leaves"
              " WHERE stream = ? AND number > ? ORDER BY number");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, end);
    enum err rc = ERR_NONE;
    for (*count = 0; *count < CHUNK; leaves++, ++*count) {
        rc = store_row (self, s, "stream's leaves", e);
        if (rc || sqlite3_column_int64 (s, 0) != end + 1 + (int64_t) *count)
            break;
        *leaves = column_hash (s, 1);
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err waiting_drop (struct store *self, const char *stream,
                              int64_t end, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "DELETE FROM stream_leaves WHERE stream = ? AND number <= ?");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, end);
    return store_done (self, s, "stream's leaves", e);
}

static enum err waiting_add (struct store *self, const char *stream,
                             int64_t end, struct error *e) {
    struct hash *leaves = mem_alloc (CHUNK * sizeof *leaves);
    size_t count = CHUNK;
    enum err rc = ERR_NONE;
    while (!rc && count == CHUNK) {
        rc = waiting_read (self, stream, end, leaves, &count, e);
        if (!rc && count > 0)
            rc = hashes_add (self, stream, leaves, count, e);
        end += (int64_t) count;
    }
    free (leaves);
    return rc ? rc : waiting_drop (self, stream, end, e);
}

enum err streams_cover (struct store *self, const char *stream,
                        const struct stream_span *span,
                        const struct hash *cover, size_t length,
                        struct error *e) {
    enum err rc = hashes_add_cover (self, stream, (uint64_t) span->last, cover,
                                    length, e);
    if (rc)
        return rc;
    sqlite3_stmt *s = store_prepare (self, "UPDATE stream_spans SET covered = 1"
                                           " WHERE stream = ? AND first = ?");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, span->first);
    rc = store_done (self, s, "stream's span", e);
    return rc ? rc : waiting_add (self, stream, span->last, e);
}

/* Once more */

/* Leaves of numbers [first, last], which are in the tree, wait again. */
static enum err waiting_return (struct store *self, const char *stream,
                                int64_t first, int64_t last, struct error *e) {
    struct hash *leaves = mem_alloc (CHUNK * sizeof *leaves);
    enum err rc = ERR_NONE;
    while (!rc && first <= last) {
        int64_t count = last - first + 1 < CHUNK ? last - first + 1 : CHUNK;
        rc = hashes_leaves (self, stream, (uint64_t) first - 1, (size_t) count,
                            leaves, e);
        for (int64_t i = 0; !rc && i < count; i++)
            rc = leaf_wait (self, stream, first + i, &leaves[i], e);
        first += count;
    }
    free (leaves);
    return rc;
}

static enum err spans_uncover (struct store *self, const char *stream,
                               int64_t first, struct error *e) {
    sqlite3_stmt *s = store_prepare (self, "UPDATE stream_spans SET covered = 0"
                                           " WHERE stream = ? AND first >= ?");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, first);
    return store_done (self, s, "stream's spans", e);
}

/* The tree goes back to before this span, which is covered. */
static enum err uncover_from (struct store *self, const char *stream,
                              struct stream_span span, struct error *e) {
    struct stream_span next;
    int64_t end, first = span.first;
    enum err rc = tree_end (self, stream, &end, e);
    while (!rc && span.last < end) {
        rc = streams_hidden (self, stream, span.first, &next, e);
        if (rc == ERR_NOT_FOUND || (!rc && next.first > end))
            next = (struct stream_span){ end + 1, end };
        else if (rc)
            return rc;
        rc = waiting_return (self, stream, span.last + 1, next.first - 1, e);
        span = next;
    }
    if (!rc)
        rc = hashes_cut (self, stream, (uint64_t) first - 1, e);
    return rc ? rc : spans_uncover (self, stream, first, e);
}

enum err streams_uncover (struct store *self, const char *stream, bool *some,
                          struct error *e) {
    struct stream_span span;
    enum err rc = streams_hidden (self, stream, 0, &span, e);
    *some = !rc && span.covered;
    if (rc || !span.covered)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    return uncover_from (self, stream, span, e);
}

/* Up to `number`, and behind it. */
static enum err span_cut (struct store *self, const char *stream,
                          const struct stream_span *span, int64_t number,
                          struct error *e) {
    sqlite3_stmt *s = store_prepare (self, "UPDATE stream_spans SET last = ?"
                                           " WHERE stream = ? AND first = ?");
    sqlite3_bind_int64 (s, 1, number);
    bind_text (s, 2, slice_text (stream));
    sqlite3_bind_int64 (s, 3, span->first);
    enum err rc = store_done (self, s, "stream's span", e);
    return rc ? rc : span_add (self, stream, number + 1, span->last, e);
}

enum err streams_cut (struct store *self, const char *stream, int64_t number,
                      struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT first, last, covered FROM stream_spans"
              " WHERE stream = ?1 AND first <= ?2 AND last > ?2");
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, number);
    struct stream_span span;
    enum err rc = span_read (self, s, &span, e);
    if (!rc && span.covered)
        rc = uncover_from (self, stream, span, e);
    return rc ? rc : span_cut (self, stream, &span, number, e);
}

/* Places */

static enum err place_read (struct store *self, sqlite3_stmt *s,
                            const char *stream, int64_t sequence,
                            struct stream_place *out, struct error *e) {
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, sequence);
    enum err rc = store_row (self, s, "stream's places", e);
    if (rc)
        return rc;
    *out = (struct stream_place){ sqlite3_column_int64 (s, 0),
                                  sqlite3_column_int64 (s, 1),
                                  sqlite3_column_int64 (s, 2) };
    sqlite3_reset (s);
    return ERR_NONE;
}

enum err streams_below (struct store *self, const char *stream,
                        int64_t sequence, struct stream_place *out,
                        struct error *e) {
    return place_read (
        self,
        store_prepare (self, "SELECT first, last, sequence FROM stream_places"
                             " WHERE stream = ? AND sequence < ?"
                             " ORDER BY sequence DESC LIMIT 1"),
        stream, sequence, out, e);
}

enum err streams_above (struct store *self, const char *stream,
                        int64_t sequence, struct stream_place *out,
                        struct error *e) {
    return place_read (
        self,
        store_prepare (self, "SELECT first, last, sequence FROM stream_places"
                             " WHERE stream = ? AND sequence > ?"
                             " ORDER BY sequence LIMIT 1"),
        stream, sequence, out, e);
}
