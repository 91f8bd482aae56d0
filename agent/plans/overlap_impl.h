/* overlap_impl - what the files of overlap.h share, and nobody else. */
#ifndef PARLEY_OVERLAP_IMPL_H
#define PARLEY_OVERLAP_IMPL_H

#include "overlap.h"

#define PRIORITY_WORDS (TAXONOMY_PRIORITIES_MAX / 64)
#define NO_ENTITY UINT16_MAX
#define NO_PLACE UINT16_MAX
/* Actions are in few different sets of countries: each of so many is a place, of
 * which it is known whom it meets. Those beyond are looked at one by one. */
#define PLACES_MAX 1024

/* An action as a search needs it, beside the whole. */
struct slot {
    const struct plan *plan; /* NULL: free */
    const struct action *action;
    int32_t first, last;
    uint16_t entity; /* of the plan */
    size_t named_count;
    uint16_t *named; /* entities, by number; owned */
    uint16_t place;
    bool world;
    uint64_t exact[PRIORITY_WORDS]; /* its second-level priorities */
    struct countries countries;
};

/* What a search looks at for each pair, small so that it stays in the caches.
 * Sets are folded to 64 bits: where they have no common bit they have nothing in
 * common, and where the numbers are below 64 a common bit says that they do. */
struct glance {
    int32_t first, last;
    uint16_t entity, place;
    bool world, whole_days, linked; /* linked: names some action in same_as */
    uint64_t named, exact;
};

/* A set of slots. */
struct bits {
    uint64_t *words; /* overlaps.words of them; owned */
};

struct place {
    struct countries countries;
    size_t uses;                 /* slots; 0: free */
    struct bits meets;           /* slots that have one of the countries */
    uint16_t common[PLACES_MAX]; /* countries in common with each other place */
};

struct overlaps {
    struct taxonomy *taxonomy;
    struct slot *slots;
    struct glance *glances; /* by slot */
    size_t size, words;     /* slots that were ever used; words of each set */
    uint32_t *unused;       /* slots that are free again */
    size_t unused_count, count;
    struct bits *by_priority; /* those that have it */
    struct bits *below;       /* of a top-level one: that have it or a child */
    struct place *places[PLACES_MAX];
    size_t place_count; /* that were ever used */
    size_t priorities;
    char **entities; /* by number */
    size_t entity_count;
};

/* An action's; bodies that nobody in the index has to do with are NO_ENTITY.
 * slot_free lets go. */
void slot_fill (struct slot *self, const struct overlaps *index,
                const struct plan *plan, const struct action *action);
void slot_free (struct slot *self);
void glance_fill (struct glance *self, const struct slot *slot);
/* The place with these countries; NO_PLACE. */
uint16_t overlaps_place (const struct overlaps *self,
                         const struct countries *countries);
/* A slot that is about to enter the sets, or has left them. */
void place_enter (struct overlaps *self, size_t slot);
void place_leave (struct overlaps *self, size_t slot);
void places_grow (struct overlaps *self, size_t words);
void places_free (struct overlaps *self);
/* By name; NO_ENTITY where nobody in the index has to do with it. */
uint16_t overlaps_entity (const struct overlaps *self, const char *name);

/* Two slots that share a facet, country and day: what of them counts. */
struct meeting {
    enum overlap_class class;
    bool broad, equal, a_names, b_names;
};
bool slot_names (const struct slot *self, uint16_t entity);
bool slots_meet (const struct taxonomy *taxonomy, const struct slot *a,
                 const struct slot *b);
void slots_judge (const struct slot *a, const struct slot *b,
                  struct meeting *out);
/* The rest, with sides in their order. */
void slots_overlap (const struct slot *a, const struct slot *b,
                    const struct meeting *meeting, struct overlap *out);

/* The first offset + limit of what is listed. Order: coarse (broad, class, no
 * equal facet), imprecise, countries, first day; then the references. */
struct page {
    struct page_key *keys;
    size_t count, room, max;
};
uint64_t page_coarse (const struct meeting *meeting);
uint64_t page_order (uint64_t coarse, bool imprecise, uint64_t countries,
                     int32_t first);
/* false: one of that order is not among them. */
bool page_may_hold (const struct page *self, uint64_t order);
void page_add (struct page *self, uint64_t order, const struct slot *x,
               const struct slot *y);
/* What is behind `offset`, and frees. */
void page_give (struct page *self, size_t offset, struct overlap_answer *out);

#endif
