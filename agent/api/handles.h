/* handles - the store's handles that the API's threads share, one thread at a
 * time each: some that read, and one that writes for all.
 *
 * Bounded: a thread waits its turn, so that many connections do not mean many
 * page caches. Thread-safe. */
#ifndef PARLEY_API_HANDLES_H
#define PARLEY_API_HANDLES_H

#include "store/store.h"

#include <pthread.h>

#define READERS_MAX 16 /* about 2 MiB of pages each */
/* Of one transaction: half of all connections, and at most 16 MiB of bodies.
 * What is more goes with the next one. */
#define WRITES_MAX 64

struct handles_job;

struct handles {
    const char *path; /* borrowed */
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct store *idle[READERS_MAX];
    int idle_count, out;  /* out: taken */
    struct store *writer; /* of the thread that leads */
    pthread_mutex_t write_lock;
    struct handles_job *first, **end; /* who wants to write */
    bool led;
};

/* Opens the writer and one reader. */
enum err handles_open (struct handles *self, const char *path,
                       const struct hash *dialogue, const char *delegation,
                       struct error *e) MUST_CHECK;
void handles_close (struct handles *self); /* all are back; zeros are fine */

/* Waits while all are taken; NULL and *e where one can't be opened. */
struct store *handles_take (struct handles *self, struct error *e) MUST_CHECK;
void handles_give (struct handles *self, struct store **store_p);

/* What is written: a transaction or a statement, which fails for itself. It may
 * not wait for anything, since others wait for it. */
typedef enum err handles_write_fn (struct store *writer, void *arg,
                                   struct error *e);
/* Has it done with the handle that writes, by this thread or another one: what
 * several threads want to write goes in one transaction, so that one sync
 * serves all. Waits for it; durable when 0. Errors are the function's, or the
 * transaction's: then nothing of it is there. */
enum err handles_write (struct handles *self, handles_write_fn *write,
                        void *arg, struct error *e) MUST_CHECK;
int handles_waiting (struct handles *self); /* who are not at it yet */

#endif
