/* sendings - files on their way to the outbox. */
#include "sendings.h"

#include "attached.h"
#include "base/clock.h"
#include "outbox.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdio.h>

const char *sending_state_name (enum sending_state state) {
    static const char *const names[] = { "taking",  "sending", "done",
                                         "refused", "stopped", "draft" };
    return state <= SENDING_HELD ? names[state] : "unknown";
}

/* `entry` of a part: 0 it is to be handed on, above its number in the outbox, -1
 * it needs no message, since it stands on the topic or is on its way there. */

static enum err run (struct store *self, const char *sql, int64_t number,
                     struct error *e) {
    sqlite3_stmt *s = store_prepare (self, sql);
    sqlite3_bind_int64 (s, 1, number);
    return store_done (self, s, "sending", e);
}

/* Taking in */

static enum err room_check (struct store *self, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT COUNT (*) FROM sendings WHERE state IN (0, 1, 5)");
    enum err rc = store_row (self, s, "sendings", e);
    if (rc)
        return rc;
    int64_t count = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return count < SENDINGS_MAX
               ? ERR_NONE
               : error_set (e, ERR_FULL,
                            "%d files are on their way: wait until one is done",
                            SENDINGS_MAX);
}

static enum err begin (struct store *self, int64_t *number, struct error *e) {
    enum err rc = room_check (self, e);
    if (rc)
        return rc;
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO sendings (topic, state, created, size, manifest,"
              " parts) VALUES ('', 0, ?, 0, x'', 0)");
    sqlite3_bind_int64 (s, 1, clock_wall_ms());
    rc = store_done (self, s, "sending", e);
    *number = sqlite3_last_insert_rowid (self->db);
    return rc;
}

enum err sendings_begin (struct store *self, int64_t *number, struct error *e) {
    enum err rc = store_begin (self, e);
    return rc ? rc : store_end (self, begin (self, number, e), e);
}

enum err sendings_add (struct store *self, int64_t number, int64_t part,
                       const struct hash *sha256, struct slice octets,
                       struct error *e) {
    self->bulky = true;
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO sending_parts (sending, part, digest, octets)"
              " VALUES (?, ?, ?, ?)");
    sqlite3_bind_int64 (s, 1, number);
    sqlite3_bind_int64 (s, 2, part);
    bind_hash (s, 3, sha256);
    bind_slice (s, 4, octets);
    return store_done (self, s, "sending", e);
}

static enum err drop (struct store *self, int64_t number, struct error *e) {
    enum err rc =
        run (self, "DELETE FROM sending_parts WHERE sending = ?", number, e);
    return rc ? rc
              : run (self, "DELETE FROM sendings WHERE sending = ?", number, e);
}

enum err sendings_drop (struct store *self, int64_t number, struct error *e) {
    enum err rc = store_begin (self, e);
    return rc ? rc : store_end (self, drop (self, number, e), e);
}

enum err sendings_clear (struct store *self, struct error *e) {
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = run (self,
              "DELETE FROM sending_parts WHERE sending IN"
              " (SELECT sending FROM sendings WHERE state = ?)",
              SENDING_TAKING, e);
    if (!rc)
        rc = run (self, "DELETE FROM sendings WHERE state = ?", SENDING_TAKING,
                  e);
    return store_end (self, rc, e);
}

/* Ready */

/* The same manifest on its way on that topic; 0: none. */
static enum err twin_find (struct store *self, const char *topic,
                           struct slice manifest, int64_t *out,
                           struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT sending FROM sendings WHERE topic = ?"
              " AND state IN (1, 5) AND manifest = ? ORDER BY sending LIMIT 1");
    bind_text (s, 1, slice_text (topic));
    bind_slice (s, 2, manifest);
    enum err rc = store_row (self, s, "sending", e);
    *out = rc ? 0 : sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Parts that are there, on their way, or stand in it before, need no message. */
