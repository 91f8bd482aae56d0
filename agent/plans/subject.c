/* subject - a plan's records by sequence, and the revision, withdrawal and
 * annexes that follow from them. Joining is in subject_join.c, reports in
 * subject_progress.c. */
#include "subject_impl.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *origin_entity (char out[ENTITY_MAX + 1], const struct origin *origin) {
    struct slice entity = delegation_entity (slice_text (origin->author));
    snprintf (out, ENTITY_MAX + 1, "%.*s", (int) entity.size,
              (const char *) entity.data);
    return out;
}

/* Entries */

struct entry *entry_new (const struct origin *origin, enum content_kind kind,
                         json_t *document, const char *why, bool absent) {
    struct entry *self = mem_alloc (sizeof *self);
    self->is.origin = *origin;
    self->is.kind = kind;
    self->is.absent = absent;
    if (why)
        self->why = mem_copy_text (why);
    else
        self->document = json_incref (document);
    return self;
}

static void entry_forget (struct entry *self) {
    faults_free (&self->is.faults);
    content_free (&self->is.content);
    free (self->part);
    self->part = NULL;
    facets_free (&self->facets);
    self->beyond = self->tried = false;
}

void entry_free (struct entry **self_p) {
    if (!self_p || !*self_p)
        return;
    struct entry *self = *self_p;
    *self_p = NULL;
    entry_forget (self);
    json_decref (self->document);
    free (self->why);
    free (self->topic);
    free (self);
}

size_t entries_below (const struct entries *self, int64_t sequence) {
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->at[middle]->origin.sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct entry *entries_find (const struct entries *self, int64_t sequence) {
    size_t at = entries_below (self, sequence);
    if (at == self->count || self->at[at]->origin.sequence != sequence)
        return NULL;
    return entry_of (self->at[at]);
}

bool entries_add (struct entries *self, struct entry *entry) {
    size_t at = entries_below (self, entry->is.origin.sequence);
    if (at < self->count
        && self->at[at]->origin.sequence == entry->is.origin.sequence)
        return false;
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 4;
        self->at = mem_resize (self->at, self->room * sizeof *self->at);
    }
    memmove (self->at + at + 1, self->at + at,
             (self->count - at) * sizeof *self->at);
    self->at[at] = &entry->is;
    self->count++;
    return true;
}

size_t entries_drop (struct entries *self, const char *channel, int64_t from) {
    size_t kept = 0, count = self->count;
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = entry_of (self->at[i]);
        bool drop = channel ? strcmp (entry->is.origin.channel, channel) == 0
                            : entry->is.origin.sequence >= from;
        if (drop)
            entry_free (&entry);
        else
            self->at[kept++] = &entry->is;
    }
    self->count = kept;
    return count - kept;
}

void entries_clear (struct entries *self) {
    for (size_t i = 0; i < self->count; i++) {
        struct entry *entry = entry_of (self->at[i]);
        entry_free (&entry);
    }
    free (self->at);
    *self = (struct entries){ 0 };
}

/* Reading */

/* Only annexes and proposals for the taxonomy borrow from the document, which is
 * many times as large as what was read from it. */
static void document_drop (struct content *content) {
    if (content->kind == CONTENT_ANNEX
        || (content->kind == CONTENT_TAXONOMY && !content->change.is_consent))
        return;
    json_decref (content->document);
    content->document = NULL;
}

static void facets_note (struct entry *self, const struct content *content) {
    if ((content->kind != CONTENT_PLAN && content->kind != CONTENT_ANNEX)
        || self->facets)
        return;
    self->facets = facets_read (json_object_get (content->document, "actions"));
}

static struct content *body_read (struct entry *self,
                                  const struct content_place *place,
                                  const struct reading *reading,
                                  struct faults *faults, bool *newer) {
    json_t *document = self->document ? json_incref (self->document)
                       : self->why
                           ? NULL
                           : reading->load (reading->arg, &self->is.origin);
    if (!document) {
        faults_add (faults, "", "%s",
                    self->why ? self->why : "the body is no longer there");
        return NULL;
    }
    struct content *content = content_read (
        place, document,
        reading->taxonomy (reading->arg, self->is.origin.sequence), faults,
        newer);
    json_decref (document);
    if (content) {
        facets_note (self, content);
        document_drop (content);
    }
    return content;
}

