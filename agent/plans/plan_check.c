/* plan_check - plan.schema.json as tables, and the forms of its texts. */
#include "plan_impl.h"

#include "base/mp.h"

#include <jansson.h>

/* Forms */

static bool is_lower (uint8_t c) {
    return c >= 'a' && c <= 'z';
}
static bool is_upper (uint8_t c) {
    return c >= 'A' && c <= 'Z';
}
static bool is_digit (uint8_t c) {
    return c >= '0' && c <= '9';
}
static bool is_small (uint8_t c) { /* [a-z0-9.-] */
    return is_lower (c) || is_digit (c) || c == '.' || c == '-';
}

/* ^[A-Za-z][A-Za-z0-9.-]{0,31}$ */
static bool id_valid (struct slice text) {
    if (text.size < 1 || text.size > PLAN_PART_MAX)
        return false;
    if (!is_lower (text.data[0]) && !is_upper (text.data[0]))
        return false;
    for (size_t i = 1; i < text.size; i++)
        if (!is_small (text.data[i]) && !is_upper (text.data[i]))
            return false;
    return true;
}

static struct slice cut_at (struct slice text, char separator,
                            struct slice *rest) {
    const uint8_t *at =
        text.size ? memchr (text.data, separator, text.size) : NULL;
    *rest = (struct slice){ 0 };
    if (!at)
        return text;
    size_t size = (size_t) (at - text.data);
    *rest = slice_of (at + 1, text.size - size - 1);
    return slice_of (text.data, size);
}

/* ^[A-Z][A-Z0-9]{1,15}-[a-z0-9][a-z0-9.-]{0,63}$ */
bool plan_id_valid (struct slice text) {
    struct slice rest, entity = cut_at (text, '-', &rest);
    if (!entity_valid (entity) || rest.size < 1 || rest.size > 64)
        return false;
    if (!is_lower (rest.data[0]) && !is_digit (rest.data[0]))
        return false;
    for (size_t i = 1; i < rest.size; i++)
        if (!is_small (rest.data[i]))
            return false;
    return true;
}

bool ref_valid (struct slice text, bool *part) {
    struct slice rest, plan = cut_at (text, '#', &rest);
    *part = plan.size < text.size;
    return plan_id_valid (plan) && (!*part || id_valid (rest));
}

void form_id (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (!id_valid (text))
        CHECK_FAULT (check,
                     "is '%s', which is no id: a letter, then at most 31 "
                     "letters, digits, dots and hyphens",
                     shown (name, text));
}

static void form_plan_id (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (!plan_id_valid (text))
        CHECK_FAULT (check,
                     "is '%s', which is no plan's id: an entity, a hyphen, "
                     "then at most 64 small letters, digits, dots and hyphens",
                     shown (name, text));
}

static void form_entity (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (!entity_valid (text))
        CHECK_FAULT (check,
                     "is '%s', which is no entity's name: 2 to 16 capitals "
                     "and digits, a capital first",
                     shown (name, text));
}

static void form_open_to (struct check *check, struct slice text) {
    if (!slice_is (text, "*"))
        form_entity (check, text);
}

static void form_ref (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    bool part;
    if (!ref_valid (text, &part))
        CHECK_FAULT (check,
                     "is '%s', which is no reference: a plan's id, or one "
                     "with '#' and an id in it",
                     shown (name, text));
}

static void form_date (struct check *check, struct slice text) {
    struct date date;
    struct error e = { 0 };
    char name[SHOWN_MAX];
    enum err rc = date_read (text, &date, &e);
    const char *why = strstr (e.text, " is no day");
    if (rc == ERR_LIMIT)
        CHECK_FAULT (check, "is '%s', which%s", shown (name, text),
                     why ? why : " is no day");
    else if (rc)
        CHECK_FAULT (check,
                     "is '%s', which is no date: write YYYY-MM-DD, YYYY-MM or "
                     "YYYY",
                     shown (name, text));
}

static void form_message (struct check *check, struct slice text) {
    struct hash hash;
    char name[SHOWN_MAX];
    if (text.size != HASH_TEXT_MAX - 1
        || hash_parse ((const char *) text.data, &hash))
        CHECK_FAULT (check,
                     "is '%s', and has to be a message's id: 64 digits, "
                     "0-9 and a-f",
                     shown (name, text));
}

