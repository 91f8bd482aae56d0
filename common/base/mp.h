/* mp - canonical msgpack: a strict cursor, and the packer's few calls
 * (PROTOCOL.md section 2.3).
 *
 * Reading is our own, since msgpack-c's unpacker hides the form in which a
 * value was written and reserves memory by what a peer declares. The cursor
 * allocates nothing: strings and binaries are slices of the input. Once it
 * fails it stays failed; callers read all fields, then check mp_finish once.
 * A failure's text names the place (octet), the rule and what was there. */
#ifndef PARLEY_MP_H
#define PARLEY_MP_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define MP_DEPTH_MAX 16
/* Integers of our own structures go no higher (section 2.1): exact in JSON. */
#define NUMBER_MAX INT64_C (9007199254740991) /* 2^53 - 1 */

enum mp_type {
    MP_NIL,
    MP_BOOL,
    MP_INT,
    MP_FLOAT,
    MP_STR,
    MP_BIN,
    MP_ARRAY,
    MP_MAP,
    MP_NONE /* the end, a failed cursor, or no value of ours (an ext type) */
};

struct mp {
    const uint8_t *start, *at, *end; /* borrowed input */
    enum err failed;                 /* ERR_MALFORMED or ERR_LIMIT, sticky */
    struct error why;                /* of the first failure */
};

/* Data may be NULL where size is 0. The input has to outlive the cursor. */
void mp_start (struct mp *self, struct slice input);

/* What stands next, without taking it. */
enum mp_type mp_peek (const struct mp *self);

/* Each takes one value of its type in its shortest form, or fails the cursor
 * and returns 0, false or an empty slice. Bounds are inclusive. A size above
 * max is ERR_LIMIT; below min, other than the one size allowed, or a number
 * outside its bounds, ERR_MALFORMED. A size that is returned never exceeds
 * the octets that are left (of a map: half of them), so memory may be reserved
 * by it. mp_map leaves the keys, and so their order, to the caller. */
void mp_nil (struct mp *self);
bool mp_try_nil (struct mp *self); /* true and taken where nil stands next */
bool mp_bool (struct mp *self);
int64_t mp_int (struct mp *self, int64_t min, int64_t max);
double mp_float (struct mp *self);
struct slice mp_str (struct mp *self, size_t min, size_t max); /* UTF-8 */
struct slice mp_bin (struct mp *self, size_t min, size_t max);
void mp_bin_exact (struct mp *self, void *out, size_t size); /* or zeros */
size_t mp_array (struct mp *self, size_t min, size_t max);   /* item count */
size_t mp_map (struct mp *self, size_t min, size_t max);     /* pair count */

/* One whole value of any type, checked in full: shortest forms, UTF-8, depth,
 * map keys strings, unique, ascending; integral numbers as integers; no NaN.
 * Depth counts from this value (ERR_LIMIT). Returns its octets. */
struct slice mp_any (struct mp *self);

/* An extension map (PROTOCOL.md section 2.4): integer keys 1 .. 2^31-1,
 * ascending, values any; at most `max` octets. *must: the lowest even key,
 * which a reader that does not know it must not pass over; 0 where none. Depth
 * counts from this map. */
struct slice mp_extension (struct mp *self, size_t max, int64_t *must);

/* Fail with a rule of the caller's own. Keeps the first failure. */
void mp_fail (struct mp *self, enum err code, const char *format, ...)
    PRINTF_LIKE (3, 4);

/* 0 where all was taken and nothing failed; trailing octets are ERR_MALFORMED.
 * Fills *e. */
enum err mp_finish (struct mp *self, struct error *e) MUST_CHECK;

/* 0 where `input` is exactly one canonical value. */
enum err mp_check (struct slice input, struct error *e) MUST_CHECK;

/* Two of the rules, for writers: v is written as an integer; s is UTF-8
 * without surrogates and overlong forms. */
static inline bool mp_integral (double v) {
    return v >= -0x1p63 && v < 0x1p63 && v == (double) (int64_t) v;
}
bool mp_is_text (struct slice s);

/* Writing: always the shortest form, appended to out. The caller sees to it
 * that text is UTF-8, numbers are finite, sizes below 2^32, and keys ascend. */
void mp_put_nil (struct buf *out);
void mp_put_bool (struct buf *out, bool v);
void mp_put_int (struct buf *out, int64_t v);
void mp_put_number (struct buf *out, double v); /* as an integer if integral */
void mp_put_str (struct buf *out, const char *text);
void mp_put_str_slice (struct buf *out, struct slice s);
void mp_put_bin (struct buf *out, const void *data, size_t size);
void mp_put_array (struct buf *out, size_t count);
void mp_put_map (struct buf *out, size_t count);

/* Between canonical msgpack and JSON. From JSON: objects' keys sorted by
 * octets, numbers as the rule says. A binary is {"$bin": "<base64>"}, exactly
 * that member; a map that happens to look so becomes the same JSON. ERR_LIMIT
 * for depth or `max` octets, ERR_MALFORMED for other base64; out is then as
 * before. Parse with JSON_REJECT_DUPLICATES: here they can't be seen.
 *
 * To JSON: NULL with *e where input is not one canonical value; maps with
 * integer keys are not JSON. The caller owns the result. Bound the input: an
 * array of empty maps takes some 230 times its size (jansson 2.14, 64 bits),
 * 60 MB for the largest message body. */
struct json_t;
enum err mp_from_json (struct buf *out, const struct json_t *value, size_t max,
                       struct error *e) MUST_CHECK;
struct json_t *mp_to_json (struct slice input, struct error *e) MUST_CHECK;

#endif
