/* All plans together: the samples' overlaps, changes, the taxonomy. */
#include "plan_fixture.h"
#include "subject_fixture.h"

/* The samples, each as a record, and the counts that DESIGN.md has. */
static void samples_fill (void) {
    json_t *samples = sample_documents(), *at;
    size_t i;
    assert_non_null (samples);
    json_array_foreach (samples, i, at) {
        const char *id = json_string_value (json_object_get (at, "plan"));
        const char *entity = json_string_value (json_object_get (at, "entity"));
        char author[DELEGATION_MAX + 1], topic[TOPIC_MAX + 1];
        snprintf (author, sizeof author, "%s/hq", entity);
        snprintf (topic, sizeof topic, "all/plan/%s/%s", entity, id);
        (void) line_put (10 + (int64_t) i, author, topic, json_incref (at));
    }
    json_decref (samples);
}

static void assert_sample_overlaps (const struct model *model) {
    struct overlap_query query = { 0 };
    struct overlap_answer answer = { 0 };
    overlaps_find (model_overlaps (model), &query, &answer);
    assert_int_equal (answer.counts[OVERLAP_SAME], 8);
    assert_int_equal (answer.counts[OVERLAP_JOINT], 3);
    assert_int_equal (answer.counts[OVERLAP_CLAIMED], 12);
    assert_int_equal (answer.broad[OVERLAP_CLAIMED], 9);
    assert_int_equal (answer.counts[OVERLAP_POSSIBLE], 90);
    assert_int_equal (answer.broad[OVERLAP_POSSIBLE], 72);
    overlap_answer_free (&answer);
}

static void test_samples (void **state) {
    (void) state;
    samples_fill();
    assert_int_equal (line_count, 14);
    size_t order[LINES_MAX];
    uint64_t seed = 3;
    struct model_digests want, got;
    for (int round = 0; round < 6; round++) {
        shuffle (order, line_count, &seed);
        struct model *model = model_of (order, (size_t) round + 1);
        assert_int_equal (model_plan_count (model), 14);
        assert_int_equal (model_quarantine (model, NULL, NULL), 0);
        assert_sample_overlaps (model);
        model_digest (model, 100, 1780000000000, &got);
        if (round == 0)
            want = got;
        assert_memory_equal (&want, &got, sizeof got);
        model_destroy (&model);
    }
    /* Each again, and one forgotten: the index follows. */
    struct model *model = model_of (NULL, 1);
    for (size_t i = 0; i < 14; i++) {
        struct line *line =
            line_put (50 + (int64_t) i, lines[i].origin.author, lines[i].topic,
                      json_incref (lines[i].document));
        (void) line;
        model_give (model, line_count - 1);
        model_settle (model);
    }
    assert_sample_overlaps (model);
    assert_int_equal (model_subject (model, 0)->revision->revision, 2);
    model_forget (model, "all");
    struct overlap_query query = { 0 };
    struct overlap_answer answer = { 0 };
    overlaps_find (model_overlaps (model), &query, &answer);
    assert_int_equal (answer.listed, 0);
    overlap_answer_free (&answer);
    model_destroy (&model);
}

/* Changes */

struct told {
    size_t count;
    struct model_change last;
};

static void tell (void *arg, const struct model_change *change) {
    struct told *told = arg;
    told->count++;
    told->last = *change;
}

static void test_changes (void **state) {
    (void) state;
    struct model *model = model_fresh();
    int64_t first = model_generation (model);
    model_settle (model);
    assert_int_equal (model_generation (model), first);
    line_plan (10, "all", "EUROPOL-p", ACTION ("A1", "EUROPOL", ""));
    model_give (model, 0);
    model_settle (model);
    struct told told = { 0 };
    assert_true (model_changes (model, first, tell, &told));
    assert_int_equal (told.count, 1);
    assert_string_equal (told.last.what, "EUROPOL-p");
    assert_int_equal (told.last.kind, CONTENT_PLAN);
    assert_int_equal (told.last.sequence, 10);
    assert_int_equal (told.last.generation, model_generation (model));
    /* The same once more is no news. */
    int64_t now = model_generation (model);
    model_give (model, 0);
    model_settle (model);
    assert_int_equal (model_generation (model), now);
    told.count = 0;
    assert_true (model_changes (model, now, tell, &told));
    assert_int_equal (told.count, 0);
    /* More than are kept. */
    for (size_t i = 0; i < MODEL_CHANGES_MAX + 10; i++) {
        ledger_clear (NULL);
        line_plan (20 + (int64_t) i, "all", "EUROPOL-p",
                   ACTION ("A1", "EUROPOL", ""));
        model_give (model, 0);
        model_settle (model);
    }
    assert_false (model_changes (model, now, tell, &told));
    assert_int_equal (told.count, MODEL_CHANGES_MAX);
    assert_true (
        model_changes (model, model_generation (model) - 5, tell, &told));
    model_destroy (&model);
}

