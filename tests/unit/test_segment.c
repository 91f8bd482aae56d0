/* segment: the vectors of PROTOCOL.md section 7.6, what is refused, and that
 * what is written is read. Tails and damage are in test_journal_recover.c. */
#include "ledger/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ledger_fixture.h"
#include "vectors.h"

static struct error e;
static struct buf blocks[3];

static int setup (void **state) {
    (void) state;
    for (int i = 0; i < 3; i++) {
        struct block_plan plan = { .channel = "ops",
                                   .sequence = 10 + i,
                                   .channel_sequence = 1 + i,
                                   .count = 1,
                                   .content = 100 };
        buf_clear (&blocks[i]);
        plan_write (&plan, &blocks[i]);
    }
    e = (struct error){ 0 };
    return ledger_dir_make();
}

static int teardown (void **state) {
    (void) state;
    for (int i = 0; i < 3; i++)
        buf_free (&blocks[i]);
    return ledger_dir_remove();
}

static struct segment *create (int64_t first) {
    struct segment_header header = { .dialogue = ledger_dialogue(),
                                     .first_sequence = first,
                                     .first_group = 7,
                                     .octets_before = 5000 };
    struct segment *segment = segment_create (ledger_dir, &header, &e);
    if (!segment)
        fail_msg ("%s", e.text);
    return segment;
}

static struct segment_scan *scan_of (int64_t first) {
    char *path = segment_path (ledger_dir, first);
    struct segment_scan *scan = segment_scan_open (path, &e);
    free (path);
    if (!scan)
        fail_msg ("%s", e.text);
    return scan;
}

static enum err append (struct segment *segment, int from, int count,
                        uint64_t *offsets) {
    struct slice slices[3];
    for (int i = 0; i < count; i++)
        slices[i] = buf_slice (&blocks[from + i]);
    enum err rc = segment_write (segment, slices, (size_t) count, offsets, &e);
    return rc ? rc : segment_commit (segment, &e);
}

