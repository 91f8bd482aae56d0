/* bulk: when the next message of a file may go. Time is given, not waited for. */
#include "store_fixture.h"

#include "base/clock.h"
#include "link/bulk.h"
#include "store/outbox.h"
#include "store/sendings.h"

#define TOPIC "all/file/EUROPOL/2cf24dba5fb0a30e26e83b2ac5b9e29e"
#define PART 200000

static struct core core;
static struct bulk *bulk;
static int64_t now;

static int begin (void **state) {
    int rc = store_begin_test (state);
    core = (struct core){ .identity = cast.hq,
                          .delegation = "EUROPOL/hq",
                          .dialogue = cast.dialogue,
                          .store = store };
    core.rosters = rosters_new (&cast.dialogue, cast.roster, &e);
    bulk = bulk_new (&core);
    now = clock_mono_ms();
    return core.rosters ? rc : -1;
}

static int end (void **state) {
    bulk_destroy (&bulk);
    bulk_destroy (&bulk);
    rosters_destroy (&core.rosters);
    return store_end_test (state);
}

static void file_add (int parts) {
    static const uint8_t map[] = { 0x81, 0xa1, 'a', 0x01 };
    int64_t number;
    bool repeated;
    FINE (sendings_begin (store, &number, &e));
    for (int i = 1; i <= parts; i++) {
        struct buf part = { 0 };
        buf_add_zeros (&part, PART);
        part.data[0] = (uint8_t) i;
        struct hash sha256 = hash_sha256 (buf_slice (&part));
        FINE (sendings_add (store, number, i, &sha256, buf_slice (&part), &e));
        buf_free (&part);
    }
    FINE (sendings_ready (store, &number, TOPIC, "EUROPOL", PART * parts,
                          slice_of (map, sizeof map), NULL, &repeated, &e));
}

static bool tick (bool filled, bool drained) {
    bool handed;
    FINE (bulk_tick (bulk, now, filled, drained, &handed, &e));
    FINE (core_commit (&core, &e));
    return handed;
}

/* The record of what is on its way comes back. */
static void all_seen (void) {
    sqlite3_stmt *s = store_prepare (store, "UPDATE outbox SET state = 3");
    FINE (store_done (store, s, "outbox", &e));
}

static int64_t entries (void) {
    return store_number ("SELECT COUNT (*) FROM outbox");
}

static void test_nothing (void **state) {
    (void) state;
    assert_false (tick (true, true));
    assert_int_equal (bulk_due (bulk), -1);
}

/* Nothing before all streams were held once, nothing before what waits. */
static void test_behind (void **state) {
    (void) state;
    file_add (1);
    assert_false (tick (false, true));
    assert_false (tick (true, false));
    assert_int_equal (entries(), 0);
    assert_true (tick (false, true)); /* they were held once */
    assert_int_equal (entries(), 1);
}

/* One at a time, with a pause as long as the last one took. */
static void test_pace (void **state) {
    (void) state;
    static const struct {
        int64_t took, pause;
    } rows[] = { { 1, BULK_PAUSE_MS },
                 { 300, 300 },
                 { 60000, BULK_PAUSE_MAX_MS } };
    file_add (3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true (tick (true, true));
        assert_int_equal (entries(), i + 1);
        now += rows[i].took;
        assert_false (tick (true, true)); /* it is not seen yet */
        assert_int_equal (bulk_due (bulk), -1);
        all_seen();
        assert_false (tick (true, true));
        assert_int_equal (bulk_due (bulk), now + rows[i].pause);
        now += rows[i].pause - 1;
        assert_false (tick (true, true));
        now++;
    }
    assert_true (tick (true, true));
    all_seen();
    now += 1000;
    assert_false (tick (true, true));
    assert_false (sendings_any (store)); /* it is done */
}

/* The cast's roster with a limit of its own. */
static void limit_set (const char *limit) {
    json_t *document = cast_document (&cast);
    fixture_set (document, "limits.octets_a_minute", limit);
    struct roster *roster = cast_roster (document);
    rosters_destroy (&core.rosters);
    core.rosters = rosters_new (roster_dialogue (roster), roster, &e);
    if (!core.rosters)
        fail_msg ("%s", e.text);
    roster_unref (&roster);
}

/* Three quarters of the roster's octets a minute, and no more. */
static void test_rate (void **state) {
    (void) state;
    enum { LIMIT = 1200000, PARTS = 9 };
    int64_t begun = now, waited = 0;
    limit_set ("1200000");
    file_add (PARTS);
    for (int i = 0; i <= PARTS;) {
        if (tick (true, true)) {
            all_seen();
            i++;
            continue;
        }
        int64_t due = bulk_due (bulk);
        assert_true (due > now);
        if (due - now > BULK_PAUSE_MS)
            waited += due - now;
        now = due;
    }
    /* What is above a minute's share takes its time, and not much more. */
    int64_t least =
        ((int64_t) PARTS * PART - LIMIT * 3 / 4) * 60000 / (LIMIT * 3 / 4);
    assert_true (waited > 0);
    assert_in_range (now - begun, least, least + 5000);
}

/* What is larger than all of a minute goes where nothing is left of it. */
static void test_small_rate (void **state) {
    (void) state;
    limit_set ("1000");
    file_add (1);
    assert_true (tick (true, true));
    all_seen();
    now += BULK_PAUSE_MS;
    assert_false (tick (true, true));
    now = bulk_due (bulk);
    if (!tick (true, true)) { /* its pause is over; now the rate's */
        now = bulk_due (bulk);
        assert_true (tick (true, true));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, end)

int main (void) {
    const struct CMUnitTest tests[] = { TEST (test_nothing), TEST (test_behind),
                                        TEST (test_pace), TEST (test_rate),
                                        TEST (test_small_rate) };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
