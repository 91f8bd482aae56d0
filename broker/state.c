/* state - what the broker's threads share in one run. One mutex over the few
 * things that change; everything handed out is counted. Thread-safe. */
#include "state.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

/* Why messages are not taken, gravest first. */
static const enum rule reasons[] = { RULE_LEDGER_BEHIND, RULE_NO_SPACE,
                                     RULE_CLOCK };
#define REASONS (sizeof reasons / sizeof reasons[0])

struct state {
    const struct identity *identity; /* borrowed */
    struct journal *journal;         /* borrowed */
    struct hash dialogue;
    uint8_t run[RUN_SIZE];

    pthread_mutex_t lock;       /* over what follows */
    struct roster_chain *chain; /* owned */
    struct tags *tags;          /* owned reference, or NULL */
    bool closed[REASONS];
    struct refusal why[REASONS];

    atomic_bool hello_heard;
    atomic_llong log_time;
    struct state_counts counts;
};

struct state *state_new (const struct identity *identity,
                         struct journal *journal,
                         struct roster_chain **chain_p) {
    struct state *self = mem_alloc (sizeof *self);
    self->identity = identity;
    self->journal = journal;
    self->chain = *chain_p;
    *chain_p = NULL;
    struct roster *first = roster_chain_last (self->chain, NULL);
    assert (first);
    self->dialogue = *roster_dialogue (first);
    randombytes_buf (self->run, sizeof self->run);
    pthread_mutex_init (&self->lock, NULL);
    return self;
}

void state_destroy (struct state **self_p) {
    if (!self_p || !*self_p)
        return;
    struct state *self = *self_p;
    *self_p = NULL;
    tags_unref (&self->tags);
    roster_chain_destroy (&self->chain);
    pthread_mutex_destroy (&self->lock);
    free (self);
}

const struct identity *state_identity (const struct state *self) {
    return self->identity;
}

struct journal *state_journal (const struct state *self) {
    return self->journal;
}

const struct hash *state_dialogue (const struct state *self) {
    return &self->dialogue;
}

const uint8_t *state_run (const struct state *self) {
    return self->run;
}

static struct roster *ref_or_null (struct roster *roster) {
    return roster ? roster_ref (roster) : NULL;
}

struct roster *state_roster (struct state *self, int64_t *sequence) {
    pthread_mutex_lock (&self->lock);
    struct roster *out =
        ref_or_null (roster_chain_last (self->chain, sequence));
    pthread_mutex_unlock (&self->lock);
    return out;
}

struct roster *state_roster_of (struct state *self, int64_t record) {
    pthread_mutex_lock (&self->lock);
    struct roster *out =
        ref_or_null (roster_chain_by_record (self->chain, record));
    pthread_mutex_unlock (&self->lock);
    return out;
}

struct roster *state_roster_version (struct state *self, int64_t version,
                                     int64_t *sequence) {
    pthread_mutex_lock (&self->lock);
    struct roster *out =
        ref_or_null (roster_chain_by_version (self->chain, version, sequence));
    pthread_mutex_unlock (&self->lock);
    return out;
}

enum err state_add_roster (struct state *self, struct roster *roster,
                           int64_t sequence, struct error *e) {
    pthread_mutex_lock (&self->lock);
    enum err rc = roster_chain_add (self->chain, roster, sequence, e);
    pthread_mutex_unlock (&self->lock);
    return rc;
}

struct tags *state_tags (struct state *self) {
    pthread_mutex_lock (&self->lock);
    struct tags *out = self->tags ? tags_ref (self->tags) : NULL;
    pthread_mutex_unlock (&self->lock);
    return out;
}

void state_set_tags (struct state *self, struct tags *tags) {
    pthread_mutex_lock (&self->lock);
    struct tags *old = self->tags;
    self->tags = tags;
    pthread_mutex_unlock (&self->lock);
    tags_unref (&old);
}

static size_t reason_of (enum rule rule) {
    size_t i = 0;
    while (i < REASONS && reasons[i] != rule)
        i++;
    assert (i < REASONS);
    return i;
}

void state_close (struct state *self, const struct refusal *why) {
    size_t i = reason_of (why->rule);
    pthread_mutex_lock (&self->lock);
    self->closed[i] = true;
    self->why[i] = *why;
    pthread_mutex_unlock (&self->lock);
}

void state_open (struct state *self, enum rule rule) {
    assert (rule != RULE_LEDGER_BEHIND); /* only a mended ledger ends that */
    pthread_mutex_lock (&self->lock);
    self->closed[reason_of (rule)] = false;
    pthread_mutex_unlock (&self->lock);
}

enum rule state_closed (struct state *self, struct refusal *why) {
    enum rule out = RULE_NONE;
    pthread_mutex_lock (&self->lock);
    for (size_t i = REASONS; i-- > 0;)
        if (self->closed[i]) {
            out = reasons[i];
            if (why)
                *why = self->why[i];
        }
    pthread_mutex_unlock (&self->lock);
    return out;
}

void state_hello_heard (struct state *self) {
    atomic_store (&self->hello_heard, true);
}

bool state_hello_was_heard (const struct state *self) {
    return atomic_load (&self->hello_heard);
}

void state_set_log_time (struct state *self, int64_t ms) {
    atomic_store (&self->log_time, ms);
}

int64_t state_log_time (const struct state *self) {
    return atomic_load (&self->log_time);
}

struct state_counts *state_counts (struct state *self) {
    return &self->counts;
}
