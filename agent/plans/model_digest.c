/* model_digest - the derived state in few octets, so that agents can see that
 * they derived the same. What is hashed is canonical JSON: keys sorted, compact.
 * Overlaps come in the index's own order, so theirs are added up. */
#include "model_impl.h"

#include "identity/roster.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct hash json_hash (json_t *json) {
    char *text = json_dumps (json, JSON_SORT_KEYS | JSON_COMPACT);
    struct hash out = hash_sha256 (slice_text (text ? text : ""));
    free (text);
    json_decref (json);
    return out;
}

/* A plan as it was derived */

static json_t *names_json (const struct names *names) {
    json_t *out = json_array();
    for (size_t i = 0; i < names->count; i++)
        json_array_append_new (out, json_string (names->at[i]));
    return out;
}

static json_t *priorities_json (const struct plan *plan,
                                const struct numbers *numbers) {
    json_t *out = json_array();
    for (size_t i = 0; i < numbers->count; i++)
        json_array_append_new (out, json_string (taxonomy_priority_code (
                                        plan->taxonomy, numbers->at[i])));
    return out;
}

static json_t *countries_json (const struct plan *plan,
                               const struct countries *countries) {
    json_t *out = json_array();
    for (size_t i = 0; i < taxonomy_country_count (plan->taxonomy); i++)
        if (countries->bits[i / 64] >> (i % 64) & 1)
            json_array_append_new (out, json_string (taxonomy_country_code (
                                            plan->taxonomy, (int) i)));
    return out;
}

static json_t *milestones_json (const struct subject *subject,
                                const struct action *action) {
    json_t *out = json_array();
    for (size_t i = 0; i < action->milestone_count; i++) {
        const struct milestone *at = &action->milestones[i];
        struct date done;
        char due[DATE_TEXT_MAX], text[DATE_TEXT_MAX];
        bool is_done =
            subject_milestone_done (subject, action, at, &done, NULL);
        json_array_append_new (
            out, json_pack ("{ss ss ss}", "id", at->id, "due",
                            date_text (due, &at->due), "done",
                            is_done ? date_text (text, &done) : ""));
    }
    return out;
}

static json_t *action_json (const struct subject *subject,
                            const struct action *a) {
    char facts[HASH_TEXT_MAX];
    enum action_status status = a->status;
    bool reported = subject_status (subject, a, &status, NULL);
    return json_pack (
        "{ss ss ss ss sb si si si si so so so so so ss ss ss so so}", "id",
        a->id, "kind", action_kind_name (a->kind), "status",
        action_status_name (a->status), "reported",
        reported ? action_status_name (status) : "", "world", a->world, "first",
        a->span.first, "last", a->span.last, "certain_first",
        a->span.certain_first, "certain_last", a->span.certain_last,
        "priorities", priorities_json (subject->plan, &a->priorities),
        "countries", countries_json (subject->plan, &a->countries), "co_leads",
        names_json (&a->co_leads), "partners", names_json (&a->partners),
        "same_as", names_json (&a->same_as), "lead", a->lead, "audience",
        a->audience ? a->audience : "", "facts", hash_text (facts, &a->facts),
        "goals", names_json (&a->goals), "milestones",
        milestones_json (subject, a));
}

static json_t *plan_json (const struct subject *subject) {
    const struct plan *plan = subject->plan;
    if (!plan)
        return json_null();
    json_t *actions = json_array(), *goals = json_array();
    for (size_t i = 0; i < plan->action_count; i++)
        json_array_append_new (actions,
                               action_json (subject, &plan->actions[i]));
    for (size_t i = 0; i < plan->goal_count; i++)
        json_array_append_new (
            goals,
            json_pack ("{ss ss so}", "id", plan->goals[i].id, "parent",
                       plan->goals[i].parent, "priorities",
                       priorities_json (plan, &plan->goals[i].priorities)));
    return json_pack ("{ss so so so si si si}", "lang", plan->lang, "actions",
                      actions, "goals", goals, "priorities",
                      priorities_json (plan, &plan->priorities), "from",
                      plan->cycle_from.first, "to", plan->cycle_to.last,
                      "taxonomy", (int) taxonomy_version (plan->taxonomy));
}

/* A subject */