void entry_judge (struct entry *self, const struct content_place *place,
                  const struct reading *reading) {
    struct history_entry *is = &self->is;
    if (self->judged)
        return;
    struct faults *faults = mem_alloc (sizeof *faults);
    entry_forget (self);
    is->content = body_read (self, place, reading, faults, &is->newer);
    if (is->content) {
        is->withdrawal = is->kind == CONTENT_PLAN && is->content->is_withdrawal;
        if (is->kind == CONTENT_ANNEX)
            self->part = mem_copy_text (is->content->annex.id);
    } else if (faults->count > 0) {
        is->faults = faults;
        faults = NULL;
    }
    faults_free (&faults);
    json_decref (self->document);
    self->document = NULL;
    self->judged = true;
}

void entry_unjudge (struct entry *self) {
    if (self->why || !self->judged)
        return;
    entry_forget (self);
    self->is.newer = self->is.withdrawal = false;
    self->judged = false;
}

bool entry_recall (struct entry *self, const struct content_place *place,
                   const struct reading *reading) {
    if (self->is.content)
        return true;
    struct faults faults = { 0 };
    bool newer;
    self->is.content = body_read (self, place, reading, &faults, &newer);
    faults_clear (&faults);
    return self->is.content != NULL;
}

/* Subjects */

struct work *work_new (const char *plan_id, const char *entity) {
    struct work *self = mem_alloc (sizeof *self);
    snprintf (self->is.plan_id, sizeof self->is.plan_id, "%s", plan_id);
    snprintf (self->is.entity, sizeof self->is.entity, "%s", entity);
    return self;
}

void work_was_free (struct work *self) {
    plan_free (&self->was.joined);
    content_free (&self->was.content);
    self->was.plan = NULL;
}

static void derived_free (struct work *self) {
    struct subject *is = &self->is;
    for (size_t i = 0; i < is->part_count; i++)
        faults_clear (&((struct part *) (uintptr_t) is->parts)[i].covered);
    free ((void *) (uintptr_t) is->parts);
    free ((void *) (uintptr_t) is->progress);
    free ((void *) (uintptr_t) is->hidden);
    work_was_free (self);
    self->was.plan = is->plan;
    self->was.joined = self->joined;
    self->joined = NULL;
    is->parts = NULL;
    is->progress = NULL;
    is->hidden = NULL;
    is->part_count = is->progress_count = is->hidden_count = 0;
    is->plan = NULL;
    is->revision = is->withdrawal = NULL;
}

void work_free (struct work **self_p) {
    if (!self_p || !*self_p)
        return;
    struct work *self = *self_p;
    *self_p = NULL;
    derived_free (self);
    work_was_free (self);
    entries_clear (&self->entries);
    free (self);
}

static bool good (const struct history_entry *entry, enum content_kind kind) {
    return entry->kind == kind && !entry->faults && !entry->newer;
}

static struct content_place place_of (const struct work *self,
                                      const struct history_entry *entry) {
    struct content_place place = { .kind = entry->kind };
    snprintf (place.channel, sizeof place.channel, "%s", entry->origin.channel);
    snprintf (place.entity, sizeof place.entity, "%s", self->is.entity);
    snprintf (place.plan, sizeof place.plan, "%s", self->is.plan_id);
    return place;
}

static void revision_drop (struct work *self, struct history_entry *entry) {
    struct content *content = entry->content;
    if (content && !content->is_withdrawal && self->was.plan
        && content->plan == self->was.plan) {
        self->was.content = content;
        entry->content = NULL;
    }
    content_free (&entry->content);
}

/* Number the revisions; the last of them or of the withdrawals stands. All but
 * the one that stands are let go of. */
static void revision_find (struct work *self) {
    struct subject *is = &self->is;
    const struct history_entry *newest = NULL;
    int64_t number = 0;
    for (size_t i = 0; i < is->entry_count; i++) {
        struct history_entry *entry = self->entries.at[i];
        entry->revision = 0; /* it may have been one by another taxonomy */
        if (!good (entry, CONTENT_PLAN))
            continue;
        newest = entry;
        if (!entry->withdrawal)
            entry->revision = ++number;
    }
    for (size_t i = 0; i < self->entries.count; i++)
        if (self->entries.at[i] != newest
            && good (self->entries.at[i], CONTENT_PLAN))
            revision_drop (self, self->entries.at[i]);
    if (newest && newest->withdrawal)
        is->withdrawal = newest;
    else
        is->revision = newest;
}

/* Annexes */

static int by_part (const void *a, const void *b) {
    const struct history_entry *x = *(const struct history_entry *const *) a;
    const struct history_entry *y = *(const struct history_entry *const *) b;
    int order = strcmp (x->origin.channel, y->origin.channel);
    if (order == 0)
        order = strcmp (entry_of (x)->part, entry_of (y)->part);
    if (order == 0)
        order = x->origin.sequence < y->origin.sequence ? -1 : 1;
    return order;
}

