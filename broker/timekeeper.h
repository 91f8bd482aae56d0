/* timekeeper - the log's time, and when there is none to be had (DESIGN
 * section 7, "Log time").
 *
 * Log time never decreases. Nothing is committed while the wall clock is behind
 * the last record by more than 2 s (by less, log time stands still), has jumped
 * against the monotonic clock by more than 2 s (until it is back, agrees within
 * 2 s with the median of the newest hellos of at least three entities, or has
 * an operator's word), or is more than two minutes from that median.
 * Thread-safe. */
#ifndef PARLEY_TIMEKEEPER_H
#define PARLEY_TIMEKEEPER_H

#include "base/buf.h"
#include "base/error.h"
#include "format/rule.h"

struct timekeeper;
struct timekeeper *timekeeper_new (int64_t last_log_time) MUST_CHECK;
void timekeeper_destroy (struct timekeeper **self_p);

/* An agent of `entity` said in its hello that its clock shows `agent_ms`. */
void timekeeper_hello (struct timekeeper *self, struct slice entity,
                       int64_t agent_ms, int64_t wall_ms, int64_t mono_ms);
/* The time that the next record gets, not below the last; ERR_STATE and *why
 * (CLOCK, with `why` and the milliseconds) while there is none. */
enum err timekeeper_now (struct timekeeper *self, int64_t wall_ms,
                         int64_t mono_ms, int64_t *log_time,
                         struct refusal *why) MUST_CHECK;
/* It was used. */
void timekeeper_used (struct timekeeper *self, int64_t log_time);
/* The operator says that the clock is right after a jump (SIGHUP). */
void timekeeper_trust (struct timekeeper *self, int64_t wall_ms,
                       int64_t mono_ms);

#endif
