/* inbox - what waits for the own body, by due date. */
#include "answer.h"
#include "plan_words.h"
#include "table.h"
#include "thread_words.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley inbox [--unread] [--lang L]\n"
    "\n"
    "Show what waits for the own body, what is due first: answers to "
    "proposals,\n"
    "invitations, questions and requests, undertakings, partnerships that "
    "others\n"
    "claim, drafts to be released. Below each stands the command that answers "
    "it.\n"
    "\n"
    "Example: parley inbox\n";

static const char read_usage[] =
    "usage: parley inbox read ID|all [--channel C]\n"
    "\n"
    "Note that one has read a thread (or all of them), so that it is no longer "
    "new.\n"
    "\n"
    "Example: parley inbox read EUROPOL-align-20261124-k3fx\n";

/* What answers an item of that kind: before and behind the thread's id. */
static const struct reply {
    const char *item, *kind; /* of the thread; NULL: any */
    const char *before, *behind;
} replies[] = {
    { "stance", "align", "parley align endorse", "" },
    { "stance", "communique", "parley communique adopt", "" },
    { "asked-again", "align", "parley align endorse", "" },
    { "asked-again", "communique", "parley communique adopt", "" },
    { "asked-again", NULL, "parley thread show", "" },
    { "reply", NULL, "parley consult reply", " TEXT" },
    { "invitation", NULL, "parley meeting answer", " yes" },
    { "request", NULL, "parley capability answer", " accept" },
    { "undertaking", NULL, "parley align done", "" },
    { "suggestion", NULL, "parley thread show", "" },
};

static void add_reply (struct buf *out, json_t *item) {
    json_t *thread = json_object_get (item, "thread");
    json_t *overlap = json_object_get (item, "overlap");
    json_t *draft = json_object_get (item, "draft");
    const char *what = json_text_or (item, "kind", "");
    const char *kind = json_text_or (thread, "kind", "");
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        if (strcmp (replies[i].item, what) == 0
            && (!replies[i].kind || strcmp (replies[i].kind, kind) == 0)) {
            buf_add_format (out, "%s %s%s", replies[i].before,
                            json_text_or (thread, "id", "?"),
                            replies[i].behind);
            if (json_is_object (json_object_get (item, "undertaking")))
                buf_add_format (
                    out, " %s",
                    json_text_or (json_object_get (item, "undertaking"), "id",
                                  "?"));
            return;
        }
    if (json_is_object (overlap))
        buf_add_format (out, "parley overlaps say %s %s confirm --channel ...",
                        json_text_or (overlap, "a", "?"),
                        json_text_or (overlap, "b", "?"));
    else if (json_is_object (draft))
        buf_add_format (out, "parley draft release %" PRId64,
                        json_int (draft, "number", -1));
    else if (json_is_object (thread))
        buf_add_format (out, "parley thread show %s",
                        json_text_or (thread, "id", "?"));
}

static void say_item (json_t *item, json_t *answer) {
    struct buf due = { 0 }, reply = { 0 };
    json_t *when = json_object_get (item, "due");
    if (json_is_object (when)) {
        instant_distance (&due, when, answer);
        buf_add_text (&due, ", ");
        instant_said (&due, when);
    } else
        buf_add_text (&due, "no date");
    add_reply (&reply, item);
    words_format (stdout, 0, "%s%s%.*s",
                  json_is_true (json_object_get (item, "unread")) ? "* " : "",
                  json_is_true (json_object_get (item, "overdue")) ? "OVERDUE "
                                                                   : "",
                  (int) due.size, (const char *) due.data);
    words_print (stdout, 4, json_text_or (item, "words", "?"));
    words_format (stdout, 4, "%.*s", (int) reply.size,
                  (const char *) reply.data);
    buf_free (&due);
    buf_free (&reply);
}

static void say (const void *arg, json_t *answer) {
    const bool *unread = arg;
    json_t *items = json_object_get (answer, "items"), *item;
    size_t i, shown = 0;
    json_array_foreach (items, i, item) {
        if (*unread && !json_is_true (json_object_get (item, "unread")))
            continue;
        if (shown++ > 0)
            putchar ('\n');
        say_item (item, answer);
    }
    if (shown == 0)
        puts (*unread ? "Nothing new waits." : "Nothing waits.");
}

/* Reading. */

static enum err read_one (struct client *client, json_t *thread,
                          struct error *e) {
    struct buf path = { 0 };
    json_t *body =
        json_pack ("{s:s}", "topic", json_text_or (thread, "topic", ""));
    char *text = json_dumps (body, JSON_COMPACT);
    client_path (&path, "/api/v1/inbox/read");
    enum err rc =
        client_send (client, &path, "application/json", slice_text (text), e);
    free (text);
    json_decref (body);
    buf_free (&path);
    return rc;
}

#define PAGE 500 /* the most that an answer lists */

/* Those that are unread: what is read leaves the list. */
static enum err read_all (struct client *client, int64_t *count,
                          struct error *e) {
    enum err rc = ERR_NONE;
    size_t got = PAGE;
    while (!rc && got == PAGE) {
        struct buf path = { 0 };
        json_t *answer = NULL, *thread;
        size_t i;
        client_path (&path, "/api/v1/threads");
        client_query (&path, "unread", "true");
        client_query_int (&path, "limit", PAGE);
        rc = client_get (client, &path, 0, &answer, e);
        json_t *threads = json_object_get (answer, "threads");
        json_array_foreach (threads, i, thread) {
            if (!rc)
                rc = read_one (client, thread, e);
            *count += rc == ERR_NONE;
        }
        got = json_array_size (threads);
        json_decref (answer);
        buf_free (&path);
    }
    return rc;
}

int command_inbox_read (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct thread_ref ref = { 0 };
    const struct option_spec specs[] = {
        { "channel", OPTION_TEXT, &ref.channel }, { 0 }
    };
    struct error e;
    int64_t count = 0;
    json_t *thread = NULL;
    options_read (cli, argc, argv, read_usage, specs, &words, 1, 1);
    ref.id = words.at[0];
    struct client *client = client_new (cli, &e);
    enum err rc = client ? ERR_NONE : e.code;
    if (!rc && strcmp (ref.id, "all") == 0)
        rc = read_all (client, &count, &e);
    else if (!rc) {
        rc = thread_get (client, &ref, &thread, &e);
        if (!rc)
            rc = read_one (client, thread, &e);
        count = 1;
    }
    json_decref (thread);
    client_destroy (&client);
    if (rc)
        return cli_fail (&e);
    if (cli->json)
        cli_print_json (json_pack ("{s:I}", "read", (json_int_t) count));
    else {
        struct buf line = { 0 };
        words_count (&line, count, "thread is read", "threads are read");
        printf ("%.*s\n", (int) line.size, (const char *) line.data);
        buf_free (&line);
    }
    return CLI_FINE;
}

int command_inbox (struct cli *cli, int argc, char **argv) {
    static struct words words;
    bool unread = false;
    const char *lang = NULL;
    const struct option_spec specs[] = { { "lang", OPTION_TEXT, &lang },
                                         { "unread", OPTION_FLAG, &unread },
                                         { 0 } };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 0, 0);
    client_path (&path, "/api/v1/inbox");
    answer_query (&path, specs, 1);
    return answer_print (cli, &path, say, &unread);
}
