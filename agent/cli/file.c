/* file - files: listed, shown, withdrawn. */
#include "file.h"

#include "answer.h"
#include "audience.h"
#include "base/clock.h"
#include "entry.h"
#include "progress.h"
#include "table.h"
#include "threads/files.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#define WAIT_MS 20000         /* well below what either side gives a request */
#define WAIT_TERMINAL_MS 1000 /* the progress line goes on */
#define PAUSE_MS 100
/* Words */

void file_which_check (const struct file_which *which, const char *usage) {
    if (!file_id_valid (slice_text (which->id)))
        options_refuse (usage,
                        "'%s' is no file's id: %d digits, 0-9 and a-f; parley "
                        "file list shows them",
                        which->id, FILE_ID_SIZE);
}

void file_wait_check (struct file_wait *self, const char *usage) {
    if (!self->timeout)
        return;
    self->timeout_ms = options_timeout (usage, self->timeout);
}

char *file_size_text (char out[FILE_SIZE_TEXT], int64_t octets) {
    if (octets >= 1048576)
        snprintf (out, FILE_SIZE_TEXT, "%.1f MiB", (double) octets / 1048576);
    else if (octets >= 1024)
        snprintf (out, FILE_SIZE_TEXT, "%.1f KiB", (double) octets / 1024);
    else
        snprintf (out, FILE_SIZE_TEXT, "%" PRId64 " octets", octets);
    return out;
}

/* Asking */

static void path_of (struct buf *path, const struct file_which *which) {
    client_path (path, "/api/v1/files/%s", which->id);
    client_query (path, "channel", which->channel);
    client_query (path, "entity", which->entity);
}

static enum err ask_once (struct client *client, const struct file_which *which,
                          const char *wait, int64_t wait_ms, json_t **file_p,
                          struct error *e) {
    struct buf path = { 0 };
    json_t *next;
    path_of (&path, which);
    if (wait) {
        client_query (&path, "wait", wait);
        client_query_int (&path, "timeout_ms", wait_ms);
    }
    enum err rc = client_get (client, &path, wait ? wait_ms : 0, &next, e);
    buf_free (&path);
    if (rc)
        return rc;
    json_decref (*file_p);
    *file_p = next;
    return ERR_NONE;
}

static bool is_over (json_t *file, const char *wait) {
    const char *state = json_text_or (file, "state", "");
    const char *sending =
        json_text_or (json_object_get (file, "sending"), "state", "none");
    if (strcmp (wait, "done") == 0)
        return strcmp (sending, "sending") != 0;
    return strcmp (state, "complete") == 0 || strcmp (state, "withdrawn") == 0;
}

static void progress_draw (struct progress *progress, json_t *file,
                           const char *wait) {
    json_t *sending = json_object_get (file, "sending");
    json_t *parts = json_object_get (file, "parts");
    if (strcmp (wait, "done") == 0)
        progress_show (progress, json_int (sending, "settled", 0),
                       json_int (sending, "messages", 0));
    else
        progress_show (progress, json_int (parts, "held", 0),
                       json_int (parts, "of", 0));
}

static enum err wait_for (struct client *client, const struct file_which *which,
                          const char *wait, const struct file_wait *time,
                          json_t **file, struct error *e) {
    struct progress progress;
    int64_t start = clock_mono_ms(), left = WAIT_MS;
    enum err rc = ERR_NONE;
    progress_start (&progress, strcmp (wait, "done") == 0
                                   ? "messages of it are settled"
                                   : "parts of it are here");
    while (!rc && !is_over (*file, wait)) {
        int64_t asked = clock_mono_ms();
        int64_t step = progress.terminal ? WAIT_TERMINAL_MS : WAIT_MS;
        if (time->timeout_ms)
            left = start + time->timeout_ms - asked;
        if (left <= 0)
            rc = error_set (e, ERR_TIMEOUT,
                            "not %s after %s s; it goes on: parley file show "
                            "%s",
                            wait, time->timeout, which->id);
        else
            rc = ask_once (client, which, wait, left < step ? left : step, file,
                           e);
        if (!rc)
            progress_draw (&progress, *file, wait);
        /* An agent that is about to end answers at once. */
        if (clock_mono_ms() - asked < PAUSE_MS)
            poll (NULL, 0, PAUSE_MS);
    }
    progress_end (&progress);
    return rc;
}

enum err file_ask (struct client *client, const struct file_which *which,
                   const char *wait, const struct file_wait *time,
                   json_t **file, struct error *e) {
    *file = NULL;
    enum err rc = ask_once (client, which, NULL, 0, file, e);
    return rc || !wait ? rc : wait_for (client, which, wait, time, file, e);
}

/* Showing */

