/* record: what breaks a rule is refused, what is newer is told apart, and what
 * was written is read again. */
#include "block_fixture.h"
#include "vectors.h"

#define EIGHT "c4080102030405060708"
#define N16 "00112233445566778899aabbccddeeff"
#define BIN32 "c420" N16 N16
#define BIN64 "c440" N16 N16 N16 N16
#define VIA "93ab46524f4e5445582f68717a" EIGHT BIN64 /* FRONTEX/hqz */

static struct cast cast;
static struct build *members;     /* items 0 and 1: messages; 2: an erasure */
static struct build *log_channel; /* a roster and its mark */

static int begin (void **state) {
    (void) state;
    cast_begin (&cast);
    members = build_new ("all");
    build_batch (members, &cast, cast.hq, cast.frontex, 2, 0, 2, RUN_WHOLE, 0);
    build_erasure (members);
    log_channel = build_new (CHANNEL_LOG);
    build_roster (log_channel, cast.roster);
    build_mark (log_channel, cast.roster);
    return 0;
}

static int end (void **state) {
    (void) state;
    build_free (members);
    build_free (log_channel);
    cast_end (&cast);
    return 0;
}

static struct slice good (char which) {
    switch (which) {
    case 'm':
        return buf_slice (&members->items[1].record);
    case 'e':
        return buf_slice (&members->items[2].record);
    case 'r':
        return buf_slice (&log_channel->items[0].record);
    default:
        return buf_slice (&log_channel->items[1].record);
    }
}

/* One element of a message (m), roster (r), mark (k) or erasure (e). */
static const struct {
    char which;
    size_t element;
    const char *hex;
    enum err code;
} broken[] = {
    { 'k', 0, "00", ERR_MALFORMED },                 /* format 0 */
    { 'k', 0, "a131", ERR_MALFORMED },               /* format as text */
    { 'k', 1, "ff", ERR_MALFORMED },                 /* type -1 */
    { 'k', 1, "00", ERR_MALFORMED },                 /* a message on $log */
    { 'k', 1, "03", ERR_MALFORMED },                 /* an erasure there */
    { 'k', 1, "01", ERR_MALFORMED },                 /* roster, not itself */
    { 'k', 2, "ff", ERR_MALFORMED },                 /* sequence -1 */
    { 'k', 2, "13", ERR_MALFORMED },                 /* below its roster */
    { 'k', 2, "14", ERR_MALFORMED },                 /* a mark as roster */
    { 'm', 2, "cd0014", ERR_MALFORMED },             /* long form */
    { 'k', 3, "ff", ERR_MALFORMED },                 /* time -1 */
    { 'k', 3, "cf0020000000000000", ERR_MALFORMED }, /* 2^53 */
    { 'k', 4, "00", ERR_MALFORMED },                 /* epoch 0 */
    { 'k', 5, "ff", ERR_MALFORMED },                 /* roster -1 */
    { 'k', 5, "15", ERR_MALFORMED },                 /* itself, not a roster */
    { 'k', 5, "16", ERR_MALFORMED },                 /* a later one */
    { 'r', 5, "13", ERR_MALFORMED },                 /* not itself */
    { 'k', 6, "a0", ERR_MALFORMED },                 /* no channel */
    { 'k', 6, "c40424 6c6f67", ERR_MALFORMED },      /* bin */
    { 'k', 6, "a3616c6c", ERR_MALFORMED },           /* mark on all */
    { 'm', 6, "a4246c6f67", ERR_MALFORMED },         /* message on $log */
    { 'm', 6, "a3416c6c", ERR_MALFORMED },           /* All */
    { 'm', 6, "a5616c6c2f78", ERR_MALFORMED },       /* all/x */
    { 'm', 6, "a64042422b4141", ERR_MALFORMED },     /* @BB+AA */
    { 'k', 7, "00", ERR_MALFORMED },                 /* channel sequence 0 */
    { 'k', 8, "00", ERR_MALFORMED },                 /* previous of a mark */
    { 'm', 8, "15", ERR_MALFORMED },                 /* itself before it */
    { 'm', 8, "ff", ERR_MALFORMED },                 /* -1 */
    { 'm', 8, "c2", ERR_MALFORMED },                 /* false */
    { 'k', 9, VIA, ERR_MALFORMED },                  /* via of a mark */
    { 'm', 9, "90", ERR_MALFORMED },                 /* via of nothing */
    { 'm', 10, "c0", ERR_MALFORMED },                /* no payload */
    { 'm', 10, "c400", ERR_MALFORMED },              /* empty */
    { 'm', 10, "a178", ERR_MALFORMED },              /* text */
    { 'm', 11, "c0", ERR_MALFORMED },                /* batch size nil */
    { 'm', 11, "00", ERR_MALFORMED },                /* 0 */
    { 'm', 11, "01", ERR_MALFORMED },                /* index 1 of 1 */
    { 'm', 11, "cd0101", ERR_MALFORMED },            /* 257 */
    { 'm', 12, "c0", ERR_MALFORMED },                /* index nil */
    { 'm', 12, "02", ERR_MALFORMED },                /* 2 of 2 */
    { 'm', 12, "ff", ERR_MALFORMED },                /* -1 */
    { 'm', 13, "c0", ERR_MALFORMED },                /* no signature */
    { 'm', 13, BIN32, ERR_MALFORMED },               /* of 32 */
    { 'k', 11, "01", ERR_MALFORMED },                /* a batch of a mark */
    { 'k', 12, "00", ERR_MALFORMED },                /* its index */
    { 'k', 13, BIN64, ERR_MALFORMED },               /* its signature */
    { 'e', 9, VIA, ERR_MALFORMED },                  /* via of an erasure */
    { 'e', 12, "00", ERR_MALFORMED },                /* index of an erasure */
    { 'm', 14, "c0", ERR_MALFORMED },                /* no extension map */
    { 'm', 14, "810000", ERR_MALFORMED },            /* key 0 */
    { 'm', 14, "8203000100", ERR_MALFORMED },        /* 3, 1 */
    { 'm', 14, "80c0", ERR_MALFORMED },              /* something behind */
    { 'm', 14, "", ERR_MALFORMED },                  /* cut */
    { 'k', 14, "810100", ERR_NONE },                 /* an odd key */
    { 'm', 9, "c0", ERR_NONE },                      /* no via */
    { 'm', 6, "a640 41412b4242", ERR_NONE },         /* @AA+BB */
    { 'k', 14, "820100 0200", ERR_NEWER },           /* an even key */
    { 'k', 1, "04", ERR_NEWER },                     /* type 4 */
    { 'k', 0, "02", ERR_NEWER },                     /* format 2 */
};

