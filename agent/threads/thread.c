/* thread - the versions that follow from a thread's records (utterance.c), by
 * sequence. Stances are in thread_stances.c, closes in thread_closes.c, what
 * depends on the time in thread_state.c. */
#include "thread_impl.h"

#include <stdlib.h>
#include <string.h>

/* Threads */

struct thread_work *thread_work_new (const struct thread_place *place,
                                     const char *topic) {
    struct thread_work *self = mem_alloc (sizeof *self);
    self->is.place = *place;
    self->is.last = -1;
    self->first = -1;
    self->topic = mem_copy_text (topic);
    return self;
}

static void derived_free (struct thread_work *self) {
    free (self->versions);
    free (self->parties);
    free (self->stances);
    free (self->closes);
    free (self->by_id);
    free (self->held);
    self->held = NULL;
    self->is = (struct thread){ .place = self->is.place, .last = -1 };
}

void thread_work_free (struct thread_work **self_p) {
    if (!self_p || !*self_p)
        return;
    struct thread_work *self = *self_p;
    *self_p = NULL;
    derived_free (self);
    utterances_clear (&self->utterances);
    free (self->topic);
    free (self->shelves);
    free (self);
}

bool thread_is_open (const struct thread *self,
                     const struct thread_version *version) {
    return self->place.kind == THREAD_PRACTICE
           || (self->place.kind == THREAD_CONSULTATION
               && version->proposal->invited.count == 0);
}

/* Versions */

static int by_version_id (const void *a, const void *b, void *arg) {
    const struct thread_version *versions = arg;
    return memcmp (versions[*(const size_t *) a].entry->origin.id.octets,
                   versions[*(const size_t *) b].entry->origin.id.octets,
                   HASH_SIZE);
}

size_t thread_count_of (const struct thread *self, enum thread_does does) {
    size_t out = 0;
    for (size_t i = 0; i < self->entry_count; i++)
        out += self->entries[i]->say && self->entries[i]->say->does == does;
    return out;
}

static bool is_rash (const struct thread_entry *entry) {
    const struct proposal *proposal = &entry->say->proposal;
    return proposal->rule == RULE_SILENCE
           && (proposal->deadline.ms < entry->origin.log_time
               || proposal->deadline.ms - entry->origin.log_time
                      < TALLY_SILENCE_MS);
}

static void versions_find (struct thread_work *self) {
    struct thread *is = &self->is;
    self->versions = mem_alloc ((thread_count_of (is, DOES_PROPOSE) + 1)
                                * sizeof *self->versions);
    for (size_t i = 0; i < is->entry_count; i++) {
        const struct say *say = is->entries[i]->say;
        if (!say || say->does != DOES_PROPOSE)
            continue;
        if (is_rash (is->entries[i])) {
            utterance_refuse (utterance_of (is->entries[i]), false,
                              "takes silence for consent, less than an hour "
                              "before its deadline");
            continue;
        }
        if (is->version_count == THREAD_VERSIONS_MAX) {
            utterance_refuse (utterance_of (is->entries[i]), false,
                              "is a version more than the %d of a thread that "
                              "count: open another thread",
                              THREAD_VERSIONS_MAX);
            continue;
        }
        self->versions[is->version_count] =
            (struct thread_version){ .entry = is->entries[i],
                                     .proposal = &say->proposal,
                                     .number = (int64_t) is->version_count + 1,
                                     .decided = -1,
                                     .until = -1 };
        is->version_count++;
    }
    is->versions = self->versions;
    self->by_id = mem_alloc ((is->version_count + 1) * sizeof *self->by_id);
    for (size_t i = 0; i < is->version_count; i++)
        self->by_id[i] = i;
    qsort_r (self->by_id, is->version_count, sizeof *self->by_id, by_version_id,
             self->versions);
}

