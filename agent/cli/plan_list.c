/* plan_list - which plans there are. */
#include "answer.h"
#include "table.h"

#include <inttypes.h>

static const char usage[] =
    "usage: parley plan list [--entity E] [--priority P] [--region R]\n"
    "                        [--on DATE] [--text WORDS] [--state "
    "live|over|all]\n"
    "                        [--channel C] [--limit N] [--offset N] [--lang "
    "L]\n"
    "\n"
    "List the plans that this agent may read. LIVE counts the actions that are "
    "not\n"
    "over, of all; LATE what is overdue. A plan is over when its cycle is.\n"
    "\n"
    "Example: parley plan list --state live --region 150\n";

/* "2026-2029": years, so that a list fits; parley plan show has the days. */
static void add_cycle (struct table *table, json_t *plan) {
    json_t *cycle = json_object_get (plan, "cycle");
    table_format (table, "%.4s-%.4s", json_text_or (cycle, "from", "?"),
                  json_text_or (cycle, "to", "?"));
}

static void add_row (struct table *table, json_t *plan) {
    int64_t overdue = json_int (plan, "overdue", 0);
    table_cell (table, json_text (plan, "plan"));
    add_cycle (table, plan);
    table_format (table, "%" PRId64 "/%" PRId64,
                  json_int (plan, "live_actions", 0),
                  json_int (plan, "actions", 0));
    if (overdue > 0)
        table_int (table, overdue);
    else
        table_cell (table, "");
    table_cell (table, json_text (plan, "title"));
}

static void say (const void *arg, json_t *answer) {
    static const char *const heads[] = { "PLAN", "CYCLE", "LIVE",
                                         "LATE", "TITLE", NULL };
    const char *const *offset = arg;
    json_t *plans = json_object_get (answer, "plans"), *plan;
    size_t i;
    struct table *table = table_new (heads);
    json_array_foreach (plans, i, plan) add_row (table, plan);
    if (table_is_empty (table))
        fputs ("parley: no such plan is there\n", stderr);
    else
        table_print (table, stdout);
    answer_more (*offset, json_array_size (plans),
                 json_int (answer, "total", 0));
    table_destroy (&table);
}

int command_plan_list (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *entity = NULL, *priority = NULL, *region = NULL, *on = NULL,
               *text = NULL, *state = NULL, *channel = NULL, *limit = NULL,
               *offset = NULL, *lang = NULL;
    const struct option_spec specs[] = { { "entity", OPTION_TEXT, &entity },
                                         { "priority", OPTION_TEXT, &priority },
                                         { "region", OPTION_TEXT, &region },
                                         { "on", OPTION_TEXT, &on },
                                         { "text", OPTION_TEXT, &text },
                                         { "state", OPTION_TEXT, &state },
                                         { "channel", OPTION_TEXT, &channel },
                                         { "limit", OPTION_TEXT, &limit },
                                         { "offset", OPTION_TEXT, &offset },
                                         { "lang", OPTION_TEXT, &lang },
                                         { 0 } };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 0, 0);
    client_path (&path, "/api/v1/plans");
    answer_query (&path, specs, sizeof specs / sizeof *specs - 1);
    return answer_print (cli, &path, say, &offset);
}
