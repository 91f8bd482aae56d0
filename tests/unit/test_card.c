/* Cards: what makes one, and what spoils it. */
#include "identity/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "vectors.h"

/* Of the seed 00 01 .. 1f, computed with Python's hashlib and PyNaCl. */
#define DASH "\xe2\x80\x94"
#define HEAD "parley/card/1\n-\n"
#define NAME "name EUROPOL/hq\n"
#define SIGN "sign jIoS0s6uMVGW1r8lq3OpTpa5hWgGTkMHno5rxsAVi/M=\n"
#define NOTE "note NWCjNGN8ePwQnGLFl1+lUUPrDd4gHcYjiW0AJ+jLj1Y=\n"
#define WITNESS "witness uQxlkOzPinlPc/ugz8YiWl924gqcnGus6AU+J0fHax4=\n"
#define SEAL "seal PtirHNjLsDCI1OmEfNwGN9k4AnYFOWmetRnCFYCsOxY=\n"
#define LINK "link jX+1/djuyQTwfZqM/obVu60YEItAh+LAFSC5qdzJ2iI=\n"
#define TEXT HEAD NAME SIGN NOTE WITNESS SEAL LINK
#define LINE                                                                   \
    DASH                                                                       \
        " EUROPOL/hq CY/zNYfzAG58V1uO/smUv6q14QGHMFVQ10wtYFNscEO8+JENBJxBs5oI" \
        "1SNXx5Kd6y/aMyQP8rY8hRcrxvypF3EW0gw=\n"
#define ROOT_TEXT                                                              \
    HEAD "name EUROPOL/root\nroot "                                            \
         "Wif3TPQwi9hRqyu2DY3hKl28k+mvQqNToRRKV8sVST4=\n"
#define ROOT_LINE                                                              \
    DASH " EUROPOL/root p8oCG20TLEw/cLVrHhFjwBrqM+VbXcK6Zf6hYXdAl0ioQIvIV5bPb" \
         "/A5DYutZym4HaDPuIfSVeBrEObN0HN7c+jMMwg=\n"

static struct identity *known (enum identity_kind kind, const char *name) {
    uint8_t seed[KEY_SIZE];
    for (size_t i = 0; i < KEY_SIZE; i++)
        seed[i] = (uint8_t) i;
    struct identity *self = identity_from_seed (kind, name, seed, NULL);
    assert_non_null (self);
    return self;
}

