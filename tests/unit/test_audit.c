/* audit: a whole bundle holds, and each thing that a broker or an exporter can
 * say wrongly is found and named. */
#include "story.h"

#include "ledger/audit.h"

#include <fcntl.h>

static void test_arguments (void **state) {
    (void) state;
    struct audit_report report;
    struct error e;
    assert_int_equal (
        audit_check ("/nonexistent", NULL, NULL, NULL, &report, &e),
        ERR_NOT_FOUND);
    assert_int_equal (
        audit_check ("/nonexistent", NULL, NULL, NULL, &report, NULL),
        ERR_NOT_FOUND);
    size_t n = 0;
    while (audit_caveat (&report, n))
        n++;
    assert_true (n >= 2);
    assert_null (audit_caveat (&report, SIZE_MAX));
}

static void on_progress (void *arg, int64_t records) {
    *(int64_t *) arg = records;
}

static void test_whole (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    int64_t told = 0;
    char *dir = story_folder();
    struct story *story = story_new();
    story_make (story);
    story_promises (story);
    story_pack (story, dir);
    enum err rc =
        audit_check (dir, &story->cast.dialogue, on_progress, &told, &r, &e);
    if (rc)
        fail_msg ("%s", e.text);
    assert_int_equal (told, STORY_RECORDS);
    assert_int_equal (r.rosters, 2);
    assert_int_equal (r.blocks, 7);
    assert_int_equal (r.records, STORY_RECORDS);
    assert_int_equal (r.messages, 6);
    assert_int_equal (r.marks, 2);
    assert_int_equal (r.signatures, 5);
    assert_int_equal (r.promises, 4);
    assert_int_equal (r.refusals, 1);
    assert_int_equal (r.leaves, 1);
    assert_int_equal (r.holes, 0);
    assert_int_equal (r.authors, 3);
    assert_int_equal (r.newer, 0);
    assert_int_equal (r.first_time, BUILD_TIME);
    assert_int_equal (r.last_time, BUILD_TIME + 10000);
    assert_string_equal (r.meta.exporter, "EUROPOL/hq");
    story_remove (dir);
    story_free (story);
    free (dir);
}

/* What a broker says wrongly: before signatures and octets are made. */

static void change_sequence (struct story *s) {
    story_at (s, 10)->r.sequence = 11;
    s->meta.last = 11; /* but its block begins at 11, and its number is 5 */
    story_at (s, 10)->r.channel_sequence = 8;
}
static void change_channel_sequence (struct story *s) {
    story_at (s, 8)->r.channel_sequence = 5;
}
static void change_channel_again (struct story *s) {
    story_at (s, 8)->r.channel_sequence = 3;
}
static void change_behind_hole (struct story *s) {
    story_at (s, 10)->r.channel_sequence = 7; /* one leaf, two numbers */
}
static void change_hole_fine (struct story *s) {
    story_at (s, 10)->r.channel_sequence = 6; /* the leaf is of `all` */
}
static void change_time (struct story *s) {
    story_at (s, 8)->r.log_time = BUILD_TIME + 6999;
}
static void change_previous_none (struct story *s) {
    story_at (s, 8)->r.previous = -1;
}
static void change_previous_older (struct story *s) {
    story_at (s, 8)->r.previous = 2;
}
static void change_previous_other (struct story *s) {
    story_at (s, 8)->r.previous = 5; /* here, and on another topic */
}
static void change_previous_hole (struct story *s) {
    story_at (s, 10)->r.previous = 9; /* a leaf may be on that topic */
}
static void change_number (struct story *s) {
    story_at (s, 10)->number = 3;
}
static void change_lane_fine (struct story *s) {
    story_at (s, 10)->number = 3;
    story_at (s, 10)->lane = 6;
}
static void change_right (struct story *s) {
    story_at (s, 8)->r.channel = slice_text ("core");
    story_at (s, 8)->r.channel_sequence = 1;
    story_at (s, 8)->topic = "core/note/x";
    story_at (s, 8)->author = s->cast.frontex; /* a reader only */
    story_at (s, 8)->r.previous = -1;
    story_at (s, 10)->r.channel_sequence = 4;
}
static void change_roster_named (struct story *s) {
    story_at (s, 8)->r.roster = 5;
}
static void change_roster_old (struct story *s) {
    story_at (s, 8)->r.roster = 0;
}
static void change_roster_later (struct story *s) {
    story_at (s, 5)->r.roster = 6;
}
static void change_epoch (struct story *s) {
    story_at (s, 8)->r.epoch = 2;
}
static void change_roster_ahead (struct story *s) {
    story_at (s, 2)->roster_version = 2;
}
static void change_direct (struct story *s) {
    story_at (s, 5)->direct_first = 0; /* not told: nothing to check */
}
static void change_direct_early (struct story *s) {
    story_at (s, 5)->direct_first = 2; /* all before it are here */
}
static void change_direct_channel (struct story *s) {
    story_at (s, 8)->direct_first = 2;
}
static void change_last (struct story *s) {
    s->meta.last = 9;
}
static void change_first (struct story *s) {
    s->meta.first = 1;
}
static void change_dialogue (struct story *s) {
    s->meta.dialogue.octets[0] ^= 1;
}
static void change_leaf_twice (struct story *s) {
    s->leaf_sequence = 8;
}
static void change_leaf_outside (struct story *s) {
    s->leaf_sequence = 11;
}
static void change_note (struct story *s) {
    s->no_roster_note = true;
}
static void change_mark (struct story *s) {
    story_at (s, 7)->r.type = RECORD_MESSAGE;
    story_message (s, 7, s->cast.hq, "all/note/q", 9, -1);
    story_at (s, 7)->joined = false;
    story_at (s, 7)->r.channel = slice_text ("all");
    story_at (s, 7)->r.channel_sequence = 4;
    story_at (s, 8)->r.channel_sequence = 5;
    story_at (s, 10)->r.channel_sequence = 6;
}

