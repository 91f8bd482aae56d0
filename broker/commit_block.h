/* commit_block - the records of a group as blocks for journal and feed
 * (PROTOCOL.md section 7.2): where a new block begins, and what stands beside a
 * batch that is not whole in it. Of commit's thread. */
#ifndef PARLEY_COMMIT_BLOCK_H
#define PARLEY_COMMIT_BLOCK_H

#include "feed.h"

struct blocks;

struct blocks *blocks_new (void) MUST_CHECK;
void blocks_destroy (struct blocks **self_p);

/* A message that is recorded: its index in the batch, and its record's octets
 * in the group's scratch. */
struct placed {
    size_t index;
    size_t at, size;
};
/* Those of one batch, ascending by index; `first` is the first one's record,
 * and the others' but for places and payload. */
void blocks_batch (struct blocks *self, const struct batch *batch,
                   const struct record *first, const struct placed *placed,
                   size_t count, const uint8_t *scratch);
/* Records of $log. `place` says sequence, channel sequence and log time;
 * returns the leaf. `root`: streams_root. */
struct hash blocks_roster (struct blocks *self, const struct record *place,
                           struct roster *roster);
struct hash blocks_mark (struct blocks *self, const struct record *place,
                         const struct roster *roster, const struct hash *root);

/* Octets of all blocks so far. */
size_t blocks_octets (const struct blocks *self);
/* No more records: all blocks in order, for journal_write; borrowed until
 * blocks_clear. `leaves` are those of all records, `first` the first one's
 * sequence. */
struct journal_block *blocks_finish (struct blocks *self, int64_t first,
                                     const struct hash *leaves, size_t *count);
size_t blocks_count (const struct blocks *self); /* after blocks_finish */
/* Block n; the caller's reference. Once each. */
struct feed_block *blocks_take (struct blocks *self, size_t n);
/* None any more; what was not taken is given up. */
void blocks_clear (struct blocks *self);

#endif
