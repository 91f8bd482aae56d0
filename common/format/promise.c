/* promise - the broker's signed answers, and what an agent keeps of them
 * (PROTOCOL.md sections 7.3, 8.2, 8.4 and 8.6). Thread-safe: no state. */
#include "format/promise.h"

#include "format/batch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static void put_hash (struct buf *out, const struct hash *h) {
    mp_put_bin (out, h->octets, HASH_SIZE);
}

static void take_hash (struct mp *in, struct hash *out) {
    mp_bin_exact (in, out->octets, HASH_SIZE);
}

/* Trees. */

struct hash promise_accepted_leaf (const struct hash *id, int64_t sequence,
                                   const struct hash *leaf) {
    uint8_t entry[HASH_SIZE + 8 + HASH_SIZE];
    memcpy (entry, id->octets, HASH_SIZE);
    put_u64 (entry + HASH_SIZE, (uint64_t) sequence);
    memcpy (entry + HASH_SIZE + 8, leaf->octets, HASH_SIZE);
    return hash_leaf (slice_of (entry, sizeof entry));
}

struct hash promise_refused_leaf (const struct hash *id,
                                  const struct refusal *refusal) {
    struct buf entry = { 0 };
    mp_put_array (&entry, 3);
    put_hash (&entry, id);
    refusal_put (&entry, refusal);
    struct hash leaf = hash_leaf (buf_slice (&entry));
    buf_free (&entry);
    return leaf;
}

static void set_accepted (struct promise *self,
                          const struct promise_accepted *accepted,
                          size_t count) {
    struct tree tree;
    tree.size = 0; /* its 2 KiB need no zeros */
    for (size_t i = 0; i < count; i++) {
        struct hash leaf = promise_accepted_leaf (
            &accepted[i].id, accepted[i].sequence, &accepted[i].leaf);
        tree_add (&tree, &leaf);
    }
    self->accepted_count = (int64_t) count;
    self->accepted_root = tree_root (&tree);
}

static void set_refused (struct promise *self,
                         const struct promise_refused *refused, size_t count) {
    struct tree tree;
    tree.size = 0; /* its 2 KiB need no zeros */
    for (size_t i = 0; i < count; i++) {
        struct hash leaf =
            promise_refused_leaf (&refused[i].id, &refused[i].refusal);
        tree_add (&tree, &leaf);
    }
    self->refused_count = (int64_t) count;
    self->refused_root = tree_root (&tree);
}

/* Signing. */

static void put_signed (struct buf *out, const struct promise *self,
                        const struct hash *dialogue) {
    mp_put_array (out, 8);
    put_hash (out, dialogue);
    mp_put_int (out, self->epoch);
    mp_put_bin (out, self->key_id.octets, KEY_ID_SIZE);
    mp_put_int (out, self->log_time);
    mp_put_int (out, self->accepted_count);
    put_hash (out, &self->accepted_root);
    mp_put_int (out, self->refused_count);
    put_hash (out, &self->refused_root);
}

void promise_sign (struct promise *self, const struct identity *broker,
                   const struct hash *dialogue,
                   const struct promise_accepted *accepted,
                   size_t accepted_count, const struct promise_refused *refused,
                   size_t refused_count) {
    assert (accepted_count + refused_count >= 1);
    assert (accepted_count + refused_count <= BATCH_MAX);
    set_accepted (self, accepted, accepted_count);
    set_refused (self, refused, refused_count);
    self->key_id = identity_key_id (broker, LABEL_PROMISE);
    struct buf data = { 0 };
    put_signed (&data, self, dialogue);
    identity_sign (broker, LABEL_PROMISE, buf_slice (&data), self->signature);
    buf_free (&data);
}

bool promise_signed (const struct promise *self, const struct hash *dialogue,
                     const uint8_t desk_key[KEY_SIZE]) {
    struct buf data = { 0 };
    put_signed (&data, self, dialogue);
    bool good = signature_valid (desk_key, LABEL_PROMISE, buf_slice (&data),
                                 self->signature);
    buf_free (&data);
    return good;
}

