/* events - server-sent events, by cursor. */
#include "api/events.h"

#include "api/http_impl.h"
#include "api/json_link.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/resources.h"
#include "base/clock.h"
#include "base/log.h"
#include "plans/projector.h"

#include <inttypes.h>
#include <stdlib.h>

/* Below the 30 s after which proxies and people think a feed is dead. */
#define KEEP_ALIVE_MS 15000

/* JSON without newlines is one line of data. */
static void event_write (struct buf *out, const char *name, const char *run,
                         int64_t position, json_t *data) {
    char *text = data ? json_dumps (data, JSON_COMPACT) : NULL;
    json_decref (data);
    buf_add_format (out, "event: %s\n", name);
    if (position >= 0)
        buf_add_format (out, "id: %s-%" PRId64 "\n", run, position);
    buf_add_text (out, "data: ");
    buf_add_text (out, text ? text : "{}");
    buf_add_text (out, "\n\n");
    free (text);
}

static void gap_write (struct events *self, int64_t last, struct buf *out) {
    json_t *data = json_pack (
        "{sI sI ss}", "from", (json_int_t) (last + 1), "to",
        (json_int_t) self->position, "reason",
        "the store has no such positions: it was restored or made anew. What "
        "follows may have come before");
    self->position = last;
    self->lost = false;
    event_write (out, "gap", self->run, last, data);
}

static enum err records_write (struct events *self, struct store *store,
                               struct buf *out, struct error *e) {
    struct records_query query = { .filter = self->filter,
                                   .log = self->log,
                                   .after = self->position,
                                   .to_sequence = -1,
                                   .to_ms = -1,
                                   .limit = EVENTS_RECORDS_MAX };
    struct records_cursor *cursor = records_open (store, &query, e);
    if (!cursor)
        return e->code;
    struct record_row row;
    enum err rc = ERR_NONE;
    while (out->size < EVENTS_OCTETS_MAX
           && !(rc = records_next (cursor, &row, e))) {
        event_write (out, "record", self->run, row.position,
                     json_record (&row));
        self->position = row.position;
    }
    records_close (&cursor);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err events_write (struct events *self, struct store *store,
                       struct buf *out, struct error *e) {
    int64_t last = records_last_position (store);
    if (self->lost || self->position > last) {
        gap_write (self, self->lost ? self->common : last, out);
        return ERR_NONE;
    }
    enum err rc = ERR_NONE;
    size_t before = out->size;
    if (self->position < last)
        rc = records_write (self, store, out, e);
    /* The rest up to there is not for this filter: not to be looked at again */
    if (!rc && out->size == before)
        self->position = last;
    return rc;
}

/* The feed of one connection. */
struct feed {
    struct http *http;
    struct MHD_Connection *connection;
    struct events events;
    char *filter;
    struct buf ready; /* being sent */
    size_t sent;
    int phase;          /* of the link, as it was told last */
    int64_t generation; /* of the model of plans, the same; -1: not known */
    int64_t threads_generation;
    int64_t alive_ms; /* monotonic: when a sign of life is due */
};

static void status_write (struct feed *self) {
    struct link_status *status = json_link_status (&self->http->options);
    if ((int) status->phase != self->phase) {
        self->phase = (int) status->phase;
        event_write (&self->ready, "status", "", -1, json_link (status));
    }
    free (status);
}

static void change_add (void *arg, const struct model_change *change) {
    json_array_append_new (
        arg,
        json_pack ("{ss? ss sI}", "plan", change->what[0] ? change->what : NULL,
                   "kind", content_kind_name (change->kind), "sequence",
                   (json_int_t) change->sequence));
}

/* What plans say has changed. `lost`: more than is remembered. */
static void plans_write (struct feed *self) {
    struct projector *projector = self->http->options.projector;
    const struct model *model =
        projector ? projector_read (projector, 0) : NULL;
    if (!model)
        return;
    int64_t generation = model_generation (model), before = self->generation;
    json_t *changes = NULL;
    bool known = true;
    self->generation = generation;
    if (before >= 0 && before != generation) {
        changes = json_array();
        known = model_changes (model, before, change_add, changes);
    }
    projector_release (projector);
    if (changes)
        event_write (&self->ready, "plans", "", -1,
                     json_pack ("{sI so sb}", "generation",
                                (json_int_t) generation, "changes", changes,
                                "lost", !known));
}

static void thread_change_add (void *arg, const struct threads_change *change) {
    struct slice topic = slice_text (change->topic);
    struct faults faults = { 0 };
    struct thread_place place;
    if (thread_place_read (topic, &place, &faults))
        json_array_append_new (
            arg, json_pack ("{ss ss ss sI}", "topic", change->topic, "id",
                            place.id, "kind", thread_kind_name (place.kind),
                            "sequence", (json_int_t) change->sequence));
    faults_clear (&faults);
}

static void threads_write (struct feed *self) {
    struct projector *projector = self->http->options.projector;
    if (!projector || !projector_read (projector, 0))
        return;
    const struct threads *threads = projector_threads (projector);
    int64_t generation = threads_generation (threads);
    int64_t before = self->threads_generation;
    json_t *changes = NULL;
    bool known = true;
    self->threads_generation = generation;
    if (before >= 0 && before != generation) {
        changes = json_array();
        known = threads_changes (threads, before, thread_change_add, changes);
    }
    projector_release (projector);
    if (changes)
        event_write (&self->ready, "threads", "", -1,
                     json_pack ("{sI so sb}", "generation",
                                (json_int_t) generation, "changes", changes,
                                "lost", !known));
}

static enum err feed_look (struct feed *self, struct error *e) {
    struct store *store = handles_take (&self->http->handles, e);
    if (!store)
        return e->code;
    enum err rc = events_write (&self->events, store, &self->ready, e);
    handles_give (&self->http->handles, &store);
    if (!rc) {
        status_write (self);
        plans_write (self);
        threads_write (self);
    }
    return rc;
}

/* Until there is something to send; false: it ends. */
static bool feed_fill (struct feed *self) {
    struct wake *wake = &self->http->wake;
    struct error e = { 0 };
    buf_clear (&self->ready);
    self->sent = 0;
    while (!wake_stopping (wake) && !connection_gone (self->connection)) {
        uint64_t seen = wake_number (wake);
        if (feed_look (self, &e)) {
            log_limited (LOG_ERROR, "API-FEED", "", "why=%s",
                         log_text (e.text));
            return false;
        }
        if (self->ready.size == 0 && clock_mono_ms() >= self->alive_ms)
            buf_add_text (&self->ready, ": still here\n\n");
        if (self->ready.size > 0) {
            self->alive_ms = clock_mono_ms() + KEEP_ALIVE_MS;
            return true;
        }
        int64_t until = clock_mono_ms() + GONE_MS;
        wake_wait (wake, seen, until < self->alive_ms ? until : self->alive_ms);
    }
    return false;
}

/* MHD asks when the client can take more. */
static ssize_t on_room (void *cls, uint64_t at, char *out, size_t room) {
    struct feed *self = cls;
    (void) at;
    if (self->sent == self->ready.size && !feed_fill (self))
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t left = self->ready.size - self->sent;
    size_t size = left < room ? left : room;
    memcpy (out, self->ready.data + self->sent, size);
    self->sent += size;
    return (ssize_t) size;
}

static void on_gone (void *cls) {
    struct feed *self = cls;
    wake_leave (&self->http->wake);
    buf_free (&self->ready);
    free (self->filter);
    free (self);
}

/* "RUN-POSITION". */
static bool id_read (struct store *store, const char *text,
                     struct events *out) {
    char run[STORE_RUN_MAX];
    const char *dash = strchr (text, '-');
    if (!dash || (size_t) (dash - text) != sizeof run - 1
        || strspn (text, "0123456789abcdef") != sizeof run - 1
        || !decimal_read (dash + 1, &out->position))
        return false;
    memcpy (run, text, sizeof run - 1);
    run[sizeof run - 1] = 0;
    out->common = store_common (store, run, out->position);
    out->lost = out->common < out->position;
    return true;
}

/* Where it goes on: Last-Event-ID, which a browser sends by itself, before
 * `after`, before now. */
static bool cursor_read (struct request *r, struct store *store,
                         struct events *out) {
    if (!request_query_int (r, "after", records_last_position (store), 0,
                            INT64_MAX, &out->position))
        return false;
    const char *last = request_header (r, "Last-Event-ID");
    if (!last || id_read (store, last, out))
        return true;
    problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "Last-Event-ID",
                        "Last-Event-ID is '%.40s': not an id of an event",
                        last);
    return false;
}

