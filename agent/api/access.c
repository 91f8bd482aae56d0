/* access - names and roles of requests. */
#include "api/access.h"

#include "api/http_impl.h"
#include "api/problem.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define DAY_MS ((int64_t) 86400000)

/* Who asks */

static bool account_of (struct request *r, uid_t *uid) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info (
        r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (!info
        || getsockopt (info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size)
               != 0)
        return false;
    *uid = peer.uid;
    return true;
}

static bool unauthorized (struct request *r, const char *why) {
    problem_reply (r, PROBLEM_UNAUTHORIZED, "%s", why);
    reply_header (r, "WWW-Authenticate", "Bearer");
    return false;
}

static bool by_account (struct request *r) {
    uid_t uid;
    if (!account_of (r, &uid))
        return unauthorized (r, "the account at the other end is not known");
    http_user_account (r->http, uid, &r->user);
    return true;
}

struct use {
    const struct token *token;
    int64_t day_ms;
};

static enum err use_note (struct store *writer, void *arg, struct error *e) {
    const struct use *self = arg;
    return tokens_used (writer, self->token->name, self->day_ms, e);
}

/* Once a day: that it is used at all is what its operator wants to know. */
static void used (struct request *r, const struct token *token, int64_t now) {
    struct error e;
    struct use use = { token, now - now % DAY_MS };
    if (token->used_ms != use.day_ms
        && handles_write (&r->http->handles, use_note, &use, &e))
        log_limited (LOG_WARN, "API-TOKEN-USE", "", "why=%s",
                     log_text (e.text));
}

/* Says why not, to who has the secret. */
static bool token_good (struct request *r, const struct token *token,
                        int64_t now) {
    if (token->revoked_ms > 0)
        return unauthorized (r, "this token was revoked");
    if (token->expires_ms > 0 && now >= token->expires_ms)
        return unauthorized (r, "the time of this token is over");
    return true;
}

static bool by_named_token (struct request *r, const struct hash *digest) {
    struct error e = { 0 };
    struct token token;
    int64_t now = clock_wall_ms();
    struct store *store = request_reader (r);
    if (!store)
        return false;
    enum err rc = tokens_find (store, digest, &token, &e);
    request_release (r);
    if (rc == ERR_NOT_FOUND) {
        log_limited (LOG_WARN, "API-TOKEN", "", "why=unknown");
        return unauthorized (r, "there is no such token: Authorization: Bearer "
                                "TOKEN takes one of the token file, or one of "
                                "parley token new");
    }
    if (rc) {
        problem_error (r, &e);
        return false;
    }
    if (!token_good (r, &token, now))
        return false;
    used (r, &token, now);
    http_user_token (r->http, &token, &r->user);
    return true;
}

bool access_ask (struct request *r, const struct http_door *door) {
    static const char scheme[] = "Bearer ";
    const char *given = request_header (r, "Authorization");
    if (!given && !door->guarded)
        return by_account (r);
    if (!given || strncasecmp (given, scheme, sizeof scheme - 1) != 0) {
        log_limited (LOG_WARN, "API-TOKEN", "", "port=%u why=none", door->port);
        return unauthorized (r, "each request brings a token: Authorization: "
                                "Bearer TOKEN");
    }
    if (guard_allows (&door->http->guard, given)) {
        users_token_file (&r->user);
        return true;
    }
    struct hash digest = hash_blake2b (slice_text (given + sizeof scheme - 1));
    return by_named_token (r, &digest);
}

/* What he may do */

json_t *access_roles (unsigned roles) {
    json_t *out = json_array();
    for (unsigned role = ROLE_READER; role <= ROLE_OPERATOR; role <<= 1)
        if (roles & role)
            json_array_append_new (out, json_string (role_name (role)));
    return out;
}

json_t *access_json (const struct user *user) {
    return json_pack ("{ss so so}", "name", user->name, "roles",
                      access_roles (user->roles), "function",
                      *user->function ? json_string (user->function)
                                      : json_null());
}

bool access_draft (struct request *r) {
    const char *text = request_query (r, "draft");
    return text && strcmp (text, "true") == 0;
}

static void name_add (void *arg, const char *name) {
    json_array_append_new (arg, json_string (name));
}

static const char *instead (const struct request *r, enum role needed) {
    if (!(r->user.roles & ROLES_ALL))
        return "an operator gives roles in the agent's configuration (users)";
    if (needed == ROLE_RELEASER && r->route && r->route->role == ROLE_PUBLISH
        && (r->user.roles & ROLE_DRAFTER))
        return "keep it as a draft, which a releaser sends: draft=true "
               "(parley ... --draft)";
    if (needed == ROLE_OPERATOR)
        return "ask an operator of this agent";
    return "ask one who has it, or an operator for the role";
}

static void forbid (struct request *r, enum role needed) {
    char roles[ROLES_TEXT_MAX], who[160] = "";
    json_t *names = json_array(), *name;
    size_t i, used = 0;
    http_users_with (r->http, needed, name_add, names);
    json_array_foreach (names, i, name) {
        if (used < sizeof who)
            used += (size_t) snprintf (who + used, sizeof who - used, "%s%s",
                                       i ? ", " : "; it is with ",
                                       json_string_value (name));
    }
    const char *what = instead (r, needed);
    problem_reply_with (
        r, PROBLEM_FORBIDDEN,
        json_pack ("{ss so ss ss so}", "needs", role_name (needed), "roles",
                   access_roles (r->user.roles), "you", r->user.name, "instead",
                   what, "who", names),
        "this needs the role %s, and %s has %s%s; %s", role_name (needed),
        r->user.name, roles_text (r->user.roles, roles), who, what);
}

bool access_may (struct request *r, enum role role) {
    if (r->user.roles & (unsigned) role)
        return true;
    log_limited (LOG_INFO, "API-FORBIDDEN", r->user.name, "user=%s needs=%s",
                 log_text (r->user.name), role_name (role));
    forbid (r, role);
    return false;
}

void access_two_persons (struct request *r, const char *why) {
    problem_reply_with (
        r, PROBLEM_FORBIDDEN,
        json_pack ("{ss ss so ss}", "needs", "another person", "you",
                   r->user.name, "roles", access_roles (r->user.roles),
                   "instead", why),
        "two persons are asked for here, who writes and who releases "
        "(two-person): %s",
        why);
}

bool access_route (struct request *r) {
    enum role role = r->route->role;
    bool publishes = role == ROLE_PUBLISH, draft = access_draft (r);
    if (publishes)
        role = draft ? ROLE_DRAFTER : ROLE_RELEASER;
    if (!access_may (r, role))
        return false;
    if (!publishes || draft || !http_two_person (r->http))
        return true;
    access_two_persons (r, "keep it as a draft, which another releaser sends: "
                           "draft=true (parley ... --draft)");
    return false;
}
