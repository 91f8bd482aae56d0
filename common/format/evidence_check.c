/* evidence_check - does a file of evidence convince (PROTOCOL.md section 8.14)?
 * The rosters are followed once, from the first on, and what the statements
 * need of them is taken along: the log's key, the desk's, the author's. */
#include "format/author.h"
#include "format/evidence.h"

#include <inttypes.h>

/* One leaf's checkpoint and record, and the log that has to have signed it. */
struct under {
    struct checkpoint cp;
    struct note note;
    bool has_key;
    uint8_t log_key[KEY_SIZE];
    int64_t epoch; /* of that log */
    bool has_record, newer;
    struct record record;
};

struct judge {
    const struct evidence *of;
    struct under leaves[2];
    bool has_desk;
    uint8_t desk_key[KEY_SIZE];
    int64_t promise_end; /* base that ended the promise's epoch; else no end */
    /* EVIDENCE_RECORD */
    struct message message;
    bool wants_roster; /* the one in force there: by version and digest, or */
    bool wants_first;
    struct roster_payload wanted;
    struct roster *in_force; /* a reference, or NULL */
    bool has_key; /* of the author, under whichever roster lists it */
    bool fits;    /* one that made the signature */
    struct error *e;
};

static enum err no_contradiction (const struct judge *self, const char *what) {
    return error_set (self->e, ERR_STATE,
                      "all of that is true, and nothing contradicts: %s", what);
}

/* What the file says, before it is asked who signed it */

static enum err record_take (struct judge *self, size_t i) {
    const struct evidence_leaf *leaf = &self->of->leaves[i];
    struct under *under = &self->leaves[i];
    struct error why;
    if (leaf->record.size == 0)
        return ERR_NONE;
    struct hash hash = record_leaf (leaf->record);
    if (!hash_equal (&hash, &leaf->leaf))
        return error_set (self->e, ERR_DIGEST,
                          "the record at %" PRIu64 " is not its leaf",
                          leaf->index);
    enum err rc = record_read (leaf->record, &under->record, &why);
    if (rc && rc != ERR_NEWER)
        return error_set (self->e, rc, "the record at %" PRIu64 ": %s",
                          leaf->index, why.text);
    under->has_record = true;
    under->newer = rc == ERR_NEWER;
    return ERR_NONE;
}

static enum err counts_check (const struct judge *self, size_t min, size_t max,
                              bool records, bool promise) {
    const struct evidence *of = self->of;
    bool fine = of->leaf_count >= min && of->leaf_count <= max
                && of->has_promise == promise;
    for (size_t i = 0; fine && records && i < of->leaf_count; i++)
        fine = self->leaves[i].has_record;
    if (fine)
        return ERR_NONE;
    return error_set (
        self->e, ERR_MALFORMED, "%s takes %zu to %zu leaves%s, and %s promise",
        evidence_kind_name (of->kind), min, max,
        records ? " with their records" : "", promise ? "a" : "no");
}

static enum err kind_check (const struct judge *self) {
    switch (self->of->kind) {
    case EVIDENCE_PROMISE:
        return counts_check (self, 1, 1, false, true);
    case EVIDENCE_TIMES:
        return counts_check (self, 2, 2, true, false);
    case EVIDENCE_RECORD:
        return counts_check (self, 1, 2, true, false);
    default: /* leaves, roots */
        return counts_check (self, 2, 2, false, false);
    }
}

/* Which roster is in force at the record: its element 5 names the place of that
 * roster's own record, which the second leaf proves. */
static enum err message_take (struct judge *self) {
    const struct record *r = &self->leaves[0].record;
    const struct record *roster = &self->leaves[1].record;
    if (self->leaves[0].newer || r->type != RECORD_MESSAGE)
        return error_set (self->e, ERR_NEWER,
                          "the first record is no message of a form that we "
                          "know");
    enum err rc = record_message (r, &self->message, self->e);
    if (rc)
        return rc;
    self->wants_first = r->roster == 0;
    if (self->of->leaf_count < 2)
        return ERR_NONE;
    if (self->leaves[1].newer || roster->type != RECORD_ROSTER
        || self->of->leaves[1].index != (uint64_t) r->roster
        || roster->sequence != r->roster)
        return error_set (self->e, ERR_CHAIN,
                          "the second record is not the roster that the first "
                          "names, at %" PRId64,
                          r->roster);
    self->wants_roster = true;
    return roster_payload_read (roster->payload, &self->wanted, self->e);
}

