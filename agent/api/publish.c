/* publish - judged, then sent or kept. */
#include "api/publish.h"

#include "api/http_impl.h"
#include "api/plan_post.h"
#include "api/plans_view.h"
#include "api/post.h"
#include "api/problem.h"
#include "api/thread_post.h"
#include "base/log.h"
#include "identity/roster.h"
#include "store/acts.h"
#include "store/drafts.h"
#include "store/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum err publish_note (struct store *writer, const struct user *user,
                       const char *what, const char *subject, int64_t draft,
                       int64_t entry, struct error *e) {
    struct act act = { .user = user->name,
                       .what = what,
                       .subject = subject,
                       .draft = draft,
                       .entry = entry };
    return acts_add (writer, &act, e);
}

struct acting {
    const struct user *user;
    const char *what, *subject;
};

static enum err act_note (struct store *writer, void *arg, struct error *e) {
    const struct acting *self = arg;
    return publish_note (writer, self->user, self->what, self->subject, 0, 0,
                         e);
}

void publish_act (struct request *r, const char *what, const char *subject) {
    struct error e = { 0 };
    struct acting acting = { &r->user, what, subject };
    if (handles_write (&r->http->handles, act_note, &acting, &e))
        log_limited (LOG_WARN, "API-ACT-LOST", "", "user=%s what=%s why=%s",
                     log_text (r->user.name), what, log_text (e.text));
}

/* Judging */

bool publish_judge (struct request *r, const struct publication *p) {
    struct thread_posting posting = {
        .topic = p->topic,
        .author = slice_text (r->http->options.delegation),
        .format = p->format,
        .content = buf_slice (&p->content),
    };
    if (!plans_query_flag (r, "anyway", &posting.anyway))
        return false;
    posting.anyway |= r->anyway;
    return post_may_write (r, topic_channel (slice_text (p->topic)))
           && plan_post_check (r, p->topic, p->format, posting.content)
           && thread_post_check (r, &posting);
}

bool publish_repeats (struct request *r, const char *key) {
    struct error e;
    request_release (r); /* one handle each */
    struct store *store = key ? handles_take (&r->http->handles, &e) : NULL;
    bool known = store && outbox_has_key (store, key);
    handles_give (&r->http->handles, &store);
    return known;
}

/* The releasing function */

static bool function_put (struct request *r, json_t *document,
                          struct publication *p) {
    struct error e = { 0 };
    struct buf made = { 0 };
    json_object_set_new (document, "function", json_string (r->user.function));
    if (mp_from_json (&made, document, CONTENT_MAX, &e)) {
        problem_reply (r, PROBLEM_BAD_REQUEST, "with the function of %s: %s",
                       r->user.name, e.text);
        return false;
    }
    buf_free (&p->content);
    p->content = made;
    return true;
}

/* Whose word it is, by the office and not the person. */
static bool function_add (struct request *r, struct publication *p) {
    struct error e;
    if (!*r->user.function || p->format != BODY_MAP)
        return true;
    post_heavy_begin();
    json_t *document = mp_to_json (buf_slice (&p->content), &e);
    bool fine = !document || function_put (r, document, p);
    json_decref (document);
    post_heavy_end();
    return fine;
}

/* Into the outbox */

struct adding {
    struct outbox_draft draft;
    const struct user *user;
    const char *topic;
    int64_t number;
    bool repeated;
    int64_t released; /* the draft that it was; 0: none */
    int64_t updated_ms;
};

/* All of it or nothing: in a function of handles_write parts nest. */
static enum err add (struct store *writer, void *arg, struct error *e) {
    struct adding *self = arg;
    enum err rc = store_begin (writer, e);
    if (rc)
        return rc;
    if (self->released)
        rc = drafts_remove (writer, self->released, self->updated_ms, e);
    if (!rc)
        rc = outbox_add_draft (writer, &self->draft, &self->number,
                               &self->repeated, e);
    if (!rc && !self->repeated)
        rc = publish_note (writer, self->user,
                           self->released ? "released" : "published",
                           self->topic, self->released, self->number, e);
    return store_end (writer, rc, e);
}

static enum err give (struct request *r, const char *key,
                      const struct publication *p, struct adding *adding,
                      struct error *e) {
    enum err rc = outbox_draft_make (&adding->draft, key, slice_text (p->topic),
                                     p->format, buf_slice (&p->content),
                                     p->references, p->reference_count, e);
    adding->user = &r->user;
    adding->topic = p->topic;
    if (!rc)
        rc = handles_write (&r->http->handles, add, adding, e);
    outbox_draft_free (&adding->draft);
    return rc;
}

