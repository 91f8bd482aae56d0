/* feed - the live streams (PROTOCOL.md section 8.7).
 *
 * One thread owns the XPUB, the tags and the streams' last numbers. A block is
 * sealed once for each stream that carries it; libzmq hands the one copy to all
 * subscribers, and drops for those that are slow: they see the gap and fetch. */
#include "feed.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "cut.h"
#include "feed_watch.h"
#include "listen.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <zmq.h>

#define QUEUE_MOST 4096
#define SEND_MOST 64 /* blocks, then subscriptions are read */
/* Subscribers give a stream up after 30 s of silence; the page says 10. */
#define HEAD_MS 8000

/* What the last frame of a stream was, over all generations. */
struct stream_last {
    char name[ROSTER_NAME_MAX + 1]; /* also "@" and an entity */
    int64_t last;
};

struct feed {
    struct state *state;  /* borrowed */
    struct queue *blocks; /* owned, as all of these */
    void *socket;
    struct feed_watch *watch;
    struct tags *tags;
    int64_t until; /* wall clock, ms: then the tags are somebody's too many */
    uint64_t *frames; /* sent so far, of each tag of this generation */
    struct stream_last *streams;
    size_t stream_count, stream_room;
    int64_t size, log_time; /* of the ledger, as heads say it */
    int64_t heads_due_ms;   /* monotonic */
    pthread_t thread;
    bool started;
};

/* Blocks */

struct feed_block *feed_block_new (void) {
    struct feed_block *self = mem_alloc (sizeof *self);
    atomic_init (&self->references, 1);
    self->kind = FEED_BLOCK;
    return self;
}

void feed_block_unref (struct feed_block **self_p) {
    if (!self_p || !*self_p)
        return;
    struct feed_block *self = *self_p;
    *self_p = NULL;
    if (atomic_fetch_sub (&self->references, 1) > 1)
        return;
    buf_free (&self->octets);
    roster_unref (&self->roster);
    free (self);
}

/* Numbers of streams */

static struct stream_last *stream_find (struct feed *self, const char *name) {
    for (size_t i = 0; i < self->stream_count; i++)
        if (strcmp (self->streams[i].name, name) == 0)
            return &self->streams[i];
    return NULL;
}

/* One that is new begins at `last`. */
static struct stream_last *stream_get (struct feed *self, const char *name,
                                       int64_t last) {
    struct stream_last *there = stream_find (self, name);
    if (there)
        return there;
    if (self->stream_count == self->stream_room) {
        self->stream_room = self->stream_room ? 2 * self->stream_room : 64;
        self->streams = mem_resize (self->streams,
                                    self->stream_room * sizeof *self->streams);
    }
    struct stream_last *made = &self->streams[self->stream_count++];
    assert (strlen (name) < sizeof made->name);
    strcpy (made->name, name);
    made->last = last;
    return made;
}

/* What the ledger held of each stream that ever was, before the first block
 * comes: a stream of an earlier roster may come back. */
static void streams_begin (struct feed *self, int64_t version) {
    struct journal *journal = state_journal (self->state);
    char name[ROSTER_NAME_MAX + 2] = "@";
    (void) stream_get (self, CHANNEL_LOG,
                       journal_stream_last (journal, CHANNEL_LOG));
    for (int64_t v = version; v > 0; v--) {
        struct roster *roster = state_roster_version (self->state, v, NULL);
        for (size_t i = 0; roster && i < roster_channels (roster); i++) {
            const char *id = roster_channel_at (roster, i)->id;
            (void) stream_get (self, id, journal_stream_last (journal, id));
        }
        for (size_t i = 0; roster && i < roster_entities (roster); i++) {
            strcpy (name + 1, roster_entity_at (roster, i)->id);
            (void) stream_get (self, name, journal_stream_last (journal, name));
        }
        roster_unref (&roster);
    }
}

/* Frames */

static void data_free (void *data, void *hint) {
    (void) hint;
    free (data);
}

/* Takes the octets. What can't be sent now is dropped, as for one slow
 * subscriber: the numbers show it. */
