/* http - the daemon behind the API: sockets, MHD, and each request's way from
 * its headers to its answer. */
#include "api/http_impl.h"

#include "api/access.h"
#include "api/import_job.h"
#include "api/problem.h"
#include "api/watcher.h"
#include "base/clock.h"
#include "base/log.h"
#include "identity/roster.h"
#include "link/link.h"
#include "store/sendings.h"

#include <sodium.h>

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define STACK_OCTETS ((size_t) 1 << 20)
#define POOL_OCTETS ((size_t) 32768) /* request line, headers, and buffers */

/* Roster */

struct newest {
    struct buf note;
    int64_t sequence;
};

static enum err newest_keep (void *arg, int64_t version, int64_t sequence,
                             struct slice note, struct error *e) {
    struct newest *self = arg;
    (void) version, (void) e;
    buf_clear (&self->note);
    buf_add_slice (&self->note, note);
    self->sequence = sequence;
    return ERR_NONE;
}

struct roster *http_roster (struct http *self, struct store *store,
                            int64_t *sequence, struct error *e) {
    struct roster *roster = NULL;
    *sequence = -1;
    if (self->options.link)
        roster = link_roster (self->options.link, sequence);
    if (roster)
        return roster;
    struct newest newest = { .sequence = -1 };
    if (!store_rosters (store, newest_keep, &newest, e)) {
        if (newest.note.size == 0)
            error_set (e, ERR_STATE, "no roster is known yet");
        else
            roster = roster_read (buf_slice (&newest.note), e);
    }
    if (roster)
        *sequence = newest.sequence;
    buf_free (&newest.note);
    return roster;
}

/* Users: the configuration's, which may be read anew. */

void http_user_account (struct http *self, uid_t uid, struct user *out) {
    pthread_rwlock_rdlock (&self->users_lock);
    users_account (self->users, uid, out);
    pthread_rwlock_unlock (&self->users_lock);
}

void http_user_token (struct http *self, const struct token *token,
                      struct user *out) {
    pthread_rwlock_rdlock (&self->users_lock);
    users_token (self->users, token, out);
    pthread_rwlock_unlock (&self->users_lock);
}

void http_users_with (struct http *self, enum role role,
                      void (*each) (void *arg, const char *name), void *arg) {
    pthread_rwlock_rdlock (&self->users_lock);
    users_with (self->users, role, each, arg);
    pthread_rwlock_unlock (&self->users_lock);
}

bool http_two_person (struct http *self) {
    pthread_rwlock_rdlock (&self->users_lock);
    bool out = users_two_person (self->users);
    pthread_rwlock_unlock (&self->users_lock);
    return out;
}

bool http_users_listed (struct http *self) {
    pthread_rwlock_rdlock (&self->users_lock);
    bool out = self->users && users_any (self->users);
    pthread_rwlock_unlock (&self->users_lock);
    return out;
}

void http_set_users (struct http *self, struct users **users_p) {
    pthread_rwlock_wrlock (&self->users_lock);
    struct users *old = self->users;
    self->users = *users_p;
    pthread_rwlock_unlock (&self->users_lock);
    *users_p = NULL;
    users_destroy (&old);
}

/* A request's first look: everything that its headers decide. Each answers with
 * a problem and returns false where it stops there. */

static bool door_opens (struct request *r, const struct http_door *door) {
    if (!door->guarded || guard_host (request_header (r, "Host"), door->port))
        return access_ask (r, door);
    problem_reply (r, PROBLEM_HOST,
                   "Host must be localhost, 127.0.0.1 or [::1], and the port "
                   "%u",
                   door->port);
    return false;
}

static bool route_fits (struct request *r, const char *method,
                        const char *path) {
    bool known;
    char allow[64];
    r->route = router_find (method, path, r->segment, &known, allow);
    if (r->route)
        return true;
    if (known) {
        problem_reply (r, PROBLEM_METHOD, "%.20s %.200s; allowed: %s", method,
                       path, allow);
        reply_header (r, "Allow", allow);
    } else {
        problem_reply (r, PROBLEM_NOT_FOUND, "no such path: %.200s", path);
    }
    return false;
}

