/* bench_files - a file of 16 MiB from one agent to ten others, and what that does
 * to the messages of others and of the sender's own agent meanwhile: from a
 * program's POST at one agent to the event at another, without and with a file
 * on its way, in one run.
 * usage: bench_files [--broker PATH] [--agent PATH] [--size OCTETS] [--files N]
 *                    [--alone]
 */
#include "bench_agents.h"

#include "base/clock.h"

#include <getopt.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define READERS 10
#define STREAMS 2       /* who else writes: another agent, and the sender's */
#define PAUSE_US 100000 /* between two messages of a stream */
#define MESSAGES_MAX 20000
#define QUIET_US 5000000 /* without a file: what it is compared with */

/* Messages of one agent, and when each of the others had them. */
struct stream {
    pthread_t writer, reader[READERS];
    const struct bench_agent *from;
    const char *name;
    atomic_bool stop;
    atomic_size_t sent;
    atomic_int phase; /* 0: quiet, 1: with a file */
    int64_t *began;   /* ns */
    uint8_t *in;      /* phase */
    struct ear {
        int fd;
        int64_t *came;
        atomic_size_t count;
    } ears[READERS];
};

struct hearing {
    struct stream *stream;
    size_t ear;
};

static void *hear (void *arg) {
    struct hearing *self = arg;
    struct ear *ear = &self->stream->ears[self->ear];
    for (;;) {
        size_t n = atomic_load (&ear->count);
        if (atomic_load (&self->stream->stop)
            && n == atomic_load (&self->stream->sent))
            return NULL;
        bench_api_event (ear->fd);
        ear->came[n] = clock_mono_ns();
        atomic_store (&ear->count, n + 1);
    }
}

static void *speak (void *arg) {
    struct stream *self = arg;
    struct buf reply = { 0 };
    char body[256];
    int fd = bench_api_open (self->from);
    for (size_t n = 0; !atomic_load (&self->stop) && n < MESSAGES_MAX - 1;
         n++) {
        snprintf (body, sizeof body,
                  "{\"topic\":\"" BENCH_CHANNEL "/%s/x\",\"format\":\"text\","
                  "\"content\":\"%zu\"}",
                  self->name, n);
        self->in[n] = (uint8_t) atomic_load (&self->phase);
        self->began[n] = clock_mono_ns();
        if (bench_api (fd, "POST", "/api/v1/messages", body, &reply) != 202)
            bench_fail ("not accepted: %s", (char *) reply.data);
        atomic_store (&self->sent, n + 1);
        usleep (PAUSE_US);
    }
    close (fd);
    buf_free (&reply);
    return NULL;
}

static void stream_begin (struct stream *self, const struct bench_agent *from,
                          const struct bench_agent *readers, const char *name,
                          struct hearing hearings[READERS]) {
    char path[128];
    *self = (struct stream){ .from = from, .name = name };
    self->began = mem_alloc (MESSAGES_MAX * sizeof *self->began);
    self->in = mem_alloc (MESSAGES_MAX);
    snprintf (path, sizeof path,
              "/api/v1/events?filter=" BENCH_CHANNEL "/%s/%%23", name);
    for (size_t i = 0; i < READERS; i++) {
        self->ears[i].came = mem_alloc (MESSAGES_MAX * sizeof (int64_t));
        self->ears[i].fd = bench_api_events (&readers[i], path);
        hearings[i] = (struct hearing){ self, i };
        pthread_create (&self->reader[i], NULL, hear, &hearings[i]);
    }
    pthread_create (&self->writer, NULL, speak, self);
}

/* A last message, so that who hears sees that it is over. */
static void stream_end (struct stream *self) {
    struct buf reply = { 0 };
    int fd = bench_api_open (self->from);
    char body[128];
    atomic_store (&self->stop, true);
    pthread_join (self->writer, NULL);
    snprintf (body, sizeof body,
              "{\"topic\":\"" BENCH_CHANNEL
              "/%s/x\",\"format\":\"text\",\"content\":\"end\"}",
              self->name);
    size_t n = atomic_load (&self->sent);
    self->in[n] = 2;
    bench_api (fd, "POST", "/api/v1/messages", body, &reply);
    atomic_store (&self->sent, n + 1);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join (self->reader[i], NULL);
        close (self->ears[i].fd);
    }
    close (fd);
    buf_free (&reply);
}

