/* thread_closes - who may close a version, when, and whether what a close says is
 * what stands below it (THREADS.md section 6). */
#include "thread_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void closes_make (struct thread_work *self) {
    self->closes = mem_alloc ((thread_count_of (&self->is, DOES_CLOSE) + 1)
                              * sizeof *self->closes);
    self->is.closes = self->closes;
}

/* When */

/* NULL: now; else why not yet. *waits: for stances alone. */
static const char *too_early (const struct thread *is,
                              const struct thread_version *version,
                              bool by_proposer, int64_t ms, bool *waits) {
    const struct proposal *proposal = version->proposal;
    struct tally tally;
    *waits = false;
    if (tally_past_end (proposal->has_deadline, proposal->deadline.ms, ms))
        return NULL;
    if (!by_proposer)
        return proposal->has_deadline
                   ? "before the end, and not by the proposer"
                   : "there is no deadline, and it is not by the proposer";
    if (!proposal->has_deadline)
        return NULL;
    tally_make (is, version, &tally);
    if (tally_all_spoke (&tally))
        return NULL;
    *waits = true;
    return "before the end, and not each party has said something that counts";
}

/* What */

static enum thread_outcome outcome_of (const struct thread *is,
                                       const struct thread_version *version) {
    struct tally tally;
    if (!thread_kind_decides (is->place.kind))
        return OUTCOME_CLOSED;
    tally_make (is, version, &tally);
    return tally_agreed (version->proposal->rule, &tally) ? OUTCOME_AGREED
                                                          : OUTCOME_NOT_AGREED;
}

/* The n-th party whose stance counts, from *i on; NULL: no more. */
static const struct thread_stance *counted_next (
    const struct thread *is, const struct thread_version *version, size_t *i) {
    while (*i < version->party_count) {
        const struct thread_party *party = &version->parties[(*i)++];
        if (stance_counts (is, version, party))
            return &is->stances[party->stance];
    }
    return NULL;
}

/* true: they are the ones that count, in their order; else why not. */
static bool stances_match (const struct thread *is,
                           const struct thread_version *version,
                           const struct closing *said, char why[160]) {
    size_t i = 0, k = 0;
    const struct thread_stance *counts;
    while ((counts = counted_next (is, version, &i))) {
        if (k == said->stances.count
            || strcmp (said->entities.at[k], counts->entity) != 0
            || !hash_equal (&said->stances.at[k], &counts->entry->origin.id)) {
            snprintf (why, 160,
                      "does not list the stance of %s (record %" PRId64
                      ") in its place, which counts",
                      counts->entity, counts->entry->origin.sequence);
            return false;
        }
        k++;
    }
    if (k < said->stances.count)
        snprintf (why, 160, "lists %zu stances where %zu count",
                  said->stances.count, k);
    return k == said->stances.count;
}

/* Does the reader hold all that it lists? */

static int by_octets (const void *a, const void *b) {
    return memcmp (a, b, HASH_SIZE);
}

static bool is_held (struct thread_work *work, const struct hash *id) {
    const struct thread *is = &work->is;
    if (!work->held) {
        work->held = mem_alloc ((is->entry_count + 1) * sizeof *work->held);
        for (size_t i = 0; i < is->entry_count; i++)
            work->held[i] = is->entries[i]->origin.id;
        qsort (work->held, is->entry_count, sizeof *work->held, by_octets);
    }
    return bsearch (id, work->held, is->entry_count, sizeof *work->held,
                    by_octets);
}

static bool lists_unknown (struct thread_work *work,
                           const struct closing *said) {
    for (size_t i = 0; i < said->stances.count; i++)
        if (!is_held (work, &said->stances.at[i]))
            return true;
    return false;
}

/* Judging */

static enum thread_close_state false_or_unknown (struct deriving *self,
                                                 const struct closing *said) {
    return self->lacking || lists_unknown (self->work, said) ? CLOSE_UNKNOWN
                                                             : CLOSE_FALSE;
}

