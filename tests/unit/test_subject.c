/* Revisions, withdrawals, reports and answers of one plan, in whatever order
 * its records come. */
#include "subject_fixture.h"

#define PLAN "EUROPOL-p"
#define TOPIC "all/plan/EUROPOL/EUROPOL-p"

static const char *fault_of (const struct history_entry *entry) {
    return entry->faults ? entry->faults->at[0].text : "";
}

/* What others write there, and what is no plan, changes nothing. */
static void test_refused (void **state) {
    (void) state;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    (void) line_put (11, "FRONTEX/hq", TOPIC,
                     plan_json (PLAN, ACTION ("A9", "FRONTEX", "")));
    line_add (12, "EUROPOL/hq", TOPIC, "{'format':1,'plan':'EUROPOL-p'}");
    line_add (13, "EUROPOL/hq", TOPIC, "{'format':2,'plan':'EUROPOL-p'}");
    line_put (14, "EUROPOL/hq", TOPIC, NULL)->why = "its body is no map";
    struct line *erased = line_put (15, "EUROPOL/hq", TOPIC, NULL);
    erased->why = "its body was erased";
    erased->absent = true;
    line_add (16, "EUROPOL/hq", "all/plan/EUROPOL/FRONTEX-x", "{}");
    line_add (17, "EUROPOL/hq", "all/plan/EUROPOL", "{}");
    struct model *model = model_of (NULL, 1);
    const struct subject *subject = found (model, PLAN);
    assert_int_equal (model_subject_count (model), 1);
    assert_int_equal (subject->entry_count, 6);
    assert_int_equal (subject->revision->origin.sequence, 10);
    assert_int_equal (subject->revision->revision, 1);
    static const bool wrong[] = { false, true, true, false, true, true };
    for (size_t i = 0; i < 6; i++)
        assert_int_equal (subject->entries[i]->faults != NULL, wrong[i]);
    assert_true (subject->entries[3]->newer);
    assert_true (subject->entries[5]->absent);
    assert_non_null (strstr (fault_of (subject->entries[1]), "EUROPOL"));
    assert_string_equal (fault_of (subject->entries[4]), "its body is no map");
    /* The erased one is nobody's fault. */
    assert_int_equal (model_quarantine (model, NULL, NULL), 6);
    model_destroy (&model);
}

static void test_revisions (void **state) {
    (void) state;
    line_plan (30, "all", PLAN, ACTION ("A3", "EUROPOL", ""));
    line_plan (10, "core", PLAN, ACTION ("A1", "EUROPOL", ""));
    line_plan (20, "all", PLAN, ACTION ("A2", "EUROPOL", ""));
    struct model *model = model_of (NULL, 1);
    const struct subject *subject = found (model, PLAN);
    assert_int_equal (subject->revision->revision, 3);
    assert_int_equal (subject->entries[0]->origin.sequence, 10);
    assert_int_equal (subject->entries[1]->revision, 2);
    /* Only the newest is kept whole. */
    assert_null (subject->entries[0]->content);
    assert_non_null (subject->entries[2]->content);
    assert_non_null (plan_action (subject->plan, "A3"));
    assert_string_equal (action_of (model, PLAN, "A3")->audience, "all");
    /* Without the channel of the newest, the one before is read again. */
    model_forget (model, "all");
    subject = found (model, PLAN);
    assert_int_equal (subject->entry_count, 1);
    assert_string_equal (action_of (model, PLAN, "A1")->audience, "core");
    assert_int_equal (model_plan_count (model), 1);
    model_forget (model, "core");
    assert_int_equal (model_subject_count (model), 0);
    assert_int_equal (model_plan_count (model), 0);
    model_destroy (&model);
}

static void add_hidden (int64_t sequence, const char *author, int64_t of) {
    char id[HASH_TEXT_MAX], text[256];
    struct hash hash = line_id (of);
    snprintf (text, sizeof text,
              "{'format':1,'hidden':'EUROPOL-p','withdrawal':'%s'}",
              hash_text (id, &hash));
    line_add (sequence, author, "all/hidden/EUROPOL/EUROPOL-p", text);
}

