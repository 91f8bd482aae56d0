/* commit_block - records into blocks (PROTOCOL.md section 7.2).
 *
 * One block is being written, in memory that stays; a finished one has its
 * octets in a feed block of its own, and goes to journal and feed as it is. */
#include "commit_block.h"

#include "format/tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define RUN_OCTETS 8 /* of a run, before its hashes */

struct finished {
    struct feed_block *block; /* a reference, or NULL once taken */
    struct block_facts facts; /* channel: of the block */
    int64_t first_sequence;
};

struct blocks {
    struct block_writer *writer;
    struct finished open; /* the one that is written; block NULL: none */
    struct finished *all; /* owned, `room` of them */
    struct journal_block *journal;
    size_t count, room;
    size_t octets;      /* of all finished */
    struct buf scratch; /* a payload, then the record of $log */
};

struct blocks *blocks_new (void) {
    struct blocks *self = mem_alloc (sizeof *self);
    self->writer = block_writer_new();
    return self;
}

void blocks_destroy (struct blocks **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct blocks *self = *self_p;
    blocks_clear (self);
    block_writer_destroy (&self->writer);
    free (self->all);
    free (self->journal);
    buf_free (&self->scratch);
    free (self);
    *self_p = NULL;
    errno = saved;
}

/* Blocks */

static void open_end (struct blocks *self) {
    struct finished *open = &self->open;
    if (!open->block)
        return;
    size_t records = block_count (self->writer);
    block_finish (self->writer, &open->block->octets);
    open->block->log_time = open->facts.last_time;
    open->block->size = open->first_sequence + (int64_t) records;
    open->block->first = open->facts.first_channel_sequence;
    open->block->count = (int64_t) records;
    self->octets += open->block->octets.size;
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        self->all = mem_resize (self->all, self->room * sizeof *self->all);
        self->journal =
            mem_resize (self->journal, self->room * sizeof *self->journal);
    }
    self->all[self->count++] = *open;
    open->block = NULL;
}

/* The block that a record of this kind may go into: one channel, one roster. */
static void open_for (struct blocks *self, const struct record *r,
                      int64_t sequence, int64_t channel_sequence) {
    struct finished *open = &self->open;
    if (open->block
        && (!slice_is (r->channel, open->block->channel)
            || r->roster != open->facts.roster))
        open_end (self);
    if (open->block)
        return;
    assert (r->channel.size <= CHANNEL_MAX);
    open->block = feed_block_new();
    memcpy (open->block->channel, r->channel.data, r->channel.size);
    open->block->channel[r->channel.size] = '\0';
    open->first_sequence = sequence;
    open->facts =
        (struct block_facts){ .channel = slice_text (open->block->channel),
                              .first_channel_sequence = channel_sequence,
                              .roster = r->roster,
                              .epoch = r->epoch,
                              .first_time = r->log_time,
                              .last_time = r->log_time };
    block_begin (self->writer, sequence);
}

/* Batches */

struct part { /* of a batch, for one run */
    const struct batch *batch;
    const struct placed *placed;
    size_t count;
};

static size_t octets_of (const struct part *part, size_t n) {
    const struct placed *p = &part->placed[n];
    return BLOCK_ENTRY + p->size + part->batch->items[p->index].body.size;
}

/* How many of the part's messages fit behind `used` octets and `records`. */
static size_t fitting (const struct part *part, size_t used, size_t records) {
    size_t missing = part->batch->size - part->count, all = 0;
    for (size_t i = 0; i < part->count; i++)
        all += octets_of (part, i);
    if (used + RUN_OCTETS + missing * HASH_SIZE + all <= BLOCK_OCTETS_MAX
        && records + part->count <= BLOCK_RECORDS_MAX)
        return part->count;
    /* At most so many hashes, however few records the run will have. */
    used += RUN_OCTETS + (part->batch->size - 1) * HASH_SIZE;
    size_t n = 0;
    while (n < part->count && records + n < BLOCK_RECORDS_MAX
           && used + octets_of (part, n) <= BLOCK_OCTETS_MAX)
        used += octets_of (part, n++);
    return n;
}

/* Ids of the batch's messages that are not in the run. */
static size_t missing_ids (const struct part *part, struct hash *out) {
    size_t count = 0, next = 0;
    for (size_t i = 0; i < part->batch->size; i++) {
        if (next < part->count && part->placed[next].index == i)
            next++;
        else
            out[count++] = part->batch->items[i].message.id;
    }
    return count;
}

static size_t paths (const struct part *part, struct hash *out) {
    struct hash ids[BATCH_MAX];
    size_t count = 0, size = part->batch->size;
    for (size_t i = 0; i < size; i++)
        ids[i] = part->batch->items[i].message.id;
    for (size_t i = 0; i < part->count; i++) {
        struct hash path[TREE_PATH_MAX];
        size_t n = tree_path (ids, size, part->placed[i].index, path);
        memcpy (out + count, path, n * sizeof *path);
        count += n;
    }
    return count;
}

