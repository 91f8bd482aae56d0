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

/* A checkpoint of the bundle. */
struct audit_point {
    int64_t size;
    struct hash root;
    struct audit_settled settled; /* size -1: who had to sign is not known, or
                                     the log alone did */
    bool logged;
};

struct audit_trees;

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
    struct audit_point *points; /* by size */
    size_t point_count;
    struct audit_trees *trees;
    /* Records that the bundle is limited to, and that have no body here. */
    int64_t bodiless, first_bodiless;
};

/* Add a sentence to what could not be checked. */
void audit_unchecked (struct audit_report *report, const char *format, ...)
    PRINTF_LIKE (2, 3);

/* Ranges of all blocks and the records of rosters in them. */
enum err audit_scan (struct audit *self, struct error *e) MUST_CHECK;
/* All notes: the chain, each at its place. Sets the dialogue. */
enum err audit_rosters (struct audit *self, struct error *e) MUST_CHECK;
/* The roster that a record's element 5 names, and the place of the next one
 * whose place is known (INT64_MAX: none). NULL: no such record here. */
const struct audit_roster *audit_roster_at (const struct audit *self,
                                            int64_t place, int64_t *next);
/* The roster in force for the record at that place (a roster's record counts for
 * itself). NULL: one whose place is not known may be. */
const struct roster *audit_roster_in_force (const struct audit *self,
                                            int64_t sequence);
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

/* Checkpoints: signed by log and quorum of the rosters at their ends. */
enum err audit_checkpoints (struct audit *self, struct error *e) MUST_CHECK;

/* Trees. Read the claims; then each record in its order: leaf tells its hash,
 * for the ledger's root at each checkpoint. For those in blocks, block tells
 * first where the block's records stand in their streams, record the hash of
 * each of them in its turn; mark, behind them, what is claimed of it. */
enum err audit_trees_begin (struct audit *self, struct error *e) MUST_CHECK;
enum err audit_trees_leaf (struct audit *self, int64_t sequence,
                           const struct hash *leaf, struct error *e) MUST_CHECK;
void audit_trees_block (struct audit *self, struct slice channel,
                        int64_t channel_first, int64_t direct_first);
void audit_trees_record (struct audit *self, int64_t sequence,
                         const struct hash *leaf);
enum err audit_trees_mark (struct audit *self, const struct record *mark,
                           struct error *e) MUST_CHECK;
/* A record that can't be read as a mark, whatever it is. */
enum err audit_trees_newer (struct audit *self, int64_t sequence,
                            struct error *e) MUST_CHECK;
enum err audit_trees_end (struct audit *self, struct error *e) MUST_CHECK;
void audit_trees_free (struct audit *self);

/* What a bundle's limits promise, and it does not prove: to what could not be
 * checked. Streams are in the report by then. */
void audit_limits (struct audit *self);

#endif
