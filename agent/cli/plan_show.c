/* plan_show - one plan, with its annexes, how it proceeds, what is overdue. */
#include "plan_show.h"

#include "answer.h"
#include "plan_words.h"
#include "plans/taxonomy.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley plan show PLAN [--lang L]\n"
    "\n"
    "Show a plan as this agent's readers see it: plan and annexes as one, "
    "each\n"
    "action with its status, what is overdue, each body's latest reports, and "
    "how\n"
    "many overlaps are live. Of a withdrawn one: by whom, and whose agents "
    "have\n"
    "hidden it. Days and times are of UTC. --json has all of it, with the "
    "codes.\n"
    "\n"
    "Example: parley plan show EUROPOL-empact-2026-2029\n";

struct shown {
    const char *lang;
    const struct taxonomy *taxonomy; /* NULL: nobody reads titles */
};

static const char *in_language (json_t *value, const char *lang) {
    json_t *wanted = lang ? json_object_get (value, lang) : NULL;
    return json_is_string (wanted) ? json_string_value (wanted)
                                   : plan_text (value);
}

static void add (struct table *table, const char *name, json_t *value) {
    struct buf text = { 0 };
    if (json_is_array (value))
        json_join (&text, value);
    else
        json_line (&text, value);
    if (text.size > 0) {
        table_cell (table, name);
        table_slice (table, buf_slice (&text));
    }
    buf_free (&text);
}

static void add_revision (struct table *table, json_t *answer) {
    json_t *revision = json_object_get (answer, "revision");
    struct buf when = { 0 };
    json_moment (&when, json_text (revision, "log_time"));
    table_cell (table, "revision");
    table_format (
        table, "%" PRId64 ", record %" PRId64 " of %s, %.*s, channel %s",
        json_int (revision, "number", 0), json_int (revision, "sequence", -1),
        json_text_or (revision, "author", "?"), (int) when.size,
        (const char *) when.data, json_text_or (revision, "channel", "?"));
    buf_free (&when);
}

static void add_annexes (struct table *table, json_t *answer) {
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (answer, "annexes"), i, one) {
        size_t covered = json_array_size (json_object_get (one, "covered"));
        table_cell (table, "annex");
        const char *handling = json_text_or (one, "handling", "");
        const char *said = json_text (one, "text");
        table_format (table, "%s, record %" PRId64 ", channel %s%s%s",
                      json_text_or (one, "annex", "?"),
                      json_int (one, "sequence", -1),
                      json_text_or (one, "channel", "?"), *handling ? ", " : "",
                      handling);
        if (said) {
            table_cell (table, "");
            table_cell (table, said);
        }
        if (covered > 0) {
            table_cell (table, "");
            table_format (table,
                          "%zu of its parts change nothing (--json says why)",
                          covered);
        }
    }
}

/* Of all that is shown; the plan's own beside it where annexes are stricter. */
static void add_handling (struct table *table, json_t *answer) {
    const char *own =
        json_text_or (json_object_get (answer, "plan"), "handling", "?");
    const char *all = json_text_or (answer, "handling", own);
    table_cell (table, "handling");
    if (strcmp (own, all) == 0)
        table_cell (table, own);
    else
        table_format (table, "%s (the plan alone: %s)", all, own);
}

static void add_overlaps (struct table *table, json_t *answer) {
    struct buf text = { 0 };
    overlap_counts_words (&text, json_object_get (answer, "overlaps"));
    table_cell (table, "overlaps");
    table_format (table, "%.*s, now or later", (int) text.size,
                  (const char *) text.data);
    buf_free (&text);
}

