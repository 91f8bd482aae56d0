/* overlap - the index, and the judgement of one pair.
 *
 * A taxonomy has two levels. So two priorities match if they are equal, or one
 * is the other's parent; and a facet of two second-level ones is an equal one. */
#include "overlap_impl.h"

#include <stdlib.h>
#include <string.h>

static const char *const class_names[OVERLAP_CLASSES] = {
    [OVERLAP_POSSIBLE] = "possible",
    [OVERLAP_CLAIMED] = "claimed",
    [OVERLAP_JOINT] = "joint",
    [OVERLAP_SAME] = "same",
};

const char *overlap_class_name (enum overlap_class class) {
    return class_names[class];
}

bool overlap_class_read (struct slice text, enum overlap_class *out) {
    for (int i = 0; i < OVERLAP_CLASSES; i++)
        if (slice_is (text, class_names[i])) {
            *out = (enum overlap_class) i;
            return true;
        }
    return false;
}

/* Sets of slots */

static void bit_set (struct bits *self, size_t bit) {
    self->words[bit / 64] |= UINT64_C (1) << bit % 64;
}

static void bit_clear (struct bits *self, size_t bit) {
    self->words[bit / 64] &= ~(UINT64_C (1) << bit % 64);
}

static void bits_grow (struct bits *sets, size_t count, size_t from,
                       size_t to) {
    for (size_t i = 0; i < count; i++) {
        sets[i].words = mem_resize (sets[i].words, to * sizeof (uint64_t));
        memset (sets[i].words + from, 0, (to - from) * sizeof (uint64_t));
    }
}

static void sets_grow (struct overlaps *self, size_t words) {
    bits_grow (self->by_priority, self->priorities, self->words, words);
    bits_grow (self->below, self->priorities, self->words, words);
    places_grow (self, words);
    self->glances =
        mem_resize (self->glances, words * 64 * sizeof *self->glances);
    self->slots = mem_resize (self->slots, words * 64 * sizeof *self->slots);
    self->unused = mem_resize (self->unused, words * 64 * sizeof *self->unused);
    self->by_first =
        mem_resize (self->by_first, words * 64 * sizeof *self->by_first);
    self->mask = mem_resize (self->mask, words * sizeof *self->mask);
    self->words = words;
}

static void bits_free (struct bits *sets, size_t count) {
    for (size_t i = 0; i < count; i++)
        free (sets[i].words);
    free (sets);
}

/* Entities */

uint16_t overlaps_entity (const struct overlaps *self, const char *name) {
    for (size_t i = 0; i < self->entity_count; i++)
        if (strcmp (self->entities[i], name) == 0)
            return (uint16_t) i;
    return NO_ENTITY;
}

/* So that it has a number. Beyond 65,534 bodies one is known to nobody: only plans
 * that name as many could bring that about. */
static void entity_add (struct overlaps *self, const char *name) {
    if (self->entity_count == NO_ENTITY
        || overlaps_entity (self, name) != NO_ENTITY)
        return;
    if (self->entity_count % 64 == 0)
        self->entities = mem_resize (
            self->entities, (self->entity_count + 64) * sizeof *self->entities);
    self->entities[self->entity_count++] = mem_copy_text (name);
}

static void entities_add (struct overlaps *self, const struct plan *plan,
                          const struct action *action) {
    entity_add (self, plan->entity);
    entity_add (self, action->lead);
    for (size_t i = 0; i < action->co_leads.count; i++)
        entity_add (self, action->co_leads.at[i]);
    for (size_t i = 0; i < action->partners.count; i++)
        entity_add (self, action->partners.at[i]);
}

/* Slots */

static void named_fill (struct slot *self, const struct overlaps *index,
                        const struct action *action) {
    size_t count = 1 + action->co_leads.count + action->partners.count, n = 0;
    self->named = mem_alloc (count * sizeof *self->named);
    self->named[n++] = overlaps_entity (index, action->lead);
    for (size_t i = 0; i < action->co_leads.count; i++)
        self->named[n++] = overlaps_entity (index, action->co_leads.at[i]);
    for (size_t i = 0; i < action->partners.count; i++)
        self->named[n++] = overlaps_entity (index, action->partners.at[i]);
    self->named_count = n;
}

void slot_fill (struct slot *self, const struct overlaps *index,
                const struct plan *plan, const struct action *action) {
    *self = (struct slot){ .plan = plan,
                           .action = action,
                           .first = action->span.first,
                           .last = action->span.last,
                           .world = action->world,
                           .place = NO_PLACE,
                           .countries = action->countries };
    self->entity = overlaps_entity (index, plan->entity);
    named_fill (self, index, action);
    for (size_t i = 0; i < action->priorities.count; i++) {
        int p = action->priorities.at[i];
        if (taxonomy_priority_parent (index->taxonomy, p) >= 0)
            self->exact[p / 64] |= UINT64_C (1) << p % 64;
    }
}

