/* day - dates with their precision, and spans of days (CONTENTS.md sections 2
 * and 6).
 *
 * Days count from 1970-01-01 (day 0) in the proleptic Gregorian calendar, years
 * 1 to 9999. Pure functions; nothing is allocated. */
#ifndef PARLEY_DAY_H
#define PARLEY_DAY_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum precision { PRECISION_YEAR, PRECISION_MONTH, PRECISION_DAY };

/* "2026", "2026-05", "2026-05-17": all the days that it may mean. */
struct date {
    int32_t first, last;
    enum precision precision;
};
#define DATE_TEXT_MAX 11 /* octets with the NUL */

/* ERR_MALFORMED: another form; ERR_LIMIT: no real day ("2026-02-30 is no day:
 * February 2026 has 28"). */
enum err date_read (struct slice text, struct date *out, struct error *e)
    MUST_CHECK;
/* As it was read. Returns out. */
char *date_text (char out[DATE_TEXT_MAX], const struct date *date);
/* DAY_OPEN is "open"; days outside the years are their first or last one. */
char *day_text (char out[DATE_TEXT_MAX], int32_t day);
/* "17 May 2026", "May 2026", "2026": for a person. Returns out. */
#define DATE_WORDS_MAX 24
char *date_words (char out[DATE_WORDS_MAX], const struct date *date);
/* The day of UTC of a time in Unix ms, and the first ms of a day. */
int32_t day_of_ms (int64_t ms);
int64_t day_ms (int32_t day);

/* An action's days. Where `to` is open, last is DAY_OPEN. */
#define DAY_OPEN INT32_MAX
struct span {
    struct date from, to; /* to: not set where open */
    bool open;
    int32_t first, last; /* the days that it may have */
    /* Those that it has for certain: last possible first day to first possible
     * last one; certain_first > certain_last: none. */
    int32_t certain_first, certain_last;
};
void span_make (struct span *out, const struct date *from,
                const struct date *to); /* NULL: open */
bool span_common (const struct span *a, const struct span *b, int32_t *first,
                  int32_t *last); /* any day that both may have */
bool span_common_certain (const struct span *a, const struct span *b,
                          int32_t *first, int32_t *last);

#endif
