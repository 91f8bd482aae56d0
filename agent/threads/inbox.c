/* inbox - what waits for a body, thread by thread, and claims of the plans. */
#include "inbox.h"

#include <stdlib.h>
#include <string.h>

struct making {
    struct inbox *out;
    size_t room;
    const struct model *model;
    const char *entity;
    int64_t now_ms;
};

const char *inbox_kind_name (enum inbox_kind kind) {
    static const char *const names[INBOX_KINDS] = {
        [INBOX_STANCE] = "stance",   [INBOX_ASKED_AGAIN] = "asked-again",
        [INBOX_REPLY] = "reply",     [INBOX_INVITATION] = "invitation",
        [INBOX_REQUEST] = "request", [INBOX_UNDERTAKING] = "undertaking",
        [INBOX_CLAIM] = "claim",     [INBOX_SUGGESTION] = "suggestion",
    };
    return names[kind];
}

static struct inbox_item *item_add (struct making *self, enum inbox_kind kind,
                                    const struct thread *thread,
                                    int64_t since) {
    struct inbox *out = self->out;
    if (out->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        out->at = mem_resize (out->at, self->room * sizeof *out->at);
    }
    struct inbox_item *item = &out->at[out->count++];
    *item =
        (struct inbox_item){ .kind = kind, .thread = thread, .since = since };
    out->of[kind]++;
    return item;
}

static void due_set (struct inbox_item *item, bool has,
                     const struct instant *at) {
    item->has_due = has;
    item->due_ms = has ? at->ms : 0;
}

/* Parties */

/* Whether it said something on the version, as a party or not. */
static bool spoke (const struct thread *thread, size_t version,
                   const char *entity) {
    for (size_t i = thread->stance_count; i > 0; i--)
        if (thread->stances[i - 1].version == version
            && strcmp (thread->stances[i - 1].entity, entity) == 0)
            return true;
    return false;
}

/* Is it asked, and how is that called? INBOX_KINDS: it is not. */
static enum inbox_kind asked (const struct thread *thread,
                              const struct thread_version *version,
                              const char *entity) {
    bool own = strcmp (thread->place.entity, entity) == 0;
    bool all = version->proposal->invited.count == 0 && !own;
    bool party = thread_party (version, entity) != NULL;
    switch (thread->place.kind) {
    case THREAD_ALIGN:
    case THREAD_COMMUNIQUE:
        return party ? INBOX_STANCE : INBOX_KINDS;
    case THREAD_CONSULTATION:
        return party || all ? INBOX_REPLY : INBOX_KINDS;
    case THREAD_MEETING:
        return party ? INBOX_INVITATION : INBOX_KINDS;
    case THREAD_REQUEST:
        return party ? INBOX_REQUEST : INBOX_KINDS;
    default:
        return INBOX_KINDS;
    }
}

static void answer_look (struct making *self, const struct thread *thread,
                         const struct thread_version *version,
                         const struct thread_state *state) {
    const struct proposal *proposal = version->proposal;
    size_t current = thread->version_count - 1;
    if (state->status != STATUS_OPEN && state->status != STATUS_LATE)
        return;
    enum inbox_kind kind = asked (thread, version, self->entity);
    if (kind == INBOX_KINDS || spoke (thread, current, self->entity))
        return;
    struct inbox_item *item =
        item_add (self, kind, thread, version->entry->origin.sequence);
    due_set (item, proposal->has_deadline, &proposal->deadline);
    if (kind == INBOX_INVITATION && !item->has_due)
        due_set (item, true, &proposal->from);
}

static void again_look (struct making *self, const struct thread *thread,
                        const struct thread_version *version,
                        const struct thread_state *state) {
    struct ask ask;
    if (state->status == STATUS_NOT_AGREED
        || !asks_again (self->model, thread, self->entity))
        return;
    const struct thread_party *party = thread_party (version, self->entity);
    int64_t since = party && party->newest != SIZE_MAX
                        ? thread->stances[party->newest].entry->origin.sequence
                        : version->entry->origin.sequence;
    if (asks_changed (self->model, version, since, &ask, 1) == 0)
        return;
    struct inbox_item *item =
        item_add (self, INBOX_ASKED_AGAIN, thread,
                  ask.sequence < 0 ? since : ask.sequence);
    if (state->status == STATUS_OPEN || state->status == STATUS_LATE)
        due_set (item, version->proposal->has_deadline,
                 &version->proposal->deadline);
}

