/* table: what peers write can't move the cursor, and columns stand as a
 * terminal draws them. */
#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* What is printed; the caller frees. */
static char *printed (struct table **table_p) {
    char *text;
    size_t size;
    FILE *out = open_memstream (&text, &size);
    assert_non_null (out);
    table_print (*table_p, out);
    fclose (out);
    table_destroy (table_p);
    assert_null (*table_p);
    return text;
}

static void expect (struct table **table_p, const char *wanted) {
    char *text = printed (table_p);
    assert_string_equal (text, wanted);
    free (text);
}

static void test_arguments (void **state) {
    (void) state;
    struct table *none = NULL;
    table_destroy (NULL);
    table_destroy (&none);
    assert_int_equal (text_width (""), 0);
}

static void test_empty (void **state) {
    (void) state;
    static const char *const heads[] = { "A", "B", NULL };
    static const char *const bare[] = { "", "", NULL };
    struct table *table = table_new (heads);
    assert_true (table_is_empty (table));
    expect (&table, "A  B\n");
    table = table_new (bare);
    expect (&table, "");
    table = table_new (heads);
    table_cell (table, NULL);
    assert_false (table_is_empty (table));
    expect (&table, "A  B\n\n");
}

static void test_widths (void **state) {
    (void) state;
    static const char *const heads[] = { "NAME", "N", "WHAT", NULL };
    struct table *table = table_new (heads);
    table_cell (table, "EUROPOL");
    table_int (table, 7);
    table_format (table, "%s-%d", "x", 1);
    table_cell (table, "A");
    table_int (table, -1200);
    table_cell (table, "");
    table_cell (table, "no more");
    expect (&table, "NAME     N      WHAT\n"
                    "EUROPOL      7  x-1\n"
                    "A        -1200\n"
                    "no more\n");
}

static void test_characters (void **state) {
    (void) state;
    static const struct {
        const char *text;
        size_t width;
    } cases[] = {
        { "abc", 3 },
        { "\xc3\xa9t\xc3\xa9", 3 },        /* two octets a letter */
        { "e\xcc\x81", 1 },                /* combining accent */
        { "\xe5\x8c\x97\xe4\xba\xac", 4 }, /* wide */
        { "\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85", 4 },
        { "\xf0\x9f\x9a\x93", 2 },
        { "\xff\xfe", 2 }, /* no UTF-8: one each */
        { "\x1b", 1 },
    };
    static const char *const heads[] = { "", "", NULL };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (text_width (cases[i].text) != cases[i].width)
            fail_msg ("%s: %zu columns, not %zu", cases[i].text,
                      text_width (cases[i].text), cases[i].width);
    struct table *table = table_new (heads);
    table_cell (table, "\xe5\x8c\x97\xe4\xba\xac");
    table_cell (table, "1");
    table_cell (table, "e\xcc\x81");
    table_cell (table, "2");
    expect (&table, "\xe5\x8c\x97\xe4\xba\xac  1\n"
                    "e\xcc\x81     2\n");
}

static void test_hostile (void **state) {
    (void) state;
    static const char *const heads[] = { "A", "B", NULL };
    struct table *table = table_new (heads);
    table_slice (table, slice_of ("a\0b\n\x1b[2J", 8));
    table_cell (table, "\xe2\x80\xae"
                       "left"); /* turns the direction */
    char *text = printed (&table);
    assert_null (strchr (text, '\x1b'));
    assert_null (strstr (text, "\xe2\x80\xae"));
    assert_non_null (strstr (text, "a\\x00b\\x0a\\x1b[2J  "));
    free (text);
    char *much = mem_alloc (100001);
    memset (much, 'x', 100000);
    table = table_new (heads);
    table_cell (table, much);
    text = printed (&table);
    assert_true (strlen (text) < 2 * TABLE_CELL_MAX + 100);
    assert_non_null (strstr (text, "xxx...\n"));
    free (text);
    free (much);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_arguments), cmocka_unit_test (test_empty),
        cmocka_unit_test (test_widths),    cmocka_unit_test (test_characters),
        cmocka_unit_test (test_hostile),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
