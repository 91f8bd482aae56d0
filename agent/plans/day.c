/* day - the proleptic Gregorian calendar, and spans of its days. */
#include "day.h"

#include <assert.h>
#include <stdio.h>

#define DAY_MS INT64_C (86400000)
#define YEAR_MAX 9999
#define ERA_DAYS 146097  /* of 400 years */
#define ERA_SHIFT 719468 /* days from 0000-03-01 to 1970-01-01 */

static const char *const month_names[12] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"
};

static bool is_leap (int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days (int year, int month) {
    static const int days[12] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    return days[month - 1] + (month == 2 && is_leap (year));
}

/* Years that begin in March, so that the leap day is the last of its year. */
static int32_t day_of (int year, int month, int day) {
    int shifted = month > 2 ? year : year - 1; /* 0 or above */
    int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int era = shifted / 400, of_era = shifted % 400;
    int days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * ERA_DAYS + days - ERA_SHIFT;
}

static void day_split (int32_t day, int *year, int *month, int *of_month) {
    int shifted = day + ERA_SHIFT; /* 0001-01-01 is 306 */
    int era = shifted / ERA_DAYS, of_era = shifted % ERA_DAYS;
    int years =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * years + years / 4 - years / 100);
    int m = (5 * of_year + 2) / 153;
    *of_month = of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = era * 400 + years + (*month <= 2);
}

static bool digits_read (const uint8_t *at, size_t count, int *out) {
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        *out = *out * 10 + (at[i] - '0');
    }
    return true;
}

static bool form_read (struct slice text, int *year, int *month, int *day) {
    const uint8_t *at = text.data;
    if (text.size != 4 && text.size != 7 && text.size != 10)
        return false;
    return digits_read (at, 4, year)
           && (text.size < 7
               || (at[4] == '-' && digits_read (at + 5, 2, month)))
           && (text.size < 10
               || (at[7] == '-' && digits_read (at + 8, 2, day)));
}

enum err date_read (struct slice text, struct date *out, struct error *e) {
    int year = 0, month = 0, day = 0;
    if (!form_read (text, &year, &month, &day)) {
        char printable[40];
        text_printable (printable, sizeof printable, text.data, text.size);
        return error_set (e, ERR_MALFORMED,
                          "'%s' is no date: YYYY, YYYY-MM or YYYY-MM-DD",
                          printable);
    }
    const char *written = (const char *) text.data;
    if (year == 0)
        return error_set (e, ERR_LIMIT, "%.*s has year 0000: the first is 0001",
                          (int) text.size, written);
    if (text.size >= 7 && (month < 1 || month > 12))
        return error_set (e, ERR_LIMIT, "%.*s has no real month: 01 to 12",
                          (int) text.size, written);
    if (text.size == 10 && (day < 1 || day > month_days (year, month)))
        return error_set (e, ERR_LIMIT, "%.*s is no day: %s %d has %d",
                          (int) text.size, written, month_names[month - 1],
                          year, month_days (year, month));
    int last_month = month ? month : 12;
    out->precision = day     ? PRECISION_DAY
                     : month ? PRECISION_MONTH
                             : PRECISION_YEAR;
    out->first = day_of (year, month ? month : 1, day ? day : 1);
    out->last =
        day_of (year, last_month, day ? day : month_days (year, last_month));
    return ERR_NONE;
}

char *day_text (char out[DATE_TEXT_MAX], int32_t day) {
    int year, month, of_month;
    int32_t first = day_of (1, 1, 1), last = day_of (YEAR_MAX, 12, 31);
    if (day == DAY_OPEN) {
        memcpy (out, "open", sizeof "open");
        return out;
    }
    day_split (day < first  ? first
               : day > last ? last
                            : day,
               &year, &month, &of_month);
    int size =
        snprintf (out, DATE_TEXT_MAX, "%04u-%02u-%02u", (unsigned) year % 10000,
                  (unsigned) month % 100, (unsigned) of_month % 100);
    assert (size < DATE_TEXT_MAX);
    return out;
}

char *date_text (char out[DATE_TEXT_MAX], const struct date *date) {
    static const size_t size[] = {
        [PRECISION_YEAR] = 4, [PRECISION_MONTH] = 7, [PRECISION_DAY] = 10
    };
    day_text (out, date->first);
    out[size[date->precision]] = '\0';
    return out;
}

char *date_words (char out[DATE_WORDS_MAX], const struct date *date) {
    int year, month, of_month;
    day_split (date->first, &year, &month, &of_month);
    if (date->precision == PRECISION_YEAR)
        snprintf (out, DATE_WORDS_MAX, "%d", year % 10000);
    else if (date->precision == PRECISION_MONTH)
        snprintf (out, DATE_WORDS_MAX, "%s %d", month_names[month - 1],
                  year % 10000);
    else
        snprintf (out, DATE_WORDS_MAX, "%d %s %d", of_month % 100,
                  month_names[month - 1], year % 10000);
    return out;
}

int32_t day_of_ms (int64_t ms) {
    int64_t day = ms / DAY_MS - (ms % DAY_MS < 0);
    return day < INT32_MIN  ? INT32_MIN
           : day > DAY_OPEN ? DAY_OPEN
                            : (int32_t) day;
}

int64_t day_ms (int32_t day) {
    return day * DAY_MS;
}

void span_make (struct span *out, const struct date *from,
                const struct date *to) {
    *out = (struct span){ .from = *from,
                          .open = !to,
                          .first = from->first,
                          .certain_first = from->last,
                          .last = to ? to->last : DAY_OPEN,
                          .certain_last = to ? to->first : DAY_OPEN };
    if (to)
        out->to = *to;
}

static bool days_common (int32_t a_first, int32_t a_last, int32_t b_first,
                         int32_t b_last, int32_t *first, int32_t *last) {
    *first = a_first > b_first ? a_first : b_first;
    *last = a_last < b_last ? a_last : b_last;
    return *first <= *last;
}

bool span_common (const struct span *a, const struct span *b, int32_t *first,
                  int32_t *last) {
    return days_common (a->first, a->last, b->first, b->last, first, last);
}

bool span_common_certain (const struct span *a, const struct span *b,
                          int32_t *first, int32_t *last) {
    return days_common (a->certain_first, a->certain_last, b->certain_first,
                        b->certain_last, first, last);
}
