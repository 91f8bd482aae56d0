/* notices - what was noticed and must not be lost (store.h). */
#include "base/clock.h"
#include "store_impl.h"

#define EVIDENCE_MAX 16777216 /* as a file of evidence may have */
#define NOTICES_SHOWN 1000    /* more than there are */

/* *again: it was noticed before. */
static enum err notice_count (struct store *self, const char *kind,
                              const char *text, bool *again, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self,
        "UPDATE notices SET count = count + 1 WHERE kind = ? AND text = ?");
    sqlite3_bind_text (s, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text (s, 2, text, -1, SQLITE_STATIC);
    enum err rc = store_done (self, s, "notice", e);
    *again = !rc && sqlite3_changes (self->db) > 0;
    return rc;
}

static enum err notices_of (struct store *self, const char *kind,
                            int64_t *count, struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT COUNT (*) FROM notices WHERE kind = ?");
    sqlite3_bind_text (s, 1, kind, -1, SQLITE_STATIC);
    enum err rc = store_row (self, s, "notices", e);
    if (rc)
        return rc;
    *count = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return ERR_NONE;
}

static enum err notice_add (struct store *self, const char *kind, bool alarm,
                            const char *text, struct slice evidence,
                            struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO notices (time, kind, alarm, text, evidence)"
              " VALUES (?, ?, ?, ?, ?)");
    size_t size = evidence.size < EVIDENCE_MAX ? evidence.size : EVIDENCE_MAX;
    sqlite3_bind_int64 (s, 1, clock_wall_ms());
    sqlite3_bind_text (s, 2, kind, -1, SQLITE_STATIC);
    sqlite3_bind_int (s, 3, alarm);
    sqlite3_bind_text (s, 4, text, -1, SQLITE_STATIC);
    if (size > 0)
        sqlite3_bind_blob64 (s, 5, evidence.data, size, SQLITE_STATIC);
    else
        sqlite3_bind_zeroblob (s, 5, 0);
    return store_done (self, s, "notice", e);
}

enum err store_notice (struct store *self, const char *kind, bool alarm,
                       const char *text, struct slice evidence,
                       struct error *e) {
    static const char more[] = "and others of this kind, which are not kept";
    int64_t count;
    bool again;
    enum err rc = notice_count (self, kind, text, &again, e);
    if (rc || again)
        return rc;
    rc = notices_of (self, kind, &count, e);
    if (rc || count < STORE_NOTICES_A_KIND)
        return rc ? rc : notice_add (self, kind, alarm, text, evidence, e);
    rc = notice_count (self, kind, more, &again, e);
    if (rc || again)
        return rc;
    return notice_add (self, kind, alarm, more, (struct slice){ 0 }, e);
}

enum err store_told (struct store *self, const char *kind, int64_t sequence,
                     bool *before, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT OR IGNORE INTO told (kind, sequence) VALUES (?, ?)");
    sqlite3_bind_text (s, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_int64 (s, 2, sequence);
    enum err rc = store_done (self, s, "notice", e);
    *before = !rc && sqlite3_changes (self->db) == 0;
    return rc;
}

enum err store_untell (struct store *self, const char *kinds, struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "DELETE FROM told WHERE kind GLOB ?");
    sqlite3_bind_text (s, 1, kinds, -1, SQLITE_STATIC);
    return store_done (self, s, "notice", e);
}

enum err store_notices (struct store *self,
                        void (*each) (void *arg, const struct store_notice *),
                        void *arg, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT number, time, kind, alarm, text, count, acknowledged"
              " FROM notices ORDER BY alarm AND acknowledged = 0 DESC,"
              " alarm DESC, number DESC LIMIT ?");
    sqlite3_bind_int (s, 1, NOTICES_SHOWN);
    int step;
    while ((step = sqlite3_step (s)) == SQLITE_ROW) {
        struct store_notice notice = {
            .number = sqlite3_column_int64 (s, 0),
            .ms = sqlite3_column_int64 (s, 1),
            .kind = (const char *) sqlite3_column_text (s, 2),
            .alarm = sqlite3_column_int (s, 3) != 0,
            .text = (const char *) sqlite3_column_text (s, 4),
            .count = sqlite3_column_int64 (s, 5),
            .acknowledged_ms = sqlite3_column_int64 (s, 6),
        };
        each (arg, &notice);
    }
    enum err rc =
        step == SQLITE_DONE ? ERR_NONE : store_error (self, e, "notices");
    sqlite3_reset (s);
    return rc;
}

enum err store_acknowledge (struct store *self, int64_t number,
                            struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE notices SET acknowledged ="
              " CASE acknowledged WHEN 0 THEN ?2 ELSE acknowledged END"
              " WHERE number = ?1");
    sqlite3_bind_int64 (s, 1, number);
    sqlite3_bind_int64 (s, 2, clock_wall_ms());
    enum err rc = store_done (self, s, "notice", e);
    if (!rc && sqlite3_changes (self->db) == 0)
        rc = error_set (e, ERR_NOT_FOUND, "there is no notice %lld",
                        (long long) number);
    return rc;
}

enum err store_evidence (struct store *self, int64_t number, struct buf *out,
                         struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT evidence FROM notices WHERE number = ?");
    sqlite3_bind_int64 (s, 1, number);
    enum err rc = store_row (self, s, "notice", e);
    if (rc == ERR_NOT_FOUND)
        return error_set (e, rc, "there is no notice %lld", (long long) number);
    if (rc)
        return rc;
    buf_add_slice (out, column_slice (s, 0));
    sqlite3_reset (s);
    return ERR_NONE;
}

int64_t store_alarms (struct store *self) {
    sqlite3_stmt *s = store_prepare (self, "SELECT COUNT (*) FROM notices"
                                           " WHERE alarm AND acknowledged = 0");
    struct error e;
    if (store_row (self, s, "notices", &e))
        return 0;
    int64_t out = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return out;
}
