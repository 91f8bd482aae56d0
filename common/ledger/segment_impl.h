/* What the writer and the reader of a segment share: the octets of its frames
 * (PROTOCOL.md section 7.6). Only for segment*.c and journal_mend.c. */
#ifndef PARLEY_SEGMENT_IMPL_H
#define PARLEY_SEGMENT_IMPL_H

#include "ledger/segment.h"

void segment_header_put (uint8_t out[SEGMENT_HEADER],
                         const struct segment_header *header);
/* ERR_DAMAGED. */
enum err segment_header_get (const uint8_t in[SEGMENT_HEADER],
                             struct segment_header *out, struct error *e)
    MUST_CHECK;

void group_header_put (uint8_t out[GROUP_HEADER], uint64_t group,
                       uint64_t offset, uint64_t seed);
/* false: not a header of this segment at this place. */
bool group_header_get (const uint8_t in[GROUP_HEADER], uint64_t offset,
                       uint64_t seed, uint64_t *group) MUST_CHECK;

struct group_end {
    uint32_t blocks;
    uint64_t octets;   /* of the blocks */
    uint64_t checksum; /* of the blocks */
};
void group_end_put (uint8_t out[GROUP_END], const struct group_end *end,
                    uint64_t seed);
bool group_end_get (const uint8_t in[GROUP_END], uint64_t seed,
                    struct group_end *out) MUST_CHECK;

#endif
