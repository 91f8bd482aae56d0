/* plan_words - sentences of plans. */
#include "plan_words.h"

#include "plans/plan.h"
#include "table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

void words_print (FILE *out, size_t indent, const char *text) {
    static const char *const one[] = { "", NULL }, *const two[] = { "", "",
                                                                    NULL };
    struct table *table = table_new (indent ? two : one);
    if (indent) {
        char blanks[16] = "";
        /* Two of them stand between the columns. */
        snprintf (blanks, sizeof blanks, "%*s",
                  (int) (indent > 2 ? indent - 2 : 0), "");
        table_cell (table, blanks);
    }
    table_cell (table, text);
    table_print (table, out);
    table_destroy (&table);
}

void words_format (FILE *out, size_t indent, const char *format, ...) {
    char text[TABLE_CELL_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    words_print (out, indent, text);
}

void words_count (struct buf *out, int64_t count, const char *one,
                  const char *many) {
    buf_add_format (out, "%" PRId64 " %s", count, count == 1 ? one : many);
}

int64_t overlap_counts_words (struct buf *out, json_t *counts) {
    static const char *const classes[] = { "possible", "claimed", "joint",
                                           "same" };
    int64_t all = 0;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        json_t *one = json_object_get (counts, classes[i]);
        int64_t broad = json_int (one, "broad", 0);
        int64_t count = json_int (one, "narrow", 0) + broad;
        if (count == 0)
            continue;
        buf_add_format (out, "%s%" PRId64 " %s", all ? ", " : "", count,
                        classes[i]);
        if (broad > 0)
            buf_add_format (out, " (%" PRId64 " broad)", broad);
        all += count;
    }
    if (all == 0)
        buf_add_text (out, "none");
    return all;
}

void changes_print (json_t *changes, FILE *out) {
    json_t *one;
    size_t i;
    json_array_foreach (changes, i, one)
        words_format (out, 2, "%s", json_text_or (one, "text", "?"));
}

const char *plan_text (json_t *value) {
    if (json_is_object (value))
        value = json_object_iter_value (json_object_iter (value));
    return json_is_string (value) ? json_string_value (value) : "";
}

bool plan_id_plain (const char *id) {
    size_t size = strlen (id);
    return size > 0 && size <= PLAN_ID_MAX
           && strspn (id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "abcdefghijklmnopqrstuvwxyz0123456789-._")
                  == size;
}

enum err plan_path (struct buf *path, const char *plan, const char *rest,
                    struct error *e) {
    if (!plan_id_plain (plan))
        return error_set (e, ERR_NOT_FOUND,
                          "'%s' is no id of a plan, such as EUROPOL-empact-"
                          "2026-2029; parley plan list has them",
                          plan);
    client_path (path, "/api/v1/plans/%s%s", plan, rest);
    return ERR_NONE;
}

enum err plan_get (struct client *client, const char *plan, json_t **out,
                   struct error *e) {
    struct buf path = { 0 };
    enum err rc = plan_path (&path, plan, "", e);
    if (!rc)
        rc = client_get (client, &path, 0, out, e);
    buf_free (&path);
    return rc;
}

const char *plan_home (json_t *answer) {
    return json_text (json_object_get (answer, "revision"), "channel");
}

bool plan_ref_split (const char *ref, char *plan, const char **part) {
    const char *hash = strchr (ref, '#');
    size_t size = hash ? (size_t) (hash - ref) : 0;
    if (size == 0 || size > PLAN_ID_MAX || !hash[1]
        || strlen (hash + 1) > PLAN_PART_MAX)
        return false;
    memcpy (plan, ref, size);
    plan[size] = '\0';
    *part = hash + 1;
    return true;
}

struct taxonomy *plan_taxonomy (const struct cli *cli) {
    struct buf path = { 0 };
    struct faults faults = { 0 };
    struct error e;
    struct taxonomy *taxonomy = NULL;
    json_t *answer = NULL;
    struct client *client =
        cli->socket && cli->socket[0] ? client_new (cli, &e) : NULL;
    client_path (&path, "/api/v1/taxonomy");
    if (client && !client_get (client, &path, 0, &answer, &e))
        taxonomy =
            taxonomy_read (json_object_get (answer, "taxonomy"), &faults);
    json_decref (answer);
    faults_clear (&faults);
    client_destroy (&client);
    buf_free (&path);
    return taxonomy ? taxonomy : taxonomy_base();
}
