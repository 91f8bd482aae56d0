/* Counters: what they count, and that replay and snapshots give it back. */
#include "commit_fixture.h"

#include "base/disk.h"

static struct message message_of (const char *topic, const char *author,
                                  uint64_t lane, int64_t number) {
    return (struct message){ .author = slice_text (author),
                             .topic = slice_text (topic),
                             .channel = topic_channel (slice_text (topic)),
                             .lane = lane,
                             .number = number };
}

static void count (struct counters *self, const char *topic, uint64_t lane,
                   int64_t number) {
    struct message m = message_of (topic, "EUROPOL/hq", lane, number);
    struct record r = { .sequence = self->next_sequence,
                        .log_time = BUILD_TIME,
                        .epoch = 1,
                        .channel = m.channel,
                        .channel_sequence =
                            counters_channel_next (self, m.channel) };
    counters_take (self, &r, &m);
}

static int64_t last_on (const struct counters *self, const char *topic) {
    bool full;
    return counters_topic_last (self, slice_text (topic), &full);
}

static void test_count (void **state) {
    (void) state;
    struct counters *self = counters_new();
    assert_int_equal (self->next_sequence, 0);
    assert_int_equal (self->roster_sequence, -1);
    assert_int_equal (counters_channel_next (self, slice_text ("all")), 1);
    assert_int_equal (last_on (self, "all/a"), -1);
    count (self, "all/a", 1, 1);
    count (self, "all/b", 1, 2);
    count (self, "core/a", 1, 3);
    count (self, "all/a", 2, 1);
    assert_int_equal (self->next_sequence, 4);
    assert_int_equal (self->log_time, BUILD_TIME);
    assert_int_equal (self->epoch, 1);
    assert_int_equal (counters_channel_next (self, slice_text ("all")), 4);
    assert_int_equal (counters_channel_next (self, slice_text ("core")), 2);
    assert_int_equal (counters_channel_next (self, slice_text ("al")), 1);
    assert_int_equal (last_on (self, "all/a"), 3);
    assert_int_equal (last_on (self, "all/b"), 1);
    assert_int_equal (last_on (self, "core/a"), 2);
    assert_int_equal (last_on (self, "all/"), -1);
    assert_int_equal (lanes_highest (self->lanes, slice_text ("EUROPOL/hq"), 1),
                      3);
    struct record mark = { .type = RECORD_MARK,
                           .sequence = 4,
                           .log_time = BUILD_TIME + 5,
                           .epoch = 1,
                           .channel = slice_text (CHANNEL_LOG),
                           .channel_sequence = 1 };
    counters_take (self, &mark, NULL);
    mark.type = RECORD_ROSTER;
    mark.sequence = 5;
    mark.epoch = 2;
    mark.channel_sequence = 2;
    counters_take (self, &mark, NULL);
    assert_int_equal (self->roster_sequence, 5);
    assert_int_equal (self->epoch, 2);
    assert_int_equal (self->log_time, BUILD_TIME + 5);
    assert_int_equal (counters_channel_next (self, slice_text (CHANNEL_LOG)),
                      3);
    counters_destroy (&self);
    assert_null (self);
    counters_destroy (&self);
}

static void check_full (const struct counters *self) {
    static const struct {
        const char *topic;
        int64_t last;
        bool full;
    } rows[] = { { "all/x", -1, true },
                 { "all/7", 9, false },
                 { "core/x", -1, false } };
    for (size_t i = 0; i < 3; i++) {
        bool full;
        assert_int_equal (
            counters_topic_last (self, slice_text (rows[i].topic), &full),
            rows[i].last);
        assert_int_equal (full, rows[i].full);
    }
}

static void check_openers (const struct counters *self, bool europol) {
    assert_int_equal (counters_opener_full (self, slice_text ("EUROPOL/ec3")),
                      europol);
    assert_false (counters_opener_full (self, slice_text ("UNODC/hq")));
}

static void test_topics_full (void **state) {
    (void) state;
    struct slice author = slice_text ("EUROPOL/hq");
    struct world *w = world_begin (0);
    char topic[32];
    bool full;
    for (int64_t i = 0; i < COUNTERS_TOPICS_MAX; i++) {
        snprintf (topic, sizeof topic, "all/%" PRId64, i);
        assert_int_equal (
            counters_topic_last (w->counters, slice_text (topic), &full), -1);
        assert_false (full);
        count (w->counters, topic, 1, i + 1);
    }
    check_full (w->counters);
    check_openers (w->counters, false);
    for (int64_t i = 0; i < COUNTERS_TOPICS_MAX; i++) {
        assert_false (counters_opener_full (w->counters, author));
        /* a topic that is there already counts once */
        snprintf (topic, sizeof topic, "@%s/%" PRId64,
                  i % 2 ? "EUROPOL+UNODC" : "EUROPOL", i);
        count (w->counters, topic, 2, 2 * i + 1);
        count (w->counters, topic, 2, 2 * i + 2);
    }
    check_openers (w->counters, true);
    struct buf octets = { 0 };
    struct error e;
    counters_snapshot (w->counters, w->chain, &octets);
    struct counters *self = counters_new();
    struct journal_replay replay = counters_replay (self);
    must (replay.snapshot (self, buf_slice (&octets), &e), &e);
    check_full (self);
    check_openers (self, true);
    buf_free (&octets);
    counters_destroy (&self);
    world_end (&w);
}

