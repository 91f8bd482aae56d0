/* desk_pass: publishes to intake and reads to fetch, and how many of them. */
#include "desk_fixture.h"

static void test_publish (void **state) {
    (void) state;
    void *hq = ready_as (stage->cast.hq);
    void *frontex = ready_as (stage->cast.frontex);
    publish (hq, 7, 2);
    struct job *first = judged_take();
    assert_int_equal (first->ticket, 1);
    assert_string_equal (first->delegation, "EUROPOL/hq");
    assert_int_equal (first->batch.size, 2);
    assert_true (first->batch_verified);
    assert_false (first->batch_refused);

    /* the fourth message of a minute; another delegation has its own */
    publish (hq, 8, 2);
    struct job *second = judged_take();
    char text[REFUSAL_TEXT_MAX];
    assert_int_equal (second->ticket, 2);
    assert_true (second->batch_refused);
    assert_int_equal (second->batch.size, 2); /* with ids to refuse */
    refusal_print (&second->why, text);
    assert_non_null (strstr (text, "RATE limit=3 "));
    assert_non_null (strstr (text, "what=messages_a_minute"));

    /* two are unanswered, which is the limit */
    ask (hq, WIRE_STATUS, 9, NULL, 0);
    struct refusal why;
    check_error (hq, "credit", 9, RULE_CREDIT, &why);
    assert_string_equal (refusal_print (&why, text), "CREDIT limit=2");
    status_check (frontex);

    answer (second, "second"); /* in any order */
    check_reply (hq, 8, "second");
    status_check (hq);
    answer (first, "first");
    check_reply (hq, 7, "first");
    publish (frontex, 3, 1);
    struct job *third = judged_take();
    assert_int_equal (third->ticket, 3);
    assert_false (third->batch_refused);
    answer (third, "third");
    check_reply (frontex, 3, "third");
    sock_close (&hq);
    sock_close (&frontex);
}

static struct job *reader_check (void *dealer, int64_t id, size_t size,
                                 bool desk_reads) {
    publish (dealer, id, size);
    struct job *job = judged_take();
    assert_int_equal (job->ticket, id);
    assert_int_equal (!pthread_equal (readers[id], readers[1]), !desk_reads);
    return job;
}

/* A small one that is alone is read by the desk, all others by intake. */
static void test_lone (void **state) {
    (void) state;
    void *hq = ready_as (stage->cast.hq);
    struct job *first = reader_check (hq, 1, 1, true);
    struct job *second = reader_check (hq, 2, 1, false);
    assert_true (first->batch_verified);
    assert_true (second->batch_verified);
    answer (second, "second");
    check_reply (hq, 2, "second");
    second = reader_check (hq, 3, 1, false);
    answer (first, "first");
    check_reply (hq, 1, "first");
    answer (second, "third");
    check_reply (hq, 3, "third");
    for (int64_t id = 4; id < 8; id++) {
        answer (reader_check (hq, id, id % 2 ? 100 : 2, id % 2 == 0), "done");
        check_reply (hq, id, "done");
    }
    sock_close (&hq);
}

/* No job is free: nothing is read until one comes back. */
static void test_dry (void **state) {
    (void) state;
    void *peers[3];
    struct job *jobs[JOBS];
    for (int i = 0; i < 3; i++)
        peers[i] = ready_as (i < 2 ? stage->cast.hq : stage->cast.frontex);
    publish (peers[0], 1, 1);
    publish (peers[1], 2, 1);
    publish (peers[2], 3, 1);
    publish (peers[2], 4, 1);
    for (int i = 0; i < JOBS; i++)
        jobs[i] = judged_take();
    int64_t end = clock_mono_ms() + WAIT_MS;
    while (job_pool_free (pool) > 0)
        assert_true (clock_mono_ms() < end);
    ask (peers[0], WIRE_STATUS, 42, NULL, 0);
    zmq_pollitem_t item = { .socket = peers[0], .events = ZMQ_POLLIN };
    assert_int_equal (zmq_poll (&item, 1, 50), 0);
    for (int i = 0; i < JOBS; i++)
        answer (jobs[i], "done");
    struct reply reply = { 0 };
    int seen = 0;
    for (int i = 0; i < 2; i++) { /* the promise and the status */
        reply_take (peers[0], &reply);
        seen += (int) reply.head.id;
    }
    assert_int_equal (seen, 43);
    reply_free (&reply);
    for (int i = 0; i < 3; i++)
        sock_close (&peers[i]);
}

/* Reads that take long leave jobs for publishes and hellos. */
static void test_reads (void **state) {
    (void) state;
    struct job *job;
    void *hq = ready_as (stage->cast.hq);
    void *frontex = ready_as (stage->cast.frontex);
    atomic_store (&hold, true);
    ask (hq, WIRE_STATUS, 1, NULL, 0);
    ask (hq, WIRE_STATUS, 2, NULL, 0);
    ask (frontex, WIRE_STATUS, 3, NULL, 0);
    struct job *jobs[JOBS - 1];
    for (size_t i = 0; i < JOBS - 1; i++) {
        jobs[i] = queue_take_wait (held, WAIT_MS);
        assert_non_null (jobs[i]);
    }
    ask (frontex, WIRE_STATUS, 4, NULL, 0);
    check_error (frontex, "reads", 4, RULE_BUSY, NULL);
    void *third = ready_as (stage->cast.frontex);
    publish (frontex, 5, 1);
    job = judged_take();
    atomic_store (&hold, false);
    for (size_t i = 0; i < JOBS - 1; i++)
        desk_reply (desk, jobs[i]);
    answer (job, "done");
    struct reply reply = { 0 };
    int seen = 0;
    for (int i = 0; i < 2; i++) {
        reply_take (hq, &reply);
        seen += (int) reply.head.id;
        reply_take (frontex, &reply);
        seen += 10 * (int) reply.head.id;
    }
    assert_int_equal (seen, 1 + 2 + 30 + 50);
    status_check (hq);
    reply_free (&reply);
    sock_close (&third);
    sock_close (&frontex);
    sock_close (&hq);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_publish),
        CASE (test_lone),
        CASE (test_dry),
        CASE (test_reads),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
