/* csv - tables as text (RFC 4180), as spreadsheets write them.
 *
 * Read strictly: UTF-8 with or without a byte order mark; commas, semicolons or
 * tabs between cells, whichever the first row has most of (or a first line
 * "sep=;" says); line ends CRLF, LF or CR; quoted cells may hold all of them.
 * Nothing is mended: a quote out of place, another encoding or a NUL is a fault
 * with its row and column. Written for a spreadsheet that shall not run it.
 *
 * Faults' pointers are places in words here: "row 7, column 3". Rows count as a
 * spreadsheet shows them: from 1, the names being row 1. */
#ifndef PARLEY_CSV_H
#define PARLEY_CSV_H

#include "base/buf.h"
#include "faults.h"

#define CSV_OCTETS_MAX (4 * 1024 * 1024)
#define CSV_ROWS_MAX 10000
#define CSV_COLUMNS_MAX 256

struct csv_row {
    size_t count;
    char **cells; /* UTF-8, as written: blanks kept */
};
struct csv {
    char delimiter;
    size_t row_count; /* also empty ones, so that numbers hold */
    struct csv_row *rows;
};
/* NULL and *faults. Text is copied. */
struct csv *csv_read (struct slice text, struct faults *faults) MUST_CHECK;
void csv_free (struct csv **self_p);
/* No cell with anything but blanks. */
bool csv_row_empty (const struct csv_row *row);

/* Writing, to the end of a buf: a byte order mark, without which some
 * spreadsheets take UTF-8 for something else; commas between cells; rows end in
 * CRLF. */
struct csv_writer {
    struct buf *out; /* borrowed */
    size_t cells;    /* of the row that is open */
};
void csv_begin (struct csv_writer *self, struct buf *out);
/* Quoted where needed. A text that a spreadsheet would run (it begins with =,
 * +, -, @, a tab or line end, also behind blanks, or their wide forms) gets an
 * apostrophe before it; so does one that would look as if it had got one, so
 * that csv_plain gives every text back. */
void csv_cell (struct csv_writer *self, const char *text);
void csv_row_end (struct csv_writer *self);
/* A cell's text without the apostrophe that csv_cell puts. Within `cell`. */
const char *csv_plain (const char *cell);

#endif
