/* index - where each record, and each number of each stream, stands
 * (DESIGN section 7; private to the program, made anew from the segments).
 *
 * Append-only files in `dir`: `blocks` (an entry a block), `leaves` (a hash a
 * record) and `stream-NAME` (an entry a block that the stream carries; roster
 * channels, $log, and "@ENTITY" for all ad-hoc channels that name it). Beside
 * them the upper levels of the Merkle trees over the ledger and over each stream
 * (format/tree.h): `tree.1`, `tree.2`, ... and `stream-NAME.1`, ... One
 * writer; readers in other threads see what was there at the last index_show.
 * What was added since the last index_sync is in memory only (some 100 octets a
 * block, 40 a record); a tree takes 3 KiB at most, however long it is; index_open goes back to counts that were synced. Files
 * are opened when they are needed, none is kept open. */
#ifndef PARLEY_INDEX_H
#define PARLEY_INDEX_H

#include "format/block.h"
#include "format/tree.h"

struct index;

struct index_entry {
    int64_t first_sequence;
    uint32_t count;     /* records */
    uint32_t octets;    /* of the block */
    int64_t segment;    /* the segment's first sequence */
    uint64_t offset;    /* of the block in the segment */
    int64_t first_time; /* log time of its first record, ms */
};

/* `counts` (what index_counts wrote after an index_sync) or an empty slice:
 * start empty, with files of their own generation, so that no older counts fit
 * them. What stands in a file behind the counts is written over. ERR_DAMAGED: a
 * file is shorter than it was synced, of another generation, or its last
 * entry's checksum is wrong: the caller starts empty and replays all. */
struct index *index_open (const char *dir, struct slice counts, struct error *e)
    MUST_CHECK;
void index_close (struct index **self_p);

/* The writer's: one block; its channel and streams come from its records
 * (facts of block_check). Leaves are hashed here unless given. ERR_CHAIN: not
 * the next sequence, or not the stream's next number. */
enum err index_add (struct index *self, const struct block *block,
                    const struct block_facts *facts, int64_t segment,
                    uint64_t offset, const struct hash *leaves, struct error *e)
    MUST_CHECK;
void index_show (struct index *self); /* readers may see all of it */
/* Shows, writes and syncs all. A failure leaves the files' ends unknown. */
enum err index_sync (struct index *self, struct error *e) MUST_CHECK;
void index_counts (const struct index *self, struct buf *out);

/* Readers', from any thread. */
int64_t index_size (const struct index *self); /* records */
enum err index_of_sequence (const struct index *self, int64_t sequence,
                            struct index_entry *out, struct error *e)
    MUST_CHECK;
/* The first block with a record at or after `ms`, also where the log's time
 * went back at an epoch's base; ERR_NOT_FOUND. */
enum err index_of_time (const struct index *self, int64_t ms,
                        struct index_entry *out, struct error *e) MUST_CHECK;
/* The block that carries number `number` of the stream; *first: the number of
 * its first record in that stream. ERR_NOT_FOUND: above the last, or no such
 * stream. */
enum err index_of_stream (const struct index *self, const char *stream,
                          int64_t number, struct index_entry *out,
                          int64_t *first, struct error *e) MUST_CHECK;
int64_t index_stream_last (const struct index *self, const char *stream);
/* 32 octets each into *out, from `from`; at most `count`, what there is. */
enum err index_leaves (const struct index *self, int64_t from, int64_t count,
                       struct buf *out, struct error *e) MUST_CHECK;

/* The trees. The writer's: as they are behind the last index_add, shown or not;
 * of a stream that never had a record: an empty one. */
const struct tree *index_tree (const struct index *self);
const struct tree *index_stream_tree (const struct index *self,
                                      const char *stream);
/* Readers': stored hashes of the ledger's tree (stream NULL), or of a stream's,
 * whose leaves are those of its records by number. Valid while index and
 * *self are; the name is copied. What is not shown yet is ERR_NOT_FOUND. */
struct index_source {
    const struct index *index;
    bool ledger;
    char stream[CHANNEL_NAME_MAX + 1];
};
struct tree_source index_source (struct index_source *self,
                                 const struct index *index, const char *stream);
/* How many records of the stream stand below `sequence`, and the last one's
 * sequence (-1: none). */
enum err index_stream_below (const struct index *self, const char *stream,
                             int64_t sequence, int64_t *count, int64_t *last,
                             struct error *e) MUST_CHECK;

#endif
