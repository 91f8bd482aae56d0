/* desk: what it says at once, hellos, replies to whoever has gone. */
#include "desk_fixture.h"

/* What is not in order */

static void test_frame_0 (void **state) {
    (void) state;
    static const struct {
        const char *name, *head; /* hex; RUN stands behind it */
        enum rule rule;
        int64_t id;
        bool run;
    } rows[] = {
        { "empty", "", RULE_MALFORMED, 0, false },
        { "no msgpack", "c1", RULE_MALFORMED, 0, false },
        { "long form", "dc0005a67061726c657901030a", RULE_MALFORMED, 0, true },
        { "another protocol", "95a67061726c6578010307", RULE_MALFORMED, 0,
          true },
        { "version 2", "95a67061726c657902030a", RULE_VERSION, 10, true },
        { "version 2 with more", "96a67061726c657902030ac0", RULE_VERSION, 10,
          true },
        { "six elements", "96a67061726c657901030ac0", RULE_MALFORMED, 10,
          true },
        { "no run", "95a67061726c657901030ac0", RULE_HELLO_FIRST, 10, false },
        { "type 99", "95a67061726c657901630a", RULE_UNKNOWN_REQUEST, 10, true },
        { "erase", "95a67061726c657901090a", RULE_UNKNOWN_REQUEST, 10, true },
        { "status with a frame", "95a67061726c657901070a", RULE_UNKNOWN_REQUEST,
          10, true },
    };
    void *dealer = ready_as (stage->cast.hq);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf frames[2] = { 0 };
        size_t size = strlen (rows[i].head) / 2;
        assert_int_equal (
            hex_decode (buf_extend (&frames[0], size), size, rows[i].head), 0);
        if (rows[i].run)
            mp_put_bin (&frames[0], state_run (stage->state), RUN_SIZE);
        send_frames (dealer, frames, 2);
        check_error (dealer, rows[i].name, rows[i].id, rows[i].rule, NULL);
        buf_free (&frames[0]);
    }
    status_check (dealer);
    sock_close (&dealer);
}

static void test_hello_first (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.hq);
    ask (dealer, WIRE_STATUS, 7, NULL, 0);
    check_error (dealer, "status", 7, RULE_HELLO_FIRST, NULL);
    ask (dealer, 99, 8, NULL, 0);
    check_error (dealer, "unknown", 8, RULE_HELLO_FIRST, NULL);
    assert_false (state_hello_was_heard (stage->state));
    sock_close (&dealer);

    /* hello counts for its connection and this run only */
    dealer = ready_as (stage->cast.hq);
    assert_true (state_hello_was_heard (stage->state));
    struct buf frame = { 0 };
    struct wire_head head = { .type = WIRE_STATUS, .id = 9, .has_run = true };
    wire_head_write (&frame, &head);
    send_frames (dealer, &frame, 1);
    check_error (dealer, "another run", 9, RULE_HELLO_FIRST, NULL);
    buf_free (&frame);
    void *other = connect_as (stage->cast.hq);
    ask (other, WIRE_STATUS, 10, NULL, 0);
    check_error (other, "another connection", 10, RULE_HELLO_FIRST, NULL);
    status_check (dealer);
    sock_close (&other);
    sock_close (&dealer);
}

static void test_sizes (void **state) {
    (void) state;
    void *dealer = ready_as (stage->cast.hq);
    struct buf large = { 0 }, many[9] = { 0 };
    buf_add_zeros (&large, 513);
    ask (dealer, WIRE_FETCH, 2, &large, 1);
    check_error (dealer, "a large fetch", 2, RULE_LIMIT, NULL);
    buf_add_zeros (&large, 131072);
    ask (dealer, WIRE_HELLO, 3, &large, 1);
    check_error (dealer, "a large hello", 3, RULE_LIMIT, NULL);
    ask (dealer, WIRE_STATUS, 4, many, 8);
    check_error (dealer, "8 frames", 4, RULE_UNKNOWN_REQUEST, NULL);
    ask (dealer, WIRE_STATUS, 5, many, 9);
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    check_error (dealer, "9 frames", 5, RULE_LIMIT, &why);
    assert_string_equal (refusal_print (&why, text),
                         "LIMIT limit=8 size=9 what=frames");
    status_check (dealer);
    buf_free (&large);
    sock_close (&dealer);
}

