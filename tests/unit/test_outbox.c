/* outbox: accepting, the sender's steps in every order, contributions, lanes,
 * a full store, a process killed at any time. */
#include "store/outbox.h"

#include "store_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Helpers */

static int64_t add_to (const char *topic, const char *content) {
    int64_t number = 0;
    bool repeated = true;
    FINE (outbox_add (store, NULL, slice_text (topic), BODY_TEXT,
                      slice_text (content), NULL, 0, &number, &repeated, &e));
    assert_false (repeated);
    return number;
}

static int64_t add (const char *content) {
    return add_to ("all/note/EUROPOL", content);
}

/* A copy of what stands there. */
static struct seen {
    struct outbox_message m;
    char topic[TOPIC_MAX + 1];
    char body[300], header[300];
} seen;

static enum err look (void *arg, const struct outbox_message *m,
                      struct error *why) {
    (void) why;
    ++*(int *) arg;
    seen.m = *m;
    snprintf (seen.topic, sizeof seen.topic, "%s", m->topic);
    memset (seen.body, 0, sizeof seen.body);
    memset (seen.header, 0, sizeof seen.header);
    if (m->body.size < sizeof seen.body)
        memcpy (seen.body, m->body.data, m->body.size);
    if (m->header.size < sizeof seen.header)
        memcpy (seen.header, m->header.data, m->header.size);
    return ERR_NONE;
}

static const struct outbox_message *get (int64_t number) {
    int calls = 0;
    FINE (outbox_get (store, number, look, &calls, &e));
    assert_int_equal (calls, 1);
    assert_int_equal (seen.m.number, number);
    return &seen.m;
}

static void state_is (int64_t number, enum outbox_state state) {
    assert_string_equal (outbox_state_name (get (number)->state),
                         outbox_state_name (state));
}

/* The ledger's tree bears out all that is below. */
static enum err stands_below (void *arg, const struct outbox_place *place,
                              bool *stands, struct error *why) {
    (void) why;
    *stands = place->sequence < *(int64_t *) arg;
    return ERR_NONE;
}

static void settle (int64_t size, int64_t judged) {
    int64_t after = -1;
    FINE (store_begin (store, &e));
    FINE (outbox_settle (store, size, &after, 100, stands_below, &judged, &e));
    FINE (store_commit (store, &e));
    assert_int_equal (after, -1);
}

/* Its place is known, and settles. */
static void done_is (int64_t number) {
    if (get (number)->state != OUTBOX_DONE)
        state_is (number, OUTBOX_PROMISED);
    settle (1000, 1000);
    state_is (number, OUTBOX_DONE);
}

static struct hash id_of (const char *header) {
    return hash_leaf (slice_text (header));
}

static enum err try_send (int64_t number, const char *header) {
    struct outbox_form form = { number, id_of (header), slice_text (header) };
    return outbox_sending (store, &form, 1, &e);
}

static void send (int64_t number, const char *header) {
    FINE (try_send (number, header));
}

static struct promise_accepted accepted (const char *header, int64_t sequence) {
    uint8_t octets[8];
    put_u64 (octets, (uint64_t) sequence);
    return (struct promise_accepted){ 0, id_of (header), sequence,
                                      hash_leaf (slice_of (octets, 8)) };
}

/* A reply that accepts those; 0 ends. */
static enum err promise_many (int64_t epoch, struct promise_accepted *all,
                              size_t count) {
    struct promise promise = { .epoch = epoch, .log_time = BUILD_TIME };
    for (size_t i = 0; i < count; i++)
        all[i].index = (int) i;
    promise_sign (&promise, cast.broker, &cast.dialogue, all, count, NULL, 0);
    return outbox_promised (store, &promise, all, count, &e);
}

static enum err promise (int64_t epoch, const char *header, int64_t sequence) {
    struct promise_accepted one = accepted (header, sequence);
    return promise_many (epoch, &one, 1);
}

static bool see (const char *header, int64_t sequence) {
    bool contradiction = true;
    struct promise_accepted one = accepted (header, sequence);
    FINE (store_begin (store, &e));
    FINE (
        outbox_seen (store, &one.id, sequence, &one.leaf, &contradiction, &e));
    FINE (store_commit (store, &e));
    return contradiction;
}

static void refuse (const char *header, enum rule rule, const char *proof) {
    struct refusal refusal;
    refusal_set (&refusal, rule);
    refusal_text (&refusal, "channel", "all");
    struct hash id = id_of (header);
    FINE (outbox_refused (store, &id, &refusal, proof != NULL,
                          slice_text (proof ? proof : ""), &e));
}

static void counts_are (const char *want) {
    int64_t n[6];
    char text[100];
    outbox_counts (store, n);
    snprintf (text, sizeof text, "%d %d %d %d %d %d", (int) n[0], (int) n[1],
              (int) n[2], (int) n[3], (int) n[4], (int) n[5]);
    assert_string_equal (text, want);
    assert_int_equal (store_number ("SELECT COUNT(*) FROM totals t WHERE count"
                                    " <> (SELECT COUNT(*) FROM outbox o WHERE"
                                    " o.state = t.state) OR octets <> (SELECT"
                                    " COALESCE (SUM (octets), 0) FROM outbox o"
                                    " WHERE o.state = t.state)"),
                      0);
}

/* Accepting */

