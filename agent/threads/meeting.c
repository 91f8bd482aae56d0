/* meeting - what earlier editions of a series left. */
#include "meeting.h"

#include <stdlib.h>
#include <string.h>

#define EDITIONS_MAX 1024 /* of a series, that are looked at */
#define MINUTES_MAX 64    /* of one meeting */

const struct thread *meeting_minutes (const struct threads *threads,
                                      const struct thread *meeting,
                                      int64_t now_ms, size_t *version) {
    const struct thread *at[MINUTES_MAX];
    size_t there = threads_minutes (threads, meeting, at, MINUTES_MAX);
    for (size_t i = there < MINUTES_MAX ? there : MINUTES_MAX; i > 0; i--) {
        *version = thread_agreed (at[i - 1], now_ms);
        if (*version != SIZE_MAX)
            return at[i - 1];
    }
    return NULL;
}

struct carrying {
    const struct threads *threads;
    const struct model *model;
    int64_t now_ms;
    struct carried *out;
    size_t room, count;
};

static void edition_look (struct carrying *self, const struct thread *meeting) {
    size_t version;
    const struct thread *minutes =
        meeting_minutes (self->threads, meeting, self->now_ms, &version);
    if (!minutes)
        return;
    const struct proposal *proposal = minutes->versions[version].proposal;
    for (size_t i = 0; i < proposal->undertaking_count; i++) {
        struct carried one = { .meeting = meeting,
                               .minutes = minutes,
                               .undertaking = &proposal->undertakings[i] };
        undertaking_state (self->model, minutes, one.undertaking, self->now_ms,
                           &one.state);
        if (one.state.by != BY_NOBODY)
            continue;
        if (self->count < self->room)
            self->out[self->count] = one;
        self->count++;
    }
}

size_t meeting_earlier (const struct threads *threads,
                        const struct thread *meeting, const struct thread **out,
                        size_t room) {
    const struct thread_version *version = thread_current (meeting);
    const struct thread *at[EDITIONS_MAX];
    if (!version || !*version->proposal->series)
        return 0;
    size_t there = threads_series (threads, meeting->place.channel,
                                   version->proposal->series, at, EDITIONS_MAX);
    size_t count = 0;
    for (size_t i = 0; i < there && i < EDITIONS_MAX && at[i] != meeting; i++) {
        if (count < room)
            out[count] = at[i];
        count++;
    }
    return count;
}

size_t meeting_carried (const struct threads *threads,
                        const struct model *model, const struct thread *meeting,
                        int64_t now_ms, struct carried *out, size_t room) {
    struct carrying carrying = { threads, model, now_ms, out, room, 0 };
    const struct thread *earlier[EDITIONS_MAX];
    struct thread_state state;
    thread_state (meeting, now_ms, &state);
    if (state.status == STATUS_OVER)
        return 0;
    size_t count = meeting_earlier (threads, meeting, earlier, EDITIONS_MAX);
    for (size_t i = 0; i < count && i < EDITIONS_MAX; i++)
        edition_look (&carrying, earlier[i]);
    return carrying.count;
}
