/* feedkey - sealed frames of the feed (PROTOCOL.md section 8.7). Pure but for
 * the random nonce; thread-safe. */
#include "wire/feedkey.h"

#include "base/mp.h"
#include "identity/identity.h"

#include <sodium.h>

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define AUTH crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BOUND_SIZE (LABEL_SIZE + HASH_SIZE + TAG_SIZE + FEED_CLEAR)

_Static_assert(FEED_OVERHEAD == NONCE + AUTH, "as the header says");
_Static_assert(FEED_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
               "as libsodium wants it");

void feed_key_draw (struct feed_key *out) {
    randombytes_buf (out->tag, sizeof out->tag);
    randombytes_buf (out->key, sizeof out->key);
}

void feed_clear_write (uint8_t out[FEED_CLEAR], const struct feed_clear *c) {
    memcpy (out, c->run, RUN_SIZE);
    put_u64 (out + RUN_SIZE, c->generation);
    put_u64 (out + RUN_SIZE + 8, c->frame);
}

enum err feed_clear_read (struct slice octets, struct feed_clear *out) {
    if (octets.size != FEED_CLEAR)
        return ERR_MALFORMED;
    memcpy (out->run, octets.data, RUN_SIZE);
    out->generation = get_u64 (octets.data + RUN_SIZE);
    out->frame = get_u64 (octets.data + RUN_SIZE + 8);
    return ERR_NONE;
}

/* The associated data: a frame opens only as what, and where, it was sealed. */
static void bound_write (uint8_t out[BOUND_SIZE], const struct hash *dialogue,
                         const struct feed_key *key, const uint8_t *clear) {
    memcpy (out, label_octets (LABEL_FRAME), LABEL_SIZE);
    out += LABEL_SIZE;
    memcpy (out, dialogue->octets, HASH_SIZE);
    out += HASH_SIZE;
    memcpy (out, key->tag, TAG_SIZE);
    memcpy (out + TAG_SIZE, clear, FEED_CLEAR);
}

void feed_seal (struct buf *out, const struct hash *dialogue,
                const struct feed_key *key, const uint8_t clear[FEED_CLEAR],
                enum feed_kind kind, const struct slice *parts, size_t count) {
    uint8_t bound[BOUND_SIZE];
    bound_write (bound, dialogue, key, clear);
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    uint8_t *nonce = buf_extend (out, NONCE + size + AUTH);
    randombytes_buf (nonce, NONCE);
    uint8_t *at = nonce + NONCE;
    *at++ = (uint8_t) kind;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > 0)
            memcpy (at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    /* In place: libsodium allows it where both pointers are the same. */
    crypto_aead_xchacha20poly1305_ietf_encrypt (
        nonce + NONCE, NULL, nonce + NONCE, size, bound, sizeof bound, NULL,
        nonce, key->key);
}

enum err feed_open (struct slice sealed, const struct hash *dialogue,
                    const struct feed_key *key, struct slice clear,
                    struct buf *plain, int *kind, struct slice *content,
                    struct error *e) {
    if (clear.size != FEED_CLEAR)
        return error_set (e, ERR_MALFORMED,
                          "the clear part of a frame has %zu octets, not %d",
                          clear.size, FEED_CLEAR);
    if (sealed.size < FEED_OVERHEAD + 1)
        return error_set (e, ERR_MALFORMED,
                          "the sealed part of a frame has only %zu octets",
                          sealed.size);
    if (sealed.size > FEED_PART_MAX)
        return error_set (e, ERR_LIMIT,
                          "the sealed part of a frame has %zu octets, over %d",
                          sealed.size, FEED_PART_MAX);
    uint8_t bound[BOUND_SIZE];
    bound_write (bound, dialogue, key, clear.data);
    buf_clear (plain);
    uint8_t *out = buf_extend (plain, sealed.size - FEED_OVERHEAD);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt (
            out, NULL, NULL, sealed.data + NONCE, sealed.size - NONCE, bound,
            sizeof bound, sealed.data, key->key)
        != 0) {
        buf_clear (plain);
        return error_set (e, ERR_SIGNATURE,
                          "a frame is not sealed with its stream's key");
    }
    *kind = plain->data[0];
    *content = slice_of (plain->data + 1, plain->size - 1);
    return ERR_NONE;
}

void feed_head_write (struct buf *out, const struct feed_head *head) {
    mp_put_array (out, 4);
    mp_put_int (out, head->size);
    mp_put_int (out, head->log_time);
    mp_put_int (out, head->last);
    if (head->next_generation)
        mp_put_int (out, head->next_generation);
    else
        mp_put_nil (out);
}

enum err feed_head_read (struct slice octets, struct feed_head *out,
                         struct error *e) {
    struct mp in;
    mp_start (&in, octets);
    mp_array (&in, 4, 4);
    out->size = mp_int (&in, 0, NUMBER_MAX);
    out->log_time = mp_int (&in, 0, NUMBER_MAX);
    out->last = mp_int (&in, 0, NUMBER_MAX);
    out->next_generation = 0;
    if (!mp_try_nil (&in))
        out->next_generation = mp_int (&in, 1, NUMBER_MAX);
    return mp_finish (&in, e);
}

void feed_leaves_write (struct buf *out, int64_t first,
                        const struct hash *leaves, size_t count) {
    buf_add_u64 (out, (uint64_t) first);
    buf_add (out, leaves, count * HASH_SIZE);
}

enum err feed_leaves_read (struct slice octets, int64_t *first,
                           struct slice *hashes, struct error *e) {
    if (octets.size < 8 + HASH_SIZE || (octets.size - 8) % HASH_SIZE != 0)
        return error_set (e, ERR_MALFORMED,
                          "leaf hashes in a part of %zu octets", octets.size);
    size_t count = (octets.size - 8) / HASH_SIZE;
    if (count > FEED_LEAVES_MAX)
        return error_set (e, ERR_LIMIT, "%zu leaf hashes in a frame, over %d",
                          count, FEED_LEAVES_MAX);
    uint64_t from = get_u64 (octets.data);
    if (from > (uint64_t) NUMBER_MAX - (count - 1))
        return error_set (e, ERR_MALFORMED,
                          "leaf hashes from %llu on, over any sequence",
                          (unsigned long long) from);
    *first = (int64_t) from;
    *hashes = slice_of (octets.data + 8, octets.size - 8);
    return ERR_NONE;
}
