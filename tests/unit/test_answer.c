/* answer: what each rule makes of a message, and values that do not fit. */
#include "link/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_rules (void **state) {
    (void) state;
    static const struct {
        enum rule rule;
        enum answer_act act;
    } rows[] = {
        { RULE_MALFORMED, ANSWER_FINAL },
        { RULE_NOT_A_WRITER, ANSWER_FINAL },
        { RULE_REVOKED, ANSWER_FINAL },
        { RULE_TOPICS, ANSWER_FINAL },
        { RULE_OTHER, ANSWER_FINAL },
        { RULE_STALE_ROSTER, ANSWER_ANEW },
        { RULE_ROSTER_AHEAD, ANSWER_LATER },
        { RULE_LANES, ANSWER_LATER },
        { RULE_RATE, ANSWER_LATER },
        { RULE_NO_SPACE, ANSWER_LATER },
        { RULE_CLOCK, ANSWER_LATER },
        { RULE_BUSY, ANSWER_LATER },
        { RULE_OLD_NUMBER, ANSWER_OLD },
        { RULE_NUMBER_JUMP, ANSWER_JUMP },
        /* Without its values it says nothing of ours. */
        { RULE_USED_NUMBER, ANSWER_FINAL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct refusal refusal;
        struct answer answer;
        refusal_set (&refusal, rows[i].rule);
        answer_read (&refusal, &answer);
        if (answer.act != rows[i].act)
            fail_msg ("%s: %d", rule_name (rows[i].rule), (int) answer.act);
        assert_int_equal (answer.wait_ms, ANSWER_WAIT_MS);
        assert_int_equal (answer.in_force, 0);
    }
}

static void test_numbers (void **state) {
    (void) state;
    static const struct {
        int64_t said, wait;
    } rows[] = { { 0, 0 },
                 { 250, 250 },
                 { -1, ANSWER_WAIT_MS },
                 { INT64_MIN, ANSWER_WAIT_MS },
                 { ANSWER_WAIT_MAX_MS + 1, ANSWER_WAIT_MAX_MS },
                 { INT64_MAX, ANSWER_WAIT_MAX_MS } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct refusal refusal;
        struct answer answer;
        refusal_set (&refusal, RULE_RATE);
        refusal_text (&refusal, "what", "messages_a_minute");
        refusal_int (&refusal, "limit", 600);
        refusal_int (&refusal, "wait_ms", rows[i].said);
        answer_read (&refusal, &answer);
        assert_int_equal (answer.wait_ms, rows[i].wait);
    }
    struct refusal refusal;
    struct answer answer;
    refusal_set (&refusal, RULE_STALE_ROSTER);
    refusal_int (&refusal, "stated", 2);
    refusal_int (&refusal, "in_force", 3);
    answer_read (&refusal, &answer);
    assert_int_equal (answer.in_force, 3);
    /* A text where a number is due. */
    refusal_set (&refusal, RULE_RATE);
    refusal_text (&refusal, "wait_ms", "5");
    answer_read (&refusal, &answer);
    assert_int_equal (answer.wait_ms, ANSWER_WAIT_MS);
}

static void test_used (void **state) {
    (void) state;
    static const struct {
        const char *id, *leaf;
        int64_t sequence;
        enum answer_act act;
    } rows[] = {
        { HEX, HEX, 0, ANSWER_HELD },    { HEX, HEX, 17, ANSWER_HELD },
        { HEX, HEX, -1, ANSWER_FINAL },  { HEX, HEX "0", 17, ANSWER_FINAL },
        { "", HEX, 17, ANSWER_FINAL },   { HEX, "x", 17, ANSWER_FINAL },
        { NULL, HEX, 17, ANSWER_FINAL }, { HEX, NULL, 17, ANSWER_FINAL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct refusal refusal;
        struct answer answer;
        refusal_set (&refusal, RULE_USED_NUMBER);
        if (rows[i].id)
            refusal_text (&refusal, "id", rows[i].id);
        if (rows[i].leaf)
            refusal_text (&refusal, "leaf", rows[i].leaf);
        refusal_int (&refusal, "sequence", rows[i].sequence);
        answer_read (&refusal, &answer);
        assert_int_equal (answer.act, rows[i].act);
        if (answer.act != ANSWER_HELD)
            continue;
        char text[HASH_TEXT_MAX];
        assert_int_equal (answer.sequence, rows[i].sequence);
        assert_string_equal (hash_text (text, &answer.id), HEX);
        assert_string_equal (hash_text (text, &answer.leaf), HEX);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_rules),
        cmocka_unit_test (test_numbers),
        cmocka_unit_test (test_used),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
