/* Each rule that judge decides, in the order in which it does. */
#include "commit_fixture.h"

#include "judge.h"

#define AT BUILD_TIME /* the log time, where nothing else is said */
#define LATER INT64_C (1798761600000)     /* 2027-01-01: EUROPOL/ec3 expires */
#define OLD_UNTIL INT64_C (1780272000000) /* 2026-06-01: EUROPOL/hq's old set */

/* The second roster (in force): another seal key for a reader of `core`, a
 * reader fewer on `all`, a channel more, three lanes a day. */
static struct cast cast;
static struct identity *old_hq, *old_ec3, *unodc, *stranger;
static struct roster *first, *second;

static json_t *document (void) {
    json_t *d = cast_document (&cast);
    cast_key (d, "entities[0].delegations[0].keys[1].sign",
              identity_public (old_hq, KEY_SIGN));
    fixture_set (d, "entities[0].delegations[1].keys[1]", "'$old:EUROPOL/ec3'");
    cast_key (d, "entities[0].delegations[1].keys[1].sign",
              identity_public (old_ec3, KEY_SIGN));
    cast_key (d, "entities[2].delegations[0].keys[0].sign",
              identity_public (unodc, KEY_SIGN));
    return d;
}

static int begin (void **state) {
    (void) state;
    cast_begin (&cast);
    uint8_t seed[4][KEY_SIZE] = { { 1 }, { 2 }, { 3 }, { 4 } };
    old_hq =
        identity_from_seed (IDENTITY_DELEGATION, "EUROPOL/hq", seed[0], NULL);
    unodc = identity_from_seed (IDENTITY_DELEGATION, "UNODC/hq", seed[1], NULL);
    stranger =
        identity_from_seed (IDENTITY_DELEGATION, "EUROPOL/hq", seed[2], NULL);
    old_ec3 =
        identity_from_seed (IDENTITY_DELEGATION, "EUROPOL/ec3", seed[3], NULL);
    first = cast_roster (document());
    json_t *d = fixture_next (first, document());
    fixture_set (d, "entities[1].delegations[0].keys[0].seal",
                 "'$set:another'");
    cast_key (d, "entities[1].delegations[0].keys[0].seal",
              identity_public (stranger, KEY_SEAL));
    fixture_set (d, "channels[0].readers", "['entity:EUROPOL']");
    fixture_set (d, "channels[0].writers", "['entity:EUROPOL']");
    fixture_set (d, "channels[3]",
                 "{'id':'same','title':'T','readers':['entity:EUROPOL'],"
                 "'writers':['entity:EUROPOL']}");
    fixture_set (d, "limits.lanes_a_day", "3");
    char dialogue[HASH_TEXT_MAX];
    struct error e;
    second = fixture_read (d, hash_text (dialogue, roster_dialogue (first)),
                           "EUROPOL FRONTEX", &e);
    if (!second)
        fail_msg ("%s", e.text);
    return 0;
}

static int end (void **state) {
    (void) state;
    roster_unref (&first);
    roster_unref (&second);
    identity_destroy (&old_hq);
    identity_destroy (&old_ec3);
    identity_destroy (&unodc);
    identity_destroy (&stranger);
    cast_end (&cast);
    return 0;
}

static const struct roster *older (void *arg, int64_t version) {
    ++*(int *) arg;
    return version == 1 ? first : NULL;
}

/* A ledger on which EUROPOL/hq has used 3 and 4 of lane 1 (records 0 and 1),
 * and 2,000 of lane 2 (record 2). */
static struct counters *ledger (void) {
    static const struct post posts[] = { { "all/a", 1, 3, 0, 0 },
                                         { "all/a", 1, 4, 0, 0 },
                                         { "all/b", 2, 2000, 0, 0 } };
    struct counters *self = counters_new();
    struct job *job =
        job_of (roster_dialogue (first), "EUROPOL/hq", cast.hq, NULL, posts, 3);
    for (size_t i = 0; i < 3; i++) {
        struct record r = { .sequence = (int64_t) i,
                            .log_time = AT,
                            .epoch = 1,
                            .channel = slice_text ("all"),
                            .channel_sequence = 1 + (int64_t) i };
        counters_take (self, &r, &job->batch.items[i].message);
    }
    job_drop (&job);
    return self;
}