const uint8_t *promise_desk_key (const struct roster *roster, struct key_id id,
                                 int64_t at) {
    for (size_t i = 0; i < roster_brokers (roster); i++) {
        const struct roster_keys *keys =
            &roster_broker_at (roster, i)->desk_key;
        for (int k = 0; k < keys->count; k++) {
            bool past = k == 1 && at >= 0 && at >= keys->older_until;
            struct key_id found = key_id_of (KEY_TYPE_ED25519, keys->key[k]);
            if (!past && key_id_equal (found, id))
                return keys->key[k];
        }
    }
    return NULL;
}

/* Entries of a reply. */

static void put_refused (struct buf *out, const struct promise_refused *refused,
                         size_t count) {
    mp_put_array (out, count);
    for (size_t i = 0; i < count; i++) {
        mp_put_array (out, 4);
        if (refused[i].index < 0)
            mp_put_nil (out);
        else
            mp_put_int (out, refused[i].index);
        put_hash (out, &refused[i].id);
        refusal_put (out, &refused[i].refusal);
    }
}

/* An index that follows `last` and is below count. */
static int take_index (struct mp *in, int last, size_t count) {
    int index = (int) mp_int (in, 0, BATCH_MAX - 1);
    if (index <= last)
        mp_fail (in, ERR_MALFORMED, "index %d after %d, they have to ascend",
                 index, last);
    else if ((size_t) index >= count)
        mp_fail (in, ERR_MALFORMED, "index %d in a batch of %zu", index, count);
    return index;
}

static struct promise_accepted *take_accepted (struct mp *in,
                                               const struct hash *ids,
                                               size_t count, size_t *n) {
    *n = mp_array (in, 0, BATCH_MAX);
    if (*n == 0)
        return NULL;
    struct promise_accepted *all = mem_alloc (*n * sizeof *all);
    int last = -1;
    for (size_t i = 0; i < *n && !in->failed; i++) {
        mp_array (in, 3, 3);
        all[i].index = last = take_index (in, last, count);
        all[i].sequence = mp_int (in, 0, NUMBER_MAX);
        take_hash (in, &all[i].leaf);
        if (!in->failed)
            all[i].id = ids[all[i].index];
    }
    return all;
}

static struct promise_refused *take_refused (struct mp *in, size_t count,
                                             size_t *n) {
    *n = mp_array (in, 0, BATCH_MAX);
    if (*n == 0)
        return NULL;
    struct promise_refused *all = mem_alloc (*n * sizeof *all);
    int last = -1;
    for (size_t i = 0; i < *n && !in->failed; i++) {
        mp_array (in, 4, 4);
        if (*n == 1 && mp_try_nil (in))
            all[i].index = -1;
        else
            all[i].index = last = take_index (in, last, count);
        take_hash (in, &all[i].id);
        refusal_take (in, &all[i].refusal);
    }
    return all;
}

/* Replies. */

void promise_reply_write (struct buf *out, const struct promise *self,
                          const struct promise_accepted *accepted,
                          size_t accepted_count,
                          const struct promise_refused *refused,
                          size_t refused_count) {
    mp_put_array (out, 6);
    mp_put_int (out, self->epoch);
    mp_put_int (out, self->log_time);
    mp_put_bin (out, self->key_id.octets, KEY_ID_SIZE);
    mp_put_array (out, accepted_count);
    for (size_t i = 0; i < accepted_count; i++) {
        mp_put_array (out, 3);
        mp_put_int (out, accepted[i].index);
        mp_put_int (out, accepted[i].sequence);
        put_hash (out, &accepted[i].leaf);
    }
    put_refused (out, refused, refused_count);
    mp_put_bin (out, self->signature, SIGNATURE_SIZE);
}

static void take_head (struct mp *in, struct promise *out) {
    out->epoch = mp_int (in, 1, NUMBER_MAX);
    out->log_time = mp_int (in, 0, NUMBER_MAX);
    mp_bin_exact (in, out->key_id.octets, KEY_ID_SIZE);
}

