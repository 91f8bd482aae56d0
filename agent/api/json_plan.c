/* json_plan - plans as JSON. */
#include "api/json_plan.h"

#include "api/json_overlap.h"
#include "api/json_record.h"
#include "api/json_thread.h"
#include "base/clock.h"
#include "identity/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool action_is_live (const struct action *action, int32_t on) {
    return action->status != STATUS_CANCELLED && action->span.last >= on;
}

static size_t live_actions (const struct plan *plan, int32_t on) {
    size_t out = 0;
    for (size_t i = 0; i < plan->action_count; i++)
        out += action_is_live (&plan->actions[i], on);
    return out;
}

bool plan_is_live (const struct plan *plan, int32_t on) {
    return plan->cycle_to.last >= on || live_actions (plan, on) > 0;
}

bool plan_has_audience (const struct subject *subject, const char *channel) {
    if (strcmp (subject->revision->origin.channel, channel) == 0)
        return true;
    for (size_t i = 0; i < subject->part_count; i++)
        if (strcmp (subject->parts[i].entry->origin.channel, channel) == 0)
            return true;
    return false;
}

static void text_add_once (json_t *list, const char *text) {
    for (size_t i = 0; i < json_array_size (list); i++)
        if (strcmp (json_string_value (json_array_get (list, i)), text) == 0)
            return;
    json_array_append_new (list, json_string (text));
}

static json_t *audiences (const struct subject *subject) {
    json_t *out = json_array();
    text_add_once (out, subject->revision->origin.channel);
    for (size_t i = 0; i < subject->part_count; i++)
        text_add_once (out, subject->parts[i].entry->origin.channel);
    return out;
}

static json_t *cycle (const struct plan *plan) {
    return json_pack ("{so so}", "from", json_date (&plan->cycle_from), "to",
                      json_date (&plan->cycle_to));
}

/* Lists */

static void overdue_count (void *arg, const struct action *action,
                           const struct milestone *milestone, int32_t since) {
    json_int_t *count = arg;
    (void) action;
    (void) milestone;
    (void) since;
    ++*count;
}

json_t *json_plan_line (const struct plans_view *view,
                        const struct subject *subject) {
    const struct plan *plan = subject->plan;
    const struct origin *origin = &subject->revision->origin;
    json_int_t overdue = 0;
    subject_overdue (subject, view->today, overdue_count, &overdue);
    json_t *out = json_pack (
        "{ss ss so ss ss so ss sI sI sI}", "plan", plan->id, "entity",
        plan->entity, "title", json_text_in (&plan->title, view->lang), "level",
        plan->level, "handling", subject_handling (subject), "cycle",
        cycle (plan), "state",
        plan_is_live (plan, view->today) ? "live" : "over", "actions",
        (json_int_t) plan->action_count, "live_actions",
        (json_int_t) live_actions (plan, view->today), "overdue", overdue);
    json_t *where =
        json_pack ("{ss so sI sI ss so sb}", "channel", origin->channel,
                   "audience", audiences (subject), "revision",
                   (json_int_t) subject->revision->revision, "sequence",
                   (json_int_t) origin->sequence, "author", origin->author,
                   "log_time", json_time (origin->log_time), "withdrawn", 0);
    json_object_update_new (out, where);
    return out;
}

/* Records */

json_t *json_revision (const struct history_entry *entry) {
    return json_pack (
        "{sI sI so ss so ss}", "number", (json_int_t) entry->revision,
        "sequence", (json_int_t) entry->origin.sequence, "id",
        json_hash (&entry->origin.id), "author", entry->origin.author,
        "log_time", json_time (entry->origin.log_time), "channel",
        entry->origin.channel);
}

json_t *json_plan_entry (const struct history_entry *entry) {
    json_t *out = json_pack (
        "{sI so so ss ss ss so sb sb sb so}", "sequence",
        (json_int_t) entry->origin.sequence, "id",
        json_hash (&entry->origin.id), "log_time",
        json_time (entry->origin.log_time), "author", entry->origin.author,
        "channel", entry->origin.channel, "kind",
        content_kind_name (entry->kind), "revision",
        entry->revision > 0 ? json_integer ((json_int_t) entry->revision)
                            : json_null(),
        "withdrawal", entry->withdrawal, "newer", entry->newer, "absent",
        entry->absent, "problems",
        entry->faults ? faults_json (entry->faults) : json_array());
    return out;
}

