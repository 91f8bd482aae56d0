/* segment_scan - reading a whole segment, trusting nothing in it (PROTOCOL.md
 * section 7.6). A group's length stands nowhere in front of it: it is found by
 * walking its blocks to its end frame. One owner. */
#include "ledger/segment.h"
#include "ledger/segment_impl.h"

#include <inttypes.h>
#include <stdlib.h>

#define READ_AHEAD 262144

struct segment_scan {
    int fd;
    char *path;
    uint64_t size; /* of the file when it was opened */
    struct segment_header header;
    uint64_t at;    /* of the next group's header */
    uint64_t group; /* its number */
    struct buf window;
    uint64_t window_at; /* the window's place in the file */
};

/* Let go of what stands in front of the next group. Done only where there is
 * need to read, so that many small groups move little. */
static void drop_front (struct segment_scan *self) {
    struct buf *window = &self->window;
    uint64_t drop = self->at - self->window_at;
    if (drop >= window->size) {
        window->size = 0;
        self->window_at = self->at;
    } else if (drop > 0) {
        memmove (window->data, window->data + drop, window->size - drop);
        window->size -= drop;
        self->window_at = self->at;
    }
}

/* Read on, up to `end` at least. */
static enum err read_more (struct segment_scan *self, uint64_t end,
                           struct error *e) {
    drop_front (self);
    uint64_t from = self->window_at + self->window.size;
    uint64_t more = end - from;
    if (more < READ_AHEAD)
        more = READ_AHEAD;
    if (more > self->size - from)
        more = self->size - from;
    uint8_t *into = buf_extend (&self->window, more);
    enum err rc = disk_read_at (self->fd, into, more, from, e);
    if (rc)
        self->window.size -= more;
    return rc;
}

/* Octets [at, at + size) of the file, until the next call; NULL and ERR_DAMAGED
 * where it is shorter. */
static const uint8_t *want (struct segment_scan *self, uint64_t at,
                            uint64_t size, struct error *e) {
    if (at > self->size || size > self->size - at) {
        error_set (e, ERR_DAMAGED,
                   "the file ends at %" PRIu64 ", %" PRIu64
                   " more octets belong to the group",
                   self->size, size - (self->size - at));
        return NULL;
    }
    if (at + size > self->window_at + self->window.size
        && read_more (self, at + size, e))
        return NULL;
    return self->window.data + (at - self->window_at);
}

struct segment_scan *segment_scan_open (const char *path, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    int fd = disk_open (path, DISK_READ, e);
    if (fd < 0)
        return NULL;
    struct segment_scan *self = mem_alloc (sizeof *self);
    self->fd = fd;
    self->path = mem_copy_text (path);
    enum err rc = disk_size (fd, &self->size, e);
    if (!rc && self->size < SEGMENT_HEADER)
        rc = error_set (e, ERR_DAMAGED,
                        "%" PRIu64 " octets, a header of a segment has %d",
                        self->size, SEGMENT_HEADER);
    const uint8_t *octets = rc ? NULL : want (self, 0, SEGMENT_HEADER, e);
    if (!octets || segment_header_get (octets, &self->header, e)) {
        error_at (e, "'%s' at 0", path);
        segment_scan_close (&self);
        return NULL;
    }
    self->at = SEGMENT_HEADER;
    self->group = self->header.first_group;
    return self;
}

void segment_scan_close (struct segment_scan **self_p) {
    struct segment_scan *self = *self_p;
    if (!self)
        return;
    disk_close (&self->fd);
    free (self->path);
    buf_free (&self->window);
    free (self);
    *self_p = NULL;
}

const struct segment_header *segment_scan_header (
    const struct segment_scan *self) {
    return &self->header;
}

uint64_t segment_scan_at (const struct segment_scan *self) {
    return self->at;
}

uint64_t segment_scan_size (const struct segment_scan *self) {
    return self->size;
}

/* Groups. */

static enum err check_header (struct segment_scan *self, struct error *e) {
    const uint8_t *octets = want (self, self->at, GROUP_HEADER, e);
    if (!octets)
        return e->code;
    uint64_t group;
    if (!group_header_get (octets, self->at, self->header.seed, &group))
        return error_set (e, ERR_DAMAGED, "no header of a group");
    if (group != self->group)
        return error_set (e, ERR_DAMAGED,
                          "the header of group %" PRIu64 " where %" PRIu64
                          " has to stand",
                          group, self->group);
    return ERR_NONE;
}

