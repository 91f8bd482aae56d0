/* commit_group - a group from jobs to promises (PROTOCOL.md sections 6.5, 7.1
 * to 7.3 and 8.4).
 *
 * The hot path: nothing is allocated for a message that is recorded; a record
 * is written once into scratch, hashed there, and copied into its block. */
#include "commit_group.h"

#include "commit_block.h"
#include "judge.h"
#include "streams.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define RECORDS_MAX (GROUP_JOBS * BATCH_MAX + 2) /* with a mark or a roster */

/* What a record has in its block beside header and body: the other elements
 * (with channel, via and signature some 400 octets) and its entry. */
#define RECORD_MORE 512
/* Hashes beside the runs of one batch, of which there are at most three. */
#define RUNS_MORE 32768

/* A record that is promised again. */
struct held {
    struct hash id, leaf;
};

/* The journal's block that was read last, and a walk in it. */
struct cache {
    struct buf octets;
    struct block block; /* count 0: none */
    struct block_walk walk;
};

struct group {
    struct state *state; /* borrowed, these four */
    struct counters *counters;
    struct roster_chain *chain;
    pthread_mutex_t *lanes_lock;
    struct judge_memo memo;
    struct blocks *blocks;
    struct streams *streams; /* owned */
    struct buf scratch;      /* records of one batch */
    struct cache cache;

    struct roster *roster; /* borrowed from the chain */
    int64_t log_time;
    int64_t first;    /* sequence of the group's first record */
    size_t messages;  /* of the group so far */
    size_t records;   /* of the group so far; their ids and leaves: */
    struct hash *ids; /* RECORDS_MAX, owned; only messages' are set */
    struct hash *leaves;
};

struct group *group_new (struct state *state, struct counters *counters,
                         struct roster_chain *chain,
                         pthread_mutex_t *lanes_lock) {
    struct group *self = mem_alloc (sizeof *self);
    self->state = state;
    self->counters = counters;
    self->chain = chain;
    self->lanes_lock = lanes_lock;
    self->blocks = blocks_new();
    self->streams = streams_new (state_identity (state));
    self->ids = mem_alloc (RECORDS_MAX * sizeof *self->ids);
    self->leaves = mem_alloc (RECORDS_MAX * sizeof *self->leaves);
    return self;
}

void group_destroy (struct group **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct group *self = *self_p;
    blocks_destroy (&self->blocks);
    streams_destroy (&self->streams);
    buf_free (&self->scratch);
    buf_free (&self->cache.octets);
    free (self->ids);
    free (self->leaves);
    free (self);
    *self_p = NULL;
    errno = saved;
}

void group_begin (struct group *self, int64_t log_time) {
    blocks_clear (self->blocks);
    self->roster = roster_chain_last (self->chain, NULL);
    self->log_time = log_time;
    self->first = self->counters->next_sequence;
    self->records = self->messages = 0;
}

size_t group_octets_of (struct job *job) {
    size_t octets = RUNS_MORE + job->batch.size * RECORD_MORE;
    for (size_t i = 0; i < job->frame_count; i++)
        octets += job_frame (job, i).size;
    return octets;
}

size_t group_records (const struct group *self) {
    return self->records;
}

/* What is recorded already */

static bool cache_has (const struct cache *self, int64_t sequence) {
    return sequence >= self->block.first_sequence
           && sequence - self->block.first_sequence
                  < (int64_t) self->block.count;
}

static enum err cache_load (struct cache *self, struct journal *journal,
                            int64_t sequence, struct error *e) {
    self->block.count = 0;
    enum err rc = journal_read (journal, sequence, &self->octets, e);
    if (!rc)
        rc = block_read (buf_slice (&self->octets), &self->block, e);
    if (rc)
        return rc;
    block_walk (&self->block, &self->walk);
    if (cache_has (self, sequence))
        return ERR_NONE;
    self->block.count = 0;
    return error_set (e, ERR_DAMAGED, "another block stands there");
}

/* The walk goes on where a batch's next number stands behind the last. */
static enum err cache_seek (struct cache *self, size_t index, struct error *e) {
    if (self->walk.record.data && self->walk.index > index)
        block_walk (&self->block, &self->walk);
    while (!self->walk.record.data || self->walk.index < index)
        if (!block_next (&self->walk))
            return error_set (e, ERR_DAMAGED, "the block ends before it");
    return ERR_NONE;
}

static enum err held_read (struct group *self, int64_t sequence,
                           struct held *out, struct error *e) {
    struct cache *cache = &self->cache;
    struct record record;
    enum err rc = ERR_NONE;
    if (!cache_has (cache, sequence))
        rc = cache_load (cache, state_journal (self->state), sequence, e);
    if (!rc)
        rc = cache_seek (cache,
                         (size_t) (sequence - cache->block.first_sequence), e);
    if (!rc)
        rc = record_read (cache->walk.record, &record, e);
    if (rc)
        return error_at (e, "record %" PRId64 " that a number stands for",
                         sequence);
    out->id = hash_leaf (record.payload);
    out->leaf = record_leaf (record.octets);
    return ERR_NONE;
}

