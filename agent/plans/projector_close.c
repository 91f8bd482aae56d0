/* projector_close - a thread past its end is closed by its proposer's agent, and
 * where two hours past its deadline nobody did, by a party's (threads/THREADS.md
 * section 6). A deadline is acted on only at a settled mark. Once: the outbox
 * knows the close by its key, and the ledger by its record. */
#include "projector_impl.h"

#include "base/log.h"
#include "link/link.h"
#include "store/outbox.h"
#include "threads/threads.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct due {
    struct thread_place place;
    struct hash version;
    json_t *body;
};
struct dues {
    size_t count;
    struct due *at;
};

static json_t *body_make (const struct thread *thread,
                          const struct thread_version *version,
                          enum thread_outcome outcome,
                          const struct thread_entry *const *stances,
                          size_t count) {
    char id[HASH_TEXT_MAX], entity[ENTITY_MAX + 1];
    json_t *said = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new (
            said, origin_entity (entity, &stances[i]->origin),
            json_string (hash_text (id, &stances[i]->origin.id)));
    return json_pack ("{si ss ss ss ss so}", "format", 1, "thread",
                      thread->place.id, "does", "close", "version",
                      hash_text (id, &version->entry->origin.id), "outcome",
                      thread_outcome_name (outcome), "stances", said);
}

/* The one whose delegation proposed the version goes first. */
static bool is_ours (const struct projector *self,
                     const struct thread_version *version, int64_t now_ms) {
    const struct proposal *proposal = version->proposal;
    return strcmp (version->entry->origin.author, self->options.delegation) == 0
           || now_ms - proposal->deadline.ms > TALLY_LATE_MS + TALLY_OTHERS_MS;
}

static void thread_look (const struct projector *self, struct dues *out,
                         const struct thread *thread, const char *entity,
                         int64_t now_ms) {
    const struct thread_version *version = thread_current (thread);
    const struct thread_entry *stances[SAY_INVITED_MAX + 1];
    enum thread_outcome outcome;
    size_t count = 0;
    if (!version || !version->proposal->has_deadline
        || !thread_kind_decides (thread->place.kind)
        || !tally_past_end (true, version->proposal->deadline.ms, now_ms)
        || !is_ours (self, version, now_ms)
        || !thread_close_due (thread, entity, now_ms, &outcome, stances,
                              SAY_INVITED_MAX + 1, &count))
        return;
    out->at = mem_resize (out->at, (out->count + 1) * sizeof *out->at);
    out->at[out->count++] = (struct due){
        .place = thread->place,
        .version = version->entry->origin.id,
        .body = body_make (thread, version, outcome, stances, count),
    };
}

/* Copies, since the threads are let go of. */
static struct dues dues_find (struct projector *self, int64_t now_ms) {
    struct dues out = { 0 };
    char entity[ENTITY_MAX + 1];
    struct origin us = { 0 };
    snprintf (us.author, sizeof us.author, "%s", self->options.delegation);
    origin_entity (entity, &us);
    pthread_rwlock_rdlock (&self->lock);
    for (size_t i = 0; i < threads_count (self->threads); i++)
        thread_look (self, &out, threads_at (self->threads, i), entity, now_ms);
    pthread_rwlock_unlock (&self->lock);
    return out;
}

static enum err close_put (struct projector *self, const struct due *due,
                           bool *repeated, struct error *e) {
    char id[HASH_TEXT_MAX], key[HASH_TEXT_MAX + 16], topic[TOPIC_MAX + 1];
    int64_t number;
    struct buf content = { 0 };
    snprintf (key, sizeof key, "threads/close/%s",
              hash_text (id, &due->version));
    thread_topic (topic, &due->place);
    enum err rc = mp_from_json (&content, due->body, CONTENT_MAX, e);
    if (!rc)
        rc = outbox_add (self->writer, key, slice_text (topic), BODY_MAP,
                         buf_slice (&content), NULL, 0, &number, repeated, e);
    buf_free (&content);
    /* It was closed in other words before: the ledger judges those. */
    *repeated |= rc == ERR_EXISTS;
    return rc == ERR_EXISTS ? ERR_NONE : rc;
}

static bool dues_put (struct projector *self, const struct dues *dues) {
    bool said = false;
    struct error e;
    for (size_t i = 0; i < dues->count; i++) {
        bool repeated = false;
        if (!projector_may_write (self, dues->at[i].place.channel))
            continue;
        enum err rc = projector_writer (self, &e);
        if (!rc)
            rc = close_put (self, &dues->at[i], &repeated, &e);
        if (rc) {
            log_limited (LOG_WARN, "THREAD-CLOSE", "", "thread=%s why=%s",
                         dues->at[i].place.id, log_text (e.text));
            return said;
        }
        if (!repeated)
            log_info ("THREAD-CLOSE", "thread=%s", dues->at[i].place.id);
        said |= !repeated;
    }
    return said;
}

/* The newest mark that is settled and below which every stream is held: with
 * less, a close might say something false. */
static int64_t now_of (struct projector *self, int64_t *mark) {
    int64_t now_ms = projector_settled (self, mark);
    pthread_mutex_lock (&self->mutex);
    if (self->mark < *mark) {
        *mark = self->mark;
        now_ms = self->mark_ms;
    }
    pthread_mutex_unlock (&self->mutex);
    return now_ms;
}

void projector_close_due (struct projector *self) {
    int64_t mark, now_ms = now_of (self, &mark);
    if (!self->present || mark < 0 || mark == self->closed_mark)
        return;
    struct dues dues = dues_find (self, now_ms);
    if (dues_put (self, &dues) && self->options.link)
        link_wake (self->options.link);
    for (size_t i = 0; i < dues.count; i++)
        json_decref (dues.at[i].body);
    free (dues.at);
    self->closed_mark = mark;
}
