/* plan_post - messages about plans, judged before they are taken. */
#include "api/plan_post.h"

#include "api/http_impl.h"
#include "api/plans_view.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/strangers.h"
#include "base/mp.h"
#include "identity/roster.h"
#include "store/unsettled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct judging {
    struct request *request;
    struct content_place place;
    char entity[ENTITY_MAX + 1]; /* ours */
    const struct plans_view *view;
    const struct roster *roster;
    struct faults *faults;
    const char *topic;
    struct store *store; /* a reader, while others' records are asked for */
};

/* Whom it tells what */

/* What is said of an action is read by those alone who can read the action. */
static void judge_audience (struct judging *self, const char *pointer,
                            const struct subject *subject,
                            const struct action *action) {
    char what[PLAN_PART_MAX + 16];
    snprintf (what, sizeof what, "action '%s'", action->id);
    strangers_judge (self->roster,
                     subject_action_entry (subject, action)->origin.channel,
                     self->place.channel, pointer, what, self->faults);
}

/* Reports */

static const struct milestone *milestone_find (const struct action *action,
                                               const char *id) {
    for (size_t i = 0; i < action->milestone_count; i++)
        if (strcmp (action->milestones[i].id, id) == 0)
            return &action->milestones[i];
    return NULL;
}

static const struct indicator *indicator_find (const struct action *action,
                                               const char *id) {
    for (size_t i = 0; i < action->indicator_count; i++)
        if (strcmp (action->indicators[i].id, id) == 0)
            return &action->indicators[i];
    return NULL;
}

static void part_missing (struct judging *self, const char *list, size_t n,
                          const char *id, const char *what) {
    struct path path = { .size = 0 };
    path_member (&path, list);
    path_index (&path, n);
    path_member (&path, "id");
    faults_add (self->faults, path.text,
                "'%s' is no %s of this action: it would count for nothing", id,
                what);
}

static void judge_report (struct judging *self, const struct report *report) {
    const struct subject *subject =
        model_find (self->view->model, self->place.plan);
    const struct plan *plan = subject ? subject->plan : NULL;
    const struct action *action =
        plan ? plan_action (plan, report->action) : NULL;
    if (!plan)
        faults_add (self->faults, "/report",
                    "%s is no plan that can be read here and is not withdrawn",
                    self->place.plan);
    else if (!action)
        faults_add (self->faults, "/action", "%s has no action '%s'",
                    self->place.plan, report->action);
    if (!action)
        return;
    if (strcmp (self->entity, plan->entity) != 0
        && !action_names (action, self->entity))
        faults_add (self->faults, "/action",
                    "action '%s' is not %s's to report on: the plan is %s's, "
                    "and neither lead, co-lead nor partner of it is %s",
                    action->id, self->entity, plan->entity, self->entity);
    judge_audience (self, "/action", subject, action);
    for (size_t i = 0; i < report->milestone_count; i++)
        if (!milestone_find (action, report->milestones[i].id))
            part_missing (self, "milestones", i, report->milestones[i].id,
                          "milestone");
    for (size_t i = 0; i < report->value_count; i++)
        if (!indicator_find (action, report->values[i].id))
            part_missing (self, "indicators", i, report->values[i].id,
                          "indicator");
}

/* Statements on overlaps */

struct side {
    const struct subject *subject;
    const struct action *action;
};

static bool side_find (struct judging *self, const char *pointer,
                       const char *ref, struct side *out) {
    char id[PLAN_ID_MAX + 1];
    const char *hash = strchr (ref, '#');
    size_t size = hash ? (size_t) (hash - ref) : 0;
    *out = (struct side){ 0 };
    if (hash && size < sizeof id) {
        memcpy (id, ref, size);
        id[size] = '\0';
        out->subject = model_find (self->view->model, id);
        if (out->subject && out->subject->plan)
            out->action = plan_action (out->subject->plan, hash + 1);
    }
    if (!out->action)
        faults_add (self->faults, pointer,
                    "'%s' is no action of a plan that can be read here", ref);
    return out->action != NULL;
}

