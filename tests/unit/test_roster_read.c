/* roster_read and roster_grant: each rule of PROTOCOL.md section 5.3 broken
 * once; the refusal names the path, the value and the rule. */
#include "roster_fixture.h"

#define KEY_A "'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE='"
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X200 X50 X50 X50 X50

struct row {
    const char *path, *value; /* NULL: taken away */
    const char *text;         /* in the refusal */
    enum err code;            /* 0: ERR_MALFORMED */
};

static const struct row rows[] = {
    /* what a newer format may have changed is asked first */
    { "format", "2", "roster: format: 2: this program knows 1", ERR_NEWER },
    { "format", "0", "format is 0: must be a whole number, 1 to" },
    { "format", NULL, "format: missing" },
    { "format", "'1'", "format is \"1\": must be a whole number" },
    { "requires", "['erasure']", "requires[0]: erasure: this program does not",
      ERR_NEWER },
    { "requires", "['UPPER']", "requires[0] is \"UPPER\": must be a name" },
    { "requires", "{}", "requires is an object: must be an array" },

    /* names */
    { "surprise", "1", "surprise: unknown name" },
    { "entities[0].surprise", "1", "entities[0].surprise: unknown name" },
    { "entities[0].delegations[1].Expires", "1",
      "entities[0].delegations[1].Expires: unknown name" },
    { "entities[0].delegations[0].keys[0].until", "'2026-06-01'",
      "entities[0].delegations[0].keys[0].until: unknown name" },
    { "entities[0].delegations[0].keys[1].expires", "1",
      "keys[1].expires: unknown name" },
    { "groups[0].members", "[]", "groups[0].members: unknown name" },
    { "channels[0].owners", "[]", "channels[0].owners: unknown name" },
    { "brokers[0].link[0].until", "'2026-06-01'",
      "brokers[0].link[0].until: unknown name" },
    { "proxies[0].desk", "''", "proxies[0].desk: unknown name" },
    { "root_signers[0].name", "''", "root_signers[0].name: unknown name" },
    { "log.until", "''", "log.until: unknown name" },
    { "limits.bytes", "1", "limits.bytes: unknown name" },
    { "epoch.base_size", "1", "epoch.base_size: unknown name" },

    /* the chain's members, of a first roster */
    { "version", "2", "version is 2: must be 1 exactly where line 2 is '-'" },
    { "version", "0", "version is 0: must be a whole number, 1 to" },
    { "version", "1.0", "version is 1: must be a whole number" },
    { "version", "9007199254740992", "version is 9007199254740992: must be" },
    { "previous", "'" HEX "'", "previous is \"0123456789abcdef" },
    { "previous", NULL, "previous: missing" },
    { "nonce", NULL, "nonce: missing" },
    { "nonce", "'00'", "nonce is \"00\": must be 32 octets in lower case hex" },
    { "epoch", NULL, "epoch: missing" },
    { "epoch", "1", "epoch.number: missing" },
    { "epoch.number", "0", "epoch.number is 0: must be a whole number, 1 to" },
    { "epoch.number", "2", "epoch.number is 2: must not be above the version" },

    /* texts */
    { "name", "''", "name is \"\": must have 1 to 200 octets, has 0" },
    { "name", "'" X200 "x'", "must have 1 to 200 octets, has 201" },
    { "name", "7", "name is 7: must be text" },
    { "name", "'a\\u001bb'", "must have no control characters" },
    { "name", "'a\\u009bb'", "must have no control characters" },
    { "origin", "'has space'", "origin is \"has space\": must be a key name" },
    { "origin", "'has+plus'", "origin is \"has+plus\": must be a key name" },
    { "origin", "'caf\u00e9'", "must be a key name: ASCII" },

    /* root signers */
    { "threshold", "0", "threshold is 0: must be a whole number, 1 to 3" },
    { "threshold", "4", "threshold is 4: must be a whole number, 1 to 3" },
    { "root_signers", "[]", "root_signers: 0 items, at least 1" },
    { "root_signers[0].entity", "'europol'",
      "root_signers[0].entity is \"europol\": must be an entity, [A-Z]" },
    { "root_signers[0].entity", "'NATO'",
      "root_signers[0].entity is \"NATO\": no such entity" },
    { "root_signers[1].entity", "'EUROPOL'",
      "root_signers[1]: EUROPOL has a root signer already" },
    { "root_signers[2].key", "'AAAA'",
      "root_signers[2].key is \"AAAA\": must be a key, 32 octets in base64" },
    { "root_signers[2].key", NULL, "root_signers[2].key: missing" },
    { "log", NULL, "log: missing" },
    { "log.key", "null", "log.key is null: must be text" },

    /* brokers, proxies */
    { "brokers", "[]", "brokers: 0 items, at least 1" },
    { "brokers[0].id", "'Lyon'", "brokers[0].id is \"Lyon\": must be a name" },
    { "brokers[0].desk", "'tcp://*:7001'", "brokers[0].desk is \"tcp://*:" },
    { "brokers[0].feed", "'ipc://x'",
      "brokers[0].feed is \"ipc://x\": must be an endpoint, tcp://HOST:PORT" },
    { "brokers[0].desk", "'tcp://a:0'", "brokers[0].desk is \"tcp://a:0\"" },
    { "brokers[0].link", "[]", "brokers[0].link: 0 items, at least 1" },
    { "brokers[0].link[2]", "{'key':" KEY_A ",'until':'2026-01-01'}",
      "brokers[0].link: 3 items, at most 2", ERR_LIMIT },
    { "brokers[0].link[1].until", NULL, "brokers[0].link[1].until: missing" },
    { "brokers[0].link[1].until", "'soon'",
      "link[1].until is \"soon\": must be an RFC 3339 date after 1970" },
    { "brokers[0].desk_key", NULL, "brokers[0].desk_key: missing" },
    { "brokers[1]",
      "{'id':'lyon','desk':'tcp://b:1','feed':'tcp://b:2','link':[{'key':'$1'"
      "}],'desk_key':[{'key':'$2'}]}",
      "brokers[1]: a broker's id stands twice" },
    { "proxies", NULL, "proxies: missing" },
    { "proxies[1]", "{'id':'relay','feed':'tcp://b:2','link':'$1'}",
      "proxies[1]: a proxy's id stands twice" },
    { "proxies[0].link", "[]", "proxies[0].link is an array of 0: must be" },

    /* entities, delegations */
    { "entities", "{}", "entities is an object: must be an array" },
    { "entities[0].id", "'E'", "entities[0].id is \"E\": must be an entity" },
    { "entities[0].id", "'ABCDEFGHIJKLMNOPQ'",
      "entities[0].id is \"ABCDEFGHIJKLMNOPQ\": must have 1 to 16 octets" },
    { "entities[3].id", "'EUROPOL'",
      "entities[3]: an entity's id stands twice" },
    { "entities[1].name", NULL, "entities[1].name: missing" },
    { "entities[1].role", "'Member'", "entities[1].role is \"Member\"" },
    { "entities[1].sector", "[]", "entities[1].sector is an array of 0" },
    { "entities[0].regions[1]", "'E U'",
      "entities[0].regions[1] is \"E U\": must be a region" },
    { "entities[0].regions", NULL, "entities[0].regions: missing" },
    { "entities[3].delegations", NULL, "entities[3].delegations: missing" },
    { "entities[3].delegations", "{'id':1}",
      "entities[3].delegations is an object: must be an array" },
    { "entities[3].delegations[0]", "7",
      "entities[3].delegations[0] is 7: must be an object" },
    { "entities[0].delegations[0].id", "'root'",
      "entities[0].delegations[0].id is \"root\": must be a name" },
    { "entities[0].delegations[0].id", "'HQ'",
      "entities[0].delegations[0].id is \"HQ\": must be a name" },
    { "entities[0].delegations[1].id", "'hq'",
      "EUROPOL/hq stands twice, again as [0].delegations[1]" },
    { "entities[0].delegations[0].keys", NULL,
      "entities[0].delegations[0].keys: missing" },
    { "entities[0].delegations[0].keys[2]", "'$old:third'",
      "entities[0].delegations[0].keys: 3 items, at most 2", ERR_LIMIT },
    { "entities[0].delegations[0].keys[1].until", NULL,
      "entities[0].delegations[0].keys[1].until: missing" },
    { "entities[0].delegations[0].keys[1].until", "'2026-02-30'",
      "keys[1].until is \"2026-02-30\": must be an RFC 3339 date" },
    { "entities[0].delegations[0].keys[0].seal", NULL,
      "entities[0].delegations[0].keys[0].seal: missing" },
    { "entities[0].delegations[0].keys[0].note", "'%'",
      "keys[0].note is \"%\": must be a key, 32 octets in base64" },
    { "entities[0].delegations[1].expires", "true",
      "entities[0].delegations[1].expires is true: must be text" },
    { "entities[0].delegations[1].expires", "'1970-01-01'",
      "must be an RFC 3339 date after 1970" },
    { "entities[0].delegations[1].revoked", "false",
      "delegations[1].revoked is false: must be true or an RFC 3339 date" },
    { "entities[0].delegations[1].revoked", "'yes'",
      "delegations[1].revoked is \"yes\": must be true or" },

    /* no key twice, in any place */
    { "log.key", "'$root:UNODC'",
      "root_signers[2].key and log.key: no key may stand twice" },
    { "entities[0].delegations[0].keys[0].seal", "'$bdesk'",
      "brokers[0].desk_key[0].key and " },
    { "entities[0].delegations[1].keys[0]", "'$set:EUROPOL/hq'",
      "entities[0].delegations[1].keys[0]." },
    { "entities[0].delegations[0].keys[1].link", "'$plink'",
      "proxies[0].link" },

    /* groups, channels, grantees */
    { "groups[0].id", "'Core'", "groups[0].id is \"Core\": must be a name" },
    { "groups[0].title", "''", "groups[0].title is \"\": must have 1 to 200" },
    { "groups[0].entities[1]", "'NATO'",
      "groups[0].entities[1] is \"NATO\": no such entity" },
    { "groups[0].entities[1]", "'EUROPOL'",
      "groups[0].entities[1] is \"EUROPOL\": stands twice" },
    { "groups[1]", "{'id':'core','title':'x','entities':[]}",
      "groups[1]: a group's id stands twice" },
    { "channels[0].id", "'log'", "channels[0].id is \"log\": must be a name" },
    { "channels[0].id", "'@A+B'", "channels[0].id is \"@A+B\": must be" },
    { "channels[1].id", "'all'", "channels[1]: a channel's id stands twice" },
    { "channels[0].readers", NULL, "channels[0].readers: missing" },
    { "channels[0].readers[0]", "7", "channels[0].readers[0] is 7: must be" },
    { "channels[0].readers[2]", "'member'",
      "channels[0].readers[2] is \"member\": must be role:NAME, entity:ID" },
    { "channels[0].readers[2]", "'role:Member'",
      "channels[0].readers[2] is \"role:Member\": no name of a role" },
    { "channels[0].readers[2]", "'entity:NATO'",
      "channels[0].readers[2] is \"entity:NATO\": no such entity" },
    { "channels[0].readers[2]", "'delegation:EUROPOL'",
      "readers[2] is \"delegation:EUROPOL\": no such delegation" },
    { "channels[0].readers[2]", "'group:all'",
      "readers[2] is \"group:all\": no such group" },
    { "channels[0].writers[1]", "'entity:NATO'",
      "channels[0].writers[1] is \"entity:NATO\": no such entity" },
    { "channels[1].writers[0]", "'role:member'", NULL },
    { "channels[1].writers[1]", "'delegation:FRONTEX/hq'", NULL },
    { "channels[1].readers[1]", "'role:nobody'", NULL },
    { "channels[2].writers[1]", "'delegation:FRONTEX/hq'",
      "channels[2].writers: FRONTEX/hq may write but not read" },
    { "groups[0].entities", "[]",
      "channels[1].writers: EUROPOL/hq may write but not read" },
    { "channels[1].retention_days", "0",
      "channels[1].retention_days is 0: must be a whole number, 1 to 36500" },
    { "adhoc", NULL, "adhoc: missing" },
    { "adhoc[0]", "'anyone'", "adhoc[0] is \"anyone\": must be role:NAME" },

    /* witnesses, limits */
    { "witnesses[0]", "'EUROPOL'",
      "witnesses[0] is \"EUROPOL\": must be a delegation, ENTITY/name" },
    { "witnesses[0]", "'EUROPOL/ec4'",
      "witnesses[0] is \"EUROPOL/ec4\": no such delegation" },
    { "witnesses[1]", "'EUROPOL/hq'",
      "witnesses[1] is \"EUROPOL/hq\": stands twice" },
    { "quorum", "0", "quorum is 0: must be a whole number, 1 to 2" },
    { "quorum", "3", "quorum is 3: must be a whole number, 1 to 2" },
    { "witnesses", "[]", "quorum is 2: must be a whole number, 0 to 0" },
    { "limits", NULL, "limits: missing" },
    { "limits.messages_a_minute", "0", "limits.messages_a_minute is 0: must" },
    { "limits.octets_a_minute", "0", "limits.octets_a_minute is 0: must" },
    { "limits.connections", "65",
      "connections is 65: must be a whole number, "
      "1 to 64" },
    { "limits.requests_outstanding", "1025",
      "requests_outstanding is 1025: must be a whole number, 1 to 1024" },
    { "limits.lanes_a_day", "1025", "1 to 1024" },
    { "limits.lanes_a_day", NULL, "limits.lanes_a_day: missing" },

    /* what may be added, and what may be empty */
    { "x-more", "[]", NULL },
    { "channels[0].x-colour", "'blue'", NULL },
    { "entities[0].delegations[0].keys[0].x-device", "1", NULL },
    { "limits.x-why", "'tested'", NULL },
    { "proxies", "[]", NULL },
    { "groups[1]", "{'id':'none','title':'x','entities':[]}", NULL },
    { "adhoc", "[]", NULL },
    { "entities[0].delegations[0].revoked", "'1969-01-01'", NULL },
};

