/* taxonomy - the codes of priorities and regions, and how they are extended. */
#include "answer.h"
#include "base/hash.h"
#include "plan_words.h"
#include "publishing.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char show_usage[] =
    "usage: parley taxonomy show [priorities|regions|groups [WORD]]\n"
    "\n"
    "List the codes that plans use, with their titles, and the proposals to "
    "extend\n"
    "them; with WORD those alone whose title or code holds it. --json has all "
    "of it.\n"
    "\n"
    "Example: parley taxonomy show regions europe\n";

static const char propose_usage[] =
    "usage: parley taxonomy propose FILE --channel CHANNEL [--key KEY] "
    "[--yes|--draft]\n"
    "                               [--wait promised|done] [--timeout "
    "SECONDS]\n"
    "\n"
    "Propose codes to be added (deploy/schema/taxonomy-change.schema.json), on "
    "a\n"
    "channel that all delegations read. They are in force once more than half "
    "of\n"
    "the members consented; proposing is consenting.\n"
    "\n"
    "Example: parley taxonomy propose codes.json --channel dialogue\n";

static const char consent_usage[] =
    "usage: parley taxonomy consent ID --channel CHANNEL [--key KEY] "
    "[--yes|--draft]\n"
    "                               [--wait promised|done] [--timeout "
    "SECONDS]\n"
    "\n"
    "Consent to a proposal, in the own body's name. ID is its message id "
    "(parley\n"
    "taxonomy show).\n"
    "\n"
    "Example: parley taxonomy consent 9f86d081... --channel dialogue\n";

static const struct {
    const char *word, *member;
} lists[] = { { "priorities", "priorities" },
              { "regions", "regions" },
              { "groups", "country_groups" } };

static const char *member_of (const char *word) {
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp (lists[i].word, word) == 0)
            return lists[i].member;
    options_refuse (show_usage, "'%s' is not priorities, regions or groups",
                    word);
}

/* A title alone, or an object that has one. */
static const char *title_of (json_t *value) {
    const char *title = json_is_object (value)
                            ? plan_text (json_object_get (value, "title"))
                            : plan_text (value);
    return *title || !json_is_object (value)
               ? title
               : plan_text (json_object_get (value, "name"));
}

static void print_codes (json_t *codes, const char *word) {
    static const char *const heads[] = { "CODE", "TITLE", NULL };
    const char *code;
    json_t *value;
    struct table *table = table_new (heads);
    json_object_foreach (codes, code, value) {
        const char *title = title_of (value);
        if (word && !strcasestr (title, word) && !strcasestr (code, word))
            continue;
        table_cell (table, code);
        table_cell (table, title);
    }
    if (!table_is_empty (table))
        table_print (table, stdout);
    else if (word)
        fprintf (stderr, "parley: no title or code holds '%s'\n", word);
    table_destroy (&table);
}

static void print_proposals (json_t *proposals) {
    json_t *one;
    size_t i;
    json_array_foreach (proposals, i, one) {
        struct buf line = { 0 };
        buf_add_format (&line, "proposal %s, version %" PRId64 " by %s",
                        json_text_or (one, "id", "?"),
                        json_int (one, "version", 0),
                        json_text_or (one, "author", "?"));
        if (json_is_array (json_object_get (one, "consents"))) {
            buf_add_text (&line, ", consented: ");
            json_join (&line, json_object_get (one, "consents"));
        }
        buf_add_format (&line, "%s%s", json_text (one, "state") ? "; " : "",
                        json_text_or (one, "state", ""));
        char *text = buf_take_text (&line);
        words_print (stdout, 0, text);
        free (text);
    }
}

struct asked {
    const char *member, *word;
};

static void say (const void *arg, json_t *answer) {
    const struct asked *asked = arg;
    printf ("taxonomy version %" PRId64 ", digest %s\n",
            json_int (answer, "version", 0),
            json_text_or (answer, "digest", "?"));
    print_proposals (json_object_get (answer, "proposals"));
    putchar ('\n');
    print_codes (json_at (answer, "taxonomy", asked->member, NULL),
                 asked->word);
}

int command_taxonomy_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    options_read (cli, argc, argv, show_usage, NULL, &words, 0, 2);
    const struct asked asked = {
        .member = member_of (words.count > 0 ? words.at[0] : "priorities"),
        .word = words.count > 1 ? words.at[1] : NULL,
    };
    client_path (&path, "/api/v1/taxonomy");
    return answer_print (cli, &path, say, &asked);
}

