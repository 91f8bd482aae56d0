/* res_drafts - GET, POST /drafts; GET, PUT, DELETE /drafts/{number}: reading and
 * writing. draft_release.c has what a releaser does with them. */
#include "api/access.h"
#include "api/draft_plans.h"
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/plans_view.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "plans/contents.h"

#include <stdio.h>
#include <stdlib.h>

static struct taxonomy *taxonomy_now (struct request *r) {
    struct plans_view view;
    if (!plans_look (r, &view))
        return taxonomy_base();
    struct taxonomy *out = taxonomy_ref (view.taxonomy);
    plans_close (r);
    return out;
}

static json_t *text_read (struct slice text) {
    return json_loadb ((const char *) text.data, text.size, JSON_ALLOW_NUL,
                       NULL);
}

/* A plan, as far as it is one: all documents, and messages on such topics. */
static bool is_plan (const struct draft *draft) {
    return draft->topic.size == 0
           || (draft->format == BODY_MAP
               && content_kind (draft->topic) == CONTENT_PLAN);
}

/* What is wrong with it, as JSON; *count. */
static json_t *problems (const json_t *document,
                         const struct taxonomy *taxonomy, size_t *count) {
    struct faults *faults = mem_alloc (sizeof *faults);
    struct plan *plan = plan_read (document, taxonomy, faults);
    json_t *out = faults_json (faults);
    *count = faults->count;
    plan_free (&plan);
    faults_clear (faults);
    free (faults);
    return out;
}

/* Plans */

static void plan_take (void *arg, const struct draft *draft) {
    struct draft_plans *self = arg;
    struct faults *faults = mem_alloc (sizeof *faults);
    json_t *document = is_plan (draft) ? text_read (draft->content) : NULL;
    struct plan *plan =
        document ? plan_read (document, self->taxonomy, faults) : NULL;
    if (plan && self->count < DRAFTS_MAX)
        self->at[self->count++] = plan;
    else
        plan_free (&plan);
    json_decref (document);
    faults_clear (faults);
    free (faults);
}

enum err draft_plans_read (struct store *store, const struct taxonomy *taxonomy,
                           struct draft_plans *out, struct error *e) {
    out->count = 0;
    out->taxonomy = taxonomy;
    return drafts_list (store, plan_take, out, e);
}

void draft_plans_free (struct draft_plans *self) {
    for (size_t i = 0; i < self->count; i++)
        plan_free (&self->at[i]);
    self->count = 0;
}

/* Reading */

struct listing {
    const struct taxonomy *taxonomy;
    json_t *out;
};

static json_t *text_or_null (struct slice text) {
    return text.size ? json_slice (text) : json_null();
}

static json_t *head (const struct draft *draft) {
    bool message = draft->topic.size > 0;
    return json_pack (
        "{sI so so so so so so ss so so}", "number", (json_int_t) draft->number,
        "created", json_time (draft->created_ms), "updated",
        json_time (draft->updated_ms), "topic", text_or_null (draft->topic),
        "format",
        message ? json_string (json_format_name (draft->format)) : json_null(),
        "drafter", text_or_null (draft->drafter), "editor",
        text_or_null (draft->editor), "state",
        draft->returned ? "returned" : "open", "remark",
        text_or_null (draft->remark), "remarked_by",
        text_or_null (draft->remarker));
}

static json_t *member (const json_t *document, const char *name) {
    json_t *out = json_object_get (document, name);
    return out ? json_incref (out) : json_null();
}

/* The content as JSON, and what is wrong with it; NULL where it can't be
 * read. */
static json_t *content_of (const struct draft *draft,
                           const struct taxonomy *taxonomy, json_t **list,
                           size_t *count) {
    struct error e;
    bool map = draft->topic.size == 0 || draft->format == BODY_MAP;
    json_t *out = map ? text_read (draft->content)
                      : json_content (draft->format, draft->content, &e);
    *count = 0;
    *list = is_plan (draft) ? problems (out, taxonomy, count) : json_array();
    return out;
}

