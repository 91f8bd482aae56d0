/* plan_html_values - values of a plan's document on a page. */
#include "plan_html_impl.h"

#include <stdlib.h>
#include <string.h>

const char *text_member (const json_t *object, const char *name) {
    const char *text = json_string_value (json_object_get (object, name));
    return text ? text : "";
}

void html_ours (struct printing *self, const char *ours) {
    buf_add_text (self->out, ours);
}

json_t *iterable (const json_t *value) {
    return (json_t *) (uintptr_t) value; /* jansson's iterators want it so */
}

void html_json (struct printing *self, const json_t *value) {
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
void html_text (struct printing *self, const char *element,
                const json_t *value) {
    const char *lang;
    json_t *text;
    if (json_is_string (value))
        paper_element (self->out, element, "text", self->lang,
                       json_string_value (value));
    else if (!json_is_object (value))
        html_json (self, value);
    else
        json_object_foreach (iterable (value), lang, text) {
            if (!is_wanted (self, value, lang))
                continue;
            buf_add_format (self->out,
                            "<%s class=\"text\" dir=\"auto\" lang=\"", element);
            paper_text (self->out, lang);
            html_ours (self, "\">");
            paper_element (self->out, "span", "lang", "en", lang);
            paper_text (self->out,
                        json_is_string (text) ? json_string_value (text) : "");
            buf_add_format (self->out, "</%s>\n", element);
        }
}

void html_texts (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    json_array_foreach (list, i, item) html_text (self, "div", item);
    if (!json_is_array (list))
        html_json (self, list);
}

const char *title_of_priority (const struct taxonomy *taxonomy,
                               struct slice code) {
    int number = taxonomy_priority (taxonomy, code);
    return number < 0 ? NULL : taxonomy_priority_title (taxonomy, number);
}

const char *title_of_region (const struct taxonomy *taxonomy,
                             struct slice code) {
    int number = taxonomy_region (taxonomy, code);
    return number < 0 ? NULL : taxonomy_region_title (taxonomy, number);
}

/* "Cybercrime (cybercrime), ..."; codes without a title alone. */
void html_codes (struct printing *self, const json_t *list,
                 title_fn *title_of) {
    const json_t *item;
    size_t i;
    json_array_foreach (list, i, item) {
        const char *code = json_string_value (item);
        const char *title = code && title_of
                                ? title_of (self->taxonomy, slice_text (code))
                                : NULL;
        if (i)
            html_ours (self, ", ");
        if (title) {
            paper_element (self->out, "span", NULL, "en", title);
            html_ours (self, " ");
        }
        if (code)
            paper_element (self->out, "span", title ? "code" : NULL, NULL,
                           code);
        else
            html_json (self, item);
    }
    if (!json_is_array (list))
        html_json (self, list);
}

void html_period (struct printing *self, const json_t *object) {
    const json_t *from = json_object_get (object, "from");
    const json_t *to = json_object_get (object, "to");
    paper_text (self->out, text_member (object, "from"));
    if (from && !json_is_string (from))
        html_json (self, from);
    if (!to || json_is_null (to))
        html_ours (self, ", ongoing");
    else {
        html_ours (self, " to ");
        paper_text (self->out, text_member (object, "to"));
        if (!json_is_string (to))
            html_json (self, to);
    }
}

static void points_put (struct printing *self, const json_t *points) {
    const json_t *point;
    size_t i;
    json_array_foreach (points, i, point) {
        const json_t *value = json_object_get (point, "value");
        char *number =
            json_dumps (value, JSON_ENCODE_ANY | JSON_REAL_PRECISION (15));
        html_ours (self, i ? ", " : "");
        paper_text (self->out, number ? number : "");
        html_ours (self, " (");
        paper_text (self->out, text_member (point, "at"));
        html_ours (self, ")");
        free (number);
    }
}

void html_indicators (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    html_ours (
        self,
        "<table "
        "class=\"list\"><tr><th>Id</th><th>Indicator</th><th>Baseline</th>"
        "<th>Targets</th></tr>\n");
    json_array_foreach (list, i, item) {
        json_t *baseline = json_array();
        if (json_object_get (item, "baseline"))
            json_array_append (baseline, json_object_get (item, "baseline"));
        html_ours (self, "<tr><td>");
        paper_text (self->out, text_member (item, "id"));
        html_ours (self, "</td><td>");
        html_text (self, "div", json_object_get (item, "title"));
        paper_element (self->out, "div", "quiet", NULL,
                       text_member (item, "unit"));
        if (json_object_get (item, "source"))
            html_text (self, "div", json_object_get (item, "source"));
        html_ours (self, "</td><td>");
        points_put (self, baseline);
        html_ours (self, "</td><td>");
        points_put (self, json_object_get (item, "targets"));
        html_ours (self, "</td></tr>\n");
        json_decref (baseline);
    }
    html_ours (self, "</table>");
}

void html_milestones (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    html_ours (self, "<table "
                     "class=\"list\"><tr><th>Id</th><th>Milestone</th><th>Due</"
                     "th><th>Done</th></tr>\n");
    json_array_foreach (list, i, item) {
        html_ours (self, "<tr><td>");
        paper_text (self->out, text_member (item, "id"));
        html_ours (self, "</td><td>");
        html_text (self, "div", json_object_get (item, "title"));
        html_ours (self, "</td><td>");
        paper_text (self->out, text_member (item, "due"));
        html_ours (self, "</td><td>");
        paper_text (self->out, text_member (item, "done"));
        html_ours (self, "</td></tr>\n");
    }
    html_ours (self, "</table>");
}

void html_caveats (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    json_array_foreach (list, i, item) {
        html_ours (self, "<div>");
        paper_text (self->out, text_member (item, "scheme"));
        html_ours (self, ": ");
        paper_element (self->out, "b", NULL, NULL, text_member (item, "code"));
        html_ours (self, "</div>");
        if (json_object_get (item, "text"))
            html_text (self, "div", json_object_get (item, "text"));
    }
}

void html_contacts (struct printing *self, const json_t *list) {
    const json_t *item;
    size_t i;
    json_array_foreach (list, i, item) {
        html_text (self, "div", json_object_get (item, "function"));
        if (json_object_get (item, "unit"))
            html_text (self, "div", json_object_get (item, "unit"));
        html_ours (self, "<div>");
        paper_text (self->out, text_member (item, "via"));
        html_ours (self, ": ");
        paper_text (self->out, text_member (item, "address"));
        html_ours (self, "</div>");
    }
}

void html_own_terms (struct printing *self, const json_t *object) {
    const char *code;
    json_t *text;
    json_object_foreach (iterable (object), code, text) {
        html_ours (self, "<div class=\"code\">");
        paper_text (self->out, code);
        html_ours (self, "</div>");
        html_text (self, "div", text);
    }
}

void html_adopted (struct printing *self, const json_t *object) {
    html_text (self, "div", json_object_get (object, "by"));
    html_ours (self, "<div>");
    paper_text (self->out, text_member (object, "on"));
    html_ours (self, " ");
    paper_text (self->out, text_member (object, "reference"));
    html_ours (self, "</div>");
}

void html_cycle (struct printing *self, const json_t *cycle) {
    const json_t *phase;
    size_t i;
    html_period (self, cycle);
    if (*text_member (cycle, "next_review")) {
        html_ours (self, "; next review ");
        paper_text (self->out, text_member (cycle, "next_review"));
    }
    json_array_foreach (json_object_get (cycle, "phases"), i, phase) {
        html_ours (self, "<div>");
        paper_text (self->out, text_member (phase, "phase"));
        html_ours (self, ": ");
        html_period (self, phase);
        html_ours (self, "</div>");
    }
}
