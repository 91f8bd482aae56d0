/* The projector over a store that is written to meanwhile: what it reads, what
 * it may show, when it forgets, what it answers. */
#include "projector_fixture.h"

#include "identity/checkpoint.h"
#include "plans/projector.h"
#include "store/checkpoints.h"
#include "store/epoch.h"
#include "store/outbox.h"
#include "store/search.h"

#include <pthread.h>
#include <sodium.h>

/* Waiting for changes */

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told_cond = PTHREAD_COND_INITIALIZER;
static int told;

static void tell (void *arg) {
    (void) arg;
    pthread_mutex_lock (&told_lock);
    told++;
    pthread_cond_broadcast (&told_cond);
    pthread_mutex_unlock (&told_lock);
}

static struct projector *begin (void) {
    struct projector_options options = { .store = store_path,
                                         .delegation = "EUROPOL/hq",
                                         .dialogue = &cast.dialogue,
                                         .changed = tell };
    struct projector *self = projector_new (&options, &e);
    if (!self)
        fail_msg ("%s", e.text);
    return self;
}

static const struct model *read_now (struct projector *self) {
    const struct model *model = projector_read (self, 60000);
    assert_non_null (model);
    return model;
}

/* Wake it until that holds of the model: each change is told. */
static void wait_for (struct projector *self,
                      bool (*holds) (const struct model *model)) {
    pthread_mutex_lock (&told_lock);
    projector_wake (self);
    for (;;) {
        pthread_mutex_unlock (&told_lock);
        bool there = holds (read_now (self));
        projector_release (self);
        pthread_mutex_lock (&told_lock);
        if (there)
            break;
        int seen = told;
        while (told == seen)
            pthread_cond_wait (&told_cond, &told_lock);
    }
    pthread_mutex_unlock (&told_lock);
}

/* Records */

static void withdrawal_put (int64_t sequence, const char *channel,
                            const char *id) {
    char topic[TOPIC_MAX + 1], text[200];
    snprintf (topic, sizeof topic, "%s/plan/%.*s/%s", channel,
              (int) strcspn (id, "-"), id, id);
    snprintf (text, sizeof text, "{'format':1,'withdraw':'%s'}", id);
    message_put (sequence, cast.frontex, topic, BODY_MAP, text, BODY_PRESENT);
}

static void mark_put (int64_t sequence) {
    struct build *build = build_new (CHANNEL_LOG);
    build->roster = 0;
    build_mark (build, cast.roster);
    add_build (build, sequence, BUILD_TIME + sequence);
}

/* What is asked of the model */

static bool one_plan (const struct model *model) {
    return model_plan_count (model) == 1;
}
static bool two_plans (const struct model *model) {
    return model_plan_count (model) == 2;
}
static bool no_plans (const struct model *model) {
    return model_plan_count (model) == 0;
}
static bool is_withdrawn (const struct model *model) {
    const struct subject *subject = model_find (model, "FRONTEX-p");
    return subject && subject->withdrawal;
}

/* The store's blocks */

static enum err block_keep (void *arg, int64_t direct_first, struct slice block,
                            struct error *error) {
    (void) direct_first;
    (void) error;
    buf_add_slice (arg, block);
    return ERR_NONE;
}

static void body_put (const struct records_place *place, struct slice octets) {
    struct block block;
    FINE (block_read (octets, &block, &e));
    FINE (store_begin (store, &e));
    FINE (store_end (store, records_mend (store, place, &block, &e), &e));
}

static void body_back (int64_t sequence, struct buf *octets) {
    struct records_place place = { 0 };
    int64_t row = 0;
    while (place.first != sequence)
        FINE (records_scrub (store, "EUROPOL", &row, &place, &e));
    body_put (&place, buf_slice (octets));
    buf_free (octets);
}

/* Tests */

static void test_no_store (void **state) {
    (void) state;
    struct projector_options options = { .store = "/nonexistent/store",
                                         .delegation = "EUROPOL/hq",
                                         .dialogue = &cast.dialogue };
    assert_null (projector_new (&options, &e));
    assert_int_equal (e.code, ERR_NOT_FOUND);
    struct projector *none = NULL;
    projector_destroy (&none);
    projector_destroy (NULL);
}

