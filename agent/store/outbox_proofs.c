/* outbox_proofs - the broker's answers, kept so that they can be shown
 * (PROTOCOL.md sections 7.3, 8.2 and 8.6).
 *
 * A promise names up to 256 messages, and a proof of one of them is a path
 * through all: made for each at once it would cost the sender more hashing
 * than all the rest. So the promise is kept as it came, and a proof is made
 * when somebody asks. */
#include "base/clock.h"
#include "outbox.h"
#include "outbox_reply.h"
#include "store_impl.h"

#include <inttypes.h>
#include <stdlib.h>

#define ENTRY (HASH_SIZE + 8 + HASH_SIZE)
#define HEAD (4 * 8 + KEY_ID_SIZE + 2 * HASH_SIZE + SIGNATURE_SIZE)

/* Octets of `replies` */

static void reply_write (struct buf *out, const struct promise *p,
                         const struct promise_accepted *accepted,
                         size_t count) {
    buf_add_u64 (out, (uint64_t) p->epoch);
    buf_add_u64 (out, (uint64_t) p->log_time);
    buf_add_u64 (out, (uint64_t) p->accepted_count);
    buf_add_u64 (out, (uint64_t) p->refused_count);
    buf_add (out, p->key_id.octets, KEY_ID_SIZE);
    buf_add (out, p->accepted_root.octets, HASH_SIZE);
    buf_add (out, p->refused_root.octets, HASH_SIZE);
    buf_add (out, p->signature, SIGNATURE_SIZE);
    for (size_t i = 0; i < count; i++) {
        buf_add (out, accepted[i].id.octets, HASH_SIZE);
        buf_add_u64 (out, (uint64_t) accepted[i].sequence);
        buf_add (out, accepted[i].leaf.octets, HASH_SIZE);
    }
}

static const uint8_t *take (const uint8_t *at, void *out, size_t size) {
    memcpy (out, at, size);
    return at + size;
}

/* A promise that was read back; large. */
struct reply {
    int64_t number; /* 0: none yet */
    struct promise promise;
    struct promise_accepted accepted[BATCH_MAX];
    size_t count;
};

static bool reply_read (struct slice octets, struct reply *out) {
    if (octets.size <= HEAD || (octets.size - HEAD) % ENTRY != 0
        || (octets.size - HEAD) / ENTRY > BATCH_MAX)
        return false;
    struct promise *p = &out->promise;
    const uint8_t *at = octets.data;
    p->epoch = (int64_t) get_u64 (at);
    p->log_time = (int64_t) get_u64 (at + 8);
    p->accepted_count = (int64_t) get_u64 (at + 16);
    p->refused_count = (int64_t) get_u64 (at + 24);
    at = take (at + 32, p->key_id.octets, KEY_ID_SIZE);
    at = take (at, p->accepted_root.octets, HASH_SIZE);
    at = take (at, p->refused_root.octets, HASH_SIZE);
    at = take (at, p->signature, SIGNATURE_SIZE);
    out->count = (octets.size - HEAD) / ENTRY;
    for (size_t i = 0; i < out->count; i++) {
        struct promise_accepted *a = &out->accepted[i];
        at = take (at, a->id.octets, HASH_SIZE);
        a->sequence = (int64_t) get_u64 (at);
        at = take (at + 8, a->leaf.octets, HASH_SIZE);
    }
    return out->count == (size_t) p->accepted_count;
}

/* Keeping */

static enum err keep_reply (struct reply_keeper *self, struct error *e) {
    struct buf octets = { 0 };
    reply_write (&octets, self->promise, self->accepted, self->count);
    sqlite3_stmt *s =
        store_prepare (self->store, "INSERT INTO replies (octets) VALUES (?)");
    bind_slice (s, 1, buf_slice (&octets));
    enum err rc = store_done (self->store, s, "promise", e);
    self->reply = sqlite3_last_insert_rowid (self->store->db);
    buf_free (&octets);
    return rc;
}

