/* Keys: what is refused, what each may sign, and the file they are kept in. */
#include "identity/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vectors.h"

/* Seed 00 01 .. 1f; what follows from it was computed with Python's hashlib
 * and PyNaCl. */
#define SEED_TEXT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEAD "parley/secret/1\n"
#define KIND "kind delegation\n"
#define NAME "name EUROPOL/hq\n"
#define NONE "protection none\n"
#define SEED "seed " SEED_TEXT "\n"

static const uint8_t seed[KEY_SIZE] = { 0,  1,  2,  3,  4,  5,  6,  7,
                                        8,  9,  10, 11, 12, 13, 14, 15,
                                        16, 17, 18, 19, 20, 21, 22, 23,
                                        24, 25, 26, 27, 28, 29, 30, 31 };

static struct identity *known (enum identity_kind kind) {
    static const char *const names[] = { [IDENTITY_DELEGATION] = "EUROPOL/hq",
                                         [IDENTITY_ROOT] = "EUROPOL/root",
                                         [IDENTITY_BROKER] = "broker-1" };
    struct error e = { 0 };
    struct identity *self = identity_from_seed (kind, names[kind], seed, &e);
    if (!self)
        fail_msg ("%s", e.text);
    return self;
}

static void assert_hex (const uint8_t *octets, size_t size, const char *want) {
    char text[HEX_SIZE (SIGNATURE_SIZE)];
    assert_string_equal (hex_encode (text, octets, size), want);
}

static void assert_error (const struct error *e, enum err code,
                          const char *what) {
    if (e->code != code || !strstr (e->text, what))
        fail_msg ("%s \"%s\" is not %s with \"%s\"", error_name (e->code),
                  e->text, error_name (code), what);
}

