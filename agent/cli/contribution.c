/* contribution - a message written and signed offline, to be handed in by
 * another delegation (PROTOCOL.md section 6.4). */
#include "audience.h"
#include "base/clock.h"
#include "entry.h"
#include "files.h"
#include "format/batch.h"
#include "identity/place.h"
#include "identity/rights.h"
#include "identity/roster_chain.h"
#include "options.h"
#include "table.h"

#include <sodium.h>
#include <stdlib.h>

#define FILE_MAX 409600 /* as parley publish */

static const char make_usage[] =
    "usage: parley contribution make TOPIC FILE|- --identity SECRET\n"
    "               --roster NOTE --out FILE [--as json|text|octets] [--yes]\n"
    "\n"
    "Write and sign a message without an agent; any delegation of the "
    "dialogue\n"
    "can hand it in. It names the roster given, which should be the newest: a\n"
    "contribution is refused when a reader has left since. Everybody who will "
    "be\n"
    "able to read it is named first.\n"
    "\n"
    "Example: parley contribution make dialogue/note/1 note.txt\n"
    "             --identity afripol-written.secret --roster roster.note\n"
    "             --out note.contribution\n";

static const char hand_in_usage[] =
    "usage: parley contribution hand-in FILE [--key KEY] [--yes]\n"
    "               [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Give another delegation's written contribution to the agent, which hands\n"
    "it in and says so in the ledger. Everybody who will be able to read it "
    "is\n"
    "named first.\n"
    "\n"
    "Example: parley contribution hand-in note.contribution --wait promised\n";

/* Make. */

struct writing {
    struct identity *who;
    struct roster *roster;
    const char *topic;
    enum body_format format;
    struct buf content;
};

static struct roster *load_roster (const char *path, struct error *e) {
    struct buf note = { 0 };
    struct roster *roster = NULL;
    if (file_read (path, NOTE_MAX, &note, e))
        return NULL;
    roster = roster_read (buf_slice (&note), e);
    if (!roster || roster_self_signed (roster, NULL, NULL, e)) {
        error_at (e, "%s", path);
        roster_unref (&roster);
    }
    buf_free (&note);
    return roster;
}

/* Does the roster know this key, and may its holder write there? */
static enum err check_author (const struct writing *self, struct error *e) {
    const char *name = identity_name (self->who);
    struct slice channel = topic_channel (slice_text (self->topic));
    const uint8_t *key;
    int64_t now = clock_wall_ms();
    if (identity_kind (self->who) != IDENTITY_DELEGATION)
        return error_set (e, ERR_RIGHT, "%s is no delegation", name);
    if (rights_sign_key (self->roster, slice_text (name),
                         identity_key_id (self->who, LABEL_BATCH), now, &key))
        return error_set (e, ERR_KEY,
                          "the roster does not list this key of %s, or not "
                          "any more",
                          name);
    enum verdict v =
        rights_ask (self->roster, slice_text (name), channel, RIGHT_WRITE, now);
    if (v)
        return error_set (e, ERR_RIGHT, "%s may not write on %.*s: %s", name,
                          (int) channel.size, (const char *) channel.data,
                          verdict_name (v));
    return ERR_NONE;
}

/* Everybody who can read it, under the roster given. */
static enum err say_audience (const struct writing *self, struct error *e) {
    static const char *const heads[] = { "", "", "", NULL };
    struct slice channel = topic_channel (slice_text (self->topic));
    size_t count, room = roster_delegations (self->roster);
    const struct roster_delegation **readers =
        mem_alloc ((room + 1) * sizeof *readers);
    enum verdict v = rights_audience (self->roster, channel, clock_wall_ms(),
                                      readers, &count);
    struct table *table = table_new (heads);
    for (size_t i = 0; !v && i < count; i++) {
        table_cell (table, "");
        table_cell (table, readers[i]->name);
        table_cell (table,
                    roster_entity_at (self->roster, readers[i]->entity)->name);
    }
    if (!v) {
        fprintf (stderr, "%s can be read by:\n", self->topic);
        table_print (table, stderr);
    }
    table_destroy (&table);
    free (readers);
    return v ? error_set (e, ERR_RIGHT, "%s: nobody is known to read %s",
                          verdict_name (v), self->topic)
             : ERR_NONE;
}

