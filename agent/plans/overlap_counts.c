/* overlap_counts - how many overlaps each two bodies have, kept as plans come
 * and go; and the pairs that a query leaves out. */
#include "overlap_impl.h"

#include <stdlib.h>
#include <string.h>

/* Above, nothing is kept any more, and every search looks at all pairs. */
#define DAYS_MAX (4 * 1024 * 1024)

struct counts_day {
    int32_t last;
    uint32_t count;
};
struct counts_line { /* of one sort, by last common day */
    size_t count, room, hint;
    int64_t total;
    struct counts_day *days;
};
struct counts_pair {
    uint16_t a, b; /* a's name is before b's */
    struct counts_line lines[SORTS];
};

/* A line */

/* The first of that day or a later one. Days of one search are often the same. */
static size_t day_place (const struct counts_line *self, int32_t last) {
    size_t low = 0, high = self->count;
    if (self->hint < high && self->days[self->hint].last == last)
        return self->hint;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->days[middle].last < last)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void day_insert (struct counts_line *self, size_t at, int32_t last) {
    if (self->count == self->room) {
        self->room = self->room * 2 + 4;
        self->days = mem_resize (self->days, self->room * sizeof *self->days);
    }
    memmove (self->days + at + 1, self->days + at,
             (self->count - at) * sizeof *self->days);
    self->days[at] = (struct counts_day){ .last = last };
    self->count++;
}

static void day_drop (struct counts_line *self, size_t at) {
    memmove (self->days + at, self->days + at + 1,
             (self->count - at - 1) * sizeof *self->days);
    self->count--;
}

static void line_change (struct overlaps *index, struct counts_line *self,
                         int32_t last, int change) {
    size_t at = day_place (self, last);
    if (at == self->count || self->days[at].last != last) {
        day_insert (self, at, last);
        index->counted_days++;
    }
    self->total += change;
    self->days[at].count += (uint32_t) change;
    self->hint = at;
    if (self->days[at].count == 0) {
        day_drop (self, at);
        index->counted_days--;
    }
}

static int64_t line_count (const struct counts_line *self,
                           const struct overlap_query *query) {
    int64_t out = 0;
    if (!query->live)
        return self->total;
    for (size_t i = self->count; i > 0 && self->days[i - 1].last >= query->on;
         i--)
        out += self->days[i - 1].count;
    return out;
}

/* Pairs of bodies */

static struct counts_pair *pair_make (struct overlaps *self, uint16_t x,
                                      uint16_t y) {
    bool swapped = strcmp (self->entities[x], self->entities[y]) > 0;
    uint16_t a = swapped ? y : x, b = swapped ? x : y;
    uint32_t key = (uint32_t) a << 16 | b;
    size_t low = 0, high = self->counted_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct counts_pair *at = self->counted[middle];
        if (((uint32_t) at->a << 16 | at->b) < key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < self->counted_count && self->counted[low]->a == a
        && self->counted[low]->b == b)
        return self->counted[low];
    if (self->counted_count == self->counted_room) {
        self->counted_room = self->counted_room * 2 + 64;
        self->counted = mem_resize (
            self->counted, self->counted_room * sizeof (struct counts_pair *));
    }
    memmove (self->counted + low + 1, self->counted + low,
             (self->counted_count - low) * sizeof (struct counts_pair *));
    self->counted_count++;
    struct counts_pair *out = mem_alloc (sizeof *out);
    out->a = a;
    out->b = b;
    return self->counted[low] = out;
}

void counts_free (struct overlaps *self) {
    for (size_t i = 0; i < self->counted_count; i++) {
        for (size_t k = 0; k < SORTS; k++)
            free (self->counted[i]->lines[k].days);
        free (self->counted[i]);
    }
    free (self->counted);
    free (self->cells);
    self->cells = NULL;
    self->counted = NULL;
    self->counted_count = self->counted_room = self->counted_days = 0;
}

static void give_up (struct overlaps *self) {
    counts_free (self);
    self->uncounted = true;
}

/* Changes */

static void cell_flush (struct overlaps *self, struct counts_cell *cell,
                        int change) {
    struct counts_pair *pair = pair_make (self, cell->x, cell->y);
    line_change (self, &pair->lines[cell->sort], cell->last,
                 change * (int) cell->count);
    cell->count = 0;
}