static void say_sending (json_t *file) {
    json_t *sending = json_object_get (file, "sending");
    const char *state = json_text_or (sending, "state", "");
    int64_t least = json_int (sending, "least_seconds", 0);
    if (strcmp (state, "sending") == 0)
        printf (
            "  sending: %" PRId64 " of %" PRId64 " messages handed on, %" PRId64
            " promised, %" PRId64 " settled\n",
            json_int (sending, "handed", 0), json_int (sending, "messages", 0),
            json_int (sending, "promised", 0),
            json_int (sending, "settled", 0));
    else if (*state)
        printf ("  sending: %s%s%s\n", state,
                *json_text_or (sending, "why", "") ? ", " : "",
                json_text_or (sending, "why", ""));
    if (least > 5)
        printf ("  the roster's limit of octets a minute makes it take about "
                "%" PRId64 " s more\n",
                least);
}

static void say_said (json_t *file) {
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (file, "said"), i, one) {
        struct buf line = { 0 };
        json_t *problem = json_array_get (json_object_get (one, "problems"), 0);
        buf_add_format (&line, "  record %" PRId64 " by %s: %s",
                        json_int (one, "sequence", -1),
                        json_text_or (one, "author", "?"),
                        json_text_or (one, "kind", "?"));
        if (problem)
            buf_add_format (&line, ": %s %s",
                            json_text_or (problem, "pointer", ""),
                            json_text_or (problem, "text", ""));
        print_text (stdout, (const char *) line.data, line.size);
        buf_free (&line);
    }
}

void file_print (const struct cli *cli, json_t *file) {
    char size[FILE_SIZE_TEXT];
    struct buf line = { 0 };
    json_t *parts = json_object_get (file, "parts");
    if (cli->json) {
        cli_print_json (json_incref (file));
        return;
    }
    buf_add_format (&line, "file %s: %s, %s, %s, %s\n",
                    json_text_or (file, "file", "?"),
                    json_text_or (file, "name", "(name not known yet)"),
                    json_text_or (file, "type", "?"),
                    file_size_text (size, json_int (file, "size", 0)),
                    json_text_or (file, "state", "?"));
    buf_add_format (&line, "  of %s on %s", json_text_or (file, "entity", "?"),
                    json_text_or (file, "channel", "?"));
    if (json_text (file, "time")) {
        buf_add_text (&line, ", ");
        json_moment (&line, json_text (file, "time"));
    }
    if (json_int (parts, "held", 0) < json_int (parts, "of", 0))
        buf_add_format (&line,
                        "\n  %" PRId64 " of its %" PRId64 " parts are here",
                        json_int (parts, "held", 0), json_int (parts, "of", 0));
    if (json_text (file, "sha256"))
        buf_add_format (&line, "\n  SHA-256 %s", json_text (file, "sha256"));
    print_text (stdout, (const char *) line.data, line.size);
    buf_free (&line);
    say_sending (file);
    say_said (file);
    fflush (stdout);
}

static const char usage_show[] =
    "usage: parley file show ID [--channel C] [--entity ENTITY]\n"
    "\n"
    "One file: who sent it, how much of it is here, how far its sending got,\n"
    "and all that was said of it.\n"
    "\n"
    "Example: parley file show 2cf24dba5fb0a30e26e83b2ac5b9e29e\n";

int command_file_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct file_which which = { 0 };
    struct file_wait time = { 0 };
    const struct option_spec specs[] = { FILE_OPTIONS (which), { 0 } };
    struct error e;
    json_t *file = NULL;
    options_read (cli, argc, argv, usage_show, specs, &words, 1, 1);
    which.id = words.at[0];
    file_which_check (&which, usage_show);
    struct client *client = client_new (cli, &e);
    enum err rc =
        client ? file_ask (client, &which, NULL, &time, &file, &e) : e.code;
    if (!rc)
        file_print (cli, file);
    json_decref (file);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* List */

static const char usage_list[] =
    "usage: parley file list [--channel C] [--entity ENTITY] [--state STATE]\n"
    "           [--offset N] [--limit N]\n"
    "\n"
    "Files that are here, the newest first. STATE is complete, incomplete,\n"
    "sending, withdrawn, or all; without it all but the withdrawn ones.\n"
    "\n"
    "Example: parley file list --channel members\n";

