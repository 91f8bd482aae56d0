/* plan_html - a plan's document as a printed page. Made from JSON, not from a
 * struct plan: a draft with faults is shown too, and unknown members are. */
#include "plan_html_impl.h"

#include "plan.h"

#include <stdio.h>
#include <string.h>

/* Facts: rows of a name and a value. */

static const char *known (const char *text) {
    return text ? text : "";
}

static void handling_put (struct printing *self, const char *word) {
    if (!word || !*word)
        return;
    html_ours (self, ", ");
    paper_element (self->out, "b", NULL, NULL, word);
}

/* Where it is not the plan's own. */
static void audience_put (struct printing *self) {
    const char *home = known (self->meta->channel);
    const char *channel = known (json_string_value (
        json_object_get (self->meta->audience, self->path.text)));
    const char *handling = known (json_string_value (
        json_object_get (self->meta->handling, self->path.text)));
    bool other = *channel && strcmp (channel, home) != 0;
    if (!other && (!*handling || strcmp (handling, self->handling) == 0))
        return;
    html_ours (self, " <span class=\"audience\">");
    if (other) {
        html_ours (self, "only for ");
        paper_element (self->out, "b", NULL, NULL, channel);
        handling_put (self, handling);
    } else
        paper_element (self->out, "b", NULL, NULL, handling);
    html_ours (self, "</span>");
}

static void fact_begin (struct printing *self, const char *name) {
    buf_add_format (self->out, "<tr><th>%s</th><td>", name);
}

static void fact_end (struct printing *self) {
    audience_put (self);
    html_ours (self, "</td></tr>\n");
}

static bool is_nothing (const json_t *value) {
    return !value || (json_is_array (value) && !json_array_size (value));
}

/* Members in the order in which they are shown. */
enum fact_form {
    FACT_HIDDEN, /* stands elsewhere on the page */
    FACT_WORD,
    FACT_TEXT,
    FACT_TEXTS,
    FACT_NAMES,
    FACT_PRIORITIES,
    FACT_REGIONS,
    FACT_OWN, /* by `put` */
};
struct fact {
    const char *member, *name;
    enum fact_form form;
    json_type type; /* of FACT_OWN; shown as JSON where it is another */
    void (*put) (struct printing *, const json_t *);
};

static const struct fact plan_facts[] = {
    { "format", NULL, FACT_HIDDEN },
    { "title", NULL, FACT_HIDDEN },
    { "lang", NULL, FACT_HIDDEN },
    { "plan", "Plan", FACT_WORD },
    { "entity", "Entity", FACT_WORD },
    { "level", "Level", FACT_WORD },
    { "part_of", "Part of", FACT_WORD },
    { "cycle", "Cycle", FACT_OWN, JSON_OBJECT, html_cycle },
    { "adopted", "Adopted", FACT_OWN, JSON_OBJECT, html_adopted },
    { "handling", "Handling", FACT_WORD },
    { "caveats", "Caveats", FACT_OWN, JSON_ARRAY, html_caveats },
    { "priorities", "Priorities", FACT_PRIORITIES },
    { "own_terms", "Own terms", FACT_OWN, JSON_OBJECT, html_own_terms },
    { "regions", "Regions", FACT_REGIONS },
    { "contacts", "Contacts", FACT_OWN, JSON_ARRAY, html_contacts },
    { "summary", NULL, FACT_HIDDEN },
    { "goals", NULL, FACT_HIDDEN },
    { "actions", NULL, FACT_HIDDEN },
    { "sources", "Sources", FACT_TEXTS },
    { NULL },
};
static const struct fact goal_facts[] = {
    { "id", NULL, FACT_HIDDEN },
    { "title", NULL, FACT_HIDDEN },
    { "parent", "Part of", FACT_WORD },
    { "priorities", "Priorities", FACT_PRIORITIES },
    { "regions", "Regions", FACT_REGIONS },
    { "indicators", "Indicators", FACT_OWN, JSON_ARRAY, html_indicators },
    { NULL },
};
static const struct fact action_facts[] = {
    { "id", NULL, FACT_HIDDEN },
    { "title", NULL, FACT_HIDDEN },
    { "from", NULL, FACT_HIDDEN },
    { "to", NULL, FACT_HIDDEN },
    { "description", "Description", FACT_TEXT },
    { "kind", "Kind", FACT_WORD },
    { "status", "Status", FACT_WORD },
    { "lead", "Lead", FACT_WORD },
    { "co_leads", "Co-leads", FACT_NAMES },
    { "partners", "Partners", FACT_NAMES },
    { "others", "Others", FACT_TEXTS },
    { "open_to", "Partners sought", FACT_NAMES },
    { "needs", "Needs", FACT_TEXTS },
    { "goals", "Goals", FACT_NAMES },
    { "priorities", "Priorities", FACT_PRIORITIES },
    { "regions", "Regions", FACT_REGIONS },
    { "depends_on", "Depends on", FACT_NAMES },
    { "same_as", "Same as", FACT_NAMES },
    { "milestones", "Milestones", FACT_OWN, JSON_ARRAY, html_milestones },
    { "indicators", "Indicators", FACT_OWN, JSON_ARRAY, html_indicators },
    { "note", "Note", FACT_TEXT },
    { NULL },
};

