/* fetch: what each delegation gets of a real ledger over three rosters. */
#include "broker_fixture.h"

#include "fetch.h"

#define HQ "EUROPOL/hq"
#define FRONTEX "FRONTEX/hq"

static struct stage *stage;
static struct job_pool *pool;
static struct job *job;

/* Readers and writers of "core" in one version. */
static json_t *core (const char *who) {
    json_t *d = stage_document (stage);
    fixture_set (d, "channels[1].readers", who);
    fixture_set (d, "channels[1].writers", who);
    return d;
}

#define BOTH "['entity:EUROPOL','delegation:FRONTEX/hq']"
#define ONE "['entity:EUROPOL']"

/* $log     core                         @EUROPOL+FRONTEX   roster
 * 0,1                                                      1: both in core
 *          2-4 hq, 5-6 frontex, 7 hq
 *                                       8-9 hq
 * 10,11                                                    2: EUROPOL only
 *          12-15 hq, 16 hq
 * 17,18                                                    3: both
 *          19-21 hq
 *                                       22 frontex
 * Under 1 the ad-hoc channel has an opener; so it does later. */
static void ledger_begin (void) {
    struct stage draft = { 0 };
    cast_begin (&draft.cast);
    stage = &draft;
    json_t *first = core (BOTH);
    stage = stage_new (first);
    cast_end (&draft.cast);
    block_begin (stage->writer, stage->next);
    stage_batch (stage, "core", stage->cast.hq, 3);
    stage_batch (stage, "core", stage->cast.frontex, 2);
    stage_batch (stage, "core", stage->cast.hq, 1);
    stage_append (stage, NULL);
    stage_messages (stage, "@EUROPOL+FRONTEX", stage->cast.hq, 2, NULL);
}

static void next (const char *who) {
    struct roster *roster = stage_next (stage, core (who), NULL);
    roster_unref (&roster);
}

static int setup (void **state) {
    (void) state;
    ledger_begin();
    pool = job_pool_new (1);
    job = job_take (pool);
    return 0;
}

static void ledger_end (void) {
    next (ONE);
    stage_messages (stage, "core", stage->cast.hq, 4, NULL);
    stage_messages (stage, "core", stage->cast.hq, 1, NULL);
    next (BOTH);
    stage_messages (stage, "core", stage->cast.hq, 3, NULL);
    stage_messages (stage, "@EUROPOL+FRONTEX", stage->cast.frontex, 1, NULL);
}

static int setup_all (void **state) {
    setup (state);
    ledger_end();
    return 0;
}

static int teardown (void **state) {
    (void) state;
    job_give (pool, &job);
    job_pool_destroy (&pool);
    stage_free (stage);
    return 0;
}

/* Asking */

static struct slice ask (const char *who, int type, const struct buf *frame) {
    job_give (pool, &job);
    job = job_take (pool);
    strcpy (job->delegation, who);
    job->head.type = type;
    if (frame) {
        zmq_msg_init_size (&job->frames[0], frame->size);
        if (frame->size)
            memcpy (zmq_msg_data (&job->frames[0]), frame->data, frame->size);
        job->frame_count = 1;
    }
    fetch_answer (stage->state, NULL, job);
    return buf_slice (&job->reply[0]);
}

static void check_error (const char *what, enum rule rule) {
    struct refusal why;
    struct slice text;
    struct error e;
    if (job->reply_type != WIRE_ERROR
        || wire_error_read (buf_slice (&job->reply[0]), &why, &text, &e)
        || why.rule != rule)
        fail_msg ("%s: no %s", what, rule_name (rule));
}

static void ask_fetch (const char *who, const char *stream, int64_t first,
                       int64_t last, int64_t octets) {
    struct buf frame = { 0 };
    struct wire_fetch wanted = { slice_text (stream), first, last, octets };
    wire_fetch_write (&frame, &wanted);
    ask (who, WIRE_FETCH, &frame);
    buf_free (&frame);
}

