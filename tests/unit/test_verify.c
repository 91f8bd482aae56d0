/* verify: form, place and proof of a block, each broken once. */
#include "block_fixture.h"
#include "link/verify.h"

#define ROSTER_AT 3 /* the sequence of the cast's roster in the tests' chain */

struct scene {
    struct cast cast;
    struct roster_chain *chain;
};

static int scene_begin (void **state) {
    struct scene *self = mem_alloc (sizeof *self);
    struct error e = { 0 };
    cast_begin (&self->cast);
    self->chain = roster_chain_new();
    assert_int_equal (
        roster_chain_add (self->chain, self->cast.roster, ROSTER_AT, &e), 0);
    *state = self;
    return 0;
}

static int scene_end (void **state) {
    struct scene *self = *state;
    roster_chain_destroy (&self->chain);
    cast_end (&self->cast);
    free (self);
    return 0;
}

static struct buf block_of (const struct scene *scene, const char *channel,
                            size_t count) {
    struct build *build = build_new (channel);
    struct buf out = { 0 };
    build_batch (build, &scene->cast, scene->cast.hq, NULL, count, 0, count,
                 RUN_WHOLE, 0);
    build_finish (build, &out);
    build_free (build);
    return out;
}

static enum verify_verdict form (struct slice octets, const char *stream,
                                 int64_t first, int64_t count,
                                 struct block *block, struct block_facts *facts,
                                 struct error *e) {
    struct verify_place place = { slice_text (stream), first, count };
    *e = (struct error){ 0 };
    return verify_form (octets, &place, block, facts, e);
}

