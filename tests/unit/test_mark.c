#include "format/mark.h"

#include "base/mp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "roster_fixture.h"

#define STREAMS 7 /* of the fixture: three channels, four entities */

static struct roster *roster;
static struct mark_stream streams[STREAMS];
static char names[STREAMS][MARK_NAME_MAX];
static struct hash leaves[STREAMS], root;
static const uint8_t veil[KEY_SIZE] = "a veil";

static int make_mark (void **state) {
    (void) state;
    roster = fixture_roster (NULL);
    assert_int_equal (mark_streams (roster), STREAMS);
    for (size_t i = 0; i < STREAMS; i++) {
        mark_stream_name (roster, i, names[i]);
        struct slice name = slice_text (names[i]);
        streams[i] = (struct mark_stream){ .name = name,
                                           .salt = mark_salt (veil, name, 900),
                                           .last = i ? 100 + (int64_t) i : -1,
                                           .count = (int64_t) i,
                                           .root = hash_sha256 (name) };
        leaves[i] = mark_leaf (&streams[i]);
    }
    root = tree_root_of (leaves, STREAMS);
    return 0;
}

static int drop_mark (void **state) {
    (void) state;
    roster_unref (&roster);
    return 0;
}

static struct mark_claim claim_of (size_t n) {
    struct mark_claim claim = { .stream = streams[n], .index = (int64_t) n };
    struct hash path[TREE_PATH_MAX];
    claim.path_length = tree_path (leaves, STREAMS, n, path);
    memcpy (claim.path, path, claim.path_length * HASH_SIZE);
    return claim;
}

static enum err take (struct slice octets, struct mark_claim *out) {
    struct mp in;
    struct error e;
    mp_start (&in, octets);
    mark_claim_take (&in, out);
    return mp_finish (&in, &e);
}

