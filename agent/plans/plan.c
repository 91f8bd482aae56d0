/* plan - a checked document as a structure, in one arena. */
#include "plan_impl.h"

#include "base/mp.h"

#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

/* `plan` is first, so that a plan leads to its arena. */
struct whole {
    struct plan plan;
    struct arena arena;
};

/* Readers */

const char *read_string (struct arena *arena, const json_t *object,
                         const char *name) {
    struct slice text = string_slice (json_object_get (object, name));
    return text.size > 0 ? arena_text (arena, text) : "";
}

struct language {
    struct slice name;
    const json_t *value;
};

static int language_order (const void *a, const void *b) {
    struct slice left = ((const struct language *) a)->name;
    struct slice right = ((const struct language *) b)->name;
    size_t size = left.size < right.size ? left.size : right.size;
    int order = memcmp (left.data, right.data, size);
    return order ? order : (left.size > right.size) - (left.size < right.size);
}

/* By name, as on the wire, but `lang` first. The caller's. */
static struct language *languages (const json_t *value, const char *lang) {
    json_t *object =
        (json_t *) (uintptr_t) value; /* iterators change nothing */
    size_t count = json_object_size (value), n = 0;
    struct language *out = mem_alloc ((count + 1) * sizeof *out);
    for (void *at = json_object_iter (object); at;
         at = json_object_iter_next (object, at))
        out[n++] = (struct language){ slice_of (json_object_iter_key (at),
                                                json_object_iter_key_len (at)),
                                      json_object_iter_value (at) };
    qsort (out, n, sizeof *out, language_order);
    for (size_t i = 1; i < n; i++)
        if (slice_is (out[i].name, lang)) {
            struct language own = out[i];
            memmove (out + 1, out, i * sizeof *out);
            out[0] = own;
        }
    return out;
}

struct text read_text (struct arena *arena, const json_t *value,
                       const char *lang) {
    struct text out = { 0 };
    if (json_is_string (value)) {
        out.count = 1;
        out.at = arena_alloc (arena, sizeof *out.at);
        out.at[0].lang = lang;
        out.at[0].text = arena_text (arena, string_slice (value));
    } else if (json_is_object (value)) {
        struct language *list = languages (value, lang);
        out.count = json_object_size (value);
        out.at = arena_alloc (arena, out.count * sizeof *out.at);
        for (size_t i = 0; i < out.count; i++) {
            out.at[i].lang = arena_text (arena, list[i].name);
            out.at[i].text = arena_text (arena, string_slice (list[i].value));
        }
        free (list);
    }
    return out;
}

bool read_date (const json_t *object, const char *name, struct date *out) {
    struct slice text = string_slice (json_object_get (object, name));
    return text.data && date_read (text, out, NULL) == 0;
}

struct point read_point (const json_t *object) {
    struct point out = { .value = json_number_value (
                             json_object_get (object, "value")) };
    (void) read_date (object, "at", &out.at);
    return out;
}

struct names read_names (struct arena *arena, const json_t *object,
                         const char *name) {
    const json_t *list = json_object_get (object, name);
    struct names out = { .count = json_array_size (list) };
    const char **at = arena_alloc (arena, out.count * sizeof *at);
    for (size_t i = 0; i < out.count; i++)
        at[i] = arena_text (arena, string_slice (json_array_get (list, i)));
    out.at = at;
    return out;
}

static int number_order (const void *a, const void *b) {
    int left = *(const int *) a, right = *(const int *) b;
    return (left > right) - (left < right);
}

struct numbers read_numbers (
    struct arena *arena, const struct taxonomy *taxonomy, const json_t *object,
    const char *name, int (*find) (const struct taxonomy *, struct slice)) {
    const json_t *list = json_object_get (object, name);
    struct numbers out = { .count = json_array_size (list) };
    int *at = arena_alloc (arena, out.count * sizeof *at);
    for (size_t i = 0; i < out.count; i++)
        at[i] = find (taxonomy, string_slice (json_array_get (list, i)));
    if (out.count > 1)
        qsort (at, out.count, sizeof *at, number_order);
    out.at = at;
    return out;
}