static const struct broken {
    const char *name;
    void (*change) (struct story *);
    enum err code; /* ERR_NONE: it holds all the same */
    const char *text;
} broken[] = {
    { "sequence", change_sequence, ERR_CHAIN, "with 2 records between" },
    { "channel sequence", change_channel_sequence, ERR_CHAIN,
      "blocks: record 8: number 5 of stream all follows 3" },
    { "channel sequence again", change_channel_again, ERR_CHAIN,
      "number 3 of stream all follows 3" },
    { "behind a hole", change_behind_hole, ERR_CHAIN,
      "with 1 records between" },
    { "in the hole", change_hole_fine, ERR_NONE, "" },
    { "log time", change_time, ERR_CHAIN, "record 8: log time" },
    { "no previous", change_previous_none, ERR_CHAIN,
      "record 8: it names record -1 as the one before on topic all/note/x, "
      "and that is 3" },
    { "older previous", change_previous_older, ERR_CHAIN, "that is 3" },
    { "other previous", change_previous_other, ERR_CHAIN, "names record 5" },
    { "previous in the hole", change_previous_hole, ERR_NONE, "" },
    { "number twice", change_number, ERR_CHAIN,
      "record 10: number 3 of lane 0000000000000005 of EUROPOL/hq stands at "
      "record 4" },
    { "other lane", change_lane_fine, ERR_NONE, "" },
    { "right", change_right, ERR_RIGHT, "FRONTEX/hq may not write core" },
    { "roster that is none", change_roster_named, ERR_CHAIN,
      "record 8: it names the roster at record 5" },
    { "roster of before", change_roster_old, ERR_CHAIN, "not in force there" },
    { "roster of later", change_roster_later, ERR_MALFORMED,
      "blocks: record 5" },
    { "epoch", change_epoch, ERR_CHAIN, "epoch 2" },
    { "roster ahead", change_roster_ahead, ERR_CHAIN, "roster version 2" },
    { "direct not told", change_direct, ERR_NONE, "" },
    { "direct too high", change_direct_early, ERR_CHAIN,
      "record 5: number 2 of stream @ follows 0" },
    { "direct on a channel", change_direct_channel, ERR_MALFORMED,
      "it is on channel all" },
    { "above last", change_last, ERR_CHAIN, "record 10: outside of" },
    { "below first", change_first, ERR_CHAIN, "record 0: outside of" },
    { "dialogue", change_dialogue, ERR_CHAIN, "founds the dialogue" },
    { "leaf and block", change_leaf_twice, ERR_CHAIN,
      "leaves: record 8: it stands in blocks too" },
    { "leaf outside", change_leaf_outside, ERR_CHAIN, "leaves: record 11" },
    { "no note", change_note, ERR_CHAIN,
      "blocks: record 6: roster version 2 is not the one in rosters" },
    { "no mark", change_mark, ERR_CHAIN,
      "record 7: type message where a mark has to stand" },
};

