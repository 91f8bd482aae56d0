/* outbox: accepting, the sender's steps in every order. */
#include "outbox_fixture.h"

static bool see (const char *header, int64_t sequence) {
    bool contradiction = true;
    struct promise_accepted one = accepted (header, sequence);
    FINE (store_begin (store, &e));
    FINE (
        outbox_seen (store, &one.id, sequence, &one.leaf, &contradiction, &e));
    FINE (store_commit (store, &e));
    return contradiction;
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
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
