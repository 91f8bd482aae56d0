/* fetch - answers what is read from the ledger (PROTOCOL.md sections 8.3, 8.5,
 * 8.6). One thread: what it reads is in the page cache as a rule, and a long
 * fill of one agent waits behind the others' requests only for a reply. */
#include "fetch.h"

#include "base/clock.h"
#include "base/log.h"
#include "fetch_blocks.h"
#include "fetch_marks.h"
#include "fetch_status.h"
#include "identity/rights.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct fetch {
    struct state *state;       /* borrowed */
    struct refusals *refusals; /* borrowed */
    struct notary *notary;     /* borrowed, or NULL */
    struct fetch_marks *marks; /* owned */
    struct queue *jobs;        /* owned */
    void (*reply) (void *arg, struct job *job);
    void *arg;
    pthread_t thread;
    bool started;
};

/* Ends of a request */

static void answer (struct job *job, size_t frames) {
    job->reply_type = job->head.type + WIRE_REPLY;
    job->reply_count = frames;
}

static void refuse_malformed (struct job *job, const char *place,
                              const struct error *e) {
    struct refusal why;
    refusal_malformed (&why, place, e);
    job_fail (job, &why, e->text);
}

/* Damage is met again each second until it is mended: each is said once, in a
 * row. */
static bool said_before (struct state *state, const struct error *e) {
    long long mark = (long long) hash_xxh3 (slice_text (e->text), 1);
    return atomic_exchange (&state_counts (state)->unread_said, mark) == mark;
}

static void store_say (struct state *state, const struct job *job,
                       const char *what, const struct error *e) {
    /* The index's own faults say what to do; nothing of the ledger is lost. */
    bool damaged =
        e->code == ERR_DAMAGED && !strstr (e->text, "the index's folder");
    atomic_fetch_add (&state_counts (state)->unread, 1);
    if (!said_before (state, e))
        log_limited (
            LOG_ERROR, damaged ? "LEDGER-DAMAGED" : "FETCH-FAILED", "",
            "request=%s delegation=%s why=%s%s", what,
            log_text (job->delegation), log_text (e->text),
            damaged ? " advice=\"all else is served; with the broker stopped,"
                      " parley-broker repair --config FILE BUNDLE... puts it"
                      " back from what agents export\""
                    : "");
}

/* Our own store fails: the operator has to know, the peer only that it may ask
 * again. */
static void refuse_store (struct state *state, struct job *job,
                          const char *what, const struct error *e) {
    struct refusal why;
    store_say (state, job, what, e);
    refusal_set (&why, RULE_BUSY);
    job_fail (job, &why, "the ledger could not be read; its operator was told");
}

/* Requests */

static void refuse_stream (struct job *job, struct slice stream) {
    struct refusal why;
    refusal_set (&why, RULE_UNKNOWN_STREAM);
    refusal_slice (&why, "stream", stream);
    job_fail (job, &why, "no stream of this name for this delegation");
}

static void answer_fetch (struct state *state, struct job *job) {
    struct wire_fetch wanted;
    struct error e;
    if (wire_fetch_read (job_frame (job, 0), &wanted, &e)) {
        refuse_malformed (job, "fetch", &e);
        return;
    }
    if (!fetch_may_ask (job->delegation, wanted.stream)) {
        refuse_stream (job, wanted.stream);
        return;
    }
    char name[CHANNEL_MAX + 1];
    memcpy (name, wanted.stream.data, wanted.stream.size);
    name[wanted.stream.size] = '\0';
    int64_t last;
    enum err rc = fetch_last (state, job->delegation, name, &last, &e);
    if (!rc)
        rc = fetch_blocks (state, job, name, last, &wanted, &e);
    if (rc == ERR_RIGHT)
        refuse_stream (job, wanted.stream);
    else if (rc)
        refuse_store (state, job, "fetch", &e);
    atomic_fetch_add (&state_counts (state)->fetches, 1);
}

/* The feed may not have heard of the roster that is in force by now. */
static size_t ended_drop (struct state *state, struct slice delegation,
                          struct wire_stream *streams, size_t count) {
    struct roster *now = state_roster (state, NULL);
    int64_t at = clock_wall_ms();
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct slice name = streams[i].name;
        if (name.data[0] == '@') /* its entity's own; asked as $log is */
            name = slice_text (CHANNEL_LOG);
        if (rights_ask (now, delegation, name, RIGHT_READ, at) == VERDICT_YES)
            streams[kept++] = streams[i];
    }
    roster_unref (&now);
    return kept;
}

static size_t streams_list (struct state *state, const char *delegation,
                            const struct tags *tags, struct wire_stream *out) {
    struct journal *journal = state_journal (state);
    int64_t at = clock_wall_ms();
    size_t count = 0;
    for (size_t i = 0; i < tags_count (tags); i++) {
        if (!tags_allowed (tags, i, slice_text (delegation), at))
            continue;
        const char *name = tags_name (tags, i);
        out[count++] =
            (struct wire_stream){ .name = slice_text (name),
                                  .key = *tags_key (tags, i),
                                  .last = journal_stream_last (journal, name) };
    }
    return ended_drop (state, slice_text (delegation), out, count);
}

