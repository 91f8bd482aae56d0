/* job: the pool gives and takes back, and what comes back is as new. */
#include "job.h"

#include <poll.h>
#include <setjmp.h>

#include <cmocka.h>

#define COUNT 3

static bool is_raised (struct job_pool *pool) {
    struct pollfd fd = { .fd = job_pool_fd (pool), .events = POLLIN };
    return poll (&fd, 1, 0) == 1;
}

static void test_bounded (void **state) {
    (void) state;
    struct job_pool *pool = job_pool_new (COUNT);
    struct job *jobs[COUNT], *none = NULL;
    assert_non_null (pool);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal (job_pool_free (pool), COUNT - i);
        jobs[i] = job_take (pool);
        assert_non_null (jobs[i]);
        assert_false (is_raised (pool));
    }
    assert_null (job_take (pool));
    assert_false (is_raised (pool));
    job_give (pool, &none);
    job_give (pool, NULL);
    assert_int_equal (job_pool_free (pool), 0);

    /* the last given is the first taken; the descriptor tells that there is
     * one again, until it is taken */
    struct job *last = jobs[1];
    job_give (pool, &jobs[0]);
    assert_null (jobs[0]);
    assert_true (is_raised (pool));
    job_give (pool, &jobs[1]);
    assert_ptr_equal (jobs[1] = job_take (pool), last);
    assert_false (is_raised (pool));
    job_give (pool, &jobs[1]);
    job_give (pool, &jobs[2]);
    assert_false (is_raised (pool)); /* not dry since */
    job_pool_destroy (&pool);
    assert_null (pool);
    job_pool_destroy (&pool);
}

static void fill (struct job *job) {
    static const char text[] = "a frame of more than thirty-three octets, so";
    for (size_t i = 0; i < 2; i++) {
        zmq_msg_t *frame = &job->frames[job->frame_count++];
        zmq_msg_init_size (frame, sizeof text);
        memcpy (zmq_msg_data (frame), text, sizeof text);
        assert_true (
            slice_equal (job_frame (job, i), slice_of (text, sizeof text)));
    }
    strcpy (job->delegation, "EUROPOL/hq");
    job->ticket = job->session = 7;
    job->peer_size = 5;
    job->head = (struct wire_head){ .type = WIRE_FETCH, .id = 9 };
    job->batch_refused = job->batch_verified = job->via_verified = true;
    refusal_set (&job->why, RULE_RATE);
    job->batch.size = 2;
    job->batch.items[1].refusal =
        mem_copy (&job->why, sizeof *job->batch.items[1].refusal);
    job->refused = mem_alloc (2 * sizeof *job->refused);
    job->refused_count = job->accepted_count = 2;
    buf_add_text (&job->reply[0], "reply");
    buf_add_zeros (&job->reply[1], 100000);
    job->reply_count = 2;
    job->reply_type = 131;
    job->blocks = mem_alloc (2 * sizeof *job->blocks);
    job->block_count = 2;
    buf_add_text (&job->blocks[1], "block");
}

static void test_as_new (void **state) {
    (void) state;
    struct job_pool *pool = job_pool_new (1);
    struct job *job = job_take (pool);
    fill (job);
    job_give (pool, &job);
    job = job_take (pool);
    assert_int_equal (job->ticket + job->session + job->peer_size, 0);
    assert_string_equal (job->delegation, "");
    assert_int_equal (job->head.type, 0);
    assert_int_equal (job->frame_count + job->batch.size, 0);
    assert_false (job->batch_refused || job->batch_verified
                  || job->via_verified);
    assert_int_equal (job->why.rule, RULE_NONE);
    assert_null (job->refused);
    assert_int_equal (job->refused_count + job->accepted_count, 0);
    assert_int_equal (job->reply_count, 0);
    assert_int_equal (job->reply_type, 0);
    assert_int_equal (job->reply[0].size + job->reply[1].size, 0);
    assert_int_equal (job->reply[1].room, 0); /* large rooms are not kept */
    assert_null (job->blocks);
    assert_int_equal (job->block_count, 0);
    job_give (pool, &job);
    job_pool_destroy (&pool);
}

static void test_fail (void **state) {
    (void) state;
    struct job_pool *pool = job_pool_new (1);
    struct job *job = job_take (pool);
    fill (job);
    struct refusal why, read;
    struct slice text;
    struct error e;
    refusal_set (&why, RULE_UNKNOWN_STREAM);
    refusal_text (&why, "stream", "none");
    job_fail (job, &why, "no such stream");
    assert_int_equal (job->reply_type, WIRE_ERROR);
    assert_int_equal (job->reply_count, 1);
    assert_int_equal (job->block_count, 0);
    assert_int_equal (job->why.rule, RULE_UNKNOWN_STREAM);
    for (int round = 0; round < 2; round++) {
        assert_int_equal (
            wire_error_read (buf_slice (&job->reply[0]), &read, &text, &e), 0);
        assert_int_equal (read.rule, RULE_UNKNOWN_STREAM);
        assert_true (slice_is (text, "no such stream"));
        job_fail (job, &job->why, "no such stream"); /* its own, again */
    }
    job_give (pool, &job);
    job_pool_destroy (&pool);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_bounded),
        cmocka_unit_test (test_as_new),
        cmocka_unit_test (test_fail),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
