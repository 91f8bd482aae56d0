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
#include "plans/taxonomy.h"
#include "table.h"
#include "threads/say.h"

#include <sodium.h>
#include <stdlib.h>

#define FILE_MAX 409600 /* as parley publish */

static const char write_usage[] =
    "usage: parley contribution write TOPIC FILE|- --identity SECRET\n"
    "               --roster NOTE --out FILE [--as json|text|octets] [--yes]\n"
    "       parley contribution write FILE|- --meeting ID --channel CHANNEL\n"
    "               [--title TEXT] --identity SECRET --roster NOTE --out FILE "
    "[--yes]\n"
    "\n"
    "Write and sign a message without an agent; any delegation of the "
    "dialogue\n"
    "can hand it in. It names the roster given, which should be the newest: a\n"
    "contribution is refused when a reader has left since. Everybody who will "
    "be\n"
    "able to read it is named first. With --meeting a text is a written\n"
    "contribution to that meeting; its whole topic can stand there, too.\n"
    "\n"
    "Example: parley contribution write statement.txt --meeting EUROPOL-dpd-5 "
    "\\\n"
    "             --channel dialogue --identity afripol-written.secret \\\n"
    "             --roster roster.note --out statement.contribution\n";

static const char submit_usage[] =
    "usage: parley contribution submit FILE [--key KEY] [--yes]\n"
    "               [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Give another delegation's written contribution to the agent, which hands\n"
    "it in and says so in the ledger. Everybody who will be able to read it "
    "is\n"
    "named first.\n"
    "\n"
    "Example: parley contribution submit note.contribution --wait promised\n";

/* Write. */

