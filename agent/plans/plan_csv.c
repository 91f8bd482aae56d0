/* plan_csv - a plan's document from a table: names of columns, rows, and faults
 * at the cells that they come from. */
#include "plan_csv_impl.h"

#include "csv.h"
#include "plan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct column_kind column_kinds[] = {
    { "plan", CELL_STRING, false },
    { "id", CELL_STRING, true },
    { "title", CELL_TEXT, true },
    { "description", CELL_TEXT, false },
    { "kind", CELL_WORD, true },
    { "status", CELL_WORD, true },
    { "from", CELL_DATE, true },
    { "to", CELL_TO, true },
    { "lead", CELL_STRING, true },
    { "co_leads", CELL_CODES, false },
    { "partners", CELL_CODES, false },
    { "open_to", CELL_CODES, false },
    { "priorities", CELL_CODES, true },
    { "regions", CELL_REGIONS, true },
    { "goals", CELL_CODES, false },
    { "depends_on", CELL_CODES, false },
    { "same_as", CELL_CODES, false },
    { "others", CELL_LINES, false },
    { "needs", CELL_LINES, false },
    { "milestones", CELL_MILESTONES, false },
    { "note", CELL_TEXT, false },
};
const size_t column_kind_count = sizeof column_kinds / sizeof *column_kinds;

struct column {
    const struct column_kind *kind; /* NULL: has no name */
    char *name;                     /* "title.fr" */
    const char *lang;               /* in name; NULL */
};
struct reading {
    const struct csv *csv;
    struct column columns[CSV_COLUMNS_MAX];
    size_t column_count;
    json_t *document, *actions;
    size_t *rows; /* of each action, as a spreadsheet counts */
    struct cell_reader cell;
    struct faults *faults;
    char place[128]; /* of the cell that is read */
};

static void place_set (struct reading *self, size_t row, const char *column) {
    if (column)
        snprintf (self->place, sizeof self->place, "row %zu, %.100s", row,
                  column);
    else
        snprintf (self->place, sizeof self->place, "row %zu", row);
}
#define PLACE_FAULT(self, ...)                                                 \
    faults_add ((self)->faults, (self)->place, __VA_ARGS__)

/* Names of columns. */

/* ^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$ */
static bool is_language (const char *text) {
    size_t size = strspn (text, "abcdefghijklmnopqrstuvwxyz");
    if (size < 2 || size > 3)
        return false;
    for (text += size; *text == '-'; text += size) {
        for (size = 0; isalnum ((unsigned char) text[1 + size]);)
            size++;
        if (size < 1 || size > 8)
            return false;
        size++;
    }
    return !*text;
}

static const struct column_kind *kind_of (const char *name, size_t size) {
    for (size_t i = 0; i < column_kind_count; i++)
        if (strlen (column_kinds[i].name) == size
            && !strncasecmp (column_kinds[i].name, name, size))
            return &column_kinds[i];
    return NULL;
}

static void column_read (struct reading *self, struct column *column) {
    const char *dot = strchr (column->name, '.');
    size_t size = dot ? (size_t) (dot - column->name) : strlen (column->name);
    const struct column_kind *kind = kind_of (column->name, size);
    if (!*column->name)
        return;
    if (!kind || (dot && kind->form != CELL_TEXT))
        PLACE_FAULT (self,
                     "is '%.60s', which is no column of a plan: take it "
                     "out, or rename it",
                     column->name);
    else if (dot && !is_language (dot + 1))
        PLACE_FAULT (self, "is '%.60s', but '%.20s' is no language",
                     column->name, dot + 1);
    else {
        column->kind = kind;
        column->lang = dot ? dot + 1 : NULL;
        memcpy (column->name, kind->name, size);
    }
}

static void columns_read (struct reading *self, const struct csv_row *row) {
    for (size_t i = 0; i < row->count; i++) {
        struct column *column = &self->columns[self->column_count++];
        const char *cell = csv_plain (row->cells[i]);
        char number[32];
        snprintf (number, sizeof number, "column %zu", i + 1);
        place_set (self, 1, number);
        column->name = blanks_cut (cell, strlen (cell));
        column_read (self, column);
        for (size_t k = 0; k < i; k++)
            if (column->kind && self->columns[k].kind
                && !strcmp (self->columns[k].name, column->name))
                PLACE_FAULT (self, "is '%s', as column %zu", column->name,
                             k + 1);
    }
    for (size_t i = 0; i < column_kind_count; i++) {
        bool there = !column_kinds[i].needed;
        for (size_t k = 0; k < self->column_count; k++)
            there |= self->columns[k].kind == &column_kinds[i];
        if (!there)
            faults_add (self->faults, "row 1", "has no column '%s'",
                        column_kinds[i].name);
    }
}

/* Rows. */

static void text_set (struct reading *self, json_t *action,
                      const struct column *column, json_t *value) {
    const char *member = column->kind->name;
    json_t *there = json_object_get (action, member);
    if (there && (json_is_string (there) || !column->lang)) {
        PLACE_FAULT (self,
                     "stands beside another '%s': give each its language, "
                     "as in '%s.fr'",
                     member, member);
        json_decref (value);
    } else if (!column->lang)
        json_object_set_new (action, member, value);
    else {
        if (!there) {
            there = json_object();
            json_object_set_new (action, member, there);
        }
        json_object_set_new (there, column->lang, value);
    }
}

static void plan_compare (struct reading *self, const char *text) {
    const char *plan =
        json_string_value (json_object_get (self->document, "plan"));
    if (*text && plan && strcmp (text, plan) != 0)
        PLACE_FAULT (self, "is '%.80s', but the plan is '%.80s'", text, plan);
}

