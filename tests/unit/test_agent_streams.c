/* streams: trees that wait for covers, hidden numbers, places. */
#include "records_fixture.h"

#include "store/hashes.h"
#include "store/streams.h"

#define MANY 3000

static struct hash leaves[MANY];

/* Numbers [first, first + count) as a block, whose records are nobody's. */
static void add (const char *stream, int64_t first, size_t count,
                 int64_t upto) {
    struct build *b = build_new ("all");
    struct buf octets = { 0 };
    struct block block;
    build_batch (b, &cast, cast.hq, NULL, count, 0, count, RUN_WHOLE, 0);
    for (size_t i = 0; i < count; i++)
        if (first + (int64_t) i > upto)
            leaves[first - 1 + (int64_t) i] =
                record_leaf (buf_slice (&b->items[i].record));
    build_finish (b, &octets);
    FINE (block_read (buf_slice (&octets), &block, &e));
    block.first_sequence = 10 * first;
    FINE (store_begin (store, &e));
    FINE (store_end (store,
                     streams_add (store, stream, first, upto, &block, &e), &e));
    buf_free (&octets);
    build_free (b);
}

static void hide (int64_t first, int64_t last) {
    FINE (store_begin (store, &e));
    FINE (store_end (store, streams_hide (store, "all", first, last, &e), &e));
    for (int64_t i = first; i <= last; i++)
        leaves[i - 1] = hash_leaf (slice_of (&i, sizeof i));
}

static void holds (size_t count) {
    struct tree tree;
    struct hash root, want = tree_root_of (leaves, count);
    FINE (hashes_tree (store, "all", &tree, &e));
    assert_int_equal (tree.size, count);
    root = tree_root (&tree);
    assert_true (hash_equal (&root, &want));
}

static void cover (const struct stream_span *span) {
    struct hash nodes[TREE_COVER_MAX];
    size_t length = 0;
    for (int64_t at = span->first - 1, size; at < span->last; at += size) {
        for (size = 1; at % (2 * size) == 0 && at + 2 * size <= span->last;)
            size *= 2;
        nodes[length++] = tree_root_of (leaves + at, (size_t) size);
    }
    FINE (store_begin (store, &e));
    FINE (store_end (
        store, streams_cover (store, "all", span, nodes, length, &e), &e));
}

static void test_grows (void **state) {
    (void) state;
    struct stream_span span;
    struct stream_place place;
    assert_int_equal (streams_wanted (store, "all", &span, &e), ERR_NOT_FOUND);
    assert_int_equal (streams_below (store, "all", 99, &place, &e),
                      ERR_NOT_FOUND);
    add ("all", 1, 5, 0);
    add ("all", 4, 2, 5); /* held already */
    holds (5);
    add ("all", 4, 4, 5); /* the second half is new */
    holds (7);
    add ("core", 1, 2, 0);
    assert_int_equal (streams_wanted (store, "all", &span, &e), ERR_NOT_FOUND);
    FINE (streams_below (store, "all", 43, &place, &e));
    assert_int_equal (place.first, 1);
    assert_int_equal (place.last, 5);
    assert_int_equal (place.sequence, 14);
    FINE (streams_above (store, "all", 14, &place, &e));
    assert_int_equal (place.first, 6);
    assert_int_equal (place.last, 7);
    assert_int_equal (place.sequence, 43);
    assert_int_equal (streams_above (store, "all", 43, &place, &e),
                      ERR_NOT_FOUND);
}

static void test_hidden (void **state) {
    (void) state;
    struct stream_span span;
    hide (1, 4);
    hide (5, 9); /* one span of two fetches */
    add ("all", 10, 5, 9);
    hide (15, 15);
    add ("all", 16, 3, 15);
    FINE (streams_wanted (store, "all", &span, &e));
    assert_int_equal (span.first, 1);
    assert_int_equal (span.last, 9);
    assert_false (span.covered);
    struct hash none[1];
    FINE (store_begin (store, &e));
    assert_int_equal (streams_cover (store, "all", &span, none, 1, &e),
                      ERR_MALFORMED);
    store_rollback (store);
    cover (&span);
    holds (14); /* up to the next hole */
    FINE (streams_wanted (store, "all", &span, &e));
    assert_int_equal (span.first, 15);
    cover (&span);
    holds (18);
    assert_int_equal (streams_wanted (store, "all", &span, &e), ERR_NOT_FOUND);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM stream_leaves"), 0);
    add ("all", 19, 2, 18);
    holds (20);
    hide (21, 22);
    FINE (streams_hidden (store, "all", 1, &span, &e));
    assert_int_equal (span.first, 15);
    assert_true (span.covered);
    FINE (streams_hidden (store, "all", 15, &span, &e));
    assert_int_equal (span.last, 22);
    assert_int_equal (streams_hidden (store, "all", 21, &span, &e),
                      ERR_NOT_FOUND);
}