static void test_not_listed (void **state) {
    (void) state;
    void *dealer = ready_as (stage->cast.frontex);
    json_t *d = stage_document (stage);
    fixture_set (d, "entities[1].delegations[0].revoked", "true");
    struct roster *next = stage_next (stage, d, NULL);
    roster_unref (&next);
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    ask (dealer, WIRE_STATUS, 7, NULL, 0);
    check_error (dealer, "revoked", 7, RULE_NOT_LISTED, &why);
    assert_string_equal (refusal_print (&why, text),
                         "NOT-LISTED delegation=FRONTEX/hq");
    sock_close (&dealer);
}

/* The connection is shut at the tenth, also where fetch finds the fault; libzmq
 * connects again, and that one has not said hello. */
static void test_cut (void **state) {
    (void) state;
    struct buf bad = { 0 };
    buf_add_u8 (&bad, 0xc1);
    for (int by_fetch = 0; by_fetch < 2; by_fetch++) {
        void *dealer = ready_as (stage->cast.hq);
        long long before = atomic_load (&state_counts (stage->state)->cut_off);
        for (int i = 1; i <= 10; i++) {
            if (by_fetch)
                ask (dealer, WIRE_FETCH, 0, &bad, 1);
            else
                send_frames (dealer, &bad, 1);
            if (i < 10)
                check_error (dealer, "malformed", 0, RULE_MALFORMED, NULL);
        }
        int64_t end = clock_mono_ms() + WAIT_MS;
        while (atomic_load (&state_counts (stage->state)->cut_off) == before) {
            assert_true (clock_mono_ms() < end);
            zmq_poll (NULL, 0, 1);
        }
        sock_close (&dealer);
    }
    buf_free (&bad);
}

/* Hello */

static void test_hello (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.hq);
    struct wire_hello hello = hello_of();
    struct wire_welcome w;
    struct refusal why;
    struct reply reply = { 0 };
    hello.lowest = hello.highest = 2;
    hello_ask (dealer, &hello);
    check_error (dealer, "version 2", 1, RULE_VERSION, &why);
    char text[REFUSAL_TEXT_MAX];
    assert_string_equal (
        refusal_print (&why, text),
        "VERSION highest=1 lowest=1 stated_highest=2 stated_lowest=2");
    hello.lowest = 1;
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_memory_equal (w.nonce, hello.nonce, 32);
    assert_memory_equal (w.run, state_run (stage->state), RUN_SIZE);
    assert_true (hash_equal (&w.dialogue, &stage->cast.dialogue));
    assert_true (slice_is (w.delegation, "EUROPOL/hq"));
    assert_int_equal (w.roster_version, 1);
    assert_int_equal (w.roster_sequence, 0);
    assert_int_equal (w.size, 4);
    assert_int_equal (w.log_time, BUILD_TIME + 3);
    assert_int_equal (w.closed, RULE_NONE);
    assert_int_equal (w.generation, 3);
    assert_int_equal (w.lane_count, 2);
    assert_int_equal (w.lanes[0].highest, 77);
    assert_int_equal (w.lanes[1].highest, 0);
    refusal_set (&why, RULE_CLOCK);
    state_close (stage->state, &why);
    hello_ask (dealer, &hello); /* again, on the same connection */
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_CLOCK);
    reply_free (&reply);
    sock_close (&dealer);
}

/* A promise of `signer` for the leaf that stands at `sequence`, or not. */
static void promise_make_at (struct wire_hello *hello,
                             const struct identity *signer, int64_t sequence,
                             bool right, int64_t epoch, int64_t time) {
    struct buf leaf = { 0 };
    struct promise_accepted accepted = { .sequence = sequence };
    struct promise promise = { .epoch = epoch, .log_time = time };
    if (right) {
        assert_int_equal (
            journal_leaves (stage->journal, sequence, 1, &leaf, &e), 0);
        memcpy (accepted.leaf.octets, leaf.data, HASH_SIZE);
    }
    promise_sign (&promise, signer, &stage->cast.dialogue, &accepted, 1, NULL,
                  0);
    promise_proof_make (&hello->promise, &promise, &accepted, 1, 0);
    hello->has_promise = true;
    buf_free (&leaf);
}

static void promise_make (struct wire_hello *hello,
                          const struct identity *signer, int64_t sequence,
                          bool right, int64_t epoch) {
    promise_make_at (hello, signer, sequence, right, epoch, BUILD_TIME);
}

