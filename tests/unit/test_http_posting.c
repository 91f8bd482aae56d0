/* What is handed in over the API. */
#include "http_fixture.h"

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
        "{\"topic\":\"all/note/EUROPOL/P\",\"format\":\"json\","
        "\"content\":{\"b\":1.0,\"a\":[null,true]},\"references\":[\"" ID
        "\"]}";
    assert_int_equal (post_key (body, "key-1"), 202);
    assert_int_equal (number_at ("number"), 4);
    assert_non_null (strstr (answer.headers, "Location: /api/v1/outbox/4\r\n"));
    assert_string_equal (text_at ("state"), "waiting");
    assert_string_equal (text_at ("format"), "json");
    assert_string_equal (text_at ("topic"), "all/note/EUROPOL/P");
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

int main (void) {
    const struct CMUnitTest tests[] = {
        API (test_bad_messages), API (test_content_limits),
        API (test_post_and_key), API (test_contributions),
        API (test_full),         API (test_without_link),
    };
    return cmocka_run_group_tests (tests, begin_tests, end_tests);
}
