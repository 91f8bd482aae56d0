/* journal - the ledger on disk: durable groups, recovery, and reads below the
 * synced length (DESIGN section 7, PROTOCOL.md sections 7.6 and 8.9).
 *
 * One thread appends. Reads may come from any thread and see only what is
 * synced. A failed append leaves the file's end unknown: the process ends, and
 * the next start recovers. */
#ifndef PARLEY_JOURNAL_H
#define PARLEY_JOURNAL_H

#include "ledger/index.h"
#include "ledger/segment.h"

struct journal;

struct journal_options {
    uint64_t segment_octets; /* a new segment above this; 0: 64 MiB */
};

/* Make `dir`/journal, `dir`/index and an empty first segment. ERR_EXISTS where
 * a ledger is there already. */
enum err journal_create (const char *dir, const struct hash *dialogue,
                         struct error *e) MUST_CHECK;

/* How the owner gets its state back. `reset`: forget everything. `snapshot`:
 * take this one (an error: it is unfit, an older one is tried, at last none).
 * `block`: one more block, in order (checked, not verified: it is ours). */
struct journal_replay {
    void *arg;
    void (*reset) (void *arg);
    enum err (*snapshot) (void *arg, struct slice octets, struct error *e);
    enum err (*block) (void *arg, const struct block *block,
                       const struct block_facts *facts, struct error *e);
};

struct journal_opened {
    int64_t records;     /* in the ledger */
    int64_t replayed;    /* of those, read again at this start */
    int64_t snapshot;    /* the place of the one that was used; -1: none */
    uint64_t cut_octets; /* of a torn last group, set aside; 0: none */
    char cut_path[512];  /* where they are now */
    bool index_rebuilt;
};

/* Never creates. Takes no lock: the caller holds that of its state folder.
 * The tail that is found is synced before this returns. ERR_DAMAGED names file
 * and offset: damage in front of synced octets, a segment missing, another
 * dialogue. */
struct journal *journal_open (const char *dir, const struct hash *dialogue,
                              const struct journal_options *options,
                              const struct journal_replay *replay,
                              struct journal_opened *opened, struct error *e)
    MUST_CHECK;
void journal_close (struct journal **self_p);

/* One group, durable when 0 is returned; readers see it then. A block whose
 * facts and leaves the caller has is not read again. */
struct journal_block {
    struct slice octets;
    struct block_facts facts;
    const struct hash *leaves; /* one a record */
};
enum err journal_append (struct journal *self,
                         const struct journal_block *blocks, size_t count,
                         struct error *e) MUST_CHECK;
/* The same in two halves, for work that may be done while the disk writes:
 * nothing is durable, and readers see nothing, before the second. Nothing but
 * journal_close between them. */
enum err journal_write (struct journal *self,
                        const struct journal_block *blocks, size_t count,
                        struct error *e) MUST_CHECK;
enum err journal_commit (struct journal *self, struct error *e) MUST_CHECK;
/* Time for a new segment? Then the owner's state goes with it. */
bool journal_wants_roll (const struct journal *self);
enum err journal_roll (struct journal *self, struct slice snapshot,
                       struct error *e) MUST_CHECK;

/* Reading, from any thread. */
int64_t journal_size (const struct journal *self); /* records, synced */
/* The block that holds a sequence, appended to *out (cleared first).
 * ERR_NOT_FOUND above the end. */
enum err journal_read (struct journal *self, int64_t sequence, struct buf *out,
                       struct error *e) MUST_CHECK;
/* The same, with the view of it: its checksums are looked at once. */
enum err journal_read_block (struct journal *self, int64_t sequence,
                             struct buf *out, struct block *block,
                             struct error *e) MUST_CHECK;
/* The block that holds number `number` of a stream; *first as in index.h. */
enum err journal_read_stream (struct journal *self, const char *stream,
                              int64_t number, struct buf *out, int64_t *first,
                              struct error *e) MUST_CHECK;
/* Where those blocks stand, by the index alone. */
enum err journal_find (const struct journal *self, int64_t sequence,
                       struct index_entry *out, struct error *e) MUST_CHECK;
enum err journal_find_stream (const struct journal *self, const char *stream,
                              int64_t number, struct index_entry *out,
                              int64_t *first, struct error *e) MUST_CHECK;
int64_t journal_stream_last (const struct journal *self, const char *stream);
/* The lowest sequence with log time at or after `ms`; journal_size if none. */
enum err journal_sequence_at (struct journal *self, int64_t ms, int64_t *out,
                              struct error *e) MUST_CHECK;
enum err journal_leaves (struct journal *self, int64_t from, int64_t count,
                         struct buf *out, struct error *e) MUST_CHECK;
/* The trees over ledger and streams: index.h. The first two are the appending
 * thread's. */
const struct tree *journal_tree (const struct journal *self);
const struct tree *journal_stream_tree (const struct journal *self,
                                        const char *stream);
struct tree_source journal_source (struct index_source *source,
                                   const struct journal *self,
                                   const char *stream);
enum err journal_stream_below (const struct journal *self, const char *stream,
                               int64_t sequence, int64_t *count, int64_t *last,
                               struct error *e) MUST_CHECK;

/* Every segment from the first, without changing anything, also while nobody
 * has it open: checksums, group numbers, sequences, block_check of each block.
 * `block` may be NULL. For fsck. ERR_DAMAGED names the place. *torn: octets of
 * a last group that is not whole. */
enum err journal_scan (const char *dir, const struct hash *dialogue,
                       enum err (*block) (void *arg, const struct block *,
                                          const struct block_facts *,
                                          struct error *),
                       void *arg, int64_t *records, uint64_t *torn,
                       struct error *e) MUST_CHECK;

#endif