void slot_free (struct slot *self) {
    free (self->named);
    *self = (struct slot){ 0 };
}

static bool is_whole (const struct span *span) {
    return span->from.precision == PRECISION_DAY
           && (span->open || span->to.precision == PRECISION_DAY);
}

void glance_fill (struct glance *self, const struct slot *slot) {
    *self = (struct glance){ .first = slot->first,
                             .last = slot->last,
                             .entity = slot->entity,
                             .place = slot->place,
                             .world = slot->world,
                             .whole_days = is_whole (&slot->action->span),
                             .linked = slot->action->same_as.count > 0 };
    for (size_t i = 0; i < slot->named_count; i++)
        if (slot->named[i] != NO_ENTITY)
            self->named |= UINT64_C (1) << slot->named[i] % 64;
    for (size_t i = 0; i < PRIORITY_WORDS; i++)
        self->exact |= slot->exact[i];
}

/* Put it into the sets, or take it out of them. */
static void slot_enter (struct overlaps *self, size_t slot,
                        void (*change) (struct bits *, size_t)) {
    const struct action *action = self->slots[slot].action;
    for (size_t i = 0; i < action->priorities.count; i++) {
        int p = action->priorities.at[i];
        int parent = taxonomy_priority_parent (self->taxonomy, p);
        change (&self->by_priority[p], slot);
        change (&self->below[parent < 0 ? p : parent], slot);
    }
}

static void mask_add (const struct overlaps *self, uint64_t *mask,
                      const struct bits *set) {
    for (size_t i = 0; i < self->words; i++)
        mask[i] |= set->words[i];
}

void slot_mask (const struct overlaps *self, const struct slot *slot,
                uint64_t *mask) {
    memset (mask, 0, self->words * sizeof *mask);
    for (size_t i = 0; i < slot->action->priorities.count; i++) {
        int p = slot->action->priorities.at[i];
        int parent = taxonomy_priority_parent (self->taxonomy, p);
        if (parent < 0) {
            mask_add (self, mask, &self->below[p]);
        } else {
            mask_add (self, mask, &self->by_priority[p]);
            mask_add (self, mask, &self->by_priority[parent]);
        }
    }
    if (slot->place == NO_PLACE)
        return;
    const uint64_t *meets = self->places[slot->place]->meets.words;
    for (size_t i = 0; i < self->words; i++)
        mask[i] &= meets[i];
}

/* Where it is, or would be, in by_first. */
static size_t first_place (const struct overlaps *self, size_t slot) {
    size_t low = 0, high = self->count;
    int32_t first = self->slots[slot].first;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint32_t at = self->by_first[middle];
        if (self->slots[at].first < first
            || (self->slots[at].first == first && at < slot))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void first_enter (struct overlaps *self, size_t slot) {
    uint32_t *at = self->by_first + first_place (self, slot);
    size_t behind = (size_t) (self->by_first + self->count - at);
    memmove (at + 1, at, behind * sizeof *at);
    *at = (uint32_t) slot;
    self->count++;
}

static void first_leave (struct overlaps *self, size_t slot) {
    uint32_t *at = self->by_first + first_place (self, slot);
    size_t behind = (size_t) (self->by_first + self->count - at) - 1;
    memmove (at, at + 1, behind * sizeof *at);
    self->count--;
}

struct overlaps *overlaps_new (const struct taxonomy *taxonomy) {
    struct overlaps *self = mem_alloc (sizeof *self);
    self->taxonomy = taxonomy_ref (taxonomy);
    self->priorities = taxonomy_priority_count (taxonomy);
    self->by_priority = mem_alloc (self->priorities * sizeof (struct bits));
    self->below = mem_alloc (self->priorities * sizeof (struct bits));
    sets_grow (self, 4);
    return self;
}

void overlaps_destroy (struct overlaps **self_p) {
    struct overlaps *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->size; i++)
        free (self->slots[i].named);
    for (size_t i = 0; i < self->entity_count; i++)
        free (self->entities[i]);
    bits_free (self->by_priority, self->priorities);
    bits_free (self->below, self->priorities);
    places_free (self);
    counts_free (self);
    free (self->by_first);
    free (self->mask);
    free (self->entities);
    free (self->slots);
    free (self->glances);
    free (self->unused);
    taxonomy_unref (&self->taxonomy);
    free (self);
}