/* Hex of the table without its blanks. */
static const char *tight (const char *hex, char out[400]) {
    size_t n = 0;
    for (; *hex; hex++)
        if (*hex != ' ')
            out[n++] = *hex;
    out[n] = '\0';
    return out;
}

static void test_refuses (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char hex[400];
        struct buf octets = { 0 };
        struct record r;
        struct error e = { 0 };
        buf_add_slice (&octets, good (broken[i].which));
        record_put (&octets, broken[i].element, tight (broken[i].hex, hex));
        enum err rc = record_read (buf_slice (&octets), &r, &e);
        if (rc != broken[i].code || (rc && e.code != rc))
            fail_msg ("row %zu: %s '%s'", i, error_name (rc), e.text);
        if (rc == ERR_NEWER)
            assert_int_equal (r.sequence, BUILD_FIRST + 1);
        buf_free (&octets);
    }
}

static void test_cut_and_longer (void **state) {
    (void) state;
    for (const char *which = "mrke"; *which; which++) {
        struct slice all = good (*which);
        struct record r;
        struct buf longer = { 0 };
        for (size_t n = 0; n < all.size; n++)
            assert_int_equal (record_read (slice_of (all.data, n), &r, NULL),
                              ERR_MALFORMED);
        buf_add_slice (&longer, all);
        buf_add_u8 (&longer, 0xc0);
        assert_int_equal (record_read (buf_slice (&longer), &r, NULL),
                          ERR_MALFORMED);
        longer.data[0] = 0x9e;
        assert_int_equal (record_read (buf_slice (&longer), &r, NULL),
                          ERR_MALFORMED);
        buf_add_zeros (&longer, RECORD_MAX + 1 - longer.size);
        assert_int_equal (record_read (buf_slice (&longer), &r, NULL),
                          ERR_LIMIT);
        buf_free (&longer);
    }
}

