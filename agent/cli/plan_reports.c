/* plan_reports - what bodies last said of a plan's actions. */
#include "plan_show.h"

#include "plan_words.h"
#include "table.h"

#include <inttypes.h>

static void add_milestones (struct buf *out, json_t *report) {
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (report, "milestones"), i, one) {
        const char *done = json_text (one, "done");
        const char *due = json_text (one, "due");
        buf_add_format (out, "; milestone %s", json_text_or (one, "id", "?"));
        if (done)
            buf_add_format (out, " done %s", done);
        else if (json_is_null (json_object_get (one, "done")))
            buf_add_text (out, " not done");
        if (due)
            buf_add_format (out, " expected %s", due);
    }
}

static void add_indicators (struct buf *out, json_t *report) {
    json_t *one;
    size_t i;
    json_array_foreach (json_object_get (report, "indicators"), i, one)
        buf_add_format (out, "; indicator %s %.15g in %s",
                        json_text_or (one, "id", "?"),
                        json_number_value (json_object_get (one, "value")),
                        json_text_or (one, "at", "?"));
}

/* "delayed; milestone M1 done 2026-03-01. Text." */
static void add_said (struct table *table, json_t *report) {
    struct buf parts = { 0 }, line = { 0 };
    const char *status = json_text (report, "status");
    const char *text = plan_text (json_object_get (report, "text"));
    if (status)
        buf_add_format (&parts, "; %s", status);
    add_milestones (&parts, report);
    add_indicators (&parts, report);
    if (parts.size > 2)
        buf_add (&line, parts.data + 2, parts.size - 2);
    if (*text)
        buf_add_format (&line, "%s%s", line.size > 0 ? ": " : "", text);
    table_slice (table, buf_slice (&line));
    buf_free (&line);
    buf_free (&parts);
}

static void add_report (struct table *table, const char *action,
                        json_t *report) {
    json_t *period = json_object_get (report, "period");
    if (!json_is_true (json_object_get (report, "counts"))
        || !json_is_true (json_object_get (report, "latest")))
        return;
    table_cell (table, action);
    table_cell (table, json_text (report, "entity"));
    table_format (table, "%s to %s", json_text_or (period, "from", "?"),
                  json_text_or (period, "to", "?"));
    table_int (table, json_int (report, "sequence", -1));
    add_said (table, report);
}

void plan_reports_print (json_t *answer) {
    static const char *const heads[] = { "REPORTED", "BY",   "PERIOD",
                                         "RECORD",   "WHAT", NULL };
    struct table *table = table_new (heads);
    json_t *action, *report;
    size_t i, n;
    json_array_foreach (json_object_get (answer, "actions"), i, action)
        json_array_foreach (json_object_get (action, "reports"), n, report)
            add_report (table, json_text_or (action, "action", "?"), report);
    if (!table_is_empty (table)) {
        putchar ('\n');
        table_print (table, stdout);
    }
    table_destroy (&table);
}
