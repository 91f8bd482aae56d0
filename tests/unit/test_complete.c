/* complete: a ledger in small, a desk that answers what it is asked (or lies),
 * and an agent that holds what it was given. */
#include "records_fixture.h"

#include "base/clock.h"
#include "link/complete_impl.h"
#include "link/follow_impl.h"
#include "store/claims.h"
#include "store/hashes.h"
#include "store/outbox.h"

#include <sodium.h>

#define STREAMS_MOST 8
#define RECORDS_MOST 64

/* The ledger, as the desk knows it. */
static struct {
    struct {
        char name[MARK_NAME_MAX];
        struct hash leaves[RECORDS_MOST];
        int64_t sequences[RECORDS_MOST];
        size_t count;
    } streams[STREAMS_MOST];
    size_t count;
    struct roster *rosters[3];
    int64_t roster_sequence, log_number;
} world;

/* What the desk was asked last, of each kind; id 0: answered. */
static struct {
    int64_t id;
    struct buf frame;
} asked[WIRE_COVER + 1];
static size_t calls;

static struct core core;
static struct follow *follow;
static struct complete *complete;
static int64_t now;
static const uint8_t veil[KEY_SIZE] = "the veil";

/* Takes the place of the real one. */
enum err calls_send (struct calls *self, enum wire_type type,
                     const struct slice *frames, size_t count, int64_t *id,
                     struct error *why) {
    (void) self, (void) why;
    assert_int_equal (count, 1);
    assert_int_equal (asked[type].id, 0); /* one at a time */
    buf_clear (&asked[type].frame);
    buf_add_slice (&asked[type].frame, frames[0]);
    *id = asked[type].id = 100 + (int64_t) ++calls;
    return ERR_NONE;
}

/* The world */

static size_t stream_number (const char *name) {
    for (size_t i = 0; i < world.count; i++)
        if (strcmp (world.streams[i].name, name) == 0)
            return i;
    fail_msg ("no stream %s", name);
    return 0;
}

static struct roster *roster_now (void) {
    return world.rosters[2] ? world.rosters[2] : world.rosters[1];
}

/* At this place, under this number. */
static void item_place (struct build *b, size_t i, int64_t sequence,
                        int64_t number) {
    struct record r;
    struct buf old = b->items[i].record;
    FINE (record_read (buf_slice (&old), &r, &e));
    r.sequence = sequence;
    r.log_time = BUILD_TIME + sequence;
    r.previous = -1;
    r.channel_sequence = number;
    r.roster = world.roster_sequence;
    b->items[i].record = (struct buf){ 0 };
    record_write (&b->items[i].record, &r);
    buf_free (&old);
}

/* `count` records of a channel from a sequence on, into the world; and as a
 * block. */
static void records_make (const char *stream, const char *channel,
                          int64_t sequence, size_t count, struct buf *octets) {
    struct build *b = build_new (channel);
    struct block_writer *writer = block_writer_new();
    size_t n = stream_number (stream);
    build_batch (b, &cast, cast.hq, NULL, count, 0, count, RUN_WHOLE, 0);
    block_begin (writer, sequence);
    block_run (writer, RUN_WHOLE, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        size_t at = world.streams[n].count++;
        struct buf *record = &b->items[i].record;
        item_place (b, i, sequence + (int64_t) i, (int64_t) at + 1);
        world.streams[n].leaves[at] = record_leaf (buf_slice (record));
        world.streams[n].sequences[at] = sequence + (int64_t) i;
        assert_true (block_add (writer, buf_slice (record),
                                buf_slice (&b->items[i].body), BODY_PRESENT));
    }
    block_finish (writer, octets);
    block_writer_destroy (&writer);
    build_free (b);
}

static struct stream *ours (const char *name) {
    struct stream *s = stream_by_name (follow, slice_text (name));
    assert_non_null (s);
    return s;
}

/* As fill.c keeps it. */
static void keep (const char *stream, const struct buf *octets) {
    struct block block;
    struct block_facts facts;
    int64_t added;
    struct stream *s = ours (stream);
    FINE (block_read (buf_slice (octets), &block, &e));
    FINE (block_check (&block, &facts, &e));
    FINE (core_begin (&core, &e));
    FINE (records_add (store, &block, &facts, &added, &e));
    if (strcmp (stream, CHANNEL_LOG) != 0)
        FINE (streams_add (store, stream, s->upto + 1, s->upto, &block, &e));
    s->upto += (int64_t) block.count;
    FINE (core_commit (&core, &e));
}

