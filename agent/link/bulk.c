/* bulk - when the next message of a file may go. */
#include "bulk.h"

#include "base/clock.h"
#include "base/log.h"
#include "rosters.h"
#include "store/sendings.h"

#include <stdlib.h>

#define SETTLE_MS 300
#define FULL_MS 1000
#define MINUTE_MS 60000
#define HEADER_OCTETS 512 /* of a message beside its content, about */

/* What the broker counts, as it does (a bucket that runs out in a minute), but
 * for files alone. */
struct bucket {
    double level;
};

struct bulk {
    struct core *core;
    int64_t entry;   /* of the outbox, on its way; 0: none */
    int64_t handed;  /* monotonic */
    int64_t due;     /* monotonic; 0: at once */
    int64_t settled; /* monotonic: last looked at */
    bool waits;      /* something is there to do at `due` */
    bool whole;      /* all streams were held to their ends once */
    struct bucket octets, messages;
    int64_t drained; /* monotonic: buckets */
};

struct bulk *bulk_new (struct core *core) {
    struct bulk *self = mem_alloc (sizeof *self);
    self->core = core;
    self->drained = clock_mono_ms();
    return self;
}

void bulk_destroy (struct bulk **self_p) {
    if (!self_p)
        return;
    free (*self_p);
    *self_p = NULL;
}

int64_t bulk_due (const struct bulk *self) {
    return self->waits ? self->due : -1;
}

/* Rates */

static double share_of (int64_t limit) {
    return (double) limit * 3 / 4;
}

static void run_out (struct bucket *self, int64_t limit, int64_t ms) {
    self->level -= share_of (limit) * (double) ms / MINUTE_MS;
    if (self->level < 0)
        self->level = 0;
}

/* As the broker: what is above the limit by itself goes where nothing is left
 * of the minute. */
static int64_t wait_for (const struct bucket *self, double more,
                         int64_t limit) {
    double room = share_of (limit);
    if (self->level <= 0 || self->level + more <= room)
        return 0;
    double over = more > room ? self->level : self->level + more - room;
    return (int64_t) (over * MINUTE_MS / room) + 1;
}

/* How long until a message of that size may go; 0: now. */
static int64_t rate_wait (struct bulk *self, int64_t now, size_t octets) {
    const struct roster_limits *limits =
        roster_limits (rosters_newest (self->core->rosters));
    int64_t passed = now - self->drained;
    run_out (&self->octets, limits->octets_a_minute, passed);
    run_out (&self->messages, limits->messages_a_minute, passed);
    self->drained = now;
    int64_t one =
        wait_for (&self->octets, (double) octets, limits->octets_a_minute);
    int64_t other = wait_for (&self->messages, 1, limits->messages_a_minute);
    return one > other ? one : other;
}

/* The one before */

static bool arrived (struct bulk *self, int64_t now) {
    if (self->entry == 0)
        return true;
    if (!sendings_arrived (self->core->store, self->entry))
        return false;
    int64_t took = now - self->handed;
    if (took < BULK_PAUSE_MS)
        took = BULK_PAUSE_MS;
    if (took > BULK_PAUSE_MAX_MS)
        took = BULK_PAUSE_MAX_MS;
    self->entry = 0;
    self->due = now + took;
    return true;
}

static enum err settle (struct bulk *self, int64_t now, struct error *e) {
    int64_t changed;
    if (now - self->settled < SETTLE_MS || !sendings_any (self->core->store))
        return ERR_NONE;
    self->settled = now;
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = sendings_settle (self->core->store, &changed, e);
    if (!rc && changed > 0)
        self->core->changed = true;
    return rc;
}

/* The next one */

static enum err hand_on (struct bulk *self, int64_t now, size_t octets,
                         struct error *e) {
    enum err rc = core_begin (self->core, e);
    if (!rc)
        rc = sendings_hand_on (self->core->store, &self->entry, e);
    if (rc) {
        self->entry = 0;
        return rc;
    }
    if (self->entry == 0) {
        self->waits = true;
        return ERR_NONE;
    }
    self->handed = now;
    self->octets.level += (double) octets;
    self->messages.level += 1;
    self->core->changed = true;
    return ERR_NONE;
}

static enum err next (struct bulk *self, int64_t now, bool drained,
                      bool *handed, struct error *e) {
    size_t octets;
    enum err rc = sendings_next (self->core->store, &octets, e);
    if (rc)
        return rc;
    self->waits = now < self->due;
    if (self->waits || !drained)
        return ERR_NONE;
    int64_t wait = rate_wait (self, now, octets + HEADER_OCTETS);
    if (wait == 0) {
        rc = hand_on (self, now, octets + HEADER_OCTETS, e);
        *handed = !rc && self->entry > 0;
    }
    if (rc == ERR_FULL) {
        log_limited (LOG_WARN, "FILE-WAITS", "", "why=%s", log_text (e->text));
        wait = FULL_MS;
        rc = ERR_NONE;
    }
    if (wait > 0) {
        self->due = now + wait;
        self->waits = true;
    }
    return rc;
}

enum err bulk_tick (struct bulk *self, int64_t now, bool filled, bool drained,
                    bool *handed, struct error *e) {
    *handed = false;
    self->waits = false;
    self->whole = self->whole || filled;
    enum err rc = settle (self, now, e);
    if (!rc && self->whole && arrived (self, now))
        rc = next (self, now, drained, handed, e);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}
