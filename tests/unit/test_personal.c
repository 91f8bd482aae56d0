/* personal: what looks like somebody's data, and above all what does not. */
#include "plans/personal.h"

#include "base/buf.h"

#include <glob.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void find (const char *text, struct personal *out) {
    json_t *document = json_pack ("{ss}", "title", text);
    assert_non_null (document);
    memset (out, 0, sizeof *out);
    personal_find (document, out);
    json_decref (document);
}

static void test_nothing (void **state) {
    (void) state;
    static const char *const rows[] = {
        "",
        "+",
        "@",
        "FLASH-PACT, FLASH-WEKA, Serengeti, Neptune VI, Turquesa V",
        "Mobile 6 (2025-2026)",
        "Operation Mobile 6, phone: 2020-2025",
        "Operation NEPTUNE (12.05.1999)",
        "Schengen Convention (19.06.1990)",
        "Project EMPACT 12.05.1999",
        "I-24/7, INTERPOL's network; EU-27; G7; ISO 9001:2015",
        "01.02.2026 - 03.04.2026",
        "01/02/2026-03/04/2026",
        "2026-04-03, 2026-04-03 to 2027-04-03",
        "EUR 1 200 000 000; +200 000 000; +40 000 officers",
        "SWD(2023) 92 final, COM(2021) 170, A/RES/55/25",
        "Regulation (EU) 2018/1862, OJ L 312, 7.12.2018, p. 56",
        "passports: 120000 checked; 1200000 passports",
        "lost passport 2025-2030",
        "passport control 2026; biometric passport 2026",
        "registration number 2025; plates 2025; number plate readers",
        "vehicle registration EU 2025",
        "Vehicle registration data of 27 countries",
        "born digital 2025; the strategy was born in 2004",
        "@EUROPOL+INTERPOL is a channel, @ is no address, a@b neither",
        "https://example.org/0044-20-7946-0000/a@b.example?x=AB-123-CD",
        "www.example.org/+4420794600001",
        "INTERPOL-2030, ref. 00123, case 4711-0815, 000000",
        "AB12 CDEF 1234 5678 9012", /* no checksum */
        "DE89 3704 0044 0532 0130 01",
        "nato 12.05.2026? no: NATO summit",
        "10 000 000 000 (ten thousand million)",
        "32 countries, 7 regions, 1980 to 2020",
        "\xd8\xb9\xd9\x85\xd9\x84\xd9\x8a\xd8\xa9 2026",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct personal got;
        find (rows[i], &got);
        if (got.count)
            fail_msg ("'%s': %s '%s'", rows[i],
                      personal_kind_name (got.at[0].kind), got.at[0].excerpt);
    }
}

