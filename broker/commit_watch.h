/* commit_watch - may anything be recorded now, and when is the next mark due?
 *
 * Asks the timekeeper and the free space, closes and opens the state for both,
 * and says so in the log. Of commit's thread, but for `keep_free`. */
#ifndef PARLEY_COMMIT_WATCH_H
#define PARLEY_COMMIT_WATCH_H

#include "state.h"
#include "timekeeper.h"

#define WATCH_TICK_MS 1000 /* clock and space are looked at so often at least */
#define WATCH_SHARE 16     /* and space behind this part of what is kept free */

struct watch {
    /* set by the owner before the first look */
    struct state *state; /* borrowed, these three */
    struct timekeeper *time;
    const char *dir;         /* whose free space counts */
    int64_t mark_ms;         /* longest pause between marks */
    bool trust_first;        /* before any hello too */
    atomic_ullong keep_free; /* octets; any thread */
    int64_t last_mark;       /* its log time; the owner's to keep */
    uint64_t written;        /* octets since `asked_ms`; the owner adds */

    /* what the last look found */
    bool has_time;
    int64_t log_time; /* that the next records get, where has_time */
    uint64_t free;    /* octets */
    bool no_space;
    bool asked; /* for free space, at `asked_ms` (monotonic) */
    int64_t asked_ms;
    enum rule said; /* why closed, as it was logged */
};

/* The clock at each look, free space once a second or when much was written: a
 * disk takes gigabytes in a second. NO-SPACE ends a tenth above
 * where it begins. */
void watch_look (struct watch *self);
/* A hello was heard in this run, or need not be. */
bool watch_heard (const struct watch *self);
/* Is a mark due? Marks go on while messages have no space any more, down to
 * half of what is kept free. */
bool watch_wants_mark (const struct watch *self);
/* Until the next look, 0 to WATCH_TICK_MS. */
int64_t watch_wait_ms (const struct watch *self);

#endif
