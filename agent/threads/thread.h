/* thread - one thread as the records of its topic make it: versions, stances,
 * outcome, undertakings (THREADS.md sections 4 to 6).
 *
 * The order in which records were added does not matter: what comes out is a
 * function of them, by sequence, and of the roster's roles at their places. What
 * depends on now alone is asked with it (thread_state). What plans say is
 * asks.h's. */
#ifndef PARLEY_THREAD_H
#define PARLEY_THREAD_H

#include "plans/subject.h"
#include "say.h"
#include "tally.h"

struct thread_entry { /* a record of it; those that were refused, too */
    struct origin origin;
    int64_t author_time;          /* ms */
    char via[DELEGATION_MAX + 1]; /* who handed it in; "" */
    bool newer, absent;
    struct faults *faults; /* NULL: fine. Quarantined otherwise */
    struct say *say;       /* NULL where it is not fine */
};

enum stance_state { /* of each stance, in its version */
                    STANCE_COUNTS,
                    STANCE_OBSERVER, /* would, of a member */
                    STANCE_EARLIER,  /* the party said something later */
                    STANCE_UNINVITED,
                    STANCE_TOO_LATE,
                    STANCE_REPLACED, /* its version was no longer current */
                    STANCE_AFTER,    /* the decision */
                    STANCE_ASTRAY,   /* names no version that is there */
};
const char *stance_state_name (enum stance_state state);
struct thread_stance {
    const struct thread_entry *entry;
    char entity[ENTITY_MAX + 1];
    enum stance_state state;
    bool late;
    size_t version; /* index; SIZE_MAX: astray */
};
struct thread_party {
    char entity[ENTITY_MAX + 1];
    bool member, proposer;
    /* The one that counts (or would, an observer's); SIZE_MAX: none. Then the
     * newest on this version whatever its state; SIZE_MAX. */
    size_t stance, newest;
    bool disagrees; /* delegations of it */
};
enum thread_close_state {
    CLOSE_GOOD,
    CLOSE_EARLY,
    CLOSE_FALSE,
    CLOSE_UNKNOWN, /* something below it is not held */
    CLOSE_IDLE,    /* the version was decided, or replaced, before */
};
struct thread_close {
    const struct thread_entry *entry;
    enum thread_close_state state;
    size_t version;
    char why[160]; /* false, early: in words */
};
/* Of a thread; further ones are quarantined. */
#define THREAD_VERSIONS_MAX 256
struct thread_version {
    const struct thread_entry *entry;
    const struct proposal *proposal;
    int64_t number; /* from 1 */
    size_t party_count;
    const struct thread_party *parties; /* by entity */
    int64_t decided;                    /* sequence of a good close; -1 */
    int64_t until;    /* sequence of what ended it (close, next version,
                        withdrawal); -1: nothing */
    int64_t until_ms; /* its log time */
    bool replaced;    /* before it was decided */
    bool withdrawn;   /* likewise */
    /* The roster in force at its place is not known here: nobody counts, and no
     * close is believed. */
    bool unjudged;
};

struct thread {
    struct thread_place place;
    size_t entry_count, version_count, stance_count, close_count;
    const struct thread_entry *const *entries; /* by sequence */
    const struct thread_version *versions; /* by number; the last is current */
    const struct thread_stance *stances;   /* by sequence */
    const struct thread_close *closes;     /* by sequence */
    const struct thread_entry *withdrawn;  /* NULL */
    const struct thread_entry *attendance; /* newest; NULL */
    int64_t last, last_ms; /* newest record that is not quarantined */
};
/* NULL: none that is good. */
const struct thread_version *thread_current (const struct thread *self);
/* NULL: that body is no party. */
const struct thread_party *thread_party (const struct thread_version *version,
                                         const char *entity);
size_t thread_version_find (const struct thread *self, const struct hash *id);

enum thread_status {
    STATUS_OPEN,
    STATUS_LATE,
    STATUS_AGREED,
    STATUS_NOT_AGREED,
    STATUS_OVER,
    STATUS_CLOSED,
    STATUS_WITHDRAWN,
    STATUS_REPLACED, /* a version's alone */
    STATUS_EMPTY,    /* no proposal that is good */
};
/* "open", "agreed", ... ; "there" for an open notice, practice, capability. */
const char *thread_status_name (enum thread_kind kind,
                                enum thread_status status);
struct thread_state {
    enum thread_status status;
    struct tally tally;
    bool would_agree; /* as it stands */
};
/* Of the version (an index), at that moment. */
void thread_version_state (const struct thread *self, size_t version,
                           int64_t now_ms, struct thread_state *out);
/* Of the current one, and of the thread. */
void thread_state (const struct thread *self, int64_t now_ms,
                   struct thread_state *out);
/* The newest version that is agreed then; SIZE_MAX: none. */
size_t thread_agreed (const struct thread *self, int64_t now_ms);

/* Undertakings of the newest agreed version, as messages say: the newest `done`
 * of its owner; NULL: none, or undone. */
const struct thread_entry *thread_done (const struct thread *self,
                                        const struct undertaking *undertaking);

/* What a close of the current version would say at a place whose log time is
 * now: for the agent that writes it. false: it would be too early, or there is
 * nothing to close. `entity`: who would close. */
bool thread_close_due (const struct thread *self, const char *entity,
                       int64_t now_ms, enum thread_outcome *outcome,
                       const struct thread_entry **stances, size_t room,
                       size_t *count);

#endif
