/* plan - a plan document, checked, and as a structure (CONTENTS.md section 2,
 * deploy/sample/plan.schema.json).
 *
 * Immutable once made. Text is owned by the plan; pointers live as long as it
 * does. What is not needed for lists, overlaps and reports is not kept: the
 * document itself stands in its record. */
#ifndef PARLEY_PLAN_H
#define PARLEY_PLAN_H

#include "base/topic.h"
#include "taxonomy.h"

struct json_t;

#define PLAN_OCTETS_MAX 245760 /* of a document as msgpack: 240 KiB */
#define PLAN_ID_MAX 81         /* ENTITY, a hyphen, 64 more */
#define PLAN_PART_MAX 32       /* octets of an action's, goal's ... id */
#define PLAN_REF_MAX 114       /* PLAN-ID#PART; without the NUL */
#define PLAN_TEXT_MAX 4000     /* characters */

enum action_kind {
    KIND_OPERATION,
    KIND_TRAINING,
    KIND_ANALYSIS,
    KIND_DATA_SHARING,
    KIND_POLICY,
    KIND_BORDER_CONTROL,
    KIND_CAPACITY_BUILDING,
    KIND_COUNT
};
enum action_status {
    STATUS_PLANNED,
    STATUS_ACTIVE,
    STATUS_DELAYED,
    STATUS_SUSPENDED,
    STATUS_DONE,
    STATUS_CANCELLED,
    STATUS_COUNT
};
const char *action_kind_name (enum action_kind kind);
const char *action_status_name (enum action_status status);
/* false: no such word. */
bool action_kind_read (struct slice text, enum action_kind *out);
bool action_status_read (struct slice text, enum action_status *out);

/* Plain, or in languages: the first one is the plan's own language or the first
 * by its name's octets, as on the wire. */
struct text {
    size_t count;
    struct {
        const char *lang, *text;
    } * at;
};
/* In that language ("fr", or its primary subtag), else the first; "" for none. */
const char *text_in (const struct text *self, const char *lang);

struct numbers { /* priorities or regions, ascending */
    size_t count;
    const int *at;
};
struct names { /* entities or references, in their order */
    size_t count;
    const char *const *at;
};

struct milestone {
    const char *id;
    struct text title;
    struct date due, done;
    bool is_done;
};
struct point {
    struct date at;
    double value;
};
struct indicator {
    const char *id, *unit;
    struct text title;
    bool has_baseline, down; /* down: less is better */
    struct point baseline;
    size_t target_count;
    const struct point *targets;
};
struct goal {
    const char *id, *parent; /* "" */
    struct text title;
    struct numbers priorities, regions;
    size_t indicator_count;
    const struct indicator *indicators;
};
struct action {
    const char *id;
    struct text title;
    enum action_kind kind;
    enum action_status status;
    struct numbers priorities, regions;
    bool world;                 /* World is among its regions */
    struct countries countries; /* of its whole span */
    struct span span;
    const char *lead;
    struct names co_leads, partners, goals, same_as, depends_on, open_to;
    size_t milestone_count, indicator_count;
    const struct milestone *milestones;
    const struct indicator *indicators;
    const char *audience; /* the channel it came by; NULL in a lone document */
    /* The strictest of what it came by; NULL: the plan's (action_handling). */
    const char *handling;
    size_t part; /* the subject's n-th annex brought it; 0: the revision */
    /* SHA-256 over what a statement on an overlap rests on (section 7): the
     * canonical msgpack array of priorities, regions, from, to or nil, lead,
     * co-leads, partners, same_as, cancelled; lists sorted by octets. */
    struct hash facts;
};
struct plan {
    const char *id, *entity, *lang, *handling, *level; /* level "" */
    struct text title, summary;
    struct date cycle_from, cycle_to, next_review;
    bool has_review;
    struct numbers priorities, regions;
    size_t goal_count, action_count;
    const struct goal *goals;
    const struct action *actions;
    struct taxonomy *taxonomy; /* a reference */
};

/* Everything that section 2 asks, each fault in *faults (which may hold some
 * already). NULL where any was found. */
struct plan *plan_read (const struct json_t *document,
                        const struct taxonomy *taxonomy, struct faults *faults)
    MUST_CHECK;
/* The same of a document that annexes were joined to, which may be larger and
 * its lists longer. */
struct plan *plan_read_joined (const struct json_t *document,
                               const struct taxonomy *taxonomy,
                               struct faults *faults) MUST_CHECK;
/* Of the n-th action; the name is copied. Only before others see the plan. */
void plan_set_audience (struct plan *self, size_t action, const char *channel);
/* The same: which annex brought it, and the handling of all that it is of. */
void plan_set_part (struct plan *self, size_t action, size_t part,
                    const char *handling);
/* Its actions' countries anew, as a later taxonomy has their regions. Only while
 * nobody reads the plan, and it is in no index. */
void plan_set_countries (struct plan *self, const struct taxonomy *taxonomy);
void plan_free (struct plan **self_p);
const struct action *plan_action (const struct plan *self, const char *id);
const char *action_handling (const struct plan *plan,
                             const struct action *action);
/* The stricter one of two of the words of `handling`; "" is none. */
const char *handling_stricter (const char *a, const char *b);
/* Is the entity lead, co-lead or partner? */
bool action_names (const struct action *self, const char *entity);
/* "PLAN-ID#ACTION-ID". Returns out. */
char *action_ref (char out[PLAN_REF_MAX + 1], const struct plan *plan,
                  const struct action *action);

#endif
