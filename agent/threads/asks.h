/* asks - threads beside the plans: which actions changed since a body spoke,
 * which undertakings the plans show, which overlaps an agreement covers
 * (THREADS.md section 6, from "Undertakings" on). */
#ifndef PARLEY_ASKS_H
#define PARLEY_ASKS_H

#include "plans/model.h"
#include "threads.h"

/* What happened to a reference. */
enum ask_change {
    ASK_PRIORITIES = 1,
    ASK_REGIONS = 2,
    ASK_DATES = 4,
    ASK_LEAD = 8,
    ASK_PARTNERS = 16, /* co-leads, too */
    ASK_CANCELLED = 32,
    ASK_GONE = 64, /* the plan is withdrawn, or has no such part any more */
};
struct ask {
    const struct about *about;
    unsigned changes; /* bits of ask_change */
    int64_t sequence; /* of the record that brought the newest change */
};
/* "the dates and the lead of EUROPOL-x#a1 changed (record 4711)". Returns out. */
#define ASK_WORDS_MAX 256
char *ask_words (char out[ASK_WORDS_MAX], const struct ask *ask);
/* References of the version that changed since the record `since`, in their
 * order. */
size_t asks_changed (const struct model *model,
                     const struct thread_version *version, int64_t since,
                     struct ask *out, size_t room);
/* Is that body asked again? Since its newest stance on the current version; the
 * proposer's since the version; one that was silent is not asked again but
 * still. */
bool asks_again (const struct model *model, const struct thread *thread,
                 const char *entity);

enum undertaking_by { BY_NOBODY, BY_OWNER, BY_PLANS };
struct undertaking_state {
    enum undertaking_by by;
    const struct thread_entry *done; /* BY_OWNER */
    int64_t sequence;                /* of the record that shows it; -1 */
    bool overdue;
};
void undertaking_state (const struct model *model, const struct thread *thread,
                        const struct undertaking *undertaking, int64_t now_ms,
                        struct undertaking_state *out);
/* All of them are done, of the newest agreed version; *open: how many are not.
 * false: none is agreed. */
bool asks_carried_out (const struct model *model, const struct thread *thread,
                       int64_t now_ms, size_t *open, size_t *all);

/* Does the proposal name the action, by itself or by its plan? */
bool asks_name (const struct proposal *proposal, const struct plan *plan,
                const struct action *action);
/* Agreed alignments that cover the overlap, by topic; how many. An index by plan
 * leads (threads_about). */
size_t asks_covering (const struct threads *threads, const struct overlap *pair,
                      int64_t now_ms, const struct thread **out, size_t room);

#endif
