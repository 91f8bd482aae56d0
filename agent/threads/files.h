/* files - attachments: what manifests say, which parts a file lacks (FILES.md).
 *
 * A function of the records on a file's topic: the order in which they are added
 * does not matter. Pure; knows neither store nor link. */
#ifndef PARLEY_THREADS_FILES_H
#define PARLEY_THREADS_FILES_H

#include "plans/subject.h"

#define FILE_SIZE_MAX 16777216 /* octets */
#define FILE_PARTS_MAX 128
#define FILE_PART_SIZE 261120 /* as we cut */
#define FILE_ID_SIZE 32    /* hex digits */
#define FILE_NAME_MAX 200  /* characters */
#define FILE_TEXT_MAX 4000 /* characters a language */

struct file_place { /* what the topic says */
    char channel[CHANNEL_MAX + 1];
    char entity[ENTITY_MAX + 1];
    char id[FILE_ID_SIZE + 1];
};
/* Is the topic's second level "file"? One that has it and otherwise another form
 * is refused by file_place_read: faults at pointer "". `author_entity` NULL: not
 * asked. */
bool file_topic_is (struct slice topic);
bool file_place_read (struct slice topic, const char *author_entity,
                      struct file_place *out, struct faults *faults) MUST_CHECK;
/* Returns out. */
char *file_topic (char out[TOPIC_MAX + 1], const struct file_place *place);
void file_id_of (char out[FILE_ID_SIZE + 1], const struct hash *sha256);
bool file_id_valid (struct slice text);

/* Names: may a manifest have it (FILES.md section 2)? A name to save it by, for
 * who asks for one; caller frees. */
bool file_name_valid (struct slice name);
char *file_name_safe (const char *name) MUST_CHECK;
bool file_type_valid (struct slice type);

struct file_part {
    int64_t size;
    struct hash sha256;
};
/* A manifest or withdrawal, checked. Owns its text. */
struct file_manifest {
    bool withdraw;
    char id[FILE_ID_SIZE + 1];
    const char *name, *type; /* "" of a withdrawal */
    int64_t size;
    struct hash sha256;
    size_t part_count;
    const struct file_part *parts;
    struct text text;         /* or the reason */
    struct json_t *said_text; /* as it was written, or NULL */
};
/* NULL: *faults says why, or *newer: a higher format. `document` is only read. */
struct file_manifest *file_manifest_read (const struct file_place *place,
                                          const struct json_t *document,
                                          struct faults *faults, bool *newer)
    MUST_CHECK;
void file_manifest_free (struct file_manifest **self_p);
/* The body of one; text NULL: none, else borrowed. The caller's. */
struct json_t *file_manifest_json (const char *name, const char *type,
                                   int64_t size, const struct hash *sha256,
                                   const struct file_part *parts, size_t count,
                                   struct json_t *text) MUST_CHECK;
struct json_t *file_withdrawal_json (const char *id, struct json_t *reason)
    MUST_CHECK;

/* References in other messages (FILES.md section 4): put the shape into a table;
 * then what the shape can't tell (`sha256` begins with `file`), then read. */
struct shape;
struct check;
extern const struct shape shape_file_ref;
void file_ref_check (struct check *check, const struct json_t *ref);
struct file_ref {
    char id[FILE_ID_SIZE + 1];
    char entity[ENTITY_MAX + 1];
    const char *name; /* borrowed from the document */
    int64_t size;
    struct hash sha256;
};
/* Of a reference that is fine. */
void file_ref_read (const struct json_t *ref, struct file_ref *out);
struct json_t *file_ref_json (const struct file_place *place,
                              const struct file_manifest *manifest) MUST_CHECK;

/* One file as its records make it. */
enum file_state {
    FILE_UNKNOWN,    /* no manifest that is good */
    FILE_INCOMPLETE, /* parts lack */
    FILE_COMPLETE,   /* all are held; content is checked when it is read */
    FILE_WITHDRAWN,
};
const char *file_state_name (enum file_state state); /* "complete" */
struct file_said {                                   /* a map on the topic */
    struct origin origin;
    struct file_manifest *manifest; /* NULL: faults, or newer */
    struct faults *faults;          /* NULL: fine */
    bool newer;
};
struct file_view;
struct file_view *file_view_new (const struct file_place *place) MUST_CHECK;
void file_view_free (struct file_view **self_p);
/* A map; document NULL: it has none to read, and `why` says so. */
void file_view_say (struct file_view *self, const struct origin *origin,
                    const struct json_t *document, const char *why);
/* Which parts of the manifest that counts are there: `held` is asked for each.
 * Again after each file_view_say. */
typedef bool file_held_fn (void *arg, const struct file_part *part);
void file_view_parts (struct file_view *self, file_held_fn *held, void *arg);

const struct file_place *file_view_place (const struct file_view *self);
enum file_state file_view_state (const struct file_view *self);
/* What counts: a manifest or withdrawal; NULL: none. */
const struct file_said *file_view_newest (const struct file_view *self);
/* The manifest that counts, also below a withdrawal: what it was; NULL. */
const struct file_said *file_view_manifest (const struct file_view *self);
/* All maps, by sequence. */
size_t file_view_count (const struct file_view *self);
const struct file_said *file_view_at (const struct file_view *self, size_t n);
/* Of the newest manifest's. */
size_t file_view_held (const struct file_view *self, int64_t *octets);
bool file_view_has (const struct file_view *self, size_t part);

#endif
