/* model_impl - what the files model*.c share, and nobody else. */
#ifndef PARLEY_MODEL_IMPL_H
#define PARLEY_MODEL_IMPL_H

#include "model.h"
#include "subject_impl.h"

struct said {            /* a statement that is good */
    struct entry *entry; /* borrowed */
    const struct statement *statement;
    char entity[ENTITY_MAX + 1];
    bool own, stands;
    bool fresh; /* not judged yet */
};
struct force { /* a taxonomy in force behind that place */
    int64_t sequence;
    struct taxonomy *taxonomy;
};
struct proposal {
    struct model_proposal is;
    struct names_list {
        size_t count, room;
        char (*at)[ENTITY_MAX + 1];
    } entities;
};

struct model {
    struct model_options options;
    char entity[ENTITY_MAX + 1]; /* ours */
    struct reading reading;
    int64_t limit;       /* records at and above it are not looked at */
    struct work **works; /* by plan id */
    size_t work_count, work_room;
    bool dirty; /* any of them */
    const struct plan **plans;
    size_t plan_count;
    struct overlaps *overlaps; /* NULL while the taxonomy changes */
    struct entries statements;
    struct said **said; /* by a, b, entity, sequence */
    size_t said_count, said_room;
    size_t statements_judged;
    bool statements_dirty;
    struct entries changes; /* of the taxonomy */
    bool changes_dirty;
    struct force *force; /* the base first, at -1 */
    size_t force_count;
    int64_t taxonomy_turns;
    struct proposal *proposals;
    size_t proposal_count;
    struct entries loose; /* whose topic names no place */
    bool loose_dirty;
    int64_t generation;
    struct model_change ring[MODEL_CHANGES_MAX];
    size_t ring_count; /* ever put there */
    int64_t forgotten; /* the newest generation that the ring lost some of */
    /* model_digest.c, of the state of that generation, without a limit */
    int64_t digest_generation;
    int32_t digest_day;
    int64_t highest; /* sequence that was ever added */
    struct model_digests digests;
};

struct work *model_work (const struct model *self, const char *plan_id,
                         size_t *at);
/* One settling, without counting it; false: nothing was to be done. */
bool model_derive (struct model *self);

/* model_taxonomy.c */
/* Anew from all that was said; the lowest place behind which another one is in
 * force than before, or INT64_MAX. */
int64_t model_taxonomy_derive (struct model *self);
void model_taxonomy_free (struct model *self);

/* model_statements.c: judge those that are new, and those whose plans were
 * touched. */
void model_statements_derive (struct model *self);
/* The index alone: it is made anew. */
void model_statements_free_said (struct model *self);
void model_statements_free (struct model *self);

#endif
