/* overlap_page - the best of what is listed, in order. */
#include "overlap_impl.h"

#include <stdlib.h>
#include <string.h>

/* Smallest first; equal ones are ordered by the references. */
struct page_key {
    uint64_t order;
    const struct slot *a, *b;
};

uint64_t page_order (uint64_t coarse, bool imprecise, uint64_t countries,
                     int32_t first) {
    uint64_t out = coarse << 1 | imprecise;
    out = out << 10 | countries;
    return out << 32 | ((uint32_t) first ^ UINT32_C (0x80000000));
}

static int key_compare (const void *a_p, const void *b_p) {
    const struct page_key *a = a_p, *b = b_p;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    int sides = slot_compare (a->a, b->a);
    return sides ? sides : slot_compare (a->b, b->b);
}

/* A heap with the worst on top */

static void heap_down (struct page_key *heap, size_t count) {
    struct page_key top = heap[0];
    size_t at = 0, child;
    while ((child = at * 2 + 1) < count) {
        if (child + 1 < count
            && key_compare (&heap[child], &heap[child + 1]) < 0)
            child++;
        if (key_compare (&top, &heap[child]) >= 0)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = top;
}

static void heap_up (struct page_key *heap, size_t at) {
    struct page_key key = heap[at];
    while (at > 0 && key_compare (&heap[(at - 1) / 2], &key) < 0) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = key;
}

bool page_may_hold (const struct page *self, uint64_t order) {
    return self->count < self->max
           || (self->max > 0 && order <= self->keys[0].order);
}

unsigned page_countries (const struct page *self, uint64_t coarse,
                         int32_t first) {
    if (self->count < self->max)
        return COUNTRIES_ANY;
    uint64_t worst = self->keys[0].order;
    uint64_t best = page_order (coarse, false, 0, first);
    if (best >> 42 != worst >> 42)
        return best >> 42 < worst >> 42 ? COUNTRIES_ANY : 0;
    unsigned out = worst >> 32 & 0x3ff;
    return out > 0 && (uint32_t) best > (uint32_t) worst ? out - 1 : out;
}

void page_add (struct page *self, uint64_t order, const struct slot *x,
               const struct slot *y) {
    bool swapped = slot_compare (x, y) > 0;
    struct page_key key = { .order = order,
                            .a = swapped ? y : x,
                            .b = swapped ? x : y };
    if (self->count < self->max) {
        if (self->count == self->room) {
            self->room = self->room * 2 + 64;
            self->keys =
                mem_resize (self->keys, self->room * sizeof *self->keys);
        }
        self->keys[self->count] = key;
        heap_up (self->keys, self->count++);
    } else if (key_compare (&key, &self->keys[0]) < 0) {
        self->keys[0] = key;
        heap_down (self->keys, self->count);
    }
}

void page_give (struct page *self, size_t offset, struct overlap_answer *out) {
    if (self->count > 1)
        qsort (self->keys, self->count, sizeof *self->keys, key_compare);
    if (self->count > offset) {
        out->count = self->count - offset;
        out->at = mem_alloc (out->count * sizeof *out->at);
    }
    for (size_t i = 0; i < out->count; i++) {
        const struct page_key *key = &self->keys[offset + i];
        struct meeting meeting;
        slots_judge (key->a, key->b, &meeting);
        slots_overlap (key->a, key->b, &meeting, &out->at[i]);
    }
    free (self->keys);
    *self = (struct page){ 0 };
}
