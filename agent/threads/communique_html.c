/* communique_html - a communique as a printed page: its text in all languages,
 * who adopted it with which reservation, who did not, and where all of that is
 * recorded. */
#include "communique_impl.h"

#include "plans/paper.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

struct page {
    struct buf *out;
    const struct thread *thread;
    const struct thread_version *version;
    const json_t *document;
    const char *lang; /* the reader's */
};

static void ours (struct page *self, const char *markup) {
    buf_add_text (self->out, markup);
}

static void cell (struct page *self, const char *text) {
    ours (self, "<td>");
    paper_text (self->out, text);
    ours (self, "</td>");
}

static void fact (struct page *self, const char *name, const char *text) {
    buf_add_format (self->out, "<tr><th>%s</th>", name);
    cell (self, text);
    ours (self, "</tr>\n");
}

/* State */

/* "30 November 2026, 17:00 (+01:00), that is 2026-11-30T16:00:00Z" */
static char *deadline_words (const struct instant *deadline) {
    struct buf out = { 0 };
    char words[INSTANT_WORDS_MAX], utc[INSTANT_TEXT_MAX];
    buf_add_format (&out, "%s, that is %s", instant_words (words, deadline),
                    instant_utc (utc, deadline->ms));
    return buf_take_text (&out);
}

static const char *status_words (enum thread_status status) {
    switch (status) {
    case STATUS_AGREED:
        return "Adopted";
    case STATUS_NOT_AGREED:
        return "Not adopted";
    case STATUS_LATE:
        return "Not decided: the deadline has passed, and adoptions that were "
               "written before it are awaited for an hour";
    case STATUS_WITHDRAWN:
        return "Withdrawn before it was decided";
    case STATUS_REPLACED:
        return "Replaced by a later version before it was decided";
    default:
        return "Not decided";
    }
}

static void put_state (struct page *self, size_t version, int64_t now_ms) {
    struct thread_state state;
    char now[INSTANT_TEXT_MAX];
    thread_version_state (self->thread, version, now_ms, &state);
    const struct tally *tally = &state.tally;
    buf_add_format (self->out,
                    "<p class=\"state\"><b>%s.</b> %zu bodies count: %zu "
                    "adopted, %zu objected, %zu abstained, %zu said nothing. "
                    "As of %s.</p>\n",
                    status_words (state.status), tally->members, tally->for_,
                    tally->against, tally->neither, tally->silent,
                    instant_utc (now, now_ms));
}

/* Text */

static void put_language (struct page *self, const char *lang, bool binding) {
    const json_t *list = json_object_get (self->document, "paragraphs");
    const json_t *text = json_object_get (self->document, "text");
    ours (self, "<h2>");
    paper_element (self->out, "span", "lang", NULL, lang);
    ours (self, binding ? " the binding text</h2>\n" : "</h2>\n");
    paper_element (
        self->out, "h3", "text", lang,
        communique_text_in (json_object_get (self->document, "title"), lang));
    if (text)
        paper_element (self->out, "p", "text", lang,
                       communique_text_in (text, lang));
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *item = json_array_get (list, i);
        ours (self, "<div class=\"part\">");
        paper_element (self->out, "span", "code", NULL,
                       communique_word (item, "id"));
        paper_element (
            self->out, "p", "text", lang,
            communique_text_in (json_object_get (item, "text"), lang));
        ours (self, "</div>\n");
    }
}

static void put_languages (struct page *self) {
    size_t count;
    const char **names = communique_languages (self->document, &count);
    for (size_t i = 0; i < count; i++)
        put_language (self, names[i], i == 0);
    free (names);
}

/* Decisions and undertakings, in the binding text's language */

static void list_begin (struct page *self, const char *title,
                        const char *heads) {
    buf_add_format (self->out,
                    "<h2>%s</h2>\n<table class=\"list\"><tr>%s</tr>\n", title,
                    heads);
}

static void put_due (struct page *self, bool has_by, const struct instant *by) {
    char words[INSTANT_WORDS_MAX];
    cell (self, has_by ? instant_words (words, by) : "");
}

static void put_decisions (struct page *self) {
    const struct proposal *proposal = self->version->proposal;
    if (proposal->decision_count == 0)
        return;
    list_begin (self, "Decisions",
                "<th></th><th>Decision</th><th>Owner</th><th>By</th>");
    for (size_t i = 0; i < proposal->decision_count; i++) {
        const struct decision *decision = &proposal->decisions[i];
        ours (self, "<tr>");
        cell (self, decision->id);
        paper_element (self->out, "td", "text", NULL,
                       text_in (&decision->text, proposal->binding));
        cell (self, decision->owner);
        put_due (self, decision->has_by, &decision->by);
        ours (self, "</tr>\n");
    }
    ours (self, "</table>\n");
}

static void put_undertakings (struct page *self) {
    const struct proposal *proposal = self->version->proposal;
    if (proposal->undertaking_count == 0)
        return;
    list_begin (self, "Undertakings",
                "<th></th><th>Who</th><th>What</th><th>By</th><th>Done</th>");
    for (size_t i = 0; i < proposal->undertaking_count; i++) {
        const struct undertaking *undertaking = &proposal->undertakings[i];
        const struct thread_entry *done =
            thread_done (self->thread, undertaking);
        char day[DATE_WORDS_MAX];
        ours (self, "<tr>");
        cell (self, undertaking->id);
        cell (self, undertaking->who);
        paper_element (self->out, "td", "text", NULL,
                       text_in (&undertaking->what, proposal->binding));
        put_due (self, undertaking->has_by, &undertaking->by);
        cell (self, done ? date_words (day, &done->say->done.day) : "not yet");
        ours (self, "</tr>\n");
    }
    ours (self, "</table>\n");
}

