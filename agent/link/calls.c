/* calls - the DEALER and the table of what is unanswered. */
#include "calls.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <zmq.h>

struct call {
    int64_t id; /* 0: free */
    enum wire_type type;
    int64_t sent; /* monotonic */
};

struct calls {
    void *socket, *watch;
    bool connected, lost; /* once each */
    int64_t next;
    bool has_run;
    uint8_t run[RUN_SIZE];
    struct call table[CALLS_MAX];
    /* The reply in hand. */
    struct buf octets;
    struct slice *frames;
    size_t count, room;
};

struct calls *calls_new (void *context, const char *endpoint,
                         const struct sock_options *options, struct error *e) {
    struct calls *self = mem_alloc (sizeof *self);
    self->next = 1;
    self->socket = sock_new (context, SOCK_DESK_CLIENT, options, e);
    if (self->socket)
        self->watch = sock_watch (context, self->socket, e);
    if (!self->watch || sock_connect (self->socket, endpoint, e))
        calls_destroy (&self);
    return self;
}

void calls_destroy (struct calls **self_p) {
    if (!self_p || !*self_p)
        return;
    struct calls *self = *self_p;
    *self_p = NULL;
    sock_unwatch (self->socket, &self->watch);
    sock_close (&self->socket);
    buf_free (&self->octets);
    free (self->frames);
    free (self);
}

void *calls_socket (struct calls *self) {
    return self->socket;
}

void *calls_watch (struct calls *self) {
    return self->watch;
}

static void watch_read (struct calls *self) {
    enum sock_event event;
    while ((event = sock_watch_next (self->watch)) != SOCK_NOTHING) {
        self->lost = self->lost || (event == SOCK_LOST && self->connected);
        self->connected = self->connected || event == SOCK_CONNECTED;
    }
}

bool calls_ready (struct calls *self) {
    watch_read (self);
    return self->connected && !self->lost;
}

bool calls_lost (struct calls *self) {
    watch_read (self);
    return self->lost;
}

void calls_set_run (struct calls *self, const uint8_t run[RUN_SIZE]) {
    self->has_run = true;
    memcpy (self->run, run, RUN_SIZE);
}

int64_t calls_oldest (const struct calls *self) {
    int64_t oldest = -1;
    for (size_t i = 0; i < CALLS_MAX; i++)
        if (self->table[i].id && (oldest < 0 || self->table[i].sent < oldest))
            oldest = self->table[i].sent;
    return oldest;
}

/* Not ERR_IO: that is the store's, and ends the daemon. */
static enum err socket_failed (struct error *e, int failed, const char *what) {
    error_sys (e, failed, "%s", what);
    return e->code = ERR_STATE;
}

/* Sending */

static struct call *call_by_id (struct calls *self, int64_t id) {
    for (size_t i = 0; i < CALLS_MAX; i++)
        if (self->table[i].id == id)
            return &self->table[i];
    return NULL;
}

static enum err frame_send (struct calls *self, struct slice frame, bool more,
                            struct error *e) {
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    while (zmq_send (self->socket, frame.data, frame.size, flags) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            return error_set (e, ERR_FULL, "the link takes nothing now");
        return socket_failed (e, errno, "send to the desk");
    }
    return ERR_NONE;
}

enum err calls_send (struct calls *self, enum wire_type type,
                     const struct slice *frames, size_t count, int64_t *id,
                     struct error *e) {
    struct call *call = call_by_id (self, 0);
    if (!call)
        return error_set (e, ERR_FULL, "%d requests wait for their replies",
                          CALLS_MAX);
    struct wire_head head = { .type = (int) type, .id = self->next };
    /* A hello asks for the run; it can't name one. */
    head.has_run = self->has_run && type != WIRE_HELLO;
    memcpy (head.run, self->run, RUN_SIZE);
    struct buf frame = { 0 };
    wire_head_write (&frame, &head);
    enum err rc = frame_send (self, buf_slice (&frame), count > 0, e);
    /* Where a later frame fails libzmq takes back those before it. */
    for (size_t i = 0; !rc && i < count; i++)
        rc = frame_send (self, frames[i], i + 1 < count, e);
    buf_free (&frame);
    if (rc)
        return rc;
    *call = (struct call){ self->next, type, clock_mono_ms() };
    *id = self->next++;
    return ERR_NONE;
}

