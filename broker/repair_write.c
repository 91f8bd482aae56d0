/* repair_write - what was judged goes into the journal, verbatim, and into the
 * notary's folder. */
#include "repair_impl.h"

#include "base/disk.h"
#include "notary_impl.h"

#include <inttypes.h>
#include <stdlib.h>

#define GROUP_BLOCKS 256
#define GROUP_OCTETS 1048576 /* it ends behind the block that is above */

/* One group in the making. */
struct append {
    struct repair *repair;
    struct journal *journal;
    struct counters *counters;
    struct buf octets[GROUP_BLOCKS];
    size_t count, size;
    int64_t at; /* the next record */
};

/* Files may have changed since they were judged. */
static enum err same_leaves (const struct repair *self,
                             const struct block *block, struct error *e) {
    struct block_walk w;
    block_walk (block, &w);
    while (block_next (&w)) {
        int64_t at = block->first_sequence + (int64_t) w.index;
        size_t place = (size_t) (at - self->report->size) * HASH_SIZE;
        struct hash leaf = record_leaf (w.record);
        if (place >= self->leaves.size
            || memcmp (self->leaves.data + place, leaf.octets, HASH_SIZE) != 0)
            return error_set (
                e, ERR_STATE,
                "record %" PRId64 ": a bundle has changed meanwhile", at);
    }
    return ERR_NONE;
}

static enum err group_fill (struct append *self, struct error *e) {
    struct repair *repair = self->repair;
    int64_t target = repair->report->target;
    enum err rc = ERR_NONE;
    for (self->count = self->size = 0; !rc && self->at < target
                                       && self->count < GROUP_BLOCKS
                                       && self->size < GROUP_OCTETS;) {
        struct buf *octets = &self->octets[self->count];
        struct block block;
        size_t which;
        buf_clear (octets);
        rc = sources_block (&repair->sources, self->at, target, octets, &which,
                            e);
        if (!rc)
            rc = block_read (buf_slice (octets), &block, e);
        if (!rc)
            rc = same_leaves (repair, &block, e);
        if (rc)
            break;
        self->at += (int64_t) block.count;
        self->size += octets->size;
        self->count++;
    }
    return rc;
}

static enum err group_count (struct append *self, struct error *e) {
    struct journal_replay replay = counters_replay (self->counters);
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < self->count; i++) {
        struct block block;
        struct block_facts facts;
        rc = block_read (buf_slice (&self->octets[i]), &block, e);
        if (!rc)
            rc = block_check (&block, &facts, e);
        if (!rc)
            rc = replay.block (replay.arg, &block, &facts, e);
    }
    return rc;
}

static enum err roll (struct append *self, struct error *e) {
    struct buf snapshot = { 0 };
    if (!journal_wants_roll (self->journal))
        return ERR_NONE;
    counters_snapshot (self->counters, self->counters->chain, &snapshot);
    enum err rc = journal_roll (self->journal, buf_slice (&snapshot), e);
    buf_free (&snapshot);
    return rc;
}

enum err append_flush (struct append *self, struct error *e) {
    struct journal_block blocks[GROUP_BLOCKS];
    if (self->count == 0)
        return ERR_NONE;
    for (size_t i = 0; i < self->count; i++)
        blocks[i] =
            (struct journal_block){ .octets = buf_slice (&self->octets[i]) };
    enum err rc = group_count (self, e);
    if (!rc)
        rc = journal_append (self->journal, blocks, self->count, e);
    if (!rc)
        rc = roll (self, e);
    self->count = self->size = 0;
    return rc;
}

static enum err groups_append (struct append *self, struct error *e) {
    enum err rc = ERR_NONE;
    while (!rc && self->at < self->repair->report->target) {
        rc = group_fill (self, e);
        if (!rc)
            rc = append_flush (self, e);
    }
    return rc;
}

