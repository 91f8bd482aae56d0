/* Refusals as octets: what is cut, what is left out, what a peer may send. */
#include "format/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static enum err take (struct slice octets, struct refusal *out) {
    struct mp in;
    mp_start (&in, octets);
    refusal_take (&in, out);
    return mp_finish (&in, NULL);
}

static enum err take_hex (const char *hex, struct refusal *out) {
    uint8_t octets[64];
    size_t size = strlen (hex) / 2;
    assert_true (size <= sizeof octets);
    assert_int_equal (hex_decode (octets, size, hex), 0);
    return take (slice_of (octets, size), out);
}

/* Written by us: canonical, within the limits, and read back the same. */
static void assert_good (const struct refusal *r) {
    struct error e = { 0 };
    assert_true (r->size <= REFUSAL_VALUES_MAX);
    if (mp_check (refusal_values (r), &e))
        fail_msg ("%s", e.text);
    struct buf out = { 0 };
    struct refusal again;
    refusal_put (&out, r);
    assert_int_equal (take (buf_slice (&out), &again), 0);
    assert_int_equal (again.rule, r->rule);
    assert_string_equal (again.name, r->name);
    assert_true (slice_equal (refusal_values (&again), refusal_values (r)));
    buf_free (&out);
}

static void what_a_peer_may_not_send (void **state) {
    (void) state;
    static const struct {
        const char *hex;
        enum err code;
    } rows[] = {
        { "", ERR_MALFORMED },
        { "a4425553", ERR_MALFORMED },   /* cut */
        { "a442555359", ERR_MALFORMED }, /* no values */
        { "a080", ERR_MALFORMED },       /* an empty name */
        { "a462757379"
          "80",
          ERR_MALFORMED }, /* "busy" */
        { "a442550059"
          "80",
          ERR_MALFORMED }, /* a NUL */
        { "a42d555359"
          "80",
          ERR_MALFORMED }, /* "-USY" */
        { "c40442555359"
          "80",
          ERR_MALFORMED }, /* no text */
        { "d921"
          "424242424242424242424242424242424242424242424242424242424242"
          "424242"
          "80",
          ERR_LIMIT }, /* 33 octets */
        { "a442555359"
          "c0",
          ERR_MALFORMED }, /* values: nil */
        { "a442555359"
          "90",
          ERR_MALFORMED }, /* an array */
        { "a442555359"
          "81a161c0",
          ERR_MALFORMED }, /* a value: nil */
        { "a442555359"
          "81a161c3",
          ERR_MALFORMED }, /* a boolean */
        { "a442555359"
          "81a161c40101",
          ERR_MALFORMED }, /* octets */
        { "a442555359"
          "81a16190",
          ERR_MALFORMED }, /* an array */
        { "a442555359"
          "81a16180",
          ERR_MALFORMED }, /* a map */
        { "a442555359"
          "81a161cb3ff8000000000000",
          ERR_MALFORMED }, /* 1.5 */
        { "a442555359"
          "810101",
          ERR_MALFORMED }, /* an integer key */
        { "a442555359"
          "82a16201a16101",
          ERR_MALFORMED }, /* order */
        { "a442555359"
          "82a16101a16102",
          ERR_MALFORMED }, /* twice */
        { "a442555359"
          "80"
          "00",
          ERR_MALFORMED }, /* behind it */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct refusal r;
        if (take_hex (rows[i].hex, &r) != rows[i].code)
            fail_msg ("%s", rows[i].hex);
        if (i + 1 < sizeof rows / sizeof *rows)
            assert_int_equal (r.rule, RULE_NONE);
    }
}

