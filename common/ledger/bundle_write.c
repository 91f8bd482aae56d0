/* bundle_write - a bundle's folder, file by file (PROTOCOL.md section 8.10).
 *
 * bundle.json comes last, when all else is synced: without it the folder is no
 * bundle. Not thread-safe. */
#include "base/disk.h"
#include "base/mp.h"
#include "identity/checkpoint.h"
#include "ledger/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FLUSH_OCTETS 1048576 /* kept in memory at most, and one entry */

/* Made when its first octets come. */
struct out_file {
    const char *name;
    int fd;
    uint64_t size; /* written */
    struct buf buf;
};

struct bundle_writer {
    char *dir;
    struct bundle_meta meta;
    struct out_file blocks, leaves, checkpoints, claims, promises, refusals;
    bool has_rosters;
    int64_t last_version;
    int64_t next_sequence; /* behind the last block */
    int64_t last_leaf, last_checkpoint, last_mark;
};

static char *path_of (const char *dir, const char *name) {
    struct buf path = { 0 };
    buf_add_format (&path, "%s/%s", dir, name);
    return buf_take_text (&path);
}

static enum err must_be_empty (const char *dir, struct error *e) {
    DIR *folder = opendir (dir);
    if (!folder)
        return error_sys (e, errno, "folder '%s'", dir);
    enum err rc = ERR_NONE;
    for (struct dirent *entry; !rc && (entry = readdir (folder));)
        if (strcmp (entry->d_name, ".") != 0
            && strcmp (entry->d_name, "..") != 0)
            rc = error_set (e, ERR_EXISTS, "folder '%s' is not empty: '%s'",
                            dir, entry->d_name);
    closedir (folder);
    return rc;
}

static struct out_file out_file (const char *name) {
    return (struct out_file){ .name = name, .fd = -1 };
}

struct bundle_writer *bundle_create (const char *dir,
                                     const struct bundle_meta *meta,
                                     struct error *e) {
    if (disk_make_dir (dir, e) || must_be_empty (dir, e))
        return NULL;
    struct bundle_writer *self = mem_alloc (sizeof *self);
    self->dir = mem_copy_text (dir);
    self->meta = *meta;
    self->blocks = out_file ("blocks");
    self->leaves = out_file ("leaves");
    self->checkpoints = out_file ("checkpoints");
    self->claims = out_file ("claims");
    self->promises = out_file ("promises");
    self->refusals = out_file ("refusals");
    self->last_leaf = self->last_checkpoint = self->last_mark = -1;
    return self;
}

static void out_close (struct out_file *file) {
    disk_close (&file->fd);
    buf_free (&file->buf);
}

void bundle_writer_destroy (struct bundle_writer **self_p) {
    if (!self_p || !*self_p)
        return;
    int saved = errno;
    struct bundle_writer *self = *self_p;
    out_close (&self->blocks);
    out_close (&self->leaves);
    out_close (&self->checkpoints);
    out_close (&self->claims);
    out_close (&self->promises);
    out_close (&self->refusals);
    free (self->dir);
    free (self);
    *self_p = NULL;
    errno = saved;
}

/* Files. */

static enum err out_flush (const struct bundle_writer *self,
                           struct out_file *file, struct error *e) {
    if (file->buf.size == 0)
        return ERR_NONE;
    if (file->fd < 0) {
        char *path = path_of (self->dir, file->name);
        file->fd = disk_open (path, DISK_WRITE | DISK_CREATE, e);
        free (path);
    }
    if (file->fd < 0)
        return e ? e->code : ERR_IO;
    enum err rc =
        disk_write_at (file->fd, buf_slice (&file->buf), file->size, e);
    file->size += file->buf.size;
    buf_clear (&file->buf);
    return rc;
}

static enum err out_added (const struct bundle_writer *self,
                           struct out_file *file, struct error *e) {
    return file->buf.size < FLUSH_OCTETS ? ERR_NONE : out_flush (self, file, e);
}

static enum err out_finish (const struct bundle_writer *self,
                            struct out_file *file, struct error *e) {
    enum err rc = out_flush (self, file, e);
    return rc || file->fd < 0 ? rc : disk_sync (file->fd, e);
}

static void add_entry (struct out_file *file, struct slice octets) {
    buf_add_u32 (&file->buf, (uint32_t) octets.size);
    buf_add_slice (&file->buf, octets);
}

/* Entries. */

enum err bundle_add_roster (struct bundle_writer *self, int64_t version,
                            struct slice note, struct error *e) {
    char name[48];
    if (version <= self->last_version)
        return error_set (e, ERR_CHAIN,
                          "roster version %" PRId64 " after %" PRId64, version,
                          self->last_version);
    if (!self->has_rosters) {
        char *folder = path_of (self->dir, "rosters");
        enum err rc = disk_make_dir (folder, e);
        free (folder);
        if (rc)
            return rc;
        self->has_rosters = true;
    }
    snprintf (name, sizeof name, "rosters/%08" PRId64 ".note", version);
    char *path = path_of (self->dir, name);
    enum err rc = disk_write_file (path, note, false, e);
    free (path);
    if (!rc)
        self->last_version = version;
    return rc;
}