/* A cancelled action never overlaps. */
static void action_enter (struct overlaps *self, const struct plan *plan,
                          const struct action *action) {
    if (action->status == STATUS_CANCELLED)
        return;
    if (self->unused_count == 0 && self->size == self->words * 64)
        sets_grow (self, self->words * 2);
    size_t slot = self->unused_count > 0 ? self->unused[--self->unused_count]
                                         : self->size++;
    entities_add (self, plan, action);
    slot_fill (&self->slots[slot], self, plan, action);
    slot_enter (self, slot, bit_set);
    place_enter (self, slot);
    glance_fill (&self->glances[slot], &self->slots[slot]);
    first_enter (self, slot);
    counts_change (self, slot, 1);
}

static void slot_leave (struct overlaps *self, size_t slot) {
    counts_change (self, slot, -1);
    slot_enter (self, slot, bit_clear);
    place_leave (self, slot);
    first_leave (self, slot);
    slot_free (&self->slots[slot]);
    self->unused[self->unused_count++] = (uint32_t) slot;
}

void overlaps_add (struct overlaps *self, const struct plan *plan) {
    for (size_t i = 0; i < plan->action_count; i++)
        action_enter (self, plan, &plan->actions[i]);
    counts_flush (self, 1);
}

void overlaps_remove (struct overlaps *self, const struct plan *plan) {
    for (size_t i = 0; i < self->size; i++)
        if (self->slots[i].plan == plan)
            slot_leave (self, i);
    counts_flush (self, -1);
}

static int by_id (const void *a_p, const void *b_p) {
    const struct action *a = *(const struct action *const *) a_p;
    const struct action *b = *(const struct action *const *) b_p;
    return strcmp (a->id, b->id);
}

/* The caller's. */
static const struct action **actions_by_id (const struct plan *plan) {
    const struct action **out =
        mem_alloc ((plan->action_count + 1) * sizeof *out);
    for (size_t i = 0; i < plan->action_count; i++)
        out[i] = &plan->actions[i];
    qsort (out, plan->action_count, sizeof *out, by_id);
    return out;
}

/* What it is in the sets and counts by is the same: the facts are all of that but
 * the countries, which a taxonomy says. */
static bool is_same (const struct slot *slot, const struct action *action) {
    return hash_equal (&slot->action->facts, &action->facts)
           && memcmp (&slot->countries, &action->countries,
                      sizeof slot->countries)
                  == 0;
}

void overlaps_replace (struct overlaps *self, const struct plan *old,
                       const struct plan *plan) {
    const struct action **sorted = actions_by_id (plan), **found;
    bool *kept = mem_alloc (plan->action_count + 1);
    for (size_t i = 0; i < self->size; i++) {
        struct slot *slot = &self->slots[i];
        if (slot->plan != old)
            continue;
        found = bsearch (&slot->action, sorted, plan->action_count,
                         sizeof *sorted, by_id);
        if (!found || !is_same (slot, *found)) {
            slot_leave (self, i);
            continue;
        }
        slot->plan = plan;
        slot->action = *found;
        kept[*found - plan->actions] = true;
    }
    counts_flush (self, -1);
    for (size_t i = 0; i < plan->action_count; i++)
        if (!kept[i])
            action_enter (self, plan, &plan->actions[i]);
    counts_flush (self, 1);
    free (kept);
    free (sorted);
}

size_t overlaps_actions (const struct overlaps *self) {
    return self->count;
}

/* One pair */

static bool priorities_meet (const struct taxonomy *taxonomy,
                             const struct action *a, const struct action *b) {
    for (size_t i = 0; i < a->priorities.count; i++)
        for (size_t j = 0; j < b->priorities.count; j++)
            if (taxonomy_priorities_match (taxonomy, a->priorities.at[i],
                                           b->priorities.at[j]))
                return true;
    return false;
}

static bool actions_meet (const struct taxonomy *taxonomy,
                          const struct plan *plan_a, const struct action *a,
                          const struct plan *plan_b, const struct action *b) {
    return strcmp (plan_a->entity, plan_b->entity) != 0
           && a->span.first <= b->span.last && b->span.first <= a->span.last
           && countries_common (&a->countries, &b->countries)
           && priorities_meet (taxonomy, a, b);
}

bool slots_meet (const struct taxonomy *taxonomy, const struct slot *a,
                 const struct slot *b) {
    return actions_meet (taxonomy, a->plan, a->action, b->plan, b->action);
}

bool slot_names (const struct slot *self, uint16_t entity) {
    for (size_t i = 0; entity != NO_ENTITY && i < self->named_count; i++)
        if (self->named[i] == entity)
            return true;
    return false;
}

