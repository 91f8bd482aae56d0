/* A journal with an owner that counts, and blocks to fill it with. Include
 * behind cmocka.h. */
#ifndef PARLEY_JOURNAL_FIXTURE_H
#define PARLEY_JOURNAL_FIXTURE_H

#include "ledger/journal.h"
#include "ledger_fixture.h"

static struct error e;
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
    struct hash dialogue = ledger_dialogue();
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
    struct hash dialogue = ledger_dialogue();
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
}

#endif
