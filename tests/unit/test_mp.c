/* The strict cursor: each rule of PROTOCOL.md sections 2.3 and 2.4 has octets
 * here that break it. */
#include "base/mp.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* Octets written as hex, with nothing before or behind them that ASan would
 * let us read. `count` octets of `fill` follow the hex. The caller frees. */
static struct slice octets_then (const char *hex, size_t count, uint8_t fill) {
    size_t size = strlen (hex) / 2;
    uint8_t *data = malloc (size + count ? size + count : 1);
    assert_non_null (data);
    assert_int_equal (hex_decode (data, size, hex), 0);
    memset (data + size, fill, count);
    return slice_of (data, size + count);
}
static struct slice octets (const char *hex) {
    return octets_then (hex, 0, 0);
}
static void drop (struct slice s) {
    free ((void *) (uintptr_t) s.data);
}

static void assert_refused (struct slice in, enum err code, const char *word) {
    struct error e = { 0 };
    assert_int_equal (mp_check (in, &e), code);
    assert_int_equal (e.code, code);
    if (!strstr (e.text, word))
        fail_msg ("\"%s\" does not say \"%s\"", e.text, word);
    assert_int_equal (mp_check (in, NULL), code);
}

static const struct {
    const char *hex;
    size_t more; /* octets 'a' behind that */
    enum err code;
    const char *word;
} refused[] = {
    { "", 0, ERR_MALFORMED, "octet 0: the input ends" },
    { "c1", 0, ERR_MALFORMED, "never uses" },
    /* Integers: long forms, each at its limit. */
    { "cc00", 0, ERR_MALFORMED, "(0xcc) not in its shortest" },
    { "cc7f", 0, ERR_MALFORMED, "shortest" },
    { "cd00ff", 0, ERR_MALFORMED, "shortest" },
    { "ce0000ffff", 0, ERR_MALFORMED, "shortest" },
    { "cf00000000ffffffff", 0, ERR_MALFORMED, "shortest" },
    { "d0e0", 0, ERR_MALFORMED, "shortest" },
    { "d0ff", 0, ERR_MALFORMED, "shortest" },
    { "d1ff80", 0, ERR_MALFORMED, "shortest" },
    { "d2ffff8000", 0, ERR_MALFORMED, "shortest" },
    { "d3ffffffff80000000", 0, ERR_MALFORMED, "shortest" },
    /* The signed forms are for negative ones, even where not longer. */
    { "d000", 0, ERR_MALFORMED, "shortest" },
    { "d07f", 0, ERR_MALFORMED, "shortest" },
    { "d10080", 0, ERR_MALFORMED, "shortest" },
    { "d17fff", 0, ERR_MALFORMED, "shortest" },
    { "d27fffffff", 0, ERR_MALFORMED, "shortest" },
    { "d37fffffffffffffff", 0, ERR_MALFORMED, "shortest" },
    { "cf8000000000000000", 0, ERR_MALFORMED, "9223372036854775808 is above" },
    { "cfffffffffffffffff", 0, ERR_MALFORMED, "above int64" },
    /* Floats. */
    { "ca3fc00000", 0, ERR_MALFORMED, "float32" },
    { "ca7fc00000", 0, ERR_MALFORMED, "float32" },
    { "cb7ff8000000000000", 0, ERR_MALFORMED, "finite" }, /* NaN */
    { "cbfff0000000000001", 0, ERR_MALFORMED, "finite" }, /* another */
    { "cb7ff0000000000000", 0, ERR_MALFORMED, "finite" },
    { "cbfff0000000000000", 0, ERR_MALFORMED, "finite" },
    { "cb8000000000000000", 0, ERR_MALFORMED, "-0 has to be" },
    { "cb0000000000000000", 0, ERR_MALFORMED, "as an integer" },
    { "cb3ff0000000000000", 0, ERR_MALFORMED, "1 has to be" },
    { "cbc045000000000000", 0, ERR_MALFORMED, "-42 has to be" },
    { "cb4340000000000000", 0, ERR_MALFORMED, "as an integer" }, /* 2^53 */
    { "cb43dfffffffffffff", 0, ERR_MALFORMED, "as an integer" }, /* < 2^63 */
    { "cbc3e0000000000000", 0, ERR_MALFORMED, "as an integer" }, /* -2^63 */
    /* Extension types, among them msgpack's time. */
    { "c70100", 1, ERR_MALFORMED, "extension type" },
    { "c8000100", 1, ERR_MALFORMED, "extension type" },
    { "c90000000100", 1, ERR_MALFORMED, "extension type" },
    { "d400", 1, ERR_MALFORMED, "extension type" },
    { "d500", 2, ERR_MALFORMED, "extension type" },
    { "d6ff00000000", 0, ERR_MALFORMED, "extension type" },
    { "d700", 8, ERR_MALFORMED, "extension type" },
    { "d800", 16, ERR_MALFORMED, "extension type" },
    /* Long forms of all that has a size. */
    { "d900", 0, ERR_MALFORMED, "a string (0xd9) not" },
    { "d91f", 31, ERR_MALFORMED, "shortest" },
    { "da0020", 32, ERR_MALFORMED, "shortest" },
    { "da00ff", 255, ERR_MALFORMED, "shortest" },
    { "db000000ff", 255, ERR_MALFORMED, "shortest" },
    { "db0000ffff", 65535, ERR_MALFORMED, "shortest" },
    { "c50000", 0, ERR_MALFORMED, "a binary (0xc5) not" },
    { "c500ff", 255, ERR_MALFORMED, "shortest" },
    { "c60000ffff", 65535, ERR_MALFORMED, "shortest" },
    { "dc0000", 0, ERR_MALFORMED, "an array (0xdc) not" },
    { "dc000f", 15, ERR_MALFORMED, "shortest" },
    { "dd0000ffff", 65535, ERR_MALFORMED, "shortest" },
    { "de0000", 0, ERR_MALFORMED, "a map (0xde) not" },
    { "de000f", 30, ERR_MALFORMED, "shortest" },
    { "df0000ffff", 2 * 65535, ERR_MALFORMED, "shortest" },
    /* Sizes that nothing stands behind. */
    { "d9ff", 254, ERR_MALFORMED, "size 255, but 254" },
    { "dbffffffff", 9, ERR_MALFORMED, "size 4294967295, but 9" },
    { "c401", 0, ERR_MALFORMED, "size 1, but 0" },
    { "c6ffffffff", 9, ERR_MALFORMED, "size 4294967295" },
    { "91", 0, ERR_MALFORMED, "size 1, but 0" },
    { "dd00ffffff", 9, ERR_MALFORMED, "size 16777215" },
    { "ddffffffff", 9, ERR_MALFORMED, "size 4294967295" },
    { "81a0", 0, ERR_MALFORMED, "a map of size 1, but 1" },
    { "de0010", 31, ERR_MALFORMED, "a map of size 16, but 31" },
    { "dfffffffff", 9, ERR_MALFORMED, "size 4294967295" },
    /* Strings that are not UTF-8; more of them below. */
    { "a180", 0, ERR_MALFORMED, "octet 1: octet 0x80" },
    { "a3616280", 0, ERR_MALFORMED, "octet 3: octet 0x80" },
    { "a2c080", 0, ERR_MALFORMED, "UTF-8" },
    { "81a1ff00", 0, ERR_MALFORMED, "UTF-8" }, /* a key */
    /* Maps. */
    { "8101c0", 0, ERR_MALFORMED, "a string has to be here, found an int" },
    { "81c40161c0", 0, ERR_MALFORMED, "found a binary" },
    { "81c0c0", 0, ERR_MALFORMED, "found nil" },
    { "82a16101a16102", 0, ERR_MALFORMED, "twice" },
    { "82a000a000", 0, ERR_MALFORMED, "twice" },
    { "83a16101a16202a16203", 0, ERR_MALFORMED, "twice" },
    { "82a16201a16102", 0, ERR_MALFORMED, "out of order" },
    { "82a2616101a16102", 0, ERR_MALFORMED, "out of order" }, /* prefix */
    { "82a16101a002", 0, ERR_MALFORMED, "out of order" },
    { "82a2c3a900a17a00", 0, ERR_MALFORMED, "out of order" }, /* unsigned */
    { "9182a16201a16102", 0, ERR_MALFORMED, "octet 7: " },    /* inner */
    /* Inner values are checked as well, at every place. */
    { "92c0cc00", 0, ERR_MALFORMED, "octet 2: " },
    { "81a161ca00000000", 0, ERR_MALFORMED, "octet 3: " },
    { "9191c1", 0, ERR_MALFORMED, "octet 2: " },
    /* Nothing follows the value. */
    { "c0c0", 0, ERR_MALFORMED, "octet 1: 1 octets after the end" },
    { "9000", 0, ERR_MALFORMED, "after the end" },
    { "a16100", 0, ERR_MALFORMED, "after the end" },
};

