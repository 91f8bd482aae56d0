/* thread_post_proposal - what a proposal names: bodies that can answer, parts of
 * plans that are there, suggestions, meetings, offers. */
#include "api/http_impl.h"
#include "api/strangers.h"
#include "api/thread_post_impl.h"
#include "base/clock.h"
#include "identity/roster.h"
#include "threads/communique.h"

#include <stdio.h>
#include <string.h>

static void fault_at (struct posting_check *self, const char *list, size_t n,
                      const char *member, const char *text) {
    struct path path = { .size = 0 };
    path_member (&path, list);
    path_index (&path, n);
    if (member)
        path_member (&path, member);
    faults_add (self->faults, path.text, "%s", text);
}

/* Bodies */

static void judge_bodies (struct posting_check *self, const char *list,
                          const struct names *bodies, bool answer) {
    for (size_t i = 0; i < bodies->count; i++) {
        const char *channel = self->place.channel, *entity = bodies->at[i];
        char text[256];
        bool reads = threads_entity_may (self->roster, entity, channel, false);
        if (reads
            && (!answer
                || threads_entity_may (self->roster, entity, channel, true)))
            continue;
        snprintf (text, sizeof text,
                  "is %s, of which no delegation can %s '%s'%s", entity,
                  reads ? "write on" : "read", channel,
                  reads ? ": it could not answer" : "");
        fault_at (self, list, i, NULL, text);
    }
}

/* Parts of plans */

struct named_part {
    const struct subject *subject;
    const struct action *action; /* NULL: a goal, or the plan itself */
};

static bool is_goal (const struct plan *plan, const char *id) {
    for (size_t i = 0; i < plan->goal_count; i++)
        if (strcmp (plan->goals[i].id, id) == 0)
            return true;
    return false;
}

static bool part_find (const struct model *model, const char *ref,
                       struct named_part *out) {
    char id[PLAN_ID_MAX + 1];
    size_t size = strcspn (ref, "#");
    *out = (struct named_part){ 0 };
    if (size >= sizeof id)
        return false;
    memcpy (id, ref, size);
    id[size] = '\0';
    out->subject = model_find (model, id);
    if (!out->subject || !out->subject->plan)
        return false;
    if (!ref[size])
        return true;
    out->action = plan_action (out->subject->plan, ref + size + 1);
    return out->action || is_goal (out->subject->plan, ref + size + 1);
}

static void judge_part (struct posting_check *self, const char *list, size_t n,
                        const char *member, const char *ref) {
    struct named_part part;
    struct path path = { .size = 0 };
    char text[PLAN_REF_MAX + 96];
    path_member (&path, list);
    path_index (&path, n);
    path_member (&path, member);
    if (!part_find (self->view->plans.model, ref, &part)) {
        faults_add (self->faults, path.text,
                    "'%s' is no plan, goal or action that can be read here",
                    ref);
        return;
    }
    snprintf (text, sizeof text, "'%s'", ref);
    strangers_judge (
        self->roster,
        part.action
            ? subject_action_entry (part.subject, part.action)->origin.channel
            : part.subject->revision->origin.channel,
        self->place.channel, path.text, text, self->faults);
}

/* Did that record make the plan, or a part of it? */
static bool makes (const struct subject *subject, int64_t sequence) {
    for (size_t i = 0; subject && i < subject->entry_count; i++) {
        const struct history_entry *at = subject->entries[i];
        if (at->origin.sequence == sequence)
            return !at->faults && !at->withdrawal
                   && (at->kind == CONTENT_PLAN || at->kind == CONTENT_ANNEX);
    }
    return false;
}

