/* What waits for a body, in the order of its due instants. */
#include "subject_fixture.h"
#include "thread_fixture.h"

#include "threads/inbox.h"

static int clear (void **state) {
    for (size_t i = 0; i < line_count; i++)
        json_decref (lines[i].document);
    line_count = 0;
    return spoken_clear (state);
}

/* "stance:EUROPOL-both@20 claim ", ... */
static void assert_inbox (const char *entity, int64_t minutes,
                          const char *want) {
    struct model *model = model_of (NULL, 1);
    struct threads *threads = threads_of (NULL, 1);
    struct inbox inbox;
    struct buf text = { 0 };
    size_t of[INBOX_KINDS] = { 0 };
    inbox_make (&inbox, threads, model, entity, NOON + minutes * MINUTE);
    for (size_t i = 0; i < inbox.count; i++) {
        const struct inbox_item *item = &inbox.at[i];
        of[item->kind]++;
        buf_add_format (&text, "%s", inbox_kind_name (item->kind));
        if (item->thread)
            buf_add_format (&text, ":%s@%d", item->thread->place.id,
                            (int) item->since);
        if (item->undertaking)
            buf_add_format (&text, "#%s", item->undertaking->id);
        buf_add_text (&text, item->has_due ? "! " : " ");
    }
    char *got = buf_take_text (&text);
    assert_string_equal (got, want);
    for (size_t i = 0; i < INBOX_KINDS; i++)
        assert_int_equal (of[i], inbox.of[i]);
    free (got);
    inbox_free (&inbox);
    inbox_free (&inbox);
    threads_destroy (&threads);
    model_destroy (&model);
}

#define ALIGN "members/align/EUROPOL/EUROPOL-a"
static void align_fill (void) {
    (void) say_put (
        20, 0, "EUROPOL/hq", ALIGN,
        "'does':'propose','title':'A','type':'joint','rule':'all','about':["
        "{'ref':'EUROPOL-p#A1'}],'invited':['FRONTEX','UNODC'],'deadline':"
        "'2026-06-02','undertakings':[{'id':'U1','who':'FRONTEX','what':'x',"
        "'by':'2026-06-05'},{'id':'U2','who':'EUROPOL','what':'y'}]");
}

static void test_none (void **state) {
    (void) state;
    assert_inbox ("EUROPOL", 0, "");
}

static void test_align (void **state) {
    (void) state;
    align_fill();
    assert_inbox ("EUROPOL", 1, "");
    assert_inbox ("FRONTEX", 1, "stance:EUROPOL-a@20! ");
    assert_inbox ("UNODC", 1, "stance:EUROPOL-a@20! "); /* an observer, too */
    (void) say_put (21, 2, "FRONTEX/hq", ALIGN,
                    "'does':'suggest','version':'$20','text':'other words'");
    assert_inbox ("EUROPOL", 3, "suggestion:EUROPOL-a@21! ");
    (void) say_put (22, 4, "FRONTEX/hq", ALIGN,
                    "'does':'stance','version':'$20','says':'endorse'");
    assert_inbox ("FRONTEX", 5, "");
    /* Agreed when the hour behind the deadline is over. */
    assert_inbox ("FRONTEX", 3000, "undertaking:EUROPOL-a@20#U1! ");
    assert_inbox ("EUROPOL", 3000, "undertaking:EUROPOL-a@20#U2 ");
    assert_inbox ("UNODC", 3000, "");
    (void) say_put (23, 3001, "FRONTEX/hq", ALIGN,
                    "'does':'done','undertaking':'U1','day':'2026-06-03'");
    assert_inbox ("FRONTEX", 3002, "");
}

