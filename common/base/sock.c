/* sock - the table of what each kind of socket gets, and the addresses that
 * they may take. */
#include "base/sock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

/* zmq.h hides it among its drafts, but every 4.3 has it. Without it a server
 * whose gate is not there yet lets everybody in. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

/* What CURVE puts around a frame: command name, nonce, flags, box's tag.
 * ZMQ_MAXMSGSIZE counts it; the limits of PROTOCOL.md do not. */
#define CURVE_OVERHEAD 33
#define HOST_MAX 253 /* of a domain name */
#define LABEL_MAX 63
#define PREFIX "tcp://"
#define ADDRESS_ROOM (2 * (HOST_MAX + 16)) /* source, host, two ports */

/* Queues are each peer's and count whole messages. What may wait in memory:
 *
 * desk in   64 requests of 1 MiB: 64 MiB for a peer that floods, and then TCP
 *           holds it back. 1,024 may be unanswered, but most are small.
 * desk out  1,024: the most that a roster lets be unanswered, so that a peer
 *           that reads always gets its replies. One that does not is cut off
 *           at the full queue; `fetch` bounds its large replies by itself.
 * feed out  256 frames. The subscribers' queues share the octets of a frame:
 *           at most 256 x 1.25 MiB while one is slow, however many are. Then
 *           frames to it are dropped, and it fills the gap by fetch.
 * feed in   256 subscriptions of 512 octets.
 * An agent's: as much as the broker's other end. */
static const struct kind {
    int type;
    const char *zap_domain; /* servers */
    int64_t max_message;    /* octets of a frame that comes in */
    int send_queue, receive_queue;
} kinds[] = {
    [SOCK_DESK] = { ZMQ_ROUTER, SOCK_ZAP_DESK, 1114112, 1024, 64 },
    [SOCK_DESK_CLIENT] = { ZMQ_DEALER, NULL, 1310720, 64, 64 },
    [SOCK_FEED] = { ZMQ_XPUB, SOCK_ZAP_FEED, 512, 256, 256 },
    [SOCK_FEED_CLIENT] = { ZMQ_SUB, NULL, 1310720, 1024, 256 },
};

#define KIND(k) (1U << (k))
#define SERVERS (KIND (SOCK_DESK) | KIND (SOCK_FEED))
#define CLIENTS (KIND (SOCK_DESK_CLIENT) | KIND (SOCK_FEED_CLIENT))
#define ALL (SERVERS | CLIENTS)
#define SETTING(kinds, option, value)                                          \
    { kinds, option, value, #option }

static const struct setting {
    unsigned kinds;
    int option;
    int value;
    const char *name;
} settings[] = {
    SETTING (ALL, ZMQ_LINGER, 0),
    SETTING (ALL, ZMQ_HANDSHAKE_IVL, SOCK_HANDSHAKE_MS),
    SETTING (ALL, ZMQ_HEARTBEAT_IVL, SOCK_HEARTBEAT_MS),
    SETTING (ALL, ZMQ_HEARTBEAT_TIMEOUT, SOCK_HEARTBEAT_TIMEOUT_MS),
    /* Tells the other end when to give up, should it send none itself. */
    SETTING (ALL, ZMQ_HEARTBEAT_TTL, SOCK_HEARTBEAT_TIMEOUT_MS),
    SETTING (SERVERS, ZMQ_CURVE_SERVER, 1),
    SETTING (SERVERS, ZMQ_ZAP_ENFORCE_DOMAIN, 1),
    /* 512 delegations may come at once after a restart, on two sockets. */
    SETTING (SERVERS, ZMQ_BACKLOG, 1024),
    /* An unknown or full peer is an error, not a loss in silence. */
    SETTING (KIND (SOCK_DESK), ZMQ_ROUTER_MANDATORY, 1),
    /* Each peer's subscription is seen, not only the first to a tag. */
    SETTING (KIND (SOCK_FEED), ZMQ_XPUB_VERBOSE, 1),
    SETTING (KIND (SOCK_FEED), ZMQ_XPUB_NODROP, 0),
    SETTING (CLIENTS, ZMQ_CONNECT_TIMEOUT, SOCK_HANDSHAKE_MS),
    SETTING (KIND (SOCK_DESK_CLIENT), ZMQ_RECONNECT_IVL, 500),
    SETTING (KIND (SOCK_DESK_CLIENT), ZMQ_RECONNECT_IVL_MAX, 30000),
    /* Never, that is. With -1 libzmq 4.3 ends the pipe of a connection that is
     * lost at once, and aborts if a message was read halfway. ZMQ_IMMEDIATE has
     * the same effect. */
    SETTING (KIND (SOCK_FEED_CLIENT), ZMQ_RECONNECT_IVL, SOCK_NEVER_MS),
};

static enum err set (void *socket, int option, const void *value, size_t size,
                     const char *name, struct error *e) {
    if (zmq_setsockopt (socket, option, value, size) == 0)
        return 0;
    return error_sys (e, errno, "set %s", name);
}

static enum err set_settings (void *socket, enum sock_kind kind,
                              struct error *e) {
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct setting *s = &settings[i];
        if (!(s->kinds & KIND (kind)))
            continue;
        enum err err =
            set (socket, s->option, &s->value, sizeof s->value, s->name, e);
        if (err)
            return err;
    }
    return 0;
}

