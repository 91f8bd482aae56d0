/* wire_marks: PROTOCOL.md sections 8.11 and 8.12. Each frame that is no whole
 * one of its kind is refused; what is written is read as it was. */
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct error e;

struct heard {
    size_t count;
    struct mark_claim claim; /* the last one */
    struct wire_handed handed;
};

static void hear_claim (void *arg, const struct mark_claim *claim) {
    struct heard *heard = arg;
    heard->count++;
    heard->claim = *claim;
}

static void hear_handed (void *arg, const struct wire_handed *one) {
    struct heard *heard = arg;
    heard->count++;
    heard->handed = *one;
}

/* Any of the readers, by the request's type or the reply's. */
static enum err read_frame (int type, struct slice in, struct heard *heard) {
    int64_t a, b;
    enum wire_which which;
    struct slice stream;
    switch (type) {
    case WIRE_COSIGN + WIRE_REPLY:
        return wire_settled_read (in, &a, &e);
    case WIRE_CHECKPOINT:
        return wire_checkpoint_read (in, &which, &a, &e);
    case WIRE_PATHS:
        return wire_paths_read (in, &a, &e);
    case WIRE_PATHS + WIRE_REPLY:
        return wire_claims_read (in, &a, hear_claim, heard, &e);
    case WIRE_HANDED:
        return wire_handed_read (in, &a, &b, &e);
    case WIRE_HANDED + WIRE_REPLY:
        return wire_handed_each (in, &a, hear_handed, heard, &e);
    default:
        return wire_cover_read (in, &stream, &a, &b, &e);
    }
}

static struct mark_claim make_claim (int64_t index, size_t path) {
    struct mark_claim claim = { .index = index, .path_length = path };
    claim.stream.name = slice_text ("ops");
    claim.stream.last = index % 2 ? 77 : -1;
    claim.stream.count = index % 2 ? 12 : 0;
    memset (&claim.stream.salt, 0x51, HASH_SIZE);
    memset (&claim.stream.root, 0x52, HASH_SIZE);
    for (size_t i = 0; i < path; i++)
        memset (&claim.path[i], (int) i, HASH_SIZE);
    return claim;
}

static struct wire_handed make_handed (int64_t number, size_t path) {
    struct wire_handed one = { .claim = make_claim (3, MARK_PATH_MAX),
                               .number = number,
                               .path_length = path };
    for (size_t i = 0; i < path; i++)
        memset (&one.path[i], (int) i + 100, HASH_SIZE);
    return one;
}

/* One good frame of each kind. */
static void write_frame (int type, struct buf *out) {
    struct mark_claim claim;
    struct wire_handed handed = make_handed (12, 4);
    switch (type) {
    case WIRE_COSIGN + WIRE_REPLY:
        wire_settled_write (out, 70000);
        break;
    case WIRE_CHECKPOINT:
        wire_checkpoint_write (out, WIRE_HANDOVER, 300);
        break;
    case WIRE_PATHS:
        wire_paths_write (out, 1234567);
        break;
    case WIRE_PATHS + WIRE_REPLY:
        wire_claims_begin (out, 1234567, 2);
        claim = make_claim (2, 0);
        mark_claim_write (out, &claim);
        claim = make_claim (3, MARK_PATH_MAX);
        mark_claim_write (out, &claim);
        break;
    case WIRE_HANDED:
        wire_handed_write (out, 1234567, 0);
        break;
    case WIRE_HANDED + WIRE_REPLY:
        wire_handed_begin (out, 1234567, 1);
        wire_handed_put (out, &handed);
        break;
    default:
        wire_cover_write (out, slice_text ("ops"), 0, 1);
    }
}

static const int types[] = { WIRE_COSIGN + WIRE_REPLY,
                             WIRE_CHECKPOINT,
                             WIRE_PATHS,
                             WIRE_PATHS + WIRE_REPLY,
                             WIRE_HANDED,
                             WIRE_HANDED + WIRE_REPLY,
                             WIRE_COVER };
#define TYPES (sizeof types / sizeof *types)

/* At every length, and with an octet more; the memory ends where they do. */
static void a_frame_is_whole_or_refused (void **state) {
    (void) state;
    for (size_t i = 0; i < TYPES; i++) {
        struct buf good = { 0 };
        write_frame (types[i], &good);
        struct heard heard = { 0 };
        for (size_t size = 0; size <= good.size + 1; size++) {
            uint8_t *copy = calloc (1, size + 1);
            memcpy (copy, good.data, size < good.size ? size : good.size);
            enum err rc = read_frame (types[i], slice_of (copy, size), &heard);
            assert_int_equal (rc, size == good.size ? ERR_NONE : ERR_MALFORMED);
            free (copy);
        }
        assert_true (heard.count <= 2); /* of the whole one alone */
        buf_free (&good);
    }
}

