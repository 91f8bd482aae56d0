/* attached - manifests and parts of files, as they are among the records. */
#include "attached.h"

#include "base/topic.h"
#include "records.h"
#include "store_impl.h"

#include <stdio.h>
#include <stdlib.h>

/* Kinds of a row. */
enum { KIND_MAP, KIND_PART, KIND_OTHER };

bool attached_wanted (struct slice topic) {
    const uint8_t *slash =
        topic.size ? memchr (topic.data, '/', topic.size) : NULL;
    if (!slash)
        return false;
    size_t left = topic.size - (size_t) (slash + 1 - topic.data);
    return left > 5 && memcmp (slash + 1, "file/", 5) == 0;
}

static int kind_of (const struct message *message, bool present) {
    if (!present)
        return KIND_OTHER;
    return message->body_format == BODY_MAP      ? KIND_MAP
           : message->body_format == BODY_OCTETS ? KIND_PART
                                                 : KIND_OTHER;
}

/* The last level: what a file is found by. */
static struct slice last_level (struct slice topic) {
    size_t at = topic.size;
    while (at > 0 && topic.data[at - 1] != '/')
        at--;
    return slice_of (topic.data + at, topic.size - at);
}

enum err attached_add (struct store *self, const struct record *record,
                       const struct message *message, enum body_state state,
                       struct slice body, struct error *e) {
    bool present = state == BODY_PRESENT && body.size > BODY_SALT
                   && message->sealing == NULL;
    int kind = kind_of (message, present);
    self->bulky = self->bulky || kind == KIND_PART;
    struct slice content =
        present ? slice_of (body.data + BODY_SALT, body.size - BODY_SALT)
                : (struct slice){ 0 };
    struct hash digest = hash_sha256 (content);
    struct hash leaf = record_leaf (record->octets);
    sqlite3_stmt *s = store_prepare (
        self, "INSERT OR IGNORE INTO attached (sequence, log_time, topic, file,"
              " author, id, leaf, kind, digest, octets, content)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    sqlite3_bind_int64 (s, 1, record->sequence);
    sqlite3_bind_int64 (s, 2, record->log_time);
    bind_text (s, 3, message->topic);
    bind_text (s, 4, last_level (message->topic));
    bind_text (s, 5, message->author);
    bind_hash (s, 6, &message->id);
    bind_hash (s, 7, &leaf);
    sqlite3_bind_int (s, 8, kind);
    if (kind == KIND_PART)
        bind_hash (s, 9, &digest);
    sqlite3_bind_int64 (s, 10, (int64_t) content.size);
    bind_slice (s, 11, kind == KIND_MAP ? content : (struct slice){ 0 });
    return store_done (self, s, "file's message", e);
}

/* Reading */

static enum err rows_give (struct store *self, sqlite3_stmt *s,
                           attached_fn *each, void *arg, struct error *e) {
    enum err rc = ERR_NONE;
    while (!rc && (rc = store_row (self, s, "files", e)) == ERR_NONE) {
        struct attached item = {
            .sequence = sqlite3_column_int64 (s, 0),
            .log_time = sqlite3_column_int64 (s, 1),
            .topic = (const char *) sqlite3_column_text (s, 2),
            .author = (const char *) sqlite3_column_text (s, 3),
            .id = column_hash (s, 4),
            .leaf = column_hash (s, 5),
            .map = sqlite3_column_int (s, 6) == KIND_MAP,
            .content = column_slice (s, 7),
        };
        rc = each (arg, &item, e);
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

#define COLUMNS                                                                \
    "sequence, log_time, topic, author, id, leaf, kind, content FROM "         \
    "attached "

enum err attached_said (struct store *self, const char *topic, int64_t limit,
                        attached_fn *each, void *arg, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT * FROM (SELECT " COLUMNS
              "WHERE topic = ? AND kind <> 1 ORDER BY sequence DESC LIMIT ?)"
              " ORDER BY sequence");
    bind_text (s, 1, slice_text (topic));
    sqlite3_bind_int64 (s, 2, limit);
    return rows_give (self, s, each, arg, e);
}

/* Authors of an entity: '0' follows '/'. */
static void bind_entity (sqlite3_stmt *s, int at, char out[2][64],
                         const char *entity) {
    snprintf (out[0], sizeof out[0], "%s/", entity);
    snprintf (out[1], sizeof out[1], "%s0", entity);
    bind_text (s, at, slice_text (out[0]));
    bind_text (s, at + 1, slice_text (out[1]));
}

enum err attached_strangers (struct store *self, const char *topic,
                             const char *entity, int64_t limit,
                             attached_fn *each, void *arg, struct error *e) {
    char bounds[2][64];
    sqlite3_stmt *s =
        store_prepare (self, "SELECT " COLUMNS "WHERE topic = ? AND kind = 1"
                             " AND NOT (author >= ? AND author < ?)"
                             " ORDER BY sequence DESC LIMIT ?");
    bind_text (s, 1, slice_text (topic));
    bind_entity (s, 2, bounds, entity);
    sqlite3_bind_int64 (s, 4, limit);
    return rows_give (self, s, each, arg, e);
}

/* Names that a statement gives, copied first: `each` may use the store. */
struct names {
    size_t count;
    char **at;
};

static enum err names_take (struct store *self, sqlite3_stmt *s,
                            struct names *out, struct error *e) {
    enum err rc;
    size_t room = 0;
    while ((rc = store_row (self, s, "files", e)) == ERR_NONE) {
        if (out->count == room) {
            room = room ? 2 * room : 64;
            out->at = mem_resize (out->at, room * sizeof *out->at);
        }
        out->at[out->count++] =
            mem_copy_text ((const char *) sqlite3_column_text (s, 0));
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err names_give (struct store *self, sqlite3_stmt *s,
                            enum err (*each) (void *arg, const char *topic,
                                              struct error *e),
                            void *arg, struct error *e) {
    struct names names = { 0 };
    enum err rc = names_take (self, s, &names, e);
    for (size_t i = 0; !rc && i < names.count; i++)
        rc = each (arg, names.at[i], e);
    for (size_t i = 0; i < names.count; i++)
        free (names.at[i]);
    free (names.at);
    return rc == ERR_STATE ? ERR_NONE : rc;
}

enum err attached_topics (struct store *self,
                          enum err (*each) (void *arg, const char *topic,
                                            struct error *e),
                          void *arg, struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT topic FROM attached WHERE kind = 0"
                             " GROUP BY topic ORDER BY MAX (sequence) DESC");
    return names_give (self, s, each, arg, e);
}

enum err attached_find (struct store *self, const char *id,
                        enum err (*each) (void *arg, const char *topic,
                                          struct error *e),
                        void *arg, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT DISTINCT topic FROM attached WHERE file = ?"
              " ORDER BY topic");
    bind_text (s, 1, slice_text (id));
    return names_give (self, s, each, arg, e);
}

enum err attached_since (struct store *self, int64_t after, int64_t upto,
                         int64_t **sequences, size_t *count, struct error *e) {
    enum err rc;
    size_t room = 0;
    *sequences = NULL;
    *count = 0;
    sqlite3_stmt *s = store_prepare (
        self, "SELECT a.sequence FROM attached a"
              " JOIN records r ON r.sequence = a.sequence WHERE a.kind = 0"
              " AND r.position > ? AND r.position <= ? ORDER BY r.position");
    sqlite3_bind_int64 (s, 1, after);
    sqlite3_bind_int64 (s, 2, upto);
    while ((rc = store_row (self, s, "files", e)) == ERR_NONE) {
        if (*count == room) {
            room = room ? 2 * room : 64;
            *sequences = mem_resize (*sequences, room * sizeof **sequences);
        }
        (*sequences)[(*count)++] = sqlite3_column_int64 (s, 0);
    }
    if (rc == ERR_NOT_FOUND)
        return ERR_NONE;
    free (*sequences);
    *sequences = NULL;
    return rc;
}

bool attached_part (struct store *self, const char *topic, const char *entity,
                    const struct hash *sha256, int64_t size,
                    int64_t *sequence) {
    char bounds[2][64];
    struct error e;
    sqlite3_stmt *s = store_prepare (
        self, "SELECT sequence FROM attached WHERE topic = ? AND kind = 1"
              " AND digest = ? AND author >= ? AND author < ? AND octets = ?"
              " ORDER BY sequence LIMIT 1");
    bind_text (s, 1, slice_text (topic));
    bind_hash (s, 2, sha256);
    bind_entity (s, 3, bounds, entity);
    sqlite3_bind_int64 (s, 5, size);
    if (store_row (self, s, "files", &e))
        return false;
    if (sequence)
        *sequence = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return true;
}

enum err attached_rebuild (struct store *self, struct error *e) {
    struct records_query query = { .filter = "+/file/#",
                                   .to_sequence = -1,
                                   .to_ms = -1 };
    struct record_row row;
    struct records_cursor *cursor = records_open (self, &query, e);
    enum err rc = cursor ? ERR_NONE : e->code;
    while (!rc && !(rc = records_next (cursor, &row, e)))
        if (row.readable && attached_wanted (row.message.topic))
            rc = attached_add (self, &row.record, &row.message, row.body_state,
                               row.body, e);
    records_close (&cursor);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}
