/* status - how the agent is, and what it was refused. */
#include "base/clock.h"
#include "client.h"
#include "json.h"
#include "options.h"
#include "table.h"

#include <inttypes.h>
#include <string.h>

#define YOUNG_MS 30000 /* what a first start has for its first checkpoint */

static const char usage[] =
    "usage: parley status [--acknowledge NUMBER | --retry | --resume]\n"
    "\n"
    "Show how the agent is: its link to the broker, the roster, up to where "
    "all\n"
    "is there that it may read, what witnesses settled, the outbox, and what "
    "it\n"
    "noticed. The exit code is 8 where an alarm stands that nobody "
    "acknowledged,\n"
    "or the agent is not current (at its very first start half a minute "
    "later);\n"
    "else 0.\n"
    "\n"
    "  --acknowledge NUMBER  you have looked at this notice: it stays listed, "
    "and\n"
    "                        alarms no more\n"
    "  --retry               try now to reach the broker, whatever the "
    "back-off\n"
    "  --resume              cosign again, though evidence against the broker "
    "is\n"
    "                        held: your body vouches again for what it "
    "checked\n"
    "                        from here on. The evidence is kept. Of a store "
    "that is\n"
    "                        older than what it cosigned: compare checkpoints "
    "with\n"
    "                        the other bodies before (parley checkpoint "
    "compare)\n"
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

/* Up to where all is there that may be read, in words. */
static void add_complete (struct table *table, json_t *status) {
    json_t *complete = json_object_get (status, "complete_upto");
    const char *lacks = json_text (status, "lacks");
    struct buf text = { 0 };
    table_cell (table, "complete");
    if (json_is_object (complete)) {
        buf_add_text (&text, "up to ");
        json_moment (&text, json_text (complete, "time"));
        buf_add_format (&text, " (record %" PRId64 ")",
                        json_int (complete, "sequence", -1));
    } else
        buf_add_text (&text,
                      json_array_size (json_object_get (status, "streams")) == 0
                          ? "not known: no broker was heard yet"
                          : "not known yet");
    table_slice (table, buf_slice (&text));
    buf_free (&text);
    if (lacks) {
        table_cell (table, "missing");
        table_cell (table, lacks);
    }
}

