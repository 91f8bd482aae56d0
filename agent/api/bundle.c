/* bundle - which blocks an export shows, and how much of them. */
#include "api/bundle.h"

#include "api/http_impl.h"
#include "api/problem.h"
#include "link/link.h"
#include "store/claims.h"

#include <stdlib.h>

struct bundle_choice {
    struct bundle_meta limits;
    bool headers, timed;
    int64_t last;
    char direct[MARK_NAME_MAX];                 /* our own stream */
    struct bundle_span spans[LINK_STREAMS_MAX]; /* if timed; by no order */
    size_t count;
};

/* The query */

static bool author_read (struct request *r, struct bundle_meta *out) {
    const char *author = request_query (r, "author");
    if (!author)
        return true;
    if (!entity_valid (slice_text (author))
        && !delegation_valid (slice_text (author))) {
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "author",
                            "'author' is '%.80s': no entity, no delegation",
                            author);
        return false;
    }
    snprintf (out->author, sizeof out->author, "%s", author);
    return true;
}

static bool filter_read (struct request *r, struct bundle_meta *out) {
    char *filter;
    if (!request_query_filter (r, "filter", &filter))
        return false;
    snprintf (out->filter, sizeof out->filter, "%s", filter ? filter : "#");
    free (filter);
    return true;
}

static bool query_read (struct request *r, struct bundle_choice *self) {
    struct bundle_meta *limits = &self->limits;
    int64_t headers;
    if (!filter_read (r, limits) || !author_read (r, limits)
        || !request_query_time (r, "since", 0, &limits->since)
        || !request_query_time (r, "until", 0, &limits->until)
        || !request_query_int (r, "headers", 0, 0, 1, &headers)
        || !request_query_int (r, "last", NUMBER_MAX - 1, 0, NUMBER_MAX - 1,
                               &self->last))
        return false;
    if (limits->until && limits->since > limits->until) {
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "until",
                            "'until' is before 'since'");
        return false;
    }
    self->headers = headers == 1;
    self->timed = limits->since || limits->until;
    return true;
}

/* Marks around the time */

struct looking {
    struct bundle_choice *choice;
    struct store *store;
};

/* Where there is no such mark, the stream is shown from its first record, or to
 * its last. */
static enum err span_find (void *arg, const char *stream, struct error *e) {
    struct looking *self = arg;
    struct bundle_choice *choice = self->choice;
    const struct bundle_meta *limits = &choice->limits;
    struct buf claim = { 0 };
    enum err rc = ERR_NONE;
    if (choice->count == LINK_STREAMS_MAX)
        return ERR_NONE;
    struct bundle_span *span = &choice->spans[choice->count++];
    snprintf (span->stream, sizeof span->stream, "%s", stream);
    span->after = -1;
    span->before = INT64_MAX;
    if (limits->since)
        rc = claims_around (self->store, stream, limits->since, false,
                            choice->last, &span->after, &claim, e);
    if ((!rc || rc == ERR_NOT_FOUND) && limits->until)
        rc = claims_around (self->store, stream, limits->until, true,
                            choice->last, &span->before, &claim, e);
    buf_free (&claim);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

struct bundle_choice *bundle_choice_read (struct request *r,
                                          struct store *store) {
    struct bundle_choice *self = mem_alloc (sizeof *self);
    struct looking looking = { self, store };
    struct error e = { 0 };
    const char *own = r->http->options.delegation;
    snprintf (self->direct, sizeof self->direct, "@%.*s",
              (int) strcspn (own, "/"), own);
    bool good = query_read (r, self);
    if (good && self->timed
        && claims_streams (store, span_find, &looking, &e)) {
        problem_error (r, &e);
        good = false;
    }
    if (!good)
        bundle_choice_free (&self);
    return self;
}

void bundle_choice_free (struct bundle_choice **self_p) {
    free (*self_p);
    *self_p = NULL;
}

const struct bundle_meta *bundle_choice_limits (
    const struct bundle_choice *self) {
    return &self->limits;
}

int64_t bundle_choice_last (const struct bundle_choice *self) {
    return self->last;
}

/* Blocks */

/* For a stream of which no mark is known. */
static bool in_time (const struct bundle_choice *self,
                     const struct block *block) {
    const struct bundle_meta *limits = &self->limits;
    int64_t first = -1, last = -1;
    struct record record;
    struct block_walk walk;
    block_walk (block, &walk);
    while (block_next (&walk)) {
        enum err rc = record_read (walk.record, &record, NULL);
        if (rc && rc != ERR_NEWER)
            continue;
        first = first < 0 ? record.log_time : first;
        last = record.log_time;
    }
    return last >= limits->since && (!limits->until || first <= limits->until);
}

/* Of a newer format the channel can be read all the same; what has none, which no
 * store holds, is as $log. */
static const char *stream_of (const struct bundle_choice *self,
                              const struct block *block,
                              char out[MARK_NAME_MAX]) {
    struct record first;
    struct block_walk walk;
    block_walk (block, &walk);
    enum err rc = block_next (&walk) ? record_read (walk.record, &first, NULL)
                                     : ERR_MALFORMED;
    if (rc && rc != ERR_NEWER)
        return CHANNEL_LOG;
    if (channel_is_adhoc (first.channel))
        return self->direct;
    snprintf (out, MARK_NAME_MAX, "%.*s", (int) first.channel.size,
              (const char *) first.channel.data);
    return out;
}

/* false: with times, of a stream that no mark is known of. */
static bool span_of (const struct bundle_choice *self, const char *stream,
                     struct bundle_span *out) {
    *out = (struct bundle_span){ .after = -1, .before = INT64_MAX };
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->spans[i].stream, stream) == 0) {
            *out = self->spans[i];
            return true;
        }
    return !self->timed;
}

