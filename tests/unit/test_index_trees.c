/* index_trees: the trees over the ledger and over each stream are those of
 * their records, shown or stored, after any start; readers prove places in them
 * while they grow. */
#include "ledger/index.h"

#include "base/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "ledger_fixture.h"

#define BLOCKS 1200
#define STREAMS 6

static struct error e;

/* A run of blocks whose octets nobody looks at, and what each stream holds
 * behind each of them, by the plain meaning. */
static const char *const names[STREAMS] = { "$log",    "ops",      "news",
                                            "@AIRPOL", "@EUROPOL", "@SCO" };
static struct {
    const char *channel;
    int64_t first, count;
    int64_t number; /* of its first record in the channel */
} blocks[BLOCKS];
static struct known {
    struct hash *leaves;
    int64_t *sequences;
    int64_t end[BLOCKS + 1];       /* records behind so many blocks */
    struct hash roots[BLOCKS + 1]; /* and the tree's root */
} known[STREAMS + 1];              /* the last: the ledger */
#define LEDGER STREAMS

static bool carries (size_t stream, const char *channel) {
    if (stream == LEDGER)
        return true;
    if (names[stream][0] != '@')
        return strcmp (names[stream], channel) == 0;
    return channel[0] == '@'
           && channel_adhoc_names (slice_text (channel),
                                   slice_text (names[stream] + 1));
}

/* Ends at the borders of tiles too; `news` begins late; `ops` and the ledger
 * have a second level. */
static void plan_blocks (void) {
    static const char *const channels[] = { "$log", "ops", "@AIRPOL+EUROPOL",
                                            "ops", "@EUROPOL+SCO" };
    static const int64_t first[] = { 1, 254, 1, 1, 254, 1, 255, 1, 256, 512 };
    int64_t sequence = 0, ops = 0;
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i].channel = i > 700 && i % 7 == 0 ? "news" : channels[i % 5];
        blocks[i].count = 1 + i % 3;
        if (i < 10) {
            blocks[i].channel = "ops";
            blocks[i].count = first[i];
        } else if (i >= 300 && i < 320 && i % 5 == 1)
            blocks[i].count = 16000; /* more than a block has; who knows */
        if (i == 500) {
            blocks[i].channel = "ops";
            blocks[i].count = 3 * 65536 - ops % 65536;
        }
        if (strcmp (blocks[i].channel, "ops") == 0)
            ops += blocks[i].count;
        blocks[i].first = sequence;
        sequence += blocks[i].count;
    }
}

static struct hash leaf_of (int64_t sequence) {
    struct hash h = { 0 };
    put_u64 (h.octets, (uint64_t) sequence);
    put_u64 (h.octets + 24, hash_xxh3 (slice_of (h.octets, 8), 0));
    return h;
}

static void know (size_t stream) {
    struct known *k = &known[stream];
    struct tree tree = { 0 };
    int64_t all = blocks[BLOCKS - 1].first + blocks[BLOCKS - 1].count;
    k->leaves = mem_alloc ((size_t) all * sizeof *k->leaves);
    k->sequences = mem_alloc ((size_t) all * sizeof *k->sequences);
    k->roots[0] = tree_root (&tree);
    for (int i = 0; i < BLOCKS; i++) {
        k->end[i + 1] = k->end[i];
        if (carries (stream, blocks[i].channel))
            for (int64_t j = 0; j < blocks[i].count; j++) {
                int64_t n = k->end[i + 1]++;
                k->sequences[n] = blocks[i].first + j;
                k->leaves[n] = leaf_of (k->sequences[n]);
                tree_add (&tree, &k->leaves[n]);
            }
        k->roots[i + 1] = tree_root (&tree);
    }
}

static int make_world (void **state) {
    (void) state;
    plan_blocks();
    for (size_t i = 0; i <= STREAMS; i++)
        know (i);
    for (int i = 0; i < BLOCKS; i++)
        for (size_t s = 0; s < STREAMS; s++)
            if (strcmp (names[s], blocks[i].channel) == 0)
                blocks[i].number = known[s].end[i] + 1;
    return 0;
}

