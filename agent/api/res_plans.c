/* res_plans - GET /plans, and what hangs below one of them. */
#include "api/http_impl.h"
#include "api/json_plan.h"
#include "api/problem.h"
#include "api/resources.h"
#include "identity/roster.h"
#include "plans/diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The list */

enum state { STATE_ALL, STATE_LIVE, STATE_OVER };

struct asked {
    const char *entity, *text, *channel;
    bool has_priority, has_region, has_on;
    int priority, region;
    struct date on;
    int state;
    size_t offset, limit;
};

static bool asked_read (struct request *r, const struct plans_view *view,
                        struct asked *out) {
    static const char *const states[] = { "all", "live", "over", NULL };
    *out = (struct asked){ .text = request_query (r, "text"),
                           .channel = request_query (r, "channel") };
    return plans_query_entity (r, "entity", &out->entity)
           && plans_query_priority (r, view, &out->has_priority, &out->priority)
           && plans_query_region (r, view, &out->has_region, &out->region)
           && plans_query_date (r, "on", &out->has_on, &out->on)
           && request_query_word (r, "state", states, STATE_ALL, &out->state)
           && plans_query_page (r, &out->offset, &out->limit);
}

static bool text_has (const struct text *text, const char *wanted) {
    for (size_t i = 0; i < text->count; i++)
        if (strcasestr (text->at[i].text, wanted))
            return true;
    return false;
}

static bool plan_says (const struct plan *plan, const char *wanted) {
    if (strcasestr (plan->id, wanted) || text_has (&plan->title, wanted)
        || text_has (&plan->summary, wanted))
        return true;
    for (size_t i = 0; i < plan->action_count; i++)
        if (text_has (&plan->actions[i].title, wanted))
            return true;
    return false;
}

static bool works_on (const struct plans_view *view,
                      const struct numbers *priorities, int wanted) {
    for (size_t i = 0; i < priorities->count; i++)
        if (taxonomy_priorities_match (view->taxonomy, priorities->at[i],
                                       wanted))
            return true;
    return false;
}

static bool action_fits (const struct plans_view *view,
                         const struct action *action,
                         const struct asked *asked) {
    if (asked->has_priority
        && !works_on (view, &action->priorities, asked->priority))
        return false;
    if (asked->has_on
        && (action->span.first > asked->on.last
            || action->span.last < asked->on.first))
        return false;
    if (!asked->has_region)
        return true;
    struct countries countries = { 0 };
    taxonomy_countries (view->taxonomy, asked->region, action->span.first,
                        action->span.last, &countries);
    return countries_common (&countries, &action->countries);
}

/* Priority, region and day are those of one action. */
static bool some_action_fits (const struct plans_view *view,
                              const struct plan *plan,
                              const struct asked *asked) {
    if (!asked->has_priority && !asked->has_region && !asked->has_on)
        return true;
    for (size_t i = 0; i < plan->action_count; i++)
        if (action_fits (view, &plan->actions[i], asked))
            return true;
    return false;
}

static bool fits (const struct plans_view *view, const struct subject *subject,
                  const struct asked *asked) {
    const struct plan *plan = subject->plan;
    return plan && (!asked->entity || strcmp (plan->entity, asked->entity) == 0)
           && (!asked->channel || plan_has_audience (subject, asked->channel))
           && (asked->state == STATE_ALL
               || plan_is_live (plan, view->today)
                      == (asked->state == STATE_LIVE))
           && some_action_fits (view, plan, asked)
           && (!asked->text || plan_says (plan, asked->text));
}

void plans_get (struct request *r) {
    struct plans_view view;
    struct asked asked;
    size_t total = 0;
    if (!plans_open (r, &view))
        return;
    if (asked_read (r, &view, &asked)) {
        json_t *out = plans_head (&view), *list = json_array();
        for (size_t i = 0; i < model_subject_count (view.model); i++) {
            const struct subject *subject = model_subject (view.model, i);
            if (!fits (&view, subject, &asked))
                continue;
            if (total >= asked.offset && total - asked.offset < asked.limit)
                json_array_append_new (list, json_plan_line (&view, subject));
            total++;
        }
        json_object_set_new (out, "total", json_integer ((json_int_t) total));
        json_object_set_new (out, "plans", list);
        reply_json (r, 200, out);
    }
    plans_close (r);
}

