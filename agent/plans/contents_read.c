/* contents_read - the bodies' shapes, as deploy/schema/ has them, and what a
 * body tells of itself (CONTENTS.md sections 3 to 8). */
#include "contents.h"

#include "plan_impl.h"

#include "base/mp.h"

#include <jansson.h>
#include <stdlib.h>

/* `content` is first, so that a content leads to its arena. */
struct whole {
    struct content content;
    struct arena arena;
};

/* Forms */

static void form_action_ref (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    bool part;
    if (!ref_valid (text, &part) || !part)
        CHECK_FAULT (check,
                     "is '%s', and has to name an action: PLAN-ID#ACTION-ID",
                     shown (name, text));
}

/* Shapes */

SHAPE (ref_of_action, .type = SHAPE_FORM, .form = form_action_ref);
SHAPE (yes, .type = SHAPE_TRUE);

OBJECT (withdrawal, { "format", &shape_format, true },
        { "withdraw", &shape_plan_id, true }, { "reason", &shape_text, false });

OBJECT (hidden, { "format", &shape_format, true },
        { "hidden", &shape_plan_id, true },
        { "withdrawal", &shape_message_id, true });

SHAPE (adds, .type = SHAPE_MAP, .form = form_id, .items = &shape_action_part);
OBJECT (annex, { "format", &shape_format, true }, { "annex", &shape_id, true },
        { "plan", &shape_plan_id, true }, { "entity", &shape_entity, true },
        { "withdraw", &yes, false }, { "actions", &shape_actions, false },
        { "adds", &adds, false }, { "text", &shape_text, false },
        { "handling", &shape_handling, false });

OBJECT (period, { "from", &shape_date, true }, { "to", &shape_date, true });
OBJECT (done, { "id", &shape_id, true }, { "done", &shape_date_or_null, false },
        { "due", &shape_date, false });
SHAPE (dones, .type = SHAPE_LIST, .items = &done, .max = 64);
OBJECT (value, { "id", &shape_id, true }, { "at", &shape_date, true },
        { "value", &shape_number, true });
SHAPE (values, .type = SHAPE_LIST, .items = &value);
OBJECT (report, { "format", &shape_format, true },
        { "report", &shape_plan_id, true }, { "action", &shape_id, true },
        { "period", &period, true }, { "status", &shape_status, false },
        { "milestones", &dones, false }, { "indicators", &values, false },
        { "text", &shape_text, false });

static const char *const words_says[] = { "confirm", "deny", "not-overlap",
                                          "retract", NULL };
SHAPE (says, .type = SHAPE_WORD, .words = words_says);
OBJECT (statement, { "format", &shape_format, true },
        { "a", &ref_of_action, true }, { "b", &ref_of_action, true },
        { "says", &says, true }, { "a_of", &shape_sequence, true },
        { "b_of", &shape_sequence, true }, { "reason", &shape_text, false });

/* Types alone: taxonomy_extend judges codes and titles where it stands. */
SHAPE (plain, .type = SHAPE_STRING);
SHAPE (plain_or_null, .type = SHAPE_STRING, .or_null = true);
SHAPE (plains, .type = SHAPE_LIST, .items = &plain);
OBJECT (priority, { "title", &plain, false },
        { "parent", &plain_or_null, false });
OBJECT (region, { "title", &plain, false }, { "parts", &plains, false });
OBJECT (membership, { "country", &plain, true }, { "from", &shape_date, false },
        { "to", &shape_date_or_null, false });
SHAPE (memberships, .type = SHAPE_LIST, .items = &membership);
OBJECT (end, { "country", &plain, true }, { "to", &shape_date, true });
SHAPE (ends, .type = SHAPE_LIST, .items = &end);
OBJECT (group, { "title", &plain, false }, { "members", &memberships, false },
        { "ends", &ends, false });
SHAPE (priorities, .type = SHAPE_MAP, .items = &priority);
SHAPE (regions, .type = SHAPE_MAP, .items = &region);
SHAPE (groups, .type = SHAPE_MAP, .items = &group);
SHAPE (titles, .type = SHAPE_MAP, .items = &plain);
OBJECT (codes, { "priorities", &priorities, false },
        { "regions", &regions, false }, { "country_groups", &groups, false });
OBJECT (code_titles, { "priorities", &titles, false },
        { "regions", &titles, false }, { "country_groups", &titles, false });
SHAPE (version, .type = SHAPE_INTEGER, .min = 2, .max = NUMBER_MAX);
OBJECT (change, { "format", &shape_format, true },
        { "version", &version, true }, { "adds", &codes, false },
        { "titles", &code_titles, false }, { "reason", &shape_text, true });
OBJECT (consent, { "format", &shape_format, true },
        { "consent", &shape_message_id, true });

/* One body under judgement. */
struct input {
    struct check check;
    const struct content_place *place;
    const json_t *body;
};