static void give (const char *stream, int64_t sequence, size_t count) {
    struct buf octets = { 0 };
    records_make (stream, stream[0] == '@' ? "@EUROPOL+FRONTEX" : stream,
                  sequence, count, &octets);
    keep (stream, &octets);
    buf_free (&octets);
}

/* Numbers that the desk says are not ours. */
static void hide (const char *stream, int64_t last) {
    struct stream *s = ours (stream);
    FINE (core_begin (&core, &e));
    FINE (streams_hide (store, stream, s->upto + 1, last, &e));
    FINE (core_commit (&core, &e));
    s->upto = last;
}

/* Marks */

static void says (size_t n, int64_t mark, struct mark_stream *out) {
    size_t count = 0;
    while (count < world.streams[n].count
           && world.streams[n].sequences[count] < mark)
        count++;
    *out = (struct mark_stream){
        .name = slice_text (world.streams[n].name),
        .salt = mark_salt (veil, slice_text (world.streams[n].name), mark),
        .last = count ? world.streams[n].sequences[count - 1] : -1,
        .count = (int64_t) count,
        .root = tree_root_of (world.streams[n].leaves, count)
    };
}

static void entries (int64_t mark, struct hash leaves[STREAMS_MOST]) {
    for (size_t i = 0; i < world.count; i++) {
        struct mark_stream one;
        says (i, mark, &one);
        leaves[i] = mark_leaf (&one);
    }
}

static void claim_make (size_t n, int64_t mark, struct mark_claim *out) {
    struct hash leaves[STREAMS_MOST], path[TREE_PATH_MAX];
    *out = (struct mark_claim){ .index = (int64_t) n };
    says (n, mark, &out->stream);
    entries (mark, leaves);
    out->path_length = tree_path (leaves, world.count, n, path);
    memcpy (out->path, path, out->path_length * sizeof *path);
}

static void log_build (struct build *b, int64_t sequence) {
    struct buf octets = { 0 };
    struct block_writer *writer = block_writer_new();
    block_begin (writer, sequence);
    block_no_run (writer);
    for (size_t i = 0; i < b->count; i++) {
        item_place (b, i, sequence + (int64_t) i, ++world.log_number);
        assert_true (block_add (writer, buf_slice (&b->items[i].record),
                                buf_slice (&b->items[i].body),
                                b->items[i].state));
    }
    block_finish (writer, &octets);
    block_writer_destroy (&writer);
    keep (CHANNEL_LOG, &octets);
    buf_free (&octets);
    build_free (b);
}

static void mark_item (struct build *b, int64_t sequence, bool root) {
    struct hash leaves[STREAMS_MOST];
    struct buf payload = { 0 };
    const struct roster *roster = roster_now();
    entries (sequence, leaves);
    struct mark_payload p = { .roster_version = roster_version (roster),
                              .roster_digest = *roster_digest (roster),
                              .has_root = root,
                              .root = tree_root_of (leaves, world.count) };
    mark_payload_write (&payload, &p);
    struct record r = build_place (b, RECORD_MARK);
    r.payload = buf_slice (&payload);
    build_item (b, &r, (struct slice){ 0 }, -1);
    buf_free (&payload);
}

static void mark (int64_t sequence) {
    struct build *b = build_new (CHANNEL_LOG);
    mark_item (b, sequence, true);
    log_build (b, sequence);
}

/* A roster and the mark behind it. */
static void roster_put (struct roster *roster, int64_t sequence) {
    world.rosters[roster_version (roster)] = roster;
    world.roster_sequence = sequence;
    FINE (rosters_learn (core.rosters, roster_octets (roster), sequence, &e));
    struct build *b = build_new (CHANNEL_LOG);
    build_roster (b, roster);
    mark_item (b, sequence + 1, true);
    log_build (b, sequence);
}

/* The desk */

