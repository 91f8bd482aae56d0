/* table - columns for people at a terminal.
 *
 * Cells are any octets: what a peer wrote is shown with its control characters
 * escaped, and columns are as wide as a terminal draws them. */
#ifndef PARLEY_TABLE_H
#define PARLEY_TABLE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 12
#define TABLE_CELL_MAX 4096 /* octets as shown; longer ones end in "..." */

struct table;

/* Column heads, "" where a column has none; NULL ends them. A table without
 * any head prints no line for them. */
struct table *table_new (const char *const *heads) MUST_CHECK;
void table_destroy (struct table **self_p);

/* The next cell, filling rows from the left. */
void table_cell (struct table *self, const char *text); /* NULL: "" */
void table_slice (struct table *self, struct slice text);
void table_format (struct table *self, const char *format, ...)
    PRINTF_LIKE (2, 3);
void table_int (struct table *self, int64_t value); /* drawn to the right */
bool table_is_empty (const struct table *self);

/* All rows, with two spaces between columns and none at a line's end. A row
 * that is not full ends early. On a terminal that is too narrow, cells are
 * broken between words, and the last column may stand below the others. */
void table_print (const struct table *self, FILE *out);

/* One line of printable texts, two spaces apart. On a terminal that is too
 * narrow the next ones begin lines that are indented. */
void fields_print (const char *const *fields, size_t count, FILE *out);

/* Columns that a terminal needs for printable UTF-8 text. What is no character
 * counts one. Sets the process's LC_CTYPE at the first call. */
size_t text_width (const char *text);

#endif