static json_t *entries_json (const struct subject *subject) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->entry_count; i++) {
        const struct history_entry *at = subject->entries[i];
        json_array_append_new (
            out,
            json_pack ("{sI ss sI sb sb so}", "sequence",
                       (json_int_t) at->origin.sequence, "kind",
                       content_kind_name (at->kind), "revision",
                       (json_int_t) at->revision, "withdrawal", at->withdrawal,
                       "newer", at->newer, "faults",
                       at->faults ? faults_json (at->faults) : json_null()));
    }
    return out;
}

static json_t *parts_json (const struct subject *subject) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->part_count; i++)
        json_array_append_new (
            out,
            json_pack ("{sI so}", "sequence",
                       (json_int_t) subject->parts[i].entry->origin.sequence,
                       "covered", faults_json (&subject->parts[i].covered)));
    return out;
}

static json_t *progress_json (const struct subject *subject) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->progress_count; i++) {
        const struct plan_progress *at = &subject->progress[i];
        json_array_append_new (
            out, json_pack ("{sI ss sb sb sb}", "sequence",
                            (json_int_t) at->entry->origin.sequence, "entity",
                            at->entity, "counts", at->counts, "newest",
                            at->newest, "latest", at->latest));
    }
    return out;
}

static json_t *hidden_json (const struct subject *subject) {
    json_t *out = json_array();
    for (size_t i = 0; i < subject->hidden_count; i++)
        json_array_append_new (
            out, json_integer (subject->hidden[i].entry->origin.sequence));
    return out;
}

static void overdue_add (void *arg, const struct action *action,
                         const struct milestone *milestone, int32_t since) {
    json_array_append_new (arg,
                           json_pack ("[s s i]", action->id,
                                      milestone ? milestone->id : "", since));
}

static struct hash subject_hash (struct work *work, int32_t day) {
    const struct subject *is = &work->is;
    if (work->has_digest && work->digest_day == day)
        return work->digest;
    json_t *overdue = json_array();
    subject_overdue (is, day, overdue_add, overdue);
    work->digest = json_hash (json_pack (
        "{ss so so so so so so sI sI}", "id", is->plan_id, "plan",
        plan_json (is), "entries", entries_json (is), "parts", parts_json (is),
        "progress", progress_json (is), "hidden", hidden_json (is), "overdue",
        overdue, "revision",
        (json_int_t) (is->revision ? is->revision->origin.sequence : -1),
        "withdrawal",
        (json_int_t) (is->withdrawal ? is->withdrawal->origin.sequence : -1)));
    work->has_digest = true;
    work->digest_day = day;
    return work->digest;
}

static struct hash plans_hash (struct model *self, int32_t day) {
    struct buf hashes = { 0 };
    for (size_t i = 0; i < self->work_count; i++) {
        if (self->works[i]->is.entry_count == 0)
            continue; /* all of it is above the mark */
        struct hash hash = subject_hash (self->works[i], day);
        buf_add (&hashes, hash.octets, HASH_SIZE);
    }
    struct hash out = hash_sha256 (buf_slice (&hashes));
    buf_free (&hashes);
    return out;
}

/* Overlaps: what a list begins with, and how many there are of each sort between
 * each two bodies. All of them may be millions. */

#define OVERLAPS_SHOWN 1000
#define STATEMENTS_SHOWN 64

static void overlap_add (const struct model *self,
                         const struct overlap *overlap, struct buf *text) {
    char a[PLAN_REF_MAX + 1], b[PLAN_REF_MAX + 1];
    struct model_statement said[STATEMENTS_SHOWN];
    buf_add_format (text,
                    "{\"a\":\"%s\",\"b\":\"%s\",\"broad\":%s,\"class\":\"%s\","
                    "\"countries\":%d,\"first\":%" PRId32 ",\"imprecise\":%s,"
                    "\"last\":%" PRId32 ",\"statements\":[",
                    action_ref (a, overlap->plan_a, overlap->a),
                    action_ref (b, overlap->plan_b, overlap->b),
                    overlap->broad ? "true" : "false",
                    overlap_class_name (overlap->class), overlap->countries,
                    overlap->first, overlap->imprecise ? "true" : "false",
                    overlap->last);
    size_t count = model_statements (self, overlap, said, STATEMENTS_SHOWN);
    for (size_t i = 0; i < count && i < STATEMENTS_SHOWN; i++)
        buf_add_format (text, "%s[%" PRId64 ",%s]", i ? "," : "",
                        said[i].origin->sequence,
                        said[i].stands ? "true" : "false");
    buf_add_text (text, "]}\n");
}