/* The member has to be what the topic says. */
static void check_topic (struct input *in, const char *name,
                         const char *topic) {
    struct check *check = &in->check;
    struct slice own = string_slice (json_object_get (in->body, name));
    char text[SHOWN_MAX];
    if (!own.data || slice_is (own, topic))
        return;
    size_t mark = path_member (&check->path, name);
    CHECK_FAULT (check, "is '%s', and the topic says '%s'", shown (text, own),
                 topic);
    path_back (&check->path, mark);
}

static bool has (const struct input *in, const char *name) {
    return json_object_get (in->body, name) != NULL;
}

/* Withdrawal, hidden */

static void read_withdrawal (struct input *in, struct whole *out) {
    shape_check (&in->check, in->body, &withdrawal);
    check_topic (in, "withdraw", in->place->plan);
    out->content.is_withdrawal = true;
    out->content.withdrawal.reason =
        read_text (&out->arena, json_object_get (in->body, "reason"), "");
}

static void read_plan (struct input *in, struct whole *out) {
    if (has (in, "withdraw") && !has (in, "plan")) {
        read_withdrawal (in, out);
        return;
    }
    check_topic (in, "plan", in->place->plan);
    check_topic (in, "entity", in->place->entity);
    out->content.plan =
        plan_read (in->body, in->check.taxonomy, in->check.faults);
}

static void read_hidden (struct input *in, struct whole *out) {
    shape_check (&in->check, in->body, &hidden);
    check_topic (in, "hidden", in->place->plan);
    (void) read_hash (json_object_get (in->body, "withdrawal"),
                      &out->content.hidden.withdrawal);
}

/* Annex */

struct annex_check {
    json_t *seen; /* ids */
    struct slice plan;
};

static void check_annex_action (struct check *self, const json_t *action,
                                void *arg) {
    struct annex_check *annex_check = arg;
    check_ids (self, annex_check->seen, action);
    check_order (self, action);
    check_same_as (self, action, annex_check->plan);
}

static void check_adds (struct check *self, const json_t *body,
                        struct annex_check *annex_check) {
    json_t *object = json_object_get (body, "adds");
    size_t mark = path_member (&self->path, "adds");
    for (void *at = json_object_iter (object); at;
         at = json_object_iter_next (object, at)) {
        const json_t *part = json_object_iter_value (at);
        size_t inner = path_member (&self->path, json_object_iter_key (at));
        check_part_ids (self, annex_check->seen, part);
        check_order (self, part);
        check_same_as (self, part, annex_check->plan);
        path_back (&self->path, inner);
    }
    path_back (&self->path, mark);
}

static void check_annex (struct input *in) {
    struct check *check = &in->check;
    bool parts = has (in, "actions") || has (in, "adds") || has (in, "text");
    if (!parts && !has (in, "withdraw"))
        CHECK_FAULT (check, "has none of 'actions', 'adds' and 'text'");
    if (parts && has (in, "withdraw"))
        CHECK_FAULT (check,
                     "takes itself back ('withdraw'), so that it may not have "
                     "'actions', 'adds' or 'text'");
    struct annex_check annex_check = {
        .seen = json_object(),
        .plan = string_slice (json_object_get (in->body, "plan")),
    };
    check_plan_id (check, in->body);
    check_each (check, in->body, "actions", check_annex_action, &annex_check);
    check_adds (check, in->body, &annex_check);
    json_decref (annex_check.seen);
}

static void read_annex (struct input *in, struct whole *out) {
    shape_check (&in->check, in->body, &annex);
    check_topic (in, "plan", in->place->plan);
    check_topic (in, "entity", in->place->entity);
    check_annex (in);
    struct annex *read = &out->content.annex;
    read->id = read_string (&out->arena, in->body, "annex");
    read->handling = read_string (&out->arena, in->body, "handling");
    read->withdraw = has (in, "withdraw");
    read->text =
        read_text (&out->arena, json_object_get (in->body, "text"), "");
    read->actions = json_object_get (in->body, "actions");
    read->adds = json_object_get (in->body, "adds");
    read->said_text = json_object_get (in->body, "text");
}

/* Report */

static void check_report (struct input *in) {
    struct check *check = &in->check;
    static const char *const tells[] = { "status", "milestones", "indicators",
                                         "text" };
    size_t told = 0;
    for (size_t i = 0; i < sizeof tells / sizeof *tells; i++)
        told += has (in, tells[i]);
    if (told == 0)
        CHECK_FAULT (check, "tells nothing: has none of 'status', "
                            "'milestones', 'indicators' and 'text'");
    size_t mark = path_member (&check->path, "period");
    check_order (check, json_object_get (in->body, "period"));
    path_back (&check->path, mark);
    /* Two dates for one milestone in one report would be no answer. */
    json_t *seen = json_object();
    check_each (check, in->body, "milestones", check_id, seen);
    json_decref (seen);
}

