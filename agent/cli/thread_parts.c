/* thread_parts - parts of a thread for people. */
#include "thread_parts.h"

#include "plan_words.h"
#include "thread_words.h"
#include "threads/kinds.h"

#include <inttypes.h>
#include <stdlib.h>

struct table *pairs_new (void) {
    static const char *const heads[] = { "", "", "", NULL };
    return table_new (heads);
}
void pair_add (struct table *table, const char *name, const struct buf *words) {
    table_cell (table, "");
    table_cell (table, name);
    table_slice (table, buf_slice (words));
}
void pair_text (struct table *table, const char *name, const char *text) {
    if (!text || !*text)
        return;
    table_cell (table, "");
    table_cell (table, name);
    table_cell (table, text);
}
void section_end (struct table **table_p, const char *head) {
    if (!table_is_empty (*table_p)) {
        printf ("\n%s\n", head);
        table_print (*table_p, stdout);
    }
    table_destroy (table_p);
}

/* "EUROPOL/hq (Duty office), handed in by UNODC/hq". */
void author_words (struct buf *out, json_t *said) {
    const char *function = json_text (said, "function");
    const char *via = json_text (said, "handed_in_by");
    buf_add_text (out, json_text_or (said, "author", "?"));
    if (function)
        buf_add_format (out, " (%s)", function);
    if (via)
        buf_add_format (out, ", handed in by %s", via);
}

/* What follows. */

static void add_by (struct buf *out, json_t *item) {
    json_t *by = json_object_get (item, "by");
    if (json_is_object (by)) {
        buf_add_text (out, ", by ");
        instant_said (out, by);
    }
}

static void undertaking_said (struct buf *out, json_t *item, bool agreed) {
    json_t *done = json_object_get (item, "done");
    buf_add_format (out, "%s: %s", json_text_or (item, "who", "?"),
                    json_text_or (item, "what", ""));
    add_by (out, item);
    if (json_text (item, "action"))
        buf_add_format (out, ", by action %s", json_text (item, "action"));
    if (json_is_object (done)) {
        bool owner = strcmp (json_text_or (done, "by", ""), "owner") == 0;
        buf_add_format (out, ". Done%s%s",
                        json_text (done, "day") ? " on " : "",
                        json_text_or (done, "day", ""));
        buf_add_text (out, owner ? ", its owner says" : ", as the plans show");
        if (json_text (done, "text"))
            buf_add_format (out, ": %s", json_text (done, "text"));
    } else if (agreed)
        buf_add_text (out, json_is_true (json_object_get (item, "overdue"))
                               ? ". OVERDUE"
                               : ". Open");
}

void undertakings_say (json_t *answer) {
    struct table *table = pairs_new();
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (answer, "decisions"), i, one) {
        struct buf words = { 0 };
        buf_add_text (&words, json_text_or (one, "text", ""));
        if (json_text (one, "owner"))
            buf_add_format (&words, ", %s", json_text (one, "owner"));
        add_by (&words, one);
        pair_add (table, json_text_or (one, "id", "?"), &words);
        buf_free (&words);
    }
    section_end (&table, "decisions");
    table = pairs_new();
    json_array_foreach (json_object_get (answer, "undertakings"), i, one) {
        struct buf words = { 0 };
        undertaking_said (&words, one, json_int (answer, "agreed", 0) > 0);
        pair_add (table, json_text_or (one, "id", "?"), &words);
        buf_free (&words);
    }
    section_end (&table, "undertakings");
}

/* The text of a communique. */
void paragraphs_say (json_t *answer) {
    struct table *table = pairs_new();
    json_t *proposal = json_object_get (answer, "proposal"), *one;
    const char *binding = json_text_or (proposal, "binding", "");
    size_t i;
    json_array_foreach (json_object_get (proposal, "paragraphs"), i, one) {
        json_t *text = json_object_get (one, "text");
        json_t *bound = json_object_get (text, binding);
        pair_text (table, json_text_or (one, "id", "?"),
                   plan_text (bound ? bound : text));
    }
    section_end (&table, "text");
}

