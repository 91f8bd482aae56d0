/* records - blocks that were received and verified, and the index by which
 * people find what is in them.
 *
 * A record's `position` is the order of arrival in this store, from 1 without
 * holes but where a new epoch took records away (epoch.h): cursors of the API
 * and of live feeds are positions, since sequences of different streams arrive
 * interleaved. */
#ifndef PARLEY_RECORDS_H
#define PARLEY_RECORDS_H

#include "format/block.h"
#include "format/promise.h"
#include "store.h"

/* How far each stream is held without a hole. `unreadable`: numbers below it
 * that this delegation may not read were passed over. */
int64_t records_stream_upto (struct store *self, const char *stream);
/* The stream goes on at `number + 1` (after a block, or unreadable items). In
 * the caller's transaction. */
enum err records_set_upto (struct store *self, const char *stream,
                           int64_t number, struct error *e) MUST_CHECK;

/* A verified block (block_check and block_verify were fine). Records that are
 * held already are passed over; how many were new is in *added. In the
 * caller's transaction. ERR_CHAIN: a record that contradicts one that is held
 * (same sequence, other leaf): evidence, the caller raises the alarm. */
enum err records_add (struct store *self, const struct block *block,
                      const struct block_facts *facts, int64_t *added,
                      struct error *e) MUST_CHECK;

/* Are its records held as they are there? ERR_CHAIN as above. Some are not
 * held: no error, and *other stays as it is; all are: it is set false. */
enum err records_compare (struct store *self, const struct block *block,
                          bool *other, struct error *e) MUST_CHECK;

/* The nearest record held below `sequence`, or above it; -1: none, and *log_time
 * as it was. */
int64_t records_below (struct store *self, int64_t sequence, int64_t *log_time);
int64_t records_above (struct store *self, int64_t sequence, int64_t *log_time);

/* Leaf hashes of the records held in [from, to), by sequence, at most `limit`;
 * *next: where to go on. `each` may use the store. */
enum err records_leaves (struct store *self, int64_t from, int64_t to,
                         int limit,
                         enum err (*each) (void *arg, int64_t sequence,
                                           const struct hash *leaf,
                                           struct error *e),
                         void *arg, int64_t *next, struct error *e) MUST_CHECK;
/* Is it held? */
/* Neighbours among the records held, the second at or above `from`, of which it
 * has the earlier log time; at most `limit`, by sequence. */
enum err records_times (struct store *self, int64_t from, int limit,
                        enum err (*each) (void *arg, int64_t first,
                                          int64_t second, struct error *e),
                        void *arg, struct error *e) MUST_CHECK;
bool records_held (struct store *self, int64_t sequence);
/* The newest mark held below `size`, and its log time; -1: none. */
int64_t records_mark_below (struct store *self, int64_t size,
                            int64_t *log_time);

/* One row, for API and export. Slices and texts are borrowed from the cursor
 * until its next step. A record of a newer format has its elements 0 to 8, a
 * message of a newer one its id; one that is sealed or has an even extension
 * key is decoded whole. */
struct record_row {
    int64_t position;
    struct record record;   /* decoded */
    struct message message; /* of type message; octets empty otherwise */
    struct hash leaf;
    struct slice body; /* with its salt; empty where it is not present */
    enum body_state body_state;
    bool readable;   /* false: newer format, extension, sealed */
    const char *why; /* "" where readable */
};

struct records_query {
    const char *filter; /* over topics; NULL or "#": all. What has no topic that
                           can be read: where it takes in the whole channel */
    bool log;           /* give rosters, marks, erasures, $log too, whatever
                           the filter; else never */
    const char *author; /* delegation or entity; NULL: any. Messages only */
    int64_t after;      /* positions above; 0: from the first */
    int64_t from_sequence, to_sequence; /* inclusive; to -1: no end */
    int64_t from_ms, to_ms;             /* log time; to -1: no end */
    bool by_sequence;                   /* order; else by position */
    int64_t limit;                      /* 0: none */
};
/* A cursor keeps no transaction open between steps, reads each block once for
 * neighbouring rows, and may live as long as its store. Copies the query.
 * ERR_MALFORMED, ERR_LIMIT: filter, author. */
struct records_cursor;
struct records_cursor *records_open (struct store *self,
                                     const struct records_query *query,
                                     struct error *e) MUST_CHECK;
/* Messages whose topic's second level is one of plans/CONTENTS.md or
 * threads/THREADS.md section 1, or "ack", of one channel (NULL: of all), above position `after`, by position. An index of
 * their own leads: what others there are does not count. */
struct records_cursor *records_about_plans (struct store *self,
                                            const char *channel, int64_t after,
                                            struct error *e) MUST_CHECK;
/* ERR_NOT_FOUND: no more now (asked again later, what came since is given).
 * ERR_DAMAGED: the store holds something else than what was put there. */
enum err records_next (struct records_cursor *self, struct record_row *out,
                       struct error *e) MUST_CHECK;
void records_close (struct records_cursor **self_p);

/* One record; the row lives until cursor is closed. ERR_NOT_FOUND. */
struct records_cursor *records_by_sequence (struct store *self,
                                            int64_t sequence,
                                            struct record_row *out,
                                            struct error *e) MUST_CHECK;
struct records_cursor *records_by_id (struct store *self, const struct hash *id,
                                      struct record_row *out, struct error *e)
    MUST_CHECK;

/* The newest mark held; -1. */
int64_t records_newest_mark (struct store *self);
int64_t records_last_position (struct store *self);
int64_t records_count (struct store *self);
/* Highest sequence and newest log time held; -1 and 0 for none. */
int64_t records_highest (struct store *self, int64_t *log_time);

/* Blocks that have a record in [from, to] (to -1: no end), whole, by sequence,
 * for export: the octets (until `each` returns), and the first number in the
 * direct stream (0: other streams). `each` may use the store; what it returns
 * ends the walk. */
enum err records_blocks (struct store *self, int64_t from, int64_t to,
                         enum err (*each) (void *arg, int64_t direct_first,
                                           struct slice block, struct error *e),
                         void *arg, struct error *e) MUST_CHECK;
/* One block as the store has it: the next one behind *row (0: from the first);
 * its checksums, and its records against the leaf hashes that were noted of them.
 * *row: to go on from. ERR_NOT_FOUND: no more. ERR_DAMAGED: it is not what was put
 * there. *out says where it belongs in both cases. Others are the disk's. */
struct records_place {
    int64_t row, first, count; /* sequences */
    size_t octets;
    char channel[CHANNEL_MAX + 1];
    int64_t last_number; /* of its last record, in the stream; 0: not known */
    char stream[CHANNEL_MAX + 1]; /* that it came by */
};
enum err records_scrub (struct store *self, const char *entity, int64_t *row,
                        struct records_place *out, struct error *e) MUST_CHECK;
/* The same block again, in the caller's transaction. ERR_CHAIN: others than the
 * records that were noted. */
enum err records_mend (struct store *self, const struct records_place *place,
                       const struct block *block, struct error *e) MUST_CHECK;

/* The first number in the direct stream goes with a block that came by it. In
 * the caller's transaction, before records_add of that block. */
void records_direct_first (struct store *self, int64_t number);

#endif
