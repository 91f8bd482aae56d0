/* batch_ids - see the header. Thread-safe: no state but the struct. */
#include "format/batch_ids.h"

#include <assert.h>

void batch_ids_begin (struct batch_ids *self, size_t size) {
    assert (size >= 1 && size <= BATCH_MAX);
    self->size = size;
    self->known = 0;
    memset (self->has, 0, sizeof self->has);
}

enum err batch_ids_put (struct batch_ids *self, const struct record *record,
                        const struct hash *id, struct error *e) {
    size_t index = record->batch_index;
    if (record->batch_size != self->size || index >= self->size
        || self->has[index])
        return error_set (e, ERR_MALFORMED,
                          "index %zu of %zu in a batch of %zu, or twice", index,
                          record->batch_size, self->size);
    self->has[index] = true;
    self->ids[index] = *id;
    self->known++;
    return ERR_NONE;
}

enum err batch_ids_fill (struct batch_ids *self, struct slice hashes,
                         struct error *e) {
    if (hashes.size != (self->size - self->known) * HASH_SIZE)
        return error_set (e, ERR_MALFORMED,
                          "%zu ids of %zu, and %zu octets for the others",
                          self->known, self->size, hashes.size);
    const uint8_t *at = hashes.data;
    for (size_t i = 0; i < self->size; i++) {
        if (self->has[i])
            continue;
        memcpy (self->ids[i].octets, at, HASH_SIZE);
        at += HASH_SIZE;
    }
    return ERR_NONE;
}
