/* checkpoint - the ledger's size and root as this agent knows them, and those
 * that others show us by another way: mail, a stick, a QR code. */
#include "identity/checkpoint.h"
#include "client.h"
#include "files.h"
#include "format/tree.h"
#include "json.h"
#include "options.h"

#include <inttypes.h>
#include <stdlib.h>

static const char show_usage[] =
    "usage: parley checkpoint show [--verified] [--out FILE]\n"
    "\n"
    "Print the newest checkpoint that a quorum of witnesses cosigned, as a "
    "signed\n"
    "note: the ledger's origin, size and root, and who signed. With --verified "
    "the\n"
    "newest that this agent recomputed itself, cosigned or not. Send it to "
    "another\n"
    "body by a way that the broker's operator can't touch, and let them "
    "compare.\n"
    "\n"
    "Example: parley checkpoint show --out ours.checkpoint\n";

static const char compare_usage[] =
    "usage: parley checkpoint compare FILE\n"
    "\n"
    "Compare a checkpoint that another body shows with the ledger that this "
    "agent\n"
    "holds. The same root at its size: both are shown one ledger. Another one: "
    "the\n"
    "broker shows two, and FILE is half of the proof: keep it. FILE is - for\n"
    "standard input. Exit code 0: the same; 1: another, or not to be told "
    "yet.\n"
    "\n"
    "Example: parley checkpoint compare theirs.checkpoint\n";

static enum err get_note (struct client *client, const char *which,
                          struct buf *note, struct error *e) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/checkpoints/%s", which);
    enum err rc =
        client_get_octets (client, &path, CHECKPOINT_NOTE_MAX, note, e);
    buf_free (&path);
    return rc;
}

int command_checkpoint_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    bool verified = false;
    const char *out = NULL;
    const struct option_spec specs[] = { { "verified", OPTION_FLAG, &verified },
                                         { "out", OPTION_TEXT, &out },
                                         { 0 } };
    struct buf note = { 0 };
    struct checkpoint cp;
    struct note read;
    struct error e;
    options_read (cli, argc, argv, show_usage, specs, &words, 0, 0);
    struct client *client = client_new (cli, &e);
    if (!client)
        return cli_fail (&e);
    enum err rc =
        get_note (client, verified ? "verified" : "settled", &note, &e);
    client_destroy (&client);
    if (!rc)
        rc = checkpoint_read (buf_slice (&note), &cp, &read, &e);
    char root[HASH_TEXT_MAX];
    if (!rc && cli->json)
        cli_print_json (json_pack (
            "{s:s,s:I,s:s,s:o}", "origin", cp.origin, "size",
            (json_int_t) cp.size, "root", hash_text (root, &cp.root), "note",
            json_stringn ((const char *) note.data, note.size)));
    else if (!rc)
        rc = file_write (out, buf_slice (&note), true, &e);
    if (!rc && !cli->json && out)
        printf ("Checkpoint of %" PRId64 " records written to %s.\n"
                "Next: another body holds it against its own ledger with\n"
                "      parley checkpoint compare %s\n",
                cp.size, out, out);
    buf_free (&note);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* Compare */

struct growing {
    struct tree tree;
    int64_t size; /* wanted */
    struct buf rest;
};

static enum err leaves_take (void *arg, struct slice octets, struct error *e) {
    struct growing *self = arg;
    struct hash leaf;
    (void) e;
    buf_add_slice (&self->rest, octets);
    size_t at = 0;
    for (; self->rest.size - at >= HASH_SIZE
           && (int64_t) self->tree.size < self->size;
         at += HASH_SIZE) {
        memcpy (leaf.octets, self->rest.data + at, HASH_SIZE);
        tree_add (&self->tree, &leaf);
    }
    size_t left = self->rest.size - at;
    memmove (self->rest.data, self->rest.data + at, left);
    self->rest.size = left;
    return ERR_NONE;
}

/* Our own root at that size, by the leaf hashes that the agent holds. */
static enum err own_root (struct client *client, int64_t size,
                          struct hash *root, struct error *e) {
    struct growing growing = { .size = size };
    enum err rc = ERR_NONE;
    uint64_t before = 1;
    while (!rc && (int64_t) growing.tree.size < size
           && before != growing.tree.size) {
        struct buf path = { 0 };
        before = growing.tree.size;
        client_path (&path, "/api/v1/leaves");
        client_query_int (&path, "from", (int64_t) before);
        rc = client_stream (client, &path, NULL, leaves_take, &growing, e);
        buf_free (&path);
        buf_clear (&growing.rest);
        if (growing.tree.size == 0)
            break;
    }
    buf_free (&growing.rest);
    if (!rc && (int64_t) growing.tree.size < size)
        rc = error_set (e, ERR_RIGHT,
                        "the agent holds %" PRIu64 " leaf hashes, the "
                        "checkpoint is of %" PRId64 ": ask again when it is "
                        "so far",
                        growing.tree.size, size);
    *root = tree_root (&growing.tree);
    return rc;
}

static enum err compare (struct client *client, const struct checkpoint *cp,
                         struct hash *root, struct error *e) {
    struct buf note = { 0 };
    struct checkpoint own;
    struct note read;
    enum err rc = get_note (client, "verified", &note, e);
    if (!rc)
        rc = checkpoint_read (buf_slice (&note), &own, &read, e);
    if (!rc && strcmp (own.origin, cp->origin) != 0)
        rc = error_set (e, ERR_RIGHT, "it is of the ledger %s, ours is %s",
                        cp->origin, own.origin);
    if (!rc)
        rc = own_root (client, cp->size, root, e);
    buf_free (&note);
    return rc;
}

int command_checkpoint_compare (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const struct option_spec specs[] = { { 0 } };
    struct buf octets = { 0 };
    struct checkpoint cp;
    struct note note;
    struct hash root;
    struct error e;
    char ours[HASH_TEXT_MAX], theirs[HASH_TEXT_MAX];
    options_read (cli, argc, argv, compare_usage, specs, &words, 1, 1);
    enum err rc = file_read (words.at[0], CHECKPOINT_NOTE_MAX, &octets, &e);
    if (!rc)
        rc = checkpoint_read (buf_slice (&octets), &cp, &note, &e);
    if (rc)
        error_at (&e, "%s is no checkpoint", words.at[0]);
    struct client *client = rc ? NULL : client_new (cli, &e);
    if (!rc)
        rc = client ? compare (client, &cp, &root, &e) : e.code;
    client_destroy (&client);
    bool same = !rc && hash_equal (&root, &cp.root);
    if (!rc && cli->json)
        cli_print_json (json_pack ("{s:b,s:I,s:s,s:s}", "same", same, "size",
                                   (json_int_t) cp.size, "ours",
                                   hash_text (ours, &root), "theirs",
                                   hash_text (theirs, &cp.root)));
    else if (same)
        printf ("The same: both hold one ledger up to %" PRId64 " records.\n",
                cp.size);
    else if (!rc)
        printf ("NOT THE SAME at %" PRId64 " records.\n"
                "ours    %s\n"
                "theirs  %s\n"
                "If the log's key signed it (parley verify FILE --policy ...), "
                "the broker shows\n"
                "two ledgers: keep FILE, and tell the other bodies.\n",
                cp.size, hash_text (ours, &root), hash_text (theirs, &cp.root));
    buf_free (&octets);
    if (rc)
        return cli_fail (&e);
    return same ? CLI_FINE : CLI_REFUSED;
}
