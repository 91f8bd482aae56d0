/* feed: real sockets and the real gate; frames as a subscriber sees them, and
 * what becomes of those who subscribe to what is not theirs. */
#include "broker_fixture.h"

#include "base/clock.h"
#include "base/sock.h"
#include "feed.h"
#include "feed_watch.h"

#include <zmq.h>

#define WAIT_MS 20000 /* for what must come: a limit, no pause */

static struct stage *stage;
static void *context;
static struct gate *gate;
static struct feed *feed;
static char endpoint[256];
static struct error e;

static int setup (void **state) {
    (void) state;
    struct stage draft = { 0 };
    cast_begin (&draft.cast);
    json_t *first = stage_document (&draft);
    struct identity *relay = cast_identity (IDENTITY_DELEGATION, "RELAY/hq");
    cast_key (first, "proxies[0].link", identity_public (relay, KEY_LINK));
    identity_destroy (&relay);
    cast_end (&draft.cast);
    stage = stage_new (first);
    stage_messages (stage, "all", stage->cast.hq, 2, NULL);
    stage_messages (stage, "@EUROPOL+FRONTEX", stage->cast.hq, 3, NULL);
    context = zmq_ctx_new();
    gate = gate_new (stage->state, context, &e);
    assert_non_null (gate);
    feed = feed_new (stage->state, gate, context, "tcp://127.0.0.1:*", endpoint,
                     &e);
    if (!feed)
        fail_msg ("%s", e.text);
    return 0;
}

static int teardown (void **state) {
    (void) state;
    feed_destroy (&feed);
    gate_destroy (&gate);
    zmq_ctx_term (context);
    stage_free (stage);
    return 0;
}

/* A subscriber */

static void *connect_as (const struct identity *who) {
    struct sock_keys keys;
    identity_curve (who, keys.public_key, keys.secret_key);
    memcpy (keys.server_key,
            identity_public (stage->cast.broker, KEY_BROKER_LINK), KEY_SIZE);
    struct sock_options options = { .keys = &keys };
    void *sub = sock_new (context, SOCK_FEED_CLIENT, &options, &e);
    int wait = WAIT_MS;
    zmq_setsockopt (sub, ZMQ_RCVTIMEO, &wait, sizeof wait);
    assert_int_equal (sock_connect (sub, endpoint, &e), 0);
    return sub;
}

static struct feed_key key_of (const char *stream) {
    struct tags *tags = state_tags (stage->state);
    int n = tags_find (tags, slice_text (stream));
    assert_true (n >= 0);
    struct feed_key key = *tags_key (tags, (size_t) n);
    tags_unref (&tags);
    return key;
}

static void subscribe (void *sub, const void *prefix, size_t size) {
    assert_int_equal (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, prefix, size), 0);
}

struct frame {
    uint8_t tag[TAG_SIZE];
    struct feed_clear clear;
    int kind;
    struct buf plain;
    struct slice content; /* of plain */
};

static void rest_drop (void *sub) {
    int more = 1;
    size_t size = sizeof more;
    while (more) {
        assert_true (zmq_recv (sub, NULL, 0, 0) >= 0);
        zmq_getsockopt (sub, ZMQ_RCVMORE, &more, &size);
    }
}

/* The next frame of that stream, opened with its key. */
static void frame_take (void *sub, const struct feed_key *key,
                        struct frame *out) {
    uint8_t clear[FEED_CLEAR];
    zmq_msg_t sealed;
    for (;;) {
        assert_int_equal (zmq_recv (sub, out->tag, TAG_SIZE, 0), TAG_SIZE);
        if (memcmp (out->tag, key->tag, TAG_SIZE) == 0)
            break;
        rest_drop (sub);
    }
    assert_int_equal (zmq_recv (sub, clear, FEED_CLEAR, 0), FEED_CLEAR);
    zmq_msg_init (&sealed);
    assert_true (zmq_msg_recv (&sealed, sub, 0) > 0);
    assert_int_equal (
        feed_clear_read (slice_of (clear, FEED_CLEAR), &out->clear), 0);
    assert_memory_equal (out->clear.run, state_run (stage->state), RUN_SIZE);
    if (feed_open (slice_of (zmq_msg_data (&sealed), zmq_msg_size (&sealed)),
                   &stage->cast.dialogue, key, slice_of (clear, FEED_CLEAR),
                   &out->plain, &out->kind, &out->content, &e))
        fail_msg ("%s", e.text);
    assert_false (zmq_msg_more (&sealed));
    zmq_msg_close (&sealed);
}

