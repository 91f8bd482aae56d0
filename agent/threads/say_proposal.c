/* say_proposal - what each kind's proposal has (THREADS.md section 3). */
#include "say_impl.h"

#include <jansson.h>

#define ZONE_MAX 64
#define ZONE_PARTS 3
#define SERIES_MAX 64

/* Forms */

static void form_instant (struct check *check, struct slice text) {
    struct instant at;
    struct error e = { 0 };
    if (instant_read (text, &at, &e))
        CHECK_FAULT (check, "is %s", e.text);
}

static bool is_alnum (uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9');
}

/* [A-Za-z0-9_+-]+ up to three times, with '/' between; a letter first. */
static bool is_zone (struct slice text) {
    size_t parts = 1, size = 0;
    if (text.size == 0 || text.size > ZONE_MAX || !is_alnum (text.data[0])
        || (text.data[0] >= '0' && text.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '/') {
            if (size == 0 || ++parts > ZONE_PARTS)
                return false;
            size = 0;
        } else if (!is_alnum (c) && c != '_' && c != '+' && c != '-')
            return false;
        else
            size++;
    }
    return size > 0;
}

static void form_zone (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (!is_zone (text))
        CHECK_FAULT (check,
                     "is '%s', which is no time zone's name: write "
                     "'Europe/Brussels' or 'Etc/UTC'",
                     shown (name, text));
}

static void form_series (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    bool fine = text.size > 0 && text.size <= SERIES_MAX;
    for (size_t i = 0; i < text.size; i++)
        fine &= (is_alnum (text.data[i])
                 && (text.data[i] < 'A' || text.data[i] > 'Z'))
                || text.data[i] == '-';
    if (!fine)
        CHECK_FAULT (check,
                     "is '%s', which is no series: 1 to %d small letters, "
                     "digits and hyphens",
                     shown (name, text), SERIES_MAX);
}

static void form_action (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    bool part;
    if (!ref_valid (text, &part) || !part)
        CHECK_FAULT (check,
                     "is '%s', and has to name an action: PLAN-ID#ACTION-ID",
                     shown (name, text));
}

/* Shapes */

