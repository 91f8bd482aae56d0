/* buf: growth, appending, slices, text forms. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_empty (void **state) {
    (void) state;
    struct buf b = { 0 };
    buf_clear (&b);
    buf_add (&b, NULL, 0);
    buf_add_slice (&b, (struct slice){ 0 });
    buf_add_text (&b, "");
    assert_int_equal (b.size, 0);
    assert_true (slice_equal (buf_slice (&b), slice_text ("")));
    buf_free (&b);
    buf_free (&b);
    assert_non_null (buf_extend (&b, 0));
    buf_reserve (&b, 0);
    assert_int_equal (b.size, 0);
    buf_free (&b);
    assert_null (b.data);
    assert_int_equal (b.room, 0);
    char *text = buf_take_text (&b);
    assert_string_equal (text, "");
    free (text);
}

static void test_growth_doubles (void **state) {
    (void) state;
    struct buf b = { 0 };
    size_t moves = 0, room = 0;
    for (size_t i = 0; i < 1000000; i++) {
        buf_add_u8 (&b, (uint8_t) (i * 7));
        moves += b.room != room;
        room = b.room;
    }
    assert_true (moves <= 16);
    assert_int_equal (b.size, 1000000);
    for (size_t i = 0; i < b.size; i++)
        assert_int_equal (b.data[i], (uint8_t) (i * 7));
    buf_clear (&b);
    assert_int_equal (b.room, room);
    buf_reserve (&b, 5 * room); /* at once, no more than asked */
    assert_int_equal (b.room, 5 * room);
    buf_free (&b);
}

static void test_add (void **state) {
    (void) state;
    struct buf b = { 0 };
    buf_add (&b, "a\0b", 3);
    buf_add_slice (&b, slice_text ("cd"));
    buf_add_text (&b, "ef");
    buf_add_zeros (&b, 2);
    buf_add_u8 (&b, 1);
    buf_add_u16 (&b, 0x0203);
    buf_add_u32 (&b, 0x04050607);
    buf_add_u64 (&b, UINT64_C (0x08090a0b0c0d0e0f));
    memcpy (buf_extend (&b, 2), "zz", 2);
    struct slice want = slice_of ("a\0bcdef\0\0\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd"
                                  "\xe\xfzz",
                                  26);
    assert_true (slice_equal (buf_slice (&b), want));
    buf_free (&b);
}

static void test_add_format (void **state) {
    (void) state;
    struct buf b = { 0 };
    for (int width = 0; width < 300; width += 13) {
        size_t before = b.size;
        buf_add_format (&b, "%*d", width + 1, 5);
        assert_int_equal (b.size - before, width + 1);
        assert_int_equal (b.data[b.size - 1], '5');
    }
    /* Into room that has to grow by just as much. */
    for (int width = 1; width < 300; width++) {
        buf_free (&b);
        buf_add_format (&b, "%*d", width, 5);
        assert_int_equal (b.size, width);
        assert_true (b.size < b.room);
    }
    buf_clear (&b);
    buf_add_format (&b, "%s", "");
    assert_int_equal (b.size, 0);
    buf_add_format (&b, "%s-%d", "x", 12);
    char *text = buf_take_text (&b);
    assert_string_equal (text, "x-12");
    assert_null (b.data);
    assert_int_equal (b.size, 0);
    free (text);
}

static void test_slices (void **state) {
    (void) state;
    assert_true (slice_is (slice_text (""), ""));
    assert_true (slice_is ((struct slice){ 0 }, ""));
    assert_false (slice_is (slice_of ("a\0", 2), "a"));
    assert_false (slice_is (slice_of ("ab", 1), "ab"));
    assert_false (slice_equal (slice_text ("ab"), slice_text ("ac")));
    assert_true (slice_equal (slice_of ("a\0b", 3), slice_of ("a\0b", 3)));
}

static void test_integers (void **state) {
    (void) state;
    uint8_t p[9] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 8 };
    assert_int_equal (get_u16 (p), 0xff01);
    assert_int_equal (get_u32 (p), 0xff010203);
    assert_true (get_u64 (p) == UINT64_C (0xff01020304050607));
    put_u64 (p + 1, UINT64_C (0xfedcba9876543210)); /* at any place */
    assert_true (get_u64 (p + 1) == UINT64_C (0xfedcba9876543210));
    put_u32 (p + 1, 0x89abcdef);
    assert_memory_equal (p, "\xff\x89\xab\xcd\xef\x76\x54\x32\x10", 9);
    put_u16 (p + 1, 0x8001);
    assert_memory_equal (p, "\xff\x80\x01\xcd", 4);
}

