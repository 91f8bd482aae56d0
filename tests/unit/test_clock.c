/* clock: dates as text both ways, and the offset for tests. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define OFFSET "PARLEY_TEST_CLOCK_OFFSET_MS"

static int64_t real_ms (void) {
    struct timespec t;
    clock_gettime (CLOCK_REALTIME, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* In a child: the offset is read once in a process. 0: the clock is off by
 * `want` ms. */
static int child_status (const char *offset, int64_t want) {
    pid_t child = fork();
    assert_true (child >= 0);
    if (child == 0) {
        if (!freopen ("/dev/null", "w", stderr))
            _exit (2);
        if (offset)
            setenv (OFFSET, offset, 1);
        else
            unsetenv (OFFSET);
        int64_t before = real_ms() + want, ms = clock_wall_ms();
        _exit (ms >= before && ms <= real_ms() + want ? 0 : 1);
    }
    int status;
    assert_int_equal (waitpid (child, &status, 0), child);
    return status;
}

static void test_offset (void **state) {
    (void) state;
    static const char *const bad[] = {
        "", "x", "1x", "1.5", "99999999999999999", "99999999999999999999999"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal (child_status (bad[i], 0), 0);
    assert_int_equal (child_status (NULL, 0), 0);
    assert_int_equal (child_status ("0", 0), 0);
    assert_int_equal (child_status ("86400000", 86400000), 0);
    assert_int_equal (child_status ("-5000", -5000), 0);
}

static void test_mono (void **state) {
    (void) state;
    int64_t last = clock_mono_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono_ns();
        assert_true (now >= last);
        last = now;
    }
    int64_t ms = clock_mono_ms();
    assert_true (ms >= last / 1000000 && ms <= clock_mono_ns() / 1000000);
}

static void test_parse_refuses (void **state) {
    (void) state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11",
        "2026-11-",
        "2026-1-01",
        "26-11-24",
        "02026-11-24",
        "+2026-11-24",
        "2026/11/24",
        "2026-00-10",
        "2026-13-10",
        "2026-11-00",
        "2026-11-31",
        "2026-02-29",
        "2100-02-29",
        "1900-02-29",
        "2026-11-24 ",
        " 2026-11-24",
        "2026-11-24Z",
        "2026-11-24T",
        "2026-11-24T05:12",
        "2026-11-24T05:12Z",
        "2026-11-24T05:12:09",
        "2026-11-24 05:12:09Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T23:60:00Z",
        "2026-11-24T23:59:60Z",
        "2026-12-31T23:59:61Z",
        "2026-11-24T5:12:09Z",
        "2026-11-24T05:12:09.Z",
        "2026-11-24T05:12:09,5Z",
        "2026-11-24T05:12:09.1.2Z",
        "2026-11-24T05:12:09ZZ",
        "2026-11-24T05:12:09Z\n",
        "2026-11-24T05:12:09+",
        "2026-11-24T05:12:09+1:00",
        "2026-11-24T05:12:09+0100",
        "2026-11-24T05:12:09+01",
        "2026-11-24T05:12:09+24:00",
        "2026-11-24T05:12:09+01:60",
        "2026-11-24T05:12:09+01:00Z",
        "2026-11-24T-1:12:09Z",
        "2026-11-24T05:12:0\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms = 77;
        if (clock_parse (bad[i], &ms) != ERR_MALFORMED || ms != 77)
            fail_msg ("taken: %s", bad[i]);
    }
}

static void test_parse (void **state) {
    (void) state;
    static const struct {
        const char *in;
        int64_t ms;
    } rows[] = {
        { "1970-01-01", 0 },
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-01-01t00:00:00z", 0 },
        { "1969-12-31T23:59:59.999Z", -1 },
        { "0000-01-01", INT64_C (-62167219200000) },
        { "9999-12-31T23:59:59.999Z", INT64_C (253402300799999) },
        { "2024-02-29", INT64_C (1709164800000) },
        { "2000-02-29", INT64_C (951782400000) },
        { "2026-11-24T05:12:09.123Z", INT64_C (1795497129123) },
        { "2026-11-24T05:12:09.1Z", INT64_C (1795497129100) },
        { "2026-11-24T05:12:09.01Z", INT64_C (1795497129010) },
        { "2026-11-24T05:12:09.1239999999999999Z", INT64_C (1795497129123) },
        { "2026-11-24T06:12:09.123+01:00", INT64_C (1795497129123) },
        { "2026-11-23T23:42:09.123-05:30", INT64_C (1795497129123) },
        { "2026-11-25T05:11:09.123+23:59", INT64_C (1795497129123) },
        { "2026-11-24T05:12:09-00:00", INT64_C (1795497129000) },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms;
        assert_int_equal (clock_parse (rows[i].in, &ms), ERR_NONE);
        assert_true (ms == rows[i].ms);
    }
}

static void test_text (void **state) {
    (void) state;
    static const struct {
        int64_t ms;
        const char *out;
    } rows[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 5, "1970-01-01T00:00:00.005Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { -1000, "1969-12-31T23:59:59.000Z" },
        { INT64_C (1795497129123), "2026-11-24T05:12:09.123Z" },
        { CLOCK_MS_MAX, "287396-10-12T08:59:00.991Z" },
        { INT64_MAX, "292278994-08-17T07:12:55.807Z" },
        { INT64_MIN, "-292275055-05-16T16:47:04.192Z" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[CLOCK_TEXT_MAX];
        assert_string_equal (clock_text (out, rows[i].ms), rows[i].out);
    }
}

/* Each text of four-digit years reads as what it was made of. */
static void test_round (void **state) {
    (void) state;
    for (int64_t ms = 0; ms < INT64_C (253402300800000);
         ms += INT64_C (86399999977) * 7 / 3) {
        char text[CLOCK_TEXT_MAX];
        int64_t back;
        assert_int_equal (clock_parse (clock_text (text, ms), &back), 0);
        assert_true (back == ms);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_offset), /* first: nothing has asked yet */
        cmocka_unit_test (test_mono),   cmocka_unit_test (test_parse_refuses),
        cmocka_unit_test (test_parse),  cmocka_unit_test (test_text),
        cmocka_unit_test (test_round),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
