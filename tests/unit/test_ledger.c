/* ledger: leaves from the feed and in ranges, checkpoints judged, cosigned and
 * settled, and what contradicts them; a desk that answers as it is told. */
#include "notes_fixture.h"

/* Leaves */

static void test_feed_leaves (void **state) {
    (void) state;
    FINE (ledger_hear (ledger, FEED_LEAVES, slice_text ("no leaves"), &e));
    hear (leaves, 0, 3);
    hear (leaves, 1, 5); /* some again */
    hear (leaves, 0, 6);
    assert_int_equal (status().size, 6);
    hear (leaves, 10, 5); /* a hole: the feed may still fill it */
    tick (0);
    assert_true (none_asked());
    hear (leaves, 6, 4);
    assert_int_equal (status().size, 10);
    tick (600);
    assert_true (none_asked());
    tick (600);
    answer_leaves();
    assert_int_equal (status().size, 15);
    assert_int_equal (notices ("LEAVES-DIFFER"), 0);
    hear (others, 0, 15);
    assert_int_equal (notices ("LEAVES-DIFFER"), 0); /* they part at 300 */
    again();
    assert_int_equal (status().size, 15);
}

static void test_catch_up (void **state) {
    (void) state;
    core.size = 39000;
    again();
    tick (0);
    assert_int_equal (count_of (WIRE_LEAVES), 4);
    struct asked *first = find (WIRE_LEAVES);
    int64_t id = first->id;
    first->id = 0; /* the others come before it */
    for (int i = 0; i < 3; i++)
        answer_leaves();
    assert_int_equal (status().size, 0);
    first->id = id;
    answer_leaves();
    assert_int_equal (status().size, 4 * LEAVES_MAX);
    tick (0);
    assert_int_equal (count_of (WIRE_LEAVES), 1);
    answer_leaves_of (find (WIRE_LEAVES), leaves, 10); /* fewer: no more yet */
    tick (0);
    assert_int_equal (count_of (WIRE_LEAVES), 0);
    tick (2000);
    refuse (WIRE_LEAVES);
    tick (0);
    assert_int_equal (count_of (WIRE_LEAVES), 0);
    tick (2000);
    answer_leaves();
    assert_int_equal (status().size, 39000);
    refuse (WIRE_CHECKPOINT);
    sign (leaves, 39000);
    answer_note();
    assert_int_equal (status().verified, 39000);
}

/* Without end, and nothing is signed. */
static void test_unsigned (void **state) {
    (void) state;
    struct buf content = { 0 };
    for (int64_t at = 0; at < LEDGER_UNSIGNED_MAX + 300; at += 250) {
        buf_clear (&content);
        feed_leaves_write (&content, at, leaves, 250);
        FINE (ledger_hear (ledger, FEED_LEAVES, buf_slice (&content), &e));
    }
    assert_int_equal (status().size, LEDGER_UNSIGNED_MAX);
    tick (2000);
    tick (2000);
    assert_null (find (WIRE_LEAVES));
    assert_int_equal (notices ("LEAVES-UNSIGNED"), 1);
    struct checkpoint cp = { .size = LEDGER_UNSIGNED_MAX + 100 };
    checkpoint_origin (cast.roster, cp.origin);
    buf_clear (&note);
    checkpoint_sign (&cp, cast.broker, &note);
    hear_note (FEED_CHECKPOINT);
    for (int i = 0; i < 3; i++)
        tick (1000);
    assert_non_null (find (WIRE_LEAVES));
    buf_clear (&content);
    feed_leaves_write (&content, LEDGER_UNSIGNED_MAX, leaves, 9);
    FINE (ledger_hear (ledger, FEED_LEAVES, buf_slice (&content), &e));
    assert_true (status().size > LEDGER_UNSIGNED_MAX);
    buf_free (&content);
}

static void test_bad_leaves (void **state) {
    (void) state;
    core.size = 100;
    again();
    tick (0);
    struct buf head = { 0 };
    wire_leaves_from_write (&head, 1);
    struct slice frames[] = { buf_slice (&head), slice_of (leaves, 32) };
    assert_int_equal (answer (find (WIRE_LEAVES), frames, 2), ERR_MALFORMED);
    again();
    buf_clear (&head);
    wire_leaves_from_write (&head, 0);
    frames[0] = buf_slice (&head);
    frames[1].size = 33;
    assert_int_equal (answer (find (WIRE_LEAVES), frames, 2), ERR_MALFORMED);
    buf_free (&head);
}

