/* draft - what was written and not sent: shown, released, given back. */
#include "answer.h"
#include "audience.h"
#include "entry.h"
#include "plan_words.h"
#include "publishing.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char list_usage[] =
    "usage: parley draft list\n"
    "\n"
    "List what waits in the agent until somebody with the role releaser sends "
    "it:\n"
    "messages (parley publish --draft, and all else that takes --draft) and "
    "plans\n"
    "(parley plan draft save).\n"
    "\n"
    "Example: parley draft list\n";

static const char show_usage[] =
    "usage: parley draft show NUMBER\n"
    "\n"
    "Show one whole: who wrote it, a releaser's remark, and what it says.\n"
    "\n"
    "Example: parley draft show 3\n";

static const char release_usage[] =
    "usage: parley draft release NUMBER [--channel CHANNEL] [--yes]\n"
    "                            [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Send one, after saying who will read it. It is judged again, as it is "
    "now. A\n"
    "plan that was saved without a channel needs one. The agent may ask for "
    "another\n"
    "person than who wrote it.\n"
    "\n"
    "Example: parley draft release 3\n";

static const char return_usage[] =
    "usage: parley draft return NUMBER REMARK\n"
    "\n"
    "Give one back to who wrote it, and say what is to be changed.\n"
    "\n"
    "Example: parley draft return 3 'Name the partners first.'\n";

static const char delete_usage[] =
    "usage: parley draft delete NUMBER\n"
    "\n"
    "Delete one: one's own, or as a releaser any.\n"
    "\n"
    "Example: parley draft delete 3\n";

static void path_of (struct buf *path, const char *number, const char *what,
                     const char *usage) {
    if (strspn (number, "0123456789") != strlen (number) || !number[0]
        || strlen (number) > 15)
        options_refuse (usage, "'%s' is no number of a draft", number);
    client_path (path, "/api/v1/drafts/%s%s", number, what);
}

/* Reading. */

static void moment_cell (struct table *table, json_t *one, const char *name) {
    struct buf text = { 0 };
    json_moment (&text, json_text (one, name));
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

static void what_cell (struct table *table, json_t *one) {
    const char *topic = json_text (one, "topic");
    if (topic)
        table_cell (table, topic);
    else
        table_format (table, "plan %s", json_text_or (one, "plan", "?"));
}

/* "anna", or "anna, ben": whose it is, and who wrote last. */
static void who_cell (struct table *table, json_t *one) {
    const char *drafter = json_text_or (one, "drafter", "?");
    const char *editor = json_text_or (one, "editor", drafter);
    bool same = strcmp (drafter, editor) == 0;
    table_format (table, "%s%s%s", drafter, same ? "" : ", ",
                  same ? "" : editor);
}

static void state_cell (struct table *table, json_t *one) {
    int64_t faults = json_int (one, "problems", 0);
    const char *state = json_text_or (one, "state", "?");
    if (strcmp (state, "returned") == 0)
        table_format (table, "returned by %s: %s",
                      json_text_or (one, "remarked_by", "?"),
                      json_text_or (one, "remark", ""));
    else if (faults > 0)
        table_format (table, "%s, %" PRId64 " %s", state, faults,
                      faults == 1 ? "fault" : "faults");
    else
        table_cell (table, state);
}

static void say_list (const void *arg, json_t *answer) {
    static const char *const heads[] = { "NUMBER",  "WHAT",  "BY",
                                         "CHANGED", "STATE", NULL };
    json_t *one;
    size_t i;
    (void) arg;
    struct table *table = table_new (heads);
    json_array_foreach (json_object_get (answer, "drafts"), i, one) {
        table_int (table, json_int (one, "number", -1));
        what_cell (table, one);
        who_cell (table, one);
        moment_cell (table, one, "updated");
        state_cell (table, one);
    }
    if (table_is_empty (table))
        fputs ("parley: no draft is there\n", stderr);
    else
        table_print (table, stdout);
    table_destroy (&table);
}

int command_draft_list (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    options_read (cli, argc, argv, list_usage, NULL, &words, 0, 0);
    client_path (&path, "/api/v1/drafts");
    return answer_print (cli, &path, say_list, NULL);
}

static void row (struct table *table, const char *name, json_t *one,
                 const char *member) {
    const char *text = json_text (one, member);
    if (!text)
        return;
    table_cell (table, name);
    table_cell (table, text);
}

static void print_head (json_t *draft) {
    static const char *const heads[] = { "", "", NULL };
    struct table *table = table_new (heads);
    row (table, "topic", draft, "topic");
    row (table, "written by", draft, "drafter");
    row (table, "last by", draft, "editor");
    table_cell (table, "changed");
    moment_cell (table, draft, "updated");
    row (table, "state", draft, "state");
    row (table, "remark", draft, "remark");
    row (table, "remark by", draft, "remarked_by");
    table_print (table, stdout);
    table_destroy (&table);
}

static void say_draft (const void *arg, json_t *answer) {
    json_t *draft = json_object_get (answer, "draft");
    (void) arg;
    print_head (answer);
    putchar ('\n');
    char *text = json_is_string (draft)
                     ? mem_copy_text (json_string_value (draft))
                     : json_dumps (draft, JSON_INDENT (1) | JSON_ENCODE_ANY);
    if (text)
        print_text (stdout, text, strlen (text));
    free (text);
    problems_print (json_object_get (answer, "problems"), stdout);
}

int command_draft_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    options_read (cli, argc, argv, show_usage, NULL, &words, 1, 1);
    path_of (&path, words.at[0], "", show_usage);
    return answer_print (cli, &path, say_draft, NULL);
}

