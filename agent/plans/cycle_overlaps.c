/* cycle_overlaps - overlaps as rows. */
#include "cycle.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *buf_string (struct buf *text) {
    char *out = buf_take_text (text);
    json_t *string = json_string (out);
    free (out);
    return string;
}

static json_t *facets_string (const struct taxonomy *taxonomy,
                              const struct overlap *o) {
    int facets[64][2];
    size_t count = overlap_facets (taxonomy, o, facets, 64);
    struct buf out = { 0 };
    for (size_t i = 0; i < count && i < 64; i++) {
        int a = facets[i][0], b = facets[i][1];
        bool above = taxonomy_priority_parent (taxonomy, a) < 0;
        buf_add_format (&out, "%s%s", i ? "; " : "",
                        taxonomy_priority_title (taxonomy, above ? b : a));
    }
    return buf_string (&out);
}

static json_t *places_string (const struct taxonomy *taxonomy,
                              const struct overlap *o) {
    struct countries common;
    struct buf out = { 0 };
    overlap_countries (o, &common);
    taxonomy_describe (taxonomy, &common, o->first, 5, &out);
    return buf_string (&out);
}

/* "a", "a_entity", "a_title", "a_lead", "a_status" */
static void set_side (json_t *row, const char *side, const struct plan *plan,
                      const struct action *action, const char *lang) {
    char ref[PLAN_REF_MAX + 1], name[24];
    const char *own = lang && *lang ? lang : plan->lang;
    const struct {
        const char *end, *value;
    } members[] = {
        { "", action_ref (ref, plan, action) },
        { "_entity", plan->entity },
        { "_title", text_in (&action->title, own) },
        { "_lead", action->lead },
        { "_status", action_status_name (action->status) },
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char *end = stpcpy (name, side);
        stpcpy (end, members[i].end);
        json_object_set_new (row, name, json_string (members[i].value));
    }
}

static json_t *row_of (const struct taxonomy *taxonomy, const struct overlap *o,
                       const char *lang) {
    char from[DATE_TEXT_MAX], to[DATE_TEXT_MAX];
    json_t *row = json_pack (
        "{ss sb sb ss ss sI}", "class", overlap_class_name (o->class), "broad",
        o->broad, "imprecise", o->imprecise, "from", day_text (from, o->first),
        "to", o->last == DAY_OPEN ? "" : day_text (to, o->last),
        "country_count", (json_int_t) o->countries);
    set_side (row, "a", o->plan_a, o->a, lang);
    set_side (row, "b", o->plan_b, o->b, lang);
    json_object_set_new (row, "priorities", facets_string (taxonomy, o));
    json_object_set_new (row, "countries", places_string (taxonomy, o));
    struct buf why = { 0 };
    overlap_explain (taxonomy, o, &why);
    json_object_set_new (row, "why", buf_string (&why));
    json_object_set_new (
        row, "handling",
        json_string (handling_stricter (action_handling (o->plan_a, o->a),
                                        action_handling (o->plan_b, o->b))));
    return row;
}

json_t *overlap_rows (const struct taxonomy *taxonomy, const struct overlap *at,
                      size_t count, const char *lang) {
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new (rows, row_of (taxonomy, &at[i], lang));
    return rows;
}