static void limits_of_what_a_peer_sends (void **state) {
    (void) state;
    struct refusal r;
    for (size_t pairs = 15; pairs <= 17; pairs++) {
        struct buf out = { 0 };
        mp_put_str (&out, "BUSY");
        mp_put_map (&out, pairs);
        for (size_t i = 0; i < pairs; i++) {
            char key[] = { (char) ('a' + i), 0 };
            mp_put_str (&out, key);
            mp_put_int (&out, -1);
        }
        assert_int_equal (take (buf_slice (&out), &r),
                          pairs <= 16 ? ERR_NONE : ERR_MALFORMED);
        buf_free (&out);
    }
    for (size_t size = 1024; size <= 1025; size++) {
        struct buf out = { 0 };
        mp_put_str (&out, "BUSY");
        size_t text = size - 1 - 2 - 3; /* map, key, the text's own octets */
        buf_add (&out,
                 "\x81\xa1"
                 "a\xda",
                 4);
        buf_add_u16 (&out, (uint16_t) text);
        memset (buf_extend (&out, text), 'x', text);
        assert_int_equal (take (buf_slice (&out), &r),
                          size == 1024 ? ERR_NONE : ERR_LIMIT);
        buf_free (&out);
    }
}

static void cut_and_turned_octets (void **state) {
    (void) state;
    struct refusal r, other;
    refusal_set (&r, RULE_USED_NUMBER);
    refusal_hex (&r, "id", "0123456789abcdef0123456789abcdef", 32);
    refusal_int (&r, "sequence", 70000);
    struct buf out = { 0 };
    refusal_put (&out, &r);
    for (size_t size = 0; size < out.size; size++) {
        uint8_t *exact = mem_copy (out.data, size);
        assert_int_not_equal (take (slice_of (exact, size), &other), 0);
        free (exact);
    }
    for (size_t i = 0; i < 8 * out.size; i++) {
        out.data[i / 8] ^= (uint8_t) (1 << i % 8);
        if (take (buf_slice (&out), &other) == ERR_NONE) {
            struct buf again = { 0 };
            refusal_put (&again, &other);
            assert_true (slice_equal (buf_slice (&out), buf_slice (&again)));
            buf_free (&again);
        }
        out.data[i / 8] ^= (uint8_t) (1 << i % 8);
    }
    buf_free (&out);
}

