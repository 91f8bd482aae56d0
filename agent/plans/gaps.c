/* gaps - declared priorities without work, and regions that nobody serves. */
#include "gaps.h"

#include <stdlib.h>
#include <string.h>

/* What an entity's live actions work on, by priority: on it or below it, and on
 * the one above it. */
struct tally {
    const char *entity;
    bool full[TAXONOMY_PRIORITIES_MAX];
    int thin[TAXONOMY_PRIORITIES_MAX];
};

/* What live actions of anybody serve: by the priority itself in named places, and
 * by general ones. */
struct served {
    struct countries full, thin;
};

struct search {
    const struct taxonomy *taxonomy;
    const struct gaps_query *query;
    struct gaps_answer *out;
    size_t room, priorities;
    struct tally **tallies;
    size_t tally_count;
    struct served *served;         /* by priority */
    const struct action **general; /* World, or a top-level priority */
    size_t general_count;
};

/* Live actions */

static bool action_live (const struct action *action, int32_t on) {
    return action->status != STATUS_CANCELLED && action->span.last >= on;
}

static struct tally *tally_get (struct search *self, const char *entity) {
    for (size_t i = 0; i < self->tally_count; i++)
        if (strcmp (self->tallies[i]->entity, entity) == 0)
            return self->tallies[i];
    if (self->tally_count % 64 == 0)
        self->tallies = mem_resize (self->tallies, (self->tally_count + 64)
                                                       * sizeof *self->tallies);
    struct tally *out = mem_alloc (sizeof *out);
    out->entity = entity;
    return self->tallies[self->tally_count++] = out;
}

static void tally_add (const struct search *self, struct tally *tally,
                       int priority) {
    int parent = taxonomy_priority_parent (self->taxonomy, priority);
    tally->full[priority] = true;
    if (parent >= 0)
        tally->full[parent] = true;
    for (size_t p = 0; parent < 0 && p < self->priorities; p++)
        tally->thin[p] +=
            taxonomy_priority_parent (self->taxonomy, (int) p) == priority;
}

static void countries_add (struct countries *self,
                           const struct countries *other) {
    for (size_t i = 0; i < COUNTRIES_WORDS; i++)
        self->bits[i] |= other->bits[i];
}

static bool has (const struct numbers *numbers, int wanted) {
    for (size_t i = 0; i < numbers->count; i++)
        if (numbers->at[i] == wanted)
            return true;
    return false;
}

/* Is it general cover of a second-level priority? */
static bool serves_thinly (const struct search *self,
                           const struct action *action, int priority) {
    int parent = taxonomy_priority_parent (self->taxonomy, priority);
    return has (&action->priorities, priority)
               ? action->world
               : has (&action->priorities, parent);
}

static void served_add (struct search *self, const struct action *action,
                        int priority) {
    if (taxonomy_priority_parent (self->taxonomy, priority) >= 0) {
        struct served *served = &self->served[priority];
        countries_add (action->world ? &served->thin : &served->full,
                       &action->countries);
        return;
    }
    for (size_t p = 0; p < self->priorities; p++)
        if (taxonomy_priority_parent (self->taxonomy, (int) p) == priority)
            countries_add (&self->served[p].thin, &action->countries);
}

static void work_add (struct search *self, const struct plan *plan,
                      const struct action *action) {
    struct tally *tally = tally_get (self, plan->entity);
    bool general = action->world;
    for (size_t i = 0; i < action->priorities.count; i++) {
        int priority = action->priorities.at[i];
        tally_add (self, tally, priority);
        served_add (self, action, priority);
        if (taxonomy_priority_parent (self->taxonomy, priority) < 0)
            general = true;
    }
    if (general)
        self->general[self->general_count++] = action;
}

static void works_fill (struct search *self, const struct plan *const *plans,
                        size_t count) {
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += plans[i]->action_count;
    self->general = mem_alloc (room * sizeof *self->general);
    self->priorities = taxonomy_priority_count (self->taxonomy);
    self->served = mem_alloc (self->priorities * sizeof *self->served);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < plans[i]->action_count; j++)
            if (action_live (&plans[i]->actions[j], self->query->on))
                work_add (self, plans[i], &plans[i]->actions[j]);
}

static void works_free (struct search *self) {
    for (size_t i = 0; i < self->tally_count; i++)
        free (self->tallies[i]);
    free (self->tallies);
    free (self->served);
    free (self->general);
}

static struct gap *gap_add (struct search *self, enum gap_kind kind,
                            int priority, bool thin) {
    struct gaps_answer *out = self->out;
    if (out->count == self->room) {
        self->room = self->room * 2 + 64;
        out->at = mem_resize (out->at, self->room * sizeof *out->at);
    }
    out->at[out->count] =
        (struct gap){ .kind = kind, .priority = priority, .thin = thin };
    return &out->at[out->count++];
}

/* Does the query ask for it? */
static bool asks_priority (const struct search *self, int priority) {
    return !self->query->has_priority || priority == self->query->priority
           || taxonomy_priority_parent (self->taxonomy, priority)
                  == self->query->priority;
}

static bool asks_kind (const struct search *self, enum gap_kind kind) {
    return self->query->kinds == 0 || self->query->kinds >> kind & 1;
}

/* Declared, and not worked on */

