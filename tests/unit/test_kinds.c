/* kinds: THREADS.md sections 1 and 2. */
#include "threads/kinds.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define E16 "ABCDEFGHIJKLMNOP"
#define P64 "a234567890123456789012345678901234567890123456789012345678901234"

/* Section 1's table, and which of section 2's verbs a kind knows. */
static const struct {
    const char *name, *says[THREAD_SAYS];
    bool decides;
    unsigned does; /* bits of those that not all know */
} table[THREAD_KINDS] = {
    { "align",
      { "endorse", "object", "abstain" },
      true,
      1 << DOES_STANCE | 1 << DOES_DONE | 1 << DOES_CLOSE },
    { "communique",
      { "adopt", "object", "abstain" },
      true,
      1 << DOES_STANCE | 1 << DOES_DONE | 1 << DOES_CLOSE },
    { "meeting",
      { "yes", "no", "in-writing" },
      false,
      1 << DOES_STANCE | 1 << DOES_ATTENDANCE },
    { "consultation", { "reply" }, false, 1 << DOES_STANCE | 1 << DOES_CLOSE },
    { "practice", { "use", "no-use" }, false, 1 << DOES_STANCE },
    { "notice", { 0 }, false, 0 },
    { "capability", { 0 }, false, 0 },
    { "request",
      { "accept", "decline", "counter" },
      true,
      1 << DOES_STANCE | 1 << DOES_DONE | 1 << DOES_CLOSE },
};

static void test_words (void **state) {
    (void) state;
    static const char *const bad[] = { "",      "Align",   "aligns", "alig",
                                       "none",  "propos",  "plan",   "say",
                                       "adopt", "endorse", "yes" };
    enum thread_kind kind;
    enum thread_does does;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false (thread_kind_read (slice_text (bad[i]), &kind));
        assert_false (thread_does_read (slice_text (bad[i]), &does));
    }
    assert_false (thread_kind_read (slice_of ("align\0", 6), &kind));
    assert_false (thread_kind_read (slice_of (NULL, 0), &kind));
    assert_false (thread_does_read (slice_of (NULL, 0), &does));
    for (unsigned i = 0; i < DOES_COUNT; i++) {
        const char *name = thread_does_name ((enum thread_does) i);
        assert_true (thread_does_read (slice_text (name), &does));
        assert_int_equal (does, i);
        assert_int_equal (thread_does_is_proposers (does),
                          does == DOES_PROPOSE || does == DOES_ATTENDANCE
                              || does == DOES_WITHDRAW);
    }
}

static void test_kinds (void **state) {
    (void) state;
    for (unsigned i = 0; i < THREAD_KINDS; i++) {
        enum thread_kind kind;
        enum thread_says says;
        assert_true (thread_kind_read (slice_text (table[i].name), &kind));
        assert_int_equal (kind, i);
        assert_string_equal (thread_kind_name (kind), table[i].name);
        assert_true (strlen (thread_kind_title (kind)) > 0);
        assert_int_equal (thread_kind_decides (kind), table[i].decides);
        for (unsigned k = 0; k < THREAD_SAYS; k++) {
            const char *word = table[i].says[k];
            const char *own = thread_says_name (kind, (enum thread_says) k);
            if (!word) {
                assert_null (own);
                continue;
            }
            assert_string_equal (own, word);
            assert_true (thread_says_read (kind, slice_text (word), &says));
            assert_int_equal (says, k);
        }
        assert_false (thread_says_read (kind, slice_of (NULL, 0), &says));
        assert_false (thread_says_read (kind, slice_text ("none"), &says));
    }
}

static void test_fits (void **state) {
    (void) state;
    unsigned some = 1 << DOES_STANCE | 1 << DOES_DONE | 1 << DOES_CLOSE
                    | 1 << DOES_ATTENDANCE;
    for (unsigned i = 0; i < THREAD_KINDS; i++)
        for (unsigned k = 0; k < DOES_COUNT; k++)
            if (thread_does_fits ((enum thread_kind) i, (enum thread_does) k)
                != (!(some >> k & 1) || (table[i].does >> k & 1)))
                fail_msg ("%s in %s", thread_does_name ((enum thread_does) k),
                          table[i].name);
}

static void test_topic_kind (void **state) {
    (void) state;
    static const struct {
        const char *topic;
        enum thread_kind kind;
    } rows[] = {
        { "", THREAD_KINDS },
        { "/", THREAD_KINDS },
        { "align", THREAD_KINDS },
        { "align/x", THREAD_KINDS },
        { "a/plan/ABC/ABC-x", THREAD_KINDS },
        { "a/b/align", THREAD_KINDS },
        { "a/aligns", THREAD_KINDS },
        { "a/align", THREAD_ALIGN },
        { "a/align/b/c/d/e", THREAD_ALIGN },
        { "a/communique/", THREAD_COMMUNIQUE },
        { "a/request/ABC/ABC-x", THREAD_REQUEST },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (thread_topic_kind (slice_text (rows[i].topic)) != rows[i].kind)
            fail_msg ("%s", rows[i].topic);
}

static void test_places (void **state) {
    (void) state;
    static const struct {
        const char *topic, *says; /* NULL: fine */
    } rows[] = {
        { "a/plan/ABC/ABC-x", "none of those for threads" },
        { "", "none of those" },
        { "A B/align/ABC/ABC-x", "none of those" },
        { "a/align", "has 2 levels; a thread's has 4" },
        { "a/align/ABC", "has 3 levels" },
        { "a/align/ABC/ABC-x/y", "has 5 levels" },
        { "a/align//ABC-x", "none of those" },
        { "a/align/abc/abc-x", "is 'abc', no entity" },
        { "a/align/ABC/x", "begins with 'ABC-'" },
        { "a/align/ABC/ABD-x", "begins with 'ABC-'" },
        { "a/align/ABC/ABCD-x", "begins with 'ABC-'" },
        { "a/align/ABC/ABC-", "begins with 'ABC-'" },
        { "a/align/ABC/ABC-X", "begins with 'ABC-'" },
        { "a/align/ABC/ABC-" P64 "5", "begins with 'ABC-'" },
        { "a/align/ABC/ABC-x", NULL },
        { "@ABC+XYZ/request/ABC/ABC-x.1-2", NULL },
        { "a/meeting/" E16 "/" E16 "-" P64, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        struct thread_place place;
        char topic[TOPIC_MAX + 1];
        bool ok =
            thread_place_read (slice_text (rows[i].topic), &place, &faults);
        if (ok != !rows[i].says || faults.count != !ok
            || (!ok && !strstr (faults.at[0].text, rows[i].says)))
            fail_msg ("%s: %s", rows[i].topic,
                      ok ? "taken" : faults.at[0].text);
        if (ok)
            assert_string_equal (thread_topic (topic, &place), rows[i].topic);
        else
            assert_string_equal (faults.at[0].pointer, "");
        faults_clear (&faults);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_words),  cmocka_unit_test (test_kinds),
        cmocka_unit_test (test_fits),   cmocka_unit_test (test_topic_kind),
        cmocka_unit_test (test_places),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
