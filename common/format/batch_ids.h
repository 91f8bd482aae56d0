/* batch_ids - the ids of a batch's messages, brought together from the records
 * that a block has of it and from those that stand beside them (PROTOCOL.md
 * section 7.2). Of block_verify and block_cut; it belongs on a stack. */
#ifndef PARLEY_BATCH_IDS_H
#define PARLEY_BATCH_IDS_H

#include "format/record.h"

struct batch_ids {
    size_t size; /* of the batch, 1..BATCH_MAX */
    size_t known;
    bool has[BATCH_MAX];
    struct hash ids[BATCH_MAX]; /* by index, where has[index] */
};

void batch_ids_begin (struct batch_ids *self, size_t size);
/* The id at a record's index. ERR_MALFORMED: there already, or of a batch of
 * another size. */
enum err batch_ids_put (struct batch_ids *self, const struct record *record,
                        const struct hash *id, struct error *e) MUST_CHECK;
/* All others, ascending by index; 32 octets each. ERR_MALFORMED: not as many
 * as are missing. */
enum err batch_ids_fill (struct batch_ids *self, struct slice hashes,
                         struct error *e) MUST_CHECK;

#endif