static enum err parts_thin (struct store *self, int64_t number,
                            const char *topic, const char *entity,
                            struct error *e) {
    char low[64], high[64];
    sqlite3_stmt *s = store_prepare (
        self,
        "UPDATE sending_parts SET entry = -1, octets = x''"
        " WHERE sending = ?1 AND part > 0 AND ("
        " EXISTS (SELECT 1 FROM attached a WHERE a.topic = ?2 AND a.kind = 1"
        "  AND a.digest = sending_parts.digest"
        "  AND a.author >= ?3 AND a.author < ?4)"
        " OR EXISTS (SELECT 1 FROM sending_parts p JOIN sendings s"
        "  ON s.sending = p.sending WHERE s.topic = ?2 AND s.state = 1"
        "  AND p.digest = sending_parts.digest AND p.entry >= 0)"
        " OR EXISTS (SELECT 1 FROM sending_parts p WHERE p.sending = ?1"
        "  AND p.digest = sending_parts.digest AND p.part > 0"
        "  AND p.part < sending_parts.part))");
    snprintf (low, sizeof low, "%s/", entity);
    snprintf (high, sizeof high, "%s0", entity);
    sqlite3_bind_int64 (s, 1, number);
    bind_text (s, 2, slice_text (topic));
    bind_text (s, 3, slice_text (low));
    bind_text (s, 4, slice_text (high));
    return store_done (self, s, "sending", e);
}

static enum err activate (struct store *self, int64_t number, const char *topic,
                          int64_t size, struct slice manifest,
                          const char *drafter, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE sendings SET topic = ?2, size = ?3, manifest = ?4,"
              " state = ?5, drafter = ?6, parts = (SELECT COUNT (*) FROM "
              "sending_parts p"
              "  WHERE p.sending = ?1 AND p.entry >= 0)"
              " WHERE sending = ?1");
    sqlite3_bind_int64 (s, 1, number);
    bind_text (s, 2, slice_text (topic));
    sqlite3_bind_int64 (s, 3, size);
    bind_slice (s, 4, manifest);
    sqlite3_bind_int (s, 5, drafter ? SENDING_HELD : SENDING_ACTIVE);
    bind_text (s, 6, slice_text (drafter ? drafter : ""));
    return store_done (self, s, "sending", e);
}

/* Of a topic the newest one tells how it stands; what is over before goes. */
static enum err older_drop (struct store *self, const char *topic,
                            struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "DELETE FROM sendings WHERE topic = ? AND state IN (2, 3, 4)");
    bind_text (s, 1, slice_text (topic));
    return store_done (self, s, "sendings", e);
}

static enum err ready (struct store *self, int64_t *number, const char *topic,
                       const char *entity, int64_t size, struct slice manifest,
                       const char *drafter, bool *repeated, struct error *e) {
    int64_t twin;
    enum err rc = twin_find (self, topic, manifest, &twin, e);
    *repeated = twin != 0;
    if (!rc && twin) {
        rc = drop (self, *number, e);
        *number = twin;
        return rc || drafter ? rc
                             : run (self,
                                    "UPDATE sendings SET state = 1"
                                    " WHERE sending = ? AND state = 5",
                                    twin, e);
    }
    struct hash digest = hash_sha256 (manifest);
    if (!rc)
        rc = sendings_add (self, *number, 0, &digest, manifest, e);
    if (!rc)
        rc = parts_thin (self, *number, topic, entity, e);
    if (!rc)
        rc = older_drop (self, topic, e);
    return rc ? rc
              : activate (self, *number, topic, size, manifest, drafter, e);
}

enum err sendings_ready (struct store *self, int64_t *number, const char *topic,
                         const char *entity, int64_t size,
                         struct slice manifest, const char *drafter,
                         bool *repeated, struct error *e) {
    enum err rc = store_begin (self, e);
    return rc ? rc
              : store_end (self,
                           ready (self, number, topic, entity, size, manifest,
                                  drafter, repeated, e),
                           e);
}

enum err sendings_release (struct store *self, const char *topic,
                           struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE sendings SET state = 1 WHERE topic = ? AND state = 5");
    bind_text (s, 1, slice_text (topic));
    enum err rc = store_done (self, s, "sendings", e);
    return rc || sqlite3_changes (self->db) > 0
               ? rc
               : error_set (e, ERR_NOT_FOUND, "no draft of it is held");
}

