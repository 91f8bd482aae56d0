/* thread_page - a thread as a printed page. */
#include "api/thread_page.h"

#include "plans/paper.h"
#include "threads/kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct page {
    struct buf *out;
    const json_t *thread;
};

/* Values; "" where there is none. */
static const char *word (const json_t *object, const char *name) {
    const char *text = json_string_value (json_object_get (object, name));
    return text ? text : "";
}

static long long number (const json_t *object, const char *name) {
    return json_integer_value (json_object_get (object, name));
}

static bool is_set (const json_t *object, const char *name) {
    const json_t *value = json_object_get (object, name);
    return value && !json_is_null (value) && !json_is_false (value);
}

static void ours (struct page *self, const char *markup) {
    buf_add_text (self->out, markup);
}

static void element (struct page *self, const char *name, const char *text) {
    paper_element (self->out, name, "text", NULL, text);
}

static void fact (struct page *self, const char *name, const char *text) {
    if (!*text)
        return;
    buf_add_format (self->out, "<tr><th>%s</th>", name);
    element (self, "td", text);
    ours (self, "</tr>\n");
}

static void instant_fact (struct page *self, const char *name,
                          const json_t *at) {
    char text[160];
    if (!json_is_object (at))
        return;
    snprintf (text, sizeof text, "%s, that is %s", word (at, "words"),
              word (at, "utc"));
    fact (self, name, text);
}

static void names_fact (struct page *self, const char *name,
                        const json_t *list) {
    struct buf text = { 0 };
    for (size_t i = 0; i < json_array_size (list); i++) {
        const char *one = json_string_value (json_array_get (list, i));
        buf_add_format (&text, "%s%s", i ? ", " : "", one ? one : "");
    }
    buf_add_u8 (&text, 0);
    fact (self, name, (const char *) text.data);
    buf_free (&text);
}

static void list_begin (struct page *self, const char *title,
                        const char *heads) {
    buf_add_format (self->out,
                    "<h2>%s</h2>\n<table class=\"list\"><tr>%s</tr>\n", title,
                    heads);
}

static void list_end (struct page *self) {
    ours (self, "</table>\n");
}

/* Head */

static const char *state_words (const char *state) {
    static const char *const words[][2] = {
        { "open", "Open" },
        { "late", "The deadline is past; answers written before it are awaited "
                  "for an hour" },
        { "agreed", "Agreed" },
        { "not-agreed", "Not agreed" },
        { "over", "Over" },
        { "closed", "Closed" },
        { "withdrawn", "Withdrawn" },
        { "there", "In force" },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp (words[i][0], state) == 0)
            return words[i][1];
    return "No proposal that can be read";
}

static void put_state (struct page *self) {
    const json_t *outcome = json_object_get (self->thread, "outcome");
    const json_t *tally = json_object_get (outcome, "tally");
    const json_t *carried = json_object_get (self->thread, "carried_out");
    buf_add_format (self->out, "<p class=\"state\"><b>%s.</b>",
                    state_words (word (self->thread, "state")));
    if (is_set (outcome, "rule"))
        buf_add_format (self->out,
                        " Rule: %s. Of %lld bodies that count %lld are for it, "
                        "%lld against, %lld neither; %lld have not answered.",
                        word (outcome, "rule"), number (tally, "members"),
                        number (tally, "for"), number (tally, "against"),
                        number (tally, "neither"), number (tally, "silent"));
    if (json_is_boolean (carried))
        ours (self, json_is_true (carried) ? " Carried out."
                                           : " Not yet carried out.");
    buf_add_format (self->out, " As of %s.</p>\n",
                    word (json_object_get (self->thread, "mark"), "time"));
}

static void put_facts (struct page *self) {
    const json_t *thread = self->thread;
    const json_t *proposal = json_object_get (thread, "proposal");
    const json_t *version = json_object_get (thread, "version");
    const json_t *meeting = json_object_get (thread, "meeting");
    ours (self, "<table class=\"facts\">\n");
    fact (self, "Proposed by", word (thread, "entity"));
    fact (self, "Type", word (proposal, "type"));
    names_fact (self, "Asked", json_object_get (proposal, "invited"));
    instant_fact (self, "Deadline", json_object_get (thread, "deadline"));
    instant_fact (self, "From", json_object_get (meeting, "from"));
    instant_fact (self, "To", json_object_get (meeting, "to"));
    fact (self, "Place", word (meeting, "place"));
    fact (self, "Series", word (meeting, "series"));
    fact (self, "Version", word (version, "id"));
    fact (self, "Recorded", word (version, "time"));
    ours (self, "</table>\n");
}

/* Lists */

static void put_about (struct page *self) {
    const json_t *list = json_object_get (self->thread, "about"), *at;
    size_t i;
    if (json_array_size (list) == 0)
        return;
    list_begin (self, "About", "<th></th><th>Title</th><th>Plan</th>");
    json_array_foreach (list, i, at) {
        ours (self, "<tr>");
        element (self, "td", word (at, "ref"));
        element (self, "td",
                 is_set (at, "there") ? word (at, "title")
                                      : "is not there any more");
        element (self, "td", word (at, "plan_title"));
        ours (self, "</tr>\n");
    }
    list_end (self);
}

