/* model - all subjects, and what is derived of them together. Statements are in
 * model_statements.c, the taxonomy in model_taxonomy.c, digests in
 * model_digest.c. */
#include "model_impl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct taxonomy *taxonomy_at (void *arg, int64_t sequence) {
    return model_taxonomy_at (arg, sequence);
}

static json_t *load (void *arg, const struct origin *origin) {
    struct model *self = arg;
    return self->options.load ? self->options.load (self->options.arg, origin)
                              : NULL;
}

struct model *model_new (const struct model_options *options) {
    struct model *self = mem_alloc (sizeof *self);
    self->options = *options;
    struct slice entity = delegation_entity (slice_text (options->delegation));
    snprintf (self->entity, sizeof self->entity, "%.*s", (int) entity.size,
              (const char *) entity.data);
    self->reading = (struct reading){ load, taxonomy_at, self };
    self->limit = INT64_MAX;
    self->generation = self->forgotten = options->generation;
    self->digest_generation = -1;
    self->changes_dirty = true;
    self->highest = -1;
    model_derive (self); /* the base is in force */
    return self;
}

void model_destroy (struct model **self_p) {
    if (!self_p || !*self_p)
        return;
    struct model *self = *self_p;
    *self_p = NULL;
    overlaps_destroy (&self->overlaps);
    model_statements_free (self);
    for (size_t i = 0; i < self->work_count; i++)
        work_free (&self->works[i]);
    free (self->works);
    free (self->plans);
    model_taxonomy_free (self);
    entries_clear (&self->loose);
    free (self);
}

/* Subjects */

