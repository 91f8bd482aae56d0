/* block_verify: whose words they are under a roster, and who may not. */
#include "block_fixture.h"
#include "vectors.h"

static struct cast cast;

static int begin (void **state) {
    (void) state;
    cast_begin (&cast);
    return 0;
}

static int end (void **state) {
    (void) state;
    cast_end (&cast);
    return 0;
}

/* Check and verify. */
static enum err judge (const struct build *b, const struct hash *dialogue,
                       const struct roster *roster, struct error *e) {
    struct buf octets = { 0 };
    struct block block;
    struct block_facts facts;
    build_finish (b, &octets);
    if (block_read (buf_slice (&octets), &block, e)
        || block_check (&block, &facts, e))
        fail_msg ("before: %s", e->text);
    enum err rc = block_verify (&block, dialogue, roster, e);
    buf_free (&octets);
    return rc;
}

/* 0-2: whole; 3, 4: 1 and 2 of five, ids; 5, 6: 3 and 4 of six, paths, handed
 * in by FRONTEX/hq. All of EUROPOL/hq. */
static struct build *words (void) {
    struct build *b = build_new ("all");
    build_batch (b, &cast, cast.hq, NULL, 3, 0, 3, RUN_WHOLE, 0);
    build_batch (b, &cast, cast.hq, NULL, 5, 1, 3, RUN_MISSING, 0);
    build_batch (b, &cast, cast.hq, cast.frontex, 6, 3, 5, RUN_PATHS, 0);
    return b;
}

static void test_good (void **state) {
    (void) state;
    struct build *all[] = { words(), build_new (CHANNEL_LOG),
                            build_new ("@EUROPOL+FRONTEX"), build_new ("core"),
                            build_new ("all") };
    build_roster (all[1], cast.roster);
    build_mark (all[1], cast.roster);
    build_batch (all[2], &cast, cast.frontex, NULL, 1, 0, 1, RUN_WHOLE, 0);
    /* Whoever hands in needs no right of its own. */
    build_batch (all[3], &cast, cast.ec3, cast.frontex, 2, 0, 2, RUN_PATHS, 0);
    build_erasure (all[3]);
    build_batch (all[4], &cast, cast.hq, NULL, 256, 0, 256, RUN_WHOLE, 0);
    for (size_t i = 0; i < 5; i++) {
        struct error e = { 0 };
        if (judge (all[i], &cast.dialogue, cast.roster, &e))
            fail_msg ("%zu: %s", i, e.text);
        build_free (all[i]);
    }
}

static enum err read_and_judge (struct slice octets, struct error *e) {
    struct block block;
    struct block_facts facts;
    enum err rc = block_read (octets, &block, e);
    if (!rc)
        rc = block_check (&block, &facts, e);
    return rc ? rc : block_verify (&block, &cast.dialogue, cast.roster, e);
}

static void mend (struct buf *octets) {
    uint8_t *p = octets->data;
    struct block b;
    /* The table and batches are good; what they hold of sums is made anew. */
    size_t n = get_u16 (p + 10), at = 32 + 32 * n;
    for (unsigned m = get_u16 (p + 12); m > 0; m--)
        at += 8 + get_u32 (p + at + 4);
    struct slice parts[] = { slice_of (p, 24), slice_of (p + 32, 0) };
    for (size_t i = 0, content = at; i < n; i++) {
        uint8_t *entry = p + 32 + 32 * i;
        struct slice record = slice_of (p + content, get_u32 (entry));
        struct slice body =
            slice_of (record.data + record.size, get_u32 (entry + 4));
        put_u64 (entry + 16, hash_xxh3 (record, 0));
        put_u64 (entry + 24, hash_xxh3 (body, 0));
        content += record.size + body.size;
    }
    parts[1].size = at - 32;
    put_u64 (p + 24, hash_xxh3_parts (parts, 2, 0));
    assert_int_equal (block_read (buf_slice (octets), &b, NULL), ERR_NONE);
}

