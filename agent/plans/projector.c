/* projector - the thread that keeps the model at what the store holds. Reading
 * is in projector_records.c, answers to withdrawals in projector_answer.c. */
#include "projector_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#define BATCH 256              /* records between two turns of readers */
#define BATCH_OCTETS (1 << 20) /* of their bodies; as JSON many times that */
#define LOOK_MS 30000          /* without being woken: a right may run out */

/* A portion */

struct portion {
    size_t count, octets;
    struct model_record at[BATCH];
    char *topics[BATCH], *why[BATCH];
};

static char *text_of (struct slice text) {
    struct buf out = { 0 };
    buf_add_slice (&out, text);
    return buf_take_text (&out);
}

static void portion_take (struct portion *self, const struct record_row *row) {
    struct error e;
    const char *why;
    struct model_record *record = &self->at[self->count];
    *record = (struct model_record){ 0 };
    projector_origin (row, &record->origin);
    record->document = projector_body (row, &why, &record->absent, &e);
    self->topics[self->count] = text_of (row->message.topic);
    self->why[self->count] = record->document ? NULL : mem_copy_text (why);
    record->topic = slice_text (self->topics[self->count]);
    record->why = self->why[self->count];
    self->octets += row->body.size;
    self->count++;
}

static void portion_give (struct portion *self, struct model *model) {
    for (size_t i = 0; i < self->count; i++) {
        model_add (model, &self->at[i]);
        json_decref (self->at[i].document);
        free (self->topics[i]);
        free (self->why[i]);
    }
    self->count = self->octets = 0;
}