void suggestions_say (json_t *answer) {
    struct table *table = pairs_new();
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (answer, "suggestions"), i, one) {
        struct buf words = { 0 };
        int64_t taken = json_int (one, "taken_up_in", 0);
        buf_add_format (&words, "%s", json_text_or (one, "author", "?"));
        if (json_text (one, "paragraph"))
            buf_add_format (&words, " on %s", json_text (one, "paragraph"));
        buf_add_format (&words, ": %s", json_text_or (one, "text", ""));
        if (json_text (one, "put"))
            buf_add_format (&words, " (instead: \"%s\")",
                            json_text (one, "put"));
        if (taken > 0)
            buf_add_format (&words, " (taken up in version %" PRId64 ")",
                            taken);
        char name[32];
        snprintf (name, sizeof name, "%" PRId64,
                  json_int (one, "sequence", -1));
        pair_add (table, name, &words);
        buf_free (&words);
    }
    section_end (&table, "suggestions");
}

void contributions_say (json_t *answer) {
    struct table *table = pairs_new();
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (answer, "contributions"), i, one) {
        struct buf words = { 0 };
        char name[32];
        snprintf (name, sizeof name, "%" PRId64,
                  json_int (one, "sequence", -1));
        buf_add_format (&words, "%s, by ", json_text_or (one, "title", ""));
        author_words (&words, one);
        pair_add (table, name, &words);
        buf_free (&words);
    }
    section_end (&table, "written contributions");
}

/* Meetings. */

void agenda_say (json_t *answer) {
    struct table *table = pairs_new();
    json_t *one, *meeting = json_object_get (answer, "meeting");
    size_t i;
    json_array_foreach (json_at (answer, "proposal", "agenda", NULL), i, one)
        pair_text (table, json_text_or (one, "id", "?"),
                   plan_text (json_object_get (one, "title")));
    json_array_foreach (json_object_get (meeting, "carried"), i, one) {
        json_t *item = json_object_get (one, "undertaking");
        struct buf words = { 0 };
        buf_add_text (&words, "carried over: ");
        undertaking_said (&words, json_is_object (item) ? item : one, true);
        pair_add (table,
                  json_text_or (json_is_object (item) ? item : one, "id", "?"),
                  &words);
        buf_free (&words);
    }
    section_end (&table, "agenda");
}

void editions_say (json_t *answer) {
    struct table *table = pairs_new();
    json_t *one, *item;
    size_t i, n;
    json_array_foreach (json_at (answer, "meeting", "earlier", NULL), i, one) {
        struct buf words = { 0 };
        json_t *minutes = json_object_get (one, "minutes");
        buf_add_format (&words, "%s", json_text_or (one, "title", ""));
        buf_add_format (&words, ", minutes: %s",
                        json_text_or (minutes, "state", "none"));
        char edition[32] = "";
        if (json_int (one, "edition", 0) > 0)
            snprintf (edition, sizeof edition, "edition %" PRId64,
                      json_int (one, "edition", 0));
        pair_add (table, edition, &words);
        json_array_foreach (json_object_get (one, "decisions"), n, item)
            pair_text (table, "", json_text (item, "text"));
        buf_free (&words);
    }
    section_end (&table, "earlier editions");
}

void attendance_say (json_t *answer) {
    struct table *table = pairs_new();
    json_t *attendance = json_object_get (answer, "attendance"), *one;
    json_t *minutes = json_at (answer, "meeting", "minutes", NULL);
    size_t i;
    json_array_foreach (json_object_get (attendance, "present"), i, one) {
        const char *by = json_text (one, "represented_by");
        struct buf words = { 0 };
        buf_add_format (&words, "%s%s", by ? "represented by " : "present",
                        by ? by : "");
        pair_add (table, json_text_or (one, "entity", "?"), &words);
        buf_free (&words);
    }
    json_array_foreach (json_object_get (attendance, "in_writing"), i, one)
        pair_text (table,
                   json_is_string (one) ? json_string_value (one)
                                        : json_text_or (one, "entity", "?"),
                   "in writing");
    section_end (&table, "attendance");
    if (json_is_object (minutes))
        words_format (stdout, 2, "minutes: %s, %s",
                      json_text_or (minutes, "id", "?"),
                      json_text_or (minutes, "state", "?"));
}

/* The conversation. */

/* Which version a proposal is; 0: none. */
static int64_t version_of (json_t *answer, json_t *message) {
    json_t *one;
    size_t i;
    json_array_foreach (
        json_object_get (answer, "versions"), i,
        one) if (json_int (one, "sequence", -1)
                 == json_int (message, "sequence",
                              -2)) return json_int (one, "number", 0);
    return 0;
}