static void refused (struct roster **roster, const struct error *e,
                     const struct row *row) {
    if (!row->text) {
        if (!*roster)
            fail_msg ("%s: %s", row->path, e->text);
        roster_unref (roster);
        return;
    }
    if (*roster)
        fail_msg ("%s = %s was read", row->path,
                  row->value ? row->value : "nothing");
    if (!strstr (e->text, row->text))
        fail_msg ("%s: \"%s\" is not in \"%s\"", row->path, row->text, e->text);
    assert_int_equal (e->code, row->code ? row->code : ERR_MALFORMED);
}

static void test_rules (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error e = { 0 };
        json_t *document = fixture_document();
        fixture_set (document, rows[i].path, rows[i].value);
        struct roster *roster = fixture_read (document, "-", "EUROPOL", &e);
        refused (&roster, &e, &rows[i]);
    }
}

/* A roster that is not the first. */
static const struct row later_rows[] = {
    { "x-same", "1", NULL },
    { "version", "1", "version is 1: must be 1 exactly where line 2 is '-'" },
    { "previous", "null", "previous is null: must be text" },
    { "previous", "'00'", "previous is \"00\": must be 32 octets" },
    { "nonce", "'" HEX "'", "nonce: only the first roster has one" },
    { "epoch", "{'number':2,'base_size':9,'base_root':'" HEX "'}", NULL },
    { "epoch", "{'number':2}", "epoch.base_size: missing" },
    { "epoch", "{'number':2,'base_size':0,'base_root':'" HEX "'}",
      "epoch.base_size is 0: must be a whole number, 1 to" },
    { "epoch", "{'number':2,'base_size':9}", "epoch.base_root: missing" },
    { "epoch", "{'number':2,'base_size':9,'base_root':'00'}",
      "epoch.base_root is \"00\": must be 32 octets in lower case hex" },
    { "epoch", "{'number':3,'base_size':9,'base_root':'" HEX "'}",
      "epoch.number is 3: must not be above the version" },
};

