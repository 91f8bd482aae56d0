/* The thread: order, closed states, rosters, marks, the end, and a disk that
 * fails. */
#include "commit_fixture.h"

#include "base/disk.h"
#include "base/log.h"
#include "settings.h"

#include <assert.h>
#include <sched.h>
#include <sys/wait.h>

#define JOBS_MAX 2048

struct run {
    struct world *world;
    struct timekeeper *time;
    struct refusals *refusals;
    struct commit *commit;
    uint64_t ticket; /* last given */

    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct job *jobs[JOBS_MAX]; /* in the order of their replies */
    size_t count;
};

static void collect (void *arg, struct job *job) {
    struct run *self = arg;
    pthread_mutex_lock (&self->lock);
    assert (self->count < JOBS_MAX);
    self->jobs[self->count++] = job;
    pthread_cond_signal (&self->answered);
    pthread_mutex_unlock (&self->lock);
}

static struct job *wait_for (struct run *self, size_t n) {
    pthread_mutex_lock (&self->lock);
    while (self->count <= n)
        pthread_cond_wait (&self->answered, &self->lock);
    struct job *job = self->jobs[n];
    pthread_mutex_unlock (&self->lock);
    return job;
}

static void run_open (struct run *self, struct commit_options options,
                      int64_t last_log_time,
                      void (*reply) (void *arg, struct job *job)) {
    struct error e;
    self->time = timekeeper_new (last_log_time);
    self->refusals = refusals_open (self->world->dir, &e);
    options.dir = self->world->dir;
    options.reply = reply;
    options.reply_arg = self;
    group_destroy (&self->world->group); /* commit has its own */
    self->commit = commit_new (self->world->state, &self->world->counters,
                               self->time, self->refusals, NULL, &options, &e);
    if (!self->commit)
        fail_msg ("%s", e.text);
    assert_null (self->world->counters);
}

static const struct commit_options usual = { .mark_ms = 60000 };

static struct run *run_begin_in (struct world *world,
                                 struct commit_options options,
                                 int64_t last_log_time) {
    struct run *self = mem_alloc (sizeof *self);
    self->world = world;
    pthread_mutex_init (&self->lock, NULL);
    pthread_cond_init (&self->answered, NULL);
    run_open (self, options, last_log_time, collect);
    return self;
}

static struct run *run_begin (struct commit_options options,
                              int64_t last_log_time) {
    return run_begin_in (world_begin (0), options, last_log_time);
}

static void jobs_drop (struct run *self) {
    for (size_t i = 0; i < self->count; i++)
        job_drop (&self->jobs[i]);
    self->count = 0;
}

static void run_close (struct run *self) {
    commit_destroy (&self->commit);
    assert_null (self->commit);
    commit_destroy (&self->commit);
    refusals_close (&self->refusals);
    timekeeper_destroy (&self->time);
}

static void run_end (struct run **self_p) {
    struct run *self = *self_p;
    run_close (self);
    world_check (self->world);
    jobs_drop (self);
    pthread_cond_destroy (&self->answered);
    pthread_mutex_destroy (&self->lock);
    world_end (&self->world);
    free (self);
    *self_p = NULL;
}

static struct job *make (struct run *self, const char *topic, uint64_t lane,
                         int64_t number, size_t n) {
    struct post posts[BATCH_MAX];
    struct world *w = self->world;
    for (size_t i = 0; i < n; i++)
        posts[i] = (struct post){ topic, lane, number + (int64_t) i, 0, 0 };
    struct job *job =
        job_of (&w->cast.dialogue, "EUROPOL/hq", w->cast.hq, NULL, posts, n);
    job->ticket = ++self->ticket;
    return job;
}

/* One publish and its answer. */
static struct job *publish (struct run *self, const char *topic, uint64_t lane,
                            int64_t number) {
    size_t n = self->count; /* nothing else is under way */
    commit_put (self->commit, make (self, topic, lane, number, 1));
    return wait_for (self, n);
}

static const char *error_of (struct job *job) {
    static char text[REFUSAL_TEXT_MAX];
    struct refusal refusal;
    struct slice words;
    struct error e;
    assert_int_equal (job->reply_type, WIRE_ERROR);
    must (wire_error_read (buf_slice (&job->reply[0]), &refusal, &words, &e),
          &e);
    return refusal_print (&refusal, text);
}

