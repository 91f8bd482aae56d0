/* journal_recover: every step of the disk failed in each way, torn tails of
 * every length, damage at every octet. After each the journal is opened again
 * without faults, and then
 *   - what append returned 0 for is there, octet for octet;
 *   - what it did not is there whole, or not at all;
 *   - opening once more finds the same;
 *   - appends go on. */
#include "ledger/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "journal_fixture.h"

/* Faults: the n-th step (from 0), or none. */

struct fault {
    int countdown; /* below 0: none */
    enum disk_fault kind;
    int steps;    /* seen */
    bool *writes; /* which of them are; only those can be done by half */
};
#define STEPS_MAX 500
static bool writes[STEPS_MAX];

static enum disk_fault fault_now (void *arg, enum disk_step step,
                                  const char *path) {
    (void) path;
    struct fault *self = arg;
    assert_true (self->steps < STEPS_MAX);
    if (self->writes)
        self->writes[self->steps] = step == DISK_STEP_WRITE;
    self->steps++;
    if (self->countdown < 0 || self->countdown-- > 0)
        return DISK_FINE;
    return self->kind;
}

static const enum disk_fault kinds[] = { DISK_FAIL_UNDONE, DISK_FAIL_DONE,
                                         DISK_FAIL_HALF };

static void every_step_of_a_life_may_fail (void **state) {
    (void) state;
    struct fault fault = { .countdown = -1, .writes = writes };
    disk_set_fault (fault_now, &fault);
    struct progress whole = run_script();
    disk_set_fault (NULL, NULL);
    assert_true (whole.whole);
    int steps = fault.steps;
    assert_true (steps > 60);
    check_restart (SCRIPT_GROUPS, SCRIPT_GROUPS);
    for (int n = 0; n < steps; n++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (kinds[k] == DISK_FAIL_HALF && !writes[n])
                continue;
            fresh_dir();
            fault = (struct fault){ .countdown = n, .kind = kinds[k] };
            disk_set_fault (fault_now, &fault);
            struct progress progress = run_script();
            disk_set_fault (NULL, NULL);
            assert_false (progress.whole);
            found_if_needed();
            check_restart (progress.acknowledged, progress.tried);
        }
}

/* After a failure the same journal takes nothing more. */
static void a_failed_append_is_the_last (void **state) {
    (void) state;
    fresh_dir();
    found_if_needed();
    struct journal *journal = open_journal (0);
    assert_int_equal (append_group (journal, 0), 0);
    struct fault fault = { .kind = DISK_FAIL_UNDONE };
    disk_set_fault (fault_now, &fault);
    assert_int_equal (append_group (journal, 1), ERR_IO);
    disk_set_fault (NULL, NULL);
    assert_int_equal (append_group (journal, 1), ERR_STATE);
    assert_int_equal (try_roll (journal), ERR_STATE);
    owner.next = journal_size (journal);
    assert_int_equal (check_groups (journal), 1);
    journal_close (&journal);
    check_restart (1, 1);
}

/* The recovery itself. A start with something to mend: */
struct mend {
    enum disk_fault append; /* how the last append failed */
    int step;               /* which of its: write, start, sync, write */
    bool no_index;          /* all is replayed */
    int groups;             /* there after it */
};

static void make_mend (const struct mend *mend) {
    fresh_dir();
    assert_true (run_script().whole);
    struct journal *journal = open_journal (0);
    struct fault fault = { .countdown = mend->step, .kind = mend->append };
    disk_set_fault (fault_now, &fault);
    assert_int_equal (append_group (journal, SCRIPT_GROUPS), ERR_IO);
    disk_set_fault (NULL, NULL);
    journal_close (&journal);
    if (mend->no_index)
        ledger_empty (ledger_in ("index"));
}

