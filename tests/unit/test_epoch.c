/* epoch: what goes at a base, what stays, and what waits again. */
#include "records_fixture.h"

#include "store/checkpoints.h"
#include "store/epoch.h"
#include "store/hashes.h"
#include "store/outbox.h"
#include "store/streams.h"

/* A block of `count` messages of the channel, in its stream from `first` on. */
static void stream_block (const char *channel, int count, int64_t first,
                          int64_t sequence) {
    struct build *b = build_new (channel);
    struct hash leaves[8];
    build_batch (b, &cast, cast.hq, NULL, (size_t) count, 0, (size_t) count,
                 RUN_WHOLE, 0);
    add_build (b, sequence, BUILD_TIME);
    for (int i = 0; i < count; i++)
        leaves[i] = (struct hash){ { (uint8_t) (sequence + i) } };
    FINE (store_begin (store, &e));
    FINE (hashes_add (store, channel, leaves, (size_t) count, &e));
    sqlite3_stmt *s = store_prepare (
        store, "INSERT INTO stream_places (stream, sequence, first, last)"
               " VALUES (?, ?, ?, ?)");
    bind_text (s, 1, slice_text (channel));
    sqlite3_bind_int64 (s, 2, sequence + count - 1);
    sqlite3_bind_int64 (s, 3, first);
    sqlite3_bind_int64 (s, 4, first + count - 1);
    FINE (store_done (store, s, "place", &e));
    FINE (records_set_upto (store, channel, first + count - 1, &e));
    FINE (store_commit (store, &e));
}

static struct epoch_void cut (int64_t number, int64_t base) {
    struct epoch_void gone;
    FINE (store_begin (store, &e));
    FINE (epoch_cut (store, number, base, &gone, &e));
    FINE (store_commit (store, &e));
    assert_int_equal (epoch_entered (store), number);
    return gone;
}

static uint64_t tree_size (const char *name) {
    struct tree tree;
    FINE (hashes_tree (store, name, &tree, &e));
    return tree.size;
}

static void ledger_of (size_t size) {
    struct hash leaf = { { 1 } };
    FINE (store_begin (store, &e));
    for (size_t i = 0; i < size; i++)
        FINE (hashes_add (store, HASHES_LEDGER, &leaf, 1, &e));
    FINE (store_commit (store, &e));
}

static void test_nothing (void **state) {
    (void) state;
    assert_int_equal (epoch_entered (store), 1);
    struct epoch_void gone = cut (2, 0);
    assert_int_equal (gone.records + gone.messages, 0);
    assert_int_equal (records_count (store), 0);
    assert_int_equal (records_last_position (store), 0);
}

#define AT 100 /* the fixture's records name roster 3 */

/* From AT on: 0 is a roster, 1 its mark; `all` has 2, 3 and 6, 7, 8; `core` 4, 5 and 9; 10
 * is a roster, 11 its mark. */
static void many (void) {
    struct build *b = build_new ("$log");
    build_roster (b, cast.roster);
    add_build (b, AT, BUILD_TIME);
    b = build_new ("$log");
    build_mark (b, cast.roster);
    add_build (b, AT + 1, BUILD_TIME);
    stream_block ("all", 2, 1, AT + 2);
    stream_block ("core", 2, 1, AT + 4);
    stream_block ("all", 3, 3, AT + 6);
    stream_block ("core", 1, 3, AT + 9);
    b = build_new ("$log");
    build_roster (b, cast.roster);
    add_build (b, AT + 10, BUILD_TIME);
    b = build_new ("$log");
    build_mark (b, cast.roster);
    add_build (b, AT + 11, BUILD_TIME);
    FINE (store_add_roster (store, 1, AT, slice_text ("note"), &e));
    FINE (store_add_roster (store, 2, AT + 10, slice_text ("note"), &e));
    FINE (records_set_upto (store, "$log", 4, &e));
    FINE (store_set_meta (store, "complete", "111 1000", &e));
    FINE (store_set_meta (store, "own_from", "109", &e));
    ledger_of (AT + 12);
}

