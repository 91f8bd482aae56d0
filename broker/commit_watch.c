/* commit_watch - clock, space and marks (DESIGN section 7, PROTOCOL.md section
 * 7.1). */
#include "commit_watch.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"

static void look_at_clock (struct watch *self) {
    struct refusal why;
    self->has_time = timekeeper_now (self->time, clock_wall_ms(),
                                     clock_mono_ms(), &self->log_time, &why)
                     == ERR_NONE;
    if (self->has_time)
        state_open (self->state, RULE_CLOCK);
    else
        state_close (self->state, &why);
}

static int64_t octets_shown (uint64_t octets) {
    return octets > NUMBER_MAX ? NUMBER_MAX : (int64_t) octets;
}

static void look_at_space (struct watch *self) {
    int64_t now = clock_mono_ms();
    uint64_t kept = atomic_load (&self->keep_free);
    if (self->asked && now < self->asked_ms + WATCH_TICK_MS
        && (kept == 0 || self->written <= kept / WATCH_SHARE))
        return;
    struct error e;
    if (!self->asked)
        self->free = UINT64_MAX; /* as long as nobody can say */
    self->asked = true;
    self->asked_ms = now;
    self->written = 0;
    if (disk_free_space (self->dir, &self->free, &e)) {
        log_limited (LOG_ERROR, "SPACE-UNKNOWN", "", "why=%s",
                     log_text (e.text));
        return;
    }
    uint64_t bound = self->no_space ? kept + kept / 10 : kept;
    self->no_space = self->free < bound;
    if (!self->no_space) {
        state_open (self->state, RULE_NO_SPACE);
        return;
    }
    struct refusal why;
    refusal_set (&why, RULE_NO_SPACE);
    refusal_int (&why, "free", octets_shown (self->free));
    refusal_int (&why, "kept", octets_shown (kept));
    state_close (self->state, &why);
}

static void say (struct watch *self) {
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    enum rule rule = state_closed (self->state, &why);
    if (rule == self->said)
        return;
    if (rule != RULE_NONE)
        log_error ("CLOSED", "why=%s", log_text (refusal_print (&why, text)));
    else
        log_info ("OPEN", "was=%s", rule_name (self->said));
    self->said = rule;
}

void watch_look (struct watch *self) {
    look_at_clock (self);
    look_at_space (self);
    say (self);
}

bool watch_heard (const struct watch *self) {
    return self->trust_first || state_hello_was_heard (self->state);
}

static bool may_mark (const struct watch *self) {
    return self->has_time && watch_heard (self)
           && self->free >= atomic_load (&self->keep_free) / 2
           && state_closed (self->state, NULL) != RULE_LEDGER_BEHIND;
}

/* A little early, so that no pause is longer. */
static int64_t mark_due (const struct watch *self) {
    return self->last_mark + self->mark_ms - self->mark_ms / 60;
}

bool watch_wants_mark (const struct watch *self) {
    return may_mark (self) && self->log_time >= mark_due (self);
}

int64_t watch_wait_ms (const struct watch *self) {
    if (!may_mark (self))
        return WATCH_TICK_MS;
    int64_t left = mark_due (self) - self->log_time;
    return left < 0 ? 0 : left < WATCH_TICK_MS ? left : WATCH_TICK_MS;
}