/* What somebody says wrongly of what was made. */

static void change_signature (struct story *s) {
    s->proofs[0].promise.signature[3] ^= 1;
}
static void change_path (struct story *s) {
    s->proofs[1].path[0].octets[0] ^= 1;
}
static void change_key_id (struct story *s) {
    s->proofs[3].promise.key_id.octets[0] ^= 1;
}
static void change_promised_leaf (struct story *s) {
    s->leaf = hash_sha256 (slice_text ("another")); /* after the promise */
}
static void change_promised_place (struct story *s) {
    s->proof_count = 0;
    struct promise_accepted a = story_accepted (s, 2, 0);
    struct promise p = { .epoch = 1, .log_time = BUILD_TIME };
    a.sequence = 3;
    promise_sign (&p, s->cast.broker, &s->cast.dialogue, &a, 1, NULL, 0);
    promise_proof_make (&s->proofs[s->proof_count++], &p, &a, 1, 0);
}
static void promise_more (struct story *s, int64_t of, int64_t sequence,
                          const char *id, const char *leaf, int64_t epoch) {
    struct promise_accepted a = story_accepted (s, of, 0);
    struct promise p = { .epoch = epoch, .log_time = BUILD_TIME };
    a.sequence = sequence;
    if (id)
        a.id = hash_sha256 (slice_text (id));
    if (leaf)
        a.leaf = hash_sha256 (slice_text (leaf));
    promise_sign (&p, s->cast.broker, &s->cast.dialogue, &a, 1, NULL, 0);
    promise_proof_make (&s->proofs[s->proof_count++], &p, &a, 1, 0);
}
static void change_promised_elsewhere (struct story *s) {
    s->proof_count = 0; /* above the bundle, but its message stands in it */
    promise_more (s, 2, 99, NULL, NULL, 1);
}
static void change_promised_id (struct story *s) {
    s->proof_count = 0;
    promise_more (s, 2, 3, "a", NULL, 1);
}
static void change_promised_above (struct story *s) {
    promise_more (s, 2, 99, "a", NULL, 1); /* nothing to compare */
    promise_more (s, 2, 99, "a", NULL, 1);
    promise_more (s, 2, 98, "b", NULL, 1);
}
static void change_promised_twice (struct story *s) {
    promise_more (s, 2, 99, "a", NULL, 1);
    promise_more (s, 2, 98, "a", NULL, 1);
}
static void change_promised_ids (struct story *s) {
    promise_more (s, 2, 99, "a", NULL, 1);
    promise_more (s, 2, 99, "b", NULL, 1);
}
static void change_promised_leaves (struct story *s) {
    promise_more (s, 2, 99, "a", "x", 1);
    promise_more (s, 2, 99, "a", "y", 1);
}
static void change_promised_epoch (struct story *s) {
    promise_more (s, 2, 2, NULL, NULL, 2); /* there is no such one */
}
static void refuse (struct story *s, enum rule rule, int64_t after,
                    struct hash id) {
    struct promise p = { .epoch = 1, .log_time = BUILD_TIME + after };
    struct promise_refused refused = { .id = id };
    buf_clear (&s->refusal);
    refusal_set (&refused.refusal, rule);
    promise_sign (&p, s->cast.broker, &s->cast.dialogue, NULL, 0, &refused, 1);
    refusal_proof_write (&s->refusal, &p, &refused, 1);
}
static void change_refused_after (struct story *s) {
    refuse (s, RULE_TOPICS, 2001, story_accepted (s, 2, 0).id);
    s->proof_count = 0;
}
static void change_refused_before (struct story *s) {
    refuse (s, RULE_RATE, 2000, story_accepted (s, 2, 0).id);
}
static void change_refused_old (struct story *s) {
    refuse (s, RULE_OLD_NUMBER, 9000, story_accepted (s, 2, 0).id);
}
static void change_refused_promised (struct story *s) {
    refuse (s, RULE_TOPICS, 9001, s->leaf_id);
}
static void change_refusal (struct story *s) {
    s->refusal.data[s->refusal.size - 1] ^= 1;
}
static void change_refusal_form (struct story *s) {
    buf_add_u8 (&s->refusal, 0);
}
static void change_record (struct story *s) {
    /* The octets that the promise names, made anew with another time. */
    struct story_item *item = story_at (s, 2);
    item->r.log_time += 1;
    buf_clear (&item->octets);
    record_write (&item->octets, &item->r);
}
static void change_author (struct story *s) {
    struct story_item *item = story_at (s, 10);
    item->signature[0] ^= 1;
    buf_clear (&item->octets);
    record_write (&item->octets, &item->r);
}
static void change_body (struct story *s) {
    story_at (s, 10)->body.data[17] ^= 1;
}