/* Zeros are how the store says that a hash is not there: kept as a leaf, no
 * tree that holds it could be read again. */
static void test_zero_leaf (void **state) {
    (void) state;
    static const struct hash zeros[4];
    struct buf content = { 0 };
    hear_upto (20);
    feed_leaves_write (&content, 20, zeros, 4);
    FINE (ledger_hear (ledger, FEED_LEAVES, buf_slice (&content), &e));
    buf_free (&content);
    assert_int_equal (status().size, 20);
    core.size = 24;
    again();
    tick (0);
    struct buf head = { 0 };
    wire_leaves_from_write (&head, 20);
    struct slice frames[] = { buf_slice (&head), slice_of (zeros, 4 * 32) };
    assert_int_equal (answer (find (WIRE_LEAVES), frames, 2), ERR_MALFORMED);
    buf_free (&head);
    again();
    verify (24);
    assert_int_equal (status().verified, 24);
}

/* Checkpoints */

/* Who has the key of `$log` signs one of a size that never comes. */
static void test_never_comes (void **state) {
    (void) state;
    struct identity *other = identity_new (IDENTITY_BROKER, "lyon", &e);
    struct checkpoint cp = { .size = NUMBER_MAX };
    checkpoint_origin (cast.roster, cp.origin);
    buf_clear (&note);
    checkpoint_sign (&cp, other, &note);
    hear_note (FEED_CHECKPOINT);
    hear_note (FEED_COSIGNATURES);
    verify (20);
    assert_int_equal (status().verified, 20);
    settle (21);
    assert_int_equal (status().settled, 21);
    identity_destroy (&other);
}

/* A witness whose clock runs ahead, or who lies. */
static void test_future (void **state) {
    (void) state;
    int64_t seconds = clock_wall_ms() / 1000;
    hear_upto (20);
    sign (leaves, 20);
    add_line (cast.hq, seconds - 5);
    add_line (cast.frontex, seconds + 300000000);
    hear_note (FEED_COSIGNATURES);
    assert_int_equal (status().settled, 20);
    assert_int_equal (status().cosigned, 2);
    assert_in_range (status().settled_time, seconds * 1000 - 1000,
                     clock_wall_ms()); /* the mark's */
    assert_false (status().current);   /* who knows when that was? */
    assert_non_null (strstr (status().why, "or clocks are wrong"));
    again();
    assert_false (status().current);
    sign (leaves, 20);
    add_line (cast.hq, seconds - 5);
    add_line (cast.frontex, seconds + 100);
    hear_note (FEED_COSIGNATURES);
    assert_true (status().current);
}

/* Others settle on, and we get no marks. */
static void test_marks_withheld (void **state) {
    (void) state;
    sqlite3_exec (store->db, "UPDATE records SET log_time = log_time - 160000",
                  NULL, NULL, NULL);
    settle (20);
    assert_false (status().current);
    assert_non_null (strstr (status().why, "is withheld"));
    again();
    assert_false (status().current);
    mark_put (40, clock_wall_ms());
    settle (41);
    assert_true (status().current);
}

static void test_waits (void **state) {
    (void) state;
    sign (leaves, 300);
    hear_note (FEED_CHECKPOINT);
    hear_upto (299);
    tick (0);
    assert_int_equal (status().verified, -1);
    hear_upto (300);
    core.log_whole = false;
    tick (0);
    assert_int_equal (status().verified, -1);
    core.log_whole = true;
    tick (0);
    assert_int_equal (status().verified, 300);
    again();
    assert_int_equal (status().verified, 300);
    assert_int_equal (status().size, 300);
}

