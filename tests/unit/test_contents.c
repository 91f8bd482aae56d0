/* contents: CONTENTS.md sections 1, 3 to 5, 7 and 8. The verdicts are also
 * compared with JSON Schemas (tests/system/test_0800_plan_schema.py). */
#include "plans/contents.h"

#include "json_edit.h"
#include "plan_fixture.h"

#include "base/mp.h"

#include <setjmp.h>

#include <cmocka.h>

static struct taxonomy *taxonomy;

#define E16 "ABCDEFGHIJKLMNOP"
#define P64 "a234567890123456789012345678901234567890123456789012345678901234"

/* What a body is on the wire, and what JSON makes of it */

#define REPORT(more)                                                           \
    "{\"format\":1,\"report\":\"ABC-p\",\"action\":\"A1\",\"period\":"         \
    "{\"from\":\"2026\",\"to\":\"2026\"}," more "}"
#define VALUE(v)                                                               \
    REPORT ("\"indicators\":[{\"id\":\"I1\",\"at\":\"2026\",\"value\":" v "}"  \
                                                                          "]")

static bool is_good (json_t *document) {
    struct content_place place = {
        .kind = CONTENT_REPORT, .channel = "a", .entity = "ABC", .plan = "ABC-p"
    };
    struct faults faults = { 0 };
    bool newer = false;
    struct content *content =
        content_read (&place, document, taxonomy, &faults, &newer);
    bool good = content != NULL;
    assert_true (good || faults.count > 0 || newer);
    content_free (&content);
    faults_clear (&faults);
    return good;
}

/* An author's agent judges what was posted, all others what came by the wire:
 * the same verdict, as the schema has it. */
