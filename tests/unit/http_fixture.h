/* The API over real sockets, asked by libcurl and by raw octets. */
#ifndef PARLEY_HTTP_FIXTURE_H
#define PARLEY_HTTP_FIXTURE_H

#include "api_fixture.h"

#include "api/http_impl.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct http *http;

/* Asking */

static struct answer {
    long status;
    char *body; /* the last answer's, with a NUL */
    size_t size;
    char headers[4096];
    json_t *json; /* NULL: it is none */
} answer;

static size_t body_take (char *data, size_t one, size_t size, void *arg) {
    struct buf *out = arg;
    buf_add (out, data, one * size);
    return size;
}

static size_t header_take (char *data, size_t one, size_t size, void *arg) {
    char *out = arg;
    size_t used = strlen (out);
    snprintf (out + used, sizeof answer.headers - used, "%.*s",
              (int) (one * size), data);
    return size;
}

static void answer_clear (void) {
    json_decref (answer.json);
    free (answer.body);
    answer = (struct answer){ 0 };
}

struct question {
    const char *method, *path;
    const char *headers[4];
    struct slice body; /* data NULL: none */
    uint16_t port;     /* 0: the Unix socket */
};

/* The status; the rest is in `answer`. */
static int ask (const struct question *q) {
    CURL *curl = curl_easy_init();
    char url[4096];
    struct buf body = { 0 };
    struct curl_slist *headers = curl_slist_append (NULL, "Expect:");
    answer_clear();
    snprintf (url, sizeof url, "http://localhost:%u%s", q->port ? q->port : 80,
              q->path);
    for (int i = 0; i < 4 && q->headers[i]; i++)
        headers = curl_slist_append (headers, q->headers[i]);
    curl_easy_setopt (curl, CURLOPT_URL, url);
    curl_easy_setopt (curl, CURLOPT_PATH_AS_IS, 1L);
    if (q->port == 0)
        curl_easy_setopt (curl, CURLOPT_UNIX_SOCKET_PATH, api_socket);
    if (q->body.data) {
        curl_easy_setopt (curl, CURLOPT_POSTFIELDS, q->body.data);
        curl_easy_setopt (curl, CURLOPT_POSTFIELDSIZE, (long) q->body.size);
    }
    if (strcmp (q->method, "HEAD") == 0)
        curl_easy_setopt (curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt (curl, CURLOPT_CUSTOMREQUEST, q->method);
    curl_easy_setopt (curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt (curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt (curl, CURLOPT_HEADERFUNCTION, header_take);
    curl_easy_setopt (curl, CURLOPT_HEADERDATA, answer.headers);
    curl_easy_setopt (curl, CURLOPT_TIMEOUT, 60L);
    CURLcode rc = curl_easy_perform (curl);
    if (rc)
        fail_msg ("%s %s: %s", q->method, q->path, curl_easy_strerror (rc));
    curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_slist_free_all (headers);
    curl_easy_cleanup (curl);
    answer.size = body.size;
    answer.body = buf_take_text (&body);
    answer.json = json_loadb (answer.body, answer.size,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return (int) answer.status;
}

static int get (const char *path) {
    return ask (&(struct question){ .method = "GET", .path = path });
}

static int post_key (const char *body, const char *key) {
    char header[200] = "X-None: 1";
    if (key)
        snprintf (header, sizeof header, "Idempotency-Key: %s", key);
    return ask (&(struct question){
        .method = "POST",
        .path = "/api/v1/messages",
        .headers = { "Content-Type: application/json", header },
        .body = slice_text (body) });
}

FIXTURE_UNUSED static int post (const char *body) {
    return post_key (body, NULL);
}

static const char *text_at (const char *name) {
    const char *text = json_string_value (json_object_get (answer.json, name));
    return text ? text : "";
}

static int64_t number_at (const char *name) {
    return json_integer_value (json_object_get (answer.json, name));
}

/* "NOT-FOUND" of a problem's type; its media type and status are asserted. */
static const char *problem (void) {
    static const char urn[] = "urn:parley:problem:";
    assert_non_null (strstr (answer.headers, "application/problem+json"));
    assert_int_equal (number_at ("status"), answer.status);
    assert_true (*text_at ("title") && *text_at ("detail"));
    const char *type = text_at ("type");
    assert_memory_equal (type, urn, sizeof urn - 1);
    return type + sizeof urn - 1;
}

/* Raw octets */

FIXTURE_UNUSED static int raw_open (int receive_buffer) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    assert_true (strlen (api_socket) < sizeof address.sun_path);
    strcpy (address.sun_path, api_socket);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer)
        setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                    sizeof receive_buffer);
    assert_int_equal (
        connect (fd, (struct sockaddr *) &address, sizeof address), 0);
    return fd;
}

FIXTURE_UNUSED static void raw_write (int fd, const void *data, size_t size) {
    assert_int_equal (send (fd, data, size, MSG_NOSIGNAL), size);
}

/* Read on until `want` (NULL: the end) is there. */
FIXTURE_UNUSED static void raw_read (int fd, struct buf *out,
                                     const char *want) {
    while (!want || out->size == 0
           || !memmem (out->data, out->size, want, strlen (want))) {
        struct pollfd item = { .fd = fd, .events = POLLIN };
        if (poll (&item, 1, 30000) != 1)
            fail_msg ("no '%s' in: %.*s", want ? want : "end", (int) out->size,
                      (const char *) out->data);
        uint8_t octets[65536];
        ssize_t n = read (fd, octets, sizeof octets);
        if (n <= 0 && !want)
            return;
        if (n <= 0)
            fail_msg ("ended without '%s': %.*s", want, (int) out->size,
                      (const char *) out->data);
        buf_add (out, octets, (size_t) n);
    }
}

/* How often a text stands there. */
FIXTURE_UNUSED static int count (const struct buf *text, const char *what) {
    int n = 0;
    const uint8_t *at = text->data, *end = text->data + text->size;
    while (at && (at = memmem (at, (size_t) (end - at), what, strlen (what)))) {
        n++;
        at++;
    }
    return n;
}

/* HTTP/1.0, so that events come without chunks. */
FIXTURE_UNUSED static int feed_open (const char *query, const char *header) {
    struct buf request = { 0 };
    int fd = raw_open (0);
    buf_add_format (&request,
                    "GET /api/v1/events%s HTTP/1.0\r\nHost: x\r\n%s\r\n", query,
                    header);
    raw_write (fd, request.data, request.size);
    buf_free (&request);
    return fd;
}

/* Each test has a store and the API over it, with a link. */

static int api_begin (void **state) {
    if (store_begin_test (state))
        return -1;
    api_fill();
    fake_link_begin();
    struct http_options options = api_options();
    options.link = &fake_link;
    api_token_write (API_TOKEN "\nanother-token-of-thirty-two-octets\n", 0600);
    http = http_new (&options, &e);
    if (!http)
        print_error ("%s\n", e.text);
    return http ? 0 : -1;
}

static int api_end (void **state) {
    char folder[300];
    answer_clear();
    http_destroy (&http);
    assert_int_equal (access (api_socket, F_OK), -1);
    snprintf (folder, sizeof folder, "%s/run", store_dir);
    assert_int_equal (rmdir (folder), 0);
    return store_end_test (state);
}

static int begin_tests (void **state) {
    curl_global_init (CURL_GLOBAL_DEFAULT);
    return sodium_init() < 0 ? -1 : cast_begin_tests (state);
}

static int end_tests (void **state) {
    curl_global_cleanup();
    return cast_end_tests (state);
}

#define STORE(test)                                                            \
    cmocka_unit_test_setup_teardown (test, store_begin_test, store_end_test)
#define API(test) cmocka_unit_test_setup_teardown (test, api_begin, api_end)

#endif