size_t thread_version_find (const struct thread *self, const struct hash *id) {
    const size_t *by_id = thread_work_of (self)->by_id;
    size_t low = 0, high = self->version_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order =
            memcmp (self->versions[by_id[middle]].entry->origin.id.octets,
                    id->octets, HASH_SIZE);
        if (order == 0)
            return by_id[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

const struct thread_version *thread_current (const struct thread *self) {
    return self->version_count ? &self->versions[self->version_count - 1]
                               : NULL;
}

/* Taking up records, by sequence */

/* The version that the place is of, `count` versions below it. */
static void version_end (struct thread_version *version,
                         const struct thread_entry *entry) {
    version->until = entry->origin.sequence;
    version->until_ms = entry->origin.log_time;
}

static void proposal_take (struct deriving *self, size_t count,
                           const struct thread_entry *entry) {
    struct thread *is = &self->work->is;
    is->withdrawn = NULL;
    if (count == 0)
        return;
    struct thread_version *before = &self->work->versions[count - 1];
    if (before->until >= 0)
        return;
    before->replaced = !version_past_end (is, before, entry->origin.log_time);
    version_end (before, entry);
}

static void withdrawal_take (struct deriving *self, size_t count,
                             const struct thread_entry *entry) {
    struct thread *is = &self->work->is;
    if (count == 0)
        return;
    struct thread_version *current = &self->work->versions[count - 1];
    if (current->until >= 0
        || version_past_end (is, current, entry->origin.log_time))
        return;
    current->withdrawn = true;
    is->withdrawn = entry;
    version_end (current, entry);
}

/* Undertakings, by id and body: those of the first version that has them. */

static int by_owner (const void *a, const void *b) {
    const struct owed *x = a, *y = b;
    int order = strcmp (x->id, y->id);
    if (order == 0)
        order = strcmp (x->who, y->who);
    return order                     ? order
           : x->version < y->version ? -1
                                     : x->version > y->version;
}

static void owed_list (struct deriving *self) {
    const struct thread *is = &self->work->is;
    size_t room = 1, count = 0;
    for (size_t i = 0; i < is->version_count; i++)
        room += is->versions[i].proposal->undertaking_count;
    self->owed = mem_alloc (room * sizeof *self->owed);
    for (size_t i = 0; i < is->version_count; i++)
        for (size_t k = 0; k < is->versions[i].proposal->undertaking_count;
             k++) {
            const struct undertaking *at =
                &is->versions[i].proposal->undertakings[k];
            self->owed[count++] = (struct owed){ at->id, at->who, i };
        }
    qsort (self->owed, count, sizeof *self->owed, by_owner);
    self->owed_count = count;
}

/* How many stand before one. */
static size_t owed_before (const struct deriving *self,
                           const struct owed *owed) {
    size_t low = 0, high = self->owed_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_owner (&self->owed[middle], owed) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first one of that id, and body (NULL: any), in a version below `count`. */
static const struct owed *owed_find (const struct deriving *self,
                                     const char *id, const char *who,
                                     size_t count) {
    struct owed from = { id, who ? who : "", 0 };
    for (size_t i = owed_before (self, &from); i < self->owed_count; i++) {
        const struct owed *at = &self->owed[i];
        if (strcmp (at->id, id) != 0 || (who && strcmp (at->who, who) != 0))
            break;
        if (at->version < count)
            return at;
        if (who)
            break;
    }
    return NULL;
}

/* By somebody else than who undertook it? What no version below has may stand in
 * one that this reader does not hold. */
static void done_take (struct deriving *self, size_t count,
                       struct utterance *utterance) {
    char entity[ENTITY_MAX + 1];
    const char *id = utterance->say->done.undertaking;
    origin_entity (entity, &utterance->is.origin);
    if (!self->owed)
        owed_list (self);
    if (owed_find (self, id, entity, count))
        return;
    const struct owed *owed = owed_find (self, id, NULL, count);
    if (owed)
        utterance_refuse (utterance, false,
                          "'%s' is an undertaking of %s, not of %s", id,
                          owed->who, entity);
}

static void take (struct deriving *self, size_t *count,
                  struct utterance *utterance) {
    switch (utterance->say->does) {
    case DOES_PROPOSE:
        proposal_take (self, *count, &utterance->is);
        ++*count;
        break;
    case DOES_WITHDRAW:
        withdrawal_take (self, *count, &utterance->is);
        break;
    case DOES_STANCE:
        stance_take (self, utterance);
        break;
    case DOES_CLOSE:
        close_take (self, utterance);
        break;
    case DOES_DONE:
        done_take (self, *count, utterance);
        break;
    case DOES_ATTENDANCE:
        self->work->is.attendance = &utterance->is;
        break;
    case DOES_SUGGEST:
    case DOES_COMMENT:
    case DOES_CONTRIBUTION:
    case DOES_COUNT:
        break;
    }
}

static void take_all (struct deriving *self) {
    struct thread *is = &self->work->is;
    size_t count = 0;
    for (size_t i = 0; i < is->entry_count; i++) {
        struct utterance *utterance =
            utterance_of (self->work->utterances.at[i]);
        if (utterance->is.say)
            take (self, &count, utterance);
        self->lacking |= utterance->is.absent || utterance->is.newer;
        if (utterance_quarantined (&utterance->is)) {
            self->work->bad++;
            continue;
        }
        is->last = utterance->is.origin.sequence;
        is->last_ms = utterance->is.origin.log_time;
    }
}

struct thread_version *deriving_version (const struct deriving *self,
                                         const struct hash *id, size_t *index) {
    *index = thread_version_find (&self->work->is, id);
    return *index == SIZE_MAX ? NULL : &self->work->versions[*index];
}

void thread_work_derive (struct thread_work *self, int64_t limit,
                         const struct threads_options *options) {
    struct deriving deriving = { .work = self,
                                 .options = options,
                                 .text_of = SIZE_MAX };
    derived_free (self);
    self->blind = false;
    self->bad = 0;
    for (size_t i = 0; i < self->utterances.count; i++) {
        struct utterance *at = utterance_of (self->utterances.at[i]);
        utterance_judge (at, &self->is.place, options);
        utterance_restore (at);
    }
    struct thread *is = &self->is;
    is->entries = (const struct thread_entry *const *) self->utterances.at;
    is->entry_count = utterances_below (&self->utterances, limit);
    versions_find (self);
    parties_make (&deriving);
    closes_make (self);
    take_all (&deriving);
    stances_compare (self);
    buf_free (&deriving.text);
    free (deriving.owed);
    self->has_digest = false;
    self->dirty = false;
}

/* Undertakings */

const struct thread_entry *thread_done (const struct thread *self,
                                        const struct undertaking *undertaking) {
    char entity[ENTITY_MAX + 1];
    for (size_t i = self->entry_count; i > 0; i--) {
        const struct thread_entry *at = self->entries[i - 1];
        if (at->say && at->say->does == DOES_DONE
            && strcmp (at->say->done.undertaking, undertaking->id) == 0
            && strcmp (origin_entity (entity, &at->origin), undertaking->who)
                   == 0)
            return at->say->done.undone ? NULL : at;
    }
    return NULL;
}
