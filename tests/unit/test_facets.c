/* What a record says of an action, respect by respect. */
#include "plans/facets.h"

#include <jansson.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct facets *of (const char *text) {
    json_t *list = json_loads (text, 0, NULL);
    struct facets *out = facets_read (list);
    json_decref (list);
    return out;
}

#define ACTION(more)                                                           \
    "{\"id\":\"a\",\"priorities\":[\"x\",\"y\"],\"regions\":[\"002\"],"        \
    "\"from\":\"2026\",\"to\":null,\"lead\":\"EUROPOL\",\"status\":"           \
    "\"active\","                                                              \
    "\"partners\":[\"AFRIPOL\",\"AIMC\"]" more "}"

static void test_none (void **state) {
    (void) state;
    struct facets *none = facets_read (NULL), *empty = of ("[]");
    assert_null (facets_find (none, "a"));
    assert_null (facets_find (empty, ""));
    assert_null (facets_find (NULL, "a"));
    facets_free (&none);
    facets_free (&empty);
    facets_free (&empty);
    facets_free (NULL);
}

static void test_find (void **state) {
    (void) state;
    struct facets *some =
        of ("[{\"id\":\"c\"},{\"id\":\"a\"},{\"id\":\"bb\"},{\"id\":\"b\"}]");
    static const char *const ids[] = { "a", "b", "bb", "c" };
    for (size_t i = 0; i < 4; i++)
        assert_string_equal (facets_find (some, ids[i])->id, ids[i]);
    assert_null (facets_find (some, "aa"));
    assert_null (facets_find (some, "d"));
    facets_free (&some);
}

static void test_differ (void **state) {
    (void) state;
    static const struct {
        const char *action; /* later members of a name win */
        unsigned bits;
    } table[] = {
        { ACTION (""), 0 },
        { ACTION (",\"title\":\"Another wording\",\"kind\":\"training\""), 0 },
        { ACTION (",\"status\":\"done\""), 0 },
        { ACTION (",\"priorities\":[\"y\",\"x\",\"x\"]"), 0 },
        { ACTION (",\"priorities\":[\"x\"]"), 1U << FACET_PRIORITIES },
        { ACTION (",\"priorities\":[\"xy\"]"), 1U << FACET_PRIORITIES },
        { ACTION (",\"regions\":[]"), 1U << FACET_REGIONS },
        { ACTION (",\"from\":\"2026-01\""), 1U << FACET_DATES },
        { ACTION (",\"to\":\"2027\""), 1U << FACET_DATES },
        { ACTION (",\"lead\":\"FRONTEX\""), 1U << FACET_LEAD },
        { ACTION (",\"partners\":[\"AFRIPOL\"]"), 1U << FACET_PARTNERS },
        { ACTION (",\"co_leads\":[\"AIMC\"],\"partners\":[\"AFRIPOL\"]"),
          1U << FACET_PARTNERS },
        { ACTION (",\"status\":\"cancelled\""), 1U << FACET_CANCELLED },
    };
    struct facets *first = of ("[" ACTION ("") "]");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[1024];
        snprintf (text, sizeof text, "[%s]", table[i].action);
        struct facets *other = of (text);
        assert_int_equal (
            facets_differ (facets_find (first, "a"), facets_find (other, "a")),
            table[i].bits);
        facets_free (&other);
    }
    facets_free (&first);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_none),
        cmocka_unit_test (test_find),
        cmocka_unit_test (test_differ),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
