/* What plans tell of threads: changes since somebody spoke, undertakings that
 * they show, overlaps that an agreement covers. */
#include "subject_fixture.h"
#include "thread_fixture.h"

#include "threads/asks.h"

#define TOPIC "members/align/EUROPOL/EUROPOL-both"
#define LATER (NOON + 3000 * MINUTE) /* behind the deadline and its hour */
#define PROPOSE(about, more)                                                   \
    "'does':'propose','title':'Both','type':'joint','rule':'all',"             \
    "'invited':['FRONTEX'],'deadline':'2026-06-02','about':[" about "]" more
#define A "{'ref':'EUROPOL-p#A1','of':10}"
#define B "{'ref':'FRONTEX-p#A1'}"

static void plans_fill (void) {
    line_plan (10, "members", "EUROPOL-p",
               ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX']"));
    line_plan (11, "members", "FRONTEX-p", ACTION ("A1", "FRONTEX", ""));
}

static void proposal_fill (const char *inner) {
    (void) say_put (20, 0, "EUROPOL/hq", TOPIC, inner);
    (void) say_put (22, 1, "FRONTEX/hq", TOPIC,
                    "'does':'stance','version':'$20','says':'endorse'");
}

static int clear (void **state) {
    for (size_t i = 0; i < line_count; i++)
        json_decref (lines[i].document);
    line_count = 0;
    return spoken_clear (state);
}

/* "EUROPOL-p#A1:4@30 " : reference, bits, record. */
static void assert_asks (int64_t since, const char *want, bool frontex_again) {
    struct model *model = model_of (NULL, 1);
    struct threads *threads = threads_of (NULL, 1);
    const struct thread *thread = thread_found (threads, TOPIC);
    struct ask at[4];
    struct buf text = { 0 };
    size_t count = asks_changed (model, thread_current (thread), since, at, 4);
    for (size_t i = 0; i < count && i < 4; i++)
        buf_add_format (&text, "%s:%u@%d ", at[i].about->ref, at[i].changes,
                        (int) at[i].sequence);
    char *got = buf_take_text (&text);
    assert_string_equal (got, want);
    free (got);
    assert_int_equal (asks_again (model, thread, "FRONTEX"), frontex_again);
    assert_false (asks_again (model, thread, "UNODC"));
    threads_destroy (&threads);
    model_destroy (&model);
}

/* Each respect; what is none asks nobody. */
static void test_respects (void **state) {
    static const struct {
        const char *action;
        const char *want;
        bool again;
    } table[] = {
        { ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX']"), "", false },
        { ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX'],'x':'new words'"),
          "", false },
        { ACTION ("A1", "EUROPOL", ",'partners':['UNODC']"),
          "EUROPOL-p#A1:16@30 ", true },
        { ACTION ("A1", "UNODC", ",'partners':['FRONTEX']"),
          "EUROPOL-p#A1:8@30 ", true },
        { ACTION ("A2", "EUROPOL", ""), "EUROPOL-p#A1:64@30 ", true },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        plans_fill();
        proposal_fill (PROPOSE (A "," B, ""));
        line_plan (30, "members", "EUROPOL-p", table[i].action);
        assert_asks (20, table[i].want, table[i].again);
        clear (state);
    }
}

/* The place from which on it is as it is now; back again is no change. */
static void test_since (void **state) {
    (void) state;
    plans_fill();
    proposal_fill (PROPOSE (A "," B, ""));
    line_plan (30, "members", "FRONTEX-p", ACTION ("A1", "UNODC", ""));
    line_plan (31, "members", "FRONTEX-p",
               ACTION ("A1", "UNODC", ",'x':'words'"));
    assert_asks (20, "FRONTEX-p#A1:8@30 ", true);
    (void) say_put (32, 5, "FRONTEX/hq", TOPIC,
                    "'does':'stance','version':'$20','says':'endorse'");
    assert_asks (20, "FRONTEX-p#A1:8@30 ", false);
    assert_asks (32, "", false);
    line_plan (40, "members", "FRONTEX-p", ACTION ("A1", "FRONTEX", ""));
    assert_asks (20, "", true);
    line_add (41, "FRONTEX/hq", "members/plan/FRONTEX/FRONTEX-p",
              "{'format':1,'withdraw':'FRONTEX-p'}");
    assert_asks (20, "FRONTEX-p#A1:64@41 ", true);
}

/* Who named an older record meant what it held. */
static void test_of (void **state) {
    (void) state;
    plans_fill();
    line_plan (15, "members", "EUROPOL-p", ACTION ("A1", "UNODC", ""));
    proposal_fill (PROPOSE (A "," B, ""));
    assert_asks (20, "EUROPOL-p#A1:24@15 ", false);
}

/* Of plans and goals: only that they are gone; annexes that brought an action
 * count for it, and what they add to others does not. */
static void test_parts (void **state) {
    (void) state;
    plans_fill();
    line_add (12, "EUROPOL/hq", "core/annex/EUROPOL/EUROPOL-p",
              "{'format':1,'annex':'x','plan':'EUROPOL-p','entity':'EUROPOL',"
              "'actions':[" ACTION ("A9", "EUROPOL", "") "]}");
    proposal_fill (PROPOSE ("{'ref':'EUROPOL-p'},{'ref':'EUROPOL-p#G1'},"
                            "{'ref':'EUROPOL-p#A9'},{'ref':'UNODC-none#A1'}",
                            ""));
    line_plan (30, "members", "EUROPOL-p", ACTION ("A1", "UNODC", ""));
    assert_asks (20, "", false);
    line_add (31, "EUROPOL/hq", "core/annex/EUROPOL/EUROPOL-p",
              "{'format':1,'annex':'y','plan':'EUROPOL-p','entity':'EUROPOL',"
              "'adds':{'A9':{'co_leads':['UNODC']}}}");
    assert_asks (20, "", false);
    line_add (32, "EUROPOL/hq", "core/annex/EUROPOL/EUROPOL-p",
              "{'format':1,'annex':'x','plan':'EUROPOL-p','entity':'EUROPOL',"
              "'actions':[" ACTION ("A9", "FRONTEX", "") "]}");
    assert_asks (20, "EUROPOL-p#A9:8@32 ", true);
    line_add (33, "EUROPOL/hq", "members/plan/EUROPOL/EUROPOL-p",
              "{'format':1,'withdraw':'EUROPOL-p'}");
    assert_asks (20, "EUROPOL-p:64@33 EUROPOL-p#G1:64@33 EUROPOL-p#A9:64@33 ",
                 true);
}

static void test_words (void **state) {
    (void) state;
    static const struct {
        const char *ref;
        unsigned changes;
        const char *want;
    } table[] = {
        { "E-p#a", ASK_DATES, "the dates of E-p#a changed (record 7)" },
        { "E-p#a", ASK_DATES | ASK_LEAD | ASK_REGIONS,
          "the regions, the dates and the lead of E-p#a changed (record 7)" },
        { "E-p#a", ASK_CANCELLED,
          "E-p#a was cancelled, or taken up again (record 7)" },
        { "E-p", ASK_GONE, "the plan E-p is gone (record 7)" },
        { "E-p#a", ASK_GONE, "E-p#a is gone (record 7)" },
    };
    char out[ASK_WORDS_MAX];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct about about = { table[i].ref, -1 };
        struct ask ask = { &about, table[i].changes, 7 };
        assert_string_equal (ask_words (out, &ask), table[i].want);
    }
}

#define UNDERTAKE                                                              \
    ",'undertakings':[{'id':'U1','who':'FRONTEX','what':'lead it','action':"   \
    "'EUROPOL-p#A1','shows':'named','by':'2026-06-02'},{'id':'U2','who':"      \
    "'EUROPOL','what':'stop','action':'EUROPOL-p#A1','shows':'cancelled'},"    \
    "{'id':'U3','who':'EUROPOL','what':'finish','action':'EUROPOL-p#A1',"      \
    "'shows':'done'},{'id':'U4','who':'FRONTEX','what':'write'}]"

/* By whom each undertaking is done: 0 nobody, 1 its owner, 2 the plans. */
static void assert_done (const char *want, bool agreed, size_t open_want) {
    struct model *model = model_of (NULL, 1);
    struct threads *threads = threads_of (NULL, 1);
    const struct thread *thread = thread_found (threads, TOPIC);
    const struct proposal *proposal = thread->versions[0].proposal;
    char got[5] = "";
    size_t open, all;
    for (size_t i = 0; i < proposal->undertaking_count; i++) {
        struct undertaking_state is;
        undertaking_state (model, thread, &proposal->undertakings[i], LATER,
                           &is);
        got[i] = (char) ('0' + (int) is.by);
        assert_int_equal (is.by == BY_NOBODY, is.sequence < 0);
        assert_int_equal (is.overdue, i == 0 && is.by == BY_NOBODY);
    }
    assert_string_equal (got, want);
    assert_int_equal (asks_carried_out (model, thread, LATER, &open, &all),
                      agreed);
    assert_int_equal (all, agreed ? 4 : 0);
    assert_int_equal (open, open_want);
    threads_destroy (&threads);
    model_destroy (&model);
}

static void test_undertakings (void **state) {
    (void) state;
    line_plan (10, "members", "EUROPOL-p", ACTION ("A1", "EUROPOL", ""));
    (void) say_put (20, 0, "EUROPOL/hq", TOPIC, PROPOSE (A, UNDERTAKE));
    assert_done ("0000", false, 0);
    (void) say_put (22, 1, "FRONTEX/hq", TOPIC,
                    "'does':'stance','version':'$20','says':'endorse'");
    assert_done ("0000", true, 4);
    line_plan (30, "members", "EUROPOL-p",
               ACTION ("A1", "EUROPOL", ",'partners':['FRONTEX']"));
    assert_done ("2000", true, 3);
    line_add (31, "EUROPOL/hq", "members/report/EUROPOL/EUROPOL-p",
              "{'format':1,'report':'EUROPOL-p','action':'A1','period':{'from':"
              "'2026','to':'2026'},'status':'done'}");
    assert_done ("2020", true, 2);
    (void) say_put (32, 9, "EUROPOL/hq", TOPIC,
                    "'does':'done','undertaking':'U4','day':'2026-06-01'");
    assert_done ("2020", true, 2); /* not its owner */
    (void) say_put (33, 10, "FRONTEX/hq", TOPIC,
                    "'does':'done','undertaking':'U4','day':'2026-06-01'");
    assert_done ("2021", true, 1);
    (void) say_put (34, 11, "FRONTEX/hq", TOPIC,
                    "'does':'done','undertaking':'U4','undone':true");
    assert_done ("2020", true, 2);
}

static void assert_covered (bool want) {
    struct model *model = model_of (NULL, 1);
    struct threads *threads = threads_of (NULL, 1);
    struct overlap_query query = { .limit = 10 };
    struct overlap_answer answer = { 0 };
    const struct thread *by[2];
    overlaps_find (model_overlaps (model), &query, &answer);
    assert_int_equal (answer.count, 1);
    assert_int_equal (asks_covering (threads, &answer.at[0], LATER, by, 2),
                      want);
    assert_int_equal (asks_covering (threads, &answer.at[0], NOON, by, 2), 0);
    if (want)
        assert_string_equal (by[0]->place.id, "EUROPOL-both");
    overlap_answer_free (&answer);
    threads_destroy (&threads);
    model_destroy (&model);
}

static void test_covering (void **state) {
    static const struct {
        const char *about;
        bool want;
    } table[] = {
        { PROPOSE (A "," B, ""), true },
        { PROPOSE ("{'ref':'EUROPOL-p'},{'ref':'FRONTEX-p'}", ""), true },
        { PROPOSE ("{'ref':'EUROPOL-p'}," B, ""), true },
        { PROPOSE (A, ""), false },
        { PROPOSE ("{'ref':'EUROPOL-p#A2'}," B, ""), false },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        plans_fill();
        proposal_fill (table[i].about);
        assert_covered (table[i].want);
        clear (state);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_respects, clear),
        cmocka_unit_test_teardown (test_since, clear),
        cmocka_unit_test_teardown (test_of, clear),
        cmocka_unit_test_teardown (test_parts, clear),
        cmocka_unit_test (test_words),
        cmocka_unit_test_teardown (test_undertakings, clear),
        cmocka_unit_test_teardown (test_covering, clear),
    };
    return cmocka_run_group_tests (tests, spoken_begin, spoken_end);
}
