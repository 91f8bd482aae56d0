/* parcel: what goes together, in which order, and what is kept before it goes.
 */
#include "store_fixture.h"

#include "link/parcel.h"
#include "store/outbox.h"

static struct core core;

static int begin (void **state) {
    int rc = store_begin_test (state);
    core = (struct core){ .identity = cast.hq,
                          .delegation = "EUROPOL/hq",
                          .dialogue = cast.dialogue,
                          .store = store };
    core.rosters = rosters_new (&cast.dialogue, cast.roster, &e);
    return core.rosters ? rc : -1;
}

static int end (void **state) {
    rosters_destroy (&core.rosters);
    return store_end_test (state);
}

static int64_t put (const char *topic, size_t size) {
    struct buf content = { 0 };
    int64_t number;
    bool repeated;
    while (content.size < size)
        buf_add_u8 (&content, 'x');
    FINE (outbox_add (store, NULL, slice_text (topic), BODY_TEXT,
                      buf_slice (&content), NULL, 0, &number, &repeated, &e));
    buf_free (&content);
    return number;
}

static struct parcel *take (bool again, int64_t after, size_t room) {
    struct parcel *out;
    FINE (parcel_take (&core, again, after, room, &out, &e));
    return out;
}

/* As the broker reads it; frees nothing of the parcel. */
static struct batch *opened (const struct parcel *parcel) {
    struct batch *batch = mem_alloc (sizeof *batch);
    struct refusal why;
    if (batch_read (buf_slice (&parcel->head), buf_slice (&parcel->headers),
                    buf_slice (&parcel->bodies), &cast.dialogue, batch, &why))
        fail_msg ("%s", why.name);
    assert_int_equal (batch->size, parcel->count);
    for (size_t i = 0; i < batch->size; i++) {
        assert_null (batch->items[i].refusal);
        assert_true (hash_equal (&batch->items[i].message.id, &parcel->ids[i]));
    }
    return batch;
}

static void close_batch (struct batch **batch_p) {
    batch_clear (*batch_p);
    free (*batch_p);
    *batch_p = NULL;
}

static int64_t state_count (enum outbox_state state) {
    int64_t counts[6];
    outbox_counts (store, counts);
    return counts[state];
}

static void test_nothing (void **state) {
    (void) state;
    for (int again = 0; again < 2; again++) {
        struct parcel *parcel = take (again != 0, 0, 256);
        assert_int_equal (parcel->count, 0);
        assert_int_equal (parcel->last, 0);
        parcel_free (&parcel);
        parcel_free (&parcel);
    }
}

static void test_order (void **state) {
    (void) state;
    static const char *const topics[] = { "all/a/1", "all/b/1", "core/a/1",
                                          "all/c/1", "core/b/1" };
    for (size_t i = 0; i < 5; i++)
        put (topics[i], 10);
    /* One channel a batch; the other's turn comes. */
    static const struct {
        size_t count;
        int64_t numbers[3];
        const char *channel;
    } rows[] = { { 3, { 1, 2, 4 }, "all" }, { 2, { 3, 5 }, "core" } };
    for (size_t i = 0; i < 2; i++) {
        struct parcel *parcel = take (false, 0, 256);
        struct batch *batch = opened (parcel);
        assert_int_equal (batch->size, rows[i].count);
        assert_true (slice_is (batch->channel, rows[i].channel));
        assert_true (batch_signed (batch, &cast.dialogue,
                                   identity_public (cast.hq, KEY_SIGN)));
        for (size_t j = 0; j < rows[i].count; j++) {
            const struct message *m = &batch->items[j].message;
            assert_int_equal (m->number, rows[i].numbers[j]);
            assert_int_equal (m->lane, store_lane (store));
            assert_int_equal (m->roster_version, 1);
        }
        close_batch (&batch);
        parcel_free (&parcel);
    }
    assert_int_equal (state_count (OUTBOX_WAITING), 0);
    assert_int_equal (state_count (OUTBOX_SENT), 5);
}

