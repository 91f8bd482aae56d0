/* threads_find - threads by their id, series, meeting, or a plan that they are
 * about: shelves by word, each in the order in which its threads are listed. */
#include "thread_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A letter that says what it is a shelf of, and the word. */
#define KEY_MAX (CHANNEL_MAX + PLAN_REF_MAX + 3)
enum { OF_ID = 'i', OF_SERIES = 's', OF_MINUTES = 'm', OF_PLAN = 'p' };

struct shelf {
    struct shelf *next; /* of the same slot */
    char *key;
    uint64_t hash;
    struct thread_work **works;
    size_t count, room;
};
struct shelves {
    struct shelf **slots;
    size_t slot_count, count; /* slots: a power of two */
};

struct shelves *shelves_new (void) {
    struct shelves *self = mem_alloc (sizeof *self);
    self->slot_count = 64;
    self->slots = mem_alloc (self->slot_count * sizeof *self->slots);
    return self;
}

static void shelf_free (struct shelf *self) {
    free (self->key);
    free (self->works);
    free (self);
}

void shelves_destroy (struct shelves **self_p) {
    if (!self_p || !*self_p)
        return;
    struct shelves *self = *self_p;
    *self_p = NULL;
    for (size_t i = 0; i < self->slot_count; i++)
        for (struct shelf *at = self->slots[i]; at;) {
            struct shelf *next = at->next;
            shelf_free (at);
            at = next;
        }
    free (self->slots);
    free (self);
}

/* Shelves */

static struct shelf **slot_of (const struct shelves *self, uint64_t hash) {
    return &self->slots[hash & (self->slot_count - 1)];
}

static struct shelf *shelf_find (const struct shelves *self, const char *key) {
    uint64_t hash = hash_xxh3 (slice_text (key), 0);
    struct shelf *at = *slot_of (self, hash);
    while (at && (at->hash != hash || strcmp (at->key, key) != 0))
        at = at->next;
    return at;
}

static void grow (struct shelves *self) {
    struct shelf **old = self->slots;
    size_t count = self->slot_count;
    self->slot_count *= 2;
    self->slots = mem_alloc (self->slot_count * sizeof *self->slots);
    for (size_t i = 0; i < count; i++)
        for (struct shelf *at = old[i]; at;) {
            struct shelf *next = at->next, **slot = slot_of (self, at->hash);
            at->next = *slot;
            *slot = at;
            at = next;
        }
    free (old);
}

static struct shelf *shelf_make (struct shelves *self, const char *key) {
    struct shelf *shelf = shelf_find (self, key);
    if (shelf)
        return shelf;
    if (self->count >= self->slot_count)
        grow (self);
    shelf = mem_alloc (sizeof *shelf);
    shelf->key = mem_copy_text (key);
    shelf->hash = hash_xxh3 (slice_text (key), 0);
    struct shelf **slot = slot_of (self, shelf->hash);
    shelf->next = *slot;
    *slot = shelf;
    self->count++;
    return shelf;
}

static void shelf_drop (struct shelves *self, struct shelf *shelf) {
    struct shelf **at = slot_of (self, shelf->hash);
    while (*at != shelf)
        at = &(*at)->next;
    *at = shelf->next;
    shelf_free (shelf);
    self->count--;
}

/* As the shelf lists them. */
static int order_of (char kind, const struct thread_work *a,
                     const struct thread_work *b) {
    if (kind == OF_SERIES && a->edition != b->edition)
        return a->edition < b->edition ? -1 : 1;
    if (kind != OF_PLAN && a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return strcmp (a->topic, b->topic);
}

/* false: it is there. */
static bool shelf_put (struct shelf *self, struct thread_work *work) {
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order_of (self->key[0], self->works[middle], work) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < self->count && self->works[low] == work)
        return false;
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 2;
        self->works =
            mem_resize (self->works, self->room * sizeof *self->works);
    }
    memmove (self->works + low + 1, self->works + low,
             (self->count - low) * sizeof *self->works);
    self->works[low] = work;
    self->count++;
    return true;
}

static void shelf_take (struct shelf *self, const struct thread_work *work) {
    size_t at = 0;
    while (self->works[at] != work)
        at++;
    self->count--;
    memmove (self->works + at, self->works + at + 1,
             (self->count - at) * sizeof *self->works);
}

/* Putting a thread where it belongs */

static void put (struct shelves *self, struct thread_work *work,
                 const char *key) {
    struct shelf *shelf = shelf_make (self, key);
    if (!shelf_put (shelf, work))
        return;
    if (work->shelf_count == work->shelf_room) {
        work->shelf_room = work->shelf_room ? 2 * work->shelf_room : 4;
        work->shelves = mem_resize (work->shelves,
                                    work->shelf_room * sizeof *work->shelves);
    }
    work->shelves[work->shelf_count++] = shelf;
}

