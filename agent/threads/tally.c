/* tally - rules over what the parties said. */
#include "tally.h"

bool tally_agreed (enum thread_rule rule, const struct tally *tally) {
    if (tally->members == 0)
        return false;
    switch (rule) {
    case RULE_ALL:
        return tally->for_ == tally->members;
    case RULE_MAJORITY:
        return 2 * tally->for_ > tally->members;
    case RULE_ANY:
        return tally->for_ > 0;
    case RULE_SILENCE:
        return tally->against == 0;
    case RULE_WITHOUT:
        break;
    }
    return false;
}

bool tally_all_spoke (const struct tally *tally) {
    return tally->members > 0 && tally->silent == 0;
}

enum tally_time tally_time (bool has_deadline, int64_t deadline_ms,
                            int64_t author_ms, int64_t log_ms) {
    if (!has_deadline || log_ms <= deadline_ms)
        return TALLY_IN_TIME;
    return author_ms <= deadline_ms && log_ms - deadline_ms <= TALLY_LATE_MS
               ? TALLY_LATE
               : TALLY_TOO_LATE;
}

bool tally_past_end (bool has_deadline, int64_t deadline_ms, int64_t log_ms) {
    return has_deadline && log_ms > deadline_ms
           && log_ms - deadline_ms > TALLY_LATE_MS;
}
