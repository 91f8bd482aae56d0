/* overlap_print - overlaps for people. */
#include "overlap_print.h"

#include "plan_words.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static void add_row (struct table *table, const char *left, const char *right) {
    table_cell (table, left);
    table_cell (table, right);
}

/* "EUROPOL-empact-2026-2029#E1  Title (active, 2026 to 2029)". The channel
 * stands there where the two sides came by different ones. */
static void add_side (struct table *table, json_t *side, json_t *other) {
    struct buf line = { 0 };
    const char *from = json_text_or (side, "from", "");
    const char *to = json_text (side, "to");
    const char *audience = json_text_or (side, "audience", "");
    buf_add_format (&line, "%s  %s (%s%s%s", json_text_or (side, "ref", "?"),
                    json_text_or (side, "title", ""),
                    json_text_or (side, "status", "?"), *from ? ", " : "",
                    from);
    if (*from && !to)
        buf_add_text (&line, " on");
    else if (to && strcmp (from, to) != 0)
        buf_add_format (&line, " to %s", to);
    const char *beside = json_text_or (other, "audience", "");
    if (*audience && *beside && strcmp (audience, beside) != 0)
        buf_add_format (&line, "; channel %s", audience);
    buf_add_text (&line, ")");
    table_cell (table, "");
    table_slice (table, buf_slice (&line));
    buf_free (&line);
}

static void add_statement (struct table *table, json_t *one) {
    struct buf line = { 0 };
    const char *reason = json_text_or (one, "reason", "");
    buf_add_format (
        &line, "%s says: %s%s%s%s%s", json_text_or (one, "entity", "?"),
        json_text_or (one, "says", "?"), *reason ? ", " : "", reason,
        json_is_true (json_object_get (one, "own")) ? " (for the own body)"
                                                    : "",
        json_is_true (json_object_get (one, "stands"))
            ? ""
            : " (of an earlier revision: no longer stands)");
    table_cell (table, "");
    table_slice (table, buf_slice (&line));
    buf_free (&line);
}

static void add_overlap (struct table *table, json_t *one, int64_t number) {
    const char *state = json_text_or (one, "state", "");
    json_t *statement;
    size_t i;
    char head[64], numbered[24];
    snprintf (head, sizeof head, "%s%s%s%s", json_text_or (one, "class", "?"),
              *state ? ", " : "", state,
              json_is_true (json_object_get (one, "broad")) ? ", broad" : "");
    snprintf (numbered, sizeof numbered, "%" PRId64, number);
    table_cell (table, numbered);
    table_format (
        table, "%s%s%s", head,
        json_is_true (json_object_get (one, "draft")) ? ", if agreed" : "",
        json_is_true (json_object_get (one, "folded")) ? ", folded away" : "");
    add_side (table, json_object_get (one, "a"), json_object_get (one, "b"));
    add_side (table, json_object_get (one, "b"), json_object_get (one, "a"));
    add_row (table, "", json_text (one, "why"));
    json_array_foreach (json_object_get (one, "statements"), i, statement)
        add_statement (table, statement);
}

void overlaps_print (json_t *overlaps, int64_t first, FILE *out) {
    static const char *const heads[] = { "", "", NULL };
    json_t *one;
    size_t i;
    struct table *table = table_new (heads);
    json_array_foreach (overlaps, i, one) {
        add_row (table, "", "");
        add_overlap (table, one, first + (int64_t) i);
    }
    if (!table_is_empty (table))
        table_print (table, out);
    table_destroy (&table);
}

static void add_count (struct table *table, json_t *counts, const char *class) {
    json_t *one = json_object_get (counts, class);
    int64_t broad = json_int (one, "broad", 0);
    int64_t count = json_int (one, "narrow", 0) + broad;
    if (count == 0)
        table_cell (table, "");
    else if (broad == 0)
        table_format (table, "%" PRId64, count);
    else
        table_format (table, "%" PRId64 " (%" PRId64 " broad)", count, broad);
}

void overlap_pairs_print (json_t *pairs, size_t most, FILE *out) {
    static const char *const heads[] = { "BETWEEN", "POSSIBLE", "CLAIMED",
                                         "JOINT",   "SAME",     NULL };
    json_t *one;
    size_t i, size = json_array_size (pairs);
    struct table *table = table_new (heads);
    json_array_foreach (pairs, i, one) {
        json_t *counts = json_object_get (one, "counts");
        if (i == most)
            break;
        table_format (table, "%s, %s", json_text_or (one, "a", "?"),
                      json_text_or (one, "b", "?"));
        add_count (table, counts, "possible");
        add_count (table, counts, "claimed");
        add_count (table, counts, "joint");
        add_count (table, counts, "same");
    }
    if (!table_is_empty (table))
        table_print (table, out);
    if (size > most)
        fprintf (out, "and %zu more pairs of bodies\n", size - most);
    table_destroy (&table);
}
