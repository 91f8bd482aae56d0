/* buf - a growing run of octets, and a borrowed slice of one.
 *
 * Memory for what we encode. Not for what a peer declares: bound that first.
 * One owner, not thread-safe. */
#ifndef PARLEY_BUF_H
#define PARLEY_BUF_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Octets that belong to somebody else; the header that hands one out says to
 * whom and until when. `data` may be NULL only where size is 0. */
struct slice {
    const uint8_t *data;
    size_t size;
};

static inline struct slice slice_of (const void *data, size_t size) {
    return (struct slice){ (const uint8_t *) data, size };
}
static inline struct slice slice_text (const char *text) {
    return slice_of (text, strlen (text));
}
static inline bool slice_equal (struct slice a, struct slice b) {
    return a.size == b.size
           && (a.size == 0 || memcmp (a.data, b.data, a.size) == 0);
}
/* Equal to a C string, NULs in the slice counted as octets like others. */
static inline bool slice_is (struct slice a, const char *text) {
    return slice_equal (a, slice_text (text));
}

struct buf {
    uint8_t *data; /* owned */
    size_t size;
    size_t room; /* allocated */
};

/* `struct buf b = { 0 };` is an empty one. */
void buf_free (struct buf *self);  /* empty again */
void buf_clear (struct buf *self); /* keeps the room */
/* Room for `more` octets behind the content; data is not NULL after. Grows by
 * doubling. What is added below may not point into self. */
void buf_reserve (struct buf *self, size_t more);
void buf_add (struct buf *self, const void *data, size_t size);
void buf_add_slice (struct buf *self, struct slice s);
void buf_add_text (struct buf *self, const char *text);
void buf_add_format (struct buf *self, const char *format, ...)
    PRINTF_LIKE (2, 3);
void buf_add_zeros (struct buf *self, size_t size);
void buf_add_u8 (struct buf *self, uint8_t v);
void buf_add_u16 (struct buf *self, uint16_t v); /* big-endian, all of them */
void buf_add_u32 (struct buf *self, uint32_t v);
void buf_add_u64 (struct buf *self, uint64_t v);
/* Room for `size` octets at the end, counted as written; the caller fills it
 * before the next call. */
uint8_t *buf_extend (struct buf *self, size_t size);
struct slice buf_slice (const struct buf *self); /* until the next change */
/* The content as a C string the caller frees; self is empty after. */
char *buf_take_text (struct buf *self) MUST_CHECK;

/* Fixed-place integers, big-endian. */
static inline uint16_t get_u16 (const uint8_t *p) {
    return (uint16_t) ((unsigned) p[0] << 8 | p[1]);
}
static inline uint32_t get_u32 (const uint8_t *p) {
    uint32_t v;
    memcpy (&v, p, 4);
    return __builtin_bswap32 (v);
}
static inline uint64_t get_u64 (const uint8_t *p) {
    uint64_t v;
    memcpy (&v, p, 8);
    return __builtin_bswap64 (v);
}
static inline void put_u16 (uint8_t *p, uint16_t v) {
    p[0] = (uint8_t) (v >> 8);
    p[1] = (uint8_t) v;
}
static inline void put_u32 (uint8_t *p, uint32_t v) {
    v = __builtin_bswap32 (v);
    memcpy (p, &v, 4);
}
static inline void put_u64 (uint8_t *p, uint64_t v) {
    v = __builtin_bswap64 (v);
    memcpy (p, &v, 8);
}

/* Text forms. Hex is lower case; base64 is RFC 4648 section 4 with padding.
 * Decoders are strict (one spelling each) and want exactly `size` octets;
 * what `out` holds after ERR_MALFORMED is not defined. */
#define HEX_SIZE(n) (2 * (n) + 1)
char *hex_encode (char *out, const void *data, size_t size); /* HEX_SIZE */
enum err hex_decode (uint8_t *out, size_t size, const char *text) MUST_CHECK;
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
char *base64_encode (char *out, const void *data, size_t size);
enum err base64_decode (uint8_t *out, size_t size, struct slice text)
    MUST_CHECK;
/* Any length up to `room`, ERR_LIMIT above; *size is set on success. */
enum err base64_decode_any (uint8_t *out, size_t room, size_t *size,
                            struct slice text) MUST_CHECK;

#endif