static void answer_streams (struct state *state, struct job *job) {
    struct tags *tags = state_tags (state);
    struct wire_stream *streams =
        mem_alloc (tags_count (tags) * sizeof *streams);
    size_t count = streams_list (state, job->delegation, tags, streams);
    struct error e;
    if (fetch_readable_from (state, job->delegation, streams, count, &e)) {
        refuse_store (state, job, "streams", &e);
    } else {
        wire_streams_write (&job->reply[0], tags_generation (tags), streams,
                            count);
        answer (job, 1);
    }
    free (streams);
    tags_unref (&tags);
}

static void answer_roster (struct state *state, struct job *job) {
    int64_t version, sequence;
    struct error e;
    if (wire_roster_read (job_frame (job, 0), &version, &e)) {
        refuse_malformed (job, "roster", &e);
        return;
    }
    struct roster *roster =
        version > 0 ? state_roster_version (state, version, &sequence)
                    : state_roster (state, &sequence);
    if (!roster) {
        struct refusal why;
        refusal_set (&why, RULE_NOT_FOUND);
        job_fail (job, &why, "no roster of this version");
        return;
    }
    wire_roster_found_write (&job->reply[0], roster_version (roster), sequence);
    buf_add_slice (&job->reply[1], roster_octets (roster));
    answer (job, 2);
    roster_unref (&roster);
}

static void answer_leaves (struct state *state, struct job *job) {
    int64_t from, count;
    struct error e;
    if (wire_range_read (job_frame (job, 0), LEAVES_MAX, &from, &count, &e)) {
        refuse_malformed (job, "leaves", &e);
        return;
    }
    int64_t size = journal_size (state_journal (state));
    wire_leaves_from_write (&job->reply[0], from);
    if (from < size
        && journal_leaves (state_journal (state), from,
                           count < size - from ? count : size - from,
                           &job->reply[1], &e))
        refuse_store (state, job, "leaves", &e);
    else
        answer (job, 2);
}

static void answer_refusals (struct refusals *refusals, struct job *job) {
    int64_t from, most;
    struct error e;
    if (wire_range_read (job_frame (job, 0), REFUSALS_MAX, &from, &most, &e)) {
        refuse_malformed (job, "refusals", &e);
        return;
    }
    struct buf list = { 0 };
    size_t count =
        refusals_list (refusals, job->delegation, from, (size_t) most, &list);
    wire_refusals_begin (&job->reply[0], count);
    buf_add_slice (&job->reply[0], buf_slice (&list));
    buf_free (&list);
    answer (job, 1);
}

void fetch_answer (struct state *state, struct refusals *refusals,
                   struct job *job) {
    struct refusal why;
    switch (job->head.type) {
    case WIRE_FETCH:
        answer_fetch (state, job);
        return;
    case WIRE_STREAMS:
        answer_streams (state, job);
        return;
    case WIRE_ROSTER:
        answer_roster (state, job);
        return;
    case WIRE_REFUSALS:
        answer_refusals (refusals, job);
        return;
    case WIRE_STATUS:
        fetch_status (state, NULL, job);
        return;
    case WIRE_LEAVES:
        answer_leaves (state, job);
        return;
    default:
        refusal_set (&why, RULE_UNKNOWN_REQUEST);
        refusal_int (&why, "type", job->head.type);
        job_fail (job, &why, "no request of this type");
        return;
    }
}

/* The thread */

static void *fetch_run (void *arg) {
    struct fetch *self = arg;
    struct job *job;
    while ((job = queue_take_wait (self->jobs, -1))) {
        if (job->head.type == WIRE_STATUS)
            fetch_status (self->state, self->notary, job);
        else if (!fetch_marks_answer (self->marks, job))
            fetch_answer (self->state, self->refusals, job);
        self->reply (self->arg, job);
    }
    return NULL;
}

struct fetch *fetch_new (struct state *state, struct refusals *refusals,
                         size_t most, void (*reply) (void *arg, struct job *),
                         void *arg, struct error *e) {
    struct fetch *self = mem_alloc (sizeof *self);
    self->state = state;
    self->refusals = refusals;
    self->reply = reply;
    self->arg = arg;
    self->marks = fetch_marks_new (state);
    self->jobs = queue_new (most);
    int rc = self->jobs ? pthread_create (&self->thread, NULL, fetch_run, self)
                        : errno;
    self->started = rc == 0;
    if (rc == 0)
        return self;
    error_sys (e, rc, "start fetch");
    fetch_destroy (&self);
    return NULL;
}

void fetch_set_notary (struct fetch *self, struct notary *notary) {
    self->notary = notary;
    fetch_marks_set_notary (self->marks, notary);
}

void fetch_destroy (struct fetch **self_p) {
    if (!self_p || !*self_p)
        return;
    struct fetch *self = *self_p;
    *self_p = NULL;
    if (self->started) {
        queue_close (self->jobs);
        pthread_join (self->thread, NULL);
    }
    queue_destroy (&self->jobs);
    fetch_marks_destroy (&self->marks);
    free (self);
}

enum err fetch_put (struct fetch *self, struct job *job) {
    return queue_put (self->jobs, job);
}