struct writing {
    struct identity *who;
    struct roster *roster;
    const char *topic;   /* of it, or of the meeting; or the meeting's id */
    const char *meeting; /* NULL: a message of any kind */
    const char *channel, *title;
    enum body_format format;
    struct buf content;
    char room[TOPIC_MAX + 1];
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

/* Meetings. */

/* Whose meeting it is, its id begins with: the longest name that fits. */
static const char *proposer_of (const struct writing *self) {
    const char *best = NULL;
    for (size_t i = 0; i < roster_entities (self->roster); i++) {
        const char *name = roster_entity_at (self->roster, i)->id;
        size_t size = strlen (name);
        if (strncmp (self->meeting, name, size) == 0
            && self->meeting[size] == '-' && (!best || size > strlen (best)))
            best = name;
    }
    return best;
}

static enum err find_meeting (struct writing *self, struct thread_place *place,
                              struct error *e) {
    struct faults faults = { 0 };
    const char *proposer = proposer_of (self);
    if (strchr (self->meeting, '/'))
        snprintf (self->room, sizeof self->room, "%s", self->meeting);
    else if (!self->channel)
        return error_set (e, ERR_ARGUMENT,
                          "--channel is missing: where is the meeting %s?",
                          self->meeting);
    else if (!proposer)
        return error_set (e, ERR_NOT_FOUND,
                          "'%s' is no id of a meeting: it begins with no "
                          "body of the roster",
                          self->meeting);
    else
        snprintf (self->room, sizeof self->room, "%s/meeting/%s/%s",
                  self->channel, proposer, self->meeting);
    self->topic = self->room;
    bool good = !topic_check (slice_text (self->topic), NULL)
                && thread_place_read (slice_text (self->topic), place, &faults)
                && place->kind == THREAD_MEETING;
    faults_clear (&faults);
    return good ? ERR_NONE
                : error_set (e, ERR_ARGUMENT, "'%s' is no topic of a meeting",
                             self->topic);
}

/* What a meeting's readers would say of it, its first fault. */
static enum err check_said (const struct thread_place *place,
                            const json_t *document, struct error *e) {
    struct faults faults = { 0 };
    struct taxonomy *taxonomy = taxonomy_base();
    bool newer;
    struct say *say =
        say_read (place, document, NULL, taxonomy, &faults, &newer);
    enum err rc = say ? ERR_NONE : faults_error (&faults, e);
    say_free (&say);
    taxonomy_unref (&taxonomy);
    faults_clear (&faults);
    return rc;
}

static enum err contribute (struct writing *self, struct slice text,
                            struct error *e) {
    struct thread_place place;
    char title[128];
    struct slice author =
        delegation_entity (slice_text (identity_name (self->who)));
    enum err rc = find_meeting (self, &place, e);
    if (rc)
        return rc;
    snprintf (title, sizeof title, "Written contribution of %.*s",
              (int) author.size, (const char *) author.data);
    while (text.size > 0 && text.data[text.size - 1] == '\n')
        text.size--;
    json_t *document =
        json_pack ("{s:i,s:s,s:s,s:s,s:s%}", "format", 1, "thread", place.id,
                   "does", thread_does_name (DOES_CONTRIBUTION), "title",
                   self->title ? self->title : title, "text",
                   (const char *) text.data, text.size);
    if (!document)
        return error_set (e, ERR_MALFORMED, "is no UTF-8 text");
    rc = check_said (&place, document, e);
    if (!rc)
        rc = mp_from_json (&self->content, document, CONTENT_MAX, e);
    json_decref (document);
    return rc;
}

/* JSON becomes msgpack; all else is taken as it is. */
static enum err read_content (struct writing *self, const char *path,
                              struct error *e) {
    struct buf data = { 0 };
    enum err rc = file_read (path, FILE_MAX, &data, e);
    if (!rc && self->meeting) {
        rc = contribute (self, buf_slice (&data), e);
        buf_free (&data);
    } else if (!rc && self->format == BODY_MAP) {
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

static enum err write_file (struct writing *self, const char *file, bool yes,
                            const char *path, struct error *e) {
    struct buf out = { 0 };
    enum err rc = read_content (self, file, e); /* a meeting's topic, too */
    if (!rc)
        rc = check_author (self, e);
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
    options_refuse (write_usage, "--as '%s' is not json, text or octets", as);
}

static void check_words (struct writing *self, const struct words *words,
                         const char *as) {
    struct error e;
    if (words->count == (self->meeting ? 2 : 1))
        options_refuse (write_usage,
                        self->meeting
                            ? "--meeting says where it goes: '%s' is one word "
                              "too many"
                            : "'%s' alone: TOPIC and FILE, or --meeting",
                        words->at[0]);
    if (self->meeting && as)
        options_refuse (write_usage, "--as is not for a meeting's text");
    if (!self->meeting && (self->channel || self->title))
        options_refuse (write_usage, "--channel and --title go with --meeting");
    self->format =
        self->meeting ? BODY_MAP : format_of (as, words->at[words->count - 1]);
    self->topic = words->at[0];
    if (!self->meeting && topic_check (slice_text (self->topic), &e))
        options_refuse (write_usage, "topic '%s': %s", self->topic, e.text);
}

int command_contribution_write (struct cli *cli, int argc, char **argv) {
    const char *secret = NULL, *note = NULL, *out = NULL, *as = NULL;
    bool yes = false;
    static struct words words;
    struct writing self = { 0 };
    const struct option_spec specs[] = {
        { "identity", OPTION_TEXT, &secret },
        { "roster", OPTION_TEXT, &note },
        { "out", OPTION_TEXT, &out },
        { "as", OPTION_TEXT, &as },
        { "meeting", OPTION_TEXT, &self.meeting },
        { "channel", OPTION_TEXT, &self.channel },
        { "title", OPTION_TEXT, &self.title },
        { "yes", OPTION_FLAG, &yes },
        { 0 }
    };
    struct error e;
    options_read (cli, argc, argv, write_usage, specs, &words, 1, 2);
    if (!secret || !note || !out)
        options_refuse (write_usage,
                        "--identity, --roster and --out are needed");
    check_words (&self, &words, as);
    const char *file = words.at[words.count - 1];
    self.who = identity_load (secret, &e);
    self.roster = self.who ? load_roster (note, &e) : NULL;
    enum err rc = self.roster ? write_file (&self, file, yes, out, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_pack ("{s:s,s:s,s:s}", "author",
                                   identity_name (self.who), "topic",
                                   self.topic, "file", out));
    else if (!rc)
        printf ("Contribution of %s written to %s.\n"
                "Next: any delegation runs parley contribution submit %s.\n",
                identity_name (self.who), out, out);
    identity_destroy (&self.who);
    roster_unref (&self.roster);
    buf_free (&self.content);
    return rc ? cli_fail (&e) : CLI_FINE;
}

/* Submit. */

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

int command_contribution_submit (struct cli *cli, int argc, char **argv) {
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
    options_read (cli, argc, argv, submit_usage, specs, &words, 1, 1);
    entry_wait_check (&wait, submit_usage);
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
