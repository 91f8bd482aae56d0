/* error: names, texts that are cut and made printable, memory. */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_null_keeps_nothing (void **state) {
    (void) state;
    assert_int_equal (error_set (NULL, ERR_LIMIT, "%d", 1), ERR_LIMIT);
    assert_int_equal (error_sys (NULL, EACCES, "x"), ERR_IO);
    assert_int_equal (error_sys (NULL, ENOSPC, "x"), ERR_NO_SPACE);
    assert_int_not_equal (error_at (NULL, "x"), ERR_NONE);
}

static void test_names (void **state) {
    (void) state;
    assert_string_equal (error_name ((enum err) - 1), "UNKNOWN");
    assert_string_equal (error_name ((enum err) (ERR_CONFIG + 1)), "UNKNOWN");
    assert_string_equal (error_name (ERR_NONE), "NONE");
    assert_string_equal (error_name (ERR_NO_SPACE), "NO-SPACE");
    for (int a = ERR_NONE; a <= ERR_CONFIG; a++)
        for (int b = ERR_NONE; b < a; b++)
            assert_string_not_equal (error_name ((enum err) a),
                                     error_name ((enum err) b));
}

static void test_utf8 (void **state) {
    (void) state;
    static const struct {
        const char *octets;
        size_t size, want;
    } rows[] = {
        { "", 0, 0 },
        { "\0", 1, 1 },
        { "a", 1, 1 },
        { "\x7f", 1, 1 },
        { "\x80", 1, 0 },
        { "\xbf", 1, 0 },
        { "\xc0\x80", 2, 0 }, /* overlong */
        { "\xc1\xbf", 2, 0 },
        { "\xc2\x80", 2, 2 },
        { "\xc2", 1, 0 },
        { "\xc2\x41", 2, 0 },
        { "\xdf\xbf", 2, 2 },
        { "\xe0\x9f\xbf", 3, 0 }, /* overlong */
        { "\xe0\xa0\x80", 3, 3 },
        { "\xe2\x82", 2, 0 },
        { "\xe2\x82\xc0", 3, 0 },
        { "\xed\x9f\xbf", 3, 3 },
        { "\xed\xa0\x80", 3, 0 }, /* a surrogate */
        { "\xee\x80\x80", 3, 3 },
        { "\xf0\x8f\xbf\xbf", 4, 0 }, /* overlong */
        { "\xf0\x90\x80\x80", 4, 4 },
        { "\xf0\x90\x80", 3, 0 },
        { "\xf4\x8f\xbf\xbf", 4, 4 },
        { "\xf4\x90\x80\x80", 4, 0 }, /* above U+10FFFF */
        { "\xf5\x80\x80\x80", 4, 0 },
        { "\xff", 1, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal (
            utf8_size ((const uint8_t *) rows[i].octets, rows[i].size),
            rows[i].want);
}

static void test_printable (void **state) {
    (void) state;
    static const struct {
        const char *in;
        size_t size, room;
        const char *out;
    } rows[] = {
        { "", 0, 4, "" },
        { "abc", 3, 4, "abc" },
        { "abcd", 4, 4, "..." },
        { "abcde", 5, 5, "a..." },
        { "abcd", 4, 5, "abcd" },
        { "\n", 1, 4, "..." },
        { "\n", 1, 5, "\\x0a" },
        { "a\0b\x7f", 4, 20, "a\\x00b\\x7f" },
        { "caf\xc3\xa9", 5, 20, "caf\xc3\xa9" },
        { "caf\xc3", 4, 20, "caf\\xc3" },
        { "ab\xc3\xa9xyz", 7, 7, "ab..." }, /* never half a character */
        { "ab\xc3\xa9xyz", 7, 8, "ab\xc3\xa9xyz" },
        { "\xc2\x85", 2, 20, "\\xc2\\x85" },
        { "\xc2\xa0", 2, 20, "\xc2\xa0" },
        { "\xe2\x80\xae", 3, 20, "\\xe2\\x80\\xae" },
        { "\xe2\x80\xa8", 3, 20, "\\xe2\\x80\\xa8" },
        { "\xe2\x81\xa6", 3, 20, "\\xe2\\x81\\xa6" },
        { "\xe2\x80\x93", 3, 20, "\xe2\x80\x93" },
        { "\xf0\x9f\x9a\x80", 4, 20, "\xf0\x9f\x9a\x80" },
        { "\\x", 2, 20, "\\x" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[32];
        memset (out, '!', sizeof out);
        size_t n = text_printable (out, rows[i].room, rows[i].in, rows[i].size);
        assert_string_equal (out, rows[i].out);
        assert_int_equal (n, strlen (rows[i].out));
        for (size_t k = rows[i].room; k < sizeof out; k++)
            assert_int_equal (out[k], '!');
    }
}

static void test_set (void **state) {
    (void) state;
    struct error e;
    errno = EPIPE;
    assert_int_equal (error_set (&e, ERR_KEY, "%s=%d\n", "a", 7), ERR_KEY);
    assert_int_equal (errno, EPIPE);
    assert_int_equal (e.code, ERR_KEY);
    assert_string_equal (e.text, "a=7\\x0a");
    /* An argument may be what is replaced. */
    assert_int_equal (error_set (&e, ERR_CHAIN, "then %s", e.text), ERR_CHAIN);
    assert_string_equal (e.text, "then a=7\\x0a");
}

static void test_set_cuts (void **state) {
    (void) state;
    struct error e;
    char big[5000];
    for (size_t size = ERROR_TEXT_MAX - 2; size < sizeof big; size += 401) {
        memset (big, 'x', size);
        big[size] = 0;
        error_set (&e, ERR_IO, "%s", big);
        if (size < ERROR_TEXT_MAX) {
            assert_string_equal (e.text, big);
            continue;
        }
        assert_int_equal (strlen (e.text), ERROR_TEXT_MAX - 1);
        assert_string_equal (e.text + ERROR_TEXT_MAX - 4, "...");
    }
}

static void test_sys (void **state) {
    (void) state;
    struct error e;
    char big[2000];
    errno = EPIPE;
    assert_int_equal (error_sys (&e, ENOENT, "open '%s'", "f\t"), ERR_IO);
    assert_int_equal (errno, EPIPE);
    assert_string_equal (e.text, "open 'f\\x09': No such file or directory");
    assert_int_equal (error_sys (&e, EDQUOT, "w"), ERR_NO_SPACE);
    assert_int_equal (e.code, ERR_NO_SPACE);
    assert_string_equal (e.text, "w: Disk quota exceeded");
    memset (big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    assert_int_equal (error_sys (&e, ENOSPC, "%s", big), ERR_NO_SPACE);
    assert_int_equal (strlen (e.text), ERROR_TEXT_MAX - 1);
    assert_non_null (strstr (e.text, "x...: No space left on device"));
}

static void test_at (void **state) {
    (void) state;
    struct error e;
    char big[2000];
    error_set (&e, ERR_DIGEST, "body");
    errno = EPIPE;
    assert_int_equal (error_at (&e, "file %d", 3), ERR_DIGEST);
    assert_int_equal (errno, EPIPE);
    assert_string_equal (e.text, "file 3: body");
    assert_int_equal (error_at (&e, "%s", e.text), ERR_DIGEST);
    assert_string_equal (e.text, "file 3: body: file 3: body");
    memset (big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    assert_int_equal (error_at (&e, "%s", big), ERR_DIGEST);
    assert_int_equal (strlen (e.text), ERROR_TEXT_MAX - 1);
    assert_string_equal (e.text + ERROR_TEXT_MAX - 4, "...");
}

static void test_memory (void **state) {
    (void) state;
    static const char zeros[100];
    char *p = mem_alloc (100);
    assert_memory_equal (p, zeros, 100);
    strcpy (p, "kept");
    p = mem_resize (p, 1000000);
    assert_string_equal (p, "kept");
    free (p);
    free (mem_alloc (0));
    free (mem_resize (NULL, 0));
    p = mem_copy (NULL, 0);
    assert_non_null (p);
    free (p);
    p = mem_copy ("ab\0c", 4);
    assert_memory_equal (p, "ab\0c", 4);
    free (p);
    p = mem_copy_text ("");
    assert_string_equal (p, "");
    free (p);
}

/* What the machine does not have ends the process. */
static void test_memory_over (void **state) {
    (void) state;
    for (int which = 0; which < 3; which++) {
        pid_t child = fork();
        assert_true (child >= 0);
        if (child == 0) {
            volatile size_t much = SIZE_MAX / 2;
            if (!freopen ("/dev/null", "w", stderr))
                _exit (0);
            char *p = which == 0   ? mem_alloc (much)
                      : which == 1 ? mem_resize (NULL, much)
                                   : mem_copy ("a", much);
            _exit (p == NULL); /* 0: it went on */
        }
        int status;
        assert_int_equal (waitpid (child, &status, 0), child);
        assert_false (WIFEXITED (status) && WEXITSTATUS (status) == 0);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_null_keeps_nothing),
        cmocka_unit_test (test_names),
        cmocka_unit_test (test_utf8),
        cmocka_unit_test (test_printable),
        cmocka_unit_test (test_set),
        cmocka_unit_test (test_set_cuts),
        cmocka_unit_test (test_sys),
        cmocka_unit_test (test_at),
        cmocka_unit_test (test_memory),
        cmocka_unit_test (test_memory_over),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