static int asked; /* for an older roster */

static struct judge judge_at (const struct counters *counters, int64_t at) {
    asked = 0;
    return (struct judge){ .dialogue = roster_dialogue (first),
                           .roster = second,
                           .counters = counters,
                           .log_time = at,
                           .older = older,
                           .arg = &asked };
}

static void same_text (const char *name, const struct refusal *why,
                       const char *want) {
    char text[REFUSAL_TEXT_MAX], key[HEX_SIZE (KEY_ID_SIZE)] = "";
    refusal_print (why, text);
    char *at = strstr (text, " key=");
    if (at) { /* ids of keys are not repeated in the tables */
        memcpy (key, at + 5, HEX_SIZE (KEY_ID_SIZE) - 1);
        memmove (at, at + 5 + 16, strlen (at + 5 + 16) + 1);
    }
    if (strcmp (text, want) != 0)
        fail_msg ("%s: %s", name, text);
}

/* Batches. Several faults stand in one where the order says which is told. */

enum who { HQ, EC3, FRONTEX, OLD_HQ, OLD_EC3, UNODC, STRANGER, NOBODY };
static const struct identity *identity_of (enum who who) {
    const struct identity *const all[] = { cast.hq,  cast.ec3, cast.frontex,
                                           old_hq,   old_ec3,  unodc,
                                           stranger, NULL };
    return all[who];
}

enum spoil {
    NOTHING,
    SIGNATURE = 1,     /* the author's is of other octets */
    VIA_SIGNATURE = 2, /* the submitter's is */
    VERIFIED = 4,      /* intake did, under the roster's keys */
    VERIFIED_OTHER = 8 /* it did, under keys that are not the roster's */
};

