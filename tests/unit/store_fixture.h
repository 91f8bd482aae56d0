/* A store in a folder of its own, for each test; and the cast that writes what
 * is put into it. */
#ifndef PARLEY_STORE_FIXTURE_H
#define PARLEY_STORE_FIXTURE_H

#include "block_fixture.h"

#include "store/store_impl.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct cast cast;
static struct store *store;
static struct error e;
static char store_dir[256], store_path[300];

/* Fine, or the text of what was wrong. */
#define FINE(call)                                                             \
    do {                                                                       \
        if (call)                                                              \
            fail_msg ("%s: %s", #call, e.text);                                \
    } while (0)

FIXTURE_UNUSED static void store_reopen (void) {
    store_close (&store);
    store = store_open (store_path, &cast.dialogue, "EUROPOL/hq", &e);
    if (!store)
        fail_msg ("%s", e.text);
}

FIXTURE_UNUSED static int store_begin_test (void **state) {
    (void) state;
    const char *base = getenv ("TMPDIR");
    snprintf (store_dir, sizeof store_dir, "%s/parley-store-XXXXXX",
              base ? base : "/tmp");
    if (!mkdtemp (store_dir))
        return -1;
    snprintf (store_path, sizeof store_path, "%s/store", store_dir);
    e = (struct error){ 0 };
    FINE (store_create (store_path, &cast.dialogue, "EUROPOL/hq", &e));
    store_reopen();
    return 0;
}

FIXTURE_UNUSED static int store_end_test (void **state) {
    (void) state;
    store_close (&store);
    DIR *d = opendir (store_dir);
    for (struct dirent *one; d && (one = readdir (d)) != NULL;)
        if (one->d_name[0] != '.')
            unlinkat (dirfd (d), one->d_name, 0);
    if (d)
        closedir (d);
    return rmdir (store_dir);
}

FIXTURE_UNUSED static int cast_begin_tests (void **state) {
    (void) state;
    cast_begin (&cast);
    return 0;
}

FIXTURE_UNUSED static int cast_end_tests (void **state) {
    (void) state;
    cast_end (&cast);
    return 0;
}

/* The one number that a literal statement gives. */
FIXTURE_UNUSED static int64_t store_number (const char *sql) {
    sqlite3_stmt *s = store_prepare (store, sql);
    FINE (store_row (store, s, sql, &e));
    int64_t out = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return out;
}

/* No more pages than it has now, or as many as it likes. */
FIXTURE_UNUSED static void store_full (bool full) {
    char sql[64];
    snprintf (sql, sizeof sql, "PRAGMA max_page_count = %d",
              full ? 1 : 1000000);
    assert_int_equal (sqlite3_exec (store->db, sql, NULL, NULL, NULL),
                      SQLITE_OK);
}

#endif
