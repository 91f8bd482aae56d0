/* Histories that are drawn: whatever came in which order, was forgotten and
 * read again, or stands above the mark, the digests are the same. */
#include "subject_fixture.h"

#define ROUNDS 40
#define TIME INT64_C (1780000000000) /* 2026-05-28 */

static const char *const bodies[] = { "EUROPOL", "FRONTEX", "UNODC" };
static const char *const plans[] = { "EUROPOL-p", "EUROPOL-q", "FRONTEX-p",
                                     "UNODC-p" };
static const char *const channels[] = { "all", "core", "late" };
#define PICK(list, state)                                                      \
    (list)[fixture_draw (state, sizeof (list) / sizeof *(list))]

struct drawn {
    uint64_t *state;
    int64_t sequence;
    const char *body, *plan, *channel;
    char entity[16], text[4000];
};

/* Mostly the owner writes. */
static void put (struct drawn *self, const char *kind, bool of_body) {
    char author[DELEGATION_MAX + 1], topic[TOPIC_MAX + 1];
    bool right = fixture_draw (self->state, 12) > 0;
    snprintf (author, sizeof author, "%s/%s",
              right && !of_body ? self->entity : self->body,
              fixture_draw (self->state, 4) ? "hq" : "ec3");
    snprintf (topic, sizeof topic, "%s/%s/%s/%s", self->channel, kind,
              self->entity, self->plan);
    line_add (self->sequence, author, topic, self->text);
}

static void actions (struct drawn *self, char *out, size_t size, int from) {
    size_t used = 0;
    int count = (int) fixture_draw (self->state, 4);
    out[0] = '\0';
    for (int i = 0; i < count; i++)
        used += (size_t) snprintf (
            out + used, size - used,
            "%s{'id':'A%d','title':'T','kind':'operation','priorities':['%s'],"
            "'regions':['%s'],'from':'2026-0%u','to':%s,'lead':'%s',"
            "'status':'%s','partners':['%s'],'same_as':['%s#A%d'],"
            "'milestones':[{'id':'M%d','title':'T','due':'2026-0%u'}]}",
            i ? "," : "", from + i,
            fixture_draw (self->state, 6) ? "organized-crime/drugs-trafficking"
                                          : "cyber-x",
            fixture_draw (self->state, 3) ? "150" : "056",
            1 + fixture_draw (self->state, 4),
            fixture_draw (self->state, 3) ? "'2026-09'" : "null",
            fixture_draw (self->state, 4) ? self->entity
                                          : PICK (bodies, self->state),
            fixture_draw (self->state, 6) ? "active" : "cancelled",
            PICK (bodies, self->state),
            strcmp (self->plan, "UNODC-p") ? "UNODC-p" : "FRONTEX-p",
            1 + (int) fixture_draw (self->state, 3), from + i,
            1 + fixture_draw (self->state, 9));
}

static void draw_plan (struct drawn *self) {
    char list[2000];
    actions (self, list, sizeof list, 1);
    json_t *document = plan_json (self->plan, list);
    char *text = json_dumps (document, 0);
    for (char *at = text; *at; at++)
        *at = *at == '"' ? '\'' : *at;
    snprintf (self->text, sizeof self->text, "%s", text);
    free (text);
    json_decref (document);
    put (self, "plan", false);
}

static void draw_withdrawal (struct drawn *self) {
    snprintf (self->text, sizeof self->text, "{'format':%d,'withdraw':'%s'}",
              fixture_draw (self->state, 8) ? 1 : 2, self->plan);
    put (self, "plan", false);
}

static void draw_annex (struct drawn *self) {
    char list[2000];
    bool back = fixture_draw (self->state, 6) == 0;
    actions (self, list, sizeof list, 3);
    snprintf (self->text, sizeof self->text,
              "{'format':1,'annex':'x%u','plan':'%s','entity':'%s',%s%s%s}",
              fixture_draw (self->state, 2), self->plan, self->entity,
              back ? "'withdraw':true" : "'actions':[", back ? "" : list,
              back ? ""
                   : "],'adds':{'A1':{'co_leads':['UNODC'],'milestones':["
                     "{'id':'N','title':'T','due':'2026-02'}]}}");
    put (self, "annex", false);
}

static void draw_report (struct drawn *self) {
    snprintf (self->text, sizeof self->text,
              "{'format':1,'report':'%s','action':'A%u','period':{'from':"
              "'2026-0%u','to':'2026-0%u'},'status':'%s','milestones':[{'id':"
              "'M%u','done':%s}]}",
              self->plan, 1 + fixture_draw (self->state, 4),
              1 + fixture_draw (self->state, 2),
              1 + fixture_draw (self->state, 4),
              fixture_draw (self->state, 2) ? "done" : "delayed",
              1 + fixture_draw (self->state, 4),
              fixture_draw (self->state, 3) ? "'2026-03-04'" : "null");
    put (self, "report", true);
}

static void draw_hidden (struct drawn *self) {
    char hex[HASH_TEXT_MAX];
    struct hash id = line_id (fixture_draw (self->state, 100));
    snprintf (self->text, sizeof self->text,
              "{'format':1,'hidden':'%s','withdrawal':'%s'}", self->plan,
              hash_text (hex, &id));
    put (self, "hidden", true);
}