static void test_bad_arguments (void **state) {
    (void) state;
    static const struct hash references[REFERENCES_MAX + 1];
    static char long_key[OUTBOX_KEY_MAX + 2], big[CONTENT_MAX + 1];
    memset (long_key, 'k', sizeof long_key - 1);
    memset (big, 'x', sizeof big);
    static const struct {
        const char *key, *topic;
        enum body_format format;
        const char *content;
        size_t size, references;
        enum err want;
    } table[] = {
        { "", "all/a", BODY_TEXT, "x", 1, 0, ERR_ARGUMENT },
        { long_key, "all/a", BODY_TEXT, "x", 1, 0, ERR_ARGUMENT },
        { "\xff", "all/a", BODY_TEXT, "x", 1, 0, ERR_ARGUMENT },
        { NULL, "all", BODY_TEXT, "x", 1, 0, ERR_MALFORMED },
        { NULL, "$log/a", BODY_TEXT, "x", 1, 0, ERR_MALFORMED },
        { NULL, "all//b", BODY_TEXT, "x", 1, 0, ERR_MALFORMED },
        { NULL, "all/a", BODY_TEXT, "\xff", 1, 0, ERR_MALFORMED },
        { NULL, "all/a", BODY_MAP, "x", 1, 0, ERR_MALFORMED },
        { NULL, "all/a", BODY_TEXT, "", 0, 0, ERR_MALFORMED },
        { NULL, "all/a", BODY_OCTETS, big, sizeof big, 0, ERR_LIMIT },
        { NULL, "all/a", BODY_TEXT, "x", 1, REFERENCES_MAX + 1, ERR_LIMIT },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t number;
        bool repeated;
        enum err rc = outbox_add (
            store, table[i].key, slice_text (table[i].topic), table[i].format,
            slice_of (table[i].content, table[i].size), references,
            table[i].references, &number, &repeated, &e);
        if (rc != table[i].want && !(rc && table[i].size == 0))
            fail_msg ("%zu: %s: %s", i, error_name (rc), e.text);
    }
    counts_are ("0 0 0 0 0 0");
    int calls = 0;
    struct hash none = { { 0 } };
    struct refusal refusal;
    refusal_set (&refusal, RULE_RATE);
    assert_int_equal (outbox_get (store, 1, look, &calls, &e), ERR_NOT_FOUND);
    assert_int_equal (outbox_cancel (store, 1, &e), ERR_NOT_FOUND);
    assert_int_equal (try_send (1, "form"), ERR_NOT_FOUND);
    assert_int_equal (promise (1, "form", 5), ERR_NOT_FOUND);
    assert_int_equal (outbox_found (store, &none, 1, &none, &e), ERR_NOT_FOUND);
    assert_int_equal (
        outbox_refused (store, &none, &refusal, true, slice_text ("p"), &e),
        ERR_NOT_FOUND);
    assert_false (see ("form", 1)); /* somebody else's */
    assert_int_equal (calls, 0);
}

static void test_what_is_kept (void **state) {
    (void) state;
    struct hash references[2] = { id_of ("a"), id_of ("b") };
    int64_t number;
    bool repeated;
    FINE (outbox_add (store, NULL, slice_text ("all/note"), BODY_TEXT,
                      slice_text ("words"), references, 2, &number, &repeated,
                      &e));
    store_reopen();
    int calls = 0;
    FINE (outbox_get (store, number, look, &calls, &e));
    assert_int_equal (seen.m.lane, store_lane (store));
    assert_int_equal (seen.m.lane_number, 1);
    assert_true (seen.m.created_ms > 0);
    assert_int_equal (seen.m.sent_ms, 0);
    assert_int_equal (seen.m.attempts, 0);
    assert_string_equal (seen.topic, "all/note");
    assert_int_equal (seen.m.format, BODY_TEXT);
    assert_int_equal (seen.m.reference_count, 2);
    assert_int_equal (seen.m.body.size, BODY_SALT + 5);
    assert_string_equal (seen.body + BODY_SALT, "words");
    assert_int_equal (seen.m.header.size, 0);
    assert_int_equal (seen.m.contribution.size, 0);
    assert_int_equal (seen.m.sequence, -1);
    assert_false (seen.m.has_refusal);
    assert_int_equal (get (add ("more"))->lane_number, 2);
    counts_are ("2 0 0 0 0 0");
}

static void test_idempotency (void **state) {
    (void) state;
    struct hash reference = id_of ("a");
    static const struct {
        const char *topic, *content;
        enum body_format format;
        size_t references;
        enum err want;
    } table[] = {
        { "all/a", "x", BODY_TEXT, 0, ERR_NONE },
        { "all/a", "x", BODY_TEXT, 0, ERR_NONE },
        { "all/b", "x", BODY_TEXT, 0, ERR_EXISTS },
        { "all/a", "y", BODY_TEXT, 0, ERR_EXISTS },
        { "all/a", "x", BODY_OCTETS, 0, ERR_EXISTS },
        { "all/a", "x", BODY_TEXT, 1, ERR_EXISTS },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t number = -1;
        bool repeated;
        enum err rc = outbox_add (store, "key-1", slice_text (table[i].topic),
                                  table[i].format,
                                  slice_text (table[i].content), &reference,
                                  table[i].references, &number, &repeated, &e);
        assert_int_equal (rc, table[i].want);
        if (!rc) {
            assert_int_equal (number, 1);
            assert_int_equal (repeated, i > 0);
        }
    }
    counts_are ("1 0 0 0 0 0");
    assert_int_equal (get (add ("next"))->lane_number, 2);
}

static void test_limits (void **state) {
    (void) state;
    int64_t number;
    bool repeated;
    int64_t one = add ("x");
    struct slice topic = slice_text ("all/a"), content = slice_text ("x");
    static const char *const full[] = {
        "UPDATE totals SET count = 99999 WHERE state = 2",
        "UPDATE totals SET count = 0, octets = 1073741800 WHERE state = 1",
    };
    for (size_t i = 0; i < 2; i++) {
        FINE (store_done (store, store_prepare (store, full[i]), "test", &e));
        assert_int_equal (outbox_add (store, NULL, topic, BODY_TEXT, content,
                                      NULL, 0, &number, &repeated, &e),
                          ERR_FULL);
        FINE (store_done (store,
                          store_prepare (store, "UPDATE totals SET count = 0,"
                                                " octets = 0 WHERE state > 0"),
                          "test", &e));
    }
    assert_int_equal (get (add ("x"))->lane_number, one + 1);
}

