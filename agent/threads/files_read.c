/* files_read - manifests, withdrawals and references: their shapes, and what a
 * body tells of itself (FILES.md sections 2 and 4). */
#include "files.h"

#include "format/message.h"
#include "plans/plan_impl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Forms */

static bool sha256_of (struct slice text, struct hash *out) {
    char hex[HASH_TEXT_MAX];
    if (text.size != HASH_TEXT_MAX - 1 || memchr (text.data, 0, text.size))
        return false;
    memcpy (hex, text.data, text.size);
    hex[text.size] = '\0';
    return hash_parse (hex, out) == 0;
}

static void form_sha256 (struct check *check, struct slice text) {
    struct hash hash;
    char name[SHOWN_MAX];
    if (!sha256_of (text, &hash))
        CHECK_FAULT (check,
                     "is '%s', and has to be a SHA-256: 64 digits, 0-9 and a-f",
                     shown (name, text));
}

static void form_file_id (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (!file_id_valid (text))
        CHECK_FAULT (check,
                     "is '%s', and has to be a file's id: %d digits, 0-9 and "
                     "a-f",
                     shown (name, text), FILE_ID_SIZE);
}

static void form_name (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (!file_name_valid (text))
        CHECK_FAULT (check,
                     "is '%s', which is no file's name: 1 to %d characters, "
                     "without slashes, controls, and characters that hide or "
                     "turn text",
                     shown (name, text), FILE_NAME_MAX);
}

static void form_type (struct check *check, struct slice text) {
    char name[SHOWN_MAX];
    if (!file_type_valid (text))
        CHECK_FAULT (check,
                     "is '%s', which is no media type like application/pdf",
                     shown (name, text));
}

/* Shapes */

#define MEMBERS(name, ...)                                                     \
    static const struct shape_member members_##name[] = { __VA_ARGS__, { 0 } }
SHAPE (shape_sha256, .type = SHAPE_FORM, .form = form_sha256);
SHAPE (file_id, .type = SHAPE_FORM, .form = form_file_id);
SHAPE (file_name, .type = SHAPE_FORM, .form = form_name);
SHAPE (media_type, .type = SHAPE_FORM, .form = form_type);
SHAPE (file_size, .type = SHAPE_INTEGER, .min = 1, .max = FILE_SIZE_MAX);
SHAPE (part_size, .type = SHAPE_INTEGER, .min = 1, .max = CONTENT_MAX);
SHAPE (yes, .type = SHAPE_TRUE);
SHAPE (about, .type = SHAPE_TEXT, .max = FILE_TEXT_MAX);

OBJECT (part, { "size", &part_size, true }, { "sha256", &shape_sha256, true });
SHAPE (shape_parts, .type = SHAPE_LIST, .items = &part, .min = 1,
       .max = FILE_PARTS_MAX);
OBJECT (body_manifest, { "format", &shape_format, true },
        { "file", &file_id, true }, { "name", &file_name, true },
        { "type", &media_type, true }, { "size", &file_size, true },
        { "sha256", &shape_sha256, true }, { "parts", &shape_parts, true },
        { "text", &about, false });
OBJECT (body_withdrawal, { "format", &shape_format, true },
        { "file", &file_id, true }, { "withdraw", &yes, true },
        { "reason", &about, false });
MEMBERS (reference, { "file", &file_id, true },
         { "entity", &shape_entity, true }, { "name", &file_name, true },
         { "size", &file_size, true }, { "sha256", &shape_sha256, true });
const struct shape shape_file_ref = { .type = SHAPE_OBJECT,
                                      .members = members_reference };

/* Relations; what has no right shape is a fault already. */

static void fault_at (struct check *check, const char *name, const char *format,
                      ...) PRINTF_LIKE (3, 4);
static void fault_at (struct check *check, const char *name, const char *format,
                      ...) {
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    size_t mark = path_member (&check->path, name);
    CHECK_FAULT (check, "%s", text);
    path_back (&check->path, mark);
}

void file_ref_check (struct check *check, const json_t *ref) {
    struct slice id = string_slice (json_object_get (ref, "file"));
    struct slice whole = string_slice (json_object_get (ref, "sha256"));
    if (file_id_valid (id) && whole.size == HASH_TEXT_MAX - 1
        && memcmp (id.data, whole.data, FILE_ID_SIZE) != 0)
        fault_at (check, "sha256", "does not begin with the file's id");
}

static void check_parts (struct check *check, const json_t *body) {
    const json_t *list = json_object_get (body, "parts");
    int64_t sum = 0, size = 0, one;
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *item = json_array_get (list, i);
        if (!json_whole (json_object_get (item, "size"), &one) || one < 1
            || one > CONTENT_MAX || i >= FILE_PARTS_MAX)
            return;
        sum += one;
    }
    if (json_array_size (list) > 0
        && json_whole (json_object_get (body, "size"), &size) && size != sum)
        fault_at (check, "size",
                  "is %" PRId64 ", and the parts have %" PRId64 " octets", size,
                  sum);
    struct slice whole = string_slice (json_object_get (body, "sha256"));
    const json_t *only = json_object_get (json_array_get (list, 0), "sha256");
    if (json_array_size (list) == 1 && whole.data
        && !slice_equal (whole, string_slice (only)))
        fault_at (check, "sha256", "is not that of the one part");
}

