/* Headers and bodies: a row for each rule and limit of PROTOCOL.md sections
 * 6.1 and 6.2, in a header that is good but for that. */
#include "format/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format_vectors.h"

/* A header in its parts: two arrays' heads, the 13 elements of the prefix,
 * body length, digest, and what may follow. */
enum part {
    OUTER,
    PREFIX,
    FORMAT,
    DIALOGUE,
    AUTHOR,
    KEY,
    ROSTER,
    LANE,
    NUMBER,
    TIME,
    TOPIC,
    REFERENCES,
    BODY,
    SEALING,
    EXTENSION,
    LENGTH,
    DIGEST,
    END,
    PARTS
};

#define HEX8 "0102030405060708"
#define HEX32 HEX8 HEX8 HEX8 HEX8
#define REF(n) "c420" n "02030405060708" HEX8 HEX8 HEX8

static const char *const good_parts[PARTS] = {
    [OUTER] = "93",
    [PREFIX] = "9d",
    [FORMAT] = "01",
    [DIALOGUE] = "c420" HEX32,
    [AUTHOR] = "a8554e4f44432f6871", /* UNODC/hq */
    [KEY] = "c408" HEX8,
    [ROSTER] = "03",
    [LANE] = "c408" HEX8,
    [NUMBER] = "cd0400",
    [TIME] = "cf0000018bcfe56800",
    [TOPIC] = "a96d656d626572732f78", /* members/x */
    [REFERENCES] = "92" REF ("01") REF ("02"),
    [BODY] = "02",
    [SEALING] = "c0",
    [EXTENSION] = "80",
    [LENGTH] = "11",
    [DIGEST] = "c420" HEX32,
    [END] = "",
};

static void add_hex (struct buf *out, const char *hex) {
    size_t size = strlen (hex) / 2;
    if (size > 0)
        assert_int_equal (hex_decode (buf_extend (out, size), size, hex), 0);
}

/* The good header with one part replaced by `part`. */
static struct buf with (enum part where, struct slice part) {
    struct buf out = { 0 };
    for (size_t i = 0; i < PARTS; i++)
        if (i == where)
            buf_add_slice (&out, part);
        else
            add_hex (&out, good_parts[i]);
    return out;
}

static struct buf with_hex (enum part where, const char *hex) {
    struct buf part = { 0 };
    add_hex (&part, hex);
    struct buf out = with (where, buf_slice (&part));
    buf_free (&part);
    return out;
}

static struct buf good_header (void) {
    return with_hex (END, "");
}

static void assert_told (const struct refusal *why, enum rule rule,
                         const char *word, const char *what) {
    char text[REFUSAL_TEXT_MAX];
    refusal_print (why, text);
    if (why->rule != rule || !strstr (text, word))
        fail_msg ("%s: \"%s\" is not %s with \"%s\"", what, text,
                  rule_name (rule), word);
}

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
        cmocka_unit_test (each_rule_of_a_header),
        cmocka_unit_test (each_limit_of_a_header),
        cmocka_unit_test (the_longest_header),
        cmocka_unit_test (nothing_is_judged_behind_a_newer_format),
        cmocka_unit_test (the_first_of_several_rules),
        cmocka_unit_test (cut_headers),
        cmocka_unit_test (turned_bits),
        cmocka_unit_test (bodies_that_differ),
        cmocka_unit_test (content_of_each_format),
        cmocka_unit_test (sizes_of_content),
        cmocka_unit_test (drafts_that_we_would_refuse),
        cmocka_unit_test (each_field_of_a_header),
        cmocka_unit_test (what_is_written_is_read),
        cmocka_unit_test (vectors),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
