/* log: levels, lines, limits, values, threads. The monotonic clock is moved
 * by the test, standard error goes to a file. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static long clock_moved_s;

/* Instead of libc's. */
int clock_gettime (clockid_t id, struct timespec *t) {
    int rc = (int) syscall (SYS_clock_gettime, id, t);
    if (id == CLOCK_MONOTONIC)
        t->tv_sec += clock_moved_s;
    return rc;
}

static int file = -1, saved_stderr = -1;
static char text[1 << 20];

static void catch (void) {
    file = memfd_create ("stderr", MFD_CLOEXEC);
    /* Unlike a file's, the place of a memfd has no lock among writers. */
    fcntl (file, F_SETFL, O_APPEND);
    saved_stderr = dup (STDERR_FILENO);
    dup2 (file, STDERR_FILENO);
}

/* What was written since catch; how many lines. */
static size_t caught (void) {
    dup2 (saved_stderr, STDERR_FILENO);
    close (saved_stderr);
    ssize_t n = pread (file, text, sizeof text - 1, 0);
    close (file);
    assert_true (n >= 0);
    text[n] = 0;
    size_t lines = 0;
    for (ssize_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Behind the time, which has 24 octets and a space. */
#define REST 25

static void test_level_parse (void **state) {
    (void) state;
    enum log_level level = LOG_ERROR;
    static const char *const bad[] = { "", "Info", "warning", "info ", "0" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal (log_level_parse (bad[i], &level), ERR_ARGUMENT);
    assert_int_equal (level, LOG_ERROR);
    static const char *const good[] = { "debug", "info", "warn", "error" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal (log_level_parse (good[i], &level), ERR_NONE);
        assert_int_equal (level, i);
    }
}

static void log_all (void) {
    log_debug ("ID", "n=%d", 1);
    log_info ("ID", "n=%d", 2);
    log_warn ("ID", "n=%d", 3);
    log_error ("ID", "n=%d", 4);
}

static void test_levels (void **state) {
    (void) state;
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        log_set_level ((enum log_level) level);
        catch ();
        log_all();
        assert_int_equal (caught(), 4 - level);
    }
    log_set_level (LOG_INFO);
}

static void test_line (void **state) {
    (void) state;
    catch ();
    errno = EPIPE;
    log_warn ("OUTBOX-FULL", "entity=%s bytes=%d", "EUROPOL", 1048576);
    assert_int_equal (errno, EPIPE);
    log_info ("NO-PAIRS", "%s", "");
    log_error ("TWO-LINES", "a=1\nb=\x1b[2J");
    assert_int_equal (caught(), 3);
    assert_int_equal (text[REST - 2], 'Z');
    char *line = strtok (text, "\n");
    assert_string_equal (line + REST,
                         "WARN  OUTBOX-FULL entity=EUROPOL bytes=1048576");
    line = strtok (NULL, "\n");
    assert_string_equal (line + REST, "INFO  NO-PAIRS");
    line = strtok (NULL, "\n");
    assert_string_equal (line + REST, "ERROR TWO-LINES a=1\\x0ab=\\x1b[2J");
}

static void test_line_cut (void **state) {
    (void) state;
    char big[LOG_LINE_MAX * 2];
    memset (big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    catch ();
    log_info ("BIG", "a=%s", big);
    assert_int_equal (caught(), 1);
    assert_int_equal (strlen (text), LOG_LINE_MAX - 1);
    assert_string_equal (text + LOG_LINE_MAX - 6, "x...\n");
}

static void limited (const char *id, const char *key, int times) {
    for (int i = 0; i < times; i++)
        log_limited (LOG_WARN, id, key, "i=%d", i);
}

static void test_limited (void **state) {
    (void) state;
    catch ();
    errno = EPIPE;
    limited ("LIMITED", "one", 100);
    assert_int_equal (errno, EPIPE);
    limited ("LIMITED", "two", 3);
    limited ("OTHER", "one", 2);
    log_limited (LOG_DEBUG, "LIMITED", "one", "not counted, not shown");
    assert_int_equal (caught(), LOG_LIMIT_BURST + 3 + 2);
    assert_null (strstr (text, "left_out"));

    clock_moved_s += LOG_LIMIT_SECONDS - 5;
    catch ();
    limited ("LIMITED", "one", 1);
    assert_int_equal (caught(), 0);

    clock_moved_s += 5;
    catch ();
    limited ("LIMITED", "one", 2);
    limited ("LIMITED", "two", 1);
    assert_int_equal (caught(), 3);
    char *line = strtok (text, "\n");
    assert_string_equal (line + REST, "WARN  LIMITED left_out=96 i=0");
    line = strtok (NULL, "\n");
    assert_string_equal (line + REST, "WARN  LIMITED i=1");
    line = strtok (NULL, "\n");
    assert_string_equal (line + REST, "WARN  LIMITED i=0");
}

/* New names must buy no new lines: a peer may have as many as it likes. What
 * a place had left out when another key took it is said by the shared one. */
static void test_limited_keys (void **state) {
    (void) state;
    clock_moved_s += LOG_LIMIT_SECONDS;
    catch ();
    for (int i = 0; i < 10 * LOG_LIMIT_KEYS; i++) {
        char key[100];
        snprintf (key, sizeof key, "%d-%080d", i, 0);
        limited ("KEYS", key, i == 0 ? LOG_LIMIT_BURST + 7 : 1);
    }
    assert_int_equal (caught(), LOG_LIMIT_KEYS - 1 + 2 * LOG_LIMIT_BURST);
    clock_moved_s += LOG_LIMIT_SECONDS;
    catch ();
    for (int i = 0; i < LOG_LIMIT_KEYS + 1; i++) {
        char key[16];
        snprintf (key, sizeof key, "new-%d", i);
        limited ("KEYS", key, 1);
    }
    assert_int_equal (caught(), LOG_LIMIT_KEYS + 1);
    char want[64];
    snprintf (want, sizeof want, "left_out=%d i=0\n",
              9 * LOG_LIMIT_KEYS - LOG_LIMIT_BURST + 7);
    assert_non_null (strstr (text, want));
}

static void test_limited_long_key (void **state) {
    (void) state;
    clock_moved_s += LOG_LIMIT_SECONDS;
    char key[201];
    memset (key, 'k', sizeof key);
    key[200] = 0;
    catch ();
    limited ("LONG", key, 5);
    key[100] = 'x'; /* behind what counts */
    limited ("LONG", key, 5);
    key[0] = 'x';
    limited ("LONG", key, 5);
    limited ("LONG", "", 5);
    assert_int_equal (caught(), 3 * LOG_LIMIT_BURST);
}

static void test_values (void **state) {
    (void) state;
    static const struct {
        const char *in;
        size_t size;
        const char *out;
    } rows[] = {
        { "", 0, "\"\"" },
        { "EUROPOL", 7, "EUROPOL" },
        { "a b", 3, "\"a b\"" },
        { "a=b", 3, "\"a=b\"" },
        { "a\"b", 3, "\"a\\\"b\"" },
        { "a\\b", 3, "\"a\\\\b\"" },
        { "a\nb", 3, "a\\x0ab" },
        { "a\0b", 3, "a\\x00b" },
        { "a \xff\n", 4, "\"a \\xff\\x0a\"" },
        { "caf\xc3\xa9", 5, "caf\xc3\xa9" },
        { "caf\xc3\xa9 ", 6, "\"caf\xc3\xa9 \"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal (log_octets (rows[i].in, rows[i].size),
                             rows[i].out);
    assert_string_equal (log_text (NULL), "(null)");
    assert_string_equal (log_text ("a b"), "\"a b\"");
    assert_string_equal (log_octets (NULL, 0), "\"\"");
    assert_string_equal (log_hex (NULL, 0), "");
    assert_string_equal (log_hex ("\x01\xff", 2), "01ff");
}

static void test_values_cut (void **state) {
    (void) state;
    char big[1000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = '\x01';
    assert_int_equal (strlen (log_octets (big, 480)), 1920);
    const char *out = log_octets (big, 481);
    assert_int_equal (strlen (out), 1923);
    assert_string_equal (out + 1920, "...");
    big[0] = ' ';
    assert_int_equal (strlen (log_octets (big, sizeof big)),
                      1 + 479 * 4 + 2 + 3);
    memset (big, '"', sizeof big);
    assert_int_equal (strlen (log_octets (big, sizeof big)), 2 + 960 + 3);
    memset (big, 'x', sizeof big);
    memcpy (big + 478, "\xe2\x82\xac", 3); /* over the border: all or nothing */
    assert_int_equal (strlen (log_octets (big, sizeof big)), 478 + 3);
    memset (big, '\x80', sizeof big);
    assert_int_equal (strlen (log_octets (big, sizeof big)), 1923);
    assert_int_equal (strlen (log_hex (big, 32)), 64);
    assert_int_equal (strlen (log_hex (big, 33)), 64 + 3);
}

static void test_values_kept (void **state) {
    (void) state;
    const char *kept[8];
    for (int i = 0; i < 8; i++) {
        char one[16];
        snprintf (one, sizeof one, "v%d", i);
        kept[i] = i % 2 ? log_text (one) : log_hex (one, 2);
    }
    assert_string_equal (kept[0], "7630");
    assert_string_equal (kept[7], "v7");
}

enum { THREADS = 4, LINES = 500 };

static void *thread_main (void *arg) {
    for (int i = 0; i < LINES; i++) {
        log_info ("THREAD", "who=%s", log_text (arg));
        log_limited (LOG_INFO, "THREAD-LIMITED", arg, "who=%s", log_text (arg));
    }
    return NULL;
}

static void test_threads (void **state) {
    (void) state;
    static char names[THREADS][60];
    pthread_t threads[THREADS];
    clock_moved_s += LOG_LIMIT_SECONDS;
    catch ();
    for (int i = 0; i < THREADS; i++) {
        memset (names[i], 'a' + i, sizeof names[i] - 1);
        pthread_create (&threads[i], NULL, thread_main, names[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join (threads[i], NULL);
    assert_int_equal (caught(), THREADS * (LINES + LOG_LIMIT_BURST));
    char *save, *line = strtok_r (text, "\n", &save);
    for (; line; line = strtok_r (NULL, "\n", &save)) {
        char *who = strstr (line, "who=");
        assert_non_null (who);
        assert_int_equal (strlen (who + 4), sizeof names[0] - 1);
        assert_int_equal (strspn (who + 4, (char[]){ who[4], 0 }),
                          sizeof names[0] - 1);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_level_parse),
        cmocka_unit_test (test_levels),
        cmocka_unit_test (test_line),
        cmocka_unit_test (test_line_cut),
        cmocka_unit_test (test_limited),
        cmocka_unit_test (test_limited_keys),
        cmocka_unit_test (test_limited_long_key),
        cmocka_unit_test (test_values),
        cmocka_unit_test (test_values_cut),
        cmocka_unit_test (test_values_kept),
        cmocka_unit_test (test_threads),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