/* Handing on */

struct next {
    int64_t sending, part;
    char topic[TOPIC_MAX + 1];
    struct hash digest;
    struct buf content;
};

/* Its row, or ERR_NOT_FOUND; the oldest sending first. The statement is at it. */
static sqlite3_stmt *next_row (struct store *self, enum err *rc,
                               struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT s.sending, p.part, s.topic, p.octets, p.digest"
              " FROM sendings s JOIN sending_parts p ON p.sending = s.sending"
              " WHERE s.state = 1 AND p.entry = 0"
              " ORDER BY s.sending, p.part LIMIT 1");
    *rc = store_row (self, s, "sending", e);
    return s;
}

enum err sendings_next (struct store *self, size_t *octets, struct error *e) {
    enum err rc;
    sqlite3_stmt *s = next_row (self, &rc, e);
    if (rc)
        return rc;
    *octets = (size_t) sqlite3_column_bytes (s, 3);
    sqlite3_reset (s);
    return ERR_NONE;
}

static enum err next_take (struct store *self, struct next *out,
                           struct error *e) {
    enum err rc;
    sqlite3_stmt *s = next_row (self, &rc, e);
    if (rc)
        return rc;
    out->sending = sqlite3_column_int64 (s, 0);
    out->part = sqlite3_column_int64 (s, 1);
    snprintf (out->topic, sizeof out->topic, "%s",
              (const char *) sqlite3_column_text (s, 2));
    buf_add_slice (&out->content, column_slice (s, 3));
    out->digest = column_hash (s, 4);
    sqlite3_reset (s);
    return ERR_NONE;
}

/* In the ledger already: of a part any record, of a manifest the newest map. */
static bool is_there (struct store *self, const struct next *next) {
    const char *at = strchr (next->topic, '/');
    at = at ? strchr (at + 1, '/') : NULL; /* behind "file" */
    size_t size = at ? strcspn (at + 1, "/") : 0;
    char entity[ENTITY_MAX + 1];
    if (size == 0 || size > ENTITY_MAX)
        return false;
    memcpy (entity, at + 1, size);
    entity[size] = '\0';
    if (next->part > 0)
        return attached_part (self, next->topic, entity, &next->digest,
                              (int64_t) next->content.size, NULL);
    struct error e;
    sqlite3_stmt *s = store_prepare (
        self, "SELECT content = ? FROM attached WHERE topic = ? AND kind = 0"
              " ORDER BY sequence DESC LIMIT 1");
    bind_slice (s, 1, buf_slice (&next->content));
    bind_text (s, 2, slice_text (next->topic));
    if (store_row (self, s, "files", &e))
        return false;
    bool out = sqlite3_column_int (s, 0) != 0;
    sqlite3_reset (s);
    return out;
}

static enum err there_note (struct store *self, const struct next *next,
                            struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "UPDATE sending_parts SET entry = -1, octets = x''"
                             " WHERE sending = ? AND part = ?");
    sqlite3_bind_int64 (s, 1, next->sending);
    sqlite3_bind_int64 (s, 2, next->part);
    enum err rc = store_done (self, s, "sending", e);
    return rc ? rc
              : run (self,
                     "UPDATE sendings SET parts = parts - 1 WHERE sending = ?",
                     next->sending, e);
}

static enum err handed_note (struct store *self, const struct next *next,
                             int64_t entry, struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "UPDATE sending_parts SET entry = ?, octets = x''"
                             " WHERE sending = ? AND part = ?");
    sqlite3_bind_int64 (s, 1, entry);
    sqlite3_bind_int64 (s, 2, next->sending);
    sqlite3_bind_int64 (s, 3, next->part);
    enum err rc = store_done (self, s, "sending", e);
    return rc ? rc
              : run (self,
                     "UPDATE sendings SET handed = handed + 1"
                     " WHERE sending = ?",
                     next->sending, e);
}

