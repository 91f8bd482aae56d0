/* roster_sign - root signers' lines under a roster, and whether they are enough
 * (PROTOCOL.md sections 5.2 and 5.3). Offline. */
#include "files.h"
#include "identity/roster_chain.h"
#include "options.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static const char sign_usage[] =
    "usage: parley roster sign TEXT|NOTE SECRET... [--previous NOTE]\n"
    "                          [--out NOTE]\n"
    "\n"
    "Add the signature lines of root signers to a draft, or to a note that\n"
    "others have signed, in place or to the file --out. Says how many of how\n"
    "many there are now. A signer of the roster before who has left needs\n"
    "--previous. Read the text first: your signature says that you agree.\n"
    "\n"
    "Example: parley roster sign roster.text europol-root.secret\n"
    "             --out roster.note\n";

static const char check_usage[] =
    "usage: parley roster check NOTE [--previous NOTE] [--dialogue ID]\n"
    "\n"
    "Check a roster: its form, and the threshold of its own root signers; "
    "with\n"
    "--previous also that it follows that roster, with the threshold of its\n"
    "signers too. Prints the dialogue id, which is what to compare with "
    "others\n"
    "by another way, or with --dialogue.\n"
    "\n"
    "Example: parley roster check roster.note\n";

static struct roster *load (const char *path, struct error *e) {
    struct buf octets = { 0 };
    struct roster *roster = NULL;
    if (!file_read (path, NOTE_MAX, &octets, e)) {
        roster = roster_read (buf_slice (&octets), e);
        if (!roster)
            error_at (e, "%s", path);
    }
    buf_free (&octets);
    return roster;
}

/* Who signs. */

static const struct roster_signer *signer_find (const struct roster *roster,
                                                const char *name) {
    for (size_t i = 0; roster && i < roster_signers (roster); i++) {
        const struct roster_signer *signer = roster_signer_at (roster, i);
        if (strcmp (signer->name, name) == 0)
            return signer;
    }
    return NULL;
}

static bool may_sign (const struct roster *roster, const struct identity *who) {
    const struct roster_signer *signer =
        signer_find (roster, identity_name (who));
    return signer
           && memcmp (signer->key, identity_public (who, KEY_ROOT), KEY_SIZE)
                  == 0;
}

/* Has this key signed already? A note with a bad line of any signer is
 * refused. */
static enum err has_signed (const struct roster *roster,
                            const struct identity *who, bool *yes,
                            struct error *e) {
    struct note_key key = { identity_name (who),
                            identity_public (who, KEY_ROOT) };
    return note_verify (roster_note (roster), &key, 1, yes, e);
}

/* All lines that known signers made must be good. How many of this roster's
 * own signers have signed. */
static enum err count_signed (const struct roster *roster, int *have,
                              struct error *e) {
    struct note_key keys[ROSTER_SIGNERS_MAX];
    bool good[ROSTER_SIGNERS_MAX];
    size_t count = roster_signers (roster);
    for (size_t i = 0; i < count; i++) {
        const struct roster_signer *signer = roster_signer_at (roster, i);
        keys[i] = (struct note_key){ signer->name, signer->key };
    }
    enum err rc = note_verify (roster_note (roster), keys, count, good, e);
    *have = 0;
    for (size_t i = 0; i < count && !rc; i++)
        *have += good[i];
    return rc;
}

/* A text has no empty line; a note has one, with signature lines behind. */
static bool is_note (struct slice octets) {
    static const char mark[] = "\n\n\xe2\x80\x94 ";
    return memmem (octets.data, octets.size, mark, sizeof mark - 1) != NULL;
}

/* `octets` (text or note) with one more line; as a roster read back, so that
 * nothing that others would refuse is ever signed. */
static struct roster *add_line (struct buf *octets, const struct identity *who,
                                struct error *e) {
    struct buf line = { 0 }, next = { 0 };
    struct note note;
    bool signed_before = is_note (buf_slice (octets));
    enum err rc =
        signed_before ? note_read (buf_slice (octets), &note, e) : ERR_NONE;
    struct slice text = signed_before ? note.text : buf_slice (octets);
    if (!rc)
        rc = note_sign (who, text, &line, e);
    struct roster *roster = NULL;
    if (!rc) {
        if (signed_before)
            buf_add_slice (&next, buf_slice (octets));
        else
            note_begin (&next, text);
        buf_add_slice (&next, buf_slice (&line));
        roster = roster_read (buf_slice (&next), e);
    }
    if (roster) {
        buf_free (octets);
        *octets = next;
    } else
        buf_free (&next);
    buf_free (&line);
    return roster;
}

static enum err sign_one (struct buf *octets, const char *path,
                          const struct roster *previous, struct error *e) {
    bool done = false;
    struct roster *roster = NULL;
    struct identity *who = identity_load (path, e);
    if (!who)
        return e->code;
    enum err rc = ERR_NONE;
    if (is_note (buf_slice (octets))) {
        roster = roster_read (buf_slice (octets), e);
        rc = roster ? has_signed (roster, who, &done, e) : e->code;
        roster_unref (&roster);
    }
    if (!rc && done)
        fprintf (stderr, "parley: %s has signed it already\n",
                 identity_name (who));
    else if (!rc) {
        roster = add_line (octets, who, e);
        rc = roster ? ERR_NONE : e->code;
    }
    if (roster && !may_sign (roster, who) && !may_sign (previous, who))
        rc = error_set (e, ERR_KEY, "%s: %s is no root signer of this roster%s",
                        path, identity_name (who),
                        previous ? " or the one before"
                                 : "; one of the roster before needs "
                                   "--previous");
    roster_unref (&roster);
    identity_destroy (&who);
    return rc;
}

