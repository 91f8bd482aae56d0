/* draft_plans - drafts that are plans already, for what would overlap; and what
 * the two files about drafts share. */
#ifndef PARLEY_API_DRAFT_PLANS_H
#define PARLEY_API_DRAFT_PLANS_H

#include "plans/plan.h"
#include "store/drafts.h"

struct draft_plans {
    size_t count;
    struct plan *at[DRAFTS_MAX];
    const struct taxonomy *taxonomy; /* while it reads; borrowed */
};
/* Those of the store that have no fault. */
enum err draft_plans_read (struct store *store, const struct taxonomy *taxonomy,
                           struct draft_plans *out, struct error *e) MUST_CHECK;
void draft_plans_free (struct draft_plans *self); /* what is in it */

/* The number in the path. false: answered. */
struct request;
bool draft_number (struct request *r, int64_t *out) MUST_CHECK;

#endif
