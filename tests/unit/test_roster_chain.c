/* roster_chain: what follows what, who must have signed it, and the lookups. */
#include "identity/roster_chain.h"
#include "roster_fixture.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define EPOCH2 "{'number':2,'base_size':9,'base_root':'" HEX "'}"

/* A roster behind `before`, with up to three changes. */
struct change {
    const char *path, *value;
};

static struct roster *next_of (const struct roster *before,
                               const struct change *changes,
                               const char *signers) {
    struct error e = { 0 };
    char dialogue[HASH_TEXT_MAX];
    json_t *document = fixture_next (before, fixture_document());
    for (size_t i = 0; i < 3 && changes && changes[i].path; i++)
        fixture_set (document, changes[i].path, changes[i].value);
    struct roster *next = fixture_read (
        document, hash_text (dialogue, roster_dialogue (before)), signers, &e);
    if (!next)
        fail_msg ("%s", e.text);
    return next;
}

static struct roster *first_of (const char *threshold, const char *signers) {
    struct error e = { 0 };
    json_t *document = fixture_document();
    fixture_set (document, "threshold", threshold);
    struct roster *roster = fixture_read (document, "-", signers, &e);
    if (!roster)
        fail_msg ("%s", e.text);
    return roster;
}

static void says (enum err rc, enum err wanted, const struct error *e,
                  const char *text) {
    if (rc != wanted || (rc && !strstr (e->text, text)))
        fail_msg ("%s, \"%s\", not %s, \"%s\"", error_name (rc), e->text,
                  error_name (wanted), text);
}

