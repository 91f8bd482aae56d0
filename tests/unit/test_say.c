/* say: THREADS.md sections 2 and 3. The verdicts are also compared with JSON
 * Schemas (tests/system/test_0860_thread_schema.py). */
#include "threads/say.h"

#include "json_edit.h"

#include <malloc.h>
#include <setjmp.h>

#include <cmocka.h>

static struct taxonomy *taxonomy;

#define M64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define M1 M64 "1"
#define M2 M64 "2"
#define HEAD "{'format': 1, 'thread': 'ABC-x', 'does': "
#define FILE_REF                                                               \
    "{'file': '0123456789abcdef0123456789abcdef', 'entity': 'ABC', 'name':"    \
    " 'map.pdf', 'size': 5, 'sha256': '" M1 "'}"

/* A good body of each. */
enum {
    ALIGN,
    COMMUNIQUE,
    MEETING,
    CONSULTATION,
    PRACTICE,
    NOTICE,
    CAPABILITY,
    REQUEST,
    SUGGEST,
    STANCE,
    ADOPT,
    ANSWER,
    COMMENT,
    CONTRIBUTION,
    DONE,
    UNDONE,
    ATTENDANCE,
    CLOSE,
    SUMMARY,
    WITHDRAW,
    GOODS
};
static const struct {
    const char *kind, *body;
} good[GOODS] = {
    [ALIGN] = { "align", HEAD
                "'propose', 'title': 'One raid', 'text': {'en': 'e', 'fr':"
                " 'f'}, 'invited': ['XYZ', 'EUROPOL'], 'deadline': "
                "'2026-11-30T17:00:00+01:00', 'rule': 'silence', 'about':"
                " [{'ref': 'ABC-p#A1', 'of': 7}, {'ref': 'XYZ-q'}], 'type':"
                " 'joint', 'undertakings': [{'id': 'U1', 'who': 'ABC',"
                " 'what': 'lead', 'by': '2026-12-24', 'action': 'ABC-p#A1',"
                " 'shows': 'named'}, {'id': 'U2', 'who': 'XYZ', 'what':"
                " 'join'}], 'takes_up': ['" M1 "', '" M2 "'], 'priorities':"
                " ['cybercrime'], 'regions': ['EU', '002'], 'handling':"
                " 'TLP:AMBER', 'function': 'desk', 'attachments': [" FILE_REF
                "]}" },
    [COMMUNIQUE] = { "communique", HEAD
                     "'propose', 'title': {'fr': 'Un', 'en': 'One'},"
                     " 'invited': ['XYZ'], 'binding': 'fr', 'paragraphs':"
                     " [{'id': 'P1', 'text': {'en': 'e', 'fr': 'f\\nf'}},"
                     " {'id': 'P2', 'text': {'fr': 'f', 'en': 'e'}}],"
                     " 'decisions': [{'id': 'D1', 'text': 't', 'owner':"
                     " 'QQ', 'by': '2026-12-24'}, {'id': 'D2', 'text':"
                     " 't'}], 'minutes_of': 'XYZ-m', 'undertakings': [{'id':"
                     " 'U1', 'who': 'XYZ', 'what': 'w'}]}" },
    [MEETING] = { "meeting", HEAD
                  "'propose', 'title': 't', 'invited': ['XYZ'], 'from':"
                  " '2026-11-30T09:00:00+01:00', 'to':"
                  " '2026-11-30T08:00:00Z', 'zone': 'Europe/Brussels',"
                  " 'place': {'fr': 'Lyon', 'en': 'Lyons'}, 'series': 'wg-1',"
                  " 'edition': 9999, 'agenda': [{'id': 'A', 'title': 'a',"
                  " 'text': 't', 'entity': 'ABC'}, {'id': 'B', 'title':"
                  " 'b'}]}" },
    [CONSULTATION] = { "consultation",
                       HEAD "'propose', 'title': 't', 'text': 'why?'}" },
    [PRACTICE] = { "practice", HEAD "'propose', 'title': 't', 'text': 'so'}" },
    [NOTICE] = { "notice", HEAD "'propose', 'title': 't', 'text': 'n',"
                                " 'deadline': '2026-12-24'}" },
    [CAPABILITY] = { "capability",
                     HEAD "'propose', 'title': 't', 'text': 'n', 'type':"
                          " 'biometrics', 'offered_to': ['XYZ'], 'conditions':"
                          " 'ask', 'contact': 'desk'}" },
    [REQUEST] = { "request", HEAD "'propose', 'title': 't', 'text': 'n',"
                                  " 'invited': ['XYZ'], 'capability':"
                                  " 'XYZ-c'}" },
    [SUGGEST] = { "communique",
                  HEAD "'suggest', 'version': '" M1 "', 'text': 't',"
                       " 'paragraph': 'P1', 'put': {'fr': 'p'}}" },
    [STANCE] = { "align", HEAD "'stance', 'version': '" M1 "', 'says':"
                               " 'endorse', 'reservation': {'fr': 'sauf',"
                               " 'en': 'but'}, 'text': 'yes'}" },
    [ADOPT] = { "communique", HEAD "'stance', 'version': '" M1 "', 'says':"
                                   " 'adopt', 'signature': '— XYZ/hq A='}" },
    [ANSWER] = { "meeting", HEAD "'stance', 'version': '" M1 "', 'says':"
                                 " 'in-writing', 'represented_by': 'QQ'}" },
    [COMMENT] = { "notice", HEAD "'comment', 'text': 't'}" },
    [CONTRIBUTION] = { "meeting", HEAD "'contribution', 'title': 't', 'text':"
                                       " 'x'}" },
    [DONE] = { "request", HEAD "'done', 'undertaking': 'U1', 'day':"
                               " '2026-12-24', 'text': 't'}" },
    [UNDONE] = { "align", HEAD "'done', 'undertaking': 'U1', 'undone':"
                               " true}" },
    [ATTENDANCE] = { "meeting", HEAD "'attendance', 'present': [{'entity':"
                                     " 'XYZ', 'represented_by': 'QQ', 'text':"
                                     " 'late'}, {'entity': 'ABC'}]}" },
    [CLOSE] = { "align", HEAD "'close', 'version': '" M1 "', 'outcome':"
                              " 'not-agreed', 'stances': {'XYZ': '" M2
                              "', 'EUROPOL': '" M1 "'}}" },
    [SUMMARY] = { "consultation", HEAD "'close', 'version': '" M1
                                       "', 'outcome': 'closed', 'stances': {},"
                                       " 'text': 'so'}" },
    [WITHDRAW] = { "notice", HEAD "'withdraw', 'reason': {'en': 'over'}}" },
};

