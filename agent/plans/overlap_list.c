/* overlap_list - a page of overlaps of which it is known how many there are of
 * each sort.
 *
 * Sorts before the page are passed over, those behind it not looked at. Actions
 * come in the order of their first days, each with those before it, so that an
 * overlap's first day is that of the later one: a page that is full of better
 * ones by then is done; nor is an action looked at that has too many countries
 * in common with everybody. */
#include "overlap_impl.h"

#include <stdlib.h>
#include <string.h>

#define SETS_MAX (2 * TAXONOMY_PRIORITIES_MAX)

struct sweep {
    const struct overlaps *index;
    const struct overlap_query *query;
    uint16_t entity, other;
    const struct omissions *omissions;
    unsigned wanted;     /* sorts, as bits */
    int64_t left[SORTS]; /* of each, that were not met yet */
    uint64_t *seen[2];   /* of those before; [1]: not of `entity` */
    struct page page;
    uint64_t near[PLACES_MAX]; /* what those before have, folded, by place */
};

/* What one action meets */

/* The sets that it shares a facet with; for narrow ones those of its second-level
 * priorities are enough. Returns how many. */
static size_t sets_fill (const struct overlaps *index, const struct slot *x,
                         bool broad, const uint64_t *sets[SETS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < x->action->priorities.count; i++) {
        int p = x->action->priorities.at[i];
        int parent = taxonomy_priority_parent (index->taxonomy, p);
        if (parent >= 0)
            sets[count++] = index->by_priority[p].words;
        if (broad)
            sets[count++] = parent < 0 ? index->below[p].words
                                       : index->by_priority[parent].words;
    }
    return count;
}

static void list_it (struct sweep *self, const struct slot *x,
                     const struct glance *a, const struct slot *y,
                     const struct glance *b, uint64_t sort) {
    uint64_t countries = slots_countries (self->index, x, y);
    if (!page_may_hold (&self->page,
                        page_order (sort, false, countries, a->first)))
        return;
    bool imprecise = slots_imprecise (x, a, y, b, a->first,
                                      a->last < b->last ? a->last : b->last);
    uint64_t order = page_order (sort, imprecise, countries, a->first);
    if (page_may_hold (&self->page, order))
        page_add (&self->page, order, x, y);
}

static void meet (struct sweep *self, size_t x, size_t y) {
    const struct overlaps *index = self->index;
    const struct slot *slots = index->slots;
    const struct glance *a = &index->glances[x], *b = &index->glances[y];
    struct meeting meeting;
    if (a->place == NO_PLACE
        && !countries_common (&slots[x].countries, &slots[y].countries))
        return;
    glances_judge (index, &slots[x], a, &slots[y], b, &meeting);
    uint64_t sort = page_coarse (&meeting);
    if (!(self->wanted >> sort & 1)
        || (self->omissions->count > 0
            && omissions_have (self->omissions, x, y)))
        return;
    self->left[sort]--;
    list_it (self, &slots[x], a, &slots[y], b, sort);
}

/* Those of 64 slots; what is over for all that follow is taken out of *seen. */
static void word_sweep (struct sweep *self, size_t x, size_t base,
                        uint64_t word, uint64_t *seen, unsigned most) {
    const struct overlaps *index = self->index;
    const struct glance *a = &index->glances[x];
    const uint16_t *common =
        a->place == NO_PLACE ? NULL : index->places[a->place]->common;
    for (; word; word &= word - 1) {
        size_t y = base + (size_t) __builtin_ctzll (word);
        const struct glance *b = &index->glances[y];
        if (b->last < a->first)
            *seen &= ~(word & -word);
        else if (b->entity != a->entity
                 && !(common && b->place != NO_PLACE
                      && common[b->place] > most))
            meet (self, x, y);
    }
}

static void slot_sweep (struct sweep *self, size_t x, uint64_t *seen,
                        bool broad, unsigned most) {
    const struct overlaps *index = self->index;
    const struct slot *slot = &index->slots[x];
    const uint64_t *sets[SETS_MAX];
    const uint64_t *meets = slot->place == NO_PLACE
                                ? seen
                                : index->places[slot->place]->meets.words;
    size_t count = sets_fill (index, slot, broad, sets);
    for (size_t i = 0; i < index->words; i++) {
        uint64_t open = seen[i] & meets[i], word = 0;
        if (!open)
            continue;
        for (size_t k = 0; k < count; k++)
            word |= sets[k][i];
        if (word & open)
            word_sweep (self, x, i * 64, word & open, &seen[i], most);
    }
}

/* All of them */

