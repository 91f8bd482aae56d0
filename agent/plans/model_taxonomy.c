/* model_taxonomy - which taxonomy is in force where (CONTENTS.md section 8):
 * proposals, consents, and the members of the roster in force there. */
#include "model_impl.h"

#include "identity/roster.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct taxonomy *model_taxonomy_at (const struct model *self,
                                          int64_t sequence) {
    size_t at = self->force_count - 1;
    while (at > 0 && self->force[at].sequence >= sequence)
        at--;
    return self->force[at].taxonomy;
}

int64_t model_taxonomy_turns (const struct model *self) {
    return self->taxonomy_turns;
}

static void force_free (struct force *force, size_t count) {
    for (size_t i = 0; i < count; i++)
        taxonomy_unref (&force[i].taxonomy);
    free (force);
}

static void proposals_free (struct model *self) {
    for (size_t i = 0; i < self->proposal_count; i++)
        free (self->proposals[i].entities.at);
    free (self->proposals);
    self->proposals = NULL;
    self->proposal_count = 0;
}

void model_taxonomy_free (struct model *self) {
    proposals_free (self);
    force_free (self->force, self->force_count);
    entries_clear (&self->changes);
}

/* Who may say it, and where */

static bool is_member (const struct roster *roster, const char *entity) {
    const struct roster_entity *found =
        roster_entity (roster, slice_text (entity));
    return found && strcmp (found->role, "member") == 0;
}

static size_t members (const struct roster *roster) {
    size_t count = 0;
    for (size_t i = 0; i < roster_entities (roster); i++)
        if (strcmp (roster_entity_at (roster, i)->role, "member") == 0)
            count++;
    return count;
}

static bool all_read (const struct roster *roster, const char *name) {
    const struct roster_channel *channel =
        roster_channel (roster, slice_text (name));
    for (size_t i = 0; channel && i < roster_delegations (roster); i++) {
        const struct roster_delegation *at = roster_delegation_at (roster, i);
        if (!at->revoked && !roster_channel_reader (roster, channel, at))
            return false;
    }
    return channel != NULL;
}

/* What was found by other records is found anew. */
static void refusal_clear (struct history_entry *entry) {
    entry_of (entry)->tried = false;
    if (!entry->content || !entry->faults)
        return;
    faults_clear (entry->faults);
    free (entry->faults);
    entry->faults = NULL;
}

static void refuse (struct history_entry *entry, const char *said,
                    const char *who, const char *why) {
    refusal_clear (entry);
    entry->faults = mem_alloc (sizeof *entry->faults);
    faults_add (entry->faults, "", "%s %s%s", said, who, why);
}

static bool may_say (struct history_entry *entry, const struct roster *roster) {
    char entity[ENTITY_MAX + 1];
    origin_entity (entity, &entry->origin);
    if (!roster)
        refuse (entry, "no roster is known that was in force there", "", "");
    else if (!is_member (roster, entity))
        refuse (entry, "is said by", entity, ", which is no member");
    else if (!all_read (roster, entry->origin.channel))
        refuse (entry, "stands on", entry->origin.channel,
                ", which some delegations can't read");
    else
        return true;
    return false;
}

/* Documents: only those in force keep theirs, the others' are in the store */

static void document_drop (struct history_entry *entry) {
    json_decref (entry->content->document);
    entry->content->document = NULL;
}

/* The taxonomy with what the entry adds. NULL and *faults. */
static struct taxonomy *extension (struct model *self,
                                   const struct history_entry *entry,
                                   const struct taxonomy *now,
                                   struct faults *faults) {
    struct content *content = entry->content;
    if (!content->document)
        content->document =
            self->reading.load (self->reading.arg, &entry->origin);
    if (!content->document)
        faults_add (faults, "", "the body is no longer there");
    return content->document ? taxonomy_extend (now, content->document, faults)
                             : NULL;
}

