/* plan_relations - what a plan's parts say of each other (CONTENTS.md section 2
 * beside the schema). */
#include "plan_impl.h"

#include "base/mp.h"

#include <jansson.h>
#include <stdlib.h>

void check_size (struct check *self, const json_t *document) {
    struct buf out = { 0 };
    struct error e = { 0 };
    if (mp_from_json (&out, document, PLAN_OCTETS_MAX, &e))
        CHECK_FAULT (self, "can't be sent: %s", e.text);
    buf_free (&out);
}

void check_plan_id (struct check *self, const json_t *document) {
    struct slice id = string_slice (json_object_get (document, "plan"));
    struct slice entity = string_slice (json_object_get (document, "entity"));
    if (!plan_id_valid (id) || !entity_valid (entity))
        return;
    if (id.size > entity.size && id.data[entity.size] == '-'
        && memcmp (id.data, entity.data, entity.size) == 0)
        return;
    size_t mark = path_member (&self->path, "plan");
    CHECK_FAULT (self, "is '%.*s', and has to begin with the entity: '%.*s-'",
                 (int) id.size, (const char *) id.data, (int) entity.size,
                 (const char *) entity.data);
    path_back (&self->path, mark);
}

static bool date_of (const json_t *object, const char *name, struct date *out) {
    struct slice text = string_slice (json_object_get (object, name));
    return text.data && date_read (text, out, NULL) == 0;
}

void check_order (struct check *self, const json_t *object) {
    struct date from, to;
    if (!date_of (object, "from", &from) || !date_of (object, "to", &to)
        || to.last >= from.first)
        return;
    char a[DATE_TEXT_MAX], b[DATE_TEXT_MAX];
    size_t mark = path_member (&self->path, "to");
    CHECK_FAULT (self, "is %s, before 'from', %s", date_text (b, &to),
                 date_text (a, &from));
    path_back (&self->path, mark);
}

void check_each (struct check *self, const json_t *object, const char *name,
                 void (*each) (struct check *self, const json_t *item,
                               void *arg),
                 void *arg) {
    const json_t *list = json_object_get (object, name);
    size_t mark = path_member (&self->path, name);
    for (size_t i = 0; i < json_array_size (list); i++) {
        size_t inner = path_index (&self->path, i);
        each (self, json_array_get (list, i), arg);
        path_back (&self->path, inner);
    }
    path_back (&self->path, mark);
}

/* Ids */

void check_id (struct check *self, const json_t *part, void *arg) {
    json_t *seen = arg;
    struct slice id = string_slice (json_object_get (part, "id"));
    if (id.size == 0 || id.size > PLAN_PART_MAX)
        return;
    const char *key = (const char *) id.data;
    const json_t *before = json_object_getn (seen, key, id.size);
    if (!before) {
        json_object_setn_new_nocheck (seen, key, id.size,
                                      json_string_nocheck (self->path.text));
        return;
    }
    char name[SHOWN_MAX];
    size_t mark = path_member (&self->path, "id");
    CHECK_FAULT (self, "is '%s', which is the id of %s already",
                 shown (name, id), json_string_value (before));
    path_back (&self->path, mark);
}

void check_part_ids (struct check *self, json_t *seen, const json_t *part) {
    check_each (self, part, "milestones", check_id, seen);
    check_each (self, part, "indicators", check_id, seen);
}

void check_ids (struct check *self, json_t *seen, const json_t *part) {
    check_id (self, part, seen);
    check_part_ids (self, seen, part);
}

/* Goals */

struct goals {
    json_t *index; /* id to number; the first of an id */
    const json_t *list;
    json_t *seen;
    struct slice plan;
};

static json_t *goals_index (const json_t *list) {
    json_t *index = json_object();
    for (size_t i = 0; i < json_array_size (list); i++) {
        struct slice id =
            string_slice (json_object_get (json_array_get (list, i), "id"));
        const char *key = (const char *) id.data;
        if (id.size > 0 && !json_object_getn (index, key, id.size))
            json_object_setn_new_nocheck (index, key, id.size,
                                          json_integer ((json_int_t) i));
    }
    return index;
}

/* -1: there is none. */
static json_int_t goal_number (const json_t *index, struct slice id) {
    const json_t *found =
        json_object_getn (index, (const char *) id.data, id.size);
    return found ? json_integer_value (found) : -1;
}

