/* commit - the thread that decides what stands where (DESIGN section 13).
 *
 * Intake threads may finish out of order: jobs wait in a ring by ticket. What
 * waits while a group is written and synced makes the next one. */
#include "commit.h"

#include "base/log.h"
#include "commit_group.h"
#include "commit_watch.h"
#include "founding.h"
#include "notary.h"
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RING 4096      /* jobs that wait; a power of two */
#define MARK_ROOM 4096 /* octets of a mark in a block of its own */

struct commit {
    struct state *state; /* borrowed */
    struct counters *counters;
    struct timekeeper *time;   /* borrowed */
    struct refusals *refusals; /* borrowed */
    struct feed *feed;         /* borrowed, or NULL */
    struct commit_options options;
    char *dir;

    /* The thread's own, but for keep_free. */
    struct watch watch;
    pthread_t thread;
    struct roster_chain *chain;
    struct group *group;
    struct job *jobs[GROUP_JOBS];
    size_t job_count;

    pthread_mutex_t lanes_lock; /* over changes of counters->lanes */

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t wake, room, done;
    struct job *ring[RING]; /* ticket t at t % RING */
    uint64_t next;          /* ticket */
    struct roster *roster;  /* borrowed; that waits, or NULL */
    bool roster_done;
    struct error roster_why;
    bool stop;
};

/* Our store is not what we wrote, or can't be written: nothing that is in hand
 * was promised. */
static _Noreturn void stop (const char *id, const struct error *e) {
    bool damaged = e->code == ERR_DAMAGED || e->code == ERR_DIGEST
                   || e->code == ERR_MALFORMED || e->code == ERR_CHAIN;
    log_error (id, "why=%s advice=\"%s\"", log_text (e->text),
               damaged ? "keep the state folder as it is; parley-broker fsck "
                         "names the place; bring back the newest copy"
                       : "nothing in hand was promised; make room or mend the "
                         "disk, and start again");
    _exit (damaged ? EXIT_DAMAGED : EXIT_DISK);
}

/* Groups */

/* What is synced: say so, and let go of it. */
static void settle (struct commit *self) {
    state_set_log_time (self->state, self->watch.log_time);
    timekeeper_used (self->time, self->watch.log_time);
    atomic_fetch_add (&state_counts (self->state)->groups, 1);
}

static void roll (struct commit *self) {
    struct journal *journal = state_journal (self->state);
    if (!journal_wants_roll (journal))
        return;
    struct buf snapshot = { 0 };
    struct error e;
    counters_snapshot (self->counters, self->chain, &snapshot);
    if (journal_roll (journal, buf_slice (&snapshot), &e))
        stop ("SEGMENT-FAILED", &e);
    log_info ("SEGMENT", "first=%" PRId64 " snapshot=%zu",
              self->counters->next_sequence, snapshot.size);
    buf_free (&snapshot);
}

/* Promises are signed while the disk writes what they promise. */
static void append (struct commit *self) {
    struct error e;
    if (group_write (self->group, &e))
        stop ("COMMIT-FAILED", &e);
    for (size_t i = 0; i < self->job_count; i++)
        if (self->jobs[i]->reply_type != WIRE_ERROR)
            group_answer (self->group, self->jobs[i]);
    if (group_commit (self->group, &e))
        stop ("COMMIT-FAILED", &e);
    if (group_records (self->group) > 0)
        settle (self);
}

/* Judge it, or say at once why nothing is signed for it. */
static void publish (struct commit *self, struct job *job) {
    struct refusal why;
    struct error e;
    enum rule closed = state_closed (self->state, &why);
    if (closed == RULE_LEDGER_BEHIND) {
        job_fail (job, &why,
                  "the broker's ledger lacks what it promised; its operator "
                  "has to mend it");
        return;
    }
    if (!watch_heard (&self->watch) && state_hello_awaited (self->state, &e)) {
        refusal_set (&why, RULE_BUSY);
        job_fail (job, &why, e.text);
        return;
    }
    if (group_publish (self->group, job, closed == RULE_NONE ? NULL : &why, &e))
        stop ("LEDGER-UNREADABLE", &e);
    job->reply_type = WIRE_PUBLISH + WIRE_REPLY;
}

