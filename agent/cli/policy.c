/* policy - whom an offline verifier has to trust, as a C2SP tlog-policy (PROTOCOL.md
 * section 7.5). */
#include "identity/policy.h"
#include "client.h"
#include "files.h"
#include "json.h"
#include "options.h"
#include "policy.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley roster trust-policy [NOTE] [--at SEQUENCE] [--out FILE]\n"
    "\n"
    "Write the trust policy that a roster states, as C2SP tlog-policy: the "
    "log's "
    "key,\n"
    "the witnesses' keys, the quorum. The roster is the agent's newest one, "
    "the "
    "one\n"
    "in force at record SEQUENCE, or that of a file. It states one roster's "
    "quorum:\n"
    "that a change of witnesses needs both quorums is checked by agents and "
    "by\n"
    "parley audit check.\n"
    "\n"
    "Example: parley roster trust-policy --out trust.policy\n";

enum err policy_roster_note (const struct cli *cli, int64_t at,
                             struct buf *note, struct error *e) {
    struct buf path = { 0 };
    json_t *roster = NULL;
    struct client *client = client_new (cli, e);
    if (!client)
        return e->code;
    client_path (&path, "/api/v1/roster");
    if (at >= 0)
        client_query_int (&path, "at", at);
    enum err rc = client_get (client, &path, 0, &roster, e);
    if (!rc) {
        client_path (&path, "/api/v1/rosters/%" PRId64,
                     json_int (roster, "version", 0));
        rc = client_get_octets (client, &path, NOTE_MAX, note, e);
    }
    json_decref (roster);
    buf_free (&path);
    client_destroy (&client);
    return rc;
}

static int64_t sequence_read (const char *text) {
    if (text[0] == '\0' || strlen (text) > 15
        || text[strspn (text, "0123456789")] != '\0')
        options_refuse (usage, "--at '%s' is no sequence", text);
    return strtoll (text, NULL, 10);
}

static enum err write_policy (const char *out, struct slice note,
                              struct error *e) {
    struct buf text = { 0 };
    struct roster *roster = roster_read (note, e);
    if (!roster)
        return e->code;
    policy_write (roster, &text);
    enum err rc = file_write (out, buf_slice (&text), true, e);
    if (!rc && out)
        printf ("Trust policy of roster version %" PRId64 " written to %s: %d "
                "of %zu witnesses.\n",
                roster_version (roster), out, roster_quorum (roster),
                roster_witnesses (roster));
    roster_unref (&roster);
    buf_free (&text);
    return rc;
}

int command_roster_policy (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *at = NULL, *out = NULL;
    const struct option_spec specs[] = { { "at", OPTION_TEXT, &at },
                                         { "out", OPTION_TEXT, &out },
                                         { 0 } };
    struct buf note = { 0 };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 0, 1);
    if (at && words.count == 1)
        options_refuse (usage, "--at is of the agent's rosters: leave out the "
                               "file");
    enum err rc =
        words.count == 1
            ? file_read (words.at[0], NOTE_MAX, &note, &e)
            : policy_roster_note (cli, at ? sequence_read (at) : -1, &note, &e);
    if (!rc)
        rc = write_policy (out, buf_slice (&note), &e);
    buf_free (&note);
    return rc ? cli_fail (&e) : CLI_FINE;
}