/* The next that is no head. */
static void block_take (void *sub, const struct feed_key *key,
                        struct frame *out) {
    do
        frame_take (sub, key, out);
    while (out->kind == FEED_HEAD);
    assert_int_equal (out->kind, FEED_BLOCK);
}

static void tree_take (void *sub, const struct feed_key *key,
                       struct frame *out) {
    do
        frame_take (sub, key, out);
    while (out->kind == FEED_HEAD);
}

static struct feed_block *block_new (const char *channel, int64_t first,
                                     int64_t count, struct buf *octets) {
    struct feed_block *block = feed_block_new();
    block->octets = *octets;
    *octets = (struct buf){ 0 };
    block->log_time = state_log_time (stage->state);
    block->size = stage->next;
    strcpy (block->channel, channel);
    block->first = first;
    block->count = count;
    return block;
}

/* Records and feeds a block of `count` messages. */
static void say (const char *channel, size_t count) {
    struct buf octets = { 0 };
    stage_messages (stage, channel, stage->cast.hq, count, &octets);
    int64_t last = *stage_last (stage, channel);
    feed_put (feed, block_new (channel, last + 1 - (int64_t) count,
                               (int64_t) count, &octets));
}

/* Says on `channel` until the subscriber hears of it: a subscription has no
 * answer. The frame that came is in *out. */
static void hear (void *sub, const char *stream, const char *channel,
                  struct frame *out) {
    struct feed_key key = key_of (stream);
    zmq_pollitem_t item = { .socket = sub, .events = ZMQ_POLLIN };
    int64_t end = clock_mono_ms() + WAIT_MS;
    do {
        if (clock_mono_ms() > end)
            fail_msg ("%s: nothing came", stream);
        say (channel, 1);
    } while (zmq_poll (&item, 1, 10) == 0);
    block_take (sub, &key, out);
}

/* Frames */

static void test_channel (void **state) {
    (void) state;
    struct frame a = { 0 }, b = { 0 };
    struct feed_key key = key_of ("all");
    void *sub = connect_as (stage->cast.frontex);
    subscribe (sub, key.tag, TAG_SIZE);
    hear (sub, "all", "all", &a);
    assert_int_equal (a.clear.generation, 1);
    int64_t last = *stage_last (stage, "all");
    struct buf octets = { 0 };
    stage_messages (stage, "all", stage->cast.hq, 5, &octets);
    struct slice same =
        slice_of (mem_copy (octets.data, octets.size), octets.size);
    feed_put (feed, block_new ("all", last + 1, 5, &octets));
    /* all frames and all records of the stream come, in order */
    int64_t number = (int64_t) get_u64 (a.content.data);
    for (; number <= last; number++) {
        block_take (sub, &key, &b);
        assert_int_equal (get_u64 (b.content.data), number + 1);
        assert_true (b.clear.frame > a.clear.frame);
        a.clear.frame = b.clear.frame;
    }
    assert_true (
        slice_equal (slice_of (b.content.data + 8, b.content.size - 8), same));
    free ((void *) (uintptr_t) same.data);
    buf_free (&a.plain);
    buf_free (&b.plain);
    sock_close (&sub);
}

/* One block on two streams, each with its own number. */
static void test_direct (void **state) {
    (void) state;
    static const char channel[] = "@EUROPOL+FRONTEX";
    struct frame a = { 0 }, b = { 0 };
    struct feed_key hq = key_of ("@EUROPOL"), frontex = key_of ("@FRONTEX");
    void *one = connect_as (stage->cast.hq);
    void *other = connect_as (stage->cast.frontex);
    subscribe (one, hq.tag, TAG_SIZE);
    subscribe (other, frontex.tag, TAG_SIZE);
    hear (one, "@EUROPOL", "@EUROPOL", &a); /* FRONTEX is not named */
    hear (other, "@FRONTEX", channel, &b);
    assert_true (get_u64 (b.content.data) > 3); /* that the ledger had */
    say (channel, 2);
    int64_t ad_hoc = *stage_last (stage, channel),
            own = *stage_last (stage, "@EUROPOL");
    while ((int64_t) get_u64 (b.content.data) < ad_hoc - 1)
        block_take (other, &frontex, &b);
    while ((int64_t) get_u64 (a.content.data) < ad_hoc + own - 1)
        block_take (one, &hq, &a);
    assert_true (
        slice_equal (slice_of (a.content.data + 8, a.content.size - 8),
                     slice_of (b.content.data + 8, b.content.size - 8)));
    buf_free (&a.plain);
    buf_free (&b.plain);
    sock_close (&one);
    sock_close (&other);
}

