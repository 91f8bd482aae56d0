/* Drafts: kept as they are, bounded, and not written over unseen. */
#include "store_fixture.h"

#include "store/drafts.h"

struct seen {
    size_t count;
    int64_t number, updated;
    char json[64];
};

static void see (void *arg, const struct draft *draft) {
    struct seen *seen = arg;
    seen->count++;
    seen->number = draft->number;
    seen->updated = draft->updated_ms;
    assert_true (draft->created_ms <= draft->updated_ms);
    snprintf (seen->json, sizeof seen->json, "%.*s", (int) draft->json.size,
              (const char *) draft->json.data);
}

static int64_t add (const char *json) {
    int64_t number;
    FINE (drafts_add (store, slice_text (json), &number, &e));
    return number;
}

static void test_refused (void **state) {
    (void) state;
    int64_t number;
    static const char *const wrong[] = { "", "[]", "{", "{\"a\":1,\"a\":2}",
                                         "{\"a\":\"\\u0000\"}" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal (
            drafts_add (store, slice_text (wrong[i]), &number, &e),
            ERR_MALFORMED);
    char *large = mem_alloc (DRAFT_OCTETS_MAX + 1);
    memset (large, ' ', DRAFT_OCTETS_MAX + 1);
    memcpy (large, "{}", 2);
    assert_int_equal (
        drafts_add (store, slice_of (large, DRAFT_OCTETS_MAX + 1), &number, &e),
        ERR_LIMIT);
    FINE (drafts_add (store, slice_of (large, DRAFT_OCTETS_MAX), &number, &e));
    free (large);
    struct seen seen = { 0 };
    assert_int_equal (drafts_get (store, 7, see, &seen, &e), ERR_NOT_FOUND);
    assert_int_equal (drafts_remove (store, 7, &e), ERR_NOT_FOUND);
    assert_int_equal (drafts_set (store, 7, 0, slice_text ("{}"), &e),
                      ERR_NOT_FOUND);
}

static void test_writing (void **state) {
    (void) state;
    struct seen seen = { 0 };
    int64_t first = add ("{\"a\":1}"), second = add ("{\"a\":2}");
    FINE (drafts_get (store, first, see, &seen, &e));
    assert_string_equal (seen.json, "{\"a\":1}");
    int64_t read = seen.updated;
    FINE (drafts_set (store, first, read, slice_text ("{\"a\":3}"), &e));
    /* Somebody who read it before. */
    assert_int_equal (
        drafts_set (store, first, read, slice_text ("{\"a\":4}"), &e),
        ERR_EXISTS);
    FINE (drafts_set (store, second, 0, slice_text ("{\"a\":5}"), &e));
    store_reopen();
    seen.count = 0;
    FINE (drafts_list (store, see, &seen, &e));
    assert_int_equal (seen.count, 2);
    assert_string_equal (seen.json, "{\"a\":5}");
    FINE (drafts_remove (store, second, &e));
    assert_true (add ("{}") > second); /* never again */
}

static void test_many (void **state) {
    (void) state;
    int64_t number = 0;
    FINE (store_group_begin (store, &e));
    for (int i = 0; i < DRAFTS_MAX; i++)
        number = add ("{}");
    assert_int_equal (drafts_add (store, slice_text ("{}"), &number, &e),
                      ERR_FULL);
    FINE (drafts_remove (store, number, &e));
    add ("{}");
    FINE (store_group_end (store, &e));
}

int main (void) {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = { TEST (test_refused),
                                        TEST (test_writing), TEST (test_many) };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