void counts_flush (struct overlaps *self, int change) {
    for (size_t i = 0; self->cells && i < COUNTS_CELLS; i++)
        if (self->cells[i].count > 0)
            cell_flush (self, &self->cells[i], change);
}

static void pair_change (struct overlaps *self, const struct slot *x,
                         const struct glance *a, size_t n, int change) {
    const struct glance *b = &self->glances[n];
    struct meeting meeting;
    glances_judge (self, x, a, &self->slots[n], b, &meeting);
    int32_t last = a->last < b->last ? a->last : b->last;
    uint8_t sort = (uint8_t) page_coarse (&meeting);
    uint32_t hash = ((uint32_t) b->entity << 4 | sort) * UINT32_C (0x9e3779b1)
                    ^ (uint32_t) last * UINT32_C (0x85ebca6b);
    struct counts_cell *cell = &self->cells[hash >> 20];
    if (cell->count > 0
        && (cell->last != last || cell->y != b->entity || cell->sort != sort))
        cell_flush (self, cell, change);
    if (cell->count == 0)
        *cell = (struct counts_cell){
            .x = a->entity, .y = b->entity, .sort = sort, .last = last
        };
    cell->count++;
}

void counts_change (struct overlaps *self, size_t slot, int change) {
    const struct slot *x = &self->slots[slot];
    struct glance a = self->glances[slot];
    bool placed = x->place != NO_PLACE;
    if (x->entity == NO_ENTITY || self->counted_days > DAYS_MAX)
        give_up (self);
    if (self->uncounted)
        return;
    if (!self->cells)
        self->cells = mem_alloc (COUNTS_CELLS * sizeof *self->cells);
    slot_mask (self, x, self->mask);
    for (size_t i = 0; i < self->words; i++)
        for (uint64_t word = self->mask[i]; word; word &= word - 1) {
            size_t n = i * 64 + (size_t) __builtin_ctzll (word);
            const struct glance *b = &self->glances[n];
            if ((b->entity != a.entity) & (a.first <= b->last)
                    & (b->first <= a.last)
                && (placed
                    || countries_common (&x->countries,
                                         &self->slots[n].countries)))
                pair_change (self, x, &a, n, change);
        }
}

/* What is left out */

static int by_action (const void *a_p, const void *b_p) {
    const struct action *a = *(const struct action *const *) a_p;
    const struct action *b = *(const struct action *const *) b_p;
    return a < b ? -1 : a > b;
}

static int by_slots (const void *a_p, const void *b_p) {
    const struct omission *a = a_p, *b = b_p;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return a->high < b->high ? -1 : a->high > b->high;
}

struct side { /* an action that some pair has, and its slot */
    const struct action *action;
    uint32_t slot;
};
#define NO_SLOT UINT32_MAX

static struct side *sides_make (const struct overlaps *index,
                                const struct overlap_query *query,
                                size_t *count) {
    *count = query->omitted_count * 2;
    struct side *out = mem_alloc (*count * sizeof *out);
    for (size_t i = 0; i < *count; i++)
        out[i] = (struct side){ i % 2 ? query->omitted[i / 2].b
                                      : query->omitted[i / 2].a,
                                NO_SLOT };
    qsort (out, *count, sizeof *out, by_action);
    for (size_t i = 0; i < index->size; i++) {
        const struct side key = { index->slots[i].action, 0 };
        if (!index->slots[i].plan)
            continue;
        struct side *found =
            bsearch (&key, out, *count, sizeof *out, by_action);
        while (found && found > out && found[-1].action == key.action)
            found--;
        for (; found && found < out + *count && found->action == key.action;
             found++)
            found->slot = (uint32_t) i;
    }
    return out;
}

static uint32_t side_slot (const struct side *sides, size_t count,
                           const struct action *action) {
    const struct side key = { action, 0 };
    const struct side *found =
        bsearch (&key, sides, count, sizeof *sides, by_action);
    return found ? found->slot : NO_SLOT;
}

