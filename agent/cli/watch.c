/* watch - what one wants to be told of, by the operator's command. */
#include "answer.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char add_usage[] =
    "usage: parley watch add NAME [FILTER] [--kind KIND]... [--entity E] "
    "[--daily]\n"
    "\n"
    "Be told of what others publish from now on: on topics that match FILTER "
    "(all\n"
    "without it), of these kinds (plan, annex, report, hidden, overlap, "
    "taxonomy,\n"
    "align, communique, meeting, consultation, practice, notice, capability,\n"
    "request, file, other), by that entity. The agent runs the command that "
    "its\n"
    "operator configured: some seconds after news, or with --daily once a "
    "day. The\n"
    "command gets counts and links, and nothing that anybody wrote.\n"
    "\n"
    "Example: parley watch add invited '+/meeting/#' --kind meeting\n";

static const char list_usage[] =
    "usage: parley watch list\n"
    "\n"
    "List what one is told of; an operator sees the watches of all.\n"
    "\n"
    "Example: parley watch list\n";

static const char remove_usage[] = "usage: parley watch remove NUMBER\n"
                                   "\n"
                                   "Be told of it no more.\n"
                                   "\n"
                                   "Example: parley watch remove 3\n";

static const char test_usage[] =
    "usage: parley watch test NUMBER\n"
    "\n"
    "Have the agent run its command now, as for that watch, with counts of\n"
    "nothing. Ends with 1 where the command fails, and says how.\n"
    "\n"
    "Example: parley watch test 3\n";

static const char *number_of (const char *usage, const char *word) {
    if (!*word || strlen (word) > 15
        || strspn (word, "0123456789") != strlen (word))
        options_refuse (usage, "'%s' is no watch's number", word);
    return word;
}

/* A new one */

static json_t *watch_body (const struct words *words, const struct words *kinds,
                           const char *entity, bool daily) {
    json_t *body = json_object(), *list = json_array();
    json_object_set_new (body, "name", json_string (words->at[0]));
    if (words->count > 1)
        json_object_set_new (body, "filter", json_string (words->at[1]));
    for (size_t i = 0; i < kinds->count; i++)
        json_array_append_new (list, json_string (kinds->at[i]));
    if (kinds->count > 0)
        json_object_set (body, "kinds", list);
    json_decref (list);
    if (entity)
        json_object_set_new (body, "entity", json_string (entity));
    json_object_set_new (body, "mode",
                         json_string (daily ? "daily" : "immediate"));
    return body;
}

static enum err add (const struct cli *cli, struct client *client, json_t *body,
                     struct error *e) {
    struct buf path = { 0 };
    json_t *watch = NULL;
    char *text = json_dumps (body, JSON_COMPACT);
    client_path (&path, "/api/v1/watches");
    enum err rc = text ? client_post (client, &path, "application/json",
                                      slice_text (text), NULL, &watch, e)
                       : error_set (e, ERR_MALFORMED, "a word is no UTF-8");
    if (!rc && cli->json)
        cli_print_json (json_incref (watch));
    else if (!rc)
        printf ("watch %" PRId64 " (%s) is there; try it: parley watch test "
                "%" PRId64 "\n",
                json_int (watch, "number", -1),
                json_text_or (watch, "name", "?"),
                json_int (watch, "number", -1));
    json_decref (watch);
    free (text);
    buf_free (&path);
    return rc;
}

int command_watch_add (struct cli *cli, int argc, char **argv) {
    static struct words words, kinds;
    const char *entity = NULL;
    bool daily = false;
    const struct option_spec specs[] = { { "kind", OPTION_EACH, &kinds },
                                         { "entity", OPTION_TEXT, &entity },
                                         { "daily", OPTION_FLAG, &daily },
                                         { 0 } };
    struct error e;
    options_read (cli, argc, argv, add_usage, specs, &words, 1, 2);
    json_t *body = watch_body (&words, &kinds, entity, daily);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? add (cli, client, body, &e) : e.code;
    client_destroy (&client);
    json_decref (body);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* All */

static void kinds_cell (struct table *table, json_t *kinds) {
    struct buf text = { 0 };
    if (json_array_size (kinds) >= 16)
        buf_add_text (&text, "all");
    else
        json_join (&text, kinds);
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

static void told_cell (struct table *table, json_t *watch) {
    struct buf text = { 0 };
    const char *told = json_text (watch, "told");
    if (told)
        json_moment (&text, told);
    else
        buf_add_text (&text, "never");
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

static void say_watches (const void *arg, json_t *answer) {
    static const char *const heads[] = { "NUMBER", "NAME",  "USER",
                                         "FILTER", "KINDS", "ENTITY",
                                         "MODE",   "TOLD",  NULL };
    json_t *one;
    size_t i;
    (void) arg;
    struct table *table = table_new (heads);
    json_array_foreach (json_object_get (answer, "watches"), i, one) {
        table_int (table, json_int (one, "number", -1));
        table_cell (table, json_text (one, "name"));
        table_cell (table, json_text (one, "user"));
        table_cell (table, json_text (one, "filter"));
        kinds_cell (table, json_object_get (one, "kinds"));
        table_cell (table, json_text_or (one, "entity", "any"));
        table_cell (table, json_text (one, "mode"));
        told_cell (table, one);
    }
    if (table_is_empty (table))
        fputs ("parley: nothing is watched\n", stderr);
    else
        table_print (table, stdout);
    table_destroy (&table);
    if (!json_is_true (json_object_get (answer, "command")))
        fputs ("parley: the agent has no watch-command: nobody is told\n",
               stderr);
}

int command_watch_list (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    options_read (cli, argc, argv, list_usage, NULL, &words, 0, 0);
    client_path (&path, "/api/v1/watches");
    return answer_print (cli, &path, say_watches, NULL);
}

/* Its end, and a trial */

int command_watch_remove (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct error e;
    struct buf path = { 0 };
    options_read (cli, argc, argv, remove_usage, NULL, &words, 1, 1);
    const char *number = number_of (remove_usage, words.at[0]);
    client_path (&path, "/api/v1/watches/%s", number);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_delete (client, &path, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_pack ("{sI sb}", "number",
                                   (json_int_t) strtoll (number, NULL, 10),
                                   "removed", 1));
    else if (!rc)
        printf ("watch %s is removed\n", number);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

int command_watch_test (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct error e;
    struct buf path = { 0 };
    json_t *out = NULL;
    options_read (cli, argc, argv, test_usage, NULL, &words, 1, 1);
    client_path (&path, "/api/v1/watches/%s/test",
                 number_of (test_usage, words.at[0]));
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_post (client, &path, "application/json",
                                        (struct slice){ 0 }, NULL, &out, &e)
                         : e.code;
    bool fine = json_is_true (json_object_get (out, "fine"));
    if (!rc && cli->json)
        cli_print_json (json_incref (out));
    else if (!rc && fine)
        puts ("the command ended well");
    if (!rc && !fine)
        fprintf (stderr, "parley: the command: %s\n",
                 json_text_or (out, "why", "?"));
    json_decref (out);
    buf_free (&path);
    client_destroy (&client);
    if (rc)
        return cli_fail (&e);
    return fine ? CLI_FINE : CLI_REFUSED;
}
