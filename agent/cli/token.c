/* token - who is known by a secret; and who did what, and who one is. */
#include "answer.h"
#include "base/disk.h"
#include "table.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

static const char new_usage[] =
    "usage: parley token new NAME --role ROLE... [--user USER] [--function "
    "TEXT]\n"
    "                        [--expires DAY] [--out FILE]\n"
    "\n"
    "Give out a secret by which a program or a person is known to the agent, "
    "over\n"
    "its socket and over TCP: reader, drafter, releaser or operator. It is "
    "shown\n"
    "once, or written to FILE (mode 0600), which parley --token-file FILE "
    "uses.\n"
    "--user says whose it is, of the agent's configuration: it then can no "
    "more\n"
    "than he, and counts as he where two persons are asked for. --function is "
    "what\n"
    "messages bear that are sent with it.\n"
    "\n"
    "Example: parley token new mirror --role reader --out mirror.token\n";

static const char list_usage[] =
    "usage: parley token list\n"
    "\n"
    "List the names that have or had a secret, their roles, and when each was "
    "last\n"
    "used.\n"
    "\n"
    "Example: parley token list\n";

static const char revoke_usage[] =
    "usage: parley token revoke NAME\n"
    "\n"
    "From now on the agent answers 401 to who brings that secret. The name "
    "stays\n"
    "listed and is not given again.\n"
    "\n"
    "Example: parley token revoke mirror\n";

static const char whoami_usage[] =
    "usage: parley whoami\n"
    "\n"
    "Say who one is to the agent, and with which roles.\n"
    "\n"
    "Example: parley whoami\n";

static const char acts_usage[] =
    "usage: parley acts [--before NUMBER] [--limit NUMBER]\n"
    "\n"
    "List who did what at this agent, the newest first: drafts, releases, "
    "what was\n"
    "published at once, tokens, alarms. It is kept here alone; no person's "
    "name is\n"
    "in the ledger.\n"
    "\n"
    "Example: parley acts --limit 20\n";

/* A new one. */

static void say_made (json_t *token) {
    struct buf roles = { 0 };
    json_join (&roles, json_object_get (token, "roles"));
    fprintf (stderr,
             "parley: %s has the roles %.*s; the secret is shown this "
             "once:\n",
             json_text_or (token, "name", "?"), (int) roles.size,
             (const char *) roles.data);
    puts (json_text_or (token, "secret", "?"));
    buf_free (&roles);
}

/* Where it can't be written it is lost, so its name is revoked. */
static enum err write_secret (struct client *client, json_t *token,
                              const char *file, struct error *e) {
    struct buf line = { 0 }, path = { 0 };
    struct error ignored;
    buf_add_format (&line, "%s\n", json_text_or (token, "secret", ""));
    enum err rc = disk_write_file (file, buf_slice (&line), false, e);
    sodium_memzero (line.data, line.size);
    buf_free (&line);
    if (rc) {
        error_at (e, "the secret is lost, and its token revoked");
        client_path (&path, "/api/v1/tokens/%s",
                     json_text_or (token, "name", ""));
        (void) !client_delete (client, &path, &ignored);
        buf_free (&path);
    } else {
        fprintf (stderr, "%s: the secret of %s is written\n", file,
                 json_text_or (token, "name", "?"));
        json_object_del (token, "secret");
    }
    return rc;
}

static void put (json_t *body, const char *name, const char *text) {
    if (text)
        json_object_set_new (body, name, json_string (text));
}

static enum err make (const struct cli *cli, struct client *client,
                      json_t *body, const char *out, struct error *e) {
    struct buf path = { 0 };
    json_t *token = NULL;
    char *text = json_dumps (body, JSON_COMPACT);
    client_path (&path, "/api/v1/tokens");
    enum err rc = text ? client_post (client, &path, "application/json",
                                      slice_text (text), NULL, &token, e)
                       : error_set (e, ERR_MALFORMED, "a word is no UTF-8");
    if (!rc && out)
        rc = write_secret (client, token, out, e);
    if (!rc && cli->json)
        cli_print_json (json_incref (token));
    else if (!rc && !out)
        say_made (token);
    json_decref (token);
    free (text);
    buf_free (&path);
    return rc;
}