static void pair_add (const struct overlap_pair *pair, struct buf *text) {
    buf_add_format (text, "{\"a\":\"%s\",\"b\":\"%s\",\"counts\":[", pair->a,
                    pair->b);
    for (int i = 0; i < OVERLAP_CLASSES; i++)
        buf_add_format (text, "%s%" PRId64 ",%" PRId64, i ? "," : "",
                        pair->counts[i], pair->broad[i]);
    buf_add_text (text, "]}\n");
}

/* Statements on overlaps further down count too. */
static void statements_add (const struct model *self, struct buf *text) {
    for (size_t i = 0; i < self->said_count; i++)
        if (self->said[i]->entry->is.origin.sequence < self->limit)
            buf_add_format (text, "[%" PRId64 ",%s]\n",
                            self->said[i]->entry->is.origin.sequence,
                            self->said[i]->stands ? "true" : "false");
}

static struct hash overlaps_hash (const struct model *self, int32_t day) {
    struct overlap_query query = { .live = true,
                                   .on = day,
                                   .limit = OVERLAPS_SHOWN };
    struct overlap_answer answer;
    struct buf text = { 0 };
    overlaps_find (self->overlaps, &query, &answer);
    for (size_t i = 0; i < answer.pair_count; i++)
        pair_add (&answer.pairs[i], &text);
    for (size_t i = 0; i < answer.count; i++)
        overlap_add (self, &answer.at[i], &text);
    statements_add (self, &text);
    struct hash out = hash_sha256 (buf_slice (&text));
    overlap_answer_free (&answer);
    buf_free (&text);
    return out;
}

/* Gaps */

static int by_number (const void *a, const void *b) {
    return *(const int *) a - *(const int *) b;
}

/* Of all entities of the roster, each once; the caller's. */
static int *regions_of (const struct roster *roster,
                        const struct taxonomy *taxonomy, size_t *count) {
    int *out = mem_alloc ((taxonomy_region_count (taxonomy) + 1) * sizeof *out);
    bool *seen =
        mem_alloc ((taxonomy_region_count (taxonomy) + 1) * sizeof *seen);
    *count = 0;
    for (size_t i = 0; roster && i < roster_entities (roster); i++) {
        const struct roster_entity *entity = roster_entity_at (roster, i);
        for (size_t k = 0; k < entity->region_count; k++) {
            int region =
                taxonomy_region (taxonomy, slice_text (entity->regions[k]));
            if (region < 0 || seen[region])
                continue;
            seen[region] = true;
            out[(*count)++] = region;
        }
    }
    free (seen);
    qsort (out, *count, sizeof *out, by_number);
    return out;
}

static json_t *gap_json (const struct taxonomy *taxonomy,
                         const struct gap *gap) {
    json_t *out = json_pack ("{si sb ss}", "kind", (int) gap->kind, "thin",
                             gap->thin, "priority",
                             taxonomy_priority_code (taxonomy, gap->priority));
    if (gap->kind == GAP_UNWORKED)
        json_object_update_new (out, json_pack ("{ss ss ss}", "entity",
                                                gap->entity, "plan", gap->plan,
                                                "goal", gap->goal));
    else
        json_object_update_new (
            out, json_pack ("{ss si si}", "region",
                            taxonomy_region_code (taxonomy, gap->region),
                            "uncovered", countries_count (&gap->uncovered),
                            "thin_count", gap->thin_count));
    return out;
}

static struct hash gaps_hash (const struct model *self, int64_t mark,
                              int32_t day) {
    const struct taxonomy *taxonomy = model_taxonomy (self);
    const struct roster *roster =
        self->options.roster ? self->options.roster (self->options.arg, mark)
                             : NULL;
    struct gaps_query query = { .on = day, .with_thin = true };
    int *regions = regions_of (roster, taxonomy, &query.region_count);
    query.regions = regions;
    struct gaps_answer answer = { 0 };
    gaps_find (self->plans, self->plan_count, taxonomy, &query, &answer);
    json_t *out = json_array();
    for (size_t i = 0; i < answer.count; i++)
        json_array_append_new (out, gap_json (taxonomy, &answer.at[i]));
    gaps_answer_free (&answer);
    free (regions);
    return json_hash (out);
}

/* Records */

struct leaves {
    const struct history_entry **at;
    size_t count;
};

static void leaves_add (struct leaves *self, const struct model *model,
                        const struct entries *entries) {
    size_t below = entries_below (entries, model->limit);
    if (below == 0)
        return;
    self->at = mem_resize (self->at, (self->count + below) * sizeof *self->at);
    for (size_t i = 0; i < below; i++)
        self->at[self->count++] = entries->at[i];
}

