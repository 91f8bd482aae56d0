/* roster: what stands in the table, found by place, name and key. */
#include "roster_fixture.h"

static struct slice s (const char *text) {
    return slice_text (text);
}

static void test_references (void **state) {
    (void) state;
    struct roster *none = NULL;
    roster_unref (NULL);
    roster_unref (&none);
    struct roster *roster = fixture_roster (NULL), *other;
    other = roster_ref (roster);
    assert_ptr_equal (other, roster);
    roster_unref (&roster);
    assert_null (roster);
    assert_string_equal (roster_name (other), "Test dialogue");
    roster_unref (&other);
}

static void test_document (void **state) {
    (void) state;
    struct roster *roster = fixture_roster (NULL);
    struct hash digest = note_digest (roster_note (roster)->text);
    int64_t size;
    struct hash root;
    uint8_t key[KEY_SIZE];
    assert_true (hash_equal (roster_digest (roster), &digest));
    assert_true (hash_equal (roster_dialogue (roster), &digest));
    assert_true (
        slice_equal (roster_octets (roster), roster_note (roster)->octets));
    assert_int_equal (roster_note (roster)->count, 2);
    assert_true (roster_is_first (roster));
    assert_null (roster_previous (roster));
    assert_int_equal (roster_version (roster), 1);
    assert_int_equal (roster_epoch (roster), 1);
    assert_false (roster_epoch_base (roster, &size, &root));
    assert_string_equal (roster_origin (roster), "example.org/test");
    assert_int_equal (roster_threshold (roster), 2);
    assert_int_equal (roster_quorum (roster), 2);
    fixture_key ("$log", key);
    assert_memory_equal (roster_log_key (roster), key, KEY_SIZE);
    assert_int_equal (roster_limits (roster)->messages_a_minute, 100000);
    assert_int_equal (roster_limits (roster)->octets_a_minute, 268435456);
    assert_int_equal (roster_limits (roster)->connections, 16);
    assert_int_equal (roster_limits (roster)->requests_outstanding, 1024);
    assert_int_equal (roster_limits (roster)->lanes_a_day, 64);
    roster_unref (&roster);
}

static void test_later_document (void **state) {
    (void) state;
    struct error e = { 0 };
    struct roster *first = fixture_roster (NULL);
    json_t *document = fixture_next (first, fixture_document());
    fixture_set (document, "epoch",
                 "{'number':2,'base_size':77,'base_root':'"
                 "0123456789abcdef0123456789abcdef"
                 "0123456789abcdef0123456789abcdef'}");
    char id[HASH_TEXT_MAX];
    struct roster *roster = fixture_read (
        document, hash_text (id, roster_digest (first)), "UNODC", &e);
    assert_non_null (roster);
    int64_t size;
    struct hash root;
    assert_false (roster_is_first (roster));
    assert_true (hash_equal (roster_dialogue (roster), roster_digest (first)));
    assert_true (hash_equal (roster_previous (roster), roster_digest (first)));
    assert_int_equal (roster_epoch (roster), 2);
    assert_true (roster_epoch_base (roster, &size, &root));
    assert_int_equal (size, 77);
    assert_int_equal (root.octets[1], 0x23);
    roster_unref (&first);
    roster_unref (&roster);
}