static void parts_send (struct feed *self, const struct feed_key *key,
                        const uint8_t clear[FEED_CLEAR], struct buf *sealed) {
    zmq_msg_t frame;
    if (zmq_msg_init_data (&frame, sealed->data, sealed->size, data_free, NULL)
        != 0)
        abort(); /* out of memory, as mem_alloc */
    *sealed = (struct buf){ 0 };
    const int more = ZMQ_DONTWAIT | ZMQ_SNDMORE;
    if (zmq_send (self->socket, key->tag, TAG_SIZE, more) < 0
        || zmq_send (self->socket, clear, FEED_CLEAR, more) < 0
        || zmq_msg_send (&frame, self->socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close (&frame);
        log_limited (LOG_WARN, "FEED-SEND", "", "why=%s", zmq_strerror (errno));
    }
}

static void frame_send (struct feed *self, size_t n, enum feed_kind kind,
                        const struct slice *parts, size_t count) {
    const struct feed_key *key = tags_key (self->tags, n);
    struct feed_clear where = { .frame = ++self->frames[n] };
    where.generation = (uint64_t) tags_generation (self->tags);
    memcpy (where.run, state_run (self->state), RUN_SIZE);
    uint8_t clear[FEED_CLEAR];
    feed_clear_write (clear, &where);
    size_t size = FEED_OVERHEAD + 1;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    struct buf sealed = { 0 };
    buf_reserve (&sealed, size);
    feed_seal (&sealed, state_dialogue (self->state), key, clear, kind, parts,
               count);
    parts_send (self, key, clear, &sealed);
}

static void head_send (struct feed *self, size_t n, int64_t next_generation) {
    const struct stream_last *stream =
        stream_get (self, tags_name (self->tags, n), 0);
    struct feed_head head = { .size = self->size,
                              .log_time = self->log_time,
                              .last = stream->last,
                              .next_generation = next_generation };
    struct buf content = { 0 };
    feed_head_write (&content, &head);
    struct slice part = buf_slice (&content);
    frame_send (self, n, FEED_HEAD, &part, 1);
    buf_free (&content);
}

static void heads_send (struct feed *self) {
    for (size_t n = 0; n < tags_count (self->tags); n++)
        head_send (self, n, 0);
    self->heads_due_ms = clock_mono_ms() + HEAD_MS;
}

/* Counts the block on one of its streams, and sends it there if the present
 * roster has that stream. */
static void stream_send (struct feed *self, const struct feed_block *block,
                         const char *name) {
    struct stream_last *stream = stream_get (self, name, 0);
    uint8_t first[8];
    put_u64 (first, (uint64_t) stream->last + 1);
    stream->last += block->count;
    struct slice parts[] = { { first, sizeof first },
                             buf_slice (&block->octets) };
    int n = tags_find (self->tags, slice_text (name));
    if (n >= 0)
        frame_send (self, (size_t) n, FEED_BLOCK, parts, 2);
}

static void direct_send (struct feed *self, const struct feed_block *block) {
    char name[ENTITY_MAX + 2] = "@";
    struct slice entity, channel = slice_text (block->channel);
    for (size_t i = 0; (entity = channel_adhoc_entity (channel, i)).size > 0;
         i++) {
        memcpy (name + 1, entity.data, entity.size);
        name[1 + entity.size] = '\0';
        stream_send (self, block, name);
    }
}

/* Generations */

/* What the desk hands out from now on. */
static struct tags *tags_show (struct feed *self, struct roster *roster,
                               int64_t generation) {
    struct tags *tags = tags_new (roster, generation);
    state_set_tags (self->state, tags_ref (tags));
    return tags;
}

/* Frames go out under these tags from `at` (ms) on; takes the reference. */
static void tags_take (struct feed *self, struct tags *tags,
                       struct roster *roster, int64_t at) {
    tags_unref (&self->tags);
    self->tags = tags;
    self->until = tags_until (tags, at);
    free (self->frames);
    self->frames = mem_alloc (tags_count (tags) * sizeof *self->frames);
    feed_watch_renew (self->watch, tags_ref (tags), roster_ref (roster));
}

/* Its block is out under the old $log tag. */
static void generation_next (struct feed *self, struct tags *next,
                             struct roster *roster, int64_t at) {
    int log = tags_find (self->tags, slice_text (CHANNEL_LOG));
    assert (log >= 0);
    head_send (self, (size_t) log, tags_generation (next));
    tags_take (self, next, roster, at);
    heads_send (self);
    log_info ("FEED-GENERATION", "generation=%lld roster=%lld",
              (long long) tags_generation (next),
              (long long) roster_version (roster));
}

/* Whoever has expired has the keys, and an open connection. */
static void generation_expire (struct feed *self, int64_t at) {
    if (at < self->until)
        return;
    struct roster *roster = roster_ref (tags_roster (self->tags));
    struct tags *next =
        tags_show (self, roster, tags_generation (self->tags) + 1);
    generation_next (self, next, roster, at);
    roster_unref (&roster);
}

static void places_count (struct feed *self, const struct feed_block *block) {
    self->size = block->size;
    self->log_time = block->log_time;
    if (block->channel[0] == '@')
        return;
    struct stream_last *stream =
        stream_get (self, block->channel, block->first - 1);
    assert (stream->last + 1 == block->first); /* commit's order */
    (void) stream;
}

/* Tags go with rights, so each roster has new ones, also where nobody's rights
 * changed. They are shown first: whoever hears of the roster asks at once. */
static void block_send (struct feed *self, struct feed_block *block) {
    struct tags *next = NULL;
    generation_expire (self, block->log_time);
    if (block->roster)
        next =
            tags_show (self, block->roster, tags_generation (self->tags) + 1);
    places_count (self, block);
    if (block->channel[0] == '@')
        direct_send (self, block);
    else
        stream_send (self, block, block->channel);
    if (next)
        generation_next (self, next, block->roster, block->log_time);
}

/* What `$log` carries beside blocks and heads. */
static void log_send (struct feed *self, const struct feed_block *block) {
    int log = tags_find (self->tags, slice_text (CHANNEL_LOG));
    assert (log >= 0);
    struct slice part = buf_slice (&block->octets);
    frame_send (self, (size_t) log, block->kind, &part, 1);
}

/* The thread */

static void blocks_send (struct feed *self, bool all) {
    void *items[SEND_MOST];
    size_t n;
    do {
        n = queue_take_many (self->blocks, items, SEND_MOST);
        for (size_t i = 0; i < n; i++) {
            struct feed_block *block = items[i];
            if (block->kind == FEED_BLOCK)
                block_send (self, block);
            else
                log_send (self, block);
            feed_block_unref (&block);
        }
    } while (all && n > 0);
}

static bool wait_for_work (struct feed *self) {
    zmq_pollitem_t items[] = {
        { .fd = queue_fd (self->blocks), .events = ZMQ_POLLIN },
        { .socket = self->socket, .events = ZMQ_POLLIN },
    };
    int64_t left = self->heads_due_ms - clock_mono_ms();
    return zmq_poll (items, 2, left > 0 ? (long) left : 0) >= 0
           || errno == EINTR;
}

static void *feed_run (void *arg) {
    struct feed *self = arg;
    for (bool ended = false; !ended;) {
        ended = queue_closed (self->blocks);
        generation_expire (self, clock_wall_ms());
        blocks_send (self, ended);
        feed_watch_read (self->watch, self->socket);
        if (clock_mono_ms() >= self->heads_due_ms)
            heads_send (self);
        if (!ended && !wait_for_work (self)) {
            log_error ("FEED-FAILED", "why=%s", zmq_strerror (errno));
            abort(); /* the loop's own sockets: our mistake */
        }
    }
    return NULL;
}

/* Making and ending */

struct feed *feed_new (struct state *state, struct gate *gate, void *context,
                       const char *endpoint, char *bound, struct error *e) {
    void *socket = listen_socket (state_identity (state), context, SOCK_FEED,
                                  endpoint, bound, e);
    if (!socket)
        return NULL;
    struct feed *self = mem_alloc (sizeof *self);
    struct roster *roster = state_roster (state, NULL);
    self->state = state;
    self->socket = socket;
    self->watch = feed_watch_new (state, gate, cut_port (bound));
    self->size = journal_size (state_journal (state));
    self->log_time = state_log_time (state);
    self->heads_due_ms = clock_mono_ms();
    streams_begin (self, roster_version (roster));
    tags_take (self, tags_show (self, roster, 1), roster, clock_wall_ms());
    roster_unref (&roster);
    self->blocks = queue_new (QUEUE_MOST);
    int rc = self->blocks ? pthread_create (&self->thread, NULL, feed_run, self)
                          : errno;
    self->started = rc == 0;
    if (rc == 0)
        return self;
    error_sys (e, rc, "start the feed");
    feed_destroy (&self);
    return NULL;
}

void feed_destroy (struct feed **self_p) {
    if (!self_p || !*self_p)
        return;
    struct feed *self = *self_p;
    *self_p = NULL;
    if (self->started) {
        queue_close (self->blocks);
        pthread_join (self->thread, NULL);
    }
    queue_destroy (&self->blocks);
    feed_watch_destroy (&self->watch);
    tags_unref (&self->tags);
    free (self->frames);
    free (self->streams);
    sock_close (&self->socket);
    free (self);
}

void feed_put (struct feed *self, struct feed_block *block) {
    enum err rc = queue_put_wait (self->blocks, block);
    assert (!rc); /* the feed outlives commit */
    (void) rc;
}

void feed_put_leaves (struct feed *self, int64_t first,
                      const struct hash *leaves, size_t count) {
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < FEED_LEAVES_MAX ? count - done : FEED_LEAVES_MAX;
        struct feed_block *block = feed_block_new();
        block->kind = FEED_LEAVES;
        feed_leaves_write (&block->octets, first + (int64_t) done,
                           leaves + done, n);
        feed_put (self, block);
    }
}

void feed_put_note (struct feed *self, enum feed_kind kind, struct slice note) {
    assert (kind == FEED_CHECKPOINT || kind == FEED_COSIGNATURES);
    struct feed_block *block = feed_block_new();
    block->kind = kind;
    buf_add_slice (&block->octets, note);
    feed_put (self, block);
}
