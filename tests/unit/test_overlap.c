/* overlap: what makes two actions overlap, of which class, and how it is said;
 * the samples' numbers. */
#include "plan_fixture.h"

#include "plans/overlap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct taxonomy *taxonomy;

/* Plans of two bodies with one action each, of which a case changes something. */
struct side {
    const char *entity, *priorities, *regions, *from, *to, *more;
};

static struct plan *side_plan (const struct side *side, const char *id) {
    char text[4096];
    snprintf (
        text, sizeof text,
        "{\"format\":1,\"plan\":\"%s-%s\",\"entity\":\"%s\",\"lang\":\"en\","
        "\"title\":\"t\",\"cycle\":{\"from\":\"2020\",\"to\":\"2030\"},"
        "\"handling\":\"TLP:CLEAR\",\"priorities\":[\"cybercrime\"],"
        "\"regions\":[\"001\"],\"goals\":[{\"id\":\"G\",\"title\":\"g\"}],"
        "\"actions\":[{\"id\":\"A1\","
        "\"title\":\"t\",\"kind\":\"operation\",\"priorities\":%s,"
        "\"regions\":%s,\"from\":\"%s\",\"to\":%s,\"lead\":\"%s\","
        "\"status\":\"active\"%s}]}",
        side->entity, id, side->entity, side->priorities, side->regions,
        side->from, side->to, side->entity, side->more);
    json_t *document = json_loads (text, 0, NULL);
    assert_non_null (document);
    struct plan *out = plan_of (document, taxonomy);
    json_decref (document);
    return out;
}

#define DRUGS "[\"organized-crime/drugs-trafficking\"]"
#define FIREARMS "[\"organized-crime/firearms-trafficking\"]"
#define CRIME "[\"organized-crime\"]"
#define BASE(e)                                                                \
    { e, DRUGS, "[\"250\"]", "2024-03-01", "\"2024-03-31\"", "" }

struct pair_case {
    const char *name;
    struct side a, b;
    int class; /* -1: none */
    bool broad, imprecise;
    int countries;
    const char *says; /* a part of the explanation */
};

static const struct pair_case pair_cases[] = {
    { "alike", BASE ("EUROPOL"), BASE ("INTERPOL"), OVERLAP_POSSIBLE, false,
      false, 1,
      "Both work on \"Drugs and precursor trafficking\" in France from "
      "2024-03-01 to 2024-03-31. Neither names the other." },
    { "one body", BASE ("EUROPOL"), BASE ("EUROPOL"), -1, false, false, 0, "" },
    { "other priority",
      BASE ("EUROPOL"),
      { "INTERPOL", FIREARMS, "[\"250\"]", "2024-03-01", "null", "" },
      -1,
      false,
      false,
      0,
      "" },
    { "the field above",
      BASE ("EUROPOL"),
      { "INTERPOL", CRIME, "[\"250\"]", "2024-03-01", "null", "" },
      OVERLAP_POSSIBLE,
      true,
      false,
      1,
      "(which is in \"Organized crime\") in France" },
    { "two fields",
      { "EUROPOL", CRIME, "[\"250\"]", "2024", "null", "" },
      { "INTERPOL", CRIME, "[\"250\"]", "2024", "null", "" },
      OVERLAP_POSSIBLE,
      true,
      true,
      1,
      "Broad: one side names only the whole field of work." },
    { "an equal facet beside a broad one",
      BASE ("EUROPOL"),
      { "INTERPOL",
        "[\"organized-crime\",\"organized-crime/drugs-trafficking\"]",
        "[\"250\"]", "2024-03-01", "null", "" },
      OVERLAP_POSSIBLE,
      false,
      false,
      1,
      "on \"Drugs and precursor trafficking\" in France" },
    { "other country",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"056\"]", "2024-03-01", "null", "" },
      -1,
      false,
      false,
      0,
      "" },
    { "a region that holds it",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"155\"]", "2024-03-01", "null", "" },
      OVERLAP_POSSIBLE,
      false,
      false,
      1,
      "in France" },
    { "the world",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"001\"]", "2024-03-01", "null", "" },
      OVERLAP_POSSIBLE,
      true,
      false,
      1,
      "one side names the whole world" },
    { "a group's former member",
      { "EUROPOL", DRUGS, "[\"EU\"]", "2020-02-01", "null", "" },
      { "INTERPOL", DRUGS, "[\"826\"]", "2020-01-01", "null", "" },
      -1,
      false,
      false,
      0,
      "" },
    { "a member on the last day",
      { "EUROPOL", DRUGS, "[\"EU\"]", "2020-01-31", "null", "" },
      { "INTERPOL", DRUGS, "[\"826\"]", "2020-01-01", "null", "" },
      OVERLAP_POSSIBLE,
      false,
      false,
      1,
      "from 2020-01-31 on, without an end" },
    { "the day after",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"250\"]", "2024-04-01", "null", "" },
      -1,
      false,
      false,
      0,
      "" },
    { "the last day",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"250\"]", "2024-03-31", "null", "" },
      OVERLAP_POSSIBLE,
      false,
      false,
      1,
      "on 2024-03-31" },
    { "a month that may begin in time",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"250\"]", "2024-03", "null", "" },
      OVERLAP_POSSIBLE,
      false,
      true,
      1,
      "2024-03-31 to 2024-03-31 is certain" },
    { "a year that may not meet",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"250\"]", "2024", "\"2024\"", "" },
      OVERLAP_POSSIBLE,
      false,
      true,
      1,
      "they may not meet at all" },
    { "cancelled",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"250\"]", "2024-03-01", "null",
        ",\"status\":\"cancelled\"" },
      -1,
      false,
      false,
      0,
      "" },
    { "one names the other",
      { "EUROPOL", DRUGS, "[\"250\"]", "2024-03-01", "null",
        ",\"partners\":[\"INTERPOL\"]" },
      BASE ("INTERPOL"),
      OVERLAP_CLAIMED,
      false,
      false,
      1,
      "EUROPOL names INTERPOL as taking part; INTERPOL does not name "
      "EUROPOL." },
    { "the other names the one",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"250\"]", "2024-03-01", "null",
        ",\"co_leads\":[\"EUROPOL\"]" },
      OVERLAP_CLAIMED,
      false,
      false,
      1,
      "INTERPOL names EUROPOL as taking part; EUROPOL does not name "
      "INTERPOL." },
    { "each names the other",
      { "EUROPOL", DRUGS, "[\"250\"]", "2024-03-01", "null",
        ",\"partners\":[\"INTERPOL\"]" },
      { "INTERPOL", DRUGS, "[\"250\"]", "2024-03-01", "null",
        ",\"partners\":[\"EUROPOL\"]" },
      OVERLAP_JOINT,
      false,
      false,
      1,
      "Each names the other" },
    { "linked",
      { "EUROPOL", DRUGS, "[\"250\"]", "2024-03-01", "null",
        ",\"same_as\":[\"INTERPOL-b#A1\"]" },
      BASE ("INTERPOL"),
      OVERLAP_SAME,
      false,
      false,
      1,
      "one joint action" },
    { "linked from the other side",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"250\"]", "2024-03-01", "null",
        ",\"same_as\":[\"EUROPOL-a#A1\"]" },
      OVERLAP_SAME,
      false,
      false,
      1,
      "" },
    { "linked to another action",
      BASE ("EUROPOL"),
      { "INTERPOL", DRUGS, "[\"250\"]", "2024-03-01", "null",
        ",\"same_as\":[\"EUROPOL-a#A2\"]" },
      OVERLAP_POSSIBLE,
      false,
      false,
      1,
      "" },
    { "linked and somewhere else",
      { "EUROPOL", DRUGS, "[\"056\"]", "2024-03-01", "null",
        ",\"same_as\":[\"INTERPOL-b#A1\"]" },
      BASE ("INTERPOL"),
      -1,
      false,
      false,
      0,
      "" },
};