static void test_refused (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct slice in = octets_then (refused[i].hex, refused[i].more, 'a');
        assert_refused (in, refused[i].code, refused[i].word);
        drop (in);
    }
    assert_refused (slice_of (NULL, 0), ERR_MALFORMED, "input ends");
}

/* Canonical values, and all cuts of them that are none. */
static const struct {
    const char *hex;
    size_t more; /* octets 'a' behind that */
} accepted[] = {
    { "c0", 0 },
    { "c2", 0 },
    { "c3", 0 },
    { "00", 0 },
    { "7f", 0 },
    { "cc80", 0 },
    { "ccff", 0 },
    { "cd0100", 0 },
    { "cdffff", 0 },
    { "ce00010000", 0 },
    { "ceffffffff", 0 },
    { "cf0000000100000000", 0 },
    { "cf7fffffffffffffff", 0 },
    { "ff", 0 },
    { "e0", 0 },
    { "d0df", 0 },
    { "d080", 0 },
    { "d1ff7f", 0 },
    { "d18000", 0 },
    { "d2ffff7fff", 0 },
    { "d280000000", 0 },
    { "d3ffffffff7fffffff", 0 },
    { "d38000000000000000", 0 },
    { "cb3ff8000000000000", 0 }, /* 1.5 */
    { "cb0000000000000001", 0 }, /* the smallest */
    { "cb43e0000000000000", 0 }, /* 2^63, not within int64 */
    { "cbc3e0000000000001", 0 }, /* the next below -2^63 */
    { "cb7fefffffffffffff", 0 }, /* the largest */
    { "a0", 0 },
    { "bf", 31 },
    { "d920", 32 },
    { "d9ff", 255 },
    { "da0100", 256 },
    { "daffff", 65535 },
    { "db00010000", 65536 },
    { "a100", 0 }, /* a NUL is a character */
    { "b3c3a9e282acf09f9880ed9fbfee8080f48fbfbf", 0 },
    { "c400", 0 },
    { "c4ff", 255 },
    { "c50100", 256 },
    { "c5ffff", 65535 },
    { "c600010000", 65536 },
    { "90", 0 },
    { "9f", 15 },
    { "dc0010", 16 },
    { "dcffff", 65535 },
    { "dd00010000", 65536 },
    { "80", 0 },
    { "81a0c0", 0 },
    { "82a16101a2616102", 0 },
    { "83a17a00a2c3a900a3e282ac00", 0 }, /* by octets, not by size */
    { "82a161cb3ff8000000000000a162930102c0", 0 },
};

