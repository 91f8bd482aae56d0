/* streams - the root over the streams that each mark has (PROTOCOL.md section
 * 7.4): to a reader it proves what it has to hold, to no other anything.
 *
 * Of commit's thread. What a stream holds is asked again only where it has
 * grown since the last mark. */
#ifndef PARLEY_STREAMS_H
#define PARLEY_STREAMS_H

#include "format/mark.h"
#include "ledger/journal.h"

struct streams;

/* Borrows the broker's identity, whose veil key makes the salts. */
struct streams *streams_new (const struct identity *broker) MUST_CHECK;
void streams_destroy (struct streams **self_p);

/* The root that a mark at `mark` under `roster` has, where the journal holds
 * all that the streams have below it. Errors: the journal's. */
enum err streams_root (struct streams *self, const struct journal *journal,
                       const struct roster *roster, int64_t mark,
                       struct hash *out, struct error *e) MUST_CHECK;

/* The same of `all`, one for each stream of the roster in its order, whose
 * salts are filled in here. */
struct hash streams_root_of (const uint8_t veil[KEY_SIZE], int64_t mark,
                             struct mark_stream *all, size_t count);

#endif
