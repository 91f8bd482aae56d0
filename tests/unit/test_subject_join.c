/* Annexes over a plan: what they add, what they can't change, who reads what. */
#include "subject_fixture.h"

#define PLAN "EUROPOL-p"
#define ANNEX "core/annex/EUROPOL/EUROPOL-p"
#define PARTS ",'milestones':[{'id':'M1','title':'One','due':'2026-05'}]"

static void add_annex (int64_t sequence, const char *topic, const char *id,
                       const char *more) {
    struct buf text = { 0 };
    buf_add_format (&text,
                    "{'format':1,'annex':'%s','plan':'EUROPOL-p',"
                    "'entity':'EUROPOL',%s}",
                    id, more);
    char *quotes = buf_take_text (&text);
    line_add (sequence, "EUROPOL/hq", topic, quotes);
    free (quotes);
}

static json_t *load_entry (void *arg, const struct history_entry *entry) {
    return line_load (arg, &entry->origin);
}

static json_t *joined (const struct model *model) {
    json_t *out = subject_document (found (model, PLAN), load_entry, NULL);
    assert_non_null (out);
    return out;
}

static void assert_audience (const json_t *whole, const char *pointer,
                             const char *channel) {
    const char *got = json_string_value (
        json_object_get (json_object_get (whole, "audience"), pointer));
    if (!channel)
        assert_null (got);
    else
        assert_string_equal (got ? got : pointer, channel);
}

static const char *covered (const struct subject *subject, size_t part,
                            size_t n) {
    assert_true (n < subject->parts[part].covered.kept);
    return subject->parts[part].covered.at[n].pointer;
}

static void test_adds (void **state) {
    (void) state;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", PARTS));
    add_annex (
        11, ANNEX, "x",
        "'actions':[" ACTION (
            "A2", "EUROPOL",
            "") "],"
                "'adds':{'A1':{'partners':['FRONTEX'],'x-note':'for few',"
                "'milestones':[{'id':'M2','title':'Two','due':'2026-06'}]},"
                "'A2':{'partners':['UNODC']},"
                "'A7':{'partners':['UNODC']}}");
    struct model *model = model_of (NULL, 1);
    const struct subject *subject = found (model, PLAN);
    assert_int_equal (subject->part_count, 1);
    assert_int_equal (subject->parts[0].covered.count, 0);
    const struct action *a1 = action_of (model, PLAN, "A1");
    assert_true (action_names (a1, "FRONTEX"));
    assert_int_equal (a1->milestone_count, 2);
    assert_string_equal (a1->audience, "all");
    assert_string_equal (action_of (model, PLAN, "A2")->audience, "core");
    assert_true (action_names (action_of (model, PLAN, "A2"), "UNODC"));
    json_t *whole = joined (model);
    assert_audience (whole, "/actions/0", "all");
    assert_audience (whole, "/actions/1", "core");
    assert_audience (whole, "/actions/0/partners", "core");
    assert_audience (whole, "/actions/0/x-note", "core");
    assert_audience (whole, "/actions/0/milestones/1", "core");
    assert_audience (whole, "/actions/0/milestones/0", NULL);
    json_decref (whole);
    /* Who can't read that channel sees no trace. */
    model_forget (model, "core");
    subject = found (model, PLAN);
    assert_int_equal (subject->plan->action_count, 1);
    assert_int_equal (subject->part_count, 0);
    whole = joined (model);
    assert_int_equal (json_object_size (json_object_get (whole, "audience")),
                      1);
    json_decref (whole);
    model_destroy (&model);
}

