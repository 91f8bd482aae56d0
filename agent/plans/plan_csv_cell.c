/* plan_csv_cell - one cell of a plan's table, read and written. What a person
 * may have meant is told, and never taken. */
#include "plan_csv_impl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_BREAK "\xc2\xa0"
#define ONGOING "ongoing"
#define SERIAL_1970 25569 /* spreadsheets' number of 1970-01-01 */

char *blanks_cut (const char *text, size_t size) {
    static const char blanks[] = " \t\r\n";
    for (;;)
        if (size && strchr (blanks, *text) && *text) {
            text++;
            size--;
        } else if (size >= 2 && !memcmp (text, NO_BREAK, 2)) {
            text += 2;
            size -= 2;
        } else if (size && strchr (blanks, text[size - 1]) && text[size - 1])
            size--;
        else if (size >= 2 && !memcmp (text + size - 2, NO_BREAK, 2))
            size -= 2;
        else
            break;
    char *out = mem_alloc (size + 1);
    memcpy (out, text, size);
    return out;
}

#define CELL_FAULT(self, ...)                                                  \
    do {                                                                       \
        if ((self)->faults)                                                    \
            faults_add ((self)->faults, (self)->place, __VA_ARGS__);           \
    } while (0)

/* Dates. */

static bool is_day (int year, int month, int day, char out[DATE_TEXT_MAX]) {
    struct date date;
    char text[32];
    snprintf (text, sizeof text, "%04d-%02d-%02d", year, month, day);
    if (date_read (slice_text (text), &date, NULL))
        return false;
    date_text (out, &date);
    return true;
}

/* "3/4/2026": numbers of at most four digits with one separator between. */
struct numbers_read {
    int value[3];
    int digits[3];
};

static bool three_read (const char *text, struct numbers_read *out) {
    char separator = '\0';
    for (int i = 0; i < 3; i++) {
        int value = 0, digits = 0;
        for (; isdigit ((unsigned char) *text) && digits < 5; digits++)
            value = value * 10 + (*text++ - '0');
        if (digits < 1 || digits > 4)
            return false;
        out->value[i] = value;
        out->digits[i] = digits;
        if (i == 2)
            return *text == '\0';
        if (!*text || !strchr ("./- ", *text)
            || (separator && *text != separator))
            return false;
        separator = *text++;
    }
    return false;
}

static bool order_read (const struct cell_reader *self, const char *text,
                        const struct numbers_read *numbers,
                        char out[DATE_TEXT_MAX]) {
    const int *value = numbers->value;
    char day_first[DATE_TEXT_MAX], month_first[DATE_TEXT_MAX];
    bool is_first = is_day (value[2], value[1], value[0], day_first);
    bool is_second = is_day (value[2], value[0], value[1], month_first);
    bool taken = self->dates == PLAN_CSV_DAY_FIRST     ? is_first
                 : self->dates == PLAN_CSV_MONTH_FIRST ? is_second
                                                       : false;
    if (taken) {
        memcpy (out,
                self->dates == PLAN_CSV_DAY_FIRST ? day_first : month_first,
                DATE_TEXT_MAX);
        return true;
    }
    if (is_first && is_second && strcmp (day_first, month_first) != 0)
        CELL_FAULT (self,
                    "is %s, which may be %s or %s: write the one that is "
                    "meant",
                    text, day_first, month_first);
    else if (is_first || is_second)
        CELL_FAULT (self, "is %s: write %s", text,
                    is_first ? day_first : month_first);
    else
        CELL_FAULT (self, "is %s, which is no day", text);
    return false;
}

