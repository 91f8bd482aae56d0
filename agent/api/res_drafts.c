/* res_drafts - GET, POST /drafts; GET, PUT, DELETE /drafts/{number}. */
#include "api/draft_plans.h"
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/plans_view.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/resources.h"

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
    json_t *document = text_read (draft->json);
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

static json_t *head (const struct draft *draft) {
    return json_pack ("{sI so so}", "number", (json_int_t) draft->number,
                      "created", json_time (draft->created_ms), "updated",
                      json_time (draft->updated_ms));
}

static json_t *member (const json_t *document, const char *name) {
    json_t *out = json_object_get (document, name);
    return out ? json_incref (out) : json_null();
}

static void line_add (void *arg, const struct draft *draft) {
    struct listing *self = arg;
    size_t count = 0;
    json_t *line = head (draft), *document = text_read (draft->json);
    json_t *list = problems (document, self->taxonomy, &count);
    json_object_set_new (line, "plan", member (document, "plan"));
    json_object_set_new (line, "title", member (document, "title"));
    json_object_set_new (line, "problems", json_integer ((json_int_t) count));
    json_array_append_new (self->out, line);
    json_decref (list);
    json_decref (document);
}

static void whole_make (void *arg, const struct draft *draft) {
    struct listing *self = arg;
    size_t count = 0;
    json_t *document = text_read (draft->json);
    self->out = head (draft);
    json_object_set_new (self->out, "problems",
                         problems (document, self->taxonomy, &count));
    json_object_set_new (self->out, "draft", document ? document : json_null());
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

static bool number_read (struct request *r, int64_t *out) {
    if (decimal_read (r->segment, out))
        return true;
    problem_reply (r, PROBLEM_NOT_FOUND, "'%s' is no number of a draft",
                   r->segment);
    return false;
}

void draft_get (struct request *r) {
    struct error e = { 0 };
    int64_t number;
    struct store *store = number_read (r, &number) ? request_reader (r) : NULL;
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
    int64_t number; /* 0: a new one */
    struct slice json;
};

static enum err write_it (struct store *writer, void *arg, struct error *e) {
    struct writing *self = arg;
    return self->number > 0
               ? drafts_set (writer, self->number, 0, self->json, e)
               : drafts_add (writer, self->json, &self->number, e);
}

static void written (struct request *r, const struct writing *writing,
                     bool is_new) {
    size_t count = 0;
    struct taxonomy *taxonomy = taxonomy_now (r);
    post_heavy_begin();
    json_t *document = text_read (writing->json);
    json_t *list = problems (document, taxonomy, &count);
    json_decref (document);
    post_heavy_end();
    reply_json (r, is_new ? 201 : 200,
                json_pack ("{sI so}", "number", (json_int_t) writing->number,
                           "problems", list));
    taxonomy_unref (&taxonomy);
}

static void put (struct request *r, int64_t number) {
    struct error e = { 0 };
    struct writing writing = { number, buf_slice (&r->body) };
    enum err rc = handles_write (&r->http->handles, write_it, &writing, &e);
    if (rc == ERR_MALFORMED || rc == ERR_LIMIT)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    else if (rc)
        problem_error (r, &e);
    else
        written (r, &writing, number == 0);
}

void drafts_post (struct request *r) {
    put (r, 0);
}

void draft_put (struct request *r) {
    int64_t number;
    if (number_read (r, &number) && number > 0)
        put (r, number);
    else if (!r->response)
        problem_reply (r, PROBLEM_NOT_FOUND, "drafts' numbers begin at 1");
}

static enum err remove_it (struct store *writer, void *arg, struct error *e) {
    const int64_t *number = arg;
    return drafts_remove (writer, *number, e);
}

void draft_delete (struct request *r) {
    struct error e = { 0 };
    int64_t number;
    if (!number_read (r, &number))
        return;
    if (handles_write (&r->http->handles, remove_it, &number, &e))
        problem_error (r, &e);
    else
        reply_empty (r, 204);
}
