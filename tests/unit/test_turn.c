/* Turns: one at a time, in order, and not for ever. */
#include "store/turn.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define THREADS 6
#define TURNS 400

static void test_shared (void **state) {
    (void) state;
    struct turn *none = NULL;
    turn_close (&none);
    struct turn *one = turn_open (1, 2), *same = turn_open (1, 2);
    struct turn *other = turn_open (2, 2), *third = turn_open (1, 3);
    assert_ptr_equal (one, same);
    assert_ptr_not_equal (one, other);
    assert_ptr_not_equal (one, third);
    assert_true (turn_take (one, 0));
    assert_true (turn_take (other, 0));
    assert_false (turn_take (same, 0));
    assert_false (turn_take (same, 1));
    turn_close (&same);
    assert_null (same);
    assert_false (turn_take (one, 0));
    turn_give (one);
    assert_true (turn_take (one, 0));
    turn_give (one);
    turn_give (other);
    turn_close (&one);
    turn_close (&third);
    turn_close (&other);
}

static struct turn *turn;
static int counted, inside; /* whoever has the turn */

static void *count (void *arg) {
    (void) arg;
    for (int i = 0; i < TURNS; i++) {
        assert_true (turn_take (turn, 60000));
        assert_int_equal (inside++, 0);
        counted++;
        inside--;
        turn_give (turn);
    }
    return NULL;
}

static void test_one_at_a_time (void **state) {
    (void) state;
    pthread_t threads[THREADS];
    turn = turn_open (1, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_create (&threads[i], NULL, count, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join (threads[i], NULL);
    assert_int_equal (counted, THREADS * TURNS);
    turn_close (&turn);
}

static atomic_bool stop;

static void *take_always (void *arg) {
    struct turn *mine = turn_open (1, 1);
    (void) arg;
    while (!atomic_load (&stop)) {
        assert_true (turn_take (mine, 60000));
        turn_give (mine);
    }
    turn_close (&mine);
    return NULL;
}

/* One that never rests does not keep out whoever asks now and then. */
static void test_fair (void **state) {
    (void) state;
    pthread_t thread;
    turn = turn_open (1, 1);
    pthread_create (&thread, NULL, take_always, NULL);
    for (int i = 0; i < TURNS; i++) {
        assert_true (turn_take (turn, 60000));
        turn_give (turn);
    }
    atomic_store (&stop, true);
    pthread_join (thread, NULL);
    turn_close (&turn);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_shared),
        cmocka_unit_test (test_one_at_a_time),
        cmocka_unit_test (test_fair),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