static void check_goal_name (struct check *self, const json_t *item,
                             void *arg) {
    const json_t *index = arg;
    struct slice id = string_slice (item);
    char name[SHOWN_MAX];
    if (id.size > 0 && goal_number (index, id) < 0)
        CHECK_FAULT (self, "is '%s', which is no goal of this plan",
                     shown (name, id));
}

static void circle_fault (struct check *self, const json_int_t *parent,
                          json_int_t at, const json_t *list) {
    json_int_t first = at;
    for (json_int_t i = parent[at]; i != at; i = parent[i])
        if (i < first)
            first = i;
    char name[SHOWN_MAX];
    const json_t *goal = json_array_get (list, (size_t) first);
    size_t mark = path_member (&self->path, "goals");
    path_index (&self->path, (size_t) first);
    path_member (&self->path, "parent");
    CHECK_FAULT (self, "makes a circle: goal '%s' would be above itself",
                 shown (name, string_slice (json_object_get (goal, "id"))));
    path_back (&self->path, mark);
}

/* Each circle once, at its first goal. A walk up from each goal ends where an
 * earlier walk was, so that all of it is linear. */
static void check_circles (struct check *self, const json_t *list,
                           const json_t *index) {
    size_t count = json_array_size (list);
    json_int_t *parent = mem_alloc ((count + 1) * sizeof *parent);
    json_int_t *walk = mem_alloc ((count + 1) * sizeof *walk);
    for (size_t i = 0; i < count; i++) {
        struct slice id =
            string_slice (json_object_get (json_array_get (list, i), "parent"));
        parent[i] = id.size > 0 ? goal_number (index, id) : -1;
    }
    for (size_t i = 0; i < count; i++) {
        json_int_t own = (json_int_t) i + 1, at = (json_int_t) i;
        while (at >= 0 && walk[at] == 0) {
            walk[at] = own;
            at = parent[at];
        }
        if (at >= 0 && walk[at] == own)
            circle_fault (self, parent, at, list);
    }
    free (parent);
    free (walk);
}

static void check_goal (struct check *self, const json_t *goal, void *arg) {
    const struct goals *goals = arg;
    check_id (self, goal, goals->seen);
    check_each (self, goal, "indicators", check_id, goals->seen);
    const json_t *parent = json_object_get (goal, "parent");
    size_t mark = path_member (&self->path, "parent");
    if (parent)
        check_goal_name (self, parent, goals->index);
    path_back (&self->path, mark);
}

/* Actions */

static void check_same (struct check *self, const json_t *item, void *arg) {
    const struct slice *id = arg;
    struct slice text = string_slice (item);
    char name[SHOWN_MAX];
    bool part;
    if (!ref_valid (text, &part))
        return;
    if (!part)
        CHECK_FAULT (self,
                     "is '%s', a plan; an action is asked for: "
                     "PLAN-ID#ACTION-ID",
                     shown (name, text));
    else if (id->size > 0 && text.size > id->size && text.data[id->size] == '#'
             && memcmp (text.data, id->data, id->size) == 0)
        CHECK_FAULT (self,
                     "is '%s', an action of this plan; one of another "
                     "plan is asked for",
                     shown (name, text));
}

void check_same_as (struct check *self, const json_t *action, struct slice id) {
    check_each (self, action, "same_as", check_same, &id);
}

static void check_action (struct check *self, const json_t *action, void *arg) {
    const struct goals *goals = arg;
    check_ids (self, goals->seen, action);
    check_order (self, action);
    check_each (self, action, "goals", check_goal_name, goals->index);
    check_same_as (self, action, goals->plan);
}

void check_plan (struct check *self, const json_t *document) {
    shape_check (self, document, &shape_plan);
    if (!json_is_object (document))
        return;
    struct goals goals = {
        .list = json_object_get (document, "goals"),
        .seen = json_object(),
        .plan = string_slice (json_object_get (document, "plan")),
    };
    goals.index = goals_index (goals.list);
    check_plan_id (self, document);
    size_t mark = path_member (&self->path, "cycle");
    check_order (self, json_object_get (document, "cycle"));
    path_back (&self->path, mark);
    check_each (self, document, "goals", check_goal, &goals);
    check_circles (self, goals.list, goals.index);
    check_each (self, document, "actions", check_action, &goals);
    json_decref (goals.index);
    json_decref (goals.seen);
}
