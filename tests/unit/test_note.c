/* Signed notes: their form, whose signatures count, and what nobody signs. */
#include "identity/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "vectors.h"

#define DASH "\xe2\x80\x94"
#define SIG DASH " A YWJjZGU=\n" /* 5 octets: as short as a signature gets */
#define DIALOGUE                                                               \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
#define COMMUNIQUE "parley/communique/1\n" DIALOGUE "We agreed.\n\nAll.\n"
#define ROSTER "parley/roster/1\n-\n{}\n"
#define ERASURE "parley/erasure/1\n" DIALOGUE "channel x\n"
#define CASE(text)                                                             \
    { text, sizeof text - 1 }

struct octets {
    const char *data;
    size_t size;
};

static struct identity *made (enum identity_kind kind, const char *name) {
    struct error e = { 0 };
    struct identity *self = identity_new (kind, name, &e);
    if (!self)
        fail_msg ("%s", e.text);
    return self;
}

static void assert_error (const struct error *e, enum err code,
                          const char *what) {
    if (e->code != code || !strstr (e->text, what))
        fail_msg ("%s \"%s\" is not %s with \"%s\"", error_name (e->code),
                  e->text, error_name (code), what);
}

static enum err read_code (struct slice octets) {
    struct note note;
    struct error e = { 0 };
    enum err rc = note_read (octets, &note, &e);
    assert_int_equal (e.code, rc);
    assert_int_equal (note_read (octets, &note, NULL), rc);
    return rc;
}

static void the_form_is_judged (void **state) {
    (void) state;
    static const struct octets malformed[] = {
        CASE (""),
        CASE ("\n"),
        CASE ("\n\n"),
        CASE ("text\n"),
        CASE ("text\n\n"),
        CASE ("text\n\n\n"),
        CASE (SIG),
        CASE ("\n" SIG),
        CASE ("text\n" SIG),
        CASE ("text" SIG),
        CASE ("text\n\n" DASH " A YWJjZGU="),
        CASE ("text\n\n" SIG "\n"),
        CASE ("text\n\n" SIG "x\n"),
        CASE ("text\n\n" SIG "\n" SIG "more\n"),
        /* the line */
        CASE ("text\n\n- A YWJjZGU=\n"),
        CASE ("text\n\n" DASH "A YWJjZGU=\n"),
        CASE ("text\n\n" DASH "  YWJjZGU=\n"),
        CASE ("text\n\n" DASH " A  YWJjZGU=\n"),
        CASE ("text\n\n" DASH " A YWJjZGU= \n"),
        CASE ("text\n\n" DASH " A YWJj ZGU=\n"),
        CASE ("text\n\n" DASH " A\n"),
        CASE ("text\n\n" DASH " \n"),
        CASE ("text\n\n" DASH "\n"),
        CASE ("text\n\n " SIG),
        /* names */
        CASE ("text\n\n" DASH " A+B YWJjZGU=\n"),
        CASE ("text\n\n" DASH " A\xc2\xa0"
              "B YWJjZGU=\n"),
        CASE ("text\n\n" DASH " \xc2\x85 YWJjZGU=\n"),
        CASE ("text\n\n" DASH " A\xe2\x80\x80 YWJjZGU=\n"),
        CASE ("text\n\n" DASH " A\xe2\x80\x8a YWJjZGU=\n"),
        CASE ("text\n\n" DASH " A\xe2\x80\xa9 YWJjZGU=\n"),
        CASE ("text\n\n" DASH " \xe3\x80\x80 YWJjZGU=\n"),
        /* base64 */
        CASE ("text\n\n" DASH " A \n"),
        CASE ("text\n\n" DASH " A =\n"),
        CASE ("text\n\n" DASH " A YWJjZA==\n"),
        CASE ("text\n\n" DASH " A YWJjZGU\n"),
        CASE ("text\n\n" DASH " A YWJjZGV=\n"),
        CASE ("text\n\n" DASH " A YWJjZGU==\n"),
        CASE ("text\n\n" DASH " A YWJj-_U=\n"),
        /* characters */
        CASE ("te\0xt\n\n" SIG),
        CASE ("te\txt\n\n" SIG),
        CASE ("text\r\n\r\n" SIG),
        CASE ("te\x1fxt\n\n" SIG),
        CASE ("text\n\n" DASH " A\x01 YWJjZGU=\n"),
        CASE ("te\xfft\n\n" SIG),
        CASE ("te\xc0\x80t\n\n" SIG),
        CASE ("te\xed\xa0\x80t\n\n" SIG),
        CASE ("te\xf4\x90\x80\x80t\n\n" SIG),
        CASE ("text\n\n" DASH " \xff YWJjZGU=\n"),
    };
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        if (read_code (slice_of (malformed[i].data, malformed[i].size))
            != ERR_MALFORMED)
            fail_msg ("not ERR_MALFORMED: %s", malformed[i].data);
    static const char *const fine[] = {
        "text\n\n" SIG,
        "text\n\n" SIG SIG,
        "\n\n" SIG,
        "\n\n\n" SIG,
        "text\n\n" SIG "\n" SIG,
        "te\x7fxt\n\n" SIG,
        "text\n\n" DASH " " DASH " YWJjZGU=\n",
        "text\n\n" DASH " example.org/log\xc3\xa9 YWJjZGVm\n",
    };
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_int_equal (read_code (slice_text (fine[i])), ERR_NONE);
}

