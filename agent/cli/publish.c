/* publish - give a message to the agent, after saying who will read it; and
 * plans, whose topic follows from what they say. */
#include "audience.h"
#include "base/clock.h"
#include "base/topic.h"
#include "entry.h"
#include "files.h"
#include "format/message.h"
#include "identity/place.h"
#include "json.h"
#include "options.h"

#include <inttypes.h>
#include <stdlib.h>

#define FILE_MAX 409600 /* the API's limit of a request */

static const char usage[] =
    "usage: parley publish TOPIC FILE|- [--as json|text|octets] [--ref ID]...\n"
    "                      [--key KEY] [--yes]\n"
    "                      [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Give a message to the agent, which signs it and sends it when the broker\n"
    "is there. Before that, every entity that will be able to read it is "
    "named;\n"
    "on a terminal you are asked, unless --yes. A file *.json is json, all "
    "else\n"
    "is text, unless --as. --ref names messages that it refers to. With --key\n"
    "the same message given twice is published once. --wait waits until the\n"
    "broker has promised it, or until it is done: a quorum of witnesses covers "
    "it.\n"
    "\n"
    "Example: parley publish dialogue/note/1 note.txt --wait promised\n";

static const char plan_usage[] =
    "usage: parley plan publish FILE --channel CHANNEL [--ref ID]...\n"
    "                           [--key KEY] [--yes]\n"
    "                           [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Publish a plan on the topic CHANNEL/plan/ENTITY/PLAN-ID. Its entity has "
    "to\n"
    "be the agent's own. There is no default channel: it decides who reads.\n"
    "\n"
    "Example: parley plan publish EUROPOL-empact-2026-2029.json "
    "--channel members\n";

struct publishing {
    const char *topic;
    const char *format; /* "json", "text", "octets" */
    const char *key;
    struct words references;
    bool yes;
    struct entry_wait wait;
};

/* What is published. */

static json_t *octets_content (struct slice data) {
    size_t room = BASE64_SIZE (data.size);
    char *text = mem_alloc (room);
    json_t *value = json_string (base64_encode (text, data.data, data.size));
    free (text);
    return value;
}

static json_t *content_of (const char *format, struct slice data,
                           struct error *e) {
    if (strcmp (format, "json") == 0)
        return place_parse (data, FILE_MAX, e);
    if (data.size == 0 || data.size > CONTENT_MAX) {
        error_set (e, ERR_LIMIT, "%zu octets; a message has 1 to %d", data.size,
                   CONTENT_MAX);
        return NULL;
    }
    if (strcmp (format, "octets") == 0)
        return octets_content (data);
    json_t *text = json_stringn ((const char *) data.data, data.size);
    if (!text)
        error_set (e, ERR_MALFORMED,
                   "is no UTF-8 text; --as octets takes it as it is");
    return text;
}

/* What a file holds, in that format. */
static json_t *read_content (const char *file, const char *format,
                             struct error *e) {
    struct buf data = { 0 };
    json_t *content = NULL;
    if (!file_read (file, FILE_MAX, &data, e)) {
        content = content_of (format, buf_slice (&data), e);
        if (!content)
            error_at (e, "%s", file);
    }
    buf_free (&data);
    return content;
}

/* Takes content's reference. */
static char *body_of (const struct publishing *self, json_t *content) {
    json_t *ids = json_array();
    for (size_t i = 0; i < self->references.count; i++)
        json_array_append_new (ids, json_string (self->references.at[i]));
    json_t *body =
        json_pack ("{s:s,s:s,s:o,s:o}", "topic", self->topic, "format",
                   self->format, "content", content, "references", ids);
    char *text = json_dumps (body, JSON_COMPACT);
    json_decref (body);
    return text;
}

static enum err send (struct client *client, const struct publishing *self,
                      json_t *content, json_t **entry, struct error *e) {
    struct buf path = { 0 };
    char *body = body_of (self, content);
    if (!body)
        return error_set (e, ERR_MALFORMED, "the content can't be written");
    client_path (&path, "/api/v1/messages");
    enum err rc = client_post (client, &path, "application/json",
                               slice_text (body), self->key, entry, e);
    buf_free (&path);
    free (body);
    return rc;
}

static int publish (const struct cli *cli, struct client *client,
                    const struct publishing *self, json_t *content) {
    struct error e;
    json_t *entry = NULL;
    enum err rc = audience_confirm (client, self->topic, true, self->yes, &e);
    if (rc)
        json_decref (content);
    else
        rc = send (client, self, content, &entry, &e);
    if (rc)
        return cli_fail (&e);
    return entry_finish (cli, client, entry, &self->wait);
}