static json_t *milestones_reported (const struct report *report) {
    json_t *out = json_array();
    for (size_t i = 0; i < report->milestone_count; i++) {
        const struct report_milestone *at = &report->milestones[i];
        json_t *one = json_pack ("{ss}", "id", at->id);
        if (at->has_done)
            json_object_set_new (one, "done", json_date (&at->done));
        else if (at->done_null)
            json_object_set_new (one, "done", json_null());
        if (at->has_due)
            json_object_set_new (one, "due", json_date (&at->due));
        json_array_append_new (out, one);
    }
    return out;
}

static json_t *indicators_reported (const struct report *report) {
    json_t *out = json_array();
    for (size_t i = 0; i < report->value_count; i++)
        json_array_append_new (
            out, json_pack ("{ss so sf}", "id", report->values[i].id, "at",
                            json_date (&report->values[i].point.at), "value",
                            report->values[i].point.value));
    return out;
}

json_t *json_plan_report (const struct plans_view *view,
                          const struct plan_progress *progress) {
    const struct report *report = &progress->entry->content->report;
    const struct origin *origin = &progress->entry->origin;
    json_t *out = json_pack (
        "{ss ss ss ss sI so sb sb sb}", "action", report->action, "entity",
        progress->entity, "author", origin->author, "channel", origin->channel,
        "sequence", (json_int_t) origin->sequence, "log_time",
        json_time (origin->log_time), "counts", progress->counts, "newest",
        progress->newest, "latest", progress->latest);
    json_t *said = json_pack (
        "{s{so so} so so so so}", "period", "from", json_date (&report->from),
        "to", json_date (&report->to), "status",
        report->has_status ? json_string (action_status_name (report->status))
                           : json_null(),
        "milestones", milestones_reported (report), "indicators",
        indicators_reported (report), "text",
        json_text_in (&report->text, view->lang));
    json_object_update_new (out, said);
    return out;
}

/* One plan */

static json_t *done_json (const struct subject *subject,
                          const struct action *action,
                          const struct milestone *milestone, int32_t today) {
    struct date done;
    const struct plan_progress *by = NULL;
    bool is_done =
        subject_milestone_done (subject, action, milestone, &done, &by);
    return json_pack (
        "{ss so so so sb}", "id", milestone->id, "due",
        json_date (&milestone->due), "done",
        is_done ? json_date (&done) : json_null(), "by",
        is_done && by ? json_integer ((json_int_t) by->entry->origin.sequence)
                      : json_null(),
        "overdue", !is_done && milestone->due.last < today);
}

static json_t *status_json (const struct subject *subject,
                            const struct action *action) {
    enum action_status status;
    const struct plan_progress *by = NULL;
    if (!subject_status (subject, action, &status, &by))
        return json_null();
    return json_pack ("{ss ss sI so}", "status", action_status_name (status),
                      "entity", by->entity, "sequence",
                      (json_int_t) by->entry->origin.sequence, "log_time",
                      json_time (by->entry->origin.log_time));
}

/* The latest of each body. */
static json_t *latest (const struct plans_view *view,
                       const struct subject *subject,
                       const struct action *action) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->progress_count; i++) {
        const struct plan_progress *at = &subject->progress[i];
        if (at->latest && at->counts
            && strcmp (at->entry->content->report.action, action->id) == 0)
            json_array_append_new (out, json_plan_report (view, at));
    }
    return out;
}

static void due_add (void *arg, const struct action *action,
                     const struct milestone *milestone, int32_t since) {
    json_array_append_new (arg, json_pack ("{ss ss? so}", "action", action->id,
                                           "milestone",
                                           milestone ? milestone->id : NULL,
                                           "since", json_day (since)));
}