static void test_cancel (void **state) {
    (void) state;
    int64_t one = add ("x"), two = add ("y");
    FINE (outbox_cancel (store, one, &e));
    state_is (one, OUTBOX_CANCELLED);
    assert_int_equal (seen.m.body.size, 0);
    assert_int_equal (outbox_cancel (store, one, &e), ERR_STATE);
    assert_int_equal (try_send (one, "form"), ERR_STATE);
    send (two, "form 2");
    assert_int_equal (outbox_cancel (store, two, &e), ERR_STATE);
    assert_non_null (strstr (e.text, "sent"));
    refuse ("form 2", RULE_RATE, NULL);
    FINE (outbox_cancel (store, two, &e));
    counts_are ("0 0 0 0 0 2");
    assert_int_equal (get (add ("z"))->lane_number, 3);
    assert_false (see ("form 2", 9)); /* it was recorded all the same */
    done_is (two);
}

/* Listing */

struct listing {
    char text[200];
    int left;
    enum err last;
};

static enum err list_one (void *arg, const struct outbox_message *m,
                          struct error *why) {
    struct listing *self = arg;
    char one[30];
    if (self->left-- == 0)
        return self->last == ERR_STATE ? ERR_STATE
                                       : error_set (why, self->last, "stop");
    /* Whoever looks may use the store. */
    if (m->state == OUTBOX_WAITING)
        assert_int_equal (outbox_cancel (store, m->number, why), 0);
    snprintf (one, sizeof one, "%d ", (int) m->number);
    strcat (self->text, one);
    return ERR_NONE;
}

static void lists (int wanted, int64_t after, int64_t limit, int left,
                   enum err last, const char *want) {
    struct listing listing = { "", left, last };
    enum err rc =
        outbox_list (store, wanted, after, limit, list_one, &listing, &e);
    assert_int_equal (rc, last == ERR_STATE ? ERR_NONE : last);
    assert_string_equal (listing.text, want);
}

static void test_list (void **state) {
    (void) state;
    lists (-1, 0, 0, -1, 0, "");
    for (int i = 1; i <= 6; i++)
        add ("x");
    for (int i = 2; i <= 6; i += 2)
        send (i, i == 2 ? "form 2" : i == 4 ? "form 4" : "form 6");
    lists (OUTBOX_SENT, 0, 0, -1, 0, "2 4 6 ");
    lists (OUTBOX_SENT, 2, 1, -1, 0, "4 ");
    lists (OUTBOX_SENT, 0, 0, 1, ERR_STATE, "2 ");
    lists (OUTBOX_SENT, 0, 0, 1, ERR_NOT_FOUND, "2 ");
    lists (OUTBOX_WAITING, 0, 2, -1, 0, "1 3 "); /* cancels them */
    lists (-1, 0, 0, -1, 0, "1 2 3 4 5 6 ");
    lists (OUTBOX_CANCELLED, 0, 0, -1, 0, "1 3 5 ");
    lists (OUTBOX_DONE, 0, 0, -1, 0, "");
}

/* The sender */

static void test_sent_promised_seen (void **state) {
    (void) state;
    int64_t one = add ("x");
    send (one, "form 1");
    send (one, "form 1"); /* again, no answer came */
    state_is (one, OUTBOX_SENT);
    assert_int_equal (seen.m.attempts, 2);
    assert_true (seen.m.sent_ms > 0);
    assert_string_equal (seen.header, "form 1");
    FINE (promise (1, "form 1", 40));
    store_reopen();
    state_is (one, OUTBOX_PROMISED);
    assert_int_equal (seen.m.sequence, 40);
    assert_int_equal (seen.m.body.size, BODY_SALT + 1);
    assert_int_equal (try_send (one, "form 1"), ERR_STATE);
    assert_false (see ("form 1", 40));
    done_is (one);
    assert_int_equal (seen.m.sequence, 40);
    assert_int_equal (seen.m.body.size, 0);
    assert_int_equal (seen.m.header.size, 0);
    assert_int_equal (store_number ("SELECT COUNT(*) FROM forms"), 0);
    struct hash id = id_of ("form 1");
    assert_true (hash_equal (&seen.m.id, &id));
    FINE (promise (1, "form 1", 40)); /* the same again */
    assert_false (see ("form 1", 40));
    done_is (one);
    counts_are ("0 0 0 1 0 0");
    assert_int_equal (store_number ("SELECT COUNT(*) FROM replies"), 1);
}

static void test_seen_before_promised (void **state) {
    (void) state;
    int64_t one = add ("x");
    send (one, "form 1");
    assert_false (see ("form 1", 40));
    done_is (one);
    FINE (promise (1, "form 1", 40));
    done_is (one);
    struct promise_proof proof;
    assert_true (outbox_highest_promise (store, 1, &proof));
}

/* What does not stand where it has to, or not yet, stays. */
static void test_settle (void **state) {
    (void) state;
    int64_t number[4];
    static const char *const forms[] = { "form 0", "form 1", "form 2",
                                         "form 3" };
    settle (1000, 1000);
    for (int i = 0; i < 4; i++) {
        number[i] = add ("x");
        send (number[i], forms[i]);
        FINE (promise (1, forms[i], 10 * i));
    }
    settle (0, 1000);
    counts_are ("0 0 4 0 0 0");
    settle (10, 1000);
    state_is (number[0], OUTBOX_DONE);
    settle (1000, 20);
    counts_are ("0 0 2 2 0 0");
    /* Some at a time: where it went on is told. */
    int64_t after = -1, none = 0, judged = 1000;
    FINE (outbox_settle (store, 1000, &after, 1, stands_below, &none, &e));
    assert_int_equal (after, 20);
    FINE (outbox_settle (store, 1000, &after, 1, stands_below, &none, &e));
    assert_int_equal (after, 30);
    FINE (outbox_settle (store, 1000, &after, 1, stands_below, &none, &e));
    assert_int_equal (after, -1);
    FINE (outbox_settle (store, 1000, &after, 5, stands_below, &judged, &e));
    assert_int_equal (after, -1);
    counts_are ("0 0 0 4 0 0");
}

