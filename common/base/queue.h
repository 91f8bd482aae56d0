/* queue - a bounded ring of pointers between threads, with an eventfd.
 *
 * Any number of producers and consumers. The descriptor is readable while
 * something waits, so that a consumer can poll it beside its sockets; a
 * blocking take exists for those that have none. What a queue is asked to
 * carry at most is decided when it is made; a full queue refuses, and its user
 * pushes back. Thread-safe. */
#ifndef PARLEY_QUEUE_H
#define PARLEY_QUEUE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct queue;

struct queue *queue_new (size_t most) MUST_CHECK;
/* What is still in it is the caller's to take out first. */
void queue_destroy (struct queue **self_p);

/* ERR_FULL: at `most` items; ERR_STATE: closed. The pointer moves on 0. */
enum err queue_put (struct queue *self, void *item) MUST_CHECK;
/* As queue_put, waits while full. ERR_STATE: closed. */
enum err queue_put_wait (struct queue *self, void *item) MUST_CHECK;

/* NULL: nothing there. */
void *queue_take (struct queue *self);
/* Waits at most timeout_ms (-1: for ever). NULL: timeout, or closed and empty. */
void *queue_take_wait (struct queue *self, int timeout_ms);
/* At most `most` items at once, in order; how many. Never waits. */
size_t queue_take_many (struct queue *self, void **items, size_t most);

/* No more puts; takers drain it, then get NULL at once. */
void queue_close (struct queue *self);
bool queue_closed (struct queue *self);
size_t queue_count (struct queue *self);

/* Readable while the queue holds something or is closed. Do not read from it:
 * queue_take does. Owned by the queue. */
int queue_fd (struct queue *self);

#endif