/* Did that record make the plan, or a part of it? */
static void judge_place (struct judging *self, const char *pointer,
                         const struct subject *subject, int64_t sequence) {
    for (size_t i = 0; i < subject->entry_count; i++) {
        const struct history_entry *at = subject->entries[i];
        if (at->origin.sequence == sequence && !at->faults
            && (at->kind == CONTENT_PLAN || at->kind == CONTENT_ANNEX))
            return;
    }
    faults_add (self->faults, pointer,
                "record %lld is no revision or annex of %s that counts",
                (long long) sequence, subject->plan_id);
}

/* Confirmed or denied by whom a claim names. */
static void judge_claim (struct judging *self, const struct overlap *o) {
    const char *named = o->a_names ? o->plan_b->entity : o->plan_a->entity;
    if (o->class != OVERLAP_CLAIMED)
        faults_add (self->faults, "/says",
                    "this overlap is '%s': only a claimed one, where one side "
                    "alone names the other, is confirmed or denied",
                    overlap_class_name (o->class));
    else if (strcmp (named, self->entity) != 0)
        faults_add (self->faults, "/says",
                    "it is %s that is named here, and that may confirm or deny "
                    "it: not %s",
                    named, self->entity);
}

static void judge_statement (struct judging *self,
                             const struct statement *statement) {
    struct side a, b;
    struct overlap o;
    bool both = side_find (self, "/a", statement->a, &a);
    both = side_find (self, "/b", statement->b, &b) && both;
    if (!both || statement->says == SAYS_RETRACT)
        return;
    judge_audience (self, "/a", a.subject, a.action);
    judge_audience (self, "/b", b.subject, b.action);
    judge_place (self, "/a_of", a.subject, statement->a_of);
    judge_place (self, "/b_of", b.subject, statement->b_of);
    if (!overlap_judge (self->view->taxonomy, a.subject->plan, a.action,
                        b.subject->plan, b.action, &o))
        faults_add (self->faults, "", "%s and %s do not overlap", statement->a,
                    statement->b);
    else if (statement->says != SAYS_NOT_OVERLAP)
        judge_claim (self, &o);
}

/* What waits in the outbox */

/* At the value of that member of a map; false: it has none. */
static bool member_find (struct mp *in, struct slice content,
                         const char *name) {
    mp_start (in, content);
    size_t count = mp_peek (in) == MP_MAP ? mp_map (in, 0, content.size) : 0;
    for (size_t i = 0; i < count; i++) {
        if (slice_is (mp_str (in, 0, content.size), name))
            return true;
        (void) mp_any (in);
    }
    return false;
}

/* The taxonomy */

static bool all_read (const struct judging *self) {
    const struct roster_channel *channel =
        roster_channel (self->roster, slice_text (self->place.channel));
    for (size_t i = 0; channel && i < roster_delegations (self->roster); i++) {
        const struct roster_delegation *at =
            roster_delegation_at (self->roster, i);
        if (!at->revoked && !roster_channel_reader (self->roster, channel, at))
            return false;
    }
    return channel != NULL;
}

struct wanted {
    const struct hash *id;
    bool found, void_;
};

static void proposal_look (void *arg, const struct model_proposal *proposal) {
    struct wanted *self = arg;
    if (!hash_equal (&proposal->entry->origin.id, self->id))
        return;
    self->found = true;
    self->void_ = proposal->void_;
}

static void judge_consent (struct judging *self, const struct hash *id) {
    struct wanted wanted = { .id = id };
    model_proposals (self->view->model, proposal_look, &wanted);
    if (!wanted.found)
        faults_add (self->faults, "/consent",
                    "is the id of no proposal that can be read here");
    else if (wanted.void_)
        faults_add (self->faults, "/consent",
                    "that proposal is void: another one came first, or it "
                    "breaks a rule");
}

struct counting {
    const char *entity;
    int64_t version;
    size_t count;
    size_t known_count; /* their messages */
    struct hash known[PROPOSALS_MAX];
};

static void proposal_count (void *arg, const struct model_proposal *proposal) {
    struct counting *self = arg;
    char entity[ENTITY_MAX + 1];
    origin_entity (entity, &proposal->entry->origin);
    if (!proposal->timely || proposal->version != self->version
        || strcmp (entity, self->entity) != 0)
        return;
    self->count++;
    if (self->known_count < PROPOSALS_MAX)
        self->known[self->known_count++] = proposal->entry->origin.id;
}

