/* mend - a ledger's segments read past what is damaged in them, and put right
 * with the same blocks from elsewhere (PROTOCOL.md section 7.6).
 *
 * Offline: the caller holds the lock of the state folder. A block comes back as
 * it was, octet by octet, so that nothing behind it moves and the index stays
 * true. Headers of segments are not mended so: their seed stands nowhere else. With
 * one damaged, or a segment missing or shortened, what can be read of the blocks is
 * given by segments_walk, and the journal is to be written anew. */
#ifndef PARLEY_MEND_H
#define PARLEY_MEND_H

#include "ledger/journal.h"

/* Do headers, names and the sizes of closed segments fit? ERR_DAMAGED;
 * ERR_NOT_FOUND: no segment is there. */
enum err segments_check (const char *dir, const struct hash *dialogue,
                         struct error *e) MUST_CHECK;
/* The blocks of all segments, as far as their sizes lead from one to the next;
 * nothing of a frame is trusted but that. Blocks are whole (block_read, block_check)
 * and in order; `hole`: records [first, end) can't be read, before the block behind
 * them comes. Where a segment is read no further is not told for the last one.
 * *next: behind the last record. */
struct segments_visitor {
    void *arg;
    enum err (*block) (void *arg, const struct block *block,
                       const struct block_facts *facts, struct error *e);
    enum err (*hole) (void *arg, int64_t first, int64_t end, struct error *e);
};
enum err segments_walk (const char *dir, const struct segments_visitor *visitor,
                        int64_t *next, struct error *e) MUST_CHECK;

struct mend_visitor {
    void *arg;
    /* Each block in order; `lost`: what that function gave. */
    enum err (*block) (void *arg, const struct block *block,
                       const struct block_facts *facts, bool lost,
                       struct error *e);
    /* What stands where the block of record `sequence` begins is damaged. *out:
     * the same block, of at most `room` octets, borrowed until the next call.
     * ERR_NOT_FOUND: nobody has it. */
    enum err (*lost) (void *arg, int64_t sequence, size_t room,
                      struct slice *out, struct error *e);
    /* So records [first, end) are not here (end -1: to the ledger's end, which
     * nothing tells). The next block is behind them; where the damage hides how
     * far it goes, the rest of its group counts too. `place`: file and octet. */
    enum err (*hole) (void *arg, int64_t first, int64_t end, const char *place,
                      struct error *e);
};

struct mend_patch {
    int64_t segment; /* its first sequence */
    uint64_t offset;
    struct buf octets;  /* of whole groups */
    int64_t first, end; /* records of those */
    char aside[256];    /* mend_write: where the segment as it was is */
};

struct mend;
/* Reads all segments from the first, and changes nothing. NULL and *e: what the
 * visitor said; ERR_DAMAGED: what can't be mended so, with the place. */
struct mend *mend_read (const char *dir, const struct hash *dialogue,
                        const struct mend_visitor *visitor, struct error *e)
    MUST_CHECK;
void mend_destroy (struct mend **self_p);
int64_t mend_size (const struct mend *self); /* records; what is behind a hole
                                                that has no end is not counted */
size_t mend_patches (const struct mend *self);
const struct mend_patch *mend_patch_at (const struct mend *self, size_t n);
/* Each segment that has patches: a copy is kept as `journal/damaged-TIME-FIRST`,
 * the mended one is written beside, synced and renamed over it. After a crash
 * it is the old one or the new one. */
enum err mend_write (struct mend *self, struct error *e) MUST_CHECK;

#endif
