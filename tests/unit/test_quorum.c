/* Who of a roster's witnesses cosigned, what is settled, and the handover. */
#include "identity/quorum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "roster_fixture.h"

#define MEMBERS 5
#define T INT64_C (1780000000) /* 2026-05-28 */
#define UNTIL "'2026-06-01'"   /* 1780272000 */

/* W0/hq to W4/hq; each has a second, older identity under the same name. */
static struct identity *members[MEMBERS], *older[MEMBERS];
static struct identity *broker;

static struct identity *seeded (enum identity_kind kind, const char *name,
                                const char *what) {
    struct hash seed = hash_sha256 (slice_text (what));
    struct identity *self = identity_from_seed (kind, name, seed.octets, NULL);
    assert_non_null (self);
    return self;
}

static int people_make (void **state) {
    (void) state;
    char name[16], what[32];
    broker = seeded (IDENTITY_BROKER, "lyon", "quorum broker");
    for (int i = 0; i < MEMBERS; i++) {
        snprintf (name, sizeof name, "W%d/hq", i);
        members[i] = seeded (IDENTITY_DELEGATION, name, name);
        snprintf (what, sizeof what, "%s older", name);
        older[i] = seeded (IDENTITY_DELEGATION, name, what);
    }
    return 0;
}

static int people_free (void **state) {
    (void) state;
    identity_destroy (&broker);
    for (int i = 0; i < MEMBERS; i++) {
        identity_destroy (&members[i]);
        identity_destroy (&older[i]);
    }
    return 0;
}

static json_t *keyset_json (const struct identity *who, const char *until) {
    static const char *const names[] = { "sign", "note", "witness", "seal",
                                         "link" };
    static const enum identity_key which[] = { KEY_SIGN, KEY_NOTE, KEY_WITNESS,
                                               KEY_SEAL, KEY_LINK };
    json_t *set = json_object();
    char base64[BASE64_SIZE (KEY_SIZE)];
    for (size_t i = 0; i < 5; i++)
        json_object_set_new (
            set, names[i],
            json_string (base64_encode (base64, identity_public (who, which[i]),
                                        KEY_SIZE)));
    if (until)
        json_object_set_new (set, "until", json_string (until));
    return set;
}

/* The fixture with the entities W0 to W4 and these witnesses ("134"), with more
 * changes in `edit`: path, value, ..., NULL. */
static struct roster *with_witnesses (const char *who, int quorum,
                                      const char *const *edit) {
    json_t *document = fixture_document();
    json_t *entities = json_object_get (document, "entities");
    json_t *witnesses = json_array();
    char text[200];
    for (int i = 0; i < MEMBERS; i++) {
        snprintf (text, sizeof text,
                  "{'id':'W%d','name':'W','role':'member','sector':'police',"
                  "'regions':[],'delegations':[{'id':'hq','keys':[]}]}",
                  i);
        json_t *entity = fixture_json (text);
        json_t *keys = json_object_get (
            json_array_get (json_object_get (entity, "delegations"), 0),
            "keys");
        json_array_append_new (keys, keyset_json (members[i], NULL));
        json_array_append_new (entities, entity);
    }
    for (const char *p = who; *p; p++) {
        snprintf (text, sizeof text, "W%c/hq", *p);
        json_array_append_new (witnesses, json_string (text));
    }
    json_object_set_new (document, "witnesses", witnesses);
    json_object_set_new (document, "quorum", json_integer (quorum));
    for (; edit && edit[0]; edit += 2)
        fixture_set (document, edit[0], edit[1]);
    struct error e = { 0 };
    struct roster *roster = fixture_read (document, "-", "EUROPOL FRONTEX", &e);
    if (!roster)
        fail_msg ("%s", e.text);
    return roster;
}

/* A note, cosigned by "0@5": W0 at T + 5; 'o' in front: its older key; 'x' in
 * front: a line that is wrong. */
