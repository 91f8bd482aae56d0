/* hash - the functions of PROTOCOL.md section 2.1. On the hot path: states
 * stand on the stack, nothing is allocated. Thread-safe.
 *
 * SHA-256 is nettle's, which takes the CPU's SHA extensions where there are
 * some: four times as fast there as libsodium's, which has none. */
#include "base/hash.h"

#include <nettle/sha2.h>
#include <sodium.h>
#define XXH_STATIC_LINKING_ONLY /* the state's size, to have it on the stack */
#include <xxhash.h>

/* RFC 6962 section 2.1: what sets a leaf apart from a node. */
enum { PREFIX_LEAF = 0, PREFIX_NODE = 1 };

struct hash hash_sha256 (struct slice data) {
    return hash_sha256_parts (&data, 1);
}

struct hash hash_sha256_parts (const struct slice *parts, size_t count) {
    struct hash h;
    struct sha256_ctx state;
    sha256_init (&state);
    for (size_t i = 0; i < count; i++)
        sha256_update (&state, parts[i].size, parts[i].data);
    sha256_digest (&state, HASH_SIZE, h.octets);
    return h;
}

struct hash hash_leaf (struct slice data) {
    static const uint8_t prefix = PREFIX_LEAF;
    struct slice parts[] = { { &prefix, 1 }, data };
    return hash_sha256_parts (parts, 2);
}

struct hash hash_node (const struct hash *left, const struct hash *right) {
    uint8_t octets[1 + 2 * HASH_SIZE];
    octets[0] = PREFIX_NODE;
    memcpy (octets + 1, left->octets, HASH_SIZE);
    memcpy (octets + 1 + HASH_SIZE, right->octets, HASH_SIZE);
    return hash_sha256 (slice_of (octets, sizeof octets));
}

struct hash hash_blake2b (struct slice data) {
    struct hash h;
    crypto_generichash (h.octets, HASH_SIZE, data.data, data.size, NULL, 0);
    return h;
}

struct hash hash_blake2b_keyed (const uint8_t key[32], struct slice data) {
    struct hash h;
    crypto_generichash (h.octets, HASH_SIZE, data.data, data.size, key, 32);
    return h;
}

uint64_t hash_xxh3 (struct slice data, uint64_t seed) {
    return XXH3_64bits_withSeed (data.data, data.size, seed);
}

uint64_t hash_xxh3_parts (const struct slice *parts, size_t count,
                          uint64_t seed) {
    XXH3_state_t state;
    /* Or it takes what stands on the stack for the secret of this seed. */
    XXH3_INITSTATE (&state);
    XXH3_64bits_reset_withSeed (&state, seed);
    for (size_t i = 0; i < count; i++)
        XXH3_64bits_update (&state, parts[i].data, parts[i].size);
    return XXH3_64bits_digest (&state);
}

char *hash_text (char out[HASH_TEXT_MAX], const struct hash *h) {
    return hex_encode (out, h->octets, HASH_SIZE);
}

enum err hash_parse (const char *text, struct hash *h) {
    struct hash parsed;
    enum err rc = hex_decode (parsed.octets, HASH_SIZE, text);
    if (!rc)
        *h = parsed;
    return rc;
}
