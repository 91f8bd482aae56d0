/* res_outbox - what was handed in: /outbox, and /refusals. */
#include "api/http_impl.h"
#include "api/json_outbox.h"
#include "api/json_record.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "base/clock.h"
#include "link/link.h"

#include <inttypes.h>

#define PAGE_MAX 1000
#define PAGE 100

static const char *const states[] = { "waiting", "sent",    "promised",
                                      "done",    "refused", "cancelled",
                                      NULL };

/* Pages: one more than asked is looked at, to know whether there is more. */
struct page {
    json_t *items;
    int64_t limit, last;
    bool more;
};

static bool page_has_room (struct page *self, int64_t number) {
    self->more = (int64_t) json_array_size (self->items) == self->limit;
    if (!self->more)
        self->last = number;
    return !self->more;
}

static void page_reply (struct request *r, const struct page *page,
                        const char *name) {
    reply_json (
        r, 200,
        json_pack ("{so so}", name, page->items, "next",
                   page->more ? json_integer (page->last) : json_null()));
}

static bool page_read (struct request *r, struct page *page, int64_t *after) {
    *page = (struct page){ 0 };
    return request_query_int (r, "after", 0, 0, INT64_MAX, after)
           && request_query_int (r, "limit", PAGE, 1, PAGE_MAX, &page->limit);
}

/* Outbox */

static enum err entry_add (void *arg, const struct outbox_message *m,
                           struct error *e) {
    struct page *page = arg;
    (void) e;
    if (page_has_room (page, m->number))
        json_array_append_new (page->items, json_outbox (m));
    return ERR_NONE;
}

void outbox_get_all (struct request *r) {
    struct page page;
    int64_t after;
    int state;
    struct error e;
    if (!page_read (r, &page, &after)
        || !request_query_word (r, "state", states, -1, &state))
        return;
    struct store *store = request_reader (r);
    if (!store)
        return;
    page.items = json_array();
    if (!outbox_list (store, state, after, page.limit + 1, entry_add, &page,
                      &e)) {
        page_reply (r, &page, "entries");
        return;
    }
    json_decref (page.items);
    problem_error (r, &e);
}

static bool number_read (struct request *r, int64_t *number) {
    if (decimal_read (r->segment, number) && *number > 0)
        return true;
    problem_reply (r, PROBLEM_NOT_FOUND, "no number of the outbox: %s",
                   r->segment);
    return false;
}

/* What is waited for is there, or will never be. */
static bool arrived (enum outbox_state state, int wanted) {
    if (state == OUTBOX_WAITING || state == OUTBOX_SENT)
        return false;
    return wanted == 0 || state != OUTBOX_PROMISED;
}

/* The entry once it is in the wanted state, or as it is when time is over. */
static json_t *entry_wait (struct request *r, int64_t number, int wanted,
                           int64_t deadline_ms, struct error *e) {
    struct wake *wake = &r->http->wake;
    for (;;) {
        uint64_t seen = wake_number (wake);
        enum outbox_state state;
        struct store *store = handles_take (&r->http->handles, e);
        json_t *entry =
            store ? json_outbox_get (store, number, &state, e) : NULL;
        handles_give (&r->http->handles, &store);
        if (!entry || arrived (state, wanted) || wake_stopping (wake)
            || clock_mono_ms() >= deadline_ms)
            return entry;
        if (connection_gone (r->connection))
            return entry;
        json_decref (entry);
        int64_t until = clock_mono_ms() + GONE_MS;
        wake_wait (wake, seen, until < deadline_ms ? until : deadline_ms);
    }
}

void outbox_get_one (struct request *r) {
    static const char *const waits[] = { "promised", "done", NULL };
    int64_t number, timeout;
    int wanted;
    struct error e;
    if (!number_read (r, &number)
        || !request_query_word (r, "wait", waits, -1, &wanted)
        || !request_query_int (r, "timeout_ms", 10000, 0, WAIT_MS_MAX,
                               &timeout))
        return;
    if (wanted >= 0 && !wake_enter (&r->http->wake)) {
        problem_reply (r, PROBLEM_BUSY, "%d clients wait already", WAITERS_MAX);
        return;
    }
    json_t *entry = entry_wait (r, number, wanted,
                                wanted < 0 ? 0 : clock_mono_ms() + timeout, &e);
    if (wanted >= 0)
        wake_leave (&r->http->wake);
    if (entry)
        reply_json (r, 200, entry);
    else
        problem_error (r, &e);
}

static enum err id_keep (void *arg, const struct outbox_message *message,
                         struct error *e) {
    (void) e;
    *(struct hash *) arg = message->id;
    return ERR_NONE;
}

/* The broker's promise of it, to be shown to others (PROTOCOL.md section 8.2). */
void outbox_promise_get (struct request *r) {
    int64_t number;
    struct hash id = { 0 };
    struct promise_proof proof;
    struct buf octets = { 0 };
    struct error e;
    struct store *store = number_read (r, &number) ? request_reader (r) : NULL;
    if (!store)
        return;
    if (outbox_get (store, number, id_keep, &id, &e)) {
        problem_error (r, &e);
    } else if (!outbox_promise (store, &id, &proof)) {
        problem_reply (r, PROBLEM_NOT_FOUND, "message %s has no promise",
                       r->segment);
    } else {
        promise_proof_write (&octets, &proof);
        reply_octets (r, "application/octet-stream", buf_slice (&octets));
    }
    buf_free (&octets);
}

struct cancelling {
    int64_t number;
    const struct user *user;
};

static enum err cancel (struct store *writer, void *arg, struct error *e) {
    const struct cancelling *self = arg;
    enum err rc = store_begin (writer, e);
    if (rc)
        return rc;
    rc = outbox_cancel (writer, self->number, e);
    if (!rc)
        rc = publish_note (writer, self->user, "cancelled", "", 0, self->number,
                           e);
    return store_end (writer, rc, e);
}

void outbox_delete (struct request *r) {
    struct cancelling cancelling = { .user = &r->user };
    struct error e;
    if (!number_read (r, &cancelling.number))
        return;
    enum err rc = handles_write (&r->http->handles, cancel, &cancelling, &e);
    if (rc == ERR_STATE) {
        problem_reply (r, PROBLEM_TOO_LATE, "%s", e.text);
        return;
    }
    if (rc) {
        problem_error (r, &e);
        return;
    }
    if (r->http->options.link)
        link_wake (r->http->options.link);
    http_changed (r->http);
    reply_empty (r, 204);
}

/* Refusals */

static void refusal_add (void *arg, int64_t number, int64_t ms,
                         const struct hash *id, const char *topic,
                         const struct refusal *refusal) {
    struct page *page = arg;
    if (!page_has_room (page, number))
        return;
    json_t *item = json_refusal (refusal);
    json_object_set_new (item, "number", json_integer (number));
    json_object_set_new (item, "time", json_time (ms));
    json_object_set_new (item, "id", json_hash (id));
    json_object_set_new (item, "topic", json_string (topic));
    json_array_append_new (page->items, item);
}

void refusals_get (struct request *r) {
    struct page page;
    int64_t after;
    struct error e;
    if (!page_read (r, &page, &after))
        return;
    struct store *store = request_reader (r);
    if (!store)
        return;
    page.items = json_array();
    if (!outbox_refusals (store, after, page.limit + 1, refusal_add, &page,
                          &e)) {
        page_reply (r, &page, "refusals");
        return;
    }
    json_decref (page.items);
    problem_error (r, &e);
}
