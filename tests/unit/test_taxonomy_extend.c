/* taxonomy_extend: CONTENTS.md section 8. */
#include "plans/taxonomy.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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

static struct taxonomy *extend (const struct taxonomy *self, const char *text,
                                struct faults *faults) {
    json_t *body = json (text);
    struct taxonomy *out = taxonomy_extend (self, body, faults);
    json_decref (body);
    return out;
}

static struct taxonomy *extended (const struct taxonomy *self,
                                  const char *text) {
    struct faults faults = { 0 };
    struct taxonomy *out = extend (self, text, &faults);
    if (!out)
        fail_msg ("%s: %s: %s", text, faults.at[0].pointer, faults.at[0].text);
    assert_int_equal (faults.count, 0);
    return out;
}

#define BODY(adds) "{'format': 1, 'version': 2, 'adds': {" adds "}}"
#define GROUP(of) BODY ("'country_groups': {" of "}")
#define TITLES(of) "{'version': 2, 'titles': {" of "}}"

static void test_refused (void **state) {
    (void) state;
    static const struct {
        const char *body, *pointer, *says;
    } rows[] = {
        { "[]", "", "no JSON object" },
        { "{'version': 2}", "", "adds nothing" },
        { BODY (""), "", "adds nothing" },
        { BODY ("'colours': {'red': 1}"), "", "adds nothing" },
        { "{'version': 1, 'titles': {'priorities': {'cybercrime': 'X'}}}",
          "/version", "is not 2" },
        { "{'version': 3, 'titles': {'priorities': {'cybercrime': 'X'}}}",
          "/version", "is not 2" },
        { "{'version': 2.0, 'titles': {'priorities': {'cybercrime': 'X'}}}",
          "/version", "is not 2" },
        { "{'titles': {'priorities': {'cybercrime': 'X'}}}", "/version",
          "is not 2" },
        { "{'version': 2, 'adds': []}", "/adds", "no object" },
        { BODY ("'regions': []"), "/adds/regions", "no object of codes" },
        /* What is there keeps its meaning. */
        { BODY ("'priorities': {'cybercrime': {'title': 'X', 'parent': null}}"),
          "/adds/priorities/cybercrime", "keeps its meaning" },
        { BODY ("'regions': {'056': {'title': 'Belgium', 'alpha2': 'BE'}}"),
          "/adds/regions/056", "keeps its meaning" },
        { BODY ("'regions': {'150': {'title': 'E', 'parts': ['056']}}"),
          "/adds/regions/150", "keeps its meaning" },
        { BODY ("'priorities': {'cybercrime': null}"),
          "/adds/priorities/cybercrime", "no object" },
        /* Nor may what is new be wrong. */
        { BODY ("'priorities': {'New': {'title': 'X', 'parent': null}}"),
          "/adds/priorities/New", "no code" },
        { BODY ("'priorities': {'new/x': {'title': 'X', 'parent': 'new'}}"),
          "/adds/priorities/new~1x/parent", "no priority" },
        { BODY ("'priorities': {'new': {'title': '', 'parent': null}}"),
          "/adds/priorities/new/title", "1 to 400" },
        { BODY ("'regions': {'990': {'title': 'X', 'alpha2': 'BE'}}"),
          "/adds/regions/990/alpha2", "country 056 has" },
        { BODY ("'regions': {'990': {'title': 'X', 'parts': ['991']}}"),
          "/adds/regions/990/parts/0", "no region" },
        { BODY ("'regions': {'990': {'title': 'X', 'parts': ['991']},"
                "'991': {'title': 'Y', 'parts': ['990']}}"),
          "/adds/regions/991/parts", "circle" },
        { BODY ("'regions': {'990': {'title': 'X', 'alpha2': 'XA',"
                "'within': []}}"),
          "/adds/regions/990/within", "no array" },
        { BODY ("'regions': {'990': {'title': 'X', 'alpha2': 'XA',"
                "'within': '150'}}"),
          "/adds/regions/990/within", "no array" },
        { BODY ("'regions': {'990': {'title': 'X', 'alpha2': 'XA',"
                "'within': ['150', '056']}}"),
          "/adds/regions/990/within/1", "no region with parts" },
        { BODY ("'regions': {'990': {'title': 'X', 'alpha2': 'XA',"
                "'within': ['EU']}}"),
          "/adds/regions/990/within/0", "no region with parts" },
        { BODY ("'regions': {'990': {'title': 'X', 'alpha2': 'XA',"
                "'within': ['991']}, '991': {'title': 'Y', 'parts': ["
                "'056']}}"),
          "/adds/regions/990/within/0", "no region with parts" },
        { BODY ("'regions': {'990': {'title': 'X', 'alpha2': 'XA',"
                "'within': [150]}}"),
          "/adds/regions/990/within/0", "no region with parts" },
        { BODY ("'regions': {'990': {'title': 'X', 'alpha2': 'XA',"
                "'within': ['150', '150']}}"),
          "/adds/regions/990/within/1", "there already" },
        { BODY ("'regions': {'990': {'title': 'X', 'parts': ['056'],"
                "'within': ['150']}}"),
          "/adds/regions/990/within", "is for a country" },
        /* Groups. */
        { GROUP ("'EU': 5"), "/adds/country_groups/EU", "no object" },
        { GROUP ("'EU': {'members': {}}"), "/adds/country_groups/EU/members",
          "no array" },
        { GROUP ("'EU': {'members': [{'country': '804'}]}"),
          "/adds/country_groups/EU/members/0", "no 'from'" },
        { GROUP ("'EU': {'members': [{'country': '804', 'from': '2030'},"
                 "{'country': '150', 'from': '2030'}]}"),
          "/adds/country_groups/EU/members/1", "none of" },
        { GROUP ("'EU': {'members': [{'country': '056', 'from': '2030'}]}"),
          "/adds/country_groups/EU/members/0", "then already" },
        { GROUP ("'EU': {'members': [{'country': '826', 'from': '2020-01'}]}"),
          "/adds/country_groups/EU/members/0", "then already" },
        { GROUP ("'EU': {'members': [{'country': '804', 'from': '2030-02-30'}"
                 "]}"),
          "/adds/country_groups/EU/members/0/from", "no day" },
        { GROUP ("'EU': {'title': 'X', 'members': [{'country': '804',"
                 "'from': '2030'}]}"),
          "/adds/country_groups/EU", "'titles'" },
        { GROUP ("'EU': {'ends': {}}"), "/adds/country_groups/EU/ends",
          "no array" },
        { GROUP ("'EU': {'ends': [{'country': '826', 'to': '2030'}]}"),
          "/adds/country_groups/EU/ends/0", "no country" },
        { GROUP ("'EU': {'ends': [{'country': '804', 'to': '2030'}]}"),
          "/adds/country_groups/EU/ends/0", "no country" },
        { GROUP ("'EU': {'ends': [{'to': '2030'}]}"),
          "/adds/country_groups/EU/ends/0", "no country" },
        { GROUP ("'EU': {'ends': ['056']}"), "/adds/country_groups/EU/ends/0",
          "no country" },
        { GROUP ("'EU': {'ends': [{'country': '056'}]}"),
          "/adds/country_groups/EU/ends/0", "no 'to'" },
        { GROUP ("'EU': {'ends': [{'country': '056', 'to': null}]}"),
          "/adds/country_groups/EU/ends/0", "no 'to'" },
        { GROUP ("'EU': {'ends': [{'country': '056', 'to': '2030-13'}]}"),
          "/adds/country_groups/EU/ends/0", "month" },
        { GROUP ("'EU': {'ends': [{'country': '191', 'to': '2013-06-30'}]}"),
          "/adds/country_groups/EU/ends/0", "ends before 2013-07-01" },
        { GROUP ("'EU': {'ends': [{'country': '056', 'to': '2030'},"
                 "{'country': '056', 'to': '2031'}]}"),
          "/adds/country_groups/EU/ends/1", "no country" },
        { GROUP ("'NEW': {'title': 'N', 'ends': [],"
                 "'members': [{'country': '056'}]}"),
          "/adds/country_groups/NEW", "'ends'" },
        { GROUP ("'NEW': {'title': 'N', 'members': [{'country': '056'},"
                 "{'country': '057'}]}"),
          "/adds/country_groups/NEW/members/1", "none of" },
        { GROUP ("'NEW': {'title': 'N'}"), "/adds/country_groups/NEW/members",
          "1 to" },
        /* Titles. */
        { TITLES ("'priorities': {'none': 'X'}"), "/titles/priorities/none",
          "not in version 1" },
        { TITLES ("'priorities': {'cybercrime': ''}"),
          "/titles/priorities/cybercrime", "1 to 400" },
        { TITLES ("'priorities': {'cybercrime': {'en': 'X'}}"),
          "/titles/priorities/cybercrime", "1 to 400" },
        { TITLES ("'regions': {'056': 'B\\u0000'}"), "/titles/regions/056",
          "1 to 400" },
        { "{'version': 2, 'titles': {'priorities': {'new': 'X'}}, 'adds': {"
          "'priorities': {'new': {'title': 'N', 'parent': null}}}}",
          "/titles/priorities/new", "not in version 1" },
    };
    struct taxonomy *base = taxonomy_base();
    struct hash digest = *taxonomy_digest (base);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        struct taxonomy *got = extend (base, rows[i].body, &faults);
        bool found = false;
        for (size_t k = 0; k < faults.kept; k++)
            if (!strcmp (faults.at[k].pointer, rows[i].pointer)
                && strstr (faults.at[k].text, rows[i].says))
                found = true;
        if (got || !found)
            fail_msg ("%s: %s '%s'", rows[i].body,
                      faults.kept ? faults.at[0].pointer : "nothing",
                      faults.kept ? faults.at[0].text : "");
        faults_clear (&faults);
    }
    json_t *file = taxonomy_json (base);
    struct faults faults = { 0 };
    struct taxonomy *again = taxonomy_read (file, &faults);
    assert_true (hash_equal (taxonomy_digest (again), &digest));
    taxonomy_unref (&again);
    json_decref (file);
    taxonomy_unref (&base);
}

