/* verify - check any file that Parley makes, offline: what it proves, under what
 * trust, in words. Which kind it is, its first octets say. */
#include "base/clock.h"
#include "files.h"
#include "format/evidence.h"
#include "format/receipt.h"
#include "identity/roster_chain.h"
#include "verify_impl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley verify FILE [--policy POLICY] [--dialogue ID] [--roster "
    "NOTE]\n"
    "\n"
    "Check a file offline, and say what it proves. Which kind it is shows by "
    "itself:\n"
    "  NAME.tlog-proof  a receipt, with NAME.record and what else is beside "
    "it\n"
    "  a checkpoint     of a ledger, with its cosignatures\n"
    "  evidence         signed statements of a broker that contradict each "
    "other\n"
    "  a card, a roster, a communique with its adoptions\n"
    "  a promise        of the broker, as parley outbox promise writes it\n"
    "Receipts and checkpoints need POLICY (parley roster trust-policy writes "
    "it,\n"
    "get it from somebody you trust), a promise and a communique need the\n"
    "roster's NOTE: whose keys those are. With --dialogue what belongs to "
    "another\n"
    "dialogue is refused. Exit code 0: it holds.\n"
    "\n"
    "Example: parley verify record-4711.tlog-proof --policy trust.policy\n";

#define FILE_MAX EVIDENCE_MAX

void verify_begin (struct verifying *self, const char *kind) {
    static const char *const heads[] = { "", "", NULL };
    self->object = json_pack ("{s:s}", "kind", kind);
    self->table = table_new (heads);
}

void verify_say (struct verifying *self, const char *name, const char *format,
                 ...) {
    va_list args;
    char *text = NULL;
    va_start (args, format);
    if (vasprintf (&text, format, args) < 0)
        abort();
    va_end (args);
    json_object_set_new (self->object, name, json_string (text));
    table_cell (self->table, name);
    table_cell (self->table, text);
    free (text);
}

int verify_end (struct verifying *self, const struct asked *asked,
                const char *verdict) {
    json_object_set_new (self->object, "verdict", json_string (verdict));
    if (asked->cli->json) {
        cli_print_json (self->object);
    } else {
        table_print (self->table, stdout);
        printf ("\n%s\n", verdict);
        json_decref (self->object);
    }
    table_destroy (&self->table);
    return CLI_FINE;
}

int verify_fail (const struct asked *asked, struct error *e) {
    error_at (e, "%s", asked->file);
    if (e->code == ERR_STATE) /* not "no agent" */
        e->code = ERR_RIGHT;
    return cli_fail (e);
}

void verify_refuse (const char *why) {
    options_refuse (usage, "%s", why);
}

static void say_time (struct verifying *self, const char *name,
                      int64_t seconds) {
    char text[CLOCK_TEXT_MAX];
    if (seconds > 0)
        verify_say (self, name, "%s", clock_text (text, seconds * 1000));
}

static struct policy *policy_load (const struct asked *asked, struct error *e) {
    struct buf text = { 0 };
    struct policy *policy = NULL;
    if (!asked->policy)
        options_refuse (usage, "%s needs --policy: whom to trust", asked->file);
    if (!file_read (asked->policy, POLICY_OCTETS_MAX, &text, e)) {
        policy = policy_read (buf_slice (&text), e);
        if (!policy)
            error_at (e, "%s", asked->policy);
    }
    buf_free (&text);
    return policy;
}

static void say_checkpoint (struct verifying *self, const struct checkpoint *cp,
                            const struct policy_verdict *verdict) {
    char root[HASH_TEXT_MAX], bound[CLOCK_TEXT_MAX];
    verify_say (self, "ledger", "%s", cp->origin);
    verify_say (self, "size", "%" PRId64, cp->size);
    verify_say (self, "root", "%s", hash_text (root, &cp->root));
    verify_say (self, "witnesses", "%zu of %zu cosigned, a quorum",
                verdict->cosigned, verdict->witnesses);
    say_time (self, "first cosigned", verdict->first);
    say_time (self, "last cosigned", verdict->last);
    if (verdict->bound > 0)
        verify_say (self, "existed by",
                    "%s (by its witnesses' own clocks, even if some lie)",
                    clock_text (bound, verdict->bound * 1000));
}

/* A receipt: what lies beside it has the same name. */

struct beside {
    struct buf record, body, roster;
    struct buf roster_record, roster_proof; /* empty: not there */
};

