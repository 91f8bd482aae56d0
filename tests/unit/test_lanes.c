/* Lanes against a plain model of the same rules. */
#include "lanes.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAY INT64_C (86400000)

static struct slice eu (void) {
    return slice_text ("EUROPOL/hq");
}

static void expect (struct lanes *lanes, int64_t number,
                    enum lane_answer answer, int64_t sequence) {
    int64_t place, highest;
    assert_int_equal (lanes_ask (lanes, eu(), 7, number, &place, &highest),
                      answer);
    assert_int_equal (place, sequence);
}

static void test_window (void **state) {
    (void) state;
    struct lanes *lanes = lanes_new();
    expect (lanes, 1, LANE_FREE, -1);
    expect (lanes, LANE_WINDOW, LANE_FREE, -1);
    expect (lanes, LANE_WINDOW + 1, LANE_JUMP, -1);
    lanes_take (lanes, eu(), 7, 3, 100, 0);
    expect (lanes, 3, LANE_USED, 100);
    expect (lanes, 1, LANE_FREE, -1);
    expect (lanes, 2, LANE_FREE, -1);
    lanes_take (lanes, eu(), 7, 1, 101, 0);
    lanes_take (lanes, eu(), 7, 1027, 102, 0);
    expect (lanes, 3, LANE_OLD, -1);
    expect (lanes, 4, LANE_FREE, -1);
    expect (lanes, 1027, LANE_USED, 102);
    expect (lanes, 1027 + LANE_WINDOW, LANE_FREE, -1);
    expect (lanes, 1028 + LANE_WINDOW, LANE_JUMP, -1);
    assert_int_equal (lanes_highest (lanes, eu(), 7), 1027);
    assert_int_equal (lanes_highest (lanes, eu(), 8), 0);
    assert_int_equal (lanes_highest (lanes, slice_text ("EUROPOL/h"), 7), 0);
    lanes_destroy (&lanes);
}

/* Random numbers in any order: the same answers as an array gives. */
static void compare (struct lanes *lanes, const int64_t *model, int64_t top,
                     int64_t number) {
    int64_t place, highest;
    enum lane_answer got = lanes_ask (lanes, eu(), 9, number, &place, &highest);
    enum lane_answer want = LANE_FREE;
    if (number > top + LANE_WINDOW)
        want = LANE_JUMP;
    else if (number <= top - LANE_WINDOW)
        want = LANE_OLD;
    else if (model[number])
        want = LANE_USED;
    assert_int_equal (got, want);
    assert_int_equal (place, want == LANE_USED ? model[number] : -1);
    assert_int_equal (highest, top);
}

static struct lanes *copy (struct lanes *lanes) {
    struct buf octets = { 0 };
    lanes_write (lanes, &octets);
    struct lanes *out = lanes_new();
    assert_int_equal (lanes_read (out, buf_slice (&octets), NULL), 0);
    buf_free (&octets);
    lanes_destroy (&lanes);
    return out;
}

static void test_model (void **state) {
    (void) state;
    enum { NUMBERS = 20000 };
    int64_t *model = mem_alloc ((NUMBERS + 3 * LANE_WINDOW) * sizeof *model);
    struct lanes *lanes = lanes_new();
    int64_t top = 0;
    unsigned seed = 1;
    for (int64_t step = 1; top < NUMBERS; step++) {
        seed = seed * 1103515245 + 12345;
        int64_t spread = step % 50 == 0 ? LANE_WINDOW : 6;
        int64_t number = top - 3 + (int64_t) (seed >> 8) % spread;
        if (number < 1)
            number = 1;
        compare (lanes, model, top, number);
        int64_t place, highest;
        if (lanes_ask (lanes, eu(), 9, number, &place, &highest) == LANE_FREE) {
            lanes_take (lanes, eu(), 9, number, step, 0);
            model[number] = step;
            top = number > top ? number : top;
        }
        if (step % 97 == 0)
            for (int64_t n = top > 1100 ? top - 1100 : 1; n < top + 1100; n++)
                compare (lanes, model, top, n);
        if (step % 501 == 0)
            lanes = copy (lanes);
    }
    lanes_destroy (&lanes);
    free (model);
}

static void test_many (void **state) {
    (void) state;
    struct lanes *lanes = lanes_new();
    for (int64_t i = 0; i < 3000; i++)
        lanes_take (lanes, i % 2 ? eu() : slice_text ("SCO/rats"), (uint64_t) i,
                    1, i, i < 1000 ? 0 : DAY);
    lanes = copy (lanes);
    assert_int_equal (lanes_opened (lanes, eu(), DAY - 1), 0);
    assert_int_equal (lanes_opened (lanes, eu(), 2 * DAY - 1), 1000);
    assert_int_equal (lanes_opened (lanes, slice_text ("A0/a"), 0), 0);
    for (int64_t i = 0; i < 3000; i++) {
        int64_t place, highest;
        assert_int_equal (lanes_ask (lanes,
                                     i % 2 ? eu() : slice_text ("SCO/rats"),
                                     (uint64_t) i, 1, &place, &highest),
                          LANE_USED);
        assert_int_equal (place, i);
    }
    lanes_destroy (&lanes);
}

static void test_damage (void **state) {
    (void) state;
    struct lanes *lanes = lanes_new(), *out = lanes_new();
    lanes_take (lanes, eu(), 7, 3, 100, 0);
    lanes_take (lanes, eu(), 7, 5, 101, 0);
    struct buf octets = { 0 };
    struct error e;
    lanes_write (lanes, &octets);
    for (size_t size = 0; size < octets.size; size++)
        assert_int_equal (lanes_read (out, slice_of (octets.data, size), &e),
                          ERR_DAMAGED);
    buf_add_u8 (&octets, 0);
    assert_int_equal (lanes_read (out, buf_slice (&octets), &e), ERR_DAMAGED);
    octets.data[0] = 9;
    assert_int_equal (lanes_read (out, buf_slice (&octets), &e), ERR_DAMAGED);
    assert_int_equal (lanes_highest (out, eu(), 7), 0);
    buf_free (&octets);
    lanes_destroy (&lanes);
    lanes_destroy (&out);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_window),
        cmocka_unit_test (test_model),
        cmocka_unit_test (test_many),
        cmocka_unit_test (test_damage),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
