/* fetch_marks: what marks say to each delegation, against a model that is
 * computed from the records alone; and the rules of checkpoints, whose notary
 * the test plays. */
#include "broker_fixture.h"

#include "fetch_marks.h"

#define HQ "EUROPOL/hq"
#define FRONTEX "FRONTEX/hq"
#define STREAMS_MAX 32

static struct stage *stage;
static struct fetch_marks *marks;
static struct job_pool *pool;
static struct job *job;

/* The notary */

static enum err notary_says;
static enum wire_which asked_which;
static int64_t asked_version;

enum err notary_cosign (struct notary *self, const char *delegation,
                        struct slice note, int64_t *settled, struct error *e) {
    (void) self;
    assert_string_equal (delegation, HQ);
    assert_true (slice_is (note, "a note"));
    *settled = 12;
    return notary_says ? error_set (e, notary_says, "said so") : ERR_NONE;
}

enum err notary_note (struct notary *self, enum wire_which which,
                      int64_t version, struct buf *out, struct error *e) {
    (void) self;
    asked_which = which;
    asked_version = version;
    if (notary_says)
        return error_set (e, notary_says, "said so");
    buf_add_text (out, "a checkpoint");
    return ERR_NONE;
}

/* The model */

struct model {
    size_t count;
    char names[STREAMS_MAX][MARK_NAME_MAX];
    struct mark_stream streams[STREAMS_MAX];
    struct hash leaves[STREAMS_MAX][64]; /* of their records */
};

static struct hash leaf_at (int64_t sequence) {
    struct buf octets = { 0 };
    struct hash leaf;
    assert_int_equal (
        journal_leaves (stage->journal, sequence, 1, &octets, NULL), 0);
    memcpy (leaf.octets, octets.data, HASH_SIZE);
    buf_free (&octets);
    return leaf;
}

static void channel_at (int64_t sequence, char out[CHANNEL_MAX + 1]) {
    struct buf octets = { 0 };
    struct block block;
    struct block_walk walk;
    struct record r;
    struct error e;
    assert_int_equal (journal_read (stage->journal, sequence, &octets, &e), 0);
    assert_int_equal (block_read (buf_slice (&octets), &block, &e), 0);
    block_walk (&block, &walk);
    assert_true (block_next (&walk));
    assert_int_equal (record_read (walk.record, &r, &e), 0);
    memcpy (out, r.channel.data, r.channel.size);
    out[r.channel.size] = '\0';
    buf_free (&octets);
}

static bool carries (const char *stream, const char *channel) {
    if (stream[0] != '@' || channel[0] != '@')
        return strcmp (stream, channel) == 0;
    const char *at = strstr (channel + 1, stream + 1);
    return at != NULL; /* no name here begins with another one */
}

/* Of the records below `mark`, under `roster`. */
static struct model *model_new (const struct roster *roster, int64_t mark) {
    struct model *self = mem_alloc (sizeof *self);
    self->count = mark_streams (roster);
    assert_true (self->count <= STREAMS_MAX);
    for (size_t n = 0; n < self->count; n++) {
        struct mark_stream *s = &self->streams[n];
        mark_stream_name (roster, n, self->names[n]);
        s->name = slice_text (self->names[n]);
        s->salt = mark_salt (identity_veil (stage->cast.broker), s->name, mark);
        s->last = -1;
    }
    for (int64_t i = 0; i < mark; i++) {
        char channel[CHANNEL_MAX + 1];
        channel_at (i, channel);
        for (size_t n = 0; n < self->count; n++)
            if (carries (self->names[n], channel)) {
                self->streams[n].last = i;
                self->leaves[n][self->streams[n].count++] = leaf_at (i);
            }
    }
    for (size_t n = 0; n < self->count; n++)
        self->streams[n].root =
            tree_root_of (self->leaves[n], (size_t) self->streams[n].count);
    return self;
}

static struct hash model_root (const struct model *self) {
    struct hash leaves[STREAMS_MAX];
    for (size_t n = 0; n < self->count; n++)
        leaves[n] = mark_leaf (&self->streams[n]);
    return tree_root_of (leaves, self->count);
}

/* The ledger */

static int64_t mark_add (bool right) {
    struct buf payload = { 0 };
    struct roster *roster = state_roster (stage->state, NULL);
    int64_t mark = stage->next;
    struct model *model = model_new (roster, mark);
    struct mark_payload m = { .roster_version = roster_version (roster),
                              .roster_digest = *roster_digest (roster),
                              .has_root = true };
    if (right)
        m.root = model_root (model);
    block_begin (stage->writer, mark);
    block_no_run (stage->writer);
    mark_payload_write (&payload, &m);
    struct record r = { .type = RECORD_MARK, .payload = buf_slice (&payload) };
    stage_record (stage, &r, CHANNEL_LOG, (struct slice){ 0 });
    stage_append (stage, NULL);
    buf_free (&payload);
    free (model);
    roster_unref (&roster);
    return mark;
}

