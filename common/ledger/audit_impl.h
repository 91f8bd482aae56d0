/* audit_impl - the parts of an audit; only for audit*.c. */
#ifndef PARLEY_AUDIT_IMPL_H
#define PARLEY_AUDIT_IMPL_H

#include "ledger/audit.h"
#include "ledger/seen.h"

/* Records [first, first + count) of one block. */
struct audit_range {
    int64_t first, count;
};

/* A roster of the bundle; its place is known where its record is there too. */
struct audit_roster {
    struct roster *roster; /* NULL: the record, without its note so far */
    int64_t version;
    struct hash digest;
    int64_t place; /* sequence of its record; -1: not known */
    int64_t time;  /* log time of its record; -1: not known */
};

/* What a promise says of a record. */
struct audit_claim {
    int64_t sequence, epoch, log_time;
    int64_t number; /* of the file, from 1 */
    struct hash id, leaf;
};

struct audit {
    const char *dir;
    struct hash dialogue;
    struct audit_report *report;
    struct audit_roster *rosters; /* by version; references */
    size_t roster_count;
    struct audit_roster *placed; /* records of rosters, by place */
    size_t placed_count;
    struct audit_range *ranges; /* of all blocks, ascending */
    size_t range_count;
    struct audit_claim *claims; /* by sequence */
    struct audit_claim **claims_by_id;
    size_t claim_count;
    struct seen *denials; /* (id, epoch) that is refused: log time, number */
};

/* Ranges of all blocks and the records of rosters in them. */
enum err audit_scan (struct audit *self, struct error *e) MUST_CHECK;
/* All notes: the chain, each at its place. Sets the dialogue. */
enum err audit_rosters (struct audit *self, struct error *e) MUST_CHECK;
/* The roster that a record's element 5 names, and the place of the next one
 * whose place is known (INT64_MAX: none). NULL: no such record here. */
const struct audit_roster *audit_roster_at (const struct audit *self,
                                            int64_t place, int64_t *next);
/* The epoch of the record at that place, by the bases in the rosters. */
int64_t audit_epoch_at (const struct audit *self, int64_t sequence);
/* Is this record in one of the blocks? */
bool audit_present (const struct audit *self, int64_t sequence);

/* Promises: signatures, and claims that agree. Then refusals: signatures, and
 * none of what is promised. */
enum err audit_promises (struct audit *self, struct error *e) MUST_CHECK;
enum err audit_refusals (struct audit *self, struct error *e) MUST_CHECK;
/* A record's id (NULL: only its leaf is known) against what was promised of its
 * place in its epoch. */
enum err audit_compare (const struct audit *self, int64_t sequence,
                        int64_t epoch, const struct hash *id,
                        const struct hash *leaf, struct error *e) MUST_CHECK;
/* Is a message that was recorded at that log time refused after it, as not
 * recorded? */
enum err audit_denied (const struct audit *self, const struct hash *id,
                       int64_t epoch, int64_t log_time, struct error *e)
    MUST_CHECK;

#endif
