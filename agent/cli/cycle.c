/* cycle - the reports of a period, as files. */
#include "answer.h"

static const char cycle_usage[] =
    "usage: parley report cycle --from DATE --to DATE [--entity E]\n"
    "                           [--format json|csv|html] [--out FILE] "
    "[--replace]\n"
    "\n"
    "Write how plans went in a period: actions, milestones and indicators with "
    "what\n"
    "was reported, what is overdue, and which reports are missing. Without "
    "--format\n"
    "the end of FILE's name says it.\n"
    "\n"
    "Example: parley report cycle --from 2026-01 --to 2026-06 --out "
    "2026-1.html\n";

static const char overlaps_usage[] =
    "usage: parley report overlaps --from DATE --to DATE [--entity E]\n"
    "                              [--format json|csv|html] [--out FILE] "
    "[--replace]\n"
    "\n"
    "Write the overlaps that have a day in a period, each with its reason.\n"
    "\n"
    "Example: parley report overlaps --from 2026 --to 2026 --out "
    "overlaps.csv\n";

static int report (struct cli *cli, int argc, char **argv, const char *kind,
                   const char *usage) {
    static struct words words;
    const char *from = NULL, *to = NULL, *entity = NULL, *format = NULL,
               *out = NULL, *lang = NULL;
    bool replace = false;
    const struct option_spec specs[] = {
        { "from", OPTION_TEXT, &from },       { "to", OPTION_TEXT, &to },
        { "entity", OPTION_TEXT, &entity },   { "lang", OPTION_TEXT, &lang },
        { "format", OPTION_TEXT, &format },   { "out", OPTION_TEXT, &out },
        { "replace", OPTION_FLAG, &replace }, { 0 }
    };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 0, 0);
    if (!from || !to)
        options_refuse (usage, "of what time? --from DATE --to DATE");
    const char *form = answer_format (format, out, usage);
    client_path (&path, "/api/v1/cycle");
    client_query (&path, "kind", kind);
    answer_query (&path, specs, 4);
    client_query (&path, "format", form);
    return answer_save (cli, &path, out, replace);
}

int command_report_cycle (struct cli *cli, int argc, char **argv) {
    return report (cli, argc, argv, "cycle", cycle_usage);
}

int command_report_overlaps (struct cli *cli, int argc, char **argv) {
    return report (cli, argc, argv, "overlaps", overlaps_usage);
}
