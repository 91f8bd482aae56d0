/* journal_salvage - segments whose headers, sizes or neighbours can't be trusted:
 * what their blocks tell, without the seed of a segment's checksums. A block has
 * checksums of its own, and is looked for only where the one before it ends, so
 * never within what somebody wrote. */
#include "ledger/mend.h"

#include "ledger/journal_impl.h"

#include <inttypes.h>
#include <stdlib.h>

struct salvage {
    const struct segments_visitor *visitor;
    int64_t next;  /* sequence */
    int64_t limit; /* the next segment's first; INT64_MAX */
    int fd;
    uint64_t at, size;
    struct buf octets;
};

enum err segments_check (const char *dir, const struct hash *dialogue,
                         struct error *e) {
    struct chain chain;
    char *folder = journal_path (dir, "journal");
    enum err rc = chain_load (&chain, folder, dialogue, e);
    if (!rc)
        chain_free (&chain);
    free (folder);
    return rc;
}

static enum err fill_to (struct salvage *self, int64_t end, struct error *e) {
    int64_t first = self->next;
    if (end <= first)
        return ERR_NONE;
    self->next = end;
    return self->visitor->hole (self->visitor->arg, first, end, e);
}

/* The block at `at`: false where none is there that goes on. */
static bool block_take (struct salvage *self, struct block *block,
                        struct block_facts *facts) {
    uint8_t head[BLOCK_HEADER];
    size_t size;
    if (self->size - self->at < BLOCK_HEADER
        || disk_read_at (self->fd, head, BLOCK_HEADER, self->at, NULL)
        || block_size (slice_of (head, BLOCK_HEADER), &size, NULL)
        || size > self->size - self->at)
        return false;
    buf_clear (&self->octets);
    if (disk_read_at (self->fd, buf_extend (&self->octets, size), size,
                      self->at, NULL)
        || block_read (buf_slice (&self->octets), block, NULL)
        || block_check (block, facts, NULL))
        return false;
    return block->first_sequence == self->next
           && block->first_sequence + (int64_t) block->count <= self->limit;
}

/* A group's header, or its end. */
static bool frame_stands (struct salvage *self) {
    uint8_t head[4];
    if (self->size - self->at < GROUP_HEADER
        || disk_read_at (self->fd, head, sizeof head, self->at, NULL))
        return false;
    return memcmp (head, "PLYG", 4) == 0 || memcmp (head, "PLYE", 4) == 0;
}

static enum err segment_read (struct salvage *self, struct error *e) {
    struct block block;
    struct block_facts facts;
    enum err rc = disk_size (self->fd, &self->size, e);
    for (self->at = SEGMENT_HEADER; !rc && self->at < self->size;) {
        if (frame_stands (self)) {
            self->at += GROUP_HEADER; /* an end has as many */
            continue;
        }
        if (!block_take (self, &block, &facts))
            break;
        rc = self->visitor->block (self->visitor->arg, &block, &facts, e);
        self->next += (int64_t) block.count;
        self->at += block.octets.size;
    }
    return rc;
}

static enum err segment_open_and_read (struct salvage *self, const char *folder,
                                       int64_t first, struct error *e) {
    char *path = segment_path (folder, first);
    self->fd = disk_open (path, DISK_READ, e);
    enum err rc = self->fd < 0 ? e->code : segment_read (self, e);
    disk_close (&self->fd);
    free (path);
    return rc;
}

enum err segments_walk (const char *dir, const struct segments_visitor *visitor,
                        int64_t *next, struct error *e) {
    struct salvage self = { .visitor = visitor };
    int64_t *firsts = NULL;
    size_t count = 0;
    char *folder = journal_path (dir, "journal");
    enum err rc = journal_list (folder, ".seg", &firsts, &count, e);
    for (size_t i = 0; !rc && i < count; i++) {
        self.limit = i + 1 < count ? firsts[i + 1] : INT64_MAX;
        rc = fill_to (&self, firsts[i], e);
        if (!rc)
            rc = segment_open_and_read (&self, folder, firsts[i], e);
        if (!rc && i + 1 < count)
            rc = fill_to (&self, self.limit, e);
    }
    *next = self.next;
    buf_free (&self.octets);
    free (firsts);
    free (folder);
    return rc;
}
