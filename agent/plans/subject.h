/* subject - one plan as the records of its history make it: revisions,
 * withdrawals, annexes, reports, answers (CONTENTS.md sections 2 to 5).
 *
 * The order in which records were added does not matter: what comes out is a
 * function of them, by sequence. */
#ifndef PARLEY_SUBJECT_H
#define PARLEY_SUBJECT_H

#include "contents.h"

struct origin { /* of a record */
    int64_t sequence, log_time;
    struct hash id, leaf;
    char author[DELEGATION_MAX + 1];
    char channel[CHANNEL_MAX + 1];
};
/* The part before the slash. Returns out. */
char *origin_entity (char out[ENTITY_MAX + 1], const struct origin *origin);

/* A record of the history; those that were refused, too. */
struct history_entry {
    struct origin origin;
    enum content_kind kind;
    bool withdrawal, newer;
    bool absent; /* no body to judge (erased, sealed): `faults` says why, and it
                    is nobody's fault */
    int64_t revision;        /* 1, 2, ...; 0: is none */
    struct faults *faults;   /* NULL: fine. Quarantined otherwise */
    struct content *content; /* NULL: let go of (an older revision), or none */
};

/* Ids of annexes that count, of a plan and channel: the first by sequence. */
#define PARTS_MAX 32
struct part { /* an annex that counts */
    const struct history_entry *entry;
    struct faults covered; /* what was there already, or was wrong */
};
struct plan_progress { /* a report */
    const struct history_entry *entry;
    char entity[ENTITY_MAX + 1];
    bool counts; /* false: its body is not named, or the action is gone */
    bool newest; /* of its action, body and period */
    bool latest; /* of its action and body */
};
struct answer_hidden {
    const struct history_entry *entry;
};

struct subject {
    char plan_id[PLAN_ID_MAX + 1], entity[ENTITY_MAX + 1];
    size_t entry_count;
    const struct history_entry *const *entries; /* by sequence */
    /* The plan, annexes joined; NULL: withdrawn, or none that is good. */
    const struct plan *plan;
    const struct history_entry *revision; /* that it is of; NULL */
    const struct history_entry
        *withdrawal; /* the newest, where it is withdrawn; NULL */
    size_t part_count, progress_count, hidden_count;
    const struct part *parts;
    const struct plan_progress
        *progress; /* by action, entity, period, sequence */
    const struct answer_hidden *hidden; /* for `withdrawal` alone */
};

/* Reported status of an action; false: nobody did. *by: the report. */
bool subject_status (const struct subject *self, const struct action *action,
                     enum action_status *out, const struct plan_progress **by);
/* Done, and when, by plan or report; false: it is not. */
bool subject_milestone_done (const struct subject *self,
                             const struct action *action,
                             const struct milestone *milestone,
                             struct date *out, const struct plan_progress **by);
/* What is overdue on that day: for each, `milestone` NULL means the action. */
void subject_overdue (const struct subject *self, int32_t on,
                      void (*each) (void *arg, const struct action *,
                                    const struct milestone *, int32_t since),
                      void *arg);
/* The record that an action of its plan came by: the revision or an annex. */
const struct history_entry *subject_action_entry (const struct subject *self,
                                                  const struct action *action);
/* The plan's handling, or a stricter one of an annex; there is a plan. */
const char *subject_handling (const struct subject *self);
/* Would an annex of that id count on that channel, as far as it is known here?
 * *count: ids that count there now. */
bool subject_annex_fits (const struct subject *self, const char *channel,
                         const char *id, size_t *count);
bool subject_annex_known (const struct subject *self, const char *channel,
                          const char *id);
/* What the records below a place say of an action (facets.h), and which of them
 * does: the newest revision there that is not withdrawn, else the newest of an
 * annex; what annexes add to an action of others is left out. NULL: it is not
 * there, then. */
struct facets_of;
const struct facets_of *subject_facets (const struct subject *self,
                                        const char *action, int64_t below,
                                        const struct history_entry **by);
/* The document with annexes joined, and beside it (CONTENTS.md section 4) the
 * audience and handling of each action and added member (an action's handling is
 * the strictest of all that it is of), and the annexes themselves: {"document":
 * ..., "audience": {"/actions/4": "members", ...}, "handling": {"/actions/4":
 * "TLP:RED", ...}, "annexes": [{"annex", "channel", "handling", "text"}]};
 * `handling` "" and `text` null where it says none; the caller's. `load`: gives an entry's
 * document again. NULL where there is no plan. */
typedef struct json_t *subject_load_fn (void *arg,
                                        const struct history_entry *entry);
struct json_t *subject_document (const struct subject *self,
                                 subject_load_fn *load, void *arg) MUST_CHECK;

#endif
