/* job - one request on its way through the broker's threads.
 *
 * Taken from a bounded pool by the desk, owned by one thread at a time, given
 * back when its reply is sent. Its frames stay where libzmq put them: all
 * slices of `batch` point into them. */
#ifndef PARLEY_JOB_H
#define PARLEY_JOB_H

#include "base/queue.h"
#include "format/batch.h"
#include "wire/wire.h"

#include <zmq.h>

#define PEER_MAX 255 /* octets of a routing id */

struct job {
    uint64_t ticket; /* order of arrival at the desk, from 1, no holes */

    /* who asked */
    uint8_t peer[PEER_MAX];
    size_t peer_size;
    uint64_t session; /* the desk's number of it */
    char delegation[DELEGATION_MAX + 1];
    struct wire_head head;
    int64_t arrived_ms; /* monotonic */

    /* what was asked: frames behind frame 0; owned until job_give */
    zmq_msg_t frames[WIRE_FRAMES_MAX];
    size_t frame_count;

    /* a publish */
    struct batch batch;      /* filled by intake */
    bool batch_refused;      /* `why` refuses all of it */
    bool batch_verified;     /* signatures hold under a key that intake found;
                                `key` is that key: commit asks again whether it
                                is valid at the record's place */
    uint8_t key[KEY_SIZE];
    bool via_verified;
    uint8_t via_key[KEY_SIZE];
    struct refusal why;

    /* the answer, filled by commit or fetch */
    struct promise promise;
    struct promise_accepted accepted[BATCH_MAX];
    size_t accepted_count;
    struct promise_refused *refused; /* owned; BATCH_MAX at most */
    size_t refused_count;
    int reply_type;
    struct buf reply[2]; /* frames 1 and 2 of the reply; reply_count used */
    size_t reply_count;
    struct buf *blocks; /* owned; frames behind those (fetch) */
    size_t block_count;
};

struct job_pool;
struct job_pool *job_pool_new (size_t count) MUST_CHECK;
void job_pool_destroy (struct job_pool **self_p); /* all given back (asserted) */
/* NULL: none is free now. Thread-safe both. */
struct job *job_take (struct job_pool *self);
void job_give (struct job_pool *self, struct job **job_p);
size_t job_pool_free (struct job_pool *self);
/* Readable while a job is free after the pool ran dry. */
int job_pool_fd (struct job_pool *self);

/* Make the reply an error (type 255); `why` is kept in self->why. */
void job_fail (struct job *self, const struct refusal *why, const char *text);
struct slice job_frame (struct job *self, size_t n);

#endif
