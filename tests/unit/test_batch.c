/* Batches: how they are cut, which faults are whose, who signed. */
#include "format/batch.h"
#include "format/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "format_vectors.h"

#define CHANNEL "members"

static struct identity *author, *other;
static struct hash dialogue = { { 7 } };
static struct batch *batch; /* too large for a stack */

/* The three frames, and what they were made of. */
struct frames {
    struct buf head, headers, bodies;
};
/* One message for a test to turn: NULL and 0 leave what is good. */
struct spec {
    const char *author, *topic;
    const struct hash *dialogue;
    uint8_t key; /* xor of the key id's first octet */
};

static int begin (void **state) {
    (void) state;
    static const uint8_t seeds[2][KEY_SIZE] = { { 1 }, { 2 } };
    struct error e;
    if (sodium_init() < 0)
        return -1;
    author = identity_from_seed (IDENTITY_DELEGATION, "UNODC/hq", seeds[0], &e);
    other =
        identity_from_seed (IDENTITY_DELEGATION, "EUROPOL/hq", seeds[1], &e);
    batch = malloc (sizeof *batch);
    if (!author || !other || !batch)
        return -1;
    memset (batch, 0xa5, sizeof *batch); /* nothing may rest on zeros */
    batch->size = 0;
    return 0;
}

static int end (void **state) {
    (void) state;
    identity_destroy (&author);
    identity_destroy (&other);
    free (batch);
    return 0;
}

static void frames_free (struct frames *f) {
    buf_free (&f->head);
    buf_free (&f->headers);
    buf_free (&f->bodies);
}

static void make_part (const struct spec *spec, size_t number, size_t content,
                       struct buf *header, struct buf *body) {
    struct message_draft draft = {
        .dialogue = spec->dialogue ? spec->dialogue : &dialogue,
        .author = spec->author ? spec->author : "UNODC/hq",
        .key_id = identity_key_id (author, LABEL_BATCH),
        .roster_version = 1,
        .lane = 5,
        .number = (int64_t) number + 1,
        .topic = slice_text (spec->topic ? spec->topic : CHANNEL "/x"),
        .body_format = BODY_OCTETS,
    };
    draft.key_id.octets[0] ^= spec->key;
    struct error e;
    uint8_t *octets = mem_alloc (content);
    assert_int_equal (
        message_write_body (BODY_OCTETS, slice_of (octets, content), body, &e),
        0);
    assert_int_equal (
        message_write_header (&draft, buf_slice (body), header, &e), 0);
    free (octets);
}

static void put_lengths (struct buf *out, size_t header, size_t body) {
    buf_add_u32 (out, (uint32_t) header);
    buf_add_u32 (out, (uint32_t) body);
}

static void add_part (struct frames *f, struct slice header,
                      struct slice body) {
    put_lengths (&f->headers, header.size, body.size);
    buf_add_slice (&f->headers, header);
    buf_add_slice (&f->bodies, body);
}

static void add_spec (struct frames *f, const struct spec *spec, size_t i) {
    struct buf header = { 0 }, body = { 0 };
    make_part (spec, i, 1, &header, &body);
    add_part (f, buf_slice (&header), buf_slice (&body));
    buf_free (&header);
    buf_free (&body);
}

static void put_head (struct buf *out, int64_t size) {
    struct key_id id = identity_key_id (author, LABEL_BATCH);
    uint8_t signature[SIGNATURE_SIZE] = { 0 };
    mp_put_array (out, 6);
    mp_put_str (out, "UNODC/hq");
    mp_put_str (out, CHANNEL);
    mp_put_int (out, size);
    mp_put_bin (out, id.octets, KEY_ID_SIZE);
    mp_put_bin (out, signature, SIGNATURE_SIZE);
    mp_put_nil (out);
}

/* `count` good messages, one of them as `spec` says. Not signed. */
static struct frames unsigned_frames (size_t count, size_t at,
                                      const struct spec *spec) {
    static const struct spec good;
    struct frames f = { 0 };
    put_head (&f.head, (int64_t) count);
    for (size_t i = 0; i < count; i++)
        add_spec (&f, i == at && spec ? spec : &good, i);
    return f;
}

