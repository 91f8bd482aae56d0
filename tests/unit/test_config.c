/* The configuration file: what is refused, and what its reader is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"

#define NUL "\0"
#define CASE(text, what)                                                       \
    { text, sizeof text - 1, what }

static void assert_names (const struct error *e, const char *what) {
    if (!strstr (e->text, what))
        fail_msg ("\"%s\" does not say \"%s\"", e->text, what);
}

static void refused (struct slice text, const char *what) {
    struct error e = { 0 };
    struct config *config = config_read (text, "/etc/x.conf", &e);
    if (config)
        fail_msg ("taken, but should say \"%s\":\n%.*s", what, (int) text.size,
                  (const char *) text.data);
    assert_int_not_equal (e.code, 0);
    assert_names (&e, "/etc/x.conf: ");
    assert_names (&e, what);
}

static void test_text_refused (void **state) {
    (void) state;
    static const struct {
        const char *text;
        size_t size;
        const char *what;
    } cases[] = {
        /* octets */
        CASE ("a = b" NUL "c", "control character 0x00"),
        CASE ("a\n\tb = c", "line 2: control character 0x09"),
        CASE ("a = b\r\n", "control character 0x0d"),
        CASE ("# \x7f", "control character 0x7f"),
        CASE ("a = \xc3", "UTF-8"),
        CASE ("a = \xc0\xaf", "UTF-8"),
        CASE ("a = \xed\xa0\x80", "UTF-8"),
        /* values */
        CASE ("a =", "line 1: no value"),
        CASE ("a = # b", "no value"),
        CASE ("a = b#c", "quotes around"),
        CASE ("a = #c", "no value"),
        CASE ("a = b c", "quotes around"),
        CASE ("a = b\"c", "quotes around"),
        CASE ("a = it's", "quotes around"),
        CASE ("a = \"b", "no closing \""),
        CASE ("a = 'b", "no closing '"),
        CASE ("a = \"b\" c", "text after the value:  c"),
        CASE ("a = \"b\"#c", "text after"),
        CASE ("a = \"b\\\"c\"", "text after"),
        /* names */
        CASE ("A = b", "a name has"),
        CASE ("aB = c", "neither a name nor"),
        CASE ("$a = b", "a name has"),
        CASE ("a@b = c", "neither"),
        CASE ("\xc3\xa9 = c", "a name has"),
        CASE ("= b", "a name has"),
        CASE ("/a = b", "a '/' stands between"),
        CASE ("a/ = b", "a '/' stands between"),
        CASE ("a//b = c", "a '/' stands between"),
        CASE ("a b = c", "neither"),
        CASE ("a : b", "neither"),
        CASE ("a#b", "neither"),
        /* places */
        CASE (" a = b", "indented by 1 spaces"),
        CASE ("a\n  b = c", "line 2: indented by 2 spaces"),
        CASE ("a\n  # b\n    c = d", "multiple of 4"),
        CASE ("    a = b", "indented by 4 spaces; at most 0"),
        CASE ("a\n        b = c", "at most 4 here"),
        CASE ("a = b\n    c = d", "below a name that has a value"),
        CASE ("a\nb = c", "line 2: the name above has no value"),
        CASE ("a\n    b\nc = d", "line 3: the name above"),
        CASE ("b = c\na", "the last name has no value"),
        CASE ("a\n    a\n        a\n            a\n                a\n"
              "                    a\n                        a\n"
              "                            a\n"
              "                                a = b\n",
              "line 9: indented by 32 spaces; at most 28"),
        /* twice */
        CASE ("a = b\na = b", "\"a\" is given twice"),
        CASE ("a\n    b = 1\n    c = 1\n    b = 1", "\"a/b\" is given twice"),
        CASE ("a\n    b = 1\na\n    c = 1", "\"a\" is given twice"),
        CASE ("a/b = 1\na\n    b = 1", "\"a/b\" is given twice"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused (slice_of (cases[i].text, cases[i].size), cases[i].what);
}

static struct buf repeat (const char *head, char c, size_t count) {
    struct buf text = { 0 };
    buf_add_text (&text, head);
    memset (buf_extend (&text, count), c, count);
    return text;
}

