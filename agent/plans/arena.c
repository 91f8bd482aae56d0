/* arena - chunks that double, up to a size. */
#include "arena.h"

#include <stdlib.h>

#define CHUNK_MIN 2048
#define CHUNK_MAX 65536
#define ALIGN 16

struct arena_chunk {
    struct arena_chunk *before;
    size_t pad; /* data is aligned as the chunk is */
    uint8_t data[];
};

static void add_chunk (struct arena *self, size_t size) {
    size_t room = self->room * 2;
    if (room == 0)
        room = CHUNK_MIN;
    if (room > CHUNK_MAX)
        room = CHUNK_MAX;
    if (room < size)
        room = size;
    struct arena_chunk *chunk = mem_alloc (sizeof *chunk + room);
    chunk->before = self->last;
    self->last = chunk;
    self->used = 0;
    self->room = room;
}

void arena_start (struct arena *self, size_t room) {
    self->used = self->room = room / 2; /* of no chunk: full, and it doubles */
}

void *arena_alloc (struct arena *self, size_t size) {
    if (size == 0)
        return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (size > self->room - self->used)
        add_chunk (self, size);
    void *out = self->last->data + self->used;
    self->used += size;
    return out;
}

const char *arena_text (struct arena *self, struct slice text) {
    char *out = arena_alloc (self, text.size + 1);
    if (text.size > 0)
        memcpy (out, text.data, text.size);
    return out;
}

void arena_free (struct arena *self) {
    for (struct arena_chunk *chunk = self->last; chunk;) {
        struct arena_chunk *before = chunk->before;
        free (chunk);
        chunk = before;
    }
    *self = (struct arena){ 0 };
}
