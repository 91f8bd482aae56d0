/* tiles - the ledger's tree as static files (C2SP tlog-tiles; PROTOCOL.md
 * section 8.15).
 *
 * `DIR/checkpoint`, `DIR/tile/L/N` and the partial ones that a checkpoint's size
 * needs. A file appears whole, by a rename, the checkpoint last; what is there
 * already is left as it is, so a folder can be brought up to date while it is
 * served. Each file and its folder are synced: some 4 files for a thousand
 * records. */
#ifndef PARLEY_TILES_H
#define PARLEY_TILES_H

#include "format/tree.h"
#include "identity/checkpoint.h"

#define TILES_PATH_MAX 64
/* "tile/0/x001/x234/067", "tile/entries/000.p/3" with level -1. */
void tiles_path (int level, uint64_t n, unsigned width /* 256: full */,
                 char out[TILES_PATH_MAX]);

/* All tiles of the checkpoint's tree, from the source's leaves (level 0 alone is
 * read, twice). Nothing is written where they have another root. *files: how
 * many tiles were. ERR_DIGEST: another root, or a tile that is there already is
 * of another ledger; disk.h's. */
enum err tiles_export (const char *dir, const struct tree_source *source,
                       const struct checkpoint *cp, struct slice note,
                       int64_t *files, struct error *e) MUST_CHECK;
/* One entry bundle: `count` (1 to 256) records from 256 * n on. ERR_DIGEST: one
 * that is there already is another; ERR_LIMIT: a record above 65,535. */
enum err tiles_entries (const char *dir, uint64_t n,
                        const struct slice *records, size_t count,
                        struct error *e) MUST_CHECK;

#endif