static int by_sequence (const void *a, const void *b) {
    int64_t x = (*(const struct history_entry *const *) a)->origin.sequence;
    int64_t y = (*(const struct history_entry *const *) b)->origin.sequence;
    return x < y ? -1 : x > y;
}

/* Each leaf, and whether its body could be read. */
static void records_hash (const struct model *self, struct model_digests *out) {
    struct leaves leaves = { 0 };
    leaves_add (&leaves, self, &self->loose);
    leaves_add (&leaves, self, &self->statements);
    leaves_add (&leaves, self, &self->changes);
    for (size_t i = 0; i < self->work_count; i++)
        leaves_add (&leaves, self, &self->works[i]->entries);
    if (leaves.count > 1)
        qsort (leaves.at, leaves.count, sizeof *leaves.at, by_sequence);
    struct buf octets = { 0 };
    for (size_t i = 0; i < leaves.count; i++) {
        buf_add (&octets, leaves.at[i]->origin.leaf.octets, HASH_SIZE);
        buf_add_u8 (&octets, leaves.at[i]->absent);
    }
    out->records = hash_sha256 (buf_slice (&octets));
    out->record_count = leaves.count;
    buf_free (&octets);
    free (leaves.at);
}

/* All of it */

static void all_hash (struct model_digests *self) {
    const struct slice parts[] = {
        slice_of (self->plans.octets, HASH_SIZE),
        slice_of (self->overlaps.octets, HASH_SIZE),
        slice_of (self->gaps.octets, HASH_SIZE),
        slice_of (self->taxonomy.octets, HASH_SIZE),
    };
    self->all = hash_sha256_parts (parts, sizeof parts / sizeof *parts);
}

/* The dearest one, which a mark alone does not change: kept for the day. */
static struct hash overlaps_kept (struct model *self, int32_t day) {
    if (self->limit != INT64_MAX)
        return overlaps_hash (self, day);
    if (self->digest_generation != self->generation
        || self->digest_day != day) {
        self->digests.overlaps = overlaps_hash (self, day);
        self->digest_generation = self->generation;
        self->digest_day = day;
    }
    return self->digests.overlaps;
}

static void digests_make (struct model *self, int64_t mark, int32_t day,
                          struct model_digests *out) {
    *out = (struct model_digests){ 0 };
    records_hash (self, out);
    out->plans = plans_hash (self, day);
    out->overlaps = overlaps_kept (self, day);
    out->gaps = gaps_hash (self, mark, day);
    out->taxonomy = *taxonomy_digest (model_taxonomy (self));
    all_hash (out);
}

/* What has records at or above the mark is derived as if they were not there;
 * `limit` is where that ends then. */
static void limit_set (struct model *self, int64_t mark, int64_t limit) {
    for (size_t i = 0; i < self->work_count; i++) {
        struct work *work = self->works[i];
        if (entries_below (&work->entries, mark) < work->entries.count)
            work->dirty = self->dirty = true;
    }
    if (entries_below (&self->changes, mark) < self->changes.count)
        self->changes_dirty = true;
    self->loose_dirty = true;
    self->limit = limit;
    model_derive (self);
    for (size_t i = 0; i < self->work_count; i++)
        self->works[i]->touched = false;
}

static bool is_beyond (const struct entries *entries, int64_t mark) {
    return entries_below (entries, mark) < entries->count;
}

size_t model_beyond (const struct model *self, int64_t mark) {
    size_t out = 0;
    if (self->highest < mark)
        return 0;
    if (is_beyond (&self->changes, mark))
        return SIZE_MAX;
    for (size_t i = 0; i < self->work_count; i++)
        out += is_beyond (&self->works[i]->entries, mark);
    /* Others have some, which are judged anew. */
    return out ? out : 1;
}

void model_digest_prepare (struct model *self, int64_t mark, int64_t mark_ms) {
    for (size_t i = 0; i < self->work_count; i++)
        if (!is_beyond (&self->works[i]->entries, mark))
            (void) subject_hash (self->works[i], day_of_ms (mark_ms));
}

void model_digest (struct model *self, int64_t mark, int64_t mark_ms,
                   struct model_digests *out) {
    int32_t day = day_of_ms (mark_ms);
    model_settle (self);
    if (self->highest >= mark) {
        limit_set (self, mark, mark);
        digests_make (self, mark, day, out);
        limit_set (self, mark, INT64_MAX);
        return;
    }
    digests_make (self, mark, day, out);
}
