/* Trust policies: what is refused, and whom they are satisfied by. */
#include "identity/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>

#include "roster_fixture.h"

#define PEOPLE 6
#define T INT64_C (1780000000)
#define ORIGIN "example.org/test/1"

static struct identity *logs[PEOPLE], *people[PEOPLE];

static struct identity *seeded (enum identity_kind kind, const char *name,
                                const char *what) {
    struct hash seed = hash_sha256 (slice_text (what));
    struct identity *self = identity_from_seed (kind, name, seed.octets, NULL);
    assert_non_null (self);
    return self;
}

static int people_make (void **state) {
    (void) state;
    char name[16], what[32];
    for (int i = 0; i < PEOPLE; i++) {
        snprintf (name, sizeof name, "W%d/hq", i);
        people[i] = seeded (IDENTITY_DELEGATION, name, name);
        snprintf (what, sizeof what, "log %d", i);
        logs[i] = seeded (IDENTITY_BROKER, "lyon", what);
    }
    return 0;
}

static int people_free (void **state) {
    (void) state;
    for (int i = 0; i < PEOPLE; i++) {
        identity_destroy (&people[i]);
        identity_destroy (&logs[i]);
    }
    return 0;
}

/* A vkey of any type; the id is right. */
static void any_vkey (const char *name, uint8_t type, struct slice key,
                      struct buf *out) {
    struct buf octets = { 0 }, hashed = { 0 };
    char base64[BASE64_SIZE (2000)], hex[HEX_SIZE (NOTE_ID_SIZE)];
    buf_add_u8 (&octets, type);
    buf_add_slice (&octets, key);
    buf_add_format (&hashed, "%s\n", name);
    buf_add_slice (&hashed, buf_slice (&octets));
    struct hash id = hash_sha256 (buf_slice (&hashed));
    buf_add_format (out, "%s+%s+%s", name,
                    hex_encode (hex, id.octets, NOTE_ID_SIZE),
                    base64_encode (base64, octets.data, octets.size));
    buf_free (&octets);
    buf_free (&hashed);
}

/* $L0: a log's vkey; $W0: a witness's; $Q0: its key with a post-quantum type;
 * $P0: its key as one of a plain note; $R0: its key renamed; $C0: a log's key
 * as one that cosigns. */
static void token (char kind, int i, struct buf *out) {
    static const uint8_t large[1312] = { 7 };
    const struct slice witness =
        slice_of (identity_public (people[i], KEY_WITNESS), KEY_SIZE);
    const struct slice log =
        slice_of (identity_public (logs[i], KEY_LOG), KEY_SIZE);
    const char *name = identity_name (people[i]);
    if (kind == 'L')
        checkpoint_log_vkey (ORIGIN, log.data, out);
    else if (kind == 'W')
        checkpoint_witness_vkey (name, witness.data, out);
    else if (kind == 'Q')
        any_vkey (name, 6, slice_of (large, sizeof large - (size_t) i), out);
    else if (kind == 'P')
        any_vkey (name, 1, witness, out);
    else if (kind == 'R')
        any_vkey ("another.example/name", 4, witness, out);
    else
        any_vkey (ORIGIN, 4, log, out);
}

static void expand (const char *text, struct buf *out) {
    buf_clear (out);
    for (const char *p = text; *p; p++) {
        if (*p != '$') {
            buf_add (out, p, 1);
            continue;
        }
        token (p[1], p[2] - '0', out);
        p += 2;
    }
}

static struct policy *read_text (const char *text, struct error *e) {
    struct buf octets = { 0 };
    expand (text, &octets);
    struct policy *self = policy_read (buf_slice (&octets), e);
    buf_free (&octets);
    return self;
}

#define Q "quorum none\n"