static bool taken (const struct bundle_choice *self, struct slice octets) {
    struct record record;
    struct message message;
    return !record_read (octets, &record, NULL) && record.type == RECORD_MESSAGE
           && !record_message (&record, &message, NULL)
           && bundle_takes (&self->limits, &message);
}

static bool any_taken (const struct bundle_choice *self,
                       const struct block *block) {
    struct block_walk walk;
    block_walk (block, &walk);
    while (block_next (&walk))
        if (taken (self, walk.record))
            return true;
    return false;
}

bool bundle_shows (const struct bundle_choice *self,
                   const struct block *block) {
    char name[MARK_NAME_MAX];
    struct bundle_span span;
    const char *stream = stream_of (self, block, name);
    if (strcmp (stream, CHANNEL_LOG) == 0)
        return true;
    bool known = span_of (self, stream, &span);
    if (block->first_sequence < span.after
        || block->first_sequence > span.before
        || (!known && !in_time (self, block)))
        return false;
    if (bundle_takes_all (&self->limits, stream)
        || (self->headers && bundle_touches (&self->limits, stream)))
        return true;
    return any_taken (self, block);
}

bool bundle_shows_all (const struct bundle_choice *self, const char *stream,
                       struct bundle_span *out) {
    (void) span_of (self, stream, out);
    return bundle_takes_all (&self->limits, stream)
           || (self->headers && bundle_touches (&self->limits, stream));
}

/* Bodies of what it is not limited to stay out. */
static enum err thin (const struct bundle_choice *self,
                      const struct block *block, struct block_writer *writer,
                      struct buf *out, struct error *e) {
    bool *kept = mem_alloc (block->count * sizeof *kept);
    struct block_walk walk;
    block_walk (block, &walk);
    while (block_next (&walk))
        kept[walk.index] = taken (self, walk.record);
    enum err rc = block_thin (block, kept, writer, out, e);
    free (kept);
    return rc;
}

enum err bundle_block_put (const struct bundle_choice *self,
                           const struct block *block,
                           struct block_writer *writer, struct buf *out,
                           struct error *e) {
    char name[MARK_NAME_MAX];
    struct buf part = { 0 };
    struct block b = *block;
    int64_t room = self->last - block->first_sequence + 1;
    enum err rc = ERR_NONE;
    if (room < (int64_t) block->count) {
        rc = block_cut (block, 0, (size_t) room, writer, &part, e);
        if (!rc)
            rc = block_read (buf_slice (&part), &b, e);
    }
    const char *stream = stream_of (self, block, name);
    bool all = bundle_takes_all (&self->limits, stream)
               || strcmp (stream, CHANNEL_LOG) == 0;
    if (!rc && all)
        buf_add_slice (out, b.octets);
    else if (!rc)
        rc = thin (self, &b, writer, out, e);
    buf_free (&part);
    return rc;
}

ssize_t bundle_give (const struct buf *ready, size_t *sent, char *out,
                     size_t room) {
    size_t left = ready->size - *sent;
    size_t size = left < room ? left : room;
    if (size == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    memcpy (out, ready->data + *sent, size);
    *sent += size;
    return (ssize_t) size;
}
