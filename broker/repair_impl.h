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
    struct source_promise *promises; /* of all sources, by sequence */
    size_t promise_count;
    bool contradicted; /* two of them tell of one place, and not the same */
    uint8_t *voices;   /* NULL; or of each record of the block in hand, how many
                        bodies' bundles know its leaf hash */
    bool rebuild;      /* the journal is written anew */
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

/* Leaf hashes of what is to be appended, so that it stays the same. */
void repair_leaves_keep (struct repair *self, const struct block *block);

/* repair_tail */

/* All promises, sorted. ERR_CHAIN: two that contradict each other. */
enum err repair_promises (struct repair *self, struct error *e) MUST_CHECK;
/* Is a record what was promised of its place? ERR_CHAIN. */
enum err repair_promised (struct repair *self, int64_t sequence, int64_t epoch,
                          const struct hash *leaf, struct error *e) MUST_CHECK;
/* Behind [.., report->target), which a checkpoint proves: as far as promises
 * do. */
enum err repair_tail (struct repair *self, struct error *e) MUST_CHECK;

/* repair_rebuild: a journal with a header damaged, or a segment missing or short.
 */

/* In place of reading it by mend: its blocks, and those of bundles under a
 * checkpoint where they can't be read. */
enum err repair_rebuild_read (struct repair *self, struct error *e) MUST_CHECK;
/* All of that as a journal, which takes the old one's place in one step. */
enum err repair_rebuild_write (struct repair *self, struct error *e) MUST_CHECK;

/* repair_write */

/* One journal in the making: blocks in order, counted, grouped. */
struct append;
struct append *append_open (struct repair *repair, const char *dir,
                            struct error *e) MUST_CHECK;
enum err append_block (struct append *self, struct slice block, struct error *e)
    MUST_CHECK;
enum err append_flush (struct append *self, struct error *e) MUST_CHECK;
void append_close (struct append **self_p);

/* Append [report->size, report->target) as it was judged. */
enum err repair_append (struct repair *self, struct error *e) MUST_CHECK;
/* The newest settled checkpoint, and those that handed over on the way, into
 * the folder where the notary keeps them. */
enum err repair_checkpoints (struct repair *self, struct error *e) MUST_CHECK;

#endif
