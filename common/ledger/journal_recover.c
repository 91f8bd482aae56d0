/* journal_recover - opening: the tail, the owner's state, the rest again
 * (PROTOCOL.md section 7.6).
 *
 * Order, and what a crash leaves after each step:
 *   1. headers and sizes of all segments, and the last one whole, are checked.
 *      Nothing has changed.
 *   2. a torn group is copied to cut-TIME-SEQUENCE, that is synced, then the
 *      segment is cut and synced. Between the two the next start makes one
 *      more copy.
 *   3. the last group, where no header behind it shows that it was synced, is
 *      written over with the same octets; the segment and its folder are
 *      synced. (After a failed sync the kernel holds pages that it calls clean
 *      and that the disk may not have: a sync alone would be believed.)
 *   4. the newest fit snapshot is taken, and what stands behind it is replayed
 *      into index and owner. Files of the index may be written behind what any
 *      snapshot counts, or begun anew: then no older snapshot fits them.
 *   5. the next group's header is written. It may stand there already. */
#include "ledger/journal_impl.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SEGMENT_OCTETS (UINT64_C (64) << 20)
#define CUT_NAMES 1000 /* tried, one a millisecond; a clock may stand still */

/* The tail. */

static enum err read_octets (int fd, uint64_t offset, uint64_t size,
                             struct buf *out, struct error *e) {
    buf_clear (out);
    return disk_read_at (fd, buf_extend (out, size), size, offset, e);
}

static enum err set_aside (const char *journal_dir, struct slice octets,
                           int64_t sequence, struct journal_opened *opened,
                           struct error *e) {
    int64_t now = clock_wall_ms();
    enum err rc = ERR_EXISTS;
    for (int i = 0; rc == ERR_EXISTS && i < CUT_NAMES; i++) {
        struct buf name = { 0 };
        buf_add_format (&name, "%s/cut-%" PRId64 "-%" PRId64, journal_dir,
                        now + i, sequence);
        char *path = buf_take_text (&name);
        rc = disk_write_file (path, octets, false, e);
        if (!rc)
            snprintf (opened->cut_path, sizeof opened->cut_path, "%s", path);
        free (path);
    }
    return rc;
}

static enum err cut_torn (int fd, const char *journal_dir,
                          const struct chain_tail *tail,
                          struct journal_opened *opened, struct error *e) {
    struct buf octets = { 0 };
    enum err rc = read_octets (fd, tail->at, tail->torn, &octets, e);
    if (!rc)
        rc =
            set_aside (journal_dir, buf_slice (&octets), tail->next, opened, e);
    buf_free (&octets);
    if (!rc)
        rc = disk_truncate (fd, tail->at, e);
    if (!rc)
        opened->cut_octets = tail->torn;
    return rc;
}

static enum err write_again (int fd, const struct chain_tail *tail,
                             struct error *e) {
    struct buf octets = { 0 };
    enum err rc =
        read_octets (fd, tail->last_offset, tail->last_octets, &octets, e);
    if (!rc)
        rc = disk_write_at (fd, buf_slice (&octets), tail->last_offset, e);
    buf_free (&octets);
    return rc;
}

static enum err mend_tail (const struct chain *chain,
                           const struct chain_tail *tail,
                           struct journal_opened *opened, struct error *e) {
    char *path =
        segment_path (chain->dir, chain->links[chain->count - 1].first);
    int fd = disk_open (path, DISK_WRITE, e);
    enum err rc = fd < 0 ? e->code : ERR_NONE;
    if (!rc && tail->torn > 0)
        rc = cut_torn (fd, chain->dir, tail, opened, e);
    if (!rc && !tail->header && tail->last_octets > 0)
        rc = write_again (fd, tail, e);
    if (!rc)
        rc = disk_sync (fd, e);
    if (!rc)
        rc = disk_sync_dir (chain->dir, e);
    disk_close (&fd);
    if (rc)
        error_at (e, "'%s'", path);
    free (path);
    return rc;
}

/* Snapshots. */

/* Does the record before the snapshot's place have the leaf that it had, and
 * does the index know the segments that are there? */
