/* guard - tokens and host names of the API over TCP. */
#include "api/guard.h"

#include "base/disk.h"

#include <sodium.h>
#include <stdio.h>
#include <strings.h>

#define TOKEN_FILE_MAX ((size_t) TOKENS_MAX * (TOKEN_MAX + 1))

static bool token_valid (struct slice token) {
    for (size_t i = 0; i < token.size; i++)
        if (token.data[i] < 0x21 || token.data[i] > 0x7e)
            return false;
    return token.size >= TOKEN_MIN && token.size <= TOKEN_MAX;
}

static enum err tokens_read (struct guard *self, struct slice text,
                             const char *path, struct error *e) {
    while (text.size > 0) {
        const uint8_t *end = memchr (text.data, '\n', text.size);
        size_t size = end ? (size_t) (end - text.data) : text.size;
        struct slice token = slice_of (text.data, size);
        if (self->count == TOKENS_MAX)
            return error_set (e, ERR_LIMIT, "'%s': more than %d tokens", path,
                              TOKENS_MAX);
        if (!token_valid (token))
            return error_set (e, ERR_CONFIG,
                              "'%s': token %zu has %zu octets; a token is %d "
                              "to %d visible ASCII characters on a line",
                              path, self->count + 1, size, TOKEN_MIN,
                              TOKEN_MAX);
        self->tokens[self->count++] = hash_blake2b (token);
        size += end != NULL;
        text = slice_of (text.data + size, text.size - size);
    }
    return self->count ? ERR_NONE
                       : error_set (e, ERR_CONFIG, "'%s' holds no token", path);
}

enum err guard_load (struct guard *self, const char *path, struct error *e) {
    *self = (struct guard){ 0 };
    struct buf text = { 0 };
    enum err rc = disk_read_secret (path, TOKEN_FILE_MAX, &text, e);
    if (!rc)
        rc = tokens_read (self, buf_slice (&text), path, e);
    if (text.data)
        sodium_memzero (text.data, text.size);
    buf_free (&text);
    return rc;
}

bool guard_allows (const struct guard *self, const char *authorization) {
    static const char scheme[] = "Bearer ";
    if (!authorization
        || strncasecmp (authorization, scheme, sizeof scheme - 1) != 0)
        return false;
    struct hash given =
        hash_blake2b (slice_text (authorization + sizeof scheme - 1));
    unsigned good = 0;
    for (size_t i = 0; i < self->count; i++)
        good |= sodium_memcmp (&given, &self->tokens[i], sizeof given) == 0;
    return good;
}

bool guard_host (const char *host, uint16_t port) {
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
    char want[32];
    for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
        snprintf (want, sizeof want, "%s:%u", names[i], port);
        if (strcasecmp (host, want) == 0)
            return true;
    }
    return false;
}