#define FORM(name, of) SHAPE (name, .type = SHAPE_FORM, .form = of)
#define WORDS(name, ...)                                                       \
    static const char *const words_##name[] = { __VA_ARGS__, NULL };           \
    SHAPE (name, .type = SHAPE_WORD, .words = words_##name)
#define LIST(name, of, ...)                                                    \
    SHAPE (name, .type = SHAPE_LIST, .items = &(of), __VA_ARGS__)

const struct shape shape_instant = { .type = SHAPE_FORM, .form = form_instant };
FORM (zone, form_zone);
FORM (series, form_series);
FORM (action, form_action);
FORM (language, form_language);
SHAPE (edition, .type = SHAPE_INTEGER, .min = 1, .max = 9999);
WORDS (rule, "all", "majority", "any", "silence");
WORDS (align_type, "joint", "deconflict", "support", "merge");
WORDS (offer_type, "database", "biometrics", "analysis", "training",
       "operations", "other");
WORDS (shows, "done", "cancelled", "named");

LIST (invited, shape_entity, .min = 1, .max = SAY_INVITED_MAX, .unique = true);
/* A note holds 64 lines, one of them the proposer's. */
LIST (adopters, shape_entity, .min = 1, .max = SAY_INVITED_MAX - 1,
      .unique = true);
LIST (takes_up, shape_message_id, .max = 64, .unique = true);
OBJECT (about, { "ref", &shape_ref, true }, { "of", &shape_sequence, false });
LIST (abouts, about, .max = SAY_REFS_MAX);
OBJECT (undertaking, { "id", &shape_id, true }, { "who", &shape_entity, true },
        { "what", &shape_text, true }, { "by", &shape_instant, false },
        { "action", &action, false }, { "shows", &shows, false });
LIST (undertakings, undertaking, .max = SAY_UNDERTAKINGS_MAX);
OBJECT (decision, { "id", &shape_id, true }, { "text", &shape_text, true },
        { "owner", &shape_entity, false }, { "by", &shape_instant, false });
LIST (decisions, decision, .max = 100);
OBJECT (paragraph, { "id", &shape_id, true }, { "text", &shape_text, true });
LIST (paragraphs, paragraph, .min = 1, .max = 200);
OBJECT (agenda_item, { "id", &shape_id, true }, { "title", &shape_text, true },
        { "text", &shape_text, false }, { "entity", &shape_entity, false });
LIST (agenda, agenda_item, .max = 100);

/* The table of section 3. Kinds: align, communique, meeting, consultation,
 * practice, notice, capability, request. */
const struct say_member proposal_members[] = {
    { "title", &shape_text, SAY_NEEDED },
    { "takes_up", &takes_up, SAY_MAY },
    { "text", &shape_text, "mmmnnnnn" },
    { "invited", &invited, "n.nm   n" },
    { "invited", &adopters, ".n......" },
    { "deadline", &shape_instant, "mmmm mmm" },
    { "rule", &rule, "nm      " },
    { "about", &abouts, "nmmmmmmm" },
    { "type", &align_type, "n     . " },
    { "type", &offer_type, "......n." },
    { "undertakings", &undertakings, "mm     m" },
    { "decisions", &decisions, " m      " },
    { "paragraphs", &paragraphs, " n      " },
    { "binding", &language, " n      " },
    { "minutes_of", &shape_plan_id, " m      " },
    { "from", &shape_instant, "  n     " },
    { "to", &shape_instant, "  n     " },
    { "zone", &zone, "  n     " },
    { "place", &shape_text, "  n     " },
    { "series", &series, "  m     " },
    { "edition", &edition, "  m     " },
    { "agenda", &agenda, "  m     " },
    { "priorities", &shape_priorities, SAY_MAY },
    { "regions", &shape_regions, SAY_MAY },
    { "offered_to", &invited, "      m " },
    { "conditions", &shape_text, "      m " },
    { "contact", &shape_text, "      m " },
    { "capability", &shape_plan_id, "       m" },
    { "handling", &shape_handling, SAY_MAY },
    { 0 },
};

/* Relations; shapes hold, so that lists are short. */

/* The place of an entity among those invited, or -1. */
static int invited_at (const struct reading *in, struct slice entity) {
    const json_t *list = said (in, "invited");
    for (size_t i = 0; i < json_array_size (list); i++)
        if (slice_equal (string_slice (json_array_get (list, i)), entity))
            return (int) i;
    return -1;
}

static void check_invited (struct reading *in) {
    int at = invited_at (in, slice_text (in->place->entity));
    if (at < 0)
        return;
    size_t mark = path_member (&in->check.path, "invited");
    path_index (&in->check.path, (size_t) at);
    CHECK_FAULT (&in->check, "is %s, which proposes: only others are invited",
                 in->place->entity);
    path_back (&in->check.path, mark);
}

static void check_rule (struct reading *in) {
    if (slice_is (string_slice (said (in, "rule")), "silence")
        && !said (in, "deadline"))
        SAID_FAULT (in, "rule",
                    "is 'silence', which needs a 'deadline' until which "
                    "somebody may object");
}

static void check_times (struct reading *in) {
    struct instant from, to;
    if (said_instant (in->body, "from", &from)
        && said_instant (in->body, "to", &to) && to.ms < from.ms)
        SAID_FAULT (in, "to", "is %s, before 'from', %s", to.text, from.text);
}

static void check_unique (struct reading *in, const char *name) {
    if (json_array_size (said (in, name)) < 2)
        return;
    json_t *seen = json_object();
    check_each (&in->check, in->body, name, check_id, seen);
    json_decref (seen);
}

static void check_undertaking (struct check *check, const json_t *item,
                               void *arg) {
    const struct reading *in = arg;
    struct slice who = string_slice (json_object_get (item, "who"));
    if (!slice_is (who, in->place->entity) && invited_at (in, who) < 0) {
        size_t mark = path_member (&check->path, "who");
        CHECK_FAULT (check,
                     "is %s, which neither proposes nor is invited: nobody "
                     "else can undertake anything here",
                     (const char *) who.data);
        path_back (&check->path, mark);
    }
    if (json_object_get (item, "shows") && !json_object_get (item, "action"))
        CHECK_FAULT (check, "has 'shows', and no 'action' that shows it");
}

/* Communiques: texts stand in a note, whose lines they may not break. */

static uint32_t control_at (struct slice text, size_t i) {
    uint8_t c = text.data[i];
    if (c < 0x20 || c == 0x7f)
        return c;
    return c == 0xc2 && i + 1 < text.size && text.data[i + 1] < 0xa0
               ? text.data[i + 1]
               : ' ';
}

static void check_lines (struct check *check, struct slice text) {
    if (text.size == 0) {
        CHECK_FAULT (check, "is empty");
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint32_t c = control_at (text, i);
        if (c == ' ' || (c == '\n' && i > 0 && i + 1 < text.size))
            continue;
        CHECK_FAULT (check,
                     c == '\n' ? "has a line feed (U+%04X) at an end"
                               : "holds the control character U+%04X",
                     (unsigned) c);
        return;
    }
}

/* Each language of a text. */
static void check_note_text (struct check *check, const json_t *value) {
    if (json_is_string (value)) {
        check_lines (check, string_slice (value));
        return;
    }
    json_t *map = (json_t *) (uintptr_t) value; /* iterators change nothing */
    for (void *at = json_object_iter (map); at;
         at = json_object_iter_next (map, at)) {
        size_t mark = path_member (&check->path, json_object_iter_key (at));
        check_lines (check, string_slice (json_object_iter_value (at)));
        path_back (&check->path, mark);
    }
}

static void check_note_member (struct check *check, const json_t *object,
                               const char *name) {
    size_t mark = path_member (&check->path, name);
    check_note_text (check, json_object_get (object, name));
    path_back (&check->path, mark);
}

static void check_note_item (struct check *check, const json_t *item,
                             void *arg) {
    check_note_member (check, item, arg);
}

struct languages {
    const char *binding;
    const json_t *first; /* text of the first paragraph */
};

static bool has_language (const json_t *text, const char *name,
                          const char *binding) {
    return json_is_object (text) ? json_object_get (text, name) != NULL
                                 : strcmp (name, binding) == 0;
}

/* One that `a` has and `b` has not; NULL. */
static const char *language_beyond (const json_t *a, const json_t *b,
                                    const char *binding) {
    json_t *map = (json_t *) (uintptr_t) a; /* iterators change nothing */
    if (!json_is_object (a))
        return has_language (b, binding, binding) ? NULL : binding;
    for (void *at = json_object_iter (map); at;
         at = json_object_iter_next (map, at))
        if (!has_language (b, json_object_iter_key (at), binding))
            return json_object_iter_key (at);
    return NULL;
}

static void check_languages (struct check *check, const json_t *item,
                             void *arg) {
    const struct languages *languages = arg;
    const json_t *text = json_object_get (item, "text");
    const char *binding = languages->binding, *more, *less;
    size_t mark = path_member (&check->path, "text");
    if (!has_language (text, binding, binding))
        CHECK_FAULT (check, "is not in '%s', which is binding", binding);
    else if ((less = language_beyond (languages->first, text, binding)))
        CHECK_FAULT (check, "is not in '%s', as the first paragraph is", less);
    else if ((more = language_beyond (text, languages->first, binding)))
        CHECK_FAULT (check, "is in '%s', and the first paragraph is not", more);
    path_back (&check->path, mark);
}

static void check_communique (struct reading *in) {
    struct check *check = &in->check;
    const json_t *list = said (in, "paragraphs");
    struct languages languages = {
        json_string_value (said (in, "binding")),
        json_object_get (json_array_get (list, 0), "text"),
    };
    check_each (check, in->body, "paragraphs", check_languages, &languages);
    check_note_member (check, in->body, "title");
    if (said (in, "text"))
        check_note_member (check, in->body, "text");
    char text[] = "text", what[] = "what";
    check_each (check, in->body, "paragraphs", check_note_item, text);
    check_each (check, in->body, "decisions", check_note_item, text);
    check_each (check, in->body, "undertakings", check_note_item, what);
}

void proposal_check (struct reading *in) {
    check_invited (in);
    if (said (in, "rule"))
        check_rule (in);
    if (in->place->kind == THREAD_MEETING)
        check_times (in);
    check_each (&in->check, in->body, "undertakings", check_undertaking, in);
    static const char *const lists[] = { "undertakings", "decisions",
                                         "paragraphs", "agenda" };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        check_unique (in, lists[i]);
    if (in->place->kind == THREAD_COMMUNIQUE)
        check_communique (in);
}

/* Reading */

static void read_about (struct reading *in, const json_t *item,
                        struct about *out) {
    out->ref = read_string (in->arena, item, "ref");
    if (!json_whole (json_object_get (item, "of"), &out->of))
        out->of = -1;
}

static void read_undertaking (struct reading *in, const json_t *item,
                              struct undertaking *out) {
    struct slice word = string_slice (json_object_get (item, "shows"));
    out->id = read_string (in->arena, item, "id");
    out->who = read_string (in->arena, item, "who");
    out->action = read_string (in->arena, item, "action");
    out->what = said_text (in, item, "what");
    out->has_by = said_instant (item, "by", &out->by);
    for (unsigned i = 0; word.data && words_shows[i]; i++)
        if (slice_is (word, words_shows[i]))
            out->shows = (enum thread_shows) (i + 1);
}

static void read_decision (struct reading *in, const json_t *item,
                           struct decision *out) {
    out->id = read_string (in->arena, item, "id");
    out->owner = read_string (in->arena, item, "owner");
    out->text = said_text (in, item, "text");
    out->has_by = said_instant (item, "by", &out->by);
}

static void read_agenda_item (struct reading *in, const json_t *item,
                              struct agenda_item *out) {
    out->id = read_string (in->arena, item, "id");
    out->entity = read_string (in->arena, item, "entity");
    out->title = said_text (in, item, "title");
}

static enum thread_rule rule_of (const struct reading *in) {
    struct slice word = string_slice (said (in, "rule"));
    for (unsigned i = 0; word.data && words_rule[i]; i++)
        if (slice_is (word, words_rule[i]))
            return (enum thread_rule) i;
    return in->place->kind == THREAD_COMMUNIQUE ? RULE_ALL
           : in->place->kind == THREAD_REQUEST  ? RULE_ANY
                                                : RULE_WITHOUT;
}

static void read_lists (struct reading *in, struct proposal *out) {
    struct about *about_list;
    struct undertaking *undertaking_list;
    struct decision *decision_list;
    READ_LIST (in, in->body, "about", about_list, out->about_count, read_about);
    READ_LIST (in, in->body, "undertakings", undertaking_list,
               out->undertaking_count, read_undertaking);
    READ_LIST (in, in->body, "decisions", decision_list, out->decision_count,
               read_decision);
    out->about = about_list;
    out->undertakings = undertaking_list;
    out->decisions = decision_list;
}

static void read_meeting (struct reading *in, struct proposal *out) {
    struct agenda_item *items;
    (void) said_instant (in->body, "from", &out->from);
    (void) said_instant (in->body, "to", &out->to);
    out->place = said_text (in, in->body, "place");
    (void) json_whole (said (in, "edition"), &out->edition);
    READ_LIST (in, in->body, "agenda", items, out->agenda_count,
               read_agenda_item);
    out->agenda = items;
}

void proposal_read (struct reading *in, struct say *say) {
    struct proposal *out = &say->proposal;
    struct arena *arena = in->arena;
    out->binding = read_string (arena, in->body, "binding");
    in->lang = out->binding;
    out->title = said_text (in, in->body, "title");
    out->type = read_string (arena, in->body, "type");
    out->handling = read_string (arena, in->body, "handling");
    out->minutes_of = read_string (arena, in->body, "minutes_of");
    out->zone = read_string (arena, in->body, "zone");
    out->series = read_string (arena, in->body, "series");
    out->capability = read_string (arena, in->body, "capability");
    out->invited = read_names (arena, in->body, "invited");
    out->offered_to = read_names (arena, in->body, "offered_to");
    out->has_deadline = said_instant (in->body, "deadline", &out->deadline);
    out->rule = rule_of (in);
    out->priorities = read_numbers (arena, in->check.taxonomy, in->body,
                                    "priorities", taxonomy_priority);
    out->regions = read_numbers (arena, in->check.taxonomy, in->body, "regions",
                                 taxonomy_region);
    out->takes_up = said_hashes (in, "takes_up");
    out->paragraph_count = json_array_size (said (in, "paragraphs"));
    read_lists (in, out);
    if (in->place->kind == THREAD_MEETING)
        read_meeting (in, out);
}
