/* Checkpoints: their form, who signed, and that their keys sign nothing
 * else. */
#include "identity/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "roster_fixture.h"

#define DASH "\xe2\x80\x94 "
#define ROOT "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n"
#define SIG "\n" DASH "A YWJjZGU=\n" /* 5 octets: as short as they get */
#define TEXT "dialogue.example/vectors/1\n11\n" ROOT
#define TIME 1561017660

/* Of the dialogue of tests/vectors; computed with hashlib and PyNaCl. */
#define LOG_LINE                                                               \
    DASH "dialogue.example/vectors/1 FQunM6cNLOoLbJ3ZEwD90D1eu8yWLMIHH/vhI6oR" \
         "+96Xgt9ctW7sQsBd3Tf7cxx0o/AXXoXDB9fddnNj+cGQE1Hc8gc=\n"
#define LOG_VKEY                                                               \
    "dialogue.example/vectors/1+150ba733+AeV7MoBQA2qmk97ZwVuR/+9A+pzCwbbTTxkG" \
    "C6YshfJe"
#define HQ_LINE                                                                \
    DASH "EUROPOL/hq F5HiawAAAABdCz08q0mUzdSKgisA5OJHxMkFYosPKvJFGy0d5HdqlPjM" \
         "dD46euJ2TZud2jnjzSkvBZczDmagxWJHqjvjzuDnvby3Aw==\n"
#define HQ_VKEY                                                                \
    "EUROPOL/hq+1791e26b+BAEaRKN7gSyj+WXc+pj4wvMe2EuFy7XF5Yt12rX15pZf"
#define RATS_LINE                                                              \
    DASH "SCO/rats JK6MoAAAAABdCz0+pVnar2Q7VMngwF76RBSn7lO+AX6W7aDID1nz54EY"   \
         "8qAJy4QvaYzAqmJpmV39zhhQLBR/Fv7ix6bChV1pd4EyDQ==\n"
#define RATS_VKEY                                                              \
    "SCO/rats+24ae8ca0+BExYF6P9r50IhAWZ+FQ/94gch1+pP2ECIKlRclUssyoA"

static struct identity *of_vectors (enum identity_kind kind, const char *name,
                                    const char *seed) {
    uint8_t octets[KEY_SIZE];
    assert_int_equal (hex_decode (octets, sizeof octets, seed), 0);
    struct identity *self = identity_from_seed (kind, name, octets, NULL);
    assert_non_null (self);
    return self;
}

static struct identity *broker, *hq, *rats;
static struct checkpoint known;

static int people_make (void **state) {
    (void) state;
    broker = of_vectors (
        IDENTITY_BROKER, "lyon",
        "2172dae5829c12504fe262911b92237cb33db055a0c8ab7b63feda327d8f0e74");
    hq = of_vectors (
        IDENTITY_DELEGATION, "EUROPOL/hq",
        "f93defc7a53f173864fa5637929c18443f18ce6f6d7073be88c7eb65c1b502a3");
    rats = of_vectors (
        IDENTITY_DELEGATION, "SCO/rats",
        "38ef3ffcc590a28725af60f67f61b507fd10442cbdf88ad11bf0c325aa8cb34d");
    snprintf (known.origin, sizeof known.origin, "dialogue.example/vectors/1");
    known.size = 11;
    known.root = hash_sha256 (slice_text ("root"));
    return 0;
}

static int people_free (void **state) {
    (void) state;
    identity_destroy (&broker);
    identity_destroy (&hq);
    identity_destroy (&rats);
    return 0;
}

static enum err read_code (struct slice octets, const char *what) {
    struct checkpoint out = { .size = 7 };
    struct note note = { .count = 9 };
    struct error e = { 0 };
    enum err rc = checkpoint_read (octets, &out, &note, &e);
    assert_int_equal (e.code, rc);
    assert_int_equal (checkpoint_read (octets, &out, &note, NULL), rc);
    if (rc) { /* nothing is changed */
        assert_int_equal (out.size, 7);
        assert_int_equal (note.count, 9);
    }
    if (!strstr (e.text, what))
        fail_msg ("\"%s\" has no \"%s\"", e.text, what);
    return rc;
}