static void wait_generation (int64_t generation) {
    int64_t end = clock_mono_ms() + WAIT_MS, now = 0;
    while (now != generation) {
        assert_true (clock_mono_ms() < end);
        struct tags *tags = state_tags (stage->state);
        now = tags_generation (tags);
        tags_unref (&tags);
        zmq_poll (NULL, 0, 1);
    }
}

static void roster_put (json_t *document) {
    struct buf octets = { 0 };
    struct roster *next = stage_next (stage, document, &octets);
    int64_t last = *stage_last (stage, CHANNEL_LOG);
    struct feed_block *block = block_new (CHANNEL_LOG, last - 1, 2, &octets);
    block->roster = next;
    feed_put (feed, block);
}

/* What `$log` carries of the tree: leaves in frames of 256, then notes, in the
 * order in which they were put, behind the blocks. */
static void test_tree (void **state) {
    (void) state;
    static struct hash leaves[600];
    struct frame f = { 0 };
    struct feed_key log = key_of ("$log"), all = key_of ("all");
    void *sub = connect_as (stage->cast.frontex);
    for (size_t i = 0; i < 600; i++)
        leaves[i].octets[i % HASH_SIZE] = (uint8_t) (1 + i / HASH_SIZE);
    subscribe (sub, log.tag, TAG_SIZE);
    subscribe (sub, all.tag, TAG_SIZE);
    hear (sub, "all", "all", &f);
    feed_put_leaves (feed, 1000, leaves, 0);
    feed_put_leaves (feed, 1000, leaves, 600);
    feed_put_note (feed, FEED_CHECKPOINT, slice_text ("a note"));
    feed_put_note (feed, FEED_COSIGNATURES, slice_text ("with more"));
    feed_put_leaves (feed, 1600, leaves, 1);
    static const size_t counts[] = { 256, 256, 88 };
    size_t done = 0;
    for (size_t i = 0; i < 3; i++, done += counts[i - 1]) {
        int64_t first;
        struct slice hashes;
        tree_take (sub, &log, &f);
        assert_int_equal (f.kind, FEED_LEAVES);
        assert_int_equal (feed_leaves_read (f.content, &first, &hashes, &e), 0);
        assert_int_equal (first, 1000 + (int64_t) done);
        assert_true (slice_equal (
            hashes, slice_of (leaves[done].octets, counts[i] * HASH_SIZE)));
    }
    tree_take (sub, &log, &f);
    assert_int_equal (f.kind, FEED_CHECKPOINT);
    assert_true (slice_is (f.content, "a note"));
    tree_take (sub, &log, &f);
    assert_int_equal (f.kind, FEED_COSIGNATURES);
    assert_true (slice_is (f.content, "with more"));
    tree_take (sub, &log, &f);
    assert_int_equal (f.kind, FEED_LEAVES);
    buf_free (&f.plain);
    sock_close (&sub);
}

/* A roster: its block and a head under the old tag, all else under new ones. */
static void test_generation (void **state) {
    (void) state;
    struct frame f = { 0 };
    struct feed_head head;
    struct feed_key old = key_of ("$log"), all = key_of ("all");
    void *sub = connect_as (stage->cast.hq);
    subscribe (sub, old.tag, TAG_SIZE);
    subscribe (sub, all.tag, TAG_SIZE);
    hear (sub, "all", "all", &f);
    json_t *d = stage_document (stage);
    fixture_set (d, "entities[4]",
                 "{'id':'AFRIPOL','name':'A','role':'member','sector':'x',"
                 "'regions':[],'delegations':[]}");
    roster_put (d);
    block_take (sub, &old, &f);
    assert_int_equal (get_u64 (f.content.data), 3);
    frame_take (sub, &old, &f);
    assert_int_equal (f.kind, FEED_HEAD);
    assert_int_equal (feed_head_read (f.content, &head, &e), 0);
    assert_int_equal (head.next_generation, 2);
    assert_int_equal (head.last, 4);
    assert_int_equal (head.size, stage->next);
    assert_int_equal (head.log_time, state_log_time (stage->state));
    wait_generation (2);

    /* old tags are not punished; new ones are others, numbers go on */
    subscribe (sub, old.tag, TAG_SIZE);
    struct feed_key fresh = key_of ("all");
    assert_memory_not_equal (fresh.tag, all.tag, TAG_SIZE);
    assert_memory_not_equal (fresh.key, all.key, FEED_KEY_SIZE);
    subscribe (sub, fresh.tag, TAG_SIZE);
    int64_t last = *stage_last (stage, "all");
    hear (sub, "all", "all", &f);
    assert_int_equal (f.clear.generation, 2);
    assert_true ((int64_t) get_u64 (f.content.data) > last);
    key_of ("@AFRIPOL");
    assert_int_equal (atomic_load (&state_counts (stage->state)->cut_off), 0);
    buf_free (&f.plain);
    sock_close (&sub);
}