static void test_replay (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "all", "FRONTEX-p");
    message_put (11, cast.frontex, "all/note/x", BODY_TEXT, "no plan",
                 BODY_PRESENT);
    message_put (12, cast.frontex, "all/plan/FRONTEX/FRONTEX-t", BODY_TEXT,
                 "no map", BODY_PRESENT);
    message_put (13, cast.frontex, "all/plan/FRONTEX/FRONTEX-e", BODY_MAP,
                 "{'format':1}", BODY_ERASED);
    struct projector *self = begin();
    const struct model *model = read_now (self);
    assert_int_equal (model_plan_count (model), 1);
    const struct subject *erased = model_find (model, "FRONTEX-e");
    assert_true (erased->entries[0]->absent);
    assert_string_equal (erased->entries[0]->faults->at[0].text,
                         "its body was erased");
    const struct subject *text = model_find (model, "FRONTEX-t");
    assert_false (text->entries[0]->absent);
    assert_non_null (strstr (text->entries[0]->faults->at[0].text, "map"));
    assert_int_equal (model_quarantine (model, NULL, NULL), 1);
    projector_release (self);
    struct projector_status status;
    assert_false (projector_status (self, &status)); /* no mark yet */
    int64_t mark;
    assert_int_equal (projector_now (self, &mark), 0);
    assert_int_equal (mark, -1);
    /* What comes later. */
    plan_put (20, cast.hq, "all", "EUROPOL-p");
    wait_for (self, two_plans);
    mark_put (30);
    plan_put (40, cast.frontex, "all", "FRONTEX-q");
    do
        projector_wake (self);
    while (!projector_status (self, &status)
           || status.digests.record_count != 4);
    assert_int_equal (status.mark, 30);
    assert_int_equal (status.mark_ms, BUILD_TIME + 30);
    assert_int_equal (status.quarantined, 1);
    struct model_digests seen = status.digests;
    projector_destroy (&self);
    /* Killed and begun again: the same. */
    self = begin();
    projector_release ((read_now (self), self));
    assert_true (projector_status (self, &status));
    assert_memory_equal (&seen, &status.digests, sizeof seen);
    assert_int_equal (status.plans, 3);
    projector_destroy (&self);
}

/* What may not be read is not there, and makes no trace; own words are. */
static void test_rights (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "late", "FRONTEX-p");
    plan_put (11, cast.hq, "late", "EUROPOL-p");
    plan_put (12, cast.frontex, "core", "FRONTEX-q");
    struct projector *self = begin();
    const struct model *model = read_now (self);
    assert_int_equal (model_subject_count (model), 2);
    assert_null (model_find (model, "FRONTEX-p"));
    projector_release (self);
    /* A roster that takes core away from us: it is forgotten. */
    struct roster *next =
        next_roster ("channels[1].readers", "['delegation:FRONTEX/hq']",
                     "channels[1].writers", "['delegation:FRONTEX/hq']");
    roster_put (next, 20);
    wait_for (self, one_plan);
    model = read_now (self);
    assert_non_null (model_find (model, "EUROPOL-p"));
    projector_release (self);
    projector_destroy (&self);
    roster_unref (&next);
}

/* Given later: what was said before stays shut, what comes is read. */
static void test_right_given (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "late", "FRONTEX-p");
    struct projector *self = begin();
    assert_true (no_plans (read_now (self)));
    projector_release (self);
    struct roster *next = next_roster ("channels[2].readers",
                                       "['delegation:EUROPOL/hq']", NULL, NULL);
    roster_put (next, 20);
    plan_put (30, cast.frontex, "late", "FRONTEX-q");
    wait_for (self, one_plan);
    assert_non_null (model_find (read_now (self), "FRONTEX-q"));
    projector_release (self);
    projector_destroy (&self);
    roster_unref (&next);
}

