#include "identity/vkey.h"

#include "base/mp.h"

#include <stdlib.h>

#define ID_DIGITS (2 * NOTE_ID_SIZE)

struct parts {
    struct slice name, id, base64;
};

/* A name has no '+', base64 may. */
static bool split (struct slice text, struct parts *out) {
    const uint8_t *plus = text.size ? memchr (text.data, '+', text.size) : NULL;
    if (!plus)
        return false;
    out->name = slice_of (text.data, (size_t) (plus - text.data));
    struct slice rest = slice_of (plus + 1, text.size - out->name.size - 1);
    if (rest.size < ID_DIGITS + 1 || rest.data[ID_DIGITS] != '+')
        return false;
    out->id = slice_of (rest.data, ID_DIGITS);
    out->base64 =
        slice_of (rest.data + ID_DIGITS + 1, rest.size - ID_DIGITS - 1);
    return true;
}

/* As a signature line could have it: a note is UTF-8 without controls. */
static bool name_fits (struct slice name) {
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ')
            return false;
    return mp_is_text (name) && note_name_check (name, NULL) == ERR_NONE;
}

static bool id_decode (struct slice digits, uint8_t out[NOTE_ID_SIZE]) {
    char text[ID_DIGITS + 1] = { 0 };
    memcpy (text, digits.data, ID_DIGITS);
    return hex_decode (out, NOTE_ID_SIZE, text) == ERR_NONE;
}

static enum err key_read (const struct parts *parts, struct slice octets,
                          struct vkey *out, struct error *e) {
    uint8_t id[NOTE_ID_SIZE], own[NOTE_ID_SIZE];
    if (octets.size < 2 || !id_decode (parts->id, id))
        return error_set (e, ERR_MALFORMED,
                          "vkey: no id in hex, or no type and key");
    const struct slice key = slice_of (octets.data + 1, octets.size - 1);
    out->type = octets.data[0];
    out->key_digest = hash_sha256 (key);
    if (out->type != NOTE_ED25519 && out->type != NOTE_COSIGNATURE)
        return ERR_NONE;
    if (key.size != KEY_SIZE)
        return error_set (e, ERR_MALFORMED,
                          "vkey: an Ed25519 key of %zu octets, not %d",
                          key.size, KEY_SIZE);
    memcpy (out->key, key.data, KEY_SIZE);
    note_key_id (parts->name, out->type, out->key, own);
    if (memcmp (id, own, sizeof id) != 0)
        return error_set (e, ERR_MALFORMED,
                          "vkey: the id is not this name's and key's");
    return ERR_NONE;
}

enum err vkey_read (struct slice text, struct vkey *out, struct error *e) {
    struct parts parts;
    struct vkey made = { 0 };
    size_t size = 0;
    if (!split (text, &parts) || !name_fits (parts.name))
        return error_set (e, ERR_MALFORMED, "vkey: not 'NAME+ID+BASE64'");
    const size_t room = parts.base64.size / 4 * 3; /* bounded by the text */
    uint8_t *octets = mem_alloc (room + 1);
    enum err rc =
        base64_decode_any (octets, room, &size, parts.base64)
            ? error_set (e, ERR_MALFORMED, "vkey: the key is not base64")
            : key_read (&parts, slice_of (octets, size), &made, e);
    free (octets);
    if (rc)
        return rc;
    memcpy (made.name, parts.name.data, parts.name.size);
    *out = made;
    return ERR_NONE;
}