static enum err set_limits (void *socket, const struct kind *kind,
                            const struct sock_options *options,
                            struct error *e) {
    int64_t message =
        options->max_message ? options->max_message : kind->max_message;
    message += CURVE_OVERHEAD;
    int out = options->send_queue ? options->send_queue : kind->send_queue;
    int in =
        options->receive_queue ? options->receive_queue : kind->receive_queue;
    enum err err = set (socket, ZMQ_MAXMSGSIZE, &message, sizeof message,
                        "ZMQ_MAXMSGSIZE", e);
    if (!err)
        err = set (socket, ZMQ_SNDHWM, &out, sizeof out, "ZMQ_SNDHWM", e);
    if (!err)
        err = set (socket, ZMQ_RCVHWM, &in, sizeof in, "ZMQ_RCVHWM", e);
    return err;
}

static enum err set_keys (void *socket, const struct kind *kind,
                          const struct sock_options *options, struct error *e) {
    const struct sock_keys *keys = options->keys;
    enum err err = set (socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, 32,
                        "ZMQ_CURVE_PUBLICKEY", e);
    if (!err)
        err = set (socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, 32,
                   "ZMQ_CURVE_SECRETKEY", e);
    if (!err && !kind->zap_domain)
        err = set (socket, ZMQ_CURVE_SERVERKEY, keys->server_key, 32,
                   "ZMQ_CURVE_SERVERKEY", e);
    /* A client has no use for a ZAP domain, and libzmq no option for a source
     * address: there it waits for sock_connect. */
    const char *text = kind->zap_domain ? kind->zap_domain : options->source;
    if (!err && text && *text)
        err = set (socket, ZMQ_ZAP_DOMAIN, text, strlen (text),
                   "ZMQ_ZAP_DOMAIN", e);
    return err;
}

/* ROUTER gives a name of its own to a peer that brings none: a counter. A listed
 * peer could take the name of one that has just left, and be sent a reply that
 * was meant for it; nobody guesses this one. */
static enum err set_routing_id (void *socket, enum sock_kind kind,
                                struct error *e) {
    uint8_t id[16];
    if (kind != SOCK_DESK_CLIENT)
        return 0;
    randombytes_buf (id, sizeof id);
    id[0] |= 1; /* names that begin with NUL are ROUTER's */
    return set (socket, ZMQ_ROUTING_ID, id, sizeof id, "ZMQ_ROUTING_ID", e);
}

static bool literal (int family, const char *host) {
    uint8_t address[16];
    return inet_pton (family, host, address) == 1;
}

static enum err options_check (enum sock_kind kind,
                               const struct sock_options *options,
                               struct error *e) {
    if ((unsigned) kind > SOCK_FEED_CLIENT || !options || !options->keys)
        return error_set (e, ERR_ARGUMENT, "a socket of kind %d without keys",
                          (int) kind);
    if (options->max_message < 0 || options->send_queue < 0
        || options->receive_queue < 0)
        return error_set (e, ERR_ARGUMENT, "a limit below 0 is none");
    const char *source = options->source;
    if (kinds[kind].zap_domain ? source != NULL
                               : source && *source && !literal (AF_INET, source)
                                     && !literal (AF_INET6, source))
        return error_set (e, ERR_ARGUMENT,
                          "source \"%s\": an IPv4 or IPv6 address, for a"
                          " client",
                          source);
    const struct sock_keys *keys = options->keys;
    uint8_t own[32];
    if (crypto_scalarmult_base (own, keys->secret_key) != 0
        || sodium_memcmp (own, keys->public_key, 32) != 0)
        return error_set (e, ERR_KEY,
                          "the public link key is not the secret one's");
    if (!kinds[kind].zap_domain && sodium_is_zero (keys->server_key, 32))
        return error_set (e, ERR_KEY, "no link key of the server to expect");
    return 0;
}