/* Who */

enum group { ADOPTED, NOT_ADOPTED, OBSERVERS, GROUPS };

static enum group group_of (const struct page *self,
                            const struct thread_party *party) {
    const struct thread_stance *stance =
        communique_stance (self->thread, party);
    if (!party->member)
        return OBSERVERS;
    return stance && stance->entry->say->stance.says == THREAD_FOR
               ? ADOPTED
               : NOT_ADOPTED;
}

static void put_record (struct page *self, const struct thread_entry *entry,
                        bool late) {
    char time[INSTANT_TEXT_MAX];
    buf_add_format (
        self->out, "<td>record %" PRId64 ", %s%s</td>", entry->origin.sequence,
        instant_utc (time, entry->origin.log_time), late ? ", late" : "");
}

static void put_texts (struct page *self, const struct stance *said) {
    ours (self, "<td>");
    if (said->reservation.count > 0) {
        ours (self, "<b>Reservation:</b> ");
        paper_element (self->out, "span", "text", NULL,
                       text_in (&said->reservation, self->lang));
    }
    if (said->reservation.count > 0 && said->text.count > 0)
        ours (self, "<br>");
    if (said->text.count > 0)
        paper_element (self->out, "span", "text", NULL,
                       text_in (&said->text, self->lang));
    ours (self, "</td>");
}

/* One that does not count is shown with why. */
static void put_said (struct page *self, const struct thread_stance *stance,
                      bool counts) {
    const struct say *say = stance->entry->say;
    ours (self, "<td>");
    paper_text (self->out,
                thread_says_name (THREAD_COMMUNIQUE, say->stance.says));
    if (!counts)
        buf_add_format (self->out, ", not counted: %s",
                        stance_state_name (stance->state));
    ours (self, "<br>");
    paper_text (self->out, stance->entry->origin.author);
    if (*say->function) {
        ours (self, ", ");
        paper_element (self->out, "span", NULL, NULL, say->function);
    }
    ours (self, "</td>");
    put_texts (self, &say->stance);
    put_record (self, stance->entry, stance->late);
    ours (self, "</tr>\n");
}

static void put_party (struct page *self, const struct thread_party *party) {
    const struct thread_stance *counts =
        communique_stance (self->thread, party);
    ours (self, "<tr><td><b>");
    paper_text (self->out, party->entity);
    ours (self, party->proposer ? "</b> (proposed it)" : "</b>");
    if (party->disagrees)
        ours (self, "<br>its delegations disagree; the later one counts");
    ours (self, "</td>");
    if (counts)
        put_said (self, counts, true);
    else if (party->newest != SIZE_MAX)
        put_said (self, &self->thread->stances[party->newest], false);
    else
        ours (self, "<td>said nothing</td><td></td><td></td></tr>\n");
}

static void put_group (struct page *self, enum group group) {
    static const char *const titles[GROUPS] = {
        "Adopted by", "Not adopted by", "Observers, who are not counted"
    };
    bool begun = false;
    for (size_t i = 0; i < self->version->party_count; i++) {
        const struct thread_party *party = &self->version->parties[i];
        if (group_of (self, party) != group)
            continue;
        if (!begun)
            list_begin (self, titles[group],
                        "<th>Body</th><th>Says</th><th>Reservation, text</th>"
                        "<th>Recorded</th>");
        begun = true;
        put_party (self, party);
    }
    if (begun)
        ours (self, "</table>\n");
}

/* Record */

static void put_facts (struct page *self) {
    const struct thread_version *version = self->version;
    const struct proposal *proposal = version->proposal;
    char topic[TOPIC_MAX + 1], id[HASH_TEXT_MAX], text[64];
    ours (self, "<h2>Record</h2>\n<table class=\"facts\">\n");
    fact (self, "Thread", thread_topic (topic, &self->thread->place));
    fact (self, "Version", hash_text (id, &version->entry->origin.id));
    buf_add_format (self->out, "<tr><th>Proposed</th>");
    put_record (self, version->entry, false);
    ours (self, "</tr>\n");
    fact (self, "Rule", thread_rule_name (proposal->rule));
    if (proposal->has_deadline) {
        char *deadline = deadline_words (&proposal->deadline);
        fact (self, "Deadline", deadline);
        free (deadline);
    }
    if (*proposal->minutes_of)
        fact (self, "Minutes of", proposal->minutes_of);
    if (version->decided >= 0) {
        snprintf (text, sizeof text, "record %" PRId64, version->decided);
        fact (self, "Closed by", text);
    }
    ours (self, "</table>\n");
}

void communique_html (struct buf *out, const struct thread *thread,
                      size_t version, const json_t *document, int64_t now_ms,
                      const char *lang) {
    const struct thread_version *at = &thread->versions[version];
    struct page self = { out, thread, at, document, lang };
    char line[96], topic[TOPIC_MAX + 1];
    const char *binding = at->proposal->binding;
    const char *title = text_in (&at->proposal->title, binding);
    snprintf (line, sizeof line, "version %" PRId64 ", record %" PRId64,
              at->number, at->entry->origin.sequence);
    struct paper page = { .lang = "en", /* that of our own words */
                          .title = title,
                          .handling = at->proposal->handling,
                          .line = line,
                          .foot = thread_topic (topic, &thread->place) };
    paper_begin (out, &page);
    paper_element (out, "h1", NULL, binding, title);
    ours (&self, "\n");
    put_state (&self, version, now_ms);
    put_languages (&self);
    put_decisions (&self);
    put_undertakings (&self);
    for (unsigned i = 0; i < GROUPS; i++)
        put_group (&self, (enum group) i);
    put_facts (&self);
    paper_end (out);
}