struct promises {
    char text[100];
};

static enum err promise_one (void *arg, const struct outbox_place *place,
                             struct error *why) {
    struct promises *self = arg;
    char one[30];
    if (place->sequence == 21)
        return error_set (why, ERR_CHAIN, "stop");
    snprintf (one, sizeof one, "%d ", (int) place->sequence);
    strcat (self->text, one);
    return ERR_NONE;
}

static void promises_are (int64_t epoch, int64_t from, int64_t to, enum err rc,
                          const char *want) {
    struct promises got = { "" };
    assert_int_equal (
        outbox_promises (store, epoch, from, to, promise_one, &got, &e), rc);
    assert_string_equal (got.text, want);
}

static void test_promises (void **state) {
    (void) state;
    send (add ("x"), "form 1");
    send (add ("y"), "form 2");
    FINE (promise (1, "form 2", 20));
    FINE (promise (1, "form 1", 10));
    FINE (promise (2, "form 1", 11));
    assert_int_equal (promise (1, "form 2", 21), ERR_CHAIN);
    promises_are (1, 0, 100, ERR_CHAIN, "10 20 ");
    promises_are (1, 0, 21, 0, "10 20 ");
    promises_are (1, 11, 20, 0, "");
    promises_are (2, 11, 12, 0, "11 ");
    struct promise_accepted at = accepted ("form 1", 11);
    struct promise_proof proof;
    assert_true (outbox_promise_at (store, 2, 11, &at.leaf, &proof));
    FINE (promise_proof_check (&proof, &cast.dialogue,
                               identity_public (cast.broker, KEY_DESK), &e));
    assert_false (outbox_promise_at (store, 1, 11, &at.leaf, &proof));
    assert_false (outbox_promise_at (store, 2, 11, &at.id, &proof));
}

static void test_older_form (void **state) {
    (void) state;
    int64_t one = add ("x");
    send (one, "form 1");
    send (one, "form 2");
    refuse ("form 1", RULE_NOT_A_WRITER, "late proof");
    state_is (one, OUTBOX_SENT); /* form 2 is on its way */
    assert_false (seen.m.has_refusal);
    assert_string_equal (seen.header, "form 2");
    FINE (promise (1, "form 1", 7));
    state_is (one, OUTBOX_PROMISED);
    assert_string_equal (seen.header, "form 1");
    assert_int_equal (promise (1, "form 2", 8), ERR_CHAIN);
    state_is (one, OUTBOX_PROMISED);
    assert_int_equal (seen.m.sequence, 7);
    assert_false (see ("form 1", 7));
    assert_int_equal (store_number ("SELECT COUNT(*) FROM promises"), 2);
}

static void test_found (void **state) {
    (void) state;
    int64_t one = add ("x");
    send (one, "form 1");
    struct promise_accepted at = accepted ("form 1", 3);
    FINE (outbox_found (store, &at.id, at.sequence, &at.leaf, &e));
    state_is (one, OUTBOX_PROMISED);
    struct promise_accepted other = accepted ("form 1", 4);
    assert_int_equal (
        outbox_found (store, &at.id, other.sequence, &other.leaf, &e),
        ERR_CHAIN);
    assert_int_equal (get (one)->sequence, 3);
    struct promise_proof proof;
    assert_false (outbox_highest_promise (store, 1, &proof));
    assert_true (see ("form 1", 4));
    done_is (one);
}

static void test_contradictions (void **state) {
    (void) state;
    int64_t one = add ("x"), two = add ("y"), three = add ("z");
    send (one, "form 1");
    send (two, "form 2");
    send (three, "form 3");
    FINE (promise (1, "form 1", 10));
    assert_int_equal (promise (1, "form 1", 11), ERR_CHAIN);
    assert_int_equal (get (one)->sequence, 10);
    FINE (promise (2, "form 1", 12)); /* another epoch, another place */
    assert_int_equal (get (one)->sequence, 12);
    assert_false (see ("form 1", 12));
    assert_int_equal (promise (2, "form 1", 13), ERR_CHAIN);
    FINE (promise (1, "form 2", 20));
    assert_true (see ("form 2", 21));
    done_is (two);
    assert_false (see ("form 3", 30));
    assert_int_equal (promise (1, "form 3", 31), ERR_CHAIN);
    assert_int_equal (store_number ("SELECT COUNT(*) FROM promises"), 6);
}

static void deny (const char *header, enum rule rule, int64_t log_time) {
    struct promise_refused entry = { .index = 0, .id = id_of (header) };
    struct promise answer = { .epoch = 1, .log_time = log_time };
    struct buf proof = { 0 };
    refusal_set (&entry.refusal, rule);
    answer.refused_count = 1;
    answer.refused_root =
        promise_refused_leaf (&entry.id, &entry.refusal); /* of one */
    refusal_proof_write (&proof, &answer, &entry, 1);
    FINE (outbox_refused (store, &entry.id, &entry.refusal, true,
                          buf_slice (&proof), &e));
    buf_free (&proof);
}

static bool denied (const char *header, int64_t log_time) {
    struct hash id = id_of (header);
    bool out = true;
    FINE (outbox_denied (store, &id, log_time, &out, &e));
    return out;
}

