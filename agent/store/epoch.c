/* epoch - what is void goes, table by table (PROTOCOL.md section 7.7). */
#include "epoch.h"

#include "base/topic.h"
#include "checkpoints.h"
#include "hashes.h"
#include "records.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define EPOCH "epoch" /* meta */
#define FLOOR "void_floor"
#define VOID "void_records"

/* Figures */

static int64_t number_of (struct store *self, const char *key, int64_t none) {
    char *text = store_meta (self, key);
    int64_t out = text ? strtoll (text, NULL, 10) : none;
    free (text);
    return out;
}

static enum err number_set (struct store *self, const char *key, int64_t number,
                            struct error *e) {
    char text[24];
    snprintf (text, sizeof text, "%" PRId64, number);
    return store_set_meta (self, key, text, e);
}

int64_t epoch_entered (struct store *self) {
    return number_of (self, EPOCH, 1);
}

int64_t store_void_records (struct store *self) {
    return number_of (self, VOID, 0);
}

int64_t store_void_floor (struct store *self) {
    return number_of (self, FLOOR, 0);
}

/* A statement whose one parameter is the base; *changed may be NULL. */
static enum err run (struct store *self, const char *sql, int64_t base,
                     int64_t *changed, struct error *e) {
    sqlite3_stmt *s = store_prepare (self, sql);
    sqlite3_bind_int64 (s, 1, base);
    enum err rc = store_done (self, s, "epoch", e);
    if (!rc && changed)
        *changed = sqlite3_changes (self->db);
    return rc;
}

static enum err run_all (struct store *self, const char *const *sql,
                         size_t count, int64_t base, struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < count; i++)
        rc = run (self, sql[i], base, NULL, e);
    return rc;
}

/* Records */

/* Blocks with a void record go whole: what stands below the base in them is
 * fetched again. */
#define VOID_BLOCKS                                                            \
    "(SELECT block FROM blocks WHERE first_sequence > ?1 - 4096"               \
    " AND first_sequence + count > ?1)"

