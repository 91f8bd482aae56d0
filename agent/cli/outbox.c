/* outbox - what was given to the agent and what became of it. */
#include "client.h"
#include "files.h"
#include "entry.h"
#include "options.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char list_usage[] =
    "usage: parley outbox list [--state STATE]\n"
    "\n"
    "List what was given to the agent: waiting, sent, promised, done, refused\n"
    "and cancelled messages, or those of one state.\n"
    "\n"
    "Example: parley outbox list --state waiting\n";

static const char show_usage[] = "usage: parley outbox show NUMBER\n"
                                 "\n"
                                 "Show one message of the outbox.\n"
                                 "\n"
                                 "Example: parley outbox show 3\n";

static const char cancel_usage[] =
    "usage: parley outbox cancel NUMBER\n"
    "\n"
    "Take back a message that was not sent yet. One that was sent is refused:\n"
    "the broker may have recorded it.\n"
    "\n"
    "Example: parley outbox cancel 3\n";

static void add_row (struct table *table, json_t *entry) {
    struct buf outcome = { 0 };
    json_t *refusal = json_object_get (entry, "refusal");
    int64_t sequence = json_int (entry, "sequence", -1);
    if (sequence >= 0)
        buf_add_format (&outcome, "record %" PRId64, sequence);
    else if (json_is_object (refusal))
        json_refusal (&outcome, refusal);
    table_int (table, json_int (entry, "number", -1));
    table_cell (table, json_text (entry, "state"));
    table_cell (table, json_text (entry, "created"));
    table_int (table, json_int (entry, "octets", 0));
    table_slice (table, buf_slice (&outcome));
    table_cell (table, json_text (entry, "topic"));
    buf_free (&outcome);
}

/* Every page's entries. */
static enum err list_all (struct client *client, const struct cli *cli,
                          const char *state, struct table *table,
                          struct error *e) {
    struct buf path = { 0 };
    enum err rc = ERR_NONE;
    for (int64_t after = 0; after >= 0 && !rc;) {
        json_t *page = NULL, *entry;
        size_t i;
        client_path (&path, "/api/v1/outbox");
        client_query (&path, "state", state);
        client_query_int (&path, "after", after);
        rc = client_get (client, &path, 0, &page, e);
        json_array_foreach (json_object_get (page, "entries"), i, entry) {
            if (cli->json)
                cli_print_json (json_incref (entry));
            else
                add_row (table, entry);
        }
        int64_t next = json_int (page, "next", -1);
        after = next > after ? next : -1;
        json_decref (page);
    }
    buf_free (&path);
    return rc;
}

int command_outbox_list (struct cli *cli, int argc, char **argv) {
    static const char *const heads[] = { "NUMBER", "STATE",   "CREATED",
                                         "OCTETS", "OUTCOME", "TOPIC",
                                         NULL };
    const char *state = NULL;
    static struct words words;
    const struct option_spec specs[] = { { "state", OPTION_TEXT, &state },
                                         { 0 } };
    struct error e;
    options_read (cli, argc, argv, list_usage, specs, &words, 0, 0);
    struct client *client = client_new (cli, &e);
    if (!client)
        return cli_fail (&e);
    struct table *table = table_new (heads);
    enum err rc = list_all (client, cli, state, table, &e);
    if (!rc && !table_is_empty (table))
        table_print (table, stdout);
    else if (!rc && !cli->json)
        fprintf (stderr, "parley: no message%s%s\n", state ? " is " : "",
                 state ? state : " was given to the agent yet");
    table_destroy (&table);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* The path of the one entry that is named. */
static void take_number (const char *text, const char *usage,
                         struct buf *path) {
    if (strspn (text, "0123456789") != strlen (text) || strlen (text) > 16
        || !text[0])
        options_refuse (usage, "'%s' is no number of the outbox", text);
    client_path (path, "/api/v1/outbox/%s", text);
}

static void print_entry (json_t *entry) {
    static const char *const heads[] = { "", "", NULL };
    const char *name;
    json_t *value;
    struct table *table = table_new (heads);
    json_object_foreach (entry, name, value) {
        struct buf text = { 0 };
        if (json_is_null (value) || json_is_false (value)
            || (json_is_array (value) && json_array_size (value) == 0))
            continue;
        if (strcmp (name, "refusal") == 0)
            json_refusal (&text, value);
        else if (json_is_array (value))
            json_join (&text, value);
        else
            json_line (&text, value);
        table_cell (table, name);
        table_slice (table, buf_slice (&text));
        buf_free (&text);
    }
    table_print (table, stdout);
    table_destroy (&table);
}

int command_outbox_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    json_t *entry = NULL;
    struct error e;
    options_read (cli, argc, argv, show_usage, NULL, &words, 1, 1);
    take_number (words.at[0], show_usage, &path);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_get (client, &path, 0, &entry, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_incref (entry));
    else if (!rc)
        print_entry (entry);
    json_decref (entry);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

static const char promise_usage[] =
    "usage: parley outbox promise NUMBER --out FILE\n"
    "\n"
    "Write the broker's promise of a message: what it signed, with the path "
    "that\n"
    "proves this message's place in it. Check it with parley verify FILE "
    "--roster\n"
    "NOTE. The ledger has to keep it: where it does not, promise and "
    "checkpoint\n"
    "together are evidence.\n"
    "\n"
    "Example: parley outbox promise 12 --out 12.promise\n";

int command_outbox_promise (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *out = NULL;
    const struct option_spec specs[] = { { "out", OPTION_TEXT, &out }, { 0 } };
    struct buf path = { 0 }, octets = { 0 };
    struct error e;
    options_read (cli, argc, argv, promise_usage, specs, &words, 1, 1);
    if (!out)
        options_refuse (promise_usage, "where to? --out FILE");
    take_number (words.at[0], promise_usage, &path);
    buf_add_text (&path, "/promise");
    struct client *client = client_new (cli, &e);
    enum err rc =
        client ? client_get_octets (client, &path, 65536, &octets, &e) : e.code;
    if (!rc)
        rc = file_write (out, buf_slice (&octets), false, &e);
    buf_free (&path);
    buf_free (&octets);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

int command_outbox_cancel (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    struct error e;
    options_read (cli, argc, argv, cancel_usage, NULL, &words, 1, 1);
    take_number (words.at[0], cancel_usage, &path);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_delete (client, &path, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_pack ("{s:I,s:s}", "number",
                                   (json_int_t) strtoll (words.at[0], NULL, 10),
                                   "state", "cancelled"));
    else if (!rc)
        printf ("outbox %s: cancelled\n", words.at[0]);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}
