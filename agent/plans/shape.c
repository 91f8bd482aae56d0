/* shape - walks a document beside its tables. */
#include "shape.h"

#include "base/mp.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

char *shown (char out[SHOWN_MAX], struct slice text) {
    text_printable (out, SHOWN_MAX, text.data, text.size);
    return out;
}

struct slice string_slice (const json_t *value) {
    if (!json_is_string (value))
        return (struct slice){ 0 };
    return slice_of (json_string_value (value), json_string_length (value));
}

bool json_whole (const json_t *value, int64_t *out) {
    if (json_is_real (value) && mp_integral (json_real_value (value)))
        *out = (int64_t) json_real_value (value);
    else if (json_is_integer (value))
        *out = json_integer_value (value);
    else
        return false;
    return true;
}

bool format_is_newer (const json_t *document) {
    int64_t format;
    return json_whole (json_object_get (document, "format"), &format)
           && format > 1;
}

/* Single values */

static const char *type_words (const json_t *value) {
    static const char *const words[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",
        [JSON_STRING] = "text",      [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return words[json_typeof (value)];
}

static void wrong_type (struct check *self, const json_t *value,
                        const char *asked) {
    CHECK_FAULT (self, "is %s, and has to be %s", type_words (value), asked);
}

static void check_integer (struct check *self, const json_t *value,
                           const struct shape *shape) {
    int64_t number;
    if (!json_is_number (value))
        wrong_type (self, value, "a whole number");
    else if (!json_whole (value, &number))
        CHECK_FAULT (self, "is %g, and has to be a whole number",
                     json_real_value (value));
    else if (number >= shape->min && number <= shape->max)
        return;
    else if (shape->min == shape->max)
        CHECK_FAULT (self, "is %" PRId64 ", and has to be %" PRId64, number,
                     shape->min);
    else
        CHECK_FAULT (self,
                     "is %" PRId64 ", and has to be %" PRId64 " to %" PRId64,
                     number, shape->min, shape->max);
}

static size_t characters (struct slice text) {
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += (text.data[i] & 0xc0) != 0x80;
    return count;
}

static void check_string (struct check *self, const json_t *value,
                          const struct shape *shape) {
    if (!json_is_string (value)) {
        wrong_type (self, value, "text");
        return;
    }
    struct slice text = string_slice (value);
    size_t count = characters (text);
    if (shape->max > 0 && count > (size_t) shape->max)
        CHECK_FAULT (self,
                     "has %zu characters, at most %" PRId64 " are allowed",
                     count, shape->max);
    if (memchr (text.data, 0, text.size))
        CHECK_FAULT (self, "holds the character NUL (U+0000)");
}

static void check_form (struct check *self, const json_t *value,
                        const struct shape *shape) {
    if (json_is_string (value))
        shape->form (self, string_slice (value));
    else
        wrong_type (self, value, "text");
}

static void check_word (struct check *self, const json_t *value,
                        const struct shape *shape) {
    if (!json_is_string (value)) {
        wrong_type (self, value, "text");
        return;
    }
    struct buf list = { 0 };
    for (const char *const *word = shape->words; *word; word++) {
        if (slice_is (string_slice (value), *word)) {
            buf_free (&list);
            return;
        }
        buf_add_format (&list, "%s%s", list.size ? ", " : "", *word);
    }
    char *words = buf_take_text (&list), text[SHOWN_MAX];
    CHECK_FAULT (self, "is '%s', and has to be one of: %s",
                 shown (text, string_slice (value)), words);
    free (words);
}

/* Objects */

static struct slice iter_name (void *at) {
    return slice_of (json_object_iter_key (at), json_object_iter_key_len (at));
}

/* Any names: each taken by `form`, each value by `items`. */
static void check_map (struct check *self, const json_t *value,
                       const struct shape *shape) {
    /* jansson's iterators change nothing, but do not say const. */
    json_t *object = (json_t *) (uintptr_t) value;
    size_t count = json_object_size (value);
    if (shape->max > 0 && count > (size_t) shape->max)
        CHECK_FAULT (self, "has %zu entries, at most %" PRId64 " are allowed",
                     count, shape->max);
    for (void *at = json_object_iter (object); at;
         at = json_object_iter_next (object, at)) {
        struct slice name = iter_name (at);
        size_t mark = path_member (&self->path, json_object_iter_key (at));
        if (memchr (name.data, 0, name.size))
            CHECK_FAULT (self, "has the character NUL (U+0000) in its name");
        else if (shape->form)
            shape->form (self, name);
        shape_check (self, json_object_iter_value (at), shape->items);
        path_back (&self->path, mark);
    }
}

static bool is_alnum (uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9');
}

/* ^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$ */
static bool is_language (struct slice name) {
    size_t i = 0;
    while (i < name.size && name.data[i] >= 'a' && name.data[i] <= 'z')
        i++;
    if (i < 2 || i > 3)
        return false;
    while (i < name.size) {
        if (name.data[i++] != '-')
            return false;
        size_t start = i;
        while (i < name.size && is_alnum (name.data[i]))
            i++;
        if (i == start || i - start > 8)
            return false;
    }
    return true;
}

void form_language (struct check *self, struct slice name) {
    if (!is_language (name))
        CHECK_FAULT (self, "is no language: write 'en', 'fr' or 'pt-BR'");
}

static void check_text (struct check *self, const json_t *value,
                        const struct shape *shape) {
    struct shape plain = { .type = SHAPE_STRING, .max = shape->max };
    struct shape languages = { .type = SHAPE_MAP,
                               .items = &plain,
                               .form = form_language };
    if (json_is_string (value))
        check_string (self, value, &plain);
    else if (!json_is_object (value))
        wrong_type (self, value, "text, or an object of texts by language");
    else if (json_object_size (value) == 0)
        CHECK_FAULT (self, "has no text in any language");
    else
        check_map (self, value, &languages);
}

static void check_object (struct check *self, const json_t *value,
                          const struct shape *shape) {
    if (!json_is_object (value)) {
        wrong_type (self, value, "an object");
        return;
    }
    if (shape->type == SHAPE_MAP) {
        check_map (self, value, shape);
        return;
    }
    for (const struct shape_member *m = shape->members; m->name; m++) {
        const json_t *member = json_object_get (value, m->name);
        if (member) {
            size_t mark = path_member (&self->path, m->name);
            shape_check (self, member, m->shape);
            path_back (&self->path, mark);
        } else if (m->needed && !shape->partial)
            CHECK_FAULT (self, "has no '%s'", m->name);
    }
}

/* Lists */

static void check_unique (struct check *self, const json_t *list) {
    json_t *seen = json_object();
    for (size_t i = 0; i < json_array_size (list); i++) {
        struct slice text = string_slice (json_array_get (list, i));
        if (!text.data)
            continue;
        const char *key = (const char *) text.data;
        const json_t *before = json_object_getn (seen, key, text.size);
        if (!before) {
            json_object_setn_new_nocheck (seen, key, text.size,
                                          json_integer ((json_int_t) i));
            continue;
        }
        char name[SHOWN_MAX];
        size_t mark = path_index (&self->path, i);
        CHECK_FAULT (
            self, "is '%s', which stands at %" JSON_INTEGER_FORMAT " already",
            shown (name, text), json_integer_value (before));
        path_back (&self->path, mark);
    }
    json_decref (seen);
}

static void check_list (struct check *self, const json_t *value,
                        const struct shape *shape) {
    if (!json_is_array (value)) {
        wrong_type (self, value, "a list");
        return;
    }
    size_t count = json_array_size (value);
    if (count < (size_t) shape->min)
        CHECK_FAULT (self, "is empty, and needs at least one");
    if (shape->max > 0 && count > (size_t) shape->max && !self->joined)
        CHECK_FAULT (self, "has %zu entries, at most %" PRId64 " are allowed",
                     count, shape->max);
    for (size_t i = 0; i < count; i++) {
        size_t mark = path_index (&self->path, i);
        shape_check (self, json_array_get (value, i), shape->items);
        path_back (&self->path, mark);
    }
    if (shape->unique && count > 1)
        check_unique (self, value);
}

void shape_check (struct check *self, const json_t *value,
                  const struct shape *shape) {
    if (shape->or_null && json_is_null (value))
        return;
    switch (shape->type) {
    case SHAPE_INTEGER:
        check_integer (self, value, shape);
        break;
    case SHAPE_NUMBER:
        if (!json_is_number (value))
            wrong_type (self, value, "a number");
        break;
    case SHAPE_TRUE:
        if (!json_is_true (value))
            wrong_type (self, value, "true");
        break;
    case SHAPE_STRING:
        check_string (self, value, shape);
        break;
    case SHAPE_TEXT:
        check_text (self, value, shape);
        break;
    case SHAPE_FORM:
        check_form (self, value, shape);
        break;
    case SHAPE_WORD:
        check_word (self, value, shape);
        break;
    case SHAPE_LIST:
        check_list (self, value, shape);
        break;
    case SHAPE_OBJECT:
    case SHAPE_MAP:
        check_object (self, value, shape);
        break;
    }
}
