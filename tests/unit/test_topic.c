/* topic: PROTOCOL.md section 4 and the limits of section 2.6. */
#include "base/topic.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define E16 "ABCDEFGHIJKLMNOP" /* the longest entity */
#define L32 "abcdefghijklmnopqrstuvwxyz012345"
#define L128 L32 L32 L32 L32

/* 16 entities of 7 octets: 1 + 16 * 7 + 15 = 128, the longest channel. */
#define ADHOC_128                                                              \
    "@AAAAAAA+BAAAAAA+CAAAAAA+DAAAAAA+EAAAAAA+FAAAAAA+GAAAAAA+HAAAAAA"         \
    "+IAAAAAA+JAAAAAA+KAAAAAA+LAAAAAA+MAAAAAA+NAAAAAA+OAAAAAA+PAAAAAA"
#define ADHOC_16 "@AA+BB+CC+DD+EE+FF+GG+HH+II+JJ+KK+LL+MM+NN+OO+PP"

struct row {
    const char *text;
    enum err want;
};

static void check (const struct row *rows, size_t count,
                   enum err (*fn) (struct slice, struct error *)) {
    for (size_t i = 0; i < count; i++) {
        struct error e = { 0 };
        enum err rc = fn (slice_text (rows[i].text), &e);
        if (rc != rows[i].want || e.code != rc || (rc && !*e.text))
            fail_msg ("'%s': %s (%s), not %s", rows[i].text, error_name (rc),
                      e.text, error_name (rows[i].want));
        assert_int_equal (fn (slice_text (rows[i].text), NULL), rc);
    }
}
#define CHECK(rows, fn) check (rows, sizeof rows / sizeof *rows, fn)

