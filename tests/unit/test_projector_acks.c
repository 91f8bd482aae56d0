/* What the projector knows and says of acknowledgements: the set beside the
 * model, and the messages that it writes, each once. */
#include "projector_fixture.h"

#include "identity/checkpoint.h"
#include "plans/projector.h"
#include "store/checkpoints.h"
#include "store/epoch.h"
#include "store/outbox.h"
#include "store/read_marks.h"

/* One round: it reads all, says what is due, and ends. */

static struct hash ids[400]; /* of the records put, by sequence */
static char shown[4096];     /* what the set holds of one message */

static void acks_show (struct projector *self, int64_t sequence) {
    struct ack_by by[8];
    size_t used = 0;
    assert_non_null (projector_read (self, 60000));
    size_t count =
        acks_of (projector_acks (self), &ids[sequence], "all", by, 8);
    shown[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used +=
            (size_t) snprintf (shown + used, sizeof shown - used, "%s %s ",
                               by[i].delegation, ack_state_name (by[i].state));
    projector_release (self);
}

static void round_of (enum ack_state acknowledge, int64_t show) {
    struct projector_options options = { .store = store_path,
                                         .delegation = "EUROPOL/hq",
                                         .dialogue = &cast.dialogue,
                                         .acknowledge = acknowledge };
    struct projector *self = projector_new (&options, &e);
    if (!self)
        fail_msg ("%s", e.text);
    if (show >= 0)
        acks_show (self, show);
    else {
        assert_non_null (projector_read (self, 60000));
        projector_release (self);
    }
    projector_destroy (&self);
}

/* Records */

static void put (int64_t sequence, const struct identity *author,
                 const char *topic, const char *text, enum body_state state) {
    struct record_row row;
    message_put (sequence, author, topic, BODY_MAP, text, state);
    struct records_cursor *cursor =
        records_by_sequence (store, sequence, &row, &e);
    assert_non_null (cursor);
    ids[sequence] = row.message.id;
    records_close (&cursor);
}

static void say_put (int64_t sequence, const char *channel) {
    char topic[TOPIC_MAX + 1];
    snprintf (topic, sizeof topic, "%s/align/FRONTEX/FRONTEX-a", channel);
    put (sequence, cast.frontex, topic,
         "{'format':1,'thread':'FRONTEX-a','does':'comment','text':'x'}",
         BODY_PRESENT);
}

static void ack_put (int64_t sequence, const struct identity *author,
                     const char *entity, int64_t of, const char *word) {
    char topic[TOPIC_MAX + 1], text[256], id[HASH_TEXT_MAX];
    snprintf (topic, sizeof topic, "all/ack/%s", entity);
    snprintf (text, sizeof text,
              "{'format':1,'acks':[{'message':'%s','state':'%s'}]}",
              hash_text (id, &ids[of]), word);
    put (sequence, author, topic, text, BODY_PRESENT);
}

static void settle (int64_t size) {
    struct buf note = { 0 };
    struct checkpoint cp = { .size = size };
    checkpoint_origin (cast.roster, cp.origin);
    checkpoint_sign (&cp, cast.broker, &note);
    FINE (store_begin (store, &e));
    enum err rc = checkpoints_settle (store, &cp, BUILD_TIME, 1, false,
                                      buf_slice (&note), &e);
    FINE (store_end (store, rc, &e));
    buf_free (&note);
}

/* The outbox: all that was said, "TOPIC SEQUENCE state ...; ". */

struct said {
    size_t messages, acks;
    int64_t number;
    char text[4096];
};

static void ack_text (struct said *out, const json_t *ack) {
    struct hash id;
    int64_t sequence = -1;
    assert_int_equal (
        hash_parse (json_string_value (json_object_get (ack, "message")), &id),
        0);
    for (int64_t i = 0; i < (int64_t) (sizeof ids / sizeof *ids); i++)
        if (hash_equal (&ids[i], &id))
            sequence = i;
    size_t used = strlen (out->text);
    snprintf (out->text + used, sizeof out->text - used, " %" PRId64 " %s",
              sequence, json_string_value (json_object_get (ack, "state")));
    out->acks++;
}

static enum err said_take (void *arg, const struct outbox_message *message,
                           struct error *why) {
    struct said *out = arg;
    size_t i, used = strlen (out->text);
    json_t *ack;
    snprintf (out->text + used, sizeof out->text - used, "%s%s",
              used ? "; " : "", message->topic);
    json_t *body = mp_to_json (slice_of (message->body.data + BODY_SALT,
                                         message->body.size - BODY_SALT),
                               why);
    json_array_foreach (json_object_get (body, "acks"), i, ack)
        ack_text (out, ack);
    json_decref (body);
    out->messages++;
    out->number = message->number;
    return ERR_NONE;
}

static struct said said;
static void assert_said (const char *want) {
    said = (struct said){ 0 };
    FINE (outbox_list (store, -1, 0, 0, said_take, &said, &e));
    if (want && strcmp (said.text, want) != 0)
        fail_msg ("said \"%s\", not \"%s\"", said.text, want);
}

/* The newest one is recorded there, and was written so long ago. */
static void recorded (int64_t number, int64_t sequence) {
    struct hash leaf = { { 1 } }, id = { { (uint8_t) sequence } };
    struct outbox_form form = { .number = number,
                                .id = id,
                                .header = slice_text ("header") };
    FINE (outbox_sending (store, &form, 1, &e));
    FINE (outbox_found (store, &id, sequence, &leaf, &e));
}

static void age (int64_t ms) {
    sqlite3_stmt *s =
        store_prepare (store, "UPDATE outbox SET created = created - ?");
    sqlite3_bind_int64 (s, 1, ms);
    FINE (store_done (store, s, "outbox", &e));
}

/* Tests */

static void test_set (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "all", "FRONTEX-p");
    say_put (11, "all");
    ack_put (20, cast.frontex, "FRONTEX", 11, "verified");
    ack_put (21, cast.hq, "EUROPOL", 11, "verified");
    ack_put (22, cast.hq, "EUROPOL", 11, "seen");
    ack_put (23, cast.frontex, "EUROPOL", 11, "seen");  /* not theirs */
    ack_put (24, cast.frontex, "FRONTEX", 11, "loved"); /* no state */
    round_of (ACK_NONE, 11);
    assert_string_equal (shown, "EUROPOL/hq seen FRONTEX/hq verified ");
    assert_said (""); /* nothing is said unless the policy says so */
    /* While it runs: more, a right that is taken, an epoch. */
    struct projector_options options = { .store = store_path,
                                         .delegation = "EUROPOL/hq",
                                         .dialogue = &cast.dialogue };
    struct projector *self = projector_new (&options, &e);
    assert_non_null (self);
    acks_show (self, 11);
    ack_put (25, cast.frontex, "FRONTEX", 11, "seen");
    do {
        projector_wake (self);
        acks_show (self, 11);
    } while (strcmp (shown, "EUROPOL/hq seen FRONTEX/hq seen ") != 0);
    struct epoch_void gone;
    FINE (store_begin (store, &e));
    enum err rc = epoch_cut (store, 2, 22, &gone, &e);
    FINE (store_end (store, rc, &e));
    do {
        projector_wake (self);
        acks_show (self, 11);
    } while (strcmp (shown, "EUROPOL/hq verified FRONTEX/hq verified ") != 0);
    struct roster *next =
        next_roster ("channels[0].readers", "['delegation:FRONTEX/hq']",
                     "channels[0].writers", "['delegation:FRONTEX/hq']");
    roster_put (next, 40);
    do { /* own words stay */
        projector_wake (self);
        acks_show (self, 11);
    } while (strcmp (shown, "EUROPOL/hq verified ") != 0);
    projector_destroy (&self);
    roster_unref (&next);
}

