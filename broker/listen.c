/* listen - the two sockets that peers connect to. */
#include "listen.h"

#include <sodium.h>

void *listen_socket (const struct identity *identity, void *context,
                     enum sock_kind kind, const char *endpoint, char *bound,
                     struct error *e) {
    struct sock_keys keys = { 0 };
    identity_curve (identity, keys.public_key, keys.secret_key);
    struct sock_options options = { .keys = &keys };
    void *socket = sock_new (context, kind, &options, e);
    sodium_memzero (&keys, sizeof keys);
    if (socket && sock_bind (socket, endpoint, bound, 256, e))
        sock_close (&socket);
    return socket;
}