/* Octets of a record that only the broker vouches for: time, places. */
static bool is_place (const struct block *b, size_t at) {
    struct block_walk w;
    block_walk (b, &w);
    while (block_next (&w)) {
        struct mp in;
        mp_start (&in, w.record);
        size_t from = (size_t) (w.record.data - b->octets.data);
        if (at < from || at >= from + w.record.size)
            continue;
        mp_array (&in, 15, 15);
        for (int i = 0; i < 9; i++) {
            const uint8_t *element = in.at;
            mp_any (&in);
            bool inside =
                b->octets.data + at >= element && b->octets.data + at < in.at;
            /* Log time, roster, first channel sequence, previous. */
            if (inside && (i == 3 || i == 5 || i == 7 || i == 8))
                return true;
        }
    }
    return false;
}

/* Whoever holds the block can change nothing in a run's ids, paths, records
 * and bodies, though all checksums are made good again, but what is the
 * broker's own word. */
static void test_any_octet (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct block good;
    struct build *b = words();
    build_finish (b, &octets);
    build_free (b);
    assert_int_equal (read_and_judge (buf_slice (&octets), NULL), ERR_NONE);
    uint8_t *copy = mem_copy (octets.data, octets.size);
    assert_int_equal (block_read (slice_of (copy, octets.size), &good, NULL),
                      ERR_NONE);
    for (size_t i = (size_t) (good.batches - copy); i < octets.size; i++) {
        struct error e = { 0 };
        struct block_run_view view;
        bool length = false;
        const uint8_t *at = good.batches;
        for (size_t r = 0; r < good.runs; r++) {
            block_run_at (&good, r, &view);
            length |= copy + i >= at && copy + i < at + 8;
            at += 8 + view.hashes.size;
        }
        if (length || is_place (&good, i))
            continue; /* test_block has the former */
        octets.data[i] ^= 0x01;
        mend (&octets);
        enum err rc = read_and_judge (buf_slice (&octets), &e);
        if (rc == ERR_NONE || rc != e.code)
            fail_msg ("octet %zu: %s '%s'", i, error_name (rc), e.text);
        memcpy (octets.data, copy, octets.size);
    }
    free (copy);
    buf_free (&octets);
}

/* The fixture's roster with one thing changed, and what that makes of words(),
 * or of the channel and author named. */
static const struct {
    const char *path, *value;
    const char *channel, *author;
    enum err code;
} rosters[] = {
    { "x-same", "1", NULL, NULL, ERR_NONE },
    { "entities[0].delegations[0].keys", "[]", NULL, NULL, ERR_KEY },
    { "entities[0].delegations[0].keys[0]", "'$set:another'", NULL, NULL,
      ERR_KEY },
    { "entities[0].delegations[0].revoked", "true", NULL, NULL, ERR_KEY },
    { "entities[0].delegations[0].expires", "'2025-12-31'", NULL, NULL,
      ERR_KEY },
    { "entities[0].delegations[0].id", "'main'", NULL, NULL, ERR_KEY },
    { "entities[1].delegations[0].revoked", "true", NULL, NULL, ERR_KEY },
    { "entities[1].delegations[0].keys[0]", "'$set:another'", NULL, NULL,
      ERR_KEY },
    { "channels[0].writers", "['entity:FRONTEX']", NULL, NULL, ERR_RIGHT },
    { "channels[0].id", "'everybody'", NULL, NULL, ERR_RIGHT },
    { "epoch.number", "2", NULL, NULL, ERR_CHAIN },
    { "x-same", "1", "core", "FRONTEX", ERR_RIGHT },
    { "x-same", "1", "core", "EUROPOL", ERR_NONE },
    { "x-same", "1", "@EUROPOL+FRONTEX", "EUROPOL", ERR_NONE },
    { "adhoc", "['delegation:UNODC/late']", "@EUROPOL+FRONTEX", "EUROPOL",
      ERR_RIGHT },
    { "x-same", "1", "@EUROPOL+UNODC", "FRONTEX", ERR_RIGHT },
    { "x-same", "1", "@EUROPOL+NOBODY", "EUROPOL", ERR_RIGHT },
    { "x-same", "1", "unheard", "EUROPOL", ERR_RIGHT },
    { "x-same", "1", "late", "EUROPOL", ERR_RIGHT },
};