static void what_does_not_fit (void **state) {
    (void) state;
    char text[3000], shown[REFUSAL_TEXT_MAX];
    memset (text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    struct refusal r;
    refusal_set (&r, RULE_MALFORMED);
    refusal_text (&r, "place", text);
    refusal_text (&r, "why", text);
    refusal_text (&r, "yet", text);
    refusal_int (&r, "z", 1);
    assert_good (&r);
    assert_true (strlen (refusal_print (&r, shown)) < REFUSAL_TEXT_MAX);
    assert_non_null (strstr (shown, "..."));

    refusal_set (&r, RULE_MALFORMED);
    for (int i = 0; i < 20; i++) {
        char key[] = { (char) ('t' - i), 0 };
        refusal_int (&r, key, i);
        assert_good (&r);
    }
    assert_int_equal (r.values[0], 0x8f);
    for (int i = 0; i < 1100; i++) { /* each length of one text */
        refusal_set (&r, RULE_TOPIC);
        refusal_slice (&r, "b", slice_of (text, 1000));
        refusal_slice (&r, "a", slice_of (text, (size_t) i));
        assert_good (&r);
    }
}

static void what_is_no_text_becomes_one (void **state) {
    (void) state;
    struct refusal r;
    char shown[REFUSAL_TEXT_MAX];
    refusal_set (&r, RULE_UNKNOWN_CHANNEL);
    refusal_slice (&r, "channel",
                   slice_of ("a\xff\n\0"
                             "b",
                             5));
    refusal_slice (&r, "empty", (struct slice){ 0 });
    assert_good (&r);
    assert_string_equal (refusal_print (&r, shown),
                         "UNKNOWN-CHANNEL channel=a\\xff\\x0a\\x00b empty=");
}

static void printing_has_room_for_the_longest (void **state) {
    (void) state;
    struct buf out = { 0 };
    struct refusal r;
    mp_put_str (&out, "X1234567890123456789012345678901");
    mp_put_map (&out, 1);
    char controls[900];
    memset (controls, 1, sizeof controls);
    mp_put_str (&out, "k");
    mp_put_str_slice (&out, slice_of (controls, sizeof controls));
    assert_int_equal (take (buf_slice (&out), &r), 0);
    assert_int_equal (r.rule, RULE_OTHER);
    char shown[REFUSAL_TEXT_MAX];
    size_t size = strlen (refusal_print (&r, shown));
    assert_true (size > 1300 && size < REFUSAL_TEXT_MAX);
    buf_free (&out);
}

static void names_there_and_back (void **state) {
    (void) state;
    for (unsigned i = RULE_NONE + 1; i < RULE_OTHER; i++) {
        const char *name = rule_name ((enum rule) i);
        assert_int_equal (rule_of (slice_text (name)), i);
        assert_true (strlen (name) <= RULE_NAME_MAX);
        struct refusal r;
        refusal_set (&r, (enum rule) i);
        assert_good (&r);
    }
    assert_int_equal (rule_of (slice_text ("NONE")), RULE_OTHER);
    assert_int_equal (rule_of (slice_text ("OTHER")), RULE_OTHER);
    assert_int_equal (rule_of (slice_text ("BUS")), RULE_OTHER);
    assert_int_equal (rule_of (slice_of ("BUSY\0", 5)), RULE_OTHER);
    assert_int_equal (rule_of ((struct slice){ 0 }), RULE_OTHER);
    assert_int_equal (rule_then (RULE_STALE_ROSTER), THEN_AGAIN);
    assert_int_equal (rule_then (RULE_NUMBER_JUMP), THEN_LATER);
    assert_int_equal (rule_then (RULE_MALFORMED), THEN_FINAL);
    assert_int_equal (rule_then (RULE_OTHER), THEN_FINAL);
}

static void unknown_rules_keep_their_octets (void **state) {
    (void) state;
    struct refusal r;
    struct buf out = { 0 };
    assert_int_equal (take_hex ("a34e4557"
                                "81a16105",
                                &r),
                      0);
    assert_int_equal (r.rule, RULE_OTHER);
    refusal_put (&out, &r);
    char hex[64];
    assert_string_equal (hex_encode (hex, out.data, out.size),
                         "a34e455781a16105");
    buf_free (&out);
}

static void keys_in_any_order (void **state) {
    (void) state;
    struct refusal r;
    char shown[REFUSAL_TEXT_MAX];
    refusal_set (&r, RULE_NOT_A_WRITER);
    refusal_text (&r, "channel", "members");
    refusal_text (&r, "author", "UNODC/hq");
    refusal_int (&r, "channels", -NUMBER_MAX);
    refusal_int (&r, "b", NUMBER_MAX);
    assert_good (&r);
    assert_string_equal (
        refusal_print (&r, shown),
        "NOT-A-WRITER author=UNODC/hq b=9007199254740991 channel=members "
        "channels=-9007199254740991");
    struct error e;
    error_set (&e, ERR_MALFORMED, "octet 4: nil");
    refusal_malformed (&r, "header", &e);
    assert_good (&r);
    assert_string_equal (refusal_print (&r, shown),
                         "MALFORMED place=header why=octet 4: nil");
    refusal_set (&r, RULE_BUSY);
    assert_string_equal (refusal_print (&r, shown), "BUSY");
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_a_peer_may_not_send),
        cmocka_unit_test (limits_of_what_a_peer_sends),
        cmocka_unit_test (cut_and_turned_octets),
        cmocka_unit_test (what_does_not_fit),
        cmocka_unit_test (what_is_no_text_becomes_one),
        cmocka_unit_test (printing_has_room_for_the_longest),
        cmocka_unit_test (names_there_and_back),
        cmocka_unit_test (unknown_rules_keep_their_octets),
        cmocka_unit_test (keys_in_any_order),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