/* "last 6: 1-3 (4-5) 6-6", where () is closed; each block is as it should be. */
static char *items_print (char out[512], const char *stream) {
    int64_t last = 0;
    size_t count = 0, block = 0;
    struct slice name = { 0 };
    struct wire_item *items;
    struct error e;
    if (job->reply_type != WIRE_FETCH + WIRE_REPLY
        || wire_items_read (buf_slice (&job->reply[0]), &name, &last, &items,
                            &count, &e))
        fail_msg ("%s: no items", stream);
    assert_true (slice_is (name, stream));
    assert_int_equal (job->reply_count, 1);
    size_t at = (size_t) snprintf (out, 512, "last %" PRId64 ":", last);
    for (size_t i = 0; i < count; i++) {
        at +=
            (size_t) snprintf (out + at, 512 - at,
                               items[i].readable ? " %" PRId64 "-%" PRId64
                                                 : " (%" PRId64 "-%" PRId64 ")",
                               items[i].first, items[i].last);
        if (!items[i].readable)
            continue;
        struct block view;
        struct block_facts facts;
        assert_true (block < job->block_count);
        plan_read (buf_slice (&job->blocks[block++]), &view, &facts);
        assert_int_equal (view.count, items[i].last - items[i].first + 1);
        if (stream[0] != '@')
            assert_int_equal (facts.first_channel_sequence, items[i].first);
        /* what was cut still proves its signatures */
        struct roster *then = state_roster_of (stage->state, facts.roster);
        if (block_verify (&view, &stage->cast.dialogue, then, &e))
            fail_msg ("%s: %s", stream, e.text);
        roster_unref (&then);
    }
    assert_int_equal (block, job->block_count);
    free (items);
    return out;
}

static void check_fetch (const char *who, const char *stream, int64_t first,
                         int64_t last, int64_t octets, const char *want) {
    char got[512];
    ask_fetch (who, stream, first, last, octets);
    if (strcmp (items_print (got, stream), want) != 0)
        fail_msg ("%s %s %" PRId64 ": %s, not %s", who, stream, first, got,
                  want);
}

/* Requests */

static void test_malformed (void **state) {
    (void) state;
    static const int types[] = { WIRE_FETCH, WIRE_ROSTER, WIRE_REFUSALS,
                                 WIRE_LEAVES };
    static const char *const frames[] = { "", "x", "\x90", "\x91\xc3" };
    for (size_t i = 0; i < 4; i++)
        for (size_t n = 0; n < 4; n++) {
            struct buf frame = { 0 };
            buf_add_text (&frame, frames[n]);
            ask (HQ, types[i], &frame);
            buf_free (&frame);
            check_error (frames[n], RULE_MALFORMED);
        }
    ask (HQ, 10, NULL);
    check_error ("cosign", RULE_UNKNOWN_REQUEST);
}

static void test_names (void **state) {
    (void) state;
    static const char *const unknown[] = {
        "none", "@FRONTEX", "@", "@EUROPOL+FRONTEX", "$lo", "$log2", "log",
    };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        ask_fetch (HQ, unknown[i], 1, -1, 1000);
        check_error (unknown[i], RULE_UNKNOWN_STREAM);
    }
    ask_fetch (FRONTEX, "late", 1, -1, 1000); /* never a reader of it */
    check_error ("late", RULE_UNKNOWN_STREAM);
}

static void test_ranges (void **state) {
    (void) state;
    const int64_t all = NUMBER_MAX;
    check_fetch (HQ, "$log", 1, -1, all, "last 2: 1-2");
    check_fetch (HQ, "$log", 2, 2, all, "last 2: 2-2");
    check_fetch (HQ, "$log", 3, -1, all, "last 2:");
    check_fetch (HQ, "$log", NUMBER_MAX, -1, all, "last 2:");
    check_fetch (HQ, "core", 1, -1, all, "last 6: 1-6");
    check_fetch (FRONTEX, "core", 3, -1, all, "last 6: 3-6");
    check_fetch (FRONTEX, "core", 1, 4, all, "last 6: 1-4");
    check_fetch (FRONTEX, "core", 2, 5, 1, "last 6: 2-5");
    check_fetch (FRONTEX, "core", 5, 900, all, "last 6: 5-6");
    check_fetch (FRONTEX, "@FRONTEX", 1, -1, all, "last 2: 1-2");
    check_fetch (HQ, "@EUROPOL", 2, 2, all, "last 2: 2-2");
}

