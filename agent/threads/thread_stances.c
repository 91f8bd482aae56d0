/* thread_stances - who may say something on a version, and which stances count
 * (THREADS.md section 5). */
#include "thread_impl.h"

#include "communique.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [STANCE_COUNTS] = "counts",     [STANCE_OBSERVER] = "observer",
    [STANCE_EARLIER] = "earlier",   [STANCE_UNINVITED] = "uninvited",
    [STANCE_TOO_LATE] = "too-late", [STANCE_REPLACED] = "replaced",
    [STANCE_AFTER] = "after",       [STANCE_ASTRAY] = "astray",
};

const char *stance_state_name (enum stance_state state) {
    return names[state];
}

/* Parties */

static const struct roster *roster_there (const struct threads_options *options,
                                          int64_t sequence) {
    return options->roster ? options->roster (options->arg, sequence) : NULL;
}

static void party_add (struct thread_version *version, const char *entity,
                       bool proposer, const struct roster *roster) {
    struct thread_party *party =
        (struct thread_party *) (uintptr_t) version->parties
        + version->party_count++;
    const struct roster_entity *found =
        roster ? roster_entity (roster, slice_text (entity)) : NULL;
    *party = (struct thread_party){ .proposer = proposer,
                                    .stance = SIZE_MAX,
                                    .newest = SIZE_MAX };
    party->member = found && strcmp (found->role, "member") == 0;
    memcpy (party->entity, entity, strlen (entity) + 1);
}

static int by_entity (const void *a, const void *b) {
    return strcmp (((const struct thread_party *) a)->entity,
                   ((const struct thread_party *) b)->entity);
}

static void parties_sort (struct thread_version *version) {
    struct thread_party *parties =
        (struct thread_party *) (uintptr_t) version->parties;
    size_t kept = 0;
    qsort (parties, version->party_count, sizeof *parties, by_entity);
    for (size_t i = 0; i < version->party_count; i++)
        if (kept == 0 || by_entity (&parties[i], &parties[kept - 1]) != 0)
            parties[kept++] = parties[i];
    version->party_count = kept;
}

static void invited_add (const struct thread *is,
                         struct thread_version *version,
                         const struct roster *roster) {
    const struct names *invited = &version->proposal->invited;
    for (size_t i = 0; i < invited->count; i++)
        party_add (version, invited->at[i], false, roster);
    if (is->place.kind == THREAD_COMMUNIQUE)
        party_add (version, is->place.entity, true, roster);
}

/* The version below it that a stance names; NULL. */
static struct thread_version *version_of (const struct deriving *self,
                                          const struct thread_entry *stance,
                                          size_t *index) {
    struct thread_version *out =
        deriving_version (self, &stance->say->stance.version, index);
    return out && out->entry->origin.sequence < stance->origin.sequence ? out
                                                                        : NULL;
}

/* Each stance by another body than the proposer's, with its version if that is
 * open to all. */
static void each_speaker (struct deriving *self,
                          void (*each) (const struct deriving *self,
                                        struct thread_version *version,
                                        const char *entity)) {
    char entity[ENTITY_MAX + 1];
    const struct thread *is = &self->work->is;
    for (size_t i = 0; i < is->entry_count; i++) {
        size_t index;
        const struct thread_entry *at = is->entries[i];
        if (!at->say || at->say->does != DOES_STANCE)
            continue;
        struct thread_version *version = version_of (self, at, &index);
        if (version && thread_is_open (is, version)
            && strcmp (origin_entity (entity, &at->origin), is->place.entity)
                   != 0)
            each (self, version, entity);
    }
}

static void speaker_count (const struct deriving *self,
                           struct thread_version *version, const char *entity) {
    (void) self, (void) entity;
    version->party_count++;
}

static const struct roster *roster_of (const struct deriving *self,
                                       const struct thread_version *version) {
    return roster_there (self->options, version->entry->origin.sequence);
}

static void speaker_add (const struct deriving *self,
                         struct thread_version *version, const char *entity) {
    party_add (version, entity, false, roster_of (self, version));
}

