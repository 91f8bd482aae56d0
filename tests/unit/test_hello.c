/* hello: do broker and agent remember the same? */
#include "notes_fixture.h"

#include "link/hello.h"

/* Takes the place of the real one. */
void calls_set_run (struct calls *self, const uint8_t run[RUN_SIZE]) {
    (void) self, (void) run;
}

static bool is_behind (int64_t size, enum rule closed) {
    struct hello hello = { .sent = clock_wall_ms() };
    struct wire_welcome welcome = {
        .size = size, .epoch = 1, .time = clock_wall_ms(), .closed = closed
    };
    int64_t offset, before = notices ("LEDGER-BEHIND");
    bool older;
    FINE (hello_take (&core, &hello, &welcome, &offset, &older, &e));
    return notices ("LEDGER-BEHIND") > before;
}

/* What is held, of which the newest is a mark; what it signed. */
static void test_behind (void **state) {
    (void) state;
    assert_false (is_behind (2, RULE_NONE));
    assert_true (is_behind (1, RULE_NONE));
    assert_false (is_behind (1, RULE_NONE)); /* counted, no more */
    verify (40);
    assert_false (is_behind (40, RULE_NONE));
    assert_true (is_behind (39, RULE_NONE));
    assert_true (is_behind (40, RULE_LEDGER_BEHIND)); /* by its own word */
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_behind, begin_test, end_test),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
