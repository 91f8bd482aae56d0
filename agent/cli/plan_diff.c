/* plan_diff - what changed between two revisions, or two files. */
#include "answer.h"
#include "plan_words.h"
#include "plans/diff.h"
#include "publishing.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley plan diff PLAN [A [B]]\n"
    "       parley plan diff A.json B.json\n"
    "\n"
    "Say in words what changed between two revisions of a plan: the last two, "
    "A and\n"
    "the last one, or A and B, by their numbers (parley plan history). Of two "
    "files\n"
    "no agent is asked.\n"
    "\n"
    "Example: parley plan diff EUROPOL-empact-2026-2029 1 3\n";

static void say (const void *arg, json_t *answer) {
    json_t *changes = json_object_get (answer, "changes");
    size_t kept = json_array_size (changes);
    int64_t count = json_int (answer, "count", (int64_t) kept);
    const char *plan = arg;
    int64_t from = json_int (json_object_get (answer, "from"), "number", -1);
    if (from >= 0)
        printf ("%s, revision %" PRId64 " to %" PRId64 ": ", plan, from,
                json_int (json_object_get (answer, "to"), "number", -1));
    else
        printf ("%s: ", plan);
    if (count == 0)
        puts ("nothing changed");
    else
        printf ("%" PRId64 " %s\n", count, count == 1 ? "change" : "changes");
    changes_print (changes, stdout);
    if ((int64_t) kept < count)
        printf ("  and %" PRId64 " more\n", count - (int64_t) kept);
}

static bool is_file (const char *word) {
    size_t size = strlen (word);
    return strchr (word, '/') || strcmp (word, "-") == 0
           || (size > 5 && strcmp (word + size - 5, ".json") == 0);
}

static int of_files (struct cli *cli, const char *a, const char *b) {
    struct error e;
    struct diff diff = { 0 };
    json_t *before = publishing_read (a, "json", &e), *after = NULL;
    if (before)
        after = publishing_read (b, "json", &e);
    if (!after) {
        json_decref (before);
        return cli_fail (&e);
    }
    struct taxonomy *taxonomy = plan_taxonomy (cli);
    diff_make (before, after, taxonomy, &diff);
    json_t *told = diff_json (&diff);
    if (cli->json)
        cli_print_json (json_incref (told));
    else
        say (b, told);
    json_decref (told);
    diff_free (&diff);
    taxonomy_unref (&taxonomy);
    json_decref (before);
    json_decref (after);
    return CLI_FINE;
}

static const char *revision (const char *word) {
    if (!*word || strlen (word) > 9
        || strspn (word, "0123456789") != strlen (word))
        options_refuse (usage, "'%s' is no number of a revision", word);
    return word;
}

int command_plan_diff (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    struct error e;
    options_read (cli, argc, argv, usage, NULL, &words, 1, 3);
    if (words.count == 2 && is_file (words.at[0]) && is_file (words.at[1]))
        return of_files (cli, words.at[0], words.at[1]);
    const char *from = words.count > 1 ? revision (words.at[1]) : NULL;
    const char *to = words.count > 2 ? revision (words.at[2]) : NULL;
    if (plan_path (&path, words.at[0], "/diff", &e))
        return cli_fail (&e);
    client_query (&path, "from", from);
    client_query (&path, "to", to);
    return answer_print (cli, &path, say, words.at[0]);
}
