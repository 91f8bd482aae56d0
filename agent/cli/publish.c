/* publish - give a message to the agent, after saying who will read it; and
 * complaints about an alarm. */
#include "base/topic.h"
#include "publishing.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley publish TOPIC FILE|- [--as json|text|octets] [--ref ID]...\n"
    "                      [--key KEY] [--yes|--draft]\n"
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
    "--draft keeps it in the agent, until somebody with the role releaser "
    "sends it\n"
    "(parley draft release).\n"
    "\n"
    "Example: parley publish dialogue/note/1 note.txt --wait promised\n";

/* Words. */

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
    const struct option_spec specs[] = { { "as", OPTION_TEXT, &as },
                                         PUBLISHING_OPTIONS (self),
                                         { 0 } };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 2, 2);
    publishing_check (&self, usage);
    if (topic_check (slice_text (words.at[0]), &e))
        options_refuse (usage,
                        "topic '%s': %s; one is CHANNEL/KIND/..., such as "
                        "dialogue/note/1",
                        words.at[0], e.text);
    self.topic = words.at[0];
    self.format = format_of (as, words.at[1]);
    struct client *client = client_new (cli, &e);
    json_t *content =
        client ? publishing_read (words.at[1], self.format, &e) : NULL;
    int code =
        content ? publishing_send (cli, client, &self, content) : cli_fail (&e);
    client_destroy (&client);
    return code;
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
    int code =
        content ? publishing_send (cli, client, &self, content) : cli_fail (&e);
    client_destroy (&client);
    free (entity);
    free (text);
    return code;
}
