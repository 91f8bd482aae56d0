/* buf - memory that grows by doubling, and strict text forms (PROTOCOL.md
 * section 2.1). libsodium's coders do not branch on what they read, so keys
 * may pass through here. */
#include "base/buf.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM_MIN 64 /* a leaf and its frame; below that malloc rounds anyway */

void buf_free (struct buf *self) {
    free (self->data);
    *self = (struct buf){ 0 };
}

void buf_clear (struct buf *self) {
    self->size = 0;
}

void buf_reserve (struct buf *self, size_t more) {
    if (self->data && more <= self->room - self->size)
        return;
    /* A sum past SIZE_MAX is no memory that could be had: ask for all there
     * is, which ends the process. */
    size_t need = more > SIZE_MAX - self->size ? SIZE_MAX : self->size + more;
    size_t room = self->room > SIZE_MAX / 2 ? SIZE_MAX : self->room * 2;
    room = room < ROOM_MIN ? ROOM_MIN : room;
    self->room = room < need ? need : room;
    self->data = mem_resize (self->data, self->room);
}

uint8_t *buf_extend (struct buf *self, size_t size) {
    buf_reserve (self, size);
    uint8_t *place = self->data + self->size;
    self->size += size;
    return place;
}

void buf_add (struct buf *self, const void *data, size_t size) {
    if (size > 0)
        memcpy (buf_extend (self, size), data, size);
}

void buf_add_slice (struct buf *self, struct slice s) {
    buf_add (self, s.data, s.size);
}

void buf_add_text (struct buf *self, const char *text) {
    buf_add (self, text, strlen (text));
}

void buf_add_format (struct buf *self, const char *format, ...) {
    va_list args, again;
    va_start (args, format);
    va_copy (again, args);
    buf_reserve (self, 1);
    size_t left = self->room - self->size;
    char *place = (char *) self->data + self->size;
    int n = vsnprintf (place, left, format, args);
    if (n > 0 && (size_t) n >= left) {
        buf_reserve (self, (size_t) n + 1); /* vsnprintf's NUL */
        place = (char *) self->data + self->size;
        n = vsnprintf (place, (size_t) n + 1, format, again);
    }
    if (n > 0)
        self->size += (size_t) n;
    va_end (again);
    va_end (args);
}

void buf_add_zeros (struct buf *self, size_t size) {
    memset (buf_extend (self, size), 0, size);
}

void buf_add_u8 (struct buf *self, uint8_t v) {
    *buf_extend (self, 1) = v;
}

void buf_add_u16 (struct buf *self, uint16_t v) {
    put_u16 (buf_extend (self, sizeof v), v);
}

void buf_add_u32 (struct buf *self, uint32_t v) {
    put_u32 (buf_extend (self, sizeof v), v);
}

void buf_add_u64 (struct buf *self, uint64_t v) {
    put_u64 (buf_extend (self, sizeof v), v);
}

struct slice buf_slice (const struct buf *self) {
    return slice_of (self->data, self->size);
}

char *buf_take_text (struct buf *self) {
    buf_add_u8 (self, 0);
    char *text = (char *) self->data;
    *self = (struct buf){ 0 };
    return text;
}

/* Text forms */

char *hex_encode (char *out, const void *data, size_t size) {
    return sodium_bin2hex (out, HEX_SIZE (size), data, size);
}

enum err hex_decode (uint8_t *out, size_t size, const char *text) {
    size_t length = strlen (text);
    /* libsodium also takes capitals. */
    if (length / 2 != size || strspn (text, "0123456789abcdef") != length)
        return ERR_MALFORMED;
    size_t done;
    if (sodium_hex2bin (out, size, text, length, NULL, &done, NULL) != 0
        || done != size)
        return ERR_MALFORMED;
    return ERR_NONE;
}

char *base64_encode (char *out, const void *data, size_t size) {
    return sodium_bin2base64 (out, BASE64_SIZE (size), data, size,
                              sodium_base64_VARIANT_ORIGINAL);
}

/* libsodium 1.0.18 takes some octets above 0x7f for digits (its char_to_byte
 * computes with their sign). */
static bool is_ascii (struct slice text) {
    uint8_t all = 0;
    for (size_t i = 0; i < text.size; i++)
        all |= text.data[i];
    return all < 0x80;
}

/* Octets that a text of this length and padding gives, if it is one. */
static size_t base64_octets (struct slice text) {
    size_t size = text.size / 4 * 3;
    for (size_t i = 1; i <= 2 && i <= text.size; i++)
        if (text.data[text.size - i] == '=')
            size--;
    return size;
}

enum err base64_decode_any (uint8_t *out, size_t room, size_t *size,
                            struct slice text) {
    if (text.size % 4 != 0 || !is_ascii (text))
        return ERR_MALFORMED;
    if (text.size == 0) {
        *size = 0;
        return ERR_NONE;
    }
    size_t want = base64_octets (text), done;
    if (want > room)
        return ERR_LIMIT;
    /* Checks the unused bits of the last digit, and the padding, too. */
    if (sodium_base642bin (out, want, (const char *) text.data, text.size, NULL,
                           &done, NULL, sodium_base64_VARIANT_ORIGINAL)
            != 0
        || done != want)
        return ERR_MALFORMED;
    *size = done;
    return ERR_NONE;
}

enum err base64_decode (uint8_t *out, size_t size, struct slice text) {
    size_t done;
    enum err rc = base64_decode_any (out, size, &done, text);
    return rc || done != size ? ERR_MALFORMED : ERR_NONE;
}