/* The base is within a block: what stands below in it is fetched again. */
static void test_records (void **state) {
    (void) state;
    many();
    struct epoch_void gone = cut (2, AT + 7);
    assert_int_equal (gone.records, 6);
    assert_int_equal (records_count (store), 6);
    assert_int_equal (records_last_position (store), 12);
    assert_int_equal (records_highest (store, NULL), AT + 5);
    assert_false (records_held (store, AT + 6));
    assert_int_equal (records_stream_upto (store, "$log"), 2);
    assert_int_equal (records_stream_upto (store, "all"), 2);
    assert_int_equal (records_stream_upto (store, "core"), 2);
    assert_int_equal (tree_size ("all"), 2);
    assert_int_equal (tree_size ("core"), 2);
    assert_int_equal (tree_size (HASHES_LEDGER), AT + 7);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM rosters"), 1);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM void_blocks"), 4);
    assert_int_equal (store_number ("SELECT value FROM meta WHERE key ="
                                    " 'own_from'"),
                      AT + 7);
    char *complete = store_meta (store, "complete");
    assert_null (complete);
    /* Positions go on from where they were, after a start too. */
    store_reopen();
    stream_block ("all", 3, 3, AT + 8);
    assert_int_equal (records_last_position (store), 15);
    assert_int_equal (records_count (store), 9);
    gone = cut (3, AT + 8);
    assert_int_equal (gone.records, 3);
    assert_int_equal (records_count (store), 6);
    assert_int_equal (records_last_position (store), 15);
    stream_block ("all", 1, 3, AT + 8);
    assert_int_equal (records_last_position (store), 16);
}

static void test_base_at_a_block (void **state) {
    (void) state;
    many();
    struct epoch_void gone = cut (2, AT + 9);
    assert_int_equal (gone.records, 3);
    assert_int_equal (records_stream_upto (store, "all"), 5);
    assert_int_equal (records_stream_upto (store, "core"), 2);
    assert_int_equal (tree_size ("all"), 5);
}

/* Numbers that may not be read are asked for again. */
static void test_hidden (void **state) {
    (void) state;
    many();
    FINE (store_begin (store, &e));
    FINE (streams_hide (store, "core", 4, 9, &e));
    FINE (records_set_upto (store, "core", 9, &e));
    FINE (store_commit (store, &e));
    cut (2, AT + 10);
    struct stream_span span;
    assert_int_equal (records_stream_upto (store, "core"), 3);
    assert_int_equal (streams_hidden (store, "core", 0, &span, &e),
                      ERR_NOT_FOUND);
}

/* Messages: their place below the base, or above. */

static int64_t post (const char *content, uint8_t id, int64_t sequence,
                     int64_t epoch) {
    int64_t number;
    bool repeated;
    FINE (outbox_add (store, NULL, slice_text ("all/note"), BODY_TEXT,
                      slice_text (content), NULL, 0, &number, &repeated, &e));
    struct outbox_form form = { number, { { id } }, slice_text ("header") };
    FINE (outbox_sending (store, &form, 1, &e));
    struct promise promise = { .epoch = epoch, .accepted_count = 1 };
    struct promise_accepted accepted = { 0, { { id } }, sequence, { { 9 } } };
    FINE (outbox_promised (store, &promise, &accepted, 1, &e));
    return number;
}

static enum err look (void *arg, const struct outbox_message *m,
                      struct error *why) {
    (void) why;
    struct outbox_message *out = arg;
    *out = *m;
    return m->body.size > 0 ? ERR_NONE : ERR_DIGEST;
}

static void is (int64_t number, enum outbox_state state, int64_t sequence,
                int64_t lane_number) {
    struct outbox_message m;
    FINE (outbox_get (store, number, look, &m, &e));
    assert_string_equal (outbox_state_name (m.state),
                         outbox_state_name (state));
    assert_int_equal (m.sequence, sequence);
    assert_int_equal (m.lane_number, lane_number);
}

