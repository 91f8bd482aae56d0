/* plan_csv: tables of plans, and what spreadsheets do to them. */
#include "plans/plan_csv.h"

#include "plans/plan.h"

#include <glob.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD                                                                   \
    "{\"plan\": \"ABC-one\", \"entity\": \"ABC\", \"lang\": \"en\","           \
    "\"title\": \"One\", \"cycle\": {\"from\": \"2026\", \"to\": \"2027\"},"   \
    "\"handling\": \"TLP:GREEN\", \"priorities\": [\"cybercrime\"],"           \
    "\"regions\": [\"150\"], \"goals\": [{\"id\": \"G1\", \"title\": "         \
    "\"Goal\"}"                                                                \
    "]}"
#define NAMES "id,title,kind,priorities,regions,from,to,lead,status"
#define ROW "A1,First,operation,cybercrime,056,2026-01,2026-12,ABC,planned"

static struct taxonomy *taxonomy;

static json_t *head (void) {
    json_t *out = json_loads (HEAD, 0, NULL);
    assert_non_null (out);
    return out;
}

static json_t *read_as (const char *csv, enum plan_csv_dates dates,
                        struct faults *faults) {
    json_t *start = head();
    json_t *out =
        plan_csv_read (slice_text (csv), start, dates, taxonomy, faults);
    json_decref (start);
    return out;
}

static json_t *good (const char *csv, enum plan_csv_dates dates) {
    struct faults faults = { 0 };
    json_t *out = read_as (csv, dates, &faults);
    if (!out)
        fail_msg ("%s\n%s: %s", csv, faults.at[0].pointer, faults.at[0].text);
    return out;
}

static void refused (const char *csv, enum plan_csv_dates dates,
                     const char *place, const char *says) {
    struct faults faults = { 0 };
    json_t *got = read_as (csv, dates, &faults);
    bool found = false;
    for (size_t i = 0; i < faults.kept; i++)
        found |= !strcmp (faults.at[i].pointer, place)
                 && strstr (faults.at[i].text, says);
    if (got || !found)
        fail_msg ("%s\n%zu: %s: %s", csv, faults.count,
                  faults.kept ? faults.at[0].pointer : "taken",
                  faults.kept ? faults.at[0].text : "");
    faults_clear (&faults);
}

