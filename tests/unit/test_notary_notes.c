/* notary_notes: whose lines count, what settles in which order, and what goes
 * out of it. */
#include "notary_fixture.h"

#define NOW INT64_C (1000000)         /* monotonic, ms */
#define TIME (BUILD_TIME / 1000 + 60) /* of cosignatures, s */
#define ALL "'EUROPOL/hq','EUROPOL/ec3','FRONTEX/hq'"

static struct notary_notes notes;
static struct cast *cast;

static void begin (const char *witnesses, int quorum) {
    stage_begin (witnesses, quorum);
    cast = &stage->cast;
    notes = (struct notary_notes){ 0 };
}

static void end (void) {
    notary_notes_free (&notes);
    stage_free (stage);
}

static struct checkpoint point (int64_t size) {
    struct checkpoint out = { .size = size };
    struct roster *roster = state_roster (stage->state, NULL);
    checkpoint_origin (roster, out.origin);
    roster_unref (&roster);
    out.root.octets[0] = (uint8_t) size;
    return out;
}

/* Signed under the roster in force. */
static void put (int64_t size) {
    struct checkpoint checkpoint = point (size);
    struct buf note = { 0 };
    checkpoint_sign (&checkpoint, cast->broker, &note);
    notary_notes_signed (&notes, &checkpoint, state_roster (stage->state, NULL),
                         &note, NOW);
    assert_int_equal (note.size, 0);
}

static enum err by (const struct identity *who, int64_t size) {
    struct checkpoint checkpoint = point (size);
    return notary_notes_cosign (&notes, identity_name (who),
                                cosigned (&checkpoint, who, TIME), NOW, &e);
}

/* "SIZE:LINES" of what goes out, '!' where it hands over; and forgets it. */
static const char *out (void) {
    static char text[256];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < notes.out_count; i++) {
        struct checkpoint checkpoint;
        struct note note;
        struct notary_out *one = &notes.out[i];
        if (checkpoint_read (buf_slice (&one->note), &checkpoint, &note, &e))
            fail_msg ("%s", e.text);
        at += (size_t) snprintf (text + at, sizeof text - at, "%s%lld:%zu%s",
                                 i ? " " : "", (long long) checkpoint.size,
                                 note.count, one->handover ? "!" : "");
        buf_free (&one->note);
    }
    notes.out_count = 0;
    return text;
}

/* What is no witness's line for a checkpoint of ours. */
static void test_refused (void **state) {
    (void) state;
    begin ("'EUROPOL/hq','FRONTEX/hq'", 2);
    put (7);
    struct checkpoint ours = point (7), other = point (7);
    struct buf two = { 0 }, bad = { 0 }, log = { 0 };
    buf_add_slice (&two, cosigned (&ours, cast->hq, TIME));
    checkpoint_cosign (&ours, cast->frontex, TIME, &two);
    other.root.octets[1] = 1;
    buf_add_slice (&bad, cosigned (&ours, cast->hq, TIME));
    bad.data[bad.size - 10] = bad.data[bad.size - 10] == 'A' ? 'B' : 'A';
    checkpoint_sign (&ours, cast->broker, &log);
    struct checkpoint above = point (8), below = point (6);
    struct buf copies[7] = { { 0 } };
    const struct {
        const char *name, *by;
        struct slice note;
        enum err rc;
    } rows[] = {
        { "nothing", "EUROPOL/hq", slice_text (""), ERR_MALFORMED },
        { "two lines", "EUROPOL/hq", buf_slice (&two), ERR_MALFORMED },
        { "another's", "FRONTEX/hq",
          (buf_add_slice (&copies[0], cosigned (&ours, cast->hq, TIME)),
           buf_slice (&copies[0])),
          ERR_MALFORMED },
        { "the log's", "EUROPOL/hq", buf_slice (&log), ERR_MALFORMED },
        { "a size above", "EUROPOL/hq",
          (buf_add_slice (&copies[1], cosigned (&above, cast->hq, TIME)),
           buf_slice (&copies[1])),
          ERR_NOT_FOUND },
        { "a size below", "EUROPOL/hq",
          (buf_add_slice (&copies[2], cosigned (&below, cast->hq, TIME)),
           buf_slice (&copies[2])),
          ERR_NOT_FOUND },
        { "another root", "EUROPOL/hq",
          (buf_add_slice (&copies[3], cosigned (&other, cast->hq, TIME)),
           buf_slice (&copies[3])),
          ERR_DIGEST },
        { "no witness", "EUROPOL/ec3",
          (buf_add_slice (&copies[4], cosigned (&ours, cast->ec3, TIME)),
           buf_slice (&copies[4])),
          ERR_RIGHT },
        { "does not verify", "EUROPOL/hq", buf_slice (&bad), ERR_SIGNATURE },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum err rc =
            notary_notes_cosign (&notes, rows[i].by, rows[i].note, NOW, &e);
        if (rc != rows[i].rc)
            fail_msg ("%s: %s, %s", rows[i].name, error_name (rc), e.text);
    }
    /* a key that is nobody's */
    struct identity *alien = identity_from_seed (
        IDENTITY_DELEGATION, "EUROPOL/hq", ours.root.octets, &e);
    assert_int_equal (by (alien, 7), ERR_SIGNATURE);
    identity_destroy (&alien);
    assert_int_equal (notary_notes_newest (&notes)->lines, 1);
    assert_string_equal (out(), "");
    buf_free (&two);
    buf_free (&bad);
    buf_free (&log);
    for (size_t i = 0; i < 7; i++)
        buf_free (&copies[i]);
    end();
}

