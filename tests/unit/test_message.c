/* Headers: a row for each rule and limit of PROTOCOL.md section 6.1, in a header
 * that is good but for that. */
#include "message_fixture.h"

/* Refused, whoever reads; nothing but octets and id is there after. */
static void assert_refused (struct slice header, enum err code, enum rule rule,
                            const char *word, const char *what) {
    struct message m;
    struct refusal why;
    memset (&m, 0xa5, sizeof m);
    if (message_read (header, &m, &why) != code)
        fail_msg ("%s: not %s", what, error_name (code));
    assert_told (&why, rule, word, what);
    assert_int_equal (message_read (header, &m, NULL), code);
    struct hash id = hash_leaf (header);
    assert_true (hash_equal (&id, &m.id));
    assert_ptr_equal (m.octets.data, header.data);
    assert_int_equal (m.octets.size, header.size);
    if (rule == RULE_EXTENSION || rule == RULE_SEALING) {
        assert_int_equal (message_read_any (header, &m, &why), 0);
        return;
    }
    assert_null (m.dialogue);
    assert_int_equal (m.author.size + m.topic.size + m.references.size, 0);
    assert_int_equal (message_read_any (header, &m, &why), code);
    assert_told (&why, rule, word, what);
}

static const struct {
    const char *what;
    enum part part;
    const char *hex;
    enum rule rule;
    const char *word;
} refused[] = {
    { "nil", OUTER, "c0", RULE_MALFORMED, "an array has to be here" },
    { "two items", OUTER, "92", RULE_MALFORMED, "arrays of 2 and 13" },
    { "four items", OUTER, "94", RULE_MALFORMED, "arrays of 4 and 13" },
    { "a long array", OUTER, "dc0003", RULE_MALFORMED, "shortest" },
    { "prefix a map", PREFIX, "8d", RULE_MALFORMED, "found a map" },
    { "12 elements", PREFIX, "9c", RULE_MALFORMED, "arrays of 3 and 12" },
    { "14 elements", PREFIX, "9e", RULE_MALFORMED, "arrays of 3 and 14" },
    { "format 0", FORMAT, "00", RULE_MALFORMED, "integer 0" },
    { "format -1", FORMAT, "ff", RULE_MALFORMED, "integer -1" },
    { "format a text", FORMAT, "a131", RULE_MALFORMED, "found a string" },
    { "format 2", FORMAT, "02", RULE_NEWER_FORMAT, "format=2 known=1" },
    { "highest format", FORMAT, "cf001fffffffffffff", RULE_NEWER_FORMAT,
      "format=9007199254740991" },
    { "format 2^53", FORMAT, "cf0020000000000000", RULE_MALFORMED,
      "integer 9007199254740992" },
    { "dialogue of 31", DIALOGUE, "c41f" HEX8 HEX8 HEX8 "01020304050607",
      RULE_MALFORMED, "octet 3: a binary of size 31" },
    { "dialogue of 33", DIALOGUE, "c421" HEX32 "00", RULE_MALFORMED, "33" },
    { "dialogue nil", DIALOGUE, "c0", RULE_MALFORMED, "found nil" },
    { "no author", AUTHOR, "a0", RULE_MALFORMED, "author" },
    { "an entity", AUTHOR, "a5554e4f4443", RULE_MALFORMED, "author" },
    { "root", AUTHOR, "aa554e4f44432f726f6f74", RULE_MALFORMED, "author" },
    { "author in octets", AUTHOR, "c408554e4f44432f6871", RULE_MALFORMED,
      "found a binary" },
    { "author no UTF-8", AUTHOR, "a8554e4f44432fff71", RULE_MALFORMED,
      "not UTF-8" },
    { "key id of 7", KEY, "c40701020304050607", RULE_MALFORMED, "size 7" },
    { "key id of 9", KEY, "c409" HEX8 "09", RULE_MALFORMED, "size 9" },
    { "roster 0", ROSTER, "00", RULE_MALFORMED, "integer 0" },
    { "roster nil", ROSTER, "c0", RULE_MALFORMED, "found nil" },
    { "lane of 7", LANE, "c40701020304050607", RULE_MALFORMED, "size 7" },
    { "lane a number", LANE, "01", RULE_MALFORMED, "found an integer" },
    { "number 0", NUMBER, "00", RULE_MALFORMED, "integer 0" },
    { "number 2^53", NUMBER, "cf0020000000000000", RULE_MALFORMED,
      "9007199254740992" },
    { "number a float", NUMBER, "cb3ff8000000000000", RULE_MALFORMED,
      "found a float64" },
    { "time -1", TIME, "ff", RULE_MALFORMED, "integer -1" },
    { "time 2^53", TIME, "cf0020000000000000", RULE_MALFORMED, "integer" },
    { "topic nil", TOPIC, "c0", RULE_MALFORMED, "found nil" },
    { "topic no UTF-8", TOPIC, "a96d656d626572732fff", RULE_MALFORMED,
      "not UTF-8" },
    { "no topic", TOPIC, "a0", RULE_TOPIC, "level 1 is empty" },
    { "one level", TOPIC, "a76d656d62657273", RULE_TOPIC, "1 level" },
    { "a slash behind", TOPIC, "a86d656d626572732f", RULE_TOPIC, "empty" },
    { "$log", TOPIC, "a6246c6f672f78", RULE_TOPIC, "$log" },
    { "a wildcard", TOPIC, "a96d656d626572732f2b", RULE_TOPIC, "0x2b" },
    { "ad-hoc order", TOPIC,
      "a8"
      "4042422b41412f78",
      RULE_TOPIC, "ascend" },
    { "references nil", REFERENCES, "c0", RULE_MALFORMED, "found nil" },
    { "references a map", REFERENCES, "80", RULE_MALFORMED, "found a map" },
    { "reference of 31", REFERENCES, "91c41f" HEX8 HEX8 HEX8 "01020304050607",
      RULE_MALFORMED, "size 31" },
    { "reference a text", REFERENCES, "91a0", RULE_MALFORMED, "a string" },
    { "one twice", REFERENCES, "93" REF ("01") REF ("02") REF ("01"),
      RULE_MALFORMED, "reference 2 " },
    { "neighbours equal", REFERENCES, "92" REF ("07") REF ("07"),
      RULE_MALFORMED, "reference 1 " },
    { "body format 0", BODY, "00", RULE_MALFORMED, "integer 0" },
    { "body format 5", BODY, "05", RULE_MALFORMED, "integer 5" },
    { "sealing of 8", SEALING, "c408" HEX8, RULE_MALFORMED, "size 8" },
    { "sealing false", SEALING, "c2", RULE_MALFORMED, "a boolean" },
    { "sealed", SEALING, "c420" HEX32, RULE_SEALING, "SEALING" },
    { "extension nil", EXTENSION, "c0", RULE_MALFORMED, "found nil" },
    { "extension key 0", EXTENSION, "810000", RULE_MALFORMED, "integer 0" },
    { "a text key", EXTENSION, "81a16101", RULE_MALFORMED, "a string" },
    { "extension order", EXTENSION, "8203000100", RULE_MALFORMED, "ascend" },
    { "key 2", EXTENSION, "83010002000400", RULE_EXTENSION, "key=2" },
    { "15 arrays in it", EXTENSION,
      "8101"
      "919191919191919191919191919191"
      "90",
      RULE_LIMIT, "limit=16 size=17 what=nesting" },
    { "length 16", LENGTH, "10", RULE_MALFORMED, "integer 16" },
    { "length -1", LENGTH, "ff", RULE_MALFORMED, "integer -1" },
    { "length 262,145", LENGTH, "ce00040001", RULE_LIMIT,
      "limit=262144 size=262145 what=body" },
    { "length 2^53-1", LENGTH, "cf001fffffffffffff", RULE_LIMIT,
      "size=9007199254740991" },
    { "length 2^53", LENGTH, "cf0020000000000000", RULE_MALFORMED,
      "integer 9007199254740992" },
    { "digest of 64", DIGEST, "c440" HEX32 HEX32, RULE_MALFORMED, "size 64" },
    { "digest nil", DIGEST, "c0", RULE_MALFORMED, "found nil" },
    { "nil behind", END, "c0", RULE_MALFORMED, "1 octets after the end" },
};

