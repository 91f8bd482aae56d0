/* plan_history - all that was published of a plan. */
#include "answer.h"
#include "plan_words.h"
#include "table.h"

#include <inttypes.h>

static const char usage[] =
    "usage: parley plan history PLAN\n"
    "\n"
    "List all records of a plan in the ledger's order: revisions, annexes, "
    "reports,\n"
    "withdrawals, and those that broke a rule and change nothing, with the "
    "place.\n"
    "\n"
    "Example: parley plan history EUROPOL-empact-2026-2029\n";

static void add_outcome (struct table *table, json_t *entry) {
    json_t *problems = json_object_get (entry, "problems");
    json_t *first = json_array_get (problems, 0);
    size_t count = json_array_size (problems);
    const char *pointer = json_text_or (first, "pointer", "");
    if (json_is_true (json_object_get (entry, "newer")))
        table_cell (table, "needs a newer version of Parley");
    else if (count > 0)
        table_format (table, "%s%s%s%s", pointer, *pointer ? ": " : "",
                      json_text_or (first, "text", "broke a rule"),
                      count > 1 ? ", and more" : "");
    else
        table_cell (table, "");
}

static void add_row (struct table *table, json_t *entry) {
    struct buf when = { 0 };
    int64_t revision = json_int (entry, "revision", 0);
    bool broken = json_array_size (json_object_get (entry, "problems")) > 0;
    json_moment (&when, json_text (entry, "log_time"));
    table_int (table, json_int (entry, "sequence", -1));
    table_slice (table, buf_slice (&when));
    table_cell (table, json_text (entry, "author"));
    table_cell (table, json_text (entry, "channel"));
    if (revision > 0)
        table_format (table, "revision %" PRId64, revision);
    else if (json_is_true (json_object_get (entry, "withdrawal")))
        table_cell (table, "withdrawal");
    else
        table_format (table, "%s%s", json_text_or (entry, "kind", "?"),
                      broken ? ", refused" : "");
    add_outcome (table, entry);
    buf_free (&when);
}

static void say (const void *arg, json_t *answer) {
    static const char *const heads[] = { "RECORD", "TIME", "AUTHOR", "CHANNEL",
                                         "WHAT",   "",     NULL };
    json_t *entry;
    size_t i;
    (void) arg;
    struct table *table = table_new (heads);
    json_array_foreach (json_object_get (answer, "entries"), i, entry)
        add_row (table, entry);
    table_print (table, stdout);
    table_destroy (&table);
}

int command_plan_history (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct buf path = { 0 };
    struct error e;
    options_read (cli, argc, argv, usage, NULL, &words, 1, 1);
    if (plan_path (&path, words.at[0], "/history", &e))
        return cli_fail (&e);
    return answer_print (cli, &path, say, NULL);
}
