/* res_inbox - GET /inbox, and POST /inbox/read. */
#include "api/http_impl.h"
#include "api/inbox_words.h"
#include "api/json_record.h"
#include "api/json_thread.h"
#include "api/problem.h"
#include "api/resources.h"
#include "store/drafts.h"
#include "store/read_marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 500

/* Drafts, which wait for a person and not for the body */

struct drafts_waiting {
    const struct user *user;
    json_t *items;
    json_int_t drafts, returned;
};

static json_t *text_or_null (struct slice text) {
    return text.size ? json_slice (text) : json_null();
}

static json_t *draft_words (const struct draft *draft) {
    struct buf out = { 0 };
    buf_add_format (&out, "A draft of %.*s on %.*s ",
                    draft->drafter.size ? (int) draft->drafter.size : 7,
                    draft->drafter.size ? (const char *) draft->drafter.data
                                        : "nobody",
                    (int) draft->topic.size, (const char *) draft->topic.data);
    buf_add_text (&out,
                  draft->returned ? "was returned: " : "waits for release.");
    if (draft->returned)
        buf_add_slice (&out, draft->remark);
    json_t *words = json_slice (buf_slice (&out));
    buf_free (&out);
    return words;
}

static json_t *draft_json (const struct draft *draft) {
    return json_pack (
        "{sI so so so so ss so}", "number", (json_int_t) draft->number, "topic",
        json_slice (draft->topic), "drafter", text_or_null (draft->drafter),
        "editor", text_or_null (draft->editor), "updated",
        json_time (draft->updated_ms), "state",
        draft->returned ? "returned" : "open", "remark",
        text_or_null (draft->remark));
}

static void draft_take (void *arg, const struct draft *draft) {
    struct drafts_waiting *self = arg;
    bool mine = slice_is (draft->drafter, self->user->name);
    if (draft->topic.size == 0
        || (draft->returned ? !mine : !(self->user->roles & ROLE_RELEASER)))
        return;
    if (draft->returned)
        self->returned++;
    else
        self->drafts++;
    json_t *out = json_pack ("{ss sn sb sn sn sn sn so sb so}", "kind",
                             draft->returned ? "returned" : "draft", "due",
                             "overdue", 0, "since", "thread", "undertaking",
                             "overlap", "draft", draft_json (draft), "unread",
                             0, "words", draft_words (draft));
    json_array_append_new (self->items, out);
}

/* What waits for the body */

static json_t *overlap_json (const struct threads_view *view,
                             const struct overlap *o) {
    char a[PLAN_REF_MAX + 1], b[PLAN_REF_MAX + 1];
    struct buf why = { 0 };
    if (!o)
        return json_null();
    overlap_explain (view->plans.taxonomy, o, &why);
    json_t *out = json_pack ("{ss ss so}", "a", action_ref (a, o->plan_a, o->a),
                             "b", action_ref (b, o->plan_b, o->b), "why",
                             json_slice (buf_slice (&why)));
    buf_free (&why);
    return out;
}

static json_t *item_json (const struct thread_reader *reader,
                          const struct read_marks *marks,
                          const struct inbox_item *item) {
    const struct threads_view *view = reader->view;
    const struct instant *due = inbox_due (item);
    struct thread_reader at = *reader;
    struct buf words = { 0 };
    char topic[TOPIC_MAX + 1];
    if (item->thread)
        at.read =
            read_marks_of (marks, thread_topic (topic, &item->thread->place));
    inbox_words (&words, view, item);
    json_t *out = json_pack (
        "{ss so sb so so so so sn sb so}", "kind", inbox_kind_name (item->kind),
        "due", due ? json_instant (due) : json_null(), "overdue",
        item->has_due && view->now_ms > item->due_ms, "since",
        json_place_or_null (item->since), "thread",
        item->thread ? json_thread_name (view, item->thread) : json_null(),
        "undertaking",
        item->undertaking ? json_undertaking (view, item->undertaking)
                          : json_null(),
        "overlap", overlap_json (view, item->overlap), "draft", "unread",
        item->thread && thread_unread (&at, item->thread), "words",
        json_slice (buf_slice (&words)));
    buf_free (&words);
    return out;
}

static json_t *counts_json (const struct inbox *inbox,
                            const struct drafts_waiting *drafts) {
    json_t *out = json_object();
    for (unsigned i = 0; i < INBOX_KINDS; i++)
        json_object_set_new (out, inbox_kind_name ((enum inbox_kind) i),
                             json_integer ((json_int_t) inbox->of[i]));
    json_object_set_new (out, "draft", json_integer (drafts->drafts));
    json_object_set_new (out, "returned", json_integer (drafts->returned));
    return out;
}

