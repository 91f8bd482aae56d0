/* bench - what the benchmarks share (bench.h). One thread. */
#include "bench.h"

#include "base/clock.h"
#include "base/disk.h"
#include "identity/roster_write.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define REPLY_MS 30000

void bench_fail (const char *format, ...) {
    va_list args;
    va_start (args, format);
    fputs ("bench: ", stderr);
    vfprintf (stderr, format, args);
    fputc ('\n', stderr);
    va_end (args);
    exit (1);
}

void bench_check (enum err rc, const struct error *e, const char *what) {
    if (rc)
        bench_fail ("%s: %s", what, e->text);
}

static void path_of (const struct bench *self, const char *name,
                     char out[512]) {
    snprintf (out, 512, "%s/%s", self->dir, name);
}

static void file_put (const struct bench *self, const char *name,
                      struct slice octets) {
    char path[512];
    struct error e;
    path_of (self, name, path);
    bench_check (disk_write_file (path, octets, true, &e), &e, path);
}

static int witnesses;

void bench_witnesses (int count) {
    witnesses = count;
}

static void founding_write (struct buf *out) {
    buf_add_text (out,
                  "{\"name\":\"bench\",\"origin\":\"bench.example/1\","
                  "\"threshold\":1,\"root_signers\":[\"BENCH\"],"
                  "\"adhoc\":[\"role:member\"],\"entities\":[{\"id\":\"BENCH\","
                  "\"name\":\"Bench\",\"role\":\"member\",\"sector\":\"police\""
                  ",\"regions\":[\"001\"],\"delegations\":[");
    for (int i = 0; i < BENCH_DELEGATIONS; i++)
        buf_add_format (out, "%s{\"id\":\"%c\"}", i ? "," : "", 'a' + i);
    buf_add_text (out,
                  "]}],\"groups\":[],\"channels\":[{\"id\":\"" BENCH_CHANNEL
                  "\",\"title\":\"Bench\",\"readers\":[\"role:member\"],"
                  "\"writers\":[\"role:member\"]}],\"witnesses\":[");
    for (int i = 0; i < witnesses; i++)
        buf_add_format (out, "%s\"BENCH/%c\"", i ? "," : "", 'b' + i);
    buf_add_format (out, "],\"quorum\":%d", witnesses ? witnesses / 2 + 1 : 0);
    buf_add_text (out, ",\"limits\":{"
                       "\"messages_a_minute\":1000000000000,"
                       "\"octets_a_minute\":1000000000000000,"
                       "\"connections\":64,\"requests_outstanding\":1024,"
                       "\"lanes_a_day\":1024}}");
}

static void card_of (const struct identity *identity, struct card *out) {
    struct buf octets = { 0 };
    struct error e;
    bench_check (card_write (identity, &octets, &e), &e, "card");
    bench_check (card_read (buf_slice (&octets), out, &e), &e, "card");
    buf_free (&octets);
}

static void roster_make (struct bench *self) {
    struct error e;
    struct card *cards = mem_alloc ((BENCH_DELEGATIONS + 1) * sizeof *cards);
    for (int i = 0; i < BENCH_DELEGATIONS; i++) {
        char name[] = "BENCH/a";
        name[6] = (char) ('a' + i);
        self->delegation[i] = identity_new (IDENTITY_DELEGATION, name, &e);
        card_of (self->delegation[i], &cards[i]);
    }
    struct identity *root = identity_new (IDENTITY_ROOT, "BENCH/root", &e);
    card_of (root, &cards[BENCH_DELEGATIONS]);
    self->broker = identity_new (IDENTITY_BROKER, "bench", &e);
    struct buf founding = { 0 }, json = { 0 }, text = { 0 }, warn = { 0 };
    struct buf line = { 0 }, note = { 0 };
    struct broker_public public;
    uint8_t nonce[32];
    founding_write (&founding);
    broker_public_write (self->broker, "tcp://127.0.0.1:7411",
                         "tcp://127.0.0.1:7412", &json);
    bench_check (broker_public_read (buf_slice (&json), &public, &e), &e,
                 "broker");
    randombytes_buf (nonce, sizeof nonce);
    bench_check (roster_draft_first (buf_slice (&founding), cards,
                                     BENCH_DELEGATIONS + 1, &public, 1, nonce,
                                     &text, &warn, &e),
                 &e, "roster");
    note_begin (&note, buf_slice (&text));
    bench_check (note_sign (root, buf_slice (&text), &line, &e), &e, "sign");
    buf_add_slice (&note, buf_slice (&line));
    file_put (self, "roster.note", buf_slice (&note));
    self->roster = roster_read (buf_slice (&note), &e);
    if (!self->roster)
        bench_fail ("%s", e.text);
    identity_destroy (&root);
    buf_free (&founding);
    buf_free (&json);
    buf_free (&text);
    buf_free (&warn);
    buf_free (&line);
    buf_free (&note);
    free (cards);
}