static void test_batch (void **state) {
    (void) state;
    static const struct {
        const char *name, *connection;
        enum who author, submitter;
        int spoil;
        int64_t at;
        const char *want; /* "": none */
    } rows[] = {
        { "VIA-NOT-WANTED first", "EUROPOL/hq", STRANGER, FRONTEX, SIGNATURE,
          AT, "VIA-NOT-WANTED author=EUROPOL/hq" },
        { "VIA-NEEDED", "FRONTEX/hq", STRANGER, NOBODY, SIGNATURE, AT,
          "VIA-NEEDED author=EUROPOL/hq connection=FRONTEX/hq" },
        { "VIA-NEEDED within an entity", "EUROPOL/ec3", HQ, NOBODY, NOTHING, AT,
          "VIA-NEEDED author=EUROPOL/hq connection=EUROPOL/ec3" },
        { "BAD-VIA of another", "EUROPOL/ec3", STRANGER, FRONTEX, NOTHING, AT,
          "BAD-VIA submitter=FRONTEX/hq why=the connection is another "
          "delegation's" },
        { "UNKNOWN-KEY", "EUROPOL/hq", STRANGER, NOBODY, SIGNATURE, AT,
          "UNKNOWN-KEY author=EUROPOL/hq" },
        { "UNKNOWN-KEY before via", "FRONTEX/hq", STRANGER, FRONTEX,
          VIA_SIGNATURE, AT, "UNKNOWN-KEY author=EUROPOL/hq" },
        { "last moment", "EUROPOL/ec3", EC3, NOBODY, NOTHING, LATER - 1, "" },
        { "EXPIRED-KEY", "EUROPOL/ec3", EC3, NOBODY, SIGNATURE, LATER,
          "EXPIRED-KEY author=EUROPOL/ec3 until=1798761600000" },
        { "old set", "EUROPOL/hq", OLD_HQ, NOBODY, NOTHING, OLD_UNTIL - 1, "" },
        { "EXPIRED-KEY old set", "EUROPOL/hq", OLD_HQ, NOBODY, VERIFIED,
          OLD_UNTIL, "EXPIRED-KEY author=EUROPOL/hq until=1780272000000" },
        { "EXPIRED-KEY old set first", "EUROPOL/ec3", OLD_EC3, NOBODY, NOTHING,
          LATER, "EXPIRED-KEY author=EUROPOL/ec3 until=1780272000000" },
        { "REVOKED", "UNODC/hq", UNODC, NOBODY, SIGNATURE, AT,
          "REVOKED author=UNODC/hq" },
        { "BAD-SIGNATURE", "EUROPOL/hq", HQ, NOBODY, SIGNATURE, AT,
          "BAD-SIGNATURE author=EUROPOL/hq" },
        { "verified before", "EUROPOL/hq", HQ, NOBODY, SIGNATURE | VERIFIED, AT,
          "" },
        { "verified under another key", "EUROPOL/hq", HQ, NOBODY,
          SIGNATURE | VERIFIED_OTHER, AT, "BAD-SIGNATURE author=EUROPOL/hq" },
        { "BAD-SIGNATURE before via", "FRONTEX/hq", HQ, FRONTEX,
          SIGNATURE | VIA_SIGNATURE, AT, "BAD-SIGNATURE author=EUROPOL/hq" },
        { "BAD-VIA", "FRONTEX/hq", HQ, FRONTEX, VIA_SIGNATURE, AT,
          "BAD-VIA submitter=FRONTEX/hq why=its signature does not verify" },
        { "BAD-VIA verified under another key", "FRONTEX/hq", HQ, FRONTEX,
          VIA_SIGNATURE | VERIFIED_OTHER, AT,
          "BAD-VIA submitter=FRONTEX/hq why=its signature does not verify" },
        { "via verified before", "FRONTEX/hq", HQ, FRONTEX,
          VIA_SIGNATURE | VERIFIED, AT, "" },
        { "BAD-VIA expired", "EUROPOL/ec3", HQ, EC3, NOTHING, LATER,
          "BAD-VIA submitter=EUROPOL/ec3 why=its key is expired" },
        { "BAD-VIA revoked", "UNODC/hq", HQ, UNODC, NOTHING, AT,
          "BAD-VIA submitter=UNODC/hq why=its key is revoked" },
        { "BAD-VIA unknown", "EUROPOL/hq", FRONTEX, STRANGER, NOTHING, AT,
          "BAD-VIA submitter=EUROPOL/hq why=its key is unknown" },
        { "fine", "EUROPOL/hq", HQ, NOBODY, NOTHING, AT, "" },
        { "fine via", "FRONTEX/hq", HQ, FRONTEX, NOTHING, AT, "" },
    };
    struct counters *counters = ledger();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct identity *author = identity_of (rows[i].author);
        const struct identity *submitter = identity_of (rows[i].submitter);
        struct job *job =
            job_of (roster_dialogue (first), rows[i].connection, author,
                    submitter, &(struct post){ "all/a", 9, 1, 0, 0 }, 1);
        static const uint8_t zeros[SIGNATURE_SIZE];
        if (rows[i].spoil & SIGNATURE)
            job->batch.signature = zeros;
        if (rows[i].spoil & VIA_SIGNATURE)
            job->batch.via.signature = zeros;
        job->batch_verified = job->via_verified =
            (rows[i].spoil & (VERIFIED | VERIFIED_OTHER)) != 0;
        if (rows[i].spoil & VERIFIED) {
            memcpy (job->key, identity_public (author, KEY_SIGN), KEY_SIZE);
            if (submitter)
                memcpy (job->via_key, identity_public (submitter, KEY_SIGN),
                        KEY_SIZE);
        }
        struct judge judge = judge_at (counters, rows[i].at);
        struct refusal why;
        enum err rc = judge_batch (&judge, job, &why);
        if (!rc)
            refusal_set (&why, RULE_NONE);
        same_text (rows[i].name, &why, rows[i].want[0] ? rows[i].want : "NONE");
        job_drop (&job);
    }
    counters_destroy (&counters);
}

