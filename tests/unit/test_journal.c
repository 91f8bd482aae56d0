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

/* Blocks with facts that the caller did not look at are looked at. */
static void what_does_not_follow_is_refused (void **state) {
    (void) state;
    static const struct {
        int64_t block;
        int64_t sequence, number; /* added */
        enum err want;
    } rows[] = {
        { 2, 0, 0, ERR_CHAIN },
        { 1, 1, 0, ERR_CHAIN },
        { 1, 0, 1, ERR_CHAIN },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int with_facts = 0; with_facts < 2; with_facts++) {
            struct journal *journal = open_journal (0);
            if (i + (size_t) with_facts == 0)
                fill (journal, 0, 1);
            struct block_plan plan = plan_of (rows[i].block);
            plan.sequence += rows[i].sequence;
            plan.channel_sequence += rows[i].number;
            assert_int_equal (append (journal, &plan, with_facts),
                              rows[i].want);
            check_all (journal, 1);
            assert_int_equal (try_roll (journal), ERR_STATE);
            journal_close (&journal);
        }
    struct journal *journal = open_journal (0);
    assert_int_equal (journal_append (journal, NULL, 0, &e), ERR_ARGUMENT);
    struct journal_block large = { .octets = { (const uint8_t *) "", 0 } };
    large.octets.size = GROUP_OCTETS_MAX + 1;
    assert_int_equal (journal_append (journal, &large, 1, &e), ERR_LIMIT);
    large.octets = slice_text ("no block, but longer than the header of one");
    fill (journal, 1, 5); /* those two cost nothing */
    assert_int_equal (journal_append (journal, &large, 1, &e), ERR_MALFORMED);
    assert_int_equal (journal_append (journal, &large, 1, NULL), ERR_STATE);
    check_all (journal, 5);
    journal_close (&journal);
}

/* Between its halves a group is not there. */
static void it_shows_what_is_committed (void **state) {
    (void) state;
    struct journal *journal = open_journal (0);
    fill (journal, 0, 3);
    const int64_t size = journal_size (journal);
    struct block_plan plan = plan_of (3);
    struct buf octets = { 0 }, found = { 0 };
    plan_write (&plan, &octets);
    struct journal_block one = { .octets = buf_slice (&octets) };
    assert_int_equal (journal_write (journal, &one, 1, &e), 0);
    assert_int_equal (journal_size (journal), size);
    assert_int_not_equal (journal_read (journal, size, &found, &e), 0);
    check_all (journal, 3);
    assert_int_equal (journal_commit (journal, &e), 0);
    assert_int_equal (journal_size (journal), size + (int64_t) plan.count);
    check_all (journal, 4);
    buf_free (&octets);
    buf_free (&found);
    journal_close (&journal);
}

/* A roll of an empty segment renews the snapshot. */
static void it_rolls_where_nothing_is_new (void **state) {
    (void) state;
    struct journal *journal = open_journal (0);
    roll (journal);
    fill (journal, 0, 3);
    roll (journal);
    roll (journal);
    check_all (journal, 3);
    journal_close (&journal);
    journal = open_journal (0);
    assert_int_equal (opened.replayed, 0);
    check_all (journal, 3);
    fill (journal, 3, 6);
    journal_close (&journal);
    journal = open_journal (0);
    assert_int_equal (opened.replayed, 9);
    journal_close (&journal);
}

/* An octet that rots below a reader. */
static void a_bad_block_is_not_given_out (void **state) {
    (void) state;
    struct journal *journal = open_journal (0);
    fill (journal, 0, 3);
    char *path = segment_path (ledger_in ("journal"), 0);
    FILE *f = fopen (path, "r+");
    fseek (f, -(GROUP_HEADER + GROUP_END + 10), SEEK_END);
    free (path);
    int octet = fgetc (f);
    fseek (f, -1, SEEK_CUR);
    fputc (octet ^ 1, f);
    fclose (f);
    struct buf out = { 0 };
    for (int64_t i = 0; i < 8; i++) {
        enum err rc = journal_read (journal, i, &out, &e);
        assert_int_equal (rc, i < 5 ? ERR_NONE : ERR_DAMAGED); /* 5 to 7 */
        assert_int_equal (out.size == 0, i >= 5);
    }
    assert_non_null (strstr (e.text, "segment 0 at "));
    assert_int_equal (journal_read (journal, 7, &out, NULL), ERR_DAMAGED);
    buf_free (&out);
    journal_close (&journal);
}

/* Readers beside the appender, over more segments than are kept open. */
struct reading {
    struct journal *journal;
    atomic_bool done;
    atomic_int reads;
};

static void fail_read (const struct error *why) {
    fprintf (stderr, "%s\n", why->text);
    abort();
}

static void *read_on (void *arg) {
    struct reading *self = arg;
    struct buf out = { 0 };
    struct error why;
    int64_t first, at;
    for (int64_t i = 0; !atomic_load (&self->done) || i < 100; i++) {
        int64_t size = journal_size (self->journal);
        if (size == 0)
            continue;
        int64_t sequence = i * 37 % size;
        if (journal_read (self->journal, sequence, &out, &why))
            fail_read (&why);
        int64_t last = journal_stream_last (self->journal, "@EUROPOL");
        if (last > 0
            && journal_read_stream (self->journal, "@EUROPOL", last, &out,
                                    &first, &why))
            fail_read (&why);
        if (journal_sequence_at (self->journal, 1000 + i % 9000, &at, &why))
            fail_read (&why);
        buf_clear (&out);
        if (journal_leaves (self->journal, size - 1, 5, &out, &why)
            || out.size < HASH_SIZE)
            fail_read (&why);
        atomic_fetch_add (&self->reads, 1);
    }
    buf_free (&out);
    return NULL;
}

static void many_read_while_one_appends (void **state) {
    (void) state;
    enum { READERS = 3, ALL = 150 };
    struct reading reading = { .journal = open_journal (3000) };
    pthread_t threads[READERS];
    for (int i = 0; i < READERS; i++)
        assert_int_equal (pthread_create (&threads[i], NULL, read_on, &reading),
                          0);
    int rolls = 0;
    for (int64_t i = 0; i < ALL; i++) {
        fill (reading.journal, i, i + 1);
        if (journal_wants_roll (reading.journal)) {
            roll (reading.journal);
            rolls++;
        }
    }
    atomic_store (&reading.done, true);
    for (int i = 0; i < READERS; i++)
        pthread_join (threads[i], NULL);
    assert_true (rolls > 16);
    assert_true (atomic_load (&reading.reads) >= READERS);
    check_all (reading.journal, ALL);
    journal_close (&reading.journal);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (it_is_founded_once, setup, teardown),
    cmocka_unit_test_setup_teardown (what_was_appended_is_read, setup,
                                     teardown),
    cmocka_unit_test_setup_teardown (what_does_not_follow_is_refused, setup,
                                     teardown),
    cmocka_unit_test_setup_teardown (it_shows_what_is_committed, setup,
                                     teardown),
    cmocka_unit_test_setup_teardown (a_bad_block_is_not_given_out, setup,
                                     teardown),
    cmocka_unit_test_setup_teardown (it_rolls, setup, teardown),
    cmocka_unit_test_setup_teardown (it_rolls_where_nothing_is_new, setup,
                                     teardown),
    cmocka_unit_test_setup_teardown (many_read_while_one_appends, setup,
                                     teardown),
};

int main (void) {
    return cmocka_run_group_tests (tests, NULL, NULL);
}