static enum err write_frames (size_t count, size_t content, struct frames *f,
                              struct error *e) {
    static const struct spec good;
    struct buf *bufs = mem_alloc ((count + 1) * 2 * sizeof *bufs);
    struct batch_part *parts = mem_alloc ((count + 1) * sizeof *parts);
    for (size_t i = 0; i < count; i++) {
        make_part (&good, i, content, &bufs[2 * i], &bufs[2 * i + 1]);
        parts[i].header = buf_slice (&bufs[2 * i]);
        parts[i].body = buf_slice (&bufs[2 * i + 1]);
    }
    enum err rc = batch_write (author, &dialogue, slice_text (CHANNEL), parts,
                               count, &f->head, &f->headers, &f->bodies, e);
    for (size_t i = 0; i < 2 * count; i++)
        buf_free (&bufs[i]);
    free (bufs);
    free (parts);
    return rc;
}

static struct frames signed_frames (size_t count) {
    struct frames f = { 0 };
    struct error e;
    assert_int_equal (write_frames (count, 1, &f, &e), 0);
    return f;
}

static enum err read_frames (const struct frames *f, struct refusal *why) {
    return batch_read (buf_slice (&f->head), buf_slice (&f->headers),
                       buf_slice (&f->bodies), &dialogue, batch, why);
}

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

/* Good ones */

static void batches_of_each_size (void **state) {
    (void) state;
    static const size_t sizes[] = { 1, 2, 3, 255, 256 };
    const uint8_t *key = identity_public (author, KEY_SIGN);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct frames f = signed_frames (sizes[s]);
        struct refusal why;
        struct hash ids[BATCH_MAX];
        assert_int_equal (read_frames (&f, &why), 0);
        assert_int_equal (batch->size, sizes[s]);
        assert_true (slice_is (batch->author, "UNODC/hq"));
        assert_true (slice_is (batch->channel, CHANNEL));
        assert_ptr_equal (batch->head_octets.data, f.head.data);
        for (size_t i = 0; i < sizes[s]; i++) {
            const struct batch_item *item = &batch->items[i];
            assert_null (item->refusal);
            assert_int_equal (item->message.number, i + 1);
            assert_int_equal (item->body.size, BODY_MIN);
            assert_true (item->body.data >= f.bodies.data); /* no copy */
            ids[i] = item->message.id;
        }
        struct hash root = tree_root_of (ids, sizes[s]);
        assert_true (hash_equal (&root, &batch->root));
        assert_true (batch_signed (batch, &dialogue, key));
        assert_false (batch->via.present);
        batch_clear (batch);
        frames_free (&f);
    }
}

