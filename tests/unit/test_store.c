/* store: making and opening, what a strange file is, statements and their
 * errors, the small tables, two handles. */
#include "store_fixture.h"

#include "base/clock.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct store *try_open (const char *path) {
    return store_open (path, &cast.dialogue, "EUROPOL/hq", &e);
}

static const char *in (const char *name) {
    static char path[600];
    snprintf (path, sizeof path, "%s/%s", store_dir, name);
    return path;
}

static void write_file (const char *path, const void *data, size_t size) {
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true (fd >= 0);
    assert_int_equal (write (fd, data, size), size);
    close (fd);
}

static void run (const char *sql) {
    if (sqlite3_exec (store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg ("%s: %s", sql, sqlite3_errmsg (store->db));
}

/* "PRAGMA user_version = N": what a new store has. */
static const char *schema_pragma (void) {
    static char pragma[64];
    int newest = 1;
    while (store_schema_steps[newest - 1])
        newest++;
    snprintf (pragma, sizeof pragma, "PRAGMA user_version = %d", newest);
    return pragma;
}

static void test_strange_files (void **state) {
    (void) state;
    static const char text[5000] = "no database at all, but long enough";
    struct hash other = hash_sha256 (slice_text ("other"));
    assert_null (try_open (in ("nowhere")));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    assert_int_equal (access (in ("nowhere"), F_OK), -1); /* never made */
    write_file (in ("text"), text, sizeof text);
    assert_null (try_open (in ("text")));
    assert_int_equal (e.code, ERR_DAMAGED);
    write_file (in ("empty"), "", 0);
    assert_null (try_open (in ("empty")));
    assert_int_equal (e.code, ERR_DAMAGED);
    assert_int_equal (symlink (store_path, in ("link")), 0);
    assert_null (try_open (in ("link")));
    assert_null (store_open (store_path, &other, "EUROPOL/hq", &e));
    assert_int_equal (e.code, ERR_CONFIG);
    assert_null (store_open (store_path, &cast.dialogue, "EUROPOL/ec3", &e));
    assert_int_equal (e.code, ERR_CONFIG);
    assert_non_null (strstr (e.text, "EUROPOL/ec3"));
    run ("PRAGMA user_version = 999");
    assert_null (try_open (store_path));
    assert_int_equal (e.code, ERR_NEWER);
    run (schema_pragma());
    run ("UPDATE meta SET value = 'x' WHERE key = 'lane'");
    assert_null (try_open (store_path));
    assert_int_equal (e.code, ERR_DAMAGED);
    store_close (NULL);
    struct store *none = NULL;
    store_close (&none);
}

/* A store of the first schema is raised, with what it holds. */
static void test_older_schema (void **state) {
    (void) state;
    char hex[HASH_TEXT_MAX], meta[400];
    struct store *new_store = store;
    write_file (in ("old"), "", 0);
    store = mem_alloc (sizeof *store);
    assert_int_equal (sqlite3_open (in ("old"), &store->db), SQLITE_OK);
    run (store_schema);
    run (store_schema_audit);
    run (store_schema_text);
    snprintf (meta, sizeof meta,
              "INSERT INTO meta VALUES ('dialogue', '%s'),"
              " ('delegation', 'EUROPOL/hq'), ('lane', '0123456789abcdef');",
              hash_text (hex, &cast.dialogue));
    run (meta);
    run ("PRAGMA application_id = 0x50415259; PRAGMA user_version = 1;"
         "INSERT INTO drafts (created, updated, json) VALUES (1, 2, x'7b7d');"
         "INSERT INTO records (position, sequence, block, place, type,"
         "  log_time, channel, topic, leaf) VALUES"
         " (1, 1, 1, 1, 1, 1, 'all', 'all/align/X/X-a', x'00'),"
         " (2, 2, 1, 1, 1, 1, 'all', 'all/aligns/X/X-a', x'00'),"
         " (3, 3, 1, 1, 1, 1, 'all', 'all/x/align', x'00'),"
         " (4, 4, 1, 1, 1, 1, 'all', 'all/meeting', x'00'),"
         " (5, 5, 1, 1, 1, 1, 'all', 'align', x'00'),"
         " (6, 6, 1, 1, 2, 1, '$log', NULL, x'00')");
    store_close (&store);
    for (int i = 0; i < 2; i++) {
        store = try_open (in ("old"));
        assert_non_null (store);
        sqlite3_stmt *s =
            store_prepare (store, "SELECT json, topic, key FROM drafts");
        FINE (store_row (store, s, "draft", &e));
        assert_true (slice_is (column_slice (s, 0), "{}"));
        assert_int_equal (sqlite3_column_bytes (s, 1), 0);
        assert_int_equal (sqlite3_column_type (s, 2), SQLITE_NULL);
        s = store_prepare (store, "SELECT group_concat (position) FROM records"
                                  " WHERE about = 1");
        FINE (store_row (store, s, "records", &e));
        assert_true (slice_is (column_slice (s, 0), "1,4"));
        store_close (&store);
    }
    store = new_store;
}

/* A page that holds rows, overwritten. */
static void test_damaged_pages (void **state) {
    (void) state;
    static uint8_t noise[4096];
    memset (noise, 0xa5, sizeof noise);
    run ("PRAGMA wal_checkpoint (TRUNCATE)");
    store_close (&store);
    struct stat st;
    int fd = open (store_path, O_RDWR);
    assert_int_equal (fstat (fd, &st), 0);
    for (off_t at = 8192; at < st.st_size; at += 4096)
        assert_int_equal (pwrite (fd, noise, sizeof noise, at), sizeof noise);
    close (fd);
    assert_null (try_open (store_path));
    assert_int_equal (e.code, ERR_DAMAGED);
}

static void test_create (void **state) {
    (void) state;
    struct stat st;
    assert_int_equal (stat (store_path, &st), 0);
    assert_int_equal (st.st_mode & 0777, 0600);
    assert_int_equal (
        store_create (store_path, &cast.dialogue, "EUROPOL/hq", &e),
        ERR_EXISTS);
    assert_int_equal (
        store_create (in ("nowhere/store"), &cast.dialogue, "EUROPOL/hq", &e),
        ERR_NOT_FOUND);
    /* What a making that was cut off left is in nobody's way. */
    write_file (in ("second.new"), "half", 4);
    FINE (store_create (in ("second"), &cast.dialogue, "EUROPOL/hq", &e));
    assert_int_equal (access (in ("second.new"), F_OK), -1);
    struct store *second = try_open (in ("second"));
    assert_non_null (second);
    assert_true (store_lane (second) != store_lane (store));
    store_close (&second);
}

/* A state folder may be reached by a link (systemd's often is). */
static void test_folder_by_link (void **state) {
    (void) state;
    char link[300], path[320];
    snprintf (link, sizeof link, "%s-link", store_dir);
    snprintf (path, sizeof path, "%s/store", link);
    assert_int_equal (symlink (store_dir, link), 0);
    struct store *by_link = try_open (path);
    enum err rc = store_create (path, &cast.dialogue, "EUROPOL/hq", NULL);
    unlink (link);
    if (!by_link)
        fail_msg ("%s", e.text);
    assert_int_equal (rc, ERR_EXISTS);
    store_close (&by_link);
}

static void test_durable (void **state) {
    (void) state;
    assert_int_equal (store_number ("PRAGMA synchronous"), 2);
    sqlite3_stmt *s = store_prepare (store, "PRAGMA journal_mode");
    FINE (store_row (store, s, "mode", &e));
    assert_true (slice_is (column_slice (s, 0), "wal"));
    sqlite3_reset (s);
}

static void test_meta_and_lane (void **state) {
    (void) state;
    assert_null (store_meta (store, "roster"));
    FINE (store_set_meta (store, "roster", "one", &e));
    FINE (store_set_meta (store, "roster", "two", &e));
    uint64_t first = store_lane (store), lane;
    struct store *other = try_open (store_path);
    assert_int_equal (store_lane (other), first);
    FINE (store_new_lane (store, &lane, &e));
    assert_true (lane != first);
    assert_int_equal (store_lane (other), lane); /* not as it was opened */
    store_close (&other);
    store_reopen();
    assert_int_equal (store_lane (store), lane);
    char *value = store_meta (store, "roster");
    assert_string_equal (value, "two");
    free (value);
}

static void test_transactions (void **state) {
    (void) state;
    FINE (store_begin (store, &e));
    assert_int_not_equal (store_begin (store, &e), ERR_NONE);
    FINE (store_set_meta (store, "a", "1", &e));
    store_rollback (store);
    store_rollback (store); /* nothing to do */
    assert_null (store_meta (store, "a"));
    FINE (store_begin (store, &e));
    FINE (store_set_meta (store, "a", "1", &e));
    assert_int_equal (store_end (store, ERR_LIMIT, &e), ERR_LIMIT);
    assert_null (store_meta (store, "a"));
    FINE (store_begin (store, &e));
    FINE (store_set_meta (store, "a", "1", &e));
    FINE (store_end (store, ERR_NONE, &e));
    store_reopen();
    char *value = store_meta (store, "a");
    assert_string_equal (value, "1");
    free (value);
}

static void test_groups (void **state) {
    (void) state;
    FINE (store_group_begin (store, &e));
    FINE (store_begin (store, &e));
    FINE (store_set_meta (store, "a", "1", &e));
    FINE (store_commit (store, &e));
    FINE (store_begin (store, &e));
    FINE (store_set_meta (store, "a", "2", &e));
    FINE (store_set_meta (store, "b", "2", &e));
    store_rollback (store);
    char *value = store_meta (store, "a"); /* the part before is seen */
    assert_string_equal (value, "1");
    free (value);
    assert_null (store_meta (store, "b"));
    struct store *other = try_open (store_path);
    assert_null (store_meta (other, "a")); /* not by others yet */
    other->wait_ms = 0;
    assert_int_equal (store_begin (other, &e), ERR_TIMEOUT);
    FINE (store_group_end (store, &e));
    value = store_meta (other, "a");
    assert_non_null (value);
    free (value);

    FINE (store_group_begin (store, &e));
    FINE (store_begin (store, &e));
    FINE (store_set_meta (store, "a", "3", &e));
    FINE (store_commit (store, &e));
    store_group_drop (store);
    value = store_meta (store, "a");
    assert_string_equal (value, "1");
    free (value);
    FINE (store_begin (other, &e)); /* it has let go */
    store_rollback (other);
    store_close (&other);
}

/* SQLite may drop all by itself: no part is taken for a whole then. */
static void test_lost_group (void **state) {
    (void) state;
    FINE (store_group_begin (store, &e));
    FINE (store_begin (store, &e));
    FINE (store_set_meta (store, "a", "1", &e));
    sqlite3_exec (store->db, "ROLLBACK", NULL, NULL, NULL);
    assert_int_equal (store_commit (store, &e), ERR_IO);
    assert_int_equal (store_begin (store, &e), ERR_IO);
    store_rollback (store);
    assert_int_equal (store_group_end (store, &e), ERR_IO);
    assert_null (store_meta (store, "a"));
    FINE (store_begin (store, &e));
    store_rollback (store);
}

static void test_statements (void **state) {
    (void) state;
    static const char sql[] = "SELECT key FROM meta WHERE key = ?";
    sqlite3_stmt *s = store_prepare (store, sql);
    bind_text (s, 1, slice_text ("lane"));
    FINE (store_row (store, s, "test", &e));
    assert_true (slice_is (column_slice (s, 0), "lane"));
    /* Given again: reset, and nothing bound. */
    assert_ptr_equal (store_prepare (store, sql), s);
    assert_int_equal (store_row (store, s, "test", &e), ERR_NOT_FOUND);
}

static void test_errors (void **state) {
    (void) state;
    struct store *other = try_open (store_path);
    other->wait_ms = 0;
    FINE (store_begin (store, &e));
    assert_int_equal (store_begin (other, &e), ERR_TIMEOUT);
    assert_non_null (strstr (e.text, "BEGIN IMMEDIATE"));
    store_rollback (store);
    store_close (&other);
    struct store *reader = store_open_reader (store_path, &e);
    assert_non_null (reader);
    assert_int_not_equal (store_set_meta (reader, "a", "1", &e), ERR_NONE);
    char *value = store_meta (reader, "delegation");
    assert_string_equal (value, "EUROPOL/hq");
    free (value);
    store_close (&reader);
    assert_null (store_open_reader (in ("nowhere"), &e));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    struct slice note = slice_text ("note");
    FINE (store_add_roster (store, 1, 0, note, &e));
    assert_int_equal (store_add_roster (store, 2, 0, note, &e), ERR_EXISTS);
    store_full (true);
    static char big[100000];
    memset (big, 'x', sizeof big - 1);
    assert_int_equal (store_set_meta (store, "big", big, &e), ERR_NO_SPACE);
    store_full (false);
    FINE (store_set_meta (store, "big", big, &e));
}

/* Rosters and notices */

struct rosters {
    int calls, stop_at;
};

static enum err roster_seen (void *arg, int64_t version, int64_t sequence,
                             struct slice note, struct error *why) {
    struct rosters *self = arg;
    char want[20];
    assert_int_equal (version, ++self->calls);
    assert_int_equal (sequence, 10 * version);
    snprintf (want, sizeof want, "note %d", (int) version);
    assert_true (slice_is (note, want));
    return self->calls == self->stop_at ? error_set (why, ERR_CHAIN, "stop")
                                        : ERR_NONE;
}

static void test_rosters (void **state) {
    (void) state;
    struct rosters all = { 0 };
    FINE (store_rosters (store, roster_seen, &all, &e));
    assert_int_equal (all.calls, 0);
    for (int i = 3; i >= 1; i--) {
        char note[20];
        snprintf (note, sizeof note, "note %d", i);
        FINE (store_add_roster (store, i, 10 * i, slice_text (note), &e));
    }
    FINE (store_add_roster (store, 2, 20, slice_text ("other"), &e));
    FINE (store_rosters (store, roster_seen, &all, &e));
    assert_int_equal (all.calls, 3);
    all = (struct rosters){ .stop_at = 2 };
    assert_int_equal (store_rosters (store, roster_seen, &all, &e), ERR_CHAIN);
    assert_int_equal (all.calls, 2);
}

static void notice_seen (void *arg, const struct store_notice *n) {
    assert_true (n->number > 0 && n->ms <= clock_wall_ms());
    sprintf ((char *) arg + strlen (arg), "%s%s %s %d%s; ", n->alarm ? "!" : "",
             n->kind, n->text, (int) n->count,
             n->acknowledged_ms > 0 ? " seen" : "");
}

static void test_notices (void **state) {
    (void) state;
    static uint8_t evidence[17000000];
    char text[300] = "";
    struct slice none = { 0 };
    FINE (store_notice (store, "BAD-BLOCK", true, "a", slice_of (evidence, 9),
                        &e));
    FINE (store_notice (store, "GAP", false, "b", none, &e));
    FINE (store_notice (store, "GAP", false, "c",
                        slice_of (evidence, sizeof evidence), &e));
    FINE (store_notice (store, "GAP", false, "b", none, &e));
    FINE (store_notices (store, notice_seen, text, &e));
    assert_string_equal (text, "!BAD-BLOCK a 1; GAP c 1; GAP b 2; ");
    assert_int_equal (store_alarms (store), 1);
    /* Somebody has looked: it stays, behind those that nobody saw. */
    FINE (store_acknowledge (store, 1, &e));
    int64_t when = store_number ("SELECT acknowledged FROM notices"
                                 " WHERE number = 1");
    FINE (store_acknowledge (store, 1, &e));
    assert_int_equal (store_number ("SELECT acknowledged FROM notices"
                                    " WHERE number = 1"),
                      when);
    assert_int_equal (store_acknowledge (store, 99, &e), ERR_NOT_FOUND);
    assert_int_equal (store_alarms (store), 0);
    FINE (store_notice (store, "BAD-BLOCK", true, "a", none, &e));
    assert_int_equal (store_alarms (store), 0); /* the same once more */
    FINE (store_notice (store, "BAD-BLOCK", true, "z", none, &e));
    text[0] = '\0';
    FINE (store_notices (store, notice_seen, text, &e));
    assert_string_equal (text, "!BAD-BLOCK z 1; !BAD-BLOCK a 2 seen; GAP c 1; "
                               "GAP b 2; ");
    assert_int_equal (
        store_number ("SELECT MAX(length(evidence)) FROM notices"), 16777216);
}

/* A broker that says something else wrong each time. */
static void test_notices_bounded (void **state) {
    (void) state;
    static uint8_t evidence[1000];
    char text[40];
    for (int i = 0; i < 3 * STORE_NOTICES_A_KIND; i++) {
        snprintf (text, sizeof text, "wrong %d", i);
        FINE (store_notice (store, "BAD-BLOCK", true, text,
                            slice_of (evidence, sizeof evidence), &e));
    }
    FINE (store_notice (store, "BAD-BLOCK", true, "wrong 0",
                        (struct slice){ 0 }, &e));
    FINE (store_notice (store, "OTHER", true, "x",
                        slice_of (evidence, sizeof evidence), &e));
    assert_int_equal (
        store_number ("SELECT COUNT(*) FROM notices WHERE kind = 'BAD-BLOCK'"),
        STORE_NOTICES_A_KIND + 1);
    assert_int_equal (
        store_number ("SELECT SUM(length(evidence)) FROM notices"),
        1000 * (STORE_NOTICES_A_KIND + 1));
    assert_int_equal (
        store_number (
            "SELECT MAX(count) FROM notices WHERE kind = 'BAD-BLOCK'"),
        2 * STORE_NOTICES_A_KIND);
    assert_int_equal (
        store_number ("SELECT count FROM notices WHERE text = 'wrong 0'"), 2);
}

static void test_runs (void **state) {
    (void) state;
    char first[STORE_RUN_MAX], second[STORE_RUN_MAX];
    FINE (store_begin_run (store, first, &e));
    assert_int_equal (strlen (first), STORE_RUN_MAX - 1);
    /* The newest run goes on; one that nobody began is another store's. */
    assert_int_equal (store_common (store, first, 0), 0);
    assert_int_equal (store_common (store, first, 1000), 1000);
    assert_int_equal (store_common (store, "0123456789abcdef", 5), 0);
    assert_int_equal (store_common (store, "", 5), 0);
    /* It ended where the next one begins: no record came in between. */
    FINE (store_begin_run (store, second, &e));
    assert_string_not_equal (first, second);
    assert_int_equal (store_common (store, first, 1), 0);
    assert_int_equal (store_common (store, second, 1), 1);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        T (test_strange_files),   T (test_older_schema),
        T (test_damaged_pages),   T (test_create),
        T (test_folder_by_link),  T (test_durable),
        T (test_meta_and_lane),   T (test_transactions),
        T (test_groups),          T (test_lost_group),
        T (test_statements),      T (test_errors),
        T (test_rosters),         T (test_notices),
        T (test_notices_bounded), T (test_runs),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
