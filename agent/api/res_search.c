/* res_search - GET /search. */
#include "api/http_impl.h"
#include "api/json_record.h"
#include "api/plans_view.h"
#include "api/problem.h"
#include "api/resources.h"
#include "store/search.h"

#include <string.h>

static bool kind_number (struct slice word, int *number) {
    enum search_kind kind;
    bool known = search_kind_read (word, &kind);
    *number = known ? (int) kind : 0;
    return known;
}

static json_t *text_or_null (const char *text) {
    return *text ? json_slice (slice_text (text)) : json_null();
}

static json_t *thread_of (const struct search_item *item) {
    const char *id = strrchr (item->topic, '/');
    return item->kind == SEARCH_THREAD && id ? text_or_null (id + 1)
                                             : json_null();
}

static void hit_add (void *arg, const struct search_hit *hit) {
    const struct search_item *item = &hit->item;
    json_t *out = json_pack (
        "{ss sI so so ss ss}", "kind", search_kind_name (item->kind),
        "sequence", (json_int_t) item->sequence, "plan",
        text_or_null (item->plan), "action", text_or_null (item->action),
        "channel", item->channel, "author", item->author);
    json_object_set_new (out, "topic", text_or_null (item->topic));
    json_object_set_new (out, "thread", thread_of (item));
    json_object_set_new (out, "lang", text_or_null (item->lang));
    json_object_set_new (out, "snippet",
                         json_slice (slice_text (hit->snippet)));
    json_array_append_new (arg, out);
}

static bool asked_read (struct request *r, struct search_query *out,
                        size_t *offset, size_t *limit) {
    *out = (struct search_query){ .text = request_query (r, "q"),
                                  .plan = request_query (r, "plan") };
    if (!plans_query_bits (r, "kind", kind_number, &out->kinds)
        || !plans_query_entity (r, "entity", &out->entity)
        || !plans_query_page (r, offset, limit))
        return false;
    if (out->text)
        return true;
    problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "q",
                        "'q' is missing");
    return false;
}

static void answer (struct request *r, json_t *head, json_t *hits,
                    size_t before, bool more) {
    size_t seen = before + json_array_size (hits);
    json_object_set_new (head, "hits", hits);
    json_object_set_new (head, "more", json_boolean (more));
    json_object_set_new (head, "total",
                         more ? json_null() : json_integer ((json_int_t) seen));
    reply_json (r, 200, head);
}

static json_t *head_get (struct request *r) {
    struct plans_view view;
    if (!plans_open (r, &view))
        return NULL;
    json_t *out = plans_head (&view);
    plans_close (r);
    return out;
}

void search_get (struct request *r) {
    struct search_query query;
    struct error e = { 0 };
    size_t offset, limit;
    bool more = false;
    if (!asked_read (r, &query, &offset, &limit))
        return;
    json_t *head = head_get (r), *hits = json_array();
    struct store *store = head ? request_reader (r) : NULL;
    enum err rc =
        store ? projector_search (r->http->options.projector, store, &query,
                                  offset, limit, hit_add, hits, &more, &e)
              : ERR_STATE;
    if (store && !rc) {
        answer (r, head, hits, offset, more);
        return;
    }
    json_decref (head);
    json_decref (hits);
    if (!store)
        return;
    if (rc == ERR_MALFORMED || rc == ERR_LIMIT)
        problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "q", "%s",
                            e.text);
    else if (rc == ERR_STATE)
        problem_reply (r, PROBLEM_BUSY, "%s", e.text);
    else
        problem_error (r, &e);
}
