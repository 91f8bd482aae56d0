/* subject_progress - reports on a plan's actions (CONTENTS.md section 5): which
 * count, which are the newest and the latest, and what they say of statuses and
 * milestones. */
#include "subject_impl.h"

#include <stdlib.h>
#include <string.h>

static const struct report *report_of (const struct plan_progress *self) {
    return &self->entry->content->report;
}

static int compare_dates (const struct date *a, const struct date *b) {
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    if (a->last != b->last)
        return a->last < b->last ? -1 : 1;
    return 0;
}

static int compare_lines (const struct plan_progress *x,
                          const struct plan_progress *y) {
    int order = strcmp (report_of (x)->action, report_of (y)->action);
    return order ? order : strcmp (x->entity, y->entity);
}

static int compare_periods (const struct plan_progress *x,
                            const struct plan_progress *y) {
    const struct report *a = report_of (x), *b = report_of (y);
    int order = compare_dates (&a->from, &b->from);
    return order ? order : compare_dates (&a->to, &b->to);
}

static int by_period (const void *a, const void *b) {
    const struct plan_progress *x = a, *y = b;
    int order = compare_lines (x, y);
    if (order == 0)
        order = compare_periods (x, y);
    if (order == 0)
        order = x->entry->origin.sequence < y->entry->origin.sequence ? -1 : 1;
    return order;
}

static bool named (const struct subject *subject,
                   const struct plan_progress *progress) {
    if (!subject->plan)
        return false;
    const struct action *action =
        plan_action (subject->plan, report_of (progress)->action);
    return action
           && (strcmp (subject->entity, progress->entity) == 0
               || action_names (action, progress->entity));
}

/* Is `a` later than `b`, of one body and action? */
static bool later (const struct plan_progress *a,
                   const struct plan_progress *b) {
    int32_t x = report_of (a)->to.last, y = report_of (b)->to.last;
    return x != y ? x > y
                  : a->entry->origin.sequence > b->entry->origin.sequence;
}

/* Of [from, to), all of one action and body. */
static void line_mark (struct plan_progress *progress, size_t from, size_t to) {
    struct plan_progress *latest = NULL;
    for (size_t i = from; i < to; i++) {
        struct plan_progress *at = &progress[i];
        at->newest = i + 1 == to || compare_periods (at, at + 1) != 0;
        if (at->newest && (!latest || later (at, latest)))
            latest = at;
    }
    if (latest)
        latest->latest = true;
}

void progress_derive (struct work *self) {
    struct subject *is = &self->is;
    struct plan_progress *progress =
        mem_alloc ((is->entry_count + 1) * sizeof *progress);
    size_t count = 0;
    for (size_t i = 0; i < is->entry_count; i++) {
        const struct history_entry *entry = is->entries[i];
        if (entry->kind != CONTENT_REPORT || !entry->content)
            continue;
        progress[count].entry = entry;
        origin_entity (progress[count].entity, &entry->origin);
        count++;
    }
    qsort (progress, count, sizeof *progress, by_period);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1;
             to < count && compare_lines (&progress[from], &progress[to]) == 0;)
            to++;
        line_mark (progress, from, to);
        bool counts = named (is, &progress[from]);
        for (size_t i = from; i < to; i++)
            progress[i].counts = counts;
    }
    is->progress = progress;
    is->progress_count = count;
}

/* The first report on an action; they stand together. */
static size_t first_on (const struct subject *self, const char *action) {
    size_t low = 0, high = self->progress_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp (report_of (&self->progress[middle])->action, action) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_on (const struct subject *self, size_t at, const char *action) {
    return at < self->progress_count
           && strcmp (report_of (&self->progress[at])->action, action) == 0;
}

/* The latest one of that body that states a status. */
static const struct plan_progress *status_of (const struct subject *self,
                                              const char *action,
                                              const char *entity) {
    const struct plan_progress *found = NULL;
    for (size_t i = first_on (self, action); is_on (self, i, action); i++) {
        const struct plan_progress *at = &self->progress[i];
        if (at->counts && at->newest && report_of (at)->has_status
            && strcmp (at->entity, entity) == 0
            && (!found || later (at, found)))
            found = at;
    }
    return found;
}

bool subject_status (const struct subject *self, const struct action *action,
                     enum action_status *out, const struct plan_progress **by) {
    const struct plan_progress *found =
        status_of (self, action->id, action->lead);
    if (!found)
        found = status_of (self, action->id, self->entity);
    if (by)
        *by = found;
    if (found)
        *out = report_of (found)->status;
    return found != NULL;
}

static const struct report_milestone *said_done (const struct report *report,
                                                 const char *id) {
    for (size_t i = 0; i < report->milestone_count; i++)
        if (report->milestones[i].has_done && !report->milestones[i].done_null
            && strcmp (report->milestones[i].id, id) == 0)
            return &report->milestones[i];
    return NULL;
}

bool subject_milestone_done (const struct subject *self,
                             const struct action *action,
                             const struct milestone *milestone,
                             struct date *out,
                             const struct plan_progress **by) {
    int64_t earliest = INT64_MAX;
    const struct plan_progress *found = NULL;
    if (milestone->is_done) {
        *out = milestone->done;
        earliest = self->revision->origin.sequence;
    }
    for (size_t i = first_on (self, action->id); is_on (self, i, action->id);
         i++) {
        const struct plan_progress *at = &self->progress[i];
        if (!at->counts || !at->newest
            || at->entry->origin.sequence >= earliest)
            continue;
        const struct report_milestone *said =
            said_done (report_of (at), milestone->id);
        if (!said)
            continue;
        *out = said->done;
        earliest = at->entry->origin.sequence;
        found = at;
    }
    if (by)
        *by = found;
    return earliest != INT64_MAX;
}

static bool ended (enum action_status status) {
    return status == STATUS_DONE || status == STATUS_CANCELLED;
}

void subject_overdue (const struct subject *self, int32_t on,
                      void (*each) (void *arg, const struct action *,
                                    const struct milestone *, int32_t since),
                      void *arg) {
    const struct plan *plan = self->plan;
    for (size_t i = 0; plan && i < plan->action_count; i++) {
        const struct action *action = &plan->actions[i];
        enum action_status status;
        bool over =
            ended (action->status)
            || (subject_status (self, action, &status, NULL) && ended (status));
        if (!over && !action->span.open && action->span.last < on)
            each (arg, action, NULL, action->span.last);
        for (size_t k = 0; k < action->milestone_count; k++) {
            const struct milestone *milestone = &action->milestones[k];
            struct date done;
            if (milestone->due.last < on
                && !subject_milestone_done (self, action, milestone, &done,
                                            NULL))
                each (arg, action, milestone, milestone->due.last);
        }
    }
}
