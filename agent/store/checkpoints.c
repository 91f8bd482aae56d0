/* checkpoints - settled ones, thinned out as they grow old; the newest that was
 * verified; and the memory of a witness (PROTOCOL.md section 7.5). A note says
 * by itself of which ledger, size and root it is. */
#include "checkpoints.h"

#include "store_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ALL_KEPT_MS 3600000
#define MINUTE_MS 60000

static enum err note_decode (struct slice octets, struct checkpoint *out,
                             struct note *note, struct error *e) {
    struct error why;
    if (checkpoint_read (octets, out, note, &why))
        return error_set (e, ERR_DAMAGED, "store: a checkpoint: %s", why.text);
    return ERR_NONE;
}

/* Settled */

/* *lines: of the note that is held; 0: none is. */
static enum err lines_held (struct store *self, const struct checkpoint *cp,
                            size_t *lines, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT note FROM checkpoints WHERE origin = ? AND size = ?");
    bind_text (s, 1, slice_text (cp->origin));
    sqlite3_bind_int64 (s, 2, cp->size);
    struct checkpoint held;
    struct note note;
    *lines = 0;
    enum err rc = store_row (self, s, "checkpoint", e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    rc = note_decode (column_slice (s, 0), &held, &note, e);
    *lines = rc ? 0 : note.count;
    sqlite3_reset (s);
    return rc;
}

static enum err note_replace (struct store *self, const struct checkpoint *cp,
                              struct slice note, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE checkpoints SET note = ? WHERE origin = ? AND size = ?");
    bind_slice (s, 1, note);
    bind_text (s, 2, slice_text (cp->origin));
    sqlite3_bind_int64 (s, 3, cp->size);
    return store_done (self, s, "checkpoint", e);
}

/* Kept: one that hands over, or the first of its minute. */
static enum err insert (struct store *self, const struct checkpoint *cp,
                        int64_t time, int64_t roster_version, bool handover,
                        struct slice note, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO checkpoints (origin, size, time, roster, kept, note)"
              " VALUES (?1, ?2, ?3, ?4, ?5 OR NOT EXISTS (SELECT 1 FROM"
              " checkpoints WHERE kept = 1 AND time >= ?6 AND time < ?7), ?8)");
    int64_t minute = time - time % MINUTE_MS;
    bind_text (s, 1, slice_text (cp->origin));
    sqlite3_bind_int64 (s, 2, cp->size);
    sqlite3_bind_int64 (s, 3, time);
    sqlite3_bind_int64 (s, 4, roster_version);
    sqlite3_bind_int (s, 5, handover);
    sqlite3_bind_int64 (s, 6, minute);
    sqlite3_bind_int64 (s, 7, minute + MINUTE_MS);
    bind_slice (s, 8, note);
    return store_done (self, s, "checkpoint", e);
}

static enum err prune (struct store *self, int64_t time, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "DELETE FROM checkpoints WHERE kept = 0 AND time < ?");
    sqlite3_bind_int64 (s, 1, time - ALL_KEPT_MS);
    return store_done (self, s, "checkpoint", e);
}

enum err checkpoints_settle (struct store *self, const struct checkpoint *cp,
                             int64_t time, int64_t roster_version,
                             bool handover, struct slice octets,
                             struct error *e) {
    size_t held;
    struct checkpoint same;
    struct note note;
    enum err rc = checkpoint_read (octets, &same, &note, e);
    if (!rc)
        rc = lines_held (self, cp, &held, e);
    if (rc)
        return rc;
    assert (checkpoint_equal (cp, &same));
    if (held > 0)
        return note.count > held ? note_replace (self, cp, octets, e)
                                 : ERR_NONE;
    rc = insert (self, cp, time, roster_version, handover, octets, e);
    return rc ? rc : prune (self, time, e);
}

/* Of a statement that gives note, time, roster. */
static enum err row_take (struct store *self, sqlite3_stmt *s,
                          struct checkpoint_row *out, struct buf *note,
                          struct error *e) {
    struct note form;
    enum err rc = store_row (self, s, "checkpoint", e);
    if (rc == ERR_NOT_FOUND)
        return error_set (e, rc, "no such checkpoint has settled here");
    if (rc)
        return rc;
    struct slice octets = column_slice (s, 0);
    rc = note_decode (octets, &out->checkpoint, &form, e);
    out->time = sqlite3_column_int64 (s, 1);
    out->roster_version = sqlite3_column_int64 (s, 2);
    if (!rc && note)
        buf_add_slice (note, octets);
    sqlite3_reset (s);
    return rc;
}

