/* follow - the list of streams, their tags, and what is asked for when. */
#include "follow_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/topic.h"
#include "store/records.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#define RETRY_MAX_MS 600000
/* A block between the streams' reply and the moment when the subscription
 * holds would show only with the next head: asked for once more. */
#define CONFIRM_MS 500
#define AGAIN_MS 200 /* the next generation is announced, not there yet */
#define AGAIN_MAX 5  /* so often: then the desk is believed, not who spoke */

struct follow *follow_new (struct core *core) {
    struct follow *self = mem_alloc (sizeof *self);
    self->core = core;
    self->streams_at = -1;
    return self;
}

/* Streams */

void stream_stop (struct stream *self, int64_t least_ms, const char *why) {
    if (self->tries < 16)
        self->tries++;
    int64_t wait = least_ms << (self->tries - 1);
    if (wait > RETRY_MAX_MS)
        wait = RETRY_MAX_MS;
    self->retry = clock_mono_ms() + wait;
    snprintf (self->problem, sizeof self->problem, "%s", why);
}

struct stream *stream_by_name (struct follow *self, struct slice name) {
    for (struct stream *s = self->streams; s; s = s->next)
        if (slice_is (name, s->name))
            return s;
    return NULL;
}

struct stream *stream_by_tag (struct follow *self, const uint8_t *tag) {
    for (struct stream *s = self->streams; s; s = s->next)
        if (memcmp (s->key.tag, tag, TAG_SIZE) == 0)
            return s;
    return NULL;
}

static void stream_free (struct follow *self, struct stream *stream) {
    fill_pending_drop (self, stream);
    sodium_memzero (&stream->key, sizeof stream->key);
    free (stream);
}

static void streams_free (struct follow *self) {
    while (self->streams) {
        struct stream *gone = self->streams;
        self->streams = gone->next;
        stream_free (self, gone);
    }
    self->count = 0;
}

void follow_destroy (struct follow **self_p) {
    if (!self_p || !*self_p)
        return;
    struct follow *self = *self_p;
    *self_p = NULL;
    follow_end (self);
    streams_free (self);
    buf_free (&self->plain);
    free (self);
}

/* Begin and end of a connection */

void follow_end (struct follow *self) {
    sock_close (&self->feed);
    self->streams_call = 0;
    self->streams_at = -1;
    self->fetches = 0;
    self->generation = self->wanted = 0;
    self->again = 0;
    self->core->log_whole = false;
    /* The list stays for status; tags and what was in flight go. */
    for (struct stream *s = self->streams; s; s = s->next) {
        fill_pending_drop (self, s);
        sodium_memzero (&s->key, sizeof s->key);
        s->call = 0;
        s->waits = false;
        s->hidden_last = 0;
        s->frame = 0;
    }
}

enum err follow_begin (struct follow *self, const char *endpoint,
                       const struct sock_options *options, struct error *e) {
    follow_end (self);
    self->feed = sock_new (self->core->context, SOCK_FEED_CLIENT, options, e);
    if (!self->feed || sock_connect (self->feed, endpoint, e)) {
        sock_close (&self->feed);
        return e->code = ERR_STATE;
    }
    self->heard = self->streams_at = clock_mono_ms();
    return ERR_NONE;
}

void follow_reload (struct follow *self) {
    follow_end (self);
    fill_reload (self);
}

void *follow_socket (struct follow *self) {
    return self->feed;
}

/* The streams' reply */

static enum err subscribe (struct follow *self, int option,
                           const struct stream *stream, struct error *e) {
    if (zmq_setsockopt (self->feed, option, stream->key.tag, TAG_SIZE) == 0)
        return ERR_NONE;
    error_sys (e, errno, "subscribe to %s", stream->name);
    return e->code = ERR_STATE;
}

/* Of direct streams only our own entity's: an ad-hoc record that names another
 * one too has another number there. */
static bool stream_name_valid (struct slice name, const char *delegation) {
    size_t entity = strcspn (delegation, "/");
    if (name.size > 0 && name.data[0] == '@')
        return slice_equal (slice_of (name.data + 1, name.size - 1),
                            slice_of (delegation, entity));
    return slice_is (name, CHANNEL_LOG) || channel_name_valid (name);
}

static struct stream *stream_add (struct follow *self, struct slice name) {
    struct stream *stream = mem_alloc (sizeof *stream), **at = &self->streams;
    memcpy (stream->name, name.data, name.size);
    stream->pending_end = &stream->pending;
    stream->quiet = clock_mono_ms();
    stream->held = records_stream_upto (self->core->store, stream->name);
    stream->sequence = -1;
    while (*at)
        at = &(*at)->next;
    *at = stream;
    self->count++;
    return stream;
}

struct stream *stream_open (struct follow *self, struct slice name) {
    struct stream *stream = stream_by_name (self, name);
    if (stream)
        return stream;
    stream = stream_add (self, name);
    stream->upto = stream->last = stream->held;
    return stream;
}