void *sock_new (void *context, enum sock_kind kind,
                const struct sock_options *options, struct error *e) {
    enum err err = options_check (kind, options, e);
    if (err)
        return NULL;
    void *socket = zmq_socket (context, kinds[kind].type);
    if (!socket) {
        error_sys (e, errno, "make a socket");
        return NULL;
    }
    err = set_settings (socket, kind, e);
    if (!err)
        err = set_limits (socket, &kinds[kind], options, e);
    if (!err)
        err = set_keys (socket, &kinds[kind], options, e);
    if (!err)
        err = set_routing_id (socket, kind, e);
    if (err)
        sock_close (&socket);
    return socket;
}

void *sock_zap_new (void *context, struct error *e) {
    void *socket = zmq_socket (context, ZMQ_ROUTER);
    int zero = 0;
    if (!socket || zmq_setsockopt (socket, ZMQ_LINGER, &zero, sizeof zero) != 0
        || zmq_bind (socket, "inproc://zeromq.zap.01") != 0) {
        enum err code = errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
        error_sys (e, errno, "bind the ZAP handler");
        if (e)
            e->code = code;
        sock_close (&socket);
    }
    return socket;
}

void sock_close (void **socket_p) {
    if (!*socket_p)
        return;
    int saved_errno = errno;
    int rc = zmq_close (*socket_p);
    assert (rc == 0); /* only what is no socket fails */
    (void) rc;
    *socket_p = NULL;
    errno = saved_errno;
}

/* A domain name; also an interface's. One that ends like an IPv4 address must
 * be one. */
static bool name_valid (const char *host) {
    const char *label = host;
    for (;;) {
        size_t size = strspn (label, "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_");
        if (size == 0 || size > LABEL_MAX || label[0] == '-'
            || label[size - 1] == '-')
            return false;
        if (label[size] == '\0')
            return strspn (label, "0123456789") < size;
        if (label[size] != '.')
            return false;
        label += size + 1;
    }
}

static bool host_valid (char *host, bool bind) {
    size_t size = strlen (host);
    if (bind && strcmp (host, "*") == 0)
        return true;
    if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        bool valid = literal (AF_INET6, host + 1);
        host[size - 1] = ']';
        return valid;
    }
    return literal (AF_INET, host) || name_valid (host);
}

static bool port_valid (const char *port, bool bind) {
    if (bind && (strcmp (port, "*") == 0 || strcmp (port, "0") == 0))
        return true;
    size_t size = strspn (port, "0123456789");
    return size > 0 && size <= 5 && port[size] == '\0' && port[0] != '0'
           && strtoul (port, NULL, 10) <= UINT16_MAX;
}

/* "tcp://HOST:PORT" alone: ipc and inproc would go around CURVE. */
static enum err endpoint_parse (const char *endpoint, bool bind,
                                char host[HOST_MAX + 1], struct error *e) {
    if (!endpoint)
        return error_set (e, ERR_ARGUMENT, "no endpoint");
    size_t prefix = strlen (PREFIX);
    const char *colon = strrchr (endpoint, ':');
    if (strncmp (endpoint, PREFIX, prefix) != 0 || colon < endpoint + prefix)
        return error_set (e, ERR_MALFORMED,
                          "endpoint \"%s\": must be " PREFIX "HOST:PORT",
                          endpoint);
    size_t size = (size_t) (colon - endpoint) - prefix;
    if (size > HOST_MAX)
        return error_set (e, ERR_LIMIT,
                          "endpoint: a host of %zu octets; at most %d", size,
                          HOST_MAX);
    memcpy (host, endpoint + prefix, size);
    host[size] = '\0';
    if (!host_valid (host, bind))
        return error_set (e, ERR_MALFORMED,
                          "endpoint \"%s\": the host must be a name, an IPv4"
                          " address%s or an IPv6 address in brackets",
                          endpoint, bind ? ", *" : "");
    if (!port_valid (colon + 1, bind))
        return error_set (e, ERR_MALFORMED,
                          "endpoint \"%s\": the port must be a number from %s"
                          " to 65535",
                          endpoint, bind ? "0" : "1");
    return 0;
}