static void test_founds (void **state) {
    (void) state;
    static const struct {
        const char *threshold, *signers;
        enum err code;
        const char *text;
        int have;
    } rows[] = {
        { "2", "EUROPOL FRONTEX", ERR_NONE, "", 2 },
        { "2", "UNODC EUROPOL FRONTEX", ERR_NONE, "", 3 },
        { "2", "UNODC", ERR_SIGNATURE,
          "1 of 3 root signers of its own have signed, 2 needed", 1 },
        { "1", "INTERPOL", ERR_SIGNATURE, "0 of 3 root signers", 0 },
        { "3", "EUROPOL FRONTEX INTERPOL", ERR_SIGNATURE, "2 of 3", 2 },
        { "2", "EUROPOL EUROPOL", ERR_SIGNATURE, "", 0 },
        { "2", "EUROPOL FRONTEX FRONTEX", ERR_SIGNATURE, "", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e = { 0 };
        int have = -1, need = -1;
        struct roster *roster = first_of (rows[i].threshold, rows[i].signers);
        says (roster_founds (roster, &e), rows[i].code, &e, rows[i].text);
        says (roster_self_signed (roster, &have, &need, &e), rows[i].code, &e,
              rows[i].text);
        assert_int_equal (have, rows[i].have);
        assert_int_equal (need, roster_threshold (roster));
        assert_int_equal (roster_self_signed (roster, NULL, NULL, NULL),
                          rows[i].code);
        roster_unref (&roster);
    }
}

static void test_not_first (void **state) {
    (void) state;
    struct error e = { 0 };
    struct roster *first = first_of ("2", "EUROPOL FRONTEX");
    struct roster *next = next_of (first, NULL, "EUROPOL FRONTEX");
    says (roster_founds (next, &e), ERR_CHAIN, &e,
          "roster version 2 is not a first roster");
    assert_int_equal (roster_self_signed (next, NULL, NULL, &e), ERR_NONE);
    roster_unref (&next);
    roster_unref (&first);
}

/* A signature over other octets refuses the note, whoever else signed. */
static void test_forged (void **state) {
    (void) state;
    struct error e = { 0 };
    struct buf text = { 0 }, note = { 0 };
    json_t *document = fixture_document();
    fixture_text (document, "-", &text);
    fixture_sign (buf_slice (&text), "EUROPOL FRONTEX UNODC", &note);
    note.data[text.size + 1 + 40] =
        note.data[text.size + 1 + 40] == 'A' ? 'B' : 'A';
    struct roster *roster = roster_read (buf_slice (&note), &e);
    assert_non_null (roster);
    says (roster_founds (roster, &e), ERR_SIGNATURE, &e, "roster version 1");
    roster_unref (&roster);
    buf_free (&text);
    buf_free (&note);
    json_decref (document);
}

static void test_follows (void **state) {
    (void) state;
    static const struct {
        struct change changes[3];
        const char *signers;
        enum err code;
        const char *text;
    } rows[] = {
        { { { NULL } }, "EUROPOL FRONTEX", ERR_NONE, "" },
        { { { "version", "3" } },
          "EUROPOL FRONTEX",
          ERR_CHAIN,
          "version 3 does not follow version 1: versions between are missing" },
        { { { "previous", "'" HEX "'" } },
          "EUROPOL FRONTEX",
          ERR_CHAIN,
          "it is of another branch" },
        { { { "epoch", EPOCH2 } },
          "EUROPOL FRONTEX",
          ERR_CHAIN,
          "a new epoch with the log key of the old" },
        { { { "epoch", EPOCH2 }, { "log.key", "'$log2'" } },
          "EUROPOL FRONTEX",
          ERR_NONE,
          "" },
        { { { "log.key", "'$log2'" } },
          "EUROPOL FRONTEX",
          ERR_CHAIN,
          "another log key in the same epoch" },

        /* the predecessor's threshold is 2, and its own */
        { { { "threshold", "3" } },
          "EUROPOL FRONTEX",
          ERR_SIGNATURE,
          "2 of 3 root signers of its own have signed, 3 needed" },
        { { { "threshold", "1" } },
          "EUROPOL",
          ERR_SIGNATURE,
          "1 of 3 root signers of its predecessor have signed, 2 needed" },
        { { { "threshold", "1" } }, "EUROPOL UNODC", ERR_NONE, "" },
        { { { "root_signers",
              "[{'entity':'NEWCOMER','key':'$root:NEWCOMER'}]" },
            { "threshold", "1" } },
          "EUROPOL FRONTEX",
          ERR_SIGNATURE,
          "0 of 1 root signers of its own have signed, 1 needed" },
        { { { "root_signers",
              "[{'entity':'NEWCOMER','key':'$root:NEWCOMER'}]" },
            { "threshold", "1" } },
          "NEWCOMER EUROPOL",
          ERR_SIGNATURE,
          "1 of 3 root signers of its predecessor" },
        { { { "root_signers",
              "[{'entity':'NEWCOMER','key':'$root:NEWCOMER'}]" },
            { "threshold", "1" } },
          "NEWCOMER EUROPOL FRONTEX",
          ERR_NONE,
          "" },
    };
    struct roster *first = first_of ("2", "EUROPOL FRONTEX");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e = { 0 };
        struct roster *next = next_of (first, rows[i].changes, rows[i].signers);
        says (roster_follows (first, next, &e), rows[i].code, &e, rows[i].text);
        roster_unref (&next);
    }
    roster_unref (&first);
}

static void test_directions (void **state) {
    (void) state;
    struct error e = { 0 };
    struct roster *first = first_of ("2", "EUROPOL FRONTEX");
    struct roster *other = first_of ("3", "EUROPOL FRONTEX UNODC");
    struct roster *second = next_of (first, NULL, "EUROPOL FRONTEX");
    struct roster *third = next_of (second, NULL, "EUROPOL");

    says (roster_follows (first, first, &e), ERR_CHAIN, &e, "not newer");
    says (roster_follows (second, first, &e), ERR_CHAIN, &e, "not newer");
    says (roster_follows (other, second, &e), ERR_CHAIN, &e,
          "it is of another dialogue");
    says (roster_follows (first, other, &e), ERR_CHAIN, &e,
          "it is of another dialogue");

    assert_int_equal (roster_precedes (first, second, &e), ERR_NONE);
    assert_int_equal (roster_precedes (second, third, &e), ERR_NONE);
    says (roster_precedes (first, third, &e), ERR_CHAIN, &e,
          "version 3 names another predecessor than this version 1");
    says (roster_precedes (other, second, &e), ERR_CHAIN, &e, "names another");
    says (roster_precedes (second, first, &e), ERR_CHAIN, &e,
          "a first roster has no predecessor");
    roster_unref (&first);
    roster_unref (&other);
    roster_unref (&second);
    roster_unref (&third);
}

