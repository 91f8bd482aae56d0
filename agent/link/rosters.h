/* rosters - which rosters this agent takes for those of its dialogue
 * (PROTOCOL.md section 5.3, "Chain").
 *
 * Two ways meet. From the configured file (or the newest one known) on, newer
 * rosters are followed by signatures, and older ones named by digests, back to
 * the dialogue id: `pins`. From record 0 on, `$log` brings each roster with its
 * place, and one that differs from its pin is refused. Old root keys that were
 * lost can so make no past. One owner, not thread-safe. */
#ifndef PARLEY_ROSTERS_H
#define PARLEY_ROSTERS_H

#include "identity/roster_chain.h"

#include <stdbool.h>

#define ROSTERS_MAX                                                            \
    100000 /* versions: 3.3 MB of digests, one an hour for
                              eleven years */

struct rosters;
#define ROSTERS_IN_FORCE (-1) /* rosters_wanted: whichever is in force */

/* `configured` is referenced. ERR_CONFIG: of another dialogue, a version above
 * ROSTERS_MAX; ERR_SIGNATURE: its own threshold did not sign it. */
struct rosters *rosters_new (const struct hash *dialogue,
                             struct roster *configured, struct error *e)
    MUST_CHECK;
void rosters_destroy (struct rosters **self_p);

/* From now on a roster that opens an epoch is taken as the newest one only where
 * `enter` returns 0 (PROTOCOL.md section 7.7): it judges the base, and has cut
 * the store there. The chain is then cut too. Before, all are taken. */
typedef enum err rosters_enter (void *arg, struct roster *next,
                                struct error *e);
void rosters_guard (struct rosters *self, rosters_enter *enter, void *arg);

/* The next one of `$log`, with its record's sequence: from the store at start,
 * then from blocks. One that is there already with the same place is fine.
 * ERR_CHAIN, ERR_SIGNATURE, roster_read's: evidence. ERR_STATE: it opens an
 * epoch that is not known here (rosters_guard): the desk is to be asked first.
 * Blocks are judged only where rosters_wanted says 0: the way back is whole. */
enum err rosters_learn (struct rosters *self, struct slice note,
                        int64_t sequence, struct error *e) MUST_CHECK;

/* What to ask the desk for next (request 5): a version, or ROSTERS_IN_FORCE, or 0
 * where the newest is known and the way back is whole. rosters_ask_again starts
 * over with the newest. A new epoch may leave versions out: with rosters_guard,
 * the one in force is asked for where the next version is none, and those
 * between then. */
int64_t rosters_wanted (const struct rosters *self);
void rosters_ask_again (struct rosters *self);
/* The desk's answer to rosters_wanted; an empty note: NOT-FOUND. */
enum err rosters_answer (struct rosters *self, struct slice note,
                         struct error *e) MUST_CHECK;

/* Borrowed. */
const struct roster_chain *rosters_chain (const struct rosters *self);
struct roster *rosters_newest (const struct rosters *self);
/* Its record, or -1 where `$log` has not shown it yet. */
int64_t rosters_newest_sequence (const struct rosters *self);

#endif
