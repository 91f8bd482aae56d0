/* cycle_forms - rows as CSV and as a page. */
#include "cycle.h"

#include "csv.h"
#include "paper.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const columns[][32] = {
    [ROWS_CYCLE] = { "row",
                     "entity",
                     "plan",
                     "action",
                     "id",
                     "title",
                     "lead",
                     "from",
                     "to",
                     "status",
                     "reported",
                     "by",
                     "state",
                     "due",
                     "done",
                     "unit",
                     "baseline",
                     "target",
                     "target_at",
                     "value",
                     "value_at",
                     "handling",
                     "revision",
                     "record",
                     "actions",
                     "actions_overdue",
                     "milestones_done",
                     "milestones_due",
                     "milestones_overdue",
                     "reports_received",
                     "reports_missing" },
    [ROWS_OVERLAPS] = { "class",    "broad",      "imprecise", "a",
                        "a_entity", "a_title",    "a_lead",    "a_status",
                        "b",        "b_entity",   "b_title",   "b_lead",
                        "b_status", "priorities", "countries", "country_count",
                        "from",     "to",         "why",       "handling" },
};

const char *const *rows_columns (enum rows_kind kind) {
    return columns[kind];
}

/* A member as text; the caller's. */
static char *cell_text (const json_t *row, const char *name) {
    const json_t *value = json_object_get (row, name);
    struct buf out = { 0 };
    if (json_is_string (value))
        buf_add_text (&out, json_string_value (value));
    else if (json_is_integer (value))
        buf_add_format (&out, "%" PRId64, (int64_t) json_integer_value (value));
    else if (json_is_real (value))
        buf_add_format (&out, "%.15g", json_real_value (value));
    else if (json_is_boolean (value))
        buf_add_text (&out, json_is_true (value) ? "yes" : "no");
    return buf_take_text (&out);
}

void rows_csv (enum rows_kind kind, const json_t *rows, struct buf *out) {
    struct csv_writer writer;
    csv_begin (&writer, out);
    for (const char *const *name = columns[kind]; *name; name++)
        csv_cell (&writer, *name);
    csv_row_end (&writer);
    for (size_t i = 0; i < json_array_size (rows); i++) {
        for (const char *const *name = columns[kind]; *name; name++) {
            char *text = cell_text (json_array_get (rows, i), *name);
            csv_cell (&writer, text);
            free (text);
        }
        csv_row_end (&writer);
    }
}

/* The page */

/* In the direction of its own letters. */
static void cell (struct buf *out, const json_t *row, const char *name) {
    char *text = cell_text (row, name);
    bool warn = strcmp (text, "overdue") == 0 || strcmp (text, "missing") == 0
                || strcmp (text, "not reached") == 0;
    bool number = json_is_number (json_object_get (row, name));
    paper_element (out, "td",
                   number ? "number"
                   : warn ? "warn"
                          : NULL,
                   NULL, text);
    free (text);
}

static bool is (const json_t *row, const char *kind) {
    const char *own = json_string_value (json_object_get (row, "row"));
    return own && strcmp (own, kind) == 0;
}

/* What one kind of rows shows, and under which headings. */
struct table {
    const char *row, *caption;
    const char *names[12], *headings[12];
};
static const struct table tables[] = {
    { "action",
      "Actions",
      { "id", "title", "lead", "from", "to", "status", "reported", "by",
        "state" },
      { "Id", "Title", "Lead", "From", "To", "Status", "Reported", "By", "" } },
    { "milestone",
      "Milestones",
      { "action", "id", "title", "due", "done", "by", "state" },
      { "Action", "Id", "Title", "Due", "Done", "By", "" } },
    { "indicator",
      "Indicators",
      { "action", "id", "title", "unit", "baseline", "target", "target_at",
        "value", "value_at", "by", "state" },
      { "Action", "Id", "Title", "Unit", "Baseline", "Target", "For", "Value",
        "Of", "By", "" } },
    { "report",
      "Reports",
      { "action", "by", "from", "to", "reported", "title", "record", "state" },
      { "Action", "Body", "From", "To", "Status", "Text", "Record", "" } },
};