static void test_withdrawal (void **state) {
    (void) state;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    line_add (20, "EUROPOL/hq", TOPIC,
              "{'format':1,'withdraw':'EUROPOL-p','reason':'over'}");
    add_hidden (21, "FRONTEX/hq", 20);
    add_hidden (22, "FRONTEX/hq", 20); /* once is enough */
    add_hidden (23, "EUROPOL/ec3", 20);
    add_hidden (24, "UNODC/hq", 10); /* of another record */
    struct model *model = model_of (NULL, 1);
    const struct subject *subject = found (model, PLAN);
    assert_null (subject->plan);
    assert_int_equal (subject->withdrawal->origin.sequence, 20);
    assert_int_equal (subject->hidden_count, 2);
    assert_int_equal (subject->hidden[0].entry->origin.sequence, 21);
    assert_int_equal (model_plan_count (model), 0);
    assert_null (subject_document (subject, NULL, NULL));
    model_destroy (&model);
    /* A later revision takes it back, and is the second. */
    line_plan (30, "all", PLAN, ACTION ("A1", "EUROPOL", ""));
    model = model_of (NULL, 1);
    subject = found (model, PLAN);
    assert_null (subject->withdrawal);
    assert_int_equal (subject->hidden_count, 0);
    assert_int_equal (subject->revision->revision, 2);
    assert_int_equal (model_plan_count (model), 1);
    model_destroy (&model);
}

/* Reports */

#define MILESTONES                                                             \
    ",'partners':['FRONTEX'],'milestones':["                                   \
    "{'id':'M1','title':'One','due':'2026-05'},"                               \
    "{'id':'M2','title':'Two','due':'2026-06-30','done':'2026-06-01'}]"

static void add_report (int64_t sequence, const char *author,
                        const char *period, const char *more) {
    char text[512];
    snprintf (text, sizeof text,
              "{'format':1,'report':'EUROPOL-p','action':'A1',"
              "'period':{%s},%s}",
              period, more);
    line_add (sequence, author, "all/report/EUROPOL/EUROPOL-p", text);
}

#define SPRING "'from':'2026-03','to':'2026-05'"
#define SUMMER "'from':'2026-06','to':'2026-08'"

static void reports_fill (void) {
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", MILESTONES));
    add_report (20, "EUROPOL/hq", SUMMER, "'status':'delayed'");
    add_report (21, "EUROPOL/hq", SPRING,
                "'status':'active','milestones':"
                "[{'id':'M1','done':'2026-05-09'}]");
    add_report (22, "EUROPOL/ec3", SPRING,
                "'status':'active','milestones':"
                "[{'id':'M1','done':'2026-05-10'}]");
    add_report (23, "FRONTEX/hq", SUMMER,
                "'status':'done','milestones':["
                "{'id':'M1','done':'2026-05-11'},"
                "{'id':'M2','done':'2026-05-12'}]");
    add_report (24, "UNODC/hq", SUMMER, "'status':'cancelled'");
}

static void overdue_count (void *arg, const struct action *action,
                           const struct milestone *milestone, int32_t since) {
    struct buf *text = arg;
    (void) since;
    buf_add_format (text, "%s/%s ", action->id, milestone ? milestone->id : "");
}

static void assert_overdue (const struct subject *subject, const char *day,
                            const char *want) {
    struct date date;
    struct error e;
    struct buf text = { 0 };
    assert_int_equal (date_read (slice_text (day), &date, &e), 0);
    subject_overdue (subject, date.first, overdue_count, &text);
    char *got = buf_take_text (&text);
    assert_string_equal (got, want);
    free (got);
}