/* A ledger of two rosters and some channels, replayed. */

static void publish (struct world *w, const char *topic, uint64_t lane,
                     int64_t number, size_t n) {
    struct post posts[BATCH_MAX];
    for (size_t i = 0; i < n; i++)
        posts[i] = (struct post){ topic, lane, number + (int64_t) i, 0, 0 };
    struct job *job =
        job_of (&w->cast.dialogue, "EUROPOL/hq", w->cast.hq, NULL, posts, n);
    struct error e;
    must (group_publish (w->group, job, NULL, &e), &e);
    assert_int_equal (job->accepted_count, n);
    job_drop (&job);
}

static void append (struct world *w) {
    struct error e;
    must (group_write (w->group, &e), &e);
    must (group_commit (w->group, &e), &e);
    group_feed (w->group, NULL);
}

static void fill (struct world *w) {
    struct error e;
    group_begin (w->group, FOUNDED + 10);
    publish (w, "all/a", 1, 1, 3);
    publish (w, "core/a", 1, 5, 1);
    append (w);
    struct roster *next = world_next (w, cast_document (&w->cast));
    group_begin (w->group, FOUNDED + 20);
    must (group_roster (w->group, next, &e), &e);
    append (w);
    roster_unref (&next);
    group_begin (w->group, FOUNDED + 30);
    must (group_mark (w->group, &e), &e);
    publish (w, "@EUROPOL/x", 2, 1, 2);
    publish (w, "all/a", 1, 4, 1);
    append (w);
}

static void check_filled (const struct counters *self) {
    static const struct {
        const char *channel;
        int64_t next;
    } channels[] = { { CHANNEL_LOG, 6 },
                     { "all", 5 },
                     { "core", 2 },
                     { "@EUROPOL", 3 },
                     { "no", 1 } };
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        assert_int_equal (
            counters_channel_next (self, slice_text (channels[i].channel)),
            channels[i].next);
    assert_int_equal (self->next_sequence, 12);
    assert_int_equal (self->log_time, FOUNDED + 30);
    assert_int_equal (self->roster_sequence, 6);
    assert_int_equal (last_on (self, "all/a"), 11);
    assert_int_equal (last_on (self, "core/a"), 5);
    assert_int_equal (last_on (self, "@EUROPOL/x"), 10);
    struct slice hq = slice_text ("EUROPOL/hq");
    assert_int_equal (lanes_highest (self->lanes, hq, 1), 5);
    assert_int_equal (lanes_highest (self->lanes, hq, 2), 2);
}

static void check_chain (const struct roster_chain *chain) {
    int64_t sequence;
    assert_int_equal (roster_chain_count (chain), 2);
    assert_non_null (roster_chain_by_version (chain, 1, &sequence));
    assert_int_equal (sequence, 0);
    assert_non_null (roster_chain_last (chain, &sequence));
    assert_int_equal (sequence, 6);
}

static void test_replay (void **state) {
    (void) state;
    struct world *w = world_begin (0);
    assert_int_equal (w->counters->next_sequence, 2);
    fill (w);
    check_filled (w->counters);
    world_check (w);
    world_close (w);
    world_open (w, 0);
    check_filled (w->counters);
    check_chain (w->chain);
    world_end (&w);
}

static void test_roll (void **state) {
    (void) state;
    struct world *w = world_begin (1); /* every group wants a new segment */
    fill (w);
    struct buf snapshot = { 0 };
    struct error e;
    assert_true (journal_wants_roll (w->journal));
    counters_snapshot (w->counters, w->chain, &snapshot);
    must (journal_roll (w->journal, buf_slice (&snapshot), &e), &e);
    buf_free (&snapshot);
    group_begin (w->group, FOUNDED + 40);
    publish (w, "all/a", 1, 6, 1);
    append (w);
    world_close (w);
    world_open (w, 0);
    assert_int_equal (w->counters->next_sequence, 13);
    assert_int_equal (last_on (w->counters, "all/a"), 12);
    assert_int_equal (last_on (w->counters, "core/a"), 5);
    check_chain (w->chain);
    world_end (&w);
}