enum err checkpoints_newest (struct store *self, struct checkpoint_row *out,
                             struct buf *note, struct error *e) {
    /* Sizes may begin anew with an epoch, and that with a roster. */
    return row_take (self,
                     store_prepare (self,
                                    "SELECT note, time, roster FROM checkpoints"
                                    " ORDER BY roster DESC, size DESC LIMIT 1"),
                     out, note, e);
}

enum err checkpoints_covering (struct store *self, int64_t sequence,
                               struct checkpoint_row *out, struct buf *note,
                               struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT note, time, roster FROM checkpoints WHERE size > ?"
              " ORDER BY size LIMIT 1");
    sqlite3_bind_int64 (s, 1, sequence);
    return row_take (self, s, out, note, e);
}

enum err checkpoints_each (struct store *self, int64_t upto,
                           enum err (*each) (void *arg, struct slice note,
                                             struct error *e),
                           void *arg, struct error *e) {
    enum err rc = ERR_NONE;
    struct buf note = { 0 };
    for (int64_t last = 0; !rc;) {
        sqlite3_stmt *s = store_prepare (
            self, "SELECT note, size FROM checkpoints AS one WHERE size > ?1"
                  " AND size <= ?2 AND (size = (SELECT min (size) FROM"
                  " checkpoints WHERE roster = one.roster) OR size = (SELECT"
                  " max (size) FROM checkpoints WHERE size <= ?2))"
                  " ORDER BY size LIMIT 1");
        sqlite3_bind_int64 (s, 1, last);
        sqlite3_bind_int64 (s, 2, upto);
        rc = store_row (self, s, "checkpoint", e);
        if (rc)
            break;
        buf_clear (&note);
        buf_add_slice (&note, column_slice (s, 0));
        last = sqlite3_column_int64 (s, 1);
        sqlite3_reset (s);
        rc = each (arg, buf_slice (&note), e);
    }
    buf_free (&note);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Verified */

enum err checkpoints_verify (struct store *self, const struct checkpoint *cp,
                             struct slice note, struct error *e) {
    (void) cp; /* the note says it */
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO verified (one, note) VALUES (1, ?)"
              " ON CONFLICT (one) DO UPDATE SET note = excluded.note");
    bind_slice (s, 1, note);
    return store_done (self, s, "checkpoint", e);
}

enum err checkpoints_verified (struct store *self, struct checkpoint *out,
                               struct buf *note, struct error *e) {
    struct note form;
    sqlite3_stmt *s = store_prepare (self, "SELECT note FROM verified");
    enum err rc = store_row (self, s, "checkpoint", e);
    if (rc == ERR_NOT_FOUND)
        return error_set (e, rc, "no checkpoint was verified yet");
    if (rc)
        return rc;
    rc = note_decode (column_slice (s, 0), out, &form, e);
    if (!rc && note)
        buf_add_slice (note, column_slice (s, 0));
    sqlite3_reset (s);
    return rc;
}

/* A witness's memory */

enum err checkpoints_memory (struct store *self, const char *origin,
                             struct checkpoint *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT size, root FROM cosigned WHERE origin = ?");
    bind_text (s, 1, slice_text (origin));
    enum err rc = store_row (self, s, "cosigned", e);
    if (rc == ERR_NOT_FOUND)
        return error_set (e, rc, "nothing of %s was cosigned", origin);
    if (rc)
        return rc;
    snprintf (out->origin, sizeof out->origin, "%s", origin);
    out->size = sqlite3_column_int64 (s, 0);
    out->root = column_hash (s, 1);
    sqlite3_reset (s);
    return ERR_NONE;
}

