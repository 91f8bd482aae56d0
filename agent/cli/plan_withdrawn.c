/* plan_withdrawn - who was asked to hide a plan, and who has. */
#include "plan_show.h"

#include "plan_words.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static void print_head (json_t *withdrawn) {
    struct buf line = { 0 };
    const char *reason = json_text_or (withdrawn, "reason", "");
    buf_add_format (&line, "withdrawn by %s, record %" PRId64 ", ",
                    json_text_or (withdrawn, "author", "?"),
                    json_int (withdrawn, "sequence", -1));
    json_moment (&line, json_text (withdrawn, "log_time"));
    buf_add_format (&line, ", channel %s%s%s",
                    json_text_or (withdrawn, "channel", "?"),
                    *reason ? ": " : "", reason);
    char *text = buf_take_text (&line);
    words_print (stdout, 0, text);
    free (text);
}

static void add_hidden (struct table *table, json_t *hidden) {
    json_t *one;
    size_t i;
    json_array_foreach (hidden, i, one) {
        struct buf when = { 0 };
        json_moment (&when, json_text (one, "log_time"));
        table_cell (table, json_text (one, "delegation"));
        table_format (table, "yes, %.*s, record %" PRId64, (int) when.size,
                      (const char *) when.data, json_int (one, "sequence", -1));
        buf_free (&when);
    }
}

static void add_names (struct table *table, json_t *names, const char *what) {
    json_t *one;
    size_t i;
    json_array_foreach (names, i, one) {
        table_cell (table, json_string_value (one));
        table_cell (table, what);
    }
}

void plan_withdrawn_print (json_t *withdrawn) {
    static const char *const heads[] = { "READER", "HAS HIDDEN IT", NULL };
    json_t *hidden = json_object_get (withdrawn, "hidden");
    json_t *waiting = json_object_get (withdrawn, "waiting");
    json_t *mute = json_object_get (withdrawn, "cannot_answer");
    struct table *table = table_new (heads);
    print_head (withdrawn);
    add_names (table, waiting, "has not said so yet");
    add_names (table, mute, "can't say: may not write where we would read it");
    add_hidden (table, hidden);
    words_format (stdout, 0,
                  "%zu of %zu other readers' agents have said that they hid it",
                  json_array_size (hidden),
                  json_array_size (hidden) + json_array_size (waiting)
                      + json_array_size (mute));
    if (!table_is_empty (table)) {
        putchar ('\n');
        table_print (table, stdout);
    }
    table_destroy (&table);
}
