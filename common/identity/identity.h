/* identity - the keys behind one name, and what each of them may sign
 * (PROTOCOL.md sections 2.2, 5.1 and 9.2).
 *
 * An identity holds one secret seed, from which every key is derived. Which
 * key signs is decided by the label, so that no caller can sign a promise with
 * a delegation's key. Secrets live in guarded memory and are wiped.
 * Immutable after it is made; safe to share between threads. */
#ifndef PARLEY_IDENTITY_H
#define PARLEY_IDENTITY_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

#define KEY_SIZE 32       /* Ed25519, X25519 */
#define SIGNATURE_SIZE 64 /* Ed25519 */
#define KEY_ID_SIZE 8
#define LABEL_SIZE 16
#define IDENTITY_NAME_MAX 49 /* ENTITY/delegation; ENTITY/root; a broker's id */

enum identity_kind { IDENTITY_DELEGATION, IDENTITY_ROOT, IDENTITY_BROKER };

/* The number is the sub-key's number of section 5.1. */
enum identity_key {
    KEY_SIGN = 1, KEY_NOTE = 2, KEY_WITNESS = 3, KEY_SEAL = 4, KEY_LINK = 5,
    KEY_BROKER_LINK = 16, KEY_LOG = 17, KEY_DESK = 18, KEY_VEIL = 19,
    KEY_ROOT = 32,
};

/* Section 9.2. */
enum label {
    LABEL_BATCH, LABEL_VIA, LABEL_PROMISE, LABEL_HELLO,
    LABEL_FRAME, LABEL_KEY, LABEL_STREAM, LABEL_SENDER,
};
const uint8_t *label_octets (enum label label); /* LABEL_SIZE, static */

/* The public keys of one set. */
struct keyset {
    uint8_t sign[KEY_SIZE], note[KEY_SIZE], witness[KEY_SIZE];
    uint8_t seal[KEY_SIZE], link[KEY_SIZE];
};

struct key_id {
    uint8_t octets[KEY_ID_SIZE];
};
#define KEY_TYPE_ED25519 1
#define KEY_TYPE_X25519 2
struct key_id key_id_of (int type, const uint8_t key[KEY_SIZE]);
static inline bool key_id_equal (struct key_id a, struct key_id b) {
    return memcmp (a.octets, b.octets, KEY_ID_SIZE) == 0;
}

/* ENTITY/delegation, ENTITY/root, or a broker's id. */
bool identity_name_valid (enum identity_kind kind, struct slice name);

struct identity;

/* A fresh random seed; or a given one (borrowed for the call). NULL and *e:
 * a name outside the grammar of its kind. */
struct identity *identity_new (enum identity_kind kind, const char *name,
                               struct error *e) MUST_CHECK;
struct identity *identity_from_seed (enum identity_kind kind, const char *name,
                                     const uint8_t seed[KEY_SIZE],
                                     struct error *e) MUST_CHECK;
/* The secret file of section 5.1. Load refuses what others may read (ERR_KEY).
 * Save never replaces (ERR_EXISTS); the file is 0600 and synced. */
struct identity *identity_load (const char *path, struct error *e) MUST_CHECK;
enum err identity_save (const struct identity *self, const char *path,
                        struct error *e) MUST_CHECK;
/* The text of a secret file. The caller wipes it. */
struct identity *identity_read (struct slice text, struct error *e) MUST_CHECK;
void identity_destroy (struct identity **self_p);

enum identity_kind identity_kind (const struct identity *self);
const char *identity_name (const struct identity *self); /* borrowed */

/* The public half of a key that this kind has (asserted). Borrowed. */
const uint8_t *identity_public (const struct identity *self,
                                enum identity_key which);
void identity_keyset (const struct identity *self, struct keyset *out);
/* Id of the key that signs `label`. */
struct key_id identity_key_id (const struct identity *self, enum label label);

/* Sign label || data with the one key that may (asserted). */
void identity_sign (const struct identity *self, enum label label,
                    struct slice data, uint8_t out[SIGNATURE_SIZE]);
/* For notes only (note.h decides what may be signed): by *note* or *root*. */
void identity_sign_text (const struct identity *self, struct slice text,
                         uint8_t out[SIGNATURE_SIZE]);
/* By a broker's *log* key: a checkpoint's text (checkpoint_text), nothing else
 * is ever signed by it. By a delegation's *witness* key: a cosignature's text
 * at `time` (checkpoint_cosignature_text), nothing else either. Both are built
 * here of numbers, so that no caller can bring a text of its own. Whose kind it
 * is not, a size below 0, a time outside and an origin that is no key name are
 * our own mistakes (asserted). */
struct checkpoint;
void identity_sign_checkpoint (const struct identity *self,
                               const struct checkpoint *checkpoint,
                               uint8_t out[SIGNATURE_SIZE]);
void identity_cosign (const struct identity *self,
                      const struct checkpoint *checkpoint, int64_t time,
                      uint8_t out[SIGNATURE_SIZE]);
/* The CURVE pair of a delegation or a broker. The caller wipes the secret. */
void identity_curve (const struct identity *self, uint8_t public_key[KEY_SIZE],
                     uint8_t secret_key[KEY_SIZE]);
/* A broker's key for the salts of section 7.4. Borrowed. */
const uint8_t *identity_veil (const struct identity *self);

/* Ed25519, judged by the whole key; low-order and non-canonical keys and
 * signatures are refused. */
bool signature_valid (const uint8_t key[KEY_SIZE], enum label label,
                      struct slice data, const uint8_t sig[SIGNATURE_SIZE]);
bool signature_valid_text (const uint8_t key[KEY_SIZE], struct slice text,
                           const uint8_t sig[SIGNATURE_SIZE]);

/* Take the line "NAME VALUE\n" from *rest, as secret files and cards have them;
 * false and nothing taken where another stands there. A value has an octet. */
bool field_take (struct slice *rest, const char *name, struct slice *value)
    MUST_CHECK;

/* A broker's public file (section 5.2): what a roster draft needs of it. Write
 * does not judge the endpoints; read does. ERR_NEWER: a format above 1. */
struct broker_public {
    char id[33];
    char desk[256], feed[256]; /* endpoints */
    uint8_t link[KEY_SIZE], log[KEY_SIZE], desk_key[KEY_SIZE];
};
void broker_public_write (const struct identity *broker, const char *desk,
                          const char *feed, struct buf *json);
enum err broker_public_read (struct slice json, struct broker_public *out,
                             struct error *e) MUST_CHECK;

#endif