/* What has no form has no code either. */
static void form_priority (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (taxonomy_priority (check->taxonomy, text) < 0)
        CHECK_FAULT (check,
                     "is '%s', which is no priority of the taxonomy's "
                     "version %lld",
                     shown (name, text),
                     (long long) taxonomy_version (check->taxonomy));
}

static void form_region (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (taxonomy_region (check->taxonomy, text) < 0)
        CHECK_FAULT (check,
                     "is '%s', which is no country, region or group of "
                     "the taxonomy's version %lld",
                     shown (name, text),
                     (long long) taxonomy_version (check->taxonomy));
}

/* Words */

#define WORDS(name, ...)                                                       \
    static const char *const words_##name[] = { __VA_ARGS__, NULL };           \
    static const struct shape name = { .type = SHAPE_WORD,                     \
                                       .words = words_##name }
WORDS (level, "framework", "strategy", "operational", "programme");
WORDS (phase_name, "assessment", "drafting", "adoption", "implementation",
       "evaluation");
WORDS (via, "mail", "phone", "I-24/7", "SIENA", "other");
WORDS (better, "up", "down");
static const char *const words_kind[] = {
    "operation", "training",       "analysis",          "data-sharing",
    "policy",    "border-control", "capacity-building", NULL,
};
static const char *const words_status[] = {
    "planned", "active", "delayed", "suspended", "done", "cancelled", NULL,
};
static const char *const words_handling[] = {
    "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED", NULL,
};
static const struct shape kind = { .type = SHAPE_WORD, .words = words_kind };
const struct shape shape_status = { .type = SHAPE_WORD, .words = words_status };
const struct shape shape_handling = { .type = SHAPE_WORD,
                                      .words = words_handling };

/* false where it is none of them. */
static bool word_read (const char *const *words, struct slice text,
                       unsigned *out) {
    for (*out = 0; words[*out]; ++*out)
        if (slice_is (text, words[*out]))
            return true;
    return false;
}

const char *action_kind_name (enum action_kind value) {
    return words_kind[value];
}
const char *action_status_name (enum action_status status) {
    return words_status[status];
}
bool action_kind_read (struct slice text, enum action_kind *out) {
    unsigned n;
    bool found = word_read (words_kind, text, &n);
    if (found)
        *out = (enum action_kind) n;
    return found;
}
bool action_status_read (struct slice text, enum action_status *out) {
    unsigned n;
    bool found = word_read (words_status, text, &n);
    if (found)
        *out = (enum action_status) n;
    return found;
}

/* Shapes, each as the schema has it. */

const struct shape shape_format = { .type = SHAPE_INTEGER, .min = 1, .max = 1 };
const struct shape shape_number = { .type = SHAPE_NUMBER };
const struct shape shape_string = { .type = SHAPE_STRING };
const struct shape shape_text = { .type = SHAPE_TEXT, .max = PLAN_TEXT_MAX };
const struct shape shape_date = { .type = SHAPE_FORM, .form = form_date };
const struct shape shape_date_or_null = { .type = SHAPE_FORM,
                                          .form = form_date,
                                          .or_null = true };
const struct shape shape_id = { .type = SHAPE_FORM, .form = form_id };
const struct shape shape_plan_id = { .type = SHAPE_FORM, .form = form_plan_id };
const struct shape shape_entity = { .type = SHAPE_FORM, .form = form_entity };
const struct shape shape_message_id = { .type = SHAPE_FORM,
                                        .form = form_message };
const struct shape shape_sequence = { .type = SHAPE_INTEGER,
                                      .max = NUMBER_MAX };
const struct shape shape_ref = { .type = SHAPE_FORM, .form = form_ref };
static const struct shape open_to = { .type = SHAPE_FORM,
                                      .form = form_open_to };
static const struct shape priority = { .type = SHAPE_FORM,
                                       .form = form_priority };
static const struct shape region = { .type = SHAPE_FORM, .form = form_region };

#define LIST(name, of, ...)                                                    \
    static const struct shape name = { .type = SHAPE_LIST,                     \
                                       .items = &(of),                         \
                                       __VA_ARGS__ }

const struct shape shape_priorities = {
    .type = SHAPE_LIST, .items = &priority, .min = 1, .max = 64, .unique = true
};
const struct shape shape_regions = {
    .type = SHAPE_LIST, .items = &region, .min = 1, .max = 300, .unique = true
};
LIST (entities, shape_entity, .unique = true);
LIST (refs, shape_ref, .unique = true);
LIST (ids, shape_id, .unique = true);
LIST (open_tos, open_to, .unique = true);
LIST (texts, shape_text, .max = 0);
LIST (strings, shape_string, .max = 0);

static const struct shape_member members_point[] = {
    { "at", &shape_date, true },
    { "value", &shape_number, true },
    { 0 },
};
const struct shape shape_point = { .type = SHAPE_OBJECT,
                                   .members = members_point };
LIST (points, shape_point, .max = 0);

OBJECT (indicator, { "id", &shape_id, true }, { "title", &shape_text, true },
        { "unit", &shape_string, false }, { "better", &better, false },
        { "baseline", &shape_point, false }, { "targets", &points, false },
        { "source", &shape_text, false });
LIST (indicators, indicator, .max = 64);

OBJECT (goal, { "id", &shape_id, true }, { "parent", &shape_id, false },
        { "title", &shape_text, true },
        { "priorities", &shape_priorities, false },
        { "regions", &shape_regions, false },
        { "indicators", &indicators, false });
LIST (goals, goal, .min = 1, .max = 256);

OBJECT (milestone, { "id", &shape_id, true }, { "title", &shape_text, true },
        { "due", &shape_date, true }, { "done", &shape_date, false });
LIST (milestones, milestone, .max = 64);

OBJECT (action, { "id", &shape_id, true }, { "goals", &ids, false },
        { "title", &shape_text, true }, { "description", &shape_text, false },
        { "kind", &kind, true }, { "priorities", &shape_priorities, true },
        { "regions", &shape_regions, true }, { "from", &shape_date, true },
        { "to", &shape_date_or_null, false }, { "lead", &shape_entity, true },
        { "co_leads", &entities, false }, { "partners", &entities, false },
        { "others", &texts, false }, { "status", &shape_status, true },
        { "open_to", &open_tos, false }, { "needs", &texts, false },
        { "milestones", &milestones, false },
        { "indicators", &indicators, false }, { "depends_on", &refs, false },
        { "same_as", &refs, false }, { "note", &shape_text, false });
const struct shape shape_actions = { .type = SHAPE_LIST,
                                     .items = &action,
                                     .max = 1000 };
const struct shape shape_action_part = { .type = SHAPE_OBJECT,
                                         .members = members_action,
                                         .partial = true };

OBJECT (phase, { "phase", &phase_name, true }, { "from", &shape_date, true },
        { "to", &shape_date, true });
LIST (phases, phase, .max = 0);
OBJECT (cycle, { "from", &shape_date, true }, { "to", &shape_date, true },
        { "next_review", &shape_date, false }, { "phases", &phases, false });
OBJECT (adopted, { "by", &shape_text, true }, { "on", &shape_date, true },
        { "reference", &shape_string, false });
OBJECT (caveat, { "scheme", &shape_string, true },
        { "code", &shape_string, true }, { "text", &shape_text, false });
LIST (caveats, caveat, .max = 0);
OBJECT (contact, { "function", &shape_text, true },
        { "unit", &shape_text, false }, { "via", &via, true },
        { "address", &shape_string, true });
LIST (contacts, contact, .max = 0);
static const struct shape own_terms = { .type = SHAPE_MAP,
                                        .items = &shape_text };

static const struct shape_member members_plan[] = {
    { "format", &shape_format, true },
    { "plan", &shape_plan_id, true },
    { "entity", &shape_entity, true },
    { "lang", &shape_string, true },
    { "title", &shape_text, true },
    { "summary", &shape_text, false },
    { "level", &level, false },
    { "part_of", &shape_ref, false },
    { "adopted", &adopted, false },
    { "cycle", &cycle, true },
    { "handling", &shape_handling, true },
    { "caveats", &caveats, false },
    { "priorities", &shape_priorities, true },
    { "own_terms", &own_terms, false },
    { "regions", &shape_regions, true },
    { "sources", &strings, false },
    { "contacts", &contacts, false },
    { "goals", &goals, true },
    { "actions", &shape_actions, true },
    { 0 },
};
const struct shape shape_plan = { .type = SHAPE_OBJECT,
                                  .members = members_plan };