static void pair_check (const struct pair_case *c, const struct plan *a,
                        const struct plan *b, bool swapped) {
    struct overlap o;
    const struct plan *first = swapped ? b : a, *second = swapped ? a : b;
    bool is_one = overlap_judge (taxonomy, first, &first->actions[0], second,
                                 &second->actions[0], &o);
    if (is_one != (c->class >= 0))
        fail_msg ("%s: %s", c->name, is_one ? "overlaps" : "does not overlap");
    if (!is_one)
        return;
    struct buf words = { 0 };
    overlap_explain (taxonomy, &o, &words);
    buf_add (&words, "", 1);
    if ((int) o.class != c->class || o.broad != c->broad
        || o.imprecise != c->imprecise || o.countries != c->countries
        || o.plan_a != a || !strstr ((char *) words.data, c->says))
        fail_msg ("%s: %s%s%s, %d countries: %s", c->name,
                  overlap_class_name (o.class), o.broad ? ", broad" : "",
                  o.imprecise ? ", imprecise" : "", o.countries,
                  (char *) words.data);
    buf_free (&words);
}

static void test_pairs (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof pair_cases / sizeof *pair_cases; i++) {
        struct plan *a = side_plan (&pair_cases[i].a, "a");
        struct plan *b = side_plan (&pair_cases[i].b, "b");
        pair_check (&pair_cases[i], a, b, false);
        pair_check (&pair_cases[i], a, b, true);
        plan_free (&a);
        plan_free (&b);
    }
}

static void test_words (void **state) {
    (void) state;
    enum overlap_class class;
    for (int i = 0; i < OVERLAP_CLASSES; i++) {
        const char *name = overlap_class_name ((enum overlap_class) i);
        assert_true (overlap_class_read (slice_text (name), &class));
        assert_int_equal (class, i);
    }
    assert_false (overlap_class_read (slice_text ("Same"), &class));
    assert_false (overlap_class_read (slice_text (""), &class));
}

/* DESIGN.md's numbers. */
static void test_samples (void **state) {
    (void) state;
    static const int64_t counts[] = { [OVERLAP_SAME] = 8,
                                      [OVERLAP_JOINT] = 3,
                                      [OVERLAP_CLAIMED] = 12,
                                      [OVERLAP_POSSIBLE] = 90 };
    json_t *documents = sample_documents();
    struct overlaps *index = overlaps_new (taxonomy);
    struct plan *plans[32];
    size_t count = json_array_size (documents);
    assert_int_equal (count, 14);
    for (size_t i = 0; i < count; i++) {
        plans[i] = plan_of (json_array_get (documents, i), taxonomy);
        overlaps_add (index, plans[i]);
    }
    assert_int_equal (overlaps_actions (index), 106);
    struct overlap_query query = { .limit = 1000 };
    struct overlap_answer answer;
    overlaps_find (index, &query, &answer);
    for (int i = 0; i < OVERLAP_CLASSES; i++)
        assert_int_equal (answer.counts[i], counts[i]);
    assert_int_equal (answer.broad[OVERLAP_CLAIMED], 9);
    assert_int_equal (answer.broad[OVERLAP_POSSIBLE], 72);
    assert_int_equal (answer.listed, 113);
    assert_int_equal (answer.count, 113);
    overlap_answer_free (&answer);
    overlaps_destroy (&index);
    for (size_t i = 0; i < count; i++)
        plan_free (&plans[i]);
    json_decref (documents);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_words),
        cmocka_unit_test (test_pairs),
        cmocka_unit_test (test_samples),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
