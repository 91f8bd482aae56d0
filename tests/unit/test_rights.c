/* rights: one table of questions for each call, over changed rosters. */
#include "identity/rights.h"
#include "roster_fixture.h"

#define MAY INT64_C (1777593600000)      /* 2026-05-01 */
#define JUNE INT64_C (1780272000000)     /* EUROPOL/hq's older keys end */
#define NEW_YEAR INT64_C (1798761600000) /* EUROPOL/ec3 expires */

static struct slice s (const char *text) {
    return slice_text (text);
}

static void test_names (void **state) {
    (void) state;
    assert_string_equal (verdict_name (VERDICT_YES), "YES");
    assert_string_equal (verdict_name (VERDICT_EMPTY_AUDIENCE),
                         "EMPTY-AUDIENCE");
    assert_string_equal (verdict_name ((enum verdict) 99), "UNKNOWN");
}

static void test_ask (void **state) {
    (void) state;
    static const struct {
        const char *delegation, *channel;
        enum verdict read, write;
        int64_t at;
    } rows[] = {
        /* the delegation is asked first */
        { "", "all", VERDICT_NOT_LISTED, VERDICT_NOT_LISTED, MAY },
        { "EUROPOL", "all", VERDICT_NOT_LISTED, VERDICT_NOT_LISTED, MAY },
        { "NATO/hq", "none", VERDICT_NOT_LISTED, VERDICT_NOT_LISTED, MAY },
        { "UNODC/late", "all", VERDICT_NOT_LISTED, VERDICT_NOT_LISTED, MAY },
        { "UNODC/hq", "all", VERDICT_REVOKED, VERDICT_REVOKED, MAY },
        { "EUROPOL/ec3", "all", VERDICT_YES, VERDICT_YES, NEW_YEAR - 1 },
        { "EUROPOL/ec3", "all", VERDICT_EXPIRED, VERDICT_EXPIRED, NEW_YEAR },
        { "EUROPOL/hq", "all", VERDICT_YES, VERDICT_YES, NEW_YEAR },

        { "EUROPOL/hq", "$log", VERDICT_YES, VERDICT_NO, MAY },
        { "UNODC/hq", "$log", VERDICT_REVOKED, VERDICT_REVOKED, MAY },
        { "FRONTEX/hq", "core", VERDICT_YES, VERDICT_NO, MAY },
        { "EUROPOL/hq", "core", VERDICT_YES, VERDICT_YES, MAY },
        { "EUROPOL/hq", "late", VERDICT_EMPTY_AUDIENCE, VERDICT_EMPTY_AUDIENCE,
          MAY },
        { "EUROPOL/hq", "", VERDICT_UNKNOWN_CHANNEL, VERDICT_UNKNOWN_CHANNEL,
          MAY },
        { "EUROPOL/hq", "log", VERDICT_UNKNOWN_CHANNEL, VERDICT_UNKNOWN_CHANNEL,
          MAY },
        { "EUROPOL/hq", "$lo", VERDICT_UNKNOWN_CHANNEL, VERDICT_UNKNOWN_CHANNEL,
          MAY },

        /* EUROPOL opens, by one of its delegations, for all of them */
        { "EUROPOL/hq", "@EUROPOL+FRONTEX", VERDICT_YES, VERDICT_YES, MAY },
        { "FRONTEX/hq", "@EUROPOL+FRONTEX", VERDICT_YES, VERDICT_YES, MAY },
        { "FRONTEX/hq", "@EUROPOL+UNODC", VERDICT_NO, VERDICT_NO, MAY },
        { "EUROPOL/hq", "@EUROPOL", VERDICT_YES, VERDICT_YES, MAY },
        { "EUROPOL/hq", "@EUROPOL+NEWCOMER", VERDICT_YES, VERDICT_YES, MAY },
        { "FRONTEX/hq", "@FRONTEX+UNODC", VERDICT_UNKNOWN_CHANNEL,
          VERDICT_UNKNOWN_CHANNEL, MAY },
        { "EUROPOL/hq", "@EUROPOL+NATO", VERDICT_UNKNOWN_CHANNEL,
          VERDICT_UNKNOWN_CHANNEL, MAY },
        { "EUROPOL/hq", "@FRONTEX+EUROPOL", VERDICT_UNKNOWN_CHANNEL,
          VERDICT_UNKNOWN_CHANNEL, MAY },
        { "EUROPOL/hq", "@EUROPOL+EUROPOL", VERDICT_UNKNOWN_CHANNEL,
          VERDICT_UNKNOWN_CHANNEL, MAY },
        { "EUROPOL/hq", "@", VERDICT_UNKNOWN_CHANNEL, VERDICT_UNKNOWN_CHANNEL,
          MAY },
    };
    struct roster *r = fixture_roster (NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum verdict read =
            rights_ask (r, s (rows[i].delegation), s (rows[i].channel),
                        RIGHT_READ, rows[i].at);
        enum verdict write =
            rights_ask (r, s (rows[i].delegation), s (rows[i].channel),
                        RIGHT_WRITE, rows[i].at);
        if (read != rows[i].read || write != rows[i].write)
            fail_msg ("%s on %s: %s, %s", rows[i].delegation, rows[i].channel,
                      verdict_name (read), verdict_name (write));
    }
    assert_int_equal (rights_ask (r, s ("EUROPOL/hq"), slice_of ("all\0", 4),
                                  RIGHT_READ, MAY),
                      VERDICT_UNKNOWN_CHANNEL);
    roster_unref (&r);
}

