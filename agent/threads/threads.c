/* threads - all threads by topic. Finding them by other words is in
 * threads_find.c, digests in threads_digest.c. */
#include "thread_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct threads *threads_new (const struct threads_options *options) {
    struct threads *self = mem_alloc (sizeof *self);
    self->options = *options;
    self->limit = INT64_MAX;
    self->generation = self->forgotten = options->generation;
    self->highest = self->records_mark = -1;
    self->shelves = shelves_new();
    self->ring = mem_alloc (THREADS_CHANGES_MAX * sizeof *self->ring);
    return self;
}

void threads_destroy (struct threads **self_p) {
    if (!self_p || !*self_p)
        return;
    struct threads *self = *self_p;
    *self_p = NULL;
    for (size_t i = 0; i < self->work_count; i++)
        thread_work_free (&self->works[i]);
    free (self->works);
    free (self->dirty);
    free (self->ring);
    free (self->all);
    utterances_clear (&self->loose);
    shelves_destroy (&self->shelves);
    free (self);
}

/* Threads */

static int topic_order (const char *topic, struct slice other) {
    size_t size = strlen (topic);
    size_t common = size < other.size ? size : other.size;
    int order = common ? memcmp (topic, other.data, common) : 0;
    return order ? order : size < other.size ? -1 : size > other.size;
}

