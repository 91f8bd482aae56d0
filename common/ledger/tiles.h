/* tiles - the ledger's tree as static files (C2SP tlog-tiles; PROTOCOL.md
 * section 8.15).
 *
 * `DIR/checkpoint`, `DIR/tile/L/N` and the partial ones that a checkpoint's size
 * needs. A file appears whole, by a rename, the checkpoint last; what is there
 * already is left as it is, so a folder can be brought up to date while it is
 * served. */
#ifndef PARLEY_TILES_H
#define PARLEY_TILES_H

#include "format/tree.h"
#include "identity/checkpoint.h"

#define TILES_PATH_MAX 64
/* "tile/0/x001/x234/067", "tile/entries/000.p/3" with level -1. */
void tiles_path (int level, uint64_t n, unsigned width /* 256: full */,
                 char out[TILES_PATH_MAX]);

/* All tiles of the checkpoint's tree, from stored hashes. The root is recomputed
 * from what was written. *files: how many were. ERR_DIGEST: the source has
 * another tree; ERR_IO and disk.h's. */
enum err tiles_export (const char *dir, const struct tree_source *source,
                       const struct checkpoint *cp, struct slice note,
                       int64_t *files, struct error *e) MUST_CHECK;
/* One entry bundle: `count` (1 to 256) records from 256 * n on. */
enum err tiles_entries (const char *dir, uint64_t n,
                        const struct slice *records, size_t count,
                        struct error *e) MUST_CHECK;

#endif