static void draw_statement (struct drawn *self) {
    static const char *const says[] = { "confirm", "deny", "not-overlap",
                                        "not-overlap", "retract" };
    char author[DELEGATION_MAX + 1], topic[TOPIC_MAX + 1];
    snprintf (author, sizeof author, "%s/hq", self->body);
    snprintf (topic, sizeof topic, "%s/overlap/%s", self->channel, self->body);
    snprintf (self->text, sizeof self->text,
              "{'format':1,'a':'EUROPOL-p#A%u','b':'%s#A%u','says':'%s',"
              "'a_of':%u,'b_of':%u,'reason':'no'}",
              1 + fixture_draw (self->state, 3),
              fixture_draw (self->state, 2) ? "FRONTEX-p" : "UNODC-p",
              1 + fixture_draw (self->state, 3), PICK (says, self->state),
              fixture_draw (self->state, 120), fixture_draw (self->state, 120));
    line_add (self->sequence, author, topic, self->text);
}

static void draw_change (struct drawn *self) {
    char author[DELEGATION_MAX + 1], topic[TOPIC_MAX + 1], hex[HASH_TEXT_MAX];
    struct hash id = line_id (fixture_draw (self->state, 100));
    for (size_t i = line_count; i > 0 && fixture_draw (self->state, 4); i--)
        if (json_object_get (lines[i - 1].document, "version"))
            id = lines[i - 1].origin.id;
    snprintf (author, sizeof author, "%s/hq", self->body);
    snprintf (topic, sizeof topic, "%s/taxonomy/change", self->channel);
    if (fixture_draw (self->state, 3))
        snprintf (self->text, sizeof self->text, "{'format':1,'consent':'%s'}",
                  hash_text (hex, &id));
    else
        snprintf (self->text, sizeof self->text,
                  "{'format':1,'version':%u,'adds':{'priorities':{'cyber-%c':{"
                  "'title':'New','parent':null}}},'reason':'new'}",
                  2 + fixture_draw (self->state, 2),
                  fixture_draw (self->state, 2) ? 'x' : 'y');
    line_add (self->sequence, author, topic, self->text);
}

static void history_draw (uint64_t *state) {
    static void (*const kinds[]) (struct drawn *) = {
        draw_plan,   draw_plan,   draw_plan,      draw_annex,
        draw_annex,  draw_report, draw_report,    draw_withdrawal,
        draw_hidden, draw_change, draw_statement, draw_statement,
        draw_change,
    };
    int count = 20 + (int) fixture_draw (state, 60);
    for (int i = 0; i < count; i++) {
        struct drawn drawn = { .state = state, .sequence = 10 + i };
        drawn.body = PICK (bodies, state);
        drawn.plan = PICK (plans, state);
        drawn.channel =
            fixture_draw (state, 2) ? "all" : PICK (channels, state);
        snprintf (drawn.entity, sizeof drawn.entity, "%.*s",
                  (int) strcspn (drawn.plan, "-"), drawn.plan);
        PICK (kinds, state) (&drawn);
    }
}

/* Of those below the mark alone, by sequence, at once; `without` a channel. */
static void digest_of (int64_t mark, const char *without,
                       struct model_digests *out) {
    struct model *model = model_fresh();
    for (size_t i = 0; i < line_count; i++)
        if (lines[i].origin.sequence < mark
            && (!without || strcmp (lines[i].origin.channel, without) != 0))
            model_give (model, i);
    model_settle (model);
    model_digest (model, mark, TIME, out);
    model_destroy (&model);
}

static void same (struct model *model, int64_t mark, const char *without,
                  int round) {
    struct model_digests want, got;
    digest_of (mark, without, &want);
    model_digest (model, mark, TIME, &got);
    if (memcmp (&want, &got, sizeof got) != 0)
        fail_msg ("round %d, mark %d, without %s: plans %d overlaps %d gaps %d "
                  "taxonomy %d",
                  round, (int) mark, without ? without : "none",
                  hash_equal (&want.plans, &got.plans),
                  hash_equal (&want.overlaps, &got.overlaps),
                  hash_equal (&want.gaps, &got.gaps),
                  hash_equal (&want.taxonomy, &got.taxonomy));
}

static void test_any_history (void **state) {
    (void) state;
    uint64_t seed = 11;
    const char *more = getenv ("PARLEY_ROUNDS");
    int rounds = more ? atoi (more) : ROUNDS;
    for (int round = 0; round < rounds; round++) {
        size_t order[LINES_MAX];
        history_draw (&seed);
        shuffle (order, line_count, &seed);
        struct model *model = model_of (order, 1 + fixture_draw (&seed, 2 * 7));
        for (int i = 0; i < 4; i++)
            same (model, 10 + fixture_draw (&seed, 90), NULL, round);
        same (model, 1000, NULL, round);
        const char *taken = PICK (channels, &seed);
        model_forget (model, taken);
        same (model, 10 + fixture_draw (&seed, 90), taken, round);
        for (size_t i = 0; i < line_count; i++)
            if (strcmp (lines[order[i]].origin.channel, taken) == 0) {
                model_give (model, order[i]);
                if (fixture_draw (&seed, 2))
                    model_settle (model);
            }
        same (model, 1000, NULL, round);
        int64_t cut = 10 + fixture_draw (&seed, 60);
        model_cut (model, cut);
        same (model, cut, NULL, round);
        model_destroy (&model);
        ledger_clear (NULL);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_any_history, ledger_clear),
    };
    return cmocka_run_group_tests (tests, ledger_begin, ledger_end);
}
