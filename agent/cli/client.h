/* client - the agent's API over its Unix socket, by libcurl.
 *
 * Each call blocks until the answer is there. An answer that is a problem
 * (RFC 9457) becomes an error with its text and values: ERR_NOT_FOUND for 404,
 * ERR_FULL for 503 and 507, ERR_DAMAGED for other failures of the agent,
 * ERR_RIGHT for all other refusals. ERR_STATE: no agent answers. Answers are
 * bounded (CLIENT_ANSWER_MAX). */
#ifndef PARLEY_CLIENT_H
#define PARLEY_CLIENT_H

#include "base/buf.h"
#include "cli.h"

#include <stdint.h>

/* A page of 50 records with bodies of 256 KiB that are all escapes of JSON. */
#define CLIENT_ANSWER_MAX 134217728

struct json_t;
struct client;

/* ERR_ARGUMENT: no socket was given, or its path is over 107 octets; or what
 * disk_read_secret says of the token's file. Nothing is connected yet. */
struct client *client_new (const struct cli *cli, struct error *e) MUST_CHECK;
void client_destroy (struct client **self_p);

/* A path with a query: client_path, then client_query for each parameter; text
 * is percent-encoded there. NULL text: left out. */
void client_path (struct buf *out, const char *format, ...) PRINTF_LIKE (2, 3);
void client_query (struct buf *path, const char *name, const char *text);
void client_query_int (struct buf *path, const char *name, int64_t value);

/* GET: *out is the caller's. `wait_ms`: how long the agent may hold the answer
 * back, beside the usual time. */
enum err client_get (struct client *self, const struct buf *path,
                     int64_t wait_ms, struct json_t **out, struct error *e)
    MUST_CHECK;
/* The answer's octets, whatever they are; *out is replaced. */
enum err client_get_octets (struct client *self, const struct buf *path,
                            size_t max, struct buf *out, struct error *e)
    MUST_CHECK;
/* POST with a body of that media type; `key` (Idempotency-Key) may be NULL.
 * Where no answer came, the text says that it may have been accepted. */
enum err client_post (struct client *self, const struct buf *path,
                      const char *type, struct slice body, const char *key,
                      struct json_t **out, struct error *e) MUST_CHECK;
/* PUT in the same way. */
enum err client_put (struct client *self, const struct buf *path,
                     const char *type, struct slice body, struct json_t **out,
                     struct error *e) MUST_CHECK;
/* What the last refusal lists under "problems", each with its place: borrowed
 * until the next request; NULL: it has none. */
struct json_t *client_problems (const struct client *self);
/* POST with a body, for what has no answer but that it is done. */
enum err client_send (struct client *self, const struct buf *path,
                      const char *type, struct slice body, struct error *e)
    MUST_CHECK;
/* POST of nothing, for what has no answer but that it is done. */
enum err client_tell (struct client *self, const struct buf *path,
                      struct error *e) MUST_CHECK;
enum err client_delete (struct client *self, const struct buf *path,
                        struct error *e) MUST_CHECK;

/* GET what may be long or endless: octets as they come. `take` may end it by
 * returning an error, which is passed on. Ends well at the end of the answer;
 * ERR_STATE: cut off, or nothing for CLIENT_SILENCE_S. `last_id`: the header
 * Last-Event-ID, or NULL. */
#define CLIENT_SILENCE_S 45 /* three of the agent's signs of life */
typedef enum err client_take_fn (void *arg, struct slice octets,
                                 struct error *e);
enum err client_stream (struct client *self, const struct buf *path,
                        const char *last_id, client_take_fn *take, void *arg,
                        struct error *e) MUST_CHECK;
/* The same, asking for a media type: ERR_DAMAGED where the answer is of another
 * one, and `take` was given nothing of it. */
enum err client_stream_type (struct client *self, const struct buf *path,
                             const char *type, client_take_fn *take, void *arg,
                             struct error *e) MUST_CHECK;

#endif
