/* csv - a reader of a few states, and a writer. */
#include "csv.h"

#include <stdio.h>
#include <stdlib.h>

#define BOM "\xef\xbb\xbf"

struct reader {
    const uint8_t *at, *end;
    struct csv *made;
    struct faults *faults;
    struct buf cell;
    size_t cells_room, rows_room;
    size_t row, column; /* from 1, of what is read now */
    bool failed;
};

static void cell_fault (struct reader *self, const char *why) {
    char place[64];
    snprintf (place, sizeof place, "row %zu, column %zu", self->row,
              self->column);
    faults_add (self->faults, place, "%s", why);
    self->failed = true;
}

static void row_begin (struct reader *self) {
    struct csv *made = self->made;
    if (made->row_count == self->rows_room) {
        self->rows_room = self->rows_room ? 2 * self->rows_room : 64;
        made->rows =
            mem_resize (made->rows, self->rows_room * sizeof *made->rows);
    }
    made->rows[made->row_count++] = (struct csv_row){ 0, NULL };
    self->cells_room = 0;
    self->row++;
    self->column = 1;
}

static void cell_put (struct reader *self) {
    struct csv_row *row = &self->made->rows[self->made->row_count - 1];
    if (row->count == self->cells_room) {
        self->cells_room = self->cells_room ? 2 * self->cells_room : 16;
        row->cells =
            mem_resize (row->cells, self->cells_room * sizeof *row->cells);
    }
    row->cells[row->count++] = buf_take_text (&self->cell);
}

static bool at_line_end (const struct reader *self) {
    return self->at < self->end && (*self->at == '\n' || *self->at == '\r');
}

static bool at_cell_end (const struct reader *self) {
    return self->at == self->end || (char) *self->at == self->made->delimiter
           || at_line_end (self);
}

static void line_end_take (struct reader *self) {
    if (*self->at == '\r' && self->end - self->at > 1 && self->at[1] == '\n')
        self->at++;
    self->at++;
}

/* One character into the cell. */
static void character_take (struct reader *self) {
    size_t size = utf8_size (self->at, (size_t) (self->end - self->at));
    if (*self->at == '\0')
        cell_fault (self, "holds a NUL: this is no text file");
    else if (!size)
        cell_fault (self, "is not UTF-8: save the file as 'CSV UTF-8'");
    else {
        buf_add (&self->cell, self->at, size);
        self->at += size;
    }
}

static void quoted_read (struct reader *self) {
    self->at++;
    while (!self->failed) {
        if (self->at == self->end)
            cell_fault (self, "begins with a quote that nothing closes");
        else if (*self->at != '"')
            character_take (self);
        else if (self->end - self->at > 1 && self->at[1] == '"') {
            buf_add_u8 (&self->cell, '"');
            self->at += 2;
        } else
            break;
    }
    if (self->failed)
        return;
    self->at++;
    if (!at_cell_end (self))
        cell_fault (self, "goes on behind its closing quote");
}

static void cell_read (struct reader *self) {
    if (self->at < self->end && *self->at == '"')
        quoted_read (self);
    else
        while (!self->failed && !at_cell_end (self)) {
            if (*self->at == '"')
                cell_fault (self, "holds a quote and is not quoted");
            else
                character_take (self);
        }
    cell_put (self);
}

static void row_read (struct reader *self) {
    row_begin (self);
    cell_read (self);
    while (!self->failed && self->at < self->end && !at_line_end (self)) {
        self->at++; /* a delimiter */
        self->column++;
        if (self->column > CSV_COLUMNS_MAX)
            cell_fault (self, "is one too many: a row has at most 256 cells");
        else
            cell_read (self);
    }
    if (!self->failed && self->at < self->end)
        line_end_take (self);
}

