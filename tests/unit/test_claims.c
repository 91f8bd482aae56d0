/* claims: what is kept of proved claims, and for how long. */
#include "store_fixture.h"

#include "store/claims.h"

#define MINUTE INT64_C (60000)
#define DAY (1440 * MINUTE)

static void keep (const char *stream, int64_t mark, int64_t time, bool roster) {
    struct mark_claim claim = { .stream = { .name = slice_text (stream),
                                            .last = mark - 1,
                                            .count = mark },
                                .index = 1,
                                .path_length = 2 };
    FINE (store_begin (store, &e));
    enum err rc = claims_keep (store, mark, time, roster, &claim, &e);
    if (!rc)
        rc = claims_prune (store, time, &e);
    FINE (store_end (store, rc, &e));
}

static int64_t count_of (struct slice octets) {
    struct mp in;
    struct mark_claim claim;
    mp_start (&in, octets);
    mark_claim_take (&in, &claim);
    FINE (mp_finish (&in, &e));
    return claim.stream.count;
}

static void test_get (void **state) {
    (void) state;
    struct buf out = { 0 };
    int64_t mark;
    assert_int_equal (claims_get (store, "all", 7, &out, &e), ERR_NOT_FOUND);
    assert_int_equal (claims_newest (store, "all", 7, &mark, &out, &e),
                      ERR_NOT_FOUND);
    keep ("all", 7, BUILD_TIME, false);
    keep ("all", 7, BUILD_TIME, false);
    keep ("core", 8, BUILD_TIME, true);
    assert_int_equal (claims_get (store, "all", 8, &out, &e), ERR_NOT_FOUND);
    assert_int_equal (claims_get (store, "core", 7, &out, &e), ERR_NOT_FOUND);
    assert_int_equal (out.size, 0);
    FINE (claims_get (store, "all", 7, &out, &e));
    assert_int_equal (count_of (buf_slice (&out)), 7);
    buf_clear (&out);
    FINE (claims_newest (store, "all", 100, &mark, &out, &e));
    assert_int_equal (mark, 7);
    assert_int_equal (claims_newest (store, "all", 6, &mark, &out, &e),
                      ERR_NOT_FOUND);
    buf_free (&out);
}

static enum err seen (void *arg, int64_t mark, struct slice claim,
                      struct error *why) {
    struct buf *text = arg;
    buf_add_format (text, "%" PRId64 ":%" PRId64 " ", mark, count_of (claim));
    return mark == 9 ? error_set (why, ERR_STATE, "enough") : ERR_NONE;
}

static void test_each (void **state) {
    (void) state;
    struct buf text = { 0 };
    static const char *const streams[] = { "core", "@EUROPOL", "all" };
    for (int64_t mark = 3; mark < 7; mark += 3)
        for (size_t i = 0; i < 3; i++)
            keep (streams[i], mark, BUILD_TIME + mark, false);
    FINE (claims_each (store, 4, 5, seen, &text, &e));
    assert_int_equal (text.size, 0);
    FINE (claims_each (store, 3, -1, seen, &text, &e));
    assert_true (slice_is (buf_slice (&text), "3:3 3:3 3:3 6:6 6:6 6:6 "));
    buf_clear (&text);
    keep ("all", 9, BUILD_TIME + 9, false);
    keep ("core", 9, BUILD_TIME + 9, false);
    assert_int_equal (claims_each (store, 6, 9, seen, &text, &e), ERR_STATE);
    assert_true (slice_is (buf_slice (&text), "6:6 6:6 6:6 9:9 "));
    buf_free (&text);
}

/* A mark each ten minutes for three days, a roster each 100 minutes. */
static void test_prune (void **state) {
    (void) state;
    int64_t start = BUILD_TIME; /* a full hour */
    for (int64_t i = 0; i < 432; i++) {
        keep ("all", i + 1, start + 10 * MINUTE * i, i % 10 == 5);
        if (i % 50 == 0) /* the rare stream is thinned out by its own hours */
            keep ("core", i + 1, start + 10 * MINUTE * i, false);
    }
    int64_t last = start + 10 * MINUTE * 431;
    char sql[200];
    assert_int_equal (
        store_number ("SELECT COUNT (*) FROM claims WHERE roster"), 43);
    assert_int_equal (
        store_number ("SELECT COUNT (*) FROM claims WHERE stream = 'core'"), 9);
    snprintf (sql, sizeof sql, "%" PRId64, last - DAY);
    /* Each of the last day; of the two before it one an hour. */
    sqlite3_stmt *s = store_prepare (
        store, "SELECT SUM (time >= ?1), SUM (time < ?1),"
               " COUNT (DISTINCT CASE WHEN time < ?1 THEN time / 3600000 END)"
               " FROM claims WHERE stream = 'all' AND roster = 0");
    sqlite3_bind_int64 (s, 1, last - DAY);
    FINE (store_row (store, s, "claims", &e));
    assert_int_equal (sqlite3_column_int64 (s, 0), 145 - 14);
    assert_int_equal (sqlite3_column_int64 (s, 1), sqlite3_column_int64 (s, 2));
    assert_int_equal (sqlite3_column_int64 (s, 2), 48);
    sqlite3_reset (s);
}

/* Marks strictly before and behind a time. */
static void test_around (void **state) {
    (void) state;
    static const struct {
        int64_t time, upto;
        bool later;
        int64_t mark; /* 0: none */
    } table[] = {
        { 0, 99, false, 0 },  { 1, 99, false, 10 },  { 2, 99, false, 10 },
        { 3, 99, false, 20 }, { 99, 99, false, 30 }, { 99, 29, false, 20 },
        { 0, 99, true, 20 },  { 2, 99, true, 30 },   { 1, 29, true, 20 },
        { 2, 29, true, 0 },   { 4, 99, true, 0 },    { -1, 99, true, 10 },
    };
    keep ("all", 10, BUILD_TIME, false);
    keep ("all", 20, BUILD_TIME + 2, false);
    keep ("all", 30, BUILD_TIME + 4, false);
    keep ("core", 25, BUILD_TIME + 3, false);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf out = { 0 };
        int64_t mark = 0;
        enum err rc =
            claims_around (store, "all", BUILD_TIME + table[i].time,
                           table[i].later, table[i].upto, &mark, &out, &e);
        assert_int_equal (rc, table[i].mark ? ERR_NONE : ERR_NOT_FOUND);
        assert_int_equal (mark, table[i].mark);
        if (!rc)
            assert_int_equal (count_of (buf_slice (&out)), mark);
        buf_free (&out);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_around, store_begin_test,
                                         store_end_test),
        cmocka_unit_test_setup_teardown (test_get, store_begin_test,
                                         store_end_test),
        cmocka_unit_test_setup_teardown (test_each, store_begin_test,
                                         store_end_test),
        cmocka_unit_test_setup_teardown (test_prune, store_begin_test,
                                         store_end_test),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
