/* block: the octets, whatever records they hold. */
#include "block_fixture.h"
#include "vectors.h"

static struct block_writer *writer;
static const struct hash hashes[BATCH_MAX];

static int begin (void **state) {
    (void) state;
    writer = block_writer_new();
    return 0;
}

static int end (void **state) {
    (void) state;
    block_writer_destroy (&writer);
    assert_null (writer);
    block_writer_destroy (&writer);
    return 0;
}

static void add (const char *record, const char *body, enum body_state state) {
    assert_true (
        block_add (writer, slice_text (record), slice_text (body), state));
}

/* Three runs, one of each kind, and records before, between and behind. */
static void make (struct buf *out) {
    block_begin (writer, 77);
    add ("before", "", BODY_NONE);
    block_run (writer, RUN_MISSING, hashes, 3);
    add ("one", "present", BODY_PRESENT);
    add ("two", "erased", BODY_ERASED);
    block_run (writer, RUN_WHOLE, NULL, 0); /* no record: leaves no trace */
    block_no_run (writer);
    add ("between", "absent", BODY_ABSENT);
    block_run (writer, RUN_PATHS, hashes, 4);
    add ("three", "x", BODY_PRESENT);
    block_run (writer, RUN_WHOLE, NULL, 0);
    add ("four", "y", BODY_PRESENT);
    block_run (writer, RUN_MISSING, hashes, 9);
    assert_int_equal (block_count (writer), 6);
    size_t size = block_octets (writer);
    block_finish (writer, out);
    assert_int_equal (out->size, size);
    assert_int_equal (block_count (writer), 0);
}

