/* overlaps - where two bodies do the same thing, and what bodies say of it. */
#include "answer.h"
#include "overlap_print.h"
#include "plan_words.h"

#include <inttypes.h>
#include <stdlib.h>

#define PAIRS_MAX 12 /* what a screen holds above the first overlaps */

static const char usage[] =
    "usage: parley overlaps [--on DATE | --all] [--broad] [--folded] "
    "[--drafts]\n"
    "                       [--entity E] [--other E] [--plan PLAN [--action "
    "ID]]\n"
    "                       [--priority P] [--region R] [--from DATE] [--to "
    "DATE]\n"
    "                       [--class C,...] [--kind K,...] [--limit N] "
    "[--offset N]\n"
    "                       [--brief] [--lang L]\n"
    "       parley overlaps say REF REF WORD ...\n"
    "\n"
    "Show where actions of two bodies have a priority, a country and a day in\n"
    "common: how many by class, between whom, then each with its reason, the\n"
    "most specific first, 50 a page.\n"
    "\n"
    "  possible  neither names the other: look whether they do the same twice\n"
    "  claimed   one names the other; the other can confirm or deny\n"
    "  joint     each names the other\n"
    "  same      linked by \"same_as\"\n"
    "\n"
    "Without --on and --all, those that are live today or later are told. A "
    "broad\n"
    "one shares only a general priority or the whole world: counted, listed "
    "with\n"
    "--broad. --folded lists what the own body said is no overlap, --drafts "
    "the\n"
    "overlaps of its drafts. --brief ends after the counts.\n"
    "\n"
    "Example: parley overlaps --entity EUROPOL --class possible\n";

struct asked {
    const char *on, *entity, *other, *plan, *action, *priority, *region, *from,
        *to, *class, *kind, *limit, *offset, *lang;
    bool all, broad, folded, drafts, brief;
};

/* "2026-11-24" as it is; today's and --all in words. */
static void say_total (const struct asked *asked, json_t *answer) {
    struct buf line = { 0 }, counts = { 0 };
    const char *on = json_text (answer, "on");
    int64_t all =
        overlap_counts_words (&counts, json_object_get (answer, "counts"));
    words_count (&line, all, "overlap", "overlaps");
    if (asked->drafts)
        buf_add_text (&line, " of own drafts, if agreed,");
    if (asked->all)
        buf_add_text (&line, " of all times");
    else
        buf_add_format (&line, " live on %s or later", on ? on : "?");
    if (all > 0) {
        json_t *pairs = json_object_get (answer, "pairs");
        buf_add_text (&line, " between ");
        words_count (&line, (int64_t) json_array_size (pairs), "pair", "pairs");
        buf_add_text (&line, " of bodies: ");
        buf_add_slice (&line, buf_slice (&counts));
    }
    buf_add_text (&line, ".");
    char *text = buf_take_text (&line);
    words_print (stdout, 0, text);
    free (text);
    buf_free (&counts);
}

static void say_page (const struct asked *asked, json_t *answer) {
    json_t *page = json_object_get (answer, "overlaps");
    int64_t listed = json_int (answer, "listed", 0);
    int64_t first = asked->offset ? strtoll (asked->offset, NULL, 10) : 0;
    overlaps_print (page, first + 1, stdout);
    answer_more (asked->offset, json_array_size (page), listed);
}

static int64_t broad_count (json_t *answer) {
    int64_t sum = 0;
    const char *name;
    json_t *one;
    json_object_foreach (json_object_get (answer, "counts"), name, one) sum +=
        json_int (one, "broad", 0);
    return sum;
}

static void say (const void *arg, json_t *answer) {
    const struct asked *asked = arg;
    int64_t broad = broad_count (answer);
    say_total (asked, answer);
    if (json_array_size (json_object_get (answer, "pairs")) > 0) {
        putchar ('\n');
        overlap_pairs_print (json_object_get (answer, "pairs"), PAIRS_MAX,
                             stdout);
    }
    if (asked->brief)
        return;
    say_page (asked, answer);
    if (broad > 0 && !asked->broad)
        printf ("\n%" PRId64 " broad %s not listed; --broad lists them too\n",
                broad, broad == 1 ? "one is" : "ones are");
}

int command_overlaps (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct asked asked = { 0 };
    const struct option_spec specs[] = {
        { "on", OPTION_TEXT, &asked.on },
        { "all", OPTION_FLAG, &asked.all },
        { "broad", OPTION_FLAG, &asked.broad },
        { "folded", OPTION_FLAG, &asked.folded },
        { "drafts", OPTION_FLAG, &asked.drafts },
        { "entity", OPTION_TEXT, &asked.entity },
        { "other", OPTION_TEXT, &asked.other },
        { "plan", OPTION_TEXT, &asked.plan },
        { "action", OPTION_TEXT, &asked.action },
        { "priority", OPTION_TEXT, &asked.priority },
        { "region", OPTION_TEXT, &asked.region },
        { "from", OPTION_TEXT, &asked.from },
        { "to", OPTION_TEXT, &asked.to },
        { "class", OPTION_TEXT, &asked.class },
        { "kind", OPTION_TEXT, &asked.kind },
        { "limit", OPTION_TEXT, &asked.limit },
        { "offset", OPTION_TEXT, &asked.offset },
        { "lang", OPTION_TEXT, &asked.lang },
        { "brief", OPTION_FLAG, &asked.brief }, /* not the agent's */
        { 0 }
    };
    struct buf path = { 0 };
    options_read (cli, argc, argv, usage, specs, &words, 0, 0);
    if (asked.all && asked.on)
        options_refuse (usage, "--all and --on exclude each other");
    client_path (&path, "/api/v1/overlaps");
    answer_query (&path, specs, sizeof specs / sizeof *specs - 2);
    return answer_print (cli, &path, say, &asked);
}
