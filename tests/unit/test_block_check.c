/* block_check: each rule on what records say together, broken once. */
#include "block_fixture.h"

#define N16 "00112233445566778899aabbccddeeff"
#define BIN64 "c440" N16 N16 N16 N16
#define VIA_FRONTEX "93aa46524f4e5445582f6871c4080102030405060708" BIN64
#define VIA_HQ "93aa4555524f504f4c2f6871c4080102030405060708" BIN64

static struct cast cast;

static int begin (void **state) {
    (void) state;
    cast_begin (&cast);
    return 0;
}

static int end (void **state) {
    (void) state;
    cast_end (&cast);
    return 0;
}

/* 0-2: whole; 3: an erasure; 4, 5: 1 and 2 of five, ids; 6, 7: 3 and 4 of six,
 * paths, handed in. */
static struct build *words (void) {
    struct build *b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 3, 0, 3, RUN_WHOLE, 0);
    build_erasure (b);
    build_batch (b, &cast, cast.ec3, NULL, 5, 1, 3, RUN_MISSING, 0);
    build_batch (b, &cast, cast.hq, cast.frontex, 6, 3, 5, RUN_PATHS, 0);
    return b;
}

static struct build *news (void) {
    struct build *b = build_new (CHANNEL_LOG);
    build_roster (b, cast.roster);
    build_mark (b, cast.roster);
    build_mark (b, cast.roster);
    return b;
}

static enum err check (const struct build *b, struct block_facts *facts,
                       struct error *e) {
    struct buf octets = { 0 };
    struct block block;
    build_finish (b, &octets);
    enum err rc = block_read (buf_slice (&octets), &block, e);
    if (rc)
        fail_msg ("the block itself: %s", e->text);
    rc = block_check (&block, facts, e);
    facts->channel = (struct slice){ 0 }; /* of the block */
    buf_free (&octets);
    return rc;
}

static void test_good (void **state) {
    (void) state;
    struct build *all[] = { words(), news(), build_new ("@EUROPOL+FRONTEX") };
    build_batch (all[2], &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    for (size_t i = 0; i < 3; i++) {
        struct block_facts facts;
        struct error e = { 0 };
        if (check (all[i], &facts, &e))
            fail_msg ("%zu: %s", i, e.text);
        assert_int_equal (facts.first_channel_sequence, 7);
        assert_int_equal (facts.roster, i == 1 ? BUILD_FIRST : 3);
        assert_int_equal (facts.epoch, 1);
        assert_true (facts.first_time == BUILD_TIME);
        assert_int_equal (facts.last_time - BUILD_TIME,
                          (all[i]->count - 1) / 2);
        assert_int_equal (facts.newer, 0);
        build_free (all[i]);
    }
}

/* An element of one record. w: words, n: news. */
static const struct {
    char which;
    size_t item, element;
    const char *hex;
    enum err code;
} broken[] = {
    { 'w', 0, 2, "15", ERR_CHAIN },         /* sequence one above */
    { 'w', 3, 2, "16", ERR_CHAIN },         /* one below */
    { 'w', 3, 3, "00", ERR_CHAIN },         /* log time goes back */
    { 'w', 1, 4, "02", ERR_CHAIN },         /* epoch */
    { 'w', 3, 5, "04", ERR_CHAIN },         /* roster */
    { 'w', 3, 6, "a4616c6c73", ERR_CHAIN }, /* channel */
    { 'w', 3, 7, "0b", ERR_CHAIN },         /* channel sequence */
    { 'w', 3, 7, "09", ERR_CHAIN },
    { 'n', 1, 7, "07", ERR_CHAIN },
    { 'w', 0, 6, "a4616c6c73", ERR_MALFORMED }, /* not the topic's channel */
    { 'w', 1, 9, VIA_FRONTEX, ERR_MALFORMED },  /* via of one in a run */
    { 'w', 0, 9, VIA_HQ, ERR_MALFORMED },       /* author and submitter */
    { 'w', 7, 9, "c0", ERR_MALFORMED },         /* no via of one */
    { 'w', 7, 9, VIA_FRONTEX, ERR_MALFORMED },  /* another via */
    { 'w', 1, 11, "04", ERR_MALFORMED },        /* batch size of one */
    { 'w', 2, 13, BIN64, ERR_MALFORMED },       /* signature of one */
    { 'w', 2, 12, "01", ERR_MALFORMED },        /* indexes 0, 1, 1 */
    { 'w', 1, 12, "00", ERR_MALFORMED },        /* 0, 0, 2 */
    { 'w', 0, 10, "c40190", ERR_MALFORMED },    /* no header */
    { 'w', 3, 10, "c40190", ERR_MALFORMED },    /* no order */
    { 'n', 0, 10, "c40190", ERR_MALFORMED },    /* no roster */
    { 'n', 1, 10, "c40190", ERR_MALFORMED },    /* no mark */
    { 'w', 0, 14, "c0", ERR_MALFORMED },        /* no record */
    { 'n', 1, 14, "c0", ERR_MALFORMED },
};

static void test_elements (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct build *b = broken[i].which == 'w' ? words() : news();
        struct block_facts facts;
        struct error e = { 0 };
        char where[32];
        record_put (&b->items[broken[i].item].record, broken[i].element,
                    broken[i].hex);
        enum err rc = check (b, &facts, &e);
        snprintf (where, sizeof where,
                  "record %zu: ", BUILD_FIRST + broken[i].item);
        if (rc != broken[i].code || e.code != rc
            || strncmp (e.text, where, strlen (where)) != 0)
            fail_msg ("row %zu: %s '%s'", i, error_name (rc), e.text);
        build_free (b);
    }
}