static void test_outbox (void **state) {
    (void) state;
    int64_t below = post ("below", 1, 6, 1), at = post ("at", 2, 7, 1);
    int64_t above = post ("above", 3, 30, 1);
    struct epoch_void gone = cut (2, 7);
    assert_int_equal (gone.messages, 2);
    is (below, OUTBOX_PROMISED, 6, 1);
    is (at, OUTBOX_WAITING, -1, 2);
    is (above, OUTBOX_WAITING, -1, 3);
    struct promise_proof proof; /* as what it was */
    assert_true (outbox_highest_promise (store, 1, &proof));
    assert_int_equal (proof.sequence, 30);
    /* Another form of one, and the old form of the other, are taken; the new
     * epoch's places contradict nothing. */
    struct outbox_form forms[] = { { at, { { 12 } }, slice_text ("anew") },
                                   { above, { { 3 } }, slice_text ("h") } };
    FINE (outbox_sending (store, forms, 2, &e));
    struct promise promise = { .epoch = 2, .accepted_count = 2 };
    struct promise_accepted accepted[] = { { 0, { { 12 } }, 9, { { 7 } } },
                                           { 1, { { 3 } }, 10, { { 8 } } } };
    FINE (outbox_promised (store, &promise, accepted, 2, &e));
    is (at, OUTBOX_PROMISED, 9, 2);
    is (above, OUTBOX_PROMISED, 10, 3);
}

/* One whose messages stand on both sides of the base. */
static void test_contribution (void **state) {
    (void) state;
    int64_t number;
    bool repeated;
    struct hash ids[2];
    struct buf octets = { 0 };
    struct build *build = build_new ("all");
    struct signed_batch *made =
        sign_batch (&cast, build, cast.frontex, NULL, 2, 0);
    contribution_write (buf_slice (&made->head), buf_slice (&made->headers),
                        buf_slice (&made->bodies), &octets);
    for (int i = 0; i < 2; i++)
        ids[i] = made->batch.items[i].message.id;
    signed_batch_free (made);
    build_free (build);
    FINE (outbox_add_contribution (store, NULL, buf_slice (&octets),
                                   "all/note/FRONTEX", &ids[0], &number,
                                   &repeated, &e));
    buf_free (&octets);
    struct outbox_form form = { number, ids[0], { 0 } };
    for (int64_t epoch = 1; epoch <= 2; epoch++) {
        FINE (outbox_sending (store, &form, 1, &e));
        struct promise promise = { .epoch = epoch, .accepted_count = 2 };
        struct promise_accepted accepted[] = {
            { 0, ids[0], 6, { { 9 } } },
            { 1, ids[1], epoch == 1 ? 7 : 12, { { (uint8_t) epoch } } },
        };
        FINE (outbox_promised (store, &promise, accepted, 2, &e));
        assert_int_equal (
            store_number ("SELECT state = 2 AND sequence = 6 FROM outbox"), 1);
        if (epoch == 1) {
            assert_int_equal (cut (2, 7).messages, 1);
            assert_int_equal (store_number ("SELECT state = 0 AND sequence = 6"
                                            " FROM outbox"),
                              1);
        }
    }
    assert_int_equal (
        store_number ("SELECT SUM (sequence) FROM forms WHERE state = 1"), 18);
}

/* A checkpoint that was verified above the base gives way to what settled. */

static const char *note_of (int64_t size) {
    static char text[400];
    struct hash root = { { 5 } };
    char base64[BASE64_SIZE (HASH_SIZE)];
    snprintf (text, sizeof text,
              "log/1\n%lld\n%s\n\n\xe2\x80\x94 log/1 "
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
              "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
              (long long) size, base64_encode (base64, root.octets, HASH_SIZE));
    return text;
}

static void test_checkpoints (void **state) {
    (void) state;
    struct checkpoint cp;
    struct note note;
    FINE (checkpoint_read (slice_text (note_of (9)), &cp, &note, &e));
    FINE (checkpoints_verify (store, &cp, slice_text (note_of (9)), &e));
    cut (2, 9);
    FINE (checkpoints_verified (store, &cp, NULL, &e));
    cut (3, 8);
    assert_int_equal (checkpoints_verified (store, &cp, NULL, &e),
                      ERR_NOT_FOUND);
    FINE (checkpoint_read (slice_text (note_of (5)), &cp, &note, &e));
    FINE (checkpoints_settle (store, &cp, 1000, 1, true,
                              slice_text (note_of (5)), &e));
    FINE (checkpoints_verify (store, &cp, slice_text (note_of (9)), &e));
    cut (4, 6);
    FINE (checkpoints_verified (store, &cp, NULL, &e));
    assert_int_equal (cp.size, 5);
}

#define STORE_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST (test_nothing),         STORE_TEST (test_records),
        STORE_TEST (test_base_at_a_block), STORE_TEST (test_hidden),
        STORE_TEST (test_outbox),          STORE_TEST (test_contribution),
        STORE_TEST (test_checkpoints),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
