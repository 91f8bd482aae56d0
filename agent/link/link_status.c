/* link_status - what the link's thread shows, and what others may ask of it. */
#include "link_impl.h"

#include "base/clock.h"

#include <stdio.h>

static void times_set (const struct link *self, struct link_status *out) {
    int64_t now = clock_mono_ms();
    out->since_ms = clock_wall_ms() - (now - self->begun);
    out->retry_in_ms =
        self->phase == LINK_DOWN && self->retry > now ? self->retry - now : 0;
}

void status_publish (struct link *self) {
    const struct core *core = &self->core;
    struct roster *newest = rosters_newest (core->rosters);
    pthread_mutex_lock (&self->mutex);
    struct link_status *out = &self->status;
    out->phase = self->phase;
    times_set (self, out);
    snprintf (out->desk, sizeof out->desk, "%s", self->endpoint);
    if (self->greeted)
        hex_encode (out->run, core->run, RUN_SIZE);
    snprintf (out->last_error, sizeof out->last_error, "%s", core->problem);
    out->has_offset = self->has_offset;
    out->clock_offset_ms = self->offset;
    out->broker_size = core->size;
    out->broker_log_time = core->log_time;
    snprintf (out->closed, sizeof out->closed, "%s", core->closed);
    ledger_status (core->ledger, &out->ledger);
    complete_status (self->complete, &out->complete);
    follow_status (self->follow, out);
    if (self->roster != newest) {
        roster_unref (&self->roster);
        self->roster = roster_ref (newest);
    }
    self->roster_sequence = rosters_newest_sequence (core->rosters);
    pthread_mutex_unlock (&self->mutex);
}

void link_status (struct link *self, struct link_status *out) {
    pthread_mutex_lock (&self->mutex);
    *out = self->status;
    pthread_mutex_unlock (&self->mutex);
}

struct roster *link_roster (struct link *self, int64_t *sequence) {
    pthread_mutex_lock (&self->mutex);
    struct roster *out = roster_ref (self->roster);
    if (sequence)
        *sequence = self->roster_sequence;
    pthread_mutex_unlock (&self->mutex);
    return out;
}