/* Among the drafts */

bool publish_text (const struct publication *p, struct buf *out,
                   struct error *e) {
    if (p->format != BODY_MAP) {
        buf_add_slice (out, buf_slice (&p->content));
        return true;
    }
    post_heavy_begin();
    json_t *document = mp_to_json (buf_slice (&p->content), e);
    char *text = document ? json_dumps (document, JSON_COMPACT) : NULL;
    json_decref (document);
    post_heavy_end();
    if (text)
        buf_add_text (out, text);
    else if (document)
        error_set (e, ERR_MALFORMED, "the content is no JSON");
    free (text);
    return text != NULL;
}

struct keeping {
    struct draft draft;
    const char *key;
    const struct user *user;
    const char *topic;
    int64_t number;
    bool repeated;
};

static enum err keep (struct store *writer, void *arg, struct error *e) {
    struct keeping *self = arg;
    enum err rc = store_begin (writer, e);
    if (rc)
        return rc;
    rc = drafts_add (writer, &self->draft, self->key, &self->number,
                     &self->repeated, e);
    if (!rc && !self->repeated)
        rc = publish_note (writer, self->user, "drafted", self->topic,
                           self->number, 0, e);
    return store_end (writer, rc, e);
}

static void kept (struct request *r, const struct keeping *keeping) {
    char location[64];
    if (!keeping->repeated)
        http_changed (r->http);
    snprintf (location, sizeof location, "/api/v1/drafts/%" PRId64,
              keeping->number);
    json_t *out =
        json_pack ("{sI ss s[]}", "number", (json_int_t) keeping->number,
                   "topic", keeping->topic, "problems");
    if (r->also)
        json_object_update_missing (out, r->also);
    reply_json (r, keeping->repeated ? 200 : 201, out);
    reply_header (r, "Location", location);
}

static void draft_keep (struct request *r, const char *key,
                        const struct publication *p) {
    struct error e = { 0 };
    struct buf text = { 0 };
    struct keeping keeping = { .key = key,
                               .user = &r->user,
                               .topic = p->topic };
    enum err rc = publish_text (p, &text, &e) ? ERR_NONE : e.code;
    keeping.draft = (struct draft){
        .topic = slice_text (p->topic),
        .format = p->format,
        .references = slice_of (p->references, p->reference_count * HASH_SIZE),
        .content = buf_slice (&text),
        .drafter = slice_text (r->user.name),
    };
    if (!rc)
        rc = handles_write (&r->http->handles, keep, &keeping, &e);
    buf_free (&text);
    if (!rc)
        kept (r, &keeping);
    else if (rc == ERR_EXISTS)
        problem_reply (r, PROBLEM_KEY_REUSED, "%s", e.text);
    else if (rc == ERR_LIMIT || rc == ERR_MALFORMED)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e.text);
    else
        problem_error (r, &e);
}

/* Both */

void publish (struct request *r, struct publication *p) {
    const char *key;
    bool draft;
    struct error e = { 0 };
    struct adding adding = { 0 };
    if (!post_key (r, &key) || !plans_query_flag (r, "draft", &draft))
        return;
    if (!draft && !function_add (r, p))
        return;
    if ((draft || !publish_repeats (r, key)) && !publish_judge (r, p))
        return;
    if (draft) {
        draft_keep (r, key, p);
        return;
    }
    enum err rc = give (r, key, p, &adding, &e);
    post_answer (r, rc, adding.number, adding.repeated, &e);
}

void publish_release (struct request *r, struct publication *p, int64_t draft,
                      int64_t updated_ms) {
    struct error e = { 0 };
    struct adding adding = { .released = draft, .updated_ms = updated_ms };
    char key[40];
    /* No request's key has a blank, so none is taken for this one. */
    snprintf (key, sizeof key, "draft %" PRId64, draft);
    if (!function_add (r, p) || !publish_judge (r, p))
        return;
    enum err rc = give (r, key, p, &adding, &e);
    if (rc == ERR_EXISTS)
        problem_reply (r, PROBLEM_DRAFT_CHANGED, "%s", e.text);
    else
        post_answer (r, rc, adding.number, adding.repeated, &e);
}
