/* res_plan_check - POST /plans/check and /plans/convert: what would become of a
 * plan, before it is one. */
#include "api/http_impl.h"
#include "api/json_audience.h"
#include "api/json_overlap.h"
#include "api/json_record.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/resources.h"
#include "identity/roster.h"
#include "plans/personal.h"
#include "plans/plan_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED 50 /* overlaps */

struct checking {
    struct request *request;
    json_t *document;
    struct faults faults;
    struct plan *plan; /* NULL: it is none */
    struct taxonomy *taxonomy;
    char entity[ENTITY_MAX + 1]; /* ours */
};

static struct taxonomy *taxonomy_now (struct request *r) {
    struct plans_view view;
    if (!plans_open (r, &view))
        return NULL;
    struct taxonomy *out = taxonomy_ref (view.taxonomy);
    plans_close (r);
    return out;
}

static const char *member (const json_t *document, const char *name) {
    const char *out = json_string_value (json_object_get (document, name));
    return out ? out : "";
}

/* By the topic where it is one, else by that which the document asks for. */
static void place_check (struct checking *self, const char *topic,
                         struct slice channel) {
    char whole[TOPIC_MAX + 1];
    struct content_place place;
    int size = snprintf (whole, sizeof whole, "%.*s/plan/%.17s/%.82s",
                         (int) channel.size, (const char *) channel.data,
                         member (self->document, "entity"),
                         member (self->document, "plan"));
    if (topic && strchr (topic, '/'))
        snprintf (whole, sizeof whole, "%s", topic);
    else if (size < 0 || (size_t) size >= sizeof whole)
        return;
    /* The document's own names are told of by their own faults. */
    if (self->faults.count > 0 && !(topic && strchr (topic, '/')))
        return;
    if (!content_place_read (slice_text (whole), self->entity, &place,
                             &self->faults))
        return;
    if (place.kind != CONTENT_PLAN)
        faults_add (&self->faults, "", "the topic is of a '%s', not of a plan",
                    content_kind_name (place.kind));
    else if (self->plan
             && (strcmp (self->plan->id, place.plan) != 0
                 || strcmp (self->plan->entity, place.entity) != 0))
        faults_add (&self->faults, "/plan",
                    "is '%s' of %s; the topic names '%s' of %s", self->plan->id,
                    self->plan->entity, place.plan, place.entity);
}

static void own_check (struct checking *self) {
    const char *entity = member (self->document, "entity");
    if (*entity && strcmp (entity, self->entity) != 0)
        faults_add (&self->faults, "/entity",
                    "is %s: this agent speaks for %s alone", entity,
                    self->entity);
}

static void meetings_add (struct checking *self, json_t *out) {
    struct plans_view view;
    struct overlap_answer answer;
    if (!self->plan || !plans_look (self->request, &view))
        return;
    struct overlap_query query = { .live = true,
                                   .on = view.today,
                                   .limit = LISTED };
    overlaps_of (model_overlaps (view.model), self->plan, &query, &answer);
    json_t *list = json_array();
    for (size_t i = 0; i < answer.count; i++)
        json_array_append_new (list,
                               json_overlap (&view, &answer.at[i], self->plan));
    json_object_set_new (
        out, "overlaps",
        json_pack ("{so so sI so}", "counts",
                   json_overlap_counts (answer.counts, answer.broad), "pairs",
                   json_overlap_pairs (&answer), "listed",
                   (json_int_t) answer.listed, "overlaps", list));
    json_object_update_new (out, plans_head (&view));
    overlap_answer_free (&answer);
    plans_close (self->request);
}

static void personal_add (const json_t *document, json_t *out) {
    struct personal personal = { 0 };
    personal_find (document, &personal);
    json_object_set_new (out, "personal", personal_json (&personal));
    personal_clear (&personal);
}

static void answer (struct checking *self, const struct roster *roster,
                    const char *topic, struct slice channel) {
    struct faults *faults = &self->faults;
    self->plan = plan_read (self->document, self->taxonomy, faults);
    own_check (self);
    place_check (self, topic, channel);
    json_t *out = json_pack (
        "{sb so sI so}", "valid", faults->count == 0, "problems",
        faults_json (faults), "problem_count", (json_int_t) faults->count,
        "audience",
        topic ? json_audience (roster, topic, channel,
                               self->request->http->options.delegation)
              : json_null());
    json_object_set_new (out, "overlaps", json_null());
    personal_add (self->document, out);
    meetings_add (self, out);
    reply_json (self->request, 200, out);
    plan_free (&self->plan);
    faults_clear (faults);
}

