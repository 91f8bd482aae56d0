/* asks - what plans tell of threads: changes since somebody spoke, undertakings
 * that they show, overlaps that an agreement covers. */
#include "asks.h"

#include "plans/facets.h"

#include <stdio.h>
#include <string.h>

/* References */

struct reference {
    char plan[PLAN_ID_MAX + 1];
    const char *part; /* NULL: the plan itself */
};

static bool reference_read (const char *text, struct reference *out) {
    const char *hash = strchr (text, '#');
    size_t size = hash ? (size_t) (hash - text) : strlen (text);
    if (size > PLAN_ID_MAX)
        return false;
    memcpy (out->plan, text, size);
    out->plan[size] = '\0';
    out->part = hash ? hash + 1 : NULL;
    return true;
}

static const struct subject *subject_of (const struct model *model,
                                         const char *ref,
                                         struct reference *out) {
    return reference_read (ref, out) ? model_find (model, out->plan) : NULL;
}

/* What changed */

static bool makes_plan (const struct history_entry *entry) {
    return (entry->kind == CONTENT_PLAN || entry->kind == CONTENT_ANNEX)
           && !entry->faults && !entry->newer;
}

/* The place whose state was meant: that of the record `of`, if it was no longer
 * the newest when it was named; else where it was said. */
static int64_t place_meant (const struct subject *subject, int64_t of,
                            int64_t said) {
    bool superseded = false;
    for (size_t i = subject->entry_count; i > 0; i--) {
        const struct history_entry *at = subject->entries[i - 1];
        if (at->origin.sequence >= said)
            continue;
        if (at->origin.sequence == of)
            return superseded ? of + 1 : said;
        superseded |= at->kind == CONTENT_PLAN && makes_plan (at);
    }
    return said;
}

/* The record from which on an action is as it is now. */
static int64_t same_since (const struct subject *subject, const char *action,
                           const struct facets_of *now, int64_t above,
                           int64_t sequence) {
    for (size_t i = subject->entry_count; i > 0; i--) {
        const struct history_entry *at = subject->entries[i - 1];
        if (at->origin.sequence < above)
            break;
        if (!makes_plan (at))
            continue;
        const struct facets_of *then =
            subject_facets (subject, action, at->origin.sequence + 1, NULL);
        if (!then || facets_differ (then, now))
            break;
        sequence = at->origin.sequence;
    }
    return sequence;
}

static void gone (const struct subject *subject, struct ask *out) {
    out->changes = ASK_GONE;
    out->sequence = -1;
    for (size_t i = subject->entry_count; i > 0 && out->sequence < 0; i--)
        if (makes_plan (subject->entries[i - 1]))
            out->sequence = subject->entries[i - 1]->origin.sequence;
}

static unsigned bits_of (unsigned differ) {
    static const unsigned bits[FACETS] = {
        [FACET_PRIORITIES] = ASK_PRIORITIES, [FACET_REGIONS] = ASK_REGIONS,
        [FACET_DATES] = ASK_DATES,           [FACET_LEAD] = ASK_LEAD,
        [FACET_PARTNERS] = ASK_PARTNERS,     [FACET_CANCELLED] = ASK_CANCELLED,
    };
    unsigned out = 0;
    for (unsigned i = 0; i < FACETS; i++)
        if (differ & (1U << i))
            out |= bits[i];
    return out;
}

static bool is_goal (const struct plan *plan, const char *id) {
    for (size_t i = 0; plan && i < plan->goal_count; i++)
        if (strcmp (plan->goals[i].id, id) == 0)
            return true;
    return false;
}

/* Was there a plan below that place? */
static bool was_there (const struct subject *subject, int64_t place) {
    bool there = false;
    for (size_t i = 0; i < subject->entry_count
                       && subject->entries[i]->origin.sequence < place;
         i++)
        if (subject->entries[i]->kind == CONTENT_PLAN
            && makes_plan (subject->entries[i]))
            there = !subject->entries[i]->withdrawal;
    return there;
}

/* Of a plan, or a goal: whether a goal was there then, nobody keeps; who named
 * it saw it. */
static bool whole_changed (const struct subject *subject,
                           const struct reference *ref, int64_t place,
                           struct ask *out) {
    bool there =
        ref->part ? is_goal (subject->plan, ref->part) : subject->plan != NULL;
    if (there || !was_there (subject, place))
        return false;
    gone (subject, out);
    return true;
}

static bool action_changed (const struct subject *subject,
                            const struct reference *ref,
                            const struct facets_of *then, int64_t place,
                            struct ask *out) {
    const struct history_entry *by = NULL;
    const struct facets_of *now =
        subject_facets (subject, ref->part, INT64_MAX, &by);
    if (!now) {
        gone (subject, out);
        return true;
    }
    out->changes = bits_of (facets_differ (then, now));
    if (out->changes)
        out->sequence =
            same_since (subject, ref->part, now, place, by->origin.sequence);
    return out->changes != 0;
}

static bool changed (const struct model *model, const struct about *about,
                     int64_t since, bool by_version, struct ask *out) {
    struct reference ref;
    const struct subject *subject = subject_of (model, about->ref, &ref);
    *out = (struct ask){ .about = about, .sequence = -1 };
    if (!subject)
        return false;
    int64_t place = by_version && about->of >= 0
                        ? place_meant (subject, about->of, since)
                        : since;
    const struct facets_of *then =
        ref.part ? subject_facets (subject, ref.part, place, NULL) : NULL;
    return then ? action_changed (subject, &ref, then, place, out)
                : whole_changed (subject, &ref, place, out);
}

