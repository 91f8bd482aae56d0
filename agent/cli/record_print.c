/* record_print - records for people. */
#include "record_print.h"

#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

#define SHOWN_MAX 100 /* octets of a line's content */

/* What a line says of the content. */
static void add_content (struct buf *out, json_t *record) {
    json_t *content = json_object_get (record, "content");
    const char *body = json_text_or (record, "body", "?");
    const char *format = json_text_or (record, "format", "");
    if (strcmp (body, "none") == 0)
        return;
    if (strcmp (body, "present") != 0)
        buf_add_format (out, "(%s)", body);
    else if (json_is_object (content) && json_text (content, "title"))
        json_line (out, json_object_get (content, "title"));
    else if (strcmp (format, "json") == 0 || strcmp (format, "text") == 0)
        json_line (out, content);
    else
        buf_add_format (out, "(%s, %" PRId64 " octets)", format,
                        json_int (record, "octets", 0));
}

/* On one line: the lines of a text as its words. */
static char *shown_content (json_t *record) {
    struct buf content = { 0 };
    char shown[SHOWN_MAX];
    add_content (&content, record);
    while (content.size > 0 && content.data[content.size - 1] == '\n')
        content.size--;
    for (size_t i = 0; i < content.size; i++)
        if (content.data[i] == '\n')
            content.data[i] = ' ';
    text_printable (shown, sizeof shown, content.data, content.size);
    buf_free (&content);
    return mem_copy_text (shown);
}

static char *shown_text (const char *text) {
    char shown[512];
    text_printable (shown, sizeof shown, text, strlen (text));
    return mem_copy_text (shown);
}

void record_print_line (const struct cli *cli, json_t *record) {
    if (cli->json) {
        cli_print_json (json_incref (record));
        return;
    }
    char sequence[24], *fields[8] = { 0 };
    size_t count = 0;
    const char *topic = json_text (record, "topic");
    snprintf (sequence, sizeof sequence, "%" PRId64,
              json_int (record, "sequence", -1));
    fields[count++] = shown_text (sequence);
    fields[count++] = shown_text (json_text_or (record, "time", "?"));
    fields[count++] = shown_text (json_text_or (record, "author", "-"));
    fields[count++] =
        shown_text (topic ? topic : json_text_or (record, "channel", "?"));
    if (!topic)
        fields[count++] = shown_text (json_text_or (record, "type", "?"));
    char *content = shown_content (record);
    if (content[0])
        fields[count++] = content;
    else
        free (content);
    if (json_text (record, "problem"))
        fields[count++] = shown_text (json_text (record, "problem"));
    fields_print ((const char *const *) fields, count, stdout);
    fflush (stdout);
    for (size_t i = 0; i < count; i++)
        free (fields[i]);
}

/* For people, and in this order; what is not listed stands behind, under the
 * API's name. */
static const struct {
    const char *name, *said;
} record_fields[] = {
    { "sequence", "record" },
    { "time", "time" },
    { "author", "author" },
    { "topic", "topic" },
    { "id", "id" },
    { "references", "refers to" },
    { "author_time", "written" },
    { "type", "type" },
    { "channel", "channel" },
    { "channel_sequence", "number there" },
    { "format", "format" },
    { "octets", "octets" },
    { "body", "content" },
    { "verified", "verified" },
};
#define RECORD_FIELDS (sizeof record_fields / sizeof *record_fields)

static bool has_own_name (const char *name) {
    static const char *const elsewhere[] = { "content",       "promise",
                                             "settled",       "acks",
                                             "record_octets", NULL };
    for (size_t i = 0; i < RECORD_FIELDS; i++)
        if (strcmp (name, record_fields[i].name) == 0)
            return true;
    for (size_t i = 0; elsewhere[i]; i++)
        if (strcmp (name, elsewhere[i]) == 0)
            return true;
    return false;
}

