/* json_thread_meeting - what a meeting has beside other threads: who was there,
 * its agenda, and what earlier editions left. */
#include "api/json_thread.h"

#include "api/json_record.h"
#include "threads/meeting.h"

#include <string.h>

#define EDITIONS_MAX 100 /* that are listed, the newest */
#define CARRIED_MAX 500
#define MINUTES_MAX 64

/* Attendance */

static json_t *present_json (const struct threads_view *view,
                             const struct thread *thread) {
    json_t *out = json_array();
    const struct attendance *said =
        thread->attendance ? &thread->attendance->say->attendance : NULL;
    for (size_t i = 0; said && i < said->count; i++)
        json_array_append_new (
            out,
            json_pack ("{ss so so}", "entity", said->at[i].entity,
                       "represented_by", json_word (said->at[i].represented_by),
                       "text",
                       json_said_text (&said->at[i].text, view->plans.lang)));
    return out;
}

static void add_once (json_t *list, const char *text) {
    for (size_t i = 0; i < json_array_size (list); i++)
        if (strcmp (json_string_value (json_array_get (list, i)), text) == 0)
            return;
    json_array_append_new (list, json_string (text));
}

/* Who said so, or handed in a contribution. */
static json_t *in_writing (const struct thread *thread) {
    json_t *out = json_array();
    char entity[ENTITY_MAX + 1];
    const struct thread_version *version = thread_current (thread);
    for (size_t i = 0; version && i < version->party_count; i++) {
        size_t at = version->parties[i].stance;
        if (at != SIZE_MAX
            && thread->stances[at].entry->say->stance.says == THREAD_NEITHER)
            add_once (out, version->parties[i].entity);
    }
    for (size_t i = 0; i < thread->entry_count; i++)
        if (thread->entries[i]->say
            && thread->entries[i]->say->does == DOES_CONTRIBUTION)
            add_once (out, origin_entity (entity, &thread->entries[i]->origin));
    return out;
}

json_t *json_thread_attendance (const struct threads_view *view,
                                const struct thread *thread) {
    if (thread->place.kind != THREAD_MEETING)
        return json_null();
    return json_pack (
        "{so so so}", "present", present_json (view, thread), "in_writing",
        in_writing (thread), "sequence",
        json_place_or_null (
            thread->attendance ? thread->attendance->origin.sequence : -1));
}

/* Minutes */

/* Those that are adopted, or else the newest; *version: SIZE_MAX, not
 * adopted. */
static const struct thread *minutes_of (const struct threads_view *view,
                                        const struct thread *meeting,
                                        size_t *version) {
    const struct thread *at[MINUTES_MAX];
    const struct thread *out =
        meeting_minutes (view->threads, meeting, view->now_ms, version);
    if (out)
        return out;
    size_t count = threads_minutes (view->threads, meeting, at, MINUTES_MAX);
    count = count < MINUTES_MAX ? count : MINUTES_MAX;
    *version = SIZE_MAX;
    return count ? at[count - 1] : NULL;
}

static json_t *minutes_json (const struct threads_view *view,
                             const struct thread *meeting) {
    size_t version;
    const struct thread *minutes = minutes_of (view, meeting, &version);
    return minutes ? json_thread_name (view, minutes) : json_null();
}

static json_t *decided (const struct threads_view *view,
                        const struct thread *meeting) {
    size_t version;
    const struct thread *minutes = minutes_of (view, meeting, &version);
    return minutes && version != SIZE_MAX ? json_decisions (
               minutes->versions[version].proposal, view->plans.lang)
                                          : json_array();
}

/* Editions */

static json_t *edition_json (const struct thread *meeting) {
    const struct thread_version *version = thread_current (meeting);
    return version && version->proposal->edition
               ? json_integer ((json_int_t) version->proposal->edition)
               : json_null();
}

static json_t *earlier (const struct threads_view *view,
                        const struct thread *meeting) {
    const struct thread *at[1024];
    json_t *out = json_array();
    size_t count = meeting_earlier (view->threads, meeting, at, 1024);
    count = count < 1024 ? count : 1024;
    size_t i = count > EDITIONS_MAX ? count - EDITIONS_MAX : 0;
    for (; i < count; i++) {
        json_t *one = json_thread_name (view, at[i]);
        json_object_set_new (one, "edition", edition_json (at[i]));
        json_object_set_new (one, "minutes", minutes_json (view, at[i]));
        json_object_set_new (one, "decisions", decided (view, at[i]));
        json_array_append_new (out, one);
    }
    return out;
}

static json_t *carried (const struct threads_view *view,
                        const struct thread *meeting) {
    struct carried at[CARRIED_MAX];
    json_t *out = json_array();
    size_t count = meeting_carried (view->threads, view->plans.model, meeting,
                                    view->now_ms, at, CARRIED_MAX);
    for (size_t i = 0; i < count && i < CARRIED_MAX; i++) {
        json_t *one = json_undertaking (view, at[i].undertaking);
        json_object_set_new (one, "meeting",
                             json_string (at[i].meeting->place.id));
        json_object_set_new (one, "minutes",
                             json_string (at[i].minutes->place.id));
        json_object_set_new (one, "overdue",
                             json_boolean (at[i].state.overdue));
        json_array_append_new (out, one);
    }
    return out;
}

static json_t *agenda (const struct threads_view *view,
                       const struct proposal *proposal) {
    json_t *out = json_array();
    for (size_t i = 0; i < proposal->agenda_count; i++) {
        const struct agenda_item *at = &proposal->agenda[i];
        json_array_append_new (
            out, json_pack ("{ss so so}", "id", at->id, "title",
                            json_text_in (&at->title, view->plans.lang),
                            "entity", json_word (at->entity)));
    }
    return out;
}

json_t *json_thread_meeting (const struct threads_view *view,
                             const struct thread *thread) {
    const struct thread_version *version = thread_current (thread);
    if (thread->place.kind != THREAD_MEETING || !version)
        return json_null();
    const struct proposal *proposal = version->proposal;
    json_t *out = json_pack (
        "{so so so so ss so so}", "series", json_word (proposal->series),
        "edition", edition_json (thread), "from",
        json_instant (&proposal->from), "to", json_instant (&proposal->to),
        "zone", proposal->zone, "place",
        json_text_in (&proposal->place, view->plans.lang), "agenda",
        agenda (view, proposal));
    json_object_set_new (out, "earlier", earlier (view, thread));
    json_object_set_new (out, "carried", carried (view, thread));
    json_object_set_new (out, "minutes", minutes_json (view, thread));
    return out;
}