/* Is that place promised already; is another one, in that epoch? */
static enum err find_promises (const struct reply_keeper *self, size_t which,
                               bool *held, bool *other, struct error *e) {
    const struct promise_accepted *a = &self->accepted[which];
    sqlite3_stmt *s =
        store_prepare (self->store, "SELECT sequence, leaf FROM promises"
                                    " WHERE id = ? AND epoch = ?");
    bind_hash (s, 1, &a->id);
    sqlite3_bind_int64 (s, 2, self->promise->epoch);
    enum err rc;
    *held = *other = false;
    while ((rc = store_row (self->store, s, "promise", e)) == ERR_NONE) {
        struct hash leaf = column_hash (s, 1);
        bool same = sqlite3_column_int64 (s, 0) == a->sequence
                    && hash_equal (&leaf, &a->leaf);
        *held = *held || same;
        *other = *other || !same;
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

enum err reply_keep (struct reply_keeper *self, size_t which, bool *other,
                     struct error *e) {
    const struct promise_accepted *a = &self->accepted[which];
    bool held;
    enum err rc = find_promises (self, which, &held, other, e);
    if (rc || held)
        return rc;
    if (self->reply == 0)
        rc = keep_reply (self, e);
    if (rc)
        return rc;
    sqlite3_stmt *s = store_prepare (
        self->store, "INSERT INTO promises (id, epoch, sequence, leaf, reply,"
                     " which) VALUES (?, ?, ?, ?, ?, ?)");
    bind_hash (s, 1, &a->id);
    sqlite3_bind_int64 (s, 2, self->promise->epoch);
    sqlite3_bind_int64 (s, 3, a->sequence);
    bind_hash (s, 4, &a->leaf);
    sqlite3_bind_int64 (s, 5, self->reply);
    sqlite3_bind_int64 (s, 6, (int64_t) which);
    return store_done (self->store, s, "promise", e);
}

enum err refusal_keep (struct store *store, int64_t number,
                       const struct hash *id, const struct refusal *refusal,
                       struct slice proof, struct error *e) {
    struct hash digest = hash_sha256 (proof);
    sqlite3_stmt *s = store_prepare (
        store, "INSERT INTO proofs (digest, octets) VALUES (?, ?)"
               " ON CONFLICT (digest) DO NOTHING");
    bind_hash (s, 1, &digest);
    bind_slice (s, 2, proof);
    enum err rc = store_done (store, s, "refusal", e);
    if (rc)
        return rc;
    struct buf octets = { 0 };
    refusal_put (&octets, refusal);
    s = store_prepare (
        store, "INSERT INTO refusals (time, id, topic, refusal, proof)"
               " SELECT ?1, ?2, topic, ?3, ?4 FROM outbox WHERE number = ?5"
               " ON CONFLICT (id, proof) DO NOTHING");
    sqlite3_bind_int64 (s, 1, clock_wall_ms());
    bind_hash (s, 2, id);
    bind_slice (s, 3, buf_slice (&octets));
    bind_hash (s, 4, &digest);
    sqlite3_bind_int64 (s, 5, number);
    rc = store_done (store, s, "refusal", e);
    buf_free (&octets);
    return rc;
}

static enum err denied_by (struct slice refusal, struct slice proof,
                           int64_t log_time, bool *denied, struct error *e) {
    struct refusal why;
    struct promise promise;
    struct promise_refused *refused = NULL;
    size_t count;
    struct mp in;
    mp_start (&in, refusal);
    refusal_take (&in, &why);
    enum err rc = mp_finish (&in, e);
    if (!rc)
        rc = refusal_proof_read (proof, &promise, &refused, &count, e);
    free (refused);
    if (rc)
        return error_set (e, ERR_DAMAGED, "store: a refusal: %s", e->text);
    *denied =
        *denied || (why.rule != RULE_OLD_NUMBER && promise.log_time > log_time);
    return ERR_NONE;
}

enum err outbox_denied (struct store *store, const struct hash *id,
                        int64_t log_time, bool *denied, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT r.refusal, p.octets FROM refusals r"
               " JOIN proofs p ON p.digest = r.proof WHERE r.id = ?");
    bind_hash (s, 1, id);
    enum err rc;
    *denied = false;
    while ((rc = store_row (store, s, "refusal", e)) == ERR_NONE) {
        rc = denied_by (column_slice (s, 0), column_slice (s, 1), log_time,
                        denied, e);
        if (rc)
            break;
    }
    sqlite3_reset (s);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Showing promises */

static enum err reply_load (struct store *store, int64_t number,
                            struct reply *out, struct error *e) {
    if (out->number == number)
        return ERR_NONE;
    sqlite3_stmt *s =
        store_prepare (store, "SELECT octets FROM replies WHERE reply = ?");
    sqlite3_bind_int64 (s, 1, number);
    out->number = 0;
    enum err rc = store_row (store, s, "promise", e);
    bool read = !rc && reply_read (column_slice (s, 0), out);
    sqlite3_reset (s);
    if (rc && rc != ERR_NOT_FOUND)
        return rc;
    if (!read)
        return error_set (e, ERR_DAMAGED, "store: promise %" PRId64 " is gone",
                          number);
    out->number = number;
    return ERR_NONE;
}

static enum err proof_make (struct store *store, int64_t number, int64_t which,
                            struct reply *reply, struct promise_proof *out,
                            struct error *e) {
    enum err rc = reply_load (store, number, reply, e);
    if (!rc && (which < 0 || (uint64_t) which >= reply->count))
        rc = error_set (e, ERR_DAMAGED,
                        "store: promise %" PRId64 " has no entry %" PRId64,
                        number, which);
    if (!rc)
        promise_proof_make (out, &reply->promise, reply->accepted, reply->count,
                            (size_t) which);
    return rc;
}

/* Of the row that a statement gives: reply, which. */
static bool proof_of_row (struct store *store, sqlite3_stmt *s,
                          struct promise_proof *out) {
    struct error e;
    if (store_row (store, s, "promise", &e))
        return false;
    int64_t number = sqlite3_column_int64 (s, 0);
    int64_t which = sqlite3_column_int64 (s, 1);
    sqlite3_reset (s);
    struct reply *reply = mem_alloc (sizeof *reply);
    enum err rc = proof_make (store, number, which, reply, out, &e);
    free (reply);
    return rc == ERR_NONE;
}

bool outbox_highest_promise (struct store *store, int64_t epoch,
                             struct promise_proof *out) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT reply, which FROM promises WHERE epoch = ?"
               " ORDER BY sequence DESC LIMIT 1");
    sqlite3_bind_int64 (s, 1, epoch);
    return proof_of_row (store, s, out);
}

