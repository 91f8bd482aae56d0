/* projector_status - digests of the model at a mark. The thread that alone
 * changes the model makes them, so that they need no lock where no record is
 * beyond the mark. */
#include "projector_impl.h"

#include "base/clock.h"

#define ASKED_MS 60000   /* so long after a question the next are made ahead */
#define BEYOND_MAX 8     /* subjects that may be put back while readers wait */
#define STALE_MS 10000   /* by then so many as there are */
#define WAIT_MS 20000    /* for the first */
#define WAIT_NEXT_MS 500 /* while there are those of the mark before */

bool projector_digest_due (struct projector *self, int64_t mark) {
    pthread_mutex_lock (&self->mutex);
    bool asked = self->digest_wanted
                 || (self->digest_asked_ms > 0
                     && clock_mono_ms() - self->digest_asked_ms < ASKED_MS);
    bool due = asked && mark >= 0 && self->digest_mark != mark;
    pthread_mutex_unlock (&self->mutex);
    return due;
}

void projector_digest_void (struct projector *self, int64_t sequence) {
    pthread_mutex_lock (&self->mutex);
    if (sequence < self->digest_mark)
        self->digest_mark = -1;
    pthread_mutex_unlock (&self->mutex);
}

/* false: not now, since readers would wait for long. */
static bool make (struct projector *self, int64_t mark, int64_t mark_ms,
                  struct model_digests *out, struct threads_digests *threads) {
    size_t beyond = derived_beyond (self->derived, mark);
    if (beyond == 0) {
        model_digest (self->model, mark, mark_ms, out);
        threads_digest (self->threads, mark, mark_ms, threads);
        return true;
    }
    if (beyond > BEYOND_MAX && self->digest_mark >= 0
        && clock_mono_ms() - self->digest_made_ms < STALE_MS)
        return false;
    model_digest_prepare (self->model, mark, mark_ms);
    threads_digest_prepare (self->threads, mark, mark_ms);
    projector_write (self);
    model_digest (self->model, mark, mark_ms, out);
    threads_digest (self->threads, mark, mark_ms, threads);
    projector_written (self);
    return true;
}

void projector_digest (struct projector *self, int64_t mark, int64_t mark_ms) {
    struct model_digests digests;
    struct threads_digests threads;
    bool made = projector_digest_due (self, mark)
                && make (self, mark, mark_ms, &digests, &threads);
    pthread_mutex_lock (&self->mutex);
    if (made) {
        self->digests = digests;
        self->threads_digests = threads;
        self->digest_mark = mark;
        self->digest_mark_ms = mark_ms;
        self->digest_made_ms = clock_mono_ms();
    }
    self->digest_wanted = false;
    self->digest_turns++;
    pthread_cond_broadcast (&self->digest_cond);
    pthread_mutex_unlock (&self->mutex);
}

/* Until the thread has looked at it; with the mutex held. */
static void wait_digest (struct projector *self) {
    int64_t wait_ms = self->digest_mark < 0 ? WAIT_MS : WAIT_NEXT_MS;
    int64_t turns = self->digest_turns;
    struct timespec until = projector_time_in (wait_ms);
    self->digest_asked_ms = clock_mono_ms();
    if (self->digest_mark == self->mark)
        return;
    self->digest_wanted = self->woken = true;
    pthread_cond_signal (&self->woken_cond);
    /* A look that had begun before may have been at an older mark. */
    while (!self->stop && self->digest_mark != self->mark
           && self->digest_turns < turns + 2)
        if (pthread_cond_timedwait (&self->digest_cond, &self->mutex, &until))
            break;
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

static void figures (const struct model *model, struct projector_status *out) {
    out->plans = model_plan_count (model);
    for (size_t i = 0; i < model_subject_count (model); i++)
        out->withdrawn += model_subject (model, i)->withdrawal != NULL;
    model_quarantine (model, quarantine_count, out);
    out->taxonomy_version = taxonomy_version (model_taxonomy (model));
}

static void said_count (void *arg, const struct thread_entry *entry,
                        const char *topic) {
    struct projector_status *out = arg;
    (void) topic;
    if (entry->newer)
        out->threads_newer++;
    else
        out->threads_quarantined++;
}

static void threads_figures (const struct threads *threads, int64_t now_ms,
                             struct projector_status *out) {
    struct thread_state state;
    out->threads = threads_count (threads);
    for (size_t i = 0; i < out->threads; i++) {
        thread_state (threads_at (threads, i), now_ms, &state);
        out->threads_open +=
            state.status == STATUS_OPEN || state.status == STATUS_LATE;
    }
    threads_quarantine (threads, said_count, out);
}

bool projector_status (struct projector *self, struct projector_status *out) {
    *out = (struct projector_status){ .mark = -1 };
    pthread_mutex_lock (&self->mutex);
    if (self->ready && self->mark >= 0)
        wait_digest (self);
    out->mark = self->ready ? self->digest_mark : -1;
    out->mark_ms = self->digest_mark_ms;
    out->digests = self->digests;
    out->threads_digests = self->threads_digests;
    out->position = self->position;
    out->replay_ms = self->replay_ms;
    pthread_mutex_unlock (&self->mutex);
    const struct model *model = out->mark < 0 ? NULL : projector_read (self, 0);
    if (!model)
        return false;
    figures (model, out);
    out->settled_ms = projector_settled (self, &out->settled);
    threads_figures (self->threads, out->settled_ms, out);
    projector_release (self);
    return true;
}