static void test_rows (void **state) {
    (void) state;
    struct roster *r = fixture_roster (NULL);
    uint8_t key[KEY_SIZE];
    assert_int_equal (roster_signers (r), 3);
    assert_string_equal (roster_signer_at (r, 1)->entity, "FRONTEX");
    assert_string_equal (roster_signer_at (r, 1)->name, "FRONTEX/root");
    fixture_key ("$root:FRONTEX", key);
    assert_memory_equal (roster_signer_at (r, 1)->key, key, KEY_SIZE);

    assert_int_equal (roster_brokers (r), 1);
    const struct roster_broker *broker = roster_broker_at (r, 0);
    assert_string_equal (broker->desk, "tcp://127.0.0.1:7001");
    assert_string_equal (broker->feed, "tcp://[::1]:7002");
    assert_int_equal (broker->link.count, 2);
    assert_int_equal (broker->link.older_until, INT64_C (1780272000000));
    assert_int_equal (broker->desk_key.count, 1);
    fixture_key ("$blink-old", key);
    assert_memory_equal (broker->link.key[1], key, KEY_SIZE);
    assert_int_equal (roster_proxies (r), 1);
    assert_string_equal (roster_proxy_at (r, 0)->feed,
                         "tcp://relay.example:7003");

    assert_int_equal (roster_entities (r), 4);
    const struct roster_entity *entity = roster_entity_at (r, 2);
    assert_string_equal (entity->name, "Drugs and Crime");
    assert_string_equal (entity->role, "observer");
    assert_string_equal (entity->sector, "justice");
    assert_int_equal (entity->region_count, 1);
    assert_string_equal (entity->regions[0], "001");
    assert_int_equal (entity->first_delegation, 3);
    assert_int_equal (entity->delegation_count, 2);

    assert_int_equal (roster_groups (r), 1);
    assert_string_equal (roster_group_at (r, 0)->id, "core");
    assert_int_equal (roster_group_at (r, 0)->entities[1], 2);
    assert_int_equal (roster_channels (r), 3);
    assert_string_equal (roster_channel_at (r, 1)->title, "Core group");
    assert_int_equal (roster_channel_at (r, 1)->retention_days, 30);
    assert_int_equal (roster_channel_at (r, 0)->retention_days, 0);
    assert_string_equal (roster_channel_at (r, 1)->readers[1],
                         "delegation:FRONTEX/hq");
    assert_int_equal (roster_witnesses (r), 2);
    assert_string_equal (roster_witness_at (r, 1)->name, "FRONTEX/hq");
    roster_unref (&r);
}

static void test_delegations (void **state) {
    (void) state;
    static const struct {
        const char *name;
        size_t entity;
        int key_count;
        int64_t older_until, expires;
        bool revoked;
    } rows[] = {
        { "EUROPOL/hq", 0, 2, INT64_C (1780272000000), 0, false },
        { "EUROPOL/ec3", 0, 1, 0, INT64_C (1798761600000), false },
        { "FRONTEX/hq", 1, 1, 0, 0, false },
        { "UNODC/hq", 2, 1, 0, 0, true },
        { "UNODC/late", 2, 0, 0, 0, false },
    };
    struct roster *r = fixture_roster (NULL);
    assert_int_equal (roster_delegations (r), sizeof rows / sizeof *rows);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct roster_delegation *d = roster_delegation_at (r, i);
        assert_string_equal (d->name, rows[i].name);
        assert_int_equal (d->entity, rows[i].entity);
        assert_int_equal (d->index, i);
        assert_int_equal (d->key_count, rows[i].key_count);
        assert_int_equal (d->older_until, rows[i].older_until);
        assert_int_equal (d->expires, rows[i].expires);
        assert_int_equal (d->revoked, rows[i].revoked);
        assert_ptr_equal (roster_delegation (r, s (rows[i].name)), d);
        for (int set = 0; set < d->key_count; set++)
            assert_true (
                key_id_equal (d->sign_id[set],
                              key_id_of (KEY_TYPE_ED25519, d->keys[set].sign)));
    }
    roster_unref (&r);
}

