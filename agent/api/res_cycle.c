/* res_cycle - GET /cycle: the report of a period, to take along. */
#include "api/http_impl.h"
#include "api/plans_view.h"
#include "api/problem.h"
#include "api/resources.h"
#include "plans/cycle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define OVERLAPS_MAX 10000 /* in one report: above, ask for one body's */

enum form { FORM_JSON, FORM_CSV, FORM_HTML };

struct asked {
    int kind, form;
    struct cycle_query query;
    int64_t mark, mark_ms;
};

/* This year, where nothing else is said. */
static bool period_read (struct request *r, const struct plans_view *view,
                         struct asked *out) {
    bool from_given, to_given;
    struct date from, to, year;
    struct error e;
    char today[DATE_TEXT_MAX];
    day_text (today, view->today);
    if (date_read (slice_of (today, 4), &year, &e)
        || !plans_query_date (r, "from", &from_given, &from)
        || !plans_query_date (r, "to", &to_given, &to))
        return false;
    out->query.from = from_given ? from.first : year.first;
    out->query.to = to_given ? to.last : year.last;
    if (out->query.from <= out->query.to)
        return true;
    problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "to",
                        "the period ends before it begins");
    return false;
}

static bool asked_read (struct request *r, const struct plans_view *view,
                        struct asked *out) {
    static const char *const kinds[] = { "cycle", "overlaps", NULL };
    static const char *const forms[] = { "json", "csv", "html", NULL };
    *out = (struct asked){
        .query = { .on = view->today, .lang = view->lang },
        .mark = view->mark,
        .mark_ms = view->mark_ms,
    };
    return request_query_word (r, "kind", kinds, ROWS_CYCLE, &out->kind)
           && request_query_word (r, "format", forms, FORM_JSON, &out->form)
           && plans_query_entity (r, "entity", &out->query.entity)
           && period_read (r, view, out);
}

static json_t *cycle_make (const struct plans_view *view,
                           const struct asked *asked) {
    size_t count = model_subject_count (view->model);
    const struct subject **at = mem_alloc ((count + 1) * sizeof *at);
    for (size_t i = 0; i < count; i++)
        at[i] = model_subject (view->model, i);
    json_t *out = cycle_rows (at, count, &asked->query);
    free (at);
    return out;
}

static json_t *overlaps_make (const struct plans_view *view,
                              const struct asked *asked) {
    struct overlap_answer answer;
    struct overlap_query query = { .entity = asked->query.entity,
                                   .has_period = true,
                                   .from = asked->query.from,
                                   .to = asked->query.to,
                                   .limit = OVERLAPS_MAX };
    overlaps_find (model_overlaps (view->model), &query, &answer);
    json_t *out = overlap_rows (view->taxonomy, answer.at, answer.count,
                                asked->query.lang);
    overlap_answer_free (&answer);
    return out;
}

static json_t *columns (int kind) {
    json_t *out = json_array();
    for (const char *const *at = rows_columns ((enum rows_kind) kind); *at;
         at++)
        json_array_append_new (out, json_string (*at));
    return out;
}

static void reply_rows (struct request *r, const struct asked *asked,
                        json_t *head, json_t *rows) {
    json_object_set_new (
        head, "kind",
        json_string (asked->kind == ROWS_CYCLE ? "cycle" : "overlaps"));
    json_object_set_new (head, "from", json_day (asked->query.from));
    json_object_set_new (head, "to", json_day (asked->query.to));
    json_object_set_new (head, "columns", columns (asked->kind));
    json_object_set (head, "rows", rows);
    reply_json (r, 200, json_incref (head));
}

static void html_write (const struct asked *asked, const json_t *rows,
                        struct buf *out) {
    char from[DATE_TEXT_MAX], to[DATE_TEXT_MAX], day[DATE_TEXT_MAX], line[160];
    int minute = (int) (asked->mark_ms / 60000 % 1440);
    struct rows_head head = {
        .title = asked->kind == ROWS_CYCLE ? "Report of a period"
                                           : "Overlaps in a period",
        .line = line,
    };
    snprintf (line, sizeof line,
              "%s to %s, as of record %" PRId64 ", %s %02d:%02d UTC",
              day_text (from, asked->query.from),
              day_text (to, asked->query.to), asked->mark,
              day_text (day, day_of_ms (asked->mark_ms)), minute / 60,
              minute % 60);
    rows_html ((enum rows_kind) asked->kind, rows, &head, out);
}

static void reply_file (struct request *r, const struct asked *asked,
                        const json_t *rows) {
    char name[80];
    struct buf out = { 0 };
    bool csv = asked->form == FORM_CSV;
    if (csv)
        rows_csv ((enum rows_kind) asked->kind, rows, &out);
    else
        html_write (asked, rows, &out);
    reply_octets (r,
                  csv ? "text/csv; charset=utf-8" : "text/html; charset=utf-8",
                  buf_slice (&out));
    snprintf (name, sizeof name, "attachment; filename=\"%s.%s\"",
              asked->kind == ROWS_CYCLE ? "cycle" : "overlaps",
              csv ? "csv" : "html");
    reply_header (r, "Content-Disposition", name);
    buf_free (&out);
}

void cycle_get (struct request *r) {
    struct plans_view view;
    struct asked asked;
    json_t *rows = NULL, *head = NULL;
    if (!plans_open_long (r, &view))
        return;
    if (asked_read (r, &view, &asked)) {
        head = plans_head (&view);
        rows = asked.kind == ROWS_CYCLE ? cycle_make (&view, &asked)
                                        : overlaps_make (&view, &asked);
    }
    plans_close_long (r);
    if (rows && asked.form == FORM_JSON)
        reply_rows (r, &asked, head, rows);
    else if (rows)
        reply_file (r, &asked, rows);
    json_decref (head);
    json_decref (rows);
}
