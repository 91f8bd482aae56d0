/* wake - how threads that wait for news hear of it.
 *
 * A waiter reads the number of news, looks for itself, and waits for another
 * number: news between looking and waiting are not missed. Thread-safe. */
#ifndef PARLEY_API_WAKE_H
#define PARLEY_API_WAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Of HTTP_CONNECTIONS_MAX; the others stay free for short requests. */
#define WAITERS_MAX 40

struct wake {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t number; /* counts news */
    bool stopping;
    int waiters;
};

void wake_init (struct wake *self);
void wake_free (struct wake *self); /* nobody waits */

uint64_t wake_number (struct wake *self);
bool wake_stopping (struct wake *self);
void wake_news (struct wake *self);
void wake_stop (struct wake *self); /* all waits end at once, for good */

/* Until the number is not `seen`, the monotonic time is `deadline_ms`, or it
 * stops. */
void wake_wait (struct wake *self, uint64_t seen, int64_t deadline_ms);

/* One of the places for those who may wait long. false: all are taken. */
bool wake_enter (struct wake *self);
void wake_leave (struct wake *self);

#endif
