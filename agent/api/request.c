/* request - parameters and answers of one HTTP request. */
#include "api/request.h"

#include "api/http_impl.h"
#include "api/problem.h"
#include "api/upload.h"
#include "base/clock.h"
#include "base/topic.h"
#include "format/message.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

struct request *request_new (struct http *http,
                             struct MHD_Connection *connection) {
    struct request *self = mem_alloc (sizeof *self);
    self->http = http;
    self->connection = connection;
    self->deadline_ms = clock_mono_ms() + HTTP_TIMEOUT_S * 1000;
    return self;
}

void request_release (struct request *self) {
    handles_give (&self->http->handles, &self->reader);
}

void request_destroy (struct request **self_p) {
    struct request *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    request_release (self);
    json_decref (self->also);
    if (self->response)
        MHD_destroy_response (self->response);
    upload_free (self, &self->upload);
    buf_free (&self->body);
    free (self);
}

size_t request_passed_max (const struct request *self) {
    return self->route && self->route->take ? self->route->body_max
                                            : REQUEST_PASSED_MAX;
}

bool request_take (struct request *self, const char *data, size_t size) {
    if (self->route && self->route->take && !self->response)
        return self->route->take (self, data, size)
               && clock_mono_ms() < self->deadline_ms;
    size_t max = self->response ? 0 : self->route->body_max;
    if (self->passed_over == 0 && size <= max - self->body.size) {
        buf_add (&self->body, data, size);
    } else {
        buf_free (&self->body);
        self->passed_over += size;
    }
    return self->passed_over <= request_passed_max (self)
           && clock_mono_ms() < self->deadline_ms;
}

/* Parameters */

const char *request_query (struct request *self, const char *name) {
    const char *value = NULL;
    size_t size;
    if (MHD_lookup_connection_value_n (self->connection, MHD_GET_ARGUMENT_KIND,
                                       name, strlen (name), &value, &size)
        == MHD_NO)
        return NULL;
    return value ? value : "";
}

char *request_query_topic (struct request *self, const char *name) {
    const char *value = request_query (self, name);
    char *out = value ? mem_copy_text (value) : NULL;
    for (char *at = out; at && *at; at++)
        if (*at == ' ')
            *at = '+';
    return out;
}

static bool bad_parameter (struct request *self, const char *name,
                           const char *value, const char *rule) {
    problem_reply_text (self, PROBLEM_BAD_PARAMETER, "parameter", name,
                        "'%s' is '%.80s': %s", name, value, rule);
    return false;
}

/* 16 digits hold 2^53 - 1. */
bool decimal_read (const char *text, int64_t *out) {
    size_t size = strlen (text);
    if (size == 0 || size > 16 || strspn (text, "0123456789") != size)
        return false;
    *out = strtoll (text, NULL, 10);
    return *out <= NUMBER_MAX;
}

bool request_query_int (struct request *self, const char *name,
                        int64_t fallback, int64_t min, int64_t max,
                        int64_t *out) {
    const char *value = request_query (self, name);
    *out = fallback;
    if (!value)
        return true;
    if (decimal_read (value, out) && *out >= min && *out <= max)
        return true;
    char rule[80];
    snprintf (rule, sizeof rule, "a number from %" PRId64 " to %" PRId64, min,
              max);
    return bad_parameter (self, name, value, rule);
}

bool request_query_time (struct request *self, const char *name,
                         int64_t fallback, int64_t *out) {
    const char *value = request_query (self, name);
    *out = fallback;
    if (!value)
        return true;
    /* An offset's '+' may arrive as a blank, as in request_query_topic. */
    char *text = request_query_topic (self, name);
    bool fine = clock_parse (text, out) == ERR_NONE && *out >= 0;
    free (text);
    return fine || bad_parameter (self, name, value, "an RFC 3339 time");
}

bool request_query_filter (struct request *self, const char *name, char **out) {
    struct error e;
    *out = request_query_topic (self, name);
    if (!*out || !filter_check (slice_text (*out), &e))
        return true;
    bad_parameter (self, name, *out, e.text);
    free (*out);
    *out = NULL;
    return false;
}

bool request_query_word (struct request *self, const char *name,
                         const char *const *words, int fallback, int *out) {
    const char *value = request_query (self, name);
    *out = fallback;
    if (!value)
        return true;
    char rule[128] = "one of";
    for (int i = 0; words[i]; i++) {
        if (strcmp (words[i], value) == 0) {
            *out = i;
            return true;
        }
        size_t used = strlen (rule);
        snprintf (rule + used, sizeof rule - used, " %s", words[i]);
    }
    return bad_parameter (self, name, value, rule);
}

const char *request_header (struct request *self, const char *name) {
    return MHD_lookup_connection_value (self->connection, MHD_HEADER_KIND,
                                        name);
}

bool connection_gone (struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd item = { .fd = info ? info->connect_fd : -1 };
    return poll (&item, 1, 0) == 1
           && (item.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* Store and roster */

struct store *request_reader (struct request *self) {
    struct error e = { 0 };
    if (!self->reader)
        self->reader = handles_take (&self->http->handles, &e);
    if (!self->reader)
        problem_error (self, &e);
    return self->reader;
}

struct roster *request_roster (struct request *self, struct store *store,
                               int64_t *sequence) {
    struct error e = { 0 };
    struct roster *roster = http_roster (self->http, store, sequence, &e);
    if (roster)
        return roster;
    if (e.code == ERR_STATE)
        problem_reply (self, PROBLEM_NO_ROSTER, "%s", e.text);
    else
        problem_error (self, &e);
    return NULL;
}

/* Answers */

void reply_response (struct request *self, unsigned status, const char *type,
                     struct MHD_Response *response) {
    assert (!self->response);
    self->status = status;
    self->response = response;
    if (!response) /* out of memory: the connection is closed */
        return;
    if (type)
        reply_header (self, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    reply_header (self, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    reply_header (self, "X-Content-Type-Options", "nosniff");
}

void reply_header (struct request *self, const char *name, const char *value) {
    if (self->response)
        (void) MHD_add_response_header (self->response, name, value);
}

void reply_json (struct request *self, unsigned status, json_t *json) {
    char *text = json ? json_dumps (json, JSON_COMPACT) : NULL;
    json_decref (json);
    if (!text) {
        problem_reply (self, PROBLEM_INTERNAL, "the answer is no JSON");
        return;
    }
    reply_response (self, status, "application/json",
                    MHD_create_response_from_buffer (strlen (text), text,
                                                     MHD_RESPMEM_MUST_FREE));
}

static struct MHD_Response *copied (struct slice octets) {
    static uint8_t nothing;
    union {
        const uint8_t *given;
        void *wanted; /* MHD copies, but does not say const */
    } data = { octets.size ? octets.data : &nothing };
    return MHD_create_response_from_buffer (octets.size, data.wanted,
                                            MHD_RESPMEM_MUST_COPY);
}

void reply_octets (struct request *self, const char *type,
                   struct slice octets) {
    reply_response (self, 200, type, copied (octets));
}

void reply_empty (struct request *self, unsigned status) {
    reply_response (self, status, NULL, copied ((struct slice){ 0 }));
}
