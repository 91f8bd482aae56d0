/* Meetings as iCalendar: folded, escaped, in UTC. */
#include "thread_fixture.h"

#include "threads/meeting.h"

#define TOPIC "members/meeting/EUROPOL/EUROPOL-m"

static char *calendar_of (const char *inner, bool withdrawn) {
    (void) say_put (20, 0, "EUROPOL/hq", TOPIC, inner);
    if (withdrawn)
        (void) say_put (21, 1, "EUROPOL/hq", TOPIC, "'does':'withdraw','reason':'no'");
    struct threads *threads = threads_of (NULL, 1);
    const struct thread *meeting = thread_found (threads, TOPIC);
    struct buf out = { 0 };
    meeting_ical (&out, &meeting, 1, "");
    threads_destroy (&threads);
    return buf_take_text (&out);
}

#define MEETING(title, more)                                                   \
    "'does':'propose','title':'" title "','invited':['FRONTEX'],'from':"       \
    "'2026-11-30T17:00:00+01:00','to':'2026-11-30T19:30:00+01:00','zone':"     \
    "'Europe/Paris','place':'Lyon, 200; quai'" more

static void test_plain (void **state) {
    (void) state;
    char *got = calendar_of (MEETING ("Dialogue", ""), false);
    assert_string_equal (got, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
                              "PRODID:-//Parley//Parley//EN\r\n"
                              "METHOD:PUBLISH\r\nBEGIN:VEVENT\r\n"
                              "UID:" TOPIC "\r\nSEQUENCE:0\r\n"
                              "DTSTAMP:20260601T120000Z\r\n"
                              "DTSTART:20261130T160000Z\r\n"
                              "DTEND:20261130T183000Z\r\n"
                              "SUMMARY:Dialogue\r\n"
                              "LOCATION:Lyon\\, 200\\; quai\r\n"
                              "STATUS:CONFIRMED\r\nEND:VEVENT\r\n"
                              "END:VCALENDAR\r\n");
    free (got);
}

/* No line over 75 octets, no character cut, and nothing lost. */
static void test_folded (void **state) {
    (void) state;
    char *got = calendar_of (
        MEETING ("A long meeting \u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
                 "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
                 "\u4f1a\u8b70\u4f1a\u8b70\u4f1a\u8b70\u4f1a\u8b70\u4f1a\u8b70"
                 "\u4f1a\u8b70\u4f1a\u8b70\u4f1a\u8b70\u4f1a\u8b70\u4f1a\u8b70",
                 ",'agenda':[{'id':'a','title':'One'},{'id':'b','title':"
                 "'Two','entity':'FRONTEX'}]"),
        true);
    assert_non_null (strstr (got, "STATUS:CANCELLED"));
    assert_non_null (strstr (got, "SEQUENCE:1"));
    assert_non_null (strstr (got, "DESCRIPTION:1. One\\n2. Two (FRONTEX)\r\n"));
    size_t folds = 0;
    for (char *line = got; *line;) {
        char *end = strstr (line, "\r\n");
        assert_non_null (end);
        assert_true (end - line <= 75);
        assert_int_not_equal ((uint8_t) line[1] & 0xc0, 0x80);
        folds += *line == ' ';
        line = end + 2;
    }
    assert_true (folds >= 1);
    free (got);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_plain, spoken_clear),
        cmocka_unit_test_teardown (test_folded, spoken_clear),
    };
    return cmocka_run_group_tests (tests, spoken_begin, spoken_end);
}
