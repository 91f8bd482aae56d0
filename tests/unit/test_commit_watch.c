/* When messages and marks may be recorded. */
#include "commit_fixture.h"

#include "base/log.h"
#include "commit_watch.h"

#include "base/disk.h"

struct scene {
    struct cast cast;
    struct state *state;
    struct timekeeper *time;
    struct watch watch;
};

static void scene_begin (struct scene *self, int64_t last_log_time) {
    struct error e;
    memset (self, 0, sizeof *self);
    cast_begin (&self->cast);
    struct roster_chain *chain = roster_chain_new();
    assert_int_equal (roster_chain_add (chain, self->cast.roster, 0, &e), 0);
    self->state = state_new (self->cast.broker, NULL, &chain);
    self->time = timekeeper_new (last_log_time);
    self->watch.state = self->state;
    self->watch.time = self->time;
    self->watch.dir = "/tmp";
    self->watch.mark_ms = 60000;
}

static void scene_end (struct scene *self) {
    state_destroy (&self->state);
    timekeeper_destroy (&self->time);
    cast_end (&self->cast);
}

/* Look, with the free space asked again. */
static enum rule look (struct scene *self) {
    self->watch.asked_ms -= WATCH_TICK_MS;
    watch_look (&self->watch);
    return state_closed (self->state, NULL);
}

static void test_hello (void **state) {
    (void) state;
    struct scene s;
    scene_begin (&s, 0);
    assert_int_equal (look (&s), RULE_NONE);
    assert_true (s.watch.has_time);
    assert_false (watch_heard (&s.watch));
    assert_false (watch_wants_mark (&s.watch)); /* it is due for long */
    assert_int_equal (watch_wait_ms (&s.watch), WATCH_TICK_MS);
    s.watch.trust_first = true;
    assert_true (watch_heard (&s.watch));
    s.watch.trust_first = false;
    state_hello_heard (s.state, "EUROPOL/hq");
    assert_true (watch_heard (&s.watch));
    assert_true (watch_wants_mark (&s.watch));
    assert_int_equal (watch_wait_ms (&s.watch), 0);
    scene_end (&s);
}

/* By how long ago the last mark was. */
static void test_marks (void **state) {
    (void) state;
    static const struct {
        int64_t ago;
        bool due;
        int64_t wait;
    } rows[] = {
        { 0, false, 1000 },  { 57999, false, 1000 }, { 58500, false, 500 },
        { 58999, false, 1 }, { 59000, true, 0 },     { 100000, true, 0 },
    };
    struct scene s;
    scene_begin (&s, 0);
    state_hello_heard (s.state, "EUROPOL/hq");
    (void) look (&s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s.watch.last_mark = s.watch.log_time - rows[i].ago;
        assert_int_equal (watch_wants_mark (&s.watch), rows[i].due);
        assert_int_equal (watch_wait_ms (&s.watch), rows[i].wait);
    }
    struct refusal why;
    refusal_set (&why, RULE_LEDGER_BEHIND);
    state_close (s.state, &why);
    assert_false (watch_wants_mark (&s.watch));
    scene_end (&s);
}

static void test_clock (void **state) {
    (void) state;
    struct scene s;
    scene_begin (&s, clock_wall_ms() + 3600000);
    state_hello_heard (s.state, "EUROPOL/hq");
    assert_int_equal (look (&s), RULE_CLOCK);
    assert_false (s.watch.has_time);
    assert_false (watch_wants_mark (&s.watch));
    assert_int_equal (s.watch.said, RULE_CLOCK);
    timekeeper_destroy (&s.time);
    s.watch.time = s.time = timekeeper_new (0);
    assert_int_equal (look (&s), RULE_NONE);
    assert_int_equal (s.watch.said, RULE_NONE);
    assert_true (watch_wants_mark (&s.watch));
    scene_end (&s);
}

/* Free space is the machine's: what is kept moves around it, by halves and
 * doubles, so that others' files do not matter. */
static void test_space (void **state) {
    (void) state;
    struct scene s;
    uint64_t free;
    struct error e;
    scene_begin (&s, 0);
    state_hello_heard (s.state, "EUROPOL/hq");
    assert_int_equal (disk_free_space ("/tmp", &free, &e), 0);
    assert_true (free > 1000000);
    atomic_store (&s.watch.keep_free, free / 2);
    assert_int_equal (look (&s), RULE_NONE);
    atomic_store (&s.watch.keep_free, free + free / 2);
    watch_look (&s.watch); /* not asked again within a second */
    assert_int_equal (state_closed (s.state, NULL), RULE_NONE);
    assert_int_equal (look (&s), RULE_NO_SPACE);
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    assert_int_equal (state_closed (s.state, &why), RULE_NO_SPACE);
    assert_non_null (strstr (refusal_print (&why, text), "kept="));
    assert_true (watch_wants_mark (&s.watch)); /* marks go on */
    atomic_store (&s.watch.keep_free, free / 20 * 19);
    assert_int_equal (look (&s), RULE_NO_SPACE); /* a tenth above only */
    atomic_store (&s.watch.keep_free, free / 2);
    assert_int_equal (look (&s), RULE_NONE);
    atomic_store (&s.watch.keep_free, UINT64_MAX);
    assert_int_equal (look (&s), RULE_NO_SPACE);
    assert_false (watch_wants_mark (&s.watch));
    scene_end (&s);
    scene_begin (&s, 0);
    state_hello_heard (s.state, "EUROPOL/hq");
    s.watch.dir = "/nowhere/at/all";
    atomic_store (&s.watch.keep_free, UINT64_MAX);
    assert_int_equal (look (&s), RULE_NONE); /* nobody can say */
    assert_true (watch_wants_mark (&s.watch));
    scene_end (&s);
}

int main (void) {
    assert_true (freopen ("/dev/null", "w", stderr) != NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_hello),
        cmocka_unit_test (test_marks),
        cmocka_unit_test (test_clock),
        cmocka_unit_test (test_space),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