/* Each of `count` messages once, or all of them by one entry without index. */
static enum err check_answered (const struct hash *ids, size_t count,
                                const struct promise_accepted *accepted,
                                size_t accepted_count,
                                const struct promise_refused *refused,
                                size_t refused_count, struct error *e) {
    if (refused_count == 1 && refused[0].index < 0)
        return accepted_count == 0
                   ? ERR_NONE
                   : error_set (e, ERR_MALFORMED,
                                "the whole batch is refused, and %zu messages "
                                "of it are accepted",
                                accepted_count);
    if (accepted_count + refused_count != count)
        return error_set (e, ERR_MALFORMED,
                          "%zu accepted and %zu refused of %zu messages",
                          accepted_count, refused_count, count);
    bool answered[BATCH_MAX] = { false };
    for (size_t i = 0; i < accepted_count; i++)
        answered[accepted[i].index] = true;
    for (size_t i = 0; i < refused_count; i++) {
        int index = refused[i].index;
        if (answered[index])
            return error_set (e, ERR_MALFORMED,
                              "message %d is accepted and refused", index);
        if (!hash_equal (&refused[i].id, &ids[index]))
            return error_set (e, ERR_MALFORMED,
                              "message %d is refused under another id", index);
    }
    return ERR_NONE;
}

enum err promise_reply_read (struct slice frame, const struct hash *ids,
                             size_t count, struct promise *out,
                             struct promise_accepted **accepted,
                             size_t *accepted_count,
                             struct promise_refused **refused,
                             size_t *refused_count, struct error *e) {
    assert (count >= 1 && count <= BATCH_MAX);
    struct mp in;
    mp_start (&in, frame);
    mp_array (&in, 6, 6);
    take_head (&in, out);
    *accepted = take_accepted (&in, ids, count, accepted_count);
    *refused = take_refused (&in, count, refused_count);
    mp_bin_exact (&in, out->signature, SIGNATURE_SIZE);
    enum err rc = mp_finish (&in, e);
    if (rc == ERR_NONE)
        rc = check_answered (ids, count, *accepted, *accepted_count, *refused,
                             *refused_count, e);
    if (rc) {
        free (*accepted);
        free (*refused);
        *accepted = NULL;
        *refused = NULL;
        *accepted_count = *refused_count = 0;
        return rc;
    }
    set_accepted (out, *accepted, *accepted_count);
    set_refused (out, *refused, *refused_count);
    return ERR_NONE;
}

/* Proofs of a place. */

void promise_proof_make (struct promise_proof *out, const struct promise *p,
                         const struct promise_accepted *accepted, size_t count,
                         size_t which) {
    assert (which < count && count <= BATCH_MAX);
    struct hash leaves[BATCH_MAX], path[TREE_PATH_MAX];
    for (size_t i = 0; i < count; i++)
        leaves[i] = promise_accepted_leaf (
            &accepted[i].id, accepted[i].sequence, &accepted[i].leaf);
    *out = (struct promise_proof){ .promise = *p,
                                   .id = accepted[which].id,
                                   .sequence = accepted[which].sequence,
                                   .leaf = accepted[which].leaf,
                                   .index = (int64_t) which };
    out->path_length = tree_path (leaves, count, which, path);
    assert (out->path_length <= 8);
    memcpy (out->path, path, out->path_length * sizeof *path);
}

void promise_proof_write (struct buf *out, const struct promise_proof *self) {
    const struct promise *p = &self->promise;
    mp_put_array (out, 13);
    mp_put_int (out, p->epoch);
    mp_put_bin (out, p->key_id.octets, KEY_ID_SIZE);
    mp_put_int (out, p->log_time);
    mp_put_int (out, p->accepted_count);
    put_hash (out, &p->accepted_root);
    mp_put_int (out, p->refused_count);
    put_hash (out, &p->refused_root);
    mp_put_bin (out, p->signature, SIGNATURE_SIZE);
    put_hash (out, &self->id);
    mp_put_int (out, self->sequence);
    put_hash (out, &self->leaf);
    mp_put_int (out, self->index);
    mp_put_array (out, self->path_length);
    for (size_t i = 0; i < self->path_length; i++)
        put_hash (out, &self->path[i]);
}

static void take_counts (struct mp *in, struct promise *out) {
    out->accepted_count = mp_int (in, 1, BATCH_MAX);
    take_hash (in, &out->accepted_root);
    out->refused_count = mp_int (in, 0, BATCH_MAX - out->accepted_count);
    take_hash (in, &out->refused_root);
}

