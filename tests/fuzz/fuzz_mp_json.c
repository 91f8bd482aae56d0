/* Between msgpack and JSON, from both ends. Canonical octets without "$bin"
 * come back as they were; any JSON gives canonical octets, and those the same
 * octets again. */
#include "base/mp.h"

#include <jansson.h>
#include <stdlib.h>

#define MAX 100000

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void try_octets (struct slice input) {
    struct error e = { 0 };
    json_t *value = mp_to_json (input, &e);
    if (!value) {
        must (mp_check (input, NULL) == e.code);
        return;
    }
    /* A map that looks like a binary comes back as one, or not at all. */
    bool looks = memmem (input.data, input.size, "\x81\xa4$bin", 6) != NULL;
    struct buf out = { 0 };
    enum err rc = mp_from_json (&out, value, input.size, &e);
    if (!looks)
        must (rc == 0 && slice_equal (buf_slice (&out), input));
    if (rc)
        must (out.size == 0);
    json_decref (value);
    buf_free (&out);
}

static void try_json (const uint8_t *data, size_t size) {
    json_error_t why;
    json_t *value = json_loadb (
        (const char *) data, size,
        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!value)
        return;
    struct error e;
    struct buf out = { 0 };
    if (mp_from_json (&out, value, MAX, &e) == 0) {
        must (out.size <= MAX);
        must (mp_check (buf_slice (&out), NULL) == 0);
        try_octets (buf_slice (&out));
        size_t whole = out.size;
        must (mp_from_json (&out, value, whole - 1, &e) == ERR_LIMIT);
        must (out.size == whole);
    }
    json_decref (value);
    buf_free (&out);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    try_octets (slice_of (data, size));
    try_json (data, size);
    return 0;
}
