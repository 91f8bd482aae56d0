/* json_thread - threads as JSON: lines of lists, and the frame of one. */
#include "api/json_thread.h"

#include "api/http_impl.h"
#include "api/json_record.h"

#include <stdlib.h>
#include <string.h>

/* What is asked of one */

const struct thread_party *thread_party_of (const struct thread_version *at,
                                            const char *entity) {
    for (size_t i = 0; at && i < at->party_count; i++)
        if (strcmp (at->parties[i].entity, entity) == 0)
            return &at->parties[i];
    return NULL;
}

const char *thread_state_word (const struct threads_view *view,
                               const struct thread *thread) {
    struct thread_state state;
    thread_state (thread, view->now_ms, &state);
    return thread_status_name (thread->place.kind, state.status);
}

bool thread_unread (const struct thread_reader *reader,
                    const struct thread *thread) {
    for (size_t i = thread->entry_count; i > 0; i--) {
        const struct thread_entry *at = thread->entries[i - 1];
        if (at->origin.sequence <= reader->read)
            return false;
        if (at->say && say_unread (reader->request, at, reader->read))
            return true;
    }
    return false;
}

static json_t *title_of (const struct threads_view *view,
                         const struct thread_version *version) {
    return version ? json_text_in (&version->proposal->title, view->plans.lang)
                   : json_string ("");
}

json_t *json_thread_name (const struct threads_view *view,
                          const struct thread *thread) {
    return json_pack (
        "{ss ss ss so ss ss}", "id", thread->place.id, "kind",
        thread_kind_name (thread->place.kind), "channel", thread->place.channel,
        "title", title_of (view, thread_current (thread)), "entity",
        thread->place.entity, "state", thread_state_word (view, thread));
}

/* Lines */

static json_t *own_json (const struct threads_view *view,
                         const struct thread *thread) {
    const struct thread_party *party =
        thread_party_of (thread_current (thread), view->entity);
    if (!party)
        return json_null();
    const struct thread_stance *stance =
        party->stance == SIZE_MAX ? NULL : &thread->stances[party->stance];
    enum thread_says says = stance ? stance->entry->say->stance.says : 0;
    return json_pack (
        "{ss? ss? sb sb}", "says", stance ? json_says (says) : NULL, "word",
        stance ? thread_says_name (thread->place.kind, says) : NULL, "late",
        stance && stance->late, "asked_again",
        asks_again (view->plans.model, thread, view->entity));
}

/* Of the agreed version; *carried: all are done, of some. */
static json_t *undertakings_json (const struct threads_view *view,
                                  const struct thread *thread,
                                  json_t **carried) {
    size_t open, all, overdue = 0;
    size_t agreed = thread_agreed (thread, view->now_ms);
    *carried = json_null();
    if (!asks_carried_out (view->plans.model, thread, view->now_ms, &open,
                           &all))
        return json_null();
    for (size_t i = 0; i < all; i++) {
        struct undertaking_state state;
        undertaking_state (view->plans.model, thread,
                           &thread->versions[agreed].proposal->undertakings[i],
                           view->now_ms, &state);
        overdue += state.overdue;
    }
    if (all > 0)
        *carried = json_boolean (open == 0);
    return json_pack ("{sI sI sI}", "open", (json_int_t) open, "all",
                      (json_int_t) all, "overdue", (json_int_t) overdue);
}

static size_t reservations (const struct thread *thread,
                            const struct thread_version *version) {
    size_t out = 0;
    for (size_t i = 0; version && i < version->party_count; i++) {
        size_t at = version->parties[i].stance;
        out += at != SIZE_MAX
               && thread->stances[at].entry->say->stance.reservation.count > 0;
    }
    return out;
}

static void line_state (const struct threads_view *view,
                        const struct thread *thread,
                        const struct thread_version *version, json_t *out) {
    struct thread_state state;
    bool decides = thread_kind_decides (thread->place.kind);
    const struct proposal *proposal = version ? version->proposal : NULL;
    thread_state (thread, view->now_ms, &state);
    json_object_set_new (
        out, "state",
        json_string (thread_status_name (thread->place.kind, state.status)));
    json_object_set_new (out, "rule",
                         proposal && decides
                             ? json_string (thread_rule_name (proposal->rule))
                             : json_null());
    json_object_set_new (out, "tally",
                         version ? json_tally (&state.tally) : json_null());
    json_object_set_new (out, "would_agree",
                         proposal && decides ? json_boolean (state.would_agree)
                                             : json_null());
}

