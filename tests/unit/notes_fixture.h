/* For the tests of `ledger`: a store with two ledgers beside it, and a desk that
 * answers as it is told. */
#ifndef PARLEY_NOTES_FIXTURE_H
#define PARLEY_NOTES_FIXTURE_H

#include "records_fixture.h"

#include "base/clock.h"
#include "format/evidence.h"
#include "identity/policy.h"
#include "link/ledger_impl.h"
#include "store/outbox.h"

#define WORLD_MAX 40000
#define MARK 1 /* its sequence */

/* Two ledgers: the true one, and one that parts from it. */
static struct hash *leaves, *others;

static struct core core;
static struct ledger *ledger;
static int64_t now;
static struct buf note; /* the last that was made */

/* What was asked and not answered. */
static struct asked {
    int64_t id;
    enum wire_type type;
    struct buf frame;
} asked[16];
static int64_t calls;

/* Takes the place of the real one. */
enum err calls_send (struct calls *self, enum wire_type type,
                     const struct slice *frames, size_t count, int64_t *id,
                     struct error *why) {
    (void) self, (void) why;
    assert_int_equal (count, 1);
    for (size_t i = 0; i < 16; i++)
        if (asked[i].id == 0) {
            *id = asked[i].id = 100 + ++calls;
            asked[i].type = type;
            buf_clear (&asked[i].frame);
            buf_add_slice (&asked[i].frame, frames[0]);
            return ERR_NONE;
        }
    return ERR_FULL;
}

/* The oldest of that type; NULL. */
static inline struct asked *find (enum wire_type type) {
    struct asked *out = NULL;
    for (size_t i = 0; i < 16; i++)
        if (asked[i].id && asked[i].type == type
            && (!out || asked[i].id < out->id))
            out = &asked[i];
    return out;
}

static inline size_t count_of (enum wire_type type) {
    size_t n = 0;
    for (size_t i = 0; i < 16; i++)
        n += asked[i].id && asked[i].type == type;
    return n;
}

static inline bool none_asked (void) {
    for (size_t i = 0; i < 16; i++)
        if (asked[i].id)
            return false;
    return true;
}

static inline enum err answer (struct asked *to, const struct slice *frames,
                               size_t count) {
    struct reply reply = { .type = to->type,
                           .id = to->id,
                           .refused = frames == NULL,
                           .frames = frames,
                           .count = count };
    bool mine = false;
    refusal_set (&reply.refusal, RULE_NOT_FOUND);
    to->id = 0;
    enum err rc = ledger_reply (ledger, &reply, &mine, &e);
    assert_true (mine || rc);
    return rc;
}

static inline void refuse (enum wire_type type) {
    FINE (answer (find (type), NULL, 0));
}

static inline void answer_note (void) {
    struct slice frames[] = { buf_slice (&note) };
    FINE (answer (find (WIRE_CHECKPOINT), frames, 1));
}

/* From one of the ledgers, at most so many. */
static inline void answer_leaves_of (struct asked *to, const struct hash *from,
                                     int64_t most) {
    int64_t first, count;
    struct buf head = { 0 };
    FINE (wire_range_read (buf_slice (&to->frame), LEAVES_MAX, &first, &count,
                           &e));
    wire_leaves_from_write (&head, first);
    if (count > most)
        count = most;
    struct slice frames[] = {
        buf_slice (&head), slice_of (from + first, (size_t) count * HASH_SIZE)
    };
    FINE (answer (to, frames, 2));
    buf_free (&head);
}

static inline void answer_leaves (void) {
    answer_leaves_of (find (WIRE_LEAVES), leaves, LEAVES_MAX);
}

static inline void tick (int64_t ms) {
    now += ms;
    FINE (ledger_tick (ledger, now, &e));
}

static inline void hear (const struct hash *from, int64_t first, size_t count) {
    struct buf content = { 0 };
    feed_leaves_write (&content, first, from + first, count);
    FINE (ledger_hear (ledger, FEED_LEAVES, buf_slice (&content), &e));
    buf_free (&content);
}

static inline void hear_upto (int64_t size) {
    for (int64_t at = ledger->size; at < size; at = ledger->size)
        hear (leaves, at, (size_t) (size - at < 256 ? size - at : 256));
}

/* Checkpoints */

static inline void sign_by (const struct identity *broker,
                            const struct hash *from, int64_t size) {
    struct checkpoint cp = { .size = size,
                             .root = tree_root_of (from, (size_t) size) };
    checkpoint_origin (cast.roster, cp.origin);
    buf_clear (&note);
    checkpoint_sign (&cp, broker, &note);
}

static inline void sign (const struct hash *from, int64_t size) {
    sign_by (cast.broker, from, size);
}

/* One more line on the note at hand. Our own is of a checkpoint that we remember,
 * but for the lost one. */
static inline void add_lost_line (const struct identity *witness,
                                  int64_t seconds) {
    struct checkpoint cp;
    struct note form;
    FINE (checkpoint_read (buf_slice (&note), &cp, &form, &e));
    checkpoint_cosign (&cp, witness, seconds, &note);
}

static inline void add_line (const struct identity *witness, int64_t seconds) {
    struct checkpoint cp;
    struct note form;
    bool newer;
    FINE (checkpoint_read (buf_slice (&note), &cp, &form, &e));
    if (witness == cast.hq)
        FINE (checkpoints_recall (store, &cp, &newer, &e));
    add_lost_line (witness, seconds);
}

static inline void hear_note (enum feed_kind kind) {
    FINE (ledger_hear (ledger, kind, buf_slice (&note), &e));
}