bool outbox_promise (struct store *store, const struct hash *id,
                     struct promise_proof *out) {
    sqlite3_stmt *s =
        store_prepare (store, "SELECT reply, which FROM promises WHERE id = ?"
                              " ORDER BY epoch DESC LIMIT 1");
    bind_hash (s, 1, id);
    return proof_of_row (store, s, out);
}

bool outbox_promise_at (struct store *store, int64_t epoch, int64_t sequence,
                        const struct hash *leaf, struct promise_proof *out) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT reply, which FROM promises WHERE epoch = ?"
               " AND sequence = ? AND leaf = ? LIMIT 1");
    sqlite3_bind_int64 (s, 1, epoch);
    sqlite3_bind_int64 (s, 2, sequence);
    bind_hash (s, 3, leaf);
    return proof_of_row (store, s, out);
}

static enum err next_promise (struct store *store, int64_t *after,
                              struct reply *reply, struct promise_proof *out,
                              struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT number, reply, which FROM promises WHERE number > ?"
               " ORDER BY number LIMIT 1");
    sqlite3_bind_int64 (s, 1, *after);
    enum err rc = store_row (store, s, "promise", e);
    if (rc)
        return rc;
    *after = sqlite3_column_int64 (s, 0);
    int64_t number = sqlite3_column_int64 (s, 1);
    int64_t which = sqlite3_column_int64 (s, 2);
    sqlite3_reset (s);
    return proof_make (store, number, which, reply, out, e);
}

static enum err next_refusal (struct store *store, int64_t *after,
                              struct buf *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT number, octets FROM proofs WHERE number > ?"
               " ORDER BY number LIMIT 1");
    sqlite3_bind_int64 (s, 1, *after);
    enum err rc = store_row (store, s, "refusal", e);
    if (rc)
        return rc;
    *after = sqlite3_column_int64 (s, 0);
    buf_clear (out);
    buf_add_slice (out, column_slice (s, 1));
    sqlite3_reset (s);
    return ERR_NONE;
}

