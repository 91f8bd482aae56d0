/* Between canonical msgpack and JSON, and the sample plans both ways. */
#include "base/mp.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAX 1000000

static json_t *parse (const char *text) {
    json_error_t why;
    json_t *value = json_loads (
        text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!value)
        fail_msg ("%s: %s", text, why.text);
    return value;
}

static void test_from_bad_arguments (void **state) {
    (void) state;
    struct buf b = { 0 };
    struct error e;
    assert_int_equal (mp_from_json (&b, NULL, MAX, &e), ERR_ARGUMENT);
    assert_int_equal (mp_from_json (&b, NULL, MAX, NULL), ERR_ARGUMENT);
    assert_int_equal (b.size, 0);
    buf_free (&b);
}

static const struct {
    const char *json;
    size_t max;
    enum err code;
    const char *word;
} refused[] = {
    { "{\"$bin\": 5}", MAX, ERR_MALFORMED, "has to be a string" },
    { "{\"$bin\": null}", MAX, ERR_MALFORMED, "has to be a string" },
    { "{\"$bin\": {\"$bin\": \"\"}}", MAX, ERR_MALFORMED, "string" },
    { "{\"$bin\": \"aGk\"}", MAX, ERR_MALFORMED, "base64" },
    { "{\"$bin\": \"a\"}", MAX, ERR_MALFORMED, "base64" },
    { "{\"$bin\": \"aGk=\\n\"}", MAX, ERR_MALFORMED, "base64" },
    { "{\"$bin\": \"aGl=\"}", MAX, ERR_MALFORMED, "base64" }, /* spare bits */
    { "{\"$bin\": \"a-_=\"}", MAX, ERR_MALFORMED, "base64" },
    { "{\"$bin\": \"aGk=\\u0000\"}", MAX, ERR_MALFORMED, "base64" },
    { "[1, {\"$bin\": \"?\"}]", MAX, ERR_MALFORMED, "base64" },
    { "null", 0, ERR_LIMIT, "limit of 0" },
    { "300", 2, ERR_LIMIT, "limit of 2" },
    { "1.5", 8, ERR_LIMIT, "limit of 8" },
    { "\"abc\"", 3, ERR_LIMIT, "limit of 3" },
    { "\"abc\"", 2, ERR_LIMIT, "limit of 2" },
    { "{\"$bin\": \"aGk=\"}", 3, ERR_LIMIT, "limit of 3" },
    { "{\"$bin\": \"aGlhaGlhaGlh\"}", 6, ERR_LIMIT, "limit of 6" },
    { "[1, 2, 3]", 3, ERR_LIMIT, "limit of 3" },
    { "[[], 2, 3]", 2, ERR_LIMIT, "limit of 2" },
    { "{\"a\": 1}", 3, ERR_LIMIT, "limit of 3" },
    { "{\"abcdef\": 1}", 5, ERR_LIMIT, "limit of 5" },
    { "{\"a\": {}, \"b\": {}}", 0, ERR_LIMIT, "limit of 0" },
    { "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", MAX, ERR_LIMIT, "deeper than 16" },
    { "[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]", MAX, ERR_LIMIT, "deeper than 16" },
    { "{\"\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", MAX, ERR_LIMIT, "deeper" },
};

static void test_from_refused (void **state) {
    (void) state;
    struct buf b = { 0 };
    buf_add_text (&b, "kept");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        json_t *value = parse (refused[i].json);
        struct error e;
        assert_int_equal (mp_from_json (&b, value, refused[i].max, &e),
                          refused[i].code);
        assert_int_equal (e.code, refused[i].code);
        if (!strstr (e.text, refused[i].word))
            fail_msg ("%s: \"%s\"", refused[i].json, e.text);
        assert_true (slice_is (buf_slice (&b), "kept"));
        json_decref (value);
    }
    buf_free (&b);
}