/* Messages */

enum fault { NO_FAULT, BODY, FORM, VIA_BATCH = 4 };

static const struct {
    const char *name;
    enum who author;
    struct post post;
    int fault;
    const char *want; /* NULL: record; "n": seen at record n */
} messages[] = {
    { "seen", HQ, { "all/a", 1, 3, 0, 0 }, 0, "0" },
    { "seen before all else", HQ, { "nowhere/a", 1, 4, 9, 0 }, BODY, "1" },
    { "OLD-NUMBER before all else",
      HQ,
      { "nowhere/a", 2, 976, 9, 0 },
      BODY,
      "OLD-NUMBER highest=2000 number=976" },
    { "lowest of the window", HQ, { "same/a", 2, 977, 2, 0 }, 0, NULL },
    { "NUMBER-JUMP before all else",
      HQ,
      { "nowhere/a", 1, 1029, 9, 0 },
      BODY,
      "NUMBER-JUMP highest=4 number=1029" },
    { "highest of the window", HQ, { "same/a", 1, 1028, 2, 0 }, 0, NULL },
    { "NUMBER-JUMP of a new lane",
      HQ,
      { "same/a", 7, 1025, 2, 0 },
      0,
      "NUMBER-JUMP highest=0 number=1025" },
    { "lanes are each author's",
      FRONTEX,
      { "@EUROPOL+FRONTEX/a", 1, 3, 2, 0 },
      0,
      NULL },
    { "intake's word",
      HQ,
      { "nowhere/a", 7, 1, 9, 0 },
      BODY,
      "BODY-LENGTH found=24 stated=23" },
    { "form has no number", HQ, { "all/a", 1, 3, 0, 0 }, FORM, "TOPIC why=x" },
    { "ROSTER-AHEAD before rights",
      HQ,
      { "nowhere/a", 7, 1, 3, 0 },
      0,
      "ROSTER-AHEAD in_force=2 stated=3" },
    { "UNKNOWN-CHANNEL",
      HQ,
      { "nowhere/a", 7, 1, 1, 0 },
      0,
      "UNKNOWN-CHANNEL channel=nowhere" },
    { "UNKNOWN-CHANNEL ad-hoc",
      HQ,
      { "@FRONTEX+UNODC/a", 7, 1, 2, 0 },
      0,
      "UNKNOWN-CHANNEL channel=@FRONTEX+UNODC" },
    { "EMPTY-AUDIENCE",
      HQ,
      { "late/a", 7, 1, 1, 0 },
      0,
      "EMPTY-AUDIENCE channel=late" },
    { "NOT-A-WRITER",
      FRONTEX,
      { "core/a", 7, 1, 1, 0 },
      0,
      "NOT-A-WRITER author=FRONTEX/hq channel=core" },
    { "STALE-ROSTER reader gone",
      HQ,
      { "all/a", 7, 1, 1, 0 },
      0,
      "STALE-ROSTER in_force=2 stated=1" },
    { "STALE-ROSTER handed in",
      HQ,
      { "all/a", 7, 1, 1, 0 },
      VIA_BATCH,
      "STALE-ROSTER in_force=2 stated=1" },
    { "STALE-ROSTER seal key",
      HQ,
      { "core/a", 7, 1, 1, 0 },
      0,
      "STALE-ROSTER in_force=2 stated=1" },
    { "handed in, none is gone",
      HQ,
      { "core/a", 7, 1, 1, 0 },
      VIA_BATCH,
      NULL },
    { "STALE-ROSTER channel is new",
      HQ,
      { "same/a", 7, 1, 1, 0 },
      0,
      "STALE-ROSTER in_force=2 stated=1" },
    { "ad-hoc, same readers", HQ, { "@EUROPOL/a", 7, 1, 1, 0 }, 0, NULL },
    { "in force", HQ, { "all/a", 7, 1, 2, 0 }, 0, NULL },
};

