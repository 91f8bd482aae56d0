/* plan_new - a plan to fill in. */
#include "base/clock.h"
#include "cli.h"
#include "files.h"
#include "options.h"
#include "plans/plan.h"

#include <jansson.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley plan new PLAN-ID [--out FILE] [--replace] [--csv]\n"
    "\n"
    "Write a plan with one goal and one action, for an editor to fill in; "
    "with\n"
    "--csv the row of columns that a spreadsheet of actions begins with "
    "(parley\n"
    "plan import). PLAN-ID begins with the entity and a hyphen. deploy/schema\n"
    "describes all members; codes of priorities and regions are those of "
    "parley\n"
    "taxonomy show.\n"
    "\n"
    "Example: parley plan new EUROPOL-firearms-2027 --out plan.json\n";

static const char columns[] =
    "id,title,description,kind,priorities,regions,from,to,lead,co_leads,"
    "partners,status,goals,milestones\r\n";

static int year_now (void) {
    char today[DATE_TEXT_MAX];
    day_text (today, day_of_ms (clock_wall_ms()));
    return (int) strtol (today, NULL, 10);
}

static json_t *action_new (const char *entity, const char *from,
                           const char *to) {
    return json_pack (
        "{ss s[s] ss ss ss s[s] s[s] ss ss ss s[] ss s[{ss ss ss}]}", "id",
        "A1", "goals", "G1", "title", "What is done", "description",
        "How, and with what", "kind", "operation", "priorities",
        "organized-crime", "regions", "001", "from", from, "to", to, "lead",
        entity, "partners", "status", "planned", "milestones", "id", "M1",
        "title", "What is there by then", "due", to);
}

static json_t *plan_new (const char *id, const char *entity) {
    char from[24], to[24];
    int year = year_now();
    snprintf (from, sizeof from, "%04d-01-01", year + 1);
    snprintf (to, sizeof to, "%04d-12-31", year + 4);
    json_t *plan = json_pack (
        "{si ss ss ss ss ss s{ss ss} ss s[s] s[s] s[{ss ss}]}", "format", 1,
        "plan", id, "entity", entity, "lang", "en", "title",
        "What this plan is called", "summary", "What it is for", "cycle",
        "from", from, "to", to, "handling", "TLP:AMBER", "priorities",
        "organized-crime", "regions", "001", "goals", "id", "G1", "title",
        "What shall be reached");
    json_object_set_new (plan, "actions",
                         json_pack ("[o]", action_new (entity, from, to)));
    return plan;
}

int command_plan_new (struct cli *cli, int argc, char **argv) {
    static struct words words;
    const char *out = NULL;
    bool replace = false, csv = false;
    const struct option_spec specs[] = { { "out", OPTION_TEXT, &out },
                                         { "replace", OPTION_FLAG, &replace },
                                         { "csv", OPTION_FLAG, &csv },
                                         { 0 } };
    struct error e;
    char entity[PLAN_ID_MAX + 1];
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    const char *id = words.at[0];
    size_t size = strcspn (id, "-");
    if (size == 0 || !id[size] || !id[size + 1] || strlen (id) > PLAN_ID_MAX)
        options_refuse (usage,
                        "'%s' is not ENTITY-NAME, such as "
                        "EUROPOL-firearms-2027",
                        id);
    memcpy (entity, id, size);
    entity[size] = '\0';
    json_t *plan = plan_new (id, entity);
    struct taxonomy *taxonomy = taxonomy_base();
    struct faults faults = { 0 };
    struct plan *read = plan_read (plan, taxonomy, &faults);
    struct buf text = { 0 };
    char *json = json_dumps (plan, JSON_INDENT (1));
    buf_add_format (&text, csv ? "%s" : "%s\n", csv ? columns : json);
    enum err rc = read ? file_write (out, buf_slice (&text), replace, &e)
                       : faults_error (&faults, &e);
    free (json);
    buf_free (&text);
    plan_free (&read);
    faults_clear (&faults);
    taxonomy_unref (&taxonomy);
    json_decref (plan);
    return rc ? cli_fail (&e) : CLI_FINE;
}
