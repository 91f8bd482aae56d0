/* mp - the strict cursor (PROTOCOL.md sections 2.3 and 2.4).
 *
 * The broker reads every header with it, so the good path is a compare and an
 * advance. A failure moves `at` to the end: all later calls then find nothing
 * to take, and only the slow path looks at `failed`. Not thread-safe; no
 * state but the struct. */
#include "base/mp.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define COLD __attribute__ ((cold, noinline))

void mp_start (struct mp *self, struct slice input) {
    static const uint8_t nothing[1];
    self->start = input.data ? input.data : nothing;
    self->at = self->start;
    self->end = self->start + input.size;
    self->failed = ERR_NONE;
    self->why.code = ERR_NONE;
    self->why.text[0] = '\0'; /* not all of it: this runs for each header */
}

static size_t left (const struct mp *self) {
    return (size_t) (self->end - self->at);
}

/* Failing. */

COLD void mp_fail (struct mp *self, enum err code, const char *format, ...) {
    assert (code != ERR_NONE);
    if (self->failed)
        return;
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    self->failed = error_set (&self->why, code, "octet %zu: %s",
                              (size_t) (self->at - self->start), text);
    self->at = self->end;
}

static const char *kind_name (uint8_t first) {
    switch (first) {
    case 0xc0:
        return "nil";
    case 0xc1:
        return "an octet that msgpack never uses";
    case 0xc2:
    case 0xc3:
        return "a boolean";
    case 0xca:
        return "a float32";
    case 0xcb:
        return "a float64";
    case 0xdc:
    case 0xdd:
        return "an array";
    case 0xde:
    case 0xdf:
        return "a map";
    }
    if (first < 0x80 || first >= 0xe0 || (first >= 0xcc && first <= 0xd3))
        return "an integer";
    if (first < 0xa0)
        return first < 0x90 ? "a map" : "an array";
    if (first < 0xc0 || (first >= 0xd9 && first <= 0xdb))
        return "a string";
    return first <= 0xc6 ? "a binary" : "an extension type";
}

COLD static void fail_kind (struct mp *self, const char *wanted) {
    if (self->at == self->end)
        mp_fail (self, ERR_MALFORMED, "the input ends where %s has to be",
                 wanted);
    else
        mp_fail (self, ERR_MALFORMED, "%s has to be here, found %s (0x%02x)",
                 wanted, kind_name (*self->at), *self->at);
}

COLD static void fail_long (struct mp *self) {
    mp_fail (self, ERR_MALFORMED, "%s (0x%02x) not in its shortest form",
             kind_name (*self->at), *self->at);
}

COLD static void fail_cut (struct mp *self) {
    mp_fail (self, ERR_MALFORMED, "%s (0x%02x), but only %zu octets are left",
             kind_name (*self->at), *self->at, left (self));
}

/* More than a limit is ERR_LIMIT; a fixed size that is not met, or too few, is
 * another grammar. */
COLD static void fail_bounds (struct mp *self, size_t n, size_t min,
                              size_t max) {
    enum err code = n > max && min != max ? ERR_LIMIT : ERR_MALFORMED;
    mp_fail (self, code, "%s of size %zu, allowed are %zu to %zu",
             kind_name (*self->at), n, min, max);
}

/* Numbers. */

/* 1, 2, 4 or 8 octets: 2 to the power of `log`. */
static uint64_t get_number (const uint8_t *p, unsigned log) {
    switch (log) {
    case 0:
        return p[0];
    case 1:
        return get_u16 (p);
    case 2:
        return get_u32 (p);
    default:
        return get_u64 (p);
    }
}