static void test_place (void **state) {
    struct scene *scene = *state;
    /* The fixture's channel sequences begin at 7. */
    static const struct {
        const char *channel, *stream;
        int64_t first, count;
        enum verify_verdict verdict;
        const char *says;
    } rows[] = {
        { "all", "all", 7, 2, VERIFY_FINE, "" },
        { "all", "all", 7, -1, VERIFY_FINE, "" },
        { "all", "all", 6, 2, VERIFY_BAD, "number 7 of 'all', announced as 6" },
        { "all", "all", 7, 3, VERIFY_BAD, "2 records, but 3 were announced" },
        { "all", "core", 7, 2, VERIFY_BAD, "channel 'all' in stream 'core'" },
        { "all", "$log", 7, 2, VERIFY_BAD, "in stream '$log'" },
        { "all", "@EUROPOL", 7, 2, VERIFY_BAD, "in stream '@EUROPOL'" },
        { "@EUROPOL+FRONTEX", "@FRONTEX", 1, 2, VERIFY_FINE, "" },
        { "@EUROPOL+FRONTEX", "@EUROPOL", 900, -1, VERIFY_FINE, "" },
        { "@EUROPOL+FRONTEX", "@UNODC", 7, 2, VERIFY_BAD,
          "in stream '@UNODC'" },
        { "@EUROPOL+FRONTEX", "@EURO", 7, 2, VERIFY_BAD, "in stream '@EURO'" },
        { "@EUROPOL+FRONTEX", "all", 7, 2, VERIFY_BAD, "in stream 'all'" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf octets = block_of (scene, rows[i].channel, 2);
        struct block block;
        struct block_facts facts;
        struct error e;
        enum verify_verdict verdict =
            form (buf_slice (&octets), rows[i].stream, rows[i].first,
                  rows[i].count, &block, &facts, &e);
        if (verdict != rows[i].verdict || !strstr (e.text, rows[i].says))
            fail_msg ("row %zu: %d \"%s\"", i, (int) verdict, e.text);
        if (verdict == VERIFY_BAD)
            assert_non_null (strstr (e.text, "block of record 20"));
        buf_free (&octets);
    }
}

/* Every octet that is changed, and every length that is short, is seen. */
static void test_damage (void **state) {
    struct scene *scene = *state;
    struct buf octets = block_of (scene, "all", 2);
    struct block block;
    struct block_facts facts;
    struct error e;
    for (size_t i = 0; i < octets.size; i++) {
        octets.data[i] ^= 0x20;
        enum verify_verdict verdict =
            form (buf_slice (&octets), "all", 7, 2, &block, &facts, &e);
        if (verdict == VERIFY_FINE
            || (verdict == VERIFY_NEWER && i != 8 && i != 9))
            fail_msg ("octet %zu: %d", i, (int) verdict);
        octets.data[i] ^= 0x20;
    }
    for (size_t size = 0; size < octets.size; size++)
        assert_int_equal (form (slice_of (octets.data, size), "all", 7, 2,
                                &block, &facts, &e),
                          VERIFY_BAD);
    buf_free (&octets);
}

/* A body that is not there is held back; one that is erased may be. */
static void test_bodies (void **state) {
    struct scene *scene = *state;
    static const struct {
        enum body_state state;
        enum verify_verdict verdict;
    } rows[] = { { BODY_PRESENT, VERIFY_FINE },
                 { BODY_ERASED, VERIFY_FINE },
                 { BODY_ABSENT, VERIFY_BAD } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct build *build = build_new ("all");
        struct buf octets = { 0 };
        struct block block;
        struct block_facts facts;
        struct error e;
        build_batch (build, &scene->cast, scene->cast.hq, NULL, 2, 0, 2,
                     RUN_WHOLE, 0);
        build->items[1].state = rows[i].state;
        build_finish (build, &octets);
        build_free (build);
        assert_int_equal (
            form (buf_slice (&octets), "all", 7, 2, &block, &facts, &e),
            rows[i].verdict);
        assert_true (rows[i].verdict == VERIFY_FINE
                     || strstr (e.text, "record 21 comes without its body"));
        buf_free (&octets);
    }
}

static enum verify_verdict judge (const struct scene *scene,
                                  struct slice octets, const char *channel,
                                  struct error *e) {
    struct block block;
    struct block_facts facts;
    assert_int_equal (form (octets, channel, 7, -1, &block, &facts, e),
                      VERIFY_FINE);
    return verify_judge (&block, &facts, &scene->cast.dialogue, scene->chain,
                         e);
}

static void test_judge (void **state) {
    struct scene *scene = *state;
    struct cast *cast = &scene->cast;
    const struct {
        const char *channel;
        int64_t roster;
        const struct identity *author, *submitter;
        enum verify_verdict verdict;
        const char *says;
    } rows[] = {
        { "all", ROSTER_AT, cast->hq, NULL, VERIFY_FINE, "" },
        { "all", ROSTER_AT, cast->hq, cast->frontex, VERIFY_FINE, "" },
        { "core", ROSTER_AT, cast->frontex, NULL, VERIFY_BAD, "record 20" },
        { "all", 9, cast->hq, NULL, VERIFY_WAITS, "record 9 is not known" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct build *build = build_new (rows[i].channel);
        struct buf octets = { 0 };
        struct error e;
        build->roster = rows[i].roster;
        build_batch (build, cast, rows[i].author, rows[i].submitter, 2, 0, 2,
                     RUN_WHOLE, 0);
        build_finish (build, &octets);
        build_free (build);
        enum verify_verdict verdict =
            judge (scene, buf_slice (&octets), rows[i].channel, &e);
        if (verdict != rows[i].verdict || !strstr (e.text, rows[i].says))
            fail_msg ("row %zu: %d \"%s\"", i, (int) verdict, e.text);
        buf_free (&octets);
    }
}

/* A newer roster that stood there already; one that comes behind it. */
static void test_in_force (void **state) {
    struct scene *scene = *state;
    struct error e = { 0 };
    char dialogue[HASH_TEXT_MAX];
    struct roster *next = fixture_read (
        fixture_next (scene->cast.roster, cast_document (&scene->cast)),
        hash_text (dialogue, &scene->cast.dialogue), "EUROPOL FRONTEX", &e);
    assert_non_null (next);
    static const struct {
        int64_t place;
        enum verify_verdict verdict;
    } rows[] = { { BUILD_FIRST - 1, VERIFY_BAD },
                 { BUILD_FIRST + 1, VERIFY_BAD },
                 { BUILD_FIRST + 2, VERIFY_FINE } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene other = { .cast = scene->cast,
                               .chain = roster_chain_new() };
        assert_int_equal (
            roster_chain_add (other.chain, scene->cast.roster, ROSTER_AT, &e),
            0);
        assert_int_equal (
            roster_chain_add (other.chain, next, rows[i].place, &e), 0);
        struct buf octets = block_of (scene, "all", 2);
        assert_int_equal (judge (&other, buf_slice (&octets), "all", &e),
                          rows[i].verdict);
        if (rows[i].verdict == VERIFY_BAD)
            assert_non_null (strstr (e.text, "was not in force"));
        buf_free (&octets);
        roster_chain_destroy (&other.chain);
    }
    roster_unref (&next);
}

/* A roster that ends a block: the next one begins with its mark. */
static void test_mark_behind (void **state) {
    struct scene *scene = *state;
    struct error e = { 0 };
    for (int marked = 0; marked < 2; marked++) {
        struct scene other = { .cast = scene->cast,
                               .chain = roster_chain_new() };
        assert_int_equal (roster_chain_add (other.chain, scene->cast.roster,
                                            BUILD_FIRST - 1, &e),
                          0);
        const char *channel = marked ? CHANNEL_LOG : "all";
        struct build *build = build_new (channel);
        struct buf octets = { 0 };
        build->roster = BUILD_FIRST - 1;
        if (marked)
            build_mark (build, scene->cast.roster);
        else
            build_batch (build, &scene->cast, scene->cast.hq, NULL, 1, 0, 1,
                         RUN_WHOLE, 0);
        build_finish (build, &octets);
        build_free (build);
        assert_int_equal (judge (&other, buf_slice (&octets), channel, &e),
                          marked ? VERIFY_FINE : VERIFY_BAD);
        assert_true (marked || strstr (e.text, "no mark stands behind it"));
        buf_free (&octets);
        roster_chain_destroy (&other.chain);
    }
}

static void test_roster_note (void **state) {
    struct scene *scene = *state;
    struct build *build = build_new (CHANNEL_LOG);
    struct buf octets = { 0 };
    struct block block;
    struct block_facts facts;
    struct error e;
    build_roster (build, scene->cast.roster);
    build_mark (build, scene->cast.roster);
    build_finish (build, &octets);
    build_free (build);
    assert_int_equal (
        form (buf_slice (&octets), "$log", 7, 2, &block, &facts, &e),
        VERIFY_FINE);
    assert_true (slice_equal (verify_roster_note (&block, &facts),
                              roster_octets (scene->cast.roster)));
    buf_free (&octets);

    build = build_new (CHANNEL_LOG);
    build_mark (build, scene->cast.roster);
    build_finish (build, &octets);
    build_free (build);
    assert_int_equal (
        form (buf_slice (&octets), "$log", 7, 1, &block, &facts, &e),
        VERIFY_FINE);
    assert_int_equal (verify_roster_note (&block, &facts).size, 0);
    buf_free (&octets);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_place),
        cmocka_unit_test (test_damage),
        cmocka_unit_test (test_bodies),
        cmocka_unit_test (test_judge),
        cmocka_unit_test (test_in_force),
        cmocka_unit_test (test_roster_note),
        cmocka_unit_test (test_mark_behind),
    };
    return cmocka_run_group_tests (tests, scene_begin, scene_end);
}
