/* What the files of the index share. Only for index*.c. */
#ifndef PARLEY_INDEX_IMPL_H
#define PARLEY_INDEX_IMPL_H

#include "ledger/index.h"
#include "ledger/index_table.h"

/* A row of `blocks`. The times are running maxima, since log time may go back
 * at an epoch's base, and a search needs keys that ascend. */
enum {
    BLOCK_FIRST = 0,
    BLOCK_COUNT = 8,
    BLOCK_SIZE = 12,
    BLOCK_SEGMENT = 16,
    BLOCK_OFFSET = 24,
    BLOCK_TIME = 32,
    BLOCK_TIME_MAX = 40,
    BLOCK_ROW = 56
};
/* A row of `leaves`, or of a tree's level. */
enum { LEAF_ROW = HASH_SIZE + 8 };
/* One of a stream, for each block of it: number of the block's first record in
 * the stream, the block's row, and that record's sequence. */
enum {
    STREAM_FIRST = 0,
    STREAM_BLOCK = 8,
    STREAM_SEQUENCE = 16,
    STREAM_KEPT = 24, /* all but the checksum */
    STREAM_ROW = 32
};

/* index_trees: a tree that grows, and its levels above the leaves. */
struct stored {
    struct tree tree; /* the writer's */
    /* Of level i + 1, whose rows are as many as the tree has full subtrees of
     * that size: counts don't repeat them. */
    struct table levels[TREE_LEVELS - 1];
};
/* Of files `path`.1 and so on. */
void stored_init (struct stored *self, const char *path, uint64_t generation);
void stored_free (struct stored *self);
enum err stored_resume (struct stored *self, int64_t size,
                        const struct tree_source *source, struct error *e)
    MUST_CHECK;
/* Outside the lock; what it completes waits in `done` for stored_flush. */
struct stored_row {
    struct table *table;
    struct hash root;
};
void stored_add (struct stored *self, const struct hash *leaves, size_t count,
                 struct buf *done);
void stored_flush (struct buf *done);                   /* under the lock */
void stored_show (struct stored *self, int64_t leaves); /* under the lock */
enum err stored_write (struct stored *self, bool *made, struct error *e)
    MUST_CHECK;
void stored_written (struct stored *self); /* under the lock */

/* index_streams */
struct stream {
    char name[CHANNEL_NAME_MAX + 1];
    struct table table;
    int64_t last;       /* number of its last record; 0: none */
    int64_t last_shown; /* that readers may see */
    bool changed;       /* since the last index_show */
    struct stored tree;
};

struct index {
    char *dir;
    uint64_t generation;
    struct table blocks, leaves;
    struct stored tree;
    struct stream **streams; /* by name, ascending */
    size_t count, room;
    struct stream **changed; /* those that are; as much room */
    size_t changed_count;
    int64_t time_max;
    struct buf done;       /* of stored_add, kept for its room */
    pthread_mutex_t *lock; /* of tables' tails and numbers, the streams' list */
};

/* `dir`/PREFIX NAME; the caller's. */
char *index_path (const struct index *self, const char *prefix,
                  struct slice name) MUST_CHECK;
bool stream_name_valid (struct slice name);
struct stream *stream_find (const struct index *self, struct slice name);
/* Made where it is not there. The name is of the grammar: it becomes a file's.
 */
struct stream *stream_get (struct index *self, struct slice name);
void stream_free (struct stream **self_p);
enum err stream_resume (struct index *self, struct slice name, int64_t rows,
                        int64_t last, struct error *e) MUST_CHECK;
/* Its tree, when all tables are there. */
enum err stream_resume_tree (struct index *self, struct stream *stream,
                             struct error *e) MUST_CHECK;
/* The block in that row; under the lock. */
void stream_add_row (struct index *self, struct stream *stream,
                     const struct block *block, int64_t row);
/* What readers may see of it. NULL: not known. */
struct stream *stream_seen (const struct index *self, const char *name,
                            int64_t *last);
/* Leaf hashes of the `count` (to TREE_TILE) records behind its first `from`;
 * ERR_NOT_FOUND. */
enum err stream_leaves (const struct index *self, const char *name,
                        uint64_t from, size_t count, struct hash *out,
                        struct error *e) MUST_CHECK;

void index_entry_read (const uint8_t *row, struct index_entry *out);

#endif
