/* session: who is who, how many, how much. */
#include "session.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>

#include <cmocka.h>

#define HQ "EUROPOL/hq"
#define FRONTEX "FRONTEX/hq"

/* Z85 has 40 characters; these are told apart by the first. */
static const char *user_of (char c) {
    static char users[4][41];
    static unsigned next;
    char *user = users[next++ % 4];
    memset (user, c, 40);
    return user;
}

static struct session *get (struct session_table *table, const char *peer,
                            char user, const char *delegation, int64_t limit,
                            int64_t now) {
    return session_get (table, peer, strlen (peer), user_of (user), delegation,
                        limit, now);
}

static void test_identity (void **state) {
    (void) state;
    struct session_table *table = session_table_new();
    assert_null (session_find (table, 0));
    assert_null (session_find (table, 65536));
    struct session *a = get (table, "a", 'e', HQ, 9, 1);
    uint64_t number = a->number;
    assert_int_equal (a->last_ms, 1);
    assert_string_equal (a->delegation, HQ);
    assert_string_equal (a->user, user_of ('e'));
    assert_false (a->hello);
    a->hello = true;
    assert_ptr_equal (get (table, "a", 'e', HQ, 9, 2), a);
    assert_int_equal (a->last_ms, 2);
    assert_ptr_equal (session_find (table, number), a);

    /* the routing id with another's key: a new one, and the old is gone */
    struct session *taken = get (table, "a", 'f', FRONTEX, 9, 3);
    assert_false (taken->hello);
    assert_string_equal (taken->delegation, FRONTEX);
    assert_null (session_find (table, number));
    assert_int_equal (session_count (table), 1);
    /* another key of one delegation: likewise */
    number = taken->number;
    taken = get (table, "a", 'g', FRONTEX, 9, 3);
    assert_string_equal (taken->user, user_of ('g'));
    assert_null (session_find (table, number));
    /* the key with another delegation: likewise (the roster changed) */
    number = taken->number;
    taken = get (table, "a", 'g', "FRONTEX/ops", 9, 3);
    assert_string_equal (taken->delegation, "FRONTEX/ops");
    assert_null (session_find (table, number));

    session_drop (table, taken);
    assert_int_equal (session_count (table), 0);
    session_table_destroy (&table);
    session_table_destroy (&table);
}

static void test_limit (void **state) {
    (void) state;
    struct session_table *table = session_table_new();
    uint64_t numbers[4];
    char peer[8];
    for (int i = 0; i < 4; i++) {
        snprintf (peer, sizeof peer, "p%d", i);
        numbers[i] = get (table, peer, 'e', HQ, 4, 10 + i)->number;
    }
    get (table, "other", 'f', FRONTEX, 1, 1);
    get (table, "p0", 'e', HQ, 4, 20); /* now p1 is the quietest */
    get (table, "p4", 'e', HQ, 4, 21);
    assert_null (session_find (table, numbers[1]));
    assert_non_null (session_find (table, numbers[0]));
    assert_int_equal (session_count (table), 5); /* another's stays */
    get (table, "p5", 'e', HQ, 2, 22);           /* the roster's limit fell */
    assert_int_equal (session_count (table), 3);
    assert_non_null (session_find (table, numbers[0]) ? NULL : table);
    session_table_destroy (&table);
}

/* More than any bucket or first allocation holds; numbers are not used twice. */
static void test_many (void **state) {
    (void) state;
    enum { MANY = 3000 };
    struct session_table *table = session_table_new();
    static uint64_t numbers[MANY];
    char peer[16];
    for (int i = 0; i < MANY; i++) {
        snprintf (peer, sizeof peer, "peer%d", i);
        struct session *s = get (table, peer, 'e', HQ, MANY, i);
        numbers[i] = s->number;
        if (i % 3 == 0)
            session_drop (table, s);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf (peer, sizeof peer, "peer%d", i);
        struct session *s = session_find (table, numbers[i]);
        if (i % 3 == 0)
            assert_null (s);
        else
            assert_memory_equal (s->peer, peer, strlen (peer));
    }
    assert_int_equal (session_count (table), MANY / 3 * 2);
    session_table_destroy (&table);
}

