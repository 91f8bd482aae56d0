/* claims - what marks were proved to say of our streams (PROTOCOL.md section
 * 7.4): kept, since with them an export shows what is missing from it. */
#ifndef PARLEY_CLAIMS_H
#define PARLEY_CLAIMS_H

#include "format/mark.h"
#include "store.h"

/* In the caller's transaction. Kept: those of the last day (by the marks' log
 * time), of older ones the first of each hour, and those of marks behind
 * rosters. Once more is fine. */
enum err claims_keep (struct store *self, int64_t mark, int64_t time,
                      bool behind_roster, const struct mark_claim *claim,
                      struct error *e) MUST_CHECK;
/* Forget what is not kept by that rule, at the end of a mark's claims. */
enum err claims_prune (struct store *self, int64_t time, struct error *e)
    MUST_CHECK;

/* One, msgpack as mark_claim_write has it, appended. ERR_NOT_FOUND. */
enum err claims_get (struct store *self, const char *stream, int64_t mark,
                     struct buf *claim, struct error *e) MUST_CHECK;
/* The newest one of a stream at a mark at or below this sequence: for an export
 * that ends there. *mark is its. ERR_NOT_FOUND. */
enum err claims_newest (struct store *self, const char *stream, int64_t upto,
                        int64_t *mark, struct buf *claim, struct error *e)
    MUST_CHECK;
/* Around a time (ms), of marks at or below `upto`: the newest that is earlier, or
 * the oldest that is `later`. ERR_NOT_FOUND. */
enum err claims_around (struct store *self, const char *stream, int64_t time,
                        bool later, int64_t upto, int64_t *mark,
                        struct buf *claim, struct error *e) MUST_CHECK;
/* Each stream that has one. */
enum err claims_streams (struct store *self,
                         enum err (*each) (void *arg, const char *stream,
                                           struct error *e),
                         void *arg, struct error *e) MUST_CHECK;
/* All at marks of [from, to] (to -1: no end), by mark and stream. Borrowed until
 * `each` returns, which may use the store; what it returns ends the walk. */
enum err claims_each (struct store *self, int64_t from, int64_t to,
                      enum err (*each) (void *arg, int64_t mark,
                                        struct slice claim, struct error *e),
                      void *arg, struct error *e) MUST_CHECK;

#endif
