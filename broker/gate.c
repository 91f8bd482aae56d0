/* gate - our own ZAP handler (ZeroMQ RFC 27; PROTOCOL.md section 3).
 *
 * One thread answers requests; every answer starts as "400" and earns its
 * "200". A ROUTER instead of a REP, so that an odd request is passed over and
 * can't put the socket out of step: libzmq then refuses that peer by time. */
#include "gate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "identity/rights.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#define ZAP_FRAMES 7 /* version .. credentials, behind the delimiter */
#define ZAP_FRAME_MAX 255
#define USER_SIZE 41 /* Z85 of 32 octets, and a NUL */
#define REFUSED_MAX 4096

/* A key that is refused for a time. */
struct ban {
    char domain[8];
    char user[USER_SIZE];
    int64_t until_ms; /* monotonic */
};

struct gate {
    struct state *state; /* borrowed */
    void *socket;
    int stop_fd;
    pthread_t thread;
    atomic_llong refused;

    pthread_mutex_t lock; /* over the bans */
    struct ban *bans;     /* owned */
    size_t ban_count;
};

struct zap_request {
    uint8_t route[ZAP_FRAME_MAX]; /* of the asking session inside libzmq */
    size_t route_size;
    char id[ZAP_FRAME_MAX + 1];
    size_t id_size;
    char domain[ZAP_FRAME_MAX + 1], address[ZAP_FRAME_MAX + 1];
    char mechanism[ZAP_FRAME_MAX + 1];
    uint8_t key[KEY_SIZE];
    bool has_key;
};

/* One frame, of at most `room` octets; *size is what it had. false: none. */
static bool frame_take (void *socket, void *out, size_t room, size_t *size,
                        bool *more) {
    int n = zmq_recv (socket, out, room, ZMQ_DONTWAIT);
    if (n < 0)
        return false;
    *size = (size_t) n;
    int flag = 0;
    size_t flag_size = sizeof flag;
    zmq_getsockopt (socket, ZMQ_RCVMORE, &flag, &flag_size);
    *more = flag != 0;
    return true;
}

/* A frame that is text; longer ones are no request of libzmq's. */
static bool text_take (void *socket, char out[ZAP_FRAME_MAX + 1], bool *more) {
    size_t size;
    if (!*more || !frame_take (socket, out, ZAP_FRAME_MAX, &size, more)
        || size > ZAP_FRAME_MAX)
        return false;
    out[size] = 0;
    return true;
}

static void rest_drop (void *socket, bool more) {
    uint8_t none[1];
    size_t size;
    while (more && frame_take (socket, none, sizeof none, &size, &more))
        continue;
}

/* route, "", "1.0", id, domain, address, identity, mechanism, key. */
static bool request_take (void *socket, struct zap_request *out) {
    bool more = false;
    size_t size = 0;
    char version[ZAP_FRAME_MAX + 1], text[ZAP_FRAME_MAX + 1];
    *out = (struct zap_request){ 0 };
    if (!frame_take (socket, out->route, sizeof out->route, &out->route_size,
                     &more))
        return false;
    bool fine = out->route_size <= sizeof out->route
                && text_take (socket, text, &more)
                && text_take (socket, version, &more)
                && text_take (socket, out->id, &more)
                && text_take (socket, out->domain, &more)
                && text_take (socket, out->address, &more)
                && text_take (socket, text, &more) /* a claim: not used */
                && text_take (socket, out->mechanism, &more)
                && strcmp (version, "1.0") == 0;
    out->id_size = strlen (out->id);
    if (fine && more) {
        uint8_t key[ZAP_FRAME_MAX];
        fine = frame_take (socket, key, sizeof key, &size, &more);
        out->has_key = fine && size == KEY_SIZE && !more;
        if (out->has_key)
            memcpy (out->key, key, KEY_SIZE);
    }
    rest_drop (socket, more);
    return fine;
}

static bool banned (struct gate *self, const char *domain, const char *user,
                    int64_t now_ms) {
    bool out = false;
    pthread_mutex_lock (&self->lock);
    for (size_t i = 0; i < self->ban_count;) {
        struct ban *ban = &self->bans[i];
        if (ban->until_ms <= now_ms) {
            *ban = self->bans[--self->ban_count];
            continue;
        }
        out = out
              || (strcmp (ban->domain, domain) == 0
                  && strcmp (ban->user, user) == 0);
        i++;
    }
    pthread_mutex_unlock (&self->lock);
    return out;
}

/* NULL where it may come in, otherwise why not. */
static const char *refusal_of (struct gate *self,
                               const struct zap_request *request,
                               const char *user) {
    bool desk = strcmp (request->domain, SOCK_ZAP_DESK) == 0;
    bool feed = strcmp (request->domain, SOCK_ZAP_FEED) == 0;
    if (!desk && !feed)
        return "unknown domain";
    if (strcmp (request->mechanism, "CURVE") != 0 || !request->has_key)
        return "mechanism is not CURVE";
    if (banned (self, request->domain, user, clock_mono_ms()))
        return "refused for a time";
    struct roster *roster = state_roster (self->state, NULL);
    bool listed = rights_link (roster, request->key, clock_wall_ms())
                  || (feed && roster_proxy_by_link (roster, request->key));
    roster_unref (&roster);
    return listed ? NULL : "no link key of the roster in force";
}

