/* instant: THREADS.md section 3. */
#include "threads/instant.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static struct instant instant (const char *text) {
    struct instant out;
    struct error e;
    if (instant_read (slice_text (text), &out, &e))
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
        { "", ERR_MALFORMED, "is no instant" },
        { "2026", ERR_MALFORMED, "is no instant" },
        { "2026-11", ERR_MALFORMED, "is no instant" },
        { "2026-1-030", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00", ERR_MALFORMED, "is no instant" },
        { "2026-11-30 17:00:00Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30t17:00:00Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00Z ", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:0Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17.00.00Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00.Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00,5Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00.1234Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00.123", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00+1:00", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00+01", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00+0100", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00+01:000", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00 01:00", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00+-1:00", ERR_MALFORMED, "is no instant" },
        { "-026-11-30T17:00:00Z", ERR_MALFORMED, "is no instant" },
        { "02026-11-30T17:00:00Z", ERR_MALFORMED, "is no instant" },
        { "2026-11-30T17:00:00.123+01:0000000000000", ERR_MALFORMED, "" },
        { "2026-11-31", ERR_LIMIT, "November 2026 has 30" },
        { "2026-02-29T00:00:00Z", ERR_LIMIT, "February 2026 has 28" },
        { "2026-13-01", ERR_LIMIT, "no real month" },
        { "2026-11-30T24:00:00Z", ERR_LIMIT, "no real time" },
        { "2026-11-30T17:60:00Z", ERR_LIMIT, "no real time" },
        { "2026-11-30T23:59:60Z", ERR_LIMIT, "no real second" },
        { "2026-11-30T17:00:00+24:00", ERR_LIMIT, "no real offset" },
        { "2026-11-30T17:00:00+01:60", ERR_LIMIT, "no real offset" },
        { "2026-11-30T17:00:00-00:00", ERR_LIMIT, "write 'Z'" },
        { "1969-12-31", ERR_LIMIT, "before 1970" },
        { "1969-12-31T23:59:59-05:00", ERR_LIMIT, "before 1970" },
        { "1970-01-01T00:59:59+01:00", ERR_LIMIT, "before 1970" },
        { "9999-12-31T23:59:59-00:01", ERR_LIMIT, "behind 9999" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e = { 0 };
        struct instant out;
        enum err rc = instant_read (slice_text (rows[i].text), &out, &e);
        if (rc != rows[i].want || !strstr (e.text, rows[i].says))
            fail_msg ("'%s': %s: %s", rows[i].text, error_name (rc), e.text);
        assert_int_equal (instant_read (slice_text (rows[i].text), &out, NULL),
                          rc);
    }
    struct instant out;
    assert_int_equal (instant_read (slice_of (NULL, 0), &out, NULL),
                      ERR_MALFORMED);
    assert_int_equal (
        instant_read (slice_of ("2026-11-30T17:00:00\0", 20), &out, NULL),
        ERR_MALFORMED);
}

static void test_read (void **state) {
    (void) state;
    static const struct {
        const char *text;
        int64_t ms;
        int32_t offset;
        const char *words, *utc;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0, 0, "1 January 1970, 00:00 (UTC)",
          "1970-01-01T00:00:00Z" },
        { "1970-01-01T00:00:00-01:00", 3600000, -60,
          "1 January 1970, 00:00 (-01:00)", "1970-01-01T01:00:00Z" },
        { "1970-01-01T05:45:00+05:45", 0, 345, "1 January 1970, 05:45 (+05:45)",
          "1970-01-01T00:00:00Z" },
        { "1970-01-01", 86400000, 0, "the end of 1 January 1970 (UTC)",
          "1970-01-02T00:00:00Z" },
        { "2026-11-30T17:00:00+01:00", INT64_C (1796054400000), 60,
          "30 November 2026, 17:00 (+01:00)", "2026-11-30T16:00:00Z" },
        { "2026-11-30T17:00:00+00:00", INT64_C (1796058000000), 0,
          "30 November 2026, 17:00 (UTC)", "2026-11-30T17:00:00Z" },
        { "2026-11-30T17:00:30.5Z", INT64_C (1796058030500), 0,
          "30 November 2026, 17:00:30 (UTC)", "2026-11-30T17:00:30.500Z" },
        { "2026-11-30T17:00:00.123Z", INT64_C (1796058000123), 0,
          "30 November 2026, 17:00:00 (UTC)", "2026-11-30T17:00:00.123Z" },
        { "2026-11-30T17:00:00.05Z", INT64_C (1796058000050), 0,
          "30 November 2026, 17:00:00 (UTC)", "2026-11-30T17:00:00.050Z" },
        { "2026-11-30", INT64_C (1796083200000), 0,
          "the end of 30 November 2026 (UTC)", "2026-12-01T00:00:00Z" },
        { "2024-02-29T23:30:00-03:30", INT64_C (1709262000000), -210,
          "29 February 2024, 23:30 (-03:30)", "2024-03-01T03:00:00Z" },
        { "9999-12-31T23:59:59.999Z", INT64_C (253402300799999), 0,
          "31 December 9999, 23:59:59 (UTC)", "9999-12-31T23:59:59.999Z" },
        { "9999-12-31", INT64_C (253402300800000), 0,
          "the end of 31 December 9999 (UTC)", "9999-12-31T23:59:59.999Z" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[INSTANT_WORDS_MAX], utc[INSTANT_TEXT_MAX];
        struct instant at = instant (rows[i].text);
        if (at.ms != rows[i].ms || at.offset_min != rows[i].offset)
            fail_msg ("%s: %lld %d", rows[i].text, (long long) at.ms,
                      at.offset_min);
        assert_int_equal (at.is_date, strlen (rows[i].text) == 10);
        assert_string_equal (at.text, rows[i].text);
        assert_string_equal (instant_words (words, &at), rows[i].words);
        assert_string_equal (instant_utc (utc, at.ms), rows[i].utc);
    }
}

/* What instant_utc writes is read as the same moment. */
static void test_round (void **state) {
    (void) state;
    for (int64_t ms = 0; ms < INT64_C (253402300800000);
         ms += INT64_C (97654321987)) {
        char utc[INSTANT_TEXT_MAX];
        struct instant at = instant (instant_utc (utc, ms));
        assert_int_equal (at.ms, ms);
        assert_int_equal (at.offset_min, 0);
    }
    char utc[INSTANT_TEXT_MAX];
    assert_string_equal (instant_utc (utc, INT64_MIN), "1970-01-01T00:00:00Z");
    assert_string_equal (instant_utc (utc, INT64_MAX),
                         "9999-12-31T23:59:59.999Z");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_read),
        cmocka_unit_test (test_round),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
