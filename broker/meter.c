/* meter - cuts off who sends a message that does not end. */
#include "meter.h"

#include "base/buf.h"
#include "base/log.h"
#include "cut.h"

#include <dirent.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 250
/* Heartbeats of a connection on which nothing is said, each time. */
#define LOOK_OCTETS 16
#define DESCRIPTORS_MAX 1048576

struct connection {
    atomic_bool seen; /* a message of it was read since the last look */
    uint64_t cookie;  /* the kernel's number of the socket, never used again */
    uint64_t base;    /* octets received, that are no matter any more */
};

struct meter {
    uint16_t ports[2];
    int stop_fd;
    pthread_t thread;
    atomic_llong cuts;
    struct connection *connections; /* by descriptor; owned */
    size_t count;
};

static bool is_ours (const struct meter *self, int fd) {
    uint16_t port = cut_local_port (fd);
    return port != 0 && (port == self->ports[0] || port == self->ports[1]);
}

/* What came by this connection since its last whole message. */
static uint64_t unread (struct connection *c, int fd) {
    struct tcp_info info = { 0 };
    uint64_t cookie;
    socklen_t size = sizeof cookie;
    if (getsockopt (fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0)
        return 0;
    size = sizeof info;
    if (getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return 0;
    uint64_t received = info.tcpi_bytes_received;
    if (cookie != c->cookie)
        c->base = 0;
    c->cookie = cookie;
    c->base += LOOK_OCTETS;
    if (atomic_exchange (&c->seen, false) || c->base > received)
        c->base = received;
    return received - c->base;
}

static void cut (struct meter *self, int fd, uint64_t octets) {
    bool done = shutdown (fd, SHUT_RDWR) == 0;
    atomic_fetch_add (&self->cuts, 1);
    log_limited (LOG_WARN, "METER-CUT", "",
                 "octets=%llu shut=%d why=\"its message does not end\"",
                 (unsigned long long) octets, done);
}

static void look (struct meter *self) {
    DIR *dir = opendir ("/proc/self/fd");
    if (!dir)
        return; /* no descriptor is left: nothing new can come either */
    uint64_t all = 0, most = 0;
    int worst = -1;
    for (struct dirent *one; (one = readdir (dir)) != NULL;) {
        size_t fd = strtoul (one->d_name, NULL, 10);
        if (fd >= self->count || !is_ours (self, (int) fd))
            continue;
        uint64_t octets = unread (&self->connections[fd], (int) fd);
        all += octets;
        if (octets > most) {
            most = octets;
            worst = (int) fd;
        }
    }
    closedir (dir);
    if (worst >= 0 && (most > METER_MAX || all > METER_ALL_MAX))
        cut (self, worst, most);
}

static void *meter_run (void *arg) {
    struct meter *self = arg;
    struct pollfd stop = { .fd = self->stop_fd, .events = POLLIN };
    while (poll (&stop, 1, LOOK_MS) <= 0)
        look (self);
    return NULL;
}

static size_t descriptors (void) {
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) != 0
        || limit.rlim_cur > DESCRIPTORS_MAX)
        return DESCRIPTORS_MAX;
    return limit.rlim_cur;
}

struct meter *meter_new (uint16_t desk, uint16_t feed, struct error *e) {
    struct meter *self = mem_alloc (sizeof *self);
    self->ports[0] = desk;
    self->ports[1] = feed;
    self->count = descriptors();
    self->connections = mem_alloc (self->count * sizeof *self->connections);
    self->stop_fd = eventfd (0, EFD_CLOEXEC);
    int rc = self->stop_fd < 0
                 ? errno
                 : pthread_create (&self->thread, NULL, meter_run, self);
    if (rc == 0)
        return self;
    error_sys (e, rc, "start the meter");
    if (self->stop_fd >= 0)
        close (self->stop_fd);
    free (self->connections);
    free (self);
    return NULL;
}

void meter_destroy (struct meter **self_p) {
    if (!self_p || !*self_p)
        return;
    struct meter *self = *self_p;
    *self_p = NULL;
    uint64_t one = 1;
    if (write (self->stop_fd, &one, sizeof one) != sizeof one)
        abort(); /* an eventfd of ours takes a 1 */
    pthread_join (self->thread, NULL);
    close (self->stop_fd);
    free (self->connections);
    free (self);
}

void meter_seen (struct meter *self, const zmq_msg_t *message) {
    int fd = self ? zmq_msg_get (message, ZMQ_SRCFD) : -1;
    if (fd >= 0 && (size_t) fd < self->count)
        atomic_store_explicit (&self->connections[fd].seen, true,
                               memory_order_relaxed);
}

int64_t meter_cuts (const struct meter *self) {
    return atomic_load (&self->cuts);
}
