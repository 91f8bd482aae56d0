/* thread_show - one thread as a person reads it: its state first, who said what,
 * what follows, and then the conversation. */
#include "answer.h"
#include "options.h"
#include "plan_words.h"
#include "table.h"
#include "thread_words.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley thread show ID [--channel C] [--kind K] [--lang L]\n"
    "       parley "
    "align|communique|meeting|consult|practice|notice|capability\n"
    "              show ID [--channel C] [--lang L]\n"
    "\n"
    "Show a thread: its state, what it is about, who said what, deadline and\n"
    "undertakings, and all that was said. ID is a thread's id, its end "
    "(k3fx) or\n"
    "beginning where that is enough, or its topic. Times are in your zone (TZ) "
    "and in\n"
    "UTC; what is due is reckoned from the newest time that is settled.\n"
    "\n"
    "Example: parley align show EUROPOL-align-20261124-k3fx\n";

static const char export_usage[] =
    "usage: parley thread export ID [--format html|json] [--out FILE] "
    "[--replace]\n"
    "           [--channel C] [--lang L]\n"
    "\n"
    "Write a thread as a page to print, or as JSON.\n"
    "\n"
    "Example: parley thread export EUROPOL-align-20261124-k3fx --out "
    "align.html\n";

/* A row of two columns: what, and its words. */
static struct table *pairs_new (void) {
    static const char *const heads[] = { "", "", "", NULL };
    return table_new (heads);
}
static void pair_add (struct table *table, const char *name,
                      const struct buf *words) {
    table_cell (table, "");
    table_cell (table, name);
    table_slice (table, buf_slice (words));
}
static void pair_text (struct table *table, const char *name,
                       const char *text) {
    if (!text || !*text)
        return;
    table_cell (table, "");
    table_cell (table, name);
    table_cell (table, text);
}
static void section_end (struct table **table_p, const char *head) {
    if (!table_is_empty (*table_p)) {
        printf ("\n%s\n", head);
        table_print (*table_p, stdout);
    }
    table_destroy (table_p);
}

/* "EUROPOL/hq (Duty office), handed in by UNODC/hq". */
static void add_author (struct buf *out, json_t *said) {
    const char *function = json_text (said, "function");
    const char *via = json_text (said, "handed_in_by");
    buf_add_text (out, json_text_or (said, "author", "?"));
    if (function)
        buf_add_format (out, " (%s)", function);
    if (via)
        buf_add_format (out, ", handed in by %s", via);
}

static void pair_instant (struct table *table, const char *name, json_t *at,
                          json_t *answer) {
    struct buf words = { 0 };
    if (json_is_object (at)) {
        instant_said (&words, at);
        buf_add_text (&words, ", ");
        instant_distance (&words, at, answer);
        pair_add (table, name, &words);
    }
    buf_free (&words);
}

/* The head. */

static void say_version (struct table *table, json_t *answer) {
    json_t *version = json_object_get (answer, "version");
    struct buf words = { 0 };
    int64_t agreed = json_int (answer, "agreed", 0);
    if (!json_is_object (version))
        return;
    buf_add_format (&words, "%" PRId64 ", by ",
                    json_int (version, "number", 0));
    add_author (&words, version);
    buf_add_text (&words, ", ");
    moment_words (&words, json_text (version, "time"));
    if (agreed > 0 && agreed != json_int (version, "number", 0))
        buf_add_format (&words, "; version %" PRId64 " is agreed", agreed);
    pair_add (table, "version", &words);
    buf_free (&words);
}

static void say_rule (struct table *table, json_t *answer) {
    static const char *const rules[][2] = {
        { "all", "all members that are invited have to agree" },
        { "majority", "more than half of the members invited have to agree" },
        { "any", "one member that agrees is enough" },
        { "silence", "agreed unless a member objects by the deadline" },
    };
    json_t *outcome = json_object_get (answer, "outcome");
    const char *rule = json_text (outcome, "rule");
    const char *state = json_text_or (answer, "state", "");
    struct buf words = { 0 };
    for (size_t i = 0; rule && i < sizeof rules / sizeof *rules; i++)
        if (strcmp (rules[i][0], rule) == 0)
            buf_add_text (&words, rules[i][1]);
    if (rule && (strcmp (state, "open") == 0 || strcmp (state, "late") == 0))
        buf_add_format (&words, "; as it stands: %s",
                        json_is_true (json_object_get (outcome, "would_agree"))
                            ? "agreed"
                            : "not agreed");
    if (words.size > 0)
        pair_add (table, "rule", &words);
    buf_free (&words);
}

