/* acts - who did what. */
#include "acts.h"

#include "base/clock.h"
#include "store_impl.h"

static enum err insert (struct store *self, const struct act *act,
                        struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO acts (time, user, what, subject, draft, entry)"
              " VALUES (?, ?, ?, ?, ?, ?)");
    sqlite3_bind_int64 (s, 1, clock_wall_ms());
    bind_text (s, 2, slice_text (act->user));
    bind_text (s, 3, slice_text (act->what));
    bind_text (s, 4, slice_text (act->subject));
    sqlite3_bind_int64 (s, 5, act->draft);
    sqlite3_bind_int64 (s, 6, act->entry);
    return store_done (self, s, "act", e);
}

static enum err forget (struct store *self, struct error *e) {
    sqlite3_stmt *s = store_prepare (self, "DELETE FROM acts WHERE act <= ?");
    sqlite3_bind_int64 (s, 1, sqlite3_last_insert_rowid (self->db) - ACTS_MAX);
    return store_done (self, s, "acts", e);
}

enum err acts_add (struct store *self, const struct act *act, struct error *e) {
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = insert (self, act, e);
    if (!rc)
        rc = forget (self, e);
    return store_end (self, rc, e);
}

enum err acts_list (struct store *self, int64_t before, int64_t limit,
                    void (*each) (void *arg, const struct act *), void *arg,
                    struct error *e) {
    enum err rc;
    sqlite3_stmt *s = store_prepare (
        self, "SELECT act, time, user, what, subject, draft, entry FROM acts"
              " WHERE act < ? ORDER BY act DESC LIMIT ?");
    sqlite3_bind_int64 (s, 1, before > 0 ? before : INT64_MAX);
    sqlite3_bind_int64 (s, 2, limit);
    while ((rc = store_row (self, s, "acts", e)) == ERR_NONE) {
        struct act act = {
            .number = sqlite3_column_int64 (s, 0),
            .ms = sqlite3_column_int64 (s, 1),
            .user = (const char *) sqlite3_column_text (s, 2),
            .what = (const char *) sqlite3_column_text (s, 3),
            .subject = (const char *) sqlite3_column_text (s, 4),
            .draft = sqlite3_column_int64 (s, 5),
            .entry = sqlite3_column_int64 (s, 6),
        };
        each (arg, &act);
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

int64_t acts_released (struct store *self, int64_t draft) {
    struct error e;
    sqlite3_stmt *s = store_prepare (
        self, "SELECT entry FROM acts WHERE draft = ? AND draft > 0"
              " AND entry > 0 ORDER BY act DESC LIMIT 1");
    sqlite3_bind_int64 (s, 1, draft);
    if (store_row (self, s, "acts", &e))
        return 0;
    int64_t out = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return out;
}
