/* gaps - what nobody does. */
#include "answer.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley gaps [--on DATE] [--entity E] [--priority P] [--region "
    "R,...]\n"
    "                   [--kind unworked,unserved] [--thin] [--limit N] "
    "[--offset N]\n"
    "                   [--lang L]\n"
    "\n"
    "Show what nobody does: priorities that a body's plan declares and no "
    "live\n"
    "action of it works on (unworked), and priorities that no live action of\n"
    "anybody serves in a region of the dialogue's bodies (unserved). With "
    "--thin\n"
    "also where only general actions, or such for the whole world, do.\n"
    "\n"
    "Example: parley gaps --entity EUROPOL\n";

struct asked {
    const char *on, *entity, *priority, *region, *kind, *limit, *offset, *lang;
    bool thin;
};

static const char *named (json_t *value, const char *name) {
    json_t *one = json_object_get (value, name);
    return json_is_object (one)   ? json_text_or (one, "code", "")
           : json_is_string (one) ? json_string_value (one)
                                  : "";
}

static void add_row (struct table *table, json_t *gap) {
    const char *entity = named (gap, "entity");
    table_format (table, "%s%s", json_text_or (gap, "kind", "?"),
                  json_is_true (json_object_get (gap, "thin")) ? ", thin" : "");
    table_cell (table, *entity ? entity : named (gap, "region"));
    table_cell (table, named (gap, "priority"));
    table_cell (table, json_text (gap, "why"));
}

static void say (const void *arg, json_t *answer) {
    const struct asked *asked = arg;
    static const char *const heads[] = { "KIND", "WHOSE, WHERE", "PRIORITY",
                                         "WHY", NULL };
    json_t *gaps = json_object_get (answer, "gaps"), *gap;
    int64_t total = json_int (answer, "total", 0);
    size_t i;
    struct table *table = table_new (heads);
    printf ("%" PRId64 " %s on %s%s.\n", total, total == 1 ? "gap" : "gaps",
            json_text_or (answer, "on", "?"),
            asked->thin ? ", thin cover among them" : "");
    json_array_foreach (gaps, i, gap) add_row (table, gap);
    if (!table_is_empty (table)) {
        putchar ('\n');
        table_print (table, stdout);
    }
    answer_more (asked->offset, json_array_size (gaps), total);
    table_destroy (&table);
}

int command_gaps (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct asked asked = { 0 };
    const struct option_spec specs[] = {
        { "on", OPTION_TEXT, &asked.on },
        { "entity", OPTION_TEXT, &asked.entity },
        { "priority", OPTION_TEXT, &asked.priority },
        { "region", OPTION_TEXT, &asked.region },
        { "kind", OPTION_TEXT, &asked.kind },
        { "thin", OPTION_FLAG, &asked.thin },
        { "limit", OPTION_TEXT, &asked.limit },
        { "offset", OPTION_TEXT, &asked.offset },
        { "lang", OPTION_TEXT, &asked.lang },
        { 0 }
    };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 0, 0);
    client_path (&path, "/api/v1/gaps");
    answer_query (&path, specs, sizeof specs / sizeof *specs - 1);
    return answer_print (cli, &path, say, &asked);
}