bool read_hash (const json_t *value, struct hash *out) {
    struct slice text = string_slice (value);
    return text.size == HASH_TEXT_MAX - 1
           && hash_parse ((const char *) text.data, out) == 0;
}

/* A document being read. */
struct reading {
    struct arena *arena;
    const struct taxonomy *taxonomy;
    const char *lang;
};

static struct text text_of (struct reading *in, const json_t *object,
                            const char *name) {
    return read_text (in->arena, json_object_get (object, name), in->lang);
}

static void read_target (struct reading *in, const json_t *value,
                         struct point *out) {
    (void) in;
    *out = read_point (value);
}

static void read_indicator (struct reading *in, const json_t *value,
                            struct indicator *out) {
    out->id = read_string (in->arena, value, "id");
    out->unit = read_string (in->arena, value, "unit");
    out->title = text_of (in, value, "title");
    out->down =
        slice_is (string_slice (json_object_get (value, "better")), "down");
    const json_t *baseline = json_object_get (value, "baseline");
    out->has_baseline = baseline != NULL;
    if (baseline)
        out->baseline = read_point (baseline);
    struct point *targets;
    READ_LIST (in, value, "targets", targets, out->target_count, read_target);
    out->targets = targets;
}

static void read_milestone (struct reading *in, const json_t *value,
                            struct milestone *out) {
    out->id = read_string (in->arena, value, "id");
    out->title = text_of (in, value, "title");
    (void) read_date (value, "due", &out->due);
    out->is_done = read_date (value, "done", &out->done);
}

static void read_goal (struct reading *in, const json_t *value,
                       struct goal *out) {
    out->id = read_string (in->arena, value, "id");
    out->parent = read_string (in->arena, value, "parent");
    out->title = text_of (in, value, "title");
    out->priorities = read_numbers (in->arena, in->taxonomy, value,
                                    "priorities", taxonomy_priority);
    out->regions = read_numbers (in->arena, in->taxonomy, value, "regions",
                                 taxonomy_region);
    struct indicator *indicators;
    READ_LIST (in, value, "indicators", indicators, out->indicator_count,
               read_indicator);
    out->indicators = indicators;
}

/* Facts: what a statement on an overlap rests on. A canonical msgpack array,
 * lists as sets: sorted by octets. */