/* 0xcc to 0xd3. The octets it takes, 0 where it failed. */
static size_t read_wide_int (struct mp *self, int64_t *v) {
    /* What no shorter form holds: from here up, and from here down. */
    static const uint64_t least[] = { 0x80, 0x100, 0x10000, 0x100000000 };
    static const int64_t most[] = { -0x21, -0x81, -0x8001, -0x80000001LL };
    unsigned log = *self->at & 3;
    size_t size = (size_t) 1 << log;
    if (left (self) <= size) {
        fail_cut (self);
        return 0;
    }
    uint64_t raw = get_number (self->at + 1, log);
    bool is_signed = *self->at >= 0xd0;
    if (is_signed) {
        unsigned unused = 64 - 8 * (unsigned) size;
        *v = (int64_t) (raw << unused) >> unused;
    } else
        *v = (int64_t) raw;
    if (!is_signed && raw > INT64_MAX)
        mp_fail (self, ERR_MALFORMED, "integer %" PRIu64 " is above int64",
                 raw);
    else if (is_signed ? *v > most[log] : raw < least[log])
        fail_long (self);
    return self->failed ? 0 : 1 + size;
}

int64_t mp_int (struct mp *self, int64_t min, int64_t max) {
    size_t size = 1;
    int64_t v = 0;
    if (self->at < self->end && (*self->at < 0x80 || *self->at >= 0xe0))
        v = (int8_t) *self->at;
    else if (self->at < self->end && *self->at >= 0xcc && *self->at <= 0xd3)
        size = read_wide_int (self, &v);
    else
        fail_kind (self, "an integer");
    if (!self->failed && (v < min || v > max))
        mp_fail (self, ERR_MALFORMED,
                 "integer %" PRId64 ", allowed are %" PRId64 " to %" PRId64, v,
                 min, max);
    if (self->failed)
        return 0;
    self->at += size;
    return v;
}

double mp_float (struct mp *self) {
    if (self->at == self->end || *self->at != 0xcb) {
        fail_kind (self, "a float64");
        return 0;
    }
    if (left (self) < 9) {
        fail_cut (self);
        return 0;
    }
    uint64_t raw = get_u64 (self->at + 1);
    double v;
    memcpy (&v, &raw, sizeof v);
    if ((raw >> 52 & 0x7ff) == 0x7ff)
        mp_fail (self, ERR_MALFORMED, "a float64 that is no finite number");
    else if (mp_integral (v))
        mp_fail (self, ERR_MALFORMED,
                 "float64 %.17g has to be written as an integer", v);
    if (self->failed)
        return 0;
    self->at += 9;
    return v;
}

/* Nil and booleans. */

bool mp_try_nil (struct mp *self) {
    if (self->at == self->end || *self->at != 0xc0)
        return false;
    self->at++;
    return true;
}

void mp_nil (struct mp *self) {
    if (!mp_try_nil (self))
        fail_kind (self, "nil");
}

bool mp_bool (struct mp *self) {
    if (self->at == self->end || (*self->at & 0xfe) != 0xc2) {
        fail_kind (self, "a boolean");
        return false;
    }
    return *self->at++ & 1;
}

/* What has a size. */

struct form {
    const char *name;
    uint8_t fix, fix_mask; /* the size is in the octet's other bits */
    uint8_t wide;          /* first octet of the form with 16 bits of size */
    bool has_8;            /* the octet before that is the form with 8 bits */
    uint8_t least;         /* smallest size without a place in `fix` */
    uint8_t octets;        /* that one unit of size takes at least */
};

/* clang-format off */
static const struct form
    form_str   = { "a string", 0xa0, 0xe0, 0xda, true,  32, 1 },
    form_bin   = { "a binary",    1, 0x00, 0xc5, true,   0, 1 }, /* no fix */
    form_array = { "an array", 0x90, 0xf0, 0xdc, false, 16, 1 },
    form_map   = { "a map",    0x80, 0xf0, 0xde, false, 16, 2 };
/* clang-format on */

/* The octets before the content; 0 where it failed. */
static inline size_t read_wide_size (struct mp *self, const struct form *form,
                                     size_t *n) {
    uint8_t c = *self->at;
    unsigned log = (unsigned) (c - form->wide + 1); /* 0, 1, 2 */
    if (log > 2 || (log == 0 && !form->has_8)) {
        fail_kind (self, form->name);
        return 0;
    }
    size_t size = (size_t) 1 << log;
    if (left (self) <= size) {
        fail_cut (self);
        return 0;
    }
    *n = (size_t) get_number (self->at + 1, log);
    size_t least = log == 2                  ? 0x10000
                   : log == 1 && form->has_8 ? 0x100
                                             : form->least;
    if (*n < least) {
        fail_long (self);
        return 0;
    }
    return 1 + size;
}

