/* receipt - a proof that a record is in the ledger, under a checkpoint that a
 * quorum cosigned (C2SP tlog-proof; PROTOCOL.md section 8.13).
 *
 * Files: NAME.tlog-proof, and beside it NAME.record (the leaf's octets),
 * NAME.body (where it is at hand) and NAME.roster (the note of the roster that
 * the record names, whose keys the author's signature is judged by). Pure. */
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
/* ERR_MALFORMED names the line; ERR_LIMIT. Extra data that is not ours is passed
 * over: has_batch is false then. */
enum err receipt_read (struct slice text, struct receipt *out, struct error *e)
    MUST_CHECK;

/* What a verifier learns, in the order in which it is checked; the first that
 * does not hold is named by *e. */
struct receipt_facts {
    struct checkpoint checkpoint;
    struct policy_verdict witnesses;
    struct record record;
    struct message message; /* octets empty: not a message, or a newer one */
    bool body_good;   /* the body given is the one that the header names */
    bool author_good; /* roster given, and it signed under a key there */
};
/* `policy` decides about the checkpoint. `body` and `roster` may be empty.
 * Inclusion of the record's leaf, then the author: batch path, signature, key
 * validity at the record's log time. The roster has to be of the message's
 * dialogue and version (the trust policy says who the witnesses are; the roster,
 * who the author is). */
enum err receipt_check (const struct receipt *self, struct slice record,
                        struct slice body, struct slice roster,
                        const struct policy *policy, struct receipt_facts *out,
                        struct error *e) MUST_CHECK;

#endif
