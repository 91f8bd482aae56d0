/* Who waits for whom at the projector: a long reader keeps nobody but the writer
 * away; digests are of their mark, whatever came since. */
#include "projector_fixture.h"

#include "plans/projector_impl.h"

#include <sodium.h>

static void mark_put (int64_t sequence) {
    struct build *build = build_new (CHANNEL_LOG);
    build->roster = 0;
    build_mark (build, cast.roster);
    add_build (build, sequence, BUILD_TIME + sequence);
}

static struct projector *begin (void) {
    struct projector_options options = { .store = store_path,
                                         .delegation = "EUROPOL/hq",
                                         .dialogue = &cast.dialogue };
    struct projector *self = projector_new (&options, &e);
    if (!self)
        fail_msg ("%s", e.text);
    assert_non_null (projector_read (self, 60000));
    projector_release (self);
    return self;
}

static size_t plans_now (struct projector *self) {
    const struct model *model = projector_read (self, 60000);
    size_t count = model ? model_plan_count (model) : 0;
    projector_release (self);
    return count;
}

static void plans_put (int from, int to, int64_t sequence) {
    for (int i = from; i < to; i++) {
        char id[32];
        snprintf (id, sizeof id, "FRONTEX-p%d", i);
        plan_put (sequence + i, cast.frontex, "all", id);
    }
}

/* Long readers */

static void *read_short (void *arg) {
    for (int i = 0; i < 50; i++)
        assert_int_equal (plans_now (arg), 1);
    return NULL;
}

static void wait_writer (struct projector *self) {
    for (bool waits = false; !waits;) {
        pthread_mutex_lock (&self->mutex);
        waits = self->writer_waits;
        pthread_mutex_unlock (&self->mutex);
        projector_wake (self);
    }
}

static void test_long_reader (void **state) {
    (void) state;
    pthread_t thread;
    roster_put (cast.roster, 0);
    plans_put (0, 1, 10);
    struct projector *self = begin();
    const struct model *model = projector_read_long (self, 60000);
    plans_put (1, 5, 10);
    wait_writer (self);
    /* The writer waits, and others read past it. */
    assert_int_equal (pthread_create (&thread, NULL, read_short, self), 0);
    pthread_join (thread, NULL);
    assert_int_equal (model_plan_count (model), 1);
    projector_release_long (self);
    while (plans_now (self) < 5)
        projector_wake (self);
    projector_destroy (&self);
}

static void *read_long (void *arg) {
    for (int i = 0; i < 30; i++) {
        assert_non_null (projector_read_long (arg, 60000));
        projector_release_long (arg);
    }
    return NULL;
}

/* One after the other, and the writer in between. */
static void test_long_readers (void **state) {
    (void) state;
    pthread_t threads[3];
    roster_put (cast.roster, 0);
    struct projector *self = begin();
    for (int i = 0; i < 3; i++)
        assert_int_equal (pthread_create (&threads[i], NULL, read_long, self),
                          0);
    for (int i = 0; i < 20; i++) {
        plans_put (i, i + 1, 10);
        projector_wake (self);
    }
    for (int i = 0; i < 3; i++)
        pthread_join (threads[i], NULL);
    while (plans_now (self) < 20)
        projector_wake (self);
    projector_destroy (&self);
}

/* Digests */

static struct model_digests digests_at (struct projector *self, int64_t mark) {
    struct projector_status status;
    do
        projector_wake (self);
    while (!projector_status (self, &status) || status.mark != mark);
    return status.digests;
}

static void test_digests (void **state) {
    (void) state;
    roster_put (cast.roster, 0);
    plans_put (0, 3, 10);
    mark_put (20);
    struct projector *self = begin();
    struct model_digests first = digests_at (self, 20), again;
    assert_int_equal (first.record_count, 3);
    /* More than are put back while readers wait: those of the mark stay. */
    plans_put (0, 15, 30);
    while (plans_now (self) < 15)
        projector_wake (self);
    again = digests_at (self, 20);
    assert_memory_equal (&again, &first, sizeof first);
    mark_put (50);
    struct model_digests second = digests_at (self, 50);
    assert_int_equal (second.record_count, 18);
    projector_destroy (&self);
    /* Beyond the mark when they are asked for the first time. */
    plans_put (10, 30, 60);
    self = begin();
    assert_int_equal (plans_now (self), 30);
    again = digests_at (self, 50);
    assert_memory_equal (&again, &second, sizeof second);
    /* One that comes late makes others of them. */
    plans_put (40, 41, 5);
    while (plans_now (self) < 31)
        projector_wake (self);
    again = digests_at (self, 50);
    assert_int_equal (again.record_count, 19);
    assert_false (hash_equal (&again.all, &second.all));
    projector_destroy (&self);
}

int main (void) {
    if (sodium_init() < 0)
        return 1;
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown (name, store_begin_test, store_end_test)
    const struct CMUnitTest tests[] = {
        TEST (test_long_reader),
        TEST (test_long_readers),
        TEST (test_digests),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