static void every_step_of_a_recovery_may_fail (void **state) {
    (void) state;
    static const struct mend mends[] = {
        { DISK_FAIL_UNDONE, 0, false, SCRIPT_GROUPS },
        { DISK_FAIL_HALF, 0, false, SCRIPT_GROUPS },
        { DISK_FAIL_DONE, 0, false, SCRIPT_GROUPS + 1 },
        { DISK_FAIL_UNDONE, 1, false, SCRIPT_GROUPS + 1 },
        { DISK_FAIL_UNDONE, 2, false, SCRIPT_GROUPS + 1 },
        { DISK_FAIL_UNDONE, 3, false, SCRIPT_GROUPS + 1 },
        { DISK_FAIL_HALF, 3, false, SCRIPT_GROUPS + 1 },
        { DISK_FAIL_HALF, 0, true, SCRIPT_GROUPS },
        { DISK_FAIL_HALF, 3, true, SCRIPT_GROUPS + 1 },
    };
    for (size_t m = 0; m < sizeof mends / sizeof *mends; m++) {
        const struct mend *mend = &mends[m];
        make_mend (mend);
        struct fault fault = { .countdown = -1, .writes = writes };
        disk_set_fault (fault_now, &fault);
        struct journal *journal = open_journal (0);
        disk_set_fault (NULL, NULL);
        assert_int_equal (check_groups (journal), mend->groups);
        assert_int_equal (opened.index_rebuilt, mend->no_index);
        journal_close (&journal);
        int steps = fault.steps;
        check_restart (mend->groups, mend->groups);
        for (int n = 0; n < steps; n++)
            for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
                if (kinds[k] == DISK_FAIL_HALF && !writes[n])
                    continue;
                make_mend (mend);
                fault = (struct fault){ .countdown = n, .kind = kinds[k] };
                disk_set_fault (fault_now, &fault);
                assert_null (try_open (0));
                disk_set_fault (NULL, NULL);
                assert_int_equal (e.code, ERR_IO);
                check_restart (mend->groups, mend->groups);
            }
    }
}

/* Files as octets. */

static void load (const char *path, struct buf *out) {
    if (disk_read_file (path, SIZE_MAX - 1, out, &e))
        fail_msg ("%s", e.text);
}

static void store (const char *path, struct slice octets) {
    FILE *f = fopen (path, "w");
    assert_non_null (f);
    if (octets.size > 0)
        assert_int_equal (fwrite (octets.data, 1, octets.size, f), octets.size);
    fclose (f);
}

static const char *segment_at (int group) {
    static char path[640];
    char *made = segment_path (ledger_in ("journal"), records_of (group));
    snprintf (path, sizeof path, "%s", made);
    free (made);
    return path;
}

/* One segment with groups 0 and 1; *octets is its file, *last where the header
 * of group 1 is. */
static void two_groups (struct buf *octets, size_t *last) {
    fresh_dir();
    found_if_needed();
    struct journal *journal = open_journal (0);
    assert_int_equal (append_group (journal, 0), 0);
    load (segment_at (0), octets);
    *last = octets->size - GROUP_HEADER;
    assert_int_equal (append_group (journal, 1), 0);
    journal_close (&journal);
    load (segment_at (0), octets);
}

static void check_cut (struct slice was) {
    struct buf cut = { 0 };
    assert_int_equal (opened.cut_octets, was.size);
    assert_true (strstr (opened.cut_path, "/journal/cut-") != NULL);
    load (opened.cut_path, &cut);
    assert_true (slice_equal (buf_slice (&cut), was));
    buf_free (&cut);
}

/* The file that is stored opens with so many groups, and what is behind them is
 * set aside. */
static void check_torn (struct slice octets, int groups, size_t end) {
    store (segment_at (0), octets);
    int64_t records;
    uint64_t torn;
    assert_int_equal (
        journal_scan (ledger_dir, &dialogue, NULL, NULL, &records, &torn, &e),
        0);
    struct journal *journal = open_journal (0);
    assert_int_equal (check_groups (journal), groups);
    bool clean = octets.size == end || octets.size == end + GROUP_HEADER;
    assert_int_equal (records, records_of (groups));
    if (opened.cut_octets > 0)
        check_cut (slice_of (octets.data + end, octets.size - end));
    else
        assert_true (clean);
    assert_int_equal (torn, opened.cut_octets);
    journal_close (&journal);
    if (octets.size % 64 == 0)
        check_restart (groups, groups);
    else
        check_again (groups);
}

/* Back to one segment. */
static void reset_to (struct slice octets) {
    ledger_empty (ledger_in ("journal"));
    ledger_empty (ledger_in ("index"));
    store (segment_at (0), octets);
}

static void a_tail_may_end_anywhere (void **state) {
    (void) state;
    struct buf octets = { 0 };
    size_t last;
    two_groups (&octets, &last);
    size_t end = octets.size - GROUP_HEADER; /* of group 1 */
    for (size_t size = last; size <= octets.size; size++) {
        bool whole = size >= end;
        reset_to (slice_of (NULL, 0));
        check_torn (slice_of (octets.data, size), whole ? 2 : 1,
                    whole ? end : last);
    }
    buf_free (&octets);
}

