/* events - a live feed of records over HTTP: server-sent events (DESIGN section
 * 9).
 *
 * Each client has a cursor, and what it has not read yet is looked up again in
 * the store when it reads on: a slow one keeps nothing in memory and slows
 * nobody. */
#ifndef PARLEY_API_EVENTS_H
#define PARLEY_API_EVENTS_H

#include "base/buf.h"
#include "store/store.h"

#include <stdint.h>

/* At most so much is made ready at once for a client; one record is always
 * taken. */
#define EVENTS_OCTETS_MAX 262144
#define EVENTS_RECORDS_MAX 256

struct events {
    const char *run;    /* of the store, that ids are of; borrowed */
    int64_t position;   /* all up to it was given */
    const char *filter; /* NULL: all */
    bool log;
    /* Not of this store, or of a run that ended before it: a gap comes first,
     * and then all behind `common` (store_common). */
    bool lost;
    int64_t common;
};

/* Append the next records behind the cursor as events, and move it. An id is
 * "RUN-POSITION". A cursor that is lost, as after the store was put back, or above
 * all that it holds: a `gap` event, and on from where nothing can be missing, so
 * that records may come twice. Nothing is appended where there is nothing. */
enum err events_write (struct events *self, struct store *store,
                       struct buf *out, struct error *e) MUST_CHECK;

#endif
