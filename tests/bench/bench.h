/* bench - a dialogue of its own for the benchmarks: keys, a roster, a broker as
 * a child process, connections to its desk. Any failure ends the program with a
 * sentence: a benchmark that goes on after one measures something else. */
#ifndef PARLEY_BENCH_H
#define PARLEY_BENCH_H

#include "base/sock.h"
#include "format/batch.h"
#include "wire/wire.h"

#include <sys/types.h>

#define BENCH_DELEGATIONS 11 /* BENCH/a writes; all read */
#define BENCH_CHANNEL "bench"

struct bench {
    char dir[256]; /* removed by bench_end */
    struct identity *broker;
    struct identity *delegation[BENCH_DELEGATIONS];
    struct roster *roster;
    pid_t pid;
    char desk[256], feed[256];
    void *context;
};

/* Before bench_dialogue or bench_begin: BENCH/b and the next ones are witnesses,
 * a majority of them is a quorum. 0 where it is not called. */
void bench_witnesses (int count);

/* Folder, keys and roster, without a broker; bench_end clears them away. */
void bench_dialogue (struct bench *self);
/* `program`: path of parley-broker. `extra`: lines of its configuration. */
void bench_begin (struct bench *self, const char *program, const char *extra);
/* Cleanly; bench_end does it too. */
void bench_stop_broker (struct bench *self);
void bench_end (struct bench *self);
/* CPU time that the broker has used, ns. */
int64_t bench_broker_work (const struct bench *self);

/* A DEALER that has said hello; its run id is in `run`. */
struct bench_link {
    void *socket;
    uint8_t run[RUN_SIZE];
    int64_t request;
    const struct identity *identity;
};
void bench_connect (struct bench *self, int delegation, struct bench_link *out);
void bench_disconnect (struct bench_link *self);
/* A request, not waiting; frames are copied by libzmq. */
void bench_send (struct bench_link *self, int type, const struct slice *frames,
                 size_t count);
/* The next reply's frames (at most `room`, the rest dropped); returns how many
 * and its request id. Ends the program on an error reply. */
size_t bench_receive (struct bench_link *self, int64_t *id, struct buf *frames,
                      size_t room);

/* A batch that is ready to be sent: three frames. */
struct bench_batch {
    struct buf head, headers, bodies;
    struct hash ids[BATCH_MAX];
    size_t count;
};
/* Messages number..number+count-1 of `lane`, bodies of `size` random octets. */
void bench_batch (struct bench *self, int delegation, uint64_t lane,
                  int64_t number, size_t count, size_t size,
                  struct bench_batch *out);
void bench_batch_free (struct bench_batch *self);

/* Ends the program. */
void bench_fail (const char *format, ...)
    __attribute__ ((format (printf, 1, 2), noreturn));
void bench_check (enum err rc, const struct error *e, const char *what);

int64_t bench_percentile (int64_t *values, size_t count, double p); /* sorts */
/* One write and fdatasync of `size` octets, appended to a file in the
 * dialogue's folder; returns how long it took, ns. */
struct bench_raw;
struct bench_raw *bench_raw_open (struct bench *self, size_t size);
int64_t bench_raw_sync (struct bench_raw *self);
void bench_raw_close (struct bench_raw **self_p);

#endif