static void test_later (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof later_rows / sizeof *later_rows; i++) {
        struct error e = { 0 };
        json_t *document = fixture_document();
        fixture_set (document, "version", "2");
        fixture_set (document, "previous", "'" HEX "'");
        fixture_set (document, "nonce", NULL);
        fixture_set (document, later_rows[i].path, later_rows[i].value);
        struct roster *roster = fixture_read (document, HEX, "EUROPOL", &e);
        refused (&roster, &e, &later_rows[i]);
    }
}

/* Notes and JSON that are not even a document. */
static void test_octets (void **state) {
    (void) state;
    static const char line[] = "\n\u2014 A/root AAAAAAA=\n";
    static const struct {
        const char *text, *reason;
        enum err code;
    } cases[] = {
        { "", "roster: note: ", ERR_MALFORMED },
        { "parley/roster/1\n-\n{\n", "JSON line ", ERR_MALFORMED },
        { "parley/roster/1\n-\n", "JSON line ", ERR_MALFORMED },
        { "parley/roster/1\n-\n[]\n", "JSON is no object", ERR_MALFORMED },
        { "parley/roster/1\n-\n{} {}\n", "JSON line ", ERR_MALFORMED },
        { "parley/roster/1\n-\n{\"a\":1,\"a\":2}\n", "duplicate",
          ERR_MALFORMED },
        { "parley/roster/1\n-\n{\"a\":\"\\u0000\"}\n", "JSON line ",
          ERR_MALFORMED },
        { "parley/roster/1\n-\n{\"format\":99999999999999999999}\n",
          "JSON line ", ERR_MALFORMED },
        { "parley/roster/1\n-\n{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}\n",
          "JSON nests deeper than 16 at octet 20", ERR_LIMIT },
        { "parley/roster/1\n-\n{\"\\\"[[[[[[[[[[[[[[[[[\":1}\n",
          "format: missing", ERR_MALFORMED },
        { "parley/roster/2\n-\n{}\n", "", ERR_NEWER },
        { "parley/card/1\n-\n{}\n", "no roster", ERR_MALFORMED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error e = { 0 };
        struct buf note = { 0 };
        buf_add_text (&note, cases[i].text);
        buf_add_text (&note, line);
        struct roster *roster = roster_read (buf_slice (&note), &e);
        assert_null (roster);
        if (!strstr (e.text, cases[i].reason))
            fail_msg ("%s: %s", cases[i].text, e.text);
        assert_int_equal (e.code, cases[i].code);
        assert_null (roster_read (buf_slice (&note), NULL));
        buf_free (&note);
    }
}

/* An array of `n` values; each '#' in the form is the index. */
static json_t *many (size_t n, const char *form) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct buf text = { 0 };
        for (const char *p = form; *p; p++) {
            if (*p == '#')
                buf_add_format (&text, "%zu", i);
            else
                buf_add (&text, p, 1);
        }
        char *filled = buf_take_text (&text);
        json_array_append_new (list, fixture_json (filled));
        free (filled);
    }
    return list;
}

