/* Groups: what is recorded where, what is promised again, what is refused, and
 * the blocks of it. Every ledger is verified at its end. */
#include "commit_fixture.h"

#define HQ "EUROPOL/hq"

static struct job *serve (struct world *w, struct job *job,
                          const struct refusal *closed) {
    struct error e;
    must (group_publish (w->group, job, closed, &e), &e);
    return job;
}

static struct job *hq (struct world *w, const struct post *posts, size_t n) {
    return job_of (&w->cast.dialogue, HQ, w->cast.hq, NULL, posts, n);
}

static void append (struct world *w) {
    struct error e;
    must (group_write (w->group, &e), &e);
    must (group_commit (w->group, &e), &e);
}

/* The answer as "index:sequence ... | index:RULE ...", after its frame was read
 * and verified as an agent does. */
static const char *answer (struct world *w, struct job *job) {
    static struct buf text;
    struct promise promise;
    struct promise_accepted *accepted;
    struct promise_refused *refused;
    size_t accepted_count, refused_count, n = job->batch.size;
    struct hash ids[BATCH_MAX];
    struct error e;
    group_answer (w->group, job);
    assert_int_equal (job->reply_type, WIRE_PUBLISH + WIRE_REPLY);
    assert_int_equal (job->reply_count, 1);
    for (size_t i = 0; i < n; i++)
        ids[i] = job->batch.items[i].message.id;
    must (promise_reply_read (buf_slice (&job->reply[0]), ids, n ? n : 1,
                              &promise, &accepted, &accepted_count, &refused,
                              &refused_count, &e),
          &e);
    assert_true (promise_signed (&promise, &w->cast.dialogue,
                                 identity_public (w->cast.broker, KEY_DESK)));
    buf_clear (&text);
    struct buf leaf = { 0 };
    for (size_t i = 0; i < accepted_count; i++) {
        buf_add_format (&text, "%d:%" PRId64 " ", accepted[i].index,
                        accepted[i].sequence);
        must (journal_leaves (w->journal, accepted[i].sequence, 1, &leaf, &e),
              &e);
        assert_memory_equal (leaf.data, accepted[i].leaf.octets, HASH_SIZE);
        buf_clear (&leaf);
    }
    buf_add_text (&text, "|");
    for (size_t i = 0; i < refused_count; i++)
        buf_add_format (&text, " %d:%s", refused[i].index,
                        refused[i].refusal.name);
    buf_add_u8 (&text, 0);
    buf_free (&leaf);
    free (accepted);
    free (refused);
    return (const char *) text.data;
}

/* Blocks from a sequence on, as "channel first+count kinds ...". */
static const char *blocks (struct world *w, int64_t sequence) {
    static struct buf text;
    static const char kinds[] = "WMP";
    struct buf octets = { 0 };
    struct error e;
    buf_clear (&text);
    while (sequence < journal_size (w->journal)) {
        struct block block;
        struct block_facts facts;
        must (journal_read (w->journal, sequence, &octets, &e), &e);
        must (block_read (buf_slice (&octets), &block, &e), &e);
        must (block_check (&block, &facts, &e), &e);
        buf_add_format (&text, "%.*s %" PRId64 "+%zu ",
                        (int) facts.channel.size,
                        (const char *) facts.channel.data, block.first_sequence,
                        block.count);
        for (size_t i = 0; i < block.runs; i++) {
            struct block_run_view run;
            block_run_at (&block, i, &run);
            buf_add_format (&text, "%c%zu ", kinds[run.kind], run.count);
        }
        sequence = block.first_sequence + (int64_t) block.count;
    }
    buf_add_u8 (&text, 0);
    buf_free (&octets);
    return (const char *) text.data;
}

