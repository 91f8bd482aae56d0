/* desk: real sockets and the real gate, intake and fetch; commit is played by
 * the test. */
#include "broker_fixture.h"

#include "base/clock.h"
#include "base/sock.h"
#include "desk.h"
#include "gate.h"

#include <stdatomic.h>
#include <zmq.h>

#define WAIT_MS 20000
#define JOBS 4

static struct stage *stage;
static void *context;
static struct gate *gate;
static struct timekeeper *keeper;
static struct job_pool *pool;
static struct desk *desk;
static struct fetch *fetch;
static struct intake *intake;
static struct notary *notary;
static struct queue *judged; /* publishes, as commit would get them */
static struct queue *held;   /* read, and not answered, while `hold` */
static atomic_bool hold;
static char endpoint[256];
static struct error e;

/* Commit, as far as the desk asks it. */
int64_t commit_lane_highest (struct commit *self, struct slice author,
                             uint64_t lane) {
    (void) self;
    return slice_is (author, "EUROPOL/hq") && lane == 5 ? 77 : 0;
}

static void put (void *arg, struct job *job) {
    (void) arg;
    assert_int_equal (queue_put (judged, job), 0);
}

static void read_reply (void *arg, struct job *job) {
    if (atomic_load (&hold))
        assert_int_equal (queue_put (held, job), 0);
    else
        desk_reply (arg, job);
}

