/* bench_replay - reading the ledger again: a new agent that catches up from
 * nothing, a replay at it, an export and its audit, a check of the broker's own
 * folder. Programs of the build do the work; this one fills the ledger and
 * takes the time.
 * usage: bench_replay [--broker PATH] [--agent PATH] [--cli PATH]
 *                     [--messages N] */
#include "bench_agents.h"

#include "base/clock.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH 256

static void fill (struct bench *bench, size_t messages) {
    struct bench_link link;
    struct buf reply = { 0 };
    int64_t id;
    uint64_t lane = (uint64_t) clock_mono_ns();
    bench_connect (bench, 0, &link);
    for (size_t i = 0; i < messages; i += BATCH) {
        struct bench_batch b;
        bench_batch (bench, 0, lane, (int64_t) i + 1, BATCH, 1008, &b);
        struct slice frames[3] = { buf_slice (&b.head), buf_slice (&b.headers),
                                   buf_slice (&b.bodies) };
        bench_send (&link, WIRE_PUBLISH, frames, 3);
        bench_receive (&link, &id, &reply, 1);
        bench_batch_free (&b);
    }
    bench_disconnect (&link);
    buf_free (&reply);
}

static void row (const char *what, size_t messages, int64_t ns) {
    printf ("%-34s %8.2f s %10.0f records a second\n", what, (double) ns / 1e9,
            (double) messages / ((double) ns / 1e9));
    fflush (stdout);
}

__attribute__ ((format (printf, 1, 2))) static int64_t command (
    const char *format, ...) {
    char text[2048];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    int64_t start = clock_mono_ns();
    if (system (text) != 0)
        bench_fail ("failed: %s", text);
    return clock_mono_ns() - start;
}

int main (int argc, char **argv) {
    static const struct option options[] = {
        { "broker", required_argument, NULL, 'b' },
        { "agent", required_argument, NULL, 'a' },
        { "cli", required_argument, NULL, 'c' },
        { "messages", required_argument, NULL, 'm' },
        { 0 }
    };
    const char *broker = "broker/parley-broker", *agent = "agent/parley-agent";
    const char *cli = "agent/parley";
    size_t n = 102400;
    int c;
    while ((c = getopt_long (argc, argv, "", options, NULL)) != -1) {
        if (c == 'b')
            broker = optarg;
        else if (c == 'a')
            agent = optarg;
        else if (c == 'c')
            cli = optarg;
        else if (c == 'm')
            n = strtoul (optarg, NULL, 10) / BATCH * BATCH;
        else
            return 2;
    }
    struct bench bench;
    struct bench_agent reader;
    struct buf reply = { 0 };
    bench_begin (&bench, broker, "");
    fill (&bench, n);
    int64_t start = clock_mono_ns();
    bench_agent_begin (&bench, agent, 1, &reader);
    int fd = bench_api_open (&reader);
    do {
        usleep (2000);
        bench_api (fd, "GET", "/api/v1/status", "", &reply);
    } while (bench_json_int (&reply, "records") < (int64_t) n);
    row ("a new agent catches up", n, clock_mono_ns() - start);
    close (fd);
    row ("parley replay, as JSON", n,
         command ("%s --json --socket %s replay '#' > %s/replay", cli,
                  reader.socket, bench.dir));
    row ("parley audit export", n,
         command ("%s --socket %s audit export %s/bundle > %s/said", cli,
                  reader.socket, bench.dir, bench.dir));
    row ("parley audit check", n,
         command ("%s audit check %s/bundle > %s/said", cli, bench.dir,
                  bench.dir));
    bench_agent_end (&reader);
    char dir[256];
    snprintf (dir, sizeof dir, "%s", bench.dir);
    bench_stop_broker (&bench);
    row ("parley-broker fsck", n,
         command ("%s fsck %s/state > %s/said", broker, dir, dir));
    buf_free (&reply);
    bench_end (&bench);
    return 0;
}
