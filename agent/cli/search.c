/* search - words in what this agent may read. */
#include "answer.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley search WORD... [--kind plan|annex|report|message] [--plan "
    "PLAN]\n"
    "                     [--entity E] [--limit N] [--offset N]\n"
    "\n"
    "Find words in plans, annexes, reports and messages, in any language, "
    "without\n"
    "regard to case and accents. All words have to be there; \"a phrase\" "
    "stands\n"
    "together, begin* is a word's beginning.\n"
    "\n"
    "Example: parley search firearms balk*\n";

/* The matches' marks as brackets. */
static void add_snippet (struct table *table, json_t *hit) {
    const char *text = json_text_or (hit, "snippet", "");
    struct buf shown = { 0 };
    for (; *text; text++)
        buf_add_u8 (&shown, *text == 2      ? '['
                            : *text == 3    ? ']'
                            : *text == '\n' ? ' '
                                            : (uint8_t) *text);
    table_slice (table, buf_slice (&shown));
    buf_free (&shown);
}

static void add_hit (struct table *table, json_t *hit) {
    const char *plan = json_text_or (hit, "plan", "");
    const char *action = json_text_or (hit, "action", "");
    table_int (table, json_int (hit, "sequence", -1));
    table_cell (table, json_text (hit, "kind"));
    if (*plan)
        table_format (table, "%s%s%s", plan, *action ? "#" : "", action);
    else
        table_cell (table, json_text (hit, "topic"));
    add_snippet (table, hit);
}

static void say (const void *arg, json_t *answer) {
    static const char *const heads[] = { "RECORD", "KIND", "WHERE", "TEXT",
                                         NULL };
    const char *const *offset = arg;
    json_t *hits = json_object_get (answer, "hits"), *hit;
    size_t i;
    struct table *table = table_new (heads);
    json_array_foreach (hits, i, hit) add_hit (table, hit);
    if (table_is_empty (table))
        fputs ("parley: nothing found\n", stderr);
    else
        table_print (table, stdout);
    if (json_is_true (json_object_get (answer, "more")))
        printf ("\nthere is more: --offset %lld\n",
                (*offset ? strtoll (*offset, NULL, 10) : 0)
                    + (long long) json_array_size (hits));
    table_destroy (&table);
}

int command_search (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *kind = NULL, *plan = NULL, *entity = NULL, *limit = NULL,
               *offset = NULL;
    const struct option_spec specs[] = {
        { "kind", OPTION_TEXT, &kind },     { "plan", OPTION_TEXT, &plan },
        { "entity", OPTION_TEXT, &entity }, { "limit", OPTION_TEXT, &limit },
        { "offset", OPTION_TEXT, &offset }, { 0 }
    };
    struct buf path = { 0 }, asked = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 1, OPTIONS_WORDS_MAX);
    for (size_t i = 0; i < words.count; i++)
        buf_add_format (&asked, "%s%s", i > 0 ? " " : "", words.at[i]);
    char *text = buf_take_text (&asked);
    client_path (&path, "/api/v1/search");
    client_query (&path, "q", text);
    answer_query (&path, specs, sizeof specs / sizeof *specs - 1);
    free (text);
    return answer_print (cli, &path, say, &offset);
}