/* Does it extend that one? Its faults say so, until it is another one. */
static bool extends (struct model *self, struct history_entry *entry,
                     const struct taxonomy *now) {
    struct entry *own = entry_of (entry);
    if (own->tried && hash_equal (&own->tried_on, taxonomy_digest (now)))
        return !entry->faults;
    struct faults faults = { 0 };
    refusal_clear (entry);
    struct taxonomy *made = extension (self, entry, now, &faults);
    own->tried = entry->content->document != NULL;
    own->tried_on = *taxonomy_digest (now);
    if (!made) {
        entry->faults = mem_copy (&faults, sizeof faults);
        faults = (struct faults){ 0 };
    }
    faults_clear (&faults);
    taxonomy_unref (&made);
    return !entry->faults;
}

/* In order of sequence */

struct deriving {
    struct model *model;
    struct force *force;
    size_t force_count;
};

static const struct taxonomy *newest (const struct deriving *self) {
    return self->force[self->force_count - 1].taxonomy;
}

static void in_force (struct deriving *self, struct proposal *proposal,
                      const struct history_entry *by) {
    struct model *model = self->model;
    struct faults faults = { 0 };
    struct taxonomy *next =
        extension (model, proposal->is.entry, newest (self), &faults);
    faults_clear (&faults);
    if (!next)
        return; /* the store is damaged, and says so elsewhere */
    proposal->is.in_force = true;
    proposal->is.brought = by;
    self->force =
        mem_resize (self->force, (self->force_count + 1) * sizeof *self->force);
    self->force[self->force_count++] =
        (struct force){ by->origin.sequence, next };
    for (size_t i = 0; i < model->proposal_count; i++) {
        struct proposal *at = &model->proposals[i];
        if (at->is.version <= proposal->is.version)
            at->is.void_ = !at->is.in_force;
    }
}

static void consent (struct deriving *self, struct proposal *proposal,
                     const struct history_entry *entry,
                     const struct roster *roster) {
    char entity[ENTITY_MAX + 1];
    origin_entity (entity, &entry->origin);
    struct names_list *list = &proposal->entities;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp (list->at[i], entity) == 0)
            return;
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 8;
        list->at = mem_resize (list->at, list->room * sizeof *list->at);
    }
    memcpy (list->at[list->count++], entity, sizeof entity);
    /* One that has left meanwhile counts no more. */
    for (size_t i = 0; i < list->count; i++)
        count += is_member (roster, list->at[i]);
    proposal->is.consents = count;
    proposal->is.needed = members (roster) / 2 + 1;
    if (count >= proposal->is.needed)
        in_force (self, proposal, entry);
}

/* Its author's body has made as many for that version. */
static bool too_many (const struct model *model,
                      const struct history_entry *entry) {
    char entity[ENTITY_MAX + 1], other[ENTITY_MAX + 1];
    size_t count = 0;
    origin_entity (entity, &entry->origin);
    for (size_t i = 0; i < model->proposal_count; i++) {
        const struct proposal *at = &model->proposals[i];
        count +=
            at->is.version == entry->content->change.version
            && strcmp (origin_entity (other, &at->is.entry->origin), entity)
                   == 0;
    }
    return count >= PROPOSALS_MAX;
}

static void propose (struct deriving *self, struct history_entry *entry,
                     const struct roster *roster) {
    struct model *model = self->model;
    int64_t version = entry->content->change.version;
    int64_t next = taxonomy_version (newest (self)) + 1;
    if (version > next) {
        char word[32];
        snprintf (word, sizeof word, "%" PRId64, next);
        refuse (entry, "comes too early: the next version there is", word, "");
        return;
    }
    if (too_many (model, entry)) {
        refuse (entry, "is one more than the", "8",
                " proposals of its body for a version that count");
        return;
    }
    model->proposals =
        mem_resize (model->proposals,
                    (model->proposal_count + 1) * sizeof *model->proposals);
    struct proposal *proposal = &model->proposals[model->proposal_count++];
    *proposal = (struct proposal){
        .is = { .entry = entry, .version = version, .timely = version == next }
    };
    if (!proposal->is.timely)
        refusal_clear (entry);
    if (proposal->is.timely && extends (model, entry, newest (self)))
        consent (self, proposal, entry, roster);
    else
        proposal->is.void_ = true;
}