static const struct broken broken_after[] = {
    { "promise's signature", change_signature, ERR_SIGNATURE,
      "promises, number 1: record 2: the signature of desk key" },
    { "promise's path", change_path, ERR_DIGEST,
      "promises, number 2: record 3: its path" },
    { "promise's key", change_key_id, ERR_KEY,
      "promises, number 4: record 9: no roster in force" },
    { "promised leaf", change_promised_leaf, ERR_CHAIN,
      "leaves: record 9: its leaf hash is" },
    { "promised place", change_promised_place, ERR_CHAIN,
      "blocks: record 2: its place is 2, but promises, number 1, says 3" },
    { "promised to another", change_promised_id, ERR_CHAIN,
      "blocks: record 3: its id is" },
    { "promised elsewhere", change_promised_elsewhere, ERR_CHAIN,
      "blocks: record 2: its place is 2, but promises, number 1, says 99" },
    { "promised above", change_promised_above, ERR_NONE, "" },
    { "one message, two places", change_promised_twice, ERR_CHAIN,
      "a place has one record, and a message one place" },
    { "one place, two messages", change_promised_ids, ERR_CHAIN,
      "a place has one record, and a message one place" },
    { "one place, two records", change_promised_leaves, ERR_CHAIN,
      "a place has one record, and a message one place" },
    { "promised in no epoch", change_promised_epoch, ERR_KEY,
      "of epoch 2 lists the desk key" },
    { "refused after", change_refused_after, ERR_CHAIN,
      "blocks: record 2: message " },
    { "refused before", change_refused_before, ERR_NONE, "" },
    { "refused by number", change_refused_old, ERR_NONE, "" },
    { "refused what is promised", change_refused_promised, ERR_CHAIN,
      "but refusals, number 1, says at" },
    { "refusal's signature", change_refusal, ERR_SIGNATURE,
      "refusals, number 1: the signature" },
    { "refusal's form", change_refusal_form, ERR_MALFORMED,
      "refusals, number 1" },
    { "record promised", change_record, ERR_CHAIN,
      "blocks: record 2: its leaf hash is" },
    { "author's signature", change_author, ERR_SIGNATURE,
      "blocks: record 10: the signature of EUROPOL/hq" },
    { "body", change_body, ERR_DIGEST, "blocks: record 10" },
};

/* Pack, check, and let go of it. */
static enum err checked (struct story *story, struct audit_report *r,
                         struct error *e) {
    char *dir = story_folder();
    story_pack (story, dir);
    enum err rc = audit_check (dir, NULL, NULL, NULL, r, e);
    story_remove (dir);
    story_free (story);
    free (dir);
    return rc;
}

static void check (const struct broken *b, bool after) {
    struct audit_report r;
    struct error e = { 0 };
    struct story *story = story_new();
    if (!after)
        b->change (story);
    story_make (story);
    story_promises (story);
    if (after)
        b->change (story);
    enum err rc = checked (story, &r, &e);
    if (rc != b->code || (rc && e.code != rc)
        || (rc && !strstr (e.text, b->text)))
        fail_msg ("%s: %d, %s", b->name, (int) rc, e.text);
}

static void test_broken (void **state) {
    (void) state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        check (&broken[i], false);
    for (size_t i = 0; i < sizeof broken_after / sizeof *broken_after; i++)
        check (&broken_after[i], true);
}

static void test_other_dialogue (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    char *dir = story_folder();
    struct story *story = story_new();
    struct hash other = hash_sha256 (slice_text ("another"));
    story_make (story);
    story_promises (story);
    story_pack (story, dir);
    assert_int_equal (audit_check (dir, &other, NULL, NULL, &r, &e), ERR_CHAIN);
    assert_non_null (strstr (e.text, "bundle.json: it is of the dialogue"));
    story_remove (dir);
    story_free (story);
    free (dir);
}

/* A record of a newer format is counted; what is behind it on its topic may
 * name it, and what was promised of its leaf is asked. */
