/* instant - RFC 3339, read strictly, and dates that mean their end. */
#include "instant.h"

#include <stdio.h>

#define DAY_MS INT64_C (86400000)
#define HOUR_MS INT64_C (3600000)
#define MINUTE_MS INT64_C (60000)
#define END_MS INT64_C (253402300800000) /* of the year 9999 */
#define DATE_SIZE 10
#define SECONDS_SIZE 19 /* YYYY-MM-DDThh:mm:ss */
#define FORM                                                                   \
    "YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with 'Z' or an offset as '+01:00'"

static enum err refuse (struct error *e, enum err rc, struct slice text,
                        const char *why) {
    char printable[INSTANT_TEXT_MAX];
    text_printable (printable, sizeof printable, text.data, text.size);
    return error_set (e, rc, "'%s' %s", printable, why);
}

static bool pair_read (const uint8_t *at, int *out) {
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *out = (at[0] - '0') * 10 + at[1] - '0';
    return true;
}

/* "hh:mm" */
static bool clock_read (const uint8_t *at, int *hours, int *minutes) {
    return pair_read (at, hours) && at[2] == ':' && pair_read (at + 3, minutes);
}

/* Up to three digits behind the point, as milliseconds; how many octets. */
static size_t fraction_read (struct slice text, int *ms) {
    int unit = 100;
    size_t i = 1;
    *ms = 0;
    if (text.size == 0 || text.data[0] != '.')
        return 0;
    for (; i < text.size && i <= 3; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9')
            break;
        *ms += (text.data[i] - '0') * unit;
    }
    return i > 1 ? i : 0;
}

struct clock {
    int hours, minutes, seconds, ms;
    int off_hours, off_minutes, sign;
};

static bool offset_read (struct slice text, struct clock *out) {
    out->sign = 0;
    if (slice_is (text, "Z"))
        return true;
    if (text.size != 6 || (text.data[0] != '+' && text.data[0] != '-'))
        return false;
    out->sign = text.data[0] == '-' ? -1 : 1;
    return clock_read (text.data + 1, &out->off_hours, &out->off_minutes);
}

/* Behind the date. */
static bool time_read (struct slice text, struct clock *out) {
    if (text.size <= SECONDS_SIZE - DATE_SIZE || text.data[0] != 'T'
        || !clock_read (text.data + 1, &out->hours, &out->minutes)
        || text.data[6] != ':' || !pair_read (text.data + 7, &out->seconds))
        return false;
    struct slice rest = { text.data + 9, text.size - 9 };
    size_t size = fraction_read (rest, &out->ms);
    return offset_read (slice_of (rest.data + size, rest.size - size), out);
}

static enum err clock_check (const struct clock *clock, struct slice text,
                             struct error *e) {
    if (clock->hours > 23 || clock->minutes > 59)
        return refuse (e, ERR_LIMIT, text, "has no real time: 00:00 to 23:59");
    if (clock->seconds > 59)
        return refuse (e, ERR_LIMIT, text, "has no real second: 00 to 59");
    if (clock->off_hours > 23 || clock->off_minutes > 59)
        return refuse (e, ERR_LIMIT, text,
                       "has no real offset: hours to 23, minutes to 59");
    if (clock->sign < 0 && clock->off_hours == 0 && clock->off_minutes == 0)
        return refuse (e, ERR_LIMIT, text,
                       "has the offset -00:00, which is none: write 'Z'");
    return ERR_NONE;
}

static void clock_add (const struct clock *clock, struct instant *out) {
    out->offset_min =
        clock->sign * (clock->off_hours * 60 + clock->off_minutes);
    out->ms += clock->hours * HOUR_MS + clock->minutes * MINUTE_MS
               + clock->seconds * INT64_C (1000) + clock->ms
               - out->offset_min * MINUTE_MS;
}

enum err instant_read (struct slice text, struct instant *out,
                       struct error *e) {
    struct clock clock = { 0 };
    struct date date;
    bool is_date = text.size == DATE_SIZE;
    *out = (struct instant){ .is_date = is_date };
    if (text.size < DATE_SIZE || text.size >= INSTANT_TEXT_MAX
        || (!is_date
            && !time_read (
                slice_of (text.data + DATE_SIZE, text.size - DATE_SIZE),
                &clock)))
        return refuse (e, ERR_MALFORMED, text, "is no instant: " FORM);
    enum err rc = date_read (slice_of (text.data, DATE_SIZE), &date, e);
    if (rc == ERR_MALFORMED)
        return refuse (e, rc, text, "is no instant: " FORM);
    if (rc || (rc = clock_check (&clock, text, e)))
        return rc;
    out->ms = day_ms (date.first) + (is_date ? DAY_MS : 0);
    clock_add (&clock, out);
    if (date.first < 0 || out->ms < 0 || out->ms > END_MS)
        return refuse (e, ERR_LIMIT, text,
                       "is before 1970 or behind 9999 in UTC");
    memcpy (out->text, text.data, text.size);
    return ERR_NONE;
}

/* Words */

struct split {
    int32_t day;
    unsigned hours, minutes, seconds, ms;
};

static struct split split (int64_t ms) {
    int32_t day = day_of_ms (ms);
    unsigned rest = (unsigned) (ms - day_ms (day));
    return (struct split){ day, rest / 3600000, rest / 60000 % 60,
                           rest / 1000 % 60, rest % 1000 };
}

static char *words_of_day (char out[DATE_WORDS_MAX], int32_t day) {
    struct date date = { day, day, PRECISION_DAY };
    return date_words (out, &date);
}

static void words_of_offset (char *out, size_t room, int32_t offset) {
    unsigned minutes = (unsigned) (offset < 0 ? -offset : offset);
    if (offset == 0)
        snprintf (out, room, "UTC");
    else
        snprintf (out, room, "%c%02u:%02u", offset < 0 ? '-' : '+',
                  minutes / 60, minutes % 60);
}

char *instant_words (char out[INSTANT_WORDS_MAX], const struct instant *self) {
    char day[DATE_WORDS_MAX], seconds[8] = "", offset[16];
    if (self->is_date) {
        words_of_day (day, day_of_ms (self->ms) - 1);
        snprintf (out, INSTANT_WORDS_MAX, "the end of %s (UTC)", day);
        return out;
    }
    struct split at = split (self->ms + self->offset_min * MINUTE_MS);
    words_of_day (day, at.day);
    words_of_offset (offset, sizeof offset, self->offset_min);
    if (at.seconds || at.ms)
        snprintf (seconds, sizeof seconds, ":%02u", at.seconds % 60);
    snprintf (out, INSTANT_WORDS_MAX, "%s, %02u:%02u%s (%s)", day,
              at.hours % 24, at.minutes % 60, seconds, offset);
    return out;
}

char *instant_utc (char out[INSTANT_TEXT_MAX], int64_t ms) {
    char day[DATE_TEXT_MAX], fraction[8] = "";
    ms = ms < 0 ? 0 : ms >= END_MS ? END_MS - 1 : ms;
    struct split at = split (ms);
    if (at.ms)
        snprintf (fraction, sizeof fraction, ".%03u", at.ms % 1000);
    snprintf (out, INSTANT_TEXT_MAX, "%sT%02u:%02u:%02u%sZ",
              day_text (day, at.day), at.hours % 24, at.minutes % 60,
              at.seconds % 60, fraction);
    return out;
}
