/* client - one curl handle; every request sets all of its options anew. */
#include "client.h"

#include "base/disk.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>

#define SOCKET_PATH_MAX 107 /* sun_path has 108 with its NUL */
#define CONNECT_MS 5000
#define ANSWER_MS 60000 /* the agent syncs to disk, or waits for a writer */
#define PROBLEM_MAX 65536
#define TOKEN_FILE_MAX 4096
#define ORIGIN "http://localhost" /* the host that an agent answers to */

struct client {
    CURL *curl;
    char *socket;
    char *token;      /* NULL: none */
    json_t *problems; /* of the last refusal, or NULL */
};

/* One request and what comes back. */
struct exchange {
    struct client *client;
    struct curl_slist *headers;
    struct buf answer; /* all of it, or of a problem */
    size_t max;
    client_take_fn *take; /* NULL: kept in answer */
    const char *type;     /* that it needs; NULL: any */
    void *arg;
    struct error *e; /* of take, or of the bound */
    enum err rc;
};

/* The first line of a secret file. */
static char *token_read (const char *path, struct error *e) {
    struct buf text = { 0 };
    char *out = NULL;
    if (!disk_read_secret (path, TOKEN_FILE_MAX, &text, e)) {
        out = buf_take_text (&text);
        out[strcspn (out, "\n")] = '\0';
        if (!*out || strpbrk (out, " \r\t")) {
            error_set (e, ERR_ARGUMENT, "'%s' holds no token", path);
            free (out);
            out = NULL;
        }
    }
    buf_free (&text);
    return out;
}

struct client *client_new (const struct cli *cli, struct error *e) {
    if (!cli->socket || !cli->socket[0]) {
        error_set (e, ERR_ARGUMENT,
                   "which agent? Give --socket PATH, or set PARLEY_SOCKET to "
                   "it: what agent.conf calls \"socket\"");
        return NULL;
    }
    size_t size = strlen (cli->socket);
    if (size > SOCKET_PATH_MAX) {
        error_set (e, ERR_ARGUMENT,
                   "a socket path of %zu octets, at most %d: '%s'", size,
                   SOCKET_PATH_MAX, cli->socket);
        return NULL;
    }
    char *token = NULL;
    if (cli->token_file && cli->token_file[0]
        && !(token = token_read (cli->token_file, e)))
        return NULL;
    curl_global_init (CURL_GLOBAL_DEFAULT);
    struct client *self = mem_alloc (sizeof *self);
    self->token = token;
    self->curl = curl_easy_init();
    self->socket = mem_copy_text (cli->socket);
    if (!self->curl) {
        error_set (e, ERR_DAMAGED, "libcurl does not start");
        client_destroy (&self);
    }
    return self;
}

void client_destroy (struct client **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    curl_easy_cleanup ((*self_p)->curl);
    json_decref ((*self_p)->problems);
    free ((*self_p)->socket);
    if ((*self_p)->token)
        sodium_memzero ((*self_p)->token, strlen ((*self_p)->token));
    free ((*self_p)->token);
    free (*self_p);
    *self_p = NULL;
    errno = saved;
}

/* Paths. */

void client_path (struct buf *out, const char *format, ...) {
    char text[512];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    buf_clear (out);
    buf_add_text (out, text);
}

static void add_encoded (struct buf *out, const char *text) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++)
        if (strchr (plain, *text))
            buf_add_u8 (out, (uint8_t) *text);
        else
            buf_add_format (out, "%%%02X", (unsigned) (uint8_t) *text);
}

void client_query (struct buf *path, const char *name, const char *text) {
    if (!text)
        return;
    bool more = memchr (path->data, '?', path->size) != NULL;
    buf_add_format (path, "%c%s=", more ? '&' : '?', name);
    add_encoded (path, text);
}

void client_query_int (struct buf *path, const char *name, int64_t value) {
    char text[24];
    snprintf (text, sizeof text, "%" PRId64, value);
    client_query (path, name, text);
}

/* Problems. */

static void add_value (struct buf *out, const char *name, json_t *value) {
    static const char *const said[] = { "type",   "title",    "status",
                                        "detail", "instance", "problems",
                                        "needs",  "roles",    "you",
                                        "who",    "instead",  NULL };
    for (size_t i = 0; said[i]; i++)
        if (strcmp (name, said[i]) == 0)
            return;
    struct buf pair = { 0 };
    char *text = json_is_string (value)
                     ? mem_copy_text (json_string_value (value))
                     : json_dumps (value, JSON_COMPACT | JSON_ENCODE_ANY);
    buf_add_format (&pair, " %s=%s", name, text ? text : "?");
    if (!memmem (out->data, out->size, pair.data, pair.size))
        buf_add_slice (out, buf_slice (&pair)); /* the detail has it not */
    buf_free (&pair);
    free (text);
}

