/* desk_pass - requests on their way to other threads (DESIGN section 13).
 *
 * A publish that is alone is verified by the desk itself: with nothing else to
 * do at the same time, a thread of its own would only have to be woken. */
#include "desk_pass.h"

/* Of the pool's jobs, what may not be reads in hand: long ones take none that
 * publishes and hellos need. And what one delegation's reads may be; an agent
 * has four fetches and few others at a time. */
#define PUBLISH_SHARE 4
#define READER_SHARE 8
#define READER_LEAST 2
/* Octets of headers and bodies that cost little beside the one signature: who
 * comes meanwhile waits some 0.1 ms. */
#define LONE_MAX 8192

void pass_begin (struct pass *self, size_t jobs) {
    self->reads = jobs - jobs / PUBLISH_SHARE;
    self->reader_reads = jobs / READER_SHARE;
    if (self->reader_reads < READER_LEAST)
        self->reader_reads = READER_LEAST;
}

/* Messages that the batch head states; what it states wrongly intake finds. */
static int64_t stated_size (struct job *job) {
    struct mp in;
    mp_start (&in, job_frame (job, 0));
    mp_array (&in, 6, 6);
    mp_str (&in, 0, DELEGATION_MAX);
    mp_str (&in, 0, CHANNEL_MAX);
    int64_t size = mp_int (&in, 1, BATCH_MAX);
    return in.failed ? 1 : size;
}

static size_t octets_of (struct job *job) {
    return job_frame (job, 1).size + job_frame (job, 2).size;
}

/* Over its rate: still read, so that each message gets a signed refusal. */
static void rate_judge (struct pass *self, struct job *job,
                        const struct roster *roster) {
    const char *what;
    int64_t limit, wait_ms;
    if (session_rate (self->sessions, job->delegation, roster_limits (roster),
                      stated_size (job), (int64_t) octets_of (job),
                      job->arrived_ms, &what, &limit, &wait_ms))
        return;
    job->batch_refused = true;
    refusal_set (&job->why, RULE_RATE);
    refusal_text (&job->why, "what", what);
    refusal_int (&job->why, "limit", limit);
    refusal_int (&job->why, "wait_ms", wait_ms);
}

/* A ticket that is given is used: commit waits for each. */
static enum err publish_pass (struct pass *self, struct job *job) {
    enum err rc = ERR_NONE;
    job->ticket = self->tickets + 1;
    if (self->publishes == 0 && octets_of (job) <= LONE_MAX)
        intake_serve (self->intake, job);
    else
        rc = intake_put (self->intake, job);
    if (rc)
        return rc;
    self->tickets++;
    self->publishes++;
    return ERR_NONE;
}

static enum err read_pass (struct pass *self, const struct session *session,
                           struct job *job) {
    if (!session_read_take (self->sessions, session, self->reader_reads,
                            self->reads))
        return ERR_FULL;
    enum err rc = fetch_put (self->fetch, job);
    if (rc)
        session_read_give (self->sessions, session->delegation);
    return rc;
}

enum err pass_on (struct pass *self, const struct session *session,
                  const struct roster *roster, struct job *job) {
    if (job->head.type != WIRE_PUBLISH)
        return read_pass (self, session, job);
    rate_judge (self, job, roster);
    return publish_pass (self, job);
}

void pass_back (struct pass *self, const struct job *job) {
    if (job->head.type == WIRE_PUBLISH)
        self->publishes--;
    else
        session_read_give (self->sessions, job->delegation);
}
