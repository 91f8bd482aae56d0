/* tally: THREADS.md sections 5 and 6: each rule over what the parties said, and
 * when that was. What is a party, and which of its stances counts, is thread's. */
#include "threads/tally.h"

#include "plan_fixture.h"

#include <setjmp.h>

#include <cmocka.h>

#define HOUR INT64_C (3600000)
#define DEADLINE INT64_C (1796054400000)

static enum thread_rule rules[] = { RULE_ALL, RULE_MAJORITY, RULE_ANY,
                                    RULE_SILENCE };

/* Agreed under which: A all, M majority, Y any, S silence. Stances as letters:
 * f for, a against, n neither, - silent. */
static void test_rules (void **state) {
    (void) state;
    static const struct {
        const char *stances, *agreed;
    } rows[] = {
        { "", "" }, /* nobody counts */
        { "f", "AMYS" },   { "a", "" },       { "n", "S" },
        { "-", "S" },      { "ff", "AMYS" },  { "fa", "Y" },
        { "fn", "YS" },    { "f-", "YS" },    { "na", "" },
        { "--", "S" },     { "-a", "" },      { "fff", "AMYS" },
        { "ffa", "MY" },   { "ffn", "MYS" },  { "ff-", "MYS" },
        { "fan", "Y" },    { "f--", "YS" },   { "fnn", "YS" },
        { "faa", "Y" },    { "nn-", "S" },    { "ffaa", "Y" },
        { "ffnn", "YS" },  { "fff-", "MYS" }, { "fffa", "MY" },
        { "fffaa", "MY" }, { "ff-na", "Y" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tally tally = { .members = strlen (rows[i].stances) };
        for (const char *at = rows[i].stances; *at; at++) {
            tally.for_ += *at == 'f';
            tally.against += *at == 'a';
            tally.neither += *at == 'n';
            tally.silent += *at == '-';
        }
        for (size_t k = 0; k < 4; k++)
            if (tally_agreed (rules[k], &tally)
                != (strchr (rows[i].agreed, "AMYS"[k]) != NULL))
                fail_msg ("%s under %s", rows[i].stances,
                          thread_rule_name (rules[k]));
        assert_false (tally_agreed (RULE_WITHOUT, &tally));
        assert_int_equal (tally_all_spoke (&tally),
                          *rows[i].stances && !strchr (rows[i].stances, '-'));
    }
}

/* Whatever is drawn: more for it never ends an agreement, an objection never
 * makes one, who is silent may abstain instead, and rules stand in their order. */
static void test_rule_properties (void **state) {
    (void) state;
    uint64_t seed = 6;
    for (int i = 0; i < 20000; i++) {
        struct tally t = { .for_ = draw (&seed, 5),
                           .against = draw (&seed, 4),
                           .neither = draw (&seed, 4),
                           .silent = draw (&seed, 4) };
        t.members = t.for_ + t.against + t.neither + t.silent;
        struct tally more = t, object = t, abstain = t, turn = t;
        more.members++, more.for_++;
        object.members++, object.against++;
        if (t.silent > 0)
            abstain.silent--, abstain.neither++;
        if (t.against > 0)
            turn.against--, turn.for_++;
        for (size_t k = 0; k < 4; k++) {
            bool agreed = tally_agreed (rules[k], &t);
            assert_true (!agreed || tally_agreed (rules[k], &more));
            assert_true (agreed || !tally_agreed (rules[k], &object));
            assert_int_equal (agreed, tally_agreed (rules[k], &abstain));
            assert_true (!agreed || tally_agreed (rules[k], &turn));
            assert_true (!agreed || t.members > 0);
        }
        bool all = tally_agreed (RULE_ALL, &t);
        bool majority = tally_agreed (RULE_MAJORITY, &t);
        assert_true (!all || majority);
        assert_true (!majority || tally_agreed (RULE_ANY, &t));
        assert_true (!all || tally_agreed (RULE_SILENCE, &t));
    }
}

/* When it was written and logged, in milliseconds from the deadline. */
static void test_times (void **state) {
    (void) state;
    static const struct {
        int64_t author, log;
        enum tally_time want;
        bool past_end; /* at that log time */
    } rows[] = {
        { -5 * HOUR, -4 * HOUR, TALLY_IN_TIME, false },
        { 0, 0, TALLY_IN_TIME, false }, /* that very millisecond */
        { 1, 0, TALLY_IN_TIME, false }, /* a clock that runs fast */
        { 5 * HOUR, -1, TALLY_IN_TIME, false },
        { 0, 1, TALLY_LATE, false },
        { -HOUR, 1, TALLY_LATE, false },
        { 1, 1, TALLY_TOO_LATE, false },
        { 0, HOUR - 1, TALLY_LATE, false },
        { 0, HOUR, TALLY_LATE, false },
        { 1, HOUR, TALLY_TOO_LATE, false },
        { 0, HOUR + 1, TALLY_TOO_LATE, true },
        { -90 * HOUR, HOUR + 1, TALLY_TOO_LATE, true },
        { 2 * HOUR, 2 * HOUR, TALLY_TOO_LATE, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t author = DEADLINE + rows[i].author;
        int64_t log = DEADLINE + rows[i].log;
        if (tally_time (true, DEADLINE, author, log) != rows[i].want
            || tally_past_end (true, DEADLINE, log) != rows[i].past_end)
            fail_msg ("row %zu", i);
        assert_int_equal (tally_time (false, 0, author, log), TALLY_IN_TIME);
        assert_false (tally_past_end (false, 0, log));
    }
    /* Times are others' words: none overflows. */
    assert_int_equal (tally_time (true, 0, INT64_MIN, INT64_MAX),
                      TALLY_TOO_LATE);
    assert_int_equal (tally_time (true, INT64_MAX, INT64_MAX, INT64_MIN),
                      TALLY_IN_TIME);
    assert_true (tally_past_end (true, 0, INT64_MAX));
    assert_false (tally_past_end (true, INT64_MAX, INT64_MIN));
}

/* Past the end nothing counts that comes; before it what was in time stays so. */
static void test_time_properties (void **state) {
    (void) state;
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        int64_t author = DEADLINE - HOUR + draw (&seed, 3 * 3600000);
        int64_t log = DEADLINE - HOUR + draw (&seed, 3 * 3600000);
        enum tally_time at = tally_time (true, DEADLINE, author, log);
        if (tally_past_end (true, DEADLINE, log))
            assert_int_equal (at, TALLY_TOO_LATE);
        assert_true (tally_time (true, DEADLINE, author - 1, log) <= at);
        assert_true (tally_time (true, DEADLINE, author, log - 1) <= at);
        assert_true (tally_time (true, DEADLINE + 1, author, log) <= at);
        assert_int_equal (at == TALLY_IN_TIME, log <= DEADLINE);
    }
}

/* The whole table, rule x stances x deadline x late, of three members whose
 * stances are so: what is agreed at the end, by the text of section 6. */
static void test_whole (void **state) {
    (void) state;
    for (unsigned n = 0; n < 4 * 27 * 64; n++) {
        enum thread_rule rule = rules[n % 4];
        unsigned says = n / 4 % 27, when = n / 108;
        struct tally t = { .members = 3 };
        for (int k = 0; k < 3; k++, says /= 3, when /= 4) {
            static const struct {
                int64_t author, log;
                bool counts;
            } times[4] = { { -HOUR, -HOUR, true },
                           { 0, HOUR, true },
                           { 1, HOUR, false },
                           { 0, HOUR + 1, false } };
            unsigned w = when % 4;
            bool counts =
                tally_time (true, DEADLINE, DEADLINE + times[w].author,
                            DEADLINE + times[w].log)
                != TALLY_TOO_LATE;
            assert_int_equal (counts, times[w].counts);
            t.silent += !counts;
            t.for_ += counts && says % 3 == THREAD_FOR;
            t.against += counts && says % 3 == THREAD_AGAINST;
            t.neither += counts && says % 3 == THREAD_NEITHER;
        }
        bool want = rule == RULE_ALL        ? t.for_ == 3
                    : rule == RULE_MAJORITY ? t.for_ >= 2
                    : rule == RULE_ANY      ? t.for_ >= 1
                                            : t.against == 0;
        assert_int_equal (tally_agreed (rule, &t), want);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_rules), cmocka_unit_test (test_rule_properties),
        cmocka_unit_test (test_times), cmocka_unit_test (test_time_properties),
        cmocka_unit_test (test_whole),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
