/* plan_publish - plans, their revisions, annexes and withdrawals: given to the
 * agent on the topic that follows from what they say. */
#include "base/topic.h"
#include "plan_check.h"
#include "plan_words.h"
#include "plans/diff.h"
#include "publishing.h"

#include <stdlib.h>

static const char publish_usage[] =
    "usage: parley plan publish FILE --channel CHANNEL [--ref ID]...\n"
    "                           [--key KEY] [--yes|--draft]\n"
    "                           [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Publish a plan on the topic CHANNEL/plan/ENTITY/PLAN-ID. Its entity has "
    "to\n"
    "be the agent's own. It is checked before; faults are listed with their\n"
    "places, and then nothing is sent. There is no default channel: it decides "
    "who\n"
    "reads.\n"
    "\n"
    "Example: parley plan publish EUROPOL-empact-2026-2029.json "
    "--channel members\n";

static const char revise_usage[] =
    "usage: parley plan revise FILE [--ref ID]... [--key KEY] [--yes|--draft]\n"
    "                          [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Publish a plan's next revision on the channel of the last one, after "
    "saying\n"
    "what changes. Where nothing does, nothing is sent (exit code 1).\n"
    "\n"
    "Example: parley plan revise EUROPOL-empact-2026-2029.json\n";

static const char withdraw_usage[] =
    "usage: parley plan withdraw PLAN [--reason TEXT] [--key KEY] "
    "[--yes|--draft]\n"
    "                            [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Ask every reader's agent to hide a plan: it leaves lists, search, "
    "overlaps\n"
    "and gaps; its history stays. parley plan show tells who has hidden it. A "
    "later\n"
    "revision takes the withdrawal back.\n"
    "\n"
    "Example: parley plan withdraw EUROPOL-empact-2018-2021 --reason "
    "'replaced'\n";

static const char annex_usage[] =
    "usage: parley plan annex FILE --channel CHANNEL [--ref ID]... [--key "
    "KEY]\n"
    "                         [--yes|--draft] [--wait promised|done] "
    "[--timeout "
    "SECONDS]\n"
    "\n"
    "Publish an annex: further actions, or members of actions, of an own plan "
    "for\n"
    "fewer readers. FILE has \"annex\", \"plan\", \"entity\" and \"actions\" "
    "or \"adds\"\n"
    "(deploy/schema/annex.schema.json).\n"
    "\n"
    "Example: parley plan annex EUROPOL-empact-annex.json "
    "--channel @EUROPOL+FRONTEX\n";

/* Where a document goes: "KIND/ENTITY/PLAN-ID", the caller's. Only the own
 * entity's: others' would be quarantined everywhere. */
static char *place_of (struct client *client, json_t *document,
                       const char *kind, const char *file, struct error *e) {
    const char *entity = json_text (document, "entity");
    const char *id = json_text (document, "plan");
    if (!entity || !id) {
        error_set (e, ERR_MALFORMED, "%s: is no %s: it has no \"%s\"", file,
                   kind, entity ? "plan" : "entity");
        return NULL;
    }
    struct buf topic = { 0 };
    buf_add_format (&topic, "x/%s/%s/%s", kind, entity, id);
    enum err rc = strchr (entity, '/') || strchr (id, '/')
                      ? ERR_MALFORMED
                      : topic_check (buf_slice (&topic), NULL);
    buf_free (&topic);
    if (rc) {
        error_set (e, ERR_MALFORMED,
                   "%s: \"entity\" and \"plan\" make no topic: '%s', '%s'",
                   file, entity, id);
        return NULL;
    }
    char *own = publishing_entity (client, e);
    struct buf place = { 0 };
    if (own && strcmp (own, entity) != 0)
        error_set (e, ERR_RIGHT,
                   "%s: \"entity\" is %s, but this agent speaks for %s: it "
                   "publishes the plans of %s only",
                   file, entity, own, own);
    else if (own)
        buf_add_format (&place, "%s/%s/%s", kind, entity, id);
    free (own);
    return place.size ? buf_take_text (&place) : NULL;
}

/* Faults end it; all else is said. */
static bool is_good (struct client *client, json_t *plan, const char *file,
                     const char *channel, int *code) {
    struct error e;
    json_t *answer = NULL;
    bool good = false;
    if (plan_check_ask (client, plan, channel, &answer, &e))
        *code = cli_fail (&e);
    else {
        good = plan_check_say (answer, file);
        *code = good ? CLI_FINE : CLI_REFUSED;
    }
    json_decref (answer);
    return good;
}

static int publish_plan (const struct cli *cli, struct client *client,
                         struct publishing *self, json_t *plan,
                         const char *file, const char *channel) {
    struct error e;
    int code;
    char *place = place_of (client, plan, "plan", file, &e);
    if (!place)
        return cli_fail (&e);
    if (is_good (client, plan, file, channel, &code))
        code = publishing_send_on (cli, client, self, json_incref (plan),
                                   channel, place);
    free (place);
    return code;
}

static int publish_file (const struct cli *cli, struct client *client,
                         struct publishing *self, const char *file,
                         const char *channel) {
    struct error e;
    json_t *plan = publishing_read (file, "json", &e);
    int code = plan ? publish_plan (cli, client, self, plan, file, channel)
                    : cli_fail (&e);
    json_decref (plan);
    return code;
}

