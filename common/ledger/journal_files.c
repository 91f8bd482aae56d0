/* journal_files - segments open for reading. A segment is never changed below
 * its synced end, so a descriptor may be used by many threads at once; it is
 * closed only while nobody reads by it. */
#include "ledger/journal_impl.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define KEPT_MAX 16 /* readers are mostly near the end, or walk through */

struct kept {
    int fd; /* -1: free */
    int64_t segment;
    int users;
    uint64_t used; /* the clock at its last use */
};

struct journal_files {
    char *dir;
    struct kept kept[KEPT_MAX];
    uint64_t clock;
    pthread_mutex_t lock; /* of all above but dir */
};

struct journal_files *journal_files_new (const char *journal_dir) {
    struct journal_files *self = mem_alloc (sizeof *self);
    self->dir = mem_copy_text (journal_dir);
    for (size_t i = 0; i < KEPT_MAX; i++)
        self->kept[i].fd = -1;
    pthread_mutex_init (&self->lock, NULL);
    return self;
}

void journal_files_destroy (struct journal_files **self_p) {
    struct journal_files *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < KEPT_MAX; i++)
        disk_close (&self->kept[i].fd);
    pthread_mutex_destroy (&self->lock);
    free (self->dir);
    free (self);
    *self_p = NULL;
}

/* The one that has the segment; else the one to give up for it, the least
 * lately used that nobody reads by; else NULL. Under the lock. */
static struct kept *choose (struct journal_files *self, int64_t segment) {
    struct kept *oldest = NULL;
    for (size_t i = 0; i < KEPT_MAX; i++) {
        struct kept *one = &self->kept[i];
        if (one->fd >= 0 && one->segment == segment)
            return one;
        if (one->users == 0 && (!oldest || one->used < oldest->used))
            oldest = one;
    }
    return oldest;
}

static int open_segment (const struct journal_files *self, int64_t segment,
                         struct error *e) {
    char *path = segment_path (self->dir, segment);
    int fd = disk_open (path, DISK_READ, e);
    free (path);
    return fd;
}

/* *kept is NULL where the descriptor is the caller's own. */
static int borrow (struct journal_files *self, int64_t segment,
                   struct kept **kept, struct error *e) {
    pthread_mutex_lock (&self->lock);
    struct kept *one = choose (self, segment);
    if (one && (one->fd < 0 || one->segment != segment)) {
        int fd = open_segment (self, segment, e);
        if (fd >= 0) {
            disk_close (&one->fd);
            *one = (struct kept){ .fd = fd, .segment = segment };
        } else {
            one = NULL;
        }
        if (!one) {
            pthread_mutex_unlock (&self->lock);
            return -1;
        }
    }
    int fd = -1;
    if (one) {
        one->users++;
        one->used = ++self->clock;
        fd = one->fd;
    }
    pthread_mutex_unlock (&self->lock);
    *kept = one;
    return one ? fd : open_segment (self, segment, e);
}

static void give_back (struct journal_files *self, struct kept *kept, int fd) {
    if (!kept) {
        disk_close (&fd);
        return;
    }
    pthread_mutex_lock (&self->lock);
    kept->users--;
    pthread_mutex_unlock (&self->lock);
}

enum err journal_files_read (struct journal_files *self, int64_t segment,
                             uint64_t offset, size_t size, uint8_t *out,
                             struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    struct kept *kept;
    int fd = borrow (self, segment, &kept, e);
    if (fd < 0)
        return e->code;
    enum err rc = disk_read_at (fd, out, size, offset, e);
    give_back (self, kept, fd);
    return rc;
}

enum err journal_files_block (struct journal_files *self,
                              const struct index_entry *entry, struct buf *out,
                              struct block *block, struct error *e) {
    struct error own;
    if (!e)
        e = &own;
    buf_clear (out);
    if (entry->octets > BLOCK_OCTETS_MAX_SINGLE)
        return error_set (e, ERR_DAMAGED,
                          "the index tells of a block of "
                          "%" PRIu32 " octets",
                          entry->octets);
    enum err rc =
        journal_files_read (self, entry->segment, entry->offset, entry->octets,
                            buf_extend (out, entry->octets), e);
    if (!rc)
        rc = block_read (buf_slice (out), block, e);
    if (!rc
        && (block->first_sequence != entry->first_sequence
            || block->count != entry->count))
        rc = error_set (e, ERR_DAMAGED,
                        "the block of record %" PRId64 ", not of %" PRId64,
                        block->first_sequence, entry->first_sequence);
    if (!rc)
        return ERR_NONE;
    buf_clear (out);
    if (rc != ERR_IO)
        e->code = ERR_DAMAGED;
    return error_at (e, "segment %" PRId64 " at %" PRIu64, entry->segment,
                     entry->offset);
}