/* Snapshots: whole, cut at any place, any octet changed. */

static void test_snapshot (void **state) {
    (void) state;
    struct world *w = world_begin (0);
    fill (w);
    struct buf octets = { 0 };
    struct error e;
    counters_snapshot (w->counters, w->chain, &octets);
    struct counters *self = counters_new();
    struct journal_replay replay = counters_replay (self);
    must (replay.snapshot (self, buf_slice (&octets), &e), &e);
    check_filled (self);
    check_chain (self->chain);

    /* Every 97th: reading verifies two rosters. */
    for (size_t size = 0; size < octets.size;
         size += size < 60 || size > octets.size - 300 ? 1 : 97) {
        assert_int_equal (
            replay.snapshot (self, slice_of (octets.data, size), &e),
            ERR_DAMAGED);
        check_filled (self); /* unchanged */
    }
    buf_add_u8 (&octets, 0);
    assert_int_equal (replay.snapshot (self, buf_slice (&octets), &e),
                      ERR_DAMAGED);
    octets.size--;
    assert_int_equal (replay.snapshot (self, buf_slice (&octets), NULL), 0);
    for (size_t at = 0; at < octets.size; at += at < 60 ? 1 : 61) {
        octets.data[at] ^= 0x90;
        (void) replay.snapshot (self, buf_slice (&octets), &e);
        octets.data[at] ^= 0x90;
    }
    octets.data[0] = 3; /* a format to come */
    assert_int_equal (replay.snapshot (self, buf_slice (&octets), &e),
                      ERR_DAMAGED);
    replay.reset (self);
    assert_int_equal (self->next_sequence, 0);
    assert_int_equal (last_on (self, "all/a"), -1);
    assert_int_equal (roster_chain_count (self->chain), 0);
    buf_free (&octets);
    counters_destroy (&self);
    world_end (&w);
}

/* Blocks that don't follow what was counted. */
static void test_block (void **state) {
    (void) state;
    struct world *w = world_begin (0);
    fill (w);
    struct buf octets = { 0 };
    struct error e;
    struct counters *self = counters_new();
    struct journal_replay replay = counters_replay (self);
    struct block block;
    struct block_facts facts;
    for (int64_t sequence = 0; sequence < 12;) {
        must (journal_read (w->journal, sequence, &octets, &e), &e);
        must (block_read (buf_slice (&octets), &block, &e), &e);
        must (block_check (&block, &facts, &e), &e);
        must (replay.block (self, &block, &facts, &e), &e);
        sequence += (int64_t) block.count;
        /* again: it stands there already */
        assert_int_equal (replay.block (self, &block, &facts, &e), ERR_DAMAGED);
    }
    check_filled (self);
    /* the last one once more, behind something else than it was written on */
    static const struct {
        const char *what;
        int64_t next, time, roster;
        const char *topic;
        const char *text;
    } rows[] = {
        { "fits", 11, 0, 6, NULL, NULL },
        { "sequence", 10, 0, 6, NULL, "sequence 4, log time" },
        { "time", 11, INT64_MAX, 6, NULL, "have to stand" },
        { "roster", 11, 0, 0, NULL, "have to stand" },
        { "topic", 11, 0, 6, "all/a", "previous sequence 4" },
        { "channel", 11, 0, 6, "all/z", "where 11, 5," },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        replay.reset (self);
        for (int64_t n = 0; n < 12; n++)
            if (n == 4 && rows[i].topic && i == 4)
                count (self, "all/c", 1, n + 1); /* not on all/a */
            else if (n >= 2 && n < 5)
                count (self, "all/a", 1, n + 1);
            else if (n == 11 && i == 5)
                count (self, rows[i].topic, 1, 100);
            else if (n < 11)
                count (self, "core/a", 9, n + 1);
        self->next_sequence = rows[i].next;
        self->log_time = rows[i].time;
        self->roster_sequence = rows[i].roster;
        enum err rc = replay.block (self, &block, &facts, &e);
        if (!rows[i].text) {
            must (rc, &e);
            continue;
        }
        if (rc != ERR_DAMAGED || !strstr (e.text, rows[i].text))
            fail_msg ("%s: %s", rows[i].what, e.text);
    }
    facts.newer = 1;
    assert_int_equal (replay.block (self, &block, &facts, &e), ERR_NEWER);
    buf_free (&octets);
    counters_destroy (&self);
    world_end (&w);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_count),  cmocka_unit_test (test_topics_full),
        cmocka_unit_test (test_replay), cmocka_unit_test (test_roll),
        cmocka_unit_test (test_block),  cmocka_unit_test (test_snapshot),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