static void reply_give (enum wire_type type, bool refused, struct buf *frame) {
    struct slice frames[] = { buf_slice (frame) };
    struct reply reply = { .type = type,
                           .id = asked[type].id,
                           .refused = refused,
                           .frames = frames,
                           .count = refused ? 0 : 1 };
    bool mine = false;
    if (refused)
        refusal_set (&reply.refusal, RULE_NOT_FOUND);
    assert_true (reply.id > 0);
    asked[type].id = 0;
    FINE (complete_reply (complete, &reply, &mine, &e));
    assert_true (mine);
    FINE (core_commit (&core, &e));
    buf_free (frame);
}

static int64_t asked_mark (void) {
    int64_t at;
    FINE (wire_paths_read (buf_slice (&asked[WIRE_PATHS].frame), &at, &e));
    return at;
}

/* Those of the streams that we follow, but for one. */
static void claims_give (const char *without,
                         void (*twist) (struct mark_claim *)) {
    struct buf frame = { 0 }, body = { 0 };
    int64_t at = asked_mark();
    size_t count = 0;
    for (size_t i = 0; i < world.count; i++) {
        struct mark_claim claim;
        if (!stream_by_name (follow, slice_text (world.streams[i].name))
            || (without && strcmp (world.streams[i].name, without) == 0))
            continue;
        claim_make (i, at, &claim);
        if (twist)
            twist (&claim);
        mark_claim_write (&body, &claim);
        count++;
    }
    wire_claims_begin (&frame, at, count);
    buf_add_slice (&frame, buf_slice (&body));
    buf_free (&body);
    reply_give (WIRE_PATHS, false, &frame);
}

static void tick (int64_t ms) {
    now += ms;
    FINE (complete_tick (complete, now, &e));
    FINE (core_commit (&core, &e));
}

/* So long with nothing to answer. */
static void wait_long (void) {
    for (int i = 0; i < 40; i++)
        tick (2000);
}

/* Stages */

static void stream_put (const char *name) {
    struct stream *s = mem_alloc (sizeof *s), **at = &follow->streams;
    snprintf (s->name, sizeof s->name, "%s", name);
    s->pending_end = &s->pending;
    while (*at)
        at = &(*at)->next;
    *at = s;
    follow->count++;
}

static void complete_start (void) {
    complete = complete_new (&core, follow);
    complete_begin (complete);
}

static void begin_with (struct roster *first) {
    memset (&world, 0, sizeof world);
    for (size_t i = 0; i <= WIRE_COVER; i++)
        asked[i].id = 0;
    calls = 0;
    core = (struct core){ .identity = cast.hq,
                          .delegation = "EUROPOL/hq",
                          .dialogue = *roster_dialogue (first),
                          .store = store };
    core.rosters = rosters_new (&core.dialogue, first, &e);
    assert_non_null (core.rosters);
    follow = follow_new (&core);
    follow->generation = 1;
    static const char *const names[] = { CHANNEL_LOG, "all", "core",
                                         "@EUROPOL" };
    for (size_t i = 0; i < 4; i++)
        stream_put (names[i]);
    world.count = mark_streams (first);
    assert_true (world.count <= STREAMS_MOST);
    for (size_t i = 0; i < world.count; i++)
        mark_stream_name (first, i, world.streams[i].name);
    now = clock_mono_ms();
    complete_start();
    roster_put (first, 0);
}

static int begin (void **state) {
    int rc = store_begin_test (state);
    begin_with (roster_ref (cast.roster));
    return rc;
}

/* Readers of `core` are others at first. */
static json_t *narrow (void) {
    json_t *document = cast_document (&cast);
    fixture_set (document, "channels[1].readers", "['delegation:FRONTEX/hq']");
    fixture_set (document, "channels[1].writers", "['delegation:FRONTEX/hq']");
    return document;
}

static int begin_hidden (void **state) {
    int rc = store_begin_test (state);
    begin_with (cast_roster (narrow()));
    return rc;
}

static int end (void **state) {
    complete_destroy (&complete);
    complete_destroy (&complete);
    follow_destroy (&follow);
    rosters_destroy (&core.rosters);
    for (size_t i = 0; i < 3; i++)
        roster_unref (&world.rosters[i]);
    for (size_t i = 0; i <= WIRE_COVER; i++)
        buf_free (&asked[i].frame);
    return store_end_test (state);
}

