/* thread_write - POST /threads and POST /threads/{thread}/messages: messages of
 * threads, of which a person says no more than what only he can know. */
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "api/thread_post.h"
#include "api/threads_view.h"
#include "base/clock.h"
#include "threads/communique.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTING_MAX 256
#define OWN_IDS_TRIED 16

/* What is asked for */

static json_t *body_read (struct request *r) {
    json_t *out = post_json (r);
    if (out && !json_is_object (out)) {
        problem_reply (r, PROBLEM_BAD_REQUEST, "the body is no JSON object");
        json_decref (out);
        out = NULL;
    }
    return out;
}

static void missing_set (json_t *document, const char *name, json_t *value) {
    if (json_object_get (document, name))
        json_decref (value);
    else
        json_object_set_new (document, name, value);
}

static void frame_set (json_t *document, const struct thread_place *place) {
    missing_set (document, "format", json_integer (1));
    missing_set (document, "thread", json_string (place->id));
}

static void send_it (struct request *r, const struct thread_place *place,
                     const json_t *document) {
    struct error e;
    struct publication *p = mem_alloc (sizeof *p);
    p->format = BODY_MAP;
    thread_topic (p->topic, place);
    r->also = json_pack ("{ss ss}", "thread", place->id, "topic", p->topic);
    if (mp_from_json (&p->content, document, CONTENT_MAX, &e))
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    else
        publish (r, p);
    publication_free (&p);
}

/* A new thread */

static bool members_check (struct request *r, const json_t *body) {
    static const char *const names[] = { "channel", "kind", "id", "proposal",
                                         NULL };
    const char *name;
    json_t *value, *all = (json_t *) (uintptr_t) body;
    json_object_foreach (all, name, value) {
        size_t i = 0;
        while (names[i] && strcmp (names[i], name) != 0)
            i++;
        if (names[i])
            continue;
        problem_reply (r, PROBLEM_BAD_REQUEST, "unknown member '%.80s'", name);
        return false;
    }
    value = json_object_get (body, "id");
    if (json_is_string (json_object_get (body, "channel"))
        && json_is_string (json_object_get (body, "kind"))
        && json_is_object (json_object_get (body, "proposal"))
        && (!value || json_is_string (value)))
        return true;
    problem_reply (r, PROBLEM_BAD_REQUEST,
                   "channel and kind have to be there, as text, and proposal, "
                   "as an object; id is text");
    return false;
}

/* What was said there before anybody proposed takes no name. */
static bool is_taken (struct request *r, const struct thread_place *place) {
    struct threads_view view;
    char topic[TOPIC_MAX + 1];
    if (!threads_look (r, &view))
        return false;
    const struct thread *thread = threads_by_topic (
        view.threads, slice_text (thread_topic (topic, place)));
    bool taken = thread && thread->version_count > 0;
    plans_close (r);
    return taken;
}

/* ENTITY-KIND-YYYYMMDD-XXXX. By the request's key, if it has one: who asks
 * again with it means the same thread. */
static void id_make (struct request *r, const char *key,
                     struct thread_place *out) {
    char day[DATE_TEXT_MAX], hex[9];
    struct hash hash;
    day_text (day, day_of_ms (clock_wall_ms()));
    for (int i = 0; i < OWN_IDS_TRIED; i++) {
        if (key)
            hash = hash_sha256 (slice_text (key));
        else
            randombytes_buf (hash.octets, sizeof hash.octets);
        sodium_bin2hex (hex, sizeof hex, hash.octets, 4);
        if (key)
            snprintf (out->id, sizeof out->id, "%s-%s-%s", out->entity,
                      thread_kind_name (out->kind), hex);
        else
            snprintf (out->id, sizeof out->id, "%s-%s-%.4s%.2s%.2s-%.4s",
                      out->entity, thread_kind_name (out->kind), day, day + 5,
                      day + 8, hex);
        if (key || !is_taken (r, out))
            return;
    }
}