static void check_place (struct check *check, const struct file_place *place,
                         const json_t *body) {
    struct slice id = string_slice (json_object_get (body, "file"));
    char text[SHOWN_MAX];
    if (file_id_valid (id) && !slice_is (id, place->id))
        fault_at (check, "file", "is '%s', and the topic says '%s'",
                  shown (text, id), place->id);
}

/* Reading */

/* First in it, so that a manifest leads to its arena. */
struct whole {
    struct file_manifest manifest;
    struct arena arena;
};

static void parts_read (struct whole *out, const json_t *list) {
    size_t count = json_array_size (list);
    struct file_part *at = arena_alloc (&out->arena, count * sizeof *at);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get (list, i);
        (void) json_whole (json_object_get (item, "size"), &at[i].size);
        (void) sha256_of (string_slice (json_object_get (item, "sha256")),
                          &at[i].sha256);
    }
    out->manifest.parts = at;
    out->manifest.part_count = count;
}

static struct whole *body_take (const json_t *body, bool withdraw) {
    struct whole *out = mem_alloc (sizeof *out);
    struct file_manifest *m = &out->manifest;
    json_t *text = json_object_get (body, withdraw ? "reason" : "text");
    m->withdraw = withdraw;
    snprintf (m->id, sizeof m->id, "%s",
              json_string_value (json_object_get (body, "file")));
    m->name = read_string (&out->arena, body, "name");
    m->type = read_string (&out->arena, body, "type");
    m->text = read_text (&out->arena, text, "");
    m->said_text = json_incref (text);
    if (withdraw)
        return out;
    (void) json_whole (json_object_get (body, "size"), &m->size);
    (void) sha256_of (string_slice (json_object_get (body, "sha256")),
                      &m->sha256);
    parts_read (out, json_object_get (body, "parts"));
    return out;
}

struct file_manifest *file_manifest_read (const struct file_place *place,
                                          const json_t *document,
                                          struct faults *faults, bool *newer) {
    struct check check = { .faults = faults };
    size_t before = faults->count;
    bool withdraw = json_object_get (document, "withdraw") != NULL;
    *newer = format_is_newer (document);
    if (*newer)
        return NULL;
    shape_check (&check, document,
                 withdraw ? &body_withdrawal : &body_manifest);
    check_place (&check, place, document);
    if (!withdraw) {
        file_ref_check (&check, document);
        check_parts (&check, document);
    }
    if (faults->count > before)
        return NULL;
    return &body_take (document, withdraw)->manifest;
}

void file_manifest_free (struct file_manifest **self_p) {
    if (!self_p || !*self_p)
        return;
    struct whole *whole = (struct whole *) *self_p;
    *self_p = NULL;
    json_decref (whole->manifest.said_text);
    arena_free (&whole->arena);
    free (whole);
}

void file_ref_read (const json_t *ref, struct file_ref *out) {
    snprintf (out->id, sizeof out->id, "%s",
              json_string_value (json_object_get (ref, "file")));
    snprintf (out->entity, sizeof out->entity, "%s",
              json_string_value (json_object_get (ref, "entity")));
    out->name = json_string_value (json_object_get (ref, "name"));
    (void) json_whole (json_object_get (ref, "size"), &out->size);
    (void) sha256_of (string_slice (json_object_get (ref, "sha256")),
                      &out->sha256);
}

/* Writing */

static json_t *json_sha256 (const struct hash *sha256) {
    char hex[HASH_TEXT_MAX];
    return json_string (hash_text (hex, sha256));
}

json_t *file_manifest_json (const char *name, const char *type, int64_t size,
                            const struct hash *sha256,
                            const struct file_part *parts, size_t count,
                            json_t *text) {
    char id[FILE_ID_SIZE + 1];
    json_t *list = json_array();
    file_id_of (id, sha256);
    for (size_t i = 0; i < count; i++)
        json_array_append_new (
            list, json_pack ("{sI so}", "size", (json_int_t) parts[i].size,
                             "sha256", json_sha256 (&parts[i].sha256)));
    return json_pack ("{si ss ss ss sI so so sO*}", "format", 1, "file", id,
                      "name", name, "type", type, "size", (json_int_t) size,
                      "sha256", json_sha256 (sha256), "parts", list, "text",
                      text);
}

json_t *file_withdrawal_json (const char *id, json_t *reason) {
    return json_pack ("{si ss sb sO*}", "format", 1, "file", id, "withdraw", 1,
                      "reason", reason);
}

json_t *file_ref_json (const struct file_place *place,
                       const struct file_manifest *manifest) {
    return json_pack ("{ss ss ss sI so}", "file", place->id, "entity",
                      place->entity, "name", manifest->name, "size",
                      (json_int_t) manifest->size, "sha256",
                      json_sha256 (&manifest->sha256));
}