/* The roster that has us read `core`. */
static void admit (int64_t sequence) {
    char dialogue[HASH_TEXT_MAX];
    json_t *document = fixture_next (world.rosters[1], cast_document (&cast));
    struct roster *next = fixture_read (
        document, hash_text (dialogue, &core.dialogue), "EUROPOL FRONTEX", &e);
    if (!next)
        fail_msg ("%s", e.text);
    roster_put (next, sequence);
}

static int64_t notices (const char *kind) {
    int64_t out = 0;
    sqlite3_stmt *s = store_prepare (
        store, "SELECT COUNT (*) FROM notices WHERE kind = ? AND alarm");
    sqlite3_bind_text (s, 1, kind, -1, SQLITE_STATIC);
    FINE (store_row (store, s, "notices", &e));
    out = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return out;
}

static void stands (int64_t at, const char *lacks) {
    struct complete_status status;
    complete_status (complete, &status);
    if (status.mark != at || !strstr (status.lacks, lacks)
        || (!*lacks && *status.lacks))
        fail_msg ("mark %" PRId64 " instead of %" PRId64 "; lacks '%s'",
                  status.mark, at, status.lacks);
    assert_int_equal (status.time, at < 0 ? 0 : BUILD_TIME + at);
}

/* Tests */

static void test_nothing (void **state) {
    (void) state;
    stands (-1, "no mark is proved yet");
    complete_end (complete);
    tick (200);
    assert_int_equal (calls, 0);
    complete_begin (complete);
    follow->generation = 0; /* the list of streams is not there */
    tick (200);
    assert_int_equal (calls, 0);
    /* An answer to nothing. */
    struct reply reply = { .type = WIRE_PATHS, .id = 7 };
    bool mine = true;
    FINE (complete_reply (complete, &reply, &mine, &e));
    assert_false (mine);
}

static void test_all_there (void **state) {
    (void) state;
    tick (200);
    assert_int_equal (asked_mark(), 1);
    claims_give (NULL, NULL);
    stands (1, "");
    give ("all", 2, 5);
    give ("@EUROPOL", 7, 2);
    give ("core", 9, 1);
    mark (10);
    give ("all", 11, 3); /* above the mark */
    tick (200);
    assert_int_equal (asked_mark(), 10);
    claims_give (NULL, NULL);
    stands (10, "");
    assert_int_equal (
        store_number ("SELECT COUNT (*) FROM claims WHERE mark = 10"), 3);
    assert_int_equal (store_number ("SELECT COUNT (*) FROM claims WHERE roster"
                                    " AND mark = 1"),
                      3);
    size_t before = calls;
    wait_long();
    assert_int_equal (calls, before); /* there is nothing to ask */
    complete_destroy (&complete);
    complete_start();
    stands (10, "");
    wait_long();
    assert_int_equal (calls, before);
}

/* The last message of a quiet channel, and the desk lies about its number. */
static void test_last_withheld (void **state) {
    (void) state;
    struct buf held_back = { 0 };
    give ("core", 2, 3);
    records_make ("core", "core", 5, 1, &held_back);
    mark (6);
    ours ("core")->last = ours ("core")->upto;
    tick (200);
    claims_give (NULL, NULL);
    stands (-1, "core: number 4, the last of its records, is missing");
    assert_true (ours ("core")->check); /* the desk is asked */
    ours ("core")->check = false;
    assert_int_equal (notices ("WITHHELD"), 0);
    tick (2000);
    assert_true (ours ("core")->check);
    wait_long();
    assert_int_equal (notices ("WITHHELD"), 1);
    stands (-1, "core: number 4, the last of its records, is withheld");
    mark (7); /* it is the same that lacks */
    tick (200);
    claims_give (NULL, NULL);
    wait_long();
    assert_int_equal (notices ("WITHHELD"), 1);
    keep ("core", &held_back);
    buf_free (&held_back);
    tick (2000);
    stands (7, "");
}

/* Marks of a later form: that they prove nothing to us has to be seen. */
static void test_newer_mark (void **state) {
    (void) state;
    give ("all", 2, 3);
    mark (10);
    tick (200);
    claims_give (NULL, NULL);
    stands (10, "");
    admit (12);
    /* What the roster's record says is no mark. */
    sqlite3_exec (store->db,
                  "UPDATE records SET type = 3 - type WHERE sequence > 11",
                  NULL, NULL, NULL);
    tick (200);
    stands (10, "a form that this version can't read");
    wait_long();
    assert_int_equal (notices ("WITHHELD"), 0); /* it is us */
}

