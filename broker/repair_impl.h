/* What the files of repair share. Only for repair*.c. */
#ifndef PARLEY_REPAIR_IMPL_H
#define PARLEY_REPAIR_IMPL_H

#include "counters.h"
#include "ledger/mend.h"
#include "repair.h"
#include "repair_sources.h"

struct repair {
    const struct settings *settings; /* borrowed */
    struct identity *broker;
    struct hash dialogue;
    struct sources sources;
    struct mend *mend;
    struct counters *counters; /* as a replay of all so far leaves them */
    struct tree tree;          /* of all so far */
    bool holes;                /* a record is not here: counters have stopped */
    bool no_tree;              /* nor its leaf hash: no root can be known */
    size_t lost;       /* the source of the block that mend was given last */
    struct buf leaves; /* hashes of what is to be appended */
    struct repair_report *report;
};

/* One block more, ours or not, against all bundles; counted where no record
 * before it lacks. `verify`: signatures and rights too. */
enum err repair_block (struct repair *self, const struct block *block,
                       const struct block_facts *facts, bool verify,
                       struct error *e) MUST_CHECK;
/* Records that are not here: leaf hashes from the bundles. */
enum err repair_hole (struct repair *self, int64_t first, int64_t end,
                      const char *place, struct error *e) MUST_CHECK;

/* repair_write */

/* Append [report->size, report->target) as it was judged. */
enum err repair_append (struct repair *self, struct error *e) MUST_CHECK;
/* The newest settled checkpoint, and those that handed over on the way, into
 * the folder where the notary keeps them. */
enum err repair_checkpoints (struct repair *self, struct error *e) MUST_CHECK;

#endif