static void batches_that_are_not_written (void **state) {
    (void) state;
    static const struct {
        size_t count, content;
    } rows[] = { { 0, 1 }, { 257, 1 }, { 5, 220000 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frames f = { 0 };
        struct error e;
        assert_int_equal (write_frames (rows[i].count, rows[i].content, &f, &e),
                          ERR_LIMIT);
        assert_int_equal (f.head.size + f.headers.size + f.bodies.size, 0);
    }
}

static void others_did_not_sign (void **state) {
    (void) state;
    struct frames f = signed_frames (2);
    struct refusal why;
    const struct hash strange = { { 9 } };
    assert_int_equal (read_frames (&f, &why), 0);
    const uint8_t *key = identity_public (author, KEY_SIGN);
    assert_true (batch_signed (batch, &dialogue, key));
    assert_false (batch_signed (batch, &strange, key));
    assert_false (
        batch_signed (batch, &dialogue, identity_public (other, KEY_SIGN)));
    assert_false (
        batch_signed (batch, &dialogue, identity_public (author, KEY_NOTE)));
    assert_false (batch_via_signed (batch, &dialogue, key));
    batch->size = 1; /* each part is signed */
    assert_false (batch_signed (batch, &dialogue, key));
    batch->size = 2;
    batch->channel = slice_text ("analysts");
    assert_false (batch_signed (batch, &dialogue, key));
    batch_clear (batch);
    frames_free (&f);
}

static void handed_in_by_another (void **state) {
    (void) state;
    struct frames f = signed_frames (2);
    struct buf head = { 0 };
    struct refusal why;
    assert_int_equal (read_frames (&f, &why), 0);
    batch_write_via (batch, other, &dialogue, &head);
    batch_clear (batch);
    assert_true (head.size <= BATCH_HEAD_MAX);
    assert_int_equal (batch_read (buf_slice (&head), buf_slice (&f.headers),
                                  buf_slice (&f.bodies), &dialogue, batch,
                                  &why),
                      0);
    const uint8_t *hers = identity_public (author, KEY_SIGN);
    const uint8_t *his = identity_public (other, KEY_SIGN);
    assert_true (batch->via.present);
    assert_true (slice_is (batch->via.submitter, "EUROPOL/hq"));
    assert_true (
        key_id_equal (batch->via.key_id, identity_key_id (other, LABEL_VIA)));
    assert_true (batch_signed (batch, &dialogue, hers));
    assert_true (batch_via_signed (batch, &dialogue, his));
    assert_false (batch_via_signed (batch, &dialogue, hers));
    batch->via.submitter = slice_text ("EUROPOL/hr");
    assert_false (batch_via_signed (batch, &dialogue, his));
    batch_clear (batch);
    buf_free (&head);
    frames_free (&f);
}

static void the_longest_head_fits (void **state) {
    (void) state;
    char name[DELEGATION_MAX + 1] = "ABCDEFGHIJKLMNOP/a23456789012345678901234"
                                    "56789012";
    char channel[CHANNEL_MAX + 1] = "@";
    for (int i = 0; i < 7; i++)
        snprintf (channel + strlen (channel), sizeof channel - strlen (channel),
                  "%s%cBCDEFGHIJKLMNOP", i ? "+" : "", 'A' + i);
    uint8_t signature[SIGNATURE_SIZE] = { 0 };
    struct via via = { true, slice_text (name), { { 0 } }, signature };
    struct buf out = { 0 };
    mp_put_array (&out, 6);
    mp_put_str (&out, name);
    mp_put_str (&out, channel);
    mp_put_int (&out, 256);
    mp_put_bin (&out, via.key_id.octets, KEY_ID_SIZE);
    mp_put_bin (&out, signature, SIGNATURE_SIZE);
    via_put (&out, &via);
    assert_true (out.size < BATCH_HEAD_MAX);
    buf_free (&out);
}

/* Contributions */

static enum err read_contribution (struct slice octets, struct error *e) {
    struct slice head, headers, bodies;
    return contribution_read (octets, &head, &headers, &bodies, e);
}

static void contributions_there_and_back (void **state) {
    (void) state;
    struct frames f = signed_frames (3);
    struct buf out = { 0 };
    struct slice head, headers, bodies;
    struct error e;
    contribution_write (buf_slice (&f.head), buf_slice (&f.headers),
                        buf_slice (&f.bodies), &out);
    assert_int_equal (
        contribution_read (buf_slice (&out), &head, &headers, &bodies, &e), 0);
    assert_true (slice_equal (head, buf_slice (&f.head)));
    assert_true (slice_equal (headers, buf_slice (&f.headers)));
    assert_true (slice_equal (bodies, buf_slice (&f.bodies)));
    for (size_t size = 0; size < out.size; size++) {
        uint8_t *exact = mem_alloc (size);
        memcpy (exact, out.data, size);
        assert_int_equal (read_contribution (slice_of (exact, size), &e),
                          ERR_MALFORMED);
        free (exact);
    }
    out.data[1] = 2;
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_NEWER);
    out.data[1] = 0;
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_MALFORMED);
    out.data[1] = 1;
    out.data[0] = 0x95;
    buf_add_u8 (&out, 0xc0);
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_MALFORMED);
    out.data[0] = 0x94;
    assert_int_equal (read_contribution (buf_slice (&out), NULL),
                      ERR_MALFORMED);
    buf_free (&out);
    frames_free (&f);
}

static void contributions_that_nobody_may_write (void **state) {
    (void) state;
    struct frames f = signed_frames (1);
    struct buf head = { 0 }, out = { 0 };
    struct refusal why;
    struct error e;
    assert_int_equal (read_frames (&f, &why), 0);
    batch_write_via (batch, other, &dialogue, &head);
    batch_clear (batch);
    contribution_write (buf_slice (&head), buf_slice (&f.headers),
                        buf_slice (&f.bodies), &out);
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_MALFORMED);
    assert_non_null (strstr (e.text, "via"));
    buf_clear (&out);
    contribution_write (slice_text ("x"), buf_slice (&f.headers),
                        buf_slice (&f.bodies), &out);
    assert_int_equal (read_contribution (buf_slice (&out), &e), ERR_MALFORMED);
    assert_non_null (strstr (e.text, "batch head"));
    uint8_t *zeros = mem_alloc (CONTRIBUTION_MAX + 1);
    assert_int_equal (
        read_contribution (slice_of (zeros, CONTRIBUTION_MAX + 1), &e),
        ERR_LIMIT);
    free (zeros);
    buf_free (&head);
    buf_free (&out);
    frames_free (&f);
}

/* Vectors */

static const char *text_of (const json_t *object, const char *name) {
    return json_string_value (json_object_get (object, name));
}