/* JSON and its octets. `back`: the JSON that those give, where it differs. */
static const struct {
    const char *json, *hex, *back;
} pairs[] = {
    { "null", "c0", NULL },
    { "true", "c3", NULL },
    { "false", "c2", NULL },
    { "0", "00", NULL },
    { "-0", "00", "0" },
    { "-0.0", "00", "0" },
    { "1.0", "01", "1" },
    { "1e2", "64", "100" },
    { "-3.0", "fd", "-3" },
    { "255", "ccff", NULL },
    { "-128", "d080", NULL },
    { "9007199254740993", "cf0020000000000001", NULL },
    { "9223372036854775807", "cf7fffffffffffffff", NULL },
    { "-9223372036854775808", "d38000000000000000", NULL },
    { "-9223372036854775808.0", "d38000000000000000", "-9223372036854775808" },
    { "9223372036854775808.0", "cb43e0000000000000", NULL },
    { "1e300", "cb7e37e43c8800759c", NULL },
    { "1.5", "cb3ff8000000000000", NULL },
    { "0.1", "cb3fb999999999999a", NULL },
    { "\"\"", "a0", NULL },
    { "\"h\xc3\xa9\"", "a368c3a9", NULL },
    { "\"a\\u0000b\"", "a3610062", NULL },
    { "\"\\ud83d\\ude00\"", "a4f09f9880", NULL },
    { "{\"$bin\": \"\"}", "c400", NULL },
    { "{\"$bin\": \"/w==\"}", "c401ff", NULL },
    { "{\"$bin\": \"AAEC\"}", "c403000102", NULL },
    /* Any other member makes it an object like all. */
    { "{\"$bin\": \"/w==\", \"a\": 1}", "82a42462696ea42f773d3da16101", NULL },
    { "{\"$bin2\": \"/w==\"}", "81a52462696e32a42f773d3d", NULL },
    { "[]", "90", NULL },
    { "[1, [2], {}]",
      "93019102"
      "80",
      NULL },
    { "{}", "80", NULL },
    /* By octets: capitals first, é after z, the shorter first. */
    { "{\"z\":1,\"\xc3\xa9\":2,\"B\":3,\"a\":4,\"aa\":5,\"\":6}",
      "86a006a14203a16104a2616105a17a01a2c3a902", NULL },
    { "{\"b\": {\"d\": 1, \"c\": 2}, \"a\": [{\"$bin\": \"/w==\"}]}",
      "82a16191c401ffa16282a16302a16401", NULL },
    { "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]",
      "91919191919191919191919191919191"
      "01",
      NULL },
    { "[[[[[[[[[[[[[[[[{\"$bin\":\"\"}]]]]]]]]]]]]]]]]",
      "91919191919191919191919191919191"
      "c400",
      NULL },
};

static void test_pairs (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct error e = { 0 };
        struct buf b = { 0 };
        size_t size = strlen (pairs[i].hex) / 2;
        uint8_t want[64];
        assert_int_equal (hex_decode (want, size, pairs[i].hex), 0);
        json_t *value = parse (pairs[i].json);
        buf_add_text (&b, "+");
        if (mp_from_json (&b, value, size, &e))
            fail_msg ("%s: %s", pairs[i].json, e.text);
        struct slice got = slice_of (b.data + 1, b.size - 1);
        if (!slice_equal (got, slice_of (want, size)))
            fail_msg ("%s: other octets", pairs[i].json);
        assert_int_equal (mp_check (got, &e), 0);
        json_t *back = mp_to_json (got, &e);
        json_t *expected =
            pairs[i].back ? parse (pairs[i].back) : json_incref (value);
        if (!json_equal (back, expected))
            fail_msg ("%s: another JSON back", pairs[i].json);
        json_decref (expected);
        json_decref (back);
        json_decref (value);
        buf_free (&b);
    }
}

