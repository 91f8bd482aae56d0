/* Bodies (PROTOCOL.md section 6.2), what is written, and the vectors. */
#include "message_fixture.h"

/* Bodies */

static void bodies_that_differ (void **state) {
    (void) state;
    uint8_t body[18] = "salt and a letter";
    struct hash digest = hash_blake2b (slice_of (body, 17));
    struct buf part = { 0 };
    mp_put_bin (&part, digest.octets, HASH_SIZE);
    struct buf h = with (DIGEST, buf_slice (&part));
    struct message m;
    struct refusal why;
    assert_int_equal (message_read (buf_slice (&h), &m, NULL), 0);
    assert_int_equal (message_body_check (&m, slice_of (body, 17), &why), 0);
    for (size_t size = 0; size <= 18; size++) {
        if (size == 17)
            continue;
        assert_int_equal (message_body_check (&m, slice_of (body, size), &why),
                          ERR_DIGEST);
        assert_int_equal (why.rule, RULE_BODY_LENGTH);
    }
    assert_told (&why, RULE_BODY_LENGTH, "found=18 stated=17", "body");
    for (size_t i = 0; i < 17; i++) {
        body[i] ^= 0x80;
        assert_int_equal (message_body_check (&m, slice_of (body, 17), &why),
                          ERR_DIGEST);
        assert_told (&why, RULE_BODY_DIGEST, "stated=", "body");
        assert_int_equal (message_body_check (&m, slice_of (body, 17), NULL),
                          ERR_DIGEST);
        body[i] ^= 0x80;
    }
    buf_free (&part);
    buf_free (&h);
}

static const char a_note[] =
    "parley/communique/1\n-\nwords\n\n"
    "\u2014 UNODC/hq "
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

static const struct {
    enum body_format format;
    const char *content;
    size_t size;
    enum err code;
} contents[] = {
    { BODY_MAP, "", 0, ERR_MALFORMED },
    { BODY_MAP, "\x90", 1, ERR_MALFORMED },
    { BODY_MAP, "\x80\x80", 2, ERR_MALFORMED },
    { BODY_MAP, "\x81\x01\x01", 3, ERR_MALFORMED },
    { BODY_MAP, "\x81\xa1k\xcc\x01", 5, ERR_MALFORMED },
    { BODY_MAP, "\x81\xa1k", 3, ERR_MALFORMED },
    { BODY_MAP, "\x80", 1, ERR_NONE },
    { BODY_MAP, "\x81\xa1k\x01", 4, ERR_NONE },
    { BODY_TEXT, "\xff", 1, ERR_MALFORMED },
    { BODY_TEXT, "\xed\xa0\x80", 3, ERR_MALFORMED },
    { BODY_TEXT, "a\0b", 3, ERR_NONE },
    { BODY_OCTETS, "", 0, ERR_MALFORMED },
    { BODY_OCTETS, "\xff", 1, ERR_NONE },
    { BODY_NOTE, "text", 4, ERR_MALFORMED },
    { BODY_NOTE, a_note, sizeof a_note - 1, ERR_NONE },
};

static void content_of_each_format (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct message m = { .body_format = contents[i].format };
        struct slice want = slice_of (contents[i].content, contents[i].size);
        struct slice got = slice_text ("as before");
        struct error e;
        struct buf body = { 0 };
        enum err rc = message_write_body (contents[i].format, want, &body, &e);
        if (rc != contents[i].code)
            fail_msg ("row %zu: %s", i, rc ? e.text : "taken");
        if (rc)
            buf_add_zeros (&body, BODY_SALT);
        if (rc)
            buf_add_slice (&body, want);
        assert_int_equal (message_content (&m, buf_slice (&body), &got, &e),
                          rc);
        assert_true (slice_equal (got, rc ? slice_text ("as before") : want));
        buf_free (&body);
    }
}