static void answer (struct commit *self, struct job *job) {
    struct state_counts *counts = state_counts (self->state);
    if (job->reply_type != WIRE_ERROR) {
        if (job->refused_count > 0)
            refusals_add (self->refusals, job->delegation,
                          job->batch.size ? job->batch.author
                                          : (struct slice){ 0 },
                          &job->promise, job->refused, job->refused_count);
        atomic_fetch_add (&counts->accepted, (long long) job->accepted_count);
        atomic_fetch_add (&counts->refused, (long long) job->refused_count);
    }
    self->options.reply (self->options.reply_arg, job);
}

/* What is synced goes out: to the feed, then to the notary, whose checkpoints
 * come behind the leaves there. */
static void publish_group (struct commit *self, bool mark) {
    if (group_records (self->group) == 0)
        return;
    group_feed (self->group, self->feed);
    if (self->options.notary)
        notary_grown (self->options.notary, mark);
    roll (self); /* never for refusals alone: the disk may be full */
}

static void commit_group (struct commit *self) {
    bool mark = watch_wants_mark (&self->watch);
    if (self->job_count == 0 && !mark)
        return;
    group_begin (self->group, self->watch.has_time ? self->watch.log_time
                                                   : self->counters->log_time);
    struct error e;
    if (mark) {
        if (group_mark (self->group, &e))
            stop ("LEDGER-UNREADABLE", &e);
        self->watch.last_mark = self->watch.log_time;
    }
    for (size_t i = 0; i < self->job_count; i++)
        publish (self, self->jobs[i]);
    append (self);
    for (size_t i = 0; i < self->job_count; i++)
        answer (self, self->jobs[i]);
    self->job_count = 0;
    publish_group (self, mark);
}

/* Rosters */

static enum err check_roster (const struct commit *self,
                              const struct roster *roster, struct error *e) {
    const struct roster *now = roster_chain_last (self->chain, NULL);
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    if (hash_equal (roster_digest (roster), roster_digest (now)))
        return error_set (e, ERR_EXISTS,
                          "roster version %" PRId64 " is in force already",
                          roster_version (roster));
    if (roster_epoch (roster) != roster_epoch (now))
        return error_set (e, ERR_STATE,
                          "roster version %" PRId64 " opens epoch %" PRId64
                          ": stop the broker, and run parley-broker epoch",
                          roster_version (roster), roster_epoch (roster));
    enum err rc = watch_heard (&self->watch)
                      ? ERR_NONE
                      : state_hello_awaited (self->state, e);
    if (rc)
        return rc;
    if (state_closed (self->state, &why) != RULE_NONE)
        return error_set (e, ERR_STATE, "%s", refusal_print (&why, text));
    /* Its own promises would be worth nothing, or nobody reach it. */
    return broker_check (state_identity (self->state), roster,
                         self->watch.log_time, e);
}

static enum err record_roster (struct commit *self, struct roster *roster,
                               struct error *e) {
    enum err rc = check_roster (self, roster, e);
    if (rc)
        return rc;
    int64_t sequence = self->counters->next_sequence;
    group_begin (self->group, self->watch.log_time);
    rc = group_roster (self->group, roster, e);
    if (rc)
        return rc;
    self->watch.last_mark = self->watch.log_time;
    append (self);
    if (state_add_roster (self->state, roster, sequence, e))
        stop ("ROSTER-FAILED", e); /* ours and the state's chain differ */
    publish_group (self, true);
    return ERR_NONE;
}

