/* plan_impl - what plan.c, plan_check.c, contents_read.c and threads share: tables of
 * shapes, relations of a document's parts, readers of checked values. */
#ifndef PARLEY_PLAN_IMPL_H
#define PARLEY_PLAN_IMPL_H

#include "arena.h"
#include "plan.h"
#include "shape.h"

/* Each as its $defs in plan.schema.json. Dates are real days, codes are of the
 * taxonomy. */
extern const struct shape shape_format, shape_plan, shape_plan_id, shape_entity,
    shape_id, shape_text, shape_date, shape_date_or_null, shape_number,
    shape_string, shape_handling, shape_status, shape_point, shape_actions,
    shape_action_part, shape_ref, shape_message_id, shape_sequence,
    shape_priorities, shape_regions;
void form_id (struct check *check, struct slice text);
/* PLAN-ID or, where `part`, PLAN-ID#ID. */
bool plan_id_valid (struct slice text);
bool ref_valid (struct slice text, bool *part);

/* Relations, which pass over what has no right shape (that is a fault
 * already). */

/* 240 KiB as msgpack. */
void check_size (struct check *self, const struct json_t *document);
/* `plan` begins with `entity` and a hyphen. */
void check_plan_id (struct check *self, const struct json_t *document);
/* `to` of an object is not before its `from`. */
void check_order (struct check *self, const struct json_t *object);
/* Ids of goals, actions, milestones and indicators, all together: text to
 * pointer. Each fault at the later one. */
void check_id (struct check *self, const struct json_t *part, void *seen);
void check_ids (struct check *self, struct json_t *seen,
                const struct json_t *part);
void check_part_ids (struct check *self, struct json_t *seen,
                     const struct json_t *part);
/* The list `name` of an object, each item by `each`. */
void check_each (struct check *self, const struct json_t *object,
                 const char *name,
                 void (*each) (struct check *self, const struct json_t *item,
                               void *arg),
                 void *arg);
/* same_as of an action of the plan `id`. */
void check_same_as (struct check *self, const struct json_t *action,
                    struct slice id);
void check_plan (struct check *self, const struct json_t *document);

/* Readers of checked values. */
const char *read_string (struct arena *arena, const struct json_t *object,
                         const char *name); /* "" where there is none */
struct names read_names (struct arena *arena, const struct json_t *object,
                         const char *name);
struct numbers read_numbers (struct arena *arena,
                             const struct taxonomy *taxonomy,
                             const struct json_t *object, const char *name,
                             int (*find) (const struct taxonomy *taxonomy,
                                          struct slice code));
bool read_hash (const struct json_t *value, struct hash *out);
/* `lang`: of plain text. */
struct text read_text (struct arena *arena, const struct json_t *value,
                       const char *lang);
/* false: absent or null. */
bool read_date (const struct json_t *object, const char *name,
                struct date *out);
struct point read_point (const struct json_t *object);

/* Makes `*out` of the list `name`, each by `read`. */
#define READ_LIST(in, object, name, out, count, read)                          \
    do {                                                                       \
        const json_t *list_ = json_object_get (object, name);                  \
        count = json_array_size (list_);                                       \
        out = arena_alloc ((in)->arena, (count) * sizeof *(out));              \
        for (size_t i_ = 0; i_ < (count); i_++)                                \
            read (in, json_array_get (list_, i_), &(out)[i_]);                 \
    } while (0)

#endif