void omissions_make (struct omissions *self, const struct overlaps *index,
                     const struct overlap_query *query) {
    *self = (struct omissions){ 0 };
    if (query->omitted_count == 0)
        return;
    size_t count;
    struct side *sides = sides_make (index, query, &count);
    self->touched = mem_alloc (index->words * sizeof *self->touched);
    self->at = mem_alloc (query->omitted_count * sizeof *self->at);
    for (size_t i = 0; i < query->omitted_count; i++) {
        uint32_t a = side_slot (sides, count, query->omitted[i].a);
        uint32_t b = side_slot (sides, count, query->omitted[i].b);
        if (a == NO_SLOT || b == NO_SLOT)
            continue; /* cancelled: they overlap with nothing */
        self->at[self->count++] =
            (struct omission){ a < b ? a : b, a < b ? b : a };
        self->touched[a / 64] |= UINT64_C (1) << a % 64;
        self->touched[b / 64] |= UINT64_C (1) << b % 64;
    }
    qsort (self->at, self->count, sizeof *self->at, by_slots);
    free (sides);
}

void omissions_free (struct omissions *self) {
    free (self->touched);
    free (self->at);
    *self = (struct omissions){ 0 };
}

bool omissions_have (const struct omissions *self, size_t x, size_t y) {
    if (self->count == 0 || !(self->touched[x / 64] >> x % 64 & 1)
        || !(self->touched[y / 64] >> y % 64 & 1))
        return false;
    const struct omission key = { (uint32_t) (x < y ? x : y),
                                  (uint32_t) (x < y ? y : x) };
    return bsearch (&key, self->at, self->count, sizeof *self->at, by_slots)
           != NULL;
}

/* What a query asks for */

static bool pair_wanted (const struct counts_pair *pair, uint16_t entity,
                         uint16_t other) {
    if (entity == NO_ENTITY)
        return true;
    if (pair->a != entity && pair->b != entity)
        return false;
    return other == NO_ENTITY
           || (pair->a == entity ? pair->b : pair->a) == other;
}

/* How many of them are left out. */
static void omitted_count (const struct overlaps *self,
                           const struct overlap_query *query,
                           const struct omissions *omissions,
                           const struct counts_pair *pair,
                           int64_t sorts[SORTS]) {
    for (size_t i = 0; i < omissions->count; i++) {
        const struct slot *x = &self->slots[omissions->at[i].low];
        const struct slot *y = &self->slots[omissions->at[i].high];
        struct meeting meeting;
        if (!((x->entity == pair->a && y->entity == pair->b)
              || (x->entity == pair->b && y->entity == pair->a))
            || (query->live && (x->last < query->on || y->last < query->on))
            || !slots_meet (self->taxonomy, x, y))
            continue;
        slots_judge (x, y, &meeting);
        sorts[page_coarse (&meeting)]--;
    }
}

static void pair_give (const struct overlaps *self,
                       const struct counts_pair *pair,
                       const int64_t sorts[SORTS], struct overlap_answer *out) {
    struct overlap_pair *given = &out->pairs[out->pair_count];
    int64_t all = 0;
    *given = (struct overlap_pair){ .a = self->entities[pair->a],
                                    .b = self->entities[pair->b] };
    for (int i = 0; i < SORTS; i++) {
        int class = i >> 1 & 3;
        all += sorts[i];
        given->counts[class] += sorts[i];
        out->counts[class] += sorts[i];
        given->broad[class] += i >> 3 ? sorts[i] : 0;
        out->broad[class] += i >> 3 ? sorts[i] : 0;
    }
    out->pair_count += all > 0;
}

void counts_find (const struct overlaps *self,
                  const struct overlap_query *query, uint16_t entity,
                  uint16_t other, const struct omissions *omissions,
                  struct overlap_answer *out, int64_t sorts[SORTS]) {
    out->pairs = mem_alloc ((self->counted_count + 1) * sizeof *out->pairs);
    for (size_t i = 0; i < self->counted_count; i++) {
        const struct counts_pair *pair = self->counted[i];
        int64_t its[SORTS];
        if (!pair_wanted (pair, entity, other))
            continue;
        for (int k = 0; k < SORTS; k++)
            its[k] = line_count (&pair->lines[k], query);
        if (omissions->count > 0)
            omitted_count (self, query, omissions, pair, its);
        pair_give (self, pair, its, out);
        for (int k = 0; k < SORTS; k++)
            sorts[k] += its[k];
    }
}
