/* complete_hidden: numbers that we may not read, and some that are not shown. */
#include "complete_fixture.h"

#include "store/hashes.h"

/* Stages */

/* Numbers that the desk says are not ours. */
static void hide (const char *stream, int64_t last) {
    struct stream *s = ours (stream);
    FINE (core_begin (&core, &e));
    FINE (streams_hide (store, stream, s->upto + 1, last, &e));
    FINE (core_commit (&core, &e));
    s->upto = last;
}

/* Readers of `core` are others at first. */
static json_t *narrow (void) {
    json_t *document = cast_document (&cast);
    fixture_set (document, "channels[1].readers", "['delegation:FRONTEX/hq']");
    fixture_set (document, "channels[1].writers", "['delegation:FRONTEX/hq']");
    return document;
}

static int begin_hidden (void **state) {
    int rc = store_begin_test (state);
    begin_with (cast_roster (narrow()));
    return rc;
}

static void shut_out (int64_t sequence) {
    follow_up (narrow(), sequence);
}

static void cover_give (bool good) {
    struct buf frame = { 0 };
    struct slice name;
    int64_t from, to;
    FINE (wire_cover_read (buf_slice (&asked[WIRE_COVER].frame), &name, &from,
                           &to, &e));
    size_t n = stream_number ("core");
    for (int64_t at = from; at < to;) {
        int64_t size = 1;
        while (at % (2 * size) == 0 && at + 2 * size <= to)
            size *= 2;
        struct hash root =
            tree_root_of (world.streams[n].leaves + at, (size_t) size);
        if (!good)
            root.octets[5] ^= 1;
        buf_add (&frame, root.octets, HASH_SIZE);
        at += size;
    }
    reply_give (WIRE_COVER, false, &frame);
}

/* Admitted at record 9, when so many records of `core` stood before; hidden up
 * to `last`, of seven. */
static void hidden_begin (size_t count, int64_t last) {
    struct buf octets = { 0 };
    records_make ("core", "core", 2, count, &octets);
    buf_free (&octets);
    admit (9);
    for (size_t i = count; i < 7; i++) {
        if ((int64_t) i == last)
            hide ("core", last);
        records_make ("core", "core", 11 + (int64_t) i, 1, &octets);
        if ((int64_t) i >= last)
            keep ("core", &octets);
        buf_free (&octets);
    }
    mark (20);
}

/* The newest mark's claims, and those of the mark behind the roster. */
static void hidden_answer (void) {
    tick (1100);
    cover_give (true);
    while (!asked[WIRE_PATHS].id)
        tick (200);
    assert_int_equal (asked_mark(), 20);
    claims_give (NULL, NULL);
    stands (-1, "core: whether a roster hides");
    while (!asked[WIRE_PATHS].id)
        tick (200);
    assert_int_equal (asked_mark(), 10);
    claims_give (NULL, NULL);
    tick (200);
}

static void test_hidden (void **state) {
    (void) state;
    struct tree tree;
    hidden_begin (5, 5);
    FINE (hashes_tree (store, "core", &tree, &e));
    assert_int_equal (tree.size, 0);
    hidden_answer();
    stands (20, "");
    FINE (hashes_tree (store, "core", &tree, &e));
    assert_int_equal (tree.size, 7); /* what waited behind them too */
    assert_int_equal (store_number ("SELECT roster FROM claims WHERE"
                                    " stream = 'core' AND mark = 10"),
                      1);
    /* It is known from now on. */
    size_t before = calls;
    mark (21);
    tick (200);
    claims_give (NULL, NULL);
    stands (21, "");
    assert_int_equal (calls, before + 1);
}

/* Whatever is asked, until nothing is. */
static void answer_all (void) {
    for (int i = 0; i < 60; i++) {
        tick (600);
        if (asked[WIRE_COVER].id)
            cover_give (true);
        if (asked[WIRE_PATHS].id)
            claims_give (NULL, NULL);
    }
}

/* Numbers of our own time are hidden too: within a node of the cover, and
 * behind one. */
static void test_hidden_too_much (void **state) {
    (void) state;
    static const struct {
        size_t count;
        int64_t last;
        const char *says;
    } rows[] = {
        { 5, 6, "core: numbers 6 to 6 are withheld" },
        { 4, 5, "core: numbers 5 to 5 are withheld" },
        { 2, 6, "core: numbers 3 to 6 are withheld" },
        { 1, 3, "core: numbers 2 to 3 are withheld" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (i > 0)
            begin_hidden (state);
        hidden_begin (rows[i].count, rows[i].last);
        answer_all();
        stands (-1, rows[i].says);
        wait_long();
        assert_int_equal (notices ("WITHHELD"), 1);
        if (i + 1 < sizeof rows / sizeof *rows)
            end (state);
    }
}

static int64_t spans (void) {
    return store_number ("SELECT COUNT (*) FROM stream_spans");
}

/* A roster gave the right, and the next one took it, with `between` records from
 * one to the other. What stands before, between and behind them is hidden as one
 * run, of which some is `more` than that. */
static void touching_begin (size_t between, int64_t more) {
    struct buf octets = { 0 };
    records_make ("core", "core", 2, 5, &octets);
    buf_free (&octets);
    admit (9);
    if (between > 0)
        records_make ("core", "core", 11, between, &octets);
    buf_free (&octets);
    shut_out (15);
    records_make ("core", "core", 17, 6, &octets);
    buf_free (&octets);
    admit (25);
    records_make ("core", "core", 27, 3, &octets);
    hide ("core", 11 + (int64_t) between + more);
    if (more == 0)
        keep ("core", &octets);
    buf_free (&octets);
    mark (40);
}

static void test_touching (void **state) {
    (void) state;
    touching_begin (0, 0);
    assert_int_equal (spans(), 1);
    answer_all();
    stands (40, "");
    assert_int_equal (spans(), 2); /* where the mark says, in a node */
    assert_int_equal (notices ("WITHHELD"), 0);
    assert_int_equal (notices ("MARK-WRONG"), 0);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM claims WHERE"
                                    " stream = 'core' AND roster"),
                      3);
    mark (41);
    answer_all();
    stands (41, "");
}

