/* audit_trees, audit_checkpoints: what checkpoints settle and marks claim in a
 * bundle, and each way in which a broker or an exporter can hide a record. */
#include "story.h"

#include "base/disk.h"
#include "ledger/audit.h"

/* Pack, check, and let go of it. */
static enum err checked (struct story *story, struct audit_report *r,
                         struct error *e) {
    char *dir = story_folder();
    story_pack (story, dir);
    enum err rc = audit_check (dir, &story->cast.dialogue, NULL, NULL, r, e);
    story_remove (dir);
    story_free (story);
    free (dir);
    return rc;
}

static void has_caveat (const struct audit_report *r, const char *part,
                        bool wanted) {
    bool found = false;
    for (size_t i = 0; audit_caveat (r, i); i++)
        found = found || strstr (audit_caveat (r, i), part);
    if (found != wanted)
        fail_msg ("a caveat %s '%s'", wanted ? "lacks" : "has", part);
}

static struct story *made (void) {
    struct story *story = story_new();
    story_make (story);
    story_promises (story);
    return story;
}

static void holds (struct story *story, struct audit_report *r) {
    struct error e = { 0 };
    if (checked (story, r, &e))
        fail_msg ("%s", e.text);
}

static void test_no_checkpoint (void **state) {
    (void) state;
    struct audit_report r;
    holds (made(), &r);
    assert_int_equal (r.checkpoints, 0);
    assert_int_equal (r.settled.size, -1);
    assert_int_equal (r.stream_count, 0);
    assert_int_equal (r.unchecked_count, 0);
    assert_true (audit_whole (&r));
    has_caveat (&r, "no checkpoint here signs them", true);
    has_caveat (&r, "That no record is left out is the broker's word", true);
    audit_report_free (&r);
    assert_int_equal (r.stream_count, 0);
    audit_report_free (&r);
}

static void test_settled (void **state) {
    (void) state;
    struct audit_report r;
    struct story *story = made();
    story_checkpoint (story, 5, 3);
    story_checkpoint (story, 8, 3);
    story_checkpoint (story, 11, 3);
    story_claim (story, 7, "all", 0);
    story_claim (story, 7, "@EUROPOL", 0);
    story_claim (story, 7, "core", 0);
    holds (story, &r);
    assert_int_equal (r.checkpoints, 3);
    assert_int_equal (r.settled.size, 11);
    assert_int_equal (r.settled.roster_version, 2);
    assert_int_equal (r.settled.witnesses, 2);
    assert_int_equal (r.settled.cosigned, 2);
    assert_int_equal (r.settled.needed, 2);
    assert_int_equal (r.settled.time, BUILD_TIME / 1000 + 30);
    assert_int_equal (r.settled.bound, BUILD_TIME / 1000 + 30);
    assert_string_equal (r.settled.checkpoint.origin, "example.org/test/1");
    assert_int_equal (r.claims, 3);
    assert_int_equal (r.stream_count, 3);
    assert_string_equal (r.streams[0].name, "@EUROPOL");
    assert_int_equal (r.streams[0].count, 1);
    assert_string_equal (r.streams[1].name, "all");
    assert_int_equal (r.streams[1].from, 0);
    assert_int_equal (r.streams[1].count, 3);
    assert_int_equal (r.streams[1].mark, 7);
    assert_int_equal (r.streams[1].time, BUILD_TIME + 7000);
    assert_true (r.streams[1].settled);
    assert_string_equal (r.streams[2].name, "core");
    assert_int_equal (r.streams[2].count, 0);
    assert_int_equal (r.unchecked_count, 0);
    assert_true (audit_whole (&r));
    has_caveat (&r, "no checkpoint", false);
    has_caveat (&r, "settled size", false);
    has_caveat (&r, "the streams that are named as complete", true);
    audit_report_free (&r);
}

/* What is above the newest checkpoint, or above a mark, is said. */
static void test_settled_in_part (void **state) {
    (void) state;
    struct audit_report r;
    struct story *story = made();
    story_checkpoint (story, 7, 3);
    story_claim (story, 1, "all", 0);
    story_claim (story, 7, "all", 0);
    holds (story, &r);
    assert_int_equal (r.settled.size, 7);
    assert_int_equal (r.stream_count, 1);
    assert_int_equal (r.streams[0].mark, 7);
    assert_int_equal (r.streams[0].count, 3);
    assert_false (r.streams[0].settled);
    has_caveat (&r, "behind the settled ones", true);
    audit_report_free (&r);
}

