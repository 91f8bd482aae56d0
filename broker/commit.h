/* commit - the one thread that decides what stands where (DESIGN section 13).
 *
 * Takes all jobs that wait, in the order of their tickets; judges; writes
 * records into blocks; one write, promises, one sync; then replies, feed. Puts
 * a mark at the latest every 60 s, and behind each roster. A failed write or
 * sync ends the process (EXIT_DISK): nothing was promised for it. */
#ifndef PARLEY_COMMIT_H
#define PARLEY_COMMIT_H

#include "counters.h"
#include "job.h"
#include "refusals.h"
#include "state.h"
#include "timekeeper.h"

struct feed;
struct notary;
struct commit;

struct commit_options {
    int64_t mark_ms;     /* longest pause between marks; 60,000 */
    uint64_t keep_free;  /* octets; below, NO-SPACE */
    const char *dir;     /* whose free space counts */
    bool trust_first;    /* operator's override: commit before any hello */
    struct notary *notary; /* told of each group; NULL: nobody is */
    /* jobs go back here with their replies filled in; owned after */
    void (*reply) (void *arg, struct job *job);
    void *reply_arg;
};

/* Takes the counters on success. Borrows the rest for its life; feed NULL: what
 * is recorded goes nowhere. Starts its thread. */
struct commit *commit_new (struct state *state, struct counters **counters_p,
                           struct timekeeper *time, struct refusals *refusals,
                           struct feed *feed,
                           const struct commit_options *options,
                           struct error *e) MUST_CHECK;
/* Commits what waits, then ends the thread. */
void commit_destroy (struct commit **self_p);

/* From intake, any thread: publishes, read; the reply comes in the order of
 * their tickets. Tickets count from 1 without holes; waits while full. */
void commit_put (struct commit *self, struct job *job);
/* The operator's next roster: checked against the chain, recorded with its
 * mark. Waits for the outcome. ERR_CHAIN, ERR_SIGNATURE, ERR_STATE (no time, no
 * space, no hello yet), ERR_EXISTS: it is in force already, ERR_KEY: this
 * broker's keys are not in it. `e` may be NULL. */
enum err commit_roster (struct commit *self, struct roster *roster,
                        struct error *e) MUST_CHECK;
/* Highest numbers of lanes, for hello. Thread-safe. */
int64_t commit_lane_highest (struct commit *self, struct slice author,
                             uint64_t lane);
void commit_set_keep_free (struct commit *self, uint64_t octets);

/* Found a ledger in a journal just made and opened empty: the first roster's
 * record and its mark, synced. Used by `parley-broker init`. */
enum err commit_found (struct journal *journal,
                       const struct identity *broker, struct roster *first,
                       int64_t log_time, struct error *e) MUST_CHECK;
/* The same of a roster that opens an epoch at the journal's end; the caller has
 * judged it. `log_number`: its own in `$log`. Log time may go back. Used by
 * `parley-broker epoch`. */
enum err commit_epoch (struct journal *journal, const struct identity *broker,
                       struct roster *next, int64_t log_number,
                       int64_t log_time, struct error *e) MUST_CHECK;

#endif