static enum err code_of (enum rule rule) {
    if (rule == RULE_LIMIT)
        return ERR_LIMIT;
    return rule == RULE_NEWER_FORMAT || rule == RULE_EXTENSION
                   || rule == RULE_SEALING
               ? ERR_NEWER
               : ERR_MALFORMED;
}

static void each_rule_of_a_header (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct buf h = with_hex (refused[i].part, refused[i].hex);
        assert_refused (buf_slice (&h), code_of (refused[i].rule),
                        refused[i].rule, refused[i].word, refused[i].what);
        buf_free (&h);
    }
}

/* What is too long for a row. `count` elements or octets. */
static struct buf references_of (size_t count) {
    struct buf out = { 0 };
    mp_put_array (&out, count);
    for (size_t i = 0; i < count; i++) {
        struct hash ref = { { (uint8_t) i } };
        mp_put_bin (&out, ref.octets, HASH_SIZE);
    }
    return out;
}
static struct buf extension_of (size_t size) {
    struct buf out = { 0 };
    static const uint8_t zeros[EXTENSION_MAX * 8];
    mp_put_map (&out, 1);
    mp_put_int (&out, 1);
    mp_put_bin (&out, zeros, size - 5);
    assert_int_equal (out.size, size);
    return out;
}
static struct buf author_of (size_t size) {
    char text[100] = "ABCDEFGHIJKLMNOP/"; /* 16, and a slash */
    for (size_t i = 17; i < size; i++)
        text[i] = 'a';
    struct buf out = { 0 };
    mp_put_str_slice (&out, slice_of (text, size));
    return out;
}
static struct buf topic_of (size_t size) {
    char text[300];
    memset (text, 'a', sizeof text);
    text[20] = text[140] = '/';
    struct buf out = { 0 };
    mp_put_str_slice (&out, slice_of (text, size));
    return out;
}
static struct buf levels_of (size_t count) {
    char text[64] = "members";
    for (size_t i = 1; i < count; i++)
        strcat (text, "/x");
    struct buf out = { 0 };
    mp_put_str (&out, text);
    return out;
}