/* false: answered. */
static bool place_make (struct request *r, const json_t *body, const char *key,
                        struct thread_place *out) {
    const char *channel = json_string_value (json_object_get (body, "channel"));
    const char *kind = json_string_value (json_object_get (body, "kind"));
    const char *id = json_string_value (json_object_get (body, "id"));
    *out = (struct thread_place){ 0 };
    if (!thread_kind_read (slice_text (kind), &out->kind)) {
        problem_reply (r, PROBLEM_BAD_REQUEST, "'%.80s' is no kind of thread",
                       kind);
        return false;
    }
    if (strlen (channel) > CHANNEL_MAX || strchr (channel, '/')
        || (id && strlen (id) > PLAN_ID_MAX)) {
        problem_reply (r, PROBLEM_BAD_REQUEST, "'%.80s' is no %s",
                       strlen (channel) > CHANNEL_MAX || strchr (channel, '/')
                           ? channel
                           : id,
                       strchr (channel, '/') ? "channel" : "name");
        return false;
    }
    memcpy (out->channel, channel, strlen (channel) + 1);
    plans_own_entity (r, out->entity);
    if (id)
        memcpy (out->id, id, strlen (id) + 1);
    else
        id_make (r, key, out);
    return true;
}

static void new_thread (struct request *r, const json_t *body) {
    struct thread_place place;
    const char *key;
    if (!members_check (r, body) || !post_key (r, &key)
        || !place_make (r, body, key, &place))
        return;
    if (!publish_repeats (r, key) && is_taken (r, &place)) {
        problem_reply (r, PROBLEM_NAME_TAKEN,
                       "there is a thread '%s' on '%s': propose another "
                       "version there",
                       place.id, place.channel);
        return;
    }
    json_t *document = json_copy (json_object_get (body, "proposal"));
    missing_set (document, "does", json_string ("propose"));
    frame_set (document, &place);
    send_it (r, &place, document);
    json_decref (document);
}

void threads_post (struct request *r) {
    json_t *body = body_read (r);
    if (body)
        new_thread (r, body);
    json_decref (body);
}

/* A message in one that is there */

struct writing {
    struct request *request;
    const struct threads_view *view;
    const struct thread *thread;
    json_t *document; /* ours to change */
    enum thread_does does;
    struct faults faults;
};

/* Absent: the current one; a number: that one. */
static void version_set (struct writing *self) {
    char id[HASH_TEXT_MAX];
    const struct thread *thread = self->thread;
    json_t *given = json_object_get (self->document, "version");
    json_int_t number =
        given ? json_integer_value (given) : (json_int_t) thread->version_count;
    if (given && !json_is_integer (given))
        return;
    if (number < 1 || (size_t) number > thread->version_count) {
        faults_add (&self->faults, "/version",
                    "is %lld, and there are %zu versions", (long long) number,
                    thread->version_count);
        return;
    }
    json_object_set_new (
        self->document, "version",
        json_string (
            hash_text (id, &thread->versions[number - 1].entry->origin.id)));
}

static const struct thread_version *version_get (struct writing *self) {
    struct hash id;
    const char *text =
        json_string_value (json_object_get (self->document, "version"));
    size_t at = text && hash_parse (text, &id) == ERR_NONE
                    ? thread_version_find (self->thread, &id)
                    : SIZE_MAX;
    return at == SIZE_MAX ? NULL : &self->thread->versions[at];
}

/* Signing */

static void sign (struct writing *self, const struct thread_version *version,
                  const json_t *proposal) {
    struct error e;
    struct buf text = { 0 }, line = { 0 };
    const struct http_options *options = &self->request->http->options;
    enum err rc =
        communique_text (&text, options->dialogue, &self->thread->place,
                         &version->entry->origin.id, proposal, &e);
    if (!rc && !options->identity)
        rc = error_set (&e, ERR_KEY, "this agent has no key");
    if (!rc)
        rc = communique_sign (options->identity, buf_slice (&text), &line, &e);
    if (rc)
        faults_add (&self->faults, "/signature", "can't be made: %s", e.text);
    else
        json_object_set_new (self->document, "signature",
                             json_slice (buf_slice (&line)));
    buf_free (&text);
    buf_free (&line);
}

