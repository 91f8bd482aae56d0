/* sendings: files on their way to the outbox: bounded, kept, gone on with, and
 * nothing twice; attached: what the records say of files. */
#include "records_fixture.h"

#include "store/attached.h"
#include "store/outbox.h"
#include "store/sendings.h"

#define TOPIC "all/file/FRONTEX/2cf24dba5fb0a30e26e83b2ac5b9e29e"
#define OTHER "all/file/FRONTEX/486ea46224d1bb4fb680f34f7c9ad96a"

static struct slice words (const char *text) {
    return slice_text (text);
}

/* Any map does: what it says is nobody's business here. */
static const uint8_t map[] = { 0x81, 0xa1, 'a', 0x01 };
static const uint8_t other_map[] = { 0x81, 0xa1, 'a', 0x02 };

static int64_t begin (const char *const *parts) {
    int64_t number;
    FINE (sendings_begin (store, &number, &e));
    for (int64_t i = 0; parts[i]; i++) {
        struct hash sha256 = hash_sha256 (words (parts[i]));
        FINE (
            sendings_add (store, number, i + 1, &sha256, words (parts[i]), &e));
    }
    return number;
}

static int64_t ready (int64_t number, const char *topic, const char *drafter,
                      bool *repeated) {
    FINE (sendings_ready (store, &number, topic, "FRONTEX", 10,
                          slice_of (map, sizeof map), drafter, repeated, &e));
    return number;
}

static struct copy {
    struct sending row;
    char topic[TOPIC_MAX + 1], why[200], drafter[100];
} got;

static enum err keep (void *arg, const struct sending *sending,
                      struct error *why) {
    (void) why;
    ++*(int *) arg;
    got.row = *sending;
    snprintf (got.topic, sizeof got.topic, "%s", sending->topic);
    snprintf (got.why, sizeof got.why, "%s", sending->why);
    snprintf (got.drafter, sizeof got.drafter, "%s", sending->drafter);
    return ERR_NONE;
}

static const struct sending *get (const char *topic) {
    int calls = 0;
    FINE (sendings_get (store, topic, keep, &calls, &e));
    assert_int_equal (calls, 1);
    return &got.row;
}

/* As the link does: in a group. Its number, 0 where the ledger has it, -1 where
 * there is none. */
static int64_t hand_on (void) {
    int64_t entry = -1;
    FINE (store_group_begin (store, &e));
    enum err rc = sendings_hand_on (store, &entry, &e);
    FINE (store_group_end (store, &e));
    if (rc != ERR_NOT_FOUND)
        assert_int_equal (rc, 0);
    return rc ? -1 : entry;
}

static void entries_become (int state) {
    sqlite3_stmt *s = store_prepare (store, "UPDATE outbox SET state = ?");
    sqlite3_bind_int (s, 1, state);
    FINE (store_done (store, s, "outbox", &e));
}

static void test_none (void **state) {
    (void) state;
    int calls = 0;
    int64_t changed;
    size_t octets;
    assert_int_equal (sendings_get (store, TOPIC, keep, &calls, &e),
                      ERR_NOT_FOUND);
    FINE (sendings_list (store, keep, &calls, &e));
    assert_int_equal (calls, 0);
    assert_false (sendings_any (store));
    assert_int_equal (sendings_next (store, &octets, &e), ERR_NOT_FOUND);
    assert_int_equal (hand_on(), -1);
    assert_int_equal (sendings_release (store, TOPIC, &e), ERR_NOT_FOUND);
    FINE (sendings_settle (store, &changed, &e));
    assert_int_equal (changed, 0);
    assert_true (sendings_arrived (store, 99));
    assert_string_equal (sending_state_name (SENDING_HELD), "draft");
    assert_string_equal (sending_state_name ((enum sending_state) 9),
                         "unknown");
}

static void test_bounds (void **state) {
    (void) state;
    int64_t number = 0;
    for (int i = 0; i < SENDINGS_MAX; i++)
        FINE (sendings_begin (store, &number, &e));
    assert_int_equal (sendings_begin (store, &number, &e), ERR_FULL);
    FINE (sendings_drop (store, number, &e));
    FINE (sendings_begin (store, &number, &e));
    /* What was being taken in when the last run ended is dropped. */
    store_reopen();
    FINE (sendings_clear (store, &e));
    assert_int_equal (store_number ("SELECT COUNT (*) FROM sendings"), 0);
    FINE (sendings_begin (store, &number, &e));
    assert_int_equal (number, SENDINGS_MAX + 2); /* none is given again */
}