static void what_is_refused (void **state) {
    (void) state;
    static const struct {
        const char *text, *what;
    } cases[] = {
        { "", "no quorum line" },
        { "# quorum none\n", "no quorum line" },
        { "log $L0\n", "no quorum line" },
        { "quorum none", "newline" },
        { Q "#", "newline" },
        { Q Q, "line 2: a second quorum" },
        { "quorum\n", "wanted 'quorum NAME'" },
        { "quorum none none\n", "wanted 'quorum NAME'" },
        { "quorum none # none\n", "wanted 'quorum NAME'" },
        { "quorum None\n", "'None' is no witness" },
        { "quorum a\nwitness a $W0\n", "line 1: 'a' is no witness" },
        { "Quorum none\n", "'Quorum' is not log" },
        { "quorum\vnone\n", "control character 0x0b" },
        { "quorum none\r\n", "control character 0x0d" },
        { Q "# \x7f\n", "control character 0x7f" },
        { Q "logs $L0\n", "'logs' is not log" },
        /* keys */
        { Q "log\n", "vkey" },
        { Q "log $L0 url more\n", "wanted 'log VKEY [URL]'" },
        { Q "log $L0\nlog $L0 url\n", "line 3: the key of" },
        { Q "log $L0\nlog $C0\n", "stands twice" },
        { Q "log example.org\n", "vkey" },
        { Q "log example.org+00000000\n", "vkey" },
        { Q "log example.org+00000000+\n", "vkey" },
        { Q "log example.org+00000000+AQ==\n", "vkey" },
        { Q "log example.org+00000000+B\n", "not base64" },
        { Q "log example.org+00000000+B===\n", "not base64" },
        { Q "log example.org+0000000+BwEC\n", "vkey" },
        { Q "log example.org+000000000+BwEC\n", "vkey" },
        { Q "log example.org+0000000G+BwEC\n", "no id in hex" },
        { Q "log example.org+0000000A+BwEC\n", "no id in hex" },
        { Q "log +00000000+BwEC\n", "vkey" },
        { Q "log a\xc2\xa0z+00000000+BwEC\n", "vkey" },
        { Q "log a\xffz+00000000+BwEC\n", "vkey" },
        { Q "log a+00000000+BwEC=\n", "not base64" },
        { Q "log a+00000000+BwF=\n", "not base64" },
        { Q "log a+00000000+AQEC\n", "key of 2 octets" },
        { Q "log a+00000000+"
            "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
          "the id is not" },
        { Q "log example.com/fob+530d903a+"
            "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
          "the id is not" },
        /* witnesses */
        { Q "witness\n", "wanted 'witness NAME VKEY [URL]'" },
        { Q "witness a\n", "wanted 'witness NAME VKEY [URL]'" },
        { Q "witness $W0\n", "wanted 'witness NAME VKEY [URL]'" },
        { Q "witness a $W0 url more\n", "wanted 'witness NAME VKEY [URL]'" },
        { Q "witness none $W0\n", "'none' is taken" },
        { Q "witness a $W0\nwitness a $W1\n", "line 3: the name 'a' is taken" },
        { Q "witness a $W0\nwitness b $W0\n", "stands twice" },
        { Q "witness a $W0\nwitness b $R0\n", "stands twice" },
        { Q "witness a $P0\n", "type 1" },
        { Q "witness a b c d\n", "wanted 'witness" },
        { Q "group a any b\nwitness a $W0\n", "'b' is no witness" },
        /* groups */
        { Q "group\n", "wanted 'group NAME any|all|K MEMBER...'" },
        { Q "group g\n", "wanted 'group" },
        { Q "group g any\n", "wanted 'group" },
        { Q "group g 0\n", "wanted 'group" },
        { Q "witness a $W0\ngroup none any a\n", "'none' is taken" },
        { Q "witness a $W0\ngroup a any a\n", "'a' is taken" },
        { Q "witness a $W0\ngroup g any g\n", "'g' is no witness" },
        { Q "witness a $W0\ngroup g any none\n", "'none' is no witness" },
        { Q "witness a $W0\ngroup g any a a\n", "'a' is a member already" },
        { Q "witness a $W0\ngroup g any a\ngroup h any a\n",
          "line 4: 'a' is a member already" },
        { Q "witness a $W0\ngroup g any a\ngroup h any g\ngroup i all g\n",
          "line 5: 'g' is a member already" },
        { Q "witness a $W0\ngroup g 0 a\n", "1 to 1 members" },
        { Q "witness a $W0\ngroup g 2 a\n", "1 to 1 members" },
        { Q "witness a $W0\ngroup g 01 a\n", "1 to 1 members" },
        { Q "witness a $W0\ngroup g +1 a\n", "1 to 1 members" },
        { Q "witness a $W0\ngroup g -1 a\n", "1 to 1 members" },
        { Q "witness a $W0\ngroup g 1x a\n", "1 to 1 members" },
        { Q "witness a $W0\ngroup g ANY a\n", "1 to 1 members" },
        { Q "witness a $W0\ngroup g 18446744073709551617 a\n", "1 to 1" },
        { Q "witness a $W0\ngroup g 00001 a\n", "1 to 1" },
        /* K and KELVIN SIGN are two names */
        { "witness K $W0\nquorum \xe2\x84\xaa\n", "is no witness" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = { 0 };
        struct policy *self = read_text (cases[i].text, &e);
        if (self || e.code != ERR_MALFORMED || !strstr (e.text, cases[i].what))
            fail_msg ("%s: \"%s\"", cases[i].text, e.text);
        assert_null (read_text (cases[i].text, NULL));
    }
}

static void limits_are_kept (void **state) {
    (void) state;
    struct buf text = { 0 };
    struct error e = { 0 };
    uint8_t key[KEY_SIZE] = { 1 };
    static const struct {
        size_t logs, witnesses, groups;
        const char *what;
    } cases[] = {
        { POLICY_NAMES_MAX + 1, 0, 0, "1024 logs" },
        { 0, POLICY_NAMES_MAX + 1, 0, "1024 witnesses" },
        { 0, POLICY_NAMES_MAX, POLICY_NAMES_MAX, NULL },
        { POLICY_NAMES_MAX, 1, POLICY_NAMES_MAX + 1, "1024 groups" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_clear (&text);
        buf_add_text (&text, Q);
        for (size_t n = 0; n < cases[i].logs; n++) {
            put_u64 (key, n);
            buf_add_text (&text, "log ");
            checkpoint_log_vkey (ORIGIN, key, &text);
            buf_add_text (&text, "\n");
        }
        for (size_t n = 0; n < cases[i].witnesses; n++) {
            put_u64 (key, n);
            buf_add_format (&text, "witness w%zu ", n);
            checkpoint_witness_vkey ("w", key, &text);
            buf_add_text (&text, "\n");
        }
        for (size_t n = 0; n < cases[i].groups; n++)
            if (n == 0) /* a chain, as deep as can be */
                buf_add_text (&text, "group g0 any w0\n");
            else
                buf_add_format (&text, "group g%zu all g%zu\n", n, n - 1);
        struct policy *self = policy_read (buf_slice (&text), &e);
        if (cases[i].what) {
            assert_null (self);
            assert_int_equal (e.code, ERR_LIMIT);
            assert_non_null (strstr (e.text, cases[i].what));
        } else {
            assert_non_null (self);
        }
        policy_destroy (&self);
        policy_destroy (&self);
    }
    policy_destroy (NULL);
    for (size_t n = POLICY_OCTETS_MAX; n <= POLICY_OCTETS_MAX + 1; n++) {
        buf_clear (&text);
        buf_add_text (&text, Q);
        memset (buf_extend (&text, n - strlen (Q)), '\n', n - strlen (Q));
        struct policy *self = policy_read (buf_slice (&text), &e);
        assert_int_equal (self != NULL, n <= POLICY_OCTETS_MAX);
        policy_destroy (&self);
    }
    assert_int_equal (e.code, ERR_LIMIT);
    buf_free (&text);
}

/* A note: "L0 W1@5 x2@7": lines by logs and witnesses; x: one that is wrong,
 * X: a log's. */
static void note_of (const char *who, struct buf *octets, struct checkpoint *cp,
                     struct note *note) {
    struct checkpoint made = { .origin = ORIGIN, .size = 4 };
    struct checkpoint wrong = { .origin = ORIGIN, .size = 5 };
    struct buf text = { 0 };
    buf_clear (octets);
    checkpoint_text (&made, &text);
    note_begin (octets, buf_slice (&text));
    buf_free (&text);
    for (size_t n; *who; who += n + (who[n] == ' ')) {
        n = strcspn (who, " ");
        const int i = who[1] - '0';
        const int64_t at = T + (n > 3 ? strtol (who + 3, NULL, 10) : 0);
        struct buf own = { 0 };
        checkpoint_sign (who[0] == 'X' ? &wrong : &made, logs[i], &own);
        const uint8_t *line = memmem (own.data, own.size, "\n\n", 2);
        const size_t head = (size_t) (line - own.data) + 2;
        if (who[0] == 'L' || who[0] == 'X')
            buf_add (octets, own.data + head, own.size - head);
        else
            checkpoint_cosign (who[0] == 'x' ? &wrong : &made, people[i], at,
                               octets);
        buf_free (&own);
    }
    assert_int_equal (checkpoint_read (buf_slice (octets), cp, note, NULL), 0);
}

#define L "log $L0\n"
#define W3 L "witness a $W0\nwitness b $W1\nwitness c $W2\n"
#define W5 W3 "witness d $W3\nwitness e $W4\n"
#define TWO W3 "group g 2 a b c\nquorum g\n"
/* The page's own example */
#define XY                                                                     \
    L "witness X1 $W0\nwitness X2 $W1\nwitness X3 $W2\n"                       \
      "group X-witnesses 2 X1 X2 X3\n\n"                                       \
      "witness Y1 $W3\nwitness Y2 $W4\nwitness Y3 $W5\n"                       \
      "group Y-witnesses any Y1 Y2 Y3\n\n"                                     \
      "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"

static void whom_it_is_satisfied_by (void **state) {
    (void) state;
    static const struct {
        const char *text, *lines, *what; /* NULL: satisfied */
        enum err code;
        size_t cosigned;
        int64_t bound, first, last; /* behind T; -1: 0 */
    } cases[] = {
        { L Q, "L0", NULL, 0, 0, -1, -1, -1 },
        { Q, "L0", "of 0 keys", ERR_SIGNATURE, 0, 0, 0, 0 },
        { L Q, "L1", "of 1 keys", ERR_SIGNATURE, 0, 0, 0, 0 },
        { L Q, "X0", "does not verify", ERR_SIGNATURE, 0, 0, 0, 0 },
        { L Q, "L0 L0", "twice", ERR_SIGNATURE, 0, 0, 0, 0 },
        { L "log $L1\n" Q, "L1", NULL, 0, 0, -1, -1, -1 },
        { L "log $L1\n" Q, "L1 L0", NULL, 0, 0, -1, -1, -1 },
        { L "log $L1\n" Q, "L1 X0", "does not verify", ERR_SIGNATURE, 0, 0, 0,
          0 },
        { "log $C0\n" Q, "L0", "of 0 keys", ERR_SIGNATURE, 0, 0, 0, 0 },
        { "log $Q0\n" L Q, "L0", NULL, 0, 0, -1, -1, -1 },
        { W3 Q, "L0 W1@5", NULL, 0, 1, -1, 5, 5 },
        { W3 Q, "L0 x1@5", "does not verify", ERR_SIGNATURE, 0, 0, 0, 0 },
        { W3 "quorum b\n", "L0 W1@5", NULL, 0, 1, -1, 5, 5 },
        { W3 "quorum b\n", "L0 W0@5", "0 of the 1", ERR_RIGHT, 1, -1, 5, 5 },
        { TWO, "L0", "0 of the 2 that it takes; 0 of 3", ERR_RIGHT, 0, -1, -1,
          -1 },
        { TWO, "L0 W1@5", "1 of the 2", ERR_RIGHT, 1, 5, 5, 5 },
        { TWO, "L0 W1@5 W5@6", "1 of the 2", ERR_RIGHT, 1, 5, 5, 5 },
        { TWO, "L0 W1@5 W2@3", NULL, 0, 2, 3, 3, 5 },
        { TWO, "W1@5 W2@3", "none signed", ERR_SIGNATURE, 0, 0, 0, 0 },
        { TWO, "L0 W1@5 W2@3 W0@9", NULL, 0, 3, 3, 3, 9 },
        { TWO, "L0 W1@5 W2@3 x0@9", "does not verify", ERR_SIGNATURE, 0, 0, 0,
          0 },
        { TWO, "L0 W1@5 W1@5 W0@1", "twice", ERR_SIGNATURE, 0, 0, 0, 0 },
        { W5 "group g 4 a b c d e\nquorum g\n", "L0 W0@1 W1@2 W2@3 W3@4", NULL,
          0, 4, 3, 1, 4 },
        { W5 "group g all a b c d e\nquorum g\n", "L0 W0@1 W1@2 W2@3 W3@4",
          "4 of the 5", ERR_RIGHT, 4, -1, 1, 4 },
        { W5 "group g any a b c d e\nquorum g\n", "L0 W3@4", NULL, 0, 1, -1, 4,
          4 },
        { XY, "L0 W0@1 W1@2 W5@3", NULL, 0, 3, -1, 1, 3 },
        { XY, "L0 W0@1 W1@2 W2@3", "1 of the 2", ERR_RIGHT, 3, -1, 1, 3 },
        { XY, "L0 W0@1 W4@2 W5@3", "1 of the 2", ERR_RIGHT, 3, -1, 1, 3 },
        /* types that we do not know count for nothing */
        { L "witness a $Q0\nwitness b $W1\ngroup g any a b\nquorum g\n",
          "L0 W1@5", NULL, 0, 1, -1, 5, 5 },
        { L "witness a $Q0\nwitness b $W1\ngroup g all a b\nquorum g\n",
          "L0 W0@1 W1@5", "1 of the 2", ERR_RIGHT, 1, -1, 5, 5 },
        { L "witness a $Q0\nquorum a\n", "L0 W0@1", "0 of the 1", ERR_RIGHT, 0,
          -1, -1, -1 },
        /* another name than that of its vkey */
        { L "witness a $R0\nquorum a\n", "L0 W0@1", "0 of the 1", ERR_RIGHT, 0,
          -1, -1, -1 },
        /* blanks, comments, URLs, names of any octets */
        { "# trust\n\n \t \n\t#\xff\n\tlog\t$L0  https://log.example/ \n"
          "witness \xff\t $W0 \xff\n"
          "  group \xe2\x84\xaa  all\t\xff\t\nquorum \xe2\x84\xaa\n#",
          NULL, NULL, 0, 0, 0, 0, 0 },
        { "# trust\n\n \t \n\t#\xff\n\tlog\t$L0  https://log.example/ \n"
          "witness \xff\t $W0 \xff\n"
          "  group \xe2\x84\xaa  all\t\xff\t\nquorum \xe2\x84\xaa\n#\n",
          "L0 W0@4", NULL, 0, 1, 4, 4, 4 },
        /* lines of all kinds behind the quorum */
        { "witness b $W1\nquorum b\n" L "witness a $W0\ngroup g all a b\n",
          "L0 W1@4", NULL, 0, 1, -1, 4, 4 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = { 0 };
        struct policy *self = read_text (cases[i].text, &e);
        if (!cases[i].lines) {
            assert_null (self);
            continue;
        }
        if (!self)
            fail_msg ("%s: %s", cases[i].text, e.text);
        struct buf octets = { 0 };
        struct checkpoint cp;
        struct note note;
        struct policy_verdict out = { .witnesses = 77 };
        note_of (cases[i].lines, &octets, &cp, &note);
        enum err rc = policy_check (self, &cp, &note, &out, &e);
        if (rc != cases[i].code || e.code != rc
            || (cases[i].what && !strstr (e.text, cases[i].what)))
            fail_msg ("%s by %s: \"%s\"", cases[i].text, cases[i].lines,
                      e.text);
        if (rc == ERR_SIGNATURE) {
            assert_int_equal (out.witnesses, 77);
        } else if (out.cosigned != cases[i].cosigned
                   || out.bound != (cases[i].bound < 0 ? 0 : T + cases[i].bound)
                   || out.first != (cases[i].first < 0 ? 0 : T + cases[i].first)
                   || out.last != (cases[i].last < 0 ? 0 : T + cases[i].last)) {
            fail_msg ("%s by %s: %zu, bound %jd, %jd to %jd", cases[i].text,
                      cases[i].lines, out.cosigned, (intmax_t) (out.bound - T),
                      (intmax_t) (out.first - T), (intmax_t) (out.last - T));
        }
        buf_free (&octets);
        policy_destroy (&self);
    }
}

static void another_checkpoints_note_is_refused (void **state) {
    (void) state;
    struct error e = { 0 };
    struct policy *self = read_text (L Q, &e);
    struct buf octets = { 0 };
    struct checkpoint cp;
    struct note note;
    struct policy_verdict out;
    note_of ("L0", &octets, &cp, &note);
    cp.size++;
    assert_int_equal (policy_check (self, &cp, &note, &out, &e), ERR_SIGNATURE);
    cp.size--;
    snprintf (cp.origin, sizeof cp.origin, "example.org/test/2");
    assert_int_equal (policy_check (self, &cp, &note, &out, &e), ERR_SIGNATURE);
    buf_free (&octets);
    policy_destroy (&self);
}

static void a_roster_states_one (void **state) {
    (void) state;
    struct buf text = { 0 }, want = { 0 };
    struct error e = { 0 };
    static const struct {
        const char *path, *value, *members;
        bool readable;
    } cases[] = {
        { "name", "'x'", "EUROPOL/hq FRONTEX/hq", true },
        { "quorum", "1", "EUROPOL/hq FRONTEX/hq", true },
        { "witnesses", "['FRONTEX/hq','EUROPOL/hq']", "FRONTEX/hq EUROPOL/hq",
          true },
        /* UNODC/hq is revoked, UNODC/late has no keys */
        { "witnesses", "['UNODC/hq','EUROPOL/hq','FRONTEX/hq','UNODC/late']",
          "EUROPOL/hq FRONTEX/hq", true },
        { "witnesses", "['UNODC/hq','EUROPOL/hq','UNODC/late']", NULL, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct roster *roster =
            fixture_roster (cases[i].path, cases[i].value, NULL);
        buf_clear (&text);
        buf_clear (&want);
        policy_write (roster, &text);
        struct policy *self = policy_read (buf_slice (&text), &e);
        assert_int_equal (self != NULL, cases[i].readable);
        if (!self)
            assert_non_null (strstr (e.text, "no quorum line"));
        policy_destroy (&self);
        if (cases[i].members) {
            buf_add_text (&want, "log ");
            checkpoint_log_vkey (ORIGIN, roster_log_key (roster), &want);
            for (const char *p = cases[i].members; *p;) {
                const size_t n = strcspn (p, " ");
                const struct roster_delegation *d =
                    roster_delegation (roster, slice_of (p, n));
                buf_add_format (&want, "\nwitness %s ", d->name);
                checkpoint_witness_vkey (d->name, d->keys[0].witness, &want);
                p += n + (p[n] == ' ');
            }
            buf_add_format (&want,
                            "\ngroup witnesses %d %s\nquorum witnesses\n",
                            roster_quorum (roster), cases[i].members);
            assert_true (slice_equal (buf_slice (&text), buf_slice (&want)));
        }
        roster_unref (&roster);
    }
    struct roster *alone =
        fixture_roster ("witnesses", "[]", "quorum", "0", NULL);
    buf_clear (&text);
    policy_write (alone, &text);
    buf_add_u8 (&text, 0);
    assert_non_null (strstr ((char *) text.data, "\nquorum none\n"));
    assert_null (strstr ((char *) text.data, "witness"));
    roster_unref (&alone);
    buf_free (&text);
    buf_free (&want);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_is_refused),
        cmocka_unit_test (limits_are_kept),
        cmocka_unit_test (whom_it_is_satisfied_by),
        cmocka_unit_test (another_checkpoints_note_is_refused),
        cmocka_unit_test (a_roster_states_one),
    };
    return cmocka_run_group_tests (tests, people_make, people_free);
}
