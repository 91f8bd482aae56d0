/* counters - what the next record's fields depend on (DESIGN section 7).
 *
 * Hash tables with open addressing: last numbers of channels, last places of
 * topics, what entities opened. A table's names stand one behind the other in
 * one run of octets, so that counting a message allocates nothing. One owner. */
#include "counters.h"

#include "base/clock.h"
#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define FORMAT 2
#define TABLE_FIRST 64
#define FIXED 33 /* octets: format and four numbers */

/* Tables */

struct slot {
    uint64_t hash;
    size_t at;     /* of its name in names */
    int64_t last;  /* a channel's number, a topic's sequence, how many topics
                      an entity opened on ad-hoc channels */
    size_t topics; /* of a channel */
    size_t size;   /* of its name; 0: a free slot */
};
struct table {
    struct slot *slots; /* room is a power of two */
    size_t room, count;
    uint64_t seed;
    struct buf names;
};
struct counters_tables {
    struct table channels, topics, openers;
};

static void table_begin (struct table *self) {
    self->room = TABLE_FIRST;
    self->slots = mem_alloc (self->room * sizeof *self->slots);
    /* Topics are a peer's choice: our address decides the order here. */
    self->seed = (uint64_t) (uintptr_t) self->slots * UINT64_C (0x9e3779b97f4a);
}

static void table_end (struct table *self) {
    free (self->slots);
    buf_free (&self->names);
}

static struct slice slot_name (const struct table *self,
                               const struct slot *slot) {
    return slice_of (self->names.data + slot->at, slot->size);
}

/* The slot of this name, or the free one where it belongs. */
static struct slot *slot_of (const struct table *self, struct slice name,
                             uint64_t hash) {
    for (size_t at = (size_t) hash;; at++) {
        struct slot *slot = &self->slots[at & (self->room - 1)];
        if (slot->size == 0
            || (slot->hash == hash
                && slice_equal (name, slot_name (self, slot))))
            return slot;
    }
}

/* NULL where it is not there. */
static struct slot *table_find (const struct table *self, struct slice name) {
    struct slot *slot = slot_of (self, name, hash_xxh3 (name, self->seed));
    return slot->size ? slot : NULL;
}

static void table_grow (struct table *self) {
    struct slot *old = self->slots;
    size_t room = self->room;
    self->room = room * 2;
    self->slots = mem_alloc (self->room * sizeof *self->slots);
    for (size_t i = 0; i < room; i++)
        if (old[i].size)
            *slot_of (self, slot_name (self, &old[i]), old[i].hash) = old[i];
    free (old);
}

static struct slot *table_get (struct table *self, struct slice name) {
    assert (name.size > 0);
    uint64_t hash = hash_xxh3 (name, self->seed);
    struct slot *slot = slot_of (self, name, hash);
    if (slot->size)
        return slot;
    if (self->count * 4 >= self->room * 3) {
        table_grow (self);
        slot = slot_of (self, name, hash);
    }
    *slot = (struct slot){
        .hash = hash, .at = self->names.size, .last = -1, .size = name.size
    };
    buf_add_slice (&self->names, name);
    self->count++;
    return slot;
}

/* Counting */

struct counters *counters_new (void) {
    struct counters *self = mem_alloc (sizeof *self);
    self->roster_sequence = -1;
    self->lanes = lanes_new();
    self->chain = roster_chain_new();
    self->tables = mem_alloc (sizeof *self->tables);
    table_begin (&self->tables->channels);
    table_begin (&self->tables->topics);
    table_begin (&self->tables->openers);
    return self;
}

void counters_destroy (struct counters **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct counters *self = *self_p;
    lanes_destroy (&self->lanes);
    roster_chain_destroy (&self->chain);
    table_end (&self->tables->channels);
    table_end (&self->tables->topics);
    table_end (&self->tables->openers);
    free (self->tables);
    free (self);
    *self_p = NULL;
    errno = saved;
}

struct roster_chain *counters_take_chain (struct counters *self) {
    struct roster_chain *chain = self->chain;
    self->chain = NULL;
    return chain;
}

int64_t counters_channel_next (const struct counters *self,
                               struct slice channel) {
    const struct slot *slot = table_find (&self->tables->channels, channel);
    return slot ? slot->last + 1 : 1;
}