/* Limits are asked before memory is taken for what is above them. */
static void test_limits (void **state) {
    (void) state;
    static const struct {
        const char *table, *form, *reason;
        size_t most;
    } cases[] = {
        { "root_signers", "{}", "root_signers: 65 items, at most 64", 64 },
        { "brokers", "{}", "brokers: 9 items, at most 8", 8 },
        { "proxies", "{}", "proxies: 65 items, at most 64", 64 },
        { "entities", "{}", "entities: 257 items, at most 256", 256 },
        { "entities", "{'delegations':[1,2,3,4,5,6,7,8,9]}",
          "entities: 522 delegations, at most 512", 57 },
        { "groups", "{}", "groups: 257 items, at most 256", 256 },
        { "channels", "{}", "channels: 257 items, at most 256", 256 },
        { "witnesses", "'EUROPOL/hq'", "witnesses: 32 items, at most 31", 31 },
        { "adhoc", "'role:x'", "adhoc: 1025 items, at most 1024", 1024 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error e = { 0 };
        json_t *document = fixture_document();
        json_object_set_new (document, cases[i].table,
                             many (cases[i].most + 1, cases[i].form));
        assert_null (fixture_read (document, "-", "EUROPOL", &e));
        if (!strstr (e.text, cases[i].reason))
            fail_msg ("%s: %s", cases[i].table, e.text);
        assert_int_equal (e.code, ERR_LIMIT);
    }
}

static void test_size (void **state) {
    (void) state;
    struct error e = { 0 };
    json_t *document = fixture_document();
    char *text = mem_alloc (ROSTER_JSON_MAX + 1);
    memset (text, 'x', ROSTER_JSON_MAX);
    json_object_set_new (document, "x-long", json_string (text));
    assert_null (fixture_read (document, "-", "EUROPOL", &e));
    assert_int_equal (e.code, ERR_LIMIT);
    assert_non_null (strstr (e.text, "limit 1000000"));
    free (text);

    document = fixture_document();
    json_object_set_new (document, "x-deep", many (16384, "[#]"));
    assert_null (fixture_read (document, "-", "EUROPOL", &e));
    assert_int_equal (e.code, ERR_LIMIT);
    assert_non_null (strstr (e.text, "more than 16384 arrays and objects"));

    struct slice large = { mem_alloc (NOTE_MAX + 1), NOTE_MAX + 1 };
    assert_null (roster_read (large, &e));
    assert_int_equal (e.code, ERR_LIMIT);
    free ((void *) (uintptr_t) large.data);
}

/* The largest tables that the limits allow are read. */
static void test_largest (void **state) {
    (void) state;
    struct error e = { 0 };
    json_t *document = fixture_document();
    json_t *entities = json_object_get (document, "entities");
    for (size_t i = json_array_size (entities); i < ROSTER_ENTITIES_MAX; i++) {
        char text[256];
        snprintf (text, sizeof text,
                  "{'id':'E%zu','name':'n','role':'r','sector':'s','regions':"
                  "[],'delegations':[{'id':'a','keys':['$set:%zua']},{'id':"
                  "'b','keys':['$set:%zub']}]}",
                  i, i, i);
        json_array_append_new (entities, fixture_json (text));
    }
    json_object_set_new (document, "channels",
                         many (ROSTER_CHANNELS_MAX,
                               "{'id':'c#','title':'t','readers':"
                               "['role:r'],'writers':['entity:E9']}"));
    struct roster *roster = fixture_read (document, "-", "EUROPOL", &e);
    if (!roster)
        fail_msg ("%s", e.text);
    assert_int_equal (roster_entities (roster), ROSTER_ENTITIES_MAX);
    const struct roster_channel *c =
        roster_channel (roster, slice_text ("c255"));
    const struct roster_delegation *last =
        roster_delegation (roster, slice_text ("E255/b"));
    assert_true (roster_channel_reader (roster, c, last));
    assert_false (roster_channel_writer (roster, c, last));
    assert_true (roster_channel_writer (
        roster, c, roster_delegation (roster, slice_text ("E9/a"))));
    roster_unref (&roster);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_rules),  cmocka_unit_test (test_later),
        cmocka_unit_test (test_octets), cmocka_unit_test (test_limits),
        cmocka_unit_test (test_size),   cmocka_unit_test (test_largest),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