/* Words. */

static void check_references (const struct words *words, const char *help) {
    struct hash id;
    if (words->count > REFERENCES_MAX)
        options_refuse (help, "%zu references, at most %d", words->count,
                        REFERENCES_MAX);
    for (size_t i = 0; i < words->count; i++)
        if (hash_parse (words->at[i], &id))
            options_refuse (help, "--ref '%s' is no message id", words->at[i]);
}

static const char *format_of (const char *given, const char *file) {
    size_t size = strlen (file);
    if (!given)
        return size > 5 && strcmp (file + size - 5, ".json") == 0 ? "json"
                                                                  : "text";
    if (strcmp (given, "json") && strcmp (given, "text")
        && strcmp (given, "octets"))
        options_refuse (usage, "--as '%s' is not json, text or octets", given);
    return given;
}

int command_publish (struct cli *cli, int argc, char **argv) {
    static struct publishing self;
    static struct words words;
    const char *as = NULL;
    const struct option_spec specs[] = {
        { "as", OPTION_TEXT, &as },
        { "ref", OPTION_EACH, &self.references },
        { "key", OPTION_TEXT, &self.key },
        { "yes", OPTION_FLAG, &self.yes },
        { "wait", OPTION_TEXT, &self.wait.state },
        { "timeout", OPTION_TEXT, &self.wait.timeout },
        { 0 }
    };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 2, 2);
    entry_wait_check (&self.wait, usage);
    check_references (&self.references, usage);
    if (topic_check (slice_text (words.at[0]), &e))
        options_refuse (usage,
                        "topic '%s': %s; one is CHANNEL/KIND/..., such as "
                        "dialogue/note/1",
                        words.at[0], e.text);
    self.topic = words.at[0];
    self.format = format_of (as, words.at[1]);
    struct client *client = client_new (cli, &e);
    json_t *content =
        client ? read_content (words.at[1], self.format, &e) : NULL;
    int code = content ? publish (cli, client, &self, content) : cli_fail (&e);
    client_destroy (&client);
    return code;
}

/* Plans. */

static enum err own_entity (struct client *client, const char *entity,
                            struct error *e) {
    struct buf path = { 0 };
    json_t *status = NULL;
    client_path (&path, "/api/v1/status");
    enum err rc = client_get (client, &path, 0, &status, e);
    const char *own = json_text_or (status, "entity", "?");
    if (!rc && strcmp (own, entity) != 0)
        rc = error_set (e, ERR_RIGHT,
                        "\"entity\" is %s, but this agent speaks for %s: it "
                        "publishes the plans of %s only",
                        entity, own, own);
    json_decref (status);
    buf_free (&path);
    return rc;
}

/* CHANNEL/plan/ENTITY/PLAN-ID; the caller frees. */
static char *plan_topic (json_t *plan, const char *channel, struct error *e) {
    const char *entity = json_text (plan, "entity");
    const char *id = json_text (plan, "plan");
    if (!entity || !id) {
        error_set (e, ERR_MALFORMED, "is no plan: it has no \"%s\"",
                   entity ? "plan" : "entity");
        return NULL;
    }
    struct buf topic = { 0 };
    buf_add_format (&topic, "%s/plan/%s/%s", channel, entity, id);
    char *text = buf_take_text (&topic);
    if (strchr (entity, '/') || strchr (id, '/') || strchr (channel, '/')
        || topic_check (slice_text (text), e)) {
        error_set (e, ERR_MALFORMED,
                   "--channel, \"entity\" and \"plan\" make no topic: '%s'",
                   text);
        free (text);
        return NULL;
    }
    return text;
}

/* Is it a plan, and this agent's to publish? Its topic, or NULL. */
static char *check_plan (struct client *client, json_t *plan, const char *file,
                         const char *channel, struct error *e) {
    char *topic = plan_topic (plan, channel, e);
    if (topic && own_entity (client, json_text (plan, "entity"), e)) {
        free (topic);
        topic = NULL;
    }
    if (!topic)
        error_at (e, "%s", file);
    return topic;
}

