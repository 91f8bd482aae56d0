/* mp_json - between canonical msgpack and jansson's values (mp.h).
 *
 * For what people and local programs see. Signatures and digests are over
 * octets as received, never over what comes out of here. */
#include "base/mp.h"

#include <jansson.h>
#include <stdlib.h>

static const char bin_key[] = "$bin";

/* From JSON. */

struct put {
    struct buf *out;
    size_t start; /* out's size before us */
    size_t max;   /* octets of ours */
    struct error *e;
};

struct member {
    struct slice key; /* borrowed from the object */
    const json_t *value;
};

static enum err put_value (struct put *self, const json_t *value,
                           unsigned depth);

/* Asked before octets of a known number are added, and after each value for
 * what stands before them. */
static enum err check_room (struct put *self, size_t more) {
    size_t used = self->out->size - self->start;
    if (used <= self->max && more <= self->max - used)
        return 0;
    return error_set (self->e, ERR_LIMIT, "value above the limit of %zu octets",
                      self->max);
}

/* A JSON string may hold NULs, so its length counts. */
static struct slice string_slice (const json_t *value) {
    return slice_of (json_string_value (value), json_string_length (value));
}

static enum err put_string (struct put *self, const json_t *value) {
    struct slice s = string_slice (value);
    enum err rc = check_room (self, s.size);
    if (!rc)
        mp_put_str_slice (self->out, s);
    return rc;
}

static enum err put_array (struct put *self, const json_t *value,
                           unsigned depth) {
    size_t n = json_array_size (value);
    enum err rc = check_room (self, n);
    if (rc)
        return rc;
    mp_put_array (self->out, n);
    for (size_t i = 0; i < n && !rc; i++)
        rc = put_value (self, json_array_get (value, i), depth);
    return rc;
}

/* {"$bin": "..."}; *value is the text. */
static bool is_bin (const json_t *object, const json_t **value) {
    *value = json_object_get (object, bin_key);
    return *value && json_object_size (object) == 1;
}

static enum err put_bin (struct put *self, const json_t *value) {
    if (!json_is_string (value))
        return error_set (self->e, ERR_MALFORMED, "\"%s\" has to be a string",
                          bin_key);
    struct slice text = string_slice (value);
    size_t room = text.size / 4 * 3, size = 0;
    /* The two octets that padding may take are the head's at least. */
    enum err rc = check_room (self, room);
    if (rc)
        return rc;
    uint8_t *data = mem_alloc (room + 1);
    if (base64_decode_any (data, room, &size, text))
        rc = error_set (self->e, ERR_MALFORMED,
                        "\"%s\" has to be base64 with padding", bin_key);
    else
        mp_put_bin (self->out, data, size);
    free (data);
    return rc;
}

