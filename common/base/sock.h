/* sock - the only maker of sockets (PROTOCOL.md section 3).
 *
 * Each socket gets CURVE, the ZAP domain, size and queue limits, heartbeats,
 * handshake time and zero linger here; no other module calls zmq_socket. A
 * socket belongs to one thread at a time. */
#ifndef PARLEY_SOCK_H
#define PARLEY_SOCK_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SOCK_HEARTBEAT_MS 5000 /* a ping each; both ends */
#define SOCK_HEARTBEAT_TIMEOUT_MS 15000
#define SOCK_HANDSHAKE_MS 10000
#define SOCK_NEVER_MS 86400000 /* until a SUB would reconnect */
#define SOCK_ZAP_DESK "desk"
#define SOCK_ZAP_FEED "feed"

enum sock_kind {
    SOCK_DESK,        /* ROUTER, bound: mandatory routing, ZAP domain "desk" */
    SOCK_DESK_CLIENT, /* DEALER, connects; reconnects with back-off */
    SOCK_FEED,        /* XPUB, bound: verbose, MAXMSGSIZE 512, ZAP "feed" */
    SOCK_FEED_CLIENT, /* SUB, connects; never reconnects by itself */
};

struct sock_keys {
    uint8_t public_key[32]; /* own CURVE pair */
    uint8_t secret_key[32];
    uint8_t server_key[32]; /* clients: the key to expect */
};

struct sock_options {
    const struct sock_keys *keys;  /* borrowed for the call */
    const char *source;            /* clients: an address, "" or NULL */
    int64_t max_message;           /* octets a frame brings; 0: the kind's */
    int send_queue, receive_queue; /* messages; 0: the kind's */
};

/* NULL and *e: a socket could not be made or an option not be set; ERR_KEY: the
 * pair is none, or a client's server key is all zeros. The raw libzmq socket;
 * close with sock_close. `context` is a zmq context. A server's peers get in
 * only by a ZAP handler in the same context that is bound before sock_bind;
 * without one nobody does. */
void *sock_new (void *context, enum sock_kind kind,
                const struct sock_options *options, struct error *e) MUST_CHECK;
void sock_close (void **socket_p); /* linger 0; sets NULL */

/* The socket of a ZAP handler (ZeroMQ RFC 27), bound in `context`: a ROUTER, so
 * that a request may be answered late. ERR_EXISTS: there is a handler. */
void *sock_zap_new (void *context, struct error *e) MUST_CHECK;

/* Bind; *bound (room octets, 256 are enough; may be NULL) gets the real
 * endpoint, for port 0 ("*" or ":0"). tcp only. ERR_STATE: the address is in
 * use.
 * Connect: name resolved again at each reconnect by libzmq, which takes the
 * first IPv6 address where there is one, unless the source is IPv4. Neither
 * waits for the peer. */
enum err sock_bind (void *socket, const char *endpoint, char *bound,
                    size_t room, struct error *e) MUST_CHECK;
enum err sock_connect (void *socket, const char *endpoint, struct error *e)
    MUST_CHECK;

/* What becomes of a client's connection: a socket to poll for ZMQ_POLLIN. Watch
 * before sock_connect, and end it with sock_unwatch before the one that it
 * watches is closed: libzmq's thread would wait for a reader of what happens in
 * between, and all sockets of the context with it, for good. NULL is fine. After a loss the socket connects again by itself, and what was sent meanwhile
 * goes out then. NULL and *e: it could not be made. */
void *sock_watch (void *context, void *socket, struct error *e) MUST_CHECK;
void sock_unwatch (void *socket, void **watch_p);
enum sock_event {
    SOCK_NOTHING,   /* new */
    SOCK_CONNECTED, /* and the server has let us in */
    SOCK_LOST,      /* or refused */
};
enum sock_event sock_watch_next (void *watch) MUST_CHECK;

/* "tcp://HOST:PORT", as a roster or a configuration may name it to connect to:
 * a domain name, an IPv4 address or an IPv6 address in brackets; 1 to 65535.
 * To bind, HOST may also be "*" or an interface, and PORT "*" or 0. */
enum err sock_endpoint_check (const char *endpoint, struct error *e) MUST_CHECK;
enum err sock_bind_check (const char *endpoint, struct error *e) MUST_CHECK;

#endif