static enum err statements_take (struct judge *self) {
    const struct evidence *of = self->of;
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < of->leaf_count; i++) {
        rc = checkpoint_read (of->leaves[i].checkpoint, &self->leaves[i].cp,
                              &self->leaves[i].note, self->e);
        if (!rc)
            rc = record_take (self, i);
    }
    if (!rc)
        rc = kind_check (self);
    if (!rc && of->leaf_count == 2
        && strcmp (self->leaves[0].cp.origin, self->leaves[1].cp.origin) != 0)
        rc = error_set (self->e, ERR_CHAIN, "checkpoints of two logs");
    if (!rc && of->kind == EVIDENCE_RECORD)
        rc = message_take (self);
    return rc;
}

/* Rosters */

static void logs_take (struct judge *self, const struct roster *roster) {
    char origin[ORIGIN_MAX + 1];
    checkpoint_origin (roster, origin);
    for (size_t i = 0; i < self->of->leaf_count; i++) {
        struct under *under = &self->leaves[i];
        if (under->has_key || strcmp (under->cp.origin, origin) != 0)
            continue;
        under->has_key = true;
        under->epoch = roster_epoch (roster);
        memcpy (under->log_key, roster_log_key (roster), KEY_SIZE);
    }
}

static void desk_take (struct judge *self, const struct roster *roster) {
    const struct promise *p = &self->of->promise.promise;
    int64_t base;
    struct hash root;
    if (self->of->has_promise && roster_epoch (roster) > p->epoch
        && roster_epoch_base (roster, &base, &root) && base < self->promise_end)
        self->promise_end = base;
    if (self->has_desk || !self->of->has_promise
        || roster_epoch (roster) != p->epoch)
        return;
    const uint8_t *key = promise_desk_key (roster, p->key_id, p->log_time);
    if (!key)
        return;
    self->has_desk = true;
    memcpy (self->desk_key, key, KEY_SIZE);
}

static bool signature_fits (const struct judge *self,
                            const uint8_t key[KEY_SIZE]) {
    const struct record *r = &self->leaves[0].record;
    return r->batch_size == 1
           && batch_signature_valid (key, &self->of->dialogue,
                                     self->message.author, r->channel, 1,
                                     &self->message.id, r->signature);
}

/* The keys that the header names, valid there or not: a signature that none of
 * them made is wrong in any case. There may be two: an id has 8 octets, and who
 * makes keys until two have the same one could accuse an honest broker. */
static void key_take (struct judge *self, const struct roster *roster) {
    const struct roster_delegation *author =
        roster_delegation (roster, self->message.author);
    for (int i = 0; author && i < author->key_count && !self->fits; i++)
        if (key_id_equal (author->sign_id[i], self->message.key_id)) {
            self->has_key = true;
            self->fits = signature_fits (self, author->keys[i].sign);
        }
}

static void author_take (struct judge *self, struct roster *roster,
                         bool first) {
    if (self->of->kind != EVIDENCE_RECORD)
        return;
    const bool wanted =
        (self->wants_first && first)
        || (self->wants_roster
            && roster_version (roster) == self->wanted.version
            && hash_equal (roster_digest (roster), &self->wanted.digest));
    if (wanted && !self->in_force)
        self->in_force = roster_ref (roster);
    key_take (self, roster);
}

static enum err roster_add (struct judge *self, size_t n,
                            struct roster **last_p) {
    struct roster *next = roster_read (self->of->rosters[n], self->e);
    if (!next)
        return error_at (self->e, "roster %zu", n + 1);
    enum err rc = n == 0 ? roster_founds (next, self->e)
                         : roster_follows (*last_p, next, self->e);
    if (!rc && n == 0
        && !hash_equal (roster_digest (next), &self->of->dialogue))
        rc = error_set (self->e, ERR_CHAIN,
                        "the first roster is not the dialogue's: its digest is "
                        "another");
    if (!rc) {
        logs_take (self, next);
        desk_take (self, next);
        author_take (self, next, n == 0);
    }
    roster_unref (last_p);
    *last_p = next;
    return rc;
}

static enum err rosters_follow (struct judge *self) {
    struct roster *last = NULL;
    enum err rc = self->of->roster_count
                      ? ERR_NONE
                      : error_set (self->e, ERR_CHAIN, "no rosters");
    for (size_t n = 0; !rc && n < self->of->roster_count; n++)
        rc = roster_add (self, n, &last);
    roster_unref (&last);
    return rc;
}