/* "1 Mar 2027, 09:00 (+01:00) = 08:00 UTC". */
static void say_time (struct table *table, const char *name, const char *text,
                      json_t *answer) {
    json_t *at = text ? json_pack ("{ss ss}", "utc", text, "text", text) : NULL;
    pair_instant (table, name, at, answer);
    json_decref (at);
}

static void say_joined (struct table *table, const char *name, json_t *list) {
    struct buf words = { 0 };
    json_join (&words, list);
    if (words.size > 0)
        pair_add (table, name, &words);
    buf_free (&words);
}

static void say_proposal (struct table *table, json_t *answer) {
    static const char *const plain[] = { "type",       "place",    "zone",
                                         "conditions", "contact",  "capability",
                                         "minutes_of", "handling", NULL };
    json_t *proposal = json_object_get (answer, "proposal");
    say_time (table, "from", json_text (proposal, "from"), answer);
    say_time (table, "to", json_text (proposal, "to"), answer);
    for (size_t i = 0; plain[i]; i++)
        pair_text (table, plain[i],
                   plan_text (json_object_get (proposal, plain[i])));
    if (json_text (proposal, "series")) {
        struct buf words = { 0 };
        buf_add_text (&words, json_text (proposal, "series"));
        if (json_int (proposal, "edition", 0) > 0)
            buf_add_format (&words, ", edition %" PRId64,
                            json_int (proposal, "edition", 0));
        pair_add (table, "series", &words);
        buf_free (&words);
    }
    say_joined (table, "offered to", json_object_get (proposal, "offered_to"));
    say_joined (table, "priorities", json_object_get (proposal, "priorities"));
    say_joined (table, "regions", json_object_get (proposal, "regions"));
}

static void say_head (json_t *answer) {
    struct buf state = { 0 };
    struct table *table = pairs_new();
    json_t *withdrawn = json_object_get (answer, "withdrawn");
    const char *text = json_text (answer, "text");
    thread_state_words (&state, answer);
    words_format (stdout, 0, "%s: %.*s",
                  thread_kind_words (json_text_or (answer, "kind", "")),
                  (int) state.size, (const char *) state.data);
    words_print (stdout, 0, json_text_or (answer, "title", ""));
    words_print (stdout, 0, json_text_or (answer, "topic", ""));
    putchar ('\n');
    if (json_is_object (withdrawn))
        pair_text (table, "withdrawn", json_text (withdrawn, "reason"));
    say_version (table, answer);
    pair_instant (table, "deadline", json_object_get (answer, "deadline"),
                  answer);
    say_rule (table, answer);
    say_proposal (table, answer);
    table_print (table, stdout);
    table_destroy (&table);
    if (text && *text) {
        putchar ('\n');
        words_print (stdout, 2, text);
    }
    buf_free (&state);
}

/* What it is about. */

static void say_about (json_t *answer) {
    struct table *table = pairs_new();
    json_t *one;
    size_t i;
    int64_t covers = json_int (answer, "covers", 0);
    json_array_foreach (json_object_get (answer, "about"), i, one) {
        struct buf words = { 0 };
        const char *title = json_text (one, "title");
        const char *plan = json_text (one, "plan_title");
        bool there = json_is_true (json_object_get (one, "there"));
        buf_add_text (&words,
                      there && title ? title : "is not there (any more)");
        if (there && plan && title && strcmp (plan, title) != 0)
            buf_add_format (&words, " (%s)", plan);
        pair_add (table, json_text_or (one, "ref", "?"), &words);
        buf_free (&words);
    }
    json_array_foreach (json_object_get (answer, "asks"), i, one)
        pair_text (table, "changed since", json_text (one, "words"));
    section_end (&table, "about");
    if (covers > 0)
        printf ("  it covers %" PRId64 " %s\n", covers,
                covers == 1 ? "overlap" : "overlaps");
}

/* Who said what. */

static void add_disagreement (struct buf *out, json_t *party) {
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (party, "disagrees"), i, one)
        buf_add_format (out, "; %s %s at record %" PRId64 ", before",
                        json_text_or (one, "author", "?"),
                        thread_says_words (json_text_or (one, "word", "?")),
                        json_int (one, "sequence", -1));
}