static void say_list (const void *arg, json_t *answer) {
    static const char *const heads[] = { "FILE",    "NAME",  "SIZE",
                                         "STATE",   "PARTS", "OF",
                                         "CHANNEL", "WHEN",  NULL };
    json_t *one;
    size_t i;
    (void) arg;
    struct table *table = table_new (heads);
    json_array_foreach (json_object_get (answer, "files"), i, one) {
        char size[FILE_SIZE_TEXT];
        struct buf when = { 0 };
        json_t *parts = json_object_get (one, "parts");
        if (json_text (one, "time"))
            json_moment (&when, json_text (one, "time"));
        table_cell (table, json_text (one, "file"));
        table_cell (table, json_text (one, "name"));
        table_cell (table, file_size_text (size, json_int (one, "size", 0)));
        table_cell (table, json_text (one, "state"));
        table_format (table, "%" PRId64 "/%" PRId64,
                      json_int (parts, "held", 0), json_int (parts, "of", 0));
        table_cell (table, json_text (one, "entity"));
        table_cell (table, json_text (one, "channel"));
        table_slice (table, buf_slice (&when));
        buf_free (&when);
    }
    if (table_is_empty (table))
        fputs ("parley: no such file is here\n", stderr);
    else
        table_print (table, stdout);
    table_destroy (&table);
    if (json_int (answer, "next", -1) >= 0)
        fprintf (stderr, "parley: there are more: --offset %" PRId64 "\n",
                 json_int (answer, "next", 0));
}

int command_file_list (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *channel = NULL, *entity = NULL, *state = NULL, *offset = NULL,
               *limit = NULL;
    const struct option_spec specs[] = { { "channel", OPTION_TEXT, &channel },
                                         { "entity", OPTION_TEXT, &entity },
                                         { "state", OPTION_TEXT, &state },
                                         { "offset", OPTION_TEXT, &offset },
                                         { "limit", OPTION_TEXT, &limit },
                                         { 0 } };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage_list, specs, &words, 0, 0);
    client_path (&path, "/api/v1/files");
    answer_query (&path, specs, 5);
    return answer_print (cli, &path, say_list, NULL);
}

/* Release */

static const char usage_release[] =
    "usage: parley file release ID [--channel C] [--yes]\n"
    "\n"
    "Send a file that another one handed in with --draft.\n"
    "\n"
    "Example: parley file release 2cf24dba5fb0a30e26e83b2ac5b9e29e\n";

static enum err release (struct client *client, const struct file_which *which,
                         struct error *e) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/files/%s/release", which->id);
    client_query (&path, "channel", which->channel);
    client_query (&path, "entity", which->entity);
    enum err rc = client_tell (client, &path, e);
    buf_free (&path);
    return rc;
}

int command_file_release (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct file_which which = { 0 };
    struct file_wait time = { 0 };
    bool yes = false;
    const struct option_spec specs[] = { FILE_OPTIONS (which),
                                         { "yes", OPTION_FLAG, &yes },
                                         { 0 } };
    struct error e;
    json_t *file = NULL;
    options_read (cli, argc, argv, usage_release, specs, &words, 1, 1);
    which.id = words.at[0];
    file_which_check (&which, usage_release);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? audience_ask (yes, &e) : e.code;
    if (!rc)
        rc = release (client, &which, &e);
    if (!rc)
        rc = file_ask (client, &which, NULL, &time, &file, &e);
    if (!rc)
        file_print (cli, file);
    json_decref (file);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* Withdrawal */

static const char usage_withdraw[] =
    "usage: parley file withdraw ID [--channel C] [--reason TEXT] [--yes]\n"
    "\n"
    "Ask all to hide a file of the own body; what is still to be sent of it "
    "is\n"
    "not sent. What stands in the ledger stays there.\n"
    "\n"
    "Example: parley file withdraw 2cf24dba5fb0a30e26e83b2ac5b9e29e --reason "
    "\"an old copy\"\n";

static enum err withdraw (struct client *client, const struct file_which *which,
                          const char *reason, struct error *e) {
    struct buf path = { 0 };
    path_of (&path, which);
    client_query (&path, "reason", reason);
    enum err rc = client_delete (client, &path, e);
    buf_free (&path);
    return rc;
}

int command_file_withdraw (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct file_which which = { 0 };
    const char *reason = NULL;
    bool yes = false;
    const struct option_spec specs[] = { FILE_OPTIONS (which),
                                         { "reason", OPTION_TEXT, &reason },
                                         { "yes", OPTION_FLAG, &yes },
                                         { 0 } };
    struct error e;
    options_read (cli, argc, argv, usage_withdraw, specs, &words, 1, 1);
    which.id = words.at[0];
    file_which_check (&which, usage_withdraw);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? audience_ask (yes, &e) : e.code;
    if (!rc)
        rc = withdraw (client, &which, reason, &e);
    if (!rc && cli->json)
        cli_print_json (
            json_pack ("{ss sb}", "file", which.id, "withdrawn", 1));
    else if (!rc)
        printf ("file %s: its withdrawal is given to the agent\n", which.id);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}
