/* hash: published vectors, and values from other implementations. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static char thousand[1000];

static void same (struct hash h, const char *want) {
    char text[HASH_TEXT_MAX];
    assert_string_equal (hash_text (text, &h), want);
}

static void test_parse_refuses (void **state) {
    (void) state;
    struct hash h = hash_sha256 (slice_text ("kept")), kept = h;
    char text[HASH_TEXT_MAX];
    hash_text (text, &h);
    assert_int_equal (hash_parse ("", &h), ERR_MALFORMED);
    assert_int_equal (hash_parse (text + 1, &h), ERR_MALFORMED);
    text[63] = 'A';
    assert_int_equal (hash_parse (text, &h), ERR_MALFORMED);
    text[63] = 'g';
    assert_int_equal (hash_parse (text, &h), ERR_MALFORMED);
    assert_true (hash_equal (&h, &kept));
    text[63] = '0';
    assert_int_equal (hash_parse (text, &h), ERR_NONE);
    same (h, text);
}

static void test_sha256 (void **state) {
    (void) state;
    same (hash_sha256 ((struct slice){ 0 }),
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    same (hash_sha256 (slice_text ("abc")),
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    same (hash_sha256 (slice_of (thousand, sizeof thousand)),
          "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

/* However the octets are cut, the hash is the same. */
static void test_sha256_parts (void **state) {
    (void) state;
    struct hash whole = hash_sha256 (slice_of (thousand, sizeof thousand));
    struct hash none = hash_sha256_parts (NULL, 0);
    same (none,
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t cut = 0; cut <= sizeof thousand; cut += 37) {
        struct slice parts[] = {
            slice_of (thousand, cut),
            { 0 },
            slice_of (thousand + cut, sizeof thousand - cut),
        };
        struct hash h = hash_sha256_parts (parts, 3);
        assert_true (hash_equal (&h, &whole));
    }
}

/* The first values of RFC 6962's own test tree. */
static void test_tree (void **state) {
    (void) state;
    struct hash left = hash_leaf ((struct slice){ 0 });
    struct hash right = hash_leaf (slice_of ("\0", 1));
    same (left,
          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    same (right,
          "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
    same (hash_node (&left, &right),
          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
    struct hash other = hash_node (&right, &left);
    struct hash node = hash_node (&left, &right);
    assert_false (hash_equal (&other, &node));
    same (hash_leaf (slice_of (thousand, sizeof thousand)),
          "7489c42b058d685ce40b6514d41ca13c8ff13a6347d5d2b44ad97fd485290f39");
}

static void test_blake2b (void **state) {
    (void) state;
    uint8_t key[32];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t) i;
    same (hash_blake2b ((struct slice){ 0 }),
          "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    same (hash_blake2b (slice_text ("abc")),
          "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    same (hash_blake2b_keyed (key, slice_text ("abc")),
          "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
}

static void test_xxh3 (void **state) {
    (void) state;
    assert_true (hash_xxh3 ((struct slice){ 0 }, 0)
                 == UINT64_C (0x2d06800538d394c2));
    assert_true (hash_xxh3 (slice_text ("abc"), 0)
                 == UINT64_C (0x78af5f94892f3950));
    assert_true (hash_xxh3 (slice_text ("abc"), 42)
                 == UINT64_C (0xd8438def21bbdcc3));
    assert_true (hash_xxh3 (slice_of (thousand, sizeof thousand), UINT64_MAX)
                 == UINT64_C (0x379a40628209587e));
}

/* However the octets are cut, the checksum is the same. */
static void test_xxh3_parts (void **state) {
    (void) state;
    assert_true (hash_xxh3_parts (NULL, 0, 0) == UINT64_C (0x2d06800538d394c2));
    for (size_t cut = 0; cut <= sizeof thousand; cut += 37) {
        struct slice parts[] = {
            slice_of (thousand, cut),
            { 0 },
            slice_of (thousand + cut, sizeof thousand - cut),
        };
        assert_true (hash_xxh3_parts (parts, 3, UINT64_MAX)
                     == UINT64_C (0x379a40628209587e));
    }
}

/* Leave a state behind where the next call has its own: with this seed, and no
 * secret from elsewhere. `turn`: where that stands is xxHash's affair. */
__attribute__ ((noinline)) static void stack_fill (uint64_t seed, size_t turn) {
    volatile uint64_t room[4096];
    const uint64_t pattern[4] = { seed, 7, 0, 7 };
    for (size_t i = 0; i < sizeof room / sizeof *room; i++)
        room[i] = pattern[(i + turn) % 4];
}

/* xxHash takes a seed that it finds in the state for its own of the last time,
 * and then uses whatever secret stands beside it. */
static void test_xxh3_parts_on_a_used_stack (void **state) {
    (void) state;
    static uint8_t data[2000];
    struct slice parts[2] = { slice_of (data, 900),
                              slice_of (data + 900, 1100) };
    for (size_t turn = 0; turn < 4; turn++) {
        uint64_t want = hash_xxh3 (slice_of (data, sizeof data), 12345);
        stack_fill (12345, turn);
        assert_true (hash_xxh3_parts (parts, 2, 12345) == want);
    }
}

int main (void) {
    memset (thousand, 'a', sizeof thousand);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_parse_refuses),
        cmocka_unit_test (test_sha256),
        cmocka_unit_test (test_sha256_parts),
        cmocka_unit_test (test_tree),
        cmocka_unit_test (test_blake2b),
        cmocka_unit_test (test_xxh3),
        cmocka_unit_test (test_xxh3_parts),
        cmocka_unit_test (test_xxh3_parts_on_a_used_stack),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