/* The file has grown, its octets have not arrived. */
static void a_tail_may_be_zeros (void **state) {
    (void) state;
    struct buf octets = { 0 }, zeros = { 0 };
    size_t last;
    two_groups (&octets, &last);
    size_t end = octets.size - GROUP_HEADER;
    for (size_t from = last; from < octets.size; from++) {
        bool whole = from >= end;
        buf_clear (&zeros);
        buf_add (&zeros, octets.data, from);
        buf_add_zeros (&zeros, (whole ? octets.size : end) - from);
        reset_to (slice_of (NULL, 0));
        /* The last zeros of a header may be its own. */
        if (memcmp (zeros.data + from, octets.data + from, zeros.size - from))
            check_torn (buf_slice (&zeros), whole ? 2 : 1, whole ? end : last);
    }
    buf_free (&octets);
    buf_free (&zeros);
}

/* Nothing in the folder but what was there. */
static void check_untouched (const char *path, struct slice octets) {
    struct buf now = { 0 };
    load (path, &now);
    assert_true (slice_equal (buf_slice (&now), octets));
    buf_free (&now);
    DIR *d = opendir (ledger_in ("journal"));
    for (struct dirent *one; (one = readdir (d)) != NULL;)
        assert_null (strstr (one->d_name, "cut"));
    closedir (d);
}

static void check_refused (const char *path, const char *place) {
    int64_t records;
    uint64_t torn;
    assert_int_equal (
        journal_scan (ledger_dir, &dialogue, NULL, NULL, &records, &torn, &e),
        ERR_DAMAGED);
    assert_non_null (strstr (e.text, path));
    assert_non_null (strstr (e.text, place));
    assert_null (try_open (0));
    assert_int_equal (e.code, ERR_DAMAGED);
    assert_non_null (strstr (e.text, path));
    assert_non_null (strstr (e.text, place));
}

static void what_was_synced_is_never_cut (void **state) {
    (void) state;
    struct buf octets = { 0 };
    size_t last;
    two_groups (&octets, &last);
    size_t end = octets.size - GROUP_HEADER;
    char place[40];
    for (size_t i = 0; i < end; i++) {
        size_t at = i < SEGMENT_HEADER ? 0 : i < last ? SEGMENT_HEADER : last;
        snprintf (place, sizeof place, "at %zu: ", at);
        octets.data[i] ^= 0x10;
        reset_to (buf_slice (&octets));
        check_refused (segment_at (0), place);
        check_untouched (segment_at (0), buf_slice (&octets));
        octets.data[i] ^= 0x10;
    }
    /* Zeros from anywhere in front of the last header. */
    for (size_t i = SEGMENT_HEADER; i < end; i += 13) {
        struct buf zeroed = { 0 };
        buf_add (&zeroed, octets.data, i);
        buf_add_zeros (&zeroed, end - i);
        buf_add (&zeroed, octets.data + end, GROUP_HEADER);
        reset_to (buf_slice (&zeroed));
        check_refused (segment_at (0), ": ");
        check_untouched (segment_at (0), buf_slice (&zeroed));
        buf_free (&zeroed);
    }
    buf_free (&octets);
}

/* Without a header behind it nothing shows that a group was synced. */
static void a_last_group_that_is_not_whole_is_cut (void **state) {
    (void) state;
    struct buf octets = { 0 };
    size_t last;
    two_groups (&octets, &last);
    size_t end = octets.size - GROUP_HEADER;
    for (size_t i = last; i < end; i += 3) {
        octets.data[i] ^= 0x10;
        reset_to (slice_of (NULL, 0));
        check_torn (slice_of (octets.data, end), 1, last);
        octets.data[i] ^= 0x10;
    }
    for (size_t i = end; i < octets.size; i++) {
        octets.data[i] ^= 0x10;
        reset_to (slice_of (NULL, 0));
        check_torn (buf_slice (&octets), 2, end);
        octets.data[i] ^= 0x10;
    }
    buf_free (&octets);
}