static void begin_run (struct blocks *self, const struct part *part) {
    struct hash hashes[BATCH_MAX];
    size_t size = part->batch->size, path_hashes = 0;
    if (part->count == size) {
        block_run (self->writer, RUN_WHOLE, NULL, 0);
        return;
    }
    for (size_t i = 0; i < part->count; i++)
        path_hashes += tree_path_length (part->placed[i].index, size);
    if (path_hashes < size - part->count)
        block_run (self->writer, RUN_PATHS, hashes, paths (part, hashes));
    else
        block_run (self->writer, RUN_MISSING, hashes,
                   missing_ids (part, hashes));
}

static void put_run (struct blocks *self, const struct part *part,
                     int64_t log_time, const uint8_t *scratch) {
    begin_run (self, part);
    for (size_t i = 0; i < part->count; i++) {
        const struct placed *p = &part->placed[i];
        bool fits =
            block_add (self->writer, slice_of (scratch + p->at, p->size),
                       part->batch->items[p->index].body, BODY_PRESENT);
        assert (fits);
        (void) fits;
    }
    block_no_run (self->writer);
    self->open.facts.last_time = log_time;
}

void blocks_batch (struct blocks *self, const struct batch *batch,
                   const struct record *first, const struct placed *placed,
                   size_t count, const uint8_t *scratch) {
    struct part part = { batch, placed, count };
    int64_t done = 0;
    while (part.count > 0) {
        open_for (self, first, first->sequence + done,
                  first->channel_sequence + done);
        size_t records = block_count (self->writer);
        size_t n = fitting (&part, block_octets (self->writer), records);
        /* Rather a new block than a run cut in two. */
        if (n < part.count && records > 0
            && (n == 0 || fitting (&part, BLOCK_HEADER, 0) == part.count)) {
            open_end (self);
            continue;
        }
        assert (n > 0);
        put_run (self, &(struct part){ batch, part.placed, n }, first->log_time,
                 scratch);
        part.placed += n;
        part.count -= n;
        done += (int64_t) n;
    }
}

/* $log */

static struct hash put_log (struct blocks *self, struct record *r,
                            struct slice body, struct roster *roster) {
    r->format = 1;
    r->channel = slice_text (CHANNEL_LOG);
    r->previous = -1;
    size_t at = self->scratch.size;
    buf_reserve (&self->scratch, RECORD_MAX); /* the payload stands in it */
    r->payload = slice_of (self->scratch.data, at);
    record_write (&self->scratch, r);
    struct slice octets =
        slice_of (self->scratch.data + at, self->scratch.size - at);
    enum body_state state = body.size ? BODY_PRESENT : BODY_NONE;
    open_for (self, r, r->sequence, r->channel_sequence);
    if (!block_add (self->writer, octets, body, state)) {
        open_end (self);
        open_for (self, r, r->sequence, r->channel_sequence);
        bool fits = block_add (self->writer, octets, body, state);
        assert (fits);
        (void) fits;
    }
    self->open.facts.last_time = r->log_time;
    if (roster)
        self->open.block->roster = roster_ref (roster);
    return record_leaf (octets);
}

struct hash blocks_roster (struct blocks *self, const struct record *place,
                           struct roster *roster) {
    struct slice note = roster_octets (roster);
    struct roster_payload payload = { .version = roster_version (roster),
                                      .digest = *roster_digest (roster),
                                      .note_length = (int64_t) note.size,
                                      .note_hash = hash_blake2b (note) };
    buf_clear (&self->scratch);
    roster_payload_write (&self->scratch, &payload);
    struct record r = *place;
    r.type = RECORD_ROSTER;
    r.roster = r.sequence;
    r.epoch = roster_epoch (roster);
    return put_log (self, &r, note, roster);
}

struct hash blocks_mark (struct blocks *self, const struct record *place,
                         const struct roster *roster, const struct hash *root) {
    struct mark_payload payload = { .roster_version = roster_version (roster),
                                    .roster_digest = *roster_digest (roster),
                                    .has_root = true,
                                    .root = *root };
    buf_clear (&self->scratch);
    mark_payload_write (&self->scratch, &payload);
    struct record r = *place;
    r.type = RECORD_MARK;
    r.epoch = roster_epoch (roster);
    return put_log (self, &r, (struct slice){ 0 }, NULL);
}

/* All of them */

size_t blocks_octets (const struct blocks *self) {
    return self->octets + (self->open.block ? block_octets (self->writer) : 0);
}

struct journal_block *blocks_finish (struct blocks *self, int64_t first,
                                     const struct hash *leaves, size_t *count) {
    open_end (self);
    for (size_t i = 0; i < self->count; i++) {
        const struct finished *f = &self->all[i];
        self->journal[i] =
            (struct journal_block){ .octets = buf_slice (&f->block->octets),
                                    .facts = f->facts,
                                    .leaves =
                                        leaves + (f->first_sequence - first) };
    }
    *count = self->count;
    return self->journal;
}

size_t blocks_count (const struct blocks *self) {
    return self->count;
}

struct feed_block *blocks_take (struct blocks *self, size_t n) {
    assert (n < self->count && self->all[n].block);
    struct feed_block *block = self->all[n].block;
    self->all[n].block = NULL;
    return block;
}

void blocks_clear (struct blocks *self) {
    feed_block_unref (&self->open.block);
    for (size_t i = 0; i < self->count; i++)
        feed_block_unref (&self->all[i].block);
    self->count = self->octets = 0;
}