static void put_party (struct page *self, const json_t *party) {
    ours (self, "<tr>");
    element (self, "td", word (party, "entity"));
    element (self, "td",
             is_set (party, "word") ? word (party, "word") : "said nothing");
    ours (self, "<td>");
    if (is_set (party, "reservation")) {
        ours (self, "<b>Reservation:</b> ");
        element (self, "span", word (party, "reservation"));
        ours (self, " ");
    }
    element (self, "span", word (party, "text"));
    ours (self, "</td><td>");
    paper_text (self->out, word (party, "author"));
    if (is_set (party, "sequence"))
        buf_add_format (self->out, "<br>record %lld%s%s",
                        number (party, "sequence"),
                        is_set (party, "late") ? ", late" : "",
                        is_set (party, "member") ? "" : ", observer");
    ours (self, "</td></tr>\n");
}

static void put_parties (struct page *self) {
    const json_t *list = json_object_get (self->thread, "parties"), *at;
    size_t i;
    if (json_array_size (list) == 0)
        return;
    list_begin (self, "Answers",
                "<th>Body</th><th>Says</th><th>Reservation, text</th>"
                "<th>By</th>");
    json_array_foreach (list, i, at) put_party (self, at);
    list_end (self);
}

static void put_undertakings (struct page *self) {
    const json_t *list = json_object_get (self->thread, "undertakings"), *at;
    size_t i;
    if (json_array_size (list) == 0)
        return;
    list_begin (self, "Undertakings",
                "<th></th><th>Who</th><th>What</th><th>By</th><th>Done</th>");
    json_array_foreach (list, i, at) {
        const json_t *done = json_object_get (at, "done");
        ours (self, "<tr>");
        element (self, "td", word (at, "id"));
        element (self, "td", word (at, "who"));
        element (self, "td", word (at, "what"));
        element (self, "td", word (json_object_get (at, "by"), "words"));
        element (self, "td",
                 is_set (done, "day")     ? word (done, "day")
                 : json_is_object (done)  ? "the plans show it"
                 : is_set (at, "overdue") ? "overdue"
                                          : "not yet");
        ours (self, "</tr>\n");
    }
    list_end (self);
}

static void put_agenda (struct page *self) {
    const json_t *at, *list = json_object_get (
                          json_object_get (self->thread, "meeting"), "agenda");
    size_t i;
    if (json_array_size (list) == 0)
        return;
    list_begin (self, "Agenda", "<th></th><th>Item</th><th>Body</th>");
    json_array_foreach (list, i, at) {
        ours (self, "<tr>");
        element (self, "td", word (at, "id"));
        element (self, "td", word (at, "title"));
        element (self, "td", word (at, "entity"));
        ours (self, "</tr>\n");
    }
    list_end (self);
}

static void put_message (struct page *self, const json_t *message) {
    ours (self, "<tr>");
    element (self, "td", word (message, "time"));
    ours (self, "<td>");
    paper_text (self->out, word (message, "author"));
    if (is_set (message, "function")) {
        ours (self, "<br>");
        element (self, "span", word (message, "function"));
    }
    if (is_set (message, "handed_in_by")) {
        ours (self, "<br>handed in by ");
        paper_text (self->out, word (message, "handed_in_by"));
    }
    ours (self, "</td>");
    element (self, "td",
             is_set (message, "problems") ? "breaks a rule"
                                          : word (message, "does"));
    element (self, "td", word (message, "text"));
    buf_add_format (self->out, "<td class=\"number\">%lld</td></tr>\n",
                    number (message, "sequence"));
}

static void put_messages (struct page *self) {
    const json_t *list = json_object_get (self->thread, "messages"), *at;
    size_t i;
    list_begin (self, "What was said",
                "<th>When</th><th>Who</th><th>Does</th><th>Text</th>"
                "<th>Record</th>");
    json_array_foreach (list, i, at) put_message (self, at);
    list_end (self);
}

void thread_page (struct buf *out, const json_t *thread) {
    struct page self = { out, thread };
    const json_t *proposal = json_object_get (thread, "proposal");
    enum thread_kind kind = THREAD_KINDS;
    char line[64];
    const char *title = word (thread, "title");
    snprintf (line, sizeof line, "%zu versions",
              json_array_size (json_object_get (thread, "versions")));
    if (!thread_kind_read (slice_text (word (thread, "kind")), &kind))
        kind = THREAD_NOTICE;
    struct paper page = { .lang = "en",
                          .title = *title ? title : word (thread, "id"),
                          .handling = word (proposal, "handling"),
                          .line = line,
                          .foot = word (thread, "topic") };
    paper_begin (out, &page);
    buf_add_format (out, "<p class=\"quiet\">%s</p>\n",
                    thread_kind_title (kind));
    element (&self, "h1", page.title);
    put_state (&self);
    put_facts (&self);
    if (is_set (thread, "text"))
        element (&self, "p", word (thread, "text"));
    put_agenda (&self);
    put_about (&self);
    put_parties (&self);
    put_undertakings (&self);
    put_messages (&self);
    paper_end (out);
}