static json_t *inbox_json (const struct thread_reader *reader,
                           const struct read_marks *marks,
                           const struct drafts_waiting *drafts, size_t offset,
                           size_t limit) {
    const struct threads_view *view = reader->view;
    struct inbox inbox;
    json_t *items = json_array(), *out = threads_head (view);
    inbox_make (&inbox, view->threads, view->plans.model, view->entity,
                view->now_ms);
    size_t all = inbox.count + json_array_size (drafts->items);
    for (size_t i = offset; i < all && i - offset < limit; i++)
        if (i < inbox.count)
            json_array_append_new (items,
                                   item_json (reader, marks, &inbox.at[i]));
        else
            json_array_append (items,
                               json_array_get (drafts->items, i - inbox.count));
    json_object_set_new (out, "total", json_integer ((json_int_t) all));
    json_object_set_new (out, "counts", counts_json (&inbox, drafts));
    json_object_set_new (out, "items", items);
    inbox_free (&inbox);
    return out;
}

static void answer (struct request *r, const struct read_marks *marks,
                    const struct drafts_waiting *drafts) {
    struct threads_view view;
    struct thread_reader reader = { .request = r, .view = &view, .read = -1 };
    int64_t offset, limit;
    if (!request_query_int (r, "offset", 0, 0, PLANS_OFFSET_MAX, &offset)
        || !request_query_int (r, "limit", ITEMS_MAX, 1, ITEMS_MAX, &limit)
        || !threads_open (r, &view))
        return;
    reply_json (
        r, 200,
        inbox_json (&reader, marks, drafts, (size_t) offset, (size_t) limit));
    plans_close (r);
}

void inbox_get (struct request *r) {
    struct error e = { 0 };
    struct read_marks marks = { 0 };
    struct drafts_waiting drafts = { .user = &r->user };
    struct store *store = request_reader (r);
    if (!store)
        return;
    drafts.items = json_array();
    enum err rc = read_marks_load (store, r->user.name, &marks, &e);
    if (!rc)
        rc = drafts_list (store, draft_take, &drafts, &e);
    request_release (r);
    if (rc)
        problem_error (r, &e);
    else
        answer (r, &marks, &drafts);
    json_decref (drafts.items);
    read_marks_free (&marks);
}

/* Reading */

struct reading_mark {
    const char *user, *topic;
    int64_t sequence;
};

static enum err mark_set (struct store *writer, void *arg, struct error *e) {
    const struct reading_mark *self = arg;
    return read_marks_set (writer, self->user, self->topic, self->sequence, e);
}

/* Up to its last record at most; false: answered. */
static bool place_find (struct request *r, const char *topic, int64_t *place) {
    struct threads_view view;
    if (!threads_open (r, &view))
        return false;
    const struct thread *thread =
        threads_by_topic (view.threads, slice_text (topic));
    int64_t last =
        thread && thread->entry_count > 0
            ? thread->entries[thread->entry_count - 1]->origin.sequence
            : -1;
    plans_close (r);
    if (last < 0)
        problem_reply (r, PROBLEM_NOT_FOUND, "no thread '%.200s' is here",
                       topic);
    if (*place < 0 || *place > last)
        *place = last;
    return last >= 0;
}

static void read_take (struct request *r, const json_t *body) {
    struct error e = { 0 };
    const char *topic = json_string_value (json_object_get (body, "topic"));
    const json_t *sequence = json_object_get (body, "sequence");
    struct reading_mark mark = { r->user.name, topic, -1 };
    if (!topic || (sequence && !json_is_integer (sequence))
        || json_object_size (body) > (sequence ? 2U : 1U)) {
        problem_reply (r, PROBLEM_BAD_REQUEST,
                       "topic has to be there, as text; sequence may be, as an "
                       "integer; nothing else");
        return;
    }
    if (sequence)
        mark.sequence = json_integer_value (sequence);
    if (!place_find (r, topic, &mark.sequence))
        return;
    if (handles_write (&r->http->handles, mark_set, &mark, &e)) {
        problem_error (r, &e);
        return;
    }
    projector_wake (r->http->options.projector); /* may say that it was seen */
    reply_json (r, 200,
                json_pack ("{ss sI}", "topic", topic, "sequence",
                           (json_int_t) mark.sequence));
}

void inbox_read_post (struct request *r) {
    json_error_t why;
    json_t *body = json_loadb ((const char *) r->body.data, r->body.size,
                               JSON_REJECT_DUPLICATES, &why);
    if (json_is_object (body))
        read_take (r, body);
    else
        problem_reply (r, PROBLEM_BAD_REQUEST,
                       "no JSON object: line %d, column %d: %s", why.line,
                       why.column, why.text);
    json_decref (body);
}