/* An epoch takes what is at and above its base. */
static void test_cut (void **state) {
    (void) state;
    line_plan (10, "all", "EUROPOL-p", ACTION ("A1", "EUROPOL", ""));
    line_plan (20, "all", "EUROPOL-p", ACTION ("A2", "EUROPOL", ""));
    line_plan (21, "all", "FRONTEX-p", ACTION ("A1", "FRONTEX", ""));
    struct model *model = model_of (NULL, 10);
    model_cut (model, 20);
    assert_int_equal (model_subject_count (model), 1);
    assert_non_null (plan_action (found (model, "EUROPOL-p")->plan, "A1"));
    struct overlap_query query = { 0 };
    struct overlap_answer answer = { 0 };
    overlaps_find (model_overlaps (model), &query, &answer);
    assert_int_equal (answer.listed, 0);
    overlap_answer_free (&answer);
    model_destroy (&model);
}

/* The taxonomy */

#define CHANGE "all/taxonomy/change"
#define ADDS                                                                   \
    "'adds':{'priorities':{'cyber-x':{'title':'New','parent':null}}},"         \
    "'reason':'there is a new crime'}"

static void add_consent (int64_t sequence, const char *author,
                         const char *topic, int64_t to) {
    char id[HASH_TEXT_MAX], text[200];
    struct hash hash = line_id (to);
    snprintf (text, sizeof text, "{'format':1,'consent':'%s'}",
              hash_text (id, &hash));
    line_add (sequence, author, topic, text);
}

static void plan_with_code (int64_t sequence, const char *id) {
    struct line *line = line_put (
        sequence, "EUROPOL/hq", "",
        plan_json (id, "{'id':'A1','title':'T','kind':'operation',"
                       "'priorities':['cyber-x'],'regions':['150'],"
                       "'from':'2026','lead':'EUROPOL','status':'active'}"));
    snprintf (line->topic, sizeof line->topic, "all/plan/EUROPOL/%s", id);
    snprintf (line->origin.channel, sizeof line->origin.channel, "all");
}

struct proposals {
    size_t count, in_force, void_, consents;
};

static void proposal_count (void *arg, const struct model_proposal *proposal) {
    struct proposals *self = arg;
    self->count++;
    self->in_force += proposal->in_force;
    self->void_ += proposal->void_;
    self->consents += proposal->consents;
}

static void test_taxonomy (void **state) {
    (void) state;
    plan_with_code (10, "EUROPOL-early");
    line_add (11, "EUROPOL/hq", CHANGE, "{'format':1,'version':2," ADDS);
    line_add (12, "FRONTEX/hq", CHANGE, "{'format':1,'version':2," ADDS);
    add_consent (13, "EUROPOL/ec3", CHANGE, 11); /* the same body */
    plan_with_code (14, "EUROPOL-early2");
    add_consent (15, "FRONTEX/hq", CHANGE, 11);
    add_consent (16, "EUROPOL/hq", CHANGE, 12);
    plan_with_code (20, "EUROPOL-late");
    line_add (21, "FRONTEX/hq", CHANGE, "{'format':1,'version':2," ADDS);
    line_add (22, "FRONTEX/hq", "late/taxonomy/change",
              "{'format':1,'version':3," ADDS);
    line_add (23, "UNODC/hq", CHANGE, "{'format':1,'version':3," ADDS);
    line_add (24, "FRONTEX/hq", CHANGE, "{'format':1,'version':3," ADDS);
    size_t order[LINES_MAX];
    uint64_t seed = 5;
    struct model_digests want, got, low;
    for (int round = 0; round < 20; round++) {
        shuffle (order, line_count, &seed);
        struct model *model = model_of (round ? order : NULL, 1);
        assert_int_equal (taxonomy_version (model_taxonomy (model)), 2);
        assert_int_equal (model_plan_count (model), 1);
        assert_null (found (model, "EUROPOL-early")->plan);
        assert_null (found (model, "EUROPOL-early2")->plan);
        assert_non_null (found (model, "EUROPOL-late")->plan);
        struct proposals proposals = { 0 };
        assert_int_equal (model_proposals (model, proposal_count, &proposals),
                          4);
        assert_int_equal (proposals.in_force, 1);
        assert_int_equal (proposals.void_, 3);
        /* Two early plans; 22 and 23 by place and author; 24 by content. */
        assert_int_equal (model_quarantine (model, NULL, NULL), 5);
        model_digest (model, 14, 0, &low);
        model_digest (model, 100, 0, &got);
        if (round == 0)
            want = got;
        assert_memory_equal (&want, &got, sizeof got);
        assert_false (hash_equal (&low.taxonomy, &got.taxonomy));
        model_destroy (&model);
    }
}

