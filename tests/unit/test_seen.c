/* seen: as many keys as needed, each with its own value. */
#include "ledger/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MANY 20000

static struct slice parts[2];

static struct slice *key_of (const int64_t *a, const char *b) {
    parts[0] = slice_of (a, sizeof *a);
    parts[1] = slice_text (b);
    return parts;
}

static void test_arguments (void **state) {
    (void) state;
    struct seen *none = NULL;
    seen_destroy (NULL);
    seen_destroy (&none);
}

static void test_many (void **state) {
    (void) state;
    struct seen *seen = seen_new();
    bool added;
    for (int64_t i = 0; i < MANY; i++) {
        struct seen_value *v = seen_put (seen, key_of (&i, "x"), 2, &added);
        assert_true (added);
        assert_int_equal (v->n[0] | v->n[1] | v->n[2] | v->n[3], 0);
        v->n[3] = i;
    }
    assert_int_equal (seen_count (seen), MANY);
    for (int64_t i = 0; i < MANY; i++) {
        assert_int_equal (seen_get (seen, key_of (&i, "x"), 2)->n[3], i);
        assert_null (seen_get (seen, key_of (&i, "y"), 2));
        assert_null (seen_get (seen, key_of (&i, "x"), 1));
        assert_int_equal (seen_put (seen, key_of (&i, "x"), 2, &added)->n[3],
                          i);
        assert_false (added);
    }
    assert_int_equal (seen_count (seen), MANY);
    seen_put (seen, key_of (&(int64_t){ 1 }, "y"), 2, NULL);
    assert_int_equal (seen_count (seen), MANY + 1);
    seen_destroy (&seen);
    assert_null (seen);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_arguments),
        cmocka_unit_test (test_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
