/* queue: order, bounds, closing, the descriptor, many threads. Nothing sleeps:
 * threads meet on the queue itself or on semaphores. */
#include "base/queue.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static int items[1000]; /* pointers into it are what is queued */

static bool readable (struct queue *q) {
    struct pollfd fd = { .fd = queue_fd (q), .events = POLLIN };
    return poll (&fd, 1, 0) == 1 && (fd.revents & POLLIN);
}

static void test_destroy_nothing (void **state) {
    (void) state;
    struct queue *q = NULL;
    queue_destroy (NULL);
    queue_destroy (&q);
    q = queue_new (1);
    assert_non_null (q);
    errno = EPIPE;
    queue_destroy (&q);
    assert_int_equal (errno, EPIPE);
    assert_null (q);
}

static void test_no_descriptor (void **state) {
    (void) state;
    struct rlimit old, none;
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &none), 0);
    struct queue *q = queue_new (1);
    int saved = errno;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &old), 0);
    assert_null (q);
    assert_int_equal (saved, EMFILE);
}

static void test_empty (void **state) {
    (void) state;
    struct queue *q = queue_new (2);
    void *some[2];
    assert_null (queue_take (q));
    assert_null (queue_take_wait (q, 0));
    assert_null (queue_take_wait (q, 1));
    assert_int_equal (queue_take_many (q, some, 2), 0);
    assert_int_equal (queue_count (q), 0);
    assert_false (queue_closed (q));
    assert_false (readable (q));
    queue_destroy (&q);
}

static void test_full (void **state) {
    (void) state;
    for (size_t most = 1; most < 5; most++) {
        struct queue *q = queue_new (most);
        for (size_t i = 0; i < most; i++)
            assert_int_equal (queue_put (q, &items[i]), ERR_NONE);
        assert_int_equal (queue_put (q, &items[most]), ERR_FULL);
        assert_int_equal (queue_count (q), most);
        for (size_t i = 0; i < most; i++)
            assert_ptr_equal (queue_take (q), &items[i]);
        assert_null (queue_take (q));
        queue_destroy (&q);
    }
}

/* Around the ring's end many times, in pieces of all sizes. */
static void test_order (void **state) {
    (void) state;
    struct queue *q = queue_new (7);
    void *some[7];
    size_t put = 0, taken = 0;
    while (taken < 1000) {
        for (size_t i = 0; i < 1 + put % 5 && put < 1000; i++)
            if (queue_put (q, &items[put]) == ERR_NONE)
                put++;
        size_t n = queue_take_many (q, some, taken % 8);
        for (size_t i = 0; i < n; i++)
            assert_ptr_equal (some[i], &items[taken++]);
        assert_int_equal (queue_count (q), put - taken);
        assert_int_equal (readable (q), put > taken);
        if (n == 0 && queue_count (q) > 0)
            assert_ptr_equal (queue_take_wait (q, -1), &items[taken++]);
    }
    queue_destroy (&q);
}

static void test_descriptor (void **state) {
    (void) state;
    struct queue *q = queue_new (3);
    void *some[3];
    assert_false (readable (q));
    for (int i = 0; i < 3; i++) {
        assert_int_equal (queue_put (q, &items[i]), ERR_NONE);
        assert_true (readable (q));
    }
    assert_non_null (queue_take (q));
    assert_true (readable (q));
    assert_int_equal (queue_take_many (q, some, 3), 2);
    assert_false (readable (q));
    queue_close (q);
    assert_true (readable (q));
    assert_null (queue_take (q));
    assert_true (readable (q)); /* stays: there is nothing to wait for */
    queue_destroy (&q);
}

static void test_close (void **state) {
    (void) state;
    struct queue *q = queue_new (3);
    assert_int_equal (queue_put (q, &items[0]), ERR_NONE);
    assert_int_equal (queue_put (q, &items[1]), ERR_NONE);
    queue_close (q);
    queue_close (q);
    assert_true (queue_closed (q));
    assert_int_equal (queue_put (q, &items[2]), ERR_STATE);
    assert_int_equal (queue_put_wait (q, &items[2]), ERR_STATE);
    assert_ptr_equal (queue_take_wait (q, -1), &items[0]);
    assert_ptr_equal (queue_take (q), &items[1]);
    assert_null (queue_take_wait (q, -1)); /* at once */
    assert_null (queue_take (q));
    queue_destroy (&q);
    /* A full queue that is closed says closed. */
    q = queue_new (1);
    assert_int_equal (queue_put (q, &items[0]), ERR_NONE);
    queue_close (q);
    assert_int_equal (queue_put (q, &items[1]), ERR_STATE);
    assert_non_null (queue_take (q));
    queue_destroy (&q);
}

/* Threads that wait */

struct waiter {
    struct queue *queue;
    sem_t started;
    enum err rc;
    void *item;
};

static void *wait_to_put (void *arg) {
    struct waiter *w = arg;
    sem_post (&w->started);
    w->rc = queue_put_wait (w->queue, &items[1]);
    return NULL;
}

static void *wait_to_take (void *arg) {
    struct waiter *w = arg;
    sem_post (&w->started);
    w->item = queue_take_wait (w->queue, -1);
    return NULL;
}

static void *wait_for_descriptor (void *arg) {
    struct waiter *w = arg;
    struct pollfd fd = { .fd = queue_fd (w->queue), .events = POLLIN };
    sem_post (&w->started);
    poll (&fd, 1, -1);
    w->item = queue_take (w->queue);
    return NULL;
}

static pthread_t start (struct waiter *w, struct queue *q,
                        void *(*fn) (void *) ) {
    pthread_t thread;
    *w = (struct waiter){ .queue = q };
    sem_init (&w->started, 0, 0);
    assert_int_equal (pthread_create (&thread, NULL, fn, w), 0);
    sem_wait (&w->started);
    return thread;
}