static pid_t run (const struct bench *self, const char *program,
                  const char *word) {
    char config[512], log[512];
    path_of (self, "broker.conf", config);
    path_of (self, "log", log);
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

static void ready_wait (struct bench *self) {
    char path[512];
    path_of (self, "ready", path);
    for (int64_t end = clock_mono_ms() + REPLY_MS; clock_mono_ms() < end;) {
        FILE *file = fopen (path, "r");
        bool fine =
            file && fscanf (file, "%255s %255s", self->desk, self->feed) == 2;
        if (file)
            fclose (file);
        if (fine)
            return;
        struct timespec pause = { .tv_nsec = 10000000 };
        nanosleep (&pause, NULL);
    }
    bench_fail ("the broker did not start; see %s/log", self->dir);
}

void bench_dialogue (struct bench *self) {
    *self = (struct bench){ 0 };
    const char *base = getenv ("BENCH_DIR");
    snprintf (self->dir, sizeof self->dir, "%s/parley-bench.XXXXXX",
              base ? base : "/var/tmp"); /* a disk, where /tmp may be memory */
    if (!mkdtemp (self->dir))
        bench_fail ("no folder %s", self->dir);
    roster_make (self);
}

void bench_begin (struct bench *self, const char *program, const char *extra) {
    char path[512];
    struct error e;
    bench_dialogue (self);
    path_of (self, "broker.key", path);
    bench_check (identity_save (self->broker, path, &e), &e, path);
    struct buf config = { 0 };
    buf_add_format (&config,
                    "broker\n    state = \"state\"\n"
                    "    identity = \"broker.key\"\n"
                    "    roster = \"roster.note\"\n"
                    "    desk = \"tcp://127.0.0.1:*\"\n"
                    "    feed = \"tcp://127.0.0.1:*\"\n"
                    "    ready-file = \"ready\"\n    keep-free = 0\n%s",
                    extra);
    file_put (self, "broker.conf", buf_slice (&config));
    buf_free (&config);
    int status = 0;
    waitpid (run (self, program, "init"), &status, 0);
    if (status != 0)
        bench_fail ("init failed; see %s/log", self->dir);
    self->pid = run (self, program, NULL);
    ready_wait (self);
    self->context = zmq_ctx_new();
}

void bench_stop_broker (struct bench *self) {
    int status = 0;
    if (self->pid <= 0)
        return;
    kill (self->pid, SIGTERM);
    waitpid (self->pid, &status, 0);
    if (status != 0)
        bench_fail ("the broker ended with %d; see %s/log", status, self->dir);
    self->pid = 0;
}

void bench_end (struct bench *self) {
    if (self->context)
        zmq_ctx_term (self->context);
    bench_stop_broker (self);
    for (int i = 0; i < BENCH_DELEGATIONS; i++)
        identity_destroy (&self->delegation[i]);
    identity_destroy (&self->broker);
    roster_unref (&self->roster);
    char command[512];
    snprintf (command, sizeof command, "rm -rf '%s'", self->dir);
    if (system (command) != 0)
        fprintf (stderr, "bench: %s is left\n", self->dir);
}

int64_t bench_broker_work (const struct bench *self) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid (self->pid, &clock) != 0
        || clock_gettime (clock, &t) != 0)
        bench_fail ("no CPU time of the broker");
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The desk */

