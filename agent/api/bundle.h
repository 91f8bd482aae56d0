/* bundle - what the files of an export agree on: its limits, and what of the
 * store they show (PROTOCOL.md section 8.10). */
#ifndef PARLEY_API_BUNDLE_H
#define PARLEY_API_BUNDLE_H

#include "api/request.h"
#include "ledger/bundle.h"

#include <sys/types.h>

/* From the query of a request: filter, author, since, until, headers (1: of
 * streams that the limits touch, records outside of them stand there by header),
 * and last. With a time, a stream is shown between the marks around it; which
 * those are is looked up here. NULL: answered with a problem. */
struct bundle_choice;
struct bundle_choice *bundle_choice_read (struct request *r,
                                          struct store *store) MUST_CHECK;
void bundle_choice_free (struct bundle_choice **self_p);
/* Filter, author, since and until; the rest is not set. */
const struct bundle_meta *bundle_choice_limits (
    const struct bundle_choice *self);
/* NUMBER_MAX - 1 where the query has none. */
int64_t bundle_choice_last (const struct bundle_choice *self);

/* Is this block in it? $log is, since it is what a block is checked with. */
bool bundle_shows (const struct bundle_choice *self, const struct block *block);
/* Append it, with the bodies that are in it, up to `last`. The writer's memory is
 * used. */
enum err bundle_block_put (const struct bundle_choice *self,
                           const struct block *block,
                           struct block_writer *writer, struct buf *out,
                           struct error *e) MUST_CHECK;

/* Does it show all of that stream, and between which marks (-1: from the first
 * on; to its newest claim)? */
struct bundle_span {
    char stream[MARK_NAME_MAX];
    int64_t after, before;
};
bool bundle_shows_all (const struct bundle_choice *self, const char *stream,
                       struct bundle_span *out);

/* What a file that is streamed has ready and not sent yet, as libmicrohttpd asks
 * for it: at most `room` octets to *out, counted in *sent; the end of the stream
 * where nothing is left. */
ssize_t bundle_give (const struct buf *ready, size_t *sent, char *out,
                     size_t room);

#endif
