/* follow - the agent's streams: hears the feed, fetches what it lacks, stores
 * what was verified (PROTOCOL.md sections 8.3, 8.5, 8.7, 8.8).
 *
 * `$log` goes first, since its rosters judge all others. A frame beyond the
 * next number waits in a bounded buffer while the gap is fetched. A block that
 * does not verify stops its stream, with an alarm; it is asked for again after
 * a back-off. Of the link's thread; nothing here waits. */
#ifndef PARLEY_FOLLOW_H
#define PARLEY_FOLLOW_H

#include "core.h"
#include "link.h"

#define FOLLOW_SILENCE_MS 30000 /* of a stream: the desk is asked */
#define FOLLOW_DEAF_MS 35000    /* of all: the feed's connection is lost */
#define FOLLOW_FETCHES 4        /* unanswered at once; one a stream */
#define FOLLOW_FETCH_OCTETS 1048576
#define FOLLOW_PENDING_MAX 16777216 /* octets of frames that wait */

struct follow;
struct follow *follow_new (struct core *core) MUST_CHECK;
void follow_destroy (struct follow **self_p);

/* After each hello: a new SUB, and all streams are asked for. `options` are the
 * socket's. The link is down: the SUB is closed and all is forgotten that the
 * store does not hold. */
enum err follow_begin (struct follow *self, const char *endpoint,
                       const struct sock_options *options, struct error *e)
    MUST_CHECK;
void follow_end (struct follow *self);
/* An epoch has cut the store: numbers as they are there now. Between two
 * connections. */
void follow_reload (struct follow *self);
void *follow_socket (struct follow *self); /* NULL while down */

/* Replies of type streams and fetch. Errors of these three: the store's, or
 * what the link has to be given up for. */
enum err follow_reply (struct follow *self, const struct reply *reply,
                       struct error *e) MUST_CHECK;
/* What the feed has brought, at most some hundred frames. */
enum err follow_hear (struct follow *self, struct error *e) MUST_CHECK;
/* Asks for what is due. At least each 500 ms. */
enum err follow_tick (struct follow *self, int64_t now, struct error *e)
    MUST_CHECK;

/* Every stream is held up to its last number that was heard of. */
bool follow_filled (const struct follow *self);
/* Streams in hand, from 0; NULL behind the last. *upto: held so far; *newer: it
 * waits for a newer version of this program. Until the next reply. */
const char *follow_stream (const struct follow *self, size_t n, int64_t *upto,
                           bool *newer);
/* Ask for what follows in this stream, though nothing is known to lack. */
void follow_check (struct follow *self, const char *stream);
/* What waits for a back-off is asked for now, and so are all streams. */
void follow_retry (struct follow *self);
void follow_status (const struct follow *self, struct link_status *out);

#endif
