/* A ledger in small, a desk that answers what it is asked (or lies), and an agent
 * that holds what it was given. */
#ifndef PARLEY_COMPLETE_FIXTURE_H
#define PARLEY_COMPLETE_FIXTURE_H

#include "records_fixture.h"

#include "base/clock.h"
#include "link/complete_impl.h"
#include "link/follow_impl.h"

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
    struct roster *rosters[6]; /* by version */
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
    size_t n = sizeof world.rosters / sizeof *world.rosters - 1;
    while (!world.rosters[n])
        n--;
    return world.rosters[n];
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

FIXTURE_UNUSED static void give (const char *stream, int64_t sequence,
                                 size_t count) {
    struct buf octets = { 0 };
    records_make (stream, stream[0] == '@' ? "@EUROPOL+FRONTEX" : stream,
                  sequence, count, &octets);
    keep (stream, &octets);
    buf_free (&octets);
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

FIXTURE_UNUSED static int begin (void **state) {
    int rc = store_begin_test (state);
    begin_with (roster_ref (cast.roster));
    return rc;
}

static int end (void **state) {
    complete_destroy (&complete);
    complete_destroy (&complete);
    follow_destroy (&follow);
    rosters_destroy (&core.rosters);
    for (size_t i = 0; i < sizeof world.rosters / sizeof *world.rosters; i++)
        roster_unref (&world.rosters[i]);
    for (size_t i = 0; i <= WIRE_COVER; i++)
        buf_free (&asked[i].frame);
    return store_end_test (state);
}

/* The roster that has us read `core`, or not. */
static void follow_up (json_t *document, int64_t sequence) {
    char dialogue[HASH_TEXT_MAX];
    struct roster *next = fixture_read (fixture_next (roster_now(), document),
                                        hash_text (dialogue, &core.dialogue),
                                        "EUROPOL FRONTEX", &e);
    if (!next)
        fail_msg ("%s", e.text);
    roster_put (next, sequence);
}

FIXTURE_UNUSED static void admit (int64_t sequence) {
    follow_up (cast_document (&cast), sequence);
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

#endif