/* Refused when it stood there already? */
static void test_denied (void **state) {
    (void) state;
    int64_t one = add ("x"), two = add ("y");
    send (one, "form 1");
    send (two, "form 2");
    assert_false (denied ("form 1", 0));
    deny ("form 1", RULE_TOPICS, 100);
    deny ("form 2", RULE_OLD_NUMBER, 100);
    assert_true (denied ("form 1", 99));
    assert_false (denied ("form 1", 100));
    assert_false (denied ("form 1", 200));
    assert_false (denied ("form 2", 99));
    deny ("form 2", RULE_LIMIT, 101);
    deny ("form 2", RULE_LIMIT, 90);
    assert_true (denied ("form 2", 99));
    /* What can't be read is no answer. */
    assert_int_equal (sqlite3_exec (store->db,
                                    "UPDATE proofs SET octets = x'00'", NULL,
                                    NULL, NULL),
                      SQLITE_OK);
    struct hash id = id_of ("form 2");
    bool out;
    assert_int_equal (outbox_denied (store, &id, 1, &out, &e), ERR_DAMAGED);
}

static void test_refused (void **state) {
    (void) state;
    int64_t one = add ("x"), two = add ("y");
    send (one, "form 1");
    send (two, "form 2");
    refuse ("form 1", RULE_STALE_ROSTER, NULL);
    state_is (one, OUTBOX_WAITING);
    assert_true (seen.m.has_refusal);
    assert_int_equal (seen.m.refusal.rule, RULE_STALE_ROSTER);
    send (one, "form 1b");
    refuse ("form 1b", RULE_NOT_A_WRITER, "proof");
    refuse ("form 2", RULE_NOT_A_WRITER, "proof");
    refuse ("form 2", RULE_NOT_A_WRITER, "proof"); /* told twice */
    state_is (one, OUTBOX_REFUSED);
    assert_int_equal (seen.m.refusal.rule, RULE_NOT_A_WRITER);
    assert_int_equal (seen.m.body.size, BODY_SALT + 1); /* a person's words */
    counts_are ("0 0 0 0 2 0");
    assert_int_equal (store_number ("SELECT COUNT(*) FROM refusals"), 2);
    assert_int_equal (store_number ("SELECT COUNT(*) FROM proofs"), 1);
    refuse ("form 1b", RULE_RATE, NULL);
    state_is (one, OUTBOX_REFUSED);
    FINE (promise (1, "form 1b", 3)); /* a record is a record */
    state_is (one, OUTBOX_PROMISED);
    assert_false (seen.m.has_refusal);
    refuse ("form 1b", RULE_NOT_A_WRITER, "another proof");
    state_is (one, OUTBOX_PROMISED);
    assert_int_equal (store_number ("SELECT COUNT(*) FROM proofs"), 2);
}

static int shown;
static void show (void *arg, int64_t number, int64_t ms, const struct hash *id,
                  const char *topic, const struct refusal *refusal) {
    assert_int_equal (number, ++shown);
    assert_true (ms > 0);
    char header[20];
    snprintf (header, sizeof header, "form %d", shown);
    struct hash want = id_of (header);
    assert_true (hash_equal (id, &want));
    assert_string_equal (topic, arg);
    assert_int_equal (refusal->rule, RULE_TOPICS);
}

static void test_refusals_are_shown (void **state) {
    (void) state;
    char topic[] = "all/note/EUROPOL";
    for (int i = 1; i <= 3; i++) {
        char header[20];
        snprintf (header, sizeof header, "form %d", i);
        send (add ("x"), header);
        refuse (header, RULE_TOPICS, "proof");
    }
    shown = 0;
    FINE (outbox_refusals (store, 0, 2, show, topic, &e));
    assert_int_equal (shown, 2);
    FINE (outbox_refusals (store, 2, 0, show, topic, &e));
    assert_int_equal (shown, 3);
    FINE (outbox_refusals (store, 3, 0, show, topic, &e));
    assert_int_equal (shown, 3);
}

/* Promises */

struct exported {
    int promises, refusals, stop_at;
    int64_t sum;
};

static enum err export_promise (void *arg, const struct promise_proof *proof,
                                struct error *why) {
    struct exported *self = arg;
    assert_int_equal (
        promise_proof_check (proof, &cast.dialogue,
                             identity_public (cast.broker, KEY_DESK), why),
        0);
    self->sum += proof->sequence;
    return ++self->promises == self->stop_at
               ? error_set (why, ERR_NO_SPACE, "stop")
               : ERR_NONE;
}

static enum err export_refusal (void *arg, struct slice proof,
                                struct error *why) {
    (void) why;
    struct exported *self = arg;
    assert_true (slice_is (proof, "proof") || slice_is (proof, "proof 2"));
    self->refusals++;
    return ERR_NONE;
}

static void test_many_promised (void **state) {
    (void) state;
    enum { MANY = 150 };
    struct promise_accepted all[MANY + 2];
    char header[20];
    for (int i = 0; i < MANY; i++) {
        snprintf (header, sizeof header, "form %d", i);
        send (add ("x"), header);
        all[i] = accepted (header, 1000 + i);
    }
    all[MANY] = accepted ("nobody's", 2000);
    assert_int_equal (promise_many (1, all, MANY + 1), ERR_NOT_FOUND);
    counts_are ("0 150 0 0 0 0"); /* nothing was kept */
    assert_int_equal (store_number ("SELECT COUNT(*) FROM replies"), 0);
    FINE (promise_many (1, all, MANY));
    counts_are ("0 0 150 0 0 0");
    send (add ("x"), "later");
    FINE (promise (1, "later", 999));
    struct promise_proof proof;
    assert_true (outbox_highest_promise (store, 1, &proof));
    assert_int_equal (proof.sequence, 1000 + MANY - 1);
    FINE (promise_proof_check (&proof, &cast.dialogue,
                               identity_public (cast.broker, KEY_DESK), &e));
    assert_false (outbox_highest_promise (store, 2, &proof));
    send (add ("x"), "bad");
    refuse ("bad", RULE_TOPICS, "proof");
    send (add ("x"), "bad 2");
    refuse ("bad 2", RULE_TOPICS, "proof 2");
    struct exported exported = { 0 };
    FINE (outbox_proofs (store, export_promise, export_refusal, &exported, &e));
    assert_int_equal (exported.promises, MANY + 1);
    assert_int_equal (exported.refusals, 2);
    assert_int_equal (exported.sum, 999 + 1000 * MANY + MANY * (MANY - 1) / 2);
    exported = (struct exported){ .stop_at = 3 };
    assert_int_equal (
        outbox_proofs (store, export_promise, export_refusal, &exported, &e),
        ERR_NO_SPACE);
    assert_int_equal (exported.promises, 3);
    FINE (store_done (
        store, store_prepare (store, "UPDATE replies SET octets = x'00'"),
        "test", &e));
    assert_int_equal (
        outbox_proofs (store, export_promise, export_refusal, &exported, &e),
        ERR_DAMAGED);
}

