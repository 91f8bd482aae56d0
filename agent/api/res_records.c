/* res_records - GET /records and /records/{key}. */
#include "api/http_impl.h"
#include "api/json_ledger.h"
#include "api/json_outbox.h"
#include "api/json_record.h"
#include "api/json_say.h"
#include "api/lines.h"
#include "api/problem.h"
#include "api/resources.h"

#include <stdlib.h>

#define LIMIT 100
#define LIMIT_MAX 1000
/* JSON of one answer; a larger page ends early, with `next`. One record may be
 * a megabyte: text with an escape for each octet. */
#define PAGE_OCTETS_MAX 4194304

/* The query */

static bool author_read (struct request *r, const char **author) {
    *author = request_query (r, "author");
    if (!*author || entity_valid (slice_text (*author))
        || delegation_valid (slice_text (*author)))
        return true;
    problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter", "author",
                        "'%.80s' is neither an entity nor a delegation",
                        *author);
    return false;
}

/* The filter is the caller's to free. */
static bool query_read (struct request *r, struct records_query *q,
                        char **filter) {
    static const char *const orders[] = { "position", "sequence", NULL };
    static const char *const flags[] = { "0", "1", NULL };
    int order, log;
    *q = (struct records_query){ 0 };
    if (!author_read (r, &q->author)
        || !request_query_int (r, "after", 0, 0, INT64_MAX, &q->after)
        || !request_query_int (r, "from", 0, 0, INT64_MAX, &q->from_sequence)
        || !request_query_int (r, "to", -1, 0, INT64_MAX, &q->to_sequence)
        || !request_query_time (r, "since", 0, &q->from_ms)
        || !request_query_time (r, "until", -1, &q->to_ms)
        || !request_query_word (r, "order", orders, 0, &order)
        || !request_query_word (r, "log", flags, 0, &log)
        || !request_query_int (r, "limit", LIMIT, 1, LIMIT_MAX, &q->limit)
        || !request_query_filter (r, "filter", filter))
        return false;
    q->filter = *filter;
    q->by_sequence = order == 1;
    q->log = log == 1;
    return true;
}

/* The page is text as it grows, so that its size is known and its records'
 * trees are not all in memory. */
struct page {
    struct buf text;
    int64_t count;
    int64_t next; /* -1: no more */
};

static enum err page_add (struct page *page, const struct record_row *row) {
    if (page->count++ > 0)
        buf_add_text (&page->text, ",");
    return json_record_write (&page->text, row);
}

static enum err page_fill (struct page *page, const struct records_query *q,
                           struct records_cursor *cursor, struct error *e) {
    struct record_row row;
    int64_t last = 0;
    enum err rc;
    while (!(rc = records_next (cursor, &row, e))) {
        if (page->count == q->limit - 1 || page->text.size > PAGE_OCTETS_MAX) {
            page->next = q->by_sequence ? last + 1 : last;
            return ERR_NONE;
        }
        if (page_add (page, &row))
            return error_set (e, ERR_DAMAGED, "a record is no JSON");
        last = q->by_sequence ? row.record.sequence : row.position;
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

static void page_reply (struct request *r, struct page *page) {
    if (page->next < 0)
        buf_add_text (&page->text, "],\"next\":null}");
    else
        buf_add_format (&page->text, "],\"next\":%lld}",
                        (long long) page->next);
    reply_octets (r, "application/json", buf_slice (&page->text));
}

static void page_get (struct request *r, struct records_query *q) {
    struct error e = { 0 };
    struct store *store = request_reader (r);
    q->limit++; /* to know whether there is more */
    struct records_cursor *cursor = store ? records_open (store, q, &e) : NULL;
    struct page page = { .next = -1 };
    buf_add_text (&page.text, "{\"records\":[");
    if (cursor && !page_fill (&page, q, cursor, &e))
        page_reply (r, &page);
    else if (store)
        problem_error (r, &e);
    records_close (&cursor);
    buf_free (&page.text);
}

void records_get (struct request *r) {
    struct records_query q;
    char *filter = NULL;
    if (!query_read (r, &q, &filter))
        return;
    if (!lines_wanted (r)) {
        page_get (r, &q);
    } else {
        if (!request_query (r, "limit"))
            q.limit = 0;
        lines_reply (r, &q);
    }
    free (filter);
}

/* One record */

static struct records_cursor *find (struct request *r, struct store *store,
                                    struct record_row *row, struct error *e) {
    int64_t sequence;
    struct hash id;
    if (decimal_read (r->segment, &sequence))
        return records_by_sequence (store, sequence, row, e);
    if (!hash_parse (r->segment, &id))
        return records_by_id (store, &id, row, e);
    error_set (e, ERR_NOT_FOUND, "neither a sequence nor an id: %s",
               r->segment);
    return NULL;
}

/* Of an own message, or of one that was handed in here. */
static json_t *promise_or_null (struct store *store,
                                const struct record_row *row) {
    struct promise_proof proof;
    if (row->message.octets.size > 0
        && outbox_promise (store, &row->message.id, &proof))
        return json_promise (&proof);
    return json_null();
}

/* Of a message; null also where nothing is derived yet. */
static json_t *acks_or_null (struct request *r, const struct record_row *row) {
    char channel[CHANNEL_MAX + 1];
    struct projector *projector = r->http->options.projector;
    if (row->message.octets.size == 0 || !projector
        || !projector_read (projector, 0))
        return json_null();
    snprintf (channel, sizeof channel, "%.*s", (int) row->record.channel.size,
              (const char *) row->record.channel.data);
    json_t *out = json_acks (r, &row->message.id, channel);
    projector_release (projector);
    return out;
}

void record_get (struct request *r) {
    struct record_row row;
    struct error e = { 0 };
    struct store *store = request_reader (r);
    if (!store)
        return;
    struct records_cursor *cursor = find (r, store, &row, &e);
    if (!cursor) {
        problem_error (r, &e);
        return;
    }
    json_t *out = json_record (&row);
    json_object_set_new (out, "promise", promise_or_null (store, &row));
    json_object_set_new (out, "settled",
                         json_settled (store, row.record.sequence));
    json_object_set_new (out, "acks", acks_or_null (r, &row));
    json_object_set_new (out, "record_octets", json_base64 (row.record.octets));
    records_close (&cursor);
    reply_json (r, 200, out);
}