static int text_order (const void *a, const void *b) {
    return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void put_set (struct buf *out, const char **at, size_t count) {
    if (count > 1)
        qsort (at, count, sizeof *at, text_order);
    mp_put_array (out, count);
    for (size_t i = 0; i < count; i++)
        mp_put_str (out, at[i]);
}

static void put_names (struct buf *out, const struct names *names) {
    const char **at = mem_alloc ((names->count + 1) * sizeof *at);
    for (size_t i = 0; i < names->count; i++)
        at[i] = names->at[i];
    put_set (out, at, names->count);
    free (at);
}

static void put_codes (struct buf *out, const struct taxonomy *taxonomy,
                       const struct numbers *numbers,
                       const char *(*code) (const struct taxonomy *, int) ) {
    const char **at = mem_alloc ((numbers->count + 1) * sizeof *at);
    for (size_t i = 0; i < numbers->count; i++)
        at[i] = code (taxonomy, numbers->at[i]);
    put_set (out, at, numbers->count);
    free (at);
}

static struct hash facts_of (const struct taxonomy *taxonomy,
                             const struct action *action) {
    struct buf out = { 0 };
    char date[DATE_TEXT_MAX];
    mp_put_array (&out, 9);
    put_codes (&out, taxonomy, &action->priorities, taxonomy_priority_code);
    put_codes (&out, taxonomy, &action->regions, taxonomy_region_code);
    mp_put_str (&out, date_text (date, &action->span.from));
    if (action->span.open)
        mp_put_nil (&out);
    else
        mp_put_str (&out, date_text (date, &action->span.to));
    mp_put_str (&out, action->lead);
    put_names (&out, &action->co_leads);
    put_names (&out, &action->partners);
    put_names (&out, &action->same_as);
    mp_put_bool (&out, action->status == STATUS_CANCELLED);
    struct hash facts = hash_sha256 (buf_slice (&out));
    buf_free (&out);
    return facts;
}

static void read_countries (struct reading *in, struct action *out) {
    for (size_t i = 0; i < out->regions.count; i++) {
        int region = out->regions.at[i];
        if (strcmp (taxonomy_region_code (in->taxonomy, region), TAXONOMY_WORLD)
            == 0)
            out->world = true;
        taxonomy_countries (in->taxonomy, region, out->span.first,
                            out->span.last, &out->countries);
    }
}

static void read_bodies (struct reading *in, const json_t *value,
                         struct action *out) {
    out->lead = read_string (in->arena, value, "lead");
    out->co_leads = read_names (in->arena, value, "co_leads");
    out->partners = read_names (in->arena, value, "partners");
    out->goals = read_names (in->arena, value, "goals");
    out->same_as = read_names (in->arena, value, "same_as");
    out->depends_on = read_names (in->arena, value, "depends_on");
    out->open_to = read_names (in->arena, value, "open_to");
}

static void read_action (struct reading *in, const json_t *value,
                         struct action *out) {
    struct date from = { 0 }, to;
    out->id = read_string (in->arena, value, "id");
    out->title = text_of (in, value, "title");
    (void) action_kind_read (string_slice (json_object_get (value, "kind")),
                             &out->kind);
    (void) action_status_read (string_slice (json_object_get (value, "status")),
                               &out->status);
    out->priorities = read_numbers (in->arena, in->taxonomy, value,
                                    "priorities", taxonomy_priority);
    out->regions = read_numbers (in->arena, in->taxonomy, value, "regions",
                                 taxonomy_region);
    (void) read_date (value, "from", &from);
    span_make (&out->span, &from, read_date (value, "to", &to) ? &to : NULL);
    read_countries (in, out);
    read_bodies (in, value, out);
    struct milestone *milestones;
    READ_LIST (in, value, "milestones", milestones, out->milestone_count,
               read_milestone);
    out->milestones = milestones;
    struct indicator *indicators;
    READ_LIST (in, value, "indicators", indicators, out->indicator_count,
               read_indicator);
    out->indicators = indicators;
    out->facts = facts_of (in->taxonomy, out);
}

static void read_head (struct reading *in, const json_t *document,
                       struct plan *out) {
    out->id = read_string (in->arena, document, "plan");
    out->entity = read_string (in->arena, document, "entity");
    out->lang = in->lang = read_string (in->arena, document, "lang");
    out->handling = read_string (in->arena, document, "handling");
    out->level = read_string (in->arena, document, "level");
    out->title = text_of (in, document, "title");
    out->summary = text_of (in, document, "summary");
    const json_t *cycle = json_object_get (document, "cycle");
    (void) read_date (cycle, "from", &out->cycle_from);
    (void) read_date (cycle, "to", &out->cycle_to);
    out->has_review = read_date (cycle, "next_review", &out->next_review);
    out->priorities = read_numbers (in->arena, in->taxonomy, document,
                                    "priorities", taxonomy_priority);
    out->regions = read_numbers (in->arena, in->taxonomy, document, "regions",
                                 taxonomy_region);
}

static struct plan *make (const json_t *document,
                          const struct taxonomy *taxonomy) {
    struct whole *whole = mem_alloc (sizeof *whole);
    struct plan *plan = &whole->plan;
    struct reading in = { .arena = &whole->arena, .taxonomy = taxonomy };
    plan->taxonomy = taxonomy_ref (taxonomy);
    read_head (&in, document, plan);
    struct goal *goals;
    READ_LIST (&in, document, "goals", goals, plan->goal_count, read_goal);
    plan->goals = goals;
    struct action *actions;
    READ_LIST (&in, document, "actions", actions, plan->action_count,
               read_action);
    plan->actions = actions;
    return plan;
}

struct plan *plan_read (const json_t *document, const struct taxonomy *taxonomy,
                        struct faults *faults) {
    struct check check = { .taxonomy = taxonomy, .faults = faults };
    size_t before = faults->count;
    check_plan (&check, document);
    if (json_is_object (document))
        check_size (&check, document);
    return faults->count == before ? make (document, taxonomy) : NULL;
}

struct plan *plan_read_joined (const json_t *document,
                               const struct taxonomy *taxonomy,
                               struct faults *faults) {
    struct check check = { .taxonomy = taxonomy,
                           .faults = faults,
                           .joined = true };
    size_t before = faults->count;
    check_plan (&check, document);
    return faults->count == before ? make (document, taxonomy) : NULL;
}

void plan_set_audience (struct plan *self, size_t number, const char *channel) {
    struct whole *whole = (struct whole *) self;
    struct action *actions = (struct action *) (uintptr_t) self->actions;
    actions[number].audience = arena_text (&whole->arena, slice_text (channel));
}

void plan_set_part (struct plan *self, size_t number, size_t part,
                    const char *handling) {
    struct whole *whole = (struct whole *) self;
    struct action *actions = (struct action *) (uintptr_t) self->actions;
    actions[number].part = part;
    actions[number].handling =
        arena_text (&whole->arena, slice_text (handling));
}

void plan_set_countries (struct plan *self, const struct taxonomy *taxonomy) {
    struct action *actions = (struct action *) (uintptr_t) self->actions;
    for (size_t i = 0; i < self->action_count; i++) {
        struct action *action = &actions[i];
        action->countries = (struct countries){ 0 };
        for (size_t k = 0; k < action->regions.count; k++)
            taxonomy_countries (taxonomy, action->regions.at[k],
                                action->span.first, action->span.last,
                                &action->countries);
    }
}

const char *action_handling (const struct plan *plan,
                             const struct action *action) {
    return action->handling ? action->handling : plan->handling;
}

const char *handling_stricter (const char *a, const char *b) {
    static const char *const order[] = { "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER",
                                         "TLP:AMBER+STRICT", "TLP:RED" };
    size_t count = sizeof order / sizeof *order, left = 0, right = 0;
    for (size_t i = 0; i < count; i++) {
        left = strcmp (a, order[i]) == 0 ? i + 1 : left;
        right = strcmp (b, order[i]) == 0 ? i + 1 : right;
    }
    return right > left ? b : a;
}

void plan_free (struct plan **self_p) {
    struct whole *whole = (struct whole *) *self_p;
    *self_p = NULL;
    if (!whole)
        return;
    taxonomy_unref (&whole->plan.taxonomy);
    arena_free (&whole->arena);
    free (whole);
}

/* Questions */

const struct action *plan_action (const struct plan *self, const char *id) {
    for (size_t i = 0; i < self->action_count; i++)
        if (strcmp (self->actions[i].id, id) == 0)
            return &self->actions[i];
    return NULL;
}

static bool names_has (const struct names *self, const char *name) {
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->at[i], name) == 0)
            return true;
    return false;
}

bool action_names (const struct action *self, const char *entity) {
    return strcmp (self->lead, entity) == 0
           || names_has (&self->co_leads, entity)
           || names_has (&self->partners, entity);
}

char *action_ref (char out[PLAN_REF_MAX + 1], const struct plan *plan,
                  const struct action *action) {
    char *end = stpcpy (out, plan->id);
    *end++ = '#';
    stpcpy (end, action->id);
    return out;
}

/* Where `lang` begins with a text's language, or the other way round; the
 * longest that does. */
const char *text_in (const struct text *self, const char *lang) {
    size_t primary = strcspn (lang, "-");
    const char *near = NULL;
    for (size_t i = 0; i < self->count; i++) {
        const char *own = self->at[i].lang;
        if (strcasecmp (own, lang) == 0)
            return self->at[i].text;
        if (strcspn (own, "-") != primary
            || strncasecmp (own, lang, primary) != 0)
            continue;
        if (!near || own[primary] == '\0')
            near = self->at[i].text;
    }
    if (near)
        return near;
    return self->count > 0 ? self->at[0].text : "";
}