/* The first row's, outside quotes; a comma where there is none. */
static char delimiter_of (const uint8_t *at, const uint8_t *end) {
    static const char candidates[] = ",;\t";
    size_t counts[3] = { 0 }, best = 0;
    bool quoted = false;
    for (; at < end && (quoted || (*at != '\n' && *at != '\r')); at++) {
        quoted ^= *at == '"';
        for (size_t i = 0; !quoted && i < 3; i++)
            counts[i] += *at == (uint8_t) candidates[i];
    }
    for (size_t i = 1; i < 3; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

/* What a spreadsheet writes before the table; false: not for us. */
static bool preamble_take (struct reader *self) {
    size_t size = (size_t) (self->end - self->at);
    self->row = self->column = 1;
    if (size > CSV_OCTETS_MAX) {
        cell_fault (self, "begins a file that is larger than 4 MiB");
        return false;
    }
    if (size >= 2
        && (!memcmp (self->at, "\xff\xfe", 2)
            || !memcmp (self->at, "\xfe\xff", 2))) {
        cell_fault (self, "is UTF-16: save the file as 'CSV UTF-8'");
        return false;
    }
    if (size >= 3 && !memcmp (self->at, BOM, 3))
        self->at += 3;
    size = (size_t) (self->end - self->at);
    if (size >= 6 && !memcmp (self->at, "sep=", 4)
        && strchr (",;\t", (char) self->at[4]) && self->at[4]
        && (self->at[5] == '\r' || self->at[5] == '\n')) {
        self->made->delimiter = (char) self->at[4];
        self->at += 5;
        line_end_take (self);
    } else
        self->made->delimiter = delimiter_of (self->at, self->end);
    self->row = 0;
    return true;
}

struct csv *csv_read (struct slice text, struct faults *faults) {
    static const uint8_t nothing[1];
    const uint8_t *data = text.size ? text.data : nothing;
    struct reader reader = { .at = data,
                             .end = data + text.size,
                             .made = mem_alloc (sizeof (struct csv)),
                             .faults = faults };
    if (preamble_take (&reader))
        while (!reader.failed && reader.at < reader.end) {
            if (reader.made->row_count == CSV_ROWS_MAX)
                cell_fault (&reader, "is in the last of 10000 rows: too many");
            else
                row_read (&reader);
        }
    buf_free (&reader.cell);
    if (reader.failed)
        csv_free (&reader.made);
    return reader.made;
}

void csv_free (struct csv **self_p) {
    struct csv *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->row_count; i++) {
        for (size_t k = 0; k < self->rows[i].count; k++)
            free (self->rows[i].cells[k]);
        free (self->rows[i].cells);
    }
    free (self->rows);
    free (self);
}

bool csv_row_empty (const struct csv_row *row) {
    for (size_t i = 0; i < row->count; i++)
        if (row->cells[i][strspn (row->cells[i], " \t\r\n")])
            return false;
    return true;
}

/* Writing. */

void csv_begin (struct csv_writer *self, struct buf *out) {
    *self = (struct csv_writer){ out, 0 };
    buf_add_text (out, BOM);
}

/* Would a spreadsheet run it? */
static bool is_formula (const char *text) {
    static const char *const wide[] = { "\xef\xbc\x9d", "\xef\xbc\x8b",
                                        "\xef\xbc\x8d", "\xef\xbc\xa0" };
    if (*text && strchr ("\t\r\n", *text))
        return true;
    text += strspn (text, " ");
    if (*text && strchr ("=+-@\t\r\n", *text))
        return true;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (!strncmp (text, wide[i], 3))
            return true;
    return false;
}

static bool is_marked (const char *text) {
    return is_formula (text + strspn (text, "'"));
}

const char *csv_plain (const char *cell) {
    return *cell == '\'' && is_marked (cell) ? cell + 1 : cell;
}

void csv_cell (struct csv_writer *self, const char *text) {
    struct buf *out = self->out;
    bool quoted = text[strcspn (text, "\",;\t\r\n")] || *text == ' '
                  || (*text && text[strlen (text) - 1] == ' ');
    if (self->cells++)
        buf_add_u8 (out, ',');
    if (quoted)
        buf_add_u8 (out, '"');
    if (is_marked (text))
        buf_add_u8 (out, '\'');
    for (; *text; text++) {
        if (*text == '"')
            buf_add_u8 (out, '"');
        buf_add_u8 (out, (uint8_t) *text);
    }
    if (quoted)
        buf_add_u8 (out, '"');
}

void csv_row_end (struct csv_writer *self) {
    buf_add_text (self->out, "\r\n");
    self->cells = 0;
}
