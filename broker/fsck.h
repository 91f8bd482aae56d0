/* fsck - does a ledger's folder hold what it should? For `parley-broker fsck`.
 * */
#ifndef PARLEY_FSCK_H
#define PARLEY_FSCK_H

#include "identity/identity.h"

struct fsck_report {
    int64_t records, rosters, blocks, signatures;
    int64_t marks;       /* whose root was recomputed; -1: no key for it */
    int64_t checkpoints; /* kept ones, each borne out */
    uint64_t torn_octets;
    char dialogue[HASH_TEXT_MAX];
};
/* Reads everything: checksums, groups, sequences, roster chain, signatures,
 * rights at their place; the kept checkpoints against the ledger's tree; with
 * `broker` (NULL: without), whose veil key makes their salts, the roots of
 * marks. Changes nothing; takes the lock for reading along (ERR_STATE while a
 * broker runs). */
enum err ledger_fsck (const char *dir, const struct identity *broker,
                      struct fsck_report *report, struct error *e) MUST_CHECK;

#endif
