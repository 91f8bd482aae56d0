/* overlaps_say - what the own body says of an overlap. */
#include "plan_words.h"
#include "plans/plan.h"
#include "publishing.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley overlaps say REF REF confirm|deny|not-overlap|retract\n"
    "                           [--reason TEXT] --channel CHANNEL | --own\n"
    "                           [--key KEY] [--yes|--draft] [--wait "
    "promised|done]\n"
    "                           [--timeout SECONDS]\n"
    "\n"
    "Say in the own body's name what two actions (PLAN#ACTION) are: confirm "
    "or\n"
    "deny is for the body that a claimed overlap names; not-overlap is for\n"
    "anybody, and needs a reason; retract takes the last word back. For all\n"
    "readers of CHANNEL, or with --own for the own body alone, where a\n"
    "not-overlap folds it away. It stands until one of the actions changes.\n"
    "\n"
    "Example: parley overlaps say EUROPOL-empact-2026-2029#E1 FRONTEX-x#A2 \\\n"
    "             not-overlap --reason 'different routes' --own\n";

struct saying {
    struct publishing publishing;
    const char *reason, *channel;
    bool own;
};

/* Of the record that the action came by, the revision or an annex; -1: there is
 * no such action. */
static int64_t sequence_of (json_t *known, const char *action) {
    json_t *one;
    size_t i;
    json_array_foreach (
        json_object_get (known, "actions"), i,
        one) if (strcmp (json_text_or (one, "action", ""), action)
                 == 0) return json_int (one, "sequence", -1);
    return -1;
}

static enum err sequence_ask (struct client *client, const char *ref,
                              int64_t *sequence, struct error *e) {
    char plan[PLAN_ID_MAX + 1];
    const char *action;
    json_t *known = NULL;
    if (!plan_ref_split (ref, plan, &action))
        return error_set (e, ERR_ARGUMENT, "'%s' is not PLAN#ACTION", ref);
    enum err rc = plan_get (client, plan, &known, e);
    *sequence = rc ? -1 : sequence_of (known, action);
    if (!rc && *sequence < 0)
        rc =
            error_set (e, ERR_NOT_FOUND, "%s has no action '%s'", plan, action);
    json_decref (known);
    return rc;
}

/* NULL and *e. */
static json_t *content_of (struct client *client, const struct saying *self,
                           const char *a, const char *b, const char *says,
                           struct error *e) {
    int64_t a_of, b_of;
    if (sequence_ask (client, a, &a_of, e)
        || sequence_ask (client, b, &b_of, e))
        return NULL;
    json_t *content =
        json_pack ("{si ss ss ss sI sI}", "format", 1, "a", a, "b", b, "says",
                   says, "a_of", (json_int_t) a_of, "b_of", (json_int_t) b_of);
    if (self->reason)
        json_object_set_new (content, "reason", json_string (self->reason));
    return content;
}

static void check_words (const struct words *words, const struct saying *self) {
    static const char *const known[] = { "confirm", "deny", "not-overlap",
                                         "retract", NULL };
    size_t i = 0;
    while (known[i] && strcmp (known[i], words->at[2]) != 0)
        i++;
    if (!known[i])
        options_refuse (usage,
                        "'%s' is not confirm, deny, not-overlap or retract",
                        words->at[2]);
    if (strcmp (words->at[2], "not-overlap") == 0 && !self->reason)
        options_refuse (usage, "not-overlap needs --reason");
    if (!self->channel == !self->own)
        options_refuse (usage, "--channel or --own: for whom is it said?");
    if (strcmp (words->at[0], words->at[1]) == 0)
        options_refuse (usage, "both are '%s'", words->at[0]);
}

static int say (const struct cli *cli, struct client *client,
                struct saying *self, const struct words *words) {
    struct error e;
    bool turned = strcmp (words->at[0], words->at[1]) > 0;
    char *own = publishing_entity (client, &e);
    json_t *content = own ? content_of (client, self, words->at[turned],
                                        words->at[!turned], words->at[2], &e)
                          : NULL;
    int code;
    if (!content)
        code = cli_fail (&e);
    else {
        char alone[64], rest[64];
        snprintf (alone, sizeof alone, "@%s", own);
        snprintf (rest, sizeof rest, "overlap/%s", own);
        code = publishing_send_on (cli, client, &self->publishing, content,
                                   self->own ? alone : self->channel, rest);
    }
    free (own);
    return code;
}

int command_overlaps_say (struct cli *cli, int argc, char **argv) {
    static struct saying self;
    static struct words words;
    const struct option_spec specs[] = {
        { "reason", OPTION_TEXT, &self.reason },
        { "channel", OPTION_TEXT, &self.channel },
        { "own", OPTION_FLAG, &self.own },
        PUBLISHING_OPTIONS (self.publishing),
        { 0 }
    };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 3, 3);
    publishing_check (&self.publishing, usage);
    check_words (&words, &self);
    struct client *client = client_new (cli, &e);
    int code = client ? say (cli, client, &self, &words) : cli_fail (&e);
    client_destroy (&client);
    return code;
}