static void test_credit (void **state) {
    (void) state;
    struct session_table *table = session_table_new();
    struct session *a = get (table, "a", 'e', HQ, 9, 1);
    struct session *b = get (table, "b", 'e', HQ, 9, 1);
    struct session *c = get (table, "c", 'f', FRONTEX, 9, 1);
    assert_true (session_credit_take (table, a, 2));
    assert_true (session_credit_take (table, b, 2));
    assert_false (session_credit_take (table, b, 2)); /* over both */
    assert_true (session_credit_take (table, c, 2));
    assert_int_equal (b->outstanding, 1);
    assert_ptr_equal (session_credit_give (table, b->number, HQ), b);
    assert_int_equal (b->outstanding, 0);
    assert_true (session_credit_take (table, b, 2));

    /* answered when its session is gone: to nobody, but it counts */
    uint64_t number = a->number;
    session_drop (table, a);
    assert_false (session_credit_take (table, b, 2));
    assert_null (session_credit_give (table, number, HQ));
    assert_true (session_credit_take (table, b, 2));
    session_table_destroy (&table);
}

/* Reads in hand: a delegation's over all its connections, and everybody's. */
static void test_reads (void **state) {
    (void) state;
    struct session_table *table = session_table_new();
    struct session *a = get (table, "a", 'e', HQ, 9, 1);
    struct session *b = get (table, "b", 'e', HQ, 9, 1);
    struct session *c = get (table, "c", 'f', FRONTEX, 9, 1);
    assert_true (session_read_take (table, a, 2, 3));
    assert_true (session_read_take (table, b, 2, 3));
    assert_false (session_read_take (table, a, 2, 3));
    assert_true (session_read_take (table, c, 2, 3));
    assert_false (session_read_take (table, c, 2, 3));
    session_drop (table, a); /* what it asked for is in hand still */
    assert_false (session_read_take (table, b, 2, 4));
    session_read_give (table, HQ);
    assert_true (session_read_take (table, c, 2, 3));
    assert_false (session_read_take (table, b, 2, 3));
    session_table_destroy (&table);
}

static void test_malformed (void **state) {
    (void) state;
    struct session_table *table = session_table_new();
    struct session *s = get (table, "a", 'e', HQ, 9, 1);
    for (int i = 1; i < SESSION_MALFORMED_MAX; i++)
        assert_false (session_malformed (s, 1000));
    assert_false (session_malformed (s, 61000)); /* another minute */
    for (int i = 2; i < SESSION_MALFORMED_MAX; i++)
        assert_false (session_malformed (s, 61000 + i));
    assert_true (session_malformed (s, 120999));
    session_table_destroy (&table);
}

/* Over all connections of a delegation. */
static void test_hellos (void **state) {
    (void) state;
    struct session_table *table = session_table_new();
    struct session *a = get (table, "a", 'e', HQ, 9, 1);
    struct session *b = get (table, "b", 'e', HQ, 9, 1);
    struct session *other = get (table, "c", 'f', FRONTEX, 9, 1);
    for (int i = 0; i < SESSION_HELLOS_MAX; i++)
        assert_true (session_hello (table, i % 2 ? a : b, 1000 + i));
    assert_false (session_hello (table, a, 2000));
    assert_false (session_hello (table, b, 60999));
    assert_true (session_hello (table, other, 60999));
    assert_true (session_hello (table, b, 61000));
    session_table_destroy (&table);
}