static void test_verified (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    put (10, cast.frontex, "all/annex/FRONTEX/FRONTEX-p", "{'format':1}",
         BODY_PRESENT);
    say_put (11, "all");
    put (12, cast.frontex, "all/text/x", "{'a':1}", BODY_PRESENT);
    put (13, cast.hq, "all/plan/EUROPOL/EUROPOL-p", "{'format':1}",
         BODY_PRESENT);
    put (14, cast.frontex, "all/plan/FRONTEX/FRONTEX-q", "{'format':1}",
         BODY_ERASED);
    put (15, cast.frontex, "all/report/FRONTEX/FRONTEX-p", "{'format':1}",
         BODY_PRESENT);
    say_put (16, "core");
    say_put (17, "late"); /* not for us */
    ack_put (18, cast.frontex, "FRONTEX", 11, "verified");
    say_put (30, "all");
    round_of (ACK_VERIFIED, -1);
    assert_said ("");
    settle (30);
    /* Again and again: once. */
    for (int again = 0; again < 3; again++) {
        round_of (ACK_VERIFIED, -1);
        assert_said ("all/ack/EUROPOL 10 verified 11 verified; "
                     "core/ack/EUROPOL 16 verified");
    }
    /* What comes meanwhile waits until the one before is back, and is old. */
    int64_t first = said.number - 1;
    settle (31);
    round_of (ACK_VERIFIED, -1);
    recorded (first, 40);
    age (11000);
    round_of (ACK_VERIFIED, -1);
    assert_said ("all/ack/EUROPOL 10 verified 11 verified; "
                 "core/ack/EUROPOL 16 verified");
    ack_put (40, cast.hq, "EUROPOL", 10, "verified");
    ack_put (41, cast.hq, "EUROPOL", 11, "verified");
    age (-11000);
    round_of (ACK_VERIFIED, -1);
    assert_int_equal ((assert_said (NULL), said.messages), 2);
    age (11000);
    round_of (ACK_VERIFIED, -1);
    assert_said ("all/ack/EUROPOL 10 verified 11 verified; "
                 "core/ack/EUROPOL 16 verified; all/ack/EUROPOL 30 verified");
    /* One that was taken back waits for an hour. */
    FINE (outbox_cancel (store, said.number, &e));
    age (11000);
    round_of (ACK_VERIFIED, -1);
    assert_int_equal ((assert_said (NULL), said.messages), 3);
    age (3600000);
    round_of (ACK_VERIFIED, -1);
    assert_int_equal ((assert_said (NULL), said.messages), 4);
}

