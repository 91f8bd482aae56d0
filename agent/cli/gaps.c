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

static const char *title_of (json_t *gap, const char *name) {
    json_t *one = json_object_get (gap, name);
    return json_text_or (one, "title", json_text_or (one, "code", ""));
}

static bool is_kind (json_t *gap, const char *kind) {
    return strcmp (json_text_or (gap, "kind", ""), kind) == 0;
}

static const char *thin_of (json_t *gap) {
    return json_is_true (json_object_get (gap, "thin")) ? " (thin)" : "";
}

/* "AIMC  Drug demand reduction  AIMC-drug-plan-2025-2027" */
static void print_unworked (json_t *gaps) {
    static const char *const heads[] = { "BODY", "DECLARED, AND NOT WORKED ON",
                                         "PLAN", NULL };
    struct table *table = table_new (heads);
    json_t *gap;
    size_t i;
    json_array_foreach (gaps, i, gap) {
        const char *goal = json_text (gap, "goal");
        if (!is_kind (gap, "unworked"))
            continue;
        table_cell (table, json_text (gap, "entity"));
        table_format (table, "%s%s", title_of (gap, "priority"), thin_of (gap));
        table_format (table, "%s%s%s", json_text_or (gap, "plan", "?"),
                      goal ? "#" : "", goal ? goal : "");
    }
    if (!table_is_empty (table)) {
        putchar ('\n');
        table_print (table, stdout);
    }
    table_destroy (&table);
}

static void add_region (struct table *table, json_t *gap, struct buf *titles) {
    if (titles->size > 0) {
        table_cell (table, title_of (gap, "region"));
        table_slice (table, buf_slice (titles));
    }
    buf_clear (titles);
}

/* A row for each region: they come one after the other. */
static void print_unserved (json_t *gaps) {
    static const char *const heads[] = { "REGION", "SERVED BY NOBODY", NULL };
    struct table *table = table_new (heads);
    struct buf titles = { 0 };
    json_t *gap, *last = NULL;
    size_t i;
    json_array_foreach (gaps, i, gap) {
        if (!is_kind (gap, "unserved"))
            continue;
        if (last
            && strcmp (title_of (last, "region"), title_of (gap, "region")))
            add_region (table, last, &titles);
        buf_add_format (&titles, "%s%s%s", titles.size ? "; " : "",
                        title_of (gap, "priority"), thin_of (gap));
        last = gap;
    }
    if (last)
        add_region (table, last, &titles);
    if (!table_is_empty (table)) {
        putchar ('\n');
        table_print (table, stdout);
    }
    table_destroy (&table);
    buf_free (&titles);
}

static void say (const void *arg, json_t *answer) {
    const struct asked *asked = arg;
    json_t *gaps = json_object_get (answer, "gaps");
    int64_t total = json_int (answer, "total", 0);
    printf ("%" PRId64 " %s on %s%s.\n", total, total == 1 ? "gap" : "gaps",
            json_text_or (answer, "on", "?"),
            asked->thin ? ", thin cover among them" : "");
    print_unworked (gaps);
    print_unserved (gaps);
    answer_more (asked->offset, json_array_size (gaps), total);
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