static void test_names (void **state) {
    (void) state;
    static const struct {
        const char *csv, *place, *says;
    } rows[] = {
        { "", "row 1", "no names" },
        { ",,\n" ROW, "row 1", "no names" },
        { "id\n" ROW, "row 1", "no column 'title'" },
        { NAMES ",colour\n" ROW, "row 1, column 10", "no column of a plan" },
        { NAMES ",lead.fr\n" ROW, "row 1, column 10", "no column of a plan" },
        { NAMES ",title.French\n" ROW, "row 1, column 10", "no language" },
        { NAMES ",title.\n" ROW, "row 1, column 10", "no language" },
        { NAMES ",Title\n" ROW, "row 1, column 10", "as column 2" },
        { NAMES "\n" ROW ",x\n", "row 2, column 10", "without a name" },
        { NAMES ",\n" ROW ",x\n", "row 2, column 10", "without a name" },
        { NAMES "\n\"", "row 2, column 1", "nothing closes" },
        { NAMES ",plan\n" ROW ",ABC-two\n", "row 2, plan", "ABC-one" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refused (rows[i].csv, PLAN_CSV_ASK, rows[i].place, rows[i].says);
}

static void test_dates (void **state) {
    (void) state;
    static const struct {
        const char *cell, *says;             /* NULL: taken as it is */
        const char *day_first, *month_first; /* NULL: refused then, too */
    } rows[] = {
        { "2026", NULL, "2026", "2026" },
        { "2026-04", NULL, "2026-04", "2026-04" },
        { "2026-04-03", NULL, "2026-04-03", "2026-04-03" },
        { "03/04/2026", "2026-04-03 or 2026-03-04", "2026-04-03",
          "2026-03-04" },
        { "3.4.2026", "2026-04-03 or 2026-03-04", "2026-04-03", "2026-03-04" },
        { "3-4-2026", "2026-04-03 or 2026-03-04", "2026-04-03", "2026-03-04" },
        { "3 4 2026", "2026-04-03 or 2026-03-04", "2026-04-03", "2026-03-04" },
        { "25/04/2026", "write 2026-04-25", "2026-04-25", NULL },
        { "04/25/2026", "write 2026-04-25", NULL, "2026-04-25" },
        { "04/04/2026", "write 2026-04-04", "2026-04-04", "2026-04-04" },
        { "31/02/2026", "no day", NULL, NULL },
        { "3.4/2026", "YYYY", NULL, NULL },
        { "03/04/26", "two digits", NULL, NULL },
        { "26-04-03", "two digits", NULL, NULL },
        { "2026/04/03", "write 2026-04-03", NULL, NULL },
        { "2026-4-3", "write 2026-04-03", NULL, NULL },
        { "2026/13/03", "no day", NULL, NULL },
        { "46115", "mostly 2026-04-03", NULL, NULL },
        { "36526", "mostly 2000-01-01", NULL, NULL },
        { "46115.5", "YYYY", NULL, NULL },
        { "2026-04-03T00:00:00Z", "write 2026-04-03", NULL, NULL },
        { "2026-04-03 00:00", "write 2026-04-03", NULL, NULL },
        { "2026-02-30", "February 2026 has 28", NULL, NULL },
        { "2026-13", "no real month", NULL, NULL },
        { "Apr 26", "YYYY", NULL, NULL },
        { "3 April 2026", "YYYY", NULL, NULL },
        { "ongoing", "YYYY", NULL, NULL },
        { "", "has no 'from'", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int dates = PLAN_CSV_ASK; dates <= PLAN_CSV_MONTH_FIRST; dates++) {
            const char *want = dates == PLAN_CSV_DAY_FIRST ? rows[i].day_first
                               : dates == PLAN_CSV_MONTH_FIRST
                                   ? rows[i].month_first
                               : rows[i].says ? NULL
                                              : rows[i].cell;
            char csv[512];
            snprintf (csv, sizeof csv,
                      NAMES "\nA1,First,operation,cybercrime,056,%s,2100,ABC,"
                            "planned",
                      rows[i].cell);
            if (!want) {
                refused (csv, (enum plan_csv_dates) dates,
                         *rows[i].cell ? "row 2, from" : "row 2",
                         dates == PLAN_CSV_ASK ? rows[i].says : "");
                continue;
            }
            json_t *got = good (csv, (enum plan_csv_dates) dates);
            const json_t *action =
                json_array_get (json_object_get (got, "actions"), 0);
            assert_string_equal (
                json_string_value (json_object_get (action, "from")), want);
            json_decref (got);
        }
}

static void test_cells (void **state) {
    (void) state;
    static const struct {
        const char *old, *new, *place, *says;
    } rows[] = {
        { "2026-12", "", "row 2, to", "'ongoing'" },
        { "2026-12", "2025", "row 2, to", "before" },
        { "056", "56", "row 2, regions", "write 056" },
        { "056", "150 8", "row 2, regions", "write 008" },
        { "056", "BE", "row 2, regions", "write 056 for Belgium" },
        { "056", "999", "row 2, regions", "999" },
        { "056", "99", "row 2, regions", "99" },
        { "cybercrime", "cyber", "row 2, priorities", "cyber" },
        { "cybercrime", "cybercrime cybercrime", "row 2, priorities", "" },
        { "operation", "party", "row 2, kind", "party" },
        { "planned", "", "row 2", "has no 'status'" },
        { "ABC", "abc", "row 2, lead", "abc" },
        { "A1", "1", "row 2, id", "1" },
        { "A1", "", "row 2", "has no 'id'" },
        { "First", "", "row 2", "has no 'title'" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf csv = { 0 };
        const char *at = strstr (ROW, rows[i].old);
        buf_add_text (&csv, NAMES "\n");
        buf_add (&csv, ROW, (size_t) (at - ROW));
        buf_add_text (&csv, rows[i].new);
        buf_add_text (&csv, at + strlen (rows[i].old));
        char *text = buf_take_text (&csv);
        refused (text, PLAN_CSV_ASK, rows[i].place, rows[i].says);
        free (text);
    }
    static const struct {
        const char *csv, *place, *says;
    } others[] = {
        { NAMES ",goals\n" ROW ",G2\n", "row 2, goals", "G2" },
        { NAMES ",title.fr\n" ROW ",Premier\n", "row 2, title.fr",
          "its language" },
        { NAMES ",milestones\n" ROW ",M1 2026 First\n", "row 2, milestones",
          "ID | DUE" },
        { NAMES ",milestones\n" ROW ",M1 | 03/04/2026 | | First\n",
          "row 2, milestones", "2026-04-03 or 2026-03-04" },
        { NAMES ",milestones\n" ROW ",M1 | | | First\n", "row 2, milestones",
          "no 'due'" },
        { NAMES ",milestones\n" ROW ",A1 | 2026 | | First\n",
          "row 2, milestones", "A1" },
        { NAMES "\n" ROW "\n\n" ROW "\n", "row 4, id", "A1" },
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        refused (others[i].csv, PLAN_CSV_ASK, others[i].place, others[i].says);
}

/* All of them are told, each once, by row and column. */
static void test_every_fault (void **state) {
    (void) state;
    struct faults faults = { 0 };
    assert_null (read_as (
        NAMES "\n"
              "A1,First,operation,cybercrime,56,03/04/2026,,ABC,planned\n"
              "A1,Second,party,cybercrime,056,2026,ongoing,ABC,planned\n",
        PLAN_CSV_ASK, &faults));
    static const char *const want[] = { "row 2, regions", "row 2, from",
                                        "row 2, to", "row 3, kind",
                                        "row 3, id" };
    assert_int_equal (faults.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal (faults.at[i].pointer, want[i]);
    faults_clear (&faults);
}

static void test_head (void **state) {
    (void) state;
    static const struct {
        const char *head, *place, *says;
    } rows[] = {
        { "[]", "", "no JSON object" },
        { "{\"actions\": []}", "/actions", "in the head" },
        { "{\"plan\": \"ABC-one\"}", "", "entity" },
        { "{\"title\": 7}", "/title", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        json_t *start = json_loads (rows[i].head, 0, NULL);
        bool found = false;
        assert_null (plan_csv_read (slice_text (NAMES "\n" ROW), start,
                                    PLAN_CSV_ASK, taxonomy, &faults));
        for (size_t k = 0; k < faults.kept; k++)
            found |= !strcmp (faults.at[k].pointer, rows[i].place)
                     && strstr (faults.at[k].text, rows[i].says);
        if (!found)
            fail_msg ("%s: %s: %s", rows[i].head, faults.at[0].pointer,
                      faults.at[0].text);
        faults_clear (&faults);
        json_decref (start);
    }
}

/* As a spreadsheet may write it: a byte order mark, semicolons, blanks, names
 * in capitals, empty rows and cells behind. */
static void test_good (void **state) {
    (void) state;
    json_t *got = good (
        "\xef\xbb\xbfID ;Title.fr;title.en;KIND;Priorities;Regions;From;To;Lead"
        ";Status;partners;others;needs;milestones;note;;\r\n"
        "A1; \xc2\xa0Premier ;First;Operation;cybercrime,border-security;"
        "\"056;250\nEU\";2026-04-03;Ongoing;ABC;Planned;DEF GHI;"
        "\"One, two\nThree\\\\ \\n four\n\n\";'+2 officers;"
        "\"M1 | 2026-05 | | First | with a bar\nM2|2026-06-01|2026-06|Second\";"
        "'=not a formula;;\r\n"
        ";;;;;;;;;;;;;;;;\r\n\r\n",
        PLAN_CSV_ASK);
    json_t *want = json_pack (
        "{ss s{ss ss} ss s[ss] s[sss] ss sn ss ss s[ss] s[ss] s[s] s[{ss ss ss}"
        "{ss ss ss ss}] ss}",
        "id", "A1", "title", "fr", "Premier", "en", "First", "kind",
        "operation", "priorities", "cybercrime", "border-security", "regions",
        "056", "250", "EU", "from", "2026-04-03", "to", "lead", "ABC", "status",
        "planned", "partners", "DEF", "GHI", "others", "One, two",
        "Three\\ \n four", "needs", "+2 officers", "milestones", "id", "M1",
        "due", "2026-05", "title", "First | with a bar", "id", "M2", "due",
        "2026-06-01", "done", "2026-06", "title", "Second", "note",
        "=not a formula");
    assert_non_null (want);
    json_t *actions = json_object_get (got, "actions");
    assert_int_equal (json_array_size (actions), 1);
    if (!json_equal (json_array_get (actions, 0), want))
        fail_msg ("%s", json_dumps (json_array_get (actions, 0), 0));
    assert_int_equal (json_integer_value (json_object_get (got, "format")), 1);
    json_decref (want);
    json_decref (got);
    got = good (NAMES "\n", PLAN_CSV_ASK); /* a plan may have no action */
    json_decref (got);
}

/* What a table does not tell from absence. */
static void plain (json_t *action) {
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe (action, next, name,
                              value) if (json_is_array (value)
                                         && !json_array_size (value))
        json_object_del (action, name);
    if (!json_object_get (action, "to"))
        json_object_set_new (action, "to", json_null());
}

static void round_trip (const json_t *document) {
    struct buf csv = { 0 };
    struct faults faults = { 0 };
    json_t *left_out, *start = json_deep_copy (document);
    plan_csv_write (&document, 1, &csv, &left_out);
    if (json_array_size (json_array_get (left_out, 0)))
        fail_msg ("left out: %s", json_dumps (left_out, 0));
    json_object_del (start, "actions");
    json_t *again = plan_csv_read (buf_slice (&csv), start, PLAN_CSV_ASK,
                                   taxonomy, &faults);
    if (!again)
        fail_msg ("%s: %s\n%.*s", faults.at[0].pointer, faults.at[0].text,
                  (int) csv.size, (const char *) csv.data);
    json_t *want = json_deep_copy (document), *action;
    size_t i;
    json_array_foreach (json_object_get (want, "actions"), i, action)
        plain (action);
    if (!json_equal (want, again))
        fail_msg ("%s\n%s", json_dumps (want, 0), json_dumps (again, 0));
    json_decref (left_out);
    json_decref (start);
    json_decref (again);
    json_decref (want);
    buf_free (&csv);
}

static void test_samples (void **state) {
    (void) state;
    char pattern[512];
    glob_t files;
    json_t *documents[32];
    const char *sample = getenv ("PARLEY_SAMPLE");
    assert_non_null (sample);
    snprintf (pattern, sizeof pattern, "%s/plans/*.json", sample);
    assert_int_equal (glob (pattern, 0, NULL, &files), 0);
    assert_in_range (files.gl_pathc, 14, 32);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        documents[i] = json_load_file (files.gl_pathv[i], 0, NULL);
        assert_non_null (documents[i]);
        round_trip (documents[i]);
    }
    struct buf csv = { 0 };
    plan_csv_write ((const json_t *const *) documents, files.gl_pathc, &csv,
                    NULL);
    size_t rows = 0;
    for (size_t i = 0; i < csv.size; i++)
        rows += csv.data[i] == '\n';
    assert_int_equal (rows, 1 + 106);
    assert_non_null (
        memmem (csv.data, csv.size, "\xef\xbb\xbfplan,id,title,", 17));
    for (size_t i = 0; i < files.gl_pathc; i++)
        json_decref (documents[i]);
    buf_free (&csv);
    globfree (&files);
}

static json_t *random_text (void) {
    static const char *const pieces[] = { "=1+1", "@",  "'",        "+",
                                          "-",    "\"", ",",        ";",
                                          "|",    "\\", "\\n",      "\n",
                                          " x",   "y ", "\xd8\xb9", "a" };
    char text[128] = "";
    for (int n = (int) (random() % 6) + 1; n > 0; n--)
        strcat (text,
                pieces[(size_t) random() % (sizeof pieces / sizeof *pieces)]);
    strcat (text, "z"); /* no blanks around it */
    return json_string (text + strspn (text, " \n"));
}

static void test_round_trip (void **state) {
    (void) state;
    srandom (5);
    for (int i = 0; i < 300; i++) {
        json_t *document = head(), *actions = json_array();
        json_object_set_new (document, "format", json_integer (1));
        for (int k = (int) (random() % 4); k >= 0; k--) {
            char id[8], milestone[8];
            snprintf (id, sizeof id, "A%d", k);
            snprintf (milestone, sizeof milestone, "M%d", k);
            json_t *action = json_pack (
                "{ss ss so ss s[ss] s[ss] ss ss* ss ss s[oo] s[oo] s[{ss ss "
                "so}]"
                "}",
                "id", id, "kind", "data-sharing", "note", random_text(),
                "status", "done", "priorities", "cybercrime",
                "cybercrime/online-fraud", "regions", "001", "EU", "from",
                "2026-01", "to", random() % 2 ? "2026" : NULL, "lead", "ABC",
                "description", "=", "others", random_text(), random_text(),
                "needs", random_text(), random_text(), "milestones", "id",
                milestone, "due", "2026-04", "title", random_text());
            json_t *title = random_text();
            if (random() % 2)
                title = json_pack ("{so so}", "fr", title, "zh-Hant",
                                   random_text());
            json_object_set_new (action, "title", title);
            json_array_append_new (actions, action);
        }
        json_object_set_new (document, "actions", actions);
        round_trip (document);
        json_decref (document);
    }
}

/* What a table can't hold is told, where it stands. */
static void test_left_out (void **state) {
    (void) state;
    json_t *document = head();
    json_object_set_new (
        document, "actions",
        json_pack ("[{ss ss s[s] s[{ss}s] s[{ss ss s{ss}}{ss ss ss ss}] s[{ss}]"
                   "s{ss} ss s[ss]}]",
                   "id", "A1", "title", " First", "partners", "DEF", "others",
                   "fr", "Premier", "x", "milestones", "id", "M1", "due",
                   "2026", "title", "fr", "Un", "id", "M2", "due", "2026",
                   "title", "two", "more", "y", "indicators", "id", "I1",
                   "x-new", "a", "b", "to", "2026-12", "goals", "G 1", "G2"));
    static const char *const want[] = {
        "/actions/0/indicators", "/actions/0/x-new",  "/actions/0/title",
        "/actions/0/goals",      "/actions/0/others", "/actions/0/milestones"
    };
    json_t *left_out;
    struct buf csv = { 0 };
    const json_t *documents[] = { document };
    plan_csv_write (documents, 1, &csv, &left_out);
    const json_t *list = json_array_get (left_out, 0);
    if (json_array_size (list) != 6)
        fail_msg ("%s", json_dumps (left_out, 0));
    for (size_t i = 0; i < 6; i++)
        assert_string_equal (json_string_value (json_array_get (list, i)),
                             want[i]);
    json_decref (left_out);
    json_decref (document);
    buf_free (&csv);
}

/* A file of the largest size is refused in a moment. */
static void test_large (void **state) {
    (void) state;
    struct buf csv = { 0 };
    struct faults faults = { 0 };
    buf_add_text (&csv, NAMES "\n");
    for (int i = 0; i < 9000; i++)
        buf_add_text (&csv, "A,\"First, \",party,x x,56,46115,,abc,open\n");
    json_t *start = head();
    assert_null (plan_csv_read (buf_slice (&csv), start, PLAN_CSV_ASK, taxonomy,
                                &faults));
    assert_true (faults.count >= 27000);
    assert_int_equal (faults.kept, FAULTS_MAX);
    faults_clear (&faults);
    json_decref (start);
    buf_free (&csv);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_names),    cmocka_unit_test (test_dates),
        cmocka_unit_test (test_cells),    cmocka_unit_test (test_every_fault),
        cmocka_unit_test (test_head),     cmocka_unit_test (test_good),
        cmocka_unit_test (test_samples),  cmocka_unit_test (test_round_trip),
        cmocka_unit_test (test_left_out), cmocka_unit_test (test_large),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
