/* timekeeper - the log's time (DESIGN section 7, "Log time").
 *
 * Three witnesses: the last record, the monotonic clock, and the agents, whose
 * clocks are kept as offsets to the monotonic one, so that a jump of our wall
 * clock is seen against them at once, and its end too. */
#include "timekeeper.h"

#include "base/topic.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define JUMP_MS 2000    /* of wall against monotonic clock */
#define APART_MS 120000 /* from the agents' median */
#define ENTITIES_MIN 3
#define ENTITIES_MAX 256 /* as many as a roster has */

struct witness {
    char entity[ENTITY_MAX + 1];
    int64_t offset;  /* its clock minus our monotonic one */
    int64_t mono_ms; /* of its hello */
};

struct timekeeper {
    pthread_mutex_t lock; /* over all that follows */
    int64_t last;         /* log time of the last record */
    bool started;         /* `offset` is known */
    int64_t offset;       /* wall minus monotonic when last found fine */
    struct witness witnesses[ENTITIES_MAX];
    size_t count;
};

struct timekeeper *timekeeper_new (int64_t last_log_time) {
    struct timekeeper *self = mem_alloc (sizeof *self);
    self->last = last_log_time;
    pthread_mutex_init (&self->lock, NULL);
    return self;
}

void timekeeper_destroy (struct timekeeper **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    pthread_mutex_destroy (&(*self_p)->lock);
    free (*self_p);
    *self_p = NULL;
    errno = saved;
}

/* The entity's own row, a new one, or that of the oldest hello. */
static struct witness *witness_of (struct timekeeper *self,
                                   struct slice entity) {
    struct witness *oldest = &self->witnesses[0];
    for (size_t i = 0; i < self->count; i++) {
        struct witness *w = &self->witnesses[i];
        if (slice_is (entity, w->entity))
            return w;
        if (w->mono_ms < oldest->mono_ms)
            oldest = w;
    }
    return self->count < ENTITIES_MAX ? &self->witnesses[self->count++]
                                      : oldest;
}

void timekeeper_hello (struct timekeeper *self, struct slice entity,
                       int64_t agent_ms, int64_t wall_ms, int64_t mono_ms) {
    (void) wall_ms; /* the one clock that is in question */
    assert (entity.size <= ENTITY_MAX);
    pthread_mutex_lock (&self->lock);
    struct witness *w = witness_of (self, entity);
    memcpy (w->entity, entity.data, entity.size);
    w->entity[entity.size] = '\0';
    w->offset = agent_ms - mono_ms;
    w->mono_ms = mono_ms;
    pthread_mutex_unlock (&self->lock);
}

static int offset_order (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

/* How far the agents' clocks are ahead of the wall clock. */
static bool agents_ahead (const struct timekeeper *self, int64_t offset,
                          int64_t *ms) {
    int64_t offsets[ENTITIES_MAX];
    if (self->count < ENTITIES_MIN)
        return false;
    for (size_t i = 0; i < self->count; i++)
        offsets[i] = self->witnesses[i].offset;
    qsort (offsets, self->count, sizeof *offsets, offset_order);
    int64_t low = offsets[(self->count - 1) / 2];
    int64_t high = offsets[self->count / 2];
    *ms = low + (high - low) / 2 - offset;
    return true;
}

static bool within (int64_t ms, int64_t limit) {
    return ms >= -limit && ms <= limit;
}

static enum err closed (struct refusal *why, const char *text, int64_t ms) {
    refusal_set (why, RULE_CLOCK);
    refusal_text (why, "why", text);
    refusal_int (why, "ms", ms);
    return ERR_STATE;
}

/* Once a jump is seen, only the clock's way back or the agents end it: the
 * offset from before stays until then. */
static enum err check_jump (struct timekeeper *self, int64_t offset,
                            struct refusal *why) {
    int64_t jump = self->started ? offset - self->offset : 0, ahead;
    if (!within (jump, JUMP_MS)) {
        if (!agents_ahead (self, offset, &ahead) || !within (ahead, JUMP_MS))
            return closed (why, "the clock jumped against the monotonic one",
                           jump);
    }
    self->started = true;
    self->offset = offset;
    return ERR_NONE;
}

static enum err check_agents (const struct timekeeper *self, int64_t offset,
                              struct refusal *why) {
    int64_t ahead;
    if (!agents_ahead (self, offset, &ahead) || within (ahead, APART_MS))
        return ERR_NONE;
    return closed (why, "the agents' clocks say another time", ahead);
}

/* A clock that was set back by a moment is waited for, with the log's time
 * standing still; more is a fault. */
static enum err check_last (const struct timekeeper *self, int64_t wall_ms,
                            struct refusal *why) {
    if (wall_ms >= self->last - JUMP_MS)
        return ERR_NONE;
    return closed (why, "the clock is behind the last record",
                   self->last - wall_ms);
}

enum err timekeeper_now (struct timekeeper *self, int64_t wall_ms,
                         int64_t mono_ms, int64_t *log_time,
                         struct refusal *why) {
    pthread_mutex_lock (&self->lock);
    int64_t offset = wall_ms - mono_ms;
    enum err rc = check_jump (self, offset, why);
    if (!rc)
        rc = check_agents (self, offset, why);
    if (!rc)
        rc = check_last (self, wall_ms, why);
    if (!rc)
        *log_time = wall_ms > self->last ? wall_ms : self->last;
    pthread_mutex_unlock (&self->lock);
    return rc;
}

void timekeeper_used (struct timekeeper *self, int64_t log_time) {
    pthread_mutex_lock (&self->lock);
    assert (log_time >= self->last);
    self->last = log_time;
    pthread_mutex_unlock (&self->lock);
}

void timekeeper_trust (struct timekeeper *self, int64_t wall_ms,
                       int64_t mono_ms) {
    pthread_mutex_lock (&self->lock);
    self->started = true;
    self->offset = wall_ms - mono_ms;
    pthread_mutex_unlock (&self->lock);
}
