/* diff - what changed between two documents of one plan, in words: from one
 * revision to a later one, or to a draft.
 *
 * An action, goal, milestone or indicator whose id stays is the same one. Lists
 * of names and codes are compared as sets, parts without their order; what has no words of its own as JSON,
 * so that no change is passed over. Documents need not be good: what has another
 * shape than it should have is told of as JSON, too. Work is that of sorting. */
#ifndef PARLEY_DIFF_H
#define PARLEY_DIFF_H

#include "taxonomy.h"

struct json_t;

enum diff_kind { /* in the order in which they are listed */
                 DIFF_ACTION_ADDED,
                 DIFF_ACTION_REMOVED,
                 DIFF_DATES,      /* an action's, or the cycle */
                 DIFF_STATUS,     /* an action's */
                 DIFF_WHO,        /* lead, co-leads, partners, others */
                 DIFF_REGIONS,    /* an action's, a goal's, the plan's */
                 DIFF_PRIORITIES, /* same */
                 DIFF_LINKS, /* same_as, depends_on, part_of, an action's goals */
                 DIFF_MILESTONE, /* added, removed, due, done */
                 DIFF_INDICATOR, /* added, removed, baseline, targets, unit */
                 DIFF_GOAL,      /* added, removed, parent */
                 DIFF_HANDLING, /* handling, caveats, level, adoption, contacts */
                 DIFF_TEXT,     /* titles, descriptions, notes, own terms */
                 DIFF_OTHER,    /* members without words of their own */
                 DIFF_KINDS
};
const char *diff_kind_name (enum diff_kind kind); /* "action-added" */

struct diff_change {
    enum diff_kind kind;
    bool gone;     /* pointer is into `before`; else into `after` */
    char *pointer; /* "/actions/3/to" */
    char *text;    /* "action A4 'Mobile 6': moved by 40 days (...)" */
};
#define DIFF_MAX 500 /* kept, the first by kind; all are counted */
struct diff {
    size_t kept, count;
    struct diff_change *at;
};
/* Kinds in their order; within, that of `after` (what is gone behind). What *out
 * held before is not freed. */
void diff_make (const struct json_t *before, const struct json_t *after,
                const struct taxonomy *taxonomy, struct diff *out);
void diff_free (struct diff *self);
/* {"count": N, "changes": [{"kind", "pointer", "gone", "text"}, ...]}, the
 * caller's. */
struct json_t *diff_json (const struct diff *self) MUST_CHECK;

#endif
