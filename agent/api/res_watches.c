/* res_watches - GET, POST /watches; DELETE /watches/{number}; POST
 * /watches/{number}/test: what people want to be told of. Each sees his own; an
 * operator all. */
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/resources.h"
#include "api/watcher.h"
#include "store/records.h"
#include "store/watches.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *kinds_json (unsigned kinds) {
    json_t *out = json_array();
    for (size_t i = 0; i < WATCH_KINDS; i++)
        if (kinds & 1U << i)
            json_array_append_new (out, json_string (watch_kinds[i]));
    return out;
}

static json_t *watch_json (const struct watch *watch) {
    return json_pack (
        "{sI ss ss ss so ss? ss so sI so}", "number",
        (json_int_t) watch->number, "name", watch->name, "user", watch->user,
        "filter", watch->filter, "kinds", kinds_json (watch->kinds), "entity",
        *watch->entity ? watch->entity : NULL, "mode",
        watch->daily ? "daily" : "immediate", "created",
        json_time (watch->created_ms), "position", (json_int_t) watch->position,
        "told", json_time_or_null (watch->told_ms));
}

/* Whose he may see and remove: NULL for all. */
static const char *whose (const struct request *r) {
    return r->user.roles & ROLE_OPERATOR ? NULL : r->user.name;
}

static void watch_add (void *arg, const struct watch *watch) {
    json_array_append_new (arg, watch_json (watch));
}

void watches_get_all (struct request *r) {
    struct error e = { 0 };
    const struct http_options *options = &r->http->options;
    struct store *store = request_reader (r);
    if (!store)
        return;
    json_t *list = json_array();
    if (watches_list (store, whose (r), watch_add, list, &e)) {
        json_decref (list);
        problem_error (r, &e);
        return;
    }
    char time[8];
    int64_t minutes = options->digest_ms / 60000;
    snprintf (time, sizeof time, "%02d:%02d", (int) (minutes / 60 % 24),
              (int) (minutes % 60));
    reply_json (r, 200,
                json_pack ("{so sb ss}", "watches", list, "command",
                           options->watch_command != NULL, "digest_time",
                           time));
}

/* A new one; false: *e names the member. */

static bool text_take (const json_t *body, const char *name,
                       const char *fallback, char *out, size_t room,
                       struct error *e) {
    const json_t *value = json_object_get (body, name);
    const char *text =
        !value || json_is_null (value) ? fallback : json_string_value (value);
    if (!text)
        (void) error_set (e, ERR_MALFORMED, "%s has to be a text", name);
    else if (strlen (text) >= room)
        (void) error_set (e, ERR_MALFORMED, "%s: %zu octets, at most %zu", name,
                          strlen (text), room - 1);
    else
        snprintf (out, room, "%s", text);
    return !e->code;
}

static bool kinds_take (const json_t *list, unsigned *out, struct error *e) {
    size_t i;
    json_t *word;
    *out = list ? 0 : WATCH_ALL;
    if (list && !json_is_array (list))
        (void) error_set (e, ERR_MALFORMED, "kinds has to be a list");
    json_array_foreach (list, i, word) {
        size_t at = 0;
        const char *text = json_string_value (word);
        while (text && at < WATCH_KINDS && strcmp (watch_kinds[at], text) != 0)
            at++;
        if (!text || at == WATCH_KINDS) {
            (void) error_set (e, ERR_MALFORMED, "kinds: '%.40s' is none",
                              text ? text : "");
            break;
        }
        *out |= 1U << at;
    }
    return !e->code;
}

static bool members_known (json_t *body, struct error *e) {
    static const char *const known[] = { "name",   "filter", "kinds",
                                         "entity", "mode",   NULL };
    const char *name;
    json_t *value;
    if (!json_is_object (body))
        (void) error_set (e, ERR_MALFORMED, "the body is no JSON object");
    json_object_foreach (body, name, value) {
        size_t i = 0;
        while (known[i] && strcmp (known[i], name) != 0)
            i++;
        if (!known[i])
            (void) error_set (e, ERR_MALFORMED, "unknown member '%.80s'", name);
    }
    return !e->code;
}

