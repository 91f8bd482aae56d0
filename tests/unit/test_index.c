/* index: what does not follow is refused, readers see what was shown, and all
 * of it is found again, in memory and in files. */
#include "ledger/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ledger_fixture.h"

#define BLOCKS 400

static struct error e;

/* The n-th of a run of blocks: channels in turn, one to three records each;
 * times that go back once. */
static const char *const channels[] = { "$log", "ops", "@AIRPOL+EUROPOL",
                                        "news", "@EUROPOL+SCO" };
static struct buf octets[BLOCKS];
static struct block blocks[BLOCKS];
static struct block_facts facts[BLOCKS];

static int make_blocks (void **state) {
    (void) state;
    int64_t sequence = 0, numbers[5] = { 1, 1, 1, 1, 1 };
    for (int i = 0; i < BLOCKS; i++) {
        struct block_plan plan = { .channel = channels[i % 5],
                                   .sequence = sequence,
                                   .channel_sequence = numbers[i % 5],
                                   .count = (size_t) (1 + i % 3),
                                   .time = 1000 + 10 * i,
                                   .content = 10 };
        if (i >= 200 && i < 220)
            plan.time -= 500;
        plan_write (&plan, &octets[i]);
        plan_read (buf_slice (&octets[i]), &blocks[i], &facts[i]);
        sequence += (int64_t) plan.count;
        numbers[i % 5] += (int64_t) plan.count;
    }
    return 0;
}

static int free_blocks (void **state) {
    (void) state;
    for (int i = 0; i < BLOCKS; i++)
        buf_free (&octets[i]);
    return 0;
}

static int setup (void **state) {
    (void) state;
    e = (struct error){ 0 };
    return ledger_dir_make();
}

static int teardown (void **state) {
    (void) state;
    return ledger_dir_remove();
}

static struct index *open_index (struct slice counts) {
    struct index *index = index_open (ledger_dir, counts, &e);
    if (!index)
        fail_msg ("%s", e.text);
    return index;
}

static void add (struct index *index, int from, int to) {
    for (int i = from; i < to; i++)
        if (index_add (index, &blocks[i], &facts[i], i / 50, (uint64_t) i * 7,
                       NULL, &e))
            fail_msg ("%s", e.text);
}

static int64_t end_of (int count) {
    return count == 0 ? 0
                      : blocks[count - 1].first_sequence
                            + (int64_t) blocks[count - 1].count;
}

static void check_entry (const struct index_entry *entry, int i) {
    assert_int_equal (entry->first_sequence, blocks[i].first_sequence);
    assert_int_equal (entry->count, blocks[i].count);
    assert_int_equal (entry->octets, blocks[i].octets.size);
    assert_int_equal (entry->segment, i / 50);
    assert_int_equal (entry->offset, i * 7);
    assert_int_equal (entry->first_time, facts[i].first_time);
}

static void check_sequences (struct index *index, int count) {
    struct index_entry entry;
    for (int i = 0; i < count; i++)
        for (size_t n = 0; n < blocks[i].count; n++) {
            int64_t sequence = blocks[i].first_sequence + (int64_t) n;
            assert_int_equal (index_of_sequence (index, sequence, &entry, &e),
                              0);
            check_entry (&entry, i);
        }
    static const int64_t outside[] = { -1, INT64_MIN, INT64_MAX };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal (index_of_sequence (index, outside[i], &entry, &e),
                          ERR_NOT_FOUND);
    assert_int_equal (index_of_sequence (index, end_of (count), &entry, NULL),
                      ERR_NOT_FOUND);
}

/* Against the plain meaning: the first block with such a record. */
static void check_times (struct index *index, int count) {
    struct index_entry entry;
    for (int64_t ms = 0; ms < 6000; ms += ms < 900 ? 450 : 5) {
        int first = 0;
        while (first < count && facts[first].last_time < ms)
            first++;
        enum err rc = index_of_time (index, ms, &entry, &e);
        assert_int_equal (rc, first < count ? ERR_NONE : ERR_NOT_FOUND);
        if (!rc)
            check_entry (&entry, first);
    }
    static const int64_t far[] = { INT64_MIN, INT64_MAX };
    assert_int_equal (index_of_time (index, far[0], &entry, &e),
                      count > 0 ? ERR_NONE : ERR_NOT_FOUND);
    assert_int_equal (index_of_time (index, far[1], &entry, &e), ERR_NOT_FOUND);
}

static bool carries (const char *stream, const char *channel) {
    if (stream[0] != '@')
        return strcmp (stream, channel) == 0;
    return channel[0] == '@'
           && channel_adhoc_names (slice_text (channel),
                                   slice_text (stream + 1));
}

