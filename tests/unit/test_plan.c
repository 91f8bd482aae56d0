/* plan: CONTENTS.md section 2. The verdicts are also compared with the JSON
 * Schema (tests/system/test_0800_plan_schema.py). */
#include "plans/plan_impl.h"

#include "json_edit.h"
#include "plan_fixture.h"

#include "base/clock.h"
#include "base/mp.h"

#include <setjmp.h>

#include <cmocka.h>

static struct taxonomy *taxonomy;

#define ID32 "A234567890123456789012345678901"
static const char good[] =
    "{'format': 1, 'plan': 'ABC-x', 'entity': 'ABC', 'lang': 'en',"
    " 'title': {'fr': 'Le plan', 'en': 'The plan'}, 'summary': 'Short',"
    " 'cycle': {'from': '2026', 'to': '2027-06', 'next_review': '2026-12'},"
    " 'handling': 'TLP:GREEN', 'priorities': ['cybercrime'],"
    " 'regions': ['001'],"
    " 'goals': [{'id': 'G1', 'title': 'One'},"
    "  {'id': 'G2', 'title': 'Two', 'parent': 'G1',"
    "   'indicators': [{'id': 'I0', 'title': 'n'}]}],"
    " 'actions': [{'id': 'A1', 'title': 'First', 'kind': 'training',"
    "  'goals': ['G2'], 'priorities': ['organized-crime',"
    "  'cybercrime/cyber-attacks'], 'regions': ['EU', '056'],"
    "  'from': '2026-02', 'to': '2026-05-17', 'lead': 'INTERPOL',"
    "  'co_leads': ['EUROPOL'], 'partners': ['ABC'], 'status': 'active',"
    "  'same_as': ['XYZ-p#A1'], 'depends_on': ['XYZ-p'], 'open_to': ['*'],"
    "  'milestones': [{'id': 'M1', 'title': 'm', 'due': '2026-03',"
    "   'done': '2026-03-02'}, {'id': 'M2', 'title': 'm', 'due': '2026'}],"
    "  'indicators': [{'id': 'I1', 'title': 'n', 'unit': 'kg',"
    "   'better': 'down', 'baseline': {'at': '2025', 'value': 7},"
    "   'targets': [{'at': '2026', 'value': 2.5}]}]},"
    "  {'id': 'A2', 'title': 'Second', 'kind': 'policy',"
    "   'priorities': ['cybercrime'], 'regions': ['001'], 'from': '2026-06-01',"
    "   'to': null, 'lead': 'ABC', 'status': 'cancelled'}]}";

struct row {
    const char *at, *value; /* an edit; value NULL: taken out */
    const char *pointer;    /* of the one fault; NULL: is still good */
    const char *says;
};

static void check_rows (const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        json_t *document = json_of (good);
        json_edit (&document, row->at, row->value);
        struct faults faults = { 0 };
        struct plan *plan = plan_read (document, taxonomy, &faults);
        if (!row->pointer != (plan != NULL)
            || faults.count != (row->pointer != NULL))
            fail_msg ("%s = %s: %zu faults, first %s: %s", row->at, row->value,
                      faults.count, faults.count ? faults.at[0].pointer : "",
                      faults.count ? faults.at[0].text : "");
        if (row->pointer
            && (strcmp (faults.at[0].pointer, row->pointer) != 0
                || !strstr (faults.at[0].text, row->says)))
            fail_msg ("%s = %s: '%s: %s'", row->at, row->value,
                      faults.at[0].pointer, faults.at[0].text);
        plan_free (&plan);
        faults_clear (&faults);
        json_decref (document);
    }
}
#define CHECK(rows) check_rows (rows, sizeof rows / sizeof *rows)

