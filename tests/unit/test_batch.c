/* Batches: how they are cut, and which faults are whose. */
#include "batch_fixture.h"

static void assert_told (const struct refusal *why, enum rule rule,
                         const char *word) {
    char text[REFUSAL_TEXT_MAX];
    refusal_print (why, text);
    if (why->rule != rule || !strstr (text, word))
        fail_msg ("\"%s\" is not %s with \"%s\"", text, rule_name (rule), word);
}
/* The whole of it is refused, and no message has an id. */
static void assert_uncut (const struct frames *f, enum rule rule,
                          const char *word) {
    struct refusal why;
    assert_int_equal (read_frames (f, &why),
                      rule == RULE_LIMIT ? ERR_LIMIT : ERR_MALFORMED);
    assert_told (&why, rule, word);
    assert_int_equal (batch->size, 0);
    batch_clear (batch);
}

/* Heads */

#define SIG64                                                                  \
    "c440"                                                                     \
    "000000000000000000000000000000000000000000000000000000000000000000000000" \
    "00"                                                                       \
    "000000000000000000000000000000000000000000000000000000"
#define ID8 "c4080000000000000000"
#define UNODC "a8554e4f44432f6871"
#define MEMBERS "a76d656d62657273"

static const struct {
    const char *hex;
    const char *word;
} heads[] = {
    { "", "the input ends" },
    { "c0", "an array" },
    { "95" UNODC MEMBERS "01" ID8 SIG64, "size 5" },
    { "97" UNODC MEMBERS "01" ID8 SIG64 "c0c0", "size 7" },
    { "96a5554e4f4443" MEMBERS "01" ID8 SIG64 "c0", "author" },
    { "96aa554e4f44432f726f6f74" MEMBERS "01" ID8 SIG64 "c0", "author" },
    { "96" UNODC "a0"
      "01" ID8 SIG64 "c0",
      "channel" },
    { "96" UNODC "a4246c6f67"
      "01" ID8 SIG64 "c0",
      "channel" },
    { "96" UNODC "a96d656d626572732f78"
      "01" ID8 SIG64 "c0",
      "channel" },
    { "96" UNODC "a6"
      "4042422b4141"
      "01" ID8 SIG64 "c0",
      "ascend" },
    { "96" UNODC "a140"
      "01" ID8 SIG64 "c0",
      "entity 1" },
    { "96" UNODC MEMBERS "00" ID8 SIG64 "c0", "integer 0" },
    { "96" UNODC MEMBERS "ff" ID8 SIG64 "c0", "integer -1" },
    { "96" UNODC MEMBERS "01"
      "c40700000000000000" SIG64 "c0",
      "size 7" },
    { "96" UNODC MEMBERS "01" ID8 ID8 "c0", "size 8" },
    { "96" UNODC MEMBERS "01" ID8 SIG64 "c2", "an array has to be here" },
    { "96" UNODC MEMBERS "01" ID8 SIG64 "92" UNODC ID8, "size 2" },
    { "96" UNODC MEMBERS "01" ID8 SIG64 "93a353434f" ID8 SIG64, "submitter" },
    { "96" UNODC MEMBERS "01" ID8 SIG64 "93" UNODC ID8 ID8, "size 8" },
    { "96" UNODC MEMBERS "01" ID8 SIG64 "c0"
      "c0",
      "after the end" },
};

static void heads_outside_the_grammar (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct frames f = unsigned_frames (1, 0, NULL);
        size_t size = strlen (heads[i].hex) / 2;
        buf_clear (&f.head);
        if (size > 0)
            assert_int_equal (
                hex_decode (buf_extend (&f.head, size), size, heads[i].hex), 0);
        assert_uncut (&f, RULE_MALFORMED, heads[i].word);
        frames_free (&f);
    }
}

static void heads_above_a_limit (void **state) {
    (void) state;
    struct frames f = unsigned_frames (1, 0, NULL);
    buf_add_zeros (&f.head, BATCH_HEAD_MAX + 1 - f.head.size);
    assert_uncut (&f, RULE_LIMIT, "limit=512 size=513 what=batch head");
    static const int64_t sizes[] = { 257, NUMBER_MAX };
    for (size_t i = 0; i < 2; i++) {
        buf_clear (&f.head);
        put_head (&f.head, sizes[i]);
        assert_uncut (&f, RULE_LIMIT, "what=messages");
    }
    frames_free (&f);
}

/* Frames */

