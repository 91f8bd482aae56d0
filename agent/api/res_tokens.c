/* res_tokens - GET, POST /tokens; DELETE /tokens/{name}: who may ask by a
 * secret, as the operator says. */
#include "api/access.h"
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "base/clock.h"
#include "store/tokens.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *text_or_null (const char *text) {
    return *text ? json_string (text) : json_null();
}

static json_t *token_json (const struct token *token) {
    char day[CLOCK_TEXT_MAX] = "";
    if (token->used_ms > 0)
        clock_text (day, token->used_ms)[10] = '\0';
    return json_pack (
        "{ss so so so ss so so so so}", "name", token->name, "roles",
        access_roles (token->roles), "user", text_or_null (token->user),
        "function", text_or_null (token->function), "made_by", token->maker,
        "created", json_time (token->created_ms), "expires",
        json_time_or_null (token->expires_ms), "last_used", text_or_null (day),
        "revoked", json_time_or_null (token->revoked_ms));
}

/* Listing */

static void token_add (void *arg, const struct token *token) {
    json_array_append_new (arg, token_json (token));
}

void tokens_get (struct request *r) {
    struct error e = { 0 };
    struct store *store = request_reader (r);
    if (!store)
        return;
    json_t *list = json_array();
    if (!tokens_list (store, token_add, list, &e)) {
        reply_json (r, 200, json_pack ("{so}", "tokens", list));
        return;
    }
    json_decref (list);
    problem_error (r, &e);
}

/* A new one */

struct making {
    struct token token;
    struct hash digest;
    const struct user *user;
};

/* false: *e says which member. */
static bool text_take (const json_t *body, const char *name, char *out,
                       size_t room, struct error *e) {
    const json_t *value = json_object_get (body, name);
    const char *text = json_string_value (value);
    if (value && !text)
        (void) error_set (e, ERR_MALFORMED, "%s is a text", name);
    else if (text && strlen (text) >= room)
        (void) error_set (e, ERR_MALFORMED, "%s has %zu octets; at most %zu",
                          name, strlen (text), room - 1);
    else
        snprintf (out, room, "%s", text ? text : "");
    return !e->code;
}

static enum err expiry_take (const json_t *body, struct token *out,
                             struct error *e) {
    const json_t *value = json_object_get (body, "expires");
    const char *text = json_string_value (value);
    if (!value || json_is_null (value))
        return ERR_NONE;
    if (!text || clock_parse (text, &out->expires_ms)
        || out->expires_ms <= clock_wall_ms())
        return error_set (e, ERR_MALFORMED,
                          "expires is a time to come, such as 2027-01-31");
    return ERR_NONE;
}

static enum err members_check (const json_t *body, struct error *e) {
    static const char *const known[] = { "name",     "role",    "user",
                                         "function", "expires", NULL };
    const char *name;
    json_t *value;
    if (!json_is_object (body))
        return error_set (e, ERR_MALFORMED, "the body is no JSON object");
    json_object_foreach ((json_t *) (uintptr_t) body, name, value) {
        size_t i = 0;
        while (known[i] && strcmp (known[i], name) != 0)
            i++;
        if (!known[i])
            return error_set (e, ERR_MALFORMED, "unknown member '%.80s'", name);
    }
    return ERR_NONE;
}

static enum err token_read (const json_t *body, struct token *out,
                            struct error *e) {
    char roles[ROLES_TEXT_MAX];
    if (members_check (body, e)
        || !text_take (body, "name", out->name, sizeof out->name, e)
        || !text_take (body, "user", out->user, sizeof out->user, e)
        || !text_take (body, "function", out->function, sizeof out->function, e)
        || !text_take (body, "role", roles, sizeof roles, e))
        return e->code;
    if (!user_name_valid (out->name)
        || (*out->user && !user_name_valid (out->user)))
        return error_set (e, ERR_MALFORMED,
                          "a name is 1 to %d of letters, digits, '.', '_', '@' "
                          "and '-'",
                          USER_NAME_MAX);
    if (!roles_read (roles, &out->roles))
        return error_set (e, ERR_MALFORMED,
                          "role is one or more of reader, drafter, releaser, "
                          "operator");
    if (!user_function_valid (out->function))
        return error_set (e, ERR_MALFORMED,
                          "function has at most 200 characters, and no "
                          "controls");
    return expiry_take (body, out, e);
}

static enum err make_it (struct store *writer, void *arg, struct error *e) {
    const struct making *self = arg;
    enum err rc = store_begin (writer, e);
    if (rc)
        return rc;
    rc = tokens_add (writer, &self->token, &self->digest, e);
    if (!rc)
        rc = publish_note (writer, self->user, "token-new", self->token.name, 0,
                           0, e);
    return store_end (writer, rc, e);
}

static void token_make (struct request *r, struct making *making) {
    char secret[TOKEN_SECRET_MAX];
    struct error e = { 0 };
    token_secret (secret);
    making->digest = hash_blake2b (slice_text (secret));
    making->user = &r->user;
    making->token.created_ms = clock_wall_ms();
    snprintf (making->token.maker, sizeof making->token.maker, "%s",
              r->user.name);
    enum err rc = handles_write (&r->http->handles, make_it, making, &e);
    if (!rc) {
        json_t *answer = token_json (&making->token);
        json_object_set_new (answer, "secret", json_string (secret));
        reply_json (r, 201, answer);
    } else if (rc == ERR_EXISTS)
        problem_reply (r, PROBLEM_NAME_TAKEN, "%s", e.text);
    else
        problem_error (r, &e);
    sodium_memzero (secret, sizeof secret);
}

/* A user of the configuration who is not there would have no role. */
struct wanted {
    const char *name;
    bool found;
};

static void user_look (void *arg, const char *name) {
    struct wanted *self = arg;
    self->found = self->found || strcmp (name, self->name) == 0;
}

static bool user_known (struct request *r, const char *name) {
    struct wanted wanted = { .name = name };
    if (!*name)
        return true;
    http_users_with (r->http, ROLE_READER, user_look, &wanted);
    if (!wanted.found)
        problem_reply (r, PROBLEM_BAD_REQUEST,
                       "user: '%s' is none of the agent's configuration", name);
    return wanted.found;
}

void tokens_post (struct request *r) {
    struct error e = { 0 };
    struct making *making = mem_alloc (sizeof *making);
    json_t *body = json_loadb ((const char *) r->body.data, r->body.size,
                               JSON_REJECT_DUPLICATES, NULL);
    if (token_read (body, &making->token, &e))
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    else if (user_known (r, making->token.user))
        token_make (r, making);
    json_decref (body);
    free (making);
}

/* Its end */

struct revoking {
    const char *name;
    const struct user *user;
};

static enum err revoke_it (struct store *writer, void *arg, struct error *e) {
    const struct revoking *self = arg;
    enum err rc = store_begin (writer, e);
    if (rc)
        return rc;
    rc = tokens_revoke (writer, self->name, e);
    if (!rc)
        rc = publish_note (writer, self->user, "token-revoke", self->name, 0, 0,
                           e);
    return store_end (writer, rc, e);
}

void token_delete (struct request *r) {
    struct error e = { 0 };
    struct revoking revoking = { r->segment, &r->user };
    if (handles_write (&r->http->handles, revoke_it, &revoking, &e))
        problem_error (r, &e);
    else
        reply_empty (r, 204);
}
