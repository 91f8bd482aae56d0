/* plan_csv_write - plans' actions as a table. Every cell is read again as it is
 * written: what does not come back as it was is told. */
#include "plan_csv_impl.h"

#include "csv.h"

#include <stdlib.h>
#include <string.h>

#define LANGUAGES_MAX 32 /* of a member, so that columns have an end */

struct languages {
    const char *at[LANGUAGES_MAX]; /* borrowed, by name */
    size_t count;
    bool plain; /* some text names none */
    bool used;
};
struct writing {
    struct csv_writer csv;
    struct languages columns[32]; /* of each kind */
    json_t *left_out;             /* of the plan that is written; NULL */
    const json_t *whole;          /* with annexes; NULL */
    struct path path;
};

/* Which columns are needed. */

static int by_name (const void *a, const void *b) {
    return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static bool languages_have (const struct languages *self, const char *lang) {
    for (size_t i = 0; i < self->count; i++)
        if (!strcmp (self->at[i], lang))
            return true;
    return false;
}

static void languages_add (struct languages *self, const json_t *value) {
    json_t *object = (json_t *) (uintptr_t) value, *text;
    const char *lang;
    self->plain |= json_is_string (value);
    json_object_foreach (object, lang,
                         text) if (self->count < LANGUAGES_MAX
                                   && !languages_have (self, lang))
        self->at[self->count++] = lang;
}

static void action_columns (struct writing *self, const json_t *action) {
    for (size_t i = 0; i < column_kind_count; i++) {
        const json_t *value = json_object_get (action, column_kinds[i].name);
        if (value && (!json_is_array (value) || json_array_size (value)))
            self->columns[i].used = true;
        if (column_kinds[i].form == CELL_TEXT)
            languages_add (&self->columns[i], value);
    }
}

static void columns_find (struct writing *self, const json_t *const *documents,
                          size_t count) {
    for (size_t i = 0; i < column_kind_count; i++)
        self->columns[i].used = column_kinds[i].needed || i == COLUMN_PLAN;
    for (size_t i = 0; i < count; i++) {
        const json_t *action;
        size_t k;
        json_array_foreach (json_object_get (documents[i], "actions"), k,
                            action) action_columns (self, action);
    }
    for (size_t i = 0; i < column_kind_count; i++) {
        struct languages *languages = &self->columns[i];
        qsort (languages->at, languages->count, sizeof *languages->at, by_name);
        languages->plain |= !languages->count;
    }
}

/* Each column in its order: `lang` NULL for one without. */
static void each_column (struct writing *self, const json_t *action,
                         void (*write) (struct writing *, const json_t *,
                                        size_t, const char *)) {
    for (size_t i = 0; i < column_kind_count; i++) {
        const struct languages *languages = &self->columns[i];
        if (!languages->used)
            continue;
        if (languages->plain)
            write (self, action, i, NULL);
        for (size_t k = 0; k < languages->count; k++)
            write (self, action, i, languages->at[k]);
    }
}

static void name_write (struct writing *self, const json_t *action, size_t kind,
                        const char *lang) {
    struct buf name = { 0 };
    (void) action;
    buf_add_text (&name, column_kinds[kind].name);
    if (lang)
        buf_add_format (&name, ".%s", lang);
    char *text = buf_take_text (&name);
    csv_cell (&self->csv, text);
    free (text);
}

/* Cells. */

static void leave_out (struct writing *self) {
    if (self->left_out)
        json_array_append_new (self->left_out, json_string (self->path.text));
}

static json_t *cell_again (enum cell_form form, const char *text) {
    struct cell_reader reader = { .dates = PLAN_CSV_ASK };
    char *cut = blanks_cut (text, strlen (text));
    bool failed;
    json_t *out = cell_read (&reader, form == CELL_REGIONS ? CELL_CODES : form,
                             cut, &failed);
    free (cut);
    return out;
}

static void cell_put (struct writing *self, size_t kind, const char *lang,
                      const json_t *value) {
    enum cell_form form = column_kinds[kind].form;
    struct buf cell = { 0 };
    if (value || form == CELL_TO)
        cell_write (form, value, &cell);
    char *text = buf_take_text (&cell);
    csv_cell (&self->csv, text);
    json_t *again = cell_again (form, text);
    bool nothing =
        !value || (json_is_array (value) && !json_array_size (value));
    bool lost = form == CELL_TO ? value && !json_equal (again, value)
                                : !nothing && !json_equal (again, value);
    if (lost) {
        size_t mark = path_member (&self->path, column_kinds[kind].name);
        if (lang)
            path_member (&self->path, lang);
        leave_out (self);
        path_back (&self->path, mark);
    }
    json_decref (again);
    free (text);
}

static void column_write (struct writing *self, const json_t *action,
                          size_t kind, const char *lang) {
    const json_t *value = json_object_get (action, column_kinds[kind].name);
    bool plain = !json_is_object (value);
    if (column_kinds[kind].form == CELL_TEXT && plain == (lang != NULL))
        value = NULL; /* it stands in another column */
    else if (lang)
        value = json_object_get (value, lang);
    cell_put (self, kind, lang, value);
}

/* Members without a column, and texts in languages without one. */
static void rest_find (struct writing *self, const json_t *action) {
    json_t *object = (json_t *) (uintptr_t) action, *value, *text;
    const char *name, *lang;
    json_object_foreach (object, name, value) {
        size_t mark = path_member (&self->path, name), kind = 1;
        while (kind < column_kind_count
               && strcmp (column_kinds[kind].name, name) != 0)
            kind++;
        if (kind == column_kind_count)
            leave_out (self);
        else if (column_kinds[kind].form == CELL_TEXT)
            json_object_foreach (
                value, lang,
                text) if (!languages_have (&self->columns[kind], lang)) {
                size_t text_mark = path_member (&self->path, lang);
                leave_out (self);
                path_back (&self->path, text_mark);
            }
        path_back (&self->path, mark);
    }
}

/* Where rows come from. */

/* Channels, each once, of the pointer and what is below it. */
static void audience_write (struct writing *self, const char *pointer) {
    json_t *all = json_object_get (self->whole, "audience"), *channel;
    json_t *once = json_object();
    struct buf out = { 0 };
    size_t size = strlen (pointer);
    const char *at;
    json_object_foreach (all, at, channel) {
        const char *name = json_string_value (channel);
        if (strncmp (at, pointer, size) != 0 || (at[size] && at[size] != '/')
            || json_object_get (once, name))
            continue;
        json_object_set_new (once, name, json_true());
        buf_add_format (&out, "%s%s", out.size ? " " : "", name);
    }
    char *text = buf_take_text (&out);
    csv_cell (&self->csv, text);
    free (text);
    json_decref (once);
}

static const char *member_or (const json_t *object, const char *name) {
    const char *text = json_string_value (json_object_get (object, name));
    return text ? text : "";
}

/* Of the action at self->path. */
static void origin_write (struct writing *self) {
    audience_write (self, self->path.text);
    csv_cell (&self->csv, member_or (json_object_get (self->whole, "handling"),
                                     self->path.text));
    csv_cell (&self->csv, "");
    csv_cell (&self->csv, "");
}

static void empty_write (struct writing *self, const json_t *annex, size_t kind,
                         const char *lang) {
    (void) annex;
    (void) lang;
    csv_cell (&self->csv, kind == COLUMN_PLAN ? member_or (
                              json_object_get (self->whole, "document"), "plan")
                                              : "");
}

/* Plain, or each language on a line of its own. */
static void text_write (struct writing *self, json_t *text) {
    struct buf out = { 0 };
    const char *lang;
    json_t *one;
    if (json_is_string (text))
        buf_add_text (&out, json_string_value (text));
    json_object_foreach (text, lang, one) buf_add_format (
        &out, "%s%s: %s", out.size ? "\n" : "", lang, json_string_value (one));
    char *cell = buf_take_text (&out);
    csv_cell (&self->csv, cell);
    free (cell);
}

static void annexes_write (struct writing *self) {
    json_t *annexes = json_object_get (self->whole, "annexes"), *at;
    size_t i;
    json_array_foreach (annexes, i, at) {
        each_column (self, at, empty_write);
        csv_cell (&self->csv, member_or (at, "channel"));
        csv_cell (&self->csv, member_or (at, "handling"));
        csv_cell (&self->csv, member_or (at, "annex"));
        text_write (self, json_object_get (at, "text"));
        csv_row_end (&self->csv);
    }
}

static void actions_write (struct writing *self, const json_t *document) {
    const json_t *actions = json_object_get (document, "actions");
    const json_t *plan = json_object_get (document, "plan"), *action;
    size_t i;
    path_member (&self->path, "actions");
    json_array_foreach (actions, i, action) {
        json_t *row = json_copy ((json_t *) (uintptr_t) action);
        size_t mark = path_index (&self->path, i);
        if (json_object_get (action, "plan")) {
            size_t member_mark = path_member (&self->path, "plan");
            leave_out (self); /* an unknown member; the column is ours */
            path_back (&self->path, member_mark);
        }
        rest_find (self, action);
        json_object_set (row, "plan", (json_t *) (uintptr_t) plan);
        each_column (self, row, column_write);
        if (self->whole)
            origin_write (self);
        csv_row_end (&self->csv);
        json_decref (row);
        path_back (&self->path, mark);
    }
    path_back (&self->path, 0);
}

void plan_csv_write (const json_t *const *documents, size_t count,
                     struct buf *out, json_t **left_out) {
    struct writing writing = { .path = { { 0 }, 0 } };
    csv_begin (&writing.csv, out);
    columns_find (&writing, documents, count);
    each_column (&writing, NULL, name_write);
    csv_row_end (&writing.csv);
    if (left_out)
        *left_out = json_array();
    for (size_t i = 0; i < count; i++) {
        if (left_out) {
            writing.left_out = json_array();
            json_array_append_new (*left_out, writing.left_out);
        }
        actions_write (&writing, documents[i]);
    }
}

void plan_csv_parts (const json_t *whole, struct buf *out) {
    static const char *const names[] = { "audience", "handling", "annex",
                                         "annex_text" };
    struct writing writing = { .whole = whole };
    const json_t *document = json_object_get (whole, "document");
    csv_begin (&writing.csv, out);
    columns_find (&writing, &document, 1);
    each_column (&writing, NULL, name_write);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        csv_cell (&writing.csv, names[i]);
    csv_row_end (&writing.csv);
    actions_write (&writing, document);
    annexes_write (&writing);
}
