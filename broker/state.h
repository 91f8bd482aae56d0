/* state - what the broker's threads share in one run.
 *
 * Who we are, the ledger, the rosters, the tags of the feed, and why nothing
 * can be published at the moment. Rosters and tags are immutable and counted;
 * only commit adds a roster and only feed swaps the tags. Thread-safe. */
#ifndef PARLEY_STATE_H
#define PARLEY_STATE_H

#include "identity/roster_chain.h"
#include "ledger/journal.h"
#include "tags.h"
#include "wire/wire.h"

#include <stdatomic.h>

struct state;

/* Borrows identity and journal for its life; takes the chain (which holds at
 * least the first roster). Draws the run id. */
struct state *state_new (const struct identity *identity,
                         struct journal *journal,
                         struct roster_chain **chain_p) MUST_CHECK;
void state_destroy (struct state **self_p);

/* Borrowed for the state's life. */
const struct identity *state_identity (const struct state *self);
struct journal *state_journal (const struct state *self);
const struct hash *state_dialogue (const struct state *self);
const uint8_t *state_run (const struct state *self); /* RUN_SIZE */

/* Each returns a reference (roster_unref), or NULL. `sequence` may be NULL. */
struct roster *state_roster (struct state *self, int64_t *sequence);
struct roster *state_roster_of (struct state *self, int64_t record);
/* In force at a place: the last one whose record is at or below it. */
struct roster *state_roster_at (struct state *self, int64_t sequence);
struct roster *state_roster_version (struct state *self, int64_t version,
                                     int64_t *sequence);
/* commit only: the next roster, now that its record is synced. Keeps its own
 * reference. */
enum err state_add_roster (struct state *self, struct roster *roster,
                           int64_t sequence, struct error *e) MUST_CHECK;

/* A reference (tags_unref). Set by feed alone; takes the reference given. */
struct tags *state_tags (struct state *self);
void state_set_tags (struct state *self, struct tags *tags);

/* Why messages are not taken now. Each reason is set and cleared by its owner;
 * RULE_LEDGER_BEHIND is never cleared. state_closed gives the gravest, with
 * its values, or RULE_NONE. */
void state_close (struct state *self, const struct refusal *why);
void state_open (struct state *self, enum rule rule);
enum rule state_closed (struct state *self, struct refusal *why);

/* Nothing is committed, and no checkpoint signed, in a run before good hellos
 * of n - quorum + 1 of the n witnesses of the roster that was in force at its
 * start; without witnesses, before any one (PROTOCOL.md section 7.5). Later
 * rosters change nothing in it. A delegation's good hello; true: it was the
 * last that was awaited. */
bool state_hello_heard (struct state *self, const char *delegation);
/* The operator's override: none is awaited. */
void state_hello_waive (struct state *self);
bool state_hello_was_heard (const struct state *self);
/* Of those witnesses, how many said one in this run, later ones too. */
size_t state_witnesses_heard (struct state *self);
/* 0, or ERR_STATE: *e says how many of which are awaited. */
enum err state_hello_awaited (struct state *self, struct error *e) MUST_CHECK;

/* Log time of the last record, ms. */
void state_set_log_time (struct state *self, int64_t ms);
int64_t state_log_time (const struct state *self);

/* For the status request and the operator. */
struct state_counts {
    atomic_llong hellos, accepted, refused, repeated, groups, fetches, cut_off,
        malformed;
    atomic_llong unread; /* requests for what the disk does not give back */
    atomic_llong unread_said;
};
struct state_counts *state_counts (struct state *self);

#endif