static void sizes_of_content (void **state) {
    (void) state;
    struct message m = { .body_format = BODY_OCTETS };
    struct slice got;
    struct error e;
    struct buf body = { 0 };
    uint8_t *octets = mem_alloc (BODY_MAX + 1);
    assert_int_equal (message_write_body (BODY_OCTETS,
                                          slice_of (octets, CONTENT_MAX + 1),
                                          &body, &e),
                      ERR_LIMIT);
    assert_int_equal (body.size, 0);
    assert_int_equal (message_write_body (BODY_OCTETS,
                                          slice_of (octets, CONTENT_MAX), &body,
                                          &e),
                      0);
    assert_int_equal (body.size, BODY_MAX);
    /* Two of the same content are two bodies. */
    struct buf other = { 0 };
    assert_int_equal (
        message_write_body (BODY_OCTETS, slice_of (octets, 1), &other, &e), 0);
    assert_int_equal (other.size, BODY_MIN);
    assert_memory_not_equal (other.data, body.data, BODY_SALT);
    for (size_t size = 0; size <= BODY_SALT; size++)
        assert_int_equal (
            message_content (&m, slice_of (octets, size), &got, &e),
            ERR_MALFORMED);
    assert_int_equal (message_content (&m, (struct slice){ 0 }, &got, &e),
                      ERR_MALFORMED);
    assert_int_equal (
        message_content (&m, slice_of (octets, BODY_MAX + 1), &got, &e),
        ERR_LIMIT);
    assert_int_equal (
        message_content (&m, slice_of (octets, BODY_MAX), &got, &e), 0);
    assert_int_equal (got.size, CONTENT_MAX);
    buf_free (&body);
    buf_free (&other);
    free (octets);
}

/* Writing */

static struct message_draft good_draft (const struct hash *dialogue,
                                        const struct hash references[2]) {
    struct message_draft draft = {
        .dialogue = dialogue,
        .author = "UNODC/hq",
        .roster_version = 3,
        .lane = UINT64_C (0x0102030405060708),
        .number = 1024,
        .author_time = 1700000000000,
        .topic = slice_text ("members/x"),
        .references = references,
        .reference_count = 2,
        .body_format = BODY_TEXT,
    };
    assert_int_equal (hex_decode (draft.key_id.octets, KEY_ID_SIZE, HEX8), 0);
    return draft;
}

static void drafts_that_we_would_refuse (void **state) {
    (void) state;
    struct hash many[65] = { 0 };
    for (size_t i = 0; i < 65; i++)
        many[i].octets[0] = (uint8_t) i;
    const struct message_draft good = good_draft (&many[0], many);
    struct message_draft bad[9];
    for (size_t i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].author = "UNODC";
    bad[1].roster_version = 0;
    bad[2].number = 0;
    bad[3].number = NUMBER_MAX + 1;
    bad[4].author_time = -1;
    bad[5].topic = slice_text ("members");
    bad[6].references = many;
    bad[6].reference_count = 65;
    bad[7].body_format = (enum body_format) 5;
    struct hash twice[2] = { many[3], many[3] };
    bad[8].references = twice;
    struct buf out = { 0 };
    struct error e;
    uint8_t body[BODY_MIN] = { 0 };
    buf_add_text (&out, "before");
    for (size_t i = 0; i < 9; i++)
        assert_int_equal (message_write_header (
                              &bad[i], slice_of (body, sizeof body), &out, &e),
                          i == 6 ? ERR_LIMIT : ERR_MALFORMED);
    assert_int_equal (
        message_write_header (&good, slice_of (body, BODY_MIN - 1), &out, &e),
        ERR_MALFORMED);
    assert_true (slice_is (buf_slice (&out), "before"));
    assert_int_equal (
        message_write_header (&good, slice_of (body, sizeof body), &out, &e),
        0);
    buf_free (&out);
}

static void what_is_written_is_read (void **state) {
    (void) state;
    struct hash dialogue, refs[2];
    assert_int_equal (hash_parse (HEX32, &dialogue), 0);
    refs[0] = refs[1] = dialogue;
    refs[1].octets[0] = 2;
    struct message_draft draft = good_draft (&dialogue, refs);
    struct buf body = { 0 }, out = { 0 };
    struct error e;
    assert_int_equal (
        message_write_body (BODY_TEXT, slice_text ("x"), &body, &e), 0);
    assert_int_equal (
        message_write_header (&draft, buf_slice (&body), &out, &e), 0);
    struct message m;
    assert_int_equal (message_read (buf_slice (&out), &m, NULL), 0);
    assert_int_equal (message_body_check (&m, buf_slice (&body), NULL), 0);
    /* But for the digest of a random salt it is the header of the rows. */
    struct buf h = good_header();
    assert_int_equal (out.size, h.size);
    assert_memory_equal (out.data, h.data, h.size - HASH_SIZE);
    buf_free (&body);
    buf_free (&out);
    buf_free (&h);
}