static void add_settled (struct table *table, json_t *status) {
    json_t *settled = json_at (status, "ledger", "settled", NULL);
    struct buf text = { 0 };
    int64_t witnesses = json_int (settled, "witnesses", 0);
    table_cell (table, "settled");
    if (!json_is_object (settled)) {
        table_cell (table, "nothing yet");
        return;
    }
    buf_add_format (&text, "up to record %" PRId64 " by ",
                    json_int (settled, "size", 0) - 1);
    if (json_int (settled, "quorum", 0) > 0)
        buf_add_format (&text, "%" PRId64 " of %" PRId64 " witnesses, ",
                        json_int (settled, "cosigned", 0), witnesses);
    else
        buf_add_text (&text, "the broker's word alone, ");
    json_span (&text, json_text (settled, "time"), json_text (status, "now"));
    buf_add_text (&text, " ago");
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

static void add_ledger (struct table *table, json_t *status) {
    json_t *ledger = json_object_get (status, "ledger");
    bool stopped = json_is_true (json_object_get (ledger, "stopped"));
    int64_t cosigned = json_int (ledger, "cosigned", -1);
    const char *stale = json_text (ledger, "stale");
    add_settled (table, status);
    if (stale) {
        table_cell (table, "stale");
        table_cell (table, stale);
    }
    if (!json_is_true (json_object_get (ledger, "witness")))
        return;
    table_cell (table, "witness");
    if (stopped)
        table_cell (table, json_is_true (json_object_get (ledger, "older"))
                               ? "cosigns nothing: this store is older than "
                                 "what it cosigned; parley status --help says "
                                 "how to go on"
                               : "cosigns nothing: evidence against the broker "
                                 "is held; parley status --help says how to go "
                                 "on");
    else if (cosigned < 0)
        table_cell (table, "cosigned nothing yet");
    else
        table_format (table, "cosigned up to record %" PRId64, cosigned - 1);
}

/* It was started just now, and nothing has settled that it knows of. */
static bool is_young (json_t *status) {
    int64_t started;
    return json_is_null (json_at (status, "ledger", "settled", NULL))
           && !clock_parse (json_text_or (status, "started", ""), &started)
           && clock_wall_ms() - started < YOUNG_MS;
}

/* An alarm that nobody acknowledged, or not current. */
static bool is_alarming (json_t *status) {
    json_t *ledger = json_object_get (status, "ledger");
    return json_int (ledger, "alarms", 0) > 0
           || (json_is_false (json_object_get (ledger, "current"))
               && !is_young (status));
}

/* What is derived of plans. */
static void add_plans (struct table *table, json_t *status) {
    json_t *plans = json_object_get (status, "plans");
    if (!json_is_object (plans))
        return;
    struct buf text = { 0 };
    buf_add_format (&text, "%" PRId64 " at record %" PRId64,
                    json_int (plans, "plans", 0), json_int (plans, "mark", 0));
    static const char *const others[] = { "withdrawn", "quarantined", NULL };
    for (const char *const *name = others; *name; name++)
        if (json_int (plans, *name, 0) > 0)
            buf_add_format (&text, ", %" PRId64 " %s",
                            json_int (plans, *name, 0), *name);
    if (json_int (plans, "newer", 0) > 0)
        buf_add_format (&text, ", %" PRId64 " that need a newer version",
                        json_int (plans, "newer", 0));
    if (json_int (plans, "newer", 0) + json_int (plans, "quarantined", 0) > 0)
        buf_add_text (&text, " (parley plan quarantine)");
    table_cell (table, "plans");
    table_slice (table, buf_slice (&text));
    buf_free (&text);
    table_cell (table, "derived");
    table_format (table,
                  "digest %.16s... of %" PRId64 " records, taxonomy version "
                  "%" PRId64,
                  json_text_or (json_object_get (plans, "digests"), "all", "?"),
                  json_int (json_object_get (plans, "records"), "count", 0),
                  json_int (json_object_get (plans, "taxonomy"), "version", 0));
}

/* What is derived of threads, and by which clock. */
static void add_threads (struct table *table, json_t *status) {
    json_t *threads =
        json_object_get (json_object_get (status, "plans"), "threads");
    if (!json_is_object (threads))
        return;
    struct buf text = { 0 };
    buf_add_format (&text, "%" PRId64 ", %" PRId64 " of them open",
                    json_int (threads, "count", 0),
                    json_int (threads, "open", 0));
    if (json_int (threads, "quarantined", 0) > 0)
        buf_add_format (&text, ", %" PRId64 " messages quarantined",
                        json_int (threads, "quarantined", 0));
    if (json_int (threads, "newer", 0) > 0)
        buf_add_format (&text, ", %" PRId64 " that need a newer version",
                        json_int (threads, "newer", 0));
    buf_add_format (
        &text, "; digest %.16s... of %" PRId64 " records",
        json_text_or (threads, "digest", "?"),
        json_int (json_object_get (threads, "records"), "count", 0));
    table_cell (table, "threads");
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

/* Who asked, as the agent knows him. */
static void add_you (struct table *table, json_t *status) {
    json_t *you = json_object_get (status, "you");
    struct buf roles = { 0 };
    if (!json_is_object (you))
        return;
    json_join (&roles, json_object_get (you, "roles"));
    table_cell (table, "you");
    table_format (table, "%s: %.*s", json_text_or (you, "name", "?"),
                  (int) roles.size, (const char *) roles.data);
    buf_free (&roles);
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
    add_ledger (table, status);
    add_plans (table, status);
    add_threads (table, status);
    add_outbox (table, status);
    add_you (table, status);
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

static void add_notice (struct table *table, json_t *notice) {
    bool alarm = json_is_true (json_object_get (notice, "alarm"));
    const char *seen = json_text (notice, "acknowledged");
    struct buf text = { 0 };
    table_int (table, json_int (notice, "number", 0));
    table_cell (table, json_text (notice, "time"));
    table_format (table, "%s%s", alarm && !seen ? "ALARM " : "",
                  json_text_or (notice, "kind", "?"));
    table_int (table, json_int (notice, "count", 1));
    json_line (&text, json_object_get (notice, "text"));
    if (seen) {
        buf_add_text (&text, " (acknowledged ");
        json_moment (&text, seen);
        buf_add_text (&text, ")");
    }
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

static void print_notices (json_t *status) {
    static const char *const heads[] = { "NUMBER", "NOTICED", "KIND",
                                         "TIMES",  "WHAT",    NULL };
    struct table *table = table_new (heads);
    size_t i;
    json_t *notice;
    json_array_foreach (json_object_get (status, "notices"), i, notice)
        add_notice (table, notice);
    if (i > 0) {
        putchar ('\n');
        table_print (table, stdout);
    }
    table_destroy (&table);
    if (json_int (json_object_get (status, "ledger"), "alarms", 0) > 0)
        puts ("\nALARM: tell the broker's operator and the other bodies. What "
              "one rests on is\n"
              "kept: parley evidence NUMBER --out FILE. Where that convinces "
              "nobody, say it in\n"
              "your own name: parley complain NUMBER --channel CHANNEL. Once "
              "you have looked\n"
              "at it: parley status --acknowledge NUMBER.");
}

static enum err show (struct cli *cli, struct client *client, int *code,
                      struct error *e) {
    struct buf path = { 0 };
    json_t *status = NULL;
    client_path (&path, "/api/v1/status");
    enum err rc = client_get (client, &path, 0, &status, e);
    if (!rc)
        *code = is_alarming (status) ? CLI_ALARM : CLI_FINE;
    if (!rc && cli->json)
        cli_print_json (json_incref (status));
    else if (!rc) {
        print_head (status);
        print_streams (json_object_get (status, "streams"));
        print_notices (status);
    }
    json_decref (status);
    buf_free (&path);
    return rc;
}

/* What the operator says. */
static enum err tell (struct client *client, const char *number, bool retry,
                      struct error *e) {
    struct buf path = { 0 };
    if (number)
        client_path (&path, "/api/v1/notices/%s/acknowledge", number);
    else
        client_path (&path, "/api/v1/%s",
                     retry ? "link/retry" : "witness/resume");
    enum err rc = client_tell (client, &path, e);
    buf_free (&path);
    if (!rc)
        fputs (number  ? "parley: acknowledged; it stays listed\n"
               : retry ? "parley: the agent tries now\n"
                       : "parley: the agent cosigns again what it has checked; "
                         "the evidence is kept\n",
               stderr);
    return rc;
}

int command_status (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *number = NULL;
    bool retry = false, resume = false;
    const struct option_spec specs[] = {
        { "acknowledge", OPTION_TEXT, &number },
        { "retry", OPTION_FLAG, &retry },
        { "resume", OPTION_FLAG, &resume },
        { 0 },
    };
    int code = CLI_FINE;
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 0, 0);
    if ((number != NULL) + retry + resume > 1)
        options_refuse (usage, "one of --acknowledge, --retry and --resume");
    if (number && (!*number || number[strspn (number, "0123456789")]))
        options_refuse (usage, "--acknowledge '%s': not a number", number);
    struct client *client = client_new (cli, &e);
    enum err rc = ERR_NONE;
    if (!client)
        rc = e.code;
    else if (number || retry || resume)
        rc = tell (client, number, retry, &e);
    else
        rc = show (cli, client, &code, &e);
    client_destroy (&client);
    return rc ? cli_fail (&e) : code;
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
