/* complete: what is asked of the desk, and what it says against what is held. */
#include "complete_fixture.h"

#include "store/outbox.h"

/* Tests */

static void test_nothing (void **state) {
    (void) state;
    stands (-1, "no mark is proved yet");
    complete_end (complete);
    tick (200);
    assert_int_equal (calls, 0);
    complete_begin (complete);
    follow->generation = 0; /* the list of streams is not there */
    tick (200);
    assert_int_equal (calls, 0);
    /* An answer to nothing. */
    struct reply reply = { .type = WIRE_PATHS, .id = 7 };
    bool mine = true;
    FINE (complete_reply (complete, &reply, &mine, &e));
    assert_false (mine);
}

static void test_all_there (void **state) {
    (void) state;
    tick (200);
    assert_int_equal (asked_mark(), 1);
    claims_give (NULL, NULL);
    stands (1, "");
    give ("all", 2, 5);
    give ("@EUROPOL", 7, 2);
    give ("core", 9, 1);
    mark (10);
    give ("all", 11, 3); /* above the mark */
    tick (200);
    assert_int_equal (asked_mark(), 10);
    claims_give (NULL, NULL);
    stands (10, "");
    assert_int_equal (
        store_number ("SELECT COUNT (*) FROM claims WHERE mark = 10"), 3);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM claims WHERE roster"
                                    " AND mark = 1"),
                      3);
    size_t before = calls;
    wait_long();
    assert_int_equal (calls, before); /* there is nothing to ask */
    complete_destroy (&complete);
    complete_start();
    stands (10, "");
    wait_long();
    assert_int_equal (calls, before);
}

/* The last message of a quiet channel, and the desk lies about its number. */
static void test_last_withheld (void **state) {
    (void) state;
    struct buf held_back = { 0 };
    give ("core", 2, 3);
    records_make ("core", "core", 5, 1, &held_back);
    mark (6);
    ours ("core")->last = ours ("core")->upto;
    tick (200);
    claims_give (NULL, NULL);
    stands (-1, "core: number 4, the last of its records, is missing");
    assert_true (ours ("core")->check); /* the desk is asked */
    ours ("core")->check = false;
    assert_int_equal (notices ("WITHHELD"), 0);
    tick (2000);
    assert_true (ours ("core")->check);
    wait_long();
    assert_int_equal (notices ("WITHHELD"), 1);
    stands (-1, "core: number 4, the last of its records, is withheld");
    mark (7); /* it is the same that lacks */
    tick (200);
    claims_give (NULL, NULL);
    wait_long();
    assert_int_equal (notices ("WITHHELD"), 1);
    keep ("core", &held_back);
    buf_free (&held_back);
    tick (2000);
    stands (7, "");
}

/* Marks of a later form: that they prove nothing to us has to be seen. */
static void test_newer_mark (void **state) {
    (void) state;
    give ("all", 2, 3);
    mark (10);
    tick (200);
    claims_give (NULL, NULL);
    stands (10, "");
    admit (12);
    /* What the roster's record says is no mark. */
    sqlite3_exec (store->db,
                  "UPDATE records SET type = 3 - type WHERE sequence > 11",
                  NULL, NULL, NULL);
    tick (200);
    stands (10, "a form that this version can't read");
    wait_long();
    assert_int_equal (notices ("WITHHELD"), 0); /* it is us */
}

/* The answer comes when there is a newer mark: that one is asked at once. */
static void test_overtaken (void **state) {
    (void) state;
    give ("all", 2, 3);
    mark (10);
    tick (200);
    assert_int_equal (asked_mark(), 10);
    mark (11);
    tick (200);
    claims_give (NULL, NULL);
    tick (200);
    assert_int_equal (asked_mark(), 11);
    claims_give (NULL, NULL);
    stands (11, "");
}

/* A channel that the desk keeps out of our list of streams, and the record in
 * it that others read. */
static void test_unlisted (void **state) {
    (void) state;
    struct stream *core_stream = ours ("core"), **at = &follow->streams;
    while (*at != core_stream)
        at = &(*at)->next;
    *at = core_stream->next;
    give ("all", 2, 3);
    mark (10);
    tick (200);
    claims_give (NULL, NULL);
    stands (-1, "core: the desk does not list this stream");
    assert_int_equal (notices ("WITHHELD"), 0);
    wait_long();
    assert_int_equal (notices ("WITHHELD"), 1);
    core_stream->next = NULL; /* as a reply would put it there */
    for (at = &follow->streams; *at; at = &(*at)->next) {}
    *at = core_stream;
    tick (2000);
    tick (200);
    if (asked[WIRE_PATHS].id)
        claims_give (NULL, NULL);
    tick (10000);
    if (asked[WIRE_PATHS].id)
        claims_give (NULL, NULL);
    stands (10, "");
    assert_int_equal (notices ("WITHHELD"), 1);
}