static inline void verify (int64_t size) {
    hear_upto (size);
    sign (leaves, size);
    hear_note (FEED_CHECKPOINT);
}

static inline void settle (int64_t size) {
    int64_t seconds = clock_wall_ms() / 1000;
    hear_upto (size);
    sign (leaves, size);
    add_line (cast.hq, seconds);
    add_line (cast.frontex, seconds);
    hear_note (FEED_COSIGNATURES);
}

static inline int64_t notices (const char *kind) {
    sqlite3_stmt *s =
        store_prepare (store, "SELECT COUNT (*) FROM notices WHERE kind = ?");
    bind_text (s, 1, slice_text (kind));
    FINE (store_row (store, s, "notices", &e));
    int64_t out = sqlite3_column_int64 (s, 0);
    sqlite3_reset (s);
    return out;
}

static inline struct ledger_status status (void) {
    struct ledger_status out;
    ledger_status (ledger, &out);
    return out;
}

/* Another roster, of record 50: with other witnesses. */
static inline struct roster *roster_two (const char *witnesses, int quorum) {
    char text[HASH_TEXT_MAX], number[8];
    json_t *d = fixture_next (cast.roster, cast_document (&cast));
    cast_key (d, "entities[0].delegations[1].keys[0].witness",
              identity_public (cast.ec3, KEY_WITNESS));
    fixture_set (d, "witnesses", witnesses);
    snprintf (number, sizeof number, "%d", quorum);
    fixture_set (d, "quorum", number);
    struct roster *out = fixture_read (d, hash_text (text, &cast.dialogue),
                                       "EUROPOL FRONTEX UNODC", &e);
    if (!out)
        fail_msg ("%s", e.text);
    FINE (rosters_learn (core.rosters, roster_octets (out), 50, &e));
    return out;
}

/* The file of the only notice of that kind convinces. */
static inline void convinces (const char *kind, enum evidence_kind want) {
    assert_int_equal (notices (kind), 1);
    struct buf json = { 0 }, said = { 0 };
    sqlite3_stmt *s =
        store_prepare (store, "SELECT evidence FROM notices WHERE kind = ?");
    bind_text (s, 1, slice_text (kind));
    FINE (store_row (store, s, "notices", &e));
    buf_add_slice (&json, column_slice (s, 0));
    sqlite3_reset (s);
    struct evidence_file *file = evidence_read (buf_slice (&json), &e);
    if (!file)
        fail_msg ("%s", e.text);
    assert_int_equal (evidence_of (file)->kind, want);
    FINE (evidence_check (evidence_of (file), &cast.dialogue, &said, &e));
    evidence_free (&file);
    buf_free (&json);
    buf_free (&said);
}

/* A store with a mark of now; its roster is record 0. */

static inline void ledger_make (void) {
    ledger = ledger_new (&core, &e);
    if (!ledger)
        fail_msg ("%s", e.text);
    core.ledger = ledger;
    ledger_begin (ledger);
    core.log_whole = true;
}

static inline void again (void) {
    FINE (core_commit (&core, &e));
    ledger_destroy (&ledger);
    for (size_t i = 0; i < 16; i++)
        asked[i].id = 0;
    ledger_make();
    tick (0);
}

static inline void mark_put (int64_t sequence, int64_t time) {
    struct build *b = build_new (CHANNEL_LOG);
    b->roster = 0;
    build_mark (b, cast.roster);
    add_build (b, sequence, time);
    sqlite3_stmt *s =
        store_prepare (store, "SELECT leaf FROM records WHERE sequence = ?");
    sqlite3_bind_int64 (s, 1, sequence);
    FINE (store_row (store, s, "records", &e));
    leaves[sequence] = others[sequence] = column_hash (s, 0);
    sqlite3_reset (s);
}

static inline int begin_test (void **state) {
    int rc = store_begin_test (state);
    for (size_t i = 0; i < 16; i++)
        asked[i].id = 0;
    core = (struct core){ .identity = cast.hq,
                          .delegation = "EUROPOL/hq",
                          .dialogue = cast.dialogue,
                          .store = store };
    core.rosters = rosters_new (&cast.dialogue, cast.roster, &e);
    if (!core.rosters)
        return -1;
    FINE (rosters_learn (core.rosters, roster_octets (cast.roster), 0, &e));
    for (uint32_t i = 0; i < WORLD_MAX; i++) {
        leaves[i] = hash_sha256 (slice_of (&i, sizeof i));
        others[i] = i < 300 ? leaves[i] : hash_leaf (slice_of (&i, sizeof i));
    }
    mark_put (MARK, clock_wall_ms());
    now = clock_mono_ms();
    ledger_make();
    tick (0);
    refuse (WIRE_CHECKPOINT);
    refuse (WIRE_CHECKPOINT);
    assert_true (none_asked());
    return rc;
}

static inline int end_test (void **state) {
    FINE (core_commit (&core, &e));
    ledger_destroy (&ledger);
    rosters_destroy (&core.rosters);
    for (size_t i = 0; i < 16; i++)
        asked[i].id = 0;
    return store_end_test (state);
}

static inline int begin (void **state) {
    leaves = mem_alloc (WORLD_MAX * sizeof *leaves);
    others = mem_alloc (WORLD_MAX * sizeof *others);
    return cast_begin_tests (state);
}

static inline int end (void **state) {
    free (leaves);
    free (others);
    buf_free (&note);
    for (size_t i = 0; i < 16; i++)
        buf_free (&asked[i].frame);
    return cast_end_tests (state);
}

#endif
