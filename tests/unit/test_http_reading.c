/* What is read over the API: status, rosters, records, outbox, bundle. */
#include "http_fixture.h"

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

int main (void) {
    const struct CMUnitTest tests[] = {
        API (test_status),     API (test_operator), API (test_settled),
        API (test_roster),     API (test_audience), API (test_records),
        API (test_one_record), API (test_outbox),   API (test_wait),
        API (test_bundle),
    };
    return cmocka_run_group_tests (tests, begin_tests, end_tests);
}
