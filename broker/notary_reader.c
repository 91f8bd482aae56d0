/* notary_reader - blocks as they stand in the journal, against the leaf hashes
 * that the index has of them. */
#include "notary_impl.h"

#include <inttypes.h>

void notary_reader_free (struct notary_reader *self) {
    buf_free (&self->octets);
    buf_free (&self->stored);
}

/* Is it our store that is wrong, or the moment? */
static enum err judge (enum err rc, int64_t sequence, struct error *e) {
    if (rc == ERR_IO || rc == ERR_NO_SPACE || rc == ERR_DAMAGED)
        return rc;
    return error_at (e, "record %" PRId64, sequence), ERR_DAMAGED;
}

static enum err block_get (struct notary_reader *self, int64_t sequence,
                           struct block *block, struct error *e) {
    enum err rc = journal_read_block (self->journal, sequence, &self->octets,
                                      block, e);
    if (!rc
        && (sequence < block->first_sequence
            || sequence - block->first_sequence >= (int64_t) block->count))
        rc = error_set (e, ERR_DAMAGED,
                        "record %" PRId64 ": another block stands there",
                        sequence);
    return rc;
}

static enum err compare (struct notary_reader *self, struct error *e) {
    buf_clear (&self->stored);
    enum err rc = journal_leaves (self->journal, self->first,
                                  (int64_t) self->count, &self->stored, e);
    if (!rc && self->stored.size != self->count * HASH_SIZE)
        rc = error_set (e, ERR_DAMAGED,
                        "the index has no leaf hashes for records %" PRId64
                        " to %" PRId64,
                        self->first, self->first + (int64_t) self->count - 1);
    for (size_t i = 0; !rc && i < self->count; i++) {
        self->place = self->first + (int64_t) i;
        if (memcmp (self->leaves[i].octets, self->stored.data + i * HASH_SIZE,
                    HASH_SIZE)
            != 0)
            rc = error_set (e, ERR_DAMAGED,
                            "record %" PRId64 " as the journal has it is not "
                            "the one whose leaf hash the index has",
                            self->place);
    }
    return rc;
}

enum err notary_read (struct notary_reader *self, int64_t sequence,
                      struct error *e) {
    struct block block;
    self->place = self->first = sequence;
    self->count = 0;
    enum err rc = block_get (self, sequence, &block, e);
    if (rc)
        return judge (rc, sequence, e);
    struct block_walk w;
    block_walk (&block, &w);
    while (block_next (&w))
        if (block.first_sequence + (int64_t) w.index >= sequence)
            self->leaves[self->count++] = record_leaf (w.record);
    rc = compare (self, e);
    return rc ? judge (rc, self->place, e) : ERR_NONE;
}
