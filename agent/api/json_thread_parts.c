/* json_thread_parts - lists of one thread: who says what, what follows from it,
 * and what it is about. */
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/json_thread.h"

#include <stdlib.h>
#include <string.h>

/* Of so many that are listed, the first that is. */
static size_t listed_from (size_t count) {
    return count > THREADS_LISTED_MAX ? count - THREADS_LISTED_MAX : 0;
}

/* Who says what */

/* What its other delegations said on the version. */
static json_t *disagrees (const struct thread *thread,
                          const struct thread_party *party, size_t version) {
    json_t *out = json_array();
    const struct thread_stance *counts = &thread->stances[party->stance];
    for (size_t i = 0; party->disagrees && i < thread->stance_count; i++) {
        const struct thread_stance *at = &thread->stances[i];
        const struct origin *origin = &at->entry->origin;
        if (at->version != version || at->state != STANCE_EARLIER
            || strcmp (at->entity, party->entity) != 0
            || strcmp (origin->author, counts->entry->origin.author) == 0
            || at->entry->say->stance.says == counts->entry->say->stance.says)
            continue;
        json_array_append_new (
            out, json_pack ("{ss ss ss sI}", "author", origin->author, "says",
                            json_says (at->entry->say->stance.says), "word",
                            thread_says_name (thread->place.kind,
                                              at->entry->say->stance.says),
                            "sequence", (json_int_t) origin->sequence));
    }
    return out;
}

static void put_stance (const struct threads_view *view,
                        const struct thread *thread,
                        const struct thread_stance *stance, json_t *out) {
    const struct stance *said = stance ? &stance->entry->say->stance : NULL;
    const struct origin *origin = stance ? &stance->entry->origin : NULL;
    const char *lang = view->plans.lang;
    json_t *more = json_pack (
        "{ss? ss? so so ss? so so so sb so}", "says",
        said ? json_says (said->says) : NULL, "word",
        said ? thread_says_name (thread->place.kind, said->says) : NULL,
        "reservation",
        said ? json_said_text (&said->reservation, lang) : json_null(), "text",
        said ? json_said_text (&said->text, lang) : json_null(), "author",
        origin ? origin->author : NULL, "function",
        json_word (stance ? stance->entry->say->function : ""), "sequence",
        json_place_or_null (origin ? origin->sequence : -1), "time",
        origin ? json_time (origin->log_time) : json_null(), "late",
        stance && stance->late, "represented_by",
        json_word (said ? said->represented_by : ""));
    json_object_update_new (out, more);
}

static json_t *asked_again (const struct threads_view *view,
                            const struct thread *thread,
                            const struct thread_version *version,
                            const struct thread_party *party) {
    if (!asks_again (view->plans.model, thread, party->entity))
        return json_array();
    int64_t since = party->newest == SIZE_MAX
                        ? version->entry->origin.sequence
                        : thread->stances[party->newest].entry->origin.sequence;
    return json_asks (view->plans.model, version, since);
}

static bool can_answer (const struct thread_reader *reader,
                        const struct thread *thread, const char *entity) {
    return reader->roster
           && threads_entity_may (reader->roster, entity, thread->place.channel,
                                  false)
           && threads_entity_may (reader->roster, entity, thread->place.channel,
                                  true);
}

json_t *json_thread_parties (const struct thread_reader *reader,
                             const struct thread *thread) {
    json_t *out = json_array();
    const struct thread_version *version = thread_current (thread);
    for (size_t i = 0; version && i < version->party_count; i++) {
        const struct thread_party *party = &version->parties[i];
        const struct thread_stance *stance =
            party->stance == SIZE_MAX ? NULL : &thread->stances[party->stance];
        json_t *one = json_pack (
            "{ss sb sb so so sb}", "entity", party->entity, "member",
            party->member, "proposer", party->proposer, "disagrees",
            stance ? disagrees (thread, party, thread->version_count - 1)
                   : json_array(),
            "asked_again", asked_again (reader->view, thread, version, party),
            "can_answer", can_answer (reader, thread, party->entity));
        put_stance (reader->view, thread, stance, one);
        json_array_append_new (out, one);
    }
    return out;
}

/* Those that a party's line does not show, of all versions. */
json_t *json_thread_others (const struct thread_reader *reader,
                            const struct thread *thread) {
    json_t *out = json_array();
    size_t i = listed_from (thread->stance_count);
    for (; i < thread->stance_count; i++) {
        const struct thread_stance *at = &thread->stances[i];
        bool current = at->version + 1 == thread->version_count;
        if (current
            && (at->state == STANCE_COUNTS || at->state == STANCE_OBSERVER))
            continue;
        json_t *one =
            json_pack ("{ss ss so}", "entity", at->entity, "state",
                       stance_state_name (at->state), "version",
                       at->version == SIZE_MAX
                           ? json_null()
                           : json_integer ((json_int_t) at->version + 1));
        put_stance (reader->view, thread, at, one);
        json_array_append_new (out, one);
    }
    return out;
}

