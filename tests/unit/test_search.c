/* The text index: words of any language, phrases, beginnings; and that what
 * people type is never anything else. */
#include "store_fixture.h"

#include "store/search.h"

static void add (enum search_kind kind, const char *plan, const char *author,
                 int64_t sequence, const char *text) {
    struct search_item item = { .kind = kind,
                                .sequence = sequence,
                                .plan = plan,
                                .action = "A1",
                                .channel = "all",
                                .author = author,
                                .topic = "all/x",
                                .lang = "",
                                .text = text };
    FINE (search_add (store, &item, &e));
}

static bool take (void *arg, const struct search_hit *hit) {
    struct buf *out = arg;
    buf_add_format (out, "%" PRId64 " ", hit->item.sequence);
    assert_true (hit->snippet[0] != '\0');
    return true;
}

static void assert_query (const struct search_query *query, const char *want) {
    struct buf out = { 0 };
    FINE (search_find (store, query, take, &out, &e));
    char *got = buf_take_text (&out);
    if (strcmp (got, want) != 0)
        fail_msg ("'%s' finds %s, not %s", query->text, got, want);
    free (got);
}

static void assert_find (const char *text, const char *want) {
    struct search_query query = { .text = text };
    assert_query (&query, want);
}

static void fill (void) {
    add (SEARCH_PLAN, "EUROPOL-a", "EUROPOL/hq", 1,
         "Trafficking in firearms and explosives");
    add (SEARCH_PLAN, "FRONTEX-b", "FRONTEX/hq", 2,
         "Lutte contre le trafic d'armes à feu");
    add (SEARCH_PLAN, "FRONTEX-b", "FRONTEX/hq", 3,
         "打击跨国有组织犯罪和毒品贩运");
    add (SEARCH_ANNEX, "FRONTEX-b", "FRONTEX/hq", 4, "การค้ามนุษย์และยาเสพติด");
    add (SEARCH_REPORT, "FRONTEX-b", "UNODC/hq", 5,
         "Контрабанда оружия, trafficking again");
    add (SEARCH_MESSAGE, "", "EUROPOLX/hq", 6,
         "Straße ÉLÉMENT d\xc3\xa9j\xc3\xa0");
    add (SEARCH_MESSAGE, "", "EUROPOL/hq", 7, "麻薬 and 日本語");
}

static void test_refused (void **state) {
    (void) state;
    char large[SEARCH_QUERY_MAX + 2];
    memset (large, 'a', sizeof large);
    large[SEARCH_QUERY_MAX + 1] = '\0';
    struct search_query query = { .text = large };
    assert_int_equal (search_find (store, &query, take, NULL, &e), ERR_LIMIT);
    static const char *const none[] = { "", "   ", "\"\"", "*", "- + ()" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        query.text = none[i];
        assert_int_equal (search_find (store, &query, take, NULL, &e),
                          ERR_MALFORMED);
    }
    large[SEARCH_QUERY_MAX] = '\0';
    assert_find (large, "");
}

static void test_words (void **state) {
    (void) state;
    fill();
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "trafficking", "5 1 " },
        { "TRAFFICKING firearms", "1 " },
        { "explosives firearms", "1 " },
        { "\"firearms and explosives\"", "1 " },
        { "\"explosives and firearms\"", "" },
        { "traff*", "5 1 " },
        { "traff", "" },
        { "\"in fire\"*", "1 " },
        { "armes a feu", "2 " },
        { "deja element", "6 " },
        { "оружия", "5 " },
        { "ОРУЖИЯ", "5 " },
        { "有组织犯罪", "3 " },
        { "毒品", "3 " }, /* two characters are in no index */
        { "毒品 犯罪", "3 " },
        { "犯", "3 " },
        { "ค้ามนุษย์", "4 " },
        { "麻薬", "7 " },
        { "日本語 and", "7 " },
        { "日本語 trafficking", "" },
        { "explosives 毒品", "" },
        { "-firearms (explosives)", "1 " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_find (cases[i].text, cases[i].want);
}

