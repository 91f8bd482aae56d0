/* overlap_find - searches.
 *
 * For one action the sets give those that share a priority (and, where it has
 * few countries, a country) with it; each of these is then looked at. Only the
 * page that is asked for is kept, as keys by which it is ordered. */
#include "overlap_impl.h"

#include <stdlib.h>
#include <string.h>

/* More countries than that are looked up one pair at a time: joining their sets
 * costs more than it saves. */
#define COUNTRY_SETS_MAX 24

/* Where an overlap stands in the order, smallest first; equal keys are ordered
 * by the references. */
struct key {
    uint64_t order;
    const struct slot *a, *b;
};

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
    /* The best offset + limit so far, as a heap with the worst on top; in the
     * end in order. */
    struct key *keys;
    size_t key_count, key_room, key_max;
};

/* Order */

static uint64_t order_of (const struct overlap *o) {
    uint64_t out = o->broad;
    out = out << 2 | o->class;
    out = out << 1 | !o->equal;
    out = out << 1 | o->imprecise;
    out = out << 10 | (uint64_t) o->countries;
    return out << 32 | ((uint32_t) o->first ^ UINT32_C (0x80000000));
}

static int slot_compare (const struct slot *a, const struct slot *b) {
    char x[PLAN_REF_MAX + 1], y[PLAN_REF_MAX + 1];
    return strcmp (action_ref (x, a->plan, a->action),
                   action_ref (y, b->plan, b->action));
}

static int key_compare (const void *a_p, const void *b_p) {
    const struct key *a = a_p, *b = b_p;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    int sides = slot_compare (a->a, b->a);
    return sides ? sides : slot_compare (a->b, b->b);
}