static void declared_judge (struct search *self, const struct plan *plan,
                            const char *goal,
                            const struct numbers *priorities) {
    const struct tally *tally = tally_get (self, plan->entity);
    for (size_t i = 0; i < priorities->count; i++) {
        int priority = priorities->at[i], thin = tally->thin[priority];
        if (!asks_priority (self, priority) || tally->full[priority]
            || (thin > 0 && !self->query->with_thin))
            continue;
        struct gap *gap = gap_add (self, GAP_UNWORKED, priority, thin > 0);
        gap->entity = plan->entity;
        gap->plan = plan->id;
        gap->goal = goal;
        gap->thin_count = thin;
    }
}

static void declared_search (struct search *self,
                             const struct plan *const *plans, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct plan *plan = plans[i];
        if (plan->cycle_to.last < self->query->on
            || (self->query->entity
                && strcmp (self->query->entity, plan->entity) != 0))
            continue;
        declared_judge (self, plan, "", &plan->priorities);
        for (size_t g = 0; g < plan->goal_count; g++)
            declared_judge (self, plan, plan->goals[g].id,
                            &plan->goals[g].priorities);
    }
}

/* Served by nobody */

static int general_in (const struct search *self, int priority,
                       const struct countries *countries) {
    int out = 0;
    for (size_t i = 0; i < self->general_count; i++)
        out += countries_common (&self->general[i]->countries, countries)
               && serves_thinly (self, self->general[i], priority);
    return out;
}

static void region_judge (struct search *self, int priority, int region) {
    const struct served *served = &self->served[priority];
    struct countries all = { 0 };
    taxonomy_countries (self->taxonomy, region, self->query->on,
                        self->query->on, &all);
    if (countries_empty (&all) || countries_common (&all, &served->full))
        return;
    bool thin = countries_common (&all, &served->thin);
    if (thin && !self->query->with_thin)
        return;
    struct gap *gap = gap_add (self, GAP_UNSERVED, priority, thin);
    gap->region = region;
    gap->thin_count = thin ? general_in (self, priority, &all) : 0;
    for (size_t i = 0; i < COUNTRIES_WORDS; i++)
        gap->uncovered.bits[i] = all.bits[i] & ~served->thin.bits[i];
}

static void unserved_search (struct search *self) {
    for (size_t p = 0; p < self->priorities; p++) {
        if (taxonomy_priority_parent (self->taxonomy, (int) p) < 0
            || !asks_priority (self, (int) p))
            continue;
        for (size_t i = 0; i < self->query->region_count; i++)
            region_judge (self, (int) p, self->query->regions[i]);
    }
}

/* All */

struct ordered {
    struct gap gap;
    const char *first, *second, *third;
};

static int ordered_compare (const void *a_p, const void *b_p) {
    const struct ordered *a = a_p, *b = b_p;
    if (a->gap.kind != b->gap.kind)
        return a->gap.kind < b->gap.kind ? -1 : 1;
    if (a->gap.thin != b->gap.thin)
        return a->gap.thin ? 1 : -1;
    int by = strcmp (a->first, b->first);
    if (by == 0)
        by = strcmp (a->second, b->second);
    if (by == 0)
        by = strcmp (a->third, b->third);
    return by;
}

static void gaps_sort (struct search *self) {
    struct gaps_answer *out = self->out;
    struct ordered *all = mem_alloc ((out->count + 1) * sizeof *all);
    for (size_t i = 0; i < out->count; i++) {
        const struct gap *gap = &out->at[i];
        const char *priority =
            taxonomy_priority_code (self->taxonomy, gap->priority);
        bool declared = gap->kind == GAP_UNWORKED;
        all[i] = (struct ordered){
            .gap = *gap,
            .first = declared
                         ? gap->plan
                         : taxonomy_region_code (self->taxonomy, gap->region),
            .second = declared ? gap->goal : "",
            .third = priority,
        };
    }
    qsort (all, out->count, sizeof *all, ordered_compare);
    for (size_t i = 0; i < out->count; i++)
        out->at[i] = all[i].gap;
    free (all);
}

void gaps_find (const struct plan *const *plans, size_t count,
                const struct taxonomy *taxonomy, const struct gaps_query *query,
                struct gaps_answer *out) {
    struct search self = { .taxonomy = taxonomy, .query = query, .out = out };
    *out = (struct gaps_answer){ 0 };
    works_fill (&self, plans, count);
    if (asks_kind (&self, GAP_UNWORKED))
        declared_search (&self, plans, count);
    if (asks_kind (&self, GAP_UNSERVED))
        unserved_search (&self);
    gaps_sort (&self);
    works_free (&self);
}

void gaps_answer_free (struct gaps_answer *self) {
    free (self->at);
    *self = (struct gaps_answer){ 0 };
}

static void cover_tell (const struct gap *gap, struct buf *out) {
    if (gap->thin)
        buf_add_format (out, " Thin cover: %d general action%s.",
                        gap->thin_count, gap->thin_count == 1 ? "" : "s");
}

void gap_explain (const struct taxonomy *taxonomy, const struct gap *gap,
                  struct buf *out) {
    const char *priority = taxonomy_priority_title (taxonomy, gap->priority);
    if (gap->kind == GAP_UNWORKED) {
        buf_add_format (out, "%s declares \"%s\" in %s", gap->entity, priority,
                        gap->plan);
        if (*gap->goal)
            buf_add_format (out, ", goal %s,", gap->goal);
        buf_add_format (out, " and has no %saction for it that is not over.",
                        gap->thin ? "specific " : "");
    } else {
        buf_add_format (out,
                        "No body has %saction on \"%s\" for %s that is not "
                        "over.",
                        gap->thin ? "a specific " : "an ", priority,
                        taxonomy_region_title (taxonomy, gap->region));
    }
    cover_tell (gap, out);
}
