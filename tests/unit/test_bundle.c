/* bundle: written and read back; a folder that is not what it should be. */
#include "story.h"

#include <fcntl.h>

static char *dir;
static struct story *story;

static int begin (void **state) {
    (void) state;
    dir = story_folder();
    story = story_new();
    story_make (story);
    story_promises (story);
    return 0;
}

static int end (void **state) {
    (void) state;
    story_remove (dir);
    story_free (story);
    free (dir);
    return 0;
}

static char *in_dir (const char *name) {
    static char path[300];
    snprintf (path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void put_file (const char *name, const void *data, size_t size) {
    int fd = open (in_dir (name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true (fd >= 0);
    assert_int_equal (write (fd, data, size), (ssize_t) size);
    close (fd);
}

static void test_arguments (void **state) {
    (void) state;
    struct error e;
    struct bundle_writer *writer = NULL;
    struct bundle *bundle = NULL;
    bundle_writer_destroy (NULL);
    bundle_writer_destroy (&writer);
    bundle_close (NULL);
    bundle_close (&bundle);
    assert_null (bundle_open (dir, &e));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    assert_null (bundle_open (dir, NULL));
    assert_null (bundle_create ("/nonexistent/x", &story->meta, &e));
    put_file ("something", "", 0);
    assert_null (bundle_create (dir, &story->meta, &e));
    assert_int_equal (e.code, ERR_EXISTS);
}

static void test_order (void **state) {
    (void) state;
    struct error e;
    struct buf first = { 0 }, second = { 0 };
    struct hash leaf = { { 0 } };
    story_block (story, 0, &first);
    story_block (story, 2, &second);
    struct bundle_writer *w = bundle_create (dir, &story->meta, &e);
    assert_non_null (w);
    struct slice note = slice_text ("a note");
    assert_int_equal (bundle_add_roster (w, 0, note, &e), ERR_CHAIN);
    assert_int_equal (bundle_add_roster (w, 2, note, &e), 0);
    assert_int_equal (bundle_add_roster (w, 2, note, &e), ERR_CHAIN);
    assert_int_equal (bundle_add_block (w, 0, slice_text ("no block"), &e),
                      ERR_MALFORMED);
    assert_int_equal (bundle_add_block (w, 0, buf_slice (&second), &e), 0);
    assert_int_equal (bundle_add_block (w, 0, buf_slice (&second), &e),
                      ERR_CHAIN);
    assert_int_equal (bundle_add_block (w, 0, buf_slice (&first), &e),
                      ERR_CHAIN);
    assert_int_equal (bundle_add_leaf (w, 7, &leaf, &e), 0);
    assert_int_equal (bundle_add_leaf (w, 7, &leaf, &e), ERR_CHAIN);
    uint8_t *much = mem_alloc (BUNDLE_REFUSAL_MAX + 1);
    assert_int_equal (
        bundle_add_refusal (w, slice_of (much, BUNDLE_REFUSAL_MAX + 1), &e),
        ERR_LIMIT);
    free (much);
    story_checkpoint (story, 8, 3);
    story_claim (story, 7, "all", 0);
    struct slice cp = buf_slice (&story->checkpoints[0]);
    assert_int_equal (bundle_add_checkpoint (w, note, &e), ERR_MALFORMED);
    assert_int_equal (bundle_add_checkpoint (w, cp, &e), 0);
    assert_int_equal (bundle_add_checkpoint (w, cp, &e), ERR_CHAIN);
    assert_int_equal (bundle_add_claim (w, &story->claims[0], &e), 0);
    assert_int_equal (bundle_add_claim (w, &story->claims[0], &e), 0);
    story->claims[0].mark = 6;
    assert_int_equal (bundle_add_claim (w, &story->claims[0], &e), ERR_CHAIN);
    bundle_writer_destroy (&w);
    assert_null (bundle_open (dir, &e)); /* it was not finished */
    buf_free (&first);
    buf_free (&second);
}

static void test_round (void **state) {
    (void) state;
    struct error e;
    struct slice octets;
    struct promise_proof proof;
    struct hash leaf;
    struct block b;
    int64_t direct, sequence, next = 0;
    struct bundle_claim claim;
    story_checkpoint (story, 8, 3);
    story_claim (story, 7, "all", 3);
    story_claim (story, 7, "@EUROPOL", 0);
    story_pack (story, dir);
    struct bundle *bundle = bundle_open (dir, &e);
    assert_non_null (bundle);
    const struct bundle_meta *meta = bundle_meta (bundle);
    assert_memory_equal (&meta->dialogue, &story->meta.dialogue, HASH_SIZE);
    assert_string_equal (meta->exporter, "EUROPOL/hq");
    assert_string_equal (meta->filter, "#");
    assert_int_equal (meta->made, BUILD_TIME);
    assert_int_equal (meta->first, 0);
    assert_int_equal (meta->last, 10);
    assert_int_equal (bundle_next_roster (bundle, &octets, &e), 0);
    assert_true (slice_equal (octets, roster_octets (story->cast.roster)));
    assert_int_equal (bundle_next_roster (bundle, &octets, &e), 0);
    assert_true (slice_equal (octets, roster_octets (story->next)));
    assert_int_equal (bundle_next_roster (bundle, &octets, &e), ERR_NOT_FOUND);
    for (int i = 0; i < 7; i++) {
        assert_int_equal (bundle_next_block (bundle, &direct, &octets, &e), 0);
        assert_int_equal (block_read (octets, &b, &e), 0);
        assert_true (b.first_sequence >= next);
        assert_int_equal (direct, b.first_sequence == 5);
        next = b.first_sequence + (int64_t) b.count;
    }
    assert_int_equal (bundle_next_block (bundle, &direct, &octets, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (bundle_next_leaf (bundle, &sequence, &leaf, &e), 0);
    assert_int_equal (sequence, 9);
    assert_true (hash_equal (&leaf, &story->leaf));
    assert_int_equal (bundle_next_leaf (bundle, &sequence, &leaf, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (bundle_next_checkpoint (bundle, &octets, &e), 0);
    assert_true (slice_equal (octets, buf_slice (&story->checkpoints[0])));
    assert_int_equal (bundle_next_checkpoint (bundle, &octets, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (bundle_next_claim (bundle, &claim, &e), 0);
    assert_int_equal (claim.mark, 7);
    assert_int_equal (claim.from, 3);
    assert_int_equal (claim.cover_length, 2);
    assert_memory_equal (claim.cover, story->claims[0].cover, 2 * HASH_SIZE);
    assert_true (slice_is (claim.claim.stream.name, "all"));
    assert_int_equal (claim.claim.stream.count, 3);
    assert_int_equal (bundle_next_claim (bundle, &claim, &e), 0);
    assert_int_equal (claim.cover_length, 0);
    assert_int_equal (bundle_next_claim (bundle, &claim, &e), ERR_NOT_FOUND);
    for (size_t i = 0; i < story->proof_count; i++) {
        assert_int_equal (bundle_next_promise (bundle, &proof, &e), 0);
        assert_int_equal (proof.sequence, story->proofs[i].sequence);
    }
    assert_int_equal (bundle_next_promise (bundle, &proof, &e), ERR_NOT_FOUND);
    assert_int_equal (bundle_next_refusal (bundle, &octets, &e), 0);
    assert_true (slice_equal (octets, buf_slice (&story->refusal)));
    assert_int_equal (bundle_next_refusal (bundle, &octets, &e), ERR_NOT_FOUND);
    bundle_close (&bundle);
}

/* Files that have nothing are left out. */
static void test_empty (void **state) {
    (void) state;
    struct error e;
    struct slice octets;
    int64_t direct;
    struct bundle_meta meta = story->meta;
    meta.last = -1;
    struct bundle_writer *w = bundle_create (dir, &meta, &e);
    assert_int_equal (bundle_finish (w, &e), 0);
    bundle_writer_destroy (&w);
    assert_int_not_equal (access (in_dir ("blocks"), F_OK), 0);
    assert_int_not_equal (access (in_dir ("rosters"), F_OK), 0);
    struct bundle *bundle = bundle_open (dir, &e);
    assert_int_equal (bundle_meta (bundle)->last, -1);
    assert_int_equal (bundle_next_block (bundle, &direct, &octets, &e),
                      ERR_NOT_FOUND);
    assert_int_equal (bundle_next_roster (bundle, &octets, &e), ERR_NOT_FOUND);
    bundle_close (&bundle);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define META(format, dialogue, exporter, first, last, filter, rest)            \
    "{\"format\":" format ",\"dialogue\":\"" dialogue                          \
    "\",\"exporter\":\"" exporter "\",\"made\":1,\"first\":" first             \
    ",\"last\":" last ",\"filter\":\"" filter "\",\"program\":\"p\"" rest "}"

static void test_meta (void **state) {
    (void) state;
    static const struct {
        const char *json;
        enum err code;
    } cases[] = {
        { META ("1", HEX64, "A1/x", "0", "3", "#", ""), ERR_NONE },
        { META ("1", HEX64, "A1/x", "0", "-1", "a/+/#", ",\"x-a\":{}"),
          ERR_NONE },
        { "", ERR_MALFORMED },
        { "[]", ERR_MALFORMED },
        { "{}", ERR_MALFORMED },
        { META ("2", HEX64, "A1/x", "0", "3", "#", ""), ERR_NEWER },
        { META ("0", HEX64, "A1/x", "0", "3", "#", ""), ERR_MALFORMED },
        { META ("1", "00", "A1/x", "0", "3", "#", ""), ERR_MALFORMED },
        { META ("1", HEX64, "lyon", "0", "3", "#", ""), ERR_MALFORMED },
        { META ("1", HEX64, "A1/x", "-1", "3", "#", ""), ERR_MALFORMED },
        { META ("1", HEX64, "A1/x", "0", "-2", "#", ""), ERR_MALFORMED },
        { META ("1", HEX64, "A1/x", "4", "3", "#", ""), ERR_MALFORMED },
        { META ("1", HEX64, "A1/x", "0", "1.5", "#", ""), ERR_MALFORMED },
        { META ("1", HEX64, "A1/x", "0", "9007199254740992", "#", ""),
          ERR_MALFORMED },
        { META ("1", HEX64, "A1/x", "0", "3", "#/a", ""), ERR_MALFORMED },
        { META ("1", HEX64, "A1/x", "0", "3", "#", ",\"y\":1"), ERR_MALFORMED },
        { META ("1", HEX64, "A1/x", "0", "3", "#", ",\"made\":1"),
          ERR_MALFORMED },
    };
    struct bundle_meta meta;
    struct error e;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (bundle_meta_read (slice_text (cases[i].json), &meta, &e)
            != cases[i].code)
            fail_msg ("%s: %s", cases[i].json, e.text);
}

/* Each is an own file of an otherwise good bundle. */
static void test_hostile (void **state) {
    (void) state;
    struct error e;
    struct slice octets;
    struct promise_proof proof;
    struct hash leaf;
    int64_t number;
    story_pack (story, dir);
    put_file ("blocks", "\0\0", 2);
    put_file ("leaves",
              "\xff\0\0\0\0\0\0\0............................"
              "....",
              40);
    put_file ("promises", "\0\0\0\4abcd", 8);
    put_file ("refusals", "\x7f\xff\xff\xff", 4);
    put_file ("checkpoints", "\0\1\0\1", 4);
    put_file ("claims", "\0\0\0\1\x94", 5);
    struct bundle *b = bundle_open (dir, &e);
    assert_non_null (b);
    assert_int_equal (bundle_next_block (b, &number, &octets, &e),
                      ERR_MALFORMED);
    assert_non_null (strstr (e.text, "blocks, octet 0: cut"));
    assert_int_equal (bundle_next_leaf (b, &number, &leaf, &e), ERR_MALFORMED);
    assert_int_equal (bundle_next_promise (b, &proof, &e), ERR_MALFORMED);
    assert_non_null (strstr (e.text, "promises, before octet 8"));
    assert_int_equal (bundle_next_refusal (b, &octets, &e), ERR_LIMIT);
    struct bundle_claim claim;
    assert_int_equal (bundle_next_checkpoint (b, &octets, &e), ERR_LIMIT);
    assert_int_equal (bundle_next_claim (b, &claim, &e), ERR_MALFORMED);
    assert_non_null (strstr (e.text, "claims, before octet 5"));
    bundle_close (&b);
    put_file ("blocks", "\0\0\0\3abc\0\0\0\0\0\0\0", 14);
    put_file ("refusals", "\0\0\0\0", 4);
    b = bundle_open (dir, &e);
    assert_int_equal (bundle_next_block (b, &number, &octets, &e),
                      ERR_MALFORMED);
    assert_int_equal (bundle_next_refusal (b, &octets, &e), ERR_MALFORMED);
    bundle_close (&b);
}

/* A cover is of the length that its number asks for, and of no more records than
 * the claim counts. */
static void test_claims (void **state) {
    (void) state;
    static const struct {
        int64_t mark, from;
        size_t cover_length;
        enum err code;
    } rows[] = {
        { 7, 3, 2, ERR_NONE },
        { 7, 2, 1, ERR_NONE },
        { 7, 3, 1, ERR_MALFORMED },
        { 7, 3, 3, ERR_MALFORMED },
        { 7, 0, 1, ERR_MALFORMED },
        { 7, 4, 1, ERR_MALFORMED },
        { NUMBER_MAX, 0, 0, ERR_NONE },
        { NUMBER_MAX + 1, 0, 0, ERR_MALFORMED },
        { 7, 3, TREE_COVER_MAX, ERR_MALFORMED },
    };
    struct error e;
    struct bundle_claim got;
    struct bundle_claim *claim = story_claim (story, 7, "all", 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        claim->mark = rows[i].mark;
        claim->from = rows[i].from;
        claim->cover_length = rows[i].cover_length;
        char sub[20];
        snprintf (sub, sizeof sub, "%zu", i);
        struct bundle_writer *w =
            bundle_create (in_dir (sub), &story->meta, &e);
        assert_int_equal (bundle_add_claim (w, claim, &e), 0);
        assert_int_equal (bundle_finish (w, &e), 0);
        bundle_writer_destroy (&w);
        struct bundle *b = bundle_open (in_dir (sub), &e);
        assert_int_equal (bundle_next_claim (b, &got, &e), rows[i].code);
        bundle_close (&b);
    }
}

/* A block's number in the direct stream is exact in JSON. */
static void test_direct (void **state) {
    (void) state;
    struct error e;
    struct slice octets;
    struct buf entry = { 0 };
    int64_t number;
    story_pack (story, dir);
    for (uint64_t n = NUMBER_MAX; n <= (uint64_t) NUMBER_MAX + 1; n++) {
        buf_clear (&entry);
        buf_add_u32 (&entry, 3);
        buf_add_text (&entry, "abc");
        buf_add_u64 (&entry, n);
        put_file ("blocks", entry.data, entry.size);
        struct bundle *b = bundle_open (dir, &e);
        assert_int_equal (bundle_next_block (b, &number, &octets, &e),
                          n > NUMBER_MAX ? ERR_MALFORMED : ERR_NONE);
        bundle_close (&b);
    }
    buf_free (&entry);
}

static void test_folder (void **state) {
    (void) state;
    static const char *const names[] = { "1.note",         "0000001.note",
                                         "000000001.note", "00000000.note",
                                         "00000001.note~", "x" };
    struct error e;
    struct slice note;
    story_pack (story, dir);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[40];
        snprintf (name, sizeof name, "rosters/%s", names[i]);
        put_file (name, "", 0);
        assert_null (bundle_open (dir, &e));
        assert_int_equal (e.code, ERR_MALFORMED);
        assert_non_null (strstr (e.text, names[i]));
        unlink (in_dir (name));
    }
    put_file ("rosters/123456789.note", "third", 5);
    struct bundle *b = bundle_open (dir, &e);
    for (int i = 0; i < 3; i++)
        assert_int_equal (bundle_next_roster (b, &note, &e), 0);
    assert_true (slice_is (note, "third"));
    bundle_close (&b);
    unlink (in_dir ("blocks"));
    assert_int_equal (mkfifo (in_dir ("blocks"), 0600), 0);
    assert_null (bundle_open (dir, &e));
    assert_int_equal (e.code, ERR_MALFORMED);
}

static void test_limits (void **state) {
    (void) state;
    static const struct {
        const char *filter, *author, *topic, *writer;
        bool takes;
    } takes[] = {
        { "#", "", "all/x", "EUROPOL/hq", true },
        { "#", "EUROPOL", "all/x", "EUROPOL/hq", true },
        { "#", "EUROPOL/hq", "all/x", "EUROPOL/hq", true },
        { "#", "EUROPOL/ec3", "all/x", "EUROPOL/hq", false },
        { "#", "EURO", "all/x", "EUROPOL/hq", false },
        { "all/x", "EUROPOL", "all/y", "EUROPOL/hq", false },
        { "all/x", "", "all/x", "FRONTEX/hq", true },
    };
    static const struct {
        const char *filter, *author, *stream;
        bool touches, all;
    } streams[] = {
        { "#", "", "all", true, true },
        { "#", "", "@EUROPOL", true, true },
        { "#", "EUROPOL", "all", true, false },
        { "all/#", "", "all", true, true },
        { "all/#", "", "al", false, false },
        { "al/#", "", "all", false, false },
        { "all/x", "", "all", true, false },
        { "+/x", "", "all", true, false },
        { "+/x", "", "@EUROPOL", true, false },
        { "@EUROPOL/#", "", "@EUROPOL", true, false },
        { "@EUROPOL+FRONTEX/#", "", "@FRONTEX", true, false },
        { "@EUROPOL+FRONTEX/#", "", "@UNODC", false, false },
        { "@EUROPOL+FRONTEX/#", "", "all", false, false },
    };
    struct bundle_meta m = { .filter = "#" };
    assert_false (bundle_limited (&m));
    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++) {
        struct message message = { .topic = slice_text (takes[i].topic),
                                   .author = slice_text (takes[i].writer) };
        strcpy (m.filter, takes[i].filter);
        strcpy (m.author, takes[i].author);
        if (bundle_takes (&m, &message) != takes[i].takes)
            fail_msg ("takes, %zu", i);
    }
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        strcpy (m.filter, streams[i].filter);
        strcpy (m.author, streams[i].author);
        if (bundle_touches (&m, streams[i].stream) != streams[i].touches
            || bundle_takes_all (&m, streams[i].stream) != streams[i].all)
            fail_msg ("streams, %zu", i);
        assert_true (bundle_limited (&m) == (i > 1));
    }
    m = (struct bundle_meta){ .filter = "#", .until = 1 };
    assert_true (bundle_limited (&m));
}

/* In bundle.json where there are any. */
static void test_limits_meta (void **state) {
    (void) state;
    static const struct {
        int64_t since, until;
        const char *author, *why;
    } table[] = {
        { 0, 0, "", NULL },
        { 7, 0, "EUROPOL", NULL },
        { 7, 7, "EUROPOL/hq", NULL },
        { 0, 9, "", NULL },
        { 8, 7, "", "since 8 above until 7" },
        { -1, 0, "", "since" },
        { 0, 0, "europol", "author" },
        { 0, 0, "EUROPOL/", "author" },
    };
    struct error e;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct bundle_meta m = story->meta, out;
        struct buf json = { 0 };
        m.since = table[i].since;
        m.until = table[i].until;
        strcpy (m.author, table[i].author);
        bundle_meta_write (&m, &json);
        enum err rc = bundle_meta_read (buf_slice (&json), &out, &e);
        if (table[i].why && (!rc || !strstr (e.text, table[i].why)))
            fail_msg ("%zu: %s", i, e.text);
        if (!table[i].why) {
            assert_int_equal (rc, 0);
            assert_int_equal (out.since, m.since);
            assert_int_equal (out.until, m.until);
            assert_string_equal (out.author, m.author);
        }
        buf_free (&json);
    }
}

int main (void) {
#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST (test_arguments), TEST (test_order),       TEST (test_round),
        TEST (test_empty),     TEST (test_meta),        TEST (test_hostile),
        TEST (test_claims),    TEST (test_direct),      TEST (test_folder),
        TEST (test_limits),    TEST (test_limits_meta),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