/* Named entities without keys: nobody would hear. */
static void test_empty_adhoc (void **state) {
    (void) state;
    struct roster *r = fixture_roster (
        "adhoc[1]", "'entity:UNODC'", "entities[2].delegations[0].revoked",
        NULL, "entities[2].delegations[0].keys", "[]", NULL);
    assert_int_equal (
        rights_ask (r, s ("EUROPOL/hq"), s ("@UNODC"), RIGHT_WRITE, MAY),
        VERDICT_EMPTY_AUDIENCE);
    roster_unref (&r);
}

static const char *audience (const struct roster *r, const char *channel,
                             int64_t at, enum verdict *v) {
    static char text[200];
    const struct roster_delegation *out[8];
    size_t count = 99;
    assert_true (roster_delegations (r) <= 8);
    *v = rights_audience (r, s (channel), at, out, &count);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat (text, out[i]->name);
        strcat (text, " ");
    }
    return text;
}

static void test_audience (void **state) {
    (void) state;
    static const struct {
        const char *channel, *names;
        enum verdict verdict;
        int64_t at;
    } rows[] = {
        { "all", "EUROPOL/hq EUROPOL/ec3 FRONTEX/hq ", VERDICT_YES, MAY },
        { "all", "EUROPOL/hq FRONTEX/hq ", VERDICT_YES, NEW_YEAR },
        { "$log", "EUROPOL/hq EUROPOL/ec3 FRONTEX/hq ", VERDICT_YES, MAY },
        { "@EUROPOL+UNODC", "EUROPOL/hq EUROPOL/ec3 ", VERDICT_YES, MAY },
        { "@UNODC", "", VERDICT_UNKNOWN_CHANNEL, MAY },
        { "late", "", VERDICT_EMPTY_AUDIENCE, MAY },
        { "none", "", VERDICT_UNKNOWN_CHANNEL, MAY },
    };
    enum verdict v;
    struct roster *r = fixture_roster (NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal (audience (r, rows[i].channel, rows[i].at, &v),
                             rows[i].names);
        assert_int_equal (v, rows[i].verdict);
    }
    roster_unref (&r);
    /* All readers have keys, and none may use them. */
    r = fixture_roster ("channels[2].readers", "['delegation:UNODC/hq']", NULL);
    assert_string_equal (audience (r, "late", MAY, &v), "");
    assert_int_equal (v, VERDICT_EMPTY_AUDIENCE);
    roster_unref (&r);
}

/* `then` and `now` are the fixture with one change each. */
struct change {
    const char *path, *value;
};
#define SAME                                                                   \
    { "x-", "1" }
#define UNLISTED                                                               \
    { "channels[1].readers[1]", NULL } /* FRONTEX/hq of core */
#define REVOKED                                                                \
    { "entities[1].delegations[0].revoked", "true" }
#define EXPIRED                                                                \
    { "entities[1].delegations[0].expires", "'2026-01-01'" }
#define LATER                                                                  \
    { "entities[1].delegations[0].expires", "'2036-01-01'" }
#define NO_KEYS                                                                \
    { "entities[1].delegations[0].keys", "[]" }
#define NEW_KEYS                                                               \
    { "entities[1].delegations[0].keys", "['$set:new']" }
#define ADDED                                                                  \
    { "channels[1].readers[2]", "'entity:FRONTEX'" }
#define GONE                                                                   \
    { "channels[1].id", "'other'" }