/* A later format may have more elements, of any kind, behind its ninth. */
static void test_newer_format (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct record r;
    struct mp in;
    mp_start (&in, good ('m'));
    mp_array (&in, 15, 15);
    const uint8_t *from = in.at;
    for (int i = 0; i < 9; i++)
        mp_any (&in);
    mp_put_array (&octets, 20);
    buf_add (&octets, from, (size_t) (in.at - from));
    octets.data[3] = 2; /* array 16 takes three octets */
    buf_add_u8 (&octets, 0xc1);
    assert_int_equal (record_read (buf_slice (&octets), &r, NULL), ERR_NEWER);
    assert_int_equal (r.format, 2);
    assert_int_equal (r.sequence, BUILD_FIRST + 1);
    assert_true (slice_is (r.channel, "all"));
    assert_null (r.payload.data);
    octets.size = 12;
    assert_int_equal (record_read (buf_slice (&octets), &r, NULL),
                      ERR_MALFORMED);
    buf_free (&octets);
}

static void test_reads_what_it_wrote (void **state) {
    (void) state;
    for (const char *which = "mrke"; *which; which++) {
        struct record r, again;
        struct error e;
        struct buf out = { 0 };
        assert_int_equal (record_read (good (*which), &r, &e), ERR_NONE);
        record_write (&out, &r);
        assert_true (slice_equal (buf_slice (&out), good (*which)));
        assert_int_equal (record_read (buf_slice (&out), &again, &e), 0);
        assert_int_equal (again.type, r.type);
        buf_free (&out);
    }
    struct record r;
    assert_int_equal (record_read (good ('m'), &r, NULL), ERR_NONE);
    assert_int_equal (r.sequence, BUILD_FIRST + 1);
    assert_int_equal (r.roster, 3);
    assert_int_equal (r.channel_sequence, 8);
    assert_int_equal (r.previous, BUILD_FIRST);
    assert_int_equal (r.batch_size, 2);
    assert_int_equal (r.batch_index, 1);
    assert_true (slice_is (r.via.submitter, "FRONTEX/hq"));
    assert_int_equal (record_read (good ('k'), &r, NULL), ERR_NONE);
    assert_int_equal (r.previous, -1);
    assert_int_equal (r.batch_size, 0);
    assert_null (r.signature);
    assert_false (r.via.present);
}

