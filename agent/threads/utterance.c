/* utterance - a record of a thread: what is kept of it, and what its body says. */
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

void utterance_restore (struct utterance *self) {
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