static enum err beside_read (const struct asked *asked, const char *suffix,
                             bool needed, size_t max, struct buf *out,
                             struct error *e) {
    struct buf path = { 0 };
    size_t size = strlen (asked->file), end = strlen (".tlog-proof");
    bool named =
        size > end && strcmp (asked->file + size - end, ".tlog-proof") == 0;
    buf_add_format (&path, "%.*s.%s", (int) (named ? size - end : size),
                    asked->file, suffix);
    char *text = buf_take_text (&path);
    enum err rc = file_read (text, max, out, e);
    if (rc == ERR_NOT_FOUND && !needed)
        rc = ERR_NONE;
    free (text);
    return rc;
}

static enum err beside_load (const struct asked *asked, struct beside *self,
                             struct error *e) {
    enum err rc =
        beside_read (asked, "record", true, RECORD_MAX, &self->record, e);
    if (!rc)
        rc = beside_read (asked, "body", false, NOTE_MAX, &self->body, e);
    if (!rc && asked->roster)
        rc = file_read (asked->roster, NOTE_MAX, &self->roster, e);
    else if (!rc)
        rc = beside_read (asked, "roster", false, NOTE_MAX, &self->roster, e);
    if (!rc && !asked->roster)
        rc = beside_read (asked, "roster.record", false, RECORD_MAX,
                          &self->roster_record, e);
    if (!rc && !asked->roster)
        rc = beside_read (asked, "roster.tlog-proof", false, RECEIPT_MAX,
                          &self->roster_proof, e);
    return rc;
}

/* Is the roster beside it the one in force there? *proved is false where nobody
 * says so. */
static enum err roster_check (const struct beside *self,
                              const struct policy *policy,
                              const struct record *of, bool *proved,
                              struct error *e) {
    struct receipt receipt;
    *proved = false;
    if (self->roster_proof.size == 0 || self->roster_record.size == 0
        || self->roster.size == 0)
        return ERR_NONE;
    enum err rc = receipt_read (buf_slice (&self->roster_proof), &receipt, e);
    if (!rc)
        rc = receipt_check_roster (&receipt, buf_slice (&self->roster_record),
                                   buf_slice (&self->roster), policy, of, e);
    *proved = rc == ERR_NONE;
    return rc;
}

static void say_record (struct verifying *self,
                        const struct receipt_facts *facts,
                        const struct beside *beside, bool proved) {
    char text[CLOCK_TEXT_MAX];
    const struct message *m = &facts->message;
    verify_say (self, "record", "%" PRId64 ", of type %s, in the ledger",
                facts->record.sequence, record_type_name (facts->record.type));
    verify_say (self, "log time", "%s (by the broker's clock)",
                clock_text (text, facts->record.log_time));
    verify_say (self, "channel", "%.*s", (int) facts->record.channel.size,
                (const char *) facts->record.channel.data);
    if (m->octets.size > 0) {
        verify_say (self, "topic", "%.*s", (int) m->topic.size,
                    (const char *) m->topic.data);
        verify_say (
            self, "author", "%.*s, %s", (int) m->author.size,
            (const char *) m->author.data,
            !facts->author_good
                ? "as it says; no roster is beside it to judge that by"
            : proved ? "who signed it under a key of the roster in force there"
                     : "who signed it under a key of the roster beside it; "
                       "that this one was in force there is not proved");
    }
    if (beside->body.size > 0)
        verify_say (self, "body", "%s",
                    facts->body_good ? "is the one signed" : "is not judged");
}

static int verify_receipt (const struct asked *asked, struct slice octets) {
    struct error e = { 0 };
    struct beside beside = { 0 };
    struct receipt receipt;
    struct receipt_facts facts;
    struct verifying said;
    bool proved = false;
    int code = CLI_FINE;
    struct policy *policy = policy_load (asked, &e);
    enum err rc = policy ? receipt_read (octets, &receipt, &e) : e.code;
    if (!rc)
        rc = beside_load (asked, &beside, &e);
    if (!rc)
        rc = receipt_check (&receipt, buf_slice (&beside.record),
                            buf_slice (&beside.body),
                            buf_slice (&beside.roster), policy, &facts, &e);
    if (!rc)
        rc = roster_check (&beside, policy, &facts.record, &proved, &e);
    if (!rc && asked->dialogue && facts.message.octets.size > 0
        && memcmp (asked->dialogue->octets, facts.message.dialogue, HASH_SIZE)
               != 0)
        rc = error_set (&e, ERR_RIGHT, "the message is of another dialogue");
    if (!rc) {
        verify_begin (&said, "receipt");
        say_record (&said, &facts, &beside, proved);
        say_checkpoint (&said, &facts.checkpoint, &facts.witnesses);
        code = verify_end (&said, asked,
                           "All of that is proved, under this policy.");
    } else {
        code = verify_fail (asked, &e);
    }
    policy_destroy (&policy);
    buf_free (&beside.record);
    buf_free (&beside.body);
    buf_free (&beside.roster);
    buf_free (&beside.roster_record);
    buf_free (&beside.roster_proof);
    return code;
}

