/* overlap_impl - what the files of overlap.h share, and nobody else. */
#ifndef PARLEY_OVERLAP_IMPL_H
#define PARLEY_OVERLAP_IMPL_H

#include "overlap.h"

#define PRIORITY_WORDS (TAXONOMY_PRIORITIES_MAX / 64)
#define NO_ENTITY UINT16_MAX

/* An action as a search needs it, beside the whole. */
struct slot {
    const struct plan *plan; /* NULL: free */
    const struct action *action;
    int32_t first, last;
    uint16_t entity; /* of the plan */
    size_t named_count;
    uint16_t *named; /* entities, by number; owned */
    bool world;
    uint64_t exact[PRIORITY_WORDS]; /* its second-level priorities */
    struct countries countries;
};

/* A set of slots. */
struct bits {
    uint64_t *words; /* overlaps.words of them; owned */
};

struct overlaps {
    struct taxonomy *taxonomy;
    struct slot *slots;
    size_t size, words; /* slots that were ever used; words of each set */
    uint32_t *unused;   /* slots that are free again */
    size_t unused_count, count;
    struct bits *by_priority; /* those that have it */
    struct bits *below;       /* of a top-level one: that have it or a child */
    struct bits *by_country;
    size_t priorities, countries;
    char **entities; /* by number */
    size_t entity_count;
};

/* An action's; bodies that nobody in the index has to do with are NO_ENTITY.
 * slot_free lets go. */
void slot_fill (struct slot *self, const struct overlaps *index,
                const struct plan *plan, const struct action *action);
void slot_free (struct slot *self);
/* By name; NO_ENTITY where nobody in the index has to do with it. */
uint16_t overlaps_entity (const struct overlaps *self, const char *name);

/* Two slots that share a facet, country and day: what of them counts. */
struct meeting {
    enum overlap_class class;
    bool broad, equal, a_names, b_names;
};
bool slots_meet (const struct taxonomy *taxonomy, const struct slot *a,
                 const struct slot *b);
void slots_judge (const struct slot *a, const struct slot *b,
                  struct meeting *out);
/* The rest, with sides in their order. */
void slots_overlap (const struct slot *a, const struct slot *b,
                    const struct meeting *meeting, struct overlap *out);

#endif