static void note_of (struct buf *octets, struct checkpoint *cp,
                     struct note *note, const char *who) {
    struct checkpoint made = { .origin = "example.org/test/1", .size = 4 };
    struct checkpoint wrong = made;
    wrong.size = 5;
    buf_clear (octets);
    checkpoint_sign (&made, broker, octets);
    for (; *who; who += *who == ' ') {
        const bool is_older = *who == 'o', is_wrong = *who == 'x';
        char *end;
        who += is_older || is_wrong;
        const int i = *who - '0';
        const long at = strtol (who + 2, &end, 10);
        checkpoint_cosign (is_wrong ? &wrong : &made,
                           is_older ? older[i] : members[i], T + at, octets);
        who = end;
    }
    assert_int_equal (checkpoint_read (buf_slice (octets), cp, note, NULL), 0);
}

static void times_and_counts (void **state) {
    (void) state;
    static const struct {
        const char *witnesses, *cosigned;
        int quorum;
        size_t count, bad;
        int64_t time, bound; /* behind T; -1: 0 */
    } cases[] = {
        { "", "", 0, 0, 0, -1, -1 },
        { "", "0@1 1@2", 0, 0, 0, -1, -1 },
        { "012", "", 2, 0, 0, -1, -1 },
        { "012", "3@1 4@1", 2, 0, 0, -1, -1 },
        { "012", "2@7", 2, 1, 0, -1, 7 }, /* f = 0 */
        { "012", "2@7 0@9", 2, 2, 0, 9, 7 },
        { "012", "2@7 0@9 1@3", 2, 3, 0, 7, 3 },
        { "012", "2@7 0@7 1@7", 2, 3, 0, 7, 7 },
        { "012", "2@7 x0@1", 2, 1, 1, -1, 7 },
        { "012", "2@7 0@1 0@1", 2, 1, 1, -1, 7 }, /* twice is none */
        { "012", "2@7 x0@1 x1@1", 2, 1, 2, -1, 7 },
        { "01234", "0@5 1@4 2@3 3@2 4@1", 4, 5, 0, 4, 3 }, /* f = 2 */
        { "01234", "0@5 1@4", 4, 2, 0, -1, -1 },
        { "01234", "0@5 1@4 2@3", 4, 3, 0, -1, 5 },
        { "0", "0@5", 1, 1, 0, 5, 5 }, /* f = 0 */
        { "01", "0@5 1@6", 2, 2, 0, 6, 6 },
        { "012", "0@5 1@6 2@4", 1, 3, 0, 4, -1 },  /* f = -2 */
        { "0123", "0@5 1@6 2@4", 2, 3, 0, 5, -1 }, /* f = -1 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct roster *roster =
            with_witnesses (cases[i].witnesses, cases[i].quorum, NULL);
        struct buf octets = { 0 };
        struct checkpoint cp;
        struct note note;
        struct quorum out;
        size_t bad = 99;
        note_of (&octets, &cp, &note, cases[i].cosigned);
        quorum_judge (roster, &cp, &note, &out, &bad);
        const int64_t time = cases[i].time < 0 ? 0 : T + cases[i].time;
        const int64_t bound = cases[i].bound < 0 ? 0 : T + cases[i].bound;
        if (out.witnesses != strlen (cases[i].witnesses)
            || out.needed != (size_t) cases[i].quorum
            || out.cosigned != cases[i].count || bad != cases[i].bad
            || out.time != time || out.bound != bound
            || quorum_whole (&out) != (out.cosigned >= out.needed))
            fail_msg ("%s of %s: %zu, %zu bad, time %jd, bound %jd",
                      cases[i].cosigned, cases[i].witnesses, out.cosigned, bad,
                      (intmax_t) (out.time - T), (intmax_t) (out.bound - T));
        quorum_judge (roster, &cp, &note, &out, NULL);
        buf_free (&octets);
        roster_unref (&roster);
    }
}

/* A line that is dated far from the mark counts for the quorum, not for when. */
static void times_near_a_mark (void **state) {
    (void) state;
    static const struct {
        const char *cosigned;
        int64_t mark; /* ms behind T; -1: none is held */
        int64_t time, bound;
    } cases[] = {
        { "0@5 1@9 2@7", 5000, 7, 5 },
        { "0@5 1@9 2@7", -1, 7, 5 },
        { "0@1 1@251 2@300", 126000, 251, 1 }, /* the ends of it */
        { "0@1 1@251 2@300", 125000, -1, 1 },
        { "0@1 1@252 2@300", 127999, -1, 252 },
        { "0@2 1@252 2@300", 127999, 252, 2 },
        { "0@2 1@9000 2@9000", 2000, -1, 2 },
        { "0@2 1@9000 2@9000", 9000000, 9000, 9000 },
    };
    struct roster *roster = with_witnesses ("012", 2, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf octets = { 0 };
        struct checkpoint cp;
        struct note note;
        struct quorum out;
        note_of (&octets, &cp, &note, cases[i].cosigned);
        quorum_judge (roster, &cp, &note, &out, NULL);
        quorum_near (&out, cases[i].mark < 0 ? 0 : 1000 * T + cases[i].mark);
        if (out.time != (cases[i].time < 0 ? 0 : T + cases[i].time)
            || out.bound != (cases[i].bound < 0 ? 0 : T + cases[i].bound)
            || out.cosigned != 3 || !quorum_whole (&out))
            fail_msg ("%s by %jd: time %jd, bound %jd", cases[i].cosigned,
                      (intmax_t) cases[i].mark, (intmax_t) (out.time - T),
                      (intmax_t) (out.bound - T));
        buf_free (&octets);
    }
    roster_unref (&roster);
}

static void times_stand_in_the_rosters_order (void **state) {
    (void) state;
    struct roster *roster = with_witnesses ("201", 2, NULL);
    struct buf octets = { 0 };
    struct checkpoint cp;
    struct note note;
    struct quorum out;
    note_of (&octets, &cp, &note, "0@5 2@6");
    quorum_judge (roster, &cp, &note, &out, NULL);
    assert_int_equal (out.times[0], T + 6);
    assert_int_equal (out.times[1], T + 5);
    assert_int_equal (out.times[2], 0);
    buf_free (&octets);
    roster_unref (&roster);
}

/* W0's place in the fixture's entities */
#define W0 "entities[4].delegations[0]"

static void keys_count_while_they_are_valid (void **state) {
    (void) state;
    static const struct {
        const char *edit[3], *cosigned;
        int64_t at; /* -1: none */
        bool older, bad;
    } cases[] = {
        { { NULL }, "0@5", 5, false, false },
        { { NULL }, "o0@5", -1, false, false },
        { { NULL }, "0@5", 5, true, false },
        { { NULL }, "o0@5", 5, true, false },
        { { NULL }, "o0@271999", 271999, true, false },
        { { NULL }, "o0@272000", -1, true, true }, /* its `until` */
        { { NULL }, "0@272000", 272000, true, false },
        { { NULL }, "o0@4 0@5", 5, true, false },
        { { W0 ".expires", UNTIL, NULL }, "0@271999", 271999, false, false },
        { { W0 ".expires", UNTIL, NULL }, "0@272000", -1, false, true },
        { { W0 ".revoked", "true", NULL }, "0@5", -1, false, true },
        { { W0 ".keys", "[]", NULL }, "0@5", -1, false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *set = keyset_json (older[0], "2026-06-01");
        char *text = json_dumps (set, 0);
        const char *const old_edit[] = { W0 ".keys[1]", text, NULL };
        struct roster *roster =
            with_witnesses ("0", 1, cases[i].older ? old_edit : cases[i].edit);
        struct buf octets = { 0 };
        struct checkpoint cp;
        struct note note;
        int64_t time = 7;
        struct error e = { 0 };
        note_of (&octets, &cp, &note, cases[i].cosigned);
        enum err rc = quorum_cosigned (roster_witness_at (roster, 0), &cp,
                                       &note, &time, &e);
        assert_int_equal (e.code, rc);
        if (rc != (cases[i].bad ? ERR_SIGNATURE : ERR_NONE)
            || time != (cases[i].at < 0 ? 0 : T + cases[i].at))
            fail_msg ("case %zu: %s, %jd", i, e.text, (intmax_t) (time - T));
        buf_free (&octets);
        roster_unref (&roster);
        json_decref (set);
        free (text);
    }
}

static void what_settles (void **state) {
    (void) state;
    static const struct {
        const char *last, *now, *cosigned, *what; /* last NULL: none settled */
        int last_quorum, quorum;
    } cases[] = {
        { NULL, "012", "0@1 1@1", NULL, 0, 2 },
        { NULL, "012", "0@1", "1 of the 2", 0, 2 },
        { NULL, "012", "0@1 x1@1", "1 that are wrong", 0, 2 },
        { NULL, "", "", NULL, 0, 0 },
        { "012", "012", "0@1 1@1", NULL, 2, 2 },
        { "012", "123", "1@1 2@1", NULL, 2, 2 },
        { "012", "123", "0@1 1@1", "1 of the 2", 2, 2 },
        { "012", "123", "1@1 3@1", "handover: 1 of the 2", 2, 2 },
        { "012", "34", "3@1 4@1", "handover: 0 of the 2", 2, 2 },
        { "012", "34", "0@1 1@1", "0 of the 2", 2, 2 },
        { "012", "34", "0@1 1@1 3@1 4@1", NULL, 2, 2 },
        { "012", "", "", "handover: 0 of the 2", 2, 0 },
        { "012", "", "0@1 1@1", NULL, 2, 0 },
        { "", "012", "0@1 1@1", NULL, 0, 2 },
        { "", "012", "", "0 of the 2", 0, 2 },
        { "012", "012", "0@1 1@1", "handover: 2 of the 3", 3, 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct roster *last =
            cases[i].last
                ? with_witnesses (cases[i].last, cases[i].last_quorum, NULL)
                : NULL;
        struct roster *now =
            with_witnesses (cases[i].now, cases[i].quorum, NULL);
        struct buf octets = { 0 };
        struct checkpoint cp;
        struct note note;
        struct error e = { 0 };
        note_of (&octets, &cp, &note, cases[i].cosigned);
        enum err rc = quorum_settles (last, now, &cp, &note, &e);
        if (rc != (cases[i].what ? ERR_RIGHT : ERR_NONE) || e.code != rc
            || (cases[i].what && !strstr (e.text, cases[i].what)))
            fail_msg ("case %zu: %s", i, e.text);
        buf_free (&octets);
        roster_unref (&last);
        roster_unref (&now);
    }
}

/* In another epoch the old witnesses are not asked: their log is void. */
static void an_epoch_has_no_handover (void **state) {
    (void) state;
    struct roster *last = with_witnesses ("012", 2, NULL);
    char text[HASH_TEXT_MAX];
    json_t *document = fixture_next (last, fixture_document());
    fixture_set (document, "epoch",
                 "{'number':2,'base_size':3,'base_root':"
                 "'00000000000000000000000000000000"
                 "00000000000000000000000000000000'}");
    fixture_set (document, "log.key", "'$another log'");
    fixture_set (document, "witnesses", "[]");
    fixture_set (document, "quorum", "0");
    struct error e = { 0 };
    struct roster *now =
        fixture_read (document, hash_text (text, roster_dialogue (last)),
                      "EUROPOL FRONTEX", &e);
    if (!now)
        fail_msg ("%s", e.text);
    struct buf octets = { 0 };
    struct checkpoint cp;
    struct note note;
    note_of (&octets, &cp, &note, "");
    assert_int_equal (quorum_settles (last, now, &cp, &note, &e), ERR_NONE);
    assert_int_equal (quorum_settles (now, last, &cp, &note, &e), ERR_RIGHT);
    buf_free (&octets);
    roster_unref (&last);
    roster_unref (&now);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (times_and_counts),
        cmocka_unit_test (times_near_a_mark),
        cmocka_unit_test (times_stand_in_the_rosters_order),
        cmocka_unit_test (keys_count_while_they_are_valid),
        cmocka_unit_test (what_settles),
        cmocka_unit_test (an_epoch_has_no_handover),
    };
    return cmocka_run_group_tests (tests, people_make, people_free);
}
