/* checkpoints: what is kept of the settled ones, handovers, more lines; the
 * verified one; a witness's memory, also after it was closed. */
#include "store_fixture.h"

#include "store/checkpoints.h"

#define HOUR 3600000
#define START INT64_C (1764000000000)

static struct identity *broker, *witness;
static struct checkpoint cp;
static struct buf note;

static void make (const char *origin, int64_t size, char root) {
    cp = (struct checkpoint){ .size = size };
    snprintf (cp.origin, sizeof cp.origin, "%s", origin);
    memset (&cp.root, root, sizeof cp.root);
    buf_clear (&note);
    checkpoint_sign (&cp, broker, &note);
}

static enum err settle (int64_t size, int64_t time, int64_t roster,
                        bool handover) {
    make ("example.org/x/1", size, 'r');
    return checkpoints_settle (store, &cp, time, roster, handover,
                               buf_slice (&note), &e);
}

static int64_t newest (void) {
    struct checkpoint_row row;
    FINE (checkpoints_newest (store, &row, NULL, &e));
    return row.checkpoint.size;
}

static int64_t covering (int64_t sequence) {
    struct checkpoint_row row;
    enum err rc = checkpoints_covering (store, sequence, &row, NULL, &e);
    if (rc)
        assert_int_equal (rc, ERR_NOT_FOUND);
    return rc ? -1 : row.checkpoint.size;
}

