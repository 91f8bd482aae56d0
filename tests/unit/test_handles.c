/* handles: many threads write by one handle, together, and each fails for
 * itself. Nothing sleeps: threads meet on a semaphore and on the queue. */
#include "store_fixture.h"

#include "api/handles.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#define THREADS 5

static struct handles handles;
static sem_t inside, go;

struct writing {
    pthread_t thread;
    char key[8];
    enum err end; /* of its part */
    bool big;     /* more than the file may hold, when it is full */
    enum err rc;
    struct error why;
};

static char big[100000];

/* A part as those of the outbox are. */
static enum err write_it (struct store *writer, void *arg, struct error *why) {
    struct writing *self = arg;
    enum err rc = store_begin (writer, why);
    if (!rc)
        rc = store_set_meta (writer, self->key, self->big ? big : "1", why);
    if (!rc && self->end)
        rc = error_set (why, self->end, "as it was told");
    return store_end (writer, rc, why);
}

static enum err wait_and_write (struct store *writer, void *arg,
                                struct error *why) {
    sem_post (&inside);
    sem_wait (&go);
    return write_it (writer, arg, why);
}

static void *write_thread (void *arg) {
    struct writing *self = arg;
    self->rc = handles_write (&handles, write_it, self, &self->why);
    return NULL;
}

static void *first_thread (void *arg) {
    struct writing *self = arg;
    self->rc = handles_write (&handles, wait_and_write, self, &self->why);
    return NULL;
}

static void queued_wait (int count) {
    while (handles_waiting (&handles) < count)
        sched_yield();
}

/* While the first one is at it all others queue up, in order. */
static void write_all (struct writing w[THREADS]) {
    for (int i = 0; i < THREADS; i++) {
        snprintf (w[i].key, sizeof w[i].key, "key%d", i);
        pthread_create (&w[i].thread, NULL, i ? write_thread : first_thread,
                        &w[i]);
        if (i == 0)
            sem_wait (&inside);
        else
            queued_wait (i);
    }
    sem_post (&go);
    for (int i = 0; i < THREADS; i++)
        pthread_join (w[i].thread, NULL);
}

static bool held (const char *key) {
    char *value = store_meta (store, key);
    bool out = value != NULL;
    free (value);
    return out;
}

static void test_together (void **state) {
    (void) state;
    struct writing w[THREADS] = { { .end = ERR_NONE } };
    w[2].end = ERR_LIMIT;
    write_all (w);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal (w[i].rc, w[i].end);
        assert_int_equal (held (w[i].key), !w[i].end);
    }
    assert_string_equal (w[2].why.text, "as it was told");
    /* And again: nobody leads any more. */
    struct writing again = { .key = "again" };
    FINE (handles_write (&handles, write_it, &again, &e));
    assert_true (held ("again"));
}

/* What fails at the end fails for all that were fine. */
static void test_disk_full (void **state) {
    (void) state;
    memset (big, 'x', sizeof big - 1);
    struct writing w[THREADS] = { { .end = ERR_NONE } };
    w[1].end = ERR_LIMIT;
    w[3].big = true;
    sqlite3_exec (handles.writer->db, "PRAGMA max_page_count = 1", NULL, NULL,
                  NULL);
    write_all (w);
    assert_int_equal (w[1].rc, ERR_LIMIT);
    assert_int_equal (w[3].rc, ERR_NO_SPACE);
    assert_false (held (w[1].key) || held (w[3].key));
    assert_int_equal (w[0].rc, ERR_NONE); /* it was alone */
    for (int i = 2; i < THREADS; i += 2)
        assert_int_equal (held (w[i].key), !w[i].rc);
}

static void test_busy (void **state) {
    (void) state;
    struct writing w = { .key = "busy" };
    handles.writer->wait_ms = 0;
    FINE (store_begin (store, &e));
    assert_int_equal (handles_write (&handles, write_it, &w, &w.why),
                      ERR_TIMEOUT);
    store_rollback (store);
    assert_false (held ("busy"));
    FINE (handles_write (&handles, write_it, &w, &w.why));
    assert_true (held ("busy"));
}

static int begin (void **state) {
    if (store_begin_test (state))
        return -1;
    sem_init (&inside, 0, 0);
    sem_init (&go, 0, 0);
    FINE (
        handles_open (&handles, store_path, &cast.dialogue, "EUROPOL/hq", &e));
    return 0;
}

static int end (void **state) {
    handles_close (&handles);
    sem_destroy (&inside);
    sem_destroy (&go);
    return store_end_test (state);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_together, begin, end),
        cmocka_unit_test_setup_teardown (test_disk_full, begin, end),
        cmocka_unit_test_setup_teardown (test_busy, begin, end),
    };
    return cmocka_run_group_tests (tests, cast_begin_tests, cast_end_tests);
}
