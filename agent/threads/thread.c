/* thread - a thread's records by sequence, and the versions that follow from
 * them. Stances are in thread_stances.c, closes in thread_closes.c, what depends
 * on the time in thread_state.c. */
#include "thread_impl.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries */

struct utterance *utterance_new (const struct threads_record *record,
                                 const char *why) {
    struct utterance *self = mem_alloc (sizeof *self);
    self->is.origin = record->origin;
    self->is.author_time = record->author_time;
    self->is.absent = record->absent && !why;
    snprintf (self->is.via, sizeof self->is.via, "%.*s", (int) record->via.size,
              (const char *) record->via.data);
    if (!why)
        why = record->document ? NULL : record->why;
    if (why)
        self->why = mem_copy_text (why);
    else
        self->document = json_incref (record->document);
    return self;
}

static void faults_free (struct faults **self_p) {
    if (!*self_p)
        return;
    faults_clear (*self_p);
    free (*self_p);
    *self_p = NULL;
}

static void utterance_forget (struct utterance *self) {
    faults_free (&self->is.faults);
    say_free (&self->say);
    self->is.say = NULL;
    self->is.newer = false;
    free (self->unsigned_);
    self->unsigned_ = NULL;
    taxonomy_unref (&self->taxonomy);
    self->judged = self->checked = false;
}

void utterance_free (struct utterance **self_p) {
    if (!self_p || !*self_p)
        return;
    struct utterance *self = *self_p;
    *self_p = NULL;
    utterance_forget (self);
    json_decref (self->document);
    free (self->why);
    free (self->topic);
    free (self);
}

bool utterance_quarantined (const struct thread_entry *is) {
    return (is->faults && !is->absent) || is->newer;
}

size_t utterances_below (const struct utterances *self, int64_t sequence) {
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->at[middle]->origin.sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool utterances_add (struct utterances *self, struct utterance *utterance) {
    size_t at = utterances_below (self, utterance->is.origin.sequence);
    if (at < self->count
        && self->at[at]->origin.sequence == utterance->is.origin.sequence)
        return false;
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 4;
        self->at = mem_resize (self->at, self->room * sizeof *self->at);
    }
    memmove (self->at + at + 1, self->at + at,
             (self->count - at) * sizeof *self->at);
    self->at[at] = &utterance->is;
    self->count++;
    return true;
}

size_t utterances_drop (struct utterances *self, const char *channel,
                        int64_t from) {
    size_t kept = 0, count = self->count;
    for (size_t i = 0; i < count; i++) {
        struct utterance *utterance = utterance_of (self->at[i]);
        const struct origin *origin = &utterance->is.origin;
        if (channel ? strcmp (origin->channel, channel) == 0
                    : origin->sequence >= from)
            utterance_free (&utterance);
        else
            self->at[kept++] = &utterance->is;
    }
    self->count = kept;
    return count - kept;
}

void utterances_clear (struct utterances *self) {
    for (size_t i = 0; i < self->count; i++) {
        struct utterance *utterance = utterance_of (self->at[i]);
        utterance_free (&utterance);
    }
    free (self->at);
    *self = (struct utterances){ 0 };
}

/* Reading */

static const struct taxonomy *taxonomy_there (
    const struct threads_options *options, int64_t sequence) {
    return options->taxonomy ? options->taxonomy (options->arg, sequence)
                             : NULL;
}

static json_t *document_of (struct utterance *self,
                            const struct threads_options *options) {
    if (self->document)
        return json_incref (self->document);
    return self->why || !options->load
               ? NULL
               : options->load (options->arg, &self->is.origin);
}

static void body_read (struct utterance *self, const struct thread_place *place,
                       const struct threads_options *options,
                       struct faults *faults) {
    char entity[ENTITY_MAX + 1];
    const struct taxonomy *taxonomy =
        taxonomy_there (options, self->is.origin.sequence);
    json_t *document = document_of (self, options);
    if (!document) {
        faults_add (faults, "", "%s",
                    self->why ? self->why : "the body is no longer there");
        return;
    }
    self->say =
        say_read (place, document, origin_entity (entity, &self->is.origin),
                  taxonomy, faults, &self->is.newer);
    /* What is no proposal reads the same by every taxonomy. */
    if (taxonomy && (!self->say || self->say->does == DOES_PROPOSE))
        self->taxonomy = taxonomy_ref (taxonomy);
    json_decref (document);
}

void utterance_judge (struct utterance *self, const struct thread_place *place,
                      const struct threads_options *options) {
    if (self->judged)
        return;
    struct faults *faults = mem_alloc (sizeof *faults);
    utterance_forget (self);
    body_read (self, place, options, faults);
    self->is.say = self->say;
    if (!self->say && faults->count > 0) {
        self->is.faults = faults;
        faults = NULL;
    }
    faults_free (&faults);
    json_decref (self->document);
    self->document = NULL;
    self->judged = true;
}

void utterance_refuse (struct utterance *self, bool absent, const char *format,
                       ...) {
    char line[ERROR_TEXT_MAX + 128];
    va_list args;
    va_start (args, format);
    vsnprintf (line, sizeof line, format, args);
    va_end (args);
    self->is.say = NULL;
    self->is.absent = absent;
    self->is.faults = mem_alloc (sizeof *self->is.faults);
    faults_add (self->is.faults, "", "%s", line);
}

/* What was found by other records is found anew. */
static void refusal_clear (struct utterance *self) {
    if (!self->say || self->is.say)
        return;
    faults_free (&self->is.faults);
    self->is.absent = false;
    self->is.say = self->say;
}

bool thread_work_outdated (struct thread_work *self,
                           const struct threads_options *options) {
    bool out = false;
    for (size_t i = 0; i < self->utterances.count; i++) {
        struct utterance *at = utterance_of (self->utterances.at[i]);
        if (!at->taxonomy)
            continue;
        const struct taxonomy *now =
            taxonomy_there (options, at->is.origin.sequence);
        if (now == at->taxonomy)
            continue;
        if (!now
            || !hash_equal (taxonomy_digest (now),
                            taxonomy_digest (at->taxonomy))) {
            utterance_forget (at);
            out = true;
        } else {
            taxonomy_unref (&at->taxonomy);
            at->taxonomy = taxonomy_ref (now);
        }
    }
    return out;
}

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

static void versions_find (struct thread_work *self) {
    struct thread *is = &self->is;
    self->versions = mem_alloc ((thread_count_of (is, DOES_PROPOSE) + 1)
                                * sizeof *self->versions);
    for (size_t i = 0; i < is->entry_count; i++) {
        const struct say *say = is->entries[i]->say;
        if (!say || say->does != DOES_PROPOSE)
            continue;
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

/* By somebody else than who undertook it? What no version below has may stand in
 * one that this reader does not hold. */
static void done_take (struct deriving *self, size_t count,
                       struct utterance *utterance) {
    char entity[ENTITY_MAX + 1];
    const char *id = utterance->say->done.undertaking, *who = NULL;
    origin_entity (entity, &utterance->is.origin);
    for (size_t i = 0; i < count; i++) {
        const struct proposal *proposal = self->work->versions[i].proposal;
        for (size_t k = 0; k < proposal->undertaking_count; k++) {
            if (strcmp (proposal->undertakings[k].id, id) != 0)
                continue;
            who = proposal->undertakings[k].who;
            if (strcmp (who, entity) == 0)
                return;
        }
    }
    if (who)
        utterance_refuse (utterance, false,
                          "'%s' is an undertaking of %s, not of %s", id, who,
                          entity);
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
        if (utterance->say)
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
        refusal_clear (at);
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
