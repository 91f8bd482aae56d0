/* plan_html - a plan's document as a printed page. Made from JSON, not from a
 * struct plan: a draft with faults is shown too, and unknown members are. */
#include "plan_html.h"

#include "paper.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct printing {
    struct buf *out;
    const struct plan_html_meta *meta;
    const struct taxonomy *taxonomy;
    const char *lang; /* the document's */
    struct path path;
};

static const char *string_of (const json_t *object, const char *name) {
    const char *text = json_string_value (json_object_get (object, name));
    return text ? text : "";
}

static void put (struct printing *self, const char *ours) {
    buf_add_text (self->out, ours);
}

static json_t *mutable(const json_t *value) {
    return (json_t *) (uintptr_t) value; /* jansson's iterators want it so */
}

/* Values. */

static void json_put (struct printing *self, const json_t *value) {
    char *text = json_dumps (value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    paper_element (self->out, "span", "json", NULL, text ? text : "");
    free (text);
}

static bool is_wanted (const struct printing *self, const json_t *texts,
                       const char *lang) {
    const char *wanted = self->meta->lang;
    return !wanted || !json_object_get (texts, wanted)
           || !strcmp (lang, wanted);
}

/* Plain, or each language with its name. `element` as of paper_element. */
static void text_put (struct printing *self, const char *element,
                      const json_t *value) {
    const char *lang;
    json_t *text;
    if (json_is_string (value))
        paper_element (self->out, element, "text", self->lang,
                       json_string_value (value));
    else if (!json_is_object (value))
        json_put (self, value);
    else
        json_object_foreach (mutable(value), lang, text) {
            if (!is_wanted (self, value, lang))
                continue;
            buf_add_format (self->out,
                            "<%s class=\"text\" dir=\"auto\" lang=\"", element);
            paper_text (self->out, lang);
            put (self, "\">");
            paper_element (self->out, "span", "lang", "en", lang);
            paper_text (self->out,
                        json_is_string (text) ? json_string_value (text) : "");
            buf_add_format (self->out, "</%s>\n", element);
        }
}

static void texts_put (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    json_array_foreach (list, i, item) text_put (self, "div", item);
    if (!json_is_array (list))
        json_put (self, list);
}

typedef const char *title_fn (const struct taxonomy *, struct slice code);

static const char *priority_title (const struct taxonomy *taxonomy,
                                   struct slice code) {
    int number = taxonomy_priority (taxonomy, code);
    return number < 0 ? NULL : taxonomy_priority_title (taxonomy, number);
}

static const char *region_title (const struct taxonomy *taxonomy,
                                 struct slice code) {
    int number = taxonomy_region (taxonomy, code);
    return number < 0 ? NULL : taxonomy_region_title (taxonomy, number);
}

/* "Cybercrime (cybercrime), ..."; codes without a title alone. */
static void codes_put (struct printing *self, const json_t *list,
                       title_fn *title_of) {
    const json_t *item;
    size_t i;
    json_array_foreach (list, i, item) {
        const char *code = json_string_value (item);
        const char *title = code && title_of
                                ? title_of (self->taxonomy, slice_text (code))
                                : NULL;
        if (i)
            put (self, ", ");
        if (title) {
            paper_element (self->out, "span", NULL, "en", title);
            put (self, " ");
        }
        if (code)
            paper_element (self->out, "span", title ? "code" : NULL, NULL,
                           code);
        else
            json_put (self, item);
    }
    if (!json_is_array (list))
        json_put (self, list);
}

/* Facts: rows of a name and a value. */

static void audience_put (struct printing *self) {
    const char *channel = json_string_value (
        json_object_get (self->meta->audience, self->path.text));
    if (!channel)
        return;
    put (self, " <span class=\"audience\">only for ");
    paper_element (self->out, "b", NULL, NULL, channel);
    put (self, "</span>");
}

static void fact_begin (struct printing *self, const char *name) {
    buf_add_format (self->out, "<tr><th>%s</th><td>", name);
}

static void fact_end (struct printing *self) {
    audience_put (self);
    put (self, "</td></tr>\n");
}

static bool is_nothing (const json_t *value) {
    return !value || (json_is_array (value) && !json_array_size (value));
}

static void period_put (struct printing *self, const json_t *object) {
    const json_t *from = json_object_get (object, "from");
    const json_t *to = json_object_get (object, "to");
    paper_text (self->out, string_of (object, "from"));
    if (from && !json_is_string (from))
        json_put (self, from);
    if (!to || json_is_null (to))
        put (self, ", ongoing");
    else {
        put (self, " to ");
        paper_text (self->out, string_of (object, "to"));
        if (!json_is_string (to))
            json_put (self, to);
    }
}

static void points_put (struct printing *self, const json_t *points) {
    const json_t *point;
    size_t i;
    json_array_foreach (points, i, point) {
        const json_t *value = json_object_get (point, "value");
        char *number =
            json_dumps (value, JSON_ENCODE_ANY | JSON_REAL_PRECISION (15));
        put (self, i ? ", " : "");
        paper_text (self->out, number ? number : "");
        put (self, " (");
        paper_text (self->out, string_of (point, "at"));
        put (self, ")");
        free (number);
    }
}

static void indicators_put (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    put (self,
         "<table "
         "class=\"list\"><tr><th>Id</th><th>Indicator</th><th>Baseline</th>"
         "<th>Targets</th></tr>\n");
    json_array_foreach (list, i, item) {
        json_t *baseline = json_array();
        if (json_object_get (item, "baseline"))
            json_array_append (baseline, json_object_get (item, "baseline"));
        put (self, "<tr><td>");
        paper_text (self->out, string_of (item, "id"));
        put (self, "</td><td>");
        text_put (self, "div", json_object_get (item, "title"));
        paper_element (self->out, "div", "quiet", NULL,
                       string_of (item, "unit"));
        if (json_object_get (item, "source"))
            text_put (self, "div", json_object_get (item, "source"));
        put (self, "</td><td>");
        points_put (self, baseline);
        put (self, "</td><td>");
        points_put (self, json_object_get (item, "targets"));
        put (self, "</td></tr>\n");
        json_decref (baseline);
    }
    put (self, "</table>");
}

static void milestones_put (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    put (self, "<table "
               "class=\"list\"><tr><th>Id</th><th>Milestone</th><th>Due</"
               "th><th>Done</th></tr>\n");
    json_array_foreach (list, i, item) {
        put (self, "<tr><td>");
        paper_text (self->out, string_of (item, "id"));
        put (self, "</td><td>");
        text_put (self, "div", json_object_get (item, "title"));
        put (self, "</td><td>");
        paper_text (self->out, string_of (item, "due"));
        put (self, "</td><td>");
        paper_text (self->out, string_of (item, "done"));
        put (self, "</td></tr>\n");
    }
    put (self, "</table>");
}

static void caveats_put (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    json_array_foreach (list, i, item) {
        put (self, "<div>");
        paper_text (self->out, string_of (item, "scheme"));
        put (self, ": ");
        paper_element (self->out, "b", NULL, NULL, string_of (item, "code"));
        put (self, "</div>");
        if (json_object_get (item, "text"))
            text_put (self, "div", json_object_get (item, "text"));
    }
}

static void contacts_put (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    json_array_foreach (list, i, item) {
        text_put (self, "div", json_object_get (item, "function"));
        if (json_object_get (item, "unit"))
            text_put (self, "div", json_object_get (item, "unit"));
        put (self, "<div>");
        paper_text (self->out, string_of (item, "via"));
        put (self, ": ");
        paper_text (self->out, string_of (item, "address"));
        put (self, "</div>");
    }
}

static void own_terms_put (struct printing *self, const json_t *object) {
    const char *code;
    json_t *text;
    json_object_foreach (mutable(object), code, text) {
        put (self, "<div class=\"code\">");
        paper_text (self->out, code);
        put (self, "</div>");
        text_put (self, "div", text);
    }
}

static void adopted_put (struct printing *self, const json_t *object) {
    text_put (self, "div", json_object_get (object, "by"));
    put (self, "<div>");
    paper_text (self->out, string_of (object, "on"));
    put (self, " ");
    paper_text (self->out, string_of (object, "reference"));
    put (self, "</div>");
}

static void cycle_put (struct printing *self, const json_t *cycle) {
    const json_t *phase;
    size_t i;
    period_put (self, cycle);
    if (*string_of (cycle, "next_review")) {
        put (self, "; next review ");
        paper_text (self->out, string_of (cycle, "next_review"));
    }
    json_array_foreach (json_object_get (cycle, "phases"), i, phase) {
        put (self, "<div>");
        paper_text (self->out, string_of (phase, "phase"));
        put (self, ": ");
        period_put (self, phase);
        put (self, "</div>");
    }
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
    { "cycle", "Cycle", FACT_OWN, JSON_OBJECT, cycle_put },
    { "adopted", "Adopted", FACT_OWN, JSON_OBJECT, adopted_put },
    { "handling", "Handling", FACT_WORD },
    { "caveats", "Caveats", FACT_OWN, JSON_ARRAY, caveats_put },
    { "priorities", "Priorities", FACT_PRIORITIES },
    { "own_terms", "Own terms", FACT_OWN, JSON_OBJECT, own_terms_put },
    { "regions", "Regions", FACT_REGIONS },
    { "contacts", "Contacts", FACT_OWN, JSON_ARRAY, contacts_put },
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
    { "indicators", "Indicators", FACT_OWN, JSON_ARRAY, indicators_put },
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
    { "milestones", "Milestones", FACT_OWN, JSON_ARRAY, milestones_put },
    { "indicators", "Indicators", FACT_OWN, JSON_ARRAY, indicators_put },
    { "note", "Note", FACT_TEXT },
    { NULL },
};

static void fact_value (struct printing *self, const struct fact *fact,
                        const json_t *value) {
    switch (fact->form) {
    case FACT_TEXT:
        text_put (self, "div", value);
        break;
    case FACT_TEXTS:
        texts_put (self, value);
        break;
    case FACT_NAMES:
        codes_put (self, value, NULL);
        break;
    case FACT_PRIORITIES:
        codes_put (self, value, priority_title);
        break;
    case FACT_REGIONS:
        codes_put (self, value, region_title);
        break;
    case FACT_OWN:
        if (json_typeof (value) == fact->type)
            fact->put (self, value);
        else
            json_put (self, value);
        break;
    case FACT_WORD:
    case FACT_HIDDEN:
        if (json_is_string (value))
            paper_text (self->out, json_string_value (value));
        else
            json_put (self, value);
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
    json_object_foreach (mutable(object), name, value) {
        size_t mark = path_member (&self->path, name);
        if (!is_known (facts, name)) {
            put (self, "<tr><th>");
            paper_element (self->out, "span", NULL, NULL, name);
            put (self, "</th><td>");
            json_put (self, value);
            fact_end (self);
        }
        path_back (&self->path, mark);
    }
}

static void facts_put (struct printing *self, const json_t *object,
                       const struct fact *facts) {
    put (self, "<table class=\"facts\">\n");
    if (facts == action_facts) {
        fact_begin (self, "Days");
        period_put (self, object);
        put (self, "</td></tr>\n");
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
    put (self, "</table>\n");
}

/* Goals and actions. */

static void part_put (struct printing *self, const json_t *part,
                      const struct fact *facts) {
    put (self, "<div class=\"part\"><h3>");
    paper_element (self->out, "span", "code", NULL, string_of (part, "id"));
    put (self, " ");
    if (json_object_get (part, "title"))
        text_put (self, "span", json_object_get (part, "title"));
    audience_put (self);
    put (self, "</h3>\n");
    if (json_is_object (part))
        facts_put (self, part, facts);
    else
        json_put (self, part);
    put (self, "</div>\n");
}

static void parts_put (struct printing *self, const json_t *document,
                       const char *member, const char *heading,
                       const struct fact *facts) {
    const json_t *parts = json_object_get (document, member), *part;
    size_t i, mark = path_member (&self->path, member);
    if (!is_nothing (parts))
        buf_add_format (self->out, "<h2>%s</h2>\n", heading);
    if (parts && !json_is_array (parts))
        json_put (self, parts);
    json_array_foreach (parts, i, part) {
        size_t part_mark = path_index (&self->path, i);
        part_put (self, part, facts);
        path_back (&self->path, part_mark);
    }
    path_back (&self->path, mark);
}

/* The page. */

#define LINE_MAX_OCTETS 320

static const char *known (const char *text) {
    return text ? text : "";
}

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
    int size =
        snprintf (out, LINE_MAX_OCTETS, "%.80s", string_of (document, "plan"));
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
        return string_of (document, "title");
    if (*string_of (title, wanted))
        return string_of (title, wanted);
    void *first = json_object_iter (mutable(title));
    return known (json_string_value (json_object_iter_value (first)));
}

void plan_html (const json_t *document, const struct plan_html_meta *meta,
                const struct taxonomy *taxonomy, struct buf *out) {
    struct printing self = { .out = out,
                             .meta = meta,
                             .taxonomy = taxonomy,
                             .lang = string_of (document, "lang") };
    char line[LINE_MAX_OCTETS], foot[LINE_MAX_OCTETS];
    line_make (meta, line);
    foot_make (meta, document, foot);
    struct paper page = { .lang = "en", /* that of our own words */
                          .title = title_of (&self, document),
                          .handling = string_of (document, "handling"),
                          .line = line,
                          .foot = foot };
    paper_begin (out, &page);
    put (&self, "<h1>");
    if (json_object_get (document, "title"))
        text_put (&self, "div", json_object_get (document, "title"));
    put (&self, "</h1>\n");
    if (meta->note)
        paper_element (out, "p", "quiet", "en", meta->note);
    if (json_object_get (document, "summary"))
        text_put (&self, "p", json_object_get (document, "summary"));
    facts_put (&self, document, plan_facts);
    parts_put (&self, document, "goals", "Goals", goal_facts);
    parts_put (&self, document, "actions", "Actions", action_facts);
    paper_end (out);
}
