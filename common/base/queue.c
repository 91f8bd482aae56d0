/* queue - a bounded ring between threads (DESIGN section 4, the hot path).
 *
 * One mutex, two conditions, and an eventfd that is written when the queue
 * stops being empty and read when it is empty again: two system calls for a
 * burst, none for the items in between. Thread-safe. */
#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct queue {
    pthread_mutex_t lock;     /* over everything below but fd's number */
    pthread_cond_t not_empty; /* or closed */
    pthread_cond_t not_full;  /* or closed */
    void **ring;
    size_t most;
    size_t first; /* the oldest item's place */
    size_t count;
    bool closed;
    bool raised; /* fd is readable; true exactly if count > 0 or closed */
    int fd;
};

/* Waiting is measured with the monotonic clock only. */
static void cond_init (pthread_cond_t *cond) {
    pthread_condattr_t attr;
    pthread_condattr_init (&attr);
    pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
    pthread_cond_init (cond, &attr);
    pthread_condattr_destroy (&attr);
}

struct queue *queue_new (size_t most) {
    assert (most > 0);
    int fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    assert (most <= SIZE_MAX / sizeof (void *));
    struct queue *self = mem_alloc (sizeof *self);
    self->ring = mem_alloc (most * sizeof *self->ring);
    self->most = most;
    self->fd = fd;
    pthread_mutex_init (&self->lock, NULL);
    cond_init (&self->not_empty);
    cond_init (&self->not_full);
    return self;
}

void queue_destroy (struct queue **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct queue *self = *self_p;
    assert (self->count == 0);
    pthread_cond_destroy (&self->not_full);
    pthread_cond_destroy (&self->not_empty);
    pthread_mutex_destroy (&self->lock);
    close (self->fd);
    free (self->ring);
    free (self);
    *self_p = NULL;
    errno = saved;
}

/* Under the lock, after each change: let the descriptor say what is so. */
static void fd_update (struct queue *self) {
    bool wanted = self->count > 0 || self->closed;
    if (wanted == self->raised)
        return;
    uint64_t one = 1;
    /* Neither can fail: the counter is 0 or 1, and the descriptor is ours. */
    ssize_t n = wanted ? write (self->fd, &one, sizeof one)
                       : read (self->fd, &one, sizeof one);
    assert (n == sizeof one);
    (void) n;
    self->raised = wanted;
}

/* Under the lock, with room. */
static void put_one (struct queue *self, void *item) {
    self->ring[(self->first + self->count) % self->most] = item;
    self->count++;
    fd_update (self);
    pthread_cond_signal (&self->not_empty);
}

/* Under the lock. */
static size_t take_some (struct queue *self, void **items, size_t most) {
    size_t n = self->count < most ? self->count : most;
    for (size_t i = 0; i < n; i++) {
        items[i] = self->ring[self->first];
        self->first = (self->first + 1) % self->most;
    }
    self->count -= n;
    fd_update (self);
    if (n == 1)
        pthread_cond_signal (&self->not_full);
    else if (n > 1)
        pthread_cond_broadcast (&self->not_full);
    return n;
}

enum err queue_put (struct queue *self, void *item) {
    assert (item);
    enum err rc = ERR_NONE;
    pthread_mutex_lock (&self->lock);
    if (self->closed)
        rc = ERR_STATE;
    else if (self->count == self->most)
        rc = ERR_FULL;
    else
        put_one (self, item);
    pthread_mutex_unlock (&self->lock);
    return rc;
}

enum err queue_put_wait (struct queue *self, void *item) {
    assert (item);
    enum err rc = ERR_NONE;
    pthread_mutex_lock (&self->lock);
    while (self->count == self->most && !self->closed)
        pthread_cond_wait (&self->not_full, &self->lock);
    if (self->closed)
        rc = ERR_STATE;
    else
        put_one (self, item);
    pthread_mutex_unlock (&self->lock);
    return rc;
}

void *queue_take (struct queue *self) {
    void *item = NULL;
    (void) queue_take_many (self, &item, 1);
    return item;
}

static struct timespec time_after (int timeout_ms) {
    struct timespec at;
    clock_gettime (CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long) (timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

void *queue_take_wait (struct queue *self, int timeout_ms) {
    struct timespec until = time_after (timeout_ms < 0 ? 0 : timeout_ms);
    void *item = NULL;
    int rc = 0;
    pthread_mutex_lock (&self->lock);
    while (self->count == 0 && !self->closed && rc != ETIMEDOUT) {
        if (timeout_ms < 0)
            rc = pthread_cond_wait (&self->not_empty, &self->lock);
        else
            rc = pthread_cond_timedwait (&self->not_empty, &self->lock, &until);
    }
    (void) take_some (self, &item, 1);
    pthread_mutex_unlock (&self->lock);
    return item;
}

size_t queue_take_many (struct queue *self, void **items, size_t most) {
    pthread_mutex_lock (&self->lock);
    size_t n = take_some (self, items, most);
    pthread_mutex_unlock (&self->lock);
    return n;
}

void queue_close (struct queue *self) {
    pthread_mutex_lock (&self->lock);
    self->closed = true;
    fd_update (self);
    pthread_cond_broadcast (&self->not_empty);
    pthread_cond_broadcast (&self->not_full);
    pthread_mutex_unlock (&self->lock);
}

bool queue_closed (struct queue *self) {
    pthread_mutex_lock (&self->lock);
    bool closed = self->closed;
    pthread_mutex_unlock (&self->lock);
    return closed;
}

size_t queue_count (struct queue *self) {
    pthread_mutex_lock (&self->lock);
    size_t count = self->count;
    pthread_mutex_unlock (&self->lock);
    return count;
}

int queue_fd (struct queue *self) {
    return self->fd;
}
