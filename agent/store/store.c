/* store - the agent's SQLite file: making, opening, transactions, and the small
 * tables. records.c and outbox.c own the rest. A handle has one thread. */
#include "store.h"

#include "attached.h"
#include "base/clock.h"
#include "base/disk.h"
#include "store_impl.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION 0x50415259 /* "PARY": what file(1) and we know it by */
#define BUSY_MS 10000
#define SCHEMA_ATTACHED 3 /* from which on files have their index */

static enum err run (struct store *self, const char *sql, struct error *e) {
    if (sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return ERR_NONE;
    /* Not the whole schema. */
    char what[64];
    snprintf (what, sizeof what, "%.60s", sql);
    return store_error (self, e, what);
}

/* Open and make */

/* SQLITE_OPEN_NOFOLLOW refuses a link at any place of the path, and a state
 * folder may well be reached by one: only the file itself may be none. NULL:
 * no such folder. The caller frees. */
static char *path_resolve (const char *path) {
    const char *slash = strrchr (path, '/');
    struct buf folder = { 0 };
    buf_add (&folder, slash ? path : "./",
             slash ? (size_t) (slash - path) + 1 : 2);
    char *given = buf_take_text (&folder);
    char *real = realpath (given, NULL);
    free (given);
    if (!real)
        return NULL;
    buf_add_format (&folder, "%s/%s", real, slash ? slash + 1 : path);
    free (real);
    return buf_take_text (&folder);
}

static struct store *handle_new (const char *path, int flags, struct error *e) {
    char *real = path_resolve (path);
    if (!real) {
        error_set (e, ERR_NOT_FOUND, "store '%s': no such folder", path);
        return NULL;
    }
    struct store *self = mem_alloc (sizeof *self);
    int rc = sqlite3_open_v2 (
        real, &self->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
        NULL);
    free (real);
    if (rc != SQLITE_OK) {
        /* Elsewhere it is no missing row, but a disk that fails. */
        bool missing = (rc & 0xff) == SQLITE_CANTOPEN;
        error_set (e, missing ? ERR_NOT_FOUND : store_code (rc),
                   "store '%s': %s", path,
                   self->db ? sqlite3_errmsg (self->db) : sqlite3_errstr (rc));
        store_close (&self);
        return NULL;
    }
    sqlite3_busy_timeout (self->db, BUSY_MS);
    sqlite3_extended_result_codes (self->db, 1);
    /* The file is ours, but what is in it came from elsewhere. */
    sqlite3_db_config (self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config (self->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return self;
}

/* Pages of the WAL before it is written back: what a reply of a fetch changes
 * fits, and pages that change again and again are written back once for many
 * transactions. Those of a file's parts are written once: they go back in small
 * portions, so that no message waits for 16 MiB of them. */
#define WAL_PAGES 4000
#define WAL_PAGES_BULKY 500

static int wal_grown (void *arg, sqlite3 *db, const char *name, int pages) {
    struct store *self = arg;
    if (pages >= (self->bulky ? WAL_PAGES_BULKY : WAL_PAGES))
        /* As SQLite's own: what could not be written back is tried again. */
        (void) sqlite3_wal_checkpoint_v2 (db, name, SQLITE_CHECKPOINT_PASSIVE,
                                          NULL, NULL);
    self->bulky = false;
    return SQLITE_OK;
}

static enum err durable_set (struct store *self, struct error *e) {
    enum err rc = run (self,
                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                       "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
                       "PRAGMA cache_size = -8000;",
                       e);
    if (!rc)
        sqlite3_wal_hook (self->db, wal_grown, self);
    return rc;
}

/* One number that a pragma or a query gives; -1 where none. */
static int64_t number_of (struct store *self, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int64_t out = -1;
    if (sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL) == SQLITE_OK
        && sqlite3_step (statement) == SQLITE_ROW)
        out = sqlite3_column_int64 (statement, 0);
    sqlite3_finalize (statement);
    return out;
}

static int64_t schema_newest (void) {
    int64_t out = 1;
    while (store_schema_steps[out - 1])
        out++;
    return out;
}

/* In a transaction: the steps that this file has not made yet. */
static enum err schema_climb (struct store *self, struct error *e) {
    enum err rc = ERR_NONE;
    int64_t schema = number_of (self, "PRAGMA user_version");
    for (; !rc && schema < schema_newest(); schema++) {
        char pragma[64];
        snprintf (pragma, sizeof pragma, "PRAGMA user_version = %lld;",
                  (long long) schema + 1);
        rc = schema < 1 ? error_set (e, ERR_DAMAGED, "the store has no schema")
                        : run (self, store_schema_steps[schema - 1], e);
        if (!rc && schema + 1 == SCHEMA_ATTACHED)
            rc = attached_rebuild (self, e);
        if (!rc)
            rc = run (self, pragma, e);
    }
    return rc;
}

static enum err schema_raise (struct store *self, struct error *e) {
    if (number_of (self, "PRAGMA user_version") == schema_newest())
        return ERR_NONE;
    enum err rc = store_begin (self, e);
    return rc ? rc : store_end (self, schema_climb (self, e), e);
}

static enum err tables_make (struct store *self, const struct hash *dialogue,
                             const char *delegation, struct error *e) {
    char hex[HASH_TEXT_MAX], pragma[96];
    uint64_t lane;
    snprintf (pragma, sizeof pragma,
              "PRAGMA application_id = %d; PRAGMA user_version = 1;",
              APPLICATION);
    enum err rc = store_begin (self, e);
    if (!rc)
        rc = run (self, store_schema, e);
    if (!rc)
        rc = run (self, store_schema_audit, e);
    if (!rc)
        rc = run (self, store_schema_text, e);
    if (!rc)
        rc = run (self, pragma, e);
    if (!rc)
        rc = schema_climb (self, e);
    if (!rc)
        rc = store_set_meta (self, "dialogue", hash_text (hex, dialogue), e);
    if (!rc)
        rc = store_set_meta (self, "delegation", delegation, e);
    if (!rc)
        rc = store_new_lane (self, &lane, e);
    return rc ? rc : store_commit (self, e);
}

enum err store_create (const char *path, const struct hash *dialogue,
                       const char *delegation, struct error *e) {
    /* Built under another name: a store that is there is a whole one. */
    struct buf name = { 0 };
    buf_add_format (&name, "%s.new", path);
    char *temp = buf_take_text (&name);
    if (access (path, F_OK) == 0) {
        free (temp);
        return error_set (e, ERR_EXISTS, "'%s' is there already", path);
    }
    unlink (temp); /* of a making that was cut off */
    int fd = disk_open (temp, DISK_WRITE | DISK_CREATE, e);
    enum err rc = fd < 0 ? e->code : ERR_NONE;
    disk_close (&fd);
    struct store *self = NULL;
    if (!rc) {
        self = handle_new (temp, SQLITE_OPEN_READWRITE, e);
        rc = self ? ERR_NONE : e->code;
    }
    /* No WAL yet: all of it has to be in the one file that is renamed. */
    if (!rc)
        rc = run (self, "PRAGMA synchronous = FULL;", e);
    if (!rc)
        rc = tables_make (self, dialogue, delegation, e);
    store_close (&self);
    if (!rc)
        rc = disk_rename (temp, path, e);
    free (temp);
    return rc;
}

static enum err file_check (struct store *self, const char *path,
                            struct error *e) {
    if (number_of (self, "PRAGMA application_id") != APPLICATION)
        return error_set (e, ERR_DAMAGED, "'%s' is no store of Parley's", path);
    int64_t schema = number_of (self, "PRAGMA user_version");
    if (schema > schema_newest())
        return error_set (e, ERR_NEWER,
                          "'%s' has schema %lld; this program knows %lld", path,
                          (long long) schema, (long long) schema_newest());
    sqlite3_stmt *statement = NULL;
    bool fine =
        sqlite3_prepare_v2 (self->db, "PRAGMA quick_check(1)", -1, &statement,
                            NULL)
            == SQLITE_OK
        && sqlite3_step (statement) == SQLITE_ROW
        && strcmp ((const char *) sqlite3_column_text (statement, 0), "ok")
               == 0;
    sqlite3_finalize (statement);
    if (!fine)
        return error_set (e, ERR_DAMAGED,
                          "'%s' is damaged; move it away and start anew: the "
                          "records come back from the broker, what was not "
                          "promised yet is lost",
                          path);
    return ERR_NONE;
}

static enum err meta_check (struct store *self, const char *key,
                            const char *want, const char *path,
                            struct error *e) {
    char *have = store_meta (self, key);
    enum err rc = ERR_NONE;
    if (!have)
        rc = error_set (e, ERR_DAMAGED, "'%s' has no %s", path, key);
    else if (strcmp (have, want) != 0)
        rc = error_set (e, ERR_CONFIG,
                        "'%s' belongs to %s %s; the configuration says %s",
                        path, key, have, want);
    free (have);
    return rc;
}

static enum err lane_load (struct store *self, struct error *e) {
    char *text = store_meta (self, "lane");
    uint8_t octets[8];
    enum err rc = ERR_NONE;
    if (!text || hex_decode (octets, sizeof octets, text))
        rc = error_set (e, ERR_DAMAGED, "the store has no lane");
    else
        self->lane = get_u64 (octets);
    free (text);
    return rc;
}

static enum err turn_join (struct store *self, const char *path,
                           struct error *e) {
    struct stat file;
    if (stat (path, &file) != 0)
        return error_sys (e, errno, "stat '%s'", path);
    self->turn = turn_open (file.st_dev, file.st_ino);
    self->wait_ms = BUSY_MS;
    return ERR_NONE;
}

struct store *store_open (const char *path, const struct hash *dialogue,
                          const char *delegation, struct error *e) {
    struct store *self = handle_new (path, SQLITE_OPEN_READWRITE, e);
    if (!self)
        return NULL;
    char hex[HASH_TEXT_MAX];
    enum err rc = file_check (self, path, e);
    if (!rc)
        rc = durable_set (self, e);
    if (!rc)
        rc = meta_check (self, "dialogue", hash_text (hex, dialogue), path, e);
    if (!rc)
        rc = meta_check (self, "delegation", delegation, path, e);
    if (!rc)
        rc = turn_join (self, path, e);
    if (!rc)
        rc = schema_raise (self, e);
    if (!rc)
        rc = lane_load (self, e);
    if (rc)
        store_close (&self);
    return self;
}

struct store *store_open_reader (const char *path, struct error *e) {
    /* A reader of a WAL writes its index, so the file is opened for writing. */
    struct store *self = handle_new (path, SQLITE_OPEN_READWRITE, e);
    if (self && run (self, "PRAGMA query_only = ON;", e))
        store_close (&self);
    return self;
}

static void turn_leave (struct store *self) {
    if (self->mine)
        turn_give (self->turn);
    self->mine = false;
}

void store_close (struct store **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved_errno = errno;
    struct store *self = *self_p;
    *self_p = NULL;
    for (size_t i = 0; i < self->cached; i++)
        sqlite3_finalize (self->cache[i].statement);
    sqlite3_close (self->db);
    turn_leave (self);
    turn_close (&self->turn);
    free (self);
    errno = saved_errno;
}

/* Transactions */

static enum err run_one (struct store *self, const char *literal,
                         struct error *e) {
    return store_done (self, store_prepare (self, literal), literal, e);
}

static enum err transaction_begin (struct store *self, struct error *e) {
    bool nested = self->mine; /* fails below */
    if (self->turn && !nested && !turn_take (self->turn, self->wait_ms))
        return error_set (e, ERR_TIMEOUT,
                          "store: BEGIN IMMEDIATE: another thread writes for "
                          "%d ms",
                          self->wait_ms);
    self->mine = self->turn != NULL;
    enum err rc = run_one (self, "BEGIN IMMEDIATE", e);
    if (rc && !nested)
        turn_leave (self);
    return rc;
}

static enum err transaction_commit (struct store *self, struct error *e) {
    enum err rc = run_one (self, "COMMIT", e);
    if (rc)
        store_group_drop (self);
    turn_leave (self);
    return rc;
}

/* SQLite rolls all back by itself after some errors of the disk; no part may
 * be taken for a transaction of its own then. */
static enum err part_alive (struct store *self, struct error *e) {
    if (!sqlite3_get_autocommit (self->db))
        return ERR_NONE;
    if (!self->lost.code)
        error_set (&self->lost, ERR_IO, "store: the transaction is gone");
    *e = self->lost;
    return e->code;
}

enum err store_begin (struct store *self, struct error *e) {
    if (!self->group)
        return transaction_begin (self, e);
    enum err rc = part_alive (self, e);
    return rc ? rc : run_one (self, "SAVEPOINT part", e);
}

enum err store_commit (struct store *self, struct error *e) {
    if (!self->group)
        return transaction_commit (self, e);
    enum err rc = part_alive (self, e);
    return rc ? rc : run_one (self, "RELEASE part", e);
}

void store_rollback (struct store *self) {
    struct error e;
    if (!self->group)
        store_group_drop (self);
    else if (!part_alive (self, &e) && !run_one (self, "ROLLBACK TO part", &e))
        (void) !run_one (self, "RELEASE part", &e);
}

enum err store_group_begin (struct store *self, struct error *e) {
    enum err rc = transaction_begin (self, e);
    self->group = !rc;
    self->lost = (struct error){ 0 };
    return rc;
}

enum err store_group_end (struct store *self, struct error *e) {
    enum err rc = part_alive (self, e);
    self->group = false;
    if (rc)
        store_group_drop (self);
    return rc ? rc : transaction_commit (self, e);
}

void store_group_drop (struct store *self) {
    struct error e;
    self->group = false;
    if (!sqlite3_get_autocommit (self->db))
        (void) !run_one (self, "ROLLBACK", &e);
    turn_leave (self);
}

enum err store_end (struct store *self, enum err rc, struct error *e) {
    if (!rc)
        return store_commit (self, e);
    store_rollback (self);
    return rc;
}

/* Meta and lane */

char *store_meta (struct store *self, const char *key) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT value FROM meta WHERE key = ?");
    sqlite3_bind_text (s, 1, key, -1, SQLITE_STATIC);
    char *out = NULL;
    if (sqlite3_step (s) == SQLITE_ROW)
        out = mem_copy_text ((const char *) sqlite3_column_text (s, 0));
    sqlite3_reset (s);
    return out;
}

enum err store_set_meta (struct store *self, const char *key, const char *value,
                         struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO meta (key, value) VALUES (?, ?)"
              " ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    sqlite3_bind_text (s, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text (s, 2, value, -1, SQLITE_STATIC);
    return store_done (self, s, "meta", e);
}

uint64_t store_lane (struct store *self) {
    /* Another handle may have drawn a new one since. */
    struct error e;
    (void) lane_load (self, &e);
    return self->lane;
}

enum err store_new_lane (struct store *self, uint64_t *lane, struct error *e) {
    uint8_t octets[8];
    char hex[HEX_SIZE (8)];
    randombytes_buf (octets, sizeof octets);
    hex_encode (hex, octets, sizeof octets);
    enum err rc = store_set_meta (self, "lane", hex, e);
    if (!rc)
        *lane = self->lane = get_u64 (octets);
    return rc;
}

/* Rosters */

enum err store_add_roster (struct store *self, int64_t version,
                           int64_t sequence, struct slice note,
                           struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO rosters (version, sequence, note) VALUES (?, ?, ?)"
              " ON CONFLICT (version) DO NOTHING");
    sqlite3_bind_int64 (s, 1, version);
    sqlite3_bind_int64 (s, 2, sequence);
    sqlite3_bind_blob64 (s, 3, note.data, note.size, SQLITE_STATIC);
    return store_done (self, s, "roster", e);
}