static enum err hand_on (struct store *self, const struct next *next,
                         int64_t *entry, struct error *e) {
    bool repeated;
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    self->bulky = true;
    *entry = 0;
    if (is_there (self, next))
        return store_end (self, there_note (self, next, e), e);
    rc = outbox_add (self, NULL, slice_text (next->topic),
                     next->part == 0 ? BODY_MAP : BODY_OCTETS,
                     buf_slice (&next->content), NULL, 0, entry, &repeated, e);
    if (!rc)
        rc = handed_note (self, next, *entry, e);
    return store_end (self, rc, e);
}

enum err sendings_hand_on (struct store *self, int64_t *entry,
                           struct error *e) {
    struct next next = { 0 };
    enum err rc = next_take (self, &next, e);
    if (!rc)
        rc = hand_on (self, &next, entry, e);
    buf_free (&next.content);
    return rc;
}

bool sendings_arrived (struct store *self, int64_t entry) {
    struct error e;
    sqlite3_stmt *s = store_prepare (
        self, "SELECT o.state > 2 OR EXISTS (SELECT 1 FROM forms f"
              "  WHERE f.number = o.number AND f.state = 2)"
              " FROM outbox o WHERE o.number = ?");
    sqlite3_bind_int64 (s, 1, entry);
    if (store_row (self, s, "outbox", &e))
        return true;
    bool out = sqlite3_column_int (s, 0) != 0;
    sqlite3_reset (s);
    return out;
}

/* Ends */

/* Entries of a sending by what became of them. */
#define ENTRIES                                                                \
    "SELECT 1 FROM sending_parts p JOIN outbox o ON o.number = p.entry"        \
    " WHERE p.sending = sendings.sending AND "

static enum err settle (struct store *self, int64_t *changed, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE sendings SET state = 3, why = 'message ' || ("
              " SELECT o.number FROM sending_parts p"
              "  JOIN outbox o ON o.number = p.entry WHERE p.sending ="
              "  sendings.sending AND o.state > 3 ORDER BY o.number LIMIT 1)"
              " || ' of the outbox was refused or cancelled' WHERE state = 1"
              " AND EXISTS (" ENTRIES "o.state > 3)");
    enum err rc = store_done (self, s, "sendings", e);
    *changed = sqlite3_changes (self->db);
    if (rc)
        return rc;
    s = store_prepare (self, "UPDATE sendings SET state = 2 WHERE state = 1"
                             " AND handed = parts AND NOT EXISTS (" ENTRIES
                             "o.state <> 3)");
    rc = store_done (self, s, "sendings", e);
    *changed += sqlite3_changes (self->db);
    if (rc || *changed == 0)
        return rc;
    s = store_prepare (self, "DELETE FROM sending_parts WHERE sending IN"
                             " (SELECT sending FROM sendings"
                             "  WHERE state IN (2, 3, 4))");
    return store_done (self, s, "sendings", e);
}

enum err sendings_settle (struct store *self, int64_t *changed,
                          struct error *e) {
    *changed = 0;
    enum err rc = store_begin (self, e);
    return rc ? rc : store_end (self, settle (self, changed, e), e);
}

static enum err stop (struct store *self, const char *topic, bool *sent,
                      struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT IFNULL (SUM (handed), 0) FROM sendings"
                             " WHERE topic = ? AND state IN (1, 5)");
    bind_text (s, 1, slice_text (topic));
    enum err rc = store_row (self, s, "sendings", e);
    if (rc)
        return rc;
    *sent = sqlite3_column_int64 (s, 0) > 0;
    sqlite3_reset (s);
    s = store_prepare (
        self, "UPDATE outbox SET state = 5, body = NULL WHERE state = 0"
              " AND number IN (SELECT p.entry FROM sending_parts p"
              "  JOIN sendings s ON s.sending = p.sending"
              "  WHERE s.topic = ? AND s.state = 1 AND p.entry > 0)");
    bind_text (s, 1, slice_text (topic));
    rc = store_done (self, s, "outbox", e);
    if (rc)
        return rc;
    s = store_prepare (self, "UPDATE sendings SET state = 4,"
                             " why = 'it was withdrawn'"
                             " WHERE topic = ? AND state IN (1, 5)");
    bind_text (s, 1, slice_text (topic));
    rc = store_done (self, s, "sendings", e);
    if (rc)
        return rc;
    s = store_prepare (self, "DELETE FROM sending_parts WHERE sending IN"
                             " (SELECT sending FROM sendings"
                             "  WHERE state IN (2, 3, 4))");
    return store_done (self, s, "sendings", e);
}

