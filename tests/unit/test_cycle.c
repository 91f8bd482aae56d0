/* cycle: the report of a period and that of overlaps, in all their forms. */
#include "subject_fixture.h"

#include "plans/csv.h"
#include "plans/cycle.h"

#include <stdlib.h>

#define PLAN "EUROPOL-p"
#define WORK                                                                   \
    ",'partners':['INTERPOL'],'milestones':["                                  \
    "{'id':'M1','title':'Early','due':'2026-03','done':'2026-04-02'},"         \
    "{'id':'M2','title':'Late','due':'2026-04-10'},"                           \
    "{'id':'M3','title':'Next','due':'2026-06'},"                              \
    "{'id':'M4','title':'Far','due':'2026-09'},"                               \
    "{'id':'M5','title':'Told','due':'2026-08'}],"                             \
    "'indicators':[{'id':'I1','title':'Seized','unit':'kg','baseline':"        \
    "{'at':'2025','value':4},'targets':[{'at':'2026-03','value':5},"           \
    "{'at':'2026-12','value':20},{'at':'2026-06','value':10}]},"               \
    "{'id':'I2','title':'Days','better':'down','targets':"                     \
    "[{'at':'2026-03','value':2.5}]},{'id':'I3','title':'None'}]"

static int32_t day (const char *text) {
    struct date date;
    assert_int_equal (date_read (slice_text (text), &date, NULL), 0);
    return date.first;
}

static void report (int64_t sequence, const char *author, const char *inner) {
    char text[500], topic[] = "all/report/EUROPOL/EUROPOL-p";
    snprintf (text, sizeof text, "{'format':1,'report':'" PLAN "',%s}", inner);
    line_add (sequence, author, topic, text);
}

static void plans_add (void) {
    line_plan (
        10, "all", PLAN,
        ACTION ("A1", "EUROPOL", WORK) "," ACTION (
            "A2", "FRONTEX",
            "") ",{'id':'A3','title':'Over','kind':'operation','priorities':"
                "['organized-crime/drugs-trafficking'],'regions':['150'],"
                "'from':'2026-03','to':'2026-03-31','lead':'EUROPOL',"
                "'status':'active'}");
    line_plan (11, "all", "AFRIPOL-q", ACTION ("A1", "AFRIPOL", ""));
    line_plan (12, "all", "AFRIPOL-r", "");
    report (20, "INTERPOL/hq",
            "'action':'A1','period':{'from':'2026-04','to':'2026-06'},"
            "'status':'delayed','indicators':[{'id':'I1','at':'2026-05',"
            "'value':11},{'id':'I2','at':'2026-05','value':3}],"
            "'milestones':[{'id':'M5','done':'2026-05-20'}],'text':'=1+1'");
    report (21, "EUROPOL/hq",
            "'action':'A1','period':{'from':'2026-01','to':'2026-03'},"
            "'status':'active','indicators':[{'id':'I1','at':'2026-02',"
            "'value':1},{'id':'I1','at':'2026-07','value':99}]");
    report (22, "UNODC/hq", /* not named */
            "'action':'A2','period':{'from':'2026-04','to':'2026-06'},"
            "'status':'done'");
}

static json_t *rows_of (const struct model *model, const char *entity,
                        const char *from, const char *to, const char *on) {
    const struct subject *subjects[8];
    size_t count = model_subject_count (model);
    struct cycle_query query = {
        .from = day (from), .to = day (to), .on = day (on), .entity = entity
    };
    assert_true (count <= 8);
    for (size_t i = 0; i < count; i++) /* in any order */
        subjects[count - 1 - i] = model_subject (model, i);
    return cycle_rows (subjects, count, &query);
}

/* A row's members in a few words: "row action id state ...", "-" for "". */
static char *words (const json_t *row) {
    static const char *const names[] = { "row",    "action",   "id",    "by",
                                         "status", "reported", "state", "due",
                                         "done",   "value",    "target" };
    struct buf out = { 0 };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const json_t *value = json_object_get (row, names[i]);
        assert_non_null (value);
        if (i)
            buf_add_text (&out, " ");
        if (json_is_string (value))
            buf_add_text (&out, json_string_length (value)
                                    ? json_string_value (value)
                                    : "-");
        else
            buf_add_format (&out, "%g", json_number_value (value));
    }
    return buf_take_text (&out);
}

static void check_rows (const json_t *rows, const char *const *want) {
    size_t i;
    for (i = 0; want[i]; i++) {
        char *text = words (json_array_get (rows, i));
        if (strcmp (text, want[i]) != 0)
            fail_msg ("%zu: '%s', not '%s'", i, text, want[i]);
        free (text);
    }
    assert_int_equal (json_array_size (rows), i);
}

