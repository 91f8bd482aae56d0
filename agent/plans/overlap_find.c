/* overlap_find - searches.
 *
 * For one action the sets give those that share a priority and a country with
 * it; of each of these one glance tells whether and how it counts. Only the page
 * that is asked for is kept, as keys by which it is ordered. */
#include "overlap_impl.h"

#include <stdlib.h>
#include <string.h>

struct search {
    const struct overlaps *index;
    const struct overlap_query *query;
    struct overlap_answer *out;
    uint16_t entity, other;          /* NO_ENTITY: any */
    uint64_t wanted[PRIORITY_WORDS]; /* that match query's */
    struct countries region;
    uint64_t *mask; /* of one action's candidates */
    uint64_t *open; /* slots that the query admits */
    /* Pairs of entities by number of owner, and the owners. */
    uint16_t *owner_of; /* by entity; NO_ENTITY: owns no plan */
    size_t owners;
    uint32_t *pair_of; /* owners * owners; 0: none yet, else number + 1 */
    size_t pair_room;
    struct page page;
    struct omissions omissions;
    bool wishes;       /* some that each pair has to be asked for */
    unsigned listable; /* numbers of the tally, as bits */
    uint32_t *tally;   /* of one action: by the other's entity, class, broad */
};
#define TALLY 8 /* numbers for each entity: class * 2 + broad */

/* What one action meets */

static void mask_make (struct search *self, const struct slot *x) {
    slot_mask (self->index, x, self->mask);
    for (size_t i = 0; i < self->index->words; i++)
        self->mask[i] &= self->open[i];
}

/* The query's wishes */

static bool bit_of (const uint64_t *words, int bit) {
    return words[bit / 64] >> bit % 64 & 1;
}

static bool facet_wanted (const struct search *self, const struct slot *a,
                          const struct slot *b) {
    const struct numbers *x = &a->action->priorities;
    const struct numbers *y = &b->action->priorities;
    for (size_t i = 0; i < x->count; i++)
        for (size_t j = 0; j < y->count; j++)
            if ((bit_of (self->wanted, x->at[i])
                 || bit_of (self->wanted, y->at[j]))
                && taxonomy_priorities_match (self->index->taxonomy, x->at[i],
                                              y->at[j]))
                return true;
    return false;
}

static bool region_wanted (const struct search *self, const struct slot *a,
                           const struct slot *b) {
    for (size_t i = 0; i < COUNTRIES_WORDS; i++)
        if (a->countries.bits[i] & b->countries.bits[i] & self->region.bits[i])
            return true;
    return false;
}

static bool period_wanted (const struct overlap_query *query,
                           const struct slot *a, const struct slot *b) {
    int32_t first = a->first > b->first ? a->first : b->first;
    int32_t last = a->last < b->last ? a->last : b->last;
    return first <= query->to && query->from <= last;
}

static bool wanted (const struct search *self, const struct slot *a,
                    const struct slot *b) {
    const struct overlap_query *query = self->query;
    if (query->kinds
        && !((1u << a->action->kind | 1u << b->action->kind) & query->kinds))
        return false;
    return (!query->has_priority || facet_wanted (self, a, b))
           && (!query->has_region || region_wanted (self, a, b))
           && (!query->has_period || period_wanted (query, a, b));
}

/* Counting */

/* Its place in owner_of: an entity that the index does not know (of a plan that
 * is not in it) has the last. */
static uint16_t *owner (struct search *self, uint16_t entity) {
    size_t known = self->index->entity_count;
    return &self->owner_of[entity < known ? entity : known];
}

static struct overlap_pair *pair_get (struct search *self, uint16_t a,
                                      uint16_t b) {
    struct overlap_answer *out = self->out;
    size_t place = *owner (self, a) * self->owners + *owner (self, b);
    uint32_t *number = &self->pair_of[place];
    if (*number == 0) {
        if (out->pair_count == self->pair_room) {
            self->pair_room = self->pair_room * 2 + 16;
            out->pairs =
                mem_resize (out->pairs, self->pair_room * sizeof *out->pairs);
        }
        out->pairs[out->pair_count] = (struct overlap_pair){ 0 };
        *number = (uint32_t) ++out->pair_count;
    }
    return &out->pairs[*number - 1];
}

static void pair_add (struct search *self, const struct slot *x,
                      uint16_t entity, const uint32_t tally[TALLY]) {
    const char *name = self->index->entities[entity];
    bool swapped = strcmp (x->plan->entity, name) > 0;
    struct overlap_pair *pair = swapped ? pair_get (self, entity, x->entity)
                                        : pair_get (self, x->entity, entity);
    pair->a = swapped ? name : x->plan->entity;
    pair->b = swapped ? x->plan->entity : name;
    for (int i = 0; i < OVERLAP_CLASSES; i++) {
        int64_t broad = tally[i * 2 + 1], all = tally[i * 2] + broad;
        pair->counts[i] += all;
        pair->broad[i] += broad;
        self->out->counts[i] += all;
        self->out->broad[i] += broad;
    }
}