/* NULL: none, and *at is where it would stand. */
static struct thread_work *work_find (const struct threads *self,
                                      struct slice topic, size_t *at) {
    size_t low = 0, high = self->work_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = topic_order (self->works[middle]->topic, topic);
        if (order == 0)
            return self->works[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return NULL;
}

static struct thread_work *work_make (struct threads *self,
                                      const struct thread_place *place) {
    size_t at;
    char topic[TOPIC_MAX + 1];
    thread_topic (topic, place);
    struct thread_work *work = work_find (self, slice_text (topic), &at);
    if (work)
        return work;
    if (self->work_count == self->work_room) {
        self->work_room = self->work_room ? 2 * self->work_room : 64;
        self->works =
            mem_resize (self->works, self->work_room * sizeof *self->works);
    }
    memmove (self->works + at + 1, self->works + at,
             (self->work_count - at) * sizeof *self->works);
    self->work_count++;
    return self->works[at] = thread_work_new (place, topic);
}

size_t threads_count (const struct threads *self) {
    return self->work_count;
}

const struct thread *threads_at (const struct threads *self, size_t n) {
    return &self->works[n]->is;
}

const struct thread *threads_by_topic (const struct threads *self,
                                       struct slice topic) {
    size_t at;
    const struct thread_work *work = work_find (self, topic, &at);
    return work ? &work->is : NULL;
}

/* Adding */

void threads_dirty (struct threads *self, struct thread_work *work) {
    if (work->dirty)
        return;
    if (self->dirty_count == self->dirty_room) {
        self->dirty_room = self->dirty_room ? 2 * self->dirty_room : 64;
        self->dirty =
            mem_resize (self->dirty, self->dirty_room * sizeof *self->dirty);
    }
    work->dirty = true;
    self->dirty[self->dirty_count++] = work;
}

static void all_add (struct threads *self, const struct thread_entry *entry) {
    if (entry->origin.sequence < self->records_mark)
        self->records_mark = -1;
    if (self->all_count == self->all_room) {
        self->all_room = self->all_room ? 2 * self->all_room : 256;
        self->all = mem_resize (self->all, self->all_room * sizeof *self->all);
    }
    if (self->sorted == self->all_count
        && (self->sorted == 0
            || self->all[self->sorted - 1]->origin.sequence
                   < entry->origin.sequence))
        self->sorted++;
    self->all[self->all_count++] = entry;
}

static bool loose_put (struct threads *self, struct utterance *utterance,
                       struct slice topic) {
    struct buf text = { 0 };
    buf_add_slice (&text, topic);
    utterance->topic = buf_take_text (&text);
    if (!utterances_add (&self->loose, utterance))
        return false;
    return self->loose_dirty = true;
}

static bool work_put (struct threads *self, struct utterance *utterance,
                      const struct thread_place *place) {
    struct thread_work *work = work_make (self, place);
    if (!utterances_add (&work->utterances, utterance))
        return false;
    utterance_judge (utterance, place, &self->options);
    work->came = utterance->is.origin.sequence;
    threads_dirty (self, work);
    return true;
}

void threads_add (struct threads *self, const struct threads_record *record) {
    struct thread_place place;
    struct faults faults = { 0 };
    bool known = thread_place_read (record->topic, &place, &faults);
    struct utterance *utterance =
        utterance_new (record, faults.kept ? faults.at[0].text : NULL);
    faults_clear (&faults);
    if (known ? work_put (self, utterance, &place)
              : loose_put (self, utterance, record->topic)) {
        all_add (self, &utterance->is);
        if (record->origin.sequence > self->highest)
            self->highest = record->origin.sequence;
    } else
        utterance_free (&utterance);
}

/* Changes */

static void change_note (struct threads *self, const struct thread_work *work) {
    struct threads_change *change =
        &self->ring[self->ring_count % THREADS_CHANGES_MAX];
    if (self->ring_count++ >= THREADS_CHANGES_MAX)
        self->forgotten = change->generation;
    *change = (struct threads_change){ .generation = self->generation + 1,
                                       .sequence = work->came };
    snprintf (change->topic, sizeof change->topic, "%s", work->topic);
}

int64_t threads_generation (const struct threads *self) {
    return self->generation;
}

bool threads_changes (const struct threads *self, int64_t generation,
                      void (*each) (void *arg, const struct threads_change *),
                      void *arg) {
    size_t kept = self->ring_count < THREADS_CHANGES_MAX ? self->ring_count
                                                         : THREADS_CHANGES_MAX;
    for (size_t i = self->ring_count - kept; i < self->ring_count; i++) {
        const struct threads_change *at = &self->ring[i % THREADS_CHANGES_MAX];
        if (at->generation > generation)
            each (arg, at);
    }
    return generation >= self->forgotten;
}

/* Settling */

static void outdated_find (struct threads *self) {
    for (size_t i = 0; i < self->work_count; i++) {
        struct thread_work *work = self->works[i];
        if (thread_work_outdated (work, &self->options) || work->blind)
            threads_dirty (self, work);
    }
    self->rejudge = false;
}

bool threads_derive (struct threads *self) {
    struct thread_place none = { .kind = THREAD_KINDS };
    if (self->dirty_count == 0 && !self->loose_dirty)
        return false;
    for (size_t i = 0; i < self->dirty_count; i++) {
        struct thread_work *work = self->dirty[i];
        thread_work_derive (work, self->limit, &self->options);
        if (self->limit == INT64_MAX)
            shelves_put (self->shelves, work);
    }
    for (size_t i = 0; i < self->loose.count; i++)
        utterance_judge (utterance_of (self->loose.at[i]), &none,
                         &self->options);
    self->dirty_count = 0;
    self->loose_dirty = false;
    return true;
}

void threads_settle (struct threads *self) {
    if (self->rejudge)
        outdated_find (self);
    for (size_t i = 0; i < self->dirty_count; i++)
        change_note (self, self->dirty[i]);
    if (threads_derive (self))
        self->generation++;
}

void threads_rejudge (struct threads *self) {
    self->rejudge = true;
}

/* Forgetting */

static bool is_dropped (const struct thread_entry *entry, const char *channel,
                        int64_t from) {
    return channel ? strcmp (entry->origin.channel, channel) == 0
                   : entry->origin.sequence >= from;
}

/* Before they are freed. */
static void all_drop (struct threads *self, const char *channel, int64_t from) {
    size_t kept = 0, sorted = 0;
    self->records_mark = -1;
    for (size_t i = 0; i < self->all_count; i++) {
        if (i == self->sorted)
            sorted = kept;
        if (!is_dropped (self->all[i], channel, from))
            self->all[kept++] = self->all[i];
    }
    self->sorted = self->sorted == self->all_count ? kept : sorted;
    self->all_count = kept;
}

static void work_drop (struct threads *self, struct thread_work *work,
                       const char *channel, int64_t from) {
    const struct utterances *list = &work->utterances;
    for (size_t i = 0; i < list->count; i++)
        if (is_dropped (list->at[i], channel, from)) {
            work->came = list->at[i]->origin.sequence;
            break;
        }
    if (utterances_drop (&work->utterances, channel, from) > 0)
        threads_dirty (self, work);
}

static void empty_free (struct threads *self) {
    size_t kept = 0;
    for (size_t i = 0; i < self->work_count; i++) {
        struct thread_work *work = self->works[i];
        if (work->utterances.count > 0) {
            self->works[kept++] = work;
            continue;
        }
        shelves_take (self->shelves, work);
        thread_work_free (&work);
    }
    self->work_count = kept;
}

static void drop (struct threads *self, const char *channel, int64_t from) {
    all_drop (self, channel, from);
    for (size_t i = 0; i < self->work_count; i++)
        work_drop (self, self->works[i], channel, from);
    if (utterances_drop (&self->loose, channel, from))
        self->loose_dirty = true;
    threads_settle (self);
    empty_free (self);
}

void threads_forget (struct threads *self, const char *channel) {
    drop (self, channel, 0);
}

void threads_cut (struct threads *self, int64_t from) {
    drop (self, NULL, from);
    if (self->highest >= from)
        self->highest = from - 1;
}

/* Quarantine */

struct listed {
    const struct thread_entry *entry;
    const char *topic;
};

static int by_sequence (const void *a, const void *b) {
    int64_t x = ((const struct listed *) a)->entry->origin.sequence;
    int64_t y = ((const struct listed *) b)->entry->origin.sequence;
    return x < y ? -1 : x > y;
}

static void collect (const struct utterances *from, size_t below,
                     const char *topic, struct listed *out, size_t *count) {
    for (size_t i = 0; i < below; i++) {
        const struct utterance *at = utterance_of (from->at[i]);
        if (utterance_quarantined (&at->is))
            out[(*count)++] =
                (struct listed){ &at->is, topic ? topic : at->topic };
    }
}

size_t threads_quarantine (const struct threads *self,
                           void (*each) (void *arg, const struct thread_entry *,
                                         const char *topic),
                           void *arg) {
    size_t room = self->loose.count, count = 0;
    for (size_t i = 0; i < self->work_count; i++)
        room += self->works[i]->bad;
    struct listed *at = mem_alloc ((room + 1) * sizeof *at);
    collect (&self->loose, self->loose.count, NULL, at, &count);
    for (size_t i = 0; i < self->work_count; i++)
        if (self->works[i]->bad > 0)
            collect (&self->works[i]->utterances,
                     self->works[i]->is.entry_count, self->works[i]->topic, at,
                     &count);
    qsort (at, count, sizeof *at, by_sequence);
    for (size_t i = 0; each && i < count; i++)
        each (arg, at[i].entry, at[i].topic);
    free (at);
    return count;
}
