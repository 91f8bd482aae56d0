/* cycle_print - rows of a report as tables. */
#include "cycle_print.h"

#include "overlap_print.h"
#include "plan_words.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static bool is_row (json_t *row, const char *kind) {
    return strcmp (json_text_or (row, "row", ""), kind) == 0;
}

/* "5 plans from 2026-01-01 to 2026-06-30, as of record 37, 24 Nov 2026 20:08
 * UTC", and how it ends. */
static void print_head (json_t *answer, int64_t count, const char *one,
                        const char *many, const char *end) {
    json_t *mark = json_object_get (answer, "mark");
    struct buf line = { 0 };
    int64_t sequence = json_int (mark, "sequence", -1);
    words_count (&line, count, one, many);
    buf_add_format (&line, " from %s to %s", json_text_or (answer, "from", "?"),
                    json_text_or (answer, "to", "?"));
    if (sequence >= 0) { /* none before the first mark */
        buf_add_format (&line, ", as of record %" PRId64 ", ", sequence);
        json_moment (&line, json_text (mark, "time"));
    }
    buf_add_text (&line, end);
    char *text = buf_take_text (&line);
    words_print (stdout, 0, text);
    free (text);
}

/* The plans: nothing stands where there is none, so that what is late shows. */
static void add_plan (struct table *table, json_t *row) {
    int64_t done = json_int (row, "milestones_done", 0);
    int64_t late = json_int (row, "milestones_overdue", 0);
    int64_t steps = done + late + json_int (row, "milestones_due", 0);
    int64_t missing = json_int (row, "reports_missing", 0);
    late += json_int (row, "actions_overdue", 0);
    table_cell (table, json_text (row, "plan"));
    table_int (table, json_int (row, "actions", 0));
    if (steps > 0)
        table_format (table, "%" PRId64 "/%" PRId64, done, steps);
    else
        table_cell (table, "");
    if (late > 0)
        table_int (table, late);
    else
        table_cell (table, "");
    if (missing > 0)
        table_format (table, "%" PRId64 ", %" PRId64 " missing",
                      json_int (row, "reports_received", 0), missing);
    else
        table_format (table, "%" PRId64, json_int (row, "reports_received", 0));
}

static void print_plans (json_t *rows) {
    static const char *const heads[] = { "PLAN", "ACTIONS", "STEPS",
                                         "LATE", "REPORTS", NULL };
    struct table *table = table_new (heads);
    json_t *row;
    size_t i;
    json_array_foreach (rows, i, row) if (is_row (row, "plan"))
        add_plan (table, row);
    table_print (table, stdout);
    table_destroy (&table);
}

/* One plan. */

/* A number or text of the agent's; "" where there is none. */
static void add_value (struct buf *out, const char *before, json_t *row,
                       const char *name, const char *behind) {
    struct buf text = { 0 };
    json_t *value = json_object_get (row, name);
    if (json_is_number (value))
        buf_add_format (&text, "%.15g", json_number_value (value));
    else
        json_line (&text, value);
    if (text.size > 0) {
        buf_add_text (out, before);
        buf_add_slice (out, buf_slice (&text));
        buf_add_text (out, behind);
    }
    buf_free (&text);
}

static void action_words (struct buf *out, json_t *row) {
    const char *own = json_text_or (row, "status", "?");
    const char *said = json_text_or (row, "reported", "");
    buf_add_text (out, own);
    if (*said && strcmp (said, own) != 0)
        buf_add_format (out, "; reported %s by %s", said,
                        json_text_or (row, "by", "?"));
    add_value (out, "; ", row, "state", "");
}

static void milestone_words (struct buf *out, json_t *row) {
    const char *state = json_text_or (row, "state", "?");
    if (strcmp (state, "done") == 0) {
        add_value (out, "done ", row, "done", "");
        add_value (out, ", said by ", row, "by", "");
    } else {
        add_value (out, "due ", row, "due", "");
        if (strcmp (state, "due") != 0)
            buf_add_format (out, "; %s", state);
    }
}

static void indicator_words (struct buf *out, json_t *row) {
    const char *unit = json_text_or (row, "unit", "");
    add_value (out, "", row, "value", "");
    add_value (out, " in ", row, "value_at", "");
    add_value (out, " by ", row, "by", "");
    add_value (out, out->size > 0 ? "; target " : "target ", row, "target", "");
    add_value (out, " for ", row, "target_at", "");
    add_value (out, out->size > 0 ? "; " : "", row, "state", "");
    if (*unit)
        buf_add_format (out, " (%s)", unit);
}

static bool is_missing (json_t *row) {
    return is_row (row, "report")
           && strcmp (json_text_or (row, "state", ""), "missing") == 0;
}

static void report_words (struct buf *out, json_t *row) {
    add_value (out, "", row, "reported", " ");
    buf_add_format (out, "by %s, ", json_text_or (row, "by", "?"));
    add_value (out, "", row, "from", "");
    add_value (out, " to ", row, "to", "");
    add_value (out, ", record ", row, "record", "");
}

static const struct {
    const char *row, *name;
    void (*words) (struct buf *out, json_t *row);
} parts[] = { { "action", NULL, action_words },
              { "milestone", "milestone", milestone_words },
              { "indicator", "indicator", indicator_words },
              { "report", "report", report_words } };

/* Of the action at rows[at] no report came that should have: who owes it. */
static const char *debtor_of (json_t *rows, size_t at) {
    json_t *row;
    while ((row = json_array_get (rows, ++at)) && !is_row (row, "action")
           && !is_row (row, "plan"))
        if (is_missing (row))
            return json_text_or (row, "by", "?");
    return NULL;
}