int64_t counters_topic_last (const struct counters *self, struct slice topic,
                             bool *full) {
    const struct slot *slot = table_find (&self->tables->topics, topic);
    *full = false;
    if (slot)
        return slot->last;
    slot = table_find (&self->tables->channels, topic_channel (topic));
    *full = slot && slot->topics >= COUNTERS_TOPICS_MAX;
    return -1;
}

bool counters_opener_full (const struct counters *self, struct slice author) {
    const struct slot *slot =
        table_find (&self->tables->openers, delegation_entity (author));
    return slot && slot->last >= COUNTERS_TOPICS_MAX;
}

static void take_topic (struct counters *self, struct slot *channel,
                        const struct message *message, int64_t sequence) {
    struct table *topics = &self->tables->topics;
    size_t before = topics->count;
    table_get (topics, message->topic)->last = sequence;
    if (topics->count == before)
        return;
    channel->topics++;
    if (!channel_is_adhoc (topic_channel (message->topic)))
        return;
    struct slot *opener =
        table_get (&self->tables->openers, delegation_entity (message->author));
    opener->last = opener->last < 0 ? 1 : opener->last + 1;
}

void counters_take (struct counters *self, const struct record *record,
                    const struct message *message) {
    assert (record->sequence == self->next_sequence);
    assert (record->log_time >= self->log_time
            || record->epoch > self->epoch);
    self->next_sequence++;
    self->log_time = record->log_time;
    self->epoch = record->epoch;
    if (record->type == RECORD_ROSTER)
        self->roster_sequence = record->sequence;
    struct slot *channel = table_get (&self->tables->channels, record->channel);
    channel->last = record->channel_sequence;
    if (!message)
        return;
    take_topic (self, channel, message, record->sequence);
    lanes_take (self->lanes, message->author, message->lane, message->number,
                record->sequence, record->log_time);
}

/* Replay: what is read is ours, so whatever does not fit is damage. */

/* Time may go back there; that the epoch is the next one the chain judges. */
static bool opens_epoch (const struct counters *self, const struct record *r) {
    return r->type == RECORD_ROSTER && r->epoch > self->epoch;
}

static enum err replay_place (const struct counters *self,
                              const struct record *r, struct error *e) {
    int64_t channel_sequence = counters_channel_next (self, r->channel);
    int64_t roster =
        r->type == RECORD_ROSTER ? r->sequence : self->roster_sequence;
    if (r->sequence == self->next_sequence
        && r->channel_sequence == channel_sequence
        && (r->log_time >= self->log_time || opens_epoch (self, r))
        && r->roster == roster)
        return ERR_NONE;
    return error_set (
        e, ERR_DAMAGED,
        "record %" PRId64 ": channel sequence %" PRId64 ", log time %" PRId64
        ", roster %" PRId64 " where %" PRId64 ", %" PRId64 ", at least %" PRId64
        ", %" PRId64 " have to stand",
        r->sequence, r->channel_sequence, r->log_time, r->roster,
        self->next_sequence, channel_sequence, self->log_time, roster);
}

/* Add to the chain; `epoch` is what its record says. */
static enum err take_roster (struct counters *self, struct slice note,
                             int64_t sequence, int64_t epoch, struct error *e) {
    struct roster *roster = roster_read (note, e);
    if (!roster)
        return e ? e->code : ERR_DAMAGED;
    enum err rc = roster_chain_add (self->chain, roster, sequence, e);
    if (!rc && roster_epoch (roster) != epoch)
        rc = error_set (e, ERR_DAMAGED,
                        "epoch %" PRId64 " under one of %" PRId64, epoch,
                        roster_epoch (roster));
    roster_unref (&roster);
    return rc;
}

static enum err replay_message (const struct counters *self,
                                const struct record *r, struct message *m,
                                struct error *e) {
    enum err rc = record_message (r, m, e);
    if (rc)
        return rc;
    bool full;
    int64_t previous = counters_topic_last (self, m->topic, &full);
    if (previous < 0 && channel_is_adhoc (m->channel))
        full = full || counters_opener_full (self, m->author);
    if (full || previous != r->previous)
        return error_set (e, ERR_DAMAGED,
                          "previous sequence %" PRId64 " on its topic where "
                          "%" PRId64 " has to stand",
                          r->previous, previous);
    return ERR_NONE;
}

