/* Topics and bodies of the other kinds. Input: a topic, a newline, JSON. */
#include "plans/contents.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void check_place (struct slice topic,
                         const struct content_place *place) {
    must (place->kind != CONTENT_NONE);
    must (content_kind (topic) == place->kind);
    must (slice_is (topic_channel (topic), place->channel));
    if (place->plan[0])
        must (strncmp (place->plan, place->entity, strlen (place->entity))
              == 0);
}

static void check_content (const struct content *content) {
    if (content->kind == CONTENT_REPORT) {
        must (content->report.to.last >= content->report.from.first);
        must (content->report.milestone_count <= 64);
    } else if (content->kind == CONTENT_OVERLAP)
        must (strcmp (content->statement.a, content->statement.b) < 0);
    else if (content->kind == CONTENT_PLAN)
        must (content->is_withdrawal || content->plan);
    else if (content->kind == CONTENT_ANNEX)
        must (*content->annex.id);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    static struct taxonomy *taxonomy;
    if (!taxonomy)
        taxonomy = taxonomy_base();
    const uint8_t *line = size ? memchr (data, '\n', size) : NULL;
    if (!line)
        return 0;
    struct slice topic = slice_of (data, (size_t) (line - data));
    struct faults faults = { 0 };
    struct content_place place;
    bool newer = false;
    if (content_place_read (topic, NULL, &place, &faults)) {
        check_place (topic, &place);
        json_t *body = json_loadb (
            (const char *) line + 1, size - topic.size - 1,
            JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        struct content *content =
            body ? content_read (&place, body, taxonomy, &faults, &newer)
                 : NULL;
        must (!body || !content == (faults.count > 0 || newer));
        if (content)
            check_content (content);
        content_free (&content);
        json_decref (body);
    } else
        must (faults.count == 1);
    faults_clear (&faults);
    return 0;
}
