/* facets - what a record says of an action in the respects that others rely on
 * (threads/THREADS.md section 6, "asked again"): kept also of revisions whose
 * content was let go of, so that what changed since can be told. */
#ifndef PARLEY_FACETS_H
#define PARLEY_FACETS_H

#include "base/buf.h"

#include <stdbool.h>

struct json_t;

enum facet {
    FACET_PRIORITIES,
    FACET_REGIONS,
    FACET_DATES,
    FACET_LEAD,
    FACET_PARTNERS, /* co-leads, too */
    FACET_CANCELLED,
    FACETS
};
#define FACET_SIZE 16
struct facets_of { /* an action; lists are sets, dates as they stand */
    const char *id;
    uint8_t at[FACETS][FACET_SIZE];
};

struct facets;
/* Of a checked list of actions (NULL: of none). */
struct facets *facets_read (const struct json_t *actions) MUST_CHECK;
void facets_free (struct facets **self_p);
/* NULL: it has no such action. Borrowed. */
const struct facets_of *facets_find (const struct facets *self, const char *id);
/* Bits 1 << facet of those that differ. */
unsigned facets_differ (const struct facets_of *a, const struct facets_of *b);

#endif