static void test_shape (void **state) {
    (void) state;
    static const struct row rows[] = {
        { "", "[]", "", "is a list, and has to be an object" },
        { "", "null", "", "is null" },
        { "/format", NULL, "", "has no 'format'" },
        { "/format", "2", "/format", "is 2, and has to be 1" },
        { "/format", "true", "/format", "is true" },
        { "/format", "1.5", "/format", "whole number" },
        { "/format", "1.0", NULL, "" },
        { "/unknown", "{'a': [null]}", NULL, "" },
        { "/lang", "5", "/lang", "is a number, and has to be text" },
        { "/title", "{}", "/title", "no text in any language" },
        { "/title", "[]", "/title", "by language" },
        { "/title", "{'english': 'x'}", "/title/english", "is no language" },
        { "/title", "{'en': 3}", "/title/en", "has to be text" },
        { "/title", "'a\\u0000b'", "/title", "NUL" },
        { "/own_terms", "{'a/b~c': 1}", "/own_terms/a~1b~0c",
          "has to be text" },
        { "/handling", "'TLP:WHITE'", "/handling", "one of: TLP:CLEAR, " },
        { "/handling", "{}", "/handling", "is an object" },
        { "/priorities", "[]", "/priorities", "needs at least one" },
        { "/priorities", "['cybercrime', 'cybercrime']", "/priorities/1",
          "is 'cybercrime', which stands at 0 already" },
        { "/priorities", "{}", "/priorities", "is an object" },
        { "/cycle/from", NULL, "/cycle", "has no 'from'" },
        { "/regions", "[]", "/regions", "at least one" },
        { "/actions/1/id", "'1'", "/actions/1/id", "no id" },
        { "/goals/0/parent", "''", "/goals/0/parent", "no id" },
        { "/goals/0/title", NULL, "/goals/0", "has no 'title'" },
        { "/actions", "[]", NULL, "" },
        { "/actions", "[5]", "/actions/0", "has to be an object" },
        { "/actions/1/id", "'" ID32 "x'", NULL, "" },
        { "/actions/1/id", "'" ID32 "xx'", "/actions/1/id", "no id" },
        { "/actions/1/kind", "'op'", "/actions/1/kind", "border-control" },
        { "/actions/1/status", "''", "/actions/1/status", "cancelled" },
        { "/actions/1/lead", "'abc'", "/actions/1/lead", "no entity's name" },
        { "/actions/1/open_to", "['**']", "/actions/1/open_to/0", "entity" },
        { "/actions/1/others", "[{'xx': 'y'}, 'z']", NULL, "" },
        { "/actions/1/depends_on", "['ABC']", "/actions/1/depends_on/0",
          "no reference" },
        { "/actions/1/depends_on", "['ABC-x#']", "/actions/1/depends_on/0",
          "no reference" },
        { "/actions/0/indicators/0/baseline/value", "'7'",
          "/actions/0/indicators/0/baseline/value", "has to be a number" },
        { "/actions/0/indicators/0/better", "'less'",
          "/actions/0/indicators/0/better", "one of: up, down" },
        { "/actions/0/milestones/0/due", NULL, "/actions/0/milestones/0",
          "has no 'due'" },
    };
    CHECK (rows);
}

static void test_rules (void **state) {
    (void) state;
    static const struct row rows[] = {
        { "/plan", "'ABD-x'", "/plan", "has to begin with the entity: 'ABC-'" },
        { "/plan", "'ABC_x'", "/plan", "no plan's id" },
        { "/entity", "'AB'", "/plan", "'AB-'" },
        { "/actions/0/from", "'2026-02-30'", "/actions/0/from",
          "is '2026-02-30', which is no day: February 2026 has 28" },
        { "/actions/0/from", "'2026-2'", "/actions/0/from", "is no date" },
        { "/actions/0/to", "'2026-02'", NULL, "" },
        { "/actions/0/to", "'2026-01-31'", "/actions/0/to",
          "is 2026-01-31, before 'from', 2026-02" },
        { "/actions/0/to", NULL, NULL, "" },
        { "/cycle/to", "'2025-12'", "/cycle/to", "before 'from', 2026" },
        { "/cycle/next_review", "'0000'", "/cycle/next_review", "no day" },
        { "/adopted", "{'by': 'x', 'on': '2026-04-31'}", "/adopted/on",
          "no day" },
        { "/priorities/0", "'cybercrime/none'", "/priorities/0",
          "no priority of the taxonomy's version 1" },
        { "/regions/0", "'998'", "/regions/0", "no country, region or group" },
        { "/actions/1/id", "'A1'", "/actions/1/id",
          "is 'A1', which is the id of /actions/0 already" },
        { "/actions/0/milestones/0/id", "'G1'", "/actions/0/milestones/0/id",
          "/goals/0 already" },
        { "/actions/0/indicators/0/id", "'I0'", "/actions/0/indicators/0/id",
          "/goals/1/indicators/0 already" },
        { "/actions/0/goals", "['G3']", "/actions/0/goals/0", "is no goal" },
        { "/goals/1/parent", "'G3'", "/goals/1/parent", "is no goal" },
        { "/goals/1/parent", "'G2'", "/goals/1/parent", "makes a circle" },
        { "/goals/0/parent", "'G2'", "/goals/0/parent",
          "makes a circle: goal 'G1'" },
        { "/actions/0/same_as", "['XYZ-p']", "/actions/0/same_as/0",
          "PLAN-ID#ACTION-ID" },
        { "/actions/0/same_as", "['ABC-x#A2']", "/actions/0/same_as/0",
          "of this plan" },
        { "/actions/0/same_as", "['ABC-xx#A2']", NULL, "" },
        { "/deep", "[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]", "", "can't be sent" },
        { "/deep", "[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]", NULL, "" },
    };
    CHECK (rows);
}