/* A bundle that shows some records of a stream, and leaves for the others. */
static void test_covers (void **state) {
    (void) state;
    struct audit_report r;
    struct story *story = made();
    story->dropped = 1u << 2 | 1u << 5;
    story->proof_count = 0;
    story_checkpoint (story, 11, 3);
    story_claim (story, 7, "all", 1);
    story_claim (story, 7, "@FRONTEX", 1);
    holds (story, &r);
    assert_int_equal (r.settled.size, 11);
    assert_int_equal (r.leaves, 3);
    assert_string_equal (r.streams[0].name, "@FRONTEX");
    assert_int_equal (r.streams[0].from, 1);
    assert_int_equal (r.streams[0].count, 1);
    assert_int_equal (r.streams[1].from, 1);
    assert_int_equal (r.streams[1].count, 3);
    audit_report_free (&r);
}

/* A time between two marks: the first says how many came before, and their root,
 * which is proved to be so. */
static void test_opening (void **state) {
    (void) state;
    static const char from_2[] = "from 2026-11-24T";
    for (int wrong = 0; wrong < 3; wrong++) {
        struct audit_report r;
        struct error e = { 0 };
        struct story *story = made();
        story->meta.since = BUILD_TIME + (wrong == 2 ? 1000 : 1001);
        story->meta.until = BUILD_TIME + 6999;
        story_checkpoint (story, 11, 3);
        story_claim (story, 1, "all", 0);
        struct bundle_claim *core = story_claim (story, 1, "core", 0);
        story_claim (story, 7, "all", 0);
        story_claim (story, 7, "core", 0);
        story_claim (story, 7, "@EUROPOL", 0);
        if (wrong == 1)
            core->claim.stream.root.octets[0] ^= 1;
        enum err rc = checked (story, &r, &e);
        if (wrong == 1) {
            assert_int_equal (rc, ERR_DIGEST);
            audit_report_free (&r);
            continue;
        }
        assert_int_equal (rc, 0);
        assert_int_equal (r.streams[0].opening, -1); /* @EUROPOL */
        assert_int_equal (r.streams[1].opening, 1);
        assert_int_equal (r.streams[1].opened, BUILD_TIME + 1000);
        assert_int_equal (r.streams[1].count, 3);
        has_caveat (&r, from_2, false);
        assert_int_equal (r.streams[2].opening, 1);
        audit_report_free (&r);
    }
}

