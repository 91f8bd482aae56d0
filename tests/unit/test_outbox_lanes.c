/* outbox: contributions, lanes, a full store, a process killed at any time. */
#include "outbox_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

int main (void) {
    const struct CMUnitTest tests[] = {
        T (test_contribution), T (test_contribution_refused),
        T (test_lanes),        T (test_seen_by_body),
        T (test_seen_twice),   T (test_full_store),
        T (test_write_fails),  T (test_killed),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