static bool list_has (const json_t *overdue, const char *action) {
    for (size_t i = 0; i < json_array_size (overdue); i++) {
        const json_t *at = json_array_get (overdue, i);
        if (json_is_null (json_object_get (at, "milestone"))
            && strcmp (json_string_value (json_object_get (at, "action")),
                       action)
                   == 0)
            return true;
    }
    return false;
}

static json_t *actions (const struct plans_view *view,
                        const struct subject *subject, const json_t *overdue) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->plan->action_count; i++) {
        const struct action *action = &subject->plan->actions[i];
        json_t *milestones = json_array();
        for (size_t n = 0; n < action->milestone_count; n++)
            json_array_append_new (
                milestones, done_json (subject, action, &action->milestones[n],
                                       view->today));
        json_array_append_new (
            out,
            json_pack ("{ss sI ss ss sb so sb so so}", "action", action->id,
                       "sequence",
                       (json_int_t) subject_action_entry (subject, action)
                           ->origin.sequence,
                       "handling", action_handling (subject->plan, action),
                       "status", action_status_name (action->status), "live",
                       action_is_live (action, view->today), "reported",
                       status_json (subject, action), "overdue",
                       list_has (overdue, action->id), "milestones", milestones,
                       "reports", latest (view, subject, action)));
    }
    return out;
}

static json_t *annexes (const struct plans_view *view,
                        const struct subject *subject) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->part_count; i++) {
        const struct part *part = &subject->parts[i];
        const struct origin *origin = &part->entry->origin;
        const struct annex *annex = &part->entry->content->annex;
        json_array_append_new (
            out, json_pack (
                     "{ss ss sI ss so ss so so}", "annex", annex->id, "channel",
                     origin->channel, "sequence", (json_int_t) origin->sequence,
                     "author", origin->author, "log_time",
                     json_time (origin->log_time), "handling", annex->handling,
                     "text",
                     annex->said_text ? json_text_in (&annex->text, view->lang)
                                      : json_null(),
                     "covered", faults_json (&part->covered)));
    }
    return out;
}

static bool is_folded (void *arg, const struct overlap *o) {
    return model_folded (arg, o);
}

static json_t *overlaps (const struct plans_view *view,
                         const struct plan *plan) {
    union {
        const struct model *given;
        void *wanted;
    } arg = { view->model };
    struct overlap_answer answer;
    struct overlap_query query = { .live = true,
                                   .on = view->today,
                                   .plan = plan->id,
                                   .omit = is_folded,
                                   .arg = arg.wanted };
    if (!model_has_folded (view->model))
        query.omit = NULL;
    overlaps_find (model_overlaps (view->model), &query, &answer);
    json_t *out = json_overlap_counts (answer.counts, answer.broad);
    overlap_answer_free (&answer);
    return out;
}

#define THREADS_MAX 500

/* Those that are about it, or a part of it. */
static json_t *threads (const struct plans_view *view,
                        const struct subject *subject) {
    const struct thread *at[THREADS_MAX];
    struct threads_view of;
    json_t *out = json_array();
    threads_of (view, &of);
    size_t count =
        threads_about (view->threads, subject->plan_id, at, THREADS_MAX);
    for (size_t i = 0; i < count && i < THREADS_MAX; i++)
        json_array_append_new (out, json_thread_name (&of, at[i]));
    return out;
}

/* Withdrawn plans */

static json_t *hidden (const struct subject *subject) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->hidden_count; i++) {
        const struct origin *origin = &subject->hidden[i].entry->origin;
        json_array_append_new (
            out, json_pack ("{ss sI so}", "delegation", origin->author,
                            "sequence", (json_int_t) origin->sequence,
                            "log_time", json_time (origin->log_time)));
    }
    return out;
}

static bool has_answered (const struct subject *subject, const char *who) {
    for (size_t i = 0; i < subject->hidden_count; i++)
        if (strcmp (subject->hidden[i].entry->origin.author, who) == 0)
            return true;
    return false;
}