static void serve_roster (struct commit *self) {
    pthread_mutex_lock (&self->lock);
    struct roster *roster = self->roster;
    pthread_mutex_unlock (&self->lock);
    if (!roster)
        return;
    struct error why = { 0 };
    why.code = record_roster (self, roster, &why);
    pthread_mutex_lock (&self->lock);
    self->roster_why = why;
    self->roster = NULL;
    self->roster_done = true;
    pthread_cond_broadcast (&self->done);
    pthread_mutex_unlock (&self->lock);
}

enum err commit_roster (struct commit *self, struct roster *roster,
                        struct error *e) {
    pthread_mutex_lock (&self->lock);
    while (self->roster || self->roster_done) /* another caller's */
        pthread_cond_wait (&self->done, &self->lock);
    self->roster = roster;
    pthread_cond_signal (&self->wake);
    while (!self->roster_done)
        pthread_cond_wait (&self->done, &self->lock);
    struct error why = self->roster_why;
    self->roster_done = false;
    pthread_cond_broadcast (&self->done);
    pthread_mutex_unlock (&self->lock);
    if (e)
        *e = why;
    return why.code;
}

/* The thread */

static struct job **place_of (struct commit *self, uint64_t ticket) {
    return &self->ring[ticket % RING];
}

void commit_put (struct commit *self, struct job *job) {
    pthread_mutex_lock (&self->lock);
    assert (job->ticket >= self->next);
    while (job->ticket - self->next >= RING)
        pthread_cond_wait (&self->room, &self->lock);
    assert (!*place_of (self, job->ticket));
    *place_of (self, job->ticket) = job;
    if (job->ticket == self->next)
        pthread_cond_signal (&self->wake);
    pthread_mutex_unlock (&self->lock);
}

/* Under the lock: the jobs of the next group. */
static void take_jobs (struct commit *self) {
    size_t octets = MARK_ROOM;
    struct job *job;
    while (self->job_count < GROUP_JOBS
           && (job = *place_of (self, self->next)) != NULL) {
        size_t more = group_octets_of (job);
        if (self->job_count > 0 && octets + more > GROUP_OCTETS_MAX)
            break;
        octets += more;
        *place_of (self, self->next++) = NULL;
        self->jobs[self->job_count++] = job;
    }
    if (self->job_count == 0)
        return;
    self->watch.written += octets;
    pthread_cond_broadcast (&self->room);
}

