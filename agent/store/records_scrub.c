/* records_scrub - blocks as the store has them, against what was noted when they
 * came. SQLite has no checksums of its own. */
#include "records.h"

#include "base/topic.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Each record that came with the block has a row: its place and its leaf. */
static enum err leaves_check (struct store *self, int64_t row,
                              const struct block *block, struct error *e) {
    struct hash leaves[BLOCK_RECORDS_MAX];
    struct block_walk w;
    block_walk (block, &w);
    while (block_next (&w))
        leaves[w.index] = record_leaf (w.record);
    sqlite3_stmt *s = store_prepare (
        self, "SELECT sequence, place, leaf FROM records WHERE sequence >= ?"
              " AND sequence < ? AND block = ?");
    sqlite3_bind_int64 (s, 1, block->first_sequence);
    sqlite3_bind_int64 (s, 2, block->first_sequence + (int64_t) block->count);
    sqlite3_bind_int64 (s, 3, row);
    enum err rc;
    while ((rc = store_row (self, s, "records", e)) == ERR_NONE) {
        int64_t sequence = sqlite3_column_int64 (s, 0);
        int64_t place = sqlite3_column_int64 (s, 1);
        struct hash leaf = column_hash (s, 2);
        if (place != sequence - block->first_sequence
            || !hash_equal (&leaf, &leaves[place])) {
            rc = error_set (e, ERR_CHAIN,
                            "record %" PRId64 " is not the one that was noted",
                            sequence);
            break;
        }
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err octets_check (struct store *self, struct slice octets,
                              const struct records_place *place,
                              struct error *e) {
    struct block block;
    enum err rc = block_read (octets, &block, e);
    if (!rc
        && (block.first_sequence != place->first
            || (int64_t) block.count != place->count))
        rc = error_set (e, ERR_CHAIN,
                        "a block of %zu records from %" PRId64 " where %" PRId64
                        " from %" PRId64 " belong",
                        block.count, block.first_sequence, place->count,
                        place->first);
    return rc ? rc : leaves_check (self, place->row, &block, e);
}

/* Where it belongs, by the rows of its records. */
static enum err channel_get (struct store *self, struct records_place *out,
                             struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT channel FROM records WHERE sequence >= ?"
                             " AND sequence < ? AND block = ? LIMIT 1");
    sqlite3_bind_int64 (s, 1, out->first);
    sqlite3_bind_int64 (s, 2, out->first + out->count);
    sqlite3_bind_int64 (s, 3, out->row);
    enum err rc = store_row (self, s, "records", e);
    if (!rc) {
        struct slice name = column_slice (s, 0);
        snprintf (out->channel, sizeof out->channel, "%.*s", (int) name.size,
                  (const char *) name.data);
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err number_get (struct store *self, struct records_place *out,
                            struct error *e) {
    int64_t last = out->first + out->count - 1;
    bool log = strcmp (out->channel, CHANNEL_LOG) == 0;
    sqlite3_stmt *s =
        log ? store_prepare (self, "SELECT count(*) FROM records"
                                   " WHERE channel = '$log' AND sequence <= ?1")
            : store_prepare (self, "SELECT last FROM stream_places"
                                   " WHERE sequence = ?1 AND stream = ?2");
    sqlite3_bind_int64 (s, 1, last);
    if (!log)
        bind_text (s, 2, slice_text (out->stream));
    enum err rc = store_row (self, s, "places", e);
    if (!rc)
        out->last_number = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err place_get (struct store *self, const char *entity,
                           struct records_place *out, struct error *e) {
    enum err rc = channel_get (self, out, e);
    if (rc)
        return rc;
    if (out->channel[0] == '@')
        snprintf (out->stream, sizeof out->stream, "@%s", entity);
    else
        snprintf (out->stream, sizeof out->stream, "%s", out->channel);
    return number_get (self, out, e);
}

enum err records_scrub (struct store *self, const char *entity, int64_t *row,
                        struct records_place *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT block, first_sequence, count, octets FROM blocks"
              " WHERE block > ? ORDER BY block LIMIT 1");
    *out = (struct records_place){ 0 };
    sqlite3_bind_int64 (s, 1, *row);
    enum err rc = store_row (self, s, "blocks", e);
    if (rc)
        return rc;
    struct slice octets = column_slice (s, 3);
    *row = out->row = sqlite3_column_int64 (s, 0);
    out->first = sqlite3_column_int64 (s, 1);
    out->count = sqlite3_column_int64 (s, 2);
    out->octets = octets.size;
    rc = octets_check (self, octets, out, e);
    sqlite3_reset (s);
    if (!rc || rc == ERR_IO || rc == ERR_NO_SPACE)
        return rc;
    struct error why;
    enum err failed = place_get (self, entity, out, &why);
    if (failed)
        *e = why;
    else
        e->code = ERR_DAMAGED;
    return failed ? failed : ERR_DAMAGED;
}

/* Bodies may be others than those that were read before. */
static enum err mended_count (struct store *self, struct error *e) {
    char fresh[32], *text = store_meta (self, STORE_MENDED);
    snprintf (fresh, sizeof fresh, "%lld",
              (text ? strtoll (text, NULL, 10) : 0) + 1);
    free (text);
    return store_set_meta (self, STORE_MENDED, fresh, e);
}

enum err records_mend (struct store *self, const struct records_place *place,
                       const struct block *block, struct error *e) {
    enum err rc = octets_check (self, block->octets, place, e);
    if (rc)
        return rc;
    sqlite3_stmt *s =
        store_prepare (self, "UPDATE blocks SET octets = ? WHERE block = ?");
    bind_slice (s, 1, block->octets);
    sqlite3_bind_int64 (s, 2, place->row);
    rc = store_done (self, s, "blocks", e);
    return rc ? rc : mended_count (self, e);
}
