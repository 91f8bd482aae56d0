/* rosters: both ways along the chain, branches, what is asked for next. */
#include "link/rosters.h"
#include "roster_fixture.h"

#define MANY 6

/* Versions 1 to MANY, and another version 3 that follows 2, and its 4. */
struct line {
    struct roster *at[MANY + 1]; /* by version */
    struct roster *other[5];
    struct hash dialogue;
};

static struct roster *next_of (const struct roster *before, const char *name,
                               const char *signers) {
    struct error e = { 0 };
    char dialogue[HASH_TEXT_MAX];
    json_t *document = fixture_next (before, fixture_document());
    fixture_set (document, "name", name);
    struct roster *next = fixture_read (
        document, hash_text (dialogue, roster_dialogue (before)), signers, &e);
    if (!next)
        fail_msg ("%s", e.text);
    return next;
}

static int line_begin (void **state) {
    struct line *self = mem_alloc (sizeof *self);
    self->at[1] = fixture_roster (NULL);
    self->dialogue = *roster_dialogue (self->at[1]);
    for (int i = 2; i <= MANY; i++)
        self->at[i] = next_of (self->at[i - 1], "'One'", "EUROPOL UNODC");
    self->other[3] = next_of (self->at[2], "'Other'", "EUROPOL UNODC");
    self->other[4] = next_of (self->other[3], "'Other'", "EUROPOL UNODC");
    *state = self;
    return 0;
}

static int line_end (void **state) {
    struct line *self = *state;
    for (int i = 1; i <= MANY; i++)
        roster_unref (&self->at[i]);
    roster_unref (&self->other[3]);
    roster_unref (&self->other[4]);
    free (self);
    return 0;
}

static struct rosters *make (const struct line *line, struct roster *from) {
    struct error e = { 0 };
    struct rosters *self = rosters_new (&line->dialogue, from, &e);
    if (!self)
        fail_msg ("%s", e.text);
    return self;
}

static enum err learn (struct rosters *self, const struct roster *roster,
                       int64_t sequence, const char *says) {
    struct error e = { 0 };
    enum err rc = rosters_learn (self, roster_octets (roster), sequence, &e);
    if (rc && !strstr (e.text, says))
        fail_msg ("\"%s\", not \"%s\"", e.text, says);
    return rc;
}

static enum err answer (struct rosters *self, const struct roster *roster,
                        const char *says) {
    struct error e = { 0 };
    struct slice note = roster ? roster_octets (roster) : (struct slice){ 0 };
    enum err rc = rosters_answer (self, note, &e);
    if (rc && !strstr (e.text, says))
        fail_msg ("\"%s\", not \"%s\"", e.text, says);
    return rc;
}

static void test_new (void **state) {
    struct line *line = *state;
    struct error e = { 0 };
    struct hash other = line->dialogue;
    other.octets[0] ^= 1;
    assert_null (rosters_new (&other, line->at[1], &e));
    assert_int_equal (e.code, ERR_CONFIG);
    struct roster *unsigned_one = next_of (line->at[1], "'One'", "UNODC");
    assert_null (rosters_new (&line->dialogue, unsigned_one, &e));
    assert_int_equal (e.code, ERR_SIGNATURE);
    roster_unref (&unsigned_one);
    struct rosters *self = make (line, line->at[1]);
    assert_int_equal (rosters_newest_sequence (self), -1);
    assert_ptr_equal (rosters_newest (self), line->at[1]);
    rosters_destroy (&self);
    rosters_destroy (&self);
}

/* From the first file: newer ones by signatures. */
static void test_forward (void **state) {
    struct line *line = *state;
    struct rosters *self = make (line, line->at[1]);
    assert_int_equal (rosters_wanted (self), 2);
    assert_int_equal (answer (self, line->at[3], "does not follow"), ERR_CHAIN);
    assert_int_equal (answer (self, line->at[2], ""), 0);
    assert_int_equal (rosters_wanted (self), 3);
    struct roster *weak = next_of (line->at[2], "'One'", "UNODC");
    assert_int_equal (answer (self, weak, "1 of 3"), ERR_SIGNATURE);
    roster_unref (&weak);
    assert_int_equal (rosters_wanted (self), 3);
    assert_int_equal (answer (self, line->at[3], ""), 0);
    assert_int_equal (answer (self, NULL, ""), 0); /* NOT-FOUND */
    assert_int_equal (rosters_wanted (self), 0);
    assert_int_equal (roster_version (rosters_newest (self)), 3);
    rosters_ask_again (self);
    assert_int_equal (rosters_wanted (self), 4);
    struct error e;
    assert_int_equal (rosters_answer (self, slice_text ("no note"), &e),
                      ERR_MALFORMED);
    rosters_destroy (&self);
}

