/* What waits in the outbox with one topic. */
#include "store_fixture.h"

#include "store/outbox.h"
#include "store/unsettled.h"

static int64_t add_to (const char *topic, const char *content) {
    int64_t number = 0;
    bool repeated = true;
    FINE (outbox_add (store, NULL, slice_text (topic), BODY_TEXT,
                      slice_text (content), NULL, 0, &number, &repeated, &e));
    return number;
}

static void take (void *arg, const struct hash *id, struct slice content) {
    static const struct hash zeros;
    assert_true (hash_equal (id, &zeros));
    buf_add_slice (arg, content);
    buf_add_text (arg, " ");
}

static void assert_listed (const char *topic, const char *want) {
    struct buf out = { 0 };
    FINE (unsettled_list (store, topic, take, &out, &e));
    char *got = buf_take_text (&out);
    assert_string_equal (got, want);
    free (got);
}

static void state_set (int64_t number, enum outbox_state state) {
    char sql[100];
    snprintf (sql, sizeof sql, "UPDATE outbox SET state = %d WHERE number = %d",
              (int) state, (int) number);
    assert_int_equal (sqlite3_exec (store->db, sql, NULL, NULL, NULL),
                      SQLITE_OK);
}

static void test_list (void **state) {
    (void) state;
    assert_listed ("all/x", "");
    const char *const texts[] = { "a", "b", "c", "d", "e", "f" };
    for (int i = 0; i <= OUTBOX_CANCELLED; i++) {
        int64_t number = add_to ("all/x", texts[i]);
        (void) add_to ("all/x/y", "other");
        state_set (number, (enum outbox_state) i);
    }
    assert_listed ("all/x", "a b c ");
    assert_listed ("all", "");
}

int main (void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown (
        test_list, store_begin_test, store_end_test) };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