#define NO_OPENER                                                              \
    { "adhoc", "[]" }

static void test_record (void **state) {
    (void) state;
    static const struct {
        struct change then, now;
        const char *channel, *author;
        bool may;
    } rows[] = {
        { SAME, SAME, "core", "EUROPOL/hq", true },
        { UNLISTED, SAME, "core", "EUROPOL/hq", false },
        { SAME, UNLISTED, "core", "EUROPOL/hq", false },
        { SAME, UNLISTED, "core", "FRONTEX/hq", true },
        { SAME, REVOKED, "core", "FRONTEX/hq", true },
        { REVOKED, SAME, "core", "EUROPOL/hq", false },
        { NO_KEYS, SAME, "core", "EUROPOL/hq", false },
        { SAME, EXPIRED, "core", "EUROPOL/hq", false },
        { EXPIRED, LATER, "core", "EUROPOL/hq", true }, /* put off */
        { GONE, SAME, "core", "EUROPOL/hq", false },
        { SAME, GONE, "core", "EUROPOL/hq", false },
        { NO_KEYS, SAME, "$log", "", true },
        { SAME, NO_KEYS, "$log", "", false },
        { SAME, SAME, "@EUROPOL+FRONTEX", "EUROPOL/hq", true },
        { SAME, SAME, "@EUROPOL", "EUROPOL/hq", false },
        { NO_OPENER, SAME, "@EUROPOL+FRONTEX", "EUROPOL/hq", false },
        { SAME, NO_OPENER, "@EUROPOL+FRONTEX", "EUROPOL/hq", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct roster *then =
            fixture_roster (rows[i].then.path, rows[i].then.value, NULL);
        struct roster *now =
            fixture_roster (rows[i].now.path, rows[i].now.value, NULL);
        if (rights_record (then, now, s ("FRONTEX/hq"), s (rows[i].channel),
                           s (rows[i].author), MAY)
            != rows[i].may)
            fail_msg ("row %zu", i);
        roster_unref (&then);
        roster_unref (&now);
    }
}

static void test_stream (void **state) {
    (void) state;
    static const struct {
        struct change then, now;
        const char *stream;
        bool may;
    } rows[] = {
        { SAME, SAME, "core", true },
        { GONE, SAME, "core", false },
        { EXPIRED, LATER, "core", true },
        { SAME, EXPIRED, "core", false },
        { SAME, SAME, "$log", true },
        { SAME, SAME, "@FRONTEX", true },
        { UNLISTED, SAME, "core", false },
        { NO_KEYS, SAME, "@FRONTEX", false },
        { REVOKED, SAME, "@FRONTEX", false },
        { SAME, REVOKED, "@FRONTEX", false },
        { SAME, EXPIRED, "@FRONTEX", false },
        { EXPIRED, LATER, "@FRONTEX", true },
        { GONE, SAME, "@FRONTEX", true }, /* a roster channel */
        /* Channels with a former opener may be no more; new ones come. */
        { SAME, NO_OPENER, "@FRONTEX", false },
        { NO_OPENER, SAME, "@FRONTEX", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct roster *then =
            fixture_roster (rows[i].then.path, rows[i].then.value, NULL);
        struct roster *now =
            fixture_roster (rows[i].now.path, rows[i].now.value, NULL);
        if (rights_stream (then, now, s ("FRONTEX/hq"), s (rows[i].stream), MAY)
            != rows[i].may)
            fail_msg ("row %zu", i);
        roster_unref (&then);
        roster_unref (&now);
    }
}

static void test_same_readers (void **state) {
    (void) state;
    static const struct {
        struct change then, now;
        const char *channel;
        bool same, none_missing;
    } rows[] = {
        { SAME, SAME, "core", true, true },
        { SAME, { "name", "'Another'" }, "core", true, true },
        { SAME, ADDED, "core", true, true }, /* written twice, one reader */
        { SAME, { "channels[1].title", "'x'" }, "core", true, true },
        { UNLISTED, SAME, "core", false, true },
        { SAME, UNLISTED, "core", false, false },
        { SAME, REVOKED, "core", false, false },
        { REVOKED, SAME, "core", false, true },
        { SAME, NO_KEYS, "core", false, false },
        { SAME, NEW_KEYS, "core", false, true },
        { SAME, NEW_KEYS, "@EUROPOL", true, true },
        { SAME, NEW_KEYS, "@EUROPOL+FRONTEX", false, true },
        { SAME, LATER, "core", false, true },
        { SAME, GONE, "core", false, false },
        { GONE, SAME, "core", false, false },
        { SAME, NO_OPENER, "@EUROPOL", false, false },
        { SAME, SAME, "late", false, false }, /* nobody */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct roster *then =
            fixture_roster (rows[i].then.path, rows[i].then.value, NULL);
        struct roster *now =
            fixture_roster (rows[i].now.path, rows[i].now.value, NULL);
        struct slice channel = s (rows[i].channel);
        if (rights_same_readers (then, now, channel, false) != rows[i].same
            || rights_same_readers (then, now, channel, true)
                   != rows[i].none_missing)
            fail_msg ("row %zu", i);
        roster_unref (&then);
        roster_unref (&now);
    }
}

static void test_sign_key (void **state) {
    (void) state;
    static const struct {
        const char *delegation, *key;
        int64_t at;
        enum key_fault fault;
    } rows[] = {
        { "NATO/hq", "$set:EUROPOL/hq.sign", MAY, KEY_UNKNOWN },
        { "FRONTEX/hq", "$set:EUROPOL/hq.sign", MAY, KEY_UNKNOWN },
        { "EUROPOL/hq", "$set:EUROPOL/hq.note", MAY, KEY_UNKNOWN },
        { "UNODC/late", "$set:UNODC/hq.sign", MAY, KEY_UNKNOWN },
        { "EUROPOL/hq", "$set:EUROPOL/hq.sign", NEW_YEAR, KEY_FINE },
        { "EUROPOL/hq", "$old:EUROPOL/hq.sign", JUNE - 1, KEY_FINE },
        { "EUROPOL/hq", "$old:EUROPOL/hq.sign", JUNE, KEY_EXPIRED },
        { "EUROPOL/ec3", "$set:EUROPOL/ec3.sign", NEW_YEAR - 1, KEY_FINE },
        { "EUROPOL/ec3", "$set:EUROPOL/ec3.sign", NEW_YEAR, KEY_EXPIRED },
        { "UNODC/hq", "$set:UNODC/hq.sign", MAY, KEY_REVOKED },
        { "UNODC/hq", "$set:FRONTEX/hq.sign", MAY, KEY_UNKNOWN },
    };
    struct roster *r = fixture_roster (NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t wanted[KEY_SIZE];
        const uint8_t *key = wanted;
        fixture_key (rows[i].key, wanted);
        enum key_fault fault = rights_sign_key (
            r, s (rows[i].delegation), key_id_of (KEY_TYPE_ED25519, wanted),
            rows[i].at, &key);
        if (fault != rows[i].fault)
            fail_msg ("row %zu: %d", i, fault);
        if (fault == KEY_FINE)
            assert_memory_equal (key, wanted, KEY_SIZE);
        else
            assert_null (key);
    }
    roster_unref (&r);
}

static void test_link (void **state) {
    (void) state;
    static const struct {
        const char *key;
        int64_t at;
        const char *delegation;
    } rows[] = {
        { "$nobody", MAY, NULL },
        { "$plink", MAY, NULL },
        { "$set:EUROPOL/hq.sign", MAY, NULL },
        { "$set:EUROPOL/hq.link", NEW_YEAR, "EUROPOL/hq" },
        { "$old:EUROPOL/hq.link", JUNE - 1, "EUROPOL/hq" },
        { "$old:EUROPOL/hq.link", JUNE, NULL },
        { "$set:EUROPOL/ec3.link", NEW_YEAR - 1, "EUROPOL/ec3" },
        { "$set:EUROPOL/ec3.link", NEW_YEAR, NULL },
        { "$set:UNODC/hq.link", MAY, NULL },
    };
    struct roster *r = fixture_roster (NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t key[KEY_SIZE];
        fixture_key (rows[i].key, key);
        const struct roster_delegation *d = rights_link (r, key, rows[i].at);
        if (!rows[i].delegation)
            assert_null (d);
        else {
            assert_non_null (d);
            assert_string_equal (d->name, rows[i].delegation);
        }
    }
    roster_unref (&r);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_names),        cmocka_unit_test (test_ask),
        cmocka_unit_test (test_empty_adhoc),  cmocka_unit_test (test_audience),
        cmocka_unit_test (test_record),       cmocka_unit_test (test_stream),
        cmocka_unit_test (test_same_readers), cmocka_unit_test (test_sign_key),
        cmocka_unit_test (test_link),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
