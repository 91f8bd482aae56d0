/* block_cut: each part of a block proves what the whole did. */
#include "block_fixture.h"

static struct cast cast;
static struct block_writer *writer;

static int begin (void **state) {
    (void) state;
    cast_begin (&cast);
    writer = block_writer_new();
    return 0;
}

static int end (void **state) {
    (void) state;
    block_writer_destroy (&writer);
    cast_end (&cast);
    return 0;
}

/* Of all kinds, bodies of all states: 0-4 a whole batch, 5 an erasure, 6-8 with
 * ids, 9-12 with paths, 13 a batch of one. */
static struct build *words (void) {
    struct build *b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 5, 0, 5, RUN_WHOLE, 0);
    build_erasure (b);
    build_batch (b, &cast, cast.ec3, NULL, 6, 2, 5, RUN_MISSING, 0);
    build_batch (b, &cast, cast.hq, cast.frontex, 9, 4, 8, RUN_PATHS, 0);
    build_batch (b, &cast, cast.frontex, NULL, 1, 0, 1, RUN_WHOLE, 0);
    b->items[2].state = BODY_ERASED;
    b->items[7].state = BODY_ABSENT;
    return b;
}

static void read_good (const struct buf *octets, struct block *out) {
    struct block_facts facts;
    struct error e = { 0 };
    if (block_read (buf_slice (octets), out, &e)
        || block_check (out, &facts, &e)
        || block_verify (out, &cast.dialogue, cast.roster, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (facts.first_channel_sequence,
                      7 + out->first_sequence - BUILD_FIRST);
}

static void same_records (const struct block *whole, const struct block *part,
                          size_t from, size_t count) {
    struct block_walk a, b;
    assert_int_equal (part->count, count);
    assert_int_equal (part->first_sequence,
                      whole->first_sequence + (int64_t) from);
    block_walk (whole, &a);
    block_walk (part, &b);
    for (size_t i = 0; i <= from; i++)
        assert_true (block_next (&a));
    for (size_t i = 0; i < count; i++) {
        assert_true (block_next (&b));
        assert_true (slice_equal (a.record, b.record));
        assert_true (slice_equal (a.body, b.body));
        assert_int_equal (a.state, b.state);
        assert_int_equal (a.body_size, b.body_size);
        assert_int_equal (a.run < 0, b.run < 0);
        block_next (&a);
    }
}

/* Each record's path leads to what its author signed, in the whole and in a part
 * of one, whatever stands for the others. */
static void check_paths (const struct block *block) {
    struct block_walk w;
    struct error e = { 0 };
    block_walk (block, &w);
    while (block_next (&w)) {
        struct hash path[TREE_PATH_MAX], root, id;
        size_t length = 99;
        struct record r;
        enum err rc = block_batch_path (block, w.index, path, &length, &e);
        if (w.run < 0) {
            assert_int_equal (rc, ERR_NOT_FOUND);
            continue;
        }
        assert_int_equal (rc, ERR_NONE);
        assert_int_equal (record_read (w.record, &r, &e), ERR_NONE);
        id = hash_leaf (r.payload);
        assert_int_equal (tree_path_root (&id, r.batch_index, r.batch_size,
                                          path, length, &root),
                          ERR_NONE);
        const struct roster_delegation *author;
        struct message m;
        assert_int_equal (record_message (&r, &m, &e), ERR_NONE);
        author = roster_delegation (cast.roster, m.author);
        assert_true (batch_signature_valid (author->keys[0].sign,
                                            &cast.dialogue, m.author, r.channel,
                                            r.batch_size, &root, r.signature));
    }
}

static void test_batch_paths (void **state) {
    (void) state;
    struct build *b = words();
    struct buf octets = { 0 }, part = { 0 };
    struct block whole, cut;
    struct error e = { 0 };
    build_finish (b, &octets);
    read_good (&octets, &whole);
    check_paths (&whole);
    for (size_t at = 0; at < whole.count; at++) {
        buf_clear (&part);
        assert_int_equal (block_cut (&whole, at, 1, writer, &part, &e),
                          ERR_NONE);
        read_good (&part, &cut);
        check_paths (&cut);
    }
    buf_free (&octets);
    buf_free (&part);
    build_free (b);
}

/* Every stretch, and every stretch of those. */
static void test_every_part (void **state) {
    (void) state;
    struct build *b = words();
    struct buf octets = { 0 }, part = { 0 }, again = { 0 };
    struct block whole, cut, smaller;
    struct error e = { 0 };
    build_finish (b, &octets);
    read_good (&octets, &whole);
    for (size_t from = 0; from < whole.count; from++)
        for (size_t n = 1; n <= whole.count - from; n++) {
            buf_clear (&part);
            if (block_cut (&whole, from, n, writer, &part, &e))
                fail_msg ("%zu+%zu: %s", from, n, e.text);
            read_good (&part, &cut);
            same_records (&whole, &cut, from, n);
            for (size_t k = 0; k < n; k++) {
                buf_clear (&again);
                if (block_cut (&cut, k, (n - k + 1) / 2, writer, &again, &e))
                    fail_msg ("%zu+%zu, %zu: %s", from, n, k, e.text);
                read_good (&again, &smaller);
                same_records (&whole, &smaller, from + k, (n - k + 1) / 2);
            }
        }
    buf_clear (&part);
    assert_int_equal (block_cut (&whole, 0, whole.count, writer, &part, &e), 0);
    assert_true (slice_equal (buf_slice (&octets), buf_slice (&part)));
    buf_free (&octets);
    buf_free (&part);
    buf_free (&again);
    build_free (b);
}

/* The shorter of the two. */
static void test_kinds (void **state) {
    (void) state;
    static const struct {
        size_t size, from, count;
        enum run_kind kind;
        size_t hashes;
    } cuts[] = {
        { 2, 0, 1, RUN_MISSING, 1 },      { 3, 2, 1, RUN_PATHS, 1 },
        { 4, 0, 1, RUN_PATHS, 2 },        { 4, 1, 2, RUN_MISSING, 2 },
        { 256, 7, 1, RUN_PATHS, 8 },      { 256, 0, 28, RUN_PATHS, 224 },
        { 256, 0, 29, RUN_MISSING, 227 }, { 256, 1, 255, RUN_MISSING, 1 },
        { 129, 128, 1, RUN_PATHS, 1 },    { 256, 0, 256, RUN_WHOLE, 0 },
    };
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct build *b = build_new ("all");
        struct buf octets = { 0 }, part = { 0 };
        struct block whole, cut;
        struct block_run_view view;
        struct error e = { 0 };
        build_batch (b, &cast, cast.hq, NULL, cuts[i].size, 0, cuts[i].size,
                     RUN_WHOLE, 0);
        build_finish (b, &octets);
        assert_int_equal (block_read (buf_slice (&octets), &whole, &e), 0);
        assert_int_equal (
            block_cut (&whole, cuts[i].from, cuts[i].count, writer, &part, &e),
            0);
        read_good (&part, &cut);
        block_run_at (&cut, 0, &view);
        if (view.kind != cuts[i].kind
            || view.hashes.size != cuts[i].hashes * HASH_SIZE)
            fail_msg ("row %zu: kind %d, %zu octets", i, (int) view.kind,
                      view.hashes.size);
        assert_true (part.size <= octets.size);
        buf_free (&octets);
        buf_free (&part);
        build_free (b);
    }
}

/* Blocks that were not checked: refused, and nothing is left behind. */
static const struct {
    size_t item, element;
    const char *hex;
    enum err code;
} broken[] = {
    { 1, 14, "c0", ERR_MALFORMED },  /* no record */
    { 1, 0, "02", ERR_NEWER },       /* of which the id is not known */
    { 1, 12, "02", ERR_MALFORMED },  /* an index twice */
    { 1, 11, "06", ERR_MALFORMED },  /* another size */
    { 10, 12, "08", ERR_MALFORMED }, /* another length of paths */
};

static void test_refuses (void **state) {
    (void) state;
    struct buf out = { 0 };
    buf_add_text (&out, "kept");
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct build *b = words();
        struct buf octets = { 0 };
        struct block whole;
        struct error e = { 0 };
        record_put (&b->items[broken[i].item].record, broken[i].element,
                    broken[i].hex);
        build_finish (b, &octets);
        assert_int_equal (block_read (buf_slice (&octets), &whole, &e), 0);
        enum err rc = block_cut (&whole, broken[i].item, 1, writer, &out, &e);
        if (rc != broken[i].code || e.code != rc)
            fail_msg ("row %zu: %s '%s'", i, error_name (rc), e.text);
        assert_int_equal (block_count (writer), 0);
        assert_true (slice_is (buf_slice (&out), "kept"));
        buf_free (&octets);
        build_free (b);
    }
    buf_free (&out);
}

