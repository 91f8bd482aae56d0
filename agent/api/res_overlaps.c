/* res_overlaps - GET /overlaps. */
#include "api/answers.h"
#include "api/http_impl.h"
#include "api/json_overlap.h"
#include "api/resources.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct asked {
    struct overlap_query query;
    bool all, broad, folded;
};

static bool class_number (struct slice word, int *number) {
    enum overlap_class class;
    bool known = overlap_class_read (word, &class);
    *number = known ? (int) class : 0;
    return known;
}

static bool kind_number (struct slice word, int *number) {
    enum action_kind kind;
    bool known = action_kind_read (word, &kind);
    *number = known ? (int) kind : 0;
    return known;
}

/* from and to: a date each, or open. */
static bool period_read (struct request *r, struct overlap_query *query) {
    bool from_given, to_given;
    struct date from, to;
    if (!plans_query_date (r, "from", &from_given, &from)
        || !plans_query_date (r, "to", &to_given, &to))
        return false;
    query->has_period = from_given || to_given;
    query->from = from_given ? from.first : INT32_MIN;
    query->to = to_given ? to.last : DAY_OPEN;
    return true;
}

static bool asked_read (struct request *r, const struct plans_view *view,
                        struct asked *out) {
    struct overlap_query *query = &out->query;
    struct date on;
    bool on_given;
    *out = (struct asked){ 0 };
    if (!plans_query_date (r, "on", &on_given, &on)
        || !plans_query_flag (r, "all", &out->all)
        || !plans_query_flag (r, "broad", &out->broad)
        || !plans_query_flag (r, "folded", &out->folded)
        || !plans_query_entity (r, "entity", &query->entity)
        || !plans_query_entity (r, "other", &query->other)
        || !plans_query_priority (r, view, &query->has_priority,
                                  &query->priority)
        || !plans_query_region (r, view, &query->has_region, &query->region)
        || !period_read (r, query)
        || !plans_query_bits (r, "class", class_number, &query->classes)
        || !plans_query_bits (r, "kind", kind_number, &query->kinds)
        || !plans_query_page (r, &query->offset, &query->limit))
        return false;
    query->plan = request_query (r, "plan");
    query->action = request_query (r, "action");
    query->live = !out->all;
    query->on = on_given ? on.first : view->today;
    query->narrow_only = !out->broad;
    return true;
}

static bool is_folded (void *arg, const struct overlap *o) {
    return model_folded (arg, o);
}

static json_t *list (const struct plans_view *view,
                     const struct overlap_answer *answer) {
    json_t *out = json_array();
    for (size_t i = 0; i < answer->count; i++)
        json_array_append_new (out, json_overlap (view, &answer->at[i], NULL));
    return out;
}

static json_t *answer_json (const struct plans_view *view,
                            const struct asked *asked) {
    struct overlap_answer answer;
    overlaps_find (model_overlaps (view->model), &asked->query, &answer);
    json_t *out = plans_head (view);
    json_object_set_new (out, "on",
                         asked->all ? json_null() : json_day (asked->query.on));
    json_object_set_new (out, "counts",
                         json_overlap_counts (answer.counts, answer.broad));
    json_object_set_new (out, "pairs", json_overlap_pairs (&answer));
    json_object_set_new (out, "listed",
                         json_integer ((json_int_t) answer.listed));
    json_object_set_new (out, "overlaps", list (view, &answer));
    overlap_answer_free (&answer);
    return out;
}

void overlaps_get (struct request *r) {
    struct plans_view view;
    struct asked asked;
    char state[64];
    if (!plans_open (r, &view))
        return;
    snprintf (state, sizeof state, "%" PRId64 " %" PRId64 " %" PRId32,
              model_generation (view.model), view.mark, view.today);
    if (asked_read (r, &view, &asked)
        && !answers_reply (&r->http->answers, r, state)) {
        if (!asked.folded && model_has_folded (view.model)) {
            union {
                const struct model *given;
                void *wanted;
            } arg = { view.model };
            asked.query.omit = is_folded;
            asked.query.arg = arg.wanted;
        }
        answers_make (&r->http->answers, r, state, answer_json (&view, &asked));
    }
    plans_close (r);
}