static void test_whole_way (void **state) {
    (void) state;
    static const char *const parts[] = { "one", "two", "one", NULL };
    bool repeated;
    size_t octets;
    int64_t changed;
    int64_t number = ready (begin (parts), TOPIC, NULL, &repeated);
    assert_false (repeated);
    assert_true (sendings_any (store));
    const struct sending *row = get (TOPIC);
    assert_int_equal (row->state, SENDING_ACTIVE);
    assert_int_equal (row->messages, 3); /* "one" stands there twice */
    assert_int_equal (row->octets_left, sizeof map + 6);
    /* The same again is the same. */
    assert_int_equal (ready (begin (parts), TOPIC, NULL, &repeated), number);
    assert_true (repeated);
    FINE (sendings_next (store, &octets, &e));
    assert_int_equal (octets, sizeof map);
    for (int64_t i = 1; i <= 3; i++) {
        store_reopen(); /* it goes on after any break */
        assert_int_equal (hand_on(), i);
        assert_int_equal (get (TOPIC)->handed, i);
        assert_false (sendings_arrived (store, i));
    }
    assert_int_equal (hand_on(), -1);
    assert_int_equal (store_number ("SELECT format FROM outbox"
                                    " WHERE number = 1"),
                      BODY_MAP);
    assert_int_equal (store_number ("SELECT format FROM outbox"
                                    " WHERE number = 3"),
                      BODY_OCTETS);
    FINE (sendings_settle (store, &changed, &e));
    assert_int_equal (changed, 0);
    entries_become (OUTBOX_PROMISED);
    assert_int_equal (get (TOPIC)->promised, 3);
    assert_int_equal (get (TOPIC)->settled, 0);
    entries_become (OUTBOX_DONE);
    assert_true (sendings_arrived (store, 3));
    FINE (sendings_settle (store, &changed, &e));
    assert_int_equal (changed, 1);
    row = get (TOPIC);
    assert_int_equal (row->state, SENDING_DONE);
    assert_int_equal (row->settled, 3);
    assert_false (sendings_any (store));
    assert_int_equal (store_number ("SELECT COUNT (*) FROM sending_parts"), 0);
}

static void test_refused (void **state) {
    (void) state;
    static const char *const parts[] = { "one", "two", NULL };
    bool repeated;
    int64_t changed;
    ready (begin (parts), TOPIC, NULL, &repeated);
    assert_int_equal (hand_on(), 1);
    entries_become (OUTBOX_REFUSED);
    assert_true (sendings_arrived (store, 1));
    FINE (sendings_settle (store, &changed, &e));
    assert_int_equal (changed, 1);
    assert_int_equal (get (TOPIC)->state, SENDING_REFUSED);
    assert_non_null (strstr (got.why, "message 1 of the outbox"));
    assert_int_equal (hand_on(), -1);
    /* And again, from the beginning; what is over is forgotten. */
    ready (begin (parts), TOPIC, NULL, &repeated);
    assert_false (repeated);
    assert_int_equal (get (TOPIC)->state, SENDING_ACTIVE);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM sendings"), 1);
}

static void test_stop (void **state) {
    (void) state;
    static const char *const parts[] = { "one", "two", NULL };
    bool repeated, sent;
    FINE (sendings_stop (store, TOPIC, &sent, &e));
    assert_false (sent);
    ready (begin (parts), TOPIC, NULL, &repeated);
    FINE (sendings_stop (store, TOPIC, &sent, &e));
    assert_false (sent);
    assert_int_equal (get (TOPIC)->state, SENDING_STOPPED);
    ready (begin (parts), TOPIC, NULL, &repeated);
    assert_int_equal (hand_on(), 1);
    FINE (sendings_stop (store, TOPIC, &sent, &e));
    assert_true (sent);
    assert_int_equal (store_number ("SELECT state FROM outbox"),
                      OUTBOX_CANCELLED);
    assert_int_equal (hand_on(), -1);
}