static void check_stream (struct index *index, const char *stream, int count) {
    struct index_entry entry;
    int64_t number = 1, first;
    for (int i = 0; i < count; i++) {
        if (!carries (stream, channels[i % 5]))
            continue;
        for (size_t n = 0; n < blocks[i].count; n++) {
            assert_int_equal (index_of_stream (index, stream,
                                               number + (int64_t) n, &entry,
                                               &first, &e),
                              0);
            assert_int_equal (first, number);
            check_entry (&entry, i);
        }
        number += (int64_t) blocks[i].count;
    }
    assert_int_equal (index_stream_last (index, stream), number - 1);
    const int64_t outside[] = { 0, -1, number, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < 5; i++)
        assert_int_equal (
            index_of_stream (index, stream, outside[i], &entry, &first, &e),
            ERR_NOT_FOUND);
}

static void check_leaves (struct index *index, int count) {
    struct buf all = { 0 }, some = { 0 };
    struct block_walk w;
    for (int i = 0; i < count; i++)
        for (block_walk (&blocks[i], &w); block_next (&w);) {
            struct hash leaf = record_leaf (w.record);
            buf_add (&all, leaf.octets, HASH_SIZE);
        }
    int64_t size = end_of (count);
    for (int64_t from = 0; from <= size + 1; from += 1 + size / 9)
        for (int64_t n = 0; n <= size + 2; n += 1 + size / 7) {
            buf_clear (&some);
            buf_add_text (&some, "kept");
            assert_int_equal (index_leaves (index, from, n, &some, &e), 0);
            int64_t there = from < size ? size - from : 0;
            there = there < n ? there : n;
            assert_int_equal (some.size, 4 + (size_t) there * HASH_SIZE);
            if (there > 0)
                assert_memory_equal (some.data + 4, all.data + from * HASH_SIZE,
                                     (size_t) there * HASH_SIZE);
        }
    assert_int_equal (index_leaves (index, -1, 1, &some, &e), ERR_ARGUMENT);
    assert_int_equal (index_leaves (index, 0, -1, &some, &e), ERR_ARGUMENT);
    buf_clear (&some);
    assert_int_equal (index_leaves (index, 0, INT64_MAX, &some, &e), 0);
    assert_int_equal (some.size, all.size);
    buf_free (&all);
    buf_free (&some);
}

