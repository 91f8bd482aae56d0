/* roster_draft - the text of a roster, before anybody signs it (PROTOCOL.md
 * section 5.3). Offline. */
#include "files.h"
#include "identity/roster_chain.h"
#include "identity/roster_write.h"
#include "options.h"

#include <dirent.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>

#define CARDS_MAX (ROSTER_DELEGATIONS_MAX + ROSTER_SIGNERS_MAX)
#define CARD_FILE_MAX 8192   /* six lines of keys, some signatures */
#define PUBLIC_FILE_MAX 4096 /* as broker_public_read */

static const char usage[] =
    "usage: parley roster draft FOUNDING.json --cards DIR|FILE...\n"
    "                           --broker FILE... [--out TEXT]\n"
    "       parley roster draft --next PREVIOUS.note EDITED.json [--out TEXT]\n"
    "\n"
    "Write the text of a roster for the root signers to sign: the first one "
    "of\n"
    "a dialogue from its founding, the cards and the brokers' public files; "
    "or\n"
    "the next one from the roster before and its document as somebody edited\n"
    "it (parley roster show NOTE --json has it under \"document\"). Of a "
    "folder\n"
    "every card is taken. What the draft lacks is said on standard error.\n"
    "\n"
    "Example: parley roster draft founding.json --cards cards/\n"
    "             --broker lyon.json --out roster.text\n";

struct draft {
    struct card cards[CARDS_MAX];
    size_t card_count;
    struct broker_public brokers[ROSTER_BROKERS_MAX];
    size_t broker_count;
};

static enum err add_card (struct draft *self, const char *path,
                          struct slice octets, struct error *e) {
    if (self->card_count == CARDS_MAX)
        return error_set (e, ERR_LIMIT, "more than %d cards", CARDS_MAX);
    if (card_read (octets, &self->cards[self->card_count], e))
        return error_at (e, "%s", path);
    self->card_count++;
    return ERR_NONE;
}

static enum err add_card_file (struct draft *self, const char *path,
                               struct error *e) {
    struct buf octets = { 0 };
    enum err rc = file_read (path, CARD_FILE_MAX, &octets, e);
    if (!rc)
        rc = add_card (self, path, buf_slice (&octets), e);
    buf_free (&octets);
    return rc;
}

/* What a folder holds beside cards is named, so that a misspelled one is seen;
 * secrets are not even opened. */
static enum err add_folder_file (struct draft *self, const char *path,
                                 size_t *found, struct error *e) {
    static const char head[] = "parley/card/";
    struct buf octets = { 0 };
    struct stat st;
    bool readable = stat (path, &st) == 0 && S_ISREG (st.st_mode);
    enum err rc = ERR_NONE;
    if (readable && file_read (path, CARD_FILE_MAX, &octets, NULL) == 0
        && octets.size >= sizeof head
        && memcmp (octets.data, head, sizeof head - 1) == 0) {
        rc = add_card (self, path, buf_slice (&octets), e);
        *found += 1;
    } else
        fprintf (stderr, "parley: %s is no card: passed over\n", path);
    buf_free (&octets);
    return rc;
}