static void add_stance (struct buf *out, json_t *said) {
    buf_add_text (out, thread_says_words (json_text_or (said, "word", "?")));
    if (json_text (said, "represented_by"))
        buf_add_format (out, ", represented by %s",
                        json_text (said, "represented_by"));
    buf_add_text (out, ", by ");
    add_author (out, said);
    buf_add_format (out, ", record %" PRId64, json_int (said, "sequence", -1));
    if (json_is_true (json_object_get (said, "late")))
        buf_add_text (out, ", late");
}

static void say_party (struct table *table, json_t *party) {
    struct buf words = { 0 };
    json_t *one;
    size_t i;
    if (json_text (party, "word"))
        add_stance (&words, party);
    else if (json_is_true (json_object_get (party, "proposer")))
        buf_add_text (&words, "proposes; no answer yet");
    else
        buf_add_text (&words, "no answer yet");
    if (!json_is_true (json_object_get (party, "member")))
        buf_add_text (&words, " (observer, not counted)");
    if (json_is_false (json_object_get (party, "can_answer")))
        buf_add_text (&words, " (can't write or read here)");
    add_disagreement (&words, party);
    pair_add (table, json_text_or (party, "entity", "?"), &words);
    pair_text (table, "", json_text (party, "text"));
    if (json_text (party, "reservation")) {
        struct buf line = { 0 };
        buf_add_format (&line, "reservation: %s",
                        json_text (party, "reservation"));
        pair_add (table, "", &line);
        buf_free (&line);
    }
    json_array_foreach (json_object_get (party, "asked_again"), i, one) {
        struct buf line = { 0 };
        buf_add_format (&line, "asked again: %s",
                        json_text_or (one, "words", "?"));
        pair_add (table, "", &line);
        buf_free (&line);
    }
    buf_free (&words);
}

static void say_parties (json_t *answer) {
    struct table *table = pairs_new();
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (answer, "parties"), i, one)
        say_party (table, one);
    section_end (&table, "parties");
    table = pairs_new();
    json_array_foreach (json_object_get (answer, "other_stances"), i, one) {
        struct buf words = { 0 };
        add_stance (&words, one);
        buf_add_format (&words, ": %s", json_text_or (one, "state", "?"));
        pair_add (table, json_text_or (one, "entity", "?"), &words);
        pair_text (table, "", json_text (one, "reservation"));
        buf_free (&words);
    }
    section_end (&table, "also said");
    table = pairs_new();
    json_array_foreach (json_object_get (answer, "closes"), i, one) {
        struct buf words = { 0 };
        const char *state = json_text_or (one, "state", "");
        if (strcmp (state, "good") == 0)
            continue;
        buf_add_format (&words, "%s close%s%s", state,
                        json_text (one, "why") ? ": " : "",
                        json_text_or (one, "why", ""));
        pair_add (table, json_text_or (one, "author", "?"), &words);
        buf_free (&words);
    }
    section_end (&table, "closes that decided nothing");
}

/* What follows. */

static void add_by (struct buf *out, json_t *item) {
    json_t *by = json_object_get (item, "by");
    if (json_is_object (by)) {
        buf_add_text (out, ", by ");
        instant_said (out, by);
    }
}

static void undertaking_said (struct buf *out, json_t *item) {
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
    } else
        buf_add_text (out, json_is_true (json_object_get (item, "overdue"))
                               ? ". OVERDUE"
                               : ". Open");
}

static void say_undertakings (json_t *answer) {
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
        undertaking_said (&words, one);
        pair_add (table, json_text_or (one, "id", "?"), &words);
        buf_free (&words);
    }
    section_end (&table, "undertakings");
}

/* The text of a communique. */
static void say_paragraphs (json_t *answer) {
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

static void say_suggestions (json_t *answer) {
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
            buf_add_format (&words, " Instead: \"%s\"", json_text (one, "put"));
        if (taken > 0)
            buf_add_format (&words, " Taken up in version %" PRId64 ".", taken);
        char name[32];
        snprintf (name, sizeof name, "%" PRId64,
                  json_int (one, "sequence", -1));
        pair_add (table, name, &words);
        buf_free (&words);
    }
    section_end (&table, "suggestions");
}

/* Meetings. */

static void say_agenda (json_t *answer) {
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
        undertaking_said (&words, json_is_object (item) ? item : one);
        pair_add (table,
                  json_text_or (json_is_object (item) ? item : one, "id", "?"),
                  &words);
        buf_free (&words);
    }
    section_end (&table, "agenda");
}

