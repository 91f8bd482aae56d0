/* streams - the trees over streams (PROTOCOL.md section 7.4), and what has to be
 * known beside them: the numbers that this delegation may not read, and which
 * number stands at which place of the ledger.
 *
 * A tree (hashes.h, under the stream's name) grows in order of number. Where
 * numbers may not be read it stops until the desk's cover of them is there
 * (section 8.12); what is stored behind them waits and follows then. Writers are
 * in their caller's transaction. */
#ifndef PARLEY_STREAMS_H
#define PARLEY_STREAMS_H

#include "format/block.h"
#include "store.h"

/* A verified block whose first record has number `first` in the stream; those
 * up to `upto` were added before. */
enum err streams_add (struct store *self, const char *stream, int64_t first,
                      int64_t upto, const struct block *block, struct error *e)
    MUST_CHECK;
/* Numbers that may not be read. They follow what was added before. */
enum err streams_hide (struct store *self, const char *stream, int64_t first,
                       int64_t last, struct error *e) MUST_CHECK;

/* Hidden numbers, in order: the first ones above `after`. ERR_NOT_FOUND. */
struct stream_span {
    int64_t first, last;
    bool covered;
};
enum err streams_hidden (struct store *self, const char *stream, int64_t after,
                         struct stream_span *out, struct error *e) MUST_CHECK;
/* Those that the tree waits for. ERR_NOT_FOUND: it waits for none. */
enum err streams_wanted (struct store *self, const char *stream,
                         struct stream_span *out, struct error *e) MUST_CHECK;
/* Their cover: what waited for it goes into the tree too. ERR_MALFORMED: of
 * another length. */
enum err streams_cover (struct store *self, const char *stream,
                        const struct stream_span *span,
                        const struct hash *cover, size_t length,
                        struct error *e) MUST_CHECK;

/* A mark counts `number` records, in the middle of hidden ones: they become two
 * spans there, whose covers are waited for anew, since one node of the cover may
 * stand for numbers on both sides. ERR_NOT_FOUND: none goes over it. */
enum err streams_cut (struct store *self, const char *stream, int64_t number,
                      struct error *e) MUST_CHECK;

/* The tree is not the one that a mark names: covers are wrong, perhaps. It goes
 * back to before the first one, and waits for all of them again. *some: there
 * are any. */
enum err streams_uncover (struct store *self, const char *stream, bool *some,
                          struct error *e) MUST_CHECK;

/* Neighbouring numbers that were added as one block, and the sequence of the
 * last of them: nearest below, and nearest above, a record of another stream.
 * ERR_NOT_FOUND: none. */
struct stream_place {
    int64_t first, last;
    int64_t sequence;
};
enum err streams_below (struct store *self, const char *stream,
                        int64_t sequence, struct stream_place *out,
                        struct error *e) MUST_CHECK;
enum err streams_above (struct store *self, const char *stream,
                        int64_t sequence, struct stream_place *out,
                        struct error *e) MUST_CHECK;

#endif