static void test_accepted_whole_only (void **state) {
    (void) state;
    struct error e;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        struct slice in = octets_then (accepted[i].hex, accepted[i].more, 'a');
        struct mp mp;
        mp_start (&mp, in);
        struct slice all = mp_any (&mp);
        assert_ptr_equal (all.data, in.data);
        assert_int_equal (all.size, in.size);
        assert_int_equal (mp_finish (&mp, &e), 0);
        for (size_t size = 0; size < in.size; size++) {
            bool small = size < 64; /* those with ASan at their end */
            uint8_t *copy = malloc (small && size ? size : 1);
            if (small)
                memcpy (copy, in.data, size);
            struct slice cut = slice_of (small ? copy : in.data, size);
            assert_int_equal (mp_check (cut, &e), ERR_MALFORMED);
            free (copy);
        }
        drop (in);
    }
}

/* 16 and 65,536 pairs, in and out of order. */
static void test_wide_maps (void **state) {
    (void) state;
    struct error e;
    struct buf b = { 0 };
    buf_add (&b, "\xde\0\x10", 3);
    for (unsigned i = 0; i < 16; i++)
        buf_add_format (&b, "\xa1%c%c", 'a' + i, 1);
    assert_int_equal (mp_check (buf_slice (&b), &e), 0);
    b.data[3 + 15 * 3 + 1] = 'a';
    assert_refused (buf_slice (&b), ERR_MALFORMED, "out of order");
    buf_clear (&b);
    buf_add (&b, "\xdf\0\1\0\0", 5);
    for (unsigned i = 0; i < 65536; i++)
        buf_add_format (&b, "\xa4%04x%c", i, 1);
    assert_int_equal (mp_check (buf_slice (&b), &e), 0);
    b.data[b.size - 2] = 'e';
    assert_refused (buf_slice (&b), ERR_MALFORMED, "twice");
    buf_free (&b);
}