static void test_hello (void **state) {
    (void) state;
    struct run *r = run_begin (usual, 0);
    assert_string_equal (error_of (publish (r, "all/a", 1, 1)), "BUSY");
    struct error e;
    struct roster *next =
        world_next (r->world, cast_document (&r->world->cast));
    assert_int_equal (commit_roster (r->commit, next, &e), ERR_STATE);
    roster_unref (&next);
    assert_int_equal (journal_size (r->world->journal), 2);
    state_hello_heard (r->world->state, "EUROPOL/hq");
    struct job *job = publish (r, "all/a", 1, 1);
    assert_int_equal (job->accepted_count, 1);
    /* the mark that was due stands before it */
    assert_int_equal (job->accepted[0].sequence, 3);
    assert_int_equal (state_log_time (r->world->state), job->promise.log_time);
    assert_int_equal (
        commit_lane_highest (r->commit, slice_text ("EUROPOL/hq"), 1), 1);
    assert_int_equal (
        commit_lane_highest (r->commit, slice_text ("EUROPOL/hq"), 2), 0);
    run_end (&r);
}

/* The operator's override. */
static void test_trust (void **state) {
    (void) state;
    struct commit_options options = usual;
    options.trust_first = true;
    struct run *r = run_begin (options, 0);
    assert_int_equal (publish (r, "all/a", 1, 1)->accepted_count, 1);
    run_end (&r);
}

static void test_order (void **state) {
    (void) state;
    struct run *r = run_begin (usual, 0);
    state_hello_heard (r->world->state, "EUROPOL/hq");
    struct job *jobs[200];
    for (size_t i = 0; i < 200; i++)
        jobs[i] = make (r, i % 3 ? "all/a" : "core/a", 1, 1 + (int64_t) i, 1);
    for (size_t i = 0; i < 200; i++) /* 9..0, 19..10, ... */
        commit_put (r->commit, jobs[i - i % 10 + 9 - i % 10]);
    for (size_t i = 0; i < 200; i++) {
        struct job *job = wait_for (r, i);
        assert_int_equal (job->ticket, i + 1);
        assert_int_equal (job->accepted_count, 1);
        assert_int_equal (job->accepted[0].sequence, 3 + (int64_t) i);
    }
    struct state_counts *counts = state_counts (r->world->state);
    assert_int_equal (counts->accepted, 200);
    assert_int_equal (counts->refused, 0);
    run_end (&r);
}

static void *put_some (void *arg) {
    struct job **jobs = arg;
    struct commit *commit = (struct commit *) jobs[0];
    for (size_t i = 1; jobs[i]; i++)
        commit_put (commit, jobs[i]);
    return NULL;
}

/* Several threads, groups of many jobs, and the end while jobs wait. */
static void test_threads (void **state) {
    (void) state;
    enum { THREADS = 3, EACH = 100, SIZE = 8 };
    struct run *r = run_begin (usual, 0);
    state_hello_heard (r->world->state, "EUROPOL/hq");
    struct job *jobs[THREADS][EACH + 2] = { { NULL } };
    pthread_t threads[THREADS];
    for (size_t i = 0; i < EACH; i++)
        for (size_t t = 0; t < THREADS; t++)
            jobs[t][1 + i] = make (
                r, "all/a", 1, 1 + SIZE * (int64_t) (i * THREADS + t), SIZE);
    for (size_t t = 0; t < THREADS; t++) {
        jobs[t][0] = (struct job *) r->commit;
        assert_int_equal (pthread_create (&threads[t], NULL, put_some, jobs[t]),
                          0);
    }
    for (size_t t = 0; t < THREADS; t++)
        pthread_join (threads[t], NULL);
    run_close (r);
    assert_int_equal (r->count, THREADS * EACH);
    for (size_t i = 0; i < r->count; i++) {
        assert_int_equal (r->jobs[i]->ticket, i + 1);
        assert_int_equal (r->jobs[i]->accepted_count, SIZE);
    }
    assert_int_equal (journal_size (r->world->journal),
                      3 + THREADS * EACH * SIZE);
    run_end (&r);
}

/* Nothing is taken: what is signed for it, and what is not. */
static void test_closed (void **state) {
    (void) state;
    struct run *r = run_begin (usual, 0);
    state_hello_heard (r->world->state, "EUROPOL/hq");
    struct job *first = publish (r, "all/a", 1, 1);
    struct job *job = publish (r, "all/a", 1, 1); /* another id */
    assert_int_equal (job->refused[0].refusal.rule, RULE_USED_NUMBER);
    struct refusal why;
    refusal_set (&why, RULE_LEDGER_BEHIND);
    refusal_int (&why, "size", 4);
    state_close (r->world->state, &why);
    assert_string_equal (error_of (publish (r, "all/a", 1, 2)),
                         "LEDGER-BEHIND size=4");
    struct error e;
    struct roster *next =
        world_next (r->world, cast_document (&r->world->cast));
    assert_int_equal (commit_roster (r->commit, next, &e), ERR_STATE);
    assert_string_equal (e.text, "LEDGER-BEHIND size=4");
    roster_unref (&next);
    struct buf list = { 0 };
    assert_int_equal (refusals_list (r->refusals, "EUROPOL/hq", 1, 256, &list),
                      1);
    buf_free (&list);
    assert_int_equal (first->accepted_count, 1);
    assert_int_equal (state_counts (r->world->state)->refused, 1);
    run_end (&r);
}