/* Other forms than ours: true where a person has said how to read it. */
static bool other_date (const struct cell_reader *self, const char *text,
                        char out[DATE_TEXT_MAX]) {
    struct numbers_read numbers;
    char day[DATE_TEXT_MAX];
    struct error e;
    struct date date;
    size_t size = strlen (text);
    if (size == 5 && strspn (text, "0123456789") == 5)
        CELL_FAULT (self,
                    "is %s, a spreadsheet's number for a day, mostly %s: make "
                    "the column text and write YYYY-MM-DD",
                    text, day_text (day, atoi (text) - SERIAL_1970));
    else if (three_read (text, &numbers)) {
        const int *value = numbers.value;
        if (numbers.digits[2] == 4 && numbers.digits[0] <= 2)
            return order_read (self, text, &numbers, out);
        if (numbers.digits[0] != 4)
            CELL_FAULT (self, "is %s, a year of two digits: write YYYY-MM-DD",
                        text);
        else if (is_day (value[0], value[1], value[2], day))
            CELL_FAULT (self, "is %s: write %s", text, day);
        else
            CELL_FAULT (self, "is %s, which is no day", text);
    } else if (size > 10 && (text[10] == 'T' || text[10] == ' ')
               && !date_read (slice_of (text, 10), &date, NULL))
        CELL_FAULT (self, "is %s, with a time: write %.10s", text, text);
    else if (date_read (slice_text (text), &date, &e))
        CELL_FAULT (self, "is no date: %s", e.text);
    return false;
}

static json_t *date_cell (const struct cell_reader *self, const char *text,
                          bool *failed) {
    struct date date;
    struct error e;
    char out[DATE_TEXT_MAX];
    enum err rc = date_read (slice_text (text), &date, &e);
    if (!rc)
        return json_string (text);
    if (rc == ERR_LIMIT)
        CELL_FAULT (self, "is no date: %s", e.text);
    else if (other_date (self, text, out))
        return json_string (out);
    *failed = true;
    return NULL;
}

static json_t *to_cell (const struct cell_reader *self, const char *text,
                        bool *failed) {
    if (!strcasecmp (text, ONGOING))
        return json_null();
    if (*text)
        return date_cell (self, text, failed);
    CELL_FAULT (self, "is empty: write a date, or '" ONGOING "'");
    *failed = true;
    return NULL;
}

/* Codes. */

static bool region_hint (const struct cell_reader *self, const char *code) {
    const struct taxonomy *taxonomy = self->taxonomy;
    char padded[8];
    size_t size = strlen (code);
    if (size >= 1 && size < 3 && strspn (code, "0123456789") == size) {
        snprintf (padded, sizeof padded, "%03d", atoi (code));
        if (taxonomy_region (taxonomy, slice_text (padded)) >= 0) {
            CELL_FAULT (self,
                        "holds %s: write %s (a spreadsheet drops zeros: make "
                        "the column text)",
                        code, padded);
            return true;
        }
    }
    if (size != 2 || taxonomy_region (taxonomy, slice_text (code)) >= 0)
        return false;
    for (int i = 0; i < (int) taxonomy_country_count (taxonomy); i++)
        if (!strcmp (taxonomy_country_alpha2 (taxonomy, i), code)) {
            CELL_FAULT (self, "holds %s: write %s for %s", code,
                        taxonomy_country_code (taxonomy, i),
                        taxonomy_country_title (taxonomy, i));
            return true;
        }
    return false;
}

static json_t *codes_cell (const struct cell_reader *self, const char *text,
                           bool regions, bool *failed) {
    static const char separators[] = " \t\r\n,;";
    json_t *out = json_array();
    for (text += strspn (text, separators); *text;
         text += strspn (text, separators)) {
        size_t size = strcspn (text, separators);
        char *code = blanks_cut (text, size);
        if (regions && region_hint (self, code))
            *failed = true;
        json_array_append_new (out, json_string (code));
        free (code);
        text += size;
    }
    if (*failed) {
        json_decref (out);
        return NULL;
    }
    return out;
}

/* Lines. */

/* "\n" and "\\" as what they stand for, in place. */
static void escapes_take (char *text) {
    char *to = text;
    for (; *text; text++) {
        bool escaped = *text == '\\' && (text[1] == 'n' || text[1] == '\\');
        if (escaped)
            text++;
        *to++ = escaped && *text == 'n' ? '\n' : *text;
    }
    *to = '\0';
}