json_t *json_thread_line (const struct thread_reader *reader,
                          const struct thread *thread) {
    const struct threads_view *view = reader->view;
    const struct thread_version *version = thread_current (thread);
    const struct proposal *proposal = version ? version->proposal : NULL;
    char topic[TOPIC_MAX + 1];
    json_t *carried;
    json_t *out = json_thread_name (view, thread);
    json_t *more = json_pack (
        "{ss sI sI so so so so sI s{so so} sb}", "topic",
        thread_topic (topic, &thread->place), "version",
        (json_int_t) (version ? version->number : 0), "versions",
        (json_int_t) thread->version_count, "invited",
        proposal ? json_names (&proposal->invited) : json_array(), "deadline",
        proposal
            ? json_instant_or_null (proposal->has_deadline, &proposal->deadline)
            : json_null(),
        "own", own_json (view, thread), "undertakings",
        undertakings_json (view, thread, &carried), "reservations",
        (json_int_t) reservations (thread, version), "last", "sequence",
        json_place_or_null (thread->last), "time",
        json_time_or_null (thread->last_ms), "unread",
        thread_unread (reader, thread));
    json_object_update_new (out, more);
    json_object_set_new (out, "carried_out", carried);
    line_state (view, thread, version, out);
    return out;
}

/* One */

static json_t *version_json (const struct thread_version *version) {
    char entity[ENTITY_MAX + 1];
    const struct origin *origin = &version->entry->origin;
    return json_pack (
        "{sI so sI ss ss so so}", "number", (json_int_t) version->number, "id",
        json_hash (&origin->id), "sequence", (json_int_t) origin->sequence,
        "author", origin->author, "entity", origin_entity (entity, origin),
        "function", json_word (version->entry->say->function), "time",
        json_time (origin->log_time));
}

static json_t *hashes_json (const struct hash_list *list) {
    json_t *out = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new (out, json_hash (&list->at[i]));
    return out;
}

static json_t *versions_json (const struct threads_view *view,
                              const struct thread *thread) {
    json_t *out = json_array();
    size_t count = thread->version_count;
    size_t i = count > THREADS_LISTED_MAX ? count - THREADS_LISTED_MAX : 0;
    for (; i < count; i++) {
        const struct thread_version *version = &thread->versions[i];
        struct thread_state state;
        json_t *one = version_json (version);
        thread_version_state (thread, i, view->now_ms, &state);
        json_object_set_new (one, "state",
                             json_string (thread_status_name (
                                 thread->place.kind, state.status)));
        json_object_set_new (one, "takes_up",
                             hashes_json (&version->proposal->takes_up));
        json_array_append_new (out, one);
    }
    return out;
}

static json_t *outcome_json (const struct threads_view *view,
                             const struct thread *thread,
                             const struct thread_version *version) {
    struct thread_state state;
    const struct proposal *proposal = version->proposal;
    bool decides = thread_kind_decides (thread->place.kind);
    struct instant end = { .ms = proposal->deadline.ms + TALLY_LATE_MS };
    instant_utc (end.text, end.ms);
    thread_state (thread, view->now_ms, &state);
    return json_pack (
        "{so so so so so}", "rule",
        decides ? json_string (thread_rule_name (proposal->rule)) : json_null(),
        "tally", json_tally (&state.tally), "would_agree",
        decides ? json_boolean (state.would_agree) : json_null(), "decided",
        json_place_or_null (version->decided), "end",
        json_instant_or_null (decides && proposal->has_deadline, &end));
}

static json_t *messages_json (const struct thread_reader *reader,
                              const struct thread *thread, int64_t before,
                              size_t limit, struct say_bodies *bodies,
                              bool *earlier) {
    json_t *out = json_array();
    size_t below = thread->entry_count;
    while (below > 0 && before >= 0
           && thread->entries[below - 1]->origin.sequence >= before)
        below--;
    size_t from = below > limit ? below - limit : 0;
    *earlier = from > 0;
    for (size_t i = from; i < below; i++)
        json_array_append_new (out, json_message (reader->request,
                                                  thread->entries[i],
                                                  reader->read, bodies));
    return out;
}

