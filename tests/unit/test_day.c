/* day: CONTENTS.md sections 2 and 6. */
#include "plans/day.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct date date (const char *text) {
    struct date out;
    struct error e;
    if (date_read (slice_text (text), &out, &e))
        fail_msg ("%s: %s", text, e.text);
    return out;
}

static void test_refused (void **state) {
    (void) state;
    static const struct {
        const char *text;
        enum err want;
        const char *says;
    } rows[] = {
        { "", ERR_MALFORMED, "YYYY" },
        { "26", ERR_MALFORMED, "YYYY" },
        { "02026", ERR_MALFORMED, "" },
        { "2026-", ERR_MALFORMED, "" },
        { "2026-5", ERR_MALFORMED, "" },
        { "2026/05", ERR_MALFORMED, "" },
        { "2026-05-", ERR_MALFORMED, "" },
        { "2026-05-1", ERR_MALFORMED, "" },
        { "2026-05/17", ERR_MALFORMED, "" },
        { "2026-05-017", ERR_MALFORMED, "" },
        { "-026-05-17", ERR_MALFORMED, "" },
        { "20 6", ERR_MALFORMED, "" },
        { "2026-05-17T00:00:00Z", ERR_MALFORMED, "" },
        { "\xd9\xa2\xd9\xa0", ERR_MALFORMED, "" }, /* Arabic digits */
        { "0000", ERR_LIMIT, "0001" },
        { "0000-01", ERR_LIMIT, "0001" },
        { "2026-00", ERR_LIMIT, "month" },
        { "2026-13", ERR_LIMIT, "month" },
        { "2026-13-01", ERR_LIMIT, "month" },
        { "2026-05-00", ERR_LIMIT, "May 2026 has 31" },
        { "2026-05-32", ERR_LIMIT, "May 2026 has 31" },
        { "2026-04-31", ERR_LIMIT, "April 2026 has 30" },
        { "2026-02-30", ERR_LIMIT,
          "2026-02-30 is no day: February 2026 has 28" },
        { "2026-02-29", ERR_LIMIT, "February 2026 has 28" },
        { "1900-02-29", ERR_LIMIT, "February 1900 has 28" },
        { "2024-02-30", ERR_LIMIT, "February 2024 has 29" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e = { 0 };
        struct date out;
        enum err rc = date_read (slice_text (rows[i].text), &out, &e);
        if (rc != rows[i].want || !strstr (e.text, rows[i].says))
            fail_msg ("'%s': %s: %s", rows[i].text, error_name (rc), e.text);
        assert_int_equal (date_read (slice_text (rows[i].text), &out, NULL),
                          rc);
    }
    struct date out;
    assert_int_equal (date_read (slice_of ("2026\0", 5), &out, NULL),
                      ERR_MALFORMED);
    assert_int_equal (date_read (slice_of (NULL, 0), &out, NULL),
                      ERR_MALFORMED);
}

static void test_dates (void **state) {
    (void) state;
    static const struct {
        const char *text, *first, *last;
        enum precision precision;
        int32_t day;
    } rows[] = {
        { "1970", "1970-01-01", "1970-12-31", PRECISION_YEAR, 0 },
        { "1970-01-01", "1970-01-01", "1970-01-01", PRECISION_DAY, 0 },
        { "1969-12-31", "1969-12-31", "1969-12-31", PRECISION_DAY, -1 },
        { "2000-02", "2000-02-01", "2000-02-29", PRECISION_MONTH, 10988 },
        { "2100-02", "2100-02-01", "2100-02-28", PRECISION_MONTH, 47513 },
        { "2024-02-29", "2024-02-29", "2024-02-29", PRECISION_DAY, 19782 },
        { "2026", "2026-01-01", "2026-12-31", PRECISION_YEAR, 20454 },
        { "2026-12", "2026-12-01", "2026-12-31", PRECISION_MONTH, 20788 },
        { "0001", "0001-01-01", "0001-12-31", PRECISION_YEAR, -719162 },
        { "9999-12-31", "9999-12-31", "9999-12-31", PRECISION_DAY, 2932896 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct date out = date (rows[i].text);
        char text[DATE_TEXT_MAX];
        assert_string_equal (date_text (text, &out), rows[i].text);
        assert_string_equal (day_text (text, out.first), rows[i].first);
        assert_string_equal (day_text (text, out.last), rows[i].last);
        assert_int_equal (out.precision, rows[i].precision);
        assert_int_equal (out.first, rows[i].day);
    }
}

/* Every day of the calendar: one after the other, as the C library has it. */
static void test_all_days (void **state) {
    (void) state;
    int32_t first = date ("0001").first, last = date ("9999").last;
    char text[DATE_TEXT_MAX], before[DATE_TEXT_MAX] = "0000-12-31";
    for (int32_t day = first; day <= last; day++) {
        day_text (text, day);
        assert_true (strcmp (before, text) < 0);
        memcpy (before, text, sizeof text);
        struct date back = date (text);
        assert_int_equal (back.first, day);
        assert_int_equal (back.last, day);
        if (day % 97)
            continue;
        time_t at = (time_t) (day_ms (day) / 1000);
        struct tm tm;
        char want[40];
        gmtime_r (&at, &tm);
        snprintf (want, sizeof want, "%04d-%02d-%02d", tm.tm_year + 1900,
                  tm.tm_mon + 1, tm.tm_mday);
        assert_string_equal (text, want);
    }
    assert_string_equal (day_text (text, DAY_OPEN), "open");
    assert_string_equal (day_text (text, DAY_OPEN - 1), "9999-12-31");
    assert_string_equal (day_text (text, INT32_MIN), "0001-01-01");
}

static void test_ms (void **state) {
    (void) state;
    assert_int_equal (day_of_ms (0), 0);
    assert_int_equal (day_of_ms (86399999), 0);
    assert_int_equal (day_of_ms (86400000), 1);
    assert_int_equal (day_of_ms (-1), -1);
    assert_int_equal (day_of_ms (-86400000), -1);
    assert_int_equal (day_of_ms (-86400001), -2);
    assert_int_equal (day_of_ms (INT64_MAX), DAY_OPEN);
    assert_int_equal (day_of_ms (INT64_MIN), INT32_MIN);
    assert_int_equal (day_ms (20454), 20454 * INT64_C (86400000));
    assert_int_equal (day_ms (-1), -86400000);
}

static struct span span (const char *from, const char *to) {
    struct span out;
    struct date a = date (from), b;
    if (to)
        b = date (to);
    span_make (&out, &a, to ? &b : NULL);
    return out;
}

static void test_spans (void **state) {
    (void) state;
    static const struct {
        const char *a_from, *a_to, *b_from, *b_to;
        const char *first, *last; /* "": none */
        const char *certain, *certain_last;
    } rows[] = {
        { "2026", "2026", "2026", "2026", "2026-01-01", "2026-12-31", "", "" },
        { "2025", "2027", "2026-03", "2026-05", "2026-03-01", "2026-05-31",
          "2026-03-31", "2026-05-01" },
        { "2026-03-01", "2026-03-31", "2026-03-31", "2026-04-30", "2026-03-31",
          "2026-03-31", "2026-03-31", "2026-03-31" },
        { "2026-03-01", "2026-03-30", "2026-03-31", "2026-04-30", "", "", "",
          "" },
        { "2026-03", "2026-03", "2026-03-31", "2026-04-30", "2026-03-31",
          "2026-03-31", "", "" },
        { "2026", NULL, "2030-06-01", NULL, "2030-06-01", "open", "2030-06-01",
          "open" },
        { "2026", NULL, "2020", "2025", "", "", "", "" },
        { "2026", NULL, "2020", "2026", "2026-01-01", "2026-12-31", "", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span a = span (rows[i].a_from, rows[i].a_to);
        struct span b = span (rows[i].b_from, rows[i].b_to);
        for (int turned = 0; turned < 2; turned++) {
            int32_t first, last;
            char text[DATE_TEXT_MAX];
            const struct span *x = turned ? &b : &a, *y = turned ? &a : &b;
            bool any = span_common (x, y, &first, &last);
            assert_int_equal (any, *rows[i].first != '\0');
            if (any) {
                assert_string_equal (day_text (text, first), rows[i].first);
                assert_string_equal (day_text (text, last), rows[i].last);
            }
            any = span_common_certain (x, y, &first, &last);
            assert_int_equal (any, *rows[i].certain != '\0');
            if (any) {
                assert_string_equal (day_text (text, first), rows[i].certain);
                assert_string_equal (day_text (text, last),
                                     rows[i].certain_last);
            }
        }
    }
}

static int32_t random_date (struct date *out) {
    char text[DATE_TEXT_MAX];
    int32_t day = 20454 + (int32_t) (random() % 900);
    day_text (text, day);
    text[(const int[]){ 4, 7, 10 }[random() % 3]] = '\0';
    *out = date (text);
    return day;
}

static bool random_span (struct span *out) {
    struct date from, to;
    random_date (&from);
    random_date (&to);
    bool open = random() % 4 == 0;
    span_make (out, &from, open ? NULL : &to);
    return open || from.first <= to.last;
}

static bool certain_day (const struct span *span, int32_t day) {
    return day >= span->from.last && (span->open || day <= span->to.first);
}

/* By trying every day: what is common is what both may have, what is certain
 * lies within, and exact dates leave nothing uncertain. */
static void test_spans_by_days (void **state) {
    (void) state;
    srandom (7);
    for (int i = 0; i < 3000; i++) {
        struct span a, b;
        if (!random_span (&a) || !random_span (&b))
            continue;
        bool any = false, certain = false;
        int32_t low = 0, high = 0, first, last;
        for (int32_t day = 20000; day < 22000; day++) {
            bool both = day >= a.first && day <= a.last && day >= b.first
                        && day <= b.last;
            if (both && !any)
                low = day;
            if (both)
                high = day;
            any |= both;
            if (certain_day (&a, day) && certain_day (&b, day))
                certain = true;
        }
        assert_int_equal (span_common (&a, &b, &first, &last), any);
        if (any) {
            assert_int_equal (first, low);
            assert_int_equal (last > 21999 ? 21999 : last, high);
        }
        int32_t certain_first, certain_last;
        bool is_certain =
            span_common_certain (&a, &b, &certain_first, &certain_last);
        assert_int_equal (is_certain, certain);
        if (is_certain)
            assert_true (any && certain_first >= first && certain_last <= last);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused),  cmocka_unit_test (test_dates),
        cmocka_unit_test (test_all_days), cmocka_unit_test (test_ms),
        cmocka_unit_test (test_spans),    cmocka_unit_test (test_spans_by_days),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
