/* tokens - what programs and people show to be known (api/users.h): a secret
 * that is handed out once, and here only its digest.
 *
 * Names are never given twice, also not behind a revocation: what a token did
 * is kept by its name. Each call that writes has a transaction of its own;
 * durable when 0. */
#ifndef PARLEY_TOKENS_H
#define PARLEY_TOKENS_H

#include "store.h"

#define USER_NAME_MAX 64      /* octets */
#define USER_FUNCTION_MAX 800 /* octets of 200 characters (THREADS.md 2) */
#define TOKENS_KEPT_MAX 1000  /* revoked ones among them; above: ERR_FULL */
#define TOKEN_SECRET_MAX 80   /* octets with the NUL */

struct token {
    char name[USER_NAME_MAX + 1];
    char user[USER_NAME_MAX + 1]; /* whose it is; "": its own name's */
    char function[USER_FUNCTION_MAX + 1];
    char maker[USER_NAME_MAX + 1];
    unsigned roles; /* bits of enum role */
    int64_t created_ms;
    int64_t expires_ms; /* 0: never */
    int64_t used_ms;    /* begin of the last day; 0: never */
    int64_t revoked_ms; /* 0: it is not */
};

/* A new secret, "parley-" and 256 bits in hex; wipe it. */
void token_secret (char out[TOKEN_SECRET_MAX]);
/* Under the digest (BLAKE2b-256) of the secret. ERR_EXISTS: the name is taken;
 * ERR_FULL. `created_ms` is now. */
enum err tokens_add (struct store *self, const struct token *token,
                     const struct hash *digest, struct error *e) MUST_CHECK;
/* ERR_NOT_FOUND, without a text: no such secret was given out. */
enum err tokens_find (struct store *self, const struct hash *digest,
                      struct token *out, struct error *e) MUST_CHECK;
/* By name. */
enum err tokens_list (struct store *self,
                      void (*each) (void *arg, const struct token *), void *arg,
                      struct error *e) MUST_CHECK;
/* ERR_NOT_FOUND. Again is fine, the first time stands. */
enum err tokens_revoke (struct store *self, const char *name, struct error *e)
    MUST_CHECK;
/* It was used on that day. */
enum err tokens_used (struct store *self, const char *name, int64_t day_ms,
                      struct error *e) MUST_CHECK;

#endif