static int setup (void **state) {
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

static int teardown (void **state) {
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

static void *connect_as (const struct identity *who) {
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

static void send_frames (void *dealer, const struct buf *frames, size_t count) {
    for (size_t i = 0; i < count; i++)
        assert_true (zmq_send (dealer, frames[i].data, frames[i].size,
                               i + 1 < count ? ZMQ_SNDMORE : 0)
                     >= 0);
}

/* A request of this run. */
static void ask (void *dealer, int type, int64_t id, const struct buf *frames,
                 size_t count) {
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

static void reply_free (struct reply *self) {
    for (size_t i = 0; i < 8; i++)
        buf_free (&self->frames[i]);
    *self = (struct reply){ 0 };
}

static void reply_take (void *dealer, struct reply *out) {
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
static void check_error (void *dealer, const char *what, int64_t id,
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

static struct wire_hello hello_of (void) {
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

static void hello_ask (void *dealer, const struct wire_hello *hello) {
    struct buf frame = { 0 };
    wire_hello_write (&frame, hello);
    ask (dealer, WIRE_HELLO, 1, &frame, 1);
    buf_free (&frame);
}

/* Checked as an agent does. The welcome's slices are of *reply. */
static void welcome_take (void *dealer, struct reply *reply,
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
static void *ready_as (const struct identity *who) {
    void *dealer = connect_as (who);
    struct wire_hello hello = hello_of();
    struct wire_welcome welcome;
    struct reply reply = { 0 };
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &welcome);
    reply_free (&reply);
    return dealer;
}

static void status_check (void *dealer) {
    struct reply reply = { 0 };
    ask (dealer, WIRE_STATUS, 42, NULL, 0);
    reply_take (dealer, &reply);
    assert_int_equal (reply.head.type, WIRE_STATUS + WIRE_REPLY);
    assert_int_equal (reply.head.id, 42);
    reply_free (&reply);
}

/* What is not in order */

static void test_frame_0 (void **state) {
    (void) state;
    static const struct {
        const char *name, *head; /* hex; RUN stands behind it */
        enum rule rule;
        int64_t id;
        bool run;
    } rows[] = {
        { "empty", "", RULE_MALFORMED, 0, false },
        { "no msgpack", "c1", RULE_MALFORMED, 0, false },
        { "long form", "dc0005a67061726c657901030a", RULE_MALFORMED, 0, true },
        { "another protocol", "95a67061726c6578010307", RULE_MALFORMED, 0,
          true },
        { "version 2", "95a67061726c657902030a", RULE_VERSION, 10, true },
        { "version 2 with more", "96a67061726c657902030ac0", RULE_VERSION, 10,
          true },
        { "six elements", "96a67061726c657901030ac0", RULE_MALFORMED, 10,
          true },
        { "no run", "95a67061726c657901030ac0", RULE_HELLO_FIRST, 10, false },
        { "type 99", "95a67061726c657901630a", RULE_UNKNOWN_REQUEST, 10, true },
        { "erase", "95a67061726c657901090a", RULE_UNKNOWN_REQUEST, 10, true },
        { "status with a frame", "95a67061726c657901070a", RULE_UNKNOWN_REQUEST,
          10, true },
    };
    void *dealer = ready_as (stage->cast.hq);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf frames[2] = { 0 };
        size_t size = strlen (rows[i].head) / 2;
        assert_int_equal (
            hex_decode (buf_extend (&frames[0], size), size, rows[i].head), 0);
        if (rows[i].run)
            mp_put_bin (&frames[0], state_run (stage->state), RUN_SIZE);
        send_frames (dealer, frames, 2);
        check_error (dealer, rows[i].name, rows[i].id, rows[i].rule, NULL);
        buf_free (&frames[0]);
    }
    status_check (dealer);
    sock_close (&dealer);
}

static void test_hello_first (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.hq);
    ask (dealer, WIRE_STATUS, 7, NULL, 0);
    check_error (dealer, "status", 7, RULE_HELLO_FIRST, NULL);
    ask (dealer, 99, 8, NULL, 0);
    check_error (dealer, "unknown", 8, RULE_HELLO_FIRST, NULL);
    assert_false (state_hello_was_heard (stage->state));
    sock_close (&dealer);

    /* hello counts for its connection and this run only */
    dealer = ready_as (stage->cast.hq);
    assert_true (state_hello_was_heard (stage->state));
    struct buf frame = { 0 };
    struct wire_head head = { .type = WIRE_STATUS, .id = 9, .has_run = true };
    wire_head_write (&frame, &head);
    send_frames (dealer, &frame, 1);
    check_error (dealer, "another run", 9, RULE_HELLO_FIRST, NULL);
    buf_free (&frame);
    void *other = connect_as (stage->cast.hq);
    ask (other, WIRE_STATUS, 10, NULL, 0);
    check_error (other, "another connection", 10, RULE_HELLO_FIRST, NULL);
    status_check (dealer);
    sock_close (&other);
    sock_close (&dealer);
}

static void test_sizes (void **state) {
    (void) state;
    void *dealer = ready_as (stage->cast.hq);
    struct buf large = { 0 }, many[9] = { 0 };
    buf_add_zeros (&large, 513);
    ask (dealer, WIRE_FETCH, 2, &large, 1);
    check_error (dealer, "a large fetch", 2, RULE_LIMIT, NULL);
    buf_add_zeros (&large, 131072);
    ask (dealer, WIRE_HELLO, 3, &large, 1);
    check_error (dealer, "a large hello", 3, RULE_LIMIT, NULL);
    ask (dealer, WIRE_STATUS, 4, many, 8);
    check_error (dealer, "8 frames", 4, RULE_UNKNOWN_REQUEST, NULL);
    ask (dealer, WIRE_STATUS, 5, many, 9);
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    check_error (dealer, "9 frames", 5, RULE_LIMIT, &why);
    assert_string_equal (refusal_print (&why, text),
                         "LIMIT limit=8 size=9 what=frames");
    status_check (dealer);
    buf_free (&large);
    sock_close (&dealer);
}

static void test_not_listed (void **state) {
    (void) state;
    void *dealer = ready_as (stage->cast.frontex);
    json_t *d = stage_document (stage);
    fixture_set (d, "entities[1].delegations[0].revoked", "true");
    struct roster *next = stage_next (stage, d, NULL);
    roster_unref (&next);
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    ask (dealer, WIRE_STATUS, 7, NULL, 0);
    check_error (dealer, "revoked", 7, RULE_NOT_LISTED, &why);
    assert_string_equal (refusal_print (&why, text),
                         "NOT-LISTED delegation=FRONTEX/hq");
    sock_close (&dealer);
}

/* The connection is shut at the tenth, also where fetch finds the fault; libzmq
 * connects again, and that one has not said hello. */
static void test_cut (void **state) {
    (void) state;
    struct buf bad = { 0 };
    buf_add_u8 (&bad, 0xc1);
    for (int by_fetch = 0; by_fetch < 2; by_fetch++) {
        void *dealer = ready_as (stage->cast.hq);
        long long before = atomic_load (&state_counts (stage->state)->cut_off);
        for (int i = 1; i <= 10; i++) {
            if (by_fetch)
                ask (dealer, WIRE_FETCH, 0, &bad, 1);
            else
                send_frames (dealer, &bad, 1);
            if (i < 10)
                check_error (dealer, "malformed", 0, RULE_MALFORMED, NULL);
        }
        int64_t end = clock_mono_ms() + WAIT_MS;
        while (atomic_load (&state_counts (stage->state)->cut_off) == before) {
            assert_true (clock_mono_ms() < end);
            zmq_poll (NULL, 0, 1);
        }
        sock_close (&dealer);
    }
    buf_free (&bad);
}

/* Hello */

static void test_hello (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.hq);
    struct wire_hello hello = hello_of();
    struct wire_welcome w;
    struct refusal why;
    struct reply reply = { 0 };
    hello.lowest = hello.highest = 2;
    hello_ask (dealer, &hello);
    check_error (dealer, "version 2", 1, RULE_VERSION, &why);
    char text[REFUSAL_TEXT_MAX];
    assert_string_equal (
        refusal_print (&why, text),
        "VERSION highest=1 lowest=1 stated_highest=2 stated_lowest=2");
    hello.lowest = 1;
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_memory_equal (w.nonce, hello.nonce, 32);
    assert_memory_equal (w.run, state_run (stage->state), RUN_SIZE);
    assert_true (hash_equal (&w.dialogue, &stage->cast.dialogue));
    assert_true (slice_is (w.delegation, "EUROPOL/hq"));
    assert_int_equal (w.roster_version, 1);
    assert_int_equal (w.roster_sequence, 0);
    assert_int_equal (w.size, 4);
    assert_int_equal (w.log_time, BUILD_TIME + 3);
    assert_int_equal (w.closed, RULE_NONE);
    assert_int_equal (w.generation, 3);
    assert_int_equal (w.lane_count, 2);
    assert_int_equal (w.lanes[0].highest, 77);
    assert_int_equal (w.lanes[1].highest, 0);
    refusal_set (&why, RULE_CLOCK);
    state_close (stage->state, &why);
    hello_ask (dealer, &hello); /* again, on the same connection */
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_CLOCK);
    reply_free (&reply);
    sock_close (&dealer);
}

/* A promise of `signer` for the leaf that stands at `sequence`, or not. */
static void promise_make_at (struct wire_hello *hello,
                             const struct identity *signer, int64_t sequence,
                             bool right, int64_t epoch, int64_t time) {
    struct buf leaf = { 0 };
    struct promise_accepted accepted = { .sequence = sequence };
    struct promise promise = { .epoch = epoch, .log_time = time };
    if (right) {
        assert_int_equal (
            journal_leaves (stage->journal, sequence, 1, &leaf, &e), 0);
        memcpy (accepted.leaf.octets, leaf.data, HASH_SIZE);
    }
    promise_sign (&promise, signer, &stage->cast.dialogue, &accepted, 1, NULL,
                  0);
    promise_proof_make (&hello->promise, &promise, &accepted, 1, 0);
    hello->has_promise = true;
    buf_free (&leaf);
}

static void promise_make (struct wire_hello *hello,
                          const struct identity *signer, int64_t sequence,
                          bool right, int64_t epoch) {
    promise_make_at (hello, signer, sequence, right, epoch, BUILD_TIME);
}

static void publish (void *dealer, int64_t id, size_t size) {
    struct build where = { .channel = "all", .roster_version = 1 };
    struct signed_batch *made =
        sign_batch (&stage->cast, &where, stage->cast.hq, NULL, size, 100);
    struct buf frames[3] = { made->head, made->headers, made->bodies };
    ask (dealer, WIRE_PUBLISH, id, frames, 3);
    signed_batch_free (made);
}

static void test_promise (void **state) {
    (void) state;
    struct identity *other = cast_identity (IDENTITY_BROKER, "paris");
    const struct identity *broker = stage->cast.broker;
    const struct {
        const char *name;
        const struct identity *signer;
        int64_t sequence;
        bool right;
        int64_t epoch;
        enum rule closed;
    } rows[] = {
        { "kept", broker, 3, true, 1, RULE_NONE },
        { "no broker's", other, 4, false, 1, RULE_NONE },
        { "of another epoch", broker, 4, false, 2, RULE_NONE },
        { "another leaf", broker, 3, false, 1, RULE_LEDGER_BEHIND },
        { "kept; too late", broker, 3, true, 1, RULE_LEDGER_BEHIND },
        { "above the end", broker, 4, false, 1, RULE_LEDGER_BEHIND },
    };
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_welcome w;
        struct wire_hello hello = hello_of();
        promise_make (&hello, rows[i].signer, rows[i].sequence, rows[i].right,
                      rows[i].epoch);
        hello_ask (dealer, &hello);
        welcome_take (dealer, &reply, &w);
        if (w.closed != rows[i].closed)
            fail_msg ("%s: %s", rows[i].name, rule_name (w.closed));
    }
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    publish (dealer, 5, 1);
    check_error (dealer, "behind", 5, RULE_LEDGER_BEHIND, &why);
    assert_string_equal (refusal_print (&why, text),
                         "LEDGER-BEHIND sequence=3 size=4");
    status_check (dealer);
    reply_free (&reply);
    identity_destroy (&other);
    sock_close (&dealer);
}

/* Signed under a roster that has passed, whose desk key is gone since. */
static void test_promise_older (void **state) {
    (void) state;
    struct identity *other = cast_identity (IDENTITY_BROKER, "paris");
    json_t *d = stage_document (stage);
    cast_key (d, "brokers[0].desk_key[0].key",
              identity_public (other, KEY_DESK));
    struct roster *next = stage_next (stage, d, NULL); /* records 4 and 5 */
    roster_unref (&next);
    const struct {
        const char *name;
        const struct identity *signer;
        int64_t time;
        bool right;
        enum rule closed;
    } rows[] = {
        { "kept", stage->cast.broker, 3, true, RULE_NONE },
        { "when it was gone", stage->cast.broker, 6, false, RULE_NONE },
        { "the newest's", other, 9, true, RULE_NONE },
        { "in the roster's millisecond", stage->cast.broker, 4, false,
          RULE_LEDGER_BEHIND },
    };
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_welcome w;
        struct wire_hello hello = hello_of();
        promise_make_at (&hello, rows[i].signer, 3, rows[i].right, 1,
                         BUILD_TIME + rows[i].time);
        hello_ask (dealer, &hello);
        welcome_take (dealer, &reply, &w);
        if (w.closed != rows[i].closed)
            fail_msg ("%s: %s", rows[i].name, rule_name (w.closed));
    }
    reply_free (&reply);
    identity_destroy (&other);
    sock_close (&dealer);
}

static void test_promise_above (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    struct wire_welcome w;
    struct wire_hello hello = hello_of();
    promise_make (&hello, stage->cast.broker, 4, false, 1);
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_LEDGER_BEHIND);
    reply_free (&reply);
    sock_close (&dealer);
}