size_t asks_changed (const struct model *model,
                     const struct thread_version *version, int64_t since,
                     struct ask *out, size_t room) {
    size_t count = 0;
    bool by_version = since == version->entry->origin.sequence;
    for (size_t i = 0; i < version->proposal->about_count; i++) {
        struct ask ask;
        if (!changed (model, &version->proposal->about[i], since, by_version,
                      &ask))
            continue;
        if (count < room)
            out[count] = ask;
        count++;
    }
    return count;
}

bool asks_again (const struct model *model, const struct thread *thread,
                 const char *entity) {
    const struct thread_version *version = thread_current (thread);
    struct ask one;
    if (!version || thread->withdrawn || version->proposal->about_count == 0)
        return false;
    const struct thread_party *party = thread_party (version, entity);
    int64_t since = -1;
    if (party && party->newest != SIZE_MAX)
        since = thread->stances[party->newest].entry->origin.sequence;
    else if (strcmp (thread->place.entity, entity) == 0)
        since = version->entry->origin.sequence;
    return since >= 0 && asks_changed (model, version, since, &one, 1) > 0;
}

/* Undertakings */

static bool shown (const struct subject *subject, const struct action *action,
                   const struct undertaking *undertaking, int64_t *sequence) {
    enum action_status reported;
    const struct plan_progress *by = NULL;
    *sequence = subject->revision ? subject->revision->origin.sequence : -1;
    switch (undertaking->shows) {
    case SHOWS_CANCELLED:
        return action->status == STATUS_CANCELLED;
    case SHOWS_NAMED:
        return action_names (action, undertaking->who);
    case SHOWS_DONE:
        if (action->status == STATUS_DONE)
            return true;
        if (!subject_status (subject, action, &reported, &by)
            || reported != STATUS_DONE)
            return false;
        *sequence = by->entry->origin.sequence;
        return true;
    case SHOWS_NOTHING:
        break;
    }
    return false;
}

static bool plans_show (const struct model *model,
                        const struct undertaking *undertaking,
                        int64_t *sequence) {
    struct reference ref;
    if (undertaking->shows == SHOWS_NOTHING)
        return false;
    const struct subject *subject =
        subject_of (model, undertaking->action, &ref);
    const struct action *action = subject && subject->plan && ref.part
                                      ? plan_action (subject->plan, ref.part)
                                      : NULL;
    return action && shown (subject, action, undertaking, sequence);
}

void undertaking_state (const struct model *model, const struct thread *thread,
                        const struct undertaking *undertaking, int64_t now_ms,
                        struct undertaking_state *out) {
    *out = (struct undertaking_state){ .by = BY_NOBODY, .sequence = -1 };
    out->done = thread_done (thread, undertaking);
    if (out->done) {
        out->by = BY_OWNER;
        out->sequence = out->done->origin.sequence;
    } else if (plans_show (model, undertaking, &out->sequence))
        out->by = BY_PLANS;
    else
        out->sequence = -1;
    out->overdue = out->by == BY_NOBODY && undertaking->has_by
                   && now_ms > undertaking->by.ms;
}

bool asks_carried_out (const struct model *model, const struct thread *thread,
                       int64_t now_ms, size_t *open, size_t *all) {
    size_t agreed = thread_agreed (thread, now_ms);
    *open = *all = 0;
    if (agreed == SIZE_MAX)
        return false;
    const struct proposal *proposal = thread->versions[agreed].proposal;
    *all = proposal->undertaking_count;
    for (size_t i = 0; i < *all; i++) {
        struct undertaking_state state;
        undertaking_state (model, thread, &proposal->undertakings[i], now_ms,
                           &state);
        *open += state.by == BY_NOBODY;
    }
    return true;
}

/* Covering */

bool asks_name (const struct proposal *proposal, const struct plan *plan,
                const struct action *action) {
    char ref[PLAN_REF_MAX + 1];
    action_ref (ref, plan, action);
    for (size_t i = 0; i < proposal->about_count; i++)
        if (strcmp (proposal->about[i].ref, ref) == 0
            || strcmp (proposal->about[i].ref, plan->id) == 0)
            return true;
    return false;
}

static bool covers (const struct thread *thread, const struct overlap *pair,
                    int64_t now_ms) {
    if (thread->place.kind != THREAD_ALIGN)
        return false;
    size_t agreed = thread_agreed (thread, now_ms);
    return agreed != SIZE_MAX
           && asks_name (thread->versions[agreed].proposal, pair->plan_a,
                         pair->a)
           && asks_name (thread->versions[agreed].proposal, pair->plan_b,
                         pair->b);
}

#define COVERING_MAX 512 /* threads about one plan that are looked at */

size_t asks_covering (const struct threads *threads, const struct overlap *pair,
                      int64_t now_ms, const struct thread **out, size_t room) {
    const struct thread *at[COVERING_MAX];
    size_t there = threads_about (threads, pair->plan_a->id, at, COVERING_MAX);
    size_t count = 0;
    for (size_t i = 0; i < there && i < COVERING_MAX; i++) {
        if (!covers (at[i], pair, now_ms))
            continue;
        if (count < room)
            out[count] = at[i];
        count++;
    }
    return count;
}
