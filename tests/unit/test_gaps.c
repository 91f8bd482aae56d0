/* gaps: priorities that a body declares and does not work on, and regions that
 * nobody serves. */
#include "plan_fixture.h"

#include "plans/gaps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct taxonomy *taxonomy;

static struct plan *make (const char *entity, const char *cycle_to,
                          const char *declares, const char *goals,
                          const char *actions) {
    char text[8192];
    snprintf (text, sizeof text,
              "{\"format\":1,\"plan\":\"%s-p\",\"entity\":\"%s\",\"lang\":"
              "\"en\",\"title\":\"t\",\"cycle\":{\"from\":\"2020\",\"to\":"
              "\"%s\"},\"handling\":\"TLP:CLEAR\",\"priorities\":%s,"
              "\"regions\":[\"001\"],\"goals\":%s,\"actions\":[%s]}",
              entity, entity, cycle_to, declares, goals, actions);
    json_t *document = json_loads (text, 0, NULL);
    assert_non_null (document);
    struct plan *out = plan_of (document, taxonomy);
    json_decref (document);
    return out;
}

#define ACTION(id, priority, region, to, status)                               \
    "{\"id\":\"" id "\",\"title\":\"t\",\"kind\":\"training\","                \
    "\"priorities\":[\"" priority "\"],\"regions\":[\"" region "\"],"          \
    "\"from\":\"2020\",\"to\":\"" to                                           \
    "\",\"lead\":\"EUROPOL\",\"status\":\"" status "\"}"

#define NO_GOAL "[{\"id\":\"G\",\"title\":\"g\"}]"
#define DRUGS "organized-crime/drugs-trafficking"
#define CRIME "organized-crime"
#define CYBER "cybercrime/cyber-attacks"

static int32_t day (const char *text) {
    struct date date;
    struct error e;
    assert_int_equal (date_read (slice_text (text), &date, &e), ERR_NONE);
    return date.first;
}

/* One plan, asked on 2025-01-01; the gaps as "entity goal priority thin". */
struct declared_case {
    const char *name, *cycle_to, *declares, *goals, *actions;
    bool with_thin;
    const char *gaps;
};

static const struct declared_case declared_cases[] = {
    { "worked on", "2026", "[\"" DRUGS "\"]", NO_GOAL,
      ACTION ("A1", DRUGS, "002", "2026", "active"), true, "" },
    { "not at all", "2026", "[\"" DRUGS "\"]", NO_GOAL, "", false,
      "[-]" DRUGS " 0;" },
    { "over", "2026", "[\"" DRUGS "\"]", NO_GOAL,
      ACTION ("A1", DRUGS, "002", "2024", "done"), false, "[-]" DRUGS " 0;" },
    { "over yesterday", "2026", "[\"" DRUGS "\"]", NO_GOAL,
      ACTION ("A1", DRUGS, "002", "2024-12-31", "active"), false,
      "[-]" DRUGS " 0;" },
    { "until today", "2026", "[\"" DRUGS "\"]", NO_GOAL,
      ACTION ("A1", DRUGS, "002", "2025-01-01", "active"), false, "" },
    { "cancelled", "2026", "[\"" DRUGS "\"]", NO_GOAL,
      ACTION ("A1", DRUGS, "002", "2026", "cancelled"), false,
      "[-]" DRUGS " 0;" },
    { "below the declared one", "2026", "[\"" CRIME "\"]", NO_GOAL,
      ACTION ("A1", DRUGS, "002", "2026", "active"), false, "" },
    { "above it, thin asked", "2026", "[\"" DRUGS "\"]", NO_GOAL,
      ACTION ("A1", CRIME, "002", "2026", "active"), true, "[-]" DRUGS " 1;" },
    { "above it", "2026", "[\"" DRUGS "\"]", NO_GOAL,
      ACTION ("A1", CRIME, "002", "2026", "active"), false, "" },
    { "a goal's", "2026", "[\"" CRIME "\"]",
      "[{\"id\":\"G1\",\"title\":\"t\",\"priorities\":[\"" CYBER "\"]}]",
      ACTION ("A1", DRUGS, "002", "2026", "active"), false,
      "[G1]" CYBER " 0;" },
    { "its cycle is over", "2024", "[\"" DRUGS "\"]", NO_GOAL, "", false, "" },
};

static void declared_check (const struct declared_case *c) {
    struct plan *plan =
        make ("EUROPOL", c->cycle_to, c->declares, c->goals, c->actions);
    const struct plan *plans[] = { plan };
    struct gaps_query query = { .on = day ("2025-01-01"),
                                .kinds = 1u << GAP_UNWORKED,
                                .with_thin = c->with_thin };
    struct gaps_answer answer;
    struct buf text = { 0 };
    gaps_find (plans, 1, taxonomy, &query, &answer);
    for (size_t i = 0; i < answer.count; i++)
        buf_add_format (
            &text, "[%s]%s %d;", *answer.at[i].goal ? answer.at[i].goal : "-",
            taxonomy_priority_code (taxonomy, answer.at[i].priority),
            answer.at[i].thin_count);
    buf_add (&text, "", 1);
    if (strcmp ((char *) text.data, c->gaps) != 0)
        fail_msg ("%s: '%s', not '%s'", c->name, (char *) text.data, c->gaps);
    buf_free (&text);
    gaps_answer_free (&answer);
    plan_free (&plan);
}

