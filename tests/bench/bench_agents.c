/* bench_agents - see the header. HTTP by hand: what is measured is the agent. */
#include "bench_agents.h"

#include "base/clock.h"
#include "base/disk.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_MS 30000

static pid_t run (const char *program, const char *word, const char *config,
                  const char *log) {
    pid_t pid = fork();
    if (pid)
        return pid;
    int fd = open (log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2 (fd, 1);
    dup2 (fd, 2);
    if (word)
        execl (program, program, word, "--config", config, NULL);
    else
        execl (program, program, "--config", config, NULL);
    _exit (127);
}

static void config_write (struct bench *bench, int delegation, const char *home,
                          const char *config) {
    char key[512], hex[HASH_TEXT_MAX];
    struct error e;
    snprintf (key, sizeof key, "%s/agent.key", home);
    bench_check (disk_make_dir (home, &e), &e, home);
    bench_check (identity_save (bench->delegation[delegation], key, &e), &e,
                 key);
    struct buf text = { 0 };
    buf_add_format (&text,
                    "agent\n    identity = \"agent.key\"\n"
                    "    dialogue = \"%s\"\n    roster = \"../roster.note\"\n"
                    "    store = \"store.db\"\n    socket = \"api.sock\"\n"
                    "    desk = \"%s\"\n    feed = \"%s\"\n",
                    hash_text (hex, roster_dialogue (bench->roster)),
                    bench->desk, bench->feed);
    bench_check (disk_write_file (config, buf_slice (&text), true, &e), &e,
                 config);
    buf_free (&text);
}

static void pause_ms (long ms) {
    struct timespec pause = { .tv_nsec = ms * 1000000 };
    nanosleep (&pause, NULL);
}

static int try_open (const char *path) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%.100s", path);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect (fd, (struct sockaddr *) &address, sizeof address) == 0)
        return fd;
    close (fd);
    return -1;
}

static void ready_wait (const struct bench_agent *self, const char *home) {
    struct buf reply = { 0 };
    for (int64_t end = clock_mono_ms() + READY_MS; clock_mono_ms() < end;) {
        int fd = try_open (self->socket);
        bool ready =
            fd >= 0
            && bench_api (fd, "GET", "/api/v1/status", "", &reply) == 200
            && strstr ((char *) reply.data, "\"ready\"");
        if (fd >= 0)
            close (fd);
        if (ready) {
            buf_free (&reply);
            return;
        }
        pause_ms (10);
    }
    bench_fail ("the agent is not ready; see %s/log", home);
}

void bench_agent_begin (struct bench *bench, const char *program,
                        int delegation, struct bench_agent *out) {
    char home[300], config[350], log[350];
    snprintf (home, sizeof home, "%s/agent%d", bench->dir, delegation);
    snprintf (config, sizeof config, "%s/agent.conf", home);
    snprintf (log, sizeof log, "%s/log", home);
    snprintf (out->socket, sizeof out->socket, "%.200s/agent%d/api.sock",
              bench->dir, delegation);
    config_write (bench, delegation, home, config);
    int status = 0;
    waitpid (run (program, "init", config, log), &status, 0);
    if (status != 0)
        bench_fail ("agent init failed; see %s", log);
    out->pid = run (program, NULL, config, log);
    ready_wait (out, home);
}

void bench_agent_end (struct bench_agent *self) {
    int status = 0;
    kill (self->pid, SIGTERM);
    waitpid (self->pid, &status, 0);
    if (status != 0)
        bench_fail ("an agent ended with %d", status);
}

/* HTTP */

int bench_api_open (const struct bench_agent *agent) {
    int fd = try_open (agent->socket);
    if (fd < 0)
        bench_fail ("no agent at %s", agent->socket);
    return fd;
}

static void write_all (int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write (fd, data, size);
        if (n <= 0)
            bench_fail ("an agent closed the connection");
        data += n;
        size -= (size_t) n;
    }
}

static void request_write (int fd, const char *method, const char *path,
                           const char *body) {
    struct buf text = { 0 };
    buf_add_format (&text, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method,
                    path);
    if (*body)
        buf_add_format (&text,
                        "Content-Type: application/json\r\n"
                        "Content-Length: %zu\r\n",
                        strlen (body));
    buf_add_format (&text, "\r\n%s", body);
    write_all (fd, (char *) text.data, text.size);
    buf_free (&text);
}

/* Reads until `end` stands in what came; *reply is a C string then. */
static char *read_until (int fd, struct buf *reply, const char *end) {
    for (;;) {
        buf_reserve (reply, 65537);
        reply->data[reply->size] = 0;
        char *found = strstr ((char *) reply->data, end);
        if (found)
            return found;
        ssize_t n = read (fd, reply->data + reply->size, 65536);
        if (n <= 0)
            bench_fail ("an agent closed the connection");
        reply->size += (size_t) n;
    }
}

static int reply_read (int fd, struct buf *reply) {
    size_t head =
        (size_t) (read_until (fd, reply, "\r\n\r\n") - (char *) reply->data)
        + 4;
    const char *length = strcasestr ((char *) reply->data, "content-length:");
    size_t size = length ? strtoul (length + 15, NULL, 10) : 0;
    int status = atoi ((char *) reply->data + 9);
    while (reply->size < head + size) {
        buf_reserve (reply, 65537);
        ssize_t n = read (fd, reply->data + reply->size, 65536);
        if (n <= 0)
            bench_fail ("an agent closed the connection");
        reply->size += (size_t) n;
    }
    memmove (reply->data, reply->data + head, reply->size - head);
    reply->size -= head;
    reply->data[reply->size] = 0;
    return status;
}

int bench_api (int fd, const char *method, const char *path, const char *body,
               struct buf *reply) {
    buf_clear (reply);
    request_write (fd, method, path, body);
    return reply_read (fd, reply);
}

int bench_api_octets (int fd, const char *path, struct slice octets,
                      struct buf *reply) {
    struct buf text = { 0 };
    buf_clear (reply);
    buf_add_format (&text,
                    "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                    "Content-Type: application/octet-stream\r\n"
                    "Content-Length: %zu\r\n\r\n",
                    path, octets.size);
    write_all (fd, (char *) text.data, text.size);
    write_all (fd, (const char *) octets.data, octets.size);
    buf_free (&text);
    return reply_read (fd, reply);
}

int bench_api_events (const struct bench_agent *agent, const char *path) {
    int fd = bench_api_open (agent);
    struct buf head = { 0 };
    request_write (fd, "GET", path, "");
    read_until (fd, &head, "\r\n\r\n");
    buf_free (&head);
    return fd;
}

void bench_api_event (int fd) {
    /* An event's data line is what follows; it is read with the next one. */
    static const char want[] = "event: record";
    size_t matched = 0;
    while (matched < sizeof want - 1) {
        char c;
        if (read (fd, &c, 1) != 1)
            bench_fail ("an agent closed its stream of events");
        if (c == want[matched])
            matched++;
        else
            matched = c == want[0];
    }
}

int64_t bench_json_int (const struct buf *json, const char *name) {
    char want[64];
    snprintf (want, sizeof want, "\"%s\":", name);
    const char *at = strstr ((char *) json->data, want);
    return at ? strtoll (at + strlen (want), NULL, 10) : -1;
}
