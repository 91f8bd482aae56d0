/* Writing: the exact octets, at both sides of each form's limit. */
#include "base/mp.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* What was written begins so, is so long, and is canonical where it is a whole
 * value. Empties the buf. */
static void assert_written (struct buf *b, const char *hex, size_t size) {
    uint8_t want[16];
    size_t n = strlen (hex) / 2;
    assert_int_equal (hex_decode (want, n, hex), 0);
    assert_int_equal (b->size, size);
    assert_memory_equal (b->data, want, n);
    buf_clear (b);
}

static void assert_canonical (const struct buf *b) {
    struct error e;
    if (mp_check (buf_slice (b), &e))
        fail_msg ("%s", e.text);
}

static void test_nil_and_bool (void **state) {
    (void) state;
    struct buf b = { 0 };
    mp_put_nil (&b);
    mp_put_bool (&b, false);
    mp_put_bool (&b, true);
    assert_written (&b, "c0c2c3", 3);
    buf_free (&b);
}

static void test_int (void **state) {
    (void) state;
    static const struct {
        int64_t v;
        const char *hex;
    } cases[] = {
        { 0, "00" },
        { 127, "7f" },
        { 128, "cc80" },
        { 255, "ccff" },
        { 256, "cd0100" },
        { 65535, "cdffff" },
        { 65536, "ce00010000" },
        { UINT32_MAX, "ceffffffff" },
        { 1LL << 32, "cf0000000100000000" },
        { INT64_MAX, "cf7fffffffffffffff" },
        { -1, "ff" },
        { -32, "e0" },
        { -33, "d0df" },
        { -128, "d080" },
        { -129, "d1ff7f" },
        { -32768, "d18000" },
        { -32769, "d2ffff7fff" },
        { INT32_MIN, "d280000000" },
        { INT32_MIN - 1LL, "d3ffffffff7fffffff" },
        { INT64_MIN, "d38000000000000000" },
    };
    struct buf b = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mp in;
        mp_put_int (&b, cases[i].v);
        assert_canonical (&b);
        mp_start (&in, buf_slice (&b));
        assert_true (mp_int (&in, cases[i].v, cases[i].v) == cases[i].v);
        assert_int_equal (mp_finish (&in, NULL), 0);
        assert_written (&b, cases[i].hex, strlen (cases[i].hex) / 2);
    }
    buf_free (&b);
}

/* Around each power of two and its negative, where forms change. */
static void test_int_sweep (void **state) {
    (void) state;
    struct buf b = { 0 };
    for (unsigned bit = 0; bit < 63; bit++)
        for (int64_t d = -3; d <= 3; d++)
            for (int sign = -1; sign <= 1; sign += 2) {
                int64_t v = sign * ((1LL << bit) + d);
                struct mp in;
                mp_put_int (&b, v);
                mp_start (&in, buf_slice (&b));
                assert_true (mp_int (&in, INT64_MIN, INT64_MAX) == v);
                assert_int_equal (mp_finish (&in, NULL), 0);
                buf_clear (&b);
            }
    buf_free (&b);
}

static void test_number (void **state) {
    (void) state;
    static const struct {
        double v;
        const char *hex;
    } cases[] = {
        { 0.0, "00" },
        { -0.0, "00" },
        { 1.0, "01" },
        { -1.0, "ff" },
        { 200.0, "ccc8" },
        { 0x1p53, "cf0020000000000000" },
        { 0x1.fffffffffffffp62, "cf7ffffffffffffc00" },
        { 0x1p63, "cb43e0000000000000" },
        { -0x1p63, "d38000000000000000" },
        { -0x1.0000000000001p63, "cbc3e0000000000001" },
        { 1.5, "cb3ff8000000000000" },
        { -1.5, "cbbff8000000000000" },
        { 0.1, "cb3fb999999999999a" },
        { 5e-324, "cb0000000000000001" },
        { 1.7976931348623157e308, "cb7fefffffffffffff" },
    };
    struct buf b = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mp_put_number (&b, cases[i].v);
        assert_canonical (&b);
        assert_written (&b, cases[i].hex, strlen (cases[i].hex) / 2);
    }
    assert_false (mp_integral ((double) NAN));
    assert_false (mp_integral ((double) INFINITY));
    assert_false (mp_integral (-(double) INFINITY));
    buf_free (&b);
}

static void test_str_and_bin (void **state) {
    (void) state;
    static const struct {
        size_t size;
        const char *str, *bin; /* before the content */
    } cases[] = {
        { 0, "a0", "c400" },           { 1, "a1", "c401" },
        { 31, "bf", "c41f" },          { 32, "d920", "c420" },
        { 255, "d9ff", "c4ff" },       { 256, "da0100", "c50100" },
        { 65535, "daffff", "c5ffff" }, { 65536, "db00010000", "c600010000" },
    };
    static char text[65536 + 1];
    memset (text, 'x', sizeof text - 1);
    struct buf b = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = cases[i].size;
        mp_put_str_slice (&b, slice_of (text, size));
        assert_canonical (&b);
        assert_written (&b, cases[i].str, strlen (cases[i].str) / 2 + size);
        mp_put_bin (&b, text, size);
        assert_canonical (&b);
        assert_written (&b, cases[i].bin, strlen (cases[i].bin) / 2 + size);
    }
    mp_put_str (&b, "h\xc3\xa9");
    assert_written (&b, "a368c3a9", 4);
    mp_put_str_slice (&b, slice_of ("a\0b", 3));
    assert_written (&b, "a3610062", 4);
    mp_put_bin (&b, "\xff\0", 2);
    assert_written (&b, "c402ff00", 4);
    mp_put_str_slice (&b, slice_of (NULL, 0));
    mp_put_bin (&b, NULL, 0);
    assert_written (&b, "a0c400", 3);
    buf_free (&b);
}

static void test_array_and_map (void **state) {
    (void) state;
    static const struct {
        size_t count;
        const char *array, *map;
    } cases[] = {
        { 0, "90", "80" },
        { 15, "9f", "8f" },
        { 16, "dc0010", "de0010" },
        { 65535, "dcffff", "deffff" },
        { 65536, "dd00010000", "df00010000" },
        { UINT32_MAX, "ddffffffff", "dfffffffff" },
    };
    struct buf b = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mp_put_array (&b, cases[i].count);
        assert_written (&b, cases[i].array, strlen (cases[i].array) / 2);
        mp_put_map (&b, cases[i].count);
        assert_written (&b, cases[i].map, strlen (cases[i].map) / 2);
    }
    buf_free (&b);
}

/* Calls append, and together make one value. */
static void test_together (void **state) {
    (void) state;
    struct buf b = { 0 };
    mp_put_map (&b, 2);
    mp_put_str (&b, "a");
    mp_put_array (&b, 3);
    mp_put_nil (&b);
    mp_put_bool (&b, true);
    mp_put_number (&b, 0.5);
    mp_put_str (&b, "b");
    mp_put_bin (&b, "\1", 1);
    assert_canonical (&b);
    assert_written (&b, "82a16193c0c3cb3fe0000000", 20);
    buf_free (&b);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_nil_and_bool),
        cmocka_unit_test (test_int),
        cmocka_unit_test (test_int_sweep),
        cmocka_unit_test (test_number),
        cmocka_unit_test (test_str_and_bin),
        cmocka_unit_test (test_array_and_map),
        cmocka_unit_test (test_together),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