/* An epoch's base stands as long as the epoch does. */
static void test_epochs (void **state) {
    (void) state;
    static const struct {
        const char *epoch, *text;
    } rows[] = {
        { EPOCH2, NULL },
        { "{'number':1}", "its epoch is not the same or one higher" },
        { "{'number':2,'base_size':8,'base_root':'" HEX "'}",
          "another base of the same epoch" },
    };
    static const struct change opening[3] = { { "epoch", EPOCH2 },
                                              { "log.key", "'$log2'" } };
    struct roster *first = first_of ("2", "EUROPOL FRONTEX");
    struct roster *second = next_of (first, opening, "EUROPOL FRONTEX");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e = { 0 };
        struct change changes[3] = { { "epoch", rows[i].epoch },
                                     { "log.key", "'$log2'" } };
        struct roster *third = next_of (second, changes, "EUROPOL FRONTEX");
        says (roster_follows (second, third, &e),
              rows[i].text ? ERR_CHAIN : ERR_NONE, &e, rows[i].text);
        roster_unref (&third);
    }
    roster_unref (&second);
    roster_unref (&first);
}

static void test_chain_refuses (void **state) {
    (void) state;
    static const struct change opening[3] = { { "epoch", EPOCH2 },
                                              { "log.key", "'$log2'" } };
    struct error e = { 0 };
    struct roster_chain *none = NULL, *chain = roster_chain_new();
    roster_chain_destroy (NULL);
    roster_chain_destroy (&none);
    assert_null (roster_chain_last (chain, NULL));
    assert_null (roster_chain_by_version (chain, 1, NULL));
    assert_null (roster_chain_by_record (chain, 0));
    assert_null (roster_chain_at (chain, 0));

    struct roster *first = first_of ("2", "EUROPOL FRONTEX");
    struct roster *weak = first_of ("2", "EUROPOL");
    struct roster *second = next_of (first, opening, "EUROPOL FRONTEX");
    says (roster_chain_add (chain, second, 0, &e), ERR_CHAIN, &e,
          "not a first roster");
    says (roster_chain_add (chain, weak, 0, &e), ERR_SIGNATURE, &e, "1 of 3");
    assert_int_equal (roster_chain_count (chain), 0);
    assert_int_equal (roster_chain_add (chain, first, 4, &e), ERR_NONE);
    says (roster_chain_add (chain, first, 5, &e), ERR_CHAIN, &e, "not newer");
    says (roster_chain_add (chain, second, 4, &e), ERR_CHAIN, &e,
          "version 2 at record 4, but version 1 stands at 4");
    says (roster_chain_add (chain, second, 8, &e), ERR_CHAIN, &e,
          "opens an epoch at its base 9, but stands at record 8");
    assert_int_equal (roster_chain_count (chain), 1);
    assert_int_equal (roster_chain_add (chain, second, 9, &e), ERR_NONE);
    roster_chain_destroy (&chain);
    assert_null (chain);
    roster_unref (&first);
    roster_unref (&weak);
    roster_unref (&second);
}

/* What stands at or above a base is void. */
static void test_cut (void **state) {
    (void) state;
    struct roster *at[4] = { first_of ("2", "EUROPOL FRONTEX") };
    struct roster_chain *chain = roster_chain_new();
    struct error e = { 0 };
    int64_t sequence;
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            at[i] = next_of (at[i - 1], NULL, "EUROPOL FRONTEX");
        says (roster_chain_add (chain, at[i], 3 * i, &e), ERR_NONE, &e, "");
    }
    roster_chain_cut (chain, 10);
    assert_int_equal (roster_chain_count (chain), 4);
    roster_chain_cut (chain, 6);
    assert_int_equal (roster_chain_count (chain), 2);
    assert_ptr_equal (roster_chain_last (chain, &sequence), at[1]);
    assert_int_equal (sequence, 3);
    assert_ptr_equal (roster_chain_at (chain, 9), at[1]);
    assert_null (roster_chain_by_version (chain, 3, NULL));
    says (roster_chain_add (chain, at[2], 9, &e), ERR_NONE, &e, "");
    roster_chain_cut (chain, 0);
    assert_int_equal (roster_chain_count (chain), 0);
    roster_chain_cut (chain, 0);
    roster_chain_destroy (&chain);
    for (int i = 0; i < 4; i++)
        roster_unref (&at[i]);
}