/* One octet less than it takes is refused, wherever that octet is. */
static void test_each_limit (void **state) {
    (void) state;
    struct error e;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buf b = { 0 };
        json_t *value = parse (pairs[i].json);
        size_t size = strlen (pairs[i].hex) / 2;
        for (size_t max = 0; max < size; max++)
            assert_int_equal (mp_from_json (&b, value, max, &e), ERR_LIMIT);
        assert_int_equal (b.size, 0);
        json_decref (value);
        buf_free (&b);
    }
}

static void test_to_refused (void **state) {
    (void) state;
    static const struct {
        const char *hex;
        enum err code;
    } cases[] = {
        { "", ERR_MALFORMED },
        { "c1", ERR_MALFORMED },
        { "8101c0", ERR_MALFORMED }, /* an extension map */
        { "82a16101a16102", ERR_MALFORMED },
        { "92c0", ERR_MALFORMED },
        { "c0c0", ERR_MALFORMED },
        { "a1ff", ERR_MALFORMED },
        { "cb7ff0000000000000", ERR_MALFORMED },
        { "9191919191919191919191919191919190", ERR_LIMIT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t data[32];
        size_t size = strlen (cases[i].hex) / 2;
        struct error e = { 0 };
        assert_int_equal (hex_decode (data, size, cases[i].hex), 0);
        assert_null (mp_to_json (slice_of (data, size), &e));
        assert_int_equal (e.code, cases[i].code);
        assert_null (mp_to_json (slice_of (data, size), NULL));
    }
}

/* What JSON can't tell apart, and what it can. */
static void test_to_json (void **state) {
    (void) state;
    struct error e;
    static const uint8_t looks[] = "\x81\xa4$bin\xa4/w==";
    json_t *value = mp_to_json (slice_of (looks, sizeof looks - 1), &e);
    json_t *same = mp_to_json (slice_of ("\xc4\x01\xff", 3), &e);
    assert_true (json_equal (value, same));
    json_decref (value);
    json_decref (same);
    value = mp_to_json (slice_of ("\x82\xa1\0\1\xa2\0a\2", 8), &e);
    assert_int_equal (json_object_size (value), 2); /* NULs in keys */
    struct buf b = { 0 };
    assert_int_equal (mp_from_json (&b, value, MAX, &e), 0);
    assert_memory_equal (b.data, "\x82\xa1\0\1\xa2\0a\2", 8);
    json_decref (value);
    value = mp_to_json (slice_of ("\xcb\x3f\xf8\0\0\0\0\0\0", 9), &e);
    assert_true (json_is_real (value));
    json_decref (value);
    buf_free (&b);
}

static void round_trip (const char *path) {
    json_error_t why;
    struct error e;
    struct buf b = { 0 };
    json_t *value = json_load_file (path, JSON_REJECT_DUPLICATES, &why);
    if (!value)
        fail_msg ("%s: %s", path, why.text);
    assert_int_equal (mp_from_json (&b, value, MAX, &e), 0);
    assert_int_equal (mp_check (buf_slice (&b), &e), 0);
    json_t *back = mp_to_json (buf_slice (&b), &e);
    assert_true (json_equal (value, back));
    json_decref (value);
    json_decref (back);
    buf_free (&b);
}

static void test_sample_plans (void **state) {
    (void) state;
    const char *sample = getenv ("PARLEY_SAMPLE");
    if (!sample)
        skip();
    char path[1024];
    snprintf (path, sizeof path, "%s/plans", sample);
    DIR *dir = opendir (path);
    assert_non_null (dir);
    unsigned n = 0;
    for (struct dirent *file; (file = readdir (dir));)
        if (strstr (file->d_name, ".json")) {
            snprintf (path, sizeof path, "%s/plans/%s", sample, file->d_name);
            round_trip (path);
            n++;
        }
    closedir (dir);
    assert_true (n > 0);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_from_bad_arguments),
        cmocka_unit_test (test_from_refused),
        cmocka_unit_test (test_pairs),
        cmocka_unit_test (test_each_limit),
        cmocka_unit_test (test_to_refused),
        cmocka_unit_test (test_to_json),
        cmocka_unit_test (test_sample_plans),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
