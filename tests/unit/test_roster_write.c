/* roster_write: the sample's founding with generated cards, and drafts that
 * people edit. */
#include "identity/roster_chain.h"
#include "identity/roster_write.h"
#include "roster_fixture.h"

#define CARDS_MAX 64

/* The sample, and a card for each delegation and root signer of it. */
struct founding {
    json_t *document;
    struct card cards[CARDS_MAX];
    size_t card_count;
    struct broker_public broker;
    struct buf text, warnings;
};

static const uint8_t nonce[32] = { 1, 2, 3 };

static void card_make (struct founding *self, enum identity_kind kind,
                       const char *name) {
    struct error e;
    struct buf octets = { 0 };
    struct hash seed = hash_sha256 (slice_text (name));
    struct identity *id = identity_from_seed (kind, name, seed.octets, &e);
    assert_non_null (id);
    assert_true (self->card_count < CARDS_MAX);
    assert_int_equal (card_write (id, &octets, &e), ERR_NONE);
    assert_int_equal (
        card_read (buf_slice (&octets), &self->cards[self->card_count++], &e),
        ERR_NONE);
    buf_free (&octets);
    identity_destroy (&id);
}

static void broker_make (struct broker_public *out, const char *name) {
    struct error e;
    struct buf json = { 0 };
    struct identity *id = identity_new (IDENTITY_BROKER, name, &e);
    assert_non_null (id);
    broker_public_write (id, "tcp://127.0.0.1:7001", "tcp://127.0.0.1:7002",
                         &json);
    assert_int_equal (broker_public_read (buf_slice (&json), out, &e),
                      ERR_NONE);
    buf_free (&json);
    identity_destroy (&id);
}

static int setup (void **state) {
    struct founding *self = mem_alloc (sizeof *self);
    const char *folder = getenv ("PARLEY_SAMPLE");
    char path[1024], name[IDENTITY_NAME_MAX + 1];
    json_error_t why;
    size_t i, k;
    json_t *entity, *delegation;
    assert_non_null (folder);
    snprintf (path, sizeof path, "%s/founding.json", folder);
    self->document = json_load_file (path, JSON_REJECT_DUPLICATES, &why);
    if (!self->document)
        fail_msg ("%s: %s", path, why.text);
    json_array_foreach (json_object_get (self->document, "entities"), i,
                        entity) {
        const char *id = json_string_value (json_object_get (entity, "id"));
        json_array_foreach (json_object_get (entity, "delegations"), k,
                            delegation) {
            snprintf (name, sizeof name, "%s/%s", id,
                      json_string_value (json_object_get (delegation, "id")));
            card_make (self, IDENTITY_DELEGATION, name);
        }
    }
    json_array_foreach (json_object_get (self->document, "root_signers"), i,
                        entity) {
        snprintf (name, sizeof name, "%s/root", json_string_value (entity));
        card_make (self, IDENTITY_ROOT, name);
    }
    broker_make (&self->broker, "lyon");
    *state = self;
    return 0;
}

static int teardown (void **state) {
    struct founding *self = *state;
    buf_free (&self->text);
    buf_free (&self->warnings);
    json_decref (self->document);
    free (self);
    return 0;
}

static enum err draft (struct founding *self, struct error *e) {
    char *json = json_dumps (self->document, 0);
    enum err rc = roster_draft_first (slice_text (json), self->cards,
                                      self->card_count, &self->broker, 1, nonce,
                                      &self->text, &self->warnings, e);
    free (json);
    return rc;
}

static struct roster *signed_by (struct slice text, size_t count) {
    static const char *const order[] = { "GCCPOL",  "EUROPOL",  "INTERPOL",
                                         "AFRIPOL", "FRONTEX",  "AMERIPOL",
                                         "AIMC",    "ASEANAPOL" };
    char signers[200] = "";
    for (size_t i = 0; i < count; i++) {
        strcat (signers, i ? " " : "");
        strcat (signers, order[i]);
    }
    struct error e;
    struct buf note = { 0 };
    fixture_sign (text, signers, &note);
    struct roster *roster = roster_read (buf_slice (&note), &e);
    if (!roster)
        fail_msg ("%s", e.text);
    buf_free (&note);
    return roster;
}