static void test_cosigns (void **state) {
    (void) state;
    verify (20);
    struct asked *cosign = find (WIRE_COSIGN);
    assert_non_null (cosign);
    struct checkpoint cp;
    struct note form;
    int64_t time;
    FINE (checkpoint_read (buf_slice (&cosign->frame), &cp, &form, &e));
    assert_int_equal (form.count, 1);
    FINE (checkpoint_cosigned (&cp, &form, "EUROPOL/hq",
                               identity_public (cast.hq, KEY_WITNESS), &time,
                               &e));
    assert_int_equal (cp.size, 20);
    assert_in_range (clock_wall_ms() / 1000 - time, 0, 5);
    assert_false (core.transaction); /* all is durable */
    struct buf reply = { 0 };
    wire_settled_write (&reply, 20);
    struct slice frames[] = { buf_slice (&reply) };
    FINE (answer (cosign, frames, 1));
    buf_free (&reply);
    hear_note (FEED_CHECKPOINT); /* the same once more */
    assert_true (none_asked());
    assert_int_equal (status().cosigned_size, 20);
    verify (21);
    refuse (WIRE_COSIGN);
    again();
    assert_int_equal (status().cosigned_size, 21);
    assert_true (status().witness);
}

/* What went with the connection is said again, once. */
static void test_cosigns_again (void **state) {
    (void) state;
    int64_t seconds = clock_wall_ms() / 1000;
    struct checkpoint cp;
    struct note form;
    verify (20);
    for (int i = 0; i < 2; i++) {
        again(); /* no reply came */
        refuse (WIRE_CHECKPOINT);
        tick (0);
        assert_true (find (WIRE_COSIGN) == NULL); /* what is settled? */
        sign (leaves, 20);
        if (i)
            add_line (cast.frontex, seconds);
        answer_note();
        tick (0);
        struct asked *cosign = find (WIRE_COSIGN);
        assert_non_null (cosign);
        FINE (checkpoint_read (buf_slice (&cosign->frame), &cp, &form, &e));
        assert_int_equal (cp.size, 20);
        refuse (WIRE_COSIGN);
        tick (0);
        assert_null (find (WIRE_COSIGN));
    }
    again();
    refuse (WIRE_CHECKPOINT);
    settle (20); /* with our line */
    refuse (WIRE_CHECKPOINT);
    tick (0);
    assert_true (none_asked());
    again(); /* known from before */
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    tick (0);
    assert_true (none_asked());
    verify (21);
    FINE (core_notice (&core, "PROMISE-BROKEN", true, "one",
                       (struct slice){ 0 }, &e));
    again();
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    tick (0);
    assert_true (none_asked());
    assert_int_equal (notices ("COSIGNED-OTHER"), 0);
}

/* A store that was put back: its memory is behind, but what it cosigned is not
 * forgotten while that is there. */
static void test_remembers (void **state) {
    (void) state;
    verify (20);
    refuse (WIRE_COSIGN);
    FINE (core_commit (&core, &e));
    struct checkpoint cp = { .size = 25 };
    checkpoint_origin (cast.roster, cp.origin);
    FINE (checkpoints_cosign (store, &cp, &e));
    verify (25);
    assert_true (none_asked());
    assert_int_equal (notices ("COSIGNED-OTHER"), 1);
    verify (26); /* behind another root */
    assert_true (none_asked());
    verify (27);
    assert_true (none_asked());
    assert_int_equal (notices ("COSIGNED-OTHER"), 1);
}

static void cosigns_with (int64_t time, bool does) {
    static int64_t at = 40;
    mark_put (at, time);
    verify (at + 1);
    if (does)
        refuse (WIRE_COSIGN);
    assert_true (none_asked());
    assert_int_equal (status().verified, at + 1);
    at += 2;
}

static void test_clock (void **state) {
    (void) state;
    int64_t wall = clock_wall_ms();
    cosigns_with (wall - LEDGER_CLOCK_MS - 1000, false);
    cosigns_with (wall - LEDGER_CLOCK_MS + 5000, true);
    cosigns_with (wall + LEDGER_CLOCK_MS + 5000, false);
    cosigns_with (wall + LEDGER_CLOCK_MS - 5000, true);
}

static void test_no_witness (void **state) {
    (void) state;
    core.identity = cast.ec3;
    core.delegation = "EUROPOL/ec3";
    verify (20);
    core.identity = cast.frontex; /* of another's name */
    verify (21);
    assert_true (none_asked());
    assert_false (status().witness);
    assert_int_equal (status().verified, 21);
}

static void test_evidence_stops (void **state) {
    (void) state;
    FINE (core_notice (&core, "PROMISE-BROKEN", true, "one",
                       (struct slice){ 0 }, &e));
    again();
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    verify (20);
    assert_true (none_asked());
    assert_true (status().alarmed && !status().current);
    assert_int_equal (status().verified, 20);
    FINE (ledger_resume (ledger, &e));
    verify (21);
    refuse (WIRE_COSIGN);
    FINE (core_notice (&core, "PROMISE-BROKEN", true, "one",
                       (struct slice){ 0 }, &e));
    verify (22);
    assert_true (none_asked());
}