/* Where they are put aside: a table that few stores ever have. */
static enum err aside_make (struct store *self, struct error *e) {
    static const char sql[] =
        "CREATE TABLE IF NOT EXISTS void_blocks (number INTEGER PRIMARY KEY,"
        " base INTEGER NOT NULL, octets BLOB NOT NULL)";
    if (sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return ERR_NONE;
    return error_set (e, ERR_IO, "store: blocks that are void: %s",
                      sqlite3_errmsg (self->db));
}

static enum err records_cut (struct store *self, int64_t base, int64_t *gone,
                             struct error *e) {
    int64_t floor = records_last_position (self);
    enum err rc = aside_make (self, e);
    if (!rc)
        rc = run (self,
                  "INSERT INTO void_blocks (base, octets)"
                  " SELECT ?1, octets FROM blocks WHERE block IN " VOID_BLOCKS,
                  base, NULL, e);
    if (!rc)
        rc = run (self,
                  "DELETE FROM attached WHERE sequence IN (SELECT sequence"
                  " FROM records WHERE block IN " VOID_BLOCKS ")",
                  base, NULL, e);
    if (!rc)
        rc = run (self, "DELETE FROM records WHERE block IN " VOID_BLOCKS, base,
                  gone, e);
    if (!rc)
        rc = run (self,
                  "DELETE FROM blocks WHERE first_sequence > ?1 - 4096"
                  " AND first_sequence + count > ?1",
                  base, NULL, e);
    if (!rc)
        rc = run (self,
                  "UPDATE read_marks SET sequence = MAX (?1 - 1, 0)"
                  " WHERE sequence >= ?1",
                  base, NULL, e);
    if (!rc)
        rc = number_set (self, FLOOR, floor, e);
    if (!rc)
        rc = number_set (self, VOID, store_void_records (self) + *gone, e);
    self->floor = 0;
    return rc;
}

/* Streams */

/* How far a stream is held now: to its last block below the base. Numbers that
 * may not be read have no place, and are asked for again. */
static int64_t stream_end (struct store *self, const char *stream) {
    struct error e;
    sqlite3_stmt *s;
    if (strcmp (stream, CHANNEL_LOG) == 0) { /* all of it is here */
        s = store_prepare (self, "SELECT COUNT (*) FROM records"
                                 " WHERE channel = ?");
    } else {
        s = store_prepare (self, "SELECT IFNULL (MAX (last), 0)"
                                 " FROM stream_places WHERE stream = ?");
    }
    bind_text (s, 1, slice_text (stream));
    if (store_row (self, s, "stream", &e))
        return 0;
    int64_t end = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return end;
}

static enum err stream_run (struct store *self, const char *sql,
                            const char *stream, int64_t end, struct error *e) {
    sqlite3_stmt *s = store_prepare (self, sql);
    bind_text (s, 1, slice_text (stream));
    sqlite3_bind_int64 (s, 2, end);
    return store_done (self, s, "stream", e);
}

static enum err stream_cut (struct store *self, const char *stream,
                            struct error *e) {
    struct tree tree;
    int64_t end = stream_end (self, stream);
    enum err rc = hashes_tree (self, stream, &tree, e);
    if (!rc && tree.size > (uint64_t) end)
        rc = hashes_cut (self, stream, (uint64_t) end, e);
    if (!rc)
        rc = stream_run (self,
                         "DELETE FROM stream_leaves WHERE stream = ?"
                         " AND number > ?",
                         stream, end, e);
    if (!rc)
        rc = stream_run (self,
                         "DELETE FROM stream_spans WHERE stream = ?"
                         " AND first > ?",
                         stream, end, e);
    return rc ? rc : records_set_upto (self, stream, end, e);
}

static enum err name_cut (void *arg, const char *stream, struct error *e) {
    return stream_cut (arg, stream, e);
}

static enum err streams_cut (struct store *self, int64_t base,
                             struct error *e) {
    enum err rc = run (self, "DELETE FROM stream_places WHERE sequence >= ?",
                       base, NULL, e);
    return rc ? rc
              : store_names (self,
                             "SELECT stream FROM positions WHERE stream > ?"
                             " ORDER BY stream LIMIT 1",
                             "streams", name_cut, self, e);
}

/* Ledger and checkpoints */

/* One that was verified above the base never settled: the newest that did takes
 * its place. */
static enum err verified_cut (struct store *self, int64_t base,
                              struct error *e) {
    struct checkpoint cp;
    struct checkpoint_row row;
    struct buf note = { 0 };
    struct error why;
    enum err rc = checkpoints_verified (self, &cp, NULL, &why);
    if (!rc && cp.size > base) {
        rc = checkpoints_newest (self, &row, &note, &why);
        if (!rc)
            rc = checkpoints_verify (self, &row.checkpoint, buf_slice (&note),
                                     &why);
        else if (rc == ERR_NOT_FOUND)
            rc = run (self, "DELETE FROM verified WHERE one > 0 AND ? >= 0",
                      base, NULL, &why);
    }
    buf_free (&note);
    if (rc && rc != ERR_NOT_FOUND)
        *e = why;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err ledger_cut (struct store *self, int64_t base, struct error *e) {
    static const char *const sql[] = {
        "DELETE FROM rosters WHERE sequence >= ?",
        "DELETE FROM told WHERE sequence >= ?",
        "DELETE FROM claims WHERE mark >= ?",
        "DELETE FROM checkpoints WHERE size > ?",
        /* Below are records of before this store, still. */
        "UPDATE meta SET value = ?1 WHERE key IN ('own_from', 'own_restored')"
        " AND CAST (value AS INTEGER) > ?1",
        /* "MARK TIME", of complete.c */
        "DELETE FROM meta WHERE key = 'complete'"
        " AND CAST (value AS INTEGER) >= ?",
    };
    struct tree tree;
    enum err rc = run_all (self, sql, sizeof sql / sizeof *sql, base, e);
    if (!rc)
        rc = verified_cut (self, base, e);
    if (!rc)
        rc = hashes_tree (self, HASHES_LEDGER, &tree, e);
    if (!rc && tree.size > (uint64_t) base)
        rc = hashes_cut (self, HASHES_LEDGER, (uint64_t) base, e);
    return rc;
}

/* The outbox */

/* Lane, number, body and forms stay; the promise too, as what it is. */
static enum err outbox_void (struct store *self, int64_t base, int64_t *waiting,
                             struct error *e) {
    int64_t own = 0, handed = 0;
    enum err rc =
        run (self,
             "UPDATE outbox SET state = 0, sequence = -1, leaf = NULL"
             " WHERE state = 2 AND contribution IS NULL AND sequence >= ?",
             base, &own, e);
    if (!rc)
        rc =
            run (self,
                 "UPDATE outbox SET state = 0,"
                 " leaf = CASE WHEN sequence < ?1 THEN leaf END,"
                 " sequence = CASE WHEN sequence < ?1 THEN sequence ELSE -1 END"
                 " WHERE state = 2 AND contribution IS NOT NULL AND EXISTS"
                 " (SELECT 1 FROM forms f WHERE f.number = outbox.number"
                 "  AND f.sequence >= ?1)",
                 base, &handed, e);
    if (!rc)
        rc = run (self,
                  "UPDATE forms SET state = 0, sequence = -1, leaf = NULL"
                  " WHERE state IN (1, 2) AND sequence >= ?",
                  base, NULL, e);
    *waiting = own + handed;
    return rc;
}

/* All of it */

enum err epoch_cut (struct store *self, int64_t number, int64_t base,
                    struct epoch_void *out, struct error *e) {
    *out = (struct epoch_void){ 0 };
    enum err rc = records_cut (self, base, &out->records, e);
    if (!rc)
        rc = streams_cut (self, base, e);
    if (!rc)
        rc = ledger_cut (self, base, e);
    if (!rc)
        rc = outbox_void (self, base, &out->messages, e);
    return rc ? rc : number_set (self, EPOCH, number, e);
}

void store_basis (struct store *self, struct store_basis *out) {
    struct error e;
    sqlite3_stmt *s = store_prepare (
        self, "SELECT COUNT (*), IFNULL (MAX (sequence), -1) FROM rosters");
    char *mended = store_meta (self, STORE_MENDED);
    *out = (struct store_basis){ 0, -1, store_void_floor (self),
                                 mended ? strtoll (mended, NULL, 10) : 0 };
    free (mended);
    if (store_row (self, s, "rosters", &e))
        return;
    out->rosters = sqlite3_column_int64 (s, 0);
    out->roster_sequence = sqlite3_column_int64 (s, 1);
    sqlite3_reset (s);
}
