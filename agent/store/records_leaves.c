/* records_leaves - what the index says of records without reading them. */
#include "records.h"

#include "store_impl.h"

enum err records_leaves (struct store *self, int64_t from, int64_t to,
                         int limit,
                         enum err (*each) (void *arg, int64_t sequence,
                                           const struct hash *leaf,
                                           struct error *e),
                         void *arg, int64_t *next, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT sequence, leaf FROM records WHERE sequence >= ?"
              " AND sequence < ? ORDER BY sequence LIMIT ?");
    sqlite3_bind_int64 (s, 1, from);
    sqlite3_bind_int64 (s, 2, to);
    sqlite3_bind_int (s, 3, limit);
    enum err rc = ERR_NONE;
    int count = 0;
    *next = from;
    while (!rc && (rc = store_row (self, s, "records", e)) == ERR_NONE) {
        struct hash leaf = column_hash (s, 1);
        *next = sqlite3_column_int64 (s, 0) + 1;
        count++;
        rc = each (arg, *next - 1, &leaf, e);
    }
    sqlite3_reset (s);
    if (rc != ERR_NOT_FOUND)
        return rc;
    if (count < limit)
        *next = to;
    return ERR_NONE;
}

enum err records_times (struct store *self, int64_t from, int limit,
                        enum err (*each) (void *arg, int64_t first,
                                          int64_t second, struct error *e),
                        void *arg, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT before, sequence FROM (SELECT sequence, log_time,"
              " LAG (sequence) OVER w AS before, LAG (log_time) OVER w AS time"
              " FROM records WHERE sequence >= IFNULL ((SELECT MAX (sequence)"
              " FROM records WHERE sequence < ?1), 0) WINDOW w AS"
              " (ORDER BY sequence)) WHERE time > log_time LIMIT ?2");
    sqlite3_bind_int64 (s, 1, from);
    sqlite3_bind_int (s, 2, limit);
    enum err rc = ERR_NONE;
    while (!rc && (rc = store_row (self, s, "records", e)) == ERR_NONE)
        rc = each (arg, sqlite3_column_int64 (s, 0),
                   sqlite3_column_int64 (s, 1), e);
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

bool records_held (struct store *self, int64_t sequence) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT 1 FROM records WHERE sequence = ?");
    sqlite3_bind_int64 (s, 1, sequence);
    bool held = sqlite3_step (s) == SQLITE_ROW;
    sqlite3_reset (s);
    return held;
}

int64_t records_mark_below (struct store *self, int64_t size,
                            int64_t *log_time) {
    /* `$log` arrives in order, so its rows end with the newest. */
    sqlite3_stmt *s = store_prepare (
        self, "SELECT sequence, log_time FROM records"
              " WHERE channel = '$log' AND type = ? AND sequence < ?"
              " ORDER BY position DESC LIMIT 1");
    struct error e;
    sqlite3_bind_int (s, 1, RECORD_MARK);
    sqlite3_bind_int64 (s, 2, size);
    if (store_row (self, s, "records", &e))
        return -1;
    int64_t sequence = sqlite3_column_int64 (s, 0);
    *log_time = sqlite3_column_int64 (s, 1);
    sqlite3_reset (s);
    return sequence;
}
