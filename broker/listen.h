/* listen - the two sockets that peers connect to (PROTOCOL.md section 3). */
#ifndef PARLEY_LISTEN_H
#define PARLEY_LISTEN_H

#include "base/sock.h"
#include "identity/identity.h"

/* A bound socket with the broker's link key, sock_close; NULL and *e. *bound
 * (256) is the real endpoint. */
void *listen_socket (const struct identity *identity, void *context,
                     enum sock_kind kind, const char *endpoint, char *bound,
                     struct error *e) MUST_CHECK;

#endif
