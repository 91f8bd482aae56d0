/* gaps - what nobody does (CONTENTS.md section 6, gaps). */
#ifndef PARLEY_GAPS_H
#define PARLEY_GAPS_H

#include "plan.h"

enum gap_kind { GAP_UNWORKED, GAP_UNSERVED };
struct gap {
    enum gap_kind kind;
    bool thin; /* there is some cover, by general actions alone */
    const char *entity, *plan, *goal; /* GAP_UNWORKED; goal "": the plan's */
    int priority;
    int region;                 /* GAP_UNSERVED */
    struct countries uncovered; /* GAP_UNSERVED: of the region */
    int thin_count;             /* general actions that cover it */
};
struct gaps_query {
    int32_t on;
    const char *entity; /* GAP_UNWORKED of it; GAP_UNSERVED in its regions */
    bool has_priority;
    int priority; /* it or below it */
    /* Regions that GAP_UNSERVED is asked for, as numbers of the taxonomy:
     * those of the roster's entities. */
    const int *regions;
    size_t region_count;
    unsigned kinds; /* bits 1 << gap_kind; 0: both */
    bool with_thin;
};
struct gaps_answer {
    size_t count;
    struct gap *at; /* kind, entity or region code, priority code */
};
void gaps_find (const struct plan *const *plans, size_t count,
                const struct taxonomy *taxonomy, const struct gaps_query *query,
                struct gaps_answer *out);
void gaps_answer_free (struct gaps_answer *self);
void gap_explain (const struct taxonomy *taxonomy, const struct gap *gap,
                  struct buf *out);

#endif