enum err sendings_stop (struct store *self, const char *topic, bool *sent,
                        struct error *e) {
    enum err rc = store_begin (self, e);
    return rc ? rc : store_end (self, stop (self, topic, sent, e), e);
}

/* Reading */

#define SENDINGS                                                               \
    "SELECT s.sending, s.state, s.topic, s.created, s.size, s.manifest,"       \
    " s.parts, s.handed, s.why, s.drafter,"                                    \
    " (SELECT COUNT (*) FROM sending_parts p JOIN outbox o"                    \
    "  ON o.number = p.entry WHERE p.sending = s.sending"                      \
    "  AND o.state IN (2, 3)),"                                                \
    " (SELECT COUNT (*) FROM sending_parts p JOIN outbox o"                    \
    "  ON o.number = p.entry WHERE p.sending = s.sending AND o.state = 3),"    \
    " (SELECT IFNULL (SUM (LENGTH (p.octets)), 0) FROM sending_parts p"        \
    "  WHERE p.sending = s.sending AND p.entry = 0)"                           \
    " FROM sendings s "

static enum err rows_give (struct store *self, sqlite3_stmt *s, size_t *count,
                           sendings_fn *each, void *arg, struct error *e) {
    enum err rc = ERR_NONE;
    *count = 0;
    while (!rc && (rc = store_row (self, s, "sendings", e)) == ERR_NONE) {
        struct sending row = {
            .number = sqlite3_column_int64 (s, 0),
            .state = (enum sending_state) sqlite3_column_int (s, 1),
            .topic = (const char *) sqlite3_column_text (s, 2),
            .created_ms = sqlite3_column_int64 (s, 3),
            .size = sqlite3_column_int64 (s, 4),
            .manifest = column_slice (s, 5),
            .messages = sqlite3_column_int64 (s, 6),
            .handed = sqlite3_column_int64 (s, 7),
            .why = (const char *) sqlite3_column_text (s, 8),
            .drafter = (const char *) sqlite3_column_text (s, 9),
            .promised = sqlite3_column_int64 (s, 10),
            .settled = sqlite3_column_int64 (s, 11),
            .octets_left = sqlite3_column_int64 (s, 12),
        };
        if (row.state == SENDING_DONE) /* its entries are not looked at */
            row.promised = row.settled = row.messages;
        ++*count;
        rc = each (arg, &row, e);
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err sendings_get (struct store *self, const char *topic, sendings_fn *each,
                       void *arg, struct error *e) {
    size_t count;
    sqlite3_stmt *s = store_prepare (
        self, SENDINGS "WHERE s.topic = ? ORDER BY s.sending DESC LIMIT 1");
    bind_text (s, 1, slice_text (topic));
    enum err rc = rows_give (self, s, &count, each, arg, e);
    return rc || count
               ? rc
               : error_set (e, ERR_NOT_FOUND, "nothing was sent on %s", topic);
}

enum err sendings_list (struct store *self, sendings_fn *each, void *arg,
                        struct error *e) {
    size_t count;
    sqlite3_stmt *s = store_prepare (
        self, SENDINGS "WHERE s.state IN (1, 5) ORDER BY s.sending");
    return rows_give (self, s, &count, each, arg, e);
}

bool sendings_any (struct store *self) {
    struct error e;
    sqlite3_stmt *s =
        store_prepare (self, "SELECT 1 FROM sendings WHERE state = 1 LIMIT 1");
    if (store_row (self, s, "sendings", &e))
        return false;
    sqlite3_reset (s);
    return true;
}
