/* post - handing something in. */
#include "api/post.h"

#include "api/http_impl.h"
#include "api/json_outbox.h"
#include "api/problem.h"
#include "base/clock.h"
#include "link/link.h"

#include <inttypes.h>
#include <stdio.h>

bool post_key (struct request *r, const char **key) {
    *key = request_header (r, "Idempotency-Key");
    if (!*key)
        return true;
    size_t size = strlen (*key);
    bool visible = true;
    for (const char *at = *key; *at; at++)
        visible = visible && *at >= 0x21 && *at <= 0x7e;
    if (visible && size > 0 && size <= KEY_OCTETS_MAX)
        return true;
    problem_reply_text (r, PROBLEM_BAD_PARAMETER, "parameter",
                        "Idempotency-Key",
                        "Idempotency-Key has %zu octets; it is 1 to %d visible "
                        "ASCII characters",
                        size, KEY_OCTETS_MAX);
    return false;
}

static enum rule rule_for (enum verdict v) {
    switch (v) {
    case VERDICT_YES:
        return RULE_NONE;
    case VERDICT_UNKNOWN_CHANNEL:
        return RULE_UNKNOWN_CHANNEL;
    case VERDICT_EMPTY_AUDIENCE:
        return RULE_EMPTY_AUDIENCE;
    case VERDICT_NOT_LISTED:
        return RULE_NOT_LISTED;
    case VERDICT_EXPIRED:
        return RULE_EXPIRED_KEY;
    case VERDICT_REVOKED:
        return RULE_REVOKED;
    case VERDICT_NO:
        break;
    }
    return RULE_NOT_A_WRITER;
}

/* Values as PROTOCOL.md section 9.3 has them. */
static void refuse (struct request *r, enum rule rule, struct slice author,
                    struct slice channel) {
    struct refusal why;
    refusal_set (&why, rule);
    if (rule == RULE_NOT_LISTED)
        refusal_slice (&why, "delegation", author);
    if (rule == RULE_NOT_A_WRITER || rule == RULE_EXPIRED_KEY
        || rule == RULE_REVOKED)
        refusal_slice (&why, "author", author);
    if (rule == RULE_NOT_A_WRITER || rule == RULE_UNKNOWN_CHANNEL
        || rule == RULE_EMPTY_AUDIENCE)
        refusal_slice (&why, "channel", channel);
    problem_refusal (r, &why);
}

bool post_rights (struct request *r, const struct roster *roster,
                  struct slice author, struct slice channel) {
    enum verdict v =
        rights_ask (roster, author, channel, RIGHT_WRITE, clock_wall_ms());
    if (v == VERDICT_YES)
        return true;
    refuse (r, rule_for (v), author, channel);
    return false;
}

static void answer_fault (struct request *r, const struct error *e) {
    if (e->code == ERR_EXISTS)
        problem_reply (r, PROBLEM_KEY_REUSED, "%s", e->text);
    else if (e->code == ERR_MALFORMED || e->code == ERR_LIMIT
             || e->code == ERR_ARGUMENT)
        problem_reply (r, PROBLEM_BAD_REQUEST, "%s", e->text);
    else
        problem_error (r, e);
}

static pthread_mutex_t heavy = PTHREAD_MUTEX_INITIALIZER;

void post_heavy_begin (void) {
    pthread_mutex_lock (&heavy);
}

void post_heavy_end (void) {
    pthread_mutex_unlock (&heavy);
}

void post_answer (struct request *r, enum err rc, int64_t number, bool repeated,
                  const struct error *e) {
    struct error why;
    char location[64];
    if (rc) {
        answer_fault (r, e);
        return;
    }
    if (!repeated) {
        if (r->http->options.link)
            link_wake (r->http->options.link);
        http_changed (r->http);
    }
    struct store *store = request_reader (r);
    if (!store)
        return;
    json_t *entry = json_outbox_get (store, number, NULL, &why);
    if (!entry) {
        problem_error (r, &why);
        return;
    }
    if (r->also)
        json_object_update_missing (entry, r->also);
    reply_json (r, repeated ? 200 : 202, entry);
    snprintf (location, sizeof location, "/api/v1/outbox/%" PRId64, number);
    reply_header (r, "Location", location);
}

bool post_may_write (struct request *r, struct slice channel) {
    int64_t sequence;
    struct store *store = request_reader (r);
    struct roster *roster = store ? request_roster (r, store, &sequence) : NULL;
    request_release (r);
    bool fine =
        roster
        && post_rights (r, roster, slice_text (r->http->options.delegation),
                        channel);
    roster_unref (&roster);
    return fine;
}

json_t *post_json (struct request *r) {
    json_error_t why;
    json_t *out = json_loadb ((const char *) r->body.data, r->body.size,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (!out)
        problem_reply (r, PROBLEM_BAD_REQUEST,
                       "no JSON: line %d, column %d: %s", why.line, why.column,
                       why.text);
    return out;
}
