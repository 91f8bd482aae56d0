/* cycle - the reports of a period, at the terminal and as files. */
#include "answer.h"
#include "cycle_print.h"

static const char cycle_usage[] =
    "usage: parley report cycle --from DATE --to DATE [--entity E] [--brief]\n"
    "                           [--format json|csv|html] [--out FILE] "
    "[--replace]\n"
    "                           [--lang L]\n"
    "\n"
    "Show how plans went in a period: a line for each, with its actions, its\n"
    "milestones, done of all that were due (STEPS), what is overdue (LATE) and "
    "its\n"
    "reports; then each plan with its parts, unless --brief. With --out or "
    "--format\n"
    "it is a file, for a spreadsheet or a page to print; without --format the "
    "end\n"
    "of FILE's name says which. DATE is a day, a month or a year of UTC.\n"
    "\n"
    "Example: parley report cycle --from 2026-01 --to 2026-06 --out "
    "2026-1.html\n";

static const char overlaps_usage[] =
    "usage: parley report overlaps --from DATE --to DATE [--entity E] "
    "[--brief]\n"
    "                              [--format json|csv|html] [--out FILE] "
    "[--replace]\n"
    "                              [--lang L]\n"
    "\n"
    "Show the overlaps that have a day in a period: how many by class, "
    "between\n"
    "whom, then, unless --brief, each with its reason. With --out or --format "
    "it\n"
    "is a file, for a spreadsheet or a page to print; without --format the end "
    "of\n"
    "FILE's name says which. DATE is a day, a month or a year of UTC.\n"
    "\n"
    "Example: parley report overlaps --from 2026 --to 2026 --out "
    "overlaps.csv\n";

static void say_cycle (const void *arg, json_t *answer) {
    cycle_print (answer, *(const bool *) arg);
}

static void say_overlaps (const void *arg, json_t *answer) {
    cycle_overlaps_print (answer, *(const bool *) arg);
}

static int report (struct cli *cli, int argc, char **argv, const char *kind,
                   const char *usage, answer_say_fn *say_it) {
    static struct words words;
    const char *from = NULL, *to = NULL, *entity = NULL, *format = NULL,
               *out = NULL, *lang = NULL;
    bool replace = false, brief = false;
    const struct option_spec specs[] = { { "from", OPTION_TEXT, &from },
                                         { "to", OPTION_TEXT, &to },
                                         { "entity", OPTION_TEXT, &entity },
                                         { "lang", OPTION_TEXT, &lang },
                                         { "format", OPTION_TEXT, &format },
                                         { "out", OPTION_TEXT, &out },
                                         { "replace", OPTION_FLAG, &replace },
                                         { "brief", OPTION_FLAG, &brief },
                                         { 0 } };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 0, 0);
    if (!from || !to)
        options_refuse (usage, "of what time? --from DATE --to DATE");
    client_path (&path, "/api/v1/cycle");
    client_query (&path, "kind", kind);
    answer_query (&path, specs, 4);
    if (!format && !out)
        return answer_print (cli, &path, say_it, &brief);
    client_query (&path, "format", answer_format (format, out, usage));
    return answer_save (cli, &path, out, replace);
}

int command_report_cycle (struct cli *cli, int argc, char **argv) {
    return report (cli, argc, argv, "cycle", cycle_usage, say_cycle);
}

int command_report_overlaps (struct cli *cli, int argc, char **argv) {
    return report (cli, argc, argv, "overlaps", overlaps_usage, say_overlaps);
}