enum err sock_endpoint_check (const char *endpoint, struct error *e) {
    char host[HOST_MAX + 1];
    return endpoint_parse (endpoint, false, host, e);
}

enum err sock_bind_check (const char *endpoint, struct error *e) {
    char host[HOST_MAX + 1];
    return endpoint_parse (endpoint, true, host, e);
}

void *sock_watch (void *context, void *socket, struct error *e) {
    char name[64];
    int zero = 0;
    snprintf (name, sizeof name, "inproc://watch-%p", socket);
    void *watch = zmq_socket (context, ZMQ_PAIR);
    if (!watch || zmq_setsockopt (watch, ZMQ_LINGER, &zero, sizeof zero) != 0
        || zmq_socket_monitor (socket, name,
                               ZMQ_EVENT_HANDSHAKE_SUCCEEDED
                                   | ZMQ_EVENT_DISCONNECTED)
               != 0
        || zmq_connect (watch, name) != 0) {
        error_sys (e, errno, "watch a socket");
        sock_unwatch (socket, &watch);
    }
    return watch;
}

void sock_unwatch (void *socket, void **watch_p) {
    if (!*watch_p)
        return;
    int rc = zmq_socket_monitor (socket, NULL, 0);
    assert (rc == 0); /* only what is no socket fails */
    (void) rc;
    sock_close (watch_p);
}

/* A frame of an event; its first octets in *out, if there are so many. */
static bool event_frame (void *watch, void *out, size_t size) {
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    bool there = zmq_msg_recv (&frame, watch, ZMQ_DONTWAIT) >= 0;
    if (there && size > 0 && zmq_msg_size (&frame) >= size)
        memcpy (out, zmq_msg_data (&frame), size);
    zmq_msg_close (&frame);
    return there;
}

enum sock_event sock_watch_next (void *watch) {
    uint16_t event = 0; /* in the machine's own order */
    if (!event_frame (watch, &event, sizeof event))
        return SOCK_NOTHING;
    event_frame (watch, NULL, 0); /* the address */
    return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? SOCK_CONNECTED : SOCK_LOST;
}

/* With IPv6 on, libzmq turns 127.0.0.1 into ::ffff:127.0.0.1, also in what it
 * reports; so an IPv4 address gets an IPv4 socket. */
static enum err set_family (void *socket, const char *host, const char *source,
                            struct error *e) {
    int ipv6 = !literal (AF_INET, host) && !literal (AF_INET, source);
    return set (socket, ZMQ_IPV6, &ipv6, sizeof ipv6, "ZMQ_IPV6", e);
}

static enum err bind_failed (const char *endpoint, int why, struct error *e) {
    enum err code = error_sys (e, why, "bind %s", endpoint);
    if (why != EADDRINUSE)
        return code;
    if (e)
        e->code = ERR_STATE;
    return ERR_STATE;
}

enum err sock_bind (void *socket, const char *endpoint, char *bound,
                    size_t room, struct error *e) {
    char host[HOST_MAX + 1];
    enum err err = endpoint_parse (endpoint, true, host, e);
    if (!err)
        err = set_family (socket, host, "", e);
    if (err)
        return err;
    if (zmq_bind (socket, endpoint) != 0)
        return bind_failed (endpoint, errno, e);
    if (bound && zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, bound, &room) != 0)
        return error_sys (e, errno, "ask for the address of %s", endpoint);
    return 0;
}

enum err sock_connect (void *socket, const char *endpoint, struct error *e) {
    char host[HOST_MAX + 1], source[INET6_ADDRSTRLEN + 1] = "";
    enum err err = endpoint_parse (endpoint, false, host, e);
    if (err)
        return err;
    size_t size = sizeof source;
    if (zmq_getsockopt (socket, ZMQ_ZAP_DOMAIN, source, &size) != 0)
        return error_sys (e, errno, "connect %s", endpoint);
    err = set_family (socket, host, source, e);
    if (err)
        return err;
    char address[ADDRESS_ROOM];
    bool ipv6 = strchr (source, ':') != NULL;
    if (*source)
        snprintf (address, sizeof address, PREFIX "%s%s%s:0;%s",
                  ipv6 ? "[" : "", source, ipv6 ? "]" : "",
                  endpoint + strlen (PREFIX));
    else
        snprintf (address, sizeof address, "%s", endpoint);
    if (zmq_connect (socket, address) != 0)
        return error_sys (e, errno, "connect %s", address);
    return 0;
}