/* Contributions */

/* One of FRONTEX/hq with `size` messages; ids of them. */
static void contribution (size_t size, struct buf *out,
                          struct hash ids[BATCH_MAX]) {
    struct build *build = build_new ("all");
    struct signed_batch *made =
        sign_batch (&cast, build, cast.frontex, NULL, size, 0);
    contribution_write (buf_slice (&made->head), buf_slice (&made->headers),
                        buf_slice (&made->bodies), out);
    for (size_t i = 0; i < size; i++)
        ids[i] = made->batch.items[i].message.id;
    signed_batch_free (made);
    build_free (build);
}

static enum err hand_in (const struct buf *octets, const char *key,
                         const struct hash *id, int64_t *number,
                         bool *repeated) {
    return outbox_add_contribution (store, key, buf_slice (octets),
                                    "all/note/FRONTEX", id, number, repeated,
                                    &e);
}

static void promise_id (const struct hash *id, int64_t sequence) {
    struct promise_accepted one = accepted ("", sequence);
    one.id = *id;
    FINE (promise_many (1, &one, 1));
}

static void see_id (const struct hash *id, int64_t sequence) {
    struct promise_accepted one = accepted ("", sequence);
    bool contradiction;
    FINE (outbox_seen (store, id, sequence, &one.leaf, &contradiction, &e));
    assert_false (contradiction);
}

static void test_contribution (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct hash ids[BATCH_MAX];
    int64_t number, again;
    bool repeated;
    contribution (3, &octets, ids);
    assert_int_equal (hand_in (&octets, NULL, &ids[1], &number, &repeated),
                      ERR_ARGUMENT);
    octets.data[0] ^= 1;
    assert_int_equal (hand_in (&octets, NULL, &ids[0], &number, &repeated),
                      ERR_MALFORMED);
    octets.data[0] ^= 1;
    counts_are ("0 0 0 0 0 0");
    FINE (hand_in (&octets, "key", &ids[0], &number, &repeated));
    assert_false (repeated);
    FINE (hand_in (&octets, NULL, &ids[0], &again, &repeated));
    assert_true (repeated && again == number);
    FINE (hand_in (&octets, "key", &ids[0], &again, &repeated));
    assert_true (repeated && again == number);
    int64_t own = add ("x");
    assert_int_equal (get (own)->lane_number, 1);
    int calls = 0;
    FINE (outbox_get (store, number, look, &calls, &e));
    assert_int_equal (seen.m.contribution.size, octets.size);
    assert_int_equal (seen.m.lane_number, 0);
    assert_true (hash_equal (&seen.m.id, &ids[0]));
    struct outbox_form form = { .number = number, .id = ids[0] };
    FINE (outbox_sending (store, &form, 1, &e));
    state_is (number, OUTBOX_SENT);
    promise_id (&ids[1], 51);
    state_is (number, OUTBOX_SENT);
    see_id (&ids[0], 50);
    promise_id (&ids[2], 52);
    state_is (number, OUTBOX_PROMISED);
    assert_int_equal (seen.m.sequence, 50);
    see_id (&ids[2], 52);
    see_id (&ids[1], 51);
    done_is (number);
    assert_int_equal (seen.m.contribution.size, 0);
    promise_id (&ids[0], 50); /* late */
    done_is (number);
    counts_are ("1 0 0 1 0 0");
    buf_free (&octets);
}

static void test_contribution_refused (void **state) {
    (void) state;
    struct buf octets = { 0 };
    struct hash ids[BATCH_MAX];
    int64_t number, again;
    bool repeated;
    struct refusal refusal;
    contribution (2, &octets, ids);
    FINE (hand_in (&octets, NULL, &ids[0], &number, &repeated));
    struct outbox_form form = { .number = number, .id = ids[0] };
    FINE (outbox_sending (store, &form, 1, &e));
    refusal_set (&refusal, RULE_LANES);
    FINE (
        outbox_refused (store, &ids[1], &refusal, false, slice_text (""), &e));
    state_is (number, OUTBOX_WAITING);
    FINE (outbox_sending (store, &form, 1, &e));
    refusal_set (&refusal, RULE_STALE_ROSTER);
    FINE (
        outbox_refused (store, &ids[1], &refusal, true, slice_text ("p"), &e));
    state_is (number, OUTBOX_SENT); /* the other one is still open */
    promise_id (&ids[0], 4);
    see_id (&ids[0], 4);
    state_is (number, OUTBOX_REFUSED);
    assert_int_equal (store_number ("SELECT COUNT(*) FROM refusals"), 1);
    FINE (hand_in (&octets, NULL, &ids[0], &again, &repeated));
    assert_false (repeated); /* perhaps it is taken now */
    assert_int_equal (get (again)->state, OUTBOX_WAITING);
    buf_free (&octets);
}