/* Of an adoption alone. What is wrong otherwise thread_post_check says. */
static void signature_set (struct writing *self) {
    enum thread_says says;
    const json_t *word = json_object_get (self->document, "says");
    const struct thread_version *version = version_get (self);
    if (self->thread->place.kind != THREAD_COMMUNIQUE || !version
        || !json_is_string (word)
        || !thread_says_read (THREAD_COMMUNIQUE,
                              slice_text (json_string_value (word)), &says)
        || says != THREAD_FOR || json_object_get (self->document, "signature"))
        return;
    struct store *store = request_reader (self->request);
    json_t *proposal =
        store ? plans_load (store, &version->entry->origin) : NULL;
    if (proposal)
        sign (self, version, proposal);
    else
        faults_add (&self->faults, "/version",
                    "is of a text that this agent does not hold");
    json_decref (proposal);
}

/* Closing */

static void close_set (struct writing *self) {
    const struct thread_entry *stances[COUNTING_MAX];
    enum thread_outcome outcome;
    size_t count;
    char id[HASH_TEXT_MAX], entity[ENTITY_MAX + 1];
    struct projector *projector = self->request->http->options.projector;
    if (json_object_get (self->document, "outcome")
        && json_object_get (self->document, "stances"))
        return;
    if (!thread_close_due (self->thread, self->view->entity,
                           projector_now (projector, NULL), &outcome, stances,
                           COUNTING_MAX, &count)
        || count > COUNTING_MAX) {
        faults_add (&self->faults, "/does", "is a close, and %s",
                    thread_post_no_close (self->thread, self->view->entity));
        return;
    }
    json_t *map = json_object();
    for (size_t i = 0; i < count; i++)
        json_object_set_new (
            map, origin_entity (entity, &stances[i]->origin),
            json_string (hash_text (id, &stances[i]->origin.id)));
    missing_set (self->document, "outcome",
                 json_string (thread_outcome_name (outcome)));
    missing_set (self->document, "stances", map);
}

static bool does_read (struct writing *self) {
    const json_t *does = json_object_get (self->document, "does");
    return json_is_string (does)
           && thread_does_read (slice_text (json_string_value (does)),
                                &self->does);
}

static void complete (struct writing *self) {
    frame_set (self->document, &self->thread->place);
    if (!does_read (self))
        return; /* thread_post_check says so */
    if (self->does == DOES_STANCE || self->does == DOES_SUGGEST
        || self->does == DOES_CLOSE)
        version_set (self);
    if (self->does == DOES_STANCE)
        signature_set (self);
    if (self->does == DOES_CLOSE)
        close_set (self);
}

/* false: answered. */
static bool complete_it (struct writing *self, struct thread_place *place) {
    struct threads_view view;
    if (!threads_open (self->request, &view))
        return false;
    self->view = &view;
    self->thread = threads_need (self->request, &view);
    if (self->thread) {
        *place = self->thread->place;
        complete (self);
    }
    plans_close (self->request);
    request_release (self->request);
    if (self->thread && self->faults.count > 0)
        problem_faults (self->request, PROBLEM_NOT_FOR_THREAD,
                        thread_kind_name (place->kind), &self->faults);
    return self->thread && self->faults.count == 0;
}

void thread_messages_post (struct request *r) {
    struct writing self = { .request = r };
    struct thread_place place;
    self.document = body_read (r);
    if (!self.document)
        return;
    r->anyway = json_is_true (json_object_get (self.document, "anyway"));
    json_object_del (self.document, "anyway");
    if (complete_it (&self, &place))
        send_it (r, &place, self.document);
    faults_clear (&self.faults);
    json_decref (self.document);
}