/* "A2", or below it "  milestone M1". */
static void add_part (struct table *table, json_t *rows, size_t at) {
    json_t *row = json_array_get (rows, at);
    const char *id = json_text_or (row, "id", "");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!is_row (row, parts[i].row) || is_missing (row))
            continue;
        struct buf words = { 0 };
        parts[i].words (&words, row);
        const char *debtor = parts[i].name ? NULL : debtor_of (rows, at);
        if (debtor)
            buf_add_format (&words, "; no report by %s", debtor);
        if (parts[i].name)
            table_format (table, "  %s%s%s", parts[i].name, *id ? " " : "", id);
        else
            table_cell (table, id);
        table_slice (table, buf_slice (&words));
        table_cell (table, json_text (row, "title"));
        buf_free (&words);
    }
}

/* The plan's row at `first`, and what is of it: the index behind. */
static size_t print_plan (json_t *rows, size_t first) {
    static const char *const heads[] = { "", "", "", NULL };
    json_t *plan = json_array_get (rows, first), *row;
    struct table *table = table_new (heads);
    size_t at = first + 1;
    for (; (row = json_array_get (rows, at)) && !is_row (row, "plan"); at++)
        add_part (table, rows, at);
    putchar ('\n');
    words_format (
        stdout, 0, "%s  %s (%s, revision %" PRId64 ", record %" PRId64 ")",
        json_text_or (plan, "plan", "?"), json_text_or (plan, "title", ""),
        json_text_or (plan, "handling", "?"), json_int (plan, "revision", 0),
        json_int (plan, "record", -1));
    table_print (table, stdout);
    table_destroy (&table);
    return at;
}

static int64_t plans_in (json_t *rows) {
    int64_t count = 0;
    json_t *row;
    size_t i;
    json_array_foreach (rows, i, row) count += is_row (row, "plan");
    return count;
}

void cycle_print (json_t *answer, bool brief) {
    json_t *rows = json_object_get (answer, "rows");
    size_t count = json_array_size (rows);
    print_head (answer, plans_in (rows), "plan", "plans", ".");
    if (count == 0)
        return;
    putchar ('\n');
    print_plans (rows);
    for (size_t i = 0; i < count && !brief;)
        i = print_plan (rows, i);
}

/* Overlaps. */

/* {"same": {"narrow": 1, "broad": 0}}: one more. */
static void count_add (json_t *counts, json_t *row) {
    const char *class = json_text_or (row, "class", "?");
    const char *kind =
        json_is_true (json_object_get (row, "broad")) ? "broad" : "narrow";
    json_t *one = json_object_get (counts, class);
    if (!one) {
        one = json_object();
        json_object_set_new (counts, class, one);
    }
    json_object_set_new (one, kind, json_integer (json_int (one, kind, 0) + 1));
}

/* The pair of a row's bodies, the smaller name first. */
static json_t *pair_of (json_t *pairs, json_t *row) {
    const char *a = json_text_or (row, "a_entity", "?");
    const char *b = json_text_or (row, "b_entity", "?");
    const char *first = strcmp (a, b) < 0 ? a : b, *second = first == a ? b : a;
    json_t *one;
    size_t i;
    json_array_foreach (
        pairs, i, one) if (strcmp (json_text_or (one, "a", ""), first) == 0
                           && strcmp (json_text_or (one, "b", ""), second)
                                  == 0) return one;
    one = json_pack ("{ss ss s{}}", "a", first, "b", second, "counts");
    json_array_append_new (pairs, one);
    return one;
}

static json_t *side_of (json_t *row, const char *side) {
    static const char *const names[] = { "title", "status" };
    json_t *out = json_pack ("{ss}", "ref", json_text_or (row, side, "?"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[16];
        snprintf (name, sizeof name, "%s_%s", side, names[i]);
        json_object_set (out, names[i], json_object_get (row, name));
    }
    return out;
}

/* As GET /overlaps has them, but without the sides' days. */
static json_t *overlaps_of (json_t *rows) {
    static const char *const names[] = { "class", "broad", "why" };
    json_t *out = json_array(), *row;
    size_t i;
    json_array_foreach (rows, i, row) {
        json_t *one = json_object();
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            json_object_set (one, names[n], json_object_get (row, names[n]));
        json_object_set_new (one, "a", side_of (row, "a"));
        json_object_set_new (one, "b", side_of (row, "b"));
        json_array_append_new (out, one);
    }
    return out;
}

void cycle_overlaps_print (json_t *answer, bool brief) {
    json_t *rows = json_object_get (answer, "rows"), *row;
    json_t *counts = json_object(), *pairs = json_array();
    struct buf sum = { 0 };
    size_t i;
    json_array_foreach (rows, i, row) {
        count_add (counts, row);
        count_add (json_object_get (pair_of (pairs, row), "counts"), row);
    }
    if (json_array_size (rows) > 0) {
        buf_add_text (&sum, ": ");
        overlap_counts_words (&sum, counts);
    }
    buf_add_u8 (&sum, '.');
    char *end = buf_take_text (&sum);
    print_head (answer, (int64_t) json_array_size (rows), "overlap", "overlaps",
                end);
    free (end);
    if (json_array_size (pairs) > 0) {
        putchar ('\n');
        overlap_pairs_print (pairs, json_array_size (pairs), stdout);
    }
    if (!brief) {
        json_t *overlaps = overlaps_of (rows);
        overlaps_print (overlaps, 1, stdout);
        json_decref (overlaps);
    }
    json_decref (pairs);
    json_decref (counts);
}
