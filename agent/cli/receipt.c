/* receipt - a proof that a record is in the ledger, in files that anybody can
 * check offline (PROTOCOL.md section 8.13). */
#include "format/receipt.h"
#include "base/clock.h"
#include "client.h"
#include "files.h"
#include "json.h"
#include "options.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley receipt SEQUENCE [--out NAME] [--replace]\n"
    "\n"
    "Write what proves that a record is in the ledger, and that a quorum of "
    "the\n"
    "members' witnesses saw it there: NAME.tlog-proof (C2SP tlog-proof), and\n"
    "beside it NAME.record, NAME.body and NAME.roster (whose keys its "
    "author's\n"
    "signature is judged by), with NAME.roster.tlog-proof and "
    "NAME.roster.record,\n"
    "which prove that it is the roster that was in force. NAME is "
    "record-SEQUENCE\n"
    "without --out. The agent makes it from what it holds; the broker is not "
    "asked.\n"
    "Check it anywhere: parley verify NAME.tlog-proof --policy POLICY.\n"
    "\n"
    "Example: parley receipt 4711 --out empact\n";

static enum err write_part (const char *name, const char *suffix,
                            struct slice octets, bool replace,
                            struct error *e) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s.%s", name, suffix);
    char *text = buf_take_text (&path);
    enum err rc = file_write (text, octets, replace, e);
    free (text);
    return rc;
}

static enum err write_text (const char *name, const char *suffix, json_t *value,
                            bool replace, struct error *e) {
    const char *text = json_string_value (value);
    if (!text)
        return error_set (e, ERR_DAMAGED, "the agent's answer has no %s",
                          suffix);
    return write_part (name, suffix, slice_text (text), replace, e);
}

static enum err write_base64 (const char *name, const char *suffix,
                              json_t *value, bool replace, struct error *e) {
    const char *text = json_string_value (value);
    size_t size = text ? strlen (text) : 0;
    struct buf octets = { 0 };
    buf_reserve (&octets, size + 1);
    if (!text
        || sodium_base642bin (octets.data, size + 1, text, size, NULL,
                              &octets.size, NULL,
                              sodium_base64_VARIANT_ORIGINAL)
               != 0) {
        buf_free (&octets);
        return error_set (e, ERR_DAMAGED, "the agent's answer has no %s",
                          suffix);
    }
    enum err rc = write_part (name, suffix, buf_slice (&octets), replace, e);
    buf_free (&octets);
    return rc;
}

static enum err write_all (json_t *receipt, const char *name, bool replace,
                           struct error *e) {
    json_t *body = json_object_get (receipt, "body");
    enum err rc = write_base64 (
        name, "record", json_object_get (receipt, "record"), replace, e);
    if (!rc && !json_is_null (body))
        rc = write_base64 (name, "body", body, replace, e);
    if (!rc)
        rc = write_text (name, "roster", json_object_get (receipt, "roster"),
                         replace, e);
    if (!rc)
        rc = write_base64 (name, "roster.record",
                           json_object_get (receipt, "roster_record"), replace,
                           e);
    if (!rc)
        rc = write_text (name, "roster.tlog-proof",
                         json_object_get (receipt, "roster_proof"), replace, e);
    if (!rc) /* last: where it is, all is */
        rc = write_text (name, "tlog-proof", json_object_get (receipt, "proof"),
                         replace, e);
    return rc;
}

static void say (const struct cli *cli, json_t *receipt, const char *name) {
    int64_t size = json_int (receipt, "size", -1);
    const char *settled = json_text_or (receipt, "settled", "?");
    if (cli->json) {
        cli_print_json (
            json_pack ("{s:s,s:I,s:I,s:s}", "name", name, "sequence",
                       (json_int_t) json_int (receipt, "sequence", -1), "size",
                       (json_int_t) size, "settled", settled));
        return;
    }
    printf ("Receipt of record %" PRId64 " in %s.tlog-proof, .record%s and "
            ".roster.\n"
            "A quorum of witnesses had cosigned the ledger of %" PRId64
            " records by %s.\n"
            "Next: parley roster trust-policy --out trust.policy\n"
            "      parley verify %s.tlog-proof --policy trust.policy\n",
            json_int (receipt, "sequence", -1), name,
            json_is_null (json_object_get (receipt, "body")) ? "" : ", .body",
            size, settled, name);
}

int command_receipt (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *out = NULL;
    bool replace = false;
    const struct option_spec specs[] = { { "out", OPTION_TEXT, &out },
                                         { "replace", OPTION_FLAG, &replace },
                                         { 0 } };
    struct buf path = { 0 };
    json_t *receipt = NULL;
    struct error e;
    char name[64];
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    if (words.at[0][0] == '\0' || strlen (words.at[0]) > 16
        || words.at[0][strspn (words.at[0], "0123456789")] != '\0')
        options_refuse (usage, "'%s' is no sequence", words.at[0]);
    snprintf (name, sizeof name, "record-%s", words.at[0]);
    struct client *client = client_new (cli, &e);
    if (!client)
        return cli_fail (&e);
    client_path (&path, "/api/v1/receipts/%s", words.at[0]);
    enum err rc = client_get (client, &path, 0, &receipt, &e);
    if (!rc)
        rc = write_all (receipt, out ? out : name, replace, &e);
    if (rc == ERR_EXISTS) {
        struct error why = e;
        error_set (&e, rc, "%s; --replace writes over it", why.text);
    }
    if (!rc)
        say (cli, receipt, out ? out : name);
    json_decref (receipt);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}
