/* model - everything that the records about plans make: subjects, statements on
 * overlaps, the taxonomy in force, quarantine; with the index of overlaps over
 * them. In memory; a replay makes it again.
 *
 * A function of the set of records that were added, and of the rights that the
 * caller judged before. One writer; readers share it as projector.h says. */
#ifndef PARLEY_MODEL_H
#define PARLEY_MODEL_H

#include "gaps.h"
#include "overlap.h"
#include "subject.h"

struct model;
struct roster;

struct model_options {
    const char *delegation; /* ours; borrowed */
    /* An entry's document again, from the store: the caller's; NULL: damaged. */
    struct json_t *(*load) (void *arg, const struct origin *origin);
    /* The roster in force at a place; borrowed. */
    const struct roster *(*roster) (void *arg, int64_t sequence);
    void *arg;
    int64_t generation; /* of the first: a model that takes another's place */
};
struct model *model_new (const struct model_options *options) MUST_CHECK;
void model_destroy (struct model **self_p);

/* A record of one of section 1's topics, verified. `document`: its body, or NULL
 * with why (no map, erased, sealed, not UTF-8). The same sequence again is
 * passed over. */
struct model_record {
    struct origin origin;
    struct slice topic;
    struct json_t *document;
    const char *why;
    bool absent; /* it is nobody's fault that there is none: erased, sealed */
};
void model_add (struct model *self, const struct model_record *record);
/* After some were added: derives what they touched. Cheap where nothing was. */
void model_settle (struct model *self);
/* Forget a channel's records (the right to read it was taken). */
void model_forget (struct model *self, const char *channel);
/* Forget all at and above that place: an epoch begins there. */
void model_cut (struct model *self, int64_t from);

/* What changed lately, by subject: for live feeds. `generation` counts
 * model_settle calls that changed something. */
int64_t model_generation (const struct model *self);
#define MODEL_CHANGES_MAX 1024
struct model_change {
    int64_t generation;
    char what[PLAN_ID_MAX + 1]; /* a plan's id; "" : statements or taxonomy */
    enum content_kind kind;
    int64_t sequence; /* that brought it */
};
/* Those above `generation`, oldest first; false: some are no longer known. */
bool model_changes (const struct model *self, int64_t generation,
                    void (*each) (void *arg, const struct model_change *),
                    void *arg);

/* All subjects, by plan id; also withdrawn ones and those of which nothing is
 * good. */
size_t model_subject_count (const struct model *self);
const struct subject *model_subject (const struct model *self, size_t n);
const struct subject *model_find (const struct model *self,
                                  const char *plan_id); /* NULL */
/* The plans that are there: of all subjects with one. */
size_t model_plan_count (const struct model *self);
const struct plan *const *model_plans (const struct model *self);
const struct overlaps *model_overlaps (const struct model *self);
const struct taxonomy *model_taxonomy (const struct model *self);
/* In force for a record at that place. */
const struct taxonomy *model_taxonomy_at (const struct model *self,
                                          int64_t sequence);
/* How often another one came into force somewhere. */
int64_t model_taxonomy_turns (const struct model *self);

/* Statements on a pair: the newest of each entity that is not a retraction, by
 * sequence. `stands`: section 7. */
struct model_statement {
    const struct origin *origin;
    char entity[ENTITY_MAX + 1];
    const struct statement *statement;
    bool own; /* for the own body alone */
    bool stands;
};
size_t model_statements (const struct model *self, const struct overlap *pair,
                         struct model_statement *out, size_t room);
/* A `not-overlap` of our own body stands. */
bool model_folded (const struct model *self, const struct overlap *pair);
/* Some such statement stands, or did: whoever lists asks for each pair then. */
bool model_has_folded (const struct model *self);
/* All pairs that are folded, for a query's `omitted`: the caller's to free. */
struct overlap_omitted *model_folded_all (const struct model *self,
                                          size_t *count) MUST_CHECK;

/* Quarantined, and "needs a newer version": all, by sequence, topics' first. */
size_t model_quarantine (const struct model *self,
                         void (*each) (void *arg, const struct history_entry *,
                                       const char *topic),
                         void *arg);

/* Of a body and version; further ones are quarantined. */
#define PROPOSALS_MAX 8
/* Proposals for the taxonomy's versions that are not quarantined. The content's
 * document is there of those in force alone. */
struct model_proposal {
    const struct history_entry *entry;
    int64_t version;
    bool in_force,
        void_;   /* void: another one came first, or it breaks a rule */
    bool timely; /* it stands where its version is the next */
    const struct history_entry *brought; /* in force by that record; NULL */
    size_t consents, needed;
    const char *consented[32]; /* entities, the first of them */
};
size_t model_proposals (const struct model *self,
                        void (*each) (void *arg, const struct model_proposal *),
                        void *arg);

/* The state below `mark` with the mark's time as now, as digests. That of the
 * overlaps is over the counts of each two bodies, the first thousand live ones in
 * their order, and all statements. */
struct model_digests {
    struct hash records; /* leaves of what it rests on, by sequence */
    struct hash plans, overlaps, gaps, taxonomy, all;
    size_t record_count;
};
void model_digest (struct model *self, int64_t mark, int64_t mark_ms,
                   struct model_digests *out);
/* How many subjects have records at or above the mark: where it is none,
 * model_digest changes nothing that readers look at, else it takes those records
 * away and brings them back. SIZE_MAX: the taxonomy does. */
size_t model_beyond (const struct model *self, int64_t mark);
/* A part of model_digest's work beforehand, which readers don't see. */
void model_digest_prepare (struct model *self, int64_t mark, int64_t mark_ms);

#endif
