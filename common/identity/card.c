/* card - the note by which a delegation, or a root signer, shows its keys. */
#include "identity/note.h"

#include <assert.h>
#include <stddef.h>

#define CARD_HEAD "parley/card/1\n-\n"

/* In the order of the card's lines. */
static const struct {
    const char *name;
    size_t place;
} fields[] = {
    { "sign", offsetof (struct keyset, sign) },
    { "note", offsetof (struct keyset, note) },
    { "witness", offsetof (struct keyset, witness) },
    { "seal", offsetof (struct keyset, seal) },
    { "link", offsetof (struct keyset, link) },
};
#define FIELDS (sizeof fields / sizeof fields[0])

static void key_write (struct buf *out, const char *name,
                       const uint8_t key[KEY_SIZE]) {
    char text[BASE64_SIZE (KEY_SIZE)];
    buf_add_format (out, "%s %s\n", name, base64_encode (text, key, KEY_SIZE));
}

void card_text (const struct identity *self, struct buf *out) {
    struct keyset keys;
    assert (identity_kind (self) != IDENTITY_BROKER);
    buf_add_format (out, CARD_HEAD "name %s\n", identity_name (self));
    if (identity_kind (self) == IDENTITY_ROOT) {
        key_write (out, "root", identity_public (self, KEY_ROOT));
        return;
    }
    identity_keyset (self, &keys);
    for (size_t i = 0; i < FIELDS; i++)
        key_write (out, fields[i].name,
                   (const uint8_t *) &keys + fields[i].place);
}

enum err card_write (const struct identity *self, struct buf *out,
                     struct error *e) {
    if (identity_kind (self) == IDENTITY_BROKER)
        return error_set (e, ERR_RIGHT, "'%s' is a broker: it has no card",
                          identity_name (self));
    struct buf text = { 0 }, line = { 0 };
    card_text (self, &text);
    enum err rc = note_sign (self, buf_slice (&text), &line, e);
    if (!rc) {
        note_begin (out, buf_slice (&text));
        buf_add_slice (out, buf_slice (&line));
    }
    buf_free (&text);
    buf_free (&line);
    return rc;
}

static enum err key_read (struct slice *rest, const char *name,
                          uint8_t out[KEY_SIZE], struct error *e) {
    struct slice value;
    if (!field_take (rest, name, &value)
        || base64_decode (out, KEY_SIZE, value))
        return error_set (e, ERR_MALFORMED,
                          "card: wanted '%s' and base64 of %d octets", name,
                          KEY_SIZE);
    return ERR_NONE;
}

static enum err name_read (struct slice *rest, struct card *out,
                           struct error *e) {
    struct slice name;
    if (!field_take (rest, "name", &name))
        return error_set (e, ERR_MALFORMED, "card: no line 'name NAME'");
    out->is_root = identity_name_valid (IDENTITY_ROOT, name);
    if (!out->is_root && !identity_name_valid (IDENTITY_DELEGATION, name))
        return error_set (e, ERR_MALFORMED,
                          "card: '%.*s' is no delegation and no root signer",
                          (int) (name.size < 64 ? name.size : 64),
                          (const char *) name.data);
    memcpy (out->name, name.data, name.size);
    return ERR_NONE;
}

static enum err lines_read (struct slice rest, struct card *out,
                            struct error *e) {
    enum err rc = name_read (&rest, out, e);
    if (!rc && out->is_root)
        rc = key_read (&rest, "root", out->root, e);
    for (size_t i = 0; !rc && !out->is_root && i < FIELDS; i++)
        rc = key_read (&rest, fields[i].name,
                       (uint8_t *) &out->keys + fields[i].place, e);
    if (!rc && rest.size != 0)
        rc = error_set (e, ERR_MALFORMED, "card: %zu octets behind its keys",
                        rest.size);
    return rc;
}

static enum err own_signature (const struct note *note, const struct card *card,
                               struct error *e) {
    const struct note_key key = { card->name, card->is_root ? card->root
                                                            : card->keys.note };
    bool good;
    enum err rc = note_verify (note, &key, 1, &good, e);
    if (!rc && !good)
        rc = error_set (e, ERR_SIGNATURE, "card: '%s' did not sign it",
                        card->name);
    return rc;
}

enum err card_read (struct slice octets, struct card *out, struct error *e) {
    struct note note;
    struct card card = { 0 };
    enum note_kind kind;
    struct hash dialogue;
    bool has_dialogue;
    struct slice rest;
    enum err rc = note_read (octets, &note, e);
    if (!rc)
        rc = note_head (note.text, &kind, &dialogue, &has_dialogue, &rest, e);
    if (!rc && kind != NOTE_CARD)
        rc = error_set (e, ERR_MALFORMED, "card: a note of another kind");
    if (!rc)
        rc = lines_read (rest, &card, e);
    if (!rc)
        rc = own_signature (&note, &card, e);
    if (!rc)
        *out = card;
    return rc;
}