static void test_promise (void **state) {
    (void) state;
    struct identity *other = cast_identity (IDENTITY_BROKER, "paris");
    const struct identity *broker = stage->cast.broker;
    const struct {
        const char *name;
        const struct identity *signer;
        int64_t sequence;
        bool right;
        int64_t epoch;
        enum rule closed;
    } rows[] = {
        { "kept", broker, 3, true, 1, RULE_NONE },
        { "no broker's", other, 4, false, 1, RULE_NONE },
        { "of another epoch", broker, 4, false, 2, RULE_NONE },
        { "another leaf", broker, 3, false, 1, RULE_LEDGER_BEHIND },
        { "kept; too late", broker, 3, true, 1, RULE_LEDGER_BEHIND },
        { "above the end", broker, 4, false, 1, RULE_LEDGER_BEHIND },
    };
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_welcome w;
        struct wire_hello hello = hello_of();
        promise_make (&hello, rows[i].signer, rows[i].sequence, rows[i].right,
                      rows[i].epoch);
        hello_ask (dealer, &hello);
        welcome_take (dealer, &reply, &w);
        if (w.closed != rows[i].closed)
            fail_msg ("%s: %s", rows[i].name, rule_name (w.closed));
    }
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    publish (dealer, 5, 1);
    check_error (dealer, "behind", 5, RULE_LEDGER_BEHIND, &why);
    assert_string_equal (refusal_print (&why, text),
                         "LEDGER-BEHIND sequence=3 size=4");
    status_check (dealer);
    reply_free (&reply);
    identity_destroy (&other);
    sock_close (&dealer);
}

/* Signed under a roster that has passed, whose desk key is gone since. */
static void test_promise_older (void **state) {
    (void) state;
    struct identity *other = cast_identity (IDENTITY_BROKER, "paris");
    json_t *d = stage_document (stage);
    cast_key (d, "brokers[0].desk_key[0].key",
              identity_public (other, KEY_DESK));
    struct roster *next = stage_next (stage, d, NULL); /* records 4 and 5 */
    roster_unref (&next);
    const struct {
        const char *name;
        const struct identity *signer;
        int64_t time;
        bool right;
        enum rule closed;
    } rows[] = {
        { "kept", stage->cast.broker, 3, true, RULE_NONE },
        { "when it was gone", stage->cast.broker, 6, false, RULE_NONE },
        { "the newest's", other, 9, true, RULE_NONE },
        { "in the roster's millisecond", stage->cast.broker, 4, false,
          RULE_LEDGER_BEHIND },
    };
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_welcome w;
        struct wire_hello hello = hello_of();
        promise_make_at (&hello, rows[i].signer, 3, rows[i].right, 1,
                         BUILD_TIME + rows[i].time);
        hello_ask (dealer, &hello);
        welcome_take (dealer, &reply, &w);
        if (w.closed != rows[i].closed)
            fail_msg ("%s: %s", rows[i].name, rule_name (w.closed));
    }
    reply_free (&reply);
    identity_destroy (&other);
    sock_close (&dealer);
}

static void test_promise_above (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    struct wire_welcome w;
    struct wire_hello hello = hello_of();
    promise_make (&hello, stage->cast.broker, 4, false, 1);
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_LEDGER_BEHIND);
    reply_free (&reply);
    sock_close (&dealer);
}

/* What can't be read is no proof that it is gone: the state would stay closed
 * for the whole run. */
static void test_promise_unread (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    struct wire_welcome w;
    struct wire_hello hello = hello_of();
    promise_make (&hello, stage->cast.broker, 3, true, 1);
    assert_int_equal (
        journal_roll (stage->journal, slice_text ("snapshot"), &e), 0);
    assert_int_equal (
        rename (ledger_in ("index/leaves"), ledger_in ("index/away")), 0);
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_NONE);
    assert_int_equal (
        rename (ledger_in ("index/away"), ledger_in ("index/leaves")), 0);
    promise_make (&hello, stage->cast.broker, 3, false, 1);
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_LEDGER_BEHIND);
    reply_free (&reply);
    sock_close (&dealer);
}

/* A checkpoint of ours that the ledger does not bear out. */
static void checkpoint_make (struct wire_hello *hello, struct buf *note,
                             const struct identity *signer, int64_t size,
                             uint8_t change) {
    struct checkpoint shown = { .size = size };
    struct buf leaves = { 0 };
    struct tree tree = { 0 };
    int64_t there = size < 4 ? size : 4;
    assert_int_equal (journal_leaves (stage->journal, 0, there, &leaves, &e),
                      0);
    for (int64_t i = 0; i < there; i++)
        tree_add (&tree, (const struct hash *) (leaves.data + i * HASH_SIZE));
    shown.root = tree_root (&tree);
    shown.root.octets[0] ^= change;
    strcpy (shown.origin, "example.org/test/1");
    buf_clear (note);
    checkpoint_sign (&shown, signer, note);
    hello->checkpoint = buf_slice (note);
    buf_free (&leaves);
}

