/* A ledger in small for the tests of receipts and evidence: the cast of
 * block_fixture with keys for the log and the witnesses, whose records stand
 * behind BUILD_FIRST leaves of anything. */
#ifndef PARLEY_PROOF_FIXTURE_H
#define PARLEY_PROOF_FIXTURE_H

#include "block_fixture.h"

#include "identity/checkpoint.h"

#define PROOF_ORIGIN "example.org/test/1"
#define PROOF_TIME INT64_C (1767225700) /* s */

struct proofs {
    struct cast cast;
    struct hash leaves[BUILD_FIRST + 2 * BATCH_MAX];
    size_t count;
};

/* The cast's document, whose log and witnesses are the cast's too. */
FIXTURE_UNUSED static json_t *proofs_document (const struct cast *cast) {
    json_t *d = cast_document (cast);
    cast_key (d, "log.key", identity_public (cast->broker, KEY_LOG));
    cast_key (d, "entities[0].delegations[0].keys[0].witness",
              identity_public (cast->hq, KEY_WITNESS));
    cast_key (d, "entities[1].delegations[0].keys[0].witness",
              identity_public (cast->frontex, KEY_WITNESS));
    return d;
}

FIXTURE_UNUSED static void proofs_begin (struct proofs *self) {
    cast_begin (&self->cast);
    roster_unref (&self->cast.roster);
    self->cast.roster = cast_roster (proofs_document (&self->cast));
    self->cast.dialogue = *roster_dialogue (self->cast.roster);
}

FIXTURE_UNUSED static void proofs_end (struct proofs *self) {
    cast_end (&self->cast);
}

/* Its leaves are those of `b` now. */
FIXTURE_UNUSED static void proofs_of (struct proofs *self,
                                      const struct build *b) {
    for (size_t i = 0; i < BUILD_FIRST; i++)
        self->leaves[i] = hash_leaf (slice_of (&i, sizeof i));
    for (size_t i = 0; i < b->count; i++)
        self->leaves[BUILD_FIRST + i] =
            record_leaf (buf_slice (&b->items[i].record));
    self->count = BUILD_FIRST + b->count;
}

/* The checkpoint of the first `size` leaves, signed by the log and by
 * EUROPOL/hq and FRONTEX/hq as far as `cosigned` says. */
FIXTURE_UNUSED static void proofs_checkpoint (const struct proofs *self,
                                              size_t size, int cosigned,
                                              struct buf *note) {
    struct checkpoint cp = { .origin = PROOF_ORIGIN,
                             .size = (int64_t) size,
                             .root = tree_root_of (self->leaves, size) };
    buf_clear (note);
    checkpoint_sign (&cp, self->cast.broker, note);
    if (cosigned > 0)
        checkpoint_cosign (&cp, self->cast.hq, PROOF_TIME, note);
    if (cosigned > 1)
        checkpoint_cosign (&cp, self->cast.frontex, PROOF_TIME + 1, note);
}

#endif
