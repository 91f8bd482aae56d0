/* plan_judge - what the C code finds in documents, for tests that compare it
 * with the JSON Schemas (tests/system/test_0800_plan_schema.py).
 *
 * A line of standard input is a topic, a tab and a document; a line of output
 * {"ok": ..., "newer": ..., "count": N, "faults": [{"pointer", "text"}, ...]}.
 */
#include "plans/contents.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *judge (const char *topic, json_t *document,
                      const struct taxonomy *taxonomy) {
    struct faults faults = { 0 };
    struct content_place place;
    struct content *content = NULL;
    bool newer = false;
    if (content_place_read (slice_text (topic), NULL, &place, &faults))
        content = content_read (&place, document, taxonomy, &faults, &newer);
    json_t *out = json_pack ("{sb sb sI so}", "ok", content != NULL, "newer",
                             newer, "count", (json_int_t) faults.count,
                             "faults", faults_json (&faults));
    content_free (&content);
    faults_clear (&faults);
    return out;
}

static void judge_line (char *line, const struct taxonomy *taxonomy) {
    char *tab = strchr (line, '\t');
    json_error_t error;
    if (!tab) {
        puts ("{\"why\": \"no tab\"}");
        return;
    }
    *tab = '\0';
    json_t *document = json_loads (
        tab + 1, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
        &error);
    json_t *out = document ? judge (line, document, taxonomy)
                           : json_pack ("{ss}", "why", error.text);
    json_dumpf (out, stdout, JSON_COMPACT);
    putchar ('\n');
    json_decref (out);
    json_decref (document);
}

int main (void) {
    struct taxonomy *taxonomy = taxonomy_base();
    char *line = NULL;
    size_t room = 0;
    while (getline (&line, &room, stdin) >= 0)
        judge_line (line, taxonomy);
    free (line);
    taxonomy_unref (&taxonomy);
    return 0;
}