/* FTS5's own words and signs are words and nothing. */
static void test_syntax (void **state) {
    (void) state;
    fill();
    static const char *const texts[] = { "AND",         "OR NOT",
                                         "NEAR(a b)",   "text:firearms",
                                         "{text} : a",  "a\"b",
                                         "\"open",      "^a",
                                         "a AND",       "(",
                                         "a - b",       "\"a\" \"b",
                                         "';--",        "a*b*",
                                         "\x01 a",      "\xff\xfe a",
                                         "col:a*",      "rowid:1",
                                         "%_",          "\\\"a\\\"",
                                         "\"\"\"a\"\"", "a + b ^ c * d" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct search_query query = { .text = texts[i] };
        struct buf out = { 0 };
        enum err rc = search_find (store, &query, take, &out, &e);
        if (rc && rc != ERR_MALFORMED)
            fail_msg ("'%s': %s", texts[i], e.text);
        buf_free (&out);
    }
    assert_find ("and", "7 1 ");
}

static void test_filters (void **state) {
    (void) state;
    fill();
    struct search_query query = { .text = "trafficking", .entity = "EUROPOL" };
    assert_query (&query, "1 ");
    query.entity = "EUROPO";
    assert_query (&query, "");
    query = (struct search_query){ .text = "trafficking",
                                   .kinds = 1 << SEARCH_REPORT };
    assert_query (&query, "5 ");
    query = (struct search_query){ .text = "trafficking", .plan = "FRONTEX-b" };
    assert_query (&query, "5 ");
    query = (struct search_query){ .text = "毒品", .plan = "EUROPOL-a" };
    assert_query (&query, "");
}

static bool snippet_take (void *arg, const struct search_hit *hit) {
    struct buf *out = arg;
    buf_add_text (out, hit->snippet);
    return false; /* the first */
}

static void test_snippets (void **state) {
    (void) state;
    fill();
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "firearms", "Trafficking in \x02"
                      "firearms\x03 and explosives" },
        { "毒品", "打击跨国有组织犯罪和\x02毒品\x03贩运" },
        { "有组织", "打击跨国\x02有组织\x03犯罪和毒品贩运" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct search_query query = { .text = cases[i].text };
        struct buf out = { 0 };
        FINE (search_find (store, &query, snippet_take, &out, &e));
        char *got = buf_take_text (&out);
        assert_string_equal (got, cases[i].want);
        free (got);
    }
}

static void plan_count (void *arg, const char *plan) {
    (void) plan;
    ++*(int *) arg;
}

/* A plan that goes takes its texts along, of both tables. */
static void test_plans (void **state) {
    (void) state;
    struct hash made = hash_sha256 (slice_text ("x")), found;
    fill();
    assert_false (search_plan_state (store, "FRONTEX-b", &found));
    FINE (search_plan_drop (store, "FRONTEX-b", &made, &e));
    assert_true (search_plan_state (store, "FRONTEX-b", &found));
    assert_true (hash_equal (&made, &found));
    assert_find ("trafficking", "1 ");
    assert_find ("有组织犯罪", "");
    assert_find ("毒品", "");
    int count = 0;
    FINE (search_plans (store, plan_count, &count, &e));
    assert_int_equal (count, 1);
    FINE (search_plan_drop (store, "FRONTEX-b", NULL, &e));
    assert_false (search_plan_state (store, "FRONTEX-b", &found));
}

static void test_position (void **state) {
    (void) state;
    int64_t position;
    fill();
    FINE (search_position (store, 0, &position, &e)); /* the first: all anew */
    assert_int_equal (position, 0);
    assert_find ("麻薬", "");
    add (SEARCH_MESSAGE, "", "EUROPOL/hq", 8, "a note");
    add (SEARCH_THREAD, "", "EUROPOL/hq", 9, "a comment");
    FINE (search_set_position (store, 44, &e));
    FINE (search_position (store, 0, &position, &e));
    assert_int_equal (position, 44);
    assert_find ("note", "8 ");
    assert_find ("comment", "9 ");
    /* An epoch took records away. */
    FINE (search_position (store, 50, &position, &e));
    assert_int_equal (position, 0);
    assert_find ("note", "");
    assert_find ("comment", "");
    assert_find ("firearms", "1 ");
    FINE (search_set_position (store, 60, &e));
    FINE (search_position (store, 50, &position, &e));
    assert_int_equal (position, 60);
}

static void test_names (void **state) {
    (void) state;
    enum search_kind kind;
    for (int i = 0; i <= SEARCH_THREAD; i++) {
        assert_true (search_kind_read (
            slice_text (search_kind_name ((enum search_kind) i)), &kind));
        assert_int_equal (kind, i);
    }
    assert_false (search_kind_read (slice_text ("plans"), &kind));
}

int main (void) {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = {
        TEST (test_refused),  TEST (test_words),    TEST (test_syntax),
        TEST (test_filters),  TEST (test_snippets), TEST (test_plans),
        TEST (test_position), TEST (test_names),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