/* Not withheld: it comes, in pieces. */
static void test_patience (void **state) {
    (void) state;
    struct buf pieces[4] = { { 0 } };
    for (size_t i = 0; i < 4; i++)
        records_make ("all", "all", 2 + 2 * (int64_t) i, 2, &pieces[i]);
    mark (20);
    tick (200);
    claims_give (NULL, NULL);
    stands (-1, "all: numbers 1 to 8 of its records are missing");
    for (size_t i = 0; i < 4; i++) {
        for (int wait = 0; wait < 25; wait++)
            tick (2000);
        keep ("all", &pieces[i]);
        buf_free (&pieces[i]);
    }
    tick (2000);
    stands (20, "");
    assert_int_equal (notices ("WITHHELD"), 0);
    /* One that we can't read is nobody's fault. */
    struct buf later = { 0 };
    records_make ("all", "all", 21, 1, &later);
    mark (22);
    ours ("all")->newer = true;
    tick (200);
    claims_give (NULL, NULL);
    wait_long();
    stands (20, "all: number 9");
    assert_int_equal (notices ("WITHHELD"), 0);
    buf_free (&later);
}

static void path_twist (struct mark_claim *claim) {
    if (slice_is (claim->stream.name, "core"))
        claim->path[0].octets[3] ^= 1;
}
static void name_twist (struct mark_claim *claim) {
    if (slice_is (claim->stream.name, "core"))
        claim->index = 2;
}
static void count_twist (struct mark_claim *claim) {
    if (slice_is (claim->stream.name, "core"))
        claim->stream.count--;
}

/* The desk's words, that nothing proves. */
static void test_bad_claims (void **state) {
    (void) state;
    static void (*const twists[]) (
        struct mark_claim *) = { path_twist, name_twist, count_twist };
    give ("core", 2, 3);
    mark (6);
    for (size_t i = 0; i < 3; i++) {
        tick (6000);
        claims_give (NULL, twists[i]);
        stands (-1, "core: what is said of it is not proved");
        assert_int_equal (notices ("BAD-CLAIM"), 1);
    }
    tick (6000);
    claims_give (NULL, NULL);
    stands (6, "");
}

static void test_no_claims (void **state) {
    (void) state;
    give ("core", 2, 3);
    mark (6);
    tick (200);
    claims_give ("core", NULL);
    stands (-1, "core: how many records it has is withheld");
    for (int i = 0; i < 14; i++) {
        tick (6000);
        if (asked[WIRE_PATHS].id)
            claims_give ("core", NULL);
    }
    for (int i = 0; i < 30; i++) {
        tick (2000);
        if (asked[WIRE_PATHS].id)
            claims_give ("core", NULL);
    }
    assert_int_equal (notices ("WITHHELD"), 1);
    /* Nothing at all. */
    for (int i = 0; i < 60; i++) {
        struct buf none = { 0 };
        tick (2000);
        if (asked[WIRE_PATHS].id)
            reply_give (WIRE_PATHS, true, &none);
    }
    assert_int_equal (notices ("WITHHELD"), 2);
    while (!asked[WIRE_PATHS].id)
        tick (2000);
    claims_give (NULL, NULL);
    stands (6, "");
}

static void test_no_root (void **state) {
    (void) state;
    struct build *b = build_new (CHANNEL_LOG);
    mark_item (b, 2, false);
    log_build (b, 2);
    wait_long();
    stands (-1, "have no root");
    assert_int_equal (notices ("WITHHELD"), 1);
    assert_int_equal (calls, 0);
    mark (3);
    tick (200);
    claims_give (NULL, NULL);
    stands (3, "");
}

/* The mark itself says what is not so of what it was made over. */
static void test_wrong_marks (void **state) {
    (void) state;
    size_t n = stream_number ("core");
    give ("core", 2, 3);
    world.streams[n].leaves[1].octets[0] ^= 1; /* another record to others */
    mark (6);
    tick (200);
    claims_give (NULL, NULL);
    stands (-1, "core: they are not those that were given out");
    assert_int_equal (notices ("MARK-WRONG"), 1);
    wait_long();
    assert_int_equal (notices ("MARK-WRONG"), 1);
    world.streams[n].leaves[1].octets[0] ^= 1;
    mark (7);
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "");

    world.streams[n].count--; /* others are told of fewer */
    mark (8);
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "core: number 3 is record 4, below it");
    assert_int_equal (notices ("MARK-WRONG"), 2);
    world.streams[n].count++;

    give ("core", 20, 2);
    world.streams[n].sequences[3] = 9; /* before it was there */
    mark (10);
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "core: number 4 stands behind it");
    world.streams[n].sequences[3] = 20;

    world.streams[n].sequences[2] = 3; /* another place of the last */
    mark (11);
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "core: the last is record 4, not 3");
}

/* Each mark lies as the one before did: told once, and anew when one was right
 * meanwhile. */
