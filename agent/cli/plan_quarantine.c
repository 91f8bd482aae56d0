/* plan_quarantine - records about plans that count for nothing. */
#include "answer.h"
#include "plan_words.h"
#include "table.h"

#include <inttypes.h>

#define PROBLEMS_SHOWN 3 /* of a record; a wrong plan may have a hundred */

static const char usage[] =
    "usage: parley plan quarantine [--limit N] [--offset N]\n"
    "\n"
    "List the records about plans that broke a rule, or need a newer version "
    "of\n"
    "this program: from whom, which, and why, with the place in it. They "
    "change\n"
    "nothing here. parley show RECORD has one as its author wrote it.\n"
    "\n"
    "Example: parley plan quarantine\n";

/* A line of its own, below what is said of the record. */
static void add_line (struct table *table, const char *pointer,
                      const char *text) {
    table_cell (table, "");
    table_format (table, "%s%s%s", pointer, *pointer ? ": " : "", text);
}

static void add_why (struct table *table, json_t *entry) {
    json_t *problems = json_object_get (entry, "problems"), *one;
    size_t i, count = json_array_size (problems);
    char more[48];
    if (count == 0)
        add_line (table, "",
                  json_is_true (json_object_get (entry, "newer"))
                      ? "needs a newer version of Parley"
                      : "broke a rule");
    snprintf (more, sizeof more, "and %zu more (--json has them)",
              count - PROBLEMS_SHOWN);
    json_array_foreach (problems, i, one) {
        if (i == PROBLEMS_SHOWN) {
            add_line (table, "", more);
            break;
        }
        add_line (table, json_text_or (one, "pointer", ""),
                  json_text_or (one, "text", "broke a rule"));
    }
}

/* The last level of its topic: the plan, or "change" of the taxonomy. */
static const char *subject_of (json_t *entry) {
    const char *topic = json_text_or (entry, "topic", "?");
    const char *last = strrchr (topic, '/');
    return strcmp (json_text_or (entry, "kind", ""), "taxonomy") != 0 && last
               ? last + 1
               : topic;
}

/* "4  plan AFRIPOL-x-1 of AFRIPOL/hq, 24 Nov 2026 20:34 UTC" */
static void add_entry (struct table *table, json_t *entry) {
    struct buf when = { 0 };
    json_moment (&when, json_text (entry, "log_time"));
    table_cell (table, "");
    table_cell (table, "");
    table_int (table, json_int (entry, "sequence", -1));
    table_format (table, "%s %s by %s, %.*s", json_text_or (entry, "kind", "?"),
                  subject_of (entry), json_text_or (entry, "author", "?"),
                  (int) when.size, (const char *) when.data);
    add_why (table, entry);
    buf_free (&when);
}

static void say (const void *arg, json_t *answer) {
    static const char *const heads[] = { "", "", NULL };
    const char *const *offset = arg;
    json_t *entries = json_object_get (answer, "entries"), *entry;
    int64_t total = json_int (answer, "total", 0);
    size_t i;
    struct table *table = table_new (heads);
    json_array_foreach (entries, i, entry) add_entry (table, entry);
    if (total == 0)
        fputs ("parley: nothing is quarantined\n", stderr);
    else {
        struct buf line = { 0 };
        words_count (&line, total, "record", "records");
        words_format (stdout, 0,
                      "%.*s about plans %s quarantined: nothing here follows "
                      "from %s.",
                      (int) line.size, (const char *) line.data,
                      total == 1 ? "is" : "are", total == 1 ? "it" : "them");
        buf_free (&line);
    }
    if (!table_is_empty (table)) {
        table_print (table, stdout);
        entry = json_array_get (entries, 0);
        printf ("\nAs its author wrote it: parley show %" PRId64 "\n",
                json_int (entry, "sequence", 0));
    }
    answer_more (*offset, json_array_size (entries), total);
    table_destroy (&table);
}

int command_plan_quarantine (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *limit = NULL, *offset = NULL;
    const struct option_spec specs[] = { { "limit", OPTION_TEXT, &limit },
                                         { "offset", OPTION_TEXT, &offset },
                                         { 0 } };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 0, 0);
    client_path (&path, "/api/v1/quarantine");
    answer_query (&path, specs, 2);
    return answer_print (cli, &path, say, &offset);
}