static void the_form_is_judged (void **state) {
    (void) state;
    static const char three[] = "not the three lines";
    static const struct {
        const char *text, *what;
        enum err code;
    } cases[] = {
        { "", "note", ERR_MALFORMED },
        { TEXT, "note", ERR_MALFORMED },
        { TEXT "\n", "note", ERR_MALFORMED },
        { "o\n11\n" SIG, three, ERR_MALFORMED },
        { "o\n" SIG, three, ERR_MALFORMED },
        { "\n" SIG, three, ERR_MALFORMED },
        { "\n11\n" ROOT SIG, "no key name", ERR_MALFORMED },
        { "o\n\n11\n" ROOT SIG, three, ERR_MALFORMED },
        { "o\n11\n" ROOT "\n" SIG, three, ERR_MALFORMED },
        { "o\n11\n" ROOT "extension\n" SIG, three, ERR_MALFORMED },
        { "o\n11\r\n" ROOT SIG, "control", ERR_MALFORMED },
        { "o\t\n11\n" ROOT SIG, "control", ERR_MALFORMED },
        { "\xff\n11\n" ROOT SIG, "UTF-8", ERR_MALFORMED },
        { "o o\n11\n" ROOT SIG, "no key name", ERR_MALFORMED },
        { "o+o\n11\n" ROOT SIG, "no key name", ERR_MALFORMED },
        { "o\xc2\xa0o\n11\n" ROOT SIG, "no key name", ERR_MALFORMED },
        { "o\n\n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n011\n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n00\n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n-1\n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n+1\n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n 1\n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n1 \n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n0x1\n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n1e3\n" ROOT SIG, "no decimal", ERR_MALFORMED },
        { "o\n11111111111111111111111a\n" ROOT SIG, "no decimal",
          ERR_MALFORMED },
        { "o\n9007199254740992\n" ROOT SIG, "2^53-1", ERR_LIMIT },
        { "o\n10000000000000000\n" ROOT SIG, "2^53-1", ERR_LIMIT },
        { "o\n18446744073709551627\n" ROOT SIG, "2^53-1", ERR_LIMIT },
        { "o\n11\n\n" SIG, "not base64", ERR_MALFORMED },
        { "o\n11\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I\n" SIG,
          "not base64", ERR_MALFORMED },
        { "o\n11\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7J=\n" SIG,
          "not base64", ERR_MALFORMED },
        { "o\n11\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I= \n" SIG,
          "not base64", ERR_MALFORMED },
        { "o\n11\nSBNJTRN-FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n" SIG,
          "not base64", ERR_MALFORMED },
        { "o\n11\nYWJj\n" SIG, "not base64", ERR_MALFORMED },
        { "o\n11\n4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d7376"
          "77b2\n" SIG,
          "not base64", ERR_MALFORMED },
        { "o\n0\n" ROOT SIG, "", ERR_NONE },
        { "o\n9007199254740991\n" ROOT SIG, "", ERR_NONE },
        { "o\xc3\xa9\n1\n" ROOT SIG, "", ERR_NONE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (read_code (slice_text (cases[i].text), cases[i].what)
            != cases[i].code)
            fail_msg ("not %s: %s", error_name (cases[i].code), cases[i].text);
}

static void limits_are_kept (void **state) {
    (void) state;
    struct buf b = { 0 };
    for (size_t n = ORIGIN_MAX; n <= ORIGIN_MAX + 1; n++) {
        buf_clear (&b);
        memset (buf_extend (&b, n), 'o', n);
        buf_add_text (&b, "\n11\n" ROOT SIG);
        assert_int_equal (
            read_code (buf_slice (&b), n > ORIGIN_MAX ? "218" : ""),
            n > ORIGIN_MAX ? ERR_LIMIT : ERR_NONE);
    }
    /* one signature that fills the note: names of 2 to 5 octets fit exactly */
    static const char head[] = "o\n11\n" ROOT "\n" DASH;
    buf_clear (&b);
    buf_add_text (&b, head);
    for (size_t left = CHECKPOINT_NOTE_MAX - b.size - 2; left % 4; left--)
        buf_add_text (&b, "n");
    buf_add_text (&b, "nnnn ");
    const size_t base64 = CHECKPOINT_NOTE_MAX - b.size - 1;
    memset (buf_extend (&b, base64), 'A', base64);
    buf_add_text (&b, "\n");
    assert_int_equal (b.size, CHECKPOINT_NOTE_MAX);
    assert_int_equal (read_code (buf_slice (&b), ""), ERR_NONE);
    buf_clear (&b);
    memset (buf_extend (&b, CHECKPOINT_NOTE_MAX + 1), '\n',
            CHECKPOINT_NOTE_MAX + 1);
    assert_int_equal (read_code (buf_slice (&b), "65537 octets"), ERR_LIMIT);
    buf_free (&b);
}

/* Of tlog-checkpoint and tlog-cosignature, as they stand there. */
#define SOFA                                                                   \
    "example.com/behind-the-sofa\n20852163\n"                                  \
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define SOFA_LINE                                                              \
    "\n" DASH                                                                  \
    "example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDe"  \
    "OoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
#define SOFA_WITNESS                                                           \
    DASH "witness.example.com/w1 "                                             \
         "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5"                   \
         "OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"

static void the_examples_of_c2sp_are_read (void **state) {
    (void) state;
    static const char octets[] = SOFA SOFA_LINE SOFA_WITNESS;
    struct checkpoint cp;
    struct note note;
    char root[HASH_TEXT_MAX];
    struct buf text = { 0 };
    assert_int_equal (checkpoint_read (slice_text (octets), &cp, &note, NULL),
                      ERR_NONE);
    assert_string_equal (cp.origin, "example.com/behind-the-sofa");
    assert_int_equal (cp.size, 20852163);
    assert_string_equal (
        hash_text (root, &cp.root),
        "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
    assert_int_equal (note.count, 2);
    checkpoint_text (&cp, &text);
    assert_true (slice_is (buf_slice (&text), SOFA));
    buf_clear (&text);
    checkpoint_cosignature_text (&cp, 1679315147, &text);
    assert_true (
        slice_is (buf_slice (&text), "cosignature/v1\ntime 1679315147\n" SOFA));
    buf_free (&text);
}

/* signed-note's own example: its verifier key and its signature. */
static void the_example_of_a_note_verifies (void **state) {
    (void) state;
    static const char octets[] =
        "This is an example message.\n\n" DASH
        "example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Zt"
        "g1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    static const char vkey[] =
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    uint8_t key[1 + KEY_SIZE];
    struct note note;
    bool good;
    struct buf own = { 0 };
    assert_int_equal (
        base64_decode (key, sizeof key, slice_text (strrchr (vkey, '+') + 1)),
        0);
    checkpoint_log_vkey ("example.com/foo", key + 1, &own);
    assert_true (slice_is (buf_slice (&own), vkey));
    const struct note_key known_key = { "example.com/foo", key + 1 };
    assert_int_equal (note_read (slice_text (octets), &note, NULL), 0);
    assert_int_equal (note_verify (&note, &known_key, 1, &good, NULL), 0);
    assert_true (good);
    buf_free (&own);
}

static void another_implementation_agrees (void **state) {
    (void) state;
    struct buf b = { 0 };
    checkpoint_sign (&known, broker, &b);
    checkpoint_cosign (&known, hq, TIME, &b);
    checkpoint_cosign (&known, rats, TIME + 2, &b);
    assert_true (
        slice_is (buf_slice (&b), TEXT "\n" LOG_LINE HQ_LINE RATS_LINE));
    buf_clear (&b);
    checkpoint_log_vkey (known.origin, identity_public (broker, KEY_LOG), &b);
    assert_true (slice_is (buf_slice (&b), LOG_VKEY));
    buf_clear (&b);
    checkpoint_witness_vkey ("EUROPOL/hq", identity_public (hq, KEY_WITNESS),
                             &b);
    checkpoint_witness_vkey ("SCO/rats", identity_public (rats, KEY_WITNESS),
                             &b);
    assert_true (slice_is (buf_slice (&b), HQ_VKEY RATS_VKEY));
    buf_free (&b);
}

static void the_origin_is_of_the_roster (void **state) {
    (void) state;
    char origin[ORIGIN_MAX + 1], longest[203];
    struct roster *roster = fixture_roster (NULL);
    checkpoint_origin (roster, origin);
    assert_string_equal (origin, "example.org/test/1");
    roster_unref (&roster);
    memset (longest, 'o', 202);
    longest[0] = longest[201] = '\'';
    longest[202] = '\0';
    roster = fixture_roster ("origin", longest, NULL);
    checkpoint_origin (roster, origin);
    assert_int_equal (strlen (origin), 202);
    roster_unref (&roster);
}

static void equal_means_all_three (void **state) {
    (void) state;
    struct checkpoint other = known;
    assert_true (checkpoint_equal (&known, &other));
    other.size++;
    assert_false (checkpoint_equal (&known, &other));
    other = known;
    other.root.octets[31] ^= 1;
    assert_false (checkpoint_equal (&known, &other));
    other = known;
    other.origin[25] = '2';
    assert_false (checkpoint_equal (&known, &other));
}

/* Judging */

/* A line under a name with a signature of type and key id of our choice; NULL
 * id: the right one. */
static void forge (struct buf *out, const char *name, uint8_t type,
                   const uint8_t public_key[KEY_SIZE],
                   const uint8_t secret[crypto_sign_SECRETKEYBYTES],
                   struct slice signed_text, int64_t time) {
    uint8_t mark[NOTE_ID_SIZE + 8 + SIGNATURE_SIZE];
    size_t at = NOTE_ID_SIZE;
    note_key_id (slice_text (name), type, public_key, mark);
    if (time >= 0) {
        put_u64 (mark + at, (uint64_t) time);
        at += 8;
    }
    crypto_sign_detached (mark + at, NULL, signed_text.data, signed_text.size,
                          secret);
    note_add_line (out, slice_text (name), mark, at + SIGNATURE_SIZE);
}

static enum err log_code (const char *octets, const char *origin,
                          const struct identity *log, const char *what) {
    struct checkpoint cp;
    struct note note;
    struct error e = { 0 };
    assert_int_equal (checkpoint_read (slice_text (octets), &cp, &note, NULL),
                      ERR_NONE);
    enum err rc = checkpoint_check_log (&cp, &note, origin,
                                        identity_public (log, KEY_LOG), &e);
    assert_int_equal (e.code, rc);
    if (!strstr (e.text, what))
        fail_msg ("\"%s\" has no \"%s\"", e.text, what);
    return rc;
}

static void the_log_is_asked (void **state) {
    (void) state;
    struct error e;
    struct identity *other = identity_new (IDENTITY_BROKER, "lyon", &e);
    static const char origin[] = "dialogue.example/vectors/1";
    static const struct {
        const char *octets, *origin, *what;
    } refused[] = {
        { TEXT "\n" LOG_LINE, "dialogue.example/vectors/2", "not of the log" },
        { TEXT "\n" HQ_LINE, origin, "not signed by that log" },
        { TEXT "\n" LOG_LINE LOG_LINE, origin, "twice" },
        { "dialogue.example/vectors/1\n12\n" ROOT "\n" LOG_LINE, origin,
          "does not verify" },
        { "dialogue.example/vectors/2\n11\n" ROOT "\n" LOG_LINE,
          "dialogue.example/vectors/2", "not signed by that log" },
        { TEXT "\n" DASH "dialogue.example/vectors/1 FQunM6cNLOo=\n", origin,
          "does not verify" },
        /* one good line does not mend a wrong one, in either order */
        { TEXT "\n" LOG_LINE DASH "dialogue.example/vectors/1 FQunM6cNLOo=\n",
          origin, "does not verify" },
        { TEXT "\n" DASH "dialogue.example/vectors/1 FQunM6cNLOo=\n" LOG_LINE,
          origin, "does not verify" },
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (log_code (refused[i].octets, refused[i].origin, broker,
                      refused[i].what)
            != ERR_SIGNATURE)
            fail_msg ("taken: %s", refused[i].octets);
    assert_int_equal (
        log_code (TEXT "\n" LOG_LINE, origin, other, "not signed by that log"),
        ERR_SIGNATURE);
    static const char *const fine[] = {
        TEXT "\n" LOG_LINE,
        TEXT "\n" HQ_LINE LOG_LINE RATS_LINE,
        TEXT "\n" LOG_LINE SOFA_WITNESS,
        TEXT "\n" DASH "dialogue.example/vectors/1 YWJjZGVm\n" LOG_LINE,
        TEXT "\n" DASH "another FQunM6cNLOo=\n" LOG_LINE,
    };
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_int_equal (log_code (fine[i], origin, broker, ""), ERR_NONE);
    identity_destroy (&other);
}

static enum err witness_code (struct slice octets, const char *name,
                              const uint8_t key[KEY_SIZE], int64_t *time,
                              const char *what) {
    struct checkpoint cp;
    struct note note;
    struct error e = { 0 };
    *time = 9;
    assert_int_equal (checkpoint_read (octets, &cp, &note, NULL), ERR_NONE);
    enum err rc = checkpoint_cosigned (&cp, &note, name, key, time, &e);
    assert_int_equal (e.code, rc);
    if (rc)
        assert_int_equal (*time, 0);
    if (!strstr (e.text, what))
        fail_msg ("\"%s\" has no \"%s\"", e.text, what);
    return rc;
}

static void the_witness_is_asked (void **state) {
    (void) state;
    static const struct {
        const char *octets;
        int64_t time;
        enum err code;
        const char *what;
    } cases[] = {
        { TEXT "\n" LOG_LINE, 0, ERR_NONE, "" },
        { TEXT "\n" LOG_LINE RATS_LINE, 0, ERR_NONE, "" },
        { TEXT "\n" HQ_LINE, TIME, ERR_NONE, "" },
        { TEXT "\n" LOG_LINE RATS_LINE HQ_LINE, TIME, ERR_NONE, "" },
        /* another key of that name, of any length */
        { TEXT "\n" DASH "EUROPOL/hq YWJjZGVm\n" HQ_LINE, TIME, ERR_NONE, "" },
        { TEXT "\n" HQ_LINE HQ_LINE, 0, ERR_SIGNATURE, "twice" },
        { "dialogue.example/vectors/1\n12\n" ROOT "\n" HQ_LINE, 0,
          ERR_SIGNATURE, "does not verify" },
        { TEXT "\n" DASH "EUROPOL/hq F5HiawAA\n", 0, ERR_SIGNATURE,
          "another length" },
        { TEXT "\n" HQ_LINE DASH "EUROPOL/hq F5HiawAA\n", 0, ERR_SIGNATURE,
          "another length" },
        /* its time is signed */
        { TEXT "\n" DASH "EUROPOL/hq F5HiawAAAABdCz09q0mUzdSKgisA5OJHxMkFYosPKv"
               "JFGy0d5HdqlPjMdD46euJ2TZud2jnjzSkvBZczDmagxWJHqjvjzuDn"
               "vby3Aw==\n",
          0, ERR_SIGNATURE, "does not verify" },
        /* its signature under another's name has another key id */
        { TEXT "\n" DASH "SCO/rats F5HiawAAAABdCz08q0mUzdSKgisA5OJHxMkFYosPKvJF"
               "Gy0d5HdqlPjMdD46euJ2TZud2jnjzSkvBZczDmagxWJHqjvjzuDnvb"
               "y3Aw==\n",
          0, ERR_NONE, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t time;
        if (witness_code (slice_text (cases[i].octets), "EUROPOL/hq",
                          identity_public (hq, KEY_WITNESS), &time,
                          cases[i].what)
                != cases[i].code
            || time != cases[i].time)
            fail_msg ("%s: %jd", cases[i].octets, (intmax_t) time);
    }
}

/* Signatures that are good, but of something else than a cosignature. */
static void what_a_cosignature_is_not (void **state) {
    (void) state;
    static const char name[] = "EUROPOL/hq";
    static const struct {
        const char *head;
        int64_t time; /* -1: none, as of a note's signature */
        uint8_t type;
        enum err code;
    } cases[] = {
        { "", -1, NOTE_ED25519, ERR_NONE }, /* passed over */
        { "", -1, NOTE_COSIGNATURE, ERR_SIGNATURE },
        { "", TIME, NOTE_COSIGNATURE, ERR_SIGNATURE },
        { "cosignature/v1\ntime 0\n", 0, NOTE_COSIGNATURE, ERR_SIGNATURE },
        { "cosignature/v1\ntime 9007199254741\n", INT64_C (9007199254741),
          NOTE_COSIGNATURE, ERR_SIGNATURE },
        { "cosignature/v1\ntime 01\n", 1, NOTE_COSIGNATURE, ERR_SIGNATURE },
        { "cosignature/v1\ntime 1\n", 2, NOTE_COSIGNATURE, ERR_SIGNATURE },
        { "cosignature/v2\ntime 1\n", 1, NOTE_COSIGNATURE, ERR_SIGNATURE },
        { "cosignature/v1\ntime 1\n", 1, NOTE_ED25519, ERR_NONE },
        { "cosignature/v1\ntime 1\n", 1, 6, ERR_NONE },
    };
    uint8_t key[KEY_SIZE], secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_keypair (key, secret);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = { 0 }, note = { 0 };
        int64_t time;
        buf_add_text (&text, cases[i].head);
        buf_add_text (&text, TEXT);
        note_begin (&note, slice_text (TEXT));
        forge (&note, name, cases[i].type, key, secret, buf_slice (&text),
               cases[i].time);
        if (witness_code (buf_slice (&note), name, key, &time, "")
            != cases[i].code)
            fail_msg ("case %zu", i);
        assert_int_equal (time, 0);
        /* the same key as a log's: its text and its type alone will do */
        struct checkpoint cp;
        struct note read;
        struct error e;
        assert_int_equal (checkpoint_read (buf_slice (&note), &cp, &read, NULL),
                          0);
        snprintf (cp.origin, sizeof cp.origin, "%s", name);
        assert_int_equal (checkpoint_check_log (&cp, &read, name, key, &e),
                          ERR_SIGNATURE);
        buf_free (&text);
        buf_free (&note);
    }
}

static void another_checkpoints_note_proves_nothing (void **state) {
    (void) state;
    struct note note;
    struct checkpoint cp, other = known;
    int64_t time = 9;
    struct error e = { 0 };
    other.size = 12;
    assert_int_equal (checkpoint_read (slice_text (TEXT "\n" LOG_LINE HQ_LINE),
                                       &cp, &note, NULL),
                      ERR_NONE);
    assert_int_equal (checkpoint_check_log (&other, &note, other.origin,
                                            identity_public (broker, KEY_LOG),
                                            &e),
                      ERR_SIGNATURE);
    assert_int_equal (checkpoint_cosigned (&other, &note, "EUROPOL/hq",
                                           identity_public (hq, KEY_WITNESS),
                                           &time, &e),
                      ERR_SIGNATURE);
    assert_int_equal (time, 0);
}

/* One text for two purposes: no note of ours is a checkpoint, nor the other way
 * round, and no identity signs a checkpoint as a note. */
static void checkpoints_and_notes_are_apart (void **state) {
    (void) state;
    static const char *const texts[] = {
        "parley/communique/1\n"
        "1111111111111111111111111111111111111111111111111111111111111111"
        "\n" ROOT,
        "parley/communique/1\n11\n" ROOT,
        TEXT,
        "cosignature/v1\ntime 1561017660\n" TEXT,
    };
    struct identity *root = identity_new (IDENTITY_ROOT, "EUROPOL/root", NULL);
    struct identity *const who[] = { hq, broker, root };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t w = 0; w < 3; w++) {
            struct buf note = { 0 };
            struct checkpoint cp;
            struct note read;
            note_begin (&note, slice_text (texts[i]));
            const enum err rc =
                note_sign (who[w], slice_text (texts[i]), &note, NULL);
            assert_int_equal (rc, i == 0 && w == 0 ? ERR_NONE : ERR_RIGHT);
            if (rc == ERR_NONE && /* 64 digits are no size */
                checkpoint_read (buf_slice (&note), &cp, &read, NULL)
                    != ERR_LIMIT)
                fail_msg ("a communique is read as a checkpoint");
            buf_free (&note);
        }
    identity_destroy (&root);

    enum note_kind kind;
    struct hash dialogue;
    bool has;
    struct slice rest;
    assert_int_equal (note_head (slice_text ("parley/communique/1\n11\n" ROOT),
                                 &kind, &dialogue, &has, &rest, NULL),
                      ERR_MALFORMED);
}

/* Does it end the process, as our own mistakes do? */
static bool aborts (void (*call) (void)) {
    pid_t child = fork();
    int status;
    assert_true (child >= 0);
    if (child == 0) {
        const struct rlimit none = { 0, 0 };
        setrlimit (RLIMIT_CORE, &none);
        signal (SIGABRT, SIG_DFL); /* cmocka's would report a failure */
        if (!freopen ("/dev/null", "w", stderr))
            _exit (1);
        call();
        _exit (0);
    }
    assert_int_equal (waitpid (child, &status, 0), child);
    return WIFSIGNALED (status) && WTERMSIG (status) == SIGABRT;
}

static struct buf sink;
static void log_cosigns (void) {
    checkpoint_cosign (&known, broker, TIME, &sink);
}
static void witness_signs (void) {
    checkpoint_sign (&known, hq, &sink);
}
static void time_is_0 (void) {
    checkpoint_cosign (&known, hq, 0, &sink);
}
static void origin_of_two_lines (void) {
    struct checkpoint cp = known;
    cp.origin[8] = '\n';
    checkpoint_sign (&cp, broker, &sink);
}
static void origin_with_a_space (void) {
    struct checkpoint cp = known;
    cp.origin[8] = ' ';
    checkpoint_cosign (&cp, hq, TIME, &sink);
}
static void origin_of_nothing (void) {
    struct checkpoint cp = known;
    cp.origin[0] = '\0';
    checkpoint_sign (&cp, broker, &sink);
}
static void size_below_0 (void) {
    struct checkpoint cp = known;
    cp.size = -1;
    checkpoint_sign (&cp, broker, &sink);
}
static void nothing_wrong (void) {
    checkpoint_sign (&known, broker, &sink);
    checkpoint_cosign (&known, hq, COSIGNATURE_TIME_MAX, &sink);
    buf_free (&sink);
}

static void their_keys_sign_nothing_else (void **state) {
    (void) state;
    void (*const calls[]) (void) = {
        log_cosigns,         witness_signs,       time_is_0,
        origin_of_two_lines, origin_with_a_space, origin_of_nothing,
        size_below_0,
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (!aborts (calls[i]))
            fail_msg ("case %zu", i);
    assert_false (aborts (nothing_wrong));
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_form_is_judged),
        cmocka_unit_test (limits_are_kept),
        cmocka_unit_test (the_examples_of_c2sp_are_read),
        cmocka_unit_test (the_example_of_a_note_verifies),
        cmocka_unit_test (another_implementation_agrees),
        cmocka_unit_test (the_origin_is_of_the_roster),
        cmocka_unit_test (equal_means_all_three),
        cmocka_unit_test (the_log_is_asked),
        cmocka_unit_test (the_witness_is_asked),
        cmocka_unit_test (what_a_cosignature_is_not),
        cmocka_unit_test (another_checkpoints_note_proves_nothing),
        cmocka_unit_test (checkpoints_and_notes_are_apart),
        cmocka_unit_test (their_keys_sign_nothing_else),
    };
    return cmocka_run_group_tests (tests, people_make, people_free);
}