static void test_whole (void **state) {
    (void) state;
    struct world *w = world_begin (0);
    static const struct post two[] = { { "all/a", 1, 1, 0, 0 },
                                       { "all/b", 1, 2, 0, 0 } };
    static const struct post more[] = { { "all/a", 1, 3, 0, 0 } };
    static const struct post core[] = { { "core/a", 1, 4, 0, 0 } };
    group_begin (w->group, FOUNDED + 1);
    assert_int_equal (group_records (w->group), 0);
    append (w); /* nothing was recorded: nothing is written */
    assert_int_equal (journal_size (w->journal), 2);
    struct error e;
    must (group_mark (w->group, &e), &e);
    struct job *a = serve (w, hq (w, two, 2), NULL);
    struct job *b = serve (w,
                           job_of (&w->cast.dialogue, "FRONTEX/hq", w->cast.hq,
                                   w->cast.frontex, more, 1),
                           NULL);
    struct job *c = serve (w, hq (w, core, 1), NULL);
    struct job *d =
        serve (w, hq (w, &(struct post){ "all/a", 1, 5, 0, 0 }, 1), NULL);
    assert_int_equal (group_records (w->group), 6);
    append (w);
    assert_string_equal (answer (w, a), "0:3 1:4 |");
    assert_string_equal (answer (w, b), "0:5 |");
    assert_string_equal (answer (w, c), "0:6 |");
    assert_string_equal (answer (w, d), "0:7 |");
    assert_string_equal (blocks (w, 0),
                         "$log 0+2 $log 2+1 all 3+3 W2 W1 core 6+1 W1 all 7+1 "
                         "W1 ");
    assert_int_equal (a->promise.log_time, FOUNDED + 1);
    group_feed (w->group, NULL);
    job_drop (&a);
    job_drop (&b);
    job_drop (&c);
    job_drop (&d);
    world_check (w);
    world_end (&w);
}

/* The same octets again: in the batch, the group, the ledger, after a restart,
 * and while nothing is taken. */
static void test_again (void **state) {
    (void) state;
    struct world *w = world_begin (0);
    static const struct post posts[] = { { "all/a", 1, 1, 0, 0 },
                                         { "all/a", 1, 2, 0, 0 },
                                         { "all/a", 1, 3, 0, 0 } };
    struct job *a = hq (w, posts, 3);
    struct job *b = hq (w, posts, 3); /* other salts: other ids */
    struct refusal closed;
    refusal_set (&closed, RULE_NO_SPACE);
    for (int round = 0; round < 3; round++) {
        group_begin (w->group, FOUNDED + 1 + round);
        for (int again = 0; again < 2; again++) {
            serve (w, a, round == 2 ? &closed : NULL);
            serve (w, b, round == 2 ? &closed : NULL);
            append (w);
            if (round || again)
                assert_int_equal (journal_size (w->journal), 5);
            assert_string_equal (answer (w, a), "0:2 1:3 2:4 |");
            assert_int_equal (a->promise.log_time, FOUNDED + 1 + round);
            assert_string_equal (
                answer (w, b),
                round == 2 ? "| 0:NO-SPACE 1:NO-SPACE 2:NO-SPACE"
                           : "| 0:USED-NUMBER 1:USED-NUMBER 2:USED-NUMBER");
            if (round < 2) {
                char id[HASH_TEXT_MAX], leaf[HASH_TEXT_MAX], want[256];
                char text[REFUSAL_TEXT_MAX];
                snprintf (want, sizeof want,
                          "USED-NUMBER id=%s leaf=%s sequence=3",
                          hash_text (id, &a->accepted[1].id),
                          hash_text (leaf, &a->accepted[1].leaf));
                assert_string_equal (
                    refusal_print (&b->refused[1].refusal, text), want);
            }
            free (b->refused);
            b->refused = NULL;
            group_feed (w->group, NULL);
            group_begin (w->group, FOUNDED + 1 + round);
        }
        world_close (w);
        world_open (w, 0);
    }
    assert_int_equal (state_counts (w->state)->repeated, 0);
    job_drop (&a);
    job_drop (&b);
    /* one message twice in a batch */
    static const struct post twice[] = { { "all/a", 1, 4, 0, 0 },
                                         { "all/a", 1, 4, 0, 0 } };
    a = hq (w, twice, 2);
    group_begin (w->group, FOUNDED + 9);
    serve (w, a, NULL);
    append (w);
    assert_string_equal (answer (w, a), "0:5 | 1:USED-NUMBER");
    assert_string_equal (blocks (w, 5), "all 5+1 M1 ");
    job_drop (&a);
    world_check (w);
    world_end (&w);
}