/* Receiving */

/* Where the frame ended; slices come when all octets stay where they are. */
static void frame_add (struct calls *self, zmq_msg_t *frame) {
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 16;
        self->frames =
            mem_resize (self->frames, self->room * sizeof *self->frames);
    }
    size_t size = zmq_msg_size (frame);
    buf_add (&self->octets, zmq_msg_data (frame), size);
    self->frames[self->count++] = (struct slice){ NULL, size };
}

static void frames_place (struct calls *self) {
    buf_reserve (&self->octets, 1);
    const uint8_t *at = self->octets.data;
    for (size_t i = 0; i < self->count; i++) {
        self->frames[i].data = at;
        at += self->frames[i].size;
    }
}

/* All frames of one message. */
static enum err message_take (struct calls *self, struct error *e) {
    bool more = true;
    size_t size = 0, count = 0;
    self->count = 0;
    buf_clear (&self->octets);
    while (more) {
        zmq_msg_t frame;
        zmq_msg_init (&frame);
        if (zmq_msg_recv (&frame, self->socket, ZMQ_DONTWAIT) < 0) {
            int failed = errno;
            zmq_msg_close (&frame);
            if (failed == EINTR)
                continue;
            if (failed == EAGAIN)
                return ERR_NOT_FOUND;
            return socket_failed (e, failed, "receive from the desk");
        }
        more = zmq_msg_more (&frame) != 0;
        size += zmq_msg_size (&frame);
        count++;
        /* The rest of a message that is too long has to be taken as well. */
        if (size <= REPLY_OCTETS_MAX && count <= REPLY_FRAMES_MAX)
            frame_add (self, &frame);
        zmq_msg_close (&frame);
    }
    if (count != self->count)
        return error_set (e, ERR_LIMIT, "a reply of %zu octets in %zu frames",
                          size, count);
    frames_place (self);
    return ERR_NONE;
}

static enum err reply_read (struct calls *self, const struct wire_head *head,
                            struct reply *out, struct error *e) {
    out->frames = self->frames + 1;
    out->count = self->count - 1;
    if (head->type == (int) out->type + WIRE_REPLY)
        return ERR_NONE;
    if (head->type != WIRE_ERROR)
        return error_set (e, ERR_MALFORMED,
                          "a reply of type %d to a request of type %d",
                          head->type, (int) out->type);
    if (self->count < 2)
        return error_set (e, ERR_MALFORMED, "an error that says nothing");
    out->refused = true;
    out->count = 0;
    return wire_error_read (self->frames[1], &out->refusal, &out->text, e);
}

enum err calls_take (struct calls *self, struct reply *out, struct error *e) {
    for (;;) {
        *out = (struct reply){ 0 };
        enum err rc = message_take (self, e);
        if (rc)
            return rc;
        struct wire_head head;
        rc = wire_head_read (self->frames[0], &head, e);
        if (rc)
            return rc;
        struct call *call = head.id > 0 ? call_by_id (self, head.id) : NULL;
        /* An error to a frame 0 that the desk could not read has id 0. */
        if (!call && head.type == WIRE_ERROR && head.id == 0)
            return error_set (e, ERR_MALFORMED,
                              "the desk can't read our requests");
        if (!call)
            continue;
        out->type = call->type;
        out->id = call->id;
        call->id = 0;
        if (!head.has_run)
            return error_set (e, ERR_MALFORMED, "a reply without a run");
        memcpy (out->run, head.run, RUN_SIZE);
        return reply_read (self, &head, out, e);
    }
}
