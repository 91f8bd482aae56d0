/* notary: its thread on a real journal. What it signs and when, what it makes
 * of damage, what it keeps, and what it says of a checkpoint that is shown. */
#include "notary_fixture.h"

#include "base/clock.h"
#include "base/disk.h"

#include <zmq.h>

#define WAIT_MS 20000 /* for what must come: a limit, no pause */
#define TWO "'EUROPOL/hq','FRONTEX/hq'"

static struct notary *notary;
static char errors[300]; /* a file: what the log says */

static void begin (const char *witnesses, int quorum) {
    stage_begin (witnesses, quorum);
    stage_messages (stage, "all", stage->cast.hq, 5, NULL);
}

static void start (void) {
    notary = notary_new (stage->state, NULL, ledger_dir, &e);
    if (!notary)
        fail_msg ("%s", e.text);
}

/* The run begins, as it does for the desk. */
static void hear (void) {
    assert_true (state_hello_heard (stage->state, "EUROPOL/hq"));
    notary_begin (notary);
}

static void end (void) {
    notary_destroy (&notary);
    notary_destroy (&notary);
    stage_free (stage);
}

static int64_t signed_size (void) {
    int64_t size, settled, time;
    notary_sizes (notary, &size, &settled, &time);
    return size;
}

static int64_t settled_size (void) {
    int64_t size, settled, time;
    notary_sizes (notary, &size, &settled, &time);
    return settled;
}

static void wait_for (const char *what, int64_t (*ask) (void), int64_t wanted) {
    int64_t limit = clock_mono_ms() + WAIT_MS;
    while (ask() != wanted) {
        if (clock_mono_ms() > limit)
            fail_msg ("%s is %d, not %d", what, (int) ask(), (int) wanted);
        zmq_poll (NULL, 0, 1);
    }
}

/* As commit does. */
static void grow (size_t count, bool mark) {
    stage_messages (stage, "all", stage->cast.hq, count, NULL);
    notary_grown (notary, mark);
}

/* The note that is asked for, checked: the root is that of the journal's leaf
 * hashes, and the log signed it. */
static struct checkpoint point_of (enum wire_which which, int64_t version) {
    struct checkpoint out;
    struct note note;
    struct buf octets = { 0 }, leaves = { 0 };
    struct tree tree = { 0 };
    if (notary_note (notary, which, version, &octets, &e)
        || checkpoint_read (buf_slice (&octets), &out, &note, &e)
        || checkpoint_check_log (&out, &note, "example.org/test/1",
                                 identity_public (stage->cast.broker, KEY_LOG),
                                 &e)
        || journal_leaves (stage->journal, 0, out.size, &leaves, &e))
        fail_msg ("%s", e.text);
    for (int64_t i = 0; i < out.size; i++)
        tree_add (&tree, (const struct hash *) (leaves.data + i * HASH_SIZE));
    struct hash root = tree_root (&tree);
    assert_true (hash_equal (&root, &out.root));
    buf_free (&octets);
    buf_free (&leaves);
    return out;
}

static enum err cosign (const struct identity *who, struct checkpoint point,
                        int64_t *settled) {
    return notary_cosign (notary, identity_name (who),
                          cosigned (&point, who, clock_wall_ms() / 1000),
                          settled, &e);
}

/* Does the log say it? */
static bool log_says (const char *words) {
    struct buf text = { 0 };
    assert_int_equal (disk_read_file (errors, 1 << 24, &text, &e), 0);
    bool says = text.size > 0
                && memmem (text.data, text.size, words, strlen (words)) != NULL;
    buf_free (&text);
    return says;
}

static void wait_log (const char *words) {
    int64_t limit = clock_mono_ms() + WAIT_MS;
    while (!log_says (words)) {
        if (clock_mono_ms() > limit)
            fail_msg ("the log does not say: %s", words);
        zmq_poll (NULL, 0, 1);
    }
}

