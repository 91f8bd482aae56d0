/* evidence - what proves an alarm, as a file for others (PROTOCOL.md section
 * 8.14). */
#include "format/evidence.h"
#include "client.h"
#include "files.h"
#include "options.h"

#include <inttypes.h>
#include <stdio.h>

static const char usage[] =
    "usage: parley evidence NUMBER --out FILE\n"
    "\n"
    "Write what a notice of parley status rests on. Where the broker signed "
    "what\n"
    "cannot be true, it is JSON that convinces whoever knows the dialogue id:\n"
    "parley verify FILE --dialogue ID. Otherwise it is what came, as it came.\n"
    "\n"
    "Example: parley evidence 3 --out fork.json\n";

static enum err take (struct client *client, const char *number,
                      struct buf *octets, struct error *e) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/notices/%s/evidence", number);
    enum err rc = client_get_octets (client, &path, EVIDENCE_MAX, octets, e);
    buf_free (&path);
    return rc;
}

int command_evidence (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *out = NULL;
    const struct option_spec specs[] = { { "out", OPTION_TEXT, &out }, { 0 } };
    struct buf octets = { 0 };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    if (!out)
        options_refuse (usage, "where to? --out FILE");
    if (words.at[0][0] == '\0' || strlen (words.at[0]) > 15
        || words.at[0][strspn (words.at[0], "0123456789")] != '\0')
        options_refuse (usage, "'%s' is no number of a notice", words.at[0]);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? take (client, words.at[0], &octets, &e) : e.code;
    if (!rc)
        rc = file_write (out, buf_slice (&octets), false, &e);
    bool proof = !rc && octets.size > 0 && octets.data[0] == '{';
    if (!rc)
        fprintf (stderr, "parley: %zu octets; %s\n", octets.size,
                 proof
                     ? "parley verify says what they prove"
                     : "what came, as it came: it convinces nobody by itself");
    buf_free (&octets);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}
