/* projector_alarms - a close that says something else than the records below it
 * (threads/THREADS.md section 6) decides nothing, and is told to the operator:
 * once, and only where all below a mark is held. */
#include "projector_impl.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND "FALSE-CLOSE"
#define ALARMS_MAX 64 /* of one look */

struct alarm {
    int64_t sequence;
    char text[TOPIC_MAX + DELEGATION_MAX + 320];
};
struct alarms {
    size_t count;
    struct alarm at[ALARMS_MAX];
};

static void close_look (struct alarms *out, const struct thread *thread,
                        const struct thread_close *close) {
    char topic[TOPIC_MAX + 1];
    struct alarm *alarm = &out->at[out->count++];
    const struct origin *origin = &close->entry->origin;
    alarm->sequence = origin->sequence;
    snprintf (alarm->text, sizeof alarm->text,
              "%s closed %s by record %" PRId64 ", which %s: it decides "
              "nothing. Either something crossed it, or it is not honest",
              origin->author, thread_topic (topic, &thread->place),
              origin->sequence, close->why);
}

static int by_sequence (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

static bool is_known (const struct projector *self, int64_t sequence) {
    return self->alarmed_count > 0
           && bsearch (&sequence, self->alarmed, self->alarmed_count,
                       sizeof *self->alarmed, by_sequence);
}

static void known_add (struct projector *self, int64_t sequence) {
    self->alarmed = mem_resize (self->alarmed, (self->alarmed_count + 1)
                                                   * sizeof *self->alarmed);
    self->alarmed[self->alarmed_count++] = sequence;
    qsort (self->alarmed, self->alarmed_count, sizeof *self->alarmed,
           by_sequence);
}

/* Those below the mark that this run has not looked at. */
static void thread_look (const struct projector *self, struct alarms *out,
                         const struct thread *thread, int64_t mark) {
    for (size_t i = 0; i < thread->close_count && out->count < ALARMS_MAX;
         i++) {
        const struct thread_close *at = &thread->closes[i];
        if (at->state == CLOSE_FALSE && at->entry->origin.sequence < mark
            && !is_known (self, at->entry->origin.sequence))
            close_look (out, thread, at);
    }
}

static void alarms_find (struct projector *self, struct alarms *out,
                         int64_t mark) {
    out->count = 0;
    pthread_rwlock_rdlock (&self->lock);
    for (size_t i = 0; i < threads_count (self->threads); i++)
        thread_look (self, out, threads_at (self->threads, i), mark);
    pthread_rwlock_unlock (&self->lock);
}

static enum err alarm_tell (struct store *store, const struct alarm *alarm,
                            bool *told, struct error *e) {
    struct slice none = { 0 };
    bool before = false;
    enum err rc = store_begin (store, e);
    if (rc)
        return rc;
    rc = store_told (store, KIND, alarm->sequence, &before, e);
    if (!rc && !before)
        rc = store_notice (store, KIND, true, alarm->text, none, e);
    *told = !rc && !before;
    return store_end (store, rc, e);
}

bool projector_alarms (struct projector *self) {
    struct error e;
    bool some = false;
    pthread_mutex_lock (&self->mutex);
    int64_t mark = self->mark;
    pthread_mutex_unlock (&self->mutex);
    if (mark < 0 || mark == self->alarms_mark)
        return false;
    struct alarms *alarms = mem_alloc (sizeof *alarms);
    alarms_find (self, alarms, mark);
    enum err rc = alarms->count ? projector_writer (self, &e) : ERR_NONE;
    for (size_t i = 0; !rc && i < alarms->count; i++) {
        bool told = false;
        rc = alarm_tell (self->writer, &alarms->at[i], &told, &e);
        if (told)
            log_error (KIND, "why=%s", log_text (alarms->at[i].text));
        some |= told;
        if (!rc)
            known_add (self, alarms->at[i].sequence);
    }
    if (rc)
        log_limited (LOG_WARN, "THREAD-ALARMS", "", "why=%s",
                     log_text (e.text));
    else if (alarms->count < ALARMS_MAX)
        self->alarms_mark = mark;
    free (alarms);
    return some;
}