static void test_nothing (void **state) {
    (void) state;
    struct checkpoint_row row;
    struct buf out = { 0 };
    assert_int_equal (checkpoints_newest (store, &row, &out, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (checkpoints_covering (store, 0, &row, &out, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (checkpoints_verified (store, &row.checkpoint, &out, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (out.size, 0);
    make ("example.org/x/1", 5, 'r');
    assert_int_equal (checkpoints_settle (store, &cp, START, 1, false,
                                          slice_text ("no note"), &e),
                      ERR_MALFORMED);
}

static void test_settled (void **state) {
    (void) state;
    FINE (settle (5, START, 1, true));
    FINE (settle (9, START + 1000, 1, false));
    assert_int_equal (newest(), 9);
    assert_int_equal (covering (0), 5);
    assert_int_equal (covering (4), 5);
    assert_int_equal (covering (5), 9);
    assert_int_equal (covering (8), 9);
    assert_int_equal (covering (9), -1);
    struct checkpoint_row row;
    struct buf out = { 0 };
    store_reopen();
    FINE (checkpoints_newest (store, &row, &out, &e));
    assert_true (slice_equal (buf_slice (&out), buf_slice (&note)));
    assert_true (checkpoint_equal (&row.checkpoint, &cp));
    assert_int_equal (row.time, START + 1000);
    assert_int_equal (row.roster_version, 1);
    buf_free (&out);
}

/* An epoch may begin below the end of the one before it. */
static void test_epoch (void **state) {
    (void) state;
    FINE (settle (50, START, 3, true));
    make ("example.org/x/2", 40, 's');
    FINE (checkpoints_settle (store, &cp, START + 1, 4, true, buf_slice (&note),
                              &e));
    assert_int_equal (newest(), 40);
}

static void test_more_lines (void **state) {
    (void) state;
    FINE (settle (5, START, 1, false));
    size_t short_size = note.size;
    checkpoint_cosign (&cp, witness, START / 1000, &note);
    FINE (checkpoints_settle (store, &cp, START + 70000, 1, false,
                              buf_slice (&note), &e));
    struct checkpoint_row row;
    struct buf out = { 0 };
    FINE (checkpoints_newest (store, &row, &out, &e));
    assert_int_equal (out.size, note.size);
    assert_int_equal (row.time, START);
    buf_clear (&out);
    FINE (checkpoints_settle (store, &cp, START, 1, false,
                              slice_of (note.data, short_size), &e));
    FINE (checkpoints_newest (store, &row, &out, &e));
    assert_int_equal (out.size, note.size);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM checkpoints"), 1);
    buf_free (&out);
}

/* Two a second for three hours, one handover within a minute. */
static void test_pruning (void **state) {
    (void) state;
    FINE (store_begin (store, &e));
    for (int64_t i = 0; i < 3 * HOUR / 500; i++)
        FINE (settle (i + 1, START + 500 * i, 1 + (i >= 31), i == 31));
    FINE (store_commit (store, &e));
    int64_t rows = store_number ("SELECT COUNT (*) FROM checkpoints");
    assert_in_range (rows, 7200 + 119, 7200 + 123);
    assert_int_equal (covering (30), 32);
    assert_int_equal (covering (32), 121);
    assert_int_equal (covering (130), 241);
    assert_int_equal (covering (3 * HOUR / 500 - 100), 3 * HOUR / 500 - 99);
}

static void test_verified (void **state) {
    (void) state;
    struct checkpoint out;
    struct buf octets = { 0 };
    for (int64_t size = 5; size < 20; size += 7) {
        make ("example.org/x/1", size, 'r');
        FINE (checkpoints_verify (store, &cp, buf_slice (&note), &e));
    }
    store_reopen();
    FINE (checkpoints_verified (store, &out, &octets, &e));
    assert_true (checkpoint_equal (&out, &cp));
    assert_true (slice_equal (buf_slice (&octets), buf_slice (&note)));
    assert_int_equal (store_number ("SELECT COUNT (*) FROM verified"), 1);
    buf_free (&octets);
}

static enum err cosign (const char *origin, int64_t size, char root) {
    make (origin, size, root);
    enum err rc = checkpoints_cosign (store, &cp, &e);
    store_reopen();
    return rc;
}

static void test_witness (void **state) {
    (void) state;
    static const struct {
        const char *origin;
        int64_t size;
        char root;
        enum err want;
    } steps[] = {
        { "example.org/x/1", 5, 'a', ERR_NONE },
        { "example.org/x/1", 5, 'a', ERR_NONE },
        { "example.org/x/1", 5, 'b', ERR_CHAIN },
        { "example.org/x/1", 4, 'a', ERR_CHAIN },
        { "example.org/x/1", 9, 'c', ERR_NONE },
        { "example.org/x/1", 8, 'a', ERR_CHAIN },
        { "example.org/x/1", 9, 'a', ERR_CHAIN },
        { "example.org/x/2", 7, 'a', ERR_NONE }, /* another epoch */
        { "example.org/x/2", 6, 'a', ERR_CHAIN },
        { "example.org/x/1", 9, 'c', ERR_NONE },
        { "example.org/x/1", 10, 'd', ERR_NONE },
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        assert_int_equal (
            cosign (steps[i].origin, steps[i].size, steps[i].root),
            steps[i].want);
    int64_t size;
    FINE (checkpoints_cosigned (store, "example.org/x/2", &size, &e));
    assert_int_equal (size, 7);
    FINE (checkpoints_cosigned (store, "example.org/x/3", &size, &e));
    assert_int_equal (size, -1);
    assert_int_equal (cosign ("example.org/x/1", 9, 'c'), ERR_CHAIN);
    assert_non_null (strstr (e.text, "this witness cosigned size 10"));
}

static void test_disk (void **state) {
    (void) state;
    make ("example.org/x/1", 5, 'a');
    store_full (true);
    /* As many origins as the pages there take. */
    enum err rc = ERR_NONE;
    for (int i = 0; !rc && i < 1000; i++) {
        snprintf (cp.origin, sizeof cp.origin, "example.org/%d/%0150d/1", i, 7);
        rc = checkpoints_cosign (store, &cp, &e);
    }
    assert_int_equal (rc, ERR_NO_SPACE);
    int64_t size;
    store_full (false);
    FINE (checkpoints_cosigned (store, cp.origin, &size, &e));
    assert_int_equal (size, -1);
}

static int begin (void **state) {
    broker = identity_new (IDENTITY_BROKER, "ops", &e);
    witness = identity_new (IDENTITY_DELEGATION, "FRONTEX/hq", &e);
    return broker && witness ? cast_begin_tests (state) : -1;
}

static int end (void **state) {
    identity_destroy (&broker);
    identity_destroy (&witness);
    buf_free (&note);
    return cast_end_tests (state);
}

#define TEST(f)                                                                \
    cmocka_unit_test_setup_teardown (f, store_begin_test, store_end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (test_nothing),    TEST (test_settled), TEST (test_epoch),
        TEST (test_more_lines), TEST (test_pruning), TEST (test_verified),
        TEST (test_witness),    TEST (test_disk),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
