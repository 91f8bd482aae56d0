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

/* How many overlaps two bodies have, of each sort and by last common day, so
 * that those live on a day are a sum. A sort is what page_coarse gives. */
#define SORTS 16
struct counts_pair;
/* What one plan changes, before it is put where it is kept. */
#define COUNTS_CELLS 4096
struct counts_cell {
    uint16_t x, y;
    uint8_t sort;
    int32_t last;
    uint32_t count; /* 0: free */
};

struct overlaps {
    struct taxonomy *taxonomy;
    struct slot *slots;
    struct glance *glances;       /* by slot */
    uint32_t *by_first;           /* slots in use, by first day, then number */
    uint64_t *mask;               /* the writer's, for a while */
    struct counts_pair **counted; /* by numbers of entities */
    size_t counted_count, counted_room;
    size_t counted_days;       /* in all of them */
    struct counts_cell *cells; /* COUNTS_CELLS */
    bool uncounted;            /* there were too many to be kept */
    size_t size, words; /* slots that were ever used; words of each set */
    uint32_t *unused;   /* slots that are free again */
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
/* Those that share a facet with it, and a country where that is known. */
void slot_mask (const struct overlaps *self, const struct slot *slot,
                uint64_t *mask);

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

/* As action_ref's texts, as octets. */
int slot_compare (const struct slot *a, const struct slot *b);
/* A bit of a folded set says no for certain, and yes where numbers are small. */
static inline bool named_by (const struct overlaps *self, const struct slot *x,
                             const struct glance *a, uint16_t entity) {
    return entity != NO_ENTITY && a->named >> entity % 64 & 1
           && (self->entity_count <= 64 || slot_names (x, entity));
}

static inline bool equal_facet (const struct overlaps *self,
                                const struct slot *x, const struct glance *a,
                                const struct slot *y, const struct glance *b) {
    uint64_t equal = 0;
    if (!(a->exact & b->exact) || self->priorities <= 64)
        return (a->exact & b->exact) != 0;
    for (size_t i = 0; i < PRIORITY_WORDS; i++)
        equal |= x->exact[i] & y->exact[i];
    return equal != 0;
}

/* Of a pair that meets, by the folded sets; the sets themselves where those do
 * not tell. */
static inline void glances_judge (const struct overlaps *self,
                                  const struct slot *x, const struct glance *a,
                                  const struct slot *y, const struct glance *b,
                                  struct meeting *out) {
    if (a->linked || b->linked) {
        slots_judge (x, y, out);
        return;
    }
    out->equal = equal_facet (self, x, a, y, b);
    out->broad = !out->equal || a->world || b->world;
    out->a_names = named_by (self, x, a, b->entity);
    out->b_names = named_by (self, y, b, a->entity);
    /* By how many of the two name the other. */
    static const enum overlap_class by_names[] = { OVERLAP_POSSIBLE,
                                                   OVERLAP_CLAIMED,
                                                   OVERLAP_JOINT };
    out->class = by_names[out->a_names + out->b_names];
}

uint64_t slots_countries (const struct overlaps *self, const struct slot *x,
                          const struct slot *y);
/* Of a pair whose common days begin and end there. */
bool slots_imprecise (const struct slot *x, const struct glance *a,
                      const struct slot *y, const struct glance *b,
                      int32_t first, int32_t last);

/* The first offset + limit of what is listed. Order: coarse (broad, class, no
 * equal facet), imprecise, countries, first day; then the references. */
struct page {
    struct page_key *keys;
    size_t count, room, max;
};
#define COUNTRIES_ANY 1024 /* more than there are */
static inline uint64_t page_coarse (const struct meeting *meeting) {
    uint64_t out = meeting->broad;
    out = out << 2 | meeting->class;
    return out << 1 | !meeting->equal;
}
uint64_t page_order (uint64_t coarse, bool imprecise, uint64_t countries,
                     int32_t first);
/* false: one of that order is not among them. */
bool page_may_hold (const struct page *self, uint64_t order);
/* How many countries in common one of that sort and first day may have at most;
 * 0: it is not among them; COUNTRIES_ANY: any. */
unsigned page_countries (const struct page *self, uint64_t coarse,
                         int32_t first);
void page_add (struct page *self, uint64_t order, const struct slot *x,
               const struct slot *y);
/* What is behind `offset`, and frees. */
void page_give (struct page *self, size_t offset, struct overlap_answer *out);

/* overlap_counts.c: a slot that has entered the sets, or is about to leave them,
 * with all others. */
void counts_change (struct overlaps *self, size_t slot, int change);
/* After all of a plan. */
void counts_flush (struct overlaps *self, int change);
void counts_free (struct overlaps *self);
/* Pairs of slots that a query leaves out. */
struct omissions {
    uint64_t *touched; /* slots that some pair has */
    size_t count;
    struct omission {
        uint32_t low, high;
    } * at; /* sorted */
};
void omissions_make (struct omissions *self, const struct overlaps *index,
                     const struct overlap_query *query);
void omissions_free (struct omissions *self);
bool omissions_have (const struct omissions *self, size_t x, size_t y);

/* All that the query, of at most entities and a day, asks for: pairs and counts
 * of the answer, and of each sort. */
void counts_find (const struct overlaps *self,
                  const struct overlap_query *query, uint16_t entity,
                  uint16_t other, const struct omissions *omissions,
                  struct overlap_answer *out, int64_t sorts[SORTS]);

/* overlap_list.c: the page of what counts_find counted (without omissions):
 * `sorts` says how many there are of each sort that may be listed. */
void overlaps_list (const struct overlaps *self,
                    const struct overlap_query *query, uint16_t entity,
                    uint16_t other, const struct omissions *omissions,
                    const int64_t sorts[SORTS], struct overlap_answer *out);

#endif