static int verify_checkpoint (const struct asked *asked, struct slice octets) {
    struct error e = { 0 };
    struct checkpoint cp;
    struct note note;
    struct policy_verdict verdict;
    struct verifying said;
    struct policy *policy = policy_load (asked, &e);
    enum err rc = policy ? checkpoint_read (octets, &cp, &note, &e) : e.code;
    if (!rc)
        rc = policy_check (policy, &cp, &note, &verdict, &e);
    policy_destroy (&policy);
    if (rc)
        return verify_fail (asked, &e);
    verify_begin (&said, "checkpoint");
    say_checkpoint (&said, &cp, &verdict);
    return verify_end (
        &said, asked,
        "The log and a quorum of witnesses signed that, under this "
        "policy.");
}

static int verify_evidence (const struct asked *asked, struct slice octets) {
    struct error e = { 0 };
    struct buf text = { 0 };
    struct verifying said;
    char made[CLOCK_TEXT_MAX], dialogue[HASH_TEXT_MAX];
    struct evidence_file *file = evidence_read (octets, &e);
    const struct evidence *evidence = file ? evidence_of (file) : NULL;
    enum err rc =
        file ? evidence_check (evidence, asked->dialogue, &text, &e) : e.code;
    if (rc == ERR_STATE)
        error_at (&e, "it proves nothing against the broker");
    int code;
    if (!rc) {
        verify_begin (&said, "evidence");
        verify_say (&said, "kind", "%s", evidence_kind_name (evidence->kind));
        verify_say (&said, "dialogue", "%s%s",
                    hash_text (dialogue, &evidence->dialogue),
                    asked->dialogue ? ""
                                    : " (compare it with the one you know)");
        verify_say (&said, "made", "%s by %s",
                    clock_text (made, evidence->made), evidence->maker);
        verify_say (&said, "proves", "%.*s", (int) text.size,
                    (const char *) text.data);
        code = verify_end (
            &said, asked, "The broker's own signatures contradict each other.");
    } else {
        code = verify_fail (asked, &e);
    }
    evidence_free (&file);
    buf_free (&text);
    return code;
}

static int verify_card (const struct asked *asked, struct slice octets) {
    struct error e = { 0 };
    struct card card;
    struct verifying said;
    if (card_read (octets, &card, &e))
        return verify_fail (asked, &e);
    verify_begin (&said, "card");
    verify_say (&said, "name", "%s", card.name);
    return verify_end (
        &said, asked,
        "Signed by its own key: ask its owner whether it is theirs.");
}

static int verify_roster (const struct asked *asked, struct slice octets) {
    struct error e = { 0 };
    struct verifying said;
    char text[HASH_TEXT_MAX];
    int have = 0, need = 0;
    struct roster *roster = roster_read (octets, &e);
    enum err rc =
        roster ? roster_self_signed (roster, &have, &need, &e) : e.code;
    if (!rc && asked->dialogue
        && !hash_equal (asked->dialogue, roster_dialogue (roster)))
        rc = error_set (&e, ERR_RIGHT, "the roster is of dialogue %s",
                        hash_text (text, roster_dialogue (roster)));
    int code;
    if (!rc) {
        verify_begin (&said, "roster");
        verify_say (&said, "dialogue", "%s%s",
                    hash_text (text, roster_dialogue (roster)),
                    asked->dialogue ? ""
                                    : " (compare it with the one you know)");
        verify_say (&said, "version", "%" PRId64 " of epoch %" PRId64,
                    roster_version (roster), roster_epoch (roster));
        verify_say (&said, "signed", "by %d root signers, of %d needed", have,
                    need);
        code =
            verify_end (&said, asked,
                        roster_is_first (roster)
                            ? "The first roster of that dialogue."
                            : "Its own threshold signed it. Whether it follows "
                              "on another one, parley roster check says.");
    } else {
        code = verify_fail (asked, &e);
    }
    roster_unref (&roster);
    return code;
}

