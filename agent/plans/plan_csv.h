/* plan_csv - plans as tables: an action a row (csv.h says how cells stand).
 *
 * The first row names the columns, in any order, each once:
 *
 *   column          | a cell holds
 *   plan            | may be left out; else the head's plan id in every row
 *   id              | the action's id
 *   title           | a text in the plan's language; "title.fr": in that one
 *   description     | the same, and "description.fr"
 *   note            | the same, and "note.fr"
 *   kind, status    | one of their words
 *   from            | YYYY, YYYY-MM or YYYY-MM-DD
 *   to              | such a date, or "ongoing"
 *   lead            | an entity
 *   co_leads, partners, open_to | entities, with blanks, commas or semicolons
 *   priorities, regions, goals, depends_on, same_as | codes, the same way
 *   others, needs   | texts, one a line ("\n" and "\\" within one: a line end,
 *                     a backslash)
 *   milestones      | one a line: ID | DUE | DONE or nothing | TITLE
 *
 * id, title (plain or in a language), kind, priorities, regions, from, to, lead
 * and status have to be there. An empty cell is an absent member (`to` may not
 * be empty: an end that was forgotten is not "ongoing"). Rows of empty cells
 * are passed over. Blanks around a cell mean nothing.
 *
 * Nothing is guessed. 03/04/2026, a spreadsheet's number for a day (46115), two
 * digits of a year, "56" where "056" has lost its zero, letters of a country
 * where its number is wanted: refused, with what may have been meant. */
#ifndef PARLEY_PLAN_CSV_H
#define PARLEY_PLAN_CSV_H

#include "taxonomy.h"

struct json_t;

/* What a person has said of dates such as 03/04/2026, when asked. */
enum plan_csv_dates {
    PLAN_CSV_ASK,       /* nothing: they are refused, with both readings */
    PLAN_CSV_DAY_FIRST, /* 2026-04-03 */
    PLAN_CSV_MONTH_FIRST,
};

/* A plan's document: `head` (the document but for `actions`; `format` 1 where
 * it is absent) with an action a row, which the rules of plan.h take; the
 * caller's. Or NULL, and *faults with every fault; their pointers are places in words,
 * "row 7, from", and JSON Pointers for faults of the head. */
struct json_t *plan_csv_read (struct slice csv, const struct json_t *head,
                              enum plan_csv_dates dates,
                              const struct taxonomy *taxonomy,
                              struct faults *faults) MUST_CHECK;

/* The table of plans' actions, appended to out: `plan` first, then all columns
 * that one of them needs. Read again with the plan's head, it gives the same
 * actions, but for what a table can't hold: that is told, if left_out is not
 * NULL, as JSON Pointers in an array each plan. Documents are as plan_read
 * takes them. */
void plan_csv_write (const struct json_t *const *documents, size_t count,
                     struct buf *out, struct json_t **left_out);
/* The same of a plan and its annexes, as subject_document tells them. Behind the
 * other columns stand `audience` and `handling` of all that a row is of, `annex`
 * and `annex_text`: a row for each annex, which has no action. plan_csv_read
 * refuses these columns, so that what is for few is not published to many. */
void plan_csv_parts (const struct json_t *whole, struct buf *out);

#endif
