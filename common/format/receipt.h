/* receipt - a proof that a record is in the ledger, under a checkpoint that a
 * quorum cosigned (C2SP tlog-proof; PROTOCOL.md section 8.13).
 *
 * Files: NAME.tlog-proof, and beside it NAME.record (the leaf's octets),
 * NAME.body (where it is at hand) and NAME.roster (the note of the roster that
 * the record names, whose keys the author's signature is judged by), with
 * NAME.roster.tlog-proof and NAME.roster.record, which prove that it is that
 * one. Pure. */
#ifndef PARLEY_RECEIPT_H
#define PARLEY_RECEIPT_H

#include "format/record.h"
#include "format/tree.h"
#include "identity/policy.h"

#define RECEIPT_MAX 131072

struct receipt {
    uint64_t index; /* the record's sequence */
    size_t path_length;
    struct hash path[TREE_PATH_MAX];
    /* `extra`: the batch path of a message, from its id to the batch root. */
    bool has_batch;
    size_t batch_length;
    struct hash batch[8];
    struct slice checkpoint; /* the note */
};
void receipt_write (const struct receipt *self, struct buf *out);
/* ERR_MALFORMED names the line; ERR_LIMIT. Extra data that is not ours is
 * passed over: has_batch is false then. */
enum err receipt_read (struct slice text, struct receipt *out, struct error *e)
    MUST_CHECK;

/* What a verifier learns, in the order in which it is checked; the first that
 * does not hold is named by *e, and nothing behind it is set. Slices are of the
 * record's octets. */
struct receipt_facts {
    struct checkpoint checkpoint;
    struct policy_verdict witnesses;
    struct record record;
    struct message message; /* octets empty: not a message, or a newer one */
    bool body_good;   /* the body given is the one that the record names */
    bool author_good; /* roster given, and it signed under a key there */
};
/* `policy` decides about the checkpoint. `body` and `roster` may be empty.
 * Inclusion of the record's leaf, then the author: batch path, signature, key
 * validity at the record's log time. The roster has to be of the message's
 * dialogue, of the record's epoch and the log's origin, not older than the
 * header says, and signed by its own threshold. That it is the dialogue's, and
 * in force there, is not proved here (the trust policy says who the witnesses
 * are; the roster, who the author is): its own receipt does, of the record that
 * element 5 names. ERR_MALFORMED, ERR_LIMIT, ERR_NEWER (a roster that needs a
 * newer version); policy_check's; ERR_DIGEST: another root, or body; ERR_CHAIN:
 * another place, dialogue, epoch or log; ERR_KEY, ERR_SIGNATURE. */
enum err receipt_check (const struct receipt *self, struct slice record,
                        struct slice body, struct slice roster,
                        const struct policy *policy, struct receipt_facts *out,
                        struct error *e) MUST_CHECK;
/* Is `note` the roster that `of` (checked) names as in force at its place? By the
 * receipt of that roster's own record, under the same policy. ERR_CHAIN: of
 * another place, or no roster; receipt_check's. */
enum err receipt_check_roster (const struct receipt *self, struct slice record,
                               struct slice note, const struct policy *policy,
                               const struct record *of, struct error *e)
    MUST_CHECK;

#endif