static void test_newer (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    for (int promised = 0; promised < 2; promised++) {
        struct story *story = story_new();
        story_at (story, 10)->topic = "all/note/x";
        story_at (story, 10)->r.previous = 8;
        story_make (story);
        story_promises (story);
        if (promised)
            story_promise (story, 8, 1);
        record_put (&story_at (story, 8)->octets, 0, "02");
        enum err rc = checked (story, &r, &e);
        assert_int_equal (rc, promised ? ERR_CHAIN : ERR_NONE);
        if (promised) {
            assert_non_null (strstr (e.text, "record 8: its leaf hash"));
            continue;
        }
        assert_int_equal (r.newer, 1);
        assert_int_equal (r.messages, 5);
        assert_int_equal (r.records, STORY_RECORDS);
    }
}

static struct story *story_of_epochs (int64_t base, const char *root) {
    struct story *story = story_new();
    struct error e = { 0 };
    struct tree tree = { 0 };
    char dialogue[HASH_TEXT_MAX], hex[HASH_TEXT_MAX], epoch[200];
    json_t *document =
        fixture_next (story->cast.roster, cast_document (&story->cast));
    story_make_some (story, 0, 6);
    for (int64_t i = 0; i < base; i++) {
        struct hash leaf = story_leaf (story, i);
        tree_add (&tree, &leaf);
    }
    struct hash found = tree_root (&tree);
    snprintf (epoch, sizeof epoch,
              "{'number':2,'base_size':%jd,'base_root':'%s'}", (intmax_t) base,
              root ? root : hash_text (hex, &found));
    fixture_set (document, "epoch", epoch);
    fixture_set (document, "log", "{'key':'$another log'}");
    roster_unref (&story->next);
    story->next =
        fixture_read (document, hash_text (dialogue, &story->cast.dialogue),
                      "EUROPOL FRONTEX", &e);
    if (!story->next)
        fail_msg ("%s", e.text);
    for (int64_t sequence = 6; sequence < 11; sequence++)
        if (sequence != 9) {
            story_at (story, sequence)->r.epoch = 2;
            story_at (story, sequence)->r.log_time -= 3500; /* it may */
        }
    story_make_some (story, 6, STORY_RECORDS);
    story_promises (story);
    return story;
}

/* What was promised at or above a later base is void, below it is not. */
static void test_epochs (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    struct story *story = story_of_epochs (6, NULL);
    change_promised_leaf (story);
    if (checked (story, &r, &e))
        fail_msg ("%s", e.text);
    story = story_of_epochs (6, NULL);
    change_record (story);
    assert_int_equal (checked (story, &r, &e), ERR_CHAIN);
    assert_int_equal (checked (story_of_epochs (5, NULL), &r, &e), ERR_CHAIN);
    assert_non_null (
        strstr (e.text, "record 6: roster version 2 has its place at 5"));
}

/* The base is the root of what stood below it. */
static void test_base (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    char hex[HASH_TEXT_MAX];
    struct hash other = hash_sha256 (slice_text ("another"));
    struct story *story = story_of_epochs (6, hash_text (hex, &other));
    assert_int_equal (checked (story, &r, &e), ERR_DIGEST);
    assert_non_null (strstr (e.text, "epoch's base of size 6: "));
    audit_report_free (&r);
}

/* Its record is left out, and with it that what follows is under another. */
static void test_roster_without_record (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    char path[200], dialogue[HASH_TEXT_MAX];
    char *dir = story_folder();
    struct story *story = story_new();
    json_t *document = fixture_next (story->next, cast_document (&story->cast));
    struct roster *third =
        fixture_read (document, hash_text (dialogue, &story->cast.dialogue),
                      "EUROPOL FRONTEX", &e);
    assert_non_null (third);
    story_make (story);
    story_promises (story);
    story_pack (story, dir);
    snprintf (path, sizeof path, "%s/rosters/00000003.note", dir);
    FILE *out = fopen (path, "w");
    struct slice note = roster_octets (third);
    assert_int_equal (fwrite (note.data, 1, note.size, out), note.size);
    fclose (out);
    assert_int_equal (audit_check (dir, NULL, NULL, NULL, &r, &e), ERR_CHAIN);
    assert_string_equal (e.text,
                         "rosters: no record in blocks brings version 3");
    roster_unref (&third);
    story_remove (dir);
    story_free (story);
    free (dir);
}

