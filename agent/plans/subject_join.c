/* subject_join - annexes over a plan's document (CONTENTS.md section 4).
 *
 * Each annex is tried on a copy. What makes an action wrong is left out, and
 * the rest is tried again, a few times: each time at least one action less, or
 * all. */
#include "subject_impl.h"

#include "base/mp.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_MAX 7 /* of all annexes; each finds FAULTS_MAX faults at most */
#define OCTETS_MAX (480 * 1024) /* of actions and adds of all annexes */
#define ACTIONS_MAX 1500

struct joining {
    json_t *document; /* plan, with what was joined so far */
    json_t *ids;      /* of goals, actions, milestones, indicators: a set */
    json_t *audience; /* pointer -> channel, of what was joined */
    json_t *sources;  /* the same pointer -> which annex brought it */
    json_t *annexes;  /* as subject_document tells them */
    const char *home;
    size_t octets; /* of what was joined */
    int again;     /* tries behind the first one of each annex */
};

/* Iterators change nothing. */
static json_t *changing (const json_t *object) {
    return (json_t *) (uintptr_t) object;
}

static void id_note (json_t *ids, const json_t *object) {
    const char *id = json_string_value (json_object_get (object, "id"));
    if (id)
        json_object_set_new (ids, id, json_true());
}

static void ids_note (json_t *ids, const json_t *object, const char *member) {
    const json_t *list = json_object_get (object, member);
    size_t i;
    json_t *at;
    json_array_foreach (list, i, at) {
        id_note (ids, at);
        ids_note (ids, at, "milestones");
        ids_note (ids, at, "indicators");
    }
}

struct joining *joining_new (const json_t *plan, const char *home) {
    struct joining *self = mem_alloc (sizeof *self);
    self->document = json_deep_copy (plan);
    self->ids = json_object();
    self->audience = json_object();
    self->sources = json_object();
    self->annexes = json_array();
    self->home = home;
    ids_note (self->ids, plan, "goals");
    ids_note (self->ids, plan, "actions");
    return self;
}

void joining_free (struct joining **self_p) {
    if (!self_p || !*self_p)
        return;
    struct joining *self = *self_p;
    *self_p = NULL;
    json_decref (self->document);
    json_decref (self->ids);
    json_decref (self->audience);
    json_decref (self->sources);
    json_decref (self->annexes);
    free (self);
}

/* One try of one annex. */
struct trial {
    struct joining made; /* what it would be */
    const struct annex *annex;
    const char *channel;
    const json_t *refused; /* "/actions/3", "/adds/A1" -> why */
    json_t *by;            /* action's place in the result -> pointer of what
                              touched it */
    struct faults *covered;
};

static bool refused (const struct trial *self, const struct path *path) {
    return json_object_get (self->refused, path->text) != NULL;
}

static void audience_set (struct trial *self, const struct path *path) {
    json_object_set_new (self->made.audience, path->text,
                         json_string (self->channel));
    json_object_set_new (
        self->made.sources, path->text,
        json_integer ((json_int_t) json_array_size (self->made.annexes)));
}

static void touch (struct trial *self, size_t place, const struct path *by) {
    struct path key = { 0 };
    path_index (&key, place);
    json_object_set_new (self->by, key.text, json_string (by->text));
}

/* Milestones or indicators: those whose id is taken are left out. Returns the
 * list, the caller's. */
static json_t *parts_fresh (struct trial *self, const json_t *list,
                            struct path *path) {
    json_t *out = json_array(), *at;
    size_t i;
    json_array_foreach (list, i, at) {
        const char *id = json_string_value (json_object_get (at, "id"));
        size_t mark = path_index (path, i);
        if (id && json_object_get (self->made.ids, id))
            faults_add (self->covered, path->text,
                        "changes nothing: the plan or an earlier annex has an "
                        "id %s",
                        id);
        else {
            json_array_append_new (out, json_deep_copy (at));
            id_note (self->made.ids, at);
        }
        path_back (path, mark);
    }
    return out;
}

static bool is_list_of_parts (const char *member, const json_t *value) {
    return json_is_array (value)
           && (strcmp (member, "milestones") == 0
               || strcmp (member, "indicators") == 0);
}

