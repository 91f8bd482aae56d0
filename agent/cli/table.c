/* table - all cells are kept until the widths are known. Not thread-safe. */
#include "table.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

struct cell {
    char *text; /* printable */
    bool right;
};
struct table {
    const char *heads[TABLE_COLUMNS_MAX];
    size_t columns;
    bool has_heads;
    struct cell *cells;
    size_t count, room;
};

struct table *table_new (const char *const *heads) {
    struct table *self = mem_alloc (sizeof *self);
    for (; heads[self->columns]; self->columns++) {
        assert (self->columns < TABLE_COLUMNS_MAX);
        self->heads[self->columns] = heads[self->columns];
        self->has_heads = self->has_heads || heads[self->columns][0];
    }
    assert (self->columns > 0);
    return self;
}

void table_destroy (struct table **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct table *self = *self_p;
    for (size_t i = 0; i < self->count; i++)
        free (self->cells[i].text);
    free (self->cells);
    free (self);
    *self_p = NULL;
    errno = saved;
}

void table_slice (struct table *self, struct slice text) {
    char shown[TABLE_CELL_MAX];
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->cells =
            mem_resize (self->cells, self->room * sizeof *self->cells);
    }
    text_printable (shown, sizeof shown, text.data, text.size);
    self->cells[self->count++] = (struct cell){ .text = mem_copy_text (shown) };
}

void table_cell (struct table *self, const char *text) {
    table_slice (self, slice_text (text ? text : ""));
}

void table_format (struct table *self, const char *format, ...) {
    char text[TABLE_CELL_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    table_cell (self, text);
}

void table_int (struct table *self, int64_t value) {
    table_format (self, "%" PRId64, value);
    self->cells[self->count - 1].right = true;
}

bool table_is_empty (const struct table *self) {
    return self->count == 0;
}

/* wcwidth knows only ASCII in the C locale. */
static void set_locale (void) {
    static bool done;
    if (done)
        return;
    done = true;
    if (!setlocale (LC_CTYPE, "") || MB_CUR_MAX == 1)
        setlocale (LC_CTYPE, "C.UTF-8");
}

static wchar_t character (const uint8_t *p, size_t size) {
    static const uint8_t first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t c = p[0] & first[size];
    for (size_t i = 1; i < size; i++)
        c = c << 6 | (p[i] & 0x3f);
    return (wchar_t) c;
}

size_t text_width (const char *text) {
    const uint8_t *p = (const uint8_t *) text;
    size_t left = strlen (text), width = 0;
    set_locale();
    while (left > 0) {
        size_t size = utf8_size (p, left);
        int columns = size ? wcwidth (character (p, size)) : 1;
        width += columns < 0 ? 1 : (size_t) columns;
        p += size ? size : 1;
        left -= size ? size : 1;
    }
    return width;
}

static void measure (const struct table *self, size_t *widths) {
    for (size_t i = 0; i < self->columns; i++)
        widths[i] = text_width (self->heads[i]);
    for (size_t i = 0; i < self->count; i++) {
        size_t width = text_width (self->cells[i].text);
        if (width > widths[i % self->columns])
            widths[i % self->columns] = width;
    }
}

static void spaces (FILE *out, size_t count) {
    fprintf (out, "%*s", (int) count, "");
}

/* Blanks owed are printed only before text, so that no line ends in them. */
static void print_cell (FILE *out, const char *text, bool right, size_t width,
                        size_t *owed) {
    size_t rest = width - text_width (text);
    if (text[0]) {
        spaces (out, *owed + (right ? rest : 0));
        fputs (text, out);
        *owed = (right ? 0 : rest) + 2;
    } else
        *owed += width + 2;
}

void table_print (const struct table *self, FILE *out) {
    size_t widths[TABLE_COLUMNS_MAX], owed = 0;
    measure (self, widths);
    for (size_t i = 0; self->has_heads && i < self->columns; i++)
        print_cell (out, self->heads[i], false, widths[i], &owed);
    if (self->has_heads)
        fputc ('\n', out);
    for (size_t i = 0; i < self->count; i++) {
        if (i % self->columns == 0)
            owed = 0;
        print_cell (out, self->cells[i].text, self->cells[i].right,
                    widths[i % self->columns], &owed);
        if ((i + 1) % self->columns == 0 || i + 1 == self->count)
            fputc ('\n', out);
    }
}
