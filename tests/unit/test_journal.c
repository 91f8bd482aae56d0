/* journal: founding, appending, rolling, reading. What happens when it fails is
 * in test_journal_recover.c. */
#include "ledger/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "journal_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

static void it_is_founded_once (void **state) {
    (void) state;
    assert_int_equal (journal_create (ledger_dir, &dialogue, &e), ERR_EXISTS);
    assert_int_equal (journal_create (ledger_in ("nowhere"), &dialogue, &e),
                      ERR_NOT_FOUND);
    struct journal *journal = open_journal (0);
    assert_int_equal (journal_size (journal), 0);
    assert_int_equal (opened.snapshot, -1);
    assert_int_equal (opened.records, 0);
    assert_false (opened.index_rebuilt);
    assert_int_equal (owner.resets, 1);
    assert_false (journal_wants_roll (journal));
    journal_close (&journal);
    journal_close (&journal);
}

static void what_was_appended_is_read (void **state) {
    (void) state;
    struct journal *journal = open_journal (0);
    fill (journal, 0, 20);
    check_all (journal, 20);
    journal_close (&journal);
    journal = open_journal (0);
    assert_int_equal (opened.records, 2 + 19 * 3);
    assert_int_equal (opened.replayed, opened.records);
    assert_int_equal (owner.next, opened.records);
    check_all (journal, 20);
    fill (journal, 20, 25);
    check_all (journal, 25);
    journal_close (&journal);
}

static void it_rolls (void **state) {
    (void) state;
    struct journal *journal = open_journal (5000);
    int rolls = 0;
    for (int64_t i = 0; i < 60; i++) {
        fill (journal, i, i + 1);
        if (journal_wants_roll (journal)) {
            roll (journal);
            assert_false (journal_wants_roll (journal));
            rolls++;
            check_all (journal, i + 1);
        }
    }
    assert_true (rolls >= 4);
    check_all (journal, 60);
    journal_close (&journal);
    journal = open_journal (5000);
    assert_true (opened.snapshot > 0);
    assert_int_equal (opened.replayed, opened.records - opened.snapshot);
    assert_int_equal (owner.resets, 0);
    assert_int_equal (owner.next, opened.records);
    assert_false (opened.index_rebuilt);
    check_all (journal, 60);
    fill (journal, 60, 65);
    check_all (journal, 65);
    journal_close (&journal);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (it_is_founded_once, setup, teardown),
    cmocka_unit_test_setup_teardown (what_was_appended_is_read, setup,
                                     teardown),
    cmocka_unit_test_setup_teardown (it_rolls, setup, teardown),
};

int main (void) {
    return cmocka_run_group_tests (tests, NULL, NULL);
}