static void join (struct waiter *w, pthread_t thread) {
    pthread_join (thread, NULL);
    sem_destroy (&w->started);
}

static void test_waiting_put (void **state) {
    (void) state;
    struct queue *q = queue_new (1);
    struct waiter w;
    assert_int_equal (queue_put (q, &items[0]), ERR_NONE);
    pthread_t thread = start (&w, q, wait_to_put);
    assert_ptr_equal (queue_take_wait (q, -1), &items[0]);
    assert_ptr_equal (queue_take_wait (q, -1), &items[1]);
    join (&w, thread);
    assert_int_equal (w.rc, ERR_NONE);
    /* Closing frees one that waits. */
    assert_int_equal (queue_put (q, &items[0]), ERR_NONE);
    thread = start (&w, q, wait_to_put);
    queue_close (q);
    join (&w, thread);
    assert_int_equal (w.rc, ERR_STATE);
    assert_ptr_equal (queue_take (q), &items[0]);
    assert_null (queue_take (q));
    queue_destroy (&q);
}

static void test_waiting_takers (void **state) {
    (void) state;
    void *(*const fns[]) (void *) = { wait_to_take, wait_for_descriptor };
    for (int i = 0; i < 2; i++) {
        struct queue *q = queue_new (1);
        struct waiter w;
        pthread_t thread = start (&w, q, fns[i]);
        assert_int_equal (queue_put (q, &items[5]), ERR_NONE);
        join (&w, thread);
        assert_ptr_equal (w.item, &items[5]);
        thread = start (&w, q, fns[i]);
        queue_close (q);
        join (&w, thread);
        assert_null (w.item);
        queue_destroy (&q);
    }
}

/* take_many makes room for several: each that waits has to hear of it. */
static void test_waiting_puts (void **state) {
    (void) state;
    struct queue *q = queue_new (3);
    struct waiter w[3];
    pthread_t threads[3];
    void *some[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal (queue_put (q, &items[i]), ERR_NONE);
    for (int i = 0; i < 3; i++)
        threads[i] = start (&w[i], q, wait_to_put);
    assert_int_equal (queue_take_many (q, some, 3), 3);
    for (int i = 0; i < 3; i++)
        join (&w[i], threads[i]);
    assert_int_equal (queue_take_many (q, some, 3), 3);
    queue_destroy (&q);
}

/* Many producers and consumers of every kind: all arrives once, and in the
 * order of its producer. */

enum { PRODUCERS = 4, CONSUMERS = 4, EACH = 4000, MOST = 5 };

struct item {
    int producer, number;
};

struct crowd {
    struct queue *queue;
    int who;
    struct item *own; /* producers: EACH of them */
    int seen[PRODUCERS];
    bool disorder;
    size_t count;
};

static void *produce (void *arg) {
    struct crowd *c = arg;
    for (int i = 0; i < EACH; i++) {
        c->own[i] = (struct item){ c->who, i };
        /* Half of them try first, as who has a socket to push back on. */
        if (i % 2 && queue_put (c->queue, &c->own[i]) == ERR_NONE)
            continue;
        if (queue_put_wait (c->queue, &c->own[i]) != ERR_NONE)
            c->disorder = true;
    }
    return NULL;
}

static void saw (struct crowd *c, const struct item *item) {
    if (item->number <= c->seen[item->producer])
        c->disorder = true;
    c->seen[item->producer] = item->number;
    c->count++;
}

static void *consume (void *arg) {
    struct crowd *c = arg;
    struct pollfd fd = { .fd = queue_fd (c->queue), .events = POLLIN };
    for (;;) {
        void *some[3];
        size_t n = 1;
        if (c->who % 2) {
            some[0] = queue_take_wait (c->queue, -1);
            if (!some[0])
                return NULL;
        } else {
            poll (&fd, 1, -1);
            bool closed = queue_closed (c->queue);
            n = queue_take_many (c->queue, some, 3);
            if (n == 0 && closed)
                return NULL;
        }
        for (size_t i = 0; i < n; i++)
            saw (c, some[i]);
    }
}

static void test_crowd (void **state) {
    (void) state;
    struct queue *q = queue_new (MOST);
    struct crowd crowd[PRODUCERS + CONSUMERS];
    pthread_t threads[PRODUCERS + CONSUMERS];
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        struct crowd *c = &crowd[i];
        bool producer = i < PRODUCERS;
        *c = (struct crowd){ .queue = q, .who = i };
        for (int p = 0; p < PRODUCERS; p++)
            c->seen[p] = -1;
        if (producer)
            c->own = mem_alloc (EACH * sizeof *c->own);
        pthread_create (&threads[i], NULL, producer ? produce : consume, c);
    }
    size_t count = 0;
    bool disorder = false;
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        if (i == PRODUCERS)
            queue_close (q);
        pthread_join (threads[i], NULL);
        count += crowd[i].count;
        disorder |= crowd[i].disorder;
    }
    assert_false (disorder);
    assert_int_equal (count, PRODUCERS * EACH);
    assert_int_equal (queue_count (q), 0);
    for (int i = 0; i < PRODUCERS; i++)
        free (crowd[i].own);
    queue_destroy (&q);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_destroy_nothing),
        cmocka_unit_test (test_no_descriptor),
        cmocka_unit_test (test_empty),
        cmocka_unit_test (test_full),
        cmocka_unit_test (test_order),
        cmocka_unit_test (test_descriptor),
        cmocka_unit_test (test_close),
        cmocka_unit_test (test_waiting_put),
        cmocka_unit_test (test_waiting_takers),
        cmocka_unit_test (test_waiting_puts),
        cmocka_unit_test (test_crowd),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