static bool watch_read (json_t *body, struct watch *out, struct error *e) {
    char mode[16];
    if (!members_known (body, e)
        || !text_take (body, "name", NULL, out->name, sizeof out->name, e)
        || !text_take (body, "filter", "#", out->filter, sizeof out->filter, e)
        || !text_take (body, "entity", "", out->entity, sizeof out->entity, e)
        || !text_take (body, "mode", "immediate", mode, sizeof mode, e)
        || !kinds_take (json_object_get (body, "kinds"), &out->kinds, e))
        return false;
    out->daily = strcmp (mode, "daily") == 0;
    if (!out->daily && strcmp (mode, "immediate") != 0)
        (void) error_set (e, ERR_MALFORMED,
                          "mode has to be immediate or daily");
    return !e->code;
}

static enum err make_it (struct store *writer, void *arg, struct error *e) {
    struct watch *watch = arg;
    watch->position = records_last_position (writer); /* of what comes */
    return watches_add (writer, watch, e);
}

static void watch_make (struct request *r, struct watch *watch) {
    struct error e = { 0 };
    snprintf (watch->user, sizeof watch->user, "%s", r->user.name);
    enum err rc = handles_write (&r->http->handles, make_it, watch, &e);
    if (!rc) {
        http_changed (r->http);
        reply_json (r, 201, watch_json (watch));
    } else if (rc == ERR_EXISTS)
        problem_reply (r, PROBLEM_NAME_TAKEN, "%s", e.text);
    else if (rc == ERR_FULL)
        problem_reply (r, PROBLEM_BUSY, "%s", e.text);
    else if (rc == ERR_MALFORMED || rc == ERR_LIMIT)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    else
        problem_error (r, &e);
}

void watches_post (struct request *r) {
    struct error e = { 0 };
    struct watch watch = { 0 };
    json_t *body = json_loadb ((const char *) r->body.data, r->body.size,
                               JSON_REJECT_DUPLICATES, NULL);
    if (watch_read (body, &watch, &e))
        watch_make (r, &watch);
    else
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    json_decref (body);
}

/* Its end, and a trial */

static bool number_read (struct request *r, int64_t *out) {
    if (decimal_read (r->segment, out))
        return true;
    problem_reply (r, PROBLEM_NOT_FOUND, "'%s' is no watch's number",
                   r->segment);
    return false;
}

struct removing {
    int64_t number;
    const char *user;
};

static enum err remove_it (struct store *writer, void *arg, struct error *e) {
    const struct removing *self = arg;
    return watches_remove (writer, self->number, self->user, e);
}

void watch_delete (struct request *r) {
    struct error e = { 0 };
    struct removing removing = { .user = whose (r) };
    if (!number_read (r, &removing.number))
        return;
    if (handles_write (&r->http->handles, remove_it, &removing, &e))
        problem_error (r, &e);
    else
        reply_empty (r, 204);
}

void watch_test_post (struct request *r) {
    struct error e = { 0 };
    struct watch watch;
    int64_t number;
    struct store *store = number_read (r, &number) ? request_reader (r) : NULL;
    if (!store)
        return;
    if (watches_get (store, number, whose (r), &watch, &e)) {
        problem_error (r, &e);
        return;
    }
    request_release (r);
    enum err rc = ERR_STATE;
    if (!r->http->options.watch_command)
        error_set (&e, rc, "no watch-command is configured");
    else
        rc = watcher_test (r->http->watcher, &watch, &e);
    if (rc == ERR_FULL)
        problem_reply (r, PROBLEM_BUSY, "%s", e.text);
    else
        reply_json (r, 200,
                    json_pack ("{sI sb ss?}", "number", (json_int_t) number,
                               "fine", rc == ERR_NONE, "why",
                               rc ? e.text : NULL));
}