static void line_add (void *arg, const struct draft *draft) {
    struct listing *self = arg;
    size_t count;
    json_t *line = head (draft), *list;
    json_t *content = content_of (draft, self->taxonomy, &list, &count);
    json_object_set_new (line, "plan", member (content, "plan"));
    json_object_set_new (line, "title", member (content, "title"));
    json_object_set_new (line, "problems", json_integer ((json_int_t) count));
    json_array_append_new (self->out, line);
    json_decref (list);
    json_decref (content);
}

static json_t *ids_of (struct slice references) {
    json_t *out = json_array();
    for (size_t i = 0; i + HASH_SIZE <= references.size; i += HASH_SIZE) {
        struct hash id;
        memcpy (id.octets, references.data + i, HASH_SIZE);
        json_array_append_new (out, json_hash (&id));
    }
    return out;
}

static void whole_make (void *arg, const struct draft *draft) {
    struct listing *self = arg;
    size_t count;
    json_t *list;
    json_t *content = content_of (draft, self->taxonomy, &list, &count);
    self->out = head (draft);
    json_object_set_new (self->out, "references", ids_of (draft->references));
    json_object_set_new (self->out, "problems", list);
    json_object_set_new (self->out, "draft", content ? content : json_null());
}

void drafts_get_all (struct request *r) {
    struct error e = { 0 };
    struct store *store = request_reader (r);
    if (!store)
        return;
    struct taxonomy *taxonomy = taxonomy_now (r);
    struct listing listing = { taxonomy, json_array() };
    if (drafts_list (store, line_add, &listing, &e)) {
        json_decref (listing.out);
        problem_error (r, &e);
    } else
        reply_json (r, 200, json_pack ("{so}", "drafts", listing.out));
    taxonomy_unref (&taxonomy);
}

bool draft_number (struct request *r, int64_t *out) {
    if (decimal_read (r->segment, out) && *out > 0)
        return true;
    problem_reply (r, PROBLEM_NOT_FOUND,
                   "'%s' is no number of a draft: they begin at 1", r->segment);
    return false;
}

void draft_get (struct request *r) {
    struct error e = { 0 };
    int64_t number;
    struct store *store = draft_number (r, &number) ? request_reader (r) : NULL;
    if (!store)
        return;
    struct taxonomy *taxonomy = taxonomy_now (r);
    struct listing listing = { taxonomy, NULL };
    if (drafts_get (store, number, whole_make, &listing, &e))
        problem_error (r, &e);
    else
        reply_json (r, 200, listing.out);
    taxonomy_unref (&taxonomy);
}

/* Writing */

struct writing {
    struct draft draft; /* number 0: a new one */
    const struct user *user;
    const char *topic;
};

static enum err write_it (struct store *writer, void *arg, struct error *e) {
    struct writing *self = arg;
    struct draft *draft = &self->draft;
    bool repeated, is_new = draft->number == 0;
    enum err rc = store_begin (writer, e);
    if (rc)
        return rc;
    rc = is_new ? drafts_add (writer, draft, NULL, &draft->number, &repeated, e)
                : drafts_set (writer, draft, e);
    if (!rc)
        rc = publish_note (writer, self->user, is_new ? "drafted" : "edited",
                           self->topic, draft->number, 0, e);
    return store_end (writer, rc, e);
}

static void written (struct request *r, const struct writing *writing,
                     bool is_new) {
    size_t count = 0;
    struct taxonomy *taxonomy = taxonomy_now (r);
    json_t *list, *content, *answer;
    post_heavy_begin();
    content = content_of (&writing->draft, taxonomy, &list, &count);
    post_heavy_end();
    answer = json_pack ("{sI so}", "number", (json_int_t) writing->draft.number,
                        "problems", list);
    if (*writing->topic)
        json_object_set_new (answer, "topic", json_string (writing->topic));
    http_changed (r->http);
    reply_json (r, is_new ? 201 : 200, answer);
    json_decref (content);
    taxonomy_unref (&taxonomy);
}