/* A date that passes takes the keys away, as a roster does. */
static void test_expiry (void **state) {
    (void) state;
    struct frame f = { 0 };
    struct feed_head head;
    int64_t ends;
    assert_int_equal (clock_parse ("2100-01-01T00:00:00Z", &ends), 0);
    json_t *d = stage_document (stage);
    fixture_set (d, "entities[1].delegations[0].expires",
                 "'2100-01-01T00:00:00Z'");
    roster_put (d);
    wait_generation (2);
    struct feed_key log = key_of ("$log"), all = key_of ("all");
    void *sub = connect_as (stage->cast.hq);
    subscribe (sub, log.tag, TAG_SIZE);
    subscribe (sub, all.tag, TAG_SIZE);
    hear (sub, "all", "all", &f);
    assert_int_equal (f.clear.generation, 2);
    struct buf octets = { 0 };
    stage_messages (stage, "all", stage->cast.hq, 1, &octets);
    struct feed_block *block =
        block_new ("all", *stage_last (stage, "all"), 1, &octets);
    block->log_time = ends;
    feed_put (feed, block);
    do { /* a head tells of the next one; the block is not of this */
        frame_take (sub, &log, &f);
        assert_int_equal (f.kind, FEED_HEAD);
        assert_int_equal (feed_head_read (f.content, &head, &e), 0);
    } while (head.next_generation == 0);
    assert_int_equal (head.next_generation, 3);
    wait_generation (3);
    struct feed_key fresh = key_of ("all");
    assert_memory_not_equal (fresh.key, all.key, FEED_KEY_SIZE);
    subscribe (sub, fresh.tag, TAG_SIZE);
    hear (sub, "all", "all", &f);
    assert_int_equal (f.clear.generation, 3);
    /* once: the date is past, and no reason for another one */
    struct tags *tags = state_tags (stage->state);
    assert_int_equal (tags_generation (tags), 3);
    assert_int_equal (tags_until (tags, ends - 1), ends);
    assert_true (tags_until (tags, ends) > ends);
    tags_unref (&tags);
    buf_free (&f.plain);
    sock_close (&sub);
}

/* Heads come by themselves: the first of each stream at the start. */
static void test_heads (void **state) {
    (void) state;
    struct frame f = { 0 };
    struct feed_head head;
    struct feed_key key = key_of ("all");
    void *sub = connect_as (stage->cast.hq);
    subscribe (sub, key.tag, TAG_SIZE);
    frame_take (sub, &key, &f);
    assert_int_equal (f.kind, FEED_HEAD);
    assert_int_equal (feed_head_read (f.content, &head, &e), 0);
    assert_int_equal (head.last, 2);
    assert_int_equal (head.size, 7);
    assert_int_equal (head.next_generation, 0);
    buf_free (&f.plain);
    sock_close (&sub);
}

/* Punishment */

/* The connection ends; another attempt is refused. */
static void check_cut (const struct identity *who, const void *prefix,
                       size_t size) {
    long long before = atomic_load (&state_counts (stage->state)->cut_off);
    int64_t refused = gate_refused (gate);
    int64_t end = clock_mono_ms() + WAIT_MS;
    void *sub = connect_as (who);
    subscribe (sub, prefix, size);
    while (atomic_load (&state_counts (stage->state)->cut_off) == before) {
        assert_true (clock_mono_ms() < end);
        zmq_poll (NULL, 0, 1);
    }
    sock_close (&sub);
    sub = connect_as (who);
    while (gate_refused (gate) == refused) {
        assert_true (clock_mono_ms() < end);
        zmq_poll (NULL, 0, 1);
    }
    sock_close (&sub);
}

static void test_cut (void **state) {
    (void) state;
    struct feed_key other = key_of ("@EUROPOL");
    check_cut (stage->cast.frontex, other.tag, TAG_SIZE);
    check_cut (stage->cast.hq, "", 0);
}

static void user_of (const struct identity *who, char out[41]) {
    zmq_z85_encode (out, identity_public (who, KEY_LINK), KEY_SIZE);
}