static struct thread_place place_of (int which) {
    struct thread_place out = { .channel = "all",
                                .entity = "ABC",
                                .id = "ABC-x" };
    assert_true (thread_kind_read (slice_text (good[which].kind), &out.kind));
    return out;
}

static struct say *read_as (int which, const json_t *body, const char *author,
                            struct faults *faults, bool *newer) {
    struct thread_place place = place_of (which);
    struct say *out = say_read (&place, body, author, taxonomy, faults, newer);
    assert_true (!out == (faults->count > 0 || *newer));
    return out;
}

static void test_refused (void **state) {
    (void) state;
    static const struct {
        int of;
        const char *at, *value, *pointer, *says; /* pointer NULL: still good */
    } rows[] = {
        /* head */
        { ALIGN, "", "[]", "", "an object" },
        { ALIGN, "/format", NULL, "", "has no 'format'" },
        { ALIGN, "/format", "0", "/format", "has to be 1" },
        { ALIGN, "/thread", NULL, "", "has no 'thread'" },
        { ALIGN, "/thread", "'ABC-y'", "/thread", "the topic says 'ABC-x'" },
        { ALIGN, "/does", NULL, "", "has no 'does'" },
        { ALIGN, "/does", "'agree'", "/does", "propose, suggest, stance" },
        { ALIGN, "/does", "5", "/does", "text" },
        { ALIGN, "/does", "'attendance'", "/does",
          "which an alignment does not know" },
        { NOTICE, "/does", "'stance'", "/does", "which a notice does not" },
        { NOTICE, "/does", "'close'", "/does", "does not know" },
        { PRACTICE, "/does", "'done'", "/does", "does not know" },
        { COMMENT, "/function", "'f'", NULL, "" },
        { COMMENT, "/function", "{'en': 'f'}", "/function", "text" },
        { COMMENT, "/attachments", "[]", NULL, "" },
        { COMMENT, "/attachments", "[5]", "/attachments/0", "an object" },
        { ALIGN, "/attachments/0/size", NULL, "/attachments/0",
          "has no 'size'" },
        { ALIGN, "/attachments/0/sha256", "'" M2 "'", NULL, "" },
        /* who is in section 3's table, for which kind */
        { ALIGN, "/title", NULL, "", "has no 'title'" },
        { ALIGN, "/text", NULL, NULL, "" },
        { ALIGN, "/invited", NULL, "", "has no 'invited'" },
        { ALIGN, "/rule", NULL, "", "has no 'rule'" },
        { ALIGN, "/about", NULL, "", "has no 'about'" },
        { ALIGN, "/about", "[]", NULL, "" },
        { ALIGN, "/type", NULL, "", "has no 'type'" },
        { ALIGN, "/type", "'database'", "/type", "joint, deconflict" },
        { ALIGN, "/decisions", "[]", "/decisions",
          "has no place in a 'propose' of an alignment" },
        { ALIGN, "/paragraphs", "[]", "/paragraphs", "no place" },
        { ALIGN, "/capability", "'ABC-c'", "/capability", "no place" },
        { ALIGN, "/own", "5", NULL, "" },
        { COMMUNIQUE, "/binding", NULL, "", "has no 'binding'" },
        { COMMUNIQUE, "/paragraphs", NULL, "", "has no 'paragraphs'" },
        { COMMUNIQUE, "/type", "'joint'", "/type", "of a communique" },
        { COMMUNIQUE, "/rule", "'majority'", NULL, "" },
        { COMMUNIQUE, "/rule", "'most'", "/rule", "all, majority" },
        { MEETING, "/zone", NULL, "", "has no 'zone'" },
        { MEETING, "/from", NULL, "", "has no 'from'" },
        { MEETING, "/place", NULL, "", "has no 'place'" },
        { MEETING, "/rule", "'all'", "/rule", "of a meeting" },
        { MEETING, "/deadline", "'2026-11-01'", NULL, "" },
        { CONSULTATION, "/text", NULL, "", "has no 'text'" },
        { CONSULTATION, "/invited", "['XYZ']", NULL, "" },
        { CONSULTATION, "/undertakings", "[]", "/undertakings", "no place" },
        { PRACTICE, "/deadline", "'2026-11-01'", "/deadline",
          "of a good practice" },
        { PRACTICE, "/invited", "['XYZ']", "/invited", "no place" },
        { NOTICE, "/invited", "['XYZ']", "/invited", "of a notice" },
        { CAPABILITY, "/type", NULL, "", "has no 'type'" },
        { CAPABILITY, "/type", "'joint'", "/type", "database, biometrics" },
        { CAPABILITY, "/offered_to", "['XYZ', 'XYZ']", "/offered_to/1",
          "already" },
        { REQUEST, "/type", "'joint'", "/type", "of a request for support" },
        { REQUEST, "/rule", "'any'", "/rule", "no place" },
        { REQUEST, "/capability", "'c'", "/capability", "plan's id" },
        { REQUEST, "/offered_to", "[]", "/offered_to", "no place" },
        /* its bullets */
        { ALIGN, "/invited", "[]", "/invited", "at least one" },
        { ALIGN, "/invited/1", "'XYZ'", "/invited/1", "stands at 0 already" },
        { ALIGN, "/invited/1", "'ABC'", "/invited/1", "which proposes" },
        { ALIGN, "/invited/1", "'abc'", "/invited/1", "no entity" },
        { ALIGN, "/deadline", NULL, "/rule", "needs a 'deadline'" },
        { ALIGN, "/deadline", "'2026-11-31'", "/deadline", "is no day" },
        { ALIGN, "/deadline", "'2026-11'", "/deadline", "is no instant" },
        { ALIGN, "/about/0/ref", "'ABC'", "/about/0/ref", "no reference" },
        { ALIGN, "/about/0/ref", NULL, "/about/0", "has no 'ref'" },
        { ALIGN, "/about/0/of", "-1", "/about/0/of", "0 to" },
        { ALIGN, "/undertakings/1/who", "'QQ'", "/undertakings/1/who",
          "neither proposes nor is invited" },
        { ALIGN, "/undertakings/1/id", "'U1'", "/undertakings/1/id",
          "is the id of /undertakings/0 already" },
        { ALIGN, "/undertakings/0/action", NULL, "/undertakings/0",
          "no 'action'" },
        { ALIGN, "/undertakings/0/shows", NULL, NULL, "" },
        { ALIGN, "/undertakings/0/action", "'ABC-p'", "/undertakings/0/action",
          "PLAN-ID#ACTION-ID" },
        { ALIGN, "/undertakings/0/shows", "'gone'", "/undertakings/0/shows",
          "done, cancelled, named" },
        { ALIGN, "/takes_up/1", "'" M1 "'", "/takes_up/1", "already" },
        { ALIGN, "/takes_up/1", "'x'", "/takes_up/1", "message's id" },
        { ALIGN, "/priorities", "['x']", "/priorities/0", "no priority" },
        { ALIGN, "/regions", "['Mars']", "/regions/0", "no country" },
        { ALIGN, "/handling", "'secret'", "/handling", "TLP:CLEAR" },
        { COMMUNIQUE, "/paragraphs", "[]", "/paragraphs", "at least one" },
        { COMMUNIQUE, "/paragraphs/1/id", "'P1'", "/paragraphs/1/id",
          "already" },
        { COMMUNIQUE, "/binding", "'F'", "/binding", "is no language" },
        { COMMUNIQUE, "/binding", "'de'", "/paragraphs/0/text",
          "not in 'de', which is binding" },
        { COMMUNIQUE, "/paragraphs/1/text/en", NULL, "/paragraphs/1/text",
          "is not in 'en', as the first paragraph is" },
        { COMMUNIQUE, "/paragraphs/1/text/de", "'d'", "/paragraphs/1/text",
          "is in 'de', and the first paragraph is not" },
        { COMMUNIQUE, "/paragraphs/1/text", "'plain'", "/paragraphs/1/text",
          "is not in 'en'" },
        { COMMUNIQUE, "/paragraphs/0/text", "'plain'", "/paragraphs/1/text",
          "is in 'en'" },
        { COMMUNIQUE, "/paragraphs/1/text/fr", "'f\\n'",
          "/paragraphs/1/text/fr", "line feed (U+000A) at an end" },
        { COMMUNIQUE, "/paragraphs/1/text/fr", "'\\nf'",
          "/paragraphs/1/text/fr", "at an end" },
        { COMMUNIQUE, "/paragraphs/1/text/fr", "''", "/paragraphs/1/text/fr",
          "is empty" },
        { COMMUNIQUE, "/paragraphs/1/text/fr", "'a\\tb'",
          "/paragraphs/1/text/fr", "U+0009" },
        { COMMUNIQUE, "/title", "'a\\u007fb'", "/title", "U+007F" },
        { COMMUNIQUE, "/title", "'a\\u0085b'", "/title", "U+0085" },
        { COMMUNIQUE, "/title", "'a\\u00a0b\\u00c2'", NULL, "" },
        { COMMUNIQUE, "/title", "{'en': 'only'}", NULL, "" },
        { COMMUNIQUE, "/text", "'a\\r'", "/text", "U+000D" },
        { COMMUNIQUE, "/decisions/0/text", "'\\n'", "/decisions/0/text",
          "at an end" },
        { COMMUNIQUE, "/decisions/1/id", "'D1'", "/decisions/1/id", "already" },
        { COMMUNIQUE, "/decisions/0/owner", "'x'", "/decisions/0/owner",
          "no entity" },
        { COMMUNIQUE, "/undertakings/0/what", "''", "/undertakings/0/what",
          "is empty" },
        { COMMUNIQUE, "/minutes_of", "'m'", "/minutes_of", "plan's id" },
        { MEETING, "/to", "'2026-11-30T07:59:59Z'", "/to", "before 'from'" },
        { MEETING, "/zone", "'Europe//Brussels'", "/zone", "no time zone" },
        { MEETING, "/zone", "'1/2'", "/zone", "no time zone" },
        { MEETING, "/zone", "'a/b/c/d'", "/zone", "no time zone" },
        { MEETING, "/zone", "'Etc/GMT+1'", NULL, "" },
        { MEETING, "/zone", "'America/Argentina/La_Rioja'", NULL, "" },
        { MEETING, "/series", "'WG'", "/series", "no series" },
        { MEETING, "/series", "''", "/series", "no series" },
        { MEETING, "/edition", "0", "/edition", "1 to 9999" },
        { MEETING, "/edition", "10000", "/edition", "1 to 9999" },
        { MEETING, "/agenda/1/id", "'A'", "/agenda/1/id", "already" },
        { MEETING, "/agenda/1/title", NULL, "/agenda/1", "has no 'title'" },
        /* other verbs */
        { SUGGEST, "/version", NULL, "", "has no 'version'" },
        { SUGGEST, "/version", "'" M64 "G'", "/version", "message's id" },
        { SUGGEST, "/text", NULL, "", "has no 'text'" },
        { SUGGEST, "/paragraph", "'1'", "/paragraph", "no id" },
        { STANCE, "/says", NULL, "", "has no 'says'" },
        { STANCE, "/says", "'adopt'", "/says", "endorse, object, abstain" },
        { STANCE, "/says", "5", "/says", "text" },
        { STANCE, "/signature", "'x'", "/signature", "no place" },
        { STANCE, "/represented_by", "'QQ'", "/represented_by", "no place" },
        { STANCE, "/reservation", "5", "/reservation", "text" },
        { ADOPT, "/signature", NULL, "", "no 'signature'" },
        { ADOPT, "/says", "'object'", "/signature", "only a stance" },
        { ANSWER, "/says", "'maybe'", "/says", "yes, no, in-writing" },
        { ANSWER, "/represented_by", "'x'", "/represented_by", "no entity" },
        { COMMENT, "/text", NULL, "", "has no 'text'" },
        { COMMENT, "/text", "{'X': 't'}", "/text/X", "no language" },
        { CONTRIBUTION, "/title", NULL, "", "has no 'title'" },
        { CONTRIBUTION, "/text", NULL, "", "has no 'text'" },
        { DONE, "/undertaking", NULL, "", "has no 'undertaking'" },
        { DONE, "/day", NULL, "", "neither 'day' nor 'undone'" },
        { DONE, "/undone", "true", "", "has 'day' and 'undone'" },
        { DONE, "/day", "'2026-12'", "/day", "YYYY-MM-DD" },
        { DONE, "/day", "'2026-12-32'", "/day", "is no day" },
        { UNDONE, "/undone", "false", "/undone", "has to be true" },
        { ATTENDANCE, "/present", NULL, "", "has no 'present'" },
        { ATTENDANCE, "/present/1/entity", "'XYZ'", "/present/1/entity",
          "is named already" },
        { ATTENDANCE, "/present", "[]", NULL, "" },
        { CLOSE, "/outcome", "'closed'", "/outcome",
          "'agreed' or 'not-agreed'" },
        { CLOSE, "/outcome", "'fine'", "/outcome", "one of" },
        { CLOSE, "/stances", NULL, "", "has no 'stances'" },
        { CLOSE, "/stances/xyz", "'" M1 "'", "/stances/xyz", "no entity" },
        { CLOSE, "/stances/XYZ", "5", "/stances/XYZ", "text" },
        { SUMMARY, "/outcome", "'agreed'", "/outcome", "'closed' here" },
        { WITHDRAW, "/reason", NULL, "", "has no 'reason'" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct faults faults = { 0 };
        bool newer;
        json_t *body = json_of (good[rows[i].of].body);
        json_edit (&body, rows[i].at, rows[i].value);
        struct say *say = read_as (rows[i].of, body, NULL, &faults, &newer);
        if (!rows[i].pointer != (faults.count == 0))
            fail_msg ("%d %s = %s: %s: %s", rows[i].of, rows[i].at,
                      rows[i].value, faults.count ? faults.at[0].pointer : "",
                      faults.count ? faults.at[0].text : "taken");
        if (rows[i].pointer
            && (strcmp (faults.at[0].pointer, rows[i].pointer) != 0
                || !strstr (faults.at[0].text, rows[i].says)))
            fail_msg ("%d %s = %s: '%s: %s'", rows[i].of, rows[i].at,
                      rows[i].value, faults.at[0].pointer, faults.at[0].text);
        say_free (&say);
        faults_clear (&faults);
        json_decref (body);
    }
}

/* Lists at their limits, and one beyond. */
static void test_limits (void **state) {
    (void) state;
    static const struct {
        int of;
        const char *at, *item; /* with the number in it */
        int max;
    } rows[] = {
        { ALIGN, "/invited", "'XY%d'", 64 },
        { COMMUNIQUE, "/invited", "'XY%d'", 63 },
        { ALIGN, "/about", "{'ref': 'ABC-p%d'}", 64 },
        { ALIGN, "/takes_up", "'%064d'", 64 },
        { REQUEST, "/undertakings", "{'id': 'U%d', 'who': 'XYZ', 'what': 'w'}",
          64 },
        { COMMUNIQUE, "/decisions", "{'id': 'D%d', 'text': 't'}", 100 },
        { COMMUNIQUE, "/paragraphs",
          "{'id': 'P%d', 'text': {'en': 'e', 'fr': 'f'}}", 200 },
        { MEETING, "/agenda", "{'id': 'A%d', 'title': 't'}", 100 },
        { ATTENDANCE, "/present", "{'entity': 'XY%d'}", 128 },
        { CAPABILITY, "/offered_to", "'XY%d'", 64 },
        { COMMENT, "/attachments",
          "{'file': '0123456789abcdef0123456789abcdef', 'entity': 'XY%d',"
          " 'name': 'a', 'size': 5, 'sha256': '" M1 "'}",
          32 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *body = json_of (good[rows[i].of].body), *list = json_array();
        json_object_del (body, "undertakings");
        for (int n = 0; n <= rows[i].max; n++) {
            char item[300];
            bool newer;
            struct faults faults = { 0 };
            /* The format is one of the table's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf (item, sizeof item, rows[i].item, n + 10);
#pragma GCC diagnostic pop
            json_array_append_new (list, json_of (item));
            json_object_set (body, rows[i].at + 1, list);
            if (n + 2 < rows[i].max)
                continue;
            struct say *say = read_as (rows[i].of, body, NULL, &faults, &newer);
            if (!say != (n == rows[i].max)
                || (!say && !strstr (faults.at[0].text, "entries, at most")))
                fail_msg ("%s: %d: %s", rows[i].at, n + 1,
                          say ? "taken" : faults.at[0].text);
            say_free (&say);
            faults_clear (&faults);
        }
        json_decref (list);
        json_decref (body);
    }
}

/* Section 2's "who", as far as it is the proposer. */
static void test_author (void **state) {
    (void) state;
    for (int i = 0; i < GOODS; i++) {
        bool newer;
        struct faults faults = { 0 };
        json_t *body = json_of (good[i].body);
        struct say *own = read_as (i, body, "ABC", &faults, &newer);
        assert_non_null (own);
        bool alone = thread_does_is_proposers (own->does);
        struct say *other = read_as (i, body, "ABCD", &faults, &newer);
        assert_int_equal (!other, alone);
        if (alone) {
            assert_string_equal (faults.at[0].pointer, "/does");
            assert_non_null (strstr (faults.at[0].text, "only ABC may"));
        }
        faults_clear (&faults);
        say_free (&own);
        say_free (&other);
        json_decref (body);
    }
}

/* A higher format is no fault, whatever else it has; members that we do not know
 * are none either. */
static void test_newer (void **state) {
    (void) state;
    for (int i = 0; i < GOODS; i++) {
        bool newer;
        struct faults faults = { 0 };
        json_t *body = json_of (good[i].body);
        json_edit (&body, "/else", "{'a': [1]}");
        struct say *say = read_as (i, body, NULL, &faults, &newer);
        if (!say)
            fail_msg ("%d: %s: %s", i, faults.at[0].pointer, faults.at[0].text);
        say_free (&say);
        say_free (&say);
        json_edit (&body, "/format", "2");
        json_edit (&body, "/does", "[]");
        assert_null (read_as (i, body, "QQ", &faults, &newer));
        assert_true (newer);
        json_decref (body);
    }
}

static struct say *read_good (int which) {
    bool newer;
    struct faults faults = { 0 };
    json_t *body = json_of (good[which].body);
    struct say *out = read_as (which, body, "ABC", &faults, &newer);
    assert_non_null (out);
    json_decref (body); /* nothing of it is borrowed */
    return out;
}

static void assert_hash (const struct hash *hash, const char *want) {
    char hex[HASH_TEXT_MAX];
    assert_string_equal (hash_text (hex, hash), want);
}

static void test_align (void **state) {
    (void) state;
    struct say *say = read_good (ALIGN);
    const struct proposal *p = &say->proposal;
    assert_int_equal (say->does, DOES_PROPOSE);
    assert_string_equal (say->function, "desk");
    assert_string_equal (text_in (&p->title, "en"), "One raid");
    assert_string_equal (p->type, "joint");
    assert_string_equal (p->handling, "TLP:AMBER");
    assert_int_equal (p->invited.count, 2);
    assert_string_equal (p->invited.at[0], "XYZ");
    assert_true (p->has_deadline);
    assert_string_equal (p->deadline.text, "2026-11-30T17:00:00+01:00");
    assert_int_equal (p->rule, RULE_SILENCE);
    assert_int_equal (p->about_count, 2);
    assert_string_equal (p->about[0].ref, "ABC-p#A1");
    assert_int_equal (p->about[0].of, 7);
    assert_int_equal (p->about[1].of, -1);
    assert_int_equal (p->undertaking_count, 2);
    assert_string_equal (p->undertakings[0].action, "ABC-p#A1");
    assert_int_equal (p->undertakings[0].shows, SHOWS_NAMED);
    assert_true (p->undertakings[0].has_by && p->undertakings[0].by.is_date);
    assert_string_equal (p->undertakings[1].action, "");
    assert_string_equal (p->undertakings[1].who, "XYZ");
    assert_string_equal (text_in (&p->undertakings[1].what, ""), "join");
    assert_int_equal (p->undertakings[1].shows, SHOWS_NOTHING);
    assert_false (p->undertakings[1].has_by);
    assert_int_equal (p->priorities.count, 1);
    assert_int_equal (p->regions.count, 2);
    assert_int_equal (p->takes_up.count, 2);
    assert_hash (&p->takes_up.at[1], M2);
    assert_string_equal (p->series, "");
    assert_string_equal (p->binding, "");
    say_free (&say);
}

static void test_proposals (void **state) {
    (void) state;
    struct say *say = read_good (COMMUNIQUE);
    const struct proposal *p = &say->proposal;
    assert_string_equal (p->binding, "fr");
    assert_string_equal (text_in (&p->title, "de"), "Un"); /* binding first */
    assert_int_equal (p->rule, RULE_ALL);
    assert_int_equal (p->paragraph_count, 2);
    assert_string_equal (p->minutes_of, "XYZ-m");
    assert_string_equal (p->decisions[0].owner, "QQ");
    assert_true (p->decisions[0].has_by);
    assert_string_equal (p->decisions[1].owner, "");
    assert_false (p->decisions[1].has_by);
    assert_string_equal (p->decisions[1].text.at[0].lang, "fr");
    say_free (&say);

    say = read_good (MEETING);
    p = &say->proposal;
    assert_int_equal (p->rule, RULE_WITHOUT);
    assert_int_equal (p->from.ms, p->to.ms);
    assert_string_equal (p->zone, "Europe/Brussels");
    assert_string_equal (text_in (&p->place, "fr"), "Lyon");
    assert_string_equal (p->series, "wg-1");
    assert_int_equal (p->edition, 9999);
    assert_int_equal (p->agenda_count, 2);
    assert_string_equal (p->agenda[0].entity, "ABC");
    assert_string_equal (p->agenda[1].entity, "");
    assert_string_equal (text_in (&p->agenda[1].title, ""), "b");
    say_free (&say);

    say = read_good (CAPABILITY);
    assert_string_equal (say->proposal.type, "biometrics");
    assert_string_equal (say->proposal.offered_to.at[0], "XYZ");
    say_free (&say);
    say = read_good (REQUEST);
    assert_string_equal (say->proposal.capability, "XYZ-c");
    assert_int_equal (say->proposal.rule, RULE_ANY);
    say_free (&say);
}

static void test_verbs (void **state) {
    (void) state;
    struct say *say = read_good (SUGGEST);
    assert_hash (&say->suggestion.version, M1);
    assert_string_equal (say->suggestion.paragraph, "P1");
    say_free (&say);

    say = read_good (STANCE);
    assert_hash (&say->stance.version, M1);
    assert_int_equal (say->stance.says, THREAD_FOR);
    assert_string_equal (text_in (&say->stance.reservation, "fr"), "sauf");
    assert_string_equal (text_in (&say->stance.text, "fr"), "yes");
    assert_string_equal (say->stance.signature, "");
    say_free (&say);
    say = read_good (ADOPT);
    assert_string_equal (say->stance.signature, "— XYZ/hq A=");
    assert_int_equal (say->stance.reservation.count, 0);
    say_free (&say);
    say = read_good (ANSWER);
    assert_int_equal (say->stance.says, THREAD_NEITHER);
    assert_string_equal (say->stance.represented_by, "QQ");
    say_free (&say);

    say = read_good (COMMENT);
    assert_int_equal (say->does, DOES_COMMENT);
    assert_string_equal (say->function, "");
    say_free (&say);
    say = read_good (CONTRIBUTION);
    assert_string_equal (text_in (&say->title, ""), "t");
    say_free (&say);
    say = read_good (WITHDRAW);
    assert_string_equal (text_in (&say->reason, ""), "over");
    say_free (&say);

    say = read_good (DONE);
    assert_string_equal (say->done.undertaking, "U1");
    assert_false (say->done.undone);
    assert_int_equal (say->done.day.precision, PRECISION_DAY);
    say_free (&say);
    say = read_good (UNDONE);
    assert_true (say->done.undone);
    say_free (&say);

    say = read_good (ATTENDANCE);
    assert_int_equal (say->attendance.count, 2);
    assert_string_equal (say->attendance.at[0].represented_by, "QQ");
    assert_string_equal (say->attendance.at[1].represented_by, "");
    assert_string_equal (text_in (&say->attendance.at[0].text, ""), "late");
    say_free (&say);

    say = read_good (CLOSE);
    assert_hash (&say->closing.version, M1);
    assert_int_equal (say->closing.outcome, OUTCOME_NOT_AGREED);
    assert_int_equal (say->closing.stances.count, 2);
    assert_string_equal (say->closing.entities.at[0], "EUROPOL");
    assert_hash (&say->closing.stances.at[0], M1);
    assert_hash (&say->closing.stances.at[1], M2);
    say_free (&say);
    say = read_good (SUMMARY);
    assert_int_equal (say->closing.outcome, OUTCOME_CLOSED);
    assert_int_equal (say->closing.stances.count, 0);
    say_free (&say);
}

/* Hostile: as large as a body may be, and judged at once. */
static void test_large (void **state) {
    (void) state;
    static const struct {
        int of;
        const char *at, *item;
        size_t count;
    } rows[] = {
        { ALIGN, "/invited", "'XYZ'", 60000 },
        { ALIGN, "/undertakings", "{}", 130000 },
        { ALIGN, "/about", "{'ref': 'ABC-p'}", 12000 },
        { COMMUNIQUE, "/paragraphs", "{'id': 'P1', 'text': 't'}", 12000 },
        { COMMUNIQUE, "/paragraphs", "{'id': 'P1', 'text': {}}", 12000 },
        { ATTENDANCE, "/present", "{'entity': 'XYZ'}", 16000 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool newer;
        struct faults faults = { 0 };
        json_t *body = json_of (good[rows[i].of].body), *list = json_array();
        json_t *item = json_of (rows[i].item);
        for (size_t n = 0; n < rows[i].count; n++)
            json_array_append (list, item);
        json_object_set_new (body, rows[i].at + 1, list);
        assert_null (read_as (rows[i].of, body, NULL, &faults, &newer));
        assert_true (faults.kept <= FAULTS_MAX);
        faults_clear (&faults);
        json_decref (item);
        json_decref (body);
    }
}

/* 250,000 stances stand in memory: each takes little. */
static void test_memory (void **state) {
    (void) state;
    static const int which[] = { COMMENT, STANCE, UNDONE };
    enum { COUNT = 1000 };
    static struct say *says[COUNT];
    for (size_t k = 0; k < sizeof which / sizeof *which; k++) {
        bool newer;
        struct faults faults = { 0 };
        json_t *body = json_of (good[which[k]].body);
        size_t before = mallinfo2().uordblks;
        for (size_t i = 0; i < COUNT; i++)
            says[i] = read_as (which[k], body, NULL, &faults, &newer);
        size_t each = (mallinfo2().uordblks - before) / COUNT;
        if (each > 512) /* 0 under a sanitizer */
            fail_msg ("%d: %zu octets", which[k], each);
        print_message ("%s: %zu octets\n", thread_does_name (says[0]->does),
                       each);
        for (size_t i = 0; i < COUNT; i++)
            say_free (&says[i]);
        json_decref (body);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused), cmocka_unit_test (test_limits),
        cmocka_unit_test (test_author),  cmocka_unit_test (test_newer),
        cmocka_unit_test (test_align),   cmocka_unit_test (test_proposals),
        cmocka_unit_test (test_verbs),   cmocka_unit_test (test_large),
        cmocka_unit_test (test_memory),
    };
    taxonomy = taxonomy_base();
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    taxonomy_unref (&taxonomy);
    return failed;
}