/* What is wrong with a parameter, which is an option of the same name. */
static bool parameter_text (struct buf *out, json_t *problem) {
    static const struct {
        const char *name, *hint;
    } hints[] = { { "region", "parley taxonomy show regions lists them" },
                  { "priority", "parley taxonomy show lists them" } };
    const char *type = json_string_value (json_object_get (problem, "type"));
    const char *name =
        json_string_value (json_object_get (problem, "parameter"));
    const char *detail =
        json_string_value (json_object_get (problem, "detail"));
    if (!type || strcmp (type, "urn:parley:problem:BAD-PARAMETER") != 0 || !name
        || !detail)
        return false;
    /* Words to look for are no option; some details name theirs. */
    bool named = strcmp (name, "q") == 0
                 || (detail[0] == '\''
                     && strncmp (detail + 1, name, strlen (name)) == 0);
    buf_add_format (out, "%s%s%s", named ? "" : name, named ? "" : ": ",
                    detail);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp (name, hints[i].name) == 0)
            buf_add_format (out, "; %s", hints[i].hint);
    return true;
}

/* "NAME: detail (values)" */
static void problem_text (struct buf *out, json_t *problem) {
    static const char urn[] = "urn:parley:problem:";
    const char *type = json_string_value (json_object_get (problem, "type"));
    const char *title = json_string_value (json_object_get (problem, "title"));
    const char *detail =
        json_string_value (json_object_get (problem, "detail"));
    const char *name;
    json_t *value;
    if (type && strncmp (type, urn, sizeof urn - 1) == 0) {
        const char *rule = type + sizeof urn - 1;
        size_t size = strlen (rule);
        /* "LIMIT size=3" begins with its rule already. */
        if (!detail || strncmp (detail, rule, size) != 0 || detail[size] != ' ')
            buf_add_format (out, "%s: ", rule);
    }
    /* "POINTER: words", where all of the document is meant. */
    if (detail && strncmp (detail, ": ", 2) == 0)
        detail += 2;
    buf_add_text (out, detail ? detail : title ? title : "refused");
    if (json_object_get (problem, "problems"))
        return; /* whoever asked prints them */
    json_object_foreach (problem, name, value) add_value (out, name, value);
}

static enum err code_of (long status) {
    if (status == 404)
        return ERR_NOT_FOUND;
    if (status == 503 || status == 507)
        return ERR_FULL;
    return status >= 500 ? ERR_DAMAGED : ERR_RIGHT;
}

static enum err problem_error (const struct exchange *x, long status,
                               struct error *e) {
    struct buf text = { 0 };
    json_t *problem = json_loadb ((const char *) x->answer.data, x->answer.size,
                                  JSON_REJECT_DUPLICATES, NULL);
    x->client->problems = json_incref (json_object_get (problem, "problems"));
    if (json_is_object (problem)) {
        if (!parameter_text (&text, problem))
            problem_text (&text, problem);
    } else
        buf_add_format (&text, "the agent answered with status %ld", status);
    char *shown = buf_take_text (&text);
    enum err rc = error_set (e, code_of (status), "%s", shown);
    free (shown);
    json_decref (problem);
    return rc;
}

/* Requests. */

static bool type_fits (const struct exchange *x) {
    char *type = NULL;
    if (!x->type)
        return true;
    curl_easy_getinfo (x->client->curl, CURLINFO_CONTENT_TYPE, &type);
    return type && strcmp (type, x->type) == 0;
}

static size_t on_octets (char *data, size_t one, size_t size, void *arg) {
    struct exchange *x = arg;
    long status = 0;
    (void) one;
    curl_easy_getinfo (x->client->curl, CURLINFO_RESPONSE_CODE, &status);
    bool good = status >= 200 && status < 300;
    size_t max = good ? x->max : PROBLEM_MAX;
    if (good && !type_fits (x)) {
        x->rc = error_set (x->e, ERR_DAMAGED, "the agent's answer is no %s",
                           x->type);
    } else if (good && x->take) {
        x->rc = x->take (x->arg, slice_of (data, size), x->e);
    } else if (size > max - x->answer.size) {
        x->rc = error_set (x->e, ERR_LIMIT,
                           "the agent's answer is above %zu octets", max);
    } else
        buf_add (&x->answer, data, size);
    return x->rc ? 0 : size;
}