static struct proposal *proposal_find (struct model *model,
                                       const struct hash *id) {
    for (size_t i = 0; i < model->proposal_count; i++)
        if (hash_equal (&model->proposals[i].is.entry->origin.id, id))
            return &model->proposals[i];
    return NULL;
}

static void change (struct deriving *self, struct history_entry *entry) {
    struct model *model = self->model;
    const struct roster *roster =
        model->options.roster
            ? model->options.roster (model->options.arg, entry->origin.sequence)
            : NULL;
    if (!may_say (entry, roster))
        return;
    if (!entry->content->change.is_consent) {
        propose (self, entry, roster);
        return;
    }
    struct proposal *proposal =
        proposal_find (model, &entry->content->change.consent);
    if (proposal && !proposal->is.in_force && !proposal->is.void_)
        consent (self, proposal, entry, roster);
}

/* The lowest place behind which they differ. */
static int64_t first_difference (const struct force *a, size_t a_count,
                                 const struct force *b, size_t b_count) {
    size_t i = 0;
    while (i < a_count && i < b_count && a[i].sequence == b[i].sequence
           && hash_equal (taxonomy_digest (a[i].taxonomy),
                          taxonomy_digest (b[i].taxonomy)))
        i++;
    int64_t x = i < a_count ? a[i].sequence : INT64_MAX;
    int64_t y = i < b_count ? b[i].sequence : INT64_MAX;
    return x < y ? x : y;
}

/* The last one that was. */
static bool is_proposed (const struct model *self,
                         const struct history_entry *entry) {
    return self->proposal_count > 0
           && self->proposals[self->proposal_count - 1].is.entry == entry;
}

static void names_point (struct proposal *proposal) {
    size_t most =
        sizeof proposal->is.consented / sizeof *proposal->is.consented;
    for (size_t i = 0; i < proposal->entities.count && i < most; i++)
        proposal->is.consented[i] = proposal->entities.at[i];
}

int64_t model_taxonomy_derive (struct model *self) {
    struct deriving deriving = { .model = self };
    deriving.force = mem_alloc (sizeof *deriving.force);
    deriving.force[deriving.force_count++] =
        (struct force){ -1, taxonomy_base() };
    struct force *old = self->force;
    size_t old_count = self->force_count;
    self->force = deriving.force; /* entry_judge may ask */
    self->force_count = 1;
    proposals_free (self);
    for (size_t i = 0; i < self->changes.count; i++) {
        struct history_entry *entry = self->changes.at[i];
        struct content_place place = { .kind = CONTENT_TAXONOMY };
        snprintf (place.channel, sizeof place.channel, "%s",
                  entry->origin.channel);
        entry_judge (entry_of (entry), &place, &self->reading);
        if (!entry_of (entry)->tried)
            refusal_clear (entry);
        if (entry->content && entry->origin.sequence < self->limit)
            change (&deriving, entry);
        if (entry->content && !is_proposed (self, entry))
            document_drop (entry);
        self->force = deriving.force;
        self->force_count = deriving.force_count;
    }
    for (size_t i = 0; i < self->proposal_count; i++) {
        struct proposal *proposal = &self->proposals[i];
        names_point (proposal);
        if (!proposal->is.in_force)
            document_drop (&entry_of (proposal->is.entry)->is);
    }
    int64_t from =
        first_difference (old, old_count, self->force, self->force_count);
    force_free (old, old_count);
    return from;
}

size_t model_proposals (const struct model *self,
                        void (*each) (void *arg, const struct model_proposal *),
                        void *arg) {
    for (size_t i = 0; each && i < self->proposal_count; i++)
        each (arg, &self->proposals[i].is);
    return self->proposal_count;
}
