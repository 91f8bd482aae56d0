/* seen - open addressing, at most half full. */
#include "ledger/seen.h"

#include <errno.h>
#include <stdlib.h>

#define KEY_OCTETS 16
#define SLOTS_MIN 64

struct slot {
    uint8_t key[KEY_OCTETS];
    struct seen_value value;
    bool used;
};
struct seen {
    struct slot *slots;
    size_t room; /* a power of two */
    size_t count;
};

struct seen *seen_new (void) {
    struct seen *self = mem_alloc (sizeof *self);
    self->room = SLOTS_MIN;
    self->slots = mem_alloc (self->room * sizeof *self->slots);
    return self;
}

void seen_destroy (struct seen **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    free ((*self_p)->slots);
    free (*self_p);
    *self_p = NULL;
    errno = saved;
}

/* The slot of a key, or the free one where it would stand. */
static struct slot *find (const struct seen *self, const uint8_t *key) {
    size_t at = (size_t) get_u64 (key) & (self->room - 1);
    while (self->slots[at].used
           && memcmp (self->slots[at].key, key, KEY_OCTETS) != 0)
        at = (at + 1) & (self->room - 1);
    return &self->slots[at];
}

static void grow (struct seen *self) {
    struct seen old = *self;
    self->room = 2 * old.room;
    self->slots = mem_alloc (self->room * sizeof *self->slots);
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i].used)
            *find (self, old.slots[i].key) = old.slots[i];
    free (old.slots);
}

struct seen_value *seen_put (struct seen *self, const struct slice *parts,
                             size_t count, bool *added) {
    struct hash key = hash_sha256_parts (parts, count);
    if (2 * (self->count + 1) > self->room)
        grow (self);
    struct slot *slot = find (self, key.octets);
    if (added)
        *added = !slot->used;
    if (!slot->used) {
        memcpy (slot->key, key.octets, KEY_OCTETS);
        slot->used = true;
        self->count++;
    }
    return &slot->value;
}

struct seen_value *seen_get (struct seen *self, const struct slice *parts,
                             size_t count) {
    struct hash key = hash_sha256_parts (parts, count);
    struct slot *slot = find (self, key.octets);
    return slot->used ? &slot->value : NULL;
}

size_t seen_count (const struct seen *self) {
    return self->count;
}
