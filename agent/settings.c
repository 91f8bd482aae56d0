/* settings - parley-agent's configuration (settings.h lists it). */
#include "settings.h"

#include "api/tell.h"
#include "api/users.h"
#include "base/config.h"
#include "base/sock.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* A name that may be left out or be "". */
static char *copy (const char *text) {
    return text && *text ? mem_copy_text (text) : NULL;
}

static char *copy_path (struct config *config, const char *name) {
    /* An empty path would be the file's folder. */
    const char *text = config_text (config, name, "");
    return text && *text ? mem_copy_text (config_path (config, name, ""))
                         : NULL;
}

struct raw {
    const char *level, *dialogue, *acknowledge, *digest;
    struct error users; /* what is wrong with them */
};

/* One user; false: there are no more. */
static bool user_read (struct config *config, size_t n, struct users *users,
                       struct error *e) {
    struct buf path = { 0 };
    const char *name = config_below (config, "users", n), *values[3];
    static const char *const members[] = { "role", "login", "function" };
    for (size_t i = 0; name && i < 3; i++) {
        buf_add_format (&path, "users/%s/%s", name, members[i]);
        char *text = buf_take_text (&path);
        values[i] = config_text (config, text, i == 0 ? NULL : "");
        free (text);
    }
    /* A role that is missing is said by config_finish. */
    if (name && values[0] && !e->code)
        (void) !users_add (users, name, *values[1] ? values[1] : name,
                           values[0], *values[2] ? values[2] : NULL, e);
    return name != NULL;
}

static void users_all (struct config *config, struct settings *out,
                       struct error *e) {
    out->users = users_new (config_bool (config, "agent/two-person", false));
    for (size_t n = 0; user_read (config, n, out->users, e); n++)
        ;
    if (users_two_person (out->users) && !users_any (out->users) && !e->code)
        error_set (e, ERR_CONFIG,
                   "agent/two-person needs a section users: without it "
                   "nobody is told apart from another");
}

static void read_all (struct config *config, struct settings *out,
                      struct raw *raw) {
    out->identity = copy (config_path (config, "agent/identity", NULL));
    raw->dialogue = config_text (config, "agent/dialogue", NULL);
    out->roster = copy (config_path (config, "agent/roster", NULL));
    out->store = copy (config_path (config, "agent/store", "store.db"));
    out->socket = copy (config_path (config, "agent/socket", "api.sock"));
    out->desk = copy (config_text (config, "agent/desk", ""));
    out->feed = copy (config_text (config, "agent/feed", ""));
    out->source = copy (config_text (config, "agent/source", ""));
    out->tcp = copy (config_text (config, "agent/tcp", ""));
    out->token_file = copy_path (config, "agent/token-file");
    out->socket_group = copy (config_text (config, "agent/socket-group", ""));
    out->new_store = config_bool (config, "agent/new-store", false);
    raw->acknowledge = config_text (config, "agent/acknowledge", "none");
    out->watch_command = copy (config_text (config, "agent/watch-command", ""));
    raw->digest = config_text (config, "agent/digest-time", "06:00");
    raw->level = config_text (config, "agent/log", "info");
    users_all (config, out, &raw->users);
}

bool settings_loopback (const char *text) {
    static const char *const hosts[] = { "127.0.0.1:", "[::1]:" };
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen (hosts[i]);
        if (strncmp (text, hosts[i], size) != 0)
            continue;
        const char *port = text + size;
        size_t digits = strspn (port, "0123456789");
        return digits > 0 && digits <= 5 && port[digits] == '\0'
               && port[0] != '0' && strtoul (port, NULL, 10) <= UINT16_MAX;
    }
    return false;
}

static enum err endpoint_check (const char *path, const char *name,
                                const char *endpoint, struct error *e) {
    if (!endpoint || !sock_endpoint_check (endpoint, e))
        return ERR_NONE;
    error_at (e, "%s: agent/%s", path, name);
    return e->code = ERR_CONFIG;
}

static bool address_valid (const char *text) {
    uint8_t address[16];
    return inet_pton (AF_INET, text, address) == 1
           || inet_pton (AF_INET6, text, address) == 1;
}