/* Walk blocks to the end frame; *found gets what the walk saw. */
static enum err walk_blocks (struct segment_scan *self, struct group_end *found,
                             struct error *e) {
    uint64_t start = self->at + GROUP_HEADER;
    *found = (struct group_end){ 0 };
    for (;;) {
        uint64_t at = start + found->octets;
        const uint8_t *octets = want (self, at, GROUP_END, e);
        if (!octets)
            return e->code;
        if (memcmp (octets, "PLYE", 4) == 0)
            return ERR_NONE;
        size_t size;
        if (block_size (slice_of (octets, BLOCK_HEADER), &size, e)) {
            e->code = ERR_DAMAGED;
            return error_at (
                e, "neither a block nor the group's end at %" PRIu64, at);
        }
        found->octets += size;
        found->blocks++;
        if (found->octets > GROUP_OCTETS_MAX)
            return error_set (e, ERR_DAMAGED, "a group above %d octets",
                              GROUP_OCTETS_MAX);
    }
}

static enum err check_end (struct segment_scan *self,
                           const struct group_end *found, struct slice *blocks,
                           struct error *e) {
    const uint8_t *octets =
        want (self, self->at + GROUP_HEADER, found->octets + GROUP_END, e);
    if (!octets)
        return e->code;
    struct slice content = slice_of (octets, found->octets);
    struct group_end end;
    if (!group_end_get (octets + found->octets, self->header.seed, &end))
        return error_set (e, ERR_DAMAGED,
                          "the checksum of the group's end differs");
    if (end.blocks != found->blocks || end.octets != found->octets
        || found->blocks == 0)
        return error_set (e, ERR_DAMAGED,
                          "the group's end tells of %" PRIu32
                          " blocks in %" PRIu64 " octets, %" PRIu32
                          " in %" PRIu64 " are there",
                          end.blocks, end.octets, found->blocks, found->octets);
    if (hash_xxh3 (content, self->header.seed) != end.checksum)
        return error_set (e, ERR_DAMAGED,
                          "the checksum of the group's blocks differs");
    *blocks = content;
    return ERR_NONE;
}

enum err segment_scan_next (struct segment_scan *self, struct slice *blocks,
                            uint64_t *offset, uint64_t *group,
                            struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    if (self->at == self->size)
        return error_set (e, ERR_NOT_FOUND, "'%s' ends here", self->path);
    enum err rc = check_header (self, e);
    if (!rc && self->size - self->at == GROUP_HEADER)
        return error_set (e, ERR_NOT_FOUND, "'%s' ends here", self->path);
    struct group_end found;
    if (!rc)
        rc = walk_blocks (self, &found, e);
    if (!rc)
        rc = check_end (self, &found, blocks, e);
    if (rc)
        return error_at (e, "'%s' at %" PRIu64 ": group %" PRIu64, self->path,
                         self->at, self->group);
    *offset = self->at + GROUP_HEADER;
    *group = self->group++;
    self->at = *offset + found.octets + GROUP_END;
    return ERR_NONE;
}

/* The first header of a later group in `octets`, which stand at `at`. */
static bool find_header (const struct segment_scan *self, struct slice octets,
                         uint64_t at, uint64_t *offset) {
    const uint8_t *p = octets.data, *end = p + octets.size;
    for (; end - p >= GROUP_HEADER; p++) {
        p = memmem (p, (size_t) (end - p), "PLYG", 4);
        if (!p || end - p < GROUP_HEADER)
            return false;
        uint64_t place = at + (uint64_t) (p - octets.data), group;
        if (group_header_get (p, place, self->header.seed, &group)
            && group > self->group) {
            *offset = place;
            return true;
        }
    }
    return false;
}

enum err segment_scan_header_behind (struct segment_scan *self, bool *found,
                                     uint64_t *offset, struct error *e) {
    struct buf octets = { 0 };
    buf_reserve (&octets, READ_AHEAD);
    enum err rc = ERR_NONE;
    *found = false;
    /* Pieces overlap, so that a header on their border is seen. */
    for (uint64_t at = self->at; !rc && !*found && at < self->size;
         at += READ_AHEAD - GROUP_HEADER) {
        uint64_t size = self->size - at;
        if (size > READ_AHEAD)
            size = READ_AHEAD;
        rc = disk_read_at (self->fd, octets.data, size, at, e);
        if (!rc)
            *found =
                find_header (self, slice_of (octets.data, size), at, offset);
    }
    buf_free (&octets);
    return rc;
}

enum err segment_scan_skip (struct segment_scan *self, uint64_t offset,
                            uint64_t *group, struct error *e) {
    uint8_t header[GROUP_HEADER];
    enum err rc = disk_read_at (self->fd, header, sizeof header, offset, e);
    if (!rc && !group_header_get (header, offset, self->header.seed, group))
        rc = error_set (e, ERR_DAMAGED, "no header of a group at %" PRIu64,
                        offset);
    if (rc)
        return rc;
    self->at = offset;
    self->group = *group;
    return ERR_NONE;
}