static void table_begin (struct buf *out, const struct table *table) {
    paper_element (out, "h3", NULL, NULL, table->caption);
    buf_add_text (out, "<table class=\"list\">\n<thead><tr>");
    for (size_t i = 0; table->names[i]; i++)
        buf_add_format (out, "<th>%s</th>", table->headings[i]);
    buf_add_text (out, "</tr></thead>\n<tbody>\n");
}

/* Rows first..last of one plan. */
static void table_section (struct buf *out, const struct table *table,
                           const json_t *rows, size_t first, size_t last) {
    bool begun = false;
    for (size_t i = first; i < last; i++) {
        const json_t *row = json_array_get (rows, i);
        if (!is (row, table->row))
            continue;
        if (!begun)
            table_begin (out, table);
        begun = true;
        buf_add_text (out, "<tr>");
        for (size_t n = 0; table->names[n]; n++)
            cell (out, row, table->names[n]);
        buf_add_text (out, "</tr>\n");
    }
    if (begun)
        buf_add_text (out, "</tbody>\n</table>\n");
}

static void plan_section (struct buf *out, const json_t *row) {
    static const struct {
        const char *name, *words;
    } sums[] = {
        { "actions", "actions" },
        { "actions_overdue", "overdue" },
        { "milestones_done", "milestones done" },
        { "milestones_due", "due" },
        { "milestones_overdue", "overdue" },
        { "reports_received", "reports" },
        { "reports_missing", "missing" },
        { "revision", "is the revision" },
        { "record", "is its record" },
    };
    char *title = cell_text (row, "title"), *plan = cell_text (row, "plan");
    char *handling = cell_text (row, "handling");
    paper_element (out, "h2", NULL, NULL, title);
    buf_add_text (out, "<p>");
    paper_text (out, plan);
    buf_add_text (out, ", ");
    paper_text (out, handling);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        buf_add_format (
            out, "%s %" PRId64 " %s", i ? "," : ":",
            (int64_t) json_integer_value (json_object_get (row, sums[i].name)),
            sums[i].words);
    buf_add_text (out, ".</p>\n");
    free (title);
    free (plan);
    free (handling);
}

static void cycle_sections (struct buf *out, const json_t *rows) {
    size_t count = json_array_size (rows), last;
    for (size_t first = 0; first < count; first = last) {
        for (last = first + 1; last < count; last++)
            if (is (json_array_get (rows, last), "plan"))
                break;
        plan_section (out, json_array_get (rows, first));
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
            table_section (out, &tables[i], rows, first + 1, last);
    }
}

static void overlaps_table (struct buf *out, const json_t *rows) {
    static const char *const names[] = { "class",    "a_entity", "a_title",
                                         "b_entity", "b_title",  "why",
                                         NULL };
    buf_add_text (
        out, "<table "
             "class=\"list\">\n<thead><tr><th>Class</th><th>Body</th><th>Action"
             "</th><th>Body</th><th>Action</th><th>Why</th></tr></thead>"
             "\n<tbody>\n");
    for (size_t i = 0; i < json_array_size (rows); i++) {
        buf_add_text (out, "<tr>");
        for (const char *const *name = names; *name; name++)
            cell (out, json_array_get (rows, i), *name);
        buf_add_text (out, "</tr>\n");
    }
    buf_add_text (out, "</tbody>\n</table>\n");
}

void rows_html (enum rows_kind kind, const json_t *rows,
                const struct rows_head *head, struct buf *out) {
    struct paper page = {
        .lang = "en",
        .title = head->title,
        .line = head->line,
        .handling = head->handling ? head->handling : rows_handling (rows),
    };
    paper_begin (out, &page);
    paper_element (out, "h1", NULL, NULL, head->title);
    if (json_array_size (rows) == 0)
        paper_element (out, "p", NULL, NULL, "Nothing to tell.");
    else if (kind == ROWS_CYCLE)
        cycle_sections (out, rows);
    else
        overlaps_table (out, rows);
    paper_end (out);
}
