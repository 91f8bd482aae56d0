/* thread_post - messages of threads, judged before they are taken. What a
 * proposal names is in thread_post_proposal.c. */
#include "api/thread_post.h"

#include "api/http_impl.h"
#include "api/plans_view.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/thread_post_impl.h"
#include "base/clock.h"
#include "identity/roster.h"
#include "threads/communique.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The version that is named */

static const struct thread_version *version_named (struct posting_check *self,
                                                   const struct hash *id) {
    size_t at = thread_version_find (self->thread, id);
    if (at == SIZE_MAX) {
        faults_add (self->faults, "/version",
                    "is the id of no version of %s that can be read here",
                    self->place.id);
        return NULL;
    }
    return &self->thread->versions[at];
}

/* The current one, or nothing would come of it. */
static const struct thread_version *version_current (struct posting_check *self,
                                                     const struct hash *id) {
    const struct thread_version *version = version_named (self, id);
    const struct thread_version *current = thread_current (self->thread);
    if (!version || version == current || self->posting->anyway)
        return version;
    faults_add (self->faults, "/version",
                "is version %" PRId64 ", and version %" PRId64
                " has taken its place",
                version->number, current->number);
    return NULL;
}

json_t *posting_load (const struct posting_check *self,
                      const struct thread_version *version) {
    struct store *store = request_reader (self->request);
    return store ? plans_load (store, &version->entry->origin) : NULL;
}

/* Stances */

/* Any body but the proposer's may answer. */
static bool is_open (enum thread_kind kind,
                     const struct thread_version *version) {
    return kind == THREAD_PRACTICE
           || (kind == THREAD_CONSULTATION
               && version->proposal->invited.count == 0);
}

static bool is_asked (const struct posting_check *self,
                      const struct thread_version *version) {
    return is_open (self->place.kind, version)
               ? strcmp (self->entity, self->place.entity) != 0
               : thread_party (version, self->entity) != NULL;
}

/* Would it still count? A body that is asked again may answer at any time. */
static void judge_time (struct posting_check *self,
                        const struct thread_version *version) {
    const struct proposal *proposal = version->proposal;
    char words[INSTANT_WORDS_MAX];
    if (self->posting->anyway || self->posting->handed_in
        || asks_again (self->view->plans.model, self->thread, self->entity))
        return;
    if (version->withdrawn)
        faults_add (self->faults, "/version",
                    "was withdrawn: no answer to it counts any more");
    else if (version->decided >= 0)
        faults_add (self->faults, "/version",
                    "was decided by record %" PRId64
                    ": an answer would no longer count",
                    version->decided);
    else if (proposal->has_deadline && self->author_ms > proposal->deadline.ms)
        faults_add (self->faults, "/version",
                    "had to be answered by %s: an answer would no longer count",
                    instant_words (words, &proposal->deadline));
}

static void signature_check (struct posting_check *self,
                             const struct thread_version *version,
                             const json_t *document) {
    struct error e;
    struct buf text = { 0 };
    uint8_t keys[2][KEY_SIZE];
    size_t count = 0;
    const struct roster_delegation *author =
        roster_delegation (self->roster, self->posting->author);
    for (int i = 0; author && i < author->key_count; i++)
        memcpy (keys[count++], author->keys[i].note, KEY_SIZE);
    enum err rc = communique_text (&text, self->request->http->options.dialogue,
                                   &self->place, &version->entry->origin.id,
                                   document, &e);
    if (!rc && author)
        rc = communique_check (buf_slice (&text), self->say->stance.signature,
                               author->name, (const uint8_t (*)[KEY_SIZE]) keys,
                               count, &e);
    if (rc)
        faults_add (self->faults, "/signature", "does not sign the text: %s",
                    e.text);
    buf_free (&text);
}

static void judge_signature (struct posting_check *self,
                             const struct thread_version *version) {
    json_t *document = posting_load (self, version);
    if (document)
        signature_check (self, version, document);
    else
        faults_add (self->faults, "/version",
                    "is of a text that this agent does not hold");
    json_decref (document);
}