static struct feed *feed_new (struct request *r) {
    static const char *const flags[] = { "0", "1", NULL };
    struct store *store = request_reader (r);
    struct events events = { .run = r->http->run };
    int log;
    char *filter;
    if (!store || !cursor_read (r, store, &events)
        || !request_query_word (r, "log", flags, 0, &log)
        || !request_query_filter (r, "filter", &filter))
        return NULL;
    struct feed *self = mem_alloc (sizeof *self);
    struct link_status *status = json_link_status (&r->http->options);
    self->http = r->http;
    self->connection = r->connection;
    self->filter = filter;
    self->events = events;
    self->events.filter = filter;
    self->events.log = log == 1;
    self->phase = (int) status->phase;
    self->generation = self->threads_generation = -1;
    plans_write (self); /* from here on */
    threads_write (self);
    self->alive_ms = clock_mono_ms() + KEEP_ALIVE_MS;
    /* So that the client has the headers at once. */
    buf_add_text (&self->ready, ": parley\n\n");
    free (status);
    return self;
}

void events_get (struct request *r) {
    struct feed *feed = feed_new (r);
    if (!feed)
        return;
    if (!wake_enter (&r->http->wake)) {
        free (feed->filter);
        buf_free (&feed->ready);
        free (feed);
        problem_reply (r, PROBLEM_BUSY, "%d clients wait already", WAITERS_MAX);
        return;
    }
    reply_response (r, 200, "text/event-stream; charset=utf-8",
                    MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, 32768,
                                                       on_room, feed, on_gone));
}
