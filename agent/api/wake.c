/* wake - news for waiting threads. */
#include "api/wake.h"

#include <errno.h>
#include <time.h>

void wake_init (struct wake *self) {
    *self = (struct wake){ 0 };
    pthread_condattr_t attributes;
    pthread_condattr_init (&attributes);
    pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->changed, &attributes);
    pthread_condattr_destroy (&attributes);
}

void wake_free (struct wake *self) {
    pthread_cond_destroy (&self->changed);
    pthread_mutex_destroy (&self->lock);
}

uint64_t wake_number (struct wake *self) {
    pthread_mutex_lock (&self->lock);
    uint64_t number = self->number;
    pthread_mutex_unlock (&self->lock);
    return number;
}

bool wake_stopping (struct wake *self) {
    pthread_mutex_lock (&self->lock);
    bool stopping = self->stopping;
    pthread_mutex_unlock (&self->lock);
    return stopping;
}

void wake_news (struct wake *self) {
    pthread_mutex_lock (&self->lock);
    self->number++;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

void wake_stop (struct wake *self) {
    pthread_mutex_lock (&self->lock);
    self->stopping = true;
    pthread_cond_broadcast (&self->changed);
    pthread_mutex_unlock (&self->lock);
}

void wake_wait (struct wake *self, uint64_t seen, int64_t deadline_ms) {
    struct timespec until = { .tv_sec = deadline_ms / 1000,
                              .tv_nsec = deadline_ms % 1000 * 1000000 };
    pthread_mutex_lock (&self->lock);
    while (self->number == seen && !self->stopping)
        if (pthread_cond_timedwait (&self->changed, &self->lock, &until)
            == ETIMEDOUT)
            break;
    pthread_mutex_unlock (&self->lock);
}

bool wake_enter (struct wake *self) {
    pthread_mutex_lock (&self->lock);
    bool fine = self->waiters < WAITERS_MAX;
    self->waiters += fine;
    pthread_mutex_unlock (&self->lock);
    return fine;
}

void wake_leave (struct wake *self) {
    pthread_mutex_lock (&self->lock);
    self->waiters--;
    pthread_mutex_unlock (&self->lock);
}
