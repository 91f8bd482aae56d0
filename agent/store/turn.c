/* turn - who writes next. What is given back goes to the one that waited
 * longest, not to whoever asks next: else a busy thread would never let go. */
#include "turn.h"

#include "base/buf.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct waiter {
    struct waiter *next;
    pthread_cond_t given;
    bool mine;
};

struct turn {
    struct turn *next;
    dev_t device;
    ino_t file;
    int users;
    pthread_mutex_t lock;
    bool taken;
    struct waiter *first, **end;
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct turn *all; /* under all_lock, with their users */

static struct turn *find_or_make (dev_t device, ino_t file) {
    for (struct turn *t = all; t; t = t->next)
        if (t->device == device && t->file == file)
            return t;
    struct turn *t = mem_alloc (sizeof *t);
    t->device = device;
    t->file = file;
    t->end = &t->first;
    pthread_mutex_init (&t->lock, NULL);
    t->next = all;
    all = t;
    return t;
}

struct turn *turn_open (dev_t device, ino_t file) {
    pthread_mutex_lock (&all_lock);
    struct turn *out = find_or_make (device, file);
    out->users++;
    pthread_mutex_unlock (&all_lock);
    return out;
}

void turn_close (struct turn **self_p) {
    struct turn *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    pthread_mutex_lock (&all_lock);
    if (--self->users == 0) {
        struct turn **at = &all;
        while (*at != self)
            at = &(*at)->next;
        *at = self->next;
        pthread_mutex_destroy (&self->lock);
        free (self);
    }
    pthread_mutex_unlock (&all_lock);
}

static struct timespec after_ms (int ms) {
    struct timespec out;
    clock_gettime (CLOCK_MONOTONIC, &out);
    out.tv_sec += ms / 1000;
    out.tv_nsec += ms % 1000 * 1000000L;
    if (out.tv_nsec >= 1000000000L) {
        out.tv_sec++;
        out.tv_nsec -= 1000000000L;
    }
    return out;
}

static void waiter_drop (struct turn *self, const struct waiter *waiter) {
    struct waiter **at = &self->first;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    if (!*at)
        self->end = at;
}

/* With the lock held. */
static bool wait_for_it (struct turn *self, int ms) {
    struct waiter me = { 0 };
    struct timespec until = after_ms (ms);
    pthread_condattr_t attributes;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_cond_init (&me.given, &attributes);
    pthread_condattr_destroy (&attributes);
    *self->end = &me;
    self->end = &me.next;
    int rc = 0;
    while (!me.mine && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait (&me.given, &self->lock, &until);
    if (!me.mine)
        waiter_drop (self, &me);
    pthread_cond_destroy (&me.given);
    return me.mine;
}

bool turn_take (struct turn *self, int ms) {
    pthread_mutex_lock (&self->lock);
    bool mine = !self->taken;
    if (mine)
        self->taken = true;
    else
        mine = wait_for_it (self, ms);
    pthread_mutex_unlock (&self->lock);
    return mine;
}

void turn_give (struct turn *self) {
    pthread_mutex_lock (&self->lock);
    struct waiter *next = self->first;
    if (next) {
        waiter_drop (self, next);
        next->mine = true;
        pthread_cond_signal (&next->given);
    } else
        self->taken = false;
    pthread_mutex_unlock (&self->lock);
}
