/* refusals - what was refused, with its signature: kept, so that author and
 * operator can ask later (PROTOCOL.md sections 7.3 and 8.6).
 *
 * A file of entries in the state folder, each with a checksum, not synced; the
 * older half goes when it passes its bound. Thread-safe. */
#ifndef PARLEY_REFUSALS_H
#define PARLEY_REFUSALS_H

#include "wire/wire.h"

#define REFUSALS_OCTETS_MAX 33554432 /* of the file; then the older half goes */

struct refusals;
/* Makes the file where there is none. A torn or damaged end is cut and logged.
 * NULL: ERR_IO, ERR_NO_SPACE. */
struct refusals *refusals_open (const char *dir, struct error *e) MUST_CHECK;
void refusals_close (struct refusals **self_p);
/* All refused entries of one reply. A failure is logged once and does not stop
 * anything: the author holds the signed answer. */
void refusals_add (struct refusals *self, const char *connection,
                   const struct promise *promise,
                   const struct promise_refused *refused, size_t count);
/* Refusals of requests by `delegation` (its connection), from number `from`,
 * at most `most`, as the elements of 8.6. Returns how many were appended. */
size_t refusals_list (struct refusals *self, const char *delegation,
                      int64_t from, size_t most, struct buf *out);

#endif