/* What can't be read is no proof that it is gone: the state would stay closed
 * for the whole run. */
static void test_promise_unread (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    struct wire_welcome w;
    struct wire_hello hello = hello_of();
    promise_make (&hello, stage->cast.broker, 3, true, 1);
    assert_int_equal (
        journal_roll (stage->journal, slice_text ("snapshot"), &e), 0);
    assert_int_equal (
        rename (ledger_in ("index/leaves"), ledger_in ("index/away")), 0);
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_NONE);
    assert_int_equal (
        rename (ledger_in ("index/away"), ledger_in ("index/leaves")), 0);
    promise_make (&hello, stage->cast.broker, 3, false, 1);
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_LEDGER_BEHIND);
    reply_free (&reply);
    sock_close (&dealer);
}

/* A checkpoint of ours that the ledger does not bear out. */
static void checkpoint_make (struct wire_hello *hello, struct buf *note,
                             const struct identity *signer, int64_t size,
                             uint8_t change) {
    struct checkpoint shown = { .size = size };
    struct buf leaves = { 0 };
    struct tree tree = { 0 };
    int64_t there = size < 4 ? size : 4;
    assert_int_equal (journal_leaves (stage->journal, 0, there, &leaves, &e),
                      0);
    for (int64_t i = 0; i < there; i++)
        tree_add (&tree, (const struct hash *) (leaves.data + i * HASH_SIZE));
    shown.root = tree_root (&tree);
    shown.root.octets[0] ^= change;
    strcpy (shown.origin, "example.org/test/1");
    buf_clear (note);
    checkpoint_sign (&shown, signer, note);
    hello->checkpoint = buf_slice (note);
    buf_free (&leaves);
}

