/* quorum - who of a roster's witnesses cosigned a checkpoint, and whether that
 * settles it (PROTOCOL.md section 7.5).
 *
 * Pure functions. */
#ifndef PARLEY_QUORUM_H
#define PARLEY_QUORUM_H

#include "identity/checkpoint.h"

#define QUORUM_WITNESSES_MAX ROSTER_WITNESSES_MAX

/* When `witness` cosigned, by its present key or, at a time before its `until`,
 * by its older one: a member that changes its keys goes on with the older until
 * the handover is done. As checkpoint_cosigned: 0, it did not; ERR_SIGNATURE,
 * which a key is too that is not valid then (expired, revoked). */
enum err quorum_cosigned (const struct roster_delegation *witness,
                          const struct checkpoint *self,
                          const struct note *note, int64_t *time,
                          struct error *e) MUST_CHECK;

struct quorum {
    size_t witnesses, cosigned, needed;
    int64_t times[QUORUM_WITNESSES_MAX]; /* s, by the roster's order; 0: not */
    int64_t time;  /* when the quorum was whole: the needed-th earliest; 0 */
    int64_t bound; /* the (f+1)-th earliest, f = 2 needed - witnesses - 1: so
                      early at least one honest witness had seen it; 0: too few,
                      or a quorum so small that f is below 0 */
};
/* A witness's line that is wrong counts as none: *bad (may be NULL) is how
 * many. Without witnesses the log's word is all there is: a quorum of 0 of 0.
 * Whether the log signed is not asked here. */
void quorum_judge (const struct roster *roster, const struct checkpoint *self,
                   const struct note *note, struct quorum *out, size_t *bad);
/* The same by a holder of the newest mark below the checkpoint: of the times,
 * only lines count that are dated near that mark's log time, ms (0: it holds
 * none). An honest witness dates none else; how many cosigned stays as it is.
 */
#define QUORUM_NEAR_MS 125000 /* two minutes, and a message's way */
void quorum_near (struct quorum *self, int64_t mark_ms);
static inline bool quorum_whole (const struct quorum *self) {
    return self->cosigned >= self->needed;
}

/* May `next` be settled, where `last` (NULL: none) was the roster at the end of
 * the newest checkpoint that settled before, and `now` is the one at its own
 * end? The handover rule: a quorum of each; of `now` alone where its epoch is
 * another one. ERR_RIGHT says which lacks how many. */
enum err quorum_settles (const struct roster *last, const struct roster *now,
                         const struct checkpoint *next, const struct note *note,
                         struct error *e) MUST_CHECK;

/* A policy (policy.h) refuses a note for one line that is wrong, though a quorum
 * is whole. Does this line count by `now` or `last` (NULL: none), and is it
 * wrong under no key of its name there? */
bool quorum_line_good (const struct roster *last, const struct roster *now,
                       const struct checkpoint *self, const struct note *note,
                       size_t line);
/* The note anew: the lines under the log's name, and of the others those that
 * are good, one of a key. Appended to `out`. */
void quorum_clean (const struct roster *last, const struct roster *now,
                   const struct checkpoint *self, const struct note *note,
                   struct buf *out);

#endif
