/* journal_mend_write - segments with their patches, written anew beside and
 * renamed over the old ones, of which a copy is kept. */
#include "ledger/mend.h"

#include "base/clock.h"
#include "ledger/journal_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define COPY_OCTETS 1048576
#define ASIDE_NAMES 1000 /* tried, one a millisecond */

struct patched {
    const char *journal_dir;
    struct mend_patch *patches;
    size_t count;
};

static enum err copy_octets (int from, int to, struct error *e) {
    struct buf octets = { 0 };
    uint64_t size = 0;
    enum err rc = disk_size (from, &size, e);
    for (uint64_t at = 0; !rc && at < size; at += COPY_OCTETS) {
        uint64_t part = size - at < COPY_OCTETS ? size - at : COPY_OCTETS;
        buf_clear (&octets);
        rc = disk_read_at (from, buf_extend (&octets, part), part, at, e);
        if (!rc)
            rc = disk_write_at (to, buf_slice (&octets), at, e);
    }
    buf_free (&octets);
    return rc;
}

/* The segment under another name, with its patches or without, synced. */
static enum err copy_write (const struct patched *self, const char *path,
                            const char *name, int64_t patched,
                            struct error *e) {
    int from = disk_open (path, DISK_READ, e);
    int to = from < 0 ? -1 : disk_open (name, DISK_WRITE | DISK_CREATE, e);
    enum err rc = to < 0 ? e->code : copy_octets (from, to, e);
    for (size_t i = 0; !rc && i < self->count; i++)
        if (self->patches[i].segment == patched)
            rc = disk_write_at (to, buf_slice (&self->patches[i].octets),
                                self->patches[i].offset, e);
    if (!rc)
        rc = disk_sync (to, e);
    if (!rc)
        rc = disk_sync_dir (self->journal_dir, e);
    disk_close (&from);
    disk_close (&to);
    return rc;
}

/* What an earlier one that was cut off left is of no use. */
static enum err beside_clear (const char *name, struct error *e) {
    enum err rc = disk_remove (name, e);
    return rc == ERR_NOT_FOUND ? ERR_NONE : rc;
}

/* A copy of it as it is. A clock may stand still. */
static enum err aside_write (const struct patched *self, const char *path,
                             int64_t first, struct error *e) {
    int64_t now = clock_wall_ms();
    char *aside = NULL;
    enum err rc = ERR_EXISTS;
    for (int i = 0; rc == ERR_EXISTS && i < ASIDE_NAMES; i++) {
        struct buf name = { 0 };
        free (aside);
        buf_add_format (&name, "%s/damaged-%" PRId64 "-%" PRId64,
                        self->journal_dir, now + i, first);
        aside = buf_take_text (&name);
        rc = copy_write (self, path, aside, -1, e);
    }
    for (size_t i = 0; !rc && i < self->count; i++)
        if (self->patches[i].segment == first)
            snprintf (self->patches[i].aside, sizeof self->patches[i].aside,
                      "%s", aside);
    free (aside);
    return rc;
}

static enum err patched_write (const struct patched *self, int64_t first,
                               struct error *e) {
    struct buf name = { 0 };
    char *path = segment_path (self->journal_dir, first);
    buf_add_format (&name, "%s.mended", path);
    char *beside = buf_take_text (&name);
    enum err rc = beside_clear (beside, e);
    if (!rc)
        rc = aside_write (self, path, first, e);
    if (!rc)
        rc = copy_write (self, path, beside, first, e);
    if (!rc)
        rc = disk_rename (beside, path, e);
    free (beside);
    free (path);
    return rc;
}

enum err patches_write (const char *journal_dir, struct mend_patch *patches,
                        size_t count, struct error *e) {
    struct patched self = { journal_dir, patches, count };
    enum err rc = ERR_NONE;
    for (size_t i = 0; !rc && i < count; i++)
        if (i == 0 || patches[i].segment != patches[i - 1].segment)
            rc = patched_write (&self, patches[i].segment, e);
    return rc;
}