static enum err api_check (const struct settings *self, const char *path,
                           struct error *e) {
    if (!self->socket)
        return error_set (e, ERR_CONFIG, "%s: agent/socket is empty", path);
    size_t size = strlen (self->socket);
    if (size > SOCKET_PATH_MAX)
        return error_set (e, ERR_CONFIG,
                          "%s: agent/socket: a path of %zu octets; the system "
                          "takes at most %d",
                          path, size, SOCKET_PATH_MAX);
    if (self->tcp && !settings_loopback (self->tcp))
        return error_set (e, ERR_CONFIG,
                          "%s: agent/tcp is '%s', not 127.0.0.1:PORT or "
                          "[::1]:PORT: the API is for this machine",
                          path, self->tcp);
    if (!self->tcp && self->token_file)
        return error_set (e, ERR_CONFIG,
                          "%s: agent/token-file is for agent/tcp, which is not "
                          "there",
                          path);
    return ERR_NONE;
}

/* "06:00". */
static bool time_read (const char *text, int64_t *out) {
    static const char digits[] = "0123456789";
    if (strlen (text) != 5 || text[2] != ':' || strspn (text, digits) != 2
        || strspn (text + 3, digits) != 2)
        return false;
    int64_t hour = (text[0] - '0') * 10 + (text[1] - '0');
    int64_t minute = (text[3] - '0') * 10 + (text[4] - '0');
    *out = (hour * 60 + minute) * 60000;
    return hour < 24 && minute < 60;
}

static enum err watching_check (struct settings *self, const char *path,
                                const struct raw *raw, struct error *e) {
    if (self->watch_command && tell_check (self->watch_command, e))
        return error_at (e, "%s: agent/watch-command", path);
    if (!time_read (raw->digest, &self->digest_ms))
        return error_set (e, ERR_CONFIG,
                          "%s: agent/digest-time is '%s', not a time of the "
                          "day such as 06:00",
                          path, raw->digest);
    return ERR_NONE;
}

/* What config_finish can't know. */
static enum err values_check (struct settings *self, const char *path,
                              const struct raw *raw, struct error *e) {
    if (hash_parse (raw->dialogue, &self->dialogue))
        return error_set (e, ERR_CONFIG,
                          "%s: agent/dialogue is '%s', not 64 lower case hex "
                          "digits",
                          path, raw->dialogue);
    if (log_level_parse (raw->level, &self->log))
        return error_set (e, ERR_CONFIG,
                          "%s: agent/log is '%s', not one of debug, info, "
                          "warn, error",
                          path, raw->level);
    if (strcmp (raw->acknowledge, "none") != 0
        && !ack_state_read (slice_text (raw->acknowledge), &self->acknowledge))
        return error_set (e, ERR_CONFIG,
                          "%s: agent/acknowledge is '%s', not one of none, "
                          "verified, seen",
                          path, raw->acknowledge);
    if (self->source && !address_valid (self->source))
        return error_set (e, ERR_CONFIG,
                          "%s: agent/source is '%s', not an IPv4 or IPv6 "
                          "address",
                          path, self->source);
    if (raw->users.code) {
        *e = raw->users;
        return error_at (e, "%s", path);
    }
    enum err rc = endpoint_check (path, "desk", self->desk, e);
    if (!rc)
        rc = endpoint_check (path, "feed", self->feed, e);
    if (!rc)
        rc = watching_check (self, path, raw, e);
    return rc ? rc : api_check (self, path, e);
}

struct settings *settings_load (const char *path, struct error *e) {
    struct config *config = config_load (path, e);
    if (!config) {
        e->code = ERR_CONFIG; /* also where it can't be read */
        return NULL;
    }
    struct settings *self = mem_alloc (sizeof *self);
    struct raw raw = { 0 };
    read_all (config, self, &raw);
    enum err rc = config_finish (config, e);
    if (!rc)
        rc = values_check (self, path, &raw, e);
    config_destroy (&config);
    if (rc)
        settings_destroy (&self);
    return self;
}

void settings_destroy (struct settings **self_p) {
    if (!self_p || !*self_p)
        return;
    struct settings *self = *self_p;
    *self_p = NULL;
    free (self->identity);
    free (self->roster);
    free (self->store);
    free (self->socket);
    free (self->desk);
    free (self->feed);
    free (self->source);
    free (self->tcp);
    free (self->token_file);
    free (self->socket_group);
    free (self->watch_command);
    users_destroy (&self->users);
    free (self);
}