static void plan_of_region (int64_t sequence, const char *id,
                            const char *region) {
    char actions[300];
    snprintf (actions, sizeof actions,
              "{'id':'A1','title':'T','kind':'operation',"
              "'priorities':['organized-crime/drugs-trafficking'],"
              "'regions':['%s'],'from':'2026-03','to':'2026-09-30',"
              "'lead':'%.*s','status':'active'}",
              region, (int) strcspn (id, "-"), id);
    line_plan (sequence, "all", id, actions);
}

static int64_t overlaps_all (const struct model *model) {
    struct overlap_query query = { 0 };
    struct overlap_answer answer = { 0 };
    int64_t count = 0;
    overlaps_find (model_overlaps (model), &query, &answer);
    for (size_t i = 0; i < OVERLAP_CLASSES; i++)
        count += answer.counts[i];
    overlap_answer_free (&answer);
    return count;
}

/* A country that is added is in the World of plans that are older, and a group's
 * changed past holds for them; below those places nothing has changed. */
static void test_countries (void **state) {
    (void) state;
    plan_of_region (10, "EUROPOL-world", "001");
    plan_of_region (11, "EUROPOL-group", "EU");
    plan_of_region (12, "EUROPOL-other", "150");
    line_add (20, "EUROPOL/hq", CHANGE,
              "{'format':1,'version':2,'adds':{'regions':{'990':{'title':'N',"
              "'alpha2':'XA'}}},'reason':'a new country'}");
    add_consent (21, "FRONTEX/hq", CHANGE, 20);
    plan_of_region (30, "FRONTEX-new", "990");
    line_add (40, "FRONTEX/hq", CHANGE,
              "{'format':1,'version':3,'adds':{'country_groups':{'EU':{"
              "'members':[{'country':'990','from':'2020'}]}}},"
              "'reason':'it was one since 2020'}");
    add_consent (41, "EUROPOL/hq", CHANGE, 40);
    size_t order[LINES_MAX], below = 0;
    uint64_t seed = 7;
    struct model_digests want, low, got;
    while (below < line_count && lines[below].origin.sequence < 40)
        below++;
    size_t all = line_count;
    line_count = below;
    struct model *model = model_of (NULL, 1);
    assert_int_equal (overlaps_all (model), 1);
    model_digest (model, 40, 0, &low);
    model_destroy (&model);
    line_count = all;
    for (int round = 0; round < 20; round++) {
        shuffle (order, line_count, &seed);
        model = model_of (round ? order : NULL, (size_t) round % 3 + 1);
        assert_int_equal (overlaps_all (model), 2);
        model_digest (model, 100, 0, &got);
        if (round == 0)
            want = got;
        assert_memory_equal (&want, &got, sizeof got);
        model_digest (model, 40, 0, &got);
        assert_memory_equal (&low, &got, sizeof got);
        assert_int_equal (overlaps_all (model), 2);
        model_digest (model, 100, 0, &got);
        assert_memory_equal (&want, &got, sizeof got);
        model_destroy (&model);
    }
}

/* A body's proposals beyond the eighth change nothing; those that came too
 * early, and another body's, are not among the eight. */
