/* projector - the thread that keeps the model and the threads at what the store
 * holds. Reading is in projector_records.c and projector_portion.c, answers to
 * withdrawals in projector_answer.c, digests in projector_status.c. */
#include "projector_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_MS 30000 /* without being woken: a right may run out */
/* How long readers may wait while records are taken in, if one does not take
 * longer. */
#define SLICE_MS 10

/* Taking in */

/* To what nobody reads yet. Threads are derived when all is there. */
static void portion_give (const struct portion *portion,
                          struct derived *derived) {
    for (size_t i = 0; i < portion_count (portion); i++)
        portion_add (portion, i, derived);
    model_settle (derived->model);
}

/* To the one that is read: some at a time, as many as their cost allows. */
static void portion_share (struct projector *self,
                           const struct portion *portion) {
    size_t some = 4, count = portion_count (portion);
    for (size_t i = 0; i < count;) {
        size_t to = i + some < count ? i + some : count;
        projector_write (self);
        int64_t began = clock_mono_ms();
        for (; i < to; i++) {
            projector_digest_void (self, portion_sequence (portion, i));
            portion_add (portion, i, self->derived);
        }
        derived_settle (self->derived);
        int64_t took = clock_mono_ms() - began;
        projector_written (self);
        if (took < SLICE_MS / 2)
            some *= 2;
        else if (took > SLICE_MS && some > 1)
            some /= 2;
    }
}

/* Which records are read, of those behind `position`. */
struct range {
    int64_t position;
    int64_t below;      /* a sequence; those above are left for later */
    int64_t skipped;    /* position before the first that was left; -1 */
    int64_t from, upto; /* below that place only those behind position `upto` */
};

static bool in_range (struct range *self, const struct record_row *row) {
    int64_t sequence = row->record.sequence;
    if (sequence < self->from && row->position <= self->upto)
        return false;
    if (sequence < self->below)
        return true;
    if (self->skipped < 0)
        self->skipped = row->position - 1;
    return false;
}

static void row_take (struct projector *self, struct portion *portion,
                      const struct record_row *row) {
    portion_take (portion, row);
    acking_take (self, row);
}