/* Releasing. */

struct releasing {
    const char *number, *channel;
    bool yes;
    struct entry_wait wait;
};

/* Who will read it: of a topic, or of a plan's future one. */
static enum err agree (struct client *client, const struct releasing *self,
                       json_t *draft, struct error *e) {
    const char *topic = json_text (draft, "topic");
    if (topic)
        return audience_confirm (client, topic, true, self->yes, e);
    if (!self->channel)
        return error_set (e, ERR_ARGUMENT,
                          "draft %s is a plan without a topic: --channel "
                          "CHANNEL says who shall read it",
                          self->number);
    struct buf whole = { 0 };
    buf_add_format (&whole, "%s/plan", self->channel);
    char *text = buf_take_text (&whole);
    enum err rc = audience_confirm (client, text, true, self->yes, e);
    free (text);
    return rc;
}

/* As it was shown: what somebody wrote since is not sent unseen. */
static enum err release (struct client *client, const struct releasing *self,
                         json_t **entry, struct error *e) {
    struct buf path = { 0 };
    json_t *draft = NULL;
    path_of (&path, self->number, "", release_usage);
    enum err rc = client_get (client, &path, 0, &draft, e);
    if (rc == ERR_NOT_FOUND)
        rc = ERR_NONE; /* it may have been released: the agent knows */
    else if (!rc)
        rc = agree (client, self, draft, e);
    path_of (&path, self->number, "/release", release_usage);
    client_query (&path, "channel", self->channel);
    client_query (&path, "updated", json_text (draft, "updated"));
    if (!rc)
        rc = client_post (client, &path, "application/json", slice_text (""),
                          NULL, entry, e);
    json_decref (draft);
    buf_free (&path);
    return rc;
}

int command_draft_release (struct cli *cli, int argc, char **argv) {
    static struct words words;
    static struct releasing self;
    const struct option_spec specs[] = {
        { "channel", OPTION_TEXT, &self.channel },
        { "yes", OPTION_FLAG, &self.yes },
        { "wait", OPTION_TEXT, &self.wait.state },
        { "timeout", OPTION_TEXT, &self.wait.timeout },
        { 0 }
    };
    struct error e;
    json_t *entry = NULL;
    options_read (cli, argc, argv, release_usage, specs, &words, 1, 1);
    entry_wait_check (&self.wait, release_usage);
    self.number = words.at[0];
    struct client *client = client_new (cli, &e);
    enum err rc = client ? release (client, &self, &entry, &e) : e.code;
    int code =
        rc ? cli_fail (&e) : entry_finish (cli, client, entry, &self.wait);
    if (rc && client && json_array_size (client_problems (client)) > 0)
        problems_print (client_problems (client), stderr);
    client_destroy (&client);
    return code;
}

/* Giving back, and deleting. */

static int done (struct cli *cli, struct client *client, enum err rc,
                 const struct error *e, const char *number, const char *what) {
    client_destroy (&client);
    if (rc)
        return cli_fail (e);
    if (cli->json)
        cli_print_json (json_pack ("{sI sb}", "number",
                                   (json_int_t) strtoll (number, NULL, 10),
                                   what, 1));
    else
        printf ("draft %s is %s\n", number, what);
    return CLI_FINE;
}

int command_draft_return (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct error e;
    struct buf path = { 0 };
    options_read (cli, argc, argv, return_usage, NULL, &words, 2, 2);
    path_of (&path, words.at[0], "/return", return_usage);
    json_t *body = json_pack ("{ss}", "remark", words.at[1]);
    char *text = body ? json_dumps (body, JSON_COMPACT) : NULL;
    if (!text)
        options_refuse (return_usage, "the remark is no UTF-8 text");
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_send (client, &path, "application/json",
                                        slice_text (text), &e)
                         : e.code;
    json_decref (body);
    free (text);
    buf_free (&path);
    return done (cli, client, rc, &e, words.at[0], "returned");
}

int command_draft_delete (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct error e;
    struct buf path = { 0 };
    options_read (cli, argc, argv, delete_usage, NULL, &words, 1, 1);
    path_of (&path, words.at[0], "", delete_usage);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_delete (client, &path, &e) : e.code;
    buf_free (&path);
    return done (cli, client, rc, &e, words.at[0], "deleted");
}
