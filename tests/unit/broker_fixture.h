/* A broker's state on a real journal, without its threads: rosters and blocks
 * are put into the ledger by hand. Delegations EUROPOL/hq and FRONTEX/hq have
 * real link keys. Include behind nothing: it brings cmocka. */
#ifndef PARLEY_BROKER_FIXTURE_H
#define PARLEY_BROKER_FIXTURE_H

#include "block_fixture.h"
#include "ledger_fixture.h"

#include "state.h"

struct stage {
    struct cast cast;
    struct journal *journal;
    struct state *state;
    struct block_writer *writer;
    int64_t next;    /* sequence */
    int64_t numbers; /* lane numbers used */
    int64_t roster;  /* its record */
    struct {
        char channel[CHANNEL_MAX + 1];
        int64_t last;
    } channels[8];
};

static inline void stage_replay_reset (void *arg) {
    (void) arg;
}
static inline enum err stage_replay_snapshot (void *arg, struct slice octets,
                                              struct error *e) {
    (void) arg;
    (void) octets;
    return error_set (e, ERR_NEWER, "none here");
}
static inline enum err stage_replay_block (void *arg, const struct block *block,
                                           const struct block_facts *facts,
                                           struct error *e) {
    (void) arg;
    (void) block;
    (void) facts;
    (void) e;
    return ERR_NONE;
}

/* The number of the channel's next record. */
static inline int64_t *stage_last (struct stage *self, const char *channel) {
    for (size_t i = 0; i < 8; i++) {
        if (!self->channels[i].channel[0])
            strcpy (self->channels[i].channel, channel);
        if (strcmp (self->channels[i].channel, channel) == 0)
            return &self->channels[i].last;
    }
    fail_msg ("more than 8 channels");
    return NULL;
}

static inline void stage_record (struct stage *self, struct record *r,
                                 const char *channel, struct slice body) {
    struct buf octets = { 0 };
    r->format = 1;
    r->sequence = self->next++;
    r->log_time = BUILD_TIME + r->sequence;
    r->epoch = 1;
    r->roster = self->roster;
    r->channel = slice_text (channel);
    r->channel_sequence = ++*stage_last (self, channel);
    r->previous = -1;
    record_write (&octets, r);
    assert_true (block_add (self->writer, buf_slice (&octets), body,
                            body.size ? BODY_PRESENT : BODY_NONE));
    buf_free (&octets);
}

/* Append what the writer has, and give its octets. */
static inline void stage_append (struct stage *self, struct buf *out) {
    struct buf octets = { 0 };
    struct journal_block one = { 0 };
    struct block block;
    struct error e;
    static struct hash leaves[BLOCK_RECORDS_MAX];
    block_finish (self->writer, &octets);
    one.octets = buf_slice (&octets);
    one.leaves = leaves;
    plan_read (one.octets, &block, &one.facts);
    struct block_walk w;
    block_walk (&block, &w);
    while (block_next (&w))
        leaves[w.index] = record_leaf (w.record);
    if (journal_append (self->journal, &one, 1, &e))
        fail_msg ("%s", e.text);
    if (self->state)
        state_set_log_time (self->state, one.facts.last_time);
    if (out)
        *out = octets;
    else
        buf_free (&octets);
}

/* A roster's record and its mark, in one block. */
static inline void stage_roster_block (struct stage *self,
                                       const struct roster *roster,
                                       struct buf *out) {
    struct buf payload = { 0 };
    struct slice note = roster_octets (roster);
    struct roster_payload p = { .version = roster_version (roster),
                                .digest = *roster_digest (roster),
                                .note_length = (int64_t) note.size,
                                .note_hash = hash_blake2b (note) };
    struct mark_payload m = { .roster_version = p.version,
                              .roster_digest = p.digest };
    self->roster = self->next;
    block_begin (self->writer, self->next);
    block_no_run (self->writer);
    roster_payload_write (&payload, &p);
    struct record r = { .type = RECORD_ROSTER,
                        .payload = buf_slice (&payload) };
    stage_record (self, &r, CHANNEL_LOG, note);
    buf_clear (&payload);
    mark_payload_write (&payload, &m);
    r = (struct record){ .type = RECORD_MARK, .payload = buf_slice (&payload) };
    stage_record (self, &r, CHANNEL_LOG, (struct slice){ 0 });
    buf_free (&payload);
    stage_append (self, out);
}

