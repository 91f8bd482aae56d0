/* audit_promises - the broker's signed answers: under a desk key of its time,
 * and kept by the records that are there (PROTOCOL.md section 7.3). */
#include "ledger/audit_impl.h"

#include <inttypes.h>
#include <stdlib.h>

/* Was this roster in force in that millisecond of that epoch, as far as is
 * known? Log times begin anew at an epoch's base. */
static bool in_force (const struct audit *self, size_t i, int64_t epoch,
                      int64_t at) {
    const struct audit_roster *r = &self->rosters[i];
    if (roster_epoch (r->roster) != epoch)
        return false;
    bool last = i + 1 == self->roster_count
                || roster_epoch (self->rosters[i + 1].roster) != epoch;
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
        if (!in_force (self, i, p->epoch, p->log_time))
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
                          " of epoch %" PRId64 " lists the desk key %s",
                          p->log_time, p->epoch, hex);
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
                              .log_time = proof->promise.log_time,
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

static int by_id (const void *a, const void *b) {
    const struct audit_claim *x = *(struct audit_claim *const *) a;
    const struct audit_claim *y = *(struct audit_claim *const *) b;
    return memcmp (&x->id, &y->id, sizeof x->id);
}

static enum err two_places (const struct audit_claim *a,
                            const struct audit_claim *b, struct error *e) {
    return error_set (e, ERR_CHAIN,
                      "promises, numbers %" PRId64 " and %" PRId64
                      ": a place has one record, and a message one place",
                      a->number, b->number);
}

/* In one epoch. The arrays are sorted, so those that disagree stand side by
 * side, but for other epochs between; these are few. */
static enum err check_claims (const struct audit *self, struct error *e) {
    const struct audit_claim *a, *b;
    size_t n = self->claim_count, k;
    for (size_t i = 0; i < n; i++) {
        a = &self->claims[i];
        for (k = i + 1; k < n; k++) {
            b = &self->claims[k];
            if (b->sequence != a->sequence)
                break;
            if (b->epoch != a->epoch)
                continue;
            if (!hash_equal (&b->id, &a->id)
                || !hash_equal (&b->leaf, &a->leaf))
                return two_places (a, b, e);
            break;
        }
        a = self->claims_by_id[i];
        for (k = i + 1; k < n; k++) {
            b = self->claims_by_id[k];
            if (!hash_equal (&b->id, &a->id))
                break;
            if (b->epoch != a->epoch)
                continue;
            if (b->sequence != a->sequence)
                return two_places (a, b, e);
            break;
        }
    }
    return ERR_NONE;
}

static void sort_claims (struct audit *self) {
    size_t n = self->claim_count;
    self->claims_by_id = mem_alloc ((n + 1) * sizeof *self->claims_by_id);
    if (n == 0)
        return;
    qsort (self->claims, n, sizeof *self->claims, by_sequence);
    for (size_t i = 0; i < n; i++)
        self->claims_by_id[i] = &self->claims[i];
    qsort (self->claims_by_id, n, sizeof *self->claims_by_id, by_id);
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
    self->report->promises = number;
    if (rc != ERR_NOT_FOUND)
        return rc;
    sort_claims (self);
    return check_claims (self, e);
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

static size_t first_of_id (const struct audit *self, const struct hash *id) {
    size_t low = 0, high = self->claim_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp (&self->claims_by_id[middle]->id, id, sizeof *id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Is it promised at another place? */
static enum err compare_place (const struct audit *self, int64_t sequence,
                               int64_t epoch, const struct hash *id,
                               struct error *e) {
    for (size_t i = first_of_id (self, id); i < self->claim_count; i++) {
        const struct audit_claim *claim = self->claims_by_id[i];
        if (!hash_equal (&claim->id, id))
            break;
        if (epoch <= claim->epoch && claim->sequence != sequence)
            return error_set (
                e, ERR_CHAIN,
                "record %" PRId64 ": its place is %" PRId64
                ", but promises, number %" PRId64 ", says %" PRId64,
                sequence, sequence, claim->number, claim->sequence);
    }
    return ERR_NONE;
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
    return id ? compare_place (self, sequence, epoch, id, e) : ERR_NONE;
}

/* Refusals. */

/* What it says of each: not recorded. OLD-NUMBER does not. */
static void add_denials (struct audit *self, const struct promise *p,
                         const struct promise_refused *refused, size_t count,
                         int64_t number) {
    for (size_t i = 0; i < count; i++) {
        struct slice id = slice_of (&refused[i].id, HASH_SIZE);
        if (refused[i].refusal.rule == RULE_OLD_NUMBER)
            continue;
        struct slice parts[] = { id, slice_of (&p->epoch, sizeof p->epoch) };
        struct seen_value *v = seen_put (self->denials, parts, 2, NULL);
        if (p->log_time >= v->n[0])
            *v = (struct seen_value){ { p->log_time, number } };
    }
}

enum err audit_denied (const struct audit *self, const struct hash *id,
                       int64_t epoch, int64_t log_time, struct error *e) {
    char text[HASH_TEXT_MAX];
    struct slice parts[] = { slice_of (id, HASH_SIZE),
                             slice_of (&epoch, sizeof epoch) };
    const struct seen_value *v = seen_get (self->denials, parts, 2);
    if (!v || v->n[0] <= log_time)
        return ERR_NONE;
    return error_set (e, ERR_CHAIN,
                      "message %s is recorded at log time %" PRId64
                      ", but refusals, number %" PRId64 ", says at %" PRId64
                      " that it is not",
                      hash_text (text, id), log_time, v->n[1], v->n[0]);
}

static enum err check_refusal (struct audit *self, struct slice octets,
                               int64_t number, struct error *e) {
    struct promise p;
    struct promise_refused *refused;
    size_t count;
    enum err rc = refusal_proof_read (octets, &p, &refused, &count, e);
    if (rc)
        return rc;
    if (count == 0)
        rc = error_set (e, ERR_MALFORMED, "it refuses nothing");
    if (!rc)
        rc = check_signature (self, &p, e);
    if (!rc)
        add_denials (self, &p, refused, count, number);
    free (refused);
    self->report->refusals += (int64_t) count;
    return rc;
}

enum err audit_refusals (struct audit *self, struct error *e) {
    struct slice octets;
    int64_t number = 0;
    self->denials = seen_new();
    struct bundle *bundle = bundle_open (self->dir, e);
    if (!bundle)
        return e->code;
    enum err rc = ERR_NONE;
    while (!rc && !(rc = bundle_next_refusal (bundle, &octets, e))) {
        number++;
        if (check_refusal (self, octets, number, e))
            rc = error_at (e, "refusals, number %" PRId64, number);
    }
    bundle_close (&bundle);
    if (rc != ERR_NOT_FOUND)
        return rc;
    rc = ERR_NONE;
    for (size_t i = 0; !rc && i < self->claim_count; i++)
        rc = audit_denied (self, &self->claims[i].id, self->claims[i].epoch,
                           self->claims[i].log_time, e);
    return rc;
}