static void test_no_space (void **state) {
    (void) state;
    struct commit_options options = usual;
    options.keep_free = UINT64_MAX;
    struct run *r = run_begin (options, 0);
    state_hello_heard (r->world->state, "EUROPOL/hq");
    struct job *job = publish (r, "all/a", 1, 1);
    assert_int_equal (job->refused_count, 1);
    assert_int_equal (job->refused[0].refusal.rule, RULE_NO_SPACE);
    assert_int_equal (journal_size (r->world->journal), 2); /* no mark */
    commit_set_keep_free (r->commit, 0);
    run_end (&r);
}

/* It is time for a segment, and no room for one: refusals go on. */
static void test_no_space_to_roll (void **state) {
    (void) state;
    struct commit_options options = usual;
    options.keep_free = UINT64_MAX;
    struct run *r = run_begin_in (world_begin (1), options, 0);
    state_hello_heard (r->world->state, "EUROPOL/hq");
    struct job *job = publish (r, "all/a", 1, 1);
    assert_int_equal (job->refused[0].refusal.rule, RULE_NO_SPACE);
    job = publish (r, "all/a", 1, 1);
    char second[128];
    snprintf (second, sizeof second, "%s/journal/%020d.seg", r->world->dir, 2);
    assert_int_equal (access (second, F_OK), -1);
    run_end (&r);
}

static void test_clock (void **state) {
    (void) state;
    struct run *r = run_begin (usual, clock_wall_ms() + 86400000);
    state_hello_heard (r->world->state, "EUROPOL/hq");
    struct job *job = publish (r, "all/a", 1, 1);
    assert_int_equal (job->refused[0].refusal.rule, RULE_CLOCK);
    assert_int_equal (job->promise.log_time, FOUNDED); /* the last record's */
    run_end (&r);
}

static void test_roster (void **state) {
    (void) state;
    struct run *r = run_begin (usual, 0);
    struct world *w = r->world;
    struct error e;
    state_hello_heard (w->state, "EUROPOL/hq");
    assert_int_equal (commit_roster (r->commit, w->cast.roster, &e),
                      ERR_EXISTS);
    struct roster *other = fixture_roster ("name", "'Other'", NULL);
    assert_int_equal (commit_roster (r->commit, other, &e), ERR_KEY);
    roster_unref (&other);
    json_t *d = cast_document (&w->cast);
    fixture_set (d, "name", "'Other'");
    other = cast_roster (d);
    assert_int_equal (commit_roster (r->commit, other, &e), ERR_CHAIN);
    roster_unref (&other);
    char dialogue[HASH_TEXT_MAX];
    d = fixture_next (w->cast.roster, cast_document (&w->cast));
    other = fixture_read (d, hash_text (dialogue, &w->cast.dialogue), "EUROPOL",
                          &e);
    assert_int_equal (commit_roster (r->commit, other, NULL), ERR_SIGNATURE);
    roster_unref (&other);
    /* nobody could connect under it, nor we start */
    static const uint8_t foreign[KEY_SIZE] = { 7 };
    d = cast_document (&w->cast);
    cast_key (d, "brokers[0].link[0].key", foreign);
    struct roster *next = world_next (w, d);
    assert_int_equal (commit_roster (r->commit, next, &e), ERR_KEY);
    roster_unref (&next);
    next = world_next (w, cast_document (&w->cast));
    must (commit_roster (r->commit, next, &e), &e);
    assert_int_equal (commit_roster (r->commit, next, &e), ERR_EXISTS);
    int64_t sequence;
    struct roster *now = state_roster (w->state, &sequence);
    assert_int_equal (roster_version (now), 2);
    roster_unref (&now);
    struct job *job = publish (r, "all/a", 1, 1);
    assert_int_equal (job->accepted[0].sequence, sequence + 2);
    must (roster_chain_add (w->chain, next, sequence, &e), &e);
    roster_unref (&next);
    run_end (&r);
}

