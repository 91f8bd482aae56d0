/* progress - a line on a terminal's standard error for what takes longer than a
 * second; nothing where standard error is no terminal. */
#ifndef PARLEY_PROGRESS_H
#define PARLEY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "records checked" */
    int64_t started, drawn;
    bool terminal;
    bool visible; /* the line stands there now */
};

void progress_start (struct progress *self, const char *what);
/* Draws at most five times a second. total 0: not known. */
void progress_show (struct progress *self, int64_t done, int64_t total);
/* No count, only the time. */
void progress_text (struct progress *self);
/* Takes the line away; before anything else is printed. */
void progress_end (struct progress *self);

#endif