/* A whole action. */
static void action_add (struct trial *self, const json_t *action,
                        struct path *path) {
    const char *id = json_string_value (json_object_get (action, "id"));
    if (!id || refused (self, path))
        return;
    if (json_object_get (self->made.ids, id)) {
        faults_add (self->covered, path->text,
                    "changes nothing: the plan or an earlier annex has an id "
                    "%s",
                    id);
        return;
    }
    json_object_set_new (self->made.ids, id, json_true());
    json_t *copy = json_object(), *value;
    const char *member;
    json_object_foreach (changing (action), member, value) {
        size_t mark = path_member (path, member);
        json_object_set_new (copy, member,
                             is_list_of_parts (member, value)
                                 ? parts_fresh (self, value, path)
                                 : json_deep_copy (value));
        path_back (path, mark);
    }
    json_t *actions = json_object_get (self->made.document, "actions");
    struct path place = { 0 };
    path_member (&place, "actions");
    path_index (&place, json_array_size (actions));
    touch (self, json_array_size (actions), path);
    json_array_append_new (actions, copy);
    audience_set (self, &place);
}

/* What decides where and when an action is, and whose: an annex never changes
 * it, also where the plan leaves it out. */
static bool fixed (const char *member) {
    static const char *const members[] = { "id",        "from",   "to",
                                           "lead",      "status", "regions",
                                           "priorities" };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp (member, members[i]) == 0)
            return true;
    return false;
}

/* More milestones or indicators for an action that has some. */
static void parts_append (struct trial *self, json_t *had, const json_t *list,
                          struct path *path, const struct path *place) {
    json_t *fresh = parts_fresh (self, list, path);
    struct path at = *place;
    for (size_t i = 0; i < json_array_size (fresh); i++) {
        size_t mark = path_index (&at, json_array_size (had));
        json_array_append (had, json_array_get (fresh, i));
        audience_set (self, &at);
        path_back (&at, mark);
    }
    json_decref (fresh);
}

static void member_add (struct trial *self, json_t *action, const char *member,
                        const json_t *value, struct path *path,
                        struct path *place) {
    json_t *had = json_object_get (action, member);
    bool parts = is_list_of_parts (member, value);
    size_t mark = path_member (place, member);
    if (fixed (member))
        faults_add (self->covered, path->text,
                    "changes nothing: an annex does not say this of an action "
                    "of the plan");
    else if (had && parts && json_is_array (had))
        parts_append (self, had, value, path, place);
    else if (had)
        faults_add (self->covered, path->text,
                    "changes nothing: the plan or an earlier annex says this "
                    "already");
    else {
        json_object_set_new (action, member,
                             parts ? parts_fresh (self, value, path)
                                   : json_deep_copy (value));
        audience_set (self, place);
    }
    path_back (place, mark);
}

static void members_add (struct trial *self, const char *id,
                         const json_t *members, struct path *path,
                         const json_t *places) {
    const json_t *at = json_object_get (places, id);
    if (!at || refused (self, path))
        return; /* an action that is not there: it waits */
    size_t n = (size_t) json_integer_value (at);
    json_t *action =
        json_array_get (json_object_get (self->made.document, "actions"), n);
    struct path place = { 0 };
    path_member (&place, "actions");
    path_index (&place, n);
    touch (self, n, path);
    const char *member;
    json_t *value;
    json_object_foreach (changing (members), member, value) {
        size_t mark = path_member (path, member);
        member_add (self, action, member, value, path, &place);
        path_back (path, mark);
    }
}

/* Action id -> its place. */
static json_t *places_of (const json_t *document) {
    json_t *out = json_object(), *at;
    size_t i;
    json_array_foreach (json_object_get (document, "actions"), i, at) {
        const char *id = json_string_value (json_object_get (at, "id"));
        if (id)
            json_object_set_new (out, id, json_integer ((json_int_t) i));
    }
    return out;
}