static void put_key (struct shelves *self, struct thread_work *work, char kind,
                     const char *channel, const char *word) {
    char key[KEY_MAX + 1];
    snprintf (key, sizeof key, "%c%s/%s", kind, channel, word);
    put (self, work, key);
}

/* A version that may be agreed counts beside the current one. */
static void put_plans (struct shelves *self, struct thread_work *work) {
    const struct thread *is = &work->is;
    for (size_t i = 0; i < is->version_count; i++) {
        const struct proposal *proposal = is->versions[i].proposal;
        if (is->versions[i].replaced)
            continue;
        for (size_t k = 0; k < proposal->about_count; k++) {
            char plan[PLAN_REF_MAX + 1];
            const char *ref = proposal->about[k].ref;
            snprintf (plan, sizeof plan, "%.*s", (int) strcspn (ref, "#"), ref);
            put_key (self, work, OF_PLAN, "", plan);
        }
    }
}

static void put_all (struct shelves *self, struct thread_work *work) {
    const struct thread_place *place = &work->is.place;
    const struct thread_version *current = thread_current (&work->is);
    put_key (self, work, OF_ID, "", place->id);
    if (!current)
        return;
    if (place->kind == THREAD_MEETING && current->proposal->series[0])
        put_key (self, work, OF_SERIES, place->channel,
                 current->proposal->series);
    if (place->kind == THREAD_COMMUNIQUE && current->proposal->minutes_of[0])
        put_key (self, work, OF_MINUTES, place->channel,
                 current->proposal->minutes_of);
    put_plans (self, work);
}

/* Where it belongs follows from these. */
static uint64_t found_by (const struct thread_work *work) {
    struct buf octets = { 0 };
    buf_add_u64 (&octets, (uint64_t) work->utterances.at[0]->origin.sequence);
    for (size_t i = 0; i < work->is.version_count; i++) {
        buf_add_u64 (&octets,
                     (uint64_t) work->is.versions[i].entry->origin.sequence);
        buf_add_u8 (&octets, work->is.versions[i].replaced);
    }
    uint64_t out = hash_xxh3 (buf_slice (&octets), 0);
    buf_free (&octets);
    return out;
}

void shelves_put (struct shelves *self, struct thread_work *work) {
    uint64_t now = work->utterances.count ? found_by (work) : 0;
    if (work->shelf_count > 0 && work->found_by == now)
        return;
    shelves_take (self, work);
    if (work->utterances.count == 0)
        return;
    const struct thread_version *current = thread_current (&work->is);
    work->found_by = now;
    work->first = work->utterances.at[0]->origin.sequence;
    work->edition = current && work->is.place.kind == THREAD_MEETING
                        ? current->proposal->edition
                        : 0;
    put_all (self, work);
}

void shelves_take (struct shelves *self, struct thread_work *work) {
    for (size_t i = 0; i < work->shelf_count; i++) {
        shelf_take (work->shelves[i], work);
        if (work->shelves[i]->count == 0)
            shelf_drop (self, work->shelves[i]);
    }
    work->shelf_count = 0;
}

/* Finding */

static size_t list (const struct threads *self, char kind, const char *channel,
                    const char *word, size_t from, const struct thread **out,
                    size_t room) {
    char key[KEY_MAX + 1];
    int size = snprintf (key, sizeof key, "%c%s/%s", kind, channel, word);
    if (size < 0 || (size_t) size > KEY_MAX)
        return 0;
    const struct shelf *shelf = shelf_find (self->shelves, key);
    if (!shelf)
        return 0;
    for (size_t i = from; i < shelf->count && i - from < room; i++)
        out[i - from] = &shelf->works[i]->is;
    return shelf->count;
}

const struct thread *threads_find (const struct threads *self, const char *id,
                                   size_t n) {
    const struct thread *out;
    return list (self, OF_ID, "", id, n, &out, 1) > n ? out : NULL;
}

size_t threads_series (const struct threads *self, const char *channel,
                       const char *series, const struct thread **out,
                       size_t room) {
    return list (self, OF_SERIES, channel, series, 0, out, room);
}

size_t threads_minutes (const struct threads *self,
                        const struct thread *meeting, const struct thread **out,
                        size_t room) {
    return meeting->place.kind == THREAD_MEETING
               ? list (self, OF_MINUTES, meeting->place.channel,
                       meeting->place.id, 0, out, room)
               : 0;
}

size_t threads_about (const struct threads *self, const char *plan_id,
                      const struct thread **out, size_t room) {
    return list (self, OF_PLAN, "", plan_id, 0, out, room);
}