static void suggestions_look (struct making *self, const struct thread *thread,
                              const struct thread_version *version,
                              const struct thread_state *state) {
    char entity[ENTITY_MAX + 1];
    if (state->status != STATUS_OPEN
        || strcmp (thread->place.entity, self->entity) != 0)
        return;
    for (size_t i = thread->entry_count; i > 0; i--) {
        const struct thread_entry *entry = thread->entries[i - 1];
        if (entry->origin.sequence < version->entry->origin.sequence)
            break;
        if (!entry->say || entry->say->does != DOES_SUGGEST
            || !hash_equal (&entry->say->suggestion.version,
                            &version->entry->origin.id)
            || strcmp (origin_entity (entity, &entry->origin), self->entity)
                   == 0)
            continue;
        due_set (
            item_add (self, INBOX_SUGGESTION, thread, entry->origin.sequence),
            version->proposal->has_deadline, &version->proposal->deadline);
    }
}

static void undertakings_look (struct making *self,
                               const struct thread *thread) {
    size_t agreed = thread_agreed (thread, self->now_ms);
    if (agreed == SIZE_MAX)
        return;
    const struct thread_version *version = &thread->versions[agreed];
    const struct proposal *proposal = version->proposal;
    for (size_t i = 0; i < proposal->undertaking_count; i++) {
        const struct undertaking *at = &proposal->undertakings[i];
        struct undertaking_state state;
        if (strcmp (at->who, self->entity) != 0)
            continue;
        undertaking_state (self->model, thread, at, self->now_ms, &state);
        if (state.by != BY_NOBODY)
            continue;
        struct inbox_item *item = item_add (self, INBOX_UNDERTAKING, thread,
                                            version->entry->origin.sequence);
        item->undertaking = at;
        due_set (item, at->has_by, &at->by);
    }
}

static void thread_look (struct making *self, const struct thread *thread) {
    const struct thread_version *version = thread_current (thread);
    struct thread_state state;
    if (!version || thread->withdrawn)
        return;
    thread_state (thread, self->now_ms, &state);
    answer_look (self, thread, version, &state);
    again_look (self, thread, version, &state);
    suggestions_look (self, thread, version, &state);
    undertakings_look (self, thread);
}

/* Claims */

/* Ours to confirm or deny, and not answered: what we said no longer stands, or
 * nothing was said. */
static bool claim_waits (const struct making *self, const struct overlap *o) {
    struct model_statement said[16];
    const char *named = o->a_names ? o->plan_b->entity : o->plan_a->entity;
    if (strcmp (named, self->entity) != 0)
        return false;
    size_t count = model_statements (self->model, o, said, 16);
    for (size_t i = 0; i < count && i < 16; i++)
        if (said[i].stands && strcmp (said[i].entity, self->entity) == 0)
            return false;
    return true;
}

static void claims_look (struct making *self) {
    struct overlap_query query = {
        .live = true,
        .on = day_of_ms (self->now_ms),
        .entity = self->entity,
        .classes = 1U << OVERLAP_CLAIMED,
        .limit = INBOX_CLAIMS_MAX,
    };
    overlaps_find (model_overlaps (self->model), &query, &self->out->claims);
    for (size_t i = 0; i < self->out->claims.count; i++) {
        const struct overlap *o = &self->out->claims.at[i];
        if (claim_waits (self, o))
            item_add (self, INBOX_CLAIM, NULL, -1)->overlap = o;
    }
}

/* All */

static int order_of (int64_t a, int64_t b) {
    return a < b ? -1 : a > b;
}

static int by_due (const void *a, const void *b) {
    const struct inbox_item *x = a, *y = b;
    if (x->has_due != y->has_due)
        return x->has_due ? -1 : 1;
    int order = order_of (x->due_ms, y->due_ms);
    if (order == 0) /* claims, which nobody asked by a record, come last */
        order = order_of (x->since < 0, y->since < 0);
    if (order == 0)
        order = order_of (x->since, y->since);
    if (order == 0)
        order = order_of (x->kind, y->kind);
    if (order == 0) /* what is left keeps the order of one array */
        order = x->undertaking ? (x->undertaking < y->undertaking ? -1 : 1)
                               : (x->overlap < y->overlap ? -1 : 1);
    return order;
}

void inbox_make (struct inbox *out, const struct threads *threads,
                 const struct model *model, const char *entity,
                 int64_t now_ms) {
    struct making making = {
        .out = out, .model = model, .entity = entity, .now_ms = now_ms
    };
    *out = (struct inbox){ 0 };
    for (size_t i = 0; i < threads_count (threads); i++)
        thread_look (&making, threads_at (threads, i));
    claims_look (&making);
    if (out->count > 1)
        qsort (out->at, out->count, sizeof *out->at, by_due);
}

void inbox_free (struct inbox *self) {
    free (self->at);
    overlap_answer_free (&self->claims);
    *self = (struct inbox){ 0 };
}