static void test_wrong_marks_on (void **state) {
    (void) state;
    size_t n = stream_number ("core");
    give ("core", 2, 3);
    for (int64_t at = 10; at < 50; at += 10) {
        bool wrong = at != 30;
        give ("core", at, 1);
        world.streams[n].leaves[1].octets[0] ^= wrong;
        mark (at + 1);
        tick (200);
        claims_give (NULL, NULL);
        stands (at < 30 ? -1 : 31,
                wrong ? "core: they are not those that were given out" : "");
        world.streams[n].leaves[1].octets[0] ^= wrong;
        assert_int_equal (notices ("MARK-WRONG"), at < 40 ? 1 : 2);
    }
}

/* Handed in on `late`, which we may not read, and promised at 3. */
static void hand_in (int64_t sequence) {
    struct buf octets = { 0 };
    size_t n = stream_number ("late");
    int64_t number;
    bool repeated;
    records_make ("late", "late", sequence, 1, &octets);
    buf_free (&octets);
    FINE (outbox_add (store, NULL, slice_text ("late/note/x"), BODY_TEXT,
                      slice_text ("words"), NULL, 0, &number, &repeated, &e));
    struct hash id = hash_sha256 (slice_of (&sequence, sizeof sequence));
    struct outbox_form form = { number, id, slice_text ("a header") };
    FINE (outbox_sending (store, &form, 1, &e));
    struct promise promise = { .epoch = 1, .log_time = BUILD_TIME };
    struct promise_accepted accepted = {
        0, id, sequence, world.streams[n].leaves[world.streams[n].count - 1]
    };
    promise_sign (&promise, cast.broker, &cast.dialogue, &accepted, 1, NULL, 0);
    FINE (outbox_promised (store, &promise, &accepted, 1, &e));
}

static void handed_give (const char *stream, bool good) {
    struct buf frame = { 0 };
    int64_t at, sequence;
    size_t n = stream_number (stream), i = 0;
    FINE (wire_handed_read (buf_slice (&asked[WIRE_HANDED].frame), &at,
                            &sequence, &e));
    struct wire_handed one = { 0 };
    claim_make (n, at, &one.claim);
    while (i < world.streams[n].count
           && world.streams[n].sequences[i] != sequence)
        i++;
    i = i < world.streams[n].count ? i : 0;
    one.number = (int64_t) i + 1;
    if (one.claim.stream.count > 0)
        one.path_length =
            tree_path (world.streams[n].leaves, (size_t) one.claim.stream.count,
                       good ? i : 0, one.path);
    wire_handed_begin (&frame, at, 1);
    wire_handed_put (&frame, &one);
    reply_give (WIRE_HANDED, false, &frame);
}

static void test_handed (void **state) {
    (void) state;
    struct buf none = { 0 };
    give ("all", 2, 1);
    for (int64_t at = 3; at < 7; at++)
        hand_in (at);
    mark (7);
    hand_in (8); /* not yet */
    tick (200);
    assert_false (complete_hurries (complete));
    claims_give (NULL, NULL);
    assert_true (complete_hurries (complete));
    stands (7, "");
    tick (200);
    assert_false (complete_hurries (complete));
    handed_give ("late", true);
    assert_int_equal (notices ("WITHHELD"), 0);
    tick (200);
    handed_give ("late", false);
    assert_int_equal (notices ("WITHHELD"), 1);
    tick (200);
    handed_give ("all", true); /* not where it has to be */
    assert_int_equal (notices ("WITHHELD"), 2);
    tick (200);
    reply_give (WIRE_HANDED, true, &none);
    assert_int_equal (notices ("WITHHELD"), 3);
    wait_long();
    assert_int_equal (asked[WIRE_HANDED].id, 0);
    mark (9);
    tick (200);
    claims_give (NULL, NULL);
    tick (200);
    handed_give ("late", true);
    wait_long();
    assert_int_equal (asked[WIRE_HANDED].id, 0);
    assert_int_equal (notices ("WITHHELD"), 3);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_nothing, begin, end),
        cmocka_unit_test_setup_teardown (test_all_there, begin, end),
        cmocka_unit_test_setup_teardown (test_last_withheld, begin, end),
        cmocka_unit_test_setup_teardown (test_unlisted, begin, end),
        cmocka_unit_test_setup_teardown (test_overtaken, begin, end),
        cmocka_unit_test_setup_teardown (test_newer_mark, begin, end),
        cmocka_unit_test_setup_teardown (test_patience, begin, end),
        cmocka_unit_test_setup_teardown (test_bad_claims, begin, end),
        cmocka_unit_test_setup_teardown (test_no_claims, begin, end),
        cmocka_unit_test_setup_teardown (test_no_root, begin, end),
        cmocka_unit_test_setup_teardown (test_wrong_marks, begin, end),
        cmocka_unit_test_setup_teardown (test_wrong_marks_on, begin, end),
        cmocka_unit_test_setup_teardown (test_handed, begin, end),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