static void hello_say (struct bench *self, struct bench_link *link) {
    struct wire_hello *hello = mem_alloc (sizeof *hello);
    hello->lowest = hello->highest = WIRE_VERSION;
    hello->program = slice_text ("bench");
    randombytes_buf (hello->nonce, sizeof hello->nonce);
    hello->time = clock_wall_ms();
    hello->roster_version = roster_version (self->roster);
    hello->roster_digest = *roster_digest (self->roster);
    struct buf frame = { 0 }, reply[2] = { { 0 } };
    wire_hello_write (&frame, hello);
    struct slice one = buf_slice (&frame);
    bench_send (link, WIRE_HELLO, &one, 1);
    int64_t id;
    struct error e;
    struct wire_welcome *welcome = mem_alloc (sizeof *welcome);
    if (bench_receive (link, &id, reply, 2) != 2)
        bench_fail ("no reply to hello");
    bench_check (wire_welcome_check (buf_slice (&reply[0]),
                                     buf_slice (&reply[1]), self->roster, -1,
                                     &e),
                 &e, "hello");
    bench_check (wire_welcome_read (buf_slice (&reply[0]), welcome, &e), &e,
                 "hello");
    memcpy (link->run, welcome->run, RUN_SIZE);
    buf_free (&frame);
    buf_free (&reply[0]);
    buf_free (&reply[1]);
    free (hello);
    free (welcome);
}

void bench_connect (struct bench *self, int delegation,
                    struct bench_link *out) {
    *out = (struct bench_link){ .identity = self->delegation[delegation] };
    struct sock_keys keys;
    struct error e;
    identity_curve (out->identity, keys.public_key, keys.secret_key);
    memcpy (keys.server_key, identity_public (self->broker, KEY_BROKER_LINK),
            KEY_SIZE);
    struct sock_options options = { .keys = &keys,
                                    .send_queue = 1024,
                                    .receive_queue = 1024 };
    out->socket = sock_new (self->context, SOCK_DESK_CLIENT, &options, &e);
    if (!out->socket)
        bench_fail ("%s", e.text);
    bench_check (sock_connect (out->socket, self->desk, &e), &e, "connect");
    hello_say (self, out);
}

void bench_disconnect (struct bench_link *self) {
    sock_close (&self->socket);
}

void bench_send (struct bench_link *self, int type, const struct slice *frames,
                 size_t count) {
    struct wire_head head = { .type = type,
                              .id = ++self->request,
                              .has_run = type != WIRE_HELLO };
    memcpy (head.run, self->run, RUN_SIZE);
    struct buf first = { 0 };
    wire_head_write (&first, &head);
    int more = count > 0 ? ZMQ_SNDMORE : 0;
    if (zmq_send (self->socket, first.data, first.size, more) < 0)
        bench_fail ("send: %s", zmq_strerror (zmq_errno()));
    for (size_t i = 0; i < count; i++)
        if (zmq_send (self->socket, frames[i].data, frames[i].size,
                      i + 1 < count ? ZMQ_SNDMORE : 0)
            < 0)
            bench_fail ("send: %s", zmq_strerror (zmq_errno()));
    buf_free (&first);
}

size_t bench_receive (struct bench_link *self, int64_t *id, struct buf *frames,
                      size_t room) {
    zmq_pollitem_t item = { .socket = self->socket, .events = ZMQ_POLLIN };
    if (zmq_poll (&item, 1, REPLY_MS) <= 0)
        bench_fail ("no reply in %d s", REPLY_MS / 1000);
    struct wire_head head = { 0 };
    size_t count = 0;
    for (bool more = true, first = true; more; first = false) {
        zmq_msg_t msg;
        zmq_msg_init (&msg);
        if (zmq_msg_recv (&msg, self->socket, 0) < 0)
            bench_fail ("receive: %s", zmq_strerror (zmq_errno()));
        struct slice s = slice_of (zmq_msg_data (&msg), zmq_msg_size (&msg));
        struct error e;
        if (first) {
            bench_check (wire_head_read (s, &head, &e), &e, "reply");
        } else if (count < room) {
            buf_clear (&frames[count]);
            buf_add_slice (&frames[count++], s);
        }
        more = zmq_msg_more (&msg) != 0;
        zmq_msg_close (&msg);
    }
    if (head.type == WIRE_ERROR) {
        struct refusal why;
        struct slice text;
        struct error e;
        char line[REFUSAL_TEXT_MAX];
        bench_check (wire_error_read (buf_slice (&frames[0]), &why, &text, &e),
                     &e, "error reply");
        bench_fail ("the broker says %s", refusal_print (&why, line));
    }
    *id = head.id;
    return count;
}

