/* vectors - the cases of tests/vectors/NAME.json, made by the Python client.
 *
 * A case is {"name", "kind", "in", "out"}, or for a refusal {"name", "kind",
 * "text" or "hex", "error"}. PARLEY_VECTORS names the folder. Include behind
 * cmocka.h. */
#ifndef PARLEY_TEST_VECTORS_H
#define PARLEY_TEST_VECTORS_H

#include "base/buf.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The array; the caller's. Skips the test where there is no such file. */
static inline json_t *vectors_load (const char *file) {
    char path[4096];
    json_error_t why;
    const char *folder = getenv ("PARLEY_VECTORS");
    snprintf (path, sizeof path, "%s/%s", folder ? folder : ".", file);
    if (access (path, F_OK) != 0)
        skip();
    json_t *all = json_load_file (path, JSON_ALLOW_NUL, &why);
    if (!all)
        fail_msg ("%s, line %d: %s", path, why.line, why.text);
    assert_true (json_array_size (all) > 0);
    return all;
}

/* A member that must be there, borrowed. */
static inline const char *vector_text (const json_t *object, const char *name) {
    const char *text = json_string_value (json_object_get (object, name));
    if (!text)
        fail_msg ("no text '%s' in the vector", name);
    return text;
}

static inline bool vector_is (const json_t *vector, const char *kind) {
    return strcmp (vector_text (vector, "kind"), kind) == 0;
}

static inline bool vector_refused (const json_t *vector) {
    return json_object_get (vector, "error") != NULL;
}

static inline struct slice vector_slice (const json_t *object,
                                         const char *name) {
    const json_t *text = json_object_get (object, name);
    assert_true (json_is_string (text));
    return slice_of (json_string_value (text), json_string_length (text));
}

/* A refusal's octets; *room is the caller's to free. */
static inline struct slice vector_octets (const json_t *vector,
                                          struct buf *room) {
    if (json_object_get (vector, "text"))
        return vector_slice (vector, "text");
    const char *hex = vector_text (vector, "hex");
    const size_t size = strlen (hex) / 2;
    buf_clear (room);
    assert_int_equal (hex_decode (buf_extend (room, size), size, hex), 0);
    return buf_slice (room);
}

static inline void vector_hex_equal (const json_t *object, const char *name,
                                     const void *octets, size_t size) {
    char text[513];
    assert_true (HEX_SIZE (size) <= sizeof text);
    assert_string_equal (hex_encode (text, octets, size),
                         vector_text (object, name));
}

#endif