/* What was sent goes again with its own ids, walked through once. */
static void test_again (void **state) {
    (void) state;
    struct hash ids[4];
    for (int i = 0; i < 4; i++)
        put (i == 2 ? "core/a/1" : "all/a/1", 10);
    for (int i = 0; i < 2; i++) {
        struct parcel *parcel = take (false, 0, 256);
        for (size_t j = 0; j < parcel->count; j++) {
            struct batch *batch = opened (parcel);
            int64_t number = batch->items[j].message.number;
            ids[number - 1] = parcel->ids[j];
            close_batch (&batch);
        }
        parcel_free (&parcel);
    }
    static const struct {
        int64_t last;
        size_t count;
    } rows[] = { { 2, 2 }, { 3, 1 }, { 4, 1 } };
    int64_t after = 0;
    for (size_t i = 0; i < 3; i++) {
        struct parcel *parcel = take (true, after, 256);
        assert_int_equal (parcel->count, rows[i].count);
        assert_int_equal (parcel->last, rows[i].last);
        for (size_t j = 0; j < parcel->count; j++)
            assert_true (
                hash_equal (&parcel->ids[j], &ids[after + (int64_t) j]));
        after = parcel->last;
        parcel_free (&parcel);
    }
    struct parcel *parcel = take (true, after, 256);
    assert_int_equal (parcel->count, 0);
    parcel_free (&parcel);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM forms"), 4);
}

static void test_limits (void **state) {
    (void) state;
    for (int i = 0; i < 300; i++)
        put ("all/a/1", 10);
    static const size_t rows[][2] = { { 7, 7 }, { 256, 256 }, { 9000, 37 } };
    for (size_t i = 0; i < 3; i++) {
        struct parcel *parcel = take (false, 0, rows[i][0]);
        assert_int_equal (parcel->count, rows[i][1]);
        parcel_free (&parcel);
    }
    /* Four bodies of the largest size are over a batch's octets. */
    for (int i = 0; i < 4; i++)
        put ("all/a/1", CONTENT_MAX);
    for (int i = 0; i < 2; i++) {
        struct parcel *parcel = take (false, 0, 256);
        assert_int_equal (parcel->count, i == 0 ? 3 : 1);
        struct batch *batch = opened (parcel);
        close_batch (&batch);
        parcel_free (&parcel);
    }
}

/* A newer roster, and it is another form, which is kept beside the first. */
static void test_new_roster (void **state) {
    (void) state;
    char dialogue[HASH_TEXT_MAX];
    put ("all/a/1", 10);
    struct parcel *first = take (false, 0, 256);
    struct refusal why;
    refusal_set (&why, RULE_STALE_ROSTER);
    FINE (outbox_refused (store, &first->ids[0], &why, false,
                          (struct slice){ 0 }, &e));
    struct roster *next = fixture_read (
        fixture_next (cast.roster, cast_document (&cast)),
        hash_text (dialogue, &cast.dialogue), "EUROPOL FRONTEX", &e);
    FINE (rosters_answer (core.rosters, roster_octets (next), &e));
    struct parcel *second = take (false, 0, 256);
    struct batch *batch = opened (second);
    assert_int_equal (batch->items[0].message.roster_version, 2);
    assert_int_equal (batch->items[0].message.number, 1);
    assert_false (hash_equal (&first->ids[0], &second->ids[0]));
    assert_int_equal (store_number ("SELECT COUNT (*) FROM forms"), 2);
    /* It was sent: it goes again as it is, whatever roster comes. */
    struct parcel *again = take (true, 0, 256);
    assert_true (hash_equal (&again->ids[0], &second->ids[0]));
    close_batch (&batch);
    parcel_free (&first);
    parcel_free (&second);
    parcel_free (&again);
    roster_unref (&next);
}

/* Another author's goes alone, signed by `via`; an own one without. */
static void test_contribution (void **state) {
    (void) state;
    for (int own = 0; own < 2; own++) {
        struct build *build = build_new ("all");
        const struct identity *author = own ? cast.hq : cast.frontex;
        struct signed_batch *made =
            sign_batch (&cast, build, author, NULL, 3, 10 + (size_t) own);
        struct buf file = { 0 };
        int64_t number;
        bool repeated;
        contribution_write (buf_slice (&made->head), buf_slice (&made->headers),
                            buf_slice (&made->bodies), &file);
        FINE (outbox_add_contribution (
            store, NULL, buf_slice (&file), "all/note/1",
            &made->batch.items[0].message.id, &number, &repeated, &e));
        put ("all/a/1", 10);
        struct parcel *parcel = take (false, 0, 256);
        assert_true (parcel->contribution);
        struct batch *batch = opened (parcel);
        assert_int_equal (batch->size, 3);
        assert_int_equal (batch->via.present, !own);
        if (!own)
            assert_true (batch_via_signed (
                batch, &cast.dialogue, identity_public (cast.hq, KEY_SIGN)));
        close_batch (&batch);
        parcel_free (&parcel);
        parcel = take (false, 0, 256);
        assert_false (parcel->contribution);
        assert_int_equal (parcel->count, 1);
        parcel_free (&parcel);
        buf_free (&file);
        signed_batch_free (made);
        build_free (build);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, end)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (test_nothing), TEST (test_order),      TEST (test_again),
        TEST (test_limits),  TEST (test_new_roster), TEST (test_contribution),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
