/* audit - check a bundle offline, from the dialogue id alone (DESIGN section
 * 8, "Audit").
 *
 * Rosters chain to the dialogue id; every block decodes and is signed by keys
 * valid at its place, by authors who had the right; digests, sequences,
 * channel and direct-stream numbers, topic back-links and log times agree;
 * promises and refusals are signed by the desk and contradict neither each other
 * nor the records that are there. Ends at the first thing that is wrong and
 * names it. */
#ifndef PARLEY_AUDIT_H
#define PARLEY_AUDIT_H

#include "ledger/bundle.h"

struct audit_report {
    struct bundle_meta meta;
    int64_t rosters, blocks, records, messages, marks, newer;
    int64_t signatures; /* batch signatures verified */
    int64_t promises, refusals;
    int64_t leaves;  /* records present by their hash alone */
    int64_t holes;   /* sequences between first and last that are neither */
    int64_t authors; /* different ones */
    int64_t first_time, last_time;
};

/* Called now and then with records done; may be NULL. */
typedef void audit_progress_fn (void *arg, int64_t records);

/* `dialogue` NULL: the bundle's own word is taken, and the report's reader
 * must compare it. 0: all holds. Otherwise *e names the first wrong thing:
 * file, sequence, rule, values. */
enum err audit_check (const char *dir, const struct hash *dialogue,
                      audit_progress_fn *progress, void *arg,
                      struct audit_report *report, struct error *e) MUST_CHECK;

/* Sentences that say what rests on the broker's word in this version; NULL
 * behind the last. */
const char *audit_caveat (size_t n);

#endif