static void test_settles (void **state) {
    (void) state;
    int64_t seconds = clock_wall_ms() / 1000;
    mark_put (29, clock_wall_ms() - 200000);
    hear_upto (30);
    sign (leaves, 20);
    add_line (cast.hq, seconds - 7);
    hear_note (FEED_COSIGNATURES);
    assert_int_equal (status().verified, 20);
    assert_int_equal (status().settled, -1);
    assert_string_equal (status().why, "no checkpoint has settled yet");
    add_line (cast.frontex, seconds - 3);
    hear_note (FEED_COSIGNATURES);
    assert_int_equal (status().settled, 20);
    assert_int_equal (status().settled_time, (seconds - 3) * 1000);
    assert_int_equal (status().cosigned, 2);
    assert_true (status().current);
    again();
    assert_int_equal (status().settled, 20);
    assert_int_equal (status().cosigned, 2);
    sign (leaves, 10); /* older ones change nothing */
    add_line (cast.hq, seconds);
    add_line (cast.frontex, seconds);
    hear_note (FEED_COSIGNATURES);
    assert_int_equal (status().settled, 20);
    sign (leaves, 30);
    add_line (cast.hq, seconds - 250);
    add_line (cast.frontex, seconds - 200);
    hear_note (FEED_COSIGNATURES);
    assert_int_equal (status().settled, 30);
    assert_false (status().current);
    assert_non_null (
        strstr (status().why, "the newest settled checkpoint is 20"));
}

static void test_bad_notes (void **state) {
    (void) state;
    hear_upto (30);
    FINE (ledger_hear (ledger, FEED_CHECKPOINT, slice_text ("no note"), &e));
    assert_int_equal (notices ("BAD-CHECKPOINT"), 1);
    sign_by (cast.broker, leaves, 20);
    note.data[note.size - 5] ^= 1;
    hear_note (FEED_COSIGNATURES);
    assert_int_equal (notices ("BAD-CHECKPOINT"), 2);
    struct identity *other = identity_new (IDENTITY_BROKER, "lyon", &e);
    sign_by (other, leaves, 21);
    hear_note (FEED_CHECKPOINT);
    assert_int_equal (notices ("BAD-CHECKPOINT"), 3);
    struct checkpoint cp = { .origin = "example.org/other/1", .size = 22 };
    buf_clear (&note);
    checkpoint_sign (&cp, cast.broker, &note);
    hear_note (FEED_CHECKPOINT);
    assert_int_equal (notices ("BAD-CHECKPOINT"), 4);
    assert_int_equal (status().verified, -1);
    assert_false (status().alarmed); /* it proves nothing of the broker */
    assert_true (none_asked());
    identity_destroy (&other);
}

static void test_shrunk (void **state) {
    (void) state;
    verify (30);
    refuse (WIRE_COSIGN);
    sign (leaves, 20);
    hear_note (FEED_COSIGNATURES); /* late lines of an older one: fine */
    assert_int_equal (notices ("SHRUNK"), 0);
    hear_note (FEED_CHECKPOINT);
    assert_int_equal (notices ("SHRUNK"), 1);
    verify (31);
    assert_true (none_asked());
}

/* It is judged all the same. */
static void test_shrunk_fork (void **state) {
    (void) state;
    verify (400);
    refuse (WIRE_COSIGN);
    sign (others, 350);
    hear_note (FEED_CHECKPOINT);
    assert_int_equal (notices ("SHRUNK"), 1);
    convinces ("FORK", EVIDENCE_ROOTS);
}

/* Two ledgers */

static void test_two_roots (void **state) {
    (void) state;
    verify (400);
    refuse (WIRE_COSIGN);
    again();
    refuse (WIRE_CHECKPOINT);
    sign (others, 350);
    answer_note();
    convinces ("FORK", EVIDENCE_ROOTS);
    assert_true (none_asked());
    assert_true (status().alarmed);
    again();
    assert_true (status().alarmed);
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    verify (401); /* the true one goes on, but nothing is cosigned */
    assert_int_equal (status().verified, 401);
    assert_true (none_asked());
}

