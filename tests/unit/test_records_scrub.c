/* records_scrub: blocks that a disk has changed are found and put back, and
 * nothing else is put in their place. */
#include "records_fixture.h"

#define ENTITY "EUROPOL"

static void fill (void) {
    sqlite3_exec (store->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    struct build *b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 3, 0, 3, RUN_WHOLE, 0);
    add_build (b, 20, BUILD_TIME);
    b = build_new ("$log");
    build_roster (b, cast.roster);
    add_build (b, 40, BUILD_TIME + 1);
    b = build_new ("@EUROPOL+FRONTEX");
    build_batch (b, &cast, cast.frontex, NULL, 1, 0, 1, RUN_WHOLE, 0);
    add_build (b, 50, BUILD_TIME + 2);
}

/* The store's block that begins there; the caller's. */
static struct buf block_at (int64_t sequence) {
    struct buf out = { 0 };
    sqlite3_stmt *s;
    assert_int_equal (sqlite3_prepare_v2 (store->db,
                                          "SELECT octets FROM blocks WHERE"
                                          " first_sequence = ?",
                                          -1, &s, NULL),
                      SQLITE_OK);
    sqlite3_bind_int64 (s, 1, sequence);
    assert_int_equal (sqlite3_step (s), SQLITE_ROW);
    buf_add_slice (&out, column_slice (s, 0));
    sqlite3_finalize (s);
    return out;
}

static void block_set (int64_t sequence, struct slice octets) {
    sqlite3_stmt *s;
    assert_int_equal (sqlite3_prepare_v2 (store->db,
                                          "UPDATE blocks SET octets = ?2 WHERE"
                                          " first_sequence = ?1",
                                          -1, &s, NULL),
                      SQLITE_OK);
    sqlite3_bind_int64 (s, 1, sequence);
    bind_slice (s, 2, octets);
    assert_int_equal (sqlite3_step (s), SQLITE_DONE);
    sqlite3_finalize (s);
}

/* How many blocks are fine up to the end; the first that is not in *place. */
static int round_of (struct records_place *place) {
    int64_t row = 0;
    for (int fine = 0;; fine++) {
        enum err rc = records_scrub (store, ENTITY, &row, place, &e);
        if (rc == ERR_DAMAGED)
            return fine;
        if (rc == ERR_NOT_FOUND) {
            place->row = 0;
            return fine;
        }
        FINE (rc);
    }
}

static void test_fine (void **state) {
    (void) state;
    struct records_place place;
    assert_int_equal (round_of (&place), 0);
    fill();
    assert_int_equal (round_of (&place), 3);
    assert_int_equal (place.row, 0);
}

/* Each octet of a block. */
static void test_damage (void **state) {
    (void) state;
    fill();
    const int64_t first[] = { 20, 40, 50 };
    const char *streams[] = { "all", "$log", ("@" ENTITY) };
    for (int i = 0; i < 3; i++) {
        struct buf octets = block_at (first[i]);
        for (size_t at = 0; at < octets.size; at++) {
            struct records_place place;
            octets.data[at] ^= 0x20;
            block_set (first[i], buf_slice (&octets));
            octets.data[at] ^= 0x20;
            int fine = round_of (&place);
            assert_int_equal (fine, i);
            assert_int_equal (place.first, first[i]);
            assert_string_equal (place.stream, streams[i]);
            assert_int_equal (place.last_number, i == 1 ? 1 : 0);
        }
        block_set (first[i], buf_slice (&octets));
        buf_free (&octets);
    }
}

static enum err mend (const struct records_place *place, struct slice octets) {
    struct block block;
    FINE (block_read (octets, &block, &e));
    FINE (store_begin (store, &e));
    return store_end (store, records_mend (store, place, &block, &e), &e);
}

static void test_mend (void **state) {
    (void) state;
    struct records_place place;
    fill();
    struct buf right = block_at (20), other = block_at (40);
    struct buf part = { 0 };
    struct block block;
    struct block_writer *writer = block_writer_new();
    FINE (block_read (buf_slice (&right), &block, &e));
    FINE (block_cut (&block, 0, 2, writer, &part, &e));
    block_writer_destroy (&writer);
    block_set (20, slice_text ("nothing of it is left"));
    assert_int_equal (round_of (&place), 0);
    assert_int_equal (mend (&place, buf_slice (&other)), ERR_CHAIN);
    assert_int_equal (mend (&place, buf_slice (&part)), ERR_CHAIN);
    assert_int_equal (round_of (&place), 0);
    FINE (mend (&place, buf_slice (&right)));
    assert_int_equal (round_of (&place), 3);
    buf_free (&right);
    buf_free (&other);
    buf_free (&part);
}

/* A block that is whole, and not of the record that was noted. */
static void test_other_record (void **state) {
    (void) state;
    struct records_place place;
    fill();
    struct buf right = block_at (20);
    assert_int_equal (sqlite3_exec (store->db,
                                    "UPDATE records SET leaf = zeroblob(32)"
                                    " WHERE sequence = 21",
                                    NULL, NULL, NULL),
                      SQLITE_OK);
    assert_int_equal (round_of (&place), 0);
    assert_int_equal (place.first, 20);
    assert_non_null (strstr (e.text, "record 21 is not the one"));
    assert_int_equal (mend (&place, buf_slice (&right)), ERR_CHAIN);
    buf_free (&right);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)

int main (void) {
    const struct CMUnitTest tests[] = { T (test_fine), T (test_damage),
                                        T (test_mend), T (test_other_record) };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