/* Of all readers, in that phase, in ms. */
static double delay (const struct stream *self, int phase, double p,
                     size_t *count) {
    size_t room = atomic_load (&self->sent) * READERS, n = 0;
    int64_t *took = mem_alloc ((room + 1) * sizeof *took);
    for (size_t i = 0; i < READERS; i++)
        for (size_t m = 0; m < atomic_load (&self->ears[i].count); m++)
            if (self->in[m] == phase)
                took[n++] = self->ears[i].came[m] - self->began[m];
    *count = n;
    double out = n ? (double) bench_percentile (took, n, p) / 1e6 : 0;
    free (took);
    return out;
}

static void stream_print (const struct stream *self, const char *what) {
    size_t before, during;
    double p50 = delay (self, 0, 0.5, &before);
    double p99 = delay (self, 0, 0.99, &before);
    double file50 = delay (self, 1, 0.5, &during);
    double file99 = delay (self, 1, 0.99, &during);
    printf ("%s\n  without a file  p50 %7.2f ms  p99 %7.2f ms  (%zu)\n"
            "  with one        p50 %7.2f ms  p99 %7.2f ms  (%zu)\n"
            "  later by        p50 %7.2f ms  p99 %7.2f ms\n",
            what, p50, p99, before, file50, file99, during, file50 - p50,
            file99 - p99);
}

/* Files */

struct waiting {
    pthread_t thread;
    const struct bench_agent *agent;
    char path[128];
    int64_t came;
};

static void *wait_complete (void *arg) {
    struct waiting *self = arg;
    struct buf reply = { 0 };
    int fd = bench_api_open (self->agent);
    for (;;) {
        int status = bench_api (fd, "GET", self->path, "", &reply);
        if (status == 200
            && strstr ((char *) reply.data, "\"state\":\"complete\""))
            break;
        if (status == 404)
            usleep (2000);
    }
    self->came = clock_mono_ns();
    close (fd);
    buf_free (&reply);
    return NULL;
}

static void file_id (const struct buf *data, char out[33]) {
    struct hash hash = hash_sha256 (buf_slice (data));
    hex_encode (out, hash.octets, 16);
}

/* Seconds until the first and the last of the readers have all of it. */
static void transfer (const struct bench_agent *sender,
                      const struct bench_agent *readers, size_t size, int n) {
    struct waiting w[READERS];
    struct buf data = { 0 }, reply = { 0 };
    char id[33];
    randombytes_buf (buf_extend (&data, size), size);
    file_id (&data, id);
    int fd = bench_api_open (sender);
    int64_t start = clock_mono_ns(), first = INT64_MAX, last = 0;
    if (bench_api_octets (fd, "/api/v1/files?channel=" BENCH_CHANNEL "&name=a",
                          buf_slice (&data), &reply)
        != 202)
        bench_fail ("not accepted: %s", (char *) reply.data);
    int64_t taken = clock_mono_ns();
    for (size_t i = 0; i < READERS; i++) {
        w[i] = (struct waiting){ .agent = &readers[i] };
        snprintf (w[i].path, sizeof w[i].path,
                  "/api/v1/files/%s?wait=complete&timeout_ms=20000", id);
        pthread_create (&w[i].thread, NULL, wait_complete, &w[i]);
    }
    for (size_t i = 0; i < READERS; i++) {
        pthread_join (w[i].thread, NULL);
        first = w[i].came < first ? w[i].came : first;
        last = w[i].came > last ? w[i].came : last;
    }
    printf ("file %d of %.1f MiB: taken in after %.2f s, whole at the first "
            "reader after %.2f s, at all %d after %.2f s\n",
            n + 1, (double) size / 1048576, (double) (taken - start) / 1e9,
            (double) (first - start) / 1e9, READERS,
            (double) (last - start) / 1e9);
    fflush (stdout);
    close (fd);
    buf_free (&data);
    buf_free (&reply);
}