/* A new epoch takes records: all is derived anew. */
static void test_epoch (void **state) {
    (void) state;
    struct epoch_void gone;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "all", "FRONTEX-p");
    plan_put (20, cast.frontex, "all", "FRONTEX-q");
    struct projector *self = begin();
    assert_true (two_plans (read_now (self)));
    projector_release (self);
    FINE (store_begin (store, &e));
    enum err rc = epoch_cut (store, 2, 15, &gone, &e);
    FINE (store_end (store, rc, &e));
    wait_for (self, one_plan);
    plan_put (15, cast.frontex, "all", "FRONTEX-r");
    wait_for (self, two_plans);
    assert_non_null (model_find (read_now (self), "FRONTEX-r"));
    projector_release (self);
    projector_destroy (&self);
}

/* Threads beside the plans */

static void align_put (int64_t sequence, const char *channel,
                       const char *inner) {
    char topic[TOPIC_MAX + 1];
    struct buf text = { 0 };
    snprintf (topic, sizeof topic, "%s/align/FRONTEX/FRONTEX-a", channel);
    buf_add_format (&text, "{'format':1,'thread':'FRONTEX-a','does':%s}",
                    inner);
    char *body = buf_take_text (&text);
    message_put (sequence, cast.frontex, topic, BODY_MAP, body, BODY_PRESENT);
    free (body);
}

#define PROPOSAL                                                               \
    "'propose','title':'T','type':'joint','rule':'all',"                       \
    "'about':[{'ref':'FRONTEX-p'}],'invited':['EUROPOL']"

static struct projector *asked;
static size_t wanted;
static bool so_many_threads (const struct model *model) {
    (void) model;
    return threads_count (projector_threads (asked)) == wanted;
}

static void wait_threads (struct projector *self, size_t count) {
    asked = self;
    wanted = count;
    wait_for (self, so_many_threads);
}

static void settle (int64_t size);

static void test_said (void **state) {
    (void) state;
    struct projector_status status;
    int64_t mark;
    roster_put (cast.roster, 0);
    align_put (10, "all", PROPOSAL);
    align_put (11, "all", "'nothing'");
    message_put (12, cast.frontex, "all/align/FRONTEX", BODY_MAP, "{}",
                 BODY_PRESENT);
    message_put (13, cast.frontex, "all/ack/FRONTEX", BODY_MAP, "{}",
                 BODY_PRESENT);
    struct projector *self = begin();
    assert_true (no_plans (read_now (self)));
    const struct threads *threads = projector_threads (self);
    assert_int_equal (threads_count (threads), 1);
    const struct thread *thread = threads_find (threads, "FRONTEX-a", 0);
    assert_int_equal (thread->version_count, 1);
    assert_false (thread->versions[0].unjudged);
    assert_true (thread->versions[0].parties[0].member);
    assert_int_equal (thread->entries[0]->author_time, BUILD_TIME);
    assert_int_equal (threads_quarantine (threads, NULL, NULL), 2);
    assert_int_equal (projector_settled (self, &mark), 0);
    assert_int_equal (mark, -1);
    projector_release (self);
    mark_put (20);
    mark_put (30);
    settle (21);
    align_put (31, "core", PROPOSAL);
    wait_threads (self, 2);
    assert_int_equal (projector_settled (self, &mark), BUILD_TIME + 20);
    assert_int_equal (mark, 20);
    assert_true (projector_status (self, &status));
    assert_int_equal (status.mark, 30);
    assert_int_equal (status.threads, 2);
    assert_int_equal (status.threads_open, 2);
    assert_int_equal (status.threads_quarantined, 2);
    assert_int_equal (status.threads_digests.record_count, 3);
    assert_int_equal (status.quarantined, 0);
    struct threads_digests seen = status.threads_digests;
    projector_destroy (&self);
    self = begin();
    projector_release ((read_now (self), self));
    assert_true (projector_status (self, &status));
    assert_memory_equal (&seen, &status.threads_digests, sizeof seen);
    /* A right that is taken, and an epoch. */
    struct roster *next =
        next_roster ("channels[1].readers", "['delegation:FRONTEX/hq']",
                     "channels[1].writers", "['delegation:FRONTEX/hq']");
    roster_put (next, 40);
    wait_threads (self, 1);
    struct epoch_void gone;
    FINE (store_begin (store, &e));
    enum err rc = epoch_cut (store, 2, 10, &gone, &e);
    FINE (store_end (store, rc, &e));
    wait_threads (self, 0);
    projector_destroy (&self);
    roster_unref (&next);
}