/* The largest that can be: section 2.6 promises that a header fits. */
static void test_largest (void **state) {
    (void) state;
    uint8_t header[HEADER_MAX] = { 0 }, signature[SIGNATURE_SIZE] = { 0 };
    struct buf out = { 0 };
    struct record r, again;
    struct error e;
    assert_int_equal (record_read (good ('m'), &r, &e), ERR_NONE);
    r.sequence = r.channel_sequence = NUMBER_MAX;
    r.log_time = NUMBER_MAX;
    r.epoch = NUMBER_MAX;
    r.roster = r.previous = NUMBER_MAX - 1;
    r.channel = slice_text (
        "@AAAAAAAAAAAAAAAA+BBBBBBBBBBBBBBBB+CCCCCCCCCCCCCCCC+DDDDDDDDDDDDDDDD"
        "+EEEEEEEEEEEEEEEE+FFFFFFFFFFFFFFFF+GGGGGGGGGGGGGGGG+HHHHHHHH");
    r.via.submitter =
        slice_text ("AAAAAAAAAAAAAAAA/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    r.payload = slice_of (header, sizeof header);
    r.batch_size = BATCH_MAX;
    r.batch_index = BATCH_MAX - 1;
    r.signature = signature;
    record_write (&out, &r);
    assert_true (out.size <= RECORD_MAX - EXTENSION_MAX);
    if (record_read (buf_slice (&out), &again, &e))
        fail_msg ("%s", e.text);
    assert_true (again.sequence == NUMBER_MAX && again.log_time == NUMBER_MAX);
    buf_free (&out);
}

static void test_names (void **state) {
    (void) state;
    assert_string_equal (record_type_name (0), "message");
    assert_string_equal (record_type_name (3), "erasure");
    assert_string_equal (record_type_name (4), "unknown");
    assert_string_equal (record_type_name (-1), "unknown");
    struct hash a = record_leaf (good ('k')), b = hash_leaf (good ('k'));
    assert_true (hash_equal (&a, &b));
}

/* Payloads: [version, digest, note length, hash], [version, digest, root or
 * nil], [digest, order length, hash]. */
static const struct {
    char which;
    const char *hex;
    enum err code;
} payloads[] = {
    { 'r', "", ERR_MALFORMED },
    { 'r', "93 01" BIN32 "01", ERR_MALFORMED },
    { 'r', "94 00" BIN32 "01" BIN32, ERR_MALFORMED },
    { 'r', "94 01 c40100 01" BIN32, ERR_MALFORMED },
    { 'r', "94 01" BIN32 "00" BIN32, ERR_MALFORMED },
    { 'r', "94 01" BIN32 "ce00100001" BIN32, ERR_MALFORMED },
    { 'r', "94 01" BIN32 "01 c0", ERR_MALFORMED },
    { 'r', "94 01" BIN32 "01" BIN32 "c0", ERR_MALFORMED },
    { 'r', "94 01" BIN32 "ce00100000" BIN32, ERR_NONE },
    { 'k', "92 01" BIN32, ERR_MALFORMED },
    { 'k', "93 00" BIN32 "c0", ERR_MALFORMED },
    { 'k', "93 01" BIN32 "00", ERR_MALFORMED },
    { 'k', "93 01" BIN32 "c0 c0", ERR_MALFORMED },
    { 'k', "93 01" BIN32 "c0", ERR_NONE },
    { 'k', "93 01" BIN32 BIN32, ERR_NONE },
    { 'e', "93" BIN32 "00" BIN32, ERR_MALFORMED },
    { 'e', "93" BIN32 "ce00010001" BIN32, ERR_MALFORMED },
    { 'e', "93" BIN32 "01" BIN64, ERR_MALFORMED },
    { 'e', "94" BIN32 "01" BIN32 "c0", ERR_MALFORMED },
    { 'e', "93" BIN32 "ce00010000" BIN32, ERR_NONE },
};

static enum err payload_again (char which, struct slice octets,
                               struct buf *out) {
    struct roster_payload r;
    struct mark_payload k;
    struct erasure_payload x;
    enum err rc;
    if (which == 'r') {
        rc = roster_payload_read (octets, &r, NULL);
        if (!rc)
            roster_payload_write (out, &r);
    } else if (which == 'k') {
        rc = mark_payload_read (octets, &k, NULL);
        if (!rc)
            mark_payload_write (out, &k);
    } else {
        rc = erasure_payload_read (octets, &x, NULL);
        if (!rc)
            erasure_payload_write (out, &x);
    }
    return rc;
}

static void test_payloads (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        char hex[400];
        uint8_t octets[200];
        size_t size = strlen (tight (payloads[i].hex, hex)) / 2;
        struct buf out = { 0 };
        assert_int_equal (hex_decode (octets, size, hex), 0);
        enum err rc =
            payload_again (payloads[i].which, slice_of (octets, size), &out);
        if (rc != payloads[i].code)
            fail_msg ("row %zu: %s", i, error_name (rc));
        if (!rc)
            assert_true (
                slice_equal (buf_slice (&out), slice_of (octets, size)));
        buf_free (&out);
    }
}

static void check_body (const struct item *item) {
    struct record r;
    struct error e;
    int64_t length = -1;
    assert_int_equal (record_read (buf_slice (&item->record), &r, &e), 0);
    assert_int_equal (record_body_length (&r, &length, &e), 0);
    assert_int_equal (length, item->body.size);
    struct slice body = buf_slice (&item->body);
    assert_int_equal (record_body_check (&r, body, &e), 0);
    struct buf other = { 0 };
    buf_add_slice (&other, body);
    buf_add_u8 (&other, 0);
    assert_int_equal (record_body_check (&r, buf_slice (&other), &e),
                      ERR_DIGEST);
    if (body.size) {
        other.size--;
        other.data[0] ^= 1;
        assert_int_equal (record_body_check (&r, buf_slice (&other), &e),
                          ERR_DIGEST);
        assert_int_equal (
            record_body_check (&r, slice_of (body.data, body.size - 1), &e),
            ERR_DIGEST);
    }
    buf_free (&other);
}