/* As much as a portion holds; *more: there may be. */
static enum err portion_fill (struct projector *self, struct portion *portion,
                              struct records_cursor *cursor,
                              struct range *range, bool *more,
                              struct error *e) {
    enum err rc = ERR_NONE;
    *more = true;
    while (!portion_full (portion)) {
        struct record_row row;
        rc = records_next (cursor, &row, e);
        if (rc)
            break;
        range->position = row.position;
        if (in_range (range, &row) && projector_may_read (self, &row))
            row_take (self, portion, &row);
    }
    *more = rc == ERR_NONE;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* The rest of the index, portion by portion, to a fresh model or (NULL) the one
 * that is read; true: there was something. */
static bool read_on (struct projector *self, struct derived *fresh,
                     struct range *range) {
    struct error e;
    bool some = false, more = true;
    struct portion *portion = portion_new();
    struct records_cursor *cursor =
        records_about_plans (self->store, NULL, range->position, &e);
    enum err rc = cursor ? ERR_NONE : e.code;
    while (!rc && more) {
        rc = portion_fill (self, portion, cursor, range, &more, &e);
        if (portion_count (portion) == 0)
            continue;
        some = true;
        if (fresh)
            portion_give (portion, fresh);
        else
            portion_share (self, portion);
        portion_clear (portion);
    }
    if (rc)
        log_limited (LOG_ERROR, "PLANS-READ", "", "position=%" PRId64 " why=%s",
                     range->position, log_text (e.text));
    records_close (&cursor);
    portion_destroy (&portion);
    return some;
}

/* A model anew, beside the one that is read meanwhile. What changed before is
 * not told by it: its generations go on where the old one's ended. */
static void replay (struct projector *self) {
    int64_t began = clock_mono_ms();
    struct range range = { .below = INT64_MAX, .skipped = -1 };
    struct derived *fresh = derived_new (self);
    self->judged_count = 0;
    acking_forget (self);
    read_on (self, fresh, &range);
    derived_settle (fresh);
    projector_write (self);
    struct derived *old = self->derived;
    self->derived = fresh;
    self->model = fresh->model;
    self->threads = fresh->threads;
    self->acks = fresh->acks;
    projector_digest_void (self, -1);
    projector_written (self);
    derived_destroy (&old);
    pthread_mutex_lock (&self->mutex);
    self->position = range.position;
    if (!self->ready)
        self->replay_ms = clock_mono_ms() - began;
    pthread_mutex_unlock (&self->mutex);
    log_info ("PLANS-REPLAY", "subjects=%zu threads=%zu ms=%" PRId64,
              model_subject_count (fresh->model),
              threads_count (fresh->threads), clock_mono_ms() - began);
}

/* Marks */

struct marks {
    int64_t now, now_ms;         /* held */
    int64_t mark, mark_ms;       /* all streams are held up to it */
    int64_t settled, settled_ms; /* the ledger is settled behind it */
};

/* As it was before the records are read: what it counts is read then. */
static void marks_find (struct projector *self, struct marks *out) {
    out->now = records_mark_below (self->store, INT64_MAX, &out->now_ms);
    out->settled = records_mark_below (
        self->store, projector_settled_size (self), &out->settled_ms);
    out->mark = out->now;
    out->mark_ms = out->now_ms;
    if (!self->options.link)
        return;
    struct link_status *status = mem_alloc (sizeof *status);
    link_status (self->options.link, status);
    out->mark = status->complete.mark;
    out->mark_ms = status->complete.time;
    free (status);
}

/* true: another one than before. With the mutex held. */
static bool marks_keep (struct projector *self, const struct marks *marks) {
    bool changed = marks->now != self->now_mark || marks->mark != self->mark
                   || marks->settled != self->settled;
    self->now_mark = marks->now;
    self->now_ms = marks->now < 0 ? 0 : marks->now_ms;
    self->mark = marks->mark;
    self->mark_ms = marks->mark_ms;
    self->settled = marks->settled;
    self->settled_ms = marks->settled < 0 ? 0 : marks->settled_ms;
    return changed;
}

/* What came since. Where digests are wanted, first what is below their mark: so
 * nobody has to wait while they are made. */
static bool read_new (struct projector *self, int64_t mark, int64_t mark_ms,
                      int64_t *position) {
    struct range range = { .position = *position,
                           .below = INT64_MAX,
                           .skipped = -1 };
    bool some = false;
    if (projector_digest_due (self, mark)
        && derived_beyond (self->derived, mark) == 0) {
        range.below = mark;
        some = read_on (self, NULL, &range);
        projector_digest (self, mark, mark_ms);
        range.from = mark;
        range.upto = range.position;
        if (range.skipped >= 0)
            range.position = range.skipped;
        range.below = INT64_MAX;
    }
    some |= read_on (self, NULL, &range);
    *position = range.position;
    return some;
}

/* One look at the store; true: somebody may want to know. */
static bool look (struct projector *self) {
    struct marks marks = { 0 };
    projector_write (self);
    bool anew = projector_rosters (self);
    anew |= projector_rights_changed (self) || !self->derived;
    projector_written (self);
    marks_find (self, &marks);
    int64_t upto = records_last_position (self->store);
    pthread_mutex_lock (&self->mutex);
    int64_t position = self->position;
    pthread_mutex_unlock (&self->mutex);
    bool changed = anew;
    if (anew)
        replay (self);
    else
        changed = read_new (self, marks.mark, marks.mark_ms, &position);
    pthread_mutex_lock (&self->mutex);
    if (!anew || self->position < upto)
        self->position = position > upto ? position : upto;
    changed |= marks_keep (self, &marks) || !self->ready;
    self->ready = true;
    pthread_cond_broadcast (&self->ready_cond);
    pthread_mutex_unlock (&self->mutex);
    projector_digest (self, marks.mark, marks.mark_ms);
    return changed;
}

/* The thread */

struct timespec projector_time_in (int64_t ms) {
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

/* false: the end. */
static bool wait_woken (struct projector *self, int64_t wait_ms) {
    struct timespec until = projector_time_in (wait_ms);
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
    int64_t wait_ms;
    do {
        bool changed = look (self);
        projector_answer (self);
        projector_close_due (self);
        changed |= projector_alarms (self);
        wait_ms = acking_turn (self);
        if (changed && self->options.changed)
            self->options.changed (self->options.arg);
        do
            more = projector_search_update (self);
        while (more && !is_woken (self));
        if (wait_ms > LOOK_MS)
            wait_ms = LOOK_MS;
    } while (wait_woken (self, more ? 0 : wait_ms));
    return NULL;
}

/* Making and ending */

static void locks_init (struct projector *self) {
    pthread_condattr_t monotonic;
    pthread_condattr_init (&monotonic);
    pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init (&self->woken_cond, &monotonic);
    pthread_cond_init (&self->ready_cond, &monotonic);
    pthread_cond_init (&self->digest_cond, &monotonic);
    pthread_cond_init (&self->turn_cond, NULL);
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
    derived_destroy (&self->derived);
    acking_destroy (&self->acking);
    roster_chain_destroy (&self->chain);
    roster_unref (&self->present);
    store_close (&self->store);
    store_close (&self->loader);
    store_close (&self->writer);
    free (self->judged);
    free (self->alarmed);
    pthread_rwlock_destroy (&self->lock);
    pthread_cond_destroy (&self->woken_cond);
    pthread_cond_destroy (&self->ready_cond);
    pthread_cond_destroy (&self->digest_cond);
    pthread_cond_destroy (&self->turn_cond);
    pthread_mutex_destroy (&self->mutex);
    free (self);
}

struct projector *projector_new (const struct projector_options *options,
                                 struct error *e) {
    struct projector *self = mem_alloc (sizeof *self);
    self->options = *options;
    self->mark = self->now_mark = self->settled = self->digest_mark = -1;
    self->closed_mark = self->alarms_mark = -1;
    self->answered_generation = self->searched_generation = -1;
    self->searched = -1;
    if (options->acknowledge != ACK_NONE)
        self->acking = acking_new();
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
    pthread_cond_broadcast (&self->digest_cond);
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
    struct timespec until = projector_time_in (wait_ms);
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

const struct model *projector_read_long (struct projector *self,
                                         int64_t wait_ms) {
    if (!wait_ready (self, wait_ms))
        return NULL;
    pthread_mutex_lock (&self->mutex);
    while (self->long_reader || self->writer_waits)
        pthread_cond_wait (&self->turn_cond, &self->mutex);
    self->long_reader = true;
    pthread_mutex_unlock (&self->mutex);
    pthread_rwlock_rdlock (&self->lock);
    return self->model;
}

void projector_release_long (struct projector *self) {
    pthread_rwlock_unlock (&self->lock);
    pthread_mutex_lock (&self->mutex);
    self->long_reader = false;
    pthread_cond_broadcast (&self->turn_cond);
    pthread_mutex_unlock (&self->mutex);
}

/* A writer that stood at the lock would keep all readers away. */
void projector_write (struct projector *self) {
    pthread_mutex_lock (&self->mutex);
    self->writer_waits = true;
    while (self->long_reader)
        pthread_cond_wait (&self->turn_cond, &self->mutex);
    pthread_mutex_unlock (&self->mutex);
    pthread_rwlock_wrlock (&self->lock);
}

void projector_written (struct projector *self) {
    pthread_rwlock_unlock (&self->lock);
    pthread_mutex_lock (&self->mutex);
    self->writer_waits = false;
    pthread_cond_broadcast (&self->turn_cond);
    pthread_mutex_unlock (&self->mutex);
}

const struct threads *projector_threads (struct projector *self) {
    return self->threads;
}

const struct acks *projector_acks (struct projector *self) {
    return self->acks;
}

int64_t projector_settled (struct projector *self, int64_t *mark) {
    pthread_mutex_lock (&self->mutex);
    int64_t ms = self->settled_ms;
    if (mark)
        *mark = self->settled;
    pthread_mutex_unlock (&self->mutex);
    return ms;
}

int64_t projector_now (struct projector *self, int64_t *mark) {
    pthread_mutex_lock (&self->mutex);
    int64_t ms = self->now_ms;
    if (mark)
        *mark = self->now_mark;
    pthread_mutex_unlock (&self->mutex);
    return ms;
}
