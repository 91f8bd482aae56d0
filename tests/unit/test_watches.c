/* Watches: what is refused, whose they are, what they are about, and up to where
 * they were told. */
#include "store_fixture.h"

#include "store/watches.h"

static struct watch sample (const char *user, const char *name) {
    struct watch out = { .kinds = WATCH_ALL, .filter = "#", .position = 7 };
    snprintf (out.user, sizeof out.user, "%s", user);
    snprintf (out.name, sizeof out.name, "%s", name);
    return out;
}

static void test_refused (void **state) {
    (void) state;
    static const struct {
        const char *user, *name, *filter, *entity;
        unsigned kinds;
        const char *says;
    } rows[] = {
        { "anna", "", "#", "", 1, "name" },
        { "anna", "two words", "#", "", 1, "name" },
        { "anna", "a/b", "#", "", 1, "name" },
        { "", "a", "#", "", 1, "user" },
        { "anna", "a", "", "", 1, "filter" },
        { "anna", "a", "a/#/b", "", 1, "filter" },
        { "anna", "a", "#", "", 0, "kinds" },
        { "anna", "a", "#", "", WATCH_ALL + 1, "kinds" },
        { "anna", "a", "#", "europol", 1, "entity" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct watch watch = sample (rows[i].user, rows[i].name);
        snprintf (watch.filter, sizeof watch.filter, "%s", rows[i].filter);
        snprintf (watch.entity, sizeof watch.entity, "%s", rows[i].entity);
        watch.kinds = rows[i].kinds;
        if (!watches_add (store, &watch, &e) || !strstr (e.text, rows[i].says))
            fail_msg ("row %zu: %s", i, e.text);
    }
    struct watch none;
    assert_int_equal (watches_get (store, 1, NULL, &none, &e), ERR_NOT_FOUND);
    assert_int_equal (watches_remove (store, 1, NULL, &e), ERR_NOT_FOUND);
    FINE (watches_told (store, 1, 5, 5, &e)); /* it is gone */
}

static void test_room (void **state) {
    (void) state;
    char name[16];
    for (int i = 0; i <= WATCHES_A_USER_MAX; i++) {
        snprintf (name, sizeof name, "w%d", i);
        struct watch watch = sample ("anna", name);
        assert_int_equal (watches_add (store, &watch, &e),
                          i < WATCHES_A_USER_MAX ? ERR_NONE : ERR_FULL);
    }
    for (int i = WATCHES_A_USER_MAX; i <= WATCHES_MAX; i++) {
        char user[16];
        snprintf (user, sizeof user, "u%d", i);
        struct watch watch = sample (user, "w");
        assert_int_equal (watches_add (store, &watch, &e),
                          i < WATCHES_MAX ? ERR_NONE : ERR_FULL);
    }
}

static void count (void *arg, const struct watch *watch) {
    int64_t *sum = arg;
    *sum = 10 * *sum + watch->number;
}

static int64_t listed (const char *user) {
    int64_t sum = 0;
    FINE (watches_list (store, user, count, &sum, &e));
    return sum;
}

static void test_kept (void **state) {
    (void) state;
    struct watch a = sample ("anna", "plans"), b = sample ("ben", "plans");
    struct watch got, c = sample ("anna", "all");
    snprintf (a.filter, sizeof a.filter, "members/plan/#");
    snprintf (a.entity, sizeof a.entity, "FRONTEX");
    a.kinds = 3;
    a.daily = true;
    FINE (watches_add (store, &a, &e));
    FINE (watches_add (store, &b, &e));
    FINE (watches_add (store, &c, &e));
    struct watch again = sample ("anna", "all");
    assert_int_equal (watches_add (store, &again, &e), ERR_EXISTS);
    assert_int_equal (listed (NULL), 123);
    assert_int_equal (listed ("anna"), 13);
    assert_int_equal (listed ("carl"), 0);
    FINE (watches_get (store, 1, "anna", &got, &e));
    assert_string_equal (got.name, "plans");
    assert_string_equal (got.filter, "members/plan/#");
    assert_string_equal (got.entity, "FRONTEX");
    assert_int_equal (got.kinds, 3);
    assert_true (got.daily);
    assert_int_equal (got.position, 7);
    assert_int_equal (got.told_ms, 0);
    assert_true (got.created_ms > 0);
    assert_int_equal (watches_get (store, 1, "ben", &got, &e), ERR_NOT_FOUND);
    FINE (watches_told (store, 1, 9, 1000, &e));
    FINE (watches_told (store, 1, 12, 0, &e));
    store_reopen();
    FINE (watches_get (store, 1, NULL, &got, &e));
    assert_int_equal (got.position, 12);
    assert_int_equal (got.told_ms, 1000);
    assert_int_equal (watches_remove (store, 1, "ben", &e), ERR_NOT_FOUND);
    FINE (watches_remove (store, 3, "anna", &e));
    FINE (watches_remove (store, 1, NULL, &e));
    assert_int_equal (listed (NULL), 2);
    FINE (watches_add (store, &again, &e));
    assert_int_equal (again.number, 4); /* no number twice */
}

static void test_wants (void **state) {
    (void) state;
    static const struct {
        const char *filter, *entity, *topic, *author;
        unsigned kinds;
        bool wants;
    } rows[] = {
        { "#", "", "all/plan/A1/A1-x", "A1/hq", WATCH_ALL, true },
        { "#", "A1", "all/plan/A1/A1-x", "A1/hq", WATCH_ALL, true },
        { "#", "A1", "all/plan/A1/A1-x", "A12/hq", WATCH_ALL, false },
        { "core/#", "", "all/plan/A1/A1-x", "A1/hq", WATCH_ALL, false },
        { "+/plan/#", "", "all/plan/A1/A1-x", "A1/hq", 1, true },
        { "#", "", "all/plan/A1/A1-x", "A1/hq", WATCH_ALL & ~1U, false },
        { "#", "", "all/plans/x", "A1/hq", 1, false },
        { "#", "", "all/plans/x", "A1/hq", 1U << 15, true },
        { "#", "", "all/file/A1/x", "A1/hq", 1U << 14, true },
        { "#", "", "all/align/A1/A1-x", "A1/hq", 1U << 6, true },
        { "#", "", "all/ack/A1", "A1/hq", WATCH_ALL, false },
        { "#", "", "all", "A1/hq", 1U << 15, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct watch watch = sample ("anna", "a");
        snprintf (watch.filter, sizeof watch.filter, "%s", rows[i].filter);
        snprintf (watch.entity, sizeof watch.entity, "%s", rows[i].entity);
        watch.kinds = rows[i].kinds;
        if (watch_wants (&watch, slice_text (rows[i].topic),
                         slice_text (rows[i].author))
            != rows[i].wants)
            fail_msg ("row %zu", i);
    }
    assert_string_equal (watch_kinds[WATCH_KINDS - 1], "other");
    assert_null (watch_kinds[WATCH_KINDS]);
}

int main (void) {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = { TEST (test_refused), TEST (test_room),
                                        TEST (test_kept), TEST (test_wants) };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