/* Withdrawals */

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

static enum err answer_take (void *arg, const struct outbox_message *message,
                             struct error *why) {
    char **topic = arg;
    (void) why;
    assert_null (*topic);
    *topic = mem_copy_text (message->topic);
    return ERR_NONE;
}

/* The one answer's topic, once it is there. */
static void assert_answer (struct projector *self, const char *want) {
    char *topic = NULL;
    projector_destroy (&self); /* its round is over then */
    FINE (outbox_list (store, -1, 0, 0, answer_take, &topic, &e));
    if (!want)
        assert_null (topic);
    else
        assert_string_equal (topic ? topic : "", want);
    free (topic);
}

static void test_answer (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "all", "FRONTEX-p");
    withdrawal_put (20, "all", "FRONTEX-p");
    struct projector *self = begin();
    wait_for (self, is_withdrawn);
    assert_answer (self, NULL); /* not settled */
    settle (20);
    self = begin();
    wait_for (self, is_withdrawn);
    assert_answer (self, NULL); /* nor now: it stands at 20 */
    settle (21);
    for (int again = 0; again < 3; again++) {
        self = begin();
        wait_for (self, is_withdrawn);
        assert_answer (self, "all/hidden/FRONTEX/FRONTEX-p");
    }
}

/* A close that would be taken. */
static enum err close_take (void *arg, const struct outbox_message *message,
                            struct error *why) {
    int *count = arg;
    struct thread_place place;
    struct faults faults = { 0 };
    bool newer;
    assert_true (
        thread_place_read (slice_text (message->topic), &place, &faults));
    json_t *body = mp_to_json (slice_of (message->body.data + BODY_SALT,
                                         message->body.size - BODY_SALT),
                               why);
    struct say *say = say_read (&place, body, "EUROPOL", NULL, &faults, &newer);
    assert_non_null (say);
    assert_int_equal (say->does, DOES_CLOSE);
    assert_int_equal (say->closing.outcome, OUTCOME_AGREED);
    assert_int_equal (say->closing.stances.count, 1);
    assert_string_equal (say->closing.entities.at[0], "FRONTEX");
    say_free (&say);
    json_decref (body);
    ++*count;
    return ERR_NONE;
}

/* Past its end, at a settled mark, and once. */
static void test_close (void **state) {
    (void) state;
    char stance[300], hex[HASH_TEXT_MAX];
    struct record_row row;
    int count;
    roster_put (cast.roster, 0);
    message_put (10, cast.hq, "all/align/EUROPOL/EUROPOL-a", BODY_MAP,
                 "{'format':1,'thread':'EUROPOL-a','does':'propose','title':"
                 "'T','type':'joint','rule':'all','about':[{'ref':"
                 "'FRONTEX-p'}],'invited':['FRONTEX'],"
                 "'deadline':'2025-12-31T23:30:00Z'}",
                 BODY_PRESENT);
    struct records_cursor *cursor = records_by_sequence (store, 10, &row, &e);
    assert_non_null (cursor);
    snprintf (stance, sizeof stance,
              "{'format':1,'thread':'EUROPOL-a','does':'stance','version':"
              "'%s','says':'endorse'}",
              hash_text (hex, &row.message.id));
    records_close (&cursor);
    message_put_in (11, BUILD_TIME - 3600000, cast.frontex,
                    "all/align/EUROPOL/EUROPOL-a", BODY_MAP, stance,
                    BODY_PRESENT);
    static const struct {
        int64_t mark, size;
        int count;
    } steps[] = { { 20, 0, 0 },
                  { 20, 20, 0 },
                  { 20, 21, 0 },
                  /* one hour past the deadline and a second */
                  { 1801000, 21, 0 },
                  { 1801000, 1801001, 1 },
                  { 1802000, 1802001, 1 } };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (i == 0 || steps[i].mark != steps[i - 1].mark)
            mark_put (steps[i].mark);
        if (steps[i].size > 0)
            settle (steps[i].size);
        struct projector *self = begin();
        projector_release ((read_now (self), self));
        projector_destroy (&self); /* its round is over then */
        count = 0;
        FINE (outbox_list (store, -1, 0, 0, close_take, &count, &e));
        assert_int_equal (count, steps[i].count);
    }
}

