/* place - a value in a JSON document and the way to it, for strict readers. */
#include "identity/place.h"

#include "base/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#define SHOWN_MAX 60 /* octets of a value or a name that an error quotes */

/* Parsing, bounded */

/* One pass over the octets, outside strings. jansson stops at the first octet
 * that is no JSON; up to there it sees the same brackets as this does. */
static enum err brackets_check (struct slice text, struct error *e) {
    size_t depth = 0, containers = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (c == '{' || c == '[') {
            if (++depth > PLACE_NESTING_MAX)
                return error_set (e, ERR_LIMIT,
                                  "JSON nests deeper than %d at octet %zu",
                                  PLACE_NESTING_MAX, i);
            if (++containers > PLACE_CONTAINERS_MAX)
                return error_set (e, ERR_LIMIT,
                                  "JSON has more than %d arrays and objects",
                                  PLACE_CONTAINERS_MAX);
        } else if ((c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return ERR_NONE;
}

json_t *place_parse (struct slice text, size_t max, struct error *e) {
    if (text.size > max) {
        error_set (e, ERR_LIMIT, "JSON of %zu octets, limit %zu", text.size,
                   max);
        return NULL;
    }
    if (brackets_check (text, e))
        return NULL;
    json_error_t why;
    json_t *document = json_loadb (text.size ? (const char *) text.data : "",
                                   text.size, JSON_REJECT_DUPLICATES, &why);
    if (!document) {
        error_set (e, ERR_MALFORMED, "JSON line %d column %d: %s", why.line,
                   why.column, why.text);
        return NULL;
    }
    if (!json_is_object (document)) {
        error_set (e, ERR_MALFORMED, "JSON is no object");
        json_decref (document);
        return NULL;
    }
    return document;
}

struct place place_start (struct reading *reading, json_t *document) {
    reading->why.code = ERR_NONE;
    return (struct place){ .reading = reading, .value = document };
}

/* Failures */

/* At most SHOWN_MAX octets, cut at a character's border. */
static int shown_size (const char *text) {
    size_t n = strlen (text);
    if (n <= SHOWN_MAX)
        return (int) n;
    for (n = SHOWN_MAX; n > 0 && ((uint8_t) text[n] & 0xc0) == 0x80; n--)
        ;
    return (int) n;
}

static void path_write (const struct place *at, struct buf *out) {
    if (!at->up)
        return;
    path_write (at->up, out);
    if (at->name)
        buf_add_format (out, "%s%.*s", out->size ? "." : "",
                        shown_size (at->name), at->name);
    else
        buf_add_format (out, "[%zu]", at->index);
}

static void value_write (json_t *value, struct buf *out) {
    switch (json_typeof (value)) {
    case JSON_STRING:
        buf_add_format (out, "\"%.*s\"", shown_size (json_string_value (value)),
                        json_string_value (value));
        break;
    case JSON_INTEGER:
        buf_add_format (out, "%" JSON_INTEGER_FORMAT,
                        json_integer_value (value));
        break;
    case JSON_REAL:
        buf_add_format (out, "%.17g", json_real_value (value));
        break;
    case JSON_ARRAY:
        buf_add_format (out, "an array of %zu", json_array_size (value));
        break;
    case JSON_OBJECT:
        buf_add_text (out, "an object");
        break;
    case JSON_TRUE:
        buf_add_text (out, "true");
        break;
    case JSON_FALSE:
        buf_add_text (out, "false");
        break;
    case JSON_NULL:
        buf_add_text (out, "null");
        break;
    }
}

PRINTF_LIKE (4, 0)
static void keep (const struct place *at, enum err code, bool with_value,
                  const char *format, va_list args) {
    if (place_failed (at))
        return;
    char rule[ERROR_TEXT_MAX];
    vsnprintf (rule, sizeof rule, format, args);
    struct buf text = { 0 };
    path_write (at, &text);
    if (with_value && at->value) {
        buf_add_text (&text, " is ");
        value_write (at->value, &text);
    }
    buf_add_format (&text, "%s%s", text.size ? ": " : "", rule);
    error_set (&at->reading->why, code, "%.*s", (int) text.size,
               (const char *) text.data);
    buf_free (&text);
}

void place_fail (const struct place *at, enum err code, const char *format,
                 ...) {
    va_list args;
    va_start (args, format);
    keep (at, code, false, format, args);
    va_end (args);
}

void place_refuse (const struct place *at, const char *format, ...) {
    va_list args;
    va_start (args, format);
    keep (at, ERR_MALFORMED, true, format, args);
    va_end (args);
}

bool place_failed (const struct place *at) {
    return at->reading->why.code != ERR_NONE;
}

/* Objects and arrays */

void place_object (const struct place *at, const char *const *names) {
    if (place_failed (at))
        return;
    if (!json_is_object (at->value)) {
        place_refuse (at, "must be an object");
        return;
    }
    const char *name;
    json_t *value;
    json_object_foreach (at->value, name, value) {
        if (strncmp (name, "x-", 2) == 0)
            continue;
        size_t i = 0;
        while (names[i] && strcmp (names[i], name) != 0)
            i++;
        if (!names[i]) {
            struct place unknown = { at->reading, at, name, 0, value };
            place_fail (&unknown, ERR_MALFORMED,
                        "unknown name (others begin with x-)");
            return;
        }
    }
}

bool place_try (const struct place *object, const char *name,
                struct place *out) {
    *out = (struct place){ object->reading, object, name, 0, NULL };
    if (!place_failed (object))
        out->value = json_object_get (object->value, name);
    return out->value != NULL;
}

struct place place_need (const struct place *object, const char *name) {
    struct place at;
    if (!place_try (object, name, &at))
        place_fail (&at, ERR_MALFORMED, "missing");
    return at;
}

size_t place_array (const struct place *at, size_t min, size_t max) {
    if (place_failed (at))
        return 0;
    size_t n = json_array_size (at->value);
    if (!json_is_array (at->value))
        place_refuse (at, "must be an array");
    else if (n > max)
        place_fail (at, ERR_LIMIT, "%zu items, at most %zu", n, max);
    else if (n < min)
        place_fail (at, ERR_MALFORMED, "%zu items, at least %zu", n, min);
    return place_failed (at) ? 0 : n;
}

struct place place_item (const struct place *array, size_t index) {
    struct place at = { array->reading, array, NULL, index, NULL };
    if (!place_failed (array)) {
        at.value = json_array_get (array->value, index);
        assert (at.value);
    }
    return at;
}

/* Values */

static struct place target (const struct place *at, const char *name) {
    return name ? place_need (at, name) : *at;
}

/* C0, DEL and C1: what a terminal may act on. */
static bool has_control (const char *text) {
    for (const uint8_t *p = (const uint8_t *) text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
            return true;
    }
    return false;
}

static const char *text_of (const struct place *at, size_t min, size_t max) {
    if (place_failed (at))
        return "";
    const char *text = json_string_value (at->value);
    if (!text)
        place_refuse (at, "must be text");
    else if (strlen (text) < min || strlen (text) > max)
        place_refuse (at, "must have %zu to %zu octets, has %zu", min, max,
                      strlen (text));
    else if (has_control (text))
        place_refuse (at, "must have no control characters");
    return place_failed (at) ? "" : text;
}

const char *place_text (const struct place *at, const char *name, size_t min,
                        size_t max) {
    struct place v = target (at, name);
    return text_of (&v, min, max);
}

const char *place_grammar (const struct place *at, const char *name, size_t max,
                           bool (*valid) (struct slice), const char *rule) {
    struct place v = target (at, name);
    const char *text = text_of (&v, 1, max);
    if (!place_failed (&v) && !valid (slice_text (text)))
        place_refuse (&v, "must be %s", rule);
    return place_failed (&v) ? "" : text;
}

int64_t place_int (const struct place *at, const char *name, int64_t min,
                   int64_t max) {
    struct place v = target (at, name);
    if (place_failed (&v))
        return 0;
    int64_t n = json_integer_value (v.value);
    if (!json_is_integer (v.value) || n < min || n > max)
        place_refuse (&v, "must be a whole number, %" PRId64 " to %" PRId64,
                      min, max);
    return place_failed (&v) ? 0 : n;
}

int64_t place_date (const struct place *at, const char *name) {
    struct place v = target (at, name);
    const char *text = text_of (&v, 1, 40);
    int64_t ms = 0;
    /* 0 would read as "never" where a date may be missing. */
    if (!place_failed (&v)
        && (clock_parse (text, &ms) || ms < 1 || ms > CLOCK_MS_MAX))
        place_refuse (&v, "must be an RFC 3339 date after 1970");
    return place_failed (&v) ? 0 : ms;
}

void place_key (const struct place *at, const char *name, uint8_t out[32]) {
    struct place v = target (at, name);
    const char *text = text_of (&v, 1, 100);
    if (!place_failed (&v) && base64_decode (out, 32, slice_text (text)))
        place_refuse (&v, "must be a key, 32 octets in base64");
}

void place_hash (const struct place *at, const char *name, struct hash *out) {
    struct place v = target (at, name);
    const char *text = text_of (&v, 1, 100);
    if (!place_failed (&v) && hash_parse (text, out))
        place_refuse (&v, "must be 32 octets in lower case hex");
}