/* An annex never replaces anything. */
static void test_covered (void **state) {
    (void) state;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", PARTS));
    add_annex (
        11, ANNEX, "x",
        "'actions':[" ACTION ("A1", "EUROPOL", "") "," ACTION (
            "M1", "EUROPOL",
            "") "," ACTION ("A2", "EUROPOL",
                            ",'milestones':[{'id':'G1','title':'One','due':'"
                            "2026-05'}]") "],"
                                          "'adds':{'A1':{'to':'2029','title':'"
                                          "Other',"
                                          "'lead':'FRONTEX','status':'done'}}");
    struct model *model = model_of (NULL, 1);
    const struct subject *subject = found (model, PLAN);
    static const char *const want[] = {
        "/actions/0",     "/actions/1",     "/actions/2/milestones/0",
        "/adds/A1/to",    "/adds/A1/title", "/adds/A1/lead",
        "/adds/A1/status"
    };
    assert_int_equal (subject->parts[0].covered.count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_string_equal (covered (subject, 0, i), want[i]);
    assert_int_equal (subject->plan->action_count, 2);
    assert_int_equal (action_of (model, PLAN, "A2")->milestone_count, 0);
    assert_string_equal (action_of (model, PLAN, "A1")->lead, "EUROPOL");
    model_destroy (&model);
}

/* An action that is ongoing gets no end by an annex either. */
static void test_ongoing (void **state) {
    (void) state;
    line_plan (10, "all", PLAN,
               "{'id':'A1','title':'T','kind':'operation',"
               "'priorities':['organized-crime/drugs-trafficking'],"
               "'regions':['150'],'from':'2026','lead':'EUROPOL',"
               "'status':'active'}");
    add_annex (11, ANNEX, "x", "'adds':{'A1':{'to':'2029'}}");
    struct model *model = model_of (NULL, 1);
    assert_true (action_of (model, PLAN, "A1")->span.open);
    assert_string_equal (covered (found (model, PLAN), 0, 0), "/adds/A1/to");
    model_destroy (&model);
}

static const char *handling (const json_t *whole, const char *pointer) {
    const char *got = json_string_value (
        json_object_get (json_object_get (whole, "handling"), pointer));
    return got ? got : "none";
}

/* Each part has its own handling, an action the strictest of all it is of. */
static void test_handling (void **state) {
    (void) state;
    line_plan (10, "all", PLAN,
               ACTION ("A1", "EUROPOL", "") "," ACTION ("A2", "EUROPOL", ""));
    add_annex (11, ANNEX, "x",
               "'handling':'TLP:RED','text':{'en':'One','fr':'Un'},"
               "'actions':[" ACTION ("A3", "EUROPOL", "") "]");
    add_annex (12, ANNEX, "y",
               "'handling':'TLP:AMBER','adds':{'A1':{'x-a':1},'A3':{'x-b':2}}");
    add_annex (13, "all/annex/EUROPOL/EUROPOL-p", "z", "'text':'Three'");
    struct model *model = model_of (NULL, 1);
    const struct subject *subject = found (model, PLAN);
    static const struct {
        const char *action, *handling;
        int64_t sequence;
    } rows[] = { { "A1", "TLP:AMBER", 10 },
                 { "A2", "TLP:GREEN", 10 },
                 { "A3", "TLP:RED", 11 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct action *action = action_of (model, PLAN, rows[i].action);
        assert_string_equal (action_handling (subject->plan, action),
                             rows[i].handling);
        assert_int_equal (
            subject_action_entry (subject, action)->origin.sequence,
            rows[i].sequence);
    }
    assert_string_equal (subject_handling (subject), "TLP:RED");
    json_t *whole = joined (model);
    assert_string_equal (handling (whole, "/actions/0"), "TLP:AMBER");
    assert_string_equal (handling (whole, "/actions/0/x-a"), "TLP:AMBER");
    assert_string_equal (handling (whole, "/actions/1"), "TLP:GREEN");
    assert_string_equal (handling (whole, "/actions/2"), "TLP:RED");
    assert_string_equal (handling (whole, "/actions/2/x-b"), "TLP:AMBER");
    const json_t *annexes = json_object_get (whole, "annexes");
    static const char *const ids[] = { "z", "x", "y" }; /* all before core */
    assert_int_equal (json_array_size (annexes), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal (json_string_value (json_object_get (
                                 json_array_get (annexes, i), "annex")),
                             ids[i]);
    assert_true (
        json_is_object (json_object_get (json_array_get (annexes, 1), "text")));
    assert_true (
        json_is_null (json_object_get (json_array_get (annexes, 2), "text")));
    json_decref (whole);
    /* Whoever can't read the annexes is told of the plan alone. */
    model_forget (model, "core");
    subject = found (model, PLAN);
    assert_string_equal (subject_handling (subject), "TLP:GREEN");
    model_destroy (&model);
}

/* A derive below a place brings an older annex back, and lets the newer one
 * go; the whole again is as if there had been none. */
static void test_limited (void **state) {
    (void) state;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    add_annex (11, ANNEX, "x", "'actions':[" ACTION ("A2", "EUROPOL", "") "]");
    add_annex (20, ANNEX, "x",
               "'text':'New','actions':[" ACTION ("A3", "EUROPOL", "") "]");
    add_annex (30, ANNEX, "x", "'withdraw':true");
    struct model *model = model_of (NULL, 1), *fresh;
    struct model_digests got, want;
    static const struct {
        int64_t mark;
        size_t lines;
    } rows[] = { { 15, 2 }, { 25, 3 }, { 15, 2 }, { 35, 4 }, { 11, 1 } };
    size_t all = line_count;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        line_count = rows[i].lines;
        fresh = model_of (NULL, 2);
        model_digest (fresh, rows[i].mark, 0, &want);
        model_destroy (&fresh);
        line_count = all;
        model_digest (model, rows[i].mark, 0, &got);
        assert_memory_equal (&got, &want, sizeof got);
        const struct subject *subject = found (model, PLAN);
        assert_int_equal (subject->part_count, 0);
        assert_int_equal (subject->plan->action_count, 1);
    }
    add_annex (40, ANNEX, "x",
               "'text':'Last','actions':[" ACTION ("A4", "EUROPOL", "") "]");
    model_give (model, line_count - 1);
    model_settle (model);
    model_digest (model, 25, 0, &got);
    json_t *whole = joined (model);
    assert_non_null (action_of (model, PLAN, "A4"));
    assert_string_equal (
        json_string_value (json_object_get (
            json_array_get (json_object_get (whole, "annexes"), 0), "text")),
        "Last");
    json_decref (whole);
    model_destroy (&model);
}

/* What the post of an annex asks. */
static void test_fits (void **state) {
    (void) state;
    char id[8];
    size_t count;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    for (int i = 0; i < PARTS_MAX - 1; i++) {
        snprintf (id, sizeof id, "x%d", i);
        add_annex (11 + i, ANNEX, id, "'text':'t'");
    }
    add_annex (80, ANNEX, "x0", "'withdraw':true");
    struct model *model = model_of (NULL, 1);
    assert_true (
        subject_annex_fits (found (model, PLAN), "core", "new", &count));
    assert_int_equal (count, PARTS_MAX - 1);
    add_annex (81, ANNEX, "last", "'text':'t'");
    add_annex (82, ANNEX, "beyond", "'text':'t'");
    for (size_t i = line_count - 2; i < line_count; i++)
        model_give (model, i);
    model_settle (model);
    const struct subject *subject = found (model, PLAN);
    static const struct {
        const char *channel, *id;
        bool fits;
    } rows[] = { { "core", "new", false }, { "core", "beyond", false },
                 { "core", "last", true }, { "core", "x0", true },
                 { "all", "new", true },   { "core", "x30", true } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal (
            subject_annex_fits (subject, rows[i].channel, rows[i].id, &count),
            rows[i].fits);
    model_destroy (&model);
}

/* What would make an action wrong is left out alone. */
static void test_wrong (void **state) {
    (void) state;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    add_annex (
        11, ANNEX, "x",
        "'actions':[" ACTION ("A2", "EUROPOL", ",'goals':['G9']") "," ACTION (
            "A3", "EUROPOL", "") "],"
                                 "'adds':{'A1':{'goals':['G7']}}");
    struct model *model = model_of (NULL, 1);
    const struct subject *subject = found (model, PLAN);
    assert_int_equal (subject->plan->action_count, 2);
    assert_non_null (plan_action (subject->plan, "A3"));
    assert_int_equal (subject->parts[0].covered.count, 2);
    assert_non_null (
        strstr (subject->parts[0].covered.at[0].text, "is left out"));
    assert_int_equal (action_of (model, PLAN, "A1")->goals.count, 0);
    model_destroy (&model);
}

/* The newest of each channel and id; by channel, then id; taken back. */
static void test_order (void **state) {
    (void) state;
    ledger_clear (NULL);
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    add_annex (15, ANNEX, "b", "'adds':{'A1':{'x-by':'core b'}}");
    add_annex (14, ANNEX, "a", "'adds':{'A1':{'x-by':'core a'}}");
    add_annex (13, "all/annex/EUROPOL/EUROPOL-p", "z",
               "'adds':{'A1':{'x-by':'all z'}}");
    add_annex (12, ANNEX, "a", "'text':'older'");
    size_t order[LINES_MAX];
    uint64_t seed = 7;
    struct model_digests want, got;
    for (int round = 0; round < 20; round++) {
        shuffle (order, line_count, &seed);
        struct model *model = model_of (order, 1);
        const struct subject *subject = found (model, PLAN);
        assert_int_equal (subject->part_count, 3);
        assert_int_equal (subject->parts[0].entry->origin.sequence, 13);
        assert_int_equal (subject->parts[1].entry->origin.sequence, 14);
        assert_int_equal (subject->parts[2].entry->origin.sequence, 15);
        json_t *whole = joined (model);
        assert_audience (whole, "/actions/0/x-by", "all");
        json_decref (whole);
        model_digest (model, 100, 0, &got);
        if (round == 0)
            want = got;
        assert_memory_equal (&want, &got, sizeof got);
        model_destroy (&model);
    }
    add_annex (20, ANNEX, "a", "'withdraw':true");
    struct model *model = model_of (NULL, 1);
    assert_int_equal (found (model, PLAN)->part_count, 2);
    model_destroy (&model);
}

/* A milestone's `done` by an annex is as old as the revision. */
static void test_done (void **state) {
    (void) state;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    line_add (20, "EUROPOL/hq", "all/report/EUROPOL/EUROPOL-p",
              "{'format':1,'report':'EUROPOL-p','action':'A1','period':"
              "{'from':'2026','to':'2026'},'milestones':"
              "[{'id':'M1','done':'2026-05-02'}]}");
    add_annex (30, ANNEX, "x",
               "'adds':{'A1':{'milestones':[{'id':'M1','title':'One',"
               "'due':'2026-05','done':'2026-05-01'}]}}");
    struct model *model = model_of (NULL, 1);
    const struct action *action = action_of (model, PLAN, "A1");
    const struct plan_progress *by;
    struct date done;
    char text[DATE_TEXT_MAX];
    assert_int_equal (action->milestone_count, 1);
    assert_true (subject_milestone_done (found (model, PLAN), action,
                                         &action->milestones[0], &done, &by));
    assert_string_equal (date_text (text, &done), "2026-05-01");
    assert_null (by);
    model_destroy (&model);
}

/* Of a channel the first 32 ids count, whatever came when; what was refused
 * counts for nothing, what was taken back does. */
static void test_limit (void **state) {
    (void) state;
    char id[16];
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    add_annex (11, ANNEX, "bad", "'actions':[]");
    for (int i = 0; i < 40; i++) { /* ids against the order of sequence */
        snprintf (id, sizeof id, "a%d", 50 - i);
        add_annex (20 + i, ANNEX, id, "'text':'some'");
    }
    add_annex (70, ANNEX, "a50", "'withdraw':true");
    add_annex (71, ANNEX, "a11", "'text':'again'");
    add_annex (72, ANNEX, "a49", "'text':'newer'");
    add_annex (73, "all/annex/EUROPOL/EUROPOL-p", "a1", "'text':'other'");
    size_t order[LINES_MAX];
    uint64_t seed = 9;
    struct model_digests want, got, low;
    for (int round = 0; round < 10; round++) {
        shuffle (order, line_count, &seed);
        struct model *model = model_of (round ? order : NULL, 1);
        const struct subject *subject = found (model, PLAN);
        assert_int_equal (subject->part_count, 32); /* one of "all" */
        for (size_t i = 1; i < subject->part_count; i++)
            assert_true (subject->parts[i].entry->origin.sequence == 72
                         || subject->parts[i].entry->origin.sequence < 52);
        /* 8 ids of one record each, and one's second. */
        assert_int_equal (model_quarantine (model, NULL, NULL), 9 + 1);
        model_digest (model, 60, 0, &low);
        model_digest (model, 100, 0, &got);
        if (round == 0)
            want = got;
        assert_memory_equal (&want, &got, sizeof got);
        assert_int_equal (model_quarantine (model, NULL, NULL), 9 + 1);
        model_forget (model, "core");
        assert_int_equal (found (model, PLAN)->part_count, 1);
        model_destroy (&model);
    }
}

/* `wrong` of them name a goal that is not there. */
static struct model *model_many (int count, int wrong) {
    ledger_clear (NULL);
    struct buf actions = { 0 }, more = { 0 };
    for (int i = 0; i < count; i++)
        buf_add_format (&actions,
                        "%s{'id':'B%d','title':'T','kind':'operation',"
                        "'priorities':['organized-crime/drugs-trafficking'],"
                        "'regions':['150'],'from':'2026','goals':['G%d'],"
                        "'lead':'EUROPOL','status':'active'}",
                        i ? "," : "", i, i < wrong ? 2 : 1);
    char *text = buf_take_text (&actions);
    buf_add_format (&more, "'actions':[%s]", text);
    free (text);
    text = buf_take_text (&more);
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    add_annex (11, ANNEX, "x", text);
    free (text);
    struct model *model = model_of (NULL, 1);
    assert_int_equal (found (model, PLAN)->part_count, 1);
    return model;
}

/* A plan that is made by its annexes' owner with no end takes no ages. */
static void test_many (void **state) {
    (void) state;
    static const struct {
        int count, wrong;
        size_t actions, covered;
    } cases[] = { { 600, 300, 301, 300 },
                  { 750, 700, 51, 700 },
                  { 750, 701, 1, 1 } };
    for (size_t i = 0; i < 3; i++) {
        struct model *model = model_many (cases[i].count, cases[i].wrong);
        const struct subject *subject = found (model, PLAN);
        assert_int_equal (subject->plan->action_count, cases[i].actions);
        assert_int_equal (subject->parts[0].covered.count, cases[i].covered);
        model_destroy (&model);
    }
}

/* What all annexes of a plan hold together */

static const struct subject *parts_joined (struct model **model, size_t count) {
    *model = model_of (NULL, LINES_MAX);
    const struct subject *out = found (*model, PLAN);
    assert_int_equal (model_quarantine (*model, NULL, NULL), 0);
    assert_non_null (out->plan);
    assert_int_equal (out->part_count, count);
    return out;
}

static void assert_left_out (const struct subject *subject, size_t part,
                             const char *why) {
    const struct faults *faults = &subject->parts[part].covered;
    assert_int_equal (faults->count, why ? 1 : 0);
    if (!why)
        return;
    assert_string_equal (faults->at[0].pointer, "");
    if (!strstr (faults->at[0].text, why))
        fail_msg ("%s", faults->at[0].text);
}

/* The member's text is of so many octets that `adds` is, as msgpack. */
static void add_large (int64_t sequence, const char *id, size_t octets) {
    size_t size = octets - 14;
    char *note = mem_alloc (size + 1);
    struct buf text = { 0 };
    memset (note, 'n', size);
    buf_add_format (&text, "'adds':{'A1':{'x-%s':'%s'}}", id, note);
    char *more = buf_take_text (&text);
    add_annex (sequence, ANNEX, id, more);
    free (more);
    free (note);
}

/* 480 KiB and not an octet more; what is left out takes nobody's room. */
static void test_octets (void **state) {
    (void) state;
    const size_t third = 160 * 1024;
    struct model *model;
    for (size_t over = 0; over < 2; over++) {
        ledger_clear (NULL);
        line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
        add_large (11, "a", third);
        add_large (12, "b", third);
        add_large (13, "c", third + over);
        add_large (14, "d", third - (over ? 0 : 1));
        const struct subject *subject = parts_joined (&model, 4);
        assert_left_out (subject, 0, NULL);
        assert_left_out (subject, 1, NULL);
        assert_left_out (subject, 2, over ? "larger than 491520" : NULL);
        assert_left_out (subject, 3, over ? NULL : "larger than 491520");
        model_destroy (&model);
    }
}

static void add_actions (int64_t sequence, const char *id, int count,
                         int wrong) {
    struct buf text = { 0 };
    buf_add_format (&text, "'actions':[");
    for (int i = 0; i < count; i++)
        buf_add_format (&text,
                        "%s{'id':'%s%d','title':'T','kind':'operation',"
                        "'priorities':['organized-crime/drugs-trafficking'],"
                        "'regions':['150'],'from':'2026','goals':['G%d'],"
                        "'lead':'EUROPOL','status':'active'}",
                        i ? "," : "", id, i, i < wrong ? 2 : 1);
    buf_add_format (&text, "]");
    char *more = buf_take_text (&text);
    add_annex (sequence, ANNEX, id, more);
    free (more);
}

/* 1,500 with the plan's own, and not one more. */
static void test_actions (void **state) {
    (void) state;
    struct model *model;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    add_actions (11, "b", 750, 0);
    add_actions (12, "c", 750, 0);
    add_actions (13, "d", 749, 0);
    add_actions (14, "e", 1, 0);
    const struct subject *subject = parts_joined (&model, 4);
    assert_int_equal (subject->plan->action_count, 1500);
    assert_left_out (subject, 0, NULL);
    assert_left_out (subject, 1, "more than 1500 actions");
    assert_left_out (subject, 2, NULL);
    assert_left_out (subject, 3, "more than 1500 actions");
    model_destroy (&model);
}

/* Of all annexes together 7 are tried again; those behind them have to be right
 * at once. */
static void test_again (void **state) {
    (void) state;
    struct model *model;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    for (int i = 0; i < 10; i++) {
        const char id[] = { (char) ('b' + i), '\0' };
        add_actions (11 + i, id, 2, i == 3 || i == 9 ? 0 : 1);
    }
    const struct subject *subject = parts_joined (&model, 10);
    assert_int_equal (subject->plan->action_count, 1 + 7 * 1 + 2 * 2);
    for (size_t i = 0; i < 8; i++)
        if (i != 3)
            assert_string_equal (covered (subject, i, 0), "/actions/0");
    assert_left_out (subject, 3, NULL);
    assert_left_out (subject, 8, "is left out");
    assert_left_out (subject, 9, NULL);
    model_destroy (&model);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_adds, ledger_clear),
        cmocka_unit_test_teardown (test_handling, ledger_clear),
        cmocka_unit_test_teardown (test_limited, ledger_clear),
        cmocka_unit_test_teardown (test_fits, ledger_clear),
        cmocka_unit_test_teardown (test_covered, ledger_clear),
        cmocka_unit_test_teardown (test_ongoing, ledger_clear),
        cmocka_unit_test_teardown (test_wrong, ledger_clear),
        cmocka_unit_test_teardown (test_order, ledger_clear),
        cmocka_unit_test_teardown (test_done, ledger_clear),
        cmocka_unit_test_teardown (test_limit, ledger_clear),
        cmocka_unit_test_teardown (test_many, ledger_clear),
        cmocka_unit_test_teardown (test_octets, ledger_clear),
        cmocka_unit_test_teardown (test_actions, ledger_clear),
        cmocka_unit_test_teardown (test_again, ledger_clear),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
