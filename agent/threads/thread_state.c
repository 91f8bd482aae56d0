/* thread_state - how a thread stands at a moment (THREADS.md section 6). */
#include "thread_impl.h"

static const char *const names[] = {
    [STATUS_OPEN] = "open",           [STATUS_LATE] = "late",
    [STATUS_AGREED] = "agreed",       [STATUS_NOT_AGREED] = "not-agreed",
    [STATUS_OVER] = "over",           [STATUS_CLOSED] = "closed",
    [STATUS_WITHDRAWN] = "withdrawn", [STATUS_REPLACED] = "replaced",
    [STATUS_EMPTY] = "empty",
};

const char *thread_status_name (enum thread_kind kind,
                                enum thread_status status) {
    if (status == STATUS_OPEN
        && (kind == THREAD_NOTICE || kind == THREAD_PRACTICE
            || kind == THREAD_CAPABILITY))
        return "there";
    return names[status];
}

bool version_past_end (const struct thread *self,
                       const struct thread_version *version, int64_t ms) {
    const struct proposal *proposal = version->proposal;
    return thread_kind_decides (self->place.kind)
           && tally_past_end (proposal->has_deadline, proposal->deadline.ms,
                              ms);
}

static bool past_deadline (const struct proposal *proposal, int64_t ms) {
    return proposal->has_deadline && ms > proposal->deadline.ms;
}

static bool is_over (const struct thread *self,
                     const struct thread_version *version, int64_t now_ms) {
    return self->place.kind == THREAD_MEETING
               ? now_ms > version->proposal->to.ms
               : past_deadline (version->proposal, now_ms);
}

static enum thread_status status_of (const struct thread *self,
                                     const struct thread_version *version,
                                     bool agrees, int64_t now_ms) {
    bool decides = thread_kind_decides (self->place.kind);
    enum thread_status outcome = agrees ? STATUS_AGREED : STATUS_NOT_AGREED;
    if (version->decided >= 0)
        return decides ? outcome : STATUS_CLOSED;
    if (version->withdrawn)
        return STATUS_WITHDRAWN;
    if (version->replaced)
        return STATUS_REPLACED;
    if (!decides)
        return is_over (self, version, now_ms) ? STATUS_OVER : STATUS_OPEN;
    if (version->until >= 0 && version->until_ms > now_ms)
        now_ms = version->until_ms;
    if (version_past_end (self, version, now_ms))
        return outcome;
    return past_deadline (version->proposal, now_ms) ? STATUS_LATE
                                                     : STATUS_OPEN;
}

void thread_version_state (const struct thread *self, size_t version,
                           int64_t now_ms, struct thread_state *out) {
    const struct thread_version *at = &self->versions[version];
    *out = (struct thread_state){ 0 };
    tally_make (self, at, &out->tally);
    out->would_agree = thread_kind_decides (self->place.kind)
                       && tally_agreed (at->proposal->rule, &out->tally);
    out->status = status_of (self, at, out->would_agree, now_ms);
}

void thread_state (const struct thread *self, int64_t now_ms,
                   struct thread_state *out) {
    if (self->version_count == 0)
        *out = (struct thread_state){ .status = STATUS_EMPTY };
    else
        thread_version_state (self, self->version_count - 1, now_ms, out);
}

size_t thread_agreed (const struct thread *self, int64_t now_ms) {
    struct thread_state state;
    for (size_t i = self->version_count; i > 0; i--) {
        thread_version_state (self, i - 1, now_ms, &state);
        if (state.status == STATUS_AGREED)
            return i - 1;
    }
    return SIZE_MAX;
}