static void test_depth (void **state) {
    (void) state;
    static const char *const steps[] = { "\x91", "\x81\xa1x" };
    struct error e;
    struct buf b = { 0 };
    for (unsigned mixed = 0; mixed < 4; mixed++) {
        buf_clear (&b);
        for (unsigned i = 0; i < MP_DEPTH_MAX - 1; i++)
            buf_add_text (&b, steps[mixed < 2 ? mixed : (mixed + i) % 2]);
        size_t at = b.size;
        buf_add_text (&b, "\x90");
        assert_int_equal (mp_check (buf_slice (&b), &e), 0);
        b.data[at] = 0x80;
        assert_int_equal (mp_check (buf_slice (&b), &e), 0);
        b.data[at] = 0x91;
        buf_add_text (&b, "\x01");
        assert_int_equal (mp_check (buf_slice (&b), &e), 0);
        b.data[at + 1] = 0x90; /* the 17th, empty */
        assert_refused (buf_slice (&b), ERR_LIMIT, "deeper than 16");
        b.data[at + 1] = 0x80;
        assert_refused (buf_slice (&b), ERR_LIMIT, "deeper than 16");
    }
    buf_free (&b);
    struct slice deep = octets_then ("", 1 << 20, 0x91);
    assert_refused (deep, ERR_LIMIT, "octet 16: ");
    drop (deep);
}

/* Strings. */

static const struct {
    const char *hex;
    bool good;
} texts[] = {
    { "", true },
    { "00", true },
    { "7f", true },
    { "80", false },
    { "bf", false },
    { "c0af", false }, /* overlong */
    { "c1bf", false },
    { "c280", true },
    { "c2", false },
    { "c27f", false },
    { "c2c0", false },
    { "dfbf", true },
    { "e09fbf", false }, /* overlong */
    { "e0a080", true },
    { "e0a0", false },
    { "ed9fbf", true },
    { "eda080", false }, /* U+D800 */
    { "edbfbf", false }, /* U+DFFF */
    { "eda081edb080", false },
    { "ee8080", true },
    { "efbfbf", true },
    { "f08fbfbf", false }, /* overlong */
    { "f0908080", true },
    { "f09080", false },
    { "f0908041", false },
    { "f48fbfbf", true },
    { "f4908080", false }, /* U+110000 */
    { "f5808080", false },
    { "f888808080", false },
    { "fe", false },
    { "ff", false },
    { "4142434445464748ff", false },   /* behind eight of ASCII */
    { "41424344454647c3a949", true },  /* across the eighth */
    { "4142434445464748e282", false }, /* cut */
};

