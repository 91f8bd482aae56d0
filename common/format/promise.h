/* promise - the broker's signed answer to a publish: what stands where, and
 * what was refused why (PROTOCOL.md sections 7.3, 8.2 and 8.4). */
#ifndef PARLEY_PROMISE_H
#define PARLEY_PROMISE_H

#include "format/rule.h"
#include "format/tree.h"
#include "identity/roster.h"

/* What is signed, and the signature. */
struct promise {
    int64_t epoch;
    struct key_id key_id; /* the desk key */
    int64_t log_time;     /* ms */
    int64_t accepted_count, refused_count;
    struct hash accepted_root, refused_root;
    uint8_t signature[SIGNATURE_SIZE];
};

struct promise_accepted {
    int index; /* in the batch */
    struct hash id;
    int64_t sequence;
    struct hash leaf;
};
struct promise_refused {
    int index; /* in the batch; -1: the whole of it */
    struct hash id;
    struct refusal refusal;
};

/* Leaf hashes of the two trees' entries. */
struct hash promise_accepted_leaf (const struct hash *id, int64_t sequence,
                                   const struct hash *leaf);
struct hash promise_refused_leaf (const struct hash *id,
                                  const struct refusal *refusal);

/* Count, root, key id and signature from the entries (in order of index).
 * epoch and log_time are the caller's. */
void promise_sign (struct promise *self, const struct identity *broker,
                   const struct hash *dialogue,
                   const struct promise_accepted *accepted,
                   size_t accepted_count, const struct promise_refused *refused,
                   size_t refused_count);
bool promise_signed (const struct promise *self, const struct hash *dialogue,
                     const uint8_t desk_key[KEY_SIZE]);
/* The desk key of any broker in the roster with that id; at = time in ms (an
 * older key only before its `until`; at < 0: never mind). NULL. */
const uint8_t *promise_desk_key (const struct roster *roster, struct key_id id,
                                 int64_t at);

/* Frame 1 of a publish reply (8.4). */
void promise_reply_write (struct buf *out, const struct promise *self,
                          const struct promise_accepted *accepted,
                          size_t accepted_count,
                          const struct promise_refused *refused,
                          size_t refused_count);
/* A reply to `ids` (count of them, in order; the batch's messages): each is
 * accepted or refused once, or one entry of index nil refuses all. Counts and
 * roots are recomputed; the signature is the caller's to check. The arrays are
 * allocated; free both with free(). */
enum err promise_reply_read (struct slice frame, const struct hash *ids,
                             size_t count, struct promise *out,
                             struct promise_accepted **accepted,
                             size_t *accepted_count,
                             struct promise_refused **refused,
                             size_t *refused_count, struct error *e) MUST_CHECK;

/* One accepted message's place, provable alone: what an agent keeps, shows in
 * hello, and exports. */
struct promise_proof {
    struct promise promise;
    struct hash id;
    int64_t sequence;
    struct hash leaf;
    int64_t index; /* among the accepted */
    size_t path_length;
    struct hash path[8]; /* 256 entries at most */
};
void promise_proof_make (struct promise_proof *out, const struct promise *p,
                         const struct promise_accepted *accepted, size_t count,
                         size_t which);
void promise_proof_write (struct buf *out, const struct promise_proof *self);
void promise_proof_take (struct mp *in, struct promise_proof *out);
/* Path and signature. ERR_SIGNATURE, ERR_DIGEST. */
enum err promise_proof_check (const struct promise_proof *self,
                              const struct hash *dialogue,
                              const uint8_t desk_key[KEY_SIZE], struct error *e)
    MUST_CHECK;

/* One refusal kept with its proof: the promise and all refused entries of its
 * reply as in 8.6. */
void refusal_proof_write (struct buf *out, const struct promise *self,
                          const struct promise_refused *refused, size_t count);
/* Arrays allocated; free *refused with free(). Recomputes the root. */
enum err refusal_proof_read (struct slice octets, struct promise *out,
                             struct promise_refused **refused, size_t *count,
                             struct error *e) MUST_CHECK;

#endif
