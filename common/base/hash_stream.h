/* hash_stream - SHA-256 of what comes piece by piece; hash.h is for all that is
 * there as a whole. */
#ifndef PARLEY_HASH_STREAM_H
#define PARLEY_HASH_STREAM_H

#include "base/hash.h"

#include <nettle/sha2.h>

struct hash_stream {
    struct sha256_ctx state;
};
/* Begin, add, end; which begins anew. */
void hash_stream_begin (struct hash_stream *self);
void hash_stream_add (struct hash_stream *self, struct slice data);
struct hash hash_stream_end (struct hash_stream *self);

#endif