static void test_numbers_and_texts (void **state) {
    (void) state;
    static const struct {
        const char *json;
        enum { NO_JSON, BAD, GOOD } is;
    } rows[] = {
        { VALUE ("0"), GOOD },
        { VALUE ("-0"), GOOD },
        { VALUE ("-0.0"), GOOD },
        { VALUE ("1e2"), GOOD },
        { VALUE ("1E+2"), GOOD },
        { VALUE ("1e-2"), GOOD },
        { VALUE ("5e-324"), GOOD },
        { VALUE ("1.7976931348623157e308"), GOOD },
        { VALUE ("9007199254740993"), GOOD },
        { VALUE ("9223372036854775807"), GOOD },
        { VALUE ("-9223372036854775808"), GOOD },
        { VALUE ("9223372036854775808.0"), GOOD },
        { VALUE ("9223372036854775808"), NO_JSON },
        { VALUE ("1e309"), NO_JSON },
        { VALUE ("NaN"), NO_JSON },
        { VALUE ("Infinity"), NO_JSON },
        { VALUE ("01"), NO_JSON },
        { VALUE ("\"1\""), BAD },
        { VALUE ("true"), BAD },
        { VALUE ("null"), BAD },
        { REPORT ("\"text\":\"\\ud83d\\ude00\""), GOOD },
        { REPORT ("\"text\":\"\\ud83d\""), NO_JSON },
        { REPORT ("\"text\":\"\\ude00\\ud83d\""), NO_JSON },
        { REPORT ("\"text\":\"a\\u0000b\""), BAD },
        { REPORT ("\"text\":\"\xed\xa0\x80\""), NO_JSON },
        { REPORT ("\"text\":\"\xc0\x80\""), NO_JSON },
        { REPORT ("\"text\":\"a\",\"text\":\"b\""), NO_JSON },
        { REPORT ("\"text\":\"a\",\"x\":{\"y\":1,\"y\":1}"), NO_JSON },
        /* Unknown members are kept, as deep as a body goes. */
        { REPORT ("\"text\":\"a\",\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]"),
          GOOD },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e;
        struct buf wire = { 0 };
        json_t *posted = json_loads (
            rows[i].json, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        if (!posted != (rows[i].is == NO_JSON))
            fail_msg ("%s is %s", rows[i].json, posted ? "JSON" : "none");
        if (!posted)
            continue;
        if (is_good (posted) != (rows[i].is == GOOD))
            fail_msg ("%s as JSON", rows[i].json);
        assert_int_equal (mp_from_json (&wire, posted, 240 << 10, &e), 0);
        json_t *read = mp_to_json (buf_slice (&wire), &e);
        assert_non_null (read);
        if (is_good (read) != (rows[i].is == GOOD))
            fail_msg ("%s as it is read", rows[i].json);
        json_decref (posted);
        json_decref (read);
        buf_free (&wire);
    }
}

/* `format` is 1, however it is written; a fraction is none. */
static void test_format_numbers (void **state) {
    (void) state;
    static const struct {
        const char *number;
        bool good;
    } rows[] = { { "1", true },     { "1.0", true },   { "1e0", true },
                 { "10e-1", true }, { "1.5", false },  { "0", false },
                 { "-0", false },   { "-1", false },   { "1e300", false },
                 { "true", false }, { "\"1\"", false } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e;
        struct buf wire = { 0 };
        char text[300];
        snprintf (text, sizeof text,
                  "{\"format\":%s,\"report\":\"ABC-p\",\"action\":\"A1\","
                  "\"period\":{\"from\":\"2026\",\"to\":\"2026\"},"
                  "\"text\":\"a\"}",
                  rows[i].number);
        json_t *posted = json_loads (text, 0, NULL);
        assert_non_null (posted);
        assert_int_equal (mp_from_json (&wire, posted, 1000, &e), 0);
        json_t *read = mp_to_json (buf_slice (&wire), &e);
        if (is_good (posted) != rows[i].good || is_good (read) != rows[i].good)
            fail_msg ("format %s: %d as JSON, %d as it is read", rows[i].number,
                      is_good (posted), is_good (read));
        json_decref (posted);
        json_decref (read);
        buf_free (&wire);
    }
}

/* Octets that no agent of ours writes: no map for anybody. */
static void test_wrong_octets (void **state) {
    (void) state;
    static const struct {
        const char *octets;
        size_t size;
    } rows[] = {
#define OCTETS(text) { text, sizeof text - 1 }
        OCTETS ("\x82\xa1"
                "a\x01\xa1"
                "a\x01"), /* twice */
        OCTETS ("\x82\xa1"
                "b\x01\xa1"
                "a\x01"),                             /* in no order */
        OCTETS ("\x81\x01\x01"),                      /* a number as key */
        OCTETS ("\x81\xa1x\xcc\x01"),                 /* too long a form */
        OCTETS ("\x81\xa1x\xd9\x01y"),                /* the same of a text */
        OCTETS ("\x81\xa1x\xcb\x3f\xf0\0\0\0\0\0\0"), /* 1.0 */
        OCTETS ("\x81\xa1x\xcb\x80\0\0\0\0\0\0\0"),   /* -0.0 */
        OCTETS ("\x81\xa1x\xcb\x7f\xf8\0\0\0\0\0\0"), /* NaN */
        OCTETS ("\x81\xa1x\xcb\x7f\xf0\0\0\0\0\0\0"), /* no end */
        OCTETS ("\x81\xa1x\xca\x3f\xc0\0\0"),         /* a short float */
        OCTETS ("\x81\xa1x\xcf\x80\0\0\0\0\0\0\0"),   /* 2^63 */
        OCTETS ("\x81\xa1x\xa3\xed\xa0\x80"),         /* a surrogate */
        OCTETS ("\x81\xa1x\xa2\xc0\x80"),             /* a long NUL */
        OCTETS ("\x81\xa1x\xa4\xf4\x90\x80\x80"),     /* above U+10FFFF */
        OCTETS ("\x81\xa1x\xd4\x01\x01"),             /* an extension */
        OCTETS ("\x81\xa1x\xc1"),
        OCTETS ("\x81\xa1x"), /* cut */
        OCTETS ("\x80\x80"),  /* two */
        OCTETS ("\x81\xa1x\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
                "\x91\x91\x91\x91\x91\x90"), /* too deep */
#undef OCTETS
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e, why;
        struct slice wire = slice_of (rows[i].octets, rows[i].size);
        json_t *read = mp_to_json (wire, &e);
        enum err rc = mp_check (wire, &why);
        if (read || rc == ERR_NONE)
            fail_msg ("row %zu is %s", i, read ? "read" : "canonical");
        assert_int_equal (rc, e.code);
    }
}

static void test_kinds (void **state) {
    (void) state;
    static const struct {
        const char *topic;
        enum content_kind kind;
    } rows[] = {
        { "", CONTENT_NONE },
        { "plan", CONTENT_NONE },
        { "/", CONTENT_NONE },
        { "a/plans/ABC", CONTENT_NONE },
        { "a/b/plan", CONTENT_NONE },
        { "a/plan", CONTENT_PLAN },
        { "a/plan/x", CONTENT_PLAN },
        { "a/annex/x/y/z", CONTENT_ANNEX },
        { "a/report", CONTENT_REPORT },
        { "a/hidden", CONTENT_HIDDEN },
        { "a/overlap", CONTENT_OVERLAP },
        { "a/taxonomy", CONTENT_TAXONOMY },
        { "a/b/c/d/e/f", CONTENT_NONE },
        { "a/none/ABC", CONTENT_NONE },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (content_kind (slice_text (rows[i].topic)) != rows[i].kind)
            fail_msg ("%s", rows[i].topic);
    assert_string_equal (content_kind_name (CONTENT_HIDDEN), "hidden");
}

static void test_places (void **state) {
    (void) state;
    static const struct {
        const char *topic, *author; /* NULL: not asked */
        const char *says;           /* NULL: fine */
    } rows[] = {
        { "a/b/c", NULL, "none of those for plans" },
        { "a/plan", NULL, "has 2 levels; one of a plan has 4" },
        { "a/plan/ABC/ABC-x/y", NULL, "has 5 levels" },
        { "a/overlap/ABC/ABC-x", NULL, "one of an overlap has 3" },
        { "A B/plan/ABC/ABC-x", NULL, "no topic" },
        { "a/plan//ABC-x", NULL, "no topic" },
        { "a/plan/abc/ABC-x", NULL, "is 'abc', no entity" },
        { "a/plan/ABC/x", NULL, "begins with 'ABC-'" },
        { "a/plan/ABC/ABD-x", NULL, "begins with 'ABC-'" },
        { "a/plan/ABC/ABCD-x", NULL, "begins with 'ABC-'" },
        { "a/plan/ABC/ABC-X", NULL, "begins with 'ABC-'" },
        { "a/plan/ABC/ABC-x", "ABCD", "ABCD writes where only ABC may" },
        { "a/annex/ABC/ABC-x", "XYZ", "only ABC may" },
        { "a/overlap/ABC", "XYZ", "only ABC may" },
        { "a/taxonomy/changes", NULL, "has to be 'change'" },
        { "a/plan/ABC/ABC-x", NULL, NULL },
        { "a/plan/ABC/ABC-x", "ABC", NULL },
        { "@ABC+XYZ/plan/ABC/ABC-x", "ABC", NULL },
        { "a/plan/" E16 "/" E16 "-" P64, NULL, NULL },
        { "a/report/ABC/ABC-x", "XYZ", NULL },
        { "a/hidden/ABC/ABC-x", "XYZ", NULL },
        { "a/overlap/XYZ", "XYZ", NULL },
        { "a/taxonomy/change", "XYZ", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        struct content_place place;
        bool ok = content_place_read (slice_text (rows[i].topic),
                                      rows[i].author, &place, &faults);
        if (ok != !rows[i].says || faults.count != !ok
            || (!ok && !strstr (faults.at[0].text, rows[i].says)))
            fail_msg ("%s by %s: %s", rows[i].topic, rows[i].author,
                      ok ? "taken" : faults.at[0].text);
        if (!ok)
            assert_string_equal (faults.at[0].pointer, "");
        faults_clear (&faults);
    }
}

#define MESSAGE                                                                \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ACTION                                                                 \
    "{'id': 'B1', 'title': 't', 'kind': 'policy', 'priorities':"               \
    " ['cybercrime'], 'regions': ['001'], 'from': '2026', 'lead': 'ABC',"      \
    " 'status': 'done', 'milestones': [{'id': 'M1', 'title': 'm', 'due':"      \
    " '2026'}]}"

/* A good body of each. */
static const struct {
    const char *topic, *body;
} good[] = {
    { "a/plan/ABC/ABC-x",
      "{'format': 1, 'withdraw': 'ABC-x', 'reason': {'en': 'over'}}" },
    { "a/hidden/ABC/ABC-x",
      "{'format': 1, 'hidden': 'ABC-x', 'withdrawal': '" MESSAGE "'}" },
    { "a/annex/ABC/ABC-x",
      "{'format': 1, 'annex': 'X', 'plan': 'ABC-x', 'entity': 'ABC',"
      " 'actions': [" ACTION "], 'adds': {'A1': {'note': 'n', 'own': [1],"
      " 'milestones': [{'id': 'M2', 'title': 'm', 'due': '2026'}]}},"
      " 'text': 'more'}" },
    { "a/annex/ABC/ABC-x",
      "{'format': 1, 'annex': 'X', 'plan': 'ABC-x', 'entity': 'ABC',"
      " 'withdraw': true, 'handling': 'TLP:RED'}" },
    { "a/report/ABC/ABC-x",
      "{'format': 1, 'report': 'ABC-x', 'action': 'A1',"
      " 'period': {'from': '2026-01', 'to': '2026-03'}, 'status': 'delayed',"
      " 'milestones': [{'id': 'M1', 'done': '2026-02'}, {'id': 'M2', 'done':"
      " null, 'due': '2026-09'}, {'id': 'M3'}], 'indicators': [{'id': 'I1',"
      " 'at': '2026-02', 'value': -1.5}], 'text': 'slow'}" },
    { "a/overlap/ABC",
      "{'format': 1, 'a': 'ABC-x#A1', 'b': 'XYZ-y#A1', 'says': 'not-overlap',"
      " 'a_of': 7, 'b_of': 9.0, 'reason': 'no'}" },
    { "a/taxonomy/change",
      "{'format': 1, 'version': 2, 'adds': {'priorities': {'arms':"
      " {'title': 'Arms', 'parent': null}}}, 'reason': 'new'}" },
    { "a/taxonomy/change", "{'format': 1, 'consent': '" MESSAGE "'}" },
};
enum {
    WITHDRAWAL,
    HIDDEN,
    ANNEX,
    ANNEX_BACK,
    REPORT,
    STATEMENT,
    CHANGE,
    CONSENT,
    GOODS
};

static struct content *read_body (const char *topic, json_t *body,
                                  struct faults *faults, bool *newer) {
    struct content_place place;
    assert_true (content_place_read (slice_text (topic), NULL, &place, faults));
    struct content *out = content_read (&place, body, taxonomy, faults, newer);
    assert_true (!out == (faults->count > 0 || *newer));
    return out;
}

static void test_refused (void **state) {
    (void) state;
    static const struct {
        int of;
        const char *at, *value, *pointer, *says; /* pointer NULL: still good */
    } rows[] = {
        { WITHDRAWAL, "", "[]", "", "no object" },
        { WITHDRAWAL, "/format", NULL, "", "has no 'format'" },
        { WITHDRAWAL, "/format", "0", "/format", "has to be 1" },
        { WITHDRAWAL, "/format", "'1'", "/format", "is text" },
        { WITHDRAWAL, "/withdraw", "'ABC-y'", "/withdraw",
          "is 'ABC-y', and the topic says 'ABC-x'" },
        { WITHDRAWAL, "/reason", NULL, NULL, "" },
        { WITHDRAWAL, "/reason", "1", "/reason", "text" },
        { HIDDEN, "/hidden", NULL, "", "has no 'hidden'" },
        { HIDDEN, "/withdrawal", "'" MESSAGE "0'", "/withdrawal", "64 digits" },
        { HIDDEN, "/withdrawal", "'x123'", "/withdrawal", "64 digits" },
        { ANNEX, "/entity", "'ABD'", "/entity", "the topic says 'ABC'" },
        { ANNEX, "/withdraw", "true", "", "takes itself back" },
        { ANNEX, "/withdraw", "false", "/withdraw", "has to be true" },
        { ANNEX, "/actions/0/lead", NULL, "/actions/0", "has no 'lead'" },
        { ANNEX, "/actions/0/to", "'2025'", "/actions/0/to", "before 'from'" },
        { ANNEX, "/actions/0/goals", "['G7']", NULL, "" },
        { ANNEX, "/actions/0/same_as", "['ABC-x#A1']", "/actions/0/same_as/0",
          "of this plan" },
        { ANNEX, "/adds/A1/milestones/0/id", "'M1'", "/adds/A1/milestones/0/id",
          "/actions/0/milestones/0 already" },
        { ANNEX, "/adds/A1/priorities", "['x']", "/adds/A1/priorities/0",
          "no priority" },
        { ANNEX, "/adds/1A", "{}", "/adds/1A", "is no id" },
        { ANNEX, "/adds/A2", "5", "/adds/A2", "an object" },
        { ANNEX, "/adds", NULL, NULL, "" },
        { ANNEX_BACK, "/withdraw", NULL, "", "none of 'actions'" },
        { ANNEX_BACK, "/annex", "'a b'", "/annex", "is no id" },
        { REPORT, "/period/to", "'2025'", "/period/to", "before 'from'" },
        { REPORT, "/period", NULL, "", "has no 'period'" },
        { REPORT, "/status", "'late'", "/status", "delayed" },
        { REPORT, "/milestones/2/id", "'M1'", "/milestones/2/id",
          "is the id of /milestones/0 already" },
        { REPORT, "/milestones/0/done", "'2026-02-29'", "/milestones/0/done",
          "no day" },
        { REPORT, "/indicators/0/value", "null", "/indicators/0/value",
          "a number" },
        { STATEMENT, "/a", "'XYZ-y'", "/a", "PLAN-ID#ACTION-ID" },
        { STATEMENT, "/a", "'XYZ-y#A1'", "/b", "behind 'a'" },
        { STATEMENT, "/a", "'XYZ-z#A1'", "/b", "behind 'a'" },
        { STATEMENT, "/says", "'maybe'", "/says", "retract" },
        { STATEMENT, "/reason", NULL, "", "has no 'reason'" },
        { STATEMENT, "/a_of", "-1", "/a_of", "0 to 9007199254740991" },
        { STATEMENT, "/b_of", "9007199254740992", "/b_of", "0 to" },
        { STATEMENT, "/b_of", "1.5", "/b_of", "whole number" },
        { CHANGE, "/version", "1", "/version", "2 to" },
        { CHANGE, "/adds", NULL, "", "neither 'adds' nor 'titles'" },
        { CHANGE, "/reason", NULL, "", "has no 'reason'" },
        { CHANGE, "/adds/priorities/arms/parent", "5",
          "/adds/priorities/arms/parent", "text" },
        { CONSENT, "/consent", "'x'", "/consent", "64 digits" },
        { CONSENT, "/consent", NULL, "", "has no" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        bool newer;
        json_t *body = json_of (good[rows[i].of].body);
        json_edit (&body, rows[i].at, rows[i].value);
        struct content *content =
            read_body (good[rows[i].of].topic, body, &faults, &newer);
        if (!rows[i].pointer != (faults.count == 0))
            fail_msg ("%d %s = %s", rows[i].of, rows[i].at, rows[i].value);
        if (rows[i].pointer
            && (strcmp (faults.at[0].pointer, rows[i].pointer) != 0
                || !strstr (faults.at[0].text, rows[i].says)))
            fail_msg ("%d %s = %s: '%s: %s'", rows[i].of, rows[i].at,
                      rows[i].value, faults.at[0].pointer, faults.at[0].text);
        content_free (&content);
        faults_clear (&faults);
        json_decref (body);
    }
}

static struct content *read_good (int which, json_t **body) {
    struct faults faults = { 0 };
    bool newer;
    *body = json_of (good[which].body);
    struct content *out = read_body (good[which].topic, *body, &faults, &newer);
    if (!out)
        fail_msg ("%d: %s: %s", which, faults.at[0].pointer, faults.at[0].text);
    return out;
}

/* A higher format is no fault, whatever else it has; members that we do not
 * know are none either. */
static void test_newer (void **state) {
    (void) state;
    for (int i = 0; i < GOODS; i++) {
        struct faults faults = { 0 };
        bool newer;
        json_t *body = json_of (good[i].body);
        json_edit (&body, "/else", "{'a': [1]}");
        struct content *content =
            read_body (good[i].topic, body, &faults, &newer);
        assert_non_null (content);
        content_free (&content);
        json_edit (&body, "/format", "2");
        json_edit (&body, "/reason", "[]");
        assert_null (read_body (good[i].topic, body, &faults, &newer));
        assert_true (newer);
        json_decref (body);
    }
}

static void test_read (void **state) {
    (void) state;
    struct content *all[GOODS];
    char hex[HASH_TEXT_MAX];
    for (int i = 0; i < GOODS; i++) {
        json_t *body;
        all[i] = read_good (i, &body);
        json_decref (body); /* a reference is kept */
    }
    assert_true (all[WITHDRAWAL]->is_withdrawal);
    assert_string_equal (text_in (&all[WITHDRAWAL]->withdrawal.reason, "en"),
                         "over");
    assert_string_equal (hash_text (hex, &all[HIDDEN]->hidden.withdrawal),
                         MESSAGE);
    const struct annex *annex = &all[ANNEX]->annex;
    assert_string_equal (annex->id, "X");
    assert_string_equal (annex->handling, "");
    assert_int_equal (json_array_size (annex->actions), 1);
    assert_int_equal (json_object_size (annex->adds), 1);
    assert_false (annex->withdraw);
    assert_true (all[ANNEX_BACK]->annex.withdraw);
    assert_null (all[ANNEX_BACK]->annex.actions);

    const struct report *report = &all[REPORT]->report;
    assert_string_equal (report->action, "A1");
    assert_true (report->has_status && report->status == STATUS_DELAYED);
    assert_int_equal (report->milestone_count, 3);
    const struct report_milestone *m = report->milestones;
    assert_true (m[0].has_done && !m[0].done_null && !m[0].has_due);
    assert_true (m[1].has_done && m[1].done_null && m[1].has_due);
    assert_true (!m[2].has_done && !m[2].has_due);
    assert_true (report->values[0].point.value == -1.5);
    assert_int_equal (report->to.last,
                      day_of_ms (1774915200000)); /* 31 March */

    const struct statement *statement = &all[STATEMENT]->statement;
    assert_int_equal (statement->says, SAYS_NOT_OVERLAP);
    assert_int_equal (statement->a_of + statement->b_of, 16);
    assert_string_equal (statement->b, "XYZ-y#A1");
    assert_int_equal (all[CHANGE]->change.version, 2);
    assert_true (all[CONSENT]->change.is_consent);
    assert_false (all[CHANGE]->change.is_consent);
    for (int i = 0; i < GOODS; i++) {
        content_free (&all[i]);
        content_free (&all[i]);
    }
}

/* A plan with a member "withdraw" of its own is a plan. */
static void test_plan (void **state) {
    (void) state;
    json_t *documents = sample_documents();
    json_t *body = json_array_get (documents, 0);
    struct faults faults = { 0 };
    bool newer;
    char topic[300];
    snprintf (topic, sizeof topic, "a/plan/%s/%s",
              json_string_value (json_object_get (body, "entity")),
              json_string_value (json_object_get (body, "plan")));
    json_edit (&body, "/withdraw", "'x'");
    struct content *content = read_body (topic, body, &faults, &newer);
    assert_non_null (content);
    assert_false (content->is_withdrawal);
    assert_int_equal (content->plan->action_count, 8);
    content_free (&content);
    assert_null (read_body ("a/plan/ABC/ABC-x", body, &faults, &newer));
    assert_string_equal (faults.at[0].pointer, "/plan");
    assert_string_equal (faults.at[1].pointer, "/entity");
    faults_clear (&faults);
    json_decref (documents);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_numbers_and_texts),
        cmocka_unit_test (test_format_numbers),
        cmocka_unit_test (test_wrong_octets),
        cmocka_unit_test (test_kinds),
        cmocka_unit_test (test_places),
        cmocka_unit_test (test_refused),
        cmocka_unit_test (test_newer),
        cmocka_unit_test (test_read),
        cmocka_unit_test (test_plan),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