static void names_outside_their_grammar_are_refused (void **state) {
    (void) state;
    static const struct {
        enum identity_kind kind;
        const char *name;
    } cases[] = {
        { IDENTITY_DELEGATION, NULL },
        { IDENTITY_DELEGATION, "" },
        { IDENTITY_DELEGATION, "EUROPOL" },
        { IDENTITY_DELEGATION, "EUROPOL/" },
        { IDENTITY_DELEGATION, "EUROPOL/root" },
        { IDENTITY_DELEGATION, "EUROPOL/HQ" },
        { IDENTITY_DELEGATION, "europol/hq" },
        { IDENTITY_DELEGATION, "E/hq" },
        { IDENTITY_DELEGATION, "ABCDEFGHIJKLMNOPQ/hq" },
        { IDENTITY_DELEGATION, "AB/a23456789012345678901234567890123" },
        { IDENTITY_DELEGATION, "EUROPOL/hq\n" },
        { IDENTITY_ROOT, NULL },
        { IDENTITY_ROOT, "/root" },
        { IDENTITY_ROOT, "root" },
        { IDENTITY_ROOT, "EUROPOL/hq" },
        { IDENTITY_ROOT, "EUROPOL/Root" },
        { IDENTITY_ROOT, "europol/root" },
        { IDENTITY_ROOT, "EUROPOL/root/root" },
        { IDENTITY_BROKER, NULL },
        { IDENTITY_BROKER, "" },
        { IDENTITY_BROKER, "Broker" },
        { IDENTITY_BROKER, "1broker" },
        { IDENTITY_BROKER, "EUROPOL/hq" },
        { IDENTITY_BROKER, "a23456789012345678901234567890123" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = { 0 };
        if (identity_from_seed (cases[i].kind, cases[i].name, seed, &e))
            fail_msg ("taken: %s", cases[i].name);
        assert_int_equal (e.code, ERR_ARGUMENT);
        assert_null (identity_new (cases[i].kind, cases[i].name, NULL));
    }
    assert_true (identity_name_valid (
        IDENTITY_DELEGATION,
        slice_text ("ABCDEFGHIJKLMNOP/a2345678901234567890123456789012")));
}

static void secret_text_is_read_strictly (void **state) {
    (void) state;
    static const struct {
        const char *text;
        enum err code;
        const char *what;
    } cases[] = {
        { "", ERR_MALFORMED, "no secret file" },
        { "parley/secret/", ERR_NEWER, "another format" },
        { "parley/secret/2\n" KIND NAME NONE SEED, ERR_NEWER,
          "another format" },
        { "parley/secret/1", ERR_NEWER, "another format" },
        { "parley/card/1\n" KIND NAME NONE SEED, ERR_MALFORMED,
          "no secret file" },
        { HEAD, ERR_MALFORMED, "line 2: wanted 'kind VALUE'" },
        { HEAD NAME KIND NONE SEED, ERR_MALFORMED, "line 2" },
        { HEAD "kind\n" NAME NONE SEED, ERR_MALFORMED, "line 2" },
        { HEAD "kind \n" NAME NONE SEED, ERR_MALFORMED, "line 2" },
        { HEAD "kinds root\n" NAME NONE SEED, ERR_MALFORMED, "line 2" },
        { HEAD "kind  root\n" NAME NONE SEED, ERR_MALFORMED, "kind ' root'" },
        { HEAD "kind Root\n" NAME NONE SEED, ERR_MALFORMED, "kind 'Root'" },
        { HEAD KIND KIND NAME NONE SEED, ERR_MALFORMED, "line 3" },
        { HEAD KIND "name EUROPOL/root\n" NONE SEED, ERR_MALFORMED,
          "'EUROPOL/root' is no name of a delegation" },
        { HEAD "kind root\n" NAME NONE SEED, ERR_MALFORMED,
          "'EUROPOL/hq' is no name of a root" },
        { HEAD "kind broker\n" NAME NONE SEED, ERR_MALFORMED,
          "is no name of a broker" },
        { HEAD KIND "name EUROPOL/hq \n" NONE SEED, ERR_MALFORMED, "no name" },
        { HEAD KIND "name EUROPOL/hq\r\n" NONE SEED, ERR_MALFORMED, "\\x0d" },
        { HEAD KIND NAME SEED, ERR_MALFORMED, "line 4" },
        { HEAD KIND NAME "protection argon2id\n" SEED, ERR_NEWER,
          "protection 'argon2id' is not known" },
        { HEAD KIND NAME NONE, ERR_MALFORMED, "line 5" },
        { HEAD KIND NAME NONE "seed " SEED_TEXT, ERR_MALFORMED, "line 5" },
        { HEAD KIND NAME NONE "seed AAAA\n", ERR_MALFORMED, "base64 of 32" },
        { HEAD KIND NAME NONE "seed " SEED_TEXT " \n", ERR_MALFORMED,
          "base64 of 32" },
        { HEAD KIND NAME NONE
          "seed AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
          ERR_MALFORMED, "base64 of 32" },
        { HEAD KIND NAME NONE SEED "\n", ERR_MALFORMED, "1 octets behind" },
        { HEAD KIND NAME NONE SEED SEED, ERR_MALFORMED, "behind the seed" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = { 0 };
        if (identity_read (slice_text (cases[i].text), &e))
            fail_msg ("taken: %s", cases[i].text);
        assert_error (&e, cases[i].code, cases[i].what);
        assert_null (strstr (e.text, "AAECAwQF")); /* no seed in a log */
        assert_null (identity_read (slice_text (cases[i].text), NULL));
    }
    char large[513];
    struct error e = { 0 };
    memset (large, ' ', sizeof large);
    assert_null (identity_read (slice_of (large, sizeof large), &e));
    assert_error (&e, ERR_LIMIT, "513");
    struct identity *self =
        identity_read (slice_text (HEAD KIND NAME NONE SEED), &e);
    assert_string_equal (identity_name (self), "EUROPOL/hq");
    identity_destroy (&self);
    assert_null (self);
    identity_destroy (&self);
    identity_destroy (NULL);
}

struct place {
    char dir[64], path[96];
};

static int place_make (void **state) {
    static struct place place;
    const char *tmp = getenv ("TMPDIR");
    snprintf (place.dir, sizeof place.dir, "%.40s/identity.XXXXXX",
              tmp ? tmp : "/tmp");
    if (!mkdtemp (place.dir))
        return -1;
    snprintf (place.path, sizeof place.path, "%s/secret", place.dir);
    *state = &place;
    return 0;
}

static int place_remove (void **state) {
    struct place *place = *state;
    unlink (place->path);
    return rmdir (place->dir);
}

static void refused_file (const char *path, enum err code, const char *what) {
    struct error e = { 0 };
    assert_null (identity_load (path, &e));
    assert_error (&e, code, what);
    assert_non_null (strstr (e.text, path));
}

static void a_secret_file_stays_secret (void **state) {
    const struct place *place = *state;
    char link[128], text[256] = { 0 };
    struct stat st;
    struct error e = { 0 };
    struct identity *self = known (IDENTITY_DELEGATION);

    refused_file (place->path, ERR_NOT_FOUND, "open secret");
    assert_int_equal (identity_save (self, "/nowhere/x", &e), ERR_NOT_FOUND);
    assert_int_equal (identity_save (self, place->path, &e), ERR_NONE);
    assert_int_equal (identity_save (self, place->path, &e), ERR_EXISTS);
    assert_int_equal (stat (place->path, &st), 0);
    assert_int_equal (st.st_mode & 07777, 0600);

    int fd = open (place->path, O_RDONLY);
    assert_true (read (fd, text, sizeof text - 1) > 0);
    close (fd);
    assert_string_equal (text, HEAD KIND NAME NONE SEED);

    static const mode_t open_modes[] = { 0640, 0620, 0604, 0602, 0644 };
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        assert_int_equal (chmod (place->path, open_modes[i]), 0);
        refused_file (place->path, ERR_KEY, "chmod 600");
    }
    assert_int_equal (chmod (place->path, 0600), 0);
    snprintf (link, sizeof link, "%s/link", place->dir);
    assert_int_equal (symlink (place->path, link), 0);
    refused_file (link, ERR_KEY, "a link");
    unlink (link);

    struct identity *again = identity_load (place->path, &e);
    assert_non_null (again);
    assert_int_equal (identity_kind (again), IDENTITY_DELEGATION);
    assert_memory_equal (identity_public (again, KEY_NOTE),
                         identity_public (self, KEY_NOTE), KEY_SIZE);
    fd = open (place->path, O_WRONLY | O_APPEND);
    assert_int_equal (write (fd, "x", 1), 1);
    close (fd);
    refused_file (place->path, ERR_MALFORMED, "1 octets behind the seed");
    assert_int_equal (truncate (place->path, 600), 0);
    refused_file (place->path, ERR_LIMIT, "512");
    identity_destroy (&again);
    identity_destroy (&self);
}

static void seeds_differ (void **state) {
    (void) state;
    struct identity *a = identity_new (IDENTITY_ROOT, "AIMC/root", NULL);
    struct identity *b = identity_new (IDENTITY_ROOT, "AIMC/root", NULL);
    assert_memory_not_equal (identity_public (a, KEY_ROOT),
                             identity_public (b, KEY_ROOT), KEY_SIZE);
    identity_destroy (&a);
    identity_destroy (&b);
}

static void every_key_is_derived (void **state) {
    (void) state;
    static const struct {
        enum identity_kind kind;
        enum identity_key which;
        const char *hex;
    } cases[] = {
        { IDENTITY_DELEGATION, KEY_SIGN,
          "8c8a12d2ceae315196d6bf25ab73a94e96b98568064e43079e8e6bc6c0158bf3" },
        { IDENTITY_DELEGATION, KEY_NOTE,
          "3560a334637c78fc109c62c5975fa55143eb0dde201dc623896d0027e8cb8f56" },
        { IDENTITY_DELEGATION, KEY_WITNESS,
          "b90c6590eccf8a794f73fba0cfc6225a5f76e20a9c9c6bace8053e2747c76b1e" },
        { IDENTITY_DELEGATION, KEY_SEAL,
          "3ed8ab1cd8cbb03088d4e9847cdc0637d93802760539699eb519c21580ac3b16" },
        { IDENTITY_DELEGATION, KEY_LINK,
          "8d7fb5fdd8eec904f07d9a8cfe86d5bbad18108b4087e2c01520b9a9dcc9da22" },
        { IDENTITY_BROKER, KEY_BROKER_LINK,
          "5c64cc29a7b06d0536798b53e41e181d1715ff378c3f9c328316545021c11b14" },
        { IDENTITY_BROKER, KEY_LOG,
          "428ab848030e1241730cf92b0c4091cf8faea7f84c6e528a56522102ec1efb9f" },
        { IDENTITY_BROKER, KEY_DESK,
          "0ec3edc320bda04cc09bb514aa74cfe94ee5b49d9dee04b8d2ae42991c83f65b" },
        { IDENTITY_ROOT, KEY_ROOT,
          "5a27f74cf4308bd851ab2bb60d8de12a5dbc93e9af42a353a1144a57cb15493e" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct identity *self = known (cases[i].kind);
        assert_hex (identity_public (self, cases[i].which), KEY_SIZE,
                    cases[i].hex);
        identity_destroy (&self);
    }
    struct identity *broker = known (IDENTITY_BROKER);
    assert_hex (
        identity_veil (broker), KEY_SIZE,
        "bfda6411fe02f689e795e785172d47c76ef5114304cd014c3f213cc09a3a9680");
    identity_destroy (&broker);

    struct keyset keys;
    struct identity *self = known (IDENTITY_DELEGATION);
    identity_keyset (self, &keys);
    assert_memory_equal (keys.sign, identity_public (self, KEY_SIGN), KEY_SIZE);
    assert_memory_equal (keys.note, identity_public (self, KEY_NOTE), KEY_SIZE);
    assert_memory_equal (keys.witness, identity_public (self, KEY_WITNESS),
                         KEY_SIZE);
    assert_memory_equal (keys.seal, identity_public (self, KEY_SEAL), KEY_SIZE);
    assert_memory_equal (keys.link, identity_public (self, KEY_LINK), KEY_SIZE);
    identity_destroy (&self);
}

static void curve_pairs_belong_together (void **state) {
    (void) state;
    static const struct {
        enum identity_kind kind;
        enum identity_key which;
        const char *secret;
    } cases[] = {
        { IDENTITY_DELEGATION, KEY_LINK,
          "52dececd80c9f84bb664832d8f5fea8f43b1c44af29964715d0fb6946a969e04" },
        { IDENTITY_BROKER, KEY_BROKER_LINK,
          "405a8da30b507bbcc9ea35c640ec255011d1af7a5a987646c2c6ffa9c6490c3d" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t public_key[KEY_SIZE], secret_key[KEY_SIZE], again[KEY_SIZE];
        struct identity *self = known (cases[i].kind);
        identity_curve (self, public_key, secret_key);
        assert_memory_equal (public_key, identity_public (self, cases[i].which),
                             KEY_SIZE);
        assert_hex (secret_key, KEY_SIZE, cases[i].secret);
        crypto_scalarmult_base (again, secret_key);
        assert_memory_equal (again, public_key, KEY_SIZE);
        identity_destroy (&self);
    }
}

static void labels_are_16_octets (void **state) {
    (void) state;
    static const struct {
        enum label label;
        const char *text;
    } cases[] = {
        { LABEL_BATCH, "parley/batch" },     { LABEL_VIA, "parley/via" },
        { LABEL_PROMISE, "parley/promise" }, { LABEL_HELLO, "parley/hello" },
        { LABEL_FRAME, "parley/frame" },     { LABEL_KEY, "parley/key" },
        { LABEL_STREAM, "parley/stream" },   { LABEL_SENDER, "parley/sender" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t want[LABEL_SIZE] = { 0 };
        memcpy (want + 1, cases[i].text, strlen (cases[i].text));
        assert_memory_equal (label_octets (cases[i].label), want, LABEL_SIZE);
    }
}

static void key_ids_name_type_and_key (void **state) {
    (void) state;
    struct identity *self = known (IDENTITY_DELEGATION);
    struct key_id id = identity_key_id (self, LABEL_BATCH);
    assert_hex (id.octets, KEY_ID_SIZE, "9a5f6bcca6fb0bfe");
    assert_true (key_id_equal (id, identity_key_id (self, LABEL_VIA)));
    const uint8_t *sign = identity_public (self, KEY_SIGN);
    assert_true (key_id_equal (id, key_id_of (KEY_TYPE_ED25519, sign)));
    assert_false (key_id_equal (id, key_id_of (KEY_TYPE_X25519, sign)));
    id = key_id_of (KEY_TYPE_X25519, identity_public (self, KEY_LINK));
    assert_hex (id.octets, KEY_ID_SIZE, "bc294fb2ce0b27d8");
    identity_destroy (&self);
}

static void the_label_chooses_the_key (void **state) {
    (void) state;
    static const struct {
        enum identity_kind kind;
        enum identity_key which;
        enum label label;
    } cases[] = {
        { IDENTITY_DELEGATION, KEY_SIGN, LABEL_BATCH },
        { IDENTITY_DELEGATION, KEY_SIGN, LABEL_VIA },
        { IDENTITY_BROKER, KEY_DESK, LABEL_PROMISE },
        { IDENTITY_BROKER, KEY_DESK, LABEL_HELLO },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t sig[SIGNATURE_SIZE];
        struct identity *self = known (cases[i].kind);
        const uint8_t *key = identity_public (self, cases[i].which);
        identity_sign (self, cases[i].label, slice_text ("hello"), sig);
        for (enum label l = LABEL_BATCH; l <= LABEL_SENDER; l++)
            assert_int_equal (
                signature_valid (key, l, slice_text ("hello"), sig),
                l == cases[i].label);
        identity_destroy (&self);
    }
}

static void signatures_are_judged_whole (void **state) {
    (void) state;
    uint8_t sig[SIGNATURE_SIZE], key[KEY_SIZE];
    const struct slice data = slice_text ("hello");
    struct identity *self = known (IDENTITY_DELEGATION);
    memcpy (key, identity_public (self, KEY_SIGN), KEY_SIZE);
    identity_sign (self, LABEL_BATCH, data, sig);
    assert_hex (sig, SIGNATURE_SIZE,
                "ddeb9df0ba8272a11cd17bf860e8697907a852ddd1337585099813"
                "9716e9e061d7795f5c91d83f7429ac677b675c16a4034d9acc85ea"
                "39e85795996079a2fb00");
    assert_true (signature_valid (key, LABEL_BATCH, data, sig));
    assert_false (signature_valid (key, LABEL_BATCH, slice_text ("hell"), sig));
    assert_false (signature_valid (key, LABEL_BATCH, (struct slice){ 0 }, sig));
    for (size_t i = 0; i < SIGNATURE_SIZE * 8; i++) {
        sig[i / 8] ^= (uint8_t) (1 << i % 8);
        assert_false (signature_valid (key, LABEL_BATCH, data, sig));
        sig[i / 8] ^= (uint8_t) (1 << i % 8);
    }
    for (size_t i = 0; i < KEY_SIZE * 8; i++) {
        key[i / 8] ^= (uint8_t) (1 << i % 8);
        assert_false (signature_valid (key, LABEL_BATCH, data, sig));
        key[i / 8] ^= (uint8_t) (1 << i % 8);
    }
    identity_destroy (&self);
}

/* With a key of low order, one signature fits many messages. */
static void low_order_and_long_forms_are_refused (void **state) {
    (void) state;
    static const uint8_t one[KEY_SIZE] = { 1 }, zero[KEY_SIZE] = { 0 };
    static const uint8_t order[KEY_SIZE] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
        0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
        0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10
    };
    uint8_t sig[SIGNATURE_SIZE] = { 1 }; /* R: neutral; S: 0 */
    const struct slice data = slice_text ("x");
    assert_false (signature_valid (one, LABEL_BATCH, data, sig));
    assert_false (signature_valid (zero, LABEL_BATCH, data, sig));

    struct identity *self = known (IDENTITY_DELEGATION);
    const uint8_t *key = identity_public (self, KEY_SIGN);
    identity_sign (self, LABEL_BATCH, data, sig);
    assert_true (signature_valid (key, LABEL_BATCH, data, sig));
    for (size_t i = 0, carry = 0; i < KEY_SIZE; i++) { /* S + group order */
        carry += (size_t) sig[32 + i] + order[i];
        sig[32 + i] = (uint8_t) carry;
        carry >>= 8;
    }
    assert_false (signature_valid (key, LABEL_BATCH, data, sig));
    identity_destroy (&self);
}

static void large_data_is_signed_too (void **state) {
    (void) state;
    static uint8_t data[100000];
    static const size_t sizes[] = { 0, 1, 495, 496, 497, 512, sizeof data };
    struct identity *self = known (IDENTITY_DELEGATION);
    const uint8_t *key = identity_public (self, KEY_SIGN);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t sig[SIGNATURE_SIZE];
        struct slice part = slice_of (data, sizes[i]);
        identity_sign (self, LABEL_VIA, part, sig);
        assert_true (signature_valid (key, LABEL_VIA, part, sig));
        if (part.size == 0)
            continue;
        data[part.size - 1] ^= 1;
        assert_false (signature_valid (key, LABEL_VIA, part, sig));
    }
    identity_destroy (&self);
}

static void texts_are_signed_by_note_or_root (void **state) {
    (void) state;
    uint8_t sig[SIGNATURE_SIZE];
    const struct slice text = slice_text ("text\n");
    struct identity *self = known (IDENTITY_DELEGATION);
    struct identity *root = known (IDENTITY_ROOT);
    const uint8_t *note = identity_public (self, KEY_NOTE);
    const uint8_t *root_key = identity_public (root, KEY_ROOT);
    identity_sign_text (self, text, sig);
    assert_true (signature_valid_text (note, text, sig));
    assert_false (signature_valid_text (root_key, text, sig));
    assert_false (
        signature_valid_text (identity_public (self, KEY_SIGN), text, sig));
    identity_sign_text (root, text, sig);
    assert_true (signature_valid_text (root_key, text, sig));
    identity_destroy (&self);
    identity_destroy (&root);
}

static void fields_are_taken_line_by_line (void **state) {
    (void) state;
    static const char *const refused[] = { "",       "\n",    "a",
                                           "a\n",    "a \n",  "ab c\n",
                                           " a b\n", "b c\n", "a b" };
    struct slice value, rest;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        rest = slice_text (refused[i]);
        if (field_take (&rest, "a", &value))
            fail_msg ("taken: %s", refused[i]);
        assert_true (slice_is (rest, refused[i]));
    }
    rest = slice_text ("a b c\na d\n");
    assert_true (field_take (&rest, "a", &value));
    assert_true (slice_is (value, "b c"));
    assert_true (field_take (&rest, "a", &value));
    assert_true (slice_is (value, "d"));
    assert_false (field_take (&rest, "a", &value));
    rest = (struct slice){ 0 };
    assert_false (field_take (&rest, "a", &value));
}

/* keys.json */

static enum identity_kind kind_of (const char *text) {
    return strcmp (text, "delegation") == 0 ? IDENTITY_DELEGATION
           : strcmp (text, "root") == 0     ? IDENTITY_ROOT
                                            : IDENTITY_BROKER;
}

static void label_agrees (const json_t *in, const json_t *out) {
    char want[LABEL_SIZE + 1], text[HEX_SIZE (LABEL_SIZE)];
    snprintf (want, sizeof want, "parley/%s", vector_text (in, "text"));
    for (enum label l = LABEL_BATCH; l <= LABEL_SENDER; l++)
        if (strcmp ((const char *) label_octets (l) + 1, want) == 0) {
            hex_encode (text, label_octets (l), LABEL_SIZE);
            assert_string_equal (text, vector_text (out, "label"));
            return;
        }
    fail_msg ("no label '%s'", want);
}

static void keys_agree (const json_t *in, json_t *out) {
    uint8_t octets[KEY_SIZE];
    const char *name;
    json_t *key;
    assert_int_equal (
        hex_decode (octets, sizeof octets, vector_text (in, "seed")), 0);
    struct identity *self =
        identity_from_seed (kind_of (vector_text (in, "kind")),
                            vector_text (in, "name"), octets, NULL);
    assert_non_null (self);
    json_object_foreach (out, name, key) {
        const int n = (int) json_integer_value (json_object_get (key, "n"));
        if (n == KEY_VEIL) {
            vector_hex_equal (key, "secret", identity_veil (self), KEY_SIZE);
            continue;
        }
        const uint8_t *public_key =
            identity_public (self, (enum identity_key) n);
        const bool curve =
            strcmp (name, "seal") == 0 || strcmp (name, "link") == 0;
        struct key_id id =
            key_id_of (curve ? KEY_TYPE_X25519 : KEY_TYPE_ED25519, public_key);
        vector_hex_equal (key, "public", public_key, KEY_SIZE);
        vector_hex_equal (key, "id", id.octets, KEY_ID_SIZE);
    }
    identity_destroy (&self);
}

static void secret_file_agrees (const json_t *in, const json_t *out) {
    uint8_t octets[KEY_SIZE];
    struct error e = { 0 };
    struct identity *self = identity_read (vector_slice (in, "text"), &e);
    if (!self)
        fail_msg ("%s", e.text);
    assert_string_equal (identity_name (self), vector_text (out, "name"));
    assert_int_equal (identity_kind (self),
                      kind_of (vector_text (out, "kind")));
    assert_int_equal (
        hex_decode (octets, sizeof octets, vector_text (out, "seed")), 0);
    struct identity *other = identity_from_seed (
        identity_kind (self), identity_name (self), octets, NULL);
    static const enum identity_key any[] = { [IDENTITY_DELEGATION] = KEY_SIGN,
                                             [IDENTITY_ROOT] = KEY_ROOT,
                                             [IDENTITY_BROKER] = KEY_LOG };
    const enum identity_key which = any[identity_kind (self)];
    assert_memory_equal (identity_public (self, which),
                         identity_public (other, which), KEY_SIZE);
    identity_destroy (&self);
    identity_destroy (&other);
}

static void the_other_implementation_agrees (void **state) {
    (void) state;
    size_t i;
    json_t *vector, *all = vectors_load ("keys.json");
    struct buf room = { 0 };
    json_array_foreach (all, i, vector) {
        const json_t *in = json_object_get (vector, "in");
        json_t *out = json_object_get (vector, "out");
        if (vector_is (vector, "label"))
            label_agrees (in, out);
        else if (vector_is (vector, "keys"))
            keys_agree (in, out);
        else if (!vector_is (vector, "secret-file"))
            continue; /* test_card reads those */
        else if (!vector_refused (vector))
            secret_file_agrees (in, out);
        else if (identity_read (vector_octets (vector, &room), NULL))
            fail_msg ("taken: %s", vector_text (vector, "name"));
    }
    buf_free (&room);
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (names_outside_their_grammar_are_refused),
        cmocka_unit_test (secret_text_is_read_strictly),
        cmocka_unit_test_setup_teardown (a_secret_file_stays_secret, place_make,
                                         place_remove),
        cmocka_unit_test (seeds_differ),
        cmocka_unit_test (every_key_is_derived),
        cmocka_unit_test (curve_pairs_belong_together),
        cmocka_unit_test (labels_are_16_octets),
        cmocka_unit_test (key_ids_name_type_and_key),
        cmocka_unit_test (the_label_chooses_the_key),
        cmocka_unit_test (signatures_are_judged_whole),
        cmocka_unit_test (low_order_and_long_forms_are_refused),
        cmocka_unit_test (large_data_is_signed_too),
        cmocka_unit_test (texts_are_signed_by_note_or_root),
        cmocka_unit_test (fields_are_taken_line_by_line),
        cmocka_unit_test (the_other_implementation_agrees),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
