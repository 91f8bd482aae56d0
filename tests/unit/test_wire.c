/* wire: PROTOCOL.md sections 8.1 to 8.6. What the other implementation wrote is
 * read, and written again to the same octets; what it calls bad is refused. */
#include "wire/wire.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#include "vectors.h"

#define FRAMES 8

struct frames {
    struct buf frame[FRAMES];
    size_t count;
};

static void frames_load (const json_t *list, struct frames *out) {
    *out = (struct frames){ .count = json_array_size (list) };
    if (out->count > FRAMES) /* one frame too many says it */
        out->count = FRAMES;
    for (size_t i = 0; i < out->count; i++) {
        const char *hex = json_string_value (json_array_get (list, i));
        size_t size = strlen (hex) / 2;
        uint8_t *at = buf_extend (&out->frame[i], size);
        assert_int_equal (hex_decode (at, size, hex), 0);
    }
}

static void frames_free (struct frames *self) {
    for (size_t i = 0; i < self->count; i++)
        buf_free (&self->frame[i]);
}

/* Octets that end where the slice ends, so that ASan sees a step beyond. */
static struct slice frame_at (const struct frames *self, size_t i) {
    return buf_slice (&self->frame[i]);
}

static void assert_same (const struct buf *got, struct slice want) {
    assert_int_equal (got->size, want.size);
    assert_memory_equal (got->data, want.data, want.size);
}

static void refusal_again (void *arg, const struct wire_refusal *one) {
    wire_refusal_put (arg, one);
}

/* Frame 1 of a request or a reply, read and written again. */
static enum err again (int type, struct slice in, struct buf *out) {
    struct error e = { 0 };
    union {
        struct wire_hello hello;
        struct wire_welcome welcome;
        struct wire_fetch fetch;
    } *u = mem_alloc (sizeof *u);
    int64_t a = 0, b = 0;
    size_t count = 0;
    struct slice name;
    struct wire_stream *streams = NULL;
    struct wire_item *items = NULL;
    enum err rc = ERR_NONE;
    switch (type) {
    case WIRE_HELLO:
        rc = wire_hello_read (in, &u->hello, &e);
        if (!rc)
            wire_hello_write (out, &u->hello);
        break;
    case WIRE_HELLO + WIRE_REPLY:
        rc = wire_welcome_read (in, &u->welcome, &e);
        if (!rc)
            wire_welcome_write (out, &u->welcome);
        break;
    case WIRE_FETCH:
        rc = wire_fetch_read (in, &u->fetch, &e);
        if (!rc)
            wire_fetch_write (out, &u->fetch);
        break;
    case WIRE_FETCH + WIRE_REPLY:
        rc = wire_items_read (in, &name, &a, &items, &count, &e);
        if (!rc)
            wire_items_write (out, name, a, items, count);
        break;
    case WIRE_STREAMS + WIRE_REPLY:
        rc = wire_streams_read (in, &a, &streams, &count, &e);
        if (!rc)
            wire_streams_write (out, a, streams, count);
        break;
    case WIRE_ROSTER:
        rc = wire_roster_read (in, &a, &e);
        if (!rc)
            wire_roster_write (out, a);
        break;
    case WIRE_ROSTER + WIRE_REPLY:
        rc = wire_roster_found_read (in, &a, &b, &e);
        if (!rc)
            wire_roster_found_write (out, a, b);
        break;
    case WIRE_REFUSALS:
        rc = wire_range_read (in, REFUSALS_MAX, &a, &b, &e);
        if (!rc)
            wire_range_write (out, a, b);
        break;
    case WIRE_REFUSALS + WIRE_REPLY:
        wire_refusals_begin (out, in.data[0] & 0x0f);
        rc = wire_refusals_read (in, refusal_again, out, &e);
        break;
    case WIRE_LEAVES:
        rc = wire_range_read (in, LEAVES_MAX, &a, &b, &e);
        if (!rc)
            wire_range_write (out, a, b);
        break;
    case WIRE_LEAVES + WIRE_REPLY:
        rc = wire_leaves_from_read (in, &a, &e);
        if (!rc)
            wire_leaves_from_write (out, a);
        break;
    default: /* batches, promises and status are others' business */
        buf_add_slice (out, in);
    }
    free (streams);
    free (items);
    free (u);
    if (rc)
        assert_true (e.text[0] != 0);
    return rc;
}

static void check_good (const json_t *vector) {
    struct frames frames;
    struct wire_head head;
    struct buf out = { 0 };
    frames_load (json_object_get (json_object_get (vector, "out"), "frames"),
                 &frames);
    assert_int_equal (wire_head_read (frame_at (&frames, 0), &head, NULL), 0);
    wire_head_write (&out, &head);
    assert_same (&out, frame_at (&frames, 0));
    if (vector_is (vector, "request"))
        assert_int_equal (wire_request_frames (head.type), frames.count - 1);
    if (frames.count > 1 && head.type != WIRE_ERROR) {
        buf_clear (&out);
        if (again (head.type, frame_at (&frames, 1), &out))
            fail_msg ("%s: refused", vector_text (vector, "name"));
        assert_same (&out, frame_at (&frames, 1));
    }
    buf_free (&out);
    frames_free (&frames);
}