static void test_same_size (void **state) {
    (void) state;
    verify (400);
    refuse (WIRE_COSIGN);
    sign (others, 400);
    hear_note (FEED_CHECKPOINT);
    convinces ("FORK", EVIDENCE_ROOTS);
}

/* A broker of an older backup, that went on from there. */
static void test_fork (void **state) {
    (void) state;
    verify (400);
    refuse (WIRE_COSIGN);
    core.size = 9000;
    again();
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    while (find (WIRE_LEAVES))
        answer_leaves_of (find (WIRE_LEAVES), others, LEAVES_MAX);
    assert_int_equal (status().size, 9000);
    sign (others, 9000);
    hear_note (FEED_CHECKPOINT);
    assert_int_equal (notices ("FORK"), 0); /* where do they part? */
    answer_leaves_of (find (WIRE_LEAVES), others, LEAVES_MAX);
    answer_leaves_of (find (WIRE_LEAVES), others, LEAVES_MAX);
    convinces ("FORK", EVIDENCE_LEAVES);
    assert_int_equal (status().size, 400);
    assert_int_equal (status().verified, 400);
    assert_string_equal (status().why,
                         "the broker shows another ledger than before");
    hear (others, 9000, 10);
    tick (2000);
    assert_true (none_asked());
}

static void test_bad_root (void **state) {
    (void) state;
    verify (400);
    refuse (WIRE_COSIGN);
    hear_upto (500);
    sign (others, 500);
    hear_note (FEED_CHECKPOINT);
    answer_leaves(); /* what it gave before */
    assert_int_equal (notices ("BAD-ROOT"), 1);
    assert_int_equal (notices ("FORK"), 0);
    assert_true (status().alarmed);
    assert_int_equal (status().verified, 400);
}

static void test_bad_root_alone (void **state) {
    (void) state;
    hear_upto (500);
    sign (others, 500);
    hear_note (FEED_CHECKPOINT);
    refuse (WIRE_LEAVES);
    assert_int_equal (notices ("BAD-ROOT"), 1);
}

/* A desk that is busy is asked again; for how long, it does not choose. */
static void test_busy (void **state) {
    (void) state;
    hear_upto (500);
    sign (others, 500);
    hear_note (FEED_CHECKPOINT);
    int n = 0;
    for (struct asked *to; n < 100 && (to = find (WIRE_LEAVES)); n++) {
        struct reply reply = { .type = to->type,
                               .id = to->id,
                               .refused = true };
        bool mine;
        to->id = 0;
        refusal_set (&reply.refusal, RULE_BUSY);
        FINE (ledger_reply (ledger, &reply, &mine, &e));
        if (n == 0)
            assert_int_equal (notices ("BAD-ROOT"), 0);
        tick (0);
        assert_null (find (WIRE_LEAVES));
        tick (1100);
    }
    assert_in_range (n, 2, 40);
    assert_int_equal (notices ("BAD-ROOT"), 1);
}

/* Who else has the key of `$log` could have said them: the desk is asked. */
static void test_wrong_feed (void **state) {
    (void) state;
    hear_upto (290);
    hear (others, 290, 30);
    hear (leaves, 320, 80);
    sign (leaves, 400);
    hear_note (FEED_CHECKPOINT);
    assert_int_equal (status().verified, -1);
    answer_leaves();
    assert_int_equal (notices ("LEAVES-DIFFER"), 1);
    tick (0);
    assert_int_equal (status().verified, 400);
    refuse (WIRE_COSIGN);
    assert_false (status().alarmed);
}

/* Handover */

static void test_handover (void **state) {
    (void) state;
    int64_t seconds = clock_wall_ms() / 1000;
    settle (20);
    refuse (WIRE_COSIGN);
    struct roster *two = roster_two ("['FRONTEX/hq']", 1);
    hear_upto (100);
    sign (leaves, 90);
    add_line (cast.frontex, seconds); /* a quorum of the new ones alone */
    hear_note (FEED_COSIGNATURES);
    assert_int_equal (status().settled, 20);
    assert_int_equal (status().verified, 90);
    refuse (WIRE_COSIGN); /* still a witness by the old roster */
    tick (0);
    enum wire_which which;
    int64_t version;
    struct asked *call = find (WIRE_CHECKPOINT);
    FINE (
        wire_checkpoint_read (buf_slice (&call->frame), &which, &version, &e));
    assert_int_equal (which, WIRE_HANDOVER);
    assert_int_equal (version, 2);
    sign (leaves, 60);
    add_line (cast.frontex, seconds);
    add_line (cast.hq, seconds);
    answer_note();
    assert_int_equal (status().settled, 60);
    assert_int_equal (status().witnesses, 1);
    tick (0);
    tick (0);
    sign (leaves, 100);
    add_line (cast.frontex, seconds);
    answer_note();
    assert_int_equal (status().settled, 100);
    assert_true (none_asked()); /* no witness any more */
    roster_unref (&two);
}