static void test_checkpoint (void **state) {
    (void) state;
    struct identity *other = cast_identity (IDENTITY_BROKER, "paris");
    const struct identity *broker = stage->cast.broker;
    const struct {
        const char *name;
        const struct identity *signer; /* NULL: no note at all */
        int64_t size;
        uint8_t change;
        enum rule closed;
    } rows[] = {
        { "kept", broker, 4, 0, RULE_NONE },
        { "kept, an older one", broker, 3, 0, RULE_NONE },
        { "no note", NULL, 0, 0, RULE_NONE },
        { "no broker's", other, 9, 1, RULE_NONE },
        { "above the end", broker, 9, 0, RULE_LEDGER_BEHIND },
        { "another root; too late", broker, 3, 1, RULE_LEDGER_BEHIND },
    };
    void *dealer = connect_as (stage->cast.hq);
    struct reply reply = { 0 };
    struct buf note = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_welcome w;
        struct wire_hello hello = hello_of();
        if (rows[i].signer)
            checkpoint_make (&hello, &note, rows[i].signer, rows[i].size,
                             rows[i].change);
        else
            hello.checkpoint = slice_text ("words");
        hello_ask (dealer, &hello);
        welcome_take (dealer, &reply, &w);
        if (w.closed != rows[i].closed)
            fail_msg ("%s: %s", rows[i].name, rule_name (w.closed));
    }
    struct refusal why;
    char text[REFUSAL_TEXT_MAX];
    publish (dealer, 5, 1);
    check_error (dealer, "behind", 5, RULE_LEDGER_BEHIND, &why);
    assert_string_equal (refusal_print (&why, text),
                         "LEDGER-BEHIND sequence=8 size=4");
    buf_free (&note);
    reply_free (&reply);
    identity_destroy (&other);
    sock_close (&dealer);
}

