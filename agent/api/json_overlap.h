/* json_overlap - overlaps and gaps as JSON. */
#ifndef PARLEY_API_JSON_OVERLAP_H
#define PARLEY_API_JSON_OVERLAP_H

#include "api/plans_view.h"

/* {"possible": {"narrow", "broad"}, "claimed": ..., "joint": ..., "same": ...} */
json_t *json_overlap_counts (const int64_t counts[OVERLAP_CLASSES],
                             const int64_t broad[OVERLAP_CLASSES]) MUST_CHECK;
/* [{"a", "b", "counts"}, ...] */
json_t *json_overlap_pairs (const struct overlap_answer *answer) MUST_CHECK;
/* One with its sides, reasons and statements. `draft`: a plan that is not
 * published; NULL: none. */
json_t *json_overlap (const struct plans_view *view, const struct overlap *o,
                      const struct plan *draft) MUST_CHECK;
json_t *json_gap (const struct plans_view *view, const struct gap *gap)
    MUST_CHECK;

#endif
