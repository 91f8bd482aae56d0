/* res_ledger - alarms and an operator's words: GET /notices/{number}/evidence,
 * POST /notices/{number}/acknowledge, /link/retry, /witness/resume. */
#include "api/http_impl.h"
#include "api/problem.h"
#include "api/publish.h"
#include "api/resources.h"
#include "link/link.h"

static enum err acknowledge (struct store *writer, void *arg, struct error *e) {
    const int64_t *number = arg;
    return store_acknowledge (writer, *number, e);
}

void notice_acknowledge (struct request *r) {
    int64_t number;
    struct error e;
    if (!decimal_read (r->segment, &number)) {
        problem_reply (r, PROBLEM_NOT_FOUND, "no number of a notice: %s",
                       r->segment);
        return;
    }
    if (handles_write (&r->http->handles, acknowledge, &number, &e)) {
        problem_error (r, &e);
        return;
    }
    publish_act (r, "acknowledged", r->segment);
    http_changed (r->http);
    reply_empty (r, 204);
}

void notice_evidence_get (struct request *r) {
    int64_t number;
    struct buf out = { 0 };
    struct error e;
    struct store *store = request_reader (r);
    if (!store)
        return;
    if (!decimal_read (r->segment, &number))
        problem_reply (r, PROBLEM_NOT_FOUND, "no number of a notice: %s",
                       r->segment);
    else if (store_evidence (store, number, &out, &e))
        problem_error (r, &e);
    else if (out.size == 0)
        problem_reply (r, PROBLEM_NOT_FOUND, "notice %s has no evidence",
                       r->segment);
    else
        reply_octets (r, "application/octet-stream", buf_slice (&out));
    buf_free (&out);
}

void link_retry_post (struct request *r) {
    if (r->http->options.link)
        link_retry (r->http->options.link);
    reply_empty (r, 204);
}

void witness_resume (struct request *r) {
    if (r->http->options.link)
        link_resume (r->http->options.link);
    publish_act (r, "resumed", "");
    reply_empty (r, 204);
}