/* From a later file: back by digests to the dialogue id. */
static void test_back (void **state) {
    struct line *line = *state;
    struct rosters *self = make (line, line->at[4]);
    assert_int_equal (rosters_wanted (self), 5);
    assert_int_equal (answer (self, NULL, ""), 0);
    assert_int_equal (rosters_wanted (self), 3);
    assert_int_equal (answer (self, line->other[3], "another predecessor"),
                      ERR_CHAIN);
    assert_int_equal (answer (self, line->at[2], "another predecessor"),
                      ERR_CHAIN);
    assert_int_equal (answer (self, line->at[3], ""), 0);
    assert_int_equal (answer (self, line->at[2], ""), 0);
    assert_int_equal (rosters_wanted (self), 1);
    assert_int_equal (answer (self, NULL, "does not hold roster version 1"),
                      ERR_NOT_FOUND);
    assert_int_equal (answer (self, line->at[1], ""), 0);
    assert_int_equal (rosters_wanted (self), 0);
    rosters_destroy (&self);
}

/* `$log` brings them in order, and not of another branch. */
static void test_learn (void **state) {
    struct line *line = *state;
    struct rosters *self = make (line, line->at[4]);
    (void) answer (self, NULL, "");
    for (int i = 3; i >= 1; i--)
        assert_int_equal (answer (self, line->at[i], ""), 0);
    assert_int_equal (learn (self, line->at[2], 9, "another dialogue"),
                      ERR_CHAIN);
    assert_int_equal (learn (self, line->at[1], 0, ""), 0);
    assert_int_equal (learn (self, line->at[1], 0, ""), 0); /* held */
    assert_int_equal (learn (self, line->at[1], 5, "again"), ERR_CHAIN);
    assert_int_equal (learn (self, line->at[2], 2, ""), 0);
    assert_int_equal (learn (self, line->other[3], 7, "another branch"),
                      ERR_CHAIN);
    assert_int_equal (learn (self, line->at[3], 7, ""), 0);
    assert_int_equal (rosters_newest_sequence (self), -1);
    assert_int_equal (learn (self, line->at[4], 7, "stands at"), ERR_CHAIN);
    assert_int_equal (learn (self, line->at[4], 8, ""), 0);
    assert_int_equal (rosters_newest_sequence (self), 8);
    /* One that is newer than all that was known. */
    assert_int_equal (learn (self, line->at[6], 12, "missing"), ERR_CHAIN);
    assert_int_equal (learn (self, line->at[5], 12, ""), 0);
    assert_ptr_not_equal (rosters_newest (self), line->at[4]);
    assert_int_equal (roster_version (rosters_newest (self)), 5);
    assert_int_equal (rosters_newest_sequence (self), 12);
    assert_int_equal (roster_chain_count (rosters_chain (self)), 5);
    rosters_destroy (&self);
}

/* A new epoch may skip versions, on the way back and in `$log`. */
static void test_gap (void **state) {
    struct line *line = *state;
    struct error e = { 0 };
    char dialogue[HASH_TEXT_MAX];
    json_t *document = fixture_next (line->at[2], fixture_document());
    char key[BASE64_SIZE (KEY_SIZE)], text[BASE64_SIZE (KEY_SIZE) + 2];
    uint8_t octets[KEY_SIZE] = { 77 };
    snprintf (text, sizeof text, "'%s'", base64_encode (key, octets, KEY_SIZE));
    fixture_set (document, "log.key", text);
    fixture_set (document, "version", "6");
    fixture_set (document, "epoch",
                 "{'number':2,'base_size':9,'base_root':'"
                 "00000000000000000000000000000000000000000000000000000000"
                 "00000000'}");
    struct roster *later = fixture_read (
        document, hash_text (dialogue, &line->dialogue), "EUROPOL UNODC", &e);
    if (!later)
        fail_msg ("%s", e.text);

    struct rosters *self = make (line, later); /* back, with nothing known */
    (void) answer (self, NULL, "");
    for (int i = 5; i > 2; i--) {
        assert_int_equal (rosters_wanted (self), i);
        assert_int_equal (answer (self, NULL, ""), 0);
    }
    assert_int_equal (rosters_wanted (self), 2);
    assert_int_equal (answer (self, line->at[1], "predecessor"), ERR_CHAIN);
    assert_int_equal (answer (self, line->at[2], ""), 0);
    assert_int_equal (rosters_wanted (self), 1);
    assert_int_equal (answer (self, NULL, "does not hold"), ERR_NOT_FOUND);
    assert_int_equal (answer (self, line->at[1], ""), 0);
    for (int again = 0; again < 2; again++) { /* then by `$log` */
        assert_int_equal (learn (self, line->at[1], 0, ""), 0);
        assert_int_equal (learn (self, line->at[2], 2, ""), 0);
        if (!again)
            assert_int_equal (learn (self, line->at[3], 4, "another branch"),
                              ERR_CHAIN);
        assert_int_equal (learn (self, later, 9, ""), 0);
    }
    assert_int_equal (learn (self, line->at[4], 12, "skipped"), ERR_CHAIN);
    assert_int_equal (learn (self, line->at[2], 3, "stands at"), ERR_CHAIN);
    assert_int_equal (rosters_newest_sequence (self), 9);
    assert_int_equal (rosters_wanted (self), 0);
    rosters_destroy (&self);

    self = make (line, later); /* the store's chain ends where it begins */
    assert_int_equal (learn (self, line->at[1], 0, ""), 0);
    (void) answer (self, NULL, "");
    assert_int_equal (rosters_wanted (self), 5);
    assert_int_equal (learn (self, line->at[2], 2, ""), 0);
    assert_int_equal (rosters_wanted (self), 0);
    assert_int_equal (learn (self, later, 9, ""), 0);
    rosters_destroy (&self);
    roster_unref (&later);
}