/* The answer comes when there is a newer mark: that one is asked at once. */
static void test_overtaken (void **state) {
    (void) state;
    give ("all", 2, 3);
    mark (10);
    tick (200);
    assert_int_equal (asked_mark(), 10);
    mark (11);
    tick (200);
    claims_give (NULL, NULL);
    tick (200);
    assert_int_equal (asked_mark(), 11);
    claims_give (NULL, NULL);
    stands (11, "");
}

/* A channel that the desk keeps out of our list of streams, and the record in
 * it that others read. */
static void test_unlisted (void **state) {
    (void) state;
    struct stream *core_stream = ours ("core"), **at = &follow->streams;
    while (*at != core_stream)
        at = &(*at)->next;
    *at = core_stream->next;
    give ("all", 2, 3);
    mark (10);
    tick (200);
    claims_give (NULL, NULL);
    stands (-1, "core: the desk does not list this stream");
    assert_int_equal (notices ("WITHHELD"), 0);
    wait_long();
    assert_int_equal (notices ("WITHHELD"), 1);
    core_stream->next = NULL; /* as a reply would put it there */
    for (at = &follow->streams; *at; at = &(*at)->next) {}
    *at = core_stream;
    tick (2000);
    tick (200);
    if (asked[WIRE_PATHS].id)
        claims_give (NULL, NULL);
    tick (10000);
    if (asked[WIRE_PATHS].id)
        claims_give (NULL, NULL);
    stands (10, "");
    assert_int_equal (notices ("WITHHELD"), 1);
}

/* Not withheld: it comes, in pieces. */
static void test_patience (void **state) {
    (void) state;
    struct buf pieces[4] = { { 0 } };
    for (size_t i = 0; i < 4; i++)
        records_make ("all", "all", 2 + 2 * (int64_t) i, 2, &pieces[i]);
    mark (20);
    tick (200);
    claims_give (NULL, NULL);
    stands (-1, "all: numbers 1 to 8 of its records are missing");
    for (size_t i = 0; i < 4; i++) {
        for (int wait = 0; wait < 25; wait++)
            tick (2000);
        keep ("all", &pieces[i]);
        buf_free (&pieces[i]);
    }
    tick (2000);
    stands (20, "");
    assert_int_equal (notices ("WITHHELD"), 0);
    /* One that we can't read is nobody's fault. */
    struct buf later = { 0 };
    records_make ("all", "all", 21, 1, &later);
    mark (22);
    ours ("all")->newer = true;
    tick (200);
    claims_give (NULL, NULL);
    wait_long();
    stands (20, "all: number 9");
    assert_int_equal (notices ("WITHHELD"), 0);
    buf_free (&later);
}

static void path_twist (struct mark_claim *claim) {
    if (slice_is (claim->stream.name, "core"))
        claim->path[0].octets[3] ^= 1;
}
static void name_twist (struct mark_claim *claim) {
    if (slice_is (claim->stream.name, "core"))
        claim->index = 2;
}
static void count_twist (struct mark_claim *claim) {
    if (slice_is (claim->stream.name, "core"))
        claim->stream.count--;
}

/* The desk's words, that nothing proves. */
static void test_bad_claims (void **state) {
    (void) state;
    static void (*const twists[]) (
        struct mark_claim *) = { path_twist, name_twist, count_twist };
    give ("core", 2, 3);
    mark (6);
    for (size_t i = 0; i < 3; i++) {
        tick (6000);
        claims_give (NULL, twists[i]);
        stands (-1, "core: what is said of it is not proved");
        assert_int_equal (notices ("BAD-CLAIM"), 1);
    }
    tick (6000);
    claims_give (NULL, NULL);
    stands (6, "");
}

static void test_no_claims (void **state) {
    (void) state;
    give ("core", 2, 3);
    mark (6);
    tick (200);
    claims_give ("core", NULL);
    stands (-1, "core: how many records it has is withheld");
    for (int i = 0; i < 14; i++) {
        tick (6000);
        if (asked[WIRE_PATHS].id)
            claims_give ("core", NULL);
    }
    for (int i = 0; i < 30; i++) {
        tick (2000);
        if (asked[WIRE_PATHS].id)
            claims_give ("core", NULL);
    }
    assert_int_equal (notices ("WITHHELD"), 1);
    /* Nothing at all. */
    for (int i = 0; i < 60; i++) {
        struct buf none = { 0 };
        tick (2000);
        if (asked[WIRE_PATHS].id)
            reply_give (WIRE_PATHS, true, &none);
    }
    assert_int_equal (notices ("WITHHELD"), 2);
    while (!asked[WIRE_PATHS].id)
        tick (2000);
    claims_give (NULL, NULL);
    stands (6, "");
}

