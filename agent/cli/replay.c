/* replay - what the ledger held when it was asked, and one record of it. */
#include "audience.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/topic.h"
#include "client.h"
#include "options.h"
#include "record_print.h"

#include <inttypes.h>
#include <stdlib.h>

#define PAGE 500 /* or fewer: the agent ends a page at some megabytes */

static const char usage[] =
    "usage: parley replay FILTER [--since RECORD|TIME] [--until RECORD|TIME]\n"
    "                     [--author NAME] [--log]\n"
    "\n"
    "Print the records that match FILTER in the ledger's order, a line each,\n"
    "and end: what arrives after the start is not waited for. Digits are a\n"
    "record's number, all else is a time such as 2026-01-31 or\n"
    "2026-01-31T08:00:00Z; both ends are printed too. NAME is an entity or a\n"
    "delegation. In a filter + stands for one level and # for the rest. --log\n"
    "adds rosters and marks.\n"
    "\n"
    "Example: parley replay 'members/plan/#' --since 2026-01-01\n";

static const char show_usage[] =
    "usage: parley show RECORD|ID\n"
    "\n"
    "Show one record of the ledger, by its number or its message's id, with\n"
    "its content, whether the agent holds a promise of it, and which\n"
    "delegations said that they verified or saw it.\n"
    "\n"
    "Example: parley show 17\n";

struct replay {
    const char *filter, *author;
    const char *since, *until; /* times, or NULL */
    int64_t from, to;          /* sequences; to -1: no end */
    bool log;
};

static bool is_sequence (const char *text) {
    return text[0] && strspn (text, "0123456789") == strlen (text)
           && strlen (text) <= 16;
}

/* A bound: a sequence or a time. */
static void take_bound (const char *option, const char *text, int64_t *sequence,
                        const char **time) {
    int64_t ms;
    if (!text)
        return;
    if (is_sequence (text))
        *sequence = strtoll (text, NULL, 10);
    else if (clock_parse (text, &ms) == 0)
        *time = text;
    else
        options_refuse (usage,
                        "%s '%s' is no record's number, and no time such as "
                        "2026-01-31 or 2026-01-31T08:00:00Z",
                        option, text);
}

/* Where the ledger ends now, as far as the agent knows: the broker's size, and
 * the record that arrived last. It bounds a replay beside a busy dialogue. */
static enum err find_end (struct client *client, const char *filter,
                          int64_t *end, struct error *e) {
    struct buf path = { 0 };
    json_t *status = NULL, *page = NULL;
    client_path (&path, "/api/v1/status");
    enum err rc = client_get (client, &path, 0, &status, e);
    if (!rc) {
        audience_warn (status, filter);
        int64_t position = json_int (status, "position", 0);
        int64_t size = json_int (json_object_get (status, "broker"), "size", 0);
        *end = size - 1;
        client_path (&path, "/api/v1/records");
        client_query_int (&path, "after", position > 0 ? position - 1 : 0);
        client_query (&path, "order", "position");
        client_query (&path, "log", "1");
        client_query_int (&path, "limit", 1);
        rc = client_get (client, &path, 0, &page, e);
    }
    if (!rc) {
        json_t *last = json_array_get (json_object_get (page, "records"), 0);
        int64_t sequence = json_int (last, "sequence", -1);
        *end = sequence > *end ? sequence : *end;
    }
    json_decref (status);
    json_decref (page);
    buf_free (&path);
    return rc;
}

static void records_path (struct buf *path, const struct replay *self,
                          int64_t from) {
    client_path (path, "/api/v1/records");
    client_query (path, "filter", self->filter);
    client_query (path, "author", self->author);
    client_query (path, "order", "sequence");
    client_query_int (path, "from", from);
    if (self->to >= 0)
        client_query_int (path, "to", self->to);
    client_query (path, "since", self->since);
    client_query (path, "until", self->until);
    if (self->log)
        client_query (path, "log", "1");
}

/* The agent's lines are ours: one JSON object each. */
static enum err take_lines (void *arg, struct slice octets, struct error *e) {
    (void) arg;
    fwrite (octets.data, 1, octets.size, stdout);
    return ferror (stdout)
               ? error_set (e, ERR_IO, "standard output can't be written")
               : ERR_NONE;
}

static enum err pass_all (struct client *client, const struct replay *self,
                          struct error *e) {
    struct buf path = { 0 };
    records_path (&path, self, self->from);
    enum err rc = client_stream_type (client, &path, "application/x-ndjson",
                                      take_lines, NULL, e);
    buf_free (&path);
    fflush (stdout);
    return ferror (stdout) ? ERR_NONE : rc; /* it is said at the end */
}

static enum err get_page (struct client *client, const struct replay *self,
                          int64_t from, json_t **page, struct error *e) {
    struct buf path = { 0 };
    records_path (&path, self, from);
    client_query_int (&path, "limit", PAGE);
    enum err rc = client_get (client, &path, 0, page, e);
    buf_free (&path);
    return rc;
}

static enum err print_all (const struct cli *cli, struct client *client,
                           const struct replay *self, struct error *e) {
    int64_t from = self->from;
    bool any = false;
    for (;;) {
        json_t *page, *record;
        size_t i;
        enum err rc = get_page (client, self, from, &page, e);
        if (rc)
            return rc;
        json_array_foreach (json_object_get (page, "records"), i, record)
            record_print_line (cli, record);
        any = any || i > 0;
        int64_t next = json_int (page, "next", -1);
        json_decref (page);
        if (next <= from || ferror (stdout))
            break;
        from = next;
    }
    if (!any && !cli->json)
        fprintf (stderr, "parley: nothing matches '%s'\n", self->filter);
    return ERR_NONE;
}

int command_replay (struct cli *cli, int argc, char **argv) {
    const char *since = NULL, *until = NULL;
    struct replay self = { .to = -1 };
    static struct words words;
    const struct option_spec specs[] = { { "since", OPTION_TEXT, &since },
                                         { "until", OPTION_TEXT, &until },
                                         { "author", OPTION_TEXT,
                                           &self.author },
                                         { "log", OPTION_FLAG, &self.log },
                                         { 0 } };
    struct error e;
    int64_t end = -1;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    self.filter = words.at[0];
    if (filter_check (slice_text (self.filter), &e))
        options_refuse (usage, "filter '%s': %s", self.filter, e.text);
    take_bound ("--since", since, &self.from, &self.since);
    take_bound ("--until", until, &self.to, &self.until);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? find_end (client, self.filter, &end, &e) : e.code;
    if (!rc && (self.to < 0 || self.to > end))
        self.to = end;
    if (!rc && self.to >= 0)
        rc = cli->json ? pass_all (client, &self, &e)
                       : print_all (cli, client, &self, &e);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

int command_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    struct hash id;
    struct error e;
    json_t *record = NULL;
    options_read (cli, argc, argv, show_usage, NULL, &words, 1, 1);
    const char *which = words.at[0];
    if (!is_sequence (which) && hash_parse (which, &id))
        options_refuse (show_usage,
                        "'%s' is no record's number and no message id", which);
    struct client *client = client_new (cli, &e);
    client_path (&path, "/api/v1/records/%s", which);
    enum err rc = client ? client_get (client, &path, 0, &record, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_incref (record));
    else if (!rc)
        record_print_whole (record);
    json_decref (record);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}