static bool same_part (const struct history_entry *a,
                       const struct history_entry *b) {
    return strcmp (a->origin.channel, b->origin.channel) == 0
           && strcmp (entry_of (a)->part, entry_of (b)->part) == 0;
}

/* By channel, id and sequence; the caller's. Those at and above the limit, too:
 * whether one is beyond depends on what is below it alone. */
static struct history_entry **annexes_list (struct work *self, size_t *count) {
    struct history_entry **out =
        mem_alloc ((self->entries.count + 1) * sizeof *out);
    *count = 0;
    for (size_t i = 0; i < self->entries.count; i++) {
        struct entry *entry = entry_of (self->entries.at[i]);
        if (entry->beyond)
            faults_free (&entry->is.faults);
        entry->beyond = false;
        if (good (&entry->is, CONTENT_ANNEX))
            out[(*count)++] = &entry->is;
    }
    qsort (out, *count, sizeof *out, by_part);
    return out;
}

static int by_number (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return x < y ? -1 : x > y;
}

static void beyond_set (struct history_entry *annex) {
    struct entry *entry = entry_of (annex);
    entry->beyond = true;
    annex->faults = mem_alloc (sizeof *annex->faults);
    faults_add (annex->faults, "/annex",
                "is an annex more than the %d of a plan on a channel that "
                "count: change an earlier one instead",
                PARTS_MAX);
    content_free (&annex->content);
}

/* Of one channel: ids that came behind the first PARTS_MAX are beyond. */
static void channel_limit (struct history_entry **annexes, size_t count) {
    int64_t *firsts = mem_alloc ((count + 1) * sizeof *firsts);
    size_t ids = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !same_part (annexes[i - 1], annexes[i]))
            firsts[ids++] = annexes[i]->origin.sequence;
    qsort (firsts, ids, sizeof *firsts, by_number);
    int64_t last = ids > PARTS_MAX ? firsts[PARTS_MAX - 1] : INT64_MAX;
    bool beyond = false;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !same_part (annexes[i - 1], annexes[i]))
            beyond = annexes[i]->origin.sequence > last;
        if (beyond)
            beyond_set (annexes[i]);
    }
    free (firsts);
}

static void annexes_limit (struct history_entry **annexes, size_t count) {
    for (size_t from = 0, to; from < count; from = to) {
        const char *channel = annexes[from]->origin.channel;
        for (to = from + 1;
             to < count && strcmp (annexes[to]->origin.channel, channel) == 0;)
            to++;
        channel_limit (annexes + from, to - from);
    }
}

bool subject_annex_known (const struct subject *self, const char *channel,
                          const char *id) {
    for (size_t i = 0; i < self->entry_count; i++)
        if (good (self->entries[i], CONTENT_ANNEX)
            && strcmp (self->entries[i]->origin.channel, channel) == 0
            && strcmp (entry_of (self->entries[i])->part, id) == 0)
            return true;
    return false;
}

bool subject_annex_fits (const struct subject *self, const char *channel,
                         const char *id, size_t *count) {
    size_t all = 0;
    bool known = false;
    const struct history_entry **annexes =
        mem_alloc ((self->entry_count + 1) * sizeof *annexes);
    *count = 0;
    for (size_t i = 0; i < self->entry_count; i++)
        if (good (self->entries[i], CONTENT_ANNEX)
            && strcmp (self->entries[i]->origin.channel, channel) == 0)
            annexes[all++] = self->entries[i];
    qsort (annexes, all, sizeof *annexes, by_part);
    for (size_t i = 0; i < all; i++) {
        known |= strcmp (entry_of (annexes[i])->part, id) == 0;
        *count += i == 0 || !same_part (annexes[i - 1], annexes[i]);
    }
    free (annexes);
    return known || *count < PARTS_MAX;
}

/* The newest for each channel and id, in that order. */
static void parts_find (struct work *self, int64_t limit,
                        const struct reading *reading) {
    struct subject *is = &self->is;
    size_t all, count = 0;
    struct history_entry **annexes = annexes_list (self, &all);
    annexes_limit (annexes, all);
    for (size_t i = 0; i < all; i++)
        if (!annexes[i]->faults && annexes[i]->origin.sequence < limit)
            annexes[count++] = annexes[i];
    struct part *parts = mem_alloc ((count + 1) * sizeof *parts);
    is->parts = parts;
    for (size_t i = 0; i < count; i++) {
        struct history_entry *annex = annexes[i];
        if (i + 1 < count && same_part (annex, annexes[i + 1])) {
            content_free (&annex->content);
            continue;
        }
        struct content_place place = place_of (self, annex);
        if (entry_recall (entry_of (annex), &place, reading)
            && !annex->content->annex.withdraw)
            parts[is->part_count++].entry = annex;
    }
    free (annexes);
}