/* More octets than one append writes can't be one that was torn. */
static void a_tail_has_a_limit (void **state) {
    (void) state;
    struct buf octets = { 0 };
    size_t last;
    two_groups (&octets, &last);
    size_t most = GROUP_HEADER + GROUP_OCTETS_MAX + GROUP_END;
    octets.size = last;
    buf_add_zeros (&octets, most);
    reset_to (slice_of (NULL, 0));
    check_torn (buf_slice (&octets), 1, last);
    buf_add_zeros (&octets, 1);
    reset_to (buf_slice (&octets));
    check_refused (segment_at (0), "at most 8388672");
    buf_free (&octets);
}

/* Closed segments. */

static void damage_in_closed_segments_is_found (void **state) {
    (void) state;
    struct buf octets = { 0 };
    fresh_dir();
    assert_true (run_script().whole);
    for (int group = 0; group <= 4; group += 2) {
        load (segment_at (group), &octets);
        for (size_t i = 0; i < octets.size; i += 7) {
            octets.data[i] ^= 1;
            store (segment_at (group), buf_slice (&octets));
            ledger_empty (ledger_in ("index"));
            check_refused (segment_at (group), " at ");
            octets.data[i] ^= 1;
        }
        for (size_t size = 0; size < octets.size; size += 31) {
            store (segment_at (group), slice_of (octets.data, size));
            check_refused (segment_at (size < SEGMENT_HEADER ? group
                                       : group == 4          ? 5
                                                             : group + 2),
                           " at ");
        }
        store (segment_at (group), buf_slice (&octets));
    }
    buf_free (&octets);
    check_restart (SCRIPT_GROUPS, SCRIPT_GROUPS);
}

static void every_segment_has_to_be_there (void **state) {
    (void) state;
    char moved[700];
    for (int group = 0; group <= 4; group += 2)
        for (int index = 0; index < 2; index++) {
            fresh_dir();
            assert_true (run_script().whole);
            if (!index)
                ledger_empty (ledger_in ("index"));
            snprintf (moved, sizeof moved, "%s.away", segment_at (group));
            assert_int_equal (rename (segment_at (group), moved), 0);
            check_refused (ledger_in ("journal"), "missing");
            assert_int_equal (rename (moved, segment_at (group)), 0);
            check_restart (SCRIPT_GROUPS, SCRIPT_GROUPS);
        }
    /* Two of one size, the second away: sizes alone do not show it. */
    fresh_dir();
    assert_true (run_script().whole);
    snprintf (moved, sizeof moved, "%s", segment_at (5));
    assert_int_equal (rename (moved, segment_at (7)), 0);
    check_refused (segment_at (7), "its name says another");
}

static void other_ledgers_are_refused (void **state) {
    (void) state;
    fresh_dir();
    assert_null (try_open (0));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    assert_int_equal (mkdir (ledger_in ("journal"), 0700), 0);
    assert_null (try_open (0));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    assert_true (run_script().whole);
    dialogue.octets[5] ^= 1;
    int64_t records;
    uint64_t torn;
    assert_int_equal (
        journal_scan (ledger_dir, &dialogue, NULL, NULL, &records, &torn, &e),
        ERR_DAMAGED);
    assert_non_null (strstr (e.text, "another dialogue"));
    dialogue.octets[5] ^= 1;
}

/* Snapshots and the index: whatever is wrong costs a replay. */

static void check_rebuilt (int64_t snapshot) {
    struct journal *journal = open_journal (0);
    assert_int_equal (opened.snapshot, snapshot);
    assert_int_equal (opened.replayed,
                      opened.records - (snapshot < 0 ? 0 : snapshot));
    assert_int_equal (check_groups (journal), SCRIPT_GROUPS);
    check_all (journal, 2 * SCRIPT_GROUPS);
    journal_close (&journal);
}

static void snapshot_name (char *out, size_t size, int group) {
    snprintf (out, size, "%s/%020llu.snap", ledger_in ("index"),
              (unsigned long long) records_of (group));
}

static void an_unfit_snapshot_is_passed_over (void **state) {
    (void) state;
    char newest[700], older[700];
    struct buf octets = { 0 };
    fresh_dir();
    assert_true (run_script().whole);
    snapshot_name (newest, sizeof newest, 5);
    snapshot_name (older, sizeof older, 4);
    check_rebuilt (records_of (5));
    load (newest, &octets);
    for (size_t i = 0; i < octets.size; i++) {
        octets.data[i] ^= 1;
        store (newest, buf_slice (&octets));
        check_rebuilt (records_of (4));
        octets.data[i] ^= 1;
        store (newest, slice_of (octets.data, i));
        check_rebuilt (records_of (4));
    }
    store (newest, buf_slice (&octets));
    check_rebuilt (records_of (5));
    owner.refuse_snapshots = true;
    check_rebuilt (-1);
    assert_int_equal (owner.snapshots, 2);
    assert_int_equal (owner.resets, 1);
    assert_true (opened.index_rebuilt);
    owner.refuse_snapshots = false;
    check_rebuilt (-1); /* the index was begun anew */
    buf_free (&octets);
    check_restart (SCRIPT_GROUPS, SCRIPT_GROUPS);
}