static void cards_are_read_strictly (void **state) {
    (void) state;
    static const struct {
        const char *octets;
        enum err code;
        const char *what;
    } cases[] = {
        { "", ERR_MALFORMED, "no text" },
        { TEXT, ERR_MALFORMED, "no text" },
        { "parley/communique/1\n"
          "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
          "\n" LINE,
          ERR_MALFORMED, "another kind" },
        { "parley/card/2\n-\n\n" LINE, ERR_NEWER, "format 2" },
        { HEAD "\n" LINE, ERR_MALFORMED, "name NAME" },
        { HEAD SIGN "\n" LINE, ERR_MALFORMED, "name NAME" },
        { HEAD "name EUROPOL\n\n" LINE, ERR_MALFORMED, "'EUROPOL'" },
        { HEAD "name broker-1\n\n" LINE, ERR_MALFORMED, "'broker-1'" },
        { HEAD "name root\n\n" LINE, ERR_MALFORMED, "'root'" },
        { HEAD NAME "\n" LINE, ERR_MALFORMED, "'sign'" },
        { HEAD NAME NOTE SIGN WITNESS SEAL LINK "\n" LINE, ERR_MALFORMED,
          "'sign'" },
        { HEAD NAME SIGN NOTE WITNESS LINK "\n" LINE, ERR_MALFORMED, "'seal'" },
        { HEAD NAME SIGN NOTE WITNESS SEAL "\n" LINE, ERR_MALFORMED, "'link'" },
        { HEAD NAME SIGN NOTE "witness AAAA\n" SEAL LINK "\n" LINE,
          ERR_MALFORMED, "'witness'" },
        { TEXT LINK "\n" LINE, ERR_MALFORMED, "behind its keys" },
        { TEXT "\n\n" LINE, ERR_MALFORMED, "behind its keys" },
        { HEAD "name EUROPOL/root\n" SIGN "\n" LINE, ERR_MALFORMED, "'root'" },
        { HEAD "name EUROPOL/hq\nroot "
               "Wif3TPQwi9hRqyu2DY3hKl28k+mvQqNToRRKV8sVST4=\n\n" LINE,
          ERR_MALFORMED, "'sign'" },
        { ROOT_TEXT LINK "\n" ROOT_LINE, ERR_MALFORMED, "behind its keys" },
        /* signatures */
        { TEXT "\n" ROOT_LINE, ERR_SIGNATURE, "did not sign" },
        { ROOT_TEXT "\n" LINE, ERR_SIGNATURE, "did not sign" },
        { TEXT "\n" LINE LINE, ERR_SIGNATURE, "twice" },
        { HEAD "name EUROPOL/hr\n" SIGN NOTE WITNESS SEAL LINK "\n" LINE,
          ERR_SIGNATURE, "did not sign" },
        { HEAD NAME SIGN NOTE WITNESS SEAL
          "link PtirHNjLsDCI1OmEfNwGN9k4AnYFOWmetRnCFYCsOxY=\n\n" LINE,
          ERR_SIGNATURE, "does not verify" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = { 0 };
        struct card card = { .name = "kept" };
        enum err rc = card_read (slice_text (cases[i].octets), &card, &e);
        if (rc != cases[i].code || e.code != rc
            || !strstr (e.text, cases[i].what))
            fail_msg ("case %zu: %s %s", i, error_name (rc), e.text);
        assert_string_equal (card.name, "kept");
    }
}

static void a_broker_has_no_card (void **state) {
    (void) state;
    struct buf out = { 0 };
    struct error e = { 0 };
    struct identity *self = known (IDENTITY_BROKER, "broker-1");
    assert_int_equal (card_write (self, &out, &e), ERR_RIGHT);
    assert_int_equal (out.size, 0);
    identity_destroy (&self);
}

static void cards_are_the_same_octets_everywhere (void **state) {
    (void) state;
    static const struct {
        enum identity_kind kind;
        const char *name, *octets;
    } cases[] = {
        { IDENTITY_DELEGATION, "EUROPOL/hq", TEXT "\n" LINE },
        { IDENTITY_ROOT, "EUROPOL/root", ROOT_TEXT "\n" ROOT_LINE },
    };
    for (size_t i = 0; i < 2; i++) {
        struct buf out = { 0 };
        struct card card;
        struct error e = { 0 };
        struct identity *self = known (cases[i].kind, cases[i].name);
        assert_int_equal (card_write (self, &out, &e), ERR_NONE);
        assert_true (slice_is (buf_slice (&out), cases[i].octets));
        assert_int_equal (card_read (buf_slice (&out), &card, &e), ERR_NONE);
        assert_string_equal (card.name, cases[i].name);
        assert_int_equal (card.is_root, cases[i].kind == IDENTITY_ROOT);
        if (card.is_root) {
            assert_memory_equal (card.root, identity_public (self, KEY_ROOT),
                                 KEY_SIZE);
        } else {
            struct keyset keys;
            identity_keyset (self, &keys);
            assert_memory_equal (&card.keys, &keys, sizeof keys);
        }
        buf_free (&out);
        identity_destroy (&self);
    }
}

/* Others may sign beside it: a card is passed on as it is. */
static void unknown_signatures_are_passed_over (void **state) {
    (void) state;
    struct card card;
    static const char octets[] = TEXT "\n" ROOT_LINE LINE DASH " x YWJjZGU=\n";
    assert_int_equal (card_read (slice_text (octets), &card, NULL), ERR_NONE);
}

static void card_agrees (const json_t *in, const json_t *out) {
    static const char *const names[] = { "sign", "note", "witness", "seal",
                                         "link" };
    struct card card;
    struct note note;
    struct error e = { 0 };
    const struct slice octets = vector_slice (in, "note");
    if (card_read (octets, &card, &e) || note_read (octets, &note, &e))
        fail_msg ("%s", e.text);
    assert_string_equal (card.name, vector_text (out, "name"));
    assert_true (slice_equal (note.text, vector_slice (out, "text")));
    struct hash digest = note_digest (note.text);
    vector_hex_equal (out, "digest", digest.octets, HASH_SIZE);
    const json_t *keys = json_object_get (out, "keys");
    if (card.is_root) {
        vector_hex_equal (keys, "root", card.root, KEY_SIZE);
        return;
    }
    const uint8_t *const found[] = { card.keys.sign, card.keys.note,
                                     card.keys.witness, card.keys.seal,
                                     card.keys.link };
    for (size_t i = 0; i < 5; i++)
        vector_hex_equal (keys, names[i], found[i], KEY_SIZE);
}

static void the_other_implementation_agrees (void **state) {
    (void) state;
    size_t i;
    json_t *vector, *all = vectors_load ("keys.json");
    struct buf room = { 0 };
    json_array_foreach (all, i, vector) {
        struct card card;
        if (!vector_is (vector, "card"))
            continue;
        if (!vector_refused (vector))
            card_agrees (json_object_get (vector, "in"),
                         json_object_get (vector, "out"));
        else if (card_read (vector_octets (vector, &room), &card, NULL) == 0)
            fail_msg ("taken: %s", vector_text (vector, "name"));
    }
    buf_free (&room);
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (cards_are_read_strictly),
        cmocka_unit_test (a_broker_has_no_card),
        cmocka_unit_test (cards_are_the_same_octets_everywhere),
        cmocka_unit_test (unknown_signatures_are_passed_over),
        cmocka_unit_test (the_other_implementation_agrees),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
