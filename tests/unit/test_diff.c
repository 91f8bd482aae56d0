/* diff: what a revision changed, in words. */
#include "plans/diff.h"

#include "json_edit.h"

#include "base/clock.h"

#include <setjmp.h>

#include <cmocka.h>

static struct taxonomy *taxonomy;

static const char base[] =
    "{'format': 1, 'plan': 'ABC-x', 'entity': 'ABC', 'lang': 'en',"
    " 'title': 'The plan', 'summary': {'en': 'Short', 'fr': 'Bref'},"
    " 'cycle': {'from': '2026', 'to': '2027-12'}, 'handling': 'TLP:GREEN',"
    " 'priorities': ['cybercrime'], 'regions': ['001'], 'own': {'a': 1},"
    " 'goals': [{'id': 'G1', 'title': 'One'}, {'id': 'G2', 'title': 'Two'}],"
    " 'actions': [{'id': 'A1', 'title': 'First'}, {'id': 'A4', 'title':"
    "  'Mobile 6', 'kind': 'operation', 'goals': ['G1'], 'priorities':"
    "  ['organized-crime', 'cybercrime/cyber-attacks'], 'regions': ['EU'],"
    "  'from': '2023-10-09', 'to': '2023-10-13', 'lead': 'ABC', 'partners':"
    "  ['EUROPOL'], 'status': 'planned', 'milestones': [{'id': 'M2', 'title':"
    "  'Start', 'due': '2023-10'}], 'indicators': [{'id': 'I1', 'title': 'n',"
    "  'baseline': {'at': '2022', 'value': 3}, 'targets': [{'at': '2023-12',"
    "  'value': 1.5}]}]}]}";
#define A4 "action A4 'Mobile 6': "

struct row {
    const char *at[4];                 /* pointer, value, pointer, value */
    const char *kind, *pointer, *text; /* of the one change; NULL: none */
};

static void check (const struct row *row, json_t *before, json_t *after,
                   const char *kind, const char *pointer, bool gone,
                   const char *text) {
    struct diff diff;
    diff_make (before, after, taxonomy, &diff);
    if (diff.count != (text != NULL))
        fail_msg ("%s: %zu changes: %s", row->at[0], diff.count,
                  diff.count ? diff.at[0].text : "");
    if (text
        && (strcmp (diff.at[0].text, text) != 0
            || strcmp (diff.at[0].pointer, pointer) != 0
            || diff.at[0].gone != gone
            || strcmp (diff_kind_name (diff.at[0].kind), kind) != 0))
        fail_msg ("%s: %s %s '%s', not '%s'", row->at[0],
                  diff_kind_name (diff.at[0].kind), diff.at[0].pointer,
                  diff.at[0].text, text);
    diff_free (&diff);
}