enum err bundle_add_block (struct bundle_writer *self, int64_t direct_first,
                           struct slice block, struct error *e) {
    struct block b;
    enum err rc = block_read (block, &b, e);
    if (rc)
        return rc;
    if (b.first_sequence < self->next_sequence)
        return error_set (e, ERR_CHAIN,
                          "a block of record %" PRId64 " where %" PRId64
                          " is the next",
                          b.first_sequence, self->next_sequence);
    self->next_sequence = b.first_sequence + (int64_t) b.count;
    add_entry (&self->blocks, block);
    buf_add_u64 (&self->blocks.buf, (uint64_t) direct_first);
    return out_added (self, &self->blocks, e);
}

enum err bundle_add_leaf (struct bundle_writer *self, int64_t sequence,
                          const struct hash *leaf, struct error *e) {
    if (sequence <= self->last_leaf)
        return error_set (e, ERR_CHAIN,
                          "the leaf of record %" PRId64 " after %" PRId64,
                          sequence, self->last_leaf);
    self->last_leaf = sequence;
    buf_add_u64 (&self->leaves.buf, (uint64_t) sequence);
    buf_add (&self->leaves.buf, leaf->octets, HASH_SIZE);
    return out_added (self, &self->leaves, e);
}

enum err bundle_add_checkpoint (struct bundle_writer *self, struct slice note,
                                struct error *e) {
    struct checkpoint cp;
    struct note lines;
    enum err rc = checkpoint_read (note, &cp, &lines, e);
    if (rc)
        return rc;
    if (cp.size <= self->last_checkpoint)
        return error_set (e, ERR_CHAIN,
                          "a checkpoint of size %" PRId64 " after %" PRId64,
                          cp.size, self->last_checkpoint);
    self->last_checkpoint = cp.size;
    add_entry (&self->checkpoints, note);
    return out_added (self, &self->checkpoints, e);
}

enum err bundle_add_verified (struct bundle_writer *self, struct slice note,
                              struct error *e) {
    char *path = path_of (self->dir, "verified");
    enum err rc = disk_write_file (path, note, false, e);
    free (path);
    return rc;
}

void bundle_claim_write (struct buf *out, const struct bundle_claim *claim) {
    mp_put_array (out, 4);
    mp_put_int (out, claim->mark);
    mark_claim_write (out, &claim->claim);
    mp_put_int (out, claim->from);
    mp_put_array (out, claim->cover_length);
    for (size_t i = 0; i < claim->cover_length; i++)
        mp_put_bin (out, claim->cover[i].octets, HASH_SIZE);
}

enum err bundle_add_claim (struct bundle_writer *self,
                           const struct bundle_claim *claim, struct error *e) {
    struct buf octets = { 0 };
    if (claim->mark < self->last_mark)
        return error_set (e, ERR_CHAIN,
                          "a claim of mark %" PRId64 " after %" PRId64,
                          claim->mark, self->last_mark);
    self->last_mark = claim->mark;
    bundle_claim_write (&octets, claim);
    add_entry (&self->claims, buf_slice (&octets));
    buf_free (&octets);
    return out_added (self, &self->claims, e);
}

enum err bundle_add_promise (struct bundle_writer *self,
                             const struct promise_proof *proof,
                             struct error *e) {
    struct buf octets = { 0 };
    promise_proof_write (&octets, proof);
    add_entry (&self->promises, buf_slice (&octets));
    buf_free (&octets);
    return out_added (self, &self->promises, e);
}

enum err bundle_add_refusal (struct bundle_writer *self, struct slice proof,
                             struct error *e) {
    if (proof.size > BUNDLE_REFUSAL_MAX)
        return error_set (e, ERR_LIMIT, "a refusal of %zu octets, at most %d",
                          proof.size, BUNDLE_REFUSAL_MAX);
    add_entry (&self->refusals, proof);
    return out_added (self, &self->refusals, e);
}

enum err bundle_finish (struct bundle_writer *self, struct error *e) {
    struct buf json = { 0 };
    enum err rc = out_finish (self, &self->blocks, e);
    if (!rc)
        rc = out_finish (self, &self->leaves, e);
    if (!rc)
        rc = out_finish (self, &self->checkpoints, e);
    if (!rc)
        rc = out_finish (self, &self->claims, e);
    if (!rc)
        rc = out_finish (self, &self->promises, e);
    if (!rc)
        rc = out_finish (self, &self->refusals, e);
    if (!rc)
        rc = disk_sync_dir (self->dir, e);
    if (rc)
        return rc;
    bundle_meta_write (&self->meta, &json);
    char *path = path_of (self->dir, "bundle.json");
    rc = disk_write_file (path, buf_slice (&json), false, e);
    free (path);
    buf_free (&json);
    return rc;
}