static void judge_stance (struct posting_check *self) {
    const struct stance *stance = &self->say->stance;
    const struct thread_version *version =
        version_current (self, &stance->version);
    if (!version)
        return;
    if (!is_asked (self, version))
        faults_add (self->faults, "/does",
                    "is a stance, and %s is not asked: it would count for "
                    "nothing. A comment is open to all",
                    self->entity);
    judge_time (self, version);
    if (self->place.kind == THREAD_COMMUNIQUE && *stance->signature)
        judge_signature (self, version);
}

/* Suggestions */

static bool has_paragraph (const json_t *document, const char *id) {
    size_t i;
    json_t *at;
    json_array_foreach (json_object_get (document, "paragraphs"), i, at) {
        const char *own = json_string_value (json_object_get (at, "id"));
        if (own && strcmp (own, id) == 0)
            return true;
    }
    return false;
}

static void judge_suggestion (struct posting_check *self) {
    const struct suggestion *suggestion = &self->say->suggestion;
    const struct thread_version *version =
        version_current (self, &suggestion->version);
    if (!version || !*suggestion->paragraph)
        return;
    json_t *document = posting_load (self, version);
    if (document && !has_paragraph (document, suggestion->paragraph))
        faults_add (self->faults, "/paragraph",
                    "'%s' is no paragraph of version %" PRId64,
                    suggestion->paragraph, version->number);
    json_decref (document);
}

/* Done */

static void judge_done (struct posting_check *self) {
    const char *id = self->say->done.undertaking, *who = NULL;
    for (size_t v = self->thread->version_count; v > 0; v--) {
        const struct proposal *at = self->thread->versions[v - 1].proposal;
        for (size_t i = 0; i < at->undertaking_count; i++) {
            if (strcmp (at->undertakings[i].id, id) != 0)
                continue;
            if (strcmp (at->undertakings[i].who, self->entity) == 0)
                return;
            who = who ? who : at->undertakings[i].who;
        }
    }
    if (who)
        faults_add (self->faults, "/undertaking",
                    "'%s' is an undertaking of %s, not of %s", id, who,
                    self->entity);
    else
        faults_add (self->faults, "/undertaking",
                    "'%s' is no undertaking of %s", id, self->place.id);
}

/* Close, withdraw */

const char *thread_post_no_close (const struct thread *thread,
                                  const char *entity) {
    const struct thread_version *version = thread_current (thread);
    bool own = strcmp (thread->place.entity, entity) == 0;
    if (!version)
        return "there is nothing to close";
    if (version->decided >= 0)
        return "it was closed before";
    if (version->withdrawn)
        return "it was withdrawn";
    if (version->unjudged)
        return "the roster of that time is not known here";
    if (!own
        && (is_open (thread->place.kind, version)
            || !thread_party (version, entity)))
        return "only the proposer and who is invited may close";
    if (!own)
        return "only the proposer may, until an hour past the deadline";
    return "not each party has answered, and an hour past the deadline is not "
           "over";
}

static bool names_match (const struct closing *said,
                         const struct thread_entry *const *stances,
                         size_t count) {
    char entity[ENTITY_MAX + 1];
    if (said->stances.count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp (said->entities.at[i],
                    origin_entity (entity, &stances[i]->origin))
                != 0
            || !hash_equal (&said->stances.at[i], &stances[i]->origin.id))
            return false;
    return true;
}

#define COUNTING_MAX 256

static void judge_close (struct posting_check *self) {
    const struct closing *said = &self->say->closing;
    const struct thread_entry *stances[COUNTING_MAX];
    enum thread_outcome outcome;
    size_t count;
    struct projector *projector = self->request->http->options.projector;
    if (!version_current (self, &said->version))
        return;
    if (!thread_close_due (self->thread, self->entity,
                           projector_now (projector, NULL), &outcome, stances,
                           COUNTING_MAX, &count)) {
        faults_add (self->faults, "/does", "is a close, and %s",
                    thread_post_no_close (self->thread, self->entity));
        return;
    }
    if (said->outcome != outcome)
        faults_add (self->faults, "/outcome", "is '%s', and it is '%s'",
                    thread_outcome_name (said->outcome),
                    thread_outcome_name (outcome));
    if (count > COUNTING_MAX || !names_match (said, stances, count))
        faults_add (self->faults, "/stances",
                    "are not the %zu that count, by the names of their bodies",
                    count);
}

