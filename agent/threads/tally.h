/* tally - who decides, and what was decided (THREADS.md sections 5 and 6): a rule
 * over what the parties said. Pure functions. */
#ifndef PARLEY_TALLY_H
#define PARLEY_TALLY_H

#include "say.h"

/* One hour: a stance that was written in time may be logged so much later. */
#define TALLY_LATE_MS 3600000
/* Behind the end, until others than the proposer close. */
#define TALLY_OTHERS_MS 3600000

/* Silence is consent only of who had at least so long: from a proposal's log time
 * to its deadline. */
#define TALLY_SILENCE_MS 3600000

struct tally {
    size_t members; /* parties that count */
    size_t for_, against, neither, silent;
};
bool tally_agreed (enum thread_rule rule, const struct tally *tally);
/* Whatever those say that are silent or may yet speak anew: can it still be
 * agreed, or not agreed? */
bool tally_all_spoke (const struct tally *tally);

/* Is a stance in time? */
enum tally_time { TALLY_IN_TIME, TALLY_LATE, TALLY_TOO_LATE };
enum tally_time tally_time (bool has_deadline, int64_t deadline_ms,
                            int64_t author_ms, int64_t log_ms);
/* Past the end: log time (or now) is more than an hour behind the deadline. */
bool tally_past_end (bool has_deadline, int64_t deadline_ms, int64_t log_ms);

#endif