static void cell_take (struct reading *self, json_t *action,
                       const struct column *column, const char *text) {
    bool failed;
    json_t *value;
    if (!column->kind && *text)
        PLACE_FAULT (self, "stands in a column without a name");
    if (!column->kind)
        return;
    if (column->kind == &column_kinds[COLUMN_PLAN]) {
        plan_compare (self, text);
        return;
    }
    value = cell_read (&self->cell, column->kind->form, text, &failed);
    if (!value)
        return;
    if (column->kind->form == CELL_TEXT)
        text_set (self, action, column, value);
    else
        json_object_set_new (action, column->kind->name, value);
}

static void row_read (struct reading *self, size_t number) {
    static const struct column nameless = { NULL, NULL, NULL };
    const struct csv_row *row = &self->csv->rows[number - 1];
    json_t *action = json_object();
    size_t count =
        row->count > self->column_count ? row->count : self->column_count;
    for (size_t i = 0; i < count; i++) {
        bool named = i < self->column_count && self->columns[i].kind;
        const struct column *column = named ? &self->columns[i] : &nameless;
        const char *cell = i < row->count ? csv_plain (row->cells[i]) : "";
        char *text = blanks_cut (cell, strlen (cell)), place[32];
        snprintf (place, sizeof place, "column %zu", i + 1);
        place_set (self, number, named ? column->name : place);
        cell_take (self, action, column, text);
        free (text);
    }
    self->rows[json_array_size (self->actions)] = number;
    json_array_append_new (self->actions, action);
}

static void rows_read (struct reading *self) {
    const struct csv *csv = self->csv;
    if (!csv->row_count || csv_row_empty (&csv->rows[0])) {
        faults_add (self->faults, "row 1", "has no names of columns");
        return;
    }
    columns_read (self, &csv->rows[0]);
    self->rows = mem_alloc (csv->row_count * sizeof *self->rows);
    if (self->faults->count)
        return; /* what a cell means is not known */
    for (size_t i = 1; i < csv->row_count; i++)
        if (!csv_row_empty (&csv->rows[i]))
            row_read (self, i + 1);
}

/* What the whole document's rules say, at the cells. */

/* "/actions/3/title/fr" as "row 5, title.fr"; false: it is no cell. */
static bool cell_of (struct reading *self, const char *pointer) {
    unsigned long index;
    int at = 0;
    if (sscanf (pointer, "/actions/%lu%n", &index, &at) != 1
        || index >= json_array_size (self->actions))
        return false;
    const char *member = pointer + at;
    size_t size = *member ? strcspn (member + 1, "/") : 0;
    const struct column_kind *kind = size ? kind_of (member + 1, size) : NULL;
    const char *lang = size && member[1 + size] ? member + 2 + size : NULL;
    char column[80];
    if (!kind) {
        place_set (self, self->rows[index], NULL);
        return true;
    }
    if (kind->form == CELL_TEXT && lang)
        snprintf (column, sizeof column, "%s.%.40s", kind->name, lang);
    else
        snprintf (column, sizeof column, "%s", kind->name);
    place_set (self, self->rows[index], column);
    return true;
}

/* Was there something at that cell already, or, for a whole row, in it? */
static bool is_told (const struct reading *self, size_t before) {
    size_t size = strlen (self->place);
    for (size_t i = 0; i < before; i++) {
        const char *other = self->faults->at[i].pointer;
        if (!strncmp (other, self->place, size)
            && (!other[size] || other[size] == ','))
            return true;
    }
    return false;
}

static void document_check (struct reading *self) {
    struct faults found = { 0 };
    struct plan *plan = plan_read (self->document, self->cell.taxonomy, &found);
    size_t before = self->faults->kept;
    plan_free (&plan);
    for (size_t i = 0; i < found.kept; i++) {
        const struct fault *fault = &found.at[i];
        if (!cell_of (self, fault->pointer))
            faults_add (self->faults, fault->pointer, "%s", fault->text);
        else if (!is_told (self, before))
            PLACE_FAULT (self, "%s", fault->text);
    }
    self->faults->count += found.count - found.kept;
    faults_clear (&found);
}

static void head_take (struct reading *self, const json_t *head) {
    self->document =
        json_is_object (head) ? json_deep_copy (head) : json_object();
    if (!json_is_object (head))
        faults_add (self->faults, "", "is no JSON object: the plan's head");
    if (json_object_get (self->document, "actions"))
        faults_add (self->faults, "/actions",
                    "is in the head, but the table holds the actions");
    if (!json_object_get (self->document, "format"))
        json_object_set_new (self->document, "format", json_integer (1));
    self->actions = json_array();
    json_object_set_new (self->document, "actions", self->actions);
}

json_t *plan_csv_read (struct slice text, const json_t *head,
                       enum plan_csv_dates dates,
                       const struct taxonomy *taxonomy, struct faults *faults) {
    size_t faults_before = faults->count;
    struct csv *csv = csv_read (text, faults);
    if (!csv)
        return NULL;
    struct faults found = { 0 };
    struct reading reading = { .csv = csv, .faults = &found };
    reading.cell =
        (struct cell_reader){ dates, taxonomy, &found, reading.place };
    head_take (&reading, head);
    rows_read (&reading);
    if (json_array_size (reading.actions) || !found.count)
        document_check (&reading);
    for (size_t i = 0; i < found.kept; i++)
        faults_add (faults, found.at[i].pointer, "%s", found.at[i].text);
    faults->count += found.count - found.kept;
    faults_clear (&found);
    for (size_t i = 0; i < reading.column_count; i++)
        free (reading.columns[i].name);
    free (reading.rows);
    csv_free (&csv);
    if (faults->count > faults_before) {
        json_decref (reading.document);
        return NULL;
    }
    return reading.document;
}
