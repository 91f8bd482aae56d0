/* The text index: whether it fits together, and that it can be emptied. */
#include "store_fixture.h"

#include "store/search.h"
#include "store/search_mend.h"

static void fill (void) {
    static const char *const texts[] = { "firearms", "打击跨国有组织犯罪",
                                         "explosives" };
    for (int i = 0; i < 3; i++) {
        struct search_item item = { .kind = SEARCH_MESSAGE,
                                    .sequence = i,
                                    .plan = "",
                                    .action = "",
                                    .channel = "all",
                                    .author = "EUROPOL/hq",
                                    .topic = "all/x",
                                    .lang = "",
                                    .text = texts[i] };
        FINE (search_add (store, &item, &e));
    }
    FINE (search_set_position (store, 9, &e));
}

static void damage (const char *sql) {
    sqlite3_db_config (store->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    assert_int_equal (sqlite3_exec (store->db, sql, NULL, NULL, NULL),
                      SQLITE_OK);
}

static void test_whole (void **state) {
    (void) state;
    static const char *const wrongs[] = {
        "DELETE FROM texts",
        "DELETE FROM texts WHERE item = 1",
        "UPDATE texts SET item = 9 WHERE item = 1",
        "DELETE FROM text_words_docsize WHERE id = 1",
        "DELETE FROM text_runs_docsize",
        ("INSERT INTO texts SELECT 9, kind, sequence, plan, action, channel,"
         " author, topic, lang, dense, text FROM texts WHERE item = 1"),
    };
    assert_true (search_is_whole (store)); /* there is none */
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        fill();
        assert_true (search_is_whole (store));
        damage (wrongs[i]);
        if (search_is_whole (store))
            fail_msg ("%s", wrongs[i]);
        FINE (search_empty (store, &e));
        assert_true (search_is_whole (store));
    }
}

static bool none (void *arg, const struct search_hit *hit) {
    (void) arg;
    fail_msg ("%s", hit->item.text);
    return false;
}

static void test_empty (void **state) {
    (void) state;
    const struct hash made = { { 1 } };
    const struct search_query query = { .text = "firearms" };
    struct hash found;
    int64_t position;
    fill();
    FINE (search_plan_drop (store, "EUROPOL-a", &made, &e));
    damage ("DELETE FROM texts; UPDATE text_words_data SET block = x'00'");
    FINE (search_empty (store, &e));
    assert_false (search_plan_state (store, "EUROPOL-a", &found));
    FINE (search_position (store, 0, &position, &e));
    assert_int_equal (position, 0);
    FINE (search_find (store, &query, none, NULL, &e));
}

int main (void) {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = { TEST (test_whole), TEST (test_empty) };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