enum err store_rosters (struct store *self,
                        enum err (*each) (void *arg, int64_t version,
                                          int64_t sequence, struct slice note,
                                          struct error *e),
                        void *arg, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "SELECT version, sequence, note FROM rosters ORDER BY version");
    enum err rc = ERR_NONE;
    int step = SQLITE_DONE;
    while (!rc && (step = sqlite3_step (s)) == SQLITE_ROW) {
        struct slice note = slice_of (sqlite3_column_blob (s, 2),
                                      (size_t) sqlite3_column_bytes (s, 2));
        rc = each (arg, sqlite3_column_int64 (s, 0),
                   sqlite3_column_int64 (s, 1), note, e);
    }
    if (!rc && step != SQLITE_DONE)
        rc = store_error (self, e, "rosters");
    sqlite3_reset (s);
    return rc;
}

/* Runs */

enum err store_begin_run (struct store *self, char run[STORE_RUN_MAX],
                          struct error *e) {
    uint8_t octets[8];
    randombytes_buf (octets, sizeof octets);
    hex_encode (run, octets, sizeof octets);
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO runs (run, first) VALUES"
              " (?, (SELECT IFNULL (MAX (position), 0) FROM records))");
    sqlite3_bind_text (s, 1, run, -1, SQLITE_STATIC);
    return store_done (self, s, "run", e);
}

int64_t store_common (struct store *self, const char *run, int64_t position) {
    /* A run ends where the next one begins; the newest goes on. */
    sqlite3_stmt *s = store_prepare (
        self, "SELECT MIN (?2, IFNULL ((SELECT MIN (n.first) FROM runs n"
              " WHERE n.number > r.number), ?2)) FROM runs r WHERE r.run = ?1");
    sqlite3_bind_text (s, 1, run, -1, SQLITE_STATIC);
    sqlite3_bind_int64 (s, 2, position);
    int64_t common =
        sqlite3_step (s) == SQLITE_ROW ? sqlite3_column_int64 (s, 0) : 0;
    sqlite3_reset (s);
    return common;
}
