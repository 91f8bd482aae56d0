/* drafts - texts of plans that are not published. */
#include "drafts.h"

#include "base/clock.h"
#include "store_impl.h"

#include <inttypes.h>
#include <jansson.h>

static enum err json_check (struct slice json, struct error *e) {
    if (json.size > DRAFT_OCTETS_MAX)
        return error_set (e, ERR_LIMIT, "a draft of %zu octets; it may have %d",
                          json.size, DRAFT_OCTETS_MAX);
    json_error_t why;
    json_t *read = json_loadb ((const char *) json.data, json.size,
                               JSON_REJECT_DUPLICATES, &why);
    bool object = json_is_object (read);
    json_decref (read);
    if (read && object)
        return ERR_NONE;
    return error_set (e, ERR_MALFORMED, "a draft is a JSON object: %s",
                      read ? "this is none" : why.text);
}

static enum err room_check (struct store *self, struct error *e) {
    sqlite3_stmt *s = store_prepare (self, "SELECT COUNT (*) FROM drafts");
    enum err rc = store_row (self, s, "drafts", e);
    if (rc)
        return rc;
    int64_t count = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return count < DRAFTS_MAX
               ? ERR_NONE
               : error_set (e, ERR_FULL,
                            "there are %d drafts: take one away before",
                            DRAFTS_MAX);
}

static enum err insert (struct store *self, struct slice json, int64_t *number,
                        struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self,
        "INSERT INTO drafts (created, updated, json) VALUES (?1, ?1, ?2)");
    sqlite3_bind_int64 (s, 1, clock_wall_ms());
    bind_slice (s, 2, json);
    enum err rc = store_done (self, s, "draft", e);
    *number = sqlite3_last_insert_rowid (self->db);
    return rc;
}

enum err drafts_add (struct store *self, struct slice json, int64_t *number,
                     struct error *e) {
    enum err rc = json_check (json, e);
    if (!rc)
        rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = room_check (self, e);
    if (!rc)
        rc = insert (self, json, number, e);
    return store_end (self, rc, e);
}

static enum err none (struct error *e, int64_t number) {
    return error_set (e, ERR_NOT_FOUND, "there is no draft %" PRId64, number);
}

/* Is it as it was read? */
static enum err updated_check (struct store *self, int64_t number,
                               int64_t updated_ms, int64_t *updated,
                               struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT updated FROM drafts WHERE draft = ?");
    sqlite3_bind_int64 (s, 1, number);
    enum err rc = store_row (self, s, "draft", e);
    if (rc)
        return rc == ERR_NOT_FOUND ? none (e, number) : rc;
    *updated = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    if (updated_ms == 0 || *updated == updated_ms)
        return ERR_NONE;
    return error_set (e, ERR_EXISTS,
                      "draft %" PRId64 " was written since it was read",
                      number);
}

enum err drafts_set (struct store *self, int64_t number, int64_t updated_ms,
                     struct slice json, struct error *e) {
    int64_t updated = 0;
    enum err rc = json_check (json, e);
    if (!rc)
        rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = updated_check (self, number, updated_ms, &updated, e);
    if (!rc) {
        /* Two in one millisecond are two, still. */
        int64_t now = clock_wall_ms();
        sqlite3_stmt *s = store_prepare (
            self, "UPDATE drafts SET updated = ?, json = ? WHERE draft = ?");
        sqlite3_bind_int64 (s, 1, now > updated ? now : updated + 1);
        bind_slice (s, 2, json);
        sqlite3_bind_int64 (s, 3, number);
        rc = store_done (self, s, "draft", e);
    }
    return store_end (self, rc, e);
}

enum err drafts_remove (struct store *self, int64_t number, struct error *e) {
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    sqlite3_stmt *s =
        store_prepare (self, "DELETE FROM drafts WHERE draft = ?");
    sqlite3_bind_int64 (s, 1, number);
    rc = store_done (self, s, "draft", e);
    if (!rc && sqlite3_changes (self->db) == 0)
        rc = none (e, number);
    return store_end (self, rc, e);
}

static enum err rows_give (struct store *self, sqlite3_stmt *s, size_t *count,
                           void (*each) (void *arg, const struct draft *),
                           void *arg, struct error *e) {
    enum err rc;
    *count = 0;
    while ((rc = store_row (self, s, "drafts", e)) == ERR_NONE) {
        struct draft draft = { sqlite3_column_int64 (s, 0),
                               sqlite3_column_int64 (s, 1),
                               sqlite3_column_int64 (s, 2),
                               column_slice (s, 3) };
        each (arg, &draft);
        ++*count;
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err drafts_get (struct store *self, int64_t number,
                     void (*each) (void *arg, const struct draft *), void *arg,
                     struct error *e) {
    size_t count;
    sqlite3_stmt *s =
        store_prepare (self, "SELECT draft, created, updated, json FROM drafts"
                             " WHERE draft = ?");
    sqlite3_bind_int64 (s, 1, number);
    enum err rc = rows_give (self, s, &count, each, arg, e);
    return rc || count ? rc : none (e, number);
}

enum err drafts_list (struct store *self,
                      void (*each) (void *arg, const struct draft *), void *arg,
                      struct error *e) {
    size_t count;
    sqlite3_stmt *s =
        store_prepare (self, "SELECT draft, created, updated, json FROM drafts"
                             " ORDER BY draft");
    return rows_give (self, s, &count, each, arg, e);
}