/* Where we can't write: among the two bodies, if the roster lets us. */
static void test_answer_elsewhere (void **state) {
    (void) state;
    static const struct {
        const char *openers, *topic;
    } cases[] = {
        { "['delegation:UNODC/late']", NULL },
        { "['delegation:EUROPOL/ec3']",
          "@EUROPOL+FRONTEX/hidden/FRONTEX/FRONTEX-p" },
    };
    plan_put (10, cast.frontex, "core", "FRONTEX-p");
    withdrawal_put (20, "core", "FRONTEX-p");
    roster_put (cast.roster, 0);
    for (size_t i = 0; i < 2; i++) {
        struct roster *mute = next_roster (
            "channels[1].writers", "['role:guest']", "adhoc", cases[i].openers);
        roster_put (mute, 25);
        settle (30);
        struct projector *self = begin();
        wait_for (self, is_withdrawn);
        assert_answer (self, cases[i].topic);
        roster_unref (&mute);
        FINE (store_begin (store, &e));
        struct epoch_void gone; /* the roster's place is free again */
        enum err rc = epoch_cut (store, 2 + (int64_t) i, 25, &gone, &e);
        FINE (store_end (store, rc, &e));
    }
}

/* Search */

static void hit_take (void *arg, const struct search_hit *hit) {
    struct buf *out = arg;
    buf_add_format (out, "%s:%" PRId64 ":%s ",
                    search_kind_name (hit->item.kind), hit->item.sequence,
                    hit->item.action);
}

static void assert_found (struct projector *self, const char *text,
                          const char *want) {
    struct buf out = { 0 };
    struct search_query query = { .text = text };
    bool more;
    FINE (projector_search (self, store, &query, 0, 100, hit_take, &out, &more,
                            &e));
    assert_false (more);
    char *got = buf_take_text (&out);
    if (strcmp (got, want) != 0)
        fail_msg ("'%s' finds %s, not %s", text, got, want);
    free (got);
}

/* What it wrote is there when it has ended: its round goes to the end. */
static struct projector *begin_indexed (void) {
    struct projector *self = begin();
    projector_release ((read_now (self), self));
    projector_destroy (&self);
    self = begin();
    projector_release ((read_now (self), self));
    return self;
}

