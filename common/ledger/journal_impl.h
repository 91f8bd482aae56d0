/* What the files of the journal share. Only for journal*.c. */
#ifndef PARLEY_JOURNAL_IMPL_H
#define PARLEY_JOURNAL_IMPL_H

#include "ledger/journal.h"

#define JOURNAL_SNAPSHOTS 2 /* kept: the newest may turn out unfit */

struct journal {
    char *journal_dir, *index_dir;
    struct hash dialogue;
    uint64_t segment_octets; /* time to roll above */
    struct segment *segment; /* the last one */
    int64_t segment_first;
    struct index *index;
    struct journal_files *files;
    bool failed; /* the end of a file is unknown: nothing more is written */
};

char *journal_path (const char *dir, const char *name) MUST_CHECK;

/* journal_files: descriptors of segments for reading, some kept. Thread-safe. */
struct journal_files *journal_files_new (const char *journal_dir) MUST_CHECK;
void journal_files_destroy (struct journal_files **self_p);
enum err journal_files_read (struct journal_files *self, int64_t segment,
                             uint64_t offset, size_t size, uint8_t *out,
                             struct error *e) MUST_CHECK;
/* The block of an index entry into *out (cleared first), checked against its
 * own checksums and the entry. ERR_DAMAGED. */
enum err journal_files_block (struct journal_files *self,
                              const struct index_entry *entry, struct buf *out,
                              struct block *block, struct error *e) MUST_CHECK;

/* journal_chain: the segments as they stand on disk. */

/* Numbers of the files `dir`/%020u`suffix`, ascending; the caller frees. */
enum err journal_list (const char *dir, const char *suffix, int64_t **out,
                       size_t *count, struct error *e) MUST_CHECK;

struct chain_link {
    int64_t first; /* sequence */
    uint64_t size; /* of the file */
    struct segment_header header;
};
struct chain {
    const char *dir; /* borrowed */
    struct chain_link *links;
    size_t count;
};
/* Headers, names and the sizes of closed segments. ERR_NOT_FOUND: none there;
 * ERR_DAMAGED. */
enum err chain_load (struct chain *self, const char *journal_dir,
                     const struct hash *dialogue, struct error *e) MUST_CHECK;
void chain_free (struct chain *self);

/* The end of the last segment. */
struct chain_tail {
    uint64_t at;    /* where the next group's header belongs */
    uint64_t group; /* its number */
    int64_t next;   /* sequence */
    bool header;    /* it stands there, so that all before is synced */
    uint64_t torn;  /* octets from there that are no whole group */
    char why[ERROR_TEXT_MAX];          /* it is none; if torn */
    uint64_t last_offset, last_octets; /* the last whole group with header and
                                           end; 0: none */
};
/* Decides what may be cut, and cuts nothing. ERR_DAMAGED: not even that. */
enum err chain_tail (const struct chain *self, struct chain_tail *out,
                     struct error *e) MUST_CHECK;

/* Each block at or behind sequence `from`, of links from the one that holds it,
 * up to the tail. */
struct chain_visitor {
    void *arg;
    enum err (*block) (void *arg, const struct block *block,
                       const struct block_facts *facts, int64_t segment,
                       uint64_t offset, struct error *e);
    enum err (*closed) (void *arg, struct error *e); /* a segment is done, and
                                                        another follows */
};
enum err chain_walk (const struct chain *self, const struct chain_tail *tail,
                     int64_t from, const struct chain_visitor *visitor,
                     struct error *e) MUST_CHECK;

/* journal_snapshot: the owner's state at a place, and the index's counts. */
struct snapshot {
    int64_t sequence; /* the place: records before it */
    struct hash last; /* leaf of the record before it; zeros at 0 */
    struct slice counts, state;
    struct buf octets; /* read: what the slices point into; owned */
};
enum err snapshot_write (const char *index_dir, const struct hash *dialogue,
                         const struct snapshot *snapshot, struct error *e)
    MUST_CHECK;
enum err snapshot_read (const char *index_dir, const struct hash *dialogue,
                        int64_t sequence, struct snapshot *out, struct error *e)
    MUST_CHECK;
/* Remove all but the newest ones. */
enum err snapshot_prune (const char *index_dir, size_t keep, struct error *e)
    MUST_CHECK;

/* journal_mend_write: patches ascend. Their `aside` is set. */
struct mend_patch;
enum err patches_write (const char *journal_dir, struct mend_patch *patches,
                        size_t count, struct error *e) MUST_CHECK;

#endif
