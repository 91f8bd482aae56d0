/* seen - what a reader of many records has to remember: a table from any
 * octets to four numbers. Keys are kept as 16 octets of their SHA-256, so that
 * nobody can make two of them meet. One owner. */
#ifndef PARLEY_SEEN_H
#define PARLEY_SEEN_H

#include "base/hash.h"

struct seen_value {
    int64_t n[4];
};

struct seen;
struct seen *seen_new (void) MUST_CHECK;
void seen_destroy (struct seen **self_p);

/* The value of a key, zeros where it is new, which *added says (may be NULL).
 * Borrowed until the next call. */
struct seen_value *seen_put (struct seen *self, const struct slice *parts,
                             size_t count, bool *added);
/* NULL where it is not there. */
struct seen_value *seen_get (struct seen *self, const struct slice *parts,
                             size_t count);
size_t seen_count (const struct seen *self);

#endif
