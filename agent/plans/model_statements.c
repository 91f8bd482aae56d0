/* model_statements - what bodies say of overlaps (CONTENTS.md section 7): the
 * newest of each, and whether it stands. */
#include "model_impl.h"

#include "base/mp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void model_statements_free_said (struct model *self) {
    for (size_t i = 0; i < self->said_count; i++)
        free (self->said[i]);
    self->said_count = 0;
}

void model_statements_free (struct model *self) {
    model_statements_free_said (self);
    free (self->said);
    entries_clear (&self->statements);
}

/* Does it stand? */

struct reference {
    char plan[PLAN_ID_MAX + 1];
    const char *action;
};

static bool reference_read (const char *text, struct reference *out) {
    const char *hash = strchr (text, '#');
    if (!hash || (size_t) (hash - text) > PLAN_ID_MAX)
        return false;
    snprintf (out->plan, sizeof out->plan, "%.*s", (int) (hash - text), text);
    out->action = hash + 1;
    return true;
}

static bool makes_plan (const struct history_entry *entry) {
    return (entry->kind == CONTENT_PLAN || entry->kind == CONTENT_ANNEX)
           && !entry->faults && !entry->newer;
}

/* The state that the statement is about: when it was said, if `of` still held
 * the action; else when `of` did. */
static int64_t place_of (const struct work *work, int64_t of, int64_t said) {
    for (size_t i = entries_below (&work->entries, said); i > 0; i--) {
        const struct history_entry *at = work->entries.at[i - 1];
        if (at->origin.sequence == of)
            return said;
        if (at->kind == CONTENT_PLAN && makes_plan (at))
            return of < NUMBER_MAX ? of + 1 : of;
    }
    return said;
}

static bool action_facts (const struct plan *plan, const char *id,
                          struct hash *out) {
    const struct action *action = plan ? plan_action (plan, id) : NULL;
    if (action)
        *out = action->facts;
    return action != NULL;
}

/* Nothing that makes the plan came behind that place. */
static bool unchanged (const struct model *self, const struct work *work,
                       int64_t place) {
    size_t to = entries_below (&work->entries, self->limit);
    for (size_t i = entries_below (&work->entries, place); i < to; i++)
        if (makes_plan (work->entries.at[i]))
            return false;
    return true;
}

/* The subject below a place, of the statement before: many rest on one. */
struct past {
    const struct work *of;
    int64_t newest; /* what makes the plan */
    struct work *work;
};

/* From the newest revision there and all annexes: read again, for itself, so
 * that nothing of what is shown is touched. */
static struct work *past_make (struct model *self, const struct work *work,
                               int64_t place) {
    struct work *past = work_new (work->is.plan_id, work->is.entity);
    bool revision = false;
    for (size_t i = entries_below (&work->entries, place); i > 0; i--) {
        const struct history_entry *at = work->entries.at[i - 1];
        if (!makes_plan (at) || (revision && at->kind == CONTENT_PLAN))
            continue;
        revision |= at->kind == CONTENT_PLAN;
        struct entry *copy =
            entry_new (&at->origin, at->kind, NULL, NULL, false);
        if (!entries_add (&past->entries, copy))
            entry_free (&copy);
    }
    work_derive (past, INT64_MAX, &self->reading);
    return past;
}

static bool past_facts (struct model *self, struct past *past,
                        const struct work *work, int64_t place, const char *id,
                        struct hash *out) {
    size_t i = entries_below (&work->entries, place);
    while (i > 0 && !makes_plan (work->entries.at[i - 1]))
        i--;
    if (i == 0)
        return false;
    int64_t newest = work->entries.at[i - 1]->origin.sequence;
    if (past->of != work || past->newest != newest) {
        work_free (&past->work);
        *past =
            (struct past){ work, newest, past_make (self, work, newest + 1) };
    }
    return action_facts (past->work->is.plan, id, out);
}

static bool side_stands (struct model *self, struct past *past,
                         const char *text, int64_t of, int64_t said) {
    struct reference ref;
    struct hash now, then;
    /* What came later held nothing when it was said. */
    if (!reference_read (text, &ref) || of >= said)
        return false;
    struct work *work = model_work (self, ref.plan, NULL);
    if (!work || !entries_find (&work->entries, of)
        || !action_facts (work->is.plan, ref.action, &now))
        return false;
    int64_t place = place_of (work, of, said);
    if (unchanged (self, work, place))
        return true;
    return past_facts (self, past, work, place, ref.action, &then)
           && hash_equal (&now, &then);
}