static bool links (const struct slot *self, const struct slot *other) {
    char ref[PLAN_REF_MAX + 1];
    const struct names *same = &self->action->same_as;
    if (same->count == 0)
        return false;
    action_ref (ref, other->plan, other->action);
    for (size_t i = 0; i < same->count; i++)
        if (strcmp (same->at[i], ref) == 0)
            return true;
    return false;
}

void slots_judge (const struct slot *a, const struct slot *b,
                  struct meeting *out) {
    uint64_t equal = 0;
    for (size_t i = 0; i < PRIORITY_WORDS; i++)
        equal |= a->exact[i] & b->exact[i];
    out->equal = equal != 0;
    out->broad = !equal || a->world || b->world;
    out->a_names = slot_names (a, b->entity);
    out->b_names = slot_names (b, a->entity);
    if (links (a, b) || links (b, a))
        out->class = OVERLAP_SAME;
    else if (out->a_names && out->b_names)
        out->class = OVERLAP_JOINT;
    else
        out->class =
            out->a_names || out->b_names ? OVERLAP_CLAIMED : OVERLAP_POSSIBLE;
}

int slot_compare (const struct slot *a, const struct slot *b) {
    const char *x = a->plan->id, *y = b->plan->id;
    while (*x && *x == *y) {
        x++;
        y++;
    }
    if (!*x && !*y)
        return strcmp (a->action->id, b->action->id);
    return (unsigned char) (*x ? *x : '#') < (unsigned char) (*y ? *y : '#')
               ? -1
               : 1;
}

uint64_t slots_countries (const struct overlaps *self, const struct slot *x,
                          const struct slot *y) {
    struct countries common;
    if (x->place != NO_PLACE && y->place != NO_PLACE)
        return self->places[x->place]->common[y->place];
    for (size_t i = 0; i < COUNTRIES_WORDS; i++)
        common.bits[i] = x->countries.bits[i] & y->countries.bits[i];
    return (uint64_t) countries_count (&common);
}

bool slots_imprecise (const struct slot *x, const struct glance *a,
                      const struct slot *y, const struct glance *b,
                      int32_t first, int32_t last) {
    int32_t from, to;
    if (a->whole_days && b->whole_days)
        return false;
    return !span_common_certain (&x->action->span, &y->action->span, &from, &to)
           || from != first || to != last;
}

static void sides_swap (struct overlap *self) {
    struct overlap old = *self;
    self->plan_a = old.plan_b;
    self->a = old.b;
    self->a_names = old.b_names;
    self->plan_b = old.plan_a;
    self->b = old.a;
    self->b_names = old.a_names;
}

void slots_overlap (const struct slot *a, const struct slot *b,
                    const struct meeting *meeting, struct overlap *out) {
    struct countries common;
    int32_t first, last;
    *out = (struct overlap){ .plan_a = a->plan,
                             .plan_b = b->plan,
                             .a = a->action,
                             .b = b->action,
                             .class = meeting->class,
                             .broad = meeting->broad,
                             .equal = meeting->equal,
                             .a_names = meeting->a_names,
                             .b_names = meeting->b_names };
    (void) span_common (&a->action->span, &b->action->span, &out->first,
                        &out->last);
    out->imprecise =
        !span_common_certain (&a->action->span, &b->action->span, &first, &last)
        || first != out->first || last != out->last;
    for (size_t i = 0; i < COUNTRIES_WORDS; i++)
        common.bits[i] = a->countries.bits[i] & b->countries.bits[i];
    out->countries = countries_count (&common);
    if (slot_compare (a, b) > 0)
        sides_swap (out);
}

bool overlap_judge (const struct taxonomy *taxonomy, const struct plan *plan_a,
                    const struct action *a, const struct plan *plan_b,
                    const struct action *b, struct overlap *out) {
    if (a->status == STATUS_CANCELLED || b->status == STATUS_CANCELLED
        || !actions_meet (taxonomy, plan_a, a, plan_b, b))
        return false;
    struct overlaps *index = overlaps_new (taxonomy);
    struct slot slot_a, slot_b;
    struct meeting meeting;
    entities_add (index, plan_a, a);
    entities_add (index, plan_b, b);
    slot_fill (&slot_a, index, plan_a, a);
    slot_fill (&slot_b, index, plan_b, b);
    slots_judge (&slot_a, &slot_b, &meeting);
    slots_overlap (&slot_a, &slot_b, &meeting, out);
    slot_free (&slot_a);
    slot_free (&slot_b);
    overlaps_destroy (&index);
    return true;
}