static int plan_publish (const struct cli *cli, struct publishing *self,
                         const char *file, const char *channel) {
    struct error e;
    char *topic = NULL;
    struct client *client = client_new (cli, &e);
    json_t *plan = client ? read_content (file, "json", &e) : NULL;
    if (plan)
        topic = check_plan (client, plan, file, channel, &e);
    self->topic = topic;
    self->format = "json";
    int code =
        topic ? publish (cli, client, self, json_incref (plan)) : cli_fail (&e);
    json_decref (plan);
    client_destroy (&client);
    free (topic);
    return code;
}

int command_plan_publish (struct cli *cli, int argc, char **argv) {
    static struct publishing self;
    static struct words words;
    const char *channel = NULL;
    const struct option_spec specs[] = {
        { "channel", OPTION_TEXT, &channel },
        { "ref", OPTION_EACH, &self.references },
        { "key", OPTION_TEXT, &self.key },
        { "yes", OPTION_FLAG, &self.yes },
        { "wait", OPTION_TEXT, &self.wait.state },
        { "timeout", OPTION_TEXT, &self.wait.timeout },
        { 0 }
    };
    options_read (cli, argc, argv, plan_usage, specs, &words, 1, 1);
    entry_wait_check (&self.wait, plan_usage);
    check_references (&self.references, plan_usage);
    if (!channel)
        options_refuse (plan_usage, "--channel is missing: who shall read it?");
    return plan_publish (cli, &self, words.at[0], channel);
}

/* Complaints: what leaves no signature of the broker is said by a member. */

static const char complain_usage[] =
    "usage: parley complain NUMBER --channel CHANNEL [--yes] [--wait STATE]\n"
    "\n"
    "Publish a signed complaint about an alarm of parley status: that records "
    "are\n"
    "withheld leaves no signature of the broker, so a member says it in its "
    "own\n"
    "name, on CHANNEL/complaint/ENTITY/NUMBER. Others compare: parley "
    "checkpoint\n"
    "compare, parley audit export.\n"
    "\n"
    "Example: parley complain 3 --channel dialogue\n";

/* The notice as the agent's status has it; the caller's. */
static json_t *notice_find (json_t *status, const char *number) {
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get (status, "notices"), i, one) {
        char text[32];
        snprintf (text, sizeof text, "%" PRId64, json_int (one, "number", -1));
        if (strcmp (text, number) == 0)
            return json_incref (one);
    }
    return NULL;
}

static json_t *complaint (struct client *client, const char *number,
                          char **entity, struct error *e) {
    struct buf path = { 0 };
    json_t *status = NULL, *content = NULL;
    client_path (&path, "/api/v1/status");
    enum err rc = client_get (client, &path, 0, &status, e);
    json_t *notice = rc ? NULL : notice_find (status, number);
    if (!rc && !notice)
        error_set (e, ERR_NOT_FOUND, "parley status lists no notice %s",
                   number);
    if (notice) {
        *entity = mem_copy_text (json_text_or (status, "entity", "?"));
        content = json_pack (
            "{s:s,s:s,s:s,s:s,s:O?}", "kind", json_text_or (notice, "kind", ""),
            "text", json_text_or (notice, "text", ""), "noticed",
            json_text_or (notice, "time", ""), "delegation",
            json_text_or (status, "delegation", ""), "complete_upto",
            json_object_get (status, "complete_upto"));
    }
    json_decref (notice);
    json_decref (status);
    buf_free (&path);
    return content;
}

int command_complain (struct cli *cli, int argc, char **argv) {
    static struct publishing self;
    static struct words words;
    const char *channel = NULL;
    const struct option_spec specs[] = {
        { "channel", OPTION_TEXT, &channel },
        { "yes", OPTION_FLAG, &self.yes },
        { "wait", OPTION_TEXT, &self.wait.state },
        { "timeout", OPTION_TEXT, &self.wait.timeout },
        { 0 }
    };
    struct error e;
    char *entity = NULL;
    options_read (cli, argc, argv, complain_usage, specs, &words, 1, 1);
    entry_wait_check (&self.wait, complain_usage);
    if (!channel)
        options_refuse (complain_usage, "--channel is missing: who shall read "
                                        "it?");
    struct client *client = client_new (cli, &e);
    json_t *content =
        client ? complaint (client, words.at[0], &entity, &e) : NULL;
    struct buf topic = { 0 };
    buf_add_format (&topic, "%s/complaint/%s/%s", channel, entity ? entity : "",
                    words.at[0]);
    char *text = buf_take_text (&topic);
    self.topic = text;
    self.format = "json";
    int code = content ? publish (cli, client, &self, content) : cli_fail (&e);
    client_destroy (&client);
    free (entity);
    free (text);
    return code;
}