void promise_proof_take (struct mp *in, struct promise_proof *out) {
    *out = (struct promise_proof){ 0 };
    struct promise *p = &out->promise;
    mp_array (in, 13, 13);
    p->epoch = mp_int (in, 1, NUMBER_MAX);
    mp_bin_exact (in, p->key_id.octets, KEY_ID_SIZE);
    p->log_time = mp_int (in, 0, NUMBER_MAX);
    take_counts (in, p);
    mp_bin_exact (in, p->signature, SIGNATURE_SIZE);
    take_hash (in, &out->id);
    out->sequence = mp_int (in, 0, NUMBER_MAX);
    take_hash (in, &out->leaf);
    out->index = mp_int (in, 0, p->accepted_count - 1);
    if (in->failed)
        return;
    size_t length =
        tree_path_length ((uint64_t) out->index, (uint64_t) p->accepted_count);
    out->path_length = mp_array (in, length, length);
    for (size_t i = 0; i < out->path_length; i++)
        take_hash (in, &out->path[i]);
}

enum err promise_proof_check (const struct promise_proof *self,
                              const struct hash *dialogue,
                              const uint8_t desk_key[KEY_SIZE],
                              struct error *e) {
    const struct promise *p = &self->promise;
    struct hash leaf =
        promise_accepted_leaf (&self->id, self->sequence, &self->leaf);
    struct hash root;
    enum err rc = tree_path_root (&leaf, (uint64_t) self->index,
                                  (uint64_t) p->accepted_count, self->path,
                                  self->path_length, &root);
    if (rc || !hash_equal (&root, &p->accepted_root))
        return error_set (e, ERR_DIGEST,
                          "the path of entry %" PRId64 " of %" PRId64
                          " does not lead to the promise's root",
                          self->index, p->accepted_count);
    if (!promise_signed (p, dialogue, desk_key))
        return error_set (e, ERR_SIGNATURE,
                          "the promise for record %" PRId64
                          " is not signed by that desk key",
                          self->sequence);
    return ERR_NONE;
}

/* Proofs of a refusal. */

void refusal_proof_write (struct buf *out, const struct promise *self,
                          const struct promise_refused *refused, size_t count) {
    mp_put_array (out, 7);
    mp_put_int (out, self->epoch);
    mp_put_int (out, self->log_time);
    mp_put_bin (out, self->key_id.octets, KEY_ID_SIZE);
    mp_put_int (out, self->accepted_count);
    put_hash (out, &self->accepted_root);
    put_refused (out, refused, count);
    mp_put_bin (out, self->signature, SIGNATURE_SIZE);
}

static void check_refused (struct mp *in, int64_t accepted,
                           const struct promise_refused *refused,
                           size_t count) {
    if (count == 0)
        mp_fail (in, ERR_MALFORMED, "a refusal without an entry");
    else if (refused[0].index < 0 && accepted > 0)
        mp_fail (in, ERR_MALFORMED,
                 "the whole batch is refused, and %" PRId64
                 " messages of it are accepted",
                 accepted);
    else if (accepted + (int64_t) count > BATCH_MAX)
        mp_fail (in, ERR_MALFORMED,
                 "%" PRId64 " accepted and %zu refused, a batch has %d",
                 accepted, count, BATCH_MAX);
}

enum err refusal_proof_read (struct slice octets, struct promise *out,
                             struct promise_refused **refused, size_t *count,
                             struct error *e) {
    struct mp in;
    mp_start (&in, octets);
    mp_array (&in, 7, 7);
    take_head (&in, out);
    out->accepted_count = mp_int (&in, 0, BATCH_MAX);
    take_hash (&in, &out->accepted_root);
    *refused = take_refused (&in, BATCH_MAX, count);
    mp_bin_exact (&in, out->signature, SIGNATURE_SIZE);
    if (!in.failed)
        check_refused (&in, out->accepted_count, *refused, *count);
    enum err rc = mp_finish (&in, e);
    if (rc) {
        free (*refused);
        *refused = NULL;
        *count = 0;
        return rc;
    }
    set_refused (out, *refused, *count);
    return ERR_NONE;
}
