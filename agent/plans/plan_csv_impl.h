/* plan_csv_impl - what plan_csv.c, plan_csv_cell.c and plan_csv_write.c share:
 * the columns, and cells both ways. */
#ifndef PARLEY_PLAN_CSV_IMPL_H
#define PARLEY_PLAN_CSV_IMPL_H

#include "plan_csv.h"

#include <jansson.h>

enum cell_form {
    CELL_TEXT,   /* plain, or one language of it */
    CELL_STRING, /* an id, an entity, ... */
    CELL_WORD,   /* small letters */
    CELL_DATE,
    CELL_TO, /* a date or "ongoing" */
    CELL_CODES,
    CELL_REGIONS, /* codes that spreadsheets spoil */
    CELL_LINES,
    CELL_MILESTONES,
};
struct column_kind {
    const char *name; /* of the column and the action's member */
    enum cell_form form;
    bool needed;
};
/* "plan" is the first one and no member. */
extern const struct column_kind column_kinds[];
extern const size_t column_kind_count;
#define COLUMN_PLAN 0

/* What a cell is read by. */
struct cell_reader {
    enum plan_csv_dates dates;
    const struct taxonomy *taxonomy; /* for hints */
    struct faults *faults;           /* NULL: nothing is told */
    const char *place;               /* "row 7, from" */
};
/* The member's value, the caller's; NULL: empty, or *failed. `text` has no
 * blanks around it. */
json_t *cell_read (const struct cell_reader *self, enum cell_form form,
                   const char *text, bool *failed) MUST_CHECK;
/* A member's text for a cell, as far as one can hold it; appended. Of text in
 * languages nothing: its languages have columns. */
void cell_write (enum cell_form form, const json_t *value, struct buf *out);

/* A copy without blanks (also no-break ones) around it; the caller's. */
char *blanks_cut (const char *text, size_t size) MUST_CHECK;

#endif