static void add_priorities (struct table *table, const struct shown *shown,
                            json_t *codes) {
    struct buf text = { 0 };
    json_t *one;
    size_t i;
    json_array_foreach (codes, i, one) {
        const char *code = plan_text (one);
        int number = taxonomy_priority (shown->taxonomy, slice_text (code));
        buf_add_format (
            &text, "%s%s", i > 0 ? "; " : "",
            number < 0 ? code
                       : taxonomy_priority_title (shown->taxonomy, number));
    }
    table_cell (table, "priorities");
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

/* "European Union (EU), Europe (150)" */
static void add_regions (struct table *table, const struct shown *shown,
                         json_t *codes) {
    struct buf text = { 0 };
    json_t *one;
    size_t i;
    json_array_foreach (codes, i, one) {
        const char *code = plan_text (one);
        int number = taxonomy_region (shown->taxonomy, slice_text (code));
        buf_add_text (&text, i > 0 ? ", " : "");
        if (number < 0)
            buf_add_text (&text, code);
        else
            buf_add_format (&text, "%s (%s)",
                            taxonomy_region_title (shown->taxonomy, number),
                            code);
    }
    table_cell (table, "regions");
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

static void print_head (const struct shown *shown, json_t *answer) {
    static const char *const heads[] = { "", "", NULL };
    json_t *plan = json_object_get (answer, "plan");
    struct table *table = table_new (heads);
    add (table, "plan", json_object_get (plan, "plan"));
    table_cell (table, "title");
    table_cell (table,
                in_language (json_object_get (plan, "title"), shown->lang));
    add (table, "entity", json_object_get (plan, "entity"));
    table_cell (table, "cycle");
    table_format (table, "%s to %s",
                  json_text_or (json_object_get (plan, "cycle"), "from", "?"),
                  json_text_or (json_object_get (plan, "cycle"), "to", "?"));
    add_handling (table, answer);
    add_priorities (table, shown, json_object_get (plan, "priorities"));
    add_regions (table, shown, json_object_get (plan, "regions"));
    add_revision (table, answer);
    add_annexes (table, answer);
    add_overlaps (table, answer);
    table_print (table, stdout);
    table_destroy (&table);
}

/* What is known of an action beside its document. */
static json_t *progress_of (json_t *answer, const char *id) {
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (answer, "actions"), i,
                        one) if (strcmp (json_text_or (one, "action", ""), id)
                                 == 0) return one;
    return NULL;
}

/* "active; done by INTERPOL" */
static void add_status (struct table *table, json_t *action, json_t *progress) {
    json_t *reported = json_object_get (progress, "reported");
    const char *own = json_text_or (action, "status", "?");
    const char *said = json_text (reported, "status");
    bool late = json_is_true (json_object_get (progress, "overdue"));
    if (said && strcmp (said, own) != 0)
        table_format (table, "%s; reported %s by %s%s", own, said,
                      json_text_or (reported, "entity", "?"),
                      late ? "; overdue" : "");
    else
        table_format (table, "%s%s", own, late ? "; overdue" : "");
}

static void add_action (struct table *table, const struct shown *shown,
                        json_t *answer, json_t *action, size_t index) {
    char pointer[32];
    const char *id = json_text_or (action, "id", "?");
    const char *to = json_text (action, "to");
    json_t *partners = json_object_get (action, "partners");
    struct buf who = { 0 };
    snprintf (pointer, sizeof pointer, "/actions/%zu", index);
    const char *audience =
        json_text (json_object_get (answer, "audience"), pointer);
    const char *handling =
        json_text (json_object_get (answer, "handlings"), pointer);
    const char *home = plan_home (answer);
    bool other = audience && home && strcmp (audience, home) != 0;
    bool stricter =
        handling
        && strcmp (handling, json_text_or (json_object_get (answer, "plan"),
                                           "handling", handling))
               != 0;
    buf_add_text (&who, json_text_or (action, "lead", "?"));
    if (json_array_size (partners) > 0) {
        buf_add_text (&who, " with ");
        json_join (&who, partners);
    }
    table_cell (table, id);
    add_status (table, action, progress_of (answer, id));
    table_format (table, to ? "%s to %s" : "%s on",
                  json_text_or (action, "from", "?"), to);
    table_slice (table, buf_slice (&who));
    table_format (table, "%s%s%s%s%s%s",
                  in_language (json_object_get (action, "title"), shown->lang),
                  other || stricter ? " [" : "", other ? audience : "",
                  other && stricter ? ", " : "", stricter ? handling : "",
                  other || stricter ? "]" : "");
    buf_free (&who);
}

static void print_actions (const struct shown *shown, json_t *answer) {
    static const char *const heads[] = { "ACTION", "STATUS", "DAYS",
                                         "WHO",    "TITLE",  NULL };
    json_t *action;
    size_t i;
    struct table *table = table_new (heads);
    json_array_foreach (json_at (answer, "plan", "actions", NULL), i, action)
        add_action (table, shown, answer, action, i);
    if (!table_is_empty (table)) {
        putchar ('\n');
        table_print (table, stdout);
    }
    table_destroy (&table);
}

static void print_overdue (json_t *answer) {
    static const char *const heads[] = { "", "", "", NULL };
    json_t *overdue = json_object_get (answer, "overdue"), *one;
    size_t i;
    if (json_array_size (overdue) == 0)
        return;
    printf ("\noverdue:\n");
    struct table *table = table_new (heads);
    json_array_foreach (overdue, i, one) {
        const char *milestone = json_text (one, "milestone");
        table_cell (table, "");
        table_format (table, "%s%s%s", json_text_or (one, "action", "?"),
                      milestone ? ", milestone " : "",
                      milestone ? milestone : "");
        table_format (table, "since %s", json_text_or (one, "since", "?"));
    }
    table_print (table, stdout);
    table_destroy (&table);
}

static void say (const void *arg, json_t *answer) {
    json_t *withdrawn = json_object_get (answer, "withdrawn");
    if (json_is_object (withdrawn)) {
        plan_withdrawn_print (withdrawn);
        return;
    }
    print_head (arg, answer);
    print_actions (arg, answer);
    print_overdue (answer);
    plan_reports_print (answer);
}

int command_plan_show (struct cli *cli, int argc, char **argv) {
    static struct words words;
    struct shown shown = { 0 };
    const struct option_spec specs[] = { { "lang", OPTION_TEXT, &shown.lang },
                                         { 0 } };
    struct buf path = { 0 };
    struct error e;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    if (plan_path (&path, words.at[0], "", &e))
        return cli_fail (&e);
    answer_query (&path, specs, 1);
    struct taxonomy *taxonomy = cli->json ? NULL : plan_taxonomy (cli);
    shown.taxonomy = taxonomy;
    int code = answer_print (cli, &path, say, &shown);
    taxonomy_unref (&taxonomy);
    return code;
}