static void test_checkpoint (void **state) {
    (void) state;
    struct identity *other = cast_identity (IDENTITY_BROKER, "paris");
    const struct identity *broker = stage->cast.broker;
    const struct {
        const char *name;
        const struct identity *signer; /* NULL: no note at all */
        int64_t size;
        uint8_t change;
        enum rule closed;
    } rows[] = {
        { "kept", broker, 4, 0, RULE_NONE },
        { "kept, an older one", broker, 3, 0, RULE_NONE },
        { "no note", NULL, 0, 0, RULE_NONE },
        { "no broker's", other, 9, 1, RULE_NONE },
        { "above the end", broker, 9, 0, RULE_LEDGER_BEHIND },
        { "another root; too late", broker, 3, 1, RULE_LEDGER_BEHIND },
    };
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    struct buf note = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_welcome w;
        struct wire_hello hello = hello_of();
        if (rows[i].signer)
            checkpoint_make (&hello, &note, rows[i].signer, rows[i].size,
                             rows[i].change);
        else
            hello.checkpoint = slice_text ("words");
        hello_ask (dealer, &hello);
        welcome_take (dealer, &reply, &w);
        if (w.closed != rows[i].closed)
            fail_msg ("%s: %s", rows[i].name, rule_name (w.closed));
    }
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    publish (dealer, 5, 1);
    check_error (dealer, "behind", 5, RULE_LEDGER_BEHIND, &why);
    assert_string_equal (refusal_print (&why, text),
                         "LEDGER-BEHIND sequence=8 size=4");
    buf_free (&note);
    reply_free (&reply);
    identity_destroy (&other);
    sock_close (&dealer);
}

/* The same size, another root. */
static void test_checkpoint_forked (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.frontex);
    struct reply reply = { 0 };
    struct buf note = { 0 };
    struct wire_welcome w;
    struct wire_hello hello = hello_of();
    checkpoint_make (&hello, &note, stage->cast.broker, 4, 1);
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_LEDGER_BEHIND);
    buf_free (&note);
    reply_free (&reply);
    sock_close (&dealer);
}

/* Publishing */

/* Answered when its peer has gone: dropped, and the desk goes on. */
static void test_gone (void **state) {
    (void) state;
    void *dealer = ready_as (stage->cast.hq);
    publish (dealer, 1, 1);
    struct job *job = judged_take();
    sock_close (&dealer);
    answer (job, "nobody hears it");
    dealer = ready_as (stage->cast.hq);
    status_check (dealer);
    sock_close (&dealer);
}

/* Blocks come as frames behind the items. */
static void test_fetch (void **state) {
    (void) state;
    void *dealer = ready_as (stage->cast.hq);
    struct buf frame = { 0 };
    struct reply reply = { 0 };
    struct wire_fetch wanted = { slice_text ("all"), 1, -1, 100000 };
    wire_fetch_write (&frame, &wanted);
    ask (dealer, WIRE_FETCH, 6, &frame, 1);
    reply_take (dealer, &reply);
    assert_int_equal (reply.head.type, WIRE_FETCH + WIRE_REPLY);
    assert_int_equal (reply.count, 2);
    struct block block;
    assert_int_equal (block_read (buf_slice (&reply.frames[1]), &block, &e), 0);
    assert_int_equal (block.count, 2);
    wanted.stream = slice_text ("$log"); /* a large frame: a roster's note */
    buf_clear (&frame);
    wire_fetch_write (&frame, &wanted);
    ask (dealer, WIRE_FETCH, 7, &frame, 1);
    reply_take (dealer, &reply);
    struct buf stored = { 0 };
    assert_int_equal (journal_read (stage->journal, 0, &stored, &e), 0);
    assert_true (stored.size > 4096);
    assert_true (
        slice_equal (buf_slice (&reply.frames[1]), buf_slice (&stored)));
    buf_free (&stored);
    buf_free (&frame);
    reply_free (&reply);
    sock_close (&dealer);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_frame_0),
        CASE (test_hello_first),
        CASE (test_sizes),
        CASE (test_not_listed),
        CASE (test_cut),
        CASE (test_hello),
        CASE (test_checkpoint),
        CASE (test_checkpoint_forked),
        CASE (test_promise),
        CASE (test_promise_above),
        CASE (test_promise_unread),
        CASE (test_gone),
        CASE (test_fetch),
        CASE (test_promise_older),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