/* Epochs, as the link takes them. */

static struct roster *opening (const struct line *line,
                               const struct roster *before, int version,
                               int base) {
    struct error e = { 0 };
    char dialogue[HASH_TEXT_MAX], number[8], epoch[160];
    char key[BASE64_SIZE (KEY_SIZE)], text[BASE64_SIZE (KEY_SIZE) + 2];
    uint8_t octets[KEY_SIZE] = { 77 };
    json_t *document = fixture_next (before, fixture_document());
    snprintf (text, sizeof text, "'%s'", base64_encode (key, octets, KEY_SIZE));
    snprintf (number, sizeof number, "%d", version);
    snprintf (epoch, sizeof epoch,
              "{'number':2,'base_size':%d,'base_root':'%064d'}", base, 0);
    fixture_set (document, "log.key", text);
    fixture_set (document, "version", number);
    fixture_set (document, "epoch", epoch);
    struct roster *next = fixture_read (
        document, hash_text (dialogue, &line->dialogue), "EUROPOL UNODC", &e);
    if (!next)
        fail_msg ("%s", e.text);
    return next;
}

struct gate {
    enum err says;
    int64_t entered; /* version */
};
static enum err gate_enter (void *arg, struct roster *next, struct error *e) {
    struct gate *self = arg;
    self->entered = roster_version (next);
    return self->says ? error_set (e, self->says, "the base is refused")
                      : ERR_NONE;
}

/* Versions 1 and 2 stand below the base, 3 is void; 4 and 5 never were. */
static struct rosters *before_epoch (const struct line *line,
                                     struct gate *gate) {
    struct rosters *self = make (line, line->at[1]);
    for (int i = 1; i <= 3; i++)
        assert_int_equal (learn (self, line->at[i], 4 * i - 4, ""), 0);
    rosters_guard (self, gate_enter, gate);
    return self;
}

static void test_epoch (void **state) {
    struct line *line = *state;
    struct gate gate = { 0 };
    struct roster *epoch = opening (line, line->at[2], 6, 7);
    struct roster *void_one = opening (line, line->at[3], 6, 7);
    struct rosters *self = before_epoch (line, &gate);
    assert_int_equal (rosters_wanted (self), 4);
    assert_int_equal (answer (self, NULL, ""), 0);
    assert_int_equal (rosters_wanted (self), ROSTERS_IN_FORCE);
    assert_int_equal (answer (self, epoch, ""), 0); /* its version alone */
    assert_int_equal (gate.entered, 0);
    assert_int_equal (rosters_wanted (self), 5);
    assert_int_equal (answer (self, NULL, ""), 0);
    assert_int_equal (rosters_wanted (self), 6);
    assert_int_equal (answer (self, void_one, "predecessor"), ERR_CHAIN);
    assert_int_equal (gate.entered, 0);
    gate.says = ERR_CHAIN;
    assert_int_equal (answer (self, epoch, "refused"), ERR_CHAIN);
    assert_int_equal (gate.entered, 6);
    assert_int_equal (roster_version (rosters_newest (self)), 3);
    assert_int_equal (roster_chain_count (rosters_chain (self)), 3);
    gate.says = ERR_NONE;
    assert_int_equal (answer (self, epoch, ""), 0);
    assert_int_equal (roster_version (rosters_newest (self)), 6);
    assert_int_equal (roster_chain_count (rosters_chain (self)), 2);
    assert_int_equal (rosters_wanted (self), 7);
    assert_int_equal (answer (self, NULL, ""), 0); /* 6 is in force */
    assert_int_equal (rosters_wanted (self), 0);
    assert_int_equal (learn (self, line->at[3], 8, "another branch"),
                      ERR_CHAIN);
    assert_int_equal (learn (self, epoch, 6, "at its base 7"), ERR_CHAIN);
    assert_int_equal (learn (self, epoch, 7, ""), 0);
    assert_int_equal (rosters_newest_sequence (self), 7);
    rosters_destroy (&self);
    roster_unref (&epoch);
    roster_unref (&void_one);
}

