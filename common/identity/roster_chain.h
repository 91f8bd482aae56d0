/* roster_chain - from one roster to the next, and back to the dialogue id
 * (PROTOCOL.md section 5.3, "Chain"). */
#ifndef PARLEY_ROSTER_CHAIN_H
#define PARLEY_ROSTER_CHAIN_H

#include "identity/roster.h"

/* Is `self` a first roster, signed by its own threshold? ERR_SIGNATURE names
 * how many of how many signed; ERR_CHAIN. */
enum err roster_founds (const struct roster *self, struct error *e) MUST_CHECK;

/* Does `next` follow `self`: predecessor's digest, dialogue, version, epoch,
 * and both thresholds? ERR_CHAIN (older, other branch, other dialogue, version
 * gap, epoch), ERR_SIGNATURE (which threshold, how many of how many). */
enum err roster_follows (const struct roster *self, const struct roster *next,
                         struct error *e) MUST_CHECK;

/* The backward rule: `older` is what `newer` names as its predecessor, by
 * digest alone; signatures are not asked (they were, going forward). */
enum err roster_precedes (const struct roster *older,
                          const struct roster *newer, struct error *e)
    MUST_CHECK;

/* Own threshold of a roster of any version, for a file that an agent is given
 * beside the dialogue id. *have, *need may be NULL. */
enum err roster_self_signed (const struct roster *self, int *have, int *need,
                             struct error *e) MUST_CHECK;

/* All rosters known of one dialogue, by version and by their record. Used by
 * whoever judges records of the past. Not thread-safe. */
struct roster_chain;

struct roster_chain *roster_chain_new (void) MUST_CHECK;
void roster_chain_destroy (struct roster_chain **self_p);
/* Append the next one (takes a reference). `sequence`: the place of its record.
 * The first added must found. ERR_CHAIN, ERR_SIGNATURE, as above. */
enum err roster_chain_add (struct roster_chain *self, struct roster *next,
                           int64_t sequence, struct error *e) MUST_CHECK;
/* Those whose records stand at or above `sequence` go: an epoch begins there. */
void roster_chain_cut (struct roster_chain *self, int64_t sequence);
size_t roster_chain_count (const struct roster_chain *self);
/* Borrowed; NULL where there is none. `sequence` out may be NULL. */
struct roster *roster_chain_last (const struct roster_chain *self,
                                  int64_t *sequence);
struct roster *roster_chain_by_version (const struct roster_chain *self,
                                        int64_t version, int64_t *sequence);
/* In order, from 0: versions may have gaps, these have none. */
struct roster *roster_chain_nth (const struct roster_chain *self, size_t n,
                                 int64_t *sequence);
/* The one whose own record is exactly `sequence` (a record's element 5). */
struct roster *roster_chain_by_record (const struct roster_chain *self,
                                       int64_t sequence);
/* The one in force at a place: the last whose record is at or below it. */
struct roster *roster_chain_at (const struct roster_chain *self,
                                int64_t sequence);

#endif
