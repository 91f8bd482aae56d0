/* error - reasons with their text, what is printable, and memory or the end
 * (STYLE: errors). Pure but for the end of the process; thread-safe. */
#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Larger than what is kept, so that what this cuts is cut again there. */
#define WORK_MAX (2 * ERROR_TEXT_MAX)

static const char *const names[] = {
    [ERR_NONE] = "NONE",
    [ERR_ARGUMENT] = "ARGUMENT",
    [ERR_MALFORMED] = "MALFORMED",
    [ERR_LIMIT] = "LIMIT",
    [ERR_NEWER] = "NEWER",
    [ERR_SIGNATURE] = "SIGNATURE",
    [ERR_KEY] = "KEY",
    [ERR_DIGEST] = "DIGEST",
    [ERR_RIGHT] = "RIGHT",
    [ERR_CHAIN] = "CHAIN",
    [ERR_NOT_FOUND] = "NOT-FOUND",
    [ERR_EXISTS] = "EXISTS",
    [ERR_FULL] = "FULL",
    [ERR_STATE] = "STATE",
    [ERR_IO] = "IO",
    [ERR_NO_SPACE] = "NO-SPACE",
    [ERR_DAMAGED] = "DAMAGED",
    [ERR_TIMEOUT] = "TIMEOUT",
    [ERR_CONFIG] = "CONFIG",
};

const char *error_name (enum err code) {
    size_t n = (size_t) code;
    return n < sizeof names / sizeof *names ? names[n] : "UNKNOWN";
}

/* Printable text */

/* The least and the highest second octet that may follow a first one: this is
 * where overlong forms, surrogates and what is above U+10FFFF are refused
 * (Unicode, table 3-7). */
static void second_range (uint8_t first, uint8_t *low, uint8_t *high) {
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
}

size_t utf8_size (const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    uint8_t first = data[0], low, high;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    size_t want = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    second_range (first, &low, &high);
    if (size < want || data[1] < low || data[1] > high)
        return 0;
    for (size_t i = 2; i < want; i++)
        if ((data[i] & 0xc0) != 0x80)
            return 0;
    return want;
}

/* One valid character that a terminal would act on rather than show. */
static bool is_control (const uint8_t *c, size_t size) {
    if (size == 1)
        return c[0] < 0x20 || c[0] == 0x7f;
    if (size == 2) /* U+0080 to U+009F, U+061C */
        return (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xd8 && c[1] == 0x9c);
    if (size != 3 || c[0] != 0xe2)
        return false;
    if (c[1] == 0x80) /* U+200E, U+200F, U+2028 to U+202E */
        return c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae);
    return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9; /* U+2066 to 2069 */
}

/* The next character of `at` as it is shown: up to 12 octets in `shown`. What
 * it took of the input is returned. */
static size_t show_one (char shown[13], size_t *shown_size, const uint8_t *at,
                        size_t left) {
    size_t took = utf8_size (at, left);
    if (took > 0 && !is_control (at, took)) {
        memcpy (shown, at, took);
        *shown_size = took;
        return took;
    }
    took = took > 0 ? took : 1;
    *shown_size = 0;
    for (size_t i = 0; i < took; i++) {
        snprintf (shown + *shown_size, 5, "\\x%02x", at[i]);
        *shown_size += 4;
    }
    return took;
}

size_t text_printable (char *out, size_t room, const void *data, size_t size) {
    assert (room >= 4);
    const uint8_t *at = data;
    size_t done = 0, whole = 0; /* whole: as much of it leaves room for "..." */
    while (size > 0) {
        char shown[13];
        size_t shown_size;
        size_t took = show_one (shown, &shown_size, at, size);
        if (done + shown_size >= room) {
            memcpy (out + whole, "...", 4);
            return whole + 3;
        }
        memcpy (out + done, shown, shown_size);
        done += shown_size;
        if (done + 4 <= room)
            whole = done;
        at += took;
        size -= took;
    }
    out[done] = 0;
    return done;
}

/* Errors */

/* Formatted aside first: an argument may be the text that is replaced. */
PRINTF_LIKE (2, 0)
static void text_set (struct error *e, const char *format, va_list args) {
    char work[WORK_MAX];
    if (vsnprintf (work, sizeof work, format, args) < 0)
        strcpy (work, "(no text)");
    text_printable (e->text, sizeof e->text, work, strlen (work));
}

enum err error_set (struct error *e, enum err code, const char *format, ...) {
    assert (code != ERR_NONE);
    if (!e)
        return code;
    int saved = errno;
    va_list args;
    va_start (args, format);
    text_set (e, format, args);
    va_end (args);
    e->code = code;
    errno = saved;
    return code;
}

enum err error_sys (struct error *e, int saved_errno, const char *format, ...) {
    bool full = saved_errno == ENOSPC || saved_errno == EDQUOT;
    enum err code = full ? ERR_NO_SPACE : ERR_IO;
    if (!e)
        return code;
    int saved = errno;
    char what[WORK_MAX], reason[128];
    va_list args;
    va_start (args, format);
    if (vsnprintf (what, sizeof what, format, args) < 0)
        strcpy (what, "(no text)");
    va_end (args);
    /* The reason is what may not be lost where both are too long. */
    const char *why = strerror_r (saved_errno, reason, sizeof reason);
    size_t room = sizeof e->text - strlen (why) - strlen (": ");
    size_t size = text_printable (e->text, room, what, strlen (what));
    snprintf (e->text + size, sizeof e->text - size, ": %s", why);
    e->code = code;
    errno = saved;
    return code;
}

enum err error_at (struct error *e, const char *format, ...) {
    if (!e)
        return ERR_ARGUMENT;
    assert (e->code != ERR_NONE);
    int saved = errno;
    char before[ERROR_TEXT_MAX], work[WORK_MAX];
    va_list args;
    va_start (args, format);
    if (vsnprintf (before, sizeof before, format, args) < 0)
        strcpy (before, "(no place)");
    va_end (args);
    int size = snprintf (work, sizeof work, "%s: %s", before, e->text);
    text_printable (e->text, sizeof e->text, work, (size_t) size);
    errno = saved;
    return e->code;
}

/* Memory */

static void memory_over (void) {
    static const char text[] = "parley: out of memory\n";
    ssize_t n = write (STDERR_FILENO, text, sizeof text - 1);
    (void) n;
    abort();
}

void *mem_alloc (size_t size) {
    void *p = calloc (1, size ? size : 1);
    if (!p)
        memory_over();
    return p;
}

void *mem_resize (void *old, size_t size) {
    void *p = realloc (old, size ? size : 1);
    if (!p)
        memory_over();
    return p;
}

char *mem_copy_text (const char *text) {
    return mem_copy (text, strlen (text) + 1);
}

void *mem_copy (const void *data, size_t size) {
    void *p = malloc (size ? size : 1);
    if (!p)
        memory_over();
    if (size)
        memcpy (p, data, size);
    return p;
}