static void trial_apply (struct trial *self) {
    struct path path = { 0 };
    size_t i;
    json_t *at;
    size_t mark = path_member (&path, "actions");
    json_array_foreach (self->annex->actions, i, at) {
        size_t inner = path_index (&path, i);
        action_add (self, at, &path);
        path_back (&path, inner);
    }
    path_back (&path, mark);
    path_member (&path, "adds");
    json_t *places = places_of (self->made.document);
    const char *id;
    json_object_foreach (changing (self->annex->adds), id, at) {
        size_t inner = path_member (&path, id);
        members_add (self, id, at, &path, places);
        path_back (&path, inner);
    }
    json_decref (places);
}

/* Leave out what made an action wrong; false: no action did, or one of the
 * plan's own, so nothing of this annex can be kept. */
static bool blame (const struct trial *self, const struct faults *faults,
                   json_t *wrong) {
    bool some = false;
    for (size_t i = 0; i < faults->kept; i++) {
        const struct fault *fault = &faults->at[i];
        if (strncmp (fault->pointer, "/actions/", 9) != 0)
            continue;
        struct path key = { 0 };
        path_index (&key, strtoul (fault->pointer + 9, NULL, 10));
        const char *by =
            json_string_value (json_object_get (self->by, key.text));
        if (by && !json_object_get (wrong, by)) {
            json_object_set_new (wrong, by, json_string (fault->text));
            some = true;
        }
    }
    return some;
}

static void wrong_list (const json_t *wrong, struct faults *covered) {
    const char *pointer;
    json_t *why;
    json_object_foreach (changing (wrong), pointer, why)
        faults_add (covered, pointer,
                    "is left out, since it would make an action wrong: %s",
                    json_string_value (why));
}

static void trial_free (struct trial *self) {
    json_decref (self->made.document);
    json_decref (self->made.ids);
    json_decref (self->made.audience);
    json_decref (self->made.sources);
    json_decref (self->by);
}

static void joining_take (struct joining *self, struct trial *trial) {
    json_t *old[] = { self->document, self->ids, self->audience,
                      self->sources };
    self->document = trial->made.document;
    self->ids = trial->made.ids;
    self->audience = trial->made.audience;
    self->sources = trial->made.sources;
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        json_decref (old[i]);
    json_decref (trial->by);
}

static void annex_note (struct joining *self, const struct annex *annex,
                        const char *channel) {
    json_t *text =
        annex->said_text ? json_deep_copy (annex->said_text) : json_null();
    json_array_append_new (self->annexes,
                           json_pack ("{ss ss ss so}", "annex", annex->id,
                                      "channel", channel, "handling",
                                      annex->handling, "text", text));
}

/* As msgpack; OCTETS_MAX + 1 for more. */
static size_t annex_octets (const struct annex *annex) {
    const json_t *parts[] = { annex->actions, annex->adds };
    struct buf out = { 0 };
    struct error e;
    bool fits = true;
    for (size_t i = 0; fits && i < 2; i++)
        fits = !parts[i] || !mp_from_json (&out, parts[i], OCTETS_MAX, &e);
    size_t size = fits ? out.size : OCTETS_MAX + 1;
    buf_free (&out);
    return size;
}

/* false: *covered says why it is too much. */
static bool annex_fits (struct joining *self, const struct annex *annex,
                        struct faults *covered) {
    size_t octets = annex_octets (annex);
    size_t actions =
        json_array_size (json_object_get (self->document, "actions"))
        + json_array_size (annex->actions);
    faults_clear (covered);
    if (octets > OCTETS_MAX - self->octets)
        faults_add (covered, "",
                    "is left out: with the annexes before it, it is larger "
                    "than %d octets",
                    OCTETS_MAX);
    else if (actions > ACTIONS_MAX)
        faults_add (covered, "",
                    "is left out: with the plan's there would be more than %d "
                    "actions",
                    ACTIONS_MAX);
    else
        self->octets += octets;
    return covered->count == 0;
}