static int free_world (void **state) {
    (void) state;
    for (size_t i = 0; i <= STREAMS; i++) {
        free (known[i].leaves);
        free (known[i].sequences);
    }
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

static void add_with (struct index *index, int from, int to,
                      const struct hash *leaves) {
    for (int i = from; i < to; i++) {
        struct block block = { .first_sequence = blocks[i].first,
                               .count = (size_t) blocks[i].count };
        struct block_facts facts = { .channel = slice_text (blocks[i].channel),
                                     .first_channel_sequence =
                                         blocks[i].number };
        if (index_add (index, &block, &facts, 0, 0, leaves + blocks[i].first,
                       &e))
            fail_msg ("%s", e.text);
    }
}

static void add (struct index *index, int from, int to) {
    add_with (index, from, to, known[LEDGER].leaves);
}

static const char *name_of (size_t stream) {
    return stream == LEDGER ? NULL : names[stream];
}

/* The writer's own. */
static void check_trees (const struct index *index, int count) {
    for (size_t s = 0; s <= STREAMS; s++) {
        const struct tree *tree = s == LEDGER
                                      ? index_tree (index)
                                      : index_stream_tree (index, names[s]);
        assert_int_equal (tree->size, known[s].end[count]);
        struct hash root = tree_root (tree);
        assert_memory_equal (&root, &known[s].roots[count], sizeof root);
    }
}

static void check_place (const struct tree_source *source, size_t s, int count,
                         int64_t n) {
    struct hash path[TREE_PATH_MAX], root;
    size_t length;
    uint64_t size = (uint64_t) known[s].end[count];
    if (tree_inclusion (source, (uint64_t) n, size, path, &length, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (tree_path_root (&known[s].leaves[n], (uint64_t) n, size,
                                      path, length, &root),
                      0);
    assert_memory_equal (&root, &known[s].roots[count], sizeof root);
}

static void check_older (const struct tree_source *source, size_t s, int older,
                         int count) {
    struct hash proof[TREE_PATH_MAX];
    size_t length;
    uint64_t from = (uint64_t) known[s].end[older],
             to = (uint64_t) known[s].end[count];
    if (from == 0)
        return;
    if (tree_consistency (source, from, to, proof, &length, &e)
        || tree_consistency_check (from, &known[s].roots[older], to,
                                   &known[s].roots[count], proof, length, &e))
        fail_msg ("%s", e.text);
}

/* Readers', when so many blocks are shown. */
static void check_sources (const struct index *index, int count) {
    for (size_t s = 0; s <= STREAMS; s++) {
        struct index_source from;
        struct tree_source source = index_source (&from, index, name_of (s));
        int64_t size = known[s].end[count];
        struct hash root, beyond;
        if (tree_source_root (&source, (uint64_t) size, &root, &e))
            fail_msg ("%s", e.text);
        assert_memory_equal (&root, &known[s].roots[count], sizeof root);
        for (unsigned level = 0; level <= TREE_LEVELS; level++)
            assert_int_equal (source.read (source.arg, level,
                                           level < TREE_LEVELS
                                               ? (uint64_t) size >> 8 * level
                                               : 0,
                                           1, &beyond, &e),
                              ERR_NOT_FOUND);
        for (int64_t n = 0; n < size; n += 1 + size / 41)
            check_place (&source, s, count, n);
        if (size > 0)
            check_place (&source, s, count, size - 1);
        for (int older = 1; older <= count; older += 1 + count / 23)
            check_older (&source, s, older, count);
    }
}

static void the_trees_are_those_of_the_records (void **state) {
    (void) state;
    static const int shown[] = { 1, 2, 3, 4, 7, 10, 11, 320, 500, 501, BLOCKS };
    struct index *index = open_index (slice_of (NULL, 0));
    check_trees (index, 0);
    check_sources (index, 0);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        int before = i > 0 ? shown[i - 1] : 0;
        add (index, before, shown[i]);
        check_trees (index, shown[i]);
        check_sources (index, before); /* not shown yet */
        index_show (index);
        check_sources (index, shown[i]);
    }
    assert_int_equal (index_sync (index, &e), 0);
    check_sources (index, BLOCKS);
    index_close (&index);
}

/* All hashes of a tile, where they come from many places. */
static void runs_of_leaves_are_in_order (void **state) {
    (void) state;
    struct index *index = open_index (slice_of (NULL, 0));
    struct hash got[TREE_TILE];
    add (index, 0, 600);
    assert_int_equal (index_sync (index, &e), 0);
    add (index, 600, BLOCKS); /* some in files, some in memory */
    index_show (index);
    for (size_t s = 0; s <= STREAMS; s++) {
        struct index_source from;
        struct tree_source source = index_source (&from, index, name_of (s));
        int64_t size = known[s].end[BLOCKS];
        for (int64_t first = 0; first < size; first += 1 + size / 97)
            for (int64_t count = 1; count <= TREE_TILE; count += 51) {
                enum err rc = source.read (source.arg, 0, (uint64_t) first,
                                           (size_t) count, got, &e);
                assert_int_equal (rc, first + count <= size ? ERR_NONE
                                                            : ERR_NOT_FOUND);
                if (!rc)
                    assert_memory_equal (got, known[s].leaves + first,
                                         (size_t) count * HASH_SIZE);
            }
    }
    index_close (&index);
}

static void nothing_is_known_of_other_streams (void **state) {
    (void) state;
    static const char *const others[] = {
        "",     "nobody", "@",    "@FRONTEX",
        "opsx", "op",     "tree", "a-name-that-is-longer-than-any-channel-has"
    };
    struct index *index = open_index (slice_of (NULL, 0));
    add (index, 0, 20);
    index_show (index);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct index_source from;
        struct tree_source source = index_source (&from, index, others[i]);
        struct hash out;
        int64_t count = 7, last = 7;
        assert_int_equal (index_stream_tree (index, others[i])->size, 0);
        for (unsigned level = 0; level < 3; level++)
            assert_int_equal (source.read (source.arg, level, 0, 1, &out, &e),
                              ERR_NOT_FOUND);
        assert_int_equal (
            index_stream_below (index, others[i], 20, &count, &last, &e), 0);
        assert_int_equal (count, 0);
        assert_int_equal (last, -1);
    }
    struct index_source from;
    struct tree_source source = index_source (&from, index, NULL);
    struct hash out;
    static const uint64_t far[] = { UINT64_MAX, INT64_MAX, UINT64_C (1) << 63 };
    for (size_t i = 0; i < 3; i++)
        for (unsigned level = 0; level < 2; level++)
            assert_int_equal (
                source.read (source.arg, level, far[i], 1, &out, &e),
                ERR_NOT_FOUND);
    index_close (&index);
}

static void check_below (const struct index *index, int shown) {
    int64_t end = known[LEDGER].end[shown];
    for (size_t s = 0; s < STREAMS; s++) {
        const struct known *k = &known[s];
        int64_t below = 0, count, last;
        for (int64_t at = 0; at <= end + 2;
             at += at < 800 ? 1 : 1 + end / 999) {
            while (below < k->end[shown] && k->sequences[below] < at)
                below++;
            assert_int_equal (
                index_stream_below (index, names[s], at, &count, &last, &e), 0);
            assert_int_equal (count, below);
            assert_int_equal (last, below > 0 ? k->sequences[below - 1] : -1);
        }
        static const int64_t far[] = { INT64_MIN, -1, INT64_MAX };
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal (
                index_stream_below (index, names[s], far[i], &count, &last, &e),
                0);
            assert_int_equal (count, i < 2 ? 0 : k->end[shown]);
        }
    }
}