/* Five of the eight root signers found the dialogue; four do not. */
static void test_sample (void **state) {
    struct founding *self = *state;
    struct error e = { 0 };
    if (draft (self, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (self->warnings.size, 0);
    struct roster *roster = signed_by (buf_slice (&self->text), 5);
    assert_int_equal (roster_founds (roster, &e), ERR_NONE);
    assert_int_equal (roster_delegations (roster), 12);
    for (size_t i = 0; i < roster_delegations (roster); i++)
        assert_int_equal (roster_delegation_at (roster, i)->key_count, 1);
    assert_memory_equal (
        &roster_delegation (roster, slice_text ("SCO/rats"))->keys[0],
        &self->cards[9 + 1].keys, sizeof (struct keyset));
    assert_string_equal (self->cards[9 + 1].name, "SCO/rats");
    assert_memory_equal (roster_log_key (roster), self->broker.log, KEY_SIZE);
    assert_memory_equal (roster_broker_at (roster, 0)->desk_key.key[0],
                         self->broker.desk_key, KEY_SIZE);
    roster_unref (&roster);

    roster = signed_by (buf_slice (&self->text), 4);
    assert_int_equal (roster_founds (roster, &e), ERR_SIGNATURE);
    assert_non_null (strstr (e.text, "4 of 8 root signers"));
    assert_non_null (strstr (e.text, "5 needed"));
    roster_unref (&roster);
}

/* For people: fixed order, a line a value, x- members where they stood. */
static void test_layout (void **state) {
    struct founding *self = *state;
    struct error e = { 0 };
    assert_int_equal (draft (self, &e), ERR_NONE);
    buf_add_u8 (&self->text, 0);
    const char *text = (const char *) self->text.data;
    static const char head[] =
        "parley/roster/1\n-\n{\n \"format\": 1,\n \"requires\": [],\n"
        " \"version\": 1,\n \"previous\": null,\n \"nonce\": \"010203";
    assert_memory_equal (text, head, strlen (head));
    static const char *const wanted[] = {
        "\n \"threshold\": 5,\n \"root_signers\": [\n  {\n   \"entity\": "
        "\"INTERPOL\",\n   \"key\": \"",
        "\n \"proxies\": [],\n \"entities\": [\n  {\n   \"id\": \"INTERPOL\"",
        "   \"x-seat\": \"Lyon\",\n",
        "     \"id\": \"written\",\n     \"keys\": [\n      {\n"
        "       \"sign\": \"",
        "      }\n     ],\n     \"x-agent\": false\n    }",
        "\n \"limits\": {\n",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *found = strstr (text, wanted[i]);
        if (!found)
            fail_msg ("no %s in %s", wanted[i], text);
        text = found;
    }
    assert_string_equal (text + strlen (text) - 5, " }\n}\n");
}

static void test_missing_card (void **state) {
    struct founding *self = *state;
    struct error e = { 0 };
    /* A delegation's is a warning, a stranger's as well. */
    assert_string_equal (self->cards[1].name, "AFRIPOL/hq");
    self->cards[1] = self->cards[--self->card_count];
    assert_string_equal (self->cards[1].name, "GCCPOL/root");
    card_make (self, IDENTITY_DELEGATION, "NATO/hq");
    if (draft (self, &e))
        fail_msg ("%s", e.text);
    buf_add_u8 (&self->warnings, 0);
    assert_string_equal (
        (const char *) self->warnings.data,
        "AFRIPOL/hq has no card: it gets no keys and takes no part\n"
        "NATO/hq is not in the founding: its card is left out\n");
    struct roster *roster = signed_by (buf_slice (&self->text), 1);
    assert_int_equal (
        roster_delegation (roster, slice_text ("AFRIPOL/hq"))->key_count, 0);
    roster_unref (&roster);
}

static void refuses (struct founding *self, enum err code, const char *text) {
    struct error e = { 0 };
    assert_int_equal (draft (self, &e), code);
    if (!strstr (e.text, text))
        fail_msg ("\"%s\" is not in \"%s\"", text, e.text);
    assert_int_equal (draft (self, NULL), code);
    assert_int_equal (self->text.size, 0);
    assert_int_equal (self->warnings.size, 0);
}

static void test_missing_root_card (void **state) {
    struct founding *self = *state;
    self->card_count--;
    refuses (self, ERR_NOT_FOUND, "root_signers[7]: no card of GCCPOL/root");
}

static void test_two_cards (void **state) {
    struct founding *self = *state;
    card_make (self, IDENTITY_DELEGATION, "SCO/rats");
    refuses (self, ERR_EXISTS, "two cards of SCO/rats");
}

static void test_one_key_twice (void **state) {
    struct founding *self = *state;
    self->cards[2].keys = self->cards[5].keys;
    refuses (self, ERR_MALFORMED, "no key may stand twice");
}

static void test_founding_rules (void **state) {
    struct founding *self = *state;
    static const struct {
        const char *path, *value, *text;
    } rows[] = {
        { "version", "1", "founding: version: no part of a founding" },
        { "brokers", "[]", "founding: brokers: no part of a founding" },
        { "root_signers", NULL, "founding: root_signers: missing" },
        { "root_signers[0]", "{}", "founding: root_signers[0] is an object" },
        { "entities", "7", "founding: entities is 7: must be an array" },
        { "entities[0].delegations[0].keys", "[]",
          "entities[0].delegations[0].keys: keys come from cards" },
        { "entities[0].delegations[0]", "7",
          "founding: entities[0].delegations[0].id: missing" },
        { "entities[0].id", NULL, "founding: entities[0].id: missing" },
        { "entities[0].colour", "1",
          "roster: entities[0].colour: unknown name" },
        { "threshold", "9", "roster: threshold is 9: must be a whole number" },
        { "quorum", NULL, "roster: quorum: missing" },
    };
    json_t *good = self->document;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        self->document = json_deep_copy (good);
        fixture_set (self->document, rows[i].path, rows[i].value);
        refuses (self, ERR_MALFORMED, rows[i].text);
        json_decref (self->document);
    }
    self->document = good;
}

static void test_arguments (void **state) {
    struct founding *self = *state;
    struct error e = { 0 };
    static const char *const texts[] = { "", "[]", "{", "{\"a\":1,\"a\":1}" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal (roster_draft_first (slice_text (texts[i]), NULL, 0,
                                              &self->broker, 1, nonce,
                                              &self->text, &self->warnings, &e),
                          ERR_MALFORMED);
        assert_non_null (strstr (e.text, "founding: JSON"));
    }
    assert_int_equal (roster_draft_first (slice_text ("{}"), NULL, 0, NULL, 0,
                                          nonce, &self->text, &self->warnings,
                                          &e),
                      ERR_ARGUMENT);
}

/* Two brokers hold one log; whose key it is has to be said. */
static void test_two_brokers (void **state) {
    struct founding *self = *state;
    struct error e = { 0 };
    struct broker_public brokers[2] = { self->broker };
    broker_make (&brokers[1], "spare");
    char *json = json_dumps (self->document, 0);
    if (roster_draft_first (slice_text (json), self->cards, self->card_count,
                            brokers, 2, nonce, &self->text, &self->warnings,
                            &e))
        fail_msg ("%s", e.text);
    free (json);
    buf_add_u8 (&self->warnings, 0);
    assert_string_equal (
        (const char *) self->warnings.data,
        "the log key is that of lyon: the one of spare is left out\n");
}

/* What an editor has: the fixture's document, members out of order. */
static enum err next_draft (const struct roster *before, const char *path,
                            const char *value, struct buf *text,
                            struct error *e) {
    json_t *document = fixture_document();
    fixture_set (document, "x-note", NULL);
    fixture_set (document, path, value);
    char *json = json_dumps (document, JSON_SORT_KEYS);
    enum err rc = roster_draft_next (before, slice_text (json), text, e);
    free (json);
    json_decref (document);
    return rc;
}

static void test_next (void **state) {
    (void) state;
    struct error e = { 0 };
    struct buf text = { 0 }, note = { 0 };
    struct roster *first = fixture_roster (NULL);
    if (next_draft (first, "threshold", "1", &text, &e))
        fail_msg ("%s", e.text);
    fixture_sign (buf_slice (&text), "UNODC EUROPOL", &note);
    struct roster *second = roster_read (buf_slice (&note), &e);
    assert_non_null (second);
    assert_int_equal (roster_follows (first, second, &e), ERR_NONE);
    assert_int_equal (roster_version (second), 2);

    /* again, from itself: only version and predecessor differ */
    struct buf again = { 0 };
    json_t *document = json_loads (
        (const char *) memchr (roster_note (second)->text.data, '{', 200),
        JSON_DISABLE_EOF_CHECK, NULL);
    char *json = json_dumps (document, 0);
    assert_int_equal (roster_draft_next (second, slice_text (json), &again, &e),
                      ERR_NONE);
    assert_int_equal (again.size, text.size);
    free (json);
    json_decref (document);
    buf_free (&again);
    buf_free (&text);
    buf_free (&note);
    roster_unref (&second);
    roster_unref (&first);
}

static void test_next_refuses (void **state) {
    (void) state;
    static const struct {
        const char *path, *value, *text;
        enum err code;
    } rows[] = {
        { "log.key", "'$other'", "another log key in the same epoch",
          ERR_CHAIN },
        { "epoch", "{'number': 2}", "epoch", ERR_MALFORMED },
        { "epoch",
          "{'number': 2, 'base_size': 9, 'base_root': "
          "'00000000000000000000000000000000"
          "00000000000000000000000000000000'}",
          "log key", ERR_CHAIN },
        { "threshold", "4", "roster: threshold is 4: must be", ERR_MALFORMED },
        { "surprise", "4", "roster: surprise: unknown name", ERR_MALFORMED },
        { "requires", "['x']", "requires[0]: x", ERR_NEWER },
    };
    struct roster *first = fixture_roster (NULL);
    struct buf text = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e = { 0 };
        assert_int_equal (
            next_draft (first, rows[i].path, rows[i].value, &text, &e),
            rows[i].code);
        if (!strstr (e.text, rows[i].text))
            fail_msg ("%s: %s", rows[i].path, e.text);
        assert_int_equal (text.size, 0);
    }
    assert_int_equal (roster_draft_next (first, slice_text ("["), &text, NULL),
                      ERR_MALFORMED);
    roster_unref (&first);
}

int main (void) {
#define WITH_SAMPLE(f) cmocka_unit_test_setup_teardown (f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE (test_arguments),
        WITH_SAMPLE (test_founding_rules),
        WITH_SAMPLE (test_missing_root_card),
        WITH_SAMPLE (test_two_cards),
        WITH_SAMPLE (test_one_key_twice),
        WITH_SAMPLE (test_missing_card),
        WITH_SAMPLE (test_two_brokers),
        WITH_SAMPLE (test_sample),
        WITH_SAMPLE (test_layout),
        cmocka_unit_test (test_next_refuses),
        cmocka_unit_test (test_next),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