static enum err held_find (struct group *self, int64_t sequence,
                           struct held *out, struct error *e) {
    if (sequence < self->first)
        return held_read (self, sequence, out, e);
    size_t n = (size_t) (sequence - self->first);
    *out = (struct held){ self->ids[n], self->leaves[n] };
    return ERR_NONE;
}

/* The answers to one batch */

static void accept (struct job *job, size_t index, const struct hash *id,
                    int64_t sequence, const struct hash *leaf) {
    job->accepted[job->accepted_count++] = (struct promise_accepted){
        .index = (int) index, .id = *id, .sequence = sequence, .leaf = *leaf
    };
}

static void refuse (struct job *job, int index, const struct hash *id,
                    const struct refusal *why) {
    if (!job->refused)
        job->refused = mem_alloc ((job->batch.size ? job->batch.size : 1)
                                  * sizeof *job->refused);
    struct promise_refused *one = &job->refused[job->refused_count++];
    one->index = index;
    one->id = *id;
    one->refusal = *why;
}

static void refuse_used (struct job *job, size_t index, int64_t sequence,
                         const struct held *held) {
    struct refusal why;
    refusal_set (&why, RULE_USED_NUMBER);
    refusal_hex (&why, "id", held->id.octets, HASH_SIZE);
    refusal_int (&why, "sequence", sequence);
    refusal_hex (&why, "leaf", held->leaf.octets, HASH_SIZE);
    refuse (job, (int) index, &job->batch.items[index].message.id, &why);
}

/* The number is used: by this message, or by another one. */
static enum err answer_seen (struct group *self, struct job *job, size_t index,
                             int64_t sequence, const struct refusal *all,
                             struct error *e) {
    const struct hash *id = &job->batch.items[index].message.id;
    struct held held;
    enum err rc = held_find (self, sequence, &held, e);
    if (rc)
        return rc;
    if (hash_equal (&held.id, id)) {
        accept (job, index, id, sequence, &held.leaf);
        atomic_fetch_add (&state_counts (self->state)->repeated, 1);
    } else if (all) {
        refuse (job, (int) index, id, all);
    } else {
        refuse_used (job, index, sequence, &held);
    }
    return ERR_NONE;
}

/* Recording */

struct recorded { /* of one batch */
    struct record first;
    struct placed placed[BATCH_MAX];
    size_t count;
};

static void place (const struct group *self, struct slice channel,
                   struct record *r) {
    const struct counters *counters = self->counters;
    r->format = 1;
    r->sequence = counters->next_sequence;
    r->log_time = self->log_time;
    r->epoch = roster_epoch (self->roster);
    r->roster = counters->roster_sequence;
    r->channel = channel;
    r->channel_sequence = counters_channel_next (counters, channel);
    r->previous = -1;
}

static void take (struct group *self, const struct record *r,
                  const struct message *m, const struct hash *leaf) {
    assert (self->records < RECORDS_MAX);
    if (m) {
        self->messages++;
        self->ids[self->records] = m->id;
    }
    self->leaves[self->records++] = *leaf;
    pthread_mutex_lock (self->lanes_lock);
    counters_take (self->counters, r, m);
    pthread_mutex_unlock (self->lanes_lock);
}

static void record_message_at (struct group *self, struct job *job,
                               size_t index, struct recorded *out) {
    const struct batch *batch = &job->batch;
    const struct message *m = &batch->items[index].message;
    struct record r;
    bool full;
    place (self, batch->channel, &r);
    r.type = RECORD_MESSAGE;
    r.previous = counters_topic_last (self->counters, m->topic, &full);
    r.via = batch->via;
    r.payload = m->octets;
    r.batch_size = batch->size;
    r.batch_index = index;
    r.signature = batch->signature;
    size_t at = self->scratch.size;
    record_write (&self->scratch, &r);
    struct slice octets =
        slice_of (self->scratch.data + at, self->scratch.size - at);
    struct hash leaf = record_leaf (octets);
    accept (job, index, &m->id, r.sequence, &leaf);
    take (self, &r, m, &leaf);
    if (out->count == 0)
        out->first = r;
    out->placed[out->count++] = (struct placed){ index, at, octets.size };
}

static enum err publish_one (struct group *self, const struct judge *judge,
                             struct job *job, size_t index,
                             const struct refusal *all, struct recorded *out,
                             struct error *e) {
    int64_t sequence;
    struct refusal why;
    enum judgement is =
        all ? judge_refused (judge, job, index, all, &sequence, &why)
            : judge_message (judge, job, index, &sequence, &why);
    switch (is) {
    case JUDGE_SEEN:
        return answer_seen (self, job, index, sequence, all, e);
    case JUDGE_REFUSE:
        refuse (job, (int) index, &job->batch.items[index].message.id, &why);
        break;
    case JUDGE_RECORD:
        record_message_at (self, job, index, out);
        break;
    }
    return ERR_NONE;
}