static void check (struct request *r, const struct roster *roster,
                   const char *topic, struct slice channel) {
    struct taxonomy *taxonomy = taxonomy_now (r);
    if (!taxonomy)
        return;
    struct checking *self = mem_alloc (sizeof *self);
    self->request = r;
    self->taxonomy = taxonomy;
    plans_own_entity (r, self->entity);
    post_heavy_begin();
    self->document = post_json (r);
    if (self->document)
        answer (self, roster, topic, channel);
    json_decref (self->document);
    post_heavy_end();
    free (self);
    taxonomy_unref (&taxonomy);
}

void plan_check_post (struct request *r) {
    char *topic = request_query_topic (r, "topic");
    struct error e = { 0 };
    struct slice channel = slice_text ("x"); /* any, where none is named */
    int64_t sequence;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    request_release (r);
    if (roster && topic && !audience_channel (topic, &channel, &e))
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "topic",
                            "%s", e.text);
    else if (roster)
        check (r, roster, topic, channel);
    roster_unref (&roster);
    free (topic);
}

/* From a table */

static void head_set (struct request *r, json_t *head, const char *name) {
    const char *value = request_query (r, name);
    if (value)
        json_object_set_new (head, name, json_slice (slice_text (value)));
}

static void head_list (struct request *r, json_t *head, const char *name) {
    const char *at = request_query (r, name);
    if (!at)
        return;
    json_t *list = json_array();
    for (; *at; at += *at == ',') {
        size_t size = strcspn (at, ",");
        json_array_append_new (list, json_slice (slice_of (at, size)));
        at += size;
    }
    json_object_set_new (head, name, list);
}

static json_t *head_read (struct request *r) {
    static const char *const names[] = { "plan",     "entity", "title", "lang",
                                         "handling", "level",  NULL };
    char entity[ENTITY_MAX + 1];
    json_t *cycle = json_object();
    json_t *out = json_pack ("{si ss ss}", "format", 1, "entity",
                             plans_own_entity (r, entity), "lang", "en");
    for (size_t i = 0; names[i]; i++)
        head_set (r, out, names[i]);
    head_list (r, out, "priorities");
    head_list (r, out, "regions");
    head_set (r, cycle, "from");
    head_set (r, cycle, "to");
    json_object_set_new (out, "cycle", cycle);
    json_object_set_new (out, "goals",
                         json_pack ("[{ss sO*}]", "id", "G1", "title",
                                    json_object_get (out, "title")));
    return out;
}

/* "row 7, from" apart. */
static void place_apart (json_t *problem) {
    const char *pointer = member (problem, "pointer");
    long row = 0;
    int used = 0;
    bool in_table = sscanf (pointer, "row %9ld%n", &row, &used) == 1;
    const char *rest = in_table ? pointer + used : "";
    json_t *column =
        strncmp (rest, ", ", 2) == 0 ? json_string (rest + 2) : json_null();
    json_object_set_new (problem, "row",
                         in_table ? json_integer (row) : json_null());
    json_object_set_new (problem, "column", column);
}

void plan_convert_post (struct request *r) {
    static const char *const forms[] = { "csv", NULL };
    static const char *const dates[] = { "ask", "day-first", "month-first",
                                         NULL };
    int form, order;
    size_t i;
    json_t *problem;
    struct taxonomy *taxonomy = NULL;
    if (!request_query_word (r, "format", forms, 0, &form)
        || !request_query_word (r, "dates", dates, 0, &order)
        || !(taxonomy = taxonomy_now (r)))
        return;
    struct faults *faults = mem_alloc (sizeof *faults);
    json_t *head = head_read (r);
    json_t *plan =
        plan_csv_read (buf_slice (&r->body), head, (enum plan_csv_dates) order,
                       taxonomy, faults);
    json_t *problems = faults_json (faults);
    json_array_foreach (problems, i, problem) place_apart (problem);
    reply_json (r, 200,
                json_pack ("{so sI so}", "plan", plan ? plan : json_null(),
                           "problem_count", (json_int_t) faults->count,
                           "problems", problems));
    json_decref (head);
    faults_clear (faults);
    free (faults);
    taxonomy_unref (&taxonomy);
}