/* Where we may not write nothing is said. */
static void test_mute (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    struct roster *next = next_roster ("channels[1].writers",
                                       "['delegation:FRONTEX/hq']", NULL, NULL);
    roster_put (next, 5);
    say_put (10, "core");
    settle (20);
    round_of (ACK_SEEN, -1);
    assert_said ("");
    roster_unref (&next);
}

static void test_seen (void **state) {
    (void) state;
    static const char topic[] = "all/align/FRONTEX/FRONTEX-a";
    roster_put (cast.roster, 0);
    for (int64_t i = 10; i < 14; i++)
        say_put (i, "all");
    ack_put (14, cast.hq, "EUROPOL", 10, "seen");
    ack_put (15, cast.hq, "EUROPOL", 11, "verified");
    settle (20);
    FINE (read_marks_set (store, "anna", topic, 11, &e));
    FINE (read_marks_set (store, "ben", topic, 12, &e));
    round_of (ACK_VERIFIED, -1);
    assert_said ("all/ack/EUROPOL 12 verified 13 verified");
    FINE (outbox_cancel (store, said.number, &e));
    age (3600000);
    round_of (ACK_SEEN, -1);
    assert_said ("all/ack/EUROPOL; " /* its body went */
                 "all/ack/EUROPOL 11 seen 12 seen 13 verified");
}

static void test_many (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    for (int64_t i = 10; i < 10 + ACKS_MAX + 5; i++)
        say_put (i, "all");
    settle (400);
    round_of (ACK_VERIFIED, -1);
    assert_said (NULL);
    assert_int_equal (said.messages, 1);
    assert_int_equal (said.acks, ACKS_MAX);
}

/* A file's manifest, once its parts are there. */
static void test_files (void **state) {
    (void) state;
    char text[512], topic[TOPIC_MAX + 1], hex[HASH_TEXT_MAX], part[65];
    struct hash sha = hash_sha256 (slice_text ("content"));
    snprintf (part, sizeof part, "%s", hash_text (hex, &sha));
    snprintf (topic, sizeof topic, "all/file/FRONTEX/%.32s", part);
    snprintf (text, sizeof text,
              "{'format':1,'file':'%.32s','name':'a.txt','type':'text/plain',"
              "'size':7,'sha256':'%s','parts':[{'size':7,'sha256':'%s'}]}",
              part, part, part);
    roster_put (cast.roster, 0);
    put (10, cast.frontex, topic, text, BODY_PRESENT);
    put (11, cast.frontex, topic, "{'format':1}", BODY_PRESENT); /* is none */
    settle (20);
    round_of (ACK_VERIFIED, -1);
    assert_said ("");
    message_put (9, cast.frontex, topic, BODY_OCTETS, "content", BODY_PRESENT);
    round_of (ACK_VERIFIED, -1);
    assert_said ("all/ack/EUROPOL 10 verified");
}

int main (void) {
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = {
        TEST (test_set),  TEST (test_verified), TEST (test_mute),
        TEST (test_seen), TEST (test_many),     TEST (test_files),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
