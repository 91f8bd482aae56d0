/* feedkey: PROTOCOL.md section 8.7. */
#include "wire/feedkey.h"

#include "base/mp.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vectors.h"

static void hex_take (const json_t *object, const char *name, void *out,
                      size_t size) {
    assert_int_equal (hex_decode (out, size, vector_text (object, name)), 0);
}

static struct slice frame_take (const json_t *list, size_t i,
                                struct buf *room) {
    const char *hex = json_string_value (json_array_get (list, i));
    size_t size = strlen (hex) / 2;
    buf_clear (room);
    if (size > 0)
        assert_int_equal (hex_decode (buf_extend (room, size), size, hex), 0);
    return buf_slice (room);
}

static void test_vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("feed.json");
    struct buf room[3] = { { 0 } }, plain = { 0 };
    size_t i, opened = 0, refused = 0;
    json_t *vector;
    json_array_foreach (all, i, vector) {
        const json_t *in = json_object_get (vector, "in");
        const json_t *list = json_object_get (vector, "frames");
        if (!list)
            list = json_object_get (json_object_get (vector, "out"), "frames");
        struct hash dialogue;
        struct feed_key key;
        hex_take (in, "dialogue", dialogue.octets, HASH_SIZE);
        hex_take (in, "key", key.key, FEED_KEY_SIZE);
        struct slice tag = frame_take (list, 0, &room[0]);
        if (json_array_size (list) != 3 || tag.size != TAG_SIZE)
            continue; /* the SUB's side counts parts */
        memcpy (key.tag, tag.data, TAG_SIZE);
        struct slice clear = frame_take (list, 1, &room[1]);
        struct slice sealed = frame_take (list, 2, &room[2]);
        int kind;
        struct slice content;
        struct error e;
        enum err rc = feed_open (sealed, &dialogue, &key, clear, &plain, &kind,
                                 &content, &e);
        assert_int_equal (rc != 0, vector_refused (vector));
        if (rc) {
            refused++;
            continue;
        }
        opened++;
        char part[4096];
        hex_encode (part, plain.data, plain.size);
        assert_string_equal (part, vector_text (in, "part"));
        if (kind == FEED_HEAD) {
            struct feed_head head;
            struct buf again = { 0 };
            assert_int_equal (feed_head_read (content, &head, NULL), 0);
            feed_head_write (&again, &head);
            assert_true (slice_equal (buf_slice (&again), content));
            buf_free (&again);
        }
    }
    assert_true (opened >= 4 && refused >= 5);
    for (i = 0; i < 3; i++)
        buf_free (&room[i]);
    buf_free (&plain);
    json_decref (all);
}

static void test_round (void **state) {
    (void) state;
    struct hash dialogue = { { 1 } };
    struct feed_key key, other;
    feed_key_draw (&key);
    feed_key_draw (&other);
    struct feed_clear place = { .generation = 3, .frame = 9 }, read;
    uint8_t clear[FEED_CLEAR];
    feed_clear_write (clear, &place);
    assert_int_equal (feed_clear_read (slice_of (clear, FEED_CLEAR), &read), 0);
    assert_int_equal (read.generation, 3);
    assert_int_equal (read.frame, 9);
    assert_int_equal (feed_clear_read (slice_of (clear, FEED_CLEAR - 1), &read),
                      ERR_MALFORMED);
    struct slice parts[2] = { slice_text ("one"), slice_text ("two") };
    struct buf sealed = { 0 }, plain = { 0 };
    struct slice content, place_octets = slice_of (clear, FEED_CLEAR);
    int kind;
    struct error e;
    feed_seal (&sealed, &dialogue, &key, clear, FEED_LEAVES, parts, 2);
    assert_int_equal (sealed.size, FEED_OVERHEAD + 7);
    assert_int_equal (feed_open (buf_slice (&sealed), &dialogue, &key,
                                 place_octets, &plain, &kind, &content, &e),
                      0);
    assert_int_equal (kind, FEED_LEAVES);
    assert_true (slice_is (content, "onetwo"));
    /* A changed octet anywhere, another key, a size outside. */
    for (size_t i = 0; i < sealed.size; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal (feed_open (buf_slice (&sealed), &dialogue, &key,
                                     place_octets, &plain, &kind, &content, &e),
                          ERR_SIGNATURE);
        sealed.data[i] ^= 1;
    }
    for (size_t i = 0; i < FEED_CLEAR; i++) {
        clear[i] ^= 1;
        assert_int_equal (feed_open (buf_slice (&sealed), &dialogue, &key,
                                     place_octets, &plain, &kind, &content, &e),
                          ERR_SIGNATURE);
        clear[i] ^= 1;
    }
    memcpy (other.tag, key.tag, TAG_SIZE);
    assert_int_equal (feed_open (buf_slice (&sealed), &dialogue, &other,
                                 place_octets, &plain, &kind, &content, &e),
                      ERR_SIGNATURE);
    assert_int_equal (feed_open (slice_of (sealed.data, FEED_OVERHEAD),
                                 &dialogue, &key, place_octets, &plain, &kind,
                                 &content, &e),
                      ERR_MALFORMED);
    assert_int_equal (feed_open (slice_of (sealed.data, FEED_PART_MAX + 1),
                                 &dialogue, &key, place_octets, &plain, &kind,
                                 &content, &e),
                      ERR_LIMIT);
    buf_free (&sealed);
    buf_free (&plain);
}

/* Kind 3: a place, then 1 to 256 hashes. */
static void test_leaves (void **state) {
    (void) state;
    struct buf part = { 0 };
    struct hash leaves[FEED_LEAVES_MAX + 1];
    for (size_t i = 0; i <= FEED_LEAVES_MAX; i++)
        memset (&leaves[i], (int) i, HASH_SIZE);
    static const struct {
        size_t count;
        int64_t first;
        enum err want;
    } rows[] = {
        { 0, 5, ERR_MALFORMED },
        { 1, -1, ERR_MALFORMED },
        { 1, NUMBER_MAX + 1, ERR_MALFORMED },
        { 2, NUMBER_MAX, ERR_MALFORMED },
        { FEED_LEAVES_MAX + 1, 0, ERR_LIMIT },
        { 1, 0, ERR_NONE },
        { 1, NUMBER_MAX, ERR_NONE },
        { FEED_LEAVES_MAX, 77, ERR_NONE },
    };
    int64_t first;
    struct slice hashes;
    struct error e;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        buf_clear (&part);
        feed_leaves_write (&part, rows[i].first, leaves, rows[i].count);
        enum err rc = feed_leaves_read (buf_slice (&part), &first, &hashes, &e);
        assert_int_equal (rc, rows[i].want);
        if (rc)
            continue;
        assert_int_equal (first, rows[i].first);
        assert_int_equal (hashes.size, rows[i].count * HASH_SIZE);
        assert_memory_equal (hashes.data, leaves, hashes.size);
    }
    for (size_t size = 0; size < 8 + 3 * HASH_SIZE; size++) {
        enum err rc =
            feed_leaves_read (slice_of (part.data, size), &first, &hashes, &e);
        assert_int_equal (
            rc, size > 8 && size % HASH_SIZE == 8 ? ERR_NONE : ERR_MALFORMED);
    }
    buf_free (&part);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_vectors),
        cmocka_unit_test (test_round),
        cmocka_unit_test (test_leaves),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
