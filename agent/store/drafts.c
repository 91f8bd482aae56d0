/* drafts - texts that are not published. */
#include "drafts.h"

#include "base/clock.h"
#include "store_impl.h"

#include <inttypes.h>
#include <jansson.h>

static enum err json_check (struct slice json, struct error *e) {
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

static enum err content_check (const struct draft *draft, struct error *e) {
    if (draft->content.size > DRAFT_OCTETS_MAX)
        return error_set (e, ERR_LIMIT, "a draft of %zu octets; it may have %d",
                          draft->content.size, DRAFT_OCTETS_MAX);
    /* What became JSON from a message that was judged may hold a NUL. */
    return draft->topic.size == 0 ? json_check (draft->content, e) : ERR_NONE;
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

/* Adding */

static struct hash digest_of (const struct draft *draft) {
    struct buf all = { 0 };
    buf_add_format (&all, "%zu %zu %d ", draft->topic.size,
                    draft->references.size, (int) draft->format);
    buf_add_slice (&all, draft->topic);
    buf_add_slice (&all, draft->references);
    buf_add_slice (&all, draft->content);
    struct hash out = hash_blake2b (buf_slice (&all));
    buf_free (&all);
    return out;
}

/* *number 0: no draft has that key. */
static enum err find_key (struct store *self, const char *key,
                          const struct hash *digest, int64_t *number,
                          struct error *e) {
    *number = 0;
    if (!key)
        return ERR_NONE;
    sqlite3_stmt *s =
        store_prepare (self, "SELECT draft, digest FROM drafts WHERE key = ?");
    bind_text (s, 1, slice_text (key));
    enum err rc = store_row (self, s, "draft", e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    *number = sqlite3_column_int64 (s, 0);
    struct hash held = column_hash (s, 1);
    sqlite3_reset (s);
    return hash_equal (&held, digest)
               ? ERR_NONE
               : error_set (e, ERR_EXISTS,
                            "the key '%s' is that of draft %" PRId64
                            ", which was another text",
                            key, *number);
}

static enum err insert (struct store *self, const struct draft *draft,
                        const char *key, const struct hash *digest,
                        struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO drafts (created, updated, json, topic, format, refs,"
              " drafter, editor, key, digest)"
              " VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8)");
    sqlite3_bind_int64 (s, 1, clock_wall_ms());
    bind_slice (s, 2, draft->content);
    bind_text (s, 3, draft->topic.size ? draft->topic : slice_text (""));
    sqlite3_bind_int (s, 4, (int) draft->format);
    bind_slice (s, 5, draft->references);
    bind_text (s, 6, draft->drafter.size ? draft->drafter : slice_text (""));
    if (key)
        bind_text (s, 7, slice_text (key));
    bind_hash (s, 8, digest);
    return store_done (self, s, "draft", e);
}

enum err drafts_add (struct store *self, const struct draft *draft,
                     const char *key, int64_t *number, bool *repeated,
                     struct error *e) {
    struct hash digest = digest_of (draft);
    enum err rc = content_check (draft, e);
    if (!rc)
        rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = find_key (self, key, &digest, number, e);
    *repeated = !rc && *number > 0;
    if (!rc && !*repeated)
        rc = room_check (self, e);
    if (!rc && !*repeated) {
        rc = insert (self, draft, key, &digest, e);
        *number = sqlite3_last_insert_rowid (self->db);
    }
    return store_end (self, rc, e);
}

/* Changing */

static enum err none (struct error *e, int64_t number) {
    return error_set (e, ERR_NOT_FOUND, "there is no draft %" PRId64, number);
}

/* Is it as it was read? `document`: has it no topic. */
static enum err updated_check (struct store *self, int64_t number,
                               int64_t updated_ms, int64_t *updated,
                               bool *document, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT updated, topic = '' FROM drafts WHERE draft = ?");
    sqlite3_bind_int64 (s, 1, number);
    enum err rc = store_row (self, s, "draft", e);
    if (rc)
        return rc == ERR_NOT_FOUND ? none (e, number) : rc;
    *updated = sqlite3_column_int64 (s, 0);
    *document = sqlite3_column_int (s, 1);
    sqlite3_reset (s);
    if (updated_ms == 0 || *updated == updated_ms)
        return ERR_NONE;
    return error_set (e, ERR_EXISTS,
                      "draft %" PRId64 " was written since it was read",
                      number);
}

static enum err update (struct store *self, const struct draft *draft,
                        int64_t updated, struct error *e) {
    int64_t now = clock_wall_ms();
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE drafts SET updated = ?2, json = ?3, topic = ?4,"
              " format = ?5, refs = ?6, editor = ?7, returned = 0"
              " WHERE draft = ?1");
    sqlite3_bind_int64 (s, 1, draft->number);
    /* Two in one millisecond are two, still. */
    sqlite3_bind_int64 (s, 2, now > updated ? now : updated + 1);
    bind_slice (s, 3, draft->content);
    bind_text (s, 4, draft->topic.size ? draft->topic : slice_text (""));
    sqlite3_bind_int (s, 5, (int) draft->format);
    bind_slice (s, 6, draft->references);
    bind_text (s, 7, draft->editor.size ? draft->editor : slice_text (""));
    return store_done (self, s, "draft", e);
}

enum err drafts_set (struct store *self, const struct draft *draft,
                     struct error *e) {
    int64_t updated = 0;
    bool document = false;
    enum err rc = content_check (draft, e);
    if (!rc)
        rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = updated_check (self, draft->number, draft->updated_ms, &updated,
                        &document, e);
    if (!rc && document != (draft->topic.size == 0))
        rc = error_set (e, ERR_STATE,
                        document ? "draft %" PRId64 " is a document, which has "
                                   "no topic yet"
                                 : "draft %" PRId64 " is a message: it keeps a "
                                   "topic",
                        draft->number);
    if (!rc)
        rc = update (self, draft, updated, e);
    return store_end (self, rc, e);
}

enum err drafts_return (struct store *self, int64_t number, const char *remark,
                        const char *remarker, struct error *e) {
    if (strlen (remark) > DRAFT_REMARK_MAX)
        return error_set (e, ERR_LIMIT, "a remark of %zu octets; at most %d",
                          strlen (remark), DRAFT_REMARK_MAX);
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE drafts SET returned = 1, remark = ?2, remarker = ?3"
              " WHERE draft = ?1");
    sqlite3_bind_int64 (s, 1, number);
    bind_text (s, 2, slice_text (remark));
    bind_text (s, 3, slice_text (remarker));
    rc = store_done (self, s, "draft", e);
    if (!rc && sqlite3_changes (self->db) == 0)
        rc = none (e, number);
    return store_end (self, rc, e);
}

enum err drafts_remove (struct store *self, int64_t number, int64_t updated_ms,
                        struct error *e) {
    int64_t updated;
    bool document;
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = updated_check (self, number, updated_ms, &updated, &document, e);
    if (!rc) {
        sqlite3_stmt *s =
            store_prepare (self, "DELETE FROM drafts WHERE draft = ?");
        sqlite3_bind_int64 (s, 1, number);
        rc = store_done (self, s, "draft", e);
    }
    return store_end (self, rc, e);
}

/* Reading */

#define DRAFTS                                                                 \
    "SELECT draft, created, updated, json, topic, format, refs, drafter,"      \
    " editor, returned, remark, remarker FROM drafts "

static enum err rows_give (struct store *self, sqlite3_stmt *s, size_t *count,
                           void (*each) (void *arg, const struct draft *),
                           void *arg, struct error *e) {
    enum err rc;
    *count = 0;
    while ((rc = store_row (self, s, "drafts", e)) == ERR_NONE) {
        struct draft draft = {
            .number = sqlite3_column_int64 (s, 0),
            .created_ms = sqlite3_column_int64 (s, 1),
            .updated_ms = sqlite3_column_int64 (s, 2),
            .content = column_slice (s, 3),
            .topic = column_slice (s, 4),
            .format = (enum body_format) sqlite3_column_int (s, 5),
            .references = column_slice (s, 6),
            .drafter = column_slice (s, 7),
            .editor = column_slice (s, 8),
            .returned = sqlite3_column_int (s, 9) != 0,
            .remark = column_slice (s, 10),
            .remarker = column_slice (s, 11),
        };
        each (arg, &draft);
        ++*count;
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err drafts_get (struct store *self, int64_t number,
                     void (*each) (void *arg, const struct draft *), void *arg,
                     struct error *e) {
    size_t count;
    sqlite3_stmt *s = store_prepare (self, DRAFTS "WHERE draft = ?");
    sqlite3_bind_int64 (s, 1, number);
    enum err rc = rows_give (self, s, &count, each, arg, e);
    return rc || count ? rc : none (e, number);
}

enum err drafts_list (struct store *self,
                      void (*each) (void *arg, const struct draft *), void *arg,
                      struct error *e) {
    size_t count;
    sqlite3_stmt *s = store_prepare (self, DRAFTS "ORDER BY draft");
    return rows_give (self, s, &count, each, arg, e);
}
