/* instant - a moment as people write it: RFC 3339 with an offset, or a date, which
 * is the end of that day in UTC (THREADS.md section 3).
 *
 * Pure functions; nothing is allocated. Milliseconds are of Unix time. */
#ifndef PARLEY_INSTANT_H
#define PARLEY_INSTANT_H

#include "plans/day.h"

/* Octets of the text, with the NUL. */
#define INSTANT_TEXT_MAX 40

struct instant {
    int64_t ms;         /* a bare date: 24:00 of that day, UTC */
    int32_t offset_min; /* east of UTC, as written; 0 for a date */
    bool is_date;
    char text[INSTANT_TEXT_MAX]; /* as written */
};

/* Years 1970 to 9999, in UTC too; a date is a whole day's; seconds are needed, at
 * most three digits behind them; 60 is no second; "Z" or "+hh:mm", and "-00:00"
 * is no offset. ERR_MALFORMED, ERR_LIMIT (no real day or time). */
enum err instant_read (struct slice text, struct instant *out, struct error *e)
    MUST_CHECK;
/* "30 November 2026, 17:00 (+01:00)", "the end of 30 November 2026 (UTC)": for a
 * person, in its own offset. Returns out. */
#define INSTANT_WORDS_MAX 64
char *instant_words (char out[INSTANT_WORDS_MAX], const struct instant *self);
/* RFC 3339 in UTC, to the second, or with milliseconds where there are some. What
 * is outside the years is their first or last millisecond. */
char *instant_utc (char out[INSTANT_TEXT_MAX], int64_t ms);

#endif
