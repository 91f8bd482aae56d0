/* audit_promises - the broker's signed answers: under a desk key of its time,
 * and kept by the records that are there (PROTOCOL.md section 7.3). */
#include "ledger/audit_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* Was this roster in force in that millisecond, as far as is known? */
static bool in_force (const struct audit *self, size_t i, int64_t at) {
    const struct audit_roster *r = &self->rosters[i];
    bool last = i + 1 == self->roster_count;
    bool begun = r->time < 0 || r->time <= at;
    bool ended = !last && self->rosters[i + 1].time >= 0
                 && self->rosters[i + 1].time < at;
    return begun && !ended;
}

/* Which keys may have signed that; each is tried. */
static enum err check_signature (const struct audit *self,
                                 const struct promise *p, struct error *e) {
    char hex[HEX_SIZE (KEY_ID_SIZE)];
    bool listed = false;
    for (size_t i = 0; i < self->roster_count; i++) {
        if (!in_force (self, i, p->log_time))
            continue;
        const uint8_t *key =
            promise_desk_key (self->rosters[i].roster, p->key_id, p->log_time);
        listed = listed || key;
        if (key && promise_signed (p, &self->dialogue, key))
            return ERR_NONE;
    }
    hex_encode (hex, p->key_id.octets, KEY_ID_SIZE);
    if (!listed)
        return error_set (e, ERR_KEY,
                          "no roster in force at log time %" PRId64
                          " lists the desk key %s",
                          p->log_time, hex);
    return error_set (e, ERR_SIGNATURE,
                      "the signature of desk key %s does not verify", hex);
}

static void add_claim (struct audit *self, const struct promise_proof *proof,
                       int64_t number) {
    size_t n = self->claim_count;
    if ((n & (n - 1)) == 0)
        self->claims =
            mem_resize (self->claims, (n ? 2 * n : 1) * sizeof *self->claims);
    self->claims[self->claim_count++] =
        (struct audit_claim){ .sequence = proof->sequence,
                              .epoch = proof->promise.epoch,
                              .number = number,
                              .id = proof->id,
                              .leaf = proof->leaf };
}

/* The path with the whole key is promise_proof_check's; which key, ours. */
static enum err check_promise (struct audit *self,
                               const struct promise_proof *proof,
                               int64_t number, struct error *e) {
    struct hash leaf =
        promise_accepted_leaf (&proof->id, proof->sequence, &proof->leaf);
    struct hash root;
    if (proof->index < 0 || proof->promise.accepted_count < 1
        || tree_path_root (&leaf, (uint64_t) proof->index,
                           (uint64_t) proof->promise.accepted_count,
                           proof->path, proof->path_length, &root)
        || !hash_equal (&root, &proof->promise.accepted_root))
        return error_set (e, ERR_DIGEST,
                          "record %" PRId64
                          ": its path does not lead to the promise's root",
                          proof->sequence);
    enum err rc = check_signature (self, &proof->promise, e);
    if (rc)
        return error_at (e, "record %" PRId64, proof->sequence);
    add_claim (self, proof, number);
    return ERR_NONE;
}

static int by_sequence (const void *a, const void *b) {
    const struct audit_claim *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

enum err audit_promises (struct audit *self, struct error *e) {
    struct promise_proof proof;
    int64_t number = 0;
    struct bundle *bundle = bundle_open (self->dir, e);
    if (!bundle)
        return e->code;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_promise (bundle, &proof, e)))
        if (check_promise (self, &proof, ++number, e))
            rc = error_at (e, "promises, number %" PRId64, number);
    bundle_close (&bundle);
    if (self->claim_count > 0)
        qsort (self->claims, self->claim_count, sizeof *self->claims,
               by_sequence);
    self->report->promises = number;
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* Comparing. */

static size_t first_claim (const struct audit *self, int64_t sequence) {
    size_t low = 0, high = self->claim_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->claims[middle].sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err contradiction (const struct audit_claim *claim,
                               const char *what, const struct hash *found,
                               const struct hash *promised, struct error *e) {
    char a[HASH_TEXT_MAX], b[HASH_TEXT_MAX];
    return error_set (e, ERR_CHAIN,
                      "record %" PRId64 ": its %s is %s, but promises, number "
                      "%" PRId64 ", says %s",
                      claim->sequence, what, hash_text (a, found),
                      claim->number, hash_text (b, promised));
}

enum err audit_compare (const struct audit *self, int64_t sequence,
                        int64_t epoch, const struct hash *id,
                        const struct hash *leaf, struct error *e) {
    for (size_t i = first_claim (self, sequence);
         i < self->claim_count && self->claims[i].sequence == sequence; i++) {
        const struct audit_claim *claim = &self->claims[i];
        /* Promises at or above a later epoch's base are void. */
        if (epoch > claim->epoch)
            continue;
        if (id && !hash_equal (id, &claim->id))
            return contradiction (claim, "id", id, &claim->id, e);
        if (!hash_equal (leaf, &claim->leaf))
            return contradiction (claim, "leaf hash", leaf, &claim->leaf, e);
    }
    return ERR_NONE;
}

/* Refusals. */

static enum err check_refusal (struct audit *self, struct slice octets,
                               struct error *e) {
    struct promise p;
    struct promise_refused *refused;
    size_t count;
    enum err rc = refusal_proof_read (octets, &p, &refused, &count, e);
    if (rc)
        return rc;
    if (count == 0)
        rc = error_set (e, ERR_MALFORMED, "it refuses nothing");
    free (refused);
    self->report->refusals += (int64_t) count;
    return rc ? rc : check_signature (self, &p, e);
}

enum err audit_refusals (struct audit *self, struct error *e) {
    struct slice octets;
    int64_t number = 0;
    struct bundle *bundle = bundle_open (self->dir, e);
    if (!bundle)
        return e->code;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_refusal (bundle, &octets, e))) {
        number++;
        if (check_refusal (self, octets, e))
            rc = error_at (e, "refusals, number %" PRId64, number);
    }
    bundle_close (&bundle);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}