static void test_rosters (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof rosters / sizeof *rosters; i++) {
        struct error e = { 0 };
        json_t *document = cast_document (&cast);
        if (strcmp (rosters[i].path, "epoch.number") == 0) {
            fixture_set (document, "version", "2");
            fixture_set (document, "previous",
                         "'00112233445566778899aabbccddeeff"
                         "00112233445566778899aabbccddeeff'");
            fixture_set (document, "nonce", NULL);
            fixture_set (document, "epoch.base_size", "1");
            fixture_set (document, "epoch.base_root",
                         "'00112233445566778899aabbccddeeff"
                         "00112233445566778899aabbccddeeff'");
        }
        fixture_set (document, rosters[i].path, rosters[i].value);
        bool witness =
            strcmp (rosters[i].path, "entities[0].delegations[0].id") == 0
            || strstr (rosters[i].path, "keys");
        if (witness || strstr (rosters[i].path, "revoked")) {
            fixture_set (document, "witnesses", "[]");
            fixture_set (document, "quorum", "0");
        }
        char dialogue[HASH_TEXT_MAX] = "-";
        if (json_integer_value (json_object_get (document, "version")) == 2)
            hash_text (dialogue, &cast.dialogue);
        struct roster *roster =
            fixture_read (document, dialogue, "EUROPOL FRONTEX", &e);
        if (!roster)
            fail_msg ("row %zu: %s", i, e.text);
        struct build *b =
            rosters[i].channel ? build_new (rosters[i].channel) : words();
        if (rosters[i].channel)
            build_batch (b, &cast,
                         strcmp (rosters[i].author, "EUROPOL") == 0
                             ? cast.hq
                             : cast.frontex,
                         NULL, 2, 0, 2, RUN_WHOLE, 0);
        enum err rc = judge (b, &cast.dialogue, roster, &e);
        if (rc != rosters[i].code || (rc && e.code != rc)
            || (rc && strncmp (e.text, "record 2", 8) != 0))
            fail_msg ("row %zu: %s '%s'", i, error_name (rc), e.text);
        build_free (b);
        roster_unref (&roster);
    }
}

/* Of two key sets the older counts below its `until`; so does an expiry. */
static void test_times (void **state) {
    (void) state;
    static const struct {
        const char *until, *expires;
        enum err code;
    } times[] = {
        { "'2026-01-01T00:00:00.004Z'", NULL, ERR_NONE },
        { "'2026-01-01T00:00:00.003Z'", NULL, ERR_KEY },
        { "'2026-01-01T00:00:01Z'", "'2026-01-01T00:00:01Z'", ERR_NONE },
        { "'2026-01-01T00:00:00Z'", NULL, ERR_KEY },
        { "'2027-01-01'", "'2026-01-01T00:00:00Z'", ERR_KEY },
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct error e = { 0 };
        json_t *d = cast_document (&cast);
        json_t *set = json_deep_copy (json_object_get (
            json_array_get (
                json_object_get (
                    json_array_get (json_object_get (d, "entities"), 0),
                    "delegations"),
                0),
            "keys"));
        json_t *older = json_array_get (set, 0);
        char *text;
        json_object_set_new (older, "until", json_string ("2030-01-01"));
        text = json_dumps (older, 0);
        json_decref (set);
        fixture_set (d, "entities[0].delegations[0].keys[0]", "'$set:new'");
        fixture_set (d, "entities[0].delegations[0].keys[1]", text);
        fixture_set (d, "entities[0].delegations[0].keys[1].until",
                     times[i].until);
        if (times[i].expires)
            fixture_set (d, "entities[0].delegations[0].expires",
                         times[i].expires);
        struct roster *roster = cast_roster (d);
        struct build *b = words();
        enum err rc = judge (b, &cast.dialogue, roster, &e);
        if (rc != times[i].code)
            fail_msg ("row %zu: %s '%s'", i, error_name (rc), e.text);
        build_free (b);
        roster_unref (&roster);
        free (text);
    }
}

