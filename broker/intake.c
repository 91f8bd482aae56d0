/* intake - reads and verifies publishes (DESIGN section 13). Most of the
 * broker's hashing and the one signature check of a batch happen here, in as
 * many threads as its operator gives it. */
#include "intake.h"

#include "base/clock.h"
#include "identity/rights.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define THREADS_MAX 64

struct intake {
    struct state *state; /* borrowed */
    struct queue *jobs;  /* owned */
    void (*put) (void *arg, struct job *job);
    void *arg;
    int threads; /* running */
    pthread_t thread[THREADS_MAX];
};

/* A key that is valid now. Which keys are valid at the record's place commit
 * asks again: where there is none here, it refuses in order. */
static const uint8_t *key_find (const struct roster *roster, struct slice who,
                                struct key_id id, int64_t at) {
    const uint8_t *key;
    return rights_sign_key (roster, who, id, at, &key) == KEY_FINE ? key : NULL;
}

static void refuse_signature (struct job *job) {
    refusal_set (&job->why, RULE_BAD_SIGNATURE);
    refusal_slice (&job->why, "author", job->batch.author);
    refusal_hex (&job->why, "key", job->batch.key_id.octets, KEY_ID_SIZE);
    job->batch_refused = true;
}

static void refuse_via (struct job *job) {
    refusal_set (&job->why, RULE_BAD_VIA);
    refusal_slice (&job->why, "submitter", job->batch.via.submitter);
    refusal_text (&job->why, "why", "the submitter's signature does not hold");
    job->batch_refused = true;
}

static void batch_verify (const struct hash *dialogue,
                          const struct roster *roster, int64_t at,
                          struct job *job) {
    const struct batch *batch = &job->batch;
    const uint8_t *key = key_find (roster, batch->author, batch->key_id, at);
    if (!key)
        return;
    job->batch_verified = batch_signed (batch, dialogue, key);
    memcpy (job->key, key, KEY_SIZE);
    if (!job->batch_verified)
        refuse_signature (job);
}

static void via_verify (const struct hash *dialogue,
                        const struct roster *roster, int64_t at,
                        struct job *job) {
    const struct via *via = &job->batch.via;
    const uint8_t *key =
        via->present ? key_find (roster, via->submitter, via->key_id, at)
                     : NULL;
    if (!key)
        return;
    job->via_verified = batch_via_signed (&job->batch, dialogue, key);
    memcpy (job->via_key, key, KEY_SIZE);
    if (!job->via_verified)
        refuse_via (job);
}

/* What the next record's log time is going to be, nearly. */
static int64_t time_now (const struct state *state) {
    int64_t log_time = state_log_time (state), now = clock_wall_ms();
    return now > log_time ? now : log_time;
}

void intake_read (struct state *state, struct job *job) {
    assert (job->frame_count == 3);
    const struct hash *dialogue = state_dialogue (state);
    struct refusal fault;
    if (batch_read (job_frame (job, 0), job_frame (job, 1), job_frame (job, 2),
                    dialogue, &job->batch, &fault)) {
        job->batch_refused = true;
        job->why = fault; /* also where its rate refused it: this is final */
    }
    if (job->batch_refused)
        return;
    struct roster *roster = state_roster (state, NULL);
    int64_t at = time_now (state);
    batch_verify (dialogue, roster, at, job);
    if (!job->batch_refused)
        via_verify (dialogue, roster, at, job);
    roster_unref (&roster);
}

void intake_serve (struct intake *self, struct job *job) {
    intake_read (self->state, job);
    self->put (self->arg, job);
}

static void *intake_run (void *arg) {
    struct intake *self = arg;
    struct job *job;
    while ((job = queue_take_wait (self->jobs, -1))) {
        intake_serve (self, job);
    }
    return NULL;
}

struct intake *intake_new (struct state *state, int threads, size_t most,
                           void (*put) (void *arg, struct job *job), void *arg,
                           struct error *e) {
    assert (threads > 0 && threads <= THREADS_MAX && most > 0);
    struct intake *self = mem_alloc (sizeof *self);
    self->state = state;
    self->put = put;
    self->arg = arg;
    self->jobs = queue_new (most);
    int rc = self->jobs ? 0 : errno;
    for (int i = 0; i < threads && rc == 0; i++) {
        rc = pthread_create (&self->thread[i], NULL, intake_run, self);
        self->threads += rc == 0;
    }
    if (rc == 0)
        return self;
    error_sys (e, rc, "start %d threads of intake", threads);
    intake_destroy (&self);
    return NULL;
}

void intake_destroy (struct intake **self_p) {
    if (!self_p || !*self_p)
        return;
    struct intake *self = *self_p;
    *self_p = NULL;
    if (self->jobs)
        queue_close (self->jobs);
    for (int i = 0; i < self->threads; i++)
        pthread_join (self->thread[i], NULL);
    queue_destroy (&self->jobs);
    free (self);
}

enum err intake_put (struct intake *self, struct job *job) {
    return queue_put (self->jobs, job);
}