void joining_add (struct joining *self, const struct annex *annex,
                  const char *channel, const struct taxonomy *taxonomy,
                  struct faults *covered) {
    json_t *wrong = json_object();
    annex_note (self, annex, channel);
    bool more = annex_fits (self, annex, covered);
    while (more) {
        struct trial trial = {
            .made = { json_deep_copy (self->document), json_copy (self->ids),
                      json_copy (self->audience), json_copy (self->sources),
                      self->annexes, self->home },
            .annex = annex,
            .channel = channel,
            .refused = wrong,
            .by = json_object(),
            .covered = covered,
        };
        struct faults faults = { 0 };
        faults_clear (covered);
        trial_apply (&trial);
        struct plan *plan =
            plan_read_joined (trial.made.document, taxonomy, &faults);
        bool fine = plan != NULL;
        more =
            !fine && self->again < AGAIN_MAX && blame (&trial, &faults, wrong);
        self->again += more;
        if (!fine && !more) {
            faults_clear (covered);
            json_object_clear (wrong);
            faults_add (covered, "", "is left out: %s: %s",
                        faults.kept ? faults.at[0].pointer : "",
                        faults.kept ? faults.at[0].text : "");
        }
        plan_free (&plan);
        faults_clear (&faults);
        if (fine)
            joining_take (self, &trial);
        else
            trial_free (&trial);
    }
    wrong_list (wrong, covered);
    json_decref (wrong);
}

static const char *action_audience (const struct joining *self, size_t n) {
    struct path place = { 0 };
    path_member (&place, "actions");
    path_index (&place, n);
    const char *channel =
        json_string_value (json_object_get (self->audience, place.text));
    return channel ? channel : self->home;
}

/* Of the n-th annex, from 1; "" where it says none, or 0. */
static const char *annex_handling (const struct joining *self, size_t n) {
    const json_t *at = n ? json_array_get (self->annexes, n - 1) : NULL;
    const char *own = json_string_value (json_object_get (at, "handling"));
    return own ? own : "";
}

/* Of each action, of all that it is of; the caller's list of borrowed words. */
static const char **actions_handling (const struct joining *self,
                                      size_t count) {
    const char *plan =
        json_string_value (json_object_get (self->document, "handling"));
    const char **out = mem_alloc ((count + 1) * sizeof *out), *pointer;
    json_t *part;
    for (size_t i = 0; i < count; i++)
        out[i] = plan ? plan : "";
    json_object_foreach (changing (self->sources), pointer, part) {
        size_t n = strtoul (pointer + strlen ("/actions/"), NULL, 10);
        if (n < count)
            out[n] = handling_stricter (
                out[n],
                annex_handling (self, (size_t) json_integer_value (part)));
    }
    return out;
}

static size_t action_part (const struct joining *self, size_t n) {
    struct path place = { 0 };
    path_member (&place, "actions");
    path_index (&place, n);
    return (size_t) json_integer_value (
        json_object_get (self->sources, place.text));
}

struct plan *joining_plan (const struct joining *self,
                           const struct taxonomy *taxonomy) {
    struct faults faults = { 0 };
    struct plan *plan = plan_read_joined (self->document, taxonomy, &faults);
    faults_clear (&faults);
    const char **handling =
        actions_handling (self, plan ? plan->action_count : 0);
    for (size_t i = 0; plan && i < plan->action_count; i++) {
        plan_set_audience (plan, i, action_audience (self, i));
        plan_set_part (plan, i, action_part (self, i), handling[i]);
    }
    free (handling);
    return plan;
}

json_t *joining_document (const struct joining *self) {
    const json_t *actions = json_object_get (self->document, "actions");
    size_t count = json_array_size (actions);
    json_t *audience = json_object(), *handling = json_object(), *part;
    const char **own = actions_handling (self, count), *pointer;
    json_object_foreach (changing (self->sources), pointer, part) {
        const char *word =
            annex_handling (self, (size_t) json_integer_value (part));
        if (*word)
            json_object_set_new (handling, pointer, json_string (word));
    }
    for (size_t i = 0; i < count; i++) {
        struct path place = { 0 };
        path_member (&place, "actions");
        path_index (&place, i);
        json_object_set_new (audience, place.text,
                             json_string (action_audience (self, i)));
        json_object_set_new (handling, place.text, json_string (own[i]));
    }
    free (own);
    json_object_update (audience, self->audience);
    return json_pack ("{so so so so}", "document", json_incref (self->document),
                      "audience", audience, "handling", handling, "annexes",
                      json_incref (self->annexes));
}
