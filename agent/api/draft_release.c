/* draft_release - POST /drafts/{number}/release and /return: what a releaser
 * does with what others wrote. */
#include "api/access.h"
#include "api/draft_plans.h"
#include "api/http_impl.h"
#include "api/json_outbox.h"
#include "api/json_record.h"
#include "api/plans_view.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "store/acts.h"

#include <stdio.h>
#include <stdlib.h>

/* A copy of the draft, as a publication. */
struct releasing {
    const char *channel; /* for a document; NULL: none given */
    char entity[ENTITY_MAX + 1];
    struct publication *p;
    char drafter[USER_NAME_MAX + 1], editor[USER_NAME_MAX + 1];
    int64_t updated_ms;
    bool document;
    struct error e;
};

static void text_copy (char *out, size_t room, struct slice text) {
    snprintf (out, room, "%.*s", (int) text.size, (const char *) text.data);
}

/* "CHANNEL/plan/ENTITY/PLAN-ID": where a document goes. */
static enum err topic_make (struct releasing *self, const json_t *document) {
    const char *plan = json_string_value (json_object_get (document, "plan"));
    const char *kind = json_object_get (document, "annex") ? "annex" : "plan";
    struct buf topic = { 0 };
    enum err rc = ERR_NONE;
    if (!self->channel || strchr (self->channel, '/'))
        rc = error_set (&self->e, ERR_ARGUMENT,
                        "a plan's draft has no topic yet: channel=CHANNEL says "
                        "who reads it");
    else if (!plan)
        rc = error_set (&self->e, ERR_ARGUMENT, "the draft has no \"plan\"");
    if (rc)
        return rc;
    buf_add_format (&topic, "%s/%s/%s/%s", self->channel, kind, self->entity,
                    plan);
    rc = topic_check (buf_slice (&topic), &self->e);
    if (!rc)
        text_copy (self->p->topic, sizeof self->p->topic, buf_slice (&topic));
    buf_free (&topic);
    return rc;
}

static enum err map_take (struct releasing *self, const struct draft *draft) {
    json_t *document =
        json_loadb ((const char *) draft->content.data, draft->content.size,
                    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    enum err rc = document ? ERR_NONE
                           : error_set (&self->e, ERR_DAMAGED,
                                        "the draft is no JSON any more");
    if (!rc && self->document)
        rc = topic_make (self, document);
    if (!rc)
        rc = mp_from_json (&self->p->content, document, CONTENT_MAX, &self->e);
    json_decref (document);
    return rc;
}

static void draft_take (void *arg, const struct draft *draft) {
    struct releasing *self = arg;
    struct publication *p = self->p;
    self->document = draft->topic.size == 0;
    self->updated_ms = draft->updated_ms;
    text_copy (self->drafter, sizeof self->drafter, draft->drafter);
    text_copy (self->editor, sizeof self->editor, draft->editor);
    text_copy (p->topic, sizeof p->topic, draft->topic);
    p->format = self->document ? BODY_MAP : draft->format;
    p->reference_count = draft->references.size / HASH_SIZE;
    if (p->reference_count > REFERENCES_MAX)
        p->reference_count = REFERENCES_MAX;
    if (p->reference_count > 0)
        memcpy (p->references, draft->references.data,
                p->reference_count * HASH_SIZE);
    if (p->format == BODY_MAP)
        (void) !map_take (self, draft);
    else
        buf_add_slice (&p->content, draft->content);
}

/* Two persons: neither whose draft it is nor who wrote last sends it. */
static bool other_person (struct request *r, const struct releasing *draft) {
    char why[USER_NAME_MAX + 80];
    const char *name = r->user.name;
    bool wrote = strcmp (name, draft->drafter) == 0;
    if (!http_two_person (r->http)
        || (!wrote && strcmp (name, draft->editor) != 0))
        return true;
    snprintf (why, sizeof why,
              "%s %s this draft, so another releaser has to release it", name,
              wrote ? "wrote" : "changed");
    access_two_persons (r, why);
    return false;
}

/* Sent already: an answer that was lost is given again. */
static void answer_released (struct request *r, int64_t number,
                             const struct error *none) {
    struct error e = { 0 };
    struct store *store = request_reader (r);
    int64_t entry = store ? acts_released (store, number) : 0;
    request_release (r);
    if (entry > 0)
        post_answer (r, ERR_NONE, entry, true, &e);
    else if (store)
        problem_error (r, none);
}

static void release_it (struct request *r, struct releasing *self,
                        int64_t number, int64_t updated_ms) {
    struct error e = { 0 };
    struct store *store = request_reader (r);
    if (!store)
        return;
    post_heavy_begin();
    enum err rc = drafts_get (store, number, draft_take, self, &e);
    post_heavy_end();
    request_release (r);
    if (rc == ERR_NOT_FOUND)
        answer_released (r, number, &e);
    else if (rc)
        problem_error (r, &e);
    else if (self->e.code)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", self->e.text);
    else if (!self->document && self->channel)
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "channel",
                            "draft %lld has its topic already: %s",
                            (long long) number, self->p->topic);
    else if (other_person (r, self))
        publish_release (r, self->p, number,
                         updated_ms ? updated_ms : self->updated_ms);
}

void draft_release (struct request *r) {
    int64_t number, updated;
    if (!draft_number (r, &number)
        || !request_query_time (r, "updated", 0, &updated))
        return;
    char *channel = request_query_topic (r, "channel");
    struct releasing self = { .channel = channel,
                              .p = mem_alloc (sizeof *self.p) };
    plans_own_entity (r, self.entity);
    release_it (r, &self, number, updated);
    publication_free (&self.p);
    free (channel);
}

/* Returning */

struct returning {
    int64_t number;
    const char *remark;
    const struct user *user;
};

static enum err return_it (struct store *writer, void *arg, struct error *e) {
    const struct returning *self = arg;
    enum err rc = store_begin (writer, e);
    if (rc)
        return rc;
    rc =
        drafts_return (writer, self->number, self->remark, self->user->name, e);
    if (!rc)
        rc = publish_note (writer, self->user, "returned", self->remark,
                           self->number, 0, e);
    return store_end (writer, rc, e);
}

void draft_return (struct request *r) {
    struct error e = { 0 };
    struct returning self = { .user = &r->user };
    if (!draft_number (r, &self.number))
        return;
    json_t *body = json_loadb ((const char *) r->body.data, r->body.size,
                               JSON_REJECT_DUPLICATES, NULL);
    self.remark = json_string_value (json_object_get (body, "remark"));
    enum err rc =
        !self.remark || !*self.remark || json_object_size (body) != 1
            ? error_set (&e, ERR_MALFORMED,
                         "{\"remark\": TEXT} says what is to be changed")
            : handles_write (&r->http->handles, return_it, &self, &e);
    if (rc == ERR_MALFORMED || rc == ERR_LIMIT)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    else if (rc)
        problem_error (r, &e);
    else {
        http_changed (r->http);
        reply_empty (r, 204);
    }
    json_decref (body);
}