static void test_dialogue (void **state) {
    (void) state;
    struct hash other = hash_sha256 (slice_text ("another"));
    struct build *b = words();
    struct error e;
    assert_int_equal (judge (b, &other, cast.roster, &e), ERR_CHAIN);
    build_free (b);
}

/* Nobody writes under a roster that is not there yet. */
static void test_roster_version (void **state) {
    (void) state;
    struct build *b = build_new ("all");
    struct error e;
    b->roster_version = 2;
    build_batch (b, &cast, cast.hq, NULL, 1, 0, 1, RUN_WHOLE, 0);
    assert_int_equal (judge (b, &cast.dialogue, cast.roster, &e), ERR_CHAIN);
    build_free (b);
}

/* Rosters and marks name the roster in force. */
static void test_log (void **state) {
    (void) state;
    json_t *document = cast_document (&cast);
    fixture_set (document, "name", "'Another'");
    struct roster *other = cast_roster (document);
    struct error e;
    struct build *b = build_new (CHANNEL_LOG);
    build_mark (b, cast.roster);
    assert_int_equal (judge (b, &cast.dialogue, cast.roster, &e), ERR_NONE);
    assert_int_equal (judge (b, &cast.dialogue, other, &e), ERR_CHAIN);
    build_free (b);
    b = build_new (CHANNEL_LOG);
    build_roster (b, cast.roster);
    assert_int_equal (judge (b, &cast.dialogue, cast.roster, &e), ERR_NONE);
    assert_int_equal (judge (b, &cast.dialogue, other, &e), ERR_CHAIN);
    build_free (b);
    roster_unref (&other);
}

/* What stands beside a run is as much part of its proof. */
static void test_beside (void **state) {
    (void) state;
    for (int run = 1; run <= 2; run++) {
        struct build *b = words();
        struct error e = { 0 };
        b->runs[run].hashes[0].octets[0] ^= 1;
        assert_int_equal (judge (b, &cast.dialogue, cast.roster, &e),
                          ERR_SIGNATURE);
        build_free (b);
        b = words();
        struct hash swap = b->runs[run].hashes[0];
        b->runs[run].hashes[0] = b->runs[run].hashes[1];
        b->runs[run].hashes[1] = swap;
        assert_int_equal (judge (b, &cast.dialogue, cast.roster, &e),
                          ERR_SIGNATURE);
        build_free (b);
    }
}

static void newer_one (struct build *b, size_t item) {
    record_put (&b->items[item].record, 0, "02");
}

/* Sign items 0 to 2, the whole run, as they are. */
static void sign_again (struct build *b) {
    struct hash ids[3];
    struct buf data = { 0 };
    uint8_t signature[SIGNATURE_SIZE];
    char hex[4 + HEX_SIZE (SIGNATURE_SIZE)] = "c440";
    for (size_t i = 0; i < 3; i++) {
        struct record r;
        (void) !record_read (buf_slice (&b->items[i].record), &r, NULL);
        ids[i] = hash_leaf (r.payload);
    }
    struct hash root = tree_root_of (ids, 3);
    mp_put_array (&data, 5);
    mp_put_bin (&data, cast.dialogue.octets, HASH_SIZE);
    mp_put_str (&data, "EUROPOL/hq");
    mp_put_str (&data, "all");
    mp_put_int (&data, 3);
    mp_put_bin (&data, root.octets, HASH_SIZE);
    identity_sign (cast.hq, LABEL_BATCH, buf_slice (&data), signature);
    hex_encode (hex + 4, signature, sizeof signature);
    for (size_t i = 0; i < 3; i++)
        record_put (&b->items[i].record, 13, hex);
    buf_free (&data);
}

/* A run of newer records alone is passed over, and what stands beside it is
 * still looked at. Newer headers are of their batch: their id is known. */