static void put_current (const struct thread_reader *reader,
                         const struct thread *thread, struct say_bodies *bodies,
                         json_t *out) {
    const struct threads_view *view = reader->view;
    const struct thread_version *version = thread_current (thread);
    json_object_set_new (out, "text", json_null());
    json_object_set_new (out, "proposal", json_null());
    if (version)
        say_bodies_add (bodies, &version->entry->origin, SAY_PROPOSAL, out);
    json_object_set_new (out, "version",
                         version ? version_json (version) : json_null());
    json_object_set_new (
        out, "deadline",
        version ? json_instant_or_null (version->proposal->has_deadline,
                                        &version->proposal->deadline)
                : json_null());
    json_object_set_new (out, "outcome",
                         version ? outcome_json (view, thread, version)
                                 : json_null());
    json_object_set_new (out, "asks",
                         version ? json_asks (view->plans.model, version,
                                              version->entry->origin.sequence)
                                 : json_array());
    json_object_set_new (
        out, "decisions",
        version ? json_decisions (version->proposal, view->plans.lang)
                : json_array());
}

static json_t *withdrawn_json (const struct threads_view *view,
                               const struct thread *thread) {
    const struct thread_entry *entry = thread->withdrawn;
    if (!entry)
        return json_null();
    return json_pack ("{sI ss so so}", "sequence",
                      (json_int_t) entry->origin.sequence, "author",
                      entry->origin.author, "time",
                      json_time (entry->origin.log_time), "reason",
                      json_text_in (&entry->say->reason, view->plans.lang));
}

static void put_lists (const struct thread_reader *reader,
                       const struct thread *thread, struct say_bodies *bodies,
                       json_t *out) {
    const struct threads_view *view = reader->view;
    json_object_set_new (out, "versions", versions_json (view, thread));
    json_object_set_new (out, "parties", json_thread_parties (reader, thread));
    json_object_set_new (out, "other_stances",
                         json_thread_others (reader, thread));
    json_object_set_new (out, "closes", json_thread_closes (thread));
    json_object_set_new (out, "about", json_thread_about (view, thread));
    json_object_set_new (out, "undertakings",
                         json_thread_undertakings (view, thread, bodies));
    json_object_set_new (out, "suggestions",
                         json_thread_suggestions (thread, bodies));
    json_object_set_new (out, "contributions",
                         json_thread_contributions (view, thread, bodies));
    json_object_set_new (out, "attendance",
                         json_thread_attendance (view, thread));
    json_object_set_new (out, "meeting", json_thread_meeting (view, thread));
}

void json_thread_whole (const struct thread_reader *reader,
                        const struct thread *thread, int64_t before,
                        size_t limit, struct say_bodies *bodies, json_t *out) {
    const struct threads_view *view = reader->view;
    char topic[TOPIC_MAX + 1];
    json_t *carried;
    bool earlier;
    size_t agreed = thread_agreed (thread, view->now_ms);
    json_object_update_new (out, json_thread_name (view, thread));
    json_object_set_new (out, "topic",
                         json_string (thread_topic (topic, &thread->place)));
    put_current (reader, thread, bodies, out);
    json_object_set_new (
        out, "agreed",
        agreed == SIZE_MAX
            ? json_null()
            : json_integer ((json_int_t) thread->versions[agreed].number));
    json_decref (undertakings_json (view, thread, &carried));
    json_object_set_new (out, "carried_out", carried);
    json_object_set_new (out, "withdrawn", withdrawn_json (view, thread));
    put_lists (reader, thread, bodies, out);
    json_object_set_new (
        out, "covers",
        json_integer ((json_int_t) thread_covers (view, thread)));
    json_object_set_new (
        out, "messages",
        messages_json (reader, thread, before, limit, bodies, &earlier));
    json_object_set_new (out, "message_count",
                         json_integer ((json_int_t) thread->entry_count));
    json_object_set_new (out, "earlier", json_boolean (earlier));
    json_object_set_new (out, "unread",
                         json_boolean (thread_unread (reader, thread)));
    json_object_set_new (out, "last",
                         json_pack ("{so so}", "sequence",
                                    json_place_or_null (thread->last), "time",
                                    json_time_or_null (thread->last_ms)));
    json_object_set_new (out, "actions", json_thread_actions (reader, thread));
}
