/* csv: RFC 4180, and what spreadsheets make of it. */
#include "plans/csv.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BOM "\xef\xbb\xbf"

static void test_refused (void **state) {
    (void) state;
    static const struct {
        struct slice text;
        const char *place, *says;
    } rows[] = {
#define ROW(text, place, says)                                                 \
    { { (const uint8_t *) text, sizeof text - 1 }, place, says }
        ROW ("a,b\n\"c", "row 2, column 1", "nothing closes"),
        ROW ("a,b\n1,\"c\"\"", "row 2, column 2", "nothing closes"),
        ROW ("a,\"b\"c\n", "row 1, column 2", "behind its closing quote"),
        ROW ("a,\"b\" \n", "row 1, column 2", "behind its closing quote"),
        ROW ("a\n5\" pipe\n", "row 2, column 1", "is not quoted"),
        ROW ("a\n\nb,\0\n", "row 3, column 2", "NUL"),
        ROW ("a\n\"\0\"\n", "row 2, column 1", "NUL"),
        ROW ("a;b\n1;caf\xe9\n", "row 2, column 2", "CSV UTF-8"),
        ROW ("a\n\"\xed\xa0\x80\"", "row 2, column 1", "CSV UTF-8"),
        ROW ("\xff\xfe"
             "a\0",
             "row 1, column 1", "UTF-16"),
        ROW ("\xfe\xff\0a", "row 1, column 1", "UTF-16"),
        ROW ("\"a\nb\"\n\"c\"x", "row 2, column 1", "behind"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        struct csv *got = csv_read (rows[i].text, &faults);
        if (got || faults.count != 1
            || strcmp (faults.at[0].pointer, rows[i].place)
            || !strstr (faults.at[0].text, rows[i].says))
            fail_msg ("%zu: %s: %s", i,
                      faults.kept ? faults.at[0].pointer : "taken",
                      faults.kept ? faults.at[0].text : "");
        faults_clear (&faults);
    }
}

static void test_limits (void **state) {
    (void) state;
    struct faults faults = { 0 };
    struct buf text = { 0 };
    buf_add_zeros (&text, CSV_OCTETS_MAX);
    memset (text.data, ',', text.size);
    assert_null (csv_read (buf_slice (&text), &faults)); /* columns */
    assert_string_equal (faults.at[0].pointer, "row 1, column 257");
    faults_clear (&faults);
    buf_add_u8 (&text, 'x');
    assert_null (csv_read (buf_slice (&text), &faults));
    assert_non_null (strstr (faults.at[0].text, "4 MiB"));
    faults_clear (&faults);
    memset (text.data, 'x', --text.size);
    struct csv *got = csv_read (buf_slice (&text), &faults); /* one cell */
    assert_int_equal (got->row_count, 1);
    assert_int_equal (strlen (got->rows[0].cells[0]), CSV_OCTETS_MAX);
    csv_free (&got);
    memset (text.data, '\n', text.size);
    assert_null (csv_read (buf_slice (&text), &faults));
    assert_string_equal (faults.at[0].pointer, "row 10000, column 1");
    faults_clear (&faults);
    text.size = CSV_ROWS_MAX;
    got = csv_read (buf_slice (&text), &faults);
    assert_int_equal (got->row_count, CSV_ROWS_MAX);
    csv_free (&got);
    csv_free (&got); /* NULL */
    buf_free (&text);
}

/* Cells as "a|b/c": rows by slash. */
static void test_read (void **state) {
    (void) state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "", "" },
        { BOM, "" },
        { "a", "a/" },
        { "a,b\r\nc,d\r\n", "a|b/c|d/" },
        { "a,b\nc,d", "a|b/c|d/" },
        { "a,b\rc,d\r", "a|b/c|d/" },
        { BOM "a;b\nc;d,e\n", "a|b/c|d,e/" },
        { "a\tb\nc\td;e,f\n", "a|b/c|d;e,f/" },
        { "a;b,c;d\n", "a|b,c|d/" },
        { "\"a;b;c\",d\n", "a;b;c|d/" },
        { "sep=;\r\na,b;c\n", "a,b|c/" },
        { BOM "sep=\t\na,b,c\td\n", "a,b,c|d/" },
        { "sep=|\na\n", "sep=|/a/" },
        { "sep=;", "sep=|/" },
        { "a,,\n,,\n\n", "a||/||//" },
        { "\"a\"\"b\",\"c,d\ne\r\nf\"\n", "a\"b|c,d\ne\r\nf/" },
        { "\"\",x\n", "|x/" },
        { " a , b\n", " a | b/" },
        { "\xd8\xb9,\xf0\x9f\x98\x80\n", "\xd8\xb9|\xf0\x9f\x98\x80/" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        struct buf out = { 0 };
        struct csv *got = csv_read (slice_text (rows[i].text), &faults);
        assert_non_null (got);
        for (size_t r = 0; r < got->row_count; r++) {
            for (size_t c = 0; c < got->rows[r].count; c++)
                buf_add_format (&out, "%s%s", c ? "|" : "",
                                got->rows[r].cells[c]);
            buf_add_u8 (&out, '/');
        }
        char *text = buf_take_text (&out);
        if (strcmp (text, rows[i].want))
            fail_msg ("'%s': '%s'", rows[i].text, text);
        free (text);
        csv_free (&got);
    }
    struct faults faults = { 0 };
    struct csv *got = csv_read (slice_of (NULL, 0), &faults);
    assert_int_equal (got->row_count, 0);
    csv_free (&got);
    got = csv_read (slice_text ("a,b\n , \n,,\nx\n"), &faults);
    assert_true (csv_row_empty (&got->rows[1]));
    assert_true (csv_row_empty (&got->rows[2]));
    assert_false (csv_row_empty (&got->rows[3]));
    csv_free (&got);
}