static void write_draft (struct request *r, struct writing *writing) {
    struct error e = { 0 };
    bool is_new = writing->draft.number == 0;
    writing->user = &r->user;
    writing->draft.drafter = writing->draft.editor = slice_text (r->user.name);
    enum err rc = handles_write (&r->http->handles, write_it, writing, &e);
    if (rc == ERR_MALFORMED || rc == ERR_LIMIT || rc == ERR_STATE)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    else if (rc)
        problem_error (r, &e);
    else
        written (r, writing, is_new);
}

/* A plan, right or wrong. */
static void put_document (struct request *r, int64_t number) {
    struct writing writing = { .topic = "" };
    writing.draft.number = number;
    writing.draft.format = BODY_MAP;
    writing.draft.content = buf_slice (&r->body);
    write_draft (r, &writing);
}

/* A message, judged as if it were published now. */
static void put_message (struct request *r, int64_t number) {
    struct error e = { 0 };
    struct buf text = { 0 };
    struct publication *p = mem_alloc (sizeof *p);
    struct writing writing = { .topic = p->topic };
    if (!publication_read (r, p) || !publish_judge (r, p)) {
        publication_free (&p);
        return;
    }
    if (publish_text (p, &text, &e)) {
        writing.draft = (struct draft){
            .number = number,
            .topic = slice_text (p->topic),
            .format = p->format,
            .references =
                slice_of (p->references, p->reference_count * HASH_SIZE),
            .content = buf_slice (&text),
        };
        write_draft (r, &writing);
    } else
        problem_error (r, &e);
    buf_free (&text);
    publication_free (&p);
}

void drafts_post (struct request *r) {
    put_document (r, 0);
}

static void is_message (void *arg, const struct draft *draft) {
    *(bool *) arg = draft->topic.size > 0;
}

void draft_put (struct request *r) {
    struct error e = { 0 };
    int64_t number;
    bool message = false;
    struct store *store = draft_number (r, &number) ? request_reader (r) : NULL;
    if (!store)
        return;
    enum err rc = drafts_get (store, number, is_message, &message, &e);
    request_release (r);
    if (rc)
        problem_error (r, &e);
    else if (message)
        put_message (r, number);
    else
        put_document (r, number);
}

/* Taking away */

struct removing {
    int64_t number;
    const struct user *user;
    char topic[TOPIC_MAX + 1];
    bool theirs; /* another one's, and not who asks' to take away */
};

static void whose (void *arg, const struct draft *draft) {
    struct removing *self = arg;
    snprintf (self->topic, sizeof self->topic, "%.*s", (int) draft->topic.size,
              (const char *) draft->topic.data);
    self->theirs = draft->drafter.size > 0
                   && !slice_is (draft->drafter, self->user->name)
                   && !(self->user->roles & ROLE_RELEASER);
}

static enum err remove_it (struct store *writer, void *arg, struct error *e) {
    struct removing *self = arg;
    enum err rc = drafts_get (writer, self->number, whose, self, e);
    if (!rc && self->theirs)
        return error_set (e, ERR_RIGHT, "it is another one's draft");
    if (!rc)
        rc = store_begin (writer, e);
    if (rc)
        return rc;
    rc = drafts_remove (writer, self->number, 0, e);
    if (!rc)
        rc = publish_note (writer, self->user, "deleted", self->topic,
                           self->number, 0, e);
    return store_end (writer, rc, e);
}

void draft_delete (struct request *r) {
    struct error e = { 0 };
    struct removing removing = { .user = &r->user };
    if (!draft_number (r, &removing.number))
        return;
    enum err rc = handles_write (&r->http->handles, remove_it, &removing, &e);
    if (rc == ERR_RIGHT) {
        if (access_may (r, ROLE_RELEASER))
            problem_error (r, &e);
    } else if (rc) {
        problem_error (r, &e);
    } else {
        http_changed (r->http);
        reply_empty (r, 204);
    }
}