static void test_declared (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof declared_cases / sizeof *declared_cases; i++)
        declared_check (&declared_cases[i]);
}

/* Another body's work closes no gap of ours. */
static void test_bodies (void **state) {
    (void) state;
    struct plan *ours =
        make ("EUROPOL", "2026", "[\"" DRUGS "\"]", NO_GOAL, "");
    struct plan *theirs = make ("INTERPOL", "2026", "[\"" DRUGS "\"]", NO_GOAL,
                                ACTION ("A1", DRUGS, "001", "2026", "active"));
    const struct plan *plans[] = { ours, theirs };
    struct gaps_query query = { .on = day ("2025-01-01"),
                                .kinds = 1u << GAP_UNWORKED,
                                .with_thin = true };
    struct gaps_answer answer;
    gaps_find (plans, 2, taxonomy, &query, &answer);
    assert_int_equal (answer.count, 1);
    assert_string_equal (answer.at[0].entity, "EUROPOL");
    gaps_answer_free (&answer);
    query.entity = "INTERPOL";
    gaps_find (plans, 2, taxonomy, &query, &answer);
    assert_int_equal (answer.count, 0);
    gaps_answer_free (&answer);
    plan_free (&ours);
    plan_free (&theirs);
}

static const struct gap *unserved (const struct gaps_answer *answer,
                                   const char *region, const char *priority) {
    for (size_t i = 0; i < answer->count; i++)
        if (answer->at[i].kind == GAP_UNSERVED
            && strcmp (taxonomy_region_code (taxonomy, answer->at[i].region),
                       region)
                   == 0
            && strcmp (
                   taxonomy_priority_code (taxonomy, answer->at[i].priority),
                   priority)
                   == 0)
            return &answer->at[i];
    return NULL;
}

static void test_unserved (void **state) {
    (void) state;
    struct plan *plan =
        make ("EUROPOL", "2026", "[\"" DRUGS "\"]", NO_GOAL,
              ACTION ("A1", DRUGS, "011", "2026", "active") "," ACTION (
                  "A2", CRIME, "019", "2026",
                  "active") "," ACTION ("A3", CYBER, "001", "2026", "active"));
    const struct plan *plans[] = { plan };
    const int regions[] = { taxonomy_region (taxonomy, slice_text ("002")),
                            taxonomy_region (taxonomy, slice_text ("019")),
                            taxonomy_region (taxonomy, slice_text ("ASEAN")) };
    struct gaps_query query = { .on = day ("2025-01-01"),
                                .kinds = 1u << GAP_UNSERVED,
                                .with_thin = true,
                                .regions = regions,
                                .region_count = 3 };
    struct gaps_answer answer;
    gaps_find (plans, 1, taxonomy, &query, &answer);
    /* Western Africa is a part of Africa: served. */
    assert_null (unserved (&answer, "002", DRUGS));
    const struct gap *gap = unserved (&answer, "019", DRUGS);
    assert_non_null (gap);
    assert_true (gap->thin);
    assert_int_equal (gap->thin_count, 1);
    assert_true (countries_empty (&gap->uncovered));
    gap = unserved (&answer, "ASEAN", DRUGS);
    assert_non_null (gap);
    assert_false (gap->thin);
    assert_int_equal (countries_count (&gap->uncovered), 10);
    gap = unserved (&answer, "ASEAN", CYBER); /* by the world alone */
    assert_non_null (gap);
    assert_true (gap->thin);
    struct buf words = { 0 };
    gap_explain (taxonomy, gap, &words);
    buf_add (&words, "", 1);
    assert_non_null (strstr ((char *) words.data, "Thin cover: 1 general"));
    buf_free (&words);
    gaps_answer_free (&answer);

    query.with_thin = false;
    gaps_find (plans, 1, taxonomy, &query, &answer);
    assert_null (unserved (&answer, "ASEAN", CYBER));
    assert_non_null (unserved (&answer, "ASEAN", DRUGS));
    gaps_answer_free (&answer);

    query.has_priority = true;
    query.priority = taxonomy_priority (taxonomy, slice_text (DRUGS));
    gaps_find (plans, 1, taxonomy, &query, &answer);
    assert_int_equal (answer.count, 1);
    gaps_answer_free (&answer);
    plan_free (&plan);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_declared),
        cmocka_unit_test (test_bodies),
        cmocka_unit_test (test_unserved),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
