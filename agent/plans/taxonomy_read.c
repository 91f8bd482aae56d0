/* taxonomy_read - a taxonomy from its file's JSON, strictly.
 *
 * Numbers follow the codes' octets, never the order in which they stand: two
 * agents that read the same codes give them the same numbers. */
#include "taxonomy_impl.h"

#include <stdlib.h>

const char *build_text (const json_t *value) {
    const char *text = json_string_value (value);
    return text && strlen (text) == json_string_length (value) ? text : NULL;
}

bool taxonomy_title_check (const json_t *value, const struct path *path,
                           struct faults *faults) {
    const char *text = build_text (value);
    if (text && *text && strlen (text) <= TITLE_MAX)
        return true;
    faults_add (faults, path->text, "is no text of 1 to %d octets", TITLE_MAX);
    return false;
}

const char *build_title (struct build *self, const json_t *object) {
    size_t mark = path_member (&self->path, "title");
    const json_t *title = json_object_get (object, "title");
    bool good = taxonomy_title_check (title, &self->path, self->faults);
    path_back (&self->path, mark);
    return good ? json_string_value (title) : "";
}

/* Codes, each of its own kind's letters. */

static size_t run (const char *text, const char *letters) {
    return strspn (text, letters);
}

#define DIGITS "0123456789"
#define PRIORITY_LETTERS "abcdefghijklmnopqrstuvwxyz" DIGITS "-"

static bool priority_code_valid (const char *code) {
    size_t first = run (code, PRIORITY_LETTERS);
    if (!first || strlen (code) > TAXONOMY_CODE_MAX)
        return false;
    if (!code[first])
        return true;
    size_t second = run (code + first + 1, PRIORITY_LETTERS);
    return code[first] == '/' && second && !code[first + 1 + second];
}

static int code_order (const void *a, const void *b) {
    return strcmp (*(const char *const *) a, *(const char *const *) b);
}

const char **build_codes_new (json_t *object,
                              bool (*is_known) (const struct taxonomy *,
                                                const char *),
                              const struct taxonomy *before, size_t *count) {
    const char **codes =
        mem_alloc ((json_object_size (object) + 1) * sizeof *codes);
    const char *code;
    json_t *value;
    *count = 0;
    json_object_foreach (object, code,
                         value) if (!before || !is_known (before, code))
        codes[(*count)++] = code;
    qsort (codes, *count, sizeof *codes, code_order);
    return codes;
}

static bool priority_known (const struct taxonomy *self, const char *code) {
    return taxonomy_priority (self, slice_text (code)) >= 0;
}

json_t *build_codes (struct build *self, const char *member, size_t most) {
    json_t *object = json_object_get (self->made->json, member);
    size_t mark = path_member (&self->path, member), count;
    if (!json_is_object (object))
        build_fault (self, "is no object of codes");
    else if ((count = json_object_size (object)) > most)
        build_fault (self, "has %zu codes: at most %zu", count, most);
    else {
        path_back (&self->path, mark);
        return object;
    }
    path_back (&self->path, mark);
    return NULL;
}

/* Priorities. */

static void priority_put (struct build *self, json_t *all, const char *code) {
    size_t mark = path_member (&self->path, code);
    const json_t *object = json_object_get (all, code);
    if (!priority_code_valid (code))
        build_fault (self,
                     "is no code of a priority: a-z, 0-9, hyphen, at most one "
                     "slash and %d octets",
                     TAXONOMY_CODE_MAX);
    if (!json_is_object (object))
        build_fault (self, "is no object");
    self->made->priorities[self->made->priority_count++] =
        (struct priority){ code, build_title (self, object), -1 };
    path_back (&self->path, mark);
}

static void parent_put (struct build *self, json_t *all, int number) {
    struct priority *priority = &self->made->priorities[number];
    const char *code = priority->code, *slash = strchr (code, '/');
    size_t mark = path_member (&self->path, code);
    path_member (&self->path, "parent");
    json_t *parent = json_object_get (json_object_get (all, code), "parent");
    size_t size = slash ? (size_t) (slash - code) : 0;
    if (!slash && !json_is_null (parent))
        build_fault (self, "is not null: '%s' is top-level", code);
    else if (slash
             && !slice_equal (slice_of (json_string_value (parent),
                                        json_string_length (parent)),
                              slice_of (code, size)))
        build_fault (self, "is not '%.*s', as in '%s'", (int) size, code, code);
    else if (slash) {
        priority->parent =
            taxonomy_priority (self->made, slice_of (code, size));
        if (priority->parent < 0)
            build_fault (self, "is '%.*s', which is no priority", (int) size,
                         code);
    }
    path_back (&self->path, mark);
}

int *build_numbers (size_t count) {
    int *out = mem_alloc ((count + 1) * sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = (int) i;
    return out;
}

static int priority_order (const void *a, const void *b, void *arg) {
    const struct priority *all = arg;
    return strcmp (all[*(const int *) a].code, all[*(const int *) b].code);
}

static void priorities_read (struct build *self) {
    struct taxonomy *made = self->made;
    json_t *all = build_codes (self, "priorities", TAXONOMY_PRIORITIES_MAX);
    if (!all)
        return;
    size_t count, mark = path_member (&self->path, "priorities");
    const char **codes =
        build_codes_new (all, priority_known, self->before, &count);
    made->priorities =
        mem_alloc ((json_object_size (all) + 1) * sizeof *made->priorities);
    for (size_t i = 0; self->before && i < self->before->priority_count; i++)
        priority_put (self, all, self->before->priorities[i].code);
    for (size_t i = 0; i < count; i++)
        priority_put (self, all, codes[i]);
    free (codes);
    made->priority_order = build_numbers (made->priority_count);
    qsort_r (made->priority_order, made->priority_count, sizeof (int),
             priority_order, made->priorities);
    for (size_t i = 0; i < made->priority_count; i++)
        parent_put (self, all, (int) i);
    path_back (&self->path, mark);
}

static void version_read (struct build *self) {
    json_t *version = json_object_get (self->made->json, "version");
    size_t mark = path_member (&self->path, "version");
    self->made->version = json_integer_value (version);
    if (!json_is_integer (version) || self->made->version < 1)
        build_fault (self, "is no whole number from 1");
    path_back (&self->path, mark);
}

static struct hash digest_of (const json_t *json) {
    char *text = json_dumps (json, JSON_SORT_KEYS | JSON_COMPACT);
    struct hash out = { 0 };
    if (text)
        out = hash_sha256 (slice_text (text));
    free (text);
    return out;
}

struct taxonomy *taxonomy_build (json_t *json, const struct taxonomy *before,
                                 struct faults *faults) {
    struct taxonomy *made = mem_alloc (sizeof *made);
    size_t faults_before = faults->count;
    struct build build = { made, before, faults, { { 0 }, 0 } };
    atomic_init (&made->refs, 1);
    made->json = json;
    if (json_is_object (json)) {
        version_read (&build);
        priorities_read (&build);
        build_regions (&build);
    } else
        build_fault (&build, "is no JSON object");
    if (faults->count == faults_before)
        made->digest = digest_of (json);
    else
        taxonomy_unref (&made);
    return made;
}

struct taxonomy *taxonomy_read (const json_t *json, struct faults *faults) {
    return taxonomy_build (json_deep_copy (json), NULL, faults);
}