static void test_no_root (void **state) {
    (void) state;
    struct build *b = build_new (CHANNEL_LOG);
    mark_item (b, 2, false);
    log_build (b, 2);
    wait_long();
    stands (-1, "have no root");
    assert_int_equal (notices ("WITHHELD"), 1);
    assert_int_equal (calls, 0);
    mark (3);
    tick (200);
    claims_give (NULL, NULL);
    stands (3, "");
}

/* The mark itself says what is not so of what it was made over. */
static void test_wrong_marks (void **state) {
    (void) state;
    size_t n = stream_number ("core");
    give ("core", 2, 3);
    world.streams[n].leaves[1].octets[0] ^= 1; /* another record to others */
    mark (6);
    tick (200);
    claims_give (NULL, NULL);
    stands (-1, "core: they are not those that were given out");
    assert_int_equal (notices ("MARK-WRONG"), 1);
    wait_long();
    assert_int_equal (notices ("MARK-WRONG"), 1);
    world.streams[n].leaves[1].octets[0] ^= 1;
    mark (7);
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "");

    world.streams[n].count--; /* others are told of fewer */
    mark (8);
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "core: number 3 is record 4, below it");
    assert_int_equal (notices ("MARK-WRONG"), 2);
    world.streams[n].count++;

    give ("core", 20, 2);
    world.streams[n].sequences[3] = 9; /* before it was there */
    mark (10);
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "core: number 4 stands behind it");
    world.streams[n].sequences[3] = 20;

    world.streams[n].sequences[2] = 3; /* another place of the last */
    mark (11);
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "core: the last is record 4, not 3");
}

static void cover_give (bool good) {
    struct buf frame = { 0 };
    struct slice name;
    int64_t from, to;
    FINE (wire_cover_read (buf_slice (&asked[WIRE_COVER].frame), &name, &from,
                           &to, &e));
    assert_int_equal (from, 0); /* the first numbers, here */
    size_t n = stream_number ("core");
    for (int64_t at = 0; at < to;) {
        int64_t size = 1;
        while (2 * size <= to - at)
            size *= 2;
        struct hash root =
            tree_root_of (world.streams[n].leaves + at, (size_t) size);
        if (!good)
            root.octets[5] ^= 1;
        buf_add (&frame, root.octets, HASH_SIZE);
        at += size;
    }
    reply_give (WIRE_COVER, false, &frame);
}

/* Admitted at record 9, when so many records of `core` stood before; hidden up
 * to `last`, of seven. */
static void hidden_begin (size_t count, int64_t last) {
    struct buf octets = { 0 };
    records_make ("core", "core", 2, count, &octets);
    buf_free (&octets);
    admit (9);
    for (size_t i = count; i < 7; i++) {
        if ((int64_t) i == last)
            hide ("core", last);
        records_make ("core", "core", 11 + (int64_t) i, 1, &octets);
        if ((int64_t) i >= last)
            keep ("core", &octets);
        buf_free (&octets);
    }
    mark (20);
}

/* The newest mark's claims, and those of the mark behind the roster. */
static void hidden_answer (void) {
    tick (1100);
    cover_give (true);
    while (!asked[WIRE_PATHS].id)
        tick (200);
    assert_int_equal (asked_mark(), 20);
    claims_give (NULL, NULL);
    stands (-1, "core: whether a roster hides");
    while (!asked[WIRE_PATHS].id)
        tick (200);
    assert_int_equal (asked_mark(), 10);
    claims_give (NULL, NULL);
    tick (200);
}

