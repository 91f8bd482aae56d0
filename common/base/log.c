/* log - lines to standard error (STYLE: logging).
 *
 * The level is atomic; the table of limits has a lock; everything else stands
 * on the stack or in the thread. */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int least = LOG_INFO;

static const struct {
    const char *word, *shown;
} levels[] = {
    [LOG_DEBUG] = { "debug", "DEBUG" },
    [LOG_INFO] = { "info", "INFO " },
    [LOG_WARN] = { "warn", "WARN " },
    [LOG_ERROR] = { "error", "ERROR" },
};

void log_set_level (enum log_level level) {
    atomic_store_explicit (&least, (int) level, memory_order_relaxed);
}

static bool passes (enum log_level level) {
    return (int) level >= atomic_load_explicit (&least, memory_order_relaxed);
}

enum err log_level_parse (const char *word, enum log_level *level) {
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp (word, levels[i].word) == 0) {
            *level = (enum log_level) i;
            return ERR_NONE;
        }
    return ERR_ARGUMENT;
}

/* Lines */

/* One write: below PIPE_BUF nothing gets between. Where it can't be written
 * there is nobody left to tell. */
static void line_write (char *line, size_t size) {
    line[size++] = '\n';
    ssize_t n;
    do
        n = write (STDERR_FILENO, line, size);
    while (n < 0 && errno == EINTR);
}

/* `left_out` is said where it is not 0. */
PRINTF_LIKE (4, 0)
static void line_make (enum log_level level, const char *id, uint64_t left_out,
                       const char *format, va_list args) {
    int saved = errno;
    char work[LOG_LINE_MAX], line[LOG_LINE_MAX], when[CLOCK_TEXT_MAX];
    size_t room = sizeof work;
    int n =
        snprintf (work, room, "%s %s %s ", clock_text (when, clock_wall_ms()),
                  levels[level].shown, id);
    size_t size = n < 0 ? 0 : (size_t) n < room ? (size_t) n : room - 1;
    if (left_out > 0 && size < room - 32)
        size += (size_t) snprintf (work + size, room - size, "left_out=%ju ",
                                   (uintmax_t) left_out);
    n = vsnprintf (work + size, room - size, format, args);
    size = n < 0 ? size : size + (size_t) n;
    /* The line's room is one less than the work's: what that cut is cut. */
    size = size < room ? size : room - 1;
    while (size > 0 && work[size - 1] == ' ')
        size--;
    line_write (line, text_printable (line, sizeof line - 1, work, size));
    errno = saved;
}

#define LINE(level)                                                            \
    do {                                                                       \
        if (!passes (level))                                                   \
            return;                                                            \
        va_list args;                                                          \
        va_start (args, format);                                               \
        line_make (level, id, 0, format, args);                                \
        va_end (args);                                                         \
    } while (0)

void log_debug (const char *id, const char *format, ...) {
    LINE (LOG_DEBUG);
}
void log_info (const char *id, const char *format, ...) {
    LINE (LOG_INFO);
}
void log_warn (const char *id, const char *format, ...) {
    LINE (LOG_WARN);
}
void log_error (const char *id, const char *format, ...) {
    LINE (LOG_ERROR);
}

/* Limits */

struct limit {
    const char *id; /* a literal, not owned; NULL: the place is free */
    char key[64];
    int64_t since_ms; /* when its time began */
    unsigned lines;   /* passed in that time */
    uint64_t left_out;
};

static struct {
    pthread_mutex_t lock;
    struct limit places[LOG_LIMIT_KEYS];
    struct limit rest; /* shared by all that find no place */
} limits = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool limit_over (const struct limit *self, int64_t now_ms) {
    return now_ms - self->since_ms >= LOG_LIMIT_SECONDS * INT64_C (1000);
}

/* The place of (id, key): its own, a free one, one whose time is over, or the
 * shared one. */