/* Covers are doubted: spans are one again, of which half is proved. */
static void test_touching_again (void **state) {
    (void) state;
    bool some;
    touching_begin (0, 0);
    answer_all();
    stands (40, "");
    FINE (core_begin (&core, &e));
    FINE (streams_uncover (store, "core", &some, &e));
    FINE (core_commit (&core, &e));
    assert_int_equal (store_number ("UPDATE stream_spans SET last = 11"
                                    " WHERE first = 1 RETURNING last"),
                      11);
    assert_int_equal (
        store_number ("DELETE FROM stream_spans WHERE first > 1 RETURNING 7"),
        7);
    mark (41);
    answer_all();
    stands (41, "");
    assert_int_equal (notices ("WITHHELD"), 0);
}

/* The same with one record that was ours to read. */
static void test_touching_too_much (void **state) {
    (void) state;
    touching_begin (1, 0);
    answer_all();
    stands (-1, "core: numbers 6 to 12 are withheld: no roster hides number 6");
    assert_int_equal (notices ("WITHHELD"), 1);
    end (state);
    begin_hidden (state);
    touching_begin (0, 3);
    answer_all();
    stands (-1, "core: numbers 12 to 14 are withheld");
    assert_int_equal (notices ("WITHHELD"), 1);
}

/* Two of its halves are not given, while all else comes. */
static void test_no_cover (void **state) {
    (void) state;
    hidden_begin (5, 6);
    hidden_answer();
    stands (-1, "core: hashes of numbers that are not ours");
    for (int64_t at = 21; at < 100; at += 2) {
        struct buf octets = { 0 }, none = { 0 };
        records_make ("core", "core", at, 1, &octets);
        keep ("core", &octets);
        buf_free (&octets);
        mark (at + 1);
        tick (2000);
        if (asked[WIRE_COVER].id)
            reply_give (WIRE_COVER, true, &none);
        if (asked[WIRE_PATHS].id)
            claims_give (NULL, NULL);
    }
    stands (-1, "core: hashes of numbers that are not ours");
    assert_int_equal (notices ("WITHHELD"), 1);
}

/* It is asked for again, once it shows; but not again and again. */
static void test_wrong_cover (void **state) {
    (void) state;
    struct tree tree;
    hidden_begin (5, 5);
    tick (1100);
    cover_give (false);
    while (!asked[WIRE_PATHS].id)
        tick (200);
    claims_give (NULL, NULL);
    stands (-1, "core: they are not those that were given out");
    assert_int_equal (notices ("MARK-WRONG"), 1);
    FINE (hashes_tree (store, "core", &tree, &e));
    assert_int_equal (tree.size, 0);
    tick (1100);
    cover_give (false);
    tick (1100);
    stands (-1, "core: they are not those that were given out");
    wait_long();
    assert_int_equal (asked[WIRE_COVER].id, 0);
    assert_int_equal (notices ("MARK-WRONG"), 1);
    complete->uncover = 0; /* the time is over */
    tick (1100);
    tick (1100);
    cover_give (true);
    tick (1100);
    while (asked[WIRE_PATHS].id) {
        claims_give (NULL, NULL);
        tick (1100);
    }
    stands (20, "");
    FINE (hashes_tree (store, "core", &tree, &e));
    assert_int_equal (tree.size, 7);
}

/* Octets that are no answer: the link is given up. */
static void malformed_give (enum wire_type type, const char *hex) {
    uint8_t octets[64];
    size_t size = strlen (hex) / 2;
    bool mine;
    assert_int_equal (hex_decode (octets, size, hex), 0);
    struct slice frames[] = { slice_of (octets, size) };
    for (int i = 0; !asked[type].id; i++) {
        assert_true (i < 40);
        tick (1000);
    }
    struct reply reply = {
        .type = type, .id = asked[type].id, .frames = frames, .count = 1
    };
    if (complete_reply (complete, &reply, &mine, &e) != ERR_MALFORMED)
        fail_msg ("%s was taken", hex);
    core_abort (&core);
    for (size_t i = 0; i <= WIRE_COVER; i++)
        asked[i].id = 0;
    complete_end (complete);
    complete_begin (complete);
}

static void test_malformed (void **state) {
    (void) state;
    static const struct {
        enum wire_type type;
        const char *hex;
    } rows[] = {
        { WIRE_COVER, "00" },
        { WIRE_COVER, "" },
        { WIRE_COVER, /* five records have two nodes */
          "0011223344556677889900112233445566778899001122334455667788990011" },
        { WIRE_PATHS, "" },
        { WIRE_PATHS, "c0" },
        { WIRE_PATHS, "9200" },
        { WIRE_PATHS, "920190c0" },
        { WIRE_PATHS, "920990" }, /* another mark */
    };
    hidden_begin (5, 5);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        malformed_give (rows[i].type, rows[i].hex);
}

#define CASE(f) cmocka_unit_test_setup_teardown (f, begin_hidden, end)

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_hidden),
        CASE (test_hidden_too_much),
        CASE (test_touching),
        CASE (test_touching_again),
        CASE (test_touching_too_much),
        CASE (test_no_cover),
        CASE (test_wrong_cover),
        CASE (test_malformed),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