static void check_all (struct index *index, int count) {
    static const char *const streams[] = { "$log",    "ops",      "news",
                                           "@AIRPOL", "@EUROPOL", "@SCO" };
    assert_int_equal (index_size (index), end_of (count));
    check_sequences (index, count);
    check_times (index, count);
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        check_stream (index, streams[i], count);
    static const char *const none[] = {
        "", "nobody", "@", "@FRONTEX", "$lo", "$logs", "@AIRPOL+EUROPOL"
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal (index_stream_last (index, none[i]), 0);
    check_leaves (index, count);
}

static void what_does_not_follow_is_refused (void **state) {
    (void) state;
    struct index *index = open_index (slice_of (NULL, 0));
    assert_int_equal (index_add (index, &blocks[1], &facts[1], 0, 0, NULL, &e),
                      ERR_CHAIN);
    add (index, 0, 10);
    static const struct {
        const char *channel;
        int64_t number, sequence;
        enum err want;
    } rows[] = {
        { "$log", 4, 0, ERR_CHAIN }, /* sequence: 0 here is the right one */
        { "$log", 2, 0, ERR_CHAIN },
        { "ops", 1, 0, ERR_CHAIN },
        { "newer", 2, 0, ERR_CHAIN },
        { "$log", 3, -1, ERR_CHAIN },
        { "$log", 3, 1, ERR_CHAIN },
        { "", 1, 0, ERR_MALFORMED },
        { "../x", 1, 0, ERR_MALFORMED },
        { "$logs", 1, 0, ERR_MALFORMED },
        { "Ops", 1, 0, ERR_MALFORMED },
        { "@", 1, 0, ERR_MALFORMED },
        { "@EUROPOL+AIRPOL", 1, 0, ERR_MALFORMED },
        { "@a/b", 1, 0, ERR_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct block block = blocks[10];
        struct block_facts f = facts[10];
        f.channel = slice_text (rows[i].channel);
        f.first_channel_sequence = rows[i].number;
        if (i == 0)
            f.first_channel_sequence = facts[10].first_channel_sequence + 1;
        else if (rows[i].number == 3)
            f.first_channel_sequence = facts[10].first_channel_sequence;
        block.first_sequence += rows[i].sequence;
        assert_int_equal (index_add (index, &block, &f, 0, 0, NULL, &e),
                          rows[i].want);
        assert_int_equal (index_add (index, &block, &f, 0, 0, NULL, NULL),
                          rows[i].want);
    }
    index_show (index);
    check_all (index, 10);
    index_close (&index);
    index_close (&index);
}

static void readers_see_what_is_shown (void **state) {
    (void) state;
    struct index *index = open_index (slice_of (NULL, 0));
    check_all (index, 0);
    for (int shown = 0; shown < 40; shown += 8) {
        add (index, shown, shown + 8);
        check_all (index, shown);
        index_show (index);
        check_all (index, shown + 8);
    }
    index_close (&index);
}

static void leaves_may_be_given (void **state) {
    (void) state;
    struct index *index = open_index (slice_of (NULL, 0));
    struct hash leaf = ledger_dialogue();
    struct buf out = { 0 };
    assert_int_equal (index_add (index, &blocks[0], &facts[0], 0, 0, &leaf, &e),
                      0);
    index_show (index);
    assert_int_equal (index_leaves (index, 0, 1, &out, &e), 0);
    assert_memory_equal (out.data, leaf.octets, HASH_SIZE);
    buf_free (&out);
    index_close (&index);
}

/* Synced here and there; opened again with each of the counts. */
static void it_goes_back_to_its_counts (void **state) {
    (void) state;
    static const int syncs[] = { 0, 1, 70, 71, 300 };
    struct buf counts[5] = { 0 };
    struct index *index = open_index (slice_of (NULL, 0));
    for (int i = 0; i < 5; i++) {
        add (index, i > 0 ? syncs[i - 1] : 0, syncs[i]);
        assert_int_equal (index_sync (index, &e), 0);
        index_counts (index, &counts[i]);
        check_all (index, syncs[i]);
    }
    add (index, 300, BLOCKS); /* lost */
    index_show (index);
    check_all (index, BLOCKS);
    index_close (&index);
    for (int i = 4; i >= 0; i--) {
        index = open_index (buf_slice (&counts[i]));
        check_all (index, syncs[i]);
        add (index, syncs[i], BLOCKS);
        index_show (index);
        check_all (index, BLOCKS);
        if (i == 2) {
            assert_int_equal (index_sync (index, &e), 0);
            check_all (index, BLOCKS);
        }
        index_close (&index);
    }
    /* Begun anew, and synced: no counts of before fit. */
    index = open_index (slice_of (NULL, 0));
    add (index, 0, BLOCKS);
    assert_int_equal (index_sync (index, &e), 0);
    index_close (&index);
    for (int i = 1; i < 5; i++) {
        assert_null (index_open (ledger_dir, buf_slice (&counts[i]), &e));
        assert_int_equal (e.code, ERR_DAMAGED);
    }
    for (int i = 0; i < 5; i++)
        buf_free (&counts[i]);
}

static void counts_are_not_trusted (void **state) {
    (void) state;
    struct buf counts = { 0 };
    struct index *index = open_index (slice_of (NULL, 0));
    add (index, 0, 20);
    assert_int_equal (index_sync (index, &e), 0);
    index_counts (index, &counts);
    index_close (&index);
    for (size_t size = 1; size < counts.size; size++)
        assert_null (index_open (ledger_dir, slice_of (counts.data, size), &e));
    buf_add_u8 (&counts, 0);
    assert_null (index_open (ledger_dir, buf_slice (&counts), &e));
    counts.size--;
    for (size_t i = 0; i < counts.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            counts.data[i] ^= (uint8_t) (1 << bit);
            index = index_open (ledger_dir, buf_slice (&counts), NULL);
            index_close (&index); /* either; its checksum is the snapshot's */
            counts.data[i] ^= (uint8_t) (1 << bit);
        }
    index = open_index (buf_slice (&counts));
    check_all (index, 20);
    index_close (&index);
    buf_free (&counts);
}

/* An octet that rots while the index is in use. */
static void a_bad_row_is_not_believed (void **state) {
    (void) state;
    static const char *const names[] = { "blocks", "leaves", "stream-ops" };
    struct index *index = open_index (slice_of (NULL, 0));
    add (index, 0, BLOCKS);
    assert_int_equal (index_sync (index, &e), 0);
    struct index_entry entry;
    struct buf out = { 0 };
    int64_t first;
    for (int n = 0; n < 3; n++) {
        FILE *f = fopen (ledger_in (names[n]), "r+");
        fseek (f, 16 + 3, SEEK_SET);
        fputc (0xee, f);
        fclose (f);
        enum err rc[] = {
            index_of_sequence (index, 0, &entry, &e),
            index_leaves (index, 0, 1, &out, &e),
            index_of_stream (index, "ops", 1, &entry, &first, &e),
        };
        assert_int_equal (rc[n], ERR_DAMAGED);
        assert_non_null (strstr (e.text, n == 2 ? names[n] : ": "));
    }
    buf_clear (&out);
    assert_int_equal (index_leaves (index, 0, 1, &out, NULL), ERR_DAMAGED);
    assert_int_equal (out.size, 0);
    buf_free (&out);
    index_close (&index);
}

#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

int main (void) {
    static const struct CMUnitTest tests[] = {
        TEST (what_does_not_follow_is_refused),
        TEST (counts_are_not_trusted),
        TEST (a_bad_row_is_not_believed),
        TEST (readers_see_what_is_shown),
        TEST (leaves_may_be_given),
        TEST (it_goes_back_to_its_counts),
    };
    return cmocka_run_group_tests (tests, make_blocks, free_blocks);
}
