/* hashes: against naive trees, with covers in front and within, over the
 * borders of tiles, cut, and rolled back. */
#include "store_fixture.h"

#include "store/hashes.h"

#define NAME "members"
#define LEAVES_MAX 140000

static struct hash *leaves; /* LEAVES_MAX, made once */

static struct hash root_at (const char *name, uint64_t size) {
    struct hash out;
    FINE (hashes_root (store, name, size, &out, &e));
    return out;
}

static void roots_are (const char *name, uint64_t size) {
    struct hash want = tree_root_of (leaves, size), have = root_at (name, size);
    if (!hash_equal (&want, &have))
        fail_msg ("tree '%s' has another root at %d", name, (int) size);
}

static void add (const char *name, uint64_t from, uint64_t to) {
    FINE (store_begin (store, &e));
    FINE (hashes_add (store, name, leaves + from, to - from, &e));
    FINE (store_commit (store, &e));
}

/* The naive cover of [from, to). */
static size_t cover_of (uint64_t from, uint64_t to,
                        struct hash out[TREE_COVER_MAX]) {
    size_t n = 0;
    while (from < to) {
        uint64_t size = 1;
        while (from % (2 * size) == 0 && from + 2 * size <= to)
            size *= 2;
        out[n++] = tree_root_of (leaves + from, size);
        from += size;
    }
    return n;
}

static void add_cover (const char *name, uint64_t from, uint64_t to) {
    struct hash cover[TREE_COVER_MAX];
    size_t length = cover_of (from, to, cover);
    FINE (store_begin (store, &e));
    FINE (hashes_add_cover (store, name, to, cover, length, &e));
    FINE (store_commit (store, &e));
}

static void test_nothing (void **state) {
    (void) state;
    struct tree tree;
    struct hash h, none = hash_sha256 ((struct slice){ 0 });
    FINE (hashes_tree (store, NAME, &tree, &e));
    assert_int_equal (tree.size, 0);
    h = root_at (NAME, 0);
    assert_memory_equal (&h, &none, sizeof h);
    assert_int_equal (hashes_root (store, NAME, 1, &h, &e), ERR_NOT_FOUND);
    assert_int_equal (hashes_leaf (store, NAME, 0, &h, &e), ERR_NOT_FOUND);
    assert_int_equal (hashes_cut (store, NAME, 1, &e), ERR_NOT_FOUND);
    FINE (hashes_add (store, NAME, leaves, 0, &e));
    FINE (hashes_tree (store, NAME, &tree, &e));
    assert_int_equal (tree.size, 0);
}

static void test_sizes (void **state) {
    (void) state;
    static const uint64_t steps[] = { 1,     2,     3,     200,    255,   256,
                                      257,   511,   512,   600,    900,   65535,
                                      65536, 65537, 66000, 131072, 131073 };
    uint64_t before = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        add (HASHES_LEDGER, before, steps[i]);
        before = steps[i];
        roots_are (HASHES_LEDGER, before);
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        roots_are (HASHES_LEDGER, steps[i]);
    for (uint64_t size = 1; size < before; size = size * 3 + 1)
        roots_are (HASHES_LEDGER, size);
    store_reopen();
    roots_are (HASHES_LEDGER, 65537);
    struct hash *read = mem_alloc (before * sizeof *read);
    FINE (hashes_leaves (store, HASHES_LEDGER, 100, before - 100, read, &e));
    assert_memory_equal (read, leaves + 100, (before - 100) * sizeof *read);
    FINE (hashes_leaf (store, HASHES_LEDGER, before - 1, read, &e));
    assert_memory_equal (read, leaves + before - 1, sizeof *read);
    assert_int_equal (hashes_leaf (store, HASHES_LEDGER, before, read, &e),
                      ERR_NOT_FOUND);
    free (read);
}

/* One of many readers: proofs that others check. */
static void test_proofs (void **state) {
    (void) state;
    struct hashes_source at;
    struct tree_source source = hashes_source (&at, store, NAME);
    add (NAME, 0, 1500);
    struct hash root = root_at (NAME, 1500);
    for (uint64_t index = 0; index < 1500; index += 37) {
        struct hash path[TREE_PATH_MAX], found;
        size_t length;
        FINE (tree_inclusion (&source, index, 1500, path, &length, &e));
        FINE (
            tree_path_root (&leaves[index], index, 1500, path, length, &found));
        assert_memory_equal (&found, &root, sizeof root);
    }
}

/* A few trees beside each other, in small steps. */
static void test_names (void **state) {
    (void) state;
    for (uint64_t at = 0; at < 700; at += 7) {
        add ("a", at, at + 7);
        add ("b", at / 7, at / 7 + 1);
    }
    roots_are ("a", 700);
    roots_are ("b", 100);
    roots_are ("a", 300);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM tiles"), 3 + 1 + 1);
}