static void read_dones (struct input *in, struct whole *out) {
    const json_t *list = json_object_get (in->body, "milestones");
    size_t count = json_array_size (list);
    struct report_milestone *at = arena_alloc (&out->arena, count * sizeof *at);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get (list, i);
        at[i].id = read_string (&out->arena, item, "id");
        at[i].has_done = json_object_get (item, "done") != NULL;
        at[i].done_null = json_is_null (json_object_get (item, "done"));
        (void) read_date (item, "done", &at[i].done);
        at[i].has_due = read_date (item, "due", &at[i].due);
    }
    out->content.report.milestones = at;
    out->content.report.milestone_count = count;
}

static void read_values (struct input *in, struct whole *out) {
    const json_t *list = json_object_get (in->body, "indicators");
    size_t count = json_array_size (list);
    struct report_value *at = arena_alloc (&out->arena, count * sizeof *at);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get (list, i);
        at[i].id = read_string (&out->arena, item, "id");
        at[i].point = read_point (item);
    }
    out->content.report.values = at;
    out->content.report.value_count = count;
}

static void read_report (struct input *in, struct whole *out) {
    shape_check (&in->check, in->body, &report);
    check_topic (in, "report", in->place->plan);
    check_report (in);
    struct report *read = &out->content.report;
    const json_t *days = json_object_get (in->body, "period");
    read->action = read_string (&out->arena, in->body, "action");
    (void) read_date (days, "from", &read->from);
    (void) read_date (days, "to", &read->to);
    read->has_status = action_status_read (
        string_slice (json_object_get (in->body, "status")), &read->status);
    read->text =
        read_text (&out->arena, json_object_get (in->body, "text"), "");
    read_dones (in, out);
    read_values (in, out);
}

/* Statement */

static void read_statement (struct input *in, struct whole *out) {
    struct check *check = &in->check;
    shape_check (check, in->body, &statement);
    struct statement *read = &out->content.statement;
    struct slice word = string_slice (json_object_get (in->body, "says"));
    for (unsigned i = 0; words_says[i]; i++)
        if (slice_is (word, words_says[i]))
            read->says = (enum statement_says) i;
    if (slice_is (word, "not-overlap") && !has (in, "reason"))
        CHECK_FAULT (check, "says 'not-overlap', and has no 'reason'");
    struct slice a = string_slice (json_object_get (in->body, "a"));
    struct slice b = string_slice (json_object_get (in->body, "b"));
    read->a = read_string (&out->arena, in->body, "a");
    read->b = read_string (&out->arena, in->body, "b");
    if (a.data && b.data && strcmp (read->a, read->b) >= 0) {
        size_t mark = path_member (&check->path, "b");
        CHECK_FAULT (check, "has to come behind 'a' by its octets: put the "
                            "smaller reference first");
        path_back (&check->path, mark);
    }
    (void) json_whole (json_object_get (in->body, "a_of"), &read->a_of);
    (void) json_whole (json_object_get (in->body, "b_of"), &read->b_of);
    read->reason =
        read_text (&out->arena, json_object_get (in->body, "reason"), "");
}

/* Taxonomy */

static void read_change (struct input *in, struct whole *out) {
    struct check *check = &in->check;
    struct change *read = &out->content.change;
    read->is_consent = has (in, "consent") && !has (in, "version");
    if (read->is_consent) {
        shape_check (check, in->body, &consent);
        (void) read_hash (json_object_get (in->body, "consent"),
                          &read->consent);
        return;
    }
    shape_check (check, in->body, &change);
    if (!has (in, "adds") && !has (in, "titles"))
        CHECK_FAULT (check, "has neither 'adds' nor 'titles'");
    (void) json_whole (json_object_get (in->body, "version"), &read->version);
}

struct content *content_read (const struct content_place *place,
                              json_t *document, const struct taxonomy *taxonomy,
                              struct faults *faults, bool *newer) {
    static void (*const readers[]) (struct input *, struct whole *) = {
        [CONTENT_PLAN] = read_plan,         [CONTENT_ANNEX] = read_annex,
        [CONTENT_REPORT] = read_report,     [CONTENT_HIDDEN] = read_hidden,
        [CONTENT_OVERLAP] = read_statement, [CONTENT_TAXONOMY] = read_change,
    };
    struct input in = { .check = { .taxonomy = taxonomy, .faults = faults },
                        .place = place,
                        .body = document };
    size_t before = faults->count;
    *newer = format_is_newer (document);
    if (*newer)
        return NULL;
    if (!json_is_object (document) || place->kind == CONTENT_NONE) {
        faults_add (faults, "", "is no object");
        return NULL;
    }
    struct whole *whole = mem_alloc (sizeof *whole);
    struct content *self = &whole->content;
    self->kind = place->kind;
    self->document = json_incref (document);
    readers[place->kind](&in, whole);
    if (faults->count > before)
        content_free (&self);
    return self;
}

void content_free (struct content **self_p) {
    struct whole *whole = (struct whole *) *self_p;
    *self_p = NULL;
    if (!whole)
        return;
    if (whole->content.kind == CONTENT_PLAN && !whole->content.is_withdrawal)
        plan_free (&whole->content.plan);
    json_decref (whole->content.document);
    arena_free (&whole->arena);
    free (whole);
}