static void fact_value (struct printing *self, const struct fact *fact,
                        const json_t *value) {
    switch (fact->form) {
    case FACT_TEXT:
        html_text (self, "div", value);
        break;
    case FACT_TEXTS:
        html_texts (self, value);
        break;
    case FACT_NAMES:
        html_codes (self, value, NULL);
        break;
    case FACT_PRIORITIES:
        html_codes (self, value, title_of_priority);
        break;
    case FACT_REGIONS:
        html_codes (self, value, title_of_region);
        break;
    case FACT_OWN:
        if (json_typeof (value) == fact->type)
            fact->put (self, value);
        else
            html_json (self, value);
        break;
    case FACT_WORD:
    case FACT_HIDDEN:
        if (json_is_string (value))
            paper_text (self->out, json_string_value (value));
        else
            html_json (self, value);
        break;
    }
}

static bool is_known (const struct fact *facts, const char *member) {
    for (; facts->member; facts++)
        if (!strcmp (facts->member, member))
            return true;
    return false;
}

/* Members that we do not know, under their own names. */
static void unknown_put (struct printing *self, const json_t *object,
                         const struct fact *facts) {
    const char *name;
    json_t *value;
    json_object_foreach (iterable (object), name, value) {
        size_t mark = path_member (&self->path, name);
        if (!is_known (facts, name)) {
            html_ours (self, "<tr><th>");
            paper_element (self->out, "span", NULL, NULL, name);
            html_ours (self, "</th><td>");
            html_json (self, value);
            fact_end (self);
        }
        path_back (&self->path, mark);
    }
}

static void facts_put (struct printing *self, const json_t *object,
                       const struct fact *facts) {
    html_ours (self, "<table class=\"facts\">\n");
    if (facts == action_facts) {
        fact_begin (self, "Days");
        html_period (self, object);
        html_ours (self, "</td></tr>\n");
    }
    for (const struct fact *fact = facts; fact->member; fact++) {
        const json_t *value = json_object_get (object, fact->member);
        size_t mark = path_member (&self->path, fact->member);
        if (fact->form != FACT_HIDDEN && !is_nothing (value)) {
            fact_begin (self, fact->name);
            fact_value (self, fact, value);
            fact_end (self);
        }
        path_back (&self->path, mark);
    }
    unknown_put (self, object, facts);
    html_ours (self, "</table>\n");
}

/* Goals and actions. */

static void part_put (struct printing *self, const json_t *part,
                      const struct fact *facts) {
    html_ours (self, "<div class=\"part\"><h3>");
    paper_element (self->out, "span", "code", NULL, text_member (part, "id"));
    html_ours (self, " ");
    if (json_object_get (part, "title"))
        html_text (self, "span", json_object_get (part, "title"));
    audience_put (self);
    html_ours (self, "</h3>\n");
    if (json_is_object (part))
        facts_put (self, part, facts);
    else
        html_json (self, part);
    html_ours (self, "</div>\n");
}

static void parts_put (struct printing *self, const json_t *document,
                       const char *member, const char *heading,
                       const struct fact *facts) {
    const json_t *parts = json_object_get (document, member), *part;
    size_t i, mark = path_member (&self->path, member);
    if (!is_nothing (parts))
        buf_add_format (self->out, "<h2>%s</h2>\n", heading);
    if (parts && !json_is_array (parts))
        html_json (self, parts);
    json_array_foreach (parts, i, part) {
        size_t part_mark = path_index (&self->path, i);
        part_put (self, part, facts);
        path_back (&self->path, part_mark);
    }
    path_back (&self->path, mark);
}