static void streams_are_counted_below_a_place (void **state) {
    (void) state;
    struct index *index = open_index (slice_of (NULL, 0));
    check_below (index, 0);
    add (index, 0, 60);
    index_show (index);
    add (index, 60, 70);
    check_below (index, 60);
    assert_int_equal (index_sync (index, &e), 0);
    check_below (index, 70);
    add (index, 70, BLOCKS);
    index_show (index);
    check_below (index, BLOCKS);
    index_close (&index);
}

/* Wherever it ended. */
static void trees_come_back (void **state) {
    (void) state;
    struct buf counts = { 0 };
    struct index *index = open_index (slice_of (NULL, 0));
    int done = 0;
    for (int to = 0; to <= BLOCKS; to += to < 12 ? 1 : 61) {
        add (index, done, to);
        assert_int_equal (index_sync (index, &e), 0);
        buf_clear (&counts);
        index_counts (index, &counts);
        index_close (&index);
        index = open_index (buf_slice (&counts));
        check_trees (index, to);
        check_sources (index, to);
        done = to;
    }
    add (index, done, BLOCKS);
    index_show (index);
    check_trees (index, BLOCKS);
    check_sources (index, BLOCKS);
    index_close (&index);
    buf_free (&counts);
}

/* Counts of before files that go further, with records that were lost. */
static void older_counts_have_their_own_trees (void **state) {
    (void) state;
    static const int synced[] = { 1, 9, 10, 400, 501 };
    struct buf counts[5] = { 0 };
    int64_t all = known[LEDGER].end[BLOCKS];
    struct hash *lost = mem_alloc ((size_t) all * sizeof *lost);
    memcpy (lost, known[LEDGER].leaves, (size_t) all * sizeof *lost);
    for (int64_t i = 0; i < all; i++)
        lost[i].octets[9] = 0x77;
    struct index *index = open_index (slice_of (NULL, 0));
    for (int i = 0; i < 5; i++) {
        add (index, i > 0 ? synced[i - 1] : 0, synced[i]);
        assert_int_equal (index_sync (index, &e), 0);
        index_counts (index, &counts[i]);
    }
    add_with (index, 501, BLOCKS, lost);
    assert_int_equal (index_sync (index, &e), 0);
    index_close (&index);
    for (int i = 4; i >= 0; i--) {
        index = open_index (buf_slice (&counts[i]));
        check_trees (index, synced[i]);
        check_sources (index, synced[i]);
        add (index, synced[i], 600);
        index_show (index);
        check_trees (index, 600);
        check_sources (index, 600);
        index_close (&index);
        /* And others written over them. */
        index = open_index (buf_slice (&counts[i]));
        add_with (index, synced[i], 601, lost);
        assert_int_equal (index_sync (index, &e), 0);
        index_close (&index);
    }
    for (int i = 0; i < 5; i++)
        buf_free (&counts[i]);
    free (lost);
}

