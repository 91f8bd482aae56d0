/* overlap - where actions of different bodies meet (CONTENTS.md section 6).
 *
 * An index over plans, by priority, country and day, as sets of bits: a search
 * looks at few pairs, and gives what all pairs would. How many overlaps each two
 * bodies have is kept, by sort and last day, so that the counts and the first
 * pages of a list need no search. Not thread-safe: many may read at once while
 * nobody adds or removes. Nothing is stored for each pair of actions. */
#ifndef PARLEY_OVERLAP_H
#define PARLEY_OVERLAP_H

#include "plan.h"

/* In the order in which they are listed. */
enum overlap_class {
    OVERLAP_POSSIBLE,
    OVERLAP_CLAIMED,
    OVERLAP_JOINT,
    OVERLAP_SAME,
    OVERLAP_CLASSES
};
const char *overlap_class_name (enum overlap_class class);
bool overlap_class_read (struct slice text, enum overlap_class *out);

struct overlap { /* a's reference is before b's, as octets */
    const struct plan *plan_a, *plan_b;
    const struct action *a, *b;
    enum overlap_class class;
    bool broad, imprecise;
    bool equal;    /* some facet is one second-level priority on both sides */
    int countries; /* in common */
    int32_t first, last;   /* common days; last may be DAY_OPEN */
    bool a_names, b_names; /* a names b's entity; b names a's */
};

struct overlaps;
struct overlaps *overlaps_new (const struct taxonomy *taxonomy) MUST_CHECK;
void overlaps_destroy (struct overlaps **self_p);
/* Borrowed until removed. One of the same id has to be removed before. */
void overlaps_add (struct overlaps *self, const struct plan *plan);
void overlaps_remove (struct overlaps *self, const struct plan *plan);
/* The same plan, read anew (it may be the one that is there, changed): actions
 * that are what they were are not searched for again. `old` is let go of. */
void overlaps_replace (struct overlaps *self, const struct plan *old,
                       const struct plan *plan);
size_t overlaps_actions (const struct overlaps *self);

/* What is asked for. Zeroed asks for all of all times: set `on` and `live`. */
struct overlap_query {
    bool live;
    int32_t on;                 /* live on that day */
    const char *entity, *other; /* NULL: any; of either side */
    const char *plan;           /* id, of either side */
    const char *action;         /* id in `plan`; NULL: any */
    bool has_priority, has_region, has_period;
    int priority;     /* some facet matches it */
    int region;       /* some common country is of it */
    int32_t from, to; /* some common day is in there */
    unsigned
        classes;    /* bits 1 << class; 0: all; of others nothing is counted */
    unsigned kinds; /* bits 1 << kind, of either side; 0: all */
    bool narrow_only; /* leave the broad ones out (they are counted) */
    /* Left out, and not counted; NULL: none. Each pair is asked for: slow. */
    bool (*omit) (void *arg, const struct overlap *);
    void *arg;
    /* Left out, and not counted, by overlaps_find: actions of plans in the
     * index, each pair once. */
    size_t omitted_count;
    const struct overlap_omitted { const struct action *a, *b; } * omitted;
    size_t offset, limit; /* the page */
};
struct overlap_pair { /* of entities, a before b */
    const char *a, *b;
    int64_t counts[OVERLAP_CLASSES],
        broad[OVERLAP_CLASSES]; /* broad: of those */
};
struct overlap_answer {
    int64_t counts[OVERLAP_CLASSES], broad[OVERLAP_CLASSES];
    size_t pair_count;
    struct overlap_pair *pairs; /* most overlaps first, then by name */
    size_t listed;              /* what pages are made of */
    size_t count;
    struct overlap *at; /* the page, in the order of section 6 */
};
void overlaps_find (const struct overlaps *self,
                    const struct overlap_query *query,
                    struct overlap_answer *out);
void overlap_answer_free (struct overlap_answer *self);

/* Those of a plan that is not in the index (a draft, a revision about to be
 * published) with all others; one in the index with its id is passed over. The
 * query's plan is not looked at. */
void overlaps_of (const struct overlaps *self, const struct plan *plan,
                  const struct overlap_query *query,
                  struct overlap_answer *out);
/* One pair; false: it is none. */
bool overlap_judge (const struct taxonomy *taxonomy, const struct plan *plan_a,
                    const struct action *a, const struct plan *plan_b,
                    const struct action *b, struct overlap *out);

/* Why, as one or two sentences: facets with their titles, countries, days, what
 * is imprecise, what makes it broad, who names whom. English. Appended. */
void overlap_explain (const struct taxonomy *taxonomy, const struct overlap *o,
                      struct buf *out);
/* The facets, as pairs of priority numbers (a's, b's): appended to `at`, at
 * most `room`; returns how many there are. */
size_t overlap_facets (const struct taxonomy *taxonomy, const struct overlap *o,
                       int (*at)[2], size_t room);
void overlap_countries (const struct overlap *o, struct countries *out);

#endif
