/* res_overlaps - GET /overlaps: of what is published, or of own drafts. */
#include "api/access.h"
#include "api/answers.h"
#include "api/draft_plans.h"
#include "api/http_impl.h"
#include "api/json_overlap.h"
#include "api/problem.h"
#include "api/resources.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asked {
    struct overlap_query query;
    bool all, broad, folded, drafts;
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
        || !plans_query_flag (r, "drafts", &out->drafts)
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
                            const struct asked *asked,
                            const struct overlap_answer *answer,
                            json_t *overlaps) {
    json_t *out = plans_head (view);
    json_object_set_new (out, "on",
                         asked->all ? json_null() : json_day (asked->query.on));
    json_object_set_new (out, "counts",
                         json_overlap_counts (answer->counts, answer->broad));
    json_object_set_new (out, "pairs", json_overlap_pairs (answer));
    json_object_set_new (out, "listed",
                         json_integer ((json_int_t) answer->listed));
    json_object_set_new (out, "overlaps", overlaps);
    return out;
}

static json_t *published (const struct plans_view *view, struct asked *asked) {
    struct overlap_answer answer;
    struct overlap_omitted *folded = NULL;
    if (!asked->folded)
        folded = model_folded_all (view->model, &asked->query.omitted_count);
    asked->query.omitted = folded;
    overlaps_find (model_overlaps (view->model), &asked->query, &answer);
    json_t *out = answer_json (view, asked, &answer, list (view, &answer));
    overlap_answer_free (&answer);
    free (folded);
    return out;
}

/* Drafts: one after the other, as if each alone were published */

static void pair_add (struct overlap_answer *sum,
                      const struct overlap_pair *pair) {
    size_t at = 0;
    while (at < sum->pair_count
           && (strcmp (sum->pairs[at].a, pair->a) != 0
               || strcmp (sum->pairs[at].b, pair->b) != 0))
        at++;
    if (at == sum->pair_count) {
        sum->pairs =
            mem_resize (sum->pairs, ++sum->pair_count * sizeof *sum->pairs);
        sum->pairs[at] = (struct overlap_pair){ .a = pair->a, .b = pair->b };
    }
    for (int c = 0; c < OVERLAP_CLASSES; c++) {
        sum->pairs[at].counts[c] += pair->counts[c];
        sum->pairs[at].broad[c] += pair->broad[c];
    }
}

static void counts_add (struct overlap_answer *sum,
                        const struct overlap_answer *more) {
    for (int c = 0; c < OVERLAP_CLASSES; c++) {
        sum->counts[c] += more->counts[c];
        sum->broad[c] += more->broad[c];
    }
    for (size_t i = 0; i < more->pair_count; i++)
        pair_add (sum, &more->pairs[i]);
    sum->listed += more->listed;
}

static json_t *of_drafts (const struct plans_view *view, struct asked *asked,
                          const struct draft_plans *drafts) {
    struct overlap_answer sum = { 0 };
    json_t *overlaps = json_array();
    size_t offset = asked->query.offset, limit = asked->query.limit;
    for (size_t i = 0; i < drafts->count; i++) {
        struct overlap_answer answer;
        /* What those before have given is not to be passed over again. */
        asked->query.offset = offset > sum.listed ? offset - sum.listed : 0;
        asked->query.limit = limit - json_array_size (overlaps);
        overlaps_of (model_overlaps (view->model), drafts->at[i], &asked->query,
                     &answer);
        for (size_t n = 0; n < answer.count; n++)
            json_array_append_new (
                overlaps, json_overlap (view, &answer.at[n], drafts->at[i]));
        counts_add (&sum, &answer);
        overlap_answer_free (&answer);
    }
    json_t *out = answer_json (view, asked, &sum, overlaps);
    free (sum.pairs);
    return out;
}

static void fold (const struct plans_view *view, struct asked *asked) {
    union {
        const struct model *given;
        void *wanted;
    } arg = { view->model };
    if (asked->folded || !model_has_folded (view->model))
        return;
    asked->query.omit = is_folded;
    asked->query.arg = arg.wanted;
}

/* NULL: answered. Read before the model is, since that may take a while. */
static struct draft_plans *drafts_read (struct request *r) {
    struct plans_view view;
    struct error e = { 0 };
    struct store *store = request_reader (r);
    if (!store || !plans_open (r, &view))
        return NULL;
    struct taxonomy *taxonomy = taxonomy_ref (view.taxonomy);
    plans_close (r);
    struct draft_plans *out = mem_alloc (sizeof *out);
    if (draft_plans_read (store, taxonomy, out, &e)) {
        draft_plans_free (out);
        free (out);
        out = NULL;
        problem_error (r, &e);
    }
    taxonomy_unref (&taxonomy);
    return out;
}

static void drafts_answer (struct request *r) {
    struct plans_view view;
    struct asked asked;
    struct draft_plans *drafts = drafts_read (r);
    if (drafts && plans_open_long (r, &view)) {
        if (asked_read (r, &view, &asked)) {
            fold (&view, &asked);
            reply_json (r, 200, of_drafts (&view, &asked, drafts));
        }
        plans_close_long (r);
    }
    if (drafts)
        draft_plans_free (drafts);
    free (drafts);
}

static void published_answer (struct request *r) {
    struct plans_view view;
    struct asked asked;
    char state[128];
    if (!plans_open (r, &view))
        return;
    snprintf (state, sizeof state,
              "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId32,
              model_generation (view.model), view.mark,
              threads_generation (view.threads), view.settled, view.today);
    if (asked_read (r, &view, &asked)
        && !answers_reply (&r->http->answers, r, state))
        answers_make (&r->http->answers, r, state, published (&view, &asked));
    plans_close (r);
}

void overlaps_get (struct request *r) {
    bool drafts;
    if (!plans_query_flag (r, "drafts", &drafts))
        return;
    if (drafts && access_may (r, ROLE_DRAFTER))
        drafts_answer (r);
    else if (!drafts)
        published_answer (r);
}