static void test_covers (void **state) {
    (void) state;
    static const struct {
        uint64_t from, to, end;
    } cases[] = {
        { 0, 1, 5 },         { 0, 5, 9 },           { 0, 256, 300 },
        { 0, 300, 700 },     { 3, 4, 8 },           { 5, 999, 1500 },
        { 255, 257, 600 },   { 256, 512, 1100 },    { 100, 70000, 70300 },
        { 0, 65536, 65600 }, { 1, 131071, 131200 }, { 250, 600, 601 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[16];
        struct hash h;
        uint64_t from = cases[i].from, to = cases[i].to, end = cases[i].end;
        snprintf (name, sizeof name, "tree%zu", i);
        add (name, 0, from);
        add_cover (name, from, to);
        roots_are (name, to);
        add (name, to, end);
        roots_are (name, end);
        for (uint64_t size = to; size < end; size += 1 + (end - to) / 9)
            roots_are (name, size);
        for (uint64_t size = 0; size <= from; size += 1 + from / 5)
            roots_are (name, size);
        assert_int_equal (hashes_leaf (store, name, to - 1, &h, &e),
                          to - from == 1 || to % 2 ? 0 : ERR_STATE);
        FINE (hashes_leaf (store, name, to, &h, &e));
        assert_memory_equal (&h, &leaves[to], sizeof h);
    }
    struct hash h;
    assert_int_equal (hashes_root (store, "tree5", 500, &h, &e), ERR_STATE);
    assert_non_null (strstr (e.text, "within a cover"));
}

static void test_bad_covers (void **state) {
    (void) state;
    struct hash cover[TREE_COVER_MAX];
    add (NAME, 0, 10);
    size_t length = cover_of (10, 40, cover);
    static const uint64_t to[] = { 0, 9, 10, 41, UINT64_MAX };
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        FINE (store_begin (store, &e));
        assert_int_equal (
            hashes_add_cover (store, NAME, to[i], cover, length, &e),
            ERR_MALFORMED);
        store_rollback (store);
    }
    roots_are (NAME, 10);
}

static void test_cut (void **state) {
    (void) state;
    static const uint64_t sizes[] = { 69999, 65537, 65536, 65535, 700,
                                      512,   511,   256,   1,     0 };
    add (NAME, 0, 70000);
    add ("other", 0, 300);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct hash h;
        FINE (store_begin (store, &e));
        FINE (hashes_cut (store, NAME, sizes[i], &e));
        FINE (store_commit (store, &e));
        roots_are (NAME, sizes[i]);
        assert_int_equal (hashes_root (store, NAME, sizes[i] + 1, &h, &e),
                          ERR_NOT_FOUND);
        add (NAME, sizes[i], 70000);
        roots_are (NAME, 70000);
        roots_are (NAME, 66000);
    }
    roots_are ("other", 300);
    FINE (hashes_cut (store, NAME, 0, &e));
    assert_int_equal (store_number ("SELECT COUNT (*) FROM tiles"), 3);
}

static void test_cut_covers (void **state) {
    (void) state;
    add (NAME, 0, 5);
    add_cover (NAME, 5, 50);
    add (NAME, 50, 60);
    assert_int_equal (hashes_cut (store, NAME, 20, &e), ERR_STATE);
    FINE (hashes_cut (store, NAME, 50, &e));
    roots_are (NAME, 50);
    FINE (hashes_cut (store, NAME, 5, &e));
    assert_int_equal (store_number ("SELECT COUNT (*) FROM covers"), 0);
    add (NAME, 5, 60);
    roots_are (NAME, 60);
    roots_are (NAME, 20);
}

static void test_rollback (void **state) {
    (void) state;
    add (NAME, 0, 300);
    FINE (store_begin (store, &e));
    FINE (hashes_add (store, NAME, leaves + 300, 400, &e));
    roots_are (NAME, 700); /* its own transaction sees it */
    store_rollback (store);
    struct hash h;
    assert_int_equal (hashes_root (store, NAME, 301, &h, &e), ERR_NOT_FOUND);
    roots_are (NAME, 300);
    add (NAME, 300, 800);
    roots_are (NAME, 800);
    FINE (store_begin (store, &e));
    store_full (true);
    assert_int_equal (hashes_add (store, NAME, leaves + 800, 90000, &e),
                      ERR_NO_SPACE);
    store_full (false);
    store_rollback (store);
    roots_are (NAME, 800);
}

/* Only the last tile of a level is written: not more octets for a larger tree. */
static void test_cheap (void **state) {
    (void) state;
    add (NAME, 0, 66000);
    int64_t before = sqlite3_total_changes (store->db);
    add (NAME, 66000, 66040);
    assert_int_equal (sqlite3_total_changes (store->db) - before, 2);
}

static void test_damaged (void **state) {
    (void) state;
    struct hash h;
    add (NAME, 0, 300);
    assert_int_equal (sqlite3_exec (store->db, "UPDATE trees SET stack = x'00'",
                                    NULL, NULL, NULL),
                      SQLITE_OK);
    assert_int_equal (hashes_root (store, NAME, 5, &h, &e), ERR_DAMAGED);
    assert_int_equal (hashes_add (store, NAME, leaves, 1, &e), ERR_DAMAGED);
}

static int begin (void **state) {
    leaves = mem_alloc (LEAVES_MAX * sizeof *leaves);
    for (uint32_t i = 0; i < LEAVES_MAX; i++)
        leaves[i] = hash_sha256 (slice_of (&i, sizeof i));
    return cast_begin_tests (state);
}

static int end (void **state) {
    free (leaves);
    return cast_end_tests (state);
}

#define TEST(f)                                                                \
    cmocka_unit_test_setup_teardown (f, store_begin_test, store_end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (test_nothing), TEST (test_sizes),      TEST (test_proofs),
        TEST (test_names),   TEST (test_covers),     TEST (test_bad_covers),
        TEST (test_cut),     TEST (test_cut_covers), TEST (test_rollback),
        TEST (test_cheap),   TEST (test_damaged),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