/* History */

static const char history_usage[] =
    "usage: parley taxonomy history\n"
    "\n"
    "Which versions came in force, by which record and by whose consent, and "
    "what\n"
    "each added. Where it changed a group's past, that is told: plans that "
    "name\n"
    "the group stand for other countries since.\n"
    "\n"
    "Example: parley taxonomy history\n";

/* "regions: 990; ..." */
static void codes_add (struct buf *out, json_t *object) {
    static const char *const members[] = { "priorities", "regions",
                                           "country_groups" };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *codes = json_object_get (object, members[i]), *value;
        const char *code;
        bool some = false;
        json_object_foreach (codes, code, value) {
            buf_add_format (out, "%s%s",
                            some        ? ", "
                            : out->size ? "; "
                                        : "",
                            code);
            some = true;
        }
    }
}

static void print_codes_of (const char *what, json_t *object) {
    struct buf line = { 0 };
    codes_add (&line, object);
    if (line.size > 0) {
        char *text = buf_take_text (&line);
        buf_add_format (&line, "%s: %s", what, text);
        free (text);
        text = buf_take_text (&line);
        words_print (stdout, 2, text);
        free (text);
    }
    buf_free (&line);
}

static void print_past (json_t *past) {
    json_t *one;
    size_t i;
    json_array_foreach (past, i, one) {
        const char *from = json_text (one, "from");
        const char *to = json_text (one, "to");
        struct buf line = { 0 };
        buf_add_format (&line, "changes the past: %s has %s",
                        json_text_or (one, "group", "?"),
                        json_text_or (one, "country", "?"));
        buf_add_format (&line, "%s%s%s%s", from ? " from " : "",
                        from ? from : "", to ? " to " : "", to ? to : "");
        char *text = buf_take_text (&line);
        words_print (stdout, 2, text);
        free (text);
    }
}

static void print_version (json_t *one) {
    struct buf line = { 0 };
    json_t *by = json_object_get (one, "in_force");
    buf_add_format (&line, "version %" PRId64 " by record %" PRId64 ", ",
                    json_int (one, "version", 0),
                    json_int (by, "sequence", -1));
    json_moment (&line, json_text (by, "log_time"));
    buf_add_format (&line, "; proposed by %s, record %" PRId64 ", consented: ",
                    json_text_or (one, "author", "?"),
                    json_int (one, "sequence", -1));
    json_join (&line, json_object_get (one, "consents"));
    buf_add_format (&line, "; %s", plan_text (json_object_get (one, "reason")));
    char *text = buf_take_text (&line);
    words_print (stdout, 0, text);
    free (text);
    print_codes_of ("adds", json_object_get (one, "adds"));
    print_codes_of ("titles", json_object_get (one, "titles"));
    print_past (json_object_get (one, "past"));
}

static void say_history (const void *arg, json_t *answer) {
    json_t *one;
    size_t i;
    (void) arg;
    printf ("version 1 is in the program\n");
    json_array_foreach (json_object_get (answer, "versions"), i, one)
        print_version (one);
}

int command_taxonomy_history (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    options_read (cli, argc, argv, history_usage, NULL, &words, 0, 0);
    client_path (&path, "/api/v1/taxonomy/history");
    return answer_print (cli, &path, say_history, NULL);
}

#define WHOM "one that all read"
#define PLACE "taxonomy/change" /* behind the channel */

static int propose (const struct cli *cli, struct client *client,
                    struct publishing *self, const char *file,
                    const char *channel) {
    struct error e;
    json_t *content = publishing_read (file, "json", &e);
    return content
               ? publishing_send_on (cli, client, self, content, channel, PLACE)
               : cli_fail (&e);
}

static int consent (const struct cli *cli, struct client *client,
                    struct publishing *self, const char *id,
                    const char *channel) {
    struct hash hash;
    if (hash_parse (id, &hash))
        return cli_refuse (CLI_REFUSED, "'%s' is no message id", id);
    return publishing_send_on (
        cli, client, self, json_pack ("{si ss}", "format", 1, "consent", id),
        channel, PLACE);
}

int command_taxonomy_propose (struct cli *cli, int argc, char **argv) {
    return publishing_command (cli, argc, argv, propose_usage, WHOM, propose);
}

int command_taxonomy_consent (struct cli *cli, int argc, char **argv) {
    return publishing_command (cli, argc, argv, consent_usage, WHOM, consent);
}