/* One */

static bool open_subject (struct request *r, struct plans_view *view,
                          const struct subject **out) {
    if (!plans_open (r, view))
        return false;
    *out = model_find (view->model, r->segment);
    if (*out)
        return true;
    problem_reply (r, PROBLEM_NOT_FOUND, "no record about a plan '%s' is here",
                   r->segment);
    plans_close (r);
    return false;
}

static json_t *load (void *arg, const struct history_entry *entry) {
    return plans_load (arg, &entry->origin);
}

static bool whole_get (struct request *r, struct store *store,
                       const struct subject *subject, json_t *out) {
    json_t *whole = subject_document (subject, load, store);
    if (subject->plan && !whole) {
        problem_reply (r, PROBLEM_INTERNAL,
                       "the store no longer has record %" PRId64,
                       subject->revision->origin.sequence);
        return false;
    }
    json_t *document = json_object_get (whole, "document");
    json_t *audience = json_object_get (whole, "audience");
    json_t *handling = json_object_get (whole, "handling");
    json_object_set_new (out, "plan",
                         document ? json_incref (document) : json_null());
    json_object_set_new (out, "audience",
                         audience ? json_incref (audience) : json_object());
    json_object_set_new (out, "handlings",
                         handling ? json_incref (handling) : json_object());
    json_decref (whole);
    return true;
}

static void plan_answer (struct request *r, struct store *store,
                         const struct roster *roster) {
    struct plans_view view;
    const struct subject *subject;
    if (!open_subject (r, &view, &subject))
        return;
    if (!subject->plan && !subject->withdrawal) {
        problem_reply (r, PROBLEM_NOT_FOUND,
                       "no revision of '%s' counts; its history says why",
                       r->segment);
    } else {
        json_t *out = plans_head (&view);
        if (whole_get (r, store, subject, out)) {
            json_t *body =
                subject->withdrawal
                    ? plans_load (store, &subject->withdrawal->origin)
                    : NULL;
            json_plan_facts (&view, subject, body, roster, out);
            json_decref (body);
            reply_json (r, 200, out);
        } else
            json_decref (out);
    }
    plans_close (r);
}

void plan_get (struct request *r) {
    int64_t sequence;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    if (roster)
        plan_answer (r, store, roster);
    roster_unref (&roster);
}

void plan_history_get (struct request *r) {
    struct plans_view view;
    const struct subject *subject;
    if (!open_subject (r, &view, &subject))
        return;
    json_t *out = plans_head (&view), *list = json_array();
    for (size_t i = 0; i < subject->entry_count; i++)
        json_array_append_new (list, json_plan_entry (subject->entries[i]));
    json_object_set_new (out, "plan", json_string (subject->plan_id));
    json_object_set_new (out, "entity", json_string (subject->entity));
    json_object_set_new (out, "entries", list);
    plans_close (r);
    reply_json (r, 200, out);
}

/* Documents as they were published */

static const struct history_entry *entry_find (const struct subject *subject,
                                               int64_t revision,
                                               int64_t sequence) {
    for (size_t i = 0; i < subject->entry_count; i++) {
        const struct history_entry *at = subject->entries[i];
        if (sequence >= 0 ? at->origin.sequence == sequence
                          : at->revision == revision)
            return at;
    }
    return NULL;
}

static int64_t last_revision (const struct subject *subject) {
    int64_t out = 0;
    for (size_t i = 0; i < subject->entry_count; i++)
        if (subject->entries[i]->revision > out)
            out = subject->entries[i]->revision;
    return out;
}

static bool entry_need (struct request *r, const struct subject *subject,
                        int64_t revision, int64_t sequence,
                        struct history_entry *out) {
    const struct history_entry *found =
        revision == 0 && sequence < 0
            ? NULL
            : entry_find (subject, revision, sequence);
    if (found)
        *out = *found;
    else if (sequence >= 0)
        problem_reply (r, PROBLEM_NOT_FOUND,
                       "record %" PRId64 " is none of '%s'", sequence,
                       subject->plan_id);
    else
        problem_reply (r, PROBLEM_NOT_FOUND,
                       "'%s' has %" PRId64 " revisions, and no revision "
                       "%" PRId64,
                       subject->plan_id, last_revision (subject), revision);
    return found != NULL;
}

