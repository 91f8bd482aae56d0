/* json - members of the agent's answers. */
#include "json.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

const char *json_text (json_t *object, const char *name) {
    return json_string_value (json_object_get (object, name));
}

const char *json_text_or (json_t *object, const char *name, const char *other) {
    const char *text = json_text (object, name);
    return text ? text : other;
}

int64_t json_int (json_t *object, const char *name, int64_t other) {
    json_t *value = json_object_get (object, name);
    return json_is_integer (value) ? json_integer_value (value) : other;
}

json_t *json_at (json_t *object, ...) {
    va_list args;
    va_start (args, object);
    for (const char *name; (name = va_arg (args, const char *));)
        object = json_object_get (object, name);
    va_end (args);
    return object;
}

void json_line (struct buf *out, json_t *value) {
    if (!value || json_is_null (value))
        return;
    if (json_is_string (value)) {
        buf_add (out, json_string_value (value), json_string_length (value));
        return;
    }
    char *text = json_dumps (value, JSON_COMPACT | JSON_ENCODE_ANY);
    buf_add_text (out, text ? text : "?");
    free (text);
}

void json_join (struct buf *out, json_t *array) {
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        if (i > 0)
            buf_add_text (out, ", ");
        json_line (out, item);
    }
}

void json_moment (struct buf *out, const char *time) {
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr",
                                          "May", "Jun", "Jul", "Aug",
                                          "Sep", "Oct", "Nov", "Dec" };
    int64_t ms;
    struct tm tm;
    time_t seconds;
    if (!time || clock_parse (time, &ms)) {
        buf_add_text (out, time ? time : "?");
        return;
    }
    seconds = (time_t) (ms / 1000);
    gmtime_r (&seconds, &tm);
    buf_add_format (out, "%d %s %d %02d:%02d UTC", tm.tm_mday,
                    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
                    tm.tm_min);
}

void json_span (struct buf *out, const char *time, const char *now) {
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = { { 172800, "days" }, { 7200, "hours" }, { 120, "minutes" } };
    int64_t from, to;
    if (!time || !now || clock_parse (time, &from) || clock_parse (now, &to)) {
        buf_add_text (out, "?");
        return;
    }
    int64_t seconds = to > from ? (to - from) / 1000 : 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (seconds >= units[i].seconds) {
            buf_add_format (out, "%lld %s",
                            (long long) (2 * seconds / units[i].seconds),
                            units[i].name);
            return;
        }
    buf_add_format (out, "%lld s", (long long) seconds);
}

void json_refusal (struct buf *out, json_t *refusal) {
    const char *name;
    json_t *value;
    json_line (out, json_object_get (refusal, "rule"));
    json_object_foreach (json_object_get (refusal, "values"), name, value) {
        buf_add_format (out, " %s=", name);
        json_line (out, value);
    }
}

void print_text (FILE *out, const char *text, size_t size) {
    while (size > 0) {
        const char *end = memchr (text, '\n', size);
        size_t line = end ? (size_t) (end - text) : size;
        size_t room = 4 * line + 8; /* each octet as \xNN */
        char *shown = mem_alloc (room);
        text_printable (shown, room, text, line);
        fprintf (out, "%s\n", shown);
        free (shown);
        text += line + (end ? 1 : 0);
        size -= line + (end ? 1 : 0);
    }
}