static enum err may_cosign (struct store *self, const struct checkpoint *cp,
                            bool *known, struct error *e) {
    struct checkpoint held;
    char hex[HASH_TEXT_MAX];
    enum err rc = checkpoints_memory (self, cp->origin, &held, e);
    *known = !rc && checkpoint_equal (cp, &held);
    if (rc == ERR_NOT_FOUND || *known || (!rc && cp->size > held.size))
        return ERR_NONE;
    if (rc)
        return rc;
    return error_set (e, ERR_CHAIN,
                      "size %" PRId64 " of %s: this witness cosigned size "
                      "%" PRId64 " with root %s",
                      cp->size, cp->origin, held.size,
                      hash_text (hex, &held.root));
}

static enum err remember (struct store *self, const struct checkpoint *cp,
                          struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO cosigned (origin, size, root) VALUES (?, ?, ?)"
              " ON CONFLICT (origin) DO UPDATE SET size = excluded.size,"
              " root = excluded.root");
    bind_text (s, 1, slice_text (cp->origin));
    sqlite3_bind_int64 (s, 2, cp->size);
    bind_hash (s, 3, &cp->root);
    return store_done (self, s, "cosigned", e);
}

static enum err cosign (struct store *self, const struct checkpoint *cp,
                        struct error *e) {
    bool known;
    enum err rc = may_cosign (self, cp, &known, e);
    return rc || known ? rc : remember (self, cp, e);
}

enum err checkpoints_recall (struct store *self, const struct checkpoint *cp,
                             bool *newer, struct error *e) {
    bool known;
    struct error why;
    enum err rc = may_cosign (self, cp, &known, &why);
    *newer = !rc && !known;
    if (rc && rc != ERR_CHAIN)
        *e = why;
    if (rc || known)
        return rc == ERR_CHAIN ? ERR_NONE : rc;
    return remember (self, cp, e);
}

#define OLDER "witness_older" /* meta: ms */

int64_t checkpoints_older (struct store *self) {
    char *text = store_meta (self, OLDER);
    int64_t out = text ? strtoll (text, NULL, 10) : 0;
    free (text);
    return out;
}

enum err checkpoints_set_older (struct store *self, int64_t since,
                                struct error *e) {
    char text[24];
    snprintf (text, sizeof text, "%" PRId64, since);
    return store_set_meta (self, OLDER, text, e);
}

enum err checkpoints_cosign (struct store *self, const struct checkpoint *cp,
                             struct error *e) {
    assert (!self->group); /* a part of a group is not durable yet */
    enum err rc = store_begin (self, e);
    return rc ? rc : store_end (self, cosign (self, cp, e), e);
}

enum err checkpoints_cosigned (struct store *self, const char *origin,
                               int64_t *size, struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT size FROM cosigned WHERE origin = ?");
    bind_text (s, 1, slice_text (origin));
    *size = -1;
    enum err rc = store_row (self, s, "cosigned", e);
    if (rc)
        return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
    *size = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return ERR_NONE;
}

/* Evidence */

#define RESUMED "resumed" /* meta: how often was alarmed when that was said */

static enum err alarms (struct store *self, int64_t *count, struct error *e) {
    /* Not LEDGER-BEHIND: such a broker signs nothing, until what it lost is
     * there again. */
    sqlite3_stmt *s = store_prepare (
        self, "SELECT IFNULL (SUM (count), 0) FROM notices WHERE alarm"
              " AND kind IN ('FORK', 'BAD-ROOT', 'SHRUNK', 'WRONG-RECORD',"
              " 'PROMISE-BROKEN', 'CONTRADICTION', 'LOG-TIME', 'BAD-RECORD',"
              " 'MARK-WRONG')");
    enum err rc = store_row (self, s, "notices", e);
    if (rc)
        return rc;
    *count = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return ERR_NONE;
}

enum err checkpoints_alarmed (struct store *self, bool *alarmed,
                              struct error *e) {
    int64_t count = 0;
    enum err rc = alarms (self, &count, e);
    if (rc || count == 0) {
        *alarmed = rc != ERR_NONE;
        return rc;
    }
    char *resumed = store_meta (self, RESUMED);
    *alarmed = !resumed || count > strtoll (resumed, NULL, 10);
    free (resumed);
    return ERR_NONE;
}

enum err checkpoints_resume (struct store *self, struct error *e) {
    int64_t count;
    char text[24];
    enum err rc = alarms (self, &count, e);
    if (rc)
        return rc;
    snprintf (text, sizeof text, "%" PRId64, count);
    return store_set_meta (self, RESUMED, text, e);
}
