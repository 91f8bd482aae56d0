/* clock - wall and monotonic time, RFC 3339 (PROTOCOL.md section 2.1). */
#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t test_offset_ms;
static pthread_once_t test_offset_once = PTHREAD_ONCE_INIT;

/* Once: getenv is not safe beside a setenv, and this is asked often. */
static void test_offset_read (void) {
    const char *text = getenv ("PARLEY_TEST_CLOCK_OFFSET_MS");
    if (!text)
        return;
    char *end;
    errno = 0;
    long long value = strtoll (text, &end, 10);
    if (errno || end == text || *end || value < -CLOCK_MS_MAX || value > CLOCK_MS_MAX) {
        fprintf (stderr, "parley: PARLEY_TEST_CLOCK_OFFSET_MS=%s?\n", text);
        abort();
    }
    test_offset_ms = value;
}

static int64_t now_ns (clockid_t id) {
    struct timespec t;
    clock_gettime (id, &t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_ms (void) {
    pthread_once (&test_offset_once, test_offset_read);
    return now_ns (CLOCK_REALTIME) / 1000000 + test_offset_ms;
}

int64_t clock_mono_ms (void) {
    return clock_mono_ns() / 1000000;
}

int64_t clock_mono_ns (void) {
    return now_ns (CLOCK_MONOTONIC);
}

char *clock_text (char out[CLOCK_TEXT_MAX], int64_t ms) {
    int64_t rest = ms % 1000;
    time_t seconds = (time_t) (ms / 1000 - (rest < 0));
    rest += rest < 0 ? 1000 : 0;
    struct tm t;
    gmtime_r (&seconds, &t); /* an int64 of ms is 292 million years: it fits */
    size_t n =
        (size_t) snprintf (out, CLOCK_TEXT_MAX, "%04lld", t.tm_year + 1900LL);
    n += strftime (out + n, CLOCK_TEXT_MAX - n, "-%m-%dT%H:%M:%S", &t);
    snprintf (out + n, CLOCK_TEXT_MAX - n, ".%03uZ", (unsigned) rest);
    return out;
}

/* Reading: each step moves *at behind what it took, or is false. */

static bool take_digits (const char **at, int count, int min, int max,
                         int *value) {
    int v = 0;
    for (int i = 0; i < count; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *at += count;
    *value = v;
    return v >= min && v <= max;
}

static bool take_char (const char **at, const char *any) {
    if (!**at || !strchr (any, **at))
        return false;
    (*at)++;
    return true;
}

static int days_of (int year, int month) {
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date (const char **at, struct tm *t) {
    int year, month;
    if (!take_digits (at, 4, 0, 9999, &year) || !take_char (at, "-")
        || !take_digits (at, 2, 1, 12, &month) || !take_char (at, "-")
        || !take_digits (at, 2, 1, days_of (year, month), &t->tm_mday))
        return false;
    t->tm_year = year - 1900;
    t->tm_mon = month - 1;
    return true;
}

static bool take_time (const char **at, struct tm *t) {
    return take_digits (at, 2, 0, 23, &t->tm_hour) && take_char (at, ":")
           && take_digits (at, 2, 0, 59, &t->tm_min) && take_char (at, ":")
           && take_digits (at, 2, 0, 59, &t->tm_sec);
}

/* "" or "." and digits, of which three count. */
static bool take_fraction (const char **at, int *ms) {
    *ms = 0;
    if (!take_char (at, "."))
        return true;
    size_t digits = strspn (*at, "0123456789");
    for (size_t i = 0; i < 3; i++)
        *ms = *ms * 10 + (i < digits ? (*at)[i] - '0' : 0);
    *at += digits;
    return digits > 0;
}

static bool take_zone (const char **at, int *minutes) {
    int hour, minute;
    *minutes = 0;
    if (take_char (at, "Zz"))
        return true;
    int sign = **at == '-' ? -1 : 1;
    if (!take_char (at, "+-") || !take_digits (at, 2, 0, 23, &hour)
        || !take_char (at, ":") || !take_digits (at, 2, 0, 59, &minute))
        return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

enum err clock_parse (const char *text, int64_t *ms) {
    struct tm t = { 0 };
    int part = 0, zone = 0;
    if (!take_date (&text, &t))
        return ERR_MALFORMED;
    if (*text
        && (!take_char (&text, "Tt") || !take_time (&text, &t)
            || !take_fraction (&text, &part) || !take_zone (&text, &zone)))
        return ERR_MALFORMED;
    if (*text)
        return ERR_MALFORMED;
    *ms = ((int64_t) timegm (&t) - zone * 60) * 1000 + part;
    return ERR_NONE;
}