/* A whole run stays whatever is in it. */
static void test_whole_run_unseen (void **state) {
    (void) state;
    struct build *b = words();
    struct buf octets = { 0 }, part = { 0 };
    struct block whole, cut;
    struct error e;
    record_put (&b->items[6].record, 0, "02");
    build_finish (b, &octets);
    assert_int_equal (block_read (buf_slice (&octets), &whole, &e), 0);
    assert_int_equal (block_cut (&whole, 6, 3, writer, &part, &e), 0);
    assert_int_equal (block_read (buf_slice (&part), &cut, &e), 0);
    same_records (&whole, &cut, 6, 3);
    buf_free (&octets);
    buf_free (&part);
    build_free (b);
}

/* Bodies that are not kept are absent, and all else proves what it did. */
static void test_thin (void **state) {
    (void) state;
    struct build *b = words();
    struct buf octets = { 0 }, part = { 0 };
    struct block whole, thin;
    struct block_walk v, w;
    struct error e;
    bool kept[14] = { [0] = true, [5] = true, [9] = true };
    build_finish (b, &octets);
    read_good (&octets, &whole);
    assert_int_equal (block_thin (&whole, kept, writer, &part, &e), 0);
    read_good (&part, &thin);
    assert_int_equal (thin.count, whole.count);
    assert_int_equal (thin.runs, whole.runs);
    block_walk (&whole, &v);
    block_walk (&thin, &w);
    while (block_next (&v) && block_next (&w)) {
        bool out = v.state == BODY_PRESENT && !kept[w.index];
        assert_true (slice_equal (v.record, w.record));
        assert_int_equal (w.state, out ? BODY_ABSENT : v.state);
        assert_int_equal (w.body_size, v.body_size);
        assert_true (out || slice_equal (v.body, w.body));
    }
    check_paths (&thin);
    for (size_t i = 0; i < 14; i++)
        kept[i] = true;
    buf_clear (&part);
    assert_int_equal (block_thin (&whole, kept, writer, &part, &e), 0);
    assert_true (slice_equal (buf_slice (&part), buf_slice (&octets)));
    buf_free (&octets);
    buf_free (&part);
    build_free (b);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_thin),
        cmocka_unit_test (test_refuses),
        cmocka_unit_test (test_whole_run_unseen),
        cmocka_unit_test (test_kinds),
        cmocka_unit_test (test_every_part),
        cmocka_unit_test (test_batch_paths),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