static void check_error (const json_t *vector) {
    struct frames frames;
    struct refusal refusal;
    struct slice text;
    struct buf out = { 0 };
    frames_load (json_object_get (json_object_get (vector, "out"), "frames"),
                 &frames);
    assert_int_equal (
        wire_error_read (frame_at (&frames, 1), &refusal, &text, NULL), 0);
    assert_int_equal (refusal.rule, RULE_UNKNOWN_STREAM);
    char *copy = mem_alloc (text.size + 1);
    memcpy (copy, text.data, text.size);
    wire_error_write (&out, &refusal, copy);
    assert_same (&out, frame_at (&frames, 1));
    free (copy);
    buf_free (&out);
    frames_free (&frames);
}

/* A request's frame 0 and how many frames follow. */
static void check_bad_request (const json_t *vector) {
    struct frames frames;
    struct wire_head head;
    struct error e;
    const json_t *list = json_object_get (vector, "frames");
    if (json_array_size (list) > FRAMES)
        return; /* the desk counts frames */
    frames_load (list, &frames);
    enum err rc = wire_head_read (frame_at (&frames, 0), &head, &e);
    const char *rule = vector_text (vector, "rule");
    if (strcmp (rule, "UNKNOWN-REQUEST") == 0) {
        assert_int_equal (rc, 0);
        assert_int_not_equal (wire_request_frames (head.type),
                              frames.count - 1);
    } else if (strcmp (rule, "LIMIT") == 0) { /* of what is behind it: the
                                                 desk's */
        assert_int_equal (rc, 0);
    } else {
        bool version = strcmp (rule, "VERSION") == 0;
        assert_int_equal (rc, version ? ERR_NEWER : ERR_MALFORMED);
        assert_int_equal (head.version, version ? 2 : head.version);
    }
    frames_free (&frames);
}

static void check_bad_frame (const json_t *vector) {
    struct buf in = { 0 }, out = { 0 };
    struct slice octets = vector_octets (vector, &in);
    assert_int_not_equal (again (WIRE_HELLO, octets, &out), 0);
    buf_free (&in);
    buf_free (&out);
}

static void check_bad_items (const json_t *vector) {
    struct frames frames;
    struct buf out = { 0 };
    frames_load (json_object_get (vector, "frames"), &frames);
    /* What was asked for, and how many blocks came, the caller compares. */
    static const char *const callers[] = { "another stream", "begins later",
                                           "no block", "too many" };
    bool ours = true;
    for (size_t i = 0; i < sizeof callers / sizeof callers[0]; i++)
        if (strstr (vector_text (vector, "name"), callers[i]))
            ours = false;
    enum err rc = again (WIRE_FETCH + WIRE_REPLY, frame_at (&frames, 0), &out);
    assert_int_equal (rc != 0, ours);
    buf_free (&out);
    frames_free (&frames);
}

static void test_vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("wire.json");
    size_t i;
    json_t *vector;
    json_array_foreach (all, i, vector) {
        if (!vector_refused (vector) && vector_is (vector, "error"))
            check_error (vector);
        else if (!vector_refused (vector))
            check_good (vector);
        else if (vector_is (vector, "request"))
            check_bad_request (vector);
        else if (vector_is (vector, "hello"))
            check_bad_frame (vector);
        else if (vector_is (vector, "fetch-reply"))
            check_bad_items (vector);
    }
    json_decref (all);
}

/* Every frame 1, cut at every octet and with one behind, is refused; with any
 * octet changed it is refused or reads as what it then says. */
static void test_mangled (void **state) {
    (void) state;
    json_t *all = vectors_load ("wire.json");
    size_t i;
    json_t *vector;
    json_array_foreach (all, i, vector) {
        if (vector_refused (vector) || vector_is (vector, "error"))
            continue;
        struct frames frames;
        struct wire_head head;
        frames_load (
            json_object_get (json_object_get (vector, "out"), "frames"),
            &frames);
        assert_int_equal (wire_head_read (frame_at (&frames, 0), &head, NULL),
                          0);
        bool others = head.type == WIRE_PUBLISH
                      || head.type == WIRE_PUBLISH + WIRE_REPLY
                      || head.type == WIRE_STATUS + WIRE_REPLY
                      || head.type == WIRE_ROSTER + WIRE_REPLY + 1;
        struct slice whole =
            frames.count > 1 ? frame_at (&frames, 1) : slice_of (NULL, 0);
        for (size_t size = 0; size < whole.size && !others; size++) {
            uint8_t *cut = mem_copy (whole.data, size ? size : 1);
            struct buf out = { 0 };
            if (size > 0)
                assert_int_not_equal (
                    again (head.type, slice_of (cut, size), &out), 0);
            free (cut);
            uint8_t *changed = mem_copy (whole.data, whole.size);
            changed[size] ^= 0x41;
            buf_clear (&out);
            if (head.type != WIRE_REFUSALS + WIRE_REPLY
                && again (head.type, slice_of (changed, whole.size), &out) == 0)
                assert_memory_equal (out.data, changed, whole.size);
            free (changed);
            buf_free (&out);
        }
        frames_free (&frames);
    }
    json_decref (all);
}

static void test_error_text (void **state) {
    (void) state;
    struct refusal refusal, got;
    struct buf out = { 0 };
    struct slice text;
    refusal_set (&refusal, RULE_BUSY);
    char long_text[2000];
    memset (long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    wire_error_write (&out, &refusal, long_text);
    assert_int_equal (wire_error_read (buf_slice (&out), &got, &text, NULL), 0);
    assert_int_equal (got.rule, RULE_BUSY);
    assert_int_equal (text.size, 512);
    buf_free (&out);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_vectors),
        cmocka_unit_test (test_mangled),
        cmocka_unit_test (test_error_text),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