static void test_hidden (void **state) {
    (void) state;
    struct tree tree;
    hidden_begin (5, 5);
    FINE (hashes_tree (store, "core", &tree, &e));
    assert_int_equal (tree.size, 0);
    hidden_answer();
    stands (20, "");
    FINE (hashes_tree (store, "core", &tree, &e));
    assert_int_equal (tree.size, 7); /* what waited behind them too */
    assert_int_equal (store_number ("SELECT roster FROM claims WHERE"
                                    " stream = 'core' AND mark = 10"),
                      1);
    /* It is known from now on. */
    size_t before = calls;
    mark (21);
    tick (200);
    claims_give (NULL, NULL);
    stands (21, "");
    assert_int_equal (calls, before + 1);
}

/* Numbers of our own time are hidden too: within a node of the cover, and
 * behind one. */
static void test_hidden_too_much (void **state) {
    (void) state;
    hidden_begin (5, 6);
    hidden_answer();
    assert_int_equal (notices ("WITHHELD"), 1);
    for (int i = 0; i < 30; i++) {
        tick (2000);
        if (asked[WIRE_PATHS].id)
            claims_give (NULL, NULL);
    }
    stands (-1, "core: whether a roster hides");
    assert_int_equal (notices ("WITHHELD"), 1);
}

static void test_hidden_one_more (void **state) {
    (void) state;
    hidden_begin (4, 5);
    hidden_answer();
    wait_long();
    stands (-1, "core: numbers 1 to 5 are withheld");
    assert_int_equal (notices ("WITHHELD"), 1);
}

/* It is asked for again, once it shows; but not again and again. */
static void test_wrong_cover (void **state) {
    (void) state;
    struct tree tree;
    hidden_begin (5, 5);
    tick (1100);
    cover_give (false);
    while (!asked[WIRE_PATHS].id)
        tick (200);
    claims_give (NULL, NULL);
    stands (-1, "core: they are not those that were given out");
    assert_int_equal (notices ("MARK-WRONG"), 1);
    FINE (hashes_tree (store, "core", &tree, &e));
    assert_int_equal (tree.size, 0);
    tick (1100);
    cover_give (false);
    tick (1100);
    stands (-1, "core: they are not those that were given out");
    wait_long();
    assert_int_equal (asked[WIRE_COVER].id, 0);
    assert_int_equal (notices ("MARK-WRONG"), 1);
    complete->uncover = 0; /* the time is over */
    tick (1100);
    tick (1100);
    cover_give (true);
    tick (1100);
    while (asked[WIRE_PATHS].id) {
        claims_give (NULL, NULL);
        tick (1100);
    }
    stands (20, "");
    FINE (hashes_tree (store, "core", &tree, &e));
    assert_int_equal (tree.size, 7);
}

/* Octets that are no answer: the link is given up. */
static void malformed_give (enum wire_type type, const char *hex) {
    uint8_t octets[64];
    size_t size = strlen (hex) / 2;
    bool mine;
    assert_int_equal (hex_decode (octets, size, hex), 0);
    struct slice frames[] = { slice_of (octets, size) };
    for (int i = 0; !asked[type].id; i++) {
        assert_true (i < 40);
        tick (1000);
    }
    struct reply reply = {
        .type = type, .id = asked[type].id, .frames = frames, .count = 1
    };
    if (complete_reply (complete, &reply, &mine, &e) != ERR_MALFORMED)
        fail_msg ("%s was taken", hex);
    core_abort (&core);
    for (size_t i = 0; i <= WIRE_COVER; i++)
        asked[i].id = 0;
    complete_end (complete);
    complete_begin (complete);
}

static void test_malformed (void **state) {
    (void) state;
    static const struct {
        enum wire_type type;
        const char *hex;
    } rows[] = {
        { WIRE_COVER, "00" },
        { WIRE_COVER, "" },
        { WIRE_COVER, /* five records have two nodes */
          "0011223344556677889900112233445566778899001122334455667788990011" },
        { WIRE_PATHS, "" },
        { WIRE_PATHS, "c0" },
        { WIRE_PATHS, "9200" },
        { WIRE_PATHS, "920190c0" },
        { WIRE_PATHS, "920990" }, /* another mark */
    };
    hidden_begin (5, 5);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        malformed_give (rows[i].type, rows[i].hex);
}