static void test_rows (void **state) {
    (void) state;
    plans_add();
    struct model *model = model_of (NULL, 1);
    json_t *rows =
        rows_of (model, "EUROPOL", "2026-04-01", "2026-06-30", "2026-05-01");
    static const char *const want[] = {
        "plan - - - - - - - - - -",
        "action A1 A1 EUROPOL active active - - - - -",
        "milestone A1 M1 EUROPOL - - done 2026-03 2026-04-02 - -",
        "milestone A1 M2 - - - overdue 2026-04-10 - - -",
        "milestone A1 M3 - - - due 2026-06 - - -",
        "milestone A1 M5 INTERPOL - - done 2026-08 2026-05-20 - -",
        "indicator A1 I1 INTERPOL - - reached - - 11 10",
        "indicator A1 I2 INTERPOL - - not reached - - 3 2.5",
        "indicator A1 I3 - - - no value - - - -",
        "report A1 - INTERPOL - delayed received - - - -",
        "report A1 - EUROPOL - - missing - - - -",
        "action A2 A2 - active - - - - - -",
        "report A2 - FRONTEX - - missing - - - -",
        NULL,
    };
    check_rows (rows, want);
    const json_t *sums = json_array_get (rows, 0);
    static const struct {
        const char *name;
        int value;
    } counts[] = {
        { "actions", 2 },
        { "actions_overdue", 0 },
        { "milestones_done", 2 },
        { "milestones_due", 1 },
        { "milestones_overdue", 1 },
        { "reports_received", 1 },
        { "reports_missing", 2 },
        { "revision", 1 },
        { "record", 10 },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        assert_int_equal (
            json_integer_value (json_object_get (sums, counts[i].name)),
            counts[i].value);
    assert_string_equal (rows_handling (rows), "TLP:GREEN");
    json_decref (rows);
    model_destroy (&model);
}

/* The lead, or the plan's own body, is heard; or there is nothing to tell. */
static void test_heard (void **state) {
    (void) state;
    plans_add();
    line_plan (
        13, "all", "FRONTEX-s",
        ACTION ("A1", "INTERPOL",
                "") ",{'id':'A2','title':'No','kind':"
                    "'policy','priorities':['cybercrime'],'regions':['150'],"
                    "'from':'2026','lead':'INTERPOL','status':'cancelled'}");
    line_add (30, "INTERPOL/hq", "all/report/FRONTEX/FRONTEX-s",
              "{'format':1,'report':'FRONTEX-s','action':'A1','period':"
              "{'from':'2026','to':'2026'},'text':'fine'}");
    struct model *model = model_of (NULL, 1);
    json_t *rows =
        rows_of (model, "FRONTEX", "2026-03-01", "2026-03-02", "2026-03-03");
    static const char *const led[] = {
        "plan - - - - - - - - - -",
        "action A1 A1 - active - - - - - -",
        "report A1 - INTERPOL - - received - - - -",
        "action A2 A2 - cancelled - - - - - -",
        NULL,
    };
    check_rows (rows, led);
    json_decref (rows);
    rows = rows_of (model, "EUROPOL", "2026-03-01", "2026-03-02", "2026-03-03");
    for (size_t i = 0; i < json_array_size (rows); i++) {
        char *text = words (json_array_get (rows, i));
        assert_string_not_equal (text,
                                 "report A1 - EUROPOL - - missing - - - -");
        free (text);
    }
    json_decref (rows);
    model_destroy (&model);
}

/* Plans by entity and id; without actions by their cycle; overdue actions. */
static void test_plans (void **state) {
    (void) state;
    plans_add();
    struct model *model = model_of (NULL, 1);
    json_t *rows =
        rows_of (model, NULL, "2026-03-05", "2026-03-06", "2026-12-01");
    static const char *const plans[] = { "AFRIPOL-q", "AFRIPOL-r", PLAN };
    size_t n = 0, late = 0;
    for (size_t i = 0; i < json_array_size (rows); i++) {
        const json_t *row = json_array_get (rows, i);
        const char *kind = json_string_value (json_object_get (row, "row"));
        if (strcmp (kind, "plan") == 0)
            assert_string_equal (
                json_string_value (json_object_get (row, "plan")), plans[n++]);
        if (strcmp (kind, "action") == 0
            && strcmp (json_string_value (json_object_get (row, "state")),
                       "overdue")
                   == 0)
            late++;
    }
    assert_int_equal (n, 3);
    assert_int_equal (late, 4);
    json_decref (rows);
    rows = rows_of (model, NULL, "2030-01-01", "2030-12-31", "2026-12-01");
    assert_int_equal (json_array_size (rows), 0);
    json_decref (rows);
    model_destroy (&model);
}

/* An annex may be for fewer than the plan. */
static void test_handling (void **state) {
    (void) state;
    plans_add();
    line_add (30, "EUROPOL/hq", "core/annex/EUROPOL/EUROPOL-p",
              "{'format':1,'annex':'X','plan':'" PLAN "','entity':'EUROPOL',"
              "'handling':'TLP:AMBER+STRICT','text':'more'}");
    struct model *model = model_of (NULL, 1);
    json_t *rows =
        rows_of (model, NULL, "2026-04-01", "2026-06-30", "2026-05-01");
    assert_string_equal (rows_handling (rows), "TLP:AMBER+STRICT");
    json_decref (rows);
    rows = rows_of (model, "AFRIPOL", "2026-04-01", "2026-06-30", "2026-05-01");
    assert_string_equal (rows_handling (rows), "TLP:GREEN");
    json_decref (rows);
    assert_string_equal (rows_handling (NULL), "");
    model_destroy (&model);
}

static void check_csv (enum rows_kind kind, const json_t *rows) {
    struct buf out = { 0 };
    struct faults faults = { 0 };
    rows_csv (kind, rows, &out);
    struct csv *csv = csv_read (buf_slice (&out), &faults);
    assert_non_null (csv);
    const char *const *columns = rows_columns (kind);
    assert_int_equal (csv->row_count, json_array_size (rows) + 1);
    for (size_t i = 0; i < csv->row_count; i++)
        for (size_t c = 0; columns[c]; c++) {
            const char *cell = csv_plain (csv->rows[i].cells[c]);
            const json_t *value =
                json_object_get (json_array_get (rows, i - 1), columns[c]);
            assert_true (c < csv->rows[i].count);
            if (i == 0)
                assert_string_equal (cell, columns[c]);
            else if (json_is_string (value))
                assert_string_equal (cell, json_string_value (value));
            else if (json_is_number (value))
                assert_true (strtod (cell, NULL) == json_number_value (value));
            else
                assert_true (json_is_boolean (value));
        }
    csv_free (&csv);
    buf_free (&out);
}

static char *page_of (enum rows_kind kind, const json_t *rows,
                      const char *handling) {
    struct rows_head head = { "Report <1>", "April to June", handling };
    struct buf out = { 0 };
    rows_html (kind, rows, &head, &out);
    return buf_take_text (&out);
}

static void test_forms (void **state) {
    (void) state;
    plans_add();
    struct model *model = model_of (NULL, 1);
    json_t *rows =
        rows_of (model, "EUROPOL", "2026-04-01", "2026-06-30", "2026-05-01");
    check_csv (ROWS_CYCLE, rows);
    char *page = page_of (ROWS_CYCLE, rows, NULL);
    static const char *const holds[] = {
        "<h1 dir=\"auto\">Report &lt;1&gt;</h1>",
        "TLP:GREEN",
        "Milestones",
        ">overdue</td>",
        "=1+1",
        "A plan",
        "revision 1, record ",
        " received, ",
        "class=\"day\" dir=\"auto\">2026-",
        "April to June",
        "</html>",
    };
    for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
        if (!strstr (page, holds[i]))
            fail_msg ("no '%s' in %s", holds[i], page);
    assert_null (strstr (page, "<script"));
    free (page);
    json_decref (rows);
    rows = json_array();
    page = page_of (ROWS_CYCLE, rows, "TLP:RED");
    assert_non_null (strstr (page, "Nothing to tell"));
    assert_non_null (strstr (page, "TLP:RED"));
    free (page);
    json_decref (rows);
    model_destroy (&model);
}

static void test_overlaps (void **state) {
    (void) state;
    plans_add();
    struct model *model = model_of (NULL, 1);
    struct overlap_query query = { .limit = 50 };
    struct overlap_answer answer;
    overlaps_find (model_overlaps (model), &query, &answer);
    assert_int_equal (answer.count, 3);
    json_t *rows =
        overlap_rows (model_taxonomy (model), answer.at, answer.count, "en");
    assert_int_equal (json_array_size (rows), 3);
    const json_t *row = json_array_get (rows, 0);
    static const char *const want[][2] = {
        { "class", "possible" },
        { "a", "AFRIPOL-q#A1" },
        { "a_entity", "AFRIPOL" },
        { "b_entity", "EUROPOL" },
        { "b_title", "An action" },
        { "from", "2026-03-01" },
        { "handling", "TLP:GREEN" },
        { "priorities", "Drugs and precursor trafficking" },
        { "countries", "Europe" },
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const char *value =
            json_string_value (json_object_get (row, want[i][0]));
        if (!value || strcasecmp (value, want[i][1]) != 0)
            fail_msg ("%s: %s", want[i][0], value);
    }
    assert_true (json_string_length (json_object_get (row, "why")) > 20);
    for (const char *const *name = rows_columns (ROWS_OVERLAPS); *name; name++)
        assert_non_null (json_object_get (row, *name));
    check_csv (ROWS_OVERLAPS, rows);
    char *page = page_of (ROWS_OVERLAPS, rows, NULL);
    assert_non_null (strstr (page, "possible</td>"));
    free (page);
    json_decref (rows);
    overlap_answer_free (&answer);
    model_destroy (&model);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_rows, ledger_clear),
        cmocka_unit_test_teardown (test_heard, ledger_clear),
        cmocka_unit_test_teardown (test_plans, ledger_clear),
        cmocka_unit_test_teardown (test_handling, ledger_clear),
        cmocka_unit_test_teardown (test_forms, ledger_clear),
        cmocka_unit_test_teardown (test_overlaps, ledger_clear),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
