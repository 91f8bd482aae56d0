/* cycle - how plans did in a period, as rows. */
#include "cycle.h"

#include <jansson.h>
#include <stdlib.h>

/* A plan's rows in the making. */
struct cycle {
    const struct cycle_query *query;
    const struct subject *subject;
    const char *lang;
    json_t *rows;
    const void **late; /* actions and milestones, by address */
    size_t late_count, late_room;
    size_t actions, done, due, overdue, received, missing; /* sums */
    size_t late_actions;
};

/* Rows */

static json_t *row_new (struct cycle *self, const char *row,
                        const struct action *action, const char *id,
                        const struct text *title) {
    const struct plan *plan = self->subject->plan;
    json_t *out = json_object();
    for (const char *const *name = rows_columns (ROWS_CYCLE); *name; name++)
        json_object_set_new (out, *name, json_string (""));
    json_object_set_new (out, "row", json_string (row));
    json_object_set_new (out, "entity", json_string (plan->entity));
    json_object_set_new (out, "plan", json_string (plan->id));
    if (action)
        json_object_set_new (out, "action", json_string (action->id));
    json_object_set_new (out, "id", json_string (id));
    json_object_set_new (out, "title",
                         json_string (text_in (title, self->lang)));
    json_array_append_new (self->rows, out);
    return out;
}

static void set_text (json_t *row, const char *name, const char *value) {
    json_object_set_new (row, name, json_string (value));
}

static void set_count (json_t *row, const char *name, size_t value) {
    json_object_set_new (row, name, json_integer ((json_int_t) value));
}

static void set_date (json_t *row, const char *name, const struct date *date) {
    char text[DATE_TEXT_MAX];
    set_text (row, name, date_text (text, date));
}

/* Whole numbers as such, like on the wire. */
static void set_value (json_t *row, const char *name, double value) {
    bool whole = value >= -0x1p53 && value <= 0x1p53
                 && value == (double) (int64_t) value;
    json_object_set_new (row, name,
                         whole ? json_integer ((json_int_t) value)
                               : json_real (value));
}

static bool in_period (const struct cycle *self, int32_t first, int32_t last) {
    return first <= self->query->to && last >= self->query->from;
}

/* What is overdue */

static void take_late (void *arg, const struct action *action,
                       const struct milestone *milestone, int32_t since) {
    struct cycle *self = arg;
    (void) since;
    if (self->late_count == self->late_room) {
        self->late_room = self->late_room ? self->late_room * 2 : 32;
        self->late =
            mem_resize (self->late, self->late_room * sizeof *self->late);
    }
    self->late[self->late_count++] =
        milestone ? (const void *) milestone : action;
}

static int address_order (const void *a, const void *b) {
    uintptr_t left = (uintptr_t) * (const void *const *) a;
    uintptr_t right = (uintptr_t) * (const void *const *) b;
    return (left > right) - (left < right);
}

static bool is_late (const struct cycle *self, const void *what) {
    return self->late_count > 0
           && bsearch (&what, self->late, self->late_count, sizeof what,
                       address_order);
}

/* Reports of an action: a run of those that are sorted by action. */
struct run {
    const struct plan_progress *at;
    size_t count;
};

static const struct report *report_of (const struct plan_progress *progress) {
    return &progress->entry->content->report;
}

static struct run run_of (const struct subject *subject, const char *action) {
    size_t low = 0, high = subject->progress_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp (report_of (&subject->progress[middle])->action, action) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct run run = { subject->progress + low, 0 };
    while (low + run.count < subject->progress_count
           && strcmp (report_of (&run.at[run.count])->action, action) == 0)
        run.count++;
    return run;
}

/* Milestones */

static void milestone_row (struct cycle *self, const struct action *action,
                           const struct milestone *milestone) {
    struct date done = { 0 };
    const struct plan_progress *by = NULL;
    bool is_done =
        subject_milestone_done (self->subject, action, milestone, &done, &by);
    bool late = is_late (self, milestone);
    bool due = in_period (self, milestone->due.first, milestone->due.last);
    if (!late && !due && !(is_done && in_period (self, done.first, done.last)))
        return;
    json_t *row =
        row_new (self, "milestone", action, milestone->id, &milestone->title);
    set_date (row, "due", &milestone->due);
    set_text (row, "state", is_done ? "done" : late ? "overdue" : "due");
    if (is_done)
        set_date (row, "done", &done);
    set_text (row, "by",
              by        ? by->entity
              : is_done ? self->subject->entity
                        : "");
    self->done += is_done;
    self->due += !is_done && !late;
    self->overdue += late;
}

