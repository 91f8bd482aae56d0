/* http - the agent's HTTP/JSON API (DESIGN section 9; api/openapi.json says
 * what it answers).
 *
 * A Unix socket that only its owner (and a group, when asked for) can open and,
 * when asked for, a loopback TCP port where every request brings a bearer token.
 * users.h says who may do what. Each connection has a
 * thread; connections, bodies, waiting requests and time are bounded. Nothing
 * that a client sends can end it. */
#ifndef PARLEY_API_HTTP_H
#define PARLEY_API_HTTP_H

#include "base/error.h"
#include "base/hash.h"
#include "identity/identity.h"

#include <stdint.h>

struct link;
struct projector;
struct users;

/* Borrowed for its life, all of them. */
struct http_options {
    const char *socket;     /* path, at most 107 octets */
    const char *tcp;        /* "127.0.0.1:PORT" or "[::1]:PORT"; NULL: none.
                               PORT 0: any */
    const char *token_file; /* with tcp: a secret file, one token a line; NULL:
                               named tokens only */
    const char *socket_group; /* whose accounts may open it too; NULL: none */
    struct users **users;     /* who may do what: taken; NULL: whoever opens the
                             socket may all */
    const char *store;        /* path of the store, which exists */
    const char *delegation;
    const struct hash *dialogue;
    struct link *link; /* NULL: none, as in tests: status says "down", and the
                          roster is the store's newest */
    const struct identity *identity; /* may be NULL: not used so far */
    struct projector *projector;     /* NULL: none, as in some tests */
    const char *watch_command; /* that tells people (tell.h); NULL: none */
    int64_t digest_ms;         /* of a day, UTC: when daily ones are told */
};

struct http;

/* Bind, listen, serve. The socket's folder is made (0700) where it is missing;
 * a socket that nobody answers on is removed. NULL and *e: ERR_CONFIG (a path
 * over 107 octets, a folder that others may enter, no loopback address, a token
 * that is too short), ERR_EXISTS (another process answers there, or the port is
 * taken), ERR_KEY (a token file that others may read), ERR_IO, or what
 * store_open says. */
struct http *http_new (const struct http_options *options, struct error *e)
    MUST_CHECK;

/* Who may do what from now on; takes it. Any thread. */
void http_set_users (struct http *self, struct users **users_p);

/* New records, outbox states or a phase of the link: wakes live feeds and
 * requests that wait. Any thread; takes a lock for a moment, never waits for a
 * client or the disk. */
void http_changed (struct http *self);

/* Ends live feeds and waiting requests, then all others: what was accepted is
 * durable, but its answer may not reach the client. Removes the socket. Nobody
 * may be in http_changed. */
void http_destroy (struct http **self_p);

/* The TCP port that is bound; 0 for none. */
uint16_t http_port (const struct http *self);

#endif