static enum err replay_record (struct counters *self,
                               const struct block_walk *walk, struct error *e) {
    struct record r;
    struct message m;
    enum err rc = record_read (walk->record, &r, e);
    if (!rc)
        rc = replay_place (self, &r, e);
    if (!rc && r.type == RECORD_MESSAGE)
        rc = replay_message (self, &r, &m, e);
    if (!rc && r.type == RECORD_ROSTER)
        rc = take_roster (self, walk->body, r.sequence, r.epoch, e);
    if (rc)
        return rc;
    counters_take (self, &r, r.type == RECORD_MESSAGE ? &m : NULL);
    return ERR_NONE;
}

static enum err replay_block (void *arg, const struct block *block,
                              const struct block_facts *facts,
                              struct error *e) {
    struct counters *self = arg;
    assert (self->chain);
    /* Numbers and topics of what we can't read would be lost. */
    if (facts->newer)
        return error_set (e, ERR_NEWER,
                          "the block at record %" PRId64 " was written by a "
                          "newer version of this program",
                          block->first_sequence);
    struct block_walk walk;
    block_walk (block, &walk);
    enum err rc = ERR_NONE;
    while (!rc && block_next (&walk))
        rc = replay_record (self, &walk, e);
    if (rc && e)
        error_at (e, "record %" PRId64,
                  block->first_sequence + (int64_t) walk.index);
    return rc;
}

/* Snapshot: u8 format, u64 next sequence, log time, epoch, roster's sequence;
 * u32 rosters, each u64 sequence, u32 size, note; u32 channels, each u8 size,
 * name, u64 last; u32 topics, likewise; u32 entities, likewise (how many topics
 * they opened on ad-hoc channels); lanes. The journal has its checksum. */

static void put_table (const struct table *self, struct buf *out) {
    buf_add_u32 (out, (uint32_t) self->count);
    for (size_t i = 0; i < self->room; i++) {
        const struct slot *slot = &self->slots[i];
        if (!slot->size)
            continue;
        buf_add_u8 (out, (uint8_t) slot->size);
        buf_add_slice (out, slot_name (self, slot));
        buf_add_u64 (out, (uint64_t) slot->last);
    }
}

void counters_snapshot (const struct counters *self,
                        const struct roster_chain *chain, struct buf *out) {
    buf_add_u8 (out, FORMAT);
    buf_add_u64 (out, (uint64_t) self->next_sequence);
    buf_add_u64 (out, (uint64_t) self->log_time);
    buf_add_u64 (out, (uint64_t) self->epoch);
    buf_add_u64 (out, (uint64_t) self->roster_sequence);
    size_t count = roster_chain_count (chain);
    buf_add_u32 (out, (uint32_t) count);
    for (size_t i = 0; i < count; i++) {
        int64_t sequence;
        struct roster *roster = roster_chain_nth (chain, i, &sequence);
        struct slice note = roster_octets (roster);
        buf_add_u64 (out, (uint64_t) sequence);
        buf_add_u32 (out, (uint32_t) note.size);
        buf_add_slice (out, note);
    }
    put_table (&self->tables->channels, out);
    put_table (&self->tables->topics, out);
    put_table (&self->tables->openers, out);
    lanes_write (self->lanes, out);
}

/* A run of octets that is taken from the front; false where it is too short. */
static bool take (struct slice *in, size_t size, struct slice *out) {
    if (in->size < size)
        return false;
    *out = slice_of (in->data, size);
    in->data += size;
    in->size -= size;
    return true;
}

static bool read_fixed (struct counters *self, struct slice *in) {
    struct slice s;
    if (!take (in, FIXED, &s) || s.data[0] != FORMAT)
        return false;
    self->next_sequence = (int64_t) get_u64 (s.data + 1);
    self->log_time = (int64_t) get_u64 (s.data + 9);
    self->epoch = (int64_t) get_u64 (s.data + 17);
    self->roster_sequence = (int64_t) get_u64 (s.data + 25);
    return self->next_sequence > 0 && self->log_time >= 0
           && self->log_time <= CLOCK_MS_MAX && self->epoch >= 1
           && self->roster_sequence >= 0
           && self->roster_sequence < self->next_sequence;
}