/* FRONTEX was let out of core, and in again. */
static void test_rights (void **state) {
    (void) state;
    const int64_t all = NUMBER_MAX;
    next (ONE);
    stage_messages (stage, "core", stage->cast.hq, 4, NULL);
    check_fetch (HQ, "core", 1, -1, all, "last 10: 1-6 7-10");
    check_fetch (FRONTEX, "core", 1, -1, all, "last 6: (1-3) 4-5 (6-6)");
    check_fetch (FRONTEX, "core", 5, 5, all, "last 6: 5-5");
    check_fetch (FRONTEX, "core", 5, 6, all, "last 6: 5-5 (6-6)");
    check_fetch (FRONTEX, "core", 7, -1, all, "last 6:");
    next (BOTH);
    stage_messages (stage, "core", stage->cast.hq, 3, NULL);
    check_fetch (FRONTEX, "core", 1, -1, all, "last 13: 1-6 (7-10) 11-13");
    check_fetch (FRONTEX, "core", 8, 11, all, "last 13: (8-10) 11-11");
    check_fetch (FRONTEX, "@FRONTEX", 1, -1, all, "last 2: 1-2");
    /* who never read it is not told how much there is */
    ask_fetch ("UNODC/hq", "core", 1, -1, all);
    check_error ("core", RULE_UNKNOWN_STREAM);
}

/* Out of core for two rosters, then core itself is gone: FRONTEX still has what
 * it wrote, and the count of the first of them. */
static void test_rights_gone (void **state) {
    (void) state;
    const int64_t all = NUMBER_MAX;
    for (int i = 0; i < 2; i++) {
        next (ONE);
        stage_messages (stage, "core", stage->cast.hq, 4, NULL);
    }
    check_fetch (FRONTEX, "core", 1, -1, all, "last 6: (1-3) 4-5 (6-6)");
    json_t *d = core (BOTH);
    fixture_set (d, "channels[1].id", "'other'");
    struct roster *roster = stage_next (stage, d, NULL);
    roster_unref (&roster);
    check_fetch (FRONTEX, "core", 1, -1, all, "last 6: (1-3) 4-5 (6-6)");
    ask_fetch ("UNODC/hq", "core", 1, -1, all);
    check_error ("core", RULE_UNKNOWN_STREAM);
}

/* Blocks that are closed count also where they are small. */
static void test_closed_limit (void **state) {
    (void) state;
    enum { BLOCKS = 4000 };
    next (ONE);
    for (int i = 0; i < BLOCKS; i++)
        stage_messages (stage, "core", stage->cast.hq, 1, NULL);
    next (BOTH);
    ask_fetch (FRONTEX, "core", 7, -1, NUMBER_MAX);
    int64_t last;
    size_t count;
    struct slice name;
    struct wire_item *items;
    struct error e;
    assert_int_equal (wire_items_read (buf_slice (&job->reply[0]), &name, &last,
                                       &items, &count, &e),
                      0);
    assert_int_equal (last, 6 + BLOCKS);
    assert_int_equal (count, 1);
    assert_false (items[0].readable);
    assert_true (items[0].last > 1000 && items[0].last < last);
    free (items);
}

