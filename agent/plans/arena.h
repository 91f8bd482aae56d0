/* arena - memory of one structure that is let go as a whole. */
#ifndef PARLEY_ARENA_H
#define PARLEY_ARENA_H

#include "base/buf.h"

struct arena_chunk;
struct arena { /* zeroed is empty */
    struct arena_chunk *last;
    size_t used, room; /* octets of the last chunk */
};

/* For what is small: the first chunk has `room` octets, not 2048. Before anything
 * is in it. */
void arena_start (struct arena *self, size_t room);
/* Zeroed, aligned for anything; NULL for none. */
void *arena_alloc (struct arena *self, size_t size) MUST_CHECK;
/* A copy with a NUL behind it. */
const char *arena_text (struct arena *self, struct slice text) MUST_CHECK;
void arena_free (struct arena *self);

#endif