/* What one action's pairs came to goes to the pairs of entities. */
static void tally_flush (struct search *self, const struct slot *x) {
    static const uint32_t none[TALLY];
    for (size_t i = 0; i < self->index->entity_count; i++) {
        uint32_t *tally = self->tally + i * TALLY;
        if (memcmp (tally, none, sizeof none) == 0)
            continue;
        pair_add (self, x, (uint16_t) i, tally);
        memset (tally, 0, sizeof none);
    }
}

/* Which numbers of the tally are listed, as bits. */
static unsigned listable_of (const struct overlap_query *query) {
    unsigned out = 0;
    for (unsigned i = 0; i < TALLY; i++)
        if ((!query->narrow_only || i % 2 == 0)
            && (!query->classes || query->classes >> i / 2 & 1))
            out |= 1u << i;
    return out;
}

/* For the page, if it may be among the first of it. */
static void list_it (struct search *self, const struct slot *x,
                     const struct glance *a, const struct slot *y,
                     const struct glance *b, const struct meeting *meeting) {
    uint64_t coarse = page_coarse (meeting);
    self->out->listed++;
    if (!page_may_hold (&self->page, page_order (coarse, false, 0, INT32_MIN)))
        return;
    int32_t first = a->first > b->first ? a->first : b->first;
    int32_t last = a->last < b->last ? a->last : b->last;
    bool imprecise = slots_imprecise (x, a, y, b, first, last);
    uint64_t order = page_order (coarse, imprecise,
                                 slots_countries (self->index, x, y), first);
    if (page_may_hold (&self->page, order))
        page_add (&self->page, order, x, y);
}

static void meet (struct search *self, const struct slot *x,
                  const struct glance *a, const struct slot *y,
                  const struct glance *b) {
    struct meeting meeting;
    struct overlap overlap;
    if (self->omissions.count > 0
        && omissions_have (&self->omissions, (size_t) (x - self->index->slots),
                           (size_t) (y - self->index->slots)))
        return;
    glances_judge (self->index, x, a, y, b, &meeting);
    if (self->query->omit) {
        slots_overlap (x, y, &meeting, &overlap);
        if (self->query->omit (self->query->arg, &overlap))
            return;
    }
    unsigned kind = meeting.class * 2u + meeting.broad;
    self->tally[b->entity * TALLY + kind]++;
    if (self->listable >> kind & 1)
        list_it (self, x, a, y, b, &meeting);
}

/* x with all that are open. */
static void slot_search (struct search *self, const struct slot *x) {
    const struct overlaps *index = self->index;
    bool placed = x->place != NO_PLACE;
    struct glance a;
    glance_fill (&a, x);
    mask_make (self, x);
    for (size_t i = 0; i < index->words; i++)
        for (uint64_t word = self->mask[i]; word; word &= word - 1) {
            size_t n = i * 64 + (size_t) __builtin_ctzll (word);
            const struct glance *b = &index->glances[n];
            const struct slot *y = &index->slots[n];
            /* One jump that is guessed wrong costs more than all three. */
            if ((b->entity != a.entity) & (a.first <= b->last)
                    & (b->first <= a.last)
                && (placed || countries_common (&x->countries, &y->countries))
                && (!self->wishes || wanted (self, x, y)))
                meet (self, x, &a, y, b);
        }
    tally_flush (self, x);
}

/* A search */

static int field_of (const struct search *self, int priority) {
    int parent = taxonomy_priority_parent (self->index->taxonomy, priority);
    return parent < 0 ? priority : parent;
}

static bool slot_live (const struct overlap_query *query,
                       const struct slot *slot) {
    return !query->live || slot->last >= query->on;
}

/* May some pair of it be? What both sides need is asked here. */
static bool slot_wanted (const struct search *self, const struct slot *slot) {
    const struct overlap_query *query = self->query;
    if (query->has_period
        && (slot->first > query->to || slot->last < query->from))
        return false;
    if (query->has_region
        && !countries_common (&slot->countries, &self->region))
        return false;
    if (!query->has_priority)
        return true;
    /* Both sides of a facet are of one field. */
    const struct numbers *priorities = &slot->action->priorities;
    for (size_t i = 0; i < priorities->count; i++)
        if (field_of (self, priorities->at[i])
            == field_of (self, query->priority))
            return true;
    return false;
}

static void open_fill (struct search *self, const char *without) {
    const struct overlaps *index = self->index;
    for (size_t i = 0; i < index->size; i++) {
        const struct slot *slot = &index->slots[i];
        if (slot->plan && slot_live (self->query, slot)
            && slot_wanted (self, slot)
            && !(without && strcmp (slot->plan->id, without) == 0))
            self->open[i / 64] |= UINT64_C (1) << i % 64;
    }
}