static void answer_send (void *socket, const struct zap_request *request,
                         const char *code, const char *text, const char *user) {
    const struct {
        const void *data;
        size_t size;
    } frames[] = {
        { request->route, request->route_size },
        { "", 0 },
        { "1.0", 3 },
        { request->id, request->id_size },
        { code, strlen (code) },
        { text, strlen (text) },
        { user, strlen (user) },
        { "", 0 },
    };
    const size_t count = sizeof frames / sizeof frames[0];
    for (size_t i = 0; i < count; i++)
        if (zmq_send (socket, frames[i].data, frames[i].size,
                      ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0))
            < 0)
            return; /* the session that asked is gone */
}

static void request_answer (struct gate *self) {
    struct zap_request request;
    char user[USER_SIZE] = "";
    if (!request_take (self->socket, &request))
        return;
    if (request.has_key)
        zmq_z85_encode (user, request.key, KEY_SIZE);
    const char *why = refusal_of (self, &request, user);
    if (!why) {
        answer_send (self->socket, &request, "200", "OK", user);
        return;
    }
    atomic_fetch_add (&self->refused, 1);
    log_limited (LOG_WARN, "GATE-REFUSED", request.address,
                 "domain=%s address=%s key=%s why=%s",
                 log_text (request.domain), log_text (request.address),
                 log_text (user), log_text (why));
    answer_send (self->socket, &request, "400", "No access", "");
}

static void *gate_run (void *arg) {
    struct gate *self = arg;
    zmq_pollitem_t items[] = {
        { .socket = self->socket, .events = ZMQ_POLLIN },
        { .fd = self->stop_fd, .events = ZMQ_POLLIN },
    };
    while (!items[1].revents) {
        if (zmq_poll (items, 2, -1) < 0 && errno != EINTR)
            break; /* the context ends */
        if (items[0].revents)
            request_answer (self);
    }
    return NULL;
}

struct gate *gate_new (struct state *state, void *context, struct error *e) {
    void *socket = sock_zap_new (context, e);
    if (!socket)
        return NULL;
    struct gate *self = mem_alloc (sizeof *self);
    self->state = state;
    self->socket = socket;
    self->bans = mem_alloc (REFUSED_MAX * sizeof *self->bans);
    pthread_mutex_init (&self->lock, NULL);
    self->stop_fd = eventfd (0, EFD_CLOEXEC);
    int rc = self->stop_fd < 0
                 ? errno
                 : pthread_create (&self->thread, NULL, gate_run, self);
    if (rc == 0)
        return self;
    error_sys (e, rc, "start the gate");
    if (self->stop_fd >= 0)
        close (self->stop_fd);
    sock_close (&self->socket);
    free (self->bans);
    free (self);
    return NULL;
}

void gate_destroy (struct gate **self_p) {
    if (!self_p || !*self_p)
        return;
    struct gate *self = *self_p;
    *self_p = NULL;
    uint64_t one = 1;
    if (write (self->stop_fd, &one, sizeof one) != sizeof one)
        abort(); /* an eventfd of ours takes a 1 */
    pthread_join (self->thread, NULL);
    sock_close (&self->socket);
    close (self->stop_fd);
    pthread_mutex_destroy (&self->lock);
    free (self->bans);
    free (self);
}

/* Under the lock. One for each key and domain, however often it offends: a
 * flood must not push the others out. Only listed keys come here, 1,024 at most
 * and in two domains: full means that rosters changed a lot in a minute. The
 * last one gives way. */
static struct ban *ban_get (struct gate *self, const char *domain,
                            const char *user) {
    for (size_t i = 0; i < self->ban_count; i++)
        if (strcmp (self->bans[i].domain, domain) == 0
            && strcmp (self->bans[i].user, user) == 0)
            return &self->bans[i];
    if (self->ban_count == REFUSED_MAX)
        self->ban_count--;
    struct ban *made = &self->bans[self->ban_count++];
    strcpy (made->domain, domain);
    strcpy (made->user, user);
    return made;
}

void gate_refuse (struct gate *self, const char *domain, const char *user,
                  int64_t ms) {
    assert (strlen (domain) < sizeof self->bans->domain);
    if (strlen (user) >= USER_SIZE)
        return; /* no key's Z85 */
    pthread_mutex_lock (&self->lock);
    ban_get (self, domain, user)->until_ms = clock_mono_ms() + ms;
    pthread_mutex_unlock (&self->lock);
}

int64_t gate_refused (const struct gate *self) {
    return atomic_load (&self->refused);
}