/* Batches of which only a part is recorded. */
static void test_parts (void **state) {
    (void) state;
    static const struct {
        size_t size, before, every; /* recorded before; every n-th refused */
        const char *blocks;
    } rows[] = {
        { 4, 1, 0, "M3 " },     { 4, 3, 0, "P1 " }, { 256, 255, 0, "P1 " },
        { 256, 4, 0, "M252 " }, { 2, 1, 0, "M1 " }, { 9, 0, 2, "M5 " },
        { 200, 0, 2, "M100 " },
    };
    struct world *w = world_begin (0);
    struct post posts[BATCH_MAX];
    int64_t number = 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = rows[i].size;
        uint64_t lane = 1 + i;
        for (size_t k = 0; k < n; k++)
            posts[k] = (struct post){ "all/a", lane, 1 + (int64_t) k, 0, 0 };
        for (size_t k = 1; rows[i].every && k < n; k += rows[i].every)
            posts[k].version = 9;
        struct job *job = hq (w, posts, n);
        group_begin (w->group, FOUNDED + 1);
        if (rows[i].before) { /* its own messages, in a batch before it */
            struct batch_part parts[BATCH_MAX];
            for (size_t k = 0; k < rows[i].before; k++)
                parts[k] =
                    (struct batch_part){ job->batch.items[k].message.octets,
                                         job->batch.items[k].body };
            struct buf frame[3] = { { 0 } };
            struct error e;
            must (batch_write (w->cast.hq, &w->cast.dialogue,
                               slice_text ("all"), parts, rows[i].before,
                               &frame[0], &frame[1], &frame[2], &e),
                  &e);
            struct job *first = mem_alloc (sizeof *first);
            snprintf (first->delegation, sizeof first->delegation, HQ);
            for (size_t k = 0; k < 3; k++) {
                job_frame_set (first, k, buf_slice (&frame[k]));
                buf_free (&frame[k]);
            }
            job_read (first, &w->cast.dialogue);
            serve (w, first, NULL);
            assert_int_equal (first->accepted_count, rows[i].before);
            append (w);
            group_feed (w->group, NULL);
            group_begin (w->group, FOUNDED + 1);
            job_drop (&first);
        }
        number = w->counters->next_sequence;
        serve (w, job, NULL);
        append (w);
        (void) answer (w, job);
        const char *got = strchr (strchr (blocks (w, number), '+'), ' ') + 1;
        assert_string_equal (got, rows[i].blocks);
        group_feed (w->group, NULL);
        job_drop (&job);
    }
    world_check (w);
    world_end (&w);
}

/* Batches that do not fit the block that is there, or any one. */
static void test_sizes (void **state) {
    (void) state;
    struct world *w = world_begin (0);
    struct post posts[BATCH_MAX];
    for (size_t i = 0; i < BATCH_MAX; i++)
        posts[i] = (struct post){ "all/a", 1, 1 + (int64_t) i, 0, 3880 };
    struct job *big = hq (w, posts, BATCH_MAX);
    assert_false (big->batch_refused);
    for (size_t i = 0; i < BATCH_MAX; i++)
        posts[i] = (struct post){ "all/a", 2, 1 + (int64_t) i, 0, 2000 };
    struct job *half = hq (w, posts, BATCH_MAX);
    for (size_t i = 0; i < BATCH_MAX; i++)
        posts[i] = (struct post){ "all/a", 3, 1 + (int64_t) i, 0, 2000 };
    struct job *other = hq (w, posts, BATCH_MAX);
    for (size_t i = 0; i < 3; i++)
        posts[i] = (struct post){ "all/a", 4, 1 + (int64_t) i, 0, CONTENT_MAX };
    struct job *largest = hq (w, posts, 3);
    assert_false (largest->batch_refused);
    group_begin (w->group, FOUNDED + 1);
    serve (w, half, NULL);
    serve (w, other, NULL); /* not cut: a block of its own */
    serve (w, big, NULL);   /* cut wherever it is */
    serve (w, largest, NULL);
    append (w);
    assert_string_equal (blocks (w, 2), "all 2+256 W256 all 258+366 W256 M110 "
                                        "all 624+146 M146 all 770+3 W3 ");
    (void) answer (w, half);
    (void) answer (w, other);
    (void) answer (w, big);
    (void) answer (w, largest);
    job_drop (&big);
    job_drop (&half);
    job_drop (&other);
    job_drop (&largest);
    /* many small ones: records are bounded too */
    group_feed (w->group, NULL);
    group_begin (w->group, FOUNDED + 2);
    for (size_t k = 0; k < 17; k++) {
        for (size_t i = 0; i < BATCH_MAX; i++)
            posts[i] = (struct post){ "core/a", 5,
                                      1 + (int64_t) (k * BATCH_MAX + i), 0, 1 };
        struct job *job =
            serve (w, hq (w, posts, k < 16 ? BATCH_MAX : 3), NULL);
        assert_int_equal (job->refused_count, 0);
        job_drop (&job);
    }
    append (w);
    world_check (w);
    world_end (&w);
}