/* Where each version's begin; none is there yet. */
static void parties_place (struct thread_work *work) {
    size_t used = 0, room = 1;
    for (size_t i = 0; i < work->is.version_count; i++)
        room += work->versions[i].party_count
                + work->versions[i].proposal->invited.count + 1;
    work->parties = mem_alloc (room * sizeof *work->parties);
    for (size_t i = 0; i < work->is.version_count; i++) {
        struct thread_version *version = &work->versions[i];
        version->parties = work->parties + used;
        used += version->party_count + version->proposal->invited.count + 1;
        version->party_count = 0;
    }
}

void parties_make (struct deriving *self) {
    struct thread_work *work = self->work;
    struct thread *is = &work->is;
    work->stances = mem_alloc ((thread_count_of (is, DOES_STANCE) + 1)
                               * sizeof *work->stances);
    is->stances = work->stances;
    each_speaker (self, speaker_count);
    parties_place (work);
    each_speaker (self, speaker_add);
    for (size_t i = 0; i < is->version_count; i++) {
        struct thread_version *version = &work->versions[i];
        const struct roster *roster = roster_of (self, version);
        version->unjudged = !roster;
        work->blind |= !roster;
        if (!thread_is_open (is, version))
            invited_add (is, version, roster);
        parties_sort (version);
    }
}