static void uncover (bool expected) {
    bool some;
    FINE (store_begin (store, &e));
    FINE (store_end (store, streams_uncover (store, "all", &some, &e), &e));
    assert_int_equal (some, expected);
}

static void test_uncover (void **state) {
    (void) state;
    struct stream_span span;
    uncover (false); /* nothing is there */
    add ("all", 1, 3, 0);
    uncover (false);
    hide (4, 8);
    uncover (false); /* it waits already */
    FINE (streams_wanted (store, "all", &span, &e));
    cover (&span);
    add ("all", 9, 5, 8);
    hide (14, 15);
    add ("all", 16, 2, 15);
    holds (13);
    uncover (true);
    holds (3);
    FINE (streams_wanted (store, "all", &span, &e));
    cover (&span);
    holds (13);
    FINE (streams_wanted (store, "all", &span, &e));
    cover (&span);
    holds (17);
    uncover (true); /* both */
    holds (3);
    for (int i = 0; i < 2; i++) {
        FINE (streams_wanted (store, "all", &span, &e));
        cover (&span);
    }
    holds (17);
}

static void cut (int64_t number, bool some) {
    FINE (store_begin (store, &e));
    enum err rc = streams_cut (store, "all", number, &e);
    assert_int_equal (rc, some ? ERR_NONE : ERR_NOT_FOUND);
    if (rc == ERR_NOT_FOUND)
        rc = ERR_NONE;
    FINE (store_end (store, rc, &e));
}

static void waits_for (int64_t first, int64_t last) {
    struct stream_span span;
    FINE (streams_wanted (store, "all", &span, &e));
    assert_int_equal (span.first, first);
    assert_int_equal (span.last, last);
    cover (&span);
}

/* Numbers 4 to 13 and 16 to 19 are hidden. */
static void test_cut (void **state) {
    (void) state;
    struct stream_span span;
    struct hash root, want;
    add ("all", 1, 3, 0);
    cut (2, false); /* there are none */
    hide (4, 13);
    add ("all", 14, 2, 13);
    hide (16, 19);
    add ("all", 20, 1, 19);
    waits_for (4, 13);
    waits_for (16, 19);
    holds (20);
    static const int64_t outside[] = { 0, 1, 3, 13, 14, 15, 19, 20, 99 };
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        cut (outside[i], false);
    holds (20);
    assert_int_equal (hashes_root (store, "all", 9, &root, &e), ERR_STATE);
    cut (9, true);
    holds (3);
    cut (9, false);
    cut (11, true); /* while it waits */
    waits_for (4, 9);
    waits_for (10, 11);
    waits_for (12, 13);
    waits_for (16, 19);
    holds (20);
    assert_int_equal (streams_wanted (store, "all", &span, &e), ERR_NOT_FOUND);
    for (size_t at = 9; at <= 11; at += 2) {
        want = tree_root_of (leaves, at);
        FINE (hashes_root (store, "all", at, &root, &e));
        assert_true (hash_equal (&root, &want));
    }
    cut (17, true); /* the ones before stay */
    holds (15);
    waits_for (16, 17);
    waits_for (18, 19);
    holds (20);
}

/* More than goes in at once. */
static void test_many (void **state) {
    (void) state;
    struct stream_span span;
    int64_t upto = 3;
    hide (1, 3);
    for (; upto + BATCH_MAX < MANY; upto += BATCH_MAX)
        add ("all", upto + 1, BATCH_MAX, upto);
    FINE (streams_wanted (store, "all", &span, &e));
    cover (&span);
    holds ((size_t) upto);
    uncover (true);
    holds (0);
    FINE (streams_wanted (store, "all", &span, &e));
    cover (&span);
    holds ((size_t) upto);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_grows, store_begin_test,
                                         store_end_test),
        cmocka_unit_test_setup_teardown (test_hidden, store_begin_test,
                                         store_end_test),
        cmocka_unit_test_setup_teardown (test_uncover, store_begin_test,
                                         store_end_test),
        cmocka_unit_test_setup_teardown (test_cut, store_begin_test,
                                         store_end_test),
        cmocka_unit_test_setup_teardown (test_many, store_begin_test,
                                         store_end_test),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