/* Read from *position on, as much as a portion holds; *more: there may be. */
static enum err portion_fill (struct projector *self, struct portion *portion,
                              struct records_cursor *cursor, int64_t *position,
                              bool *more, struct error *e) {
    enum err rc = ERR_NONE;
    *more = true;
    while (portion->count < BATCH && portion->octets < BATCH_OCTETS) {
        struct record_row row;
        rc = records_next (cursor, &row, e);
        if (rc)
            break;
        *position = row.position;
        if (projector_may_read (self, &row))
            portion_take (portion, &row);
    }
    *more = rc == ERR_NONE;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* The rest of the index, portion by portion; true: there was something. */
static bool read_on (struct projector *self, struct model *model,
                     int64_t *position) {
    struct error e;
    bool some = false, more = true;
    struct portion *portion = mem_alloc (sizeof *portion);
    struct records_cursor *cursor =
        records_about_plans (self->store, NULL, *position, &e);
    enum err rc = cursor ? ERR_NONE : e.code;
    while (!rc && more) {
        rc = portion_fill (self, portion, cursor, position, &more, &e);
        if (portion->count == 0)
            continue;
        some = true;
        pthread_rwlock_wrlock (&self->lock);
        portion_give (portion, model);
        model_settle (model);
        pthread_rwlock_unlock (&self->lock);
    }
    if (rc)
        log_limited (LOG_ERROR, "PLANS-READ", "", "position=%" PRId64 " why=%s",
                     *position, log_text (e.text));
    records_close (&cursor);
    free (portion);
    return some;
}

/* A model anew, beside the one that is read meanwhile. What changed before is
 * not told by it: its generations go on where the old one's ended. */
static void replay (struct projector *self) {
    int64_t began = clock_mono_ms(), position = 0;
    struct model_options options = {
        .delegation = self->options.delegation,
        .load = projector_load,
        .roster = projector_roster_at,
        .arg = self,
        .generation = self->model ? model_generation (self->model) + 1 : 0,
    };
    struct model *fresh = model_new (&options);
    self->judged_count = 0;
    read_on (self, fresh, &position);
    pthread_rwlock_wrlock (&self->lock);
    struct model *old = self->model;
    self->model = fresh;
    self->status_generation = -1;
    pthread_rwlock_unlock (&self->lock);
    model_destroy (&old);
    pthread_mutex_lock (&self->mutex);
    self->position = position;
    if (!self->ready)
        self->replay_ms = clock_mono_ms() - began;
    pthread_mutex_unlock (&self->mutex);
    log_info ("PLANS-REPLAY", "subjects=%zu ms=%" PRId64,
              model_subject_count (fresh), clock_mono_ms() - began);
}

/* Marks */

/* The mark up to which every stream is held, as it was before the records are
 * read: what it counts is read then. */
static int64_t whole_mark (struct projector *self, int64_t *ms) {
    int64_t mark;
    if (!self->options.link) {
        mark = records_mark_below (self->store, INT64_MAX, ms);
        return mark;
    }
    struct link_status *status = mem_alloc (sizeof *status);
    link_status (self->options.link, status);
    mark = status->complete.mark;
    *ms = status->complete.time;
    free (status);
    return mark;
}

/* One look at the store; true: somebody may want to know. */
static bool look (struct projector *self) {
    int64_t mark_ms = 0, now_ms = 0;
    pthread_rwlock_wrlock (&self->lock);
    bool anew = projector_rosters (self);
    anew |= projector_rights_changed (self) || !self->model;
    pthread_rwlock_unlock (&self->lock);
    int64_t mark = whole_mark (self, &mark_ms);
    int64_t upto = records_last_position (self->store);
    int64_t now_mark = records_mark_below (self->store, INT64_MAX, &now_ms);
    pthread_mutex_lock (&self->mutex);
    int64_t position = self->position;
    pthread_mutex_unlock (&self->mutex);
    bool changed = anew;
    if (anew)
        replay (self);
    else
        changed = read_on (self, self->model, &position);
    pthread_mutex_lock (&self->mutex);
    if (!anew || self->position < upto)
        self->position = position > upto ? position : upto;
    changed |= now_mark != self->now_mark || mark != self->mark || !self->ready;
    self->now_mark = now_mark;
    self->now_ms = now_mark < 0 ? 0 : now_ms;
    self->mark = mark;
    self->mark_ms = mark_ms;
    self->ready = true;
    pthread_cond_broadcast (&self->ready_cond);
    pthread_mutex_unlock (&self->mutex);
    return changed;
}

/* The thread */

static struct timespec time_in (int64_t ms) {
    struct timespec at;
    clock_gettime (CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* false: the end. `busy`: there is work, so only look. */
static bool wait_woken (struct projector *self, bool busy) {
    struct timespec until = time_in (busy ? 0 : LOOK_MS);
    pthread_mutex_lock (&self->mutex);
    while (!self->woken && !self->stop)
        if (pthread_cond_timedwait (&self->woken_cond, &self->mutex, &until)
            == ETIMEDOUT)
            break;
    self->woken = false;
    bool on = !self->stop;
    pthread_mutex_unlock (&self->mutex);
    return on;
}

enum err projector_writer (struct projector *self, struct error *e) {
    if (!self->writer)
        self->writer = store_open (self->options.store, self->options.dialogue,
                                   self->options.delegation, e);
    return self->writer ? ERR_NONE : e->code;
}

/* What is new for readers goes before the text index. */
static bool is_woken (struct projector *self) {
    pthread_mutex_lock (&self->mutex);
    bool woken = self->woken || self->stop;
    pthread_mutex_unlock (&self->mutex);
    return woken;
}

static void *run (void *arg) {
    struct projector *self = arg;
    bool more = false;
    do {
        bool changed = look (self);
        projector_answer (self);
        if (changed && self->options.changed)
            self->options.changed (self->options.arg);
        do
            more = projector_search_update (self);
        while (more && !is_woken (self));
    } while (wait_woken (self, more));
    return NULL;
}

/* Making and ending */

static void locks_init (struct projector *self) {
    pthread_condattr_t monotonic;
    pthread_condattr_init (&monotonic);
    pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init (&self->woken_cond, &monotonic);
    pthread_cond_init (&self->ready_cond, &monotonic);
    pthread_condattr_destroy (&monotonic);
    pthread_mutex_init (&self->mutex, NULL);
    /* Many readers may not keep new records away. */
    pthread_rwlockattr_t writers;
    pthread_rwlockattr_init (&writers);
    pthread_rwlockattr_setkind_np (
        &writers, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init (&self->lock, &writers);
    pthread_rwlockattr_destroy (&writers);
}

static void projector_free (struct projector *self) {
    model_destroy (&self->model);
    roster_chain_destroy (&self->chain);
    roster_unref (&self->present);
    store_close (&self->store);
    store_close (&self->loader);
    store_close (&self->writer);
    free (self->judged);
    pthread_rwlock_destroy (&self->lock);
    pthread_cond_destroy (&self->woken_cond);
    pthread_cond_destroy (&self->ready_cond);
    pthread_mutex_destroy (&self->mutex);
    free (self);
}

struct projector *projector_new (const struct projector_options *options,
                                 struct error *e) {
    struct projector *self = mem_alloc (sizeof *self);
    self->options = *options;
    self->mark = self->now_mark = self->status_generation = -1;
    self->answered_generation = self->searched_generation = -1;
    self->searched = -1;
    locks_init (self);
    self->store = store_open_reader (options->store, e);
    if (self->store)
        self->loader = store_open_reader (options->store, e);
    int failed =
        self->loader ? pthread_create (&self->thread, NULL, run, self) : 0;
    if (failed)
        error_sys (e, failed, "the thread that reads plans");
    if (failed || !self->loader) {
        projector_free (self);
        return NULL;
    }
    return self;
}

void projector_destroy (struct projector **self_p) {
    if (!self_p || !*self_p)
        return;
    struct projector *self = *self_p;
    *self_p = NULL;
    pthread_mutex_lock (&self->mutex);
    self->stop = true;
    pthread_cond_signal (&self->woken_cond);
    pthread_cond_broadcast (&self->ready_cond);
    pthread_mutex_unlock (&self->mutex);
    pthread_join (self->thread, NULL);
    projector_free (self);
}

void projector_wake (struct projector *self) {
    pthread_mutex_lock (&self->mutex);
    self->woken = true;
    pthread_cond_signal (&self->woken_cond);
    pthread_mutex_unlock (&self->mutex);
}

/* Reading */

static bool wait_ready (struct projector *self, int64_t wait_ms) {
    struct timespec until = time_in (wait_ms);
    pthread_mutex_lock (&self->mutex);
    while (!self->ready && !self->stop && wait_ms > 0)
        if (pthread_cond_timedwait (&self->ready_cond, &self->mutex, &until)
            == ETIMEDOUT)
            break;
    bool ready = self->ready && !self->stop;
    pthread_mutex_unlock (&self->mutex);
    return ready;
}

const struct model *projector_read (struct projector *self, int64_t wait_ms) {
    if (!wait_ready (self, wait_ms))
        return NULL;
    pthread_rwlock_rdlock (&self->lock);
    return self->model;
}

void projector_release (struct projector *self) {
    pthread_rwlock_unlock (&self->lock);
}

int64_t projector_now (struct projector *self, int64_t *mark) {
    pthread_mutex_lock (&self->mutex);
    int64_t ms = self->now_ms;
    if (mark)
        *mark = self->now_mark;
    pthread_mutex_unlock (&self->mutex);
    return ms;
}

static void quarantine_count (void *arg, const struct history_entry *entry,
                              const char *topic) {
    struct projector_status *out = arg;
    (void) topic;
    if (entry->newer)
        out->newer++;
    else
        out->quarantined++;
}

static void figures (struct projector *self, struct projector_status *out) {
    out->plans = model_plan_count (self->model);
    for (size_t i = 0; i < model_subject_count (self->model); i++)
        out->withdrawn += model_subject (self->model, i)->withdrawal != NULL;
    model_quarantine (self->model, quarantine_count, out);
    out->taxonomy_version = taxonomy_version (model_taxonomy (self->model));
    model_digest (self->model, out->mark, out->mark_ms, &out->digests);
}

bool projector_status (struct projector *self, struct projector_status *out) {
    *out = (struct projector_status){ .mark = -1 };
    if (!wait_ready (self, 0))
        return false;
    pthread_rwlock_wrlock (&self->lock);
    pthread_mutex_lock (&self->mutex);
    out->mark = self->mark;
    out->mark_ms = self->mark_ms;
    out->position = self->position;
    out->replay_ms = self->replay_ms;
    pthread_mutex_unlock (&self->mutex);
    int64_t generation = model_generation (self->model);
    bool there = out->mark >= 0;
    if (there && self->status_generation == generation
        && self->status.mark == out->mark) {
        self->status.position = out->position;
        *out = self->status;
    } else if (there) {
        figures (self, out);
        self->status = *out;
        self->status_generation = generation;
    }
    pthread_rwlock_unlock (&self->lock);
    return there;
}