static void test_marks (void **state) {
    (void) state;
    struct commit_options options = usual;
    options.mark_ms = 5;
    struct run *r = run_begin (options, 0);
    state_hello_heard (r->world->state, "EUROPOL/hq");
    while (journal_size (r->world->journal) < 6)
        sched_yield();
    run_end (&r);
}

/* Over a restart: new segments, the same promise, the mark's age. */
static void test_restart (void **state) {
    (void) state;
    struct run *r = run_begin (usual, 0);
    struct world *w = r->world;
    state_hello_heard (w->state, "EUROPOL/hq");
    struct job *job = publish (r, "all/a", 1, 1);
    int64_t sequence = job->accepted[0].sequence;
    for (int round = 0; round < 3; round++) {
        run_close (r);
        world_close (w);
        world_open (w, 1); /* a segment a group */
        run_open (r, usual, w->counters->log_time, collect);
        state_hello_heard (w->state, "EUROPOL/hq");
        r->ticket = 0;
        free (job->refused);
        job->refused = NULL;
        job->ticket = ++r->ticket;
        r->count = 0;
        commit_put (r->commit, job);
        job = wait_for (r, 0);
        assert_int_equal (job->accepted[0].sequence, sequence);
        job = publish (r, "all/a", 1, 2 + round);
        /* no mark: the last one is young */
        assert_int_equal (job->accepted[0].sequence, sequence + 1 + round);
        struct job *again = r->jobs[0];
        r->jobs[0] = job;
        job_drop (&r->jobs[0]);
        r->jobs[0] = job = again;
        r->count = 1;
    }
    run_end (&r);
}

/* A disk that fails: the process ends, and promised nothing. */

static enum disk_step faulty;
static enum disk_fault kind;
static enum disk_fault fault (void *arg, enum disk_step step,
                              const char *path) {
    (void) arg;
    return step == faulty && strstr (path, ".seg") ? kind : DISK_FINE;
}

static void promised (void *arg, struct job *job) {
    (void) arg;
    (void) job;
    _exit (1);
}

static void fail_in_child (struct run *r, uint64_t lane) {
    world_open (r->world, 0);
    run_open (r, usual, r->world->counters->log_time, promised);
    r->ticket = 0;
    alarm (60); /* not for ever, whatever the thread does */
    state_hello_heard (r->world->state, "EUROPOL/hq");
    disk_set_fault (fault, NULL);
    commit_put (r->commit, make (r, "all/a", lane, 1, 5));
    for (;;)
        pause();
}

static void test_faults (void **state) {
    (void) state;
    static const enum disk_step steps[] = { DISK_STEP_WRITE, DISK_STEP_START,
                                            DISK_STEP_SYNC };
    struct run *r = run_begin (usual, 0);
    struct world *w = r->world;
    state_hello_heard (w->state, "EUROPOL/hq");
    (void) publish (r, "all/a", 20, 1); /* behind a mark: none is due below */
    for (int n = 0; n < 9; n++) {
        run_close (r);
        world_close (w);
        faulty = steps[n / 3];
        kind = (enum disk_fault) (DISK_FAIL_UNDONE + n % 3);
        pid_t child = fork();
        if (child == 0)
            fail_in_child (r, 1 + (uint64_t) n);
        int status;
        assert_int_equal (waitpid (child, &status, 0), child);
        assert_true (WIFEXITED (status));
        assert_int_equal (WEXITSTATUS (status), EXIT_DISK);
        world_open (w, 0);
        run_open (r, usual, w->counters->log_time, collect);
        /* a whole group is kept, though its sync failed */
        assert_int_equal (commit_lane_highest (r->commit,
                                               slice_text ("EUROPOL/hq"),
                                               1 + (uint64_t) n),
                          n == 1 || n >= 3 ? 5 : 0);
    }
    state_hello_heard (w->state, "EUROPOL/hq");
    jobs_drop (r);
    r->ticket = 0;
    struct job *job = publish (r, "all/a", 21, 1);
    assert_int_equal (job->accepted_count, 1);
    run_end (&r);
}

int main (void) {
    assert_true (freopen ("/dev/null", "w", stderr) != NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_hello),
        cmocka_unit_test (test_trust),
        cmocka_unit_test (test_order),
        cmocka_unit_test (test_threads),
        cmocka_unit_test (test_closed),
        cmocka_unit_test (test_no_space),
        cmocka_unit_test (test_clock),
        cmocka_unit_test (test_roster),
        cmocka_unit_test (test_marks),
        cmocka_unit_test (test_restart),
        cmocka_unit_test (test_faults),
        cmocka_unit_test (test_no_space_to_roll),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