static void owner_add (struct search *self, uint16_t entity) {
    uint16_t *number = owner (self, entity);
    if (*number == NO_ENTITY)
        *number = (uint16_t) self->owners++;
}

static void owners_fill (struct search *self, const struct slot *own) {
    const struct overlaps *index = self->index;
    size_t room = (index->entity_count + 1) * sizeof *self->owner_of;
    self->owner_of = mem_alloc (room);
    memset (self->owner_of, 0xff, room);
    for (size_t i = 0; i < index->size; i++)
        if (index->slots[i].plan)
            owner_add (self, index->slots[i].entity);
    if (own)
        owner_add (self, own->entity);
    self->pair_of =
        mem_alloc ((self->owners * self->owners + 1) * sizeof *self->pair_of);
}

static void wishes_fill (struct search *self) {
    const struct overlap_query *query = self->query;
    const struct taxonomy *taxonomy = self->index->taxonomy;
    for (size_t p = 0; query->has_priority && p < self->index->priorities; p++)
        if (taxonomy_priorities_match (taxonomy, (int) p, query->priority))
            self->wanted[p / 64] |= UINT64_C (1) << p % 64;
    if (query->has_region)
        taxonomy_countries (taxonomy, query->region,
                            query->live ? query->on : INT32_MIN, DAY_OPEN,
                            &self->region);
}

static void search_begin (struct search *self, const struct overlaps *index,
                          const struct overlap_query *query,
                          const struct slot *own, struct overlap_answer *out) {
    *self = (struct search){ .index = index,
                             .query = query,
                             .out = out,
                             .entity = NO_ENTITY,
                             .other = NO_ENTITY };
    *out = (struct overlap_answer){ 0 };
    self->page.max = query->limit == 0 ? 0 : query->offset + query->limit;
    self->wishes = query->kinds || query->has_priority || query->has_region
                   || query->has_period;
    self->listable = listable_of (query);
    self->tally =
        mem_alloc ((index->entity_count + 1) * TALLY * sizeof *self->tally);
    self->mask = mem_alloc (index->words * sizeof *self->mask);
    self->open = mem_alloc (index->words * sizeof *self->open);
    wishes_fill (self);
    open_fill (self, own ? own->plan->id : NULL);
    owners_fill (self, own);
}

static int64_t pair_total (const struct overlap_pair *pair) {
    int64_t out = 0;
    for (int i = 0; i < OVERLAP_CLASSES; i++)
        out += pair->counts[i];
    return out;
}

static int pair_compare (const void *a_p, const void *b_p) {
    const struct overlap_pair *a = a_p, *b = b_p;
    int64_t x = pair_total (a), y = pair_total (b);
    if (x != y)
        return x > y ? -1 : 1;
    int names = strcmp (a->a, b->a);
    return names ? names : strcmp (a->b, b->b);
}

/* Of classes that are not asked for nothing is told. */
static void classes_keep (struct overlap_answer *out, unsigned classes) {
    size_t kept = 0;
    for (unsigned c = 0; c < OVERLAP_CLASSES; c++) {
        if (classes >> c & 1)
            continue;
        out->counts[c] = out->broad[c] = 0;
        for (size_t i = 0; i < out->pair_count; i++)
            out->pairs[i].counts[c] = out->pairs[i].broad[c] = 0;
    }
    for (size_t i = 0; i < out->pair_count; i++)
        if (pair_total (&out->pairs[i]) > 0)
            out->pairs[kept++] = out->pairs[i];
    out->pair_count = kept;
}

static void pairs_finish (const struct overlap_query *query,
                          struct overlap_answer *out) {
    if (query->classes)
        classes_keep (out, query->classes);
    if (out->pair_count > 1)
        qsort (out->pairs, out->pair_count, sizeof *out->pairs, pair_compare);
}

static void search_end (struct search *self) {
    pairs_finish (self->query, self->out);
    page_give (&self->page, self->query->offset, self->out);
    free (self->mask);
    free (self->tally);
    free (self->open);
    omissions_free (&self->omissions);
    free (self->owner_of);
    free (self->pair_of);
}

/* Is the slot one of those that the query looks out from? */
static bool is_subject (const struct search *self, const struct slot *slot) {
    const struct overlap_query *query = self->query;
    if (query->plan
        && (strcmp (slot->plan->id, query->plan) != 0
            || (query->action
                && strcmp (slot->action->id, query->action) != 0)))
        return false;
    return !query->entity || slot->entity == self->entity;
}

static void open_close (struct search *self, size_t slot) {
    self->open[slot / 64] &= ~(UINT64_C (1) << slot % 64);
}