static struct limit *limit_find (const char *id, const char *key, int64_t now) {
    struct limit *open = NULL;
    for (size_t i = 0; i < LOG_LIMIT_KEYS; i++) {
        struct limit *l = &limits.places[i];
        if (l->id && strcmp (l->id, id) == 0
            && strncmp (l->key, key, sizeof l->key - 1) == 0)
            return l;
        if (!open && (!l->id || limit_over (l, now)))
            open = l;
    }
    if (!open)
        return &limits.rest;
    limits.rest.left_out += open->left_out; /* no count is lost */
    *open = (struct limit){ .id = id, .since_ms = now };
    snprintf (open->key, sizeof open->key, "%s", key);
    return open;
}

/* Whether a line passes, and what it has to say for those that did not. */
static bool limit_pass (const char *id, const char *key, uint64_t *left_out) {
    int64_t now = clock_mono_ms();
    pthread_mutex_lock (&limits.lock);
    struct limit *l = limit_find (id, key, now);
    if (limit_over (l, now)) {
        l->since_ms = now;
        l->lines = 0;
    }
    bool pass = l->lines < LOG_LIMIT_BURST;
    if (pass) {
        l->lines++;
        *left_out = l->left_out;
        l->left_out = 0;
    } else {
        l->left_out++;
    }
    pthread_mutex_unlock (&limits.lock);
    return pass;
}

void log_limited (enum log_level level, const char *id, const char *key,
                  const char *format, ...) {
    int saved = errno;
    uint64_t left_out;
    if (passes (level) && limit_pass (id, key, &left_out)) {
        va_list args;
        va_start (args, format);
        line_make (level, id, left_out, format, args);
        va_end (args);
    }
    errno = saved;
}

/* Values */

#define VALUE_MAX 480 /* octets of a value that are shown: of an error, all */
#define VALUE_HEX_MAX 32

/* Each octet may become \xNN; quotes, "..." and the NUL. */
static char *value_buffer (void) {
    static _Thread_local char buffers[8][4 * VALUE_MAX + 8];
    static _Thread_local unsigned next;
    return buffers[next++ % 8];
}

static bool needs_quotes (struct slice s) {
    for (size_t i = 0; i < s.size; i++)
        if (memchr (" =\"\\", s.data[i], 4))
            return true;
    return s.size == 0;
}

/* As much of it as is shown, to the last whole character. */
static struct slice value_cut (struct slice s) {
    if (s.size <= VALUE_MAX)
        return s;
    size_t size = VALUE_MAX;
    /* Back to where a character begins; three steps, or it is none at all. */
    for (size_t back = 0; back < 4; back++)
        if ((s.data[VALUE_MAX - back] & 0xc0) != 0x80) {
            size = VALUE_MAX - back;
            break;
        }
    return slice_of (s.data, size);
}

static char *add_quoted (char *to, struct slice s) {
    *to++ = '"';
    for (size_t i = 0; i < s.size;) {
        if (s.data[i] == '"' || s.data[i] == '\\')
            *to++ = '\\';
        size_t n = utf8_size (s.data + i, s.size - i);
        n = n ? n : 1;
        to += text_printable (to, 4 * n + 4, s.data + i, n);
        i += n;
    }
    *to++ = '"';
    *to = 0;
    return to;
}

const char *log_octets (const void *data, size_t size) {
    struct slice all = slice_of (data, size), s = value_cut (all);
    char *out = value_buffer(), *end = out;
    if (needs_quotes (s))
        end = add_quoted (out, s);
    else
        end += text_printable (out, 4 * VALUE_MAX + 1, s.data, s.size);
    if (s.size < all.size)
        strcpy (end, "...");
    return out;
}

const char *log_text (const char *text) {
    return text ? log_octets (text, strlen (text)) : "(null)";
}

const char *log_hex (const void *data, size_t size) {
    size_t shown = size < VALUE_HEX_MAX ? size : VALUE_HEX_MAX;
    char *out = hex_encode (value_buffer(), data, shown);
    if (shown < size)
        strcpy (out + 2 * shown, "...");
    return out;
}