static int steps_left;

static enum disk_fault fail_one (void *arg, enum disk_step step,
                                 const char *path) {
    (void) step;
    (void) path;
    const enum disk_fault *fault = arg;
    return steps_left-- == 0 ? *fault : DISK_FINE;
}

/* A sync that ends at any of its steps: the counts before it hold. */
static void a_sync_that_fails_loses_nothing_before (void **state) {
    (void) state;
    static const enum disk_fault faults[] = { DISK_FAIL_UNDONE, DISK_FAIL_HALF,
                                              DISK_FAIL_DONE };
    struct buf counts = { 0 };
    struct index *index = open_index (slice_of (NULL, 0));
    add (index, 0, 30);
    assert_int_equal (index_sync (index, &e), 0);
    index_counts (index, &counts);
    index_close (&index);
    bool failed = true;
    for (int step = 0; failed; step++) {
        enum disk_fault fault = faults[step % 3];
        index = open_index (buf_slice (&counts));
        check_trees (index, 30);
        add (index, 30, 280);
        steps_left = step;
        disk_set_fault (fail_one, &fault);
        failed = index_sync (index, &e) != ERR_NONE;
        disk_set_fault (NULL, NULL);
        check_sources (index, 280);
        index_close (&index);
    }
    index = open_index (buf_slice (&counts));
    check_sources (index, 30);
    index_close (&index);
    buf_free (&counts);
}

static void spoil (const char *name, long at) {
    FILE *f = fopen (ledger_in (name), "r+");
    assert_non_null (f);
    fseek (f, at, at < 0 ? SEEK_END : SEEK_SET);
    int c = fgetc (f);
    fseek (f, -1, SEEK_CUR);
    fputc (c ^ 1, f);
    fclose (f);
}

/* What a start reads of them is checked: it is rebuilt, not believed. */
static void damaged_levels_are_refused (void **state) {
    (void) state;
    static const char *const files[] = { "tree.1", "tree.2", "stream-ops.1",
                                         "stream-ops.2" };
    struct buf counts = { 0 };
    struct index *index = open_index (slice_of (NULL, 0));
    add (index, 0, BLOCKS);
    assert_int_equal (index_sync (index, &e), 0);
    index_counts (index, &counts);
    index_close (&index);
    for (size_t i = 0; i < 4; i++) {
        /* Its generation, its last row, its end, all of it. */
        for (int how = 0; how < 4; how++) {
            char *path = mem_copy_text (ledger_in (files[i]));
            struct buf whole = { 0 };
            assert_int_equal (disk_read_file (path, 1 << 20, &whole, &e), 0);
            if (how < 2)
                spoil (files[i], how == 0 ? 9 : -20);
            else if (how == 2)
                assert_int_equal (truncate (path, (off_t) whole.size - 1), 0);
            else
                assert_int_equal (unlink (path), 0);
            assert_null (index_open (ledger_dir, buf_slice (&counts), &e));
            assert_int_equal (e.code, ERR_DAMAGED);
            assert_int_equal (
                disk_write_file (path, buf_slice (&whole), true, &e), 0);
            buf_free (&whole);
            free (path);
        }
    }
    index = open_index (buf_slice (&counts));
    check_trees (index, BLOCKS);
    /* While it is in use: the first row of level 1. */
    spoil ("tree.1", 16 + 5);
    struct index_source from;
    struct tree_source source = index_source (&from, index, NULL);
    struct hash out;
    assert_int_equal (source.read (source.arg, 1, 0, 1, &out, &e), ERR_DAMAGED);
    assert_non_null (strstr (e.text, "tree.1"));
    assert_int_equal (source.read (source.arg, 1, 0, 1, &out, NULL),
                      ERR_DAMAGED);
    assert_int_equal (source.read (source.arg, 1, 1, 1, &out, &e), 0);
    index_close (&index);
    buf_free (&counts);
}