static void accepted (struct slice text) {
    struct error e = { 0 };
    struct config *config = config_read (text, "x.conf", &e);
    if (!config)
        fail_msg ("%s", e.text);
    config_destroy (&config);
    assert_null (config);
}

static void test_limits (void **state) {
    (void) state;
    struct buf text = repeat ("", '\n', 65536);
    accepted (buf_slice (&text));
    buf_add_u8 (&text, '\n');
    refused (buf_slice (&text), "65537 octets; at most 65536");
    buf_free (&text);

    text = repeat ("a = ", 'b', 996);
    accepted (buf_slice (&text));
    buf_add_u8 (&text, 'b');
    refused (buf_slice (&text), "1001 octets; at most 1000");
    buf_free (&text);

    text = repeat ("", 'a', 64);
    buf_add_text (&text, " = b");
    accepted (buf_slice (&text));
    buf_free (&text);
    text = repeat ("", 'a', 65);
    buf_add_text (&text, " = b");
    refused (buf_slice (&text), "a name of 65 octets");
    buf_free (&text);

    for (int i = 0; i < 512; i++)
        buf_add_format (&text, "a%d = b\n", i);
    accepted (buf_slice (&text));
    buf_add_text (&text, "b = b\n");
    refused (buf_slice (&text), "line 513: more than 512 names");
    buf_free (&text);

    /* The longest path there is. */
    for (int i = 0; i < 8; i++) {
        struct buf name = repeat ("", 'a', 64);
        buf_add_format (&text, "%*s%.*s%s\n", 4 * i, "", 64,
                        (const char *) name.data, i < 7 ? "" : " = b");
        buf_free (&name);
    }
    accepted (buf_slice (&text));
    buf_free (&text);
}

static struct config *taken (const char *text) {
    struct error e = { 0 };
    struct config *config =
        config_read (slice_text (text), "/etc/x/x.conf", &e);
    if (!config)
        fail_msg ("%s", e.text);
    return config;
}

/* A failure is told by config_finish, which then names it all. */
static void finish_refused (struct config *config, const char *what) {
    struct error e = { 0 };
    assert_int_equal (config_finish (config, &e), ERR_CONFIG);
    assert_int_equal (e.code, ERR_CONFIG);
    assert_names (&e, "/etc/x/x.conf: ");
    assert_names (&e, what);
    config_destroy (&config);
}

static void test_values_refused (void **state) {
    (void) state;
    static const char *const numbers[] = {
        "\"\"",
        "+1",
        "01",
        "-0",
        "1k",
        "0x1",
        "1.0",
        "\" 1\"",
        "\"1 \"",
        "-",
        "9223372036854775808",
        "-9223372036854775809",
        "one",
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[64];
        snprintf (text, sizeof text, "n = %s", numbers[i]);
        struct config *config = taken (text);
        assert_int_equal (config_int (config, "n", 7, INT64_MIN, INT64_MAX), 7);
        finish_refused (config, "\"n\" must be a whole number from -9223372");
    }
    struct config *config = taken ("n = 11");
    assert_int_equal (config_int (config, "n", 7, 1, 10), 7);
    finish_refused (config, "\"n\" must be a whole number from 1 to 10, not"
                            " \"11\"");
    config = taken ("b = 1");
    assert_true (config_bool (config, "b", true));
    finish_refused (config, "\"b\" must be yes or no, not \"1\"");
    config = taken ("a\n    b = \"\"");
    assert_null (config_text (config, "a/b", NULL));
    finish_refused (config, "\"a/b\" must not be empty");
    config = taken ("");
    assert_null (config_path (config, "file", NULL));
    finish_refused (config, "\"file\" is missing");
}

static void test_names_refused (void **state) {
    (void) state;
    struct config *config = taken ("a\n    b = 1\n    c = 2");
    assert_int_equal (config_int (config, "a/b", 0, 0, 9), 1);
    finish_refused (config, "unknown name \"a/c\", given as \"2\"");
    /* A section is no value, and what is below it stays unknown. */
    config = taken ("a\n    b = 1");
    assert_string_equal (config_text (config, "a", "none"), "none");
    finish_refused (config, "unknown name \"a/b\"");
    /* What is misspelled says more than what is missing for it. */
    config = taken ("a\n    desc = x");
    assert_null (config_text (config, "a/desk", NULL));
    finish_refused (config, "unknown name \"a/desc\", given as \"x\"");
    /* The first failure stays. */
    config = taken ("x = y\nn = 1\nb = 2");
    assert_true (config_bool (config, "b", true));
    assert_int_equal (config_int (config, "n", 5, 2, 9), 5);
    assert_int_equal (config_finish (config, NULL), ERR_CONFIG);
    finish_refused (config, "\"b\" must be yes or no");
}