static void test_held (void **state) {
    (void) state;
    static const char *const parts[] = { "one", NULL };
    bool repeated;
    int calls = 0;
    int64_t number = ready (begin (parts), TOPIC, "anna", &repeated);
    assert_int_equal (get (TOPIC)->state, SENDING_HELD);
    assert_string_equal (got.drafter, "anna");
    assert_int_equal (hand_on(), -1);
    assert_false (sendings_any (store));
    FINE (sendings_list (store, keep, &calls, &e));
    assert_int_equal (calls, 1);
    assert_int_equal (ready (begin (parts), TOPIC, "ben", &repeated), number);
    assert_true (repeated);
    assert_string_equal ((get (TOPIC), got.drafter), "anna");
    FINE (sendings_release (store, TOPIC, &e));
    assert_int_equal (hand_on(), 1);
    assert_int_equal (sendings_release (store, TOPIC, &e), ERR_NOT_FOUND);
    /* Who may send at once sends what is held, too. */
    number = ready (begin (parts), OTHER, "anna", &repeated);
    assert_int_equal (ready (begin (parts), OTHER, NULL, &repeated), number);
    assert_int_equal (get (OTHER)->state, SENDING_ACTIVE);
}

/* Two that share a part, and one with another name: nothing is sent twice. */
static void test_shared (void **state) {
    (void) state;
    static const char *const parts[] = { "one", "two", NULL };
    bool repeated;
    ready (begin (parts), TOPIC, NULL, &repeated);
    int64_t number = begin (parts);
    FINE (sendings_ready (store, &number, TOPIC, "FRONTEX", 10,
                          slice_of (other_map, sizeof other_map), NULL,
                          &repeated, &e));
    assert_false (repeated);
    assert_int_equal (get (TOPIC)->messages, 1); /* the manifest alone */
    for (int64_t i = 1; i <= 4; i++)
        assert_int_equal (hand_on(), i);
    assert_int_equal (hand_on(), -1);
}

/* Records of files */

static struct buf body_of (struct slice content) {
    struct buf out = { 0 };
    buf_add_zeros (&out, BODY_SALT);
    buf_add_slice (&out, content);
    return out;
}

static void record (int64_t sequence, const char *topic,
                    enum body_format format, struct slice content) {
    struct build *build = build_new ("all");
    struct buf body = body_of (content);
    build_body (build, topic, format, buf_slice (&body));
    add_build (build, sequence, BUILD_TIME + sequence);
    buf_free (&body);
}

struct topics {
    size_t count;
    char at[4][TOPIC_MAX + 1];
};

static enum err topic_keep (void *arg, const char *topic, struct error *why) {
    struct topics *self = arg;
    (void) why;
    assert_true (self->count < 4);
    snprintf (self->at[self->count++], TOPIC_MAX + 1, "%s", topic);
    return ERR_NONE;
}

static enum err said_count (void *arg, const struct attached *item,
                            struct error *why) {
    int *counts = arg;
    (void) why;
    counts[item->map ? 0 : 1]++;
    assert_string_equal (item->author, "FRONTEX/hq");
    assert_true (!item->map || item->content.size == sizeof map);
    return ERR_NONE;
}

static void test_records (void **state) {
    (void) state;
    int counts[2] = { 0 };
    int64_t sequence = -1;
    struct topics topics = { 0 };
    struct hash one = hash_sha256 (words ("one"));
    assert_true (attached_wanted (words ("all/file/X/1")));
    assert_false (attached_wanted (words ("all/file")));
    assert_false (attached_wanted (words ("all/files/X/1")));
    assert_false (attached_wanted (words ("file/all/X/1")));
    assert_false (attached_wanted (words ("")));
    record (10, TOPIC, BODY_OCTETS, words ("one"));
    record (12, TOPIC, BODY_MAP, slice_of (map, sizeof map));
    record (14, TOPIC, BODY_TEXT, words ("neither"));
    record (16, OTHER, BODY_MAP, slice_of (map, sizeof map));
    record (18, TOPIC, BODY_OCTETS, words ("one")); /* again */
    record (20, "all/note/FRONTEX/1", BODY_OCTETS, words ("one"));
    assert_int_equal (store_number ("SELECT COUNT (*) FROM attached"), 5);
    FINE (attached_said (store, TOPIC, 9, said_count, counts, &e));
    assert_int_equal (counts[0], 1);
    assert_int_equal (counts[1], 1);
    FINE (attached_topics (store, topic_keep, &topics, &e));
    assert_int_equal (topics.count, 2);
    assert_string_equal (topics.at[0], OTHER); /* the newest first */
    FINE (attached_find (store, "2cf24dba5fb0a30e26e83b2ac5b9e29e", topic_keep,
                         &topics, &e));
    assert_int_equal (topics.count, 3);
    assert_string_equal (topics.at[2], TOPIC);
    assert_true (attached_part (store, TOPIC, "FRONTEX", &one, 3, &sequence));
    assert_int_equal (sequence, 10);
    assert_false (attached_part (store, TOPIC, "FRONTEX", &one, 4, NULL));
    assert_false (attached_part (store, TOPIC, "FRONT", &one, 3, NULL));
    assert_false (attached_part (store, OTHER, "FRONTEX", &one, 3, NULL));
    counts[0] = counts[1] = 0;
    FINE (attached_strangers (store, TOPIC, "FRONTEX", 9, said_count, counts,
                              &e));
    assert_int_equal (counts[1], 0);
    FINE (attached_strangers (store, TOPIC, "EUROPOL", 9, said_count, counts,
                              &e));
    assert_int_equal (counts[1], 2);
}

