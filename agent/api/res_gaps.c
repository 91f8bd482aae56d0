/* res_gaps - GET /gaps. */
#include "api/http_impl.h"
#include "api/json_overlap.h"
#include "api/problem.h"
#include "api/resources.h"
#include "identity/roster.h"

#include <stdlib.h>
#include <string.h>

#define REGIONS_MAX 64

struct asked {
    struct gaps_query query;
    int regions[REGIONS_MAX];
    size_t offset, limit;
};

static bool kind_number (struct slice word, int *number) {
    *number = slice_is (word, "unserved") ? GAP_UNSERVED : GAP_UNWORKED;
    return slice_is (word, "unserved") || slice_is (word, "unworked");
}

static void region_add (struct asked *self, int region) {
    for (size_t i = 0; i < self->query.region_count; i++)
        if (self->regions[i] == region)
            return;
    if (region >= 0 && self->query.region_count < REGIONS_MAX)
        self->regions[self->query.region_count++] = region;
}

/* Those that the roster's entities are responsible for, or one of them. */
static void regions_of_roster (struct asked *self, const struct roster *roster,
                               const struct taxonomy *taxonomy) {
    for (size_t i = 0; i < roster_entities (roster); i++) {
        const struct roster_entity *entity = roster_entity_at (roster, i);
        if (self->query.entity && strcmp (entity->id, self->query.entity) != 0)
            continue;
        for (size_t n = 0; n < entity->region_count; n++)
            region_add (self, taxonomy_region (
                                  taxonomy, slice_text (entity->regions[n])));
    }
}

static bool asked_read (struct request *r, const struct plans_view *view,
                        struct asked *out) {
    struct gaps_query *query = &out->query;
    struct date on;
    bool given;
    int region = -1;
    *out = (struct asked){ 0 };
    if (!plans_query_date (r, "on", &given, &on)
        || !plans_query_entity (r, "entity", &query->entity)
        || !plans_query_bits (r, "kind", kind_number, &query->kinds)
        || !plans_query_flag (r, "thin", &query->with_thin)
        || !plans_query_page (r, &out->offset, &out->limit))
        return false;
    query->on = given ? on.first : view->today;
    if (!plans_query_priority (r, view, &query->has_priority, &query->priority)
        || !plans_query_region (r, view, &given, &region))
        return false;
    region_add (out, region);
    return true;
}

static json_t *answer_json (const struct plans_view *view,
                            struct asked *asked) {
    struct gaps_answer answer;
    asked->query.regions = asked->regions;
    gaps_find (model_plans (view->model), model_plan_count (view->model),
               view->taxonomy, &asked->query, &answer);
    json_t *out = plans_head (view), *list = json_array();
    for (size_t i = asked->offset;
         i < answer.count && i - asked->offset < asked->limit; i++)
        json_array_append_new (list, json_gap (view, &answer.at[i]));
    json_object_set_new (out, "on", json_day (asked->query.on));
    json_object_set_new (out, "total",
                         json_integer ((json_int_t) answer.count));
    json_object_set_new (out, "gaps", list);
    gaps_answer_free (&answer);
    return out;
}

void gaps_get (struct request *r) {
    struct plans_view view;
    struct asked asked;
    int64_t sequence;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    request_release (r);
    if (roster && plans_open (r, &view)) {
        if (asked_read (r, &view, &asked)) {
            if (asked.query.region_count == 0)
                regions_of_roster (&asked, roster, view.taxonomy);
            reply_json (r, 200, answer_json (&view, &asked));
        }
        plans_close (r);
    }
    roster_unref (&roster);
}