json_t *json_thread_closes (const struct thread *thread) {
    static const char *const states[] = { "good", "early", "false", "unknown",
                                          "idle" };
    json_t *out = json_array();
    size_t i = listed_from (thread->close_count);
    for (; i < thread->close_count; i++) {
        const struct thread_close *at = &thread->closes[i];
        json_array_append_new (
            out,
            json_pack ("{sI ss ss ss so so}", "sequence",
                       (json_int_t) at->entry->origin.sequence, "author",
                       at->entry->origin.author, "state", states[at->state],
                       "outcome",
                       thread_outcome_name (at->entry->say->closing.outcome),
                       "why", json_word (at->why), "version",
                       at->version == SIZE_MAX
                           ? json_null()
                           : json_integer ((json_int_t) at->version + 1)));
    }
    return out;
}

/* What it is about */

static const struct text *goal_title (const struct plan *plan, const char *id) {
    for (size_t i = 0; i < plan->goal_count; i++)
        if (strcmp (plan->goals[i].id, id) == 0)
            return &plan->goals[i].title;
    return NULL;
}

static json_t *about_json (const struct threads_view *view,
                           const struct about *about) {
    const char *lang = view->plans.lang, *hash = strchr (about->ref, '#');
    char id[PLAN_REF_MAX + 1];
    memcpy (id, about->ref, strlen (about->ref) + 1);
    id[strcspn (id, "#")] = '\0';
    const struct subject *subject = model_find (view->plans.model, id);
    const struct plan *plan = subject ? subject->plan : NULL;
    const struct text *title = NULL;
    if (plan && hash) {
        const struct action *action = plan_action (plan, hash + 1);
        title = action ? &action->title : goal_title (plan, hash + 1);
    } else if (plan)
        title = &plan->title;
    return json_pack ("{ss so so so sb}", "ref", about->ref, "of",
                      json_place_or_null (about->of), "title",
                      title ? json_text_in (title, lang) : json_null(),
                      "plan_title",
                      plan ? json_text_in (&plan->title, lang) : json_null(),
                      "there", title != NULL);
}

json_t *json_thread_about (const struct threads_view *view,
                           const struct thread *thread) {
    json_t *out = json_array();
    const struct thread_version *version = thread_current (thread);
    for (size_t i = 0; version && i < version->proposal->about_count; i++)
        json_array_append_new (out,
                               about_json (view, &version->proposal->about[i]));
    return out;
}

/* Covering */

#define COVERED_MAX 5000 /* overlaps of a plan that are looked at */

/* Counted at the plan of `a` alone, so that each is counted once. */
static size_t covered_of (const struct threads_view *view,
                          const struct proposal *proposal, const char *plan) {
    struct overlap_query query = { .plan = plan, .limit = COVERED_MAX };
    struct overlap_answer answer;
    size_t out = 0;
    overlaps_find (model_overlaps (view->plans.model), &query, &answer);
    for (size_t i = 0; i < answer.count; i++) {
        const struct overlap *at = &answer.at[i];
        out += strcmp (at->plan_a->id, plan) == 0
               && asks_name (proposal, at->plan_a, at->a)
               && asks_name (proposal, at->plan_b, at->b);
    }
    overlap_answer_free (&answer);
    return out;
}

static bool named_before (const struct proposal *proposal, size_t n,
                          const char *plan) {
    size_t size = strlen (plan);
    for (size_t i = 0; i < n; i++)
        if (strncmp (proposal->about[i].ref, plan, size) == 0
            && (!proposal->about[i].ref[size]
                || proposal->about[i].ref[size] == '#'))
            return true;
    return false;
}

size_t thread_covers (const struct threads_view *view,
                      const struct thread *thread) {
    size_t out = 0, agreed = thread_agreed (thread, view->now_ms);
    if (thread->place.kind != THREAD_ALIGN || agreed == SIZE_MAX)
        return 0;
    const struct proposal *proposal = thread->versions[agreed].proposal;
    for (size_t i = 0; i < proposal->about_count; i++) {
        char plan[PLAN_REF_MAX + 1];
        memcpy (plan, proposal->about[i].ref,
                strlen (proposal->about[i].ref) + 1);
        plan[strcspn (plan, "#")] = '\0';
        if (!named_before (proposal, i, plan)
            && model_find (view->plans.model, plan))
            out += covered_of (view, proposal, plan);
    }
    return out;
}

/* Undertakings */

json_t *json_undertaking (const struct threads_view *view,
                          const struct undertaking *undertaking) {
    static const char *const shows[] = { "", "done", "cancelled", "named" };
    return json_pack (
        "{ss ss so so so so}", "id", undertaking->id, "who", undertaking->who,
        "what", json_text_in (&undertaking->what, view->plans.lang), "by",
        json_instant_or_null (undertaking->has_by, &undertaking->by), "action",
        json_word (undertaking->action), "shows",
        json_word (shows[undertaking->shows]));
}

