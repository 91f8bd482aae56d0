/* table - all cells are kept until the widths are known. Not thread-safe. */
#include "table.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
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

/* Columns of the terminal that `out` is; 0: it is none. */
static size_t terminal_width (FILE *out) {
    struct winsize size;
    int fd = fileno (out);
    return isatty (fd) && ioctl (fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Octets of the words that `width` columns hold; at least one word. */
static size_t words_in (const char *text, size_t width) {
    char piece[TABLE_CELL_MAX];
    size_t taken = 0;
    for (;;) {
        size_t start = taken + strspn (text + taken, " ");
        size_t end = start + strcspn (text + start, " ");
        snprintf (piece, sizeof piece, "%.*s", (int) end, text);
        if (end == start || (taken > 0 && text_width (piece) > width))
            return taken;
        taken = end;
    }
}

static size_t longest_word (const char *text) {
    size_t longest = 0;
    while (*text) {
        char word[TABLE_CELL_MAX];
        size_t size = strcspn (text, " ");
        snprintf (word, sizeof word, "%.*s", (int) size, text);
        size_t width = text_width (word);
        longest = width > longest ? width : longest;
        text += size + (text[size] == ' ');
    }
    return longest;
}

/* Layout: the columns' widths, and whether the last one has a line of its own,
 * where all of them are too wide for the terminal. */

#define BELOW 4 /* columns that what stands on a next line is indented by */
/* A last column, mostly of sentences, that has to be narrower than this part of
 * the terminal is read more easily below the others. */
#define LEAST_PART 4

struct layout {
    size_t widths[TABLE_COLUMNS_MAX];
    size_t beside; /* columns that stand beside each other */
    size_t limit;  /* the terminal's; 0: none */
};

static size_t total (const struct layout *l) {
    size_t sum = 0;
    for (size_t i = 0; i < l->beside; i++)
        sum += l->widths[i] + (i > 0 ? 2 : 0);
    return sum;
}

/* The widest column gives way first, as far as its words allow. */
static bool shrink (struct layout *l, const size_t *least) {
    while (total (l) > l->limit) {
        size_t widest = l->beside;
        for (size_t i = 0; i < l->beside; i++)
            if (l->widths[i] > least[i]
                && (widest == l->beside || l->widths[i] > l->widths[widest]))
                widest = i;
        if (widest == l->beside)
            return false;
        l->widths[widest]--;
    }
    return true;
}

static void lay_out (const struct table *self, size_t limit,
                     struct layout *out) {
    size_t least[TABLE_COLUMNS_MAX];
    *out = (struct layout){ .beside = self->columns, .limit = limit };
    measure (self, out->widths);
    if (limit == 0)
        return;
    for (size_t i = 0; i < self->columns; i++)
        least[i] = longest_word (self->heads[i]);
    for (size_t i = 0; i < self->count; i++) {
        size_t width = longest_word (self->cells[i].text);
        if (width > least[i % self->columns])
            least[i % self->columns] = width;
    }
    struct layout whole = *out;
    size_t last = self->columns - 1;
    bool fits = shrink (out, least);
    bool narrow = out->widths[last] < whole.widths[last]
                  && out->widths[last] < limit / LEAST_PART;
    if ((fits && !narrow) || last == 0)
        return;
    *out = whole;
    out->beside--;
    shrink (out, least);
}

static void spaces (FILE *out, size_t count) {
    fprintf (out, "%*s", (int) count, "");
}

/* Blanks owed are printed only before text, so that no line ends in them. */
static void print_piece (FILE *out, const char *text, bool right, size_t width,
                         size_t *owed) {
    size_t size = text_width (text), rest = width > size ? width - size : 0;
    if (text[0]) {
        spaces (out, *owed + (right ? rest : 0));
        fputs (text, out);
        *owed = (right ? 0 : rest) + 2;
    } else
        *owed += width + 2;
}

/* What of *text goes on this line; *text is moved behind it. */
static void next_piece (const char **text, size_t width, bool wrap,
                        char piece[TABLE_CELL_MAX]) {
    size_t size = wrap ? words_in (*text, width) : strlen (*text);
    snprintf (piece, TABLE_CELL_MAX, "%.*s", (int) size, *text);
    *text += size;
    *text += wrap ? strspn (*text, " ") : 0;
}

static void print_below (FILE *out, const char *text, size_t limit) {
    char piece[TABLE_CELL_MAX];
    while (*text) {
        next_piece (&text, limit > BELOW ? limit - BELOW : 1, true, piece);
        fprintf (out, "%*s%s\n", BELOW, "", piece);
    }
}

/* `count` cells from the left; they are moved to their ends. */
static void print_row (FILE *out, const struct layout *l, const char **texts,
                       const bool *right, size_t count) {
    size_t beside = count < l->beside ? count : l->beside;
    for (bool more = true; more;) {
        size_t owed = 0;
        more = false;
        for (size_t i = 0; i < beside; i++) {
            char piece[TABLE_CELL_MAX];
            next_piece (&texts[i], l->widths[i], l->limit > 0, piece);
            print_piece (out, piece, right[i], l->widths[i], &owed);
            more = more || *texts[i];
        }
        fputc ('\n', out);
    }
    if (count > l->beside)
        print_below (out, texts[l->beside], l->limit);
}

void table_print (const struct table *self, FILE *out) {
    struct layout layout;
    lay_out (self, terminal_width (out), &layout);
    const char *texts[TABLE_COLUMNS_MAX];
    bool right[TABLE_COLUMNS_MAX] = { false };
    for (size_t i = 0; i < self->columns; i++)
        texts[i] = self->heads[i];
    if (self->has_heads)
        print_row (out, &layout, texts, right, self->columns);
    for (size_t i = 0; i < self->count;) {
        size_t n = 0;
        for (; n < self->columns && i < self->count; n++, i++) {
            texts[n] = self->cells[i].text;
            right[n] = self->cells[i].right;
        }
        print_row (out, &layout, texts, right, n);
    }
}

void fields_print (const char *const *fields, size_t count, FILE *out) {
    size_t limit = terminal_width (out), at = 0;
    bool open = false; /* the line has no end yet */
    for (size_t i = 0; i < count; i++) {
        size_t width = text_width (fields[i]);
        if (i == 0 || limit == 0 || (open && at + 2 + width <= limit)) {
            fprintf (out, "%s%s", i > 0 ? "  " : "", fields[i]);
            at += width + (i > 0 ? 2 : 0);
            open = true;
            continue;
        }
        if (open)
            fputc ('\n', out);
        open = BELOW + width <= limit;
        at = BELOW + width;
        if (open)
            fprintf (out, "%*s%s", BELOW, "", fields[i]);
        else
            print_below (out, fields[i], limit);
    }
    if (open)
        fputc ('\n', out);
}