/* What the log signed alone. */
static void test_verified (void **state) {
    (void) state;
    static const struct {
        int64_t size;
        unsigned witnesses;
        const char *why; /* NULL: it holds */
    } table[] = {
        { 10, 0, NULL },     { 11, 0, NULL },      { 8, 0, "above 8" },
        { 7, 0, "above 8" }, { 10, 1, "2 lines" }, { 12, 0, "not known here" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct audit_report r;
        struct error e = { 0 };
        struct story *story = made();
        char *dir = story_folder();
        story_checkpoint (story, table[i].size, table[i].witnesses);
        struct buf note = story->checkpoints[0];
        story->checkpoint_count = 0;
        story->checkpoints[0] = (struct buf){ 0 };
        story_checkpoint (story, 8, 3);
        story_pack (story, dir);
        struct buf path = { 0 };
        buf_add_format (&path, "%s/verified", dir);
        char *name = buf_take_text (&path);
        assert_int_equal (disk_write_file (name, buf_slice (&note), false, &e),
                          0);
        enum err rc =
            audit_check (dir, &story->cast.dialogue, NULL, NULL, &r, &e);
        if (!rc != !table[i].why
            || (rc
                && (!strstr (e.text, table[i].why)
                    || !strstr (e.text, "verified"))))
            fail_msg ("%zu: %s", i, e.text);
        assert_int_equal (r.logged.size, rc ? -1 : table[i].size);
        assert_int_equal (rc ? 8 : r.settled.size, 8);
        audit_report_free (&r);
        story_remove (dir);
        story_free (story);
        buf_free (&note);
        free (name);
        free (dir);
    }
}

/* What a bundle is limited to, and its marks do not speak of. */
static void test_limits (void **state) {
    (void) state;
    static const struct {
        const char *filter, *author, *claim;
        int64_t from, since, until;
        const char *said; /* NULL: it is whole */
    } table[] = {
        { "all/#", "", "all", 0, 0, 0, NULL },
        { "all/#", "", "core", 0, 0, 0, "That nothing of all within" },
        { "core/#", "", "all", 0, 0, 0, "That nothing of core within" },
        { "#", "EUROPOL", "all", 0, 0, 0, "That nothing of @EUROPOL within" },
        { "all/note/x", "EUROPOL", "all", 0, 0, 0, NULL },
        { "all/#", "", "all", 0, 5, 0, NULL },
        { "all/#", "", "all", 1, 5, 0, "in front of its number 2" },
        { "all/#", "", "all", 0, 0, 6999, NULL },
        { "all/#", "", "all", 0, 0, 7000, "the last mark here is of" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct audit_report r;
        struct story *story = made();
        strcpy (story->meta.filter, table[i].filter);
        strcpy (story->meta.author, table[i].author);
        story->meta.since = table[i].since ? BUILD_TIME + table[i].since : 0;
        story->meta.until = table[i].until ? BUILD_TIME + table[i].until : 0;
        story_checkpoint (story, 11, 3);
        story_claim (story, 7, table[i].claim, table[i].from);
        holds (story, &r);
        if (audit_whole (&r) != !table[i].said)
            fail_msg ("%zu", i);
        if (table[i].said)
            has_caveat (&r, table[i].said, true);
        audit_report_free (&r);
    }
}

/* Neither block nor leaf: no root above it can be known. */
static void test_hole (void **state) {
    (void) state;
    struct audit_report r;
    struct story *story = made();
    story->missing = 1u << 9;
    story->proof_count = 0;
    story_checkpoint (story, 8, 3);
    story_checkpoint (story, 11, 3);
    holds (story, &r);
    assert_int_equal (r.checkpoints, 2);
    assert_int_equal (r.settled.size, 8);
    assert_int_equal (r.holes, 1);
    has_caveat (&r,
                "The root of 1 checkpoints from size 11 on: record 9 is here "
                "neither in blocks nor in leaves.",
                true);
    assert_false (audit_whole (&r));
    audit_report_free (&r);
    story = made();
    story->meta.last = 10;
    story_checkpoint (story, 12, 3); /* of records that nobody has */
    holds (story, &r);
    assert_int_equal (r.settled.size, -1);
    has_caveat (&r, "who had to sign", false);
    has_caveat (&r, "Who had to sign the checkpoint of size 12", true);
    assert_false (audit_whole (&r));
    audit_report_free (&r);
}

/* A mark that names another record as the last of as many. */
static void test_other_last (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    struct story *story = story_new();
    story->said_last = 5;
    story_make (story);
    story_promises (story);
    story_claim (story, 7, "all", 0);
    assert_int_equal (checked (story, &r, &e), ERR_CHAIN);
    assert_non_null (strstr (e.text, "counts 3 records to sequence 5"));
    audit_report_free (&r);
}

/* The second roster has other witnesses. */
static struct story *handed_over (unsigned first, unsigned second) {
    struct story *story = story_new();
    struct error e = { 0 };
    char dialogue[HASH_TEXT_MAX];
    json_t *document =
        fixture_next (story->cast.roster, cast_document (&story->cast));
    fixture_set (document, "witnesses", "['FRONTEX/hq']");
    fixture_set (document, "quorum", "1");
    roster_unref (&story->next);
    story->next =
        fixture_read (document, hash_text (dialogue, &story->cast.dialogue),
                      "EUROPOL FRONTEX", &e);
    if (!story->next)
        fail_msg ("%s", e.text);
    story_make (story);
    story_promises (story);
    story_checkpoint (story, 6, first);
    story_checkpoint (story, 8, second);
    story_checkpoint (story, 11, 2);
    return story;
}

static void test_handover (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    holds (handed_over (3, 3), &r);
    assert_int_equal (r.settled.size, 11);
    assert_int_equal (r.settled.needed, 1);
    assert_int_equal (r.settled.cosigned, 1);
    assert_int_equal (r.unchecked_count, 0);
    assert_true (audit_whole (&r));
    audit_report_free (&r);
    holds (handed_over (3, 2), &r);
    assert_int_equal (r.settled.size, 11);
    has_caveat (&r, "the one that handed over", true);
    audit_report_free (&r);
    assert_int_equal (checked (handed_over (2, 3), &r, &e), ERR_RIGHT);
    assert_non_null (strstr (e.text, "checkpoints, number 1: size 6: "));
    audit_report_free (&r);
    assert_int_equal (checked (handed_over (3, 1), &r, &e), ERR_RIGHT);
    assert_non_null (strstr (e.text, "checkpoints, number 2: size 8: "));
    audit_report_free (&r);
}

static void wrong_root (struct story *s) {
    struct hash kept = s->leaf;
    s->leaf.octets[0] ^= 1;
    story_checkpoint (s, 11, 3);
    s->leaf = kept;
}
static void wrong_root_in_blocks (struct story *s) {
    story_at (s, 3)->octets.data[40] ^= 1;
    story_checkpoint (s, 8, 3);
    story_at (s, 3)->octets.data[40] ^= 1;
}
static void wrong_log (struct story *s) {
    struct identity *broker = s->cast.broker;
    s->cast.broker = cast_identity (IDENTITY_BROKER, "paris");
    story_checkpoint (s, 11, 3);
    identity_destroy (&s->cast.broker);
    s->cast.broker = broker;
}
static void wrong_quorum (struct story *s) {
    story_checkpoint (s, 8, 2);
}
static void wrong_line (struct story *s) {
    story_checkpoint (s, 8, 3);
    struct buf *note = &s->checkpoints[0];
    uint8_t *octet = &note->data[note->size - 20];
    *octet = *octet == 'A' ? 'B' : 'A';
}
static void wrong_order (struct story *s) {
    story_checkpoint (s, 8, 3);
    story_checkpoint (s, 9, 3);
}
static void wrong_claim_root (struct story *s) {
    story_claim (s, 7, "all", 0)->claim.stream.root.octets[0] ^= 1;
}
static void wrong_claim_name (struct story *s) {
    story_claim (s, 7, "all", 0)->claim.stream.name = slice_text ("core");
}
static void wrong_claim_path (struct story *s) {
    story_claim (s, 7, "all", 0)->claim.path[1].octets[3] ^= 1;
}
static void wrong_claim_mark (struct story *s) {
    story_claim (s, 7, "all", 0)->mark = 6;
}
static void wrong_claim_later (struct story *s) {
    story_claim (s, 7, "all", 0)->mark = 9;
}
static void wrong_claim_above (struct story *s) {
    story_claim (s, 7, "all", 0)->mark = 99;
}
static void wrong_claim_other_mark (struct story *s) {
    story_claim (s, 7, "all", 0)->mark = 1;
}
static void wrong_claim_from (struct story *s) {
    story_claim (s, 7, "all", 1); /* but it is here */
    s->claims[0].cover[0].octets[0] ^= 1;
}
static void wrong_claim_hidden (struct story *s) {
    s->dropped = 1u << 3; /* records 3 and 4 */
    story_claim (s, 7, "all", 0);
}
static void wrong_claim_first_hidden (struct story *s) {
    s->dropped = 1u << 2;
    story_claim (s, 7, "all", 0);
}
static void wrong_claim_all_hidden (struct story *s) {
    s->dropped = 1u << 2 | 1u << 3;
    story_claim (s, 7, "all", 2);
}
static void wrong_claim_direct (struct story *s) {
    s->dropped = 1u << 5;
    story_claim (s, 7, "@FRONTEX", 0);
}
static void wrong_claim_covers (struct story *s) {
    story_claim (s, 1, "all", 0);
    story_claim (s, 7, "all", 0);
    s->claims[1].from = 2;
    s->claims[1].cover_length = 1;
    story_claim (s, 7, "all", 0);
}
static void wrong_claim_lower (struct story *s) {
    story_claim (s, 1, "all", 0)->claim.stream.count = 9;
    s->claims[0].claim.stream.last = 9;
    story_claim (s, 7, "all", 0);
}
static void right_claim_shown_from_within (struct story *s) {
    story_claim (s, 7, "all", 1); /* record 2 is here too: no matter */
}
static void right_claim_all_hidden (struct story *s) {
    s->dropped = 1u << 2 | 1u << 3;
    story_claim (s, 7, "all", 3);
}

static const struct broken {
    const char *name;
    void (*change) (struct story *);
    enum err code; /* ERR_NONE: it holds all the same */
    const char *text;
} broken[] = {
    { "root by a leaf", wrong_root, ERR_DIGEST,
      "checkpoint of size 11: blocks and leaves have the root" },
    { "root by a record", wrong_root_in_blocks, ERR_DIGEST,
      "checkpoint of size 8: blocks and leaves have the root" },
    { "log", wrong_log, ERR_SIGNATURE, "checkpoints, number 1: size 11: " },
    { "quorum", wrong_quorum, ERR_RIGHT,
      "checkpoints, number 1: size 8: 1 of the 2 cosignatures" },
    { "cosignature", wrong_line, ERR_RIGHT,
      "checkpoints, number 1: size 8: 1 of the 2 cosignatures" },
    { "order", wrong_order, ERR_NONE, "" },
    { "claim's root", wrong_claim_root, ERR_DIGEST,
      "claims, number 1: mark 7, stream all: " },
    { "claim's name", wrong_claim_name, ERR_MALFORMED,
      "claims, number 1: mark 7, stream core: " },
    { "claim's path", wrong_claim_path, ERR_DIGEST,
      "claims, number 1: mark 7, stream all: " },
    { "no mark", wrong_claim_mark, ERR_CHAIN,
      "claims, number 1: record 6 is no mark" },
    { "no mark behind", wrong_claim_later, ERR_CHAIN,
      "claims, number 1: record 9 is no mark" },
    { "no mark there", wrong_claim_above, ERR_CHAIN,
      "claims, number 1: record 99 is no mark" },
    { "another mark", wrong_claim_other_mark, ERR_DIGEST,
      "claims, number 1: mark 1, stream all: " },
    { "cover", wrong_claim_from, ERR_DIGEST,
      "claims, number 1: mark 7, stream all: the mark's root" },
    { "hidden", wrong_claim_hidden, ERR_CHAIN,
      "claims, number 1: mark 7, stream all: the mark counts 3 records to "
      "sequence 4, and from number 1 on the bundle has all to 1, the last at "
      "2" },
    { "first hidden", wrong_claim_first_hidden, ERR_CHAIN,
      "claims, number 1: mark 7, stream all: the mark counts 3" },
    { "all hidden", wrong_claim_all_hidden, ERR_CHAIN,
      "claims, number 1: mark 7, stream all: the mark counts 3" },
    { "direct hidden", wrong_claim_direct, ERR_CHAIN,
      "claims, number 1: mark 7, stream @FRONTEX: the mark counts 1" },
    { "two covers", wrong_claim_covers, ERR_CHAIN,
      "claims, number 3: stream all: " },
    { "count goes down", wrong_claim_lower, ERR_CHAIN,
      "claims, number 2: stream all: another cover, or a lower count" },
    { "from within", right_claim_shown_from_within, ERR_NONE, "" },
    { "all as a cover", right_claim_all_hidden, ERR_NONE, "" },
};

static void test_broken (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const struct broken *b = &broken[i];
        struct audit_report r;
        struct error e = { 0 };
        struct story *story = made();
        story->proof_count = 0;
        b->change (story);
        enum err rc = checked (story, &r, &e);
        if (rc != b->code || (rc && !strstr (e.text, b->text)))
            fail_msg ("%s: %d, %s", b->name, (int) rc, e.text);
        audit_report_free (&r);
    }
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_no_checkpoint),
        cmocka_unit_test (test_settled),
        cmocka_unit_test (test_settled_in_part),
        cmocka_unit_test (test_covers),
        cmocka_unit_test (test_opening),
        cmocka_unit_test (test_limits),
        cmocka_unit_test (test_verified),
        cmocka_unit_test (test_hole),
        cmocka_unit_test (test_other_last),
        cmocka_unit_test (test_handover),
        cmocka_unit_test (test_broken),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
