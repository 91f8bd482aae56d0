#include "identity/identity.h"

#include "base/disk.h"
#include "base/topic.h"
#include "identity/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define KEYS_MAX 5
#define KDF_CONTEXT "parleyid"
#define SECRET_HEAD "parley/secret/"
#define SECRET_FILE_MAX 512 /* its lines need at most 174 octets */
#define SMALL_MAX 512       /* what is signed here, but for odd callers */

static_assert (crypto_kdf_KEYBYTES == KEY_SIZE, "seed");
static_assert (crypto_kdf_CONTEXTBYTES == sizeof KDF_CONTEXT - 1, "context");
static_assert (crypto_sign_SEEDBYTES == KEY_SIZE, "Ed25519 seed");
static_assert (crypto_sign_PUBLICKEYBYTES == KEY_SIZE, "Ed25519 key");
static_assert (crypto_sign_BYTES == SIGNATURE_SIZE, "Ed25519 signature");
static_assert (crypto_scalarmult_BYTES == KEY_SIZE, "X25519 key");

enum key_form { FORM_ED25519, FORM_X25519, FORM_RAW };

static const struct kind_spec {
    const char *name;
    struct {
        enum identity_key which;
        enum key_form form;
    } keys[KEYS_MAX];
    size_t count;
} kinds[] = {
    [IDENTITY_DELEGATION] = { "delegation",
                              { { KEY_SIGN, FORM_ED25519 },
                                { KEY_NOTE, FORM_ED25519 },
                                { KEY_WITNESS, FORM_ED25519 },
                                { KEY_SEAL, FORM_X25519 },
                                { KEY_LINK, FORM_X25519 } },
                              5 },
    [IDENTITY_ROOT] = { "root", { { KEY_ROOT, FORM_ED25519 } }, 1 },
    [IDENTITY_BROKER] = { "broker",
                          { { KEY_BROKER_LINK, FORM_X25519 },
                            { KEY_LOG, FORM_ED25519 },
                            { KEY_DESK, FORM_ED25519 },
                            { KEY_VEIL, FORM_RAW } },
                          4 },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

struct secrets {
    uint8_t seed[KEY_SIZE];
    uint8_t keys[KEYS_MAX][crypto_sign_SECRETKEYBYTES];
};

struct identity {
    enum identity_kind kind;
    char name[IDENTITY_NAME_MAX + 1];
    struct secrets *secrets; /* owned, guarded, read-only once it is made */
    uint8_t public_keys[KEYS_MAX][KEY_SIZE];
};

static void start_library (void) {
    if (sodium_init() < 0)
        abort(); /* no source of random octets: nothing here can be right */
}

static void library_ready (void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once (&once, start_library);
}

/* Labels and ids */

const uint8_t *label_octets (enum label label) {
    static const char labels[][LABEL_SIZE + 1] = {
        /* rest is NUL */
        [LABEL_BATCH] = "\0parley/batch",
        [LABEL_VIA] = "\0parley/via",
        [LABEL_PROMISE] = "\0parley/promise",
        [LABEL_HELLO] = "\0parley/hello",
        [LABEL_FRAME] = "\0parley/frame",
        [LABEL_KEY] = "\0parley/key",
        [LABEL_STREAM] = "\0parley/stream",
        [LABEL_SENDER] = "\0parley/sender",
    };
    assert ((size_t) label < sizeof labels / sizeof labels[0]);
    return (const uint8_t *) labels[label];
}

struct key_id key_id_of (int type, const uint8_t key[KEY_SIZE]) {
    assert (type == KEY_TYPE_ED25519 || type == KEY_TYPE_X25519);
    uint8_t octet = (uint8_t) type;
    const struct slice parts[] = {
        slice_of (label_octets (LABEL_KEY), LABEL_SIZE),
        slice_of (&octet, 1),
        slice_of (key, KEY_SIZE),
    };
    struct hash h = hash_sha256_parts (parts, 3);
    struct key_id id;
    memcpy (id.octets, h.octets, KEY_ID_SIZE);
    return id;
}

bool identity_name_valid (enum identity_kind kind, struct slice name) {
    static const char root[] = "/root";
    const size_t tail = sizeof root - 1;
    if (kind == IDENTITY_DELEGATION)
        return delegation_valid (name);
    if (kind == IDENTITY_BROKER)
        return channel_name_valid (name); /* one grammar, section 4's `name` */
    return name.size > tail
           && memcmp (name.data + name.size - tail, root, tail) == 0
           && entity_valid (slice_of (name.data, name.size - tail));
}

/* Making one */

/* CURVE takes the scalar as it is; X25519 clamps it where it is used. */
static void key_derive (struct identity *self, size_t slot) {
    uint8_t seed[KEY_SIZE];
    uint8_t *secret = self->secrets->keys[slot];
    uint8_t *public_key = self->public_keys[slot];
    const struct kind_spec *spec = &kinds[self->kind];
    crypto_kdf_derive_from_key (seed, sizeof seed, spec->keys[slot].which,
                                KDF_CONTEXT, self->secrets->seed);
    if (spec->keys[slot].form == FORM_ED25519)
        crypto_sign_seed_keypair (public_key, secret, seed);
    else
        memcpy (secret, seed, sizeof seed);
    if (spec->keys[slot].form == FORM_X25519)
        crypto_scalarmult_base (public_key, secret);
    sodium_memzero (seed, sizeof seed);
}

struct identity *identity_from_seed (enum identity_kind kind, const char *name,
                                     const uint8_t seed[KEY_SIZE],
                                     struct error *e) {
    assert ((size_t) kind < KINDS);
    if (!name || !identity_name_valid (kind, slice_text (name))) {
        error_set (e, ERR_ARGUMENT, "'%.64s' is no name of a %s",
                   name ? name : "", kinds[kind].name);
        return NULL;
    }
    library_ready();
    struct secrets *secrets = sodium_malloc (sizeof *secrets);
    if (!secrets) {
        error_sys (e, errno, "guarded memory for the keys of '%s'", name);
        return NULL;
    }
    struct identity *self = mem_alloc (sizeof *self);
    self->kind = kind;
    memcpy (self->name, name, strlen (name) + 1);
    self->secrets = secrets;
    sodium_memzero (secrets, sizeof *secrets);
    memcpy (secrets->seed, seed, KEY_SIZE);
    for (size_t i = 0; i < kinds[kind].count; i++)
        key_derive (self, i);
    sodium_mprotect_readonly (secrets);
    return self;
}

struct identity *identity_new (enum identity_kind kind, const char *name,
                               struct error *e) {
    uint8_t seed[KEY_SIZE];
    library_ready();
    randombytes_buf (seed, sizeof seed);
    struct identity *self = identity_from_seed (kind, name, seed, e);
    sodium_memzero (seed, sizeof seed);
    return self;
}

void identity_destroy (struct identity **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    sodium_free ((*self_p)->secrets); /* wipes */
    free (*self_p);
    *self_p = NULL;
    errno = saved;
}

/* The secret file */

bool field_take (struct slice *rest, const char *name, struct slice *value) {
    const size_t head = strlen (name) + 1;
    const uint8_t *end =
        rest->size ? memchr (rest->data, '\n', rest->size) : NULL;
    if (!end)
        return false;
    const size_t line = (size_t) (end - rest->data);
    if (line <= head || memcmp (rest->data, name, head - 1) != 0
        || rest->data[head - 1] != ' ')
        return false;
    *value = slice_of (rest->data + head, line - head);
    *rest = slice_of (end + 1, rest->size - line - 1);
    return true;
}

static bool text_begins (struct slice text, const char *head) {
    const size_t size = strlen (head);
    return text.size >= size && memcmp (text.data, head, size) == 0;
}

struct secret_lines {
    struct slice kind, name, protection, seed;
};

static enum err secret_lines (struct slice text, struct secret_lines *out,
                              struct error *e) {
    static const char head[] = SECRET_HEAD "1\n";
    if (!text_begins (text, head)) {
        if (text_begins (text, SECRET_HEAD))
            return error_set (e, ERR_NEWER,
                              "a secret file of another format "
                              "than 1");
        return error_set (e, ERR_MALFORMED,
                          "no secret file: it does not "
                          "begin with '" SECRET_HEAD "1'");
    }
    struct slice rest =
        slice_of (text.data + sizeof head - 1, text.size - sizeof head + 1);
    const struct {
        const char *name;
        struct slice *value;
    } fields[] = { { "kind", &out->kind },
                   { "name", &out->name },
                   { "protection", &out->protection },
                   { "seed", &out->seed } };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (!field_take (&rest, fields[i].name, fields[i].value))
            return error_set (e, ERR_MALFORMED,
                              "secret file, line %zu: wanted '%s VALUE'", i + 2,
                              fields[i].name);
    if (rest.size != 0)
        return error_set (e, ERR_MALFORMED,
                          "secret file: %zu octets behind the seed", rest.size);
    return ERR_NONE;
}

static enum err secret_kind (struct slice text, enum identity_kind *kind,
                             struct error *e) {
    for (size_t i = 0; i < KINDS; i++)
        if (slice_is (text, kinds[i].name)) {
            *kind = (enum identity_kind) i;
            return ERR_NONE;
        }
    return error_set (e, ERR_MALFORMED,
                      "secret file: kind '%.*s' is not delegation, root or "
                      "broker",
                      (int) text.size, (const char *) text.data);
}

struct identity *identity_read (struct slice text, struct error *e) {
    struct secret_lines lines;
    enum identity_kind kind = IDENTITY_DELEGATION;
    if (text.size > SECRET_FILE_MAX) {
        error_set (e, ERR_LIMIT, "secret file of %zu octets, at most %d",
                   text.size, SECRET_FILE_MAX);
        return NULL;
    }
    if (secret_lines (text, &lines, e) || secret_kind (lines.kind, &kind, e))
        return NULL;
    if (!slice_is (lines.protection, "none")) {
        error_set (e, ERR_NEWER, "secret file: protection '%.*s' is not known",
                   (int) lines.protection.size,
                   (const char *) lines.protection.data);
        return NULL;
    }
    if (!identity_name_valid (kind, lines.name)) {
        error_set (e, ERR_MALFORMED, "secret file: '%.*s' is no name of a %s",
                   (int) lines.name.size, (const char *) lines.name.data,
                   kinds[kind].name);
        return NULL;
    }
    char name[IDENTITY_NAME_MAX + 1] = { 0 };
    memcpy (name, lines.name.data, lines.name.size);
    uint8_t seed[KEY_SIZE];
    struct identity *self = NULL;
    if (base64_decode (seed, sizeof seed, lines.seed))
        error_set (e, ERR_MALFORMED,
                   "secret file: the seed is not base64 of %d octets",
                   KEY_SIZE);
    else
        self = identity_from_seed (kind, name, seed, e);
    sodium_memzero (seed, sizeof seed);
    return self;
}

static void buf_wipe (struct buf *self) {
    if (self->data)
        sodium_memzero (self->data, self->room);
    buf_free (self);
}

struct identity *identity_load (const char *path, struct error *e) {
    struct buf text = { 0 };
    struct identity *self = NULL;
    if (disk_read_secret (path, SECRET_FILE_MAX, &text, e) == ERR_NONE) {
        self = identity_read (buf_slice (&text), e);
        if (!self)
            error_at (e, "'%s'", path);
    }
    buf_wipe (&text);
    return self;
}

enum err identity_save (const struct identity *self, const char *path,
                        struct error *e) {
    char seed[BASE64_SIZE (KEY_SIZE)];
    struct buf text = { 0 };
    buf_reserve (&text, SECRET_FILE_MAX); /* growing would leave copies */
    buf_add_format (&text, SECRET_HEAD "1\nkind %s\nname %s\nprotection none\n",
                    kinds[self->kind].name, self->name);
    buf_add_text (&text, "seed ");
    buf_add_text (&text, base64_encode (seed, self->secrets->seed, KEY_SIZE));
    buf_add_text (&text, "\n");
    enum err rc = disk_write_file (path, buf_slice (&text), false, e);
    sodium_memzero (seed, sizeof seed);
    buf_wipe (&text);
    return rc;
}

/* What it is asked */

enum identity_kind identity_kind (const struct identity *self) {
    return self->kind;
}

const char *identity_name (const struct identity *self) {
    return self->name;
}

static size_t slot_of (const struct identity *self, enum identity_key which) {
    const struct kind_spec *spec = &kinds[self->kind];
    size_t slot = 0;
    while (slot < spec->count && spec->keys[slot].which != which)
        slot++;
    assert (slot < spec->count);
    return slot;
}

const uint8_t *identity_public (const struct identity *self,
                                enum identity_key which) {
    assert (which != KEY_VEIL); /* has no public half */
    return self->public_keys[slot_of (self, which)];
}

void identity_keyset (const struct identity *self, struct keyset *out) {
    assert (self->kind == IDENTITY_DELEGATION);
    memcpy (out->sign, identity_public (self, KEY_SIGN), KEY_SIZE);
    memcpy (out->note, identity_public (self, KEY_NOTE), KEY_SIZE);
    memcpy (out->witness, identity_public (self, KEY_WITNESS), KEY_SIZE);
    memcpy (out->seal, identity_public (self, KEY_SEAL), KEY_SIZE);
    memcpy (out->link, identity_public (self, KEY_LINK), KEY_SIZE);
}

/* The table of section 9.2; the labels of none are hashed, not signed. */
static enum identity_key signer_of (enum label label) {
    assert (label <= LABEL_HELLO);
    return label == LABEL_BATCH || label == LABEL_VIA ? KEY_SIGN : KEY_DESK;
}

struct key_id identity_key_id (const struct identity *self, enum label label) {
    return key_id_of (KEY_TYPE_ED25519,
                      identity_public (self, signer_of (label)));
}

void identity_curve (const struct identity *self, uint8_t public_key[KEY_SIZE],
                     uint8_t secret_key[KEY_SIZE]) {
    const size_t slot = slot_of (
        self, self->kind == IDENTITY_BROKER ? KEY_BROKER_LINK : KEY_LINK);
    memcpy (public_key, self->public_keys[slot], KEY_SIZE);
    memcpy (secret_key, self->secrets->keys[slot], KEY_SIZE);
}

const uint8_t *identity_veil (const struct identity *self) {
    return self->secrets->keys[slot_of (self, KEY_VEIL)];
}

/* Signatures */

/* label || data, in `small` or, where that is too little, in memory of its own
 * that the caller frees (*large, otherwise NULL). What is signed has less than
 * 200 octets, thousands of times a second. */
static struct slice labelled (enum label label, struct slice data,
                              uint8_t small[SMALL_MAX], uint8_t **large) {
    const size_t size = LABEL_SIZE + data.size;
    *large = size > SMALL_MAX ? mem_alloc (size) : NULL;
    uint8_t *all = *large ? *large : small;
    memcpy (all, label_octets (label), LABEL_SIZE);
    if (data.size)
        memcpy (all + LABEL_SIZE, data.data, data.size);
    return slice_of (all, size);
}

static void sign_with (const struct identity *self, enum identity_key which,
                       struct slice all, uint8_t out[SIGNATURE_SIZE]) {
    crypto_sign_detached (out, NULL, all.data, all.size,
                          self->secrets->keys[slot_of (self, which)]);
}

void identity_sign (const struct identity *self, enum label label,
                    struct slice data, uint8_t out[SIGNATURE_SIZE]) {
    uint8_t small[SMALL_MAX], *large;
    struct slice all = labelled (label, data, small, &large);
    sign_with (self, signer_of (label), all, out);
    free (large);
}

void identity_sign_text (const struct identity *self, struct slice text,
                         uint8_t out[SIGNATURE_SIZE]) {
    sign_with (self, self->kind == IDENTITY_ROOT ? KEY_ROOT : KEY_NOTE, text,
               out);
}

void identity_sign_checkpoint (const struct identity *self,
                               const struct checkpoint *checkpoint,
                               uint8_t out[SIGNATURE_SIZE]) {
    struct buf text = { 0 };
    checkpoint_text (checkpoint, &text);
    sign_with (self, KEY_LOG, buf_slice (&text), out);
    buf_free (&text);
}

void identity_cosign (const struct identity *self,
                      const struct checkpoint *checkpoint, int64_t time,
                      uint8_t out[SIGNATURE_SIZE]) {
    struct buf text = { 0 };
    checkpoint_cosignature_text (checkpoint, time, &text);
    sign_with (self, KEY_WITNESS, buf_slice (&text), out);
    buf_free (&text);
}

bool signature_valid (const uint8_t key[KEY_SIZE], enum label label,
                      struct slice data, const uint8_t sig[SIGNATURE_SIZE]) {
    uint8_t small[SMALL_MAX], *large;
    struct slice all = labelled (label, data, small, &large);
    bool valid = signature_valid_text (key, all, sig);
    free (large);
    return valid;
}

bool signature_valid_text (const uint8_t key[KEY_SIZE], struct slice text,
                           const uint8_t sig[SIGNATURE_SIZE]) {
    library_ready();
    return crypto_sign_verify_detached (sig, text.data, text.size, key) == 0;
}