/* EUROPOL/hq wrote it, FRONTEX/hq hands it in. */
static int64_t handed_in_add (const char *channel) {
    struct build where = { .channel = channel, .roster_version = 1 };
    struct signed_batch *made = sign_batch (
        &stage->cast, &where, stage->cast.hq, stage->cast.frontex, 1, 40);
    const struct batch *b = &made->batch;
    int64_t sequence = stage->next;
    block_begin (stage->writer, sequence);
    block_run (stage->writer, RUN_WHOLE, NULL, 0);
    struct record r = { .type = RECORD_MESSAGE,
                        .via = b->via,
                        .payload = b->items[0].message.octets,
                        .batch_size = 1,
                        .signature = b->signature };
    stage_record (stage, &r, channel, b->items[0].body);
    stage_append (stage, NULL);
    signed_batch_free (made);
    return sequence;
}

static json_t *core (const char *who) {
    json_t *d = stage_document (stage);
    fixture_set (d, "channels[1].readers", who);
    fixture_set (d, "channels[1].writers", who);
    return d;
}

/* 0 roster, 1 mark that proves nothing; core: 2-7; both: 8-9; 10 mark A;
 * 11 roster that takes core from FRONTEX, 12 as 1; core: 13-16; 17 mark B;
 * core: 18, which FRONTEX handed in; 19 mark C */
enum { MARK_A = 10, MARK_B = 17, HANDED = 18, MARK_C = 19 };

static int setup (void **state) {
    (void) state;
    struct stage draft = { 0 };
    cast_begin (&draft.cast);
    stage = &draft;
    json_t *first = core ("['entity:EUROPOL','delegation:FRONTEX/hq']");
    stage = stage_new (first);
    cast_end (&draft.cast);
    stage_messages (stage, "core", stage->cast.hq, 6, NULL);
    stage_messages (stage, "@EUROPOL+FRONTEX", stage->cast.hq, 2, NULL);
    assert_int_equal (mark_add (true), MARK_A);
    struct roster *roster =
        stage_next (stage, core ("['entity:EUROPOL']"), NULL);
    roster_unref (&roster);
    stage_messages (stage, "core", stage->cast.hq, 4, NULL);
    assert_int_equal (mark_add (true), MARK_B);
    assert_int_equal (handed_in_add ("core"), HANDED);
    assert_int_equal (mark_add (true), MARK_C);
    marks = fetch_marks_new (stage->state);
    pool = job_pool_new (1);
    job = job_take (pool);
    notary_says = ERR_NONE;
    return 0;
}

static int teardown (void **state) {
    (void) state;
    job_give (pool, &job);
    job_pool_destroy (&pool);
    fetch_marks_destroy (&marks);
    fetch_marks_destroy (&marks);
    stage_free (stage);
    return 0;
}

/* Asking */

static struct slice ask (const char *who, int type, struct buf *frame) {
    job_give (pool, &job);
    job = job_take (pool);
    strcpy (job->delegation, who);
    job->head.type = type;
    zmq_msg_init_size (&job->frames[0], frame->size);
    if (frame->size)
        memcpy (zmq_msg_data (&job->frames[0]), frame->data, frame->size);
    job->frame_count = 1;
    buf_free (frame);
    assert_true (fetch_marks_answer (marks, job));
    assert_int_equal (job->reply_count, 1);
    return buf_slice (&job->reply[0]);
}

static void check_error (const char *what, enum rule rule, const char *text) {
    struct refusal why;
    struct slice said;
    struct error e;
    char shown[REFUSAL_TEXT_MAX];
    if (job->reply_type != WIRE_ERROR
        || wire_error_read (buf_slice (&job->reply[0]), &why, &said, &e)
        || why.rule != rule)
        fail_msg ("%s: no %s", what, rule_name (rule));
    if (text)
        assert_string_equal (refusal_print (&why, shown), text);
}

/* Claims that were given, checked, as "index ". */
struct seen {
    struct roster *roster;
    struct model *model;
    struct hash root;
    struct buf names;
    const struct hash *leaf; /* of what was handed in */
};