/* One that waits here and is not derived yet. */
static void waiting_count (void *arg, const struct hash *id,
                           struct slice content) {
    struct counting *self = arg;
    struct mp in;
    for (size_t i = 0; i < self->known_count; i++)
        if (hash_equal (&self->known[i], id))
            return;
    if (member_find (&in, content, "version")
        && mp_int (&in, 0, INT64_MAX) == self->version)
        self->count++;
}

/* A further one would be quarantined by all. */
static void judge_proposals (struct judging *self, int64_t version) {
    struct counting counting = { .entity = self->entity, .version = version };
    struct error e;
    model_proposals (self->view->model, proposal_count, &counting);
    if (unsettled_list (self->store, self->topic, waiting_count, &counting, &e))
        faults_add (self->faults, "", "%s", e.text);
    if (counting.count >= PROPOSALS_MAX)
        faults_add (self->faults, "/version",
                    "is %lld, for which %s has made %zu proposals: only the "
                    "first %d of a body and version count",
                    (long long) version, self->entity, counting.count,
                    PROPOSALS_MAX);
}

static void judge_proposal (struct judging *self,
                            const struct content *content) {
    int64_t next = taxonomy_version (self->view->taxonomy) + 1;
    if (content->change.version != next) {
        faults_add (self->faults, "/version",
                    "is %lld, and the next version is %lld",
                    (long long) content->change.version, (long long) next);
        return;
    }
    judge_proposals (self, next);
    struct taxonomy *made =
        taxonomy_extend (self->view->taxonomy, content->document, self->faults);
    taxonomy_unref (&made);
}

static void judge_change (struct judging *self, const struct content *content) {
    const struct roster_entity *ours =
        roster_entity (self->roster, slice_text (self->entity));
    if (!ours || strcmp (ours->role, "member") != 0)
        faults_add (self->faults, "",
                    "%s is no member: only members change "
                    "the taxonomy",
                    self->entity);
    if (!all_read (self))
        faults_add (self->faults, "",
                    "'%s' is no channel that every delegation reads",
                    self->place.channel);
    if (content->change.is_consent)
        judge_consent (self, &content->change.consent);
    else
        judge_proposal (self, content);
}

static void judge_hidden (struct judging *self, const struct hidden *hidden) {
    const struct subject *subject =
        model_find (self->view->model, self->place.plan);
    const struct history_entry *entry = subject ? subject->withdrawal : NULL;
    if (!entry || !hash_equal (&entry->origin.id, &hidden->withdrawal))
        faults_add (self->faults, "/withdrawal",
                    "is not the withdrawal of %s that counts",
                    self->place.plan);
}

/* Annexes */

/* Ids of annexes that wait here and would be further ones of their place. */
struct waiting {
    const struct subject *subject; /* NULL: there is none yet */
    const char *channel, *id;
    bool known; /* `id` is among them */
    size_t count;
    char ids[PARTS_MAX][PLAN_PART_MAX + 1];
};

static void annex_count (void *arg, const struct hash *id,
                         struct slice content) {
    struct waiting *self = arg;
    struct mp in;
    (void) id;
    if (!member_find (&in, content, "annex"))
        return;
    struct slice text = mp_str (&in, 0, PLAN_PART_MAX);
    char name[PLAN_PART_MAX + 1];
    snprintf (name, sizeof name, "%.*s", (int) text.size,
              (const char *) text.data);
    self->known |= strcmp (name, self->id) == 0;
    bool more =
        self->count < PARTS_MAX
        && (!self->subject
            || !subject_annex_known (self->subject, self->channel, name));
    for (size_t i = 0; more && i < self->count; i++)
        more = strcmp (self->ids[i], name) != 0;
    if (more)
        memcpy (self->ids[self->count++], name, sizeof name);
}