/* Take over tag and key; *fresh where it had another. */
static enum err stream_take (struct follow *self,
                             const struct wire_stream *wire, bool *fresh,
                             struct error *e) {
    struct core *core = self->core;
    if (!stream_name_valid (wire->name, core->delegation))
        return error_set (e, ERR_MALFORMED, "a stream with the name %s",
                          log_octets (wire->name.data, wire->name.size));
    struct stream *stream = stream_by_name (self, wire->name);
    if (!stream)
        stream = stream_add (self, wire->name);
    stream->listed = true;
    stream->last = wire->last;
    enum err rc = ERR_NONE;
    if (memcmp (&stream->key, &wire->key, sizeof wire->key) != 0) {
        *fresh = true;
        if (!sodium_is_zero (stream->key.tag, TAG_SIZE))
            rc = subscribe (self, ZMQ_UNSUBSCRIBE, stream, e);
        stream->key = wire->key;
        stream->frame = 0;
        stream->quiet = clock_mono_ms();
        stream->tries = 0;
        stream->retry = 0;
        stream->upto = records_stream_upto (core->store, stream->name);
        stream->sequence = -1;
        if (!rc)
            rc = subscribe (self, ZMQ_SUBSCRIBE, stream, e);
    }
    /* Not `upto`: a frame may have overtaken the reply. */
    if (rc || stream->last >= stream->held)
        return rc;
    char text[256];
    snprintf (text, sizeof text,
              "the broker's stream %s ends at %" PRId64
              ", but this agent holds "
              "numbers above: its ledger lacks records that it gave out",
              stream->name, stream->last);
    return core_notice (core, "LEDGER-BEHIND", true, text, (struct slice){ 0 },
                        e);
}

/* Streams that the reply does not list any more. */
static enum err unlisted_drop (struct follow *self, struct error *e) {
    struct stream **at = &self->streams;
    enum err rc = ERR_NONE;
    while (*at) {
        struct stream *stream = *at;
        if (stream->listed) {
            at = &stream->next;
            continue;
        }
        if (!rc && !sodium_is_zero (stream->key.tag, TAG_SIZE))
            rc = subscribe (self, ZMQ_UNSUBSCRIBE, stream, e);
        *at = stream->next;
        stream_free (self, stream);
        self->count--;
    }
    return rc;
}

static enum err streams_take (struct follow *self, const struct reply *reply,
                              struct error *e) {
    int64_t generation;
    struct wire_stream *list = NULL;
    size_t count;
    if (reply->count != 1)
        return error_set (e, ERR_MALFORMED, "a streams reply of %zu frames",
                          reply->count);
    enum err rc =
        wire_streams_read (reply->frames[0], &generation, &list, &count, e);
    bool fresh = false, log = false;
    for (size_t i = 0; i < count && !rc; i++)
        log = log || slice_is (list[i].name, CHANNEL_LOG);
    if (!rc && !log)
        rc = error_set (e, ERR_MALFORMED, "streams without $log");
    for (struct stream *s = self->streams; s; s = s->next)
        s->listed = false;
    /* Numbers are taken from the store. */
    if (!rc)
        rc = core_commit (self->core, e);
    for (size_t i = 0; !rc && i < count; i++)
        rc = stream_take (self, &list[i], &fresh, e);
    if (!rc)
        rc = unlisted_drop (self, e);
    free (list);
    if (rc)
        return rc;
    self->generation = generation;
    bool next = self->wanted > generation && ++self->again < AGAIN_MAX;
    if (!next) {
        self->wanted = generation;
        self->again = 0;
    }
    if (fresh)
        self->streams_at = clock_mono_ms() + CONFIRM_MS;
    self->core->changed = true;
    return ERR_NONE;
}

enum err follow_reply (struct follow *self, const struct reply *reply,
                       struct error *e) {
    if (reply->type == WIRE_FETCH)
        return fill_reply (self, reply, e);
    self->streams_call = 0;
    if (!reply->refused)
        return streams_take (self, reply, e);
    char text[REFUSAL_TEXT_MAX];
    return error_set (e, ERR_STATE, "no streams: %s",
                      refusal_print (&reply->refusal, text));
}

/* Asking */

static bool behind (const struct stream *self) {
    return self->upto < self->last || self->check || self->waits;
}

bool follow_filled (const struct follow *self) {
    for (const struct stream *s = self->streams; s; s = s->next)
        if (s->upto < s->last)
            return false;
    return self->count > 0 && self->generation > 0;
}

/* At once for the next generation, but not in a circle while it is announced
 * and not there. */
