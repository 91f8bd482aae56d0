/* handed - promised records that this store does not hold: what was handed in on
 * channels that this delegation may not read (PROTOCOL.md section 8.12). */
#ifndef PARLEY_HANDED_H
#define PARLEY_HANDED_H

#include "base/topic.h"
#include "store.h"

struct handed_row {
    int64_t number; /* of the promise in this store */
    int64_t sequence;
    struct hash id, leaf;
    char topic[TOPIC_MAX + 1]; /* of its batch; "": not known any more */
};
/* The next one that was not seen to (handed_done) of this epoch, whose place is
 * below `sequence`, in the order in which the promises came. ERR_NOT_FOUND:
 * none now. Call it when all that may be read below `sequence` is held. */
enum err handed_next (struct store *self, int64_t epoch, int64_t sequence,
                      struct handed_row *out, struct error *e) MUST_CHECK;
/* This one, and those before it, are seen to. */
enum err handed_done (struct store *self, int64_t number, struct error *e)
    MUST_CHECK;

#endif
