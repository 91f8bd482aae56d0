/* A journal with an owner that counts, blocks to fill it with, and a whole
 * life of it as a script. Include behind cmocka.h. */
#ifndef PARLEY_JOURNAL_FIXTURE_H
#define PARLEY_JOURNAL_FIXTURE_H

#include "ledger/journal.h"
#include "ledger_fixture.h"

static struct error e;
static struct hash dialogue;
static struct journal_opened opened;

/* An owner that counts. */
struct owner {
    int resets, snapshots;
    int64_t next; /* record that has to come */
    bool refuse_snapshots;
};
static struct owner owner;

static inline void owner_reset (void *arg) {
    struct owner *self = arg;
    self->resets++;
    self->next = 0;
}

static inline enum err owner_snapshot (void *arg, struct slice octets,
                                       struct error *why) {
    struct owner *self = arg;
    self->snapshots++;
    if (self->refuse_snapshots || octets.size != 8)
        return error_set (why, ERR_NEWER, "not of this owner");
    self->next = (int64_t) get_u64 (octets.data);
    return ERR_NONE;
}

static inline enum err owner_block (void *arg, const struct block *block,
                                    const struct block_facts *facts,
                                    struct error *why) {
    (void) facts;
    (void) why;
    struct owner *self = arg;
    assert_int_equal (block->first_sequence, self->next);
    self->next += (int64_t) block->count;
    return ERR_NONE;
}

static inline struct journal *try_open (uint64_t segment_octets) {
    dialogue = ledger_dialogue();
    struct journal_options options = { segment_octets };
    struct journal_replay replay = { &owner, owner_reset, owner_snapshot,
                                     owner_block };
    owner = (struct owner){ .next = -1,
                            .refuse_snapshots = owner.refuse_snapshots };
    return journal_open (ledger_dir, &dialogue, &options, &replay, &opened, &e);
}

static inline struct journal *open_journal (uint64_t segment_octets) {
    struct journal *journal = try_open (segment_octets);
    if (!journal)
        fail_msg ("%s", e.text);
    return journal;
}

static inline int setup (void **state) {
    (void) state;
    dialogue = ledger_dialogue();
    owner = (struct owner){ 0 };
    return ledger_dir_make() || journal_create (ledger_dir, &dialogue, &e);
}

static inline int teardown (void **state) {
    (void) state;
    return ledger_dir_remove();
}

static inline enum err append (struct journal *journal,
                               const struct block_plan *plan, bool with_facts) {
    struct buf octets = { 0 };
    plan_write (plan, &octets);
    struct journal_block one = { .octets = buf_slice (&octets) };
    struct block block;
    struct hash leaves[BLOCK_RECORDS_MAX];
    if (with_facts) {
        plan_read (one.octets, &block, &one.facts);
        struct block_walk w;
        block_walk (&block, &w);
        while (block_next (&w))
            leaves[w.index] = record_leaf (w.record);
        one.leaves = leaves;
    }
    enum err rc = journal_append (journal, &one, 1, &e);
    buf_free (&octets);
    return rc;
}

/* Sequences 0.., one block of $log, then of two channels in turn. */
static inline struct block_plan plan_of (int64_t block) {
    if (block == 0)
        return (struct block_plan){ .channel = CHANNEL_LOG,
                                    .channel_sequence = 1,
                                    .count = 2,
                                    .time = 1000 };
    int64_t each = (block - 1) / 2;
    return (struct block_plan){
        .channel = block % 2 ? "ops" : "@AIRPOL+EUROPOL",
        .sequence = 2 + (block - 1) * 3,
        .channel_sequence = 1 + each * 3,
        .count = 3,
        .time = 1000 + block * 100,
        .content = 50,
    };
}

static inline void fill (struct journal *journal, int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) {
        struct block_plan plan = plan_of (i);
        if (append (journal, &plan, i % 3 == 0))
            fail_msg ("%s", e.text);
    }
}

static inline enum err try_roll (struct journal *journal) {
    uint8_t octets[8];
    put_u64 (octets, (uint64_t) journal_size (journal));
    return journal_roll (journal, slice_of (octets, 8), &e);
}

static inline void roll (struct journal *journal) {
    if (try_roll (journal))
        fail_msg ("%s", e.text);
}