struct thread_party *party_find (const struct thread_version *version,
                                 const char *entity) {
    size_t low = 0, high = version->party_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp (version->parties[middle].entity, entity);
        if (order == 0)
            return (struct thread_party *) (uintptr_t) version->parties
                   + middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct thread_party *thread_party (const struct thread_version *version,
                                         const char *entity) {
    return party_find (version, entity);
}

/* Signatures of adoptions */

/* The note that the version is, as far as it can be had. */
static const char *text_make (struct deriving *self, size_t version,
                              struct error *e) {
    if (self->text_of == version)
        return NULL;
    const struct thread *is = &self->work->is;
    const struct threads_options *options = self->options;
    const struct origin *origin = &is->versions[version].entry->origin;
    json_t *document =
        options->load ? options->load (options->arg, origin) : NULL;
    if (!document)
        return "what it adopts can't be read any more";
    buf_clear (&self->text);
    enum err rc = communique_text (&self->text, options->dialogue, &is->place,
                                   &origin->id, document, e);
    json_decref (document);
    self->text_of = rc ? SIZE_MAX : version;
    return rc ? e->text : NULL;
}

/* Keys of the delegation that were good at that time; how many. */
static size_t note_keys (const struct roster *roster,
                         const struct origin *origin,
                         uint8_t out[2][KEY_SIZE]) {
    const struct roster_delegation *delegation =
        roster_delegation (roster, slice_text (origin->author));
    size_t count = 0;
    for (int i = 0; delegation && i < delegation->key_count; i++)
        if (i == 0 || origin->log_time < delegation->older_until)
            memcpy (out[count++], delegation->keys[i].note, KEY_SIZE);
    return count;
}

static void signature_judge (const struct deriving *self,
                             struct utterance *utterance,
                             const struct roster *roster) {
    struct error e;
    uint8_t keys[2][KEY_SIZE];
    const struct origin *origin = &utterance->is.origin;
    size_t count = note_keys (roster, origin, keys);
    if (communique_check (buf_slice (&self->text),
                          utterance->say->stance.signature, origin->author,
                          (const uint8_t (*)[KEY_SIZE]) keys, count, &e))
        utterance->unsigned_ = mem_copy_text (e.text);
    utterance->checked = true;
}

/* false: it was refused. */
static bool adoption_check (struct deriving *self, struct utterance *utterance,
                            size_t version) {
    struct error e;
    const struct roster *roster =
        roster_there (self->options, utterance->is.origin.sequence);
    const char *why = NULL;
    if (!utterance->checked) {
        why = roster ? text_make (self, version, &e)
                     : "no roster is known that was in force there";
        if (!why)
            signature_judge (self, utterance, roster);
    }
    if (why) { /* it may be known later */
        self->work->blind = true;
        utterance_refuse (utterance, true, "%s", why);
    } else if (utterance->unsigned_)
        utterance_refuse (utterance, false, "the signature is not good: %s",
                          utterance->unsigned_);
    return utterance->is.say != NULL;
}

/* Taking a stance up */

bool stance_counts (const struct thread *self,
                    const struct thread_version *version,
                    const struct thread_party *party) {
    return party->stance != SIZE_MAX
           && (party->member || thread_is_open (self, version));
}

/* What is in the way of its counting; STANCE_COUNTS: nothing. */
static enum stance_state obstacle (const struct thread_version *version,
                                   const struct thread_entry *entry,
                                   bool *late) {
    const struct proposal *proposal = version->proposal;
    if (version->replaced || version->withdrawn)
        return STANCE_REPLACED;
    enum tally_time time =
        tally_time (proposal->has_deadline, proposal->deadline.ms,
                    entry->author_time, entry->origin.log_time);
    *late = time == TALLY_LATE;
    if (time == TALLY_TOO_LATE)
        return STANCE_TOO_LATE;
    return version->until >= 0 ? STANCE_AFTER : STANCE_COUNTS;
}

static void party_takes (struct thread_work *work,
                         const struct thread_version *version,
                         struct thread_party *party, size_t index) {
    struct thread_stance *stance = &work->stances[index];
    party->newest = index;
    stance->state = obstacle (version, stance->entry, &stance->late);
    if (stance->state != STANCE_COUNTS)
        return;
    if (party->stance != SIZE_MAX)
        work->stances[party->stance].state = STANCE_EARLIER;
    party->stance = index;
    if (!stance_counts (&work->is, version, party))
        stance->state = STANCE_OBSERVER;
}

void stance_take (struct deriving *self, struct utterance *utterance) {
    struct thread_work *work = self->work;
    size_t index;
    struct thread_version *version = version_of (self, &utterance->is, &index);
    if (version && work->is.place.kind == THREAD_COMMUNIQUE
        && utterance->say->stance.says == THREAD_FOR
        && !adoption_check (self, utterance, index))
        return;
    struct thread_stance *stance = &work->stances[work->is.stance_count];
    *stance = (struct thread_stance){ .entry = &utterance->is,
                                      .version = version ? index : SIZE_MAX,
                                      .state = STANCE_ASTRAY };
    origin_entity (stance->entity, &utterance->is.origin);
    if (version) {
        struct thread_party *party = party_find (version, stance->entity);
        stance->state = STANCE_UNINVITED;
        if (party)
            party_takes (work, version, party, work->is.stance_count);
    }
    work->is.stance_count++;
}

/* Delegations that disagree */

static int by_voice (const void *a, const void *b) {
    const struct thread_stance *x = *(const struct thread_stance *const *) a;
    const struct thread_stance *y = *(const struct thread_stance *const *) b;
    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    int order = strcmp (x->entry->origin.author, y->entry->origin.author);
    return order ? order : x < y ? -1 : x > y;
}

static bool same_voice (const struct thread_stance *a,
                        const struct thread_stance *b) {
    return a->version == b->version
           && strcmp (a->entry->origin.author, b->entry->origin.author) == 0;
}

/* What each delegation said last, beside what counts. */
void stances_compare (struct thread_work *self) {
    size_t count = 0;
    const struct thread_stance **at =
        mem_alloc ((self->is.stance_count + 1) * sizeof *at);
    for (size_t i = 0; i < self->is.stance_count; i++)
        if (self->stances[i].state <= STANCE_EARLIER)
            at[count++] = &self->stances[i];
    qsort (at, count, sizeof *at, by_voice);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && same_voice (at[i], at[i + 1]))
            continue;
        struct thread_party *party =
            party_find (&self->is.versions[at[i]->version], at[i]->entity);
        const struct thread_stance *counts = &self->stances[party->stance];
        party->disagrees |=
            counts->entry->say->stance.says != at[i]->entry->say->stance.says;
    }
    free (at);
}

void tally_make (const struct thread *self,
                 const struct thread_version *version, struct tally *out) {
    *out = (struct tally){ 0 };
    for (size_t i = 0; i < version->party_count; i++) {
        const struct thread_party *party = &version->parties[i];
        bool counts = stance_counts (self, version, party);
        if (!counts && (!party->member || thread_is_open (self, version)))
            continue;
        out->members++;
        if (!counts) {
            out->silent++;
            continue;
        }
        enum thread_says says =
            self->stances[party->stance].entry->say->stance.says;
        out->for_ += says == THREAD_FOR;
        out->against += says == THREAD_AGAINST;
        out->neither += says == THREAD_NEITHER;
    }
}
