/* Drafts: kept as they are, bounded, and not written over unseen. */
#include "store_fixture.h"

#include "store/drafts.h"

struct seen {
    size_t count;
    int64_t number, updated;
    char json[64], topic[64], drafter[20], editor[20], remark[20];
    bool returned;
};

static void copy (char *out, size_t room, struct slice text) {
    snprintf (out, room, "%.*s", (int) text.size, (const char *) text.data);
}

static void see (void *arg, const struct draft *draft) {
    struct seen *seen = arg;
    seen->count++;
    seen->number = draft->number;
    seen->updated = draft->updated_ms;
    assert_true (draft->created_ms <= draft->updated_ms);
    seen->returned = draft->returned;
    copy (seen->json, sizeof seen->json, draft->content);
    copy (seen->topic, sizeof seen->topic, draft->topic);
    copy (seen->drafter, sizeof seen->drafter, draft->drafter);
    copy (seen->editor, sizeof seen->editor, draft->editor);
    copy (seen->remark, sizeof seen->remark, draft->remark);
}

static enum err add_octets (struct slice json, int64_t *number) {
    bool repeated;
    struct draft draft = { .format = BODY_MAP, .content = json };
    return drafts_add (store, &draft, NULL, number, &repeated, &e);
}

static int64_t add (const char *json) {
    int64_t number;
    FINE (add_octets (slice_text (json), &number));
    return number;
}

static enum err set (int64_t number, int64_t updated, const char *json) {
    struct draft draft = { .number = number,
                           .updated_ms = updated,
                           .format = BODY_MAP,
                           .content = slice_text (json),
                           .editor = slice_text ("ben") };
    return drafts_set (store, &draft, &e);
}

static void test_refused (void **state) {
    (void) state;
    int64_t number;
    static const char *const wrong[] = { "", "[]", "{", "{\"a\":1,\"a\":2}",
                                         "{\"a\":\"\\u0000\"}" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal (add_octets (slice_text (wrong[i]), &number),
                          ERR_MALFORMED);
    char *large = mem_alloc (DRAFT_OCTETS_MAX + 1);
    memset (large, ' ', DRAFT_OCTETS_MAX + 1);
    memcpy (large, "{}", 2);
    assert_int_equal (
        add_octets (slice_of (large, DRAFT_OCTETS_MAX + 1), &number),
        ERR_LIMIT);
    FINE (add_octets (slice_of (large, DRAFT_OCTETS_MAX), &number));
    free (large);
    struct seen seen = { 0 };
    assert_int_equal (drafts_get (store, 7, see, &seen, &e), ERR_NOT_FOUND);
    assert_int_equal (drafts_remove (store, 7, 0, &e), ERR_NOT_FOUND);
    assert_int_equal (set (7, 0, "{}"), ERR_NOT_FOUND);
}

static void test_writing (void **state) {
    (void) state;
    struct seen seen = { 0 };
    int64_t first = add ("{\"a\":1}"), second = add ("{\"a\":2}");
    FINE (drafts_get (store, first, see, &seen, &e));
    assert_string_equal (seen.json, "{\"a\":1}");
    int64_t read = seen.updated;
    FINE (set (first, read, "{\"a\":3}"));
    /* Somebody who read it before. */
    assert_int_equal (set (first, read, "{\"a\":4}"), ERR_EXISTS);
    FINE (set (second, 0, "{\"a\":5}"));
    store_reopen();
    seen.count = 0;
    FINE (drafts_list (store, see, &seen, &e));
    assert_int_equal (seen.count, 2);
    assert_string_equal (seen.json, "{\"a\":5}");
    FINE (drafts_remove (store, second, 0, &e));
    assert_true (add ("{}") > second); /* never again */
}

static void test_many (void **state) {
    (void) state;
    int64_t number = 0, none;
    FINE (store_group_begin (store, &e));
    for (int i = 0; i < DRAFTS_MAX; i++)
        number = add ("{}");
    assert_int_equal (add_octets (slice_text ("{}"), &none), ERR_FULL);
    FINE (drafts_remove (store, number, 0, &e));
    add ("{}");
    FINE (store_group_end (store, &e));
}

/* A message: with a key, edited, returned, and taken away. */
static void test_messages (void **state) {
    (void) state;
    static const char octets[] = { 0, 1, 2 };
    struct seen seen = { 0 };
    int64_t number, again;
    bool repeated;
    struct draft draft = { .topic = slice_text ("all/note/1"),
                           .format = BODY_OCTETS,
                           .references = slice_of (cast.dialogue.octets, 32),
                           .content = slice_of (octets, 3),
                           .drafter = slice_text ("anna") };
    FINE (drafts_add (store, &draft, "k", &number, &repeated, &e));
    assert_false (repeated);
    FINE (drafts_add (store, &draft, "k", &again, &repeated, &e));
    assert_true (repeated && again == number);
    draft.topic = slice_text ("all/note/2");
    assert_int_equal (drafts_add (store, &draft, "k", &again, &repeated, &e),
                      ERR_EXISTS);
    FINE (drafts_get (store, number, see, &seen, &e));
    assert_string_equal (seen.topic, "all/note/1");
    assert_string_equal (seen.editor, "anna");
    assert_false (seen.returned);
    int64_t before = seen.updated;

    assert_int_equal (drafts_return (store, 99, "x", "ben", &e), ERR_NOT_FOUND);
    FINE (drafts_return (store, number, "shorter", "ben", &e));
    FINE (drafts_get (store, number, see, &seen, &e));
    assert_true (seen.returned && seen.updated == before);
    assert_string_equal (seen.remark, "shorter");

    draft.number = number;
    draft.editor = slice_text ("carl");
    FINE (drafts_set (store, &draft, &e));
    FINE (drafts_get (store, number, see, &seen, &e));
    assert_false (seen.returned);
    assert_string_equal (seen.topic, "all/note/2");
    assert_string_equal (seen.drafter, "anna");
    assert_string_equal (seen.editor, "carl");
    /* Each kind stays what it is. */
    assert_int_equal (set (number, 0, "{}"), ERR_STATE);
    draft.number = add ("{}");
    assert_int_equal (drafts_set (store, &draft, &e), ERR_STATE);

    assert_int_equal (drafts_remove (store, number, before, &e), ERR_EXISTS);
    FINE (drafts_remove (store, number, seen.updated, &e));
    FINE (drafts_add (store, &draft, "k", &again, &repeated, &e));
    assert_true (!repeated && again > number);
}

int main (void) {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = { TEST (test_refused),
                                        TEST (test_writing),
                                        TEST (test_messages),
                                        TEST (test_many) };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