static bool may_write (const struct roster *roster, const char *who,
                       const char *channel) {
    return rights_ask (roster, slice_text (who), slice_text (channel),
                       RIGHT_WRITE, clock_wall_ms())
           == VERDICT_YES;
}

/* On the withdrawal's channel, or else between the two bodies (CONTENTS.md
 * section 3). */
static bool can_answer (const struct roster *roster, const char *who,
                        const struct subject *subject) {
    struct origin them = { 0 };
    char entity[ENTITY_MAX + 1], channel[CHANNEL_MAX + 1];
    if (may_write (roster, who, subject->withdrawal->origin.channel))
        return true;
    snprintf (them.author, sizeof them.author, "%s", who);
    origin_entity (entity, &them);
    int order = strcmp (entity, subject->entity);
    if (order == 0)
        snprintf (channel, sizeof channel, "@%s", entity);
    else
        snprintf (channel, sizeof channel, "@%s+%s",
                  order < 0 ? entity : subject->entity,
                  order < 0 ? subject->entity : entity);
    return may_write (roster, who, channel);
}

/* Readers of the withdrawal that have not said that they hid the plan: those
 * that may still, and those that can't. */
static void unanswered (const struct subject *subject,
                        const struct roster *roster, json_t *out) {
    const struct origin *origin = &subject->withdrawal->origin;
    json_t *waiting = json_array(), *mute = json_array();
    const struct roster_delegation **readers =
        mem_alloc ((roster_delegations (roster) + 1) * sizeof *readers);
    size_t count = 0;
    if (rights_audience (roster, slice_text (origin->channel), clock_wall_ms(),
                         readers, &count)
        != VERDICT_YES)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *who = readers[i]->name;
        if (strcmp (who, origin->author) != 0 && !has_answered (subject, who))
            json_array_append_new (can_answer (roster, who, subject) ? waiting
                                                                     : mute,
                                   json_string (who));
    }
    free (readers);
    json_object_set_new (out, "waiting", waiting);
    json_object_set_new (out, "cannot_answer", mute);
}

/* Plain, or in that language, or the first one. */
static json_t *reason_in (const json_t *body, const char *lang) {
    json_t *text = json_object_get (body, "reason"), *one = text;
    if (json_is_object (text)) {
        one = json_object_get (text, lang);
        if (!one)
            one = json_object_iter_value (json_object_iter (text));
    }
    return json_is_string (one) ? json_incref (one) : json_string ("");
}

static json_t *withdrawn (const struct plans_view *view,
                          const struct subject *subject, const json_t *body,
                          const struct roster *roster) {
    const struct history_entry *entry = subject->withdrawal;
    if (!entry)
        return json_null();
    json_t *out = json_pack (
        "{sI ss so ss so so}", "sequence", (json_int_t) entry->origin.sequence,
        "author", entry->origin.author, "log_time",
        json_time (entry->origin.log_time), "channel", entry->origin.channel,
        "reason", reason_in (body, view->lang), "hidden", hidden (subject));
    unanswered (subject, roster, out);
    return out;
}

void json_plan_facts (const struct plans_view *view,
                      const struct subject *subject, const json_t *withdrawal,
                      const struct roster *roster, json_t *out) {
    json_t *overdue = json_array();
    if (subject->plan) {
        subject_overdue (subject, view->today, due_add, overdue);
        json_object_set_new (
            out, "state",
            json_string (plan_is_live (subject->plan, view->today) ? "live"
                                                                   : "over"));
        json_object_set_new (out, "handling",
                             json_string (subject_handling (subject)));
        json_object_set_new (out, "overlaps", overlaps (view, subject->plan));
        json_object_set_new (out, "actions", actions (view, subject, overdue));
        json_object_set_new (out, "annexes", annexes (view, subject));
    }
    json_object_set_new (out, "overdue", overdue);
    json_object_set_new (out, "threads", threads (view, subject));
    json_object_set_new (out, "revision",
                         subject->revision && subject->plan
                             ? json_revision (subject->revision)
                             : json_null());
    json_object_set_new (out, "withdrawn",
                         withdrawn (view, subject, withdrawal, roster));
}