static void judge_withdrawal (struct posting_check *self) {
    const struct thread_version *version = thread_current (self->thread);
    struct thread_state state;
    thread_state (self->thread, self->view->now_ms, &state);
    if (version->until < 0 && state.status != STATUS_AGREED
        && state.status != STATUS_NOT_AGREED)
        return;
    faults_add (self->faults, "/does",
                version->withdrawn ? "is a withdrawal, and it was withdrawn"
                                   : "is a withdrawal, and it was decided");
}

/* All */

static void judge_among_others (struct posting_check *self) {
    enum thread_does does = self->say->does;
    if (does == DOES_PROPOSE) {
        posting_proposal (self);
        return;
    }
    if (!self->thread || self->thread->version_count == 0) {
        /* What was written without a network may come before its thread. */
        if (does == DOES_CONTRIBUTION && self->posting->handed_in)
            return;
        faults_add (self->faults, "/thread",
                    "'%s' is no thread on '%s' that can be read here",
                    self->place.id, self->place.channel);
        return;
    }
    if (does == DOES_STANCE)
        judge_stance (self);
    else if (does == DOES_SUGGEST)
        judge_suggestion (self);
    else if (does == DOES_DONE)
        judge_done (self);
    else if (does == DOES_CLOSE)
        judge_close (self);
    else if (does == DOES_WITHDRAW)
        judge_withdrawal (self);
}

static struct say *read_it (struct posting_check *self,
                            const struct taxonomy *taxonomy) {
    bool newer = false;
    struct say *say = say_read (&self->place, self->document, self->entity,
                                taxonomy, self->faults, &newer);
    if (newer)
        faults_add (self->faults, "/format",
                    "is above 1, the highest that this program writes");
    return say;
}

static void judge_document (struct posting_check *self) {
    struct threads_view view;
    if (!self->request->http->options.projector) { /* some tests */
        struct taxonomy *base = taxonomy_base();
        struct say *say = read_it (self, base);
        say_free (&say);
        taxonomy_unref (&base);
        return;
    }
    if (!threads_look (self->request, &view))
        return; /* who hands something in does not wait for the replay */
    struct say *say = read_it (self, view.plans.taxonomy);
    char topic[TOPIC_MAX + 1];
    if (say) {
        self->say = say;
        self->view = &view;
        self->thread = threads_by_topic (
            view.threads, slice_text (thread_topic (topic, &self->place)));
        judge_among_others (self);
    }
    plans_close (self->request);
    say_free (&say);
}

static void judge (struct posting_check *self) {
    struct error e;
    if (self->posting->format != BODY_MAP) {
        faults_add (self->faults, "",
                    "a message of a thread has to be a JSON object (format "
                    "json)");
        return;
    }
    /* The document's tree takes many times its octets. */
    if (!self->posting->handed_in)
        post_heavy_begin();
    json_t *document = mp_to_json (self->posting->content, &e);
    self->document = document;
    if (document)
        judge_document (self);
    else
        faults_add (self->faults, "", "%s", e.text);
    json_decref (document);
    if (!self->posting->handed_in)
        post_heavy_end();
}

static bool check (struct posting_check *self) {
    struct faults faults = { 0 };
    struct slice topic = slice_text (self->posting->topic);
    self->faults = &faults;
    if (thread_place_read (topic, &self->place, &faults))
        judge (self);
    bool fine = faults.count == 0;
    if (!fine)
        problem_faults (self->request, PROBLEM_NOT_FOR_THREAD,
                        thread_kind_name (thread_topic_kind (topic)), &faults);
    faults_clear (&faults);
    return fine;
}

/* Until the first replay is done; false: answered. */
static bool is_ready (struct request *r) {
    struct plans_view view;
    if (!r->http->options.projector)
        return true;
    if (!plans_open (r, &view))
        return false;
    plans_close (r);
    return true;
}

bool thread_post_check (struct request *r,
                        const struct thread_posting *posting) {
    int64_t sequence;
    struct posting_check self = { .request = r,
                                  .posting = posting,
                                  .author_ms = clock_wall_ms() };
    if (thread_topic_kind (slice_text (posting->topic)) == THREAD_KINDS)
        return true;
    if (!posting->handed_in && !is_ready (r))
        return false;
    struct slice entity = delegation_entity (posting->author);
    memcpy (self.entity, entity.data, entity.size);
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    self.roster = roster;
    bool fine = roster && check (&self);
    request_release (r);
    roster_unref (&roster);
    return fine;
}
