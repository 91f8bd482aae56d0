/* handles - the store's handles that the API's threads share, one thread at a
 * time each: some that read, and one that writes.
 *
 * Bounded: a thread waits its turn, so that many connections do not mean many
 * page caches. Thread-safe. */
#ifndef PARLEY_API_HANDLES_H
#define PARLEY_API_HANDLES_H

#include "store/store.h"

#include <pthread.h>

#define READERS_MAX 16 /* about 2 MiB of pages each */

struct handles {
    const char *path; /* borrowed */
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct store *idle[READERS_MAX];
    int idle_count, out; /* out: taken */
    pthread_mutex_t write_lock;
    struct store *writer;
};

/* Opens the writer and one reader. */
enum err handles_open (struct handles *self, const char *path,
                       const struct hash *dialogue, const char *delegation,
                       struct error *e) MUST_CHECK;
void handles_close (struct handles *self); /* all are back; zeros are fine */

/* Waits while all are taken; NULL and *e where one can't be opened. */
struct store *handles_take (struct handles *self, struct error *e) MUST_CHECK;
void handles_give (struct handles *self, struct store **store_p);

/* Waits until no other thread writes. */
struct store *handles_take_writer (struct handles *self);
void handles_give_writer (struct handles *self);

#endif