static void heap_down (struct key *heap, size_t count) {
    struct key top = heap[0];
    size_t at = 0, child;
    while ((child = at * 2 + 1) < count) {
        if (child + 1 < count
            && key_compare (&heap[child], &heap[child + 1]) < 0)
            child++;
        if (key_compare (&top, &heap[child]) >= 0)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = top;
}

static void heap_up (struct key *heap, size_t at) {
    struct key key = heap[at];
    while (at > 0 && key_compare (&heap[(at - 1) / 2], &key) < 0) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = key;
}

static void key_keep (struct search *self, const struct key *key) {
    if (self->key_count < self->key_max) {
        if (self->key_count == self->key_room) {
            self->key_room = self->key_room * 2 + 64;
            self->keys =
                mem_resize (self->keys, self->key_room * sizeof *self->keys);
        }
        self->keys[self->key_count] = *key;
        heap_up (self->keys, self->key_count++);
    } else if (self->key_max > 0 && key_compare (key, &self->keys[0]) < 0) {
        self->keys[0] = *key;
        heap_down (self->keys, self->key_count);
    }
}

/* What one action meets */

static void mask_add (struct search *self, const struct bits *set) {
    for (size_t i = 0; i < self->index->words; i++)
        self->mask[i] |= set->words[i];
}

static void mask_priorities (struct search *self, const struct slot *x) {
    const struct overlaps *index = self->index;
    memset (self->mask, 0, index->words * sizeof *self->mask);
    for (size_t i = 0; i < x->action->priorities.count; i++) {
        int p = x->action->priorities.at[i];
        int parent = taxonomy_priority_parent (index->taxonomy, p);
        if (parent < 0) {
            mask_add (self, &index->below[p]);
        } else {
            mask_add (self, &index->by_priority[p]);
            mask_add (self, &index->by_priority[parent]);
        }
    }
}

/* Leaves of the mask those that are open and, if it pays, share a country. */
static void mask_narrow (struct search *self, const struct slot *x) {
    const struct overlaps *index = self->index;
    const struct bits *sets[COUNTRY_SETS_MAX];
    size_t count = 0;
    bool few = countries_count (&x->countries) <= COUNTRY_SETS_MAX;
    for (size_t i = 0; few && i < index->countries; i++)
        if (x->countries.bits[i / 64] >> i % 64 & 1)
            sets[count++] = &index->by_country[i];
    for (size_t i = 0; i < index->words; i++) {
        uint64_t any = 0;
        uint64_t left = self->mask[i] & self->open[i];
        for (size_t n = 0; left && n < count; n++)
            any |= sets[n]->words[i];
        self->mask[i] = few ? left & any : left;
    }
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

static void pair_count (struct search *self, const struct slot *a,
                        const struct slot *b, const struct meeting *meeting) {
    struct overlap_pair *pair = pair_get (self, a->entity, b->entity);
    pair->a = a->plan->entity;
    pair->b = b->plan->entity;
    pair->counts[meeting->class]++;
    pair->broad[meeting->class] += meeting->broad;
    self->out->counts[meeting->class]++;
    self->out->broad[meeting->class] += meeting->broad;
}

static bool is_listed (const struct overlap_query *query,
                       const struct meeting *meeting) {
    return (!query->narrow_only || !meeting->broad)
           && (!query->classes || query->classes >> meeting->class & 1);
}

static void meet (struct search *self, const struct slot *a,
                  const struct slot *b) {
    struct meeting meeting;
    struct overlap overlap;
    slots_judge (a, b, &meeting);
    bool listed = is_listed (self->query, &meeting);
    if (self->query->omit || (listed && self->key_max > 0))
        slots_overlap (a, b, &meeting, &overlap);
    if (self->query->omit && self->query->omit (self->query->arg, &overlap))
        return;
    if (strcmp (a->plan->entity, b->plan->entity) > 0)
        pair_count (self, b, a, &meeting);
    else
        pair_count (self, a, b, &meeting);
    if (!listed)
        return;
    self->out->listed++;
    if (self->key_max == 0)
        return;
    bool swapped = overlap.a != a->action;
    struct key key = { .order = order_of (&overlap),
                       .a = swapped ? b : a,
                       .b = swapped ? a : b };
    key_keep (self, &key);
}

/* x with all that are open. */
static void slot_search (struct search *self, const struct slot *x) {
    const struct overlaps *index = self->index;
    mask_priorities (self, x);
    mask_narrow (self, x);
    for (size_t i = 0; i < index->words; i++)
        for (uint64_t word = self->mask[i]; word; word &= word - 1) {
            const struct slot *y =
                &index->slots[i * 64 + (size_t) __builtin_ctzll (word)];
            if (y->entity != x->entity && x->first <= y->last
                && y->first <= x->last
                && countries_common (&x->countries, &y->countries)
                && wanted (self, x, y))
                meet (self, x, y);
        }
}

/* A search */

static bool slot_live (const struct overlap_query *query,
                       const struct slot *slot) {
    return !query->live || slot->last >= query->on;
}

static void open_fill (struct search *self, const char *without) {
    const struct overlaps *index = self->index;
    for (size_t i = 0; i < index->size; i++) {
        const struct slot *slot = &index->slots[i];
        if (slot->plan && slot_live (self->query, slot)
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
    self->key_max = query->limit == 0 ? 0 : query->offset + query->limit;
    self->mask = mem_alloc (index->words * sizeof *self->mask);
    self->open = mem_alloc (index->words * sizeof *self->open);
    open_fill (self, own ? own->plan->id : NULL);
    owners_fill (self, own);
    wishes_fill (self);
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

static void page_make (struct search *self) {
    struct overlap_answer *out = self->out;
    size_t offset = self->query->offset;
    if (self->key_count > 1)
        qsort (self->keys, self->key_count, sizeof *self->keys, key_compare);
    if (self->key_count <= offset)
        return;
    out->count = self->key_count - offset;
    out->at = mem_alloc (out->count * sizeof *out->at);
    for (size_t i = 0; i < out->count; i++) {
        const struct key *key = &self->keys[offset + i];
        struct meeting meeting;
        slots_judge (key->a, key->b, &meeting);
        slots_overlap (key->a, key->b, &meeting, &out->at[i]);
    }
}

static void search_end (struct search *self) {
    if (self->out->pair_count > 1)
        qsort (self->out->pairs, self->out->pair_count,
               sizeof *self->out->pairs, pair_compare);
    page_make (self);
    free (self->mask);
    free (self->open);
    free (self->owner_of);
    free (self->pair_of);
    free (self->keys);
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

void overlaps_find (const struct overlaps *self,
                    const struct overlap_query *asked,
                    struct overlap_answer *out) {
    struct overlap_query query = *asked;
    struct search search;
    sides_sort (self, &query);
    search_begin (&search, self, &query, NULL, out);
    if (query.entity)
        search.entity = overlaps_entity (self, query.entity);
    if (query.other)
        search.other = overlaps_entity (self, query.other);
    bool nobody = (query.entity && search.entity == NO_ENTITY)
                  || (query.other && search.other == NO_ENTITY);
    if (query.other)
        others_close (&search);
    if (!nobody)
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
