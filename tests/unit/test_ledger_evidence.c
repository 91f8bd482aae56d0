/* ledger_evidence, ledger_doubt: records and promises against the leaves under a
 * checkpoint, what is proved of them, and told once. */
#include "notes_fixture.h"

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

/* Behind the checkpoint that holds it. */
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

/* A good one in the tree, or a bad one that is not in it, proves nothing. */
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

#define T(f) cmocka_unit_test_setup_teardown (f, begin_test, end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        T (test_records),        T (test_block),
        T (test_times),          T (test_times_kept),
        T (test_bad_record),     T (test_bad_record_first),
        T (test_bad_batch),      T (test_no_bad_record),
        T (test_promise_behind), T (test_broken_promise),
        T (test_broken_once),    T (test_late_promise),
        T (test_done),           T (test_one_place),
        T (test_right_taken),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