static void test_names (void **state) {
    (void) state;
    struct roster *r = fixture_roster (NULL);
    static const char *const no_delegation[] = {
        "",           "EUROPOL",    "EUROPOL/", "EUROPOL/h", "EUROPOL/hqx",
        "europol/hq", "UNODC/root", "ZZZ/zz"
    };
    for (size_t i = 0; i < sizeof no_delegation / sizeof *no_delegation; i++)
        assert_null (roster_delegation (r, s (no_delegation[i])));
    assert_null (roster_delegation (r, slice_of ("EUROPOL/hq\0", 11)));
    assert_null (roster_delegation (r, slice_of (NULL, 0)));
    assert_ptr_equal (roster_entity (r, s ("NEWCOMER")),
                      roster_entity_at (r, 3));
    assert_null (roster_entity (r, s ("NEW")));
    assert_ptr_equal (roster_channel (r, s ("late")), roster_channel_at (r, 2));
    assert_null (roster_channel (r, s ("log")));
    assert_null (roster_channel (r, s ("$log")));
    assert_ptr_equal (roster_broker (r, s ("lyon")), roster_broker_at (r, 0));
    assert_null (roster_broker (r, s ("relay")));
    roster_unref (&r);
}

static void test_links (void **state) {
    (void) state;
    static const struct {
        const char *key, *delegation;
        int set;
        bool proxy;
    } rows[] = {
        { "$set:EUROPOL/hq.link", "EUROPOL/hq", 0, false },
        { "$old:EUROPOL/hq.link", "EUROPOL/hq", 1, false },
        { "$set:UNODC/hq.link", "UNODC/hq", 0, false },
        { "$set:EUROPOL/hq.seal", NULL, 0, false },
        { "$plink", NULL, 0, true },
        { "$blink", NULL, 0, false },
        { "$nobody", NULL, 0, false },
    };
    struct roster *r = fixture_roster (NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t key[KEY_SIZE];
        int set = -1;
        fixture_key (rows[i].key, key);
        const struct roster_delegation *d = roster_by_link (r, key, &set);
        assert_ptr_equal (d, roster_by_link (r, key, NULL));
        assert_int_equal (d != NULL, rows[i].delegation != NULL);
        assert_int_equal (set, d ? rows[i].set : -1);
        if (d)
            assert_string_equal (d->name, rows[i].delegation);
        assert_int_equal (roster_proxy_by_link (r, key) != NULL, rows[i].proxy);
    }
    roster_unref (&r);
}

/* A grid of who is what: columns are the delegations in order. */
static void test_grants (void **state) {
    (void) state;
    static const struct {
        const char *path, *value, *channel, *readers, *writers, *openers;
    } rows[] = {
        { "x-", "1", "all", "11111", "11100", "01000" },
        { "x-", "1", "core", "11111", "11000", "01000" },
        { "x-", "1", "late", "00001", "00000", "01000" },
        { "channels[0].writers", "['delegation:UNODC/hq']", "all", "11111",
          "00010", "01000" },
        { "channels[0].writers", "['group:core','role:member']", "all", "11111",
          "11111", "01000" },
        { "channels[0].writers", "[]", "all", "11111", "00000", "01000" },
        { "adhoc", "['entity:UNODC','role:guest']", "all", "11111", "11100",
          "00011" },
        { "adhoc", "['group:core']", "all", "11111", "11100", "11011" },
        { "adhoc", "['entity:NEWCOMER']", "all", "11111", "11100", "00000" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct roster *r = fixture_roster (rows[i].path, rows[i].value, NULL);
        const struct roster_channel *c =
            roster_channel (r, s (rows[i].channel));
        for (size_t n = 0; n < roster_delegations (r); n++) {
            const struct roster_delegation *d = roster_delegation_at (r, n);
            assert_int_equal (roster_channel_reader (r, c, d),
                              rows[i].readers[n] == '1');
            assert_int_equal (roster_channel_writer (r, c, d),
                              rows[i].writers[n] == '1');
            assert_int_equal (roster_adhoc_opener (r, d),
                              rows[i].openers[n] == '1');
        }
        roster_unref (&r);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_references),
        cmocka_unit_test (test_document),
        cmocka_unit_test (test_later_document),
        cmocka_unit_test (test_rows),
        cmocka_unit_test (test_delegations),
        cmocka_unit_test (test_names),
        cmocka_unit_test (test_links),
        cmocka_unit_test (test_grants),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