struct work *model_work (const struct model *self, const char *plan_id,
                         size_t *at) {
    size_t low = 0, high = self->work_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp (self->works[middle]->is.plan_id, plan_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (at)
        *at = low;
    return low < self->work_count
                   && strcmp (self->works[low]->is.plan_id, plan_id) == 0
               ? self->works[low]
               : NULL;
}

static struct work *work_make (struct model *self,
                               const struct content_place *place) {
    size_t at;
    struct work *work = model_work (self, place->plan, &at);
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
    return self->works[at] = work_new (place->plan, place->entity);
}

size_t model_subject_count (const struct model *self) {
    return self->work_count;
}

const struct subject *model_subject (const struct model *self, size_t n) {
    return &self->works[n]->is;
}

const struct subject *model_find (const struct model *self,
                                  const char *plan_id) {
    const struct work *work = model_work (self, plan_id, NULL);
    return work ? &work->is : NULL;
}

size_t model_plan_count (const struct model *self) {
    return self->plan_count;
}

const struct plan *const *model_plans (const struct model *self) {
    return self->plans;
}

const struct overlaps *model_overlaps (const struct model *self) {
    return self->overlaps;
}

const struct taxonomy *model_taxonomy (const struct model *self) {
    return self->force[self->force_count - 1].taxonomy;
}

/* Adding */

/* What the topic says: a fault's text, the caller's, or NULL. *known: the place
 * is one, whoever wrote there. */
static char *topic_judge (const struct model_record *record,
                          struct content_place *place, bool *known) {
    struct faults faults = { 0 };
    char entity[ENTITY_MAX + 1], *why = NULL;
    origin_entity (entity, &record->origin);
    *known = content_place_read (record->topic, NULL, place, &faults);
    if (!*known || !content_place_read (record->topic, entity, place, &faults))
        why = mem_copy_text (faults.kept ? faults.at[0].text
                                         : "is no topic of a plan");
    faults_clear (&faults);
    return why;
}

static void topic_keep (struct entry *entry, struct slice topic) {
    struct buf text = { 0 };
    buf_add_slice (&text, topic);
    entry->topic = buf_take_text (&text);
}

static bool entry_place (struct model *self, struct entry *entry,
                         const struct content_place *place, bool known) {
    if (!known) {
        self->loose_dirty = true;
        return entries_add (&self->loose, entry);
    }
    if (place->kind == CONTENT_OVERLAP) {
        self->statements_dirty = true;
        return entries_add (&self->statements, entry);
    }
    if (place->kind == CONTENT_TAXONOMY) {
        self->changes_dirty = true;
        return entries_add (&self->changes, entry);
    }
    struct work *work = work_make (self, place);
    if (!entries_add (&work->entries, entry))
        return false;
    work->dirty = self->dirty = true;
    work->kind = place->kind;
    work->sequence = entry->is.origin.sequence;
    return true;
}

void model_add (struct model *self, const struct model_record *record) {
    struct content_place place = { 0 };
    bool known;
    char *why = topic_judge (record, &place, &known);
    bool absent = record->absent && !why;
    struct entry *entry =
        entry_new (&record->origin, content_kind (record->topic),
                   record->document, why ? why : record->why, absent);
    topic_keep (entry, record->topic);
    if (!entry_place (self, entry, &place, known))
        entry_free (&entry);
    else if (record->origin.sequence > self->highest)
        self->highest = record->origin.sequence;
    free (why);
}

/* Changes */

static void change_note (struct model *self, const char *what,
                         enum content_kind kind, int64_t sequence) {
    struct model_change *change =
        &self->ring[self->ring_count % MODEL_CHANGES_MAX];
    if (self->ring_count++ >= MODEL_CHANGES_MAX)
        self->forgotten = change->generation;
    *change = (struct model_change){ .generation = self->generation + 1,
                                     .kind = kind,
                                     .sequence = sequence };
    snprintf (change->what, sizeof change->what, "%s", what);
}

int64_t model_generation (const struct model *self) {
    return self->generation;
}

bool model_changes (const struct model *self, int64_t generation,
                    void (*each) (void *arg, const struct model_change *),
                    void *arg) {
    size_t kept = self->ring_count < MODEL_CHANGES_MAX ? self->ring_count
                                                       : MODEL_CHANGES_MAX;
    for (size_t i = self->ring_count - kept; i < self->ring_count; i++)
        if (self->ring[i % MODEL_CHANGES_MAX].generation > generation)
            each (arg, &self->ring[i % MODEL_CHANGES_MAX]);
    return generation >= self->forgotten;
}

/* Settling */

/* Another taxonomy behind that place: what it judges is read again, and the
 * index of overlaps made anew by whoever calls. */
static void taxonomy_changed (struct model *self, int64_t from) {
    self->taxonomy_turns++;
    overlaps_destroy (&self->overlaps);
    for (size_t i = 0; i < self->work_count; i++) {
        struct work *work = self->works[i];
        for (size_t k = entries_below (&work->entries, from + 1);
             k < work->entries.count; k++) {
            struct history_entry *entry = work->entries.at[k];
            if (entry->kind != CONTENT_PLAN && entry->kind != CONTENT_ANNEX)
                continue;
            entry_unjudge (entry_of (entry));
            work->dirty = self->dirty = true;
        }
    }
}

/* A code stands for the countries that the taxonomy in force gives it, also in
 * plans that are older. */
static void countries_set (struct model *self, struct work *work) {
    if (work->is.plan)
        plan_set_countries ((struct plan *) (uintptr_t) work->is.plan,
                            model_taxonomy (self));
    work->has_digest = false;
}

static void index_settle (struct model *self, const struct work *work) {
    const struct plan *old = work->was.plan, *plan = work->is.plan;
    if (self->overlaps && old && plan)
        overlaps_replace (self->overlaps, old, plan);
    else if (self->overlaps && old)
        overlaps_remove (self->overlaps, old);
    else if (self->overlaps && plan)
        overlaps_add (self->overlaps, plan);
}

static void work_settle (struct model *self, struct work *work) {
    work_derive (work, self->limit, &self->reading);
    countries_set (self, work);
    index_settle (self, work);
    work_was_free (work);
    work->dirty = false;
    work->touched = true;
}

static void plans_list (struct model *self) {
    self->plan_count = 0;
    self->plans =
        mem_resize (self->plans, (self->work_count + 1) * sizeof *self->plans);
    for (size_t i = 0; i < self->work_count; i++)
        if (self->works[i]->is.plan)
            self->plans[self->plan_count++] = self->works[i]->is.plan;
}

static void overlaps_make (struct model *self) {
    self->overlaps = overlaps_new (model_taxonomy (self));
    for (size_t i = 0; i < self->plan_count; i++)
        overlaps_add (self->overlaps, self->plans[i]);
}

static void loose_judge (struct model *self) {
    struct content_place place = { 0 };
    for (size_t i = 0; i < self->loose.count; i++)
        entry_judge (entry_of (self->loose.at[i]), &place, &self->reading);
    self->loose_dirty = false;
}

bool model_derive (struct model *self) {
    if (!self->dirty && !self->statements_dirty && !self->changes_dirty
        && !self->loose_dirty)
        return false;
    if (self->changes_dirty) {
        int64_t from = model_taxonomy_derive (self);
        if (from != INT64_MAX)
            taxonomy_changed (self, from);
    }
    for (size_t i = 0; i < self->work_count; i++)
        if (self->works[i]->dirty)
            work_settle (self, self->works[i]);
        else if (!self->overlaps)
            countries_set (self, self->works[i]);
    plans_list (self);
    if (!self->overlaps)
        overlaps_make (self);
    loose_judge (self);
    model_statements_derive (self);
    self->dirty = self->statements_dirty = self->changes_dirty = false;
    return true;
}

/* Before it is derived, since `dirty` says whose changes they are. */
static void changes_note (struct model *self) {
    for (size_t i = 0; self->dirty && i < self->work_count; i++)
        if (self->works[i]->dirty)
            change_note (self, self->works[i]->is.plan_id, self->works[i]->kind,
                         self->works[i]->sequence);
    const struct entries *said = &self->statements;
    if (self->statements_dirty && said->count)
        change_note (self, "", CONTENT_OVERLAP,
                     said->at[said->count - 1]->origin.sequence);
    const struct entries *changes = &self->changes;
    if (self->changes_dirty && changes->count)
        change_note (self, "", CONTENT_TAXONOMY,
                     changes->at[changes->count - 1]->origin.sequence);
}

static void touched_clear (struct model *self) {
    for (size_t i = 0; i < self->work_count; i++)
        self->works[i]->touched = false;
}

void model_settle (struct model *self) {
    changes_note (self);
    if (model_derive (self))
        self->generation++;
    touched_clear (self);
}

/* Forgetting */

static void work_drop (struct model *self, struct work *work,
                       const char *channel, int64_t from) {
    size_t i = 0;
    const struct entries *entries = &work->entries;
    while (i < entries->count
           && (channel ? strcmp (entries->at[i]->origin.channel, channel) != 0
                       : entries->at[i]->origin.sequence < from))
        i++;
    if (i == entries->count)
        return;
    if (work->is.plan)
        overlaps_remove (self->overlaps, work->is.plan);
    work->is.plan = NULL;
    work->kind = entries->at[i]->kind;
    work->sequence = entries->at[i]->origin.sequence;
    entries_drop (&work->entries, channel, from);
    work->dirty = self->dirty = true;
}

static void drop (struct model *self, const char *channel, int64_t from) {
    for (size_t i = 0; i < self->work_count; i++)
        work_drop (self, self->works[i], channel, from);
    if (entries_drop (&self->loose, channel, from))
        self->loose_dirty = true;
    model_statements_free_said (self);
    if (entries_drop (&self->statements, channel, from))
        self->statements_dirty = true;
    if (entries_drop (&self->changes, channel, from))
        self->changes_dirty = true;
    self->statements_dirty = true;
    model_settle (self);
    size_t kept = 0;
    for (size_t i = 0; i < self->work_count; i++) {
        struct work *work = self->works[i];
        if (work->entries.count == 0)
            work_free (&work);
        else
            self->works[kept++] = work;
    }
    self->work_count = kept;
    self->digest_generation = -1;
}

void model_forget (struct model *self, const char *channel) {
    drop (self, channel, 0);
}

void model_cut (struct model *self, int64_t from) {
    drop (self, NULL, from);
    self->highest = from - 1;
}

/* Quarantine */

static bool quarantined (const struct history_entry *entry) {
    return (entry->faults && !entry->absent) || entry->newer;
}

static int by_sequence (const void *a, const void *b) {
    const struct history_entry *x = *(const struct history_entry *const *) a;
    const struct history_entry *y = *(const struct history_entry *const *) b;
    return x->origin.sequence < y->origin.sequence   ? -1
           : x->origin.sequence > y->origin.sequence ? 1
                                                     : 0;
}

static void collect (const struct model *self, const struct entries *entries,
                     const struct history_entry ***at, size_t *count) {
    size_t below = entries_below (entries, self->limit);
    *at = mem_resize (*at, (*count + below + 1) * sizeof **at);
    for (size_t i = 0; i < below; i++)
        if (quarantined (entries->at[i]))
            (*at)[(*count)++] = entries->at[i];
}

size_t model_quarantine (const struct model *self,
                         void (*each) (void *arg, const struct history_entry *,
                                       const char *topic),
                         void *arg) {
    const struct history_entry **at = NULL;
    size_t count = 0;
    collect (self, &self->loose, &at, &count);
    size_t topics = count;
    collect (self, &self->statements, &at, &count);
    collect (self, &self->changes, &at, &count);
    for (size_t i = 0; i < self->work_count; i++)
        collect (self, &self->works[i]->entries, &at, &count);
    qsort (at + topics, count - topics, sizeof *at, by_sequence);
    for (size_t i = 0; each && i < count; i++)
        each (arg, at[i], entry_of (at[i])->topic);
    free (at);
    return count;
}
