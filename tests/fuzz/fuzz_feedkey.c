/* fuzz_feedkey - hostile octets as the parts of a feed frame (PROTOCOL.md
 * section 8.7). What nobody sealed with the stream's key does not open; what
 * was opens as it was, and with one bit changed in any part not at all. */
#include "wire/feedkey.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const struct hash dialogue = { { 1 } };
static const struct feed_key key = { { 2 }, { 3 } };

static void demand (bool good) {
    if (!good)
        abort();
}

static void try_head (struct slice input) {
    struct feed_head head;
    struct error e;
    if (feed_head_read (input, &head, &e)) {
        demand (e.code != ERR_NONE && e.text[0]);
        return;
    }
    struct buf again = { 0 };
    feed_head_write (&again, &head);
    demand (slice_equal (input, buf_slice (&again)));
    buf_free (&again);
}

static void try_leaves (struct slice input) {
    int64_t first;
    struct slice hashes;
    struct error e;
    if (feed_leaves_read (input, &first, &hashes, &e)) {
        demand (e.code != ERR_NONE && e.text[0]);
        return;
    }
    struct buf again = { 0 };
    struct hash leaves[FEED_LEAVES_MAX];
    demand (hashes.size <= sizeof leaves);
    memcpy (leaves, hashes.data, hashes.size);
    feed_leaves_write (&again, first, leaves, hashes.size / HASH_SIZE);
    demand (slice_equal (input, buf_slice (&again)));
    buf_free (&again);
}

static void try_clear (struct slice input) {
    struct feed_clear clear;
    uint8_t again[FEED_CLEAR];
    enum err rc = feed_clear_read (input, &clear);
    demand ((rc == ERR_NONE) == (input.size == FEED_CLEAR));
    if (rc)
        return;
    feed_clear_write (again, &clear);
    demand (memcmp (again, input.data, sizeof again) == 0);
}

static bool opens (struct slice sealed, struct slice clear, int *kind,
                   struct slice *content, struct buf *plain) {
    struct error e;
    enum err rc =
        feed_open (sealed, &dialogue, &key, clear, plain, kind, content, &e);
    demand (rc == ERR_NONE || (e.code == rc && e.text[0]));
    return rc == ERR_NONE;
}

/* `spot` says which bit is changed. */
static void try_sealed (struct slice content, uint8_t kind, size_t spot) {
    struct feed_clear clear = { .generation = 1, .frame = 2 };
    uint8_t octets[FEED_CLEAR];
    struct slice parts[] = { slice_of (content.data, content.size / 2),
                             slice_of (content.data + content.size / 2,
                                       content.size - content.size / 2) };
    struct buf sealed = { 0 }, plain = { 0 };
    int found;
    struct slice back;
    feed_clear_write (octets, &clear);
    feed_seal (&sealed, &dialogue, &key, octets, (enum feed_kind) kind, parts,
               2);
    struct slice place = slice_of (octets, sizeof octets);
    demand (opens (buf_slice (&sealed), place, &found, &back, &plain));
    demand (found == kind && slice_equal (back, content));
    size_t at = spot / 8 % (sealed.size + FEED_CLEAR);
    uint8_t *octet =
        at < sealed.size ? &sealed.data[at] : &octets[at - sealed.size];
    *octet = (uint8_t) (*octet ^ 1u << spot % 8);
    demand (!opens (buf_slice (&sealed), place, &found, &back, &plain));
    buf_free (&sealed);
    buf_free (&plain);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    struct slice input = slice_of (data, size), content;
    struct buf plain = { 0 };
    int kind;
    try_head (input);
    try_leaves (input);
    try_clear (input);
    if (size > FEED_CLEAR)
        demand (!opens (slice_of (data + FEED_CLEAR, size - FEED_CLEAR),
                        slice_of (data, FEED_CLEAR), &kind, &content, &plain));
    buf_free (&plain);
    if (size >= 3)
        try_sealed (slice_of (data + 3, size - 3), data[0], get_u16 (data + 1));
    return 0;
}
