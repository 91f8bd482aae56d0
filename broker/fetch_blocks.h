/* fetch_blocks - parts of a stream for one delegation: what it may read as
 * blocks, what it may not as a stretch (PROTOCOL.md sections 5.4, 8.3, 8.5).
 * Of fetch's thread. */
#ifndef PARLEY_FETCH_BLOCKS_H
#define PARLEY_FETCH_BLOCKS_H

#include "job.h"
#include "state.h"

/* May the delegation ask for a stream of this name at all? Of a channel that
 * no roster has any more it still has what it wrote. */
bool fetch_may_ask (const char *delegation, struct slice stream);

/* The last number of a stream that the delegation is told: of one that it reads
 * no more, the last one before the roster that ended it, since what came later
 * is not its to count. ERR_RIGHT: it never read it. Other errors are our
 * store's. */
enum err fetch_last (struct state *state, const char *delegation,
                     const char *stream, int64_t *last, struct error *e)
    MUST_CHECK;

/* May a cover end between numbers `number` and the next one of a stream? Not
 * where one roster hides both from the delegation: a cover would say where in
 * the ledger a record stands that is no business of its. Both are there. An
 * error is our store's. */
enum err fetch_may_cut (struct state *state, const char *delegation,
                        const char *stream, int64_t number, bool *may,
                        struct error *e) MUST_CHECK;

/* Fills the job's reply and blocks. `name` is the stream asked for, with a NUL;
 * `last` is fetch_last's. An error is our store's. */
enum err fetch_blocks (struct state *state, struct job *job, const char *name,
                       int64_t last, const struct wire_fetch *wanted,
                       struct error *e) MUST_CHECK;

/* The lowest numbers from which all is readable to the delegation, for each of
 * `count` streams: streams[i].readable_from from its name and last number. */
enum err fetch_readable_from (struct state *state, const char *delegation,
                              struct wire_stream *streams, size_t count,
                              struct error *e) MUST_CHECK;

#endif