static void test_search (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "core", "FRONTEX-p");
    plan_put (11, cast.hq, "all", "EUROPOL-p");
    message_put (12, cast.frontex, "core/note/x", BODY_TEXT,
                 "a plan of caf\xc3\xa9s", BODY_PRESENT);
    message_put (13, cast.frontex, "late/note/x", BODY_TEXT, "a plan of others",
                 BODY_PRESENT);
    message_put (14, cast.frontex, "all/report/FRONTEX/FRONTEX-p", BODY_MAP,
                 "{'format':1,'report':'FRONTEX-p','action':'A1','period':"
                 "{'from':'2026','to':'2026'},'text':{'fr':'Bateau'}}",
                 BODY_PRESENT);
    message_put (15, cast.frontex, "core/annex/FRONTEX/FRONTEX-p", BODY_MAP,
                 "{'format':1,'annex':'x','plan':'FRONTEX-p','entity':"
                 "'FRONTEX','text':'zebra','adds':{'A1':{'x-note':'lion'}}}",
                 BODY_PRESENT);
    struct projector *self = begin_indexed();
    assert_found (self, "CAFES", "message:12: ");
    assert_found (self, "others", ""); /* not ours to read */
    assert_found (self, "bateau", "report:14:A1 ");
    assert_found (self, "zebra", "annex:15: ");
    assert_found (self, "lion", "plan:10:A1 ");
    assert_found (self, "goal", "plan:11: plan:10: ");
    struct search_query query = { .text = "plan" };
    struct buf none = { 0 };
    bool more;
    FINE (projector_search (self, store, &query, 1, 1, hit_take, &none, &more,
                            &e));
    assert_true (more);
    buf_free (&none);
    /* Revised, withdrawn: the older text is found no more. */
    message_put (20, cast.hq, "all/plan/EUROPOL/EUROPOL-p", BODY_MAP,
                 "{'format':1,'withdraw':'EUROPOL-p'}", BODY_PRESENT);
    wait_for (self, one_plan);
    assert_found (self, "goal", "plan:10: "); /* whatever the index has */
    projector_destroy (&self);
    self = begin_indexed();
    assert_found (self, "goal", "plan:10: ");
    projector_destroy (&self);
    /* A right that was taken, before the index knows. */
    struct roster *next =
        next_roster ("channels[1].readers", "['delegation:FRONTEX/hq']",
                     "channels[1].writers", "['delegation:FRONTEX/hq']");
    roster_put (next, 30);
    self = begin();
    projector_release ((read_now (self), self));
    assert_found (self, "cafes", "");
    assert_found (self, "goal", "");
    assert_found (self, "zebra", "");
    projector_destroy (&self);
    roster_unref (&next);
}

static void damage (const char *sql) {
    sqlite3_db_config (store->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    assert_int_equal (sqlite3_exec (store->db, sql, NULL, NULL, NULL),
                      SQLITE_OK);
}

static void hit_count (void *arg, const struct search_hit *hit) {
    (void) hit;
    ++*(int *) arg;
}

/* Texts that got lost are there again, at the next start, or when somebody asks
 * for them in vain. */
static void test_search_mended (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "core", "FRONTEX-p");
    message_put (12, cast.frontex, "core/note/x", BODY_TEXT, "a goal",
                 BODY_PRESENT);
    struct projector *self = begin_indexed();
    assert_found (self, "goal", "message:12: plan:10: ");
    projector_destroy (&self);
    damage ("DELETE FROM texts");
    self = begin_indexed();
    assert_found (self, "goal", "message:12: plan:10: ");
    /* Its words are no longer what SQLite wrote. */
    damage ("UPDATE text_words_data SET block = x'00' WHERE id > 10");
    struct search_query query = { .text = "goal" };
    bool more;
    int hits = 0;
    assert_int_equal (projector_search (self, store, &query, 0, 9, hit_count,
                                        &hits, &more, &e),
                      ERR_STATE);
    do
        hits = 0;
    while (projector_search (self, store, &query, 0, 9, hit_count, &hits, &more,
                             &e)
               == ERR_STATE
           || hits < 2);
    projector_destroy (&self);
}

/* Bodies that go and come */

/* The block of that one record again, with its body in that state; what it was
 * is kept in *was. */
static void body_turn (int64_t sequence, enum body_state state,
                       struct buf *was) {
    struct records_place place = { 0 };
    struct buf octets = { 0 };
    struct block block;
    struct block_walk walk;
    int64_t row = 0;
    while (place.first != sequence)
        FINE (records_scrub (store, "EUROPOL", &row, &place, &e));
    FINE (records_blocks (store, sequence, sequence, block_keep, was, &e));
    FINE (block_read (buf_slice (was), &block, &e));
    struct block_writer *writer = block_writer_new();
    block_begin (writer, sequence);
    block_walk (&block, &walk);
    assert_true (block_next (&walk));
    block_run (writer, RUN_WHOLE, NULL, 0);
    assert_true (block_add (writer, walk.record, walk.body, state));
    block_finish (writer, &octets);
    block_writer_destroy (&writer);
    body_put (&place, buf_slice (&octets));
    buf_free (&octets);
}

static bool one_indexed (const struct model *model) {
    return one_plan (model)
           && model_find (model, "FRONTEX-p")->entries[1]->absent;
}

