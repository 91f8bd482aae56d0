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

static void add_field (struct buf *out, const char *text) {
    char shown[512];
    text_printable (shown, sizeof shown, text, strlen (text));
    buf_add_format (out, "  %s", shown);
}

void record_print_line (const struct cli *cli, json_t *record) {
    if (cli->json) {
        cli_print_json (json_incref (record));
        return;
    }
    struct buf line = { 0 }, content = { 0 };
    char shown[SHOWN_MAX];
    const char *topic = json_text (record, "topic");
    buf_add_format (&line, "%" PRId64, json_int (record, "sequence", -1));
    add_field (&line, json_text_or (record, "time", "?"));
    add_field (&line, json_text_or (record, "author", "-"));
    add_field (&line, topic ? topic : json_text_or (record, "channel", "?"));
    if (!topic)
        add_field (&line, json_text_or (record, "type", "?"));
    add_content (&content, record);
    if (content.size > 0) {
        text_printable (shown, sizeof shown, content.data, content.size);
        add_field (&line, shown);
    }
    if (json_text (record, "problem"))
        add_field (&line, json_text (record, "problem"));
    char *text = buf_take_text (&line);
    puts (text);
    fflush (stdout);
    free (text);
    buf_free (&content);
}

static void print_fields (json_t *record) {
    static const char *const heads[] = { "", "", NULL };
    const char *name;
    json_t *value;
    struct table *table = table_new (heads);
    json_object_foreach (record, name, value) {
        struct buf text = { 0 };
        if (strcmp (name, "content") == 0 || strcmp (name, "promise") == 0
            || strcmp (name, "record_octets") == 0 || json_is_null (value))
            continue;
        if (json_is_array (value))
            json_join (&text, value);
        else
            json_line (&text, value);
        table_cell (table, name);
        table_slice (table, buf_slice (&text));
        buf_free (&text);
    }
    table_cell (table, "promise");
    table_cell (table, json_is_object (json_object_get (record, "promise"))
                           ? "held, signed by the desk"
                           : "none held");
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
