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

/* Records and promises */

static void records_put_at (int64_t sequence, int64_t time) {
    struct build *b = build_new ("all");
    b->roster = 0;
    build_batch (b, &cast, cast.hq, NULL, 2, 0, 2, RUN_WHOLE, 0);
    add_build (b, sequence, time);
}

static void records_put (int64_t sequence) {
    records_put_at (sequence, clock_wall_ms());
}

static void leaf_put (int64_t sequence) {
    struct record_row row;
    struct records_cursor *cursor =
        records_by_sequence (store, sequence, &row, &e);
    leaves[sequence] = row.leaf;
    records_close (&cursor);
}

static void test_records (void **state) {
    (void) state;
    records_put (10);
    leaf_put (10);
    leaf_put (11);
    verify (20);
    refuse (WIRE_COSIGN);
    records_put (30);
    leaf_put (30); /* 31 is another one in the tree */
    verify (40);
    assert_int_equal (notices ("WRONG-RECORD"), 1);
    assert_true (none_asked());
    assert_int_equal (status().verified, 40);
}

static void test_block (void **state) {
    (void) state;
    struct build *b = build_new ("all");
    struct buf octets = { 0 };
    struct block block;
    b->roster = 0;
    build_batch (b, &cast, cast.hq, NULL, 2, 0, 2, RUN_WHOLE, 0);
    build_finish (b, &octets);
    FINE (block_read (buf_slice (&octets), &block, &e));
    FINE (ledger_block (ledger, &block, &e)); /* no leaves yet */
    leaves[BUILD_FIRST] = record_leaf (buf_slice (&b->items[0].record));
    hear_upto (30);
    FINE (ledger_block (ledger, &block, &e)); /* not vouched for */
    verify (BUILD_FIRST + 1);
    FINE (ledger_block (ledger, &block, &e));
    verify (30);
    assert_int_equal (ledger_block (ledger, &block, &e), ERR_CHAIN);
    assert_non_null (strstr (e.text, "record 21"));
    buf_free (&octets);
    build_free (b);
}

/* Told before it could be proved. */
static void test_times (void **state) {
    (void) state;
    records_put_at (10, clock_wall_ms() - 1000);
    records_put_at (30, clock_wall_ms() - 5000);
    for (int i = 0; i < 2; i++) {
        leaf_put (10 + i);
        leaf_put (30 + i);
    }
    ledger_times (ledger, 11, 30);
    ledger_times (ledger, 35, 36); /* such a block was refused */
    verify (20);
    assert_int_equal (notices ("LOG-TIME"), 0);
    verify (31);
    convinces ("LOG-TIME", EVIDENCE_TIMES);
    verify (40);
    assert_int_equal (notices ("LOG-TIME"), 1);
    refuse (WIRE_COSIGN); /* of the first */
    assert_true (none_asked());
}

