/* communique: THREADS.md section 7. Its text is also compared with another
 * implementation's (tests/system/test_0860_thread_schema.py). */
#include "threads/communique.h"

#include "json_edit.h"

#include <setjmp.h>

#include <cmocka.h>

#define M64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define DIALOGUE M64 "d"
#define VERSION M64 "5"
#define BODY                                                                   \
    "{'format': 1, 'thread': 'ABC-x', 'does': 'propose', 'title': {'fr':"      \
    " 'Titre', 'en': 'Title'}, 'text': 'Plain', 'invited': ['QQ', 'ROOM',"     \
    " 'XYZ'], 'binding': 'fr', 'handling': 'TLP:AMBER', 'deadline':"           \
    " '2026-11-30T17:00:00+01:00', 'paragraphs': [{'id': 'P1', 'text': {'fr':" \
    " 'Un\\ndeux', 'en': 'One <two>'}}, {'id': 'P2', 'text': {'en': 'B', "     \
    "'fr': 'A'}}], 'decisions': [{'id': 'D1', 'text': {'en': 'only', 'de':"    \
    " 'nur'}, 'owner': 'QQ', 'by': '2026-12-24'}, {'id': 'D2', 'text': 't',"   \
    " 'by': '2027-01-01'}, {'id': 'D3', 'text': 'u', 'owner': 'ABC'}, {'id':"  \
    " 'D4', 'text': 'v'}], 'undertakings': [{'id': 'U1', 'who': 'XYZ', 'what'" \
    ": 'w', 'by': '2026-12-24T09:00:00Z'}, {'id': 'U2', 'who': 'ABC', 'what':" \
    " 'z'}]}"
#define TEXT                                                                   \
    "parley/communique/1\n" DIALOGUE "\nthread all/communique/ABC/ABC-x\n"     \
    "version " VERSION "\nbinding fr\n"                                        \
    "\n== fr ==\n\nTitre\n\nPlain\n\nUn\ndeux\n\nA\n"                          \
    "\nDecision D1: nur [QQ, by 2026-12-24]\n"                                 \
    "\nDecision D2: t [by 2027-01-01]\n\nDecision D3: u [ABC]\n"               \
    "\nDecision D4: v\n"                                                       \
    "\nUndertaking U1: XYZ: w [by 2026-12-24T09:00:00Z]\n"                     \
    "\nUndertaking U2: ABC: z\n"                                               \
    "\n== en ==\n\nTitle\n\nPlain\n\nOne <two>\n\nB\n"

static struct taxonomy *taxonomy;
static const struct thread_place place = {
    .kind = THREAD_COMMUNIQUE, .channel = "all", .entity = "ABC", .id = "ABC-x"
};

static struct hash hash_of (const char *hex) {
    struct hash out;
    assert_int_equal (hash_parse (hex, &out), 0);
    return out;
}

static enum err text_of (struct buf *out, const json_t *document,
                         struct error *e) {
    struct hash dialogue = hash_of (DIALOGUE), version = hash_of (VERSION);
    return communique_text (out, &dialogue, &place, &version, document, e);
}

static struct identity *identity (const char *name) {
    uint8_t seed[KEY_SIZE];
    struct error e;
    memset (seed, name[0] + name[strlen (name) - 1], sizeof seed);
    bool root = strstr (name, "/root") != NULL;
    struct identity *out = identity_from_seed (
        root ? IDENTITY_ROOT : IDENTITY_DELEGATION, name, seed, &e);
    assert_non_null (out);
    return out;
}

static char *line_of (const char *name, const char *text) {
    struct buf line = { 0 };
    struct error e;
    struct identity *who = identity (name);
    assert_int_equal (communique_sign (who, slice_text (text), &line, &e), 0);
    identity_destroy (&who);
    return buf_take_text (&line);
}

/* Text */

