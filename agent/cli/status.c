/* status - how the agent is, and what it was refused. */
#include "client.h"
#include "json.h"
#include "options.h"
#include "table.h"

#include <inttypes.h>
#include <string.h>

static const char usage[] =
    "usage: parley status\n"
    "\n"
    "Show how the agent is: its link to the broker, the roster, how complete\n"
    "each stream is, the outbox, and what it noticed. The exit code is 0\n"
    "whenever the agent answers.\n"
    "\n"
    "Example: parley status\n";

static const char refusals_usage[] =
    "usage: parley refusals\n"
    "\n"
    "List what the broker refused for good, with the rule and its values. The\n"
    "agent keeps the signed refusals; parley audit export takes them out.\n"
    "\n"
    "Example: parley refusals\n";

static void field (struct table *table, const char *name, json_t *value) {
    struct buf text = { 0 };
    json_line (&text, value);
    table_cell (table, name);
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

static void add_link (struct table *table, json_t *status) {
    json_t *link = json_object_get (status, "link");
    json_t *error = json_object_get (link, "last_error");
    table_cell (table, "link");
    table_format (
        table, "%s since %s, desk %s", json_text_or (link, "state", "?"),
        json_text_or (link, "since", "?"), json_text_or (link, "desk", "none"));
    if (json_is_string (error) && json_string_length (error) > 0)
        field (table, "last error", error);
    if (json_int (link, "retry_in_ms", 0) > 0) {
        table_cell (table, "next try");
        table_format (table, "in %" PRId64 " ms",
                      json_int (link, "retry_in_ms", 0));
    }
}

static bool is_ready (json_t *status) {
    const char *state =
        json_text_or (json_object_get (status, "link"), "state", "");
    return strcmp (state, "ready") == 0;
}

static void add_broker (struct table *table, json_t *status) {
    json_t *broker = json_object_get (status, "broker");
    const char *closed = json_text (broker, "closed");
    table_cell (table, "broker");
    table_format (table, "%s%" PRId64 " records, log time %s%s%s",
                  is_ready (status) ? "" : "not connected; had ",
                  json_int (broker, "size", 0),
                  json_text_or (broker, "log_time", "none"),
                  closed ? ", takes no messages: " : "", closed ? closed : "");
}

static void add_outbox (struct table *table, json_t *status) {
    struct buf text = { 0 };
    const char *name;
    json_t *count;
    json_object_foreach (json_object_get (status, "outbox"), name, count) {
        buf_add_format (&text, "%s%s ", text.size ? ", " : "", name);
        json_line (&text, count);
    }
    table_cell (table, "outbox");
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

/* Whether anything is missing, in words. Before checkpoints what the streams
 * hold is the broker's word, so no place of the ledger is named. */
static void add_complete (struct table *table, json_t *status) {
    const json_t *place = json_object_get (status, "complete_upto");
    int64_t behind = 0;
    size_t i;
    json_t *stream, *streams = json_object_get (status, "streams");
    json_array_foreach (streams, i, stream) behind +=
        json_int (stream, "behind", 0);
    table_cell (table, "complete");
    if (json_is_integer (place))
        table_format (table, "up to record %" PRId64,
                      (int64_t) json_integer_value (place));
    else if (json_array_size (streams) == 0)
        table_cell (table, "not known: no broker was heard yet");
    else if (behind > 0)
        table_format (table, "no: %" PRId64 " records are still to come",
                      behind);
    else
        table_format (table, "nothing is missing, as far as the broker %s",
                      is_ready (status) ? "says" : "said before");
}

static void print_head (json_t *status) {
    static const char *const heads[] = { "", "", NULL };
    struct table *table = table_new (heads);
    field (table, "delegation", json_object_get (status, "delegation"));
    field (table, "dialogue", json_object_get (status, "name"));
    field (table, "id", json_object_get (status, "dialogue"));
    table_cell (table, "agent");
    table_format (table, "%s %s, started %s",
                  json_text_or (status, "program", "?"),
                  json_text_or (status, "version", ""),
                  json_text_or (status, "started", "?"));
    add_link (table, status);
    add_broker (table, status);
    table_cell (table, "roster");
    table_format (
        table, "version %" PRId64 ", digest %.16s...",
        json_int (json_object_get (status, "roster"), "version", 0),
        json_text_or (json_object_get (status, "roster"), "digest", "?"));
    table_cell (table, "records");
    table_format (table, "%" PRId64 " held", json_int (status, "records", 0));
    add_complete (table, status);
    add_outbox (table, status);
    table_print (table, stdout);
    table_destroy (&table);
}

static void print_streams (json_t *streams) {
    static const char *const heads[] = { "STREAM", "HELD",  "LAST",
                                         "BEHIND", "HEARD", NULL };
    struct table *table = table_new (heads);
    size_t i;
    json_t *stream;
    json_array_foreach (streams, i, stream) {
        table_cell (table, json_text (stream, "name"));
        table_int (table, json_int (stream, "upto", 0));
        table_int (table, json_int (stream, "last", 0));
        table_int (table, json_int (stream, "behind", 0));
        table_cell (table, json_text_or (stream, "heard", "never"));
    }
    if (i > 0) {
        putchar ('\n');
        table_print (table, stdout);
    }
    table_destroy (&table);
}

static void print_notices (json_t *notices) {
    static const char *const heads[] = { "NOTICED", "KIND", "TIMES", "WHAT",
                                         NULL };
    struct table *table = table_new (heads);
    size_t i;
    bool any = false;
    json_t *notice;
    json_array_foreach (notices, i, notice) {
        bool alarm = json_is_true (json_object_get (notice, "alarm"));
        any = any || alarm;
        table_cell (table, json_text (notice, "time"));
        table_format (table, "%s%s", alarm ? "ALARM " : "",
                      json_text_or (notice, "kind", "?"));
        table_int (table, json_int (notice, "count", 1));
        table_cell (table, json_text (notice, "text"));
    }
    if (i > 0) {
        putchar ('\n');
        table_print (table, stdout);
    }
    if (any)
        puts ("\nALARM: tell the broker's operator and the other bodies. "
              "What proves it is kept; parley audit export\n"
              "takes it out.");
    table_destroy (&table);
}

int command_status (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    json_t *status = NULL;
    struct error e;
    options_read (cli, argc, argv, usage, NULL, &words, 0, 0);
    struct client *client = client_new (cli, &e);
    client_path (&path, "/api/v1/status");
    enum err rc = client ? client_get (client, &path, 0, &status, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_incref (status));
    else if (!rc) {
        print_head (status);
        print_streams (json_object_get (status, "streams"));
        print_notices (json_object_get (status, "notices"));
    }
    json_decref (status);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* Refusals. */

static void add_refusal (struct table *table, json_t *refusal) {
    struct buf text = { 0 };
    json_refusal (&text, refusal);
    table_int (table, json_int (refusal, "number", -1));
    table_cell (table, json_text (refusal, "time"));
    table_cell (table, json_text (refusal, "topic"));
    table_slice (table, buf_slice (&text));
    table_cell (table, json_text (refusal, "id"));
    buf_free (&text);
}

static enum err list_refusals (struct client *client, const struct cli *cli,
                               struct table *table, struct error *e) {
    struct buf path = { 0 };
    enum err rc = ERR_NONE;
    for (int64_t after = 0; after >= 0 && !rc;) {
        json_t *page = NULL, *refusal;
        size_t i;
        client_path (&path, "/api/v1/refusals");
        client_query_int (&path, "after", after);
        rc = client_get (client, &path, 0, &page, e);
        json_array_foreach (json_object_get (page, "refusals"), i, refusal) {
            if (cli->json)
                cli_print_json (json_incref (refusal));
            else
                add_refusal (table, refusal);
        }
        int64_t next = json_int (page, "next", -1);
        after = next > after ? next : -1;
        json_decref (page);
    }
    buf_free (&path);
    return rc;
}

int command_refusals (struct cli *cli, int argc, char **argv) {
    static const char *const heads[] = { "NUMBER", "TIME", "TOPIC",
                                         "RULE",   "ID",   NULL };
    static struct words words;
    struct error e;
    options_read (cli, argc, argv, refusals_usage, NULL, &words, 0, 0);
    struct client *client = client_new (cli, &e);
    if (!client)
        return cli_fail (&e);
    struct table *table = table_new (heads);
    enum err rc = list_refusals (client, cli, table, &e);
    if (!rc && !table_is_empty (table))
        table_print (table, stdout);
    else if (!rc && !cli->json)
        fputs ("parley: the broker has refused nothing for good\n", stderr);
    table_destroy (&table);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}