/* Leaves */

static enum err tree_check (const struct judge *self, size_t i) {
    const struct evidence_leaf *leaf = &self->of->leaves[i];
    const struct checkpoint *cp = &self->leaves[i].cp;
    struct hash root;
    if (self->of->kind == EVIDENCE_ROOTS)
        return tree_consistency_check (leaf->index, &leaf->leaf,
                                       (uint64_t) cp->size, &cp->root,
                                       leaf->path, leaf->path_length, self->e);
    enum err rc = tree_path_root (&leaf->leaf, leaf->index, (uint64_t) cp->size,
                                  leaf->path, leaf->path_length, &root);
    if (rc)
        return error_set (self->e, rc,
                          "a path of %zu hashes, of %" PRIu64 " in %" PRId64,
                          leaf->path_length, leaf->index, cp->size);
    if (!hash_equal (&root, &cp->root))
        return error_set (self->e, ERR_DIGEST,
                          "the path of leaf %" PRIu64 " leads to another root",
                          leaf->index);
    return ERR_NONE;
}

static enum err leaf_check (const struct judge *self, size_t i) {
    const struct under *under = &self->leaves[i];
    if (!under->has_key)
        return error_set (self->e, ERR_SIGNATURE,
                          "'%s' is the log of none of the rosters",
                          under->cp.origin);
    enum err rc = checkpoint_check_log (
        &under->cp, &under->note, under->cp.origin, under->log_key, self->e);
    return rc ? rc : tree_check (self, i);
}

/* Contradictions */

static enum err judge_leaves (const struct judge *self, struct buf *said) {
    const struct evidence_leaf *a = &self->of->leaves[0];
    const struct evidence_leaf *b = &self->of->leaves[1];
    const bool roots = self->of->kind == EVIDENCE_ROOTS;
    char text[2][HASH_TEXT_MAX];
    if (a->index != b->index)
        return error_set (self->e, ERR_CHAIN,
                          "of two places, %" PRIu64 " and %" PRIu64, a->index,
                          b->index);
    if (hash_equal (&a->leaf, &b->leaf))
        return no_contradiction (self, roots ? "one root" : "one leaf");
    buf_add_format (said,
                    "The log '%s' signed two ledgers: %s %" PRIu64
                    " is %s under its checkpoint of size %" PRId64
                    ", and %s under that of size %" PRId64 ".",
                    self->leaves[0].cp.origin,
                    roots ? "the root at size" : "leaf", a->index,
                    hash_text (text[0], &a->leaf), self->leaves[0].cp.size,
                    hash_text (text[1], &b->leaf), self->leaves[1].cp.size);
    return ERR_NONE;
}

static enum err judge_promise (const struct judge *self, struct buf *said) {
    const struct evidence_leaf *leaf = &self->of->leaves[0];
    const struct promise_proof *proof = &self->of->promise;
    char text[2][HASH_TEXT_MAX], id[HASH_TEXT_MAX];
    if (!self->has_desk)
        return error_set (self->e, ERR_SIGNATURE,
                          "the promise's desk key is in none of the rosters of "
                          "epoch %" PRId64 ", or was not valid then",
                          proof->promise.epoch);
    enum err rc = promise_proof_check (proof, &self->of->dialogue,
                                       self->desk_key, self->e);
    if (rc)
        return rc;
    const bool holds = proof->promise.epoch == self->leaves[0].epoch
                       || (proof->promise.epoch < self->leaves[0].epoch
                           && proof->sequence < self->promise_end);
    if (!holds || (uint64_t) proof->sequence != leaf->index)
        return error_set (self->e, ERR_CHAIN,
                          "the promise is of record %" PRId64
                          " in epoch %" PRId64 ", the leaf of %" PRIu64
                          " in epoch %" PRId64,
                          proof->sequence, proof->promise.epoch, leaf->index,
                          self->leaves[0].epoch);
    if (hash_equal (&proof->leaf, &leaf->leaf))
        return no_contradiction (self, "the promise was kept");
    buf_add_format (said,
                    "The broker promised message %s the place %" PRId64
                    " with leaf %s, and the log '%s' signed another leaf "
                    "there, %s, under its checkpoint of size %" PRId64 ".",
                    hash_text (id, &proof->id), proof->sequence,
                    hash_text (text[0], &proof->leaf),
                    self->leaves[0].cp.origin, hash_text (text[1], &leaf->leaf),
                    self->leaves[0].cp.size);
    return ERR_NONE;
}