/* What stands beside the records. */
static void body_other (struct build *b) {
    b->items[1].body.data[0] ^= 1;
}
static void body_longer (struct build *b) {
    buf_add_u8 (&b->items[1].body, 0);
}
static void body_absent_longer (struct build *b) {
    b->items[1].state = BODY_ABSENT;
    buf_add_u8 (&b->items[1].body, 0);
}
static void body_erased_shorter (struct build *b) {
    b->items[1].state = BODY_ERASED;
    b->items[1].body.size--;
}
static void body_none (struct build *b) {
    b->items[1].state = BODY_NONE;
}
static void order_other (struct build *b) {
    b->items[3].body.data[0] ^= 1;
}
static void order_erased (struct build *b) {
    b->items[3].state = BODY_ERASED;
}
static void order_none (struct build *b) {
    b->items[3].state = BODY_NONE;
}
static void roster_other (struct build *b) {
    b->items[0].body.data[700] ^= 1;
}
static void roster_erased (struct build *b) {
    b->items[0].state = BODY_ERASED;
}
static void mark_body (struct build *b) {
    b->items[1].state = BODY_PRESENT;
    buf_add_u8 (&b->items[1].body, 0);
}
static void mark_absent (struct build *b) {
    b->items[1].state = BODY_ABSENT;
    buf_add_u8 (&b->items[1].body, 0);
}
static void message_outside (struct build *b) {
    b->items[0].run = -1;
}
static void erasure_inside (struct build *b) {
    b->items[3].run = 0;
}
static void mark_inside (struct build *b) {
    b->items[1].run = 0;
}
static void whole_lacks_one (struct build *b) {
    b->items[2].run = 3; /* a run of its own, whole */
}
static void whole_of_two (struct build *b) {
    b->items[4].run = b->items[5].run = 2; /* with the run behind */
}
static void missing_lacks_one (struct build *b) {
    b->runs[1].count--;
}
static void missing_too_many (struct build *b) {
    b->runs[1].count++;
}
static void paths_lack_one (struct build *b) {
    b->runs[2].count--;
}
static void paths_too_many (struct build *b) {
    b->runs[2].count++;
}
static void whole_has_ids (struct build *b) {
    b->runs[0].kind = RUN_MISSING;
    b->runs[0].count = 1;
}
/* The header of item 1 made anew for its body. */
static void header_of (struct build *b, const char *author, int key,
                       const char *topic) {
    struct message_draft draft = {
        .dialogue = &cast.dialogue,
        .author = author,
        .key_id = identity_key_id (key ? cast.ec3 : cast.hq, LABEL_BATCH),
        .roster_version = 1,
        .number = 1,
        .topic = slice_text (topic),
        .body_format = BODY_TEXT,
    };
    struct buf header = { 0 }, bin = { 0 };
    struct error e;
    assert_int_equal (message_write_header (
                          &draft, buf_slice (&b->items[1].body), &header, &e),
                      0);
    mp_put_bin (&bin, header.data, header.size);
    char *hex = mem_alloc (HEX_SIZE (bin.size));
    record_put (&b->items[1].record, 10, hex_encode (hex, bin.data, bin.size));
    free (hex);
    buf_free (&header);
    buf_free (&bin);
}
static void other_author (struct build *b) {
    header_of (b, "EUROPOL/ec3", 0, "all/x");
}
static void other_key (struct build *b) {
    header_of (b, "EUROPOL/hq", 1, "all/x");
}
static void other_channel (struct build *b) {
    header_of (b, "EUROPOL/hq", 0, "call/x");
}
static void other_topic (struct build *b) {
    header_of (b, "EUROPOL/hq", 0, "all/x");
}

