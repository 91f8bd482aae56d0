/* tokens - named secrets, by their digests. */
#include "tokens.h"

#include "base/clock.h"
#include "store_impl.h"

#include <sodium.h>
#include <stdio.h>

void token_secret (char out[TOKEN_SECRET_MAX]) {
    static const char head[] = "parley-";
    uint8_t octets[32];
    randombytes_buf (octets, sizeof octets);
    memcpy (out, head, sizeof head);
    sodium_bin2hex (out + sizeof head - 1, TOKEN_SECRET_MAX - sizeof head + 1,
                    octets, sizeof octets);
    sodium_memzero (octets, sizeof octets);
}

/* Adding */

static enum err room_check (struct store *self, const char *name,
                            struct error *e) {
    sqlite3_stmt *s =
        store_prepare (self, "SELECT COUNT (*), TOTAL (name = ?) FROM tokens");
    bind_text (s, 1, slice_text (name));
    enum err rc = store_row (self, s, "tokens", e);
    if (rc)
        return rc;
    int64_t count = sqlite3_column_int64 (s, 0);
    bool taken = sqlite3_column_double (s, 1) > 0;
    sqlite3_reset (s);
    if (taken)
        return error_set (e, ERR_EXISTS,
                          "there is or was a token '%s'; a name is given once",
                          name);
    return count < TOKENS_KEPT_MAX
               ? ERR_NONE
               : error_set (e, ERR_FULL, "%d tokens are kept, and no more",
                            TOKENS_KEPT_MAX);
}

static enum err insert (struct store *self, const struct token *token,
                        const struct hash *digest, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        self, "INSERT INTO tokens (name, digest, user, roles, function, maker,"
              " created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    bind_text (s, 1, slice_text (token->name));
    bind_hash (s, 2, digest);
    bind_text (s, 3, slice_text (token->user));
    sqlite3_bind_int64 (s, 4, token->roles);
    bind_text (s, 5, slice_text (token->function));
    bind_text (s, 6, slice_text (token->maker));
    sqlite3_bind_int64 (s, 7, clock_wall_ms());
    sqlite3_bind_int64 (s, 8, token->expires_ms);
    return store_done (self, s, "token", e);
}

enum err tokens_add (struct store *self, const struct token *token,
                     const struct hash *digest, struct error *e) {
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    rc = room_check (self, token->name, e);
    if (!rc)
        rc = insert (self, token, digest, e);
    return store_end (self, rc, e);
}

/* Reading */

#define TOKENS                                                                 \
    "SELECT name, user, roles, function, maker, created, expires, used,"       \
    " revoked FROM tokens "

static void text_take (char *out, size_t room, sqlite3_stmt *s, int at) {
    struct slice text = column_slice (s, at);
    snprintf (out, room, "%.*s", (int) text.size, (const char *) text.data);
}

static void row_take (sqlite3_stmt *s, struct token *out) {
    text_take (out->name, sizeof out->name, s, 0);
    text_take (out->user, sizeof out->user, s, 1);
    out->roles = (unsigned) sqlite3_column_int64 (s, 2);
    text_take (out->function, sizeof out->function, s, 3);
    text_take (out->maker, sizeof out->maker, s, 4);
    out->created_ms = sqlite3_column_int64 (s, 5);
    out->expires_ms = sqlite3_column_int64 (s, 6);
    out->used_ms = sqlite3_column_int64 (s, 7);
    out->revoked_ms = sqlite3_column_int64 (s, 8);
}

enum err tokens_find (struct store *self, const struct hash *digest,
                      struct token *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (self, TOKENS "WHERE digest = ?");
    bind_hash (s, 1, digest);
    enum err rc = store_row (self, s, "token", e);
    if (rc)
        return rc;
    row_take (s, out);
    sqlite3_reset (s);
    return ERR_NONE;
}

enum err tokens_list (struct store *self,
                      void (*each) (void *arg, const struct token *), void *arg,
                      struct error *e) {
    enum err rc;
    struct token token;
    sqlite3_stmt *s = store_prepare (self, TOKENS "ORDER BY name");
    while ((rc = store_row (self, s, "tokens", e)) == ERR_NONE) {
        row_take (s, &token);
        each (arg, &token);
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Changing */

static enum err changed (struct store *self, sqlite3_stmt *s, const char *name,
                         struct error *e) {
    enum err rc = store_done (self, s, "token", e);
    if (!rc && sqlite3_changes (self->db) == 0)
        rc = error_set (e, ERR_NOT_FOUND, "there is no token '%s'", name);
    return rc;
}

enum err tokens_revoke (struct store *self, const char *name, struct error *e) {
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    sqlite3_stmt *s = store_prepare (
        self, "UPDATE tokens SET revoked = MAX (revoked,"
              " CASE revoked WHEN 0 THEN ?2 ELSE 0 END) WHERE name = ?1");
    bind_text (s, 1, slice_text (name));
    sqlite3_bind_int64 (s, 2, clock_wall_ms());
    return store_end (self, changed (self, s, name, e), e);
}

enum err tokens_used (struct store *self, const char *name, int64_t day_ms,
                      struct error *e) {
    enum err rc = store_begin (self, e);
    if (rc)
        return rc;
    sqlite3_stmt *s =
        store_prepare (self, "UPDATE tokens SET used = ?2 WHERE name = ?1");
    bind_text (s, 1, slice_text (name));
    sqlite3_bind_int64 (s, 2, day_ms);
    return store_end (self, changed (self, s, name, e), e);
}