/* A message alone that its author did not sign. */
static void forged (struct buf *octets, struct hash *leaf) {
    struct build *b = build_new ("all");
    struct record r;
    uint8_t signature[SIGNATURE_SIZE];
    b->roster = 0;
    build_batch (b, &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    struct buf old = b->items[0].record;
    FINE (record_read (buf_slice (&old), &r, &e));
    memcpy (signature, r.signature, sizeof signature);
    signature[9] ^= 1;
    r.signature = signature;
    b->items[0].record = (struct buf){ 0 };
    record_write (&b->items[0].record, &r);
    buf_free (&old);
    *leaf = record_leaf (buf_slice (&b->items[0].record));
    build_finish (b, octets);
    build_free (b);
}

/* Behind the checkpoint that holds it. */
/* Which they are is not lost with the process. */
static void test_times_kept (void **state) {
    (void) state;
    records_put_at (10, clock_wall_ms() + 9000);
    records_put_at (30, clock_wall_ms() + 5000);
    for (int i = 0; i < 2; i++) {
        leaf_put (10 + i);
        leaf_put (30 + i);
    }
    hear_upto (20);
    again();
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    verify (20);
    again();
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    assert_int_equal (notices ("LOG-TIME"), 0);
    verify (31);
    convinces ("LOG-TIME", EVIDENCE_TIMES);
    again(); /* told */
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    assert_int_equal (ledger->times_count, 0);
}

static void test_bad_record (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct hash leaf, was = leaves[BUILD_FIRST];
    forged (&octets, &leaf);
    FINE (ledger_bad_block (ledger, slice_text ("no block"), &e));
    leaves[BUILD_FIRST] = leaf;
    verify (30);
    refuse (WIRE_COSIGN);
    assert_int_equal (notices ("BAD-RECORD"), 0);
    FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
    convinces ("BAD-RECORD", EVIDENCE_RECORD);
    assert_true (status().alarmed);
    verify (31);
    assert_true (none_asked());
    /* it is fetched again; an operator goes on in spite of it */
    FINE (ledger_resume (ledger, &e));
    FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
    verify (32);
    refuse (WIRE_COSIGN);
    again(); /* and goes on in spite of it after a start */
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
    verify (33);
    refuse (WIRE_COSIGN);
    assert_int_equal (notices ("BAD-RECORD"), 1);
    buf_free (&octets);
    leaves[BUILD_FIRST] = was;
}

/* In front of it: that checkpoint is not cosigned any more. */
static void test_bad_record_first (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct hash leaf, was = leaves[BUILD_FIRST];
    forged (&octets, &leaf);
    verify (BUILD_FIRST);
    refuse (WIRE_COSIGN);
    FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
    assert_int_equal (notices ("BAD-RECORD"), 0);
    leaves[BUILD_FIRST] = leaf;
    verify (30);
    convinces ("BAD-RECORD", EVIDENCE_RECORD);
    assert_true (none_asked());
    assert_true (status().alarmed);
    buf_free (&octets);
    leaves[BUILD_FIRST] = was;
}

/* A good one in the tree, or a bad one that is not in it, proves nothing. */
/* A batch that is there as a whole: its root is known, and nobody signed it. No
 * file says so; the agent stops all the same. */
static void test_bad_batch (void **state) {
    (void) state;
    for (int how = 0; how < 3; how++) {
        struct build *b = build_new ("all");
        struct buf octets = { 0 };
        struct record r;
        uint8_t signature[SIGNATURE_SIZE];
        b->roster = 0;
        /* of the whole one, of two of three, of one that is well signed */
        build_batch (b, &cast, cast.hq, NULL, how == 1 ? 3 : 2, 0, 2,
                     how == 1 ? RUN_MISSING : RUN_WHOLE, 0);
        for (size_t i = 0; i < 2; i++) {
            struct buf old = b->items[i].record;
            FINE (record_read (buf_slice (&old), &r, &e));
            memcpy (signature, r.signature, sizeof signature);
            signature[9] ^= how != 2;
            r.signature = signature;
            b->items[i].record = (struct buf){ 0 };
            record_write (&b->items[i].record, &r);
            buf_free (&old);
            leaves[r.sequence] = record_leaf (buf_slice (&b->items[i].record));
        }
        build_finish (b, &octets);
        build_free (b);
        again();
        refuse (WIRE_CHECKPOINT);
        refuse (WIRE_CHECKPOINT);
        FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
        assert_int_equal (notices ("BAD-RECORD"), 0); /* not in the tree yet */
        verify (30);
        refuse (WIRE_COSIGN);
        FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
        FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
        assert_int_equal (notices ("BAD-RECORD"), how == 0);
        assert_int_equal (status().alarmed, how == 0);
        buf_free (&octets);
        FINE (core_commit (&core, &e));
        end_test (state);
        begin_test (state);
    }
}

static void test_no_bad_record (void **state) {
    (void) state;
    struct build *b = build_new ("all");
    struct buf octets = { 0 };
    struct hash leaf;
    b->roster = 0;
    build_batch (b, &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    build_finish (b, &octets);
    leaves[BUILD_FIRST] = record_leaf (buf_slice (&b->items[0].record));
    build_free (b);
    verify (30);
    FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
    buf_clear (&octets);
    forged (&octets, &leaf);
    FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
    again();
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    for (size_t i = 0; i < 2 * LEDGER_SUSPECTS; i++)
        FINE (ledger_bad_block (ledger, buf_slice (&octets), &e));
    verify (31); /* the feed's, of a place that nobody knew then */
    refuse (WIRE_COSIGN);
    assert_int_equal (notices ("BAD-RECORD"), 0);
    assert_false (status().alarmed);
    buf_free (&octets);
}

/* A message of ours is sent, and promised there with that leaf. */
static int64_t promised (const char *form, int64_t sequence,
                         const struct hash *leaf) {
    int64_t number;
    bool repeated;
    struct hash id = hash_leaf (slice_text (form));
    FINE (outbox_add (store, NULL, slice_text ("all/note"), BODY_TEXT,
                      slice_text (form), NULL, 0, &number, &repeated, &e));
    struct outbox_form sent = { number, id, slice_text (form) };
    FINE (outbox_sending (store, &sent, 1, &e));
    struct promise promise = { .epoch = 1, .log_time = clock_wall_ms() };
    struct promise_accepted one = { 0, id, sequence, *leaf };
    promise_sign (&promise, cast.broker, &cast.dialogue, &one, 1, NULL, 0);
    FINE (outbox_promised (store, &promise, &one, 1, &e));
    return number;
}

/* Of a message whose record is here already, and under a checkpoint. */
static void test_promise_behind (void **state) {
    (void) state;
    verify (20);
    refuse (WIRE_COSIGN);
    struct promise promise = { .epoch = 1, .log_time = clock_wall_ms() };
    struct promise_accepted two[] = {
        { 0, hash_leaf (slice_text ("seen")), 7, leaves[7] },
        { 1, hash_leaf (slice_text ("not")), 8, leaves[9] }
    };
    int64_t number;
    bool repeated;
    for (int i = 0; i < 2; i++) {
        struct slice form = slice_text (i ? "not" : "seen");
        bool other;
        FINE (outbox_add (store, NULL, slice_text ("all/note"), BODY_TEXT, form,
                          NULL, 0, &number, &repeated, &e));
        struct outbox_form sent = { number, two[i].id, form };
        FINE (outbox_sending (store, &sent, 1, &e));
        FINE (store_begin (store, &e));
        FINE (outbox_seen (store, &two[i].id, two[i].sequence,
                           &leaves[two[i].sequence], &other, &e));
        FINE (store_commit (store, &e));
    }
    promise_sign (&promise, cast.broker, &cast.dialogue, two, 2, NULL, 0);
    assert_int_equal (outbox_promised (store, &promise, two, 2, &e), ERR_CHAIN);
    promise.epoch = 2; /* not of this one: nothing to compare it with */
    FINE (ledger_promised (ledger, &promise, two, 2, &e));
    assert_int_equal (notices ("PROMISE-BROKEN"), 0);
    promise.epoch = 1;
    FINE (ledger_promised (ledger, &promise, two, 2, &e));
    convinces ("PROMISE-BROKEN", EVIDENCE_PROMISE);
    verify (21);
    assert_true (none_asked());
    assert_true (status().alarmed);
}

static int64_t state_count (enum outbox_state state) {
    int64_t counts[6];
    outbox_counts (store, counts);
    return counts[state];
}

static void test_broken_promise (void **state) {
    (void) state;
    promised ("kept", 5, &leaves[5]);
    promised ("broken", 7, &leaves[6]);
    verify (20);
    convinces ("PROMISE-BROKEN", EVIDENCE_PROMISE);
    assert_true (none_asked());
    assert_true (status().alarmed);
}

/* An operator goes on in spite of it: that lasts over a start. */
static void test_broken_once (void **state) {
    (void) state;
    promised ("broken", 7, &leaves[6]);
    settle (20);
    tick (1000);
    assert_int_equal (notices ("PROMISE-BROKEN"), 1);
    assert_true (status().alarmed);
    FINE (ledger_resume (ledger, &e));
    again();
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    tick (1000);
    tick (1000);
    assert_false (status().alarmed);
    verify (21);
    refuse (WIRE_COSIGN);
    promised ("another", 8, &leaves[6]); /* that is news */
    tick (1000);
    tick (1000);
    assert_true (status().alarmed);
}

static void test_late_promise (void **state) {
    (void) state;
    settle (20);
    refuse (WIRE_COSIGN);
    promised ("late", 7, &leaves[6]);
    tick (1000);
    tick (1000);
    convinces ("PROMISE-BROKEN", EVIDENCE_PROMISE);
    assert_int_equal (state_count (OUTBOX_PROMISED), 1);
}

static void test_done (void **state) {
    (void) state;
    records_put (10);
    leaf_put (10);
    leaf_put (11);
    promised ("ten", 10, &leaves[10]);
    promised ("twelve", 12, &leaves[12]);
    promised ("thirty", 30, &leaves[30]);
    verify (31);
    tick (1000);
    assert_int_equal (state_count (OUTBOX_DONE), 0);
    settle (20);
    refuse (WIRE_COSIGN);
    tick (1000);
    assert_int_equal (state_count (OUTBOX_DONE), 1);
    /* We read the channel: the record has to be here too. */
    sqlite3_exec (store->db,
                  "UPDATE records SET sequence = 12 WHERE"
                  " sequence = 11",
                  NULL, NULL, NULL);
    tick (1000);
    assert_int_equal (state_count (OUTBOX_DONE), 2);
    settle (40);
    tick (1000);
    assert_int_equal (state_count (OUTBOX_DONE), 2);
    sqlite3_exec (store->db,
                  "UPDATE records SET sequence = 30 WHERE"
                  " sequence = 12",
                  NULL, NULL, NULL);
    tick (1000);
    assert_int_equal (state_count (OUTBOX_DONE), 3);
    assert_false (status().alarmed);
}

/* One place for more messages than a turn looks at. */
static void test_one_place (void **state) {
    (void) state;
    char form[16];
    for (int i = 0; i < 600; i++) {
        snprintf (form, sizeof form, "form %d", i);
        (void) promised (form, 7, &leaves[6]);
    }
    settle (20);
    for (int i = 0; i < 5 && ledger_busy (ledger); i++)
        tick (0);
    assert_false (ledger_busy (ledger));
    assert_int_equal (state_count (OUTBOX_PROMISED), 600);
    int64_t before = notices ("PROMISE-BROKEN");
    tick (1000);
    assert_int_equal (notices ("PROMISE-BROKEN"), before);
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

/* The right went with the stream, before the record came. */
static void test_right_taken (void **state) {
    (void) state;
    char text[HASH_TEXT_MAX];
    promised ("mine", 12, &leaves[12]);
    settle (20);
    tick (1000);
    assert_int_equal (state_count (OUTBOX_DONE), 0);
    json_t *d = fixture_next (cast.roster, cast_document (&cast));
    fixture_set (d, "channels[0].readers", "['entity:FRONTEX']");
    fixture_set (d, "channels[0].writers", "['entity:FRONTEX']");
    struct roster *out = fixture_read (d, hash_text (text, &cast.dialogue),
                                       "EUROPOL FRONTEX UNODC", &e);
    if (!out)
        fail_msg ("%s", e.text);
    FINE (rosters_learn (core.rosters, roster_octets (out), 30, &e));
    tick (1000);
    tick (1000);
    assert_int_equal (state_count (OUTBOX_DONE), 1);
    roster_unref (&out);
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
        T (test_feed_leaves),
        T (test_catch_up),
        T (test_bad_leaves),
        T (test_unsigned),
        T (test_waits),
        T (test_cosigns),
        T (test_remembers),
        T (test_clock),
        T (test_no_witness),
        T (test_evidence_stops),
        T (test_settles),
        T (test_bad_notes),
        T (test_shrunk),
        T (test_two_roots),
        T (test_same_size),
        T (test_fork),
        T (test_bad_root),
        T (test_bad_root_alone),
        T (test_wrong_feed),
        T (test_records),
        T (test_block),
        T (test_broken_promise),
        T (test_broken_once),
        T (test_bad_batch),
        T (test_times_kept),
        T (test_late_promise),
        T (test_done),
        T (test_handover),
        T (test_no_handover),
        T (test_quorum_0),
        T (test_times),
        T (test_bad_record),
        T (test_no_bad_record),
        T (test_zero_leaf),
        T (test_never_comes),
        T (test_future),
        T (test_marks_withheld),
        T (test_shrunk_fork),
        T (test_busy),
        T (test_one_place),
        T (test_right_taken),
        T (test_wrong_line),
        T (test_bad_record_first),
        T (test_promise_behind),
        T (test_cosigns_again),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