/* What is null or empty says nothing. */
static void add_row (struct table *table, const char *name, json_t *value) {
    struct buf text = { 0 };
    if (json_is_array (value))
        json_join (&text, value);
    else if (json_is_boolean (value))
        buf_add_text (&text, json_is_true (value) ? "yes" : "no");
    else
        json_line (&text, value);
    if (text.size > 0) {
        table_cell (table, name);
        table_slice (table, buf_slice (&text));
    }
    buf_free (&text);
}

static void add_promise (struct table *table, json_t *record) {
    if (!json_text (record, "topic"))
        return; /* promises are of messages */
    table_cell (table, "promise");
    table_cell (table, json_is_object (json_object_get (record, "promise"))
                           ? "held, signed by the broker's desk"
                           : "none held");
}

/* By whom, and when: "5 Nov 2026 12:00 UTC, by 2 of 3 witnesses: ...". */
static void add_settled (struct table *table, json_t *record) {
    json_t *settled = json_object_get (record, "settled"), *one;
    struct buf text = { 0 };
    size_t i;
    if (!settled) /* as others than /records/{key} have it */
        return;
    table_cell (table, "settled");
    if (!json_is_object (settled)) {
        table_cell (table, "not yet, as far as this agent knows");
        return;
    }
    json_moment (&text, json_text (settled, "time"));
    if (json_int (settled, "quorum", 0) == 0)
        buf_add_text (&text, ", by the broker's word alone: no witness is "
                             "needed");
    json_t *cosigned = json_object_get (settled, "cosigned");
    if (json_array_size (cosigned) > 0)
        buf_add_format (&text, ", by %zu of %" PRId64 " witnesses: ",
                        json_array_size (cosigned),
                        json_int (settled, "witnesses", 0));
    json_array_foreach (cosigned, i, one) buf_add_format (
        &text, "%s%s", i > 0 ? ", " : "", json_text_or (one, "witness", "?"));
    buf_add_format (&text, " (checkpoint of %" PRId64 " records)",
                    json_int (settled, "size", 0));
    table_slice (table, buf_slice (&text));
    buf_free (&text);
}

/* Those whose bodies let their agents say so. */
static void add_acks (struct table *table, json_t *record) {
    static const struct {
        const char *name, *said;
    } rows[] = { { "verified", "verified by" }, { "seen", "seen by" } };
    json_t *acks = json_object_get (record, "acks");
    for (size_t i = 0; i < 2; i++)
        add_row (table, rows[i].said, json_object_get (acks, rows[i].name));
}

static void print_fields (json_t *record) {
    static const char *const heads[] = { "", "", NULL };
    const char *name;
    json_t *value, *content = json_object_get (record, "content");
    struct table *table = table_new (heads);
    for (size_t i = 0; i < RECORD_FIELDS; i++) {
        add_row (table, record_fields[i].said,
                 json_object_get (record, record_fields[i].name));
        if (strcmp (record_fields[i].name, "topic") == 0)
            add_row (table, "title", json_object_get (content, "title"));
    }
    add_promise (table, record);
    add_settled (table, record);
    add_acks (table, record);
    json_object_foreach (record, name, value) if (!has_own_name (name))
        add_row (table, name, value);
    table_print (table, stdout);
    table_destroy (&table);
}

static void print_content (json_t *record) {
    json_t *content = json_object_get (record, "content");
    const char *format = json_text_or (record, "format", "");
    if (!content || json_is_null (content))
        return;
    if (strcmp (format, "octets") == 0) {
        puts ("\n(octets: --json gives them in base64)");
        return;
    }
    putchar ('\n');
    if (json_is_string (content)) {
        print_text (stdout, json_string_value (content),
                    json_string_length (content));
        return;
    }
    char *text = json_dumps (content, JSON_INDENT (2) | JSON_ENCODE_ANY);
    if (text)
        print_text (stdout, text, strlen (text));
    free (text);
}

void record_print_whole (json_t *record) {
    print_fields (record);
    print_content (record);
}