static enum err judge_times (const struct judge *self, struct buf *said) {
    const size_t first = self->of->leaves[0].index > self->of->leaves[1].index;
    const struct record *a = &self->leaves[first].record;
    const struct record *b = &self->leaves[!first].record;
    if ((uint64_t) a->sequence != self->of->leaves[first].index
        || (uint64_t) b->sequence != self->of->leaves[!first].index)
        return error_set (self->e, ERR_CHAIN,
                          "a record that says it stands in another place");
    if (a->epoch != b->epoch)
        return error_set (self->e, ERR_CHAIN,
                          "records of two epochs, between which time may go "
                          "back");
    if (a->sequence == b->sequence || b->log_time >= a->log_time)
        return no_contradiction (self, "log time does not go back");
    buf_add_format (said,
                    "In the log '%s' record %" PRId64 " has log time %" PRId64
                    ", and record %" PRId64 " behind it an earlier one, "
                    "%" PRId64 ".",
                    self->leaves[0].cp.origin, a->sequence, a->log_time,
                    b->sequence, b->log_time);
    return ERR_NONE;
}

/* Is the signature wrong under a key that some roster lists for the author? Of
 * a larger batch nobody can tell: which root was signed is not in the tree. */
static bool signature_wrong (const struct judge *self) {
    return self->has_key && self->leaves[0].record.batch_size == 1
           && !self->fits;
}

/* What is wrong with it is in *why. */
static enum err record_fault (const struct judge *self, struct error *why) {
    const struct record *r = &self->leaves[0].record;
    const struct message *m = &self->message;
    const uint8_t *key;
    enum err rc = ERR_NONE;
    if ((uint64_t) r->sequence != self->of->leaves[0].index)
        return error_set (why, ERR_CHAIN, "it says that it is record %" PRId64,
                          r->sequence);
    if (memcmp (m->dialogue, self->of->dialogue.octets, HASH_SIZE) != 0)
        return error_set (why, ERR_CHAIN, "a message of another dialogue");
    if (signature_wrong (self))
        return error_set (why, ERR_SIGNATURE,
                          "the signature is not the author's");
    if (!self->in_force)
        return ERR_NONE;
    rc = author_place (m, &self->of->dialogue, self->in_force, why);
    if (!rc)
        rc = author_key (m, self->in_force, r->log_time, &key, why);
    if (!rc)
        rc = author_right (r, m, self->in_force, r->log_time, why);
    return rc;
}

static enum err judge_record (const struct judge *self, struct buf *said) {
    const struct slice author = self->message.author;
    struct error why;
    if (record_fault (self, &why) == ERR_NONE)
        return no_contradiction (
            self, self->in_force
                      ? "the author's key, signature and right are good"
                      : "which roster is in force there is not shown");
    buf_add_format (said,
                    "The log '%s' has a message as of %.*s at %" PRIu64
                    " that no broker may take: %s.",
                    self->leaves[0].cp.origin, (int) author.size,
                    (const char *) author.data, self->of->leaves[0].index,
                    why.text);
    return ERR_NONE;
}

static enum err contradiction (const struct judge *self, struct buf *said) {
    switch (self->of->kind) {
    case EVIDENCE_PROMISE:
        return judge_promise (self, said);
    case EVIDENCE_TIMES:
        return judge_times (self, said);
    case EVIDENCE_RECORD:
        return judge_record (self, said);
    default:
        return judge_leaves (self, said);
    }
}

enum err evidence_check (const struct evidence *self,
                         const struct hash *dialogue, struct buf *said,
                         struct error *e) {
    struct error own;
    struct judge judge = { .of = self,
                           .e = e ? e : &own,
                           .promise_end = INT64_MAX };
    if (dialogue && !hash_equal (dialogue, &self->dialogue))
        return error_set (e, ERR_CHAIN, "evidence of another dialogue");
    enum err rc = statements_take (&judge);
    if (!rc)
        rc = rosters_follow (&judge);
    for (size_t i = 0; !rc && i < self->leaf_count; i++)
        rc = leaf_check (&judge, i);
    if (!rc)
        rc = contradiction (&judge, said);
    roster_unref (&judge.in_force);
    return rc;
}
