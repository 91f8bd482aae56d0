/* subject_fixture - a ledger in small: records about plans that tests write as
 * JSON with single quotes, and models that are given them in any order. */
#ifndef PARLEY_SUBJECT_FIXTURE_H
#define PARLEY_SUBJECT_FIXTURE_H

#include "roster_fixture.h"

#include "plans/model.h"

#include <stdio.h>
#include <string.h>

struct line {
    struct origin origin;
    char topic[TOPIC_MAX + 1];
    json_t *document; /* NULL: `why` */
    const char *why;
    bool absent;
};
#define LINES_MAX 512
static struct line lines[LINES_MAX];
static size_t line_count;
static struct roster *ledger_roster; /* in force everywhere; NULL: none */

FIXTURE_UNUSED static json_t *quoted (const char *text) {
    char *copy = mem_copy_text (text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_error_t e;
    json_t *out = json_loads (copy, JSON_REJECT_DUPLICATES, &e);
    if (!out)
        fail_msg ("%s: %s", copy, e.text);
    free (copy);
    return out;
}

static struct hash line_id (int64_t sequence) {
    char text[32];
    snprintf (text, sizeof text, "message %d", (int) sequence);
    return hash_sha256 (slice_text (text));
}

/* `document` is taken. */
FIXTURE_UNUSED static struct line *line_put (int64_t sequence,
                                             const char *author,
                                             const char *topic,
                                             json_t *document) {
    assert_true (line_count < LINES_MAX);
    struct line *line = &lines[line_count++];
    *line = (struct line){ .document = document };
    line->origin = (struct origin){ .sequence = sequence,
                                    .log_time = sequence * 1000,
                                    .id = line_id (sequence) };
    line->origin.leaf = hash_leaf (slice_of (&sequence, sizeof sequence));
    snprintf (line->origin.author, sizeof line->origin.author, "%s", author);
    snprintf (line->origin.channel, sizeof line->origin.channel, "%.*s",
              (int) strcspn (topic, "/"), topic);
    snprintf (line->topic, sizeof line->topic, "%s", topic);
    return line;
}

FIXTURE_UNUSED static void line_add (int64_t sequence, const char *author,
                                     const char *topic, const char *text) {
    (void) line_put (sequence, author, topic, quoted (text));
}

/* A plan of that id, in quotes: actions is the inner text of its list. */
FIXTURE_UNUSED static json_t *plan_json (const char *id, const char *actions) {
    struct buf text = { 0 };
    buf_add_format (
        &text,
        "{'format':1,'plan':'%s','entity':'%.*s','lang':'en','title':'A plan',"
        "'cycle':{'from':'2026','to':'2027'},'handling':'TLP:GREEN',"
        "'priorities':['organized-crime/drugs-trafficking'],"
        "'regions':['150'],'goals':[{'id':'G1','title':'A goal'}],"
        "'actions':[%s]}",
        id, (int) strcspn (id, "-"), id, actions);
    char *quotes = buf_take_text (&text);
    json_t *out = quoted (quotes);
    free (quotes);
    return out;
}

/* An action of id A1, led by that body; `more` begins with a comma. */
#define ACTION(id, lead, more)                                                 \
    "{'id':'" id "','title':'An action','kind':'operation',"                   \
    "'priorities':['organized-crime/drugs-trafficking'],"                      \
    "'regions':['150'],'from':'2026-03','to':'2026-09-30',"                    \
    "'lead':'" lead "','status':'active'" more "}"

FIXTURE_UNUSED static void line_plan (int64_t sequence, const char *channel,
                                      const char *id, const char *actions) {
    char topic[TOPIC_MAX + 1], author[DELEGATION_MAX + 1];
    snprintf (author, sizeof author, "%.*s/hq", (int) strcspn (id, "-"), id);
    snprintf (topic, sizeof topic, "%s/plan/%.*s/%s", channel,
              (int) strcspn (id, "-"), id, id);
    (void) line_put (sequence, author, topic, plan_json (id, actions));
}

static json_t *line_load (void *arg, const struct origin *origin) {
    (void) arg;
    for (size_t i = 0; i < line_count; i++)
        if (lines[i].origin.sequence == origin->sequence)
            return json_incref (lines[i].document);
    return NULL;
}

static const struct roster *line_roster (void *arg, int64_t sequence) {
    (void) arg, (void) sequence;
    return ledger_roster;
}

FIXTURE_UNUSED static struct model *model_fresh (void) {
    struct model_options options = { .delegation = "EUROPOL/hq",
                                     .load = line_load,
                                     .roster = line_roster };
    return model_new (&options);
}

FIXTURE_UNUSED static void model_give (struct model *model, size_t n) {
    const struct line *line = &lines[n];
    struct model_record record = { .origin = line->origin,
                                   .topic = slice_text (line->topic),
                                   .document = line->document,
                                   .why = line->why,
                                   .absent = line->absent };
    model_add (model, &record);
}

/* All lines, in that order, settled behind each `step` ones. */
FIXTURE_UNUSED static struct model *model_of (const size_t *order,
                                              size_t step) {
    struct model *model = model_fresh();
    for (size_t i = 0; i < line_count; i++) {
        model_give (model, order ? order[i] : i);
        if (i % step == step - 1)
            model_settle (model);
    }
    model_settle (model);
    return model;
}

static inline uint32_t fixture_draw (uint64_t *state, uint32_t below) {
    *state = *state * UINT64_C (6364136223846793005)
             + UINT64_C (1442695040888963407);
    return (uint32_t) ((*state >> 33) % below);
}

FIXTURE_UNUSED static void shuffle (size_t *order, size_t count,
                                    uint64_t *state) {
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t k = fixture_draw (state, (uint32_t) i), held = order[i - 1];
        order[i - 1] = order[k];
        order[k] = held;
    }
}

FIXTURE_UNUSED static int ledger_clear (void **state) {
    (void) state;
    for (size_t i = 0; i < line_count; i++)
        json_decref (lines[i].document);
    line_count = 0;
    return 0;
}

FIXTURE_UNUSED static const struct subject *found (const struct model *model,
                                                   const char *id) {
    const struct subject *subject = model_find (model, id);
    assert_non_null (subject);
    return subject;
}

FIXTURE_UNUSED static const struct action *action_of (const struct model *model,
                                                      const char *plan,
                                                      const char *id) {
    const struct subject *subject = found (model, plan);
    assert_non_null (subject->plan);
    const struct action *action = plan_action (subject->plan, id);
    assert_non_null (action);
    return action;
}

/* A roster of the fixture's, in force everywhere. */
FIXTURE_UNUSED static int ledger_begin (void **state) {
    (void) state;
    json_t *document = fixture_document();
    struct error e;
    ledger_roster = fixture_read (document, "-", "EUROPOL FRONTEX", &e);
    assert_non_null (ledger_roster);
    return 0;
}

FIXTURE_UNUSED static int ledger_end (void **state) {
    (void) state;
    roster_unref (&ledger_roster);
    return 0;
}

#endif