static int member_order (const void *left, const void *right) {
    struct slice a = ((const struct member *) left)->key;
    struct slice b = ((const struct member *) right)->key;
    int order = memcmp (a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* The object's members by ascending octets of their keys; the caller frees
 * them. */
static struct member *sorted_members (const json_t *value) {
    /* jansson's iterators change nothing, but do not say const. */
    json_t *object = (json_t *) (uintptr_t) value;
    size_t n = json_object_size (object), i = 0;
    struct member *members = mem_alloc ((n + 1) * sizeof *members);
    for (void *at = json_object_iter (object); at;
         at = json_object_iter_next (object, at)) {
        members[i].key =
            slice_of (json_object_iter_key (at), json_object_iter_key_len (at));
        members[i++].value = json_object_iter_value (at);
    }
    qsort (members, n, sizeof *members, member_order);
    return members;
}

static enum err put_object (struct put *self, const json_t *value,
                            unsigned depth) {
    size_t n = json_object_size (value);
    enum err rc = check_room (self, n); /* twice that, but n can't overflow */
    if (rc)
        return rc;
    struct member *members = sorted_members (value);
    mp_put_map (self->out, n);
    for (size_t i = 0; i < n && !rc; i++) {
        rc = check_room (self, members[i].key.size);
        if (rc)
            break;
        mp_put_str_slice (self->out, members[i].key);
        rc = put_value (self, members[i].value, depth);
    }
    free (members);
    return rc;
}

static enum err put_nested (struct put *self, const json_t *value,
                            unsigned depth) {
    if (depth == MP_DEPTH_MAX)
        return error_set (self->e, ERR_LIMIT,
                          "arrays and objects nest deeper than %d",
                          MP_DEPTH_MAX);
    return json_is_array (value) ? put_array (self, value, depth + 1)
                                 : put_object (self, value, depth + 1);
}

/* `depth`: the arrays and objects around it. */
static enum err put_value (struct put *self, const json_t *value,
                           unsigned depth) {
    enum err rc = 0;
    const json_t *text;
    switch (json_typeof (value)) {
    case JSON_NULL:
        mp_put_nil (self->out);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        mp_put_bool (self->out, json_is_true (value));
        break;
    case JSON_INTEGER:
        mp_put_int (self->out, json_integer_value (value));
        break;
    case JSON_REAL: /* jansson lets none in that is not finite */
        mp_put_number (self->out, json_real_value (value));
        break;
    case JSON_STRING:
        rc = put_string (self, value);
        break;
    case JSON_ARRAY:
        rc = put_nested (self, value, depth);
        break;
    case JSON_OBJECT:
        rc = is_bin (value, &text) ? put_bin (self, text)
                                   : put_nested (self, value, depth);
        break;
    }
    return rc ? rc : check_room (self, 0);
}

enum err mp_from_json (struct buf *out, const struct json_t *value, size_t max,
                       struct error *e) {
    if (!value)
        return error_set (e, ERR_ARGUMENT, "no JSON value");
    struct put put = { .out = out, .start = out->size, .max = max, .e = e };
    enum err rc = put_value (&put, value, 0);
    if (rc)
        out->size = put.start;
    return rc;
}

/* To JSON. Each returns NULL only where jansson has no memory, which its calls
 * pass on: they refuse a NULL and free the rest. The input is checked before,
 * so the cursor can't fail. */

static json_t *take_value (struct mp *in);

static json_t *take_str (struct mp *in) {
    struct slice s = mp_str (in, 0, SIZE_MAX);
    return json_stringn_nocheck ((const char *) s.data, s.size);
}

static json_t *take_bin (struct mp *in) {
    struct slice s = mp_bin (in, 0, SIZE_MAX);
    char *text = mem_alloc (BASE64_SIZE (s.size));
    json_t *object = json_object();
    json_t *value = json_string_nocheck (base64_encode (text, s.data, s.size));
    free (text);
    if (json_object_set_new_nocheck (object, bin_key, value) == 0)
        return object;
    json_decref (object);
    return NULL;
}

static json_t *take_array (struct mp *in) {
    json_t *array = json_array();
    size_t n = mp_array (in, 0, SIZE_MAX);
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new (array, take_value (in)) != 0) {
            json_decref (array);
            return NULL;
        }
    return array;
}

static json_t *take_map (struct mp *in) {
    json_t *object = json_object();
    size_t n = mp_map (in, 0, SIZE_MAX);
    for (size_t i = 0; i < n; i++) {
        struct slice key = mp_str (in, 0, SIZE_MAX);
        if (json_object_setn_new_nocheck (object, (const char *) key.data,
                                          key.size, take_value (in))
            != 0) {
            json_decref (object);
            return NULL;
        }
    }
    return object;
}

static json_t *take_value (struct mp *in) {
    switch (mp_peek (in)) {
    case MP_BOOL:
        return json_boolean (mp_bool (in));
    case MP_INT:
        return json_integer (mp_int (in, INT64_MIN, INT64_MAX));
    case MP_FLOAT:
        return json_real (mp_float (in));
    case MP_STR:
        return take_str (in);
    case MP_BIN:
        return take_bin (in);
    case MP_ARRAY:
        return take_array (in);
    case MP_MAP:
        return take_map (in);
    case MP_NIL:
    case MP_NONE:
        break;
    }
    mp_nil (in);
    return json_null();
}

struct json_t *mp_to_json (struct slice input, struct error *e) {
    if (mp_check (input, e))
        return NULL;
    struct mp in;
    mp_start (&in, input);
    json_t *value = take_value (&in);
    if (!value)
        error_set (e, ERR_FULL, "not enough memory for %zu octets as JSON",
                   input.size);
    return value;
}
