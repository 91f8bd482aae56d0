/* The vectors of tests/vectors, which another implementation wrote: one JSON
 * array a file, of objects with "name", "kind", and "in", "out" or "error". */
#ifndef PARLEY_TEST_FORMAT_VECTORS_H
#define PARLEY_TEST_FORMAT_VECTORS_H

#include "base/buf.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* NULL where there is no such file. The caller owns it. */
static inline json_t *vectors_load (const char *name) {
    const char *folder = getenv ("PARLEY_VECTORS");
    char path[4096];
    if (!folder)
        return NULL;
    snprintf (path, sizeof path, "%s/%s.json", folder, name);
    FILE *file = fopen (path, "r");
    if (!file)
        return NULL;
    json_error_t error;
    json_t *all = json_loadf (file, 0, &error);
    fclose (file);
    if (!json_is_array (all))
        fail_msg ("%s: %s", path, error.text);
    return all;
}

static inline bool vector_is (const json_t *vector, const char *kind) {
    return strcmp (json_string_value (json_object_get (vector, "kind")), kind)
           == 0;
}

/* Octets from hex, exactly that many: ASan sees what reads beyond. The caller
 * frees them with vector_drop. */
static inline struct slice vector_hex (const json_t *hex) {
    const char *text = json_string_value (hex);
    assert_non_null (text);
    size_t size = strlen (text) / 2;
    uint8_t *data = malloc (size ? size : 1);
    assert_non_null (data);
    assert_int_equal (hex_decode (data, size, text), ERR_NONE);
    return slice_of (data, size);
}
static inline struct slice vector_octets (const json_t *object,
                                          const char *name) {
    return vector_hex (json_object_get (object, name));
}
static inline void vector_drop (struct slice s) {
    free ((void *) (uintptr_t) s.data);
}

static inline void assert_octets (struct slice got, const json_t *hex) {
    struct slice want = vector_hex (hex);
    assert_int_equal (got.size, want.size);
    if (want.size > 0)
        assert_memory_equal (got.data, want.data, want.size);
    vector_drop (want);
}

#endif