static void test_budget (void **state) {
    (void) state;
    ask_fetch (HQ, "core", 1, -1, NUMBER_MAX);
    int64_t first = (int64_t) job->blocks[0].size,
            second = (int64_t) job->blocks[1].size;
    const struct {
        int64_t octets;
        const char *want;
    } rows[] = {
        { 1, "last 14: 1-6" }, /* one, where one is due */
        { first, "last 14: 1-6" },
        { first + second - 1, "last 14: 1-6" },
        { first + second, "last 14: 1-6 7-10" },
        { NUMBER_MAX, "last 14: 1-6 7-10 11-11 12-14" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_fetch (HQ, "core", 1, -1, rows[i].octets, rows[i].want);
}

/* The octet at a place of the one segment that there is becomes another. */
static void flip (uint64_t offset) {
    uint8_t octet;
    int fd = open (ledger_in ("journal/00000000000000000000.seg"), O_RDWR);
    assert_int_equal (pread (fd, &octet, 1, (off_t) offset), 1);
    octet ^= 1;
    assert_int_equal (pwrite (fd, &octet, 1, (off_t) offset), 1);
    close (fd);
}

/* What is in front of a damaged block is given, and what is behind it, and the
 * block itself once it is mended. */
static void test_damage (void **state) {
    (void) state;
    struct index_entry entry;
    int64_t first;
    assert_int_equal (
        journal_find_stream (stage->journal, "core", 8, &entry, &first, NULL),
        0);
    assert_int_equal (first, 7);
    flip (entry.offset + entry.octets - 1);
    check_fetch (HQ, "core", 1, -1, NUMBER_MAX, "last 14: 1-6");
    for (int i = 0; i < 3; i++) {
        ask_fetch (HQ, "core", 7, -1, NUMBER_MAX);
        check_error ("damaged", RULE_BUSY);
    }
    assert_int_equal (atomic_load (&state_counts (stage->state)->unread), 3);
    check_fetch (HQ, "core", 11, -1, NUMBER_MAX, "last 14: 11-11 12-14");
    check_fetch (HQ, "@EUROPOL", 1, -1, NUMBER_MAX, "last 3: 1-2 3-3");
    flip (entry.offset + entry.octets - 1);
    check_fetch (HQ, "core", 7, -1, NUMBER_MAX, "last 14: 7-10 11-11 12-14");
}

/* 4 MiB, whatever is wanted. */
static void test_budget_limit (void **state) {
    (void) state;
    for (int i = 0; i < 6; i++) {
        block_begin (stage->writer, stage->next);
        for (int n = 0; n < 5; n++) {
            struct build where = { .channel = "all", .roster_version = 1 };
            struct signed_batch *made = sign_batch (
                &stage->cast, &where, stage->cast.hq, NULL, 1, 200000);
            block_run (stage->writer, RUN_WHOLE, NULL, 0);
            struct record r = { .type = RECORD_MESSAGE,
                                .payload = made->batch.items[0].message.octets,
                                .batch_size = 1,
                                .signature = made->batch.signature };
            stage_record (stage, &r, "all", made->batch.items[0].body);
            signed_batch_free (made);
        }
        stage_append (stage, NULL);
    }
    check_fetch (HQ, "all", 1, -1, NUMBER_MAX, "last 30: 1-5 6-10 11-15 16-20");
    check_fetch (HQ, "all", 18, -1, NUMBER_MAX, "last 30: 18-20 21-25 26-30");
}

/* What is not readable ends a reply by its octets only. */
static void test_items_limit (void **state) {
    (void) state;
    /* every second message is FRONTEX's own, in a block closed to it */
    for (int i = 0; i < 3; i++) {
        block_begin (stage->writer, stage->next);
        for (int n = 0; n < 1000; n++) {
            stage_batch (stage, "core", stage->cast.hq, 1);
            stage_batch (stage, "core", stage->cast.frontex, 1);
        }
        stage_append (stage, NULL);
    }
    next (ONE);
    ask_fetch (FRONTEX, "core", 7, -1, NUMBER_MAX);
    int64_t last;
    size_t count;
    struct slice name;
    struct wire_item *items;
    struct error e;
    assert_int_equal (wire_items_read (buf_slice (&job->reply[0]), &name, &last,
                                       &items, &count, &e),
                      0);
    assert_int_equal (count, FETCH_ITEMS_MAX);
    assert_int_equal (items[count - 1].last, 7 + FETCH_ITEMS_MAX - 1);
    assert_int_equal (job->block_count, FETCH_ITEMS_MAX / 2);
    free (items);
}

static void check_streams (const char *who, const char *want) {
    char got[512] = "";
    int64_t generation;
    struct wire_stream *streams;
    size_t count, at = 0;
    struct error e;
    assert_int_equal (wire_streams_read (ask (who, WIRE_STREAMS, NULL),
                                         &generation, &streams, &count, &e),
                      0);
    assert_int_equal (generation, 5);
    struct tags *tags = state_tags (stage->state);
    for (size_t i = 0; i < count; i++) {
        at += (size_t) snprintf (
            got + at, sizeof got - at, "%.*s %" PRId64 " %" PRId64 "; ",
            (int) streams[i].name.size, (const char *) streams[i].name.data,
            streams[i].last, streams[i].readable_from);
        int n = tags_find (tags, streams[i].name);
        assert_memory_equal (&streams[i].key, tags_key (tags, (size_t) n),
                             sizeof streams[i].key);
    }
    tags_unref (&tags);
    free (streams);
    if (strcmp (got, want) != 0)
        fail_msg ("%s: %s\nnot %s", who, got, want);
}

static void test_streams (void **state) {
    (void) state;
    struct roster *roster = state_roster (stage->state, NULL);
    state_set_tags (stage->state, tags_new (roster, 5));
    roster_unref (&roster);
    check_streams (HQ, "$log 6 1; all 0 1; core 14 1; @EUROPOL 3 1; ");
    check_streams (FRONTEX, "$log 6 1; all 0 1; core 14 12; @FRONTEX 3 1; ");
    check_streams ("UNODC/late", "");

    /* the only opener gone: what stood on ad-hoc channels is closed */
    json_t *d = core (BOTH);
    fixture_set (d, "adhoc", "['entity:UNODC']");
    roster = stage_next (stage, d, NULL);
    state_set_tags (stage->state, tags_new (roster, 5));
    roster_unref (&roster);
    check_streams (FRONTEX, "$log 8 1; all 0 1; core 14 12; @FRONTEX 3 4; ");
    check_fetch (FRONTEX, "@FRONTEX", 1, -1, NUMBER_MAX, "last 3: (1-2) 3-3");

    /* the feed has not heard of the roster yet that lets it out */
    next (ONE);
    check_streams (FRONTEX, "$log 10 1; all 0 1; @FRONTEX 3 4; ");
}

static void test_roster (void **state) {
    (void) state;
    static const struct {
        int64_t version, found, sequence;
    } rows[] = { { 0, 3, 17 }, { 1, 1, 0 }, { 2, 2, 10 }, { 3, 3, 17 } };
    struct error e;
    for (size_t i = 0; i < 4; i++) {
        int64_t version, sequence;
        struct buf frame = { 0 };
        wire_roster_write (&frame, rows[i].version);
        assert_int_equal (wire_roster_found_read (ask (HQ, WIRE_ROSTER, &frame),
                                                  &version, &sequence, &e),
                          0);
        buf_free (&frame);
        assert_int_equal (version, rows[i].found);
        assert_int_equal (sequence, rows[i].sequence);
        struct roster *roster =
            state_roster_version (stage->state, version, NULL);
        assert_true (
            slice_equal (buf_slice (&job->reply[1]), roster_octets (roster)));
        roster_unref (&roster);
    }
    struct buf frame = { 0 };
    wire_roster_write (&frame, 4);
    ask (HQ, WIRE_ROSTER, &frame);
    buf_free (&frame);
    check_error ("version 4", RULE_NOT_FOUND);
}

static void test_leaves (void **state) {
    (void) state;
    static const struct {
        int64_t from, count;
        size_t want;
    } rows[] = { { 0, 8192, 23 },
                 { 22, 5, 1 },
                 { 3, 4, 4 },
                 { 23, 1, 0 },
                 { NUMBER_MAX, 1, 0 } };
    struct error e;
    struct buf leaves = { 0 };
    assert_int_equal (journal_leaves (stage->journal, 0, 23, &leaves, &e), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t from;
        struct buf frame = { 0 };
        wire_range_write (&frame, rows[i].from, rows[i].count);
        assert_int_equal (
            wire_leaves_from_read (ask (HQ, WIRE_LEAVES, &frame), &from, &e),
            0);
        buf_free (&frame);
        assert_int_equal (from, rows[i].from);
        assert_int_equal (job->reply_count, 2);
        assert_int_equal (job->reply[1].size, rows[i].want * HASH_SIZE);
        if (rows[i].want)
            assert_memory_equal (job->reply[1].data,
                                 leaves.data + rows[i].from * HASH_SIZE,
                                 job->reply[1].size);
    }
    buf_free (&leaves);
    struct buf frame = { 0 };
    wire_range_write (&frame, 0, LEAVES_MAX + 1);
    ask (HQ, WIRE_LEAVES, &frame);
    buf_free (&frame);
    check_error ("too many leaves", RULE_MALFORMED);
}

static void test_status (void **state) {
    (void) state;
    struct error e;
    (void) state_hello_heard (stage->state, HQ);
    struct slice map = ask (HQ, WIRE_STATUS, NULL);
    assert_int_equal (mp_check (map, &e), 0); /* canonical: keys ascend */
    struct mp in;
    mp_start (&in, map);
    const struct {
        const char *key;
        int64_t want;
    } rows[] = { { "size", 23 },
                 { "settled", 0 },
                 { "checkpoint", 0 },
                 { "witnesses",
                   (int64_t) roster_witnesses (stage->cast.roster) },
                 { "witnesses_heard", 1 } };
    size_t seen = 0;
    for (size_t n = mp_map (&in, 0, 64); n > 0; n--) {
        struct slice key = mp_str (&in, 1, 32);
        size_t row = 0;
        while (row < 5 && !slice_is (key, rows[row].key))
            row++;
        if (row == 5) {
            mp_any (&in);
            continue;
        }
        assert_int_equal (mp_int (&in, 0, NUMBER_MAX), rows[row].want);
        seen++;
    }
    assert_int_equal (seen, 5);
}

/* The thread */

static void collect (void *arg, struct job *done) {
    assert_int_equal (queue_put_wait (arg, done), 0);
}

static void test_thread (void **state) {
    (void) state;
    struct error e;
    struct queue *done = queue_new (1);
    struct fetch *fetch = fetch_new (stage->state, NULL, 1, collect, done, &e);
    assert_non_null (fetch);
    job->head.type = WIRE_STATUS;
    assert_int_equal (fetch_put (fetch, job), 0);
    assert_ptr_equal (queue_take_wait (done, -1), job);
    assert_int_equal (job->reply_type, WIRE_STATUS + WIRE_REPLY);
    fetch_destroy (&fetch);
    fetch_destroy (&fetch);
    queue_destroy (&done);
}

/* Its record is there, and it is not in force yet. */
static void test_roster_comes (void **state) {
    (void) state;
    struct error e;
    char dialogue[HASH_TEXT_MAX];
    check_fetch (HQ, "$log", 1, -1, 1 << 20, "last 2: 1-2");
    struct roster *now = state_roster (stage->state, NULL);
    struct roster *next = fixture_read (
        fixture_next (now, core (ONE)),
        hash_text (dialogue, &stage->cast.dialogue), "EUROPOL FRONTEX", &e);
    assert_non_null (next);
    stage_roster_block (stage, next, NULL);
    check_fetch (HQ, "$log", 1, -1, 1 << 20, "last 2: 1-2");
    check_fetch (HQ, "$log", 3, -1, 1 << 20, "last 2:");
    assert_int_equal (state_add_roster (stage->state, next, stage->roster, &e),
                      0);
    check_fetch (HQ, "$log", 1, -1, 1 << 20, "last 4: 1-2 3-4");
    roster_unref (&next);
    roster_unref (&now);
}

#define CASE(f, s) cmocka_unit_test_setup_teardown (f, s, teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_malformed, setup),   CASE (test_names, setup),
        CASE (test_ranges, setup),      CASE (test_rights, setup),
        CASE (test_budget, setup_all),  CASE (test_budget_limit, setup),
        CASE (test_items_limit, setup), CASE (test_streams, setup_all),
        CASE (test_roster, setup_all),  CASE (test_leaves, setup_all),
        CASE (test_status, setup_all),  CASE (test_thread, setup_all),
        CASE (test_rights_gone, setup), CASE (test_closed_limit, setup),
        CASE (test_damage, setup_all),  CASE (test_roster_comes, setup),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