static bool touches (const struct model *self, const char *text) {
    struct reference ref;
    if (!reference_read (text, &ref))
        return false;
    const struct work *work = model_work (self, ref.plan, NULL);
    return work && work->touched;
}

static void said_judge (struct model *self, struct past pasts[2],
                        struct said *said) {
    const struct statement *s = said->statement;
    if (!said->fresh && !touches (self, s->a) && !touches (self, s->b))
        return;
    int64_t place = said->entry->is.origin.sequence;
    said->stands = side_stands (self, &pasts[0], s->a, s->a_of, place)
                   && side_stands (self, &pasts[1], s->b, s->b_of, place);
    said->fresh = false;
}

/* The index */

static int compare_said (const struct said *x, const struct said *y) {
    int order = strcmp (x->statement->a, y->statement->a);
    if (order == 0)
        order = strcmp (x->statement->b, y->statement->b);
    if (order == 0)
        order = strcmp (x->entity, y->entity);
    if (order == 0) {
        int64_t a = x->entry->is.origin.sequence;
        int64_t b = y->entry->is.origin.sequence;
        order = a < b ? -1 : a > b;
    }
    return order;
}

static int by_pair (const void *a, const void *b) {
    return compare_said (*(struct said *const *) a, *(struct said *const *) b);
}

/* The ad-hoc channel of one's own entity alone. */
static bool is_own (const struct said *self) {
    const char *channel = self->entry->is.origin.channel;
    return channel[0] == '@' && strcmp (channel + 1, self->entity) == 0;
}

static void said_add (struct model *self, struct entry *entry) {
    if (self->said_count == self->said_room) {
        self->said_room = self->said_room ? 2 * self->said_room : 64;
        self->said =
            mem_resize (self->said, self->said_room * sizeof *self->said);
    }
    struct said *said = mem_alloc (sizeof *said);
    said->entry = entry;
    said->statement = &entry->is.content->statement;
    origin_entity (said->entity, &entry->is.origin);
    said->own = is_own (said);
    said->fresh = true;
    self->said[self->said_count++] = said;
}

static void entries_judge (struct model *self) {
    for (size_t i = 0; i < self->statements.count; i++) {
        struct history_entry *entry = self->statements.at[i];
        struct content_place place = { .kind = CONTENT_OVERLAP };
        if (entry_of (entry)->judged)
            continue;
        snprintf (place.channel, sizeof place.channel, "%s",
                  entry->origin.channel);
        origin_entity (place.entity, &entry->origin);
        entry_judge (entry_of (entry), &place, &self->reading);
        if (entry->content && self->said_count > 0)
            said_add (self, entry_of (entry));
    }
}

void model_statements_derive (struct model *self) {
    if (self->statements_dirty) {
        bool all = self->said_count == 0;
        entries_judge (self);
        for (size_t i = 0; all && i < self->statements.count; i++)
            if (self->statements.at[i]->content)
                said_add (self, entry_of (self->statements.at[i]));
        if (self->said_count > 0)
            qsort (self->said, self->said_count, sizeof *self->said, by_pair);
    }
    struct past pasts[2] = { 0 };
    for (size_t i = 0; i < self->said_count; i++)
        said_judge (self, pasts, self->said[i]);
    work_free (&pasts[0].work);
    work_free (&pasts[1].work);
}

/* Asking */

struct pair {
    char a[PLAN_REF_MAX + 1], b[PLAN_REF_MAX + 1];
};

static void pair_of (const struct overlap *overlap, struct pair *out) {
    action_ref (out->a, overlap->plan_a, overlap->a);
    action_ref (out->b, overlap->plan_b, overlap->b);
}

static int compare_pair (const struct said *said, const struct pair *pair) {
    int order = strcmp (said->statement->a, pair->a);
    return order ? order : strcmp (said->statement->b, pair->b);
}