/* All that goes into it are judged by the taxonomy of the last of them. */
static int64_t newest_place (const struct subject *is) {
    int64_t newest = is->revision->origin.sequence;
    for (size_t i = 0; i < is->part_count; i++)
        if (is->parts[i].entry->origin.sequence > newest)
            newest = is->parts[i].entry->origin.sequence;
    return newest;
}

static void parts_join (struct work *self, const struct reading *reading) {
    struct subject *is = &self->is;
    const struct taxonomy *taxonomy =
        reading->taxonomy (reading->arg, newest_place (is));
    json_t *document = reading->load (reading->arg, &is->revision->origin);
    if (!document)
        return;
    struct joining *joining =
        joining_new (document, is->revision->origin.channel);
    for (size_t i = 0; i < is->part_count; i++) {
        struct part *part = &((struct part *) (uintptr_t) is->parts)[i];
        joining_add (joining, &part->entry->content->annex,
                     part->entry->origin.channel, taxonomy, &part->covered);
    }
    self->joined = joining_plan (joining, taxonomy);
    if (self->joined)
        is->plan = self->joined;
    joining_free (&joining);
    json_decref (document);
}

static void plan_derive (struct work *self, const struct reading *reading) {
    struct subject *is = &self->is;
    if (!is->revision)
        return;
    struct content_place place = place_of (self, is->revision);
    if (!entry_recall (entry_of (is->revision), &place, reading)) {
        is->revision = NULL; /* the store is damaged, and says so elsewhere */
        return;
    }
    struct plan *plan = is->revision->content->plan;
    is->plan = plan;
    for (size_t i = 0; i < plan->action_count; i++)
        if (!plan->actions[i].audience)
            plan_set_audience (plan, i, is->revision->origin.channel);
    if (is->part_count > 0)
        parts_join (self, reading);
}

/* Answers to the withdrawal, the first of each delegation. */
static void hidden_find (struct work *self) {
    struct subject *is = &self->is;
    if (!is->withdrawal)
        return;
    struct answer_hidden *hidden =
        mem_alloc ((is->entry_count + 1) * sizeof *hidden);
    is->hidden = hidden;
    for (size_t i = 0; i < is->entry_count; i++) {
        const struct history_entry *entry = self->entries.at[i];
        if (!good (entry, CONTENT_HIDDEN)
            || !hash_equal (&entry->content->hidden.withdrawal,
                            &is->withdrawal->origin.id))
            continue;
        bool again = false;
        for (size_t k = 0; !again && k < is->hidden_count; k++)
            again =
                strcmp (hidden[k].entry->origin.author, entry->origin.author)
                == 0;
        if (!again)
            hidden[is->hidden_count++].entry = entry;
    }
}

void work_derive (struct work *self, int64_t limit,
                  const struct reading *reading) {
    derived_free (self);
    for (size_t i = 0; i < self->entries.count; i++) {
        struct content_place place = place_of (self, self->entries.at[i]);
        entry_judge (entry_of (self->entries.at[i]), &place, reading);
    }
    self->is.entries = (const struct history_entry *const *) self->entries.at;
    self->is.entry_count = entries_below (&self->entries, limit);
    revision_find (self);
    parts_find (self, limit, reading);
    plan_derive (self, reading);
    hidden_find (self);
    progress_derive (self);
    self->has_digest = false;
}

json_t *subject_document (const struct subject *self, subject_load_fn *load,
                          void *arg) {
    if (!self->plan)
        return NULL;
    json_t *document = load (arg, self->revision);
    if (!document)
        return NULL;
    struct joining *joining =
        joining_new (document, self->revision->origin.channel);
    json_decref (document);
    for (size_t i = 0; i < self->part_count; i++) {
        const struct history_entry *entry = self->parts[i].entry;
        struct faults covered = { 0 };
        joining_add (joining, &entry->content->annex, entry->origin.channel,
                     self->plan->taxonomy, &covered);
        faults_clear (&covered);
    }
    json_t *out = joining_document (joining);
    joining_free (&joining);
    return out;
}

const struct history_entry *subject_action_entry (const struct subject *self,
                                                  const struct action *action) {
    return action->part > 0 && action->part <= self->part_count
               ? self->parts[action->part - 1].entry
               : self->revision;
}

const char *subject_handling (const struct subject *self) {
    const char *out = self->plan->handling;
    for (size_t i = 0; i < self->part_count; i++)
        out = handling_stricter (out,
                                 self->parts[i].entry->content->annex.handling);
    return out;
}
