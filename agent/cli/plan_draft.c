/* plan_draft - plans that are not published, kept by the agent. */
#include "answer.h"
#include "plan_words.h"
#include "publishing.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley plan draft list\n"
    "       parley plan draft save FILE [--as NUMBER]\n"
    "       parley plan draft show NUMBER\n"
    "       parley plan draft delete NUMBER\n"
    "\n"
    "Keep plans that are not published yet in the agent's store, faults and "
    "all.\n"
    "Nobody else reads them; they take part in the own body's overlaps "
    "(parley\n"
    "overlaps --drafts). --as replaces one.\n"
    "\n"
    "Example: parley plan draft save plan.json\n";

static void path_of (struct buf *path, const char *number) {
    if (strspn (number, "0123456789") != strlen (number) || !number[0]
        || strlen (number) > 15)
        options_refuse (usage, "'%s' is no number of a draft", number);
    client_path (path, "/api/v1/drafts/%s", number);
}

static void say_list (const void *arg, json_t *answer) {
    static const char *const heads[] = { "NUMBER", "PLAN",  "CHANGED",
                                         "FAULTS", "TITLE", NULL };
    json_t *one;
    size_t i;
    (void) arg;
    struct table *table = table_new (heads);
    json_array_foreach (json_object_get (answer, "drafts"), i, one) {
        struct buf when = { 0 };
        if (json_text (one, "topic") && !json_text (one, "plan"))
            continue; /* a message about something else: parley draft list */
        json_moment (&when, json_text (one, "updated"));
        table_int (table, json_int (one, "number", -1));
        table_cell (table, json_text (one, "plan"));
        table_slice (table, buf_slice (&when));
        table_int (table, json_int (one, "problems", 0));
        table_cell (table, plan_text (json_object_get (one, "title")));
        buf_free (&when);
    }
    if (table_is_empty (table))
        fputs ("parley: no draft is there\n", stderr);
    else
        table_print (table, stdout);
    table_destroy (&table);
}

static void say_saved (const void *arg, json_t *answer) {
    json_t *problems = json_object_get (answer, "problems");
    size_t count = json_array_size (problems);
    (void) arg;
    printf ("draft %" PRId64 " is kept", json_int (answer, "number", -1));
    if (count > 0)
        printf ("; it has %zu %s:\n", count, count == 1 ? "fault" : "faults");
    else
        putchar ('\n');
    problems_print (problems, stdout);
}

static void say_draft (const void *arg, json_t *answer) {
    json_t *draft = json_object_get (answer, "draft");
    (void) arg;
    char *text = json_dumps (draft ? draft : answer, JSON_INDENT (1));
    if (text)
        print_text (stdout, text, strlen (text));
    free (text);
}

static int save (struct cli *cli, const char *file, const char *number) {
    struct error e;
    struct buf path = { 0 };
    json_t *answer = NULL, *plan = NULL;
    client_path (&path, "/api/v1/drafts");
    if (number)
        path_of (&path, number);
    struct client *client = client_new (cli, &e);
    if (client)
        plan = publishing_read (file, "json", &e);
    char *text = plan ? json_dumps (plan, JSON_COMPACT) : NULL;
    enum err rc = !text    ? e.code
                  : number ? client_put (client, &path, "application/json",
                                         slice_text (text), &answer, &e)
                           : client_post (client, &path, "application/json",
                                          slice_text (text), NULL, &answer, &e);
    if (!rc && cli->json)
        cli_print_json (json_incref (answer));
    else if (!rc)
        say_saved (NULL, answer);
    json_decref (answer);
    json_decref (plan);
    free (text);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

static int delete (struct cli *cli, const char *number) {
    struct error e;
    struct buf path = { 0 };
    path_of (&path, number);
    struct client *client = client_new (cli, &e);
    enum err rc = client ? client_delete (client, &path, &e) : e.code;
    if (!rc && cli->json)
        cli_print_json (json_pack ("{sI sb}", "number",
                                   (json_int_t) strtoll (number, NULL, 10),
                                   "deleted", 1));
    else if (!rc)
        printf ("draft %s is deleted\n", number);
    buf_free (&path);
    client_destroy (&client);
    return rc ? cli_fail (&e) : CLI_FINE;
}

int command_plan_draft (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *as = NULL;
    const struct option_spec specs[] = { { "as", OPTION_TEXT, &as }, { 0 } };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 1, 2);
    const char *what = words.at[0],
               *which = words.count > 1 ? words.at[1] : NULL;
    bool list = strcmp (what, "list") == 0;
    if (list == (which != NULL))
        options_refuse (usage,
                        list ? "'%s' is one word too many" : "%s: which one?",
                        list ? which : what);
    if (list) {
        client_path (&path, "/api/v1/drafts");
        return answer_print (cli, &path, say_list, NULL);
    }
    if (strcmp (what, "save") == 0)
        return save (cli, which, as);
    if (strcmp (what, "delete") == 0)
        return delete (cli, which);
    if (strcmp (what, "show") != 0)
        options_refuse (usage, "'%s' is not list, save, show or delete", what);
    path_of (&path, which);
    return answer_print (cli, &path, say_draft, NULL);
}