static void judge_about (struct posting_check *self,
                         const struct proposal *proposal) {
    for (size_t i = 0; i < proposal->about_count; i++) {
        const struct about *about = &proposal->about[i];
        struct named_part part;
        char text[PLAN_ID_MAX + 96];
        judge_part (self, "about", i, "ref", about->ref);
        if (about->of < 0
            || !part_find (self->view->plans.model, about->ref, &part)
            || makes (part.subject, about->of))
            continue;
        snprintf (text, sizeof text,
                  "record %lld is no revision or annex of %s that counts",
                  (long long) about->of, part.subject->plan_id);
        fault_at (self, "about", i, "of", text);
    }
    for (size_t i = 0; i < proposal->undertaking_count; i++)
        if (*proposal->undertakings[i].action)
            judge_part (self, "undertakings", i, "action",
                        proposal->undertakings[i].action);
}

/* Other messages and threads */

static bool is_suggestion (const struct thread *thread, const struct hash *id) {
    for (size_t i = 0; thread && i < thread->entry_count; i++) {
        const struct thread_entry *at = thread->entries[i];
        if (hash_equal (&at->origin.id, id))
            return at->say && at->say->does == DOES_SUGGEST;
    }
    return false;
}

static void judge_taken_up (struct posting_check *self,
                            const struct proposal *proposal) {
    for (size_t i = 0; i < proposal->takes_up.count; i++)
        if (!is_suggestion (self->thread, &proposal->takes_up.at[i]))
            fault_at (self, "takes_up", i, NULL,
                      "is the id of no suggestion in this thread");
}

/* NULL `channel`: any. */
static bool is_there (const struct threads *threads, const char *id,
                      enum thread_kind kind, const char *channel) {
    const struct thread *at;
    for (size_t n = 0; (at = threads_find (threads, id, n)); n++)
        if (at->place.kind == kind && at->version_count > 0
            && (!channel || strcmp (at->place.channel, channel) == 0))
            return true;
    return false;
}

static void judge_links (struct posting_check *self,
                         const struct proposal *proposal) {
    if (*proposal->minutes_of
        && !is_there (self->view->threads, proposal->minutes_of, THREAD_MEETING,
                      self->place.channel))
        faults_add (self->faults, "/minutes_of",
                    "'%s' is no meeting on '%s' that can be read here",
                    proposal->minutes_of, self->place.channel);
    if (*proposal->capability
        && !is_there (self->view->threads, proposal->capability,
                      THREAD_CAPABILITY, NULL))
        faults_add (self->faults, "/capability",
                    "'%s' is no capability that can be read here",
                    proposal->capability);
}

/* Could it be signed at all? */
static void judge_note (struct posting_check *self) {
    struct buf text = { 0 };
    struct hash none = { 0 };
    struct error e;
    if (communique_text (&text, self->request->http->options.dialogue,
                         &self->place, &none, self->document, &e))
        faults_add (self->faults, "", "%s", e.text);
    buf_free (&text);
}

#define DAY_MS 86400000

/* By silence, a body that never had the time would have agreed. */
static void judge_deadline (struct posting_check *self,
                            const struct proposal *proposal) {
    char words[INSTANT_WORDS_MAX];
    if (!proposal->has_deadline || self->posting->anyway)
        return;
    int64_t left = proposal->deadline.ms - clock_wall_ms();
    if (left <= 0)
        faults_add (self->faults, "/deadline",
                    "is past (%s): nobody could answer in time",
                    instant_words (words, &proposal->deadline));
    else if (proposal->rule == RULE_SILENCE && left < DAY_MS)
        faults_add (self->faults, "/deadline",
                    "is less than a day away (%s), and silence is taken for "
                    "consent: give the others time",
                    instant_words (words, &proposal->deadline));
}

void posting_proposal (struct posting_check *self) {
    const struct proposal *proposal = &self->say->proposal;
    judge_bodies (self, "invited", &proposal->invited, true);
    judge_bodies (self, "offered_to", &proposal->offered_to, false);
    judge_about (self, proposal);
    judge_taken_up (self, proposal);
    judge_links (self, proposal);
    judge_deadline (self, proposal);
    if (self->place.kind == THREAD_COMMUNIQUE)
        judge_note (self);
}
