/* job - the pool of requests in hand (DESIGN section 13).
 *
 * A stack, so that the job given back last, whose memory is still warm, is
 * taken first: each is some 100 KiB. What a job keeps between requests is the
 * room of its small replies. Thread-safe but for the jobs themselves. */
#include "job.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define KEEP_ROOM 65536 /* octets of a reply's room that a free job keeps */

struct job_pool {
    pthread_mutex_t lock; /* over what follows but fd's number */
    size_t count, free;
    bool dry;    /* job_take found none since */
    bool raised; /* fd is readable; exactly if dry and free > 0 */
    int fd;
    struct job **jobs; /* [0, free) are free; owned */
};

struct job_pool *job_pool_new (size_t count) {
    assert (count > 0);
    int fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct job_pool *self = mem_alloc (sizeof *self);
    pthread_mutex_init (&self->lock, NULL);
    self->fd = fd;
    self->count = self->free = count;
    self->jobs = mem_alloc (count * sizeof *self->jobs);
    for (size_t i = 0; i < count; i++)
        self->jobs[i] = mem_alloc (sizeof *self->jobs[i]);
    return self;
}

void job_pool_destroy (struct job_pool **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct job_pool *self = *self_p;
    assert (self->free == self->count);
    for (size_t i = 0; i < self->count; i++) {
        buf_free (&self->jobs[i]->reply[0]);
        buf_free (&self->jobs[i]->reply[1]);
        free (self->jobs[i]);
    }
    free (self->jobs);
    close (self->fd);
    pthread_mutex_destroy (&self->lock);
    free (self);
    *self_p = NULL;
    errno = saved;
}

/* Under the lock. Neither call can fail: the counter is 0 or 1. */
static void fd_update (struct job_pool *self) {
    bool wanted = self->dry && self->free > 0;
    if (wanted == self->raised)
        return;
    uint64_t one = 1;
    ssize_t n = wanted ? write (self->fd, &one, sizeof one)
                       : read (self->fd, &one, sizeof one);
    assert (n == sizeof one);
    (void) n;
    self->raised = wanted;
}

struct job *job_take (struct job_pool *self) {
    struct job *job = NULL;
    pthread_mutex_lock (&self->lock);
    self->dry = self->free == 0;
    if (!self->dry)
        job = self->jobs[--self->free];
    fd_update (self);
    pthread_mutex_unlock (&self->lock);
    return job;
}

static void reply_clear (struct job *job) {
    for (size_t i = 0; i < 2; i++) {
        if (job->reply[i].room > KEEP_ROOM)
            buf_free (&job->reply[i]);
        else
            buf_clear (&job->reply[i]);
    }
    for (size_t i = 0; i < job->block_count; i++)
        buf_free (&job->blocks[i]);
    free (job->blocks);
    job->blocks = NULL;
    job->block_count = job->reply_count = 0;
    job->reply_type = 0;
}

/* As taken new, field by field: clearing all of it would cost more than most
 * requests do. */
static void job_clear (struct job *job) {
    reply_clear (job);
    batch_clear (&job->batch);
    for (size_t i = 0; i < job->frame_count; i++)
        zmq_msg_close (&job->frames[i]);
    job->frame_count = 0;
    free (job->refused);
    job->refused = NULL;
    job->refused_count = job->accepted_count = 0;
    job->ticket = job->session = 0;
    job->peer_size = 0;
    job->delegation[0] = '\0';
    job->head = (struct wire_head){ 0 };
    job->arrived_ms = 0;
    job->batch_refused = job->batch_verified = job->via_verified = false;
    job->why.rule = RULE_NONE;
    job->promise = (struct promise){ 0 };
}

void job_give (struct job_pool *self, struct job **job_p) {
    if (!job_p || !*job_p)
        return;
    struct job *job = *job_p;
    *job_p = NULL;
    job_clear (job);
    pthread_mutex_lock (&self->lock);
    assert (self->free < self->count);
    self->jobs[self->free++] = job;
    fd_update (self);
    pthread_mutex_unlock (&self->lock);
}

size_t job_pool_free (struct job_pool *self) {
    pthread_mutex_lock (&self->lock);
    size_t n = self->free;
    pthread_mutex_unlock (&self->lock);
    return n;
}

int job_pool_fd (struct job_pool *self) {
    return self->fd;
}

void job_fail (struct job *self, const struct refusal *why, const char *text) {
    reply_clear (self);
    if (why != &self->why)
        self->why = *why;
    self->reply_type = WIRE_ERROR;
    self->reply_count = 1;
    wire_error_write (&self->reply[0], why, text);
}

struct slice job_frame (struct job *self, size_t n) {
    assert (n < self->frame_count);
    zmq_msg_t *frame = &self->frames[n];
    return slice_of (zmq_msg_data (frame), zmq_msg_size (frame));
}