static void test_names (void **state) {
    (void) state;
    static const struct {
        const char *text;
        bool channel, entity, delegation;
    } rows[] = {
        { "", false, false, false },
        { "a", true, false, false },
        { "a-0", true, false, false },
        { L32, true, false, false },
        { L32 "x", false, false, false },
        { "-a", false, false, false },
        { "0a", false, false, false },
        { "aB", false, false, false },
        { "a_b", false, false, false },
        { "a.b", false, false, false },
        { "\xc3\xa9", false, false, false },
        { "A", false, false, false },
        { "AB", false, true, false },
        { "A0", false, true, false },
        { "0A", false, false, false },
        { "A-B", false, false, false },
        { "Ab", false, false, false },
        { E16, false, true, false },
        { E16 "Q", false, false, false },
        { "AB/", false, false, false },
        { "/a", false, false, false },
        { "A/a", false, false, false },
        { "AB/a", false, false, true },
        { "AB/root", false, false, false },
        { "AB/roots", false, false, true },
        { "AB/roo", false, false, true },
        { "AB/Root", false, false, false },
        { "AB/a/b", false, false, false },
        { "AB//a", false, false, false },
        { "AB/-", false, false, false },
        { E16 "/" L32, false, false, true },
        { E16 "/" L32 "x", false, false, false },
        { E16 "Q/a", false, false, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice s = slice_text (rows[i].text);
        assert_int_equal (channel_name_valid (s), rows[i].channel);
        assert_int_equal (entity_valid (s), rows[i].entity);
        assert_int_equal (delegation_valid (s), rows[i].delegation);
    }
    assert_int_equal (strlen (E16 "/" L32), DELEGATION_MAX);
    assert_false (channel_name_valid ((struct slice){ 0 }));
    assert_false (entity_valid ((struct slice){ 0 }));
    assert_false (delegation_valid ((struct slice){ 0 }));
    assert_false (channel_name_valid (slice_of ("a\0", 2)));
    assert_false (entity_valid (slice_of ("AB\0", 3)));
    assert_false (delegation_valid (slice_of ("AB/a\0", 5)));
    assert_true (slice_is (delegation_entity (slice_text ("AB/a")), "AB"));
}

static void test_adhoc (void **state) {
    (void) state;
    static const struct row rows[] = {
        { "", ERR_MALFORMED },          { "a", ERR_MALFORMED },
        { "AB", ERR_MALFORMED },        { "@", ERR_MALFORMED },
        { "@A", ERR_MALFORMED },        { "@ab", ERR_MALFORMED },
        { "@@AB", ERR_MALFORMED },      { "@AB+", ERR_MALFORMED },
        { "@+AB", ERR_MALFORMED },      { "@AB++CD", ERR_MALFORMED },
        { "@AB+AB", ERR_MALFORMED },    { "@CD+AB", ERR_MALFORMED },
        { "@ABC+AB", ERR_MALFORMED }, /* the shorter first */
        { "@AB+CD+BC", ERR_MALFORMED }, { "@A0+A", ERR_MALFORMED },
        { "@AB/x", ERR_MALFORMED },     { "@AB+CD ", ERR_MALFORMED },
        { "@" E16 "Q", ERR_MALFORMED }, { ADHOC_16 "+QQ", ERR_LIMIT },
        { ADHOC_128 "A", ERR_LIMIT },   { "@AB", ERR_NONE },
        { "@" E16, ERR_NONE },          { "@AB+CD", ERR_NONE },
        { "@AB+ABC", ERR_NONE },        { "@A0+AA", ERR_NONE },
        { ADHOC_16, ERR_NONE },         { ADHOC_128, ERR_NONE },
    };
    CHECK (rows, channel_adhoc_check);
    assert_int_equal (strlen (ADHOC_128), CHANNEL_MAX);
    assert_int_equal (channel_adhoc_check (slice_of ("@AB\0", 4), NULL),
                      ERR_MALFORMED);
    assert_int_equal (channel_adhoc_check ((struct slice){ 0 }, NULL),
                      ERR_MALFORMED);
}

static void test_adhoc_entities (void **state) {
    (void) state;
    struct slice c = slice_text ("@AB+ABC+X1");
    assert_true (slice_is (channel_adhoc_entity (c, 0), "AB"));
    assert_true (slice_is (channel_adhoc_entity (c, 1), "ABC"));
    assert_true (slice_is (channel_adhoc_entity (c, 2), "X1"));
    assert_int_equal (channel_adhoc_entity (c, 3).size, 0);
    assert_int_equal (channel_adhoc_entity (c, SIZE_MAX).size, 0);
    assert_int_equal (channel_adhoc_entity (slice_text ("news"), 0).size, 0);
    assert_true (channel_adhoc_names (c, slice_text ("ABC")));
    assert_true (channel_adhoc_names (c, slice_text ("X1")));
    assert_false (channel_adhoc_names (c, slice_text ("A")));
    assert_false (channel_adhoc_names (c, slice_text ("AB+ABC")));
    assert_false (channel_adhoc_names (c, slice_text ("")));
    assert_false (channel_adhoc_names (slice_text ("AB"), slice_text ("AB")));
    assert_true (channel_is_adhoc (c));
    assert_false (channel_is_adhoc (slice_text ("a@")));
    assert_false (channel_is_adhoc (slice_text ("")));
}

static void test_topic (void **state) {
    (void) state;
    static const struct row rows[] = {
        { "", ERR_MALFORMED },
        { "/", ERR_MALFORMED },
        { "news", ERR_MALFORMED },
        { "@AB", ERR_MALFORMED },
        { "news/", ERR_MALFORMED },
        { "/news", ERR_MALFORMED },
        { "news//x", ERR_MALFORMED },
        { "news/x/", ERR_MALFORMED },
        { "News/x", ERR_MALFORMED },
        { "0/x", ERR_MALFORMED },
        { L32 "x/x", ERR_MALFORMED },
        { "$log/x", ERR_MALFORMED },
        { "news/$log", ERR_MALFORMED },
        { "news/a b", ERR_MALFORMED },
        { "news/a\nb", ERR_MALFORMED },
        { "news/+", ERR_MALFORMED },
        { "news/#", ERR_MALFORMED },
        { "+/x", ERR_MALFORMED },
        { "#", ERR_MALFORMED },
        { "news/@AB", ERR_MALFORMED },
        { "news/\xc3\xa9", ERR_MALFORMED },
        { "@CD+AB/x", ERR_MALFORMED },
        { "@AB+/x", ERR_MALFORMED },
        { "a/" L128 "x", ERR_LIMIT },
        { L128 "x/a", ERR_LIMIT },
        { "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", ERR_LIMIT },
        { "abcd/" L128 "/" L32 L32 L32 "abcdefghijklmnopqrstuvwxyz",
          ERR_LIMIT },
        { "a/b", ERR_NONE },
        { "news/A-Za-z0-9._-", ERR_NONE },
        { "news/./..", ERR_NONE },
        { L32 "/x", ERR_NONE },
        { "a/" L128, ERR_NONE },
        { "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", ERR_NONE },
        { "abc/" L128 "/" L32 L32 L32 "abcdefghijklmnopqrstuvwxyz", ERR_NONE },
        { "@AB/x", ERR_NONE },
        { "@AB+CD/x", ERR_NONE },
        { ADHOC_128 "/x", ERR_NONE },
    };
    CHECK (rows, topic_check);
    assert_int_equal (topic_check ((struct slice){ 0 }, NULL), ERR_MALFORMED);
    assert_int_equal (topic_check (slice_of ("a/b\0", 4), NULL), ERR_MALFORMED);
    assert_int_equal (topic_check (slice_of ("a\0/b", 4), NULL), ERR_MALFORMED);
}

/* A topic of 255 octets is taken, one of 256 is not. */
static void test_topic_size (void **state) {
    (void) state;
    char text[TOPIC_MAX + 1];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 64 == 1 ? '/' : 'x';
    assert_int_equal (topic_check (slice_of (text, TOPIC_MAX), NULL), 0);
    assert_int_equal (topic_check (slice_of (text, TOPIC_MAX + 1), NULL),
                      ERR_LIMIT);
    assert_int_equal (filter_check (slice_of (text, TOPIC_MAX), NULL), 0);
    assert_int_equal (filter_check (slice_of (text, TOPIC_MAX + 1), NULL),
                      ERR_LIMIT);
}

static void test_topic_says_where (void **state) {
    (void) state;
    struct error e;
    assert_int_equal (topic_check (slice_text ("news/a/b\x01/c"), &e),
                      ERR_MALFORMED);
    assert_non_null (strstr (e.text, "level 3"));
    assert_non_null (strstr (e.text, "0x01"));
    assert_true (slice_is (topic_channel (slice_text ("news/a/b")), "news"));
    assert_true (slice_is (topic_channel (slice_text ("@AB+CD/a")), "@AB+CD"));
}

static void test_filter (void **state) {
    (void) state;
    static const struct row rows[] = {
        { "", ERR_MALFORMED },
        { "/", ERR_MALFORMED },
        { "news/", ERR_MALFORMED },
        { "#/news", ERR_MALFORMED },
        { "news/#/x", ERR_MALFORMED },
        { "news/#/", ERR_MALFORMED },
        { "##", ERR_MALFORMED },
        { "news/a#", ERR_MALFORMED },
        { "news/#a", ERR_MALFORMED },
        { "news/a+", ERR_MALFORMED },
        { "news/+a", ERR_MALFORMED },
        { "news/++", ERR_MALFORMED },
        { "news+", ERR_MALFORMED },
        { "+news/x", ERR_MALFORMED },
        { "@+/x", ERR_MALFORMED },
        { "@AB+/x", ERR_MALFORMED },
        { "@AB+#/x", ERR_MALFORMED },
        { "@CD+AB/x", ERR_MALFORMED },
        { "@#", ERR_MALFORMED },
        { "$log", ERR_MALFORMED },
        { "News", ERR_MALFORMED },
        { "a/" L128 "x", ERR_LIMIT },
        { "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+", ERR_LIMIT },
        { "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/#", ERR_LIMIT },
        { "#", ERR_NONE },
        { "+", ERR_NONE },
        { "+/+", ERR_NONE },
        { "+/#", ERR_NONE },
        { "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+", ERR_NONE },
        { "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/#", ERR_NONE },
        { "news", ERR_NONE },
        { "news/#", ERR_NONE },
        { "news/+/x/#", ERR_NONE },
        { "@AB", ERR_NONE },
        { "@AB+CD", ERR_NONE },
        { "@AB+CD/+/#", ERR_NONE },
        { "news/a/b", ERR_NONE },
    };
    CHECK (rows, filter_check);
    assert_int_equal (filter_check ((struct slice){ 0 }, NULL), ERR_MALFORMED);
    assert_int_equal (filter_check (slice_of ("#\0", 2), NULL), ERR_MALFORMED);
}

static void test_match (void **state) {
    (void) state;
    static const struct {
        const char *filter, *topic;
        bool want;
    } rows[] = {
        { "#", "a/b", true },
        { "#", "@AB+CD/x", true },
        { "+", "a/b", false },
        { "+/+", "a/b", true },
        { "+/+", "a/b/c", false },
        { "+/#", "a/b/c", true },
        { "+/+/#", "a/b", true },
        { "+/+/+/#", "a/b", false },
        { "a", "a/b", false },
        { "a", "a", true },
        { "a/#", "a", true },
        { "a/#", "a/b", true },
        { "a/#", "a/b/c", true },
        { "a/#", "ab/c", false },
        { "a/b/#", "a", false },
        { "a/b/#", "a/b", true },
        { "a/b", "a/b", true },
        { "a/b", "a/B", false },
        { "a/b", "a/b/c", false },
        { "a/b/c", "a/b", false },
        { "a/+/c", "a/b/c", true },
        { "a/+/c", "a/b/d", false },
        { "a/+", "a", false },
        { "a/+", "a/b", true },
        { "a/bb", "a/b", false },
        { "a/b", "a/bb", false },
        { "@AB+CD/#", "@AB+CD/x", true },
        { "@AB/#", "@AB+CD/x", false },
        { "@AB+CD/+", "@AB+CE/x", false },
        { "+/x", "@AB+CD/x", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (filter_match (slice_text (rows[i].filter),
                          slice_text (rows[i].topic))
            != rows[i].want)
            fail_msg ("'%s' on '%s'", rows[i].filter, rows[i].topic);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_names),
        cmocka_unit_test (test_adhoc),
        cmocka_unit_test (test_adhoc_entities),
        cmocka_unit_test (test_topic),
        cmocka_unit_test (test_topic_size),
        cmocka_unit_test (test_topic_says_where),
        cmocka_unit_test (test_filter),
        cmocka_unit_test (test_match),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
