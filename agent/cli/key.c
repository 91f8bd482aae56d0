/* key - secrets and what is handed out of them (PROTOCOL.md sections 5.1 and
 * 5.2). Offline. */
#include "files.h"
#include "identity/note.h"
#include "options.h"

#include <jansson.h>

static const char new_usage[] =
    "usage: parley key new ENTITY/DELEGATION FILE\n"
    "       parley key new --root ENTITY FILE\n"
    "       parley key new --broker ID FILE\n"
    "\n"
    "Draw a secret and write it to FILE, which only you can read. FILE is "
    "never\n"
    "overwritten. Keep a copy: what is lost can't be made again.\n"
    "\n"
    "Example: parley key new EUROPOL/hq europol-hq.secret\n";

static const char *kind_name (enum identity_kind kind) {
    static const char *const names[] = { "delegation", "root", "broker" };
    return names[kind];
}

static void say_next (const struct identity *who, const char *file) {
    switch (identity_kind (who)) {
    case IDENTITY_DELEGATION:
        printf ("Next: parley key card %s --out CARD, and give the card to "
                "whoever drafts the roster.\n",
                file);
        break;
    case IDENTITY_ROOT:
        printf ("Next: parley key card %s --out CARD for the draft; later "
                "parley roster sign NOTE %s. Keep the secret offline.\n",
                file, file);
        break;
    case IDENTITY_BROKER:
        printf ("Next: parley key card %s --desk tcp://HOST:PORT "
                "--feed tcp://HOST:PORT --out FILE.\n",
                file);
        break;
    }
}

static void say_new (const struct cli *cli, const struct identity *who,
                     const char *file) {
    if (cli->json) {
        cli_print_json (json_pack ("{s:s,s:s,s:s}", "name", identity_name (who),
                                   "kind", kind_name (identity_kind (who)),
                                   "file", file));
        return;
    }
    printf ("Secret of the %s %s written to %s.\n",
            kind_name (identity_kind (who)), identity_name (who), file);
    say_next (who, file);
}

int command_key_new (struct cli *cli, int argc, char **argv) {
    bool root = false, broker = false;
    const struct option_spec specs[] = { { "root", OPTION_FLAG, &root },
                                         { "broker", OPTION_FLAG, &broker },
                                         { 0 } };
    static struct words words;
    struct error e;
    char name[IDENTITY_NAME_MAX + 8];
    options_read (cli, argc, argv, new_usage, specs, &words, 2, 2);
    if (root && broker)
        options_refuse (new_usage, "--root and --broker exclude each other");
    int size =
        snprintf (name, sizeof name, "%s%s", words.at[0], root ? "/root" : "");
    if (size >= (int) sizeof name)
        return cli_refuse (CLI_USAGE, "a name of %d octets", size);
    struct identity *who = identity_new (root     ? IDENTITY_ROOT
                                         : broker ? IDENTITY_BROKER
                                                  : IDENTITY_DELEGATION,
                                         name, &e);
    if (!who || identity_save (who, words.at[1], &e)) {
        identity_destroy (&who);
        return cli_fail (&e);
    }
    say_new (cli, who, words.at[1]);
    identity_destroy (&who);
    return CLI_FINE;
}

static const char card_usage[] =
    "usage: parley key card SECRET [--out CARD]\n"
    "       parley key card BROKER-SECRET --desk ENDPOINT --feed ENDPOINT\n"
    "                       [--out FILE]\n"
    "\n"
    "Print what others need of a secret: the signed card of a delegation or a\n"
    "root signer, or a broker's public file. It holds public keys only.\n"
    "\n"
    "Example: parley key card europol-hq.secret --out europol-hq.card\n";

static enum err public_file (const struct identity *who, const char *desk,
                             const char *feed, struct buf *out,
                             struct error *e) {
    struct broker_public check;
    broker_public_write (who, desk, feed, out);
    return broker_public_read (buf_slice (out), &check, e);
}

int command_key_card (struct cli *cli, int argc, char **argv) {
    const char *out = NULL, *desk = NULL, *feed = NULL;
    const struct option_spec specs[] = { { "out", OPTION_TEXT, &out },
                                         { "desk", OPTION_TEXT, &desk },
                                         { "feed", OPTION_TEXT, &feed },
                                         { 0 } };
    static struct words words;
    struct buf card = { 0 };
    struct error e;
    options_read (cli, argc, argv, card_usage, specs, &words, 1, 1);
    struct identity *who = identity_load (words.at[0], &e);
    if (!who)
        return cli_fail (&e);
    bool broker = identity_kind (who) == IDENTITY_BROKER;
    if (broker ? !desk || !feed : desk || feed) {
        identity_destroy (&who);
        options_refuse (card_usage, broker ? "a broker needs --desk and --feed"
                                           : "only a broker has endpoints");
    }
    enum err rc = broker ? public_file (who, desk, feed, &card, &e)
                         : card_write (who, &card, &e);
    if (!rc)
        rc = file_write (out, buf_slice (&card), false, &e);
    if (!rc && out && cli->json)
        cli_print_json (
            json_pack ("{s:s,s:s}", "name", identity_name (who), "file", out));
    else if (!rc && out)
        printf ("%s of %s written to %s.\n", broker ? "Public file" : "Card",
                identity_name (who), out);
    identity_destroy (&who);
    buf_free (&card);
    return rc ? cli_fail (&e) : CLI_FINE;
}
