/* index_table - an append-only table of rows of one size: its first rows in a
 * file, those since the last sync in memory. Only for index*.c, whose
 * lock guards it.
 *
 * The file: "PLYIDX" 0x00 0x02, the generation (8 octets), rows. What stands
 * behind the rows that the owner counted has no meaning: it is written over. A
 * row ends in its checksum, over the row, its number and the generation, so
 * that rows of an index that was started anew never pass. */
#ifndef PARLEY_INDEX_TABLE_H
#define PARLEY_INDEX_TABLE_H

#include "base/disk.h"

#include <pthread.h>

#define TABLE_ROW_MAX 64

struct table {
    char *path;
    uint64_t generation;
    size_t row;      /* octets, the checksum's 8 among them */
    int64_t filed;   /* rows in the file */
    int64_t shown;   /* rows that readers may see */
    struct buf tail; /* rows behind those in the file */
};

/* Takes `path`. No file is touched. */
void table_init (struct table *self, char *path, size_t row,
                 uint64_t generation);
void table_free (struct table *self);
/* The file has `rows` rows, of which the last is ours: ERR_DAMAGED otherwise.
 * They are shown. */
enum err table_resume (struct table *self, int64_t rows, struct error *e)
    MUST_CHECK;

/* The writer's. `row`: all but the checksum. Under the lock. */
void table_add (struct table *self, const uint8_t *row);
int64_t table_rows (const struct table *self); /* shown or not */
/* Write the tail to the file and sync it: without the lock. Then, under it, let
 * go of it. *made: the file's name is new. */
enum err table_write (struct table *self, bool *made, struct error *e)
    MUST_CHECK;
void table_written (struct table *self);

/* Readers'; take the lock for a moment. `out`: TABLE_ROW_MAX. Row n of those
 * that are shown; ERR_NOT_FOUND. */
enum err table_get (const struct table *self, pthread_mutex_t *lock, int64_t n,
                    uint8_t *out, struct error *e) MUST_CHECK;
/* The last shown row whose integer at octet `at` is not above `key` (they
 * ascend): its number, or -1. */
enum err table_find (const struct table *self, pthread_mutex_t *lock, size_t at,
                     int64_t key, int64_t *n, uint8_t *out, struct error *e)
    MUST_CHECK;
/* The first `width` octets of each row of the runs, joined: the rows must be
 * shown, ERR_NOT_FOUND. One file is opened for all of them. */
struct table_run {
    int64_t from, count;
};
enum err table_take_runs (const struct table *self, pthread_mutex_t *lock,
                          const struct table_run *runs, size_t count,
                          size_t width, uint8_t *out, struct error *e)
    MUST_CHECK;
/* Append `width` octets of each of rows [from, from + count) that are shown. */
enum err table_take (const struct table *self, pthread_mutex_t *lock,
                     int64_t from, int64_t count, size_t width, struct buf *out,
                     struct error *e) MUST_CHECK;

#endif
