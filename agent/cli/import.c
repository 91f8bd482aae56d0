/* import - have the agent take in what somebody took out of another one
 * (PROTOCOL.md section 8.10). */
#include "client.h"
#include "json.h"
#include "options.h"
#include "progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define ASK_MS 200

static const char usage[] =
    "usage: parley import DIR\n"
    "\n"
    "Have the agent take in a bundle (parley audit export writes it), as if "
    "it\n"
    "had fetched it: also where it never has a link, and what is behind an "
    "air\n"
    "gap comes on a stick. The agent audits it first, and takes nothing of one "
    "that\n"
    "does not hold. What it holds already, and what this delegation may not "
    "read,\n"
    "is passed over; a bundle of a part is fine if it begins where the agent "
    "ends.\n"
    "The agent reads DIR itself: it must be able to.\n"
    "\n"
    "Example: parley import /media/stick/bundle-2026\n";

static enum err ask (struct client *client, json_t **status, struct error *e) {
    struct buf path = { 0 };
    json_decref (*status);
    *status = NULL;
    client_path (&path, "/api/v1/import");
    enum err rc = client_get (client, &path, 0, status, e);
    buf_free (&path);
    return rc;
}

static enum err begin (struct client *client, const char *folder,
                       json_t **status, struct error *e) {
    struct buf path = { 0 };
    json_t *body = json_pack ("{s:s}", "folder", folder);
    char *text = body ? json_dumps (body, 0) : NULL;
    json_decref (body);
    if (!text)
        return error_set (e, ERR_ARGUMENT, "the path is no UTF-8");
    client_path (&path, "/api/v1/import");
    enum err rc = client_post (client, &path, "application/json",
                               slice_text (text), NULL, status, e);
    buf_free (&path);
    free (text);
    return rc;
}

static bool runs (json_t *status) {
    const char *state = json_text_or (status, "state", "?");
    return strcmp (state, "checking") == 0 || strcmp (state, "taking") == 0;
}

static enum err wait_for_end (struct client *client, json_t **status,
                              struct error *e) {
    struct progress progress;
    struct timespec pause = { .tv_nsec = ASK_MS * 1000000L };
    enum err rc = ERR_NONE;
    progress_start (&progress, "records");
    while (!rc && runs (*status)) {
        progress_show (&progress, json_int (*status, "done", 0),
                       json_int (*status, "total", 0));
        nanosleep (&pause, NULL);
        rc = ask (client, status, e);
    }
    progress_end (&progress);
    return rc;
}

static int say (const struct cli *cli, json_t *status) {
    bool good = strcmp (json_text_or (status, "state", "?"), "done") == 0;
    if (cli->json) {
        cli_print_json (json_incref (status));
        return good ? CLI_FINE : CLI_REFUSED;
    }
    if (!good)
        return cli_refuse (CLI_REFUSED, "%s",
                           json_text_or (status, "why", "it failed"));
    printf ("%" PRId64 " new records; %" PRId64 " were here already, %" PRId64
            " are not for this delegation.\n",
            json_int (status, "records", 0), json_int (status, "held", 0),
            json_int (status, "others", 0));
    if (json_int (status, "gaps", 0) > 0)
        printf ("%" PRId64 " records were left out: what stands before them is "
                "not here. Import an earlier bundle first.\n",
                json_int (status, "gaps", 0));
    if (json_int (status, "settled", -1) >= 0)
        printf ("Settled up to record %" PRId64 ".\n",
                json_int (status, "settled", 0) - 1);
    return CLI_FINE;
}

int command_import (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const struct option_spec specs[] = { { 0 } };
    json_t *status = NULL;
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    char *folder = realpath (words.at[0], NULL);
    if (!folder) {
        bool missing = errno == ENOENT;
        error_sys (&e, errno, "folder '%s'", words.at[0]);
        if (missing)
            e.code = ERR_NOT_FOUND;
        return cli_fail (&e);
    }
    struct client *client = client_new (cli, &e);
    enum err rc = client ? begin (client, folder, &status, &e) : e.code;
    if (!rc)
        rc = wait_for_end (client, &status, &e);
    int code = rc ? cli_fail (&e) : say (cli, status);
    json_decref (status);
    client_destroy (&client);
    free (folder);
    return code;
}