/* Vectors */

static void check_message (const json_t *in, const json_t *out) {
    struct slice header = vector_octets (out, "header");
    struct slice body = vector_octets (out, "body");
    struct message m;
    struct refusal why;
    assert_int_equal (message_read (header, &m, &why), 0);
    assert_int_equal (message_body_check (&m, body, &why), 0);
    assert_octets (slice_of (m.id.octets, HASH_SIZE),
                   json_object_get (out, "id"));
    assert_octets (slice_of (m.dialogue, HASH_SIZE),
                   json_object_get (in, "dialogue"));
    assert_octets (slice_of (m.key_id.octets, KEY_ID_SIZE),
                   json_object_get (in, "key_id"));
    const json_t *references = json_object_get (in, "references");
    assert_int_equal (m.reference_count, json_array_size (references));
    struct hash refs[REFERENCES_MAX], dialogue;
    for (size_t i = 0; i < m.reference_count; i++) {
        message_reference (&m, i, &refs[i]);
        assert_octets (slice_of (refs[i].octets, HASH_SIZE),
                       json_array_get (references, i));
    }
    const char *author = json_string_value (json_object_get (in, "author"));
    const char *topic = json_string_value (json_object_get (in, "topic"));
    assert_true (slice_is (m.author, author));
    assert_true (slice_is (m.topic, topic));
    memcpy (dialogue.octets, m.dialogue, HASH_SIZE);
    struct message_draft draft = {
        &dialogue,
        author,
        m.key_id,
        json_integer_value (json_object_get (in, "roster_version")),
        m.lane,
        json_integer_value (json_object_get (in, "number")),
        json_integer_value (json_object_get (in, "time")),
        slice_text (topic),
        refs,
        m.reference_count,
        (enum body_format) json_integer_value (
            json_object_get (in, "body_format"))
    };
    struct buf again = { 0 };
    assert_int_equal (message_write_header (&draft, body, &again, NULL), 0);
    /* We write no extension; others may. */
    json_t *ext = json_object_get (json_object_get (in, "extension"), "ext");
    if (json_array_size (ext) == 0)
        assert_true (slice_equal (buf_slice (&again), header));
    buf_free (&again);
    vector_drop (header);
    vector_drop (body);
}

static void check_refused (const json_t *vector, struct slice octets) {
    const char *name = json_string_value (json_object_get (vector, "name"));
    const char *rule = json_string_value (json_object_get (vector, "rule"));
    struct message m;
    struct refusal why;
    if (vector_is (vector, "header")) {
        if (!message_read (octets, &m, &why))
            fail_msg ("%s", name);
    } else {
        struct slice header = vector_octets (vector, "header");
        assert_int_equal (message_read (header, &m, &why), 0);
        assert_int_equal (message_body_check (&m, octets, &why), ERR_DIGEST);
        vector_drop (header);
    }
    if (strcmp (why.name, rule) != 0)
        fail_msg ("%s: %s, and not %s", name, why.name, rule);
}

static void check_content (const json_t *vector, struct slice content) {
    struct buf body = { 0 };
    struct error e;
    json_int_t format = json_integer_value (json_object_get (vector, "format"));
    assert_int_equal (
        message_write_body ((enum body_format) format, content, &body, &e),
        ERR_MALFORMED);
    buf_free (&body);
}

static void vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("messages");
    if (!all)
        skip();
    for (size_t i = 0; i < json_array_size (all); i++) {
        const json_t *v = json_array_get (all, i);
        if (vector_is (v, "message")) {
            check_message (json_object_get (v, "in"),
                           json_object_get (v, "out"));
            continue;
        }
        if (!json_object_get (v, "hex"))
            continue;
        struct slice octets = vector_octets (v, "hex");
        if (vector_is (v, "header") || vector_is (v, "body"))
            check_refused (v, octets);
        else if (vector_is (v, "content"))
            check_content (v, octets);
        vector_drop (octets);
    }
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (bodies_that_differ),
        cmocka_unit_test (content_of_each_format),
        cmocka_unit_test (sizes_of_content),
        cmocka_unit_test (drafts_that_we_would_refuse),
        cmocka_unit_test (what_is_written_is_read),
        cmocka_unit_test (vectors),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
