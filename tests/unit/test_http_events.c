/* Events of the API, and feeds that do not read. */
#include "http_fixture.h"

#include "api/events.h"

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
    raw_read (fd, &got, "-0\ndata: {\"from\":1,\"to\":5,");
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

int main (void) {
    const struct CMUnitTest tests[] = {
        API (test_events), API (test_gap),        API (test_events_cursor),
        API (test_slow),   API (test_many_feeds),
    };
    return cmocka_run_group_tests (tests, begin_tests, end_tests);
}