/* Two readers of a ledger that grows and is synced meanwhile. */
struct reading {
    const struct index *index;
    atomic_bool *stop;
    size_t rounds;
    const char *wrong;
};

/* The block count behind which the stream has `size` records. */
static int blocks_of (size_t s, int64_t size) {
    int lo = 0, hi = BLOCKS;
    while (lo < hi) {
        int middle = (lo + hi) / 2;
        if (known[s].end[middle] < size)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

static const char *read_once (const struct index *index, size_t s,
                              size_t round) {
    struct index_source from;
    struct tree_source source = index_source (&from, index, name_of (s));
    struct error why;
    int64_t size =
        s == LEDGER ? index_size (index) : index_stream_last (index, names[s]);
    if (size == 0)
        return NULL;
    const struct hash *want = &known[s].roots[blocks_of (s, size)];
    int64_t n = (int64_t) (round * 7919 % (size_t) size);
    struct hash root, path[TREE_PATH_MAX];
    size_t length;
    if (tree_source_root (&source, (uint64_t) size, &root, &why)
        || !hash_equal (&root, want))
        return "a root";
    if (tree_inclusion (&source, (uint64_t) n, (uint64_t) size, path, &length,
                        &why)
        || tree_path_root (&known[s].leaves[n], (uint64_t) n, (uint64_t) size,
                           path, length, &root)
        || !hash_equal (&root, want))
        return "a path";
    int64_t count, last;
    if (s != LEDGER
        && (index_stream_below (index, names[s], known[s].sequences[n], &count,
                                &last, &why)
            || count != n))
        return "a count";
    return NULL;
}

static void *read_always (void *arg) {
    struct reading *self = arg;
    while (!self->wrong && (!atomic_load (self->stop) || self->rounds < 50)) {
        self->wrong =
            read_once (self->index, self->rounds % (STREAMS + 1), self->rounds);
        self->rounds++;
    }
    return NULL;
}

static void readers_prove_while_it_grows (void **state) {
    (void) state;
    struct index *index = open_index (slice_of (NULL, 0));
    atomic_bool stop = false;
    struct reading reading[2] = { { index, &stop, 0, NULL },
                                  { index, &stop, 1, NULL } };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal (
            pthread_create (&threads[i], NULL, read_always, &reading[i]), 0);
    for (int i = 0; i < BLOCKS; i += 4) {
        add (index, i, i + 4);
        index_show (index);
        if (i % 100 == 0)
            assert_int_equal (index_sync (index, &e), 0);
    }
    atomic_store (&stop, true);
    for (int i = 0; i < 2; i++) {
        pthread_join (threads[i], NULL);
        if (reading[i].wrong)
            fail_msg ("round %zu: %s", reading[i].rounds, reading[i].wrong);
    }
    check_sources (index, BLOCKS);
    index_close (&index);
}

#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

int main (void) {
    static const struct CMUnitTest tests[] = {
        TEST (nothing_is_known_of_other_streams),
        TEST (damaged_levels_are_refused),
        TEST (the_trees_are_those_of_the_records),
        TEST (runs_of_leaves_are_in_order),
        TEST (streams_are_counted_below_a_place),
        TEST (trees_come_back),
        TEST (older_counts_have_their_own_trees),
        TEST (a_sync_that_fails_loses_nothing_before),
        TEST (readers_prove_while_it_grows),
    };
    return cmocka_run_group_tests (tests, make_world, free_world);
}