static void each_limit_of_a_header (void **state) {
    (void) state;
    static const struct {
        enum part part;
        struct buf (*make) (size_t n);
        size_t most;
        enum err code;
        enum rule rule;
        const char *word;
    } rows[] = {
        { REFERENCES, references_of, 64, ERR_LIMIT, RULE_LIMIT,
          "limit=64 size=65 what=references" },
        { EXTENSION, extension_of, 1024, ERR_LIMIT, RULE_LIMIT,
          "limit=1024 size=1025 what=extension map" },
        { AUTHOR, author_of, 49, ERR_MALFORMED, RULE_MALFORMED, "author" },
        { TOPIC, topic_of, 255, ERR_LIMIT, RULE_TOPIC, "256 octets" },
        { TOPIC, levels_of, 16, ERR_LIMIT, RULE_TOPIC, "levels" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message m;
        struct buf most = rows[i].make (rows[i].most);
        struct buf more = rows[i].make (rows[i].most + 1);
        struct buf good = with (rows[i].part, buf_slice (&most));
        struct buf bad = with (rows[i].part, buf_slice (&more));
        assert_int_equal (message_read (buf_slice (&good), &m, NULL), 0);
        assert_refused (buf_slice (&bad), rows[i].code, rows[i].rule,
                        rows[i].word, rows[i].word);
        buf_free (&most);
        buf_free (&more);
        buf_free (&good);
        buf_free (&bad);
    }
}

static void the_longest_header (void **state) {
    (void) state;
    uint8_t *octets = mem_alloc (HEADER_MAX + 1);
    assert_refused (slice_of (octets, HEADER_MAX + 1), ERR_LIMIT, RULE_LIMIT,
                    "limit=6144 size=6145 what=header", "header");
    assert_refused (slice_of (octets, HEADER_MAX), ERR_MALFORMED,
                    RULE_MALFORMED, "octet 0", "6,144 zeros");
    free (octets);
    /* Its extension map is judged by its own limit, not by its nesting. */
    struct buf map = extension_of (EXTENSION_MAX * 5);
    struct buf h = with (EXTENSION, buf_slice (&map));
    assert_refused (buf_slice (&h), ERR_LIMIT, RULE_LIMIT, "extension", "map");
    buf_free (&map);
    buf_free (&h);
    assert_refused ((struct slice){ 0 }, ERR_MALFORMED, RULE_MALFORMED,
                    "the input ends", "nothing");
}

/* A newer format is nobody's fault, whatever stands behind it. */
static void nothing_is_judged_behind_a_newer_format (void **state) {
    (void) state;
    static const char *const rows[] = {
        "919102",
        "939d02",
        "9f9102c0c0c0c0c0c0c0c0c0c0c0c0c0c0",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf h = { 0 };
        add_hex (&h, rows[i]);
        bool room = i != 1; /* 13 elements, but none is there */
        assert_refused (buf_slice (&h), room ? ERR_NEWER : ERR_MALFORMED,
                        room ? RULE_NEWER_FORMAT : RULE_MALFORMED, "", rows[i]);
        buf_free (&h);
    }
}

static void the_first_of_several_rules (void **state) {
    (void) state;
    struct refusal why;
    struct message m;
    struct buf h = with_hex (SEALING, "c420" HEX32 "8102c0");
    h.size = 0; /* the good parts, but sealed, with key 2 and a bad topic */
    for (size_t i = 0; i < PARTS; i++)
        add_hex (&h, i == SEALING     ? "c420" HEX32
                     : i == EXTENSION ? "8102c0"
                     : i == TOPIC     ? "a178"
                                      : good_parts[i]);
    assert_int_equal (message_read (buf_slice (&h), &m, &why), ERR_MALFORMED);
    assert_int_equal (why.rule, RULE_TOPIC);
    buf_add_u8 (&h, 0);
    assert_int_equal (message_read (buf_slice (&h), &m, &why), ERR_MALFORMED);
    assert_int_equal (why.rule, RULE_MALFORMED);
    h.size = 0;
    for (size_t i = 0; i < PARTS; i++)
        add_hex (&h, i == SEALING     ? "c420" HEX32
                     : i == EXTENSION ? "8102c0"
                                      : good_parts[i]);
    assert_int_equal (message_read (buf_slice (&h), &m, &why), ERR_NEWER);
    assert_int_equal (why.rule, RULE_EXTENSION);
    assert_int_equal (m.must_know, 2);
    assert_non_null (m.sealing);
    buf_free (&h);
}

static void assert_good_fields (const struct message *m) {
    uint8_t hex32[32], hex8[8];
    assert_int_equal (hex_decode (hex32, 32, HEX32), 0);
    assert_int_equal (hex_decode (hex8, 8, HEX8), 0);
    assert_memory_equal (m->dialogue, hex32, 32);
    assert_true (slice_is (m->author, "UNODC/hq"));
    assert_memory_equal (m->key_id.octets, hex8, 8);
    assert_int_equal (m->roster_version, 3);
    assert_int_equal (m->lane, UINT64_C (0x0102030405060708));
    assert_int_equal (m->number, 1024);
    assert_int_equal (m->author_time, 1700000000000);
    assert_true (slice_is (m->topic, "members/x"));
    assert_true (slice_is (m->channel, "members"));
    assert_int_equal (m->reference_count, 2);
    struct hash ref;
    message_reference (m, 0, &ref);
    assert_memory_equal (ref.octets, hex32, 32);
    message_reference (m, 1, &ref);
    assert_int_equal (ref.octets[0], 2);
    assert_int_equal (m->body_format, BODY_TEXT);
    assert_null (m->sealing);
    assert_int_equal (m->must_know, 0);
    assert_int_equal (m->body_length, 17);
    assert_memory_equal (m->body_digest, hex32, 32);
}

static void each_field_of_a_header (void **state) {
    (void) state;
    struct buf h = good_header();
    struct message m, n;
    memset (&m, 0xa5, sizeof m);
    assert_int_equal (message_read (buf_slice (&h), &m, NULL), 0);
    assert_good_fields (&m);
    assert_int_equal (message_read_like (buf_slice (&h), &m, &n, NULL), 0);
    assert_good_fields (&n);
    memset (&n, 0xa5, sizeof n);
    assert_int_equal (message_read_form (buf_slice (&h), &m, &n, NULL), 0);
    assert_memory_equal (&n.id, &(struct hash){ { 0 } }, HASH_SIZE);
    n.id = m.id;
    assert_good_fields (&n);
    struct buf odd = with_hex (EXTENSION, "8201c003a178");
    assert_int_equal (message_read (buf_slice (&odd), &m, NULL), 0);
    struct buf none = with_hex (REFERENCES, "90");
    assert_int_equal (message_read (buf_slice (&none), &m, NULL), 0);
    assert_int_equal (m.reference_count + m.references.size, 0);
    struct buf newest = with_hex (ROSTER, "cf001fffffffffffff");
    assert_int_equal (message_read (buf_slice (&newest), &m, NULL), 0);
    struct buf adhoc = with_hex (TOPIC, "a8"
                                        "4041412b42422f78");
    assert_int_equal (message_read (buf_slice (&adhoc), &m, NULL), 0);
    assert_true (slice_is (m.channel, "@AA+BB"));
    buf_free (&h);
    buf_free (&odd);
    buf_free (&none);
    buf_free (&newest);
    buf_free (&adhoc);
}

static void cut_headers (void **state) {
    (void) state;
    struct buf h = good_header();
    struct message m;
    struct refusal why;
    for (size_t size = 0; size < h.size; size++) {
        uint8_t *exact = mem_copy (h.data, size);
        assert_int_equal (message_read (slice_of (exact, size), &m, &why),
                          ERR_MALFORMED);
        assert_int_equal (why.rule, RULE_MALFORMED);
        free (exact);
    }
    buf_free (&h);
}

static void put_again (struct buf *out, const struct message *m) {
    uint8_t lane[8];
    put_u64 (lane, m->lane);
    add_hex (out, "939d01");
    mp_put_bin (out, m->dialogue, HASH_SIZE);
    mp_put_str_slice (out, m->author);
    mp_put_bin (out, m->key_id.octets, KEY_ID_SIZE);
    mp_put_int (out, m->roster_version);
    mp_put_bin (out, lane, sizeof lane);
    mp_put_int (out, m->number);
    mp_put_int (out, m->author_time);
    mp_put_str_slice (out, m->topic);
    mp_put_array (out, m->reference_count);
    buf_add_slice (out, m->references);
    mp_put_int (out, m->body_format);
    add_hex (out, "c080");
    mp_put_int (out, m->body_length);
    mp_put_bin (out, m->body_digest, HASH_SIZE);
}

/* Whatever bit is turned: refused, or another message with just those octets.
 * To know the one before changes no verdict. */
static void turned_bits (void **state) {
    (void) state;
    struct buf h = good_header();
    struct message like, m, n;
    struct refusal why, other;
    size_t taken = 0;
    uint8_t *copy = mem_copy (h.data, h.size);
    assert_int_equal (message_read (slice_of (copy, h.size), &like, NULL), 0);
    for (size_t i = 0; i < 8 * h.size; i++) {
        h.data[i / 8] ^= (uint8_t) (1 << i % 8);
        enum err rc = message_read_any (buf_slice (&h), &m, &why);
        assert_int_equal (message_read_like (buf_slice (&h), &like, &n, &other),
                          rc);
        assert_memory_equal (&m, &n, sizeof m);
        assert_false (hash_equal (&m.id, &like.id));
        if (rc)
            assert_true (
                slice_equal (refusal_values (&why), refusal_values (&other)));
        else {
            struct buf again = { 0 };
            put_again (&again, &m);
            assert_true (slice_equal (buf_slice (&again), buf_slice (&h)));
            buf_free (&again);
            taken++;
        }
        h.data[i / 8] ^= (uint8_t) (1 << i % 8);
    }
    /* At least all of dialogue, key id, lane, two references, digest. */
    assert_true (taken > 8 * (4 * 32 + 2 * 8));
    free (copy);
    buf_free (&h);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (each_rule_of_a_header),
        cmocka_unit_test (each_limit_of_a_header),
        cmocka_unit_test (the_longest_header),
        cmocka_unit_test (nothing_is_judged_behind_a_newer_format),
        cmocka_unit_test (the_first_of_several_rules),
        cmocka_unit_test (cut_headers),
        cmocka_unit_test (turned_bits),
        cmocka_unit_test (each_field_of_a_header),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