static void blocks_have_to_be_blocks (void **state) {
    (void) state;
    struct segment *segment = create (10);
    struct slice good = buf_slice (&blocks[0]);
    uint8_t other[64];
    memcpy (other, good.data, sizeof other);
    other[0] ^= 1;
    const struct {
        struct slice block;
        enum err want;
    } rows[] = {
        { slice_of (NULL, 0), ERR_ARGUMENT },
        { slice_of (good.data, BLOCK_HEADER - 1), ERR_ARGUMENT },
        { slice_of (good.data, good.size - 1), ERR_ARGUMENT },
        { slice_of (other, sizeof other), ERR_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice two[2] = { good, rows[i].block };
        assert_int_equal (segment_write (segment, two, 2, NULL, &e),
                          rows[i].want);
        assert_int_equal (segment_write (segment, two, 2, NULL, NULL),
                          rows[i].want);
    }
    assert_int_equal (segment_write (segment, NULL, 0, NULL, &e), ERR_ARGUMENT);
    /* Nothing of it was written. */
    assert_int_equal (segment_octets (segment), SEGMENT_HEADER + GROUP_HEADER);
    assert_int_equal (segment_group (segment), 7);
    segment_close (&segment);
    segment_close (&segment);
}

static void a_group_has_a_limit (void **state) {
    (void) state;
    struct segment *segment = create (10);
    struct block_plan plan = { .channel = "ops",
                               .channel_sequence = 1,
                               .sequence = 10,
                               .count = 4,
                               .content = 200000 };
    struct buf large = { 0 };
    plan_write (&plan, &large);
    size_t most = GROUP_OCTETS_MAX / large.size;
    struct slice *many = mem_alloc ((most + 1) * sizeof *many);
    for (size_t i = 0; i <= most; i++)
        many[i] = buf_slice (&large);
    assert_int_equal (segment_write (segment, many, most + 1, NULL, &e),
                      ERR_LIMIT);
    assert_int_equal (segment_write (segment, many, most, NULL, &e), 0);
    assert_int_equal (segment_commit (segment, &e), 0);
    segment_close (&segment);
    struct segment_scan *scan = scan_of (10);
    struct slice found;
    uint64_t offset, group;
    assert_int_equal (segment_scan_next (scan, &found, &offset, &group, &e), 0);
    assert_int_equal (found.size, most * large.size);
    assert_int_equal (segment_scan_next (scan, &found, &offset, &group, &e),
                      ERR_NOT_FOUND);
    segment_scan_close (&scan);
    buf_free (&large);
    free (many);
}

static void it_is_created_once (void **state) {
    (void) state;
    struct segment *segment = create (10);
    struct segment_header header = { .dialogue = ledger_dialogue(),
                                     .first_sequence = 10 };
    assert_null (segment_create (ledger_dir, &header, &e));
    assert_int_equal (e.code, ERR_EXISTS);
    assert_null (segment_create (ledger_in ("nowhere"), &header, NULL));
    segment_close (&segment);
    assert_null (segment_resume (ledger_dir, 11, 80, 1, &e));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    struct segment_scan *a = scan_of (10);
    segment = create (20);
    struct segment_scan *b = scan_of (20);
    assert_true (segment_scan_header (a)->seed
                 != segment_scan_header (b)->seed);
    segment_scan_close (&a);
    segment_scan_close (&b);
    segment_scan_close (&b);
    segment_close (&segment);
}

/* The groups with blocks {0, 1} and {2}, as they are read. */
static void check_groups (uint64_t offsets[3]) {
    struct segment_scan *scan = scan_of (10);
    const struct segment_header *header = segment_scan_header (scan);
    assert_int_equal (header->first_sequence, 10);
    assert_int_equal (header->first_group, 7);
    assert_int_equal (header->octets_before, 5000);
    struct hash dialogue = ledger_dialogue();
    assert_true (hash_equal (&header->dialogue, &dialogue));
    struct slice found;
    uint64_t offset, group;
    assert_int_equal (segment_scan_at (scan), SEGMENT_HEADER);
    assert_int_equal (segment_scan_next (scan, &found, &offset, &group, &e), 0);
    assert_int_equal (offset, SEGMENT_HEADER + GROUP_HEADER);
    assert_int_equal (group, 7);
    struct buf two = { 0 };
    buf_add_slice (&two, buf_slice (&blocks[0]));
    buf_add_slice (&two, buf_slice (&blocks[1]));
    assert_true (slice_equal (found, buf_slice (&two)));
    assert_int_equal (offsets[0], offset);
    assert_int_equal (offsets[1], offset + blocks[0].size);
    assert_int_equal (segment_scan_next (scan, &found, &offset, &group, &e), 0);
    assert_int_equal (offset, offsets[2]);
    assert_int_equal (group, 8);
    assert_true (slice_equal (found, buf_slice (&blocks[2])));
    uint64_t at = offset + found.size + GROUP_END;
    for (int i = 0; i < 2; i++)
        assert_int_equal (
            segment_scan_next (scan, &found, &offset, &group, NULL),
            ERR_NOT_FOUND);
    assert_int_equal (segment_scan_at (scan), at);
    assert_int_equal (segment_scan_size (scan), at + GROUP_HEADER);
    segment_scan_close (&scan);
    buf_free (&two);
}

static void what_is_written_is_read (void **state) {
    (void) state;
    uint64_t offsets[3];
    struct segment *segment = create (10);
    assert_int_equal (append (segment, 0, 2, offsets), 0);
    uint64_t octets = segment_octets (segment) - GROUP_HEADER;
    assert_int_equal (segment_group (segment), 8);
    segment_close (&segment);
    /* Gone on with: the header is written again. */
    segment = segment_resume (ledger_dir, 10, octets, 8, &e);
    assert_non_null (segment);
    assert_int_equal (append (segment, 2, 1, offsets + 2), 0);
    assert_int_equal (segment_sync (segment, &e), 0);
    segment_close (&segment);
    check_groups (offsets);
}

/* Vectors. */

static void store (struct slice octets) {
    char *path = segment_path (ledger_dir, 0);
    FILE *f = fopen (path, "w");
    assert_non_null (f);
    fwrite (octets.data, 1, octets.size, f);
    fclose (f);
    free (path);
}

static struct buf octets_of (const json_t *vector) {
    const char *hex = vector_text (json_object_get (vector, "in"), "hex");
    struct buf out = { 0 };
    size_t size = strlen (hex) / 2;
    assert_int_equal (hex_decode (buf_extend (&out, size), size, hex), 0);
    return out;
}

static void check_vector_groups (struct segment_scan *scan,
                                 const json_t *groups) {
    size_t g;
    const json_t *group_blocks, *block;
    json_array_foreach (groups, g, group_blocks) {
        struct slice found;
        uint64_t offset, group;
        if (segment_scan_next (scan, &found, &offset, &group, &e))
            fail_msg ("%s", e.text);
        assert_int_equal (group, segment_scan_header (scan)->first_group + g);
        size_t b;
        json_array_foreach (group_blocks, b, block) {
            const char *hex = json_string_value (block);
            struct buf want = { 0 };
            size_t size = strlen (hex) / 2;
            assert_int_equal (hex_decode (buf_extend (&want, size), size, hex),
                              0);
            assert_true (found.size >= size);
            assert_true (
                slice_equal (slice_of (found.data, size), buf_slice (&want)));
            found = slice_of (found.data + size, found.size - size);
            buf_free (&want);
        }
        assert_int_equal (found.size, 0);
    }
}

static void check_good (const json_t *vector) {
    const json_t *out = json_object_get (vector, "out");
    struct buf octets = octets_of (vector);
    store (buf_slice (&octets));
    struct segment_scan *scan = scan_of (0);
    const struct segment_header *header = segment_scan_header (scan);
    vector_hex_equal (out, "dialogue", header->dialogue.octets, HASH_SIZE);
    uint8_t seed[8];
    put_u64 (seed, header->seed);
    vector_hex_equal (out, "seed", seed, sizeof seed);
    check_vector_groups (scan, json_object_get (out, "groups"));
    struct slice found;
    uint64_t offset, group;
    assert_int_equal (segment_scan_next (scan, &found, &offset, &group, &e),
                      ERR_NOT_FOUND);
    bool next = json_object_get (out, "next_group") != NULL;
    assert_int_equal (segment_scan_size (scan) - segment_scan_at (scan),
                      next ? GROUP_HEADER : 0);
    segment_scan_close (&scan);
    buf_free (&octets);
}

static enum err scan_all (void) {
    char *path = segment_path (ledger_dir, 0);
    struct segment_scan *scan = segment_scan_open (path, &e);
    free (path);
    if (!scan)
        return e.code;
    struct slice found;
    uint64_t offset, group;
    enum err rc;
    do
        rc = segment_scan_next (scan, &found, &offset, &group, &e);
    while (!rc);
    segment_scan_close (&scan);
    return rc;
}

static const json_t *vector_named (const json_t *all, const char *name) {
    size_t i;
    const json_t *vector;
    json_array_foreach (all, i,
                        vector) if (strcmp (vector_text (vector, "name"), name)
                                    == 0) return vector;
    fail_msg ("no vector '%s'", name);
    return NULL;
}

static void check_bad (const json_t *all, const json_t *vector) {
    struct buf octets =
        octets_of (vector_named (all, vector_text (vector, "of")));
    const json_t *flip = json_object_get (vector, "flip");
    const json_t *cut = json_object_get (vector, "cut");
    if (flip)
        octets.data[json_integer_value (flip)] ^= 1;
    if (cut)
        octets.size = (size_t) json_integer_value (cut);
    store (buf_slice (&octets));
    if (scan_all() != ERR_DAMAGED)
        fail_msg ("%s", vector_text (vector, "name"));
    buf_free (&octets);
}

static void the_vectors_hold (void **state) {
    (void) state;
    json_t *all = vectors_load ("segment.json");
    size_t i;
    const json_t *vector;
    json_array_foreach (all, i, vector) if (vector_refused (vector))
        check_bad (all, vector);
    else check_good (vector);
    json_decref (all);
}

/* A header of a later group is found wherever it stands, also on the border of
 * the pieces that are read; one of this group, or from elsewhere, is not. */
static void headers_behind_are_found (void **state) {
    (void) state;
    struct segment *segment = create (0);
    assert_int_equal (append (segment, 0, 1, NULL), 0);
    uint64_t end = segment_octets (segment);
    segment_close (&segment);
    static const uint64_t places[] = { 0,      1,      31,     262100, 262111,
                                       262112, 262113, 262143, 262144, 600000 };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (uint64_t group = 8; group < 10; group++) {
            uint64_t place = end + places[i], found_at;
            segment = segment_resume (ledger_dir, 0, place, group, &e);
            assert_non_null (segment);
            segment_close (&segment);
            struct segment_scan *scan = scan_of (0);
            struct slice found;
            uint64_t offset, number;
            bool behind;
            assert_int_equal (
                segment_scan_next (scan, &found, &offset, &number, &e), 0);
            assert_int_equal (
                segment_scan_next (scan, &found, &offset, &number, &e),
                ERR_DAMAGED);
            assert_int_equal (
                segment_scan_header_behind (scan, &behind, &found_at, &e), 0);
            assert_int_equal (behind, group == 9);
            if (behind)
                assert_int_equal (found_at, place);
            segment_scan_close (&scan);
            char *path = segment_path (ledger_dir, 0);
            assert_int_equal (truncate (path, (off_t) end), 0);
            free (path);
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

int main (void) {
    static const struct CMUnitTest tests[] = {
        TEST (blocks_have_to_be_blocks), TEST (a_group_has_a_limit),
        TEST (it_is_created_once),       TEST (the_vectors_hold),
        TEST (headers_behind_are_found), TEST (what_is_written_is_read),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