static enum err streams_ask (struct follow *self, int64_t now,
                             struct error *e) {
    int64_t again = self->streams_asked + (AGAIN_MS << self->again);
    if (self->wanted > self->generation
        && (self->streams_at < 0 || self->streams_at > again))
        self->streams_at = again;
    if (self->streams_call || self->streams_at < 0 || now < self->streams_at)
        return ERR_NONE;
    enum err rc = calls_send (self->core->calls, WIRE_STREAMS, NULL, 0,
                              &self->streams_call, e);
    if (rc)
        return rc;
    for (struct stream *s = self->streams; s; s = s->next)
        s->held = records_stream_upto (self->core->store, s->name);
    self->streams_asked = now;
    self->streams_at = -1;
    return ERR_NONE;
}

/* Those that wait for a roster try again when `$log` has all. */
static enum err waiting_try (struct follow *self, const struct stream *log,
                             struct error *e) {
    enum err rc = ERR_NONE;
    if (log->upto < log->last || log->call)
        return ERR_NONE;
    for (struct stream *s = self->streams; !rc && s; s = s->next) {
        if (!s->waits || log->check)
            continue;
        s->waits = false;
        s->check = true;
        rc = fill_pending (self, s, e);
    }
    return rc;
}

void log_whole_note (struct follow *self) {
    const struct stream *log = stream_by_name (self, slice_text (CHANNEL_LOG));
    self->core->log_whole = self->generation > 0 && log
                            && log->upto >= log->last && !log->check
                            && !log->pending;
}

static void silence_check (struct follow *self, int64_t now) {
    for (struct stream *s = self->streams; s; s = s->next)
        if (now - s->quiet > FOLLOW_SILENCE_MS) {
            s->check = true;
            s->quiet = now;
        }
}

/* The one that was asked for longest ago. */
static struct stream *fetch_next (struct follow *self, int64_t now,
                                  const struct stream *only) {
    struct stream *next = NULL;
    for (struct stream *s = self->streams; s; s = s->next)
        if (!s->call && !s->hidden_last && behind (s) && now >= s->retry
            && (!only || s == only) && (!next || s->asked_at < next->asked_at))
            next = s;
    return next;
}

static enum err fetches_ask (struct follow *self, int64_t now,
                             const struct stream *log, struct error *e) {
    /* Only `$log` while it lacks something: it has the rosters. Where it can't
     * go on, others may, under the rosters that are known. */
    bool log_first = log->upto < log->last && log->tries == 0;
    while (self->fetches < FOLLOW_FETCHES) {
        struct stream *next = fetch_next (self, now, log_first ? log : NULL);
        if (!next)
            break;
        enum err rc = fill_fetch (self, next, e);
        if (rc)
            return rc;
        next->asked_at = now;
    }
    return ERR_NONE;
}

enum err follow_tick (struct follow *self, int64_t now, struct error *e) {
    if (now - self->heard > FOLLOW_DEAF_MS)
        return error_set (e, ERR_TIMEOUT, "the feed is silent for %d s",
                          FOLLOW_DEAF_MS / 1000);
    enum err rc = streams_ask (self, now, e);
    const struct stream *log = stream_by_name (self, slice_text (CHANNEL_LOG));
    if (rc || !log || !self->generation)
        return rc == ERR_FULL ? ERR_NONE : rc;
    silence_check (self, now);
    rc = waiting_try (self, log, e);
    if (!rc)
        rc = hidden_try (self, log, e);
    if (!rc)
        rc = fetches_ask (self, now, log, e);
    log_whole_note (self);
    if (!rc)
        rc = doubt_own_tick (self, now, e);
    return rc == ERR_FULL ? ERR_NONE : rc; /* later, then */
}

const char *follow_stream (const struct follow *self, size_t n, int64_t *upto,
                           bool *newer) {
    const struct stream *s = self->generation > 0 ? self->streams : NULL;
    while (s && n-- > 0)
        s = s->next;
    if (!s)
        return NULL;
    *upto = s->upto;
    *newer = s->newer;
    return s->name;
}

void follow_check (struct follow *self, const char *stream) {
    struct stream *s = stream_by_name (self, slice_text (stream));
    if (s)
        s->check = true;
}

void follow_retry (struct follow *self) {
    self->streams_at = clock_mono_ms();
    for (struct stream *s = self->streams; s; s = s->next) {
        s->retry = 0;
        s->tries = 0;
        s->check = true;
    }
}

void follow_status (const struct follow *self, struct link_status *out) {
    out->stream_count = 0;
    for (const struct stream *s = self->streams;
         s && out->stream_count < LINK_STREAMS_MAX; s = s->next) {
        struct link_stream_status *to = &out->streams[out->stream_count++];
        snprintf (to->name, sizeof to->name, "%s", s->name);
        snprintf (to->problem, sizeof to->problem, "%s", s->problem);
        to->upto = s->upto;
        to->last = s->last > s->upto ? s->last : s->upto;
        to->heard_ms = s->heard;
    }
}
