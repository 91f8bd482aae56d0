/* bench_settle - from the promise of a batch until an agent knows it settled: a
 * quorum of ten real agents, each of which verifies, stores, recomputes the root
 * and cosigns, while so many messages a second are published at the desk.
 * usage: bench_settle [--broker PATH] [--agent PATH] [--rate N] [--seconds N] */
#include "bench_agents.h"

#include "base/clock.h"
#include "base/mp.h"

#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define AGENTS 10
#define BATCH 20

/* Last sequence, and when it was promised (ns). */
struct promised {
    int64_t sequence, at;
};

struct poller {
    pthread_t thread;
    const struct bench_agent *agent;
    const struct promised *promised;
    atomic_size_t count; /* of them so far */
    atomic_bool all;     /* there will be no more */
    int64_t *took;       /* ns, one each */
};

/* The second line of a checkpoint; -1: none yet. */
static int64_t settled (int fd, struct buf *reply) {
    if (bench_api (fd, "GET", "/api/v1/checkpoints/settled", "", reply) != 200)
        return -1;
    const char *line = strchr ((const char *) reply->data, '\n');
    return line ? strtoll (line + 1, NULL, 10) : -1;
}

static void *poll_run (void *arg) {
    struct poller *self = arg;
    int fd = bench_api_open (self->agent);
    struct buf reply = { 0 };
    size_t done = 0;
    bool all = false;
    while (!all || done < atomic_load (&self->count)) {
        all = atomic_load (&self->all);
        int64_t size = settled (fd, &reply), now = clock_mono_ns();
        while (done < atomic_load (&self->count)
               && self->promised[done].sequence < size) {
            self->took[done] = now - self->promised[done].at;
            done++;
        }
        usleep (5000);
    }
    close (fd);
    buf_free (&reply);
    return NULL;
}

/* The last sequence that a publish reply accepted. */
static int64_t last_accepted (const struct buf *frame) {
    struct mp in;
    int64_t sequence = -1;
    mp_start (&in, buf_slice (frame));
    mp_array (&in, 6, 6);
    for (int i = 0; i < 3; i++)
        mp_any (&in);
    size_t count = mp_array (&in, 0, BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        mp_array (&in, 3, 3);
        mp_any (&in);
        sequence = mp_int (&in, 0, NUMBER_MAX);
        mp_any (&in);
    }
    if (sequence < 0)
        bench_fail ("nothing was accepted");
    return sequence;
}

static void sleep_until (int64_t ns) {
    struct timespec at = { .tv_sec = (time_t) (ns / 1000000000),
                           .tv_nsec = (long) (ns % 1000000000) };
    clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* At a steady pace; a late reply does not slow what follows. */
static void publish (struct bench *bench, struct poller *poller,
                     struct promised *promised, size_t batches, int64_t pause) {
    struct bench_link link;
    struct buf reply = { 0 };
    uint64_t lane = (uint64_t) clock_mono_ns();
    int64_t id, start = clock_mono_ns();
    bench_connect (bench, 0, &link);
    for (size_t n = 0; n < batches; n++) {
        struct bench_batch b;
        bench_batch (bench, 0, lane, (int64_t) (n * BATCH) + 1, BATCH, 1008,
                     &b);
        struct slice frames[3] = { buf_slice (&b.head), buf_slice (&b.headers),
                                   buf_slice (&b.bodies) };
        sleep_until (start + (int64_t) n * pause);
        bench_send (&link, WIRE_PUBLISH, frames, 3);
        bench_receive (&link, &id, &reply, 1);
        promised[n] =
            (struct promised){ last_accepted (&reply), clock_mono_ns() };
        atomic_store (&poller->count, n + 1);
        bench_batch_free (&b);
    }
    double seconds = (double) (clock_mono_ns() - start) / 1e9;
    printf ("%zu messages promised in %.1f s: %.0f a second\n", batches * BATCH,
            seconds, (double) (batches * BATCH) / seconds);
    bench_disconnect (&link);
    buf_free (&reply);
}

static void measure (struct bench *bench, const struct bench_agent *agents,
                     size_t rate, size_t seconds) {
    size_t batches = rate * seconds / BATCH;
    struct promised *promised = mem_alloc (batches * sizeof *promised);
    struct poller poller = { .agent = &agents[AGENTS - 1],
                             .promised = promised,
                             .took =
                                 mem_alloc (batches * sizeof *poller.took) };
    pthread_create (&poller.thread, NULL, poll_run, &poller);
    publish (bench, &poller, promised, batches,
             (int64_t) BATCH * 1000000000 / (int64_t) rate);
    atomic_store (&poller.all, true);
    pthread_join (poller.thread, NULL);
    printf ("settled after the promise: p50 %.0f ms, p99 %.0f ms, at most "
            "%.0f ms (%d witnesses, quorum %d)\n",
            (double) bench_percentile (poller.took, batches, 0.5) / 1e6,
            (double) bench_percentile (poller.took, batches, 0.99) / 1e6,
            (double) bench_percentile (poller.took, batches, 1.0) / 1e6, AGENTS,
            AGENTS / 2 + 1);
    free (promised);
    free (poller.took);
}

int main (int argc, char **argv) {
    static const struct option options[] = {
        { "broker", required_argument, NULL, 'b' },
        { "agent", required_argument, NULL, 'a' },
        { "rate", required_argument, NULL, 'r' },
        { "seconds", required_argument, NULL, 's' },
        { 0 }
    };
    const char *broker = "broker/parley-broker", *agent = "agent/parley-agent";
    size_t rate = 2000, seconds = 20;
    int c;
    while ((c = getopt_long (argc, argv, "", options, NULL)) != -1) {
        if (c == 'b')
            broker = optarg;
        else if (c == 'a')
            agent = optarg;
        else if (c == 'r')
            rate = strtoul (optarg, NULL, 10);
        else if (c == 's')
            seconds = strtoul (optarg, NULL, 10);
        else
            return 2;
    }
    if (rate < BATCH || seconds < 1)
        return 2;
    struct bench bench;
    struct bench_agent agents[AGENTS];
    bench_witnesses (AGENTS);
    bench_begin (&bench, broker, "");
    for (int i = 0; i < AGENTS; i++)
        bench_agent_begin (&bench, agent, i + 1, &agents[i]);
    measure (&bench, agents, rate, seconds);
    for (int i = 0; i < AGENTS; i++)
        bench_agent_end (&agents[i]);
    bench_end (&bench);
    return 0;
}
