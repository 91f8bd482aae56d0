/* taxonomy: CONTENTS.md section 6, the file of version 1. */
#include "plans/taxonomy.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A small one, to be broken. */
#define SMALL                                                                  \
    "{'version': 1, 'priorities': {"                                           \
    "'a': {'title': 'A', 'parent': null},"                                     \
    "'a/b': {'title': 'B', 'parent': 'a'},"                                    \
    "'c': {'title': 'C', 'parent': null}},"                                    \
    "'regions': {"                                                             \
    "'001': {'title': 'World', 'parts': ['002', '009']},"                      \
    "'002': {'title': 'Two', 'parts': ['056', '100']},"                        \
    "'009': {'title': 'Nine', 'parts': ['200']},"                              \
    "'056': {'title': 'Belgium', 'alpha2': 'BE'},"                             \
    "'100': {'title': 'Bulgaria', 'alpha2': 'BG'},"                            \
    "'200': {'title': 'Two hundred', 'alpha2': 'TH'}},"                        \
    "'country_groups': {'EU': {'title': 'Union', 'members': ["                 \
    "{'country': '056', 'from': '1958'},"                                      \
    "{'country': '100', 'from': '2007-01', 'to': '2019-06-15'},"               \
    "{'country': '100', 'from': '2019-06-16', 'to': null},"                    \
    "{'country': '200', 'to': '1990'}]}}}"

