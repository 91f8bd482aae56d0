/* desk_frames - messages off and onto the ROUTER. */
#include "desk_frames.h"

#include "base/clock.h"
#include "base/log.h"

#include <assert.h>

#include <errno.h>
#include <stdlib.h>

#define MOVE_OCTETS 4096 /* of a frame that is handed over, not copied */

/* Reading */

static bool has_more (void *socket) {
    int more = 0;
    size_t size = sizeof more;
    zmq_getsockopt (socket, ZMQ_RCVMORE, &more, &size);
    return more != 0;
}

/* Parts of a message come together or not at all: an error is the context's
 * end. */
static void frames_take (void *socket, struct desk_request *out,
                         struct job *job) {
    while (has_more (socket)) {
        zmq_msg_t spare;
        bool over = job->frame_count == WIRE_FRAMES_MAX;
        zmq_msg_t *at = over ? &spare : &job->frames[job->frame_count];
        zmq_msg_init (at);
        int rc = zmq_msg_recv (at, socket, ZMQ_DONTWAIT);
        if (rc < 0 || over)
            zmq_msg_close (at);
        else
            job->frame_count++;
        if (rc < 0)
            return;
        out->frames++;
    }
}

bool desk_take (void *socket, struct desk_request *out, struct job *job) {
    zmq_msg_t peer;
    zmq_msg_init (&peer);
    bool there = zmq_msg_recv (&peer, socket, ZMQ_DONTWAIT) >= 0;
    if (there) {
        out->frames = 0;
        job->peer_size = zmq_msg_size (&peer);
        assert (job->peer_size <= PEER_MAX); /* libzmq's own bound */
        memcpy (job->peer, zmq_msg_data (&peer), job->peer_size);
        job->arrived_ms = clock_mono_ms();
        zmq_msg_init (&out->head);
        if (has_more (socket)
            && zmq_msg_recv (&out->head, socket, ZMQ_DONTWAIT) >= 0)
            frames_take (socket, out, job);
    }
    zmq_msg_close (&peer);
    return there;
}

void desk_request_close (struct desk_request *self) {
    zmq_msg_close (&self->head);
}

/* Sending */

/* What libzmq gives back with a frame's memory, in a thread of its own. */
struct moved {
    struct flight *flight; /* owned reference, or NULL */
    long long octets;
};

static void moved_free (void *data, void *hint) {
    struct moved *moved = hint;
    if (moved->flight)
        flight_land (&moved->flight, moved->octets);
    free (moved);
    free (data);
}

static struct moved *moved_new (struct flight *flight, size_t size) {
    struct moved *self = mem_alloc (sizeof *self);
    self->flight = flight;
    self->octets = (long long) size;
    if (flight)
        flight_start (flight, self->octets);
    return self;
}

/* A frame of what the buffer holds, handed over or copied. */
static void frame_fill (zmq_msg_t *frame, struct buf *from, bool move,
                        struct flight *flight) {
    int rc;
    if (move) {
        rc = zmq_msg_init_data (frame, from->data, from->size, moved_free,
                                moved_new (flight, from->size));
        *from = (struct buf){ 0 };
    } else {
        rc = zmq_msg_init_size (frame, from->size);
        if (rc == 0 && from->size > 0)
            memcpy (zmq_msg_data (frame), from->data, from->size);
    }
    if (rc != 0)
        abort(); /* out of memory, as mem_alloc */
}

struct sending {
    void *socket;
    struct flight *flight;
    size_t left; /* parts behind the present one */
};

/* libzmq refuses a message at its first part or never. */
static int send_part (struct sending *self, struct buf *from, bool move) {
    zmq_msg_t frame;
    frame_fill (&frame, from, move, self->flight);
    int flags = ZMQ_DONTWAIT | (self->left > 0 ? ZMQ_SNDMORE : 0);
    int rc = zmq_msg_send (&frame, self->socket, flags) < 0 ? errno : 0;
    if (rc)
        zmq_msg_close (&frame);
    if (self->left > 0)
        self->left--;
    return rc;
}

static void head_put (struct buf *out, const uint8_t run[RUN_SIZE],
                      const struct job *job) {
    struct wire_head head = { .type = job->reply_type,
                              .id = job->head.id,
                              .has_run = true };
    memcpy (head.run, run, RUN_SIZE);
    wire_head_write (out, &head);
}

static int send_all (struct sending *self, const uint8_t run[RUN_SIZE],
                     struct job *job) {
    struct buf part = { 0 };
    buf_add (&part, job->peer, job->peer_size);
    int rc = send_part (self, &part, false);
    buf_clear (&part);
    head_put (&part, run, job);
    if (!rc)
        rc = send_part (self, &part, false);
    buf_free (&part);
    for (size_t i = 0; !rc && i < job->reply_count; i++)
        rc =
            send_part (self, &job->reply[i], job->reply[i].size >= MOVE_OCTETS);
    /* All of these, since thousands of small ones are much as well. */
    for (size_t i = 0; !rc && i < job->block_count; i++)
        rc = send_part (self, &job->blocks[i], true);
    return rc;
}

bool desk_send (void *socket, const uint8_t run[RUN_SIZE],
                struct flight *flight, struct job *job) {
    struct sending sending = { socket, flight,
                               1 + job->reply_count + job->block_count };
    int rc = send_all (&sending, run, job);
    if (rc == EAGAIN)
        log_limited (LOG_WARN, "DESK-SLOW-PEER", job->delegation,
                     "delegation=%s why=\"reads no replies; one is dropped\"",
                     log_text (job->delegation));
    return rc != EHOSTUNREACH;
}