static void limits_are_kept (void **state) {
    (void) state;
    struct buf b = { 0 };
    buf_add_text (&b, "text\n\n");
    for (int i = 0; i < NOTE_SIGNATURES_MAX; i++)
        buf_add_text (&b, SIG);
    assert_int_equal (read_code (buf_slice (&b)), ERR_NONE);
    buf_add_text (&b, SIG);
    assert_int_equal (read_code (buf_slice (&b)), ERR_LIMIT);

    for (size_t size = NOTE_NAME_MAX; size <= NOTE_NAME_MAX + 1; size++) {
        buf_clear (&b);
        buf_add_text (&b, "text\n\n" DASH " ");
        memset (buf_extend (&b, size), 'n', size);
        buf_add_text (&b, " YWJjZGU=\n");
        assert_int_equal (read_code (buf_slice (&b)),
                          size > NOTE_NAME_MAX ? ERR_LIMIT : ERR_NONE);
    }
    for (size_t size = NOTE_MAX; size <= NOTE_MAX + 1; size++) {
        const size_t text = size - strlen ("\n\n" SIG);
        buf_clear (&b);
        memset (buf_extend (&b, text), 't', text);
        buf_add_text (&b, "\n\n" SIG);
        assert_int_equal (read_code (buf_slice (&b)),
                          size > NOTE_MAX ? ERR_LIMIT : ERR_NONE);
    }
    buf_free (&b);
}

static void the_last_empty_line_divides (void **state) {
    (void) state;
    static const char octets[] =
        "a\n\n" SIG "\nb\n\n" DASH " C YWJjZGU=\n" DASH " D YWJjZGVm\n";
    struct note note;
    assert_int_equal (note_read (slice_text (octets), &note, NULL), 0);
    assert_true (slice_is (note.text, "a\n\n" SIG "\nb\n"));
    assert_true (slice_is (note.octets, octets));
    assert_int_equal (note.count, 2);
    assert_true (slice_is (note.lines[0].name, "C"));
    assert_true (slice_is (note.lines[0].base64, "YWJjZGU="));
    assert_true (slice_is (note.lines[1].name, "D"));
    assert_true (slice_is (note.lines[1].base64, "YWJjZGVm"));
}