static struct say *say_of (const json_t *document) {
    struct faults faults = { 0 };
    bool newer;
    struct say *out =
        say_read (&place, document, NULL, taxonomy, &faults, &newer);
    if (!out)
        fail_msg ("%s: %s", faults.at[0].pointer, faults.at[0].text);
    return out;
}

static void test_text (void **state) {
    (void) state;
    static const struct {
        const char *at, *value, *want;
    } rows[] = {
        { "/own", "5", TEXT },
        { "/rule", "'any'", TEXT }, /* no part of it */
        { "/paragraphs",
          "[{'id': 'P1', 'text': 'p'}, {'id': 'P2', 'text': {'fr': 'q'}}]",
          NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e;
        struct buf out = { 0 };
        json_t *document = json_of (BODY);
        json_edit (&document, rows[i].at, rows[i].value);
        struct say *say = say_of (document);
        buf_add_text (&out, "before");
        assert_int_equal (text_of (&out, document, &e), 0);
        char *text = buf_take_text (&out);
        if (rows[i].want)
            assert_string_equal (text, "before" TEXT);
        else {
            assert_non_null (strstr (text, "\n\nPlain\n\np\n\nq\n\nDecision"));
            assert_null (strstr (text, "== en =="));
        }
        free (text);
        say_free (&say);
        json_decref (document);
    }
}

/* A plain title is said again in each of 300 languages. */
static void test_long (void **state) {
    (void) state;
    struct error e;
    struct buf out = { 0 };
    json_t *document = json_of (BODY), *text = json_object();
    char title[4001], name[16];
    memset (title, 'x', sizeof title - 1);
    title[4000] = '\0';
    json_object_set_new (document, "title", json_string (title));
    json_object_set_new (text, "fr", json_string ("f"));
    for (int i = 0; i < 300; i++) {
        snprintf (name, sizeof name, "en-%d", i);
        json_object_set_new (text, name, json_string ("e"));
    }
    json_edit (&document, "/paragraphs", "[{'id': 'P1'}]");
    json_object_set_new (
        json_array_get (json_object_get (document, "paragraphs"), 0), "text",
        text);
    struct say *say = say_of (document);
    buf_add_text (&out, "before");
    assert_int_equal (text_of (&out, document, &e), ERR_LIMIT);
    assert_non_null (strstr (e.text, "1039167"));
    assert_true (slice_is (buf_slice (&out), "before"));
    json_edit (&document, "/title", "'short'");
    assert_int_equal (text_of (&out, document, &e), 0);
    buf_free (&out);
    say_free (&say);
    json_decref (document);
}

/* Signatures */

static void test_sign_refused (void **state) {
    (void) state;
    static const struct {
        const char *who, *text;
    } rows[] = {
        { "ABC/root", TEXT },
        { "ABC/hq", "" },
        { "ABC/hq", "parley/communique/2\n" DIALOGUE "\n" },
        { "ABC/hq", "parley/communique/1\n-\n" },
        { "ABC/hq", "parley/roster/1\n" DIALOGUE "\n" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf line = { 0 };
        struct error e;
        struct identity *who = identity (rows[i].who);
        assert_int_equal (
            communique_sign (who, slice_text (rows[i].text), &line, &e),
            ERR_RIGHT);
        assert_int_equal (line.size, 0);
        identity_destroy (&who);
    }
}

static void test_check (void **state) {
    (void) state;
    char *own = line_of ("ABC/hq", TEXT), *other = line_of ("XYZ/hq", TEXT);
    char *moved = line_of ("ABC/hq", TEXT "\nmore\n");
    char *changed = mem_copy_text (own);
    size_t near_end = strlen (own) - 6;
    changed[near_end] = own[near_end] == 'x' ? 'y' : 'x';
    struct buf both = { 0 }, empty = { 0 }, tail = { 0 };
    buf_add_format (&both, "%s\n%s", own, other);
    buf_add_format (&empty, "\n%s", own);
    buf_add_format (&tail, "%s ", own);
    char *two = buf_take_text (&both), *line_before = buf_take_text (&empty);
    char *blank = buf_take_text (&tail);
    const struct {
        const char *line, *who;
        int keys; /* 1: its own, 2: another's, 3: both, the other first */
        enum err want;
    } rows[] = {
        { own, "ABC/hq", 1, ERR_NONE },
        { own, "ABC/hq", 3, ERR_NONE },
        { own, "ABC/hq", 2, ERR_SIGNATURE },
        { own, "ABC/hq", 0, ERR_SIGNATURE },
        { own, "ABC/h", 1, ERR_SIGNATURE },
        { own, "XYZ/hq", 1, ERR_SIGNATURE },
        { other, "ABC/hq", 3, ERR_SIGNATURE },
        { moved, "ABC/hq", 1, ERR_SIGNATURE },
        { changed, "ABC/hq", 1, ERR_SIGNATURE },
        { two, "ABC/hq", 3, ERR_MALFORMED },
        { line_before, "ABC/hq", 1, ERR_MALFORMED },
        { blank, "ABC/hq", 1, ERR_MALFORMED },
        { own + 1, "ABC/hq", 1, ERR_MALFORMED },
        { own + 4, "ABC/hq", 1, ERR_MALFORMED },
        { "", "ABC/hq", 1, ERR_MALFORMED },
        { "\xe2\x80\x94 ABC/hq", "ABC/hq", 1, ERR_MALFORMED },
        { "\xe2\x80\x94 ABC/hq AAAA", "ABC/hq", 1, ERR_MALFORMED },
        { "\xe2\x80\x94 ABC/hq AAAAAAAA", "ABC/hq", 1, ERR_SIGNATURE },
        { "\xe2\x80\x94 ABC/hq \xff", "ABC/hq", 1, ERR_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t keys[2][KEY_SIZE];
        size_t count = 0;
        struct error e = { 0 };
        struct identity *who = identity ("ABC/hq"),
                        *else_ = identity ("XYZ/hq");
        if (rows[i].keys & 2)
            memcpy (keys[count++], identity_public (else_, KEY_NOTE), KEY_SIZE);
        if (rows[i].keys & 1)
            memcpy (keys[count++], identity_public (who, KEY_NOTE), KEY_SIZE);
        enum err rc =
            communique_check (slice_text (TEXT), rows[i].line, rows[i].who,
                              (const uint8_t (*)[KEY_SIZE]) keys, count, &e);
        if (rc != rows[i].want)
            fail_msg ("row %zu: %s: %s", i, error_name (rc), e.text);
        identity_destroy (&who);
        identity_destroy (&else_);
    }
    free (own), free (other), free (moved), free (changed), free (two);
    free (line_before), free (blank);
}

/* One that says the same key twice is no trouble. */
static void test_check_twice (void **state) {
    (void) state;
    struct error e;
    uint8_t keys[2][KEY_SIZE];
    char *line = line_of ("ABC/hq", TEXT);
    struct identity *who = identity ("ABC/hq");
    for (int i = 0; i < 2; i++)
        memcpy (keys[i], identity_public (who, KEY_NOTE), KEY_SIZE);
    assert_int_equal (communique_check (slice_text (TEXT), line, "ABC/hq",
                                        (const uint8_t (*)[KEY_SIZE]) keys, 2,
                                        &e),
                      0);
    identity_destroy (&who);
    free (line);
}

/* A thread of one version: what XYZ/hq and others say of it. */

enum { ABC_ADOPTS, XYZ_ADOPTS, ROOM_ADOPTS, QQ_OBJECTS, STANCES };
static struct {
    const char *author, *says, *reservation;
    enum stance_state state;
} said[STANCES] = {
    [ABC_ADOPTS] = { "ABC/hq", "adopt", NULL, STANCE_COUNTS },
    [XYZ_ADOPTS] = { "XYZ/hq", "adopt", "but <this>", STANCE_COUNTS },
    [ROOM_ADOPTS] = { "ROOM/hq", "adopt", NULL, STANCE_OBSERVER },
    [QQ_OBJECTS] = { "QQ/hq", "object", NULL, STANCE_COUNTS },
};

struct whole {
    struct thread_entry entries[STANCES + 1];
    struct thread_stance stances[STANCES];
    struct thread_party parties[STANCES];
    struct thread_version version;
    struct thread thread;
};

static void entry_make (struct thread_entry *out, const char *author,
                        int64_t sequence, const json_t *document) {
    out->origin.sequence = sequence;
    out->origin.log_time = INT64_C (1796000000000) + sequence;
    out->origin.id = hash_of (VERSION);
    strcpy (out->origin.author, author);
    strcpy (out->origin.channel, "all");
    out->say = say_of (document);
}

static void stance_make (struct whole *out, int i) {
    json_t *body = json_of ("{'format': 1, 'thread': 'ABC-x', 'does':"
                            " 'stance', 'version': '" VERSION "'}");
    json_object_set_new (body, "says", json_string (said[i].says));
    if (said[i].reservation)
        json_object_set_new (body, "reservation",
                             json_string (said[i].reservation));
    if (strcmp (said[i].says, "adopt") == 0) {
        char *line = line_of (said[i].author, TEXT);
        json_object_set_new (body, "signature", json_string (line));
        free (line);
    }
    entry_make (&out->entries[i + 1], said[i].author, 100 + i, body);
    json_decref (body);
    struct thread_stance *stance = &out->stances[i];
    *stance = (struct thread_stance){ .entry = &out->entries[i + 1],
                                      .state = said[i].state };
    origin_entity (stance->entity, &stance->entry->origin);
}

/* By entity: ABC, QQ, ROOM, XYZ. */
static void parties_make (struct whole *out) {
    static const int order[STANCES] = { ABC_ADOPTS, QQ_OBJECTS, ROOM_ADOPTS,
                                        XYZ_ADOPTS };
    for (int i = 0; i < STANCES; i++) {
        struct thread_party *party = &out->parties[i];
        size_t stance = (size_t) order[i];
        *party = (struct thread_party){ .member = order[i] != ROOM_ADOPTS,
                                        .proposer = order[i] == ABC_ADOPTS,
                                        .stance = stance,
                                        .newest = stance };
        strcpy (party->entity, out->stances[stance].entity);
    }
}

static void whole_make (struct whole *out, const json_t *document) {
    *out = (struct whole){ 0 };
    entry_make (&out->entries[0], "ABC/hq", 42, document);
    for (int i = 0; i < STANCES; i++)
        stance_make (out, i);
    parties_make (out);
    out->version =
        (struct thread_version){ .entry = &out->entries[0],
                                 .proposal = &out->entries[0].say->proposal,
                                 .number = 3,
                                 .party_count = STANCES,
                                 .parties = out->parties,
                                 .decided = 200,
                                 .until = 200 };
    out->thread = (struct thread){ .place = place,
                                   .version_count = 1,
                                   .versions = &out->version,
                                   .stance_count = STANCES,
                                   .stances = out->stances };
}

static void whole_free (struct whole *self) {
    for (int i = 0; i <= STANCES; i++)
        say_free (&self->entries[i].say);
}

static void test_note (void **state) {
    (void) state;
    struct whole whole;
    struct buf out = { 0 };
    struct error e;
    struct note note;
    bool good[2];
    json_t *document = json_of (BODY);
    whole_make (&whole, document);
    assert_int_equal (
        communique_note (&out, slice_text (TEXT), &whole.thread, 0, &e), 0);
    assert_int_equal (note_read (buf_slice (&out), &note, &e), 0);
    assert_true (slice_is (note.text, TEXT));
    assert_int_equal (note.count, 2); /* no observer, no objection */
    assert_true (slice_is (note.lines[0].name, "ABC/hq"));
    assert_true (slice_is (note.lines[1].name, "XYZ/hq"));
    struct identity *a = identity ("ABC/hq"), *b = identity ("XYZ/hq");
    const struct note_key keys[] = {
        { "ABC/hq", identity_public (a, KEY_NOTE) },
        { "XYZ/hq", identity_public (b, KEY_NOTE) },
    };
    assert_int_equal (note_verify (&note, keys, 2, good, &e), 0);
    assert_true (good[0] && good[1]);
    identity_destroy (&a);
    identity_destroy (&b);

    size_t size = out.size;
    whole.stances[ABC_ADOPTS].state = STANCE_TOO_LATE;
    whole.parties[3].stance = SIZE_MAX;
    assert_int_equal (
        communique_note (&out, slice_text (TEXT), &whole.thread, 0, &e),
        ERR_NOT_FOUND);
    assert_int_equal (out.size, size);
    buf_free (&out);
    whole_free (&whole);
    json_decref (document);
}

static void test_html (void **state) {
    (void) state;
    static const char *const needed[] = {
        "<b>Not adopted.</b> 3 bodies count: 2 adopted, 1 objected",
        "As of 2026-11-30T17:46:40Z",
        "TLP:AMBER",
        "version 3, record 42",
        "the binding text",
        "lang=\"en\">One &lt;two&gt;</p>",
        "lang=\"fr\">Un\ndeux</p>",
        "<td>D1</td>",
        "nur",
        "<td>24 December 2026, 09:00 (UTC)</td>",
        "not yet",
        "Adopted by",
        "<b>Reservation:</b> <span class=\"text\" dir=\"auto\">but "
        "&lt;this&gt;",
        "XYZ/hq",
        "record 101, 2026-11-30T00:53:20.101Z",
        "Not adopted by",
        "object<br>QQ/hq",
        "Observers, who are not counted",
        "ROOM/hq",
        "all/communique/ABC/ABC-x",
        VERSION,
        "(proposed it)",
        "30 November 2026, 17:00 (+01:00), that is 2026-11-30T16:00:00Z",
        "<td>record 200</td>",
        "<th>Rule</th><td>all</td>",
    };
    struct whole whole;
    struct buf out = { 0 };
    json_t *document = json_of (BODY);
    whole_make (&whole, document);
    communique_html (&out, &whole.thread, 0, document, INT64_C (1796060800000),
                     "en");
    char *page = buf_take_text (&out);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!strstr (page, needed[i]))
            fail_msg ("no '%s' in %s", needed[i], page);
    assert_null (strstr (page, "<two>"));
    assert_null (strstr (page, "<script"));
    assert_null (strstr (page, "<this>"));
    free (page);

    whole.parties[1].stance = whole.parties[1].newest = SIZE_MAX; /* QQ */
    whole.parties[3].stance = SIZE_MAX;                           /* XYZ */
    whole.stances[XYZ_ADOPTS].state = STANCE_TOO_LATE;
    whole.version.decided = whole.version.until = -1;
    communique_html (&out, &whole.thread, 0, document, INT64_C (1796000000000),
                     "en");
    page = buf_take_text (&out);
    assert_non_null (strstr (page, "<b>Not decided.</b>"));
    assert_non_null (strstr (page, "<b>QQ</b></td><td>said nothing</td>"));
    assert_non_null (strstr (page, "<td>adopt, not counted: too-late<br>"));
    assert_null (strstr (page, "Closed by"));
    free (page);
    whole_free (&whole);
    json_decref (document);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_text),         cmocka_unit_test (test_long),
        cmocka_unit_test (test_sign_refused), cmocka_unit_test (test_check),
        cmocka_unit_test (test_check_twice),  cmocka_unit_test (test_note),
        cmocka_unit_test (test_html),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
