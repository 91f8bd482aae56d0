/* What bodies say of overlaps: whose word counts, and how long it stands. */
#include "subject_fixture.h"

#define SAYS(says, of)                                                         \
    "{'format':1,'a':'EUROPOL-p#A1','b':'FRONTEX-p#A1','says':'" says          \
    "','a_of':" of ",'b_of':11,'reason':'because'}"

/* Two bodies; EUROPOL names FRONTEX as partner: claimed. */
static void plans_fill (void) {
    line_plan (10, "all", "EUROPOL-p",
               ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX']"));
    line_plan (11, "all", "FRONTEX-p", ACTION ("A1", "FRONTEX", ""));
}

static void say (int64_t sequence, const char *author, const char *channel,
                 const char *text) {
    char topic[TOPIC_MAX + 1];
    snprintf (topic, sizeof topic, "%s/overlap/%.*s", channel,
              (int) strcspn (author, "/"), author);
    line_add (sequence, author, topic, text);
}

/* The one overlap that there is. */
static struct overlap overlap_of (const struct model *model) {
    struct overlap_query query = { .limit = 10 };
    struct overlap_answer answer = { 0 };
    overlaps_find (model_overlaps (model), &query, &answer);
    assert_int_equal (answer.count, 1);
    struct overlap out = answer.at[0];
    overlap_answer_free (&answer);
    return out;
}

#define ROOM 8

/* "EUROPOL=1 FRONTEX=0 ": who says something, and whether it stands. */
static void assert_said (const struct model *model, const char *want) {
    struct model_statement said[ROOM];
    struct overlap pair = overlap_of (model);
    struct buf text = { 0 };
    size_t count = model_statements (model, &pair, said, ROOM);
    for (size_t i = 0; i < count; i++)
        buf_add_format (&text, "%s%s=%d ", said[i].entity,
                        said[i].own ? "!" : "", said[i].stands);
    char *got = buf_take_text (&text);
    assert_string_equal (got, want);
    free (got);
}

static void assert_lines (const char *want, bool folded) {
    size_t order[LINES_MAX];
    uint64_t seed = 11;
    for (int round = 0; round < 12; round++) {
        shuffle (order, line_count, &seed);
        struct model *model =
            model_of (round ? order : NULL, 1 + (size_t) round % 3);
        assert_said (model, want);
        struct overlap pair = overlap_of (model);
        assert_int_equal (model_folded (model, &pair), folded);
        model_destroy (&model);
    }
}

/* Confirming is for the one that is named. */
static void test_whose (void **state) {
    (void) state;
    plans_fill();
    assert_lines ("", false);
    say (20, "EUROPOL/hq", "all", SAYS ("confirm", "10"));
    assert_lines ("", false);
    say (21, "UNODC/hq", "all", SAYS ("deny", "10"));
    assert_lines ("", false);
    say (22, "FRONTEX/hq", "all", SAYS ("confirm", "10"));
    assert_lines ("FRONTEX=1 ", false);
    say (23, "FRONTEX/hq", "all", SAYS ("retract", "10"));
    assert_lines ("", false);
    /* In another's name, or of no action: quarantined. */
    line_add (24, "FRONTEX/hq", "all/overlap/EUROPOL",
              SAYS ("not-overlap", "10"));
    say (25, "FRONTEX/hq", "all", "{'format':1,'says':'deny'}");
    assert_lines ("", false);
}

static void test_not_overlap (void **state) {
    (void) state;
    plans_fill();
    say (20, "UNODC/hq", "all", SAYS ("not-overlap", "10"));
    assert_lines ("UNODC=1 ", false);
    say (21, "EUROPOL/hq", "@EUROPOL", SAYS ("not-overlap", "10"));
    assert_lines ("UNODC=1 EUROPOL!=1 ", true);
    say (22, "EUROPOL/ec3", "all", SAYS ("retract", "10"));
    assert_lines ("UNODC=1 ", false);
}

/* It stands until one of the actions is another in what it rests on. */
static void test_stands (void **state) {
    (void) state;
    plans_fill();
    say (20, "EUROPOL/hq", "all", SAYS ("not-overlap", "10"));
    /* Another title is no change; a new revision all the same. */
    line_plan (
        30, "all", "EUROPOL-p",
        ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX'],'x-note':'new'"));
    assert_lines ("EUROPOL=1 ", true);
    line_plan (40, "all", "EUROPOL-p",
               ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX','UNODC']"));
    assert_lines ("EUROPOL=0 ", false);
    /* Said of the revision before, after it was revised. */
    say (41, "EUROPOL/hq", "all", SAYS ("not-overlap", "30"));
    assert_lines ("EUROPOL=0 ", false);
    say (42, "EUROPOL/hq", "all", SAYS ("not-overlap", "40"));
    assert_lines ("EUROPOL=1 ", true);
    say (43, "EUROPOL/hq", "all", SAYS ("not-overlap", "39")); /* no record */
    assert_lines ("EUROPOL=0 ", false);
}

/* An annex is part of the action. */
static void test_annex (void **state) {
    (void) state;
    plans_fill();
    say (20, "EUROPOL/hq", "all", SAYS ("not-overlap", "10"));
    line_add (30, "EUROPOL/hq", "core/annex/EUROPOL/EUROPOL-p",
              "{'format':1,'annex':'x','plan':'EUROPOL-p','entity':'EUROPOL',"
              "'adds':{'A1':{'co_leads':['UNODC']}}}");
    assert_lines ("EUROPOL=0 ", false);
    say (31, "EUROPOL/hq", "all", SAYS ("not-overlap", "10"));
    assert_lines ("EUROPOL=1 ", true);
}

/* At a mark, what came behind it was not said. */
static void test_mark (void **state) {
    (void) state;
    struct model_digests before, after, again;
    plans_fill();
    struct model *model = model_of (NULL, 1);
    model_digest (model, 50, 1780000000000, &before);
    say (20, "EUROPOL/hq", "all", SAYS ("not-overlap", "10"));
    model_give (model, 2);
    model_settle (model);
    model_digest (model, 15, 1780000000000, &again);
    assert_memory_equal (&before, &again, sizeof before);
    model_digest (model, 50, 1780000000000, &after);
    assert_false (hash_equal (&before.overlaps, &after.overlaps));
    assert_true (hash_equal (&before.plans, &after.plans));
    struct overlap pair = overlap_of (model);
    assert_true (model_folded (model, &pair));
    model_forget (model, "all");
    model_destroy (&model);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_whose, ledger_clear),
        cmocka_unit_test_teardown (test_not_overlap, ledger_clear),
        cmocka_unit_test_teardown (test_stands, ledger_clear),
        cmocka_unit_test_teardown (test_annex, ledger_clear),
        cmocka_unit_test_teardown (test_mark, ledger_clear),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