/* Those that the query looks out from meet all that are open; each is closed
 * behind it, so that no pair is met twice. */
static void subjects_search (struct search *self) {
    const struct overlaps *index = self->index;
    for (size_t i = 0; i < index->size; i++) {
        const struct slot *slot = &index->slots[i];
        if (!slot->plan || !bit_of (self->open, (int) i)
            || !is_subject (self, slot))
            continue;
        open_close (self, i);
        slot_search (self, slot);
    }
}

/* Leaves open the subjects and those of one entity. */
static void others_close (struct search *self) {
    const struct overlaps *index = self->index;
    for (size_t i = 0; i < index->size; i++)
        if (index->slots[i].plan && index->slots[i].entity != self->other
            && !is_subject (self, &index->slots[i]))
            open_close (self, i);
}

static const char *entity_of (const struct overlaps *self, const char *plan) {
    for (size_t i = 0; i < self->size; i++)
        if (self->slots[i].plan && strcmp (self->slots[i].plan->id, plan) == 0)
            return self->slots[i].plan->entity;
    return NULL;
}

/* Each wish is of either side: with a plan, an entity that is not the plan's is
 * the other side's. */
static void sides_sort (const struct overlaps *self,
                        struct overlap_query *query) {
    const char *own = query->plan ? entity_of (self, query->plan) : NULL;
    if (!query->entity) {
        query->entity = query->other;
        query->other = NULL;
    }
    if (own && query->entity && strcmp (own, query->entity) != 0) {
        const char *entity = query->entity;
        query->entity = query->other;
        query->other = entity;
    }
}

/* Is it asked for by nothing but bodies and a day? */
static bool is_counted (const struct overlaps *self,
                        const struct overlap_query *query) {
    return !self->uncounted && !query->plan && !query->omit && !query->kinds
           && !query->has_priority && !query->has_region && !query->has_period;
}

static void counted_find (const struct overlaps *self,
                          const struct overlap_query *query, uint16_t entity,
                          uint16_t other, struct overlap_answer *out) {
    int64_t sorts[SORTS] = { 0 };
    unsigned listable = listable_of (query);
    struct omissions omissions;
    *out = (struct overlap_answer){ 0 };
    omissions_make (&omissions, self, query);
    counts_find (self, query, entity, other, &omissions, out, sorts);
    for (unsigned i = 0; i < SORTS; i++) {
        unsigned class = i >> 1 & 3, broad = i >> 3;
        if (!(listable >> (class * 2 + broad) & 1))
            sorts[i] = 0;
        out->listed += (size_t) sorts[i];
    }
    pairs_finish (query, out);
    overlaps_list (self, query, entity, other, &omissions, sorts, out);
    omissions_free (&omissions);
}

void overlaps_find (const struct overlaps *self,
                    const struct overlap_query *asked,
                    struct overlap_answer *out) {
    struct overlap_query query = *asked;
    uint16_t entity = NO_ENTITY, other = NO_ENTITY;
    sides_sort (self, &query);
    if (query.entity)
        entity = overlaps_entity (self, query.entity);
    if (query.other)
        other = overlaps_entity (self, query.other);
    *out = (struct overlap_answer){ 0 };
    if ((query.entity && entity == NO_ENTITY)
        || (query.other && other == NO_ENTITY))
        return;
    if (is_counted (self, &query)) {
        counted_find (self, &query, entity, other, out);
        return;
    }
    struct search search;
    search_begin (&search, self, &query, NULL, out);
    omissions_make (&search.omissions, self, &query);
    search.entity = entity;
    search.other = other;
    if (query.other)
        others_close (&search);
    subjects_search (&search);
    search_end (&search);
}

void overlaps_of (const struct overlaps *self, const struct plan *plan,
                  const struct overlap_query *query,
                  struct overlap_answer *out) {
    struct search search;
    struct slot *slots = mem_alloc ((plan->action_count + 1) * sizeof *slots);
    size_t count = 0;
    for (size_t i = 0; i < plan->action_count; i++)
        if (plan->actions[i].status != STATUS_CANCELLED)
            slot_fill (&slots[count++], self, plan, &plan->actions[i]);
    for (size_t i = 0; i < count; i++)
        slots[i].place = overlaps_place (self, &slots[i].countries);
    *out = (struct overlap_answer){ 0 };
    if (count > 0) {
        search_begin (&search, self, query, &slots[0], out);
        for (size_t i = 0; i < count; i++)
            if (slot_live (query, &slots[i]))
                slot_search (&search, &slots[i]);
        search_end (&search);
    }
    for (size_t i = 0; i < count; i++)
        slot_free (&slots[i]);
    free (slots);
}

void overlap_answer_free (struct overlap_answer *self) {
    free (self->pairs);
    free (self->at);
    *self = (struct overlap_answer){ 0 };
}
