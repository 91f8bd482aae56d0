/* Manifests, withdrawals and references to files. Input: a topic, a newline,
 * JSON. */
#include "plans/shape.h"
#include "threads/files.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void must (bool true_always) {
    if (!true_always)
        abort();
}

static void check_manifest (const struct file_place *place,
                            const struct file_manifest *manifest) {
    char id[FILE_ID_SIZE + 1];
    int64_t sum = 0;
    must (strcmp (place->id, manifest->id) == 0);
    if (manifest->withdraw)
        return;
    must (file_name_valid (slice_text (manifest->name)));
    must (manifest->part_count >= 1 && manifest->part_count <= FILE_PARTS_MAX);
    for (size_t i = 0; i < manifest->part_count; i++)
        sum += manifest->parts[i].size;
    must (sum == manifest->size && sum <= FILE_SIZE_MAX);
    file_id_of (id, &manifest->sha256);
    must (strcmp (place->id, id) == 0);
    char *safe = file_name_safe (manifest->name);
    must (*safe && !strchr (safe, '/') && *safe != '.' && *safe != '-');
    must (file_name_valid (slice_text (safe))
          || safe[strlen (safe) - 1] == ' ');
    free (safe);
}

static void check_ref (const json_t *body) {
    struct faults faults = { 0 };
    struct check check = { .faults = &faults };
    struct file_ref ref;
    shape_check (&check, body, &shape_file_ref);
    file_ref_check (&check, body);
    if (faults.count == 0) {
        file_ref_read (body, &ref);
        must (file_id_valid (slice_text (ref.id)) && ref.size > 0);
    }
    faults_clear (&faults);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    const uint8_t *line = size ? memchr (data, '\n', size) : NULL;
    if (!line)
        return 0;
    struct slice topic = slice_of (data, (size_t) (line - data));
    struct faults faults = { 0 };
    struct file_place place;
    bool newer = false;
    json_t *body = json_loadb (
        (const char *) line + 1, size - topic.size - 1,
        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!file_place_read (topic, NULL, &place, &faults))
        must (faults.count == 1);
    else if (body) {
        struct file_manifest *manifest =
            file_manifest_read (&place, body, &faults, &newer);
        must (!manifest == (faults.count > 0 || newer));
        if (manifest)
            check_manifest (&place, manifest);
        file_manifest_free (&manifest);
    }
    if (body)
        check_ref (body);
    json_decref (body);
    faults_clear (&faults);
    return 0;
}
