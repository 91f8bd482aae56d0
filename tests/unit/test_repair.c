/* repair: a ledger of nine records, put together from bundles of which none has
 * all. What agents and a real broker make of it is in
 * tests/system/test_0730_repair.py. */
#include "story.h"

#include "base/disk.h"
#include "counters.h"
#include "repair.h"
#include "repair_sources.h"

#define RECORDS 9 /* of the story: without its leaf and what follows */

static struct error e;
static struct repair_report report;
static char *folder; /* of a test */

/* A name in it; one of eight buffers. */
static const char *in (const char *name) {
    static char paths[8][300];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf (path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int setup (void **state) {
    (void) state;
    folder = story_folder();
    return 0;
}

static int teardown (void **state) {
    (void) state;
    story_remove (folder);
    free (folder);
    return 0;
}

static void must (enum err rc) {
    if (rc)
        fail_msg ("%s", e.text);
}

static struct story *made (void) {
    struct story *story = story_new();
    story->meta.last = RECORDS - 1;
    story_make (story);
    story->missing = 1u << 9 | 1u << 10;
    return story;
}

#define BLOCK(n) (1u << (n))

struct plan {
    const char *exporter;
    unsigned dropped;   /* blocks of which it has leaves alone */
    unsigned promised;  /* records */
    int64_t checkpoint; /* 0: none */
    int64_t logged;     /* a checkpoint of the log alone; 0: none */
};

static void logged_put (struct story *story, const char *name, int64_t size) {
    char path[300];
    buf_free (&story->checkpoints[0]);
    story->checkpoint_count = 0;
    story_checkpoint (story, size, 0);
    snprintf (path, sizeof path, "%s/verified", name);
    must (
        disk_write_file (path, buf_slice (&story->checkpoints[0]), false, &e));
}

static char *bundle_planned (struct story *story, const char *name,
                             const struct plan *plan) {
    story->dropped = plan->dropped;
    for (size_t i = 0; i < story->checkpoint_count; i++)
        buf_free (&story->checkpoints[i]);
    story->checkpoint_count = 0;
    strcpy (story->meta.exporter, plan->exporter);
    if (plan->checkpoint > 0)
        story_checkpoint (story, plan->checkpoint, 3);
    story_promises (story);
    story->proof_count = 0; /* the refusal has to be there */
    for (int64_t i = 0; i < RECORDS; i++)
        if (plan->promised & BLOCK (i))
            story_promise (story, i, 1);
    story_pack (story, in (name));
    buf_free (&story->refusal);
    if (plan->logged > 0)
        logged_put (story, in (name), plan->logged);
    return mem_copy_text (in (name));
}

/* A bundle that has leaves for the blocks in `dropped`, and a checkpoint. */
static char *bundle_made (struct story *story, const char *name,
                          unsigned dropped, int64_t checkpoint) {
    const struct plan plan = { "EUROPOL/hq", dropped, 0, checkpoint, 0 };
    return bundle_planned (story, name, &plan);
}

/* The first `records` of the story as a ledger in its folder. */
static void ledger_made (struct story *story, int64_t records) {
    struct counters *counters = counters_new();
    struct journal_replay replay = counters_replay (counters);
    struct journal_options options = { 0 };
    struct journal_opened opened;
    struct buf block = { 0 };
    char dialogue[HASH_TEXT_MAX], json[300];
    hash_text (dialogue, &story->cast.dialogue);
    snprintf (json, sizeof json,
              "{\"format\": 1, \"dialogue\": \"%s\", \"broker\": \"lyon\"}",
              dialogue);
    must (disk_make_dir (in ("state"), &e));
    must (disk_write_file (in ("state/ledger.json"), slice_text (json), false,
                           &e));
    must (identity_save (story->cast.broker, in ("broker.key"), &e));
    must (journal_create (in ("state"), &story->cast.dialogue, &e));
    struct journal *journal = journal_open (in ("state"), &story->cast.dialogue,
                                            &options, &replay, &opened, &e);
    assert_non_null (journal);
    for (size_t i = 0; story->items[i].r.sequence < records;) {
        buf_clear (&block);
        i += story_block (story, i, &block);
        struct journal_block one = { .octets = buf_slice (&block) };
        must (journal_append (journal, &one, 1, &e));
    }
    assert_int_equal (journal_size (journal), records);
    journal_close (&journal);
    counters_destroy (&counters);
    buf_free (&block);
}

static enum err repair (char **bundles, size_t count, bool dry) {
    struct settings settings = {
        .state = mem_copy_text (in ("state")),
        .identity = mem_copy_text (in ("broker.key")),
    };
    repair_report_free (&report);
    enum err rc = ledger_repair (&settings, bundles, count, dry, &report, &e);
    free (settings.state);
    free (settings.identity);
    return rc;
}

static void ledger_is (struct story *story, int64_t records) {
    struct counters *counters = counters_new();
    struct journal_replay replay = counters_replay (counters);
    struct journal_options options = { 0 };
    struct journal_opened opened;
    struct buf leaves = { 0 };
    struct journal *journal = journal_open (in ("state"), &story->cast.dialogue,
                                            &options, &replay, &opened, &e);
    assert_non_null (journal);
    assert_int_equal (journal_size (journal), records);
    must (journal_leaves (journal, 0, records, &leaves, &e));
    for (int64_t i = 0; i < records; i++) {
        struct hash leaf = story_leaf (story, i);
        assert_memory_equal (leaves.data + i * HASH_SIZE, leaf.octets,
                             HASH_SIZE);
    }
    buf_free (&leaves);
    journal_close (&journal);
    counters_destroy (&counters);
}

static void free_texts (char **texts, size_t count) {
    for (size_t i = 0; i < count; i++)
        free (texts[i]);
}

static void test_refused (void **state) {
    (void) state;
    struct story *story = made();
    char *bundles[] = { mem_copy_text (in ("none")) };
    assert_int_equal (repair (bundles, 1, false), ERR_NOT_FOUND);
    assert_non_null (strstr (e.text, "init"));
    ledger_made (story, 2);
    assert_int_equal (repair (bundles, 1, false), ERR_NOT_FOUND);
    assert_non_null (strstr (e.text, "bundle '"));
    assert_int_equal (report.lack_records, 0);
    free_texts (bundles, 1);
    story_free (story);
}

/* Two bundles: one lacks record 2 and the ad-hoc channel, the other 3 and 4. */
static void test_end (void **state) {
    (void) state;
    for (int64_t have = 2; have <= RECORDS; have++) {
        if (have == 4 || have == 7) /* within a block */
            continue;
        struct story *story = made();
        char *bundles[] = { bundle_made (story, "a", BLOCK (2) | BLOCK (5),
                                         RECORDS),
                            bundle_made (story, "b", BLOCK (3), RECORDS) };
        ledger_made (story, have);
        must (repair (bundles, 2, true));
        assert_int_equal (report.added, RECORDS - have);
        assert_false (report.written_end);
        ledger_is (story, have);
        must (repair (bundles, 2, false));
        assert_int_equal (report.size, have);
        assert_int_equal (report.target, have < RECORDS ? RECORDS : -1);
        assert_int_equal (report.sources[0].added + report.sources[1].added,
                          RECORDS - have);
        assert_int_equal (report.written_end, have < RECORDS);
        ledger_is (story, RECORDS);
        assert_int_equal (access (in ("state/checkpoints/settled"), R_OK),
                          have < RECORDS ? 0 : -1);
        must (repair (bundles, 2, false));
        assert_int_equal (report.target, -1);
        free_texts (bundles, 2);
        story_free (story);
        story_remove (folder);
        mkdir (folder, 0700);
    }
}

static void lacks (size_t n, int64_t first, int64_t end) {
    assert_true (n < report.lack_count);
    assert_int_equal (report.lacks[n].first, first);
    assert_int_equal (report.lacks[n].end, end);
    assert_string_equal (report.lacks[n].place, "");
}

static void test_lacking (void **state) {
    (void) state;
    struct story *story = made();
    char *bundles[] = {
        bundle_made (story, "a", BLOCK (2) | BLOCK (5), RECORDS),
        bundle_made (story, "b", BLOCK (3), RECORDS),
        bundle_made (story, "c", BLOCK (3) | BLOCK (4) | BLOCK (2), RECORDS),
    };
    ledger_made (story, 2);
    assert_int_equal (repair (bundles, 1, false), ERR_NOT_FOUND);
    assert_int_equal (report.lack_count, 2);
    assert_int_equal (report.lack_records, 2);
    lacks (0, 2, 3);
    lacks (1, 5, 6);
    assert_int_equal (repair (bundles + 2, 1, false), ERR_NOT_FOUND);
    assert_int_equal (report.lack_count, 1);
    lacks (0, 2, 5);
    assert_int_equal (report.absent_count, 3);
    assert_string_equal (report.absent[0], "FRONTEX");
    ledger_is (story, 2);
    must (repair (bundles, 3, false));
    ledger_is (story, RECORDS);
    free_texts (bundles, 3);
    story_free (story);
}

/* Only what the checkpoint covers is taken, also where a block goes on. */
static void test_target (void **state) {
    (void) state;
    const int64_t sizes[] = { 3, 4, 5, 6, 7, 8 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct story *story = made();
        char *bundles[] = { bundle_made (story, "a", 0, sizes[i]),
                            bundle_made (story, "b", 0, 0) };
        ledger_made (story, 2);
        must (repair (bundles + 1, 1, false)); /* no checkpoint in it */
        assert_int_equal (report.target, -1);
        ledger_is (story, 2);
        must (repair (bundles, 2, false));
        assert_int_equal (report.target, sizes[i]);
        assert_int_equal (report.held, RECORDS - 1);
        ledger_is (story, sizes[i]);
        free_texts (bundles, 2);
        story_free (story);
        story_remove (folder);
        mkdir (folder, 0700);
    }
}

/* The ledger has gone on by itself. */
static void test_two_pasts (void **state) {
    (void) state;
    struct story *story = made(), *other = made(); /* bodies have salts */
    char *bundles[] = { bundle_made (story, "a", 0, RECORDS) };
    ledger_made (other, 5);
    assert_int_equal (repair (bundles, 1, false), ERR_CHAIN);
    if (!strstr (e.text, "record 2 of this ledger"))
        fail_msg ("%s", e.text);
    ledger_is (other, 5);
    free_texts (bundles, 1);
    story_free (story);
    story_free (other);
}

/* A log key that is the roster's, and not this broker's. */
static void test_other_log (void **state) {
    (void) state;
    struct story *story = made();
    char *bundles[] = { bundle_made (story, "a", 0, RECORDS) };
    ledger_made (story, 2);
    struct identity *other = cast_identity (IDENTITY_BROKER, "paris");
    unlink (in ("broker.key"));
    must (identity_save (other, in ("broker.key"), &e));
    identity_destroy (&other);
    assert_int_equal (repair (bundles, 1, false), ERR_KEY);
    ledger_is (story, 2);
    free_texts (bundles, 1);
    story_free (story);
}

/* Cursors: leaf hashes of blocks and of leaves, whole blocks and parts. */
static void test_sources (void **state) {
    (void) state;
    struct sources s;
    struct story *story = made();
    char *bundles[] = { bundle_made (story, "a", BLOCK (2), RECORDS),
                        bundle_made (story, "b", BLOCK (3), 5) };
    must (sources_open (&s, bundles, 2, &story->cast.dialogue,
                        identity_public (story->cast.broker, KEY_LOG), &e));
    assert_int_equal (s.all[0].settled, RECORDS);
    assert_int_equal (s.all[1].settled, 5);
    struct hash leaf;
    struct slice whole;
    struct buf out = { 0 };
    bool known;
    size_t which = 9;
    for (int64_t i = 0; i < RECORDS + 2; i++)
        for (size_t n = 0; n < 2; n++) {
            must (source_leaf (&s.all[n], i, &leaf, &known, &e));
            assert_int_equal (known, i < RECORDS);
            struct hash want = known ? story_leaf (story, i) : leaf;
            assert_memory_equal (&leaf, &want, sizeof leaf);
        }
    must (sources_rewind (&s, &e));
    assert_int_equal (sources_whole (&s, 1, 1 << 20, &whole, &which, &e),
                      ERR_NOT_FOUND); /* inside of one */
    must (sources_whole (&s, 2, 1 << 20, &whole, &which, &e));
    assert_int_equal (which, 1);
    assert_int_equal (sources_whole (&s, 2, 100, &whole, &which, &e),
                      ERR_NOT_FOUND);
    must (sources_block (&s, 4, 9, &out, &which, &e)); /* cut from 3 and 4 */
    assert_int_equal (which, 0);
    struct block block;
    struct block_facts facts;
    must (block_read (buf_slice (&out), &block, &e));
    must (block_check (&block, &facts, &e));
    assert_int_equal (block.first_sequence, 4);
    must (block_verify (&block, &story->cast.dialogue, story->cast.roster, &e));
    must (sources_whole (&s, 8, 1 << 20, &whole, &which, &e));
    assert_int_equal (which, 0); /* no checkpoint of the other covers it */
    buf_free (&out);
    sources_close (&s);
    must (sources_open (&s, bundles + 1, 1, &story->cast.dialogue,
                        identity_public (story->cast.broker, KEY_LOG), &e));
    must (sources_whole (&s, 2, 1 << 20, &whole, &which, &e));
    assert_int_equal (sources_whole (&s, 8, 1 << 20, &whole, &which, &e),
                      ERR_NOT_FOUND);
    sources_close (&s);
    free_texts (bundles, 2);
    story_free (story);
}

/* Behind the checkpoint: from two bodies, of which the second may have nothing to
 * say. */
static void test_promised (void **state) {
    (void) state;
#define ALL BLOCK (2) | BLOCK (3) | BLOCK (5) | BLOCK (8)
    static const struct {
        struct plan a, b;
        int64_t covered, target, promised, agreed, stopped, lost;
        bool held; /* the first of the lost */
    } table[] = {
        /* One between two that are promised, with two leaves, or one. */
        { { "EUROPOL/hq", 0, BLOCK (4), 3, 0 },
          { "FRONTEX/hq", ALL, 0, 0, 0 },
          3,
          5,
          1,
          1,
          -1,
          0,
          false },
        { { "EUROPOL/hq", 0, BLOCK (4), 3, 0 },
          { "EUROPOL/ec3", ALL, 0, 0, 0 },
          3,
          3,
          0,
          0,
          3,
          1,
          true },
        { { "EUROPOL/hq", 0, BLOCK (3) | BLOCK (4), 3, 0 },
          { "EUROPOL/ec3", ALL, 0, 0, 0 },
          3,
          5,
          2,
          0,
          -1,
          0,
          false },
        /* Up to the last promise, and not beyond. */
        { { "EUROPOL/hq", ALL, BLOCK (2) | BLOCK (8), 0, 0 },
          { "FRONTEX/hq", 0, BLOCK (5), 0, 0 },
          -1,
          9,
          3,
          4,
          -1,
          0,
          false },
        { { "EUROPOL/hq", 0, BLOCK (5), 0, 0 },
          { "FRONTEX/hq", 0, 0, 0, 0 },
          -1,
          6,
          1,
          3,
          -1,
          0,
          false },
        { { "EUROPOL/hq", 0, BLOCK (2) | BLOCK (4), 6, 0 },
          { "FRONTEX/hq", 0, 0, 0, 0 },
          6,
          6,
          0,
          0,
          -1,
          0,
          false },
        /* A body that nobody has: in front of a promised one, or of it. */
        { { "EUROPOL/hq", BLOCK (5), BLOCK (4) | BLOCK (8), 3, 0 },
          { "FRONTEX/hq", BLOCK (5), 0, 0, 0 },
          3,
          5,
          1,
          1,
          5,
          1,
          true },
        { { "EUROPOL/hq", BLOCK (8), BLOCK (8) | BLOCK (5), 3, 0 },
          { "FRONTEX/hq", BLOCK (8), 0, 0, 0 },
          3,
          6,
          1,
          2,
          8,
          1,
          false },
        /* What the log signed, without a quorum, is a checkpoint too. */
        { { "EUROPOL/hq", 0, 0, 3, 8 },
          { "EUROPOL/ec3", 0, 0, 0, 0 },
          8,
          8,
          0,
          0,
          -1,
          0,
          false },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct story *story = made();
        char *bundles[] = { bundle_planned (story, "a", &table[i].a),
                            bundle_planned (story, "b", &table[i].b) };
        ledger_made (story, 2);
        for (int dry = 1; dry >= 0; dry--) {
            enum err rc = repair (bundles, 2, dry);
            if (rc != (table[i].lost ? ERR_NOT_FOUND : ERR_NONE))
                fail_msg ("%zu: %s", i, e.text);
            int64_t found[] = { report.covered,     report.target,
                                report.promised,    report.agreed,
                                report.stopped,     report.lost_count,
                                report.lost[0].held };
            int64_t wanted[] = { table[i].covered,  table[i].target,
                                 table[i].promised, table[i].agreed,
                                 table[i].stopped,  table[i].lost,
                                 table[i].held };
            for (size_t n = 0; n < 7; n++)
                if (found[n] != wanted[n])
                    fail_msg ("%zu, %zu: %" PRId64, i, n, found[n]);
            assert_int_equal (report.added, table[i].target - 2);
            ledger_is (story, dry ? 2 : table[i].target);
        }
        free_texts (bundles, 2);
        story_free (story);
        story_remove (folder);
        mkdir (folder, 0700);
    }
}

/* Another record at a promised place: of a ledger, of a bundle, of a promise. */
static void test_contradicted (void **state) {
    (void) state;
    const struct plan good = { "EUROPOL/hq", 0, BLOCK (4), 3, 0 },
                      bad = { "FRONTEX/hq", 0, BLOCK (3), 0, 0 },
                      same = { "EUROPOL/hq", 0, BLOCK (3) | BLOCK (4), 3, 0 };
    struct story *story = made(), *other = made();
    other->missing |= BLOCK (6) | ALL;
    other->no_roster_note = true;
    other->checkpoint_count = 0;
    char *bundles[] = { bundle_planned (story, "a", &good),
                        bundle_planned (other, "b", &bad),
                        bundle_planned (story, "c", &same) };
    ledger_made (story, 2);
    assert_int_equal (repair (bundles, 2, false), ERR_CHAIN);
    assert_non_null (strstr (e.text, "record 3 is not the one that was "
                                     "promised to FRONTEX/hq"));
    assert_int_equal (repair (bundles + 1, 2, false), ERR_CHAIN);
    assert_non_null (strstr (e.text, "record 3 was promised to"));
    ledger_is (story, 2);
    must (repair (bundles + 2, 1, false));
    assert_int_equal (repair (bundles + 1, 1, false), ERR_CHAIN);
    ledger_is (story, 5);
    free_texts (bundles, 3);
    story_free (story);
    story_free (other);
}

#define CASE(f) cmocka_unit_test_setup_teardown (f, setup, teardown)

int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_refused),   CASE (test_sources),  CASE (test_end),
        CASE (test_lacking),   CASE (test_target),   CASE (test_two_pasts),
        CASE (test_other_log), CASE (test_promised), CASE (test_contradicted),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