static void test_words (void **state) {
    (void) state;
    /* A pointer that begins with "-" is one of the earlier document. */
    static const struct row rows[] = {
        { { "/actions/1/status", "'planned'" }, NULL, NULL, NULL },
        { { "/actions/1/partners", "['EUROPOL', 'EUROPOL']" },
          NULL,
          NULL,
          NULL },
        { { "/actions/1/from", "'2023-11-18'", "/actions/1/to",
            "'2023-11-22'" },
          "dates",
          "/actions/1/from",
          A4 "moved by 40 days (9 October 2023 to 18 November 2023)" },
        { { "/actions/1/from", "'2023-10-08'", "/actions/1/to",
            "'2023-10-12'" },
          "dates",
          "/actions/1/from",
          A4 "moved by 1 day, earlier (9 October 2023 to 8 October 2023)" },
        { { "/actions/1/from", "'2023-10-10'" },
          "dates",
          "/actions/1/from",
          A4 "starts 10 October 2023, 1 day later (was 9 October 2023)" },
        { { "/actions/1/from", "'2023-10'" },
          "dates",
          "/actions/1/from",
          A4 "starts October 2023 (was 9 October 2023)" },
        { { "/actions/1/from", "'soon'" },
          "dates",
          "/actions/1/from",
          A4 "from is 'soon', was '2023-10-09'" },
        { { "/actions/1/to", NULL },
          "dates",
          "-/actions/1/to",
          A4 "is ongoing (was to end 13 October 2023)" },
        { { "/actions/1/to", "null" },
          "dates",
          "/actions/1/to",
          A4 "is ongoing (was to end 13 October 2023)" },
        { { "/actions/1/status", "'done'" },
          "status",
          "/actions/1/status",
          A4 "status is 'done', was 'planned'" },
        { { "/actions/1/lead", "'INTERPOL'" },
          "who",
          "/actions/1/lead",
          A4 "lead is 'INTERPOL', was 'ABC'" },
        { { "/actions/1/partners", "['INTERPOL', 'EUROPOL']" },
          "who",
          "/actions/1/partners",
          A4 "partner INTERPOL added" },
        { { "/actions/1/partners", "[]" },
          "who",
          "/actions/1/partners",
          A4 "partner EUROPOL removed" },
        { { "/actions/1/partners", NULL },
          "who",
          "-/actions/1/partners",
          A4 "partner EUROPOL removed" },
        { { "/actions/1/open_to", "['*', 'AFRIPOL']" },
          "who",
          "/actions/1/open_to",
          A4 "sought partners anybody, AFRIPOL added" },
        { { "/actions/1/partners",
            "['A1','A2','A3','A4','A5','A6','A7','A8','A9','B1','EUROPOL']" },
          "who",
          "/actions/1/partners",
          A4 "partners A1, A2, A3, A4, A5, A6, A7, A8 and 2 more added" },
        { { "/actions/1/regions", "['EU', '002']" },
          "regions",
          "/actions/1/regions",
          A4 "region 'Africa' added" },
        { { "/actions/1/priorities", "['organized-crime']" },
          "priorities",
          "/actions/1/priorities",
          NULL },
        { { "/priorities", "['cybercrime', 'none']" },
          "priorities",
          "/priorities",
          "priority 'none' added" },
        { { "/actions/1/same_as", "['XYZ-p#A1']" },
          "links",
          "/actions/1/same_as",
          A4 "link to the same action as XYZ-p#A1 added" },
        { { "/actions/1/milestones/0/done", "'2023-10-11'" },
          "milestone",
          "/actions/1/milestones/0/done",
          A4 "milestone M2 'Start': is done (11 October 2023)" },
        { { "/actions/1/milestones/0/due", "'2023-12'" },
          "milestone",
          "/actions/1/milestones/0/due",
          A4 "milestone M2 'Start': due December 2023, 2 months later (was "
             "October 2023)" },
        { { "/actions/1/milestones", "[]" },
          "milestone",
          "-/actions/1/milestones/0",
          A4 "milestone M2 'Start' removed" },
        { { "/actions/1/indicators/0/baseline/value", "3.0" },
          NULL,
          NULL,
          NULL },
        { { "/actions/1/indicators/0/baseline/value", "5" },
          "indicator",
          "/actions/1/indicators/0/baseline",
          A4 "indicator I1 'n': baseline is 5 (2022), was 3 (2022)" },
        { { "/actions/1/indicators/0/targets/-", "{'at': '2024', 'value': 9}" },
          "indicator",
          "/actions/1/indicators/0/targets",
          A4 "indicator I1 'n': target 9 (2024) added" },
        { { "/goals/-", "{'id': 'G3', 'title': {'fr': 'Trois'}}" },
          "goal",
          "/goals/2",
          "goal G3 'Trois' added" },
        { { "/goals/0", NULL }, "goal", "-/goals/0", "goal G1 'One' removed" },
        { { "/goals/1/parent", "'G1'" },
          "goal",
          "/goals/1/parent",
          "goal G2 'Two': goal above it added: 'G1'" },
        { { "/actions/0", NULL },
          "action-removed",
          "-/actions/0",
          "action A1 'First' removed" },
        { { "/actions/-", "{'id': 'A5', 'title': 'New\\u0007'}" },
          "action-added",
          "/actions/2",
          "action A5 'New\\x07' added" },
        { { "/cycle/to", "'2028-12'" },
          "dates",
          "/cycle/to",
          "cycle: ends December 2028, 12 months later (was December 2027)" },
        { { "/cycle/next_review", "'2027'" },
          "dates",
          "/cycle/next_review",
          "cycle: next review 2027 (was not given)" },
        { { "/handling", "'TLP:RED'" },
          "handling",
          "/handling",
          "handling is 'TLP:RED', was 'TLP:GREEN'" },
        { { "/title", "'Another plan'" },
          "text",
          "/title",
          "title is 'Another plan', was 'The plan'" },
        { { "/title", "{'en': 'The plan'}" }, NULL, NULL, NULL },
        { { "/summary/fr", "'Bon'" },
          "text",
          "/summary",
          "summary (fr) is 'Bon', was 'Bref'" },
        { { "/summary", "'Short'" },
          "text",
          "-/summary",
          "summary (fr) removed: 'Bref'" },
        { { "/own/a", "2" },
          "other",
          "/own",
          "member 'own' is {\"a\":2}, was {\"a\":1}" },
        { { "/own", NULL },
          "other",
          "-/own",
          "member 'own' removed: {\"a\":1}" },
        { { "/new", "[]" }, "other", "/new", "member 'new' added: []" },
        { { "/lang", "'fr'" }, "text", "/lang", "language is 'fr', was 'en'" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        json_t *before = json_of (base), *after = json_of (base);
        for (int n = 0; n < 4 && row->at[n]; n += 2)
            json_edit (&after, row->at[n], row->at[n + 1]);
        bool gone = row->pointer && row->pointer[0] == '-';
        /* Where words hang on the taxonomy's titles, only that there are. */
        if (row->text || !row->kind)
            check (row, before, after, row->kind, row->pointer + gone, gone,
                   row->text);
        json_decref (before);
        json_decref (after);
    }
}

/* Significant first; within, what is gone behind. */
static void test_order (void **state) {
    (void) state;
    json_t *before = json_of (base), *after = json_of (base);
    json_edit (&after, "/title", "'x'");
    json_edit (&after, "/new", "1");
    json_edit (&after, "/goals/0", NULL);
    json_edit (&after, "/goals/-", "{'id': 'G9', 'title': 'Nine'}");
    json_edit (&after, "/actions/1/status", "'done'");
    json_edit (&after, "/actions/0", "{'id': 'A9', 'title': 'Nine'}");
    static const char *const kinds[] = { "action-added", "action-removed",
                                         "status",       "goal",
                                         "goal",         "text",
                                         "other" };
    struct diff diff;
    diff_make (before, after, taxonomy, &diff);
    assert_int_equal (diff.count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal (diff_kind_name (diff.at[i].kind), kinds[i]);
    assert_string_equal (diff.at[3].text, "goal G9 'Nine' added");
    json_t *json = diff_json (&diff);
    assert_int_equal (json_integer_value (json_object_get (json, "count")), 7);
    assert_int_equal (json_array_size (json_object_get (json, "changes")), 7);
    json_decref (json);
    diff_free (&diff);
    json_decref (before);
    json_decref (after);
}

static void test_long_texts (void **state) {
    (void) state;
    json_t *before = json_of (base), *after = json_of (base);
    json_edit (&before, "/title",
               "'A very long text that goes on and on, and in its end says "
               "that it is \\u00e9t\\u00e9 and over'");
    json_edit (&after, "/title",
               "'A very long text that goes on and on, and in its end says "
               "that it is \\u00e9t\\u00ea and over'");
    struct diff diff;
    diff_make (before, after, taxonomy, &diff);
    assert_int_equal (diff.count, 1);
    assert_string_equal (diff.at[0].text,
                         "title is '...it is \xc3\xa9t\xc3\xaa and over', was "
                         "'...it is \xc3\xa9t\xc3\xa9 and over'");
    diff_free (&diff);
    json_decref (before);
    json_decref (after);
}

/* What is no plan at all, and what is a large one. */
static void test_hostile (void **state) {
    (void) state;
    static const char *const rows[][2] = {
        { "[]", "{}" },
        { "5", "'x'" },
        { "{'actions': 5}", "{'actions': {'id': 'A'}}" },
        { "{'actions': [1, {}, {'id': 3}, {'id': 'A'}]}",
          "{'actions': [{'id': 'A'}, {'id': 'A', 'title': [1]}]}" },
        { "{'cycle': 1, 'title': 5, 'goals': null}",
          "{'cycle': {}, 'title': {'en': 5}, 'goals': [[]]}" },
        { "{'actions': [{'id': 'A', 'milestones': 4, 'from': 4, 'to': []}]}",
          "{'actions': [{'id': 'A', 'milestones': [3], 'partners': 'x'}]}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int turn = 0; turn < 2; turn++) {
            json_t *before = json_of (rows[i][turn]);
            json_t *after = json_of (rows[i][!turn]);
            struct diff diff;
            diff_make (before, after, taxonomy, &diff);
            assert_true (diff.count > 0);
            diff_free (&diff);
            json_decref (before);
            json_decref (after);
        }
    int64_t start = clock_mono_ms();
    json_t *before = json_of (base), *after = json_of (base);
    json_t *actions = json_array();
    for (int i = 0; i < 20000; i++) {
        char id[40];
        snprintf (id, sizeof id, "{'id': 'B%d', 'title': 'x'}", i);
        json_array_append_new (actions, json_of (id));
    }
    json_object_set_new (after, "actions", actions);
    json_edit (&after, "/title", "'y'");
    struct diff diff;
    diff_make (before, after, taxonomy, &diff);
    assert_int_equal (diff.count, 20003);
    assert_int_equal (diff.kept, DIFF_MAX);
    assert_int_equal (diff.at[DIFF_MAX - 1].kind, DIFF_ACTION_ADDED);
    diff_free (&diff);
    json_decref (before);
    json_decref (after);
    assert_true (clock_mono_ms() - start < 30000);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_words),
        cmocka_unit_test (test_order),
        cmocka_unit_test (test_long_texts),
        cmocka_unit_test (test_hostile),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