/* Hand-written: what the writers never write. */
static void what_cannot_be_is_refused (void **state) {
    (void) state;
    static const struct {
        int type;
        const char *hex;
        enum err want;
    } rows[] = {
        { WIRE_COSIGN + WIRE_REPLY, "91c0", ERR_NONE },
        { WIRE_COSIGN + WIRE_REPLY, "9100", ERR_NONE },
        { WIRE_COSIGN + WIRE_REPLY, "91ff", ERR_MALFORMED },
        { WIRE_COSIGN + WIRE_REPLY, "90", ERR_MALFORMED },
        { WIRE_COSIGN + WIRE_REPLY, "91cf0020000000000000", ERR_MALFORMED },
        { WIRE_CHECKPOINT, "9200c0", ERR_NONE },
        { WIRE_CHECKPOINT, "9201c0", ERR_NONE },
        { WIRE_CHECKPOINT, "920201", ERR_NONE },
        { WIRE_CHECKPOINT, "9202c0", ERR_MALFORMED },
        { WIRE_CHECKPOINT, "920200", ERR_MALFORMED },
        { WIRE_CHECKPOINT, "920001", ERR_MALFORMED },
        { WIRE_CHECKPOINT, "920101", ERR_MALFORMED },
        { WIRE_CHECKPOINT, "9203c0", ERR_MALFORMED },
        { WIRE_CHECKPOINT, "92ffc0", ERR_MALFORMED },
        { WIRE_PATHS, "9100", ERR_NONE },
        { WIRE_PATHS, "91c0", ERR_MALFORMED },
        { WIRE_PATHS, "91ff", ERR_MALFORMED },
        { WIRE_PATHS + WIRE_REPLY, "920090", ERR_NONE },
        { WIRE_PATHS + WIRE_REPLY, "92ff90", ERR_MALFORMED },
        { WIRE_PATHS + WIRE_REPLY, "9200dc0201", ERR_LIMIT },
        { WIRE_PATHS + WIRE_REPLY, "9200dc0200", ERR_MALFORMED },
        { WIRE_HANDED, "920001", ERR_NONE },
        { WIRE_HANDED, "92ff01", ERR_MALFORMED },
        { WIRE_HANDED, "9201ff", ERR_MALFORMED },
        { WIRE_HANDED + WIRE_REPLY, "920090", ERR_NONE },
        { WIRE_HANDED + WIRE_REPLY, "9200dc0011", ERR_LIMIT },
        { WIRE_COVER, "93a16f0001", ERR_NONE },
        { WIRE_COVER, "93a16f0000", ERR_MALFORMED },
        { WIRE_COVER, "93a16f0302", ERR_MALFORMED },
        { WIRE_COVER, "93a16fff01", ERR_MALFORMED },
        { WIRE_COVER, "93a00001", ERR_MALFORMED },
        { WIRE_COVER,
          "93a16fcf001ffffffffffffe"
          "cf001fffffffffffff",
          ERR_NONE },
        { WIRE_COVER,
          "93a16fcf001fffffffffffff"
          "cf0020000000000000",
          ERR_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t octets[64];
        size_t size = strlen (rows[i].hex) / 2;
        struct heard heard = { 0 };
        assert_int_equal (hex_decode (octets, size, rows[i].hex), 0);
        enum err rc =
            read_frame (rows[i].type, slice_of (octets, size), &heard);
        if (rc != rows[i].want)
            fail_msg ("%s: %d", rows[i].hex, rc);
        assert_int_equal (heard.count, 0);
    }
}

/* A caller is told of all or of none. */
static void bad_claims_are_refused_whole (void **state) {
    (void) state;
    static const int64_t orders[][2] = { { 5, 5 }, { 5, 4 }, { 5, 0 } };
    struct heard heard = { 0 };
    int64_t mark;
    for (size_t i = 0; i < 3; i++) {
        struct buf frame = { 0 };
        wire_claims_begin (&frame, 9, 2);
        for (size_t j = 0; j < 2; j++) {
            struct mark_claim claim = make_claim (orders[i][j], 1);
            mark_claim_write (&frame, &claim);
        }
        assert_int_equal (wire_claims_read (buf_slice (&frame), &mark,
                                            hear_claim, &heard, &e),
                          ERR_MALFORMED);
        assert_non_null (strstr (e.text, "stream 5"));
        buf_free (&frame);
    }
    struct wire_handed good = make_handed (12, TREE_PATH_MAX), bad = good;
    bad.number = 13; /* of a stream of 12 */
    struct buf frame = { 0 };
    wire_handed_begin (&frame, 9, 2);
    wire_handed_put (&frame, &good);
    wire_handed_put (&frame, &bad);
    assert_int_equal (
        wire_handed_each (buf_slice (&frame), &mark, hear_handed, &heard, &e),
        ERR_MALFORMED);
    buf_free (&frame);
    assert_int_equal (heard.count, 0);
}

static void what_is_written_is_read (void **state) {
    (void) state;
    struct buf frame = { 0 };
    int64_t a, b;
    static const int64_t sizes[] = { -1, 0, 1, NUMBER_MAX };
    for (size_t i = 0; i < 4; i++) {
        buf_clear (&frame);
        wire_settled_write (&frame, sizes[i]);
        assert_int_equal (wire_settled_read (buf_slice (&frame), &a, &e), 0);
        assert_int_equal (a, sizes[i]);
    }
    for (enum wire_which which = WIRE_NEWEST; which <= WIRE_HANDOVER; which++) {
        enum wire_which read;
        int64_t version = which == WIRE_HANDOVER ? 8 : 0;
        buf_clear (&frame);
        wire_checkpoint_write (&frame, which, version);
        assert_int_equal (
            wire_checkpoint_read (buf_slice (&frame), &read, &a, &e), 0);
        assert_int_equal (read, which);
        assert_int_equal (a, version);
    }
    buf_clear (&frame);
    wire_paths_write (&frame, 41);
    assert_int_equal (wire_paths_read (buf_slice (&frame), &a, &e), 0);
    assert_int_equal (a, 41);
    buf_clear (&frame);
    wire_handed_write (&frame, 42, 17);
    assert_int_equal (wire_handed_read (buf_slice (&frame), &a, &b, &e), 0);
    assert_int_equal (a, 42);
    assert_int_equal (b, 17);
    struct slice stream;
    buf_clear (&frame);
    wire_cover_write (&frame, slice_text ("@EUROPOL"), 5, 9);
    assert_int_equal (wire_cover_read (buf_slice (&frame), &stream, &a, &b, &e),
                      0);
    assert_true (slice_is (stream, "@EUROPOL"));
    assert_int_equal (a, 5);
    assert_int_equal (b, 9);
    buf_free (&frame);
}

static void assert_claim (const struct mark_claim *got,
                          const struct mark_claim *want) {
    assert_true (slice_equal (got->stream.name, want->stream.name));
    assert_int_equal (got->stream.last, want->stream.last);
    assert_int_equal (got->stream.count, want->stream.count);
    assert_true (hash_equal (&got->stream.salt, &want->stream.salt));
    assert_true (hash_equal (&got->stream.root, &want->stream.root));
    assert_int_equal (got->index, want->index);
    assert_int_equal (got->path_length, want->path_length);
    assert_memory_equal (got->path, want->path, want->path_length * HASH_SIZE);
}

static void claims_are_read_as_written (void **state) {
    (void) state;
    struct buf frame = { 0 };
    struct heard heard = { 0 };
    int64_t mark;
    write_frame (WIRE_PATHS + WIRE_REPLY, &frame);
    assert_int_equal (
        wire_claims_read (buf_slice (&frame), &mark, hear_claim, &heard, &e),
        0);
    struct mark_claim claim = make_claim (3, MARK_PATH_MAX);
    assert_int_equal (mark, 1234567);
    assert_int_equal (heard.count, 2);
    assert_claim (&heard.claim, &claim);
    buf_clear (&frame);
    write_frame (WIRE_HANDED + WIRE_REPLY, &frame);
    assert_int_equal (
        wire_handed_each (buf_slice (&frame), &mark, hear_handed, &heard, &e),
        0);
    struct wire_handed one = make_handed (12, 4);
    assert_int_equal (heard.count, 3);
    assert_claim (&heard.handed.claim, &one.claim);
    assert_int_equal (heard.handed.number, 12);
    assert_int_equal (heard.handed.path_length, 4);
    assert_memory_equal (heard.handed.path, one.path, 4 * HASH_SIZE);
    buf_free (&frame);
}

static void each_request_has_one_frame (void **state) {
    (void) state;
    for (int type = WIRE_COSIGN; type <= WIRE_COVER; type++)
        assert_int_equal (wire_request_frames (type), 1);
    assert_int_equal (wire_request_frames (WIRE_ERASE), -1);
    assert_int_equal (wire_request_frames (WIRE_COVER + 1), -1);
}

int main (void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_frame_is_whole_or_refused),
        cmocka_unit_test (what_cannot_be_is_refused),
        cmocka_unit_test (bad_claims_are_refused_whole),
        cmocka_unit_test (what_is_written_is_read),
        cmocka_unit_test (claims_are_read_as_written),
        cmocka_unit_test (each_request_has_one_frame),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