static bool read_rosters (struct counters *self, struct slice *in,
                          struct error *e) {
    struct slice s, note;
    if (!take (in, 4, &s))
        return false;
    uint32_t count = get_u32 (s.data);
    for (uint32_t i = 0; i < count; i++) {
        if (!take (in, 12, &s) || !take (in, get_u32 (s.data + 8), &note))
            return false;
        int64_t sequence = (int64_t) get_u64 (s.data);
        struct roster *roster = sequence < 0 ? NULL : roster_read (note, e);
        bool fine =
            roster && !roster_chain_add (self->chain, roster, sequence, e);
        roster_unref (&roster);
        if (!fine)
            return false;
    }
    int64_t last = -1;
    const struct roster *roster = roster_chain_last (self->chain, &last);
    return roster && last == self->roster_sequence
           && roster_epoch (roster) == self->epoch;
}

static bool read_table (struct table *table, struct slice *in, size_t max,
                        int64_t least, int64_t most) {
    struct slice s, name;
    if (!take (in, 4, &s))
        return false;
    uint32_t count = get_u32 (s.data);
    for (uint32_t i = 0; i < count; i++) {
        if (!take (in, 1, &s) || s.data[0] == 0 || s.data[0] > max
            || !take (in, s.data[0], &name) || !take (in, 8, &s))
            return false;
        int64_t last = (int64_t) get_u64 (s.data);
        if (last < least || last > most)
            return false;
        table_get (table, name)->last = last;
    }
    return table->count == count; /* no name stands there twice */
}

/* How many topics each channel has; false where one has no channel, or those of
 * ad-hoc channels are not as many as entities opened. */
static bool count_topics (struct counters_tables *self) {
    int64_t adhoc = 0;
    for (size_t i = 0; i < self->topics.room; i++) {
        const struct slot *slot = &self->topics.slots[i];
        if (!slot->size)
            continue;
        struct slice topic = slot_name (&self->topics, slot);
        if (topic_check (topic, NULL))
            return false;
        struct slot *channel =
            table_find (&self->channels, topic_channel (topic));
        if (!channel || channel->topics >= COUNTERS_TOPICS_MAX)
            return false;
        channel->topics++;
        adhoc += channel_is_adhoc (topic_channel (topic));
    }
    for (size_t i = 0; i < self->openers.room; i++)
        if (self->openers.slots[i].size)
            adhoc -= self->openers.slots[i].last;
    return adhoc == 0;
}

static bool snapshot_read (struct counters *self, struct slice *in,
                           struct error *e) {
    int64_t next = 0;
    if (!read_fixed (self, in) || !read_rosters (self, in, e))
        return false;
    next = self->next_sequence;
    return read_table (&self->tables->channels, in, CHANNEL_MAX, 1, next)
           && read_table (&self->tables->topics, in, TOPIC_MAX, 0, next - 1)
           && read_table (&self->tables->openers, in, ENTITY_MAX, 1,
                          COUNTERS_TOPICS_MAX)
           && count_topics (self->tables)
           && lanes_read (self->lanes, *in, e) == ERR_NONE;
}

/* What self holds goes along with `made`. */
static void exchange (struct counters *self, struct counters *made) {
    struct counters old = *self;
    *self = *made;
    *made = old;
    counters_destroy (&made);
}

static enum err replay_snapshot (void *arg, struct slice octets,
                                 struct error *e) {
    struct counters *made = counters_new();
    struct slice in = octets;
    struct error why = { 0 };
    if (snapshot_read (made, &in, &why)) {
        exchange (arg, made);
        return ERR_NONE;
    }
    counters_destroy (&made);
    return error_set (e, ERR_DAMAGED, "snapshot of %zu octets, at %zu: %s",
                      octets.size, octets.size - in.size,
                      why.code ? why.text : "not of this format");
}

static void replay_reset (void *arg) {
    exchange (arg, counters_new());
}

struct journal_replay counters_replay (struct counters *self) {
    return (struct journal_replay){ .arg = self,
                                    .reset = replay_reset,
                                    .snapshot = replay_snapshot,
                                    .block = replay_block };
}