static void test_many_proposals (void **state) {
    (void) state;
    line_add (11, "EUROPOL/hq", CHANGE, "{'format':1,'version':3," ADDS);
    for (int i = 0; i < 11; i++)
        line_add (20 + i, i % 2 ? "EUROPOL/hq" : "EUROPOL/ec3", CHANGE,
                  i ? "{'format':1,'version':2," ADDS
                    : "{'format':1,'version':2,'adds':{'priorities':{"
                      "'cybercrime':{'title':'Old','parent':null}}},"
                      "'reason':'breaks a rule'}");
    line_add (40, "FRONTEX/hq", CHANGE, "{'format':1,'version':2," ADDS);
    add_consent (50, "FRONTEX/hq", CHANGE, 28); /* the ninth */
    size_t order[LINES_MAX];
    uint64_t seed = 11;
    for (int round = 0; round < 10; round++) {
        shuffle (order, line_count, &seed);
        struct model *model = model_of (round ? order : NULL, 1);
        struct proposals proposals = { 0 };
        assert_int_equal (model_proposals (model, proposal_count, &proposals),
                          8 + 1);
        assert_int_equal (proposals.in_force, 0);
        assert_int_equal (proposals.void_, 1); /* it breaks a rule */
        assert_int_equal (proposals.consents, 8);
        assert_int_equal (model_quarantine (model, NULL, NULL), 1 + 3 + 1);
        model_destroy (&model);
    }
    /* The eighth may still get there; then its others are void. */
    add_consent (60, "FRONTEX/hq", CHANGE, 27);
    line_add (61, "FRONTEX/hq", CHANGE, "{'format':1,'version':2," ADDS);
    struct model *model = model_of (NULL, 1);
    struct proposals proposals = { 0 };
    (void) model_proposals (model, proposal_count, &proposals);
    assert_int_equal (taxonomy_version (model_taxonomy (model)), 2);
    assert_int_equal (proposals.in_force, 1);
    assert_int_equal (proposals.void_, 9);
    model_destroy (&model);
}

/* Nobody else holds a document. */
static void assert_let_go (const struct line *line) {
    if (line->document->refcount != 1)
        fail_msg ("%lld is still held", (long long) line->origin.sequence);
}

/* Proposals that come too early are quarantined, however many; of those that
 * come too late the first of a body and version are void. All but the one in
 * force are let go of, and read again when they are needed. */
static void test_proposals_let_go (void **state) {
    (void) state;
    for (int i = 0; i < 40; i++)
        line_add (10 + i, "EUROPOL/hq", CHANGE,
                  i % 2 ? "{'format':1,'version':9007199254740991," ADDS
                        : "{'format':1,'version':3," ADDS);
    line_add (60, "EUROPOL/hq", CHANGE, "{'format':1,'version':2," ADDS);
    line_add (61, "UNODC/hq", CHANGE, "{'format':1,'version':2," ADDS);
    add_consent (70, "FRONTEX/hq", CHANGE, 10);
    size_t order[LINES_MAX];
    uint64_t seed = 13;
    struct proposals proposals = { 0 };
    struct model *model = model_of (NULL, 1);
    for (size_t i = 0; i < line_count; i++)
        assert_let_go (&lines[i]);
    size_t had = line_count;
    add_consent (71, "FRONTEX/hq", CHANGE, 60); /* in force, from the store */
    for (int i = 0; i < 11; i++)
        line_add (80 + i, "FRONTEX/hq", CHANGE,
                  "{'format':1,'version':2," ADDS);
    for (size_t i = had; i < line_count; i++)
        model_give (model, i);
    for (int round = 0; round < 10; round++) {
        shuffle (order, line_count, &seed);
        if (round)
            model = model_of (order, (size_t) round);
        else
            model_settle (model);
        proposals = (struct proposals){ 0 };
        assert_int_equal (model_proposals (model, proposal_count, &proposals),
                          1 + PROPOSALS_MAX);
        assert_int_equal (proposals.in_force, 1);
        assert_int_equal (taxonomy_version (model_taxonomy (model)), 2);
        assert_int_equal (model_quarantine (model, NULL, NULL), 40 + 1 + 3);
        for (size_t i = 0; i < line_count; i++)
            if (lines[i].origin.sequence != 60)
                assert_let_go (&lines[i]);
        model_destroy (&model);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_samples, ledger_clear),
        cmocka_unit_test_teardown (test_changes, ledger_clear),
        cmocka_unit_test_teardown (test_cut, ledger_clear),
        cmocka_unit_test_teardown (test_taxonomy, ledger_clear),
        cmocka_unit_test_teardown (test_countries, ledger_clear),
        cmocka_unit_test_teardown (test_many_proposals, ledger_clear),
        cmocka_unit_test_teardown (test_proposals_let_go, ledger_clear),
    };
    return cmocka_run_group_tests (tests, ledger_begin, ledger_end);
}
