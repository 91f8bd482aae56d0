/* plan_report - what a body says of how an action proceeds. */
#include "plan_words.h"
#include "plans/plan.h"
#include "publishing.h"

#include <math.h>
#include <stdlib.h>

static const char usage[] =
    "usage: parley plan report PLAN#ACTION --period FROM..TO [--status "
    "STATUS]\n"
    "                          [--milestone ID=DATE|open]... [--due "
    "ID=DATE]...\n"
    "                          [--indicator ID=VALUE@DATE]... [--text TEXT]\n"
    "                          [--channel CHANNEL] [--key KEY] "
    "[--yes|--draft]\n"
    "                          [--wait promised|done] [--timeout SECONDS]\n"
    "\n"
    "Report on an action in the own body's name, as the plan's body, its lead, "
    "a\n"
    "co-lead or a partner, without a new revision of the plan. --milestone "
    "says when\n"
    "one was reached, --due that it is expected at another date. A later "
    "report of\n"
    "the same period replaces the earlier one. It goes to the action's "
    "readers, "
    "unless\n"
    "--channel.\n"
    "\n"
    "Example: parley plan report EUROPOL-empact-2026-2029#E1 --period "
    "2026..2026-06 \\\n"
    "             --status active --milestone M1=2026-05-17 --text 'On "
    "course.'\n";

struct report {
    struct publishing publishing;
    const char *period, *status, *text, *channel;
    struct words milestones, due, indicators;
};

/* "ID=REST": rest, and the id in `id`. */
static const char *split (const char *word, const char *option,
                          char id[PLAN_PART_MAX + 1]) {
    const char *equals = strchr (word, '=');
    size_t size = equals ? (size_t) (equals - word) : 0;
    if (size == 0 || size > PLAN_PART_MAX || !equals[1])
        options_refuse (usage, "--%s '%s' is not ID=...", option, word);
    memcpy (id, word, size);
    id[size] = '\0';
    return equals + 1;
}

/* The one of that id, made where it is not there. */
static json_t *item_of (json_t *list, const char *id) {
    json_t *one;
    size_t i;
    json_array_foreach (list, i,
                        one) if (strcmp (json_text_or (one, "id", ""), id)
                                 == 0) return one;
    one = json_pack ("{ss}", "id", id);
    json_array_append_new (list, one);
    return one;
}

static void check_date (const char *text, size_t size, const char *option) {
    struct date date;
    struct error e;
    if (date_read (slice_of (text, size), &date, &e))
        options_refuse (usage, "--%s: %s", option, e.text);
}

static json_t *milestones (const struct report *self) {
    char id[PLAN_PART_MAX + 1];
    json_t *list = json_array();
    for (size_t i = 0; i < self->milestones.count; i++) {
        const char *done = split (self->milestones.at[i], "milestone", id);
        bool open = strcmp (done, "open") == 0;
        if (!open)
            check_date (done, strlen (done), "milestone");
        json_object_set_new (item_of (list, id), "done",
                             open ? json_null() : json_string (done));
    }
    for (size_t i = 0; i < self->due.count; i++) {
        const char *due = split (self->due.at[i], "due", id);
        check_date (due, strlen (due), "due");
        json_object_set_new (item_of (list, id), "due", json_string (due));
    }
    return list;
}

static json_t *number (const char *text, size_t size, const char *word) {
    char copy[64], *end;
    if (size == 0 || size >= sizeof copy)
        options_refuse (usage, "--indicator '%s' has no value", word);
    memcpy (copy, text, size);
    copy[size] = '\0';
    double value = strtod (copy, &end);
    if (*end || !isfinite (value) || strspn (copy, "0123456789.eE+-") != size)
        options_refuse (usage, "--indicator '%s': '%s' is no number", word,
                        copy);
    return strspn (copy, "0123456789-") == size && fabs (value) < 9e15
               ? json_integer ((json_int_t) value)
               : json_real (value);
}

static json_t *indicators (const struct report *self) {
    char id[PLAN_PART_MAX + 1];
    json_t *list = json_array();
    for (size_t i = 0; i < self->indicators.count; i++) {
        const char *word = self->indicators.at[i];
        const char *value = split (word, "indicator", id);
        const char *at = strchr (value, '@');
        if (!at || !at[1])
            options_refuse (usage, "--indicator '%s' is not ID=VALUE@DATE",
                            word);
        check_date (at + 1, strlen (at + 1), "indicator");
        json_array_append_new (
            list, json_pack ("{ss so ss}", "id", id, "value",
                             number (value, (size_t) (at - value), word), "at",
                             at + 1));
    }
    return list;
}