/* JSON becomes msgpack; all else is taken as it is. */
static enum err read_content (struct writing *self, const char *path,
                              struct error *e) {
    struct buf data = { 0 };
    enum err rc = file_read (path, FILE_MAX, &data, e);
    if (!rc && self->format == BODY_MAP) {
        json_t *value = place_parse (buf_slice (&data), FILE_MAX, e);
        rc = value ? mp_from_json (&self->content, value, CONTENT_MAX, e)
                   : e->code;
        json_decref (value);
        buf_free (&data);
    } else
        self->content = data;
    return rc ? error_at (e, "%s", path) : ERR_NONE;
}

static enum err write_message (const struct writing *self, struct buf *header,
                               struct buf *body, struct error *e) {
    uint64_t lane;
    randombytes_buf (&lane, sizeof lane);
    const struct message_draft draft = {
        .dialogue = roster_dialogue (self->roster),
        .author = identity_name (self->who),
        .key_id = identity_key_id (self->who, LABEL_BATCH),
        .roster_version = roster_version (self->roster),
        .lane = lane,
        .number = 1,
        .author_time = clock_wall_ms(),
        .topic = slice_text (self->topic),
        .body_format = self->format,
    };
    enum err rc =
        message_write_body (self->format, buf_slice (&self->content), body, e);
    return rc ? rc : message_write_header (&draft, buf_slice (body), header, e);
}

static enum err write_contribution (const struct writing *self, struct buf *out,
                                    struct error *e) {
    struct buf header = { 0 }, body = { 0 };
    struct buf head = { 0 }, headers = { 0 }, bodies = { 0 };
    enum err rc = write_message (self, &header, &body, e);
    if (!rc) {
        struct batch_part part = { buf_slice (&header), buf_slice (&body) };
        rc = batch_write (self->who, roster_dialogue (self->roster),
                          topic_channel (slice_text (self->topic)), &part, 1,
                          &head, &headers, &bodies, e);
    }
    if (!rc)
        contribution_write (buf_slice (&head), buf_slice (&headers),
                            buf_slice (&bodies), out);
    buf_free (&header);
    buf_free (&body);
    buf_free (&head);
    buf_free (&headers);
    buf_free (&bodies);
    return rc;
}

static enum err make (struct writing *self, const char *file, bool yes,
                      const char *path, struct error *e) {
    struct buf out = { 0 };
    enum err rc = check_author (self, e);
    if (!rc)
        rc = read_content (self, file, e);
    if (!rc)
        rc = say_audience (self, e);
    if (!rc)
        rc = audience_ask (yes, e);
    if (!rc)
        rc = write_contribution (self, &out, e);
    if (!rc)
        rc = file_write (path, buf_slice (&out), false, e);
    buf_free (&out);
    return rc;
}

static enum body_format format_of (const char *as, const char *file) {
    size_t size = strlen (file);
    if (!as)
        as = size > 5 && strcmp (file + size - 5, ".json") == 0 ? "json"
                                                                : "text";
    if (strcmp (as, "json") == 0)
        return BODY_MAP;
    if (strcmp (as, "text") == 0)
        return BODY_TEXT;
    if (strcmp (as, "octets") == 0)
        return BODY_OCTETS;
    options_refuse (make_usage, "--as '%s' is not json, text or octets", as);
}

