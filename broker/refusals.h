/* refusals - what was refused, with its signature: kept, so that author and
 * operator can ask later (PROTOCOL.md sections 7.3 and 8.6).
 *
 * In the state folder, `refusals/ENTITY.name` and `ENTITY.name.old` for each
 * delegation: entries, each one reply with a checksum, not synced. Where the
 * first would pass half of the bound it takes the place of the second: nobody's
 * refusals push out another's. Thread-safe. */
#ifndef PARLEY_REFUSALS_H
#define PARLEY_REFUSALS_H

#include "wire/wire.h"

#define REFUSALS_OCTETS_MAX 1048576 /* of both files of a delegation */

struct refusals;
/* Makes the folder where there is none; files are read at their first use, when
 * a torn or damaged end is cut and logged. NULL: ERR_IO, ERR_NO_SPACE, or what
 * is no folder stands there. */
struct refusals *refusals_open (const char *dir, struct error *e) MUST_CHECK;
void refusals_close (struct refusals **self_p);
/* All refused entries of one reply to `connection`; `author` of the batch, empty
 * where it could not be read. RATE, NO-SPACE and CLOCK are not kept: the author
 * waits and tries again. A failure is logged once and does not stop anything:
 * the author holds the signed answer. */
void refusals_add (struct refusals *self, const char *connection,
                   struct slice author, const struct promise *promise,
                   const struct promise_refused *refused, size_t count);
/* Refusals of requests by `delegation` (its connection), from number `from`,
 * at most `most`, as the elements of 8.6. Each delegation's count from 1, without
 * holes; the oldest are forgotten. At least one where there is one, then no more
 * than REFUSALS_LIST_MAX octets. Returns how many were appended. */
#define REFUSALS_LIST_MAX 1000000
size_t refusals_list (struct refusals *self, const char *delegation,
                      int64_t from, size_t most, struct buf *out);

#endif