static enum MHD_Result query_check (void *arg, enum MHD_ValueKind kind,
                                    const char *name, const char *value) {
    struct request *r = arg;
    (void) kind;
    bool known = router_query (r->route, name);
    /* The first of two equal ones is what a lookup gives. */
    bool twice = known && value && request_query (r, name) != value;
    if (known && !twice)
        return MHD_YES;
    if (!r->response)
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", name,
                            twice ? "'%.80s' is given twice"
                                  : "'%.80s' is no parameter of this path",
                            name);
    return MHD_NO;
}

static bool query_fits (struct request *r) {
    MHD_get_connection_values (r->connection, MHD_GET_ARGUMENT_KIND,
                               query_check, r);
    return !r->response;
}

/* "application/json; charset=utf-8" is application/json. */
static bool type_is (const char *given, const char *type) {
    size_t size = strlen (type);
    return given && strncasecmp (given, type, size) == 0
           && strchr (" ;", given[size]) != NULL;
}

static bool type_fits (struct request *r) {
    const char *type = request_header (r, "Content-Type");
    if (!r->route->type || type_is (type, r->route->type))
        return true;
    problem_reply (r, PROBLEM_MEDIA_TYPE,
                   "Content-Type is '%.80s'; here it has to be %s",
                   type ? type : "", r->route->type);
    return false;
}

static void answer_too_large (struct request *r) {
    size_t max = r->route ? r->route->body_max : 0;
    problem_reply_int (r, PROBLEM_TOO_LARGE, "limit", (int64_t) max,
                       "the body is above the limit of %zu octets here", max);
}

/* What a body declares. A fault of the rest is told only after a body that is
 * small enough: a client that still writes may not listen. */
static bool body_fits (struct request *r) {
    const char *length = request_header (r, "Content-Length");
    size_t max = r->response ? request_passed_max (r) : r->route->body_max;
    if (!length || strtoull (length, NULL, 10) <= max)
        return true;
    if (!r->response)
        answer_too_large (r);
    return false;
}

/* Is the body to be read? What is wrong already is in r->response. */
static bool first_look (struct request *r, const struct http_door *door,
                        const char *method, const char *path) {
    if (!door_opens (r, door))
        return false;
    if (route_fits (r, method, path) && access_route (r) && query_fits (r))
        (void) type_fits (r);
    return body_fits (r);
}

static void answer (struct request *r) {
    if (r->response)
        return;
    if (r->passed_over > 0)
        answer_too_large (r);
    else
        r->route->handle (r);
    request_release (r);
}

/* MHD's callbacks */

/* A closed connection says nothing to who asked, nor to us: a handler that left
 * a way out without an answer is our fault, and told. */
static enum MHD_Result send_answer (struct request *r) {
    if (!r->response) {
        log_error ("API-NO-ANSWER", "path=%s",
                   log_text (r->route ? r->route->path : ""));
        problem_reply (r, PROBLEM_INTERNAL, "nothing was answered");
    }
    if (!r->response) /* out of memory */
        return MHD_NO;
    return MHD_queue_response (r->connection, r->status, r->response);
}

static enum MHD_Result on_request (void *cls, struct MHD_Connection *connection,
                                   const char *url, const char *method,
                                   const char *version, const char *data,
                                   size_t *size, void **state) {
    struct http_door *door = cls;
    struct request *r = *state;
    (void) version;
    if (!r) {
        *state = r = request_new (door->http, connection);
        return first_look (r, door, method, url) ? MHD_YES : send_answer (r);
    }
    if (*size > 0) {
        bool fine = request_take (r, data, *size);
        *size = 0;
        return fine ? MHD_YES : MHD_NO;
    }
    answer (r);
    return send_answer (r);
}

static void on_completed (void *cls, struct MHD_Connection *connection,
                          void **state, enum MHD_RequestTerminationCode code) {
    (void) cls, (void) connection, (void) code;
    struct request *r = *state;
    request_destroy (&r);
    *state = NULL;
}

/* %00 would cut a text short: it stays as it is, and fits nothing. */
static size_t on_unescape (void *cls, struct MHD_Connection *connection,
                           char *text) {
    (void) cls, (void) connection;
    return strstr (text, "%00") ? strlen (text) : MHD_http_unescape (text);
}

