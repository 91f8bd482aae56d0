/* json_thread_actions - what the own body may do in a thread now, as
 * thread_post_check will judge it. */
#include "api/http_impl.h"
#include "api/json_thread.h"
#include "base/clock.h"
#include "identity/rights.h"

#include <stdio.h>
#include <string.h>

struct doing {
    const struct thread_reader *reader;
    const struct thread *thread;
    const struct thread_version *version; /* NULL */
    bool own;                             /* we proposed it */
    struct thread_state state;
    json_t *out;
};

static void add (struct doing *self, const char *what) {
    json_array_append_new (self->out, json_string (what));
}

static bool undecided (const struct doing *self) {
    return self->version && self->version->until < 0
           && self->state.status != STATUS_AGREED
           && self->state.status != STATUS_NOT_AGREED;
}

static bool is_asked (const struct doing *self) {
    enum thread_kind kind = self->thread->place.kind;
    bool open = kind == THREAD_PRACTICE
                || (kind == THREAD_CONSULTATION
                    && self->version->proposal->invited.count == 0);
    return open ? !self->own
                : thread_party_of (self->version, self->reader->view->entity)
                      != NULL;
}

static bool in_time (const struct doing *self) {
    const struct proposal *proposal = self->version->proposal;
    return undecided (self)
           && (!proposal->has_deadline
               || clock_wall_ms() <= proposal->deadline.ms);
}

static void answers (struct doing *self) {
    const struct threads_view *view = self->reader->view;
    if (self->version
        && thread_does_fits (self->thread->place.kind, DOES_STANCE)
        && is_asked (self)
        && (in_time (self)
            || asks_again (view->plans.model, self->thread, view->entity)))
        add (self, "stance");
}

static void proposers (struct doing *self) {
    if (!self->own)
        return;
    add (self, "propose");
    if (undecided (self))
        add (self, "withdraw");
    if (self->thread->place.kind == THREAD_MEETING)
        add (self, "attendance");
}

static void close_due (struct doing *self) {
    const struct thread_entry *stances[1];
    enum thread_outcome outcome;
    size_t count;
    const struct threads_view *view = self->reader->view;
    struct projector *projector =
        self->reader->request->http->options.projector;
    if (thread_close_due (self->thread, view->entity,
                          projector_now (projector, NULL), &outcome, stances, 1,
                          &count))
        add (self, "close");
}

static void undertakings (struct doing *self) {
    const struct threads_view *view = self->reader->view;
    size_t agreed = thread_agreed (self->thread, view->now_ms);
    if (agreed == SIZE_MAX)
        return;
    const struct proposal *proposal = self->thread->versions[agreed].proposal;
    for (size_t i = 0; i < proposal->undertaking_count; i++) {
        const struct undertaking *at = &proposal->undertakings[i];
        char what[PLAN_PART_MAX + 8];
        if (strcmp (at->who, view->entity) != 0)
            continue;
        snprintf (what, sizeof what, "%s:%s",
                  thread_done (self->thread, at) ? "undone" : "done", at->id);
        add (self, what);
    }
}

static bool may_write (const struct thread_reader *reader,
                       const char *channel) {
    return reader->roster
           && rights_ask (
                  reader->roster,
                  slice_text (reader->request->http->options.delegation),
                  slice_text (channel), RIGHT_WRITE, clock_wall_ms())
                  == VERDICT_YES;
}

json_t *json_thread_actions (const struct thread_reader *reader,
                             const struct thread *thread) {
    const struct threads_view *view = reader->view;
    struct doing self = {
        .reader = reader,
        .thread = thread,
        .version = thread_current (thread),
        .own = strcmp (thread->place.entity, view->entity) == 0,
        .out = json_array(),
    };
    if (!may_write (reader, thread->place.channel))
        return self.out;
    thread_state (thread, view->now_ms, &self.state);
    answers (&self);
    if (self.version) {
        add (&self, "comment");
        add (&self, "contribution");
        if (undecided (&self))
            add (&self, "suggest");
    }
    proposers (&self);
    close_due (&self);
    undertakings (&self);
    return self.out;
}
