/* scrub - an idle agent reads its store again, a little at a time: each block
 * against its checksums and the leaf hashes that were noted when it came. Damage
 * is a notice that names the records (STORE-DAMAGED); the desk is asked for the
 * block again, and one that has the same leaf hashes takes its place
 * (STORE-MENDED). Of the link's thread.
 *
 * Some blocks each half second, when nothing is lacking, waits or was written;
 * once through, it rests for an hour. */
#ifndef PARLEY_LINK_SCRUB_H
#define PARLEY_LINK_SCRUB_H

#include "core.h"

struct scrub;
struct scrub *scrub_new (struct core *core) MUST_CHECK;
void scrub_destroy (struct scrub **self_p);
void scrub_end (struct scrub *self); /* the desk is gone */

/* While idle. Errors: the store's, or the link's. */
enum err scrub_tick (struct scrub *self, int64_t now, struct error *e)
    MUST_CHECK;
/* *mine: it was asked here. */
enum err scrub_reply (struct scrub *self, const struct reply *reply, bool *mine,
                      struct error *e) MUST_CHECK;

#endif