static void see_claim (void *arg, const struct mark_claim *claim) {
    struct seen *seen = arg;
    struct error e;
    size_t n = (size_t) claim->index;
    if (mark_claim_check (claim, seen->roster, &seen->root, &e))
        fail_msg ("%s", e.text);
    const struct mark_stream *want = &seen->model->streams[n];
    assert_int_equal (claim->stream.count, want->count);
    assert_int_equal (claim->stream.last, want->last);
    assert_true (hash_equal (&claim->stream.root, &want->root));
    if (seen->names.size)
        buf_add_u8 (&seen->names, ' ');
    buf_add_slice (&seen->names, claim->stream.name);
}

static void see_handed (void *arg, const struct wire_handed *one) {
    struct seen *seen = arg;
    struct hash root;
    see_claim (arg, &one->claim);
    assert_int_equal (tree_path_root (seen->leaf, (uint64_t) one->number - 1,
                                      (uint64_t) one->claim.stream.count,
                                      one->path, one->path_length, &root),
                      0);
    assert_true (hash_equal (&root, &one->claim.stream.root));
    buf_add_format (&seen->names, ":%d", (int) one->number);
}

static struct seen seen_of (int64_t mark) {
    struct seen seen = { 0 };
    int64_t version = mark == MARK_A ? 1 : 2;
    seen.roster = state_roster_version (stage->state, version, NULL);
    seen.model = model_new (seen.roster, mark);
    seen.root = model_root (seen.model);
    return seen;
}

static void check_seen (struct seen *seen, const char *names) {
    buf_add_u8 (&seen->names, 0);
    assert_string_equal ((const char *) seen->names.data, names);
    buf_free (&seen->names);
    roster_unref (&seen->roster);
    free (seen->model);
}

