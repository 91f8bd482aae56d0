/* overlap_list - a page of overlaps of which it is known how many there are of
 * each sort.
 *
 * Sorts before the page are passed over, those behind it not looked at. Actions
 * come in the order of their first days, each with those before it, so that an
 * overlap's first day is that of the later one: a page that is full of better
 * ones by then is done. */
#include "overlap_impl.h"

#include <stdlib.h>
#include <string.h>

struct sweep {
    const struct overlaps *index;
    const struct overlap_query *query;
    uint16_t entity, other;
    const struct omissions *omissions;
    unsigned wanted;     /* sorts, as bits */
    int64_t left[SORTS]; /* of each, that were not met yet */
    uint64_t *mask;      /* of one action's candidates */
    uint64_t *seen[2];   /* of those before; [1]: not of `entity` */
    struct page page;
};

/* What one action meets */

/* Those that share a second-level priority: all narrow ones are among them. */
static void exact_mask (const struct overlaps *index, const struct slot *x,
                        const uint64_t *seen, uint64_t *mask) {
    const uint64_t *meets =
        x->place == NO_PLACE ? seen : index->places[x->place]->meets.words;
    memset (mask, 0, index->words * sizeof *mask);
    for (size_t i = 0; i < x->action->priorities.count; i++) {
        int p = x->action->priorities.at[i];
        if (taxonomy_priority_parent (index->taxonomy, p) < 0)
            continue;
        const uint64_t *words = index->by_priority[p].words;
        for (size_t k = 0; k < index->words; k++)
            mask[k] |= words[k];
    }
    for (size_t k = 0; k < index->words; k++)
        mask[k] &= seen[k] & meets[k];
}

static void facet_mask (const struct overlaps *index, const struct slot *x,
                        const uint64_t *seen, uint64_t *mask) {
    slot_mask (index, x, mask);
    for (size_t i = 0; i < index->words; i++)
        mask[i] &= seen[i];
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

static void slot_sweep (struct sweep *self, size_t x, uint64_t *seen,
                        bool broad) {
    const struct overlaps *index = self->index;
    const struct glance *a = &index->glances[x];
    if (broad)
        facet_mask (index, &index->slots[x], seen, self->mask);
    else
        exact_mask (index, &index->slots[x], seen, self->mask);
    for (size_t i = 0; i < index->words; i++)
        for (uint64_t word = self->mask[i]; word; word &= word - 1) {
            size_t y = i * 64 + (size_t) __builtin_ctzll (word);
            const struct glance *b = &index->glances[y];
            if (b->last < a->first) /* it is over for all that follow */
                seen[i] &= ~(word & -word);
            else if (b->entity != a->entity)
                meet (self, x, y);
        }
}

/* All of them */

static bool is_open (const struct sweep *self, const struct glance *x) {
    if (self->query->live && x->last < self->query->on)
        return false;
    return self->entity == NO_ENTITY || self->other == NO_ENTITY
           || x->entity == self->entity || x->entity == self->other;
}

/* Can a later one be on the page? `first`: no day before is met any more. */
static bool may_go_on (const struct sweep *self, unsigned sorts,
                       int32_t first) {
    for (unsigned i = 0; i < SORTS; i++)
        if (sorts >> i & 1 && self->left[i] > 0)
            return page_may_hold (&self->page, page_order (i, false, 1, first));
    return false;
}

static void sweep (struct sweep *self, unsigned sorts, bool broad) {
    const struct overlaps *index = self->index;
    self->wanted = sorts;
    for (int i = 0; i < 2; i++)
        memset (self->seen[i], 0, index->words * sizeof (uint64_t));
    for (size_t i = 0; i < index->count; i++) {
        size_t x = index->by_first[i];
        const struct glance *a = &index->glances[x];
        if (!may_go_on (self, sorts, a->first))
            break;
        if (!is_open (self, a) || (a->world && !broad))
            continue;
        int side = self->entity != NO_ENTITY && a->entity != self->entity;
        slot_sweep (self, x, self->seen[self->entity == NO_ENTITY ? 0 : !side],
                    broad);
        self->seen[side][x / 64] |= UINT64_C (1) << x % 64;
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
    struct sweep state = { .index = self,
                           .query = query,
                           .entity = entity,
                           .other = other,
                           .omissions = omissions,
                           .page = { .max = offset + query->limit } };
    memcpy (state.left, sorts, sizeof state.left);
    state.mask = mem_alloc (self->words * sizeof *state.mask);
    for (int i = 0; i < 2; i++)
        state.seen[i] = mem_alloc (self->words * sizeof *state.seen[i]);
    if (wanted & 0xffu)
        sweep (&state, wanted & 0xffu, false);
    if (wanted & 0xff00u)
        sweep (&state, wanted & 0xff00u, true);
    page_give (&state.page, offset, out);
    free (state.mask);
    free (state.seen[0]);
    free (state.seen[1]);
}
