/* block - records of one channel with their bodies: the one form in journal,
 * feed, fetch and bundle (PROTOCOL.md section 7.2). */
#ifndef PARLEY_BLOCK_H
#define PARLEY_BLOCK_H

#include "format/record.h"
#include "format/tree.h"
#include "identity/roster.h"

#define BLOCK_RECORDS_MAX 4096
#define BLOCK_OCTETS_MAX 1048576        /* of a block with several records */
#define BLOCK_OCTETS_MAX_SINGLE 1114112 /* of a block with one */
#define BLOCK_HEADER 32
#define BLOCK_ENTRY 32

enum body_state {
    BODY_NONE = 0,
    BODY_PRESENT = 1,
    BODY_ERASED = 2,
    BODY_ABSENT = 3
};
enum run_kind { RUN_WHOLE = 0, RUN_MISSING = 1, RUN_PATHS = 2 };

/* Writing: one block at a time; the writer keeps its memory. Not thread-safe.
 * A batch that may not fit: compare block_octets with the limits first, since
 * the kind of its run depends on how much of it the block will hold. */
struct block_writer;
struct block_writer *block_writer_new (void) MUST_CHECK;
void block_writer_destroy (struct block_writer **self_p);
void block_begin (struct block_writer *self, int64_t first_sequence);
/* Records added after this belong to a new batch run, until the next call.
 * hashes: RUN_MISSING: ids of the batch's messages that are not in the run,
 * ascending by index; RUN_PATHS: for each record of the run its path. */
void block_run (struct block_writer *self, enum run_kind kind,
                const struct hash *hashes, size_t count);
/* Records added after this belong to no batch (rosters, marks, erasures). */
void block_no_run (struct block_writer *self);
/* false: full (records or octets); nothing is added, finish and begin anew. The
 * octets of `body` are read where it is present; otherwise only its size is
 * (0 for BODY_NONE), and data may be NULL. */
bool block_add (struct block_writer *self, struct slice record,
                struct slice body, enum body_state state) MUST_CHECK;
size_t block_count (const struct block_writer *self);
size_t block_octets (const struct block_writer *self); /* if finished now */
/* Append the block to *out; the writer is empty after. At least one record
 * (asserted). */
void block_finish (struct block_writer *self, struct buf *out);

/* Reading: a view of octets, nothing allocated. */
struct block {
    struct slice octets;
    int64_t first_sequence;
    size_t count; /* records */
    size_t runs;
    const uint8_t *table, *batches;
    size_t batches_size;
    const uint8_t *content;
};
/* Sizes, limits, both checksums of every part, zeros where zeros stand, runs
 * that cover their records. Not the records' own grammar. ERR_MALFORMED,
 * ERR_LIMIT, ERR_DIGEST, ERR_NEWER (format). */
enum err block_read (struct slice octets, struct block *out, struct error *e)
    MUST_CHECK;
/* Octets of the block that starts at `octets` (at least 32 of them), from its
 * first fields alone: for files. ERR_MALFORMED, ERR_LIMIT. */
enum err block_size (struct slice octets, size_t *size, struct error *e)
    MUST_CHECK;

/* Walk it: `struct block_walk w; block_walk (&b, &w); while (block_next (&w))`.
 * The octets of each record and body, whatever they hold; of an erased body its
 * zeros, of an absent one nothing. */
struct block_walk {
    const struct block *block;
    size_t index; /* of the present record */
    struct slice record, body;
    size_t body_size; /* as the table says it, also where it is absent */
    enum body_state state;
    int run; /* or -1 */
    size_t next_at;
};
void block_walk (const struct block *block, struct block_walk *out);
bool block_next (struct block_walk *self);

struct block_run_view {
    enum run_kind kind;
    size_t first, count; /* records of the block */
    struct slice hashes; /* 32 octets each; block_run says which */
};
void block_run_at (const struct block *self, size_t run,
                   struct block_run_view *out);

/* What the records say together: each decodes, sequences and channel sequences
 * are consecutive, one channel, one roster and epoch, log times not decreasing,
 * a mark behind a roster, each run's records agree (author, size, signature, via, ascending indexes),
 * all its hashes are there, bodies match their digests, no erased ones but
 * messages'. Records and headers of a newer format are counted, and passed over
 * but for their places; a run has records of a newer form only or none.
 * ERR_MALFORMED, ERR_LIMIT, ERR_CHAIN, ERR_DIGEST. */
struct block_facts {
    struct slice channel;
    int64_t first_channel_sequence;
    int64_t roster; /* element 5 of all */
    int64_t epoch;
    int64_t first_time, last_time;
    size_t newer; /* records that this build cannot judge */
};
enum err block_check (const struct block *self, struct block_facts *facts,
                      struct error *e) MUST_CHECK;
/* Everything that the block and the roster in force at its place prove:
 * dialogue, keys valid at the log time, batch signatures, via, the author's
 * right to write, roster versions not above, rosters and marks that name that
 * roster. Call after block_check, which sees to it that no record is left out
 * here but those that `newer` counts. ERR_SIGNATURE, ERR_KEY, ERR_RIGHT,
 * ERR_CHAIN with the record's sequence. */
enum err block_verify (const struct block *self, const struct hash *dialogue,
                       const struct roster *roster, struct error *e) MUST_CHECK;

/* Append a block of records [from, from + count) (asserted: at least one, all
 * there). Bodies as they are. A run that stays whole stays as it is; one that
 * is cut becomes RUN_MISSING or RUN_PATHS, the shorter. The writer is emptied,
 * *out unchanged on failure: ERR_MALFORMED, ERR_LIMIT, ERR_NEWER for what
 * stands in a run to be cut. */
enum err block_cut (const struct block *self, size_t from, size_t count,
                    struct block_writer *writer, struct buf *out,
                    struct error *e) MUST_CHECK;

/* Append the block with the bodies of those records that are `kept` alone: of the
 * others that have one it is absent. `kept` is by index. Errors as block_cut's. */
enum err block_thin (const struct block *self, const bool *kept,
                     struct block_writer *writer, struct buf *out,
                     struct error *e) MUST_CHECK;

/* The path from the message id of record `index` (asserted: it is there) to the
 * root that its author signed. ERR_NOT_FOUND: it is of no batch. The same errors
 * as block_cut. */
enum err block_batch_path (const struct block *self, size_t index,
                           struct hash out[TREE_PATH_MAX], size_t *length,
                           struct error *e) MUST_CHECK;

#endif