static void add_header (struct exchange *x, const char *name,
                        const char *value) {
    struct buf line = { 0 };
    buf_add_format (&line, "%s: %s", name, value);
    char *text = buf_take_text (&line);
    x->headers = curl_slist_append (x->headers, text);
    free (text);
}

static void set_up (struct exchange *x, const struct buf *path) {
    CURL *curl = x->client->curl;
    struct buf url = { 0 };
    json_decref (x->client->problems);
    x->client->problems = NULL;
    buf_add_text (&url, ORIGIN);
    buf_add (&url, path->data, path->size);
    char *text = buf_take_text (&url);
    curl_easy_reset (curl);
    curl_easy_setopt (curl, CURLOPT_URL, text);
    curl_easy_setopt (curl, CURLOPT_UNIX_SOCKET_PATH, x->client->socket);
    curl_easy_setopt (curl, CURLOPT_PROXY, "");
    curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT_MS, (long) CONNECT_MS);
    curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, on_octets);
    curl_easy_setopt (curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt (curl, CURLOPT_USERAGENT, "parley/" PARLEY_VERSION);
    free (text);
    if (x->client->token) {
        struct buf value = { 0 };
        buf_add_format (&value, "Bearer %s", x->client->token);
        char *bearer = buf_take_text (&value);
        add_header (x, "Authorization", bearer);
        free (bearer);
    }
}

static enum err transport_error (const struct exchange *x, CURLcode code,
                                 bool unsafe, struct error *e) {
    long os = 0;
    curl_easy_getinfo (x->client->curl, CURLINFO_OS_ERRNO, &os);
    if (code == CURLE_COULDNT_CONNECT)
        return error_set (e, ERR_STATE,
                          "no agent answers at %s: %s%sis it running, and is "
                          "this its socket?",
                          x->client->socket, os ? strerror ((int) os) : "",
                          os ? "; " : "");
    return error_set (e, ERR_STATE, "the agent at %s gave no answer (%s)%s",
                      x->client->socket, curl_easy_strerror (code),
                      unsafe ? "; what was sent may have been accepted: see "
                               "parley outbox list"
                             : "");
}

/* Runs it and lets go of the headers. `unsafe`: it may have had an effect. */
static enum err perform (struct exchange *x, bool unsafe, struct error *e) {
    long status = 0;
    CURL *curl = x->client->curl;
    struct error own;
    x->e = e ? e : &own;
    curl_easy_setopt (curl, CURLOPT_HTTPHEADER, x->headers);
    CURLcode code = curl_easy_perform (curl);
    curl_slist_free_all (x->headers);
    x->headers = NULL;
    if (x->rc)
        return x->rc;
    if (code != CURLE_OK)
        return transport_error (x, code, unsafe, e);
    curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299)
        return problem_error (x, status, e);
    return ERR_NONE;
}

static enum err answer_json (const struct exchange *x, json_t **out,
                             struct error *e) {
    json_error_t why;
    *out = json_loadb ((const char *) x->answer.data, x->answer.size,
                       JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!json_is_object (*out)) {
        json_decref (*out);
        *out = NULL;
        return error_set (e, ERR_DAMAGED, "the agent's answer is no JSON: %s",
                          why.text);
    }
    return ERR_NONE;
}

enum err client_get (struct client *self, const struct buf *path,
                     int64_t wait_ms, json_t **out, struct error *e) {
    struct exchange x = { .client = self, .max = CLIENT_ANSWER_MAX };
    set_up (&x, path);
    curl_easy_setopt (self->curl, CURLOPT_TIMEOUT_MS,
                      (long) (ANSWER_MS + wait_ms));
    enum err rc = perform (&x, false, e);
    if (!rc)
        rc = answer_json (&x, out, e);
    buf_free (&x.answer);
    return rc;
}

enum err client_get_octets (struct client *self, const struct buf *path,
                            size_t max, struct buf *out, struct error *e) {
    struct exchange x = { .client = self, .max = max };
    set_up (&x, path);
    curl_easy_setopt (self->curl, CURLOPT_TIMEOUT_MS, (long) ANSWER_MS);
    enum err rc = perform (&x, false, e);
    if (rc) {
        buf_free (&x.answer);
        return rc;
    }
    buf_free (out);
    *out = x.answer;
    return ERR_NONE;
}