static inline void check_tree (const struct journal *journal,
                               const char *stream, const struct hash *leaves,
                               int64_t count) {
    struct index_source from;
    struct tree_source source = journal_source (&from, journal, stream);
    const struct tree *tree =
        stream ? journal_stream_tree (journal, stream) : journal_tree (journal);
    struct hash want = tree_root_of (leaves, (size_t) count);
    struct hash own = tree_root (tree), stored;
    assert_true (tree->size >= (uint64_t) count);
    if (tree->size == (uint64_t) count) /* ahead behind a failed append */
        assert_memory_equal (&own, &want, sizeof own);
    assert_int_equal (tree_source_root (&source, (uint64_t) count, &stored, &e),
                      0);
    assert_memory_equal (&stored, &want, sizeof stored);
}

/* A stream's by the places that its numbers have. */
static inline void check_stream_tree (struct journal *journal,
                                      const char *stream,
                                      const struct hash *all) {
    int64_t last = journal_stream_last (journal, stream);
    int64_t first, count, sequence = -1;
    struct hash *leaves = mem_alloc ((size_t) (last + 1) * sizeof *leaves);
    struct index_entry entry;
    for (int64_t n = 1; n <= last; n++) {
        assert_int_equal (
            journal_find_stream (journal, stream, n, &entry, &first, &e), 0);
        sequence = entry.first_sequence + n - first;
        leaves[n - 1] = all[sequence];
    }
    check_tree (journal, stream, leaves, last);
    assert_int_equal (
        journal_stream_below (journal, stream, INT64_MAX, &count, &first, &e),
        0);
    assert_int_equal (count, last);
    assert_int_equal (first, sequence);
    free (leaves);
}

static inline void check_trees (struct journal *journal) {
    static const char *const streams[] = { CHANNEL_LOG, "ops", "@AIRPOL",
                                           "@EUROPOL", "@SCO" };
    struct buf leaves = { 0 };
    buf_reserve (&leaves, 1);
    assert_int_equal (journal_leaves (journal, 0, INT64_MAX, &leaves, &e), 0);
    const struct hash *all = (const struct hash *) leaves.data;
    check_tree (journal, NULL, all, journal_size (journal));
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        check_stream_tree (journal, streams[i], all);
    buf_free (&leaves);
}

/* All records are there, by each way to them. */
static inline void check_all (struct journal *journal, int64_t blocks) {
    struct buf out = { 0 };
    struct block block;
    struct block_facts facts;
    int64_t first, at, size = 2 + (blocks - 1) * 3;
    assert_int_equal (journal_size (journal), size);
    for (int64_t i = 0; i < blocks; i++) {
        struct block_plan plan = plan_of (i);
        for (size_t n = 0; n < plan.count; n++) {
            int64_t sequence = plan.sequence + (int64_t) n;
            assert_int_equal (journal_read (journal, sequence, &out, &e), 0);
            plan_read (buf_slice (&out), &block, &facts);
            assert_int_equal (block.first_sequence, plan.sequence);
            assert_int_equal (block.count, plan.count);
            assert_int_equal (
                journal_read_block (journal, sequence, &out, &block, &e), 0);
            assert_int_equal (block.first_sequence, plan.sequence);
            assert_true (slice_equal (block.octets, buf_slice (&out)));
            assert_int_equal (
                journal_sequence_at (journal, plan.time + (int64_t) n, &at, &e),
                0);
            assert_int_equal (at, sequence);
            const char *streams[] = { plan.channel, NULL };
            if (plan.channel[0] == '@') {
                streams[0] = "@AIRPOL";
                streams[1] = "@EUROPOL";
            }
            for (size_t s = 0; s < 2 && streams[s]; s++) {
                assert_int_equal (
                    journal_read_stream (journal, streams[s],
                                         plan.channel_sequence + (int64_t) n,
                                         &out, &first, &e),
                    0);
                assert_int_equal (first, plan.channel_sequence);
                plan_read (buf_slice (&out), &block, &facts);
                assert_int_equal (block.first_sequence, plan.sequence);
            }
        }
    }
    assert_int_equal (journal_read (journal, size, &out, &e), ERR_NOT_FOUND);
    assert_int_equal (journal_read (journal, -1, &out, &e), ERR_NOT_FOUND);
    assert_int_equal (out.size, 0);
    assert_int_equal (journal_sequence_at (journal, INT64_MAX, &at, &e), 0);
    assert_int_equal (at, size);
    assert_int_equal (journal_sequence_at (journal, INT64_MIN, &at, &e), 0);
    assert_int_equal (at, 0);
    assert_int_equal (journal_leaves (journal, 0, INT64_MAX, &out, &e), 0);
    assert_int_equal (out.size, size * HASH_SIZE);
    buf_free (&out);
    check_trees (journal);
}

