/* lanes - what stands at the last 1,024 numbers of each lane (PROTOCOL.md
 * section 6.5).
 *
 * Lanes are found by a hash table with open addressing over (author, lane). A
 * lane's window is a ring of places that grows with its use: most lanes of
 * written contributions hold one number for ever. One owner. */
#include "lanes.h"

#include "base/hash.h"
#include "base/topic.h"

#include <assert.h>
#include <stdlib.h>

#define DAY_MS INT64_C (86400000)
#define RING_FIRST 4
#define FORMAT 1
#define LANES_MAX (UINT32_C (1) << 26) /* of a snapshot; refused above */

struct lane {
    char author[DELEGATION_MAX + 1];
    uint64_t lane;
    int64_t highest; /* number; 0 only in a free slot */
    int64_t day;     /* UTC day it was opened on */
    uint32_t room;   /* of places: a power of two, LANE_WINDOW at most */
    int64_t *places; /* number n stands at n % room; -1: nothing. Owned. */
};

/* Lanes that an author opened on the newest day on which it opened any. */
struct opened {
    char author[DELEGATION_MAX + 1];
    int64_t day, count;
};

struct lanes {
    struct lane *slots; /* room is a power of two */
    size_t room, count;
    uint64_t seed;
    struct opened *opened; /* an entry an author */
    size_t authors;
};

struct lanes *lanes_new (void) {
    struct lanes *self = mem_alloc (sizeof *self);
    self->room = 64;
    self->slots = mem_alloc (self->room * sizeof *self->slots);
    /* Lane numbers are a peer's choice: its address decides the order here. */
    self->seed = (uint64_t) (uintptr_t) self ^ UINT64_C (0x9e3779b97f4a7c15);
    return self;
}

static void slots_free (struct lane *slots, size_t room) {
    for (size_t i = 0; i < room; i++)
        free (slots[i].places);
    free (slots);
}

void lanes_destroy (struct lanes **self_p) {
    if (!self_p || !*self_p)
        return;
    slots_free ((*self_p)->slots, (*self_p)->room);
    free ((*self_p)->opened);
    free (*self_p);
    *self_p = NULL;
}

/* The slot of (author, lane), or the free one where it belongs. */
static struct lane *slot_of (const struct lanes *self, struct slice author,
                             uint64_t lane) {
    size_t at = (size_t) hash_xxh3 (author, self->seed ^ lane);
    for (;; at++) {
        struct lane *slot = &self->slots[at & (self->room - 1)];
        if (slot->highest == 0
            || (slot->lane == lane && slice_is (author, slot->author)))
            return slot;
    }
}

static void table_grow (struct lanes *self) {
    struct lane *old = self->slots;
    size_t room = self->room;
    self->room = room * 2;
    self->slots = mem_alloc (self->room * sizeof *self->slots);
    for (size_t i = 0; i < room; i++)
        if (old[i].highest)
            *slot_of (self, slice_text (old[i].author), old[i].lane) = old[i];
    free (old); /* the places went along */
}

static int64_t *place_of (const struct lane *slot, int64_t number) {
    return &slot->places[(uint64_t) number & (slot->room - 1)];
}

/* Whether `number` is one whose place the ring still tells. */
static bool in_ring (const struct lane *slot, int64_t number) {
    return number <= slot->highest && number > slot->highest - slot->room;
}

enum lane_answer lanes_ask (const struct lanes *self, struct slice author,
                            uint64_t lane, int64_t number, int64_t *sequence,
                            int64_t *highest) {
    const struct lane *slot = slot_of (self, author, lane);
    *highest = slot->highest;
    *sequence = -1;
    if (number > slot->highest + LANE_WINDOW)
        return LANE_JUMP;
    if (number <= slot->highest - LANE_WINDOW)
        return LANE_OLD;
    if (slot->highest == 0 || !in_ring (slot, number))
        return LANE_FREE;
    *sequence = *place_of (slot, number);
    return *sequence < 0 ? LANE_FREE : LANE_USED;
}

/* Room for the numbers from `lowest` to `highest`, with what is there. */
static void ring_grow (struct lane *slot, int64_t lowest, int64_t highest) {
    uint32_t room = slot->room ? slot->room : RING_FIRST;
    while (room < LANE_WINDOW && highest - lowest >= room)
        room *= 2;
    if (room == slot->room)
        return;
    struct lane grown = *slot;
    grown.room = room;
    grown.places = mem_alloc (room * sizeof *grown.places);
    for (uint32_t i = 0; i < room; i++)
        grown.places[i] = -1;
    for (int64_t n = slot->highest; slot->room && n > 0 && in_ring (slot, n);
         n--)
        *place_of (&grown, n) = *place_of (slot, n);
    free (slot->places);
    *slot = grown;
}

/* The lowest number in the ring that is used. */
static int64_t lowest_used (const struct lane *slot) {
    int64_t lowest = slot->highest;
    for (int64_t n = slot->highest; n > 0 && in_ring (slot, n); n--)
        if (*place_of (slot, n) >= 0)
            lowest = n;
    return lowest;
}

static void lane_put (struct lane *slot, int64_t number, int64_t sequence) {
    int64_t top = number > slot->highest ? number : slot->highest;
    if (slot->room < LANE_WINDOW
        && (slot->highest == 0 || !in_ring (slot, number)
            || number > slot->highest)) {
        int64_t low = slot->highest ? lowest_used (slot) : number;
        ring_grow (slot, number < low ? number : low, top);
    }
    /* What the window leaves behind, and the holes that it passes over. */
    int64_t from = slot->highest + 1;
    if (top - from >= slot->room)
        from = top - slot->room + 1;
    for (int64_t n = from; n <= top; n++)
        *place_of (slot, n) = -1;
    slot->highest = top;
    *place_of (slot, number) = sequence;
}

