/* hash_stream - nettle's SHA-256, as in hash.c. */
#include "base/hash_stream.h"

void hash_stream_begin (struct hash_stream *self) {
    sha256_init (&self->state);
}

void hash_stream_add (struct hash_stream *self, struct slice data) {
    sha256_update (&self->state, data.size, data.data);
}

struct hash hash_stream_end (struct hash_stream *self) {
    struct hash out;
    sha256_digest (&self->state, HASH_SIZE, out.octets);
    return out;
}