json_t *client_problems (const struct client *self) {
    return json_is_array (self->problems) ? self->problems : NULL;
}

/* `method`: NULL for POST; `out`: NULL where nothing is answered. */
static enum err send_body (struct exchange *x, const char *method,
                           const char *type, struct slice body, json_t **out,
                           struct error *e) {
    CURL *curl = x->client->curl;
    add_header (x, "Content-Type", type);
    add_header (x, "Expect", "");
    curl_easy_setopt (curl, CURLOPT_TIMEOUT_MS, (long) ANSWER_MS);
    curl_easy_setopt (curl, CURLOPT_POST, 1L);
    if (method)
        curl_easy_setopt (curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt (curl, CURLOPT_POSTFIELDS,
                      body.size ? (const char *) body.data : "");
    curl_easy_setopt (curl, CURLOPT_POSTFIELDSIZE_LARGE,
                      (curl_off_t) body.size);
    enum err rc = perform (x, true, e);
    if (!rc && out)
        rc = answer_json (x, out, e);
    buf_free (&x->answer);
    return rc;
}

enum err client_post (struct client *self, const struct buf *path,
                      const char *type, struct slice body, const char *key,
                      json_t **out, struct error *e) {
    struct exchange x = { .client = self, .max = CLIENT_ANSWER_MAX };
    set_up (&x, path);
    if (key)
        add_header (&x, "Idempotency-Key", key);
    return send_body (&x, NULL, type, body, out, e);
}

enum err client_put (struct client *self, const struct buf *path,
                     const char *type, struct slice body, json_t **out,
                     struct error *e) {
    struct exchange x = { .client = self, .max = CLIENT_ANSWER_MAX };
    set_up (&x, path);
    return send_body (&x, "PUT", type, body, out, e);
}

enum err client_send (struct client *self, const struct buf *path,
                      const char *type, struct slice body, struct error *e) {
    struct exchange x = { .client = self, .max = PROBLEM_MAX };
    set_up (&x, path);
    return send_body (&x, NULL, type, body, NULL, e);
}

enum err client_tell (struct client *self, const struct buf *path,
                      struct error *e) {
    struct exchange x = { .client = self, .max = PROBLEM_MAX };
    set_up (&x, path);
    curl_easy_setopt (self->curl, CURLOPT_TIMEOUT_MS, (long) ANSWER_MS);
    curl_easy_setopt (self->curl, CURLOPT_POST, 1L);
    curl_easy_setopt (self->curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt (self->curl, CURLOPT_POSTFIELDSIZE, 0L);
    enum err rc = perform (&x, true, e);
    buf_free (&x.answer);
    return rc;
}

enum err client_delete (struct client *self, const struct buf *path,
                        struct error *e) {
    struct exchange x = { .client = self, .max = PROBLEM_MAX };
    set_up (&x, path);
    curl_easy_setopt (self->curl, CURLOPT_TIMEOUT_MS, (long) ANSWER_MS);
    curl_easy_setopt (self->curl, CURLOPT_CUSTOMREQUEST, "DELETE");
    enum err rc = perform (&x, true, e);
    buf_free (&x.answer);
    return rc;
}

static enum err stream (struct exchange *x, struct error *e) {
    CURL *curl = x->client->curl;
    curl_easy_setopt (curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt (curl, CURLOPT_LOW_SPEED_TIME, (long) CLIENT_SILENCE_S);
    enum err rc = perform (x, false, e);
    buf_free (&x->answer);
    return rc;
}

enum err client_stream (struct client *self, const struct buf *path,
                        const char *last_id, client_take_fn *take, void *arg,
                        struct error *e) {
    struct exchange x = {
        .client = self, .max = PROBLEM_MAX, .take = take, .arg = arg
    };
    set_up (&x, path);
    if (last_id && last_id[0])
        add_header (&x, "Last-Event-ID", last_id);
    return stream (&x, e);
}

enum err client_stream_type (struct client *self, const struct buf *path,
                             const char *type, client_take_fn *take, void *arg,
                             struct error *e) {
    struct exchange x = { .client = self,
                          .max = PROBLEM_MAX,
                          .take = take,
                          .arg = arg,
                          .type = type };
    set_up (&x, path);
    add_header (&x, "Accept", type);
    curl_easy_setopt (self->curl, CURLOPT_BUFFERSIZE, 262144L);
    return stream (&x, e);
}
