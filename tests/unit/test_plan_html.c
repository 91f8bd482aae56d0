/* plan_html: all of a plan on paper, and none of it as markup. */
#include "plans/plan_html.h"

#include <ctype.h>
#include <glob.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct taxonomy *taxonomy;

static const struct plan_html_meta record = {
    .revision = 3,
    .sequence = 4711,
    .log_time = INT64_C (1780999980000),
    .channel = "members",
    .author = "ABC/desk",
};

static char *print (const json_t *document, const struct plan_html_meta *meta) {
    struct buf out = { 0 };
    plan_html (document, meta, taxonomy, &out);
    return buf_take_text (&out);
}

static bool has (const char *text, const char *part) {
    return strstr (text, part) != NULL;
}

/* Every element is closed where it was opened; only our own ones are there,
 * with our own attributes. */
static void well_formed (const char *text) {
    static const char *const allowed[] = { "html",  "head",  "meta",  "title",
                                           "style", "body",  "table", "thead",
                                           "tfoot", "tbody", "tr",    "td",
                                           "th",    "div",   "span",  "h1",
                                           "h2",    "h3",    "p",     "b" };
    char open[64][16];
    size_t depth = 0;
    for (const char *at = strchr (text, '<'); at; at = strchr (at + 1, '<')) {
        char name[16] = "";
        bool closing = at[1] == '/';
        sscanf (at + 1 + closing, "%15[a-z0-9]", name);
        if (!strncmp (at, "<!DOCTYPE", 9) || !strcmp (name, "meta"))
            continue;
        bool known = false;
        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
            known |= !strcmp (allowed[i], name);
        if (!known)
            fail_msg ("element '%.40s'", at);
        if (closing) {
            if (!depth || strcmp (open[depth - 1], name) != 0)
                fail_msg ("</%s> closes %s: %.60s", name,
                          depth ? open[depth - 1] : "nothing", at);
            depth--;
        } else {
            assert_true (depth < 64);
            memcpy (open[depth++], name, sizeof name);
        }
        for (const char *a = at; *a && *a != '>'; a++)
            if (*a == '=' && !strchr ("\"", a[1]))
                fail_msg ("attribute at '%.40s'", at);
    }
    assert_int_equal (depth, 0);
    assert_false (has (text, " src="));
    assert_false (has (text, " href="));
    assert_false (has (text, " on"
                             "click"));
}

/* A plan with all that the schema has; each text is "<T n>". */
static json_t *whole (void) {
    static const char text[] =
        "{'format': 1, 'plan': 'ABC-one', 'entity': 'ABC', 'lang': 'fr',"
        "'title': {'fr': '<T1>', 'ar': '<T2>'}, 'summary': '<T3>',"
        "'level': 'strategy', 'part_of': 'ABC-zero#G9', 'adopted': {"
        "'by': '<T4>', 'on': '2026-01-10', 'reference': '<T5>'},"
        "'cycle': {'from': '2026', 'to': '2027-06', 'next_review': "
        "'2026-12-01', 'phases': [{'phase': 'drafting', 'from': '2025',"
        "'to': '2025-05'}]}, 'handling': 'TLP:AMBER', 'caveats': [{"
        "'scheme': '<T6>', 'code': '<T7>', 'text': '<T8>'}],"
        "'priorities': ['cybercrime'], 'own_terms': {'cybercrime': '<T9>'},"
        "'regions': ['EU', '056'], 'sources': ['<T10>'], 'contacts': [{"
        "'function': '<T11>', 'unit': '<T12>', 'via': 'mail', 'address':"
        "'<T13>'}], 'x-top': ['<T14>'], 'goals': [{'id': 'G1', 'title':"
        "'<T15>', 'x-goal': '<T16>', 'priorities': ['cybercrime/online-fraud'"
        "], 'regions': ['150'], 'indicators': [{'id': 'I1', 'title':"
        "'<T17>', 'unit': '<T18>', 'source': '<T19>', 'baseline': {'at':"
        "'2024', 'value': 10.5}, 'targets': [{'at': '2028', 'value': 12}]}]},"
        "{'id': 'G2', 'title': 'G', 'parent': 'G1'}],"
        "'actions': [{'id': 'A1', 'title': '<T20>', 'description': '<T21>',"
        "'kind': 'operation', 'status': 'active', 'priorities':"
        "['border-security'], 'regions': ['404'], 'from': '2026-02',"
        "'to': null, 'lead': 'DEF', 'co_leads': ['GHI'], 'partners': ['JKL'],"
        "'others': ['<T22>'], 'open_to': ['*'], 'needs': ['<T23>'],"
        "'goals': ['G1'], 'depends_on': ['MNO-x#A1'], 'same_as':"
        "['PQR-y#A2'], 'note': '<T24>', 'x<y': '<T25>', 'milestones': [{"
        "'id': 'M1', 'title': '<T26>', 'due': '2026-07', 'done':"
        "'2026-08-09'}], 'indicators': [{'id': 'I2', 'title': '<T27>'}]}]}";
    char *copy = mem_copy_text (text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_error_t e;
    json_t *out = json_loads (copy, 0, &e);
    if (!out)
        fail_msg ("%s", e.text);
    free (copy);
    return out;
}

static void test_whole (void **state) {
    (void) state;
    static const char *const parts[] = {
        "revision 3, record 4711",
        "ABC-one by ABC/desk on members, 2026-06-09 10:13 UTC",
        ">TLP:AMBER<",
        "strategy",
        "ABC-zero#G9",
        "2026 to 2027-06; next review 2026-12-01",
        "drafting: 2025 to 2025-05",
        ">Cybercrime<",
        ">European Union<",
        ">Belgium<",
        "mail: ",
        ">Online and cyber-enabled fraud<",
        ">Europe<",
        "10.5 (2024)",
        "12 (2028)",
        "2026-02, ongoing",
        "DEF",
        "GHI",
        "JKL",
        ">Kenya<",
        "MNO-x#A1",
        "PQR-y#A2",
        "M1",
        "2026-07",
        "2026-08-09",
        "x&lt;y",
        "lang=\"ar\"",
        ">ar</span>",
        "x-top",
        "x-goal"
    };
    json_t *document = whole();
    char *text = print (document, &record);
    well_formed (text);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!has (text, parts[i]))
            fail_msg ("'%s' is not there", parts[i]);
    for (int i = 1; i <= 27; i++) {
        char part[32];
        snprintf (part, sizeof part, "&lt;T%d&gt;", i);
        if (!has (text, part))
            fail_msg ("text %d is not there", i);
    }
    assert_false (has (text, "<T"));
    assert_false (has (text, "only for"));
    free (text);
    json_decref (document);
}

