/* plans_view - now, and query parameters about plans. */
#include "api/plans_view.h"

#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/problem.h"

#include <stdio.h>
#include <string.h>

/* The first replay of a large ledger takes some seconds. */
#define REPLAY_WAIT_MS 20000

static void now_read (struct request *self, struct plans_view *out) {
    struct projector *projector = self->http->options.projector;
    *out = (struct plans_view){ .mark = -1 };
    out->mark_ms = projector_now (projector, &out->mark);
    out->today = day_of_ms (out->mark_ms);
    out->settled_ms = projector_settled (projector, &out->settled);
    out->threads = projector_threads (projector);
    out->lang = request_query (self, "lang");
    if (!out->lang)
        out->lang = "";
}

typedef const struct model *reader (struct projector *self, int64_t wait_ms);

static bool look (struct request *self, struct plans_view *out, reader *read,
                  int64_t wait_ms) {
    struct projector *projector = self->http->options.projector;
    if (!projector)
        return false;
    const struct model *model = read (projector, wait_ms);
    if (!model)
        return false;
    now_read (self, out);
    out->model = model;
    out->taxonomy = model_taxonomy (model);
    return true;
}

bool plans_look (struct request *self, struct plans_view *out) {
    return look (self, out, projector_read, 0);
}

static bool look_or_refuse (struct request *self, struct plans_view *out,
                            reader *read) {
    if (look (self, out, read, REPLAY_WAIT_MS))
        return true;
    if (self->http->options.projector)
        problem_reply (self, PROBLEM_BUSY,
                       "records about plans are still being read");
    else
        problem_reply (self, PROBLEM_NOT_FOUND, "this agent derives no plans");
    return false;
}

bool plans_open (struct request *self, struct plans_view *out) {
    return look_or_refuse (self, out, projector_read);
}

void plans_close (struct request *self) {
    projector_release (self->http->options.projector);
}

bool plans_open_long (struct request *self, struct plans_view *out) {
    return look_or_refuse (self, out, projector_read_long);
}

void plans_close_long (struct request *self) {
    projector_release_long (self->http->options.projector);
}

char *plans_own_entity (struct request *self, char out[ENTITY_MAX + 1]) {
    struct origin own = { 0 };
    snprintf (own.author, sizeof own.author, "%s",
              self->http->options.delegation);
    return origin_entity (out, &own);
}

json_t *plans_load (struct store *store, const struct origin *origin) {
    struct error e;
    struct record_row row;
    struct records_cursor *cursor =
        records_by_sequence (store, origin->sequence, &row, &e);
    if (!cursor)
        return NULL;
    json_t *record =
        hash_equal (&row.leaf, &origin->leaf) ? json_record (&row) : NULL;
    json_t *out = json_object_get (record, "content");
    out = json_is_object (out) ? json_incref (out) : NULL;
    json_decref (record);
    records_close (&cursor);
    return out;
}

json_t *plans_head (const struct plans_view *view) {
    return json_pack ("{s{so so} sI}", "mark", "sequence",
                      json_place_or_null (view->mark), "time",
                      json_time_or_null (view->mark_ms), "generation",
                      (json_int_t) model_generation (view->model));
}

/* Query */

static bool refuse (struct request *self, const char *name, const char *value,
                    const char *why) {
    problem_reply_text (self, PROBLEM_BAD_PARAMETER, "parameter", name,
                        "'%.80s' %s", value, why);
    return false;
}

bool plans_query_page (struct request *self, size_t *offset, size_t *limit) {
    int64_t from, count;
    if (!request_query_int (self, "offset", 0, 0, PLANS_OFFSET_MAX, &from)
        || !request_query_int (self, "limit", PLANS_LIMIT, 1, PLANS_LIMIT_MAX,
                               &count))
        return false;
    *offset = (size_t) from;
    *limit = (size_t) count;
    return true;
}

bool plans_query_date (struct request *self, const char *name, bool *given,
                       struct date *out) {
    struct error e;
    const char *text = request_query (self, name);
    *given = text != NULL;
    return !text || !date_read (slice_text (text), out, &e)
           || refuse (self, name, text,
                      "is no date like 2026, 2026-05 or 2026-05-17");
}

bool plans_query_priority (struct request *self, const struct plans_view *view,
                           bool *given, int *out) {
    const char *text = request_query (self, "priority");
    *given = text != NULL;
    if (text)
        *out = taxonomy_priority (view->taxonomy, slice_text (text));
    return !text || *out >= 0
           || refuse (self, "priority", text, "is no priority of the taxonomy");
}

bool plans_query_region (struct request *self, const struct plans_view *view,
                         bool *given, int *out) {
    const char *text = request_query (self, "region");
    *given = text != NULL;
    if (text)
        *out = taxonomy_region (view->taxonomy, slice_text (text));
    return !text || *out >= 0
           || refuse (self, "region", text,
                      "is no region, country or group of the taxonomy");
}

bool plans_query_entity (struct request *self, const char *name,
                         const char **out) {
    *out = request_query (self, name);
    return !*out || entity_valid (slice_text (*out))
           || refuse (self, name, *out, "is no entity");
}

bool plans_query_flag (struct request *self, const char *name, bool *out) {
    const char *text = request_query (self, name);
    *out = text && strcmp (text, "true") == 0;
    return !text || *out || strcmp (text, "false") == 0
           || refuse (self, name, text, "is neither true nor false");
}

bool plans_query_bits (struct request *self, const char *name,
                       bool (*read) (struct slice word, int *number),
                       unsigned *out) {
    const char *text = request_query (self, name);
    *out = 0;
    for (const char *at = text; at;) {
        int number;
        size_t size = strcspn (at, ",");
        if (!read (slice_of (at, size), &number))
            return refuse (self, name, text, "holds a word that is none of it");
        *out |= 1u << number;
        at = at[size] ? at + size + 1 : NULL;
    }
    return true;
}

/* Values */

json_t *json_text_in (const struct text *text, const char *lang) {
    return json_slice (slice_text (text_in (text, lang)));
}

json_t *json_day (int32_t day) {
    char text[DATE_TEXT_MAX];
    return day == DAY_OPEN ? json_null() : json_string (day_text (text, day));
}

json_t *json_date (const struct date *date) {
    char text[DATE_TEXT_MAX];
    return json_string (date_text (text, date));
}

json_t *json_priority (const struct taxonomy *taxonomy, int number) {
    return json_pack ("{ss ss}", "code",
                      taxonomy_priority_code (taxonomy, number), "title",
                      taxonomy_priority_title (taxonomy, number));
}

json_t *json_region (const struct taxonomy *taxonomy, int number) {
    return json_pack ("{ss ss}", "code",
                      taxonomy_region_code (taxonomy, number), "title",
                      taxonomy_region_title (taxonomy, number));
}
