/* guard - who may use the API over TCP: who has a token and called it by a
 * loopback name, so that no web page gets there by a name of its own. */
#ifndef PARLEY_API_GUARD_H
#define PARLEY_API_GUARD_H

#include "base/hash.h"

#include <stdbool.h>

#define TOKENS_MAX 16
#define TOKEN_MIN 32 /* octets; 32 hex digits are 128 bits */
#define TOKEN_MAX 256

/* Digests: comparing them takes the same time for all guesses. */
struct guard {
    struct hash tokens[TOKENS_MAX];
    size_t count;
};

/* A secret file (0600) with a token of visible ASCII on each line, 1 to 16 of
 * them. ERR_KEY, ERR_CONFIG, ERR_LIMIT, ERR_IO. */
enum err guard_load (struct guard *self, const char *path, struct error *e)
    MUST_CHECK;
/* The value of an Authorization header; NULL is none. */
bool guard_allows (const struct guard *self, const char *authorization);

/* localhost, 127.0.0.1 or [::1], with this port. NULL is none. */
bool guard_host (const char *host, uint16_t port);

#endif