static enum err check_history (struct journal *self, const struct chain *chain,
                               const struct snapshot *snapshot,
                               struct error *e) {
    struct index_entry entry;
    struct block block;
    struct buf octets = { 0 };
    enum err rc =
        index_of_sequence (self->index, snapshot->sequence - 1, &entry, e);
    if (!rc)
        rc = journal_files_block (self->files, &entry, &octets, &block, e);
    struct hash leaf = { 0 };
    if (!rc) {
        struct block_walk w;
        block_walk (&block, &w);
        while (block_next (&w))
            leaf = record_leaf (w.record);
    }
    buf_free (&octets);
    if (!rc && !hash_equal (&leaf, &snapshot->last))
        rc = error_set (e, ERR_DAMAGED, "of another history of the ledger");
    for (size_t i = 1;
         !rc && i < chain->count && chain->links[i].first <= snapshot->sequence;
         i++) {
        int64_t before = chain->links[i].first - 1;
        rc = index_of_sequence (self->index, before, &entry, e);
        if (!rc && entry.segment != chain->links[i - 1].first)
            rc = error_set (e, ERR_DAMAGED,
                            "the index has record %" PRId64 " in segment "
                            "%" PRId64 ", which is not the one before %" PRId64,
                            before, entry.segment, before + 1);
    }
    return rc;
}

static enum err use_snapshot (struct journal *self, const struct chain *chain,
                              const struct chain_tail *tail,
                              const struct snapshot *snapshot,
                              const struct journal_replay *replay,
                              struct error *e) {
    if (snapshot->sequence > tail->next)
        return error_set (e, ERR_CHAIN,
                          "of record %" PRId64 ", the ledger ends before "
                          "%" PRId64,
                          snapshot->sequence, tail->next);
    self->index = index_open (self->index_dir, snapshot->counts, e);
    enum err rc = self->index ? ERR_NONE : e->code;
    if (!rc && index_size (self->index) != snapshot->sequence)
        rc = error_set (e, ERR_DAMAGED, "the index ends before %" PRId64,
                        index_size (self->index));
    if (!rc && snapshot->sequence > 0)
        rc = check_history (self, chain, snapshot, e);
    if (!rc)
        rc = replay->snapshot (replay->arg, snapshot->state, e);
    if (rc)
        index_close (&self->index);
    return rc;
}

/* The newest that is fit; else all from nothing. A snapshot is no part of the
 * ledger: whatever is wrong with it costs time only, and is said. */
static enum err begin_state (struct journal *self, const struct chain *chain,
                             const struct chain_tail *tail,
                             const struct journal_replay *replay,
                             struct journal_opened *opened, struct error *e) {
    int64_t *found;
    size_t count;
    enum err rc = journal_list (self->index_dir, ".snap", &found, &count, e);
    if (rc)
        return rc;
    opened->snapshot = -1;
    for (size_t i = count; opened->snapshot < 0 && i-- > 0;) {
        struct snapshot snapshot;
        struct error why = { 0 };
        rc = snapshot_read (self->index_dir, &self->dialogue, found[i],
                            &snapshot, &why);
        if (!rc)
            rc = use_snapshot (self, chain, tail, &snapshot, replay, &why);
        if (rc)
            log_warn ("SNAPSHOT-UNFIT", "sequence=%" PRId64 " why=%s", found[i],
                      log_text (why.text));
        else
            opened->snapshot = found[i];
        buf_free (&snapshot.octets);
    }
    free (found);
    if (opened->snapshot >= 0)
        return ERR_NONE;
    opened->index_rebuilt = count > 0 || chain->count > 1;
    replay->reset (replay->arg);
    self->index = index_open (self->index_dir, slice_of (NULL, 0), e);
    return self->index ? ERR_NONE : e->code;
}

/* Replay. */

struct replaying {
    struct journal *journal;
    const struct journal_replay *replay;
};

static enum err replay_block (void *arg, const struct block *block,
                              const struct block_facts *facts, int64_t segment,
                              uint64_t offset, struct error *e) {
    struct replaying *self = arg;
    enum err rc = index_add (self->journal->index, block, facts, segment,
                             offset, NULL, e);
    if (rc) {
        e->code = ERR_DAMAGED;
        return ERR_DAMAGED;
    }
    return self->replay->block (self->replay->arg, block, facts, e);
}