static const struct roster *older (void *arg, int64_t version) {
    return roster_chain_by_version (arg, version, NULL);
}

static enum err publish_all (struct group *self, struct job *job,
                             const struct refusal *all, struct error *e) {
    struct judge judge = { .dialogue = state_dialogue (self->state),
                           .roster = self->roster,
                           .counters = self->counters,
                           .log_time = self->log_time,
                           .older = older,
                           .arg = self->chain,
                           .memo = &self->memo };
    struct refusal why;
    if (!all && judge_batch (&judge, job, &why))
        all = &why;
    struct recorded recorded;
    recorded.count = 0;
    enum err rc = ERR_NONE;
    buf_clear (&self->scratch);
    for (size_t i = 0; !rc && i < job->batch.size; i++)
        rc = publish_one (self, &judge, job, i, all, &recorded, e);
    if (!rc && recorded.count > 0)
        blocks_batch (self->blocks, &job->batch, &recorded.first,
                      recorded.placed, recorded.count, self->scratch.data);
    return rc;
}

enum err group_publish (struct group *self, struct job *job,
                        const struct refusal *closed, struct error *e) {
    assert (!job->refused);
    job->accepted_count = job->refused_count = 0;
    if (job->batch.size == 0) { /* it could not be cut */
        assert (job->batch_refused);
        struct hash id = batch_id (job_frame (job, 0), job_frame (job, 1));
        refuse (job, -1, &id, &job->why);
        return ERR_NONE;
    }
    return publish_all (self, job, job->batch_refused ? &job->why : closed, e);
}

static void record_log (struct group *self, enum record_type type,
                        struct roster *roster, const struct hash *root) {
    struct record r = { 0 };
    place (self, slice_text (CHANNEL_LOG), &r);
    r.type = type;
    struct hash leaf;
    if (type == RECORD_ROSTER) {
        r.roster = r.sequence;
        leaf = blocks_roster (self->blocks, &r, roster);
    } else {
        leaf = blocks_mark (self->blocks, &r, roster, root);
    }
    take (self, &r, NULL, &leaf);
}

enum err group_mark (struct group *self, struct error *e) {
    assert (self->messages == 0);
    struct hash root;
    enum err rc =
        streams_root (self->streams, state_journal (self->state), self->roster,
                      self->counters->next_sequence, &root, e);
    if (!rc)
        record_log (self, RECORD_MARK, self->roster, &root);
    return rc;
}

enum err group_roster (struct group *self, struct roster *roster,
                       struct error *e) {
    assert (self->messages == 0);
    struct hash root;
    int64_t sequence = self->counters->next_sequence;
    enum err rc = streams_root (self->streams, state_journal (self->state),
                                roster, sequence + 1, &root, e);
    if (!rc)
        rc = roster_chain_add (self->chain, roster, sequence, e);
    if (rc)
        return rc;
    self->roster = roster;
    record_log (self, RECORD_ROSTER, roster, NULL);
    record_log (self, RECORD_MARK, roster, &root);
    return ERR_NONE;
}

/* The end of it */

enum err group_write (struct group *self, struct error *e) {
    if (self->records == 0)
        return ERR_NONE;
    size_t count;
    const struct journal_block *blocks =
        blocks_finish (self->blocks, self->first, self->leaves, &count);
    return journal_write (state_journal (self->state), blocks, count, e);
}

enum err group_commit (struct group *self, struct error *e) {
    return self->records == 0 ? ERR_NONE
                              : journal_commit (state_journal (self->state), e);
}

void group_answer (struct group *self, struct job *job) {
    struct promise *promise = &job->promise;
    promise->epoch = roster_epoch (self->roster);
    promise->log_time = self->log_time;
    promise_sign (promise, state_identity (self->state),
                  state_dialogue (self->state), job->accepted,
                  job->accepted_count, job->refused, job->refused_count);
    buf_clear (&job->reply[0]);
    promise_reply_write (&job->reply[0], promise, job->accepted,
                         job->accepted_count, job->refused, job->refused_count);
    job->reply_type = WIRE_PUBLISH + WIRE_REPLY;
    job->reply_count = 1;
}

void group_feed (struct group *self, struct feed *feed) {
    size_t count = blocks_count (self->blocks);
    for (size_t i = 0; feed && i < count; i++)
        feed_put (feed, blocks_take (self->blocks, i));
    if (feed)
        feed_put_leaves (feed, self->first, self->leaves, self->records);
    blocks_clear (self->blocks);
}