static json_t *period (const struct report *self) {
    const char *dots = self->period ? strstr (self->period, "..") : NULL;
    if (!dots)
        options_refuse (
            usage, self->period ? "--period is FROM..TO, such as "
                                  "2026-01..2026-06"
                                : "--period is missing: of what time is it?");
    size_t size = (size_t) (dots - self->period);
    check_date (self->period, size, "period");
    check_date (dots + 2, strlen (dots + 2), "period");
    return json_pack ("{ss% ss}", "from", self->period, size, "to", dots + 2);
}

static json_t *content_of (const struct report *self, const char *plan,
                           const char *action) {
    enum action_status status;
    json_t *done = milestones (self), *values = indicators (self);
    if (self->status
        && !action_status_read (slice_text (self->status), &status))
        options_refuse (usage,
                        "--status '%s' is not planned, active, delayed, "
                        "suspended, done or cancelled",
                        self->status);
    if (!self->status && !self->text && json_array_size (done) == 0
        && json_array_size (values) == 0)
        options_refuse (usage,
                        "what is there to report? --status, --milestone, "
                        "--indicator or --text");
    json_t *content = json_pack ("{si ss ss so}", "format", 1, "report", plan,
                                 "action", action, "period", period (self));
    if (self->status)
        json_object_set_new (content, "status", json_string (self->status));
    if (self->text)
        json_object_set_new (content, "text", json_string (self->text));
    if (json_array_size (done) > 0)
        json_object_set (content, "milestones", done);
    if (json_array_size (values) > 0)
        json_object_set (content, "indicators", values);
    json_decref (done);
    json_decref (values);
    return content;
}

/* That the action came by, the plan's or an annex's: who reads the report can
 * read the action. */
static const char *channel_of (json_t *known, const char *action) {
    json_t *one;
    size_t i;
    json_array_foreach (json_at (known, "plan", "actions", NULL), i, one) {
        char pointer[32];
        snprintf (pointer, sizeof pointer, "/actions/%zu", i);
        if (strcmp (json_text_or (one, "id", ""), action) == 0)
            return json_text (json_object_get (known, "audience"), pointer);
    }
    return plan_home (known);
}

static int report (const struct cli *cli, struct report *self, const char *plan,
                   json_t *content) {
    struct error e;
    json_t *known = NULL;
    struct client *client = client_new (cli, &e);
    enum err rc = client ? plan_get (client, plan, &known, &e) : e.code;
    const char *action = json_text_or (content, "action", "");
    const char *channel =
        self->channel ? self->channel : channel_of (known, action);
    const char *entity = json_text (json_object_get (known, "plan"), "entity");
    int code;
    if (rc)
        code = cli_fail (&e);
    else if (!channel || !entity)
        code = cli_refuse (CLI_REFUSED, "%s is withdrawn, or not here", plan);
    else {
        struct buf place = { 0 };
        buf_add_format (&place, "report/%s/%s", entity, plan);
        char *rest = buf_take_text (&place);
        code = publishing_send_on (cli, client, &self->publishing,
                                   json_incref (content), channel, rest);
        free (rest);
    }
    json_decref (known);
    client_destroy (&client);
    return code;
}

int command_plan_report (struct cli *cli, int argc, char **argv) {
    static struct report self;
    static struct words words;
    const struct option_spec specs[] = {
        { "period", OPTION_TEXT, &self.period },
        { "status", OPTION_TEXT, &self.status },
        { "text", OPTION_TEXT, &self.text },
        { "channel", OPTION_TEXT, &self.channel },
        { "milestone", OPTION_EACH, &self.milestones },
        { "due", OPTION_EACH, &self.due },
        { "indicator", OPTION_EACH, &self.indicators },
        PUBLISHING_OPTIONS (self.publishing),
        { 0 }
    };
    char plan[PLAN_ID_MAX + 1];
    const char *action;
    options_read (cli, argc, argv, usage, specs, &words, 1, 1);
    publishing_check (&self.publishing, usage);
    if (!plan_ref_split (words.at[0], plan, &action))
        options_refuse (usage,
                        "'%s' is not PLAN#ACTION, such as "
                        "EUROPOL-empact-2026-2029#E1",
                        words.at[0]);
    json_t *content = content_of (&self, plan, action);
    int code = report (cli, &self, plan, content);
    json_decref (content);
    return code;
}