int command_token_new (struct cli *cli, int argc, char **argv) {
    static struct words words, roles;
    const char *user = NULL, *function = NULL, *expires = NULL, *out = NULL;
    const struct option_spec specs[] = { { "role", OPTION_EACH, &roles },
                                         { "user", OPTION_TEXT, &user },
                                         { "function", OPTION_TEXT, &function },
                                         { "expires", OPTION_TEXT, &expires },
                                         { "out", OPTION_TEXT, &out },
                                         { 0 } };
    struct error e;
    struct buf role = { 0 };
    options_read (cli, argc, argv, new_usage, specs, &words, 1, 1);
    if (roles.count == 0)
        options_refuse (new_usage, "--role is missing: reader, drafter, "
                                   "releaser or operator?");
    for (size_t i = 0; i < roles.count; i++)
        buf_add_format (&role, "%s%s", i ? " " : "", roles.at[i]);
    char *text = buf_take_text (&role);
    json_t *body = json_object();
    put (body, "name", words.at[0]);
    put (body, "role", text);
    put (body, "user", user);
    put (body, "function", function);
    put (body, "expires", expires);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? make (cli, client, body, out, &e) : e.code;
    client_destroy (&client);
    json_decref (body);
    free (text);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* Listing. */

static void when (struct table *table, json_t *object, const char *name,
                  const char *none) {
    struct buf text = { 0 };
    const char *time = json_text (object, name);
    if (time)
        json_moment (&text, time);
    else
        buf_add_text (&text, none);
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

/* The highest ones say enough. */
static void roles_cell (struct table *table, json_t *roles) {
    struct buf text = { 0 };
    size_t i, count = json_array_size (roles);
    json_t *role;
    json_array_foreach (roles, i, role) {
        const char *name = json_string_value (role);
        bool last = i + 1 == count;
        const char *next =
            last ? NULL : json_string_value (json_array_get (roles, i + 1));
        bool above =
            last || !name || !next
            || (strcmp (next, "operator") == 0 && strcmp (name, "reader") != 0);
        if (name && above)
            buf_add_format (&text, "%s%s", text.size ? ", " : "", name);
    }
    table_slice (table, text.size ? buf_slice (&text) : slice_text ("none"));
    buf_free (&text);
}

static void say_tokens (const void *arg, json_t *answer) {
    static const char *const heads[] = { "NAME",    "ROLE",      "USER",
                                         "EXPIRES", "LAST USED", "REVOKED",
                                         "MADE BY", "FUNCTION",  NULL };
    json_t *one;
    size_t i;
    (void) arg;
    struct table *table = table_new (heads);
    json_array_foreach (json_object_get (answer, "tokens"), i, one) {
        table_cell (table, json_text (one, "name"));
        roles_cell (table, json_object_get (one, "roles"));
        table_cell (table, json_text_or (one, "user", "-"));
        when (table, one, "expires", "never");
        table_cell (table, json_text_or (one, "last_used", "never"));
        when (table, one, "revoked", "-");
        table_cell (table, json_text (one, "made_by"));
        table_cell (table, json_text (one, "function"));
    }
    if (table_is_empty (table))
        fputs ("parley: no token was given out\n", stderr);
    else
        table_print (table, stdout);
    table_destroy (&table);
}

int command_token_list (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    options_read (cli, argc, argv, list_usage, NULL, &words, 0, 0);
    client_path (&path, "/api/v1/tokens");
    return answer_print (cli, &path, say_tokens, NULL);
}

/* Its end. */

int command_token_revoke (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct error e;
    struct buf path = { 0 };
    options_read (cli, argc, argv, revoke_usage, NULL, &words, 1, 1);
    const char *name = words.at[0];
    if (!*name || strlen (name) > 64 || strpbrk (name, "/?#% "))
        options_refuse (revoke_usage, "'%s' is no name of a token", name);
    client_path (&path, "/api/v1/tokens/%s", name);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_delete (client, &path, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_pack ("{ss sb}", "name", name, "revoked", 1));
    else if (!rc)
        printf ("token %s is revoked\n", name);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* Who one is. */

int command_whoami (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct error e;
    struct buf path = { 0 }, roles = { 0 };
    json_t *status = NULL;
    options_read (cli, argc, argv, whoami_usage, NULL, &words, 0, 0);
    client_path (&path, "/api/v1/status");
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_get (client, &path, 0, &status, &e) : e.code;
    json_t *you = json_object_get (status, "you");
    if (!rc && cli->json)
        cli_print_json (json_incref (you));
    else if (!rc) {
        const char *function = json_text (you, "function");
        json_join (&roles, json_object_get (you, "roles"));
        printf ("%s at the agent of %s: %.*s%s%s\n",
                json_text_or (you, "name", "?"),
                json_text_or (status, "delegation", "?"), (int) roles.size,
                (const char *) roles.data, function ? "; messages bear: " : "",
                function ? function : "");
    }
    buf_free (&roles);
    buf_free (&path);
    json_decref (status);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* Who did what. */

static void number_cell (struct table *table, json_t *act, const char *name) {
    int64_t number = json_int (act, name, 0);
    if (number > 0)
        table_int (table, number);
    else
        table_cell (table, "");
}

static void say_acts (const void *arg, json_t *answer) {
    static const char *const heads[] = { "NUMBER", "WHEN",  "WHO",     "DID",
                                         "DRAFT",  "ENTRY", "SUBJECT", NULL };
    json_t *one;
    size_t i;
    (void) arg;
    struct table *table = table_new (heads);
    json_array_foreach (json_object_get (answer, "acts"), i, one) {
        table_int (table, json_int (one, "number", -1));
        when (table, one, "time", "?");
        table_cell (table, json_text (one, "user"));
        table_cell (table, json_text (one, "what"));
        number_cell (table, one, "draft");
        number_cell (table, one, "entry");
        table_cell (table, json_text (one, "subject"));
    }
    if (table_is_empty (table))
        fputs ("parley: nothing was done yet\n", stderr);
    else
        table_print (table, stdout);
    table_destroy (&table);
    if (json_int (answer, "next", -1) > 0)
        printf ("\nolder ones: --before %" PRId64 "\n",
                json_int (answer, "next", -1));
}

int command_acts (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *before = NULL, *limit = NULL;
    const struct option_spec specs[] = { { "before", OPTION_TEXT, &before },
                                         { "limit", OPTION_TEXT, &limit },
                                         { 0 } };
    struct buf path = { 0 };
    options_read (cli, argc, argv, acts_usage, specs, &words, 0, 0);
    client_path (&path, "/api/v1/acts");
    answer_query (&path, specs, 2);
    return answer_print (cli, &path, say_acts, NULL);
}
