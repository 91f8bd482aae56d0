/* http: sockets, requests, and who may ask over TCP. */
#include "http_fixture.h"

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
    options.socket_group = "no-such-group-here";
    assert_null (http_new (&options, &e));
    assert_int_equal (e.code, ERR_CONFIG);
    options.socket_group = NULL;
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

static void test_openapi (void **state) {
    (void) state;
    assert_int_equal (get ("/api/v1/openapi.json"), 200);
    assert_string_equal (text_at ("openapi"), "3.1.0");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        STORE (test_socket_paths),
        STORE (test_socket_stale),
        STORE (test_bad_options),
        API (test_bad_requests),
        API (test_garbage),
        API (test_body_sizes),
        API (test_tcp),
        API (test_guard),
        API (test_openapi),
    };
    return cmocka_run_group_tests (tests, begin_tests, end_tests);
}