static int visible (const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static enum err add_folder (struct draft *self, const char *dir,
                            struct error *e) {
    struct dirent **entries;
    size_t found = 0;
    enum err rc = ERR_NONE;
    int count = scandir (dir, &entries, visible, alphasort);
    if (count < 0)
        return error_set (e, ERR_IO, "folder '%s' can't be read", dir);
    for (int i = 0; i < count; i++) {
        struct buf path = { 0 };
        buf_add_format (&path, "%s/%s", dir, entries[i]->d_name);
        char *text = buf_take_text (&path);
        if (!rc)
            rc = add_folder_file (self, text, &found, e);
        free (text);
        free (entries[i]);
    }
    free (entries);
    if (!rc && found == 0)
        return error_set (e, ERR_NOT_FOUND, "folder '%s' has no card", dir);
    return rc;
}

static enum err add_cards (struct draft *self, const struct words *paths,
                           struct error *e) {
    enum err rc = ERR_NONE;
    for (size_t i = 0; i < paths->count && !rc; i++) {
        struct stat st;
        bool folder = stat (paths->at[i], &st) == 0 && S_ISDIR (st.st_mode);
        rc = folder ? add_folder (self, paths->at[i], e)
                    : add_card_file (self, paths->at[i], e);
    }
    return rc;
}

static enum err add_brokers (struct draft *self, const struct words *paths,
                             struct error *e) {
    if (paths->count > ROSTER_BROKERS_MAX)
        return error_set (e, ERR_LIMIT, "%zu brokers, at most %d", paths->count,
                          ROSTER_BROKERS_MAX);
    struct buf json = { 0 };
    enum err rc = ERR_NONE;
    for (size_t i = 0; i < paths->count && !rc; i++) {
        rc = file_read (paths->at[i], PUBLIC_FILE_MAX, &json, e);
        if (!rc && broker_public_read (buf_slice (&json), &self->brokers[i], e))
            rc = error_at (e, "%s", paths->at[i]);
        self->broker_count = i + 1;
    }
    buf_free (&json);
    return rc;
}

static void say_warnings (const struct buf *warnings) {
    for (size_t from = 0, i = 0; i < warnings->size; i++) {
        if (warnings->data[i] != '\n')
            continue;
        char line[ERROR_TEXT_MAX];
        text_printable (line, sizeof line, warnings->data + from, i - from);
        fprintf (stderr, "parley: %s\n", line);
        from = i + 1;
    }
}

static enum err draft_first (const char *founding, const struct words *cards,
                             const struct words *brokers, struct buf *text,
                             struct error *e) {
    struct draft *draft = mem_alloc (sizeof *draft);
    struct buf json = { 0 }, warnings = { 0 };
    uint8_t nonce[32];
    randombytes_buf (nonce, sizeof nonce);
    enum err rc = file_read (founding, ROSTER_JSON_MAX, &json, e);
    if (!rc)
        rc = add_cards (draft, cards, e);
    if (!rc)
        rc = add_brokers (draft, brokers, e);
    if (!rc
        && roster_draft_first (buf_slice (&json), draft->cards,
                               draft->card_count, draft->brokers,
                               draft->broker_count, nonce, text, &warnings, e))
        rc = error_at (e, "%s", founding);
    say_warnings (&warnings);
    buf_free (&warnings);
    buf_free (&json);
    free (draft);
    return rc;
}

static enum err draft_next (const char *before, const char *edited,
                            struct buf *text, struct error *e) {
    struct buf note = { 0 }, json = { 0 };
    struct roster *previous = NULL;
    enum err rc = file_read (before, NOTE_MAX, &note, e);
    if (!rc) {
        previous = roster_read (buf_slice (&note), e);
        rc = previous ? ERR_NONE : error_at (e, "%s", before);
    }
    if (!rc && roster_self_signed (previous, NULL, NULL, e))
        rc = error_at (e, "%s", before);
    if (!rc)
        rc = file_read (edited, ROSTER_JSON_MAX, &json, e);
    if (!rc && roster_draft_next (previous, buf_slice (&json), text, e))
        rc = error_at (e, "%s", edited);
    roster_unref (&previous);
    buf_free (&note);
    buf_free (&json);
    return rc;
}

static void say_done (const struct cli *cli, struct slice text,
                      const char *out) {
    char digest[HASH_TEXT_MAX];
    struct hash h = note_digest (text);
    hash_text (digest, &h);
    if (cli->json)
        cli_print_json (json_pack ("{s:s,s:s}", "file", out, "digest", digest));
    else
        printf ("Draft written to %s, digest %s.\n"
                "Next: each root signer reads it and runs parley roster sign "
                "%s SECRET.\n",
                out, digest, out);
}

int command_roster_draft (struct cli *cli, int argc, char **argv) {
    const char *next = NULL, *out = NULL;
    static struct words words, cards, brokers;
    const struct option_spec specs[] = { { "next", OPTION_TEXT, &next },
                                         { "cards", OPTION_REST, &cards },
                                         { "broker", OPTION_REST, &brokers },
                                         { "out", OPTION_TEXT, &out },
                                         { 0 } };
    struct buf text = { 0 };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    if (next && (cards.count || brokers.count))
        options_refuse (usage, "--next takes keys from the edited document, "
                               "not from --cards and --broker");
    if (!next && (!cards.count || !brokers.count))
        options_refuse (usage, "a first roster needs --cards and --broker");
    enum err rc = next ? draft_next (next, words.at[0], &text, &e)
                       : draft_first (words.at[0], &cards, &brokers, &text, &e);
    if (!rc)
        rc = file_write (out, buf_slice (&text), false, &e);
    if (!rc && out)
        say_done (cli, buf_slice (&text), out);
    buf_free (&text);
    return rc ? cli_fail (&e) : CLI_FINE;
}
