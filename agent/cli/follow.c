/* follow - records as they arrive, over lost connections, until it is ended. */
#include "audience.h"
#include "base/clock.h"
#include "base/topic.h"
#include "client.h"
#include "options.h"
#include "record_print.h"
#include "sse.h"

#include <inttypes.h>
#include <poll.h>
#include <sodium.h>

#define BACK_OFF_MIN_MS 500
#define BACK_OFF_MAX_MS 30000

static const char usage[] =
    "usage: parley follow FILTER [--log] [--after POSITION]\n"
    "\n"
    "Print the records that match FILTER as they arrive, a line each; never\n"
    "ends by itself: Ctrl-C does it. Starts with what arrives from now on, or "
    "behind\n"
    "that position of the agent's store. A lost connection is made again, and "
    "what\n"
    "came meanwhile is printed first; where that can't be, a gap is said. In "
    "a\n"
    "filter + stands for one level and # for the rest. --log adds rosters and\n"
    "marks. With --json a gap is {\"event\":\"gap\",...}.\n"
    "\n"
    "Example: parley follow 'members/plan/#'\n";

struct follow {
    const struct cli *cli;
    bool heard; /* something, on the present connection */
    struct sse *sse;
};

static void say_gap (const struct follow *self, json_t *gap) {
    struct buf reason = { 0 };
    json_line (&reason, json_object_get (gap, "reason"));
    char shown[200];
    text_printable (shown, sizeof shown, reason.data, reason.size);
    buf_free (&reason);
    fprintf (stderr,
             "parley: gap: positions %" PRId64 " to %" PRId64
             " can't be given: %s\n",
             json_int (gap, "from", -1), json_int (gap, "to", -1), shown);
    if (self->cli->json) {
        json_object_set_new (gap, "event", json_string ("gap"));
        cli_print_json (json_incref (gap));
    }
}

static void say_status (json_t *status) {
    char shown[200];
    struct buf line = { 0 };
    json_t *link = json_object_get (status, "link");
    json_t *state =
        json_object_get (json_is_object (link) ? link : status, "state");
    json_line (&line, state ? state : status);
    text_printable (shown, sizeof shown, line.data, line.size);
    fprintf (stderr, "parley: the agent's link is %s\n", shown);
    buf_free (&line);
}

static enum err on_event (void *arg, const struct sse_event *event,
                          struct error *e) {
    struct follow *self = arg;
    json_t *data =
        json_loadb ((const char *) event->data.data, event->data.size,
                    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    self->heard = true;
    if (!json_is_object (data)) {
        json_decref (data);
        return error_set (e, ERR_DAMAGED, "an event '%.30s' that is no JSON",
                          event->name);
    }
    if (strcmp (event->name, "record") == 0)
        record_print_line (self->cli, data);
    else if (strcmp (event->name, "gap") == 0)
        say_gap (self, data);
    else if (strcmp (event->name, "status") == 0)
        say_status (data);
    json_decref (data);
    /* Nobody reads us any more. */
    return ferror (stdout)
               ? error_set (e, ERR_IO, "standard output can't be written")
               : ERR_NONE;
}

static enum err on_octets (void *arg, struct slice octets, struct error *e) {
    struct follow *self = arg;
    return sse_feed (self->sse, octets, e);
}

/* Where to resume if nothing arrives before the connection is lost. */
static enum err find_position (struct client *client, const char *filter,
                               char *out, size_t room, struct error *e) {
    struct buf path = { 0 };
    json_t *status = NULL;
    client_path (&path, "/api/v1/status");
    enum err rc = client_get (client, &path, 0, &status, e);
    if (!rc)
        audience_warn (status, filter);
    if (!rc)
        snprintf (out, room, "%" PRId64, json_int (status, "position", 0));
    json_decref (status);
    buf_free (&path);
    return rc;
}

static void wait_back_off (int *back_off) {
    int ms = *back_off / 2 + (int) randombytes_uniform ((uint32_t) *back_off);
    poll (NULL, 0, ms);
    *back_off =
        *back_off * 2 > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : *back_off * 2;
}

/* Never comes back without an error that reconnecting can't mend. */
static enum err follow (struct follow *self, struct client *client,
                        const struct buf *path, struct error *e) {
    int back_off = BACK_OFF_MIN_MS;
    for (;;) {
        self->heard = false;
        enum err rc = client_stream (client, path, sse_last_id (self->sse),
                                     on_octets, self, e);
        if (rc && rc != ERR_STATE && rc != ERR_FULL)
            return rc;
        if (self->heard)
            back_off = BACK_OFF_MIN_MS;
        fprintf (stderr, "parley: %s; connecting again\n",
                 rc ? e->text : "the agent ended the feed");
        sse_restart (self->sse);
        wait_back_off (&back_off);
    }
}

int command_follow (struct cli *cli, int argc, char **argv) {
    const char *after = NULL;
    bool log = false;
    static struct words words;
    const struct option_spec specs[] = { { "log", OPTION_FLAG, &log },
                                         { "after", OPTION_TEXT, &after },
                                         { 0 } };
    struct follow self = { .cli = cli };
    struct buf path = { 0 };
    struct error e;
    char position[24];
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    if (filter_check (slice_text (words.at[0]), &e))
        options_refuse (usage, "filter '%s': %s", words.at[0], e.text);
    if (after && strspn (after, "0123456789") != strlen (after))
        options_refuse (usage, "--after '%s' is no position", after);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? find_position (client, words.at[0], position,
                                          sizeof position, &e)
                         : e.code;
    if (!rc) {
        client_path (&path, "/api/v1/events");
        client_query (&path, "filter", words.at[0]);
        if (log)
            client_query (&path, "log", "1");
        client_query (&path, "after", after ? after : position);
        self.sse = sse_new (on_event, &self);
        rc = follow (&self, client, &path, &e);
    }
    sse_destroy (&self.sse);
    client_destroy (&client);
    buf_free (&path);
    return rc ? cli_fail (&e) : CLI_FINE;
}