static void test_judge (void **state) {
    (void) state;
    struct feed_watch *watch = feed_watch_new (stage->state, gate, 1);
    struct roster *roster = state_roster (stage->state, NULL);
    struct identity *relay = cast_identity (IDENTITY_DELEGATION, "RELAY/hq");
    struct identity *none = cast_identity (IDENTITY_DELEGATION, "NOBODY/hq");
    struct tags *past = tags_new (roster, 1), *now = tags_new (roster, 2);
    feed_watch_renew (watch, past, roster_ref (roster));
    feed_watch_renew (watch, tags_ref (now), roster_ref (roster));
    const uint8_t *own = tags_key (now, 0)->tag; /* $log */
    int frontex = tags_find (now, slice_text ("@FRONTEX"));
    const uint8_t *direct = tags_key (now, (size_t) frontex)->tag;
    const uint8_t *old = tags_key (past, (size_t) frontex)->tag;
    uint8_t foreign[TAG_SIZE + 1] = "nobody's tag";
    const struct identity *hq = stage->cast.hq;
    const struct {
        const char *name;
        const struct identity *who;
        const uint8_t *prefix;
        size_t size;
        bool fine;
    } rows[] = {
        { "all of it", hq, own, 0, false },
        { "one octet less", hq, own, TAG_SIZE - 1, false },
        { "one more", hq, foreign, TAG_SIZE + 1, false },
        { "nobody's", hq, foreign, TAG_SIZE, false },
        { "another's", hq, direct, TAG_SIZE, false },
        { "not listed", none, own, TAG_SIZE, false },
        { "own", hq, own, TAG_SIZE, true },
        { "own direct", stage->cast.frontex, direct, TAG_SIZE, true },
        { "an earlier one", hq, old, TAG_SIZE, true },
        { "a proxy: all", relay, own, 0, true },
        { "a proxy: any", relay, foreign, TAG_SIZE, true },
        { "a proxy: longer", relay, foreign, TAG_SIZE + 1, false },
    };
    char user[41];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        user_of (rows[i].who, user);
        if (feed_watch_judge (watch, user,
                              slice_of (rows[i].prefix, rows[i].size), 1000)
            != rows[i].fine)
            fail_msg ("%s", rows[i].name);
    }
    struct slice tag = slice_of (own, TAG_SIZE);
    assert_false (feed_watch_judge (watch, "", tag, 1000));
    assert_false (feed_watch_judge (watch, "none's", tag, 1000));

    /* 16 generations later it is nobody's */
    for (int64_t g = 3; g <= 18; g++)
        feed_watch_renew (watch, tags_new (roster, g), roster_ref (roster));
    user_of (hq, user);
    assert_true (feed_watch_judge (watch, user, tag, 1000));
    feed_watch_renew (watch, tags_new (roster, 19), roster_ref (roster));
    assert_false (feed_watch_judge (watch, user, tag, 1000));

    tags_unref (&now);
    roster_unref (&roster);
    identity_destroy (&relay);
    identity_destroy (&none);
    feed_watch_destroy (&watch);
    feed_watch_destroy (&watch);
}

static void test_judge_count (void **state) {
    (void) state;
    struct feed_watch *watch = feed_watch_new (stage->state, gate, 1);
    struct roster *roster = state_roster (stage->state, NULL);
    struct tags *tags = tags_new (roster, 1);
    feed_watch_renew (watch, tags_ref (tags), roster);
    struct slice tag = slice_of (tags_key (tags, 0)->tag, TAG_SIZE);
    char hq[41], frontex[41];
    user_of (stage->cast.hq, hq);
    user_of (stage->cast.frontex, frontex);
    for (int i = 0; i < WATCH_SUBSCRIPTIONS_MAX; i++)
        assert_true (feed_watch_judge (watch, hq, tag, 1000 + i));
    assert_false (feed_watch_judge (watch, hq, tag, 60999));
    assert_true (feed_watch_judge (watch, frontex, tag, 60999));
    assert_true (feed_watch_judge (watch, hq, tag, 61000));

    /* more keys than the table holds: it begins anew */
    for (int i = 0; i < 10000; i++) {
        char user[41];
        uint8_t key[32] = { 0 };
        put_u32 (key, (uint32_t) i);
        zmq_z85_encode (user, key, sizeof key);
        assert_false (feed_watch_judge (watch, user, tag, 61000));
    }
    assert_true (feed_watch_judge (watch, hq, tag, 61000));
    tags_unref (&tags);
    feed_watch_destroy (&watch);
}

#define CASE(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_channel),    CASE (test_tree),        CASE (test_direct),
        CASE (test_generation), CASE (test_heads),       CASE (test_cut),
        CASE (test_judge),      CASE (test_judge_count), CASE (test_expiry),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