/* By `$log` alone nobody enters; by the desk without a gap, at once. */
static void test_epoch_asked (void **state) {
    struct line *line = *state;
    struct gate gate = { 0 };
    struct roster *epoch = opening (line, line->at[2], 4, 7);
    struct rosters *self = before_epoch (line, &gate);
    assert_int_equal (learn (self, epoch, 7, "asked of the desk"), ERR_STATE);
    assert_int_equal (gate.entered, 0);
    assert_int_equal (rosters_wanted (self), 4);
    assert_int_equal (answer (self, epoch, ""), 0);
    assert_int_equal (gate.entered, 4);
    assert_int_equal (learn (self, epoch, 7, ""), 0);
    rosters_destroy (&self);
    roster_unref (&epoch);
}

/* What the desk says of the one in force is no more than a hint. */
static void test_in_force (void **state) {
    struct line *line = *state;
    struct gate gate = { 0 };
    struct roster *far = opening (line, line->at[2], 3000, 7);
    struct rosters *self = before_epoch (line, &gate);
    (void) answer (self, NULL, "");
    assert_int_equal (answer (self, far, "is not to be had"), ERR_LIMIT);
    rosters_ask_again (self);
    (void) answer (self, NULL, "");
    assert_int_equal (answer (self, line->at[6], ""), 0);
    for (int version = 5; version <= 6; version++) {
        assert_int_equal (rosters_wanted (self), version);
        assert_int_equal (answer (self, NULL, ""), 0);
    }
    assert_int_equal (rosters_wanted (self), 0); /* none of them is there */
    rosters_ask_again (self);
    (void) answer (self, NULL, "");
    assert_int_equal (answer (self, line->at[2], ""), 0); /* an older one */
    assert_int_equal (rosters_wanted (self), 0);
    rosters_ask_again (self);
    (void) answer (self, NULL, "");
    assert_int_equal (answer (self, line->at[4], ""), 0); /* came meanwhile */
    assert_int_equal (roster_version (rosters_newest (self)), 4);
    assert_int_equal (gate.entered, 0);
    rosters_destroy (&self);
    roster_unref (&far);
}

/* A first roster that is not the dialogue's is none, whoever signed it. */
static void test_first (void **state) {
    struct line *line = *state;
    struct rosters *self = make (line, line->at[1]);
    struct roster *other = fixture_roster ("name", "'Other'", NULL);
    assert_int_equal (learn (self, other, 0, "another branch"), ERR_CHAIN);
    roster_unref (&other);
    assert_int_equal (roster_chain_count (rosters_chain (self)), 0);
    rosters_destroy (&self);
}

/* At a start the store's chain comes first, and the file may be newer, older,
 * or of another branch. */
static void test_restore (void **state) {
    struct line *line = *state;
    for (int file = 1; file <= 5; file++) {
        struct rosters *self = make (line, line->at[file]);
        for (int i = 1; i <= 3; i++)
            assert_int_equal (learn (self, line->at[i], 2 * i, ""), 0);
        int newest = file > 3 ? file : 3;
        assert_int_equal (roster_version (rosters_newest (self)), newest);
        (void) answer (self, NULL, "");
        assert_int_equal (rosters_wanted (self), file == 5 ? 4 : 0);
        rosters_destroy (&self);
    }
    struct rosters *self = make (line, line->other[3]);
    assert_int_equal (learn (self, line->at[1], 0, ""), 0);
    assert_int_equal (learn (self, line->at[2], 2, ""), 0);
    assert_int_equal (learn (self, line->at[3], 4, "another branch"),
                      ERR_CHAIN);
    rosters_destroy (&self);
    /* Found out where the two ends meet. */
    self = make (line, line->other[4]);
    for (int i = 1; i <= 2; i++)
        assert_int_equal (learn (self, line->at[i], 2 * i, ""), 0);
    assert_int_equal (learn (self, line->at[3], 6, "another predecessor"),
                      ERR_CHAIN);
    rosters_destroy (&self);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_new),         cmocka_unit_test (test_forward),
        cmocka_unit_test (test_back),        cmocka_unit_test (test_learn),
        cmocka_unit_test (test_first),       cmocka_unit_test (test_restore),
        cmocka_unit_test (test_gap),         cmocka_unit_test (test_epoch),
        cmocka_unit_test (test_epoch_asked), cmocka_unit_test (test_in_force),
    };
    return cmocka_run_group_tests (tests, line_begin, line_end);
}