/* Groups of two blocks; the same octets in all runs of a program. */
#define GROUPS 9
#define SCRIPT_GROUPS 6 /* appended by the script, the others after it */
static struct buf blocks[2 * GROUPS];

static inline int64_t records_of (int groups) {
    return groups == 0 ? 0 : plan_of (2 * groups).sequence;
}

static inline int make_blocks (void **state) {
    (void) state;
    dialogue = ledger_dialogue();
    for (int i = 0; i < 2 * GROUPS; i++) {
        struct block_plan plan = plan_of (i);
        plan_write (&plan, &blocks[i]);
    }
    return 0;
}

static inline int free_blocks (void **state) {
    (void) state;
    for (int i = 0; i < 2 * GROUPS; i++)
        buf_free (&blocks[i]);
    return 0;
}

static inline enum err append_group (struct journal *journal, int group) {
    struct journal_block two[2] = {
        { .octets = buf_slice (&blocks[2 * group]) },
        { .octets = buf_slice (&blocks[2 * group + 1]) },
    };
    return journal_append (journal, two, 2, &e);
}

/* The script: found, append, roll, append, roll, append, roll, append. Ends at
 * the first failure. */

struct progress {
    int acknowledged; /* groups */
    int tried;
    bool whole; /* nothing failed */
};

static inline bool script_step (struct journal *journal, int group,
                                struct progress *progress) {
    progress->tried = group + 1;
    if (append_group (journal, group))
        return false;
    progress->acknowledged = group + 1;
    bool rolls = group == 1 || group == 3 || group == 4;
    return !rolls || try_roll (journal) == ERR_NONE;
}

static inline struct progress run_script (void) {
    struct progress progress = { 0 };
    if (journal_create (ledger_dir, &dialogue, &e))
        return progress;
    struct journal *journal = try_open (0);
    if (!journal)
        return progress;
    int group = 0;
    while (group < SCRIPT_GROUPS && script_step (journal, group, &progress))
        group++;
    progress.whole = group == SCRIPT_GROUPS;
    journal_close (&journal);
    return progress;
}

static inline void fresh_dir (void) {
    ledger_empty (ledger_dir);
}

/* What is there: the first groups, and nothing else. Returns how many. */
static inline int check_groups (struct journal *journal) {
    int groups = 0;
    while (groups < GROUPS && records_of (groups) < journal_size (journal))
        groups++;
    assert_int_equal (journal_size (journal), records_of (groups));
    assert_int_equal (owner.next, records_of (groups));
    struct buf out = { 0 };
    for (int i = 0; i < 2 * groups; i++) {
        assert_int_equal (
            journal_read (journal, plan_of (i).sequence, &out, &e), 0);
        assert_true (slice_equal (buf_slice (&out), buf_slice (&blocks[i])));
    }
    buf_free (&out);
    check_trees (journal);
    return groups;
}

static inline void check_scan (int groups) {
    int64_t records;
    uint64_t torn;
    if (journal_scan (ledger_dir, &dialogue, NULL, NULL, &records, &torn, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (records, records_of (groups));
    assert_int_equal (torn, 0);
}

static inline void check_restart (int at_least, int at_most) {
    struct journal *journal = open_journal (0);
    int groups = check_groups (journal);
    assert_in_range (groups, at_least, at_most);
    journal_close (&journal);
    check_scan (groups);
    journal = open_journal (0);
    assert_int_equal (check_groups (journal), groups);
    assert_int_equal (opened.cut_octets, 0);
    for (int i = groups; i < GROUPS; i++) {
        if (append_group (journal, i))
            fail_msg ("%s", e.text);
        if (i == groups)
            roll (journal);
        owner.next = journal_size (journal);
    }
    check_all (journal, 2 * GROUPS);
    journal_close (&journal);
    journal = open_journal (0);
    assert_int_equal (check_groups (journal), GROUPS);
    check_all (journal, 2 * GROUPS);
    journal_close (&journal);
}

/* The short form, for tables of thousands. */
static inline void check_again (int groups) {
    struct journal *journal = open_journal (0);
    assert_int_equal (check_groups (journal), groups);
    assert_int_equal (opened.cut_octets, 0);
    if (append_group (journal, groups))
        fail_msg ("%s", e.text);
    owner.next = journal_size (journal);
    assert_int_equal (check_groups (journal), groups + 1);
    journal_close (&journal);
    check_scan (groups + 1);
}

/* The first start after a failure may have to found it first. */
static inline void found_if_needed (void) {
    enum err rc = journal_create (ledger_dir, &dialogue, &e);
    assert_true (rc == ERR_NONE || rc == ERR_EXISTS);
}

#endif