static void a_damaged_index_is_made_anew (void **state) {
    (void) state;
    static const char *const names[] = { "blocks", "leaves", "stream-$log",
                                         "stream-ops", "stream-@EUROPOL" };
    struct buf octets = { 0 };
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (int how = 0; how < 4; how++) {
            fresh_dir();
            assert_true (run_script().whole);
            char path[700];
            snprintf (path, sizeof path, "%s/%s", ledger_in ("index"),
                      names[n]);
            load (path, &octets);
            if (how == 0)
                assert_int_equal (unlink (path), 0);
            else if (how == 1)
                store (path, slice_of (octets.data, octets.size / 2));
            else {
                octets.data[how == 2 ? 9 : octets.size - 1] ^= 1;
                store (path, buf_slice (&octets));
            }
            struct journal *journal = open_journal (0);
            assert_int_equal (check_groups (journal), SCRIPT_GROUPS);
            check_all (journal, 2 * SCRIPT_GROUPS);
            journal_close (&journal);
            check_restart (SCRIPT_GROUPS, SCRIPT_GROUPS);
        }
    buf_free (&octets);
}

/* The folder of another history of the same dialogue, as long as this one. */
static void an_index_of_another_history_is_not_used (void **state) {
    (void) state;
    char away[700];
    fresh_dir();
    assert_true (run_script().whole);
    snprintf (away, sizeof away, "%s-other", ledger_dir);
    assert_int_equal (rename (ledger_in ("index"), away), 0);
    free_blocks (NULL);
    make_blocks (NULL); /* salts are random: other octets */
    fresh_dir();
    assert_true (run_script().whole);
    ledger_empty (ledger_in ("index"));
    assert_int_equal (rmdir (ledger_in ("index")), 0);
    assert_int_equal (rename (away, ledger_in ("index")), 0);
    check_rebuilt (-1);
    assert_true (opened.index_rebuilt);
    check_restart (SCRIPT_GROUPS, SCRIPT_GROUPS);
}

/* Fewer records than a snapshot counts: from a backup of the journal. */
static void a_snapshot_ahead_is_not_used (void **state) {
    (void) state;
    fresh_dir();
    assert_true (run_script().whole);
    assert_int_equal (unlink (segment_at (5)), 0);
    assert_int_equal (unlink (segment_at (4)), 0);
    struct journal *journal = open_journal (0);
    assert_int_equal (check_groups (journal), 4);
    assert_int_equal (opened.snapshot, records_of (4));
    journal_close (&journal);
    check_restart (4, 4);
}

static int setup_dir (void **state) {
    (void) state;
    return ledger_dir_make();
}

static int teardown_dir (void **state) {
    (void) state;
    disk_set_fault (NULL, NULL);
    return ledger_dir_remove();
}

#define TEST(f) cmocka_unit_test_setup_teardown (f, setup_dir, teardown_dir)

int main (void) {
    static const struct CMUnitTest tests[] = {
        TEST (other_ledgers_are_refused),
        TEST (what_was_synced_is_never_cut),
        TEST (damage_in_closed_segments_is_found),
        TEST (every_segment_has_to_be_there),
        TEST (a_tail_has_a_limit),
        TEST (a_tail_may_end_anywhere),
        TEST (a_tail_may_be_zeros),
        TEST (a_last_group_that_is_not_whole_is_cut),
        TEST (an_unfit_snapshot_is_passed_over),
        TEST (a_damaged_index_is_made_anew),
        TEST (an_index_of_another_history_is_not_used),
        TEST (a_snapshot_ahead_is_not_used),
        TEST (a_failed_append_is_the_last),
        TEST (every_step_of_a_life_may_fail),
        TEST (every_step_of_a_recovery_may_fail),
    };
    return cmocka_run_group_tests (tests, make_blocks, free_blocks);
}
