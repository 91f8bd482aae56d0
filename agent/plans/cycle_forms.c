/* cycle_forms - rows as CSV and as a page. */
#include "cycle.h"

#include "csv.h"
#include "paper.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

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

/* "2026-05": it is not broken into lines. */
static bool is_day (const char *text) {
    return strlen (text) >= 7 && strspn (text, "0123456789-") == strlen (text);
}

/* In the direction of its own letters. */
static void cell (struct buf *out, const json_t *row, const char *name) {
    char *text = cell_text (row, name);
    bool warn = strcmp (text, "overdue") == 0 || strcmp (text, "missing") == 0
                || strcmp (text, "not reached") == 0;
    bool number = json_is_number (json_object_get (row, name));
    paper_element (out, "td",
                   number          ? "number"
                   : warn          ? "warn"
                   : is_day (text) ? "day"
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

/* Rows of one plan, and which of the table's columns say something there. */
struct section {
    const struct table *table;
    const json_t *rows;
    size_t first, last; /* behind it */
    bool shown[12];
};

static void section_look (struct section *self) {
    for (size_t n = 0; self->table->names[n]; n++)
        for (size_t i = self->first; i < self->last && !self->shown[n]; i++) {
            const json_t *row = json_array_get (self->rows, i);
            char *text = cell_text (row, self->table->names[n]);
            self->shown[n] = is (row, self->table->row) && *text;
            free (text);
        }
}

static void section_begin (struct buf *out, const struct section *self) {
    paper_element (out, "h3", NULL, NULL, self->table->caption);
    buf_add_text (out, "<table class=\"list\">\n<thead><tr>");
    for (size_t n = 0; self->table->names[n]; n++)
        if (self->shown[n])
            buf_add_format (out, "<th>%s</th>", self->table->headings[n]);
    buf_add_text (out, "</tr></thead>\n<tbody>\n");
}

static void section_write (struct buf *out, struct section *self) {
    bool begun = false;
    section_look (self);
    for (size_t i = self->first; i < self->last; i++) {
        const json_t *row = json_array_get (self->rows, i);
        if (!is (row, self->table->row))
            continue;
        if (!begun)
            section_begin (out, self);
        begun = true;
        buf_add_text (out, "<tr>");
        for (size_t n = 0; self->table->names[n]; n++)
            if (self->shown[n])
                cell (out, row, self->table->names[n]);
        buf_add_text (out, "</tr>\n");
    }
    if (begun)
        buf_add_text (out, "</tbody>\n</table>\n");
}

/* "A-plan-1, TLP:GREEN, revision 2, record 17" and the sums. */
static void plan_section (struct buf *out, const json_t *row) {
    static const struct {
        const char *before, *name, *behind;
    } parts[] = {
        { "", "plan", ", " },
        { "", "handling", ", " },
        { "revision ", "revision", ", " },
        { "record ", "record", ". " },
        { "Actions: ", "actions", ", " },
        { "", "actions_overdue", " overdue. " },
        { "Milestones: ", "milestones_done", " done, " },
        { "", "milestones_due", " due, " },
        { "", "milestones_overdue", " overdue. " },
        { "Reports: ", "reports_received", " received, " },
        { "", "reports_missing", " missing." },
    };
    char *title = cell_text (row, "title");
    paper_element (out, "h2", NULL, NULL, title);
    buf_add_text (out, "<p>");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *text = cell_text (row, parts[i].name);
        buf_add_text (out, parts[i].before);
        paper_text (out, text);
        buf_add_text (out, parts[i].behind);
        free (text);
    }
    buf_add_text (out, "</p>\n");
    free (title);
}

static void cycle_sections (struct buf *out, const json_t *rows) {
    size_t count = json_array_size (rows), last;
    for (size_t first = 0; first < count; first = last) {
        for (last = first + 1; last < count; last++)
            if (is (json_array_get (rows, last), "plan"))
                break;
        plan_section (out, json_array_get (rows, first));
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
            struct section section = { .table = &tables[i],
                                       .rows = rows,
                                       .first = first + 1,
                                       .last = last };
            section_write (out, &section);
        }
    }
}

/* An action's title, and below it where it stands. */
static void side_cell (struct buf *out, const json_t *row, const char *title,
                       const char *ref) {
    char *words = cell_text (row, title), *where = cell_text (row, ref);
    buf_add_text (out, "<td>");
    paper_element (out, "span", NULL, NULL, words);
    buf_add_text (out, "<br>");
    paper_element (out, "span", "code", NULL, where);
    buf_add_text (out, "</td>");
    free (words);
    free (where);
}

static void overlaps_table (struct buf *out, const json_t *rows) {
    buf_add_text (out, "<table class=\"list\">\n<thead><tr><th>Class</th>"
                       "<th>Action</th><th>Action</th><th>Why</th></tr></thead>"
                       "\n<tbody>\n");
    for (size_t i = 0; i < json_array_size (rows); i++) {
        const json_t *row = json_array_get (rows, i);
        char *class = cell_text (row, "class");
        bool broad = json_is_true (json_object_get (row, "broad"));
        buf_add_text (out, "<tr><td>");
        paper_text (out, class);
        buf_add_text (out, broad ? ", broad</td>" : "</td>");
        side_cell (out, row, "a_title", "a");
        side_cell (out, row, "b_title", "b");
        cell (out, row, "why");
        buf_add_text (out, "</tr>\n");
        free (class);
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