static bool is_open (const struct sweep *self, const struct glance *x) {
    if (self->query->live && x->last < self->query->on)
        return false;
    return self->entity == NO_ENTITY || self->other == NO_ENTITY
           || x->entity == self->entity || x->entity == self->other;
}

/* How many countries in common one may have that begins on that day; 0: none
 * can be on the page, nor any that begins later. */
static unsigned countries_most (const struct sweep *self, unsigned sorts,
                                int32_t first) {
    unsigned sort = 0;
    while (sort < SORTS && !(sorts >> sort & 1 && self->left[sort] > 0))
        sort++;
    return sort == SORTS ? 0 : page_countries (&self->page, sort, first);
}

/* What an overlap's other side has to have some of, folded. */
static uint64_t near_bits (const struct sweep *self, size_t x, bool broad) {
    const struct overlaps *index = self->index;
    const struct numbers *priorities = &index->slots[x].action->priorities;
    uint64_t out = 0;
    if (!broad)
        return index->glances[x].exact;
    for (size_t i = 0; i < priorities->count; i++) {
        int parent =
            taxonomy_priority_parent (index->taxonomy, priorities->at[i]);
        out |= UINT64_C (1) << (parent < 0 ? priorities->at[i] : parent) % 64;
    }
    return out;
}

/* May one of those before have so few countries in common with it? */
static bool is_near (const struct sweep *self, uint16_t place, uint64_t bits,
                     unsigned most) {
    const struct overlaps *index = self->index;
    if (most == COUNTRIES_ANY || place == NO_PLACE
        || index->place_count == PLACES_MAX)
        return true;
    const uint16_t *common = index->places[place]->common;
    for (size_t i = 0; i < index->place_count; i++)
        if (self->near[i] & bits && common[i] > 0 && common[i] <= most)
            return true;
    return false;
}

static void sweep (struct sweep *self, unsigned sorts, bool broad) {
    const struct overlaps *index = self->index;
    unsigned most;
    self->wanted = sorts;
    memset (self->near, 0, sizeof self->near);
    for (int i = 0; i < 2; i++)
        memset (self->seen[i], 0, index->words * sizeof (uint64_t));
    for (size_t i = 0; i < index->count; i++) {
        size_t x = index->by_first[i];
        const struct glance *a = &index->glances[x];
        if (!is_open (self, a) || (a->world && !broad))
            continue;
        if ((most = countries_most (self, sorts, a->first)) == 0)
            break;
        uint64_t bits = near_bits (self, x, broad);
        int side = self->entity != NO_ENTITY && a->entity != self->entity;
        if (is_near (self, a->place, bits, most))
            slot_sweep (self, x,
                        self->seen[self->entity == NO_ENTITY ? 0 : !side],
                        broad, most);
        self->seen[side][x / 64] |= UINT64_C (1) << x % 64;
        if (a->place != NO_PLACE)
            self->near[a->place] |= bits;
    }
}

/* Which sorts the page is of, as bits; *offset: where it begins among those. */
static unsigned sorts_of (const int64_t sorts[SORTS], size_t *offset,
                          size_t limit) {
    size_t sum = 0;
    unsigned out = 0;
    for (unsigned i = 0; i < SORTS && sum < *offset + limit; i++) {
        size_t count = (size_t) sorts[i];
        if (out == 0 && *offset >= count) {
            *offset -= count;
            continue;
        }
        sum += count;
        if (count > 0)
            out |= 1u << i;
    }
    return out;
}

void overlaps_list (const struct overlaps *self,
                    const struct overlap_query *query, uint16_t entity,
                    uint16_t other, const struct omissions *omissions,
                    const int64_t sorts[SORTS], struct overlap_answer *out) {
    size_t offset = query->offset;
    unsigned wanted =
        query->limit > 0 ? sorts_of (sorts, &offset, query->limit) : 0;
    if (wanted == 0)
        return;
    struct sweep *state = mem_alloc (sizeof *state);
    *state = (struct sweep){ .index = self,
                             .query = query,
                             .entity = entity,
                             .other = other,
                             .omissions = omissions,
                             .page = { .max = offset + query->limit } };
    memcpy (state->left, sorts, sizeof state->left);
    for (int i = 0; i < 2; i++)
        state->seen[i] = mem_alloc (self->words * sizeof *state->seen[i]);
    if (wanted & 0xffu)
        sweep (state, wanted & 0xffu, false);
    if (wanted & 0xff00u)
        sweep (state, wanted & 0xff00u, true);
    page_give (&state->page, offset, out);
    free (state->seen[0]);
    free (state->seen[1]);
    free (state);
}