static int members (const struct taxonomy *self, const char *group,
                    const char *day) {
    struct countries all = { 0 };
    struct date date;
    assert_int_equal (date_read (slice_text (day), &date, NULL), 0);
    taxonomy_countries (self, taxonomy_region (self, slice_text (group)),
                        date.first, date.last, &all);
    return countries_count (&all);
}

static void test_groups (void **state) {
    (void) state;
    struct taxonomy *base = taxonomy_base();
    struct taxonomy *next = extended (
        base,
        GROUP ("'EU': {'members': [{'country': '804', 'from': '2031-05-01'},"
               "{'country': '056', 'from': '2040'}],"
               "'ends': [{'country': '056', 'to': '2030-06-30'}]},"
               "'BENELUX': {'title': 'Benelux', 'members': ["
               "{'country': '056'}, {'country': '442'}, {'country': '528'}]}"));
    static const struct {
        const char *group, *day;
        int before, after;
    } rows[] = {
        { "EU", "2026-07-01", 27, 27 }, { "EU", "2030-06-30", 27, 27 },
        { "EU", "2030-07-01", 27, 26 }, { "EU", "2031-04-30", 27, 26 },
        { "EU", "2031-05-01", 27, 27 }, { "EU", "2039-12-31", 27, 27 },
        { "EU", "2040-01-01", 27, 28 }, { "SCHENGEN", "2031-05-01", 29, 29 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal (members (base, rows[i].group, rows[i].day),
                          rows[i].before);
        assert_int_equal (members (next, rows[i].group, rows[i].day),
                          rows[i].after);
    }
    assert_int_equal (members (next, "BENELUX", "1900-01-01"), 3);
    assert_int_equal (taxonomy_region (base, slice_text ("BENELUX")), -1);
    assert_int_equal (taxonomy_version (next), 2);
    taxonomy_unref (&base); /* the next one stands on its own */
    assert_int_equal (members (next, "EU", "2026-07-01"), 27);
    taxonomy_unref (&next);
}

static void test_titles (void **state) {
    (void) state;
    struct taxonomy *base = taxonomy_base();
    struct taxonomy *next =
        extended (base, TITLES ("'priorities': {'cybercrime': 'Crime online'},"
                                "'regions': {'056': 'Belgique'},"
                                "'country_groups': {'EU': 'Union'}"));
    int cyber = taxonomy_priority (next, slice_text ("cybercrime"));
    assert_string_equal (taxonomy_priority_title (next, cyber), "Crime online");
    assert_string_equal (taxonomy_priority_title (base, cyber), "Cybercrime");
    int eu = taxonomy_region (next, slice_text ("EU"));
    assert_string_equal (taxonomy_region_title (next, eu), "Union");
    assert_false (hash_equal (taxonomy_digest (base), taxonomy_digest (next)));
    taxonomy_unref (&base);
    taxonomy_unref (&next);
}

static bool has (const struct countries *self, size_t country) {
    return self->bits[country / 64] >> (country % 64) & 1;
}

static bool holds (const struct taxonomy *self, const char *region,
                   const char *country) {
    struct countries all = { 0 }, one = { 0 };
    taxonomy_countries (self, taxonomy_region (self, slice_text (region)), 0, 1,
                        &all);
    taxonomy_countries (self, taxonomy_region (self, slice_text (country)), 0,
                        1, &one);
    assert_int_equal (countries_count (&one), 1);
    return countries_common (&all, &one);
}

/* A new country is a part of World at least, and of what it names. */
static void test_countries (void **state) {
    (void) state;
    struct taxonomy *base = taxonomy_base();
    struct taxonomy *next = extended (
        base,
        BODY ("'regions': {"
              "'992': {'title': 'C', 'alpha2': 'XC', 'within': ['155', '145']},"
              "'991': {'title': 'B', 'alpha2': 'XB', 'within': ['155']},"
              "'990': {'title': 'A', 'alpha2': 'XA'},"
              "'993': {'title': 'R', 'parts': ['990', '991']}}"));
    static const struct {
        const char *region, *country;
        bool holds;
    } rows[] = {
        { "001", "990", true },  { "001", "991", true },
        { "001", "992", true },  { "150", "990", false },
        { "150", "991", true },  { "155", "991", true },
        { "145", "991", false }, { "142", "992", true },
        { "155", "992", true },  { "151", "992", false },
        { "993", "991", true },  { "993", "992", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (holds (next, rows[i].region, rows[i].country) != rows[i].holds)
            fail_msg ("%s in %s", rows[i].country, rows[i].region);
    /* The next version is a file like the first one. */
    json_t *file = taxonomy_json (next);
    struct faults faults = { 0 };
    struct taxonomy *again = taxonomy_read (file, &faults);
    assert_non_null (again);
    assert_true (hash_equal (taxonomy_digest (again), taxonomy_digest (next)));
    json_t *regions = json_object_get (file, "regions");
    assert_null (json_object_get (json_object_get (regions, "991"), "within"));
    json_decref (file);
    taxonomy_unref (&again);
    taxonomy_unref (&base);
    taxonomy_unref (&next);
}

/* What is over may be said later than it was: a majority's word. */
static void test_past (void **state) {
    (void) state;
    struct taxonomy *base = taxonomy_base();
    struct taxonomy *next = extended (
        base, GROUP ("'EU': {'members': [{'country': '804', 'from': '1999'}],"
                     "'ends': [{'country': '056', 'to': '1998-12-31'}]}"));
    static const struct {
        const char *day;
        int before, after;
    } rows[] = {
        { "1998-06-30", 15, 15 },
        { "1999-06-30", 15, 15 },
        { "2026-06-30", 27, 27 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal (members (base, "EU", rows[i].day), rows[i].before);
        assert_int_equal (members (next, "EU", rows[i].day), rows[i].after);
    }
    struct countries all = { 0 }, belgium = { 0 };
    struct date day;
    assert_int_equal (date_read (slice_text ("2026-06-30"), &day, NULL), 0);
    taxonomy_countries (next, taxonomy_region (next, slice_text ("EU")),
                        day.first, day.last, &all);
    taxonomy_countries (next, taxonomy_region (next, slice_text ("056")), 0, 1,
                        &belgium);
    assert_false (countries_common (&all, &belgium));
    taxonomy_unref (&base);
    taxonomy_unref (&next);
}

/* Whatever is added, all that was there has its number, code, parent and, for
 * regions, its countries. */
static void same_before (const struct taxonomy *a, const struct taxonomy *b) {
    assert_true (taxonomy_priority_count (a) <= taxonomy_priority_count (b));
    assert_true (taxonomy_region_count (a) <= taxonomy_region_count (b));
    for (int i = 0; i < (int) taxonomy_priority_count (a); i++) {
        const char *code = taxonomy_priority_code (a, i);
        assert_string_equal (code, taxonomy_priority_code (b, i));
        assert_int_equal (taxonomy_priority (b, slice_text (code)), i);
        assert_int_equal (taxonomy_priority_parent (a, i),
                          taxonomy_priority_parent (b, i));
    }
    for (int i = 0; i < (int) taxonomy_country_count (a); i++) {
        assert_string_equal (taxonomy_country_code (a, i),
                             taxonomy_country_code (b, i));
        assert_string_equal (taxonomy_country_alpha2 (a, i),
                             taxonomy_country_alpha2 (b, i));
    }
    for (int i = 0; i < (int) taxonomy_region_count (a); i++) {
        const char *code = taxonomy_region_code (a, i);
        struct countries in_a = { 0 }, in_b = { 0 };
        assert_string_equal (code, taxonomy_region_code (b, i));
        assert_int_equal (taxonomy_region (b, slice_text (code)), i);
        assert_int_equal (taxonomy_region_is_group (a, i),
                          taxonomy_region_is_group (b, i));
        taxonomy_countries (a, i, 0, 20000, &in_a);
        taxonomy_countries (b, i, 0, 20000, &in_b);
        for (size_t c = 0; c < taxonomy_country_count (a); c++)
            assert_int_equal (has (&in_a, c), has (&in_b, c));
    }
}

static json_t *random_extension (int64_t version) {
    json_t *priorities = json_object(), *regions = json_object();
    json_t *groups = json_object();
    char code[32];
    for (int i = 0; i < 3; i++) {
        snprintf (code, sizeof code, "%s/n%ld",
                  random() % 2 ? "cybercrime" : "border-security", random());
        json_object_set_new (priorities, code,
                             json_pack ("{ss ss#}", "title", "T", "parent",
                                        code,
                                        (int) (strchr (code, '/') - code)));
        snprintf (code, sizeof code, "a%ld", random());
        json_object_set_new (priorities, code,
                             json_pack ("{ss sn}", "title", "T", "parent"));
    }
    /* One of them before most others, by octets. */
    static const char *const low[] = { "000", "003", "006", "007",
                                       "022", "023", "025", "026" };
    json_t *parts = json_array();
    for (int i = 0; i < 3; i++) {
        char alpha2[3] = { "XZQ"[i], (char) ('B' + version), 0 };
        snprintf (code, sizeof code, "9%lld%d", (long long) version, i + 5);
        if (i == 1)
            snprintf (code, sizeof code, "%s", low[version]);
        json_object_set_new (
            regions, code,
            json_pack ("{ss ss}", "title", "T", "alpha2", alpha2));
        json_array_append_new (parts, json_string (code));
    }
    json_array_append_new (parts, json_string ("056"));
    snprintf (code, sizeof code, "9%lld9", (long long) version);
    json_object_set_new (regions, code,
                         json_pack ("{ss so}", "title", "T", "parts", parts));
    snprintf (code, sizeof code, "AA%c", (char) ('A' + version));
    json_object_set_new (
        groups, code,
        json_pack ("{ss s[{ss}]}", "title", "T", "members", "country", "056"));
    return json_pack ("{sI s{so so so}}", "version", (json_int_t) version,
                      "adds", "priorities", priorities, "regions", regions,
                      "country_groups", groups);
}

static void test_numbers_stay (void **state) {
    (void) state;
    srandom (11);
    struct taxonomy *versions[7] = { taxonomy_base() };
    for (int i = 1; i < 7; i++) {
        struct faults faults = { 0 };
        json_t *body = random_extension (i + 1);
        versions[i] = taxonomy_extend (versions[i - 1], body, &faults);
        if (!versions[i])
            fail_msg ("%s: %s", faults.at[0].pointer, faults.at[0].text);
        /* The order of members in the body means nothing. */
        char *sorted = json_dumps (body, JSON_SORT_KEYS);
        json_t *turned = json_loads (sorted, 0, NULL);
        struct taxonomy *again =
            taxonomy_extend (versions[i - 1], turned, &faults);
        assert_true (hash_equal (taxonomy_digest (again),
                                 taxonomy_digest (versions[i])));
        same_before (again, versions[i]);
        same_before (versions[i], again);
        for (int k = 0; k < i; k++)
            same_before (versions[k], versions[i]);
        taxonomy_unref (&again);
        free (sorted);
        json_decref (turned);
        json_decref (body);
    }
    assert_int_equal (taxonomy_country_count (versions[6]), 248 + 18);
    for (int i = 0; i < 7; i++)
        taxonomy_unref (&versions[i]);
}

/* As large as a message may be: no square of it. */
static void test_large (void **state) {
    (void) state;
    struct taxonomy *base = taxonomy_base();
    struct buf text = { 0 };
    struct faults faults = { 0 };
    buf_add_text (&text, "{'version': 2, 'adds': {'country_groups': {"
                         "'ZZ': {'title': 'Z', 'members': [");
    for (int i = 0; i < 13000; i++)
        buf_add_format (&text, "%s{'country': '056'}", i ? "," : "");
    buf_add_text (&text, "]}}}}");
    char *body = buf_take_text (&text);
    assert_null (extend (base, body, &faults));
    assert_int_equal (faults.count, 1);
    assert_string_equal (faults.at[0].pointer,
                         "/adds/country_groups/ZZ/members");
    faults_clear (&faults);
    free (body);
    buf_add_text (&text, "{'version': 2, 'adds': {'priorities': {");
    for (int i = 0; i < 13000; i++)
        buf_add_format (&text, "%s'%d': 7", i ? "," : "", i);
    buf_add_text (&text, "}}}");
    body = buf_take_text (&text);
    assert_null (extend (base, body, &faults));
    assert_string_equal (faults.at[0].pointer, "/adds/priorities");
    faults_clear (&faults);
    free (body);
    taxonomy_unref (&base);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused),      cmocka_unit_test (test_groups),
        cmocka_unit_test (test_titles),       cmocka_unit_test (test_large),
        cmocka_unit_test (test_numbers_stay), cmocka_unit_test (test_countries),
        cmocka_unit_test (test_past),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