/* So many that any quorum has one of them. */
static void test_awaited (void **state) {
    (void) state;
    begin (TWO ",'EUROPOL/ec3'", 2);
    struct state *s = stage->state;
    assert_int_equal (state_hello_awaited (s, &e), ERR_STATE);
    assert_non_null (strstr (e.text, "2 more of EUROPOL/hq, FRONTEX/hq, "
                                     "EUROPOL/ec3"));
    assert_false (state_hello_heard (s, "UNODC/hq"));
    assert_false (state_hello_heard (s, "EUROPOL/hq"));
    assert_false (state_hello_heard (s, "EUROPOL/hq"));
    assert_false (state_hello_was_heard (s));
    assert_int_equal (state_hello_awaited (s, &e), ERR_STATE);
    assert_non_null (strstr (e.text, "1 more of FRONTEX/hq, EUROPOL/ec3"));
    assert_true (state_hello_heard (s, "EUROPOL/ec3"));
    assert_true (state_hello_was_heard (s));
    assert_int_equal (state_hello_awaited (s, &e), ERR_NONE);
    assert_false (state_hello_heard (s, "FRONTEX/hq"));
    end();
    begin (TWO, 1);
    state_hello_waive (stage->state);
    assert_true (state_hello_was_heard (stage->state));
    assert_int_equal (state_hello_awaited (stage->state, &e), ERR_NONE);
    end();
    begin ("", 0);
    assert_int_equal (state_hello_awaited (stage->state, &e), ERR_STATE);
    assert_true (state_hello_heard (stage->state, "UNODC/hq"));
    end();
}

/* Signing */

