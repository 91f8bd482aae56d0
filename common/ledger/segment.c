/* segment - frames and the writer (PROTOCOL.md section 7.6). One owner. */
#include "ledger/segment.h"
#include "ledger/segment_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/uio.h>

static const uint8_t segment_magic[8] = { 'P', 'L', 'Y', 'S', 'E', 'G', 0, 1 };

/* Places in the three frames; each ends in a checksum of what is before. */
enum {
    AT_DIALOGUE = 8,
    AT_FIRST = 40,
    AT_GROUP = 48,
    AT_BEFORE = 56,
    AT_SEED = 64,
    AT_SUM = 72
};
enum { AT_NUMBER = 8, AT_OFFSET = 16, AT_HEADER_SUM = 24 };
enum { AT_BLOCKS = 4, AT_OCTETS = 8, AT_BLOCKS_SUM = 16, AT_END_SUM = 24 };

struct segment {
    int fd;
    char *path;
    uint64_t seed;
    uint64_t octets;   /* with the next group's header */
    uint64_t written;  /* of a group behind those, not committed yet */
    uint64_t group;    /* the next one's number */
    struct iovec *iov; /* memory of the last append */
    size_t iov_room;
};

/* Frames. */

void segment_header_put (uint8_t out[SEGMENT_HEADER],
                         const struct segment_header *header) {
    memcpy (out, segment_magic, sizeof segment_magic);
    memcpy (out + AT_DIALOGUE, header->dialogue.octets, HASH_SIZE);
    put_u64 (out + AT_FIRST, (uint64_t) header->first_sequence);
    put_u64 (out + AT_GROUP, header->first_group);
    put_u64 (out + AT_BEFORE, header->octets_before);
    put_u64 (out + AT_SEED, header->seed);
    put_u64 (out + AT_SUM, hash_xxh3 (slice_of (out, AT_SUM), 0));
}

enum err segment_header_get (const uint8_t in[SEGMENT_HEADER],
                             struct segment_header *out, struct error *e) {
    if (memcmp (in, segment_magic, sizeof segment_magic) != 0)
        return error_set (e, ERR_DAMAGED, "does not begin with PLYSEG 0 1");
    if (hash_xxh3 (slice_of (in, AT_SUM), 0) != get_u64 (in + AT_SUM))
        return error_set (e, ERR_DAMAGED, "the header's checksum differs");
    if (get_u64 (in + AT_FIRST) > INT64_MAX)
        return error_set (e, ERR_DAMAGED, "first sequence %" PRIu64,
                          get_u64 (in + AT_FIRST));
    memcpy (out->dialogue.octets, in + AT_DIALOGUE, HASH_SIZE);
    out->first_sequence = (int64_t) get_u64 (in + AT_FIRST);
    out->first_group = get_u64 (in + AT_GROUP);
    out->octets_before = get_u64 (in + AT_BEFORE);
    out->seed = get_u64 (in + AT_SEED);
    return ERR_NONE;
}

void group_header_put (uint8_t out[GROUP_HEADER], uint64_t group,
                       uint64_t offset, uint64_t seed) {
    memcpy (out, "PLYG\0\0\0", AT_NUMBER);
    put_u64 (out + AT_NUMBER, group);
    put_u64 (out + AT_OFFSET, offset);
    put_u64 (out + AT_HEADER_SUM,
             hash_xxh3 (slice_of (out, AT_HEADER_SUM), seed));
}

bool group_header_get (const uint8_t in[GROUP_HEADER], uint64_t offset,
                       uint64_t seed, uint64_t *group) {
    if (memcmp (in, "PLYG\0\0\0", AT_NUMBER) != 0
        || get_u64 (in + AT_OFFSET) != offset
        || get_u64 (in + AT_HEADER_SUM)
               != hash_xxh3 (slice_of (in, AT_HEADER_SUM), seed))
        return false;
    *group = get_u64 (in + AT_NUMBER);
    return true;
}

void group_end_put (uint8_t out[GROUP_END], const struct group_end *end,
                    uint64_t seed) {
    memcpy (out, "PLYE", AT_BLOCKS);
    put_u32 (out + AT_BLOCKS, end->blocks);
    put_u64 (out + AT_OCTETS, end->octets);
    put_u64 (out + AT_BLOCKS_SUM, end->checksum);
    put_u64 (out + AT_END_SUM, hash_xxh3 (slice_of (out, AT_END_SUM), seed));
}

bool group_end_get (const uint8_t in[GROUP_END], uint64_t seed,
                    struct group_end *out) {
    if (memcmp (in, "PLYE", AT_BLOCKS) != 0
        || get_u64 (in + AT_END_SUM)
               != hash_xxh3 (slice_of (in, AT_END_SUM), seed))
        return false;
    out->blocks = get_u32 (in + AT_BLOCKS);
    out->octets = get_u64 (in + AT_OCTETS);
    out->checksum = get_u64 (in + AT_BLOCKS_SUM);
    return true;
}

/* Opening. */

char *segment_path (const char *dir, int64_t first_sequence) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%020" PRIu64 ".seg", dir,
                    (uint64_t) first_sequence);
    return buf_take_text (&path);
}

/* Takes `path`. NULL where it can't be opened. */
static struct segment *writer_new (char *path, struct error *e) {
    int fd = disk_open (path, DISK_WRITE, e);
    if (fd < 0) {
        free (path);
        return NULL;
    }
    struct segment *self = mem_alloc (sizeof *self);
    self->fd = fd;
    self->path = path;
    return self;
}

/* The name comes with its octets, both synced (disk_write_file): a crash
 * leaves a segment with its header whole, or none. */