static void test_again (void **state) {
    (void) state;
    line_plan (10, "members", "EUROPOL-p", ACTION ("A1", "EUROPOL", ""));
    align_fill();
    (void) say_put (22, 4, "FRONTEX/hq", ALIGN,
                    "'does':'stance','version':'$20','says':'abstain'");
    line_plan (30, "members", "EUROPOL-p", ACTION ("A1", "UNODC", ""));
    assert_inbox ("FRONTEX", 5, "asked-again:EUROPOL-a@30! ");
    assert_inbox ("EUROPOL", 5, "asked-again:EUROPOL-a@30! ");
    assert_inbox ("UNODC", 5, "stance:EUROPOL-a@20! ");
    (void) say_put (32, 6, "FRONTEX/hq", ALIGN,
                    "'does':'stance','version':'$20','says':'object'");
    assert_inbox ("FRONTEX", 7, "");
    /* Not agreed in the end: nobody is asked any more. */
    assert_inbox ("EUROPOL", 3000, "");
    (void) say_put (33, 3001, "EUROPOL/hq", ALIGN, "'does':'withdraw','reason':'no'");
    assert_inbox ("UNODC", 3002, "");
}

static void test_kinds (void **state) {
    (void) state;
    (void) say_put (40, 0, "EUROPOL/hq", "members/meeting/EUROPOL/EUROPOL-m",
                    "'does':'propose','title':'M','invited':['FRONTEX'],"
                    "'from':'2026-06-03T10:00:00+02:00','to':"
                    "'2026-06-03T12:00:00+02:00','zone':'Europe/Paris',"
                    "'place':'Lyon'");
    (void) say_put (41, 0, "EUROPOL/hq",
                    "members/consultation/EUROPOL/EUROPOL-q",
                    "'does':'propose','title':'Q','text':'What?'");
    (void) say_put (42, 0, "EUROPOL/hq", "members/request/EUROPOL/EUROPOL-r",
                    "'does':'propose','title':'R','text':'Help','invited':"
                    "['FRONTEX'],'deadline':'2026-06-02'");
    (void) say_put (43, 0, "EUROPOL/hq", "members/notice/EUROPOL/EUROPOL-n",
                    "'does':'propose','title':'N','text':'Know'");
    assert_inbox ("FRONTEX", 1,
                  "request:EUROPOL-r@42! invitation:EUROPOL-m@40! "
                  "reply:EUROPOL-q@41 ");
    assert_inbox ("UNODC", 1, "reply:EUROPOL-q@41 ");
    assert_inbox ("EUROPOL", 1, "");
    (void) say_put (44, 1, "FRONTEX/hq", "members/request/EUROPOL/EUROPOL-r",
                    "'does':'stance','version':'$42','says':'counter'");
    (void) say_put (45, 1, "FRONTEX/hq",
                    "members/consultation/EUROPOL/EUROPOL-q",
                    "'does':'stance','version':'$41','says':'reply','text':"
                    "'That.'");
    assert_inbox ("FRONTEX", 2, "invitation:EUROPOL-m@40! ");
    assert_inbox ("FRONTEX", 3 * 24 * 60, ""); /* it is over */
}

/* Named by the other body alone; answered by a statement, until that falls. */
static void test_claims (void **state) {
    (void) state;
    line_plan (10, "members", "EUROPOL-p",
               ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX']"));
    line_plan (11, "members", "FRONTEX-p", ACTION ("A1", "FRONTEX", ""));
    align_fill();
    assert_inbox ("FRONTEX", 1, "stance:EUROPOL-a@20! claim ");
    assert_inbox ("UNODC", 1, "stance:EUROPOL-a@20! ");
    assert_inbox ("EUROPOL", 1, "");
    line_add (30, "FRONTEX/hq", "members/overlap/FRONTEX",
              "{'format':1,'a':'EUROPOL-p#A1','b':'FRONTEX-p#A1','says':"
              "'confirm','a_of':10,'b_of':11}");
    assert_inbox ("FRONTEX", 1, "stance:EUROPOL-a@20! ");
    line_plan (31, "members", "EUROPOL-p",
               ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX','UNODC']"));
    assert_inbox ("FRONTEX", 1, "stance:EUROPOL-a@20! claim ");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_none, clear),
        cmocka_unit_test_teardown (test_align, clear),
        cmocka_unit_test_teardown (test_again, clear),
        cmocka_unit_test_teardown (test_kinds, clear),
        cmocka_unit_test_teardown (test_claims, clear),
    };
    return cmocka_run_group_tests (tests, spoken_begin, spoken_end);
}