static void test_utf8 (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct slice s = octets (texts[i].hex);
        assert_int_equal (mp_is_text (s), texts[i].good);
        drop (s);
        struct buf b = { 0 };
        buf_add_u8 (&b, (uint8_t) (0xa0 | strlen (texts[i].hex) / 2));
        s = octets (texts[i].hex);
        buf_add_slice (&b, s);
        struct mp in;
        struct error e = { 0 };
        mp_start (&in, buf_slice (&b));
        struct slice got = mp_str (&in, 0, 31);
        assert_int_equal (mp_finish (&in, &e),
                          texts[i].good ? ERR_NONE : ERR_MALFORMED);
        assert_true (texts[i].good ? slice_equal (got, s) : got.size == 0);
        drop (s);
        buf_free (&b);
    }
    assert_true (mp_is_text (slice_of (NULL, 0)));
}

/* All strings of three octets: so many are UTF-8 as there are ways to put
 * characters of 1, 2 and 3 octets together. */
static void test_utf8_count (void **state) {
    (void) state;
    const unsigned one = 128, two = 2048 - 128, three = 65536 - 2048 - 2048;
    unsigned good = 0;
    for (uint32_t i = 0; i < 1u << 24; i++) {
        uint8_t s[3] = { (uint8_t) (i >> 16), (uint8_t) (i >> 8), (uint8_t) i };
        good += mp_is_text (slice_of (s, 3));
    }
    assert_int_equal (good, one * one * one + 2 * one * two + three);
}

/* Typed calls. */

static uint8_t exact[4];

static void read_typed (struct mp *in, enum mp_type type) {
    switch (type) {
    case MP_NIL:
        mp_nil (in);
        break;
    case MP_BOOL:
        assert_false (mp_bool (in) && in->failed);
        break;
    case MP_INT:
        assert_false (mp_int (in, INT64_MIN, INT64_MAX) != 0 && in->failed);
        break;
    case MP_FLOAT:
        assert_false (mp_float (in) > 0 && in->failed);
        break;
    case MP_STR:
        assert_false (mp_str (in, 0, SIZE_MAX).size > 0 && in->failed);
        break;
    case MP_BIN:
        assert_false (mp_bin (in, 0, SIZE_MAX).size > 0 && in->failed);
        break;
    case MP_ARRAY:
        assert_false (mp_array (in, 0, SIZE_MAX) > 0 && in->failed);
        break;
    case MP_MAP:
        assert_false (mp_map (in, 0, SIZE_MAX) > 0 && in->failed);
        break;
    case MP_NONE:
        memset (exact, 0xff, sizeof exact);
        mp_bin_exact (in, exact, sizeof exact);
        break;
    }
}

/* Each reader takes its own type, and fails on all others, on the end and on
 * what is no value. */
static void test_types (void **state) {
    (void) state;
    static const char *const values[MP_NONE + 1] = {
        "c0",   "c3",       "05", "cb3ff8000000000000", "a161", "c40161",
        "9101", "81a16101", ""
    };
    static const char *const others[] = { "c1", "d4ff00", "c70000",
                                          "ca00000000" };
    for (int type = 0; type <= MP_NONE; type++) {
        struct mp in;
        for (int value = 0; value <= MP_NONE; value++) {
            struct slice s = octets (values[value]);
            mp_start (&in, s);
            assert_int_equal (mp_peek (&in), value);
            read_typed (&in, (enum mp_type) type);
            bool same = type == value && type != MP_NONE;
            assert_int_equal (in.failed, same ? ERR_NONE : ERR_MALFORMED);
            if (!same)
                assert_int_equal (mp_peek (&in), MP_NONE);
            drop (s);
        }
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            struct slice s = octets (others[i]);
            mp_start (&in, s);
            assert_int_equal (mp_peek (&in), i == 3 ? MP_FLOAT : MP_NONE);
            read_typed (&in, (enum mp_type) type);
            assert_int_equal (in.failed, ERR_MALFORMED);
            drop (s);
        }
    }
}