static void test_hex (void **state) {
    (void) state;
    static const char *const bad[] = {
        "",     "0",    "00f",  "00f00", "00f000", "00F0",
        "0x00", "00g0", " 0f0", "00f ",  "0:f0",
    };
    uint8_t out[2];
    char text[HEX_SIZE (2)];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal (hex_decode (out, 2, bad[i]), ERR_MALFORMED);
    assert_int_equal (hex_decode (out, 0, "00"), ERR_MALFORMED);
    assert_int_equal (hex_decode (out, 0, ""), ERR_NONE);
    assert_int_equal (hex_decode (out, 2, "0af9"), ERR_NONE);
    assert_memory_equal (out, "\x0a\xf9", 2);
    assert_string_equal (hex_encode (text, out, 2), "0af9");
    assert_string_equal (hex_encode (text, out, 0), "");
}

static void test_base64 (void **state) {
    (void) state;
    static const struct {
        const char *octets, *text;
    } good[] = { /* RFC 4648 section 10 */
                 { "", "" },
                 { "f", "Zg==" },
                 { "fo", "Zm8=" },
                 { "foo", "Zm9v" },
                 { "foob", "Zm9vYg==" },
                 { "fooba", "Zm9vYmE=" },
                 { "foobar", "Zm9vYmFy" },
                 { "\xfb\xff", "+/8=" }
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t size = strlen (good[i].octets), done = 99;
        struct slice in = slice_text (good[i].text);
        char text[BASE64_SIZE (6)];
        uint8_t out[6];
        assert_string_equal (base64_encode (text, good[i].octets, size),
                             good[i].text);
        assert_int_equal (strlen (text) + 1, BASE64_SIZE (size));
        assert_int_equal (base64_decode (out, size, in), ERR_NONE);
        assert_memory_equal (out, good[i].octets, size);
        assert_int_equal (base64_decode (out, size + 1, in), ERR_MALFORMED);
        assert_int_equal (base64_decode_any (out, size, &done, in), ERR_NONE);
        assert_int_equal (done, size);
        if (size == 0)
            continue;
        assert_int_equal (base64_decode (out, size - 1, in), ERR_MALFORMED);
        assert_int_equal (base64_decode_any (out, size - 1, &done, in),
                          ERR_LIMIT);
    }
}

static void test_base64_refused (void **state) {
    (void) state;
    static const char *const bad[] = {
        "Z",     "Zg",   "Zg=",   "Zg===", "Zh==", /* bits that no octet has */
        "Zm9=",  "Zm8",  "=",     "====",  "Z===",    "Zg==Zg==",     "Zg==\n",
        " Zg==", "Zm 8", "Zm8\n", "-_8=",  "Zm8\xff", "Zm9vZg==Zm9v", "Zm=v",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t out[64];
        size_t done;
        if (base64_decode_any (out, sizeof out, &done, slice_text (bad[i]))
            != ERR_MALFORMED)
            fail_msg ("taken: %s", bad[i]);
    }
    /* Each octet but a digit, in each place. */
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    for (int octet = 0; octet < 256; octet++)
        for (size_t place = 0; place < 4; place++) {
            uint8_t text[4] = { 'A', 'A', 'A', 'A' }, out[3];
            text[place] = (uint8_t) octet;
            bool want = memchr (digits, octet, 64) != NULL;
            enum err rc = base64_decode (out, 3, slice_of (text, 4));
            assert_int_equal (rc, want ? ERR_NONE : ERR_MALFORMED);
        }
    uint8_t one[1];
    assert_int_equal (base64_decode (one, 1, slice_of ("Zg=\0", 4)),
                      ERR_MALFORMED);
}

int main (void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_empty),
        cmocka_unit_test (test_growth_doubles),
        cmocka_unit_test (test_add),
        cmocka_unit_test (test_add_format),
        cmocka_unit_test (test_slices),
        cmocka_unit_test (test_integers),
        cmocka_unit_test (test_hex),
        cmocka_unit_test (test_base64),
        cmocka_unit_test (test_base64_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
