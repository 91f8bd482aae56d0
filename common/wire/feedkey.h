/* feedkey - the feed's frames: tags, clear part, sealing (PROTOCOL.md section
 * 8.7). Pure but for the random nonce. */
#ifndef PARLEY_FEEDKEY_H
#define PARLEY_FEEDKEY_H

#include "base/buf.h"
#include "base/hash.h"

#include <stdint.h>

#define TAG_SIZE 16
#define RUN_SIZE 16
#define FEED_KEY_SIZE 32
#define FEED_CLEAR 32 /* run id, generation, frame number */
#define FEED_OVERHEAD (24 + 16) /* nonce, authenticator */
#define FEED_PART_MAX 1310000

enum feed_kind {
    FEED_BLOCK = 1, FEED_HEAD = 2, FEED_LEAVES = 3, FEED_CHECKPOINT = 4,
    FEED_COSIGNATURES = 5,
};

/* What a delegation gets for one stream. */
struct feed_key {
    uint8_t tag[TAG_SIZE];
    uint8_t key[FEED_KEY_SIZE];
};
void feed_key_draw (struct feed_key *out); /* random */

struct feed_clear {
    uint8_t run[RUN_SIZE];
    uint64_t generation;
    uint64_t frame; /* of that tag, from 1 */
};
void feed_clear_write (uint8_t out[FEED_CLEAR], const struct feed_clear *c);
enum err feed_clear_read (struct slice octets, struct feed_clear *out)
    MUST_CHECK;

/* Append the sealed third part of a frame: kind octet, then the parts. */
void feed_seal (struct buf *out, const struct hash *dialogue,
                const struct feed_key *key, const uint8_t clear[FEED_CLEAR],
                enum feed_kind kind, const struct slice *parts, size_t count);
/* Open it into *plain (replaced): the kind, and *content behind it (borrowed
 * from plain). ERR_SIGNATURE: not sealed with this key for this place. */
enum err feed_open (struct slice sealed, const struct hash *dialogue,
                    const struct feed_key *key, struct slice clear,
                    struct buf *plain, int *kind, struct slice *content,
                    struct error *e) MUST_CHECK;

struct feed_head {
    int64_t size;     /* of the ledger */
    int64_t log_time; /* of the last record */
    int64_t last;     /* number of the stream */
    int64_t next_generation; /* 0: nil */
};
void feed_head_write (struct buf *out, const struct feed_head *head);
enum err feed_head_read (struct slice octets, struct feed_head *out,
                         struct error *e) MUST_CHECK;

/* Kind 3, `$log`: 1 to 256 leaf hashes from a sequence on. *hashes is of the
 * octets. */
#define FEED_LEAVES_MAX 256
void feed_leaves_write (struct buf *out, int64_t first,
                        const struct hash *leaves, size_t count);
enum err feed_leaves_read (struct slice octets, int64_t *first,
                           struct slice *hashes, struct error *e) MUST_CHECK;

#endif