/* A whole batch of `count` messages into the block that was begun. */
static inline void stage_batch (struct stage *self, const char *channel,
                                const struct identity *author, size_t count) {
    struct build where = { .channel = channel, .roster_version = 1 };
    struct signed_batch *made =
        sign_batch (&self->cast, &where, author, NULL, count, 40);
    const struct batch *b = &made->batch;
    block_run (self->writer, RUN_WHOLE, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        struct record r = { .type = RECORD_MESSAGE,
                            .payload = b->items[i].message.octets,
                            .batch_size = count,
                            .batch_index = i,
                            .signature = b->signature };
        stage_record (self, &r, channel, b->items[i].body);
    }
    signed_batch_free (made);
}

/* A block of one batch. */
static inline void stage_messages (struct stage *self, const char *channel,
                                   const struct identity *author, size_t count,
                                   struct buf *out) {
    block_begin (self->writer, self->next);
    stage_batch (self, channel, author, count);
    stage_append (self, out);
}

static inline json_t *stage_document (const struct stage *self) {
    json_t *d = cast_document (&self->cast);
    cast_key (d, "entities[0].delegations[0].keys[0].link",
              identity_public (self->cast.hq, KEY_LINK));
    cast_key (d, "entities[1].delegations[0].keys[0].link",
              identity_public (self->cast.frontex, KEY_LINK));
    return d;
}

/* The document's roster as the next one: in the ledger and in force. */
static inline struct roster *stage_next (struct stage *self, json_t *document,
                                         struct buf *out) {
    struct error e = { 0 };
    char dialogue[HASH_TEXT_MAX];
    hash_text (dialogue, &self->cast.dialogue);
    struct roster *before = state_roster (self->state, NULL);
    struct roster *next = fixture_read (fixture_next (before, document),
                                        dialogue, "EUROPOL FRONTEX", &e);
    roster_unref (&before);
    if (!next)
        fail_msg ("%s", e.text);
    stage_roster_block (self, next, out);
    if (state_add_roster (self->state, next, self->roster, &e))
        fail_msg ("%s", e.text);
    return next;
}

/* Founds a ledger with the document's roster (stage_document and changes), or
 * with NULL the plain one. */
static inline struct stage *stage_new (json_t *document) {
    struct error e = { 0 };
    struct journal_opened opened;
    struct stage *self = mem_alloc (sizeof *self);
    cast_begin (&self->cast);
    roster_unref (&self->cast.roster);
    self->cast.roster =
        cast_roster (document ? document : stage_document (self));
    self->cast.dialogue = *roster_dialogue (self->cast.roster);
    self->writer = block_writer_new();
    struct journal_replay replay = { NULL, stage_replay_reset,
                                     stage_replay_snapshot,
                                     stage_replay_block };
    struct journal_options options = { 0 };
    assert_int_equal (ledger_dir_make(), 0);
    if (journal_create (ledger_dir, &self->cast.dialogue, &e))
        fail_msg ("%s", e.text);
    self->journal = journal_open (ledger_dir, &self->cast.dialogue, &options,
                                  &replay, &opened, &e);
    if (!self->journal)
        fail_msg ("%s", e.text);
    stage_roster_block (self, self->cast.roster, NULL);
    struct roster_chain *chain = roster_chain_new();
    if (roster_chain_add (chain, self->cast.roster, 0, &e))
        fail_msg ("%s", e.text);
    self->state = state_new (self->cast.broker, self->journal, &chain);
    state_set_log_time (self->state, BUILD_TIME + 1);
    return self;
}

static inline void stage_free (struct stage *self) {
    state_destroy (&self->state);
    journal_close (&self->journal);
    block_writer_destroy (&self->writer);
    cast_end (&self->cast);
    free (self);
    ledger_dir_remove();
}

#endif