/* Lanes */

static void test_lanes (void **state) {
    (void) state;
    uint64_t old = store_lane (store), lane, lanes[4];
    int64_t highest[4];
    int64_t one = add ("1"), two = add ("2"), three = add ("3");
    int64_t four = add ("4"), five = add ("5");
    assert_int_equal (outbox_lanes (store, lanes, highest, 4), 1);
    assert_int_equal (highest[0], 0);
    send (two, "form 2");
    send (one, "form 1");
    send (three, "form 3");
    send (four, "form 4");
    FINE (promise (1, "form 1", 9));
    assert_int_equal (outbox_lanes (store, lanes, highest, 4), 1);
    assert_int_equal (highest[0], 4);
    /* Another handle draws a lane. */
    struct store *other =
        store_open (store_path, &cast.dialogue, "EUROPOL/hq", &e);
    assert_non_null (other);
    FINE (store_new_lane (other, &lane, &e));
    store_close (&other);
    int64_t six = add ("6");
    assert_int_equal (get (six)->lane, lane);
    assert_int_equal (seen.m.lane_number, 1);
    FINE (outbox_cancel (store, three, &e) == ERR_STATE ? 0 : 1);
    FINE (outbox_move_lane (store, lane, &e));
    const int64_t moved[] = { two, three, four, five };
    for (int i = 0; i < 4; i++) {
        state_is (moved[i], OUTBOX_WAITING);
        assert_int_equal (seen.m.lane, lane);
        assert_int_equal (seen.m.lane_number, 2 + i);
        assert_int_equal (seen.m.header.size, 0);
    }
    assert_int_equal (get (one)->lane, old);
    assert_int_equal (get (add ("7"))->lane_number, 6);
    assert_int_equal (promise (1, "form 2", 10), ERR_NOT_FOUND);
    send (six, "form 6");
    assert_int_equal (outbox_lanes (store, lanes, highest, 4), 2);
    assert_true (lanes[0] == lane && highest[0] == 1);
    assert_true (lanes[1] == old && highest[1] == 4);
    assert_int_equal (outbox_lanes (store, lanes, highest, 1), 1);
    assert_int_equal (outbox_lanes (store, lanes, highest, 0), 0);
    counts_are ("5 1 1 0 0 0");
    FINE (outbox_move_lane (store, lane, &e)); /* nothing left to move */
    counts_are ("5 1 1 0 0 0");
}

/* A store that was put back: what it sent later it does not know. */

/* Its record, under a form that this store never signed. */
static bool see_own (uint64_t lane, int64_t number, const struct hash *body,
                     const char *header, int64_t sequence) {
    struct promise_accepted one = accepted (header, sequence);
    struct message message = { .id = one.id,
                               .lane = lane,
                               .number = number,
                               .body_digest = body->octets };
    bool contradiction = true;
    FINE (store_begin (store, &e));
    FINE (outbox_seen_own (store, &message, sequence, &one.leaf, &contradiction,
                           &e));
    FINE (store_commit (store, &e));
    return contradiction;
}

static struct hash body_of (int64_t number) {
    const struct outbox_message *m = get (number);
    assert_in_range (m->body.size, BODY_MIN, sizeof seen.body);
    return hash_blake2b (slice_of (seen.body, m->body.size));
}

static void done_as (int64_t number, const char *header, int64_t sequence) {
    struct hash id = id_of (header);
    done_is (number);
    assert_true (hash_equal (&seen.m.id, &id));
    assert_int_equal (seen.m.sequence, sequence);
    assert_int_equal (seen.m.body.size, 0);
    assert_false (seen.m.has_refusal);
}

static void test_seen_by_body (void **state) {
    (void) state;
    uint64_t lane = store_lane (store), next;
    int64_t n[7];
    struct hash body[7], none = hash_blake2b (slice_text ("other octets"));
    for (int i = 1; i <= 6; i++) {
        n[i] = add ("the same words"); /* the salts differ */
        body[i] = body_of (n[i]);
    }
    send (n[2], "form 2");
    send (n[3], "form 3");
    refuse ("form 3", RULE_RATE, NULL);
    send (n[4], "form 4");
    refuse ("form 4", RULE_NOT_A_WRITER, "proof");
    FINE (outbox_cancel (store, n[5], &e));
    assert_false (see_own (lane, 1, &none, "sent since", 60));
    assert_false (see_own (lane, 9, &none, "sent since", 61));
    counts_are ("3 1 0 0 1 1");
    for (int i = 1; i <= 5; i++) {
        char header[20];
        snprintf (header, sizeof header, "later %d", i);
        assert_false (see_own (lane, i, &body[i], header, 40 + i));
        assert_false (see_own (lane, i, &body[i], header, 40 + i)); /* again */
        done_as (n[i], header, 40 + i);
    }
    /* Under a lane that is not here any more. */
    FINE (outbox_new_lane (store, &next, &e));
    assert_true (next == store_lane (store) && next != lane);
    assert_true (get (n[6])->lane == next && seen.m.lane_number == 1);
    assert_false (see_own (lane, 6, &body[6], "later 6", 46));
    done_as (n[6], "later 6", 46);
    assert_int_equal (store_number ("SELECT COUNT(*) FROM forms"), 0);
    counts_are ("0 0 0 6 0 0");
}

/* By its id as ever; by its body a second time: whose fault is it? */
static void test_seen_twice (void **state) {
    (void) state;
    uint64_t lane = store_lane (store);
    int64_t one = add ("x"), two = add ("y");
    struct hash first = body_of (one), second = body_of (two);
    send (one, "form 1");
    send (two, "form 2");
    assert_false (see_own (lane, 1, &first, "form 1", 40));
    FINE (promise (1, "form 2", 41));
    assert_true (see_own (lane, 1, &first, "another 1", 50));
    assert_true (see_own (lane, 2, &second, "another 2", 51));
    assert_false (see_own (lane + 1, 1, &first, "a copy's 1", 52));
    assert_false (see_own (lane + 1, 2, &second, "a copy's 2", 53));
    state_is (two, OUTBOX_PROMISED);
    done_as (one, "form 1", 40);
    assert_false (see_own (lane, 2, &second, "form 2", 41));
    done_as (two, "form 2", 41);
    assert_true (see_own (lane, 2, &second, "form 2", 99));
    done_as (two, "form 2", 41);
}