static void test_reads_what_it_wrote (void **state) {
    (void) state;
    static const struct {
        const char *record, *body;
        size_t size;
        enum body_state state;
        int run;
    } want[] = {
        { "before", "", 0, BODY_NONE, -1 },
        { "one", "present", 7, BODY_PRESENT, 0 },
        { "two", "\0\0\0\0\0\0", 6, BODY_ERASED, 0 },
        { "between", "", 6, BODY_ABSENT, -1 },
        { "three", "x", 1, BODY_PRESENT, 1 },
        { "four", "y", 1, BODY_PRESENT, 2 },
    };
    struct buf octets = { 0 };
    struct block b;
    struct block_walk w;
    struct error e = { 0 };
    make (&octets);
    if (block_read (buf_slice (&octets), &b, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (b.first_sequence, 77);
    assert_int_equal (b.count, 6);
    assert_int_equal (b.runs, 3);
    block_walk (&b, &w);
    for (size_t i = 0; i < 6; i++) {
        assert_true (block_next (&w));
        assert_int_equal (w.index, i);
        assert_true (slice_is (w.record, want[i].record));
        assert_int_equal (w.body_size, want[i].size);
        assert_int_equal (w.state, want[i].state);
        assert_int_equal (w.run, want[i].run);
        assert_int_equal (w.body.size,
                          want[i].state == BODY_ABSENT ? 0 : want[i].size);
        assert_memory_equal (w.body.data, want[i].body, w.body.size);
    }
    assert_false (block_next (&w));
    assert_false (block_next (&w));
    buf_free (&octets);
}

static void test_runs (void **state) {
    (void) state;
    static const struct {
        enum run_kind kind;
        size_t first, count, hashes;
    } want[] = { { RUN_MISSING, 1, 2, 3 },
                 { RUN_PATHS, 4, 1, 4 },
                 { RUN_WHOLE, 5, 1, 0 } };
    struct buf octets = { 0 };
    struct block b;
    make (&octets);
    assert_int_equal (block_read (buf_slice (&octets), &b, NULL), ERR_NONE);
    for (size_t i = 0; i < 3; i++) {
        struct block_run_view view;
        block_run_at (&b, i, &view);
        assert_int_equal (view.kind, want[i].kind);
        assert_int_equal (view.first, want[i].first);
        assert_int_equal (view.count, want[i].count);
        assert_int_equal (view.hashes.size, want[i].hashes * HASH_SIZE);
    }
    buf_free (&octets);
}

static void test_any_octet (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct block b;
    make (&octets);
    for (size_t i = 0; i < octets.size * 8; i++) {
        octets.data[i / 8] ^= (uint8_t) (1 << i % 8);
        struct error e = { 0 };
        enum err rc = block_read (buf_slice (&octets), &b, &e);
        if (rc == ERR_NONE || e.code != rc || !e.text[0])
            fail_msg ("bit %zu: %s '%s'", i, error_name (rc), e.text);
        octets.data[i / 8] ^= (uint8_t) (1 << i % 8);
    }
    assert_int_equal (block_read (buf_slice (&octets), &b, NULL), ERR_NONE);
    buf_free (&octets);
}

/* Each length, from memory that ends there, so that ASan sees a read beyond. */
static void test_any_length (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct block b;
    make (&octets);
    for (size_t n = 0; n < octets.size; n++) {
        uint8_t *cut = mem_copy (octets.data, n);
        assert_int_equal (block_read (slice_of (cut, n), &b, NULL),
                          ERR_MALFORMED);
        if (n >= BLOCK_HEADER) { /* though it says so itself */
            put_u32 (cut + 4, (uint32_t) n);
            assert_int_not_equal (block_read (slice_of (cut, n), &b, NULL),
                                  ERR_NONE);
        }
        free (cut);
    }
    buf_add_u8 (&octets, 0);
    assert_int_equal (block_read (buf_slice (&octets), &b, NULL),
                      ERR_MALFORMED);
    buf_free (&octets);
}

/* Put the checksums right again, as somebody who means it would. */
static void mend (struct buf *octets) {
    uint8_t *p = octets->data;
    size_t at = 32 + 32 * (size_t) get_u16 (p + 10);
    for (unsigned m = get_u16 (p + 12); m > 0 && at + 8 <= octets->size; m--)
        at += 8 + get_u32 (p + at + 4);
    if (at > octets->size)
        at = octets->size;
    struct slice parts[] = { slice_of (p, 24), slice_of (p + 32, at - 32) };
    put_u64 (p + 24, hash_xxh3_parts (parts, 2, 0));
}

/* Table of six from 32, batches from 224: run 0 there, run 1 at 328, run 2 at
 * 464; content from 472. */
static const struct {
    size_t at;
    const char *hex; /* what to put there */
    enum err code;
} broken[] = {
    { 0, "504c5943", ERR_MALFORMED },             /* PLYC */
    { 4, "0000001f", ERR_MALFORMED },             /* below the header */
    { 4, "00110001", ERR_LIMIT },                 /* above 1,114,112 */
    { 8, "0000", ERR_MALFORMED },                 /* format 0 */
    { 8, "0002", ERR_NEWER },                     /* format 2 */
    { 10, "0000", ERR_MALFORMED },                /* no records */
    { 10, "0005", ERR_MALFORMED },                /* one too few */
    { 10, "0007", ERR_MALFORMED },                /* one too many */
    { 10, "1001", ERR_LIMIT },                    /* 4,097 */
    { 10, "1000", ERR_MALFORMED },                /* more than octets */
    { 12, "0007", ERR_MALFORMED },                /* more runs than records */
    { 12, "0002", ERR_MALFORMED },                /* a run too few */
    { 12, "0004", ERR_MALFORMED },                /* a run too many */
    { 14, "0001", ERR_MALFORMED },                /* not zero */
    { 16, "8000000000000000", ERR_MALFORMED },    /* above int64 */
    { 16, "7ffffffffffffffa", ERR_MALFORMED },    /* ends above it */
    { 32, "00000000", ERR_MALFORMED },            /* an empty record */
    { 32, "00000005", ERR_MALFORMED },            /* one shorter */
    { 32, "00000007", ERR_MALFORMED },            /* one longer */
    { 32, "00002001", ERR_LIMIT },                /* 8,193 */
    { 36, "00000001", ERR_MALFORMED },            /* a body of state 0 */
    { 40, "01", ERR_MALFORMED },                  /* present, of 0 */
    { 40, "04", ERR_MALFORMED },                  /* state 4 */
    { 41, "01", ERR_MALFORMED },                  /* not zero */
    { 42, "0000", ERR_MALFORMED },                /* run 0 for three */
    { 44, "00000001", ERR_MALFORMED },            /* not zero */
    { 56, "0000000000000001", ERR_MALFORMED },    /* checksum of no body */
    { 68, "00100001", ERR_LIMIT },                /* body above 1 MiB */
    { 72, "00", ERR_MALFORMED },                  /* none, of 7 */
    { 72, "02", ERR_MALFORMED },                  /* erased with a checksum */
    { 74, "0001", ERR_MALFORMED },                /* run 1 before 0 */
    { 74, "ffff", ERR_MALFORMED },                /* run 0 of one */
    { 106, "ffff", ERR_MALFORMED },               /* run 0 ends early */
    { 106, "0001", ERR_MALFORMED },               /* run 1 begins in it */
    { 138, "0000", ERR_MALFORMED },               /* run 0 for three */
    { 138, "0001", ERR_MALFORMED },               /* run 1 for two */
    { 202, "0003", ERR_MALFORMED },               /* run 3 of 3 */
    { 202, "ffff", ERR_MALFORMED },               /* run 2 of none */
    { 80, "0000000000000000", ERR_DIGEST },       /* record's checksum */
    { 88, "0000000000000000", ERR_DIGEST },       /* body's checksum */
    { 224, "0000", ERR_MALFORMED },               /* whole with ids */
    { 224, "0003", ERR_MALFORMED },               /* kind 3 */
    { 226, "0000", ERR_MALFORMED },               /* run of none */
    { 226, "0001", ERR_MALFORMED },               /* run of one */
    { 226, "0003", ERR_MALFORMED },               /* run of three */
    { 226, "00fe", ERR_MALFORMED },               /* batch of 257 */
    { 228, "0000005f", ERR_MALFORMED },           /* no whole hashes */
    { 228, "ffffffe0", ERR_MALFORMED },           /* beyond the block */
    { 328, "00010001 00000000", ERR_MALFORMED },  /* missing none */
    { 464, "0001", ERR_MALFORMED },               /* missing none */
    { 472, "ff", ERR_DIGEST },                    /* in a record */
    { 472 + 6 + 3, "ff", ERR_DIGEST },            /* in a body */
    { 472 + 6 + 3 + 7 + 3, "01", ERR_MALFORMED }, /* erased and there */
    { 472 + 6 + 3 + 7 + 3 + 5, "01", ERR_MALFORMED },
};

static void test_mended (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct buf octets = { 0 };
        struct block b;
        struct error e = { 0 };
        make (&octets);
        uint8_t *at = octets.data + broken[i].at;
        for (const char *hex = broken[i].hex; *hex; hex++) {
            char two[3] = { hex[0], hex[1], '\0' };
            if (*hex == ' ')
                continue;
            assert_int_equal (hex_decode (at++, 1, two), ERR_NONE);
            hex++;
        }
        mend (&octets);
        enum err rc = block_read (buf_slice (&octets), &b, &e);
        if (rc != broken[i].code)
            fail_msg ("row %zu: %s '%s'", i, error_name (rc), e.text);
        buf_free (&octets);
    }
}

static void test_size (void **state) {
    (void) state;
    struct buf octets = { 0 };
    size_t size = 0;
    make (&octets);
    assert_int_equal (
        block_size (slice_of (octets.data, BLOCK_HEADER), &size, NULL), 0);
    assert_int_equal (size, octets.size);
    assert_int_equal (
        block_size (slice_of (octets.data, BLOCK_HEADER - 1), &size, NULL),
        ERR_MALFORMED);
    put_u32 (octets.data + 4, 31);
    assert_int_equal (block_size (buf_slice (&octets), &size, NULL),
                      ERR_MALFORMED);
    put_u32 (octets.data + 4, BLOCK_OCTETS_MAX_SINGLE + 1);
    assert_int_equal (block_size (buf_slice (&octets), &size, NULL), ERR_LIMIT);
    octets.data[0]++;
    assert_int_equal (block_size (buf_slice (&octets), &size, NULL),
                      ERR_MALFORMED);
    buf_free (&octets);
}

/* What is full says so and is as it was; what it wrote can be read. */
static void test_full_of_records (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct block b;
    block_begin (writer, 0);
    for (size_t i = 0; i < BLOCK_RECORDS_MAX; i++)
        add ("r", "", BODY_NONE);
    assert_false (
        block_add (writer, slice_text ("r"), (struct slice){ 0 }, BODY_NONE));
    assert_int_equal (block_count (writer), BLOCK_RECORDS_MAX);
    block_finish (writer, &octets);
    assert_int_equal (block_read (buf_slice (&octets), &b, NULL), ERR_NONE);
    assert_int_equal (b.count, BLOCK_RECORDS_MAX);
    buf_free (&octets);
}

static void test_full_of_octets (void **state) {
    (void) state;
    static uint8_t zeros[1048576];
    struct slice record = slice_of (zeros, RECORD_MAX);
    struct buf octets = { 0 };
    struct block b;
    block_begin (writer, 0);
    /* The largest single one: a roster's note. */
    assert_true (block_add (writer, record, slice_of (zeros, sizeof zeros),
                            BODY_PRESENT));
    assert_false (
        block_add (writer, slice_text ("r"), (struct slice){ 0 }, BODY_NONE));
    block_finish (writer, &octets);
    assert_int_equal (block_read (buf_slice (&octets), &b, NULL), ERR_NONE);
    buf_clear (&octets);

    /* Exactly 1 MiB of two. */
    size_t rest =
        BLOCK_OCTETS_MAX - BLOCK_HEADER - 2 * BLOCK_ENTRY - 8 - RECORD_MAX - 1;
    block_begin (writer, 0);
    assert_true (
        block_add (writer, record, slice_of (zeros, rest), BODY_PRESENT));
    block_run (writer, RUN_WHOLE, NULL, 0);
    assert_false (
        block_add (writer, slice_text ("rr"), (struct slice){ 0 }, BODY_NONE));
    add ("r", "", BODY_NONE);
    assert_int_equal (block_octets (writer), BLOCK_OCTETS_MAX);
    block_finish (writer, &octets);
    assert_int_equal (block_read (buf_slice (&octets), &b, NULL), ERR_NONE);
    assert_int_equal (b.runs, 1);

    /* One more octet in a block of two is above the limit. */
    put_u32 (octets.data + 4, BLOCK_OCTETS_MAX + 1);
    buf_add_u8 (&octets, 0);
    assert_int_equal (block_read (buf_slice (&octets), &b, NULL), ERR_LIMIT);
    buf_free (&octets);
}

/* tests/vectors/blocks.json: our writer makes the same octets of each. */

static void write_again (const struct block *b, struct buf *out) {
    struct block_walk w;
    int run = -1;
    block_begin (writer, b->first_sequence);
    block_walk (b, &w);
    while (block_next (&w)) {
        struct block_run_view view;
        if (w.run < 0)
            block_no_run (writer);
        else if (w.run != run) {
            block_run_at (b, (size_t) w.run, &view);
            block_run (writer, view.kind,
                       (const struct hash *) view.hashes.data,
                       view.hashes.size / HASH_SIZE);
        }
        run = w.run;
        assert_true (block_add (writer, w.record,
                                slice_of (w.body.data, w.body_size), w.state));
    }
    block_finish (writer, out);
}

static void test_vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("blocks.json"), *v;
    size_t i;
    struct buf room = { 0 }, again = { 0 };
    json_array_foreach (all, i, v) {
        struct block b;
        struct block_facts facts;
        struct error e = { 0 };
        const char *name = vector_text (v, "name");
        bool refused = vector_refused (v) && vector_is (v, "block");
        struct slice octets = vector_octets (
            vector_refused (v) ? v : json_object_get (v, "out"), &room);
        enum err rc = block_read (octets, &b, &e);
        if (!rc && !refused) {
            buf_clear (&again);
            write_again (&b, &again);
            assert_true (slice_equal (octets, buf_slice (&again)));
        }
        if (!rc)
            rc = block_check (&b, &facts, &e);
        if ((rc != ERR_NONE) != refused)
            fail_msg ("%s: %s", name, e.text);
    }
    buf_free (&room);
    buf_free (&again);
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_any_octet),
        cmocka_unit_test (test_any_length),
        cmocka_unit_test (test_mended),
        cmocka_unit_test (test_size),
        cmocka_unit_test (test_full_of_records),
        cmocka_unit_test (test_full_of_octets),
        cmocka_unit_test (test_reads_what_it_wrote),
        cmocka_unit_test (test_runs),
        cmocka_unit_test (test_vectors),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
