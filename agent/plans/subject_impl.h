/* subject_impl - how a subject is put together: what model*.c use of
 * subject*.c, and nobody else. */
#ifndef PARLEY_SUBJECT_IMPL_H
#define PARLEY_SUBJECT_IMPL_H

#include "facets.h"
#include "subject.h"

/* What is kept of a record. */
struct entry {
    struct history_entry is; /* first: handed out as that */
    bool judged;             /* `is` says what its body is */
    struct json_t *document; /* until then: the body; or NULL */
    char *why;               /* and why there is none */
    char *part;              /* an annex's id, also once it is let go of */
    struct facets *facets;   /* of the actions that it states; NULL: none */
    bool beyond; /* the limit of annexes: its faults follow from others */
    bool tried;  /* a change of the taxonomy: `is` has the faults that it has */
    struct hash tried_on; /* as one of that taxonomy */
    char *topic;          /* where it names no place; else NULL */
};
/* Either a document, of which a reference is kept, or `why` it is not read
 * (copied), whatever there is. */
struct entry *entry_new (const struct origin *origin, enum content_kind kind,
                         struct json_t *document, const char *why, bool absent)
    MUST_CHECK;
void entry_free (struct entry **self_p);
/* One that was handed out is ours again. */
static inline struct entry *entry_of (const struct history_entry *is) {
    return (struct entry *) (uintptr_t) is;
}
/* Put into an array that is sorted by sequence; false: that one is there. */
struct entries {
    struct history_entry **at;
    size_t count, room;
};
bool entries_add (struct entries *self, struct entry *entry) MUST_CHECK;
/* How many are below. */
size_t entries_below (const struct entries *self, int64_t sequence);
struct entry *entries_find (const struct entries *self, int64_t sequence);
/* Frees those of the channel, or at and above `from`; returns how many. */
size_t entries_drop (struct entries *self, const char *channel, int64_t from);
void entries_clear (struct entries *self);

/* What a record's reading asks for. */
struct reading {
    /* The body again, by the store: the caller's; NULL: damaged. */
    struct json_t *(*load) (void *arg, const struct origin *origin);
    /* In force at a place; borrowed. */
    const struct taxonomy *(*taxonomy) (void *arg, int64_t sequence);
    void *arg;
};
/* Judge it, once: content or faults. */
void entry_judge (struct entry *self, const struct content_place *place,
                  const struct reading *reading);
/* Judge it again: another taxonomy is in force at its place. */
void entry_unjudge (struct entry *self);
/* The content that was let go of; false: its body is no longer there. */
bool entry_recall (struct entry *self, const struct content_place *place,
                   const struct reading *reading) MUST_CHECK;

/* A subject with what it is made of, and what model.c notes of it. */
struct work {
    struct subject is; /* first */
    struct entries entries;
    struct plan *joined; /* with annexes; NULL: the revision's own */
    struct was { /* the plan before work_derive, and what it is of: NULLs */
        const struct plan *plan;
        struct plan *joined;
        struct content *content;
    } was;
    bool dirty;
    bool touched;           /* by the settling that goes on */
    enum content_kind kind; /* of the record that came last, for changes */
    int64_t sequence;
    bool has_digest;
    int32_t digest_day;
    struct hash digest;
};
struct work *work_new (const char *plan_id, const char *entity) MUST_CHECK;
void work_free (struct work **self_p);
/* Derive anew from the entries below `limit`. Content of older revisions is let
 * go of; the plan that was there before stays until work_was_free. */
void work_derive (struct work *self, int64_t limit,
                  const struct reading *reading);
void work_was_free (struct work *self);

/* subject_join.c */
struct joining;
/* Onto a copy of the plan's document, whose home is that channel. */
struct joining *joining_new (const struct json_t *plan, const char *home)
    MUST_CHECK;
void joining_free (struct joining **self_p);
/* One annex more; what it can't do is in *covered. */
void joining_add (struct joining *self, const struct annex *annex,
                  const char *channel, const struct taxonomy *taxonomy,
                  struct faults *covered);
/* The result, read, with audiences; NULL: what stands there can't be read. */
struct plan *joining_plan (const struct joining *self,
                           const struct taxonomy *taxonomy) MUST_CHECK;
/* What subject_document answers; the caller's. */
struct json_t *joining_document (const struct joining *self) MUST_CHECK;

/* subject_progress.c: reports below the limit, sorted and marked. */
void progress_derive (struct work *self);

#endif
