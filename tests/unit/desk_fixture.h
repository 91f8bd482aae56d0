/* A desk with real sockets, gate, intake and fetch; commit is played by the
 * test. Include in place of cmocka.h. */
#ifndef PARLEY_DESK_FIXTURE_H
#define PARLEY_DESK_FIXTURE_H

#include "broker_fixture.h"

#include "base/clock.h"
#include "base/sock.h"
#include "desk.h"
#include "gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#define WAIT_MS 20000
#define JOBS 4
#define READERS 8

static struct stage *stage;
static void *context;
static struct gate *gate;
static struct timekeeper *keeper;
static struct job_pool *pool;
static struct desk *desk;
static struct fetch *fetch;
static struct intake *intake;
static struct notary *notary;
static struct queue *judged;       /* publishes, as commit would get them */
static pthread_t readers[READERS]; /* by ticket: who read them */
static struct queue *held;         /* read, and not answered, while `hold` */
static atomic_bool hold;
static char endpoint[256];
static struct error e;

/* Commit, as far as the desk asks it. */
int64_t commit_lane_highest (struct commit *self, struct slice author,
                             uint64_t lane) {
    (void) self;
    return slice_is (author, "EUROPOL/hq") && lane == 5 ? 77 : 0;
}

static inline void put (void *arg, struct job *job) {
    (void) arg;
    readers[job->ticket % READERS] = pthread_self();
    assert_int_equal (queue_put (judged, job), 0);
}

static inline void read_reply (void *arg, struct job *job) {
    if (atomic_load (&hold))
        assert_int_equal (queue_put (held, job), 0);
    else
        desk_reply (arg, job);
}

static inline int setup (void **state) {
    (void) state;
    struct stage draft = { 0 };
    cast_begin (&draft.cast);
    json_t *first = stage_document (&draft);
    cast_end (&draft.cast);
    fixture_set (first, "limits.requests_outstanding", "2");
    fixture_set (first, "limits.messages_a_minute", "3");
    stage = stage_new (first);
    stage_messages (stage, "all", stage->cast.hq, 2, NULL);
    struct roster *roster = state_roster (stage->state, NULL);
    state_set_tags (stage->state, tags_new (roster, 3));
    roster_unref (&roster);
    context = zmq_ctx_new();
    keeper = timekeeper_new (0);
    pool = job_pool_new (JOBS);
    judged = queue_new (JOBS);
    held = queue_new (JOBS);
    gate = gate_new (stage->state, context, &e);
    struct desk_parts parts = { .state = stage->state,
                                .time = keeper,
                                .pool = pool,
                                .context = context,
                                .endpoint = "tcp://127.0.0.1:*" };
    desk = desk_new (&parts, endpoint, &e);
    if (!desk)
        fail_msg ("%s", e.text);
    notary = notary_new (stage->state, NULL, ledger_dir, &e);
    if (!notary)
        fail_msg ("%s", e.text);
    desk_set_notary (desk, notary);
    fetch = fetch_new (stage->state, NULL, JOBS, read_reply, desk, &e);
    intake = intake_new (stage->state, 1, JOBS, put, NULL, &e);
    assert_int_equal (desk_start (desk, intake, NULL, fetch, &e), 0);
    return 0;
}

static inline int teardown (void **state) {
    (void) state;
    desk_stop_reading (desk);
    intake_destroy (&intake);
    struct job *job;
    while ((job = queue_take (judged))) { /* answered, to whoever is left */
        job->reply_type = WIRE_PUBLISH + WIRE_REPLY;
        desk_reply (desk, job);
    }
    fetch_destroy (&fetch);
    desk_destroy (&desk);
    desk_destroy (&desk);
    notary_destroy (&notary);
    gate_destroy (&gate);
    assert_int_equal (job_pool_free (pool), JOBS);
    job_pool_destroy (&pool);
    queue_destroy (&judged);
    queue_destroy (&held);
    timekeeper_destroy (&keeper);
    zmq_ctx_term (context);
    stage_free (stage);
    return 0;
}

/* An agent */

static inline void *connect_as (const struct identity *who) {
    struct sock_keys keys;
    identity_curve (who, keys.public_key, keys.secret_key);
    memcpy (keys.server_key,
            identity_public (stage->cast.broker, KEY_BROKER_LINK), KEY_SIZE);
    struct sock_options options = { .keys = &keys };
    void *dealer = sock_new (context, SOCK_DESK_CLIENT, &options, &e);
    int wait = WAIT_MS;
    zmq_setsockopt (dealer, ZMQ_RCVTIMEO, &wait, sizeof wait);
    zmq_setsockopt (dealer, ZMQ_SNDTIMEO, &wait, sizeof wait);
    assert_int_equal (sock_connect (dealer, endpoint, &e), 0);
    return dealer;
}

static inline void send_frames (void *dealer, const struct buf *frames,
                                size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_true (zmq_send (dealer, frames[i].data, frames[i].size,
                               i + 1 < count ? ZMQ_SNDMORE : 0)
                     >= 0);
}

/* A request of this run. */
static inline void ask (void *dealer, int type, int64_t id,
                        const struct buf *frames, size_t count) {
    struct buf all[10] = { 0 };
    struct wire_head head = { .type = type, .id = id, .has_run = true };
    memcpy (head.run, state_run (stage->state), RUN_SIZE);
    wire_head_write (&all[0], &head);
    for (size_t i = 0; i < count; i++)
        all[1 + i] = frames[i];
    send_frames (dealer, all, 1 + count);
    buf_free (&all[0]);
}

