/* ledger_cosign: a witness whose memory is older than what it cosigned. */
#include "notes_fixture.h"

static int64_t seconds (void) {
    return clock_wall_ms() / 1000;
}

static void cosigned (int64_t size) {
    struct checkpoint cp;
    struct note form;
    struct asked *to = find (WIRE_COSIGN);
    assert_non_null (to);
    FINE (checkpoint_read (buf_slice (&to->frame), &cp, &form, &e));
    assert_int_equal (cp.size, size);
    refuse (WIRE_COSIGN);
    assert_true (none_asked());
}

static void begin_again (void) {
    again();
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
}

/* By hello: the broker holds what this store never sent. */
static void test_put_back (void **state) {
    (void) state;
    FINE (ledger_older (ledger, &e));
    verify (20);
    assert_true (none_asked());
    assert_true (status().older && !status().alarmed);
    assert_int_equal (notices ("WITNESS-OLDER"), 1);
    begin_again(); /* that is not forgotten */
    verify (21);
    assert_true (none_asked());
    FINE (ledger_older (ledger, &e)); /* noticed once more */
    FINE (ledger_resume (ledger, &e));
    assert_false (status().older);
    tick (0);
    cosigned (21);
    begin_again();
    verify (22);
    cosigned (22);
}

/* Nobody else's business. */
static void test_no_witness (void **state) {
    (void) state;
    core.identity = cast.ec3;
    core.delegation = "EUROPOL/ec3";
    FINE (ledger_older (ledger, &e));
    verify (20);
    assert_true (none_asked());
    assert_int_equal (notices ("WITNESS-OLDER"), 0);
}

/* Our line says what we cosigned, whoever forgot it. */
static void test_own_line (void **state) {
    (void) state;
    again();
    verify (20); /* before it is known what there is */
    assert_null (find (WIRE_COSIGN));
    refuse (WIRE_CHECKPOINT);
    sign (leaves, 30);
    add_lost_line (cast.hq, seconds());
    answer_note(); /* its leaves are not here yet */
    tick (0);
    assert_true (none_asked());
    assert_true (status().older);
    assert_int_equal (status().cosigned_size, 30);
    begin_again();
    assert_true (status().older);
    assert_int_equal (status().cosigned_size, 30);
    FINE (ledger_resume (ledger, &e));
    verify (25); /* below it: never */
    assert_true (none_asked());
    verify (31);
    cosigned (31);
}

static void test_other_root (void **state) {
    (void) state;
    hear_upto (310);
    sign (others, 305);
    add_lost_line (cast.hq, seconds());
    struct checkpoint cp;
    struct note form;
    FINE (checkpoint_read (buf_slice (&note), &cp, &form, &e));
    FINE (cosign_recall (ledger, &cp, &form, &e));
    FINE (ledger_resume (ledger, &e));
    sign (leaves, 305);
    hear_note (FEED_CHECKPOINT);
    verify (310);
    assert_true (none_asked());
    assert_int_equal (status().verified, 310);
    assert_true (notices ("COSIGNED-OTHER") > 0);
}

/* Lines that say nothing: another key under our name, a broken one, one of what
 * is remembered. */
static void test_other_lines (void **state) {
    (void) state;
    struct identity *other =
        identity_new (IDENTITY_DELEGATION, "EUROPOL/hq", &e);
    verify (20);
    cosigned (20);
    sign (leaves, 20);
    add_lost_line (cast.hq, seconds());
    hear_note (FEED_COSIGNATURES);
    sign (leaves, 30);
    add_lost_line (other, seconds());
    hear_note (FEED_COSIGNATURES);
    sign (leaves, 31);
    add_lost_line (cast.hq, seconds());
    note.data[note.size - 5] ^= 1;
    hear_note (FEED_COSIGNATURES);
    assert_false (status().older);
    verify (32);
    cosigned (32);
    identity_destroy (&other);
}

/* A quorum without us: each of its lines has to be of a time when all that we
 * cosigned was said. */
static void test_others_go_on (void **state) {
    (void) state;
    struct roster *two =
        roster_two ("['EUROPOL/hq','EUROPOL/ec3','FRONTEX/hq']", 2);
    FINE (ledger_older (ledger, &e));
    int64_t late = seconds() + LEDGER_OLDER_MS / 1000 + 2;
    for (int64_t n = 0; n < 3; n++) {
        hear_upto (100 + n);
        sign (leaves, 100 + n);
        add_lost_line (cast.frontex, late);
        add_lost_line (n == 0 ? cast.hq : cast.ec3, n == 1 ? late - 5 : late);
        hear_note (FEED_COSIGNATURES);
        assert_int_equal (status().settled, 100 + n);
        assert_int_equal (status().older, n < 2);
        if (n < 2)
            assert_null (find (WIRE_COSIGN));
    }
    assert_int_equal (notices ("WITNESS-BACK"), 1);
    begin_again();
    assert_false (status().older);
    verify (103);
    cosigned (103);
    roster_unref (&two);
}

/* A signed mark that the records contradict. */
static void test_wrong_mark (void **state) {
    (void) state;
    FINE (core_notice (&core, "MARK-WRONG", true, "one", (struct slice){ 0 },
                       &e));
    verify (20);
    assert_true (none_asked());
    assert_true (status().alarmed);
    FINE (ledger_resume (ledger, &e));
    tick (0);
    cosigned (20);
}

#define T(f) cmocka_unit_test_setup_teardown (f, begin_test, end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        T (test_put_back),   T (test_no_witness),  T (test_own_line),
        T (test_other_root), T (test_other_lines), T (test_others_go_on),
        T (test_wrong_mark),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