/* A batch that could not be cut, one that is mixed, one whose key is unknown,
 * and messages with a fault of their own. */
static void test_refused (void **state) {
    (void) state;
    struct world *w = world_begin (0);
    static const struct post posts[] = { { "all/a", 1, 1, 0, 0 },
                                         { "all/a", 1, 2, 0, 0 },
                                         { "all/a", 1, 3, 7, 0 },
                                         { "all/a", 1, 2000, 0, 0 } };
    static const struct post nowhere[] = { { "nowhere/a", 1, 9, 0, 0 } };
    struct job *uncut = hq (w, posts, 1);
    job_frame_set (uncut, 0, slice_text ("no head"));
    job_read (uncut, &w->cast.dialogue);
    assert_int_equal (uncut->batch.size, 0);
    struct job *mixed = hq (w, posts, 2);
    mixed->batch_refused = true;
    refusal_set (&mixed->why, RULE_MIXED_BATCH);
    struct job *key =
        job_of (&w->cast.dialogue, HQ, w->cast.ec3, NULL, posts, 2);
    struct job *faults = hq (w, posts, 4);
    struct job *channel = hq (w, nowhere, 1);
    group_begin (w->group, FOUNDED + 1);
    serve (w, uncut, NULL);
    serve (w, mixed, NULL);
    serve (w, key, NULL);
    serve (w, faults, NULL);
    serve (w, channel, NULL);
    append (w);
    assert_int_equal (journal_size (w->journal), 4);
    assert_string_equal (answer (w, uncut), "| -1:MALFORMED");
    struct hash id = batch_id (job_frame (uncut, 0), job_frame (uncut, 1));
    assert_true (hash_equal (&uncut->refused[0].id, &id));
    assert_string_equal (answer (w, mixed), "| 0:MIXED-BATCH 1:MIXED-BATCH");
    assert_string_equal (answer (w, key), "| 0:VIA-NEEDED 1:VIA-NEEDED");
    assert_string_equal (answer (w, faults),
                         "0:2 1:3 | 2:ROSTER-AHEAD 3:NUMBER-JUMP");
    assert_string_equal (answer (w, channel), "| 0:UNKNOWN-CHANNEL");
    /* what was mixed is recorded by now under the same numbers */
    free (mixed->refused);
    mixed->refused = NULL;
    serve (w, mixed, NULL);
    assert_string_equal (answer (w, mixed), "| 0:MIXED-BATCH 1:MIXED-BATCH");
    faults->batch_refused = true;
    refusal_set (&faults->why, RULE_BAD_SIGNATURE);
    free (faults->refused);
    faults->refused = NULL;
    serve (w, faults, NULL);
    assert_string_equal (answer (w, faults),
                         "0:2 1:3 | 2:BAD-SIGNATURE 3:BAD-SIGNATURE");
    group_feed (w->group, NULL);
    job_drop (&uncut);
    job_drop (&mixed);
    job_drop (&key);
    job_drop (&faults);
    job_drop (&channel);
    world_check (w);
    world_end (&w);
}