static void test_found (void **state) {
    (void) state;
    static const struct {
        const char *text;
        enum personal_kind kind;
        const char *excerpt;
    } rows[] = {
        { "ask jo.doe@police.example today", PERSONAL_MAIL,
          "jo.***@******.******e" },
        { "+44 20 7946 0000", PERSONAL_PHONE, "+4* ** **** ***0" },
        { "(+33 1 23 45 67 89)", PERSONAL_PHONE, "+3* * ** ** ** *9" },
        { "call 0044 20 7946 0958.", PERSONAL_PHONE, "00** ** **** ***8" },
        { "0171/1234567", PERSONAL_PHONE, "01**/******7" },
        { "01 23 45 67 89", PERSONAL_PHONE, "01 ** ** ** *9" },
        { "Tel. 1234567", PERSONAL_PHONE, "12****7" },
        { "phone number: (030) 123456", PERSONAL_PHONE, "(0**) *****6" },
        { "WhatsApp 79161234567", PERSONAL_PHONE, "79********7" },
        { "passport no. X1234567 of", PERSONAL_DOCUMENT, "X1*****7" },
        { "Passport: 123456789", PERSONAL_DOCUMENT, "12******9" },
        { "passeport n\xc2\xb0 12AB34567", PERSONAL_DOCUMENT, "12******7" },
        { "driving licence MORGA65705", PERSONAL_DOCUMENT, "MO*******5" },
        { "identity card AB 1234567", PERSONAL_DOCUMENT, "AB ******7" },
        { "\xd0\xbf\xd0\xb0\xd1\x81\xd0\xbf\xd0\xbe\xd1\x80\xd1\x82 4510123456",
          PERSONAL_DOCUMENT, "45*******6" },
        { "\xd8\xac\xd9\x88\xd8\xa7\xd8\xb2 \xd8\xb3\xd9\x81\xd8\xb1 "
          "\xd8\xb1\xd9\x82\xd9\x85 A1234567",
          PERSONAL_DOCUMENT, "A1*****7" },
        { "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", PERSONAL_DOCUMENT,
          "P<***********<<****<*****<<<<<<<<<<<<<<<<<<<" },
        { "DE89 3704 0044 0532 0130 00", PERSONAL_ACCOUNT,
          "DE** **** **** **** **** *0" },
        { "to GB29NWBK60161331926819, please", PERSONAL_ACCOUNT,
          "GB*******************9" },
        { "NO93 8601 1117 947 BANK", PERSONAL_ACCOUNT, "NO** **** **** **7" },
        { "born 12.05.1980", PERSONAL_BIRTH, "12.**.***0" },
        { "born on 12 May 1980 in", PERSONAL_BIRTH, "12 *** ***0" },
        { "DOB: 1980-05-12", PERSONAL_BIRTH, "19**-**-*2" },
        { "date of birth May 12, 1980", PERSONAL_BIRTH, "Ma* **, ***0" },
        { "n\xc3\xa9"
          "e le 12 f\xc3\xa9vrier 1980",
          PERSONAL_BIRTH, "12 ******* ***0" },
        { "Ahmed ILYAS, 12.05.1980", PERSONAL_BIRTH,
          "Ah*** *****, **.**.***0" },
        { "ILYAS Ahmed (*12/05/1980)", PERSONAL_BIRTH, "12/**/***0" },
        { "seen: AB-123-CD", PERSONAL_PLATE, "AB-***-*D" },
        { "number plate LB 12 XYZ", PERSONAL_PLATE, "LB ** **Z" },
        { "Kennzeichen: B-AB 1234", PERSONAL_PLATE, "B-** ***4" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct personal got;
        find (rows[i].text, &got);
        if (got.count != 1 || got.at[0].kind != rows[i].kind
            || strcmp (got.at[0].excerpt, rows[i].excerpt))
            fail_msg ("'%s': %zu, %s '%s'", rows[i].text, got.count,
                      got.count ? personal_kind_name (got.at[0].kind) : "",
                      got.count ? got.at[0].excerpt : "");
        assert_string_equal (got.at[0].pointer, "/title");
        personal_clear (&got);
    }
}

static void test_places (void **state) {
    (void) state;
    json_t *document = json_pack (
        "{s[{ss ss}] s[{ss s[s{ss}]}] s{ss}}", "contacts", "address",
        "desk@police.example", "note", "or jo@police.example", "actions",
        "title", "a, b", "needs", "Tel. 1234567 and tel. 7654321", "fr",
        "t\xc3\xa9l. 7654321", "x/y", "~", "+44 20 7946 0001");
    struct personal got = { 0 };
    personal_find (document, &got);
    static const char *const want[] = { "/contacts/0/note",
                                        "/actions/0/needs/0",
                                        "/actions/0/needs/0",
                                        "/actions/0/needs/1/fr", "/x~1y/~0" };
    assert_int_equal (got.count, sizeof want / sizeof *want);
    for (size_t i = 0; i < got.count; i++)
        assert_string_equal (got.at[i].pointer, want[i]);
    json_t *json = personal_json (&got);
    assert_int_equal (json_array_size (json), got.count);
    assert_string_equal (
        json_string_value (json_object_get (json_array_get (json, 0), "kind")),
        "mail-address");
    for (int kind = 0; kind < PERSONAL_KINDS; kind++)
        assert_non_null (personal_kind_words ((enum personal_kind) kind));
    json_decref (json);
    json_decref (document);
    personal_clear (&got);
}

static void test_many (void **state) {
    (void) state;
    struct buf text = { 0 };
    for (int i = 0; i < 300; i++)
        buf_add_text (&text, "+44 20 7946 0001, ");
    char *many = buf_take_text (&text);
    struct personal got;
    find (many, &got);
    assert_int_equal (got.count, 300);
    assert_int_equal (got.kept, PERSONAL_MAX);
    personal_clear (&got);
    free (many);
}

/* A draft of the largest size, of what each form begins with. */
static void test_large (void **state) {
    (void) state;
    static const char *const rows[] = {
        "0",        "+1 ",   "A",         "AB12 ", "<",        "a@",
        "a.",       "born ", "passport ", "AA-",   "plate A ", "Ahmed ",
        "\xd0\xbf", " ",     "(",         "www."
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf text = { 0 };
        while (text.size < 240000)
            buf_add_text (&text, rows[i]);
        char *large = buf_take_text (&text);
        struct personal got;
        clock_t before = clock();
        find (large, &got);
        double seconds = (double) (clock() - before) / CLOCKS_PER_SEC;
        if (seconds > 5)
            fail_msg ("'%s': %.1f s", rows[i], seconds);
        personal_clear (&got);
        free (large);
    }
}

/* Not one false alarm in real plans. */
static void test_samples (void **state) {
    (void) state;
    char pattern[512];
    glob_t files;
    const char *sample = getenv ("PARLEY_SAMPLE");
    assert_non_null (sample);
    snprintf (pattern, sizeof pattern, "%s/plans/*.json", sample);
    assert_int_equal (glob (pattern, 0, NULL, &files), 0);
    assert_true (files.gl_pathc >= 14);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        json_t *document = json_load_file (files.gl_pathv[i], 0, NULL);
        struct personal got = { 0 };
        assert_non_null (document);
        personal_find (document, &got);
        if (got.count)
            fail_msg ("%s%s: %s '%s'", files.gl_pathv[i], got.at[0].pointer,
                      personal_kind_name (got.at[0].kind), got.at[0].excerpt);
        json_decref (document);
    }
    globfree (&files);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_nothing), cmocka_unit_test (test_found),
        cmocka_unit_test (test_places),  cmocka_unit_test (test_many),
        cmocka_unit_test (test_large),   cmocka_unit_test (test_samples),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