/* Indicators */

/* The next that is to be reached from the period's end on, else the last. */
static const struct point *target_of (const struct cycle *self,
                                      const struct indicator *indicator) {
    const struct point *next = NULL, *last = NULL;
    for (size_t i = 0; i < indicator->target_count; i++) {
        const struct point *target = &indicator->targets[i];
        if (target->at.last >= self->query->to
            && (!next || target->at.last < next->at.last))
            next = target;
        if (!last || target->at.last > last->at.last)
            last = target;
    }
    return next ? next : last;
}

/* The last one up to the period's end; of equal days the newest record's. */
static const struct point *value_of (const struct cycle *self,
                                     struct run reports, const char *id,
                                     const char **by) {
    const struct point *found = NULL;
    int64_t sequence = -1;
    for (size_t i = 0; i < reports.count; i++) {
        const struct plan_progress *progress = &reports.at[i];
        const struct report *report = report_of (progress);
        int64_t own = progress->entry->origin.sequence;
        for (size_t v = 0;
             progress->counts && progress->newest && v < report->value_count;
             v++) {
            const struct point *point = &report->values[v].point;
            if (strcmp (report->values[v].id, id) != 0
                || point->at.first > self->query->to
                || (found && point->at.last < found->at.last)
                || (found && point->at.last == found->at.last
                    && own < sequence))
                continue;
            found = point;
            sequence = own;
            *by = progress->entity;
        }
    }
    return found;
}

static void indicator_row (struct cycle *self, const struct action *action,
                           struct run reports,
                           const struct indicator *indicator) {
    const char *by = "";
    const struct point *target = target_of (self, indicator);
    const struct point *value = value_of (self, reports, indicator->id, &by);
    json_t *row =
        row_new (self, "indicator", action, indicator->id, &indicator->title);
    set_text (row, "unit", indicator->unit);
    set_text (row, "by", by);
    if (indicator->has_baseline)
        set_value (row, "baseline", indicator->baseline.value);
    if (target) {
        set_value (row, "target", target->value);
        set_date (row, "target_at", &target->at);
    }
    if (value) {
        set_value (row, "value", value->value);
        set_date (row, "value_at", &value->at);
    }
    if (!value)
        set_text (row, "state", "no value");
    else if (target)
        set_text (row, "state",
                  (indicator->down ? value->value <= target->value
                                   : value->value >= target->value)
                      ? "reached"
                      : "not reached");
}

/* Reports */

static void report_row (struct cycle *self, const struct action *action,
                        const struct plan_progress *progress) {
    const struct report *report = report_of (progress);
    json_t *row = row_new (self, "report", action, "", &report->text);
    set_text (row, "by", progress->entity);
    set_date (row, "from", &report->from);
    set_date (row, "to", &report->to);
    if (report->has_status)
        set_text (row, "reported", action_status_name (report->status));
    set_text (row, "state", "received");
    json_object_set_new (row, "record",
                         json_integer (progress->entry->origin.sequence));
    self->received++;
}

static void report_rows (struct cycle *self, const struct action *action,
                         struct run reports) {
    bool heard = false; /* from one who has to tell */
    for (size_t i = 0; i < reports.count; i++) {
        const struct plan_progress *progress = &reports.at[i];
        const struct report *report = report_of (progress);
        if (!progress->counts || !progress->newest
            || !in_period (self, report->from.first, report->to.last))
            continue;
        report_row (self, action, progress);
        if (strcmp (progress->entity, action->lead) == 0
            || strcmp (progress->entity, self->subject->entity) == 0)
            heard = true;
    }
    if (heard || action->status == STATUS_CANCELLED)
        return;
    struct text none = { 0 };
    json_t *row = row_new (self, "report", action, "", &none);
    set_text (row, "by", action->lead);
    set_text (row, "state", "missing");
    self->missing++;
}

/* Actions and plans */