/* A store of before there was the index has it after it was opened. */
static void test_rebuild (void **state) {
    (void) state;
    record (10, TOPIC, BODY_OCTETS, words ("one"));
    record (12, TOPIC, BODY_MAP, slice_of (map, sizeof map));
    record (14, "all/note/FRONTEX/1", BODY_OCTETS, words ("one"));
    struct hash one = hash_sha256 (words ("one"));
    assert_int_equal (
        sqlite3_exec (store->db, "DELETE FROM attached", NULL, NULL, NULL),
        SQLITE_OK);
    for (int i = 0; i < 2; i++) { /* twice is once */
        FINE (store_begin (store, &e));
        FINE (store_end (store, attached_rebuild (store, &e), &e));
        assert_int_equal (store_number ("SELECT COUNT (*) FROM attached"), 2);
        assert_true (attached_part (store, TOPIC, "FRONTEX", &one, 3, NULL));
    }
}

/* A part that the ledger has is not sent, whenever that becomes known. */
static void test_there_already (void **state) {
    (void) state;
    static const char *const parts[] = { "one", "two", NULL };
    bool repeated;
    record (10, TOPIC, BODY_OCTETS, words ("one"));
    ready (begin (parts), TOPIC, NULL, &repeated);
    assert_int_equal (get (TOPIC)->messages, 2);
    record (12, TOPIC, BODY_MAP, slice_of (map, sizeof map));
    record (14, TOPIC, BODY_OCTETS, words ("two"));
    assert_int_equal (hand_on(), 0);
    assert_int_equal (hand_on(), 0);
    assert_int_equal (hand_on(), -1);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM outbox"), 0);
    int64_t changed;
    FINE (sendings_settle (store, &changed, &e));
    assert_int_equal (get (TOPIC)->state, SENDING_DONE);
}

static void test_full_store (void **state) {
    (void) state;
    static const char *const parts[] = { "one", NULL };
    struct buf octets = { 0 };
    bool repeated;
    int64_t number = begin (parts), entry;
    buf_add_zeros (&octets, 200000);
    struct hash sha256 = hash_sha256 (buf_slice (&octets));
    store_full (true);
    assert_int_equal (
        sendings_add (store, number, 2, &sha256, buf_slice (&octets), &e),
        ERR_NO_SPACE);
    store_full (false);
    FINE (sendings_add (store, number, 2, &sha256, buf_slice (&octets), &e));
    ready (number, TOPIC, NULL, &repeated);
    assert_int_equal (hand_on(), 1);
    assert_int_equal (hand_on(), 2);
    /* Nothing is lost where the outbox can't take it. */
    store_full (true);
    FINE (store_group_begin (store, &e));
    assert_int_not_equal (sendings_hand_on (store, &entry, &e), 0);
    store_group_drop (store);
    store_full (false);
    assert_int_equal (get (TOPIC)->handed, 2);
    assert_int_equal (hand_on(), 3);
    buf_free (&octets);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        TEST (test_none),    TEST (test_bounds),     TEST (test_whole_way),
        TEST (test_refused), TEST (test_stop),       TEST (test_held),
        TEST (test_shared),  TEST (test_records),    TEST (test_there_already),
        TEST (test_rebuild), TEST (test_full_store),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