static void test_reports (void **state) {
    (void) state;
    reports_fill();
    struct model *model = model_of (NULL, 1);
    const struct subject *subject = found (model, PLAN);
    const struct action *action = action_of (model, PLAN, "A1");
    assert_int_equal (subject->progress_count, 5);
    /* EUROPOL spring twice, summer; FRONTEX; UNODC */
    static const struct {
        int64_t sequence;
        bool counts, newest, latest;
    } want[] = { { 21, true, false, false },
                 { 22, true, true, false },
                 { 20, true, true, true },
                 { 23, true, true, true },
                 { 24, false, true, true } };
    for (size_t i = 0; i < 5; i++) {
        const struct plan_progress *at = &subject->progress[i];
        assert_int_equal (at->entry->origin.sequence, want[i].sequence);
        assert_int_equal (at->counts, want[i].counts);
        assert_int_equal (at->newest, want[i].newest);
        assert_int_equal (at->latest, want[i].latest);
    }
    enum action_status status;
    const struct plan_progress *by;
    assert_true (subject_status (subject, action, &status, &by));
    assert_int_equal (status, STATUS_DELAYED);
    assert_int_equal (by->entry->origin.sequence, 20);
    /* The earliest of those that count says when; 21 was replaced. */
    struct date done;
    char text[DATE_TEXT_MAX];
    assert_true (subject_milestone_done (subject, action,
                                         &action->milestones[0], &done, &by));
    assert_string_equal (date_text (text, &done), "2026-05-10");
    assert_true (subject_milestone_done (subject, action,
                                         &action->milestones[1], &done, &by));
    assert_string_equal (date_text (text, &done), "2026-06-01");
    assert_null (by);
    assert_overdue (subject, "2026-09-30", "");
    assert_overdue (subject, "2026-10-01", "A1/ ");
    model_destroy (&model);
}

static void test_overdue (void **state) {
    (void) state;
    line_plan (10, "all", PLAN, ACTION ("A1", "EUROPOL", MILESTONES));
    struct model *model = model_of (NULL, 1);
    assert_overdue (found (model, PLAN), "2026-05-31", "");
    assert_overdue (found (model, PLAN), "2026-06-01", "A1/M1 ");
    model_destroy (&model);
    add_report (20, "EUROPOL/hq", SUMMER, "'status':'done'");
    model = model_of (NULL, 1);
    assert_overdue (found (model, PLAN), "2026-12-01", "A1/M1 ");
    model_destroy (&model);
}

/* Whatever the order in which they came, and however often they were settled,
 * the digests of all that was derived are the same. */
static void test_shuffled (void **state) {
    (void) state;
    reports_fill();
    line_plan (
        12, "core", PLAN,
        ACTION ("A1", "EUROPOL", MILESTONES) "," ACTION ("A2", "EUROPOL", ""));
    line_add (15, "EUROPOL/hq", TOPIC, "{'format':1,'withdraw':'EUROPOL-p'}");
    add_hidden (16, "FRONTEX/hq", 15);
    line_plan (17, "all", PLAN, ACTION ("A1", "EUROPOL", MILESTONES));
    line_add (18, "EUROPOL/hq", TOPIC, "{'format':1}");
    line_plan (
        19, "all", PLAN,
        ACTION ("A1", "EUROPOL", MILESTONES) "," ACTION ("A4", "EUROPOL", ""));
    size_t order[LINES_MAX];
    uint64_t seed = 1;
    struct model_digests want[3], got;
    static const int64_t marks[] = { 100, 18, 16 };
    for (int round = 0; round < 60; round++) {
        shuffle (order, line_count, &seed);
        struct model *model = model_of (
            round ? order : NULL, round % 3 == 0 ? 1 : 1 + line_count / 2);
        for (size_t i = 0; i < 3; i++) {
            model_digest (model, marks[i], 1780000000000, &got);
            if (round == 0)
                want[i] = got;
            assert_memory_equal (&want[i], &got, sizeof got);
        }
        model_digest (model, marks[0], 1780000000000, &got);
        assert_memory_equal (&want[0], &got, sizeof got);
        model_destroy (&model);
    }
    assert_true (want[1].record_count == 5 && want[2].record_count == 3);
    assert_false (hash_equal (&want[0].plans, &want[1].plans));
    assert_false (hash_equal (&want[1].plans, &want[2].plans));
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_refused, ledger_clear),
        cmocka_unit_test_teardown (test_revisions, ledger_clear),
        cmocka_unit_test_teardown (test_withdrawal, ledger_clear),
        cmocka_unit_test_teardown (test_reports, ledger_clear),
        cmocka_unit_test_teardown (test_overdue, ledger_clear),
        cmocka_unit_test_teardown (test_shuffled, ledger_clear),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