static struct opened *opened_of (const struct lanes *self,
                                 struct slice author) {
    for (size_t i = 0; i < self->authors; i++)
        if (slice_is (author, self->opened[i].author))
            return &self->opened[i];
    return NULL;
}

/* A snapshot gives lanes in any order: a day that is past counts no more. */
static void opened_count (struct lanes *self, struct slice author,
                          int64_t day) {
    struct opened *entry = opened_of (self, author);
    if (!entry) {
        self->opened = mem_resize (self->opened,
                                   (self->authors + 1) * sizeof *self->opened);
        entry = &self->opened[self->authors++];
        *entry = (struct opened){ .day = day };
        memcpy (entry->author, author.data, author.size);
    }
    if (day > entry->day) {
        entry->day = day;
        entry->count = 0;
    }
    if (day == entry->day)
        entry->count++;
}

void lanes_take (struct lanes *self, struct slice author, uint64_t lane,
                 int64_t number, int64_t sequence, int64_t log_time) {
    assert (number > 0 && author.size <= DELEGATION_MAX);
    struct lane *slot = slot_of (self, author, lane);
    if (slot->highest == 0) {
        if (self->count * 4 >= self->room * 3) {
            table_grow (self);
            slot = slot_of (self, author, lane);
        }
        self->count++;
        memcpy (slot->author, author.data, author.size);
        slot->author[author.size] = 0;
        slot->lane = lane;
        slot->day = log_time / DAY_MS;
        opened_count (self, author, slot->day);
    }
    lane_put (slot, number, sequence);
}

int64_t lanes_highest (const struct lanes *self, struct slice author,
                       uint64_t lane) {
    return slot_of (self, author, lane)->highest;
}

int64_t lanes_opened (const struct lanes *self, struct slice author,
                      int64_t log_time) {
    const struct opened *entry = opened_of (self, author);
    return entry && entry->day == log_time / DAY_MS ? entry->count : 0;
}

/* u8 format, u32 lanes; each: u8 size, author, u64 lane, u64 highest, u64 day,
 * u32 places, and those for highest, highest - 1, ... as u64, ~0 for none. */
void lanes_write (const struct lanes *self, struct buf *out) {
    buf_add_u8 (out, FORMAT);
    buf_add_u32 (out, (uint32_t) self->count);
    for (size_t i = 0; i < self->room; i++) {
        const struct lane *slot = &self->slots[i];
        if (!slot->highest)
            continue;
        size_t size = strlen (slot->author);
        buf_add_u8 (out, (uint8_t) size);
        buf_add (out, slot->author, size);
        buf_add_u64 (out, slot->lane);
        buf_add_u64 (out, (uint64_t) slot->highest);
        buf_add_u64 (out, (uint64_t) slot->day);
        uint32_t places = (uint32_t) (slot->highest - lowest_used (slot) + 1);
        buf_add_u32 (out, places);
        for (uint32_t n = 0; n < places; n++)
            buf_add_u64 (out, (uint64_t) *place_of (slot, slot->highest - n));
    }
}

/* A run of octets that is taken from the front; false where it is too short. */
static bool take (struct slice *in, size_t size, const uint8_t **out) {
    if (in->size < size)
        return false;
    *out = in->data;
    in->data += size;
    in->size -= size;
    return true;
}

static bool lane_read (struct lanes *self, struct slice *in) {
    const uint8_t *p, *places;
    if (!take (in, 1, &p) || *p == 0 || *p > DELEGATION_MAX)
        return false;
    struct slice author = { NULL, *p };
    if (!take (in, author.size, &author.data) || !take (in, 28, &p))
        return false;
    uint64_t lane = get_u64 (p), highest = get_u64 (p + 8);
    uint64_t day = get_u64 (p + 16);
    uint32_t count = get_u32 (p + 24);
    if (highest == 0 || highest > INT64_MAX - LANE_WINDOW || count == 0
        || count > LANE_WINDOW || count > highest || day > INT64_MAX / DAY_MS
        || !delegation_valid (author) || !take (in, (size_t) count * 8, &places)
        || lanes_highest (self, author, lane) != 0)
        return false;
    for (uint32_t n = count; n-- > 0;) {
        int64_t sequence = (int64_t) get_u64 (places + 8 * (size_t) n);
        if (sequence < -1 || (sequence < 0 && (n == 0 || n == count - 1)))
            return false; /* both ends are used numbers */
        if (sequence >= 0)
            lanes_take (self, author, lane, (int64_t) highest - n, sequence,
                        (int64_t) day * DAY_MS);
    }
    return true;
}

enum err lanes_read (struct lanes *self, struct slice octets, struct error *e) {
    const uint8_t *p;
    struct slice in = octets;
    if (!take (&in, 5, &p) || p[0] != FORMAT || get_u32 (p + 1) > LANES_MAX)
        return error_set (e, ERR_DAMAGED, "lanes: not format %d", FORMAT);
    uint32_t count = get_u32 (p + 1);
    struct lanes *made = lanes_new();
    bool fine = true;
    for (uint32_t i = 0; fine && i < count; i++)
        fine = lane_read (made, &in);
    if (!fine || in.size > 0) {
        size_t at = octets.size - in.size;
        lanes_destroy (&made);
        return error_set (e, ERR_DAMAGED, "lanes: damaged at octet %zu", at);
    }
    struct lanes old = *self;
    *self = *made;
    *made = old;
    lanes_destroy (&made);
    return ERR_NONE;
}