static void test_quorum (void **state) {
    (void) state;
    begin ("'EUROPOL/hq','FRONTEX/hq'", 2);
    put (5);
    put (7);
    assert_int_equal (notary_notes_newest (&notes)->checkpoint.size, 7);
    assert_int_equal (by (cast->hq, 7), 0);
    assert_int_equal (by (cast->hq, 7), 0); /* once more */
    assert_int_equal (notary_notes_newest (&notes)->lines, 2);
    assert_int_equal (by (cast->hq, 5), 0);
    assert_string_equal (out(), "");
    assert_int_equal (by (cast->frontex, 7), 0);
    assert_string_equal (out(), "7:3!");
    assert_true (notes.settled.settled_ms > 0);
    /* a smaller one is late: it counts, and settles no more */
    assert_int_equal (by (cast->frontex, 5), 0);
    assert_int_equal (by (cast->frontex, 7), 0);
    notary_notes_tick (&notes, NOW + 5000);
    assert_string_equal (out(), "");
    assert_int_equal (notary_notes_due (&notes), INT64_MAX);
    put (9);
    assert_int_equal (by (cast->frontex, 9), 0);
    assert_int_equal (by (cast->hq, 9), 0);
    assert_string_equal (out(), "9:3");
    assert_int_equal (notes.signed_size, 9);
    end();
}

/* Those that come behind the quorum: once more, a second later or with the last
 * of them; or before the next one. */
static void test_again (void **state) {
    (void) state;
    begin (ALL, 1);
    put (5);
    assert_int_equal (by (cast->ec3, 5), 0);
    assert_string_equal (out(), "5:2!");
    assert_int_equal (by (cast->hq, 5), 0);
    assert_string_equal (out(), "");
    assert_int_equal (notary_notes_due (&notes), NOW + 1000);
    notary_notes_tick (&notes, NOW + 999);
    assert_string_equal (out(), "");
    notary_notes_tick (&notes, NOW + 1000);
    assert_string_equal (out(), "5:3!");
    assert_int_equal (by (cast->frontex, 5), 0); /* and no more */
    assert_string_equal (out(), "");
    assert_int_equal (notary_notes_due (&notes), INT64_MAX);
    assert_int_equal (notes.settled.lines, 4);

    put (6);
    assert_int_equal (by (cast->hq, 6), 0);
    assert_int_equal (by (cast->ec3, 6), 0);
    assert_int_equal (by (cast->frontex, 6), 0);
    assert_string_equal (out(), "6:2 6:4");
    put (7);
    put (8);
    assert_int_equal (by (cast->hq, 7), 0);
    assert_int_equal (by (cast->ec3, 7), 0);
    assert_int_equal (by (cast->hq, 8), 0);
    assert_string_equal (out(), "7:2 7:3 8:2");
    end();
}

static void test_none (void **state) {
    (void) state;
    begin ("", 0);
    put (5);
    assert_string_equal (out(), "5:1!");
    assert_int_equal (by (cast->hq, 5), ERR_RIGHT);
    end();
}

/* A quorum of the old ones and of the new. */
static void test_handover (void **state) {
    (void) state;
    begin ("'EUROPOL/hq','FRONTEX/hq'", 2);
    put (3);
    assert_int_equal (by (cast->hq, 3), 0);
    assert_int_equal (by (cast->frontex, 3), 0);
    assert_string_equal (out(), "3:3!");
    stage_witnesses ("'EUROPOL/ec3','FRONTEX/hq'", 1);
    put (5);
    put (6);
    assert_int_equal (by (cast->ec3, 5), 0);
    assert_int_equal (by (cast->ec3, 6), 0);
    assert_int_equal (by (cast->hq, 5), 0); /* of the old ones alone */
    assert_string_equal (out(), "");
    assert_int_equal (notary_notes_newest (&notes)->cosigned, 1);
    /* the last that the old ones lack; then the new ones decide the next */
    assert_int_equal (by (cast->frontex, 5), 0);
    assert_string_equal (out(), "5:4! 6:2");
    assert_int_equal (by (cast->hq, 6), ERR_RIGHT);
    /* the same witnesses again: a roster of its own all the same */
    stage_witnesses ("'EUROPOL/ec3','FRONTEX/hq'", 1);
    put (8);
    assert_int_equal (by (cast->frontex, 8), 0);
    assert_string_equal (out(), "8:2!");
    end();
}

