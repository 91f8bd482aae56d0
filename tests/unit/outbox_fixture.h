/* An outbox in a store, and a sender's steps through it. */
#ifndef PARLEY_OUTBOX_FIXTURE_H
#define PARLEY_OUTBOX_FIXTURE_H

#include "store/outbox.h"

#include "store_fixture.h"

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

#define T(name)                                                                \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)

#endif