/* The same size, another root. */
static void test_checkpoint_forked (void **state) {
    (void) state;
    void *dealer = connect_as (stage->cast.frontex);
    struct reply reply = { 0 };
    struct buf note = { 0 };
    struct wire_welcome w;
    struct wire_hello hello = hello_of();
    checkpoint_make (&hello, &note, stage->cast.broker, 4, 1);
    hello_ask (dealer, &hello);
    welcome_take (dealer, &reply, &w);
    assert_int_equal (w.closed, RULE_LEDGER_BEHIND);
    buf_free (&note);
    reply_free (&reply);
    sock_close (&dealer);
}

/* Publishing */

static struct job *judged_take (void) {
    struct job *job = queue_take_wait (judged, WAIT_MS);
    assert_non_null (job);
    return job;
}

static void answer (struct job *job, const char *text) {
    job->reply_type = WIRE_PUBLISH + WIRE_REPLY;
    job->reply_count = 1;
    buf_add_text (&job->reply[0], text);
    desk_reply (desk, job);
}

static void check_reply (void *dealer, int64_t id, const char *text) {
    struct reply reply = { 0 };
    reply_take (dealer, &reply);
    assert_int_equal (reply.head.type, WIRE_PUBLISH + WIRE_REPLY);
    assert_int_equal (reply.head.id, id);
    assert_true (slice_is (buf_slice (&reply.frames[0]), text));
    reply_free (&reply);
}

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

/* Answered when its peer has gone: dropped, and the desk goes on. */
static void test_gone (void **state) {
    (void) state;
    void *dealer = ready_as (stage->cast.hq);
    publish (dealer, 1, 1);
    struct job *job = judged_take();
    sock_close (&dealer);
    answer (job, "nobody hears it");
    dealer = ready_as (stage->cast.hq);
    status_check (dealer);
    sock_close (&dealer);
}

/* Blocks come as frames behind the items. */
static void test_fetch (void **state) {
    (void) state;
    void *dealer = ready_as (stage->cast.hq);
    struct buf frame = { 0 };
    struct reply reply = { 0 };
    struct wire_fetch wanted = { slice_text ("all"), 1, -1, 100000 };
    wire_fetch_write (&frame, &wanted);
    ask (dealer, WIRE_FETCH, 6, &frame, 1);
    reply_take (dealer, &reply);
    assert_int_equal (reply.head.type, WIRE_FETCH + WIRE_REPLY);
    assert_int_equal (reply.count, 2);
    struct block block;
    assert_int_equal (block_read (buf_slice (&reply.frames[1]), &block, &e), 0);
    assert_int_equal (block.count, 2);
    wanted.stream = slice_text ("$log"); /* a large frame: a roster's note */
    buf_clear (&frame);
    wire_fetch_write (&frame, &wanted);
    ask (dealer, WIRE_FETCH, 7, &frame, 1);
    reply_take (dealer, &reply);
    struct buf stored = { 0 };
    assert_int_equal (journal_read (stage->journal, 0, &stored, &e), 0);
    assert_true (stored.size > 4096);
    assert_true (
        slice_equal (buf_slice (&reply.frames[1]), buf_slice (&stored)));
    buf_free (&stored);
    buf_free (&frame);
    reply_free (&reply);
    sock_close (&dealer);
}

#define CASE(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_frame_0),       CASE (test_hello_first),
        CASE (test_sizes),         CASE (test_not_listed),
        CASE (test_cut),           CASE (test_hello),
        CASE (test_checkpoint),    CASE (test_checkpoint_forked),
        CASE (test_promise),       CASE (test_promise_above),
        CASE (test_publish),       CASE (test_promise_unread),
        CASE (test_dry),           CASE (test_gone),
        CASE (test_fetch),         CASE (test_reads),
        CASE (test_promise_older),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