/* CPU time that all of them have used, s. */
static double work_of (const struct bench *bench,
                       const struct bench_agent *agents) {
    double out = 0;
    for (int i = -1; i <= READERS; i++) {
        char path[64];
        unsigned long user = 0, system = 0;
        snprintf (path, sizeof path, "/proc/%d/stat",
                  (int) (i < 0 ? bench->pid : agents[i].pid));
        FILE *file = fopen (path, "r");
        if (!file
            || fscanf (file,
                       "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
                       " %lu %lu",
                       &user, &system)
                   != 2)
            bench_fail ("no %s", path);
        fclose (file);
        out += (double) (user + system) / (double) sysconf (_SC_CLK_TCK);
    }
    return out;
}

static long rss_kib (pid_t pid) {
    char path[64], line[256];
    long out = 0;
    snprintf (path, sizeof path, "/proc/%d/status", (int) pid);
    FILE *file = fopen (path, "r");
    while (file && fgets (line, sizeof line, file))
        if (sscanf (line, "VmHWM: %ld", &out) == 1)
            break;
    if (file)
        fclose (file);
    return out;
}

static long file_kib (const char *folder, const char *name) {
    char path[600];
    snprintf (path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen (path, "r");
    if (!file)
        return 0;
    fseek (file, 0, SEEK_END);
    long out = ftell (file) / 1024;
    fclose (file);
    return out;
}

static void sizes_print (struct bench *bench, const char *who, pid_t pid,
                         int delegation) {
    char folder[300];
    snprintf (folder, sizeof folder, "%s/agent%d", bench->dir, delegation);
    printf ("%s: store %ld MiB, its log %ld MiB, memory at most %ld MiB\n", who,
            file_kib (folder, "store.db") / 1024,
            file_kib (folder, "store.db-wal") / 1024, rss_kib (pid) / 1024);
}

int main (int argc, char **argv) {
    static const struct option options[] = {
        { "broker", required_argument, NULL, 'b' },
        { "agent", required_argument, NULL, 'a' },
        { "size", required_argument, NULL, 's' },
        { "files", required_argument, NULL, 'f' },
        { "alone", no_argument, NULL, 'q' },
        { 0 }
    };
    const char *broker = "broker/parley-broker", *agent = "agent/parley-agent";
    size_t size = 16777216;
    bool alone = false;
    int c, files = 3;
    while ((c = getopt_long (argc, argv, "", options, NULL)) != -1) {
        if (c == 'b')
            broker = optarg;
        else if (c == 'a')
            agent = optarg;
        else if (c == 's')
            size = strtoul (optarg, NULL, 10);
        else if (c == 'f')
            files = atoi (optarg);
        else if (c == 'q')
            alone = true;
        else
            return 2;
    }
    struct bench bench;
    struct bench_agent agents[READERS + 1];
    static struct stream streams[STREAMS];
    static struct hearing hearings[STREAMS][READERS];
    bench_begin (&bench, broker, "");
    for (int i = 0; i <= READERS; i++)
        bench_agent_begin (&bench, agent, i, &agents[i]);
    if (!alone) {
        stream_begin (&streams[0], &agents[1], agents + 1, "other",
                      hearings[0]);
        stream_begin (&streams[1], &agents[0], agents + 1, "own", hearings[1]);
        double before = work_of (&bench, agents);
        usleep (QUIET_US);
        printf ("without a file all programs together worked %.2f s in %d s\n",
                work_of (&bench, agents) - before, QUIET_US / 1000000);
    }
    for (int i = 0; i < STREAMS; i++)
        atomic_store (&streams[i].phase, 1);
    for (int i = 0; i < files; i++) {
        double before = work_of (&bench, agents);
        transfer (&agents[0], agents + 1, size, i);
        printf ("  all programs together worked %.2f s\n",
                work_of (&bench, agents) - before);
    }
    if (!alone) {
        for (int i = 0; i < STREAMS; i++)
            stream_end (&streams[i]);
        stream_print (&streams[0], "messages of another agent");
        stream_print (&streams[1], "messages of the sender's own agent");
    }
    sizes_print (&bench, "sender", agents[0].pid, 0);
    sizes_print (&bench, "a reader", agents[1].pid, 1);
    printf ("broker: memory at most %ld MiB\n", rss_kib (bench.pid) / 1024);
    for (int i = 0; i <= READERS; i++)
        bench_agent_end (&agents[i]);
    bench_end (&bench);
    return 0;
}