static void say_earlier (json_t *answer) {
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

static void say_attendance (json_t *answer) {
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

static void add_doing (struct buf *out, json_t *message) {
    static const char *const pairs[][2] = {
        { "propose", "proposes" },
        { "suggest", "suggests" },
        { "comment", "says" },
        { "contribution", "contributes" },
        { "attendance", "notes who was there" },
        { "withdraw", "withdraws it" },
    };
    json_t *content = json_object_get (message, "content");
    const char *does = json_text_or (message, "does", "");
    if (strcmp (does, "stance") == 0)
        buf_add_text (out,
                      thread_says_words (json_text_or (content, "says", "?")));
    else if (strcmp (does, "close") == 0)
        buf_add_format (out, "closes it: %s",
                        json_text_or (content, "outcome", "?"));
    else if (strcmp (does, "done") == 0)
        buf_add_format (out, "%s %s",
                        json_object_get (content, "undone") ? "has not done"
                                                            : "has done",
                        json_text_or (content, "undertaking", "?"));
    else
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
            if (strcmp (pairs[i][0], does) == 0)
                buf_add_text (out, pairs[i][1]);
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

static void say_message (json_t *message) {
    struct buf head = { 0 };
    json_t *content = json_object_get (message, "content"), *problem;
    size_t i;
    buf_add_format (&head, "%s%" PRId64 "  ",
                    json_is_true (json_object_get (message, "unread")) ? "* "
                                                                       : "",
                    json_int (message, "sequence", -1));
    moment_words (&head, json_text (message, "time"));
    buf_add_text (&head, "  ");
    add_author (&head, message);
    buf_add_u8 (&head, ' ');
    add_doing (&head, message);
    words_format (stdout, 2, "%.*s", (int) head.size, (const char *) head.data);
    const char *text = json_text_or (message, "text", "");
    const char *title = plan_text (json_object_get (content, "title"));
    if (*title && strcmp (title, text) != 0)
        words_print (stdout, 4, title);
    if (*text)
        words_print (stdout, 4, text);
    json_array_foreach (json_object_get (message, "problems"), i, problem)
        words_format (stdout, 4, "does not count: %s %s",
                      json_text_or (problem, "pointer", ""),
                      json_text_or (problem, "text", "?"));
    say_acks (message);
    buf_free (&head);
}

static void say_messages (json_t *answer) {
    json_t *one;
    size_t i;
    printf ("\nwhat was said\n");
    if (json_is_true (json_object_get (answer, "earlier")))
        puts ("  (the newest; there is more before)");
    json_array_foreach (json_object_get (answer, "messages"), i, one)
        say_message (one);
}

static void say_thread (json_t *answer) {
    say_head (answer);
    say_about (answer);
    say_paragraphs (answer);
    say_agenda (answer);
    say_parties (answer);
    say_undertakings (answer);
    say_suggestions (answer);
    say_attendance (answer);
    say_earlier (answer);
    say_messages (answer);
}

int command_thread_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct thread_ref ref = { 0 };
    const struct option_spec specs[] = { { "channel", OPTION_TEXT,
                                           &ref.channel },
                                         { "kind", OPTION_TEXT, &ref.kind },
                                         { "lang", OPTION_TEXT, &ref.lang },
                                         { 0 } };
    struct error e;
    json_t *thread = NULL;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    if (cli->kind && ref.kind)
        options_refuse (usage, "--kind is for parley thread show");
    /* Offers and requests are both shown as capabilities. */
    if (cli->kind && !strchr (cli->kind, ','))
        ref.kind = cli->kind;
    ref.id = words.at[0];
    struct client *client = client_new (cli, &e);
    enum err rc = client ? thread_get (client, &ref, &thread, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_incref (thread));
    else if (!rc)
        say_thread (thread);
    json_decref (thread);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

int command_thread_export (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct thread_ref ref = { 0 };
    const char *out = NULL, *format = NULL;
    bool replace = false;
    const struct option_spec specs[] = {
        { "format", OPTION_TEXT, &format },
        { "out", OPTION_TEXT, &out },
        { "replace", OPTION_FLAG, &replace },
        { "channel", OPTION_TEXT, &ref.channel },
        { "lang", OPTION_TEXT, &ref.lang },
        { 0 }
    };
    options_read (cli, argc, argv, export_usage, specs, &words, 1, 1);
    ref.id = words.at[0];
    const char *const query[] = { "format",
                                  answer_format (format, out, export_usage),
                                  "lang", ref.lang, NULL };
    return thread_save (cli, &ref, "/export", query, out, replace);
}