static const struct {
    void (*change) (struct build *b);
    char which;
    enum err code;
} beside[] = {
    { body_other, 'w', ERR_DIGEST },
    { body_longer, 'w', ERR_DIGEST },
    { body_absent_longer, 'w', ERR_DIGEST },
    { body_erased_shorter, 'w', ERR_DIGEST },
    { body_none, 'w', ERR_DIGEST },
    { order_other, 'w', ERR_DIGEST },
    { order_erased, 'w', ERR_MALFORMED },
    { order_none, 'w', ERR_DIGEST },
    { roster_other, 'n', ERR_DIGEST },
    { roster_erased, 'n', ERR_MALFORMED },
    { mark_body, 'n', ERR_DIGEST },
    { mark_absent, 'n', ERR_DIGEST },
    { message_outside, 'w', ERR_MALFORMED },
    { erasure_inside, 'w', ERR_MALFORMED },
    { mark_inside, 'n', ERR_MALFORMED },
    { whole_lacks_one, 'w', ERR_MALFORMED },
    { whole_of_two, 'w', ERR_MALFORMED },
    { missing_lacks_one, 'w', ERR_MALFORMED },
    { missing_too_many, 'w', ERR_MALFORMED },
    { paths_lack_one, 'w', ERR_MALFORMED },
    { paths_too_many, 'w', ERR_MALFORMED },
    { whole_has_ids, 'w', ERR_MALFORMED },
    { other_author, 'w', ERR_MALFORMED },
    { other_key, 'w', ERR_MALFORMED },
    { other_channel, 'w', ERR_MALFORMED },
    { other_topic, 'w', ERR_NONE },
};

static void test_beside (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        struct build *b = beside[i].which == 'w' ? words() : news();
        struct block_facts facts;
        struct error e = { 0 };
        beside[i].change (b);
        enum err rc = check (b, &facts, &e);
        if (rc != beside[i].code || e.code != rc
            || (rc && strncmp (e.text, "record 2", 8) != 0))
            fail_msg ("row %zu: %s '%s'", i, error_name (rc), e.text);
        build_free (b);
    }
}

/* A body that is not there is no fault; a roster's note may be fetched later. */
static void test_without_bodies (void **state) {
    (void) state;
    struct build *w = words(), *n = news();
    struct block_facts facts;
    struct error e = { 0 };
    for (size_t i = 0; i < w->count; i++)
        w->items[i].state = i % 2 == 0 ? BODY_ERASED : BODY_ABSENT;
    n->items[0].state = BODY_ABSENT;
    if (check (w, &facts, &e) || check (n, &facts, &e))
        fail_msg ("%s", e.text);
    build_free (w);
    build_free (n);
}

#define NEWER_HEADER "c403919102" /* [[2]] */

