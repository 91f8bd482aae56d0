/* The public file of a broker. */
#include "identity/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define KEY "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\""
#define FORMAT "\"format\": 1, "
#define ID "\"id\": \"broker-1\", "
#define DESK "\"desk\": \"tcp://127.0.0.1:7001\", "
#define FEED "\"feed\": \"tcp://[::1]:7002\", "
#define LINK "\"link\": " KEY ", "
#define LOG "\"log\": " KEY ", "
#define DESK_KEY "\"desk_key\": " KEY
#define NAME_33 "a23456789012345678901234567890123"

static void it_is_read_strictly (void **state) {
    (void) state;
    static const struct {
        const char *json;
        enum err code;
        const char *what;
    } cases[] = {
        { "", ERR_MALFORMED, "line" },
        { "{", ERR_MALFORMED, "line 1" },
        { "[]", ERR_MALFORMED, "format" },
        { "{}", ERR_MALFORMED, "format" },
        { "{\"format\": \"1\"}", ERR_MALFORMED, "format" },
        { "{\"format\": 1.0}", ERR_MALFORMED, "format" },
        { "{\"format\": 0}", ERR_MALFORMED, "format" },
        { "{\"format\": 2}", ERR_NEWER, "format: 2, 1 is known" },
        { "{" FORMAT DESK FEED LINK LOG DESK_KEY "}", ERR_MALFORMED, "id" },
        { "{" FORMAT ID FEED LINK LOG DESK_KEY "}", ERR_MALFORMED, "desk" },
        { "{" FORMAT ID DESK FEED LINK LOG "\"desk_key\": null}", ERR_MALFORMED,
          "string" },
        { "{" FORMAT ID ID DESK FEED LINK LOG DESK_KEY "}", ERR_MALFORMED,
          "uplicate" },
        { "{" FORMAT ID DESK FEED LINK LOG DESK_KEY ", \"x\": 1}",
          ERR_MALFORMED, "x" },
        { "{" FORMAT ID DESK FEED LINK LOG DESK_KEY "} {", ERR_MALFORMED,
          "line 1" },
        { "{" FORMAT "\"id\": \"A\", " DESK FEED LINK LOG DESK_KEY "}",
          ERR_MALFORMED, "id: 'A' is no broker's" },
        { "{" FORMAT "\"id\": \"" NAME_33 "\", " DESK FEED LINK LOG DESK_KEY
          "}",
          ERR_MALFORMED, "no broker's" },
        { "{" FORMAT ID "\"desk\": \"ipc://x\", " FEED LINK LOG DESK_KEY "}",
          ERR_MALFORMED, "desk: " },
        { "{" FORMAT ID DESK "\"feed\": \"tcp://*:1\", " LINK LOG DESK_KEY "}",
          ERR_MALFORMED, "feed: " },
        { "{" FORMAT ID DESK FEED "\"link\": \"AAAA\", " LOG DESK_KEY "}",
          ERR_MALFORMED, "link: not base64 of 32" },
        { "{" FORMAT ID DESK FEED LINK "\"log\": \"\", " DESK_KEY "}",
          ERR_MALFORMED, "log: not base64" },
        { "{" FORMAT ID DESK FEED LINK LOG "\"desk_key\": \"?\"}",
          ERR_MALFORMED, "desk_key: not base64" },
        { "{" FORMAT "\"id\": \"broker-1\\u0000\", " DESK FEED LINK LOG DESK_KEY
          "}",
          ERR_MALFORMED, "line 1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = { 0 };
        struct broker_public broker = { .id = "kept" };
        enum err rc =
            broker_public_read (slice_text (cases[i].json), &broker, &e);
        if (rc != cases[i].code || e.code != rc
            || !strstr (e.text, cases[i].what))
            fail_msg ("case %zu: %s %s", i, error_name (rc), e.text);
        assert_string_equal (broker.id, "kept");
    }
}

static void long_ones_are_refused (void **state) {
    (void) state;
    struct broker_public broker;
    struct buf json = { 0 };
    buf_add_text (&json, "{" FORMAT ID "\"desk\": \"tcp://");
    memset (buf_extend (&json, 255), 'a', 255);
    buf_add_text (&json, ":1\", " FEED LINK LOG DESK_KEY "}");
    assert_int_equal (broker_public_read (buf_slice (&json), &broker, NULL),
                      ERR_LIMIT);
    buf_clear (&json);
    memset (buf_extend (&json, 4097), ' ', 4097);
    assert_int_equal (broker_public_read (buf_slice (&json), &broker, NULL),
                      ERR_LIMIT);
    buf_free (&json);
}

static void what_is_written_is_read (void **state) {
    (void) state;
    struct error e = { 0 };
    struct buf json = { 0 };
    struct broker_public broker;
    struct identity *self = identity_new (IDENTITY_BROKER, "broker-1", &e);
    broker_public_write (self, "tcp://desk.example:1", "tcp://127.0.0.1:65535",
                         &json);
    if (broker_public_read (buf_slice (&json), &broker, &e))
        fail_msg ("%s", e.text);
    assert_string_equal (broker.id, "broker-1");
    assert_string_equal (broker.desk, "tcp://desk.example:1");
    assert_string_equal (broker.feed, "tcp://127.0.0.1:65535");
    assert_memory_equal (broker.link, identity_public (self, KEY_BROKER_LINK),
                         KEY_SIZE);
    assert_memory_equal (broker.log, identity_public (self, KEY_LOG), KEY_SIZE);
    assert_memory_equal (broker.desk_key, identity_public (self, KEY_DESK),
                         KEY_SIZE);
    assert_int_equal (
        broker_public_read (
            slice_text ("{" FORMAT ID DESK FEED LINK LOG DESK_KEY "}\n"),
            &broker, &e),
        ERR_NONE);
    buf_free (&json);
    identity_destroy (&self);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (it_is_read_strictly),
        cmocka_unit_test (long_ones_are_refused),
        cmocka_unit_test (what_is_written_is_read),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