int command_contribution_make (struct cli *cli, int argc, char **argv) {
    const char *secret = NULL, *note = NULL, *out = NULL, *as = NULL;
    bool yes = false;
    static struct words words;
    const struct option_spec specs[] = {
        { "identity", OPTION_TEXT, &secret }, { "roster", OPTION_TEXT, &note },
        { "out", OPTION_TEXT, &out },         { "as", OPTION_TEXT, &as },
        { "yes", OPTION_FLAG, &yes },         { 0 }
    };
    struct writing self = { 0 };
    struct error e;
    options_read (cli, argc, argv, make_usage, specs, &words, 2, 2);
    if (!secret || !note || !out)
        options_refuse (make_usage,
                        "--identity, --roster and --out are needed");
    self.topic = words.at[0];
    self.format = format_of (as, words.at[1]);
    if (topic_check (slice_text (self.topic), &e))
        options_refuse (make_usage, "topic '%s': %s", self.topic, e.text);
    self.who = identity_load (secret, &e);
    self.roster = self.who ? load_roster (note, &e) : NULL;
    enum err rc =
        self.roster ? make (&self, words.at[1], yes, out, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_pack ("{s:s,s:s,s:s}", "author",
                                   identity_name (self.who), "topic",
                                   self.topic, "file", out));
    else if (!rc)
        printf ("Contribution of %s written to %s.\n"
                "Next: any delegation runs parley contribution hand-in %s.\n",
                identity_name (self.who), out, out);
    identity_destroy (&self.who);
    roster_unref (&self.roster);
    buf_free (&self.content);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* Hand in. */

static enum err agent_dialogue (struct client *client, struct hash *out,
                                struct error *e) {
    struct buf path = { 0 };
    json_t *status = NULL;
    client_path (&path, "/api/v1/status");
    enum err rc = client_get (client, &path, 0, &status, e);
    if (!rc && hash_parse (json_text_or (status, "dialogue", ""), out))
        rc = error_set (e, ERR_DAMAGED, "the agent names no dialogue");
    json_decref (status);
    buf_free (&path);
    return rc;
}

/* Whose it is and where it goes: said, and the audience confirmed. */
static enum err confirm (struct client *client, struct slice octets, bool yes,
                         struct error *e) {
    struct hash dialogue;
    struct slice head, headers, bodies;
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    enum err rc = contribution_read (octets, &head, &headers, &bodies, e);
    if (!rc)
        rc = agent_dialogue (client, &dialogue, e);
    if (rc)
        return rc;
    struct batch *batch = mem_alloc (sizeof *batch);
    rc = batch_read (head, headers, bodies, &dialogue, batch, &why);
    if (rc)
        error_set (e, rc, "%s", refusal_print (&why, text));
    for (size_t i = 0; !rc && i < batch->size; i++)
        if (batch->items[i].refusal)
            rc = error_set (e, ERR_RIGHT, "%s",
                            refusal_print (batch->items[i].refusal, text));
    if (!rc) {
        char topic[TOPIC_MAX + 1];
        struct slice t = batch->items[0].message.topic;
        snprintf (topic, sizeof topic, "%.*s", (int) t.size,
                  (const char *) t.data);
        fprintf (stderr, "Written by %.*s.\n", (int) batch->author.size,
                 (const char *) batch->author.data);
        rc = audience_confirm (client, topic, false, yes, e);
    }
    batch_clear (batch);
    free (batch);
    return rc;
}

int command_contribution_hand_in (struct cli *cli, int argc, char **argv) {
    struct entry_wait wait = { 0 };
    const char *key = NULL;
    bool yes = false;
    static struct words words;
    const struct option_spec specs[] = { { "key", OPTION_TEXT, &key },
                                         { "yes", OPTION_FLAG, &yes },
                                         { "wait", OPTION_TEXT, &wait.state },
                                         { "timeout", OPTION_TEXT,
                                           &wait.timeout },
                                         { 0 } };
    struct buf octets = { 0 }, path = { 0 };
    json_t *entry = NULL;
    struct error e;
    options_read (cli, argc, argv, hand_in_usage, specs, &words, 1, 1);
    entry_wait_check (&wait, hand_in_usage);
    struct client *client = client_new (cli, &e);
    enum err rc = client
                      ? file_read (words.at[0], CONTRIBUTION_MAX, &octets, &e)
                      : e.code;
    if (!rc && (rc = confirm (client, buf_slice (&octets), yes, &e)))
        error_at (&e, "%s", words.at[0]);
    client_path (&path, "/api/v1/contributions");
    if (!rc)
        rc = client_post (client, &path, "application/octet-stream",
                          buf_slice (&octets), key, &entry, &e);
    int code = rc ? cli_fail (&e) : entry_finish (cli, client, entry, &wait);
    buf_free (&octets);
    buf_free (&path);
    client_destroy (&client);
    return code;
}