static void test_all_faults (void **state) {
    (void) state;
    json_t *document = json_of (good);
    json_edit (&document, "/actions/0/from", "'x'");
    json_edit (&document, "/actions/1/lead", "'x'");
    json_edit (&document, "/goals/0/id", "'A2'");
    json_edit (&document, "/title", NULL);
    struct faults faults = { 0 };
    assert_null (plan_read (document, taxonomy, &faults));
    assert_int_equal (faults.count, 5); /* G1 is named by G2, too */
    faults_clear (&faults);
    json_decref (document);
    /* JSON has no such name here, but msgpack may. */
    document = json_of (good);
    json_t *terms = json_object();
    json_object_setn_new_nocheck (terms, "a\0b", 3, json_string ("x"));
    json_object_set_new (document, "own_terms", terms);
    assert_null (plan_read (document, taxonomy, &faults));
    assert_string_equal (faults.at[0].pointer, "/own_terms/a");
    faults_clear (&faults);
    json_decref (document);
}

/* A list of `count` copies of `item`, its # their number. */
static void fill (json_t *document, const char *name, const char *item,
                  size_t count) {
    json_t *list = json_array();
    const char *mark = strchr (item, '#');
    for (size_t i = 0; i < count; i++) {
        char text[300];
        snprintf (text, sizeof text, "%.*s%zu%s", (int) (mark - item), item, i,
                  mark + 1);
        json_array_append_new (list, json_of (text));
    }
    json_object_set_new (document, name, list);
}

static size_t count_of (const json_t *document) {
    struct faults faults = { 0 };
    struct plan *plan = plan_read (document, taxonomy, &faults);
    size_t count = faults.count;
    assert_true ((plan != NULL) == (count == 0));
    plan_free (&plan);
    faults_clear (&faults);
    return count;
}