static void the_first_lines_are_judged (void **state) {
    (void) state;
    static const struct {
        const char *text;
        enum err code;
    } cases[] = {
        { "", ERR_MALFORMED },
        { "parley/card/1", ERR_MALFORMED },
        { "parley/card/1\n", ERR_MALFORMED },
        { "parley/card/1\n-", ERR_MALFORMED },
        { "\nparley/card/1\n-\n", ERR_MALFORMED },
        { "parley/card\n-\n", ERR_MALFORMED },
        { "parley/card/\n-\n", ERR_MALFORMED },
        { "parley/card/0\n-\n", ERR_MALFORMED },
        { "parley/card/01\n-\n", ERR_MALFORMED },
        { "parley/card/1 \n-\n", ERR_MALFORMED },
        { "parley/card/+1\n-\n", ERR_MALFORMED },
        { "parley/card/1/2\n-\n", ERR_MALFORMED },
        { "parley/cards/1\n-\n", ERR_MALFORMED },
        { "parley/Card/1\n-\n", ERR_MALFORMED },
        { " parley/card/1\n-\n", ERR_MALFORMED },
        { "parley/secret/1\n-\n", ERR_MALFORMED },
        { "example.org/log\n5\nAAAA\n", ERR_MALFORMED },
        { "parley/card/2\n", ERR_NEWER },
        { "parley/roster/10\nanything\n", ERR_NEWER },
        { "parley/communique/999999999\n-\n", ERR_NEWER },
        { "parley/communique/1000000000\n-\n", ERR_MALFORMED },
        { "parley/roster/1\n\n", ERR_MALFORMED },
        { "parley/roster/1\n--\n", ERR_MALFORMED },
        { "parley/roster/1\n- \n", ERR_MALFORMED },
        { "parley/roster/1\n0" DIALOGUE, ERR_MALFORMED },
        { "parley/roster/1\n0123456789ABCDEF0123456789abcdef"
          "0123456789abcdef0123456789abcdef\n",
          ERR_MALFORMED },
        { "parley/roster/1\n0123456789abcdef0123456789abcdef\n",
          ERR_MALFORMED },
        { "parley/card/1\n" DIALOGUE, ERR_MALFORMED },
        { "parley/communique/1\n-\n", ERR_MALFORMED },
        { "parley/erasure/1\n-\n", ERR_MALFORMED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum note_kind kind = NOTE_ERASURE;
        struct hash dialogue = { .octets = { 7 } };
        bool has = true;
        struct slice rest = slice_text ("kept");
        struct error e = { 0 };
        if (note_head (slice_text (cases[i].text), &kind, &dialogue, &has,
                       &rest, &e)
            != cases[i].code)
            fail_msg ("not %s: %s", error_name (cases[i].code), cases[i].text);
        assert_int_equal (e.code, cases[i].code);
        assert_true (kind == NOTE_ERASURE && dialogue.octets[0] == 7 && has
                     && slice_is (rest, "kept"));
    }
}

static void the_first_lines_are_told (void **state) {
    (void) state;
    static const struct {
        const char *text;
        enum note_kind kind;
        bool has;
        const char *rest;
    } cases[] = {
        { "parley/card/1\n-\nname x\n", NOTE_CARD, false, "name x\n" },
        { ROSTER, NOTE_ROSTER, false, "{}\n" },
        { "parley/roster/1\n" DIALOGUE, NOTE_ROSTER, true, "" },
        { COMMUNIQUE, NOTE_COMMUNIQUE, true, "We agreed.\n\nAll.\n" },
        { ERASURE, NOTE_ERASURE, true, "channel x\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum note_kind kind;
        struct hash dialogue;
        bool has;
        struct slice rest;
        assert_int_equal (note_head (slice_text (cases[i].text), &kind,
                                     &dialogue, &has, &rest, NULL),
                          ERR_NONE);
        assert_int_equal (kind, cases[i].kind);
        assert_int_equal (has, cases[i].has);
        assert_int_equal (dialogue.octets[1], has ? 0x23 : 0);
        assert_true (slice_is (rest, cases[i].rest));
    }
    char text[HASH_TEXT_MAX];
    struct hash digest = note_digest (slice_text ("abc"));
    assert_string_equal (
        hash_text (text, &digest),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void nobody_signs_what_is_not_theirs (void **state) {
    (void) state;
    enum { D = 1, R = 2, B = 4 }; /* who is refused */
    static const struct {
        const char *text;
        enum err code;
        int refused;
    } cases[] = {
        { COMMUNIQUE, ERR_RIGHT, R | B },
        { ROSTER, ERR_RIGHT, D | B },
        { ERASURE, ERR_RIGHT, B },
        { "parley/card/1\n-\nname EUROPOL/hq\n", ERR_RIGHT, D | R | B },
        { "parley/communique/2\n" DIALOGUE, ERR_RIGHT, D | R | B },
        { "parley/roster/2\n-\n{}\n", ERR_RIGHT, D | R | B },
        { "parley/communique/1\n-\nx\n", ERR_RIGHT, D | R | B },
        { "example.org/log\n5\nAAAA\n", ERR_RIGHT, D | R | B },
        { "", ERR_RIGHT, D | R | B },
        { "parley/communique/1\n" DIALOGUE "no end", ERR_RIGHT, D | R | B },
        { COMMUNIQUE "\t\n", ERR_MALFORMED, D | R | B },
        { COMMUNIQUE "\xff\n", ERR_MALFORMED, D | R | B },
    };
    struct identity *who[] = { made (IDENTITY_DELEGATION, "EUROPOL/hq"),
                               made (IDENTITY_ROOT, "EUROPOL/root"),
                               made (IDENTITY_BROKER, "broker") };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t w = 0; w < 3; w++) {
            struct buf line = { 0 };
            struct error e = { 0 };
            enum err rc =
                note_sign (who[w], slice_text (cases[i].text), &line, &e);
            if (rc != (cases[i].refused & 1 << w ? cases[i].code : ERR_NONE))
                fail_msg ("%s by %zu: %s", cases[i].text, w, e.text);
            assert_int_equal (e.code, rc);
            assert_int_equal (line.size == 0, rc != ERR_NONE);
            buf_free (&line);
        }
    for (size_t w = 0; w < 3; w++)
        identity_destroy (&who[w]);
}

static void a_text_too_large_is_not_signed (void **state) {
    (void) state;
    struct identity *self = made (IDENTITY_DELEGATION, "EUROPOL/hq");
    struct buf text = { 0 }, line = { 0 };
    buf_add_text (&text, COMMUNIQUE);
    memset (buf_extend (&text, NOTE_MAX), 'x', NOTE_MAX);
    assert_int_equal (note_sign (self, buf_slice (&text), &line, NULL),
                      ERR_LIMIT);
    buf_free (&text);
    buf_free (&line);
    identity_destroy (&self);
}

/* A roster by three root signers, and what becomes of their signatures. */
#define SIGNERS 3
static struct identity *signers[SIGNERS];
static struct note_key keys[SIGNERS];
static struct buf lines[SIGNERS];

static int signers_make (void **state) {
    (void) state;
    static const char *const names[] = { "AIMC/root", "EUROPOL/root",
                                         "INTERPOL/root" };
    for (size_t i = 0; i < SIGNERS; i++) {
        signers[i] = made (IDENTITY_ROOT, names[i]);
        keys[i] = (struct note_key){ identity_name (signers[i]),
                                     identity_public (signers[i], KEY_ROOT) };
        if (note_sign (signers[i], slice_text (ROSTER), &lines[i], NULL))
            return -1;
    }
    return 0;
}

static int signers_free (void **state) {
    (void) state;
    for (size_t i = 0; i < SIGNERS; i++) {
        identity_destroy (&signers[i]);
        buf_free (&lines[i]);
    }
    return 0;
}

/* A note of `text` and the lines that `which` names, as "01". */
static void compose (struct buf *out, const char *text, const char *which) {
    buf_clear (out);
    note_begin (out, slice_text (text));
    for (; *which; which++)
        buf_add_slice (out, buf_slice (&lines[*which - '0']));
}

static enum err verify (struct slice octets, size_t count, bool *good,
                        struct error *e) {
    struct note note;
    assert_int_equal (note_read (octets, &note, NULL), ERR_NONE);
    return note_verify (&note, keys, count, good, e);
}

static void who_signed_is_told (void **state) {
    (void) state;
    static const struct {
        const char *which;
        size_t known;
        bool good[SIGNERS];
    } cases[] = {
        { "012", 3, { true, true, true } },
        { "210", 3, { true, true, true } },
        { "1", 3, { false, true, false } },
        { "20", 3, { true, false, true } },
        { "012", 1, { true } },
        { "12", 1, { false } },
        { "0", 0, { false } },
        { "22", 2, { false, false } }, /* unknown: nobody counts them */
    };
    struct buf b = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool good[SIGNERS] = { true, true, true };
        compose (&b, ROSTER, cases[i].which);
        assert_int_equal (verify (buf_slice (&b), cases[i].known, good, NULL),
                          ERR_NONE);
        assert_memory_equal (good, cases[i].good, cases[i].known);
    }
    buf_free (&b);
}

static void a_wrong_signature_refuses_the_note (void **state) {
    (void) state;
    struct buf b = { 0 };
    struct error e = { 0 };
    bool good[SIGNERS];
    compose (&b, "parley/roster/1\n-\n{ }\n", "0"); /* of another text */
    assert_int_equal (verify (buf_slice (&b), 3, good, &e), ERR_SIGNATURE);
    assert_error (&e, ERR_SIGNATURE, "'AIMC/root', does not verify");
    compose (&b, "parley/roster/1\n-\n{ }\n", "0");
    keys[0].name = "AIMC/other"; /* then it is nobody's */
    assert_int_equal (verify (buf_slice (&b), 3, good, &e), ERR_NONE);
    assert_false (good[0]);
    keys[0].name = identity_name (signers[0]);
    compose (&b, ROSTER, "010");
    assert_int_equal (verify (buf_slice (&b), 3, good, &e), ERR_SIGNATURE);
    assert_error (&e, ERR_SIGNATURE, "'AIMC/root' signed twice");
    buf_free (&b);
}

/* id4 || `size` - 4 octets of 0x5a, by `who`. */
static void add_line (struct buf *b, const char *name, size_t who,
                      size_t size) {
    uint8_t octets[200];
    char text[BASE64_SIZE (sizeof octets)];
    struct note note;
    struct buf signed_note = { 0 };
    compose (&signed_note, ROSTER, (char[]){ (char) ('0' + who), 0 });
    assert_int_equal (note_read (buf_slice (&signed_note), &note, NULL), 0);
    assert_int_equal (base64_decode (octets, 68, note.lines[0].base64), 0);
    buf_free (&signed_note);
    memset (octets + 4, 0x5a, sizeof octets - 4);
    buf_add_format (b, DASH " %s %s\n", name,
                    base64_encode (text, octets, size));
}

static void a_known_id_needs_a_whole_signature (void **state) {
    (void) state;
    static const size_t sizes[] = { 5, 6, 7, 67, 68, 69, 76, 200 };
    struct buf b = { 0 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bool good[SIGNERS];
        compose (&b, ROSTER, "1");
        add_line (&b, "AIMC/root", 0, sizes[i]);
        assert_int_equal (verify (buf_slice (&b), 3, good, NULL),
                          ERR_SIGNATURE);
        compose (&b, ROSTER, "1"); /* a name with the id of another's key */
        add_line (&b, "AIMC/root", 2, sizes[i]);
        assert_int_equal (verify (buf_slice (&b), 3, good, NULL), ERR_NONE);
        assert_true (!good[0] && good[1] && !good[2]);
    }
    buf_free (&b);
}

static void names_do_not_stand_in_for_each_other (void **state) {
    (void) state;
    struct buf b = { 0 };
    bool good[SIGNERS];
    compose (&b, ROSTER, "0");
    const struct note_key swapped[] = { { keys[1].name, keys[0].key },
                                        { keys[0].name, keys[1].key } };
    struct note note;
    assert_int_equal (note_read (buf_slice (&b), &note, NULL), ERR_NONE);
    assert_int_equal (note_verify (&note, swapped, 2, good, NULL), ERR_NONE);
    assert_true (!good[0] && !good[1]);
    buf_free (&b);
}

static void known_ones_are_found_among_64 (void **state) {
    (void) state;
    struct buf b = { 0 };
    bool good[SIGNERS];
    compose (&b, ROSTER, "2");
    for (int i = 0; i < NOTE_SIGNATURES_MAX - 2; i++)
        buf_add_format (&b, DASH " witness\xc3\xa9/%d YWJjZGVmZ2hpamts\n", i);
    buf_add_slice (&b, buf_slice (&lines[0]));
    assert_int_equal (verify (buf_slice (&b), 3, good, NULL), ERR_NONE);
    assert_true (good[0] && !good[1] && good[2]);
    buf_free (&b);
}

/* notes.json */

#define KNOWN_MAX 8

static void parse_agrees (const json_t *in, const json_t *out) {
    struct note note;
    size_t i;
    json_t *line, *wanted = json_object_get (out, "signatures");
    assert_int_equal (note_read (vector_slice (in, "note"), &note, NULL), 0);
    assert_true (slice_equal (note.text, vector_slice (out, "text")));
    assert_int_equal (note.count, json_array_size (wanted));
    json_array_foreach (wanted, i, line) {
        uint8_t octets[4 + SIGNATURE_SIZE];
        assert_true (
            slice_equal (note.lines[i].name, vector_slice (line, "name")));
        assert_int_equal (
            base64_decode (octets, sizeof octets, note.lines[i].base64), 0);
        vector_hex_equal (line, "id4", octets, 4);
        vector_hex_equal (line, "signature", octets + 4, SIGNATURE_SIZE);
    }
}

static void sign_agrees (const json_t *in, const json_t *out) {
    struct buf note = { 0 };
    const char *name;
    json_t *hex;
    const struct slice text = vector_slice (in, "text");
    const enum identity_kind kind = strcmp (vector_text (in, "kind"), "root")
                                        ? IDENTITY_DELEGATION
                                        : IDENTITY_ROOT;
    note_begin (&note, text);
    json_object_foreach (json_object_get (in, "seeds"), name, hex) {
        uint8_t seed[KEY_SIZE];
        assert_int_equal (
            hex_decode (seed, sizeof seed, json_string_value (hex)), 0);
        struct identity *self = identity_from_seed (kind, name, seed, NULL);
        assert_int_equal (note_sign (self, text, &note, NULL), 0);
        identity_destroy (&self);
    }
    assert_true (slice_equal (buf_slice (&note), vector_slice (out, "note")));
    struct hash digest = note_digest (text);
    vector_hex_equal (out, "digest", digest.octets, HASH_SIZE);
    buf_free (&note);
}

/* How many signed, by name where `signers` is given; -1 for a refusal. */
static int signed_by (struct slice octets, const json_t *known,
                      const json_t *wanted) {
    static uint8_t octets_of[KNOWN_MAX][KEY_SIZE];
    struct note_key table[KNOWN_MAX];
    bool good[KNOWN_MAX];
    struct note note;
    size_t i, j;
    json_t *key, *name;
    int have = 0;
    assert_true (json_array_size (known) <= KNOWN_MAX);
    json_array_foreach (known, i, key) {
        table[i] = (struct note_key){ vector_text (key, "name"), octets_of[i] };
        assert_int_equal (
            hex_decode (octets_of[i], KEY_SIZE, vector_text (key, "key")), 0);
    }
    if (note_read (octets, &note, NULL)
        || note_verify (&note, table, json_array_size (known), good, NULL))
        return -1;
    for (i = 0; i < json_array_size (known); i++) {
        bool wants = false;
        json_array_foreach (wanted, j, name) wants |=
            strcmp (json_string_value (name), table[i].name) == 0;
        assert_int_equal (good[i], wants);
        have += good[i];
    }
    return have;
}

static void good_vector (const json_t *vector) {
    const json_t *in = json_object_get (vector, "in");
    const json_t *out = json_object_get (vector, "out");
    if (vector_is (vector, "parse")) {
        parse_agrees (in, out);
    } else if (vector_is (vector, "sign")) {
        sign_agrees (in, out);
    } else {
        const json_t *wanted = json_object_get (out, "signers");
        assert_int_equal (signed_by (vector_slice (in, "note"),
                                     json_object_get (in, "known"), wanted),
                          json_array_size (wanted));
    }
}

static void bad_vector (const json_t *vector) {
    struct buf room = { 0 };
    const struct slice octets = vector_octets (vector, &room);
    if (vector_is (vector, "sign")) {
        const bool root = strcmp (vector_text (vector, "signer"), "root") == 0;
        struct identity *self =
            made (root ? IDENTITY_ROOT : IDENTITY_DELEGATION,
                  root ? "EUROPOL/root" : "EUROPOL/hq");
        struct buf line = { 0 };
        if (note_sign (self, octets, &line, NULL) == ERR_NONE)
            fail_msg ("signed: %s", vector_text (vector, "name"));
        identity_destroy (&self);
    } else if (signed_by (octets, json_object_get (vector, "known"), NULL)
               > 0) {
        fail_msg ("taken: %s", vector_text (vector, "name"));
    }
    buf_free (&room);
}

static void the_other_implementation_agrees (void **state) {
    (void) state;
    size_t i;
    json_t *vector, *all = vectors_load ("notes.json");
    json_array_foreach (all, i, vector) {
        if (vector_refused (vector))
            bad_vector (vector);
        else
            good_vector (vector);
    }
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_form_is_judged),
        cmocka_unit_test (limits_are_kept),
        cmocka_unit_test (the_last_empty_line_divides),
        cmocka_unit_test (the_first_lines_are_judged),
        cmocka_unit_test (the_first_lines_are_told),
        cmocka_unit_test (nobody_signs_what_is_not_theirs),
        cmocka_unit_test (a_text_too_large_is_not_signed),
        cmocka_unit_test (who_signed_is_told),
        cmocka_unit_test (a_wrong_signature_refuses_the_note),
        cmocka_unit_test (a_known_id_needs_a_whole_signature),
        cmocka_unit_test (names_do_not_stand_in_for_each_other),
        cmocka_unit_test (known_ones_are_found_among_64),
        cmocka_unit_test (the_other_implementation_agrees),
    };
    return cmocka_run_group_tests (tests, signers_make, signers_free);
}
