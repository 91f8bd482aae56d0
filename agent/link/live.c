/* live - the feed's frames (PROTOCOL.md section 8.7). A proxy may stand between
 * the broker and us: what is not sealed with a stream's key is noise. */
#include "follow_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/topic.h"
#include "ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <zmq.h>

#define FRAMES_A_TURN 128

/* Three parts, borrowed from the messages. */
struct frame {
    zmq_msg_t messages[3];
    size_t count; /* more than three: not a frame */
};

static struct slice part (struct frame *self, size_t n) {
    return slice_of (zmq_msg_data (&self->messages[n]),
                     zmq_msg_size (&self->messages[n]));
}

static void frame_drop (struct frame *self) {
    for (size_t i = 0; i < 3; i++)
        zmq_msg_close (&self->messages[i]);
}

/* ERR_NOT_FOUND: nothing there. The caller drops it after 0. */
static enum err frame_take (void *socket, struct frame *self) {
    bool more = true;
    self->count = 0;
    for (size_t i = 0; i < 3; i++)
        zmq_msg_init (&self->messages[i]);
    while (more) {
        zmq_msg_t rest;
        bool fits = self->count < 3;
        zmq_msg_t *at = fits ? &self->messages[self->count] : &rest;
        if (!fits)
            zmq_msg_init (&rest);
        if (zmq_msg_recv (at, socket, ZMQ_DONTWAIT) < 0) {
            bool again = errno == EINTR;
            if (!fits)
                zmq_msg_close (&rest);
            if (again)
                continue;
            frame_drop (self);
            return ERR_NOT_FOUND;
        }
        more = zmq_msg_more (at) != 0;
        if (!fits)
            zmq_msg_close (&rest);
        self->count++;
    }
    return ERR_NONE;
}

/* Kinds */

static void pending_add (struct follow *self, struct stream *stream,
                         int64_t first, struct slice octets) {
    if (self->pending_octets + octets.size > FOLLOW_PENDING_MAX)
        return; /* a gap like any other: `last` has it fetched */
    struct pending *p = mem_alloc (sizeof *p + octets.size);
    p->first = first;
    p->size = octets.size;
    memcpy (p->octets, octets.data, octets.size);
    *stream->pending_end = p;
    stream->pending_end = &p->next;
    self->pending_octets += p->size;
}

static enum err block_heard (struct follow *self, struct stream *stream,
                             struct slice content, struct error *e) {
    if (content.size < 8 + BLOCK_HEADER)
        return ERR_NONE;
    uint64_t number = get_u64 (content.data);
    if (number < 1 || number > NUMBER_MAX)
        return ERR_NONE;
    int64_t first = (int64_t) number;
    struct slice octets = slice_of (content.data + 8, content.size - 8);
    if (first > stream->last)
        stream->last = first;
    /* After a bad block the desk is asked, not whoever speaks. */
    if (first > stream->upto + 1 || stream->pending || stream->tries > 0) {
        if (first > stream->upto)
            pending_add (self, stream, first, octets);
        return ERR_NONE;
    }
    bool done;
    enum err rc = fill_block (self, stream, first, -1, octets, &done, e);
    if (!rc && stream->waits)
        pending_add (self, stream, first, octets);
    if (!rc && stream->upto > stream->last)
        stream->last = stream->upto;
    return rc;
}

static void head_heard (struct follow *self, struct stream *stream,
                        struct slice content) {
    struct feed_head head;
    struct error e;
    if (feed_head_read (content, &head, &e)) {
        log_limited (LOG_WARN, "FEED-HEAD", stream->name, "stream=%s why=%s",
                     stream->name, log_text (e.text));
        return;
    }
    struct core *core = self->core;
    if (head.size > core->size) {
        core->size = head.size;
        core->log_time = head.log_time;
    }
    if (head.last > stream->last)
        stream->last = head.last;
    if (head.next_generation > self->wanted)
        self->wanted = head.next_generation;
}

/* Frames */

/* The stream that a frame belongs to, and its opened part; NULL: noise. */
static struct stream *frame_open (struct follow *self, struct frame *frame,
                                  struct feed_clear *clear, int *kind,
                                  struct slice *content) {
    if (frame->count != 3 || part (frame, 0).size != TAG_SIZE
        || feed_clear_read (part (frame, 1), clear))
        return NULL;
    struct stream *stream = stream_by_tag (self, part (frame, 0).data);
    if (!stream) /* of an earlier generation */
        return NULL;
    struct error e;
    if (feed_open (part (frame, 2), &self->core->dialogue, &stream->key,
                   part (frame, 1), &self->plain, kind, content, &e)) {
        log_limited (LOG_WARN, "FEED-NOISE", stream->name, "stream=%s why=%s",
                     stream->name, log_text (e.text));
        return NULL;
    }
    return stream;
}

static enum err frame_heard (struct follow *self, struct frame *frame,
                             struct error *e) {
    struct feed_clear clear;
    struct slice content;
    int kind;
    struct stream *stream = frame_open (self, frame, &clear, &kind, &content);
    if (!stream)
        return ERR_NONE;
    if (memcmp (clear.run, self->core->run, RUN_SIZE) != 0)
        return error_set (e, ERR_STATE, "the feed is of another run");
    if (clear.frame <= stream->frame) /* somebody plays it again */
        return ERR_NONE;
    if (stream->frame > 0 && clear.frame != stream->frame + 1)
        stream->check = true;
    stream->frame = clear.frame;
    stream->quiet = self->heard = clock_mono_ms();
    stream->heard = clock_wall_ms();
    if (clear.generation > (uint64_t) self->wanted
        && clear.generation <= NUMBER_MAX)
        self->wanted = (int64_t) clear.generation;
    if (kind == FEED_BLOCK)
        return block_heard (self, stream, content, e);
    if (kind == FEED_HEAD)
        head_heard (self, stream, content);
    else if (strcmp (stream->name, CHANNEL_LOG) == 0 && self->core->ledger) {
        log_whole_note (self);
        return ledger_hear (self->core->ledger, (enum feed_kind) kind, content,
                            e);
    }
    return ERR_NONE; /* other kinds are passed over */
}

enum err follow_hear (struct follow *self, struct error *e) {
    enum err rc = ERR_NONE;
    for (int i = 0; !rc && self->feed && i < FRAMES_A_TURN; i++) {
        struct frame frame;
        if (frame_take (self->feed, &frame))
            break;
        rc = frame_heard (self, &frame, e);
        frame_drop (&frame);
    }
    return rc;
}