/* A promise: octets as in hello. */

static enum err promise_check_by (const struct roster *roster,
                                  const struct promise_proof *proof,
                                  struct error *e) {
    const struct promise *promise = &proof->promise;
    const uint8_t *key =
        promise_desk_key (roster, promise->key_id, promise->log_time);
    if (!key || promise->epoch != roster_epoch (roster))
        return error_set (e, ERR_KEY,
                          "no desk key of roster version %" PRId64
                          " made it: give the one in force at its log time",
                          roster_version (roster));
    return promise_proof_check (proof, roster_dialogue (roster), key, e);
}

static int verify_promise (const struct asked *asked, struct slice octets) {
    struct error e = { 0 };
    struct verifying said;
    struct mp in;
    struct promise_proof proof;
    struct buf note = { 0 };
    char id[HASH_TEXT_MAX], leaf[HASH_TEXT_MAX], time[CLOCK_TEXT_MAX];
    mp_start (&in, octets);
    promise_proof_take (&in, &proof);
    enum err rc = mp_finish (&in, &e);
    if (!rc && !asked->roster)
        options_refuse (usage, "a promise needs --roster: whose desk it is");
    if (!rc)
        rc = file_read (asked->roster, NOTE_MAX, &note, &e);
    struct roster *roster = rc ? NULL : roster_read (buf_slice (&note), &e);
    if (!rc)
        rc = roster ? promise_check_by (roster, &proof, &e) : e.code;
    if (!rc && asked->dialogue
        && !hash_equal (asked->dialogue, roster_dialogue (roster)))
        rc = error_set (&e, ERR_RIGHT, "the roster is of another dialogue");
    buf_free (&note);
    roster_unref (&roster);
    if (rc)
        return verify_fail (asked, &e);
    verify_begin (&said, "promise");
    verify_say (&said, "message", "%s", hash_text (id, &proof.id));
    verify_say (&said, "recorded", "as record %" PRId64 " at %s",
                proof.sequence, clock_text (time, proof.promise.log_time));
    verify_say (&said, "leaf", "%s", hash_text (leaf, &proof.leaf));
    return verify_end (&said, asked, "The broker's desk key signed that.");
}

/* Which kind is it? */

static bool begins (struct slice octets, const char *text) {
    size_t size = strlen (text);
    return octets.size >= size && memcmp (octets.data, text, size) == 0;
}

static int verify_any (const struct asked *asked, struct slice octets) {
    struct error e = { 0 };
    struct checkpoint cp;
    struct note note;
    if (begins (octets, "c2sp.org/tlog-proof@"))
        return verify_receipt (asked, octets);
    if (begins (octets, "parley/card/"))
        return verify_card (asked, octets);
    if (begins (octets, "parley/roster/"))
        return verify_roster (asked, octets);
    if (begins (octets, "parley/communique/"))
        return verify_communique (asked, octets);
    if (begins (octets, "{"))
        return verify_evidence (asked, octets);
    if (octets.size > 0 && octets.data[0] == 0x9d) /* array of 13 */
        return verify_promise (asked, octets);
    if (!checkpoint_read (octets, &cp, &note, &e))
        return verify_checkpoint (asked, octets);
    error_set (&e, ERR_MALFORMED,
               "no receipt, checkpoint, evidence, card, roster, communique or "
               "promise");
    return verify_fail (asked, &e);
}

int command_verify (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *dialogue = NULL;
    struct asked asked = { .cli = cli };
    const struct option_spec specs[] = {
        { "policy", OPTION_TEXT, &asked.policy },
        { "dialogue", OPTION_TEXT, &dialogue },
        { "roster", OPTION_TEXT, &asked.roster },
        { 0 }
    };
    struct buf octets = { 0 };
    struct hash wanted;
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    if (dialogue && hash_parse (dialogue, &wanted))
        options_refuse (usage,
                        "--dialogue '%s' is not 64 digits of lower case hex",
                        dialogue);
    asked.dialogue = dialogue ? &wanted : NULL;
    asked.file = words.at[0];
    int code = file_read (asked.file, FILE_MAX, &octets, &e)
                   ? cli_fail (&e)
                   : verify_any (&asked, buf_slice (&octets));
    buf_free (&octets);
    return code;
}
