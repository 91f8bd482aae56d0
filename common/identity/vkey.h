/* vkey - a verifier key as text: NAME+ID+BASE64 (C2SP signed-note).
 *
 * Pure. checkpoint.h writes those of logs and witnesses. */
#ifndef PARLEY_VKEY_H
#define PARLEY_VKEY_H

#include "identity/note.h"

struct vkey {
    char name[NOTE_NAME_MAX + 1];
    uint8_t type;           /* NOTE_ED25519, NOTE_COSIGNATURE, or another */
    uint8_t key[KEY_SIZE];  /* of those two types; else zeros */
    struct hash key_digest; /* of the key alone: is it one that was seen? */
};
/* Type and id have to be right where the type is one of the two; of others
 * nothing is known but their form. ERR_MALFORMED. */
enum err vkey_read (struct slice text, struct vkey *out, struct error *e)
    MUST_CHECK;

#endif