static void test_peek_agrees_with_any (void **state) {
    (void) state;
    /* Alone, most are cut short: no reader may say that the kind is wrong. */
    for (unsigned c = 0; c < 256; c++) {
        uint8_t octet = (uint8_t) c;
        struct mp in;
        mp_start (&in, slice_of (&octet, 1));
        enum mp_type type = mp_peek (&in);
        read_typed (&in, type);
        bool none = type == MP_NONE;
        assert_int_equal (none, c == 0xc1 || (c >= 0xc7 && c <= 0xc9)
                                    || (c >= 0xd4 && c <= 0xd8));
        if (!none && c != 0xca && in.failed)
            assert_null (strstr (in.why.text, "has to be here"));
    }
}

static void test_bounds (void **state) {
    (void) state;
    static const struct {
        const char *hex;
        enum mp_type type;
        int64_t min, max;
        enum err code;
    } cases[] = {
        { "05", MP_INT, 6, 9, ERR_MALFORMED },
        { "05", MP_INT, -9, 4, ERR_MALFORMED },
        { "05", MP_INT, 5, 5, ERR_NONE },
        { "fb", MP_INT, 0, INT64_MAX, ERR_MALFORMED },
        { "cf7fffffffffffffff", MP_INT, 0, INT64_MAX - 1, ERR_MALFORMED },
        { "d38000000000000000", MP_INT, INT64_MIN + 1, 0, ERR_MALFORMED },
        { "a3616161", MP_STR, 0, 2, ERR_LIMIT },
        { "a3616161", MP_STR, 4, 9, ERR_MALFORMED },
        { "a3616161", MP_STR, 3, 3, ERR_NONE },
        { "c403616161", MP_BIN, 0, 2, ERR_LIMIT },
        { "c403616161", MP_BIN, 2, 2, ERR_MALFORMED },
        { "c403616161", MP_BIN, 4, 9, ERR_MALFORMED },
        { "c403616161", MP_BIN, 3, 3, ERR_NONE },
        { "93010203", MP_ARRAY, 0, 2, ERR_LIMIT },
        { "93010203", MP_ARRAY, 2, 2, ERR_MALFORMED },
        { "93010203", MP_ARRAY, 4, 4, ERR_MALFORMED },
        { "93010203", MP_ARRAY, 0, 3, ERR_NONE },
        { "81a0c0", MP_MAP, 0, 0, ERR_MALFORMED },
        { "82a0c0a161c0", MP_MAP, 0, 1, ERR_LIMIT },
        { "81a0c0", MP_MAP, 1, 1, ERR_NONE },
        /* The limit is looked at before what is there. */
        { "ddffffffff", MP_ARRAY, 0, 4096, ERR_LIMIT },
        { "c6ffffffff", MP_BIN, 0, 4096, ERR_LIMIT },
        { "dbffffffff", MP_STR, 0, 4096, ERR_LIMIT },
        { "dfffffffff", MP_MAP, 0, 4096, ERR_LIMIT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice s = octets (cases[i].hex);
        struct mp in;
        mp_start (&in, s);
        size_t min = (size_t) cases[i].min, max = (size_t) cases[i].max;
        int64_t got =
            cases[i].type == MP_INT   ? mp_int (&in, cases[i].min, cases[i].max)
            : cases[i].type == MP_STR ? (int64_t) mp_str (&in, min, max).size
            : cases[i].type == MP_BIN ? (int64_t) mp_bin (&in, min, max).size
            : cases[i].type == MP_ARRAY ? (int64_t) mp_array (&in, min, max)
                                        : (int64_t) mp_map (&in, min, max);
        assert_int_equal (in.failed, cases[i].code);
        assert_int_equal (got, cases[i].code ? 0 : cases[i].max);
        if (cases[i].code)
            assert_non_null (strstr (in.why.text, "octet 0: "));
        drop (s);
    }
}

static void test_fields_in_a_row (void **state) {
    (void) state;
    struct slice s = octets ("9bc0c201cdffffd080cb3ff8000000000000a26869"
                             "c401ffc404deadbeefc081a16b90");
    struct mp in;
    struct error e = { 0 };
    mp_start (&in, s);
    assert_int_equal (mp_array (&in, 11, 11), 11);
    assert_true (mp_try_nil (&in));
    assert_false (mp_try_nil (&in));
    assert_false (mp_bool (&in));
    assert_int_equal (mp_int (&in, 0, 1), 1);
    assert_int_equal (mp_int (&in, 0, 65535), 65535);
    assert_int_equal (mp_int (&in, -128, 0), -128);
    assert_true (mp_float (&in) == 1.5);
    assert_true (slice_is (mp_str (&in, 1, 2), "hi"));
    assert_true (slice_is (mp_bin (&in, 0, 1), "\xff"));
    mp_bin_exact (&in, exact, sizeof exact);
    assert_memory_equal (exact, "\xde\xad\xbe\xef", 4);
    mp_nil (&in);
    struct slice rest = mp_any (&in);
    assert_int_equal (rest.size, 4);
    assert_ptr_equal (rest.data, s.data + s.size - 4);
    assert_int_equal (mp_finish (&in, &e), 0);
    assert_int_equal (e.code, ERR_NONE);
    drop (s);
}

/* The first failure stays, and nothing can be taken after it. */
static void test_sticky (void **state) {
    (void) state;
    struct slice s = octets ("93c0ff01");
    struct mp in;
    struct error e;
    mp_start (&in, s);
    mp_array (&in, 3, 3);
    mp_nil (&in);
    mp_fail (&in, ERR_LIMIT, "a rule of %s", "mine");
    mp_fail (&in, ERR_MALFORMED, "another");
    int64_t must = 5;
    assert_int_equal (mp_peek (&in), MP_NONE);
    assert_false (mp_try_nil (&in));
    for (int type = 0; type <= MP_NONE; type++)
        read_typed (&in, (enum mp_type) type);
    assert_memory_equal (exact, "\0\0\0\0", 4);
    assert_int_equal (mp_any (&in).size, 0);
    assert_int_equal (mp_extension (&in, 9, &must).size, 0);
    assert_int_equal (must, 0);
    assert_int_equal (mp_finish (&in, &e), ERR_LIMIT);
    assert_int_equal (e.code, ERR_LIMIT);
    assert_string_equal (e.text, "octet 2: a rule of mine");
    /* A start makes it new. */
    mp_start (&in, slice_of (s.data + 1, 1));
    mp_nil (&in);
    assert_int_equal (mp_finish (&in, &e), 0);
    drop (s);
}

static void test_fail_long_text (void **state) {
    (void) state;
    char text[2 * ERROR_TEXT_MAX];
    memset (text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct mp in;
    struct error e;
    mp_start (&in, slice_of (NULL, 0));
    mp_fail (&in, ERR_MALFORMED, "%s", text);
    assert_int_equal (mp_finish (&in, &e), ERR_MALFORMED);
    assert_true (strlen (e.text) < ERROR_TEXT_MAX);
    assert_non_null (strstr (e.text, "..."));
}

static void test_extension (void **state) {
    (void) state;
    static const struct {
        const char *hex;
        size_t max;
        enum err code;
        int64_t must;
        const char *word;
    } cases[] = {
        { "90", 1024, ERR_MALFORMED, 0, "a map has to be" },
        { "8100c0", 1024, ERR_MALFORMED, 0, "integer 0," },
        { "81ffc0", 1024, ERR_MALFORMED, 0, "integer -1," },
        { "81ce80000000c0", 1024, ERR_MALFORMED, 0, "integer 2147483648," },
        { "81a161c0", 1024, ERR_MALFORMED, 0, "found a string" },
        { "820101", 1024, ERR_MALFORMED, 0, "size 2, but 2" },
        { "8201010102", 1024, ERR_MALFORMED, 0, "1 after 1" },
        { "8202010102", 1024, ERR_MALFORMED, 0, "1 after 2" },
        { "81cc0101", 1024, ERR_MALFORMED, 0, "shortest" },
        { "8101ca00000000", 1024, ERR_MALFORMED, 0, "float32" },
        { "8104c1", 1024, ERR_MALFORMED, 0, "a value has to be" },
        { "810182a16200a16100", 1024, ERR_MALFORMED, 0, "order" },
        { "81018105c0", 1024, ERR_MALFORMED, 0, "a string has to be" },
        { "8101a3616161", 5, ERR_LIMIT, 0, "6 octets, limit 5" },
        { "820101020203", 3, ERR_LIMIT, 0, "size 2, allowed are 0 to 1" },
        { "80", 0, ERR_LIMIT, 0, "1 octets, limit 0" },
        { "80", 1, ERR_NONE, 0, NULL },
        { "8101a3616161", 6, ERR_NONE, 0, NULL },
        { "81ce7fffffffc0", 7, ERR_NONE, 0, NULL },
        { "8102c0", 1024, ERR_NONE, 2, NULL },
        { "8501c003c004c005c006c0", 1024, ERR_NONE, 4, NULL },
        { "8109810161", 1024, ERR_MALFORMED, 0, "a string has to be" },
        { "810981a16190", 1024, ERR_NONE, 0, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice s = octets (cases[i].hex);
        struct mp in;
        struct error e = { 0 };
        int64_t must = 77;
        mp_start (&in, s);
        struct slice got = mp_extension (&in, cases[i].max, &must);
        assert_int_equal (mp_finish (&in, &e), cases[i].code);
        assert_int_equal (must, cases[i].must);
        assert_int_equal (got.size, cases[i].code ? 0 : s.size);
        if (cases[i].code && !strstr (e.text, cases[i].word))
            fail_msg ("\"%s\" does not say \"%s\"", e.text, cases[i].word);
        drop (s);
    }
}

static void test_extension_depth (void **state) {
    (void) state;
    struct slice deep = octets_then ("8101", MP_DEPTH_MAX, 0x91);
    uint8_t *data = (uint8_t *) (uintptr_t) deep.data;
    struct error e;
    struct mp in;
    int64_t must;
    for (int more = 0; more < 2; more++) {
        size_t size = 2 + MP_DEPTH_MAX - 1 + (size_t) more;
        data[size - 1] = 0x90;
        mp_start (&in, slice_of (data, size));
        mp_extension (&in, 1024, &must);
        assert_int_equal (mp_finish (&in, &e), more ? ERR_LIMIT : ERR_NONE);
        data[size - 1] = 0x91;
    }
    drop (deep);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_accepted_whole_only),
        cmocka_unit_test (test_wide_maps),
        cmocka_unit_test (test_depth),
        cmocka_unit_test (test_utf8),
        cmocka_unit_test (test_utf8_count),
        cmocka_unit_test (test_types),
        cmocka_unit_test (test_peek_agrees_with_any),
        cmocka_unit_test (test_bounds),
        cmocka_unit_test (test_fields_in_a_row),
        cmocka_unit_test (test_sticky),
        cmocka_unit_test (test_fail_long_text),
        cmocka_unit_test (test_extension),
        cmocka_unit_test (test_extension_depth),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
