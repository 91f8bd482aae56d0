/* The operator's command: what it is, what it gets, and what becomes of it. */
#include "api/tell.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char dir[200], program[260], result[260];
static struct error e;

static int begin (void **state) {
    (void) state;
    const char *base = getenv ("TMPDIR");
    snprintf (dir, sizeof dir, "%s/parley-tell-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp (dir))
        return -1;
    snprintf (program, sizeof program, "%s/program", dir);
    snprintf (result, sizeof result, "%s/result", dir);
    return 0;
}

static int end (void **state) {
    (void) state;
    unlink (program);
    unlink (result);
    return rmdir (dir);
}

static void write_program (const char *body) {
    FILE *file = fopen (program, "w");
    assert_non_null (file);
    fprintf (file, "#!/bin/sh\n%s\n", body);
    fclose (file);
    assert_int_equal (chmod (program, 0700), 0);
}

static bool never (void *arg) {
    (void) arg;
    return false;
}
static bool at_once (void *arg) {
    (void) arg;
    return true;
}

static enum err run (const char *words, const char *input) {
    char command[700];
    snprintf (command, sizeof command, "%s %s", program, words);
    e = (struct error){ 0 };
    return tell_run (command, slice_text (input), 60000, never, NULL, &e);
}

static void test_commands (void **state) {
    (void) state;
    static const struct {
        const char *command;
        bool fine;
    } rows[] = {
        { "/bin/true", true },
        { "/bin/true a  b", true },
        { "", false },
        { " ", false },
        { "true", false },
        { "./true", false },
        { "/x 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", true },
        { "/x 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal (tell_check (rows[i].command, &e) == 0, rows[i].fine);
    char *octets = calloc (1, TELL_INPUT_MAX + 1);
    assert_int_equal (tell_run ("/bin/true",
                                slice_of (octets, TELL_INPUT_MAX + 1), 1, never,
                                NULL, &e),
                      ERR_STATE);
    free (octets);
    assert_int_equal (
        tell_run ("/nowhere/true", slice_text (""), 1, never, NULL, &e),
        ERR_STATE);
    assert_non_null (strstr (e.text, "can't be run"));
}

static void test_ends (void **state) {
    (void) state;
    write_program ("exit $1");
    assert_int_equal (run ("0", "x"), ERR_NONE);
    assert_int_equal (run ("3", "x"), ERR_STATE);
    assert_string_equal (e.text, "it ended with 3");
    write_program ("kill -9 $$");
    assert_int_equal (run ("", ""), ERR_STATE);
    assert_string_equal (e.text, "signal 9 ended it");
    write_program ("sleep 1000 & sleep 1000");
    assert_int_equal (tell_run (program, slice_text (""), 300, never, NULL, &e),
                      ERR_STATE);
    assert_string_equal (e.text, "it had not ended after 0 s");
    assert_int_equal (
        tell_run (program, slice_text (""), 60000, at_once, NULL, &e),
        ERR_STATE);
}

static char *result_text (void) {
    static char text[8192];
    FILE *file = fopen (result, "r");
    assert_non_null (file);
    text[fread (text, 1, sizeof text - 1, file)] = '\0';
    fclose (file);
    return text;
}

/* Its input whole, PATH and LANG alone, no descriptor of ours, no signal
 * blocked. */
static void test_what_it_has (void **state) {
    (void) state;
    char body[1200];
    sigset_t set;
    int leaked = open ("/dev/null", O_RDONLY); /* without close-on-exec */
    assert_true (leaked > 2);
    sigemptyset (&set);
    sigaddset (&set, SIGTERM);
    sigprocmask (SIG_BLOCK, &set, NULL);
    setenv ("PARLEY_SECRET", "s", 1);
    snprintf (body, sizeof body,
              "exec >%s 2>&1; cat; echo; echo \"$@\"; pwd; grep SigBlk "
              "/proc/self/status;\n"
              "tr '\\0' '\\n' </proc/$$/environ | sed 's/=.*//' | sort;\n"
              "for f in /proc/$$/fd/*; do n=${f##*/}; \n"
              "[ $n -le 2 ] || readlink $f; done; exit 0",
              result);
    write_program (body);
    assert_int_equal (run ("a b", "{\"total\": 1}"), ERR_NONE);
    sigprocmask (SIG_UNBLOCK, &set, NULL);
    close (leaked);
    char *text = result_text();
    static const char first[] = "{\"total\": 1}\na b\n/\n";
    char *blocked = strstr (text, "SigBlk:\t0000000000000000\n");
    if (!blocked)
        fail_msg ("%s", text);
    if (strncmp (text, first, sizeof first - 1) != 0)
        fail_msg ("%s", text);
    /* The script itself is open. */
    char want[400];
    snprintf (want, sizeof want, "LANG\nPATH\n%s\n", program);
    assert_string_equal (strchr (blocked, '\n') + 1, want);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_commands),
        cmocka_unit_test (test_ends),
        cmocka_unit_test (test_what_it_has),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