/* An epoch may open at a version further up: none is between. */
static void test_chain_gap (void **state) {
    (void) state;
    static const struct change opening[3] = { { "epoch", EPOCH2 },
                                              { "log.key", "'$log2'" },
                                              { "version", "5" } };
    struct error e = { 0 };
    struct roster_chain *chain = roster_chain_new();
    struct roster *first = first_of ("2", "EUROPOL FRONTEX");
    struct roster *fifth = next_of (first, opening, "EUROPOL FRONTEX");
    int64_t sequence = -1;
    assert_int_equal (roster_chain_add (chain, first, 0, &e), ERR_NONE);
    assert_int_equal (roster_chain_add (chain, fifth, 9, &e), ERR_NONE);
    assert_ptr_equal (roster_chain_by_version (chain, 1, NULL), first);
    for (int64_t version = 2; version < 5; version++)
        assert_null (roster_chain_by_version (chain, version, NULL));
    assert_ptr_equal (roster_chain_by_version (chain, 5, &sequence), fifth);
    assert_int_equal (sequence, 9);
    assert_null (roster_chain_by_version (chain, 6, NULL));
    assert_ptr_equal (roster_chain_nth (chain, 0, NULL), first);
    sequence = -1;
    assert_ptr_equal (roster_chain_nth (chain, 1, &sequence), fifth);
    assert_int_equal (sequence, 9);
    assert_null (roster_chain_nth (chain, 2, NULL));
    roster_chain_destroy (&chain);
    roster_unref (&first);
    roster_unref (&fifth);
}

/* Rosters at 0, 10, 20, ...: more than the array's first room. */
#define LINKS 20

static void test_chain (void **state) {
    (void) state;
    struct error e = { 0 };
    struct roster_chain *chain = roster_chain_new();
    struct roster *roster = first_of ("2", "EUROPOL FRONTEX");
    for (int i = 0; i < LINKS; i++) {
        assert_int_equal (roster_chain_add (chain, roster, 10 * i, &e),
                          ERR_NONE);
        struct roster *next = next_of (roster, NULL, "EUROPOL FRONTEX");
        roster_unref (&roster);
        roster = next;
    }
    roster_unref (&roster);

    int64_t sequence = -1;
    assert_int_equal (roster_chain_count (chain), LINKS);
    assert_int_equal (roster_version (roster_chain_last (chain, &sequence)),
                      LINKS);
    assert_int_equal (sequence, 10 * (LINKS - 1));
    for (int64_t version = 1; version <= LINKS; version++) {
        int64_t place = 10 * (version - 1);
        struct roster *r = roster_chain_by_version (chain, version, &sequence);
        assert_int_equal (roster_version (r), version);
        assert_int_equal (sequence, place);
        assert_ptr_equal (roster_chain_by_record (chain, place), r);
        assert_null (roster_chain_by_record (chain, place + 1));
        assert_null (roster_chain_by_record (chain, place - 1));
        assert_ptr_equal (roster_chain_at (chain, place), r);
        assert_ptr_equal (roster_chain_at (chain, place + 9), r);
    }
    assert_null (roster_chain_at (chain, -1));
    assert_null (roster_chain_by_version (chain, 0, NULL));
    assert_null (roster_chain_by_version (chain, LINKS + 1, NULL));
    assert_null (roster_chain_by_version (chain, INT64_MIN, NULL));
    assert_ptr_equal (roster_chain_at (chain, INT64_MAX),
                      roster_chain_last (chain, NULL));
    roster_chain_destroy (&chain);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_founds),
        cmocka_unit_test (test_not_first),
        cmocka_unit_test (test_forged),
        cmocka_unit_test (test_follows),
        cmocka_unit_test (test_directions),
        cmocka_unit_test (test_epochs),
        cmocka_unit_test (test_cut),
        cmocka_unit_test (test_chain_refuses),
        cmocka_unit_test (test_chain_gap),
        cmocka_unit_test (test_chain),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
