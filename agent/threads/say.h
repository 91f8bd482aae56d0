/* say - one message of a thread, checked, and as a structure (THREADS.md
 * sections 2 and 3; schemas in deploy/schema/).
 *
 * say_read checks shape and what the body itself can tell, as the author's agent
 * does before it signs and each reader again; what other records decide (is the
 * version there? who is invited?) is thread.h's.
 *
 * Immutable once made. Text is owned by it; what is long (texts of comments and
 * paragraphs) is not kept: the document stands in its record. */
#ifndef PARLEY_SAY_H
#define PARLEY_SAY_H

#include "instant.h"
#include "kinds.h"

enum thread_rule {
    RULE_ALL,
    RULE_MAJORITY,
    RULE_ANY,
    RULE_SILENCE,
    RULE_WITHOUT
};
const char *thread_rule_name (enum thread_rule rule);

#define SAY_INVITED_MAX 64
#define SAY_UNDERTAKINGS_MAX 64
#define SAY_REFS_MAX 64

struct about {
    const char *ref; /* PLAN-ID or PLAN-ID#ID */
    int64_t of;      /* sequence; -1: not said */
};
enum thread_shows { SHOWS_NOTHING, SHOWS_DONE, SHOWS_CANCELLED, SHOWS_NAMED };
struct undertaking {
    const char *id, *who, *action; /* action "" */
    struct text what;
    bool has_by;
    struct instant by;
    enum thread_shows shows;
};
struct decision {
    const char *id, *owner; /* owner "" */
    struct text text;
    bool has_by;
    struct instant by;
};
struct agenda_item {
    const char *id, *entity; /* entity "" */
    struct text title;
};

struct proposal {
    struct text title;
    const char *type, *handling; /* "" */
    struct names invited;        /* as they stand */
    bool has_deadline;
    struct instant deadline;
    /* RULE_ALL of a communique that has none, RULE_ANY of a request; RULE_WITHOUT
     * of other kinds. */
    enum thread_rule rule;
    size_t about_count, undertaking_count, decision_count;
    const struct about *about;
    const struct undertaking *undertakings;
    const struct decision *decisions;
    struct numbers priorities, regions;
    struct hash_list { /* suggestions */
        size_t count;
        const struct hash *at;
    } takes_up;
    /* communique */
    const char *binding, *minutes_of; /* "" */
    size_t paragraph_count;
    /* meeting */
    struct instant from, to;
    const char *zone, *series; /* series "" */
    struct text place;
    int64_t edition; /* 0: none */
    size_t agenda_count;
    const struct agenda_item *agenda;
    /* capability, request */
    struct names offered_to;
    const char *capability; /* ID, "" */
};
struct stance {
    struct hash version;
    enum thread_says says;
    struct text reservation, text; /* kept: every listing shows the first */
    const char *signature;         /* a note's line, "" */
    const char *represented_by;    /* "" */
};
struct suggestion {
    struct hash version;
    const char *paragraph; /* "" */
};
struct done {
    const char *undertaking;
    bool undone;
    struct date day; /* where not undone */
};
struct attendee {
    const char *entity, *represented_by; /* "" */
    struct text text;
};
struct attendance {
    size_t count;
    const struct attendee *at;
};
enum thread_outcome { OUTCOME_AGREED, OUTCOME_NOT_AGREED, OUTCOME_CLOSED };
const char *thread_outcome_name (enum thread_outcome outcome);
struct closing {
    struct hash version;
    enum thread_outcome outcome;
    struct names entities;    /* by their octets */
    struct hash_list stances; /* of each */
};

/* Never copied: of the union only what `does` needs is there. */
struct say {
    enum thread_does does;
    const char *function; /* "" */
    union {
        struct proposal proposal;
        struct suggestion suggestion;
        struct stance stance;
        struct text title; /* of a contribution */
        struct done done;
        struct attendance attendance;
        struct closing closing;
        struct text reason; /* of a withdrawal */
    };
};
/* NULL: *faults says why, or *newer: a higher format. `author_entity` NULL: not
 * asked (section 2's "who" is judged where it is the proposer). `document` is
 * only read. */
struct say *say_read (const struct thread_place *place,
                      const struct json_t *document, const char *author_entity,
                      const struct taxonomy *taxonomy, struct faults *faults,
                      bool *newer) MUST_CHECK;
void say_free (struct say **self_p);

#endif