static enum thread_close_state truth (struct deriving *self,
                                      const struct thread_version *version,
                                      const struct closing *said,
                                      char why[160]) {
    const struct thread *is = &self->work->is;
    enum thread_outcome outcome = outcome_of (is, version);
    if (said->outcome != outcome) {
        snprintf (why, 160, "says '%s' where it is '%s'",
                  thread_outcome_name (said->outcome),
                  thread_outcome_name (outcome));
        return false_or_unknown (self, said);
    }
    return stances_match (is, version, said, why)
               ? CLOSE_GOOD
               : false_or_unknown (self, said);
}

static enum thread_close_state judge (struct deriving *self,
                                      const struct thread_version *version,
                                      const struct utterance *utterance,
                                      bool by_proposer, char why[160]) {
    bool waits;
    if (version->decided >= 0 || version->replaced || version->withdrawn)
        return CLOSE_IDLE;
    if (version->unjudged) {
        snprintf (why, 160, "the roster of that time is not known here");
        return CLOSE_UNKNOWN;
    }
    const char *early = too_early (&self->work->is, version, by_proposer,
                                   utterance->is.origin.log_time, &waits);
    if (early) {
        snprintf (why, 160, "%s", early);
        return waits && self->lacking ? CLOSE_UNKNOWN : CLOSE_EARLY;
    }
    return truth (self, version, &utterance->say->closing, why);
}

static void decide (struct thread_version *version,
                    const struct thread_entry *entry) {
    version->decided = entry->origin.sequence;
    if (version->until >= 0)
        return;
    version->until = entry->origin.sequence;
    version->until_ms = entry->origin.log_time;
}

static struct thread_close *close_new (struct thread_work *work,
                                       const struct utterance *utterance,
                                       size_t version) {
    struct thread_close *out = &work->closes[work->is.close_count++];
    *out = (struct thread_close){ .entry = &utterance->is,
                                  .state = CLOSE_UNKNOWN,
                                  .version = version };
    return out;
}

void close_take (struct deriving *self, struct utterance *utterance) {
    struct thread_work *work = self->work;
    char entity[ENTITY_MAX + 1];
    size_t index;
    struct thread_version *version =
        deriving_version (self, &utterance->say->closing.version, &index);
    if (!version
        || version->entry->origin.sequence > utterance->is.origin.sequence) {
        struct thread_close *astray = close_new (work, utterance, SIZE_MAX);
        snprintf (astray->why, sizeof astray->why,
                  "names a version that is not there");
        return;
    }
    origin_entity (entity, &utterance->is.origin);
    bool by_proposer = strcmp (entity, work->is.place.entity) == 0;
    if (!by_proposer
        && (thread_is_open (&work->is, version)
            || !party_find (version, entity))) {
        utterance_refuse (utterance, false,
                          "%s is neither the proposer nor invited, and can't "
                          "close it",
                          entity);
        return;
    }
    struct thread_close *close = close_new (work, utterance, index);
    close->state = judge (self, version, utterance, by_proposer, close->why);
    if (close->state == CLOSE_GOOD)
        decide (version, &utterance->is);
}

/* What one would say now */

bool thread_close_due (const struct thread *self, const char *entity,
                       int64_t now_ms, enum thread_outcome *outcome,
                       const struct thread_entry **stances, size_t room,
                       size_t *count) {
    const struct thread_version *version = thread_current (self);
    const struct thread_stance *stance;
    bool by_proposer = strcmp (entity, self->place.entity) == 0, waits;
    *count = 0;
    if (!version || !thread_does_fits (self->place.kind, DOES_CLOSE)
        || version->until >= 0 || version->unjudged)
        return false;
    if (!by_proposer
        && (thread_is_open (self, version) || !party_find (version, entity)))
        return false;
    if (too_early (self, version, by_proposer, now_ms, &waits))
        return false;
    *outcome = outcome_of (self, version);
    for (size_t i = 0; (stance = counted_next (self, version, &i)); ++*count)
        if (*count < room)
            stances[*count] = stance->entry;
    return true;
}