/* What libzmq holds outlives the session. */
static void test_flight (void **state) {
    (void) state;
    struct session_table *table = session_table_new();
    struct session *s = get (table, "a", 'e', HQ, 9, 1);
    struct flight *flight = s->flight;
    atomic_fetch_add (&flight->references, 1);
    session_drop (table, s);
    atomic_fetch_add (&flight->octets, 5);
    flight_unref (&flight);
    assert_null (flight);
    flight_unref (&flight);
    session_table_destroy (&table);
}

/* A connection that outlives its session has no second budget. */
static void test_flight_all (void **state) {
    (void) state;
    struct session_table *table = session_table_new();
    struct flight *flights[5];
    enum { COUNT = sizeof flights / sizeof *flights };
    for (int i = 0; i < COUNT; i++) {
        struct session *s = get (table, i % 2 ? "a" : "b", 'e', HQ, 1, i);
        if (flight_over (s->flight) != (i == COUNT - 1))
            fail_msg ("session %d", i);
        flights[i] = s->flight;
        flight_start (s->flight, FLIGHT_MAX);
        flight_start (s->flight, 1);
        assert_true (flight_over (s->flight));
    }
    struct session *other = get (table, "c", 'f', FRONTEX, 1, 1);
    assert_false (flight_over (other->flight));
    session_table_destroy (&table);
    for (int i = 0; i < COUNT; i++) {
        struct flight *same = flights[i];
        flight_land (&same, 1);
        assert_null (same);
        flight_land (&flights[i], FLIGHT_MAX);
    }
}

static void test_rate (void **state) {
    (void) state;
    static const struct {
        const char *delegation;
        int64_t messages, octets, now;
        const char *what; /* NULL: within */
        int64_t limit, wait;
    } rows[] = {
        { HQ, 60, 10, 1000, NULL, 0, 0 },
        { HQ, 60, 10, 1000, NULL, 0, 0 },
        { HQ, 1, 10, 1000, "messages_a_minute", 120, 501 },
        { FRONTEX, 120, 10, 1000, NULL, 0, 0 }, /* each its own */
        { HQ, 1, 10, 1500, NULL, 0, 0 },
        { HQ, 1, 10, 1500, "messages_a_minute", 120, 501 },
        { HQ, 120, 10, 61000, "messages_a_minute", 120, 501 },
        { HQ, 120, 10, 61501, NULL, 0, 0 },
        /* octets; the longer wait is told */
        { HQ, 1, 599991, 91501, NULL, 0, 0 },
        { HQ, 1, 20, 91501, "octets_a_minute", 600000, 2 },
        { HQ, 1, 700000, 200000, NULL, 0, 0 }, /* alone above it: passes */
        { HQ, 1, 1, 200000, "octets_a_minute", 600000, 10001 },
        { HQ, 119, 1, 210001, NULL, 0, 0 },
        { HQ, 200, 1, 210001, "messages_a_minute", 120, 59501 },
    };
    struct roster_limits limits = { .messages_a_minute = 120,
                                    .octets_a_minute = 600000 };
    struct session_table *table = session_table_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *what = NULL;
        int64_t limit = 0, wait = 0;
        bool fine =
            session_rate (table, rows[i].delegation, &limits, rows[i].messages,
                          rows[i].octets, rows[i].now, &what, &limit, &wait);
        if (fine != !rows[i].what
            || (!fine
                && (strcmp (what, rows[i].what) != 0 || limit != rows[i].limit
                    || wait != rows[i].wait)))
            fail_msg ("row %zu: %d %s %" PRId64 " %" PRId64, i, fine,
                      what ? what : "", limit, wait);
    }
    session_table_destroy (&table);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_identity), cmocka_unit_test (test_limit),
        cmocka_unit_test (test_many),     cmocka_unit_test (test_credit),
        cmocka_unit_test (test_reads),    cmocka_unit_test (test_malformed),
        cmocka_unit_test (test_flight),   cmocka_unit_test (test_hellos),
        cmocka_unit_test (test_rate),     cmocka_unit_test (test_flight_all),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