static json_t *done_json (const struct undertaking_state *state,
                          struct say_bodies *bodies) {
    if (state->by == BY_NOBODY)
        return json_null();
    bool owner = state->by == BY_OWNER;
    json_t *out = json_pack (
        "{ss so so sn}", "by", owner ? "owner" : "plans", "sequence",
        json_place_or_null (state->sequence), "day",
        owner ? json_date (&state->done->say->done.day) : json_null(), "text");
    if (owner)
        say_bodies_add (bodies, &state->done->origin, SAY_DONE, out);
    return out;
}

/* Of the agreed version; before that, of the current one. */
json_t *json_thread_undertakings (const struct threads_view *view,
                                  const struct thread *thread,
                                  struct say_bodies *bodies) {
    json_t *out = json_array();
    size_t agreed = thread_agreed (thread, view->now_ms);
    const struct thread_version *version = agreed == SIZE_MAX
                                               ? thread_current (thread)
                                               : &thread->versions[agreed];
    for (size_t i = 0; version && i < version->proposal->undertaking_count;
         i++) {
        const struct undertaking *at = &version->proposal->undertakings[i];
        struct undertaking_state state = { .by = BY_NOBODY };
        if (agreed != SIZE_MAX)
            undertaking_state (view->plans.model, thread, at, view->now_ms,
                               &state);
        json_t *one = json_undertaking (view, at);
        json_object_set_new (one, "done", done_json (&state, bodies));
        json_object_set_new (one, "overdue", json_boolean (state.overdue));
        json_array_append_new (out, one);
    }
    return out;
}

/* Suggestions, contributions, attendance */

/* The version that took it up: its number; null. */
static json_t *taken_up (const struct thread *thread, const struct hash *id) {
    for (size_t v = 0; v < thread->version_count; v++) {
        const struct hash_list *list = &thread->versions[v].proposal->takes_up;
        for (size_t i = 0; i < list->count; i++)
            if (hash_equal (&list->at[i], id))
                return json_integer ((json_int_t) v + 1);
    }
    return json_null();
}

static json_t *suggestion_json (const struct thread *thread,
                                const struct thread_entry *entry,
                                struct say_bodies *bodies) {
    char entity[ENTITY_MAX + 1];
    const struct suggestion *said = &entry->say->suggestion;
    size_t version = thread_version_find (thread, &said->version);
    json_t *out = json_pack (
        "{so sI ss ss so so so sn sn so}", "id", json_hash (&entry->origin.id),
        "sequence", (json_int_t) entry->origin.sequence, "author",
        entry->origin.author, "entity", origin_entity (entity, &entry->origin),
        "time", json_time (entry->origin.log_time), "version",
        version == SIZE_MAX ? json_null()
                            : json_integer ((json_int_t) version + 1),
        "paragraph", json_word (said->paragraph), "text", "put", "taken_up_in",
        taken_up (thread, &entry->origin.id));
    say_bodies_add (bodies, &entry->origin, SAY_SUGGESTION, out);
    return out;
}

static json_t *contribution_json (const struct threads_view *view,
                                  const struct thread_entry *entry,
                                  struct say_bodies *bodies) {
    char entity[ENTITY_MAX + 1];
    json_t *out = json_pack (
        "{sI so ss ss so so sn so}", "sequence",
        (json_int_t) entry->origin.sequence, "id",
        json_hash (&entry->origin.id), "author", entry->origin.author, "entity",
        origin_entity (entity, &entry->origin), "handed_in_by",
        json_word (entry->via), "title",
        json_text_in (&entry->say->title, view->plans.lang), "text", "time",
        json_time (entry->origin.log_time));
    say_bodies_add (bodies, &entry->origin, SAY_CONTRIBUTION, out);
    return out;
}

/* The newest of those that do that, by sequence. */
static size_t newest (const struct thread *thread, enum thread_does does,
                      const struct thread_entry *out[THREADS_LISTED_MAX]) {
    size_t count = 0;
    for (size_t i = thread->entry_count; i > 0 && count < THREADS_LISTED_MAX;
         i--)
        if (thread->entries[i - 1]->say
            && thread->entries[i - 1]->say->does == does)
            out[count++] = thread->entries[i - 1];
    for (size_t i = 0; i < count / 2; i++) {
        const struct thread_entry *other = out[i];
        out[i] = out[count - 1 - i];
        out[count - 1 - i] = other;
    }
    return count;
}

json_t *json_thread_suggestions (const struct thread *thread,
                                 struct say_bodies *bodies) {
    const struct thread_entry *at[THREADS_LISTED_MAX];
    size_t count = newest (thread, DOES_SUGGEST, at);
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new (out, suggestion_json (thread, at[i], bodies));
    return out;
}

json_t *json_thread_contributions (const struct threads_view *view,
                                   const struct thread *thread,
                                   struct say_bodies *bodies) {
    const struct thread_entry *at[THREADS_LISTED_MAX];
    size_t count = newest (thread, DOES_CONTRIBUTION, at);
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new (out, contribution_json (view, at[i], bodies));
    return out;
}
