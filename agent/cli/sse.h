/* sse - server-sent events out of a stream of octets (WHATWG HTML, section
 * 9.2). One owner. */
#ifndef PARLEY_SSE_H
#define PARLEY_SSE_H

#include "base/buf.h"

#define SSE_EVENT_MAX                                                          \
    16777216 /* octets of one event: a record is below 2 MiB */
#define SSE_ID_MAX 64

struct sse_event {
    const char *name; /* "message" where the stream names none */
    struct slice data;
};
/* May end it by returning an error. */
typedef enum err sse_fn (void *arg, const struct sse_event *event,
                         struct error *e);

struct sse;
struct sse *sse_new (sse_fn *fn, void *arg) MUST_CHECK;
void sse_destroy (struct sse **self_p);

/* Octets as they come, cut anywhere. ERR_LIMIT; or what fn returned. */
enum err sse_feed (struct sse *self, struct slice octets, struct error *e)
    MUST_CHECK;
/* The last id that was seen and handed to fn without an error, "" before. */
const char *sse_last_id (const struct sse *self);
/* The connection is another: forget the event that was begun, keep the id. */
void sse_restart (struct sse *self);

#endif