static json_t *json (const char *text) {
    char *copy = mem_copy_text (text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_error_t e;
    json_t *out =
        json_loads (copy, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
    if (!out)
        fail_msg ("%s: %s", copy, e.text);
    free (copy);
    return out;
}

/* SMALL with one piece of its text replaced. */
static struct taxonomy *changed (const char *old, const char *new,
                                 struct faults *faults) {
    const char *at = strstr (SMALL, old);
    struct buf text = { 0 };
    assert_non_null (at);
    buf_add (&text, SMALL, (size_t) (at - SMALL));
    buf_add_text (&text, new);
    buf_add_text (&text, at + strlen (old));
    buf_add_u8 (&text, 0);
    json_t *value = json ((const char *) text.data);
    struct taxonomy *out = taxonomy_read (value, faults);
    json_decref (value);
    buf_free (&text);
    return out;
}

static void test_refused (void **state) {
    (void) state;
    static const struct {
        const char *old, *new, *pointer, *says;
    } rows[] = {
        { "'version': 1", "'version': 0", "/version", "whole number" },
        { "'version': 1", "'version': 1.5", "/version", "whole number" },
        { "'version': 1,", "", "/version", "whole number" },
        { "'a': {'title': 'A', 'parent': null}", "'a': 7", "/priorities/a",
          "no object" },
        { "'title': 'A'", "'title': ''", "/priorities/a/title", "1 to" },
        { "'title': 'A'", "'title': 'A\\u0000'", "/priorities/a/title",
          "1 to" },
        { "'title': 'A', ", "", "/priorities/a/title", "1 to" },
        { "'title': 'A', 'parent': null", "'title': 'A', 'parent': 'c'",
          "/priorities/a/parent", "top-level" },
        { "'parent': null},'a/b'", "'parent': 0},'a/b'", "/priorities/a/parent",
          "top-level" },
        { "'title': 'A', 'parent': null", "'title': 'A'",
          "/priorities/a/parent", "top-level" },
        { "'parent': 'a'", "'parent': 'c'", "/priorities/a~1b/parent",
          "is not 'a'" },
        { "'parent': 'a'", "'parent': null", "/priorities/a~1b/parent",
          "is not 'a'" },
        { "'a/b': {'title': 'B', 'parent': 'a'}",
          "'d/b': {'title': 'B', 'parent': 'd'}", "/priorities/d~1b/parent",
          "no priority" },
        { "'c':", "'a/b/c':", "/priorities/a~1b~1c", "no code" },
        { "'c':", "'C':", "/priorities/C", "no code" },
        { "'c':", "'':", "/priorities/", "no code" },
        { "'c':", "'c/':", "/priorities/c~1", "no code" },
        { "'regions': {", "'regions': [], 'x': {", "/regions", "no object" },
        { "'country_groups'", "'groups'", "/country_groups", "no object" },
        { "'056': {'title'", "'56': {'title'", "/regions/56", "three digits" },
        { "'alpha2': 'BE'", "'alpha2': 'be'", "/regions/056/alpha2",
          "two letters" },
        { "'alpha2': 'BE'", "'alpha2': 'BG'", "/regions/100/alpha2",
          "country 056 has" },
        { ", 'alpha2': 'BE'", "", "/regions/056", "not one of" },
        { "'alpha2': 'BE'", "'alpha2': 'BE', 'parts': ['100']", "/regions/056",
          "not one of" },
        { "['200']", "[]", "/regions/009/parts", "1 to" },
        { "['200']", "'200'", "/regions/009/parts", "1 to" },
        { "['200']", "['201']", "/regions/009/parts/0", "no region" },
        { "['200']", "['EU']", "/regions/009/parts/0", "no region" },
        { "['200']", "[200]", "/regions/009/parts/0", "no region" },
        { "['200']", "['200', '056', '200']", "/regions/009/parts/2",
          "already" },
        { "['200']", "['009']", "/regions/009/parts", "circle" },
        { "['200']", "['001']", "/regions/009/parts", "circle" },
        { "'EU'", "'E'", "/country_groups/E", "2 to 16" },
        { "'EU'", "'EU1'", "/country_groups/EU1", "2 to 16" },
        { "'country': '200'", "'country': '009'",
          "/country_groups/EU/members/3", "none of" },
        { "'country': '200', ", "", "/country_groups/EU/members/3", "none of" },
        { "'to': '1990'", "'to': '1990-13'", "/country_groups/EU/members/3/to",
          "month" },
        { "'to': '1990'", "'to': 1990", "/country_groups/EU/members/3/to",
          "no date" },
        { "'from': '1958'", "'from': null", "/country_groups/EU/members/0/from",
          "no date" },
        { "'from': '1958'", "'from': '1958-02-29'",
          "/country_groups/EU/members/0/from", "February 1958 has 28" },
        { "'to': '2019-06-15'", "'to': '2006'", "/country_groups/EU/members/1",
          "before" },
        { "'to': '2019-06-15'", "'to': '2019-06'",
          "/country_groups/EU/members/2", "already" },
        { "'members': [", "'members': {}, 'x': [", "/country_groups/EU/members",
          "1 to" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        struct taxonomy *got = changed (rows[i].old, rows[i].new, &faults);
        bool found = false;
        for (size_t k = 0; k < faults.kept; k++)
            if (!strcmp (faults.at[k].pointer, rows[i].pointer)
                && strstr (faults.at[k].text, rows[i].says))
                found = true;
        if (got || !found)
            fail_msg ("%s -> %s: %s '%s'", rows[i].old, rows[i].new,
                      faults.kept ? faults.at[0].pointer : "nothing",
                      faults.kept ? faults.at[0].text : "");
        faults_clear (&faults);
    }
    struct faults faults = { 0 };
    json_t *array = json ("[]");
    assert_null (taxonomy_read (array, &faults));
    json_decref (array);
    assert_string_equal (faults.at[0].pointer, "");
    faults_clear (&faults);
}

static struct taxonomy *large (int priorities, int countries,
                               struct faults *faults) {
    json_t *value = json ("{'version': 1, 'priorities': {}, 'regions': {},"
                          "'country_groups': {}}");
    for (int i = 0; i < priorities; i++) {
        char code[16];
        snprintf (code, sizeof code, "p%d", i);
        json_object_set_new (json_object_get (value, "priorities"), code,
                             json_pack ("{ss sn}", "title", code, "parent"));
    }
    for (int i = 0; i < countries; i++) {
        char code[16],
            alpha2[3] = { (char) ('A' + i / 26), (char) ('A' + i % 26), 0 };
        snprintf (code, sizeof code, "%03d", i);
        json_object_set_new (
            json_object_get (value, "regions"), code,
            json_pack ("{ss ss}", "title", code, "alpha2", alpha2));
    }
    struct taxonomy *out = taxonomy_read (value, faults);
    json_decref (value);
    return out;
}

static void test_limits (void **state) {
    (void) state;
    struct faults faults = { 0 };
    struct taxonomy *full =
        large (TAXONOMY_PRIORITIES_MAX, TAXONOMY_COUNTRIES_MAX, &faults);
    assert_non_null (full);
    assert_int_equal (taxonomy_country_count (full), TAXONOMY_COUNTRIES_MAX);
    struct countries all = { 0 };
    for (size_t i = 0; i < taxonomy_region_count (full); i++)
        taxonomy_countries (full, (int) i, 0, 0, &all);
    assert_int_equal (countries_count (&all), TAXONOMY_COUNTRIES_MAX);
    taxonomy_unref (&full);
    assert_null (large (TAXONOMY_PRIORITIES_MAX + 1, 1, &faults));
    assert_string_equal (faults.at[0].pointer, "/priorities");
    faults_clear (&faults);
    assert_null (large (1, TAXONOMY_COUNTRIES_MAX + 1, &faults));
    assert_string_equal (faults.at[0].pointer, "/regions/320/alpha2");
    faults_clear (&faults);
}

static int region (const struct taxonomy *self, const char *code) {
    int number = taxonomy_region (self, slice_text (code));
    if (number < 0)
        fail_msg ("%s is not there", code);
    return number;
}

static struct countries set (const struct taxonomy *self, const char *code,
                             const char *first, const char *last) {
    struct countries out = { 0 };
    struct date a = { 0 }, b = { .last = DAY_OPEN };
    assert_int_equal (date_read (slice_text (first), &a, NULL), 0);
    if (last)
        assert_int_equal (date_read (slice_text (last), &b, NULL), 0);
    taxonomy_countries (self, region (self, code), a.first, b.last, &out);
    return out;
}

/* Members at the edges of a span: the first and last day of a membership are
 * days of it, the ones beside them are not. */
static void test_group_edges (void **state) {
    (void) state;
    static const struct {
        const char *first, *last, *want; /* alpha-2, by number */
    } rows[] = {
        { "1957", "1957", "TH" },
        { "1957", "1958", "BETH" },
        { "1957-12-31", "1957-12-31", "TH" },
        { "1958-01-01", "1958-01-01", "BETH" },
        { "1990-12-31", "1990-12-31", "BETH" },
        { "1991-01-01", "1991-01-01", "BE" },
        { "1991", "2006", "BE" },
        { "2006-12-31", "2007-01-01", "BEBG" },
        { "2007-01-01", "2007-01-01", "BEBG" },
        { "2019-06-15", "2019-06-15", "BEBG" },
        { "2019-06-16", "2019-06-16", "BEBG" },
        { "1900", NULL, "BEBGTH" },
        { "2026", NULL, "BEBG" },
    };
    struct faults faults = { 0 };
    struct taxonomy *self = changed ("'from': '2019-06-16', 'to': null",
                                     "'from': '2019-06-16'", &faults);
    assert_non_null (self);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct countries got = set (self, "EU", rows[i].first, rows[i].last);
        char text[16] = "";
        for (int c = 0; c < (int) taxonomy_country_count (self); c++)
            if (got.bits[c / 64] >> (c % 64) & 1)
                strcat (text, taxonomy_country_alpha2 (self, c));
        if (strcmp (text, rows[i].want))
            fail_msg ("%s to %s: %s, not %s", rows[i].first,
                      rows[i].last ? rows[i].last : "open", text, rows[i].want);
    }
    taxonomy_unref (&self);
}

static void test_base (void **state) {
    (void) state;
    struct taxonomy *self = taxonomy_base(), *again = taxonomy_base();
    assert_ptr_equal (self, again);
    taxonomy_unref (&again);
    taxonomy_unref (&again); /* NULL */
    assert_int_equal (taxonomy_version (self), 1);
    assert_int_equal (taxonomy_priority_count (self), 37);
    assert_int_equal (taxonomy_region_count (self), 278 + 7);
    assert_int_equal (taxonomy_country_count (self), 248);
    int drugs = taxonomy_priority (
        self, slice_text ("organized-crime/drugs-trafficking"));
    int crime = taxonomy_priority (self, slice_text ("organized-crime"));
    int cyber = taxonomy_priority (self, slice_text ("cybercrime"));
    int smuggling = taxonomy_priority (
        self, slice_text ("organized-crime/goods-smuggling"));
    assert_int_equal (taxonomy_priority_parent (self, drugs), crime);
    assert_int_equal (taxonomy_priority_parent (self, crime), -1);
    assert_true (taxonomy_priorities_match (self, drugs, crime));
    assert_true (taxonomy_priorities_match (self, crime, drugs));
    assert_true (taxonomy_priorities_match (self, drugs, drugs));
    assert_false (taxonomy_priorities_match (self, drugs, smuggling));
    assert_false (taxonomy_priorities_match (self, crime, cyber));
    assert_string_equal (taxonomy_priority_title (self, cyber), "Cybercrime");
    static const char *const missing[] = { "", "organized", "organized-crime/",
                                           "zz", "a" };
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        assert_int_equal (taxonomy_priority (self, slice_text (missing[i])),
                          -1);
    assert_int_equal (taxonomy_region (self, slice_text ("999")), -1);
    assert_int_equal (taxonomy_region (self, slice_of ("056\0", 4)), -1);
    assert_int_equal (taxonomy_region (self, slice_of (NULL, 0)), -1);
    assert_true (taxonomy_region_is_group (self, region (self, "EU")));
    assert_false (taxonomy_region_is_group (self, region (self, "150")));
    assert_string_equal (taxonomy_region_title (self, region (self, "056")),
                         "Belgium");
    /* Britain left on 2020-01-31; Antarctica is in no region of M49. */
    struct countries eu = set (self, "EU", "2020-01-31", "2020-01-31");
    assert_int_equal (countries_count (&eu), 28);
    eu = set (self, "EU", "2020-02-01", NULL);
    assert_int_equal (countries_count (&eu), 27);
    struct countries world = set (self, TAXONOMY_WORLD, "2026", NULL);
    assert_int_equal (countries_count (&world), 247);
    struct countries antarctica = set (self, "010", "2026", NULL);
    assert_int_equal (countries_count (&antarctica), 1);
    assert_false (countries_common (&world, &antarctica));
    assert_true (countries_common (&world, &eu));
    struct countries none = { 0 };
    assert_true (countries_empty (&none));
    assert_false (countries_empty (&eu));
    taxonomy_unref (&self);
}

/* Codes, numbers and sets, for every region: what the JSON says. */
static void expect_countries (const json_t *regions, const char *code,
                              const struct taxonomy *self,
                              struct countries *out) {
    const json_t *parts =
        json_object_get (json_object_get (regions, code), "parts");
    if (!parts)
        for (int i = 0; i < (int) taxonomy_country_count (self); i++)
            if (!strcmp (taxonomy_country_code (self, i), code))
                out->bits[i / 64] |= UINT64_C (1) << (i % 64);
    for (size_t i = 0; i < json_array_size (parts); i++)
        expect_countries (
            regions, json_string_value (json_array_get (parts, i)), self, out);
}

static void test_numbers (void **state) {
    (void) state;
    struct taxonomy *self = taxonomy_base();
    json_t *file = taxonomy_json (self);
    json_t *regions = json_object_get (file, "regions");
    for (int i = 0; i < (int) taxonomy_priority_count (self); i++)
        assert_int_equal (
            taxonomy_priority (self,
                               slice_text (taxonomy_priority_code (self, i))),
            i);
    for (int i = 0; i < (int) taxonomy_region_count (self); i++) {
        const char *code = taxonomy_region_code (self, i);
        assert_int_equal (region (self, code), i);
        if (taxonomy_region_is_group (self, i))
            continue;
        struct countries want = { 0 }, got = { 0 };
        expect_countries (regions, code, self, &want);
        taxonomy_countries (self, i, 0, 0, &got);
        assert_memory_equal (&want, &got, sizeof got);
    }
    for (int i = 0; i < (int) taxonomy_country_count (self); i++) {
        const json_t *object =
            json_object_get (regions, taxonomy_country_code (self, i));
        assert_string_equal (
            json_string_value (json_object_get (object, "alpha2")),
            taxonomy_country_alpha2 (self, i));
        assert_string_equal (
            json_string_value (json_object_get (object, "title")),
            taxonomy_country_title (self, i));
    }
    /* Read again: the same, whatever the order of its members. */
    struct faults faults = { 0 };
    char *sorted = json_dumps (file, JSON_SORT_KEYS);
    json_t *turned = json_loads (sorted, 0, NULL);
    struct taxonomy *again = taxonomy_read (turned, &faults);
    assert_non_null (again);
    assert_true (hash_equal (taxonomy_digest (self), taxonomy_digest (again)));
    for (int i = 0; i < (int) taxonomy_region_count (self); i++)
        assert_string_equal (taxonomy_region_code (self, i),
                             taxonomy_region_code (again, i));
    free (sorted);
    json_decref (turned);
    json_decref (file);
    taxonomy_unref (&again);
    taxonomy_unref (&self);
}

static void test_describe (void **state) {
    (void) state;
    static const struct {
        const char *codes[6];
        int most;
        const char *want;
    } rows[] = {
        { { 0 }, 3, "no country" },
        { { "056" }, 3, "Belgium" },
        { { "056", "250" }, 3, "Belgium and France" },
        { { "056", "250", "276" }, 3, "Belgium, France and Germany" },
        { { "056", "250", "276", "380" },
          3,
          "Belgium, France, Germany and 1 more" },
        { { "056", "250" }, 0, "2 countries" },
        { { "001" }, 3, "World" },
        { { "EU" }, 3, "European Union" },
        { { "EU", "826" }, 3, "European Union and United Kingdom" },
        { { "001", "010" }, 3, "World and Antarctica" },
        { { "053", "056" }, 1, "Australia and New Zealand and 1 more" },
    };
    struct taxonomy *self = taxonomy_base();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct countries all = { 0 };
        struct buf out = { 0 };
        for (size_t k = 0; rows[i].codes[k]; k++)
            taxonomy_countries (self, region (self, rows[i].codes[k]), 20454,
                                20454, &all);
        taxonomy_describe (self, &all, 20454, rows[i].most, &out);
        char *text = buf_take_text (&out);
        if (strcmp (text, rows[i].want))
            fail_msg ("row %zu: '%s', not '%s'", i, text, rows[i].want);
        free (text);
    }
    taxonomy_unref (&self);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused),     cmocka_unit_test (test_limits),
        cmocka_unit_test (test_group_edges), cmocka_unit_test (test_base),
        cmocka_unit_test (test_numbers),     cmocka_unit_test (test_describe),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