static void test_bodies (void **state) {
    (void) state;
    for (size_t i = 0; i < members->count; i++)
        check_body (&members->items[i]);
    for (size_t i = 0; i < log_channel->count; i++)
        check_body (&log_channel->items[i]);
    struct record r = { .type = RECORD_MESSAGE, .payload = slice_text ("no") };
    int64_t length;
    struct message m;
    struct error e;
    for (r.type = 0; r.type <= RECORD_ERASURE; r.type++) {
        assert_int_equal (record_body_length (&r, &length, &e), ERR_MALFORMED);
        assert_int_equal (record_body_check (&r, r.payload, NULL),
                          ERR_MALFORMED);
    }
    assert_int_equal (record_body_length (&r, &length, &e), ERR_NEWER);
    assert_int_equal (record_message (&r, &m, &e), ERR_MALFORMED);
}

/* tests/vectors/records.json. */

static void vector_good (const json_t *v, struct slice octets) {
    struct record r;
    struct error e = { 0 };
    struct buf out = { 0 };
    const json_t *in = json_object_get (v, "in");
    if (record_read (octets, &r, &e))
        fail_msg ("%s: %s", vector_text (v, "name"), e.text);
    assert_int_equal (r.type,
                      json_integer_value (json_object_get (in, "type")));
    assert_int_equal (r.sequence,
                      json_integer_value (json_object_get (in, "sequence")));
    if (octets.data[octets.size - 1] == 0x80) { /* no extension */
        record_write (&out, &r);
        assert_true (slice_equal (buf_slice (&out), octets));
    }
    buf_free (&out);
}

/* Some rules of the vectors are about a record and its header: those are
 * block_check's. */
static enum err judge (struct slice octets) {
    struct record r;
    enum err rc = record_read (octets, &r, NULL);
    if (rc)
        return rc;
    struct block_writer *writer = block_writer_new();
    struct buf out = { 0 };
    struct block block;
    struct block_facts facts;
    int64_t length;
    block_begin (writer, r.sequence);
    if (r.type == RECORD_MESSAGE)
        block_run (writer, RUN_MISSING, &cast.dialogue, 1);
    rc = record_body_length (&r, &length, NULL);
    if (!rc) {
        assert_true (block_add (writer, octets,
                                slice_of (NULL, (size_t) length),
                                length ? BODY_ABSENT : BODY_NONE));
        block_finish (writer, &out);
        rc = block_read (buf_slice (&out), &block, NULL);
    }
    if (!rc)
        rc = block_check (&block, &facts, NULL);
    buf_free (&out);
    block_writer_destroy (&writer);
    return rc;
}

static void test_vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("records.json"), *v;
    size_t i;
    struct buf room = { 0 };
    struct record r;
    json_array_foreach (all, i, v) {
        bool newer = vector_is (v, "newer-record");
        if (!vector_is (v, "record") && !newer)
            continue;
        if (vector_refused (v)) {
            struct slice octets = vector_octets (v, &room);
            if (judge (octets) == ERR_NONE)
                fail_msg ("%s", vector_text (v, "name"));
            continue;
        }
        const json_t *out = json_object_get (v, "out");
        struct slice octets =
            vector_octets (newer ? json_object_get (v, "in") : out, &room);
        struct hash leaf = record_leaf (octets);
        vector_hex_equal (out, "leaf", leaf.octets, HASH_SIZE);
        if (!newer) {
            vector_good (v, octets);
            continue;
        }
        /* Of a newer header its record is known. */
        struct message m;
        enum err rc = record_read (octets, &r, NULL);
        if (!rc)
            rc = record_message (&r, &m, NULL);
        if (rc != ERR_NEWER)
            fail_msg ("%s: %s", vector_text (v, "name"), error_name (rc));
        assert_int_equal (
            r.sequence, json_integer_value (json_object_get (out, "sequence")));
    }
    buf_free (&room);
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refuses),
        cmocka_unit_test (test_cut_and_longer),
        cmocka_unit_test (test_newer_format),
        cmocka_unit_test (test_payloads),
        cmocka_unit_test (test_bodies),
        cmocka_unit_test (test_largest),
        cmocka_unit_test (test_names),
        cmocka_unit_test (test_reads_what_it_wrote),
        cmocka_unit_test (test_vectors),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