static struct timespec after (int64_t ms) {
    struct timespec at;
    clock_gettime (CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + ms % 1000 * 1000000;
    at.tv_sec += (time_t) (ms / 1000 + ns / 1000000000);
    at.tv_nsec = (long) (ns % 1000000000);
    return at;
}

/* Jobs, a roster, the end, or time for a look. false: stopped, and nothing
 * waits. */
static bool wait_for_work (struct commit *self) {
    struct timespec until = after (watch_wait_ms (&self->watch));
    int rc = 0;
    pthread_mutex_lock (&self->lock);
    while (!*place_of (self, self->next) && !self->roster && !self->stop
           && rc == 0)
        rc = pthread_cond_timedwait (&self->wake, &self->lock, &until);
    take_jobs (self);
    bool more = self->job_count > 0 || self->roster || !self->stop;
    pthread_mutex_unlock (&self->lock);
    return more;
}

static void *run (void *arg) {
    struct commit *self = arg;
    watch_look (&self->watch);
    while (wait_for_work (self)) {
        watch_look (&self->watch);
        commit_group (self);
        serve_roster (self);
    }
    return NULL;
}

/* Start and end */

/* The log time of the last mark; 0 where none can be found. */
static enum err find_mark (struct commit *self, struct error *e) {
    struct journal *journal = state_journal (self->state);
    int64_t last = journal_stream_last (journal, CHANNEL_LOG), first;
    struct buf octets = { 0 };
    struct block block;
    struct block_facts facts;
    enum err rc =
        journal_read_stream (journal, CHANNEL_LOG, last, &octets, &first, e);
    if (!rc)
        rc = block_read (buf_slice (&octets), &block, e);
    if (!rc)
        rc = block_check (&block, &facts, e);
    if (!rc) /* behind each roster stands a mark: the last one is one */
        self->watch.last_mark = facts.last_time;
    buf_free (&octets);
    return rc;
}

/* A chain of our own, that is asked without a lock. */
static enum err copy_chain (struct commit *self, struct error *e) {
    enum err rc = ERR_NONE;
    struct roster *last = state_roster (self->state, NULL);
    int64_t newest = roster_version (last);
    roster_unref (&last);
    self->chain = roster_chain_new();
    for (int64_t version = 1; !rc && version <= newest; version++) {
        int64_t sequence;
        struct roster *roster =
            state_roster_version (self->state, version, &sequence);
        if (!roster)
            continue; /* an epoch left it out */
        rc = roster_chain_add (self->chain, roster, sequence, e);
        roster_unref (&roster);
    }
    return rc;
}

static void cond_new (pthread_cond_t *cond) {
    pthread_condattr_t attr;
    pthread_condattr_init (&attr);
    pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
    pthread_cond_init (cond, &attr);
    pthread_condattr_destroy (&attr);
}

static void commit_free (struct commit *self) {
    pthread_cond_destroy (&self->wake);
    pthread_cond_destroy (&self->room);
    pthread_cond_destroy (&self->done);
    pthread_mutex_destroy (&self->lock);
    pthread_mutex_destroy (&self->lanes_lock);
    group_destroy (&self->group);
    counters_destroy (&self->counters);
    roster_chain_destroy (&self->chain);
    free (self->dir);
    free (self);
}

struct commit *commit_new (struct state *state, struct counters **counters_p,
                           struct timekeeper *time, struct refusals *refusals,
                           struct feed *feed,
                           const struct commit_options *options,
                           struct error *e) {
    struct commit *self = mem_alloc (sizeof *self);
    self->state = state;
    self->time = time;
    self->refusals = refusals;
    self->feed = feed;
    self->options = *options;
    self->dir = mem_copy_text (options->dir);
    self->watch.state = state;
    self->watch.time = time;
    self->watch.dir = self->dir;
    self->watch.mark_ms = options->mark_ms;
    self->watch.trust_first = options->trust_first;
    atomic_store (&self->watch.keep_free, options->keep_free);
    if (options->trust_first) {
        state_hello_waive (state);
        if (options->notary)
            notary_begin (options->notary);
    }
    self->next = 1;
    pthread_mutex_init (&self->lock, NULL);
    pthread_mutex_init (&self->lanes_lock, NULL);
    cond_new (&self->wake);
    cond_new (&self->room);
    cond_new (&self->done);
    int rc = copy_chain (self, e) || find_mark (self, e);
    if (!rc) {
        self->counters = *counters_p;
        self->group =
            group_new (state, self->counters, self->chain, &self->lanes_lock);
        rc = pthread_create (&self->thread, NULL, run, self);
        if (rc)
            error_sys (e, rc, "commit's thread");
    }
    if (rc) {
        self->counters = NULL; /* still the caller's */
        commit_free (self);
        return NULL;
    }
    *counters_p = NULL;
    return self;
}

void commit_destroy (struct commit **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct commit *self = *self_p;
    *self_p = NULL;
    pthread_mutex_lock (&self->lock);
    self->stop = true;
    pthread_cond_signal (&self->wake);
    pthread_mutex_unlock (&self->lock);
    pthread_join (self->thread, NULL);
    commit_free (self);
    errno = saved;
}

int64_t commit_lane_highest (struct commit *self, struct slice author,
                             uint64_t lane) {
    pthread_mutex_lock (&self->lanes_lock);
    int64_t highest = lanes_highest (self->counters->lanes, author, lane);
    pthread_mutex_unlock (&self->lanes_lock);
    return highest;
}

void commit_set_keep_free (struct commit *self, uint64_t octets) {
    atomic_store (&self->watch.keep_free, octets);
}