struct segment *segment_create (const char *dir,
                                const struct segment_header *header,
                                struct error *e) {
    struct segment_header own = *header;
    randombytes_buf (&own.seed, sizeof own.seed);
    uint8_t octets[SEGMENT_HEADER + GROUP_HEADER];
    segment_header_put (octets, &own);
    group_header_put (octets + SEGMENT_HEADER, own.first_group, SEGMENT_HEADER,
                      own.seed);
    char *path = segment_path (dir, own.first_sequence);
    if (disk_write_file (path, slice_of (octets, sizeof octets), false, e)) {
        free (path);
        return NULL;
    }
    struct segment *self = writer_new (path, e);
    if (!self)
        return NULL;
    self->seed = own.seed;
    self->octets = sizeof octets;
    self->group = own.first_group;
    return self;
}

static enum err write_group_header (struct segment *self, struct error *e) {
    uint8_t header[GROUP_HEADER];
    group_header_put (header, self->group, self->octets, self->seed);
    enum err rc = disk_write_at (self->fd, slice_of (header, sizeof header),
                                 self->octets, e);
    if (!rc)
        self->octets += sizeof header;
    return rc;
}

struct segment *segment_resume (const char *dir, int64_t first_sequence,
                                uint64_t octets, uint64_t group,
                                struct error *e) {
    struct segment *self = writer_new (segment_path (dir, first_sequence), e);
    if (!self)
        return NULL;
    uint8_t octets_of_header[SEGMENT_HEADER];
    struct segment_header header;
    enum err rc = disk_read_at (self->fd, octets_of_header,
                                sizeof octets_of_header, 0, e);
    if (!rc)
        rc = segment_header_get (octets_of_header, &header, e);
    if (!rc) {
        self->seed = header.seed;
        self->octets = octets;
        self->group = group;
        rc = write_group_header (self, e);
    }
    if (rc)
        segment_close (&self);
    return self;
}

void segment_close (struct segment **self_p) {
    struct segment *self = *self_p;
    if (!self)
        return;
    disk_close (&self->fd);
    free (self->path);
    free (self->iov);
    free (self);
    *self_p = NULL;
}

enum err segment_sync (struct segment *self, struct error *e) {
    assert (self->written == 0);
    return disk_sync (self->fd, e);
}

uint64_t segment_octets (const struct segment *self) {
    return self->octets;
}

uint64_t segment_group (const struct segment *self) {
    return self->group;
}

/* Appending. */

/* Blocks have to say their own size: that is how recovery walks them. */
static enum err check_blocks (const struct slice *blocks, size_t count,
                              uint64_t *octets, struct error *e) {
    if (count == 0)
        return error_set (e, ERR_ARGUMENT, "a group without blocks");
    *octets = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size;
        if (blocks[i].size < BLOCK_HEADER)
            return error_set (e, ERR_ARGUMENT, "block %zu has %zu octets", i,
                              blocks[i].size);
        enum err rc = block_size (blocks[i], &size, e);
        if (rc)
            return rc;
        if (size != blocks[i].size)
            return error_set (e, ERR_ARGUMENT,
                              "block %zu has %zu octets and says %zu", i,
                              blocks[i].size, size);
        *octets += size;
        if (*octets > GROUP_OCTETS_MAX)
            return error_set (e, ERR_LIMIT, "a group above %d octets",
                              GROUP_OCTETS_MAX);
    }
    return ERR_NONE;
}

static void reserve_iov (struct segment *self, size_t count) {
    if (count <= self->iov_room)
        return;
    self->iov = mem_resize (self->iov, count * sizeof *self->iov);
    self->iov_room = count;
}

static void fill_iov (struct segment *self, const struct slice *blocks,
                      size_t count, uint64_t *offsets) {
    uint64_t at = self->octets;
    for (size_t i = 0; i < count; i++) {
        if (offsets)
            offsets[i] = at;
        at += blocks[i].size;
        /* writev does not change what it reads; its type can't say so. */
        self->iov[i] =
            (struct iovec){ .iov_base = (void *) (uintptr_t) blocks[i].data,
                            .iov_len = blocks[i].size };
    }
}

/* What a crash leaves: before the sync returns, this group may be whole, torn
 * or missing, and no header stands behind it; after it, it is whole. The next
 * header may be whole, torn or missing at any time, since the size of the file
 * and the octets reach the disk on their own. */
enum err segment_write (struct segment *self, const struct slice *blocks,
                        size_t count, uint64_t *offsets, struct error *e) {
    assert (self->written == 0);
    struct group_end end;
    enum err rc = check_blocks (blocks, count, &end.octets, e);
    if (rc)
        return rc;
    end.blocks = (uint32_t) count;
    end.checksum = hash_xxh3_parts (blocks, count, self->seed);
    uint8_t frame[GROUP_END];
    group_end_put (frame, &end, self->seed);
    reserve_iov (self, count + 1);
    fill_iov (self, blocks, count, offsets);
    self->iov[count] =
        (struct iovec){ .iov_base = frame, .iov_len = sizeof frame };
    uint64_t octets = end.octets + sizeof frame;
    rc = disk_writev_at (self->fd, self->iov, (int) count + 1, self->octets, e);
    if (!rc)
        rc = disk_start (self->fd, self->octets, octets, e);
    if (!rc)
        self->written = octets;
    return rc;
}

enum err segment_commit (struct segment *self, struct error *e) {
    assert (self->written > 0);
    enum err rc = disk_sync (self->fd, e);
    if (rc)
        return rc;
    self->octets += self->written;
    self->written = 0;
    self->group++;
    return write_group_header (self, e);
}
