/* res_ledger - an operator's words: POST /notices/{number}/acknowledge,
 * /link/retry, /witness/resume. */
#include "api/http_impl.h"
#include "api/problem.h"
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
    http_changed (r->http);
    reply_empty (r, 204);
}

void link_retry_post (struct request *r) {
    if (r->http->options.link)
        link_retry (r->http->options.link);
    reply_empty (r, 204);
}

void witness_resume (struct request *r) {
    if (r->http->options.link)
        link_resume (r->http->options.link);
    reply_empty (r, 204);
}