/* A consultation has none. */
static void add_outcome (struct buf *out, const char *outcome) {
    bool closed = strcmp (outcome, "closed") == 0;
    buf_add_format (out, "closes it%s%s", closed ? "" : ": ",
                    closed ? "" : thread_outcome_words (outcome));
}

static void add_doing (struct buf *out, json_t *answer, json_t *message) {
    json_t *content = json_object_get (message, "content");
    const char *does = json_text_or (message, "does", "");
    enum thread_does known;
    if (!thread_does_read (slice_text (does), &known))
        return; /* it is quarantined: why, stands below */
    switch (known) {
    case DOES_STANCE:
        buf_add_text (out,
                      thread_says_words (json_text_or (content, "says", "?")));
        break;
    case DOES_CLOSE:
        add_outcome (out, json_text_or (content, "outcome", "?"));
        break;
    case DOES_DONE:
        buf_add_format (out, "has %sdone %s",
                        json_object_get (content, "undone") ? "not " : "",
                        json_text_or (content, "undertaking", "?"));
        break;
    case DOES_PROPOSE:
        buf_add_format (out, "proposes version %" PRId64,
                        version_of (answer, message));
        break;
    case DOES_SUGGEST:
        buf_add_text (out, "suggests");
        break;
    case DOES_COMMENT:
        buf_add_text (out, "says");
        break;
    case DOES_CONTRIBUTION:
        buf_add_text (out, "contributes");
        break;
    case DOES_ATTENDANCE:
        buf_add_text (out, "notes who was there");
        break;
    case DOES_WITHDRAW:
        buf_add_text (out, "withdraws it");
        break;
    case DOES_COUNT:
        break;
    }
}

static void say_acks (json_t *message) {
    json_t *acks = json_object_get (message, "acks");
    struct buf words = { 0 };
    static const char *const names[] = { "verified", "seen" };
    for (size_t i = 0; i < 2; i++)
        if (json_array_size (json_object_get (acks, names[i])) > 0) {
            buf_add_format (&words, "%s%s by ", words.size ? "; " : "",
                            names[i]);
            json_join (&words, json_object_get (acks, names[i]));
        }
    if (words.size > 0)
        words_format (stdout, 4, "%.*s", (int) words.size,
                      (const char *) words.data);
    buf_free (&words);
}

/* What is not shown already: the current proposal stands above. */
static void say_text (json_t *answer, json_t *message) {
    json_t *content = json_object_get (message, "content");
    const char *text = json_text_or (message, "text", "");
    const char *title = plan_text (json_object_get (content, "title"));
    const char *reservation =
        plan_text (json_object_get (content, "reservation"));
    if (*title && strcmp (title, text) != 0
        && strcmp (title, json_text_or (answer, "title", "")) != 0)
        words_print (stdout, 4, title);
    if (*text && strcmp (text, json_text_or (answer, "text", "")) != 0
        && strcmp (text, json_text_or (answer, "title", "")) != 0)
        words_print (stdout, 4, text);
    if (*reservation)
        words_format (stdout, 4, "reservation: %s", reservation);
}

static void say_message (json_t *answer, json_t *message) {
    struct buf head = { 0 };
    json_t *problem;
    size_t i;
    buf_add_format (&head, "%s%" PRId64 "  ",
                    json_is_true (json_object_get (message, "unread")) ? "* "
                                                                       : "",
                    json_int (message, "sequence", -1));
    moment_words (&head, json_text (message, "time"));
    buf_add_text (&head, "  ");
    author_words (&head, message);
    buf_add_u8 (&head, ' ');
    add_doing (&head, answer, message);
    words_format (stdout, 2, "%.*s", (int) head.size, (const char *) head.data);
    say_text (answer, message);
    json_array_foreach (json_object_get (message, "problems"), i, problem)
        words_format (stdout, 4, "does not count: %s %s",
                      json_text_or (problem, "pointer", ""),
                      json_text_or (problem, "text", "?"));
    say_acks (message);
    buf_free (&head);
}

void messages_say (json_t *answer) {
    json_t *one;
    size_t i;
    printf ("\nwhat was said\n");
    if (json_is_true (json_object_get (answer, "earlier")))
        puts ("  (the newest; there is more before)");
    json_array_foreach (json_object_get (answer, "messages"), i, one)
        say_message (answer, one);
}
