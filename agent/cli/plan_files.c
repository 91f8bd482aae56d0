/* plan_files - plans from spreadsheets, and to what people take along. */
#include "answer.h"
#include "files.h"
#include "plan_words.h"
#include "plans/csv.h"
#include "plans/plan.h"
#include "plans/plan_csv.h"
#include "publishing.h"

#include <stdlib.h>

static const char import_usage[] =
    "usage: parley plan import FILE.csv|FILE.json [--head HEAD.json]\n"
    "                          [--plan ID] [--title TEXT] [--from DATE] [--to "
    "DATE]\n"
    "                          [--dates day-first|month-first] [--out FILE] "
    "[--replace]\n"
    "\n"
    "Make a plan's JSON of a spreadsheet's CSV, an action a row, or check and\n"
    "tidy one that is JSON. Nothing is published. --head gives all but the\n"
    "actions (parley plan new makes one); the options stand over it. Faults "
    "are\n"
    "told by row and column, and then nothing is written. Dates such as "
    "03/04/2026\n"
    "are never guessed: --dates says how they are meant.\n"
    "\n"
    "Example: parley plan import actions.csv --head plan.json --out "
    "EUROPOL-x-1.json\n";

static const char export_usage[] =
    "usage: parley plan export PLAN [--format json|csv|html] [--revision N]\n"
    "                          [--annexes] [--out FILE] [--replace]\n"
    "\n"
    "Write a plan as a file: JSON as it was published, CSV for a spreadsheet, "
    "or a\n"
    "page to print, with handling, revision and record number on each sheet.\n"
    "The page holds annexes; CSV does with --annexes, each row with audience "
    "and\n"
    "handling, and then is not imported as a plan again.\n"
    "Without --format the end of FILE's name says it.\n"
    "\n"
    "Example: parley plan export EUROPOL-empact-2026-2029 --out empact.html\n";

struct importing {
    const char *head, *plan, *title, *from, *to, *dates, *out;
    bool replace;
};

static void set (json_t *object, const char *name, const char *value) {
    if (value)
        json_object_set_new (object, name, json_string (value));
}

/* All but the actions, as files and options give it; NULL and *e. */
static json_t *head_of (const struct importing *self, struct error *e) {
    json_t *head =
        self->head ? publishing_read (self->head, "json", e) : json_object();
    if (!head)
        return NULL;
    set (head, "plan", self->plan);
    set (head, "title", self->title);
    if (self->plan && strchr (self->plan, '-'))
        json_object_set_new (
            head, "entity",
            json_stringn (self->plan, strcspn (self->plan, "-")));
    if (self->from || self->to) {
        json_t *cycle = json_object_get (head, "cycle");
        if (!json_is_object (cycle)) {
            cycle = json_object();
            json_object_set_new (head, "cycle", cycle);
        }
        set (cycle, "from", self->from);
        set (cycle, "to", self->to);
    }
    json_object_del (head, "actions");
    return head;
}

static enum plan_csv_dates dates_of (const char *word) {
    if (!word)
        return PLAN_CSV_ASK;
    if (strcmp (word, "day-first") == 0)
        return PLAN_CSV_DAY_FIRST;
    if (strcmp (word, "month-first") != 0)
        options_refuse (import_usage,
                        "--dates '%s' is not day-first or month-first", word);
    return PLAN_CSV_MONTH_FIRST;
}

static bool is_json (const char *file) {
    size_t size = strlen (file);
    return size > 5 && strcmp (file + size - 5, ".json") == 0;
}

/* The document, or NULL with faults, or with *e and none. */
static json_t *document_of (const struct importing *self, const char *file,
                            const struct taxonomy *taxonomy,
                            struct faults *faults, struct error *e) {
    if (is_json (file)) {
        json_t *document = publishing_read (file, "json", e);
        struct plan *plan =
            document ? plan_read (document, taxonomy, faults) : NULL;
        if (!plan) {
            json_decref (document);
            return NULL;
        }
        plan_free (&plan);
        return document;
    }
    struct buf octets = { 0 };
    json_t *head = head_of (self, e), *document = NULL;
    if (head && !file_read (file, CSV_OCTETS_MAX, &octets, e))
        document = plan_csv_read (buf_slice (&octets), head,
                                  dates_of (self->dates), taxonomy, faults);
    buf_free (&octets);
    json_decref (head);
    return document;
}

static int refuse (const struct faults *faults, const char *file) {
    json_t *list = faults_json (faults);
    int code =
        cli_refuse (CLI_REFUSED, "%s: %zu %s, nothing is written:", file,
                    faults->count, faults->count == 1 ? "fault" : "faults");
    problems_print (list, stderr);
    if (faults->count > faults->kept)
        fprintf (stderr, "  and %zu more\n", faults->count - faults->kept);
    json_decref (list);
    return code;
}

static int import (const struct cli *cli, const struct importing *self,
                   const char *file) {
    struct error e = { 0 };
    struct faults faults = { 0 };
    struct taxonomy *taxonomy = plan_taxonomy (cli);
    json_t *document = document_of (self, file, taxonomy, &faults, &e);
    int code = CLI_FINE;
    if (faults.count > 0)
        code = refuse (&faults, file);
    else if (!document)
        code = cli_fail (&e);
    else {
        char *text = json_dumps (document, JSON_INDENT (1));
        struct buf out = { 0 };
        buf_add_format (&out, "%s\n", text ? text : "");
        if (file_write (self->out, buf_slice (&out), self->replace, &e))
            code = cli_fail (&e);
        buf_free (&out);
        free (text);
    }
    json_decref (document);
    faults_clear (&faults);
    taxonomy_unref (&taxonomy);
    return code;
}

int command_plan_import (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct importing self = { 0 };
    const struct option_spec specs[] = { { "head", OPTION_TEXT, &self.head },
                                         { "plan", OPTION_TEXT, &self.plan },
                                         { "title", OPTION_TEXT, &self.title },
                                         { "from", OPTION_TEXT, &self.from },
                                         { "to", OPTION_TEXT, &self.to },
                                         { "dates", OPTION_TEXT, &self.dates },
                                         { "out", OPTION_TEXT, &self.out },
                                         { "replace", OPTION_FLAG,
                                           &self.replace },
                                         { 0 } };
    options_read (cli, argc, argv, import_usage, specs, &words, 1, 1);
    dates_of (self.dates);
    return import (cli, &self, words.at[0]);
}

int command_plan_export (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *format = NULL, *revision = NULL, *out = NULL;
    bool replace = false, annexes = false;
    const struct option_spec specs[] = { { "format", OPTION_TEXT, &format },
                                         { "annexes", OPTION_FLAG, &annexes },
                                         { "revision", OPTION_TEXT, &revision },
                                         { "out", OPTION_TEXT, &out },
                                         { "replace", OPTION_FLAG, &replace },
                                         { 0 } };
    struct buf path = { 0 };
    struct error e;
    options_read (cli, argc, argv, export_usage, specs, &words, 1, 1);
    const char *form = answer_format (format, out, export_usage);
    if (plan_path (&path, words.at[0], "/export", &e))
        return cli_fail (&e);
    client_query (&path, "format", form);
    client_query (&path, "revision", revision);
    client_query (&path, "annexes", annexes ? "true" : NULL);
    return answer_save (cli, &path, out, replace);
}