/* Handed in on `late`, which we may not read, and promised at 3. */
static void hand_in (int64_t sequence) {
    struct buf octets = { 0 };
    size_t n = stream_number ("late");
    int64_t number;
    bool repeated;
    records_make ("late", "late", sequence, 1, &octets);
    buf_free (&octets);
    FINE (outbox_add (store, NULL, slice_text ("late/note/x"), BODY_TEXT,
                      slice_text ("words"), NULL, 0, &number, &repeated, &e));
    struct hash id = hash_sha256 (slice_of (&sequence, sizeof sequence));
    struct outbox_form form = { number, id, slice_text ("a header") };
    FINE (outbox_sending (store, &form, 1, &e));
    struct promise promise = { .epoch = 1, .log_time = BUILD_TIME };
    struct promise_accepted accepted = {
        0, id, sequence, world.streams[n].leaves[world.streams[n].count - 1]
    };
    promise_sign (&promise, cast.broker, &cast.dialogue, &accepted, 1, NULL, 0);
    FINE (outbox_promised (store, &promise, &accepted, 1, &e));
}

static void handed_give (const char *stream, bool good) {
    struct buf frame = { 0 };
    int64_t at, sequence;
    size_t n = stream_number (stream), i = 0;
    FINE (wire_handed_read (buf_slice (&asked[WIRE_HANDED].frame), &at,
                            &sequence, &e));
    struct wire_handed one = { 0 };
    claim_make (n, at, &one.claim);
    while (i < world.streams[n].count
           && world.streams[n].sequences[i] != sequence)
        i++;
    i = i < world.streams[n].count ? i : 0;
    one.number = (int64_t) i + 1;
    if (one.claim.stream.count > 0)
        one.path_length =
            tree_path (world.streams[n].leaves, (size_t) one.claim.stream.count,
                       good ? i : 0, one.path);
    wire_handed_begin (&frame, at, 1);
    wire_handed_put (&frame, &one);
    reply_give (WIRE_HANDED, false, &frame);
}

static void test_handed (void **state) {
    (void) state;
    struct buf none = { 0 };
    give ("all", 2, 1);
    for (int64_t at = 3; at < 7; at++)
        hand_in (at);
    mark (7);
    hand_in (8); /* not yet */
    tick (200);
    claims_give (NULL, NULL);
    stands (7, "");
    tick (200);
    handed_give ("late", true);
    assert_int_equal (notices ("WITHHELD"), 0);
    tick (200);
    handed_give ("late", false);
    assert_int_equal (notices ("WITHHELD"), 1);
    tick (200);
    handed_give ("all", true); /* not where it has to be */
    assert_int_equal (notices ("WITHHELD"), 2);
    tick (200);
    reply_give (WIRE_HANDED, true, &none);
    assert_int_equal (notices ("WITHHELD"), 3);
    wait_long();
    assert_int_equal (asked[WIRE_HANDED].id, 0);
    mark (9);
    tick (200);
    claims_give (NULL, NULL);
    tick (200);
    handed_give ("late", true);
    wait_long();
    assert_int_equal (asked[WIRE_HANDED].id, 0);
    assert_int_equal (notices ("WITHHELD"), 3);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_nothing, begin, end),
        cmocka_unit_test_setup_teardown (test_all_there, begin, end),
        cmocka_unit_test_setup_teardown (test_last_withheld, begin, end),
        cmocka_unit_test_setup_teardown (test_unlisted, begin, end),
        cmocka_unit_test_setup_teardown (test_overtaken, begin, end),
        cmocka_unit_test_setup_teardown (test_newer_mark, begin, end),
        cmocka_unit_test_setup_teardown (test_patience, begin, end),
        cmocka_unit_test_setup_teardown (test_bad_claims, begin, end),
        cmocka_unit_test_setup_teardown (test_no_claims, begin, end),
        cmocka_unit_test_setup_teardown (test_no_root, begin, end),
        cmocka_unit_test_setup_teardown (test_wrong_marks, begin, end),
        cmocka_unit_test_setup_teardown (test_hidden, begin_hidden, end),
        cmocka_unit_test_setup_teardown (test_hidden_too_much, begin_hidden,
                                         end),
        cmocka_unit_test_setup_teardown (test_hidden_one_more, begin_hidden,
                                         end),
        cmocka_unit_test_setup_teardown (test_wrong_cover, begin_hidden, end),
        cmocka_unit_test_setup_teardown (test_malformed, begin_hidden, end),
        cmocka_unit_test_setup_teardown (test_handed, begin, end),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
