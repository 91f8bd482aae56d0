/* plan_check - a plan's faults, overlaps and readers, before it is out. */
#include "plan_check.h"

#include "overlap_print.h"
#include "plan_words.h"
#include "publishing.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley plan check FILE [--channel CHANNEL]\n"
    "\n"
    "Check a plan before it is published, without publishing it: every fault "
    "with\n"
    "its place, the overlaps that it would make, text that looks like "
    "personal\n"
    "data, and, with --channel, who would be able to read it. Exit code 1 "
    "where it\n"
    "has faults.\n"
    "\n"
    "Example: parley plan check EUROPOL-empact-2026-2029.json "
    "--channel members\n";

enum err plan_check_ask (struct client *client, json_t *plan,
                         const char *channel, json_t **out, struct error *e) {
    struct buf path = { 0 };
    client_path (&path, "/api/v1/plans/check");
    client_query (&path, "topic", channel);
    char *text = json_dumps (plan, JSON_COMPACT);
    enum err rc = client_post (client, &path, "application/json",
                               slice_text (text ? text : ""), NULL, out, e);
    free (text);
    buf_free (&path);
    return rc;
}

static void say_personal (json_t *answer, FILE *out) {
    static const char *const heads[] = { "", "", "", "", NULL };
    json_t *finds = json_object_get (answer, "personal"), *one;
    size_t i;
    if (json_array_size (finds) == 0)
        return;
    fputs ("Looks like personal data; take it out if it is:\n", out);
    struct table *table = table_new (heads);
    json_array_foreach (finds, i, one) {
        table_cell (table, "");
        table_cell (table, json_text (one, "pointer"));
        table_cell (table, json_text (one, "kind"));
        table_cell (table, json_text (one, "excerpt"));
    }
    table_print (table, out);
    table_destroy (&table);
}

static void say_faults (json_t *answer, const char *file, FILE *out) {
    struct buf line = { 0 };
    json_t *problems = json_object_get (answer, "problems");
    buf_add_format (&line, "%s: ", file);
    words_count (&line,
                 json_int (answer, "problem_count",
                           (int64_t) json_array_size (problems)),
                 "fault", "faults");
    buf_add_text (&line, "; nothing can be published before they are mended:");
    char *text = buf_take_text (&line);
    words_print (out, 0, text);
    problems_print (problems, out);
    free (text);
}

bool plan_check_say (json_t *answer, const char *file) {
    struct buf counts = { 0 };
    if (!json_is_true (json_object_get (answer, "valid"))) {
        say_faults (answer, file, stderr);
        return false;
    }
    say_personal (answer, stderr);
    if (overlap_counts_words (&counts,
                              json_at (answer, "overlaps", "counts", NULL))
        > 0)
        fprintf (stderr,
                 "overlaps with plans of others: %.*s (parley plan check "
                 "shows them)\n",
                 (int) counts.size, (const char *) counts.data);
    buf_free (&counts);
    return true;
}

/* Who would read it; what of the channel stands against it. */
static void say_readers (json_t *answer, const char *channel) {
    json_t *audience = json_object_get (answer, "audience"), *one;
    struct buf names = { 0 };
    size_t i;
    if (!channel)
        return;
    json_array_foreach (json_object_get (audience, "entities"), i, one)
        buf_add_format (&names, "%s%s", i > 0 ? ", " : "",
                        json_is_string (one) ? json_string_value (one)
                                             : json_text_or (one, "id", "?"));
    char *text = buf_take_text (&names);
    words_format (stdout, 0, "On '%s' it can be read by: %s", channel,
                  *text ? text : "nobody");
    if (json_text (audience, "rule"))
        words_format (stdout, 0, "It can't be published there: %s",
                      json_text (audience, "rule"));
    free (text);
}

static int say_all (json_t *answer, const char *file, const char *channel) {
    json_t *overlaps = json_object_get (answer, "overlaps");
    struct buf counts = { 0 };
    if (!json_is_true (json_object_get (answer, "valid"))) {
        say_faults (answer, file, stdout);
        return CLI_REFUSED;
    }
    printf ("%s: a good plan\n", file);
    say_personal (answer, stdout);
    say_readers (answer, channel);
    int64_t all =
        overlap_counts_words (&counts, json_object_get (overlaps, "counts"));
    words_format (stdout, 0, "Overlaps if it is published (live ones): %.*s",
                  (int) counts.size, (const char *) counts.data);
    if (all > 0)
        overlaps_print (json_object_get (overlaps, "overlaps"), 1, stdout);
    buf_free (&counts);
    return CLI_FINE;
}

int command_plan_check (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *channel = NULL;
    const struct option_spec specs[] = { { "channel", OPTION_TEXT, &channel },
                                         { 0 } };
    struct error e;
    json_t *answer = NULL;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    struct client *client = client_new (cli, &e);
    json_t *plan = client ? publishing_read (words.at[0], "json", &e) : NULL;
    enum err rc =
        plan ? plan_check_ask (client, plan, channel, &answer, &e) : e.code;
    bool valid = json_is_true (json_object_get (answer, "valid"));
    int code = valid ? CLI_FINE : CLI_REFUSED;
    if (rc)
        code = cli_fail (&e);
    else if (cli->json)
        cli_print_json (json_incref (answer));
    else
        code = say_all (answer, words.at[0], channel);
    json_decref (answer);
    json_decref (plan);
    client_destroy (&client);
    return code;
}
