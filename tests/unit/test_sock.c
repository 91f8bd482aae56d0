/* Sockets over loopback: who gets in, what is too large, and that a peer that
 * is not there is an error. Waits on events, with a deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/sock.h"

#define DEADLINE_MS 20000 /* far above what is needed, also under ASan */
#define ZAP_ADDRESS "inproc://zeromq.zap.01"

struct world {
    void *context;
    void *sockets[8];    /* what is still open, so that a failed test can end */
    void *zap;           /* NULL: no handler */
    char zap_domain[64]; /* of the last request */
    struct sock_keys server; /* its server_key is unused */
    struct sock_keys member; /* whom the handler lets in */
    struct sock_keys stranger;
    char endpoint[256];
};

static void keys_make (struct sock_keys *keys, const uint8_t *server) {
    assert_int_equal (crypto_box_keypair (keys->public_key, keys->secret_key),
                      0);
    if (server)
        memcpy (keys->server_key, server, 32);
}

static void *keep (struct world *w, void *socket) {
    assert_non_null (socket);
    size_t i = 0;
    while (w->sockets[i])
        assert_true (++i < sizeof w->sockets / sizeof *w->sockets);
    return w->sockets[i] = socket;
}

static void drop (struct world *w, void *socket) {
    size_t i = 0;
    while (w->sockets[i] != socket)
        assert_true (++i < sizeof w->sockets / sizeof *w->sockets);
    sock_close (&w->sockets[i]);
    assert_null (w->sockets[i]);
}

static int world_make (void **state) {
    struct world *w = mem_alloc (sizeof *w);
    w->context = zmq_ctx_new();
    w->zap = keep (w, zmq_socket (w->context, ZMQ_REP));
    assert_int_equal (zmq_bind (w->zap, ZAP_ADDRESS), 0);
    keys_make (&w->server, NULL);
    keys_make (&w->member, w->server.public_key);
    keys_make (&w->stranger, w->server.public_key);
    *state = w;
    return 0;
}

static int world_end (void **state) {
    struct world *w = *state;
    size_t count = sizeof w->sockets / sizeof *w->sockets;
    for (size_t i = 0; i < count; i++) /* as unwatched_drop */
        if (w->sockets[i])
            (void) zmq_socket_monitor (w->sockets[i], NULL, 0);
    for (size_t i = 0; i < count; i++)
        sock_close (&w->sockets[i]);
    zmq_ctx_term (w->context);
    free (w);
    return 0;
}

static int64_t option (void *socket, int name) {
    union {
        int i;
        int64_t l;
    } value = { .l = 0 };
    size_t size = name == ZMQ_MAXMSGSIZE ? sizeof value.l : sizeof value.i;
    assert_int_equal (zmq_getsockopt (socket, name, &value, &size), 0);
    return size == sizeof value.l ? value.l : value.i;
}

static void *make (struct world *w, enum sock_kind kind,
                   const struct sock_keys *keys) {
    struct sock_options options = { .keys = keys };
    struct error e = { 0 };
    void *socket = sock_new (w->context, kind, &options, &e);
    if (!socket)
        fail_msg ("%s", e.text);
    return keep (w, socket);
}

static void *serve (struct world *w, enum sock_kind kind) {
    void *socket = make (w, kind, &w->server);
    assert_int_equal (sock_bind (socket, "tcp://127.0.0.1:*", w->endpoint,
                                 sizeof w->endpoint, NULL),
                      0);
    return socket;
}

static void *reach (struct world *w, enum sock_kind kind,
                    const struct sock_keys *keys) {
    void *socket = make (w, kind, keys);
    assert_int_equal (sock_connect (socket, w->endpoint, NULL), 0);
    return socket;
}

