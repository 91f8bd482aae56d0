/* policy - C2SP tlog-policy: whom an offline verifier trusts (PROTOCOL.md
 * section 7.5).
 *
 * Written from a roster; read from a file that anybody wrote. */
#ifndef PARLEY_POLICY_H
#define PARLEY_POLICY_H

#include "identity/checkpoint.h"

#define POLICY_OCTETS_MAX 262144
#define POLICY_NAMES_MAX 1024 /* logs, witnesses, groups: of each */

struct policy;

/* The policy that one roster states: its log, its witnesses by their present
 * keys, its quorum. Who is revoked or has no keys is left out; where fewer
 * than the quorum remain the policy has a comment in its place, and cannot
 * be read. */
void policy_write (const struct roster *roster, struct buf *out);

/* ERR_MALFORMED names the line; ERR_LIMIT. Keys of types that we do not know
 * are taken and never satisfied; an Ed25519 key without a time (type 1) is no
 * witness's. */
struct policy *policy_read (struct slice text, struct error *e) MUST_CHECK;
void policy_destroy (struct policy **self_p);

struct policy_verdict {
    size_t witnesses, cosigned; /* listed; of those, with a good line */
    int64_t bound; /* s: the (f+1)-th earliest of a quorum that is a group of k
                      of n witnesses; 0: not such a quorum, or too few */
    int64_t first, last; /* s, of the cosignatures; 0: none */
};
/* Signed by a listed log under its origin, and the quorum met. ERR_SIGNATURE
 * (also a line of a listed key that does not verify), ERR_RIGHT (no quorum:
 * how many are there of how many). *out is set where it is met, and with
 * ERR_RIGHT. */
enum err policy_check (const struct policy *self, const struct checkpoint *cp,
                       const struct note *note, struct policy_verdict *out,
                       struct error *e) MUST_CHECK;

#endif