enum err outbox_proofs (struct store *store,
                        enum err (*promise) (void *arg,
                                             const struct promise_proof *,
                                             struct error *),
                        enum err (*refusal) (void *arg, struct slice proof,
                                             struct error *),
                        void *arg, struct error *e) {
    struct promise_proof proof;
    struct buf octets = { 0 };
    struct reply *reply = mem_alloc (sizeof *reply);
    enum err rc, given = ERR_NONE;
    int64_t at = 0;
    while (!given && !(rc = next_promise (store, &at, reply, &proof, e)))
        given = promise (arg, &proof, e);
    at = 0;
    if (!given && rc == ERR_NOT_FOUND)
        while (!given && !(rc = next_refusal (store, &at, &octets, e)))
            given = refusal (arg, buf_slice (&octets), e);
    buf_free (&octets);
    free (reply);
    if (given)
        return given;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Showing refusals */

struct shown {
    int64_t number, ms;
    struct hash id;
    char topic[TOPIC_MAX + 1];
    struct refusal refusal;
};

static enum err next_shown (struct store *store, int64_t after,
                            struct shown *out, struct error *e) {
    sqlite3_stmt *s = store_prepare (
        store, "SELECT number, time, id, topic, refusal FROM refusals"
               " WHERE number > ? ORDER BY number LIMIT 1");
    sqlite3_bind_int64 (s, 1, after);
    enum err rc = store_row (store, s, "refusal", e);
    if (rc)
        return rc;
    out->number = sqlite3_column_int64 (s, 0);
    out->ms = sqlite3_column_int64 (s, 1);
    out->id = column_hash (s, 2);
    struct slice topic = column_slice (s, 3);
    size_t size = topic.size < TOPIC_MAX ? topic.size : TOPIC_MAX;
    memcpy (out->topic, topic.data, size);
    out->topic[size] = '\0';
    struct mp in;
    mp_start (&in, column_slice (s, 4));
    refusal_take (&in, &out->refusal);
    rc = mp_finish (&in, e);
    sqlite3_reset (s);
    return rc ? error_set (e, ERR_DAMAGED, "store: refusal %" PRId64 ": %s",
                           out->number, e->text)
              : ERR_NONE;
}

enum err outbox_refusals (struct store *store, int64_t after, int64_t limit,
                          void (*each) (void *arg, int64_t number, int64_t ms,
                                        const struct hash *id,
                                        const char *topic,
                                        const struct refusal *refusal),
                          void *arg, struct error *e) {
    struct shown shown = { .number = after };
    enum err rc = ERR_NONE;
    for (int64_t n = 0; !rc && (limit <= 0 || n < limit); n++) {
        rc = next_shown (store, shown.number, &shown, e);
        if (!rc)
            each (arg, shown.number, shown.ms, &shown.id, shown.topic,
                  &shown.refusal);
    }
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Lanes */

bool outbox_lane_known (struct store *store, uint64_t lane) {
    sqlite3_stmt *s =
        store_prepare (store, "SELECT 1 FROM lanes WHERE lane = ?");
    sqlite3_bind_int64 (s, 1, (int64_t) lane);
    bool known = sqlite3_step (s) == SQLITE_ROW;
    sqlite3_reset (s);
    return known;
}

size_t outbox_lanes (struct store *store, uint64_t *lanes, int64_t *highest,
                     size_t room) {
    struct error e;
    uint64_t mine = store_lane (store);
    size_t n = 0;
    if (room == 0)
        return 0;
    lanes[n] = mine;
    highest[n++] = 0;
    sqlite3_stmt *s =
        store_prepare (store, "SELECT lane, signed FROM lanes WHERE signed > 0"
                              " ORDER BY number DESC");
    while (store_row (store, s, "lane", &e) == ERR_NONE) {
        uint64_t lane = (uint64_t) sqlite3_column_int64 (s, 0);
        size_t at = lane == mine ? 0 : n;
        if (at == room)
            continue;
        lanes[at] = lane;
        highest[at] = sqlite3_column_int64 (s, 1);
        n += at == n;
    }
    return n;
}