/* Answer one ZAP request (RFC 27): the member gets in, nobody else. */
static void zap_answer (struct world *w) {
    enum { VERSION, ID, DOMAIN, ADDRESS, ROUTING, MECHANISM, KEY, FRAMES };
    char frames[FRAMES][256];
    int sizes[FRAMES];
    for (int i = 0; i < FRAMES; i++) {
        sizes[i] = zmq_recv (w->zap, frames[i], sizeof frames[i], 0);
        assert_in_range (sizes[i], 0, sizeof frames[i] - 1);
    }
    assert_false (option (w->zap, ZMQ_RCVMORE));
    frames[DOMAIN][sizes[DOMAIN]] = '\0';
    strcpy (w->zap_domain, frames[DOMAIN]);
    bool known =
        sizes[KEY] == 32 && memcmp (frames[KEY], w->member.public_key, 32) == 0;
    const char *code = known ? "200" : "400";
    zmq_send (w->zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send (w->zap, frames[ID], (size_t) sizes[ID], ZMQ_SNDMORE);
    zmq_send (w->zap, code, 3, ZMQ_SNDMORE);
    zmq_send (w->zap, "", 0, ZMQ_SNDMORE);
    zmq_send (w->zap, known ? "member" : "", known ? 6 : 0, ZMQ_SNDMORE);
    zmq_send (w->zap, "", 0, 0);
}

/* Answer ZAP until `socket` can be read (or written). */
static void await (struct world *w, void *socket, short events) {
    int64_t end = clock_mono_ms() + DEADLINE_MS;
    for (;;) {
        zmq_pollitem_t items[] = {
            { .socket = socket, .events = events },
            { .socket = w->zap, .events = ZMQ_POLLIN },
        };
        int64_t left = end - clock_mono_ms();
        if (left < 0)
            fail_msg ("nothing in %d ms", DEADLINE_MS);
        assert_true (zmq_poll (items, w->zap ? 2 : 1, left) >= 0);
        if (items[0].revents)
            return;
        if (w->zap && items[1].revents)
            zap_answer (w);
    }
}

#define WATCHED                                                                \
    (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH           \
     | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL                                     \
     | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED)

static void *watch (struct world *w, void *socket) {
    static int number;
    char address[32];
    snprintf (address, sizeof address, "inproc://monitor-%d", number++);
    assert_int_equal (zmq_socket_monitor (socket, address, WATCHED), 0);
    void *monitor = keep (w, zmq_socket (w->context, ZMQ_PAIR));
    assert_int_equal (zmq_connect (monitor, address), 0);
    return monitor;
}

/* Stopped before either end is closed, or libzmq's thread waits for ever to tell
 * somebody who has left. */
static void unwatched_drop (struct world *w, void *socket, void *monitor) {
    assert_int_equal (zmq_socket_monitor (socket, NULL, 0), 0);
    drop (w, socket);
    drop (w, monitor);
}

static int next_event (struct world *w, void *monitor) {
    await (w, monitor, ZMQ_POLLIN);
    uint8_t frame[6];
    char address[256];
    assert_int_equal (zmq_recv (monitor, frame, sizeof frame, 0), 6);
    assert_true (zmq_recv (monitor, address, sizeof address, 0) >= 0);
    uint16_t event;
    memcpy (&event, frame, sizeof event);
    return event;
}

/* How the first handshake of `socket` as a server ends. */
static int handshake (struct world *w, enum sock_kind server,
                      enum sock_kind client, const struct sock_keys *keys) {
    void *socket = serve (w, server);
    void *monitor = watch (w, socket);
    void *peer = reach (w, client, keys);
    int event = next_event (w, monitor);
    drop (w, peer);
    unwatched_drop (w, socket, monitor);
    return event;
}

static void test_bad_arguments (void **state) {
    struct world *w = *state;
    struct sock_keys zeros = { 0 }, mixed = w->member, deaf = w->member;
    mixed.public_key[0] ^= 1;
    memset (deaf.server_key, 0, 32);
    const struct {
        enum sock_kind kind;
        struct sock_options options;
        enum err code;
        const char *what;
    } cases[] = {
        { SOCK_DESK, { 0 }, ERR_ARGUMENT, "without keys" },
        { (enum sock_kind) 4, { .keys = &w->member }, ERR_ARGUMENT, "kind 4" },
        { SOCK_DESK, { .keys = &zeros }, ERR_KEY, "public link key" },
        { SOCK_DESK, { .keys = &mixed }, ERR_KEY, "public link key" },
        { SOCK_DESK_CLIENT, { .keys = &deaf }, ERR_KEY, "to expect" },
        { SOCK_FEED_CLIENT, { .keys = &deaf }, ERR_KEY, "to expect" },
        { SOCK_DESK,
          { .keys = &w->server, .source = "127.0.0.1" },
          ERR_ARGUMENT,
          "for a client" },
        { SOCK_DESK_CLIENT,
          { .keys = &w->member, .source = "localhost" },
          ERR_ARGUMENT,
          "source \"localhost\"" },
        { SOCK_DESK,
          { .keys = &w->server, .max_message = -1 },
          ERR_ARGUMENT,
          "below 0" },
        { SOCK_DESK,
          { .keys = &w->server, .send_queue = -1 },
          ERR_ARGUMENT,
          "below 0" },
        { SOCK_DESK,
          { .keys = &w->server, .receive_queue = -1 },
          ERR_ARGUMENT,
          "below 0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error e = { 0 };
        assert_null (
            sock_new (w->context, cases[i].kind, &cases[i].options, &e));
        assert_int_equal (e.code, cases[i].code);
        if (!strstr (e.text, cases[i].what))
            fail_msg ("\"%s\" does not say \"%s\"", e.text, cases[i].what);
        assert_null (
            sock_new (w->context, cases[i].kind, &cases[i].options, NULL));
    }
    struct error e;
    assert_null (sock_new (w->context, SOCK_DESK, NULL, &e));
    struct sock_options options = { .keys = &w->server };
    assert_null (sock_new (NULL, SOCK_DESK, &options, &e));
    assert_int_equal (e.code, ERR_IO);
    void *none = NULL;
    sock_close (&none);
}

static void test_endpoints (void **state) {
    (void) state;
    static const struct {
        const char *endpoint;
        bool connect, bind;
    } cases[] = {
        { NULL, false, false },
        { "", false, false },
        { "tcp://", false, false },
        { "tcp:", false, false },
        { "inproc://a:1", false, false },
        { "ipc:///tmp/a:1", false, false },
        { "udp://127.0.0.1:1", false, false },
        { "TCP://127.0.0.1:1", false, false },
        { " tcp://127.0.0.1:1", false, false },
        { "tcp://127.0.0.1", false, false },
        { "tcp://127.0.0.1:", false, false },
        { "tcp://127.0.0.1:1 ", false, false },
        { "tcp://127.0.0.1:01", false, false },
        { "tcp://127.0.0.1:+1", false, false },
        { "tcp://127.0.0.1:65536", false, false },
        { "tcp://127.0.0.1:100000", false, false },
        { "tcp://127.0.0.1:http", false, false },
        { "tcp://:1", false, false },
        { "tcp://127.0.0.2:0;127.0.0.1:1", false, false },
        { "tcp://256.0.0.1:1", false, false },
        { "tcp://1.2.3:1", false, false },
        { "tcp://::1:1", false, false },
        { "tcp://[::1:1", false, false },
        { "tcp://[]:1", false, false },
        { "tcp://[127.0.0.1]:1", false, false },
        { "tcp://[::g]:1", false, false },
        { "tcp://a..b:1", false, false },
        { "tcp://a.:1", false, false },
        { "tcp://-a:1", false, false },
        { "tcp://a-:1", false, false },
        { "tcp://a b:1", false, false },
        { "tcp://a/b:1", false, false },
        { "tcp://caf\xc3\xa9:1", false, false },
        { "tcp://*.a:1", false, false },
        { "tcp://*:1", false, true },
        { "tcp://*:*", false, true },
        { "tcp://*:0", false, true },
        { "tcp://127.0.0.1:0", false, true },
        { "tcp://[::]:*", false, true },
        { "tcp://127.0.0.1:1", true, true },
        { "tcp://127.0.0.1:65535", true, true },
        { "tcp://[::1]:7001", true, true },
        { "tcp://[2001:db8::192.0.2.1]:7001", true, true },
        { "tcp://localhost:7001", true, true },
        { "tcp://bus.example.org:7001", true, true },
        { "tcp://parley_broker-1.x:7001", true, true },
        { "tcp://1.example:7001", true, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error e = { 0 };
        enum err err = sock_endpoint_check (cases[i].endpoint, &e);
        if ((err == 0) != cases[i].connect || err != e.code)
            fail_msg ("connect %s: %s", cases[i].endpoint, e.text);
        e.code = 0;
        err = sock_bind_check (cases[i].endpoint, &e);
        if ((err == 0) != cases[i].bind || err != e.code)
            fail_msg ("bind %s: %s", cases[i].endpoint, e.text);
    }
    char endpoint[400] = "tcp://";
    memset (endpoint + 6, 'a', 63);
    strcpy (endpoint + 69, ":1");
    assert_int_equal (sock_endpoint_check (endpoint, NULL), 0);
    strcpy (endpoint + 69, "a:1");
    assert_int_equal (sock_endpoint_check (endpoint, NULL), ERR_MALFORMED);
    memset (endpoint + 6, '1', 254);
    strcpy (endpoint + 260, ":1");
    assert_int_equal (sock_endpoint_check (endpoint, NULL), ERR_LIMIT);
}

static void test_options (void **state) {
    struct world *w = *state;
    static const struct {
        enum sock_kind kind;
        int type;
        int64_t message, reconnect;
    } cases[] = {
        { SOCK_DESK, ZMQ_ROUTER, 1114112, 100 },
        { SOCK_DESK_CLIENT, ZMQ_DEALER, 1310720, 500 },
        { SOCK_FEED, ZMQ_XPUB, 512, 100 },
        { SOCK_FEED_CLIENT, ZMQ_SUB, 1310720, SOCK_NEVER_MS },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *s = make (w, cases[i].kind, &w->member);
        assert_int_equal (option (s, ZMQ_TYPE), cases[i].type);
        assert_int_equal (option (s, ZMQ_MECHANISM), ZMQ_CURVE);
        assert_int_equal (option (s, ZMQ_MAXMSGSIZE), cases[i].message + 33);
        assert_int_equal (option (s, ZMQ_RECONNECT_IVL), cases[i].reconnect);
        assert_int_equal (option (s, ZMQ_LINGER), 0);
        assert_int_equal (option (s, ZMQ_HANDSHAKE_IVL), SOCK_HANDSHAKE_MS);
        assert_int_equal (option (s, ZMQ_HEARTBEAT_IVL), SOCK_HEARTBEAT_MS);
        assert_int_equal (option (s, ZMQ_HEARTBEAT_TIMEOUT),
                          SOCK_HEARTBEAT_TIMEOUT_MS);
        assert_in_range (option (s, ZMQ_SNDHWM), 1, 1024);
        assert_in_range (option (s, ZMQ_RCVHWM), 1, 1024);
        drop (w, s);
    }
    struct sock_options options = {
        .keys = &w->server,
        .max_message = 1000,
        .send_queue = 7,
        .receive_queue = 9,
    };
    void *s = sock_new (w->context, SOCK_DESK, &options, NULL);
    assert_int_equal (option (s, ZMQ_MAXMSGSIZE), 1033);
    assert_int_equal (option (s, ZMQ_SNDHWM), 7);
    assert_int_equal (option (s, ZMQ_RCVHWM), 9);
    sock_close (&s);
    assert_null (s);
}

static void test_bind_refused (void **state) {
    struct world *w = *state;
    struct error e = { 0 };
    (void) serve (w, SOCK_DESK);
    void *second = make (w, SOCK_DESK, &w->server);
    assert_int_equal (sock_bind (second, "inproc://desk", NULL, 0, &e),
                      ERR_MALFORMED);
    assert_int_equal (sock_bind (second, w->endpoint, NULL, 0, &e), ERR_STATE);
    assert_int_equal (e.code, ERR_STATE);
    assert_non_null (strstr (e.text, w->endpoint));
    assert_int_equal (sock_connect (second, "tcp://*:1", &e), ERR_MALFORMED);
    assert_int_equal (sock_connect (second, "inproc://desk", &e),
                      ERR_MALFORMED);
}

static void test_bound_names (void **state) {
    struct world *w = *state;
    static const struct {
        const char *endpoint, *bound;
    } cases[] = {
        { "tcp://127.0.0.1:0", "tcp://127.0.0.1:" },
        { "tcp://0.0.0.0:*", "tcp://0.0.0.0:" },
        { "tcp://*:0", "tcp://" }, /* [::], or 0.0.0.0 without IPv6 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *s = make (w, SOCK_FEED, &w->server);
        char bound[256] = "";
        assert_int_equal (
            sock_bind (s, cases[i].endpoint, bound, sizeof bound, NULL), 0);
        assert_int_equal (
            strncmp (bound, cases[i].bound, strlen (cases[i].bound)), 0);
        assert_null (strstr (bound, ":0:"));
        assert_int_equal (sock_bind_check (bound, NULL), 0);
        drop (w, s);
    }
}

static void test_stranger_refused (void **state) {
    struct world *w = *state;
    assert_int_equal (handshake (w, SOCK_DESK, SOCK_DESK_CLIENT, &w->stranger),
                      ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    assert_string_equal (w->zap_domain, SOCK_ZAP_DESK);
    assert_int_equal (handshake (w, SOCK_FEED, SOCK_FEED_CLIENT, &w->stranger),
                      ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    assert_string_equal (w->zap_domain, SOCK_ZAP_FEED);
}

static void test_member_enters (void **state) {
    struct world *w = *state;
    assert_int_equal (handshake (w, SOCK_DESK, SOCK_DESK_CLIENT, &w->member),
                      ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_int_equal (handshake (w, SOCK_FEED, SOCK_FEED_CLIENT, &w->member),
                      ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}

static void test_nobody_without_gate (void **state) {
    struct world *w = *state;
    drop (w, w->zap);
    w->zap = NULL;
    assert_int_equal (handshake (w, SOCK_DESK, SOCK_DESK_CLIENT, &w->member),
                      ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    assert_int_equal (handshake (w, SOCK_FEED, SOCK_FEED_CLIENT, &w->member),
                      ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
}

/* A peer without CURVE, and one that expects another server. */
static void test_plain_and_wrong_server (void **state) {
    struct world *w = *state;
    void *desk = serve (w, SOCK_DESK), *monitor = watch (w, desk);
    void *plain = keep (w, zmq_socket (w->context, ZMQ_DEALER));
    assert_int_equal (zmq_connect (plain, w->endpoint), 0);
    assert_int_equal (next_event (w, monitor),
                      ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
    drop (w, plain);
    unwatched_drop (w, desk, monitor);

    struct sock_keys misled = w->member;
    misled.server_key[0] ^= 1;
    assert_int_not_equal (handshake (w, SOCK_DESK, SOCK_DESK_CLIENT, &misled),
                          ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}

/* A frame, and its size; a request's last one comes from the member. */
static int receive (struct world *w, void *socket, void *out, size_t room) {
    await (w, socket, ZMQ_POLLIN);
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    int size = zmq_msg_recv (&frame, socket, 0);
    assert_true (size >= 0);
    const char *user = zmq_msg_gets (&frame, "User-Id");
    if (option (socket, ZMQ_TYPE) == ZMQ_ROUTER && !zmq_msg_more (&frame)) {
        assert_non_null (user);
        assert_string_equal (user, "member");
    }
    memcpy (out, zmq_msg_data (&frame),
            (size_t) size < room ? (size_t) size : room);
    zmq_msg_close (&frame);
    return size;
}

static void test_desk (void **state) {
    struct world *w = *state;
    void *desk = serve (w, SOCK_DESK);
    assert_int_equal (zmq_send (desk, "nobody", 6, ZMQ_DONTWAIT | ZMQ_SNDMORE),
                      -1);
    assert_int_equal (errno, EHOSTUNREACH);

    void *agent = make (w, SOCK_DESK_CLIENT, &w->member);
    assert_int_equal (sock_connect (agent, w->endpoint, NULL), 0);

    /* The largest request goes through, and back. */
    size_t size = 1114112;
    char *large = mem_alloc (size), id[64];
    assert_int_equal (zmq_send (agent, large, size, 0), size);
    int id_size = receive (w, desk, id, sizeof id);
    assert_int_equal (receive (w, desk, large, size), size);
    zmq_send (desk, id, (size_t) id_size, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    assert_int_equal (zmq_send (desk, large, size, ZMQ_DONTWAIT), size);
    assert_int_equal (receive (w, agent, large, size), size);

    /* One octet more ends the connection. */
    void *monitor = watch (w, desk);
    large = mem_resize (large, size + 1);
    memset (large, 'a', size + 1);
    assert_int_equal (zmq_send (agent, large, size + 1, 0), size + 1);
    assert_int_equal (next_event (w, monitor), ZMQ_EVENT_DISCONNECTED);
    zmq_pollitem_t item = { .socket = desk, .events = ZMQ_POLLIN };
    assert_int_equal (zmq_poll (&item, 1, 0), 0);
    free (large);
}

static enum sock_event event_next (struct world *w, void *watch) {
    await (w, watch, ZMQ_POLLIN);
    return sock_watch_next (watch);
}

static void unwatch (struct world *w, void *socket, void *watch) {
    size_t i = 0;
    while (w->sockets[i] != watch)
        assert_true (++i < sizeof w->sockets / sizeof *w->sockets);
    sock_unwatch (socket, &w->sockets[i]);
    assert_null (w->sockets[i]);
}

/* Refused is lost, without a word of having been connected. */
static void test_watch (void **state) {
    struct world *w = *state;
    struct sock_keys *keys[] = { &w->stranger, &w->member };
    for (size_t i = 0; i < 2; i++) {
        void *desk = serve (w, SOCK_DESK);
        void *agent = make (w, SOCK_DESK_CLIENT, keys[i]);
        void *watch = keep (w, sock_watch (w->context, agent, NULL));
        assert_int_equal (sock_watch_next (watch), SOCK_NOTHING);
        assert_int_equal (sock_connect (agent, w->endpoint, NULL), 0);
        if (i == 1) {
            assert_int_equal (event_next (w, watch), SOCK_CONNECTED);
            drop (w, desk);
        }
        assert_int_equal (event_next (w, watch), SOCK_LOST);
        if (i == 0)
            drop (w, desk);
        unwatch (w, agent, watch);
        drop (w, agent);
    }
}

/* What happens when nobody watches any more holds up no socket: it goes on to
 * connect, again and again, to a desk that ends. */
static void test_unwatch (void **state) {
    struct world *w = *state;
    void *desk = serve (w, SOCK_DESK), *none = NULL;
    void *agent = make (w, SOCK_DESK_CLIENT, &w->member);
    void *observed = keep (w, sock_watch (w->context, agent, NULL));
    assert_int_equal (sock_connect (agent, w->endpoint, NULL), 0);
    assert_int_equal (event_next (w, observed), SOCK_CONNECTED);
    unwatch (w, agent, observed);
    sock_unwatch (agent, &none);
    for (int i = 0; i < 3; i++) {
        drop (w, desk);
        desk = make (w, SOCK_DESK, &w->server);
        void *monitor = watch (w, desk);
        while (sock_bind (desk, w->endpoint, NULL, 0, NULL) != 0)
            zmq_poll (NULL, 0, 10); /* the one before is still there */
        assert_int_equal (next_event (w, monitor),
                          ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        assert_int_equal (zmq_socket_monitor (desk, NULL, 0), 0);
        drop (w, monitor);
    }
    drop (w, desk);
    drop (w, agent);
}

/* libzmq looks at what has happened with each 100th frame: an end that is seen
 * within a message must not break it, or us. */
static void check_lost_within (struct world *w, void *server, void *client,
                               const char *id, size_t id_size) {
    void *watch = keep (w, sock_watch (w->context, client, NULL));
    for (int i = 0; i < 60; i++) {
        if (id_size > 0)
            assert_return_code (zmq_send (server, id, id_size, ZMQ_SNDMORE),
                                errno);
        zmq_send (server, "a", 1, ZMQ_SNDMORE);
        zmq_send (server, "b", 1, ZMQ_SNDMORE);
        zmq_send (server, "c", 1, ZMQ_SNDMORE);
        assert_int_equal (zmq_send (server, "d", 1, 0), 1);
    }
    await (w, client, ZMQ_POLLIN);
    drop (w, server);
    assert_int_equal (event_next (w, watch), SOCK_LOST);
    int count = 0;
    char octet;
    while (zmq_recv (client, &octet, 1, ZMQ_DONTWAIT) >= 0)
        assert_int_equal (octet, 'a' + count++ % 4);
    assert_int_equal (count % 4, 0);
    unwatch (w, client, watch);
    drop (w, client);
}

static void test_lost_within_a_message (void **state) {
    struct world *w = *state;
    char id[64], text[8];
    void *desk = serve (w, SOCK_DESK);
    void *agent = reach (w, SOCK_DESK_CLIENT, &w->member);
    assert_int_equal (zmq_send (agent, "x", 1, 0), 1);
    int id_size = receive (w, desk, id, sizeof id);
    receive (w, desk, text, sizeof text);
    check_lost_within (w, desk, agent, id, (size_t) id_size);
    void *feed = serve (w, SOCK_FEED);
    void *reader = reach (w, SOCK_FEED_CLIENT, &w->member);
    assert_int_equal (zmq_setsockopt (reader, ZMQ_SUBSCRIBE, "", 0), 0);
    receive (w, feed, text, sizeof text);
    check_lost_within (w, feed, reader, NULL, 0);
}

static void test_feed (void **state) {
    struct world *w = *state;
    void *feed = serve (w, SOCK_FEED);
    void *first = reach (w, SOCK_FEED_CLIENT, &w->member);
    void *second = reach (w, SOCK_FEED_CLIENT, &w->member);
    char tag[32];
    assert_int_equal (zmq_setsockopt (first, ZMQ_SUBSCRIBE, "tag", 3), 0);
    assert_int_equal (receive (w, feed, tag, sizeof tag), 4);
    assert_memory_equal (tag, "\1tag", 4);
    /* The second to the same tag is seen too. */
    assert_int_equal (zmq_setsockopt (second, ZMQ_SUBSCRIBE, "tag", 3), 0);
    assert_int_equal (receive (w, feed, tag, sizeof tag), 4);

    size_t size = 1310720;
    char *large = mem_alloc (size);
    zmq_send (feed, "tag", 3, ZMQ_SNDMORE);
    assert_int_equal (zmq_send (feed, large, size, 0), size);
    assert_int_equal (receive (w, first, tag, sizeof tag), 3);
    assert_int_equal (receive (w, first, large, size), size);
    assert_int_equal (receive (w, second, tag, sizeof tag), 3);
    free (large);

    /* A subscription over 512 octets ends its connection only. */
    void *monitor = watch (w, feed);
    char longer[513] = "";
    assert_int_equal (
        zmq_setsockopt (first, ZMQ_SUBSCRIBE, longer, sizeof longer), 0);
    assert_int_equal (next_event (w, monitor), ZMQ_EVENT_DISCONNECTED);
    zmq_send (feed, "tag", 3, ZMQ_SNDMORE);
    zmq_send (feed, "x", 1, 0);
    assert_int_equal (receive (w, second, tag, sizeof tag), 1310720);
    assert_int_equal (receive (w, second, tag, sizeof tag), 3);
}

/* The server sees the address that the client was told to come from. */
static void test_source (void **state) {
    struct world *w = *state;
    struct sock_options options = {
        .keys = &w->member,
        .source = "127.0.0.2",
    };
    void *desk = serve (w, SOCK_DESK);
    void *agent =
        keep (w, sock_new (w->context, SOCK_DESK_CLIENT, &options, NULL));
    assert_int_equal (sock_connect (agent, w->endpoint, NULL), 0);
    assert_int_equal (zmq_send (agent, "x", 1, 0), 1);
    await (w, desk, ZMQ_POLLIN);
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    assert_true (zmq_msg_recv (&frame, desk, 0) > 0);
    zmq_msg_close (&frame);
    zmq_msg_init (&frame);
    assert_int_equal (zmq_msg_recv (&frame, desk, 0), 1);
    assert_string_equal (zmq_msg_gets (&frame, "Peer-Address"), "127.0.0.2");
    zmq_msg_close (&frame);
}

#define TEST(f) cmocka_unit_test_setup_teardown (f, world_make, world_end)

int main (void) {
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST (test_bad_arguments),
        cmocka_unit_test (test_endpoints),
        TEST (test_options),
        TEST (test_bind_refused),
        TEST (test_bound_names),
        TEST (test_stranger_refused),
        TEST (test_nobody_without_gate),
        TEST (test_plain_and_wrong_server),
        TEST (test_member_enters),
        TEST (test_desk),
        TEST (test_watch),
        TEST (test_unwatch),
        TEST (test_lost_within_a_message),
        TEST (test_feed),
        TEST (test_source),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