/* Annexes: what each says of itself; its actions and members stand at their
 * places. */

static void annexes_put (struct printing *self) {
    const json_t *at;
    size_t i;
    if (json_array_size (self->meta->annexes) > 0)
        html_ours (self, "<h2>Annexes</h2>\n");
    json_array_foreach (self->meta->annexes, i, at) {
        const json_t *text = json_object_get (at, "text");
        html_ours (self, "<div class=\"part\"><h3>");
        paper_element (self->out, "span", "code", NULL,
                       text_member (at, "annex"));
        html_ours (self, " <span class=\"audience\">only for ");
        paper_element (self->out, "b", NULL, NULL, text_member (at, "channel"));
        handling_put (self, text_member (at, "handling"));
        html_ours (self, "</span></h3>\n");
        if (text && !json_is_null (text))
            html_text (self, "p", text);
        html_ours (self, "</div>\n");
    }
}

static const char *handling_of (const struct printing *self,
                                const json_t *document) {
    const char *out = text_member (document, "handling");
    const json_t *at;
    size_t i;
    json_array_foreach (self->meta->annexes, i, at) out =
        handling_stricter (out, text_member (at, "handling"));
    return out;
}

/* The page. */

#define LINE_MAX_OCTETS 320

static void line_make (const struct plan_html_meta *meta,
                       char out[LINE_MAX_OCTETS]) {
    if (meta->revision > 0)
        snprintf (out, LINE_MAX_OCTETS, "revision %lld, record %lld",
                  (long long) meta->revision, (long long) meta->sequence);
    else
        snprintf (out, LINE_MAX_OCTETS, "draft, not published");
}

static void foot_make (const struct plan_html_meta *meta,
                       const json_t *document, char out[LINE_MAX_OCTETS]) {
    char day[DATE_TEXT_MAX];
    int64_t minute = meta->log_time / 60000 % 1440;
    int size = snprintf (out, LINE_MAX_OCTETS, "%.80s",
                         text_member (document, "plan"));
    if (meta->revision > 0)
        snprintf (out + size, LINE_MAX_OCTETS - (size_t) size,
                  " by %.60s on %.130s, %s %02d:%02d UTC", known (meta->author),
                  known (meta->channel),
                  day_text (day, day_of_ms (meta->log_time)),
                  (int) (minute / 60), (int) (minute % 60));
}

/* One line for the head of a page: the wanted language's, or the first. */
static const char *title_of (const struct printing *self,
                             const json_t *document) {
    const json_t *title = json_object_get (document, "title");
    const char *wanted = self->meta->lang ? self->meta->lang : self->lang;
    if (!json_is_object (title))
        return text_member (document, "title");
    if (*text_member (title, wanted))
        return text_member (title, wanted);
    void *first = json_object_iter (iterable (title));
    return known (json_string_value (json_object_iter_value (first)));
}

void plan_html (const json_t *document, const struct plan_html_meta *meta,
                const struct taxonomy *taxonomy, struct buf *out) {
    struct printing self = { .out = out,
                             .meta = meta,
                             .taxonomy = taxonomy,
                             .lang = text_member (document, "lang"),
                             .handling = text_member (document, "handling") };
    char line[LINE_MAX_OCTETS], foot[LINE_MAX_OCTETS];
    line_make (meta, line);
    foot_make (meta, document, foot);
    struct paper page = { .lang = "en", /* that of our own words */
                          .title = title_of (&self, document),
                          .handling = handling_of (&self, document),
                          .line = line,
                          .foot = foot };
    paper_begin (out, &page);
    html_ours (&self, "<h1>");
    if (json_object_get (document, "title"))
        html_text (&self, "div", json_object_get (document, "title"));
    html_ours (&self, "</h1>\n");
    if (meta->note)
        paper_element (out, "p", "quiet", "en", meta->note);
    if (json_object_get (document, "summary"))
        html_text (&self, "p", json_object_get (document, "summary"));
    facts_put (&self, document, plan_facts);
    annexes_put (&self);
    parts_put (&self, document, "goals", "Goals", goal_facts);
    parts_put (&self, document, "actions", "Actions", action_facts);
    paper_end (out);
}
