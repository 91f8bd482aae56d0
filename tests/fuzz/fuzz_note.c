/* Notes, cards, secret files and brokers' public files. The first octet says
 * which; what is read must be written again as it was. */
#include "identity/note.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void check (bool fine) {
    if (!fine)
        abort();
}

static bool inside (struct slice part, struct slice whole) {
    return part.data >= whole.data
           && part.data + part.size <= whole.data + whole.size;
}

static void try_note (struct slice octets) {
    static const uint8_t key[KEY_SIZE] = { 9 };
    const struct note_key keys[] = { { "A", key }, { "EUROPOL/root", key } };
    struct note note;
    struct error e = { 0 };
    bool good[2];
    if (note_read (octets, &note, &e))
        return;
    check (note.text.size > 0 && inside (note.text, octets));
    check (note.count >= 1 && note.count <= NOTE_SIGNATURES_MAX);
    for (size_t i = 0; i < note.count; i++)
        check (inside (note.lines[i].name, octets)
               && inside (note.lines[i].base64, octets));
    if (note_verify (&note, keys, 2, good, &e) == ERR_NONE)
        check (!good[0] && !good[1]);
    enum note_kind kind;
    struct hash dialogue;
    bool has_dialogue;
    struct slice rest;
    if (note_head (note.text, &kind, &dialogue, &has_dialogue, &rest, &e)
        == ERR_NONE)
        check (inside (rest, note.text));
}

static void try_card (struct slice octets) {
    struct card card;
    struct error e = { 0 };
    if (card_read (octets, &card, &e) == ERR_NONE)
        check (identity_name_valid (card.is_root ? IDENTITY_ROOT
                                                 : IDENTITY_DELEGATION,
                                    slice_text (card.name)));
    else
        check (e.code != ERR_NONE);
}

static void try_secret (struct slice text) {
    struct error e = { 0 };
    struct identity *self = identity_read (text, &e);
    struct identity *again = NULL;
    if (!self) {
        check (e.code != ERR_NONE);
        return;
    }
    again = identity_from_seed (identity_kind (self), identity_name (self),
                                (const uint8_t[KEY_SIZE]){ 0 }, &e);
    check (again != NULL); /* its name is one */
    identity_destroy (&again);
    identity_destroy (&self);
}

static void try_public (struct slice json) {
    struct broker_public broker;
    struct error e = { 0 };
    if (broker_public_read (json, &broker, &e) == ERR_NONE)
        check (identity_name_valid (IDENTITY_BROKER, slice_text (broker.id)));
    else
        check (e.code != ERR_NONE);
}

static void try_sign (struct slice text) {
    static struct identity *self;
    struct error e = { 0 };
    struct note note;
    struct buf octets = { 0 };
    bool good = false;
    if (!self)
        self = identity_new (IDENTITY_DELEGATION, "EUROPOL/hq", &e);
    check (self != NULL);
    const struct note_key key = { identity_name (self),
                                  identity_public (self, KEY_NOTE) };
    note_begin (&octets, text);
    if (note_sign (self, text, &octets, &e) == ERR_NONE) {
        check (note_read (buf_slice (&octets), &note, &e) == ERR_NONE);
        check (slice_equal (note.text, text));
        check (note_verify (&note, &key, 1, &good, &e) == ERR_NONE && good);
    }
    buf_free (&octets);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
    static void (*const tries[]) (struct slice) = { try_note, try_card,
                                                    try_secret, try_public,
                                                    try_sign };
    if (size == 0)
        return 0;
    tries[data[0] % 5](slice_of (data + 1, size - 1));
    return 0;
}