static void lengths_that_lie (void **state) {
    (void) state;
    static const struct {
        size_t at; /* in the headers' frame */
        uint32_t value;
        const char *word;
    } rows[] = {
        { 0, UINT32_MAX, "message 0: its header is longer" },
        { 0, 0, "message" },
        { 4, UINT32_MAX, "message 0: its body is longer" },
        { 4, 0, "octets follow" },
        { 4, 16, "octets follow" },
        { 4, 18, "message 2: its body is longer" },
        { 4, 34, "message 2: its body is longer" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frames f = unsigned_frames (3, 0, NULL);
        put_u32 (f.headers.data + rows[i].at, rows[i].value);
        assert_uncut (&f, RULE_MALFORMED, rows[i].word);
        frames_free (&f);
    }
}

static void a_size_that_lies (void **state) {
    (void) state;
    for (int64_t size = 1; size <= 256; size++) {
        if (size == 3)
            continue;
        struct frames f = unsigned_frames (3, 0, NULL);
        buf_clear (&f.head);
        put_head (&f.head, size);
        assert_uncut (&f, RULE_MALFORMED,
                      size < 3 ? "octets follow" : "message 3: no room");
        frames_free (&f);
    }
}

static void frames_cut_anywhere (void **state) {
    (void) state;
    struct frames f = signed_frames (3);
    struct refusal why;
    for (int which = 0; which < 3; which++) {
        struct slice parts[] = { buf_slice (&f.head), buf_slice (&f.headers),
                                 buf_slice (&f.bodies) };
        size_t whole = parts[which].size;
        for (size_t size = 0; size < whole; size++) {
            uint8_t *exact = mem_alloc (size);
            memcpy (exact, parts[which].data, size);
            struct slice given[] = { parts[0], parts[1], parts[2] };
            given[which] = slice_of (exact, size);
            assert_int_equal (batch_read (given[0], given[1], given[2],
                                          &dialogue, batch, &why),
                              ERR_MALFORMED);
            assert_int_equal (why.rule, RULE_MALFORMED);
            assert_int_equal (batch->size, 0);
            free (exact);
        }
    }
    static const struct slice none;
    assert_int_equal (
        batch_read (buf_slice (&f.head), none, none, &dialogue, batch, &why),
        ERR_MALFORMED);
    assert_int_equal (batch_read (none, none, none, &dialogue, batch, &why),
                      ERR_MALFORMED);
    frames_free (&f);
}

static void octets_behind_a_frame (void **state) {
    (void) state;
    for (int which = 0; which < 3; which++) {
        struct frames f = signed_frames (2);
        struct buf *bufs[] = { &f.head, &f.headers, &f.bodies };
        buf_add_u8 (bufs[which], 0);
        assert_uncut (&f, RULE_MALFORMED,
                      which ? "octets follow" : "after the end");
        frames_free (&f);
    }
}

/* Nothing that is turned goes unseen: the batch or a message is refused, or
 * the signature is no longer its author's. */
static void turned_bits (void **state) {
    (void) state;
    struct frames f = signed_frames (2);
    struct refusal why;
    const uint8_t *key = identity_public (author, KEY_SIGN);
    struct buf *bufs[] = { &f.head, &f.headers, &f.bodies };
    for (int which = 0; which < 3; which++)
        for (size_t i = 0; i < 8 * bufs[which]->size; i++) {
            bufs[which]->data[i / 8] ^= (uint8_t) (1 << i % 8);
            bool seen = read_frames (&f, &why) != 0;
            for (size_t m = 0; m < batch->size; m++)
                seen = seen || batch->items[m].refusal;
            if (!seen && batch_signed (batch, &dialogue, key))
                fail_msg ("frame %d, bit %zu", which + 1, i);
            batch_clear (batch);
            bufs[which]->data[i / 8] ^= (uint8_t) (1 << i % 8);
        }
    frames_free (&f);
}

static void octets_of_a_batch (void **state) {
    (void) state;
    /* To the last octet; the eight of the lengths do not count. */
    struct buf header = { 0 }, body = { 0 };
    static const struct spec good;
    make_part (&good, 0, 1, &header, &body);
    for (size_t more = 0; more <= 1; more++) {
        struct frames f = { 0 };
        put_head (&f.head, 1);
        size_t size = BATCH_OCTETS_MAX - header.size + more;
        put_lengths (&f.headers, header.size, size);
        buf_add_slice (&f.headers, buf_slice (&header));
        buf_add_zeros (&f.bodies, size);
        struct refusal why;
        if (more)
            assert_uncut (&f, RULE_LIMIT,
                          "limit=1048576 size=1048577 what=batch");
        else {
            assert_int_equal (read_frames (&f, &why), 0);
            assert_told (batch->items[0].refusal, RULE_BODY_LENGTH, "found=");
        }
        batch_clear (batch);
        frames_free (&f);
    }
    buf_free (&header);
    buf_free (&body);
}

/* Faults of the batch that leave ids */

static void mixed_batches (void **state) {
    (void) state;
    static const struct {
        struct spec spec;
        const char *what;
    } rows[] = {
        { { .author = "EUROPOL/hq" }, "what=author" },
        { { .author = "UNODC/hr" }, "what=author" },
        { { .topic = "analysts/x" }, "what=channel" },
        { { .topic = CHANNEL "s/x" }, "what=channel" },
        { { .topic = "@AA+BB/x" }, "what=channel" },
        { { .key = 1 }, "what=key" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t at = 0; at < 4; at++) {
            struct frames f = unsigned_frames (4, at, &rows[i].spec);
            struct refusal why;
            assert_int_equal (read_frames (&f, &why), ERR_MALFORMED);
            assert_told (&why, RULE_MIXED_BATCH, rows[i].what);
            char index[16];
            snprintf (index, sizeof index, "index=%zu", at);
            assert_told (&why, RULE_MIXED_BATCH, index);
            assert_int_equal (batch->size, 4);
            for (size_t m = 0; m < 4; m++) {
                struct hash id = hash_leaf (batch->items[m].message.octets);
                assert_true (hash_equal (&id, &batch->items[m].message.id));
            }
            batch_clear (batch);
            frames_free (&f);
        }
}

static void all_the_same_but_not_as_the_head_says (void **state) {
    (void) state;
    static const struct spec one = { .topic = "analysts/x" };
    struct frames f = unsigned_frames (1, 0, &one);
    struct refusal why;
    assert_int_equal (read_frames (&f, &why), ERR_MALFORMED);
    assert_told (&why, RULE_MIXED_BATCH, "index=0 what=channel");
    batch_clear (batch);
    frames_free (&f);
}

/* Topics may differ within a channel, and so may what else is no batch's. */
static void one_channel_many_topics (void **state) {
    (void) state;
    static const struct spec one = { .topic = CHANNEL "/plan/UNODC/2021" };
    struct frames f = unsigned_frames (4, 2, &one);
    struct refusal why;
    assert_int_equal (read_frames (&f, &why), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_null (batch->items[i].refusal);
        assert_true (slice_is (batch->items[i].message.channel, CHANNEL));
    }
    batch_clear (batch);
    frames_free (&f);
}

/* Faults of one message: all others are as good as without it. */

static void assert_only (const struct frames *f, size_t count, size_t at,
                         enum rule rule, const char *word) {
    struct refusal why;
    assert_int_equal (read_frames (f, &why), 0);
    assert_int_equal (batch->size, count);
    for (size_t i = 0; i < count; i++)
        if (i != at)
            assert_null (batch->items[i].refusal);
    /* The author signed them all: what is refused stands in the root too. */
    struct hash ids[BATCH_MAX];
    for (size_t i = 0; i < count; i++)
        ids[i] = hash_leaf (batch->items[i].message.octets);
    struct hash root = tree_root_of (ids, count);
    assert_true (hash_equal (&root, &batch->root));
    assert_non_null (batch->items[at].refusal);
    assert_told (batch->items[at].refusal, rule, word);
    batch_clear (batch);
    assert_int_equal (batch->size, 0);
}

static void another_dialogue (void **state) {
    (void) state;
    static const struct hash strange = { { 8, 1 } };
    static const struct spec spec = { .dialogue = &strange };
    struct frames f = unsigned_frames (3, 1, &spec);
    assert_only (&f, 3, 1, RULE_WRONG_DIALOGUE, "dialogue=080100");
    frames_free (&f);
}

/* Message 1 of 3 with its header's octets turned into others. */
static void headers_with_a_fault (void **state) {
    (void) state;
    static const struct {
        const char *from, *to; /* hex, of one length */
        enum rule rule;
    } rows[] = {
        { "939d01", "939d00", RULE_MALFORMED },
        { "939d01", "939d02", RULE_NEWER_FORMAT },
        { "6d656d626572732f78",
          "6d656d6265727378"
          "2f",
          RULE_TOPIC },
        { "9003c080", "9002c080", RULE_NONE }, /* another body format: fine */
        { "9003c080", "9003c08f", RULE_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static const struct spec good;
        struct frames f = { 0 };
        put_head (&f.head, 3);
        add_spec (&f, &good, 0);
        size_t at = f.headers.size;
        add_spec (&f, &good, 1);
        size_t size = strlen (rows[i].from) / 2;
        uint8_t from[16], to[16];
        assert_int_equal (hex_decode (from, size, rows[i].from), 0);
        assert_int_equal (hex_decode (to, size, rows[i].to), 0);
        uint8_t *place =
            memmem (f.headers.data + at, f.headers.size - at, from, size);
        assert_non_null (place);
        memcpy (place, to, size);
        add_spec (&f, &good, 2);
        struct refusal why;
        if (rows[i].rule == RULE_NONE) {
            assert_int_equal (read_frames (&f, &why), 0);
            assert_null (batch->items[1].refusal);
            batch_clear (batch);
        } else
            assert_only (&f, 3, 1, rows[i].rule, "");
        frames_free (&f);
    }
}

/* A header that is empty, too long, or ends in an even key. */
static void headers_of_another_make (void **state) {
    (void) state;
    static const struct spec good;
    for (int make = 0; make < 4; make++) {
        struct frames f = { 0 };
        struct buf header = { 0 }, body = { 0 }, turned = { 0 };
        make_part (&good, 1, 1, &header, &body);
        size_t tail = 1 + 2 + HASH_SIZE; /* body length, digest */
        size_t before = header.size - tail - 1;
        if (make == 1)
            buf_add_zeros (&turned, HEADER_MAX + 1);
        if (make > 1) {
            buf_add (&turned, header.data, before - (make == 3));
            if (make == 3) { /* sealed */
                buf_add (&turned, "\xc4\x20", 2);
                buf_add_zeros (&turned, HASH_SIZE);
                buf_add_u8 (&turned, 0x80);
            } else
                buf_add (&turned, "\x81\x02\xc0", 3);
            buf_add (&turned, header.data + before + 1, tail);
        }
        put_head (&f.head, 3);
        add_spec (&f, &good, 0);
        add_part (&f, buf_slice (&turned), buf_slice (&body));
        add_spec (&f, &good, 2);
        static const enum rule rules[] = { RULE_MALFORMED, RULE_LIMIT,
                                           RULE_EXTENSION, RULE_SEALING };
        static const char *const words[] = { "header", "what=header", "key=2",
                                             "" };
        assert_only (&f, 3, 1, rules[make], words[make]);
        buf_free (&header);
        buf_free (&body);
        buf_free (&turned);
        frames_free (&f);
    }
}

static void bodies_that_differ (void **state) {
    (void) state;
    static const struct spec good;
    for (int make = 0; make < 4; make++) {
        struct frames f = { 0 };
        struct buf header = { 0 }, body = { 0 };
        make_part (&good, 1, 5, &header, &body);
        if (make == 0)
            body.size--;
        else if (make == 1)
            buf_add_u8 (&body, 0);
        else if (make == 2)
            body.data[20] ^= 1;
        else
            body.size = 0;
        put_head (&f.head, 3);
        add_spec (&f, &good, 0);
        add_part (&f, buf_slice (&header), buf_slice (&body));
        add_spec (&f, &good, 2);
        assert_only (&f, 3, 1, make == 2 ? RULE_BODY_DIGEST : RULE_BODY_LENGTH,
                     make == 0   ? "found=20 stated=21"
                     : make == 1 ? "found=22 stated=21"
                     : make == 2 ? "found="
                                 : "found=0 stated=21");
        buf_free (&header);
        buf_free (&body);
        frames_free (&f);
    }
}

/* All faults at once: each message keeps its own, all memory is given back. */
static void a_batch_of_faults (void **state) {
    (void) state;
    struct frames f = { 0 };
    struct refusal why;
    put_head (&f.head, 256);
    for (size_t i = 0; i < 256; i++)
        put_lengths (&f.headers, 0, 0);
    assert_int_equal (read_frames (&f, &why), 0);
    assert_int_equal (batch->size, 256);
    for (size_t i = 0; i < 256; i++)
        assert_told (batch->items[i].refusal, RULE_MALFORMED, "header");
    batch_clear (batch);
    frames_free (&f);
}

/* What can't be cut has an id too. */
static void the_id_of_the_whole (void **state) {
    (void) state;
    struct hash want = hash_leaf (slice_text ("headheaders"));
    struct hash got = batch_id (slice_text ("head"), slice_text ("headers"));
    assert_true (hash_equal (&want, &got));
    want = hash_leaf ((struct slice){ 0 });
    got = batch_id ((struct slice){ 0 }, (struct slice){ 0 });
    assert_true (hash_equal (&want, &got));
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (heads_outside_the_grammar),
        cmocka_unit_test (heads_above_a_limit),
        cmocka_unit_test (lengths_that_lie),
        cmocka_unit_test (a_size_that_lies),
        cmocka_unit_test (frames_cut_anywhere),
        cmocka_unit_test (octets_behind_a_frame),
        cmocka_unit_test (turned_bits),
        cmocka_unit_test (octets_of_a_batch),
        cmocka_unit_test (mixed_batches),
        cmocka_unit_test (all_the_same_but_not_as_the_head_says),
        cmocka_unit_test (one_channel_many_topics),
        cmocka_unit_test (another_dialogue),
        cmocka_unit_test (headers_with_a_fault),
        cmocka_unit_test (headers_of_another_make),
        cmocka_unit_test (bodies_that_differ),
        cmocka_unit_test (a_batch_of_faults),
        cmocka_unit_test (the_id_of_the_whole),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
