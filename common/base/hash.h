/* hash - all hashing of Parley, in one place, so that a faster provider can
 * be put in by measurement.
 *
 * SHA-256 for ids, leaves, nodes and note digests; BLAKE2b-256 for bodies;
 * XXH3-64 for checksums against accidents, never against people. */
#ifndef PARLEY_HASH_H
#define PARLEY_HASH_H

#include "base/buf.h"

#include <stdint.h>

#define HASH_SIZE 32

struct hash {
    uint8_t octets[HASH_SIZE];
};

struct hash hash_sha256 (struct slice data);
/* Several slices as if they were one. */
struct hash hash_sha256_parts (const struct slice *parts, size_t count);
/* LEAF and NODE of PROTOCOL.md section 2.1: SHA-256(0x00 || data) and
 * SHA-256(0x01 || left || right). */
struct hash hash_leaf (struct slice data);
struct hash hash_node (const struct hash *left, const struct hash *right);
struct hash hash_blake2b (struct slice data);
struct hash hash_blake2b_keyed (const uint8_t key[32], struct slice data);
uint64_t hash_xxh3 (struct slice data, uint64_t seed);
uint64_t hash_xxh3_parts (const struct slice *parts, size_t count,
                          uint64_t seed); /* as if they were one */

static inline bool hash_equal (const struct hash *a, const struct hash *b) {
    return memcmp (a->octets, b->octets, HASH_SIZE) == 0;
}
/* Lower case hex; HASH_TEXT_MAX octets with the NUL. */
#define HASH_TEXT_MAX (2 * HASH_SIZE + 1)
char *hash_text (char out[HASH_TEXT_MAX], const struct hash *h);
enum err hash_parse (const char *text, struct hash *h) MUST_CHECK;

#endif