/* Batches */

void bench_batch (struct bench *self, int delegation, uint64_t lane,
                  int64_t number, size_t count, size_t size,
                  struct bench_batch *out) {
    *out = (struct bench_batch){ .count = count };
    const struct identity *author = self->delegation[delegation];
    struct buf *bodies = mem_alloc (count * sizeof *bodies);
    struct buf *headers = mem_alloc (count * sizeof *headers);
    struct batch_part *parts = mem_alloc (count * sizeof *parts);
    uint8_t *content = mem_alloc (size);
    struct error e;
    for (size_t i = 0; i < count; i++) {
        struct message_draft draft = {
            .dialogue = roster_dialogue (self->roster),
            .author = identity_name (author),
            .key_id = identity_key_id (author, LABEL_BATCH),
            .roster_version = roster_version (self->roster),
            .lane = lane,
            .number = number + (int64_t) i,
            .author_time = clock_wall_ms(),
            .topic = slice_text (BENCH_CHANNEL "/load/BENCH"),
            .body_format = BODY_OCTETS
        };
        randombytes_buf (content, size);
        bench_check (message_write_body (BODY_OCTETS, slice_of (content, size),
                                         &bodies[i], &e),
                     &e, "body");
        bench_check (message_write_header (&draft, buf_slice (&bodies[i]),
                                           &headers[i], &e),
                     &e, "header");
        parts[i].header = buf_slice (&headers[i]);
        parts[i].body = buf_slice (&bodies[i]);
        out->ids[i] = hash_leaf (parts[i].header);
    }
    bench_check (batch_write (author, roster_dialogue (self->roster),
                              slice_text (BENCH_CHANNEL), parts, count,
                              &out->head, &out->headers, &out->bodies, &e),
                 &e, "batch");
    for (size_t i = 0; i < count; i++) {
        buf_free (&bodies[i]);
        buf_free (&headers[i]);
    }
    free (bodies);
    free (headers);
    free (parts);
    free (content);
}

void bench_batch_free (struct bench_batch *self) {
    buf_free (&self->head);
    buf_free (&self->headers);
    buf_free (&self->bodies);
}

/* Figures */

static int compare (const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

int64_t bench_percentile (int64_t *values, size_t count, double p) {
    qsort (values, count, sizeof *values, compare);
    size_t at = (size_t) (p * (double) (count - 1) + 0.5);
    return values[at];
}

struct bench_raw {
    int fd;
    uint64_t at;
    struct buf octets;
};

struct bench_raw *bench_raw_open (struct bench *self, size_t size) {
    struct bench_raw *raw = mem_alloc (sizeof *raw);
    char path[512];
    struct error e;
    path_of (self, "raw", path);
    raw->fd = disk_open (path, DISK_WRITE | DISK_CREATE, &e);
    if (raw->fd < 0)
        bench_fail ("%s", e.text);
    randombytes_buf (buf_extend (&raw->octets, size), size);
    return raw;
}

int64_t bench_raw_sync (struct bench_raw *self) {
    struct error e;
    int64_t start = clock_mono_ns();
    bench_check (
        disk_write_at (self->fd, buf_slice (&self->octets), self->at, &e), &e,
        "write");
    bench_check (disk_sync (self->fd, &e), &e, "sync");
    self->at += self->octets.size;
    return clock_mono_ns() - start;
}

void bench_raw_close (struct bench_raw **self_p) {
    disk_close (&(*self_p)->fd);
    buf_free (&(*self_p)->octets);
    free (*self_p);
    *self_p = NULL;
}