/* What goes wrong below */

static void test_full_store (void **state) {
    (void) state;
    static char big[20000];
    memset (big, 'x', sizeof big);
    int64_t one = add ("x"), number;
    bool repeated;
    send (one, "form 1");
    store_full (true);
    for (int i = 0; i < 2; i++)
        assert_int_equal (outbox_add (store, "k", slice_text ("all/a"),
                                      BODY_OCTETS, slice_of (big, sizeof big),
                                      NULL, 0, &number, &repeated, &e),
                          ERR_NO_SPACE);
    counts_are ("0 1 0 0 0 0");
    store_full (false);
    FINE (outbox_add (store, "k", slice_text ("all/a"), BODY_OCTETS,
                      slice_of (big, sizeof big), NULL, 0, &number, &repeated,
                      &e));
    assert_false (repeated);
    assert_int_equal (get (number)->lane_number, 2);
    store_reopen();
    counts_are ("1 1 0 0 0 0");
}

/* The operating system refuses to write: no more than it has. */
static void test_write_fails (void **state) {
    (void) state;
    struct rlimit old, none;
    int64_t number;
    bool repeated;
    add ("x");
    signal (SIGXFSZ, SIG_IGN);
    assert_int_equal (getrlimit (RLIMIT_FSIZE, &old), 0);
    none = (struct rlimit){ 100, old.rlim_max };
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &none), 0);
    enum err rc =
        outbox_add (store, NULL, slice_text ("all/a"), BODY_TEXT,
                    slice_text ("y"), NULL, 0, &number, &repeated, &e);
    assert_int_equal (setrlimit (RLIMIT_FSIZE, &old), 0);
    if (rc != ERR_IO && rc != ERR_NO_SPACE)
        fail_msg ("%s: %s", error_name (rc), e.text);
    counts_are ("1 0 0 0 0 0");
    assert_int_equal (get (add ("z"))->lane_number, 2);
    store_reopen();
    counts_are ("2 0 0 0 0 0");
}

/* Add, and say each number when it is safe, until killed. */
static void child_adds (int out, int64_t from) {
    struct store *mine =
        store_open (store_path, &cast.dialogue, "EUROPOL/hq", &e);
    for (int64_t i = from; mine; i++) {
        char key[30];
        int64_t number;
        bool repeated;
        snprintf (key, sizeof key, "key %d", (int) i);
        if (outbox_add (mine, key, slice_text ("all/note"), BODY_TEXT,
                        slice_text (key), NULL, 0, &number, &repeated, &e)
            || write (out, &number, sizeof number) != sizeof number)
            break;
    }
    _exit (1);
}

/* Kills it after `reports` of them; the last number that it said. */
static int64_t kill_after (int reports, int64_t from) {
    int ends[2];
    assert_int_equal (pipe (ends), 0);
    pid_t child = fork();
    assert_true (child >= 0);
    if (child == 0) {
        close (ends[0]);
        child_adds (ends[1], from);
    }
    close (ends[1]);
    int64_t number, last = 0;
    for (int i = 0; i < reports; i++) {
        assert_int_equal (read (ends[0], &number, sizeof number),
                          sizeof number);
        last = number;
    }
    kill (child, SIGKILL);
    int status;
    assert_int_equal (waitpid (child, &status, 0), child);
    assert_true (WIFSIGNALED (status));
    while (read (ends[0], &number, sizeof number) == sizeof number)
        last = number; /* said before the kill came */
    close (ends[0]);
    return last;
}

static enum err check_whole (void *arg, const struct outbox_message *m,
                             struct error *why) {
    (void) why;
    int64_t *last = arg;
    char want[30];
    snprintf (want, sizeof want, "key %d", (int) m->number);
    assert_int_equal (m->number, *last + 1);
    assert_int_equal (m->lane_number, m->number);
    assert_int_equal (m->body.size, BODY_SALT + strlen (want));
    assert_memory_equal (m->body.data + BODY_SALT, want, strlen (want));
    *last = m->number;
    return ERR_NONE;
}

static void test_killed (void **state) {
    (void) state;
    int64_t held = 0;
    for (int round = 0; round < 6; round++) {
        store_close (&store);
        int64_t said = kill_after (5 + 11 * round, held + 1);
        store_reopen();
        held = 0;
        FINE (outbox_list (store, -1, 0, 0, check_whole, &held, &e));
        assert_true (held >= said);
        assert_true (held <= said + 1);
    }
    int64_t n[6];
    outbox_counts (store, n);
    assert_int_equal (n[OUTBOX_WAITING], held);
}

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)

int main (void) {
    const struct CMUnitTest tests[] = {
        T (test_bad_arguments),
        T (test_what_is_kept),
        T (test_idempotency),
        T (test_limits),
        T (test_cancel),
        T (test_list),
        T (test_sent_promised_seen),
        T (test_settle),
        T (test_promises),
        T (test_seen_before_promised),
        T (test_older_form),
        T (test_found),
        T (test_contradictions),
        T (test_refused),
        T (test_denied),
        T (test_refusals_are_shown),
        T (test_many_promised),
        T (test_contribution),
        T (test_contribution_refused),
        T (test_lanes),
        T (test_seen_by_body),
        T (test_seen_twice),
        T (test_full_store),
        T (test_write_fails),
        T (test_killed),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