static void test_newer (void **state) {
    (void) state;
    struct build *b = words();
    struct error e = { 0 };
    newer_one (b, 0);
    newer_one (b, 1);
    newer_one (b, 2);
    assert_int_equal (judge (b, &cast.dialogue, cast.roster, &e), ERR_NONE);
    b->runs[1].hashes[0].octets[0] ^= 1;
    assert_int_equal (judge (b, &cast.dialogue, cast.roster, &e),
                      ERR_SIGNATURE);
    build_free (b);
    for (size_t item = 0; item < 3; item++) {
        b = words();
        record_put (&b->items[item].record, 10, "c403919102");
        assert_int_equal (judge (b, &cast.dialogue, cast.roster, &e),
                          ERR_SIGNATURE);
        sign_again (b);
        if (judge (b, &cast.dialogue, cast.roster, &e))
            fail_msg ("item %zu: %s", item, e.text);
        build_free (b);
    }
}

/* Beside ours it would let those pass for proven, and whatever follows. */
static void test_newer_hides_nothing (void **state) {
    (void) state;
    for (size_t item = 0; item < 7; item++) {
        struct build *b = words();
        struct buf octets = { 0 };
        struct error e = { 0 };
        newer_one (b, item);
        build_finish (b, &octets);
        assert_int_equal (read_and_judge (buf_slice (&octets), &e),
                          ERR_MALFORMED);
        buf_free (&octets);
        build_free (b);
    }
}

/* A block that was not checked makes no trouble. */
static void test_unchecked (void **state) {
    (void) state;
    for (int round = 0; round < 3; round++) {
        struct build *b = words();
        struct buf octets = { 0 };
        struct block block;
        if (round == 0)
            b->items[0].run = -1;
        else if (round == 1)
            b->runs[1].count = 1;
        else
            b->runs[2].count = 1;
        build_finish (b, &octets);
        assert_int_equal (block_read (buf_slice (&octets), &block, NULL), 0);
        assert_int_equal (
            block_verify (&block, &cast.dialogue, cast.roster, NULL),
            ERR_MALFORMED);
        buf_free (&octets);
        build_free (b);
    }
}

/* tests/vectors/blocks.json with the first roster of roster.json. */

static struct roster *vector_roster (int64_t version) {
    json_t *all = vectors_load ("roster.json"), *v;
    struct roster *found = NULL;
    size_t i;
    json_array_foreach (all, i, v) {
        if (found || !(vector_is (v, "first") || vector_is (v, "next"))
            || vector_refused (v))
            continue;
        const json_t *in = json_object_get (v, "in");
        found = roster_read (vector_slice (in, "note"), NULL);
        if (found && roster_version (found) != version)
            roster_unref (&found);
    }
    json_decref (all);
    assert_non_null (found);
    return found;
}

static void test_vectors (void **state) {
    (void) state;
    json_t *all = vectors_load ("blocks.json"), *v;
    struct roster *roster = vector_roster (1);
    struct buf room = { 0 };
    size_t i;
    json_array_foreach (all, i, v) {
        struct block b;
        struct block_facts facts;
        struct error e = { 0 };
        const char *name = vector_text (v, "name");
        bool refused = vector_refused (v);
        if (refused && vector_is (v, "block"))
            continue; /* test_block's */
        struct slice octets =
            vector_octets (refused ? v : json_object_get (v, "out"), &room);
        if (block_read (octets, &b, &e) || block_check (&b, &facts, &e))
            fail_msg ("%s: %s", name, e.text);
        enum err rc = block_verify (&b, roster_dialogue (roster), roster, &e);
        bool wrong_key = rc == ERR_KEY && strstr (name, "submitter");
        if (rc != (refused ? ERR_SIGNATURE : ERR_NONE) && !wrong_key)
            fail_msg ("%s: %s '%s'", name, error_name (rc), e.text);
    }
    buf_free (&room);
    roster_unref (&roster);
    json_decref (all);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_any_octet),
        cmocka_unit_test (test_rosters),
        cmocka_unit_test (test_times),
        cmocka_unit_test (test_dialogue),
        cmocka_unit_test (test_roster_version),
        cmocka_unit_test (test_log),
        cmocka_unit_test (test_beside),
        cmocka_unit_test (test_newer),
        cmocka_unit_test (test_newer_hides_nothing),
        cmocka_unit_test (test_unchecked),
        cmocka_unit_test (test_good),
        cmocka_unit_test (test_vectors),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
