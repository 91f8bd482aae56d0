/* audit_report - a second reading of a bundle that holds, for its counts. */
#include "audit_report.h"

#include "audit_words.h"

#include "base/clock.h"
#include "base/topic.h"
#include "files.h"
#include "identity/roster_chain.h"
#include "ledger/bundle.h"
#include "plans/paper.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define LATE_MS 3600000    /* logged so much later than its author says */
#define ALARMS_MAX 1048576 /* octets */
#define ROWS_MAX 4096      /* of a table; what is more is counted */

/* How often something was: (who, what). */
struct count {
    char who[IDENTITY_NAME_MAX + 1];
    char what[64];
    int64_t count;
};
struct counts {
    struct count *rows;
    size_t count, room;
    int64_t beyond; /* that found no row */
};

struct page {
    struct buf html;
    struct counts authors;   /* entity, kind */
    struct counts refusals;  /* rule, "" */
    int64_t late, late_most; /* messages; ms */
    int64_t erased, absent;
};

/* Text of others, as HTML. */
static void text (struct buf *out, struct slice s) {
    char shown[ERROR_TEXT_MAX];
    text_printable (shown, sizeof shown, s.data, s.size);
    paper_text (out, shown);
}

static void count_one (struct counts *self, struct slice who,
                       struct slice what) {
    for (size_t i = 0; i < self->count; i++)
        if (slice_is (who, self->rows[i].who)
            && slice_is (what, self->rows[i].what)) {
            self->rows[i].count++;
            return;
        }
    if (self->count == ROWS_MAX) {
        self->beyond++;
        return;
    }
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->rows = mem_resize (self->rows, self->room * sizeof *self->rows);
    }
    struct count *row = &self->rows[self->count++];
    snprintf (row->who, sizeof row->who, "%.*s", (int) who.size,
              (const char *) who.data);
    snprintf (row->what, sizeof row->what, "%.*s", (int) what.size,
              (const char *) what.data);
    row->count = 1;
}

static int by_name (const void *a, const void *b) {
    const struct count *x = a, *y = b;
    int order = strcmp (x->who, y->who);
    return order ? order : strcmp (x->what, y->what);
}

/* The topic's second level: plan, alignment, ... */
static struct slice kind_of (struct slice topic) {
    struct slice channel = topic_channel (topic);
    const uint8_t *at = topic.data + channel.size + 1;
    size_t left = topic.size - channel.size - 1, size = 0;
    while (size < left && at[size] != '/' && size < 63)
        size++;
    return slice_of (at, size);
}

static void record_count (struct page *self, const struct record *record,
                          enum body_state state) {
    struct message message;
    self->erased += state == BODY_ERASED;
    self->absent += state == BODY_ABSENT;
    if (record->type != RECORD_MESSAGE
        || record_message (record, &message, NULL))
        return;
    count_one (&self->authors, delegation_entity (message.author),
               kind_of (message.topic));
    int64_t late = record->log_time - message.author_time;
    if (late > LATE_MS)
        self->late++;
    if (late > self->late_most)
        self->late_most = late;
}