static int say_signed (const struct cli *cli, const struct roster *roster,
                       const char *file) {
    struct error e;
    char digest[HASH_TEXT_MAX];
    int have, need = roster_threshold (roster);
    hash_text (digest, roster_digest (roster));
    if (count_signed (roster, &have, &e))
        return cli_fail (&e);
    if (cli->json)
        cli_print_json (
            json_pack ("{s:s,s:I,s:s,s:i,s:i}", "file", file, "version",
                       (json_int_t) roster_version (roster), "digest", digest,
                       "signed", have, "threshold", need));
    else
        printf ("%s: roster version %" PRId64 ", digest %s\n"
                "%d of its own root signers have signed, %d are needed.\n",
                file, roster_version (roster), digest, have, need);
    return CLI_FINE;
}

/* All secrets sign, or nothing is written. */
static enum err sign_all (const struct words *words,
                          const struct roster *previous, const char *out,
                          struct roster **roster, struct error *e) {
    struct buf octets = { 0 };
    int have;
    enum err rc = file_read (words->at[0], NOTE_MAX, &octets, e);
    for (size_t i = 1; i < words->count && !rc; i++)
        rc = sign_one (&octets, words->at[i], previous, e);
    if (!rc) {
        *roster = roster_read (buf_slice (&octets), e);
        rc = *roster ? count_signed (*roster, &have, e) : e->code;
    }
    if (!rc)
        rc =
            file_write (out ? out : words->at[0], buf_slice (&octets), !out, e);
    buf_free (&octets);
    return rc;
}

int command_roster_sign (struct cli *cli, int argc, char **argv) {
    const char *out = NULL, *before = NULL;
    const struct option_spec specs[] = { { "out", OPTION_TEXT, &out },
                                         { "previous", OPTION_TEXT, &before },
                                         { 0 } };
    static struct words words;
    struct roster *roster = NULL;
    struct error e;
    options_read (cli, argc, argv, sign_usage, specs, &words, 2,
                  1 + ROSTER_SIGNERS_MAX);
    struct roster *previous = before ? load (before, &e) : NULL;
    enum err rc = before && !previous
                      ? e.code
                      : sign_all (&words, previous, out, &roster, &e);
    int code =
        rc ? cli_fail (&e) : say_signed (cli, roster, out ? out : words.at[0]);
    roster_unref (&roster);
    roster_unref (&previous);
    return code;
}

/* Check. */

static enum err check (const struct roster *roster,
                       const struct roster *previous, struct error *e) {
    if (previous)
        return roster_follows (previous, roster, e);
    return roster_is_first (roster)
               ? roster_founds (roster, e)
               : roster_self_signed (roster, NULL, NULL, e);
}

static enum err check_dialogue (const struct roster *roster, const char *wanted,
                                struct error *e) {
    struct hash h;
    char text[HASH_TEXT_MAX];
    if (!wanted)
        return ERR_NONE;
    if (hash_parse (wanted, &h))
        return error_set (e, ERR_ARGUMENT,
                          "--dialogue '%s' is not 64 digits of lower case hex",
                          wanted);
    if (!hash_equal (&h, roster_dialogue (roster)))
        return error_set (e, ERR_CHAIN,
                          "it is a roster of the dialogue %s, not of %s",
                          hash_text (text, roster_dialogue (roster)), wanted);
    return ERR_NONE;
}

static int say_checked (const struct cli *cli, const struct roster *roster,
                        const struct roster *previous) {
    char digest[HASH_TEXT_MAX], dialogue[HASH_TEXT_MAX];
    int have = 0, need = 0;
    struct error e;
    hash_text (digest, roster_digest (roster));
    hash_text (dialogue, roster_dialogue (roster));
    bool chained = previous || roster_is_first (roster);
    if (roster_self_signed (roster, &have, &need, &e))
        return cli_fail (&e);
    if (cli->json) {
        cli_print_json (
            json_pack ("{s:s,s:s,s:I,s:I,s:s,s:i,s:i,s:b}", "dialogue",
                       dialogue, "name", roster_name (roster), "version",
                       (json_int_t) roster_version (roster), "epoch",
                       (json_int_t) roster_epoch (roster), "digest", digest,
                       "signed", have, "threshold", need, "chained", chained));
        return CLI_FINE;
    }
    printf ("dialogue  %s\n"
            "roster    version %" PRId64 ", epoch %" PRId64 ", digest %s\n"
            "signed    by %d of its root signers, %d are needed\n",
            dialogue, roster_version (roster), roster_epoch (roster), digest,
            have, need);
    if (previous)
        printf ("follows   version %" PRId64 ", signed by its threshold too\n",
                roster_version (previous));
    else if (!chained)
        printf ("not asked: whether it follows the roster before "
                "(--previous NOTE)\n");
    return CLI_FINE;
}

int command_roster_check (struct cli *cli, int argc, char **argv) {
    const char *before = NULL, *dialogue = NULL;
    const struct option_spec specs[] = { { "previous", OPTION_TEXT, &before },
                                         { "dialogue", OPTION_TEXT, &dialogue },
                                         { 0 } };
    static struct words words;
    struct error e;
    options_read (cli, argc, argv, check_usage, specs, &words, 1, 1);
    struct roster *roster = load (words.at[0], &e);
    struct roster *previous = roster && before ? load (before, &e) : NULL;
    enum err rc = !roster || (before && !previous) ? e.code : ERR_NONE;
    if (!rc
        && ((rc = check (roster, previous, &e))
            || (rc = check_dialogue (roster, dialogue, &e))))
        error_at (&e, "%s", words.at[0]);
    int code = rc ? cli_fail (&e) : say_checked (cli, roster, previous);
    roster_unref (&roster);
    roster_unref (&previous);
    return code;
}
