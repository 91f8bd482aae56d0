/* epochs - the agent's steps where a new epoch begins (PROTOCOL.md section 7.7):
 * is its base our own ledger, and not below what has settled? Then what stands
 * above it here is void. */
#ifndef PARLEY_EPOCHS_H
#define PARLEY_EPOCHS_H

#include "core.h"

/* Judge the base of a roster that follows by its signatures, and go back to it;
 * a commit is left to the caller. Nothing is done where that very roster was
 * entered before. ERR_CHAIN: refused, and the alarm is raised; the store's
 * errors. What is held of the ledger in memory is to be read anew. */
enum err epochs_enter (struct core *core, const struct roster *next,
                       struct error *e) MUST_CHECK;

/* At a start: the roster to begin with. The configured one, but where it opens an
 * epoch whose base is refused here, or that this store's rosters do not lead to:
 * then the store's newest. A reference in *out. */
enum err epochs_start (struct core *core, struct roster *configured,
                       struct roster **out, struct error *e) MUST_CHECK;

/* Has our tree the base of this roster's epoch? *reached: it is that long.
 * ERR_CHAIN: it has another root there; the alarm is not raised. */
enum err epochs_base (const struct core *core, const struct roster *roster,
                      bool *reached, struct error *e) MUST_CHECK;
/* That alarm. The evidence: the roster, and the newest verified checkpoint. */
enum err epochs_refuse (struct core *core, const struct roster *roster,
                        const char *why, struct error *e) MUST_CHECK;

#endif