static void check_paths (const char *who, int64_t mark, const char *names) {
    struct buf frame = { 0 };
    struct error e;
    int64_t said;
    struct seen seen = seen_of (mark);
    wire_paths_write (&frame, mark);
    struct slice reply = ask (who, WIRE_PATHS, &frame);
    assert_int_equal (job->reply_type, WIRE_PATHS + WIRE_REPLY);
    if (wire_claims_read (reply, &said, see_claim, &seen, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (said, mark);
    check_seen (&seen, names);
}

static void check_handed (const char *who, int64_t mark, int64_t sequence,
                          const char *names) {
    struct buf frame = { 0 };
    struct error e;
    int64_t said;
    struct seen seen = seen_of (mark);
    struct hash leaf = leaf_at (sequence);
    seen.leaf = &leaf;
    wire_handed_write (&frame, mark, sequence);
    struct slice reply = ask (who, WIRE_HANDED, &frame);
    assert_int_equal (job->reply_type, WIRE_HANDED + WIRE_REPLY);
    if (wire_handed_each (reply, &said, see_handed, &seen, &e))
        fail_msg ("%s", e.text);
    assert_int_equal (said, mark);
    check_seen (&seen, names);
}

/* Tests */

static void test_malformed (void **state) {
    (void) state;
    static const struct {
        int type;
        const char *text;
    } rows[] = {
        { WIRE_CHECKPOINT, "checkpoint" },
        { WIRE_PATHS, "paths" },
        { WIRE_HANDED, "handed" },
        { WIRE_COVER, "cover" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf frame = { 0 };
        char shown[REFUSAL_TEXT_MAX];
        buf_add_u8 (&frame, 0xc1);
        ask (HQ, rows[i].type, &frame);
        check_error (rows[i].text, RULE_MALFORMED, NULL);
        assert_non_null (
            strstr (refusal_print (&job->why, shown), rows[i].text));
    }
    job_give (pool, &job);
    job = job_take (pool);
    for (int type = 0; type < 256; type++) {
        job->head.type = type;
        if (type < WIRE_COSIGN || type > WIRE_COVER)
            assert_false (fetch_marks_answer (marks, job));
    }
}

static void test_no_mark (void **state) {
    (void) state;
    static const int64_t none[] = {
        0, 1, 3, 12, MARK_C + 1, INT64_C (1) << 50
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct buf frame = { 0 };
        wire_paths_write (&frame, none[i]);
        ask (HQ, WIRE_PATHS, &frame);
        check_error ("paths", RULE_NOT_FOUND, "NOT-FOUND");
        wire_handed_write (&frame, none[i], 0);
        ask (HQ, WIRE_HANDED, &frame);
        check_error ("handed", RULE_NOT_FOUND, "NOT-FOUND");
    }
    /* one that is not what the ledger holds is ours to mend, and is not given */
    struct buf frame = { 0 };
    int saved = dup (2);
    assert_true (freopen ("/dev/null", "w", stderr) != NULL);
    wire_paths_write (&frame, mark_add (false));
    ask (HQ, WIRE_PATHS, &frame);
    fflush (stderr);
    dup2 (saved, 2);
    close (saved);
    check_error ("damaged", RULE_BUSY, NULL);
}

/* Under the mark's roster or the present one, and its entity's own. */
static void test_paths (void **state) {
    (void) state;
    check_paths (FRONTEX, MARK_A, "all core @FRONTEX");
    check_paths (FRONTEX, MARK_B, "all @FRONTEX");
    check_paths (HQ, MARK_B, "all core @EUROPOL");
    check_paths ("EUROPOL/ec3", MARK_A, "all core @EUROPOL");
    struct roster *roster = stage_next (
        stage, core ("['entity:EUROPOL','delegation:FRONTEX/hq']"), NULL);
    roster_unref (&roster);
    check_paths (FRONTEX, MARK_B, "all core @FRONTEX"); /* it may again */
}

static void test_handed (void **state) {
    (void) state;
    check_handed (HQ, MARK_A, 2, "core:1");
    check_handed (HQ, MARK_A, 7, "core:6");
    check_handed (HQ, MARK_C, 7, "core:6");
    check_handed (HQ, MARK_B, 16, "core:10");
    check_handed (HQ, MARK_A, 9, "@EUROPOL:2 @FRONTEX:2");
    check_handed (HQ, MARK_C, HANDED, "core:11");
    check_handed (FRONTEX, MARK_C, HANDED, "core:11"); /* it may not read it */
    static const struct {
        const char *who;
        int64_t mark, sequence;
    } none[] = {
        { FRONTEX, MARK_A, 2 }, { "EUROPOL/ec3", MARK_A, 2 },
        { HQ, MARK_A, 13 },     { HQ, MARK_A, MARK_A },
        { HQ, MARK_A, 0 },      { HQ, MARK_C, MARK_B },
        { HQ, MARK_C, 100 },
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct buf frame = { 0 };
        wire_handed_write (&frame, none[i].mark, none[i].sequence);
        ask (none[i].who, WIRE_HANDED, &frame);
        check_error ("not handed in", RULE_NOT_FOUND, "NOT-FOUND");
    }
}

static struct slice ask_cover (const char *who, const char *stream,
                               int64_t from, int64_t to) {
    struct buf frame = { 0 };
    wire_cover_write (&frame, slice_text (stream), from, to);
    return ask (who, WIRE_COVER, &frame);
}

static void test_cover (void **state) {
    (void) state;
    struct seen seen = seen_of (MARK_C);
    int n = mark_stream_find (seen.roster, slice_text ("core"));
    const struct hash *leaves = seen.model->leaves[n];
    for (size_t from = 0; from < 11; from++)
        for (size_t to = from + 1; to <= 11; to++) {
            struct hash cover[TREE_COVER_MAX];
            struct tree tree = { 0 };
            struct slice got =
                ask_cover (HQ, "core", (int64_t) from, (int64_t) to);
            assert_int_equal (job->reply_type, WIRE_COVER + WIRE_REPLY);
            memcpy (cover, got.data, got.size);
            for (size_t i = 0; i < from; i++)
                tree_add (&tree, &leaves[i]);
            assert_int_equal (
                tree_add_cover (&tree, to, cover, got.size / HASH_SIZE, NULL),
                0);
            struct hash root = tree_root (&tree);
            struct hash want = tree_root_of (leaves, to);
            assert_true (hash_equal (&root, &want));
        }
    check_seen (&seen, "");
    ask_cover (HQ, "core", 0, 12);
    check_error ("above", RULE_MALFORMED, NULL);
    ask_cover (HQ, "core", 3, 3);
    check_error ("empty", RULE_MALFORMED, NULL);
    ask_cover (FRONTEX, "core", 0, 6); /* until it was ended */
    assert_int_equal (job->reply_type, WIRE_COVER + WIRE_REPLY);
    ask_cover (FRONTEX, "core", 0, 7);
    check_error ("behind its end", RULE_MALFORMED, NULL);
    ask_cover (FRONTEX, "@FRONTEX", 0, 2);
    assert_int_equal (job->reply_type, WIRE_COVER + WIRE_REPLY);
    ask_cover (FRONTEX, "$log", 1, 4);
    assert_int_equal (job->reply_type, WIRE_COVER + WIRE_REPLY);
    static const char *const others[] = { "@EUROPOL", "nothing", "@", "No" };
    for (size_t i = 0; i < 4; i++) {
        ask_cover (FRONTEX, others[i], 0, 1);
        check_error (others[i], RULE_UNKNOWN_STREAM, NULL);
    }
}

/* What a roster hid, as a whole: a part of it would say where in the ledger its
 * records stand. */
static void test_cover_hidden (void **state) {
    (void) state;
    static const struct {
        int64_t from, to;
        bool given;
    } cases[] = {
        { 6, 11, true },   { 2, 4, true },   { 0, 11, true }, { 5, 6, true },
        { 6, 7, false },   { 6, 10, false }, { 7, 8, false }, { 8, 11, false },
        { 10, 11, false }, { 0, 8, false },
    };
    struct roster *roster = stage_next (
        stage, core ("['entity:EUROPOL','delegation:FRONTEX/hq']"), NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask_cover (FRONTEX, "core", cases[i].from, cases[i].to);
        if (cases[i].given)
            assert_int_equal (job->reply_type, WIRE_COVER + WIRE_REPLY);
        else
            check_error ("a part", RULE_NOT_FOUND, "NOT-FOUND");
        ask_cover (HQ, "core", cases[i].from, cases[i].to);
        assert_int_equal (job->reply_type, WIRE_COVER + WIRE_REPLY);
    }
    roster_unref (&roster);
}

/* More marks than are kept, in any order; older ones push out no newer. */
static void test_cache (void **state) {
    (void) state;
    int64_t all[8];
    for (size_t i = 0; i < 8; i++) {
        stage_messages (stage, "core", stage->cast.hq, 1, NULL);
        all[i] = mark_add (true);
    }
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < 8; i++) {
            check_paths (HQ, all[round ? i : 7 - i], "all core @EUROPOL");
            check_paths (HQ, MARK_A, "all core @EUROPOL");
            check_handed (HQ, all[7], 7, "core:6");
        }
}

static void test_checkpoint (void **state) {
    (void) state;
    struct buf frame = { 0 };
    int there;
    wire_checkpoint_write (&frame, WIRE_SETTLED, 0);
    ask (HQ, WIRE_CHECKPOINT, &frame);
    check_error ("no notary", RULE_NOT_FOUND, NULL);
    fetch_marks_set_notary (marks, (struct notary *) &there);
    wire_checkpoint_write (&frame, WIRE_HANDOVER, 7);
    struct slice got = ask (HQ, WIRE_CHECKPOINT, &frame);
    assert_true (slice_is (got, "a checkpoint"));
    assert_int_equal (asked_which, WIRE_HANDOVER);
    assert_int_equal (asked_version, 7);
    notary_says = ERR_NOT_FOUND;
    wire_checkpoint_write (&frame, WIRE_NEWEST, 0);
    ask (HQ, WIRE_CHECKPOINT, &frame);
    check_error ("none", RULE_NOT_FOUND, "NOT-FOUND");
}

static void test_cosign (void **state) {
    (void) state;
    static const struct {
        enum err says;
        enum rule rule;
        const char *text;
    } rows[] = {
        { ERR_MALFORMED, RULE_MALFORMED, NULL },
        { ERR_LIMIT, RULE_MALFORMED, NULL },
        { ERR_NOT_FOUND, RULE_NOT_FOUND, "NOT-FOUND" },
        { ERR_RIGHT, RULE_NOT_A_WITNESS, "NOT-A-WITNESS delegation=" HQ },
        { ERR_SIGNATURE, RULE_BAD_COSIGNATURE,
          "BAD-COSIGNATURE delegation=" HQ " why=said so" },
        { ERR_DIGEST, RULE_BAD_COSIGNATURE, NULL },
    };
    struct buf frame = { 0 };
    struct error e;
    int there;
    int64_t settled;
    buf_add_text (&frame, "a note");
    ask (HQ, WIRE_COSIGN, &frame);
    check_error ("no notary", RULE_NOT_FOUND, NULL);
    fetch_marks_set_notary (marks, (struct notary *) &there);
    buf_add_text (&frame, "a note");
    struct slice got = ask (HQ, WIRE_COSIGN, &frame);
    assert_int_equal (wire_settled_read (got, &settled, &e), 0);
    assert_int_equal (settled, 12);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        notary_says = rows[i].says;
        buf_add_text (&frame, "a note");
        ask (HQ, WIRE_COSIGN, &frame);
        check_error ("cosign", rows[i].rule, rows[i].text);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_malformed), CASE (test_no_mark),    CASE (test_paths),
        CASE (test_handed),    CASE (test_cover),      CASE (test_cover_hidden),
        CASE (test_cache),     CASE (test_checkpoint), CASE (test_cosign),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