static json_t *entry_load (struct request *r, const struct origin *origin) {
    struct store *store = request_reader (r);
    json_t *out = store ? plans_load (store, origin) : NULL;
    if (store && !out)
        problem_reply (r, PROBLEM_NOT_FOUND,
                       "record %" PRId64 " has no body that can be shown",
                       origin->sequence);
    return out;
}

void plan_document_get (struct request *r) {
    struct plans_view view;
    const struct subject *subject;
    struct history_entry entry;
    int64_t revision, sequence;
    if (!request_query_int (r, "revision", 0, 1, INT64_MAX, &revision)
        || !request_query_int (r, "sequence", -1, 0, INT64_MAX, &sequence)
        || !open_subject (r, &view, &subject))
        return;
    if (revision == 0 && sequence < 0)
        revision = last_revision (subject);
    bool found = entry_need (r, subject, revision, sequence, &entry);
    plans_close (r);
    json_t *document = found ? entry_load (r, &entry.origin) : NULL;
    if (document)
        reply_json (r, 200, document);
}

/* What changed */

struct pair {
    struct history_entry from, to;
    struct taxonomy *taxonomy;
};

static bool pair_find (struct request *r, json_t **head, struct pair *out) {
    struct plans_view view;
    const struct subject *subject;
    int64_t from, to;
    if (!request_query_int (r, "from", 0, 1, INT64_MAX, &from)
        || !request_query_int (r, "to", 0, 1, INT64_MAX, &to)
        || !open_subject (r, &view, &subject))
        return false;
    if (to == 0)
        to = last_revision (subject);
    if (from == 0)
        from = to > 1 ? to - 1 : to;
    bool found = entry_need (r, subject, from, -1, &out->from)
                 && entry_need (r, subject, to, -1, &out->to);
    if (found) {
        *head = plans_head (&view);
        out->taxonomy = taxonomy_ref (view.taxonomy);
    }
    plans_close (r);
    return found;
}

void plan_diff_get (struct request *r) {
    struct pair pair;
    struct diff diff = { 0 };
    json_t *out;
    if (!pair_find (r, &out, &pair))
        return;
    json_t *before = entry_load (r, &pair.from.origin);
    json_t *after = before ? entry_load (r, &pair.to.origin) : NULL;
    if (after) {
        diff_make (before, after, pair.taxonomy, &diff);
        json_object_set_new (out, "from", json_revision (&pair.from));
        json_object_set_new (out, "to", json_revision (&pair.to));
        json_object_update_new (out, diff_json (&diff));
        diff_free (&diff);
        reply_json (r, 200, json_incref (out));
    }
    json_decref (out);
    json_decref (before);
    json_decref (after);
    taxonomy_unref (&pair.taxonomy);
}

/* Reports */

static int newest_first (const void *a, const void *b) {
    const struct plan_progress *const *p = a, *const *q = b;
    int64_t m = (*p)->entry->origin.sequence, n = (*q)->entry->origin.sequence;
    return (m < n) - (m > n);
}

static json_t *reports (const struct plans_view *view,
                        const struct subject *subject, const char *action,
                        const char *entity) {
    json_t *out = json_array();
    size_t count = 0;
    const struct plan_progress **at =
        mem_alloc ((subject->progress_count + 1) * sizeof *at);
    for (size_t i = 0; i < subject->progress_count; i++) {
        const struct plan_progress *one = &subject->progress[i];
        if ((!entity || strcmp (one->entity, entity) == 0)
            && (!action
                || strcmp (one->entry->content->report.action, action) == 0))
            at[count++] = one;
    }
    qsort (at, count, sizeof *at, newest_first);
    for (size_t i = 0; i < count; i++)
        json_array_append_new (out, json_plan_report (view, at[i]));
    free (at);
    return out;
}

void plan_reports_get (struct request *r) {
    struct plans_view view;
    const struct subject *subject;
    const char *entity, *action = request_query (r, "action");
    if (!plans_query_entity (r, "entity", &entity)
        || !open_subject (r, &view, &subject))
        return;
    json_t *out = plans_head (&view);
    json_object_set_new (out, "plan", json_string (subject->plan_id));
    json_object_set_new (out, "reports",
                         reports (&view, subject, action, entity));
    plans_close (r);
    reply_json (r, 200, out);
}
