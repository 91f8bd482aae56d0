/* json_overlap - overlaps and gaps as JSON. */
#include "api/json_overlap.h"

#include "api/json_record.h"
#include "threads/asks.h"

#include <string.h>

#define FACETS_MAX 32
#define STATEMENTS_MAX 64
#define COVERING_MAX 64

json_t *json_overlap_counts (const int64_t counts[OVERLAP_CLASSES],
                             const int64_t broad[OVERLAP_CLASSES]) {
    json_t *out = json_object();
    for (int i = 0; i < OVERLAP_CLASSES; i++)
        json_object_set_new (out, overlap_class_name ((enum overlap_class) i),
                             json_pack ("{sI sI}", "narrow",
                                        (json_int_t) (counts[i] - broad[i]),
                                        "broad", (json_int_t) broad[i]));
    return out;
}

json_t *json_overlap_pairs (const struct overlap_answer *answer) {
    json_t *out = json_array();
    for (size_t i = 0; i < answer->pair_count; i++) {
        const struct overlap_pair *pair = &answer->pairs[i];
        json_array_append_new (
            out, json_pack ("{ss ss so}", "a", pair->a, "b", pair->b, "counts",
                            json_overlap_counts (pair->counts, pair->broad)));
    }
    return out;
}

static json_t *buf_json (struct buf *text) {
    json_t *out = json_slice (buf_slice (text));
    buf_free (text);
    return out;
}

static json_t *side (const struct plans_view *view, const struct plan *plan,
                     const struct action *action) {
    char ref[PLAN_REF_MAX + 1];
    json_t *out = json_pack (
        "{ss ss so so ss ss so so ss}", "ref", action_ref (ref, plan, action),
        "entity", plan->entity, "plan_title",
        json_text_in (&plan->title, view->lang), "title",
        json_text_in (&action->title, view->lang), "kind",
        action_kind_name (action->kind), "status",
        action_status_name (action->status), "from",
        json_date (&action->span.from), "to",
        action->span.open ? json_null() : json_date (&action->span.to), "lead",
        action->lead);
    json_object_set_new (out, "audience",
                         action->audience ? json_string (action->audience)
                                          : json_null());
    return out;
}

static json_t *facets (const struct plans_view *view, const struct overlap *o) {
    int at[FACETS_MAX][2];
    size_t count = overlap_facets (view->taxonomy, o, at, FACETS_MAX);
    json_t *out = json_array();
    for (size_t i = 0; i < count && i < FACETS_MAX; i++)
        json_array_append_new (
            out, json_pack ("[ss]",
                            taxonomy_priority_code (view->taxonomy, at[i][0]),
                            taxonomy_priority_code (view->taxonomy, at[i][1])));
    return out;
}

static const char *says_name (enum statement_says says) {
    static const char *const names[] = { [SAYS_CONFIRM] = "confirm",
                                         [SAYS_DENY] = "deny",
                                         [SAYS_NOT_OVERLAP] = "not-overlap",
                                         [SAYS_RETRACT] = "retract" };
    return names[says];
}

/* What the body that a claimed overlap names says of it. */
static const char *answer_of (const struct overlap *o,
                              const struct model_statement *statements,
                              size_t count) {
    const char *named = o->a_names ? o->plan_b->entity : o->plan_a->entity;
    for (size_t i = 0; i < count && o->class == OVERLAP_CLAIMED; i++)
        if (statements[i].stands && strcmp (statements[i].entity, named) == 0) {
            if (statements[i].statement->says == SAYS_CONFIRM)
                return "confirmed";
            if (statements[i].statement->says == SAYS_DENY)
                return "denied";
        }
    return "";
}

static json_t *statement_json (const struct plans_view *view,
                               const struct model_statement *s) {
    return json_pack (
        "{ss ss ss so sI so sb sb}", "entity", s->entity, "by",
        s->origin->author, "says", says_name (s->statement->says), "reason",
        json_text_in (&s->statement->reason, view->lang), "sequence",
        (json_int_t) s->origin->sequence, "time",
        json_time (s->origin->log_time), "own", s->own, "stands", s->stands);
}

static void statements_add (const struct plans_view *view,
                            const struct overlap *o, json_t *out) {
    struct model_statement at[STATEMENTS_MAX];
    size_t count = model_statements (view->model, o, at, STATEMENTS_MAX);
    json_t *list = json_array();
    if (count > STATEMENTS_MAX)
        count = STATEMENTS_MAX;
    for (size_t i = 0; i < count; i++)
        json_array_append_new (list, statement_json (view, &at[i]));
    json_object_set_new (out, "state", json_string (answer_of (o, at, count)));
    json_object_set_new (out, "folded",
                         json_boolean (model_folded (view->model, o)));
    json_object_set_new (out, "statements", list);
}

/* Agreed alignments that cover it. */
static json_t *covered_by (const struct plans_view *view,
                           const struct overlap *o) {
    const struct thread *at[COVERING_MAX];
    json_t *out = json_array();
    size_t count =
        asks_covering (view->threads, o, view->settled_ms, at, COVERING_MAX);
    for (size_t i = 0; i < count && i < COVERING_MAX; i++)
        json_array_append_new (out, json_string (at[i]->place.id));
    return out;
}

json_t *json_overlap (const struct plans_view *view, const struct overlap *o,
                      const struct plan *draft) {
    struct countries common;
    struct buf where = { 0 }, why = { 0 };
    overlap_countries (o, &common);
    taxonomy_describe (view->taxonomy, &common, o->first, 6, &where);
    overlap_explain (view->taxonomy, o, &why);
    json_t *out = json_pack (
        "{ss sb sb so so so s{si so} s{so so} so sb}", "class",
        overlap_class_name (o->class), "broad", o->broad, "imprecise",
        o->imprecise, "a", side (view, o->plan_a, o->a), "b",
        side (view, o->plan_b, o->b), "facets", facets (view, o), "countries",
        "count", o->countries, "text", buf_json (&where), "days", "first",
        json_day (o->first), "last", json_day (o->last), "why", buf_json (&why),
        "draft", draft && (o->plan_a == draft || o->plan_b == draft));
    json_object_set_new (out, "covered_by", covered_by (view, o));
    statements_add (view, o, out);
    return out;
}

json_t *json_gap (const struct plans_view *view, const struct gap *gap) {
    struct buf why = { 0 };
    bool declared = gap->kind == GAP_UNWORKED;
    gap_explain (view->taxonomy, gap, &why);
    return json_pack (
        "{ss sb so so so so so so si}", "kind",
        declared ? "unworked" : "unserved", "thin", gap->thin, "entity",
        declared ? json_string (gap->entity) : json_null(), "plan",
        declared ? json_string (gap->plan) : json_null(), "goal",
        declared && *gap->goal ? json_string (gap->goal) : json_null(),
        "priority", json_priority (view->taxonomy, gap->priority), "region",
        declared ? json_null() : json_region (view->taxonomy, gap->region),
        "why", buf_json (&why), "thin_count", gap->thin_count);
}