static void test_limits (void **state) {
    (void) state;
    static const struct {
        const char *name, *item;
        size_t most;
    } rows[] = {
        { "goals", "{'id': 'G#', 'title': ''}", 256 },
        { "actions",
          "{'id': 'A#', 'title': '', 'kind': 'policy', 'priorities':"
          "['cybercrime'], 'regions': ['001'], 'from': '2026', 'lead': 'ABC',"
          "'status': 'done'}",
          1000 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *document = json_of (good);
        json_edit (&document, "/actions", "[]");
        fill (document, rows[i].name, rows[i].item, rows[i].most);
        assert_int_equal (count_of (document), 0);
        fill (document, rows[i].name, rows[i].item, rows[i].most + 1);
        assert_int_equal (count_of (document), 1);
        struct faults faults = { 0 };
        struct plan *plan = plan_read_joined (document, taxonomy, &faults);
        assert_non_null (plan);
        plan_free (&plan);
        json_decref (document);
    }
}

/* Characters are counted, not octets; the whole is bounded as msgpack. */
static void test_sizes (void **state) {
    (void) state;
    json_t *document = json_of (good);
    struct buf text = { 0 };
    for (int i = 0; i < PLAN_TEXT_MAX; i++)
        buf_add_text (&text, "\xc3\xa9");
    json_t *full = json_stringn ((char *) text.data, text.size);
    json_object_set (document, "summary", full);
    assert_int_equal (count_of (document), 0);
    json_object_set_new (document, "level", json_string ("strategy"));
    json_t *needs = json_array();
    while (json_array_size (needs) < 29)
        json_array_append (needs, full);
    json_object_set_new (
        json_array_get (json_object_get (document, "actions"), 0), "needs",
        needs);
    assert_int_equal (count_of (document), 0);
    json_array_append (needs, full);
    assert_int_equal (count_of (document), 1); /* too many octets */
    buf_add_text (&text, "e");
    json_array_clear (needs);
    json_array_append_new (needs, json_stringn ((char *) text.data, text.size));
    assert_int_equal (count_of (document), 1); /* too many characters */
    buf_free (&text);
    json_decref (full);
    json_decref (document);
}

/* What grows with the square of a document would take minutes here. */
static void test_hostile (void **state) {
    (void) state;
    int64_t start = clock_mono_ms();
    json_t *document = json_of (good);
    fill (document, "goals", "{'id': 'G#', 'title': '', 'parent': 'G0'}", 5000);
    fill (document, "actions", "{'id': 'G#'}", 20000);
    json_t *partners = json_array();
    for (size_t i = 0; i < 20000; i++)
        json_array_append_new (partners, json_string ("ABC"));
    json_object_set_new (
        json_array_get (json_object_get (document, "actions"), 0), "partners",
        partners);
    assert_true (count_of (document) > 140000);
    json_decref (document);
    assert_true (clock_mono_ms() - start < 30000);
}

/* As a structure */

static struct plan *read_good (json_t *document) {
    return plan_of (document, taxonomy);
}

static void test_structure (void **state) {
    (void) state;
    json_t *document = json_of (good);
    struct plan *plan = read_good (document);
    json_decref (document);
    assert_string_equal (plan->id, "ABC-x");
    assert_string_equal (plan->level, "");
    assert_string_equal (plan->title.at[0].lang, "en"); /* its own first */
    assert_string_equal (plan->summary.at[0].lang, "en");
    assert_true (plan->has_review);
    assert_int_equal (plan->goal_count, 2);
    assert_string_equal (plan->goals[0].parent, "");
    assert_string_equal (plan->goals[1].indicators[0].id, "I0");
    const struct action *a = plan_action (plan, "A1");
    assert_non_null (a);
    assert_null (plan_action (plan, "A3"));
    assert_int_equal (a->kind, KIND_TRAINING);
    assert_int_equal (a->status, STATUS_ACTIVE);
    assert_true (a->priorities.at[0] < a->priorities.at[1]);
    assert_false (a->world || a->span.open);
    assert_true (countries_count (&a->countries) >= 27);
    assert_true (action_names (a, "INTERPOL") && action_names (a, "EUROPOL")
                 && action_names (a, "ABC") && !action_names (a, "AB"));
    assert_true (a->milestones[0].is_done && !a->milestones[1].is_done);
    assert_true (a->indicators[0].down && a->indicators[0].has_baseline);
    assert_true (a->indicators[0].targets[0].value == 2.5);
    assert_true (plan->actions[1].world && plan->actions[1].span.open);
    char ref[PLAN_REF_MAX + 1];
    assert_string_equal (action_ref (ref, plan, a), "ABC-x#A1");
    assert_null (a->audience);
    plan_set_audience (plan, 0, "members");
    assert_string_equal (a->audience, "members");
    plan_free (&plan);
    plan_free (&plan);
}

static void test_languages (void **state) {
    (void) state;
    json_t *document = json_of (good);
    json_edit (&document, "/title",
               "{'fr-CA': 'b', 'fr': 'c', 'en': 'a', 'de-AT': 'd', 'sr': 'e',"
               " 'srx': 'f'}");
    struct plan *plan = read_good (document);
    static const char *const rows[][2] = {
        { "en", "a" },    { "EN", "a" },    { "fr", "c" },  { "fr-CA", "b" },
        { "fr-BE", "c" }, { "de", "d" },    { "srx", "f" }, { "sr", "e" },
        { "xx", "a" },    { "de-CH", "d" }, { "", "a" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal (text_in (&plan->title, rows[i][0]), rows[i][1]);
    struct text none = { 0 };
    assert_string_equal (text_in (&none, "en"), "");
    plan_free (&plan);
    json_decref (document);
}

static struct hash facts_after (const char *at, const char *value) {
    json_t *document = json_of (good);
    json_edit (&document, at, value);
    struct plan *plan = read_good (document);
    struct hash facts = plan->actions[0].facts;
    plan_free (&plan);
    json_decref (document);
    return facts;
}

/* Section 7: what a statement rests on, and nothing else. */
static void test_facts (void **state) {
    (void) state;
    static const struct {
        const char *at, *value;
        bool same;
    } rows[] = {
        { "/actions/0/title", "'Other'", true },
        { "/actions/0/kind", "'policy'", true },
        { "/actions/0/status", "'done'", true },
        { "/actions/0/regions", "['056', 'EU']", true },
        { "/actions/0/milestones", "[]", true },
        { "/actions/0/status", "'cancelled'", false },
        { "/actions/0/regions", "['EU']", false },
        { "/actions/0/priorities", "['organized-crime']", false },
        { "/actions/0/from", "'2026-02-01'", false },
        { "/actions/0/to", "null", false },
        { "/actions/0/lead", "'ABC'", false },
        { "/actions/0/co_leads", "[]", false },
        { "/actions/0/partners", NULL, false },
        { "/actions/0/same_as", "['XYZ-p#A2']", false },
    };
    struct hash before = facts_after ("/unknown", "1");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hash after = facts_after (rows[i].at, rows[i].value);
        if (hash_equal (&before, &after) != rows[i].same)
            fail_msg ("%s = %s", rows[i].at, rows[i].value);
    }
    struct buf octets = { 0 };
    json_t *said = json_of (
        "[['cybercrime/cyber-attacks', 'organized-crime'], ['056', 'EU'],"
        " '2026-02', '2026-05-17', 'INTERPOL', ['EUROPOL'], ['ABC'],"
        " ['XYZ-p#A1'], false]");
    assert_int_equal (mp_from_json (&octets, said, 1000, NULL), 0);
    struct hash by_hand = hash_sha256 (buf_slice (&octets));
    assert_true (hash_equal (&before, &by_hand));
    buf_free (&octets);
    json_decref (said);
}

static void test_words (void **state) {
    (void) state;
    enum action_kind kind;
    enum action_status status;
    for (int i = 0; i < KIND_COUNT; i++) {
        const char *name = action_kind_name ((enum action_kind) i);
        assert_true (action_kind_read (slice_text (name), &kind));
        assert_int_equal (kind, i);
    }
    for (int i = 0; i < STATUS_COUNT; i++) {
        const char *name = action_status_name ((enum action_status) i);
        assert_true (action_status_read (slice_text (name), &status));
        assert_int_equal (status, i);
    }
    assert_false (action_kind_read (slice_text (""), &kind));
    assert_false (action_status_read (slice_text ("Done"), &status));
}

static void test_samples (void **state) {
    (void) state;
    json_t *documents = sample_documents();
    assert_int_equal (json_array_size (documents), 14);
    size_t actions = 0;
    for (size_t i = 0; i < 14; i++) {
        struct plan *plan = read_good (json_array_get (documents, i));
        actions += plan->action_count;
        plan_free (&plan);
    }
    assert_int_equal (actions, 106);
    json_decref (documents);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_shape),      cmocka_unit_test (test_rules),
        cmocka_unit_test (test_all_faults), cmocka_unit_test (test_limits),
        cmocka_unit_test (test_sizes),      cmocka_unit_test (test_hostile),
        cmocka_unit_test (test_structure),  cmocka_unit_test (test_languages),
        cmocka_unit_test (test_facts),      cmocka_unit_test (test_words),
        cmocka_unit_test (test_samples),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