static struct job *message_job (enum who author, const struct post *post,
                                int fault) {
    const struct identity *submitter = fault & VIA_BATCH ? cast.frontex : NULL;
    struct job *job =
        job_of (roster_dialogue (first),
                identity_name (submitter ? submitter : identity_of (author)),
                identity_of (author), submitter, post, 1);
    struct batch_item *item = &job->batch.items[0];
    struct refusal why;
    if (fault & BODY) {
        assert_int_not_equal (
            message_body_check (&item->message,
                                slice_of ("123456789012345678901234", 24),
                                &why),
            0);
        item->refusal = mem_copy (&why, sizeof why);
    } else if (fault & FORM) { /* as message_read leaves it */
        struct message blank = { .octets = item->message.octets,
                                 .id = item->message.id };
        item->message = blank;
        refusal_set (&why, RULE_TOPIC);
        refusal_text (&why, "why", "x");
        item->refusal = mem_copy (&why, sizeof why);
    }
    return job;
}

static void test_message (void **state) {
    (void) state;
    struct counters *counters = ledger();
    struct judge_memo memo = { 0 };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct job *job = message_job (messages[i].author, &messages[i].post,
                                       messages[i].fault);
        struct judge judge = judge_at (counters, AT);
        judge.memo = i % 2 ? &memo : NULL;
        int64_t sequence = -1;
        struct refusal why;
        refusal_set (&why, RULE_NONE);
        char text[8];
        switch (judge_message (&judge, job, 0, &sequence, &why)) {
        case JUDGE_RECORD:
            if (messages[i].want)
                fail_msg ("%s: recorded", messages[i].name);
            break;
        case JUDGE_SEEN:
            snprintf (text, sizeof text, "%" PRId64, sequence);
            if (!messages[i].want || strcmp (text, messages[i].want) != 0)
                fail_msg ("%s: seen at %s", messages[i].name, text);
            break;
        case JUDGE_REFUSE:
            same_text (messages[i].name, &why,
                       messages[i].want ? messages[i].want : "none");
            break;
        }
        job_drop (&job);
    }
    counters_destroy (&counters);
}