static void test_begin (void **state) {
    (void) state;
    struct buf out = { 0 };
    begin ("", 0);
    start();
    grow (3, true);
    assert_int_equal (signed_size(), -1);
    assert_int_equal (notary_note (notary, WIRE_NEWEST, 0, &out, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (notary_note (notary, WIRE_SETTLED, 0, &out, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (notary_note (notary, WIRE_HANDOVER, 1, &out, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (out.size, 0);
    hear();
    wait_for ("signed", signed_size, 10);
    assert_int_equal (point_of (WIRE_NEWEST, 0).size, 10);
    /* nobody has to cosign it */
    wait_for ("settled", settled_size, 10);
    end();
}

static void test_pace (void **state) {
    (void) state;
    begin ("", 0);
    start();
    hear();
    wait_for ("signed", signed_size, 7);
    int64_t before = clock_mono_ms(), now = before;
    int sizes = 0;
    for (int64_t last = 7; now < before + (sizes ? 1500 : WAIT_MS);
         now = clock_mono_ms()) {
        grow (1, false);
        int64_t size = signed_size();
        sizes += size != last;
        last = size;
        zmq_poll (NULL, 0, 5);
    }
    assert_in_range (sizes, 1, 1 + (now - before) / 1000);
    /* a mark does not wait: never would two be so fast; a busy machine may be
     * slow once */
    bool quick = false;
    for (int tries = 0; tries < 10 && !quick; tries++) {
        before = clock_mono_ms();
        grow (1, true);
        wait_for ("signed", signed_size, stage->next);
        grow (1, true);
        wait_for ("signed", signed_size, stage->next);
        quick = clock_mono_ms() < before + 900;
    }
    assert_true (quick);
    assert_int_equal (point_of (WIRE_NEWEST, 0).size, stage->next);
    end();
}

/* A large tail, which was there before: read back in several turns. */
static void test_tail (void **state) {
    (void) state;
    begin ("", 0);
    start();
    for (int i = 0; i < 600; i++)
        stage_messages (stage, i % 2 ? "all" : "core", stage->cast.hq, 1, NULL);
    hear();
    notary_grown (notary, true);
    wait_for ("signed", signed_size, 607);
    assert_int_equal (point_of (WIRE_SETTLED, 0).size, 607);
    end();
}

static void test_log_key (void **state) {
    (void) state;
    begin (TWO, 2);
    json_t *d = witnessed (&stage->cast, TWO, 2);
    stage_free (stage);
    static const uint8_t foreign[KEY_SIZE] = { 7 };
    cast_key (d, "log.key", foreign);
    stage = stage_new (d);
    start();
    hear();
    wait_log ("LOG-KEY");
    assert_int_equal (signed_size(), -1);
    end();
}

static void test_behind (void **state) {
    (void) state;
    struct refusal why;
    begin ("", 0);
    start();
    refusal_set (&why, RULE_LEDGER_BEHIND);
    state_close (stage->state, &why);
    hear();
    grow (2, true);
    notary_set_scrub (notary, 1); /* all of it was looked at when it has read */
    wait_log ("LEDGER-READ-AGAIN records=9");
    assert_int_equal (signed_size(), -1);
    end();
}

/* Damage */

static void flip (int64_t from_end) {
    char name[64];
    struct buf octets = { 0 };
    snprintf (name, sizeof name, "journal/%020d.seg", 0);
    assert_int_equal (disk_read_file (ledger_in (name), 1 << 24, &octets, &e),
                      0);
    int64_t at = from_end > 0 ? (int64_t) octets.size - from_end : -from_end;
    octets.data[at] ^= 0x10;
    int fd = disk_open (ledger_in (name), DISK_WRITE, &e);
    assert_true (fd >= 0);
    assert_int_equal (
        disk_write_at (fd, slice_of (octets.data + at, 1), (uint64_t) at, &e),
        0);
    disk_close (&fd);
    buf_free (&octets);
}

static int64_t is_closed (void) {
    return state_closed (stage->state, NULL);
}

/* In what no checkpoint covers: the state is closed, nothing more is signed. */
static void test_tail_damaged (void **state) {
    (void) state;
    char text[REFUSAL_TEXT_MAX];
    struct refusal why;
    begin ("", 0);
    start();
    hear();
    wait_for ("signed", signed_size, 7);
    stage_messages (stage, "all", stage->cast.hq, 2, NULL);
    flip (GROUP_HEADER + GROUP_END + 10); /* its last body */
    notary_grown (notary, true);
    wait_for ("closed", is_closed, RULE_LEDGER_BEHIND);
    (void) state_closed (stage->state, &why);
    assert_string_equal (refusal_print (&why, text),
                         "LEDGER-BEHIND sequence=7 size=9");
    grow (2, true);
    wait_log ("LEDGER-DAMAGED record=7");
    assert_int_equal (signed_size(), 7);
    end();
}

/* A leaf hash that is not the record's, as the index has it. */
static void test_leaf_wrong (void **state) {
    (void) state;
    begin ("", 0);
    start();
    hear();
    wait_for ("signed", signed_size, 7);
    struct buf octets = { 0 };
    struct journal_block one = { 0 };
    struct block block;
    struct hash leaf = { { 1 } };
    block_begin (stage->writer, stage->next);
    stage_batch (stage, "all", stage->cast.hq, 1);
    block_finish (stage->writer, &octets);
    one.octets = buf_slice (&octets);
    one.leaves = &leaf;
    plan_read (one.octets, &block, &one.facts);
    assert_int_equal (journal_append (stage->journal, &one, 1, &e), 0);
    notary_grown (notary, false);
    wait_for ("closed", is_closed, RULE_LEDGER_BEHIND);
    assert_int_equal (signed_size(), 7);
    buf_free (&octets);
    end();
}

/* Below, all else goes on. */
static void test_past_damaged (void **state) {
    (void) state;
    begin ("", 0);
    for (int i = 0; i < 3; i++)
        stage_messages (stage, "core", stage->cast.hq, 4, NULL);
    start();
    hear();
    wait_for ("signed", signed_size, 19);
    flip (-(SEGMENT_HEADER + GROUP_HEADER + 200)); /* record 0 */
    flip (GROUP_HEADER + GROUP_END + 10);          /* one of 15 to 18 */
    notary_set_scrub (notary, 1);
    wait_log ("record=15 why");
    assert_true (log_says ("LEDGER-DAMAGED record=0 why"));
    assert_false (log_says ("record=16 "));
    assert_false (log_says ("record=7 "));
    grow (2, true);
    wait_for ("signed", signed_size, 21);
    assert_int_equal (is_closed(), RULE_NONE);
    end();
}

/* What is kept */

static void check_broken (const char *name, struct slice note) {
    assert_int_equal (
        disk_write_file (ledger_in ("checkpoints/settled"), note, true, &e), 0);
    struct notary *made = notary_new (stage->state, NULL, ledger_dir, &e);
    if (made || e.code != ERR_DAMAGED)
        fail_msg ("%s: %s", name, made ? "taken" : e.text);
    assert_non_null (strstr (e.text, "settled"));
}

static void test_kept (void **state) {
    (void) state;
    int64_t settled;
    struct buf out = { 0 }, kept = { 0 };
    begin (TWO, 2);
    start();
    hear();
    wait_for ("signed", signed_size, 7);
    struct checkpoint point = point_of (WIRE_NEWEST, 0);
    assert_int_equal (cosign (stage->cast.hq, point, &settled), 0);
    assert_int_equal (settled, -1);
    assert_int_equal (cosign (stage->cast.frontex, point, &settled), 0);
    assert_int_equal (settled, 7);
    assert_int_equal (point_of (WIRE_HANDOVER, 1).size, 7);
    assert_int_equal (notary_note (notary, WIRE_HANDOVER, 2, &out, &e),
                      ERR_NOT_FOUND);
    grow (2, true);
    wait_for ("signed", signed_size, 9);
    notary_destroy (&notary);

    /* the next run: what is older than the ledger is no newest one */
    start();
    assert_int_equal (settled_size(), 7);
    assert_int_equal (point_of (WIRE_SETTLED, 0).size, 7);
    assert_int_equal (point_of (WIRE_HANDOVER, 1).size, 7);
    notary_destroy (&notary);

    assert_int_equal (
        disk_read_file (ledger_in ("checkpoints/settled"), 65536, &kept, &e),
        0);
    check_broken ("nothing", slice_text (""));
    check_broken ("cut", slice_of (kept.data, kept.size - 100));
    kept.data[kept.size - 10] ^= 1;
    check_broken ("a line that is wrong", buf_slice (&kept));
    kept.data[kept.size - 10] ^= 1;
    struct checkpoint other = point;
    other.root.octets[0] ^= 1;
    buf_clear (&out);
    checkpoint_sign (&other, stage->cast.broker, &out);
    checkpoint_cosign (&other, stage->cast.hq, 1767225600, &out);
    checkpoint_cosign (&other, stage->cast.frontex, 1767225600, &out);
    check_broken ("another root", buf_slice (&out));

    /* the ledger is the one that was brought back from a copy */
    other = point;
    other.size = 10;
    buf_clear (&out);
    checkpoint_sign (&other, stage->cast.broker, &out);
    assert_int_equal (disk_write_file (ledger_in ("checkpoints/settled"),
                                       buf_slice (&out), true, &e),
                      0);
    start();
    assert_int_equal (is_closed(), RULE_LEDGER_BEHIND);
    assert_int_equal (signed_size(), 10);
    buf_free (&out);
    buf_free (&kept);
    end();
}

static enum disk_fault no_settled (void *arg, enum disk_step step,
                                   const char *path) {
    (void) arg;
    return step == DISK_STEP_RENAME && strstr (path, "settled")
               ? DISK_FAIL_UNDONE
               : DISK_FINE;
}

static void check_kept (const char *name, int64_t size) {
    struct buf octets = { 0 };
    struct checkpoint kept;
    struct note form;
    if (disk_read_file (ledger_in (name), 65536, &octets, &e)
        || checkpoint_read (buf_slice (&octets), &kept, &form, &e))
        fail_msg ("%s: %s", name, e.text);
    assert_int_equal (kept.size, size);
    buf_free (&octets);
}

/* After a kill at once the next run has to know with whom it settled. */
static void test_kept_first (void **state) {
    (void) state;
    int64_t settled;
    struct buf out = { 0 };
    begin (TWO, 2);
    start();
    hear();
    wait_for ("signed", signed_size, 7);
    struct checkpoint point = point_of (WIRE_NEWEST, 0);
    assert_int_equal (cosign (stage->cast.hq, point, &settled), 0);
    disk_set_fault (no_settled, NULL);
    assert_int_equal (cosign (stage->cast.frontex, point, &settled), 0);
    assert_int_equal (settled, -1);
    assert_int_equal (notary_note (notary, WIRE_SETTLED, 0, &out, &e),
                      ERR_NOT_FOUND);
    wait_log ("CHECKPOINT-UNKEPT");
    disk_set_fault (NULL, NULL);
    assert_int_equal (cosign (stage->cast.frontex, point, &settled), 0);
    assert_int_equal (settled, 7);
    check_kept ("checkpoints/settled", 7);
    check_kept ("checkpoints/roster-1", 7);

    stage_witnesses ("'EUROPOL/hq'", 1);
    stage_messages (stage, "all", stage->cast.hq, 1, NULL);
    notary_grown (notary, true);
    wait_for ("signed", signed_size, stage->next);
    point = point_of (WIRE_NEWEST, 0);
    assert_int_equal (cosign (stage->cast.frontex, point, &settled), 0);
    assert_int_equal (settled, 7);
    assert_int_equal (cosign (stage->cast.hq, point, &settled), 0);
    assert_int_equal (settled, stage->next);
    check_kept ("checkpoints/settled", stage->next);
    check_kept ("checkpoints/roster-2", stage->next);
    buf_free (&out);
    end();
}

/* What an agent shows */

static void test_shown (void **state) {
    (void) state;
    begin (TWO, 2);
    start();
    hear();
    wait_for ("signed", signed_size, 7);
    struct checkpoint ours = point_of (WIRE_NEWEST, 0);
    struct identity *other = cast_identity (IDENTITY_BROKER, "paris");
    const struct identity *broker = stage->cast.broker;
    const struct {
        const char *name;
        const struct identity *signer;
        const char *origin; /* NULL: ours */
        int64_t size;
        uint8_t root; /* xor of its first octet */
        enum err rc;
    } rows[] = {
        { "the newest", broker, NULL, 7, 0, ERR_NONE },
        { "another's", other, NULL, 9, 1, ERR_SIGNATURE },
        { "another epoch's", broker, "example.org/test/2", 9, 1,
          ERR_SIGNATURE },
        { "another dialogue's", broker, "example.org/other/1", 9, 1,
          ERR_SIGNATURE },
        { "another root", broker, NULL, 7, 1, ERR_CHAIN },
        { "another root below", broker, NULL, 3, 0, ERR_CHAIN },
        { "above the end", broker, NULL, 8, 0, ERR_CHAIN },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct checkpoint shown = ours;
        struct buf note = { 0 };
        shown.size = rows[i].size;
        shown.root.octets[0] ^= rows[i].root;
        if (rows[i].origin)
            strcpy (shown.origin, rows[i].origin);
        checkpoint_sign (&shown, rows[i].signer, &note);
        enum err rc = notary_shown (notary, buf_slice (&note), &e);
        if (rc != rows[i].rc)
            fail_msg ("%s: %s %s", rows[i].name, error_name (rc), e.text);
        buf_free (&note);
    }
    assert_int_equal (notary_shown (notary, slice_text ("x"), &e),
                      ERR_MALFORMED);
    /* that is the desk's to act on */
    assert_int_equal (is_closed(), RULE_NONE);
    identity_destroy (&other);
    end();
}

static int file_new (void **state) {
    (void) state;
    snprintf (errors, sizeof errors, "/tmp/parley-notary-%d", (int) getpid());
    return freopen (errors, "w", stderr) ? 0 : -1;
}

static int file_end (void **state) {
    (void) state;
    return unlink (errors);
}

#define CASE(f) cmocka_unit_test_setup_teardown (f, file_new, file_end)
int main (void) {
    const struct CMUnitTest tests[] = {
        CASE (test_awaited),      CASE (test_begin),
        CASE (test_pace),         CASE (test_tail),
        CASE (test_log_key),      CASE (test_behind),
        CASE (test_tail_damaged), CASE (test_leaf_wrong),
        CASE (test_past_damaged), CASE (test_kept),
        CASE (test_shown),        CASE (test_kept_first),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