static size_t pair_first (const struct model *self, const struct pair *pair) {
    size_t low = 0, high = self->said_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_pair (self->said[middle], pair) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Confirming and denying is for the body that is named and names not; where
 * nobody is any more, what was said stays attached. */
static bool may_say (const struct said *said, const struct overlap *pair) {
    enum statement_says says = said->statement->says;
    if (says != SAYS_CONFIRM && says != SAYS_DENY)
        return says == SAYS_NOT_OVERLAP;
    const char *a = pair->plan_a->entity, *b = pair->plan_b->entity;
    if (pair->class == OVERLAP_CLAIMED)
        return strcmp (said->entity, pair->a_names ? b : a) == 0;
    return !said->stands
           && (strcmp (said->entity, a) == 0 || strcmp (said->entity, b) == 0);
}

/* The newest of each entity, in order of entity. */
static void newest_each (const struct model *self, const struct overlap *pair,
                         void (*each) (void *arg, const struct said *),
                         void *arg) {
    struct pair key;
    const struct said *newest = NULL;
    pair_of (pair, &key);
    for (size_t i = pair_first (self, &key); i < self->said_count; i++) {
        const struct said *at = self->said[i];
        if (compare_pair (at, &key) != 0)
            break;
        if (at->entry->is.origin.sequence >= self->limit)
            continue;
        if (newest && strcmp (newest->entity, at->entity) != 0
            && may_say (newest, pair))
            each (arg, newest);
        newest = at;
    }
    if (newest && may_say (newest, pair))
        each (arg, newest);
}

struct listing {
    struct model_statement *out;
    size_t room, count;
};

static void statement_list (void *arg, const struct said *said) {
    struct listing *self = arg;
    if (self->count++ >= self->room)
        return;
    struct model_statement *out = &self->out[self->count - 1];
    *out = (struct model_statement){ .origin = &said->entry->is.origin,
                                     .statement = said->statement,
                                     .own = said->own,
                                     .stands = said->stands };
    memcpy (out->entity, said->entity, sizeof out->entity);
}

static int by_sequence (const void *a, const void *b) {
    int64_t x = ((const struct model_statement *) a)->origin->sequence;
    int64_t y = ((const struct model_statement *) b)->origin->sequence;
    return x < y ? -1 : x > y;
}

size_t model_statements (const struct model *self, const struct overlap *pair,
                         struct model_statement *out, size_t room) {
    struct listing listing = { out, room, 0 };
    newest_each (self, pair, statement_list, &listing);
    size_t listed = listing.count < room ? listing.count : room;
    if (listed > 1)
        qsort (out, listed, sizeof *out, by_sequence);
    return listing.count;
}

struct folding {
    const char *entity;
    bool folded;
};

static void fold (void *arg, const struct said *said) {
    struct folding *self = arg;
    if (said->statement->says == SAYS_NOT_OVERLAP && said->stands
        && strcmp (said->entity, self->entity) == 0)
        self->folded = true;
}

bool model_folded (const struct model *self, const struct overlap *pair) {
    struct folding folding = { self->entity, false };
    newest_each (self, pair, fold, &folding);
    return folding.folded;
}

bool model_has_folded (const struct model *self) {
    struct folding folding = { self->entity, false };
    for (size_t i = 0; i < self->said_count && !folding.folded; i++)
        fold (&folding, self->said[i]);
    return folding.folded;
}

static const struct action *action_of (const struct model *self,
                                       const char *text) {
    struct reference ref;
    const struct work *work =
        reference_read (text, &ref) ? model_work (self, ref.plan, NULL) : NULL;
    return work && work->is.plan ? plan_action (work->is.plan, ref.action)
                                 : NULL;
}

/* Is the n-th one what its body said last of its pair? */
static bool is_newest (const struct model *self, size_t n) {
    const struct said *at = self->said[n], *next;
    if (at->entry->is.origin.sequence >= self->limit)
        return false;
    next = n + 1 < self->said_count ? self->said[n + 1] : NULL;
    return !next || next->entry->is.origin.sequence >= self->limit
           || strcmp (next->entity, at->entity) != 0
           || strcmp (next->statement->a, at->statement->a) != 0
           || strcmp (next->statement->b, at->statement->b) != 0;
}

struct overlap_omitted *model_folded_all (const struct model *self,
                                          size_t *count) {
    struct folding folding = { self->entity, false };
    struct overlap_omitted *out = NULL;
    size_t room = 0;
    *count = 0;
    for (size_t i = 0; i < self->said_count; i++) {
        const struct said *said = self->said[i];
        folding.folded = false;
        fold (&folding, said);
        if (!folding.folded || !is_newest (self, i))
            continue;
        if (*count == room) {
            room = room * 2 + 16;
            out = mem_resize (out, room * sizeof *out);
        }
        out[*count].a = action_of (self, said->statement->a);
        out[*count].b = action_of (self, said->statement->b);
        if (out[*count].a && out[*count].b)
            ++*count;
    }
    return out;
}