/* Takes what stands before the content. What is declared is bounded by what
 * is there, so a caller may reserve memory by it. */
static inline size_t take_size (struct mp *self, const struct form *form,
                                size_t min, size_t max) {
    if (self->at == self->end) {
        fail_kind (self, form->name);
        return 0;
    }
    size_t before = 1, n = 0;
    if ((*self->at & form->fix_mask) == form->fix)
        n = *self->at & (uint8_t) ~form->fix_mask;
    else
        before = read_wide_size (self, form, &n);
    if (before == 0)
        return 0;
    if (n < min || n > max)
        fail_bounds (self, n, min, max);
    else if (n > (left (self) - before) / form->octets)
        mp_fail (self, ERR_MALFORMED, "%s of size %zu, but %zu octets are left",
                 form->name, n, left (self) - before);
    if (self->failed)
        return 0;
    self->at += before;
    return n;
}

size_t mp_array (struct mp *self, size_t min, size_t max) {
    return take_size (self, &form_array, min, max);
}

size_t mp_map (struct mp *self, size_t min, size_t max) {
    return take_size (self, &form_map, min, max);
}

struct slice mp_bin (struct mp *self, size_t min, size_t max) {
    size_t n = take_size (self, &form_bin, min, max);
    struct slice s = slice_of (self->at, n);
    self->at += n;
    return s;
}

void mp_bin_exact (struct mp *self, void *out, size_t size) {
    struct slice s = mp_bin (self, size, size);
    if (s.size == size && size > 0)
        memcpy (out, s.data, size);
    else
        memset (out, 0, size);
}

/* Octets before the first that belongs to no character. */
static size_t utf8_span (struct slice s) {
    size_t i = 0;
    while (i < s.size) {
        uint64_t eight;
        if (s.size - i >= 8) {
            memcpy (&eight, s.data + i, 8);
            if (!(eight & 0x8080808080808080)) {
                i += 8;
                continue;
            }
        }
        size_t n = s.data[i] < 0x80 ? 1 : utf8_size (s.data + i, s.size - i);
        if (n == 0)
            break;
        i += n;
    }
    return i;
}

bool mp_is_text (struct slice s) {
    return utf8_span (s) == s.size;
}

struct slice mp_str (struct mp *self, size_t min, size_t max) {
    size_t n = take_size (self, &form_str, min, max);
    struct slice s = slice_of (self->at, n);
    size_t good = utf8_span (s);
    self->at += good;
    if (good == n)
        return s;
    mp_fail (self, ERR_MALFORMED, "octet 0x%02x of a string is not UTF-8",
             *self->at);
    return slice_of (self->at, 0);
}

/* Whole values. */

enum mp_type mp_peek (const struct mp *self) {
    if (self->at == self->end)
        return MP_NONE;
    uint8_t c = *self->at;
    if (c < 0x80 || c >= 0xe0)
        return MP_INT;
    if (c < 0xc0)
        return c < 0x90 ? MP_MAP : c < 0xa0 ? MP_ARRAY : MP_STR;
    static const uint8_t types[32] = {
        /* 0xc0 */ MP_NIL,   MP_NONE,  MP_BOOL,  MP_BOOL,
        /* 0xc4 */ MP_BIN,   MP_BIN,   MP_BIN,   MP_NONE,
        /* 0xc8 */ MP_NONE,  MP_NONE,  MP_FLOAT, MP_FLOAT,
        /* 0xcc */ MP_INT,   MP_INT,   MP_INT,   MP_INT,
        /* 0xd0 */ MP_INT,   MP_INT,   MP_INT,   MP_INT,
        /* 0xd4 */ MP_NONE,  MP_NONE,  MP_NONE,  MP_NONE,
        /* 0xd8 */ MP_NONE,  MP_STR,   MP_STR,   MP_STR,
        /* 0xdc */ MP_ARRAY, MP_ARRAY, MP_MAP,   MP_MAP,
    };
    return (enum mp_type) types[c - 0xc0];
}

