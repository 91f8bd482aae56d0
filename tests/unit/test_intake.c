/* intake: what it finds in a publish, alone and in threads. */
#include "broker_fixture.h"

#include "intake.h"

static struct stage *stage;

static int setup (void **state) {
    (void) state;
    stage = stage_new (NULL);
    return 0;
}

static int teardown (void **state) {
    (void) state;
    stage_free (stage);
    return 0;
}

static void frame_add (struct job *job, struct slice octets) {
    zmq_msg_t *frame = &job->frames[job->frame_count++];
    assert_int_equal (zmq_msg_init_size (frame, octets.size), 0);
    if (octets.size)
        memcpy (zmq_msg_data (frame), octets.data, octets.size);
}

/* A publish of `size` messages. */
static void publish (struct job *job, const struct identity *author,
                     const struct identity *submitter, size_t size) {
    struct build where = { .channel = "all", .roster_version = 1 };
    struct signed_batch *made =
        sign_batch (&stage->cast, &where, author, submitter, size, 100);
    frame_add (job, buf_slice (&made->head));
    frame_add (job, buf_slice (&made->headers));
    frame_add (job, buf_slice (&made->bodies));
    signed_batch_free (made);
}

static uint8_t *frame_data (struct job *job, size_t n) {
    return zmq_msg_data (&job->frames[n]);
}

enum change {
    AS_IS,
    HEAD_CUT,      /* one octet short */
    HEADERS_CUT,   /* no size of its messages any more */
    SIGNATURE,     /* an octet of it is another */
    VIA_SIGNATURE, /* of the via */
    BODY,          /* an octet of the last body */
    OVER_RATE,     /* the desk refused it */
    OVER_RATE_CUT,
};

static void change_apply (struct job *job, enum change change) {
    size_t head = zmq_msg_size (&job->frames[0]);
    switch (change) {
    case HEAD_CUT:
    case HEADERS_CUT:
    case OVER_RATE_CUT: {
        size_t n = change == HEADERS_CUT ? 1 : 0;
        zmq_msg_t shorter;
        zmq_msg_init_size (&shorter, zmq_msg_size (&job->frames[n]) - 1);
        memcpy (zmq_msg_data (&shorter), frame_data (job, n),
                zmq_msg_size (&shorter));
        zmq_msg_move (&job->frames[n], &shorter);
        zmq_msg_close (&shorter);
        break;
    }
    case SIGNATURE: /* in front of the nil that ends the head */
        frame_data (job, 0)[head - 10] ^= 1;
        break;
    case VIA_SIGNATURE: /* that ends it */
        frame_data (job, 0)[head - 10] ^= 1;
        break;
    case BODY:
        frame_data (job, 2)[zmq_msg_size (&job->frames[2]) - 1] ^= 1;
        break;
    case AS_IS:
    case OVER_RATE:
        break;
    }
    if (change == OVER_RATE || change == OVER_RATE_CUT) {
        job->batch_refused = true;
        refusal_set (&job->why, RULE_RATE);
    }
}

static void test_read (void **state) {
    (void) state;
    const struct identity *hq = stage->cast.hq, *frontex = stage->cast.frontex;
    struct identity *stranger =
        cast_identity (IDENTITY_DELEGATION, "UNODC/late");
    const struct {
        const char *name;
        const struct identity *author, *submitter;
        size_t size;
        enum change change;
        enum rule refused; /* the batch */
        bool verified, via;
        size_t ids;
        enum rule last; /* refusal of the last message */
    } rows[] = {
        { "head cut", hq, NULL, 2, HEAD_CUT, RULE_MALFORMED, false, false, 0,
          RULE_NONE },
        { "headers cut", hq, NULL, 2, HEADERS_CUT, RULE_MALFORMED, false, false,
          0, RULE_NONE },
        { "signature", hq, NULL, 2, SIGNATURE, RULE_BAD_SIGNATURE, false, false,
          2, RULE_NONE },
        { "via's signature", hq, frontex, 2, VIA_SIGNATURE, RULE_BAD_VIA, true,
          false, 2, RULE_NONE },
        { "rate", hq, NULL, 2, OVER_RATE, RULE_RATE, false, false, 2,
          RULE_NONE },
        { "rate and malformed", hq, NULL, 2, OVER_RATE_CUT, RULE_MALFORMED,
          false, false, 0, RULE_NONE },
        /* commit says why, in order */
        { "no such key", stranger, NULL, 2, AS_IS, RULE_NONE, false, false, 2,
          RULE_NONE },
        { "no such submitter", hq, stranger, 2, AS_IS, RULE_NONE, true, false,
          2, RULE_NONE },
        { "body", hq, NULL, 2, BODY, RULE_NONE, true, false, 2,
          RULE_BODY_DIGEST },
        { "one", frontex, NULL, 1, AS_IS, RULE_NONE, true, false, 1,
          RULE_NONE },
        { "full", hq, NULL, BATCH_MAX, AS_IS, RULE_NONE, true, false, BATCH_MAX,
          RULE_NONE },
        { "via", hq, frontex, 3, AS_IS, RULE_NONE, true, true, 3, RULE_NONE },
    };
    struct job_pool *pool = job_pool_new (1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job *job = job_take (pool);
        publish (job, rows[i].author, rows[i].submitter, rows[i].size);
        change_apply (job, rows[i].change);
        intake_read (stage->state, job);
        enum rule refused = job->batch_refused ? job->why.rule : RULE_NONE;
        const struct refusal *last =
            job->batch.size ? job->batch.items[job->batch.size - 1].refusal
                            : NULL;
        if (refused != rows[i].refused
            || job->batch_verified != rows[i].verified
            || job->via_verified != rows[i].via
            || job->batch.size != rows[i].ids
            || (last ? last->rule : RULE_NONE) != rows[i].last)
            fail_msg ("%s: %s verified=%d via=%d ids=%zu last=%s", rows[i].name,
                      rule_name (refused), job->batch_verified,
                      job->via_verified, job->batch.size,
                      rule_name (last ? last->rule : RULE_NONE));
        if (rows[i].verified)
            assert_memory_equal (
                job->key, identity_public (rows[i].author, KEY_SIGN), KEY_SIZE);
        if (rows[i].via)
            assert_memory_equal (job->via_key,
                                 identity_public (rows[i].submitter, KEY_SIGN),
                                 KEY_SIZE);
        job_give (pool, &job);
    }
    job_pool_destroy (&pool);
    identity_destroy (&stranger);
}

