/* Digests: the same for the same records, another one for each thing that was
 * derived otherwise, and those of a mark as if nothing had come behind it. */
#include "subject_fixture.h"

#define TIME INT64_C (1780000000000) /* 2026-05-28 */

static void fill (void) {
    line_plan (10, "all", "EUROPOL-p",
               ACTION ("A1", "EUROPOL",
                       ",'milestones':[{'id':'M1','title':'One',"
                       "'due':'2026-05-28'}]"));
    line_plan (11, "all", "FRONTEX-p", ACTION ("A1", "FRONTEX", ""));
    line_add (12, "EUROPOL/hq", "all/plan/EUROPOL/EUROPOL-p", "{'format':1}");
    line_add (13, "EUROPOL/hq", "core/annex/EUROPOL/EUROPOL-p",
              "{'format':1,'annex':'x','plan':'EUROPOL-p','entity':'EUROPOL',"
              "'adds':{'A1':{'partners':['FRONTEX']}}}");
    line_add (14, "FRONTEX/hq", "all/report/EUROPOL/EUROPOL-p",
              "{'format':1,'report':'EUROPOL-p','action':'A1',"
              "'period':{'from':'2026-03','to':'2026-04'},'status':'done'}");
    line_add (15, "FRONTEX/hq", "all/overlap/FRONTEX",
              "{'format':1,'a':'EUROPOL-p#A1','b':'FRONTEX-p#A1',"
              "'says':'not-overlap','a_of':10,'b_of':11,'reason':'no'}");
    line_add (16, "FRONTEX/hq", "all/plan/FRONTEX/FRONTEX-p",
              "{'format':1,'withdraw':'FRONTEX-p'}");
}

static void digest (struct model *model, int64_t mark, int64_t ms,
                    struct model_digests *out) {
    model_digest (model, mark, ms, out);
}

/* At each mark of the whole: what a model of the records below it gives. */
static void test_marks (void **state) {
    (void) state;
    fill();
    struct model *whole = model_of (NULL, 1);
    struct model_digests want, got;
    for (int64_t mark = 17; mark >= 10; mark--) {
        struct model *part = model_fresh();
        for (size_t i = 0; i < line_count; i++)
            if (lines[i].origin.sequence < mark)
                model_give (part, i);
        model_settle (part);
        digest (part, mark, TIME, &want);
        digest (whole, mark, TIME, &got);
        assert_memory_equal (&want, &got, sizeof got);
        assert_int_equal (got.record_count, mark - 10);
        model_destroy (&part);
    }
    /* It is as it was. */
    assert_int_equal (model_plan_count (whole), 1);
    assert_int_equal (found (whole, "EUROPOL-p")->part_count, 1);
    model_destroy (&whole);
}

/* Each record changes something that is seen. */
static void test_each (void **state) {
    (void) state;
    fill();
    struct model *model = model_of (NULL, 1);
    struct model_digests before, after;
    static const struct {
        bool plans, overlaps, gaps;
    } want[] = { { true, false, true },  { true, true, true },
                 { true, false, false }, { true, true, false },
                 { true, false, false }, { false, true, false },
                 { true, true, true } };
    digest (model, 10, TIME, &before);
    for (size_t i = 0; i < 7; i++) {
        digest (model, 11 + (int64_t) i, TIME, &after);
        assert_false (hash_equal (&before.records, &after.records));
        assert_false (hash_equal (&before.all, &after.all));
        assert_int_equal (!hash_equal (&before.plans, &after.plans),
                          want[i].plans);
        assert_int_equal (!hash_equal (&before.overlaps, &after.overlaps),
                          want[i].overlaps);
        if (!want[i].gaps)
            assert_true (hash_equal (&before.gaps, &after.gaps));
        before = after;
    }
    model_destroy (&model);
}

/* Days decide: what is overdue, and what is live. */
static void test_days (void **state) {
    (void) state;
    fill();
    struct model *model = model_of (NULL, 1);
    struct model_digests now, next, later;
    digest (model, 16, TIME, &now);
    digest (model, 16, TIME + 86400000, &next);
    digest (model, 16, TIME + 86400000 + 1, &later);
    assert_false (hash_equal (&now.plans, &next.plans));
    assert_true (hash_equal (&now.overlaps, &next.overlaps));
    assert_memory_equal (&next, &later, sizeof next);
    digest (model, 16, TIME + INT64_C (86400000) * 365, &later);
    assert_false (hash_equal (&now.overlaps, &later.overlaps));
    model_destroy (&model);
}

/* A body that one agent has and another has not. */
static void test_absent (void **state) {
    (void) state;
    fill();
    struct model_digests with, without;
    struct model *model = model_of (NULL, 1);
    digest (model, 50, TIME, &with);
    model_destroy (&model);
    json_decref (lines[3].document);
    lines[3].document = NULL;
    lines[3].why = "its body was erased";
    lines[3].absent = true;
    model = model_of (NULL, 1);
    digest (model, 50, TIME, &without);
    assert_false (hash_equal (&with.records, &without.records));
    assert_false (hash_equal (&with.plans, &without.plans));
    model_destroy (&model);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_marks, ledger_clear),
        cmocka_unit_test_teardown (test_each, ledger_clear),
        cmocka_unit_test_teardown (test_days, ledger_clear),
        cmocka_unit_test_teardown (test_absent, ledger_clear),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