static void judge_annex (struct judging *self, const struct annex *annex) {
    struct waiting waiting = { .channel = self->place.channel,
                               .id = annex->id };
    struct error e;
    size_t count = 0;
    waiting.subject = model_find (self->view->model, self->place.plan);
    if (waiting.subject) {
        (void) subject_annex_fits (waiting.subject, waiting.channel, annex->id,
                                   &count);
        waiting.known =
            subject_annex_known (waiting.subject, waiting.channel, annex->id);
    }
    if (unsettled_list (self->store, self->topic, annex_count, &waiting, &e))
        faults_add (self->faults, "", "%s", e.text);
    count += waiting.count;
    if (waiting.known || count < PARTS_MAX)
        return;
    faults_add (self->faults, "/annex",
                "is '%s', but %s has %zu annexes on %s already (those that "
                "were taken back and those that wait to be sent among them), "
                "and only the first %d ids of a plan and channel count: change "
                "one of them instead",
                annex->id, self->place.plan, count, self->place.channel,
                PARTS_MAX);
}

/* By what others said; a plan stands for itself. */
static void judge_among_others (struct judging *self,
                                const struct content *content) {
    switch (content->kind) {
    case CONTENT_REPORT:
        judge_report (self, &content->report);
        break;
    case CONTENT_HIDDEN:
        judge_hidden (self, &content->hidden);
        break;
    case CONTENT_OVERLAP:
        judge_statement (self, &content->statement);
        break;
    case CONTENT_TAXONOMY:
        judge_change (self, content);
        break;
    case CONTENT_ANNEX:
        judge_annex (self, &content->annex);
        break;
    case CONTENT_NONE:
    case CONTENT_PLAN:
        break;
    }
}

static void judge_body (struct judging *self, json_t *document,
                        struct taxonomy *taxonomy) {
    struct plans_view view;
    bool newer = false;
    struct content *content =
        content_read (&self->place, document, taxonomy, self->faults, &newer);
    if (newer)
        faults_add (self->faults, "/format",
                    "is above 1, the highest that this program writes");
    self->store = content ? request_reader (self->request) : NULL;
    if (self->store && plans_look (self->request, &view)) {
        self->view = &view;
        judge_among_others (self, content);
        plans_close (self->request);
    }
    request_release (self->request);
    content_free (&content);
}

static void judge (struct judging *self, enum body_format format,
                   struct slice content, struct taxonomy *taxonomy) {
    struct error e;
    if (format != BODY_MAP) {
        faults_add (self->faults, "",
                    "a body on a topic of '%s' has to be a JSON object "
                    "(format json)",
                    content_kind_name (self->place.kind));
        return;
    }
    /* The document's tree takes many times its octets. */
    post_heavy_begin();
    json_t *document = mp_to_json (content, &e);
    if (document)
        judge_body (self, document, taxonomy);
    else
        faults_add (self->faults, "", "%s", e.text);
    json_decref (document);
    post_heavy_end();
}

/* false: answered. */
static bool roster_get (struct request *r, struct roster **out) {
    int64_t sequence;
    struct store *store = request_reader (r);
    *out = store ? request_roster (r, store, &sequence) : NULL;
    request_release (r);
    return *out != NULL;
}

/* A reference to the one in force: also waits until the first replay is
 * done. */
static struct taxonomy *taxonomy_get (struct request *r) {
    struct plans_view view;
    if (!r->http->options.projector)
        return taxonomy_base();
    if (!plans_open (r, &view))
        return NULL;
    struct taxonomy *out = taxonomy_ref (view.taxonomy);
    plans_close (r);
    return out;
}

bool plan_post_check (struct request *r, const char *topic,
                      enum body_format format, struct slice content) {
    struct roster *roster = NULL;
    if (content_kind (slice_text (topic)) == CONTENT_NONE)
        return true;
    struct taxonomy *taxonomy = taxonomy_get (r);
    if (!taxonomy)
        return false;
    bool fine = roster_get (r, &roster);
    if (fine) {
        struct judging self = { .request = r,
                                .topic = topic,
                                .roster = roster,
                                .faults = mem_alloc (sizeof *self.faults) };
        plans_own_entity (r, self.entity);
        if (content_place_read (slice_text (topic), self.entity, &self.place,
                                self.faults))
            judge (&self, format, content, taxonomy);
        fine = self.faults->count == 0 && !r->response;
        if (self.faults->count > 0 && !r->response)
            problem_faults (r, PROBLEM_NOT_A_PLAN,
                            content_kind_name (self.place.kind), self.faults);
        faults_clear (self.faults);
        free (self.faults);
    }
    roster_unref (&roster);
    taxonomy_unref (&taxonomy);
    return fine;
}
