/* progress - drawn over itself, and gone when the work is done. */
#include "progress.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define QUIET_MS 1000
#define REDRAW_MS 200

void progress_start (struct progress *self, const char *what) {
    *self = (struct progress){ .what = what,
                               .started = clock_mono_ms(),
                               .terminal = isatty (STDERR_FILENO) != 0 };
}

/* Is it time to draw? */
static bool due (struct progress *self, int64_t now) {
    if (!self->terminal || now - self->started < QUIET_MS
        || now - self->drawn < REDRAW_MS)
        return false;
    self->drawn = now;
    self->visible = true;
    return true;
}

static void draw (const struct progress *self, const char *count, int64_t now) {
    fprintf (stderr, "\r\033[K%s%s, %" PRId64 " s", count, self->what,
             (now - self->started) / 1000);
    fflush (stderr);
}

void progress_show (struct progress *self, int64_t done, int64_t total) {
    char count[64];
    int64_t now = clock_mono_ms();
    if (!due (self, now))
        return;
    if (total > 0)
        snprintf (count, sizeof count, "%" PRId64 " of %" PRId64 " ", done,
                  total);
    else
        snprintf (count, sizeof count, "%" PRId64 " ", done);
    draw (self, count, now);
}

void progress_text (struct progress *self) {
    int64_t now = clock_mono_ms();
    if (due (self, now))
        draw (self, "", now);
}

void progress_end (struct progress *self) {
    if (!self->visible)
        return;
    fputs ("\r\033[K", stderr);
    fflush (stderr);
    self->visible = false;
}