static void test_meta (void **state) {
    (void) state;
    json_t *document = whole();
    json_t *audience =
        json_pack ("{ss ss ss}", "/actions/0", "<narrow>", "/actions/0/note",
                   "members", "/summary", "none");
    struct plan_html_meta meta = { .note = "two <overlaps>",
                                   .lang = "ar",
                                   .audience = audience };
    char *text = print (document, &meta);
    well_formed (text);
    assert_true (has (text, "draft, not published"));
    assert_false (has (text, "UTC"));
    assert_true (has (text, "two &lt;overlaps&gt;"));
    assert_true (has (text, "only for <b dir=\"auto\">&lt;narrow&gt;</b>"));
    assert_true (has (text, "only for <b dir=\"auto\">members</b>"));
    assert_true (has (text, "<title>&lt;T2&gt;"));
    assert_false (has (text, "&lt;T1&gt;")); /* another language */
    free (text);
    /* The plan's own channel is told once, in the foot. */
    meta.channel = "members";
    text = print (document, &meta);
    assert_false (has (text, "only for <b dir=\"auto\">members</b>"));
    assert_true (has (text, "only for <b dir=\"auto\">&lt;narrow&gt;</b>"));
    free (text);
    meta.lang = "de"; /* nothing has it: all are shown */
    text = print (document, &meta);
    assert_true (has (text, "&lt;T1&gt;") && has (text, "&lt;T2&gt;"));
    free (text);
    json_decref (audience);
    json_decref (document);
}

/* Each member in turn as each type: shown or not, the page stays a page. */
static void twist (json_t *document, json_t *part, size_t *count) {
    static const char *const values[] = {
        "null",
        "true",
        "-7.5",
        "\"<T>\"",
        "[]",
        "[[\"<T>\"], 3, {}]",
        "{\"<T>\": \"<T>\"}",
        "{\"id\": [], \"title\": {\"x\": 1}}"
    };
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe (part, next, name, value) {
        json_t *kept = json_incref (value);
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            json_object_set_new (part, name,
                                 json_loads (values[i], JSON_DECODE_ANY, NULL));
            char *text = print (document, &record);
            well_formed (text);
            assert_false (has (text, "<T"));
            free (text);
            ++*count;
        }
        json_object_set_new (part, name, kept);
    }
}

static void test_twisted (void **state) {
    (void) state;
    json_t *document = whole();
    json_t *action = json_array_get (json_object_get (document, "actions"), 0);
    json_t *goal = json_array_get (json_object_get (document, "goals"), 0);
    json_t *parts[] = {
        document,
        action,
        goal,
        json_object_get (document, "cycle"),
        json_object_get (document, "adopted"),
        json_array_get (json_object_get (document, "contacts"), 0),
        json_array_get (json_object_get (document, "caveats"), 0),
        json_array_get (json_object_get (action, "milestones"), 0),
        json_array_get (json_object_get (goal, "indicators"), 0),
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        twist (document, parts[i], &count);
    assert_true (count > 400);
    json_decref (document);
    static const char *const whole_documents[] = { "{}", "[]", "7", "null" };
    for (size_t i = 0; i < 4; i++) {
        document = json_loads (whole_documents[i], JSON_DECODE_ANY, NULL);
        char *text = print (document, &record);
        well_formed (text);
        free (text);
        json_decref (document);
    }
}

static void test_samples (void **state) {
    (void) state;
    char pattern[512];
    glob_t files;
    const char *sample = getenv ("PARLEY_SAMPLE");
    assert_non_null (sample);
    snprintf (pattern, sizeof pattern, "%s/plans/*.json", sample);
    assert_int_equal (glob (pattern, 0, NULL, &files), 0);
    assert_true (files.gl_pathc >= 14);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        json_t *document = json_load_file (files.gl_pathv[i], 0, NULL);
        char *text = print (document, &record);
        well_formed (text);
        assert_false (has (text, "class=\"json\""));
        free (text);
        json_decref (document);
    }
    globfree (&files);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_whole),
        cmocka_unit_test (test_meta),
        cmocka_unit_test (test_twisted),
        cmocka_unit_test (test_samples),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
