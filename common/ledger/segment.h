/* segment - one file of the ledger: a header and commit groups
 * (PROTOCOL.md section 7.6).
 *
 * The octets and their order only; journal.h decides when. A segment that is
 * written has one owner; any number of readers may read what is synced. */
#ifndef PARLEY_SEGMENT_H
#define PARLEY_SEGMENT_H

#include "base/disk.h"
#include "format/block.h"

#define SEGMENT_HEADER 80
#define GROUP_HEADER 32
#define GROUP_END 32
#define GROUP_OCTETS_MAX 8388608 /* of blocks */

struct segment_header {
    struct hash dialogue;
    int64_t first_sequence;
    uint64_t first_group;
    uint64_t octets_before; /* of the segment before, when it was closed */
    uint64_t seed;          /* of this segment's checksums */
};

/* "%020u.seg" in `dir`; the caller frees. */
char *segment_path (const char *dir, int64_t first_sequence) MUST_CHECK;

struct segment; /* one that is written */

/* Create: header, and the first group's header, synced, and the folder. The
 * seed is drawn here. ERR_EXISTS. */
struct segment *segment_create (const char *dir,
                                const struct segment_header *header,
                                struct error *e) MUST_CHECK;
/* Go on with one whose content was scanned: `octets` is where the next group's
 * header stands, `group` its number. Cuts nothing: writes that header. */
struct segment *segment_resume (const char *dir, int64_t first_sequence,
                                uint64_t octets, uint64_t group,
                                struct error *e) MUST_CHECK;
void segment_close (struct segment **self_p);

/* One group: blocks and end in one write, which is on its way to the disk when
 * this returns. offsets[i] (may be NULL) gets where block i starts. Any error:
 * the file's end is unknown; never go on. */
enum err segment_write (struct segment *self, const struct slice *blocks,
                        size_t count, uint64_t *offsets, struct error *e)
    MUST_CHECK;
/* The group that was written (asserted): one sync, then the next one's header
 * (written, not synced). Durable on 0; errors as above. */
enum err segment_commit (struct segment *self, struct error *e) MUST_CHECK;
/* Make the next header durable too: before another segment states the size of
 * this one. */
enum err segment_sync (struct segment *self, struct error *e) MUST_CHECK;
uint64_t segment_octets (const struct segment *self); /* with the next header */
uint64_t segment_group (const struct segment *self); /* the next one's number */

/* Reading a whole file, in order. */
struct segment_scan;
struct segment_scan *segment_scan_open (const char *path, struct error *e)
    MUST_CHECK;
void segment_scan_close (struct segment_scan **self_p);
const struct segment_header *segment_scan_header (const struct segment_scan *);
/* The next whole group: its blocks' octets (borrowed until the next call) and
 * where they start. ERR_NOT_FOUND: the end, cleanly (a header with nothing
 * behind it, or a closed segment's end). ERR_DAMAGED: what stands at
 * segment_scan_at is no whole group; *why is in e. */
enum err segment_scan_next (struct segment_scan *self, struct slice *blocks,
                            uint64_t *offset, uint64_t *group, struct error *e)
    MUST_CHECK;
/* Where the group that failed, or the next one, has its header. */
uint64_t segment_scan_at (const struct segment_scan *self);
uint64_t segment_scan_size (const struct segment_scan *self);
/* After ERR_DAMAGED: does any valid group header with a higher number stand
 * behind? Then octets that were synced are damaged, and nothing may be cut. */
enum err segment_scan_header_behind (struct segment_scan *self, bool *found,
                                     uint64_t *offset, struct error *e)
    MUST_CHECK;
/* Go on at that header, which is of group *group: to read past damage. */
enum err segment_scan_skip (struct segment_scan *self, uint64_t offset,
                            uint64_t *group, struct error *e) MUST_CHECK;

#endif