static const char *keeps;
static bool kept (void *arg, const struct notary_entry *entry) {
    struct checkpoint checkpoint;
    struct note form;
    char *text = arg;
    if (checkpoint_read (buf_slice (&entry->note), &checkpoint, &form, &e))
        fail_msg ("%s", e.text);
    sprintf (text, "%lld:%zu of %lld, settled %lld, out %zu",
             (long long) checkpoint.size, form.count,
             (long long) roster_version (entry->roster),
             (long long) notes.settled.checkpoint.size, notes.out_count);
    return keeps == NULL;
}

/* Before anybody hears of it; what can't be kept does not settle. */
static void test_keeps (void **state) {
    (void) state;
    char text[200] = "";
    begin ("'EUROPOL/hq','FRONTEX/hq'", 1);
    notes.keep = kept;
    notes.keep_arg = text;
    keeps = "a full disk";
    put (3);
    assert_int_equal (by (cast->hq, 3), 0);
    assert_string_equal (text, "3:2 of 1, settled 0, out 0");
    assert_string_equal (out(), "");
    assert_int_equal (notes.settled.checkpoint.size, 0);
    put (4);
    keeps = NULL;
    assert_int_equal (by (cast->hq, 4), 0);
    assert_string_equal (text, "4:2 of 1, settled 0, out 0");
    assert_true (notes.out[0].kept);
    assert_string_equal (out(), "4:2!");
    text[0] = '\0';
    assert_int_equal (by (cast->frontex, 4), 0);
    assert_false (notes.out[0].kept); /* one more line */
    assert_string_equal (out(), "4:3!");
    put (5);
    assert_int_equal (by (cast->hq, 5), 0);
    assert_false (notes.out[0].kept);
    assert_string_equal (out(), "5:2");
    assert_string_equal (text, "");
    stage_witnesses ("'FRONTEX/hq'", 1);
    keeps = "a full disk";
    put (7);
    assert_int_equal (by (cast->frontex, 7), 0);
    assert_string_equal (text, "7:2 of 2, settled 5, out 0");
    assert_int_equal (notes.settled.checkpoint.size, 5);
    keeps = NULL;
    assert_int_equal (by (cast->frontex, 7), 0); /* once more */
    assert_string_equal (out(), "7:2!");
    end();
}

/* A witness with an older key counts once, whichever it uses. */
static void test_keys (void **state) {
    (void) state;
    begin ("'EUROPOL/hq','FRONTEX/hq'", 1);
    static const uint8_t seed[KEY_SIZE] = { 9 };
    struct identity *fresh =
        identity_from_seed (IDENTITY_DELEGATION, "FRONTEX/hq", seed, &e);
    static const uint8_t past[KEY_SIZE] = { 8 };
    struct identity *older =
        identity_from_seed (IDENTITY_DELEGATION, "EUROPOL/hq", past, &e);
    put (3);
    assert_int_equal (by (cast->hq, 3), 0);
    json_t *d = witnessed (cast, "'EUROPOL/hq','FRONTEX/hq'", 2);
    cast_key (d, "entities[1].delegations[0].keys[0].witness",
              identity_public (fresh, KEY_WITNESS));
    cast_key (d, "entities[0].delegations[0].keys[1].witness",
              identity_public (older, KEY_WITNESS));
    struct roster *next = stage_next (stage, d, NULL);
    roster_unref (&next);
    put (5);
    (void) out();
    assert_int_equal (by (cast->frontex, 5), 0); /* for the old roster */
    assert_int_equal (by (fresh, 5), 0);
    assert_int_equal (notary_notes_newest (&notes)->lines, 3);
    assert_int_equal (notary_notes_newest (&notes)->cosigned, 1);
    assert_string_equal (out(), "");
    assert_int_equal (by (older, 5), 0);
    assert_string_equal (out(), "5:4!");
    assert_int_equal (by (cast->hq, 5), 0); /* the last, of two */
    assert_string_equal (out(), "5:5!");
    assert_int_equal (notes.settled.cosigned, 2);
    identity_destroy (&fresh);
    identity_destroy (&older);
    end();
}

/* The last 64, and the newest settled. */
static void test_recent (void **state) {
    (void) state;
    begin ("'EUROPOL/hq','FRONTEX/hq'", 2);
    put (1);
    assert_int_equal (by (cast->hq, 1), 0);
    assert_int_equal (by (cast->frontex, 1), 0);
    for (int64_t size = 2; size < 2 + NOTARY_RECENT + 1; size++)
        put (size);
    assert_int_equal (by (cast->hq, 2), ERR_NOT_FOUND);
    assert_int_equal (by (cast->hq, 3), 0);
    assert_int_equal (by (cast->hq, 1), 0);
    assert_int_equal (notary_notes_newest (&notes)->checkpoint.size,
                      2 + NOTARY_RECENT);
    end();
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_refused),  cmocka_unit_test (test_quorum),
        cmocka_unit_test (test_again),    cmocka_unit_test (test_none),
        cmocka_unit_test (test_handover), cmocka_unit_test (test_keys),
        cmocka_unit_test (test_recent),   cmocka_unit_test (test_keeps),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