int command_plan_publish (struct cli *cli, int argc, char **argv) {
    return publishing_command (cli, argc, argv, publish_usage,
                               "who shall read it?", publish_file);
}

/* Revisions. */

static enum err last_document (struct client *client, const char *plan,
                               json_t **out, struct error *e) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/plans/%s/document", plan);
    enum err rc = client_get (client, &path, 0, out, e);
    buf_free (&path);
    return rc;
}

/* Says what changes; false: nothing does. */
static bool say_changes (const struct cli *cli, json_t *before, json_t *after,
                         const char *plan) {
    struct taxonomy *taxonomy = plan_taxonomy (cli);
    struct diff diff;
    diff_make (before, after, taxonomy, &diff);
    size_t count = diff.count;
    json_t *told = diff_json (&diff);
    if (count > 0) {
        fprintf (stderr, "%s: %zu %s\n", plan, count,
                 count == 1 ? "change" : "changes");
        changes_print (json_object_get (told, "changes"), stderr);
    }
    json_decref (told);
    diff_free (&diff);
    taxonomy_unref (&taxonomy);
    return count > 0;
}

static int revise (const struct cli *cli, struct client *client,
                   struct publishing *self, json_t *plan, const char *file) {
    struct error e;
    json_t *known = NULL, *before = NULL;
    const char *id = json_text_or (plan, "plan", "");
    int code;
    enum err rc = plan_get (client, id, &known, &e);
    if (!rc)
        rc = last_document (client, id, &before, &e);
    if (rc)
        code = cli_fail (&e);
    else if (!plan_home (known))
        code = cli_refuse (CLI_NOT_FOUND,
                           "%s has no revision here; parley plan publish "
                           "--channel publishes it",
                           id);
    else if (!say_changes (cli, before, plan, id))
        code = cli_refuse (CLI_REFUSED, "%s: nothing changes", file);
    else
        code = publish_plan (cli, client, self, plan, file, plan_home (known));
    json_decref (known);
    json_decref (before);
    return code;
}

int command_plan_revise (struct cli *cli, int argc, char **argv) {
    static struct publishing self;
    static struct words words;
    const struct option_spec specs[] = { PUBLISHING_OPTIONS (self), { 0 } };
    struct error e;
    options_read (cli, argc, argv, revise_usage, specs, &words, 1, 1);
    publishing_check (&self, revise_usage);
    struct client *client = client_new (cli, &e);
    json_t *plan = client ? publishing_read (words.at[0], "json", &e) : NULL;
    int code =
        plan ? revise (cli, client, &self, plan, words.at[0]) : cli_fail (&e);
    json_decref (plan);
    client_destroy (&client);
    return code;
}

/* Withdrawals. */

static int withdraw (const struct cli *cli, struct client *client,
                     struct publishing *self, const char *plan,
                     const char *reason) {
    struct error e;
    json_t *known = NULL;
    struct buf place = { 0 };
    if (plan_get (client, plan, &known, &e))
        return cli_fail (&e);
    int code;
    char *own = publishing_entity (client, &e);
    size_t size = own ? strlen (own) : 0;
    if (!own)
        code = cli_fail (&e);
    else if (!plan_home (known)
             || json_is_object (json_object_get (known, "withdrawn")))
        code = cli_refuse (CLI_REFUSED, "%s is withdrawn already", plan);
    else if (strncmp (plan, own, size) != 0 || plan[size] != '-')
        code = cli_refuse (CLI_REFUSED,
                           "%s is another body's: this agent speaks for %s",
                           plan, own);
    else {
        json_t *content = json_pack ("{si ss}", "format", 1, "withdraw", plan);
        if (reason)
            json_object_set_new (content, "reason", json_string (reason));
        buf_add_format (&place, "plan/%s/%s", own, plan);
        char *rest = buf_take_text (&place);
        code = publishing_send_on (cli, client, self, content,
                                   plan_home (known), rest);
        free (rest);
    }
    free (own);
    json_decref (known);
    return code;
}

int command_plan_withdraw (struct cli *cli, int argc, char **argv) {
    static struct publishing self;
    static struct words words;
    const char *reason = NULL;
    const struct option_spec specs[] = { { "reason", OPTION_TEXT, &reason },
                                         PUBLISHING_OPTIONS (self),
                                         { 0 } };
    struct error e;
    options_read (cli, argc, argv, withdraw_usage, specs, &words, 1, 1);
    publishing_check (&self, withdraw_usage);
    struct client *client = client_new (cli, &e);
    int code = client ? withdraw (cli, client, &self, words.at[0], reason)
                      : cli_fail (&e);
    client_destroy (&client);
    return code;
}

static int annex_file (const struct cli *cli, struct client *client,
                       struct publishing *self, const char *file,
                       const char *channel) {
    struct error e;
    json_t *annex = publishing_read (file, "json", &e);
    char *place = annex ? place_of (client, annex, "annex", file, &e) : NULL;
    int code = place ? publishing_send_on (cli, client, self,
                                           json_incref (annex), channel, place)
                     : cli_fail (&e);
    free (place);
    json_decref (annex);
    return code;
}

int command_plan_annex (struct cli *cli, int argc, char **argv) {
    return publishing_command (cli, argc, argv, annex_usage,
                               "who shall read it?", annex_file);
}
