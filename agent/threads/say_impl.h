/* say_impl - what say.c, say_read.c and say_proposal.c share: which members each
 * verb has, for which kinds (tables of THREADS.md sections 2 and 3). */
#ifndef PARLEY_SAY_IMPL_H
#define PARLEY_SAY_IMPL_H

#include "say.h"

#include "plans/plan_impl.h"

/* One body under judgement, and what is made of it. */
struct reading {
    struct check check;
    const struct thread_place *place;
    const struct json_t *body;
    struct arena *arena;
    const char *lang; /* of plain text */
};

/* A row of the tables; one letter a kind, in the order of enum thread_kind:
 * needed, may be, ' ' refused, '.' another row's. */
struct say_member {
    const char *name;
    const struct shape *shape;
    const char *kinds;
};
#define SAY_NEEDED "nnnnnnnn"
#define SAY_MAY "mmmmmmmm"

struct say_verb {
    const struct say_member *members; /* up to one without a name */
    size_t size;                      /* of its part of struct say */
    size_t room;                      /* that its text may need */
    /* What the members say of each other; only where each by itself is fine.
     * NULL: nothing. */
    void (*check) (struct reading *in);
    void (*read) (struct reading *in, struct say *out); /* NULL */
};
const struct say_verb *say_verb (enum thread_does does);

extern const struct say_member proposal_members[];
void proposal_check (struct reading *in);
void proposal_read (struct reading *in, struct say *out);

/* A member of the body; NULL. */
const struct json_t *said (const struct reading *in, const char *name);
/* A fault at one. */
#define SAID_FAULT(in, name, ...)                                              \
    do {                                                                       \
        size_t mark_ = path_member (&(in)->check.path, name);                  \
        CHECK_FAULT (&(in)->check, __VA_ARGS__);                               \
        path_back (&(in)->check.path, mark_);                                  \
    } while (0)

struct text said_text (struct reading *in, const struct json_t *object,
                       const char *name);
struct hash_list said_hashes (struct reading *in, const char *name);
struct hash said_hash (const struct reading *in, const char *name);
/* false: absent. */
bool said_instant (const struct json_t *object, const char *name,
                   struct instant *out);

extern const struct shape shape_instant;

#endif