static void on_log (void *cls, const char *format, va_list args)
    PRINTF_LIKE (2, 0);
static void on_log (void *cls, const char *format, va_list args) {
    (void) cls;
    char text[256];
    vsnprintf (text, sizeof text, format, args);
    text[strcspn (text, "\n")] = '\0';
    /* Connections above the limit are closed without a word. */
    bool full = strstr (text, "connection limit") != NULL;
    log_limited (full ? LOG_WARN : LOG_DEBUG, "API-MHD", full ? "limit" : "",
                 "text=%s", log_text (text));
}

/* Starting and ending */

static enum err door_open (struct http_door *door, struct http *http, int fd,
                           bool guarded, uint16_t port, struct error *e) {
    *door =
        (struct http_door){ .http = http, .guarded = guarded, .port = port };
    door->daemon = MHD_start_daemon (
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION
            | MHD_USE_POLL | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, door, MHD_OPTION_EXTERNAL_LOGGER, on_log,
        NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned) HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned) HTTP_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        POOL_OCTETS, MHD_OPTION_THREAD_STACK_SIZE, STACK_OCTETS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, NULL, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
        MHD_OPTION_END);
    return door->daemon ? ERR_NONE
                        : error_set (e, ERR_IO, "the HTTP daemon can't start");
}

static enum err unix_start (struct http *self, struct error *e) {
    int fd = listen_unix_group (self->options.socket,
                                self->options.socket_group, &self->file, e);
    if (fd < 0)
        return e->code;
    self->bound = true;
    return door_open (&self->unix_door, self, fd, false, 0, e);
}

static enum err tcp_start (struct http *self, struct error *e) {
    uint16_t port;
    if (!self->options.tcp)
        return ERR_NONE;
    if (self->options.token_file
        && guard_load (&self->guard, self->options.token_file, e))
        return e->code;
    int fd = listen_loopback (self->options.tcp, &port, e);
    return fd < 0 ? e->code
                  : door_open (&self->tcp_door, self, fd, true, port, e);
}

struct http *http_new (const struct http_options *options, struct error *e) {
    struct http *self = mem_alloc (sizeof *self);
    self->options = *options;
    self->started_ms = clock_wall_ms();
    if (options->users) { /* before a door is open */
        self->users = *options->users;
        *options->users = NULL;
    }
    wake_init (&self->wake);
    pthread_rwlock_init (&self->users_lock, NULL);
    answers_open (&self->answers);
    if (options->link)
        self->import = import_job_new (options->link, options->dialogue);
    enum err rc = handles_open (&self->handles, options->store,
                                options->dialogue, options->delegation, e);
    if (!rc)
        rc = store_begin_run (self->handles.writer, self->run, e);
    if (!rc)
        rc = sendings_clear (self->handles.writer, e);
    if (!rc && !(self->watcher = watcher_new (self, e)))
        rc = e->code;
    if (!rc)
        rc = unix_start (self, e);
    if (!rc)
        rc = tcp_start (self, e);
    if (rc)
        http_destroy (&self);
    return self;
}

void http_changed (struct http *self) {
    wake_news (&self->wake);
}

uint16_t http_port (const struct http *self) {
    return self->tcp_door.port;
}

void http_destroy (struct http **self_p) {
    if (!self_p || !*self_p)
        return;
    struct http *self = *self_p;
    *self_p = NULL;
    wake_stop (&self->wake);
    import_job_destroy (&self->import);
    if (self->bound)
        listen_unix_remove (self->options.socket, &self->file);
    if (self->tcp_door.daemon)
        MHD_stop_daemon (self->tcp_door.daemon);
    if (self->unix_door.daemon)
        MHD_stop_daemon (self->unix_door.daemon);
    watcher_destroy (&self->watcher);
    handles_close (&self->handles);
    answers_close (&self->answers);
    wake_free (&self->wake);
    users_destroy (&self->users);
    pthread_rwlock_destroy (&self->users_lock);
    sodium_memzero (&self->guard, sizeof self->guard);
    free (self);
}