/* So that the rows of one segment are all that memory has to hold. */
static enum err replay_closed (void *arg, struct error *e) {
    struct replaying *self = arg;
    return index_sync (self->journal->index, e);
}

static enum err replay_rest (struct journal *self, const struct chain *chain,
                             const struct chain_tail *tail,
                             const struct journal_replay *replay,
                             struct journal_opened *opened, struct error *e) {
    struct replaying replaying = { self, replay };
    struct chain_visitor visitor = { &replaying, replay_block, replay_closed };
    int64_t from = opened->snapshot < 0 ? 0 : opened->snapshot;
    enum err rc = chain_walk (chain, tail, from, &visitor, e);
    if (rc)
        return rc;
    index_show (self->index);
    opened->records = index_size (self->index);
    opened->replayed = opened->records - from;
    return ERR_NONE;
}

/* Opening. */

static enum err open_chain (struct journal *self, const struct chain *chain,
                            const struct journal_replay *replay,
                            struct journal_opened *opened, struct error *e) {
    struct chain_tail tail;
    enum err rc = chain_tail (chain, &tail, e);
    if (!rc)
        rc = mend_tail (chain, &tail, opened, e);
    if (!rc)
        rc = disk_make_dir (self->index_dir, e); /* somebody emptied it */
    if (!rc)
        rc = begin_state (self, chain, &tail, replay, opened, e);
    if (!rc)
        rc = replay_rest (self, chain, &tail, replay, opened, e);
    if (rc)
        return rc;
    self->segment_first = chain->links[chain->count - 1].first;
    self->segment = segment_resume (self->journal_dir, self->segment_first,
                                    tail.at, tail.group, e);
    return self->segment ? ERR_NONE : e->code;
}

struct journal *journal_open (const char *dir, const struct hash *dialogue,
                              const struct journal_options *options,
                              const struct journal_replay *replay,
                              struct journal_opened *opened, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    *opened = (struct journal_opened){ .snapshot = -1 };
    struct journal *self = mem_alloc (sizeof *self);
    self->dialogue = *dialogue;
    self->segment_octets = options && options->segment_octets > 0
                               ? options->segment_octets
                               : SEGMENT_OCTETS;
    self->journal_dir = journal_path (dir, "journal");
    self->index_dir = journal_path (dir, "index");
    self->files = journal_files_new (self->journal_dir);
    struct chain chain;
    enum err rc = chain_load (&chain, self->journal_dir, dialogue, e);
    if (!rc)
        rc = open_chain (self, &chain, replay, opened, e);
    chain_free (&chain);
    if (rc)
        journal_close (&self);
    return self;
}

/* Looking only. */

struct scanning {
    enum err (*block) (void *arg, const struct block *,
                       const struct block_facts *, struct error *);
    void *arg;
};

static enum err scan_block (void *arg, const struct block *block,
                            const struct block_facts *facts, int64_t segment,
                            uint64_t offset, struct error *e) {
    (void) segment;
    (void) offset;
    struct scanning *self = arg;
    return self->block ? self->block (self->arg, block, facts, e) : ERR_NONE;
}

enum err journal_scan (const char *dir, const struct hash *dialogue,
                       enum err (*block) (void *arg, const struct block *,
                                          const struct block_facts *,
                                          struct error *),
                       void *arg, int64_t *records, uint64_t *torn,
                       struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    struct scanning scanning = { block, arg };
    struct chain_visitor visitor = { .arg = &scanning, .block = scan_block };
    char *journal_dir = journal_path (dir, "journal");
    struct chain chain;
    struct chain_tail tail;
    enum err rc = chain_load (&chain, journal_dir, dialogue, e);
    if (!rc)
        rc = chain_tail (&chain, &tail, e);
    if (!rc)
        rc = chain_walk (&chain, &tail, 0, &visitor, e);
    if (!rc) {
        *records = tail.next;
        *torn = tail.torn;
    }
    chain_free (&chain);
    free (journal_dir);
    return rc;
}
