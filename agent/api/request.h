/* request - one HTTP request while it is answered: what it asks, and the answer
 * that a resource gives it.
 *
 * A resource (res_X.c) reads parameters, which answer with a problem where they
 * are wrong, and ends with one reply_* call. One thread. */
#ifndef PARLEY_API_REQUEST_H
#define PARLEY_API_REQUEST_H

#include "api/router.h"
#include "base/hash.h"
#include "store/store.h"

#include <jansson.h>
#include <microhttpd.h>

struct http;
struct roster;

/* Octets of a body that are passed over, when the answer is known or it is
 * above the limit, before the connection is closed. */
#define REQUEST_PASSED_MAX 65536

struct request {
    struct http *http;
    struct MHD_Connection *connection;
    const struct route *route;     /* NULL: none fits */
    struct user user;              /* who asks */
    char segment[SEGMENT_MAX + 1]; /* what stands for {..} in the path */
    struct buf body;
    struct upload *upload; /* what the route's `take` has so far; NULL */
    size_t passed_over;    /* octets above the route's body_max */
    int64_t deadline_ms;   /* monotonic: the body has to be here by then */
    struct store *reader;
    bool anyway;  /* publish() lets through what would no longer count */
    json_t *also; /* members for the answer that publish() makes; NULL */
    unsigned status;
    struct MHD_Response *response; /* NULL: not answered yet */
};

struct request *request_new (struct http *http,
                             struct MHD_Connection *connection) MUST_CHECK;
/* Gives back what it holds of the store: after the answer is made, or before it
 * waits for others. */
void request_release (struct request *self);
void request_destroy (struct request **self_p);

/* So many octets are passed over where the answer is known already: for a route
 * that takes its body as it comes as many as it may have, since its client may
 * not listen before. */
size_t request_passed_max (const struct request *self);
/* Take octets of the body; above the limit they are counted, not kept. false:
 * so many, or so slowly, that the connection is to be closed. */
bool request_take (struct request *self, const char *data, size_t size);

/* Query parameters: NULL where it is not there. An empty one is there. */
const char *request_query (struct request *self, const char *name);
/* As request_query, for topics and filters, in which a blank never stands: an
 * unescaped '+' arrives as one and is put back. Caller frees. */
char *request_query_topic (struct request *self, const char *name);
/* Each sets *out (`fallback` where it is not there), or answers BAD-PARAMETER
 * and returns false. Times are RFC 3339 and become ms. */
bool request_query_int (struct request *self, const char *name,
                        int64_t fallback, int64_t min, int64_t max,
                        int64_t *out) MUST_CHECK;
bool request_query_time (struct request *self, const char *name,
                         int64_t fallback, int64_t *out) MUST_CHECK;
bool request_query_filter (struct request *self, const char *name, char **out)
    MUST_CHECK; /* caller frees; NULL: not there */
/* Which of `words` (NULL ends them); `fallback` where it is not there. */
bool request_query_word (struct request *self, const char *name,
                         const char *const *words, int fallback, int *out)
    MUST_CHECK;
/* Digits only, 0 to 2^53-1. */
bool decimal_read (const char *text, int64_t *out) MUST_CHECK;
const char *request_header (struct request *self, const char *name);

/* Has the client of this connection hung up? Not known for one over TCP before
 * something is sent to it. */
bool connection_gone (struct MHD_Connection *connection);

/* A handle that reads, until request_release. NULL: answered with a problem. */
struct store *request_reader (struct request *self) MUST_CHECK;
/* The roster in force: the caller's reference. NULL: answered. */
struct roster *request_roster (struct request *self, struct store *store,
                               int64_t *sequence) MUST_CHECK;

/* Answers. json is taken; NULL (text that is no UTF-8) answers INTERNAL. */
void reply_json (struct request *self, unsigned status, json_t *json);
void reply_octets (struct request *self, const char *type, struct slice octets);
void reply_empty (struct request *self, unsigned status);
void reply_response (struct request *self, unsigned status, const char *type,
                     struct MHD_Response *response); /* taken */
void reply_header (struct request *self, const char *name, const char *value);

#endif