static void take_value (struct mp *self, unsigned depth);

static void take_array (struct mp *self, unsigned depth) {
    size_t n = mp_array (self, 0, SIZE_MAX);
    for (size_t i = 0; i < n && !self->failed; i++)
        take_value (self, depth);
}

/* Unique and ascending, in one: each key is above the one before. */
static void check_order (struct mp *self, struct slice last, struct slice key) {
    size_t common = last.size < key.size ? last.size : key.size;
    int order = memcmp (last.data, key.data, common);
    if (order > 0 || (order == 0 && last.size > key.size))
        mp_fail (self, ERR_MALFORMED,
                 "the map's key before this is above "
                 "its last one, out of order");
    else if (order == 0 && last.size == key.size)
        mp_fail (self, ERR_MALFORMED,
                 "the map's key before this is there "
                 "twice");
}

static void take_map (struct mp *self, unsigned depth) {
    size_t n = mp_map (self, 0, SIZE_MAX);
    struct slice last = { 0 };
    for (size_t i = 0; i < n && !self->failed; i++) {
        struct slice key = mp_str (self, 0, SIZE_MAX);
        if (i > 0 && !self->failed)
            check_order (self, last, key);
        take_value (self, depth);
        last = key;
    }
}

/* `depth`: the arrays and maps around it. */
static void take_value (struct mp *self, unsigned depth) {
    enum mp_type type = mp_peek (self);
    if ((type == MP_ARRAY || type == MP_MAP) && depth == MP_DEPTH_MAX) {
        mp_fail (self, ERR_LIMIT, "arrays and maps nest deeper than %d",
                 MP_DEPTH_MAX);
        return;
    }
    switch (type) {
    case MP_NIL:
        mp_nil (self);
        break;
    case MP_BOOL:
        mp_bool (self);
        break;
    case MP_INT:
        mp_int (self, INT64_MIN, INT64_MAX);
        break;
    case MP_FLOAT:
        mp_float (self);
        break;
    case MP_STR:
        mp_str (self, 0, SIZE_MAX);
        break;
    case MP_BIN:
        mp_bin (self, 0, SIZE_MAX);
        break;
    case MP_ARRAY:
        take_array (self, depth + 1);
        break;
    case MP_MAP:
        take_map (self, depth + 1);
        break;
    case MP_NONE:
        fail_kind (self, "a value");
        break;
    }
}

/* What was taken since `from`; nothing of a failed cursor. */
static struct slice taken (const struct mp *self, const uint8_t *from) {
    return slice_of (from, self->failed ? 0 : (size_t) (self->at - from));
}

struct slice mp_any (struct mp *self) {
    const uint8_t *from = self->at;
    take_value (self, 0);
    return taken (self, from);
}

struct slice mp_extension (struct mp *self, size_t max, int64_t *must) {
    const uint8_t *from = self->at;
    int64_t last = 0, even = 0;
    *must = 0;
    size_t n = mp_map (self, 0, max / 2);
    for (size_t i = 0; i < n && !self->failed; i++) {
        int64_t key = mp_int (self, 1, INT32_MAX);
        if (key <= last)
            mp_fail (self, ERR_MALFORMED,
                     "extension key %" PRId64 " after %" PRId64
                     ", they have to ascend",
                     key, last);
        if (even == 0 && key % 2 == 0)
            even = key;
        last = key;
        take_value (self, 1);
    }
    struct slice all = taken (self, from);
    if (all.size > max) {
        mp_fail (self, ERR_LIMIT, "extension map of %zu octets, limit %zu",
                 all.size, max);
        return slice_of (from, 0);
    }
    if (!self->failed)
        *must = even;
    return all;
}

enum err mp_finish (struct mp *self, struct error *e) {
    if (!self->failed && self->at != self->end)
        mp_fail (self, ERR_MALFORMED, "%zu octets after the end", left (self));
    if (self->failed && e)
        *e = self->why;
    return self->failed;
}

enum err mp_check (struct slice input, struct error *e) {
    struct mp in;
    mp_start (&in, input);
    mp_any (&in);
    return mp_finish (&in, e);
}