static void key_of (const json_t *in, const char *name, uint8_t *out) {
    assert_int_equal (hex_decode (out, KEY_SIZE, text_of (in, name)), 0);
}

static void check_signatures (const json_t *in, const struct hash *where) {
    uint8_t key[KEY_SIZE];
    key_of (in, "key", key);
    assert_true (batch_signed (batch, where, key));
    assert_int_equal (batch->via.present,
                      json_object_get (in, "submitter") != NULL);
    if (!batch->via.present)
        return;
    key_of (in, "submitter_key", key);
    assert_true (slice_is (batch->via.submitter, text_of (in, "submitter")));
    assert_true (batch_via_signed (batch, where, key));
}

static void check_contribution (const json_t *out, struct slice head,
                                struct slice headers, struct slice bodies) {
    const json_t *hex = json_object_get (out, "contribution");
    if (!hex)
        return;
    struct buf written = { 0 };
    contribution_write (head, headers, bodies, &written);
    assert_octets (buf_slice (&written), hex);
    assert_int_equal (read_contribution (buf_slice (&written), NULL), 0);
    buf_free (&written);
}

static void check_batch (const json_t *in, const json_t *out) {
    struct slice head = vector_octets (out, "head");
    struct slice headers = vector_octets (out, "headers");
    struct slice bodies = vector_octets (out, "bodies");
    struct hash where;
    struct refusal why;
    assert_int_equal (hash_parse (text_of (in, "dialogue"), &where), 0);
    assert_int_equal (batch_read (head, headers, bodies, &where, batch, &why),
                      0);
    assert_true (slice_is (batch->author, text_of (in, "author")));
    assert_true (slice_is (batch->channel, text_of (in, "channel")));
    const json_t *ids = json_object_get (out, "ids");
    assert_int_equal (batch->size, json_array_size (ids));
    for (size_t i = 0; i < batch->size; i++) {
        assert_null (batch->items[i].refusal);
        assert_octets (slice_of (batch->items[i].message.id.octets, HASH_SIZE),
                       json_array_get (ids, i));
    }
    assert_octets (slice_of (batch->root.octets, HASH_SIZE),
                   json_object_get (out, "root"));
    check_signatures (in, &where);
    check_contribution (out, head, headers, bodies);
    batch_clear (batch);
    vector_drop (head);
    vector_drop (headers);
    vector_drop (bodies);
}

/* The head alone, or frames under a head of ours: refused as a whole. */
static void check_refused (const json_t *vector, struct slice head,
                           struct slice headers, struct slice bodies) {
    struct refusal why;
    if (batch_read (head, headers, bodies, &dialogue, batch, &why) == 0
        || batch->size > 0 || strcmp (why.name, text_of (vector, "rule")) != 0)
        fail_msg ("%s", text_of (vector, "name"));
    batch_clear (batch);
}

static void check_frames (const json_t *vector) {
    const json_t *in = json_object_get (vector, "in");
    struct buf head = { 0 };
    put_head (&head, json_integer_value (json_object_get (in, "size")));
    struct slice headers = vector_octets (in, "headers");
    struct slice bodies = vector_octets (in, "bodies");
    check_refused (vector, buf_slice (&head), headers, bodies);
    vector_drop (headers);
    vector_drop (bodies);
    buf_free (&head);
}

static void check_head (const json_t *vector) {
    struct frames f = unsigned_frames (1, 0, NULL);
    struct slice head = vector_octets (vector, "hex");
    check_refused (vector, head, buf_slice (&f.headers), buf_slice (&f.bodies));
    vector_drop (head);
    frames_free (&f);
}

static void vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("messages");
    if (!all)
        skip();
    for (size_t i = 0; i < json_array_size (all); i++) {
        const json_t *v = json_array_get (all, i);
        if (vector_is (v, "batch"))
            check_batch (json_object_get (v, "in"), json_object_get (v, "out"));
        else if (vector_is (v, "head"))
            check_head (v);
        else if (vector_is (v, "frames"))
            check_frames (v);
    }
    json_decref (all);
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
        cmocka_unit_test (batches_of_each_size),
        cmocka_unit_test (batches_that_are_not_written),
        cmocka_unit_test (others_did_not_sign),
        cmocka_unit_test (handed_in_by_another),
        cmocka_unit_test (the_longest_head_fits),
        cmocka_unit_test (contributions_there_and_back),
        cmocka_unit_test (contributions_that_nobody_may_write),
        cmocka_unit_test (vectors),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