static void test_roster (void **state) {
    (void) state;
    struct world *w = world_begin (0);
    struct error e;
    json_t *d = cast_document (&w->cast);
    fixture_set (d, "channels[0].readers", "['entity:EUROPOL']");
    fixture_set (d, "channels[0].writers", "['entity:EUROPOL']");
    struct roster *next = world_next (w, d);
    /* not the next of the one in force */
    struct roster *branch = fixture_roster ("name", "'Other'", NULL);
    group_begin (w->group, FOUNDED + 1);
    assert_int_equal (group_roster (w->group, branch, &e), ERR_CHAIN);
    assert_int_equal (group_records (w->group), 0);
    must (group_roster (w->group, next, &e), &e);
    static const struct post old = { "all/a", 1, 1, 1, 0 };
    static const struct post same = { "core/a", 1, 1, 1, 0 };
    static const struct post new = { "all/a", 1, 2, 2, 0 };
    struct job *a = serve (w, hq (w, &old, 1), NULL);
    struct job *b = serve (w, hq (w, &same, 1), NULL);
    struct job *c = serve (w, hq (w, &new, 1), NULL);
    append (w);
    assert_string_equal (answer (w, a), "| 0:STALE-ROSTER");
    assert_string_equal (answer (w, b), "0:4 |");
    assert_string_equal (answer (w, c), "0:5 |");
    assert_string_equal (blocks (w, 2), "$log 2+2 core 4+1 W1 all 5+1 W1 ");
    assert_int_equal (w->counters->roster_sequence, 2);
    group_feed (w->group, NULL);
    job_drop (&a);
    job_drop (&b);
    job_drop (&c);
    roster_unref (&next);
    roster_unref (&branch);
    /* one whose mark does not fit behind it */
    d = cast_document (&w->cast);
    struct buf fill = { 0 };
    buf_add_text (&fill, "'");
    for (int i = 0; i < 990000; i++)
        buf_add_u8 (&fill, 'x');
    buf_add (&fill, "'", 2);
    fixture_set (d, "x-fill", (const char *) fill.data);
    buf_free (&fill);
    next = world_next (w, d);
    group_begin (w->group, FOUNDED + 2);
    must (group_mark (w->group, &e), &e);
    must (group_roster (w->group, next, &e), &e);
    append (w);
    assert_string_equal (blocks (w, 6), "$log 6+1 $log 7+2 ");
    roster_unref (&next);
    world_check (w);
    world_end (&w);
}

/* Marks over all kinds of streams, with and without news, over rosters that
 * have others, and over a restart; world_check judges their roots. */
static void test_marks (void **state) {
    (void) state;
    struct world *w = world_begin (1);
    struct error e;
    for (int i = 0; i < 5; i++) {
        group_begin (w->group, FOUNDED + 1 + i);
        must (group_mark (w->group, &e), &e);
        if (i % 2 == 0) { /* after others nothing is new */
            const struct post posts[] = { { "all/a", 1, 1 + i, 0, 0 },
                                          { "core/a", 1, 10 + i, 0, 0 },
                                          { "@EUROPOL/x", 1, 20 + i, 0, 0 },
                                          { "@EUROPOL+FRONTEX/x", 1, 30 + i, 0,
                                            0 } };
            for (size_t n = 0; n < 4; n++) {
                struct job *job = serve (w, hq (w, &posts[n], 1), NULL);
                assert_int_equal (job->accepted_count, 1);
                job_drop (&job);
            }
        }
        append (w);
        group_feed (w->group, NULL);
    }
    json_t *d = cast_document (&w->cast);
    fixture_set (d, "entities[4]",
                 "{'id':'AFRIPOL','name':'A','role':'member','sector':'x',"
                 "'regions':[],'delegations':[]}");
    struct roster *next = world_next (w, d);
    group_begin (w->group, FOUNDED + 10);
    must (group_roster (w->group, next, &e), &e);
    append (w);
    group_feed (w->group, NULL);
    roster_unref (&next);
    world_check (w);
    world_close (w);
    world_open (w, 1);
    group_begin (w->group, FOUNDED + 20);
    must (group_mark (w->group, &e), &e);
    append (w);
    world_check (w);
    world_end (&w);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_marks),  cmocka_unit_test (test_whole),
        cmocka_unit_test (test_again),  cmocka_unit_test (test_parts),
        cmocka_unit_test (test_sizes),  cmocka_unit_test (test_refused),
        cmocka_unit_test (test_roster),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