static void test_values (void **state) {
    (void) state;
    struct config *config =
        taken ("# a comment\n"
               "\n"
               "desk\n"
               "    # another\n"
               "    endpoint = \"tcp://*:7001\"   # and one more\n"
               "    name= 'it is \"#1\"' \n"
               "    deep # section\n"
               "        number =-9223372036854775808\n"
               "        yes = yes\n"
               "        no = no # no\n"
               "    true = true\n"
               "    false = false\n"
               "data-dir = state/\xc3\xa9\n"
               "up = ../up\n"
               "absolute = /var/lib\n"
               "flat/x = 0\n"
               "empty = \"\"\n"
               "   \n");
    assert_string_equal (config_text (config, "desk/endpoint", NULL),
                         "tcp://*:7001");
    assert_string_equal (config_text (config, "desk/name", "x"),
                         "it is \"#1\"");
    assert_int_equal (config_int (config, "desk/deep/number", 0, INT64_MIN, 0),
                      INT64_MIN);
    assert_true (config_bool (config, "desk/deep/yes", false));
    assert_false (config_bool (config, "desk/deep/no", true));
    assert_true (config_bool (config, "desk/true", false));
    assert_false (config_bool (config, "desk/false", true));
    assert_string_equal (config_path (config, "data-dir", NULL),
                         "/etc/x/state/\xc3\xa9");
    assert_string_equal (config_path (config, "up", NULL), "/etc/x/../up");
    assert_string_equal (config_path (config, "absolute", NULL), "/var/lib");
    assert_int_equal (config_int (config, "flat/x", 1, 0, 0), 0);
    assert_string_equal (config_text (config, "empty", "x"), "");
    assert_string_equal (config_path (config, "empty", "x"), "");
    /* What is not there. */
    assert_string_equal (config_text (config, "no", "text"), "text");
    assert_string_equal (config_path (config, "no", "file"), "/etc/x/file");
    assert_string_equal (config_path (config, "no", "/file"), "/file");
    assert_int_equal (config_int (config, "no", -5, 1, 2), -5);
    assert_true (config_bool (config, "no", true));
    struct error e = { 0 };
    assert_int_equal (config_finish (config, &e), 0);
    assert_int_equal (e.code, 0);
    config_destroy (&config);
    config_destroy (&config);
}

static void test_load (void **state) {
    (void) state;
    char dir[] = "/tmp/test_config.XXXXXX", file[64], link[64];
    assert_non_null (mkdtemp (dir));
    snprintf (file, sizeof file, "%s/real.conf", dir);
    snprintf (link, sizeof link, "%s/link.conf", dir);
    struct error e = { 0 };
    assert_null (config_load (file, &e));
    assert_int_not_equal (e.code, 0);
    assert_names (&e, file);
    assert_null (config_load (dir, &e));

    FILE *out = fopen (file, "w");
    assert_non_null (out);
    assert_true (fputs ("a = b\n", out) >= 0);
    assert_int_equal (fclose (out), 0);
    assert_int_equal (symlink ("real.conf", link), 0);
    struct config *config = config_load (link, &e);
    assert_non_null (config);
    char want[80];
    snprintf (want, sizeof want, "%s/b", dir);
    assert_string_equal (config_path (config, "a", NULL), want);
    assert_int_equal (config_finish (config, &e), 0);
    config_destroy (&config);

    assert_int_equal (truncate (file, 65537), 0);
    assert_null (config_load (file, &e));
    assert_int_equal (e.code, ERR_LIMIT);
    assert_int_equal (unlink (link) | unlink (file) | rmdir (dir), 0);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_text_refused),
        cmocka_unit_test (test_limits),
        cmocka_unit_test (test_values_refused),
        cmocka_unit_test (test_names_refused),
        cmocka_unit_test (test_values),
        cmocka_unit_test (test_load),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
