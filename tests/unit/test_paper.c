/* paper: nothing of a text becomes part of the page. */
#include "plans/paper.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_text (void **state) {
    (void) state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "", "" },
        { "a b\n\tc", "a b\n\tc" },
        { "<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;" },
        { "&lt;", "&amp;lt;" },
        { "\x01\r\x1b\x7f",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xd8\xb9", "\xd8\xb9" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out = { 0 };
        paper_text (&out, rows[i].text);
        char *text = buf_take_text (&out);
        assert_string_equal (text, rows[i].want);
        free (text);
    }
}

static void test_element (void **state) {
    (void) state;
    struct buf out = { 0 };
    paper_element (&out, "b", NULL, NULL, "<");
    paper_element (&out, "p", "text", "\"x", "y");
    paper_element (&out, "i", NULL, "", "");
    char *text = buf_take_text (&out);
    assert_string_equal (text, "<b dir=\"auto\">&lt;</b>"
                               "<p class=\"text\" dir=\"auto\" "
                               "lang=\"&quot;x\">y</p><i dir=\"auto\"></i>");
    free (text);
}

static char *frame (const struct paper *page) {
    struct buf out = { 0 };
    paper_begin (&out, page);
    paper_end (&out);
    return buf_take_text (&out);
}

static size_t times (const char *text, const char *part) {
    size_t count = 0;
    while ((text = strstr (text, part))) {
        count++;
        text += strlen (part);
    }
    return count;
}

static void test_frame (void **state) {
    (void) state;
    struct paper page = { "e\"n", "</title><script>", "TLP:RED", "line<", "&" };
    char *text = frame (&page);
    assert_int_equal (times (text, "<script"), 0);
    assert_int_equal (times (text, "&lt;/title&gt;&lt;script&gt;"), 2);
    assert_int_equal (times (text, "lang=\"e&quot;n\""), 1);
    assert_int_equal (times (text, ">TLP:RED<"), 2);
    assert_int_equal (times (text, "handling tlp-red"), 2);
    assert_int_equal (times (text, "default-src 'none'"), 1);
    assert_int_equal (times (text, "</html>\n"), 1);
    free (text);
    struct paper nothing = { 0 };
    text = frame (&nothing);
    assert_int_equal (times (text, "class=\"handling"), 0);
    assert_int_equal (times (text, "(null)"), 0);
    free (text);
    static const struct {
        const char *handling, *class;
    } rows[] = {
        { "TLP:AMBER", "\"handling tlp-amber\"" },
        { "TLP:AMBER+STRICT", "\"handling tlp-amber\"" },
        { "TLP:GREEN", "\"handling tlp-green\"" },
        { "TLP:CLEAR", "\"handling\"" },
        { "\">", "\"handling\"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        page.handling = rows[i].handling;
        text = frame (&page);
        assert_int_equal (times (text, rows[i].class), 2);
        free (text);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_text),
        cmocka_unit_test (test_element),
        cmocka_unit_test (test_frame),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