static bool is_back (const struct model *model) {
    return is_withdrawn (model) && one_plan (model);
}

static struct model_digests digests_now (struct projector *self) {
    struct projector_status status;
    assert_true (projector_status (self, &status));
    return status.digests;
}

/* What was erased leaves all that is derived, also while it runs; what comes
 * later than its record makes what a replay makes. */
static void test_bodies (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plan_put (10, cast.frontex, "core", "FRONTEX-p");
    message_put (11, cast.frontex, "core/plan/FRONTEX/FRONTEX-p", BODY_MAP,
                 "{'format':1,'withdraw':'FRONTEX-p'}", BODY_PRESENT);
    plan_put (12, cast.hq, "all", "EUROPOL-p");
    message_put (13, cast.frontex, "core/note/x", BODY_TEXT, "a zebra",
                 BODY_PRESENT);
    mark_put (20);
    struct buf kept[3] = { { 0 } };
    struct projector *self = begin_indexed();
    projector_release ((assert_true (one_plan (read_now (self))), self));
    assert_found (self, "zebra", "message:13: ");
    struct model_digests before = digests_now (self);
    body_turn (11, BODY_ERASED, &kept[0]);
    body_turn (12, BODY_ERASED, &kept[1]);
    body_turn (13, BODY_ERASED, &kept[2]);
    wait_for (self, one_indexed); /* the withdrawal is no more, EUROPOL's is */
    assert_found (self, "zebra", "");
    struct model_digests erased = digests_now (self);
    assert_false (hash_equal (&erased.all, &before.all));
    projector_destroy (&self);
    self = begin_indexed();
    struct model_digests again = digests_now (self);
    assert_memory_equal (&again, &erased, sizeof again);
    assert_found (self, "goal", "plan:10: ");
    /* And back: they come while it runs. */
    for (size_t i = 0; i < 3; i++)
        body_back (11 + (int64_t) i, &kept[i]);
    wait_for (self, is_back); /* the first and the second */
    again = digests_now (self);
    assert_memory_equal (&again, &before, sizeof again);
    projector_destroy (&self);
    self = begin_indexed();
    assert_found (self, "zebra", "message:13: ");
    assert_found (self, "goal", "plan:12: ");
    projector_destroy (&self);
}

/* Many read while it writes. */

struct reading_thread {
    struct projector *projector;
    pthread_t thread;
    size_t last;
};

static void *read_many (void *arg) {
    struct reading_thread *self = arg;
    while (self->last < 40) {
        const struct model *model = read_now (self->projector);
        size_t count = model_plan_count (model);
        assert_true (count >= self->last);
        self->last = count;
        projector_release (self->projector);
        int64_t mark;
        struct projector_status status;
        (void) projector_now (self->projector, &mark);
        (void) projector_status (self->projector, &status);
    }
    return NULL;
}

static void test_threads (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    mark_put (1);
    struct projector *self = begin();
    struct reading_thread readers[3];
    for (size_t i = 0; i < 3; i++) {
        readers[i] = (struct reading_thread){ .projector = self };
        assert_int_equal (
            pthread_create (&readers[i].thread, NULL, read_many, &readers[i]),
            0);
    }
    for (int i = 0; i < 40; i++) {
        char id[32];
        snprintf (id, sizeof id, "FRONTEX-p%d", i);
        plan_put (10 + 10 * i, cast.frontex, "all", id);
        mark_put (15 + 10 * i);
        projector_wake (self);
    }
    for (size_t i = 0; i < 3; i++)
        pthread_join (readers[i].thread, NULL);
    projector_destroy (&self);
}

int main (void) {
    if (sodium_init() < 0)
        return 1;
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = {
        TEST (test_no_store),
        TEST (test_replay),
        TEST (test_rights),
        TEST (test_right_given),
        TEST (test_epoch),
        TEST (test_said),
        TEST (test_answer),
        TEST (test_close),
        TEST (test_answer_elsewhere),
        TEST (test_search),
        TEST (test_search_mended),
        TEST (test_threads),
        TEST (test_bodies),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