static void escaped_add (struct buf *out, const char *text) {
    for (; *text; text++)
        if (*text == '\n')
            buf_add_text (out, "\\n");
        else if (*text == '\\')
            buf_add_text (out, "\\\\");
        else
            buf_add_u8 (out, (uint8_t) *text);
}

/* "ID | DUE | DONE | TITLE" */
static json_t *milestone_line (const struct cell_reader *self, const char *line,
                               bool *failed) {
    static const char *const names[] = { "id", "due", "done", "title" };
    json_t *out = json_object();
    for (int i = 0; i < 4; i++) {
        size_t size = i < 3 ? strcspn (line, "|") : strlen (line);
        char *field = blanks_cut (line, size);
        json_t *value = NULL;
        if (i < 3 && !line[size]) {
            CELL_FAULT (self, "has a line that is not ID | DUE | DONE | TITLE");
            *failed = true;
        } else if ((i == 1 || i == 2) && *field)
            value = date_cell (self, field, failed);
        else if (i == 0 || i == 3) {
            escapes_take (field);
            value = json_string (field);
        }
        if (value)
            json_object_set_new (out, names[i], value);
        free (field);
        if (*failed)
            break;
        line += size + (i < 3);
    }
    return out;
}

static json_t *lines_cell (const struct cell_reader *self, const char *text,
                           bool milestones, bool *failed) {
    json_t *out = json_array();
    while (*text && !*failed) {
        size_t size = strcspn (text, "\r\n");
        char *line = blanks_cut (text, size);
        if (*line && milestones)
            json_array_append_new (out, milestone_line (self, line, failed));
        else if (*line) {
            escapes_take (line);
            json_array_append_new (out, json_string (line));
        }
        free (line);
        text += size;
        text += strspn (text, "\r\n");
    }
    if (*failed) {
        json_decref (out);
        return NULL;
    }
    return out;
}

static json_t *word_cell (const char *text) {
    char *small = mem_copy_text (text);
    for (char *at = small; *at; at++)
        *at = (char) tolower ((unsigned char) *at);
    json_t *out = json_string (small);
    free (small);
    return out;
}

json_t *cell_read (const struct cell_reader *self, enum cell_form form,
                   const char *text, bool *failed) {
    *failed = false;
    if (form == CELL_TO)
        return to_cell (self, text, failed);
    if (!*text)
        return NULL;
    switch (form) {
    case CELL_DATE:
        return date_cell (self, text, failed);
    case CELL_WORD:
        return word_cell (text);
    case CELL_CODES:
    case CELL_REGIONS:
        return codes_cell (self, text, form == CELL_REGIONS, failed);
    case CELL_LINES:
    case CELL_MILESTONES:
        return lines_cell (self, text, form == CELL_MILESTONES, failed);
    case CELL_TEXT:
    case CELL_STRING:
    case CELL_TO:
        break;
    }
    return json_string (text);
}

/* Writing. */

static const char *member_text (const json_t *object, const char *name) {
    const char *text = json_string_value (json_object_get (object, name));
    return text ? text : "";
}

static void milestone_write (const json_t *milestone, struct buf *out) {
    buf_add_format (out, "%s | %s | %s | ", member_text (milestone, "id"),
                    member_text (milestone, "due"),
                    member_text (milestone, "done"));
    escaped_add (out, member_text (milestone, "title"));
}

void cell_write (enum cell_form form, const json_t *value, struct buf *out) {
    const json_t *item;
    size_t i;
    if (json_is_string (value))
        buf_add_text (out, json_string_value (value));
    else if (form == CELL_TO)
        buf_add_text (out, ONGOING);
    json_array_foreach (value, i, item) {
        const char *text = json_string_value (item);
        if (i)
            buf_add_text (out, form == CELL_LINES || form == CELL_MILESTONES
                                   ? "\n"
                                   : ", ");
        if (form == CELL_MILESTONES)
            milestone_write (item, out);
        else if (form == CELL_LINES)
            escaped_add (out, text ? text : "");
        else
            buf_add_text (out, text ? text : "");
    }
}
