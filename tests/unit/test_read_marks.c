/* How far each user has read, by topic. */
#include "store_fixture.h"

#include "store/read_marks.h"

static struct read_marks marks;

static enum err set (const char *user, const char *topic, int64_t sequence) {
    return read_marks_set (store, user, topic, sequence, &e);
}

static void load (const char *user) {
    read_marks_free (&marks);
    FINE (read_marks_load (store, user, &marks, &e));
}

static void test_refused (void **state) {
    (void) state;
    assert_int_equal (set ("", "a/align/A/A-x", 1), ERR_ARGUMENT);
    assert_int_equal (set ("anna", "", 1), ERR_ARGUMENT);
    assert_int_equal (set ("anna", "a/align/A/A-x", -1), ERR_ARGUMENT);
    load ("anna");
    assert_int_equal (marks.count, 0);
    assert_int_equal (read_marks_of (&marks, "a/align/A/A-x"), -1);
}

static void test_users_and_topics (void **state) {
    (void) state;
    FINE (set ("anna", "b", 7));
    FINE (set ("anna", "a", 0));
    FINE (set ("anna", "c", 9));
    FINE (set ("ben", "a", 3));
    load ("anna");
    assert_int_equal (marks.count, 3);
    assert_int_equal (read_marks_of (&marks, "a"), 0);
    assert_int_equal (read_marks_of (&marks, "b"), 7);
    assert_int_equal (read_marks_of (&marks, "c"), 9);
    assert_int_equal (read_marks_of (&marks, "bb"), -1);
    load ("ben");
    assert_int_equal (marks.count, 1);
    assert_int_equal (read_marks_of (&marks, "a"), 3);
}

static void test_never_lower (void **state) {
    (void) state;
    FINE (set ("carl", "a", 5));
    FINE (set ("carl", "a", 4));
    load ("carl");
    assert_int_equal (read_marks_of (&marks, "a"), 5);
    FINE (set ("carl", "a", 6));
    load ("carl");
    assert_int_equal (read_marks_of (&marks, "a"), 6);
}

static int end_test (void **state) {
    read_marks_free (&marks);
    return store_end_test (state);
}

int main (void) {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, end_test)
    const struct CMUnitTest tests[] = { TEST (test_refused),
                                        TEST (test_users_and_topics),
                                        TEST (test_never_lower) };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
