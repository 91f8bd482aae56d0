/* repair_sources - bundles of several bodies, read side by side by sequence
 * (PROTOCOL.md section 8.10). Each is audited first: of what is below its newest
 * checkpoint, records and leaf hashes are then those that our log key signed; its
 * promises are signed by a desk of this dialogue. */
#ifndef PARLEY_REPAIR_SOURCES_H
#define PARLEY_REPAIR_SOURCES_H

#include "identity/checkpoint.h"
#include "ledger/bundle.h"

/* A record's place that our desk promised to the exporter. */
struct source_promise {
    int64_t sequence, epoch;
    struct hash leaf;
    const char *exporter; /* the source's */
};

struct source {
    const char *path; /* borrowed */
    struct bundle_meta meta;
    int64_t settled; /* the size up to which it is so, by a checkpoint that
                        settled or that the log signed; -1: nowhere */
    struct hash root;
    struct source_promise *promises; /* in the order of the file */
    size_t promise_count;
    struct buf *notes; /* its checkpoints up to that one, ascending */
    size_t note_count;
    int64_t noted; /* size of the last of them; 0 */
    /* Where it is read. */
    struct bundle *bundle;
    struct block block;
    bool has_block, has_leaf;
    struct hash *leaves; /* of the block's records */
    int64_t leaf_at;
    struct hash leaf; /* of a record that it has no block of */
};
struct sources {
    struct source *all;
    size_t count;
    struct block_writer *writer;
};

/* Opens and audits. *e names the bundle: what audit_check says of it; ERR_KEY:
 * its newest checkpoint is signed by another log key than ours. */
enum err sources_open (struct sources *self, char *const *paths, size_t count,
                       const struct hash *dialogue,
                       const uint8_t log_key[KEY_SIZE], struct error *e)
    MUST_CHECK;
void sources_close (struct sources *self);
/* From the first record again. */
enum err sources_rewind (struct sources *self, struct error *e) MUST_CHECK;

/* All below go on to that sequence, never back.
 *
 * The leaf hash that one of them has; *known: whether it has. */
enum err source_leaf (struct source *self, int64_t sequence, struct hash *out,
                      bool *known, struct error *e) MUST_CHECK;
/* The most records from there on, up to `end`, that one of them has with their
 * bodies: as a block, appended; *which of them. ERR_NOT_FOUND: nobody. */
enum err sources_block (struct sources *self, int64_t sequence, int64_t end,
                        struct buf *out, size_t *which, struct error *e)
    MUST_CHECK;
/* The block that begins there, whole, of at most `room` octets and below what
 * is settled; borrowed until the next call. */
enum err sources_whole (struct sources *self, int64_t sequence, size_t room,
                        struct slice *out, size_t *which, struct error *e)
    MUST_CHECK;

#endif
