/* verify - is this block what has to stand at this place of this stream?
 * (PROTOCOL.md sections 4, 5.3, 7.2, 8.9). Pure; nothing is kept.
 *
 * Everything that comes by feed or fetch passes here before it is stored or
 * shown. What a peer can send is answered with a verdict, never with less. */
#ifndef PARLEY_VERIFY_H
#define PARLEY_VERIFY_H

#include "format/block.h"
#include "identity/roster_chain.h"

enum verify_verdict {
    VERIFY_FINE,
    VERIFY_WAITS, /* names a roster that is not known yet */
    VERIFY_NEWER, /* a block format that this build does not know */
    VERIFY_BAD,   /* a lie or damage: evidence */
};

struct verify_place {
    struct slice stream; /* "$log", "members", "@EUROPOL" */
    int64_t first;       /* number in it of the block's first record */
    int64_t count;       /* records that were said to follow; -1: not said */
};

/* The octets alone: form, checksums, one channel, consecutive numbers, and that
 * this is the channel and the place that `place` names. *block is a view of
 * octets. Not VERIFY_WAITS. */
enum verify_verdict verify_form (struct slice octets,
                                 const struct verify_place *place,
                                 struct block *block, struct block_facts *facts,
                                 struct error *e) MUST_CHECK;

/* The note of the roster that the block brings as its first record; empty
 * where it brings none. Of the block's octets. */
struct slice verify_roster_note (const struct block *block,
                                 const struct block_facts *facts);

/* Signatures, keys and rights under the roster that the block names, which has
 * to be the one in force at its place. Records of a newer format count as fine
 * beside their leaf. After verify_form. Not VERIFY_NEWER. */
enum verify_verdict verify_judge (const struct block *block,
                                  const struct block_facts *facts,
                                  const struct hash *dialogue,
                                  const struct roster_chain *chain,
                                  struct error *e) MUST_CHECK;

#endif
