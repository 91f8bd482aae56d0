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

/* A witness that has to be heard, or was. */
struct awaited {
    char name[DELEGATION_MAX + 1];
    bool heard;
};

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

    struct awaited *awaited;  /* owned; the witnesses at the start */
    size_t witnesses, needed; /* so many more hellos */
    atomic_bool hello_heard;
    atomic_llong log_time;
    struct state_counts counts;
};

/* n - quorum + 1, so that any quorum has one among them. */
static void awaited_begin (struct state *self, const struct roster *roster) {
    size_t n = roster_witnesses (roster);
    self->witnesses = n;
    self->needed = n ? n - (size_t) roster_quorum (roster) + 1 : 1;
    self->awaited = n ? mem_alloc (n * sizeof *self->awaited) : NULL;
    for (size_t i = 0; i < n; i++)
        strcpy (self->awaited[i].name, roster_witness_at (roster, i)->name);
}

struct state *state_new (const struct identity *identity,
                         struct journal *journal,
                         struct roster_chain **chain_p) {
    struct state *self = mem_alloc (sizeof *self);
    self->identity = identity;
    self->journal = journal;
    self->chain = *chain_p;
    *chain_p = NULL;
    struct roster *roster = roster_chain_last (self->chain, NULL);
    assert (roster);
    self->dialogue = *roster_dialogue (roster);
    awaited_begin (self, roster);
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
    free (self->awaited);
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

struct roster *state_roster_at (struct state *self, int64_t sequence) {
    pthread_mutex_lock (&self->lock);
    struct roster *out = ref_or_null (roster_chain_at (self->chain, sequence));
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

/* One more of those that count? A witness counts once. */
static bool counts (struct state *self, const char *delegation) {
    for (size_t i = 0; i < self->witnesses; i++)
        if (strcmp (self->awaited[i].name, delegation) == 0) {
            bool was = self->awaited[i].heard;
            self->awaited[i].heard = true;
            return !was;
        }
    return self->witnesses == 0;
}

bool state_hello_heard (struct state *self, const char *delegation) {
    bool last = false;
    pthread_mutex_lock (&self->lock);
    bool one_more = counts (self, delegation);
    if (one_more && self->needed > 0)
        last = --self->needed == 0;
    if (last)
        atomic_store (&self->hello_heard, true);
    pthread_mutex_unlock (&self->lock);
    return last;
}

void state_hello_waive (struct state *self) {
    pthread_mutex_lock (&self->lock);
    self->needed = 0;
    atomic_store (&self->hello_heard, true);
    pthread_mutex_unlock (&self->lock);
}

size_t state_witnesses_heard (struct state *self) {
    size_t count = 0;
    pthread_mutex_lock (&self->lock);
    for (size_t i = 0; i < self->witnesses; i++)
        count += self->awaited[i].heard;
    pthread_mutex_unlock (&self->lock);
    return count;
}

bool state_hello_was_heard (const struct state *self) {
    return atomic_load (&self->hello_heard);
}

enum err state_hello_awaited (struct state *self, struct error *e) {
    struct buf names = { 0 };
    pthread_mutex_lock (&self->lock);
    size_t needed = self->needed;
    for (size_t i = 0; i < self->witnesses; i++)
        if (!self->awaited[i].heard)
            buf_add_format (&names, "%s%s", names.size ? ", " : "",
                            self->awaited[i].name);
    pthread_mutex_unlock (&self->lock);
    enum err rc = ERR_NONE;
    if (needed > 0 && names.size == 0)
        rc = error_set (e, ERR_STATE, "no hello was heard in this run yet");
    else if (needed > 0)
        rc = error_set (e, ERR_STATE,
                        "not enough witnesses have said hello in this run: "
                        "%zu more of %.*s",
                        needed, (int) names.size, (const char *) names.data);
    buf_free (&names);
    return rc;
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