/* An older roster that nobody knows, and the memory of the last answer. */
static void test_older (void **state) {
    (void) state;
    struct counters *counters = ledger();
    struct judge judge = judge_at (counters, AT);
    struct judge_memo memo = { 0 };
    int64_t sequence;
    struct refusal why;
    judge.memo = &memo;
    static const struct {
        const char *topic;
        int fault;
        bool recorded;
    } rows[] = {
        { "@EUROPOL/a", 0, true },     { "@EUROPOL/b", 0, true },
        { "core/a", 0, false },        { "core/a", VIA_BATCH, true },
        { "all/a", VIA_BATCH, false }, { "@EUROPOL/a", 0, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job *job = message_job (
            HQ, &(struct post){ rows[i].topic, 7, 1, 1, 0 }, rows[i].fault);
        enum judgement is = judge_message (&judge, job, 0, &sequence, &why);
        assert_int_equal (is == JUDGE_RECORD, rows[i].recorded);
        assert_int_equal (memo.same, rows[i].recorded);
        assert_ptr_equal (memo.older, first);
        job_drop (&job);
    }
    assert_int_equal (asked, sizeof rows / sizeof *rows);
    json_t *d = fixture_next (second, document());
    char dialogue[HASH_TEXT_MAX];
    struct error e;
    struct roster *third =
        fixture_read (d, hash_text (dialogue, roster_dialogue (first)),
                      "EUROPOL FRONTEX", &e);
    struct job *job =
        message_job (HQ, &(struct post){ "core/a", 7, 1, 1, 0 }, 0);
    assert_int_equal (judge_message (&judge, job, 0, &sequence, &why),
                      JUDGE_REFUSE);
    judge.roster = third; /* as the first one was */
    assert_int_equal (judge_message (&judge, job, 0, &sequence, &why),
                      JUDGE_RECORD);
    job_drop (&job);
    job = message_job (HQ, &(struct post){ "@EUROPOL/a", 7, 1, 2, 0 }, 0);
    assert_int_equal (judge_message (&judge, job, 0, &sequence, &why),
                      JUDGE_REFUSE);
    same_text ("unknown", &why, "STALE-ROSTER in_force=3 stated=2");
    job_drop (&job);
    roster_unref (&third);
    counters_destroy (&counters);
}

/* TOPICS and LANES need a full ledger. */
static void test_full (void **state) {
    (void) state;
    struct counters *counters = ledger();
    struct judge judge = judge_at (counters, AT);
    int64_t sequence;
    struct refusal why;
    struct job *job =
        message_job (HQ, &(struct post){ "same/t0", 4, 1, 2, 0 }, 0);
    struct message *m = &job->batch.items[0].message;
    struct record r = { .log_time = AT,
                        .epoch = 1,
                        .channel = slice_text ("same") };
    char topic[32];
    for (int64_t i = 0; i < COUNTERS_TOPICS_MAX; i++) {
        snprintf (topic, sizeof topic, "same/t%" PRId64, i);
        m->topic = slice_text (topic);
        m->number = i + 1; /* lanes 1, 2 and 4 are this day's */
        assert_int_equal (judge_message (&judge, job, 0, &sequence, &why),
                          JUDGE_RECORD);
        r.sequence = counters->next_sequence;
        r.channel_sequence = i + 1;
        counters_take (counters, &r, m);
    }
    job_drop (&job);
    static const struct {
        struct post post;
        int64_t at;
        const char *want;
    } rows[] = {
        { { "same/new", 9, 1, 2, 0 }, AT, "TOPICS channel=same limit=65536" },
        { { "same/t5", 9, 1, 2, 0 }, AT, "LANES lanes=3 limit=3" },
        { { "core/new", 9, 1, 2, 0 }, AT, "LANES lanes=3 limit=3" },
        { { "same/t5", 1, 5, 2, 0 }, AT, NULL },
        { { "same/t5", 9, 1, 2, 0 }, AT + 86400000, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        job = message_job (HQ, &rows[i].post, 0);
        judge.log_time = rows[i].at;
        enum judgement is = judge_message (&judge, job, 0, &sequence, &why);
        if (is == JUDGE_RECORD)
            refusal_set (&why, RULE_NONE);
        same_text (rows[i].post.topic, &why,
                   rows[i].want ? rows[i].want : "NONE");
        job_drop (&job);
    }
    job = message_job (FRONTEX,
                       &(struct post){ "@EUROPOL+FRONTEX/a", 9, 1, 2, 0 }, 0);
    judge.log_time = AT;
    assert_int_equal (judge_message (&judge, job, 0, &sequence, &why),
                      JUDGE_RECORD);
    /* what one entity opens on ad-hoc channels, however many they are */
    m = &job->batch.items[0].message;
    r.channel = slice_text ("@EUROPOL+FRONTEX");
    for (int64_t i = 0; i < COUNTERS_TOPICS_MAX - 1; i++) {
        snprintf (topic, sizeof topic, "@EUROPOL+FRONTEX/t%" PRId64, i);
        m->topic = slice_text (topic);
        m->number = i + 1;
        r.sequence = counters->next_sequence;
        r.channel_sequence = counters_channel_next (counters, r.channel);
        counters_take (counters, &r, m);
    }
    m->topic = slice_text ("@EUROPOL+FRONTEX+UNODC/a");
    m->number++;
    r.channel = m->channel = slice_text ("@EUROPOL+FRONTEX+UNODC");
    r.sequence = counters->next_sequence;
    r.channel_sequence = 1;
    counters_take (counters, &r, m);
    m->number++;
    assert_int_equal (judge_message (&judge, job, 0, &sequence, &why),
                      JUDGE_RECORD);
    m->topic = slice_text ("@EUROPOL+FRONTEX+UNODC/b");
    assert_int_equal (judge_message (&judge, job, 0, &sequence, &why),
                      JUDGE_REFUSE);
    same_text ("opener", &why,
               "TOPICS channel=@EUROPOL+FRONTEX+UNODC limit=65536");
    job_drop (&job);
    job =
        message_job (HQ, &(struct post){ "@EUROPOL+FRONTEX/b", 1, 5, 2, 0 }, 0);
    assert_int_equal (judge_message (&judge, job, 0, &sequence, &why),
                      JUDGE_RECORD);
    job_drop (&job);
    counters_destroy (&counters);
}

/* In a batch that is refused: what is recorded is not signed as refused. */
static void test_refused (void **state) {
    (void) state;
    static const struct {
        const char *name;
        enum rule all;
        struct post post;
        int fault;
        const char *want;
    } rows[] = {
        { "seen", RULE_CLOCK, { "all/a", 1, 3, 9, 0 }, BODY, "0" },
        { "seen, bad signature",
          RULE_BAD_SIGNATURE,
          { "all/a", 1, 4, 0, 0 },
          0,
          "1" },
        { "not seen", RULE_CLOCK, { "all/a", 1, 5, 9, 0 }, BODY, "CLOCK" },
        { "no number",
          RULE_UNKNOWN_KEY,
          { "all/a", 1, 3, 9, 0 },
          FORM,
          "UNKNOWN-KEY" },
        { "jump", RULE_NO_SPACE, { "all/a", 1, 5000, 0, 0 }, 0, "NO-SPACE" },
        { "a key to come",
          RULE_UNKNOWN_KEY,
          { "all/a", 1, 5, 3, 0 },
          0,
          "ROSTER-AHEAD in_force=2 stated=3" },
        { "a time to come",
          RULE_EXPIRED_KEY,
          { "all/a", 1, 5, 3, 0 },
          0,
          "ROSTER-AHEAD in_force=2 stated=3" },
        { "taken back to come",
          RULE_REVOKED,
          { "all/a", 1, 5, 3, 0 },
          0,
          "ROSTER-AHEAD in_force=2 stated=3" },
        { "a key of now",
          RULE_UNKNOWN_KEY,
          { "all/a", 1, 5, 2, 0 },
          0,
          "UNKNOWN-KEY" },
        { "no matter of keys",
          RULE_BAD_SIGNATURE,
          { "all/a", 1, 5, 3, 0 },
          0,
          "BAD-SIGNATURE" },
    };
    struct counters *counters = ledger();
    struct judge judge = judge_at (counters, AT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct job *job = message_job (HQ, &rows[i].post, rows[i].fault);
        struct refusal all, why;
        refusal_set (&all, rows[i].all);
        int64_t sequence;
        char text[8];
        enum judgement is =
            judge_refused (&judge, job, 0, &all, &sequence, &why);
        if (is == JUDGE_SEEN) {
            snprintf (text, sizeof text, "%" PRId64, sequence);
            assert_string_equal (text, rows[i].want);
        } else {
            assert_int_equal (is, JUDGE_REFUSE);
            same_text (rows[i].name, &why, rows[i].want);
        }
        job_drop (&job);
    }
    counters_destroy (&counters);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_batch),   cmocka_unit_test (test_message),
        cmocka_unit_test (test_older),   cmocka_unit_test (test_full),
        cmocka_unit_test (test_refused),
    };
    return cmocka_run_group_tests (tests, begin, end);
}
