/* thread_show - one thread as a person reads it: its state first, who said what,
 * what follows, and then the conversation. */
#include "answer.h"
#include "options.h"
#include "plan_words.h"
#include "thread_parts.h"
#include "thread_words.h"

#include <inttypes.h>
#include <stdlib.h>

#define SHOW_HELP                                                              \
    "\n"                                                                       \
    "Show a thread: its state, what it is about, who said what, deadline "     \
    "and\n"                                                                    \
    "undertakings, and all that was said. ID is a thread's id, its end "       \
    "(k3fx)\n"                                                                 \
    "or beginning where that is enough, or its topic. Times are in your zone " \
    "(TZ)\n"                                                                   \
    "and in UTC; what is due is reckoned from the newest time that is "        \
    "settled.\n"                                                               \
    "\n"                                                                       \
    "Example: parley align show EUROPOL-align-20261124-k3fx\n"

static const char usage[] = "usage: parley thread show ID [--channel C] "
                            "[--kind K] [--lang L]\n" SHOW_HELP;
static const char kind_usage[] =
    "usage: parley align|communique|meeting|consult|practice|notice|capability "
    "show\n"
    "           ID [--channel C] [--lang L]\n" SHOW_HELP;

static const char export_usage[] =
    "usage: parley thread export ID [--format html|json] [--out FILE] "
    "[--replace]\n"
    "           [--channel C] [--lang L]\n"
    "\n"
    "Write a thread as a page to print, or as JSON.\n"
    "\n"
    "Example: parley thread export EUROPOL-align-20261124-k3fx --out "
    "align.html\n";

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
    author_words (&words, version);
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
    struct buf words = { 0 };
    for (size_t i = 0; rule && i < sizeof rules / sizeof *rules; i++)
        if (strcmp (rules[i][0], rule) == 0)
            buf_add_text (&words, rules[i][1]);
    if (rule && thread_is_open (answer))
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
    author_words (out, said);
    buf_add_format (out, ", record %" PRId64, json_int (said, "sequence", -1));
    if (json_is_true (json_object_get (said, "late")))
        buf_add_text (out, ", late");
}

static void add_reservation (struct buf *out, json_t *said) {
    if (json_text (said, "reservation"))
        buf_add_format (out, "reservation: %s",
                        json_text (said, "reservation"));
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
    buf_free (&words);
    add_reservation (&words, party);
    if (words.size > 0)
        pair_add (table, "", &words);
    json_array_foreach (json_object_get (party, "asked_again"), i, one) {
        struct buf line = { 0 };
        buf_add_format (&line, "asked again: %s",
                        json_text_or (one, "words", "?"));
        pair_add (table, "", &line);
        buf_free (&line);
    }
    buf_free (&words);
}

/* Of another version, or what does not count. */
static void say_other (struct table *table, json_t *said) {
    struct buf words = { 0 };
    const char *state = json_text_or (said, "state", "?");
    add_stance (&words, said);
    if (json_int (said, "version", 0) > 0)
        buf_add_format (&words, ", on version %" PRId64,
                        json_int (said, "version", 0));
    if (strcmp (state, "counts") != 0)
        buf_add_format (&words, ": %s", state);
    pair_add (table, json_text_or (said, "entity", "?"), &words);
    buf_free (&words);
    add_reservation (&words, said);
    if (words.size > 0)
        pair_add (table, "", &words);
    buf_free (&words);
}

static const char *parties_head (const char *kind) {
    return strcmp (kind, "practice") == 0       ? "who uses it"
           : strcmp (kind, "consultation") == 0 ? "replies"
           : strcmp (kind, "meeting") == 0      ? "invited"
                                                : "parties";
}

static void say_parties (json_t *answer) {
    struct table *table = pairs_new();
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (answer, "parties"), i, one)
        say_party (table, one);
    section_end (&table, parties_head (json_text_or (answer, "kind", "")));
    table = pairs_new();
    json_array_foreach (json_object_get (answer, "other_stances"), i, one)
        say_other (table, one);
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

static void say_thread (json_t *answer) {
    say_head (answer);
    say_about (answer);
    paragraphs_say (answer);
    agenda_say (answer);
    say_parties (answer);
    undertakings_say (answer);
    suggestions_say (answer);
    contributions_say (answer);
    attendance_say (answer);
    editions_say (answer);
    messages_say (answer);
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
    const char *help = cli->kind ? kind_usage : usage;
    options_read (cli, argc, argv, help, specs, &words, 1, 1);
    if (cli->kind && ref.kind)
        options_refuse (help, "--kind is for parley thread show");
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
