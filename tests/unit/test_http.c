/* http: the API over real sockets, asked by libcurl and by raw octets. */
#include "api_fixture.h"

#include "api/events.h"
#include "api/http_impl.h"

#include <arpa/inet.h>
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

static int post (const char *body) {
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

static int raw_open (int receive_buffer) {
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

static void raw_write (int fd, const void *data, size_t size) {
    assert_int_equal (send (fd, data, size, MSG_NOSIGNAL), size);
}

/* Read on until `want` (NULL: the end) is there. */
static void raw_read (int fd, struct buf *out, const char *want) {
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
static int count (const struct buf *text, const char *what) {
    int n = 0;
    const uint8_t *at = text->data, *end = text->data + text->size;
    while (at && (at = memmem (at, (size_t) (end - at), what, strlen (what)))) {
        n++;
        at++;
    }
    return n;
}

/* HTTP/1.0, so that events come without chunks. */
static int feed_open (const char *query, const char *header) {
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

/* Sockets */

static void test_socket_paths (void **state) {
    (void) state;
    struct listen_file file;
    char path[300], long_path[120];
    memset (long_path, 'x', 108);
    long_path[108] = '\0';
    assert_int_equal (listen_unix (long_path, &file, &e), -1);
    assert_int_equal (e.code, ERR_CONFIG);
    assert_non_null (strstr (e.text, "108"));
    assert_int_equal (listen_unix ("", &file, &e), -1);
    assert_int_equal (e.code, ERR_CONFIG);

    /* A file that is no socket stays. */
    assert_int_equal (listen_unix (store_path, &file, &e), -1);
    assert_int_equal (e.code, ERR_CONFIG);
    assert_int_equal (access (store_path, F_OK), 0);

    /* A folder that others may enter. */
    snprintf (path, sizeof path, "%s/s", store_dir);
    assert_int_equal (chmod (store_dir, 0755), 0);
    assert_int_equal (listen_unix (path, &file, &e), -1);
    assert_int_equal (e.code, ERR_CONFIG);
    assert_non_null (strstr (e.text, "0755"));
    assert_int_equal (chmod (store_dir, 0700), 0);

    /* One that is missing with its parent. */
    snprintf (path, sizeof path, "%s/none/none/s", store_dir);
    assert_int_equal (listen_unix (path, &file, &e), -1);
}

static void test_socket_stale (void **state) {
    (void) state;
    struct listen_file file, other;
    struct stat st;
    char path[300];
    snprintf (path, sizeof path, "%s/s", store_dir);
    int fd = listen_unix (path, &file, &e);
    assert_true (fd >= 0);
    assert_int_equal (stat (path, &st), 0);
    assert_int_equal (st.st_mode & 07777, 0600);
    /* Somebody answers. */
    assert_int_equal (listen_unix (path, &other, &e), -1);
    assert_int_equal (e.code, ERR_EXISTS);
    /* Nobody does any more. */
    close (fd);
    fd = listen_unix (path, &other, &e);
    assert_true (fd >= 0);
    close (fd);
    /* Only the one who made it removes it. */
    file.inode = other.inode + 1;
    listen_unix_remove (path, &file);
    assert_int_equal (access (path, F_OK), 0);
    listen_unix_remove (path, &other);
    assert_int_equal (access (path, F_OK), -1);
}

static void test_bad_options (void **state) {
    (void) state;
    static const struct {
        const char *tcp, *token;
        mode_t mode;
        enum err code;
    } table[] = {
        { "0.0.0.0:0", API_TOKEN, 0600, ERR_CONFIG },
        { "localhost:0", API_TOKEN, 0600, ERR_CONFIG },
        { "127.0.0.1:65536", API_TOKEN, 0600, ERR_CONFIG },
        { "127.0.0.1:", API_TOKEN, 0600, ERR_CONFIG },
        { "[::1]:x", API_TOKEN, 0600, ERR_CONFIG },
        { "127.0.0.1:0", API_TOKEN, 0640, ERR_KEY },
        { "127.0.0.1:0", "", 0600, ERR_CONFIG },
        { "127.0.0.1:0", "too-short\n", 0600, ERR_CONFIG },
        { "127.0.0.1:0", API_TOKEN " \n", 0600, ERR_CONFIG },
        { "127.0.0.1:0", API_TOKEN "\n\n", 0600, ERR_CONFIG },
    };
    struct http_options options = api_options();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        options.tcp = table[i].tcp;
        api_token_write (table[i].token, table[i].mode);
        assert_null (http_new (&options, &e));
        if (e.code != table[i].code)
            fail_msg ("%zu: %s", i, e.text);
        assert_int_equal (access (api_socket, F_OK), -1);
    }
    options.token_file = NULL;
    assert_null (http_new (&options, &e));
    assert_int_equal (e.code, ERR_CONFIG);
    options.tcp = NULL;
    options.store = "/nowhere/store";
    assert_null (http_new (&options, &e));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    char folder[300];
    snprintf (folder, sizeof folder, "%s/run", store_dir);
    assert_int_equal (rmdir (folder), 0);
}

/* Requests */

static void test_bad_requests (void **state) {
    (void) state;
    static char long_segment[] =
        "/api/v1/outbox/"
        "11111111111111111111111111111111111111111111111111111111111111111";
    static const struct {
        const char *method, *path, *type;
        int status;
        const char *problem;
    } table[] = {
        { "GET", "/", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/status/", NULL, 404, "NOT-FOUND" },
        { "GET", "//api/v1/status", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/../v1/status", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/status%00", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/statu%", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/outbox/", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/outbox/1/2", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/outbox/0", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/outbox/-1", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/outbox/1x", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/outbox/99", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/outbox/9007199254740992", NULL, 404, "NOT-FOUND" },
        { "GET", long_segment, NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/records/7", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/records/abc", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/rosters/2", NULL, 404, "NOT-FOUND" },
        { "GET", "/api/v1/rosters/x", NULL, 404, "NOT-FOUND" },
        { "POST", "/api/v1/status", NULL, 405, "METHOD" },
        { "DELETE", "/api/v1/outbox", NULL, 405, "METHOD" },
        { "PUT", "/api/v1/outbox/1", NULL, 405, "METHOD" },
        { "BREW", "/api/v1/messages", NULL, 405, "METHOD" },
        { "GET", "/api/v1/messages", NULL, 405, "METHOD" },
        { "OPTIONS", "/api/v1/status", NULL, 405, "METHOD" },
        { "POST", "/api/v1/messages", "text/plain", 415, "MEDIA-TYPE" },
        { "POST", "/api/v1/messages", "application/jsonx", 415, "MEDIA-TYPE" },
        { "POST", "/api/v1/messages", "", 415, "MEDIA-TYPE" },
        { "POST", "/api/v1/contributions", "application/json", 415,
          "MEDIA-TYPE" },
        { "GET", "/api/v1/status?x=1", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?", NULL, 200, NULL },
        { "GET", "/api/v1/records?=1", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?limit=1&limit=1", NULL, 400,
          "BAD-PARAMETER" },
        { "GET", "/api/v1/records?limit=0", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?limit=1001", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?limit=", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?limit", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?limit=1%00", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?after=-1", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?after=99999999999999999999", NULL, 400,
          "BAD-PARAMETER" },
        { "GET", "/api/v1/records?since=yesterday", NULL, 400,
          "BAD-PARAMETER" },
        { "GET", "/api/v1/records?since=1969-01-01", NULL, 400,
          "BAD-PARAMETER" },
        { "GET", "/api/v1/records?order=up", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?log=2", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?author=EUROPOL/", NULL, 400,
          "BAD-PARAMETER" },
        { "GET", "/api/v1/records?filter=a/%23/b", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?filter=a//b", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/records?filter=%ff", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/outbox?state=gone", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/outbox/1?wait=sent", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/outbox/1?timeout_ms=50001", NULL, 400,
          "BAD-PARAMETER" },
        { "GET", "/api/v1/events?after=x", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/audience", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/audience?topic=All/x", NULL, 422, "TOPIC" },
        { "GET", "/api/v1/bundle/blocks?last=x", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/bundle/blocks?filter=a//b", NULL, 400,
          "BAD-PARAMETER" },
        { "GET", "/api/v1/bundle/blocks?author=a", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/bundle/leaves?headers=2", NULL, 400,
          "BAD-PARAMETER" },
        { "GET", "/api/v1/bundle/claims?since=2", NULL, 400, "BAD-PARAMETER" },
        { "GET", "/api/v1/bundle/meta?since=2001-01-02&until=2001-01-01", NULL,
          400, "BAD-PARAMETER" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char type[100] = "X-None: 1";
        if (table[i].type)
            snprintf (type, sizeof type, "Content-Type:%s%s",
                      *table[i].type ? " " : "", table[i].type);
        struct question q = { .method = table[i].method,
                              .path = table[i].path,
                              .headers = { type } };
        if (table[i].type)
            q.body = slice_text ("{}");
        if (ask (&q) != table[i].status)
            fail_msg ("%s %s: %ld %s", table[i].method, table[i].path,
                      answer.status, answer.body);
        if (table[i].problem)
            assert_string_equal (problem(), table[i].problem);
        assert_non_null (strstr (answer.headers, "Cache-Control: no-store"));
        assert_non_null (
            strstr (answer.headers, "X-Content-Type-Options: nosniff"));
        assert_null (strstr (answer.headers, "Access-Control"));
    }
    ask (&(struct question){ .method = "PUT", .path = "/api/v1/outbox/1" });
    assert_non_null (strstr (answer.headers, "Allow: GET, HEAD, DELETE\r\n"));
}

/* What is no HTTP ends that connection and nothing else. */
static void test_garbage (void **state) {
    (void) state;
    static const struct slice table[] = {
#define RAW(text) { (const uint8_t *) text, sizeof text - 1 }
        RAW ("\r\n\r\n"),
        RAW ("\0\0\0\0\0\0"),
        RAW ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        RAW ("GET\r\n\r\n"),
        RAW ("GET /api/v1/status\r\n\r\n"),
        RAW ("GET /api/v1/status HTTP/1.1\r\n\r\n"), /* no Host */
        RAW ("GET /api/v1/status HTTP/9.9\r\nHost: x\r\n\r\n"),
        RAW ("GET /api/v1/status HTTP/1.1\r\nHost\r\n\r\n"),
        RAW ("POST /api/v1/messages HTTP/1.1\r\nHost: x\r\n"
             "Content-Type: application/json\r\nContent-Length: -5\r\n\r\n"),
        RAW ("POST /api/v1/messages HTTP/1.1\r\nHost: x\r\n"
             "Content-Type: application/json\r\n"
             "Content-Length: 99999999999999999999999\r\n\r\n"),
        RAW ("POST /api/v1/messages HTTP/1.1\r\nHost: x\r\n"
             "Content-Type: application/json\r\n"
             "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n"),
        RAW ("GET /api/v1/events HTTP/1.1\r\nHost: x\r\n"
             "Last-Event-ID: \x01\xff\r\nConnection: close\r\n\r\n"),
        RAW ("GET /api/v1/records?\xff\xfe=\x80 HTTP/1.1\r\nHost: x\r\n"
             "Connection: close\r\n\r\n"),
#undef RAW
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buf got = { 0 };
        int fd = raw_open (0);
        raw_write (fd, table[i].data, table[i].size);
        shutdown (fd, SHUT_WR);
        raw_read (fd, &got, NULL);
        assert_int_equal (count (&got, "HTTP/1.1 2"), 0);
        close (fd);
        buf_free (&got);
    }
    /* 40 KB of headers. */
    struct buf request = { 0 }, got = { 0 };
    buf_add_text (&request, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 1000; i++)
        buf_add_text (&request, "X-Filler: 0123456789012345678901234567\r\n");
    int fd = raw_open (0);
    (void) !send (fd, request.data, request.size, MSG_NOSIGNAL);
    raw_read (fd, &got, NULL);
    assert_int_equal (count (&got, "HTTP/1.1 2"), 0);
    close (fd);
    buf_free (&request);
    buf_free (&got);
    assert_int_equal (get ("/api/v1/status"), 200);
}

static void test_body_sizes (void **state) {
    (void) state;
    /* Told before it is sent: answered at once. */
    struct buf got = { 0 };
    static const char head[] =
        "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: application/json\r\nContent-Length: 524289\r\n\r\n";
    int fd = raw_open (0);
    raw_write (fd, head, sizeof head - 1);
    raw_read (fd, &got, "TOO-LARGE");
    assert_non_null (memmem (got.data, got.size, "HTTP/1.1 413", 12));
    close (fd);
    buf_free (&got);

    /* In chunks: when it is above. */
    char *body = mem_alloc (524289);
    memset (body, ' ', 524289);
    struct question q = { .method = "POST",
                          .path = "/api/v1/messages",
                          .headers = { "Content-Type: application/json",
                                       "Transfer-Encoding: chunked" },
                          .body = { (uint8_t *) body, 524289 } };
    assert_int_equal (ask (&q), 413);
    assert_string_equal (problem(), "TOO-LARGE");
    assert_int_equal (number_at ("limit"), 524288);
    q.body.size = 524288;
    assert_int_equal (ask (&q), 400);
    assert_string_equal (problem(), "BAD-REQUEST");
    free (body);

    /* A body where none is taken. */
    q = (struct question){ .method = "GET",
                           .path = "/api/v1/status",
                           .body = slice_text ("x") };
    assert_int_equal (ask (&q), 413);
}

/* Posting */

static void test_bad_messages (void **state) {
    (void) state;
#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    static const struct {
        const char *body; /* ' for " */
        int status;
        const char *problem;
    } table[] = {
        { "", 400, "BAD-REQUEST" },
        { "{", 400, "BAD-REQUEST" },
        { "[]", 400, "BAD-REQUEST" },
        { "null", 400, "BAD-REQUEST" },
        { "{} {}", 400, "BAD-REQUEST" },
        { "{'topic':'all/x'}", 400, "BAD-REQUEST" },
        { "{'topic':'all/x','format':'json'}", 400, "BAD-REQUEST" },
        { "{'topic':1,'format':'json','content':{}}", 400, "BAD-REQUEST" },
        { "{'topic':'all/x','format':'note','content':'x'}", 400,
          "BAD-REQUEST" },
        { "{'topic':'all/x','format':'json','content':{},'more':1}", 400,
          "BAD-REQUEST" },
        { "{'topic':'all/x','topic':'all/x','format':'json','content':{}}", 400,
          "BAD-REQUEST" },
        { "{'topic':'all/x','format':'json','content':{'a':1,'a':1}}", 400,
          "BAD-REQUEST" },
        { "{'topic':'all/x','format':'json','content':"
          "{'a':18446744073709551615}}",
          400, "BAD-REQUEST" },
        { "{'topic':'all','format':'json','content':{}}", 422, "TOPIC" },
        { "{'topic':'all/\\u0000','format':'json','content':{}}", 422,
          "TOPIC" },
        { "{'topic':'$log/x','format':'json','content':{}}", 422, "TOPIC" },
        { "{'topic':'all/#','format':'json','content':{}}", 422, "TOPIC" },
        { "{'topic':'nobody/x','format':'json','content':{}}", 422,
          "UNKNOWN-CHANNEL" },
        { "{'topic':'@EUROPOL+NOBODY/x','format':'json','content':{}}", 422,
          "UNKNOWN-CHANNEL" },
        { "{'topic':'late/x','format':'json','content':{}}", 422,
          "EMPTY-AUDIENCE" },
        { "{'topic':'all/x','format':'json','content':[]}", 422, "MALFORMED" },
        { "{'topic':'all/x','format':'json','content':'x'}", 422, "MALFORMED" },
        { "{'topic':'all/x','format':'json','content':{'a':{'$bin':'*'}}}", 422,
          "MALFORMED" },
        { "{'topic':'all/x','format':'json','content':{'a':[[[[[[[[[[[[[[[["
          "]]]]]]]]]]]]]]]]}}",
          422, "LIMIT" },
        { "{'topic':'all/x','format':'text','content':''}", 422, "LIMIT" },
        { "{'topic':'all/x','format':'text','content':{}}", 422, "MALFORMED" },
        { "{'topic':'all/x','format':'octets','content':'abc'}", 422,
          "MALFORMED" },
        { "{'topic':'all/x','format':'octets','content':''}", 422, "LIMIT" },
        { "{'topic':'all/x','format':'text','content':'x','references':1}", 422,
          "MALFORMED" },
        { "{'topic':'all/x','format':'text','content':'x','references':['a']}",
          422, "MALFORMED" },
        { "{'topic':'all/x','format':'text','content':'x','references':['" ID
          "','" ID "']}",
          422, "MALFORMED" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char body[1000];
        snprintf (body, sizeof body, "%s", table[i].body);
        for (char *at = body; *at; at++)
            if (*at == '\'')
                *at = '"';
        if (post (body) != table[i].status)
            fail_msg ("%s: %ld %s", body, answer.status, answer.body);
        assert_string_equal (problem(), table[i].problem);
    }
    post ("{\"topic\":\"late/x\",\"format\":\"json\",\"content\":{}}");
    assert_string_equal (text_at ("channel"), "late");
    int64_t counts[6];
    outbox_counts (store, counts);
    assert_int_equal (counts[OUTBOX_WAITING], 1);
    assert_int_equal (fake_link.wakes, 0);
}

/* Content of one format, `size` times 'a' (of base64: "AAAA"). */
static int post_size (const char *format, size_t size, bool base64) {
    struct buf body = { 0 };
    size_t letters = base64 ? (size + 2) / 3 * 4 : size;
    buf_add_format (
        &body, "{\"topic\":\"all/x\",\"format\":\"%s\",\"content\":\"", format);
    memset (buf_extend (&body, letters), base64 ? 'A' : 'a', letters);
    for (size_t pad = base64 ? (3 - size % 3) % 3 : 0; pad > 0; pad--)
        body.data[body.size - pad] = '=';
    buf_add_text (&body, "\"}");
    char *text = buf_take_text (&body);
    int status = post (text);
    free (text);
    return status;
}

static void test_content_limits (void **state) {
    (void) state;
    assert_int_equal (post_size ("text", CONTENT_MAX, false), 202);
    assert_int_equal (number_at ("octets"), CONTENT_MAX);
    assert_int_equal (post_size ("octets", CONTENT_MAX, true), 202);
    assert_int_equal (number_at ("octets"), CONTENT_MAX);
    assert_int_equal (post_size ("text", CONTENT_MAX + 1, false), 422);
    assert_string_equal (problem(), "LIMIT");
    assert_int_equal (number_at ("limit"), CONTENT_MAX);
    assert_int_equal (number_at ("size"), CONTENT_MAX + 1);
    assert_int_equal (post_size ("octets", CONTENT_MAX + 1, true), 422);
    assert_int_equal (post_size ("octets", CONTENT_MAX + 9, true), 422);
    assert_int_equal (fake_link.wakes, 2);
}

static void test_post_and_key (void **state) {
    (void) state;
    static const char body[] =
        "{\"topic\":\"all/plan/EUROPOL/P\",\"format\":\"json\","
        "\"content\":{\"b\":1.0,\"a\":[null,true]},\"references\":[\"" ID
        "\"]}";
    assert_int_equal (post_key (body, "key-1"), 202);
    assert_int_equal (number_at ("number"), 4);
    assert_non_null (strstr (answer.headers, "Location: /api/v1/outbox/4\r\n"));
    assert_string_equal (text_at ("state"), "waiting");
    assert_string_equal (text_at ("format"), "json");
    assert_string_equal (text_at ("topic"), "all/plan/EUROPOL/P");
    assert_int_equal (number_at ("octets"), 9); /* canonical msgpack */
    assert_true (json_is_null (json_object_get (answer.json, "id")));
    assert_true (json_is_false (json_object_get (answer.json, "contribution")));
    assert_int_equal (fake_link.wakes, 1);

    assert_int_equal (post_key (body, "key-1"), 200);
    assert_int_equal (number_at ("number"), 4);
    assert_int_equal (fake_link.wakes, 1);
    assert_int_equal (post_key ("{\"topic\":\"all/x\",\"format\":\"text\","
                                "\"content\":\"x\"}",
                                "key-1"),
                      409);
    assert_string_equal (problem(), "KEY-REUSED");
    assert_int_equal (post_key (body, "key-2"), 202);
    assert_int_equal (post (body), 202);
    assert_int_equal (number_at ("number"), 6);

    assert_int_equal (post_key (body, "two words"), 400);
    assert_string_equal (text_at ("parameter"), "Idempotency-Key");
    char key[130];
    memset (key, 'k', 129);
    key[129] = '\0';
    assert_int_equal (post_key (body, key), 400);
    key[128] = '\0';
    assert_int_equal (post_key (body, key), 202);
}

static void contribution (const struct identity *author, const char *channel,
                          struct buf *out) {
    struct build *b = build_new (channel);
    struct signed_batch *made = sign_batch (&cast, b, author, NULL, 2, 0);
    contribution_write (buf_slice (&made->head), buf_slice (&made->headers),
                        buf_slice (&made->bodies), out);
    signed_batch_free (made);
    build_free (b);
}

static int post_contribution (struct slice octets) {
    return ask (&(struct question){
        .method = "POST",
        .path = "/api/v1/contributions",
        .headers = { "Content-Type: application/octet-stream" },
        .body = octets });
}

static void test_contributions (void **state) {
    (void) state;
    struct buf file = { 0 };
    assert_int_equal (post_contribution (slice_text ("x")), 422);
    assert_string_equal (problem(), "MALFORMED");
    contribution (cast.hq, "all", &file);
    assert_int_equal (post_contribution (buf_slice (&file)), 422);
    assert_string_equal (problem(), "VIA-NOT-WANTED");
    buf_clear (&file);
    contribution (cast.frontex, "core", &file);
    assert_int_equal (post_contribution (buf_slice (&file)), 422);
    assert_string_equal (problem(), "NOT-A-WRITER");
    assert_string_equal (text_at ("author"), "FRONTEX/hq");

    buf_clear (&file);
    contribution (cast.frontex, "all", &file);
    assert_int_equal (post_contribution (buf_slice (&file)), 202);
    assert_true (json_is_true (json_object_get (answer.json, "contribution")));
    assert_true (json_is_null (json_object_get (answer.json, "lane")));
    assert_int_equal (number_at ("octets"), file.size);
    assert_int_equal (strlen (text_at ("id")), 64);
    assert_int_equal (post_contribution (buf_slice (&file)), 200);

    /* Its signature stands before its headers. */
    for (size_t i = 0; i < 200; i++) {
        file.data[i] ^= 1;
        assert_int_equal (post_contribution (buf_slice (&file)), 422);
        file.data[i] ^= 1;
    }
    buf_free (&file);
}

/* The disk is full, the outbox is full: said, and nothing is accepted. */
static void test_full (void **state) {
    (void) state;
    static const char small[] = "{\"topic\":\"all/x\",\"format\":\"text\","
                                "\"content\":\"x\"}";
    sqlite3 *db = http->handles.writer->db;
    sqlite3_exec (db, "PRAGMA max_page_count = 1", NULL, NULL, NULL);
    assert_int_equal (post_size ("text", 200000, false), 507);
    assert_string_equal (problem(), "STORE-FULL");
    sqlite3_exec (db, "PRAGMA max_page_count = 1000000", NULL, NULL, NULL);
    assert_int_equal (post (small), 202);
    sqlite3_exec (db, "UPDATE totals SET count = 100000 WHERE state = 0", NULL,
                  NULL, NULL);
    assert_int_equal (post (small), 503);
    assert_string_equal (problem(), "OUTBOX-FULL");
    assert_int_equal (get ("/api/v1/outbox?state=waiting"), 200);
    assert_int_equal (
        json_array_size (json_object_get (answer.json, "entries")), 2);
}

/* As before the link is there: the roster is the store's newest. */
static void test_without_link (void **state) {
    (void) state;
    struct http_options options = api_options();
    http_destroy (&http);
    options.tcp = NULL;
    http = http_new (&options, &e);
    assert_non_null (http);
    assert_int_equal (http_port (http), 0);
    assert_int_equal (get ("/api/v1/status"), 200);
    assert_string_equal (json_string_value (json_object_get (
                             json_object_get (answer.json, "link"), "state")),
                         "down");
    assert_int_equal (get ("/api/v1/roster"), 200);
    assert_int_equal (number_at ("version"), 1);
    http_destroy (&http);
    sqlite3_exec (store->db, "DELETE FROM rosters", NULL, NULL, NULL);
    http = http_new (&options, &e);
    assert_int_equal (get ("/api/v1/roster"), 503);
    assert_string_equal (problem(), "NO-ROSTER");
    assert_int_equal (get ("/api/v1/status"), 200);
    assert_true (json_is_null (json_object_get (answer.json, "roster")));
}

/* Reading */

static void test_status (void **state) {
    (void) state;
    assert_int_equal (get ("/api/v1/status"), 200);
    json_t *link = json_object_get (answer.json, "link");
    json_t *outbox = json_object_get (answer.json, "outbox");
    json_t *streams = json_object_get (answer.json, "streams");
    assert_string_equal (text_at ("entity"), "EUROPOL");
    assert_string_equal (text_at ("name"), "Test dialogue");
    assert_string_equal (json_string_value (json_object_get (link, "state")),
                         "ready");
    assert_string_equal (json_string_value (json_object_get (link, "since")),
                         "2026-01-01T00:00:00.000Z");
    assert_int_equal (json_integer_value (json_object_get (outbox, "refused")),
                      1);
    assert_int_equal (json_integer_value (json_object_get (
                          json_array_get (streams, 1), "behind")),
                      1);
    assert_int_equal (number_at ("records"), API_RECORDS);
    json_t *complete = json_object_get (answer.json, "complete_upto");
    json_t *ledger = json_object_get (answer.json, "ledger");
    json_t *settled = json_object_get (ledger, "settled");
    assert_int_equal (
        json_integer_value (json_object_get (complete, "sequence")), 31);
    assert_true (json_is_null (json_object_get (answer.json, "lacks")));
    assert_true (json_is_true (json_object_get (ledger, "current")));
    assert_int_equal (json_integer_value (json_object_get (settled, "size")),
                      125);
    /* HEAD: the same without a body. */
    assert_int_equal (
        ask (&(struct question){ .method = "HEAD", .path = "/api/v1/status" }),
        200);
    assert_int_equal (answer.size, 0);
}

/* An operator's words reach the link and the store. */
static void test_operator (void **state) {
    (void) state;
    static const struct {
        const char *path;
        long status;
    } rows[] = { { "/api/v1/notices/1/acknowledge", 204 },
                 { "/api/v1/notices/99/acknowledge", 404 },
                 { "/api/v1/notices/-1/acknowledge", 404 },
                 { "/api/v1/notices/acknowledge", 404 },
                 { "/api/v1/link/retry", 204 },
                 { "/api/v1/witness/resume", 204 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct question q = { .method = "POST", .path = rows[i].path };
        if (ask (&q) != rows[i].status)
            fail_msg ("%s: %ld %s", rows[i].path, answer.status, answer.body);
    }
    assert_int_equal (fake_link.retries, 1);
    assert_int_equal (fake_link.resumes, 1);
    assert_int_equal (get ("/api/v1/status"), 200);
    json_t *notice =
        json_array_get (json_object_get (answer.json, "notices"), 0);
    assert_true (json_is_string (json_object_get (notice, "acknowledged")));
}

static void test_settled (void **state) {
    (void) state;
    assert_int_equal (get ("/api/v1/records/100"), 200);
    json_t *settled = json_object_get (answer.json, "settled");
    json_t *cosigned = json_object_get (settled, "cosigned");
    assert_int_equal (json_integer_value (json_object_get (settled, "size")),
                      125);
    assert_int_equal (json_array_size (cosigned), 2);
    assert_string_equal (json_string_value (json_object_get (
                             json_array_get (cosigned, 1), "witness")),
                         "FRONTEX/hq");
    /* A checkpoint that does not reach it. */
    sqlite3_exec (store->db, "DELETE FROM checkpoints", NULL, NULL, NULL);
    assert_int_equal (get ("/api/v1/records/100"), 200);
    assert_true (json_is_null (json_object_get (answer.json, "settled")));
}

static void test_roster (void **state) {
    (void) state;
    assert_int_equal (get ("/api/v1/roster"), 200);
    assert_int_equal (number_at ("sequence"), 30);
    assert_string_equal (
        json_string_value (json_object_get (
            json_object_get (answer.json, "document"), "name")),
        "Test dialogue");
    assert_int_equal (get ("/api/v1/rosters/1"), 200);
    struct slice note = roster_octets (cast.roster);
    assert_int_equal (answer.size, note.size);
    assert_memory_equal (answer.body, note.data, note.size);
    assert_non_null (strstr (answer.headers, "text/plain"));
}

static void test_audience (void **state) {
    (void) state;
    static const struct {
        const char *topic, *rule;
        bool may_write;
        size_t entities;
    } table[] = {
        { "all/x", "", true, 2 },
        { "core", "", true, 2 },
        { "late/x", "EMPTY-AUDIENCE", false, 0 },
        { "none/x", "UNKNOWN-CHANNEL", false, 0 },
        { "$log", "NOT-A-WRITER", false, 2 },
        { "@EUROPOL+FRONTEX/x", "", true, 2 }, /* the + comes as a blank */
        { "@EUROPOL%2BFRONTEX/x", "", true, 2 },
        { "@FRONTEX+UNODC/x", "UNKNOWN-CHANNEL", false, 0 },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[200];
        snprintf (path, sizeof path, "/api/v1/audience?topic=%s",
                  table[i].topic);
        assert_int_equal (get (path), 200);
        if (strcmp (text_at ("rule"), table[i].rule) != 0
            || json_is_true (json_object_get (answer.json, "may_write"))
                   != table[i].may_write
            || json_array_size (json_object_get (answer.json, "entities"))
                   != table[i].entities)
            fail_msg ("%s: %s", table[i].topic, answer.body);
    }
}

/* The sequences of an answer's records, and its next. */
static const char *found (const char *path) {
    static char text[400];
    size_t i;
    json_t *record;
    assert_int_equal (get (path), 200);
    text[0] = '\0';
    json_array_foreach (json_object_get (answer.json, "records"), i, record)
        sprintf (
            text + strlen (text), "%d ",
            (int) json_integer_value (json_object_get (record, "sequence")));
    if (!json_is_null (json_object_get (answer.json, "next")))
        sprintf (text + strlen (text), "next %d", (int) number_at ("next"));
    return text;
}

static void test_records (void **state) {
    (void) state;
    static const char *const table[][2] = {
        { "", "100 101 102 110 111 120 121 122 123 124 " },
        { "?log=1&limit=3", "30 31 100 next 3" },
        { "?log=1&limit=3&after=3", "101 102 110 next 6" },
        { "?log=1&limit=10&after=2",
          "100 101 102 110 111 120 121 122 123 124 " },
        { "?filter=all/plan/%23", "120 121 " },
        { "?filter=all/+/FRONTEX/%2B", "102 120 121 122 123 124 " },
        { "?filter=@EUROPOL+FRONTEX/%23", "110 111 " },
        { "?author=FRONTEX", "102 120 121 122 123 124 " },
        { "?author=EUROPOL/hq&limit=2", "100 101 next 4" },
        { "?order=sequence&from=102&limit=2", "102 110 next 111" },
        { "?order=sequence&from=111&to=120", "111 120 " },
        { "?since=2026-01-01T00:00:02Z&until=2026-01-01T01:00:02+01:00",
          "110 111 " },
        { "?after=12", "" },
        { "?after=9007199254740991", "" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[300];
        snprintf (path, sizeof path, "/api/v1/records%s", table[i][0]);
        const char *have = found (path);
        if (strcmp (have, table[i][1]) != 0)
            fail_msg ("%s: '%s', not '%s'", path, have, table[i][1]);
    }
}

static void test_one_record (void **state) {
    (void) state;
    static const struct {
        int sequence;
        const char *type, *format, *body, *content; /* JSON */
    } table[] = {
        { 31, "mark", NULL, "none", "null" },
        { 100, "message", "text", "present", "\"words 1\"" },
        { 111, "message", "text", "erased", "null" },
        { 120, "message", "json", "present", "{\"a\":1,\"b\":[true,null]}" },
        { 121, "message", "json", "unreadable", "null" },
        { 122, "message", "text", "unreadable", "null" },
        { 123, "message", "octets", "present", "\"AP8=\"" },
        { 124, "message", "note", "unreadable", "null" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[100];
        snprintf (path, sizeof path, "/api/v1/records/%d", table[i].sequence);
        assert_int_equal (get (path), 200);
        char *content = json_dumps (json_object_get (answer.json, "content"),
                                    JSON_COMPACT | JSON_ENCODE_ANY);
        const char *format = table[i].format ? table[i].format : "";
        if (strcmp (text_at ("type"), table[i].type) != 0
            || strcmp (text_at ("format"), format) != 0
            || strcmp (text_at ("body"), table[i].body) != 0
            || strcmp (content, table[i].content) != 0)
            fail_msg ("%d: %s", table[i].sequence, answer.body);
        bool unreadable = strcmp (table[i].body, "unreadable") == 0;
        assert_int_equal (unreadable, *text_at ("problem") != '\0');
        assert_true (*text_at ("record_octets"));
        free (content);
    }
    assert_int_equal (get ("/api/v1/records/30"), 200);
    assert_string_equal (text_at ("format"), "note");
    assert_true (strncmp (text_at ("content"), "parley/roster/1\n", 16) == 0);
    assert_true (json_is_null (json_object_get (answer.json, "promise")));
    /* By id the same. */
    char path[200];
    get ("/api/v1/records/100");
    json_t *promise = json_object_get (answer.json, "promise");
    assert_int_equal (
        json_integer_value (json_object_get (promise, "sequence")), 100);
    snprintf (path, sizeof path, "/api/v1/records/%s", text_at ("id"));
    assert_int_equal (get (path), 200);
    assert_int_equal (number_at ("sequence"), 100);
    assert_int_equal (number_at ("octets"), 7);
}

static void test_outbox (void **state) {
    (void) state;
    assert_int_equal (get ("/api/v1/outbox?limit=2"), 200);
    assert_int_equal (number_at ("next"), 2);
    assert_int_equal (get ("/api/v1/outbox?limit=2&after=2"), 200);
    assert_int_equal (
        json_array_size (json_object_get (answer.json, "entries")), 1);
    assert_true (json_is_null (json_object_get (answer.json, "next")));
    assert_int_equal (get ("/api/v1/outbox?state=refused"), 200);
    assert_int_equal (
        json_array_size (json_object_get (answer.json, "entries")), 1);

    assert_int_equal (get ("/api/v1/outbox/1"), 200);
    assert_string_equal (text_at ("state"), "promised");
    assert_int_equal (number_at ("sequence"), 100);
    assert_int_equal (number_at ("octets"), strlen ("promised"));
    assert_int_equal (get ("/api/v1/outbox/2"), 200);
    json_t *refusal = json_object_get (answer.json, "refusal");
    assert_string_equal (json_string_value (json_object_get (refusal, "rule")),
                         "TOPICS");
    assert_true (json_is_true (json_object_get (refusal, "final")));
    assert_int_equal (get ("/api/v1/refusals"), 200);
    assert_non_null (strstr (answer.body, "\"limit\":65536"));

    struct question q = { .method = "DELETE", .path = "/api/v1/outbox/1" };
    assert_int_equal (ask (&q), 409);
    assert_string_equal (problem(), "TOO-LATE");
    q.path = "/api/v1/outbox/99";
    assert_int_equal (ask (&q), 404);
    q.path = "/api/v1/outbox/3";
    assert_int_equal (ask (&q), 204);
    assert_int_equal (fake_link.wakes, 1);
    assert_int_equal (ask (&q), 409);
}

struct waiting {
    pthread_t thread;
    struct buf got;
};

static void *wait_thread (void *arg) {
    struct waiting *self = arg;
    static const char request[] =
        "GET /api/v1/outbox/1?wait=done&timeout_ms=50000 HTTP/1.0\r\n"
        "Host: x\r\n\r\n";
    int fd = raw_open (0);
    raw_write (fd, request, sizeof request - 1);
    raw_read (fd, &self->got, NULL);
    close (fd);
    return NULL;
}

static enum err settled (void *arg, const struct outbox_place *place,
                         bool *stands, struct error *why) {
    (void) arg;
    (void) place;
    (void) why;
    *stands = true;
    return ERR_NONE;
}

/* It answers when the state is there, long before the time is over. */
static void test_wait (void **state) {
    (void) state;
    assert_int_equal (get ("/api/v1/outbox/1?wait=promised"), 200);
    assert_int_equal (get ("/api/v1/outbox/2?wait=done"), 200); /* refused */
    assert_int_equal (get ("/api/v1/outbox/1?wait=done&timeout_ms=1"), 200);
    assert_string_equal (text_at ("state"), "promised");

    struct waiting waiting = { 0 };
    pthread_create (&waiting.thread, NULL, wait_thread, &waiting);
    struct record_row row;
    struct records_cursor *cursor = records_by_sequence (store, 100, &row, &e);
    bool contradiction;
    FINE (store_begin (store, &e));
    FINE (outbox_seen (store, &row.message.id, 100, &row.leaf, &contradiction,
                       &e));
    int64_t after = -1;
    FINE (outbox_settle (store, 101, &after, 10, settled, NULL, &e));
    FINE (store_commit (store, &e));
    records_close (&cursor);
    http_changed (http);
    pthread_join (waiting.thread, NULL);
    assert_int_equal (count (&waiting.got, "\"state\":\"done\""), 1);
    assert_int_equal (count (&waiting.got, "\"octets\":8,"), 1);
    buf_free (&waiting.got);
}

/* Events */

static void add_words (int64_t sequence) {
    struct build *b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    add_build (b, sequence, BUILD_TIME + 9000);
    http_changed (http);
}

static void test_events (void **state) {
    (void) state;
    struct buf got = { 0 };
    int fd = feed_open ("?after=5&filter=all/%23", "");
    raw_read (fd, &got, "-12\n");
    /* An id names the run of the store. */
    char resume[64] = "Last-Event-ID: ";
    const char *id = memmem (got.data, got.size, "\nid: ", 5);
    memcpy (resume + strlen (resume), id + 5, 17);
    strcat (resume, "0\r\n");
    assert_int_equal (count (&got, "event: record\n"), 5); /* 8 to 12 */
    assert_non_null (memmem (got.data, got.size, "text/event-stream", 17));
    add_words (300);
    raw_read (fd, &got, "-13\n");
    add_words (301);
    raw_read (fd, &got, "-14\n");
    assert_int_equal (count (&got, "event: record\n"), 7);
    pthread_mutex_lock (&fake_lock);
    fake_link.status.phase = LINK_DOWN;
    pthread_mutex_unlock (&fake_lock);
    http_changed (http);
    raw_read (fd, &got, "event: status\ndata: {\"state\":\"down\"");
    close (fd);
    buf_clear (&got);

    /* Last-Event-ID wins; the log comes when asked. */
    fd = feed_open ("?after=13&log=1", resume);
    raw_read (fd, &got, "-14\n");
    assert_int_equal (count (&got, "event: record\n"), 14);
    close (fd);
    buf_clear (&got);

    /* From now on. */
    fd = feed_open ("", "");
    raw_read (fd, &got, ": parley\n");
    add_words (302);
    raw_read (fd, &got, "-15\n");
    assert_int_equal (count (&got, "event: record\n"), 1);
    close (fd);
    buf_free (&got);
}

static void test_gap (void **state) {
    (void) state;
    struct buf got = { 0 };
    /* What another store gave out, also where this one has such a position. */
    int fd = feed_open ("", "Last-Event-ID: 0123456789abcdef-5\r\n");
    raw_read (fd, &got, "-12\ndata: {\"from\":13,\"to\":5,");
    assert_int_equal (count (&got, "event: gap\n"), 1);
    close (fd);
    buf_clear (&got);
    fd = feed_open ("?after=40", "");
    raw_read (fd, &got, "-12\ndata: {\"from\":13,\"to\":40,");
    add_words (300);
    raw_read (fd, &got, "-13\n");
    assert_int_equal (count (&got, "event: gap\n"), 1);
    close (fd);
    buf_free (&got);
    static const char *const bad[] = { "x",
                                       "12",
                                       "-12",
                                       "0123456789abcdef-",
                                       "0123456789abcdef-x",
                                       "0123456789ABCDEF-5",
                                       "0123456789abcde-5" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char header[64];
        snprintf (header, sizeof header, "Last-Event-ID: %s", bad[i]);
        assert_int_equal (ask (&(struct question){ .method = "GET",
                                                   .path = "/api/v1/events",
                                                   .headers = { header } }),
                          400);
    }
}

/* What does not pass a filter is not looked at again, and is not lost to the
 * cursor either. */
static void test_events_cursor (void **state) {
    (void) state;
    struct buf out = { 0 };
    struct events events = { .filter = "core/#" };
    FINE (events_write (&events, store, &out, &e));
    assert_int_equal (out.size, 0);
    assert_int_equal (events.position, 12);
    events = (struct events){ .filter = "all/plan/#" };
    FINE (events_write (&events, store, &out, &e));
    assert_int_equal (count (&out, "event: record\n"), 2);
    assert_int_equal (events.position, 9);
    buf_free (&out);
}

/* One that does not read holds nobody up, and gets all in the end. */
static void test_slow (void **state) {
    (void) state;
    enum { BLOCKS = 20, EACH = 8 };
    struct buf slow = { 0 }, quick = { 0 };
    int slow_fd = raw_open (4096), quick_fd;
    static const char request[] =
        "GET /api/v1/events?after=12 HTTP/1.0\r\nHost: x\r\n\r\n";
    raw_write (slow_fd, request, sizeof request - 1);
    quick_fd = feed_open ("?after=12", "");
    raw_read (quick_fd, &quick, ": parley\n");
    for (int i = 0; i < BLOCKS; i++) {
        char want[40];
        struct build *b = build_new ("all");
        build_batch (b, &cast, cast.hq, NULL, EACH, 0, EACH, RUN_WHOLE, 60000);
        add_build (b, 1000 + i * EACH, BUILD_TIME + 9000);
        http_changed (http);
        snprintf (want, sizeof want, "-%d\n", 12 + (i + 1) * EACH);
        raw_read (quick_fd, &quick, want);
        buf_clear (&quick);
    }
    assert_int_equal (get ("/api/v1/status"), 200);
    raw_read (slow_fd, &slow, "-172\n"); /* 12 + 20 * 8 */
    assert_int_equal (count (&slow, "event: record\n"), BLOCKS * EACH);
    close (slow_fd);
    close (quick_fd);
    buf_free (&slow);
    buf_free (&quick);
}

/* Feeds end when the agent does, and places for them are few. */
static void test_many_feeds (void **state) {
    (void) state;
    enum { MOST = 40 };
    int fds[MOST];
    for (int i = 0; i < MOST; i++) {
        struct buf got = { 0 };
        fds[i] = feed_open ("", "");
        raw_read (fds[i], &got, ": parley\n");
        buf_free (&got);
    }
    assert_int_equal (get ("/api/v1/events"), 503);
    assert_string_equal (problem(), "BUSY");
    assert_int_equal (get ("/api/v1/outbox/1?wait=done"), 503);
    assert_int_equal (get ("/api/v1/outbox/1"), 200);
    /* One that hangs up makes room, without anything being sent. */
    close (fds[0]);
    struct question q = { .method = "HEAD", .path = "/api/v1/events" };
    while (ask (&q) == 503) {}
    assert_int_equal (answer.status, 200);
    http_destroy (&http);
    for (int i = 1; i < MOST; i++) {
        struct buf got = { 0 };
        raw_read (fds[i], &got, NULL);
        close (fds[i]);
        buf_free (&got);
    }
}

/* TCP */

static void test_tcp (void **state) {
    (void) state;
    uint16_t port = http_port (http);
    assert_true (port > 0);
    char hosts[4][80];
    snprintf (hosts[0], 80, "Host: 127.0.0.1:%u", port);
    snprintf (hosts[1], 80, "Host: LOCALHOST:%u", port);
    snprintf (hosts[2], 80, "Host: [::1]:%u", port);
    snprintf (hosts[3], 80, "Host: evil.example:%u", port);
    const struct {
        const char *host, *authorization;
        int status;
        const char *problem;
    } table[] = {
        { hosts[0], "X-None: 1", 401, "UNAUTHORIZED" },
        { hosts[0], "Authorization: Bearer ", 401, "UNAUTHORIZED" },
        { hosts[0], "Authorization: Bearer wrong", 401, "UNAUTHORIZED" },
        { hosts[0], "Authorization: Basic " API_TOKEN, 401, "UNAUTHORIZED" },
        { hosts[0], "Authorization: Bearer " API_TOKEN "x", 401,
          "UNAUTHORIZED" },
        { hosts[0], "Authorization: Bearer " API_TOKEN, 200, NULL },
        { hosts[1], "Authorization: bearer another-token-of-thirty-two-octets",
          200, NULL },
        { hosts[2], "Authorization: Bearer " API_TOKEN, 200, NULL },
        { hosts[3], "Authorization: Bearer " API_TOKEN, 403, "HOST" },
        { "Host: localhost", "Authorization: Bearer " API_TOKEN, 403, "HOST" },
        { "Host: localhost:1", "Authorization: Bearer " API_TOKEN, 403,
          "HOST" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct question q = { .method = "GET",
                              .path = "/api/v1/status",
                              .headers = { table[i].host,
                                           table[i].authorization },
                              .port = port };
        if (ask (&q) != table[i].status)
            fail_msg ("%zu: %ld %s", i, answer.status, answer.body);
        if (table[i].problem)
            assert_string_equal (problem(), table[i].problem);
    }
    /* Asked before anything else: no path is told. */
    struct question q = { .method = "PUT", .path = "/none", .port = port };
    assert_int_equal (ask (&q), 401);
    assert_non_null (strstr (answer.headers, "WWW-Authenticate: Bearer"));
}

static void test_guard (void **state) {
    (void) state;
    struct guard guard = { 0 };
    assert_false (guard_allows (&guard, NULL));
    assert_false (guard_allows (&guard, "Bearer "));
    assert_false (guard_host (NULL, 1));
    assert_false (guard_host ("", 1));
}

/* Bundle */

static void test_bundle (void **state) {
    (void) state;
    assert_int_equal (get ("/api/v1/bundle/meta"), 200);
    assert_int_equal (number_at ("last"), 124);
    assert_int_equal (number_at ("first"), 0);
    assert_int_equal (get ("/api/v1/bundle/leaves?last=124"), 200);
    assert_int_equal (answer.size, (125 - API_RECORDS) * (8 + HASH_SIZE));
    static const struct {
        const char *query;
        int blocks, records;
        int last_records; /* of the last block */
        int bodies;       /* that are not left out */
    } table[] = {
        { "", 5, 12, 5, 12 },
        { "?last=124", 5, 12, 5, 12 },
        { "?last=121", 5, 9, 2, 9 }, /* the last is cut */
        { "?last=29", 0, 0, 0, 0 },
        { "?last=124&filter=all/plan/%23", 3, 7, 5, 4 }, /* and $log */
        { "?last=124&filter=all/plan/%23&headers=1", 4, 10, 5, 4 },
        { "?last=124&filter=core/%23", 2, 2, 1, 2 },
        { "?last=124&author=FRONTEX", 4, 10, 5, 8 },
        { "?last=124&author=EUROPOL/hq", 4, 7, 2, 6 },
        { "?last=124&author=EUROPOL/hq&headers=1", 5, 12, 5, 6 },
        { "?last=124&since=2000-01-01&until=2001-01-01", 2, 2, 1, 2 },
        { "?last=124&since=2000-01-01", 5, 12, 5, 12 },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[200];
        int blocks = 0, records = 0, last = 0, bodies = 0;
        struct block_walk walk;
        snprintf (path, sizeof path, "/api/v1/bundle/blocks%s", table[i].query);
        assert_int_equal (get (path), 200);
        const uint8_t *at = (const uint8_t *) answer.body;
        const uint8_t *end = at + answer.size;
        while (at < end) {
            struct block block;
            size_t size = get_u32 (at);
            assert_true (size <= (size_t) (end - at) - 12);
            FINE (block_read (slice_of (at + 4, size), &block, &e));
            last = (int) block.count;
            records += last;
            blocks++;
            block_walk (&block, &walk);
            while (block_next (&walk))
                bodies += walk.state != BODY_ABSENT;
            assert_int_equal (get_u64 (at + 4 + size),
                              block.first_sequence == 110 ? 4 : 0);
            at += size + 12;
        }
        if (blocks != table[i].blocks || records != table[i].records
            || last != table[i].last_records || bodies != table[i].bodies)
            fail_msg ("%s: %d blocks, %d records, %d last, %d bodies", path,
                      blocks, records, last, bodies);
    }
    assert_int_equal (get ("/api/v1/bundle/promises?last=124"), 200);
    struct mp in;
    struct promise_proof proof;
    mp_start (&in, slice_of (answer.body + 4, answer.size - 4));
    assert_int_equal (get_u32 ((const uint8_t *) answer.body), answer.size - 4);
    promise_proof_take (&in, &proof);
    FINE (mp_finish (&in, &e));
    assert_int_equal (proof.sequence, 100);
    assert_int_equal (get ("/api/v1/bundle/promises?last=99"), 200);
    assert_int_equal (answer.size, 0);
    assert_int_equal (get ("/api/v1/bundle/refusals?last=124"), 200);
    assert_int_equal (answer.size, 9);
    assert_memory_equal (answer.body, "\0\0\0\5proof", 9);
}

static void test_openapi (void **state) {
    (void) state;
    assert_int_equal (get ("/api/v1/openapi.json"), 200);
    assert_string_equal (text_at ("openapi"), "3.1.0");
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

int main (void) {
    const struct CMUnitTest tests[] = {
        STORE (test_socket_paths),
        STORE (test_socket_stale),
        STORE (test_bad_options),
        API (test_bad_requests),
        API (test_garbage),
        API (test_body_sizes),
        API (test_bad_messages),
        API (test_content_limits),
        API (test_post_and_key),
        API (test_contributions),
        API (test_full),
        API (test_without_link),
        API (test_status),
        API (test_operator),
        API (test_settled),
        API (test_roster),
        API (test_audience),
        API (test_records),
        API (test_one_record),
        API (test_outbox),
        API (test_wait),
        API (test_events),
        API (test_gap),
        API (test_events_cursor),
        API (test_slow),
        API (test_many_feeds),
        API (test_tcp),
        API (test_guard),
        API (test_bundle),
        API (test_openapi),
    };
    return cmocka_run_group_tests (tests, begin_tests, end_tests);
}