static void test_no_handover (void **state) {
    (void) state;
    settle (20);
    refuse (WIRE_COSIGN);
    struct roster *two = roster_two ("['FRONTEX/hq']", 1);
    hear_upto (100);
    sign (leaves, 90);
    add_line (cast.frontex, clock_wall_ms() / 1000);
    hear_note (FEED_COSIGNATURES);
    refuse (WIRE_COSIGN);
    tick (0);
    refuse (WIRE_CHECKPOINT); /* none settled with roster 2 */
    tick (0);
    tick (0);
    answer_note(); /* and the newest is the same as before */
    tick (0);
    assert_true (none_asked());
    assert_int_equal (status().settled, 20);
    roster_unref (&two);
}

/* A broker lets a line in that is wrong: the quorum is whole without it, but
 * what we keep, and hand out in receipts, has to please a policy. */
static void test_wrong_line (void **state) {
    (void) state;
    struct roster *two =
        roster_two ("['EUROPOL/hq','FRONTEX/hq','EUROPOL/ec3']", 2);
    struct buf text = { 0 }, kept = { 0 };
    struct checkpoint_row row;
    struct checkpoint cp;
    struct note form;
    struct policy_verdict verdict;
    int64_t seconds = clock_wall_ms() / 1000;
    policy_write (two, &text);
    struct policy *policy = policy_read (buf_slice (&text), &e);
    assert_non_null (policy);
    hear_upto (60);
    sign (leaves, 60);
    add_line (cast.ec3, seconds);
    note.data[note.size - 20] = note.data[note.size - 20] == 'A' ? 'B' : 'A';
    add_line (cast.hq, seconds);
    add_line (cast.frontex, seconds);
    add_line (cast.ec3, seconds);
    FINE (checkpoint_read (buf_slice (&note), &cp, &form, &e));
    assert_int_equal (policy_check (policy, &cp, &form, &verdict, &e),
                      ERR_SIGNATURE);
    hear_note (FEED_COSIGNATURES);
    assert_int_equal (status().settled, 60);
    FINE (checkpoints_newest (store, &row, &kept, &e));
    FINE (checkpoint_read (buf_slice (&kept), &cp, &form, &e));
    assert_int_equal (form.count, 3);
    FINE (policy_check (policy, &cp, &form, &verdict, &e));
    assert_int_equal (verdict.cosigned, 2);
    policy_destroy (&policy);
    buf_free (&text);
    buf_free (&kept);
    roster_unref (&two);
}

/* Without witnesses the log's word settles. */
static void test_quorum_0 (void **state) {
    (void) state;
    struct roster *two = roster_two ("[]", 0);
    mark_put (60, clock_wall_ms() - 1000);
    verify (100);
    assert_int_equal (status().settled, 100);
    assert_in_range (clock_wall_ms() - status().settled_time, 1000, 60000);
    assert_true (status().current);
    assert_true (none_asked());
    roster_unref (&two);
}

#define T(f) cmocka_unit_test_setup_teardown (f, begin_test, end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        T (test_feed_leaves),    T (test_catch_up),    T (test_bad_leaves),
        T (test_unsigned),       T (test_waits),       T (test_cosigns),
        T (test_remembers),      T (test_clock),       T (test_no_witness),
        T (test_evidence_stops), T (test_settles),     T (test_bad_notes),
        T (test_shrunk),         T (test_two_roots),   T (test_same_size),
        T (test_fork),           T (test_bad_root),    T (test_bad_root_alone),
        T (test_wrong_feed),

        T (test_handover),       T (test_no_handover), T (test_quorum_0),

        T (test_zero_leaf),      T (test_never_comes), T (test_future),
        T (test_marks_withheld), T (test_shrunk_fork), T (test_busy),
        T (test_wrong_line),

        T (test_cosigns_again),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
