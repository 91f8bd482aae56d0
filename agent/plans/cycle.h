/* cycle - the report of a period over many plans, and that of overlaps, as rows
 * and in the forms that people take along: JSON, CSV, HTML.
 *
 * A row is a flat object of texts, numbers and truths. All rows of a report have
 * the members of its columns, "" where one has no value. */
#ifndef PARLEY_CYCLE_H
#define PARLEY_CYCLE_H

#include "overlap.h"
#include "subject.h"

struct cycle_query {
    int32_t from, to;   /* the period, days */
    int32_t on;         /* today: what is overdue then */
    const char *entity; /* plans of it alone; NULL: all */
    const char *lang;   /* of titles; "" or NULL: the plan's own */
};
/* For each plan that is there and whose cycle or some action meets the period,
 * by entity and plan: a row "plan" with sums, then for each action that meets it
 * a row "action" (own and reported status), rows "milestone" of those that are
 * due or done in it or overdue, "indicator" (last value of a counting report up
 * to `to`, against the next target from `to` on, else the last one), and
 * "report" of each counting report whose period meets it; or one with state
 * "missing" where neither the lead nor the plan's entity sent any and the action
 * is not cancelled. The caller's. */
struct json_t *cycle_rows (const struct subject *const *subjects, size_t count,
                           const struct cycle_query *query) MUST_CHECK;
/* One row each, in their order: class, both actions, why. */
struct json_t *overlap_rows (const struct taxonomy *taxonomy,
                             const struct overlap *at, size_t count,
                             const char *lang) MUST_CHECK;

enum rows_kind { ROWS_CYCLE, ROWS_OVERLAPS };
/* The names of a report's columns, in order, up to NULL. */
const char *const *rows_columns (enum rows_kind kind);
/* The strictest handling that a row names; "" where none does. */
const char *rows_handling (const struct json_t *rows);
/* CSV with a row of headings, formulas neutralised (csv.h); appended. */
void rows_csv (enum rows_kind kind, const struct json_t *rows, struct buf *out);
struct rows_head {
    const char *title;    /* "Report of a period" */
    const char *line;     /* below it: period, mark, who asked; "" */
    const char *handling; /* on each page; NULL: rows_handling */
};
/* A page of its own, to be printed; appended. */
void rows_html (enum rows_kind kind, const struct json_t *rows,
                const struct rows_head *head, struct buf *out);

#endif
