/* faults: places in a document, and what is kept of many. */
#include "plans/faults.h"

#include "base/buf.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_path (void **state) {
    (void) state;
    static const struct {
        const char *member, *want; /* RFC 6901 section 5 */
    } rows[] = {
        { "", "/" },        { "foo", "/foo" },
        { "a/b", "/a~1b" }, { "m~n", "/m~0n" },
        { "~1", "/~01" },   { "c%d", "/c%d" },
        { "/", "/~1" },     { "\xc3\xa9", "/\xc3\xa9" },
    };
    struct path path = { { 0 }, 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t mark = path_member (&path, rows[i].member);
        assert_int_equal (mark, 0);
        assert_string_equal (path.text, rows[i].want);
        path_back (&path, mark);
        assert_string_equal (path.text, "");
    }
    path_member (&path, "actions");
    size_t mark = path_index (&path, 3);
    path_member (&path, "from");
    assert_string_equal (path.text, "/actions/3/from");
    path_back (&path, mark);
    path_index (&path, SIZE_MAX);
    assert_string_equal (path.text, "/actions/18446744073709551615");
}

/* A member's name is a peer's: what does not fit is cut, and the way back is
 * as it was. */
static void test_path_cut (void **state) {
    (void) state;
    struct path path = { { 0 }, 0 };
    char name[2 * PATH_MAX_OCTETS];
    memset (name, '~', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    path_member (&path, "a");
    for (int i = 0; i < 3; i++)
        path_member (&path, name);
    assert_int_equal (strlen (path.text), path.size);
    assert_in_range (path.size, PATH_MAX_OCTETS - 3, PATH_MAX_OCTETS - 1);
    path_back (&path, 2);
    assert_string_equal (path.text, "/a");
    path_member (&path, "b");
    assert_string_equal (path.text, "/a/b");
}

static void test_faults (void **state) {
    (void) state;
    struct faults faults = { 0 };
    struct error e;
    faults_clear (&faults);
    char pointer[] = "/a";
    faults_add (&faults, pointer, "is %d\n", 7);
    pointer[1] = 'x'; /* it was copied */
    assert_int_equal (faults_error (&faults, &e), ERR_MALFORMED);
    assert_string_equal (e.text, "/a: is 7\\x0a");
    for (int i = 1; i < 3 * FAULTS_MAX; i++)
        faults_add (&faults, "", "%s", "wrong");
    assert_int_equal (faults.kept, FAULTS_MAX);
    assert_int_equal (faults.count, 3 * FAULTS_MAX);
    assert_int_equal (faults_error (&faults, &e), ERR_MALFORMED);
    assert_string_equal (e.text, "/a: is 7\\x0a, and 299 more");
    assert_int_equal (faults_error (&faults, NULL), ERR_MALFORMED);
    faults_clear (&faults);
    assert_int_equal (faults.kept + faults.count, 0);
}

/* Cut between characters: the pointer is text in JSON. */
static void test_path_characters (void **state) {
    (void) state;
    for (size_t before = 0; before < 8; before++) {
        struct path path = { { 0 }, 0 };
        struct faults faults = { 0 };
        char name[PATH_MAX_OCTETS + 2];
        for (size_t at = 0; at + 4 < sizeof name; at += 4)
            memcpy (name + at, "\xf0\x9f\x98\x80", 5);
        path_member (&path, &"xxxxxxxx"[before]);
        path_member (&path, name);
        faults_add (&faults, path.text, "is wrong");
        json_t *json = faults_json (&faults);
        assert_int_equal (json_array_size (json), 1);
        json_decref (json);
        faults_clear (&faults);
    }
}

/* Text of a hostile document still makes JSON. */
static void test_json (void **state) {
    (void) state;
    struct faults faults = { 0 };
    char large[2 * ERROR_TEXT_MAX];
    memset (large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    faults_add (&faults, "/actions/0", "is '%s'", "\xff\"\xe2\x80\xae");
    faults_add (&faults, "", "is %s", large);
    json_t *json = faults_json (&faults);
    assert_int_equal (json_array_size (json), 2);
    const json_t *first = json_array_get (json, 0);
    assert_string_equal (json_string_value (json_object_get (first, "pointer")),
                         "/actions/0");
    assert_string_equal (json_string_value (json_object_get (first, "text")),
                         "is '\\xff\"\\xe2\\x80\\xae'");
    const json_t *second = json_array_get (json, 1);
    size_t size = json_string_length (json_object_get (second, "text"));
    assert_int_equal (size, ERROR_TEXT_MAX - 1);
    json_decref (json);
    faults_clear (&faults);
    json = faults_json (&faults);
    assert_int_equal (json_array_size (json), 0);
    json_decref (json);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_path),
        cmocka_unit_test (test_path_cut),
        cmocka_unit_test (test_path_characters),
        cmocka_unit_test (test_faults),
        cmocka_unit_test (test_json),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