static void action_rows (struct cycle *self, const struct action *action) {
    enum action_status reported;
    const struct plan_progress *by = NULL;
    struct run reports = run_of (self->subject, action->id);
    json_t *row = row_new (self, "action", action, action->id, &action->title);
    set_text (row, "lead", action->lead);
    set_date (row, "from", &action->span.from);
    if (!action->span.open)
        set_date (row, "to", &action->span.to);
    set_text (row, "status", action_status_name (action->status));
    if (subject_status (self->subject, action, &reported, &by)) {
        set_text (row, "reported", action_status_name (reported));
        set_text (row, "by", by->entity);
    }
    if (is_late (self, action)) {
        set_text (row, "state", "overdue");
        self->late_actions++;
    }
    self->actions++;
    for (size_t i = 0; i < action->milestone_count; i++)
        milestone_row (self, action, &action->milestones[i]);
    for (size_t i = 0; i < action->indicator_count; i++)
        indicator_row (self, action, reports, &action->indicators[i]);
    report_rows (self, action, reports);
}

const char *rows_handling (const json_t *rows) {
    const char *out = "";
    for (size_t i = 0; i < json_array_size (rows); i++) {
        const char *own = json_string_value (
            json_object_get (json_array_get (rows, i), "handling"));
        out = own ? handling_stricter (out, own) : out;
    }
    return out;
}

static void plan_sums (struct cycle *self, json_t *row) {
    const struct subject *subject = self->subject;
    set_date (row, "from", &subject->plan->cycle_from);
    set_date (row, "to", &subject->plan->cycle_to);
    set_text (row, "handling", subject_handling (subject));
    json_object_set_new (row, "record",
                         json_integer (subject->revision->origin.sequence));
    json_object_set_new (row, "revision",
                         json_integer (subject->revision->revision));
    set_count (row, "actions", self->actions);
    set_count (row, "actions_overdue", self->late_actions);
    set_count (row, "milestones_done", self->done);
    set_count (row, "milestones_due", self->due);
    set_count (row, "milestones_overdue", self->overdue);
    set_count (row, "reports_received", self->received);
    set_count (row, "reports_missing", self->missing);
}

static bool action_meets (const struct cycle *self,
                          const struct action *action) {
    return in_period (self, action->span.first, action->span.last);
}

static bool plan_meets (const struct cycle *self, const struct plan *plan) {
    bool meets = in_period (self, plan->cycle_from.first, plan->cycle_to.last);
    for (size_t i = 0; !meets && i < plan->action_count; i++)
        meets = action_meets (self, &plan->actions[i]);
    return meets;
}

static void subject_rows (const struct subject *subject,
                          const struct cycle_query *query, json_t *rows) {
    struct cycle self = { .query = query, .subject = subject, .rows = rows };
    const struct plan *plan = subject->plan;
    self.lang = query->lang && *query->lang ? query->lang : plan->lang;
    if (!plan_meets (&self, plan))
        return;
    subject_overdue (subject, query->on, take_late, &self);
    if (self.late_count > 1)
        qsort (self.late, self.late_count, sizeof *self.late, address_order);
    json_t *row = row_new (&self, "plan", NULL, "", &plan->title);
    for (size_t i = 0; i < plan->action_count; i++)
        if (action_meets (&self, &plan->actions[i]))
            action_rows (&self, &plan->actions[i]);
    plan_sums (&self, row);
    free (self.late);
}

static int subject_order (const void *a, const void *b) {
    const struct subject *left = *(const struct subject *const *) a;
    const struct subject *right = *(const struct subject *const *) b;
    int order = strcmp (left->entity, right->entity);
    return order ? order : strcmp (left->plan_id, right->plan_id);
}

json_t *cycle_rows (const struct subject *const *subjects, size_t count,
                    const struct cycle_query *query) {
    json_t *rows = json_array();
    const struct subject **sorted = mem_alloc ((count + 1) * sizeof *sorted);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (subjects[i]->plan
            && (!query->entity
                || strcmp (subjects[i]->entity, query->entity) == 0))
            sorted[kept++] = subjects[i];
    if (kept > 1)
        qsort (sorted, kept, sizeof *sorted, subject_order);
    for (size_t i = 0; i < kept; i++)
        subject_rows (sorted[i], query, rows);
    free (sorted);
    return rows;
}