/* Of which record; and, of those that stand in a run, of its neighbours too. */
static const struct {
    size_t item, element;
    const char *hex;
    size_t first, last; /* items that get it */
} newer[] = {
    { 0, 0, "02", 0, 2 }, /* format 2: a whole run */
    { 6, 0, "02", 6, 7 }, /* with paths */
    { 4, 14, "810200", 4, 5 },
    { 3, 0, "02", 3, 3 }, /* outside of one */
    { 3, 1, "04", 3, 3 }, /* type 4 */
    { 3, 14, "810200", 3, 3 },
    { 0, 10, NEWER_HEADER, 0, 0 }, /* a header's: beside others */
    { 5, 10, NEWER_HEADER, 5, 5 },
    { 7, 10, NEWER_HEADER, 7, 7 },
};

static void test_newer (void **state) {
    (void) state;
    struct block_facts facts;
    struct error e = { 0 };
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
        struct build *b = words();
        for (size_t n = newer[i].first; n <= newer[i].last; n++)
            record_put (&b->items[n].record, newer[i].element, newer[i].hex);
        if (check (b, &facts, &e))
            fail_msg ("row %zu: %s", i, e.text);
        assert_int_equal (facts.newer, 1 + newer[i].last - newer[i].first);
        /* Its place is judged all the same. */
        record_put (&b->items[newer[i].item].record, 7, "20");
        assert_int_equal (check (b, &facts, &e), ERR_CHAIN);
        build_free (b);
    }
}

/* One of a newer form beside ours in a run, and what is no message in one. */
static void test_mixed_runs (void **state) {
    (void) state;
    static const size_t runs[] = { 0, 1, 2, 4, 5, 6, 7 };
    static const struct {
        size_t element;
        const char *hex;
    } rows[] = { { 0, "02" }, { 14, "810200" }, { 1, "04" } };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        for (size_t j = 0; j < 3; j++) {
            struct block_facts facts;
            struct error e = { 0 };
            struct build *b = words();
            record_put (&b->items[runs[i]].record, rows[j].element,
                        rows[j].hex);
            if (check (b, &facts, &e) != ERR_MALFORMED)
                fail_msg ("item %zu, row %zu: %s", runs[i], j, e.text);
            build_free (b);
        }
    /* What stands beside a newer header agrees in all that a record says. */
    static const struct {
        size_t element;
        const char *hex;
    } same[] = { { 11, "04" }, { 12, "00" }, { 13, BIN64 }, { 9, VIA_HQ } };
    for (size_t j = 0; j < sizeof same / sizeof *same; j++) {
        struct block_facts facts;
        struct error e = { 0 };
        struct build *b = words();
        record_put (&b->items[1].record, 10, NEWER_HEADER);
        record_put (&b->items[1].record, same[j].element, same[j].hex);
        assert_int_equal (check (b, &facts, &e), ERR_MALFORMED);
        build_free (b);
    }
}

/* In every format of the records. */
static void test_mark_due (void **state) {
    (void) state;
    static const struct {
        size_t element;
        const char *hex;
        enum err code;
    } rows[] = { { 1, "04", ERR_CHAIN },
                 { 1, "04", ERR_CHAIN },
                 { 0, "02", ERR_NONE },
                 { 14, "810200", ERR_NONE } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct build *b = news();
        struct block_facts facts;
        struct error e = { 0 };
        record_put (&b->items[1].record, rows[i].element, rows[i].hex);
        if (i == 1) /* of a newer form all in all */
            record_put (&b->items[1].record, 0, "02");
        if (check (b, &facts, &e) != rows[i].code)
            fail_msg ("row %zu: %s", i, e.text);
        assert_true (!rows[i].code
                     || strstr (e.text, "where a mark has to stand"));
        build_free (b);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_elements),
        cmocka_unit_test (test_beside),
        cmocka_unit_test (test_without_bodies),
        cmocka_unit_test (test_newer),
        cmocka_unit_test (test_good),
        cmocka_unit_test (test_mixed_runs),
        cmocka_unit_test (test_mark_due),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