struct append *append_open (struct repair *repair, const char *dir,
                            struct error *e) {
    struct append *self = mem_alloc (sizeof *self);
    self->repair = repair;
    self->counters = counters_new();
    struct journal_replay replay = counters_replay (self->counters);
    struct journal_options options = { (uint64_t) repair->settings->segment };
    struct journal_opened opened;
    self->journal =
        journal_open (dir, &repair->dialogue, &options, &replay, &opened, e);
    if (!self->journal)
        append_close (&self);
    else
        self->at = journal_size (self->journal);
    return self;
}

void append_close (struct append **self_p) {
    struct append *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < GROUP_BLOCKS; i++)
        buf_free (&self->octets[i]);
    journal_close (&self->journal);
    counters_destroy (&self->counters);
    free (self);
    *self_p = NULL;
}

enum err append_block (struct append *self, struct slice block,
                       struct error *e) {
    struct buf *octets = &self->octets[self->count++];
    buf_clear (octets);
    buf_add_slice (octets, block);
    self->size += block.size;
    return self->count < GROUP_BLOCKS && self->size < GROUP_OCTETS
               ? ERR_NONE
               : append_flush (self, e);
}

static enum err same_size (const struct append *self, struct error *e) {
    int64_t size = self->repair->report->size;
    return self->at == size
               ? ERR_NONE
               : error_set (e, ERR_STATE,
                            "the ledger has %" PRId64 " records, it had "
                            "%" PRId64,
                            self->at, size);
}

enum err repair_append (struct repair *self, struct error *e) {
    struct append *append = append_open (self, self->settings->state, e);
    if (!append)
        return e->code;
    enum err rc = same_size (append, e);
    if (!rc)
        rc = sources_rewind (&self->sources, e);
    if (!rc)
        rc = groups_append (append, e);
    append_close (&append);
    return rc;
}

/* Checkpoints. */

static const struct source *newest (const struct repair *self) {
    const struct source *found = &self->sources.all[0];
    for (size_t i = 1; i < self->sources.count; i++)
        if (self->sources.all[i].noted > found->noted)
            found = &self->sources.all[i];
    return found;
}

/* The size of the one that is kept; 0: none. */
static enum err kept_size (const char *dir, int64_t *size, struct error *e) {
    struct buf kept = { 0 };
    struct checkpoint cp;
    struct note note;
    *size = 0;
    enum err rc = notary_files_newest (dir, &kept, e);
    if (!rc)
        rc = checkpoint_read (buf_slice (&kept), &cp, &note, e);
    if (!rc)
        *size = cp.size;
    buf_free (&kept);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* The first of a roster, where none is kept yet. */
static enum err handover_keep (const char *dir, int64_t version,
                               struct slice note, struct error *e) {
    struct buf kept = { 0 };
    enum err rc = notary_files_read (dir, version, &kept, e);
    if (rc == ERR_NOT_FOUND)
        rc = notary_files_handover (dir, version, note, e);
    buf_free (&kept);
    return rc;
}

static enum err notes_keep (const struct repair *self,
                            const struct source *from, const char *dir,
                            struct error *e) {
    int64_t before = 0, kept;
    enum err rc = kept_size (dir, &kept, e);
    for (size_t i = 0; !rc && i < from->note_count; i++) {
        struct checkpoint cp;
        struct note note;
        struct slice octets = buf_slice (&from->notes[i]);
        rc = checkpoint_read (octets, &cp, &note, e);
        if (rc)
            break;
        const struct roster *roster =
            roster_chain_at (self->counters->chain, cp.size - 1);
        if (roster_version (roster) != before)
            rc = handover_keep (dir, roster_version (roster), octets, e);
        before = roster_version (roster);
    }
    if (!rc && from->noted > kept)
        rc = notary_files_settled (
            dir, buf_slice (&from->notes[from->note_count - 1]), e);
    return rc;
}

enum err repair_checkpoints (struct repair *self, struct error *e) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/checkpoints", self->settings->state);
    char *dir = buf_take_text (&path);
    enum err rc = notes_keep (self, newest (self), dir, e);
    free (dir);
    return rc;
}