/* No copy: what commit writes are the octets that came. */
static void test_slices (void **state) {
    (void) state;
    struct job_pool *pool = job_pool_new (1);
    struct job *job = job_take (pool);
    publish (job, stage->cast.hq, NULL, 3);
    intake_read (stage->state, job);
    assert_ptr_equal (job->batch.items[0].message.octets.data,
                      frame_data (job, 1) + 8);
    assert_ptr_equal (job->batch.items[0].body.data, frame_data (job, 2));
    job_give (pool, &job);
    job_pool_destroy (&pool);
}

/* Threads */

#define JOBS 60

static void collect (void *arg, struct job *job) {
    assert_int_equal (queue_put_wait (arg, job), 0);
}

static void test_threads (void **state) {
    (void) state;
    struct error e;
    struct job_pool *pool = job_pool_new (JOBS);
    struct queue *done = queue_new (JOBS);
    struct intake *intake =
        intake_new (stage->state, 3, JOBS, collect, done, &e);
    assert_non_null (intake);
    for (uint64_t i = 1; i <= JOBS; i++) {
        struct job *job = job_take (pool);
        job->ticket = i;
        publish (job, stage->cast.hq, NULL, 1 + i % 5);
        if (i % 4 == 0)
            change_apply (job, SIGNATURE);
        assert_int_equal (intake_put (intake, job), 0);
    }
    intake_destroy (&intake); /* finishes what waits */
    intake_destroy (&intake);
    assert_int_equal (queue_count (done), JOBS);
    for (int i = 0; i < JOBS; i++) {
        struct job *job = queue_take (done);
        assert_int_equal (job->batch.size, 1 + job->ticket % 5);
        assert_int_equal (job->batch_verified, job->ticket % 4 != 0);
        job_give (pool, &job);
    }
    queue_destroy (&done);
    job_pool_destroy (&pool);
}

static void hold (void *arg, struct job *job) {
    struct queue **gates = arg; /* [0]: went in; [1]: may go on */
    assert_int_equal (queue_put_wait (gates[0], job), 0);
    assert_ptr_equal (queue_take_wait (gates[1], -1), job);
}

static void test_full (void **state) {
    (void) state;
    struct error e;
    struct job_pool *pool = job_pool_new (3);
    struct queue *gates[2] = { queue_new (3), queue_new (3) };
    struct intake *intake = intake_new (stage->state, 1, 1, hold, gates, &e);
    struct job *jobs[3];
    for (size_t i = 0; i < 3; i++) {
        jobs[i] = job_take (pool);
        publish (jobs[i], stage->cast.hq, NULL, 1);
    }
    assert_int_equal (intake_put (intake, jobs[0]), 0);
    assert_ptr_equal (queue_take_wait (gates[0], -1), jobs[0]);
    assert_int_equal (intake_put (intake, jobs[1]), 0);
    assert_int_equal (intake_put (intake, jobs[2]), ERR_FULL);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal (queue_put (gates[1], jobs[i]), 0);
    intake_destroy (&intake);
    assert_ptr_equal (queue_take (gates[0]), jobs[1]);
    for (size_t i = 0; i < 3; i++)
        job_give (pool, &jobs[i]);
    queue_destroy (&gates[0]);
    queue_destroy (&gates[1]);
    job_pool_destroy (&pool);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_read, setup, teardown),
        cmocka_unit_test_setup_teardown (test_slices, setup, teardown),
        cmocka_unit_test_setup_teardown (test_threads, setup, teardown),
        cmocka_unit_test_setup_teardown (test_full, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
