/* bench_latency - from a publish at the desk to each subscriber's program: with
 * 1 and with 10 real agents, each of which verifies, stores durably and sends an
 * event over its API. Beside it, what an agent takes from its own programs.
 * usage: bench_latency [--broker PATH] [--agent PATH] [--messages N] */
#include "bench_agents.h"

#include "base/clock.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AGENTS 10
#define PROGRAMS 8 /* that post to one agent at once */

struct reader {
    pthread_t thread;
    int fd;
    int64_t *came; /* ns, one a message */
    size_t count;
};

static void *reader_run (void *arg) {
    struct reader *self = arg;
    for (size_t i = 0; i < self->count; i++) {
        bench_api_event (self->fd);
        self->came[i] = clock_mono_ns();
    }
    return NULL;
}

/* One at a time: the next goes out when all have the last. */
static void latency (struct bench *bench, const struct bench_agent *agents,
                     size_t readers, size_t messages) {
    struct reader r[AGENTS];
    int64_t *took = mem_alloc (readers * messages * sizeof *took);
    int64_t *last = mem_alloc (messages * sizeof *last);
    struct bench_link link;
    uint64_t lane = (uint64_t) clock_mono_ns();
    struct buf reply = { 0 };
    int64_t id;
    bench_connect (bench, 0, &link);
    for (size_t i = 0; i < readers; i++) {
        r[i].fd = bench_api_events (&agents[i], "/api/v1/events");
        r[i].came = mem_alloc (sizeof *r[i].came);
        r[i].count = 1;
    }
    for (size_t m = 0; m < messages; m++) {
        struct bench_batch b;
        bench_batch (bench, 0, lane, (int64_t) m + 1, 1, 1008, &b);
        struct slice frames[3] = { buf_slice (&b.head), buf_slice (&b.headers),
                                   buf_slice (&b.bodies) };
        for (size_t i = 0; i < readers; i++)
            pthread_create (&r[i].thread, NULL, reader_run, &r[i]);
        int64_t start = clock_mono_ns();
        bench_send (&link, WIRE_PUBLISH, frames, 3);
        for (size_t i = 0; i < readers; i++) {
            pthread_join (r[i].thread, NULL);
            took[m * readers + i] = r[i].came[0] - start;
            if (took[m * readers + i] > last[m])
                last[m] = took[m * readers + i];
        }
        bench_receive (&link, &id, &reply, 1);
        bench_batch_free (&b);
    }
    size_t n = readers * messages;
    printf ("%2zu agents   p50 %7.2f ms   p99 %7.2f ms   the last one p50 "
            "%7.2f ms\n",
            readers, (double) bench_percentile (took, n, 0.5) / 1e6,
            (double) bench_percentile (took, n, 0.99) / 1e6,
            (double) bench_percentile (last, messages, 0.5) / 1e6);
    fflush (stdout);
    bench_disconnect (&link);
    for (size_t i = 0; i < readers; i++) {
        close (r[i].fd);
        free (r[i].came);
    }
    buf_free (&reply);
    free (took);
    free (last);
}

struct program {
    pthread_t thread;
    const struct bench_agent *agent;
    size_t count;
};

static void *program_run (void *arg) {
    struct program *self = arg;
    int fd = bench_api_open (self->agent);
    struct buf reply = { 0 };
    char text[1009], body[1200];
    memset (text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    snprintf (body, sizeof body,
              "{\"topic\":\"" BENCH_CHANNEL
              "/load/BENCH\",\"format\":\"text\",\"content\":\"%s\"}",
              text);
    for (size_t i = 0; i < self->count; i++)
        if (bench_api (fd, "POST", "/api/v1/messages", body, &reply) != 202)
            bench_fail ("not accepted: %s", (char *) reply.data);
    close (fd);
    buf_free (&reply);
    return NULL;
}

/* All of them promised and seen on the feed by the agent itself. */
static void own_rate (const struct bench_agent *agent, size_t messages) {
    struct program p[PROGRAMS];
    struct buf reply = { 0 };
    int fd = bench_api_open (agent);
    int64_t start = clock_mono_ns(), done = 0;
    for (size_t i = 0; i < PROGRAMS; i++) {
        p[i] = (struct program){ .agent = agent, .count = messages / PROGRAMS };
        pthread_create (&p[i].thread, NULL, program_run, &p[i]);
    }
    for (size_t i = 0; i < PROGRAMS; i++)
        pthread_join (p[i].thread, NULL);
    double accepted = (double) (clock_mono_ns() - start) / 1e9;
    while (done < (int64_t) (messages / PROGRAMS * PROGRAMS)) {
        usleep (5000);
        bench_api (fd, "GET", "/api/v1/status", "", &reply);
        done = bench_json_int (&reply, "done");
    }
    double seconds = (double) (clock_mono_ns() - start) / 1e9;
    printf ("\none agent, %d programs posting: %.0f a second accepted durably, "
            "%.0f a second promised and seen\n",
            PROGRAMS, (double) messages / accepted,
            (double) messages / seconds);
    close (fd);
    buf_free (&reply);
}

int main (int argc, char **argv) {
    static const struct option options[] = {
        { "broker", required_argument, NULL, 'b' },
        { "agent", required_argument, NULL, 'a' },
        { "messages", required_argument, NULL, 'm' },
        { 0 }
    };
    const char *broker = "broker/parley-broker", *agent = "agent/parley-agent";
    size_t messages = 500;
    int c;
    while ((c = getopt_long (argc, argv, "", options, NULL)) != -1) {
        if (c == 'b')
            broker = optarg;
        else if (c == 'a')
            agent = optarg;
        else if (c == 'm')
            messages = strtoul (optarg, NULL, 10);
        else
            return 2;
    }
    struct bench bench;
    struct bench_agent agents[AGENTS];
    bench_begin (&bench, broker, "");
    for (int i = 0; i < AGENTS; i++) {
        bench_agent_begin (&bench, agent, i + 1, &agents[i]);
        if (i == 0)
            latency (&bench, agents, 1, messages);
    }
    latency (&bench, agents, AGENTS, messages);
    for (int i = 1; i < AGENTS; i++)
        bench_agent_end (&agents[i]);
    own_rate (&agents[0], messages * 20);
    bench_agent_end (&agents[0]);
    bench_end (&bench);
    return 0;
}