struct reply {
    struct wire_head head;
    struct buf frames[8];
    size_t count;
};

static inline void reply_free (struct reply *self) {
    for (size_t i = 0; i < 8; i++)
        buf_free (&self->frames[i]);
    *self = (struct reply){ 0 };
}

static inline void reply_take (void *dealer, struct reply *out) {
    int more = 1;
    size_t size = sizeof more;
    reply_free (out);
    for (size_t i = 0; more; i++) {
        zmq_msg_t frame;
        zmq_msg_init (&frame);
        if (zmq_msg_recv (&frame, dealer, 0) < 0)
            fail_msg ("no reply: %s", zmq_strerror (errno));
        struct slice octets =
            slice_of (zmq_msg_data (&frame), zmq_msg_size (&frame));
        if (i == 0)
            assert_int_equal (wire_head_read (octets, &out->head, &e), 0);
        else
            buf_add_slice (&out->frames[out->count++], octets);
        zmq_msg_close (&frame);
        zmq_getsockopt (dealer, ZMQ_RCVMORE, &more, &size);
    }
    assert_true (out->head.has_run);
    assert_memory_equal (out->head.run, state_run (stage->state), RUN_SIZE);
}

/* The next reply is this error; its refusal is in *why, if wanted. */
static inline void check_error (void *dealer, const char *what, int64_t id,
                                enum rule rule, struct refusal *why) {
    struct reply reply = { 0 };
    struct refusal own;
    struct slice text;
    why = why ? why : &own;
    reply_take (dealer, &reply);
    if (reply.head.type != WIRE_ERROR || reply.head.id != id || reply.count != 1
        || wire_error_read (buf_slice (&reply.frames[0]), why, &text, &e))
        fail_msg ("%s: type %d, id %d", what, reply.head.type,
                  (int) reply.head.id);
    if (why->rule != rule)
        fail_msg ("%s: %s %.*s", what, why->name, (int) text.size,
                  (const char *) text.data);
    reply_free (&reply);
}

static inline struct wire_hello hello_of (void) {
    struct wire_hello hello = { .lowest = 1,
                                .highest = 1,
                                .program = slice_text ("test"),
                                .nonce = "a nonce",
                                .time = clock_wall_ms(),
                                .roster_version = 1,
                                .roster_digest = stage->cast.dialogue,
                                .lane_count = 2 };
    hello.lanes[0] = (struct wire_lane){ 5, 1 };
    hello.lanes[1] = (struct wire_lane){ 6, 1 };
    return hello;
}

static inline void hello_ask (void *dealer, const struct wire_hello *hello) {
    struct buf frame = { 0 };
    wire_hello_write (&frame, hello);
    ask (dealer, WIRE_HELLO, 1, &frame, 1);
    buf_free (&frame);
}

/* Checked as an agent does. The welcome's slices are of *reply. */
static inline void welcome_take (void *dealer, struct reply *reply,
                                 struct wire_welcome *out) {
    reply_take (dealer, reply);
    assert_int_equal (reply->head.type, WIRE_HELLO + WIRE_REPLY);
    assert_int_equal (reply->head.id, 1);
    assert_int_equal (reply->count, 2);
    if (wire_welcome_read (buf_slice (&reply->frames[0]), out, &e)
        || wire_welcome_check (buf_slice (&reply->frames[0]),
                               buf_slice (&reply->frames[1]),
                               stage->cast.roster, clock_wall_ms(), &e))
        fail_msg ("%s", e.text);
}

/* Connected, and has said hello. */
static inline void *ready_as (const struct identity *who) {
    void *dealer = connect_as (who);
    struct wire_hello hello = hello_of();
    struct wire_welcome welcome;
    struct reply reply = { 0 };
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &welcome);
    reply_free (&reply);
    return dealer;
}

static inline void status_check (void *dealer) {
    struct reply reply = { 0 };
    ask (dealer, WIRE_STATUS, 42, NULL, 0);
    reply_take (dealer, &reply);
    assert_int_equal (reply.head.type, WIRE_STATUS + WIRE_REPLY);
    assert_int_equal (reply.head.id, 42);
    reply_free (&reply);
}

static inline void publish (void *dealer, int64_t id, size_t size) {
    struct build where = { .channel = "all", .roster_version = 1 };
    struct signed_batch *made =
        sign_batch (&stage->cast, &where, stage->cast.hq, NULL, size, 100);
    struct buf frames[3] = { made->head, made->headers, made->bodies };
    ask (dealer, WIRE_PUBLISH, id, frames, 3);
    signed_batch_free (made);
}

static inline struct job *judged_take (void) {
    struct job *job = queue_take_wait (judged, WAIT_MS);
    assert_non_null (job);
    return job;
}

static inline void answer (struct job *job, const char *text) {
    job->reply_type = WIRE_PUBLISH + WIRE_REPLY;
    job->reply_count = 1;
    buf_add_text (&job->reply[0], text);
    desk_reply (desk, job);
}

static inline void check_reply (void *dealer, int64_t id, const char *text) {
    struct reply reply = { 0 };
    reply_take (dealer, &reply);
    assert_int_equal (reply.head.type, WIRE_PUBLISH + WIRE_REPLY);
    assert_int_equal (reply.head.id, id);
    assert_true (slice_is (buf_slice (&reply.frames[0]), text));
    reply_free (&reply);
}

#define CASE(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

#endif
