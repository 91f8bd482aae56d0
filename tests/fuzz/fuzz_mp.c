/* The strict cursor. What mp_check takes, read with typed calls and written
 * again, gives the same octets; each cut of it is refused. Typed calls on any
 * input, in an order drawn from it, read nothing outside of it. */
#include "base/mp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void copy_value (struct mp *in, struct buf *out) {
    size_t n;
    switch (mp_peek (in)) {
    case MP_NIL:
        mp_nil (in);
        mp_put_nil (out);
        break;
    case MP_BOOL:
        mp_put_bool (out, mp_bool (in));
        break;
    case MP_INT:
        mp_put_int (out, mp_int (in, INT64_MIN, INT64_MAX));
        break;
    case MP_FLOAT:
        mp_put_number (out, mp_float (in));
        break;
    case MP_STR:
        mp_put_str_slice (out, mp_str (in, 0, SIZE_MAX));
        break;
    case MP_BIN: {
        struct slice s = mp_bin (in, 0, SIZE_MAX);
        mp_put_bin (out, s.data, s.size);
        break;
    }
    case MP_ARRAY:
        n = mp_array (in, 0, SIZE_MAX);
        mp_put_array (out, n);
        for (size_t i = 0; i < n; i++)
            copy_value (in, out);
        break;
    case MP_MAP:
        n = mp_map (in, 0, SIZE_MAX);
        mp_put_map (out, n);
        for (size_t i = 0; i < 2 * n; i++)
            copy_value (in, out);
        break;
    case MP_NONE:
        abort();
    }
}

static void try_round_trip (struct slice input) {
    struct error e = { 0 };
    if (mp_check (input, &e)) {
        must (e.code == ERR_MALFORMED || e.code == ERR_LIMIT);
        must (e.text[0] != '\0');
        return;
    }
    struct mp in;
    struct buf out = { 0 };
    mp_start (&in, input);
    copy_value (&in, &out);
    must (mp_finish (&in, &e) == 0);
    must (slice_equal (buf_slice (&out), input));
    buf_free (&out);
    for (size_t cut = 0; cut < input.size && input.size < 512; cut++)
        must (mp_check (slice_of (input.data, cut), NULL) != 0);
}

static void inside (struct slice input, struct slice got) {
    if (got.size > 0)
        must (got.data >= input.data
              && got.data + got.size <= input.data + input.size);
}

static void one_call (struct mp *in, struct slice input, uint8_t which) {
    uint8_t exact[5];
    int64_t key = 0;
    size_t max = which >> 4;
    switch (which & 15) {
    case 0:
        mp_nil (in);
        break;
    case 1:
        mp_try_nil (in);
        break;
    case 2:
        mp_bool (in);
        break;
    case 3:
        key = mp_int (in, -9, 999);
        must (key >= -9 && key <= 999);
        break;
    case 4:
        must (!mp_integral (mp_float (in)) || in->failed);
        break;
    case 5:
        inside (input, mp_str (in, 0, max));
        break;
    case 6:
        inside (input, mp_bin (in, 0, max));
        break;
    case 7:
        mp_bin_exact (in, exact, max % sizeof exact);
        break;
    case 8:
        must (mp_array (in, 0, SIZE_MAX) <= input.size);
        break;
    case 9:
        must (mp_map (in, 0, SIZE_MAX) <= input.size / 2);
        break;
    case 10:
        inside (input, mp_extension (in, max * 8, &key));
        must (key >= 0 && key % 2 == 0);
        break;
    default:
        inside (input, mp_any (in));
        break;
    }
    must (in->at >= in->start && in->at <= in->end);
}

/* The first octet says how many calls stand before the input. */
static void try_calls (const uint8_t *data, size_t size) {
    if (size == 0 || (size_t) data[0] % 32 + 1 > size)
        return;
    size_t calls = (size_t) data[0] % 32;
    struct slice input = slice_of (data + 1 + calls, size - 1 - calls);
    struct mp in;
    mp_start (&in, input);
    for (size_t i = 0; i < calls; i++)
        one_call (&in, input, data[1 + i]);
    must (mp_finish (&in, NULL) == in.failed);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    try_round_trip (slice_of (data, size));
    try_calls (data, size);
    return 0;
}