static void streams_have_their_names (void **state) {
    (void) state;
    static const char *const wanted[STREAMS] = {
        "all", "core", "late", "@EUROPOL", "@FRONTEX", "@UNODC", "@NEWCOMER"
    };
    static const char *const none[] = { "",        "@",      "$log",
                                        "EUROPOL", "@all",   "@EUROPOL+FRONTEX",
                                        "alla",    "@EUROPO" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal (mark_stream_find (roster, slice_text (none[i])), -1);
    assert_int_equal (mark_stream_find (roster, slice_of ("all", 4)), -1);
    for (size_t i = 0; i < STREAMS; i++) {
        assert_string_equal (names[i], wanted[i]);
        assert_int_equal (mark_stream_find (roster, slice_text (names[i])), i);
    }
}

static void claims_of_another_form_are_refused (void **state) {
    (void) state;
    static const struct {
        int64_t index, last, count;
        size_t path_length;
        enum err rc;
    } rows[] = {
        { 0, -1, 0, 0, ERR_NONE },
        { 511, 0, 1, 9, ERR_NONE },
        { 0, NUMBER_MAX, NUMBER_MAX, 1, ERR_NONE },
        { 512, 0, 1, 0, ERR_MALFORMED },
        { 0, -1, 1, 0, ERR_MALFORMED }, /* one record, no last */
        { 0, 5, 0, 0, ERR_MALFORMED },  /* a last, no record */
        { 0, 5, 7, 0, ERR_MALFORMED },  /* more than there can be */
        { 0, 5, 6, 0, ERR_NONE },
        { 0, NUMBER_MAX + 1, 1, 0, ERR_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mark_claim claim = claim_of (0), got;
        struct buf octets = { 0 };
        claim.index = rows[i].index;
        claim.stream.last = rows[i].last;
        claim.stream.count = rows[i].count;
        claim.path_length = rows[i].path_length;
        mark_claim_write (&octets, &claim);
        assert_int_equal (take (buf_slice (&octets), &got), rows[i].rc);
        buf_free (&octets);
    }
}

static void octets_that_are_cut_or_longer_are_refused (void **state) {
    (void) state;
    struct mark_claim claim = claim_of (3), got;
    struct buf octets = { 0 };
    mark_claim_write (&octets, &claim);
    for (size_t n = 0; n < octets.size; n++)
        assert_int_not_equal (take (slice_of (octets.data, n), &got), 0);
    buf_add_u8 (&octets, 0xc0);
    assert_int_not_equal (take (buf_slice (&octets), &got), 0);
    buf_clear (&octets);
    claim.stream.name = slice_text ("");
    mark_claim_write (&octets, &claim);
    assert_int_equal (take (buf_slice (&octets), &got), ERR_MALFORMED);
    buf_clear (&octets);
    claim.stream.name =
        slice_text ("@ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMN");
    mark_claim_write (&octets, &claim);
    assert_int_equal (take (buf_slice (&octets), &got), ERR_LIMIT);
    buf_free (&octets);
}

/* Whatever one bit says otherwise, no claim holds. */
static void any_other_claim_is_refused (void **state) {
    (void) state;
    struct error e;
    struct mark_claim claim = claim_of (3), got;
    struct buf octets = { 0 };
    mark_claim_write (&octets, &claim);
    for (size_t bit = 0; bit < octets.size * 8; bit++) {
        octets.data[bit / 8] ^= (uint8_t) (1 << bit % 8);
        assert_true (take (buf_slice (&octets), &got)
                     || mark_claim_check (&got, roster, &root, &e));
        octets.data[bit / 8] ^= (uint8_t) (1 << bit % 8);
    }
    assert_int_equal (take (buf_slice (&octets), &got), 0);
    assert_int_equal (mark_claim_check (&got, roster, &root, &e), 0);
    buf_free (&octets);
}

static void place_name_and_path_are_judged (void **state) {
    (void) state;
    struct error e;
    struct mark_claim claim = claim_of (1);
    claim.index = -1;
    assert_int_equal (mark_claim_check (&claim, roster, &root, &e),
                      ERR_MALFORMED);
    claim.index = STREAMS;
    assert_int_equal (mark_claim_check (&claim, roster, &root, &e),
                      ERR_MALFORMED);
    claim.index = 2;
    assert_int_equal (mark_claim_check (&claim, roster, &root, &e),
                      ERR_MALFORMED);
    assert_non_null (strstr (e.text, "late"));
    claim = claim_of (1);
    claim.path_length--;
    assert_int_equal (mark_claim_check (&claim, roster, &root, &e),
                      ERR_MALFORMED);
    claim.path_length += 2;
    assert_int_equal (mark_claim_check (&claim, roster, &root, &e),
                      ERR_MALFORMED);
    claim = claim_of (1);
    assert_int_equal (mark_claim_check (&claim, roster, &leaves[0], &e),
                      ERR_DIGEST);
    /* What stands at another place of the tree is not this stream's. */
    claim = claim_of (2);
    claim.stream.name = streams[1].name;
    assert_int_equal (mark_claim_check (&claim, roster, &root, &e),
                      ERR_MALFORMED);
}

static void entries_have_the_octets_of_the_protocol (void **state) {
    (void) state;
    struct buf entry = { 0 };
    buf_add (&entry, "\0parley/stream\0\0", 16);
    mp_put_array (&entry, 5);
    mp_put_bin (&entry, streams[1].salt.octets, HASH_SIZE);
    mp_put_str (&entry, "core");
    mp_put_int (&entry, 101);
    mp_put_int (&entry, 1);
    mp_put_bin (&entry, streams[1].root.octets, HASH_SIZE);
    struct hash leaf = hash_leaf (buf_slice (&entry));
    assert_true (hash_equal (&leaf, &leaves[1]));
    buf_clear (&entry);
    mp_put_array (&entry, 2);
    mp_put_str (&entry, "core");
    mp_put_int (&entry, 900);
    struct hash salt = hash_blake2b_keyed (veil, buf_slice (&entry));
    assert_true (hash_equal (&salt, &streams[1].salt));
    buf_free (&entry);
}

static void good_claims_hold (void **state) {
    (void) state;
    struct error e;
    for (size_t i = 0; i < STREAMS; i++) {
        struct mark_claim claim = claim_of (i), got;
        struct buf octets = { 0 };
        mark_claim_write (&octets, &claim);
        assert_int_equal (take (buf_slice (&octets), &got), 0);
        assert_true (slice_is (got.stream.name, names[i]));
        assert_int_equal (got.stream.last, claim.stream.last);
        assert_int_equal (got.stream.count, claim.stream.count);
        assert_int_equal (mark_claim_check (&got, roster, &root, &e), 0);
        buf_free (&octets);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (streams_have_their_names),
        cmocka_unit_test (claims_of_another_form_are_refused),
        cmocka_unit_test (octets_that_are_cut_or_longer_are_refused),
        cmocka_unit_test (any_other_claim_is_refused),
        cmocka_unit_test (place_name_and_path_are_judged),
        cmocka_unit_test (entries_have_the_octets_of_the_protocol),
        cmocka_unit_test (good_claims_hold),
    };
    return cmocka_run_group_tests (tests, make_mark, drop_mark);
}