/* A desk key speaks for the time in which a roster lists it. */
static void test_desk_keys (void **state) {
    (void) state;
    struct audit_report r;
    struct error e = { 0 };
    for (int late = 0; late < 2; late++) {
        struct story *story = story_new();
        char dialogue[HASH_TEXT_MAX];
        json_t *document =
            fixture_next (story->cast.roster, cast_document (&story->cast));
        fixture_set (document, "brokers[0].desk_key[0].key", "'$another desk'");
        roster_unref (&story->next);
        story->next =
            fixture_read (document, hash_text (dialogue, &story->cast.dialogue),
                          "EUROPOL FRONTEX", &e);
        assert_non_null (story->next);
        story_make (story);
        story_promises (story);
        if (!late)
            story->proof_count = 3; /* all but that of record 9 */
        enum err rc = checked (story, &r, &e);
        assert_int_equal (rc, late ? ERR_KEY : ERR_NONE);
    }
    assert_non_null (strstr (e.text, "promises, number 4: record 9: no roster "
                                     "in force at log time 1767225609000"));
}

/* What is behind the end of a file's first entries: the same again. */
static void test_again (void **state) {
    (void) state;
    static const struct {
        const char *file;
        const char *text;
    } cases[] = {
        { "blocks", "blocks: record 0: a block from here behind one that ends "
                    "with 10" },
        { "leaves", "leaves: record 9 behind 9" },
    };
    struct audit_report r;
    struct error e = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[200], octets[16384];
        char *dir = story_folder();
        struct story *story = story_new();
        story_make (story);
        story_promises (story);
        story_pack (story, dir);
        snprintf (path, sizeof path, "%s/%s", dir, cases[i].file);
        int fd = open (path, O_RDWR);
        ssize_t size = read (fd, octets, sizeof octets);
        assert_true (size > 0);
        assert_int_equal (write (fd, octets, (size_t) size), size);
        close (fd);
        assert_int_equal (audit_check (dir, NULL, NULL, NULL, &r, &e),
                          ERR_CHAIN);
        assert_string_equal (e.text, cases[i].text);
        story_remove (dir);
        story_free (story);
        free (dir);
    }
}

/* Every octet of every file counts: change one, and something is refused; or it
 * was a leaf that nobody promised. Cut at any place: no crash. */
static void test_octets (void **state) {
    (void) state;
    static const char *const files[] = { "blocks",   "leaves",      "promises",
                                         "refusals", "checkpoints", "claims" };
    struct audit_report r;
    struct error e = { 0 };
    char *dir = story_folder();
    struct story *story = story_new();
    story_make (story);
    story_promises (story);
    story_checkpoint (story, 8, 3);
    story_claim (story, 7, "all", 1);
    story_claim (story, 7, "@EUROPOL", 0);
    story_pack (story, dir);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[200];
        struct stat st;
        snprintf (path, sizeof path, "%s/%s", dir, files[i]);
        int fd = open (path, O_RDWR);
        assert_int_equal (fstat (fd, &st), 0);
        off_t step = st.st_size > 2000 ? 97 : 7;
        for (off_t at = 0; at < st.st_size; at += step) {
            uint8_t octet;
            assert_int_equal (pread (fd, &octet, 1, at), 1);
            octet ^= 0x10;
            assert_int_equal (pwrite (fd, &octet, 1, at), 1);
            enum err rc = audit_check (dir, NULL, NULL, NULL, &r, &e);
            audit_report_free (&r);
            if (!rc || e.code != rc || !e.text[0])
                fail_msg ("%s, octet %jd", files[i], (intmax_t) at);
            octet ^= 0x10;
            assert_int_equal (pwrite (fd, &octet, 1, at), 1);
        }
        close (fd);
    }
    assert_int_equal (audit_check (dir, NULL, NULL, NULL, &r, &e), ERR_NONE);
    audit_report_free (&r);
    story_remove (dir);
    story_free (story);
    free (dir);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_arguments),
        cmocka_unit_test (test_whole),
        cmocka_unit_test (test_other_dialogue),
        cmocka_unit_test (test_broken),
        cmocka_unit_test (test_newer),
        cmocka_unit_test (test_epochs),
        cmocka_unit_test (test_desk_keys),
        cmocka_unit_test (test_again),
        cmocka_unit_test (test_base),
        cmocka_unit_test (test_octets),
        cmocka_unit_test (test_roster_without_record),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