static enum err blocks_count (struct page *self, struct bundle *bundle,
                              struct error *e) {
    struct slice octets;
    int64_t direct;
    enum err rc;
    while (!(rc = bundle_next_block (bundle, &direct, &octets, e))) {
        struct block block;
        struct block_walk walk;
        rc = block_read (octets, &block, e);
        if (rc)
            return rc;
        block_walk (&block, &walk);
        while (block_next (&walk)) {
            struct record record;
            if (!record_read (walk.record, &record, NULL))
                record_count (self, &record, walk.state);
        }
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static enum err refusals_count (struct page *self, struct bundle *bundle,
                                struct error *e) {
    struct slice octets;
    enum err rc;
    while (!(rc = bundle_next_refusal (bundle, &octets, e))) {
        struct promise promise;
        struct promise_refused *refused = NULL;
        size_t count;
        rc = refusal_proof_read (octets, &promise, &refused, &count, e);
        for (size_t i = 0; !rc && i < count; i++)
            count_one (&self->refusals, slice_text (refused[i].refusal.name),
                       slice_text (""));
        free (refused);
        if (rc)
            return rc;
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* The page */

static void row (struct page *self, const char *name, const char *format, ...)
    PRINTF_LIKE (3, 4);
static void row (struct page *self, const char *name, const char *format, ...) {
    va_list args;
    char value[ERROR_TEXT_MAX];
    va_start (args, format);
    vsnprintf (value, sizeof value, format, args);
    va_end (args);
    buf_add_text (&self->html, "<tr><th>");
    text (&self->html, slice_text (name));
    buf_add_text (&self->html, "</th><td>");
    text (&self->html, slice_text (value));
    buf_add_text (&self->html, "</td></tr>\n");
}

static void head_put (struct page *self) {
    buf_add_text (
        &self->html,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>Audit of a Parley ledger</title><style>\n"
        "body{font:16px/1.5 sans-serif;max-width:52em;margin:2em auto;"
        "padding:0 1em;color:#1a1a1a}\n"
        "h1{font-size:1.6em}h2{font-size:1.15em;margin-top:2em;"
        "border-bottom:1px solid #bbb}\n"
        "table{border-collapse:collapse;width:100%}"
        "th,td{text-align:left;vertical-align:top;padding:.25em .8em .25em 0;"
        "overflow-wrap:anywhere}\n"
        "th{font-weight:600;white-space:nowrap}td.n{text-align:right}\n"
        ".good{border-left:.4em solid #2a7d4f;padding-left:.8em}\n"
        "code{font-size:.9em;overflow-wrap:anywhere}\n"
        "@page{size:A4;margin:18mm}"
        "@media print{body{margin:0;max-width:none;font-size:11pt}"
        "h2{break-after:avoid}tr{break-inside:avoid}}\n"
        "</style></head><body>\n"
        "<h1>Audit of a Parley ledger</h1>\n");
}

static void section (struct page *self, const char *title, const char *said) {
    buf_add_format (&self->html, "<h2>%s</h2>\n", title);
    if (said)
        buf_add_format (&self->html, "<p>%s</p>\n", said);
}

static void what_put (struct page *self, const struct audit_report *r,
                      bool compared) {
    char a[HASH_TEXT_MAX], b[CLOCK_TEXT_MAX];
    struct buf limits = { 0 };
    buf_add_text (&self->html,
                  "<p class=\"good\">Nothing was found that contradicts the "
                  "signatures, the order or the completeness that this copy "
                  "of the ledger states of itself. What could not be checked "
                  "is listed below.</p>\n");
    section (self, "What was looked at", NULL);
    buf_add_text (&self->html, "<table>\n");
    row (self, "Dialogue", "%s%s", hash_text (a, &r->meta.dialogue),
         compared ? " (the one that was asked for)"
                  : " (compare it with the one you know)");
    row (self, "Taken out by", "%s", r->meta.exporter);
    row (self, "Taken out at", "%s", clock_text (b, r->meta.made));
    audit_words_limits (&limits, &r->meta);
    row (self, "Limited to", "%.*s", (int) limits.size,
         (const char *) limits.data);
    buf_free (&limits);
    row (self, "Records", "%" PRId64 " to %" PRId64, r->meta.first,
         r->meta.last);
    if (r->records > 0) {
        row (self, "From", "%s", clock_text (b, r->first_time));
        row (self, "To", "%s", clock_text (b, r->last_time));
    }
    buf_add_text (&self->html, "</table>\n");
}

static void checked_put (struct page *self, const struct audit_report *r) {
    section (self, "What was checked", NULL);
    buf_add_text (&self->html, "<table>\n");
    row (self, "Rosters",
         "%" PRId64 ": each signed by the members' threshold, chained to the "
         "dialogue id",
         r->rosters);
    row (self, "Records",
         "%" PRId64 " read whole: %" PRId64 " messages, of %" PRId64
         " authors; time marks: %" PRId64,
         r->records, r->messages, r->authors, r->marks);
    row (self, "Signatures",
         "%" PRId64 " of authors verified, each by a key that was valid and "
         "had the right to write there",
         r->signatures);
    row (self, "Promises",
         "%" PRId64 " of the broker kept; %" PRId64 " refusals not "
         "contradicted",
         r->promises, r->refusals);
    row (self, "By their hash alone", "%" PRId64 " records", r->leaves);
    row (self, "Not here at all", "%" PRId64 " records", r->holes);
    row (self, "Contents erased", "%" PRId64, self->erased);
    row (self, "Contents not here", "%" PRId64, self->absent);
    row (self, "Checkpoints", "%" PRId64 " of the log recomputed",
         r->checkpoints);
    buf_add_text (&self->html, "</table>\n");
}

static void settled_put (struct page *self, const struct audit_report *r) {
    const struct audit_settled *s = &r->settled;
    char time[CLOCK_TEXT_MAX];
    section (self, "Who vouches for it", NULL);
    if (s->size < 0) {
        buf_add_text (&self->html,
                      "<p>No checkpoint with a quorum of witnesses is in this "
                      "copy: that nothing was left out rests on the broker's "
                      "word.</p>\n");
        return;
    }
    buf_add_text (&self->html, "<table>\n");
    row (self, "Covered", "the first %" PRId64 " records", s->size);
    if (s->needed == 0)
        row (self, "Witnesses",
             "the roster has none: the broker's log key "
             "alone signed it");
    else
        row (self, "Witnesses",
             "%zu of %zu members' witnesses recomputed and cosigned it; %zu "
             "are needed",
             s->cosigned, s->witnesses, s->needed);
    if (s->time > 0)
        row (self, "Quorum at", "%s", clock_text (time, s->time * 1000));
    if (s->bound > 0)
        row (self, "Existed by",
             "%s, even if as many witnesses lied as the quorum allows for",
             clock_text (time, s->bound * 1000));
    buf_add_text (&self->html, "</table>\n");
}

static void streams_put (struct page *self, const struct audit_report *r) {
    char time[CLOCK_TEXT_MAX];
    section (
        self, "What is complete",
        r->stream_count > 0
            ? "Of these channels the records named are here, and no others "
              "were written, up to the time given. A name with @ stands for "
              "all that was written to that body directly."
            : "Of no channel can this copy show that it is complete.");
    if (r->stream_count == 0)
        return;
    buf_add_text (&self->html,
                  "<table><tr><th>Channel</th><th>Records</th><th>Complete</th>"
                  "<th>By witnesses</th></tr>\n");
    for (size_t i = 0; i < r->stream_count; i++) {
        const struct audit_stream *s = &r->streams[i];
        buf_add_text (&self->html, "<tr><td>");
        text (&self->html, slice_text (s->name));
        struct buf words = { 0 };
        audit_words_stream (&words, &r->meta, s);
        buf_add_text (&self->html, "</td><td>");
        text (&self->html, buf_slice (&words));
        buf_clear (&words);
        audit_words_opening (&words, s);
        buf_add_text (&self->html, "</td><td>");
        text (&self->html, buf_slice (&words));
        buf_free (&words);
        buf_add_format (&self->html,
                        "up to %s (record %" PRId64 ")</td><td>%s</td></tr>\n",
                        clock_text (time, s->time), s->mark,
                        s->settled ? "vouched for" : "not yet vouched for");
    }
    buf_add_text (&self->html, "</table>\n");
}

static void counts_put (struct page *self, struct counts *counts,
                        const char *who, const char *what) {
    if (counts->count == 0) {
        buf_add_text (&self->html, "<p>None.</p>\n");
        return;
    }
    qsort (counts->rows, counts->count, sizeof *counts->rows, by_name);
    buf_add_format (&self->html, "<table><tr><th>%s</th>", who);
    if (what)
        buf_add_format (&self->html, "<th>%s</th>", what);
    buf_add_text (&self->html, "<th>Count</th></tr>\n");
    for (size_t i = 0; i < counts->count; i++) {
        buf_add_text (&self->html, "<tr><td>");
        text (&self->html, slice_text (counts->rows[i].who));
        if (what) {
            buf_add_text (&self->html, "</td><td>");
            text (&self->html, slice_text (counts->rows[i].what));
        }
        buf_add_format (&self->html, "</td><td>%" PRId64 "</td></tr>\n",
                        counts->rows[i].count);
    }
    buf_add_text (&self->html, "</table>\n");
    if (counts->beyond > 0)
        buf_add_format (&self->html, "<p>And %" PRId64 " of other kinds.</p>\n",
                        counts->beyond);
}

static void late_put (struct page *self) {
    section (self, "Late messages", NULL);
    if (self->late == 0) {
        buf_add_text (&self->html,
                      "<p>None was recorded more than an hour after the time "
                      "that its author states.</p>\n");
        return;
    }
    buf_add_format (&self->html,
                    "<p>%" PRId64 " messages were recorded more than an hour "
                    "after the time that their authors state; the latest one "
                    "%" PRId64 " minutes after.</p>\n",
                    self->late, self->late_most / 60000);
}

/* Who of its own root signers signed a roster. */
static void signers_put (struct page *self, const struct roster *roster) {
    const struct note *note = roster_note (roster);
    bool first = true;
    for (size_t i = 0; i < roster_signers (roster); i++) {
        const struct roster_signer *signer = roster_signer_at (roster, i);
        struct note_key key = { signer->name, signer->key };
        bool good = false;
        if (note_verify (note, &key, 1, &good, NULL) || !good)
            continue;
        buf_add_text (&self->html, first ? "" : ", ");
        text (&self->html, slice_text (signer->name));
        first = false;
    }
}

static enum err rosters_put (struct page *self, struct bundle *bundle,
                             struct error *e) {
    struct slice octets;
    enum err rc;
    section (self, "Rosters",
             "Who takes part, who may read and write, and the "
             "keys, are decided by these documents alone.");
    buf_add_text (&self->html,
                  "<table><tr><th>Version</th><th>Signed by</th>"
                  "<th>Needed</th><th>Bodies</th><th>Digest</th></tr>\n");
    while (!(rc = bundle_next_roster (bundle, &octets, e))) {
        char digest[HASH_TEXT_MAX];
        struct roster *roster = roster_read (octets, e);
        if (!roster)
            return e->code;
        buf_add_format (&self->html, "<tr><td>%" PRId64 "</td><td>",
                        roster_version (roster));
        signers_put (self, roster);
        buf_add_format (&self->html,
                        "</td><td>%d</td><td>%zu</td><td><code>%s</code></td>"
                        "</tr>\n",
                        roster_threshold (roster), roster_entities (roster),
                        hash_text (digest, roster_digest (roster)));
        roster_unref (&roster);
    }
    buf_add_text (&self->html, "</table>\n");
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* One of the exporter's alarms; what is no text is left out. */
static void alarm_put (struct page *self, json_t *alarm) {
    static const char *const members[] = { "time", "kind", "text",
                                           "acknowledged" };
    buf_add_text (&self->html, "<tr>");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *value =
            json_string_value (json_object_get (alarm, members[i]));
        buf_add_text (&self->html, "<td>");
        text (&self->html, slice_text (value ? value : ""));
        buf_add_text (&self->html, "</td>");
    }
    buf_add_text (&self->html, "</tr>\n");
}

/* alarms.json, which nobody signed: whatever is wrong with it is said. */
static void alarms_put (struct page *self, const char *dir) {
    struct buf path = { 0 }, octets = { 0 };
    struct error e;
    size_t i;
    json_t *one;
    buf_add_format (&path, "%s/alarms.json", dir);
    char *name = buf_take_text (&path);
    enum err rc = file_read (name, ALARMS_MAX, &octets, &e);
    json_t *alarms = rc ? NULL
                        : json_loadb ((const char *) octets.data, octets.size,
                                      JSON_REJECT_DUPLICATES, NULL);
    section (self, "Alarms",
             "What the agent that this copy was taken out of was alarmed by, "
             "by its own word.");
    if (rc == ERR_NOT_FOUND)
        buf_add_text (&self->html, "<p>None.</p>\n");
    else if (!json_is_array (alarms))
        buf_add_text (&self->html, "<p>Its list can't be read.</p>\n");
    else
        buf_add_text (&self->html,
                      "<table><tr><th>First at</th><th>Kind</th><th>What</th>"
                      "<th>Looked at</th></tr>\n");
    json_array_foreach (alarms, i, one) if (i < ROWS_MAX) alarm_put (self, one);
    if (json_is_array (alarms))
        buf_add_text (&self->html, "</table>\n");
    json_decref (alarms);
    buf_free (&octets);
    free (name);
}

static void rest_put (struct page *self, const struct audit_report *r,
                      const char *dir) {
    char id[HASH_TEXT_MAX], now[CLOCK_TEXT_MAX];
    section (self, "What could not be checked, or rests on somebody's word",
             NULL);
    buf_add_text (&self->html, "<ul>\n");
    for (size_t i = 0; audit_caveat (r, i); i++) {
        buf_add_text (&self->html, "<li>");
        text (&self->html, slice_text (audit_caveat (r, i)));
        buf_add_text (&self->html, "</li>\n");
    }
    buf_add_text (&self->html, "</ul>\n");
    section (self, "How to repeat it", NULL);
    buf_add_text (&self->html, "<p><code>parley audit check ");
    text (&self->html, slice_text (dir));
    buf_add_format (&self->html,
                    " --dialogue %s --report FILE.html</code></p>\n<p>Made by "
                    "parley %s at %s. The check needs the folder alone, no "
                    "agent and no broker.</p>\n</body></html>\n",
                    hash_text (id, &r->meta.dialogue), PARLEY_VERSION,
                    clock_text (now, clock_wall_ms()));
}

static enum err page_make (struct page *self, const char *dir,
                           const struct audit_report *r, bool compared,
                           struct bundle *bundle, struct error *e) {
    enum err rc = blocks_count (self, bundle, e);
    if (!rc)
        rc = refusals_count (self, bundle, e);
    if (rc)
        return rc;
    head_put (self);
    what_put (self, r, compared);
    checked_put (self, r);
    settled_put (self, r);
    streams_put (self, r);
    section (self, "Messages by body and kind",
             "The kind is the second part of a topic.");
    counts_put (self, &self->authors, "Body", "Kind");
    rc = rosters_put (self, bundle, e);
    section (self, "Refused messages",
             "Those of the exporter that the broker refused, by rule.");
    counts_put (self, &self->refusals, "Rule", NULL);
    late_put (self);
    alarms_put (self, dir);
    rest_put (self, r, dir);
    return rc;
}

enum err audit_report_write (const char *path, const char *dir,
                             const struct audit_report *report, bool compared,
                             struct error *e) {
    struct page self = { 0 };
    struct bundle *bundle = bundle_open (dir, e);
    if (!bundle)
        return e->code;
    enum err rc = page_make (&self, dir, report, compared, bundle, e);
    if (!rc)
        rc = file_write (path, buf_slice (&self.html), false, e);
    bundle_close (&bundle);
    free (self.authors.rows);
    free (self.refusals.rows);
    buf_free (&self.html);
    return rc;
}