static void test_write (void **state) {
    (void) state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "", "" },
        { "a b", "a b" },
        { "a,b", "\"a,b\"" },
        { "a;b", "\"a;b\"" },
        { "a\"b", "\"a\"\"b\"" },
        { "a\nb", "\"a\nb\"" },
        { " a", "\" a\"" },
        { "a ", "\"a \"" },
        { "=1+1", "'=1+1" },
        { "+44", "'+44" },
        { "-", "'-" },
        { "@SUM(A1)", "'@SUM(A1)" },
        { "\tx", "\"'\tx\"" },
        { "\rx", "\"'\rx\"" },
        { "\nx", "\"'\nx\"" },
        { " =1", "\"' =1\"" },
        { "=cmd|'/c calc'!A0", "'=cmd|'/c calc'!A0" },
        { "=\"a\",b", "\"'=\"\"a\"\",b\"" },
        { "\xef\xbc\x9d"
          "1",
          "'\xef\xbc\x9d"
          "1" },
        { "'=1", "''=1" },
        { "''=1", "'''=1" },
        { "'a", "'a" },
        { "a=1", "a=1" },
        { "2026-04-03", "2026-04-03" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct csv_writer writer;
        struct buf out = { 0 };
        csv_begin (&writer, &out);
        csv_cell (&writer, "");
        csv_cell (&writer, rows[i].text);
        csv_row_end (&writer);
        csv_cell (&writer, rows[i].text);
        csv_row_end (&writer);
        char want[128];
        snprintf (want, sizeof want, BOM ",%s\r\n%s\r\n", rows[i].want,
                  rows[i].want);
        char *text = buf_take_text (&out);
        assert_string_equal (text, want);
        free (text);
    }
}

/* Whatever texts are written, the same are read. */
static void test_round_trip (void **state) {
    (void) state;
    static const char *const pieces[] = {
        "'",  "=",        "\"",           ",",    ";",
        "\t", "\n",       "\r",           " ",    "-",
        "a",  "\xc3\xa9", "\xef\xbc\xa0", "sep=", "1"
    };
    srandom (3);
    for (int i = 0; i < 3000; i++) {
        char texts[6][64] = { "x,", "y" }; /* a comma wins */
        struct csv_writer writer;
        struct buf out = { 0 };
        csv_begin (&writer, &out);
        for (int k = 0; k < 6; k++) {
            for (int n = k < 2 ? 0 : (int) (random() % 8); n > 0; n--)
                strcat (texts[k], pieces[(size_t) random()
                                         % (sizeof pieces / sizeof *pieces)]);
            csv_cell (&writer, texts[k]);
            if (k == 2)
                csv_row_end (&writer);
        }
        csv_row_end (&writer);
        struct faults faults = { 0 };
        struct csv *got = csv_read (buf_slice (&out), &faults);
        assert_non_null (got);
        assert_int_equal (got->row_count, 2);
        for (int k = 0; k < 6; k++) {
            const char *cell = got->rows[k / 3].cells[k % 3];
            assert_null (strchr ("=+-@\t\r\n", *cell ? *cell : 'x'));
            assert_string_equal (csv_plain (cell), texts[k]);
        }
        csv_free (&got);
        buf_free (&out);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused),    cmocka_unit_test (test_limits),
        cmocka_unit_test (test_read),       cmocka_unit_test (test_write),
        cmocka_unit_test (test_round_trip),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
